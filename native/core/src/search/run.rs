//! Plans the memory, divides the work and runs the threads.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::cubes::{Cubes, Tables, second_edges};
use super::exclusion::{Exclusion, Masks};
use super::graph::{Arcs, Graph, Trigrams};
use super::ledger::{Account, Ledger};
use super::lines::Lines;
use super::plain::Plain;
use super::rows::Rows;
use super::seeded::{Seeded, Seeds};
use super::turn::Turn;
use super::{Limit, Pool, Scope, Sizes, Stop};
use crate::digest::WordHashes;
use crate::error::{Code, Error, Result};
use crate::results::{Allowance, Emitter, Found, Known, Rank, Ranks, ResultsWriter};
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
    /// The share of the work that is done, 0 to 1: of its time, as far as that can be known before.
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

    /// The search goes on from where this much was found.
    fn begin(&self, before: &Found) {
        self.orthos.store(before.tally.count(), Ordering::Relaxed);
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = vec![before.clone()];
    }

    /// What a thread found; the first place is that of what was found before.
    fn publish(&self, thread: usize, found: Found) {
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() <= thread + 1 {
            all.resize_with(thread + 2, Found::default);
        }
        all[thread + 1] = found;
    }
}

/// Tells the watch what one thread does.
pub(super) struct Report<'a> {
    watch: &'a Watch,
    thread: usize,
    /// Orthos that the watch knows of, and those whose shapes it knows.
    counted: u64,
    published: u64,
    /// What a step of the unit counts, see [`pace`].
    pace: u64,
}

impl<'a> Report<'a> {
    fn new(watch: &'a Watch, thread: usize) -> Self {
        Self { watch, thread, counted: 0, published: 0, pace: 1 }
    }

    /// Emits an ortho, and says now and then how many there are.
    pub(super) fn single(&mut self, out: &mut Emitter<'_>, dims: &[u32], cells: &[Rank]) -> Result<()> {
        out.single(dims, cells)?;
        if out.count() - self.counted >= 1 << 12 {
            self.advance(0, out);
        }
        Ok(())
    }

    /// Some more of the work is done. Shapes are published each time the thread has found a 64th more, as that copies.
    pub(super) fn advance(&mut self, weight: u64, out: &Emitter<'_>) {
        self.watch.done.fetch_add(weight.saturating_mul(self.pace), Ordering::Relaxed);
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

/// What a step of a unit counts in the share of the work that is done. The time of a unit grows about as the cube of its
/// weight, as was found on novels, and the unit has as many steps as its weight.
fn pace(weight: u32, heaviest: u32) -> u64 {
    let part = f64::from(weight) / f64::from(heaviest.max(1));
    (part * part * PACE) as u64 + 1
}

/// What a step of the heaviest unit counts, when one of the lightest counts 1.
const PACE: f64 = (1 << 20) as f64;

/// Bytes for each unit in the list of all.
const UNIT_BYTES: u64 = 8;

/// Everything that is made for all threads before they start.
struct Prepared<'a> {
    graph: &'a Graph,
    tables: Option<Tables<'a>>,
    trigrams: Option<Trigrams>,
    /// Where cubes are found from, if that is not everywhere.
    seeds: Option<Seeds>,
    units: Vec<Unit>,
}

/// The tables that everything else depends on, and the bytes left beside the graph.
struct Planned {
    graph: Graph,
    left: u64,
    arcs: Option<Arcs>,
    masks: Option<Masks>,
}

/// A search that is about to be run.
#[derive(Debug)]
pub struct Search<'a> {
    /// The phrases of the text.
    pub index: &'a PhraseIndex,
    /// The numbers that the search gives to words.
    pub ranks: &'a Ranks,
    /// The hashes of words.
    pub words: &'a WordHashes,
    /// Where what is found goes.
    pub writer: &'a ResultsWriter,
    /// Threads and memory.
    pub settings: Settings,
    /// Sizes at which the search changes its ways.
    #[doc(hidden)]
    pub sizes: Sizes,
    /// Which orthos to find.
    pub scope: Scope,
    /// How many to find at most.
    pub allowance: Option<Allowance>,
    /// What is not to be found, as it is there already.
    pub excluded: Option<&'a Exclusion<'a>>,
    /// Find new cubes from new bigrams, as [`seeds_pay`](Self::seeds_pay) said.
    pub seeded: bool,
}

/// What a search came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What is in the records written, counted and hashed; with what the ledger had found before.
    pub found: Found,
    /// What ended the search early, if anything did.
    pub limit: Option<Limit>,
}

/// [`Search::run`] for all orthos of a text.
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
    let search = Search { excluded, ..Search::new(index, ranks, words, writer, settings) };
    Ok(search.run(&Ledger::new(index.bigram_count()), stop, watch)?.found)
}

/// What the threads of a search share.
struct Shared<'a> {
    search: &'a Search<'a>,
    ledger: &'a Ledger,
    stop: &'a Stop,
    watch: &'a Watch,
}

impl<'a> Search<'a> {
    /// A search for all orthos.
    #[must_use]
    pub fn new(
        index: &'a PhraseIndex,
        ranks: &'a Ranks,
        words: &'a WordHashes,
        writer: &'a ResultsWriter,
        settings: Settings,
    ) -> Self {
        let (sizes, scope) = (Sizes::default(), Scope::default());
        Self {
            index,
            ranks,
            words,
            writer,
            settings,
            sizes,
            scope,
            allowance: None,
            excluded: None,
            seeded: false,
        }
    }

    /// Whether every ortho of a unit is known to be old.
    fn is_old(&self, origin: [Rank; 2]) -> bool {
        self.excluded.is_some_and(|excluded| excluded.closed(self.ranks.token(origin[0])) != 0)
    }

    /// The tables that everything else depends on; nothing if not even the graph fits.
    fn plan(&self) -> Option<Planned> {
        let Self { index, ranks, settings, .. } = self;
        let list = u64::from(index.bigram_count()) * UNIT_BYTES;
        let graph = Graph::new(index, ranks, (settings.memory / 2).saturating_sub(list))?;
        let left = settings.memory.saturating_sub(graph.memory() + list);
        // Masks are less than a third of the arcs.
        let arcs = Arcs::new(&graph, left / 3 / if self.excluded.is_some() { 4 } else { 3 } * 3);
        let masks = match (self.excluded, &arcs) {
            (Some(excluded), Some(arcs)) => Some(Masks::new(excluded, &graph, arcs, ranks)),
            _ => None,
        };
        Some(Planned { graph, left, arcs, masks })
    }

    /// Whether it is less work to find the new cubes from new bigrams than to search everything and leave out what is old,
    /// and there is room for it. The steps of such a search are others, so a [`Ledger`] is for one or the other.
    ///
    /// Cost: that of the tables of the search, which are made for it.
    #[must_use]
    pub fn seeds_pay(&self) -> bool {
        if self.sizes.seeded == Some(false) || self.scope.shard.is_some() {
            return false;
        }
        let Some(Planned { graph, left, arcs: Some(arcs), masks: Some(masks) }) = self.plan() else {
            return false;
        };
        if Rows::new(&graph, &arcs, Some(&masks), left / 3).is_none() {
            return false;
        }
        let Some(seeds) = Seeds::new(&graph, &arcs, &masks) else { return false };
        let taken = arcs.memory() + masks.memory() + seeds.memory();
        self.sizes.seeded == Some(true) || seeds.pay() && taken <= left / 3
    }

    /// Finds every ortho in the scope that the ledger does not call done, each once, and writes it. What was found comes
    /// back counted and hashed.
    ///
    /// Memory within the settings': at most half for the graph of bigrams and the list of units, without which every
    /// bigram is left to the plain search, which hardly needs any; of what is left a third for the arcs between bigrams,
    /// without which cubes are left to the plain search, as is any unit whose lists do not fit; a third for rows, which are
    /// dropped and made again when there is no room for all; of the rest one half for cubes of four axes that are kept to
    /// find those of five, and one for what each thread holds.
    ///
    /// # Errors
    /// [`Code::Cancelled`] when `stop` was requested; a failure to write.
    pub fn run(&self, ledger: &Ledger, stop: &Stop, watch: &Watch) -> Result<Outcome> {
        let Self { index, ranks, settings, .. } = self;
        let mut sizes = self.sizes;
        sizes.axes = sizes.axes.min(*self.scope.axes.end());
        let shared = Shared { search: self, ledger, stop, watch };
        let before = ledger.progress().found;
        watch.begin(&before);
        let threads = settings.threads.max(1);
        let Some(Planned { graph, left, arcs, masks }) = self.plan() else {
            return shared.plainly(threads);
        };
        let (graph, masks) = (&graph, masks.as_ref());
        let rows = arcs.as_ref().and_then(|arcs| Rows::new(graph, arcs, masks, left / 3));
        let tables = match (&arcs, &rows) {
            (Some(arcs), Some(rows)) => Some(Tables { graph, arcs, rows, masks }),
            _ => None,
        };
        let trigrams = tables.as_ref().and_then(|_| Trigrams::new(graph, index, ranks, left / 12));
        let seeds = match (&tables, masks) {
            (Some(Tables { arcs, .. }), Some(masks)) if self.seeded => Seeds::new(graph, arcs, masks),
            _ => None,
        };
        let taken = masks.map_or(0, Masks::memory)
            + arcs.as_ref().map_or(0, Arcs::memory)
            + trigrams.as_ref().map_or(0, Trigrams::memory)
            + seeds.as_ref().map_or(0, Seeds::memory);
        let held = left.saturating_sub(left / 3 + taken);
        let pool = Pool::new(held / 2);
        let each = held / 2 / threads as u64;

        let mut units: Vec<Unit> = (0..graph.edges())
            .map(|edge| {
                let above = arcs.as_ref().map_or(0, |arcs| match &seeds {
                    Some(seeds) => seeds.weight(arcs, edge),
                    None => {
                        second_edges(graph, arcs, edge).iter().map(|&x| arcs.up.of(x).len() as u64 + 1).sum()
                    }
                });
                (edge, above.min(u64::from(u32::MAX)) as u32)
            })
            .collect();
        units.sort_unstable_by_key(|&(edge, weight)| (std::cmp::Reverse(weight), edge));
        let heaviest = units.first().map_or(0, |unit| unit.1);
        let steps = |&(_, weight): &Unit| (u64::from(weight) + 1).saturating_mul(pace(weight, heaviest));
        watch.total.store(units.iter().map(steps).fold(0, u64::saturating_add), Ordering::Relaxed);
        let prepared = Prepared { graph, tables, trigrams, seeds, units };

        let next = AtomicUsize::new(0);
        shared.on_threads(threads, &|thread, out| {
            let Prepared { graph, tables, trigrams, seeds, units } = &prepared;
            let mut plain = Plain::new(self, stop);
            let sizes = sizes.within(each);
            let mut lines = match (tables, trigrams) {
                (Some(tables), Some(trigrams)) => Some(Lines::new(tables, trigrams, ranks, stop, sizes)),
                _ => None,
            };
            let mut cubes = tables.as_ref().map(|tables| Cubes::new(tables, stop, &pool, sizes));
            let mut seeded = match (tables, seeds, self.excluded) {
                (Some(tables), Some(seeds), Some(known)) => {
                    Some(Seeded::new(tables, seeds, ranks, known, stop, sizes, each, each))
                }
                _ => None,
            };
            let mut account = Account::new(ledger, self.writer);
            let mut report = Report::new(watch, thread);
            while let Some(&(edge, weight)) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
                stop.check()?;
                let origin = graph.words_of(edge);
                report.pace = pace(weight, heaviest);
                let mut turn = Turn::new(self, origin, &mut account, &mut report);
                let lists = u64::from(weight) * UP_BYTES + u64::from(graph.edges()) * EDGE_BYTES;
                let is_old = self.is_old(origin);
                // The cubes of a seed do not all start with it.
                let is_seed = seeds.as_ref().is_some_and(|seeds| seeds.has(edge));
                if turn.is_over() || is_old && !is_seed {
                    turn.finish(u64::from(weight) + 1, out)?;
                    continue;
                }
                match (&mut seeded, &mut cubes) {
                    (Some(seeded), _) => seeded.unit(edge, out, &mut turn)?,
                    (None, Some(cubes)) if lists <= each / 2 => {
                        cubes.unit(edge, out, &mut plain.orderly, &mut turn)?;
                    }
                    _ => plain.cubes(&mut turn, u64::from(weight), out)?,
                }
                if !sizes.cubes_alone && !is_old && turn.has_lines() {
                    match &mut lines {
                        Some(lines) if lists <= each / 2 => {
                            lines.unit(edge, &mut plain.orderly, out, &mut turn)?;
                        }
                        _ => plain.lines(&mut turn, out)?,
                    }
                }
                turn.finish(1, out)?;
            }
            account.commit(None, out)
        })
    }
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
    let mut search = Search { sizes, excluded, ..Search::new(index, ranks, words, writer, settings) };
    search.seeded = search.seeds_pay();
    Ok(search.run(&Ledger::new(index.bigram_count()), stop, watch)?.found)
}

/// Bytes that a unit takes for each edge above the edges above it; and for each edge there is.
const UP_BYTES: u64 = 24;
const EDGE_BYTES: u64 = 24;

impl Shared<'_> {
    /// The search with no tables at all, for texts whose bigrams alone do not fit the memory.
    fn plainly(&self, threads: usize) -> Result<Outcome> {
        let Search { index, ranks, writer, .. } = self.search;
        let bigrams = index.bigram_count();
        self.watch.total.store(u64::from(bigrams), Ordering::Relaxed);
        let next = AtomicU32::new(0);
        self.on_threads(threads, &|thread, out| {
            let mut plain = Plain::new(self.search, self.stop);
            let mut account = Account::new(self.ledger, writer);
            let mut report = Report::new(self.watch, thread);
            loop {
                let bigram = next.fetch_add(1, Ordering::Relaxed);
                if bigram >= bigrams {
                    return account.commit(None, out);
                }
                self.stop.check()?;
                let (o, a) = index.bigram_tokens(bigram);
                let origin = [ranks.rank(o), ranks.rank(a)];
                let mut turn = Turn::new(self.search, origin, &mut account, &mut report);
                if !turn.is_over() && !self.search.is_old(origin) {
                    plain.cubes(&mut turn, 0, out)?;
                    plain.lines(&mut turn, out)?;
                }
                turn.finish(1, out)?;
            }
        })
    }

    /// Does the work on each thread and puts together what all found. The first failure stops the others.
    fn on_threads(
        &self,
        threads: usize,
        work: &(dyn Fn(usize, &mut Emitter<'_>) -> Result<()> + Sync),
    ) -> Result<Outcome> {
        let before = self.ledger.progress().found;
        let one = |thread: usize| {
            let Search { ranks, words, writer, scope, allowance, excluded, .. } = self.search;
            let known = excluded.map(|excluded| excluded as &dyn Known);
            let emitter = Emitter::new(ranks, words, writer).without(known);
            let mut out = emitter.within(scope.axes.clone(), allowance.as_ref());
            let ended = match work(thread, &mut out) {
                Ok(()) => false,
                Err(error) if error.code() == Code::LimitReached => {
                    // Only the allowance says so by itself.
                    self.stop.end_early(Limit::MaxOrthos);
                    true
                }
                Err(error) => {
                    self.stop.request();
                    return Err(error);
                }
            };
            // What was found of a step that is not done is kept as well; it is only not committed.
            let found = out.finish()?;
            self.watch.publish(thread, found.clone());
            Ok((found, ended))
        };
        let results: Vec<Result<(Found, bool)>> = if threads == 1 {
            vec![one(0)]
        } else {
            thread::scope(|scope| {
                let one = &one;
                let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || one(thread))).collect();
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
        let mut found = before;
        let mut early = false;
        let mut first: Option<Error> = None;
        for result in results {
            match result {
                Ok((part, ended)) => {
                    found.merge(part);
                    early |= ended;
                }
                // The others were only stopped because of the one that failed by itself.
                Err(error) if first.as_ref().is_none_or(|f| f.code() == Code::Cancelled) => {
                    first = Some(error);
                }
                Err(_) => {}
            }
        }
        match first {
            Some(error) => Err(error),
            // A limit that came when all was done ended nothing.
            None => Ok(Outcome { found, limit: self.stop.limit().filter(|_| early) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_heavier_units_count_more() {
        assert_eq!((pace(0, 0), pace(0, 9), pace(u32::MAX, u32::MAX)), (1, 1, (1 << 20) + 1));
        assert!((0..100).map(|weight| pace(weight, 100)).is_sorted());
        assert_eq!(pace(50, 100), (1 << 18) + 1);
    }
}
