//! The numbers that results use for words: rank 0 is the word with most successors.
//!
//! Small ranks are the common ones, so most take one byte; and the search orders axes by rank, rarest first, which
//! keeps its lists short. A rank table is written into the archive as `ranks.bin`:
//!
//! ```text
//! "FOLDRANK" | version u32 = 1 | words u32 | token u32 for each rank | XXH3-64 of all bytes before u64
//! ```

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Code, Error, Result};
use crate::text::{PhraseIndex, Token};

/// A word's number in results: its place by descending number of successors, ties by token.
pub type Rank = u32;

const MAGIC: &[u8; 8] = b"FOLDRANK";
const VERSION: u32 = 1;

/// The permutation between tokens and ranks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranks {
    tokens: Vec<Token>,
    ranks: Vec<Rank>,
}

impl Ranks {
    /// The ranks of a text's words. Cost: a sort of the vocabulary.
    #[must_use]
    pub fn new(index: &PhraseIndex) -> Self {
        let mut tokens: Vec<Token> = (0..index.interner().vocabulary_len() as u32).collect();
        tokens.sort_by_key(|&t| (std::cmp::Reverse(index.successors(t).len()), t));
        Self::from_tokens(tokens)
    }

    pub(super) fn from_tokens(tokens: Vec<Token>) -> Self {
        let mut ranks = vec![0; tokens.len()];
        for (rank, &token) in tokens.iter().enumerate() {
            ranks[token as usize] = rank as Rank;
        }
        Self { tokens, ranks }
    }

    /// The number of words.
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

    /// The rank of a token.
    #[must_use]
    #[inline]
    pub fn rank(&self, token: Token) -> Rank {
        self.ranks[token as usize]
    }

    /// The bytes of `ranks.bin`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24 + self.tokens.len() * 4);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(self.tokens.len() as u32).to_le_bytes());
        for token in &self.tokens {
            bytes.extend_from_slice(&token.to_le_bytes());
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
        let count = word(12).ok_or_else(|| damaged("it ends in its header".into()))? as usize;
        let body = 16 + count * 4;
        if bytes.len() != body + 8 {
            return Err(damaged(format!("expected {} bytes, found {}", body + 8, bytes.len())));
        }
        if xxh3_64(&bytes[..body]).to_le_bytes() != bytes[body..] {
            return Err(damaged("its checksum does not match".into()));
        }
        let tokens: Vec<Token> = (0..count).filter_map(|i| word(16 + i * 4)).collect();
        let mut seen = vec![false; count];
        for &token in &tokens {
            match seen.get_mut(token as usize) {
                Some(place) if !*place => *place = true,
                _ => return Err(damaged(format!("token {token} is no word or there twice"))),
            }
        }
        Ok(Self::from_tokens(tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_truncation_is_noticed() {
        let ranks = Ranks::from_tokens(vec![2, 0, 1]);
        let bytes = ranks.encode();
        assert_eq!(Ranks::decode("r", &bytes).ok(), Some(ranks));
        for i in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[i / 8] ^= 1 << (i % 8);
            assert!(Ranks::decode("r", &bad).is_err(), "bit {i}");
        }
        for len in 0..bytes.len() {
            assert!(Ranks::decode("r", &bytes[..len]).is_err(), "length {len}");
        }
    }
}
