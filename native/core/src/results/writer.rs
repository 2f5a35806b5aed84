//! The queues that a search writes to: one for each shape, opened when its first record comes.
//!
//! Every thread writes on a [`Lane`] of its own and commits it when its records up to here are to be kept if the search is
//! killed. A [snapshot](ResultsWriter::snapshot) says, at any moment and without waiting for any thread, which
//! records those are: how many each queue has, less those that some lane has not committed yet.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::kind;
use super::varint::put;
use crate::disk::Disk;
use crate::disk_backed_queue::{DiskBackedQueue, QueueFile, QueueOptions};
use crate::error::{Error, Result};
use crate::ortho::{Dims, shape_name};

/// Who writes: what it pushed is committed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane(usize);

/// Records of one queue that are to be kept: the first `records`, less those in `skipped`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The number of records in the queue.
    pub records: u64,
    /// Ascending and disjoint.
    pub skipped: Vec<Range<u64>>,
    /// Records that name the table of those after them: their numbers, ascending, and the tables. Before the first it is
    /// table 0.
    pub tables: Vec<(u64, u32)>,
}

impl Kept {
    /// The table of a record that names none itself.
    #[must_use]
    pub fn table_of(&self, record: u64) -> u32 {
        let after = self.tables.partition_point(|&(named, _)| named <= record);
        after.checked_sub(1).and_then(|last| self.tables.get(last)).map_or(0, |&(_, table)| table)
    }
}

/// The records to be kept, by shape.
pub type Committed = BTreeMap<Dims, Kept>;

#[derive(Debug, Default)]
struct Queues {
    open: BTreeMap<Dims, DiskBackedQueue>,
    /// Records in each queue, open or not; and at the last snapshot.
    records: BTreeMap<Dims, u64>,
    flushed: BTreeMap<Dims, u64>,
    /// For each lane the records that it has not committed.
    lanes: Vec<BTreeMap<Dims, Vec<Range<u64>>>>,
    /// As in [`Kept`].
    tables: BTreeMap<Dims, Vec<(u64, u32)>>,
}

/// Writes records from any number of threads into `results/<shape>/`.
#[derive(Debug)]
pub struct ResultsWriter {
    directory: PathBuf,
    options: QueueOptions,
    queues: Mutex<Queues>,
    bytes: AtomicU64,
}

/// No more queues than this are open at once, so that a text with thousands of shapes does not run out of files.
pub const OPEN_QUEUES: usize = 64;

impl ResultsWriter {
    /// Makes the directory that will hold a queue for each shape. `buffer_bytes` bounds what each queue keeps in
    /// memory.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn create(directory: &Path, buffer_bytes: usize, disk: Arc<dyn Disk>) -> Result<Self> {
        disk.create_dir_all(directory).map_err(|cause| Error::io("making directory", directory, cause))?;
        let options = QueueOptions { buffer_bytes, disk, ..QueueOptions::default() };
        Ok(Self {
            directory: directory.to_owned(),
            options,
            queues: Mutex::default(),
            bytes: AtomicU64::new(0),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more writer.
    #[must_use]
    pub fn lane(&self) -> Lane {
        let mut queues = self.lock();
        queues.lanes.push(BTreeMap::new());
        Lane(queues.lanes.len() - 1)
    }

    /// Appends a record, whose ranks are those of a table, to the queue of a canonical shape.
    ///
    /// # Errors
    /// When the queue cannot be opened or written.
    pub fn push(&self, lane: Lane, dims: &[u32], table: u32, record: &[u8]) -> Result<()> {
        let mut queues = self.lock();
        let Queues { open, records, tables, lanes, .. } = &mut *queues;
        if !open.contains_key(dims) {
            if open.len() >= OPEN_QUEUES {
                close_all(std::mem::take(open))?;
            }
            let directory = self.directory.join(shape_name(dims));
            open.insert(dims.to_vec(), DiskBackedQueue::open(&directory, self.options.clone())?);
        }
        let Some(queue) = open.get_mut(dims) else { return Ok(()) };
        if !records.contains_key(dims) {
            records.insert(dims.to_vec(), 0);
        }
        let Some(count) = records.get_mut(dims) else { return Ok(()) };
        let last = tables.get(dims).and_then(|tables| tables.last());
        if last.map_or(0, |&(_, table)| table) != table {
            let mut named = vec![kind::TABLE];
            put(&mut named, table);
            queue.push(&named)?;
            // It holds nothing, and what comes after it on any lane needs it: committed at once.
            tables.entry(dims.to_vec()).or_default().push((*count, table));
            *count += 1;
            self.bytes.fetch_add(named.len() as u64, Ordering::Relaxed);
        }
        queue.push(record)?;
        self.bytes.fetch_add(record.len() as u64, Ordering::Relaxed);
        let uncommitted = &mut lanes[lane.0];
        let ranges = if let Some(ranges) = uncommitted.get_mut(dims) {
            ranges
        } else {
            uncommitted.entry(dims.to_vec()).or_default()
        };
        match ranges.last_mut() {
            Some(last) if last.end == *count => last.end += 1,
            _ => ranges.push(*count..*count + 1),
        }
        *count += 1;
        Ok(())
    }

    /// Takes over whole files of another queue of results of a canonical shape by giving them a second name, and with them
    /// what they say of tables. Nothing was pushed to the shape before. Gives how many files it took: fewer where the
    /// file system does not do that.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn adopt(&self, dims: &Dims, files: &[QueueFile], kept: &Kept) -> Result<usize> {
        let directory = self.directory.join(shape_name(dims));
        let disk = &self.options.disk;
        let made = disk.create_dir_all(&directory);
        made.map_err(|cause| Error::io("making directory", &directory, cause))?;
        let (mut count, mut bytes, mut taken) = (0, 0, 0);
        for file in files {
            let Some(name) = file.path.file_name() else { break };
            if disk.link(&file.path, &directory.join(name)).is_err() {
                break;
            }
            count += file.records;
            bytes += file.bytes;
            taken += 1;
        }
        if taken == 0 {
            let removed = disk.remove_dir_all(&directory);
            removed.map_err(|cause| Error::io("removing", &directory, cause))?;
        } else {
            // Nothing may be pushed to it any more, and then this is what ends it properly.
            DiskBackedQueue::open(&directory, self.options.clone())?.close()?;
            let mut queues = self.lock();
            queues.records.insert(dims.clone(), count);
            let tables: Vec<(u64, u32)> =
                kept.tables.iter().copied().take_while(|&(named, _)| named < count).collect();
            queues.tables.insert(dims.clone(), tables);
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(taken)
    }

    /// All that was pushed on a lane is to be kept; `also` happens at the same moment as far as snapshots can tell.
    pub fn commit(&self, lane: Lane, also: impl FnOnce()) {
        let mut queues = self.lock();
        queues.lanes[lane.0].clear();
        also();
    }

    /// Which records are committed, and what `also` gives at the same moment. They are with the operating system
    /// afterwards, and durable as soon as the disk makes them so.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn snapshot<T>(&self, also: impl FnOnce() -> T) -> Result<(Committed, T)> {
        let mut queues = self.lock();
        let Queues { open, records, flushed, .. } = &mut *queues;
        for (dims, queue) in open {
            if records.get(dims) != flushed.get(dims) {
                queue.flush()?;
            }
        }
        flushed.clone_from(records);
        let kept = |dims: &Dims, records: u64| {
            let mut skipped: Vec<Range<u64>> =
                queues.lanes.iter().filter_map(|lane| lane.get(dims)).flatten().cloned().collect();
            skipped.sort_by_key(|range| range.start);
            Kept { records, skipped, tables: queues.tables.get(dims).cloned().unwrap_or_default() }
        };
        let committed = queues.records.iter().map(|(dims, &n)| (dims.clone(), kept(dims, n))).collect();
        Ok((committed, also()))
    }

    /// Bytes of records written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Seals and closes every queue; all is durable afterwards.
    ///
    /// # Errors
    /// The first failure to write.
    pub fn close(self) -> Result<()> {
        close_all(self.queues.into_inner().unwrap_or_else(PoisonError::into_inner).open)
    }
}

fn close_all(queues: BTreeMap<Dims, DiskBackedQueue>) -> Result<()> {
    for mut queue in queues.into_values() {
        queue.close()?;
    }
    Ok(())
}
