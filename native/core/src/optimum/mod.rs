//! The optimal ortho of a text, proved, without listing the others; and the K best.
//!
//! Axes of length 2 add no volume. So the greatest volume is that of a *core*: 2xk, which stands for a single long
//! axis, or a shape all of whose axes are 3 and longer. Every sub-grid of an ortho is an ortho, so to exclude all greater
//! volumes it is enough to exclude the least cores ([`shapes`]). The work goes down this list:
//!
//! 1. [`runs`]: the greatest k of 2xk. That is the volume of the optimum, or nearly.
//! 2. The other cores, one by one. Whatever is found raises the bar; what is not is the proof. They follow from the list of all
//!    3xk for a small k: [`rows`] and [`bands`] have 3xk, [`blocks`] r x k from these, and 3x3xk; [`fours`] has 3x3x3x3, from all 3x3;
//!    [`grid`] grows these to other cores. In a large text the lists for a k as small as these need do not fit:
//!    [`stacks`] has r x k of many rows without, and [`anchored`] looks for other cores around the rarest of their words.
//! 3. [`twos`]: among the orthos of the greatest volume, which get the most axes of length 2, and which of those comes
//!    first. For K > 1 the lesser volumes follow, one by one, until K are held.
//!
//! Guarantees: the answer does not depend on threads or memory. When asked to stop, or when lists would take more
//! memory than there is, the answer is the best so far, with the smallest volume at which a better one could be. What
//! is said to be excluded is excluded.
//!
//! Costs: the tables of the corpus, see [`least_memory`]; lists within the rest of the budget.

mod anchored;
mod bands;
mod beside;
mod blocks;
pub(crate) mod corpus;
mod fours;
pub(crate) mod grid;
mod joins;
mod rows;
mod runs;
pub(crate) mod shapes;
mod stacks;
mod top;
mod twos;
pub(crate) mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use self::corpus::{Corpus, Word};
use self::grid::{Filler, Grid};
use self::rows::Triples;
use self::runs::Runs;
#[doc(hidden)]
pub use self::shapes::{contains, least_cores};
use self::top::Top;
use self::twos::Twos;
use self::work::{Halt, Work};
use crate::error::{Code, Error};
use crate::ortho::check::Checker;
use crate::ortho::{Canonicalizer, Dims, Ortho, volume};
use crate::search::Stop;
use crate::text::PhraseIndex;

/// How to look for the optimum.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Threads to use; at least one is.
    pub threads: usize,
    /// Bytes that tables and lists may take in all; the text's index comes on top.
    pub memory: u64,
    /// How many of the best orthos are wanted; at least one.
    pub top: usize,
    /// Whether to go on with what is likely to take more than some minutes; else that is left open.
    pub patient: bool,
}

/// A part of the proof: no ortho of the text has this shape inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The shape, ascending; all shapes with lengths at least these are excluded with it.
    pub shape: Dims,
    /// Its volume, the least that is excluded with it.
    pub volume: u64,
}

/// Why not everything was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// It was asked to stop.
    Stopped,
    /// Lists would have taken more memory than there is.
    Memory,
    /// For 3x3x3x3 more 3x3 would have to be looked at than [`MOST_SQUARES`].
    Effort,
}

/// So many 3x3 are looked at for 3x3x3x3 if nobody is patient: some minutes of one core.
pub const MOST_SQUARES: usize = 24_000_000;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Optimum {
    /// The best orthos, the best first: as many as were wanted, or all there are.
    pub best: Vec<Ortho>,
    /// Shapes that together exclude all volumes greater than that of the best, but for those from `open` on.
    pub excluded: Vec<Excluded>,
    /// If a greater volume than that of the best is not excluded: the smallest such.
    pub open: Option<u64>,
    /// If not all orthos of equal volume were compared: the greatest volume for which that is so. What is held of this
    /// volume and of lesser ones exists, but there may be better ones.
    pub unranked: Option<u64>,
    /// Why it is not proved, if it is not.
    pub limit: Option<Limit>,
}

impl Optimum {
    /// Whether the answer is proved.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.open.is_none() && self.unranked.is_none()
    }
}

/// What is known so far, for whoever watches.
#[derive(Debug, Default)]
pub struct Watch {
    state: Mutex<(Option<Ortho>, Vec<Excluded>)>,
    /// Of 3x3x3x3, which may take longer than all else: the 3x3 that have been looked at, and all, about.
    squares: [AtomicU64; 2],
}

impl Watch {
    /// The best ortho so far.
    #[must_use]
    pub fn best(&self) -> Option<Ortho> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// What has been excluded so far.
    #[must_use]
    pub fn excluded(&self) -> Vec<Excluded> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// How much of that shape is done which may take longer than all others, from 0 to 1; 0 before.
    #[must_use]
    pub fn share(&self) -> f64 {
        let [done, all] = [0, 1].map(|i| self.squares[i].load(Ordering::Relaxed));
        if all == 0 { 0.0 } else { (done as f64 / all as f64).min(1.0) }
    }

    fn set_squares(&self, done: usize, all: usize) {
        for (square, count) in self.squares.iter().zip([done, all]) {
            square.store(count as u64, Ordering::Relaxed);
        }
    }

    fn publish(&self, best: Option<&Ortho>, excluded: &[Excluded]) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (best.cloned(), excluded.to_vec());
    }
}

/// At what sizes the search changes its ways; the answer is always the same.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Ways {
    /// In a text with fewer bigrams all 3x3 are listed first, as everything else follows from them.
    pub few_bigrams: usize,
    /// In one with fewer than this all 3x4 are, as 3x3 are a hundred times more; in a greater one longer rows are.
    pub many_bigrams: usize,
    /// And in such a one sheets of at least this many rows, at least 5, are sought by themselves.
    pub stacked_rows: u32,
}

impl Default for Ways {
    fn default() -> Self {
        Self { few_bigrams: 40_000, many_bigrams: 250_000, stacked_rows: 6 }
    }
}

/// Bytes of memory, index not counted, below which [`find`] refuses to begin.
#[must_use]
pub fn least_memory(index: &PhraseIndex) -> u64 {
    Corpus::memory_of(index) + (8 << 20)
}

/// Finds the optimal ortho of a text, or the K best.
///
/// `seeds` are orthos that are known to be in the text, such as the optimum of a part of it: nothing worse is looked for.
///
/// # Errors
/// [`Code::MemoryTooSmall`] if the tables do not fit; [`Code::InvalidArgument`] if a seed is no ortho of the text.
pub fn find(
    index: &PhraseIndex,
    settings: Settings,
    seeds: &[Ortho],
    stop: &Stop,
    watch: &Watch,
) -> crate::Result<Optimum> {
    find_in(index, settings, seeds, stop, watch, Ways::default())
}

/// The same, with sizes for small texts, so that tests go every way.
///
/// # Errors
/// Those of [`find`].
#[doc(hidden)]
pub fn find_in(
    index: &PhraseIndex,
    settings: Settings,
    seeds: &[Ortho],
    stop: &Stop,
    watch: &Watch,
    ways: Ways,
) -> crate::Result<Optimum> {
    let least = least_memory(index);
    if settings.memory < least {
        return Err(Error::new(
            Code::MemoryTooSmall,
            format!(
                "the tables for the optimal ortho of this text take {least} bytes; {} are given",
                settings.memory
            ),
        ));
    }
    let mut top = Top::new(settings.top);
    for seed in seeds {
        Checker::new(&seed.dims, index).and_then(|mut checker| checker.check(&seed.tokens)).map_err(
            |reason| {
                Error::new(Code::InvalidArgument, format!("a known ortho is none of this text: {reason}"))
            },
        )?;
        top.offer(seed.clone());
    }
    let corpus = Corpus::new(index)?;
    let work =
        Work { stop, threads: settings.threads.max(1), memory: settings.memory - Corpus::memory_of(index) };
    let mut search = Search {
        corpus: &corpus,
        work: &work,
        ways,
        watch,
        most_squares: if settings.patient { usize::MAX } else { MOST_SQUARES },
        top: Mutex::new(top),
        least_rows: 4,
        triples: BTreeMap::new(),
        too_many: 0,
        longest: None,
        excluded: vec![],
        left: vec![],
        open: None,
        unranked: None,
        limit: None,
    };
    search.run().map_err(|halt| {
        Error::new(
            Code::Internal,
            format!("the search for the optimum failed ({halt:?}); please report this"),
        )
    })?;
    let Search { top, excluded, open, unranked, limit, .. } = search;
    let top = top.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Optimum { best: top.into_sorted(), excluded, open, unranked, limit })
}

struct Search<'a> {
    corpus: &'a Corpus,
    work: &'a Work<'a>,
    ways: Ways,
    watch: &'a Watch,
    /// 3x3 that are looked at for 3x3x3x3 at most.
    most_squares: usize,
    top: Mutex<Top>,
    /// Words of the shortest rows that sheets are looked for with, as all of these follow from the list for that; in a large
    /// text that for shorter ones would not fit.
    least_rows: usize,
    /// All 3xk, by k.
    triples: BTreeMap<usize, Triples>,
    /// The greatest k for which these did not fit.
    too_many: usize,
    /// The 2xk of the greatest k.
    longest: Option<Runs>,
    excluded: Vec<Excluded>,
    /// Cores that are left open, as a limit was met.
    left: Vec<Dims>,
    open: Option<u64>,
    unranked: Option<u64>,
    limit: Option<Limit>,
}

impl Search<'_> {
    fn top(&self) -> std::sync::MutexGuard<'_, Top> {
        // An offer is made whole or not at all.
        self.top.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The greatest volume known; 0 if there is none.
    fn known(&self) -> u64 {
        self.top().best().map_or(0, Ortho::volume)
    }

    /// What a part of the work gave; `None` if it came to a limit.
    fn settle<T>(&mut self, result: Result<T, Halt>) -> Result<Option<T>, Halt> {
        let limit = match result {
            Ok(value) => return Ok(Some(value)),
            Err(Halt::Stopped) => Limit::Stopped,
            Err(Halt::Memory) => Limit::Memory,
            Err(Halt::Effort) => Limit::Effort,
            Err(Halt::Failed) => return Err(Halt::Failed),
        };
        if self.limit != Some(Limit::Stopped) {
            self.limit = Some(limit);
        }
        Ok(None)
    }

    fn publish(&self) {
        self.watch.publish(self.top().best(), &self.excluded);
    }

    fn exclude(&mut self, shape: Dims) {
        let volume = volume(&shape);
        self.excluded.push(Excluded { shape, volume });
        self.publish();
    }

    fn run(&mut self) -> Result<(), Halt> {
        let known = self.known();
        let longest = runs::longest(self.corpus, known as usize + 1, self.work);
        let Some(longest) = self.settle(longest)? else {
            self.open = Some(known + 1);
            self.unranked = Some(known);
            return Ok(());
        };
        if let Some(runs) = &longest
            && let Some(&place) = runs.tops.first()
        {
            self.offer_one(self.corpus.run(place, runs.k));
        }
        let reached = self.known();
        let whole = longest.as_ref().is_none_or(|runs| runs.whole);
        self.longest = longest;
        if !whole {
            self.limit = Some(Limit::Stopped);
            self.open = Some(reached + 1);
            self.unranked = Some(reached);
            return Ok(());
        }
        // Without a longer 2xk than known, that length itself is excluded.
        self.exclude(vec![
            2,
            self.longest.as_ref().map_or(known.max(1) as u32 + 1, |runs| runs.k as u32 + 1),
        ]);
        if reached == 0 {
            return Ok(());
        }
        let reached = self.exclude_greater(reached, false)?;
        self.rank(reached)?;
        if self.limit != Some(Limit::Stopped) {
            let greater = self.exclude_greater(reached, true)?;
            if greater > reached {
                self.rank(greater)?;
            }
        }
        if self.open.is_none() && self.unranked.is_none() {
            // A limit that was met on a way that turned out not to be needed.
            self.limit = None;
        }
        Ok(())
    }

    /// Compares the orthos of this volume, and of lesser ones until enough are held.
    fn rank(&mut self, greatest: u64) -> Result<(), Halt> {
        self.unranked = None;
        if self.limit == Some(Limit::Stopped) {
            self.unranked = Some(greatest);
            return Ok(());
        }
        for volume in (1..=greatest).rev() {
            if self.top().bar().is_some_and(|bar| bar.volume() > volume) {
                break;
            }
            let level = self.level(volume);
            self.publish();
            if self.settle(level)?.is_none() {
                self.unranked = Some(volume);
                break;
            }
        }
        Ok(())
    }

    /// Offers some 2xk over an upper row, so that something is held early.
    fn offer_one(&self, upper: &[Word]) {
        let never = Stop::default();
        let work = Work { stop: &never, ..*self.work };
        let mut filler = Filler::new(self.corpus, &work);
        let dims = vec![2, upper.len() as u32];
        let plan = filler.plan(&dims);
        let mut found = None;
        // The first one ends the search for more; so there is no result to look at.
        let _ = filler.fill(&plan, &mut upper.to_vec(), 0, &mut |words| {
            found = Some(words.to_vec());
            Err(Halt::Stopped)
        });
        if let Some(words) = found {
            let ortho = Grid { dims, words }.ortho(self.corpus, &mut Canonicalizer::default());
            self.top().offer(ortho);
            self.publish();
        }
    }

    /// Excludes all volumes greater than the greatest there is, which is given back. Cores of four and more axes, which may take longer than all
    /// others, are left for later, when the orthos of the greatest volume of the others have been compared.
    fn exclude_greater(&mut self, mut reached: u64, later: bool) -> Result<u64, Halt> {
        'again: loop {
            let mut cores = shapes::least_cores(reached + 1);
            // The lists of rows that sheets need serve other cores too.
            cores.sort_by_key(Vec::len);
            let sheets = cores.iter().filter(|core| core.len() == 2 && !self.is_stacked(core));
            self.least_rows = sheets.map(|core| core[1] as usize).min().unwrap_or(4).max(4);
            for core in cores {
                let is_left = self.left.iter().any(|inner| shapes::contains(&core, inner));
                if is_left || core.len() > 3 && !later || self.is_excluded(&core) {
                    continue;
                }
                let grids = self.grids(&core);
                match self.settle(grids)? {
                    None => self.left.push(core),
                    Some(grids) if grids.is_empty() => self.exclude(core),
                    Some(grids) => {
                        let mut canonicalizer = Canonicalizer::default();
                        for grid in &grids {
                            let ortho = grid.ortho(self.corpus, &mut canonicalizer);
                            self.top().offer(ortho);
                        }
                        self.publish();
                        reached = volume(&core);
                        continue 'again;
                    }
                }
            }
            break;
        }
        // What was excluded for a lesser volume may be more than is needed.
        let all: Vec<Dims> = self.excluded.iter().map(|excluded| excluded.shape.clone()).collect();
        self.excluded.retain(|excluded| {
            !all.iter().any(|inner| *inner != excluded.shape && shapes::contains(&excluded.shape, inner))
        });
        let open = shapes::least_cores(reached + 1).into_iter().filter(|core| !self.is_excluded(core));
        self.open = open.map(|core| volume(&core)).min();
        Ok(reached)
    }

    fn is_excluded(&self, shape: &[u32]) -> bool {
        self.excluded.iter().any(|excluded| shapes::contains(shape, &excluded.shape))
    }

    /// Offers every ortho of a volume that may be one of the best.
    fn level(&mut self, volume: u64) -> Result<(), Halt> {
        for core in shapes::cores_of(volume) {
            let mut bases: Vec<Vec<Word>> = match core[..] {
                [] => (1..=self.corpus.vocabulary() as Word).map(|word| vec![word]).collect(),
                [k] if self.is_excluded(&[2, k]) => continue,
                [k] => {
                    let k = k as usize;
                    let known = self.longest.as_ref().filter(|longest| longest.k == k);
                    let listed;
                    let runs = match known {
                        Some(runs) => runs,
                        None => {
                            listed = runs::list(self.corpus, k, self.work)?;
                            if !listed.whole {
                                return Err(Halt::Stopped);
                            }
                            &listed
                        }
                    };
                    runs.tops.iter().map(|&place| self.corpus.run(place, k).to_vec()).collect()
                }
                _ => {
                    if self.is_excluded(&core) {
                        continue;
                    }
                    self.grids(&core)?.into_iter().map(|grid| grid.words).collect()
                }
            };
            // Of equal shapes the one with the lesser tokens is the better, so these come first.
            bases.sort_by_key(|base| base.first().map(|&word| self.corpus.token(word)));
            let (corpus, work, top) = (self.corpus, self.work, &self.top);
            let chunk = (bases.len() / (64 * work.threads)).max(1);
            let chunks: Vec<&[Vec<Word>]> = bases.chunks(chunk).collect();
            work.divide(chunks.len(), &|next| {
                let mut twos = Twos::new(corpus, &core, top, work);
                while let Some(chunk) = next() {
                    for base in chunks[chunk] {
                        twos.over(base)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// All 3xk.
    fn triples(&mut self, k: usize) -> Result<&Triples, Halt> {
        if !self.triples.contains_key(&k) {
            let (corpus, work) = (self.corpus, self.work);
            let first = match corpus.forward.bigram_count() {
                few if few < self.ways.few_bigrams => 3,
                more if more < self.ways.many_bigrams => 4,
                _ => self.least_rows,
            };
            if k <= self.too_many {
                return Err(Halt::Memory);
            }
            // If the shortest do not fit, the longer ones may.
            let shorter = std::iter::once(first).chain(self.least_rows.max(first + 1)..k);
            for shorter in shorter.filter(|&shorter| shorter < k) {
                if self.triples.range(..k).next().is_some() {
                    break;
                }
                match self.triples(shorter) {
                    Ok(_) | Err(Halt::Memory) => {}
                    Err(halt) => return Err(halt),
                }
            }
            let triples = match self.triples.range(..k).next_back() {
                Some((&from, _)) => {
                    for k in from..k - 1 {
                        let longer = rows::longer(corpus, &self.triples[&k], work)?;
                        self.triples.insert(k + 1, longer);
                    }
                    rows::longer(corpus, &self.triples[&(k - 1)], work)?
                }
                None => rows::all(corpus, k, work).inspect_err(|&halt| {
                    if halt == Halt::Memory {
                        self.too_many = k;
                    }
                })?,
            };
            self.triples.insert(k, triples);
        }
        Ok(&self.triples[&k])
    }

    /// Whether lists of short rows do not fit.
    fn is_large(&self) -> bool {
        self.corpus.forward.bigram_count() >= self.ways.many_bigrams
    }

    /// Whether sheets of this shape are sought by themselves: in a large text those of many rows are the only ones that need rows as
    /// short as theirs.
    fn is_stacked(&self, core: &[u32]) -> bool {
        self.is_large() && core.len() == 2 && core[0] >= self.ways.stacked_rows
    }

    /// Every ortho of a core of two and more axes.
    fn grids(&mut self, core: &[u32]) -> Result<Vec<Grid>, Halt> {
        let longest = core.last().copied().unwrap_or_default() as usize;
        let (corpus, work) = (self.corpus, self.work);
        let large = self.is_large();
        match *core {
            [rows, k] if self.is_stacked(core) && self.triples.range(..=longest).next().is_none() => {
                match stacks::sheets(corpus, rows as usize, k as usize, work) {
                    Err(Halt::Memory) => anchored::all(corpus, core, work),
                    done => done,
                }
            }
            [rows, _] => match self.triples(longest) {
                Ok(triples) => blocks::sheets(corpus, triples, rows as usize, work),
                Err(Halt::Memory) if large => anchored::all(corpus, core, work),
                Err(halt) => Err(halt),
            },
            [3, 3, _] if !large || self.triples.range(..=longest).next().is_some() => {
                blocks::cubes(corpus, self.triples(longest)?, work)
            }
            [.., longest] if large && longest > 3 => anchored::all(corpus, core, work),
            [3, 3, 3, 3] => {
                let watch = self.watch;
                fours::all(corpus, self.most_squares, work, &|done, all| watch.set_squares(done, all))
            }
            _ => {
                // A core with one axis shorter, or without one, is inside.
                let shorter = core.iter().rposition(|&d| d > 3).filter(|&k| k + 1 < core.len());
                let shorter = shorter.or_else(|| core[..core.len() - 1].iter().rposition(|&d| d > 3));
                let mut inner = core.to_vec();
                let added = shorter.is_none();
                match shorter {
                    Some(k) => inner[k] -= 1,
                    None => drop(inner.remove(0)),
                }
                inner.sort_unstable();
                let mut found: BTreeSet<Grid> = self.grids(&inner)?.into_iter().collect();
                let mut filler = Filler::new(corpus, work);
                if added {
                    found = grown(&mut filler, &found, |grid| vec![grid.dims.len()], work)?;
                    inner.insert(0, 2);
                }
                let target = core.to_vec();
                let axes = |grid: &Grid| -> Vec<usize> {
                    let fits = |&k: &usize| {
                        let mut dims = grid.dims.clone();
                        dims[k] += 1;
                        dims.sort_unstable();
                        dims == target
                    };
                    (0..grid.dims.len()).filter(fits).collect()
                };
                Ok(grown(&mut filler, &found, axes, work)?.into_iter().collect())
            }
        }
    }
}

/// All grids that have one layer more along one of the axes.
fn grown(
    filler: &mut Filler<'_>,
    grids: &BTreeSet<Grid>,
    axes: impl Fn(&Grid) -> Vec<usize>,
    work: &Work<'_>,
) -> Result<BTreeSet<Grid>, Halt> {
    let mut found = BTreeSet::new();
    for grid in grids {
        work.check()?;
        for axis in axes(grid) {
            filler.grown(grid, axis, &mut found)?;
            work.check_room(found.len(), grid.words.len() * 8 + 64)?;
        }
    }
    Ok(found)
}
