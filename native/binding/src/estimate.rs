//! The estimate of how many orthos a text has.

use std::collections::BTreeMap;

use fold_core::disk::RealDisk;
use fold_core::estimate::{Range, Settings};
use fold_core::job::{self, Expected, Limits, SearchRequest, Source};
use fold_core::ortho::shape_name;
use napi::bindgen_prelude::{Object, Uint8Array};
use napi::{Env, Result};
use napi_derive::napi;
use serde_json::json;

use crate::long::{Control, long};

/// What to estimate, and how. One of `path` and `bytes` is there.
#[napi(object)]
pub struct EstimateOptions {
    /// A file.
    pub path: Option<String>,
    /// The text itself.
    pub bytes: Option<Uint8Array>,
    /// What the text is called.
    pub name: String,
    /// Bytes of memory for the core.
    pub memory: i64,
    /// Number of threads.
    pub threads: u32,
    /// What the choices are drawn from.
    pub seed: u32,
}

/// Estimates the orthos of a text; resolves to JSON.
#[napi(ts_return_type = "Promise<string>")]
pub fn estimate<'env>(env: &'env Env, options: EstimateOptions, control: &Control) -> Result<Object<'env>> {
    let source = match (options.path, options.bytes) {
        (Some(path), _) => Some(Source::Path(path.into())),
        (None, bytes) => bytes.map(|bytes| Source::Bytes(bytes.to_vec())),
    };
    let request = SearchRequest {
        source,
        input_name: options.name,
        out: Default::default(),
        memory: u64::try_from(options.memory).unwrap_or(0),
        threads: options.threads as usize,
        limits: Limits::default(),
        shard: None,
        continue_from: None,
    };
    let settings = Settings { seed: u64::from(options.seed), ..Settings::default() };
    long(env, control, move |control| {
        let Expected { input, vocabulary, words, orthos } =
            job::estimate(&request, settings, control, &*RealDisk::shared())?;
        let shapes: BTreeMap<String, Range> =
            orthos.shapes.iter().map(|(dims, range)| (shape_name(dims), *range)).collect();
        Ok(json!({
            "input": input, "vocabulary": vocabulary, "words": words,
            "orthos": orthos.total, "shapes": shapes, "exact": orthos.exact,
            "atLeast": orthos.at_least,
        })
        .to_string())
    })
}
