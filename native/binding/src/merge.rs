//! The merge of archives.

use fold_core::disk::RealDisk;
use fold_core::merge::{self, MergeRequest};
use napi::bindgen_prelude::Object;
use napi::{Env, Result};
use napi_derive::napi;

use crate::long::{Control, json, long};
use crate::search::SearchLimits;

/// What to merge, and how.
#[napi(object)]
pub struct MergeOptions {
    /// Archive directories.
    pub archives: Vec<String>,
    /// Where the result will be.
    pub out: String,
    /// Bytes of memory for the core.
    pub memory: i64,
    /// Number of threads.
    pub threads: u32,
    /// What may be used up.
    pub limits: SearchLimits,
    /// Whether the result answers for the optimum only, whatever the archives were searched for.
    pub optimal: bool,
    /// How many of the best are wanted then; otherwise as many as the archives were asked for.
    pub top: Option<u32>,
}

/// Merges archives into one; resolves to its manifest as JSON.
#[napi(ts_return_type = "Promise<string>")]
pub fn merge<'env>(env: &'env Env, options: MergeOptions, control: &Control) -> Result<Object<'env>> {
    let request = MergeRequest {
        archives: options.archives.into_iter().map(Into::into).collect(),
        out: options.out.into(),
        memory: u64::try_from(options.memory).unwrap_or(0),
        threads: options.threads as usize,
        limits: options.limits.into(),
    };
    let (optimal, top) = (options.optimal, options.top.map(u64::from));
    long(env, control, move |control| {
        let disk = RealDisk::shared();
        json(&match optimal {
            true => merge::optimal(&request, top, control, &disk)?,
            false => merge::merge(&request, control, &disk)?,
        })
    })
}
