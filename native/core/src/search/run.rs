//! Plans the memory, divides the work and runs the threads.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::Stop;
use super::cubes::{Cubes, Tables, second_edges};
use super::graph::{Arcs, Graph, Trigrams};
use super::lines::Lines;
use super::orderly::Orderly;
use super::rows::Rows;
use crate::digest::WordHashes;
use crate::error::{Code, Error, Result};
use crate::results::{Emitter, Found, Ranks, ResultsWriter};
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

/// A part of the work.
#[derive(Debug, Clone, Copy)]
struct Unit {
    edge: u32,
    /// Edges above the edges above: what its tables take, and roughly what its work grows with.
    weight: u64,
}

/// Finds every ortho of the text, each once, and writes it to `writer`. What was found comes back counted and hashed.
///
/// Memory within `settings.memory`: first the graph of bigrams; a third for the arcs between bigrams, without which, or
/// without the room for one unit's lists, cubes are left to the plain search; a third for rows, which are dropped and
/// made again when there is no room for all; the rest for what threads hold.
///
/// # Errors
/// [`Code::Cancelled`] when `stop` was requested; a failure to write.
pub fn run(
    index: &PhraseIndex,
    ranks: &Ranks,
    words: &WordHashes,
    writer: &ResultsWriter,
    settings: Settings,
    stop: &Stop,
    watch: &Watch,
) -> Result<Found> {
    let threads = settings.threads.max(1);
    let memory = settings.memory;
    let graph = Graph::new(index, ranks, memory);
    let left = memory.saturating_sub(graph.memory());
    let arcs = Arcs::new(&graph, left / 3);
    let rows = arcs.as_ref().and_then(|arcs| Rows::new(&graph, arcs, left / 3));
    let tables = match (&arcs, &rows) {
        (Some(arcs), Some(rows)) => Some(Tables { graph: &graph, arcs, rows }),
        _ => None,
    };
    let trigrams = tables.as_ref().and_then(|_| Trigrams::new(&graph, index, ranks, left / 12));
    let shared = arcs.as_ref().map_or(0, Arcs::memory) + trigrams.as_ref().map_or(0, Trigrams::memory);
    let held = left.saturating_sub(left / 3 + shared);
    let each = held / threads as u64;

    let mut units: Vec<Unit> = (0..graph.edges())
        .map(|edge| {
            let above = arcs.as_ref().map_or(0, |arcs| {
                second_edges(&graph, arcs, edge).iter().map(|&x| arcs.up.of(x).len() as u64 + 1).sum()
            });
            Unit { edge, weight: above }
        })
        .collect();
    units.sort_by_key(|unit| (std::cmp::Reverse(unit.weight), unit.edge));
    watch.total.store(units.iter().map(|unit| unit.weight + 1).sum(), Ordering::Relaxed);

    let next = AtomicUsize::new(0);
    let work = |thread: usize| -> Result<Found> {
        let mut out = Emitter::new(ranks, words, writer);
        let mut orderly = Orderly::new(index, ranks, stop);
        let mut lines = match (&tables, &trigrams) {
            (Some(tables), Some(trigrams)) => Some(Lines::new(tables, trigrams, ranks, stop)),
            _ => None,
        };
        let mut cubes = tables.as_ref().map(|tables| Cubes::new(tables, stop, (each / 4 / 64) as usize));
        let mut known = 0;
        while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            stop.check()?;
            let origin = graph.words_of(unit.edge);
            match &mut lines {
                Some(lines) if unit.weight * 24 <= each / 4 => {
                    lines.unit(unit.edge, &mut orderly, &mut out)?;
                }
                _ => orderly.long_from(origin, &mut |dims, cells| out.single(dims, cells))?,
            }
            // A place in a list and its share of the tables by edge, for all lists.
            match &mut cubes {
                Some(cubes) if unit.weight * 8 + u64::from(graph.edges()) * 8 <= each / 2 => {
                    cubes.unit(unit.edge, &mut out, &mut orderly)?;
                }
                _ => orderly.cubes_from(&origin, &mut |dims, cells| out.single(dims, cells))?,
            }
            watch.done.fetch_add(unit.weight + 1, Ordering::Relaxed);
            let count = out.count();
            if count > known {
                watch.orthos.fetch_add(count - known, Ordering::Relaxed);
                known = count;
                watch.publish(thread, out.found());
            }
        }
        out.finish()
    };
    let results: Vec<Result<Found>> = if threads == 1 {
        vec![work(0)]
    } else {
        thread::scope(|scope| {
            let work = &work;
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
