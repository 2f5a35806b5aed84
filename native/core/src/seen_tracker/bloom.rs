//! Blocked Bloom filters, one for each shard of a run: a question costs one cache line.

use super::table::scale;

/// The most bits a fingerprint sets; each takes 9 bits of its hash.
const MOST_SET: u64 = 6;
type Line = [u64; 8];

/// The filters of a run's shards, one after the other.
#[derive(Debug, Default)]
pub(super) struct Bloom {
    lines: Vec<Line>,
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
        Self { lines: vec![[0; 8]; total as usize], starts, set }
    }

    pub(super) fn memory(&self) -> usize {
        self.lines.len() * size_of::<Line>() + self.starts.len() * 4
    }

    /// The lines of a shard. `None` without filters.
    fn shard(&self, shard: usize) -> Option<std::ops::Range<usize>> {
        Some(*self.starts.get(shard)? as usize..*self.starts.get(shard + 1)? as usize)
    }

    pub(super) fn insert(&mut self, shard: usize, hash: u64) {
        let set = self.set;
        if let Some(lines) = self.shard(shard).and_then(|lines| self.lines.get_mut(lines))
            && let Some(line) = lines.get_mut(scale(hash, lines.len()))
        {
            for i in 0..set {
                let (word, mask) = bit(hash, i);
                line[word] |= mask;
            }
        }
    }

    /// Sets `flag` in `marks` for those that may have been inserted. Without filters, all may.
    pub(super) fn mark(&self, shard: usize, hashes: &[u64], marks: &mut [u64], flag: u64) {
        match self.shard(shard).and_then(|lines| self.lines.get(lines)) {
            None => marks.iter_mut().for_each(|mark| *mark |= flag),
            Some([]) => {}
            Some(lines) => {
                // A constant number of rounds is unrolled.
                match self.set {
                    6 => mark::<6>(lines, hashes, marks, flag),
                    5 => mark::<5>(lines, hashes, marks, flag),
                    4 => mark::<4>(lines, hashes, marks, flag),
                    3 => mark::<3>(lines, hashes, marks, flag),
                    _ => mark::<2>(lines, hashes, marks, flag),
                }
            }
        }
    }
}

/// Nothing here depends on what a line says, neither by a branch nor by an address, so that the processor fetches the
/// lines of many hashes at once.
fn mark<const SET: u32>(lines: &[Line], hashes: &[u64], marks: &mut [u64], flag: u64) {
    for (&hash, mark) in hashes.iter().zip(marks) {
        let line = &lines[scale(hash, lines.len())];
        let all = (0..SET).fold(true, |all, i| {
            let (word, mask) = bit(hash, i);
            all & (line[word] & mask != 0)
        });
        *mark |= if all { flag } else { 0 };
    }
}
