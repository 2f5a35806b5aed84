//! Orthos on disk: how they are coded into records, counted, and read back as a stream.
//!
//! Each shape has a [`DiskBackedQueue`](crate::disk_backed_queue) of its own, `results/<shape>/`. A record is
//! readable by itself and holds many orthos, in one of two codings:
//!
//! - **list**: one ortho after the other, each as the number of cells it shares with the one before and the rest;
//! - **cubes** (2x2, 2x2x2, 2x2x2x2): what the search finds together is written together and expanded on reading.
//!   A 2x2x2x2 record holds, for two opposite edges of a cube of bigrams, the *ears* that can stand on either side
//!   and bit masks that pair them, so that most orthos take far less than a byte of their own.
//!
//! A third kind of record says which [table of ranks](RankTables) those behind it use.
//!
//! Tokens are written as [ranks](Ranks). Orthos are written in their grown form and made canonical on reading.
//! `docs/formats/results.md` gives every byte.
//!
//! [`Emitter`] (one a thread) codes, counts and hashes; [`ResultsWriter`] (one for all) owns the queues;
//! [`ResultsReader`] gives the orthos of a shape back, in the same order every time.

mod allowance;
mod copy;
mod cubes;
mod emitter;
mod filter;
mod keys;
mod list;
mod ranks;
mod reader;
#[cfg(test)]
mod tests;
mod varint;
mod writer;

pub use allowance::Allowance;
pub(crate) use copy::copy_record;
pub use copy::{Removed, Renumbered};
pub use emitter::{Block, Ear, Emitter, Found};
pub use filter::Filter;
pub(crate) use filter::{bits, split};
pub use ranks::{MAX_TABLES, Rank, RankTables, Ranks};
pub(crate) use reader::Files;
pub use reader::{Cursor, ResultsReader};
pub use writer::{Committed, Kept, Lane, OPEN_QUEUES, ResultsWriter};

use std::fmt::Debug;

use crate::text::Token;

/// Tells which orthos are held elsewhere already, by texts whose orthos are all there: an ortho is held by such a text
/// exactly if each of its lines is a phrase of it. Up to 8 texts are bits of a mask.
pub trait Known: Sync + Debug {
    /// The texts that have a bigram.
    fn bigram(&self, a: Token, b: Token) -> u8;

    /// The texts of `among` that have every line of an ortho, given in grown form by its tokens.
    fn ortho(&self, dims: &[u32], tokens: &[Token], among: u8) -> u8;
}

/// Whether a record only says which table those after it use.
#[must_use]
pub fn names_table(record: &[u8]) -> bool {
    record.first() == Some(&kind::TABLE)
}

/// The first byte of a record: how it is coded.
mod kind {
    pub(super) const LIST: u8 = 0;
    pub(super) const TABLE: u8 = 1;
    pub(super) const SQUARES: u8 = 2;
    pub(super) const CUBES: u8 = 3;
    pub(super) const TESSERACTS: u8 = 4;
    pub(super) const TURNED: u8 = 5;
}

/// Records are cut at the first opportunity after this many bytes.
const RECORD_BYTES: usize = 64 * 1024;
