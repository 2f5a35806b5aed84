//! What killed [`ArchiveWriter`](super::ArchiveWriter)s left: temporary directories whose owner is gone.
//!
//! Each writer holds a lock on a file in its directory while it lives, so a leftover is one whose lock can be taken:
//! nothing is concluded from process numbers or times. A directory without that file gets one: its writer was killed
//! before it had made it or while it removed everything, or has not come that far yet, and then begins anew under another
//! name. Where there are no locks, there are no leftovers.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::writer::{CHECKPOINT_NAME, LOCK_NAME, RESULTS_NAME, SCRATCH_NAME, temporary_name};
use crate::checkpoint::Checkpoint;
use crate::disk::{Disk, Held};
use crate::error::{Error, Result};

/// Longest checkpoint that is read: a bit for each of 2^32 bigrams, and shapes without number.
const MAX_CHECKPOINT: u64 = 1 << 30;

/// A temporary directory that nobody else has.
#[derive(Debug)]
pub struct Leftover {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    held: Option<Box<dyn Held>>,
}

impl Leftover {
    /// All that were left of writing an archive at `target`, each taken.
    ///
    /// # Errors
    /// When the directory of the target cannot be read.
    pub fn of(target: &Path, disk: &Arc<dyn Disk>) -> Result<Vec<Self>> {
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !disk.exists(parent) {
            return Ok(vec![]);
        }
        let entries = disk.list(parent).map_err(|cause| Error::io("listing", parent, cause))?;
        let name = target.file_name();
        let taken = entries.into_iter().filter_map(|directory| {
            let of = directory.file_name().and_then(temporary_name)?;
            if Some(of.as_os_str()) != name {
                return None;
            }
            let held = disk.try_lock(&directory.join(LOCK_NAME)).ok().flatten()?;
            Some(Self { directory, disk: Arc::clone(disk), held: Some(held) })
        });
        Ok(taken.collect())
    }

    /// Where its results are.
    #[must_use]
    pub fn results(&self) -> PathBuf {
        self.directory.join(RESULTS_NAME)
    }

    /// Where its temporary files are.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.directory.join(SCRATCH_NAME)
    }

    /// How far it came; nothing if that is not known, or damaged.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        let path = self.directory.join(CHECKPOINT_NAME);
        let mut file = self.disk.open_read(&path).ok()?;
        let len = file.len().ok().filter(|&len| len <= MAX_CHECKPOINT)?;
        let mut bytes = vec![0; len as usize];
        file.read_at(&mut bytes, 0).ok()?;
        Checkpoint::decode(&path.display().to_string(), &bytes).ok()
    }

    /// Removes it.
    ///
    /// # Errors
    /// When that fails.
    pub fn remove(mut self) -> Result<()> {
        if cfg!(windows) {
            // Open files are not removed there.
            self.held = None;
        }
        match self.disk.remove_dir_all(&self.directory) {
            // Its writer was only about to begin, and has removed it.
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|cause| Error::io("removing", &self.directory, cause)),
        }
    }
}
