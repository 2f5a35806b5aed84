//! Every ortho of a text: see `ARCHITECTURE.md` at the top of the repository for the map of modules.

pub mod archive;
pub mod checkpoint;
pub mod clock;
pub mod control;
pub mod digest;
pub mod disk;
pub mod disk_backed_queue;
pub mod error;
pub mod estimate;
mod header;
pub mod job;
pub mod merge;
pub mod optimum;
pub mod ortho;
pub mod results;
pub mod search;
pub mod seen_tracker;
pub mod sum;
pub mod text;
pub mod zstd_stream;

pub use error::{Code, Error, Result};
