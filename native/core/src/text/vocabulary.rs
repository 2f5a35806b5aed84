//! Words and their numbers: while a text is read by hashing, afterwards as one sorted list.
//!
//! The sorted list is one string with a line feed after each word (no word holds one) and the start of each
//! eighth word: 1.5 bytes a word beside its letters, where a table of all starts would take 4.

use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::Token;
use crate::error::{Code, Error, Result};

/// Words between two entries of the directory of a [`Vocabulary`].
const BLOCK: usize = 8;

/// Greatest number of words: a token and a flag must fit into 32 bits, and so must one past the last.
pub(super) const MAX_WORDS: usize = (1 << 31) - 2;

/// The distinct words of a text in ascending order of their UTF-8 bytes. A word's index is its [`Token`].
///
/// Memory: the letters and 1.5 bytes a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// The words, each followed by a line feed.
    text: String,
    /// Where each block of [`BLOCK`] words starts in `text`.
    blocks: Vec<u32>,
    len: usize,
}

impl Vocabulary {
    /// The number of words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no word.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The word of a token, if there is one. Cost: a scan of at most 8 words.
    #[must_use]
    pub fn get(&self, token: Token) -> Option<&str> {
        let at = token as usize;
        if at >= self.len {
            return None;
        }
        self.block(at / BLOCK).nth(at % BLOCK)
    }

    /// The token of a word, if it is in the vocabulary. Cost: binary search, then a scan of at most 8 words.
    #[must_use]
    pub fn token(&self, word: &str) -> Option<Token> {
        let after = self.blocks.partition_point(|&start| first_line(&self.text[start as usize..]) <= word);
        let block = after.checked_sub(1)?;
        let within = self.block(block).position(|w| w == word)?;
        Some((block * BLOCK + within) as Token)
    }

    /// All words in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator('\n')
    }

    /// Bytes of memory taken.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.text.capacity() + self.blocks.capacity() * 4
    }

    /// The letters of all words together, in bytes.
    pub(super) fn letters(&self) -> usize {
        self.text.len() - self.len
    }

    /// Adds a word greater than all before it; the caller has seen to that.
    ///
    /// # Errors
    /// [`Code::InputTooLarge`] past 2^31 words or 4 GiB of them.
    pub(super) fn push(&mut self, word: &str) -> Result<()> {
        debug_assert!(!word.is_empty() && !word.contains('\n'));
        let Some(start) = u32::try_from(self.text.len()).ok().filter(|_| self.len < MAX_WORDS) else {
            return Err(too_many());
        };
        if self.len.is_multiple_of(BLOCK) {
            self.blocks.push(start);
        }
        self.text.push_str(word);
        self.text.push('\n');
        self.len += 1;
        Ok(())
    }

    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.blocks.shrink_to_fit();
    }

    fn block(&self, index: usize) -> impl Iterator<Item = &str> {
        let start = self.blocks.get(index).map_or(self.text.len(), |&s| s as usize);
        self.text[start..].split_terminator('\n').take(BLOCK)
    }
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or(text)
}

/// Gives each distinct word a number in the order of first occurrence.
///
/// A look-up touches the table and the letters, nothing else: with a large vocabulary, cache misses are what it costs.
#[derive(Debug, Default)]
pub(super) struct WordTable {
    /// All distinct words in the order of their numbers, each followed by a line feed.
    letters: String,
    /// By the hash of the word.
    slots: HashTable<Slot>,
    /// Seeded anew each time, so that no text can be made to collide; order never depends on it.
    hasher: foldhash::fast::RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    number: u32,
    /// Where the word starts in the letters.
    start: u32,
}

impl WordTable {
    /// The number of a word, new or not.
    ///
    /// # Errors
    /// [`Code::InputTooLarge`] past 2^31 words or 4 GiB of them.
    #[inline]
    pub(super) fn intern(&mut self, word: &str) -> Result<u32> {
        let Self { letters, slots, hasher } = self;
        let bytes = word.as_bytes();
        let hash = hasher.hash_one(bytes);
        let is_word = |slot: &Slot| {
            let rest = &letters.as_bytes()[slot.start as usize..];
            rest.get(bytes.len()) == Some(&b'\n') && rest.starts_with(bytes)
        };
        if let Some(slot) = slots.find(hash, is_word) {
            return Ok(slot.number);
        }
        let number = slots.len();
        let start = u32::try_from(letters.len()).ok().filter(|_| number < MAX_WORDS).ok_or_else(too_many)?;
        letters.push_str(word);
        letters.push('\n');
        let slot = Slot { number: number as u32, start };
        slots.insert_unique(hash, slot, |slot| {
            let rest = &letters.as_bytes()[slot.start as usize..];
            let end = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
            hasher.hash_one(&rest[..end])
        });
        Ok(slot.number)
    }

    /// The sorted vocabulary and, for each number, its token.
    ///
    /// # Errors
    /// As [`Vocabulary::push`].
    pub(super) fn finish(self) -> Result<(Vocabulary, Vec<Token>)> {
        let Self { letters, slots, .. } = self;
        drop(slots);
        let mut order: Vec<(&str, u32)> = letters.split_terminator('\n').zip(0..).collect();
        order.sort_unstable();
        let mut tokens = vec![0; order.len()];
        let mut vocabulary = Vocabulary::default();
        vocabulary.text.reserve_exact(letters.len());
        vocabulary.blocks.reserve_exact(order.len().div_ceil(BLOCK));
        for (token, &(word, number)) in order.iter().enumerate() {
            vocabulary.push(word)?;
            tokens[number as usize] = token as Token;
        }
        Ok((vocabulary, tokens))
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The greatest memory of [`finish`](Self::finish), in bytes: letters twice, the order, and the map.
    pub(super) fn finish_bytes(&self) -> usize {
        self.letters.capacity() + self.letters.len() + self.slots.len() * 29
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.letters.capacity() + self.slots.allocation_size()
    }
}

fn too_many() -> Error {
    Error::new(
        Code::InputTooLarge,
        format!("more distinct words than fit: at most {MAX_WORDS} of 4 GiB together; split the input"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_word_and_no_other() {
        let words: Vec<String> = (0..100).map(|n| format!("w{:03}", n * 2)).collect();
        let mut table = WordTable::default();
        let mut numbers = Vec::new();
        for word in words.iter().rev().chain(&words) {
            numbers.push(table.intern(word).expect("room"));
        }
        assert_eq!(numbers[0], numbers[199]);
        let (vocabulary, tokens) = table.finish().expect("room");
        assert!(vocabulary.iter().eq(words.iter().map(String::as_str)));
        assert_eq!(vocabulary.len(), 100);
        for (token, word) in words.iter().enumerate() {
            assert_eq!(vocabulary.get(token as Token), Some(word.as_str()));
            assert_eq!(vocabulary.token(word), Some(token as Token));
            assert_eq!(vocabulary.token(&format!("{word}x")), None);
            assert_eq!(tokens[99 - token], token as Token);
        }
        assert_eq!(vocabulary.get(100), None);
        assert_eq!(vocabulary.token(""), None);
        assert_eq!(vocabulary.token("z"), None);
    }
}
