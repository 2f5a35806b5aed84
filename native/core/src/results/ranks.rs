//! The numbers that results use for words: rank 0 is the word with most successors.
//!
//! Small ranks are the common ones, so most take one byte; and the search orders axes by rank, rarest first, which
//! keeps its lists short. What is merged keeps the ranks that it was written with, so an archive may have several tables
//! from rank to token; records say which one they use. All tables together are `ranks.bin`:
//!
//! ```text
//! "FOLDRANK" | version u32 = 1 | words u32 | tables u32 | for each table: its length u32, token u32 for each rank
//! | XXH3-64 of all bytes before u64
//! ```

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Code, Error, Result};
use crate::text::{PhraseIndex, Token};

/// A word's number in results: its place by descending number of successors, ties by token.
pub type Rank = u32;

const MAGIC: &[u8; 8] = b"FOLDRANK";
const VERSION: u32 = 1;

/// Between tokens and ranks: all words of a text have a rank, or those of a part of it.
#[derive(Debug, Clone, Default)]
pub struct Ranks {
    tokens: Vec<Token>,
    /// Of every token its rank; empty for a table that was read or renumbered, which is never asked.
    ranks: Vec<Rank>,
}

impl PartialEq for Ranks {
    fn eq(&self, other: &Self) -> bool {
        self.tokens == other.tokens
    }
}

impl Eq for Ranks {}

impl Ranks {
    /// The ranks of a text's words. Cost: a sort of the vocabulary.
    #[must_use]
    pub fn new(index: &PhraseIndex) -> Self {
        let mut tokens: Vec<Token> = (0..index.interner().vocabulary_len() as u32).collect();
        tokens.sort_by_key(|&t| (std::cmp::Reverse(index.successors(t).len()), t));
        Self::from_tokens(tokens)
    }

    /// From the token of each rank, a permutation.
    pub(super) fn from_tokens(tokens: Vec<Token>) -> Self {
        let mut ranks = vec![0; tokens.len()];
        for (rank, &token) in tokens.iter().enumerate() {
            ranks[token as usize] = rank as Rank;
        }
        Self { tokens, ranks }
    }

    /// The same ranks for a larger vocabulary, in which each token has the number that `map` gives.
    ///
    /// # Panics
    /// If the map is too short.
    #[must_use]
    pub fn renumbered(&self, map: &[Token]) -> Self {
        let tokens = self.tokens.iter().map(|&token| map[token as usize]).collect();
        Self { tokens, ranks: Vec::new() }
    }

    /// The number of words that have a rank.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is no word.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The token of a rank.
    #[must_use]
    #[inline]
    pub fn token(&self, rank: Rank) -> Token {
        self.tokens[rank as usize]
    }

    /// The token of a rank, if there is such a rank.
    #[must_use]
    #[inline]
    pub fn get(&self, rank: Rank) -> Option<Token> {
        self.tokens.get(rank as usize).copied()
    }

    /// The rank of a token.
    ///
    /// # Panics
    /// If these ranks were read or renumbered: then they only lead from ranks to tokens.
    #[must_use]
    #[inline]
    pub fn rank(&self, token: Token) -> Rank {
        self.ranks[token as usize]
    }
}

/// More tables than this are not copied into an archive; a few come on top for what is found or read anew.
pub const MAX_TABLES: usize = 64;
/// More than this no archive has.
const MOST_TABLES: usize = 256;

/// The tables of an archive. Table 0 is that of the search that wrote it; the others came with what was merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankTables {
    words: usize,
    tables: Vec<Arc<Ranks>>,
}

impl From<Arc<Ranks>> for RankTables {
    /// One table of a whole vocabulary.
    fn from(ranks: Arc<Ranks>) -> Self {
        Self { words: ranks.len(), tables: vec![ranks] }
    }
}

impl RankTables {
    /// For a vocabulary of so many words, with its first table.
    #[must_use]
    pub fn new(words: usize, first: Ranks) -> Self {
        Self { words, tables: vec![Arc::new(first)] }
    }

    /// The number of words of the vocabulary.
    #[must_use]
    pub fn words(&self) -> usize {
        self.words
    }

    /// A table by its number.
    #[must_use]
    pub fn get(&self, table: u32) -> Option<&Arc<Ranks>> {
        self.tables.get(table as usize)
    }

    /// All tables by their numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Ranks>> {
        self.tables.iter()
    }

    /// Adds a table unless an equal one is there; gives its number.
    pub fn add(&mut self, ranks: Ranks) -> u32 {
        let place = self.tables.iter().position(|table| **table == ranks);
        place.unwrap_or_else(|| {
            self.tables.push(Arc::new(ranks));
            self.tables.len() - 1
        }) as u32
    }

    /// The bytes of `ranks.bin`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let numbers: usize = self.tables.iter().map(|table| table.len() + 1).sum();
        let mut bytes = Vec::with_capacity(28 + numbers * 4);
        bytes.extend_from_slice(MAGIC);
        for number in [VERSION, self.words as u32, self.tables.len() as u32] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for table in &self.tables {
            bytes.extend_from_slice(&(table.len() as u32).to_le_bytes());
            for token in &table.tokens {
                bytes.extend_from_slice(&token.to_le_bytes());
            }
        }
        let sum = xxh3_64(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote; `name` is for the error.
    ///
    /// # Errors
    /// [`Code::Damaged`] or [`Code::NewerFormat`], with what was expected and found.
    pub fn decode(name: &str, bytes: &[u8]) -> Result<Self> {
        let damaged = |what: String| Error::new(Code::Damaged, format!("{name} is damaged: {what}"));
        let word = |at: usize| bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        if bytes.get(..8) != Some(MAGIC) {
            return Err(damaged("it does not begin with FOLDRANK".into()));
        }
        match word(8) {
            Some(VERSION) => {}
            Some(version) if version > VERSION => {
                return Err(Error::new(
                    Code::NewerFormat,
                    format!(
                        "{name} has format version {version}, this program knows {VERSION}; use a newer program"
                    ),
                ));
            }
            _ => return Err(damaged("it has no valid version".into())),
        }
        let Some(body) = bytes.len().checked_sub(8).filter(|&body| body >= 20) else {
            return Err(damaged("it ends in its header".into()));
        };
        if xxh3_64(&bytes[..body]).to_le_bytes() != bytes[body..] {
            return Err(damaged("its checksum does not match".into()));
        }
        let too_short = || damaged("it ends in a table".into());
        let words = word(12).ok_or_else(too_short)? as usize;
        let count = word(16).ok_or_else(too_short)? as usize;
        if count == 0 || count > MOST_TABLES {
            return Err(damaged(format!("it has {count} tables, not 1 to {MOST_TABLES}")));
        }
        let mut at = 20;
        let mut tables = Vec::with_capacity(count);
        for _ in 0..count {
            let length = word(at).ok_or_else(too_short)? as usize;
            at += 4;
            if length > words || length > (body.max(at) - at) / 4 {
                return Err(damaged(format!("it has a table of {length} words")));
            }
            let tokens: Vec<Token> = (0..length).filter_map(|i| word(at + i * 4)).collect();
            at += length * 4;
            let mut sorted = tokens.clone();
            sorted.sort_unstable();
            if sorted.last().is_some_and(|&last| last as usize >= words) || !sorted.is_sorted_by(|a, b| a < b)
            {
                return Err(damaged("a token is no word or there twice".into()));
            }
            tables.push(Arc::new(Ranks { tokens, ranks: Vec::new() }));
        }
        if at != body {
            return Err(damaged(format!("expected {} bytes, found {}", at + 8, bytes.len())));
        }
        Ok(Self { words, tables })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_truncation_is_noticed() {
        let mut tables = RankTables::from(Arc::new(Ranks::from_tokens(vec![2, 0, 1])));
        let two = Ranks::from_tokens(vec![1, 0]).renumbered(&[0, 2]);
        assert_eq!((tables.add(two.clone()), tables.add(two)), (1, 1));
        let bytes = tables.encode();
        assert_eq!(RankTables::decode("r", &bytes).ok(), Some(tables));
        for i in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[i / 8] ^= 1 << (i % 8);
            assert!(RankTables::decode("r", &bad).is_err(), "bit {i}");
        }
        for len in 0..bytes.len() {
            assert!(RankTables::decode("r", &bytes[..len]).is_err(), "length {len}");
        }
    }
}
