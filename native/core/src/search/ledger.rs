//! Which work of a search is done: what a checkpoint has to know to go on from.
//!
//! Work is counted in *units* (bigrams, by their number in the index) and *steps* of a unit: one for each second edge,
//! in descending order of rank, then one for each third word of a long line. Numbers and order depend on the text
//! alone, so a search may go on with other memory, threads or machine than it began with.
//!
//! Each thread keeps its own account and *commits* it now and then, when everything it found is with the
//! [`ResultsWriter`]. Commits and [snapshots](ResultsWriter::snapshot) take turns under the writer's lock, so a
//! progress always goes with records: what it calls done is in the committed records, and nothing else is.
//!
//! What a merge copies from its archives beside the search is kept in the same ledger, see [`Copied`].
//!
//! Memory: a bit for each bigram.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::digest::SetTally;
use crate::error::Result;
use crate::results::{Emitter, Found, ResultsWriter};
use crate::text::Bits;

/// What is done, and what was found in it.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Units that are done, by number.
    pub done: Bits,
    /// Units that were begun: how many of their steps are done.
    pub begun: BTreeMap<u32, u32>,
    /// What the records of all that hold.
    pub found: Found,
    /// What was copied besides.
    pub copied: Copied,
}

/// A place among the records of the archives of a merge, whose files are counted in the order in which it takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Files that are done.
    pub files: u64,
    /// Records of the next file that are done: those that hold orthos.
    pub records: u64,
    /// The table in force at the beginning of that file.
    pub table: u32,
}

/// How far a merge has come with the records of its archives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Copied {
    /// All before this is done.
    pub place: Place,
    /// What is known to be in the [`SeenTracker`](crate::seen_tracker::SeenTracker): at least all that the merge shows it before this place.
    pub seen: Place,
    /// How many fingerprints are in it at least.
    pub fingerprints: u64,
    /// What came of the archives that are done.
    pub found: Found,
    /// What was left out of the archive that is being copied.
    pub removed: SetTally,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Ledger {
    progress: Mutex<Progress>,
    /// How often commits were asked for.
    asked: AtomicU32,
    /// Commit after every step.
    eager: bool,
}

impl Ledger {
    /// For a text with so many bigrams, of which nothing is done.
    #[must_use]
    pub fn new(bigrams: u32) -> Self {
        Self::from(Progress { done: Bits::new(bigrams as usize), ..Progress::default() })
    }

    /// Goes on from a progress.
    #[must_use]
    pub fn from(progress: Progress) -> Self {
        Self { progress: Mutex::new(progress), asked: AtomicU32::new(0), eager: false }
    }

    /// Every thread commits after every step, unasked: for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn eager(mut self) -> Self {
        self.eager = true;
        self
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        // Nothing in it can fail half way.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was committed. Goes with records only inside [`ResultsWriter::snapshot`].
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.lock().clone()
    }

    /// Says how far the copying has come: inside [`ResultsWriter::commit`].
    pub(crate) fn copied(&self, copied: &Copied) {
        self.lock().copied.clone_from(copied);
    }

    /// Whether a commit was asked for since `answered`, which is brought up to date.
    #[inline]
    pub(crate) fn asks(&self, answered: &mut u32) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        std::mem::replace(answered, asked) != asked || self.eager
    }

    /// Whether every step is committed, unasked.
    pub(crate) fn is_eager(&self) -> bool {
        self.eager
    }

    /// Asks every thread to commit after its current step.
    pub fn ask(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    fn begun(&self, unit: u32) -> Option<u32> {
        let progress = self.lock();
        if progress.done.get(unit as usize) {
            return None;
        }
        Some(progress.begun.get(&unit).copied().unwrap_or(0))
    }
}

/// After so many units there is a commit, asked for or not, so that the list of them stays short.
const FINISHED: usize = 1 << 14;

/// The account of one thread.
#[derive(Debug)]
pub(super) struct Account<'a> {
    ledger: &'a Ledger,
    writer: &'a ResultsWriter,
    answered: u32,
    /// Units finished since the last commit.
    finished: Vec<u32>,
    committed: Found,
}

impl<'a> Account<'a> {
    pub(super) fn new(ledger: &'a Ledger, writer: &'a ResultsWriter) -> Self {
        let answered = ledger.asked.load(Ordering::Relaxed);
        Self { ledger, writer, answered, finished: vec![], committed: Found::default() }
    }

    /// Steps of a unit that were done before; `None` if all were.
    pub(super) fn begun(&self, unit: u32) -> Option<u32> {
        self.ledger.begun(unit)
    }

    /// So many steps of a unit are done: commits if that was asked for.
    #[inline]
    pub(super) fn step(&mut self, unit: u32, steps: u32, out: &mut Emitter<'_>) -> Result<()> {
        if self.ledger.asks(&mut self.answered) { self.commit(Some((unit, steps)), out) } else { Ok(()) }
    }

    /// A whole unit is done.
    pub(super) fn finish(&mut self, unit: u32, out: &mut Emitter<'_>) -> Result<()> {
        self.finished.push(unit);
        if self.finished.len() < FINISHED { Ok(()) } else { self.commit(None, out) }
    }

    /// Everything since the last commit is done, and `begun` of a further unit.
    pub(super) fn commit(&mut self, begun: Option<(u32, u32)>, out: &mut Emitter<'_>) -> Result<()> {
        out.flush()?;
        let found = out.found();
        let news = found.since(&self.committed);
        self.committed = found;
        self.writer.commit(out.lane(), || {
            let mut progress = self.ledger.lock();
            for unit in self.finished.drain(..) {
                progress.done.set(unit as usize);
                progress.begun.remove(&unit);
            }
            if let Some((unit, steps)) = begun {
                progress.begun.insert(unit, steps);
            }
            progress.found.merge(news);
        });
        Ok(())
    }
}
