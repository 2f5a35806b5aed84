//! A first-in-first-out queue of byte records that keeps a bounded buffer in memory and spills to segment files.
//!
//! What it guarantees:
//! - Records come out in the order they went in; [`len`](DiskBackedQueue::len) is exact.
//! - After [`flush`](DiskBackedQueue::flush) the queue is durable as it is: reopening, after whatever crash, gives
//!   exactly the records not popped. A crash later on brings back at least those that were flushed and not popped
//!   by the last flush, and never one whose pop was flushed. No torn record is ever given out.
//! - One flipped bit anywhere is noticed. A torn tail is cut back to the last valid frame; a damaged segment is set
//!   aside, that is renamed with `.corrupt`, never deleted and never added to; what is valid in it and in all other
//!   segments is still read. [`damage`](DiskBackedQueue::damage) lists what was found.
//! - An error of `push` means that the record was not taken; the queue can be used on after a full disk. Only after a
//!   failed fsync it has to be opened again, since nobody can tell what that lost.
//!
//! What it costs: memory for `buffer_bytes`, one frame being read (256 KiB, or one record if that is longer) and some
//! hundred bytes a segment. Each record is copied into a frame once and summed once (CRC-32), and written once; records
//! popped before the buffer overflowed never reach the disk. Disk space of consumed segments is given back at a flush.
//!
//! # Files
//!
//! All numbers are little-endian. `docs/formats/disk_backed_queue.md` has the same with examples.
//!
//! `NNNNNNNNNNNNNNNNNNNN.seg` (twenty digits, ascending; `.seg.corrupt` once set aside):
//!
//! ```text
//! header  "FOLDQSEG" | version u32 | 0 u32 | number u64 | 0 u32 | crc u32 of the 28 bytes before        32 bytes
//! frame   "FQFR" | payload length u32 | records u32 | payload crc u32 | header crc u32                  20 bytes
//!         payload: for each record its length (7 bits a byte, low first, at most 5 bytes) and its bytes
//! ...
//! footer  "FQEN" | 0 u32 | records u64 | record bytes u64 | own offset u64 | crc of frame headers u32
//!         | footer crc u32                                                                              40 bytes
//! ```
//!
//! The header crc of a frame and the footer crc also cover the segment's number and the frame's or footer's own offset
//! (both u64, before the other bytes). A segment without a footer was being written when its program ended.
//!
//! `head`, replaced whole at a flush: twice the same 72 bytes, "FOLDQHED" | version u32 | 0 u32 | segment u64 | frame
//! offset u64 | records to skip in that frame u64 | records popped of that segment u64 | their bytes u64 | after a
//! proper close the next segment's number u64, else 0 | crc u32 of the 64 bytes before | 0 u32.

mod format;
mod frame;
mod head;
mod iter;
mod reader;
mod recovery;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::format::MAX_RECORD_LEN;
pub use self::frame::Batch;
pub use self::iter::Iter;

use self::format::HEADER_LEN;
use self::frame::Frame;
use self::head::Head;
use self::reader::{SegmentReader, Step};
use self::writer::SegmentWriter;
use crate::disk::{Disk, RealDisk};
use crate::error::{Code, Error, Result};

/// Frames are written when they have this size: small enough for the second-level cache, large enough that the system
/// calls do not count.
const FRAME_BYTES: usize = 256 * 1024;

/// How a queue is opened.
#[derive(Debug, Clone)]
pub struct QueueOptions {
    /// A segment is sealed before it grows beyond this.
    pub segment_bytes: u64,
    /// Records in memory that wait to be written take at most this, or one record if that is longer.
    pub buffer_bytes: usize,
    /// Where the files are.
    pub disk: Arc<dyn Disk>,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, buffer_bytes: 1 << 20, disk: RealDisk::shared() }
    }
}

/// Something that was found damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file, by the name it has now.
    pub file: PathBuf,
    /// What is wrong and what was done.
    pub what: String,
    /// Records that are lost, where that can be told.
    pub lost_records: Option<u64>,
}

/// A file of a queue, see [`DiskBackedQueue::files`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueFile {
    /// Where it is.
    pub path: PathBuf,
    /// Records in it that were not popped, and their bytes.
    pub records: u64,
    /// See [`records`](Self::records).
    pub bytes: u64,
}

/// One segment that still has records, or is being written.
#[derive(Debug, Clone)]
struct Segment {
    number: u64,
    path: PathBuf,
    /// Where its frames end.
    limit: u64,
    /// Records not yet popped, and their bytes.
    records: u64,
    bytes: u64,
    /// It was set aside.
    corrupt: bool,
}

/// See the [module](self).
#[derive(Debug)]
pub struct DiskBackedQueue {
    directory: PathBuf,
    options: QueueOptions,
    read_only: bool,
    closed: bool,
    /// Records and bytes in the queue, on disk and in memory.
    records: u64,
    bytes: u64,
    /// Segments in order; the last is the writer's if there is one.
    segments: VecDeque<Segment>,
    writer: Option<SegmentWriter>,
    next_number: u64,
    /// Reads the first segment.
    reader: Option<SegmentReader>,
    /// The frame that records are popped from; it begins at `position.offset`.
    front: Option<Frame>,
    /// Frames that were not written yet, in order.
    waiting: VecDeque<Frame>,
    waiting_bytes: usize,
    /// A buffer for the next frame.
    spare: Vec<u8>,
    /// How far the queue has been popped, and how far that is durable.
    position: Head,
    durable: Head,
    /// Files whose records have all been popped, to be deleted once that is durable.
    consumed: Vec<PathBuf>,
    /// Files were created or renamed since the directory was made durable.
    directory_unsynced: bool,
    damage: Vec<Damage>,
}

impl DiskBackedQueue {
    /// Opens the queue in `directory`, which is created if it is not there, and recovers what a crash left.
    ///
    /// # Errors
    /// [`Code::NewerFormat`] if a file was written by a later version, [`Code::InvalidArgument`] for options out of
    /// range, or the operating system's failure. Damage is no error: see [`damage`](Self::damage).
    pub fn open(directory: &Path, options: QueueOptions) -> Result<Self> {
        recovery::open(directory, options, false)
    }

    /// Opens a queue that was [closed](Self::close) for reading only, and changes nothing on disk.
    ///
    /// # Errors
    /// [`Code::Damaged`] naming the file if anything is missing, cut short or fails its checksum;
    /// [`Code::InputNotFound`] if there is no such directory.
    pub fn open_read_only(directory: &Path, options: QueueOptions) -> Result<Self> {
        recovery::open(directory, options, true)
    }

    /// The number of records that have been pushed and not popped.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.records
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The bytes of those records.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What has been found damaged since the queue was opened.
    #[must_use]
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    fn usable(&self) -> Result<()> {
        if self.closed {
            return Err(Error::new(
                Code::Closed,
                format!("the queue in {} was closed; open it again", self.directory.display()),
            ));
        }
        Ok(())
    }

    fn writable(&self) -> Result<()> {
        self.usable()?;
        if self.read_only {
            return Err(Error::new(
                Code::NotWritable,
                format!("the queue in {} was opened for reading only", self.directory.display()),
            ));
        }
        Ok(())
    }

    /// Adds a record at the end.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] if it is longer than [`MAX_RECORD_LEN`]; a failure to write. In both cases the record
    /// was not taken.
    pub fn push(&mut self, record: &[u8]) -> Result<()> {
        self.writable()?;
        if record.len() > MAX_RECORD_LEN {
            return Err(Error::new(
                Code::InvalidArgument,
                format!("a record of {} bytes is longer than the limit of {MAX_RECORD_LEN}", record.len()),
            ));
        }
        let fits = self
            .waiting
            .back()
            .is_some_and(|frame| frame.memory() + record.len() <= FRAME_BYTES.min(self.options.buffer_bytes));
        if !fits {
            while self.waiting_bytes + record.len() > self.options.buffer_bytes && !self.waiting.is_empty() {
                self.spill_one()?;
            }
            let frame = Frame::new(std::mem::take(&mut self.spare));
            self.waiting_bytes += frame.memory();
            self.waiting.push_back(frame);
        }
        if let Some(frame) = self.waiting.back_mut() {
            let before = frame.memory();
            frame.push(record);
            self.waiting_bytes += frame.memory() - before;
            self.records += 1;
            self.bytes += record.len() as u64;
        }
        Ok(())
    }

    /// Adds records in order.
    ///
    /// # Errors
    /// As [`push`](Self::push); the records before the one that failed were taken, which [`len`](Self::len) tells.
    pub fn push_batch<R: AsRef<[u8]>>(&mut self, records: impl IntoIterator<Item = R>) -> Result<()> {
        records.into_iter().try_for_each(|record| self.push(record.as_ref()))
    }

    /// Takes the first record.
    ///
    /// # Errors
    /// A failure to read, after which nothing has been taken.
    pub fn pop(&mut self) -> Result<Option<Vec<u8>>> {
        self.writable()?;
        if !self.refill()? {
            return Ok(None);
        }
        let from_disk = self.front.is_some();
        let Some(frame) = self.front.as_mut().or(self.waiting.front_mut()) else { return Ok(None) };
        let record = frame.pop().map(<[u8]>::to_vec);
        if let Some(record) = &record {
            self.account(from_disk, 1, record.len() as u64);
        }
        Ok(record)
    }

    /// Takes up to `max_records` records of up to `max_bytes` together; at least one if there is one.
    ///
    /// # Errors
    /// As [`pop`](Self::pop).
    pub fn pop_batch(&mut self, max_records: usize, max_bytes: u64) -> Result<Batch> {
        let mut batch = Batch::default();
        self.pop_batch_into(&mut batch, max_records, max_bytes)?;
        Ok(batch)
    }

    /// As [`pop_batch`](Self::pop_batch), into memory that is there already; what `batch` held is forgotten.
    ///
    /// # Errors
    /// As [`pop`](Self::pop), with `batch` holding what was taken before the failure.
    pub fn pop_batch_into(&mut self, batch: &mut Batch, max_records: usize, max_bytes: u64) -> Result<()> {
        batch.clear();
        self.writable()?;
        while max_records > 0 && self.refill()? {
            let from_disk = self.front.is_some();
            let Some(frame) = self.front.as_mut().or(self.waiting.front_mut()) else { break };
            let (records, bytes) = (batch.len(), batch.bytes());
            let memory = frame.memory();
            let full = frame.pop_into(batch, max_records, max_bytes);
            if !from_disk && frame.is_empty() {
                frame.reset();
                self.waiting_bytes -= memory - frame.memory();
            }
            self.account(from_disk, (batch.len() - records) as u64, batch.bytes() - bytes);
            if full {
                break;
            }
        }
        Ok(())
    }

    /// The records from first to last, as they are now, without taking them. Damage is an item that is an error
    /// ([`Code::Damaged`], naming the file), after which the records behind it follow.
    ///
    /// # Errors
    /// [`Code::Closed`].
    pub fn iter(&self) -> Result<Iter> {
        self.usable()?;
        Ok(Iter::new(self))
    }

    /// The files that hold its records, in order. Right after [opening](Self::open) that is all there are, and none of
    /// them changes any more.
    #[must_use]
    pub fn files(&self) -> Vec<QueueFile> {
        let file = |segment: &Segment| QueueFile {
            path: segment.path.clone(),
            records: segment.records,
            bytes: segment.bytes,
        };
        self.segments.iter().map(file).collect()
    }

    /// As [`iter`](Self::iter), but only the records of some of its [files](Self::files), by their places there.
    ///
    /// # Errors
    /// [`Code::Closed`].
    pub fn iter_files(&self, files: Range<usize>) -> Result<Iter> {
        self.usable()?;
        Ok(Iter::new(self).within(files))
    }

    /// Makes everything durable as it is: what was pushed and what was popped.
    ///
    /// # Errors
    /// A failure to write. After a failed write the call can be repeated; after a failed fsync the queue must be opened
    /// again.
    pub fn flush(&mut self) -> Result<()> {
        self.writable()?;
        while !self.waiting.is_empty() {
            self.spill_one()?;
        }
        if let Some(writer) = &mut self.writer {
            writer.sync()?;
        }
        self.sync_directory()?;
        self.pass_consumed_segments();
        let position = Head { closed_next: 0, ..self.position };
        self.write_head(position)
    }

    /// Flushes, seals the last segment and lets go of the files. Closing twice is fine.
    ///
    /// # Errors
    /// As [`flush`](Self::flush); the queue then stays open.
    pub fn close(&mut self) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        if !self.read_only {
            while !self.waiting.is_empty() {
                self.spill_one()?;
            }
            self.seal()?;
            self.sync_directory()?;
            self.pass_consumed_segments();
            self.write_head(Head { closed_next: self.next_number, ..self.position })?;
        }
        self.closed = true;
        self.reader = None;
        self.front = None;
        Ok(())
    }

    /// Reads every record and sets damaged segments aside, as popping would. Answers all damage known.
    ///
    /// # Errors
    /// A failure to read.
    pub fn verify(&mut self) -> Result<&[Damage]> {
        self.usable()?;
        let mut bad = Vec::new();
        for (index, segment) in self.segments.iter().enumerate() {
            if segment.corrupt {
                continue;
            }
            let from = if segment.number == self.position.segment {
                self.position.offset
            } else {
                HEADER_LEN as u64
            };
            let mut reader = SegmentReader::open(&*self.options.disk, &segment.path, segment.number, from)?;
            let mut buffer = Vec::new();
            loop {
                match reader.step(segment.limit, buffer)? {
                    Step::Frame(_, frame) => buffer = frame.into_buffer(),
                    Step::Damage => {
                        bad.push(index);
                        break;
                    }
                    Step::End => break,
                }
            }
        }
        for index in bad {
            if self.read_only {
                if let Some(segment) = self.segments.get(index) {
                    self.damage.push(Damage {
                        file: segment.path.clone(),
                        what: "a frame fails its checksum".into(),
                        lost_records: None,
                    });
                }
            } else {
                self.set_aside(index)?;
            }
        }
        Ok(&self.damage)
    }

    fn account(&mut self, from_disk: bool, records: u64, bytes: u64) {
        self.records -= records;
        self.bytes -= bytes;
        if from_disk {
            self.position.skip += records;
            self.position.popped_records += records;
            self.position.popped_bytes += bytes;
            if let Some(segment) = self.segments.front_mut() {
                segment.records = segment.records.saturating_sub(records);
                segment.bytes = segment.bytes.saturating_sub(bytes);
            }
        }
    }

    /// Sees to it that a record can be taken from `front`, or else from the first waiting frame. Answers whether there
    /// is any.
    fn refill(&mut self) -> Result<bool> {
        loop {
            match self.front.take() {
                Some(frame) if !frame.is_empty() => {
                    self.front = Some(frame);
                    return Ok(true);
                }
                Some(frame) => {
                    self.spare = frame.into_buffer();
                    self.position.offset =
                        self.reader.as_ref().map_or(self.position.offset, SegmentReader::offset);
                    self.position.skip = 0;
                }
                None => {}
            }
            self.pass_consumed_segments();
            let Some(segment) = self.segments.front().filter(|segment| self.position.offset < segment.limit)
            else {
                break;
            };
            if self.reader.as_ref().is_none_or(|reader| reader.number() != segment.number) {
                let opened = SegmentReader::open(
                    &*self.options.disk,
                    &segment.path,
                    segment.number,
                    self.position.offset,
                )?;
                self.reader = Some(opened);
            }
            let Some(reader) = self.reader.as_mut() else { break };
            let step = reader.step(segment.limit, std::mem::take(&mut self.spare));
            let after = reader.offset();
            if step.is_err() {
                self.reader = None;
            }
            match step? {
                Step::Frame(offset, mut frame) => {
                    self.position.offset = offset;
                    for _ in 0..self.position.skip {
                        frame.pop();
                    }
                    self.front = Some(frame);
                }
                Step::Damage => {
                    if !segment.corrupt {
                        self.set_aside(0)?;
                    }
                    self.position.offset = after;
                    self.position.skip = 0;
                }
                Step::End => self.position.offset = segment.limit,
            }
        }
        while let Some(frame) = self.waiting.pop_front() {
            if !frame.is_empty() {
                self.waiting.push_front(frame);
                return Ok(true);
            }
            self.waiting_bytes -= frame.memory();
            self.spare = frame.into_buffer();
        }
        Ok(false)
    }

    /// Moves the position past segments that have been popped whole and are no longer written.
    fn pass_consumed_segments(&mut self) {
        if self.front.as_ref().is_some_and(|frame| !frame.is_empty()) {
            return;
        }
        if self.front.take().is_some() {
            self.position.offset = self.reader.as_ref().map_or(self.position.offset, SegmentReader::offset);
            self.position.skip = 0;
        }
        while let Some(segment) = self.segments.front() {
            let writing = self.writer.as_ref().is_some_and(|writer| writer.number() == segment.number);
            if writing || self.position.segment == segment.number && self.position.offset < segment.limit {
                return;
            }
            if self.position.segment == segment.number {
                if !segment.corrupt {
                    self.consumed.push(segment.path.clone());
                }
                self.segments.pop_front();
                self.reader = None;
            }
            let next = self.segments.front().map_or(self.next_number, |segment| segment.number);
            self.position = Head::at_start(next);
            if self.segments.front().is_some_and(|segment| segment.limit > self.position.offset) {
                return;
            }
        }
    }

    /// Writes the first waiting frame.
    fn spill_one(&mut self) -> Result<()> {
        let Some(frame) = self.waiting.front() else { return Ok(()) };
        if !frame.is_empty() {
            let size = frame.encoded_len() as u64 + format::FRAME_HEADER_LEN as u64;
            let room = self.options.segment_bytes;
            if self
                .writer
                .as_ref()
                .is_some_and(|w| w.offset() > HEADER_LEN as u64 && w.offset() + size > room)
            {
                self.seal()?;
            }
            if self.writer.is_none() {
                self.begin_segment()?;
            }
        }
        let (Some(frame), writer) = (self.waiting.front_mut(), self.writer.as_mut()) else { return Ok(()) };
        if let Some(writer) = writer.filter(|_| !frame.is_empty()) {
            writer.append(frame)?;
            if let Some(segment) = self.segments.back_mut() {
                segment.limit = writer.offset();
                segment.records += u64::from(frame.records());
                segment.bytes += frame.bytes();
            }
        }
        if let Some(frame) = self.waiting.pop_front() {
            self.waiting_bytes -= frame.memory();
            self.spare = frame.into_buffer();
        }
        Ok(())
    }

    fn begin_segment(&mut self) -> Result<()> {
        let number = self.next_number;
        let path = self.directory.join(recovery::segment_name(number));
        self.writer = Some(SegmentWriter::create(&*self.options.disk, &path, number)?);
        self.directory_unsynced = true;
        self.next_number += 1;
        if self.segments.is_empty() && self.front.is_none() {
            self.position = Head::at_start(number);
        }
        self.segments.push_back(Segment {
            number,
            path,
            limit: HEADER_LEN as u64,
            records: 0,
            bytes: 0,
            corrupt: false,
        });
        Ok(())
    }

    fn seal(&mut self) -> Result<()> {
        if let Some(writer) = &mut self.writer {
            writer.seal()?;
            self.writer = None;
        }
        Ok(())
    }

    fn sync_directory(&mut self) -> Result<()> {
        if self.directory_unsynced {
            self.options
                .disk
                .sync_dir(&self.directory)
                .map_err(|cause| Error::io("making durable", &self.directory, cause))?;
            self.directory_unsynced = false;
        }
        Ok(())
    }

    fn write_head(&mut self, head: Head) -> Result<()> {
        if head != self.durable {
            head.write(&*self.options.disk, &self.directory)?;
            self.durable = head;
        }
        // A file that cannot be deleted now is deleted when the queue is opened again.
        for path in self.consumed.drain(..) {
            let _ = self.options.disk.remove_file(&path);
        }
        Ok(())
    }

    /// Gives a damaged segment its `.corrupt` name and counts anew what can be read of it.
    fn set_aside(&mut self, index: usize) -> Result<()> {
        let Some(segment) = self.segments.get(index).cloned() else { return Ok(()) };
        if self.writer.as_ref().is_some_and(|writer| writer.number() == segment.number) {
            // Nothing is added to a damaged file; what it has is made durable as it is.
            self.seal()?;
        }
        let current = segment.number == self.position.segment;
        // A frame in memory is as good as it was when it was read, whatever became of its bytes on disk.
        let front = self.front.as_ref().filter(|_| current);
        let (from, skip) = match (front, &self.reader) {
            (Some(_), Some(reader)) => (reader.offset(), 0),
            _ if current => (self.position.offset, self.position.skip),
            _ => (0, 0),
        };
        let (front_records, front_bytes) =
            front.map_or((0, 0), |frame| (u64::from(frame.records()), frame.bytes()));
        let mut scan = SegmentReader::scan(&*self.options.disk, &segment.path, segment.number, from, skip)?;
        scan.records_left += front_records;
        scan.bytes_left += front_bytes;
        let aside = recovery::rename_aside(&*self.options.disk, &segment.path)?;
        self.directory_unsynced = true;
        let Some(segment) = self.segments.get_mut(index) else { return Ok(()) };
        let lost = segment.records.saturating_sub(scan.records_left);
        self.records = self.records - segment.records + scan.records_left;
        self.bytes = self.bytes - segment.bytes + scan.bytes_left;
        segment.records = scan.records_left;
        segment.bytes = scan.bytes_left;
        segment.corrupt = true;
        segment.path.clone_from(&aside);
        self.damage.push(Damage {
            file: aside,
            what: "frames fail their checksum; the file was set aside, the rest of it is still read".into(),
            lost_records: Some(lost),
        });
        Ok(())
    }
}
