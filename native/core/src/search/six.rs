//! Cubes of six and more axes: what has six is over two cubes of five that share their first four, that is, a line with
//! its label, and differ in the last vertex.
//!
//! Many cubes of five can lie over one line, and hardly any two of them fit. Two last vertices have a line between them,
//! and with each end of the line below they make a triangle, whose cubes of five there must be too. These depend on the
//! labels alone, of which there are far fewer than cubes: so a table says for each two labels from one end which labels
//! between the last vertices make a cube of five with them. Two cubes fit if both ends' tables name one such label, and
//! there is an edge above each two of their edges. Only for those is the plain search asked to fill the corner.
//!
//! Memory: eight bytes for each cube of five over one line, and tables of at most [`TABLE`] words; lines that need more
//! do without.

use std::ops::Range;

use super::Sizes;
use super::cubes::{Node, Tables};
use super::five::{Label, Vertex, labels_between};
use super::orderly::{Joinable, Orderly, Sink};
use super::rows::RowMaker;
use crate::error::Result;
use crate::results::{Emitter, Rank};

/// A cube of five axes over a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// The place of the line's label.
    pub(super) place: u32,
    /// The last vertex.
    pub(super) vertex: u32,
    /// The ears and tops of its two lines to the last vertex, the edge above its three ears, and that above its tops.
    pub(super) edges: [u32; 6],
    pub(super) cells: [Rank; 32],
}

/// Labels between two vertices that have a bit of their own; the last bit stands for all further ones and fits always.
const LABELS: usize = 63;

/// Words of a table.
const TABLE: usize = 1 << 17;

/// The labels from one end of the line to the last vertices, vertex by vertex.
#[derive(Debug, Default)]
struct Side {
    /// Distinct labels of each run, ascending, run after run; and where each run's start.
    labels: Vec<[u32; 2]>,
    starts: Vec<usize>,
    /// For each cube of five its label's place.
    places: Vec<u32>,
    /// For each label of the current run, for each label: which labels between the two vertices fit both, as bits.
    fits: Vec<u64>,
}

/// See the [module](self). The space that a thread works in.
#[derive(Debug, Default)]
pub(super) struct Six {
    /// The cubes of five with one last vertex.
    runs: Vec<Range<usize>>,
    sides: [Side; 2],
    /// For each label from the first end where its cubes of five start, and where the last one's end.
    spans: Vec<usize>,
    line: Vec<Label>,
}

impl Six {
    /// All cubes of six and more axes over these of five, which are forgotten. `ends` gives the two vertices of the line
    /// that all are over.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn all(
        &mut self,
        node: Node<'_>,
        vertices: &[Vertex],
        ends: [usize; 2],
        found: &mut Vec<Found>,
        maker: &mut RowMaker,
        sizes: &Sizes,
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Node { tables, .. } = node;
        found.sort_unstable_by_key(|f| (f.place, f.vertex, f.edges[0], f.edges[2]));
        for group in found.chunk_by(|f, g| f.place == g.place) {
            if group[0].vertex == group[group.len() - 1].vertex {
                continue;
            }
            self.load(group);
            let base = &group[0].cells[..16];
            let layers: Vec<&[Rank]> = group.iter().map(|f| &f.cells[16..]).collect();
            let mut run = usize::MAX;
            let mut tabled = false;
            let joinable: Joinable<'_> = &mut |i, later| {
                let mine = self.runs.partition_point(|run| run.end <= i);
                if mine != run {
                    run = mine;
                    let runs: Vec<&Vertex> =
                        self.runs.iter().map(|run| &vertices[group[run.start].vertex as usize]).collect();
                    tabled = self.tabulate(node, &runs, ends.map(|end| &vertices[end]), run, maker);
                }
                let beside = group[i].edges.map(|edge| tables.rows.row(edge, maker));
                let fits = |j: usize| {
                    let edges = &group[j].edges;
                    (0..edges.len()).rev().all(|edge| beside[edge].has(edges[edge]))
                };
                let [a, b] = &self.sides;
                if !tabled {
                    later.extend((self.runs[run].end..group.len()).filter(|&j| fits(j)));
                    return;
                }
                let (with_a, with_b) = (a.row(i, run), b.row(i, run));
                for (place, &labels) in with_a.iter().enumerate().skip(a.starts[run + 1]) {
                    if labels != 0 {
                        for j in self.spans[place]..self.spans[place + 1] {
                            if labels & with_b[b.places[j] as usize] != 0 && fits(j) {
                                later.push(j);
                            }
                        }
                    }
                }
            };
            let sink: Sink<'_> = &mut |dims, cells| out.single(dims, cells);
            orderly.join_layers(&[2; 4], base, &layers, joinable, sizes.fives * 32, sink)?;
        }
        found.clear();
        Ok(())
    }

    /// Takes the runs and their labels from the cubes of five over one line.
    fn load(&mut self, group: &[Found]) {
        let Self { runs, sides, .. } = self;
        runs.clear();
        for run in group.chunk_by(|f, g| f.vertex == g.vertex) {
            let start = runs.last().map_or(0, |run| run.end);
            runs.push(start..start + run.len());
        }
        for (s, Side { labels, starts, places, .. }) in sides.iter_mut().enumerate() {
            let label = |f: &Found| [f.edges[s], f.edges[s + 2]];
            labels.clear();
            starts.clear();
            places.clear();
            for run in &*runs {
                let mut distinct: Vec<[u32; 2]> = group[run.clone()].iter().map(label).collect();
                distinct.sort_unstable();
                distinct.dedup();
                places.extend(group[run.clone()].iter().map(|f| {
                    let place = distinct.partition_point(|other| *other < label(f));
                    (labels.len() + place) as u32
                }));
                starts.push(labels.len());
                labels.append(&mut distinct);
            }
            starts.push(labels.len());
        }
        self.spans.clear();
        for (cube, &place) in self.sides[0].places.iter().enumerate() {
            if self.spans.len() == place as usize {
                self.spans.push(cube);
            }
        }
        self.spans.push(group.len());
    }

    /// Makes both tables of a run; `false` if they would be too large.
    #[allow(clippy::too_many_arguments)]
    fn tabulate(
        &mut self,
        node: Node<'_>,
        runs: &[&Vertex],
        ends: [&Vertex; 2],
        run: usize,
        maker: &mut RowMaker,
    ) -> bool {
        let Node { tables, unit, .. } = node;
        let Self { sides, line, .. } = self;
        if sides.iter().any(|side| side.of(run).len() * side.labels.len() > TABLE) {
            return false;
        }
        for side in sides.iter_mut() {
            side.fits.clear();
            side.fits.resize(side.of(run).len() * side.labels.len(), 0);
        }
        let low = runs[run];
        let beside_mid = tables.rows.row(low.edge, maker);
        let beside_x = tables.rows.row(unit.xs[low.axis as usize], maker);
        for (other, high) in runs.iter().enumerate().skip(run + 1) {
            let x = unit.xs[high.axis as usize];
            if !unit.differ(low.axis, high.axis) || !beside_mid.has(high.edge) || !beside_x.has(x) {
                continue;
            }
            labels_between(node, [low, high], [&beside_mid, &beside_x], line);
            line.retain(|label| !ends.iter().any(|end| label.clashes(end)));
            if line.is_empty() {
                continue;
            }
            for side in sides.iter_mut() {
                side.fit(tables, [run, other], line, maker);
            }
        }
        true
    }
}

impl Side {
    /// The labels of a run.
    fn of(&self, run: usize) -> Range<usize> {
        self.starts[run]..self.starts[run + 1]
    }

    /// The table's row of a cube of the current run.
    fn row(&self, cube: usize, run: usize) -> &[u64] {
        let width = self.labels.len();
        let place = self.places[cube] as usize - self.starts[run];
        &self.fits[place * width..(place + 1) * width]
    }

    /// Fills in which of the labels on the line between the last vertices of two runs make a cube of five with two labels
    /// of these runs.
    fn fit(&mut self, tables: &Tables<'_>, runs: [usize; 2], line: &[Label], maker: &mut RowMaker) {
        let Tables { graph, arcs, rows, .. } = tables;
        let [lows, highs] = runs.map(|run| self.of(run));
        let more = if line.len() > LABELS { 1 << LABELS } else { 0 };
        for low in lows.clone() {
            let [ear, top] = self.labels[low];
            let (ears, tops) = (rows.row(ear, maker), rows.row(top, maker));
            let (over_ear, over_top) = (arcs.up.of(ear), arcs.up.of(top));
            let beside = |label: &Label| ears.has(label.ear) && tops.has(label.top);
            for high in highs.clone() {
                let [other_ear, other_top] = self.labels[high];
                if !ears.has(other_ear) || !tops.has(other_top) {
                    continue;
                }
                let corners = ears.places(ears.slot(other_ear));
                let summits = tops.places(tops.slot(other_top));
                let words = |edges: &[u32], place: &u16| graph.words_of(edges[*place as usize]);
                let closes = |label: &Label| {
                    beside(label)
                        && corners.iter().map(|place| words(over_ear, place)).any(|corner| {
                            graph.arc(label.ear_words, corner)
                                && summits.iter().map(|place| words(over_top, place)).any(|summit| {
                                    graph.arc(label.top_words, summit) && graph.arc(corner, summit)
                                })
                        })
                };
                let mut fits = more;
                for (bit, label) in line.iter().take(LABELS).enumerate() {
                    fits |= u64::from(closes(label)) << bit;
                }
                self.fits[(low - lows.start) * self.labels.len() + high] = fits;
            }
        }
    }
}
