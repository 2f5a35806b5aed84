//! The four words around two lines that cross, which make a 3x3 of them.
//!
//! Costs: a step for each two words beside each other that go with the line between them. Begins with the corner that has the fewest words.

use std::ops::ControlFlow;

use super::lexicon::{Lexicon, OTHERS, Sets, Spoke};
use super::sets::{Block, NONE, corner, corner_mut, count, intersect, numbers, remove, words};
use crate::optimum::corpus::Word;

/// Two lines that cross: the places at which they do, and the words of each at its other places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crossing {
    pub(super) ats: [usize; 2],
    pub(super) words: [[Word; 2]; 2],
}

/// Goes around two lines after the other; kept for its room.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// What may be at the next corner along the second line, along the first one, and at the last corner.
    sets: Vec<Block>,
    /// The words at the next corner along the first line, and what each leaves for the last corner.
    belows: Vec<Word>,
    ends: Vec<Block>,
    /// What may be at each corner.
    open: Vec<Block>,
}

impl Around {
    /// Adds the corners of all 3x3 of two lines, of words up to the last of the sets.
    pub(super) fn squares(
        &mut self,
        lexicon: &Lexicon,
        sets: &mut Sets<'_>,
        [a, b]: [Spoke; 2],
        found: &mut Vec<[Word; 4]>,
    ) {
        let (along_a, along_b) = (OTHERS[a.at], OTHERS[b.at]);
        // The word of the one line that is in the shell in which the other one has a place.
        let in_shell = |line: [Word; 3], across: usize, shell: usize| {
            shell.checked_sub(across).and_then(|place| line.get(place).copied())
        };
        if along_a.iter().any(|&place| in_shell(b.line, a.at, place + b.at) == Some(a.line[place])) {
            return;
        }
        let shell = |k: usize| along_a[k >> 1] + along_b[k & 1];
        let mut open = std::mem::take(&mut self.open);
        open.resize(4 * sets.width(), NONE);
        let some = (0..4).all(|k| {
            // A corner goes with the word of each line that is beside it, and its shell has no word of a line already.
            let (on_a, on_b) = (along_a[k >> 1], along_b[k & 1]);
            let rows = [sets.row(b.at, a.line[on_a], on_b), sets.row(a.at, b.line[on_b], on_a)];
            let set = corner_mut(&mut open, k);
            let some = intersect(sets.set(rows[0]), sets.set(rows[1]), set);
            let taken = [in_shell(a.line, b.at, shell(k)), in_shell(b.line, a.at, shell(k))];
            taken.into_iter().flatten().for_each(|word| remove(set, word));
            some
        });
        if some {
            // Two corners that face each other may be in one shell.
            let [outer, inner] = [[0, 3], [1, 2]].map(|[k, m]| shell(k) == shell(m));
            let crossing = Crossing { ats: [a.at, b.at], words: [a.others(), b.others()] };
            let _ = self.each(lexicon, crossing, &open, &mut |corners| {
                if !(outer && corners[0] == corners[3] || inner && corners[1] == corners[2]) {
                    found.push(corners);
                }
                ControlFlow::Continue(())
            });
        }
        self.open = open;
    }

    /// Calls `each` with every four corners that are in the sets given for them: that beside the first other place of the first line and of the second,
    /// then that of the second's second, and so on. Whether two words in one shell are the same is not asked.
    pub(super) fn each(
        &mut self,
        lexicon: &Lexicon,
        Crossing { ats, words: [first, second] }: Crossing,
        sets: &[Block],
        each: &mut dyn FnMut([Word; 4]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let start = (0..4).min_by_key(|&k| count(corner(sets, k))).unwrap_or_default();
        let (i, j) = (start >> 1, start & 1);
        let (i2, j2) = (1 - i, 1 - j);
        let [beside, below, last] = [i * 2 + j2, i2 * 2 + j, i2 * 2 + j2];
        // Where a corner is on the lines that are parallel to the first one, and to the second.
        let (on_first, on_second) = (OTHERS[ats[0]][i], OTHERS[ats[1]][j]);
        let width = sets.len() / 4;
        self.sets.resize(3 * width, NONE);
        let (besides, rest) = self.sets.split_at_mut(width);
        let (belows, end) = rest.split_at_mut(width);
        for word in words(corner(sets, start)) {
            if !lexicon.narrow(ats[1], first[i], on_second, word, corner(sets, beside), besides)
                || !lexicon.narrow(ats[0], second[j], on_first, word, corner(sets, below), belows)
            {
                continue;
            }
            self.belows.clear();
            self.ends.clear();
            for word in words(belows) {
                let from = self.ends.len();
                self.ends.resize(from + width, NONE);
                let ends = &mut self.ends[from..];
                if lexicon.narrow(ats[1], first[i2], on_second, word, corner(sets, last), ends) {
                    self.belows.push(word);
                } else {
                    self.ends.truncate(from);
                }
            }
            if self.belows.is_empty() {
                continue;
            }
            for word_beside in words(besides) {
                if !lexicon.narrow(ats[0], second[j2], on_first, word_beside, corner(sets, last), end) {
                    continue;
                }
                for (&word_below, ends) in self.belows.iter().zip(self.ends.chunks_exact(width)) {
                    let both = ends.iter().flatten().zip(end.iter().flatten()).map(|(a, b)| a & b);
                    for word_last in numbers(both) {
                        let mut corners = [0; 4];
                        corners[start] = word;
                        corners[beside] = word_beside;
                        corners[below] = word_below;
                        corners[last] = word_last as Word;
                        each(corners)?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }
}
