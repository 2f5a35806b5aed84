//! What a merge adds, found from what is new: the cubes that have a bigram which the largest text of those left out has
//! not.
//!
//! An ortho is new for a text exactly if one of its lines is no phrase of it. The lines of a cube are bigrams, so a new
//! cube has a new bigram, here called a *seed*; with a small text added there are few. So instead of searching
//! everything again and leaving out what is old, the cubes around each seed are found (the delta rule of semi-naive
//! evaluation). Orthos with a long axis are few, and stay with the search of everything.
//!
//! **Each cube once.** Seeds have an order. A cube is found from the first of its seeds: for a later one, the bigrams
//! before it are not there. One bigram may be in a cube at several places, but only in different shells, as it would
//! bring its words twice into one: so the cube is found from the lowest one, and a seed does not see itself below itself.
//! With the seed as an edge (see [`graph`](super::graph)), each further axis of the cube leads from it to an edge above
//! or below: the [`World`] has both, those above first, and cubes are joined along ascending axes. So however many axes go
//! down, each cube is found once.
//!
//! **Shells.** The *level* of an edge is its coordinate sum minus the seed's. Words of edges on one level differ, and the
//! second word of one from the first word of one a level higher; see [`clash`].
//!
//! [`join`] finds the cubes of three and four axes, as [`cubes`](super::cubes) does for those above one edge, with [`rows`] of
//! the world; [`five`] those of five, by those of four that are [`past`] and by what is in [`reach`]; [`grow`] those of more, and what
//! there is no room for.
//!
//! Whether this is less work than searching everything is [estimated](Seeds::pay) before.
//!
//! Memory: a world, rows of it that are made again when there is no room, and 80 bytes for each cube of four axes of one
//! node, up to [`Sizes::fours`](super::Sizes); a node that has more is dealt with in slices. Besides some 12 bytes for each cube of
//! four axes of a seed, in two fifths of the memory for these, as long as there is room.

mod five;
mod grow;
mod join;
mod past;
mod reach;
mod rows;
mod spans;
mod world;

use self::five::{Five, Node};
use self::grow::{Cube, Wanted, grow, over, singles};
use self::join::Join;
use self::past::Past;
use self::reach::Reach;
use self::rows::Rows;
use self::spans::Spans;
use self::world::World;
use super::cubes::Tables;
use super::exclusion::Masks;
use super::graph::{Arcs, Graph};
use super::turn::Turn;
use super::{Sizes, Stop};
use crate::error::Result;
use crate::results::{Emitter, Known, Rank, Ranks};

/// No seed.
const NONE: u16 = u16::MAX;

/// The seeds of a search, and what they have to do with each arc.
#[derive(Debug)]
pub(super) struct Seeds {
    /// The place of each edge in the order of seeds.
    order: Vec<u16>,
    /// Of each arc the first place of its four bigrams, in the order of `Arcs::up` and `Arcs::down`.
    up: Vec<u16>,
    down: Vec<u16>,
    /// The bit of the text that lacks them.
    bit: u8,
}

impl Seeds {
    /// The bigrams that the text with the most of them has not, those with fewest arcs first, so that what is found from
    /// the others is less. `None` if there are too many to number.
    pub(super) fn new(graph: &Graph, arcs: &Arcs, masks: &Masks) -> Option<Self> {
        let lacks = |bit: usize| masks.edges.iter().filter(move |&&mask| mask >> bit & 1 == 0);
        let bit = (0..u8::BITS as usize).min_by_key(|&bit| lacks(bit).count())?;
        let mut edges: Vec<u32> =
            (0..graph.edges()).filter(|&edge| masks.edges[edge as usize] >> bit & 1 == 0).collect();
        if edges.len() >= usize::from(NONE) {
            return None;
        }
        // Words and places beside an edge have 16 bits.
        if graph.words() > u32::from(u16::MAX)
            || (0..graph.edges())
                .any(|edge| arcs.down.of(edge).len().max(arcs.up.of(edge).len()) > usize::from(u16::MAX))
        {
            return None;
        }
        edges.sort_by_key(|&edge| arcs.up.of(edge).len() + arcs.down.of(edge).len());
        let mut order = vec![NONE; graph.edges() as usize];
        for (place, &edge) in (0..).zip(&edges) {
            order[edge as usize] = place;
        }
        let mut seeds = Self { order, up: vec![], down: vec![], bit: 1 << bit };
        let mut down = vec![NONE; arcs.down.items()];
        let mut next: Vec<u32> = (0..graph.edges()).map(|edge| arcs.down.range(edge).start as u32).collect();
        seeds.up.reserve_exact(arcs.up.items());
        for low in 0..graph.edges() {
            for (&high, at) in arcs.up.of(low).iter().zip(arcs.up.range(low)) {
                // The masks tell the arcs without any new bigram; they leave out the edge below.
                let old = masks.edges[low as usize] & masks.up[at] & seeds.bit != 0;
                let first = if old { NONE } else { seeds.first(graph, low, high) };
                seeds.up.push(first);
                let place = &mut next[high as usize];
                down[*place as usize] = first;
                *place += 1;
            }
        }
        seeds.down = down;
        Some(seeds)
    }

    pub(super) fn memory(&self) -> u64 {
        ((self.up.len() + self.down.len() + self.order.len()) * 2) as u64
    }

    pub(super) fn has(&self, edge: u32) -> bool {
        self.order[edge as usize] != NONE
    }

    /// The first place of the four bigrams of an arc.
    fn first(&self, graph: &Graph, low: u32, high: u32) -> u16 {
        let ([x, y], [f, g]) = (graph.words_of(low), graph.words_of(high));
        let of = |edge: Option<u32>| edge.map_or(NONE, |edge| self.order[edge as usize]);
        let ends = of(Some(low)).min(of(Some(high)));
        ends.min(of(graph.edge(x, f))).min(of(graph.edge(y, g)))
    }

    /// Whether going from the seeds is less work than searching everything, as well as can be said beforehand: a cube of
    /// four axes has twelve arcs, and as long as the share of arcs that are new is small, about so many times that share of
    /// the cubes is new.
    pub(super) fn pay(&self) -> bool {
        let new = self.up.iter().filter(|&&first| first != NONE).count();
        new as u64 * SHARE < self.up.len() as u64
    }

    /// Edges beside a seed, as its work is divided by.
    pub(super) fn weight(&self, arcs: &Arcs, edge: u32) -> u64 {
        if !self.has(edge) {
            return 0;
        }
        let beside = arcs.up.of(edge).iter().chain(arcs.down.of(edge));
        beside.map(|&x| weight(arcs, x)).sum()
    }
}

/// At most one arc of so many may be new: measured on parts of a novel, the time is 0.3 of a search of everything at one of 33,
/// 0.6 at one of 16, 0.9 at one of 9, and more than that of leaving out what is old at one of 6.
const SHARE: u64 = 8;

/// What a node of a seed weighs.
fn weight(arcs: &Arcs, x: u32) -> u64 {
    (arcs.up.of(x).len() + arcs.down.of(x).len()) as u64 + 1
}

/// Whether two edges on these levels cannot be in one cube, as a shell would have a word twice.
#[inline]
fn clash(level: i8, edge: [Rank; 2], other_level: i8, other: [Rank; 2]) -> bool {
    match other_level - level {
        0 => edge[0] == other[0] || edge[1] == other[1],
        1 => other[0] == edge[1],
        -1 => edge[0] == other[1],
        _ => false,
    }
}

/// The tables as one seed sees them: without the seeds before it, and without itself below itself.
#[derive(Debug, Clone, Copy)]
struct View<'a> {
    tables: &'a Tables<'a>,
    seeds: &'a Seeds,
    seed: u32,
    place: u16,
}

impl<'a> View<'a> {
    #[inline]
    fn words(&self, edge: u32) -> [Rank; 2] {
        self.tables.graph.words_of(edge)
    }

    /// The edges above (`sign` 1) or below (-1) an edge on a level, ascending.
    #[inline]
    fn beside(self, edge: u32, sign: i8, level: i8) -> impl Iterator<Item = u32> + use<'a> {
        let Tables { arcs, .. } = self.tables;
        let (lists, firsts) =
            if sign > 0 { (&arcs.up, &self.seeds.up) } else { (&arcs.down, &self.seeds.down) };
        let firsts = &firsts[lists.range(edge)];
        lists.of(edge).iter().zip(firsts).map(|(&other, &first)| (other, first)).filter_map(
            move |(other, first)| {
                let there = first > self.place
                    || first == self.place
                        && if sign > 0 {
                            self.has(edge, other, level)
                        } else {
                            self.has(other, edge, level - 1)
                        };
                there.then_some(other)
            },
        )
    }

    /// Whether an arc from an edge on a level to one above that has the seed in it, but none before, is there.
    #[cold]
    fn has(&self, low: u32, high: u32, level: i8) -> bool {
        let Tables { graph, .. } = self.tables;
        let ([x, y], [f, g]) = (graph.words_of(low), graph.words_of(high));
        let seed = self.words(self.seed);
        // On its own level the seed can only be itself: anywhere else its words would be there twice.
        (low != self.seed || level >= 0)
            && (high != self.seed || level + 1 >= 0)
            && ([x, f] != seed || level > 0)
            && ([y, g] != seed || level + 1 > 0)
    }

    /// Whether the second edge is above (or below) the first, which is on a level.
    fn joined(&self, edge: u32, sign: i8, other: u32, level: i8) -> bool {
        let Tables { graph, .. } = self.tables;
        let (low, high, level) = if sign > 0 { (edge, other, level) } else { (other, edge, level - 1) };
        if !graph.arc(graph.words_of(low), graph.words_of(high)) {
            return false;
        }
        let first = self.seeds.first(graph, low, high);
        first > self.place || first == self.place && self.has(low, high, level)
    }
}

/// The search from seeds of one thread.
#[derive(Debug)]
pub(super) struct Seeded<'a> {
    tables: &'a Tables<'a>,
    seeds: &'a Seeds,
    ranks: &'a Ranks,
    known: &'a dyn Known,
    stop: &'a Stop,
    sizes: Sizes,
    /// Bytes that a world may take.
    room: u64,
    world: World,
    rows: Rows,
    join: Join,
    five: Five,
    reach: Reach,
    spans: Spans,
    past: Past,
}

impl<'a> Seeded<'a> {
    /// For a thread that may hold so many bytes, and so many more of cubes of four axes.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn new(
        tables: &'a Tables<'a>,
        seeds: &'a Seeds,
        ranks: &'a Ranks,
        known: &'a dyn Known,
        stop: &'a Stop,
        sizes: Sizes,
        memory: u64,
        fours: u64,
    ) -> Self {
        let past = fours / 5 * 2;
        let fours = ((fours - past) / five::BYTES) as usize;
        let sizes = Sizes { fours: sizes.fours.min(fours), ..sizes };
        Self {
            tables,
            seeds,
            ranks,
            known,
            stop,
            sizes,
            room: memory / 4,
            world: World::default(),
            rows: Rows::new(memory / 8 * 3),
            join: Join::default(),
            five: Five::default(),
            reach: Reach::new(memory / 4),
            spans: Spans::default(),
            past: Past::new(past.min(sizes.past)),
        }
    }

    /// The cubes that are found from an edge, if it is a seed, and that the turn is for.
    pub(super) fn unit(&mut self, edge: u32, out: &mut Emitter<'_>, turn: &mut Turn<'_, '_>) -> Result<()> {
        if !self.seeds.has(edge) {
            turn.set_nodes(0);
            return Ok(());
        }
        let Tables { graph, arcs, .. } = self.tables;
        let place = self.seeds.order[edge as usize];
        let view = View { tables: self.tables, seeds: self.seeds, seed: edge, place };
        let whole = self.world.load(view, self.room);
        let count = self.world.xs.len() as u32;
        turn.set_nodes(count);
        let words = graph.words_of(edge);
        if turn.has_squares() {
            for (x, &sign) in self.world.x_words.iter().zip(&self.world.signs) {
                let (low, high) = if sign > 0 { (words, *x) } else { (*x, words) };
                turn.single(out, &[2, 2], [low, high].as_flattened())?;
            }
        }
        if self.sizes.axes < 3 {
            return Ok(());
        }
        out.corner(words, self.world.x_words.iter().copied());
        self.rows.begin(&self.world);
        self.reach.begin(arcs, graph);
        self.past.begin(&self.world);
        if whole {
            self.spans.begin(&self.world, self.room / 2);
        }
        // The last one first, as spans want it.
        for (step, q) in (0..count).zip((0..count).rev()) {
            self.stop.check()?;
            if turn.has_node(step, self.world.x_words[q as usize]) {
                if whole {
                    self.node(view, q, out)?;
                } else {
                    self.plainly(view, q, out)?;
                }
                turn.node_done(step, weight(arcs, self.world.xs[q as usize]), out)?;
            } else {
                self.spans.forget();
                turn.advance(weight(arcs, self.world.xs[q as usize]), out);
            }
        }
        // Those that only earlier seeds see.
        let seen: u64 = self.world.xs.iter().map(|&x| weight(arcs, x)).sum();
        turn.advance(self.seeds.weight(arcs, edge).saturating_sub(seen), out);
        Ok(())
    }

    /// The cubes whose first axis from the seed is the `q`-th.
    fn node(&mut self, view: View<'_>, q: u32, out: &mut Emitter<'_>) -> Result<()> {
        let Self { seeds, ranks, known, stop, sizes, world, rows, join, five, reach, spans, past, .. } = self;
        let others = self.tables.masks.map_or(0, |masks| masks.edges[view.seed as usize]) & !seeds.bit;
        let context = join::Context { view, world, ranks, known: *known, stop, sizes, others };
        let mut node = Node { view, world, q, rows, reach, spans, past, stop, sizes };
        let whole = join.node(context, &mut node, five, out)?;
        if sizes.axes < 5 {
            Ok(())
        } else if whole {
            five.node(&mut node, join.fours(), out)
        } else {
            five.slice(&mut node, join.fours(), out)
        }
    }

    /// The same without anything but the edges beside the seed.
    fn plainly(&mut self, view: View<'_>, q: u32, out: &mut Emitter<'_>) -> Result<()> {
        let Self { world, stop, sizes, .. } = self;
        let base = Cube::new(view.seed, world.xs[q as usize], world.signs[q as usize]);
        let layers = over(view, world, q, stop);
        stop.check()?;
        singles(view, world, &base, &layers, out)?;
        grow(view, world, &base, &layers, Wanted { least: 4, most: sizes.axes }, stop, out)
    }
}
