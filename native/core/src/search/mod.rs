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

pub use run::{Settings, Watch, run};

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Code, Error, Result};

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
