//! The orthos of an archive as a stream.
//!
//! Cost: what decoding costs; as text, a copy of each word from one table besides, with no allocation an
//! ortho. Each call does a bounded amount of work, also if the filter lets almost nothing through.

use std::collections::VecDeque;
use std::sync::Arc;

use super::manifest::Manifest;
use super::shape::Shape;
use crate::error::{Code, Error, Result};
use crate::ortho::Ortho;
use crate::results::{Cursor, ResultsReader};
use crate::text::{Interner, Token};

/// Orthos looked at in one call at most: some hundredths of a second.
const LOOKED_AT: u64 = 1 << 18;

/// Which orthos of an archive are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this shape only.
    pub shape: Option<Shape>,
    /// Those with this word only.
    pub word: Option<String>,
    /// The first so many of these only.
    pub limit: Option<u64>,
}

/// All words in one string, each with a space before it.
#[derive(Debug)]
pub(super) struct Words {
    text: Vec<u8>,
    /// Where each word with its space starts, and the end of the last.
    starts: Vec<u32>,
}

impl Words {
    pub(super) fn of(interner: &Interner) -> Self {
        let mut words = Self { text: Vec::new(), starts: Vec::with_capacity(interner.vocabulary_len() + 1) };
        for word in interner.words() {
            words.starts.push(words.text.len() as u32);
            words.text.push(b' ');
            words.text.extend_from_slice(word.as_bytes());
        }
        words.starts.push(words.text.len() as u32);
        words
    }

    #[inline]
    fn get(&self, token: Token) -> Option<&[u8]> {
        let at = token as usize;
        self.text.get(*self.starts.get(at)? as usize..*self.starts.get(at + 1)? as usize)
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct Orthos {
    results: ResultsReader,
    /// Shapes to come.
    shapes: VecDeque<Shape>,
    cursor: Option<Cursor>,
    /// The name of the cursor's shape.
    prefix: Vec<u8>,
    word: Option<Token>,
    left: u64,
    words: Arc<Words>,
    current: Ortho,
}

impl Orthos {
    pub(super) fn new(
        results: ResultsReader,
        filter: &Filter,
        manifest: &Manifest,
        interner: &Interner,
        words: Arc<Words>,
    ) -> Self {
        let word = filter.word.as_deref().map(|word| interner.token(word));
        let nothing = word == Some(None);
        let wanted = |shape: &Shape| !nothing && filter.shape.as_ref().is_none_or(|only| only == shape);
        Self {
            results,
            shapes: manifest
                .shapes
                .iter()
                .map(|(shape, _)| shape)
                .filter(|shape| wanted(shape))
                .cloned()
                .collect(),
            cursor: None,
            prefix: Vec::new(),
            word: word.flatten(),
            left: filter.limit.unwrap_or(u64::MAX),
            words,
            current: Ortho::default(),
        }
    }

    /// Puts the next orthos into `batch`, `max` at most; what it held is forgotten but its memory used again.
    ///
    /// Gives `false` once there are no more; `true` with an empty batch says that none of those looked at was wanted.
    ///
    /// # Errors
    /// [`Code::Damaged`] naming the file, or a failure to read; `batch` holds what came before.
    pub fn next_batch(&mut self, max: usize, batch: &mut Vec<Ortho>) -> Result<bool> {
        let mut spare = std::mem::take(batch);
        let mut looked_at = 0;
        while batch.len() < max && looked_at < LOOKED_AT {
            if !self.advance()? {
                return Ok(!batch.is_empty());
            }
            looked_at += 1;
            if self.wanted() {
                self.left -= 1;
                let mut next = spare.pop().unwrap_or_default();
                next.clone_from(&self.current);
                batch.push(next);
            }
        }
        Ok(true)
    }

    /// Puts lines `2x3<TAB>word word ...` into `text` until it has `max_bytes` or a little more (never ending within a
    /// line); what it held is forgotten. The result is as for [`next_batch`](Self::next_batch).
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch).
    pub fn next_text(&mut self, max_bytes: usize, text: &mut Vec<u8>) -> Result<bool> {
        text.clear();
        let mut looked_at = 0;
        while text.len() < max_bytes && looked_at < LOOKED_AT {
            if !self.advance()? {
                return Ok(!text.is_empty());
            }
            looked_at += 1;
            if self.wanted() {
                self.left -= 1;
                self.write_line(text)?;
            }
        }
        Ok(true)
    }

    #[inline]
    fn wanted(&self) -> bool {
        self.word.is_none_or(|word| self.current.tokens.contains(&word))
    }

    fn write_line(&self, text: &mut Vec<u8>) -> Result<()> {
        text.extend_from_slice(&self.prefix);
        let start = text.len();
        for &token in &self.current.tokens {
            let Some(word) = self.words.get(token) else {
                return Err(Error::new(
                    Code::Damaged,
                    format!(
                        "an ortho has token {token}, which is no word; verify the archive to learn which files are damaged"
                    ),
                ));
            };
            text.extend_from_slice(word);
        }
        // The first word's space makes room for the tab.
        if let Some(space) = text.get_mut(start) {
            *space = b'\t';
        }
        text.push(b'\n');
        Ok(())
    }

    /// Moves to the next ortho of all.
    fn advance(&mut self) -> Result<bool> {
        while self.left > 0 {
            if let Some(cursor) = &mut self.cursor
                && cursor.next(&mut self.current)?
            {
                return Ok(true);
            }
            self.cursor = None;
            let Some(shape) = self.shapes.pop_front() else { return Ok(false) };
            self.prefix = shape.to_string().into_bytes();
            self.cursor = Some(self.results.cursor(shape.dims())?);
        }
        Ok(false)
    }
}
