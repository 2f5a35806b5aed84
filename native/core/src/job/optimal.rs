//! The optimal ortho of a text, or the K best, from text to archive.
//!
//! The archive is one of few orthos with a proof in its manifest. Guarantees: as [`search`](super::search); a limit is no
//! error, and the manifest then says from which volume on nothing is excluded. What a killed search left is removed and
//! the search begins anew: it takes minutes where a full one takes days.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::limits::Limits;
use super::{SearchRequest, WORD_BYTES, build_index, read, remove_all, results_within};
use crate::archive::{
    ArchiveReader, ArchiveWriter, Contents, Description, Excluded, Leftover, Limit, Manifest, Optimal, Proof,
    SearchInfo, Shape, load_best,
};
use crate::control::{Control, Phase};
use crate::digest::WordHashes;
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::optimum::{self, Optimum, Settings, Watch};
use crate::ortho::{Ortho, canonical_cells};
use crate::results::{Emitter, Ranks};
use crate::search;
use crate::text::PhraseIndex;

/// The most that can be asked for: they are held in memory.
pub const MOST_BEST: u64 = 1_000_000;
/// Bytes of memory for each of the best that is wanted.
const BEST_BYTES: u64 = 512;
/// How often limits are looked at, and what is known is shown.
const TICK: Duration = Duration::from_millis(50);

/// Finds the `top` best orthos of a text and writes their archive. An archive to go on from may be of either goal:
/// nothing worse than what it holds is looked for.
///
/// # Errors
/// As [`search`](super::search); [`Code::InvalidArgument`] for a shard or a limit that has no meaning here.
pub fn optimal(
    request: &SearchRequest,
    top: u64,
    control: &Control,
    disk: &Arc<dyn Disk>,
) -> Result<Manifest> {
    let archive = ArchiveWriter::create(&request.out, disk)?;
    check(request)?;
    let known = match &request.continue_from {
        Some(path) => Some(ArchiveReader::open(path, Arc::clone(disk))?),
        None => None,
    };
    let (interner, (input, lineage)) = read(request, known.as_ref(), control, &**disk)?;
    let seeds = match &known {
        Some(reader) => load_best(reader.path(), reader.manifest(), &interner, disk)?,
        None => vec![],
    };
    drop(known);
    let leftovers = Leftover::of(&request.out, disk)?;
    let index = build_index(interner, request.memory, control)?;
    let ranks = Ranks::new(&index);
    let threads = request.threads.max(1);
    let wanted = Wanted { top, seeds, threads, memory: request.memory, limits: request.limits };
    let contents = wanted.find(&index, &ranks, &archive, control)?;
    remove_all(leftovers)?;
    let description = Description {
        lineage: &lineage,
        input,
        interner: index.interner(),
        ranks: &Arc::new(ranks).into(),
        contents: &contents,
        search: SearchInfo {
            elapsed_seconds: control.elapsed().as_secs_f64(),
            threads: threads as u64,
            memory: request.memory,
        },
    };
    archive.finish(description, control)
}

fn check(request: &SearchRequest) -> Result<()> {
    let Limits { max_orthos, max_dims, .. } = request.limits;
    let senseless = [
        (request.shard.is_some(), "a shard has no optimum of its own; search the whole text"),
        (max_orthos.is_some(), "how many of the best are wanted is said by top, not by a limit of orthos"),
        (
            max_dims.is_some(),
            "the optimal ortho is that of all numbers of dimensions; a limit has no meaning",
        ),
    ];
    match senseless.into_iter().find(|(is, _)| *is) {
        Some((_, why)) => Err(Error::new(Code::InvalidArgument, format!("the goal is the optimum: {why}"))),
        None => Ok(()),
    }
}

/// What is wanted of a text, and what may be used up.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) top: u64,
    /// Orthos that are known to be in the text.
    pub(crate) seeds: Vec<Ortho>,
    pub(crate) threads: usize,
    /// The whole budget; the text's index is taken off here.
    pub(crate) memory: u64,
    pub(crate) limits: Limits,
}

impl Wanted {
    /// Finds and writes the best.
    pub(crate) fn find(
        self,
        index: &PhraseIndex,
        ranks: &Ranks,
        archive: &ArchiveWriter,
        control: &Control,
    ) -> Result<Contents> {
        let Self { top, seeds, threads, memory: budget, limits } = self;
        if !(1..=MOST_BEST).contains(&top) {
            let what = format!("between 1 and {MOST_BEST} of the best can be found, not {top}");
            return Err(Error::new(Code::InvalidArgument, what));
        }
        control.check()?;
        let interner = index.interner();
        let (results, buffers) = results_within(archive, budget)?;
        let others = index.memory_bytes() as u64
            + buffers
            + interner.vocabulary_len() as u64 * WORD_BYTES
            + top * BEST_BYTES;
        control.set_memory(others);
        let least = optimum::least_memory(index);
        if others + least > budget {
            let what = "the search for the optimal ortho of this text";
            return Err(Error::memory_too_small(what, others + least, budget));
        }
        control.enter(Phase::Search, 0);
        let settings = Settings {
            threads,
            memory: budget - others,
            top: top as usize,
            patient: limits.max_time.is_some(),
        };
        let watch = Watch::default();
        let show = || {
            let best = watch.best().map(|best| Optimal::of(&best, interner));
            let shapes = watch.excluded().into_iter().filter_map(|excluded| Shape::new(excluded.shape));
            control.set_optimum(best, shapes.collect(), watch.share());
        };
        let found = attended(limits, control, &show, || {
            optimum::find(index, settings, &seeds, control.stop(), &watch)
        })??;
        control.check()?;
        let Optimum { best, excluded, open, unranked, limit } = found;
        let limits = limit.map(|limit| match (limit, control.stop().limit()) {
            (optimum::Limit::Stopped, Some(limit)) => {
                Limit { name: limit.name().to_owned(), value: limits.value(limit, None) }
            }
            (optimum::Limit::Effort, _) => {
                Limit { name: "effort".to_owned(), value: optimum::MOST_SQUARES as u64 }
            }
            _ => Limit { name: "memory".to_owned(), value: budget },
        });
        let words = WordHashes::new(interner);
        let mut emitter = Emitter::new(ranks, &words, &results);
        for ortho in &best {
            emit(&mut emitter, ranks, ortho)?;
        }
        let found = emitter.finish()?;
        results.close()?;
        control.add_orthos(best.len() as u64);
        let excluded = excluded.into_iter().filter_map(|excluded| {
            Some(Excluded { shape: Shape::new(excluded.shape)?, volume: excluded.volume })
        });
        Ok(Contents {
            tally: found.tally,
            best: found.best,
            complete: false,
            limits: limits.into_iter().collect(),
            shards: vec![],
            proof: Some(Proof { top, excluded: excluded.collect(), open, unranked }),
            progress: None,
        })
    }
}

/// Gives a canonical ortho to the emitter, which takes the first axis as the fastest.
fn emit(emitter: &mut Emitter<'_>, ranks: &Ranks, ortho: &Ortho) -> Result<()> {
    let mut cells: Vec<(Vec<u32>, u32)> = canonical_cells(&ortho.dims)
        .into_iter()
        .zip(&ortho.tokens)
        .map(|(cell, &token)| (cell.iter().rev().copied().collect(), ranks.rank(token)))
        .collect();
    cells.sort();
    let cells: Vec<_> = cells.into_iter().map(|(_, rank)| rank).collect();
    emitter.single(&ortho.dims, &cells)
}

/// Does the work while another thread looks at the time and shows what is known.
fn attended<T>(
    limits: Limits,
    control: &Control,
    show: &(dyn Fn() + Sync),
    work: impl FnOnce() -> T,
) -> Result<T> {
    thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        let attend = move || {
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                show();
                if limits.max_time.is_some_and(|most| control.elapsed() >= most) {
                    control.stop().end_early(search::Limit::MaxTime);
                }
            }
        };
        let attending = thread::Builder::new()
            .name("attendant".to_owned())
            .spawn_scoped(scope, attend)
            .map_err(|cause| {
                Error::new(Code::Io, format!("the system starts no further thread: {cause}; try again later"))
            })?;
        let result = work();
        drop(done);
        let _ = attending.join();
        show();
        Ok(result)
    })
}
