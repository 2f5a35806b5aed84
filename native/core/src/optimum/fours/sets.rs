//! Sets of words as bits, 256 to a block.
//!
//! A set is a slice of blocks, as many as the greatest word of a star needs; sets that are used together have the same number. What is known of the
//! four corners around two lines that cross is four such sets, one after the other.
//!
//! Costs: some steps a block. For the words that take the time, the 250 commonest, that is one.

use crate::optimum::corpus::Word;

/// A bit for each of 256 words.
pub(super) type Block = [u64; 4];

pub(super) const NONE: Block = [0; 4];

/// Words in a block.
pub(super) const BLOCK: usize = 256;

#[inline]
pub(super) fn and(a: &Block, b: &Block) -> Block {
    [a[0] & b[0], a[1] & b[1], a[2] & b[2], a[3] & b[3]]
}

#[inline]
pub(super) fn or(a: &Block, b: &Block) -> Block {
    [a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]]
}

/// What is in the first and not in the second.
#[inline]
pub(super) fn without(a: &Block, b: &Block) -> Block {
    [a[0] & !b[0], a[1] & !b[1], a[2] & !b[2], a[3] & !b[3]]
}

#[inline]
pub(super) fn any(block: &Block) -> bool {
    block[0] | block[1] | block[2] | block[3] != 0
}

#[inline]
pub(super) fn has(set: &[Block], word: Word) -> bool {
    set[word as usize / BLOCK][word as usize / 64 % 4] >> (word % 64) & 1 == 1
}

#[inline]
pub(super) fn insert(set: &mut [Block], word: Word) {
    set[word as usize / BLOCK][word as usize / 64 % 4] |= 1 << (word % 64);
}

#[inline]
pub(super) fn remove(set: &mut [Block], word: Word) {
    set[word as usize / BLOCK][word as usize / 64 % 4] &= !(1 << (word % 64));
}

#[inline]
pub(super) fn is_empty(set: &[Block]) -> bool {
    !set.iter().any(any)
}

#[inline]
pub(super) fn count(set: &[Block]) -> u32 {
    set.iter().flatten().map(|bits| bits.count_ones()).sum()
}

/// Whether two sets have something in common.
#[inline]
pub(super) fn meet(a: &[Block], b: &[Block]) -> bool {
    a.iter().zip(b).any(|(a, b)| any(&and(a, b)))
}

/// What two sets have in common; whether there is any.
#[inline]
pub(super) fn intersect(a: &[Block], b: &[Block], both: &mut [Block]) -> bool {
    let mut some = NONE;
    for ((both, a), b) in both.iter_mut().zip(a).zip(b) {
        *both = and(a, b);
        some = or(&some, both);
    }
    any(&some)
}

/// The words of a set, ascending.
#[inline]
pub(super) fn words(set: &[Block]) -> impl Iterator<Item = Word> {
    numbers(set.iter().flatten().copied()).map(|word| word as Word)
}

/// The set of a corner, of the four.
#[inline]
pub(super) fn corner(sets: &[Block], k: usize) -> &[Block] {
    let width = sets.len() / 4;
    &sets[k * width..][..width]
}

/// The same.
#[inline]
pub(super) fn corner_mut(sets: &mut [Block], k: usize) -> &mut [Block] {
    let width = sets.len() / 4;
    &mut sets[k * width..][..width]
}

/// The numbers of the bits that are set.
pub(super) struct Ones(pub(super) u64);

impl Iterator for Ones {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let bit = self.0.trailing_zeros() as usize;
        let some = self.0 != 0;
        self.0 &= self.0.wrapping_sub(1);
        some.then_some(bit)
    }
}

/// The same of many, 64 each.
pub(super) fn numbers(bits: impl Iterator<Item = u64>) -> impl Iterator<Item = usize> {
    bits.enumerate().flat_map(|(at, bits)| Ones(bits).map(move |bit| at * 64 + bit))
}
