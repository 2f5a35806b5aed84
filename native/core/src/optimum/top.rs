//! The K best orthos that were met.
//!
//! Guarantee: whatever is offered, in any order and however often, what is held are the best K of the distinct ones.
//! Cost: logarithmic in K.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::ortho::{Ortho, compare_optimal};

/// An ortho in the order that names the optimum.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ranked(Ortho);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_optimal(&self.0, &other.0)
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Top {
    held: BTreeSet<Ranked>,
    most: usize,
}

impl Top {
    /// Holds `most` orthos, at least one.
    pub(super) fn new(most: usize) -> Self {
        Self { held: BTreeSet::new(), most: most.max(1) }
    }

    /// Takes the ortho if it is one of the best.
    pub(super) fn offer(&mut self, ortho: Ortho) {
        if self.bar().is_some_and(|bar| compare_optimal(&ortho, bar).is_le()) {
            return;
        }
        self.held.insert(Ranked(ortho));
        if self.held.len() > self.most {
            self.held.pop_first();
        }
    }

    pub(super) fn best(&self) -> Option<&Ortho> {
        self.held.last().map(|ranked| &ranked.0)
    }

    /// What an ortho must be better than, once there are K.
    pub(super) fn bar(&self) -> Option<&Ortho> {
        if self.held.len() < self.most { None } else { self.held.first().map(|ranked| &ranked.0) }
    }

    /// The best first.
    pub(super) fn into_sorted(self) -> Vec<Ortho> {
        self.held.into_iter().rev().map(|ranked| ranked.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn holds_the_best_of_the_distinct(
            offered in prop::collection::vec((2u32..4, 0u32..6), 0..40),
            most in 1usize..8,
        ) {
            let orthos: Vec<Ortho> = offered
                .iter()
                .map(|&(d, first)| Ortho { dims: vec![2, d], tokens: (first..first + 2 * d).collect() })
                .collect();
            let mut top = Top::new(most);
            for ortho in &orthos {
                top.offer(ortho.clone());
            }
            let mut expected = orthos;
            expected.sort_by(|a, b| compare_optimal(b, a));
            expected.dedup();
            expected.truncate(most);
            prop_assert_eq!(top.best(), expected.first());
            prop_assert_eq!(top.into_sorted(), expected);
        }
    }
}
