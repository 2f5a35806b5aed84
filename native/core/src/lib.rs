//! Every ortho of a text: see `ARCHITECTURE.md` at the top of the repository for the map of modules.

pub mod disk;
pub mod disk_backed_queue;
pub mod error;
pub mod seen_tracker;

pub use error::{Code, Error, Result};
