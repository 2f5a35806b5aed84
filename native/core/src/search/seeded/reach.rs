//! Which edges can be reached by one or two arcs, as bits, for each direction and whatever a seed sees of them.
//!
//! Only edges that can be in a cube of five axes have a bit: each of its edges has at least four arcs.
//!
//! Memory: rows are made when first asked for, and forgotten when there is no more room.

use std::rc::Rc;

use crate::search::graph::Arcs;

const NONE: u32 = u32::MAX;

/// Arcs of an edge of a cube of five axes.
const LEAST: usize = 4;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Reach {
    /// For each edge its bit, or `NONE`; and the edges by their bits.
    numbers: Vec<u32>,
    edges: Vec<u32>,
    /// For each bit one for each way to go.
    rows: Vec<Option<Rc<[u64]>>>,
    budget: u64,
    used: u64,
}

impl Reach {
    pub(super) fn new(budget: u64) -> Self {
        Self { numbers: vec![], edges: vec![], rows: vec![], budget, used: 0 }
    }

    /// Numbers the edges, if that is not done.
    pub(super) fn begin(&mut self, arcs: &Arcs, edges: u32) {
        if self.numbers.len() == edges as usize {
            return;
        }
        let Self { numbers, edges: with_bits, .. } = self;
        numbers.extend((0..edges).map(|edge| {
            if arcs.up.of(edge).len() + arcs.down.of(edge).len() < LEAST {
                return NONE;
            }
            with_bits.push(edge);
            with_bits.len() as u32 - 1
        }));
        self.rows.resize(self.edges.len() * WAYS, None);
    }

    /// The bit of an edge.
    #[inline]
    pub(super) fn bit(&self, edge: u32) -> Option<u32> {
        let number = self.numbers[edge as usize];
        (number != NONE).then_some(number)
    }

    /// The edge of a bit.
    #[inline]
    pub(super) fn edge(&self, bit: u32) -> u32 {
        self.edges[bit as usize]
    }

    /// The edges beside an edge, or beside those beside it.
    #[inline]
    pub(super) fn row(&mut self, arcs: &Arcs, bit: u32, way: Way) -> Rc<[u64]> {
        match &self.rows[bit as usize * WAYS + way.number()] {
            Some(row) => Rc::clone(row),
            None => self.make(arcs, bit, way),
        }
    }

    #[cold]
    fn make(&mut self, arcs: &Arcs, bit: u32, way: Way) -> Rc<[u64]> {
        let list = |edge, sign: i8| if sign > 0 { arcs.up.of(edge) } else { arcs.down.of(edge) };
        let mut bits = vec![0u64; self.edges.len().div_ceil(64)];
        let mut set = |edges: &[u32]| {
            for &edge in edges {
                let bit = self.numbers[edge as usize];
                if bit != NONE {
                    bits[bit as usize / 64] |= 1 << (bit % 64);
                }
            }
        };
        let edge = self.edge(bit);
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
        self.rows[bit as usize * WAYS + way.number()] = Some(Rc::clone(&row));
        row
    }
}

/// Whether a row has a bit.
#[inline]
pub(super) fn has(row: &[u64], bit: u32) -> bool {
    row[bit as usize / 64] >> (bit % 64) & 1 == 1
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
