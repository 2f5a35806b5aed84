//! How many orthos a text has, by shape, before any search: an estimate with a range, within seconds.
//!
//! The orthos of a text are a tree: each has one parent, which is one layer smaller. A *round* goes down this tree
//! generation by generation with a bounded number of nodes. Each stands for so many nodes as its weight says; all its
//! children are found and counted with that weight; of all children together so many are kept as there is room for,
//! chosen by systematic sampling in proportion to weight times what may come below them ([`sample`]), and the weights of
//! those kept are raised so that the expected count below remains what it was. So each round is an unbiased estimate,
//! and one that is far better than following single paths (Knuth), as siblings and cousins are seen together.
//!
//! The range is that of the mean over independent rounds. A text with few orthos is counted instead.
//!
//! Guarantees: the same text, nodes, rounds and seed give the same estimate on every machine, whatever the threads. Cost: rounds times nodes times
//! generations searches of a layer; the tables of the corpus.

mod range;
mod sample;

use std::collections::BTreeMap;

pub use self::range::Range;
use self::range::range_of;
use self::sample::{Chance, sample};
use crate::error::{Code, Error};
use crate::optimum::corpus::{Corpus, Word};
use crate::optimum::grid::{Filler, Grid};
use crate::optimum::work::{Halt, Work};
use crate::ortho::Dims;
use crate::search::Stop;
use crate::text::PhraseIndex;

/// How to estimate.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Nodes of a generation that are followed in each round.
    pub nodes: usize,
    /// Independent rounds; at least two are made.
    pub rounds: usize,
    /// What the choices are drawn from.
    pub seed: u64,
    /// Bytes that tables and lists may take.
    pub memory: u64,
    /// Threads to use; at least one is.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { nodes: 150, rounds: 8, seed: 1, memory: 512 << 20, threads: 1 }
    }
}

/// What a text may have.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Orthos in all.
    pub total: Range,
    /// Orthos by shape; shapes of which there are few may be missing.
    pub shapes: BTreeMap<Dims, Range>,
    /// Whether these are the counts themselves, as all orthos were looked at.
    pub exact: bool,
}

/// A node of the tree: an ortho, or the two words of a bigram, from which orthos grow.
#[derive(Debug, Clone)]
struct Node {
    grid: Grid,
    weight: f64,
}

/// A child of one of the nodes of a generation, before it is known whether it is kept.
#[derive(Debug)]
struct Child {
    parent: u32,
    /// The axis that was lengthened, or none if one was added.
    axis: Option<u8>,
    /// Where its layer is in the list of all layers.
    layer: usize,
    length: u32,
}

/// Estimates the number of orthos of a text.
///
/// # Errors
/// [`Code::Cancelled`] if asked to stop; [`Code::MemoryTooSmall`] if the tables do not fit.
pub fn estimate(index: &PhraseIndex, settings: Settings, stop: &Stop) -> crate::Result<Estimate> {
    let least = crate::optimum::least_memory(index);
    if settings.memory < least {
        return Err(Error::new(
            Code::MemoryTooSmall,
            format!(
                "the tables for an estimate of this text take {least} bytes; {} are given",
                settings.memory
            ),
        ));
    }
    let corpus = Corpus::new(index)?;
    let memory = settings.memory - Corpus::memory_of(index);
    let rounds = settings.rounds.max(2);
    let threads = settings.threads.clamp(1, rounds);
    let work = Work { stop, threads, memory: memory / threads as u64 };
    let one = |round: usize| {
        let mut chance = Chance::new(settings.seed, round as u64);
        let nodes = settings.nodes.max(1);
        let round = Round { corpus: &corpus, work: &work, nodes, gives_up: false, exact: true };
        round.run(&mut chance).map(Option::unwrap_or_default)
    };
    let failed = |halt| match halt {
        Halt::Stopped => Error::new(Code::Cancelled, "the estimate was asked to stop"),
        Halt::Memory => Error::new(
            Code::MemoryTooSmall,
            format!("the estimate needs more than {} bytes; give it more, or fewer nodes", settings.memory),
        ),
        Halt::Failed => Error::new(Code::Internal, "the estimate failed; please report this"),
    };
    let whole = Round { corpus: &corpus, work: &work, nodes: COUNTED, gives_up: true, exact: true };
    let counted = whole.run(&mut Chance::new(settings.seed, 0)).map_err(failed)?;
    let (first, exact) = match counted {
        Some(counts) => (counts, true),
        None => (one(0).map_err(failed)?, false),
    };
    let mut rounds = if exact {
        vec![]
    } else {
        // By number, as the sum of the rounds depends on their order in the last digit.
        let parts = work.divide(rounds - 1, &|next| {
            let mut counted = vec![];
            while let Some(round) = next() {
                counted.push((round, one(round + 1)?));
            }
            Ok(counted)
        });
        let mut counted = parts.map_err(failed)?.concat();
        counted.sort_by_key(|&(round, _)| round);
        counted.into_iter().map(|(_, counts)| counts).collect()
    };
    rounds.insert(0, first);
    let mut shapes: BTreeMap<Dims, Range> = BTreeMap::new();
    for dims in rounds.iter().flat_map(BTreeMap::keys) {
        if !shapes.contains_key(dims) {
            let counts: Vec<f64> =
                rounds.iter().map(|round| round.get(dims).copied().unwrap_or_default()).collect();
            shapes.insert(dims.clone(), range_of(&counts));
        }
    }
    let totals: Vec<f64> = rounds.iter().map(|round| round.values().sum()).collect();
    Ok(Estimate { total: range_of(&totals), shapes, exact })
}

struct Round<'a> {
    corpus: &'a Corpus,
    work: &'a Work<'a>,
    nodes: usize,
    /// Whether it ends as soon as something would be left out.
    gives_up: bool,
    /// Whether nothing was left out so far.
    exact: bool,
}

/// Texts with at most so many orthos in a generation are counted, not estimated.
const COUNTED: usize = 10_000;

impl Round<'_> {
    /// Counts by shape; none if it gave up.
    fn run(mut self, chance: &mut Chance) -> Result<Option<BTreeMap<Dims, f64>>, Halt> {
        let mut counts: BTreeMap<Dims, f64> = BTreeMap::new();
        let mut filler = Filler::new(self.corpus, self.work);
        let mut generation = self.bigrams(chance);
        while !generation.is_empty() {
            let mut layers: Vec<Word> = vec![];
            let mut children: Vec<Child> = vec![];
            let mut sizes: Vec<f64> = vec![];
            for (parent, node) in generation.iter().enumerate() {
                self.work.check()?;
                for axis in growing_axes(&node.grid) {
                    let from = children.len();
                    self.children(&mut filler, parent as u32, node, axis, &mut layers, &mut children)?;
                    let shape = grown_dims(&node.grid, axis);
                    let count = children.len() - from;
                    if count > 0 {
                        *counts.entry(sorted(&shape)).or_default() += count as f64 * node.weight;
                    }
                    // What may come below a child of more axes is among its later siblings.
                    for i in 0..count {
                        let below = if axis.is_none() { (count - i) as f64 } else { 1.0 };
                        sizes.push(node.weight * below);
                    }
                }
                self.work.check_room(layers.len() + 8 * children.len(), 4)?;
                if self.gives_up && (!self.exact || children.len() > self.nodes) {
                    return Ok(None);
                }
            }
            let kept = sample(&sizes, self.nodes, chance);
            self.exact &= kept.len() == children.len();
            generation = kept
                .into_iter()
                .filter_map(|(at, raised)| {
                    let child = children.get(at)?;
                    let parent = generation.get(child.parent as usize)?;
                    let layer = layers.get(child.layer..child.layer + child.length as usize)?;
                    Some(Node {
                        grid: grown(&parent.grid, child.axis, layer),
                        weight: parent.weight * raised,
                    })
                })
                .collect();
        }
        Ok(Some(counts))
    }

    /// The bigrams that are followed.
    fn bigrams(&mut self, chance: &mut Chance) -> Vec<Node> {
        let reading = &self.corpus.forward;
        let count = reading.bigram_count() as u32;
        let sizes: Vec<f64> = (0..count)
            .map(|id| {
                let (a, b) = reading.bigram_words(id);
                let later = reading.next(a).len() as u32 - (id - reading.first_bigram(a));
                f64::from(later) * reading.next(b).len() as f64
            })
            .collect();
        // Squares are cheap to find, and what is left out here is left out for good.
        let kept = sample(&sizes, self.nodes * 4, chance);
        // A bigram of which nothing can grow has no size.
        self.exact &= kept.len() == sizes.iter().filter(|&&size| size > 0.0).count();
        kept.into_iter()
            .map(|(id, weight)| {
                let (a, b) = reading.bigram_words(id as u32);
                Node { grid: Grid { dims: vec![2], words: vec![a, b] }, weight }
            })
            .collect()
    }

    /// Every child of a node along an axis.
    fn children(
        &self,
        filler: &mut Filler<'_>,
        parent: u32,
        node: &Node,
        axis: Option<u8>,
        layers: &mut Vec<Word>,
        children: &mut Vec<Child>,
    ) -> Result<(), Halt> {
        let grid = moved(&node.grid, axis);
        let mut dims = grid.dims;
        dims[0] += 1;
        let plan = filler.plan(&dims);
        let mut words = grid.words;
        let before = words.len();
        // The unit cell of the axis added last.
        let floor = if axis.is_none() { words[before / 2] } else { 0 };
        filler.fill(&plan, &mut words, floor, &mut |words| {
            let layer = layers.len();
            layers.extend_from_slice(&words[before..]);
            children.push(Child { parent, axis, layer, length: (words.len() - before) as u32 });
            Ok(())
        })
    }
}

fn sorted(dims: &[u32]) -> Dims {
    let mut dims = dims.to_vec();
    dims.sort_unstable();
    dims
}

/// The axes along which an ortho is the parent of others; none stands for a new one.
///
/// A cube gets axes whose unit word is greater than all others, the last added being the first of its dimensions. Every
/// ortho is lengthened along its longest axes, and along one shorter by one whose unit word is greater than those of
/// all the longest.
fn growing_axes(grid: &Grid) -> Vec<Option<u8>> {
    let mut axes = vec![];
    if grid.dims.iter().all(|&d| d == 2) {
        axes.push(None);
        if grid.dims.len() == 1 {
            return axes;
        }
    }
    let mut stride = grid.words.len();
    let units: Vec<Word> = grid
        .dims
        .iter()
        .map(|&d| {
            stride /= d as usize;
            grid.words[stride]
        })
        .collect();
    let longest = grid.dims.iter().copied().max().unwrap_or_default();
    let of_longest = grid.dims.iter().zip(&units).filter(|(d, _)| **d == longest).map(|(_, unit)| *unit);
    let greatest = of_longest.max().unwrap_or_default();
    for (axis, (&d, &unit)) in grid.dims.iter().zip(&units).enumerate() {
        if d == longest || (d + 1 == longest && unit > greatest) {
            axes.push(Some(axis as u8));
        }
    }
    axes
}

/// The grid with the axis that is to grow first; a new one has length 1.
fn moved(grid: &Grid, axis: Option<u8>) -> Grid {
    match axis {
        None => Grid { dims: [&[1], &grid.dims[..]].concat(), words: grid.words.clone() },
        Some(axis) => {
            let axis = usize::from(axis);
            let others = (0..grid.dims.len()).filter(|&k| k != axis);
            grid.permuted(&std::iter::once(axis).chain(others).collect::<Vec<usize>>())
        }
    }
}

fn grown_dims(grid: &Grid, axis: Option<u8>) -> Dims {
    let mut dims = grid.dims.clone();
    match axis {
        None => dims.push(2),
        Some(axis) => dims[usize::from(axis)] += 1,
    }
    dims
}

fn grown(grid: &Grid, axis: Option<u8>, layer: &[Word]) -> Grid {
    let mut grid = moved(grid, axis);
    grid.dims[0] += 1;
    grid.words.extend_from_slice(layer);
    grid
}
