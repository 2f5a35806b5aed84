//! Orthos with one axis of three and one or two of two, by joining lines; what grows out of them by the plain search.
//!
//! A long line `o a z` is an edge with a third word. A 2x3 is two lines with an arc between their edges and a bigram
//! between their third words. A 2x2x3 is two such lines above the first (its *layers*), and one above both. More axes
//! need three layers joined in pairs. Only where lines go on, and for four axes of two, is the plain search asked.
//!
//! Memory: the layers over one line, each 20 bytes, and their joins, which are kept until [`Sizes::joins`] and not after.

use super::cubes::{Done, Tables};
use super::graph::Trigrams;
use super::orderly::{Joinable, Orderly, Sink};
use super::rows::{Row, RowMaker};
use super::turn::Turn;
use super::{Sizes, Stop};
use crate::error::Result;
use crate::results::{Emitter, Rank, Ranks};

/// A line above the first one.
#[derive(Debug, Clone, Copy)]
struct Layer {
    edge: u32,
    words: [Rank; 3],
    goes_on: bool,
}

/// Two layers with a line above both.
#[derive(Debug, Clone, Copy)]
struct Join {
    low: u32,
    high: u32,
    edge: u32,
    words: [Rank; 3],
}

/// An ortho with three axes of two, as the layer that it has more than the first two axes.
#[derive(Debug)]
struct Found {
    high: u32,
    /// The first edges of its last three lines.
    edges: [u32; 3],
    words: [[Rank; 3]; 4],
}

/// See the [module](self). One for each thread.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    tables: &'a Tables<'a>,
    trigrams: &'a Trigrams,
    ranks: &'a Ranks,
    stop: &'a Stop,
    sizes: Sizes,
    maker: RowMaker,
    layers: Vec<Layer>,
    joins: Vec<Join>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(
        tables: &'a Tables<'a>,
        trigrams: &'a Trigrams,
        ranks: &'a Ranks,
        stop: &'a Stop,
        sizes: Sizes,
    ) -> Self {
        let maker = RowMaker::default();
        Self { tables, trigrams, ranks, stop, sizes, maker, layers: vec![], joins: vec![] }
    }

    /// All orthos with an axis longer than two that have a long first line that starts with this edge.
    pub(super) fn unit(
        &mut self,
        edge: u32,
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
        turn: &mut Turn<'_, '_>,
    ) -> Result<()> {
        let [o, a] = self.tables.graph.words_of(edge);
        for (t, trigram) in (0..).zip(self.trigrams.thirds.range(edge)) {
            self.stop.check()?;
            if !turn.has_line(t) {
                continue;
            }
            let z = self.trigrams.thirds.item(trigram);
            self.find_layers(edge, z);
            if !self.layers.is_empty() {
                let done: Done<'_> = &mut |weight, out| turn.advance(weight, out);
                self.line([o, a, z], self.trigrams.goes_on(trigram), orderly, out, done)?;
            }
            turn.line_done(t, out)?;
        }
        Ok(())
    }

    /// The layers over the line `edge z`, rarest axis first.
    fn find_layers(&mut self, edge: u32, z: Rank) {
        let Tables { graph, arcs, .. } = self.tables;
        self.layers.clear();
        for &x in arcs.up.of(edge).iter().rev() {
            let thirds = self.trigrams.thirds.range(x);
            if thirds.is_empty() {
                continue;
            }
            let [u, v] = graph.words_of(x);
            // Shell 2.
            if v == z {
                continue;
            }
            for trigram in thirds {
                let w = self.trigrams.thirds.item(trigram);
                if graph.follows(z, w) {
                    let goes_on = self.trigrams.goes_on(trigram);
                    self.layers.push(Layer { edge: x, words: [u, v, w], goes_on });
                }
            }
        }
    }

    fn line(
        &mut self,
        line: [Rank; 3],
        goes_on: bool,
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
        done: Done<'_>,
    ) -> Result<()> {
        let Self { tables, trigrams, ranks, stop, sizes, maker, layers, joins } = self;
        let Tables { graph, arcs, rows, .. } = tables;
        let mut flood = false;
        joins.clear();
        let has_thirds =
            |a: Rank, b: Rank| graph.edge(a, b).is_some_and(|e| !trigrams.thirds.range(e).is_empty());
        let [o, a, z] = line;
        // Whether an axis may become as long as the first one: the rule of the one parent, and a look at one line.
        let may_lengthen = |unit: Rank| ranks.token(unit) > ranks.token(a) && has_thirds(o, unit);
        for (i, low) in layers.iter().enumerate() {
            stop.check()?;
            done(0, out);
            let cells = [line, low.words];
            out.single(&[3, 2], cells.as_flattened())?;
            let lengthens = may_lengthen(low.words[0]);
            if goes_on && low.goes_on || lengthens {
                orderly.layers_from(&[3, 2], cells.as_flattened(), &mut |d, c| out.single(d, c))?;
            }
            if sizes.axes < 3 {
                continue;
            }
            let row = rows.row(low.edge, maker);
            for (j, high) in layers.iter().enumerate().skip(i + 1) {
                // Shell 3. That the edges differ, the row says.
                if !row.has(high.edge) || low.words[2] == high.words[2] {
                    continue;
                }
                for &place in row.places(row.slot(high.edge)) {
                    let edge = arcs.up.of(low.edge)[place as usize];
                    let thirds = trigrams.thirds.range(edge);
                    if thirds.is_empty() {
                        continue;
                    }
                    let [m, n] = graph.words_of(edge);
                    // Shells 2 and 3.
                    if m == z || n == low.words[2] || n == high.words[2] {
                        continue;
                    }
                    for trigram in thirds {
                        let w = trigrams.thirds.item(trigram);
                        if !graph.follows(low.words[2], w) || !graph.follows(high.words[2], w) {
                            continue;
                        }
                        let top = [m, n, w];
                        let cells = [line, low.words, high.words, top];
                        let cells = cells.as_flattened();
                        out.single(&[3, 2, 2], cells)?;
                        let all_go_on = goes_on && low.goes_on && high.goes_on && trigrams.goes_on(trigram);
                        if all_go_on || lengthens || may_lengthen(high.words[0]) {
                            orderly.layers_from(&[3, 2, 2], cells, &mut |d, c| out.single(d, c))?;
                        }
                        if flood {
                            orderly.axes_from(&[3, 2, 2], cells, &mut |d, c| out.single(d, c))?;
                        } else {
                            joins.push(Join { low: i as u32, high: j as u32, edge, words: top });
                        }
                    }
                }
            }
            if joins.len() > sizes.joins {
                flood = true;
                for join in joins.drain(..) {
                    let cells = cells_of(line, layers, &join);
                    orderly.axes_from(&[3, 2, 2], cells.as_flattened(), &mut |d, c| out.single(d, c))?;
                }
            }
        }
        if sizes.axes < 4 { Ok(()) } else { self.more_axes(line, orderly, out, done) }
    }

    /// Orthos with three axes of two or more: three layers joined in pairs, and a line above the three joins.
    fn more_axes(
        &mut self,
        line: [Rank; 3],
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
        done: Done<'_>,
    ) -> Result<()> {
        // Joins are sorted by their layers.
        let of = |low: u32| {
            let from = self.joins.partition_point(|j| j.low < low);
            let to = self.joins.partition_point(|j| j.low <= low);
            &self.joins[from..to]
        };
        for first in &self.joins {
            self.stop.check()?;
            done(0, out);
            let (withs, thirds) = (of(first.low), of(first.high));
            if thirds.is_empty() {
                continue;
            }
            let row = self.tables.rows.row(first.edge, &mut self.maker);
            let mut found: Vec<Found> = vec![];
            for second in &withs[withs.partition_point(|j| j.high <= first.high)..] {
                if !row.has(second.edge) {
                    continue;
                }
                let from = thirds.partition_point(|j| j.high < second.high);
                for third in thirds[from..].iter().take_while(|j| j.high == second.high) {
                    if row.has(third.edge) {
                        self.close(line, [first, second, third], &row, &mut found, orderly, out)?;
                    }
                }
            }
            if found.len() > 1 {
                let base = cells_of(line, &self.layers, first);
                let layers: Vec<&[Rank]> = found.iter().map(|f| f.words.as_flattened()).collect();
                let most = self.sizes.joins * 12;
                let base = base.as_flattened();
                // The layers' own join, and an edge above each two edges of the two.
                let (rows, maker) = (&self.tables.rows, &mut self.maker);
                let joinable: Joinable<'_> = &mut |i, later| {
                    let a = &found[i];
                    let beside = a.edges.map(|edge| rows.row(edge, maker));
                    let withs = of(a.high);
                    later.extend((i + 1..found.len()).filter(|&j| {
                        let b = &found[j];
                        beside.iter().zip(&b.edges).all(|(row, &edge)| row.has(edge))
                            && withs.binary_search_by_key(&b.high, |join| join.high).is_ok()
                    }));
                };
                let sink: Sink<'_> = &mut |d, c| out.single(d, c);
                orderly.join_layers(&[3, 2, 2], base, &layers, joinable, most, sink)?;
            }
        }
        Ok(())
    }

    /// All orthos of three joins of three layers, each with each.
    fn close(
        &self,
        line: [Rank; 3],
        joins: [&Join; 3],
        row: &Row,
        found: &mut Vec<Found>,
        orderly: &mut Orderly<'_>,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Tables { graph, arcs, .. } = self.tables;
        let [first, second, third] = joins;
        let layers = [first.low, first.high, second.high].map(|l| self.layers[l as usize].words);
        // What the pairs did not say. Shell 2: the joins, and each with the layer that it is not above. Shell 3 as well,
        // and a join's middle word is one further out than a layer's.
        let tops = joins.map(|j| j.words);
        let clashes = |a: [Rank; 3], b: [Rank; 3]| a[0] == b[0] || a[1] == b[1] || a[2] == b[2];
        if clashes(tops[0], tops[1]) || clashes(tops[0], tops[2]) || clashes(tops[1], tops[2]) {
            return Ok(());
        }
        for (top, far) in [(tops[0], layers[2]), (tops[1], layers[1]), (tops[2], layers[0])] {
            if top[0] == far[1] || top[1] == far[2] {
                return Ok(());
            }
        }
        for &place in row.places(row.slot(second.edge)) {
            let edge = arcs.up.of(first.edge)[place as usize];
            let words = graph.words_of(edge);
            if !graph.arc([tops[2][0], tops[2][1]], words) {
                continue;
            }
            // Shell 3: with the layers' last words. Shell 4: with the joins' last words.
            if layers.iter().any(|l| l[2] == words[0]) || tops.iter().any(|t| t[2] == words[1]) {
                continue;
            }
            for trigram in self.trigrams.thirds.range(edge) {
                let w = self.trigrams.thirds.item(trigram);
                if !tops.iter().all(|t| graph.follows(t[2], w)) {
                    continue;
                }
                let [a, b, c] = layers;
                let corner = [words[0], words[1], w];
                let cells = [line, a, b, first.words, c, second.words, third.words, corner];
                let (dims, cells) = ([3, 2, 2, 2], cells.as_flattened());
                out.single(&dims, cells)?;
                orderly.layers_from(&dims, cells, &mut |d, c| out.single(d, c))?;
                found.push(Found {
                    high: second.high,
                    edges: [second.edge, third.edge, edge],
                    words: [c, second.words, third.words, corner],
                });
            }
        }
        Ok(())
    }
}

fn cells_of(line: [Rank; 3], layers: &[Layer], join: &Join) -> [[Rank; 3]; 4] {
    [line, layers[join.low as usize].words, layers[join.high as usize].words, join.words]
}
