//! The archive: a directory `*.bin` with all that a search found, written whole or not at all, and checked when read.
//!
//! ```text
//! NAME.bin/
//!   manifest.json      what it holds, and length and SHA-256 of every file      Manifest
//!   SHA256SUMS         the same sums for `sha256sum -c`; guards the manifest
//!   interner.bin       the vocabulary and the phrases                           text::Interner
//!   ranks.bin          the numbers that the results use for words             results::Ranks
//!   tallies.bin        counts and sums of hashes by shape                   digest::SetTally
//!   results/           the orthos, a queue for each shape                       results
//!   optimal.txt        the optimal ortho, drawn                                 draw
//!   lineage.txt        the input names that went into it                        Lineage
//! ```
//!
//! - [`ArchiveWriter`] builds one under a temporary name and renames it into place at the end.
//! - [`ArchiveReader`] opens one: cheap checks at once, checksums as far as it is read. [`Orthos`] streams.
//! - [`survey`](survey::survey) counts words and origins, and takes a sample, without reading all of a large one.
//! - [`verify`](verify::verify) checks everything: every byte, every ortho, every number in the manifest.
//!
//! Guarantees: an archive under its final name is complete and durable; whatever stops a writer, nothing
//! but its temporary directory can be left; a change of any bit is found by opening or verifying, and named. Costs:
//! one pass over the bytes for their sums, done while they are written.
//!
//! `docs/formats/archive.md` gives every byte.

mod drawing;
mod leftover;
mod lineage;
mod manifest;
mod orthos;
mod reader;
mod shape;
mod staging;
mod sums;
pub mod survey;
mod tallies;
#[cfg(test)]
pub(crate) mod tests;
pub mod verify;
mod writer;

pub use drawing::draw;
pub use leftover::Leftover;
pub use lineage::Lineage;
pub use manifest::{
    Excluded, FORMAT, FORMAT_VERSION, FileInfo, Goal, InputInfo, Limit, Manifest, Optimal, PROGRAM, Proof,
    SearchInfo, TOKENIZER,
};
pub use orthos::{Filter, Orthos};
pub use reader::ArchiveReader;
pub(crate) use reader::{
    check_lengths, inside, load_best, load_interner, load_manifest, load_results, load_tallies,
};
pub use shape::{Shape, ShapeCounts};
pub(crate) use sums::{hash_reader, hex};
pub use writer::{ArchiveWriter, Contents, Description, is_leftover};
