//! The search: every ortho of a text, each once.
//!
//! Work is divided into *units*, one for each bigram: the cubes whose first edge it is (their origin, and the rarest of
//! their axes), and the orthos with a long axis whose long line starts with it. Units are independent; threads take
//! them heaviest first. [`cubes`] finds the cubes of up to five axes, which are nearly all orthos; [`lines`] those with
//! an axis of three and up to two of two; [`orderly`] the rest, and all where there is no room for tables. What is found goes to an [`Emitter`](crate::results::Emitter) of each thread.
//!
//! Memory is planned before the search starts, see [`run`](self::run()): tables that do not fit are made smaller, or
//! done without.

mod cubes;
pub mod exclusion;
mod five;
mod graph;
mod lines;
mod orderly;
mod rows;
mod run;
mod scope;

pub use exclusion::Exclusion;
pub use run::{Settings, Watch, run, run_with_sizes};
pub use scope::Shard;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Code, Error, Result};

/// Sizes at which the search changes its ways; the result is the same whatever they are. Tests make them small, so
/// that small texts go every way.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Left or right ears that wait to be joined: no edge's are begun when there are more. Each takes 12 bytes, and as
    /// much again while being sorted.
    pub ears: usize,
    /// Cubes of four axes of one node that are kept to look for five, at most; the memory budget may say less.
    pub fours: usize,
    /// Cubes of five and more axes over one parent that are joined to those of more; beyond that the plain search does
    /// it.
    pub fives: usize,
    /// Words of 16 bytes of the table of lines between vertices; nodes that need more are left to the plain search.
    pub line_words: usize,
    /// Look for nothing but 2x2 and 2x2x2: what a database can be asked for too, for benchmarks.
    pub cubes_alone: bool,
    /// Joins of layers over one long line that are kept to look for more axes; beyond that each is looked at by itself.
    pub joins: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            ears: 1 << 17,
            fours: usize::MAX,
            fives: 1 << 16,
            line_words: 1 << 22,
            joins: 1 << 20,
            cubes_alone: false,
        }
    }
}

impl Sizes {
    /// For a thread that may hold so many bytes.
    fn within(mut self, bytes: u64) -> Self {
        self.line_words = self.line_words.min((bytes / 4 / 16) as usize);
        self.ears = self.ears.min((bytes / 8 / 48) as usize).max(1);
        self.joins = self.joins.min((bytes / 8 / 24) as usize).max(1);
        self
    }
}

/// Cubes of four axes that all threads together may still keep. Few nodes have many, so what one thread does not need
/// another may use.
#[derive(Debug)]
struct Pool(AtomicU64);

impl Pool {
    /// Bytes for each cube while it is kept: as it was found (in a list that grows by doubling), sorted, and as a label.
    const BYTES: u64 = 2 * 16 + 16 + 28;
    /// How many are taken at once.
    const CHUNK: usize = 1 << 14;

    fn new(bytes: u64) -> Self {
        Self(AtomicU64::new(bytes / Self::BYTES))
    }

    /// Takes a chunk, if there is one.
    fn take(&self) -> bool {
        let chunk = Self::CHUNK as u64;
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(chunk)).is_ok()
    }

    fn give_back(&self, cubes: usize) {
        self.0.fetch_add(cubes as u64, Ordering::Relaxed);
    }
}

/// Asks all threads of a search to stop.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Asks; every thread notices within milliseconds.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether anybody asked.
    #[must_use]
    #[inline]
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`Code::Cancelled`] if anybody asked.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_requested() {
            Err(Error::new(Code::Cancelled, "the search was asked to stop"))
        } else {
            Ok(())
        }
    }
}
