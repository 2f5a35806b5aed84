//! What all parts of the work share: when to stop, how much memory there is, and the threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::search::Stop;

/// Why a part of the work has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// It was asked to stop.
    Stopped,
    /// Its lists would take more memory than there is.
    Memory,
    /// It would take hours.
    Effort,
    /// A thread died.
    Failed,
}

/// Gives the numbers of what there is to do, until there is no more.
pub(crate) type Next<'a> = &'a mut dyn FnMut() -> Option<usize>;

/// See the [module](self).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) stop: &'a Stop,
    pub(crate) threads: usize,
    /// Bytes that lists may take.
    pub(crate) memory: u64,
}

impl Work<'_> {
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Halt> {
        if self.stop.is_requested() { Err(Halt::Stopped) } else { Ok(()) }
    }

    /// An error if so many entries of so many bytes are too many for one of the lists there may be.
    #[inline]
    pub(crate) fn check_room(&self, entries: usize, bytes: usize) -> Result<(), Halt> {
        if (entries * bytes) as u64 > self.memory / 4 { Err(Halt::Memory) } else { Ok(()) }
    }

    /// Divides the numbers below `count` among the threads. Each thread runs `part` once, which asks for numbers until
    /// there are no more.
    pub(crate) fn divide<T: Send>(
        &self,
        count: usize,
        part: &(dyn Fn(Next<'_>) -> Result<T, Halt> + Sync),
    ) -> Result<Vec<T>, Halt> {
        let taken = AtomicUsize::new(0);
        let one = || {
            part(&mut || {
                let number = taken.fetch_add(1, Ordering::Relaxed);
                (number < count).then_some(number)
            })
        };
        let threads = self.threads.min(count).max(1);
        if threads == 1 {
            return Ok(vec![one()?]);
        }
        thread::scope(|scope| {
            let handles: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            handles.into_iter().map(|handle| handle.join().unwrap_or(Err(Halt::Failed))).collect()
        })
    }
}
