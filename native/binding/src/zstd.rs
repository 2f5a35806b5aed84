//! Decoding zstd as it arrives.

use fold_core::zstd_stream::{Decoder, FrameDecoder, Step};
use napi::bindgen_prelude::{AsyncTask, Buffer, Uint8Array};
use napi::{Env, Result, Task};
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

    /// Decodes from `input` to `output`, each from an offset on, until either is at its end. Neither may be changed
    /// before the promise is settled.
    #[napi(ts_return_type = "Promise<DecodedStep>")]
    #[must_use]
    pub fn step(&self, input: Uint8Array, from: u32, output: Buffer, at: u32) -> AsyncTask<Decoding> {
        AsyncTask::new(Decoding { decoder: self.decoder.clone(), input, from, output, at })
    }

    /// Rejects if the input must not end here.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn finish(&self) -> AsyncTask<Background<()>> {
        let decoder = self.decoder.clone();
        background(move || decoder.with(|decoder| decoder.finish()))
    }
}

/// How far a step came.
#[napi(object)]
pub struct DecodedStep {
    /// Bytes of input used.
    pub taken: u32,
    /// Bytes of output made.
    pub given: u32,
}

/// One step. It keeps the memory of both sides until JavaScript's thread lets go of it, which other threads cannot do
/// without waking that one.
pub struct Decoding {
    decoder: Shared<Decoder>,
    input: Uint8Array,
    from: u32,
    output: Buffer,
    at: u32,
}

impl Task for Decoding {
    type Output = Step;
    type JsValue = DecodedStep;

    fn compute(&mut self) -> Result<Step> {
        guard(|| {
            let input = self.input.get(self.from as usize..).unwrap_or_default();
            let output = self.output.get_mut(self.at as usize..).unwrap_or_default();
            self.decoder.with(|decoder| decoder.step(input, output))
        })
    }

    fn resolve(&mut self, _env: Env, step: Step) -> Result<DecodedStep> {
        let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(DecodedStep { taken: bytes(step.taken), given: bytes(step.given) })
    }
}

/// A decoder of small frames, each at once.
#[napi]
pub struct ZstdFrameDecoder {
    decoder: Shared<FrameDecoder>,
}

#[napi]
impl ZstdFrameDecoder {
    /// A decoder for any number of frames.
    #[napi(constructor)]
    pub fn new() -> Result<Self> {
        guard(|| Ok(Self { decoder: Shared::new(FrameDecoder::new()?) }))
    }

    /// Decodes a whole frame; the bytes of output made. Neither side may be changed before the promise is settled.
    #[napi(ts_return_type = "Promise<number>")]
    #[must_use]
    pub fn decode(&self, frame: Uint8Array, output: Buffer) -> AsyncTask<DecodingFrame> {
        AsyncTask::new(DecodingFrame { decoder: self.decoder.clone(), frame, output })
    }
}

/// One frame, whose memory is kept as [`Decoding`] keeps it.
pub struct DecodingFrame {
    decoder: Shared<FrameDecoder>,
    frame: Uint8Array,
    output: Buffer,
}

impl Task for DecodingFrame {
    type Output = usize;
    type JsValue = u32;

    fn compute(&mut self) -> Result<usize> {
        guard(|| self.decoder.with(|decoder| decoder.decode(&self.frame, &mut self.output)))
    }

    fn resolve(&mut self, _env: Env, given: usize) -> Result<u32> {
        Ok(u32::try_from(given).unwrap_or(u32::MAX))
    }
}
