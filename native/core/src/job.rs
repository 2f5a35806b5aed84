//! A search from the text to the archive: what the command line and the library call.
//!
//! ```text
//! read -> Interner -> PhraseIndex -> search into a temporary archive -> finish
//! ```
//!
//! Guarantees: whatever goes wrong, or when asked to stop, the target does not appear and nothing is left behind; the
//! input is only read. Memory stays within the request's budget, or the error says how much would do. The target is
//! claimed first, so that a wrong one is found before any work is done.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::archive::{ArchiveWriter, Contents, Description, InputInfo, Lineage, Manifest, SearchInfo};
use crate::control::{Control, Phase};
use crate::digest::WordHashes;
use crate::disk::{Disk, DiskFile};
use crate::error::{Code, Error, Result};
use crate::results::{Ranks, ResultsWriter};
use crate::search::{Settings, run};
use crate::text::{Interner, PhraseIndex};

/// Where the text comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file.
    Path(PathBuf),
    /// Bytes in memory; they count towards the budget.
    Bytes(Vec<u8>),
}

/// What to search, and how.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// The text.
    pub source: Source,
    /// What the archive calls it.
    pub input_name: String,
    /// Where the archive will be; nothing may be there.
    pub out: PathBuf,
    /// The budget of memory in bytes.
    pub memory: u64,
    /// The number of threads; 0 counts as 1.
    pub threads: usize,
}

/// What an engine is given.
#[derive(Debug)]
struct Work<'a> {
    /// The phrases of the text.
    index: &'a Arc<PhraseIndex>,
    ranks: &'a Ranks,
    /// An empty directory for the results.
    results: &'a Path,
    /// What to write them with.
    disk: Arc<dyn Disk>,
    /// Bytes of memory that are left.
    memory: u64,
    threads: usize,
    control: &'a Control,
}

/// Searches a text and writes its archive.
///
/// # Errors
/// [`Code::OutputExists`], [`Code::InputNotFound`], [`Code::InputUnreadable`], [`Code::InputNotUtf8`],
/// [`Code::InputTooLarge`], [`Code::MemoryTooSmall`], [`Code::Cancelled`], failures to write.
pub fn search(request: &SearchRequest, control: &Control, disk: &Arc<dyn Disk>) -> Result<Manifest> {
    search_with(&engine, request, control, disk)
}

/// What a queue keeps in memory of the results of one shape, at least and at most.
const BUFFER_BYTES: (u64, u64) = (64 << 10, 1 << 20);
/// Bytes a word of the vocabulary for ranks and hashes.
const WORD_BYTES: u64 = 24;

/// Finds and writes every ortho.
fn engine(work: &Work<'_>) -> Result<Contents> {
    let interner = work.index.interner();
    let buffer = (work.memory / 256).clamp(BUFFER_BYTES.0, BUFFER_BYTES.1);
    let writer = ResultsWriter::create(work.results, buffer as usize, Arc::clone(&work.disk))?;
    let words = WordHashes::new(interner);
    let memory = work.memory.saturating_sub(interner.vocabulary_len() as u64 * WORD_BYTES);
    let settings = Settings { threads: work.threads, memory };
    let control = work.control;
    let found = run(
        work.index,
        work.ranks,
        &words,
        &writer,
        None,
        settings,
        control.stop(),
        control.watch(interner),
    )?;
    writer.close()?;
    Ok(Contents { tally: found.tally, best: found.best, complete: true, ..Contents::default() })
}

fn search_with(
    engine: &dyn Fn(&Work<'_>) -> Result<Contents>,
    request: &SearchRequest,
    control: &Control,
    disk: &Arc<dyn Disk>,
) -> Result<Manifest> {
    let writer = ArchiveWriter::create(&request.out, Arc::clone(disk))?;
    let (interner, input) = read(request, control, &**disk)?;
    let index = Arc::new(build_index(interner, request.memory, control)?);
    let ranks = Arc::new(Ranks::new(&index));
    control.check()?;
    let taken = index.memory_bytes() as u64;
    control.set_memory(taken);
    let threads = request.threads.max(1);
    control.enter(Phase::Search, 0);
    let contents = engine(&Work {
        index: &index,
        ranks: &ranks,
        results: &writer.results(),
        disk: writer.disk(),
        memory: request.memory.saturating_sub(taken),
        threads,
        control,
    })?;
    control.check()?;
    let search = SearchInfo {
        elapsed_seconds: control.elapsed().as_secs_f64(),
        threads: threads as u64,
        memory: request.memory,
    };
    let lineage = Lineage::Text(request.input_name.clone());
    let interner = index.interner();
    let description = Description {
        input: Some(input),
        lineage: &lineage,
        interner,
        ranks: &Arc::clone(&ranks).into(),
        contents: &contents,
        search,
    };
    writer.finish(description, control)
}

fn read(request: &SearchRequest, control: &Control, disk: &dyn Disk) -> Result<(Interner, InputInfo)> {
    match &request.source {
        Source::Bytes(bytes) => {
            let memory = request.memory.saturating_sub(bytes.len() as u64);
            read_from(
                &mut bytes.as_slice(),
                bytes.len() as u64,
                &request.input_name,
                request,
                memory,
                control,
            )
        }
        Source::Path(path) => {
            let mut file = open(path, disk)?;
            // A pipe has no length; then the share stays unknown.
            let length = file.len().unwrap_or(0);
            let shown = path.display().to_string();
            read_from(&mut file, length, &shown, request, request.memory, control)
        }
    }
}

fn open(path: &Path, disk: &dyn Disk) -> Result<Box<dyn DiskFile>> {
    disk.open_read(path).map_err(|cause| {
        let shown = path.display();
        match cause.kind() {
            io::ErrorKind::NotFound => Error::new(
                Code::InputNotFound,
                format!("there is no {shown}; expected a text file, check the path"),
            ),
            _ => Error::new(
                Code::InputUnreadable,
                format!("opening {shown} failed: {cause}; check what it is"),
            ),
        }
        .because(cause)
    })
}

fn read_from(
    reader: &mut dyn Read,
    length: u64,
    shown: &str,
    request: &SearchRequest,
    memory: u64,
    control: &Control,
) -> Result<(Interner, InputInfo)> {
    control.enter(Phase::Read, length);
    let mut input = Input { reader, control, hash: Sha256::new(), bytes: 0 };
    let interner = Interner::from_reader_within(shown, &mut input, memory);
    control.check()?;
    let interner = interner?;
    let info = InputInfo {
        name: request.input_name.clone(),
        sha256: crate::archive::hex(&input.hash.finalize()),
        bytes: input.bytes,
    };
    Ok((interner, info))
}

/// The input on its way to the splitter: summed, counted, and stopped when asked.
struct Input<'a> {
    reader: &'a mut dyn Read,
    control: &'a Control,
    hash: Sha256,
    bytes: u64,
}

impl Read for Input<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.control.is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        let got = self.reader.read(out)?;
        self.hash.update(out.get(..got).unwrap_or_default());
        self.bytes += got as u64;
        self.control.advance(got as u64);
        Ok(got)
    }
}

/// Bytes a word of the text that building the index takes at its peak, beside the interner.
const INDEX_BYTES: u64 = 12;

fn build_index(interner: Interner, memory: u64, control: &Control) -> Result<PhraseIndex> {
    control.enter(Phase::Index, 0);
    let needed = interner.memory_bytes() as u64 + interner.token_count() as u64 * INDEX_BYTES;
    if needed > memory {
        return Err(Error::new(
            Code::MemoryTooSmall,
            format!(
                "the index of the text needs about {} MiB of memory and the budget is {} MiB; raise the budget",
                needed.div_ceil(1 << 20),
                memory >> 20
            ),
        ));
    }
    PhraseIndex::build(Arc::new(interner))
}

#[cfg(test)]
mod tests;
