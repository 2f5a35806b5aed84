//! A store of the core that JavaScript holds open: it is used on background threads, and its length is there at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fold_core::Result;
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};

use crate::background::{Background, background};
use crate::shared::Shared;

/// What has a length.
pub trait Length: Send + 'static {
    /// The number of things in it.
    fn length(&self) -> u64;
}

/// A store, and its length after the last call, to be had without its lock.
pub struct Counted<T> {
    value: Shared<T>,
    length: Arc<AtomicU64>,
}

impl<T: Length> Counted<T> {
    /// Takes charge of a store.
    pub fn new(value: T) -> Self {
        let length = Arc::new(AtomicU64::new(value.length()));
        Self { value: Shared::new(value), length }
    }

    /// The length after the last call.
    pub fn length(&self) -> i64 {
        self.length.load(Ordering::Relaxed) as i64
    }

    /// A promise for what `call` returns.
    pub fn run<R>(&self, call: impl FnOnce(&mut T) -> Result<R> + Send + 'static) -> AsyncTask<Background<R>>
    where
        R: ToNapiValue + TypeName + Send + 'static,
    {
        let (value, length) = (self.value.clone(), Arc::clone(&self.length));
        background(move || {
            value.with(|value| {
                let result = call(value);
                // Also after a failure: it may have done a part of the work.
                length.store(value.length(), Ordering::Relaxed);
                result
            })
        })
    }
}
