//! What the headers of files on disk have in common: eight bytes that name the format, its version, a checksum.

use crate::error::{Code, Error, Result};

/// A format and the version of it that this program writes, the newest it reads. The magic and the version (u32) open
/// what is in the format, in every version, so that a newer one can be told from damage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    /// What a version is called in an error, such as `format`.
    pub(crate) called: &'static str,
}

/// The bytes that magic and version take.
pub(crate) const OPENING_LEN: usize = 12;

impl Format {
    /// Magic and version.
    pub(crate) fn opening(&self) -> [u8; OPENING_LEN] {
        let mut bytes = [0; OPENING_LEN];
        bytes[..8].copy_from_slice(&self.magic);
        bytes[8..].copy_from_slice(&self.version.to_le_bytes());
        bytes
    }

    /// Whether `bytes` open with this format in the version that this program knows. If a checksum covers them, it is to
    /// be checked before: a version is believed here.
    ///
    /// # Errors
    /// [`Code::NewerFormat`] for a later version; `name` says whose.
    pub(crate) fn opens(&self, bytes: &[u8], name: &str) -> Result<bool> {
        if bytes.len() < OPENING_LEN || bytes[..8] != self.magic {
            return Ok(false);
        }
        let version = u32_at(bytes, 8);
        if version > self.version {
            let Self { version: known, called, .. } = self;
            return Err(Error::new(
                Code::NewerFormat,
                format!(
                    "{name} has {called} {version}, this program knows up to {known}; use a newer program"
                ),
            ));
        }
        Ok(version == self.version)
    }
}

/// Whether the CRC-32 of the bytes before `at` stands there.
pub(crate) fn crc_holds(bytes: &[u8], at: usize) -> bool {
    bytes.len() >= at + 4 && u32_at(bytes, at) == crc32fast::hash(&bytes[..at])
}

/// The little-endian number at `at`; 0 where there are not enough bytes.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut raw = [0; 4];
    if let Some(part) = bytes.get(at..at + 4) {
        raw.copy_from_slice(part);
    }
    u32::from_le_bytes(raw)
}

/// As [`u32_at`], of 8 bytes.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut raw = [0; 8];
    if let Some(part) = bytes.get(at..at + 8) {
        raw.copy_from_slice(part);
    }
    u64::from_le_bytes(raw)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const FORMAT: Format = Format { magic: *b"FOLDTEST", version: 3, called: "test format" };

    #[test]
    fn only_the_known_version_opens_and_a_later_one_is_named() {
        let mut bytes = FORMAT.opening().to_vec();
        assert!(FORMAT.opens(&bytes, "file").unwrap());
        assert!(!FORMAT.opens(&bytes[..11], "file").unwrap());
        bytes[8] = 2;
        assert!(!FORMAT.opens(&bytes, "file").unwrap());
        bytes[8] = 4;
        let newer = FORMAT.opens(&bytes, "file").unwrap_err();
        assert_eq!(newer.code(), Code::NewerFormat);
        assert!(newer.to_string().contains("file has test format 4, this program knows up to 3"), "{newer}");
        bytes[0] ^= 1;
        assert!(!FORMAT.opens(&bytes, "file").unwrap());
    }

    #[test]
    fn a_checksum_holds_for_the_bytes_before_it_and_no_others() {
        let mut bytes = vec![1, 2, 3];
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        assert!(crc_holds(&bytes, 3));
        assert!(!crc_holds(&bytes, 2));
        assert!(!crc_holds(&bytes[..6], 3));
        bytes[1] ^= 1;
        assert!(!crc_holds(&bytes, 3));
    }
}
