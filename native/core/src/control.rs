//! What the caller of a long piece of work and the work itself tell each other: stop, and how far it is.
//!
//! Guarantees: every method can be called from any thread at any time; a [`Progress`] is a copy that belongs to the
//! caller. Costs: [`is_cancelled`](Control::is_cancelled) and the counters are one atomic operation and may stand in
//! loops; [`progress`](Control::progress) copies what the threads of a search last published: call it some times a second.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::archive::{Optimal, Shape, ShapeCounts};
use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Error, Result};
use crate::results::Found;
use crate::search::{Limit, Stop, Watch};
use crate::text::Interner;

/// What a piece of work is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Reading the input.
    Read,
    /// Building the index of its phrases.
    Index,
    /// Copying what was found before.
    Copy,
    /// Searching for orthos.
    Search,
    /// Completing the archive.
    Write,
    /// Checking an archive.
    Verify,
}

impl Phase {
    const ALL: [Self; 6] = [Self::Read, Self::Index, Self::Copy, Self::Search, Self::Write, Self::Verify];
}

/// How far a piece of work is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// How much of the phase is done, from 0 to 1.
    pub share: f64,
    /// Orthos found, or checked.
    pub orthos: u64,
    /// Time since the work began.
    pub elapsed_seconds: f64,
    /// Orthos found by shape; may be a little behind `orthos`.
    pub shapes: ShapeCounts,
    /// The best ortho found; may be a little behind too.
    pub best: Option<Optimal>,
    /// Bytes of memory taken by the tables of the work.
    pub memory: u64,
    /// Shapes that a search for the optimum has excluded so far.
    pub excluded: Vec<Shape>,
    /// Bytes of results written; 0 while nothing is.
    pub disk: u64,
    /// Bytes free on the disk they are written to, when somebody looked last.
    pub disk_free: Option<u64>,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Control {
    clock: Arc<dyn Clock>,
    began: Duration,
    cancelled: AtomicBool,
    phase: AtomicU8,
    done: AtomicU64,
    total: AtomicU64,
    orthos: AtomicU64,
    memory: AtomicU64,
    disk: AtomicU64,
    /// `u64::MAX` until somebody has looked.
    disk_free: AtomicU64,
    stop: Stop,
    watch: Watch,
    /// What gives the best ortho its words.
    interner: Mutex<Option<Arc<Interner>>>,
    /// The best ortho and the excluded shapes of a search for the optimum, and its share.
    optimum: Mutex<(Option<Optimal>, Vec<Shape>, f64)>,
}

impl Default for Control {
    fn default() -> Self {
        Self::with_clock(Arc::new(SystemClock::default()))
    }
}

impl Control {
    /// A control whose time comes from `clock`; the work begins now.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            began: clock.now(),
            clock,
            cancelled: AtomicBool::new(false),
            phase: AtomicU8::new(0),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            orthos: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            disk: AtomicU64::new(0),
            disk_free: AtomicU64::new(u64::MAX),
            stop: Stop::default(),
            watch: Watch::default(),
            interner: Mutex::default(),
            optimum: Mutex::default(),
        }
    }

    fn interner(&self) -> MutexGuard<'_, Option<Arc<Interner>>> {
        // It is replaced whole, so a panic elsewhere leaves nothing half done.
        self.interner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.stop.request();
    }

    /// Asks a search to end early and keep what it has found.
    pub fn finish_early(&self) {
        self.stop.end_early(Limit::Stopped);
    }

    /// Whether the work has been asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// An error once the work has been asked to stop.
    ///
    /// # Errors
    /// [`Code::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::new(Code::Cancelled, "stopped as asked; nothing was left behind"));
        }
        Ok(())
    }

    /// Time since the work began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.now().saturating_sub(self.began)
    }

    /// Begins a phase of `total` equal steps; 0 if that is not known.
    pub fn enter(&self, phase: Phase, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Steps of the phase done since the last call.
    pub fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Ordering::Relaxed);
    }

    /// Orthos seen since the last call, beside those that a search counts.
    pub fn add_orthos(&self, count: u64) {
        self.orthos.fetch_add(count, Ordering::Relaxed);
    }

    /// Bytes of memory now taken by the tables of the work.
    pub fn set_memory(&self, bytes: u64) {
        self.memory.store(bytes, Ordering::Relaxed);
    }

    /// Bytes of results written so far.
    pub fn set_disk(&self, bytes: u64) {
        self.disk.store(bytes, Ordering::Relaxed);
    }

    /// Bytes free on the disk that results are written to.
    pub fn set_disk_free(&self, bytes: u64) {
        self.disk_free.store(bytes, Ordering::Relaxed);
    }

    /// What a search looks at to see whether to stop. It requests that itself when one of its threads fails.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Where a search says how far it is. The share and the orthos of [`progress`](Self::progress) come from here while it
    /// runs, the words of the best ortho from `interner`.
    #[must_use]
    pub fn watch(&self, interner: &Arc<Interner>) -> &Watch {
        *self.interner() = Some(Arc::clone(interner));
        &self.watch
    }

    /// What a search for the optimum knows by now: the best ortho, the shapes that it has excluded, and how much of the longest part is done.
    pub fn set_optimum(&self, best: Option<Optimal>, excluded: Vec<Shape>, share: f64) {
        *self.optimum.lock().unwrap_or_else(PoisonError::into_inner) = (best, excluded, share);
    }

    /// How far the work is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let phase = Phase::ALL.get(usize::from(self.phase.load(Ordering::Relaxed)));
        let phase = phase.copied().unwrap_or(Phase::Read);
        let total = self.total.load(Ordering::Relaxed);
        let done = self.done.load(Ordering::Relaxed);
        let (known, excluded, known_share) =
            self.optimum.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let share = match phase {
            Phase::Search => self.watch.share().max(known_share),
            _ if total == 0 => 0.0,
            _ => done as f64 / total as f64,
        };
        let interner = self.interner().clone();
        let found = if interner.is_some() { self.watch.found() } else { Found::default() };
        let best = found.best.zip(interner).map(|(best, interner)| Optimal::of(&best, &interner));
        Progress {
            phase,
            share: share.min(1.0),
            orthos: self.orthos.load(Ordering::Relaxed) + self.watch.orthos(),
            elapsed_seconds: self.elapsed().as_secs_f64(),
            best: best.or(known),
            shapes: found
                .tally
                .0
                .into_iter()
                .filter_map(|(dims, tally)| Some((Shape::new(dims)?, tally.count)))
                .collect(),
            memory: self.memory.load(Ordering::Relaxed),
            excluded,
            disk: self.disk.load(Ordering::Relaxed),
            disk_free: Some(self.disk_free.load(Ordering::Relaxed)).filter(|&free| free != u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Hand(AtomicU64);

    impl Clock for Hand {
        fn now(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn tells_phase_share_and_time() {
        let hand = Arc::new(Hand(AtomicU64::new(100)));
        let control = Control::with_clock(hand.clone());
        control.enter(Phase::Read, 8);
        control.advance(1);
        control.advance(1);
        control.add_orthos(7);
        hand.0.store(103, Ordering::Relaxed);
        let progress = control.progress();
        assert_eq!((progress.phase, progress.orthos), (Phase::Read, 7));
        assert_eq!((progress.share, progress.elapsed_seconds), (0.25, 3.0));
        assert_eq!((progress.disk, progress.disk_free), (0, None));
        control.enter(Phase::Write, 0);
        control.set_disk(5);
        control.set_disk_free(0);
        let progress = control.progress();
        assert_eq!((progress.share, progress.disk, progress.disk_free), (0.0, 5, Some(0)));
    }

    #[test]
    fn cancelling_stays() {
        let control = Control::default();
        assert!(control.check().is_ok());
        control.cancel();
        assert_eq!(control.check().map_err(|e| e.code()), Err(Code::Cancelled));
    }
}
