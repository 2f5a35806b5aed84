//! The queues that a search writes to: one for each shape, opened when its first record comes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::kind;
use super::varint::put;
use crate::disk::Disk;
use crate::disk_backed_queue::{DiskBackedQueue, QueueOptions};
use crate::error::{Error, Result};
use crate::ortho::{Dims, shape_name};

/// What is known of the queues: those that are open, and the table that the last record of each uses.
#[derive(Debug, Default)]
struct Queues {
    open: BTreeMap<Dims, DiskBackedQueue>,
    tables: BTreeMap<Dims, u32>,
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
const OPEN_QUEUES: usize = 64;

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

    /// Appends a record, whose ranks are those of a table, to the queue of a canonical shape.
    pub(super) fn push(&self, dims: &[u32], table: u32, record: &[u8]) -> Result<()> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let Queues { open, tables } = &mut *queues;
        if !open.contains_key(dims) {
            if open.len() >= OPEN_QUEUES {
                close_all(std::mem::take(open))?;
            }
            let directory = self.directory.join(shape_name(dims));
            open.insert(dims.to_vec(), DiskBackedQueue::open(&directory, self.options.clone())?);
        }
        let Some(queue) = open.get_mut(dims) else { return Ok(()) };
        if tables.get(dims).copied().unwrap_or(0) != table {
            let mut named = vec![kind::TABLE];
            put(&mut named, table);
            queue.push(&named)?;
            self.bytes.fetch_add(named.len() as u64, Ordering::Relaxed);
            tables.insert(dims.to_vec(), table);
        }
        queue.push(record)?;
        self.bytes.fetch_add(record.len() as u64, Ordering::Relaxed);
        Ok(())
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
