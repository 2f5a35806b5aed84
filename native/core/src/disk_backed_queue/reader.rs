//! Reading the frames of one segment in order, past damage.

use std::io::{self, Read, SeekFrom};
use std::path::{Path, PathBuf};

use super::format::{FOOTER_LEN, FRAME_HEADER_LEN, Footer, FrameHeader, HEADER_LEN, check_header};
use super::frame::Frame;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, Result};

/// How much is looked at in one go when searching for the next frame after damage.
const SEARCH_LEN: usize = 64 * 1024;

/// Reads frames between the header and a limit.
#[derive(Debug)]
pub(super) struct SegmentReader {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    number: u64,
    /// Where the next frame begins.
    offset: u64,
}

/// What came at the reader's position.
#[derive(Debug)]
pub(super) enum Step {
    /// A whole frame, and where it began.
    Frame(u64, Frame),
    /// Bytes that are no valid frame; the reader now stands behind them.
    Damage,
    /// The limit.
    End,
}

/// All that can be said of a segment by reading it whole.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Whether the header is good.
    pub(super) header: bool,
    /// All records and bytes that can be read.
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// Those at or after the position asked for.
    pub(super) records_left: u64,
    pub(super) bytes_left: u64,
    /// Where the last good frame ends.
    pub(super) end: u64,
    /// There is damage that an interrupted write at the end does not explain.
    pub(super) holes: bool,
    /// The footer, and whether it agrees with what was read.
    pub(super) footer: Option<Footer>,
    /// Bytes after the footer, or after the last good frame.
    pub(super) trailing: u64,
    /// CRC-32 of the good frames' headers.
    pub(super) frames_crc: u32,
}

impl SegmentReader {
    pub(super) fn open(disk: &dyn Disk, path: &Path, number: u64, offset: u64) -> Result<Self> {
        let mut file = disk.open_read(path).map_err(|cause| Error::io("opening", path, cause))?;
        file.seek(SeekFrom::Start(offset)).map_err(|cause| Error::io("reading", path, cause))?;
        Ok(Self { file, path: path.to_path_buf(), number, offset })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Where the next frame begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    fn failed(&self, cause: io::Error) -> Error {
        Error::io("reading", &self.path, cause)
    }

    fn go_to(&mut self, offset: u64) -> Result<()> {
        self.offset = offset;
        self.file.seek(SeekFrom::Start(offset)).map_err(|cause| self.failed(cause))?;
        Ok(())
    }

    /// Fills `out`, or answers that the file ends before.
    fn fill(&mut self, out: &mut [u8]) -> Result<bool> {
        match self.file.read_exact(out) {
            Ok(()) => Ok(true),
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(cause) => Err(self.failed(cause)),
        }
    }

    /// The next frame before `limit`, in `buffer`.
    pub(super) fn step(&mut self, limit: u64, mut buffer: Vec<u8>) -> Result<Step> {
        let offset = self.offset;
        if offset >= limit {
            return Ok(Step::End);
        }
        let mut raw = [0; FRAME_HEADER_LEN];
        let header = if self.fill(&mut raw)? { FrameHeader::decode(&raw, self.number, offset) } else { None };
        let Some(header) = header.filter(|h| frame_end(offset, h) <= limit) else {
            let next = self.search(offset + 1, limit)?;
            self.go_to(next)?;
            return Ok(Step::Damage);
        };
        buffer.resize(FRAME_HEADER_LEN + header.payload_len, 0);
        if self.fill(&mut buffer[FRAME_HEADER_LEN..])?
            && crc32fast::hash(&buffer[FRAME_HEADER_LEN..]) == header.payload_crc
            && let Ok(frame) = Frame::from_disk(buffer, header.records)
        {
            self.offset = frame_end(offset, &header);
            return Ok(Step::Frame(offset, frame));
        }
        // The header vouches for the length, so only this frame is lost.
        self.go_to(frame_end(offset, &header))?;
        Ok(Step::Damage)
    }

    /// The first place at or after `from` with a valid frame header, or `limit`.
    fn search(&mut self, from: u64, limit: u64) -> Result<u64> {
        let mut start = from;
        let mut chunk = vec![0; SEARCH_LEN + FRAME_HEADER_LEN];
        while start + FRAME_HEADER_LEN as u64 <= limit {
            self.go_to(start)?;
            let want = usize::try_from(limit - start).unwrap_or(usize::MAX).min(chunk.len());
            let mut have = 0;
            while have < want {
                match self.file.read(&mut chunk[have..want]) {
                    Ok(0) => break,
                    Ok(n) => have += n,
                    Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                    Err(cause) => return Err(self.failed(cause)),
                }
            }
            let window = &chunk[..have];
            let mut at = 0;
            while let Some(found) = FrameHeader::find_candidate(&window[at..]) {
                at += found;
                let offset = start + at as u64;
                if let Some(header) = FrameHeader::decode(&window[at..], self.number, offset)
                    && frame_end(offset, &header) <= limit
                {
                    return Ok(offset);
                }
                at += 1;
            }
            if have < chunk.len() {
                break;
            }
            // Headers that straddle the end of this chunk are whole in the next.
            start += SEARCH_LEN as u64;
        }
        Ok(limit)
    }

    /// Reads the whole segment. `left_from` and `skip` say from which record on they count as left.
    ///
    /// # Errors
    /// [`Code::NewerFormat`](crate::Code::NewerFormat), or a failure to read; damage is part of the answer.
    pub(super) fn scan(disk: &dyn Disk, path: &Path, number: u64, left_from: u64, skip: u64) -> Result<Scan> {
        let mut reader = Self::open(disk, path, number, 0)?;
        let len = reader.file.len().map_err(|cause| reader.failed(cause))?;
        let mut raw = [0; HEADER_LEN];
        let header = reader.fill(&mut raw)? && check_header(&raw, number, &path.display().to_string())?;
        let mut scan = Scan { header, end: HEADER_LEN as u64, ..Scan::default() };
        reader.go_to(HEADER_LEN as u64)?;
        let mut crc = crc32fast::Hasher::new();
        let mut buffer = Vec::new();
        let (mut damage, mut torn) = (false, false);
        loop {
            let offset = reader.offset;
            if let Some(footer) = reader.footer_at(offset)? {
                scan.holes |= damage;
                scan.footer = Some(footer);
                scan.trailing = len.saturating_sub(offset + FOOTER_LEN as u64);
                break;
            }
            reader.go_to(offset)?;
            match reader.step(len, buffer)? {
                Step::Frame(at, mut frame) => {
                    scan.holes |= damage;
                    scan.end = reader.offset;
                    scan.records += u64::from(frame.records());
                    scan.bytes += frame.bytes();
                    let (_, header) = frame.encode(number, at);
                    crc.update(&header);
                    if at == left_from {
                        for _ in 0..skip {
                            frame.pop();
                        }
                    }
                    if at >= left_from {
                        scan.records_left += u64::from(frame.records());
                        scan.bytes_left += frame.bytes();
                    }
                    buffer = frame.into_buffer();
                }
                Step::Damage => {
                    damage = true;
                    torn = reader.offset >= len && reader.torn_at(offset, len)?;
                    // The footer may be what follows the damaged stretch.
                    if reader.offset >= len
                        && len >= (HEADER_LEN + FOOTER_LEN) as u64
                        && offset < len - FOOTER_LEN as u64
                    {
                        let at = len - FOOTER_LEN as u64;
                        reader.offset = if reader.footer_at(at)?.is_some() { at } else { len };
                    }
                    buffer = Vec::new();
                }
                Step::End => {
                    scan.holes |= damage && !torn;
                    scan.trailing = len.saturating_sub(scan.end);
                    break;
                }
            }
        }
        scan.frames_crc = crc.finalize();
        Ok(scan)
    }

    /// Whether the bytes from `offset`, which are no valid frame, are what an interrupted write leaves: less than a
    /// frame, or zeros. Anything else may be damage to what was durable, and is not to be thrown away.
    fn torn_at(&mut self, offset: u64, len: u64) -> Result<bool> {
        self.go_to(offset)?;
        let mut raw = [0; FRAME_HEADER_LEN];
        if !self.fill(&mut raw)? {
            self.go_to(len)?;
            return Ok(true);
        }
        let torn = match FrameHeader::decode(&raw, self.number, offset) {
            Some(header) => frame_end(offset, &header) > len,
            None => {
                self.go_to(offset)?;
                let mut chunk = vec![0; SEARCH_LEN];
                loop {
                    let have = self.file.read(&mut chunk).map_err(|cause| self.failed(cause))?;
                    if chunk[..have].iter().any(|&byte| byte != 0) {
                        break false;
                    }
                    if have == 0 {
                        break true;
                    }
                }
            }
        };
        self.go_to(len)?;
        Ok(torn)
    }

    fn footer_at(&mut self, offset: u64) -> Result<Option<Footer>> {
        self.go_to(offset)?;
        let mut raw = [0; FOOTER_LEN];
        Ok(if self.fill(&mut raw)? { Footer::decode(&raw, self.number, offset) } else { None })
    }

    /// The footer of a sealed segment with a good header, without reading what is between.
    pub(super) fn sealed(disk: &dyn Disk, path: &Path, number: u64) -> Result<Option<Footer>> {
        let mut reader = Self::open(disk, path, number, 0)?;
        let len = reader.file.len().map_err(|cause| reader.failed(cause))?;
        let mut raw = [0; HEADER_LEN];
        if !reader.fill(&mut raw)? || !check_header(&raw, number, &path.display().to_string())? {
            return Ok(None);
        }
        match len.checked_sub(FOOTER_LEN as u64) {
            Some(at) if at >= HEADER_LEN as u64 => reader.footer_at(at),
            _ => Ok(None),
        }
    }
}

fn frame_end(offset: u64, header: &FrameHeader) -> u64 {
    offset + (FRAME_HEADER_LEN + header.payload_len) as u64
}
