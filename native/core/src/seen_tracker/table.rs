//! An open-addressing table of fingerprints: 16 bytes a slot, linear probing, no deletion.

/// Mixes all 128 bits into 64, by one multiplication. Table slots and Bloom bits come from it, so fingerprints that
/// share their leading bits still spread.
pub(super) fn mix(fingerprint: u128) -> u64 {
    let low = fingerprint as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let high = (fingerprint >> 64) as u64 ^ 0xd1b5_4a32_d192_ed03;
    let product = u128::from(low) * u128::from(high);
    (product as u64 ^ (product >> 64) as u64).wrapping_mul(0xff51_afd7_ed55_8ccd)
}

/// `0..len` in proportion to `hash`.
pub(super) fn scale(hash: u64, len: usize) -> usize {
    ((u128::from(hash) * len as u128) >> 64) as usize
}

/// A set of fingerprints. Zero marks an empty slot and is kept apart.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<u128>,
    /// Filled slots.
    filled: usize,
    zero: bool,
    /// The slots it should come to, so that what is left to grow is used whole; it grows beyond if it must.
    intended: usize,
}

impl Table {
    /// An empty one that should come to so many slots.
    pub(super) fn new(intended: usize) -> Self {
        Self { intended, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.filled + usize::from(self.zero)
    }

    /// The memory it takes.
    pub(super) fn memory(&self) -> usize {
        self.slots.len() * size_of::<u128>()
    }

    /// Brings the slots where a search for these hashes begins into the cache: plain loads that nothing waits for run side
    /// by side, where the searches themselves would meet one miss after the other.
    pub(super) fn warm(&self, hashes: &[u64]) {
        let len = self.slots.len();
        let sum = hashes.iter().fold(0_u64, |sum, &hash| {
            sum.wrapping_add(self.slots.get(scale(hash, len)).map_or(0, |&slot| slot as u64))
        });
        std::hint::black_box(sum);
    }

    pub(super) fn contains(&self, fingerprint: u128, hash: u64) -> bool {
        if fingerprint == 0 {
            return self.zero;
        }
        let mut at = scale(hash, self.slots.len());
        while let Some(&slot) = self.slots.get(at) {
            if slot == fingerprint {
                return true;
            }
            if slot == 0 {
                return false;
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
        false
    }

    /// Adds it, and answers whether it was new.
    pub(super) fn insert(&mut self, fingerprint: u128, hash: u64) -> bool {
        if fingerprint == 0 {
            return !std::mem::replace(&mut self.zero, true);
        }
        // At most four slots of five are filled, so a search always meets an empty one.
        if self.filled * 5 >= self.slots.len() * 4 {
            let next = (self.slots.len() * 3 / 2).max(16);
            let (from, to) = (self.intended / 3 * 2, self.intended);
            self.resize(if next > from && self.slots.len() < to { to } else { next });
        }
        let mut at = scale(hash, self.slots.len());
        loop {
            let slot = &mut self.slots[at];
            if *slot == fingerprint {
                return false;
            }
            if *slot == 0 {
                *slot = fingerprint;
                self.filled += 1;
                return true;
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
    }

    fn resize(&mut self, capacity: usize) {
        let old = std::mem::replace(&mut self.slots, vec![0; capacity]);
        for fingerprint in old.into_iter().filter(|&slot| slot != 0) {
            let mut at = scale(mix(fingerprint), capacity);
            while self.slots[at] != 0 {
                at += 1;
                if at == capacity {
                    at = 0;
                }
            }
            self.slots[at] = fingerprint;
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        if self.slots.len() > self.intended {
            self.slots = Vec::new();
        } else {
            self.slots.fill(0);
        }
        self.filled = 0;
        self.zero = false;
    }

    /// All fingerprints in ascending order. Those of one table agree in their `shared` leading bits.
    pub(super) fn sorted(&self, shared: u32) -> Vec<u128> {
        // Evenly spread ones come into buckets of a dozen by the bits that follow, which leaves little to sort; any others
        // are sorted all the same.
        const BUCKETS: usize = 256;
        let bucket = |fingerprint: u128| (fingerprint << shared >> 120) as usize;
        let all = || self.slots.iter().copied().filter(|&slot| slot != 0).chain(self.zero.then_some(0));
        let mut ends = [0_usize; BUCKETS + 1];
        all().for_each(|fingerprint| ends[bucket(fingerprint) + 1] += 1);
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        let starts = ends;
        let mut sorted = vec![0; self.len()];
        for fingerprint in all() {
            let at = &mut ends[bucket(fingerprint)];
            sorted[*at] = fingerprint;
            *at += 1;
        }
        for bucket in 0..BUCKETS {
            sorted[starts[bucket]..starts[bucket + 1]].sort_unstable();
        }
        sorted
    }
}
