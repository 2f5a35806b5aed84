//! Hash keys of the cells of small cubes, by the order of their axes.
//!
//! The search knows the cells of a cube by masks (bit k: coordinate on the axis that was added k-th); the hash wants
//! canonical cells. Which is which depends only on the order of the axes' tokens, so there is one table for each order.

use crate::digest::{Lanes, ShapeKeys};
use crate::ortho::canonical_cells;

/// The keys of a cube of `n` axes for every order of the axes.
#[derive(Debug, Clone)]
pub(super) struct CubeKeys {
    /// For each [`code`](Self::code) the keys by mask; empty for codes that no order has.
    tables: Vec<Vec<Lanes>>,
}

impl CubeKeys {
    pub(super) fn new(n: usize) -> Self {
        let keys = ShapeKeys::new(&vec![2; n]);
        let cells = canonical_cells(&vec![2; n]);
        let mut tables = vec![Vec::new(); 1 << (n * (n - 1) / 2)];
        for places in permutations(n) {
            let tokens: Vec<u32> = places.iter().map(|&p| p as u32).collect();
            let mut table = vec![[0; 2]; 1 << n];
            for (i, cell) in cells.iter().enumerate() {
                let mask: usize = (0..n).filter(|&k| cell[places[k]] == 1).map(|k| 1 << k).sum();
                table[mask] = keys.cell(i);
            }
            tables[Self::code(&tokens)] = table;
        }
        Self { tables }
    }

    /// One bit for each pair of axes: whether the later one comes first.
    #[inline]
    pub(super) fn code(tokens: &[u32]) -> usize {
        let mut code = 0;
        let mut bit = 0;
        for (i, a) in tokens.iter().enumerate() {
            for b in &tokens[..i] {
                code |= usize::from(a < b) << bit;
                bit += 1;
            }
        }
        code
    }

    /// The keys by mask, for axes in an order with this code.
    #[inline]
    pub(super) fn of_code(&self, code: usize) -> &[Lanes] {
        &self.tables[code]
    }

    /// The keys by mask, for axes with these (distinct, vocabulary-numbered) unit tokens.
    #[inline]
    pub(super) fn for_axes(&self, tokens: &[u32]) -> &[Lanes] {
        &self.tables[Self::code(tokens)]
    }
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    permutations(n - 1)
        .into_iter()
        .flat_map(|shorter| {
            (0..n).map(move |at| {
                let mut longer = shorter.clone();
                longer.insert(at, n - 1);
                longer
            })
        })
        .collect()
}
