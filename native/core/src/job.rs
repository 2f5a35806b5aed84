//! A search from the text to the archive: what the command line and the library call.
//!
//! ```text
//! read -> Interner -> PhraseIndex -> search into a temporary archive -> finish
//! ```
//!
//! Guarantees: whatever goes wrong, or when asked to stop, the target does not appear and nothing is left behind; the
//! input is only read. Memory stays within the request's budget, or the error says how much would do. The target is
//! claimed first, so that a wrong one is found before any work is done.

mod estimate;
mod left_out;
mod limits;
pub(crate) mod optimal;
mod resume;
mod supervised;
mod supervisor;

pub use estimate::{Expected, estimate};
pub use limits::Limits;
pub use optimal::{MOST_BEST, optimal};
pub(crate) use resume::{leftovers, remove_all, unless_cancelled};
pub(crate) use supervised::{Ended, Pace, Supervised, results_within};

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use self::left_out::LeftOut;
use self::resume::{Continued, Start};
use crate::archive::{
    ArchiveReader, ArchiveWriter, Contents, Description, InputInfo, Lineage, Manifest, SearchInfo,
};
use crate::checkpoint::Checkpoint;
use crate::control::{Control, Phase};
use crate::digest::WordHashes;
use crate::disk::{Disk, DiskFile};
use crate::error::{Code, Error, Result};
use crate::results::Ranks;
use crate::search::{Scope, Search, Settings, Shard};
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
    /// The text. It may be missing if there is an archive to go on from, which has its phrases.
    pub source: Option<Source>,
    /// What the archive calls it.
    pub input_name: String,
    /// Where the archive will be; nothing may be there.
    pub out: PathBuf,
    /// The budget of memory in bytes.
    pub memory: u64,
    /// The number of threads; 0 counts as 1.
    pub threads: usize,
    /// What may be used up.
    pub limits: Limits,
    /// The part of the text's orthos to find.
    pub shard: Option<Shard>,
    /// An incomplete archive to go on from; it is only read.
    pub continue_from: Option<PathBuf>,
}

/// What an engine is given.
#[derive(Debug)]
struct Work<'a> {
    /// The phrases of the text.
    index: &'a Arc<PhraseIndex>,
    ranks: &'a Ranks,
    /// The archive under construction, with an empty directory for the results.
    archive: &'a ArchiveWriter,
    /// Bytes of memory that are left.
    memory: u64,
    threads: usize,
    scope: &'a Scope,
    limits: Limits,
    /// What to go on from.
    start: Option<&'a Start>,
    /// What tells this search from others of the same text.
    identity: [u8; 32],
    /// Texts whose orthos are in what it goes on from.
    left_out: &'a [Interner],
    /// What it goes on from was searched for from new bigrams.
    seeded: bool,
    control: &'a Control,
}

/// Searches a text and writes its archive.
///
/// A limit is no error: the archive then says that it is incomplete, and why. What a killed search of the same text,
/// part and target left is gone on from.
///
/// # Errors
/// [`Code::OutputExists`], [`Code::InputNotFound`], [`Code::InputUnreadable`], [`Code::InputNotUtf8`],
/// [`Code::InputTooLarge`], [`Code::MemoryTooSmall`], [`Code::Cancelled`], failures to write; those of opening the
/// archive to go on from, and [`Code::InvalidArgument`] if it is of another text or part.
pub fn search(request: &SearchRequest, control: &Control, disk: &Arc<dyn Disk>) -> Result<Manifest> {
    let searched = search_with(&|work| engine(work, Pace::default()), request, control, disk);
    unless_cancelled(searched, &request.out, disk)
}

/// Bytes a word of the vocabulary for ranks and hashes.
const WORD_BYTES: u64 = 24;

/// Finds and writes every ortho.
fn engine(work: &Work<'_>, pace: Pace) -> Result<Contents> {
    let Work { index, ranks, archive, scope, limits, start, identity, left_out, seeded, control, .. } = *work;
    let interner = index.interner();
    let (results, buffers) = results_within(archive, work.memory)?;
    let words = WordHashes::new(interner);
    let words_and_queues = interner.vocabulary_len() as u64 * WORD_BYTES + buffers;
    let memory = work.memory.saturating_sub(words_and_queues);
    let copied = LeftOut::new(left_out, index, memory, &|| control.check())?;
    let memory = memory.saturating_sub(copied.memory(index));
    let exclusion = copied.exclusion(index);
    let mut search = Search::new(index, ranks, &words, &results, Settings { threads: work.threads, memory });
    search.scope = scope.clone();
    search.excluded = exclusion.as_ref();
    if seeded {
        search.sizes.seeded = Some(true);
        search.seeded = search.seeds_pay();
        if !search.seeded {
            let what = "the tables that the merge was searched with do not fit the memory; give as much as the merge had";
            return Err(Error::new(Code::MemoryTooSmall, what));
        }
    }
    let supervised = Supervised { archive, results: &results, limits, start, identity, pace, control };
    let Ended { mut found, copied, limits, checkpoint } = supervised.run(search, true, &mut |_, _| Ok(()))?;
    found.merge(copied);
    results.close()?;
    let whole = limits.is_empty();
    Ok(Contents {
        tally: found.tally,
        best: found.best,
        complete: whole && scope.shard.is_none(),
        limits,
        shards: scope.shard.filter(|_| whole).into_iter().collect(),
        proof: None,
        progress: checkpoint.map(|checkpoint| Checkpoint { left_out: left_out.to_vec(), ..checkpoint }),
    })
}

fn search_with(
    engine: &dyn Fn(&Work<'_>) -> Result<Contents>,
    request: &SearchRequest,
    control: &Control,
    disk: &Arc<dyn Disk>,
) -> Result<Manifest> {
    let archive = ArchiveWriter::create(&request.out, disk)?;
    let most = request.limits.max_dims.unwrap_or(u32::MAX);
    if most < 2 {
        let what = format!("an ortho has at least 2 dimensions; a limit of {most} leaves none");
        return Err(Error::new(Code::InvalidArgument, what));
    }
    let asked = Scope { shard: request.shard, axes: 2..=most };
    let continued = match &request.continue_from {
        Some(path) => Some(Continued::open(path, disk)?),
        None => None,
    };
    let (interner, described) = read(request, continued.as_ref().map(Continued::reader), control, &**disk)?;
    let (mut start, scope) = match &continued {
        Some(continued) => {
            let (start, scope) = continued.start(&asked)?;
            (Some(start), scope)
        }
        None => (None, asked),
    };
    let identity = continued.as_ref().map_or([0; 32], Continued::identity);
    let left_out = continued.as_ref().map_or(&[][..], Continued::left_out);
    let seeded = continued.as_ref().is_some_and(Continued::seeded);
    let (killed, leftovers) = leftovers(&request.out, &interner.digest(), &scope, &identity, disk)?;
    let adopted = killed.is_some();
    // The killed search began where this one would.
    start = killed.or(start);
    let index = Arc::new(build_index(interner, request.memory, control)?);
    let ranks = Arc::new(Ranks::new(&index));
    let tables = match &continued {
        Some(continued) => continued.tables(&ranks)?,
        None => Arc::clone(&ranks).into(),
    };
    control.check()?;
    let taken = index.memory_bytes() as u64;
    control.set_memory(taken);
    let threads = request.threads.max(1);
    control.enter(Phase::Search, 0);
    let work = |start| Work {
        index: &index,
        ranks: &ranks,
        archive: &archive,
        memory: request.memory.saturating_sub(taken),
        threads,
        scope: &scope,
        limits: request.limits,
        start,
        identity,
        left_out,
        seeded,
        control,
    };
    let contents = match engine(&work(start.as_ref())) {
        Err(error) if adopted && error.code() == Code::Damaged => {
            // What was left is no good after all: without it.
            drop(archive);
            remove_all(leftovers)?;
            return search_with(engine, request, control, disk);
        }
        contents => contents?,
    };
    control.check()?;
    remove_all(leftovers)?;
    let search = SearchInfo {
        elapsed_seconds: control.elapsed().as_secs_f64(),
        threads: threads as u64,
        memory: request.memory,
    };
    let (input, lineage) = described;
    let interner = index.interner();
    let description =
        Description { input, lineage: &lineage, interner, ranks: &tables, contents: &contents, search };
    archive.finish(description, control)
}

/// The phrases of the text and what an archive says of where they are from, from the text or from the archive to go on from;
/// if both are there they must be the same. What is from several texts stays that.
fn read(
    request: &SearchRequest,
    continued: Option<&ArchiveReader>,
    control: &Control,
    disk: &dyn Disk,
) -> Result<(Interner, (Option<InputInfo>, Lineage))> {
    let Some(source) = &request.source else {
        let what = "there is neither a text nor an archive to go on from";
        let continued = continued.ok_or_else(|| Error::new(Code::InvalidArgument, what))?;
        return Ok(((**continued.interner()).clone(), described(continued)?));
    };
    let (interner, input) = read_source(source, request, control, disk)?;
    if let Some(continued) = continued
        && continued.interner().digest() != interner.digest()
    {
        let path = request.continue_from.as_deref().unwrap_or(Path::new("the archive")).display();
        let what =
            format!("{path} is of another text than {}; give the text that it was made of", input.name);
        return Err(Error::new(Code::InvalidArgument, what));
    }
    match continued {
        Some(continued) if continued.manifest().input.is_none() => Ok((interner, described(continued)?)),
        _ => {
            let lineage = Lineage::Text(input.name.clone());
            Ok((interner, (Some(input), lineage)))
        }
    }
}

/// What an archive says of where it is from.
fn described(reader: &ArchiveReader) -> Result<(Option<InputInfo>, Lineage)> {
    let manifest = reader.manifest();
    let lineage = manifest.lineage.parse().map_err(|reason| {
        Error::new(Code::Damaged, format!("the archive {} is damaged: {reason}", reader.path().display()))
    })?;
    Ok((manifest.input.clone(), lineage))
}

fn read_source(
    source: &Source,
    request: &SearchRequest,
    control: &Control,
    disk: &dyn Disk,
) -> Result<(Interner, InputInfo)> {
    match source {
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
    let interner = Interner::from_reader_while(shown, &mut input, memory, &|| control.check());
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
        return Err(Error::memory_too_small("the index of the text", needed, memory));
    }
    PhraseIndex::build_while(Arc::new(interner), &|| control.check())
}

#[cfg(test)]
mod resume_tests;
#[cfg(test)]
mod tests;
