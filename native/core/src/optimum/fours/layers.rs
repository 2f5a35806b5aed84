//! The 3x3 of two lines that cross, kept while the rarest word is the same.
//!
//! Costs: some words beside the lines for each 3x3, once; a look then. Memory: up to a bound and what two lines have; when it is reached, all is
//! forgotten.

use std::collections::HashMap;

use super::lexicon::{Lexicon, OTHERS, Sets, contains, numbers};
use super::star::Spoke;
use crate::optimum::corpus::Word;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Layers<'a> {
    lexicon: &'a Lexicon,
    /// By two lines that cross, where their 3x3 are.
    known: HashMap<u64, (u32, u32), foldhash::fast::FixedState>,
    /// Their corners: that beside the first other place of the line with the lesser number and of the other one, then that of the other's second, and so on.
    corners: Vec<[Word; 4]>,
    /// Of which so many are kept.
    most: usize,
}

impl<'a> Layers<'a> {
    pub(super) fn new(lexicon: &'a Lexicon, most: usize) -> Self {
        Self { lexicon, known: HashMap::default(), corners: vec![], most }
    }

    /// Forgets all, as other words may be used now.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.corners.clear();
    }

    /// The corners of all 3x3 of two lines, by three times the number of each and the place where it crosses; with words up to the last of the sets.
    pub(super) fn of(&mut self, sets: &mut Sets<'_>, first: u32, second: u32) -> &[[Word; 4]] {
        let (low, high) = (first.min(second), first.max(second));
        let key = u64::from(low) << 32 | u64::from(high);
        let (from, to) = match self.known.get(&key) {
            Some(&known) => known,
            None => {
                // What is known of two lines takes as much as two layers.
                if self.corners.len() + 2 * self.known.len() > self.most {
                    self.clear();
                }
                let from = self.corners.len() as u32;
                let spoke = |crossing: u32| Spoke {
                    line: self.lexicon.line(crossing / 3),
                    at: crossing as usize % 3,
                };
                squares(self.lexicon, sets, [spoke(low), spoke(high)], &mut self.corners);
                let known = (from, self.corners.len() as u32);
                self.known.insert(key, known);
                known
            }
        };
        &self.corners[from as usize..to as usize]
    }
}

/// The corners of all 3x3 of two lines that cross.
fn squares(lexicon: &Lexicon, sets: &mut Sets<'_>, [a, b]: [Spoke; 2], found: &mut Vec<[Word; 4]>) {
    let last = sets.last();
    let (along_a, along_b) = (OTHERS[a.at], OTHERS[b.at]);
    // A corner goes with the word of each line that is beside it, and its shell has no word of a line already.
    let rows = |sets: &mut Sets<'_>, i: usize, j: usize| {
        [sets.row(b.at, a.line[along_a[i]], along_b[j]), sets.row(a.at, b.line[along_b[j]], along_a[i])]
    };
    let open = |i: usize, j: usize, word: Word| {
        let shell = along_a[i] + along_b[j];
        (0..3).all(|place| {
            (a.line[place] != word || place + b.at != shell)
                && (b.line[place] != word || place + a.at != shell)
        })
    };
    let mut counts = [0; 4];
    for (k, count) in counts.iter_mut().enumerate() {
        let [x, y] = rows(sets, k >> 1, k & 1);
        *count = sets.set(x).iter().zip(sets.set(y)).map(|(x, y)| (x & y).count_ones()).sum::<u32>();
        if *count == 0 {
            return;
        }
    }
    // Begins with the corner that has the fewest words, then goes round.
    let start = (0..4).min_by_key(|&k| counts[k]).unwrap_or_default();
    let (i, j) = (start >> 1, start & 1);
    let (i2, j2) = (1 - i, 1 - j);
    let [x, y] = rows(sets, i, j);
    let (x, y) = (sets.set(x), sets.set(y));
    for corner in numbers(x.iter().zip(y).map(|(x, y)| x & y)) {
        let corner = corner as Word;
        if !open(i, j, corner) {
            continue;
        }
        let besides = lexicon.completions(b.at, a.line[along_a[i]], along_b[j], corner);
        let belows = lexicon.completions(a.at, b.line[along_b[j]], along_a[i], corner);
        for &beside in besides.iter().take_while(|&&word| word <= last) {
            let ends = lexicon.completions(a.at, b.line[along_b[j2]], along_a[i], beside);
            if ends.is_empty() || !open(i, j2, beside) {
                continue;
            }
            for &below in belows.iter().take_while(|&&word| word <= last) {
                // These two are in one shell if the way round is a diagonal.
                if beside == below && along_a[i] + along_b[j2] == along_a[i2] + along_b[j]
                    || !open(i2, j, below)
                {
                    continue;
                }
                let others = lexicon.completions(b.at, a.line[along_a[i2]], along_b[j], below);
                let (few, many) = if ends.len() < others.len() { (ends, others) } else { (others, ends) };
                for &end in few.iter().take_while(|&&word| word <= last) {
                    if !open(i2, j2, end)
                        || end == corner && along_a[i] + along_b[j] == along_a[i2] + along_b[j2]
                        || !contains(many, end)
                    {
                        continue;
                    }
                    let mut corners = [0; 4];
                    corners[i * 2 + j] = corner;
                    corners[i * 2 + j2] = beside;
                    corners[i2 * 2 + j] = below;
                    corners[i2 * 2 + j2] = end;
                    found.push(corners);
                }
            }
        }
    }
}
