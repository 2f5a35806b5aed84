//! How a search is asked to end: for good, or early with all it has found.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Code, Error, Result};

/// What can end a search before it has looked everywhere; what it found by then is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many orthos were found.
    MaxOrthos,
    /// So much time went by.
    MaxTime,
    /// The results take so many bytes.
    MaxDisk,
    /// So few bytes are free on the disk.
    DiskReserve,
    /// Somebody asked for what there is.
    Stopped,
}

impl Limit {
    const ALL: [Self; 5] = [Self::MaxOrthos, Self::MaxTime, Self::MaxDisk, Self::DiskReserve, Self::Stopped];

    /// The name as manifests have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MaxOrthos => "maxOrthos",
            Self::MaxTime => "maxTime",
            Self::MaxDisk => "maxDisk",
            Self::DiskReserve => "diskReserve",
            Self::Stopped => "stopped",
        }
    }
}

const CANCELLED: u8 = u8::MAX;

/// Asks all threads of a search to stop. The first limit counts; a cancellation counts more.
#[derive(Debug, Default)]
pub struct Stop(AtomicU8);

impl Stop {
    /// Asks to give up; every thread notices within milliseconds.
    pub fn request(&self) {
        self.0.store(CANCELLED, Ordering::Relaxed);
    }

    /// Asks to end early.
    pub fn end_early(&self, limit: Limit) {
        let _ = self.0.compare_exchange(0, 1 + limit as u8, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether anybody asked for either.
    #[must_use]
    #[inline]
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// The limit that ended the search, if one did and nobody cancelled it.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        Limit::ALL.get(usize::from(self.0.load(Ordering::Relaxed)).checked_sub(1)?).copied()
    }

    /// # Errors
    /// [`Code::Cancelled`] or [`Code::LimitReached`] if anybody asked.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_requested() { Err(self.error()) } else { Ok(()) }
    }

    #[cold]
    fn error(&self) -> Error {
        match self.limit() {
            Some(limit) => {
                Error::new(Code::LimitReached, format!("the search ended early: {}", limit.name()))
            }
            None => Error::new(Code::Cancelled, "the search was asked to stop"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_limit_counts_and_a_cancellation_more() {
        let stop = Stop::default();
        assert!(!stop.is_requested() && stop.check().is_ok());
        stop.end_early(Limit::MaxDisk);
        stop.end_early(Limit::MaxTime);
        assert_eq!(stop.limit(), Some(Limit::MaxDisk));
        assert_eq!(stop.check().map_err(|e| e.code()), Err(Code::LimitReached));
        stop.request();
        stop.end_early(Limit::MaxTime);
        assert_eq!(stop.limit(), None);
        assert_eq!(stop.check().map_err(|e| e.code()), Err(Code::Cancelled));
    }
}
