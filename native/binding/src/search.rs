//! The search of one text.

use fold_core::disk::RealDisk;
use fold_core::job::{self, SearchRequest, Source};
use fold_core::{Code, Error};
use napi::bindgen_prelude::{Object, Uint8Array};
use napi::{Env, Result};
use napi_derive::napi;

use crate::long::{Control, json, long};

/// What to search, and how. One of `path` and `bytes` is there.
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
    long(env, control, move |control| {
        let source =
            source.ok_or_else(|| Error::new(Code::InvalidArgument, "there is neither a path nor a text"))?;
        let request = SearchRequest { source, input_name, out, memory, threads };
        json(&job::search(&request, control, &RealDisk::shared())?)
    })
}
