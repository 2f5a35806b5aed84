//! Which edges can be reached by one or two arcs, as bits, for each direction and whatever a seed sees of them.
//!
//! Only edges that can be in a cube of five axes have a bit: each of its edges has at least four arcs.
//!
//! Memory: rows are made when first asked for, and forgotten when there is no more room.

use crate::results::{Rank, bits};
use crate::search::graph::{Arcs, Graph};

const NONE: u32 = u32::MAX;

/// Arcs of an edge of a cube of five axes.
const LEAST: usize = 4;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Reach {
    /// For each edge its bit, or `NONE`; and by their bits the edges and their words.
    bits: Vec<u32>,
    edges: Vec<u32>,
    words: Vec<[Rank; 2]>,
    /// For each bit and each way to go where its row starts, or `NONE`.
    starts: Vec<u32>,
    /// All rows; the first is empty.
    rows: Vec<u64>,
    /// Words of 64 bits of one row: a multiple of [`STEP`].
    row: usize,
    most: usize,
}

/// Words of 64 bits that are looked at together.
const STEP: usize = 4;

/// A row, until the next [`Reach::make_room`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Row(u32);

impl Reach {
    pub(super) fn new(budget: u64) -> Self {
        let most = (budget / 8).min(u64::from(NONE - 1)) as usize;
        Self { bits: vec![], edges: vec![], words: vec![], starts: vec![], rows: vec![], row: 0, most }
    }

    /// Numbers the edges, if that is not done.
    pub(super) fn begin(&mut self, arcs: &Arcs, graph: &Graph) {
        if !self.bits.is_empty() {
            return;
        }
        for edge in 0..graph.edges() {
            let is_in = arcs.up.of(edge).len() + arcs.down.of(edge).len() >= LEAST;
            self.bits.push(if is_in { self.edges.len() as u32 } else { NONE });
            if is_in {
                self.edges.push(edge);
                self.words.push(graph.words_of(edge));
            }
        }
        self.row = self.edges.len().div_ceil(64).next_multiple_of(STEP);
        self.starts.resize(self.edges.len() * WAYS, NONE);
    }

    /// The bit of an edge.
    #[inline]
    pub(super) fn bit(&self, edge: u32) -> Option<u32> {
        let bit = self.bits[edge as usize];
        (bit != NONE).then_some(bit)
    }

    /// The edge of a bit.
    #[inline]
    pub(super) fn edge(&self, bit: u32) -> u32 {
        self.edges[bit as usize]
    }

    /// The words of the edge of a bit.
    #[inline]
    pub(super) fn words(&self, bit: u32) -> [Rank; 2] {
        self.words[bit as usize]
    }

    /// Forgets all rows if there is no more room.
    pub(super) fn make_room(&mut self) {
        if self.rows.len() > self.most {
            self.starts.fill(NONE);
            self.rows.clear();
        }
    }

    /// The edges beside an edge, or beside those beside it.
    #[inline]
    pub(super) fn row(&mut self, arcs: &Arcs, bit: u32, way: Way) -> Row {
        let start = self.starts[bit as usize * WAYS + way.number()];
        if start == NONE { self.make(arcs, bit, way) } else { Row(start) }
    }

    #[cold]
    fn make(&mut self, arcs: &Arcs, bit: u32, way: Way) -> Row {
        let list = |edge, sign: i8| if sign > 0 { arcs.up.of(edge) } else { arcs.down.of(edge) };
        let start = self.rows.len();
        self.rows.resize(start + self.row, 0);
        let row = &mut self.rows[start..];
        let mut set = |edges: &[u32]| {
            for &edge in edges {
                let bit = self.bits[edge as usize];
                if bit != NONE {
                    row[bit as usize / 64] |= 1 << (bit % 64);
                }
            }
        };
        let edge = self.edges[bit as usize];
        match way {
            Way::One(sign) => set(list(edge, sign)),
            Way::Two(first, second) => list(edge, first).iter().for_each(|&e| set(list(e, second))),
        }
        self.starts[bit as usize * WAYS + way.number()] = start as u32;
        Row(start as u32)
    }

    /// Whether a row has a bit.
    #[inline]
    pub(super) fn has(&self, row: Row, bit: u32) -> bool {
        self.rows[row.0 as usize + bit as usize / 64] >> (bit % 64) & 1 == 1
    }

    /// The bits that all of some rows have.
    #[inline]
    pub(super) fn common<const ROWS: usize>(&self, rows: [Row; ROWS], mut each: impl FnMut(u32)) {
        let rows = rows.map(|Row(start)| self.rows[start as usize..][..self.row].as_chunks::<STEP>().0);
        for step in 0..self.row / STEP {
            let mut all = [u64::MAX; STEP];
            for row in rows {
                for (all, word) in all.iter_mut().zip(row[step]) {
                    *all &= word;
                }
            }
            if all.iter().fold(0, |any, word| any | word) == 0 {
                continue;
            }
            for (i, &word) in all.iter().enumerate() {
                bits(word).for_each(|bit| each(((step * STEP + i) * 64 + bit) as u32));
            }
        }
    }
}

/// Up (1) or down (-1), once or twice.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    One(i8),
    Two(i8, i8),
}

const WAYS: usize = 6;

impl Way {
    #[inline]
    fn number(self) -> usize {
        match self {
            Self::One(sign) => usize::from(sign > 0),
            Self::Two(first, second) => 2 + (usize::from(first > 0) << 1 | usize::from(second > 0)),
        }
    }
}
