//! `interner.bin`: an [`Interner`] as bytes. `docs/formats/interner.md` says the same with an example.
//!
//! All fixed-size numbers are little-endian; a varint is LEB128: 7 bits a byte, the lowest first, the top bit set on
//! all bytes but the last, and no longer than needed.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | magic: `89 66 6f 6c 64 69 6e 74` (0x89, then `foldint`) |
//! | 4 | version: 1 |
//! | 4 | number of words |
//! | 4 | number of sentences |
//! | 4 | number of words of all sentences |
//! | 8 | letters: the length of all words together in bytes |
//! | | for each word, ascending: varint length of the prefix shared with the word before it (the longest there is, in bytes), varint length of the rest, the rest |
//! | | for each sentence, ascending: varint number of words less 2, each word's token as a varint |
//! | 16 | XXH3-128 (seed 0) of everything before, its low 8 bytes first |
//!
//! There is exactly one encoding of an interner, and the decoder takes no other, save that it does not check that the
//! sentences are maximal. It trusts no count: it grows what it builds as bytes arrive, so a wrong count ends in
//! [`Code::Damaged`] and not in a huge allocation.

use std::io::{self, ErrorKind, Read, Write};

use xxhash_rust::xxh3::Xxh3;

use super::sentences::MAX_TOKENS;
use super::vocabulary::MAX_WORDS;
use super::{Interner, Sentences, Token, Vocabulary};
use crate::error::{Code, Error, Result};

const MAGIC: [u8; 8] = *b"\x89foldint";
const VERSION: u32 = 1;
const HEADER: usize = 32;
const CHECKSUM: usize = 16;
const BUFFER: usize = 64 << 10;

pub(super) fn encode(interner: &Interner, writer: &mut dyn Write) -> io::Result<()> {
    let mut out = Out { writer, hash: Xxh3::new(), buffer: Vec::with_capacity(BUFFER + 16) };
    out.bytes(&MAGIC)?;
    out.bytes(&VERSION.to_le_bytes())?;
    // The limits on building an interner keep these counts within 32 bits.
    for count in [interner.vocabulary.len(), interner.sentences.len(), interner.sentences.tokens().len()] {
        out.bytes(&(count as u32).to_le_bytes())?;
    }
    out.bytes(&(interner.vocabulary.letters() as u64).to_le_bytes())?;
    let mut previous = "";
    for word in interner.vocabulary.iter() {
        let shared = shared_prefix(previous.as_bytes(), word.as_bytes());
        out.varint(shared as u32)?;
        out.varint((word.len() - shared) as u32)?;
        out.bytes(&word.as_bytes()[shared..])?;
        previous = word;
    }
    for sentence in interner.sentences.iter() {
        out.varint(sentence.len() as u32 - 2)?;
        for &token in sentence {
            out.varint(token)?;
        }
    }
    out.flush()?;
    let checksum = out.hash.digest128().to_le_bytes();
    out.writer.write_all(&checksum)
}

fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// A buffered writer that hashes what goes through it.
struct Out<'a> {
    writer: &'a mut dyn Write,
    hash: Xxh3,
    buffer: Vec<u8>,
}

impl Out<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn varint(&mut self, mut value: u32) -> io::Result<()> {
        while value >= 0x80 {
            self.buffer.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes(&[value as u8])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hash.update(&self.buffer);
        self.writer.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

pub(super) fn decode(name: &str, reader: &mut dyn Read, len: u64) -> Result<Interner> {
    let Some(body) = len.checked_sub((HEADER + CHECKSUM) as u64) else {
        let least = HEADER + CHECKSUM;
        return Err(damaged(name, &format!("it has {len} bytes and the shortest interner has {least}")));
    };
    let mut input = In {
        name,
        reader,
        hash: Xxh3::new(),
        buffer: vec![0; BUFFER],
        at: 0,
        filled: 0,
        left: body + HEADER as u64,
    };
    let magic = input.array::<8>()?;
    if magic != MAGIC {
        return Err(damaged(name, &format!("it starts with {magic:02x?}, an interner with {MAGIC:02x?}")));
    }
    let version = u32::from_le_bytes(input.array()?);
    if version > VERSION {
        return Err(Error::new(
            Code::NewerFormat,
            format!(
                "{name} is an interner of format version {version} and this program reads up to version {VERSION}; \
                 use a newer fold-worker"
            ),
        ));
    }
    if version != VERSION {
        return Err(damaged(name, &format!("its format version is {version}, expected {VERSION}")));
    }
    let words = u32::from_le_bytes(input.array()?);
    let sentences = u32::from_le_bytes(input.array()?);
    let tokens = u32::from_le_bytes(input.array()?);
    let letters = u64::from_le_bytes(input.array()?);
    if words as usize > MAX_WORDS || tokens as usize > MAX_TOKENS {
        return Err(damaged(
            name,
            &format!("it claims {words} words and {tokens} tokens, more than there can be"),
        ));
    }
    let vocabulary = decode_vocabulary(&mut input, words, letters)?;
    let sentences = decode_sentences(&mut input, words, sentences, tokens)?;
    if input.left > 0 || input.at < input.filled {
        return Err(damaged(name, "bytes follow its last sentence"));
    }
    let computed = input.hash.digest128();
    let mut stored = [0; CHECKSUM];
    input.reader.read_exact(&mut stored).map_err(|cause| unreadable(name, cause))?;
    if u128::from_le_bytes(stored) != computed {
        return Err(damaged(
            name,
            &format!(
                "its checksum is {:032x} and its bytes have {computed:032x}",
                u128::from_le_bytes(stored)
            ),
        ));
    }
    Ok(Interner { vocabulary, sentences })
}

fn decode_vocabulary(input: &mut In<'_>, words: u32, letters: u64) -> Result<Vocabulary> {
    let name = input.name;
    let mut vocabulary = Vocabulary::default();
    let mut word = Vec::new();
    for index in 0..words {
        let shared = input.varint()? as usize;
        let rest = input.varint()?;
        if shared > word.len() {
            return Err(damaged(
                name,
                &format!("word {index} shares {shared} bytes with one of {}", word.len()),
            ));
        }
        let below = word.get(shared).copied();
        word.truncate(shared);
        input.append(rest, &mut word)?;
        // Greater than the word before it, and no longer prefix shared: the next byte is greater.
        if below.is_some_and(|b| word.get(shared).is_none_or(|&w| w <= b)) || word.len() == shared {
            return Err(damaged(name, &format!("word {index} is not greater than the one before it")));
        }
        let Ok(text) = std::str::from_utf8(&word) else {
            return Err(damaged(name, &format!("word {index} is not UTF-8")));
        };
        if text.contains('\n') {
            return Err(damaged(name, &format!("word {index} holds a line feed")));
        }
        if (vocabulary.letters() + word.len()) as u64 > letters {
            return Err(damaged(name, &format!("its words have more than the {letters} bytes announced")));
        }
        vocabulary.push(text).map_err(|_| damaged(name, "its words are longer than any can be"))?;
    }
    if vocabulary.letters() as u64 != letters {
        let found = vocabulary.letters();
        return Err(damaged(name, &format!("its words have {found} bytes, not the {letters} announced")));
    }
    vocabulary.shrink();
    Ok(vocabulary)
}

fn decode_sentences(input: &mut In<'_>, words: u32, sentences: u32, tokens: u32) -> Result<Sentences> {
    let name = input.name;
    // A token takes at least one byte.
    let mut all: Vec<Token> = Vec::with_capacity(u64::from(tokens).min(input.remaining()) as usize);
    let mut lengths: Vec<u32> = Vec::new();
    let mut previous = 0;
    for index in 0..sentences {
        let length = u64::from(input.varint()?) + 2;
        if all.len() as u64 + length > u64::from(tokens) {
            return Err(damaged(name, &format!("its sentences have more than the {tokens} words announced")));
        }
        let start = all.len();
        for _ in 0..length {
            let token = input.varint()?;
            if token >= words {
                return Err(damaged(name, &format!("sentence {index} has token {token} of {words} words")));
            }
            all.push(token);
        }
        if index > 0 && all[previous..start] >= all[start..] {
            return Err(damaged(name, &format!("sentence {index} is not greater than the one before it")));
        }
        previous = start;
        lengths.push(length as u32);
    }
    if all.len() != tokens as usize {
        return Err(damaged(
            name,
            &format!("its sentences have {} words, not the {tokens} announced", all.len()),
        ));
    }
    all.shrink_to_fit();
    Ok(Sentences::from_canonical(all, lengths))
}

/// A buffered reader of the hashed part.
struct In<'a> {
    name: &'a str,
    reader: &'a mut dyn Read,
    hash: Xxh3,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    /// Bytes of the hashed part not yet in the buffer.
    left: u64,
}

impl In<'_> {
    /// Bytes of the hashed part not yet taken.
    fn remaining(&self) -> u64 {
        self.left + (self.filled - self.at) as u64
    }

    #[cold]
    fn fill(&mut self) -> Result<()> {
        let want = self.left.min(BUFFER as u64) as usize;
        if want == 0 {
            return Err(damaged(self.name, "it ends within its contents"));
        }
        let chunk = &mut self.buffer[..want];
        self.reader.read_exact(chunk).map_err(|cause| unreadable(self.name, cause))?;
        self.hash.update(chunk);
        self.left -= want as u64;
        self.at = 0;
        self.filled = want;
        Ok(())
    }

    #[inline]
    fn byte(&mut self) -> Result<u8> {
        if self.at == self.filled {
            self.fill()?;
        }
        let byte = self.buffer[self.at];
        self.at += 1;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    #[inline]
    fn varint(&mut self) -> Result<u32> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            let bits = u32::from(byte & 0x7f);
            if (shift == 28 && bits > 0xf) || (byte == 0 && shift > 0) {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(damaged(self.name, "a number in it is not a 32-bit varint of least length"))
    }

    fn append(&mut self, count: u32, to: &mut Vec<u8>) -> Result<()> {
        let mut count = count as usize;
        while count > 0 {
            if self.at == self.filled {
                self.fill()?;
            }
            let now = count.min(self.filled - self.at);
            to.extend_from_slice(&self.buffer[self.at..self.at + now]);
            self.at += now;
            count -= now;
        }
        Ok(())
    }
}

fn damaged(name: &str, what: &str) -> Error {
    Error::new(
        Code::Damaged,
        format!("{name} is damaged: {what}; take another copy or make it anew from the text"),
    )
}

fn unreadable(name: &str, cause: io::Error) -> Error {
    if cause.kind() == ErrorKind::UnexpectedEof {
        return damaged(name, "it is shorter than its length was given as").because(cause);
    }
    Error::new(Code::Io, format!("reading {name} failed: {cause}")).because(cause)
}
