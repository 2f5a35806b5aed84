//! The seen tracker.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fold_core::seen_tracker::{SeenOptions, SeenTracker};
use fold_core::{Code, Error};
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;

use crate::background::{Background, background};
use crate::shared::Shared;

/// Bytes of a fingerprint.
const WIDTH: usize = 16;

/// An open tracker.
#[napi]
pub struct Seen {
    tracker: Shared<SeenTracker>,
    /// The number of fingerprints after the last call, to be had without the lock.
    size: Arc<AtomicU64>,
}

/// Opens the set in a directory.
#[napi(ts_return_type = "Promise<Seen>")]
pub fn open_seen_tracker(directory: String, memory: i64) -> AsyncTask<Background<Seen>> {
    background(move || {
        let memory_bytes = usize::try_from(memory).unwrap_or(usize::MAX);
        let options = SeenOptions { memory_bytes, ..SeenOptions::default() };
        let tracker = SeenTracker::open(Path::new(&directory), options)?;
        let size = Arc::new(AtomicU64::new(tracker.len()));
        Ok(Seen { tracker: Shared::new(tracker), size })
    })
}

#[napi]
impl Seen {
    /// The number of fingerprints.
    #[napi(getter)]
    #[must_use]
    pub fn size(&self) -> i64 {
        self.size.load(Ordering::Relaxed) as i64
    }

    /// Inserts fingerprints of 16 bytes, one after the other; 1 for each that was new, 0 for the others.
    #[napi(ts_return_type = "Promise<Uint8Array>")]
    #[must_use]
    pub fn insert(&self, fingerprints: Uint8Array) -> AsyncTask<Background<Uint8Array>> {
        self.run(move |tracker| Ok(flags(&tracker.insert_batch(&parse(&fingerprints)?)?)))
    }

    /// 1 for each fingerprint that is in the set, 0 for the others.
    #[napi(ts_return_type = "Promise<Uint8Array>")]
    #[must_use]
    pub fn contains(&self, fingerprints: Uint8Array) -> AsyncTask<Background<Uint8Array>> {
        self.run(move |tracker| Ok(flags(&tracker.contains_batch(&parse(&fingerprints)?)?)))
    }

    /// Makes the set durable.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn flush(&self) -> AsyncTask<Background<()>> {
        self.run(SeenTracker::flush)
    }

    /// Flushes and lets go of the files.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn close(&self) -> AsyncTask<Background<()>> {
        self.run(SeenTracker::close)
    }

    fn run<T>(
        &self,
        call: impl FnOnce(&mut SeenTracker) -> fold_core::Result<T> + Send + 'static,
    ) -> AsyncTask<Background<T>>
    where
        T: napi::bindgen_prelude::ToNapiValue + napi::bindgen_prelude::TypeName + Send + 'static,
    {
        let (tracker, size) = (self.tracker.clone(), Arc::clone(&self.size));
        background(move || {
            tracker.with(|tracker| {
                let result = call(tracker);
                // Also after a failure: part of a batch may have been inserted.
                size.store(tracker.len(), Ordering::Relaxed);
                result
            })
        })
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
