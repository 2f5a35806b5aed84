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
mod five;
mod graph;
mod lines;
mod orderly;
mod rows;
mod run;

pub use run::{Settings, Watch, run, run_with_limits};

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Code, Error, Result};

/// Sizes at which the search changes its ways; the result is the same whatever they are. Tests make them small, so
/// that small texts go every way.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Left or right ears that wait to be joined: no edge's are begun when there are more. Each takes 12 bytes, and as
    /// much again while being sorted.
    pub ears: usize,
    /// Cubes of four axes of one node that are kept to look for five, at most; the memory budget may say less.
    pub fours: usize,
    /// Cubes of five axes of one node that are kept to look for six; beyond that each is looked at by itself.
    pub fives: usize,
    /// Words of the table of lines between vertices; nodes that need more are left to the plain search.
    pub line_words: usize,
    /// Joins of layers over one long line that are kept to look for more axes; beyond that each is looked at by itself.
    pub joins: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { ears: 1 << 17, fours: usize::MAX, fives: 1 << 16, line_words: 1 << 22, joins: 1 << 16 }
    }
}

impl Limits {
    /// For a thread that may hold so many bytes.
    fn within(mut self, bytes: u64) -> Self {
        self.fours = self.fours.min((bytes / 4 / 64) as usize);
        self
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
