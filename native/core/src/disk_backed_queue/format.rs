//! The byte layout of a segment: header, frames, footer, and the lengths inside a frame.
//!
//! Every byte of a segment is under a CRC-32. A frame's header is summed together with the segment's number
//! and the frame's own offset, so bytes that belong to another place are not taken for a frame.

use crate::error::Result;
use crate::header::{Format, OPENING_LEN, crc_holds, u32_at, u64_at};

/// The files of a queue share their version.
pub(super) const VERSION: u32 = 1;
const SEGMENT: Format = Format { magic: *b"FOLDQSEG", version: VERSION, called: "segment format" };
/// The length of a segment's header.
pub(super) const HEADER_LEN: usize = 32;
/// The length of the header before each frame's payload.
pub(super) const FRAME_HEADER_LEN: usize = 20;
/// The length of the footer that seals a segment.
pub(super) const FOOTER_LEN: usize = 40;
/// The longest record: 1 GiB less one byte, so that a frame's length always fits 32 bits.
pub const MAX_RECORD_LEN: usize = (1 << 30) - 1;

const FRAME_MAGIC: [u8; 4] = *b"FQFR";
const FOOTER_MAGIC: [u8; 4] = *b"FQEN";
/// Room for the longest record and its length.
const MAX_PAYLOAD_LEN: usize = MAX_RECORD_LEN + MAX_LENGTH_LEN;
/// The most bytes a record's length takes.
const MAX_LENGTH_LEN: usize = 5;

/// The 32 bytes that open segment `number`.
pub(super) fn encode_header(number: u64) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..OPENING_LEN].copy_from_slice(&SEGMENT.opening());
    bytes[16..24].copy_from_slice(&number.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..28]);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Whether `bytes` are the header of segment `number`.
///
/// # Errors
/// [`Code::NewerFormat`] if they are a whole header of a later version; its layout is fixed for ever so that
/// this can be told from damage.
pub(super) fn check_header(bytes: &[u8], number: u64, name: &str) -> Result<bool> {
    Ok(crc_holds(bytes, 28) && SEGMENT.opens(bytes, name)? && u64_at(bytes, 16) == number)
}

/// What a frame's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// The bytes of payload that follow.
    pub(super) payload_len: usize,
    /// The records in them.
    pub(super) records: u32,
    /// CRC-32 of the payload.
    pub(super) payload_crc: u32,
}

fn frame_header_crc(number: u64, offset: u64, fields: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(fields);
    hasher.finalize()
}

impl FrameHeader {
    /// The header's bytes for its place.
    pub(super) fn encode(&self, number: u64, offset: u64) -> [u8; FRAME_HEADER_LEN] {
        let mut bytes = [0; FRAME_HEADER_LEN];
        // Callers keep payloads under MAX_PAYLOAD_LEN, which fits.
        let payload_len = u32::try_from(self.payload_len).unwrap_or(u32::MAX);
        bytes[..4].copy_from_slice(&FRAME_MAGIC);
        bytes[4..8].copy_from_slice(&payload_len.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.records.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.payload_crc.to_le_bytes());
        let crc = frame_header_crc(number, offset, &bytes[..16]);
        bytes[16..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header in `bytes`, if they are one for this place.
    pub(super) fn decode(bytes: &[u8], number: u64, offset: u64) -> Option<Self> {
        if bytes.len() < FRAME_HEADER_LEN
            || bytes[..4] != FRAME_MAGIC
            || u32_at(bytes, 16) != frame_header_crc(number, offset, &bytes[..16])
        {
            return None;
        }
        let header = Self {
            payload_len: u32_at(bytes, 4) as usize,
            records: u32_at(bytes, 8),
            payload_crc: u32_at(bytes, 12),
        };
        (header.payload_len <= MAX_PAYLOAD_LEN).then_some(header)
    }

    /// Where in `bytes` a frame may begin; a candidate still needs [`decode`](Self::decode).
    pub(super) fn find_candidate(bytes: &[u8]) -> Option<usize> {
        bytes.windows(FRAME_MAGIC.len()).position(|window| window == FRAME_MAGIC)
    }
}

/// What the end of a sealed segment says of the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer {
    /// Records in the segment.
    pub(super) records: u64,
    /// Their bytes, without framing.
    pub(super) bytes: u64,
    /// Where the frames end and the footer begins.
    pub(super) end: u64,
    /// CRC-32 of all frame headers in order.
    pub(super) frames_crc: u32,
}

impl Footer {
    /// The footer's bytes for segment `number`.
    pub(super) fn encode(&self, number: u64) -> [u8; FOOTER_LEN] {
        let mut bytes = [0; FOOTER_LEN];
        bytes[..4].copy_from_slice(&FOOTER_MAGIC);
        bytes[8..16].copy_from_slice(&self.records.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.bytes.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.end.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.frames_crc.to_le_bytes());
        let crc = frame_header_crc(number, self.end, &bytes[..36]);
        bytes[36..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The footer in `bytes`, if they are the one of segment `number` at `offset`.
    pub(super) fn decode(bytes: &[u8], number: u64, offset: u64) -> Option<Self> {
        if bytes.len() < FOOTER_LEN
            || bytes[..4] != FOOTER_MAGIC
            || u64_at(bytes, 24) != offset
            || u32_at(bytes, 36) != frame_header_crc(number, offset, &bytes[..36])
        {
            return None;
        }
        Some(Self {
            records: u64_at(bytes, 8),
            bytes: u64_at(bytes, 16),
            end: offset,
            frames_crc: u32_at(bytes, 32),
        })
    }
}

/// Appends a record's length: 7 bits a byte, low bits first.
pub(super) fn push_length(out: &mut Vec<u8>, mut len: usize) {
    if len < 0x80 {
        out.push(len as u8);
        return;
    }
    while len >= 0x80 {
        out.push((len & 0x7f) as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
}

/// The length at the start of `bytes` and the bytes it takes.
pub(super) fn read_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut len = 0_usize;
    for (at, &byte) in bytes.iter().take(MAX_LENGTH_LEN).enumerate() {
        len |= usize::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return (len <= MAX_RECORD_LEN).then_some((len, at + 1));
        }
    }
    None
}
