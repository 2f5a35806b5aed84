//! Decoding zstd as it arrives.

use fold_core::zstd_stream::Decoder;
use napi::Result;
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;

use crate::background::{Background, background};
use crate::guard::guard;
use crate::shared::Shared;

/// A decoder of any number of frames.
#[napi]
pub struct ZstdDecoder {
    decoder: Shared<Decoder>,
}

#[napi]
impl ZstdDecoder {
    /// A decoder at the beginning of its input.
    #[napi(constructor)]
    pub fn new() -> Result<Self> {
        guard(|| Ok(Self { decoder: Shared::new(Decoder::new()?) }))
    }

    /// Takes the next piece of input.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn feed(&self, input: Uint8Array) -> AsyncTask<Background<()>> {
        let decoder = self.decoder.clone();
        background(move || {
            decoder.with(|decoder| {
                decoder.feed(&input);
                Ok(())
            })
        })
    }

    /// The next bytes of output, at most so many; none when it needs more input.
    #[napi(ts_return_type = "Promise<Uint8Array>")]
    #[must_use]
    pub fn read(&self, max_bytes: u32) -> AsyncTask<Background<Uint8Array>> {
        let decoder = self.decoder.clone();
        background(move || decoder.with(|decoder| Ok(decoder.read(max_bytes as usize)?.into())))
    }

    /// Rejects if the input must not end here.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn finish(&self) -> AsyncTask<Background<()>> {
        let decoder = self.decoder.clone();
        background(move || decoder.with(|decoder| decoder.finish()))
    }
}
