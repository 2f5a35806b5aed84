//! The bigrams of a text as a graph, twice over.
//!
//! Level one: words (as ranks), with an arc for each bigram. Level two: the bigrams themselves as vertices, called
//! *edges*; an arc from edge (x, y) to edge (f, g) where x f and y g are bigrams and f differs from y: that is, where the
//! two edges are opposite sides of a square. A cube of n axes in the first graph is one of n - 1 axes in the second.
//!
//! Memory: 8 bytes a bigram, 8 bytes an arc (both directions), a bit for each pair of words if that is little.

use std::ops::Range;

use crate::results::{Rank, Ranks};
use crate::text::PhraseIndex;

/// Lists of numbers, one after the other.
#[derive(Debug, Default)]
pub(super) struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    #[inline]
    pub(super) fn range(&self, i: u32) -> Range<usize> {
        self.starts[i as usize] as usize..self.starts[i as usize + 1] as usize
    }

    #[inline]
    pub(super) fn of(&self, i: u32) -> &[u32] {
        &self.items[self.range(i)]
    }

    /// The item at a place in all lists together.
    #[inline]
    pub(super) fn item(&self, place: usize) -> u32 {
        self.items[place]
    }

    /// The number of items of all lists.
    pub(super) fn items(&self) -> usize {
        self.items.len()
    }

    fn reversed(&self) -> Self {
        let count = self.starts.len() - 1;
        let mut starts = vec![0u32; count + 1];
        for &item in &self.items {
            starts[item as usize + 1] += 1;
        }
        for i in 0..count {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut items = vec![0; self.items.len()];
        for i in 0..count as u32 {
            for &item in self.of(i) {
                items[next[item as usize] as usize] = i;
                next[item as usize] += 1;
            }
        }
        Self { starts, items }
    }

    fn memory(&self) -> u64 {
        (self.starts.len() + self.items.len()) as u64 * 4
    }
}

/// Words and bigrams.
#[derive(Debug)]
pub(super) struct Graph {
    /// For each rank the ranks that follow it, ascending; the places in all lists together are the edges' numbers.
    pub(super) successors: Lists,
    /// The first word of each edge.
    firsts: Vec<Rank>,
    /// Whether a follows b, as bits; empty when that would be too much.
    bits: Vec<u64>,
    row: usize,
}

/// The bit table may take this much.
const BITS_BYTES: u64 = 16 << 20;

impl Graph {
    /// The graph, or `None` if it would take more than `memory` bytes.
    pub(super) fn new(index: &PhraseIndex, ranks: &Ranks, memory: u64) -> Option<Self> {
        let words = ranks.len();
        if words as u64 * 4 + u64::from(index.bigram_count()) * 8 > memory {
            return None;
        }
        let mut successors =
            Lists { starts: vec![0], items: Vec::with_capacity(index.bigram_count() as usize) };
        let mut firsts = Vec::with_capacity(index.bigram_count() as usize);
        for rank in 0..words as u32 {
            let from = successors.items.len();
            successors.items.extend(index.successors(ranks.token(rank)).iter().map(|&t| ranks.rank(t)));
            successors.items[from..].sort_unstable();
            successors.starts.push(successors.items.len() as u32);
            firsts.resize(successors.items.len(), rank);
        }
        let row = words.div_ceil(64);
        let mut bits = vec![];
        if (words * row * 8) as u64 <= BITS_BYTES.min(memory / 4) {
            bits = vec![0u64; words * row];
            for (edge, &a) in firsts.iter().enumerate() {
                let b = successors.items[edge] as usize;
                bits[a as usize * row + b / 64] |= 1 << (b % 64);
            }
        }
        Some(Self { successors, firsts, bits, row })
    }

    pub(super) fn edges(&self) -> u32 {
        self.firsts.len() as u32
    }

    /// How many words there are.
    pub(super) fn words(&self) -> u32 {
        self.successors.starts.len() as u32 - 1
    }

    #[inline]
    pub(super) fn words_of(&self, edge: u32) -> [Rank; 2] {
        [self.firsts[edge as usize], self.successors.items[edge as usize]]
    }

    #[inline]
    pub(super) fn follows(&self, a: Rank, b: Rank) -> bool {
        if self.bits.is_empty() {
            self.successors.of(a).binary_search(&b).is_ok()
        } else {
            self.bits[a as usize * self.row + b as usize / 64] >> (b % 64) & 1 == 1
        }
    }

    /// The number of an edge.
    #[inline]
    pub(super) fn edge(&self, a: Rank, b: Rank) -> Option<u32> {
        let place = self.successors.of(a).binary_search(&b).ok()?;
        Some((self.successors.range(a).start + place) as u32)
    }

    /// Whether the second edge is above the first.
    #[inline]
    pub(super) fn arc(&self, below: [Rank; 2], above: [Rank; 2]) -> bool {
        above[0] != below[1] && self.follows(below[0], above[0]) && self.follows(below[1], above[1])
    }

    pub(super) fn memory(&self) -> u64 {
        self.successors.memory() + self.firsts.len() as u64 * 4 + self.bits.len() as u64 * 8
    }
}

/// What follows each edge: the phrases of three words.
#[derive(Debug)]
pub(super) struct Trigrams {
    /// For each edge the ranks that follow it, ascending; the places in all lists together are the trigrams' numbers.
    pub(super) thirds: Lists,
    /// For each trigram whether anything follows it, as bits.
    goes_on: Vec<u64>,
}

impl Trigrams {
    /// All trigrams, or `None` if they would take more than `memory` bytes.
    pub(super) fn new(graph: &Graph, index: &PhraseIndex, ranks: &Ranks, memory: u64) -> Option<Self> {
        let mut thirds = Lists { starts: vec![0], items: vec![] };
        let mut goes_on = vec![];
        let mut list = vec![];
        for edge in 0..graph.edges() {
            let [a, b] = graph.words_of(edge).map(|rank| ranks.token(rank));
            if let Some(id) = index.bigram(a, b) {
                list.clear();
                let completions = index.completions(index.bigram_phrase(id));
                list.extend(completions.map(|(token, phrase)| (ranks.rank(token), index.can_extend(phrase))));
                list.sort_unstable();
                for &(rank, more) in &list {
                    let place = thirds.items.len();
                    if place.is_multiple_of(64) {
                        goes_on.push(0);
                    }
                    goes_on[place / 64] |= u64::from(more) << (place % 64);
                    thirds.items.push(rank);
                }
            }
            if thirds.memory() * 2 > memory {
                return None;
            }
            thirds.starts.push(thirds.items.len() as u32);
        }
        Some(Self { thirds, goes_on })
    }

    /// Whether a trigram, by its number, goes on.
    #[inline]
    pub(super) fn goes_on(&self, trigram: usize) -> bool {
        self.goes_on[trigram / 64] >> (trigram % 64) & 1 == 1
    }

    pub(super) fn memory(&self) -> u64 {
        self.thirds.memory() + self.goes_on.len() as u64 * 8
    }
}

/// The arcs between edges.
#[derive(Debug)]
pub(super) struct Arcs {
    /// For each edge the edges above it, ascending.
    pub(super) up: Lists,
    /// For each edge the edges below it, ascending.
    pub(super) down: Lists,
}

impl Arcs {
    /// All arcs, or `None` if they would take more than `memory` bytes.
    pub(super) fn new(graph: &Graph, memory: u64) -> Option<Self> {
        // Two directions of 4 bytes, and a list growing by doubling.
        let most = (memory / 12).min(u64::from(u32::MAX)) as usize;
        let mut up = Lists { starts: vec![0], items: vec![] };
        for edge in 0..graph.edges() {
            let [x, y] = graph.words_of(edge);
            let over_y = graph.successors.of(y);
            for &f in graph.successors.of(x) {
                if f == y {
                    continue;
                }
                let base = graph.successors.range(f).start;
                let over_f = graph.successors.of(f);
                if !graph.bits.is_empty() || over_f.len() <= over_y.len() {
                    let shared = over_f.iter().enumerate().filter(|&(_, &g)| graph.follows(y, g));
                    up.items.extend(shared.map(|(i, _)| (base + i) as u32));
                } else {
                    let shared = over_y.iter().filter_map(|g| over_f.binary_search(g).ok());
                    up.items.extend(shared.map(|i| (base + i) as u32));
                }
            }
            if up.items.len() > most {
                return None;
            }
            up.starts.push(up.items.len() as u32);
        }
        up.items.shrink_to_fit();
        let down = up.reversed();
        Some(Self { up, down })
    }

    pub(super) fn memory(&self) -> u64 {
        self.up.memory() + self.down.memory()
    }
}
