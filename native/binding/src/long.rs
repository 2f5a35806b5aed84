//! Work that takes seconds to hours: a thread of its own, so that libuv's few stay free, and a promise.

use std::sync::Arc;
use std::thread;

use fold_core::control;
use napi::bindgen_prelude::Object;
use napi::{Env, Result};
use napi_derive::napi;

use crate::guard::guard;

/// The remote control of one operation.
#[napi]
#[derive(Default)]
pub struct Control {
    control: Arc<control::Control>,
}

#[napi]
impl Control {
    /// A control for an operation that begins now.
    #[napi(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the operation to stop.
    #[napi]
    pub fn cancel(&self) {
        self.control.cancel();
    }

    /// Asks a search to end early and keep what it has found.
    #[napi]
    pub fn finish_early(&self) {
        self.control.finish_early();
    }

    /// How far the operation is, as JSON.
    #[napi]
    pub fn progress(&self) -> Result<String> {
        guard(|| json(&self.control.progress()))
    }
}

/// Starts `work` on its own thread; the promise settles with what it returns, as JSON.
pub(crate) fn long<'env>(
    env: &'env Env,
    control: &Control,
    work: impl FnOnce(&control::Control) -> fold_core::Result<String> + Send + 'static,
) -> Result<Object<'env>> {
    let (deferred, promise) = env.create_deferred()?;
    let control = Arc::clone(&control.control);
    thread::spawn(move || match guard(|| work(&control)) {
        Ok(result) => deferred.resolve(move |_| Ok(result)),
        Err(error) => deferred.reject(error),
    });
    Ok(promise)
}

/// A value of the core as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> fold_core::Result<String> {
    serde_json::to_string(value).map_err(|cause| {
        fold_core::Error::new(fold_core::Code::Internal, "a value cannot be written as JSON").because(cause)
    })
}
