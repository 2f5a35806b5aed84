//! Texts all of whose orthos are in an archive without having been searched for: what a merge had copied when a limit ended it.
//!
//! The archive keeps their phrases ([`Checkpoint::left_out`](crate::checkpoint::Checkpoint)), so that whoever goes on with it leaves
//! the same out without having the merged archives.

use std::sync::Arc;

use super::INDEX_BYTES;
use crate::error::{Code, Error, Result};
use crate::search::Exclusion;
use crate::text::{Check, Interner, PhraseIndex, Token};

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Each with the token of the whole for each of its own.
    texts: Vec<(PhraseIndex, Vec<Token>)>,
}

impl LeftOut {
    /// Takes them up, within a budget of memory.
    ///
    /// # Errors
    /// [`Code::Damaged`] if one is no part of the whole, [`Code::MemoryTooSmall`], those of `check`.
    pub(super) fn new(
        parts: &[Interner],
        whole: &PhraseIndex,
        memory: u64,
        check: Check<'_>,
    ) -> Result<Self> {
        let mut left_out = Self::default();
        for part in parts {
            // Finding the way between the words makes the whole anew.
            let index = part.memory_bytes() as u64 + part.token_count() as u64 * INDEX_BYTES;
            let words = Exclusion::memory_of(whole.interner().vocabulary_len());
            let needed =
                left_out.memory(whole) + index.max(whole.interner().memory_bytes() as u64 * 5) + words;
            if needed > memory {
                return Err(Error::memory_too_small("what the merge had copied", needed, memory));
            }
            let union = whole.interner().union_while(part, check)?;
            if union.interner != **whole.interner() {
                return Err(Error::new(
                    Code::Damaged,
                    "its progress leaves out a text that is no part of it",
                ));
            }
            let index = PhraseIndex::build_while(Arc::new(part.clone()), check)?;
            left_out.texts.push((index, union.map_b));
        }
        Ok(left_out)
    }

    /// Bytes of memory taken.
    pub(super) fn memory(&self, whole: &PhraseIndex) -> u64 {
        let words = Exclusion::memory_of(whole.interner().vocabulary_len());
        self.texts.iter().map(|(index, map)| (index.memory_bytes() + map.len() * 4) as u64 + words).sum()
    }

    /// What a search of the whole has to leave out.
    pub(super) fn exclusion<'a>(&'a self, whole: &'a PhraseIndex) -> Option<Exclusion<'a>> {
        let texts: Vec<(&PhraseIndex, &[Token])> =
            self.texts.iter().map(|(index, map)| (index, map.as_slice())).collect();
        (!texts.is_empty()).then(|| Exclusion::new(whole, &texts))
    }
}
