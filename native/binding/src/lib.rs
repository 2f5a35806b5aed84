//! The napi-rs binding of `fold-core`: one file for each exported class or group of functions.

use napi_derive::napi;

/// The version of the program that this addon was built from.
#[napi]
#[must_use]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
