//! A unit by the plain search alone, where there is no room for tables: the same steps in the same order.
//!
//! Memory: what follows two words, and some second edges.

use super::orderly::{Orderly, Sink};
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
    /// A first word and what follows it.
    first: Option<(Rank, Vec<Rank>)>,
}

/// Second edges that are listed; further ones are looked for again.
const SECONDS: usize = 1 << 10;

impl<'a> Plain<'a> {
    pub(super) fn new(search: &'a Search<'a>, stop: &'a Stop) -> Self {
        let orderly = Orderly::new(search.index, search.ranks, stop, *search.scope.axes.end());
        Self { search, stop, orderly, first: None }
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
        let tops = self.after(a);
        if tops.is_empty() {
            turn.advance(weight, out);
            return Ok(());
        }
        // Units of one first word come one after the other.
        if self.first.as_ref().is_none_or(|(first, _)| *first != o) {
            self.first = Some((o, self.after(o)));
        }
        let units = self.first.as_ref().map_or(&[][..], |(_, units)| units);
        // Commoner first words only: axes come by descending rank.
        let units = &units[units.partition_point(|&b| b >= a)..];
        let follows =
            |b: Rank, c: Rank| index.successors(ranks.token(b)).binary_search(&ranks.token(c)).is_ok();
        let seconds = || {
            let all = units.iter().flat_map(|&b| tops.iter().map(move |&c| [b, c]));
            all.filter(|&[b, c]| follows(b, c))
        };
        let some: Vec<[Rank; 2]> = seconds().take(SECONDS).collect();
        let rest = || seconds().skip(if some.len() < SECONDS { usize::MAX } else { SECONDS });
        if turn.has_squares() {
            for [b, c] in some.iter().copied().chain(rest()) {
                out.single(&[2, 2], &[o, a, b, c])?;
            }
        }
        let mut nodes = 0;
        for [b, c] in some.iter().copied().chain(rest()) {
            self.stop.check()?;
            if scope.reaches(3) && turn.has_node(nodes, [b, c]) {
                let sink: Sink<'_> = &mut |dims, cells| turn.single(out, dims, cells);
                self.orderly.cubes_from(&[o, a, b, c], sink)?;
                turn.node_done(nodes, 0, out)?;
            }
            nodes += 1;
        }
        turn.set_nodes(nodes);
        turn.advance(weight, out);
        Ok(())
    }

    /// What follows a word, by descending rank.
    fn after(&self, rank: Rank) -> Vec<Rank> {
        let Search { index, ranks, .. } = self.search;
        let mut list: Vec<Rank> =
            index.successors(ranks.token(rank)).iter().map(|&t| ranks.rank(t)).collect();
        list.sort_unstable_by_key(|&rank| std::cmp::Reverse(rank));
        list
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
