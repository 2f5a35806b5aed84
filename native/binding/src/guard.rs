//! How failures cross to JavaScript: as an error whose message is `{"code":..,"message":..,"causes":[..]}`, which
//! `src/errors.ts` takes apart, with `"shortfall":{"what":..,"needed":..,"budget":..}` where memory is missing. A panic of the core, which is a defect, crosses as code `INTERNAL`.

use std::any::Any;
use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fold_core::{Code, Error};
use serde::Serialize;

/// The form of the message; the order of the fields is part of it.
#[derive(Serialize)]
struct Failure {
    code: &'static str,
    message: String,
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shortfall: Option<Missing>,
}

/// Bytes of memory.
#[derive(Serialize)]
struct Missing {
    what: String,
    needed: u64,
    budget: u64,
}

/// Runs a call of the core.
pub fn guard<T>(call: impl FnOnce() -> fold_core::Result<T>) -> napi::Result<T> {
    // What a panic leaves behind is not used again: the error ends the operation.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(internal(&*panic))).map_err(|e| to_js(&e))
}

fn internal(panic: &(dyn Any + Send)) -> Error {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(
        Code::Internal,
        format!("a defect of fold-worker: {}", text.unwrap_or("a panic without a message")),
    )
}

fn to_js(error: &Error) -> napi::Error {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let shortfall = error.shortfall().map(|missing| Missing {
        what: missing.what.clone(),
        needed: missing.needed,
        budget: missing.budget,
    });
    let failure = Failure { code: error.code().as_str(), message: error.to_string(), causes, shortfall };
    napi::Error::from_reason(serde_json::to_string(&failure).unwrap_or(failure.message))
}
