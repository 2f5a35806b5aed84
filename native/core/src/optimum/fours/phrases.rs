//! Phrases of three words, by bits.
//!
//! Costs: a step for each phrase, one look-up for each bigram. Memory: a bit for each pair of a word before and one after the same word.

use crate::optimum::corpus::{Corpus, Word};
use crate::optimum::work::{Halt, Work};

/// Which words before and after a word make a phrase with it: a bit for each pair.
pub(super) struct Phrases {
    /// For each word where its bits begin.
    starts: Vec<u64>,
    bits: Vec<u64>,
}

impl Phrases {
    pub(super) fn of(corpus: &Corpus, work: &Work<'_>) -> Result<Self, Halt> {
        let (ahead, back) = (&corpus.forward, &corpus.backward);
        let mut starts = vec![0];
        let mut total = 0;
        for word in 1..=corpus.vocabulary() as Word {
            starts.push(total);
            total += ahead.next(word).len() as u64 * back.next(word).len() as u64;
        }
        let words = (total / 64 + 1) as usize;
        work.check_room(words, 8)?;
        let mut phrases = Self { starts, bits: vec![0; words] };
        for id in 0..ahead.bigram_count() as u32 {
            let (before, word) = ahead.bigram_words(id);
            let line = phrases.line(corpus, before, word);
            let mut rest = ahead.next(word);
            let mut passed = 0;
            for &third in ahead.thirds(id) {
                let at = rest.partition_point(|&other| other < third);
                passed += at;
                rest = &rest[at..];
                let bit = line + passed as u64;
                phrases.bits[bit as usize / 64] |= 1 << (bit % 64);
            }
        }
        Ok(phrases)
    }

    /// The bits of the words after a word and one before it.
    pub(super) fn line(&self, corpus: &Corpus, before: Word, word: Word) -> u64 {
        let back = &corpus.backward;
        let place = back.bigram(word, before).map_or(0, |id| id - back.first_bigram(word));
        self.starts[word as usize] + u64::from(place) * corpus.forward.next(word).len() as u64
    }

    /// Whether the word at a place of those after the word makes a phrase.
    #[inline]
    pub(super) fn has(&self, line: u64, place: u32) -> bool {
        let bit = line + u64::from(place);
        self.bits[bit as usize / 64] >> (bit % 64) & 1 == 1
    }
}
