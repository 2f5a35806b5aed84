//! The head file: how far the queue has been consumed, durably.
//!
//! It is replaced whole ([`write_whole`]) and holds the same 64 bytes twice, so that damage to either copy
//! leaves the other.

use std::io::Read;
use std::path::Path;

use super::format::VERSION;
use crate::disk::{Disk, write_whole};
use crate::error::{Error, Result};
use crate::header::{Format, OPENING_LEN, crc_holds, u64_at};

/// The file's name in the queue's directory.
pub(super) const HEAD_NAME: &str = "head";
const HEAD: Format = Format { magic: *b"FOLDQHED", version: VERSION, called: "head format" };
const COPY_LEN: usize = 72;

/// A position in the queue: everything before it has been popped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The segment of the next record; it need not exist yet.
    pub(super) segment: u64,
    /// Where in it the frame with the next record begins.
    pub(super) offset: u64,
    /// Records of that frame already popped.
    pub(super) skip: u64,
    /// Records of that segment already popped, those of the frame included.
    pub(super) popped_records: u64,
    /// Their bytes.
    pub(super) popped_bytes: u64,
    /// After a proper close, the number the next segment will get: all before it exist, sealed. 0 otherwise.
    pub(super) closed_next: u64,
}

/// What the head file was found to be.
#[derive(Debug)]
pub(super) enum Found {
    Missing,
    Good(Head),
    Damaged,
}

impl Head {
    /// The start of segment `segment`.
    pub(super) fn at_start(segment: u64) -> Self {
        Self {
            segment,
            offset: super::format::HEADER_LEN as u64,
            skip: 0,
            popped_records: 0,
            popped_bytes: 0,
            closed_next: 0,
        }
    }

    fn encode(&self) -> [u8; COPY_LEN] {
        let mut bytes = [0; COPY_LEN];
        bytes[..OPENING_LEN].copy_from_slice(&HEAD.opening());
        let fields =
            [self.segment, self.offset, self.skip, self.popped_records, self.popped_bytes, self.closed_next];
        for (slot, field) in bytes[16..64].chunks_exact_mut(8).zip(fields) {
            slot.copy_from_slice(&field.to_le_bytes());
        }
        let crc = crc32fast::hash(&bytes[..64]);
        bytes[64..68].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8], name: &str) -> Result<Option<Self>> {
        if bytes.len() < COPY_LEN || !crc_holds(bytes, 64) || !HEAD.opens(bytes, name)? {
            return Ok(None);
        }
        Ok(Some(Self {
            segment: u64_at(bytes, 16),
            offset: u64_at(bytes, 24),
            skip: u64_at(bytes, 32),
            popped_records: u64_at(bytes, 40),
            popped_bytes: u64_at(bytes, 48),
            closed_next: u64_at(bytes, 56),
        }))
    }

    /// Makes this the durable head.
    pub(super) fn write(&self, disk: &dyn Disk, directory: &Path) -> Result<()> {
        let copy = self.encode();
        write_whole(disk, &directory.join(HEAD_NAME), &[copy, copy].concat())
    }

    /// The durable head.
    pub(super) fn read(disk: &dyn Disk, directory: &Path) -> Result<Found> {
        let path = directory.join(HEAD_NAME);
        if !disk.exists(&path) {
            return Ok(Found::Missing);
        }
        let mut bytes = Vec::new();
        disk.open_read(&path)
            .and_then(|file| file.take(4 * COPY_LEN as u64).read_to_end(&mut bytes))
            .map_err(|cause| Error::io("reading", &path, cause))?;
        let name = path.display().to_string();
        for copy in bytes.chunks(COPY_LEN).take(2) {
            if let Some(head) = Self::decode(copy, &name)? {
                return Ok(Found::Good(head));
            }
        }
        Ok(Found::Damaged)
    }
}
