//! How many orthos a text has, from the text: reads and indexes it as a search would, and estimates.

use super::{SearchRequest, build_index, read_source};
use crate::archive::InputInfo;
use crate::control::{Control, Phase};
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::estimate::{self, Settings};

/// What is expected of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The text.
    pub input: InputInfo,
    /// Distinct words.
    pub vocabulary: u64,
    /// Words of its maximal sentences.
    pub words: u64,
    /// Its orthos.
    pub orthos: estimate::Estimate,
}

/// Estimates the orthos of the text of a request, of which nothing but text, memory and threads is looked at. Nothing is
/// written.
///
/// # Errors
/// Those of reading a text; [`MemoryTooSmall`](crate::Code::MemoryTooSmall), [`Cancelled`](crate::Code::Cancelled).
pub fn estimate(
    request: &SearchRequest,
    settings: Settings,
    control: &Control,
    disk: &dyn Disk,
) -> Result<Expected> {
    let no_text = || Error::new(Code::InvalidArgument, "there is no text to estimate");
    let source = request.source.as_ref().ok_or_else(no_text)?;
    let (interner, input) = read_source(source, request, control, disk)?;
    let (vocabulary, words) = (interner.vocabulary_len() as u64, interner.token_count() as u64);
    let index = build_index(interner, request.memory, control)?;
    control.check()?;
    control.enter(Phase::Search, 0);
    let memory = request.memory.saturating_sub(index.memory_bytes() as u64);
    let settings = Settings { memory, threads: request.threads.max(1), ..settings };
    let orthos = estimate::estimate(&index, settings, control.stop())?;
    control.check()?;
    Ok(Expected { input, vocabulary, words, orthos })
}
