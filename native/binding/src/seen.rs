//! The seen tracker.

use std::path::Path;

use fold_core::seen_tracker::{SeenOptions, SeenTracker};
use fold_core::{Code, Error};
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;

use crate::background::{Background, background};
use crate::counted::{Counted, Length};

/// Bytes of a fingerprint.
const WIDTH: usize = 16;

/// An open tracker.
#[napi]
pub struct Seen {
    tracker: Counted<SeenTracker>,
}

/// Opens the set in a directory.
#[napi(ts_return_type = "Promise<Seen>")]
pub fn open_seen_tracker(directory: String, memory: i64) -> AsyncTask<Background<Seen>> {
    background(move || {
        let memory_bytes = usize::try_from(memory).unwrap_or(usize::MAX);
        let options = SeenOptions { memory_bytes, ..SeenOptions::default() };
        let tracker = SeenTracker::open(Path::new(&directory), options)?;
        Ok(Seen { tracker: Counted::new(tracker) })
    })
}

impl Length for SeenTracker {
    fn length(&self) -> u64 {
        self.len()
    }
}

#[napi]
impl Seen {
    /// The number of fingerprints.
    #[napi(getter)]
    #[must_use]
    pub fn size(&self) -> i64 {
        self.tracker.length()
    }

    /// Inserts fingerprints of 16 bytes, one after the other; 1 for each that was new, 0 for the others.
    #[napi(ts_return_type = "Promise<Uint8Array>")]
    #[must_use]
    pub fn insert(&self, fingerprints: Uint8Array) -> AsyncTask<Background<Uint8Array>> {
        self.tracker.run(move |tracker| Ok(flags(&tracker.insert_batch(&parse(&fingerprints)?)?)))
    }

    /// 1 for each fingerprint that is in the set, 0 for the others.
    #[napi(ts_return_type = "Promise<Uint8Array>")]
    #[must_use]
    pub fn contains(&self, fingerprints: Uint8Array) -> AsyncTask<Background<Uint8Array>> {
        self.tracker.run(move |tracker| Ok(flags(&tracker.contains_batch(&parse(&fingerprints)?)?)))
    }

    /// Makes the set durable.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn flush(&self) -> AsyncTask<Background<()>> {
        self.tracker.run(SeenTracker::flush)
    }

    /// Flushes and lets go of the files.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn close(&self) -> AsyncTask<Background<()>> {
        self.tracker.run(SeenTracker::close)
    }
}

/// The fingerprints, as big-endian numbers: the leading bytes choose the shard.
fn parse(packed: &[u8]) -> fold_core::Result<Vec<u128>> {
    let (fingerprints, rest) = packed.as_chunks::<WIDTH>();
    if !rest.is_empty() {
        return Err(Error::new(Code::InvalidArgument, "fingerprints must have 16 bytes each"));
    }
    Ok(fingerprints.iter().map(|bytes| u128::from_be_bytes(*bytes)).collect())
}

fn flags(answers: &[bool]) -> Uint8Array {
    answers.iter().map(|&answer| u8::from(answer)).collect::<Vec<u8>>().into()
}
