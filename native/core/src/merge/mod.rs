//! Several archives into one that holds exactly what a search of all their texts together would give.
//!
//! ```text
//! Sources -> union of the texts -> copy what is there -> search the union for what is new -> finish
//! ```
//!
//! An ortho of the union is *old* for an archive that is complete exactly if each of its lines is a phrase of the archive's
//! text. So the records of the largest archives are [kept](Kept): copied as bytes, with the ranks that they were written
//! with, and the search leaves out what is old for one of them ([`Exclusion`]). Archives too small for that to pay only
//! bring their texts. What two kept archives share is taken out of the records of the second.
//!
//! Archives of a search for the optimum are merged to one that answers for the union, see [`optimal`]. They go with archives of
//! all orthos only if that is asked for, as the result would lose what those hold.
//!
//! Archives that are not complete come last: what they hold and the union of the complete ones does not is added, each
//! ortho once ([`Incomplete`]), and the result says that it is not complete.
//!
//! Guarantees: whatever the order, grouping and repetition of the archives, the result has the same orthos, counts, optimal
//! ortho and content digest; every byte that is copied was held against its archive's manifest before; nothing is at
//! the target until the result is whole. Memory stays within the budget, or the error says what would do.

mod copying;
mod incomplete;
mod kept;
mod optimal;
mod sources;
mod texts;

use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use self::optimal::optimal;

use self::copying::{Copying, Target};
use self::incomplete::Incomplete;
use self::kept::Kept;
use self::sources::{Group, Sources};
use crate::archive::{ArchiveWriter, Contents, Description, Goal, Limit, Manifest, SearchInfo};
use crate::checkpoint::Checkpoint;
use crate::control::{Control, Phase};
use crate::digest::WordHashes;
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::job::{Ended, Limits, Pace, Supervised, leftovers, remove_all, results_within, unless_cancelled};
use crate::results::{Found, RankTables, Ranks};
use crate::search::exclusion::{Exclusion, MOST};
use crate::search::{Ledger, Scope, Search, Settings, Sizes};
use crate::text::{Interner, PhraseIndex};

/// What to merge, and how.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// Archive directories, at least one.
    pub archives: Vec<PathBuf>,
    /// Where the result will be; nothing may be there.
    pub out: PathBuf,
    /// The budget of memory in bytes.
    pub memory: u64,
    /// The number of threads; 0 counts as 1.
    pub threads: usize,
    /// What may be used up. What the archives hold is always kept.
    pub limits: Limits,
}

/// At which sizes a merge changes its ways; the result is the same whatever they are.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Ways {
    /// Archives with fewer bytes of results are not kept.
    pub least_bytes: u64,
    /// No more archives than this are.
    pub most: usize,
    /// Those of the search.
    pub sizes: Sizes,
    /// Commit after every step.
    pub eager: bool,
}

impl Default for Ways {
    fn default() -> Self {
        Self { least_bytes: 64 << 10, most: MOST, sizes: Sizes::default(), eager: false }
    }
}

/// Merges archives that all have the same goal; those whose goal was the optimum as [`optimal`] does.
///
/// # Errors
/// [`Code::OutputExists`]; [`Code::InputNotFound`], [`Code::NotAnArchive`], [`Code::NewerFormat`], [`Code::Damaged`],
/// [`Code::TokenizerDiffers`] naming the archive; [`Code::GoalsDiffer`]; [`Code::MemoryTooSmall`], [`Code::Cancelled`],
/// failures to write.
pub fn merge(request: &MergeRequest, control: &Control, disk: &Arc<dyn Disk>) -> Result<Manifest> {
    unless_cancelled(merge_with(request, Ways::default(), control, disk), &request.out, disk)
}

/// Bytes a word of the vocabulary for ranks and hashes.
const WORD_BYTES: u64 = 24;
/// Bytes a word of the text that building an index takes at its peak, beside the interner.
const INDEX_BYTES: u64 = 12;

/// [`merge`] at other sizes than the usual ones, for tests.
///
/// # Errors
/// As [`merge`].
#[doc(hidden)]
pub fn merge_with(
    request: &MergeRequest,
    ways: Ways,
    control: &Control,
    disk: &Arc<dyn Disk>,
) -> Result<Manifest> {
    if request.archives.is_empty() {
        return Err(Error::new(
            Code::InvalidArgument,
            "there is nothing to merge; give at least one archive",
        ));
    }
    let writer = ArchiveWriter::create(&request.out, disk)?;
    control.enter(Phase::Read, request.archives.len() as u64);
    let sources = Sources::open(&request.archives, control, &**disk)?;
    if sources.goal()? == Goal::Optimal {
        return optimal::finish(&sources, None, request, writer, control, disk);
    }
    control.enter(Phase::Index, 0);
    let (complete, incomplete): (Vec<&Group>, Vec<&Group>) =
        sources.groups.iter().partition(|group| group.complete);

    let text = texts::union(complete.iter().copied(), request.memory, control, &**disk)?;
    let text = index(text, request.memory, control)?;
    let taken = text.memory_bytes() as u64;
    let incomplete = if incomplete.is_empty() {
        None
    } else {
        let left = request.memory.saturating_sub(taken);
        Incomplete::new(incomplete, &text, left, control, &**disk)?
    };
    let all: &Arc<Interner> = incomplete.as_ref().map_or(text.interner(), Incomplete::interner);
    let to_all = incomplete.as_ref().map(Incomplete::map);
    let ranks = Ranks::new(&text);
    let first = to_all.map_or_else(|| ranks.clone(), |map| ranks.renumbered(map));
    let mut tables = RankTables::new(all.vocabulary_len(), first);

    let taken = taken + incomplete.as_ref().map_or(0, Incomplete::memory);
    let left = request.memory.saturating_sub(taken + all.vocabulary_len() as u64 * WORD_BYTES * 2);
    let (results, buffers) = results_within(&writer, left)?;
    let left = left.saturating_sub(buffers);
    let kept = Kept::choose(&complete, &text, left / 2, ways, control, disk)?;
    control.set_memory(taken + kept.memory());

    let scope = Scope { axes: 2..=request.limits.max_dims.unwrap_or(u32::MAX), ..Scope::default() };
    let texts = kept.texts();
    let exclusion = Exclusion::new(&text, &texts);
    let words = WordHashes::new(text.interner());
    let settings = Settings { threads: request.threads.max(1), memory: left.saturating_sub(kept.memory()) };
    let mut search = Search {
        excluded: (!kept.is_empty()).then_some(&exclusion),
        sizes: ways.sizes,
        scope: scope.clone(),
        ..Search::new(&text, &ranks, &words, &results, settings)
    };
    search.seeded = !kept.is_everything() && search.seeds_pay();
    let identity = identity(&kept, incomplete.as_ref(), search.seeded)?;
    let digest = text.interner().digest();
    let (start, leftovers) = leftovers(&request.out, &digest, &scope, &identity, disk)?;
    let copied = kept.bytes() + incomplete.as_ref().map_or(0, Incomplete::bytes);
    let mut copy = |ledger: &Ledger, save: &dyn Fn() -> Result<()>| {
        control.enter(Phase::Copy, copied * 2);
        let target = Target { archive: &writer, results: &results, limits: request.limits };
        let mut copying = Copying::new(target, kept.least_bytes(), ledger, save, control, disk)?;
        kept.copy(&exclusion, &words, to_all, &mut tables, &mut copying)?;
        match &incomplete {
            Some(incomplete) => incomplete.add(&text, left / 2, &writer.scratch(), &mut tables, &mut copying),
            None => Ok(()),
        }
    };

    let supervised = Supervised {
        archive: &writer,
        results: &results,
        limits: request.limits,
        start: start.as_ref(),
        identity,
        pace: if ways.eager { Pace::EAGER } else { Pace::default() },
        control,
    };
    let ended = match supervised.run(search, !kept.is_everything(), &mut copy) {
        Err(error) if start.is_some() && error.code() == Code::Damaged => {
            // What was left is no good after all: without it.
            drop(results);
            drop(writer);
            remove_all(leftovers)?;
            return merge_with(request, ways, control, disk);
        }
        ended => ended?,
    };
    let Ended { found: mut new, copied: mut found, limits, checkpoint } = ended;
    // Of what is searched to its end more is to be had only from the archives that are incomplete themselves.
    let checkpoint = checkpoint.filter(|_| incomplete.is_none());
    let progress = checkpoint.map(|checkpoint| Checkpoint { left_out: kept.interners(), ..checkpoint });
    if let (Some(best), Some(map)) = (&mut new.best, to_all) {
        best.tokens.iter_mut().for_each(|token| *token = map[*token as usize]);
    }
    found.merge(new);
    results.close()?;
    control.check()?;
    remove_all(leftovers)?;
    finish(writer, &sources, incomplete.is_none(), limits, progress, found, all, &tables, request, control)
}

/// SHA-256 of all that what is copied and what is searched for depend on beside the union of the complete texts: the
/// archives in the order in which they are taken, and whether the search goes from seeds, as its steps are others then.
fn identity(kept: &Kept<'_>, incomplete: Option<&Incomplete<'_>>, seeded: bool) -> Result<[u8; 32]> {
    let mut sha = Sha256::new();
    let incomplete = incomplete.into_iter().flat_map(Incomplete::sources);
    for (kind, source) in kept.sources().map(|source| (0, source)).chain(incomplete.map(|source| (1, source)))
    {
        sha.update([kind]);
        sha.update(source.sum()?);
    }
    if seeded {
        sha.update(b"s");
    }
    Ok(sha.finalize().into())
}

fn index(text: Interner, memory: u64, control: &Control) -> Result<PhraseIndex> {
    texts::check(text.memory_bytes() as u64 + text.token_count() as u64 * INDEX_BYTES, memory)?;
    PhraseIndex::build_while(Arc::new(text), &|| control.check())
}

#[allow(clippy::too_many_arguments)]
fn finish(
    writer: ArchiveWriter,
    sources: &Sources,
    whole: bool,
    mut limits: Vec<Limit>,
    progress: Option<Checkpoint>,
    found: Found,
    interner: &Interner,
    tables: &RankTables,
    request: &MergeRequest,
    control: &Control,
) -> Result<Manifest> {
    let complete = whole && limits.is_empty();
    if !whole {
        let more = sources.limits().into_iter().filter(|limit| !limits.contains(limit));
        limits.extend(more.collect::<Vec<_>>());
    }
    let contents = Contents {
        tally: found.tally,
        best: found.best,
        complete,
        limits,
        shards: if whole { Vec::new() } else { sources.shards() },
        proof: None,
        progress,
    };
    let description = Description {
        input: sources.input.clone(),
        lineage: &sources.lineage,
        interner,
        ranks: tables,
        contents: &contents,
        search: SearchInfo {
            elapsed_seconds: control.elapsed().as_secs_f64(),
            threads: request.threads.max(1) as u64,
            memory: request.memory,
        },
    };
    writer.finish(description, control)
}
