//! Cubes of five axes, from the 2x2x2x2 of one node; cubes of more axes are left to the plain search.
//!
//! Over the square of a node, a 2x2x2 is a *vertex* (a third axis `r` with the edge `M` above it and the node), a
//! 2x2x2x2 is a labelled line between two vertices (label: the right ear, the top edge). A 2x2x2x2x2 is three vertices
//! with three labels that fit each other, an edge above the three ears and one above the three tops. Few lines lie in
//! such a triangle, so the work is to throw the others out early: by bit rows of neighbours, then by words that must
//! differ, then by rows of edges.
//!
//! Memory: about 60 bytes for each 2x2x2x2 of the node, and two bits for each pair of vertices.

use std::cell::RefCell;

use super::cubes::{Tables, Unit};
use super::orderly::{Orderly, Sink};
use super::rows::RowMaker;
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
struct Vertex {
    number: u32,
    x: [Rank; 2],
    mid: [Rank; 2],
}

#[derive(Debug, Clone, Copy, Default)]
struct Label {
    ear: u32,
    top: u32,
    ear_words: [Rank; 2],
    top_words: [Rank; 2],
    place: u32,
}

/// A cube of five axes over a line.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// The place of the line's label.
    place: u32,
    /// The last vertex.
    vertex: u32,
    /// Its topmost edges that are above the last vertex.
    edges: [u32; 4],
    cells: [Rank; 32],
}

/// Vertices of a line, as bits, with the number of lines before.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    bits: u64,
    before: u32,
}

/// Labels of one line that are looked at together.
const MASK: usize = 64;

const DIMS: [u32; 5] = [2; 5];

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
    rows: Vec<Word>,
    row: usize,
    starts: Vec<u32>,
    lists: [Vec<Label>; 3],
    /// Cubes found over one line.
    found: Vec<Found>,
}

impl Five {
    pub(super) fn new(sizes: Sizes) -> Self {
        Self { sizes, ..Self::default() }
    }

    /// All cubes of five or more axes over the node `q`, whose cubes of four axes are `fours`.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn node(
        &mut self,
        tables: &Tables<'_>,
        unit: &Unit,
        q: u32,
        fours: &mut Vec<Four>,
        stop: &Stop,
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
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
            return plainly(unit, q, orderly, out);
        }
        self.sort(tables, fours);
        self.found.clear();
        for a in 0..count {
            stop.check()?;
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
                            self.triangle(tables, unit, q, [a, b, c], out)?;
                        }
                    }
                    self.six(tables, orderly, out)?;
                }
            }
        }
        Ok(())
    }

    /// Gives the memory of a large node back.
    pub(super) fn shrink(&mut self) {
        self.by_high = Vec::new();
        self.labels = Vec::new();
        self.rows = Vec::new();
        self.starts = Vec::new();
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
            let mid = tables.graph.words_of(unit.mid_of(vertex));
            self.vertices.push(Vertex { number: number as u32, x: unit.x_words[axis as usize], mid });
        }
    }

    /// Sorts the lines by both vertices and makes their bit rows.
    fn sort(&mut self, tables: &Tables<'_>, fours: &mut Vec<Four>) {
        let count = self.vertices.len();
        let Self { dense, by_high, labels, counts, rows, row, starts, .. } = self;
        for four in fours.iter_mut() {
            four.low = dense[four.low as usize];
            four.high = dense[four.high as usize];
        }
        counting_sort(fours, by_high, counts, count, |f| f.high);
        counting_sort(by_high, fours, counts, count, |f| f.low);
        let by_line = fours;

        rows.clear();
        rows.resize(count * *row, Word::default());
        starts.clear();
        let mut last = None;
        labels.clear();
        labels.reserve_exact(by_line.len());
        for (place, four) in by_line.iter().enumerate() {
            if last != Some((four.low, four.high)) {
                last = Some((four.low, four.high));
                rows[four.low as usize * *row + four.high as usize / 64].bits |= 1 << (four.high % 64);
                starts.push(place as u32);
            }
            let Four { ear, top, .. } = *four;
            let (ear_words, top_words) = (tables.graph.words_of(ear), tables.graph.words_of(top));
            labels.push(Label { ear, top, ear_words, top_words, place: place as u32 });
        }
        starts.push(by_line.len() as u32);
        let mut before = 0;
        for word in rows {
            word.before = before;
            before += word.bits.count_ones();
        }
    }

    /// The labels of a line.
    #[inline]
    fn line(&self, low: usize, high: usize) -> std::ops::Range<usize> {
        let word = self.rows[low * self.row + high / 64];
        let slot = (word.before + (word.bits & ((1 << (high % 64)) - 1)).count_ones()) as usize;
        self.starts[slot] as usize..self.starts[slot + 1] as usize
    }

    /// All cubes of five axes with these vertices.
    fn triangle(
        &mut self,
        tables: &Tables<'_>,
        unit: &Unit,
        q: u32,
        corners: [usize; 3],
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let [a, b, c] = corners.map(|i| self.vertices[i]);
        let lines = [
            (self.line(corners[0], corners[1]), c),
            (self.line(corners[0], corners[2]), b),
            (self.line(corners[1], corners[2]), a),
        ];
        for (i, (line, far)) in lines.into_iter().enumerate() {
            self.lists[i].clear();
            for label in &self.labels[line] {
                // Shell 2: the far vertex' two edges. Shell 3: its middle edge.
                let clashes = label.ear_words[0] == far.x[1]
                    || label.ear_words[0] == far.mid[0]
                    || label.ear_words[1] == far.mid[1]
                    || label.top_words[0] == far.mid[1];
                if !clashes {
                    self.lists[i].push(*label);
                }
            }
            if self.lists[i].is_empty() {
                return Ok(());
            }
        }
        let lists = std::mem::take(&mut self.lists);
        let mut result = Ok(());
        'all: for ys in lists[1].chunks(MASK) {
            for zs in lists[2].chunks(MASK) {
                result = self.fit(tables, unit, q, [a, b, c], [&lists[0], ys, zs], out);
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
        tables: &Tables<'_>,
        unit: &Unit,
        q: u32,
        vertices: [Vertex; 3],
        [xs, ys, zs]: [&[Label]; 3],
        out: &mut Emitter<'_>,
    ) -> Result<()> {
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
                    self.close(tables, unit, q, vertices, [x, y, z], out)?;
                }
            }
        }
        Ok(())
    }

    /// All cubes of five axes with these three labels, which fit in pairs.
    fn close(
        &mut self,
        tables: &Tables<'_>,
        unit: &Unit,
        q: u32,
        vertices: [Vertex; 3],
        labels: [&Label; 3],
        out: &mut Emitter<'_>,
    ) -> Result<()> {
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
                    edges: [y.top, z.top, corner, top],
                    cells,
                });
            }
        }
        Ok(())
    }

    /// All cubes of six and more axes over one line, whose cubes of five axes were found: what has six is over two of
    /// them that share their first four.
    fn six(&mut self, tables: &Tables<'_>, orderly: &mut Orderly<'_>, out: &mut Emitter<'_>) -> Result<()> {
        let Self { found, maker, rows, row, sizes, .. } = self;
        found.sort_unstable_by_key(|f| (f.place, f.vertex));
        let maker = RefCell::new(maker);
        for group in found.chunk_by(|f, g| f.place == g.place) {
            if group[0].vertex == group[group.len() - 1].vertex {
                continue;
            }
            let base = &group[0].cells[..16];
            let layers: Vec<&[Rank]> = group.iter().map(|f| &f.cells[16..]).collect();
            // A line between the vertices, and an edge above each two of the topmost edges.
            let joinable = |i: usize, j: usize| {
                let (a, b) = (&group[i], &group[j]);
                rows[a.vertex as usize * *row + b.vertex as usize / 64].bits >> (b.vertex % 64) & 1 == 1
                    && a.edges
                        .iter()
                        .zip(&b.edges)
                        .all(|(&e, &f)| tables.rows.row(e, &mut maker.borrow_mut()).has(f))
            };
            let sink: Sink<'_> = &mut |dims, cells| out.single(dims, cells);
            orderly.join_layers(&DIMS[..4], base, &layers, &joinable, sizes.fives * 32, sink)?;
        }
        found.clear();
        Ok(())
    }
}

/// All cubes of five or more axes over the node `q` by the plain search, for nodes with too many cubes to keep.
pub(super) fn plainly(unit: &Unit, q: u32, orderly: &mut Orderly<'_>, out: &mut Emitter<'_>) -> Result<()> {
    let square = [unit.origin, unit.x_words[q as usize]];
    orderly.cubes_from(square.as_flattened(), &mut |dims, cells| {
        if dims.len() >= 5 { out.single(dims, cells) } else { Ok(()) }
    })
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

fn counting_sort(
    from: &[Four],
    to: &mut Vec<Four>,
    counts: &mut Vec<u32>,
    keys: usize,
    key: impl Fn(&Four) -> u32,
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
    to.resize(from.len(), Four::default());
    for four in from {
        let next = &mut counts[key(four) as usize];
        to[*next as usize] = *four;
        *next += 1;
    }
}
