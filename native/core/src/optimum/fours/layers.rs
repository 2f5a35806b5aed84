//! The 3x3 of two lines that cross, kept while the rarest word is the same.
//!
//! Costs: some words beside the lines for each 3x3, once; a look then. Memory: up to a bound and what two lines have; when it is reached, all is
//! forgotten.

use std::collections::HashMap;

use super::around::Around;
use super::lexicon::{Lexicon, Sets, Spoke};
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
    around: Around,
}

impl<'a> Layers<'a> {
    pub(super) fn new(lexicon: &'a Lexicon, most: usize) -> Self {
        Self { lexicon, known: HashMap::default(), corners: vec![], most, around: Around::default() }
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
                let lines = [spoke(low), spoke(high)];
                self.around.squares(self.lexicon, sets, lines, &mut self.corners);
                let known = (from, self.corners.len() as u32);
                self.known.insert(key, known);
                known
            }
        };
        &self.corners[from as usize..to as usize]
    }
}
