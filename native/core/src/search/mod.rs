//! The search: every ortho of a text, each once.
//!
//! Work is divided into *units*, one for each bigram: the cubes whose first edge it is (their origin, and the rarest of
//! their axes), and the orthos with a long axis whose long line starts with it. Units are independent; threads take
//! them heaviest first. [`cubes`] finds the cubes of up to four axes, which are nearly all orthos, [`five`] and [`six`] those of more; [`lines`] those with
//! an axis of three and up to two of two; [`orderly`] the rest, and all where there is no room for tables. What is found goes to an [`Emitter`](crate::results::Emitter) of each thread.
//!
//! Memory is planned before the search starts, see [`run`](self::run()): tables that do not fit are made smaller, or
//! done without.

mod cubes;
pub mod exclusion;
mod five;
mod graph;
mod ledger;
mod lines;
mod orderly;
mod plain;
mod ranked;
mod rows;
mod run;
mod scope;
mod seeded;
mod six;
mod stop;
mod turn;

pub use exclusion::Exclusion;
pub use ledger::{Copied, Ledger, Place, Progress};
pub use run::{Outcome, Search, Settings, Watch, run, run_with_sizes};
pub use scope::{Scope, Shard};
pub use stop::{Limit, Stop};

use std::sync::atomic::{AtomicU64, Ordering};

/// Sizes at which the search changes its ways; the result is the same whatever they are. Tests make them small, so
/// that small texts go every way.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Left or right ears that wait to be joined: no edge's are begun when there are more. Each takes 12 bytes, and as
    /// much again while being sorted.
    pub ears: usize,
    /// Cubes of four axes of one node that are kept to look for five, at most; the memory budget may say less. A node that
    /// has more is dealt with in slices.
    pub fours: usize,
    /// Of those, how many a thread may always keep, however many the others do.
    pub least_fours: usize,
    /// Cubes of five and more axes over one parent that are joined to those of more; beyond that the plain search does
    /// it.
    pub fives: usize,
    /// Words of 16 bytes of the table of lines between vertices; nodes that need more do without it.
    pub line_words: usize,
    /// Look for nothing but 2x2 and 2x2x2: what a database can be asked for too, for benchmarks.
    pub cubes_alone: bool,
    /// Most axes that are looked for.
    pub axes: u32,
    /// Find new cubes from new bigrams; by an estimate if nothing is said.
    pub seeded: Option<bool>,
    /// Bytes for the cubes of four axes that are kept until all around a seed is found, at most; the memory budget may say less.
    pub past: u64,
    /// Joins of layers over one long line that are kept to look for more axes; beyond that each is looked at by itself.
    pub joins: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            ears: 1 << 17,
            fours: usize::MAX,
            least_fours: 1 << 14,
            fives: 1 << 16,
            line_words: 1 << 22,
            axes: u32::MAX,
            past: u64::MAX,
            joins: 1 << 20,
            seeded: None,
            cubes_alone: false,
        }
    }
}

impl Sizes {
    /// For a thread that may hold so many bytes.
    fn within(mut self, bytes: u64) -> Self {
        self.line_words = self.line_words.min((bytes / 8 / 16) as usize);
        self.least_fours = self.least_fours.min((bytes / 8 / Pool::BYTES) as usize);
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
    /// Bytes for each cube while it is kept: as it was found (in a list that grows by an eighth), as a label, and as a line
    /// if it is the only one on its line. Sorting, which needs 16, is over when labels are made.
    const BYTES: u64 = 18 + 28 + 12;
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
