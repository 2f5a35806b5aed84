//! `tallies.bin`: for each shape how many orthos there are and the sum of their hashes.
//!
//! What is merged is copied without being looked into, so its part of the content digest has to come with it.
//!
//! ```text
//! "FOLDTALY" | version u32 = 1 | shapes u32 | for each shape: axes u32, length of each axis u32, orthos u64,
//! sum of hashes u128 | XXH3-64 of all bytes before u64
//! ```

use xxhash_rust::xxh3::xxh3_64;

use crate::digest::SetTally;
use crate::error::{Code, Error, Result};
use crate::ortho::Dims;

const MAGIC: &[u8; 8] = b"FOLDTALY";
const VERSION: u32 = 1;

/// The bytes of the file.
pub(super) fn encode(tally: &SetTally) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(tally.0.len() as u32).to_le_bytes());
    for (dims, tally) in tally.shapes() {
        bytes.extend_from_slice(&(dims.len() as u32).to_le_bytes());
        bytes.extend(dims.iter().flat_map(|d| d.to_le_bytes()));
        bytes.extend_from_slice(&tally.count.to_le_bytes());
        bytes.extend_from_slice(&tally.sum.to_le_bytes());
    }
    let sum = xxh3_64(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Reads what [`encode`] wrote; `name` is for the error.
pub(super) fn decode(name: &str, bytes: &[u8]) -> Result<SetTally> {
    let damaged = |what: &str| Error::new(Code::Damaged, format!("{name} is damaged: {what}"));
    let (body, sum) = bytes.split_last_chunk::<8>().ok_or_else(|| damaged("it is too short"))?;
    let mut rest = body.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin with FOLDTALY"))?;
    let version = take(&mut rest).map(u32::from_le_bytes).ok_or_else(|| damaged("it is too short"))?;
    if version > VERSION {
        let message =
            format!("{name} has format version {version}, this program knows {VERSION}; use a newer program");
        return Err(Error::new(Code::NewerFormat, message));
    }
    if xxh3_64(body).to_le_bytes() != *sum || version != VERSION {
        return Err(damaged("its checksum does not match"));
    }
    parse(rest).ok_or_else(|| damaged("it ends in a shape, or goes on behind the last"))
}

fn parse(mut rest: &[u8]) -> Option<SetTally> {
    let mut tally = SetTally::default();
    for _ in 0..u32::from_le_bytes(take(&mut rest)?) {
        let axes = u32::from_le_bytes(take(&mut rest)?);
        let dims: Option<Dims> = (0..axes).map(|_| take(&mut rest).map(u32::from_le_bytes)).collect();
        let count = u64::from_le_bytes(take(&mut rest)?);
        tally.add(&dims?, count, u128::from_le_bytes(take(&mut rest)?));
    }
    rest.is_empty().then_some(tally)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_truncation_is_noticed() {
        let mut tally = SetTally::default();
        tally.add(&[2, 2], 7, 1 << 100);
        tally.add(&[2, 2, 3], 1, 5);
        let bytes = encode(&tally);
        assert_eq!(decode("t", &bytes).ok(), Some(tally));
        for i in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[i / 8] ^= 1 << (i % 8);
            assert!(decode("t", &bad).is_err(), "bit {i}");
        }
        for len in 0..bytes.len() {
            assert!(decode("t", &bytes[..len]).is_err(), "length {len}");
        }
    }
}
