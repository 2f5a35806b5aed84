//! Cubes of six and more axes: what has six is over two cubes of five that share their first four, that is, a line with
//! its label, and differ in the last vertex.
//!
//! Many cubes of five can lie over one line, and hardly any two of them fit. So for each two last vertices the labels of
//! the line between them are made first; two cubes fit if one of these fits both, and if there is an edge above each two
//! of their edges. Only for those is the plain search asked to fill the corner.
//!
//! Memory: eight bytes for each cube of five over one line, and the labels between one vertex and the others.

use std::ops::Range;

use super::Sizes;
use super::cubes::{Tables, Unit};
use super::five::{Label, Vertex, labels_between};
use super::orderly::{Joinable, Orderly, Sink};
use super::rows::{RowMaker, RowRef};
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

/// The cubes with one last vertex.
#[derive(Debug)]
struct Run {
    places: Range<usize>,
    /// The labels of the line between it and the current vertex.
    labels: Range<usize>,
}

/// Labels of one line that have a bit of their own; the last bit stands for all further ones and fits everything.
const LABELS: usize = 63;

/// See the [module](self). The space that a thread works in.
#[derive(Debug, Default)]
pub(super) struct Six {
    runs: Vec<Run>,
    labels: Vec<[u32; 2]>,
    /// For each cube of five the labels that it fits, as bits.
    fitting: Vec<u64>,
    line: Vec<Label>,
}

impl Six {
    /// All cubes of six and more axes over these of five, which are forgotten. `ends` gives the two vertices of the line
    /// that all are over.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn all(
        &mut self,
        tables: &Tables<'_>,
        unit: &Unit,
        q: u32,
        vertices: &[Vertex],
        ends: [usize; 2],
        found: &mut Vec<Found>,
        maker: &mut RowMaker,
        sizes: &Sizes,
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        found.sort_unstable_by_key(|f| (f.place, f.vertex));
        for group in found.chunk_by(|f, g| f.place == g.place) {
            if group[0].vertex == group[group.len() - 1].vertex {
                continue;
            }
            let base = &group[0].cells[..16];
            let layers: Vec<&[Rank]> = group.iter().map(|f| &f.cells[16..]).collect();
            let mut vertex = u32::MAX;
            let joinable: Joinable<'_> = &mut |i, later| {
                let first = &group[i];
                if first.vertex != vertex {
                    vertex = first.vertex;
                    self.later(tables, unit, q, vertices, ends, group, i, maker);
                }
                let beside = first.edges.map(|edge| tables.rows.row(edge, maker));
                for run in &self.runs {
                    let fits = fitting(&self.labels[run.labels.clone()], &beside);
                    if fits == 0 {
                        continue;
                    }
                    later.extend(run.places.clone().filter(|&j| {
                        self.fitting[j] & fits != 0
                            && beside.iter().zip(&group[j].edges).all(|(row, &edge)| row.has(edge))
                    }));
                }
            };
            let sink: Sink<'_> = &mut |dims, cells| out.single(dims, cells);
            orderly.join_layers(&[2; 4], base, &layers, joinable, sizes.fives * 32, sink)?;
        }
        found.clear();
        Ok(())
    }

    /// Makes the labels between the last vertex of a cube and the later ones, and which cubes they fit.
    #[allow(clippy::too_many_arguments)]
    fn later(
        &mut self,
        tables: &Tables<'_>,
        unit: &Unit,
        q: u32,
        vertices: &[Vertex],
        ends: [usize; 2],
        group: &[Found],
        first: usize,
        maker: &mut RowMaker,
    ) {
        let Self { runs, labels, fitting, line } = self;
        runs.clear();
        labels.clear();
        fitting.resize(group.len().max(fitting.len()), 0);
        let low = &vertices[group[first].vertex as usize];
        let beside_mid = tables.rows.row(low.edge, maker);
        let beside_x = tables.rows.row(unit.xs[low.axis as usize], maker);
        let mut from = first + group[first..].partition_point(|f| f.vertex == group[first].vertex);
        while from < group.len() {
            let to = from + group[from..].partition_point(|f| f.vertex == group[from].vertex);
            let places = from..to;
            from = to;
            let high = &vertices[group[places.start].vertex as usize];
            let x = unit.xs[high.axis as usize];
            if !unit.differ(low.axis, high.axis) || !beside_mid.has(high.edge) || !beside_x.has(x) {
                continue;
            }
            labels_between(tables, unit, q, [low, high], [&beside_mid, &beside_x], line);
            line.retain(|label| !ends.iter().any(|&end| label.clashes(&vertices[end])));
            if line.is_empty() {
                continue;
            }
            fitting[places.clone()].fill(if line.len() > LABELS { 1 << LABELS } else { 0 });
            let start = labels.len();
            for (bit, label) in line.iter().enumerate() {
                labels.push([label.ear, label.top]);
                if bit < LABELS {
                    let ears = tables.rows.row(label.ear, maker);
                    let tops = tables.rows.row(label.top, maker);
                    for (fits, Found { edges: [e, f, t, u, ..], .. }) in
                        fitting[places.clone()].iter_mut().zip(&group[places.clone()])
                    {
                        let fit = tops.has(*t) && tops.has(*u) && ears.has(*e) && ears.has(*f);
                        *fits |= u64::from(fit) << bit;
                    }
                }
            }
            runs.push(Run { places, labels: start..labels.len() });
        }
    }
}

/// Which of the labels fit the cube with these rows of its edges.
fn fitting(labels: &[[u32; 2]], beside: &[RowRef<'_>; 6]) -> u64 {
    let [e, f, t, u, ..] = beside;
    let mut fits = if labels.len() > LABELS { 1 << LABELS } else { 0 };
    for (bit, &[ear, top]) in labels.iter().take(LABELS).enumerate() {
        fits |= u64::from(t.has(top) && u.has(top) && e.has(ear) && f.has(ear)) << bit;
    }
    fits
}
