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
//! Tokens are written as [ranks](Ranks). Orthos are written in their grown form and made canonical on reading.
//! `docs/formats/results.md` gives every byte.
//!
//! [`Emitter`] (one a thread) codes, counts and hashes; [`ResultsWriter`] (one for all) owns the queues;
//! [`ResultsReader`] gives the orthos of a shape back, in the same order every time.

mod allowance;
mod cubes;
mod emitter;
mod keys;
mod list;
mod ranks;
mod reader;
#[cfg(test)]
mod tests;
mod varint;
mod writer;

pub use allowance::Allowance;
pub use emitter::{Block, Ear, Emitter, Found};
pub use ranks::{Rank, Ranks};
pub use reader::{Cursor, ResultsReader};
pub use writer::{Committed, Kept, Lane, OPEN_QUEUES, ResultsWriter};

/// The first byte of a record: how it is coded.
mod kind {
    pub(super) const LIST: u8 = 0;
    pub(super) const SQUARES: u8 = 2;
    pub(super) const CUBES: u8 = 3;
    pub(super) const TESSERACTS: u8 = 4;
}

/// Records are cut at the first opportunity after this many bytes.
const RECORD_BYTES: usize = 64 * 1024;
