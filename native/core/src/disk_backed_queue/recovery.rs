//! Opening a directory: which segments there are, what a crash or damage did to them, and what is left to pop.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::format::{Footer, HEADER_LEN};
use super::head::{Found, HEAD_NAME, Head};
use super::reader::{Scan, SegmentReader};
use super::{Damage, DiskBackedQueue, QueueOptions, Segment};
use crate::disk::Disk;
use crate::error::{Code, Error, Result};

const SEGMENT_SUFFIX: &str = ".seg";
const ASIDE_SUFFIX: &str = ".corrupt";

pub(super) fn segment_name(number: u64) -> String {
    format!("{number:020}{SEGMENT_SUFFIX}")
}

/// The name a damaged file is set aside under.
pub(super) fn aside_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(ASIDE_SUFFIX);
    PathBuf::from(name)
}

pub(super) fn rename_aside(disk: &dyn Disk, path: &Path) -> Result<PathBuf> {
    let aside = aside_name(path);
    disk.rename(path, &aside).map_err(|cause| Error::io("setting aside", path, cause))?;
    Ok(aside)
}

/// The number of a segment's file, and whether it was set aside.
fn parse_name(path: &Path) -> Option<(u64, bool)> {
    let name = path.file_name()?.to_str()?;
    let (name, corrupt) = name.strip_suffix(ASIDE_SUFFIX).map_or((name, false), |name| (name, true));
    let digits = name.strip_suffix(SEGMENT_SUFFIX)?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
    Some((digits.parse().ok()?, corrupt))
}

pub(super) fn open(directory: &Path, options: QueueOptions, read_only: bool) -> Result<DiskBackedQueue> {
    if options.segment_bytes < 1 || options.buffer_bytes < 1 {
        return Err(Error::new(
            Code::InvalidArgument,
            "segment_bytes and buffer_bytes of a queue must be at least 1",
        ));
    }
    let disk = &*options.disk;
    if read_only && !disk.exists(directory) {
        return Err(Error::new(Code::InputNotFound, format!("there is no queue at {}", directory.display())));
    }
    let mut recovery = Recovery { disk, directory, read_only, damage: Vec::new(), changed: false };
    if !read_only && !disk.exists(directory) {
        disk.create_dir_all(directory).map_err(|cause| Error::io("creating", directory, cause))?;
        if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            disk.sync_dir(parent).map_err(|cause| Error::io("making durable", parent, cause))?;
        }
    }
    let files = recovery.files()?;
    let head = recovery.head(files.keys().next().copied())?;
    let mut next_number = files.keys().next_back().map_or(head.segment, |last| (last + 1).max(head.segment));
    next_number = next_number.max(head.closed_next);
    let last = files.keys().next_back().copied();
    let mut segments = VecDeque::new();
    let mut consumed = Vec::new();
    let mut expected = head.segment;
    for (&number, (path, corrupt)) in &files {
        if number < head.segment {
            if !corrupt {
                consumed.push(path.clone());
            }
            continue;
        }
        if number < head.closed_next {
            recovery.missing(expected..number)?;
        }
        expected = number + 1;
        if let Some(segment) = recovery.segment(number, path, *corrupt, &head, Some(number) == last)? {
            segments.push_back(segment);
        }
    }
    recovery.missing(expected..head.closed_next)?;
    if read_only && head.closed_next == 0 {
        return Err(Error::new(
            Code::Damaged,
            format!(
                "{} was not closed properly: its end may be missing",
                directory.join(HEAD_NAME).display()
            ),
        ));
    }
    let (damage, directory_unsynced) = (recovery.damage, recovery.changed);
    let position = match segments.front().map(|first: &Segment| first.number) {
        Some(first) if first == head.segment => Head { closed_next: 0, ..head },
        Some(first) => Head::at_start(first),
        None => Head::at_start(next_number),
    };
    let mut queue = DiskBackedQueue {
        directory: directory.to_path_buf(),
        read_only,
        closed: false,
        records: segments.iter().map(|segment| segment.records).sum(),
        bytes: segments.iter().map(|segment| segment.bytes).sum(),
        segments,
        writer: None,
        next_number,
        reader: None,
        front: None,
        waiting: VecDeque::new(),
        waiting_bytes: 0,
        spare: Vec::new(),
        position,
        durable: head,
        consumed: Vec::new(),
        directory_unsynced,
        damage,
        options,
    };
    if !read_only {
        queue.sync_directory()?;
        for path in consumed {
            // Their pops are durable already; a failure leaves them for the next time.
            let _ = queue.options.disk.remove_file(&path);
        }
    }
    Ok(queue)
}

struct Recovery<'a> {
    disk: &'a dyn Disk,
    directory: &'a Path,
    read_only: bool,
    damage: Vec<Damage>,
    /// The directory was changed and must be made durable.
    changed: bool,
}

impl Recovery<'_> {
    fn files(&self) -> Result<BTreeMap<u64, (PathBuf, bool)>> {
        let entries =
            self.disk.list(self.directory).map_err(|cause| Error::io("listing", self.directory, cause))?;
        let mut files = BTreeMap::new();
        for path in entries {
            if let Some((number, corrupt)) = parse_name(&path) {
                // Sorted by name, so a healthy file comes first and is the one that counts.
                files.entry(number).or_insert((path, corrupt));
            }
        }
        Ok(files)
    }

    fn damaged(&mut self, file: PathBuf, what: &str, lost_records: Option<u64>) -> Result<()> {
        if self.read_only {
            return Err(Error::new(Code::Damaged, format!("{}: {what}", file.display())));
        }
        self.damage.push(Damage { file, what: what.to_owned(), lost_records });
        Ok(())
    }

    fn missing(&mut self, numbers: std::ops::Range<u64>) -> Result<()> {
        for number in numbers {
            self.damaged(self.directory.join(segment_name(number)), "the segment is missing", None)?;
        }
        Ok(())
    }

    fn head(&mut self, first: Option<u64>) -> Result<Head> {
        match Head::read(self.disk, self.directory)? {
            Found::Good(head) => Ok(head),
            Found::Missing => Ok(Head::at_start(first.unwrap_or(1))),
            Found::Damaged => {
                let path = self.directory.join(HEAD_NAME);
                let what = "both copies of the position are damaged; records popped before may come again";
                self.damaged(aside_name(&path), what, None)?;
                rename_aside(self.disk, &path)?;
                self.changed = true;
                Ok(Head::at_start(first.unwrap_or(1)))
            }
        }
    }

    /// What is left in one segment, put in order if need be; `None` if it holds nothing.
    fn segment(
        &mut self,
        number: u64,
        path: &Path,
        corrupt: bool,
        head: &Head,
        last: bool,
    ) -> Result<Option<Segment>> {
        let first = number == head.segment;
        let (popped_records, popped_bytes) =
            if first { (head.popped_records, head.popped_bytes) } else { (0, 0) };
        let whole = |path: &Path, limit, records, bytes, corrupt| {
            Ok(Some(Segment { number, path: path.to_path_buf(), limit, records, bytes, corrupt }))
        };
        if !corrupt && let Some(footer) = SegmentReader::sealed(self.disk, path, number)? {
            let (Some(records), Some(bytes)) =
                (footer.records.checked_sub(popped_records), footer.bytes.checked_sub(popped_bytes))
            else {
                self.damaged(
                    path.to_path_buf(),
                    "the head file claims more records than the segment has",
                    None,
                )?;
                return Ok(None);
            };
            return whole(path, footer.end, records, bytes, false);
        }
        let (from, skip) = if first { (head.offset, head.skip) } else { (0, 0) };
        let scan = SegmentReader::scan(self.disk, path, number, from, skip)?;
        if corrupt {
            self.damaged(
                path.to_path_buf(),
                "the segment was set aside before; what is valid in it is read",
                None,
            )?;
            return whole(path, scan.end, scan.records_left, scan.bytes_left, true);
        }
        let torn = last && !scan.holes && (scan.header || scan.records + scan.trailing == 0);
        if self.read_only {
            self.damaged(
                path.to_path_buf(),
                "the segment is cut short or its footer or header is damaged",
                None,
            )?;
        } else if torn || scan.header && !scan.holes && scan.footer.is_some() {
            if scan.records == 0 {
                self.disk.remove_file(path).map_err(|cause| Error::io("removing", path, cause))?;
                self.changed = true;
                return Ok(None);
            }
            self.cut_back(path, number, &scan)?;
            return whole(path, scan.end, scan.records_left, scan.bytes_left, false);
        }
        let aside = rename_aside(self.disk, path)?;
        self.changed = true;
        let lost = scan.footer.map(|footer| footer.records.saturating_sub(scan.records));
        self.damaged(
            aside.clone(),
            "the segment is damaged and was set aside; what is valid in it is read",
            lost,
        )?;
        whole(&aside, scan.end, scan.records_left, scan.bytes_left, true)
    }

    /// Ends a segment behind its last good frame.
    fn cut_back(&self, path: &Path, number: u64, scan: &Scan) -> Result<()> {
        let footer =
            Footer { records: scan.records, bytes: scan.bytes, end: scan.end, frames_crc: scan.frames_crc };
        debug_assert!(scan.end >= HEADER_LEN as u64);
        self.disk
            .open(path)
            .and_then(|mut file| {
                file.set_len(scan.end)?;
                file.seek(SeekFrom::Start(scan.end))?;
                file.write_all(&footer.encode(number))?;
                file.sync()
            })
            .map_err(|cause| Error::io("cutting back", path, cause))
    }
}
