//! Memory in pieces of one size.
//!
//! Cached shards and filters come and go at different times. As both consist of pieces of one size, what one gives back
//! the other can take, and the process does not grow by what lies unused between allocations of many sizes.

use std::ops::Range;

use super::bloom::Line;

/// Bytes of a piece.
const PIECE_LEN: usize = 4096;
const KEYS: usize = PIECE_LEN / size_of::<u128>();
const LINES: usize = PIECE_LEN / size_of::<Line>();

/// The fingerprints of one shard of a run, in ascending order.
#[derive(Debug)]
pub(super) struct Shard {
    pieces: Vec<Box<[u128; KEYS]>>,
    len: usize,
}

impl Shard {
    /// An empty one, with the list of pieces for `capacity` fingerprints.
    pub(super) fn new(capacity: usize) -> Self {
        Self { pieces: Vec::with_capacity(capacity.div_ceil(KEYS)), len: 0 }
    }

    /// The memory that `len` fingerprints take.
    pub(super) fn memory_for(len: u64) -> usize {
        (len as usize).div_ceil(KEYS) * (PIECE_LEN + size_of::<usize>() * 3)
    }

    pub(super) fn memory(&self) -> usize {
        Self::memory_for(self.len as u64)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, fingerprint: u128) {
        if self.len.is_multiple_of(KEYS) {
            self.pieces.push(Box::new([0; KEYS]));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece[self.len % KEYS] = fingerprint;
        }
        self.len += 1;
    }

    /// `at` is below the length.
    fn get(&self, at: usize) -> u128 {
        self.pieces[at / KEYS][at % KEYS]
    }

    /// Brings these places into the processor's cache, all at once. They are below the length.
    pub(super) fn warm(&self, places: impl Iterator<Item = usize>) {
        std::hint::black_box(places.fold(0, |sum, at| sum ^ self.get(at) as u64));
    }

    /// Whether `wanted` is in a stretch that is not empty, looking outwards from `guess` within it.
    pub(super) fn has(&self, wanted: u128, within: &Range<usize>, guess: usize) -> bool {
        // What is below `from` is less than wanted, what is at or above `to` is greater.
        let (mut from, mut to) = (within.start, within.end);
        let (mut at, mut step) = (guess, 1);
        while from < to {
            let found = self.get(at);
            if found == wanted {
                return true;
            }
            // Steps grow until wanted is passed; from then on the stretch is halved.
            if found < wanted {
                from = at + 1;
                at = if to == within.end { (at + step).min(to - 1) } else { from + (to - from) / 2 };
            } else {
                to = at;
                at = if from == within.start {
                    at.saturating_sub(step).max(from)
                } else {
                    from + (to - from) / 2
                };
            }
            step *= 2;
        }
        false
    }
}

/// A list of a filter's lines whose length never changes.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pieces: Vec<Box<[Line; LINES]>>,
}

impl Lines {
    /// So many, all zero.
    pub(super) fn new(len: usize) -> Self {
        Self { pieces: (0..len.div_ceil(LINES)).map(|_| Box::new([[0; 8]; LINES])).collect() }
    }

    pub(super) fn memory(&self) -> usize {
        self.pieces.len() * (PIECE_LEN + size_of::<usize>() * 3)
    }

    /// `at` is below the length.
    pub(super) fn get(&self, at: usize) -> &Line {
        &self.pieces[at / LINES][at % LINES]
    }

    /// `at` is below the length.
    pub(super) fn get_mut(&mut self, at: usize) -> &mut Line {
        &mut self.pieces[at / LINES][at % LINES]
    }
}
