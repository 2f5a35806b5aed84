//! A run of records in memory, encoded as it is on disk, taken from at the front and added to at the back.

use super::format::{FRAME_HEADER_LEN, FrameHeader, push_length, read_length};

/// Records waiting to be written, or just read. The first [`FRAME_HEADER_LEN`] bytes are room for the frame's
/// header, so that a frame is written in one piece without copying it.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    buffer: Vec<u8>,
    /// Where the first record not yet taken begins; never less than the header's room.
    cursor: usize,
    records: u32,
    bytes: u64,
}

impl Frame {
    /// An empty frame in a buffer that may have been used before.
    pub(super) fn new(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.resize(FRAME_HEADER_LEN, 0);
        Self { buffer, cursor: FRAME_HEADER_LEN, records: 0, bytes: 0 }
    }

    /// A frame read from disk: header room, then the payload. `None` if the payload is not exactly `records` records.
    pub(super) fn from_disk(buffer: Vec<u8>, records: u32) -> Result<Self, Vec<u8>> {
        let mut rest = buffer.get(FRAME_HEADER_LEN..).unwrap_or_default();
        let mut bytes = 0;
        let mut found = 0_u32;
        while !rest.is_empty() {
            match read_length(rest).and_then(|(len, used)| Some((len, rest.get(used + len..)?))) {
                Some((len, after)) => {
                    bytes += len as u64;
                    found = found.wrapping_add(1);
                    rest = after;
                }
                None => return Err(buffer),
            }
        }
        if found == records {
            Ok(Self { buffer, cursor: FRAME_HEADER_LEN, records, bytes })
        } else {
            Err(buffer)
        }
    }

    /// Makes an empty frame fit to be pushed to, whatever its buffer held before.
    pub(super) fn reset(&mut self) {
        *self = Self::new(std::mem::take(&mut self.buffer));
    }

    pub(super) fn records(&self) -> u32 {
        self.records
    }

    /// The bytes of the records left, without their lengths.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The memory it takes.
    pub(super) fn memory(&self) -> usize {
        self.buffer.len()
    }

    /// The encoded bytes of the records left.
    pub(super) fn encoded_len(&self) -> usize {
        self.buffer.len() - self.cursor
    }

    /// Adds a record, which is no longer than the limit.
    pub(super) fn push(&mut self, record: &[u8]) {
        self.buffer.reserve(record.len() + 5);
        push_length(&mut self.buffer, record.len());
        self.buffer.extend_from_slice(record);
        self.records += 1;
        self.bytes += record.len() as u64;
    }

    /// Takes the first record.
    pub(super) fn pop(&mut self) -> Option<&[u8]> {
        let (len, used) = read_length(self.buffer.get(self.cursor..)?)?;
        let start = self.cursor + used;
        let record = self.buffer.get(start..start + len)?;
        self.cursor = start + len;
        self.records -= 1;
        self.bytes -= len as u64;
        Some(record)
    }

    /// Moves records to `batch`, at most `max_records` and as many as fit `max_bytes`; one at least if
    /// `batch` is empty. Answers whether it stopped because of a limit.
    pub(super) fn pop_into(&mut self, batch: &mut Batch, max_records: usize, max_bytes: u64) -> bool {
        if batch.records == 0 && self.records as usize <= max_records && self.bytes <= max_bytes {
            // The whole frame changes hands; the batch's old buffer takes its place.
            std::mem::swap(&mut batch.encoded, &mut self.buffer);
            batch.start = self.cursor;
            batch.records = self.records as usize;
            batch.bytes = self.bytes;
            self.cursor = self.buffer.len();
            self.records = 0;
            self.bytes = 0;
            return false;
        }
        let start = self.cursor;
        let mut end = start;
        let mut full = false;
        let (mut taken, mut bytes) = (0_u32, 0_u64);
        while taken < self.records {
            let Some((len, used)) = self.buffer.get(end..).and_then(read_length) else { break };
            let count = batch.records + taken as usize;
            if count > 0 && (count >= max_records || batch.bytes + bytes + len as u64 > max_bytes) {
                full = true;
                break;
            }
            end += used + len;
            taken += 1;
            bytes += len as u64;
        }
        if let Some(encoded) = self.buffer.get(start..end) {
            if batch.records == 0 {
                batch.encoded.clear();
                batch.start = 0;
            }
            batch.encoded.extend_from_slice(encoded);
            batch.records += taken as usize;
            batch.bytes += bytes;
            self.cursor = end;
            self.records -= taken;
            self.bytes -= bytes;
        }
        full
    }

    /// The records left as a frame for its place on disk. The header goes over bytes already taken.
    pub(super) fn encode(&mut self, number: u64, offset: u64) -> (&[u8], [u8; FRAME_HEADER_LEN]) {
        let payload = &self.buffer[self.cursor..];
        let header = FrameHeader {
            payload_len: payload.len(),
            records: self.records,
            payload_crc: crc32fast::hash(payload),
        }
        .encode(number, offset);
        let start = self.cursor - FRAME_HEADER_LEN;
        self.buffer[start..self.cursor].copy_from_slice(&header);
        (&self.buffer[start..], header)
    }

    /// The buffer, to be used again.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

/// Records taken from a queue together, in one allocation.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    encoded: Vec<u8>,
    /// Where the first record begins.
    start: usize,
    records: usize,
    bytes: u64,
}

impl Batch {
    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The bytes of all records together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets the records and keeps the memory.
    pub fn clear(&mut self) {
        // The old bytes stay: a buffer that is read into again need not be filled with zeros first.
        self.start = self.encoded.len();
        self.records = 0;
        self.bytes = 0;
    }

    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.encoded.get(self.start..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (len, used) = read_length(rest)?;
            let record = rest.get(used..used + len)?;
            rest = &rest[used + len..];
            Some(record)
        })
    }
}
