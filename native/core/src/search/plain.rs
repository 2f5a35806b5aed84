//! A unit by the plain search alone, where there is no room for tables: the same steps in the same order.

use super::orderly::Orderly;
use super::run::Search;
use super::stop::Stop;
use super::turn::Turn;
use crate::error::Result;
use crate::results::{Emitter, Rank};

/// See the [module](self). One for each thread.
#[derive(Debug)]
pub(super) struct Plain<'a> {
    search: &'a Search<'a>,
    stop: &'a Stop,
    pub(super) orderly: Orderly<'a>,
}

impl<'a> Plain<'a> {
    pub(super) fn new(search: &'a Search<'a>, stop: &'a Stop) -> Self {
        let orderly = Orderly::new(search.index, search.ranks, stop, *search.scope.axes.end());
        Self { search, stop, orderly }
    }

    /// All cubes of the unit. `weight` is what [advances](Turn::advance) in all.
    pub(super) fn cubes(
        &mut self,
        turn: &mut Turn<'_, '_>,
        weight: u64,
        out: &mut Emitter<'_>,
    ) -> Result<()> {
        let Search { index, ranks, scope, .. } = self.search;
        let [o, a] = turn.origin();
        let after = |rank: Rank| -> Vec<Rank> {
            let mut list: Vec<Rank> =
                index.successors(ranks.token(rank)).iter().map(|&t| ranks.rank(t)).collect();
            list.sort_unstable_by_key(|&rank| std::cmp::Reverse(rank));
            list
        };
        let tops = after(a);
        let follows =
            |a: Rank, b: Rank| index.successors(ranks.token(a)).binary_search(&ranks.token(b)).is_ok();
        // Commoner first words only: axes come by descending rank.
        let units: Vec<Rank> = after(o).into_iter().filter(|&b| b < a).collect();
        let squares = turn.has_squares();
        let seconds =
            || units.iter().flat_map(|&b| tops.iter().map(move |&c| [b, c])).filter(|&[b, c]| follows(b, c));
        if squares {
            for [b, c] in seconds() {
                out.single(&[2, 2], &[o, a, b, c])?;
            }
        }
        let mut nodes = 0;
        for [b, c] in seconds() {
            self.stop.check()?;
            if scope.reaches(3) && turn.has_node(nodes, [b, c]) {
                self.orderly.cubes_from(&[o, a, b, c], &mut |dims, cells| turn.single(out, dims, cells))?;
                turn.node_done(nodes, 0, out)?;
            }
            nodes += 1;
        }
        turn.set_nodes(nodes);
        turn.advance(weight, out);
        Ok(())
    }

    /// All orthos over the long lines of the unit.
    pub(super) fn lines(&mut self, turn: &mut Turn<'_, '_>, out: &mut Emitter<'_>) -> Result<()> {
        if !turn.has_lines() {
            return Ok(());
        }
        let Search { index, ranks, .. } = self.search;
        let [o, a] = turn.origin();
        let Some(id) = index.bigram(ranks.token(o), ranks.token(a)) else { return Ok(()) };
        let mut thirds: Vec<(Rank, _)> =
            index.completions(index.bigram_phrase(id)).map(|(z, trigram)| (ranks.rank(z), trigram)).collect();
        thirds.sort_unstable_by_key(|&(rank, _)| rank);
        for (t, &(z, trigram)) in thirds.iter().enumerate() {
            let t = t as u32;
            if turn.has_line(t) {
                self.orderly
                    .long_from([o, a, z], trigram, &mut |dims, cells| turn.single(out, dims, cells))?;
                turn.line_done(t, out)?;
            }
        }
        Ok(())
    }
}
