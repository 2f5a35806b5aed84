//! What a search may use up, and which part of it is to be done.

use std::time::Duration;

use crate::disk::Space;
use crate::search;

/// Limits that end a search early; it keeps what it has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// So many orthos are found, and not one more.
    pub max_orthos: Option<u64>,
    /// So much time may go by, from the beginning of the work.
    pub max_time: Option<Duration>,
    /// So many bytes the results may take; it is looked at some times a second.
    pub max_disk: Option<u64>,
    /// So many bytes stay free on the disk. Otherwise 512 MiB, or a twentieth of the disk if that is less.
    pub disk_reserve: Option<u64>,
    /// Only orthos with so many axes are looked for.
    pub max_dims: Option<u32>,
}

const RESERVE: u64 = 512 << 20;

impl Limits {
    /// Bytes to be left free on such a disk.
    pub(crate) fn reserve(&self, space: Space) -> u64 {
        self.disk_reserve.unwrap_or_else(|| RESERVE.min(space.total / 20))
    }

    /// What a limit was set to, as manifests have it.
    pub(super) fn value(&self, limit: search::Limit, space: Option<Space>) -> u64 {
        match limit {
            search::Limit::MaxOrthos => self.max_orthos.unwrap_or(0),
            search::Limit::MaxTime => self.max_time.map_or(0, |time| time.as_secs()),
            search::Limit::MaxDisk => self.max_disk.unwrap_or(0),
            search::Limit::DiskReserve => space.map_or(0, |space| self.reserve(space)),
            search::Limit::Stopped => 0,
        }
    }
}
