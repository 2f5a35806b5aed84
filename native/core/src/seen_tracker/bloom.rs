//! Blocked Bloom filters, one for each shard of a run: a question costs one cache line.

use super::table::scale;

const BITS_SET: u32 = 6;
type Line = [u64; 8];

/// The filters of a run's shards, one after the other.
#[derive(Debug, Default)]
pub(super) struct Bloom {
    lines: Vec<Line>,
    /// Where each shard's lines begin; one more than there are shards. Empty if there are no filters.
    starts: Vec<u32>,
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
        Self { lines: vec![[0; 8]; total as usize], starts }
    }

    pub(super) fn memory(&self) -> usize {
        self.lines.len() * size_of::<Line>() + self.starts.len() * 4
    }

    fn line(&self, shard: usize, hash: u64) -> Option<usize> {
        let start = *self.starts.get(shard)? as usize;
        let end = *self.starts.get(shard + 1)? as usize;
        Some(start + scale(hash, end - start))
    }

    pub(super) fn insert(&mut self, shard: usize, hash: u64) {
        if let Some(line) = self.line(shard, hash).and_then(|at| self.lines.get_mut(at)) {
            for i in 0..BITS_SET {
                let (word, mask) = bit(hash, i);
                line[word] |= mask;
            }
        }
    }

    /// Whether it may have been inserted. Without filters, everything may.
    pub(super) fn may_contain(&self, shard: usize, hash: u64) -> bool {
        if self.starts.is_empty() {
            return true;
        }
        if self.starts[shard] == self.starts[shard + 1] {
            return false;
        }
        self.line(shard, hash).and_then(|at| self.lines.get(at)).is_none_or(|line| {
            // All bits without a branch: the line is in the cache after the first, and half of the answers are no.
            (0..BITS_SET).fold(true, |all, i| {
                let (word, mask) = bit(hash, i);
                all & (line[word] & mask != 0)
            })
        })
    }
}
