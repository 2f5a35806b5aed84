//! Orthos with one axis of three and one or two of two, by joining lines; what grows out of them by the plain search.
//!
//! A long line `o a z` is an edge with a third word. A 2x3 is two lines with an arc between their edges and a bigram
//! between their third words. A 2x2x3 is two such lines above the first (its *layers*), and one above both. More axes
//! need three layers joined in pairs; only then, and where lines go on, is the plain search asked.
//!
//! Memory: the layers over one line, each 20 bytes, and their joins, which are kept until `JOINS` and not after.

use super::Stop;
use super::cubes::Tables;
use super::graph::Trigrams;
use super::orderly::Orderly;
use super::rows::RowMaker;
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
    words: [Rank; 3],
}

/// Joins over one line that are kept to look for more axes; beyond that each is looked at by itself.
const JOINS: usize = 1 << 16;

/// See the [module](self). One for each thread.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    tables: &'a Tables<'a>,
    trigrams: &'a Trigrams,
    ranks: &'a Ranks,
    stop: &'a Stop,
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
    ) -> Self {
        Self { tables, trigrams, ranks, stop, maker: RowMaker::default(), layers: vec![], joins: vec![] }
    }

    /// All orthos with an axis longer than two that have a long first line that starts with this edge.
    pub(super) fn unit(&mut self, edge: u32, orderly: &mut Orderly<'_>, out: &mut Emitter<'_>) -> Result<()> {
        let [o, a] = self.tables.graph.words_of(edge);
        for trigram in self.trigrams.thirds.range(edge) {
            self.stop.check()?;
            let z = self.trigrams.thirds.item(trigram);
            self.find_layers(edge, z);
            if !self.layers.is_empty() {
                self.line([o, a, z], self.trigrams.goes_on(trigram), orderly, out)?;
            }
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
    ) -> Result<()> {
        let Self { tables, trigrams, ranks, stop, maker, layers, joins } = self;
        let Tables { graph, arcs, rows } = tables;
        let mut flood = false;
        joins.clear();
        let has_thirds =
            |a: Rank, b: Rank| graph.edge(a, b).is_some_and(|e| !trigrams.thirds.range(e).is_empty());
        let [o, a, z] = line;
        // Whether an axis may become as long as the first one: the rule of the one parent, and a look at one line.
        let may_lengthen = |unit: Rank| ranks.token(unit) > ranks.token(a) && has_thirds(o, unit);
        for (i, low) in layers.iter().enumerate() {
            stop.check()?;
            let cells = [line, low.words];
            out.single(&[3, 2], cells.as_flattened())?;
            let lengthens = may_lengthen(low.words[0]);
            if goes_on && low.goes_on || lengthens {
                orderly.layers_from(&[3, 2], cells.as_flattened(), &mut |d, c| out.single(d, c))?;
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
                            joins.push(Join { low: i as u32, high: j as u32, words: top });
                        }
                    }
                }
            }
            if joins.len() > JOINS {
                flood = true;
                for join in joins.drain(..) {
                    let cells = cells_of(line, layers, &join);
                    orderly.axes_from(&[3, 2, 2], cells.as_flattened(), &mut |d, c| out.single(d, c))?;
                }
            }
        }
        more_axes(line, layers, joins, orderly, out)
    }
}

/// What has a third axis of two is over two layers that are both joined with a third one.
fn more_axes(
    line: [Rank; 3],
    layers: &[Layer],
    joins: &[Join],
    orderly: &mut Orderly<'_>,
    out: &mut Emitter<'_>,
) -> Result<()> {
    // Joins are sorted by their layers.
    let of = |low: u32| {
        let from = joins.partition_point(|j| j.low < low);
        let to = joins.partition_point(|j| j.low <= low);
        &joins[from..to]
    };
    for join in joins {
        let (firsts, seconds) = (of(join.low), of(join.high));
        let firsts = &firsts[firsts.partition_point(|j| j.high <= join.high)..];
        let shared = firsts.iter().any(|f| seconds.binary_search_by_key(&f.high, |s| s.high).is_ok());
        if shared {
            let cells = cells_of(line, layers, join);
            orderly.axes_from(&[3, 2, 2], cells.as_flattened(), &mut |d, c| out.single(d, c))?;
        }
    }
    Ok(())
}

fn cells_of(line: [Rank; 3], layers: &[Layer], join: &Join) -> [[Rank; 3]; 4] {
    [line, layers[join.low as usize].words, layers[join.high as usize].words, join.words]
}
