//! Blocked Bloom filters, one for each shard of a run: a question costs one cache line.

use std::ops::Range;

use super::pieces::Lines;
use super::table::scale;

/// The most bits a fingerprint sets; each takes 9 bits of its hash. More would let 8 of 1,000 through instead of 12, and
/// cost more than that saves.
const MOST_SET: u64 = 4;
/// Hashes whose lines are fetched side by side.
const TOGETHER: usize = 64;
/// One cache line.
pub(super) type Line = [u64; 8];

/// The filters of a run's shards, one after the other.
#[derive(Debug, Default)]
pub(super) struct Bloom {
    lines: Lines,
    /// Where each shard's lines begin; one more than there are shards. Empty if there are no filters.
    starts: Vec<u32>,
    /// Bits that a fingerprint sets: as many as answer "perhaps" in vain least often for the filter's size.
    set: u32,
}

fn bit(hash: u64, i: u32) -> (usize, u64) {
    // Other bits than those that chose the line.
    let bits = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (i * 9);
    ((bits & 7) as usize, 1 << ((bits >> 3) & 63))
}

impl Bloom {
    /// Filters for shards of these sizes, with about `bits` bits a fingerprint; none at all for less than 4, where
    /// a filter hardly ever answers no.
    pub(super) fn new(sizes: &[u64], bits: u64) -> Self {
        let mut starts = Vec::with_capacity(sizes.len() + 1);
        let mut total = 0_u64;
        for size in sizes {
            starts.push(total as u32);
            total += (size * bits).div_ceil(512);
        }
        starts.push(total as u32);
        if bits < 4 || total > u64::from(u32::MAX) {
            return Self::default();
        }
        let set = (bits * 7 / 10).clamp(2, MOST_SET) as u32;
        Self { lines: Lines::new(total as usize), starts, set }
    }

    pub(super) fn memory(&self) -> usize {
        self.lines.memory() + self.starts.len() * 4
    }

    /// The lines of a shard. `None` without filters.
    fn shard(&self, shard: usize) -> Option<Range<usize>> {
        Some(*self.starts.get(shard)? as usize..*self.starts.get(shard + 1)? as usize)
    }

    pub(super) fn insert(&mut self, shard: usize, hash: u64) {
        let set = self.set;
        if let Some(within) = self.shard(shard).filter(|within| !within.is_empty()) {
            let line = self.lines.get_mut(within.start + scale(hash, within.len()));
            for i in 0..set {
                let (word, mask) = bit(hash, i);
                line[word] |= mask;
            }
        }
    }

    /// Whether there are filters, which let through hardly any but those that were inserted.
    pub(super) fn is_there(&self) -> bool {
        !self.starts.is_empty()
    }

    /// Sets `flag` in `marks` for those that may have been inserted. Without filters, all may.
    pub(super) fn mark(&self, shard: usize, hashes: &[u64], marks: &mut [u64], flag: u64) {
        match self.shard(shard) {
            None => marks.iter_mut().for_each(|mark| *mark |= flag),
            Some(within) if within.is_empty() => {}
            Some(within) => {
                let lines = &self.lines;
                // A constant number of rounds is unrolled.
                match self.set {
                    4 => mark::<4>(lines, &within, hashes, marks, flag),
                    3 => mark::<3>(lines, &within, hashes, marks, flag),
                    _ => mark::<2>(lines, &within, hashes, marks, flag),
                }
            }
        }
    }
}

/// Nothing here depends on what a line says, neither by a branch nor by an address, so that the processor fetches the
/// lines of many hashes at once; it is asked for those of a few hashes before the first of them is looked at.
fn mark<const SET: u32>(lines: &Lines, within: &Range<usize>, hashes: &[u64], marks: &mut [u64], flag: u64) {
    let mut places = [0; TOGETHER];
    for (hashes, marks) in hashes.chunks(TOGETHER).zip(marks.chunks_mut(TOGETHER)) {
        let mut sum = 0;
        for (place, &hash) in places.iter_mut().zip(hashes) {
            *place = within.start + scale(hash, within.len());
            sum ^= lines.get(*place)[0];
        }
        std::hint::black_box(sum);
        for ((&hash, &place), mark) in hashes.iter().zip(&places).zip(marks) {
            let line = lines.get(place);
            let all = (0..SET).fold(true, |all, i| {
                let (word, mask) = bit(hash, i);
                all & (line[word] & mask != 0)
            });
            *mark |= if all { flag } else { 0 };
        }
    }
}
