//! The cubes of three and four axes around a seed, whose first axis from it is a given one.
//!
//! As in [`cubes`](crate::search::cubes): over the seed and the node `Xq`, for each middle edge `M` beside `Xq` and the edges
//! `Xr` of some third axes, the *left ears* `h` beside `Xq` and `Xs` meet the *right ears* `f` beside `Xr` and `Xs` at the
//! edges `N` beside all three. Only that each axis may go down, which changes on which levels these are. A [`Row`] of a middle edge
//! has for each ear the edges `N` that it shares with it.
//!
//! What is old for one of the other texts that are left out is taken out of the blocks one by one: seeds of which one of
//! these has the whole surroundings are few.

use std::rc::Rc;

use super::five::Four;
use super::grow::Cube;
use super::rows::{Row, Rows};
use super::world::{Vertex, World};
use super::{View, clash};
use crate::error::Result;
use crate::results::{Block, Ear, Emitter, Known, Rank, Ranks, bits, split};
use crate::search::{Sizes, Stop};

/// Bits of a mask.
const MASK: usize = 64;

/// Axes of which the table of pairs has room.
const TABLE: usize = 1 << 10;

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
    /// For each two axes where their vertices start, if that is not too much.
    table: Vec<u32>,
    by_mid: Vec<u32>,
    /// By place: left ears there, and those that met a right ear, and these right ears.
    at: Vec<u64>,
    met_left: Vec<u64>,
    met_right: Vec<u64>,
    /// By place: whether the edge goes with seed and node.
    fits: Vec<bool>,
    touched: Vec<u16>,
    left: Vec<Ear>,
    left_vertices: Vec<u32>,
    right: Vec<Ear>,
    blocks: Vec<Block>,
    new_blocks: Vec<Block>,
    fours: Vec<Four>,
    /// There were more than may be kept.
    overflow: bool,
}

impl Join {
    /// From here on the nodes are those of another seed.
    pub(super) fn begin(&mut self, world: &World) {
        self.table.clear();
        let axes = world.xs.len();
        if axes <= TABLE {
            let mut start = 0;
            for r in 0..axes as u32 {
                let vertices = world.vertices(r);
                let mut next = 0;
                for s in 0..axes as u32 {
                    while vertices.get(next).is_some_and(|v| v.axis < s) {
                        next += 1;
                    }
                    self.table.push((start + next) as u32);
                }
                start += vertices.len();
            }
            self.table.push(start as u32);
        }
    }

    /// The cubes of four axes over the last node.
    pub(super) fn fours(&mut self) -> &mut Vec<Four> {
        &mut self.fours
    }

    /// Emits the cubes of three and four axes over a node. `false` if there were too many of four to keep.
    pub(super) fn node(
        &mut self,
        context: Context<'_>,
        rows: &mut Rows,
        q: u32,
        out: &mut Emitter<'_>,
    ) -> Result<bool> {
        let Context { view, world, stop, sizes, .. } = context;
        self.fours.clear();
        self.overflow = sizes.axes < 5;
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
            for s_sign in [1, -1] {
                if s_sign <= sign {
                    self.middle(context, rows, middle, s_sign, out)?;
                }
            }
        }
        self.by_mid = by_mid;
        Ok(!self.overflow || sizes.axes < 5)
    }

    /// The cubes of four axes over a middle edge whose fourth axis goes up or down.
    fn middle(
        &mut self,
        context: Context<'_>,
        rows: &mut Rows,
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
        let mut row = |back| rows.row(view, world, middle.number, middle.level, [s_sign, back]);
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
        self.fits.clear();
        self.fits.extend(tops.iter().map(|&top| {
            let words = view.words(top);
            !clash(top_level, words, 0, seed) && !clash(top_level, words, middle.q_sign, q_words)
        }));
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
                    for &place in over_left.places(number) {
                        if self.fits[usize::from(place)] {
                            self.at[usize::from(place)] |= 1 << self.left.len();
                        }
                    }
                    self.left.push(Ear { id: mid, edge: view.words(mid) });
                    self.left_vertices.push(vertex);
                }
                if self.left.is_empty() {
                    break;
                }
                stop.check()?;
                out.top(s, &self.left);
                for &low in middle.group {
                    let r = vertices[low as usize].axis;
                    if r >= s {
                        break;
                    }
                    let third = Third { low, r, s, s_sign, old };
                    self.third(context, middle, third, tops, &over_right, out)?;
                }
                for &vertex in &self.left_vertices {
                    for &place in over_left.places(vertices[vertex as usize].number) {
                        self.at[usize::from(place)] = 0;
                    }
                }
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
        let Third { low, r, s, s_sign, old } = third;
        let rights = self.between(world, r, s);
        if rights.is_empty() {
            return Ok(());
        }
        let Middle { q, q_sign, sign, .. } = middle;
        let [q_words, r_words, s_words] = [q, r, s].map(|axis| world.x_words[axis as usize]);
        let (left_level, right_level) = (q_sign + s_sign, sign + s_sign);
        let top_level = middle.level + s_sign;
        let fitting = mask_where(&self.left, |h| !clash(left_level, h.edge, sign, r_words));
        if fitting == 0 {
            return Ok(());
        }
        for chunk in rights.chunks(MASK) {
            stop.check()?;
            self.right.clear();
            let mut allowed = [0u64; MASK];
            for v in chunk {
                let places = over_right.places(v.number);
                if places.is_empty() {
                    continue;
                }
                let ear = Ear { id: v.mid, edge: view.words(v.mid) };
                if clash(right_level, ear.edge, q_sign, q_words) {
                    continue;
                }
                let fits = if left_level == right_level {
                    fitting & mask_where(&self.left, |h| h.edge[0] != ear.edge[0] && h.edge[1] != ear.edge[1])
                } else {
                    fitting
                };
                let bit = self.right.len();
                let mut met = false;
                for &place in places {
                    let at = usize::from(place);
                    let meets = self.at[at] & fits;
                    if meets != 0 {
                        met = true;
                        if self.met_right[at] == 0 {
                            self.touched.push(place);
                        }
                        self.met_right[at] |= 1 << bit;
                        self.met_left[at] |= meets;
                    }
                }
                if met {
                    allowed[bit] = fits;
                    self.right.push(ear);
                }
            }
            self.blocks.clear();
            for place in self.touched.drain(..) {
                let at = usize::from(place);
                let id = tops[at];
                let edge = view.words(id);
                let left = std::mem::take(&mut self.met_left[at]);
                let right = std::mem::take(&mut self.met_right[at]);
                if !clash(top_level, edge, sign, r_words) && !clash(top_level, edge, s_sign, s_words) {
                    self.blocks.push(Block { key: u32::from(place), id, edge, left, right });
                }
            }
            if self.blocks.is_empty() {
                continue;
            }
            let Self { left, left_vertices, right, blocks, new_blocks, fours, overflow, .. } = self;
            if !*overflow {
                for block in &*blocks {
                    for f in bits(block.right) {
                        for h in bits(block.left & allowed[f]) {
                            let (high, ear, top) = (left_vertices[h], right[f].id, block.id);
                            fours.push(Four { low, high, ear, top });
                        }
                    }
                }
                if fours.len() > sizes.fours {
                    *overflow = true;
                    fours.clear();
                }
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

    /// The vertices over one axis with a later one.
    #[inline]
    fn between<'w>(&self, world: &'w World, r: u32, s: u32) -> &'w [Vertex] {
        if self.table.is_empty() {
            let vertices = world.vertices(r);
            let from = vertices.partition_point(|v| v.axis < s);
            let to = from + vertices[from..].partition_point(|v| v.axis == s);
            return &vertices[from..to];
        }
        let at = r as usize * world.xs.len() + s as usize;
        world.range(self.table[at], self.table[at + 1])
    }
}

/// A third and a fourth axis over a middle edge.
#[derive(Debug, Clone, Copy)]
struct Third {
    /// The place of the middle edge's vertex with the third axis.
    low: u32,
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

/// A bit for each ear of which something holds.
#[inline]
fn mask_where(ears: &[Ear], holds: impl Fn(&Ear) -> bool) -> u64 {
    ears.iter().enumerate().fold(0, |mask, (bit, ear)| mask | u64::from(holds(ear)) << bit)
}
