//! The hash of an ortho and the digest of a set of them.
//!
//! The hash depends on the words and the canonical form alone, not on token numbers, so it is the same in every
//! archive that holds the ortho. The digest of a set is the sum of its hashes: independent of order and grouping, and
//! what two disjoint parts have adds up. `docs/formats/content_digest.md` defines both for other implementations.
//!
//! Hash of an ortho with canonical tokens `t_0 ..`: in each of two lanes the multilinear sum, modulo 2^64,
//! `key(lane, shape, i) * word(lane, t_i)` over the cells (Lemire and Kaser, "Strongly universal string hashing is
//! fast", 2014), then [`finish`], which is not linear, so that sums of hashes do not cancel. A search can thus add up
//! what the cells of many orthos share once. Cost: two multiplications a cell.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

use crate::ortho::{Dims, Ortho, shape_name};
use crate::text::{Interner, Token};

/// One number for each lane.
pub type Lanes = [u64; 2];

/// The hash of every word of a vocabulary, by token.
#[derive(Debug, Clone)]
pub struct WordHashes(Vec<Lanes>);

impl WordHashes {
    /// The XXH3-128 of each word's UTF-8 bytes, low half first.
    #[must_use]
    pub fn new(interner: &Interner) -> Self {
        Self(
            interner
                .words()
                .map(|word| {
                    let hash = xxh3_128(word.as_bytes());
                    [hash as u64, (hash >> 64) as u64]
                })
                .collect(),
        )
    }

    /// The hash of a token's word.
    #[must_use]
    #[inline]
    pub fn of(&self, token: Token) -> Lanes {
        self.0[token as usize]
    }
}

/// The keys of the cells of one shape, in canonical order.
#[derive(Debug, Clone)]
pub struct ShapeKeys(Vec<Lanes>);

impl ShapeKeys {
    /// The keys of a canonical shape: `XXH3-64(shape name, ':', decimal cell index; seed lane)`, made odd.
    #[must_use]
    pub fn new(dims: &[u32]) -> Self {
        let cells = crate::ortho::fullness(dims);
        let name = shape_name(dims);
        Self(
            (0..cells)
                .map(|i| {
                    let text = format!("{name}:{i}");
                    [0, 1].map(|lane| xxh3_64_with_seed(text.as_bytes(), lane) | 1)
                })
                .collect(),
        )
    }

    /// The key of a canonical cell.
    #[must_use]
    #[inline]
    pub fn cell(&self, i: usize) -> Lanes {
        self.0[i]
    }
}

/// `sum + key * word` in each lane.
#[must_use]
#[inline]
pub fn add(sum: Lanes, key: Lanes, word: Lanes) -> Lanes {
    [sum[0].wrapping_add(key[0].wrapping_mul(word[0])), sum[1].wrapping_add(key[1].wrapping_mul(word[1]))]
}

/// The sum of two sums.
#[must_use]
#[inline]
pub fn join(a: Lanes, b: Lanes) -> Lanes {
    [a[0].wrapping_add(b[0]), a[1].wrapping_add(b[1])]
}

/// Mixes the bits of one lane (the finaliser of MurmurHash3; a bijection).
#[inline]
fn mix(mut x: u64) -> u64 {
    x ^= x >> 33;
    x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^= x >> 33;
    x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ (x >> 33)
}

/// From the two sums to the hash: a bijection of 128 bits, far from linear.
#[must_use]
#[inline]
pub fn finish(sums: Lanes) -> u128 {
    let low = mix(sums[0]);
    let high = mix(sums[1] ^ low.rotate_left(32));
    u128::from(high) << 64 | u128::from(low.wrapping_add(high.rotate_left(17)))
}

/// Hashes orthos one by one; one for each thread.
#[derive(Debug, Default)]
pub struct OrthoHasher {
    keys: BTreeMap<Dims, ShapeKeys>,
    cells: u64,
}

/// Keys of more cells than this are not kept, so that a family of long shapes does not fill the memory.
const CACHED_CELLS: u64 = 4096;

/// When all keys together are this many, they are forgotten and the cache starts anew.
const ALL_CELLS: u64 = 1 << 20;

impl OrthoHasher {
    /// The hash of a canonical ortho.
    pub fn hash(&mut self, words: &WordHashes, ortho: &Ortho) -> u128 {
        let sum = |keys: &ShapeKeys| {
            finish(
                ortho.tokens.iter().enumerate().fold([0, 0], |s, (i, &t)| add(s, keys.cell(i), words.of(t))),
            )
        };
        if let Some(keys) = self.keys.get(&ortho.dims) {
            return sum(keys);
        }
        let keys = ShapeKeys::new(&ortho.dims);
        let hash = sum(&keys);
        if ortho.fullness() <= CACHED_CELLS {
            self.cells += ortho.fullness();
            if self.cells > ALL_CELLS {
                self.keys.clear();
                self.cells = ortho.fullness();
            }
            self.keys.insert(ortho.dims.clone(), keys);
        }
        hash
    }
}

/// How many orthos of one shape there are, and the sum of their hashes modulo 2^128.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShapeTally {
    /// Distinct orthos.
    pub count: u64,
    /// The sum of their hashes.
    pub sum: u128,
}

impl ShapeTally {
    /// Counts in one hash, or the tally of a disjoint set.
    pub fn add(&mut self, count: u64, sum: u128) {
        self.count += count;
        self.sum = self.sum.wrapping_add(sum);
    }
}

/// The tallies of a set by shape, shapes with none left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetTally(pub BTreeMap<Dims, ShapeTally>);

impl SetTally {
    /// Counts in a disjoint set.
    pub fn merge(&mut self, other: &Self) {
        for (dims, tally) in &other.0 {
            self.add(dims, tally.count, tally.sum);
        }
    }

    /// Counts in orthos of one shape.
    pub fn add(&mut self, dims: &[u32], count: u64, sum: u128) {
        if count > 0 {
            if let Some(tally) = self.0.get_mut(dims) {
                tally.add(count, sum);
            } else {
                self.0.insert(dims.to_vec(), ShapeTally { count, sum });
            }
        }
    }

    /// The tally of what is in this set and not in `earlier`, a part of it.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut news = Self::default();
        for (dims, tally) in &self.0 {
            let before = earlier.0.get(dims).copied().unwrap_or_default();
            news.add(dims, tally.count - before.count, tally.sum.wrapping_sub(before.sum));
        }
        news
    }

    /// The number of orthos of all shapes.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().map(|t| t.count).sum()
    }

    /// Shapes in the order that people read them: by number of axes, then lexicographically.
    #[must_use]
    pub fn shapes(&self) -> Vec<(&Dims, &ShapeTally)> {
        let mut shapes: Vec<_> = self.0.iter().collect();
        shapes.sort_by_key(|(dims, _)| (dims.len(), (*dims).clone()));
        shapes
    }

    /// SHA-256 over the interner's digest and the tallies: says whether two archives hold the same.
    #[must_use]
    pub fn content_digest(&self, interner_digest: &[u8; 32]) -> [u8; 32] {
        let mut sha = Sha256::new();
        sha.update(b"fold-content 1\n");
        sha.update(interner_digest);
        for (dims, tally) in self.shapes() {
            sha.update(format!("{} {} {:032x}\n", shape_name(dims), tally.count, tally.sum));
        }
        sha.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(count: usize) -> WordHashes {
        WordHashes((0..count as u64).map(|i| [mix(i + 1), mix(i + 1000)]).collect())
    }

    #[test]
    fn hash_tells_cells_and_shapes_apart() {
        let mut hasher = OrthoHasher::default();
        let words = words(20);
        let a = Ortho { dims: vec![2, 2], tokens: vec![0, 1, 2, 3] };
        let b = Ortho { dims: vec![2, 2], tokens: vec![0, 1, 2, 4] };
        let c = Ortho { dims: vec![2, 2], tokens: vec![3, 1, 2, 0] };
        let hashes = [&a, &b, &c].map(|o| hasher.hash(&words, o));
        assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2] && hashes[1] != hashes[2]);
        assert_eq!(hashes[0], OrthoHasher::default().hash(&words, &a));
    }

    /// A linear hash would give both sets the same sum.
    #[test]
    fn sums_of_products_of_parts_do_not_cancel() {
        let mut hasher = OrthoHasher::default();
        let words = words(20);
        let mut sum = |parity: u32| {
            (0..8u32).filter(|m| m.count_ones() % 2 == parity).fold(0u128, |s, m| {
                let tokens = vec![9, m & 1, 2 + (m >> 1 & 1), 4 + (m >> 2)];
                s.wrapping_add(hasher.hash(&words, &Ortho { dims: vec![2, 2], tokens }))
            })
        };
        assert_ne!(sum(0), sum(1));
    }

    #[test]
    fn digest_is_independent_of_grouping() {
        let mut whole = SetTally::default();
        whole.add(&[2, 2], 3, 7);
        whole.add(&[2, 3], 1, u128::MAX);
        let (mut a, mut b) = (SetTally::default(), SetTally::default());
        a.add(&[2, 3], 1, u128::MAX);
        a.add(&[2, 2], 1, 3);
        b.add(&[2, 2], 2, 4);
        b.merge(&a);
        assert_eq!(whole.content_digest(&[1; 32]), b.content_digest(&[1; 32]));
        assert_ne!(whole.content_digest(&[1; 32]), whole.content_digest(&[2; 32]));
        assert_eq!(whole.count(), 4);
    }
}
