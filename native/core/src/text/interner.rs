//! The interner: a text reduced to its vocabulary and its set of phrases.
//!
//! Guarantees: two texts with the same words and the same phrases give interners that are equal, encode to equal
//! bytes and have equal digests, in whatever order and however often their sentences came. Hence
//! [`Interner::union`] is commutative, associative and idempotent, and equals the interner of both texts together.
//!
//! Costs of reading a text of N bytes with n words in distinct sentences: time linear in N but for the sorting of the
//! vocabulary; memory at its peak about 12.5 n bytes, and 16 bytes a distinct word on top: some 3 N on prose.
//! Afterwards 4.125 bytes a word of the maximal sentences and the vocabulary.

use std::fmt::{self, Debug};
use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

use super::sentences::SentenceSet;
use super::splitter::{SentenceSink, split};
use super::vocabulary::WordTable;
use super::{Check, Sentences, Token, Vocabulary, codec};
use crate::error::{Code, Error, Result};

/// The vocabulary of a text and its phrases, in canonical form. See the [module](self).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Interner {
    pub(super) vocabulary: Vocabulary,
    pub(super) sentences: Sentences,
}

/// The interner of two texts together, with the new numbers of the words of each. See [`Interner::union`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Union {
    /// The interner of both.
    pub interner: Interner,
    /// The token in the union of each token of the first; strictly ascending.
    pub map_a: Vec<Token>,
    /// The token in the union of each token of the second; strictly ascending.
    pub map_b: Vec<Token>,
}

impl Interner {
    /// The interner of a text in memory; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`from_reader`](Self::from_reader).
    pub fn from_bytes(name: &str, mut bytes: &[u8]) -> Result<Self> {
        Self::from_reader(name, &mut bytes)
    }

    /// The interner of all that `reader` gives; `name` is what errors call it.
    ///
    /// # Errors
    /// [`Code::InputNotUtf8`], [`Code::InputUnreadable`], or [`Code::InputTooLarge`] past 2^31 words in distinct
    /// sentences, 2^31 distinct words, or 4 GiB of distinct words.
    pub fn from_reader(name: &str, reader: &mut dyn Read) -> Result<Self> {
        Self::from_reader_within(name, reader, u64::MAX)
    }

    /// [`from_reader`](Self::from_reader) in at most about `memory` bytes.
    ///
    /// # Errors
    /// Besides those, [`Code::MemoryTooSmall`] with the amount that would do. The rest of the text is then read
    /// to its end, unstored, to tell that amount.
    pub fn from_reader_within(name: &str, reader: &mut dyn Read, memory: u64) -> Result<Self> {
        Self::from_reader_while(name, reader, memory, &|| Ok(()))
    }

    /// [`from_reader_within`](Self::from_reader_within) as long as `check` says nothing against it. It is asked once all
    /// is read, every few dozen milliseconds; before that it is for the reader to fail.
    ///
    /// # Errors
    /// Besides, those of `check`.
    pub fn from_reader_while(
        name: &str,
        reader: &mut dyn Read,
        memory: u64,
        check: Check<'_>,
    ) -> Result<Self> {
        let mut reader = Counting { reader, count: 0 };
        let mut builder = Builder { memory, ..Builder::default() };
        let outcome = split(name, &mut reader, &mut builder);
        let other_error = outcome.as_ref().is_err_and(|error| error.code() != Code::MemoryTooSmall);
        if !other_error && builder.needed() > memory {
            let read = reader.count.max(1);
            // A failure to read on only makes the estimate smaller.
            let _ = io::copy(&mut reader, &mut io::sink());
            let needed = u128::from(builder.needed()) * u128::from(reader.count) / u128::from(read) * 11 / 10;
            let needed = u64::try_from(needed).unwrap_or(u64::MAX);
            return Err(Error::memory_too_small(format!("reading {name}"), needed, memory));
        }
        outcome?;
        builder.finish(check)
    }

    /// The words and their tokens.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The number of distinct words; tokens are less.
    #[must_use]
    pub fn vocabulary_len(&self) -> usize {
        self.vocabulary.len()
    }

    /// The word of a token.
    ///
    /// # Panics
    /// If the token is not less than [`vocabulary_len`](Self::vocabulary_len); [`Vocabulary::get`] does not.
    #[must_use]
    pub fn word(&self, token: Token) -> &str {
        match self.vocabulary.get(token) {
            Some(word) => word,
            None => panic!("token {token} of a vocabulary of {}", self.vocabulary.len()),
        }
    }

    /// The token of a word, if the text has it. Cost: logarithmic.
    #[must_use]
    pub fn token(&self, word: &str) -> Option<Token> {
        self.vocabulary.token(word)
    }

    /// All words, in the order of their tokens.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.vocabulary.iter()
    }

    /// The maximal sentences as one store.
    #[must_use]
    pub fn sentence_store(&self) -> &Sentences {
        &self.sentences
    }

    /// The maximal sentences in lexicographic order of their tokens.
    pub fn sentences(&self) -> impl Iterator<Item = &[Token]> {
        self.sentences.iter()
    }

    /// The number of maximal sentences.
    #[must_use]
    pub fn sentence_count(&self) -> usize {
        self.sentences.len()
    }

    /// The number of words of all maximal sentences.
    #[must_use]
    pub fn token_count(&self) -> usize {
        self.sentences.tokens().len()
    }

    /// Bytes of memory taken.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.vocabulary.memory_bytes() + self.sentences.memory_bytes()
    }

    /// The interner of both texts together: the union of the vocabularies and of the phrase sets.
    ///
    /// Cost: linear in both.
    ///
    /// # Errors
    /// [`Code::InputTooLarge`], as for a text.
    pub fn union(&self, other: &Self) -> Result<Union> {
        self.union_while(other, &|| Ok(()))
    }

    /// [`union`](Self::union) as long as `check` says nothing against it; it is asked every few dozen milliseconds.
    ///
    /// # Errors
    /// Besides, those of `check`.
    pub fn union_while(&self, other: &Self, check: Check<'_>) -> Result<Union> {
        let (vocabulary, map_a, map_b) = merge_vocabularies(&self.vocabulary, &other.vocabulary)?;
        let mut set = SentenceSet::default();
        for (interner, map) in [(self, &map_a), (other, &map_b)] {
            for (number, sentence) in interner.sentences().enumerate() {
                if number.is_multiple_of(1 << 16) {
                    check()?;
                }
                for &token in sentence {
                    set.push(map[token as usize])?;
                }
                set.end_sentence();
            }
        }
        let identity: Vec<Token> = (0..vocabulary.len() as Token).collect();
        let sentences = set.canonical(&identity, check)?;
        Ok(Union { interner: Self { vocabulary, sentences }, map_a, map_b })
    }

    /// SHA-256 of the content: equal for equal interners, whatever their history.
    ///
    /// The bytes hashed are `fold-interner-1`, the number of words, each word's length in bytes and its bytes, the
    /// number of sentences, each sentence's length in words and its tokens; numbers as 64-bit little-endian, tokens
    /// as 32-bit.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"fold-interner-1");
        hash.update((self.vocabulary.len() as u64).to_le_bytes());
        for word in self.words() {
            hash.update((word.len() as u64).to_le_bytes());
            hash.update(word);
        }
        hash.update((self.sentences.len() as u64).to_le_bytes());
        let mut bytes = Vec::new();
        for sentence in self.sentences() {
            bytes.clear();
            bytes.extend_from_slice(&(sentence.len() as u64).to_le_bytes());
            bytes.extend(sentence.iter().flat_map(|token| token.to_le_bytes()));
            hash.update(&bytes);
        }
        hash.finalize().into()
    }

    /// Writes the form that `docs/formats/interner.md` describes. Equal interners give equal bytes.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn encode_to(&self, writer: &mut dyn Write) -> io::Result<()> {
        codec::encode(self, writer)
    }

    /// Reads what [`encode_to`](Self::encode_to) wrote: exactly `len` bytes of `reader`, called `name` in errors.
    ///
    /// Memory never exceeds what the bytes read so far justify, whatever the counts in them say.
    ///
    /// # Errors
    /// [`Code::Damaged`] for bytes that were cut short or changed, [`Code::NewerFormat`] for those of a later version,
    /// [`Code::Io`] if the reader fails.
    pub fn decode(name: &str, reader: &mut dyn Read, len: u64) -> Result<Self> {
        codec::decode(name, reader, len)
    }
}

impl Debug for Interner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interner")
            .field("words", &self.vocabulary_len())
            .field("sentences", &self.sentence_count())
            .field("tokens", &self.token_count())
            .finish()
    }
}

/// Merges two sorted lists of words; the maps give the new token of each old one.
fn merge_vocabularies(a: &Vocabulary, b: &Vocabulary) -> Result<(Vocabulary, Vec<Token>, Vec<Token>)> {
    let mut merged = Vocabulary::default();
    let mut map_a = Vec::with_capacity(a.len());
    let mut map_b = Vec::with_capacity(b.len());
    let (mut words_a, mut words_b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let token = merged.len() as Token;
        let next = match (words_a.peek(), words_b.peek()) {
            (None, None) => break,
            (Some(&x), Some(&y)) => x.min(y),
            (Some(&x), None) => x,
            (None, Some(&y)) => y,
        };
        merged.push(next)?;
        if words_a.next_if_eq(&next).is_some() {
            map_a.push(token);
        }
        if words_b.next_if_eq(&next).is_some() {
            map_b.push(token);
        }
    }
    merged.shrink();
    Ok((merged, map_a, map_b))
}

/// Collects words and sentences from the splitter.
#[derive(Default)]
struct Builder {
    words: WordTable,
    sentences: SentenceSet,
    memory: u64,
    /// Words until the memory is looked at again.
    unchecked: u32,
}

impl Builder {
    /// The peak of memory in bytes if the text ended now.
    fn needed(&self) -> u64 {
        let sentences = self.sentences.memory_bytes();
        let reading = self.words.memory_bytes() + sentences;
        let sorting = self.words.finish_bytes() + sentences;
        let finishing = self.words.finish_bytes() + self.sentences.canonical_bytes(self.words.len());
        reading.max(sorting).max(finishing) as u64
    }

    fn check_memory(&mut self) -> Result<()> {
        self.unchecked = 1 << 14;
        if self.needed() > self.memory {
            return Err(Error::new(Code::MemoryTooSmall, "the memory budget is used up"));
        }
        Ok(())
    }

    fn finish(self, check: Check<'_>) -> Result<Interner> {
        check()?;
        let (vocabulary, map) = self.words.finish()?;
        check()?;
        let sentences = self.sentences.canonical(&map, check)?;
        Ok(Interner { vocabulary, sentences })
    }
}

impl SentenceSink for Builder {
    fn word(&mut self, word: &str) -> Result<()> {
        let number = self.words.intern(word)?;
        if self.unchecked == 0 {
            self.check_memory()?;
        }
        self.unchecked -= 1;
        self.sentences.push(number)
    }

    fn end_sentence(&mut self) -> Result<()> {
        self.sentences.end_sentence();
        Ok(())
    }
}

/// A reader that counts its bytes.
struct Counting<'a> {
    reader: &'a mut dyn Read,
    count: u64,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.reader.read(buffer)?;
        self.count += got as u64;
        Ok(got)
    }
}
