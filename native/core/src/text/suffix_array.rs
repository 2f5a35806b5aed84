//! The suffix array of a string of integers, in linear time (SA-IS: Nong, Zhang and Chan, 2009).
//!
//! Guarantees: linear whatever the string (a million equal symbols included); no recursion deeper than the binary
//! logarithm of the length. Costs beside the string and the result, both 4 bytes a symbol: an eighth of a byte a
//! symbol and 4 bytes for each symbol of the alphabet; the recursion lives inside the result, less its alphabets of
//! at most 2 bytes a symbol. Whether to go on is asked every million steps.

use super::Check;
use super::bits::Bits;
use crate::error::Result;

const EMPTY: u32 = u32::MAX;

/// Steps between two questions whether to go on, less one.
const STEPS: usize = (1 << 20) - 1;

/// The start positions of all suffixes of `text` in ascending order of the suffixes.
///
/// `text` ends in the symbol 0, which occurs nowhere else, all symbols are at most `greatest`, and there are fewer
/// than `u32::MAX` of them.
///
/// # Errors
/// Those of `check`.
pub(crate) fn suffix_array(text: &[u32], greatest: u32, check: Check<'_>) -> Result<Vec<u32>> {
    debug_assert!(text.len() < EMPTY as usize);
    debug_assert!(text.last().is_none_or(|&last| last == 0));
    let mut suffixes = vec![EMPTY; text.len()];
    sort(text, greatest, &mut suffixes, check)?;
    Ok(suffixes)
}

/// A suffix is of type S if it is less than the one that starts after it, and else of type L. A suffix of type S
/// with one of type L before it is an LMS suffix; the order of these determines the order of all.
struct Types(Bits);

impl Types {
    fn of(text: &[u32]) -> Self {
        let mut small = Bits::new(text.len());
        let mut next_is_small = true;
        small.set(text.len() - 1);
        for at in (0..text.len() - 1).rev() {
            let (here, next) = (text[at], text[at + 1]);
            next_is_small = here < next || (here == next && next_is_small);
            if next_is_small {
                small.set(at);
            }
        }
        Self(small)
    }

    #[inline]
    fn is_small(&self, at: usize) -> bool {
        self.0.get(at)
    }

    #[inline]
    fn is_lms(&self, at: usize) -> bool {
        at > 0 && self.0.get(at) && !self.0.get(at - 1)
    }
}

/// Where the suffixes that begin with each symbol lie in the suffix array.
struct Buckets {
    /// `ends[c]` is one past the last place of symbol `c`.
    ends: Vec<u32>,
    cursor: Vec<u32>,
}

impl Buckets {
    fn of(text: &[u32], greatest: u32) -> Self {
        let mut ends = vec![0_u32; greatest as usize + 1];
        for &c in text {
            ends[c as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        Self { cursor: ends.clone(), ends }
    }

    fn rewind_to_ends(&mut self) {
        self.cursor.copy_from_slice(&self.ends);
    }

    fn rewind_to_starts(&mut self) {
        let last = self.ends.len() - 1;
        self.cursor[1..].copy_from_slice(&self.ends[..last]);
        self.cursor[0] = 0;
    }

    #[inline]
    fn push_front(&mut self, c: u32) -> usize {
        let place = &mut self.cursor[c as usize];
        let at = *place;
        *place += 1;
        at as usize
    }

    #[inline]
    fn push_back(&mut self, c: u32) -> usize {
        let place = &mut self.cursor[c as usize];
        *place -= 1;
        *place as usize
    }
}

fn sort(text: &[u32], greatest: u32, suffixes: &mut [u32], check: Check<'_>) -> Result<()> {
    let len = text.len();
    if len <= 1 {
        suffixes.fill(0);
        return Ok(());
    }
    check()?;
    let types = Types::of(text);
    let mut buckets = Buckets::of(text, greatest);
    check()?;

    // Sort the LMS substrings (from one LMS position to the next) by inducing from an arbitrary order.
    suffixes.fill(EMPTY);
    for at in (1..len).filter(|&at| types.is_lms(at)) {
        suffixes[buckets.push_back(text[at])] = at as u32;
    }
    induce(text, &types, &mut buckets, suffixes, check)?;
    let mut count = 0;
    for i in 0..len {
        if i & STEPS == 0 {
            check()?;
        }
        if types.is_lms(suffixes[i] as usize) {
            suffixes[count] = suffixes[i];
            count += 1;
        }
    }

    // Name them by rank. No two LMS positions are adjacent, so half of a position is a distinct place.
    let (sorted, rest) = suffixes.split_at_mut(count);
    rest.fill(EMPTY);
    let mut names = 0;
    let mut previous = None;
    for (i, &at) in sorted.iter().enumerate() {
        if i & STEPS == 0 {
            check()?;
        }
        let at = at as usize;
        if previous.is_none_or(|before| !equal_lms(text, &types, before, at)) {
            names += 1;
        }
        previous = Some(at);
        rest[at / 2] = names - 1;
    }
    let mut write = len;
    for i in (count..len).rev() {
        if suffixes[i] != EMPTY {
            write -= 1;
            suffixes[write] = suffixes[i];
        }
    }

    // The order of the LMS suffixes is that of the suffixes of the string of names.
    let (head, named) = suffixes.split_at_mut(len - count);
    let order = &mut head[..count];
    if (names as usize) < count {
        sort(named, names - 1, order, check)?;
    } else {
        for (i, &name) in named.iter().enumerate() {
            order[name as usize] = i as u32;
        }
    }
    for (place, at) in named.iter_mut().zip((1..len).filter(|&at| types.is_lms(at))) {
        *place = at as u32;
    }
    for place in order.iter_mut() {
        *place = named[*place as usize];
    }

    check()?;

    // Put them at the ends of their buckets, last first, and induce the rest.
    suffixes[count..].fill(EMPTY);
    buckets.rewind_to_ends();
    for i in (0..count).rev() {
        if i & STEPS == 0 {
            check()?;
        }
        let at = std::mem::replace(&mut suffixes[i], EMPTY);
        suffixes[buckets.push_back(text[at as usize])] = at;
    }
    induce(text, &types, &mut buckets, suffixes, check)
}

/// From sorted LMS positions at the ends of the buckets: places L from the left, then S from the right.
fn induce(
    text: &[u32],
    types: &Types,
    buckets: &mut Buckets,
    suffixes: &mut [u32],
    check: Check<'_>,
) -> Result<()> {
    buckets.rewind_to_starts();
    for i in 0..suffixes.len() {
        if i & STEPS == 0 {
            check()?;
        }
        let at = suffixes[i];
        if at != EMPTY && at > 0 && !types.is_small(at as usize - 1) {
            suffixes[buckets.push_front(text[at as usize - 1])] = at - 1;
        }
    }
    buckets.rewind_to_ends();
    for i in (0..suffixes.len()).rev() {
        if i & STEPS == 0 {
            check()?;
        }
        let at = suffixes[i];
        if at != EMPTY && at > 0 && types.is_small(at as usize - 1) {
            suffixes[buckets.push_back(text[at as usize - 1])] = at - 1;
        }
    }
    Ok(())
}

/// Whether the LMS substrings at two different positions are the same.
fn equal_lms(text: &[u32], types: &Types, a: usize, b: usize) -> bool {
    let mut d = 0;
    // The final symbol is unique, so the shorter of two substrings differs before it runs out of the text.
    loop {
        if text[a + d] != text[b + d] || types.is_small(a + d) != types.is_small(b + d) {
            return false;
        }
        if d > 0 && (types.is_lms(a + d) || types.is_lms(b + d)) {
            return types.is_lms(a + d) && types.is_lms(b + d);
        }
        d += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use crate::error::{Code, Error};
    use proptest::prelude::*;

    fn suffix_array(text: &[u32], greatest: u32) -> Vec<u32> {
        super::suffix_array(text, greatest, &|| Ok(())).expect("nobody says stop")
    }

    fn naive(text: &[u32]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..text.len() as u32).collect();
        order.sort_by_key(|&at| &text[at as usize..]);
        order
    }

    proptest! {
        #[test]
        fn equals_a_comparison_sort(mut text in proptest::collection::vec(1_u32..5, 0..80)) {
            text.push(0);
            prop_assert_eq!(suffix_array(&text, 4), naive(&text));
        }

        #[test]
        fn equals_a_comparison_sort_of_repetitions(unit in proptest::collection::vec(1_u32..4, 1..6), times in 1..40_usize) {
            let mut text = unit.repeat(times);
            text.push(0);
            prop_assert_eq!(suffix_array(&text, 9), naive(&text));
        }
    }

    #[test]
    fn is_linear_on_equal_symbols() {
        let mut text = vec![1; 1_000_000];
        text.push(0);
        assert!(suffix_array(&text, 1).iter().rev().copied().eq(0..=1_000_000));
    }

    #[test]
    fn of_nothing_is_nothing() {
        assert_eq!(suffix_array(&[], 0), Vec::<u32>::new());
        assert_eq!(suffix_array(&[0], 0), vec![0]);
    }

    #[test]
    fn asks_every_million_steps_and_ends_when_told() {
        let mut text: Vec<u32> = (0..3_000_000).map(|i| i % 7 + 1).collect();
        text.push(0);
        let asked = Cell::new(0);
        let count = || {
            asked.set(asked.get() + 1);
            Ok(())
        };
        super::suffix_array(&text, 7, &count).expect("nobody says stop");
        assert!(asked.get() > 12, "{}", asked.get());
        for last in 1..=asked.get() {
            let left = Cell::new(last);
            let outcome = super::suffix_array(&text, 7, &|| {
                left.set(left.get() - 1);
                if left.get() == 0 { Err(Error::new(Code::Cancelled, "stop")) } else { Ok(()) }
            });
            assert_eq!(outcome.map_err(|error| error.code()), Err(Code::Cancelled));
            assert_eq!(left.get(), 0, "asked again after the end");
        }
    }
}
