//! What lies around a seed: the edges beside it, and those beside two of these.

use std::ops::Range;

use super::{View, clash, weight};
use crate::results::Rank;

const NONE: u32 = u32::MAX;

/// Over the seed and one edge beside it: a further axis, with an edge beside both axes' edges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Vertex {
    pub(super) axis: u32,
    pub(super) mid: u32,
    /// The mid's number among those of its level.
    pub(super) number: u32,
}

/// The edges on one level that are beside two or more axes' edges.
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

    /// Forgets those that are beside one axis only: they are in no cube.
    fn thin_out(&mut self) {
        let Self { numbers, edges, words, axes } = self;
        let mut kept = 0;
        for i in 0..edges.len() {
            let edge = edges[i] as usize;
            if axes[i].len() < 2 {
                numbers[edge] = NONE;
                continue;
            }
            numbers[edge] = kept as u32;
            edges[kept] = edges[i];
            words[kept] = words[i];
            axes.swap(kept, i);
            kept += 1;
        }
        edges.truncate(kept);
        words.truncate(kept);
        axes.truncate(kept);
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
    /// For each two axes where their vertices start, if that is not too much.
    table: Vec<u32>,
}

/// Axes of which the table of pairs has room.
const TABLE: usize = 1 << 10;

/// Bytes that a vertex takes.
const VERTEX_BYTES: u64 = 24;

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
        self.mids.iter_mut().for_each(Mids::thin_out);
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
                    self.vertices.extend(found.map(|axis| Vertex { axis, mid, number }));
                }
            }
            self.vertices[from..].sort_unstable();
            if self.vertices.len() as u64 > most {
                return false;
            }
        }
        self.starts.push(self.vertices.len() as u32);
        self.fill_table();
        true
    }

    fn fill_table(&mut self) {
        let mut table = std::mem::take(&mut self.table);
        table.clear();
        let axes = self.xs.len() as u32;
        if axes as usize <= TABLE {
            for r in 0..axes {
                let vertices = self.vertices(r);
                let mut next = 0;
                for s in 0..axes {
                    while vertices.get(next).is_some_and(|v| v.axis < s) {
                        next += 1;
                    }
                    table.push(self.starts[r as usize] + next as u32);
                }
            }
            table.push(self.vertices.len() as u32);
        }
        self.table = table;
    }

    /// How many vertices there are.
    pub(super) fn count(&self) -> usize {
        self.vertices.len()
    }

    /// The place among all of the first vertex over an axis.
    #[inline]
    pub(super) fn start(&self, q: u32) -> u32 {
        self.starts[q as usize]
    }

    /// A vertex by its place among all.
    #[inline]
    pub(super) fn vertex(&self, place: u32) -> Vertex {
        self.vertices[place as usize]
    }

    /// The vertices over one axis with a later one.
    #[inline]
    pub(super) fn between(&self, r: u32, s: u32) -> &[Vertex] {
        &self.vertices[self.places_between(r, s)]
    }

    /// Their places among all.
    #[inline]
    pub(super) fn places_between(&self, r: u32, s: u32) -> Range<usize> {
        if self.table.is_empty() {
            let vertices = self.vertices(r);
            let start = self.starts[r as usize] as usize;
            let from = vertices.partition_point(|v| v.axis < s);
            let to = from + vertices[from..].partition_point(|v| v.axis == s);
            return start + from..start + to;
        }
        let at = r as usize * self.xs.len() + s as usize;
        self.table[at] as usize..self.table[at + 1] as usize
    }

    /// The vertices over an axis, by axis and mid.
    pub(super) fn vertices(&self, q: u32) -> &[Vertex] {
        &self.vertices[self.starts[q as usize] as usize..self.starts[q as usize + 1] as usize]
    }
}
