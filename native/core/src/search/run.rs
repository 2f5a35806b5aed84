//! Plans the memory, divides the work and runs the threads.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::cubes::{Cubes, Tables, second_edges};
use super::exclusion::{Exclusion, Masks};
use super::graph::{Arcs, Graph, Trigrams};
use super::lines::Lines;
use super::orderly::Orderly;
use super::rows::Rows;
use super::{Pool, Sizes, Stop};
use crate::digest::WordHashes;
use crate::error::{Code, Error, Result};
use crate::results::{Emitter, Found, Known, Ranks, ResultsWriter};
use crate::text::PhraseIndex;

/// How a search is to be run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Threads to use; at least one is.
    pub threads: usize,
    /// Bytes that tables and lists may take in all; the text's index comes on top.
    pub memory: u64,
}

/// What a search has done so far, for whoever watches.
#[derive(Debug, Default)]
pub struct Watch {
    done: AtomicU64,
    total: AtomicU64,
    orthos: AtomicU64,
    found: Mutex<Vec<Found>>,
}

impl Watch {
    /// The share of the work that is done, 0 to 1. Units are weighed by what lies above them, which says little about
    /// how long the heaviest take.
    #[must_use]
    pub fn share(&self) -> f64 {
        let total = self.total.load(Ordering::Relaxed);
        if total == 0 { 0.0 } else { self.done.load(Ordering::Relaxed) as f64 / total as f64 }
    }

    /// Orthos found so far.
    #[must_use]
    pub fn orthos(&self) -> u64 {
        self.orthos.load(Ordering::Relaxed)
    }

    /// Counts by shape and the best ortho, at most some units behind [`orthos`](Self::orthos).
    #[must_use]
    pub fn found(&self) -> Found {
        let mut all = Found::default();
        for part in self.found.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            all.merge(part.clone());
        }
        all
    }

    fn publish(&self, thread: usize, found: Found) {
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() <= thread {
            all.resize_with(thread + 1, Found::default);
        }
        all[thread] = found;
    }
}

/// Tells the watch what one thread does.
struct Report<'a> {
    watch: &'a Watch,
    thread: usize,
    /// Orthos that the watch knows of, and those whose shapes it knows.
    counted: u64,
    published: u64,
}

impl<'a> Report<'a> {
    fn new(watch: &'a Watch, thread: usize) -> Self {
        Self { watch, thread, counted: 0, published: 0 }
    }

    /// Some more of the work is done. Shapes are published each time the thread has found a 64th more, as that copies.
    fn advance(&mut self, weight: u64, out: &Emitter<'_>) {
        self.watch.done.fetch_add(weight, Ordering::Relaxed);
        let count = out.count();
        self.watch.orthos.fetch_add(count - self.counted, Ordering::Relaxed);
        self.counted = count;
        if count - self.published > 1000 + self.published / 64 {
            self.published = count;
            self.watch.publish(self.thread, out.found());
        }
    }
}

/// A part of the work: an edge, and the number of edges above the edges above it, which its tables grow with and
/// roughly its work.
type Unit = (u32, u32);

/// Bytes for each unit in the list of all.
const UNIT_BYTES: u64 = 8;

/// Everything that is made for all threads before they start.
struct Prepared<'a> {
    graph: &'a Graph,
    tables: Option<Tables<'a>>,
    trigrams: Option<Trigrams>,
    units: Vec<Unit>,
}

/// Finds every ortho of the text, each once, and writes it to `writer`. What was found comes back counted and hashed.
///
/// Memory within `settings.memory`: at most half for the graph of bigrams and the list of units, without which every
/// bigram is left to the plain search, which hardly needs any; of what is left a third for the arcs between bigrams,
/// without which cubes are left to the plain search, as is any unit whose lists do not fit; a third for rows, which are
/// dropped and made again when there is no room for all; of the rest one half for cubes of four axes that are kept to find
/// those of five, and one for what each thread holds.
///
/// What `excluded` knows is not found, if it is there.
///
/// # Errors
/// [`Code::Cancelled`] when `stop` was requested; a failure to write.
#[allow(clippy::too_many_arguments)]
pub fn run(
    index: &PhraseIndex,
    ranks: &Ranks,
    words: &WordHashes,
    writer: &ResultsWriter,
    excluded: Option<&Exclusion<'_>>,
    settings: Settings,
    stop: &Stop,
    watch: &Watch,
) -> Result<Found> {
    run_with_sizes(index, ranks, words, writer, excluded, settings, Sizes::default(), stop, watch)
}

/// [`run`] with other [`Sizes`] than the usual ones, for tests.
///
/// # Errors
/// As [`run`].
#[doc(hidden)]
#[allow(clippy::too_many_arguments)]
pub fn run_with_sizes(
    index: &PhraseIndex,
    ranks: &Ranks,
    words: &WordHashes,
    writer: &ResultsWriter,
    excluded: Option<&Exclusion<'_>>,
    settings: Settings,
    sizes: Sizes,
    stop: &Stop,
    watch: &Watch,
) -> Result<Found> {
    let threads = settings.threads.max(1);
    let list = u64::from(index.bigram_count()) * UNIT_BYTES;
    let graph = Graph::new(index, ranks, (settings.memory / 2).saturating_sub(list));
    let Some(graph) = &graph else {
        return plainly(index, ranks, words, writer, excluded, threads, stop, watch);
    };
    let left = settings.memory.saturating_sub(graph.memory() + list);
    // Masks are less than a third of the arcs.
    let arcs = Arcs::new(graph, left / 3 / if excluded.is_some() { 4 } else { 3 } * 3);
    let masks = match (excluded, &arcs) {
        (Some(excluded), Some(arcs)) => Some(Masks::new(excluded, graph, arcs, ranks)),
        _ => None,
    };
    let masks = masks.as_ref();
    let rows = arcs.as_ref().and_then(|arcs| Rows::new(graph, arcs, masks, left / 3));
    let tables = match (&arcs, &rows) {
        (Some(arcs), Some(rows)) => Some(Tables { graph, arcs, rows, masks }),
        _ => None,
    };
    let trigrams = tables.as_ref().and_then(|_| Trigrams::new(graph, index, ranks, left / 12));
    let shared = masks.map_or(0, Masks::memory)
        + arcs.as_ref().map_or(0, Arcs::memory)
        + trigrams.as_ref().map_or(0, Trigrams::memory);
    let held = left.saturating_sub(left / 3 + shared);
    let pool = Pool::new(held / 2);
    let each = held / 2 / threads as u64;

    let mut units: Vec<Unit> = (0..graph.edges())
        .map(|edge| {
            let above = arcs.as_ref().map_or(0, |arcs| {
                second_edges(graph, arcs, edge).iter().map(|&x| arcs.up.of(x).len() as u64 + 1).sum()
            });
            (edge, above.min(u64::from(u32::MAX)) as u32)
        })
        .collect();
    units.sort_unstable_by_key(|&(edge, weight)| (std::cmp::Reverse(weight), edge));
    watch.total.store(units.iter().map(|unit| u64::from(unit.1) + 1).sum(), Ordering::Relaxed);
    let prepared = Prepared { graph, tables, trigrams, units };

    let next = AtomicUsize::new(0);
    on_threads(threads, stop, &|thread| {
        let Prepared { graph, tables, trigrams, units } = &prepared;
        let mut out = Emitter::new(ranks, words, writer).without(excluded.map(|e| e as &dyn Known));
        let mut orderly = Orderly::new(index, ranks, stop);
        let mut lines = match (tables, trigrams) {
            (Some(tables), Some(trigrams)) => {
                Some(Lines::new(tables, trigrams, ranks, stop, sizes.within(each)))
            }
            _ => None,
        };
        let mut cubes = tables.as_ref().map(|tables| Cubes::new(tables, stop, &pool, sizes.within(each)));
        let mut report = Report::new(watch, thread);
        while let Some(&(edge, weight)) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            stop.check()?;
            let origin = graph.words_of(edge);
            if excluded.is_some_and(|excluded| excluded.closed(ranks.token(origin[0])) != 0) {
                report.advance(u64::from(weight) + 1, &out);
                continue;
            }
            let lists = u64::from(weight) * UP_BYTES + u64::from(graph.edges()) * EDGE_BYTES;
            match &mut cubes {
                Some(cubes) if lists <= each / 2 => {
                    cubes
                        .unit(edge, &mut out, &mut orderly, &mut |weight, out| report.advance(weight, out))?;
                    report.advance(1, &out);
                }
                _ => {
                    orderly.cubes_from(&origin, &mut |dims, cells| out.single(dims, cells))?;
                    report.advance(u64::from(weight) + 1, &out);
                }
            }
            if sizes.cubes_alone {
                continue;
            }
            match &mut lines {
                Some(lines) if lists <= each / 2 => lines.unit(edge, &mut orderly, &mut out)?,
                _ => orderly.long_from(origin, &mut |dims, cells| out.single(dims, cells))?,
            }
        }
        let found = out.finish()?;
        watch.publish(thread, found.clone());
        Ok(found)
    })
}

/// Bytes that a unit takes for each edge above the edges above it; and for each edge there is.
const UP_BYTES: u64 = 24;
const EDGE_BYTES: u64 = 24;

/// The same with no tables at all, for texts whose bigrams alone do not fit the memory.
#[allow(clippy::too_many_arguments)]
fn plainly(
    index: &PhraseIndex,
    ranks: &Ranks,
    words: &WordHashes,
    writer: &ResultsWriter,
    excluded: Option<&Exclusion<'_>>,
    threads: usize,
    stop: &Stop,
    watch: &Watch,
) -> Result<Found> {
    let bigrams = index.bigram_count();
    watch.total.store(u64::from(bigrams), Ordering::Relaxed);
    let next = AtomicU32::new(0);
    on_threads(threads, stop, &|thread| {
        let mut out = Emitter::new(ranks, words, writer).without(excluded.map(|e| e as &dyn Known));
        let mut orderly = Orderly::new(index, ranks, stop);
        let mut report = Report::new(watch, thread);
        loop {
            let bigram = next.fetch_add(1, Ordering::Relaxed);
            if bigram >= bigrams {
                let found = out.finish()?;
                watch.publish(thread, found.clone());
                return Ok(found);
            }
            stop.check()?;
            let (o, a) = index.bigram_tokens(bigram);
            if excluded.is_some_and(|excluded| excluded.closed(o) != 0) {
                report.advance(1, &out);
                continue;
            }
            let origin = [ranks.rank(o), ranks.rank(a)];
            orderly.long_from(origin, &mut |dims, cells| out.single(dims, cells))?;
            orderly.cubes_from(&origin, &mut |dims, cells| out.single(dims, cells))?;
            report.advance(1, &out);
        }
    })
}

/// Does the work on each thread and puts together what all found. The first failure stops the others.
fn on_threads(threads: usize, stop: &Stop, work: &(dyn Fn(usize) -> Result<Found> + Sync)) -> Result<Found> {
    let results: Vec<Result<Found>> = if threads == 1 {
        vec![work(0)]
    } else {
        thread::scope(|scope| {
            let handles: Vec<_> = (0..threads)
                .map(|thread| {
                    scope.spawn(move || {
                        let result = work(thread);
                        if result.is_err() {
                            stop.request();
                        }
                        result
                    })
                })
                .collect();
            handles
                .into_iter()
                .map(|handle| {
                    handle.join().unwrap_or_else(|_| {
                        Err(Error::new(Code::Internal, "a search thread failed; please report this"))
                    })
                })
                .collect()
        })
    };
    let mut all = Found::default();
    let mut first: Option<Error> = None;
    for result in results {
        match result {
            Ok(found) => all.merge(found),
            // The others were only asked to stop by the one that failed.
            Err(error) => match &first {
                Some(earlier) if earlier.code() != Code::Cancelled => {}
                _ => first = Some(error),
            },
        }
    }
    first.map_or(Ok(all), Err)
}
