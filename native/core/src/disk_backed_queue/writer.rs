//! The segment that is being added to.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::format::{Footer, HEADER_LEN, encode_header};
use super::frame::Frame;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, Result};

/// Appends frames to one segment. What it counts is what is in the file: a failed write is taken back.
#[derive(Debug)]
pub(super) struct SegmentWriter {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    number: u64,
    offset: u64,
    records: u64,
    bytes: u64,
    frames_crc: crc32fast::Hasher,
    /// Bytes were written since the last fsync.
    unsynced: bool,
    /// A failure left the file in a state that cannot be known; nothing more is written to it.
    broken: bool,
}

impl SegmentWriter {
    /// A new segment with its header.
    pub(super) fn create(disk: &dyn Disk, path: &Path, number: u64) -> Result<Self> {
        if disk.exists(path) {
            // The number is not in use, so this is what a failed attempt could not remove.
            disk.remove_file(path).map_err(|cause| Error::io("removing", path, cause))?;
        }
        let made = disk.create_new(path).and_then(|mut file| {
            file.write_all(&encode_header(number)).map(|()| file).inspect_err(|_| {
                // Without its header the file is worth nothing; reopening would drop it as well.
                let _ = disk.remove_file(path);
            })
        });
        Ok(Self {
            file: made.map_err(|cause| Error::io("creating", path, cause))?,
            path: path.to_path_buf(),
            number,
            offset: HEADER_LEN as u64,
            records: 0,
            bytes: 0,
            frames_crc: crc32fast::Hasher::new(),
            unsynced: true,
            broken: false,
        })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Where the next frame will begin.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    fn usable(&self) -> Result<()> {
        if self.broken {
            let cause = io::Error::other(
                "an earlier write or fsync failed; open the queue again to go on from what is durable",
            );
            return Err(Error::io("writing", &self.path, cause));
        }
        Ok(())
    }

    /// Appends `frame`. On an error the file is as it was.
    pub(super) fn append(&mut self, frame: &mut Frame) -> Result<()> {
        self.usable()?;
        let (records, bytes) = (u64::from(frame.records()), frame.bytes());
        let (encoded, header) = frame.encode(self.number, self.offset);
        self.unsynced = true;
        if let Err(cause) = self.file.write_all(encoded) {
            self.take_back();
            return Err(Error::io("writing", &self.path, cause));
        }
        self.offset += encoded.len() as u64;
        self.frames_crc.update(&header);
        self.records += records;
        self.bytes += bytes;
        Ok(())
    }

    fn take_back(&mut self) {
        let end = self.offset;
        let restored = self.file.set_len(end).and_then(|()| self.file.seek(io::SeekFrom::Start(end)));
        self.broken = restored.is_err();
    }

    /// Makes everything appended durable. A failed fsync is final: what it lost cannot be told afterwards.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.usable()?;
        if self.unsynced {
            self.file.sync().map_err(|cause| {
                self.broken = true;
                Error::io("making durable", &self.path, cause)
            })?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Ends the segment with its footer, durable.
    pub(super) fn seal(&mut self) -> Result<()> {
        self.usable()?;
        let footer = Footer {
            records: self.records,
            bytes: self.bytes,
            end: self.offset,
            frames_crc: self.frames_crc.clone().finalize(),
        };
        self.unsynced = true;
        if let Err(cause) = self.file.write_all(&footer.encode(self.number)) {
            self.take_back();
            return Err(Error::io("writing", &self.path, cause));
        }
        self.sync()
    }
}
