//! SHA-256 of bytes that come in pieces, off the event loop.

use fold_core::sum::Sum as CoreSum;
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi::{Env, Result, Task};
use napi_derive::napi;

use crate::background::{Background, background};
use crate::guard::guard;
use crate::shared::Shared;

/// A sum of what has come so far.
#[napi]
pub struct Sum {
    sum: Shared<CoreSum>,
}

#[napi]
impl Sum {
    /// The sum of nothing.
    #[napi(constructor)]
    #[allow(clippy::new_without_default, reason = "JavaScript has no other")]
    #[must_use]
    pub fn new() -> Self {
        Self { sum: Shared::new(CoreSum::default()) }
    }

    /// Adds the next bytes; one call at a time. They may not be changed before the promise is settled.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn add(&self, bytes: Uint8Array) -> AsyncTask<Adding> {
        AsyncTask::new(Adding { sum: self.sum.clone(), bytes })
    }

    /// The SHA-256 of all that came, in hex.
    #[napi(ts_return_type = "Promise<string>")]
    #[must_use]
    pub fn hex(&self) -> AsyncTask<Background<String>> {
        let sum = self.sum.clone();
        background(move || sum.with(|sum| Ok(sum.hex())))
    }
}

/// Bytes to add. It keeps their memory until JavaScript's thread lets go of it, as [`crate::zstd::Decoding`] does.
pub struct Adding {
    sum: Shared<CoreSum>,
    bytes: Uint8Array,
}

impl Task for Adding {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        guard(|| {
            self.sum.with(|sum| {
                sum.add(&self.bytes);
                Ok(())
            })
        })
    }

    fn resolve(&mut self, _env: Env, _output: ()) -> Result<()> {
        Ok(())
    }
}
