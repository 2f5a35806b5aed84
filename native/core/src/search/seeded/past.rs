//! The cubes of four axes around a seed that were found so far, line by line.
//!
//! A cube of five axes has one of four without its first axis from the seed, which was found before: nodes come in descending
//! order. In the node of the second axis, the ears of two of its three labels are vertices, that of the third is the ear of a label
//! of the line between these, and the edge above all three is that label's top. So this line has all that three labels can have
//! above their ears.
//!
//! Memory: 8 bytes a cube, 4 a line, and 16 for each 64 pairs of vertices of a node. Nodes for which there is no room are
//! not kept.

use super::five::Four;
use super::reach::Reach;
use super::world::World;
use crate::search::ranked::{self, Ranked};

/// A label: the vertex of its ear, by its place among all; and its top edge, by its bit in the rows of [`Reach`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Above {
    pub(super) ear: u32,
    pub(super) top: u32,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Past {
    /// By axis.
    nodes: Vec<Option<Kept>>,
    /// For each vertex of a node the later ones that it has lines to, as bits, and how many lines there are before each word.
    bits: Vec<Ranked>,
    /// Where the labels of each line start, and those of the last one end.
    starts: Vec<u32>,
    labels: Vec<Above>,
    most: u64,
}

/// Where a node's are.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// The place of its first vertex among all.
    first: u32,
    row: u32,
    bits: u32,
}

/// The lines from one vertex to later ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines<'p> {
    past: &'p Past,
    bits: &'p [Ranked],
    first: u32,
}

impl Past {
    pub(super) fn new(most: u64) -> Self {
        Self { most, ..Self::default() }
    }

    /// Begins a world of which nothing was found yet.
    pub(super) fn begin(&mut self, world: &World) {
        self.bits.clear();
        self.starts.clear();
        self.labels.clear();
        if self.memory([0; 3]) > self.most / 2 {
            // What one list took may be needed by another.
            *self = Self::new(self.most);
        }
        self.nodes.clear();
        self.nodes.resize(world.xs.len(), None);
    }

    /// Bytes that it takes with so many more bits, starts and labels.
    fn memory(&self, [bits, starts, labels]: [usize; 3]) -> u64 {
        bytes_of(&self.bits, bits) + bytes_of(&self.starts, starts) + bytes_of(&self.labels, labels)
    }

    /// Keeps all cubes of four axes over a node, which are sorted by their vertices and ears, if there is room.
    pub(super) fn add(&mut self, world: &World, q: u32, fours: &[Four], reach: &Reach) {
        let count = world.vertices(q).len();
        let row = count.div_ceil(64);
        let lines = fours.chunk_by(|one, other| one.low == other.low && one.high == other.high);
        // There are no more lines than labels.
        let more = [count * row, fours.len() + 1, fours.len()];
        let words = self.bits.len() + count * row;
        if self.memory(more) > self.most || words.max(self.labels.len() + fours.len()) > u32::MAX as usize {
            return;
        }
        let [bits, starts, labels] = more;
        make_room(&mut self.bits, bits);
        make_room(&mut self.starts, starts);
        make_room(&mut self.labels, labels);
        let kept = Kept { first: world.start(q), row: row as u32, bits: self.bits.len() as u32 };
        let own = self.bits.len();
        self.bits.resize(words, Ranked::default());
        let first = self.starts.len() as u32;
        for line in lines {
            let Four { low, high, .. } = line[0];
            ranked::insert(&mut self.bits[own + low as usize * row..], high);
            self.starts.push(self.labels.len() as u32);
            let label = |four: &Four| Some(Above { ear: four.ear, top: reach.bit(four.top)? });
            self.labels.extend(line.iter().filter_map(label));
        }
        self.starts.push(self.labels.len() as u32);
        ranked::count(&mut self.bits[own..], first);
        self.nodes[q as usize] = Some(kept);
    }

    /// Whether the cubes over a node are kept.
    pub(super) fn has(&self, q: u32) -> bool {
        self.nodes[q as usize].is_some()
    }

    /// The lines from a vertex, given by its place among all, of a node that is kept.
    #[inline]
    pub(super) fn from(&self, q: u32, low: u32) -> Option<Lines<'_>> {
        let Kept { first, row, bits } = self.nodes[q as usize]?;
        let bits = &self.bits[bits as usize + ((low - first) * row) as usize..][..row as usize];
        Some(Lines { past: self, bits, first })
    }
}

/// Makes room for so many more, and at most an eighth of what there is besides.
fn make_room<T>(list: &mut Vec<T>, more: usize) {
    if list.len() + more > list.capacity() {
        list.reserve_exact(more.max(list.len() / 8));
    }
}

/// Bytes that a list takes with that.
fn bytes_of<T>(list: &Vec<T>, more: usize) -> u64 {
    (list.capacity().max(list.len() + more.max(list.len() / 8)) * size_of::<T>()) as u64
}

impl<'p> Lines<'p> {
    /// The labels of the line to a later vertex, given by its place among all, by ascending ears; none if there is no line.
    #[inline]
    pub(super) fn to(self, high: u32) -> &'p [Above] {
        let vertex = high - self.first;
        if !ranked::has(self.bits, vertex) {
            return &[];
        }
        let line = ranked::place(self.bits, vertex);
        &self.past.labels[self.past.starts[line] as usize..self.past.starts[line + 1] as usize]
    }
}
