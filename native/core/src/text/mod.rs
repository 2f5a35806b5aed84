//! From UTF-8 text to the phrases that a search works on.
//!
//! ```text
//! bytes --splitter--> sentences --Interner--> vocabulary + maximal sentences --PhraseIndex--> queries
//! ```
//!
//! - [`splitter`] cuts a stream into sentences of words, in bounded memory.
//! - [`Interner`] is the text reduced to what matters: the sorted [`Vocabulary`] and the set of phrases, held as
//!   the sorted set of [maximal sentences](Sentences). Equal content has one form only, so it can be digested,
//!   stored (`interner.bin`) and united with another one.
//! - [`PhraseIndex`] answers what follows a run of words, by suffix array and bigram table.
//!
//! Guarantees: the same text gives the same interner on every machine; the order and repetition of sentences do not
//! matter. Costs: see [`interner`] for building and [`phrase_index`] for the memory while in use.

use crate::error::Result;

mod bits;
mod codec;
pub mod interner;
mod locate;
pub mod phrase_index;
mod sentences;
pub mod splitter;
pub(crate) mod suffix_array;
mod vocabulary;

pub use bits::Bits;
pub use interner::{Interner, Union};
pub use locate::{Places, locate};
pub use phrase_index::{Completions, Phrase, PhraseIndex};
pub use sentences::Sentences;
pub use splitter::{SentenceSink, split, split_bytes};
pub use vocabulary::Vocabulary;

/// The index of a word in the ascending vocabulary.
pub type Token = u32;

/// Asked now and then in long work whether to go on; its error ends the work.
pub type Check<'a> = &'a dyn Fn() -> Result<()>;
