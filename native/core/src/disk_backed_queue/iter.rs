//! Reading a queue from first to last without taking anything.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::format::HEADER_LEN;
use super::frame::Frame;
use super::reader::{SegmentReader, Step};
use super::{DiskBackedQueue, Segment, recovery};
use crate::disk::Disk;
use crate::error::{Code, Error, Result};

/// The records of a queue as they were when it was made. It owns what it needs: a copy of the frames in memory (no more
/// than the queue's buffer), the list of segments, and one frame at a time of those.
#[derive(Debug)]
pub struct Iter {
    disk: Arc<dyn Disk>,
    segments: VecDeque<Segment>,
    reader: Option<SegmentReader>,
    /// Where to start in the first segment, and the records to leave out there.
    start: (u64, u64),
    frame: Frame,
    waiting: VecDeque<Frame>,
}

impl Iter {
    pub(super) fn new(queue: &DiskBackedQueue) -> Self {
        let segments = queue.segments.clone();
        let start = match segments.front() {
            Some(first) if first.number == queue.position.segment => {
                (queue.position.offset, queue.position.skip)
            }
            _ => (HEADER_LEN as u64, 0),
        };
        Self {
            disk: Arc::clone(&queue.options.disk),
            segments,
            reader: None,
            start,
            frame: Frame::new(Vec::new()),
            waiting: queue.waiting.clone(),
        }
    }

    /// Only what is in some of the files.
    pub(super) fn within(mut self, files: Range<usize>) -> Self {
        if files.start > 0 {
            self.start = (HEADER_LEN as u64, 0);
        }
        self.segments.truncate(files.end);
        self.segments.drain(..files.start.min(files.end).min(self.segments.len()));
        self.waiting.clear();
        self
    }

    /// The next record, borrowed until the next call: no allocation a record.
    ///
    /// # Errors
    /// [`Code::Damaged`] for a stretch that fails its checksum (the call after that goes on behind it), or a failure to
    /// read.
    pub fn next_record(&mut self) -> Result<Option<&[u8]>> {
        while self.frame.is_empty() {
            if !self.next_frame()? {
                return Ok(None);
            }
        }
        Ok(self.frame.pop())
    }

    fn next_frame(&mut self) -> Result<bool> {
        while let Some(segment) = self.segments.front() {
            let (offset, skip) = self.start;
            let reader = match &mut self.reader {
                Some(reader) => reader,
                none => {
                    // It may have been set aside since.
                    let aside = recovery::aside_name(&segment.path);
                    let moved =
                        !segment.corrupt && !self.disk.exists(&segment.path) && self.disk.exists(&aside);
                    let path = if moved { &aside } else { &segment.path };
                    none.insert(SegmentReader::open(&*self.disk, path, segment.number, offset)?)
                }
            };
            let empty = std::mem::replace(&mut self.frame, Frame::new(Vec::new()));
            match reader.step(segment.limit, empty.into_buffer())? {
                Step::Frame(_, mut frame) => {
                    for _ in 0..skip {
                        frame.pop();
                    }
                    self.start.1 = 0;
                    self.frame = frame;
                    return Ok(true);
                }
                Step::Damage => {
                    self.start.1 = 0;
                    return Err(Error::new(
                        Code::Damaged,
                        format!(
                            "{} has frames that fail their checksum; the records in them are lost",
                            segment.path.display()
                        ),
                    ));
                }
                Step::End => {
                    self.segments.pop_front();
                    self.reader = None;
                    self.start = (HEADER_LEN as u64, 0);
                }
            }
        }
        match self.waiting.pop_front() {
            Some(frame) => {
                self.frame = frame;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

impl Iterator for Iter {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().map(|record| record.map(<[u8]>::to_vec)).transpose()
    }
}
