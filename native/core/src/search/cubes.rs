//! The fast search for cubes of two to five axes; hands cubes of more axes to the plain search.
//!
//! A unit is an edge `o a`. Above it lie the edges `X` (one for each square), rarest axis first. A 2x2x2 is two of them,
//! `Xq` and `Xr`, and an edge `M` above both. A 2x2x2x2 is three of them with `M` above `Xq Xr`, a left ear `h` above
//! `Xq Xs`, a right ear `f` above `Xr Xs`, and `N` above all three. For fixed `Xq` and `M` the left ears are sorted by
//! `Xs` once; then each `Xr` below `M` brings its right ears, and the two meet at the edges above: a bit for each left
//! ear at each place of `M`'s list, looked up for each right ear. So what is written is a block of many orthos, and the
//! work is in proportion to the edges above pairs of ears, not to the orthos.
//!
//! That the words of a shell differ: edges joined by an arc or a row differ already as they must; the rest is checked
//! where two edges first meet (see the comments "shell").
//!
//! What is to be left out (see [`exclusion`](super::exclusion)) is left out by masks: where the edges so far are all old
//! for a text, the masks of both ears' arcs at each place of `M`'s list say which pairs are old there, and the block is
//! cut so that it lacks them. Cubes of five axes may have old ones of four in them, so those are found all the same.
//!
//! Memory: what lies above one unit, and slices of ears ([`Sizes::ears`]); nothing that grows with the output.

use std::ops::Range;

use super::exclusion::{MOST, Masks};
use super::five::{Five, Four, plainly_over};
use super::graph::{Arcs, Graph};
use super::orderly::Orderly;
use super::rows::{Row, RowMaker, Rows};
use super::turn::Turn;
use super::{Pool, Sizes, Stop};
use crate::error::Result;
use crate::results::{Block, Ear, Emitter, Rank, bits, split};

/// The tables that all threads share.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    pub(super) graph: &'a Graph,
    pub(super) arcs: &'a Arcs,
    pub(super) rows: &'a Rows<'a>,
    /// What the search leaves out, if anything.
    pub(super) masks: Option<&'a Masks>,
}

/// A second axis of a unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'n> {
    pub(super) tables: &'n Tables<'n>,
    pub(super) unit: &'n Unit,
    pub(super) q: u32,
}

/// Told now and then how much more of the work is done, by weight.
pub(super) type Done<'d> = &'d mut dyn FnMut(u64, &Emitter<'_>);

/// Bits of a mask.
const MASK: usize = 64;

const NONE: u32 = u32::MAX;

/// What lies above the first edge of a unit.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub(super) origin: [Rank; 2],
    /// The edges above, by descending rank of their first word: the second edges of the squares.
    pub(super) xs: Vec<u32>,
    pub(super) x_words: Vec<[Rank; 2]>,
    /// For each edge its number among `mids`, or `NONE`.
    local: Vec<u32>,
    /// The edges above at least two of `xs`.
    mids: Vec<u32>,
    /// For each mid, where its list in `below` starts, and ends.
    starts: Vec<u32>,
    ends: Vec<u32>,
    /// The places in `xs` below each mid, ascending. A place in this list is a *vertex*: a mid with one of the `xs`.
    pub(super) below: Vec<u32>,
    /// For each of `xs` where its list in `ups` starts.
    up_starts: Vec<u32>,
    /// The mids above each of `xs` that are also above a later one.
    ups: Vec<Up>,
    /// For each two of `xs` whether both words differ, as bits.
    differ: Vec<u64>,
    row: usize,
    /// Of each of `xs`: the texts that have the square. Of each vertex: those that have its arc and its mid. Both are empty
    /// when nothing is left out.
    x_masks: Vec<u8>,
    vertex_masks: Vec<u8>,
}

/// A mid above one of the `xs`, say `x`.
#[derive(Debug, Clone, Copy, Default)]
struct Up {
    mid: u32,
    words: [Rank; 2],
    /// The vertex of the mid with `x`.
    vertex: u32,
    /// Where the mid's vertices end: those between are with later `xs`.
    end: u32,
}

impl Unit {
    fn load(&mut self, tables: &Tables<'_>, edge: u32) {
        let Tables { graph, arcs, .. } = tables;
        for mid in self.mids.drain(..) {
            self.local[mid as usize] = NONE;
        }
        self.local.resize(graph.edges() as usize, NONE);
        self.origin = graph.words_of(edge);
        self.xs.clear();
        self.xs.extend(second_edges(graph, arcs, edge).iter().rev());
        self.x_words.clear();
        self.x_words.extend(self.xs.iter().map(|&x| graph.words_of(x)));

        self.x_masks.clear();
        if let Some(masks) = tables.masks {
            let own = masks.edges[edge as usize];
            let ups = &masks.up[arcs.up.range(edge).start..][..self.xs.len()];
            self.x_masks.extend(ups.iter().rev().map(|mask| mask & own));
        }

        // Count first, in `local`, then number those with two or more.
        for &x in &self.xs {
            for &mid in arcs.up.of(x) {
                let count = &mut self.local[mid as usize];
                *count = count.wrapping_add(1);
                if *count == 0 {
                    self.mids.push(mid);
                }
            }
        }
        self.starts.clear();
        let mut total = 0;
        let local = &mut self.local;
        let starts = &mut self.starts;
        self.mids.retain(|&mid| {
            let count = std::mem::replace(&mut local[mid as usize], NONE).wrapping_add(1);
            if count < 2 {
                return false;
            }
            local[mid as usize] = starts.len() as u32;
            starts.push(total);
            total += count;
            true
        });
        self.starts.push(total);
        self.ends.clear();
        self.ends.extend_from_slice(&self.starts[1..]);
        self.below.clear();
        self.below.resize(total as usize, 0);
        self.vertex_masks.clear();
        if tables.masks.is_some() {
            self.vertex_masks.resize(total as usize, 0);
        }
        self.up_starts.clear();
        self.ups.clear();
        self.ups.reserve_exact(total as usize);
        for (place, &x) in self.xs.iter().enumerate() {
            self.up_starts.push(self.ups.len() as u32);
            for (&mid, at) in arcs.up.of(x).iter().zip(arcs.up.range(x)) {
                let number = self.local[mid as usize];
                if number != NONE {
                    let (vertex, end) = (self.starts[number as usize], self.ends[number as usize]);
                    self.below[vertex as usize] = place as u32;
                    if let Some(masks) = tables.masks {
                        self.vertex_masks[vertex as usize] = masks.up[at];
                    }
                    self.starts[number as usize] += 1;
                    if vertex + 1 < end {
                        self.ups.push(Up { mid, words: graph.words_of(mid), vertex, end });
                    }
                }
            }
        }
        self.up_starts.push(self.ups.len() as u32);
        // Filling moved each start to the next one's place.
        self.starts.pop();
        self.starts.insert(0, 0);

        self.row = self.xs.len().div_ceil(64);
        self.differ.clear();
        self.differ.resize(self.xs.len() * self.row, 0);
        for (i, a) in self.x_words.iter().enumerate() {
            for (j, b) in self.x_words.iter().enumerate() {
                if a[0] != b[0] && a[1] != b[1] {
                    self.differ[i * self.row + j / 64] |= 1 << (j % 64);
                }
            }
        }
    }

    /// The texts that have the cube of `x` and a vertex of it, but for the arc between the others; all if nothing is left
    /// out.
    #[inline]
    fn mask(&self, x: u32, vertex: u32) -> u8 {
        self.x_masks[x as usize] & self.vertex_masks[vertex as usize]
    }

    #[inline]
    pub(super) fn differ(&self, i: u32, j: u32) -> bool {
        self.differ[i as usize * self.row + j as usize / 64] >> (j % 64) & 1 == 1
    }

    /// The mid of a vertex.
    pub(super) fn mid_of(&self, vertex: u32) -> u32 {
        self.mids[self.starts.partition_point(|&start| start <= vertex) - 1]
    }

    /// The mids above one of the `xs` and a later one.
    #[inline]
    fn ups(&self, x: u32) -> &[Up] {
        &self.ups[self.up_starts[x as usize] as usize..self.up_starts[x as usize + 1] as usize]
    }

    /// The later `xs` below a mid, with their vertices.
    #[inline]
    fn later(&self, up: &Up) -> impl Iterator<Item = (u32, u32)> {
        let first = up.vertex + 1;
        self.below[first as usize..up.end as usize].iter().zip(first..).map(|(&x, vertex)| (x, vertex))
    }
}

/// The edges above one whose first word is commoner than its second: those of the squares of its unit.
pub(super) fn second_edges<'a>(graph: &Graph, arcs: &'a Arcs, edge: u32) -> &'a [u32] {
    let [_, a] = graph.words_of(edge);
    let above = arcs.up.of(edge);
    let end = graph.successors.range(a).start as u32;
    &above[..above.partition_point(|&x| x < end)]
}

/// A left ear over the fourth axis `s`.
#[derive(Debug, Clone, Copy, Default)]
struct Left {
    ear: u32,
    vertex: u32,
}

/// A right ear over the third axis `r` and the fourth `s`.
#[derive(Debug, Clone, Copy, Default)]
struct Right {
    s: u32,
    ear: u32,
    /// A place in `thirds`: there are no more than places have bits.
    third: u16,
    /// The texts that have the ear's arcs.
    mask: u8,
}

/// An ear with the places of the edges above it and the middle edge.
#[derive(Debug, Clone, Copy)]
struct Slotted {
    ear: Ear,
    slot: u32,
    /// The texts that have its first arc.
    mask: u8,
}

/// The space that a thread works in.
#[derive(Debug, Default)]
struct Space {
    maker: RowMaker,
    /// Third axes over the current node and middle edge, with their vertices.
    thirds: Vec<u32>,
    third_vertices: Vec<u32>,
    /// The texts that have the cube of node, third axis and middle edge; empty if that is none for all of them.
    third_masks: Vec<u8>,
    /// The third axes whose cubes are new.
    new_thirds: Vec<u32>,
    /// The texts that have node and middle edge.
    context: u8,
    left_ears: Vec<Slotted>,
    left_found: Vec<(u32, Left)>,
    left: Vec<Left>,
    left_starts: Vec<u32>,
    /// The fourth axes that have left ears, as bits; and those of them that go with the current third.
    left_axes: Vec<u64>,
    fourths: Vec<u64>,
    right_ears: Vec<Slotted>,
    right_found: Vec<Right>,
    right: Vec<Right>,
    right_starts: Vec<u32>,
    group: Vec<Ear>,
    /// By place above the middle edge: left ears there, and those that met a right ear, and these right ears.
    at: Vec<u64>,
    met_left: Vec<u64>,
    met_right: Vec<u64>,
    /// The same for each text that has all below: the ears that it has there.
    old_left: [Vec<u64>; MOST],
    old_right: [Vec<u64>; MOST],
    touched: Vec<u16>,
    blocks: Vec<Block>,
    /// The same without what is old, where some may be.
    new_blocks: Vec<Block>,
    /// Cubes of four axes over the node that are kept, middle edge by middle edge.
    fours: Vec<Four>,
    /// Those over the current middle edge start here.
    mid_start: usize,
    /// For each third axis over the current middle edge how many cubes of four axes there are, kept or not.
    counts: Vec<u64>,
    /// Those over the current middle edge did not fit.
    overflow: bool,
    /// The third axes to join; and whether the join is for what was emitted before.
    wanted: Range<usize>,
    again: bool,
}

/// The fast search of one thread.
#[derive(Debug)]
pub(super) struct Cubes<'a> {
    tables: &'a Tables<'a>,
    stop: &'a Stop,
    unit: Unit,
    space: Space,
    five: Five,
    sizes: Sizes,
    pool: &'a Pool,
    /// Cubes of four axes that may be kept: [`Sizes::least_fours`] and what was taken from the pool.
    taken: usize,
}

impl<'a> Cubes<'a> {
    pub(super) fn new(tables: &'a Tables<'a>, stop: &'a Stop, pool: &'a Pool, sizes: Sizes) -> Self {
        Self {
            tables,
            stop,
            unit: Unit::default(),
            space: Space::default(),
            five: Five::new(sizes),
            sizes,
            pool,
            taken: sizes.least_fours,
        }
    }

    /// The cubes of the unit of an edge that the turn is for.
    pub(super) fn unit(
        &mut self,
        edge: u32,
        out: &mut Emitter<'_>,
        orderly: &mut Orderly<'_>,
        turn: &mut Turn<'_, '_>,
    ) -> Result<()> {
        let Tables { graph, arcs, .. } = self.tables;
        let weight = |x: u32| arcs.up.of(x).len() as u64 + 1;
        let seconds = second_edges(graph, arcs, edge);
        turn.set_nodes(seconds.len() as u32);
        let nodes = || (0..).zip(seconds.iter().rev());
        let wanted = |turn: &Turn<'_, '_>| {
            self.sizes.axes >= 3 && nodes().any(|(q, &x)| turn.has_node(q, graph.words_of(x)))
        };
        if seconds.is_empty() || !turn.has_squares() && !wanted(turn) {
            turn.advance(seconds.iter().map(|&x| weight(x)).sum(), out);
            return Ok(());
        }
        self.unit.load(self.tables, edge);
        let x_masks = &self.unit.x_masks;
        let squares = turn.has_squares();
        let is_new = |x: usize| squares && x_masks.get(x).is_none_or(|&mask| mask == 0);
        out.unit(self.unit.origin, &self.unit.x_words, is_new)?;
        for q in 0..self.unit.xs.len() as u32 {
            let weight = weight(self.unit.xs[q as usize]);
            if self.sizes.axes < 3 || !turn.has_node(q, self.unit.x_words[q as usize]) {
                turn.advance(weight, out);
                continue;
            }
            out.node(q);
            self.space.fours.clear();
            self.space.again = false;
            let mut sliced = false;
            let mids = self.unit.ups(q).len();
            for i in 0..mids {
                let mid = self.unit.ups(q)[i];
                self.stop.check()?;
                self.space.mid_start = self.space.fours.len();
                // Those that are not looked for need not be kept.
                let keep = self.sizes.axes >= 5;
                self.space.overflow = !keep;
                self.space.wanted = 0..usize::MAX;
                self.mid(q, mid, out)?;
                if self.space.overflow && keep {
                    sliced = true;
                    self.slices(q, mid, orderly, out, &mut |weight, out| turn.advance(weight, out))?;
                }
                turn.advance(1, out);
            }
            let done: Done<'_> = &mut |weight, out| turn.advance(weight, out);
            if self.sizes.axes < 5 {
                // There is no more.
            } else if sliced {
                self.slice(q, orderly, out, done)?;
            } else {
                let node = Node { tables: self.tables, unit: &self.unit, q };
                let fours = &mut self.space.fours;
                self.five.node(node, fours, self.stop, orderly, out, done)?;
            }
            self.give_back();
            turn.node_done(q, weight - mids as u64, out)?;
        }
        Ok(())
    }

    /// Deals with the cubes of four axes over the middle edges before this one, then joins this one again, as many third
    /// axes at a time as fit. What is left over is kept for the next slice.
    fn slices(
        &mut self,
        q: u32,
        mid: Up,
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
        done: Done<'_>,
    ) -> Result<()> {
        self.slice(q, orderly, out, done)?;
        let counts = std::mem::take(&mut self.space.counts);
        let mut from = 0;
        while from < counts.len() {
            let (mut to, mut sum) = (from, 0);
            while to < counts.len() && room(&mut self.taken, self.pool, &self.sizes, sum + counts[to]) {
                sum += counts[to];
                to += 1;
            }
            if sum > 0 {
                self.slice(q, orderly, out, done)?;
                self.space.wanted = from..to;
                self.space.again = true;
                self.space.overflow = false;
                self.mid(q, mid, out)?;
                self.space.again = false;
            }
            if to == from {
                let third = self.unit.x_words[self.space.thirds[from] as usize];
                let node = Node { tables: self.tables, unit: &self.unit, q };
                plainly_over(node, [third, mid.words], orderly, out)?;
                to += 1;
            }
            from = to;
        }
        self.space.counts = counts;
        Ok(())
    }

    /// Finds the cubes of five and more axes over the cubes of four that are kept, and forgets these.
    fn slice(
        &mut self,
        q: u32,
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
        done: Done<'_>,
    ) -> Result<()> {
        let node = Node { tables: self.tables, unit: &self.unit, q };
        let fours = &mut self.space.fours;
        self.five.slice(node, fours, self.stop, orderly, out, done)?;
        fours.clear();
        Ok(())
    }

    /// Frees what one node took of the pool.
    fn give_back(&mut self) {
        if self.taken > self.sizes.least_fours {
            self.space.fours = Vec::new();
            self.five.shrink();
        }
        self.pool.give_back(self.taken - self.sizes.least_fours);
        self.taken = self.sizes.least_fours;
    }

    /// All cubes of three and four axes with this middle edge above `q`.
    fn mid(&mut self, q: u32, mid: Up, out: &mut Emitter<'_>) -> Result<()> {
        let Self { tables, unit, space, .. } = self;
        space.thirds.clear();
        space.third_vertices.clear();
        for (r, vertex) in unit.later(&mid) {
            if unit.differ(q, r) {
                space.thirds.push(r);
                space.third_vertices.push(vertex);
            }
        }
        space.counts.clear();
        space.counts.resize(space.thirds.len(), 0);
        let Some(&first_third) = space.thirds.first() else { return Ok(()) };
        space.context = if unit.x_masks.is_empty() { 0 } else { unit.mask(q, mid.vertex) };
        let mut emitted = &space.thirds;
        if space.context != 0 {
            let vertices = space.third_vertices.iter();
            space.third_masks.clear();
            space.third_masks.extend(
                space.thirds.iter().zip(vertices).map(|(&r, &vertex)| space.context & unit.mask(r, vertex)),
            );
            space.new_thirds.clear();
            let masked = space.thirds.iter().zip(&space.third_masks);
            space.new_thirds.extend(masked.filter(|(_, mask)| **mask == 0).map(|(r, _)| r));
            emitted = &space.new_thirds;
        }
        if !space.again {
            out.mid(mid.words, emitted)?;
        }
        let last = first_third as usize + 1 >= unit.xs.len();
        if last || tables.arcs.up.of(mid.mid).is_empty() || self.sizes.cubes_alone || self.sizes.axes < 4 {
            return Ok(());
        }
        let row = tables.rows.row(mid.mid, &mut space.maker);
        let mut next = 0;
        while next < self.unit.ups(q).len() {
            next = self.left_ears(q, mid.words, first_third, &row, next);
            if !self.space.left.is_empty() {
                self.right_ears(q, mid.mid, &row, out)?;
            }
        }
        Ok(())
    }

    /// Collects the left ears from the `from`-th edge above `q` on and sorts them by fourth axis. Gives where it stopped
    /// as there were many.
    fn left_ears(&mut self, q: u32, mid: [Rank; 2], first_third: u32, row: &Row, from: usize) -> usize {
        let Self { unit, space, sizes, .. } = self;
        let Space { left_ears, left_found, left, left_starts, left_axes, .. } = space;
        left_ears.clear();
        left_found.clear();
        left_axes.clear();
        left_axes.resize(unit.row, 0);
        let mut next = from;
        for up in &unit.ups(q)[from..] {
            if left_found.len() >= sizes.ears {
                break;
            }
            next += 1;
            if !row.has(up.mid) {
                continue;
            }
            let ear = left_ears.len() as u32;
            let before = left_found.len();
            for (s, vertex) in unit.later(up) {
                // Shell 2: the edge of the fourth axis and the middle edge.
                if s > first_third && unit.differ(q, s) && unit.x_words[s as usize][1] != mid[0] {
                    left_found.push((s, Left { ear, vertex }));
                    left_axes[s as usize / 64] |= 1 << (s % 64);
                }
            }
            if left_found.len() > before {
                let ear = Ear { id: up.mid, edge: up.words };
                let mask = unit.vertex_masks.get(up.vertex as usize).copied().unwrap_or(0);
                left_ears.push(Slotted { ear, slot: row.slot(up.mid), mask });
            }
        }
        sort_by_axis(unit.xs.len(), left_found, |l| l.0, |l| l.1, left, left_starts);
        next
    }

    /// Collects the right ears of one third axis after the other, joining whenever there are many.
    fn right_ears(&mut self, q: u32, m: u32, row: &Row, out: &mut Emitter<'_>) -> Result<()> {
        self.space.right_ears.clear();
        self.space.right_found.clear();
        let q_top = self.unit.x_words[q as usize][1];
        let wanted = self.space.wanted.start..self.space.wanted.end.min(self.space.thirds.len());
        for third in wanted {
            let Self { unit, space, .. } = self;
            let Space { fourths, left_axes, thirds, .. } = space;
            let r = thirds[third];
            // The axes that this one can be joined with.
            let differ = &unit.differ[r as usize * unit.row..][..unit.row];
            fourths.clear();
            fourths.extend(left_axes.iter().zip(differ).map(|(a, b)| a & b));
            let from = r as usize / 64;
            if fourths[from] >> (r % 64) == 0 && fourths[from + 1..].iter().all(|&word| word == 0) {
                continue;
            }
            let mut next = 0;
            while next < self.unit.ups(r).len() {
                next = self.right_ears_of(third, q_top, row, next);
                if self.space.right_found.len() >= self.sizes.ears {
                    self.join(m, row, out)?;
                }
            }
        }
        self.join(m, row, out)
    }

    /// Collects the right ears of one third axis from the `from`-th edge above it on. Gives where it stopped as there
    /// were many.
    fn right_ears_of(&mut self, third: usize, q_top: Rank, row: &Row, from: usize) -> usize {
        let Self { unit, space, sizes, .. } = self;
        let Space { right_ears, right_found, fourths, thirds, context, .. } = space;
        let mut next = from;
        for up in &unit.ups(thirds[third])[from..] {
            if right_found.len() >= sizes.ears {
                break;
            }
            next += 1;
            // Shell 2: the right ear and the edge of the second axis.
            if !row.has(up.mid) || up.words[0] == q_top {
                continue;
            }
            let ear = right_ears.len() as u32;
            let before = right_found.len();
            let own = if *context == 0 { 0 } else { unit.mask(thirds[third], up.vertex) };
            for vertex in up.vertex as usize + 1..up.end as usize {
                let s = unit.below[vertex];
                if fourths[s as usize / 64] >> (s % 64) & 1 == 1 {
                    let mask = if own == 0 { 0 } else { own & unit.vertex_masks[vertex] };
                    right_found.push(Right { s, ear, third: third as u16, mask });
                }
            }
            if right_found.len() > before {
                let ear = Ear { id: up.mid, edge: up.words };
                right_ears.push(Slotted { ear, slot: row.slot(up.mid), mask: 0 });
            }
        }
        next
    }

    /// Joins all left ears with the right ears collected, which it forgets.
    fn join(&mut self, m: u32, row: &Row, out: &mut Emitter<'_>) -> Result<()> {
        self.stop.check()?;
        let places = self.tables.arcs.up.of(m).len();
        let Self { unit, space, .. } = self;
        for by_place in [&mut space.at, &mut space.met_left, &mut space.met_right] {
            if by_place.len() < places {
                by_place.resize(places, 0);
            }
        }
        for text in bits(u64::from(space.context)) {
            for by_place in [&mut space.old_left[text], &mut space.old_right[text]] {
                if by_place.len() < places {
                    by_place.resize(places, 0);
                }
            }
        }
        let Space { right_found, right, right_starts, .. } = space;
        sort_by_axis(unit.xs.len(), right_found, |r| r.s, |r| *r, right, right_starts);
        right_found.clear();
        for s in 0..unit.xs.len() {
            if self.space.right_starts[s] < self.space.right_starts[s + 1] {
                let (from, to) = (self.space.left_starts[s], self.space.left_starts[s + 1]);
                for chunk in (from..to).step_by(MASK) {
                    let chunk = chunk as usize..to.min(chunk + MASK as u32) as usize;
                    if self.space.context == 0 {
                        self.join_axis::<false>(m, row, s as u32, chunk, out)?;
                    } else {
                        self.join_axis::<true>(m, row, s as u32, chunk, out)?;
                    }
                }
            }
        }
        self.space.right_ears.clear();
        Ok(())
    }

    /// Joins at most 64 left ears over one fourth axis with the right ears over it. `OLD`: some may be old.
    fn join_axis<const OLD: bool>(
        &mut self,
        m: u32,
        row: &Row,
        s: u32,
        left: std::ops::Range<usize>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Self { tables, unit, space, sizes, pool, taken, stop, .. } = self;
        let left = &space.left[left];
        let above = tables.arcs.up.of(m);
        let mut ears = [Ear { id: 0, edge: [0; 2] }; MASK];
        for (bit, l) in left.iter().enumerate() {
            let slotted = space.left_ears[l.ear as usize];
            ears[bit] = slotted.ear;
            for &place in row.places(slotted.slot) {
                space.at[place as usize] |= 1 << bit;
            }
            if OLD {
                let mask = space.context & slotted.mask & unit.mask(s, l.vertex);
                if mask != 0 {
                    for (&place, there) in row.places(slotted.slot).iter().zip(row.masks(slotted.slot)) {
                        mark(&mut space.old_left, place, mask & there, bit);
                    }
                }
            }
        }
        let ears = &ears[..left.len()];
        if !space.again {
            out.top(s, ears);
        }

        let right = space.right_starts[s as usize] as usize..space.right_starts[s as usize + 1] as usize;
        for by_third in space.right[right].chunk_by(|a, b| a.third == b.third) {
            let third = usize::from(by_third[0].third);
            let context = if OLD { unit.x_masks[s as usize] & space.third_masks[third] } else { 0 };
            let r = space.thirds[third];
            let r_top = unit.x_words[r as usize][1];
            // Shell 2: the left ears and the edge of the third axis.
            let fitting = mask_where(ears, |h| h.edge[0] != r_top);
            if fitting == 0 {
                continue;
            }
            for chunk in by_third.chunks(MASK) {
                // What is left behind at the places is of no use to anybody when this one stops.
                stop.check()?;
                space.group.clear();
                let mut allowed = [0u64; MASK];
                for entry in chunk {
                    let Slotted { ear, slot, .. } = space.right_ears[entry.ear as usize];
                    // Shells 2 and 3: the two ears.
                    let fits =
                        fitting & mask_where(ears, |h| h.edge[0] != ear.edge[0] && h.edge[1] != ear.edge[1]);
                    if fits == 0 {
                        continue;
                    }
                    let bit = space.group.len();
                    let mut met = false;
                    let mask = if OLD { context & entry.mask } else { 0 };
                    for (i, &place) in row.places(slot).iter().enumerate() {
                        let meets = space.at[place as usize] & fits;
                        if meets != 0 {
                            met = true;
                            if space.met_right[place as usize] == 0 {
                                space.touched.push(place);
                            }
                            space.met_right[place as usize] |= 1 << bit;
                            space.met_left[place as usize] |= meets;
                            if OLD && mask != 0 {
                                mark(&mut space.old_right, place, mask & row.masks(slot)[i], bit);
                            }
                        }
                    }
                    if met {
                        allowed[bit] = fits;
                        space.group.push(ear);
                    }
                }
                if space.group.is_empty() {
                    continue;
                }
                space.blocks.clear();
                space.new_blocks.clear();
                let low = space.third_vertices[third];
                let Space { group, blocks, new_blocks, fours, overflow, touched, mid_start, .. } = space;
                for place in touched.drain(..) {
                    let at = usize::from(place);
                    let id = above[at];
                    let block = Block {
                        key: u32::from(place),
                        id,
                        edge: tables.graph.words_of(id),
                        left: std::mem::take(&mut space.met_left[at]),
                        right: std::mem::take(&mut space.met_right[at]),
                    };
                    blocks.push(block);
                    if !OLD || space.again {
                        continue;
                    }
                    // The old pairs are these: the ears of one text, each with each.
                    let mut old = [(0, 0); MOST];
                    let mut texts = 0;
                    for text in bits(u64::from(context)) {
                        let right = std::mem::take(&mut space.old_right[text][at]) & block.right;
                        let left = space.old_left[text][at] & block.left;
                        if left != 0 && right != 0 {
                            old[texts] = (left, right);
                            texts += 1;
                        }
                    }
                    let without = |f: usize| {
                        old[..texts].iter().fold(
                            0,
                            |mask, &(left, right)| {
                                if right >> f & 1 == 1 { mask | left } else { mask }
                            },
                        )
                    };
                    let mut part = |left, right| {
                        if left != 0 && right != 0 {
                            new_blocks.push(Block { left, right, ..block });
                        }
                    };
                    match &old[..texts] {
                        [] => part(block.left, block.right),
                        &[(left, right)] => {
                            part(block.left, block.right & !right);
                            part(block.left & !left, right);
                        }
                        _ => split(block.left, block.right, without, part),
                    }
                }
                let count: u64 = blocks.iter().map(|block| orthos_of(block, &allowed)).sum();
                space.counts[third] += count;
                if !*overflow {
                    let needed = fours.len() as u64 + count;
                    if !room(taken, pool, sizes, needed) {
                        *overflow = true;
                        fours.truncate(*mid_start);
                    } else if needed > fours.capacity() as u64 {
                        fours.reserve_exact(count.max(fours.len() as u64 / 8) as usize);
                    }
                }
                let four = |h: usize, f: usize, block: &Block| Four {
                    low,
                    high: left[h].vertex,
                    ear: group[f].id,
                    top: block.id,
                };
                let keep = !*overflow;
                if !OLD && keep && !space.again {
                    out.ears(r, group, &allowed, blocks, |h, f, block| fours.push(four(h, f, block)))?;
                    continue;
                }
                // Old cubes too may be in new ones of five axes.
                if keep {
                    for block in &*blocks {
                        each_of(block, &allowed, |h, f| fours.push(four(h, f, block)));
                    }
                }
                let emitted = if OLD { new_blocks } else { blocks };
                if !space.again && !emitted.is_empty() {
                    out.ears(r, group, &allowed, emitted, |_, _, _| {})?;
                }
            }
        }
        for l in left {
            for &place in row.places(space.left_ears[l.ear as usize].slot) {
                space.at[place as usize] = 0;
                if OLD {
                    for text in bits(u64::from(space.context)) {
                        space.old_left[text][place as usize] = 0;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Sets an ear's bit at a place for each text of a mask.
#[inline]
fn mark(by_text: &mut [Vec<u64>; MOST], place: u16, mut mask: u8, bit: usize) {
    while mask != 0 {
        by_text[mask.trailing_zeros() as usize][usize::from(place)] |= 1 << bit;
        mask &= mask - 1;
    }
}

/// Makes sure that so many cubes of four axes may be kept; `false` if they may not.
#[inline]
fn room(taken: &mut usize, pool: &Pool, sizes: &Sizes, fours: u64) -> bool {
    if fours > sizes.fours as u64 {
        return false;
    }
    while (*taken as u64) < fours {
        if !pool.take() {
            return false;
        }
        *taken += Pool::CHUNK;
    }
    true
}

/// How many cubes are in a block, whose right ears may go with those left ears.
#[inline]
fn orthos_of(block: &Block, allowed: &[u64; MASK]) -> u64 {
    let mut count = 0;
    let mut fs = block.right;
    while fs != 0 {
        count += u64::from((block.left & allowed[fs.trailing_zeros() as usize]).count_ones());
        fs &= fs - 1;
    }
    count
}

/// The left and the right ear of each of them.
fn each_of(block: &Block, allowed: &[u64; MASK], mut each: impl FnMut(usize, usize)) {
    let mut fs = block.right;
    while fs != 0 {
        let f = fs.trailing_zeros() as usize;
        fs &= fs - 1;
        let mut hs = block.left & allowed[f];
        while hs != 0 {
            each(hs.trailing_zeros() as usize, f);
            hs &= hs - 1;
        }
    }
}

/// A bit for each ear of which something holds.
#[inline]
fn mask_where(ears: &[Ear], holds: impl Fn(&Ear) -> bool) -> u64 {
    ears.iter().enumerate().fold(0, |mask, (bit, ear)| mask | u64::from(holds(ear)) << bit)
}

/// Counting sort by fourth axis; stable.
fn sort_by_axis<T, U: Copy + Default>(
    axes: usize,
    found: &[T],
    axis: impl Fn(&T) -> u32,
    value: impl Fn(&T) -> U,
    sorted: &mut Vec<U>,
    starts: &mut Vec<u32>,
) {
    starts.clear();
    starts.resize(axes + 2, 0);
    for item in found {
        starts[axis(item) as usize + 2] += 1;
    }
    for i in 2..starts.len() {
        starts[i] += starts[i - 1];
    }
    sorted.clear();
    sorted.resize(found.len(), U::default());
    for item in found {
        let next = &mut starts[axis(item) as usize + 1];
        sorted[*next as usize] = value(item);
        *next += 1;
    }
}
