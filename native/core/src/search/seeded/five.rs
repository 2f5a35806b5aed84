//! Cubes of five axes around a seed, from those of four over one node; those of more over one line of them by [`grow`].
//!
//! As in [`five`](crate::search::five): a vertex is a further axis over the node with an edge beside both axes' edges, a
//! cube of four axes a labelled line between two vertices, one of five a triangle of lines whose labels fit. Triangles are
//! told by bit rows of lines, labels that fit in pairs by words and by which edges can be reached by two arcs ([`Reach`]). The
//! edges above all three ears are where the rows of two of them meet and that of the third has a bit; few labels have any,
//! and only for those a top is looked for.

use std::ops::Range;
use std::rc::Rc;

use super::grow::{Cube, Layer, Wanted, grow, grow_from};
use super::reach::{Reach, Row, Way};
use super::rows::Rows;
use super::world::{Vertex, World};
use super::{View, clash};
use crate::error::Result;
use crate::results::{Emitter, Rank, bits};
use crate::search::five::counting_sort;
use crate::search::{Sizes, Stop};

/// A cube of four axes over a node: its two vertices, by their places; its right ear and its top edge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Four {
    pub(super) low: u32,
    pub(super) high: u32,
    pub(super) ear: u32,
    pub(super) top: u32,
}

/// The right ear and the top edge of one, with their words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Label {
    ear: u32,
    top: u32,
    ear_words: [Rank; 2],
    top_words: [Rank; 2],
    /// Their numbers in the rows of [`Reach`].
    ear_bit: u32,
    top_bit: u32,
}

/// A vertex: its axis, and the words of its two edges.
#[derive(Debug, Clone, Copy, Default)]
struct Corner {
    axis: u32,
    sign: i8,
    x: [Rank; 2],
    mid: [Rank; 2],
}

/// Labels of one line that are looked at together.
const MASK: usize = 64;

/// Cubes of four axes for which the memory to sort them is kept from node to node.
const KEPT: usize = 1 << 12;

/// Bytes for each cube of four axes that is kept: in a list that may be twice as long, as a label, and in lines.
pub(super) const BYTES: u64 = 16 * 2 + 32 + 16;

/// See the [module](self). The space that a thread works in.
#[derive(Debug, Default)]
pub(super) struct Five {
    corners: Vec<Corner>,
    by_high: Vec<Four>,
    next: Vec<u32>,
    /// The labels of all lines, line by line.
    labels: Vec<Label>,
    /// The two vertices of each line, and where its labels start.
    lines: Vec<[u32; 2]>,
    starts: Vec<u32>,
    /// For each vertex the later ones that it has lines to, as bits, and how many lines there are before each word.
    bits: Vec<(u64, u32)>,
    row: usize,
    /// For each line of a triangle its labels that can go with the corner.
    lists: [Vec<Label>; 3],
    /// The edges above two ears, by their bits; and those above three tops.
    ears: Vec<u32>,
    tops: Vec<u32>,
    /// The cubes found over one line: the label, and what it has more.
    found: Vec<(Label, Layer)>,
}

/// A node and what is needed to look around in it.
pub(super) struct Node<'n> {
    pub(super) view: View<'n>,
    pub(super) world: &'n World,
    pub(super) q: u32,
    pub(super) rows: &'n mut Rows,
    pub(super) reach: &'n mut Reach,
    pub(super) stop: &'n Stop,
    pub(super) sizes: &'n Sizes,
}

impl Node<'_> {
    fn reach(&mut self, bit: u32, way: Way) -> Row {
        self.reach.row(self.view.tables.arcs, bit, way)
    }

    /// A right ear and a top edge, if both can be in a cube of five axes.
    fn label(&self, ear: u32, top: u32) -> Option<Label> {
        let (ear_bit, top_bit) = (self.reach.bit(ear)?, self.reach.bit(top)?);
        let (ear_words, top_words) = (self.view.words(ear), self.view.words(top));
        Some(Label { ear, top, ear_words, top_words, ear_bit, top_bit })
    }

    /// Whether there may be a line between two of the node's vertices: what [`join`](super::join) asks of a middle edge, that of
    /// the lower one, and of a left ear.
    fn may_be_line(&mut self, [low, high]: [u32; 2], corners: [&Corner; 2]) -> bool {
        let Self { view, world, q, .. } = *self;
        let [b, c] = [low, high].map(|v| world.vertices(q)[v as usize]);
        if b.axis == c.axis || world.between(b.axis, c.axis).is_empty() {
            return false;
        }
        let q_sign = world.signs[q as usize];
        let [own, other] = corners;
        let (level, other_level) = (q_sign + own.sign, q_sign + other.sign);
        !clash(level, own.mid, other.sign, other.x)
            && !clash(other_level, other.mid, own.sign, own.x)
            && self.rows.row(view, world, b.number, level, [other.sign, -own.sign]).has(c.number)
    }

    /// The labels of the line between two of the node's vertices between which there may be one.
    fn labels_between(&mut self, [low, high]: [u32; 2], [own, other]: [&Corner; 2], labels: &mut Vec<Label>) {
        let Self { view, world, q, .. } = *self;
        labels.clear();
        let [b, c] = [low, high].map(|v| world.vertices(q)[v as usize]);
        let (q_sign, q_words) = (world.signs[q as usize], world.x_words[q as usize]);
        let (level, other_level) = (q_sign + own.sign, q_sign + other.sign);
        let (ear_level, top_level) = (own.sign + other.sign, level + other.sign);
        let mut row = |back: i8| self.rows.row(view, world, b.number, level, [other.sign, -back]);
        let (over_left, over_right) = (row(own.sign), row(q_sign));
        for v in world.between(b.axis, c.axis) {
            let ear = view.words(v.mid);
            if clash(ear_level, ear, q_sign, q_words) || clash(ear_level, ear, other_level, other.mid) {
                continue;
            }
            let mut rest = over_left.places(c.number);
            for &place in over_right.places(v.number) {
                while rest.first().is_some_and(|&other| other < place) {
                    rest = &rest[1..];
                }
                if rest.first() != Some(&place) {
                    continue;
                }
                let top = over_left.tops[usize::from(place)];
                let words = view.words(top);
                let clear = |level: i8, other: [Rank; 2]| !clash(top_level, words, level, other);
                let fits = clear(0, view.words(view.seed))
                    && clear(q_sign, q_words)
                    && clear(own.sign, own.x)
                    && clear(other.sign, other.x);
                if fits {
                    labels.extend(self.label(v.mid, top));
                }
            }
        }
    }

    /// All cubes of five or more axes whose lowest vertex is this one by [`grow`].
    pub(super) fn plainly_over(&self, low: u32, out: &mut Emitter<'_>) -> Result<()> {
        let &Self { view, world, q, stop, sizes, .. } = self;
        let layer = |v: &Vertex| Layer { axis: v.axis, cells: Rc::from([world.xs[v.axis as usize], v.mid]) };
        let layers: Vec<Layer> = world.vertices(q).iter().map(layer).collect();
        let base = Cube::new(view.seed, world.xs[q as usize], world.signs[q as usize]);
        let wanted = Wanted { least: 5, most: sizes.axes };
        grow_from(view, world, &base, &layers, low as usize, wanted, stop, out)
    }
}

impl Five {
    /// All cubes of five or more axes over a node, whose cubes of four axes are `fours`.
    pub(super) fn node(
        &mut self,
        node: &mut Node<'_>,
        fours: &mut Vec<Four>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let count = node.world.vertices(node.q).len();
        self.row = count.div_ceil(64);
        if count * self.row > node.sizes.line_words {
            return self.slice(node, fours, out);
        }
        if fours.len() < 3 {
            return Ok(());
        }
        self.load(node, fours);
        self.make_bits(count);
        for i in 0..self.lines.len() {
            node.stop.check()?;
            let [a, b] = self.lines[i];
            self.found.clear();
            for word in b as usize / 64..self.row {
                let mut cs =
                    self.bits[a as usize * self.row + word].0 & self.bits[b as usize * self.row + word].0;
                while cs != 0 {
                    let c = word as u32 * 64 + cs.trailing_zeros();
                    cs &= cs - 1;
                    self.triangle(node, [a, b, c], out)?;
                }
            }
            self.more(node, [a, b], out)?;
        }
        Ok(())
    }

    /// All cubes of five or more axes over a node whose lowest vertex is that of one of `fours`: all cubes of four
    /// axes with these lowest vertices. The third line of a triangle need not be among them: its labels are made when the
    /// other two fit.
    pub(super) fn slice(
        &mut self,
        node: &mut Node<'_>,
        fours: &mut Vec<Four>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        if fours.len() < 2 {
            return Ok(());
        }
        self.load(node, fours);
        let mut from = 0;
        while from < self.lines.len() {
            let a = self.lines[from][0];
            let to = from + self.lines[from..].partition_point(|line| line[0] == a);
            for i in from..to {
                node.stop.check()?;
                self.found.clear();
                for j in i + 1..to {
                    self.open_triangle(node, [i, j], out)?;
                }
                self.more(node, self.lines[i], out)?;
            }
            from = to;
        }
        Ok(())
    }

    /// Cubes of six and more axes over a line.
    fn more(&mut self, node: &Node<'_>, [a, b]: [u32; 2], out: &mut Emitter<'_>) -> Result<()> {
        let Node { view, world, q, stop, sizes, .. } = *node;
        if self.found.len() < 2 || sizes.axes < 6 {
            return Ok(());
        }
        self.found.sort_by_key(|(label, layer)| (*label, layer.axis));
        for group in self.found.chunk_by(|(one, _), (other, _)| one == other) {
            let [a, b] = [a, b].map(|v| world.vertices(q)[v as usize]);
            let [x, y, z] = [q, a.axis, b.axis].map(|axis| world.xs[axis as usize]);
            let label = group[0].0;
            let base = Cube {
                cells: vec![view.seed, x, y, a.mid, z, b.mid, label.ear, label.top],
                signs: [q, a.axis, b.axis].map(|axis| world.signs[axis as usize]).to_vec(),
            };
            let layers: Vec<Layer> = group.iter().map(|(_, layer)| layer.clone()).collect();
            grow(view, world, &base, &layers, Wanted { least: 6, most: sizes.axes }, stop, out)?;
        }
        Ok(())
    }

    /// Sorts cubes by their vertices.
    fn sort(&mut self, fours: &mut Vec<Four>, count: usize) {
        counting_sort(fours, &mut self.by_high, &mut self.next, count, |four| four.high);
        counting_sort(&self.by_high, fours, &mut self.next, count, |four| four.low);
        self.by_high.clear();
        self.by_high.shrink_to(KEPT);
    }

    /// Corners, and lines with their labels.
    fn load(&mut self, node: &Node<'_>, fours: &mut Vec<Four>) {
        let &Node { view, world, q, .. } = node;
        self.corners.clear();
        self.corners.extend(world.vertices(q).iter().map(|v| Corner {
            axis: v.axis,
            sign: world.signs[v.axis as usize],
            x: world.x_words[v.axis as usize],
            mid: view.words(v.mid),
        }));
        self.sort(fours, self.corners.len());
        self.labels.clear();
        self.labels.reserve_exact(fours.len());
        self.lines.clear();
        self.starts.clear();
        for &Four { low, high, ear, top } in &*fours {
            let Some(label) = node.label(ear, top) else { continue };
            if self.lines.last() != Some(&[low, high]) {
                self.lines.push([low, high]);
                self.starts.push(self.labels.len() as u32);
            }
            self.labels.push(label);
        }
        self.starts.push(self.labels.len() as u32);
    }

    /// The bits of the lines between so many vertices.
    fn make_bits(&mut self, count: usize) {
        self.bits.clear();
        self.bits.resize(count * self.row, (0, 0));
        for [low, high] in &self.lines {
            self.bits[*low as usize * self.row + *high as usize / 64].0 |= 1 << (high % 64);
        }
        let mut before = 0;
        for (bits, lines) in &mut self.bits {
            *lines = before;
            before += bits.count_ones();
        }
    }

    #[inline]
    fn line(&self, low: u32, high: u32) -> Range<usize> {
        let (bits, before) = self.bits[low as usize * self.row + high as usize / 64];
        let line = (before + (bits & ((1 << (high % 64)) - 1)).count_ones()) as usize;
        self.starts[line] as usize..self.starts[line + 1] as usize
    }

    /// All cubes of five axes with these vertices.
    fn triangle(&mut self, node: &mut Node<'_>, places: [u32; 3], out: &mut Emitter<'_>) -> Result<()> {
        let corners = places.map(|v| self.corners[v as usize]);
        let triangle = Triangle { places, corners, q_sign: node.world.signs[node.q as usize] };
        for (far, [low, high]) in [(2, [0, 1]), (1, [0, 2]), (0, [1, 2])] {
            let range = self.line(places[low], places[high]);
            triangle.list(far, &self.labels[range], &mut self.lists[far]);
            if self.lists[far].is_empty() {
                return Ok(());
            }
        }
        self.close(node, &triangle, out)
    }

    /// All cubes of five axes with the vertices of two lines from one vertex, given by the lines' places.
    fn open_triangle(
        &mut self,
        node: &mut Node<'_>,
        [i, j]: [usize; 2],
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let [a, b] = self.lines[i];
        let c = self.lines[j][1];
        let places = [a, b, c];
        let corners = places.map(|v| self.corners[v as usize]);
        let ends = [&corners[1], &corners[2]];
        if !node.may_be_line([b, c], ends) {
            return Ok(());
        }
        node.reach.make_room();
        let triangle = Triangle { places, corners, q_sign: node.world.signs[node.q as usize] };
        for (far, line) in [(2, i), (1, j)] {
            let range = self.starts[line] as usize..self.starts[line + 1] as usize;
            triangle.list(far, &self.labels[range], &mut self.lists[far]);
        }
        let [zs, ys, xs] = &mut self.lists;
        if !ys.chunks(MASK).any(|ys| xs.iter().any(|x| triangle.beside(node, [2, 1], x, ys) != 0)) {
            return Ok(());
        }
        node.labels_between([b, c], ends, zs);
        let barred = triangle.barred(0);
        zs.retain(|label| !barred.has(label));
        self.close(node, &triangle, out)
    }

    /// All cubes of five axes with labels of the lists, each that of the line without one corner.
    fn close(&mut self, node: &mut Node<'_>, triangle: &Triangle, out: &mut Emitter<'_>) -> Result<()> {
        let Self { lists, ears, tops, found, .. } = self;
        node.reach.make_room();
        let mut order = [0, 1, 2];
        order.sort_unstable_by_key(|&far| lists[far].len());
        let [i, j, k] = order;
        let mut barred = None;
        for ys in lists[j].chunks(MASK) {
            for zs in lists[k].chunks(MASK) {
                let mut between = [(false, 0u64); MASK];
                for x in &lists[i] {
                    let with_y = triangle.beside(node, [i, j], x, ys);
                    if with_y == 0 {
                        continue;
                    }
                    let with_z = triangle.beside(node, [i, k], x, zs);
                    if with_z == 0 {
                        continue;
                    }
                    for at in bits(with_y) {
                        let y = &ys[at];
                        if !between[at].0 {
                            between[at] = (true, triangle.beside(node, [j, k], y, zs));
                        }
                        let fits = with_z & between[at].1;
                        if fits == 0 {
                            continue;
                        }
                        let barred = barred.get_or_insert_with(|| triangle.barred_above(node));
                        triangle.ears(node, [i, j, k], [x, y], barred, ears);
                        for &ear in &*ears {
                            let to_z = node.reach(ear, Way::One(-triangle.corners[k].sign));
                            for z in bits(fits).map(|at| &zs[at]) {
                                if !node.reach.has(to_z, z.ear_bit) {
                                    continue;
                                }
                                let mut labels = [x; 3];
                                (labels[j], labels[k]) = (y, z);
                                triangle.tops(node, labels, ear, tops, found, out)?;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Three vertices over a node.
struct Triangle {
    /// Among the node's.
    places: [u32; 3],
    corners: [Corner; 3],
    q_sign: i8,
}

/// No word.
const NONE: Rank = Rank::MAX;

/// The words that an edge on one level may not have because of one on another; see [`clash`].
#[inline]
fn bar(level: i8, other_level: i8, other: [Rank; 2]) -> [Rank; 2] {
    match other_level - level {
        0 => other,
        1 => [NONE, other[0]],
        -1 => [other[1], NONE],
        _ => [NONE; 2],
    }
}

/// The words that a label may not have: for its ear and its top because of two edges each.
#[derive(Debug, Clone, Copy)]
struct Barred([[[Rank; 2]; 2]; 2]);

impl Barred {
    #[inline]
    fn has(&self, label: &Label) -> bool {
        let one = |[a, b]: [Rank; 2], bars: [[Rank; 2]; 2]| {
            bars.iter().fold(false, |is, bar| is | (a == bar[0]) | (b == bar[1]))
        };
        one(label.ear_words, self.0[0]) | one(label.top_words, self.0[1])
    }
}

impl Triangle {
    /// The level of the edge above all three ears.
    fn level(&self) -> i8 {
        self.corners.iter().map(|corner| corner.sign).sum()
    }

    /// The level of the ears of the line without a corner.
    #[inline]
    fn level_without(&self, far: usize) -> i8 {
        self.level() - self.corners[far].sign
    }

    /// What a label cannot have in a cube with the corner that is not on its line.
    #[inline]
    fn barred(&self, far: usize) -> Barred {
        let Corner { sign, x, mid, .. } = self.corners[far];
        let (ear, q) = (self.level_without(far), self.q_sign);
        Barred([ear, ear + q].map(|own| [bar(own, sign, x), bar(own, sign + q, mid)]))
    }

    /// Lists the labels of a line that can be in a cube with the corner that is not on it.
    #[inline]
    fn list(&self, far: usize, labels: &[Label], list: &mut Vec<Label>) {
        let barred = self.barred(far);
        list.clear();
        list.extend(labels.iter().filter(|label| !barred.has(label)));
    }

    /// What an edge above all three ears cannot have because of what is not on a line.
    fn barred_above(&self, node: &Node<'_>) -> [[Rank; 2]; 8] {
        let (own, q) = (self.level(), self.q_sign);
        let [[a, b], [c, d], [e, f]] =
            self.corners.map(|Corner { sign, x, mid, .. }| [bar(own, sign, x), bar(own, sign + q, mid)]);
        let seed = bar(own, 0, node.view.words(node.view.seed));
        [a, b, c, d, e, f, seed, bar(own, q, node.world.x_words[node.q as usize])]
    }

    /// A bit for each of `others` that can be in a cube with `label`, each being of the line without one corner: as far as
    /// words go, and that there are edges beside both ears and beside both tops.
    #[inline]
    fn beside(&self, node: &mut Node<'_>, fars: [usize; 2], label: &Label, others: &[Label]) -> u64 {
        let [there, back] = fars.map(|far| self.corners[far].sign);
        let (ear, top) = (label.ear_words, label.top_words);
        // The other label is on the same level or two higher or lower; see `clash`.
        let same = |a: [Rank; 2], b: [Rank; 2]| (a[0] == b[0]) | (a[1] == b[1]);
        let fits = match (there - back, self.q_sign > 0) {
            (0, true) => mask_where(others, |o| {
                !(same(ear, o.ear_words) | same(top, o.top_words))
                    & (ear[1] != o.top_words[0])
                    & (top[0] != o.ear_words[1])
            }),
            (0, false) => mask_where(others, |o| {
                !(same(ear, o.ear_words) | same(top, o.top_words))
                    & (ear[0] != o.top_words[1])
                    & (top[1] != o.ear_words[0])
            }),
            (2, true) => mask_where(others, |o| top[1] != o.ear_words[0]),
            (2, false) => mask_where(others, |o| ear[1] != o.top_words[0]),
            (_, true) => mask_where(others, |o| ear[0] != o.top_words[1]),
            (_, false) => mask_where(others, |o| top[0] != o.ear_words[1]),
        };
        if fits == 0 {
            return 0;
        }
        // Each label lacks the axis of its corner: to the other one it is there by its own, and back by the other's.
        let way = Way::Two(there, -back);
        let tops = node.reach(label.top_bit, way);
        let fits = bits(fits)
            .filter(|&i| node.reach.has(tops, others[i].top_bit))
            .fold(0u64, |mask, i| mask | 1 << i);
        if fits == 0 {
            return 0;
        }
        let ears = node.reach(label.ear_bit, way);
        bits(fits).filter(|&i| node.reach.has(ears, others[i].ear_bit)).fold(0, |mask, i| mask | 1 << i)
    }

    /// The edges that may be above the ears of two labels.
    #[inline]
    fn ears(
        &self,
        node: &mut Node<'_>,
        [i, j, _]: [usize; 3],
        [x, y]: [&Label; 2],
        barred: &[[Rank; 2]; 8],
        ears: &mut Vec<u32>,
    ) {
        let to_x = node.reach(x.ear_bit, Way::One(self.corners[i].sign));
        let to_y = node.reach(y.ear_bit, Way::One(self.corners[j].sign));
        let own = self.level();
        let top =
            |far: usize, label: &Label| bar(own, self.level_without(far) + self.q_sign, label.top_words);
        let tops = [top(i, x), top(j, y)];
        let is_barred = |[a, b]: [Rank; 2]| {
            barred.iter().chain(&tops).fold(false, |is, bar| is | (a == bar[0]) | (b == bar[1]))
        };
        ears.clear();
        node.reach.common([to_x, to_y], |ear| {
            if !is_barred(node.reach.words(ear)) {
                ears.push(ear);
            }
        });
    }

    /// All cubes of five axes with three labels, all of which fit in pairs, and an edge above their ears.
    fn tops(
        &self,
        node: &mut Node<'_>,
        labels: [&Label; 3],
        ear_bit: u32,
        tops: &mut Vec<u32>,
        found: &mut Vec<(Label, Layer)>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Node { view, world, q, .. } = *node;
        let q_sign = self.q_sign;
        let signs = self.corners.map(|corner| corner.sign);
        let [to_x, to_y, to_z] = [0, 1, 2].map(|far| node.reach(labels[far].top_bit, Way::One(signs[far])));
        let to_ear = node.reach(ear_bit, Way::One(q_sign));
        let ear = node.reach.edge(ear_bit);
        tops.clear();
        node.reach.common([to_x, to_y, to_z, to_ear], |top| tops.push(node.reach.edge(top)));
        for &top in &*tops {
            if !self.is_whole(node, labels, [ear, top]) {
                continue;
            }
            let vertices = self.places.map(|v| world.vertices(q)[v as usize]);
            let [(a, mid_a), (b, mid_b), (c, mid_c)] =
                vertices.map(|vertex| (world.xs[vertex.axis as usize], vertex.mid));
            let [z, y, x] = labels;
            let first = [view.seed, world.xs[q as usize], a, mid_a, b, mid_b, x.ear, x.top];
            let more = [c, mid_c, y.ear, y.top, z.ear, z.top, ear, top];
            let cube = Cube { cells: [first, more].concat(), signs: [&[q_sign], &signs[..]].concat() };
            cube.give(view, out)?;
            found.push((*x, Layer { axis: self.corners[2].axis, cells: Rc::from(more) }));
        }
        Ok(())
    }

    /// Whether the edges above the ears and above the tops make a cube with three labels, which fit in pairs.
    fn is_whole(&self, node: &Node<'_>, labels: [&Label; 3], [ear, top]: [u32; 2]) -> bool {
        let &Node { view, world, q, .. } = node;
        let (level, q_sign) = (self.level(), self.q_sign);
        [(ear, level), (top, level + q_sign)].into_iter().all(|(edge, level)| {
            let clear =
                |other_level: i8, other: [Rank; 2]| !clash(level, view.words(edge), other_level, other);
            (0..3).all(|far| {
                let (label, below) = (labels[far], self.level_without(far));
                let Corner { sign, x, mid, .. } = self.corners[far];
                clear(below, label.ear_words)
                    && clear(below + q_sign, label.top_words)
                    && clear(sign, x)
                    && clear(sign + q_sign, mid)
            }) && clear(0, view.words(view.seed))
                && clear(q_sign, world.x_words[q as usize])
        }) && view.joined(ear, q_sign, top, level)
            && (0..3).all(|far| {
                let (label, below) = (labels[far], self.level_without(far));
                let sign = self.corners[far].sign;
                view.joined(label.ear, sign, ear, below) && view.joined(label.top, sign, top, below + q_sign)
            })
    }
}

/// A bit for each label of which something holds.
#[inline]
fn mask_where(labels: &[Label], holds: impl Fn(&Label) -> bool) -> u64 {
    labels.iter().enumerate().fold(0, |mask, (bit, label)| mask | u64::from(holds(label)) << bit)
}
