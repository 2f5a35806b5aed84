//! For an edge, every edge that can stand beside it in a cube, and the edges above both.
//!
//! Two edges can stand beside each other if they differ in both words and some edge is above both. The row of an edge
//! answers "can this one stand beside it" with a bit and gives the edges above both as places in its own `up` list. Rows
//! are made when first asked for. Where all of them fit the budget each is made once; otherwise some are dropped to make
//! room for others, so memory does not depend on the text.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::exclusion::Masks;
use super::graph::{Arcs, Graph};

/// One edge's neighbours.
#[derive(Debug)]
pub(super) struct Row {
    /// Which edges are neighbours.
    bits: Box<[u64]>,
    /// How many neighbours there are before each 64 edges.
    before: Box<[u32]>,
    starts: Box<[u32]>,
    places: Box<[u16]>,
    /// For each of `places` the texts that have both edges' arcs to the edge there; empty if nothing is excluded.
    masks: Box<[u8]>,
}

impl Row {
    #[inline]
    pub(super) fn has(&self, edge: u32) -> bool {
        self.bits[edge as usize / 64] >> (edge % 64) & 1 == 1
    }

    /// Where the places of a neighbour are; the edge must be one.
    #[inline]
    pub(super) fn slot(&self, edge: u32) -> u32 {
        let word = edge as usize / 64;
        self.before[word] + (self.bits[word] & ((1 << (edge % 64)) - 1)).count_ones()
    }

    /// Places in the row's own `up` list of the edges above both.
    #[inline]
    pub(super) fn places(&self, slot: u32) -> &[u16] {
        &self.places[self.starts[slot as usize] as usize..self.starts[slot as usize + 1] as usize]
    }

    /// The masks of [`places`](Self::places), if the search leaves anything out.
    #[inline]
    pub(super) fn masks(&self, slot: u32) -> &[u8] {
        &self.masks[self.starts[slot as usize] as usize..self.starts[slot as usize + 1] as usize]
    }

    fn memory(&self) -> u64 {
        (self.bits.len() * 12 + self.starts.len() * 4 + self.places.len() * 2 + self.masks.len() + 64) as u64
    }
}

/// The rows of all edges, made on demand.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    graph: &'a Graph,
    arcs: &'a Arcs,
    masks: Option<&'a Masks>,
    store: Store,
}

#[derive(Debug)]
enum Store {
    All(Vec<OnceLock<Row>>),
    Some(Cache),
}

#[derive(Debug)]
struct Cache {
    rows: Vec<RwLock<Option<Arc<Row>>>>,
    budget: u64,
    used: AtomicU64,
    hand: AtomicUsize,
}

/// A row, to be used and let go.
#[derive(Debug)]
pub(super) enum RowRef<'r> {
    Kept(&'r Row),
    Cached(Arc<Row>),
}

impl Deref for RowRef<'_> {
    type Target = Row;

    #[inline]
    fn deref(&self) -> &Row {
        match self {
            Self::Kept(row) => row,
            Self::Cached(row) => row,
        }
    }
}

/// What a thread needs to make rows.
#[derive(Debug, Default)]
pub(super) struct RowMaker {
    /// For each edge how many places the row being made has for it.
    counts: Vec<u32>,
    touched: Vec<u32>,
}

impl<'a> Rows<'a> {
    /// `None` if an edge has more edges above it than places have bits, or not even a few rows fit.
    pub(super) fn new(
        graph: &'a Graph,
        arcs: &'a Arcs,
        masks: Option<&'a Masks>,
        budget: u64,
    ) -> Option<Self> {
        let edges = graph.edges();
        let widest = (0..edges).map(|e| arcs.up.of(e).len()).max().unwrap_or(0);
        let row = u64::from(edges).div_ceil(64) * 12;
        if widest > usize::from(u16::MAX) || row * 64 > budget {
            return None;
        }
        let pairs: u64 = (0..edges).map(|e| (arcs.down.of(e).len() as u64).pow(2)).sum();
        let all = u64::from(edges) * (row + 64)
            + pairs * if masks.is_some() { 3 } else { 2 }
            + pairs.min(u64::from(edges).pow(2)) * 4;
        let store = if all <= budget {
            Store::All((0..edges).map(|_| OnceLock::new()).collect())
        } else {
            Store::Some(Cache {
                rows: (0..edges).map(|_| RwLock::new(None)).collect(),
                budget,
                used: AtomicU64::new(0),
                hand: AtomicUsize::new(0),
            })
        };
        Some(Self { graph, arcs, masks, store })
    }

    #[inline]
    pub(super) fn row(&self, edge: u32, maker: &mut RowMaker) -> RowRef<'_> {
        match &self.store {
            Store::All(rows) => RowRef::Kept(rows[edge as usize].get_or_init(|| self.make(edge, maker))),
            Store::Some(cache) => RowRef::Cached(cache.row(edge, || self.make(edge, maker))),
        }
    }

    fn make(&self, edge: u32, maker: &mut RowMaker) -> Row {
        let RowMaker { counts, touched } = maker;
        counts.resize(self.graph.edges() as usize, 0);
        let [x, y] = self.graph.words_of(edge);
        let above = self.arcs.up.of(edge);
        let differs = |other: u32| {
            let [f, g] = self.graph.words_of(other);
            f != x && g != y
        };
        let mut bits = vec![0u64; (self.graph.edges() as usize).div_ceil(64)];
        for &top in above {
            for &other in self.arcs.down.of(top) {
                if differs(other) {
                    if counts[other as usize] == 0 {
                        touched.push(other);
                        bits[other as usize / 64] |= 1 << (other % 64);
                    }
                    counts[other as usize] += 1;
                }
            }
        }
        touched.sort_unstable();
        let mut starts = Vec::with_capacity(touched.len() + 1);
        let mut total = 0;
        for &other in touched.iter() {
            starts.push(total);
            // From here on: where the next place goes.
            total += std::mem::replace(&mut counts[other as usize], total);
        }
        starts.push(total);
        let mut sum = 0;
        let before = bits
            .iter()
            .map(|word| {
                let before = sum;
                sum += word.count_ones();
                before
            })
            .collect();
        let mut places = vec![0u16; total as usize];
        let mut place_masks = vec![0u8; if self.masks.is_some() { total as usize } else { 0 }];
        for (place, &top) in above.iter().enumerate() {
            for (&other, at) in self.arcs.down.of(top).iter().zip(self.arcs.down.range(top)) {
                if differs(other) {
                    let next = &mut counts[other as usize];
                    places[*next as usize] = place as u16;
                    if let Some(masks) = self.masks {
                        let own = masks.up[self.arcs.up.range(edge).start + place];
                        place_masks[*next as usize] = own & masks.down[at];
                    }
                    *next += 1;
                }
            }
        }
        for other in touched.drain(..) {
            counts[other as usize] = 0;
        }
        Row {
            bits: bits.into(),
            before,
            starts: starts.into(),
            places: places.into(),
            masks: place_masks.into(),
        }
    }
}

impl Cache {
    fn row(&self, edge: u32, make: impl FnOnce() -> Row) -> Arc<Row> {
        let place = &self.rows[edge as usize];
        if let Some(row) = &*place.read().unwrap_or_else(PoisonError::into_inner) {
            return Arc::clone(row);
        }
        let row = Arc::new(make());
        let used = self.used.fetch_add(row.memory(), Ordering::Relaxed) + row.memory();
        let other = place.write().unwrap_or_else(PoisonError::into_inner).replace(Arc::clone(&row));
        if let Some(other) = other {
            self.used.fetch_sub(other.memory(), Ordering::Relaxed);
        }
        if used > self.budget {
            self.evict();
        }
        row
    }

    /// Drops rows in turn until an eighth of the budget is free. A row in use lives on until its user lets it go; each
    /// thread uses only a few at a time.
    fn evict(&self) {
        let mut steps = self.rows.len();
        while self.used.load(Ordering::Relaxed) > self.budget / 8 * 7 && steps > 0 {
            steps -= 1;
            let at = self.hand.fetch_add(1, Ordering::Relaxed) % self.rows.len();
            if let Some(row) = self.rows[at].write().unwrap_or_else(PoisonError::into_inner).take() {
                self.used.fetch_sub(row.memory(), Ordering::Relaxed);
            }
        }
    }
}
