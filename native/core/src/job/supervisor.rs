//! Looks after a search while it runs: ends it at a limit, and makes checkpoints.
//!
//! One thread that wakes some times a second. It asks for commits twice a second, which costs next to nothing and is
//! what a search that ends at a limit goes on from; and every [`SAVE`] it makes a checkpoint of what is committed.
//! Whoever is in a long step is simply not in it. Nobody waits: the records are made durable while the search goes on.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::limits::Limits;
use crate::archive::ArchiveWriter;
use crate::checkpoint::Checkpoint;
use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::results::ResultsWriter;
use crate::search::{Ledger, Limit, Scope};

/// How often a checkpoint is made.
pub(super) const SAVE: Duration = Duration::from_secs(4);
/// How often limits are looked at.
const TICK: Duration = Duration::from_millis(50);
/// How often commits are asked for, and the room on the disk.
const ASK_TICKS: u32 = 10;

/// What a checkpoint is made of.
#[derive(Debug)]
pub(super) struct Supervisor<'a> {
    pub(super) archive: &'a ArchiveWriter,
    pub(super) results: &'a ResultsWriter,
    pub(super) ledger: &'a Ledger,
    pub(super) interner_digest: [u8; 32],
    pub(super) identity: [u8; 32],
    pub(super) scope: &'a Scope,
    pub(super) bigrams: u32,
    pub(super) seeded: bool,
    pub(super) limits: Limits,
    pub(super) save_every: Duration,
    /// Held while a checkpoint is made, so that none takes the place of a later one.
    pub(super) saving: Mutex<()>,
    pub(super) control: &'a Control,
}

impl Supervisor<'_> {
    /// Runs `work` under supervision.
    pub(super) fn over<T>(&self, work: impl FnOnce() -> T) -> Result<T> {
        thread::scope(|scope| {
            let (done, ended) = channel::<()>();
            let watching = thread::Builder::new()
                .name("supervisor".to_owned())
                .spawn_scoped(scope, move || self.watch(&ended))
                .map_err(|cause| {
                    Error::new(
                        Code::Io,
                        format!("the system starts no further thread: {cause}; try again later"),
                    )
                })?;
            let result = work();
            drop(done);
            // A panic there is a defect; the search itself is whole.
            let _ = watching.join();
            Ok(result)
        })
    }

    fn watch(&self, ended: &Receiver<()>) {
        let tick = self.save_every.clamp(Duration::from_millis(1), TICK);
        let mut saved_at = self.control.elapsed();
        for ticks in 1u32.. {
            if ended.recv_timeout(tick) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            let now = self.control.elapsed();
            let stop = self.control.stop();
            let Limits { max_time, max_disk, .. } = self.limits;
            let written = self.results.bytes();
            self.control.set_disk(written);
            if max_time.is_some_and(|most| now >= most) {
                stop.end_early(Limit::MaxTime);
            }
            if max_disk.is_some_and(|most| written >= most) {
                stop.end_early(Limit::MaxDisk);
            }
            if now >= saved_at + self.save_every {
                // A full disk ends the search by itself; the checkpoint before this one stays good.
                let _ = self.save();
                saved_at = now;
            }
            if ticks.is_multiple_of(ASK_TICKS) {
                self.ledger.ask();
                if let Ok(space) = self.archive.space() {
                    self.control.set_disk_free(space.free);
                    if space.free < self.limits.reserve(space) {
                        stop.end_early(Limit::DiskReserve);
                    }
                }
            }
        }
    }

    /// Makes a checkpoint of what is committed.
    pub(super) fn save(&self) -> Result<()> {
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        self.archive.save(&self.checkpoint()?)
    }

    /// What is committed.
    pub(super) fn checkpoint(&self) -> Result<Checkpoint> {
        let (committed, progress) = self.results.snapshot(|| self.ledger.progress())?;
        let &Self { interner_digest, identity, scope, bigrams, seeded, .. } = self;
        let (scope, left_out) = (scope.clone(), vec![]);
        Ok(Checkpoint { interner_digest, identity, scope, bigrams, progress, committed, seeded, left_out })
    }
}
