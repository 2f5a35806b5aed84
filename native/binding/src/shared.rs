//! State of the core that calls on several threads take turns with.

use std::sync::{Arc, Mutex};

use fold_core::{Code, Error, Result};

/// One value behind a lock. The lock is taken on background threads only: the event loop never waits for it.
#[derive(Debug)]
pub struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    /// Takes charge of a value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    /// Calls with the value, alone.
    ///
    /// # Errors
    /// Those of the call; [`Code::Internal`] once a call has panicked, as the value may be half-changed.
    pub fn with<R>(&self, call: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let mut value = self.0.lock().map_err(|_| {
            Error::new(Code::Internal, "unusable since a defect showed itself; open it again")
        })?;
        call(&mut value)
    }
}

// Derived, it would ask for `T: Clone`.
impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
