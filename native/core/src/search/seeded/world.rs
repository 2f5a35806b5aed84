//! What lies around a seed: the edges beside it, and those beside two of these.

use std::rc::Rc;

use super::{View, clash, weight};
use crate::results::Rank;
use crate::search::graph::Arcs;

const NONE: u32 = u32::MAX;

/// Over the seed and one edge beside it: a further axis, with an edge beside both axes' edges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Vertex {
    pub(super) axis: u32,
    pub(super) mid: u32,
}

/// The edges on one level that are beside some axis' edge.
#[derive(Debug, Default)]
pub(super) struct Mids {
    /// For each edge its number here, or `NONE`.
    numbers: Vec<u32>,
    pub(super) edges: Vec<u32>,
    pub(super) words: Vec<[Rank; 2]>,
    /// For each the axes that it is beside, ascending.
    axes: Vec<Vec<u32>>,
}

impl Mids {
    fn clear(&mut self, edges: u32) {
        for edge in self.edges.drain(..) {
            self.numbers[edge as usize] = NONE;
        }
        self.axes.clear();
        self.words.clear();
        self.numbers.resize(edges as usize, NONE);
    }

    fn add(&mut self, edge: u32, words: [Rank; 2], axis: u32) {
        let number = &mut self.numbers[edge as usize];
        if *number == NONE {
            *number = self.edges.len() as u32;
            self.edges.push(edge);
            self.words.push(words);
            self.axes.push(vec![]);
        }
        self.axes[*number as usize].push(axis);
    }

    #[inline]
    pub(super) fn number(&self, edge: u32) -> Option<u32> {
        let number = self.numbers[edge as usize];
        (number != NONE).then_some(number)
    }
}

/// The class of the mids on a level, which is 2, 0 or -2.
#[inline]
pub(super) fn class(level: i8) -> usize {
    match level {
        2 => 0,
        0 => 1,
        _ => 2,
    }
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct World {
    /// The edges beside the seed: those above, then those below. Their places are the axes.
    pub(super) xs: Vec<u32>,
    pub(super) x_words: Vec<[Rank; 2]>,
    /// 1 for those above, -1 for those below.
    pub(super) signs: Vec<i8>,
    /// How many are above.
    pub(super) above: u32,
    /// By [class](self::class).
    pub(super) mids: [Mids; 3],
    /// The vertices over each axis whose axis is a later one, axis by axis; and where each list starts.
    vertices: Vec<Vertex>,
    starts: Vec<u32>,
}

/// Bytes that a vertex takes.
const VERTEX_BYTES: u64 = 16;

impl World {
    /// `false` if that would take more than `memory` bytes: then only the axes are there.
    pub(super) fn load(&mut self, view: View<'_>, memory: u64) -> bool {
        let graph = view.tables.graph;
        self.xs.clear();
        for sign in [1, -1] {
            // Those with least around them first, so that no node has much: what is over two axes is over the first.
            let from = self.xs.len();
            self.xs.extend(view.beside(view.seed, sign, 0));
            self.xs[from..].sort_by_key(|&x| (weight(view.tables.arcs, x), x));
            if sign > 0 {
                self.above = self.xs.len() as u32;
            }
        }
        self.x_words.clear();
        self.x_words.extend(self.xs.iter().map(|&x| graph.words_of(x)));
        let above = self.above as usize;
        self.signs.clear();
        self.signs.extend((0..self.xs.len()).map(|i| if i < above { 1 } else { -1 }));
        for mids in &mut self.mids {
            mids.clear(graph.edges());
        }
        self.vertices.clear();
        self.starts.clear();
        let seed = graph.words_of(view.seed);
        let most = memory / VERTEX_BYTES;
        let mut entries = 0u64;
        for (i, (&x, &sign)) in self.xs.iter().zip(&self.signs).enumerate() {
            for other in [1, -1] {
                let level = sign + other;
                for mid in view.beside(x, other, sign) {
                    let words = graph.words_of(mid);
                    if level != 0 || !clash(0, seed, 0, words) {
                        self.mids[class(level)].add(mid, words, i as u32);
                        entries += 1;
                    }
                }
            }
            if entries > most {
                return false;
            }
        }
        for (i, (&x, &sign)) in self.xs.iter().zip(&self.signs).enumerate() {
            self.starts.push(self.vertices.len() as u32);
            let from = self.vertices.len();
            for other in [1, -1] {
                let mids = &self.mids[class(sign + other)];
                for mid in view.beside(x, other, sign) {
                    let Some(number) = mids.number(mid) else { continue };
                    let axes = &mids.axes[number as usize];
                    let later = &axes[axes.partition_point(|&axis| axis <= i as u32)..];
                    let fits = |&axis: &u32| {
                        self.signs[axis as usize] == other
                            && !clash(sign, self.x_words[i], other, self.x_words[axis as usize])
                    };
                    let found = later.iter().copied().filter(fits);
                    self.vertices.extend(found.map(|axis| Vertex { axis, mid }));
                }
            }
            self.vertices[from..].sort_unstable();
            if self.vertices.len() as u64 > most {
                return false;
            }
        }
        self.starts.push(self.vertices.len() as u32);
        true
    }

    /// Some of all vertices, which stand axis by axis.
    #[inline]
    pub(super) fn range(&self, from: u32, to: u32) -> &[Vertex] {
        &self.vertices[from as usize..to as usize]
    }

    /// The vertices over an axis, by axis and mid.
    pub(super) fn vertices(&self, q: u32) -> &[Vertex] {
        &self.vertices[self.starts[q as usize] as usize..self.starts[q as usize + 1] as usize]
    }
}

/// Which edges can be reached by one or two arcs, as bits, for each direction: made when first asked for, and forgotten
/// when there is no more room.
#[derive(Debug)]
pub(super) struct Reach {
    /// For each edge one for each way to go.
    rows: Vec<Option<Rc<[u64]>>>,
    budget: u64,
    used: u64,
}

impl Reach {
    pub(super) fn new(budget: u64) -> Self {
        Self { rows: vec![], budget, used: 0 }
    }

    /// The edges beside an edge, or beside those beside it, whatever a seed sees of them.
    pub(super) fn row(&mut self, arcs: &Arcs, edges: u32, edge: u32, way: Way) -> Rc<[u64]> {
        let place = edge as usize * WAYS + way.number();
        if self.rows.is_empty() {
            self.rows.resize(edges as usize * WAYS, None);
        }
        if let Some(row) = &self.rows[place] {
            return Rc::clone(row);
        }
        let list = |edge, sign: i8| if sign > 0 { arcs.up.of(edge) } else { arcs.down.of(edge) };
        let mut bits = vec![0u64; (edges as usize).div_ceil(64)];
        let mut set = |list: &[u32]| list.iter().for_each(|&e| bits[e as usize / 64] |= 1 << (e % 64));
        match way {
            Way::One(sign) => set(list(edge, sign)),
            Way::Two(first, second) => list(edge, first).iter().for_each(|&e| set(list(e, second))),
        }
        let bytes = bits.len() as u64 * 8 + 32;
        if self.used + bytes > self.budget {
            self.rows.fill(None);
            self.used = 0;
        }
        self.used += bytes;
        let row: Rc<[u64]> = bits.into();
        self.rows[place] = Some(Rc::clone(&row));
        row
    }
}

/// Whether a row has an edge.
#[inline]
pub(super) fn has(row: &[u64], edge: u32) -> bool {
    row[edge as usize / 64] >> (edge % 64) & 1 == 1
}

/// Up (1) or down (-1), once or twice.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    One(i8),
    Two(i8, i8),
}

const WAYS: usize = 6;

impl Way {
    fn number(self) -> usize {
        match self {
            Self::One(sign) => usize::from(sign > 0),
            Self::Two(first, second) => 2 + (usize::from(first > 0) << 1 | usize::from(second > 0)),
        }
    }
}
