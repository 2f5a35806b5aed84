//! Where the time comes from, so that a test can say what time it is.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// A clock that never goes backwards.
pub trait Clock: Send + Sync + Debug {
    /// The time since some fixed moment.
    fn now(&self) -> Duration;
}

/// The clock of the operating system, from the moment this was made.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
