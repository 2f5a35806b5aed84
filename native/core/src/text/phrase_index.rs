//! What follows a run of words: the index that a search asks.
//!
//! Over the words of the maximal sentences it keeps
//!
//! - the **suffix array**: the positions that are not the last of their sentence, in the order of the runs that
//!   start there and end with their sentence. The occurrences of a phrase are an interval of it: a [`Phrase`]. In an
//!   interval the runs that end with the phrase come first, then those that go on, by the next word.
//! - the **bigrams**: as every suffix kept has two words at least, the bigrams cut the suffix array into consecutive
//!   intervals. For each bigram in ascending order its second word and the start of its interval; for each word its
//!   first bigram. A bigram's number is its rank.
//!
//! Guarantees: it answers exactly from the text's phrases; no query allocates. Costs: building is linear in the
//! words. `successors`, `bigram_range`, `bigram_tokens`, `bigram_phrase` and `can_extend` take constant time, `bigram` and
//! `extend` a binary search in the successors and in the interval.
//!
//! # Memory
//!
//! While used, vocabulary and index take at most 6 bytes for each byte of text, from 1 MB of text on. A word takes its letters and one separator at least in the text. Here
//! a position costs 4 (token) + 1/8 (sentence end) + at most 4 (suffix), a distinct bigram 8, a
//! distinct word its letters, 1.5 and 4 for its first bigram.
//!
//! - Sentences of words of one letter, 2 bytes of text a position: there are few such words (26 of one byte) and so
//!   few bigrams: 8.2 / 2 = 4.1.
//! - As many bigrams as there can be: needs words of two bytes (some 1,800 there are, 3 million bigrams),
//!   3 bytes of text a position: 16.2 / 3 = 5.4; words of one and of two bytes mixed are soon used up.
//! - Every word new: that takes words of three bytes, of which there are about 130,000 (half a MB of text):
//!   (16.2 + 8.5) / 4 = 6.2 until they are used up, then 5 and less for each longer byte. A MB cannot be filled with them.
//! - Sentences of one word: only the vocabulary, (3 + 5.5) / 4.
//! - Short sentences lose a suffix and a bigram each; equal ones are kept once.

use std::ops::Range;
use std::sync::Arc;

use super::{Check, Interner, Token};
use crate::error::{Code, Error, Result};

/// The occurrences of a run of one or more words: an interval of the suffix array.
///
/// Of a single word, the occurrences that something follows (perhaps none); of longer runs, all, and at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phrase {
    /// The first place in the suffix array.
    pub lo: u32,
    /// One past the last place.
    pub hi: u32,
    /// The number of words.
    pub len: u32,
}

/// The index over the phrases of an interner. See the [module](self).
#[derive(Debug, Clone)]
pub struct PhraseIndex {
    interner: Arc<Interner>,
    /// Positions of the words of the sentences, by what starts there.
    suffixes: Vec<u32>,
    /// The second word of each bigram.
    seconds: Vec<Token>,
    /// Where each bigram's interval of `suffixes` starts; one more for the end of the last.
    starts: Vec<u32>,
    /// The first bigram of each word; one more for the end of the last.
    first_bigrams: Vec<u32>,
}

impl PhraseIndex {
    /// Builds the index; it shares the interner's sentences.
    ///
    /// Cost: linear; memory at its peak about 12 bytes a word of the sentences beside the interner.
    ///
    /// # Errors
    /// [`Code::Damaged`] if a sentence of the interner has a word outside the vocabulary.
    pub fn build(interner: Arc<Interner>) -> Result<Self> {
        Self::build_while(interner, &|| Ok(()))
    }

    /// [`build`](Self::build) as long as `check` says nothing against it; it is asked every few dozen milliseconds.
    ///
    /// # Errors
    /// Besides, those of `check`.
    pub fn build_while(interner: Arc<Interner>, check: Check<'_>) -> Result<Self> {
        let sentences = interner.sentence_store();
        let tokens = sentences.tokens();
        let words = interner.vocabulary_len();
        if tokens.iter().any(|&token| token as usize >= words) {
            return Err(Error::new(
                Code::Damaged,
                "the interner has a sentence with a word outside its vocabulary",
            ));
        }
        let mut suffixes = sentences.suffixes(check)?;
        check()?;
        suffixes.retain(|&at| !sentences.ends_at(at as usize));
        suffixes.shrink_to_fit();

        let mut seconds = Vec::new();
        let mut starts = Vec::new();
        let mut first_bigrams = Vec::with_capacity(words + 1);
        let mut before = None;
        for (rank, &at) in suffixes.iter().enumerate() {
            if rank.is_multiple_of(1 << 20) {
                check()?;
            }
            let bigram = (tokens[at as usize], tokens[at as usize + 1]);
            if before != Some(bigram) {
                while first_bigrams.len() <= bigram.0 as usize {
                    first_bigrams.push(seconds.len() as u32);
                }
                seconds.push(bigram.1);
                starts.push(rank as u32);
                before = Some(bigram);
            }
        }
        first_bigrams.resize(words + 1, seconds.len() as u32);
        starts.push(suffixes.len() as u32);
        seconds.shrink_to_fit();
        starts.shrink_to_fit();
        Ok(Self { interner, suffixes, seconds, starts, first_bigrams })
    }

    /// The interner that the index is of.
    #[must_use]
    pub fn interner(&self) -> &Arc<Interner> {
        &self.interner
    }

    /// Bytes of memory taken, the interner's included.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let entries = self.suffixes.capacity()
            + self.seconds.capacity()
            + self.starts.capacity()
            + self.first_bigrams.capacity();
        entries * 4 + self.interner.memory_bytes()
    }

    /// The number of distinct bigrams; their ids are less.
    #[must_use]
    #[inline]
    pub fn bigram_count(&self) -> u32 {
        self.seconds.len() as u32
    }

    /// The ids of the bigrams that start with a word, in the order of [`successors`](Self::successors).
    ///
    /// # Panics
    /// If the token is not of the vocabulary; so for all queries that take a token.
    #[must_use]
    #[inline]
    pub fn bigram_range(&self, t: Token) -> Range<u32> {
        self.first_bigrams[t as usize]..self.first_bigrams[t as usize + 1]
    }

    /// The words that follow a word, ascending.
    #[must_use]
    #[inline]
    pub fn successors(&self, t: Token) -> &[Token] {
        let range = self.bigram_range(t);
        &self.seconds[range.start as usize..range.end as usize]
    }

    /// The id of a bigram, if `b` ever follows `a`.
    #[must_use]
    #[inline]
    pub fn bigram(&self, a: Token, b: Token) -> Option<u32> {
        let within = self.successors(a).binary_search(&b).ok()?;
        Some(self.first_bigrams[a as usize] + within as u32)
    }

    /// The two words of a bigram.
    ///
    /// # Panics
    /// If there is no such bigram.
    #[must_use]
    #[inline]
    pub fn bigram_tokens(&self, id: u32) -> (Token, Token) {
        let at = self.suffixes[self.starts[id as usize] as usize];
        (self.tokens()[at as usize], self.seconds[id as usize])
    }

    /// A single word, to be extended.
    #[must_use]
    #[inline]
    pub fn word_phrase(&self, t: Token) -> Phrase {
        let range = self.bigram_range(t);
        Phrase { lo: self.starts[range.start as usize], hi: self.starts[range.end as usize], len: 1 }
    }

    /// A bigram as a phrase.
    ///
    /// # Panics
    /// If there is no such bigram.
    #[must_use]
    #[inline]
    pub fn bigram_phrase(&self, id: u32) -> Phrase {
        Phrase { lo: self.starts[id as usize], hi: self.starts[id as usize + 1], len: 2 }
    }

    /// The run as a phrase, if the text has it. No words are no phrase; a single word of the vocabulary always is one
    /// here.
    #[must_use]
    pub fn phrase(&self, words: &[Token]) -> Option<Phrase> {
        let (&first, rest) = words.split_first()?;
        if first as usize >= self.interner.vocabulary_len() {
            return None;
        }
        rest.iter().try_fold(self.word_phrase(first), |phrase, &token| self.extend(phrase, token))
    }

    /// The phrase with one word more, if the text has it.
    #[must_use]
    #[inline]
    pub fn extend(&self, phrase: Phrase, token: Token) -> Option<Phrase> {
        if phrase.lo >= phrase.hi {
            return None;
        }
        if phrase.len == 1 {
            let first = self.tokens()[self.suffixes[phrase.lo as usize] as usize];
            return self.bigram(first, token).map(|id| self.bigram_phrase(id));
        }
        // Next words as numbers: 0 for none, as a run that ends comes first.
        let key = u64::from(token) + 1;
        let lo = self.first_where(phrase.lo, phrase.hi, |place| self.next_key(place, phrase.len) >= key);
        if lo == phrase.hi || self.next_key(lo, phrase.len) != key {
            return None;
        }
        let hi = self.gallop(lo + 1, phrase.hi, |place| self.next_key(place, phrase.len) > key);
        Some(Phrase { lo, hi, len: phrase.len + 1 })
    }

    /// Whether any word follows the phrase.
    #[must_use]
    #[inline]
    pub fn can_extend(&self, phrase: Phrase) -> bool {
        // Runs that go on come last.
        phrase.lo < phrase.hi && self.next_key(phrase.hi - 1, phrase.len) != 0
    }

    /// The words that follow the phrase, ascending, each with the extended phrase.
    #[must_use]
    #[inline]
    pub fn completions(&self, phrase: Phrase) -> Completions<'_> {
        let lo = self.gallop(phrase.lo, phrase.hi, |place| self.next_key(place, phrase.len) != 0);
        Completions { index: self, rest: Phrase { lo, ..phrase } }
    }

    /// Where a phrase of two words or more stands among the words of the maximal sentences, in the order of what follows.
    #[must_use]
    pub fn occurrences(&self, phrase: Phrase) -> &[u32] {
        &self.suffixes[phrase.lo as usize..phrase.hi as usize]
    }

    /// The words of the sentence around `len` words at a position: at most `most` before and `most` after them, and
    /// how many there are before.
    #[must_use]
    pub fn surroundings(&self, at: u32, len: u32, most: usize) -> (&[Token], usize) {
        let sentences = self.interner.sentence_store();
        let (at, last) = (at as usize, at as usize + len as usize - 1);
        let before = (1..=most.min(at)).take_while(|back| !sentences.ends_at(at - back)).count();
        let after = (0..most).take_while(|on| !sentences.ends_at(last + on)).count();
        (&self.tokens()[at - before..=last + after], before)
    }

    #[inline]
    fn tokens(&self) -> &[Token] {
        self.interner.sentence_store().tokens()
    }

    /// One more than the token after the first `len` words of the run at a place; 0 if it ends there.
    #[inline]
    fn next_key(&self, place: u32, len: u32) -> u64 {
        let sentences = self.interner.sentence_store();
        let next = self.suffixes[place as usize] as usize + len as usize;
        if sentences.ends_at(next - 1) { 0 } else { u64::from(sentences.tokens()[next]) + 1 }
    }

    /// The first place of `lo..hi` for which `is_past` holds, or `hi`; it holds for all places after one.
    #[inline]
    fn first_where(&self, mut lo: u32, mut hi: u32, is_past: impl Fn(u32) -> bool) -> u32 {
        while lo < hi {
            let middle = lo + (hi - lo) / 2;
            if is_past(middle) {
                hi = middle;
            } else {
                lo = middle + 1;
            }
        }
        lo
    }

    /// [`first_where`](Self::first_where) in time logarithmic in the distance from `lo`.
    #[inline]
    fn gallop(&self, mut lo: u32, hi: u32, is_past: impl Fn(u32) -> bool) -> u32 {
        let mut step = 1;
        let mut probe = lo;
        while probe < hi {
            if is_past(probe) {
                return self.first_where(lo, probe, is_past);
            }
            lo = probe + 1;
            probe = lo.saturating_add(step);
            step = step.saturating_mul(2);
        }
        self.first_where(lo, hi, is_past)
    }
}

/// The words that follow a phrase, see [`PhraseIndex::completions`].
#[derive(Debug, Clone)]
pub struct Completions<'a> {
    index: &'a PhraseIndex,
    /// What is left of the phrase's interval; everything in it goes on.
    rest: Phrase,
}

impl Iterator for Completions<'_> {
    type Item = (Token, Phrase);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let Phrase { lo, hi, len } = self.rest;
        if lo >= hi {
            return None;
        }
        let index = self.index;
        let key = index.next_key(lo, len);
        let end = index.gallop(lo + 1, hi, |place| index.next_key(place, len) > key);
        self.rest.lo = end;
        Some(((key - 1) as Token, Phrase { lo, hi: end, len: len + 1 }))
    }
}
