//! How many orthos may still be taken, by all threads together.

use std::sync::atomic::{AtomicU64, Ordering};

/// See the [module](self).
#[derive(Debug)]
pub struct Allowance(AtomicU64);

impl Allowance {
    /// So many.
    #[must_use]
    pub fn new(orthos: u64) -> Self {
        Self(AtomicU64::new(orthos))
    }

    /// Takes at most so many, and says how many.
    pub(super) fn take(&self, wanted: u64) -> u64 {
        let before = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(wanted)));
        wanted.min(before.unwrap_or(0))
    }
}
