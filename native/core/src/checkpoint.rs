//! `checkpoint.bin` and `progress.bin`: what a search needs to go on where another one stopped.
//!
//! The first lies beside results that are still being written and is replaced every few seconds; the second is part of
//! an archive whose search ended early. Both say which records are whole, what was found in them and which work is
//! done; the records after that are left out when a search goes on. `docs/formats/progress.md` has the bytes.
//!
//! Guarantees: what decodes fits itself and its checksum; nothing in it is trusted beyond that. Size: a bit for each
//! bigram, some hundred bytes a shape.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::ShapeTally;
use crate::error::{Code, Error, Result};
use crate::ortho::{Dims, Ortho};
use crate::results::{Committed, Kept};
use crate::search::{Progress, Scope, Shard};
use crate::text::Bits;

const MAGIC: &[u8; 8] = b"FOLDPROG";
const VERSION: u32 = 1;
/// Magic, version and checksum.
const FRAME: usize = 16;

/// See the [module](self).
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Of the interner: whose search this is.
    pub interner_digest: [u8; 32],
    /// What else makes it the same search: of a merge, which archives are left out of it; zeros for a text.
    pub identity: [u8; 32],
    /// Which part of it.
    pub scope: Scope,
    /// The number of bigrams of the text.
    pub bigrams: u32,
    /// What is done.
    pub progress: Progress,
    /// The records that go with it.
    pub committed: Committed,
}

impl Checkpoint {
    /// The bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        put32(&mut out, VERSION);
        out.extend_from_slice(&self.interner_digest);
        out.extend_from_slice(&self.identity);
        let shard = self.scope.shard.map_or((0, 0), |shard| (shard.index(), shard.count()));
        for number in [shard.0, shard.1, *self.scope.axes.start(), *self.scope.axes.end(), self.bigrams] {
            put32(&mut out, number);
        }
        for word in self.progress.done.words() {
            put64(&mut out, *word);
        }
        put32(&mut out, self.progress.begun.len() as u32);
        for (&unit, &steps) in &self.progress.begun {
            put32(&mut out, unit);
            put32(&mut out, steps);
        }
        let tally = &self.progress.found.tally.0;
        let shapes: BTreeSet<&Dims> = tally.keys().chain(self.committed.keys()).collect();
        put32(&mut out, shapes.len() as u32);
        let (none, no_records) = (ShapeTally::default(), Kept::default());
        for dims in shapes {
            put_dims(&mut out, dims);
            let tally = tally.get(dims).unwrap_or(&none);
            put64(&mut out, tally.count);
            out.extend_from_slice(&tally.sum.to_le_bytes());
            let kept = self.committed.get(dims).unwrap_or(&no_records);
            put64(&mut out, kept.records);
            put32(&mut out, kept.skipped.len() as u32);
            for range in &kept.skipped {
                put64(&mut out, range.start);
                put64(&mut out, range.end);
            }
        }
        match &self.progress.found.best {
            None => put32(&mut out, 0),
            Some(best) => {
                put_dims(&mut out, &best.dims);
                for &token in &best.tokens {
                    put32(&mut out, token);
                }
            }
        }
        let crc = crc32fast::hash(&out);
        put32(&mut out, crc);
        out
    }

    /// From the bytes of the file, which is called `shown` in errors.
    ///
    /// # Errors
    /// [`Code::Damaged`] or [`Code::NewerFormat`].
    pub fn decode(shown: &str, bytes: &[u8]) -> Result<Self> {
        let damaged = |what: &str| Error::new(Code::Damaged, format!("{shown} is damaged: {what}"));
        if bytes.get(..8) != Some(MAGIC) || bytes.len() < FRAME {
            return Err(damaged("it does not begin as a progress does"));
        }
        let (body, crc) = bytes.split_at(bytes.len() - 4);
        if crc != crc32fast::hash(body).to_le_bytes() {
            return Err(damaged("its checksum is wrong"));
        }
        let mut from = Cursor(&body[8..]);
        let version = from.u32().unwrap_or(0);
        if version > VERSION {
            return Err(Error::new(
                Code::NewerFormat,
                format!(
                    "{shown} has format version {version}; this program reads {VERSION}: use a newer one"
                ),
            ));
        }
        from.checkpoint().filter(|_| from.0.is_empty()).ok_or_else(|| damaged("it makes no sense"))
    }
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_dims(out: &mut Vec<u8>, dims: &[u32]) {
    put32(out, dims.len() as u32);
    for &d in dims {
        put32(out, d);
    }
}

/// What is left to read.
struct Cursor<'b>(&'b [u8]);

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// A number of things that take so many bytes each at least.
    fn count(&mut self, bytes: usize) -> Option<usize> {
        let count = self.u32()? as usize;
        (count <= self.0.len() / bytes).then_some(count)
    }

    fn dims(&mut self) -> Option<Dims> {
        let axes = self.count(4)?;
        (0..axes).map(|_| self.u32()).collect()
    }

    fn checkpoint(&mut self) -> Option<Checkpoint> {
        let (interner_digest, identity) = (self.take()?, self.take()?);
        let (index, count) = (self.u32()?, self.u32()?);
        let shard = if count == 0 { None } else { Some(Shard::new(index, count).ok()?) };
        let axes = self.u32()?..=self.u32()?;
        let bigrams = self.u32()?;
        let words = (bigrams as usize).div_ceil(64);
        if words > self.0.len() / 8 {
            return None;
        }
        let done = (0..words).map(|_| self.u64()).collect::<Option<Vec<u64>>>()?;
        let done = Bits::from_words(done, bigrams as usize)?;
        let mut begun = BTreeMap::new();
        for _ in 0..self.count(8)? {
            let (unit, steps) = (self.u32()?, self.u32()?);
            if unit >= bigrams || begun.insert(unit, steps).is_some() {
                return None;
            }
        }
        let mut progress = Progress { done, begun, ..Progress::default() };
        let mut committed = Committed::new();
        for _ in 0..self.count(40)? {
            let dims = self.dims()?;
            let tally = ShapeTally { count: self.u64()?, sum: u128::from_le_bytes(self.take()?) };
            progress.found.tally.add(&dims, tally.count, tally.sum);
            let records = self.u64()?;
            let mut skipped = vec![];
            let mut last = 0;
            for _ in 0..self.count(16)? {
                let range = self.u64()?..self.u64()?;
                if range.start < last || range.end <= range.start || range.end > records {
                    return None;
                }
                last = range.end;
                skipped.push(range);
            }
            if records > 0 && committed.insert(dims, Kept { records, skipped }).is_some() {
                return None;
            }
        }
        let dims = self.dims()?;
        if !dims.is_empty() {
            let cells = dims.iter().try_fold(1usize, |cells, &d| cells.checked_mul(d as usize))?;
            if cells > self.0.len() / 4 || dims.len() < 2 || dims.iter().any(|&d| d < 2) {
                return None;
            }
            let tokens = (0..cells).map(|_| self.u32()).collect::<Option<Vec<u32>>>()?;
            progress.found.best = Some(Ortho { dims, tokens });
        }
        Some(Checkpoint {
            interner_digest,
            identity,
            scope: Scope { shard, axes },
            bigrams,
            progress,
            committed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Checkpoint {
        let mut progress = Progress { done: Bits::new(70), ..Progress::default() };
        progress.done.set(0);
        progress.done.set(69);
        progress.begun = BTreeMap::from([(3, 9), (60, 1)]);
        progress.found.tally.add(&[2, 2], 5, u128::MAX - 3);
        progress.found.tally.add(&[2, 3], 1, 77);
        progress.found.best = Some(Ortho { dims: vec![2, 3], tokens: vec![0, 1, 2, 3, 4, 5] });
        let committed = Committed::from([
            (vec![2, 2], Kept { records: 9, skipped: vec![2..3, 5..9] }),
            (vec![2, 2, 2], Kept { records: 4, skipped: vec![0..1, 2..4] }),
        ]);
        let scope = Scope { shard: Some(Shard::new(3, 8).expect("a shard")), axes: 2..=4 };
        Checkpoint { interner_digest: [7; 32], identity: [8; 32], scope, bigrams: 70, progress, committed }
    }

    #[test]
    fn comes_back_as_it_went() {
        let sample = sample();
        let bytes = sample.encode();
        let back = Checkpoint::decode("p", &bytes).expect("a checkpoint");
        assert_eq!(back.encode(), bytes);
        assert_eq!(back.scope, sample.scope);
        assert_eq!(back.committed, sample.committed);
        assert_eq!(back.progress.done, sample.progress.done);
        assert_eq!(back.progress.found.best, sample.progress.found.best);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let bytes = sample().encode();
        for len in 0..bytes.len() {
            assert!(Checkpoint::decode("p", &bytes[..len]).is_err(), "cut at {len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Checkpoint::decode("p", &flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn sense_is_checked_behind_a_right_checksum() {
        let wrong = |change: &dyn Fn(&mut Checkpoint)| {
            let mut sample = sample();
            change(&mut sample);
            Checkpoint::decode("p", &sample.encode()).map(|_| ()).map_err(|e| e.code())
        };
        assert_eq!(wrong(&|c| c.bigrams = 71 << 20), Err(Code::Damaged));
        assert_eq!(wrong(&|c| c.progress.begun.extend([(70, 1)])), Err(Code::Damaged));
        let skipped = |range: std::ops::Range<u64>| {
            wrong(&move |c| {
                c.committed.insert(vec![2, 2], Kept { records: 9, skipped: vec![range.clone(); 1] });
            })
        };
        assert_eq!(skipped(8..9), Ok(()));
        assert_eq!(skipped(8..10), Err(Code::Damaged));
        assert_eq!(skipped(4..4), Err(Code::Damaged));
    }

    #[test]
    fn a_later_version_is_told() {
        let mut bytes = sample().encode();
        bytes[8] = 2;
        let body = bytes.len() - 4;
        let crc = crc32fast::hash(&bytes[..body]);
        bytes[body..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(Checkpoint::decode("p", &bytes).map(|_| ()).map_err(|e| e.code()), Err(Code::NewerFormat));
    }
}
