//! The napi-rs binding of `fold-core`: one file for each exported class or group of functions.
//!
//! It converts and nothing else. What can take more than a few milliseconds runs on libuv's threads
//! ([`background`]), what takes seconds on a thread of its own ([`long`]); errors and panics of the core cross as
//! [`guard`] says.

#![allow(clippy::needless_pass_by_value, reason = "napi-rs hands arguments over by value")]

pub mod archive;
pub mod background;
pub mod counted;
pub mod estimate;
pub mod guard;
pub mod interner;
pub mod long;
pub mod merge;
pub mod queue;
pub mod search;
pub mod seen;
pub mod shared;
pub mod sum;
pub mod zstd;
