//! Cubes of five axes around a seed, from those of four over one node; those of more over one line of them by [`grow`].
//!
//! As in [`five`](crate::search::five): a vertex is a further axis over the node with an edge beside both axes' edges, a
//! cube of four axes a labelled line between two vertices, one of five a triangle of lines whose labels fit. Triangles are
//! told by bit rows of lines, labels that fit by words and by which edges can be reached by two arcs.

use std::ops::Range;
use std::rc::Rc;

use super::grow::{Cube, Layer, Wanted, grow};
use super::world::{Reach, Way, World, has};
use super::{View, clash};
use crate::error::Result;
use crate::results::{Emitter, Rank, bits};
use crate::search::cubes::Tables;
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
}

/// Labels of one line that are looked at together.
const MASK: usize = 64;

/// Bytes for each cube of four axes that is kept: in a list that may be twice as long, as a label, and in lines.
pub(super) const BYTES: u64 = 16 * 2 + 24 + 16;

/// See the [module](self). The space that a thread works in.
#[derive(Debug, Default)]
pub(super) struct Five {
    /// The labels of all lines, line by line.
    labels: Vec<Label>,
    /// The two vertices of each line, and where its labels start.
    lines: Vec<[u32; 2]>,
    starts: Vec<u32>,
    /// For each vertex the later ones that it has lines to, as bits, and how many lines there are before each word.
    rows: Vec<(u64, u32)>,
    row: usize,
    lists: [Vec<Label>; 3],
    /// Edges beside two ears, and beside two tops.
    ears: Vec<u32>,
    tops: Vec<u32>,
    /// The cubes found over one line: the label, and what it has more.
    found: Vec<(Label, Layer)>,
}

impl Five {
    /// All cubes of five or more axes over a node, whose cubes of four axes are `fours`. `false` if there is no room.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn node(
        &mut self,
        view: View<'_>,
        world: &World,
        q: u32,
        fours: &mut [Four],
        reach: &mut Reach,
        sizes: &Sizes,
        stop: &Stop,
        out: &mut Emitter<'_>,
    ) -> Result<bool> {
        if fours.len() < 3 {
            return Ok(true);
        }
        let count = world.vertices(q).len();
        self.row = count.div_ceil(64);
        if count * self.row > sizes.line_words {
            return Ok(false);
        }
        fours.sort_unstable();
        self.load(view, fours, count);
        let mut node = Node { view, world, q, reach, stop };
        for i in 0..self.lines.len() {
            stop.check()?;
            let [a, b] = self.lines[i];
            self.found.clear();
            for word in b as usize / 64..self.row {
                let mut cs =
                    self.rows[a as usize * self.row + word].0 & self.rows[b as usize * self.row + word].0;
                while cs != 0 {
                    let c = word as u32 * 64 + cs.trailing_zeros();
                    cs &= cs - 1;
                    self.triangle(&mut node, [a, b, c], out)?;
                }
            }
            if self.found.len() > 1 && sizes.axes >= 6 {
                self.more(&node, [a, b], sizes, out)?;
            }
        }
        Ok(true)
    }

    /// Cubes of six and more axes over a line.
    fn more(
        &mut self,
        node: &Node<'_>,
        [a, b]: [u32; 2],
        sizes: &Sizes,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Node { view, world, q, stop, .. } = *node;
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

    /// Lines and rows, of sorted cubes.
    fn load(&mut self, view: View<'_>, fours: &[Four], count: usize) {
        self.labels.clear();
        self.labels.extend(fours.iter().map(|&Four { ear, top, .. }| {
            let (ear_words, top_words) = (view.words(ear), view.words(top));
            Label { ear, top, ear_words, top_words }
        }));
        self.lines.clear();
        self.starts.clear();
        self.rows.clear();
        self.rows.resize(count * self.row, (0, 0));
        for (place, four) in (0..).zip(fours) {
            let line = [four.low, four.high];
            if self.lines.last() != Some(&line) {
                self.lines.push(line);
                self.starts.push(place);
                self.rows[four.low as usize * self.row + four.high as usize / 64].0 |= 1 << (four.high % 64);
            }
        }
        self.starts.push(fours.len() as u32);
        let mut before = 0;
        for (bits, lines) in &mut self.rows {
            *lines = before;
            before += bits.count_ones();
        }
    }

    fn line(&self, low: u32, high: u32) -> Range<usize> {
        let (bits, before) = self.rows[low as usize * self.row + high as usize / 64];
        let line = (before + (bits & ((1 << (high % 64)) - 1)).count_ones()) as usize;
        self.starts[line] as usize..self.starts[line + 1] as usize
    }

    /// All cubes of five axes with these vertices.
    fn triangle(&mut self, node: &mut Node<'_>, corners: [u32; 3], out: &mut Emitter<'_>) -> Result<()> {
        let triangle = Triangle::new(node, corners);
        for (far, [low, high]) in [(2, [0, 1]), (1, [0, 2]), (0, [1, 2])] {
            let range = self.line(corners[low], corners[high]);
            let list = &mut self.lists[far];
            list.clear();
            list.extend(self.labels[range].iter().filter(|label| triangle.has_room(far, label)));
            if list.is_empty() {
                return Ok(());
            }
        }
        let lists = std::mem::take(&mut self.lists);
        let result = self.close(node, &triangle, &lists, out);
        self.lists = lists;
        result
    }

    /// All cubes of five axes with labels of these lists, each that of the line without one corner.
    fn close(
        &mut self,
        node: &mut Node<'_>,
        triangle: &Triangle,
        lists: &[Vec<Label>; 3],
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let mut order = [0, 1, 2];
        order.sort_unstable_by_key(|&far| lists[far].len());
        let [i, j, k] = order;
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
                    let mut listed = false;
                    for at in bits(with_y) {
                        let y = &ys[at];
                        if !between[at].0 {
                            between[at] = (true, triangle.beside(node, [j, k], y, zs));
                        }
                        let with_both = with_z & between[at].1;
                        if with_both == 0 {
                            continue;
                        }
                        if !std::mem::replace(&mut listed, true) {
                            self.list_corners(node.view, triangle, i, x);
                        }
                        if self.ears.is_empty() || self.tops.is_empty() {
                            break;
                        }
                        self.fill(node, triangle, order, [x, y], (zs, with_both), out)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Lists the edges that may be above the ears and the tops of a cube with a label.
    fn list_corners(&mut self, view: View<'_>, triangle: &Triangle, far: usize, label: &Label) {
        let lists = [(&mut self.ears, label.ear, 0), (&mut self.tops, label.top, triangle.q_sign)];
        for (list, edge, up) in lists {
            list.clear();
            let above = view.beside(edge, triangle.signs[far], triangle.level(far) + up);
            list.extend(above.filter(|&edge| triangle.fits(view.words(edge), up, far, label)));
        }
    }

    /// All cubes of five axes with two labels, the edges listed for the first, and one of further labels that have their
    /// bits set, all of which fit in pairs.
    fn fill(
        &mut self,
        node: &mut Node<'_>,
        triangle: &Triangle,
        [i, j, k]: [usize; 3],
        [x, y]: [&Label; 2],
        (zs, with_both): (&[Label], u64),
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Self { ears, tops, found, .. } = self;
        let [y_sign, z_sign] = [j, k].map(|far| triangle.signs[far]);
        let to_y = node.row(y.ear, Way::One(y_sign));
        let mut ears = ears.iter().copied().filter(|&ear| has(&to_y, ear)).peekable();
        if ears.peek().is_none() {
            return Ok(());
        }
        let to_y = node.row(y.top, Way::One(y_sign));
        for top in tops.iter().copied().filter(|&top| has(&to_y, top)) {
            let to_top = node.row(top, Way::One(-triangle.q_sign));
            for ear in ears.clone().filter(|&ear| has(&to_top, ear)) {
                let [to_ear, to_top] = [ear, top].map(|edge| node.row(edge, Way::One(-z_sign)));
                let labels = bits(with_both).map(|at| &zs[at]);
                for z in labels.filter(|z| has(&to_ear, z.ear) && has(&to_top, z.top)) {
                    let mut labels = [Label::default(); 3];
                    (labels[i], labels[j], labels[k]) = (*x, *y, *z);
                    if let Some(cube) = triangle.cube(node, labels, [ear, top]) {
                        cube.give(node.view, out)?;
                        let cells = Rc::from(&cube.cells[8..]);
                        found.push((labels[2], Layer { axis: triangle.axes[2], cells }));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Three vertices over a node.
struct Triangle {
    axes: [u32; 3],
    xs: [u32; 3],
    mids: [u32; 3],
    signs: [i8; 3],
    q_sign: i8,
    /// Levels and words of the seed, the node's edge, and of the edges of the vertices.
    around: [(i8, [Rank; 2]); 8],
}

impl Triangle {
    fn new(node: &Node<'_>, corners: [u32; 3]) -> Self {
        let (view, world) = (node.view, node.world);
        let vertices = corners.map(|v| world.vertices(node.q)[v as usize]);
        let axes = vertices.map(|v| v.axis);
        let signs = axes.map(|axis| world.signs[axis as usize]);
        let q_sign = world.signs[node.q as usize];
        let around = [
            (0, view.words(view.seed)),
            (q_sign, world.x_words[node.q as usize]),
            (signs[0], world.x_words[axes[0] as usize]),
            (signs[1], world.x_words[axes[1] as usize]),
            (signs[2], world.x_words[axes[2] as usize]),
            (q_sign + signs[0], view.words(vertices[0].mid)),
            (q_sign + signs[1], view.words(vertices[1].mid)),
            (q_sign + signs[2], view.words(vertices[2].mid)),
        ];
        let xs = axes.map(|axis| world.xs[axis as usize]);
        Self { axes, xs, mids: vertices.map(|v| v.mid), signs, q_sign, around }
    }

    /// The level of the ears of the line without a corner.
    fn level(&self, far: usize) -> i8 {
        self.signs.iter().sum::<i8>() - self.signs[far]
    }

    /// Whether a label can be in a cube with the corner that is not on its line, as far as words go.
    #[inline]
    fn has_room(&self, far: usize, label: &Label) -> bool {
        let (ear, top) = (label.ear_words, label.top_words);
        let level = self.level(far);
        [self.around[2 + far], self.around[5 + far]].iter().all(|&(other_level, other)| {
            !clash(level, ear, other_level, other) && !clash(level + self.q_sign, top, other_level, other)
        })
    }

    /// A bit for each of `others` that can be in a cube with `label`, each being of the line without one corner: as far as
    /// words go, and that there are edges beside both ears and beside both tops.
    #[inline]
    fn beside(&self, node: &mut Node<'_>, fars: [usize; 2], label: &Label, others: &[Label]) -> u64 {
        let [low, other_low] = fars.map(|far| self.level(far));
        let (high, other_high) = (low + self.q_sign, other_low + self.q_sign);
        let mut fits = 0u64;
        for (i, other) in others.iter().enumerate() {
            let clashes = clash(low, label.ear_words, other_low, other.ear_words)
                || clash(high, label.top_words, other_high, other.top_words)
                || clash(low, label.ear_words, other_high, other.top_words)
                || clash(high, label.top_words, other_low, other.ear_words);
            fits |= u64::from(!clashes) << i;
        }
        if fits == 0 {
            return 0;
        }
        // Each label lacks the axis of its corner: to the other one it is there by its own, and back by the other's.
        let way = Way::Two(self.signs[fars[0]], -self.signs[fars[1]]);
        let (ears, tops) = (node.row(label.ear, way), node.row(label.top, way));
        bits(fits)
            .filter(|&i| has(&tops, others[i].top) && has(&ears, others[i].ear))
            .fold(0, |mask, i| mask | 1 << i)
    }

    /// Whether an edge with these words may be above the ears, or above the tops (by `up`), of a label as far as words go.
    #[inline]
    fn fits(&self, words: [Rank; 2], up: i8, far: usize, label: &Label) -> bool {
        let (level, below) = (self.signs.iter().sum::<i8>() + up, self.level(far));
        !clash(level, words, below, label.ear_words)
            && !clash(level, words, below + self.q_sign, label.top_words)
            && self.around.iter().all(|&(other_level, other)| !clash(level, words, other_level, other))
    }

    /// The cube with these labels and these edges above their ears and their tops, if it is one.
    fn cube(&self, node: &Node<'_>, labels: [Label; 3], [ear, top]: [u32; 2]) -> Option<Cube> {
        let (view, q_sign) = (node.view, self.q_sign);
        let joined = labels.iter().enumerate().all(|(far, label)| {
            let (sign, level) = (self.signs[far], self.level(far));
            view.joined(label.ear, sign, ear, level) && view.joined(label.top, sign, top, level + q_sign)
        });
        if !joined || !view.joined(ear, q_sign, top, self.signs.iter().sum()) {
            return None;
        }
        let ([a, b, c], [mid_a, mid_b, mid_c], [z, y, x]) = (self.xs, self.mids, labels);
        let first = [view.seed, node.world.xs[node.q as usize], a, mid_a, b, mid_b, x.ear, x.top];
        let more = [c, mid_c, y.ear, y.top, z.ear, z.top, ear, top];
        let [a, b, c] = self.signs;
        let cube = Cube { cells: [first, more].concat(), signs: vec![q_sign, a, b, c] };
        cube.shells_differ(view).then_some(cube)
    }
}

/// A node and what is needed to look around in it.
struct Node<'n> {
    view: View<'n>,
    world: &'n World,
    q: u32,
    reach: &'n mut Reach,
    stop: &'n Stop,
}

impl Node<'_> {
    fn row(&mut self, edge: u32, way: Way) -> Rc<[u64]> {
        let Tables { graph, arcs, .. } = self.view.tables;
        self.reach.row(arcs, graph.edges(), edge, way)
    }
}
