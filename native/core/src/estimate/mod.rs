//! How many orthos a text has, by shape, before any search: an estimate with a range, within seconds.
//!
//! The orthos of a text are a tree: each has one parent, which is one layer smaller, and a layer is filled cell by cell. A
//! *round* goes down this tree cell by cell with a bounded number of layers that are being filled, and generation by
//! generation with a bounded number of nodes. Each stands for so many as its weight says; of all that can come next so many
//! are kept as there is room for, chosen by systematic sampling in proportion to weight times what may come below them
//! ([`sample`]), and the weights of those kept are raised so that the expected count below remains what it was. So each
//! round is an unbiased estimate, and one that is far better than following single paths (Knuth), as siblings and
//! cousins are seen together.
//!
//! The range is that of the mean over independent rounds. A text with few orthos is counted instead; one that seems to
//! have more than any disk holds is estimated roughly.
//!
//! Guarantees: the same text, settings and seed give the same estimate on every machine, whatever the threads; memory stays
//! within the settings' or the error says so. Cost: rounds times generations times layers, each a search for the words that
//! can come next; the tables of the corpus.

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
    /// Layers of one shape that are filled at the same time in each round.
    pub layers: usize,
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
        Self { nodes: 500, layers: 20_000, rounds: 8, seed: 1, memory: 512 << 20, threads: 1 }
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
    /// Whether there are more still: the rounds ended at shapes of which there are too many to matter.
    pub at_least: bool,
}

/// A node of the tree: an ortho, or the two words of a bigram, from which orthos grow.
#[derive(Debug, Clone)]
struct Node {
    grid: Grid,
    weight: f64,
}

/// Layers of one shape that are being filled, in order of their members and then of their words.
#[derive(Debug, Default)]
struct Layers {
    /// Words of each.
    size: usize,
    words: Vec<Word>,
    /// The number of the node that each is a layer of, in its group.
    members: Vec<u32>,
    /// How many of that node's layers each stands for.
    shares: Vec<f64>,
}

/// A node that grows along an axis.
#[derive(Debug)]
struct Member {
    node: usize,
    /// None for a new axis.
    axis: Option<u8>,
    /// The cells before the layer.
    words: Vec<Word>,
    weight: f64,
}

/// A child of one of the nodes of a generation, before it is known whether it is kept.
#[derive(Debug)]
struct Child {
    group: usize,
    /// Where it is among the layers of its group.
    at: usize,
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
    let one = |round: usize, nodes: usize, layers: usize| {
        let mut chance = Chance::new(settings.seed, round as u64);
        let (nodes, layers) = (nodes.max(1), layers.max(1));
        let round = Round { corpus: &corpus, work: &work, nodes, layers, gives_up: false, exact: true };
        round.run(&mut chance).map(Option::unwrap_or_default)
    };
    let failed = |halt| match halt {
        Halt::Stopped => Error::new(Code::Cancelled, "the estimate was asked to stop"),
        Halt::Memory => Error::new(
            Code::MemoryTooSmall,
            format!("the estimate needs more than {} bytes; give it more, or fewer nodes", settings.memory),
        ),
        // No part of an estimate gives up for its effort.
        Halt::Effort | Halt::Failed => Error::new(Code::Internal, "the estimate failed; please report this"),
    };
    let layers = COUNTED * 10;
    let whole = Round { corpus: &corpus, work: &work, nodes: COUNTED, layers, gives_up: true, exact: true };
    let counted = whole.run(&mut Chance::new(settings.seed, 0)).map_err(failed)?;
    let Settings { nodes, layers, .. } = settings;
    let (mut nodes, mut layers) = (nodes, layers);
    let (first, exact) = match counted {
        Some(counts) => (counts, true),
        None => {
            let (fewer_nodes, fewer_layers) = (nodes / 10, layers / 20);
            let rough = one(0, fewer_nodes, fewer_layers).map_err(failed)?;
            if rough.values().sum::<f64>() > BEYOND {
                (nodes, layers) = (fewer_nodes, fewer_layers);
                (rough, false)
            } else {
                (one(0, nodes, layers).map_err(failed)?, false)
            }
        }
    };
    let mut rounds = if exact {
        vec![]
    } else {
        // By number, as the sum of the rounds depends on their order in the last digit.
        let parts = work.divide(rounds - 1, &|next| {
            let mut counted = vec![];
            while let Some(round) = next() {
                counted.push((round, one(round + 1, nodes, layers)?));
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
    let at_least = totals.iter().any(|&total| total > ENDLESS);
    Ok(Estimate { total: range_of(&totals), shapes, exact, at_least })
}

/// More orthos than this no disk holds, and what they are exactly matters to nobody: a rough estimate is made.
const BEYOND: f64 = 1e12;
/// A round that has come to more than this ends.
const ENDLESS: f64 = 1e30;

/// The most words that can come next, of all layers that are filled at the same time, before some are chosen.
const MOST_NEXT: u64 = 1 << 21;

struct Round<'a> {
    corpus: &'a Corpus,
    work: &'a Work<'a>,
    nodes: usize,
    layers: usize,
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
        while !generation.is_empty() && counts.values().sum::<f64>() <= ENDLESS {
            let mut groups: BTreeMap<(Dims, bool), Vec<Member>> = BTreeMap::new();
            for (node, Node { grid, weight }) in generation.iter().enumerate() {
                for axis in growing_axes(grid) {
                    let Grid { mut dims, words } = moved(grid, axis);
                    dims[0] += 1;
                    let member = Member { node, axis, words, weight: *weight };
                    groups.entry((dims, axis.is_none())).or_default().push(member);
                }
            }
            let mut filled: Vec<(Vec<Member>, Layers)> = vec![];
            let mut children: Vec<Child> = vec![];
            let mut sizes: Vec<f64> = vec![];
            for ((dims, is_new), members) in groups {
                let layers = self.fill(&mut filler, &dims, &members, is_new, chance)?;
                let weight = |at: usize| members[layers.members[at] as usize].weight * layers.shares[at];
                let total: f64 = (0..layers.members.len()).map(weight).sum();
                if total > 0.0 {
                    *counts.entry(sorted(&dims)).or_default() += total;
                }
                // What may come below a child of more axes is among its later siblings.
                let from = sizes.len();
                let mut below = 0.0;
                for at in (0..layers.members.len()).rev() {
                    let is_last = layers.members.get(at + 1) != layers.members.get(at);
                    below = if is_last { 0.0 } else { below } + layers.shares[at];
                    sizes.push(weight(at) * if is_new { below } else { 1.0 });
                }
                sizes[from..].reverse();
                children.extend((0..layers.members.len()).map(|at| Child { group: filled.len(), at }));
                filled.push((members, layers));
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
                    let (members, layers) = filled.get(child.group)?;
                    let member = members.get(*layers.members.get(child.at)? as usize)?;
                    let layer = layers.words.get(child.at * layers.size..(child.at + 1) * layers.size)?;
                    Some(Node {
                        grid: grown(&generation.get(member.node)?.grid, member.axis, layer),
                        weight: member.weight * layers.shares.get(child.at)? * raised,
                    })
                })
                .collect();
        }
        Ok(Some(counts))
    }

    /// Fills the last layer of all members of a shape, cell by cell.
    fn fill(
        &mut self,
        filler: &mut Filler<'_>,
        dims: &[u32],
        members: &[Member],
        is_new: bool,
        chance: &mut Chance,
    ) -> Result<Layers, Halt> {
        let plan = filler.plan(dims);
        let cells = members.first().map_or(0, |member| member.words.len()) / (dims[0] as usize - 1);
        let mut layers = Layers {
            size: 0,
            words: vec![],
            members: (0..members.len() as u32).collect(),
            shares: vec![1.0; members.len()],
        };
        let (mut words, mut candidates) = (vec![], vec![]);
        // Each takes 16 bytes, and as much again while some are chosen.
        let room = (self.work.memory / 128).clamp(1 << 12, MOST_NEXT) as usize;
        for _ in 0..cells {
            // With how many each stands for, of the words that can come next in the same layer.
            let mut next: Vec<(u32, Word, f64)> = vec![];
            let weight = |&(at, _, raised): &(u32, Word, f64)| {
                members[layers.members[at as usize] as usize].weight * layers.shares[at as usize] * raised
            };
            for (at, &member) in layers.members.iter().enumerate() {
                self.work.check()?;
                let before = &members[member as usize].words;
                // The unit cell of the axis added last.
                let floor = if is_new { before[before.len() / 2] } else { 0 };
                words.clear();
                words.extend_from_slice(before);
                words.extend_from_slice(&layers.words[at * layers.size..(at + 1) * layers.size]);
                filler.next_words(&plan, &words, floor, &mut candidates);
                next.extend(candidates.iter().map(|&word| (at as u32, word, 1.0)));
                if self.gives_up && next.len() > self.layers {
                    self.exact = false;
                    return Ok(layers);
                }
                if next.len() > room {
                    let sizes: Vec<f64> = next.iter().map(weight).collect();
                    let kept = sample(&sizes, room / 2, chance);
                    next = kept
                        .into_iter()
                        .map(|(chosen, raised)| {
                            let (at, word, before) = next[chosen];
                            (at, word, before * raised)
                        })
                        .collect();
                    self.exact = false;
                }
            }
            let sizes: Vec<f64> = next.iter().map(weight).collect();
            let kept = sample(&sizes, self.layers, chance);
            self.exact &= kept.len() == next.len();
            let mut longer = Layers { size: layers.size + 1, ..Layers::default() };
            for (chosen, raised) in kept {
                let (at, word, before) = next[chosen];
                let at = at as usize;
                longer.words.extend_from_slice(&layers.words[at * layers.size..(at + 1) * layers.size]);
                longer.words.push(word);
                longer.members.push(layers.members[at]);
                longer.shares.push(layers.shares[at] * before * raised);
            }
            layers = longer;
            if self.gives_up && !self.exact {
                return Ok(layers);
            }
        }
        Ok(layers)
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

fn grown(grid: &Grid, axis: Option<u8>, layer: &[Word]) -> Grid {
    let mut grid = moved(grid, axis);
    grid.dims[0] += 1;
    grid.words.extend_from_slice(layer);
    grid
}
