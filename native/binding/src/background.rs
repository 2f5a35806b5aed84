//! Work off the event loop: a closure that runs on one of libuv's threads and settles a promise.

use fold_core::{Code, Error};
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Result, Task};

use crate::guard::guard;

/// A closure that has not run yet.
pub struct Background<T> {
    work: Option<Box<dyn FnOnce() -> fold_core::Result<T> + Send>>,
}

/// A promise for what `work` returns.
pub fn background<T>(work: impl FnOnce() -> fold_core::Result<T> + Send + 'static) -> AsyncTask<Background<T>>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    AsyncTask::new(Background { work: Some(Box::new(work)) })
}

impl<T: ToNapiValue + TypeName + Send + 'static> Task for Background<T> {
    type Output = T;
    type JsValue = T;

    fn compute(&mut self) -> Result<T> {
        let work = self.work.take();
        guard(|| work.ok_or_else(|| Error::new(Code::Internal, "a task was started twice"))?())
    }

    fn resolve(&mut self, _env: Env, output: T) -> Result<T> {
        Ok(output)
    }
}
