//! Cubes of five axes around a seed, from those of four over one node; those of more over one line of them by [`grow`].
//!
//! As in [`five`](crate::search::five): a vertex is a further axis over the node with an edge beside both axes' edges, a
//! cube of four axes a labelled line between two vertices, one of five a triangle of lines whose labels fit. Triangles are
//! told by bit rows of lines, and lines that are in none are put aside before anything is sorted. Of the labels of a triangle most
//! have a word that its corners bar; most others lack the cube of four axes that there must be without the node, which
//! [`Spans`] tells. Of what is left the three ears and the edge above them have to be such a cube: [`Past`] has them, so that only
//! the top is to be looked for. Where it has no room, labels are held against each other, by words and by which edges can be reached
//! by two arcs ([`Reach`]); edges above two ears are looked for once for all labels with these ears, and a top only over those
//! above all three.

use std::ops::Range;
use std::rc::Rc;

use super::grow::{Cube, Layer, Wanted, grow, grow_from};
use super::past::Past;
use super::reach::{Reach, Row, Way};
use super::rows::Rows;
use super::spans::Spans;
use super::world::{Vertex, World};
use super::{View, clash};
use crate::error::Result;
use crate::results::{Emitter, Rank, bits};
use crate::search::five::counting_sort;
use crate::search::ranked::{self, Ranked};
use crate::search::{Sizes, Stop};

/// A cube of four axes over a node: its two vertices, by their places; the vertex of its right ear, by its place among all; and
/// its top edge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Four {
    pub(super) low: u32,
    pub(super) high: u32,
    pub(super) ear: u32,
    pub(super) top: u32,
}

/// The right ear and the top edge of one, by their bits in the rows of [`Reach`].
type Label = [u32; 2];

/// The two words of a right ear and those of the top edge over it, 16 bits each: there are no [`Seeds`](super::Seeds) where
/// words are more.
#[derive(Debug, Clone, Copy)]
struct Words(u64);

impl Words {
    #[inline]
    fn new([[a, b], [c, d]]: [[Rank; 2]; 2]) -> Self {
        let word = |rank: Rank| u64::from(rank as u16);
        Self(word(a) | word(b) << 16 | word(c) << 32 | word(d) << 48)
    }

    /// Those of the top edge.
    #[inline]
    fn top(self) -> [Rank; 2] {
        [self.0 >> 32 & 0xffff, self.0 >> 48].map(|word| word as Rank)
    }

    /// Whether any is at the same place of another.
    #[inline]
    fn same(self, other: Self) -> u64 {
        const LOW: u64 = 0x0001_0001_0001_0001;
        // A place with no difference borrows, and so has its highest bit; none does before it.
        let difference = self.0 ^ other.0;
        difference.wrapping_sub(LOW) & !difference & LOW << 15
    }
}

/// The labels of all lines, line by line, ear by ear.
#[derive(Debug, Default)]
struct Labels {
    labels: Vec<Label>,
    words: Vec<Words>,
    /// The vertices of the right ears, by their places among all.
    vertices: Vec<u32>,
}

impl Labels {
    fn clear(&mut self) {
        self.truncate(0);
    }

    fn truncate(&mut self, count: usize) {
        self.labels.truncate(count);
        self.words.truncate(count);
        self.vertices.truncate(count);
    }

    fn reserve(&mut self, count: usize) {
        self.labels.reserve_exact(count);
        self.words.reserve_exact(count);
        self.vertices.reserve_exact(count);
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    /// Adds a right ear and a top edge, if both can be in a cube of five axes.
    fn push(&mut self, reach: &Reach, world: &World, vertex: u32, top: u32) {
        if let (Some(ear), Some(top)) = (reach.bit(world.vertex(vertex).mid), reach.bit(top)) {
            self.vertices.push(vertex);
            self.labels.push([ear, top]);
            self.words.push(Words::new([ear, top].map(|bit| reach.words(bit))));
        }
    }
}

/// Words that a label may not have, two for each place.
#[derive(Debug, Clone, Copy)]
struct Bars([Words; 2]);

impl Bars {
    /// A bit for each label that has none.
    #[inline]
    fn clear(self, labels: &[Words]) -> u64 {
        let Self([one, other]) = self;
        let is = |words: &Words| words.same(one) | words.same(other) == 0;
        labels.iter().enumerate().fold(0, |mask, (bit, words)| mask | u64::from(is(words)) << bit)
    }
}

/// Some of at most 64 labels that follow each other on a line.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    start: u32,
    mask: u64,
}

impl Chunk {
    /// The labels up to the last of them.
    #[inline]
    fn of<'l, T>(&self, labels: &'l [T]) -> &'l [T] {
        &labels[self.start as usize..][..64 - self.mask.leading_zeros() as usize]
    }

    #[inline]
    fn place(&self, bit: usize) -> usize {
        self.start as usize + bit
    }
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
const KEPT: usize = 1 << 14;

/// Bytes for each cube of four axes that is kept: in a list that may be twice as long, as a label, and in lines.
pub(super) const BYTES: u64 = 16 * 2 + 20 + 16;

/// See the [module](self). The space that a thread works in.
#[derive(Debug, Default)]
pub(super) struct Five {
    corners: Vec<Corner>,
    by_high: Vec<Four>,
    next: Vec<u32>,
    labels: Labels,
    /// The two vertices of each line, and where its labels start.
    lines: Vec<[u32; 2]>,
    starts: Vec<u32>,
    /// For each vertex the later ones that it has lines to, as bits, and how many lines there are before each word.
    bits: Vec<Ranked>,
    /// The same of lines in triangles alone.
    in_triangles: Vec<u64>,
    row: usize,
    close: Close,
    /// The cubes found over one line: the label, and what it has more.
    found: Vec<(Label, Layer)>,
}

/// What triangles are closed in.
#[derive(Debug)]
struct Close {
    /// For each line of a triangle its labels that can go with the corner.
    lists: [Vec<Chunk>; 3],
    /// For each label of a chunk those of another that can go with it, as far as that was asked.
    between: [u64; MASK],
    /// For each label of a chunk the first one with the same ear; of another chunk for each ear its labels.
    heads: [u8; MASK],
    thirds: Vec<(u32, u64)>,
    /// For each of the heads, if that was asked, which of `above` are above its ear and the current one.
    ranges: [(u32, u32); MASK],
    above: Vec<Above>,
    tops: Vec<u32>,
    /// Three labels that fit each other, and the edge above their ears.
    whole: Vec<([Label; 3], u32)>,
}

/// An edge above two ears.
#[derive(Debug, Clone, Copy)]
struct Above {
    bit: u32,
    words: [Rank; 2],
    /// The labels of a chunk of the third line whose ear it is above, too.
    thirds: u64,
}

impl Default for Close {
    fn default() -> Self {
        Self {
            lists: Default::default(),
            between: [0; MASK],
            heads: [0; MASK],
            thirds: vec![],
            ranges: [(0, 0); MASK],
            above: vec![],
            tops: vec![],
            whole: vec![],
        }
    }
}

/// A node and what is needed to look around in it.
pub(super) struct Node<'n> {
    pub(super) view: View<'n>,
    pub(super) world: &'n World,
    pub(super) q: u32,
    pub(super) rows: &'n mut Rows,
    pub(super) reach: &'n mut Reach,
    pub(super) spans: &'n mut Spans,
    pub(super) past: &'n mut Past,
    pub(super) stop: &'n Stop,
    pub(super) sizes: &'n Sizes,
}

impl Node<'_> {
    fn reach(&mut self, bit: u32, way: Way) -> Row {
        self.reach.row(self.view.tables.arcs, bit, way)
    }

    /// Says with which axes the vertices of cubes of four axes over the node go.
    fn add_spans(&mut self, fours: &[Four]) {
        let Self { world, q, spans, .. } = self;
        if !spans.are_known() {
            return;
        }
        let start = world.start(*q);
        for &Four { low, high, ear, .. } in fours {
            spans.add(start + low, world.vertex(start + high).axis);
            spans.add(start + high, world.vertex(start + low).axis);
            spans.add(ear, *q);
        }
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
    fn labels_between(&mut self, [low, high]: [u32; 2], [own, other]: [&Corner; 2], labels: &mut Labels) {
        let Self { view, world, q, .. } = *self;
        let [b, c] = [low, high].map(|v| world.vertices(q)[v as usize]);
        let (q_sign, q_words) = (world.signs[q as usize], world.x_words[q as usize]);
        let (level, other_level) = (q_sign + own.sign, q_sign + other.sign);
        let (ear_level, top_level) = (own.sign + other.sign, level + other.sign);
        let mut row = |back: i8| self.rows.row(view, world, b.number, level, [other.sign, -back]);
        let (over_left, over_right) = (row(own.sign), row(q_sign));
        for vertex in world.places_between(b.axis, c.axis) {
            let v = world.vertex(vertex as u32);
            let ear = view.words(v.mid);
            if clash(ear_level, ear, q_sign, q_words) || clash(ear_level, ear, other_level, other.mid) {
                continue;
            }
            let places = over_left.places(c.number).iter().zip(over_right.places(v.number));
            let places =
                places.enumerate().flat_map(|(word, (a, b))| bits(a & b).map(move |bit| word * 64 + bit));
            for place in places {
                let top = over_left.tops[place];
                let words = view.words(top);
                let clear = |level: i8, other: [Rank; 2]| !clash(top_level, words, level, other);
                let fits = clear(0, view.words(view.seed))
                    && clear(q_sign, q_words)
                    && clear(own.sign, own.x)
                    && clear(other.sign, other.x);
                if fits {
                    labels.push(self.reach, world, vertex as u32, top);
                }
            }
        }
    }

    /// All cubes of five or more axes whose lowest vertex is this one by [`grow`].
    pub(super) fn plainly_over(&mut self, low: u32, out: &mut Emitter<'_>) -> Result<()> {
        self.spans.forget();
        let &mut Self { view, world, q, stop, sizes, .. } = self;
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
        node.add_spans(fours);
        self.sort(fours, count);
        node.past.add(node.world, node.q, fours, node.reach);
        if fours.len() < 3 || !self.make_bits(fours, count) {
            return Ok(());
        }
        fours.retain(|four| self.has_line(four));
        self.load(node, fours);
        for i in 0..self.lines.len() {
            node.stop.check()?;
            let [a, b] = self.lines[i];
            self.found.clear();
            for word in b as usize / 64..self.row {
                let mut cs = self.bits[a as usize * self.row + word].bits
                    & self.bits[b as usize * self.row + word].bits;
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
        node.add_spans(fours);
        if fours.len() < 2 {
            return Ok(());
        }
        self.sort(fours, node.world.vertices(node.q).len());
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
            let [ear, top] = group[0].0.map(|bit| node.reach.edge(bit));
            let base = Cube {
                cells: vec![view.seed, x, y, a.mid, z, b.mid, ear, top],
                signs: [q, a.axis, b.axis].map(|axis| world.signs[axis as usize]).to_vec(),
            };
            let layers: Vec<Layer> = group.iter().map(|(_, layer)| layer.clone()).collect();
            grow(view, world, &base, &layers, Wanted { least: 6, most: sizes.axes }, stop, out)?;
        }
        Ok(())
    }

    /// Sorts cubes by their vertices and ears.
    fn sort(&mut self, fours: &mut Vec<Four>, count: usize) {
        counting_sort(fours, &mut self.by_high, &mut self.next, count, |four| four.high);
        counting_sort(&self.by_high, fours, &mut self.next, count, |four| four.low);
        self.by_high.clear();
        self.by_high.shrink_to(KEPT);
        for line in fours.chunk_by_mut(|one, other| one.low == other.low && one.high == other.high) {
            line.sort_unstable_by_key(|four| four.ear);
        }
    }

    /// Corners, and lines with their labels, of cubes that are sorted.
    fn load(&mut self, node: &Node<'_>, fours: &[Four]) {
        let &Node { view, world, q, .. } = node;
        self.corners.clear();
        self.corners.extend(world.vertices(q).iter().map(|v| Corner {
            axis: v.axis,
            sign: world.signs[v.axis as usize],
            x: world.x_words[v.axis as usize],
            mid: view.words(v.mid),
        }));
        self.labels.clear();
        self.labels.reserve(fours.len());
        self.lines.clear();
        self.starts.clear();
        for line in fours.chunk_by(|one, other| one.low == other.low && one.high == other.high) {
            self.lines.push([line[0].low, line[0].high]);
            self.starts.push(self.labels.len() as u32);
            line.iter().for_each(|four| self.labels.push(node.reach, world, four.ear, four.top));
        }
        self.starts.push(self.labels.len() as u32);
    }

    /// The bits of the lines between so many vertices that are in triangles. `false` if there are none.
    fn make_bits(&mut self, fours: &[Four], count: usize) -> bool {
        let Self { bits: all, in_triangles, row, .. } = self;
        let row = *row;
        all.clear();
        all.resize(count * row, Ranked::default());
        in_triangles.clear();
        in_triangles.resize(count * row, 0);
        for Four { low, high, .. } in fours {
            ranked::insert(&mut all[*low as usize * row..], *high);
        }
        let mut any = false;
        for a in 0..count {
            for from in a / 64..row {
                for bit in bits(all[a * row + from].bits) {
                    let b = from * 64 + bit;
                    let mut is_in = false;
                    for word in from..row {
                        let cs = all[a * row + word].bits & all[b * row + word].bits;
                        if cs != 0 {
                            is_in = true;
                            in_triangles[a * row + word] |= cs;
                            in_triangles[b * row + word] |= cs;
                        }
                    }
                    if is_in {
                        in_triangles[a * row + from] |= 1 << bit;
                        any = true;
                    }
                }
            }
        }
        for (all, is_in) in all.iter_mut().zip(&*in_triangles) {
            all.bits = *is_in;
        }
        ranked::count(all, 0);
        any
    }

    #[inline]
    fn has_line(&self, &Four { low, high, .. }: &Four) -> bool {
        ranked::has(&self.bits[low as usize * self.row..], high)
    }

    #[inline]
    fn line(&self, low: u32, high: u32) -> Range<usize> {
        let line = ranked::place(&self.bits[low as usize * self.row..], high);
        self.starts[line] as usize..self.starts[line + 1] as usize
    }

    /// All cubes of five axes with these vertices.
    fn triangle(&mut self, node: &mut Node<'_>, places: [u32; 3], out: &mut Emitter<'_>) -> Result<()> {
        let corners = places.map(|v| self.corners[v as usize]);
        let triangle = Triangle { places, corners, q_sign: node.world.signs[node.q as usize] };
        let [a, b, c] = places;
        let mut lines = [(2, self.line(a, b)), (1, self.line(a, c)), (0, self.line(b, c))];
        // That of few labels is most likely to have none that goes with the corner.
        lines.sort_unstable_by_key(|(_, range)| range.len());
        for (far, range) in lines {
            triangle.list(far, &self.labels.words, range, &mut self.close.lists[far]);
            if self.close.lists[far].is_empty() {
                return Ok(());
            }
        }
        self.close.all(node, &triangle, &self.labels, &mut self.found, out)
    }

    /// All cubes of five axes with the vertices of two lines from one vertex, given by the lines' places.
    fn open_triangle(
        &mut self,
        node: &mut Node<'_>,
        [i, j]: [usize; 2],
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Self { close, labels, .. } = self;
        let [a, b] = self.lines[i];
        let c = self.lines[j][1];
        let places = [a, b, c];
        let corners = places.map(|v| self.corners[v as usize]);
        let ends = [&corners[1], &corners[2]];
        if !node.may_be_line([b, c], ends) {
            return Ok(());
        }
        let triangle = Triangle { places, corners, q_sign: node.world.signs[node.q as usize] };
        for (far, line) in [(2, i), (1, j)] {
            let range = self.starts[line] as usize..self.starts[line + 1] as usize;
            triangle.list(far, &labels.words, range, &mut close.lists[far]);
        }
        let [zs, ys, xs] = &mut close.lists;
        let words = &labels.words;
        let fits = |x: usize| ys.iter().any(|ys| triangle.differ([2, 1], words[x], *ys, words) != 0);
        if !xs.iter().any(|xs| bits(xs.mask).any(|x| fits(xs.place(x)))) {
            return Ok(());
        }
        let from = labels.len();
        node.labels_between([b, c], ends, labels);
        triangle.list(0, &labels.words, from..labels.len(), zs);
        let done = close.all(node, &triangle, labels, &mut self.found, out);
        labels.truncate(from);
        done
    }
}

impl Close {
    /// All cubes of five axes with labels of the lists, each that of the line without one corner.
    fn all(
        &mut self,
        node: &mut Node<'_>,
        triangle: &Triangle,
        labels: &Labels,
        found: &mut Vec<(Label, Layer)>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        for far in 0..3 {
            triangle.span(node.spans, far, &labels.vertices, &mut self.lists[far]);
            if self.lists[far].is_empty() {
                return Ok(());
            }
        }
        if node.past.has(triangle.corners[0].axis) {
            return self.by_past(node, triangle, labels, found, out);
        }
        let Self { lists, between, heads, thirds, ranges, above, tops, .. } = self;
        let Labels { labels: all, words, .. } = labels;
        node.reach.make_room();
        let counts =
            lists.each_ref().map(|list| list.iter().map(|chunk| chunk.mask.count_ones()).sum::<u32>());
        let mut order = [0, 1, 2];
        order.sort_unstable_by_key(|&far| counts[far]);
        let [i, j, k] = order;
        let mut barred = None;
        for &ys in &lists[j] {
            for &zs in &lists[k] {
                // Which of `between` and of `ranges` are known, the latter for an ear.
                let (mut known, mut known_above) = (0u64, 0u64);
                let mut current = None;
                for xs in &lists[i] {
                    for x in bits(xs.mask).map(|bit| xs.place(bit)) {
                        let with_y = triangle.beside(node, [i, j], x, ys, labels);
                        if with_y == 0 {
                            continue;
                        }
                        let with_z = triangle.beside(node, [i, k], x, zs, labels);
                        if with_z == 0 {
                            continue;
                        }
                        for bit in bits(with_y) {
                            let y = ys.place(bit);
                            if current.is_none() {
                                find_heads(ys.of(all), heads);
                                find_ears(zs, |at| all[at][0], thirds);
                            }
                            if current != Some(all[x][0]) {
                                current = Some(all[x][0]);
                                known_above = 0;
                                above.clear();
                            }
                            let head = usize::from(heads[bit]);
                            if known_above >> head & 1 == 0 {
                                known_above |= 1 << head;
                                let barred = barred.get_or_insert_with(|| triangle.barred_above(node));
                                let from = above.len() as u32;
                                triangle.above(
                                    node,
                                    order,
                                    [x, y].map(|at| all[at][0]),
                                    thirds,
                                    barred,
                                    above,
                                );
                                ranges[head] = (from, above.len() as u32);
                            }
                            let (from, to) = ranges[head];
                            for above in &above[from as usize..to as usize] {
                                let mut fits = with_z & above.thirds;
                                if fits == 0 || triangle.tops_bar([i, j], [words[x], words[y]], above.words) {
                                    continue;
                                }
                                if known >> bit & 1 == 0 {
                                    known |= 1 << bit;
                                    between[bit] = triangle.beside(node, [j, k], y, zs, labels);
                                }
                                fits &= between[bit];
                                for bit in bits(fits) {
                                    let mut labels = [all[x]; 3];
                                    (labels[j], labels[k]) = (all[y], all[zs.place(bit)]);
                                    triangle.tops(node, labels, above.bit, tops, found, out)?;
                                }
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The same where the cubes of four axes over the lowest axis of the corners are at hand.
    fn by_past(
        &mut self,
        node: &mut Node<'_>,
        triangle: &Triangle,
        labels: &Labels,
        found: &mut Vec<(Label, Layer)>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Self { lists: [zs, ys, xs], between, thirds, tops, whole, .. } = self;
        let Labels { labels: all, words, vertices } = labels;
        let axis = triangle.corners[0].axis;
        let mut barred = None;
        for &zs in &*zs {
            find_ears(zs, |at| vertices[at], thirds);
            for &ys in &*ys {
                let mut known = 0u64;
                for x in xs.iter().flat_map(|xs| bits(xs.mask).map(|bit| xs.place(bit))) {
                    let with_z = triangle.differ([2, 0], words[x], zs, words);
                    if with_z == 0 {
                        continue;
                    }
                    let with_y = triangle.differ([2, 1], words[x], ys, words);
                    if with_y == 0 {
                        continue;
                    }
                    let Some(from) = node.past.from(axis, vertices[x]) else { continue };
                    for bit in bits(with_y) {
                        let y = ys.place(bit);
                        let mut thirds = &thirds[..];
                        for above in from.to(vertices[y]) {
                            while thirds.first().is_some_and(|&(ear, _)| ear < above.ear) {
                                thirds = &thirds[1..];
                            }
                            let Some(&(ear, with_ear)) = thirds.first() else { break };
                            let mut fits = if ear == above.ear { with_ear & with_z } else { 0 };
                            if fits == 0
                                || triangle.tops_bar(
                                    [2, 1],
                                    [words[x], words[y]],
                                    node.reach.words(above.top),
                                )
                            {
                                continue;
                            }
                            if known >> bit & 1 == 0 {
                                known |= 1 << bit;
                                between[bit] = triangle.differ([1, 0], words[y], zs, words);
                            }
                            fits &= between[bit];
                            for bit in bits(fits) {
                                whole.push(([all[zs.place(bit)], all[y], all[x]], above.top));
                            }
                        }
                    }
                    if whole.is_empty() {
                        continue;
                    }
                    node.reach.make_room();
                    let barred = barred.get_or_insert_with(|| triangle.barred_above(node));
                    for (labels, above) in whole.drain(..) {
                        let words = node.reach.words(above);
                        let bars = triangle.top_bars(0, node.reach.words(labels[0][1]), words);
                        if !bars && !is_barred(&*barred, words) {
                            triangle.tops(node, labels, above, tops, found, out)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether one of some bars has a word of an edge in its place.
#[inline]
fn is_barred<'b>(bars: impl IntoIterator<Item = &'b [Rank; 2]>, [a, b]: [Rank; 2]) -> bool {
    // All are looked at: a branch for each would cost more.
    bars.into_iter().fold(false, |is, bar| is | (a == bar[0]) | (b == bar[1]))
}

/// For each label the first one with the same ear: those with one follow each other.
fn find_heads(labels: &[Label], heads: &mut [u8; MASK]) {
    let mut first = 0;
    for (at, label) in labels.iter().enumerate() {
        if label[0] != labels[first][0] {
            first = at;
        }
        heads[at] = first as u8;
    }
}

/// For each ear of a chunk, as it is told by the labels' places, which labels have it.
fn find_ears(chunk: Chunk, ear_of: impl Fn(usize) -> u32, ears: &mut Vec<(u32, u64)>) {
    ears.clear();
    for bit in bits(chunk.mask) {
        let ear = ear_of(chunk.place(bit));
        match ears.last_mut() {
            Some((last, mask)) if *last == ear => *mask |= 1 << bit,
            _ => ears.push((ear, 1 << bit)),
        }
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
    fn barred(&self, far: usize) -> Bars {
        let Corner { sign, x, mid, .. } = self.corners[far];
        let (ear, q) = (self.level_without(far), self.q_sign);
        Bars(
            [(sign, x), (sign + q, mid)]
                .map(|(level, words)| Words::new([ear, ear + q].map(|own| bar(own, level, words)))),
        )
    }

    /// Lists the labels of a line that can be in a cube with the corner that is not on it.
    #[inline]
    fn list(&self, far: usize, labels: &[Words], range: Range<usize>, list: &mut Vec<Chunk>) {
        let barred = self.barred(far);
        list.clear();
        for start in range.clone().step_by(MASK) {
            let mask = barred.clear(&labels[start..range.end.min(start + MASK)]);
            if mask != 0 {
                list.push(Chunk { start: start as u32, mask });
            }
        }
    }

    /// What an edge above all three ears cannot have because of what is not on a line.
    fn barred_above(&self, node: &Node<'_>) -> [[Rank; 2]; 8] {
        let (own, q) = (self.level(), self.q_sign);
        let [[a, b], [c, d], [e, f]] =
            self.corners.map(|Corner { sign, x, mid, .. }| [bar(own, sign, x), bar(own, sign + q, mid)]);
        let seed = bar(own, 0, node.view.words(node.view.seed));
        [a, b, c, d, e, f, seed, bar(own, q, node.world.x_words[node.q as usize])]
    }

    /// Of the labels of a line keeps those whose ears' vertices go with the axis of the corner that is not on it.
    #[inline]
    fn span(&self, spans: &Spans, far: usize, vertices: &[u32], list: &mut Vec<Chunk>) {
        if !spans.are_known() {
            return;
        }
        let axis = self.corners[far].axis;
        list.retain_mut(|chunk| {
            for bit in bits(chunk.mask) {
                chunk.mask &= !(u64::from(!spans.has(vertices[chunk.place(bit)], axis)) << bit);
            }
            chunk.mask != 0
        });
    }

    /// A bit for each label of a chunk that can be in a cube with another as far as words go, each being of the line
    /// without one corner.
    #[inline]
    fn differ(&self, fars: [usize; 2], words: Words, chunk: Chunk, labels: &[Words]) -> u64 {
        let [there, back] = fars.map(|far| self.corners[far].sign);
        let Words(own) = words;
        // One place with a word of this label, all others with none.
        let at = |place: u64, word: u64| u64::MAX ^ ((own >> (word * 16) & 0xffff ^ 0xffff) << (place * 16));
        // The other label is on the same level or two higher or lower; see `clash`.
        let bars = match (there - back, self.q_sign > 0) {
            (0, true) => [own, at(1, 2) & at(2, 1)],
            (0, false) => [own, at(0, 3) & at(3, 0)],
            (2, true) => [at(0, 3); 2],
            (2, false) => [at(2, 1); 2],
            (_, true) => [at(3, 0); 2],
            (_, false) => [at(1, 2); 2],
        };
        Bars(bars.map(Words)).clear(chunk.of(labels)) & chunk.mask
    }

    /// The same, and that there are edges beside both ears and beside both tops.
    #[inline]
    fn beside(
        &self,
        node: &mut Node<'_>,
        fars: [usize; 2],
        own: usize,
        chunk: Chunk,
        labels: &Labels,
    ) -> u64 {
        let Labels { labels, words, .. } = labels;
        let mut fits = self.differ(fars, words[own], chunk, words);
        let [there, back] = fars.map(|far| self.corners[far].sign);
        // Each label lacks the axis of its corner: to the other one it is there by its own, and back by the other's.
        let way = Way::Two(there, -back);
        for which in [1, 0] {
            if fits == 0 {
                return 0;
            }
            let row = node.reach(labels[own][which], way);
            for bit in bits(fits) {
                fits &= !(u64::from(!node.reach.has(row, labels[chunk.place(bit)][which])) << bit);
            }
        }
        fits
    }

    /// The edges that may be above two ears, and for each the labels of the third line whose ear it may be above, too.
    fn above(
        &self,
        node: &mut Node<'_>,
        [i, j, k]: [usize; 3],
        ears: [u32; 2],
        thirds: &[(u32, u64)],
        barred: &[[Rank; 2]; 8],
        above: &mut Vec<Above>,
    ) {
        let to = [0, 1].map(|at| node.reach(ears[at], Way::One(self.corners[[i, j][at]].sign)));
        let own = self.level();
        let bars = [0, 1].map(|at| bar(own, self.level_without([i, j][at]), node.reach.words(ears[at])));
        let from = above.len();
        node.reach.common(to, |bit| {
            let words = node.reach.words(bit);
            if !is_barred(barred.iter().chain(&bars), words) {
                above.push(Above { bit, words, thirds: 0 });
            }
        });
        let z_level = self.level_without(k);
        let mut kept = from;
        for at in from..above.len() {
            let mut one = above[at];
            let to_z = node.reach(one.bit, Way::One(-self.corners[k].sign));
            let fits = |&&(ear, _): &&(u32, u64)| {
                node.reach.has(to_z, ear) && !clash(own, one.words, z_level, node.reach.words(ear))
            };
            one.thirds = thirds.iter().filter(fits).fold(0, |mask, (_, labels)| mask | labels);
            if one.thirds != 0 {
                above[kept] = one;
                kept += 1;
            }
        }
        above.truncate(kept);
    }

    /// Whether the tops of two labels have a word that the edge above the ears may not have then.
    #[inline]
    fn tops_bar(&self, [i, j]: [usize; 2], [x, y]: [Words; 2], above: [Rank; 2]) -> bool {
        self.top_bars(i, x.top(), above) || self.top_bars(j, y.top(), above)
    }

    /// Whether the top of a label has one.
    #[inline]
    fn top_bars(&self, far: usize, top: [Rank; 2], above: [Rank; 2]) -> bool {
        clash(self.level(), above, self.level_without(far) + self.q_sign, top)
    }

    /// All cubes of five axes with three labels, all of which fit in pairs, and an edge above their ears.
    fn tops(
        &self,
        node: &mut Node<'_>,
        labels: [Label; 3],
        ear_bit: u32,
        tops: &mut Vec<u32>,
        found: &mut Vec<(Label, Layer)>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Node { view, world, q, .. } = *node;
        let q_sign = self.q_sign;
        let signs = self.corners.map(|corner| corner.sign);
        let to_ear = node.reach(ear_bit, Way::One(q_sign));
        let [to_x, to_y, to_z] = [0, 1, 2].map(|far| node.reach(labels[far][1], Way::One(signs[far])));
        let ear = node.reach.edge(ear_bit);
        tops.clear();
        node.reach.common([to_x, to_y, to_z, to_ear], |top| tops.push(node.reach.edge(top)));
        let edges = labels.map(|label| label.map(|bit| node.reach.edge(bit)));
        for &top in &*tops {
            if !self.is_whole(node, edges, [ear, top]) {
                continue;
            }
            let vertices = self.places.map(|v| world.vertices(q)[v as usize]);
            let [(a, mid_a), (b, mid_b), (c, mid_c)] =
                vertices.map(|vertex| (world.xs[vertex.axis as usize], vertex.mid));
            let [z, y, x] = edges;
            let first = [view.seed, world.xs[q as usize], a, mid_a, b, mid_b, x[0], x[1]];
            let more = [c, mid_c, y[0], y[1], z[0], z[1], ear, top];
            let cube = Cube { cells: [first, more].concat(), signs: [&[q_sign], &signs[..]].concat() };
            cube.give(view, out)?;
            found.push((labels[2], Layer { axis: self.corners[2].axis, cells: Rc::from(more) }));
        }
        Ok(())
    }

    /// Whether the edges above the ears and above the tops make a cube with three labels, which fit in pairs.
    fn is_whole(&self, node: &Node<'_>, labels: [Label; 3], [ear, top]: [u32; 2]) -> bool {
        let &Node { view, world, q, .. } = node;
        let (level, q_sign) = (self.level(), self.q_sign);
        [(ear, level), (top, level + q_sign)].into_iter().all(|(edge, level)| {
            let clear =
                |other_level: i8, other: [Rank; 2]| !clash(level, view.words(edge), other_level, other);
            (0..3).all(|far| {
                let (label, below) = (labels[far], self.level_without(far));
                let Corner { sign, x, mid, .. } = self.corners[far];
                clear(below, view.words(label[0]))
                    && clear(below + q_sign, view.words(label[1]))
                    && clear(sign, x)
                    && clear(sign + q_sign, mid)
            }) && clear(0, view.words(view.seed))
                && clear(q_sign, world.x_words[q as usize])
        }) && view.joined(ear, q_sign, top, level)
            && (0..3).all(|far| {
                let (label, below) = (labels[far], self.level_without(far));
                let sign = self.corners[far].sign;
                view.joined(label[0], sign, ear, below) && view.joined(label[1], sign, top, below + q_sign)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_barred_by_a_word_at_its_place_alone() {
        let words = |ear, top| Words::new([ear, top]);
        let none = words([NONE; 2], [NONE; 2]);
        let labels = [words([1, 2], [3, 4]), words([2, 1], [4, 3]), words([0, 0], [0, 0x7fff])];
        let clear = |one: Words| Bars([one, none]).clear(&labels);
        assert_eq!(clear(none), 0b111);
        assert_eq!(clear(words([2, NONE], [NONE; 2])), 0b101);
        assert_eq!(clear(words([NONE, 2], [NONE; 2])), 0b110);
        assert_eq!(clear(words([0, NONE], [NONE, 3])), 0b001);
        assert_eq!(clear(words([NONE; 2], [3, 0x7fff])), 0b010);
        assert_eq!(clear(words([0xfffe, 0x8000], [0, 0])), 0b011);
        assert_eq!(labels[0].top(), [3, 4]);
    }
}
