//! Cubes of five axes, from the 2x2x2x2 of one node; [`super::six`] finds those of more axes over one line of them.
//!
//! Over the square of a node, a 2x2x2 is a *vertex* (a third axis `r` with the edge `M` above it and the node), a
//! 2x2x2x2 is a labelled line between two vertices (label: the right ear, the top edge). A 2x2x2x2x2 is three vertices
//! with three labels that fit each other, an edge above the three ears and one above the three tops. Few lines lie in
//! such a triangle, so the work is to throw the others out early: by bit rows of neighbours, then by words that must
//! differ, then by rows of edges.
//!
//! Memory: about 60 bytes for each 2x2x2x2 of the node, and two bits for each pair of vertices.

use super::cubes::{Done, Node, Tables, Unit};
use super::orderly::Orderly;
use super::ranked::{self, Ranked};
use super::rows::{Row, RowMaker};
use super::six::{Found, Six};
use super::{Sizes, Stop};
use crate::error::Result;
use crate::results::{Emitter, Rank};

/// A 2x2x2x2 over a node: its two vertices, and its label.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Four {
    pub(super) low: u32,
    pub(super) high: u32,
    pub(super) ear: u32,
    pub(super) top: u32,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Vertex {
    number: u32,
    pub(super) axis: u32,
    /// Its middle edge.
    pub(super) edge: u32,
    x: [Rank; 2],
    mid: [Rank; 2],
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Label {
    pub(super) ear: u32,
    pub(super) top: u32,
    pub(super) ear_words: [Rank; 2],
    pub(super) top_words: [Rank; 2],
    place: u32,
}

impl Label {
    /// Whether a cube over the label's line cannot have this vertex too, as a shell would have a word twice.
    #[inline]
    pub(super) fn clashes(&self, far: &Vertex) -> bool {
        // Shell 2: the far vertex' two edges. Shell 3: its middle edge.
        self.ear_words[0] == far.x[1]
            || self.ear_words[0] == far.mid[0]
            || self.ear_words[1] == far.mid[1]
            || self.top_words[0] == far.mid[1]
    }
}

/// Labels of one line that are looked at together.
const MASK: usize = 64;

const DIMS: [u32; 5] = [2; 5];

/// Cubes of four axes for which the memory to sort them is kept from node to node.
const KEPT: usize = 1 << 12;

/// The space that a thread works in.
#[derive(Debug, Default)]
pub(super) struct Five {
    sizes: Sizes,
    maker: RowMaker,
    dense: Vec<u32>,
    used: Vec<u32>,
    vertices: Vec<Vertex>,
    by_high: Vec<Four>,
    /// The labels of all lines, line by line.
    labels: Vec<Label>,
    counts: Vec<u32>,
    /// The two vertices of each line, and where its labels start.
    lines: Vec<[u32; 2]>,
    starts: Vec<u32>,
    rows: Vec<Ranked>,
    row: usize,
    lists: [Vec<Label>; 3],
    /// Cubes found over one line.
    found: Vec<Found>,
    six: Six,
}

impl Five {
    pub(super) fn new(sizes: Sizes) -> Self {
        Self { sizes, ..Self::default() }
    }

    /// All cubes of five or more axes over a node, whose cubes of four axes are `fours`.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn node(
        &mut self,
        node: Node<'_>,
        fours: &mut Vec<Four>,
        stop: &Stop,
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
        done: Done<'_>,
    ) -> Result<()> {
        let Node { tables, unit, .. } = node;
        if fours.len() < 3 {
            return Ok(());
        }
        self.number_vertices(tables, unit, fours);
        let count = self.vertices.len();
        self.row = count.div_ceil(64);
        if count < 3 {
            return Ok(());
        }
        if count * self.row > self.sizes.line_words {
            return self.slice(node, fours, stop, orderly, out, done);
        }
        self.sort(tables, fours);
        self.make_rows();
        self.found.clear();
        for a in 0..count {
            stop.check()?;
            done(0, out);
            for i in a / 64..self.row {
                let mut bs = self.rows[a * self.row + i].bits;
                while bs != 0 {
                    let b = i * 64 + bs.trailing_zeros() as usize;
                    bs &= bs - 1;
                    for j in b / 64..self.row {
                        let mut cs = self.rows[a * self.row + j].bits & self.rows[b * self.row + j].bits;
                        while cs != 0 {
                            let c = j * 64 + cs.trailing_zeros() as usize;
                            cs &= cs - 1;
                            self.triangle(node, [a, b, c], out)?;
                        }
                    }
                    self.six(node, [a, b], orderly, out)?;
                }
            }
        }
        Ok(())
    }

    /// All cubes of five or more axes over a node whose lowest vertex is that of one of `fours`: all cubes of four
    /// axes with these lowest vertices. The third line of a triangle need not be among them: its labels are made when the
    /// other two fit.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn slice(
        &mut self,
        node: Node<'_>,
        fours: &mut Vec<Four>,
        stop: &Stop,
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
        done: Done<'_>,
    ) -> Result<()> {
        let Node { tables, unit, .. } = node;
        if fours.len() < 2 {
            return Ok(());
        }
        self.number_vertices(tables, unit, fours);
        self.sort(tables, fours);
        self.found.clear();
        let mut from = 0;
        while from < self.lines.len() {
            let a = self.lines[from][0];
            let to = from + self.lines[from..].partition_point(|line| line[0] == a);
            for i in from..to {
                stop.check()?;
                done(0, out);
                let b = self.vertices[self.lines[i][1] as usize];
                let beside_mid = tables.rows.row(b.edge, &mut self.maker);
                let beside_x = tables.rows.row(unit.xs[b.axis as usize], &mut self.maker);
                for j in i + 1..to {
                    let c = self.vertices[self.lines[j][1] as usize];
                    // What a line between the two needs at least.
                    if unit.differ(b.axis, c.axis)
                        && beside_mid.has(c.edge)
                        && beside_x.has(unit.xs[c.axis as usize])
                    {
                        self.open_triangle(node, [i, j], [&beside_mid, &beside_x], out)?;
                    }
                }
                let ends = self.lines[i].map(|v| v as usize);
                self.six(node, ends, orderly, out)?;
            }
            from = to;
        }
        Ok(())
    }

    /// All cubes of six and more axes over the line between these vertices, whose cubes of five axes were found.
    fn six(
        &mut self,
        node: Node<'_>,
        ends: [usize; 2],
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Self { six, found, maker, vertices, sizes, .. } = self;
        if found.len() < 2 {
            found.clear();
            return Ok(());
        }
        six.all(node, vertices, ends, found, maker, sizes, orderly, out)
    }

    /// Gives the memory of a large node back.
    pub(super) fn shrink(&mut self) {
        self.labels = Vec::new();
        self.lines = Vec::new();
        self.starts = Vec::new();
        self.rows = Vec::new();
    }

    /// Numbers the vertices in use by axis, so that a line goes from the smaller number to the greater.
    fn number_vertices(&mut self, tables: &Tables<'_>, unit: &Unit, fours: &[Four]) {
        for vertex in self.used.drain(..) {
            self.dense[vertex as usize] = 0;
        }
        self.dense.resize(unit.below.len().max(self.dense.len()), 0);
        for four in fours {
            for vertex in [four.low, four.high] {
                let seen = &mut self.dense[vertex as usize];
                if *seen == 0 {
                    *seen = 1;
                    self.used.push(vertex);
                }
            }
        }
        self.used.sort_unstable_by_key(|&v| (unit.below[v as usize], v));
        self.vertices.clear();
        for (number, &vertex) in self.used.iter().enumerate() {
            self.dense[vertex as usize] = number as u32;
            let axis = unit.below[vertex as usize];
            let edge = unit.mid_of(vertex);
            let (x, mid) = (unit.x_words[axis as usize], tables.graph.words_of(edge));
            self.vertices.push(Vertex { number: number as u32, axis, edge, x, mid });
        }
    }

    /// Sorts the labels by the lines that they are on.
    fn sort(&mut self, tables: &Tables<'_>, fours: &mut Vec<Four>) {
        let count = self.vertices.len();
        let Self { dense, by_high, labels, counts, lines, starts, .. } = self;
        for four in fours.iter_mut() {
            four.low = dense[four.low as usize];
            four.high = dense[four.high as usize];
        }
        counting_sort(fours, by_high, counts, count, |f| f.high);
        counting_sort(by_high, fours, counts, count, |f| f.low);
        by_high.clear();
        by_high.shrink_to(KEPT);

        starts.clear();
        lines.clear();
        labels.clear();
        labels.reserve_exact(fours.len());
        for (place, four) in fours.iter().enumerate() {
            let line = [four.low, four.high];
            if lines.last() != Some(&line) {
                if lines.len() == lines.capacity() {
                    let more = (lines.len() / 4).max(64).min(fours.len() - lines.len());
                    lines.reserve_exact(more);
                    starts.reserve_exact(more + 1);
                }
                lines.push(line);
                starts.push(place as u32);
            }
            let Four { ear, top, .. } = *four;
            let (ear_words, top_words) = (tables.graph.words_of(ear), tables.graph.words_of(top));
            labels.push(Label { ear, top, ear_words, top_words, place: place as u32 });
        }
        starts.push(fours.len() as u32);
    }

    /// The bit rows of the lines.
    fn make_rows(&mut self) {
        let Self { vertices, lines, rows, row, .. } = self;
        rows.clear();
        rows.resize(vertices.len() * *row, Ranked::default());
        for [low, high] in lines {
            ranked::insert(&mut rows[*low as usize * *row..], *high);
        }
        ranked::count(rows, 0);
    }

    /// The labels of a line.
    #[inline]
    fn line(&self, low: usize, high: usize) -> std::ops::Range<usize> {
        let slot = ranked::place(&self.rows[low * self.row..], high as u32);
        self.starts[slot] as usize..self.starts[slot + 1] as usize
    }

    /// All cubes of five axes with these vertices.
    fn triangle(&mut self, node: Node<'_>, corners: [usize; 3], out: &mut Emitter<'_>) -> Result<()> {
        let [a, b, c] = corners.map(|i| self.vertices[i]);
        let lines = [
            (self.line(corners[0], corners[1]), c),
            (self.line(corners[0], corners[2]), b),
            (self.line(corners[1], corners[2]), a),
        ];
        for (i, (line, far)) in lines.into_iter().enumerate() {
            self.list(i, line, &far);
            if self.lists[i].is_empty() {
                return Ok(());
            }
        }
        self.fit_lists(node, [a, b, c], out)
    }

    /// All cubes of five axes with the vertices of two lines from one vertex, given by the lines' places and by what is
    /// beside the second vertex' middle edge and axis.
    fn open_triangle(
        &mut self,
        node: Node<'_>,
        [i, j]: [usize; 2],
        beside_b: [&Row; 2],
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Node { tables, .. } = node;
        let [a, b] = self.lines[i].map(|v| self.vertices[v as usize]);
        let c = self.vertices[self.lines[j][1] as usize];
        self.list(0, self.starts[i] as usize..self.starts[i + 1] as usize, &c);
        self.list(1, self.starts[j] as usize..self.starts[j + 1] as usize, &b);
        let Self { lists, maker, .. } = self;
        let [xs, ys, zs] = lists;
        if !ys.chunks(MASK).any(|ys| xs.iter().any(|x| beside(tables, maker, x, ys) != 0)) {
            return Ok(());
        }
        labels_between(node, [&b, &c], beside_b, zs);
        zs.retain(|label| !label.clashes(&a));
        if zs.is_empty() {
            return Ok(());
        }
        self.fit_lists(node, [a, b, c], out)
    }

    /// Puts the labels of a line that can go with the vertex that is not on it into one of the lists.
    #[inline]
    fn list(&mut self, i: usize, line: std::ops::Range<usize>, far: &Vertex) {
        let Self { lists, labels, .. } = self;
        lists[i].clear();
        lists[i].extend(labels[line].iter().filter(|label| !label.clashes(far)));
    }

    fn fit_lists(&mut self, node: Node<'_>, vertices: [Vertex; 3], out: &mut Emitter<'_>) -> Result<()> {
        let lists = std::mem::take(&mut self.lists);
        let mut result = Ok(());
        'all: for ys in lists[1].chunks(MASK) {
            for zs in lists[2].chunks(MASK) {
                result = self.fit(node, vertices, [&lists[0], ys, zs], out);
                if result.is_err() {
                    break 'all;
                }
            }
        }
        self.lists = lists;
        result
    }

    /// All cubes of five axes with labels of these lists, the second and third of at most 64.
    fn fit(
        &mut self,
        node: Node<'_>,
        vertices: [Vertex; 3],
        [xs, ys, zs]: [&[Label]; 3],
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Node { tables, .. } = node;
        let mut between = [(false, 0u64); MASK];
        for x in xs {
            let with_y = beside(tables, &mut self.maker, x, ys);
            if with_y == 0 {
                continue;
            }
            let with_z = beside(tables, &mut self.maker, x, zs);
            if with_z == 0 {
                continue;
            }
            let mut rest_y = with_y;
            while rest_y != 0 {
                let i = rest_y.trailing_zeros() as usize;
                rest_y &= rest_y - 1;
                let y = &ys[i];
                if !between[i].0 {
                    between[i] = (true, beside(tables, &mut self.maker, y, zs));
                }
                let mut rest_z = with_z & between[i].1;
                while rest_z != 0 {
                    let z = &zs[rest_z.trailing_zeros() as usize];
                    rest_z &= rest_z - 1;
                    self.close(node, vertices, [x, y, z], out)?;
                }
            }
        }
        Ok(())
    }

    /// All cubes of five axes with these three labels, which fit in pairs.
    fn close(
        &mut self,
        node: Node<'_>,
        vertices: [Vertex; 3],
        labels: [&Label; 3],
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Node { tables, unit, q } = node;
        let Tables { graph, arcs, rows, .. } = tables;
        let [x, y, z] = labels;
        let ears = rows.row(x.ear, &mut self.maker);
        let tops = rows.row(x.top, &mut self.maker);
        for &place in ears.places(ears.slot(y.ear)) {
            let corner = arcs.up.of(x.ear)[place as usize];
            let v = graph.words_of(corner);
            // Shell 3: the corner above the ears, the middle edges, the tops. Shell 4: corner and tops.
            let clashes = vertices.iter().any(|w| w.mid[1] == v[0])
                || labels.iter().any(|l| l.top_words[0] == v[0] || l.top_words[1] == v[1]);
            if clashes || !graph.arc(z.ear_words, v) {
                continue;
            }
            for &place in tops.places(tops.slot(y.top)) {
                let top = arcs.up.of(x.top)[place as usize];
                let t = graph.words_of(top);
                if !graph.arc(z.top_words, t) || !graph.arc(v, t) {
                    continue;
                }
                let [a, b, c] = vertices;
                let edges = [
                    unit.origin,
                    unit.x_words[q as usize],
                    a.x,
                    a.mid,
                    b.x,
                    b.mid,
                    x.ear_words,
                    x.top_words,
                    c.x,
                    c.mid,
                    y.ear_words,
                    y.top_words,
                    z.ear_words,
                    z.top_words,
                    v,
                    t,
                ];
                let mut cells = [0; 32];
                cells.copy_from_slice(edges.as_flattened());
                out.single(&DIMS, &cells)?;
                self.found.push(Found {
                    place: x.place,
                    vertex: c.number,
                    edges: [y.ear, z.ear, y.top, z.top, corner, top],
                    cells,
                });
            }
        }
        Ok(())
    }
}

/// All cubes of five or more axes over a node whose lowest vertex is this one by the plain search, for vertices with
/// too many cubes of four axes to keep.
pub(super) fn plainly_over(
    node: Node<'_>,
    [x, mid]: [[Rank; 2]; 2],
    orderly: &mut Orderly<'_>,
    out: &mut Emitter<'_>,
) -> Result<()> {
    let Node { unit, q, .. } = node;
    let cube = [unit.origin, unit.x_words[q as usize], x, mid];
    orderly.cubes_from(cube.as_flattened(), &mut |dims, cells| {
        if dims.len() >= 5 { out.single(dims, cells) } else { Ok(()) }
    })
}

/// The labels of the line between two vertices over a node: what [`super::cubes`] finds for the middle edge of the
/// lower one. Given are the rows of that edge and of its axis, both of which have what they should of the higher vertex.
pub(super) fn labels_between(
    node: Node<'_>,
    [low, high]: [&Vertex; 2],
    [beside_mid, beside_x]: [&Row; 2],
    labels: &mut Vec<Label>,
) {
    let Node { tables, unit, q } = node;
    let Tables { graph, arcs, .. } = tables;
    labels.clear();
    // Shell 2: each middle edge with the axis that it is not above.
    if high.x[1] == low.mid[0] || high.mid[0] == low.x[1] {
        return;
    }
    let over_x = arcs.up.of(unit.xs[low.axis as usize]);
    let over_mid = arcs.up.of(low.edge);
    let over_both = beside_mid.places(beside_mid.slot(high.edge));
    let q_top = unit.x_words[q as usize][1];
    for &place in beside_x.places(beside_x.slot(unit.xs[high.axis as usize])) {
        let ear = over_x[place as usize];
        let ear_words = graph.words_of(ear);
        // Shells 2 and 3: with the second axis, and the two ears.
        let clashes = ear_words[0] == q_top || ear_words[0] == high.mid[0] || ear_words[1] == high.mid[1];
        if clashes || !beside_mid.has(ear) {
            continue;
        }
        let over_ear = beside_mid.places(beside_mid.slot(ear));
        let mut rest = over_both;
        for &place in over_ear {
            while rest.first().is_some_and(|&other| other < place) {
                rest = &rest[1..];
            }
            if rest.first() == Some(&place) {
                let top = over_mid[place as usize];
                labels.push(Label { ear, top, ear_words, top_words: graph.words_of(top), place: 0 });
            }
        }
    }
}

/// A bit for each of `others` that can be in a cube with `label` on the line beside.
#[inline]
fn beside(tables: &Tables<'_>, maker: &mut RowMaker, label: &Label, others: &[Label]) -> u64 {
    let mut fits = 0u64;
    for (i, other) in others.iter().enumerate() {
        // Shells 2 to 4: ears and tops.
        let differ = label.ear_words[0] != other.ear_words[0]
            && label.ear_words[1] != other.ear_words[1]
            && label.top_words[0] != other.top_words[0]
            && label.top_words[1] != other.top_words[1]
            && label.top_words[0] != other.ear_words[1]
            && label.ear_words[1] != other.top_words[0];
        fits |= u64::from(differ) << i;
    }
    if fits == 0 {
        return 0;
    }
    let ears = tables.rows.row(label.ear, maker);
    let tops = tables.rows.row(label.top, maker);
    let mut rest = fits;
    while rest != 0 {
        let i = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        if !tops.has(others[i].top) || !ears.has(others[i].ear) {
            fits &= !(1 << i);
        }
    }
    fits
}

/// Sorts by a key below `keys`; what has equal keys stays in order.
pub(super) fn counting_sort<T: Copy + Default>(
    from: &[T],
    to: &mut Vec<T>,
    counts: &mut Vec<u32>,
    keys: usize,
    key: impl Fn(&T) -> u32,
) {
    counts.clear();
    counts.resize(keys + 1, 0);
    for four in from {
        counts[key(four) as usize + 1] += 1;
    }
    for i in 0..keys {
        counts[i + 1] += counts[i];
    }
    to.clear();
    to.resize(from.len(), T::default());
    for four in from {
        let next = &mut counts[key(four) as usize];
        to[*next as usize] = *four;
        *next += 1;
    }
}
