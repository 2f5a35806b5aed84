//! The queues that a search writes to: one for each shape, opened when its first record comes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk::Disk;
use crate::disk_backed_queue::{DiskBackedQueue, QueueOptions};
use crate::error::{Error, Result};
use crate::ortho::{Dims, shape_name};

type Queues = BTreeMap<Dims, DiskBackedQueue>;

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

    /// Appends a record to the queue of a canonical shape.
    pub(super) fn push(&self, dims: &[u32], record: &[u8]) -> Result<()> {
        self.bytes.fetch_add(record.len() as u64, Ordering::Relaxed);
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get_mut(dims) {
            return queue.push(record);
        }
        if queues.len() >= OPEN_QUEUES {
            close_all(std::mem::take(&mut *queues))?;
        }
        let directory = self.directory.join(shape_name(dims));
        let mut queue = DiskBackedQueue::open(&directory, self.options.clone())?;
        queue.push(record)?;
        queues.insert(dims.to_vec(), queue);
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
        close_all(self.queues.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

fn close_all(queues: Queues) -> Result<()> {
    for mut queue in queues.into_values() {
        queue.close()?;
    }
    Ok(())
}
