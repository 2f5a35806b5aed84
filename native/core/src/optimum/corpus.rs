//! The phrases of a text, readable from left to right and from right to left.
//!
//! Words are numbered by descending frequency from 1 on (their *number*), so that a bit table answers for the pairs of
//! common words and what is rare has a great number; 0 stands between sentences. For each reading direction there is a
//! [`Reading`]: the suffix array, cut into the intervals of words, of bigrams and of trigrams.
//!
//! Costs: building is linear but for sorting the words by frequency. Memory, with both readings: 12 bytes a word of
//! the maximal sentences, up to 180 a bigram, up to 48 a trigram, 16 a word of the vocabulary, 2 MiB of bits.

use crate::error::Result;
use crate::text::suffix_array::suffix_array;
use crate::text::{PhraseIndex, Token};

/// The number of a word; 0 is the gap between sentences.
pub(crate) type Word = u32;

/// Pairs of words below this are looked up in a bit table.
const COMMON: usize = 4096;

/// Interval of a suffix array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) lo: u32,
    pub(crate) hi: u32,
}

/// The text.
#[derive(Debug)]
pub(crate) struct Corpus {
    /// The words, with a 0 before, between and after the sentences.
    pub(crate) text: Vec<Word>,
    pub(crate) forward: Reading,
    pub(crate) backward: Reading,
    /// The token of each number; that of 0 is none.
    tokens: Vec<Token>,
    bits: Vec<u64>,
}

/// The runs of words in one reading direction.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Whether it reads from left to right.
    pub(crate) ahead: bool,
    /// Positions in the text, by what is read from there.
    pub(crate) places: Vec<u32>,
    /// For each word the start of its interval.
    words: Vec<u32>,
    /// For each word the start of its bigrams.
    bigrams_of: Vec<u32>,
    /// The second word of each bigram; ascending within a word.
    seconds: Vec<Word>,
    bigrams: Vec<Interval>,
    /// For each bigram the start of its trigrams.
    trigrams_of: Vec<u32>,
    /// The third word of each trigram; ascending within a bigram.
    thirds: Vec<Word>,
    trigrams: Vec<Interval>,
    ids: Ids,
    firsts: Vec<Word>,
}

/// Bigram ids by their two words: a table with open addressing, at most half full, in which a look takes one line of
/// the cache.
#[derive(Debug, Default)]
struct Ids {
    /// First word, second word, id; the first word is 0 where there is none.
    slots: Vec<[u32; 3]>,
}

impl Ids {
    fn new(firsts: &[Word], seconds: &[Word]) -> Self {
        let mut ids = Self { slots: vec![[0; 3]; (firsts.len() * 2 + 1).next_power_of_two()] };
        for (id, (&a, &b)) in firsts.iter().zip(seconds).enumerate() {
            let mut at = ids.home(a, b);
            while ids.slots[at][0] != 0 {
                at = (at + 1) & (ids.slots.len() - 1);
            }
            ids.slots[at] = [a, b, id as u32];
        }
        ids
    }

    #[inline]
    fn home(&self, a: Word, b: Word) -> usize {
        let x = (u64::from(a) << 32 | u64::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (x ^ (x >> 29)) as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn get(&self, a: Word, b: Word) -> Option<u32> {
        let mut at = self.home(a, b);
        loop {
            let [first, second, id] = self.slots[at];
            if first == 0 {
                return None;
            }
            if first == a && second == b {
                return Some(id);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}

impl Corpus {
    pub(crate) fn new(index: &PhraseIndex) -> Result<Self> {
        let interner = index.interner();
        let vocabulary = interner.vocabulary_len();
        let mut counts = vec![0_u32; vocabulary];
        for &token in interner.sentence_store().tokens() {
            counts[token as usize] += 1;
        }
        let mut tokens: Vec<Token> = (0..vocabulary as u32).collect();
        tokens.sort_by_key(|&token| std::cmp::Reverse(counts[token as usize]));
        tokens.insert(0, Token::MAX);
        let mut numbers = vec![0; vocabulary];
        for (number, &token) in tokens.iter().enumerate().skip(1) {
            numbers[token as usize] = number as Word;
        }
        let mut text = Vec::with_capacity(interner.token_count() + interner.sentence_count() + 1);
        text.push(0);
        for sentence in interner.sentences() {
            text.extend(sentence.iter().map(|&token| numbers[token as usize]));
            text.push(0);
        }
        Self::of(text, tokens)
    }

    /// The same words, but only the sentences with at least so many of them.
    pub(crate) fn only_longer(&self, least: usize) -> Result<Self> {
        let mut text = vec![0];
        for sentence in self.text.split(|&word| word == 0).filter(|sentence| sentence.len() >= least.max(1)) {
            text.extend_from_slice(sentence);
            text.push(0);
        }
        Self::of(text, self.tokens.clone())
    }

    fn of(text: Vec<Word>, tokens: Vec<Token>) -> Result<Self> {
        let vocabulary = tokens.len() - 1;
        let forward = Reading::new(&text, vocabulary, true)?;
        let backward = Reading::new(&text, vocabulary, false)?;
        let row = COMMON / 64;
        let common = (vocabulary + 1).min(COMMON);
        let mut bits = vec![0_u64; common * row];
        for a in 1..common {
            for &b in forward.next(a as Word).iter().take_while(|&&b| (b as usize) < COMMON) {
                bits[a * row + b as usize / 64] |= 1 << (b % 64);
            }
        }
        Ok(Self { text, forward, backward, tokens, bits })
    }

    /// Bytes that a corpus of the index may take.
    pub(crate) fn memory_of(index: &PhraseIndex) -> u64 {
        let interner = index.interner();
        memory(
            interner.token_count() + interner.sentence_count(),
            index.bigram_count() as usize,
            interner.vocabulary_len(),
        )
    }

    /// Bytes that this one may take.
    pub(crate) fn memory(&self) -> u64 {
        memory(self.text.len(), self.forward.bigram_count(), self.vocabulary())
    }

    #[inline]
    pub(crate) fn token(&self, word: Word) -> Token {
        self.tokens[word as usize]
    }

    /// The number of distinct words.
    #[inline]
    pub(crate) fn vocabulary(&self) -> usize {
        self.tokens.len() - 1
    }

    /// Whether b ever follows a.
    #[inline]
    pub(crate) fn follows(&self, a: Word, b: Word) -> bool {
        if ((a | b) as usize) < COMMON {
            self.bits[a as usize * (COMMON / 64) + b as usize / 64] >> (b % 64) & 1 == 1
        } else {
            self.forward.bigram(a, b).is_some()
        }
    }

    /// The word so many steps further in a reading.
    #[inline]
    pub(crate) fn at(&self, place: u32, ahead: bool, steps: usize) -> Word {
        self.text[if ahead { place as usize + steps } else { place as usize - steps }]
    }

    /// The run of so many words from a place of the text.
    #[inline]
    pub(crate) fn run(&self, place: u32, length: usize) -> &[Word] {
        &self.text[place as usize..place as usize + length]
    }

    /// The occurrences of a run of words, read from left to right.
    pub(crate) fn find(&self, run: &[Word]) -> Option<Interval> {
        self.find_in(&self.forward, run.iter().copied())
    }

    /// The occurrences of a run of words, given in the order in which they are read.
    #[inline]
    pub(crate) fn find_in(&self, reading: &Reading, mut run: impl Iterator<Item = Word>) -> Option<Interval> {
        let a = run.next()?;
        let Some(b) = run.next() else { return Some(reading.word(a)) };
        let bigram = reading.bigram(a, b)?;
        let Some(c) = run.next() else { return Some(reading.bigram_interval(bigram)) };
        let trigram = reading.trigram_interval(reading.trigram(bigram, c)?);
        (3..).zip(run).try_fold(trigram, |within, (length, word)| self.extend(reading, within, length, word))
    }

    /// The part of an interval of runs of `length` words that go on with a word.
    pub(crate) fn extend(
        &self,
        reading: &Reading,
        within: Interval,
        length: usize,
        word: Word,
    ) -> Option<Interval> {
        let places = &reading.places[within.lo as usize..within.hi as usize];
        let next = |&place: &u32| self.at(place, reading.ahead, length);
        let from = places.partition_point(|place| next(place) < word);
        let to = from + places[from..].partition_point(|place| next(place) == word);
        (from < to).then_some(Interval { lo: within.lo + from as u32, hi: within.lo + to as u32 })
    }

    /// Calls `each` with every word that goes on from an interval of runs of `length` words, ascending.
    #[inline]
    pub(crate) fn continuations(
        &self,
        reading: &Reading,
        within: Interval,
        length: usize,
        mut each: impl FnMut(Word, Interval),
    ) {
        let mut lo = within.lo;
        while lo < within.hi {
            let word = self.at(reading.places[lo as usize], reading.ahead, length);
            let mut hi = lo + 1;
            // Most groups are small; of great ones the end is found by doubling steps.
            let mut step = 1;
            while hi < within.hi
                && self.at(reading.places[(hi + step - 1).min(within.hi - 1) as usize], reading.ahead, length)
                    == word
            {
                hi = (hi + step).min(within.hi);
                step *= 2;
            }
            if step > 1 && hi < within.hi {
                let upper = (hi + step - 1).min(within.hi);
                hi += reading.places[hi as usize..upper as usize]
                    .partition_point(|&place| self.at(place, reading.ahead, length) == word)
                    as u32;
            }
            if word != 0 {
                each(word, Interval { lo, hi });
            }
            lo = hi;
        }
    }
}

/// Bytes that a corpus may take; `words` with the gaps between sentences.
fn memory(words: usize, bigrams: usize, vocabulary: usize) -> u64 {
    // There are no more trigrams than words; the text is copied while it is sorted.
    (words * (4 + 8 + 12 + 48) + bigrams * 180 + vocabulary * 24 + COMMON * COMMON / 8) as u64
}

impl Reading {
    fn new(text: &[Word], vocabulary: usize, ahead: bool) -> Result<Self> {
        // The greatest symbols are words, 1 is the gap and 0 the end.
        let mut symbols: Vec<u32> = if ahead {
            text.iter().map(|w| w + 1).collect()
        } else {
            text.iter().rev().map(|w| w + 1).collect()
        };
        symbols.push(0);
        let mut places = suffix_array(&symbols, vocabulary as u32 + 1, &|| Ok(()))?;
        drop(symbols);
        let last = text.len() as u32 - 1;
        places.retain(|&at| at <= last && text[if ahead { at } else { last - at } as usize] != 0);
        if !ahead {
            for at in &mut places {
                *at = last - *at;
            }
        }
        places.shrink_to_fit();
        let at = |place: u32, steps: usize| {
            text[if ahead { place as usize + steps } else { place as usize - steps }]
        };
        let mut reading = Self {
            ahead,
            words: Vec::with_capacity(vocabulary + 2),
            bigrams_of: Vec::with_capacity(vocabulary + 2),
            seconds: vec![],
            bigrams: vec![],
            trigrams_of: vec![],
            thirds: vec![],
            trigrams: vec![],
            ids: Ids::default(),
            firsts: vec![],
            places: vec![],
        };
        // The end of the group of a place: all that agree in the word `steps` further.
        let group = |from: usize, to: usize, steps: usize| {
            let word = at(places[from], steps);
            from + places[from..to].partition_point(|&place| at(place, steps) == word)
        };
        let mut lo = 0;
        reading.words.push(0);
        reading.bigrams_of.push(0);
        for _ in 1..=vocabulary {
            reading.words.push(lo as u32);
            reading.bigrams_of.push(reading.seconds.len() as u32);
            // Every word occurs, as each is in some maximal sentence or in none at all.
            let number = reading.words.len() as Word - 1;
            let end = lo + places[lo..].partition_point(|&place| at(place, 0) == number);
            let mut from = lo;
            while from < end {
                let to = group(from, end, 1);
                let second = at(places[from], 1);
                if second != 0 {
                    reading.firsts.push(number);
                    reading.seconds.push(second);
                    reading.bigrams.push(Interval { lo: from as u32, hi: to as u32 });
                    reading.trigrams_of.push(reading.thirds.len() as u32);
                    let mut start = from;
                    while start < to {
                        let stop = group(start, to, 2);
                        let third = at(places[start], 2);
                        if third != 0 {
                            reading.thirds.push(third);
                            reading.trigrams.push(Interval { lo: start as u32, hi: stop as u32 });
                        }
                        start = stop;
                    }
                }
                from = to;
            }
            lo = end;
        }
        reading.words.push(places.len() as u32);
        reading.bigrams_of.push(reading.seconds.len() as u32);
        reading.trigrams_of.push(reading.thirds.len() as u32);
        reading.ids = Ids::new(&reading.firsts, &reading.seconds);
        reading.places = places;
        Ok(reading)
    }

    /// The words that come next after a word, ascending.
    #[inline]
    pub(crate) fn next(&self, a: Word) -> &[Word] {
        &self.seconds[self.bigrams_of[a as usize] as usize..self.bigrams_of[a as usize + 1] as usize]
    }

    /// The id of the first bigram of a word; those of the others follow in the order of [`next`](Self::next).
    #[inline]
    pub(crate) fn first_bigram(&self, a: Word) -> u32 {
        self.bigrams_of[a as usize]
    }

    #[inline]
    pub(crate) fn bigram_count(&self) -> usize {
        self.seconds.len()
    }

    /// The two words of a bigram, in reading order.
    #[inline]
    pub(crate) fn bigram_words(&self, id: u32) -> (Word, Word) {
        (self.firsts[id as usize], self.seconds[id as usize])
    }

    /// The id of a bigram, if b is ever read after a.
    #[inline]
    pub(crate) fn bigram(&self, a: Word, b: Word) -> Option<u32> {
        self.ids.get(a, b)
    }

    /// The occurrences of a word.
    #[inline]
    pub(crate) fn word(&self, a: Word) -> Interval {
        Interval { lo: self.words[a as usize], hi: self.words[a as usize + 1] }
    }

    #[inline]
    pub(crate) fn bigram_interval(&self, id: u32) -> Interval {
        self.bigrams[id as usize]
    }

    #[inline]
    pub(crate) fn trigram_interval(&self, trigram: usize) -> Interval {
        self.trigrams[trigram]
    }

    /// The words read after a bigram, ascending.
    #[inline]
    pub(crate) fn thirds(&self, bigram: u32) -> &[Word] {
        &self.thirds
            [self.trigrams_of[bigram as usize] as usize..self.trigrams_of[bigram as usize + 1] as usize]
    }

    /// The number of the first trigram of a bigram; those of the others follow in the order of
    /// [`thirds`](Self::thirds).
    #[inline]
    pub(crate) fn first_trigram(&self, bigram: u32) -> usize {
        self.trigrams_of[bigram as usize] as usize
    }

    #[inline]
    pub(crate) fn goes_on(&self, bigram: u32) -> bool {
        self.trigrams_of[bigram as usize] < self.trigrams_of[bigram as usize + 1]
    }

    /// The number of the trigram of a bigram and a third word.
    #[inline]
    pub(crate) fn trigram(&self, bigram: u32, third: Word) -> Option<usize> {
        let at = self.thirds(bigram).binary_search(&third).ok()?;
        Some(self.trigrams_of[bigram as usize] as usize + at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::text::Interner;

    #[test]
    fn both_readings_have_exactly_the_phrases() {
        let text = "a b c a b. c a b a. d d d d d. e. a b c d e f g, c c";
        let interner = Arc::new(Interner::from_bytes("text", text.as_bytes()).expect("UTF-8"));
        let index = PhraseIndex::build(Arc::clone(&interner)).expect("an index");
        let corpus = Corpus::new(&index).expect("a corpus");
        let words = corpus.vocabulary() as Word;
        for a in 1..=words {
            for b in 1..=words {
                let known = index.bigram(corpus.token(a), corpus.token(b)).is_some();
                assert_eq!(corpus.follows(a, b), known);
                assert_eq!(corpus.forward.bigram(a, b).is_some(), known);
                assert_eq!(corpus.backward.bigram(b, a).is_some(), known);
                assert_eq!(corpus.forward.next(a).contains(&b), known);
                for c in 1..=words {
                    let run = [a, b, c];
                    let tokens = run.map(|word| corpus.token(word));
                    let known = index.phrase(&tokens).is_some();
                    assert_eq!(corpus.find(&run).is_some(), known, "{tokens:?}");
                    let back = corpus.backward.bigram(c, b).and_then(|id| corpus.backward.trigram(id, a));
                    assert_eq!(back.is_some(), known);
                    for d in 1..=words {
                        let run = [a, b, c, d];
                        let known = index.phrase(&run.map(|word| corpus.token(word)));
                        let found = corpus.find(&run);
                        assert_eq!(found.is_some(), known.is_some());
                        if let (Some(found), Some(known)) = (found, known) {
                            assert_eq!(found.hi - found.lo, known.hi - known.lo);
                        }
                    }
                }
            }
        }
    }
}
