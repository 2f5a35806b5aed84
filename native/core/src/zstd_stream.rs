//! Decoding zstd piece by piece: any number of frames, each of any size, skippable ones included.
//!
//! **Guarantees:** what comes out of one call is at most what there is room for, so an input that expands without end fills
//! nothing; an input that stops inside a frame is told from one that is whole; anything else that is not zstd is
//! [`Code::Damaged`].
//!
//! **Cost:** the window of the frame at hand, 128 MiB at most (what `zstd` itself accepts), a few MiB for the levels in
//! common use. Input and output are the caller's: nothing is copied between them but by the codec.

use std::io;

use zstd::bulk::Decompressor;
use zstd::stream::raw::{DParameter, Decoder as RawDecoder, InBuffer, Operation, OutBuffer};

use crate::{Code, Error, Result};

/// The largest window that is accepted, as a power of two: the default of the `zstd` command.
const WINDOW_LOG_MAX: u32 = 27;

/// A decoder in the middle of its input.
pub struct Decoder {
    raw: RawDecoder<'static>,
    /// The last step filled its output, so the codec may hold more.
    holds_more: bool,
    /// Whether the input may end here.
    between_frames: bool,
}

/// A decoder of small frames: each at once, from its place to its place.
pub struct FrameDecoder(Decompressor<'static>);

impl FrameDecoder {
    /// A decoder for any number of frames.
    ///
    /// # Errors
    /// [`Code::Internal`] if the codec cannot be set up.
    pub fn new() -> Result<Self> {
        Decompressor::new().map(Self).map_err(set_up)
    }

    /// Decodes a whole frame; gives the bytes of output made.
    ///
    /// # Errors
    /// [`Code::Damaged`] if the input is no whole frame, or has more than there is room for.
    pub fn decode(&mut self, frame: &[u8], output: &mut [u8]) -> Result<usize> {
        self.0.decompress_to_buffer(frame, output).map_err(|cause| damaged(&cause))
    }
}

/// How far one step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of input used.
    pub taken: usize,
    /// Bytes of output made.
    pub given: usize,
}

impl Decoder {
    /// A decoder at the beginning of its input.
    ///
    /// # Errors
    /// [`Code::Internal`] if the codec cannot be set up.
    pub fn new() -> Result<Self> {
        let mut raw = RawDecoder::new().map_err(set_up)?;
        raw.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(set_up)?;
        Ok(Self { raw, holds_more: false, between_frames: true })
    }

    /// Decodes until the input is used up or the output is full. A full output may mean that there is more to come
    /// without any input.
    ///
    /// # Errors
    /// [`Code::Damaged`] if the input is not zstd, or its window is too large.
    pub fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step> {
        let (mut taken, mut given) = (0, 0);
        while given < output.len() && (taken < input.len() || self.holds_more) {
            let mut source = InBuffer::around(input.get(taken..).unwrap_or_default());
            let room = output.get_mut(given..).unwrap_or_default();
            let length = room.len();
            let mut target = OutBuffer::around(room);
            let hint = self.raw.run(&mut source, &mut target).map_err(|cause| damaged(&cause))?;
            let (used, made) = (source.pos(), target.pos());
            taken += used;
            given += made;
            self.between_frames = hint == 0;
            self.holds_more = hint != 0 && made == length;
            if used == 0 && made == 0 {
                break;
            }
        }
        Ok(Step { taken, given })
    }

    /// Says whether the input may end here.
    ///
    /// # Errors
    /// [`Code::Damaged`] if it stops inside a frame.
    pub fn finish(&self) -> Result<()> {
        if self.between_frames {
            return Ok(());
        }
        Err(Error::new(Code::Damaged, "the zstd stream is cut short: it stops inside a frame"))
    }
}

fn set_up(cause: io::Error) -> Error {
    Error::new(Code::Internal, "the zstd decoder cannot be set up").because(cause)
}

fn damaged(cause: &io::Error) -> Error {
    Error::new(Code::Damaged, format!("the zstd stream is damaged, or is none: {cause}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(input: &[u8], piece: usize, most: usize) -> Result<Vec<u8>> {
        let mut decoder = Decoder::new()?;
        let mut all = Vec::new();
        let mut output = vec![0; most];
        for chunk in input.chunks(piece) {
            let mut at = 0;
            loop {
                let Step { taken, given } = decoder.step(&chunk[at..], &mut output)?;
                at += taken;
                all.extend(&output[..given]);
                if at == chunk.len() && given < most {
                    break;
                }
            }
        }
        decoder.finish()?;
        Ok(all)
    }

    fn frame(bytes: &[u8]) -> Vec<u8> {
        zstd::bulk::compress(bytes, 3).expect("compresses")
    }

    fn skippable(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short");
        [&0x184D_2A5E_u32.to_le_bytes(), &length.to_le_bytes(), payload].concat()
    }

    proptest! {
        #[test]
        fn gives_back_what_went_in(
            parts in prop::collection::vec(prop::collection::vec(0_u8..4, 0..3000), 0..5),
            piece in 1_usize..400,
            most in 1_usize..5000,
        ) {
            let mut input = Vec::new();
            for part in &parts {
                input.extend(frame(part));
                input.extend(skippable(b"to be passed over"));
            }
            prop_assert_eq!(decode(&input, piece, most).expect("decodes"), parts.concat());
        }

        #[test]
        fn frames_are_decoded_at_once(bytes in prop::collection::vec(0_u8..4, 0..3000), at in any::<prop::sample::Index>()) {
            let whole = frame(&bytes);
            let mut decoder = FrameDecoder::new().expect("sets up");
            let mut output = vec![0; bytes.len()];
            prop_assert_eq!(decoder.decode(&whole, &mut output).expect("decodes"), bytes.len());
            prop_assert_eq!(&output, &bytes);
            let cut = &whole[..1 + at.index(whole.len() - 1)];
            if cut.len() < whole.len() {
                prop_assert_eq!(decoder.decode(cut, &mut output).expect_err("cut").code(), Code::Damaged);
            }
            if !bytes.is_empty() {
                let small = decoder.decode(&whole, &mut output[1..]);
                prop_assert_eq!(small.expect_err("no room").code(), Code::Damaged);
            }
        }

        #[test]
        fn a_cut_is_noticed(bytes in prop::collection::vec(any::<u8>(), 0..2000), at in any::<prop::sample::Index>()) {
            let whole = frame(&bytes);
            let kept = 1 + at.index(whole.len() - 1);
            prop_assume!(kept < whole.len());
            prop_assert_eq!(decode(&whole[..kept], 100, 100).expect_err("cut").code(), Code::Damaged);
        }

        #[test]
        fn anything_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = decode(&bytes, 7, 50);
        }
    }

    #[test]
    fn a_bomb_comes_out_in_the_pieces_that_were_asked_for() {
        let bomb = frame(&vec![0; 50 << 20]);
        assert!(bomb.len() < 10_000);
        let mut decoder = Decoder::new().expect("sets up");
        let mut output = [1; 1000];
        assert_eq!(decoder.step(&bomb, &mut output).expect("decodes").given, 1000);
        assert_eq!(output, [0; 1000]);
    }

    #[test]
    fn a_window_beyond_the_largest_is_refused() {
        // A frame header that asks for a window of 2 GiB, without a content size.
        let header = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 21 << 3];
        let input = [&header[..], &[1, 0, 0]].concat();
        assert_eq!(decode(&input, 100, 100).expect_err("too large").code(), Code::Damaged);
    }

    #[test]
    fn what_is_no_zstd_is_refused() {
        assert_eq!(decode(b"plain text, not zstd", 100, 100).expect_err("no zstd").code(), Code::Damaged);
        let mut trailing = frame(b"abc");
        trailing.extend(b"garbage");
        assert_eq!(decode(&trailing, 100, 100).expect_err("garbage").code(), Code::Damaged);
    }
}
