//! A set of numbers as bits, of each of which it is known how many lesser ones there are: its place in a list that has an entry for each.
//!
//! A set is a slice of these, 64 numbers each. Costs: one look and one count of bits a number (Jacobson, Space-efficient static trees and
//! graphs, 1989). Memory: 16 bytes for each 64 numbers.

/// 64 numbers as bits, and how many there are before them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ranked {
    pub(super) bits: u64,
    before: u32,
}

/// Puts a number in; the places of all are known after [`count`].
#[inline]
pub(super) fn insert(set: &mut [Ranked], number: u32) {
    set[number as usize / 64].bits |= 1 << (number % 64);
}

/// Gives the numbers of one or more sets that follow each other their places, the first one this.
pub(super) fn count(sets: &mut [Ranked], first: u32) {
    let mut before = first;
    for word in sets {
        word.before = before;
        before += word.bits.count_ones();
    }
}

/// Whether a number is in.
#[inline]
pub(super) fn has(set: &[Ranked], number: u32) -> bool {
    set[number as usize / 64].bits >> (number % 64) & 1 == 1
}

/// The place of a number that is in.
#[inline]
pub(super) fn place(set: &[Ranked], number: u32) -> usize {
    let word = set[number as usize / 64];
    (word.before + (word.bits & ((1 << (number % 64)) - 1)).count_ones()) as usize
}
