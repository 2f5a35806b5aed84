//! The phrase set of a text in its one canonical form.
//!
//! A phrase is a contiguous run of two or more words of a sentence, so a sentence that is itself a run of another
//! adds nothing. What remains are the *maximal* sentences: distinct, of at least two words, none a run of another.
//! In lexicographic order of their tokens they determine the phrase set and are determined by it: they are its
//! maximal elements. So two texts with the same phrases have equal [`Sentences`].

use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::bits::Bits;
use super::suffix_array::suffix_array;
use super::{Check, Token};
use crate::error::{Code, Error, Result};

/// Greatest number of words in all sentences: positions are 32 bits with room to spare.
pub(super) const MAX_TOKENS: usize = 1 << 31;

/// The maximal sentences in lexicographic order. Memory: 4.125 bytes a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sentences {
    /// All sentences, one after the other.
    tokens: Vec<Token>,
    /// Set at the last position of each sentence.
    ends: Bits,
    count: usize,
}

impl Sentences {
    /// Sentences as they are, for a caller that has them in canonical form.
    pub(super) fn from_canonical(tokens: Vec<Token>, lengths: impl IntoIterator<Item = u32>) -> Self {
        let mut ends = Bits::new(tokens.len());
        let mut count = 0;
        let mut at = 0;
        for length in lengths {
            at += length as usize;
            ends.set(at - 1);
            count += 1;
        }
        debug_assert_eq!(at, tokens.len());
        Self { tokens, ends, count }
    }

    /// The number of sentences.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no sentence, and so no phrase.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The sentences in lexicographic order.
    pub fn iter(&self) -> impl Iterator<Item = &[Token]> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let end = self.ends.next_set(at)? + 1;
            let sentence = self.tokens.get(at..end)?;
            at = end;
            Some(sentence)
        })
    }

    /// The words of all sentences, one after the other.
    #[must_use]
    #[inline]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether a position of [`tokens`](Self::tokens) is the last of its sentence.
    #[must_use]
    #[inline]
    pub fn ends_at(&self, position: usize) -> bool {
        self.ends.get(position)
    }

    /// Bytes of memory taken.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.tokens.capacity() * 4 + self.ends.memory_bytes()
    }

    /// The positions of `tokens` in the order of the runs from there to the end of the sentence. A run
    /// comes before those that extend it; equal runs are in any order.
    pub(super) fn suffixes(&self, check: Check<'_>) -> Result<Vec<u32>> {
        let symbols = Symbols::of(self.tokens.iter().enumerate().map(|(at, &t)| (t, self.ends.get(at))));
        let mut suffixes = symbols.suffixes(check)?;
        suffixes.retain(|&at| at as usize != self.tokens.len());
        Ok(suffixes)
    }
}

/// Distinct sentences as they come, before the canonical form. Memory: 4 bytes a word, about 12 a sentence.
#[derive(Debug, Default)]
pub(super) struct SentenceSet {
    tokens: Vec<u32>,
    /// Where each complete sentence starts; the current one follows the last of them.
    starts: Vec<u32>,
    /// Where the current sentence starts.
    current: usize,
    /// Indices into `starts`, by the hash of the sentence.
    seen: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl SentenceSet {
    /// Adds a word to the current sentence.
    ///
    /// # Errors
    /// [`Code::InputTooLarge`] past 2^31 words.
    #[inline]
    pub(super) fn push(&mut self, token: u32) -> Result<()> {
        if self.tokens.len() >= MAX_TOKENS {
            return Err(Error::new(
                Code::InputTooLarge,
                format!("more than {MAX_TOKENS} words in distinct sentences; split the input"),
            ));
        }
        self.tokens.push(token);
        Ok(())
    }

    /// Completes the current sentence: kept if it has two words and is new.
    pub(super) fn end_sentence(&mut self) {
        let Self { tokens, starts, current, seen, hasher } = self;
        let sentence_at = |starts: &[u32], index: u32| {
            let next = starts.get(index as usize + 1).map_or(*current, |&s| s as usize);
            starts[index as usize] as usize..next
        };
        let sentence = &tokens[*current..];
        let hash = hasher.hash_one(sentence);
        if sentence.len() < 2 || seen.find(hash, |&i| &tokens[sentence_at(starts, i)] == sentence).is_some() {
            tokens.truncate(*current);
            return;
        }
        let index = starts.len() as u32;
        seen.insert_unique(hash, index, |&i| hasher.hash_one(&tokens[sentence_at(starts, i)]));
        starts.push(*current as u32);
        *current = tokens.len();
    }

    pub(super) fn memory_bytes(&self) -> usize {
        (self.tokens.capacity() + self.starts.capacity()) * 4 + self.seen.allocation_size()
    }

    /// The memory that [`canonical`](Self::canonical) takes at its peak, in bytes.
    pub(super) fn canonical_bytes(&self, vocabulary_len: usize) -> usize {
        // Symbols, suffixes and result; types and ends; buckets and their cursors; starts.
        self.tokens.len() * 12 + self.tokens.len() / 4 + vocabulary_len * 16 + self.starts.len() * 8
    }

    /// The canonical form of the complete sentences, each word renumbered by `map`.
    ///
    /// Linear in the number of words: in the order of suffixes, those equal to a sentence stand next to it and just
    /// before those that extend it, so a sentence is a run of another if and only if it equals what is before it
    /// or begins what is behind it.
    ///
    /// # Errors
    /// Those of `check`.
    pub(super) fn canonical(self, map: &[Token], check: Check<'_>) -> Result<Sentences> {
        let Self { tokens, starts, current, seen, .. } = self;
        drop(seen);
        let mut start_bits = Bits::new(current + 1);
        for &start in &starts {
            start_bits.set(start as usize);
        }
        start_bits.set(current);
        drop(starts);
        let complete = tokens[..current].iter().enumerate();
        let symbols = Symbols::of(complete.map(|(at, &t)| (map[t as usize], start_bits.get(at + 1))));
        drop(tokens);
        let suffixes = symbols.suffixes(check)?;

        let end_of = |start: usize| start_bits.next_set(start + 1).unwrap_or(current);
        let mut kept = Vec::new();
        let mut words = 0;
        for (rank, &start) in suffixes.iter().enumerate() {
            if rank.is_multiple_of(1 << 20) {
                check()?;
            }
            let start = start as usize;
            if start == current || !start_bits.get(start) {
                continue;
            }
            let end = end_of(start);
            let equals_previous =
                rank > 0 && symbols.equal(start..end, suffixes[rank - 1] as usize, Symbols::same);
            let begins_next = suffixes.get(rank + 1).is_some_and(|&next| {
                symbols.equal(start..end - 1, next as usize, Symbols::same)
                    && symbols.equal(end - 1..end, next as usize + (end - 1 - start), Symbols::same_word)
            });
            if !equals_previous && !begins_next {
                kept.push(start as u32);
                words += end - start;
            }
        }
        drop(suffixes);
        check()?;
        let mut sorted = Vec::with_capacity(words);
        for &start in &kept {
            sorted.extend((start as usize..end_of(start as usize)).map(|at| symbols.token(at)));
        }
        let lengths = kept.iter().map(|&start| (end_of(start as usize) - start as usize) as u32);
        Ok(Sentences::from_canonical(sorted, lengths))
    }
}

/// Sentences as a string for the suffix array: a word is `2 * token + 2`, less one if it ends its sentence, and 0
/// ends the whole. So a run comes before those that extend it, with no slot for a separator; where two
/// suffixes are compared past an end, they were equal up to it and their order is free.
struct Symbols(Vec<u32>);

impl Symbols {
    fn of(words: impl ExactSizeIterator<Item = (Token, bool)>) -> Self {
        let mut symbols = Vec::with_capacity(words.len() + 1);
        symbols.extend(words.map(|(token, ends)| token * 2 + 2 - u32::from(ends)));
        symbols.push(0);
        Self(symbols)
    }

    fn suffixes(&self, check: Check<'_>) -> Result<Vec<u32>> {
        suffix_array(&self.0, self.0.iter().copied().max().unwrap_or(0), check)
    }

    fn token(&self, at: usize) -> Token {
        (self.0[at] - 1) / 2
    }

    /// Whether the run at `range` and the one of equal length at `other` agree symbol by symbol.
    fn equal(&self, range: std::ops::Range<usize>, other: usize, same: impl Fn(u32, u32) -> bool) -> bool {
        let length = range.len();
        match self.0.get(other..other + length) {
            Some(others) => self.0[range].iter().zip(others).all(|(&a, &b)| same(a, b)),
            None => false,
        }
    }

    fn same(a: u32, b: u32) -> bool {
        a == b
    }

    fn same_word(a: u32, b: u32) -> bool {
        a.div_ceil(2) == b.div_ceil(2)
    }
}
