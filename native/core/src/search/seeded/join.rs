//! The cubes of three and four axes around a seed, whose first axis from it is a given one.
//!
//! As in [`cubes`](crate::search::cubes): over the seed and the node `Xq`, for each middle edge `M` beside `Xq` and the edges
//! `Xr` of some third axes, the *left ears* `h` beside `Xq` and `Xs` meet the *right ears* `f` beside `Xr` and `Xs` at the
//! edges `N` beside all three. Only that each axis may go down, which changes on which levels these are. A [`Row`] of a middle edge
//! has for each ear the edges `N` that it shares with it.
//!
//! What is old for one of the other texts that are left out is taken out of the blocks one by one: seeds of which one of
//! these has the whole surroundings are few.

use std::ops::Range;
use std::rc::Rc;

use super::five::{Five, Four, Node};
use super::grow::Cube;
use super::rows::Row;
use super::world::{Vertex, World};
use super::{View, clash};
use crate::error::Result;
use crate::results::{Block, Ear, Emitter, Known, Rank, Ranks, bits, split};
use crate::search::{Sizes, Stop};

/// Bits of a mask.
const MASK: usize = 64;

/// What a node is joined in.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) view: View<'c>,
    pub(super) world: &'c World,
    pub(super) ranks: &'c Ranks,
    pub(super) known: &'c dyn Known,
    pub(super) stop: &'c Stop,
    pub(super) sizes: &'c Sizes,
    /// The other texts that are left out and have the seed.
    pub(super) others: u8,
}

/// A middle edge with its third axes.
#[derive(Debug, Clone, Copy)]
struct Middle<'m> {
    q: u32,
    q_sign: i8,
    /// The edge's number among the mids of its level.
    number: u32,
    words: [Rank; 2],
    level: i8,
    /// The direction of the third axes.
    sign: i8,
    /// Places of its vertices, by ascending axis.
    group: &'m [u32],
    /// The other texts that have all so far.
    old: u8,
}

/// See the [module](self). The space that a thread works in.
#[derive(Debug, Default)]
pub(super) struct Join {
    by_mid: Vec<u32>,
    /// By place: left ears there, and those that met a right ear, and these right ears.
    at: Vec<u64>,
    met_left: Vec<u64>,
    met_right: Vec<u64>,
    /// A bit for each place: whether the edge goes with seed and node; whether there are left ears; and whether ears met.
    fits: Vec<u64>,
    lefts: Vec<u64>,
    met: Vec<u64>,
    left: Vec<Ear>,
    left_vertices: Vec<u32>,
    left_words: LeftWords,
    right: Vec<Ear>,
    /// Their vertices' places among all.
    right_vertices: Vec<u32>,
    blocks: Vec<Block>,
    new_blocks: Vec<Block>,
    fours: Vec<Four>,
    /// Those over the current middle edge start here.
    start: usize,
    /// For each vertex of the middle edge how many there are, kept or not.
    counts: Vec<u64>,
    /// Those over the current middle edge did not fit.
    overflow: bool,
    /// The vertices of the middle edge to join; and whether the join is for what was emitted before.
    wanted: Range<usize>,
    again: bool,
}

impl Join {
    /// The cubes of four axes over the last node.
    pub(super) fn fours(&mut self) -> &mut Vec<Four> {
        &mut self.fours
    }

    /// Emits the cubes of three and four axes over a node. Those of four are kept if there are not too many; otherwise part
    /// after part is dealt with, and `false` says that those kept are the last part.
    pub(super) fn node(
        &mut self,
        context: Context<'_>,
        node: &mut Node<'_>,
        five: &mut Five,
        out: &mut Emitter<'_>,
    ) -> Result<bool> {
        let Context { view, world, stop, sizes, .. } = context;
        let q = node.q;
        self.fours.clear();
        self.left_words.begin(view.tables.graph.words());
        self.again = false;
        // Those that are not looked for need not be kept.
        let keep = sizes.axes >= 5;
        let mut whole = true;
        let vertices = world.vertices(q);
        let x = world.xs[q as usize];
        let (q_sign, x_words) = (world.signs[q as usize], world.x_words[q as usize]);
        for v in vertices {
            let cells = vec![view.seed, x, world.xs[v.axis as usize], v.mid];
            Cube { cells, signs: vec![q_sign, world.signs[v.axis as usize]] }.give(view, out)?;
        }
        if sizes.axes < 4 {
            return Ok(true);
        }
        let old = context.arc(context.others, view.words(view.seed), x_words, q_sign);
        let old = context.edge(old, x_words);
        out.node(q);
        let mut by_mid = std::mem::take(&mut self.by_mid);
        by_mid.clear();
        by_mid.extend(0..vertices.len() as u32);
        let key = |place: &u32| {
            let Vertex { axis, mid, .. } = vertices[*place as usize];
            (axis >= world.above, mid)
        };
        by_mid.sort_by_key(key);
        for group in by_mid.chunk_by(|a, b| key(a) == key(b)) {
            stop.check()?;
            let first = vertices[group[0] as usize];
            let sign = world.signs[first.axis as usize];
            let words = view.words(first.mid);
            let old = context.edge(context.arc(old, x_words, words, sign), words);
            let level = q_sign + sign;
            let middle = Middle { q, q_sign, number: first.number, words, level, sign, group, old };
            out.mid(words, &[])?;
            self.start = self.fours.len();
            self.wanted = 0..group.len();
            self.counts.clear();
            self.counts.resize(group.len(), 0);
            self.overflow = !keep;
            self.middles(context, node, middle, out)?;
            if self.overflow && keep {
                whole = false;
                self.parts(context, node, middle, five, out)?;
            }
        }
        self.by_mid = by_mid;
        Ok(whole)
    }

    /// Deals with the cubes of four axes over the middle edges before this one, then joins this one again, as many third
    /// axes at a time as fit. What is left over is kept for the next part.
    fn parts(
        &mut self,
        context: Context<'_>,
        node: &mut Node<'_>,
        middle: Middle<'_>,
        five: &mut Five,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let most = context.sizes.fours as u64;
        five.slice(node, &mut self.fours, out)?;
        self.fours.clear();
        let counts = std::mem::take(&mut self.counts);
        self.again = true;
        let mut from = 0;
        while from < counts.len() {
            let (mut to, mut sum) = (from, 0);
            while to < counts.len() && sum + counts[to] <= most {
                sum += counts[to];
                to += 1;
            }
            if sum > 0 {
                five.slice(node, &mut self.fours, out)?;
                self.fours.clear();
                self.start = 0;
                self.wanted = from..to;
                self.overflow = false;
                self.middles(context, node, middle, out)?;
            }
            if to == from {
                node.plainly_over(middle.group[from], out)?;
                to += 1;
            }
            from = to;
        }
        self.again = false;
        self.counts = counts;
        Ok(())
    }

    /// The cubes of four axes over a middle edge.
    fn middles(
        &mut self,
        context: Context<'_>,
        node: &mut Node<'_>,
        middle: Middle<'_>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        for s_sign in [1, -1] {
            if s_sign <= middle.sign {
                self.middle(context, node, middle, s_sign, out)?;
            }
        }
        Ok(())
    }

    /// The cubes of four axes over a middle edge whose fourth axis goes up or down.
    fn middle(
        &mut self,
        context: Context<'_>,
        node: &mut Node<'_>,
        middle: Middle<'_>,
        s_sign: i8,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Context { view, world, stop, .. } = context;
        let vertices = world.vertices(middle.q);
        let first_third = vertices[middle.group[0] as usize].axis;
        let (from, to) = if s_sign > 0 {
            (first_third + 1, world.above)
        } else {
            (world.above.max(first_third + 1), world.xs.len() as u32)
        };
        let from = vertices.partition_point(|v| v.axis < from);
        let to = vertices.partition_point(|v| v.axis < to);
        if from >= to {
            return Ok(());
        }
        let mut row = |back| node.rows.row(view, world, middle.number, middle.level, [s_sign, back]);
        let over_left = row(-middle.sign);
        if over_left.is_empty() {
            return Ok(());
        }
        let over_right =
            if middle.sign == middle.q_sign { Rc::clone(&over_left) } else { row(-middle.q_sign) };
        let tops = &*over_left.tops;
        let top_level = middle.level + s_sign;
        let (seed, q_words) = (view.words(view.seed), world.x_words[middle.q as usize]);
        for by_place in [&mut self.at, &mut self.met_left, &mut self.met_right] {
            if by_place.len() < tops.len() {
                by_place.resize(tops.len(), 0);
            }
        }
        let fits = |&top: &u32| {
            let words = view.words(top);
            !clash(top_level, words, 0, seed) && !clash(top_level, words, middle.q_sign, q_words)
        };
        self.fits.clear();
        self.fits.extend(tops.chunks(64).map(|tops| {
            tops.iter().enumerate().fold(0, |mask, (bit, top)| mask | u64::from(fits(top)) << bit)
        }));
        for by_word in [&mut self.lefts, &mut self.met] {
            by_word.clear();
            by_word.resize(self.fits.len(), 0);
        }
        let mut place = from as u32;
        for over_s in vertices[from..to].chunk_by(|a, b| a.axis == b.axis) {
            let first = place;
            place += over_s.len() as u32;
            let s = over_s[0].axis;
            let s_words = world.x_words[s as usize];
            if clash(middle.level, middle.words, s_sign, s_words) {
                continue;
            }
            let old = context.edge(context.arc(middle.old, seed, s_words, s_sign), s_words);
            let mut rest = (first..).zip(over_s).filter(|(_, v)| over_left.has(v.number));
            loop {
                self.left.clear();
                self.left_vertices.clear();
                for (vertex, &Vertex { mid, number, .. }) in rest.by_ref().take(MASK) {
                    let own = 1 << self.left.len();
                    for (word, (places, fits)) in over_left.places(number).iter().zip(&self.fits).enumerate()
                    {
                        self.lefts[word] |= places & fits;
                        for bit in bits(places & fits) {
                            self.at[word * 64 + bit] |= own;
                        }
                    }
                    let ear = Ear { id: mid, edge: view.words(mid) };
                    self.left_words.add(ear.edge, own);
                    self.left.push(ear);
                    self.left_vertices.push(vertex);
                }
                if self.left.is_empty() {
                    break;
                }
                stop.check()?;
                if !self.again {
                    out.top(s, &self.left);
                }
                for at in self.wanted.clone() {
                    let low = middle.group[at];
                    let r = vertices[low as usize].axis;
                    if r >= s {
                        break;
                    }
                    let third = Third { at, low, r, s, s_sign, old };
                    self.third(context, middle, third, tops, &over_right, out)?;
                }
                self.at[..tops.len()].fill(0);
                self.lefts.fill(0);
                self.left.iter().for_each(|ear| self.left_words.remove(ear.edge));
            }
        }
        Ok(())
    }

    /// Joins the left ears with the right ears over one third axis.
    fn third(
        &mut self,
        context: Context<'_>,
        middle: Middle<'_>,
        third: Third,
        tops: &[u32],
        over_right: &Row,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Context { view, world, stop, sizes, .. } = context;
        let Third { low, at, r, s, s_sign, old } = third;
        let mut rights = world.places_between(r, s);
        if rights.is_empty() {
            return Ok(());
        }
        let Middle { q, q_sign, sign, .. } = middle;
        let [q_words, r_words, s_words] = [q, r, s].map(|axis| world.x_words[axis as usize]);
        let (left_level, right_level) = (q_sign + s_sign, sign + s_sign);
        let top_level = middle.level + s_sign;
        let all = u64::MAX >> (MASK - self.left.len());
        let fitting = all & !self.left_words.clash(left_level, sign, r_words);
        if fitting == 0 {
            return Ok(());
        }
        while !rights.is_empty() {
            stop.check()?;
            self.right.clear();
            self.right_vertices.clear();
            let mut allowed = [0u64; MASK];
            for vertex in rights.by_ref().take(MASK) {
                let v = world.vertex(vertex as u32);
                let places = over_right.places(v.number);
                if places.iter().zip(&self.lefts).all(|(right, left)| right & left == 0) {
                    continue;
                }
                let ear = Ear { id: v.mid, edge: view.words(v.mid) };
                if clash(right_level, ear.edge, q_sign, q_words) {
                    continue;
                }
                let fits = if left_level == right_level {
                    fitting & !self.left_words.clash(left_level, right_level, ear.edge)
                } else {
                    fitting
                };
                let own = 1 << self.right.len();
                let mut met = 0;
                for (word, (right, left)) in places.iter().zip(&self.lefts).enumerate() {
                    let mut there = 0;
                    for bit in bits(right & left) {
                        let at = word * 64 + bit;
                        let meets = self.at[at] & fits;
                        if meets != 0 {
                            there |= 1 << bit;
                            self.met_right[at] |= own;
                            self.met_left[at] |= meets;
                        }
                    }
                    self.met[word] |= there;
                    met |= there;
                }
                if met != 0 {
                    allowed[self.right.len()] = fits;
                    self.right.push(ear);
                    self.right_vertices.push(vertex as u32);
                }
            }
            self.blocks.clear();
            for (word, met) in self.met.iter_mut().enumerate() {
                for bit in bits(std::mem::take(met)) {
                    let at = word * 64 + bit;
                    let id = tops[at];
                    let edge = view.words(id);
                    let left = std::mem::take(&mut self.met_left[at]);
                    let right = std::mem::take(&mut self.met_right[at]);
                    if !clash(top_level, edge, sign, r_words) && !clash(top_level, edge, s_sign, s_words) {
                        self.blocks.push(Block { key: at as u32, id, edge, left, right });
                    }
                }
            }
            if self.blocks.is_empty() {
                continue;
            }
            let Self {
                left, left_vertices, right, right_vertices, blocks, new_blocks, fours, counts, ..
            } = self;
            if !self.again {
                counts[at] += blocks.iter().map(|block| orthos_of(block, &allowed)).sum::<u64>();
            }
            if !self.overflow {
                for block in &*blocks {
                    for f in bits(block.right) {
                        for h in bits(block.left & allowed[f]) {
                            let (high, ear, top) = (left_vertices[h], right_vertices[f], block.id);
                            fours.push(Four { low, high, ear, top });
                        }
                    }
                }
                if !self.again && fours.len() > sizes.fours {
                    self.overflow = true;
                    fours.truncate(self.start);
                }
            }
            if self.again {
                continue;
            }
            let flips = u8::from(q_sign < 0) | u8::from(sign < 0) << 1 | u8::from(s_sign < 0) << 2;
            let old = context.arc(old, view.words(view.seed), r_words, sign);
            let old = context.arc(context.edge(old, r_words), r_words, middle.words, q_sign);
            if old != 0 {
                let edges = [view.words(view.seed), q_words, r_words, middle.words, s_words];
                new_blocks.clear();
                for block in &*blocks {
                    let mut without = [0u64; MASK];
                    for f in bits(block.right) {
                        for h in bits(block.left & allowed[f]) {
                            let [a, b, c, d, e] = edges;
                            let edges = [a, b, c, d, e, left[h].edge, right[f].edge, block.edge];
                            if context.is_old(old, edges, flips) {
                                without[f] |= 1 << h;
                            }
                        }
                    }
                    split(
                        block.left,
                        block.right,
                        |f| without[f],
                        |left, right| {
                            new_blocks.push(Block { left, right, ..*block });
                        },
                    );
                }
                std::mem::swap(blocks, new_blocks);
            }
            out.turned_ears(flips, r, right, &allowed, blocks)?;
        }
        Ok(())
    }
}

/// For each word the left ears that have it first, and those that have it second, as bits.
#[derive(Debug, Default)]
struct LeftWords(Vec<[u64; 2]>);

impl LeftWords {
    /// For so many words.
    fn begin(&mut self, words: u32) {
        self.0.resize(self.0.len().max(words as usize), [0; 2]);
    }

    #[inline]
    fn add(&mut self, [a, b]: [Rank; 2], bit: u64) {
        self.0[a as usize][0] |= bit;
        self.0[b as usize][1] |= bit;
    }

    #[inline]
    fn remove(&mut self, [a, b]: [Rank; 2]) {
        self.0[a as usize][0] = 0;
        self.0[b as usize][1] = 0;
    }

    /// Those that [`clash`](super::clash) on their level with another edge.
    #[inline]
    fn clash(&self, level: i8, other_level: i8, [a, b]: [Rank; 2]) -> u64 {
        match other_level - level {
            0 => self.0[a as usize][0] | self.0[b as usize][1],
            1 => self.0[a as usize][1],
            -1 => self.0[b as usize][0],
            _ => 0,
        }
    }
}

/// A third and a fourth axis over a middle edge.
#[derive(Debug, Clone, Copy)]
struct Third {
    /// The place of the middle edge's vertex with the third axis; and which of its vertices that is.
    low: u32,
    at: usize,
    r: u32,
    s: u32,
    s_sign: i8,
    /// The other texts that have all so far, without the third axis.
    old: u8,
}

impl Context<'_> {
    fn bigram(&self, mask: u8, a: Rank, b: Rank) -> u8 {
        if mask == 0 { 0 } else { mask & self.known.bigram(self.ranks.token(a), self.ranks.token(b)) }
    }

    /// The texts of a mask that have an edge.
    fn edge(&self, mask: u8, [a, b]: [Rank; 2]) -> u8 {
        self.bigram(mask, a, b)
    }

    /// The texts of a mask that have what joins two edges, the second above or below the first.
    fn arc(&self, mask: u8, first: [Rank; 2], second: [Rank; 2], sign: i8) -> u8 {
        let (low, high) = if sign > 0 { (first, second) } else { (second, first) };
        self.bigram(self.bigram(mask, low[0], high[0]), low[1], high[1])
    }

    /// Whether one of these texts has a whole cube of four axes.
    fn is_old(&self, mask: u8, edges: [[Rank; 2]; 8], flips: u8) -> bool {
        let mut tokens = [0; 16];
        for (place, edge) in edges.iter().enumerate() {
            let at = (place ^ usize::from(flips)) * 2;
            tokens[at] = self.ranks.token(edge[0]);
            tokens[at + 1] = self.ranks.token(edge[1]);
        }
        self.known.ortho(&[2; 4], &tokens, mask) != 0
    }
}

/// How many cubes are in a block, whose right ears may go with those left ears.
#[inline]
fn orthos_of(block: &Block, allowed: &[u64; MASK]) -> u64 {
    bits(block.right).map(|f| u64::from((block.left & allowed[f]).count_ones())).sum()
}
