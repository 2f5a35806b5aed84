//! For the mids of a world, which other mids can be beside the same further edges: the rows that cubes are joined by.
//!
//! From a mid one arc leads to the *tops*, and from each of these one arc in another axis' direction back to a mid. The row of a mid,
//! for two such directions, says with a bit which mids can be reached so, and gives for each the tops in between as bits for their
//! places in the list of all. Whatever a row says holds in the seed's view, and where both mids are on one level their words differ.
//!
//! Memory: rows and lists are made when first asked for, and forgotten when there is no more room.

use std::rc::Rc;

use super::world::{Mids, World, class};
use super::{View, clash};
use crate::search::ranked::{self, Ranked};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Row {
    /// The edges one arc away.
    pub(super) tops: Box<[u32]>,
    /// The mids that can be reached, by their numbers; and how many there are before each 64.
    bits: Box<[Ranked]>,
    /// For each of them the tops in between: [`words`](Self::words) words of bits.
    places: Box<[u64]>,
}

impl Row {
    #[inline]
    pub(super) fn has(&self, number: u32) -> bool {
        ranked::has(&self.bits, number)
    }

    /// How many words the bits of its tops take.
    #[inline]
    pub(super) fn words(&self) -> usize {
        self.tops.len().div_ceil(64)
    }

    /// The places of the tops that lead to a mid, as bits; nothing if none does.
    #[inline]
    pub(super) fn places(&self, number: u32) -> &[u64] {
        if !self.has(number) {
            return &[];
        }
        &self.places[ranked::place(&self.bits, number) * self.words()..][..self.words()]
    }

    /// Whether it leads nowhere.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn memory(&self) -> u64 {
        (self.tops.len() * 4 + self.bits.len() * 16 + self.places.len() * 8 + 128) as u64
    }
}

/// For edges on odd levels the mids beside them, listed when first asked for.
#[derive(Debug, Default)]
struct Around {
    /// For each edge, by level and direction, where its list starts and ends.
    ranges: Vec<[(u32, u32); WAYS]>,
    touched: Vec<u32>,
    items: Vec<u32>,
}

/// Four levels, two directions.
const WAYS: usize = 8;

/// A list that was not made.
const UNKNOWN: (u32, u32) = (u32::MAX, 0);

impl Around {
    /// The numbers of the mids, which are on the level that a direction leads to, beside an edge on a level.
    fn mids(&mut self, view: View<'_>, mids: &Mids, edge: u32, sign: i8, level: i8) -> &[u32] {
        let Self { ranges, touched, items } = self;
        if ranges.is_empty() {
            ranges.resize(view.tables.graph.edges() as usize, [UNKNOWN; WAYS]);
        }
        let way = (level + 3) as usize / 2 * 2 + usize::from(sign > 0);
        let range = &mut ranges[edge as usize][way];
        if *range == UNKNOWN {
            touched.push(edge);
            let start = items.len() as u32;
            items.extend(view.beside(edge, sign, level).filter_map(|other| mids.number(other)));
            *range = (start, items.len() as u32);
        }
        &items[range.0 as usize..range.1 as usize]
    }

    fn clear(&mut self) {
        for edge in self.touched.drain(..) {
            self.ranges[edge as usize] = [UNKNOWN; WAYS];
        }
        self.items.clear();
    }

    fn memory(&self) -> u64 {
        (self.ranges.len() * WAYS * 8 + (self.touched.len() + self.items.len()) * 4) as u64
    }
}

/// The rows of one world.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// By class of the mid's level, then by its number and two directions.
    rows: [Vec<Option<Rc<Row>>>; 3],
    budget: u64,
    used: u64,
    around: Around,
    /// For each mid the places of the row being made; nothing between rows. And those of the mids that have any.
    all: Vec<u64>,
    found: Vec<u64>,
}

/// The directions of two arcs.
const DIRECTIONS: usize = 4;

impl Rows {
    pub(super) fn new(budget: u64) -> Self {
        Self { budget, ..Self::default() }
    }

    /// From here on they are those of this world.
    pub(super) fn begin(&mut self, world: &World) {
        self.clear();
        for (rows, mids) in self.rows.iter_mut().zip(&world.mids) {
            rows.resize(mids.edges.len() * DIRECTIONS, None);
        }
        self.used = self.rows.iter().map(|rows| rows.len() as u64 * 8).sum();
    }

    fn clear(&mut self) {
        for rows in &mut self.rows {
            rows.clear();
        }
        self.used = 0;
        self.around.clear();
    }

    /// The row of a mid, by its number on its level, in two directions.
    #[inline]
    pub(super) fn row(
        &mut self,
        view: View<'_>,
        world: &World,
        number: u32,
        level: i8,
        [first, second]: [i8; 2],
    ) -> Rc<Row> {
        let class = class(level);
        let place = number as usize * DIRECTIONS + usize::from(first > 0) * 2 + usize::from(second > 0);
        if let Some(row) = &self.rows[class][place] {
            return Rc::clone(row);
        }
        let row = Rc::new(self.make(view, world, number, level, [first, second]));
        if self.used + row.memory() + self.around.memory() > self.budget {
            self.begin(world);
        }
        self.used += row.memory();
        self.rows[class][place] = Some(Rc::clone(&row));
        row
    }

    #[cold]
    fn make(
        &mut self,
        view: View<'_>,
        world: &World,
        number: u32,
        level: i8,
        [first, second]: [i8; 2],
    ) -> Row {
        let Self { around, all, found, .. } = self;
        let own = &world.mids[class(level)];
        let (edge, words) = (own.edges[number as usize], own.words[number as usize]);
        let mids = &world.mids[class(level + first + second)];
        let same = first + second == 0;
        let tops: Box<[u32]> = view.beside(edge, first, level).collect();
        let row = tops.len().div_ceil(64);
        let used = mids.edges.len() * row;
        all.resize(all.len().max(used), 0);
        for (place, &top) in tops.iter().enumerate() {
            let (word, bit) = (place / 64, 1 << (place % 64));
            for &number in around.mids(view, mids, top, second, level + first) {
                all[number as usize * row + word] |= bit;
            }
        }
        found.clear();
        let mut bits = vec![Ranked::default(); mids.edges.len().div_ceil(64)];
        for ((from, own), ranked) in
            (0..).step_by(64).zip(all[..used].chunks_mut(64 * row.max(1))).zip(&mut bits)
        {
            let is_there = |own: &[u64]| own.iter().fold(0, |any, word| any | word) != 0;
            let mut mask = own
                .chunks_exact(row)
                .enumerate()
                .fold(0, |mask, (i, own)| mask | u64::from(is_there(own)) << i);
            for i in crate::results::bits(mask) {
                if same && clash(0, words, 0, mids.words[from + i]) {
                    mask &= !(1 << i);
                } else {
                    found.extend_from_slice(&own[i * row..][..row]);
                }
            }
            own.fill(0);
            ranked.bits = mask;
        }
        ranked::count(&mut bits, 0);
        Row { tops, bits: bits.into(), places: found.as_slice().into() }
    }
}
