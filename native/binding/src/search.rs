//! The search of one text.

use std::time::Duration;

use fold_core::disk::RealDisk;
use fold_core::job::{self, Limits, SearchRequest, Source};
use fold_core::search::Shard;
use napi::bindgen_prelude::{Object, Uint8Array};
use napi::{Env, Result};
use napi_derive::napi;

use crate::long::{Control, json, long};

/// What a search or merge may use up.
#[napi(object)]
pub struct SearchLimits {
    /// Orthos.
    pub max_orthos: Option<i64>,
    /// Seconds.
    pub max_time: Option<f64>,
    /// Bytes of results.
    pub max_disk: Option<i64>,
    /// Bytes of the disk that stay free.
    pub disk_reserve: Option<i64>,
    /// Axes.
    pub max_dims: Option<u32>,
}

impl From<SearchLimits> for Limits {
    fn from(limits: SearchLimits) -> Self {
        let bytes = |number: Option<i64>| number.map(|n| u64::try_from(n).unwrap_or(0));
        Self {
            max_orthos: bytes(limits.max_orthos),
            max_time: limits.max_time.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            max_disk: bytes(limits.max_disk),
            disk_reserve: bytes(limits.disk_reserve),
            max_dims: limits.max_dims,
        }
    }
}

/// Which part of a text to search.
#[napi(object)]
pub struct ShardOptions {
    /// From 1.
    pub index: u32,
    /// Of how many.
    pub count: u32,
}

/// What to search, and how. One of `path`, `bytes` and `continue_from` is there.
#[napi(object)]
pub struct SearchOptions {
    /// A file.
    pub path: Option<String>,
    /// The text itself.
    pub bytes: Option<Uint8Array>,
    /// What the archive calls it.
    pub name: String,
    /// Where the archive will be.
    pub out: String,
    /// Bytes of memory for the core.
    pub memory: i64,
    /// Number of threads.
    pub threads: u32,
    /// What may be used up.
    pub limits: SearchLimits,
    /// The part to search.
    pub shard: Option<ShardOptions>,
    /// An incomplete archive to go on from.
    pub continue_from: Option<String>,
    /// Only so many of the best orthos are looked for, and the archive is of these.
    pub top: Option<u32>,
}

/// Searches a text and writes its archive; resolves to its manifest as JSON.
#[napi(ts_return_type = "Promise<string>")]
pub fn search<'env>(env: &'env Env, options: SearchOptions, control: &Control) -> Result<Object<'env>> {
    // The core keeps the text, and memory of JavaScript must not leave its thread for so long: copied here.
    let source = match (options.path, options.bytes) {
        (Some(path), _) => Some(Source::Path(path.into())),
        (None, bytes) => bytes.map(|bytes| Source::Bytes(bytes.to_vec())),
    };
    let (input_name, out, threads) = (options.name, options.out.into(), options.threads as usize);
    let memory = u64::try_from(options.memory).unwrap_or(0);
    let (limits, shard) = (options.limits.into(), options.shard);
    let continue_from = options.continue_from.map(Into::into);
    let top = options.top;
    long(env, control, move |control| {
        let shard = shard.map(|shard| Shard::new(shard.index, shard.count)).transpose()?;
        let request =
            SearchRequest { source, input_name, out, memory, threads, limits, shard, continue_from };
        let disk = RealDisk::shared();
        json(&match top {
            Some(top) => job::optimal(&request, u64::from(top), control, &disk)?,
            None => job::search(&request, control, &disk)?,
        })
    })
}
