//! Which orthos were there before, by their hashes, in bounded memory.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use super::VerifyOptions;
use crate::disk::Disk;
use crate::error::Result;
use crate::seen_tracker::{MIN_MEMORY_BYTES, SeenOptions, SeenTracker};

/// A tracker in a directory of its own, removed with it.
#[derive(Debug)]
pub(super) struct Distinct {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    /// Nothing only while being dropped.
    tracker: Option<SeenTracker>,
}

impl Distinct {
    pub(super) fn open(options: &VerifyOptions, disk: &Arc<dyn Disk>) -> Result<Self> {
        let nonce = RandomState::new().build_hasher().finish();
        let directory = options.scratch.join(format!("fold-verify-{}-{nonce:016x}", std::process::id()));
        let memory = usize::try_from(options.memory).unwrap_or(usize::MAX).max(MIN_MEMORY_BYTES);
        let mut distinct = Self { directory, disk: Arc::clone(disk), tracker: None };
        let options = SeenOptions { memory_bytes: memory, disk: Arc::clone(disk) };
        distinct.tracker = Some(SeenTracker::open(&distinct.directory, options)?);
        Ok(distinct)
    }

    /// Says of each hash whether it was new.
    pub(super) fn add(&mut self, hashes: &[u128]) -> Result<Vec<bool>> {
        match &mut self.tracker {
            Some(tracker) => tracker.insert_batch(hashes),
            None => Ok(vec![true; hashes.len()]),
        }
    }
}

impl Drop for Distinct {
    fn drop(&mut self) {
        // Its files are closed first: some systems do not remove open ones.
        self.tracker = None;
        if self.disk.exists(&self.directory) {
            // A failure leaves temporary files where temporary files are looked for.
            let _ = self.disk.remove_dir_all(&self.directory);
        }
    }
}
