//! From the order in which a search grows an ortho to its canonical form.
//!
//! A *grown* ortho lists its axes in the order they were added and its cells with the first axis fastest. The
//! canonical form sorts the axes by (length, token at the unit cell) and the cells by shell, then lexicographically.
//! The map between the two depends only on the grown dims and the order of the axes, so it is computed once for each
//! and cached; a conversion then costs one pass over the cells.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Dims, Ortho};
use crate::text::Token;

/// The coordinates of all cells of a shape in canonical order: by coordinate sum, then lexicographically.
///
/// Cost: time and memory in proportion to cells times axes, with a sort.
#[must_use]
pub fn canonical_cells(dims: &[u32]) -> Vec<Vec<u32>> {
    let mut cells = vec![vec![]];
    for &d in dims {
        cells = cells
            .into_iter()
            .flat_map(|cell: Vec<u32>| {
                (0..d).map(move |x| {
                    let mut longer = cell.clone();
                    longer.push(x);
                    longer
                })
            })
            .collect();
    }
    // Stable, and the cells were made in lexicographic order.
    cells.sort_by_key(|cell| cell.iter().map(|&x| u64::from(x)).sum::<u64>());
    cells
}

/// Maps larger than this are made anew each time, so that a family of long shapes does not fill the memory.
const CACHED_CELLS: usize = 4096;

/// When all maps together have this many cells, they are forgotten and the cache starts anew.
const ALL_CELLS: usize = 1 << 20;

/// For canonical cell `i`, the grown index that it comes from.
type Map = Arc<[u32]>;

/// Converts grown orthos to canonical ones; one for each thread.
#[derive(Debug, Default)]
pub struct Canonicalizer {
    maps: HashMap<(Dims, Vec<u8>), Map>,
    cells: usize,
    axes: Vec<u8>,
}

impl Canonicalizer {
    /// Writes the canonical form of the grown ortho `dims`, `tokens` (first axis fastest) to `out`.
    ///
    /// `tokens` must be numbered by the vocabulary, as only that order is canonical.
    pub fn canonicalize(&mut self, dims: &[u32], tokens: &[Token], out: &mut Ortho) {
        let map = self.map(dims, tokens);
        out.dims.clear();
        out.dims.extend(self.axes.iter().map(|&k| dims[k as usize]));
        out.tokens.clear();
        out.tokens.extend(map.iter().map(|&i| tokens[i as usize]));
    }

    /// Leaves the axes in canonical order in `self.axes`.
    fn map(&mut self, dims: &[u32], tokens: &[Token]) -> Map {
        let mut strides = Vec::with_capacity(dims.len());
        let mut stride = 1usize;
        for &d in dims {
            strides.push(stride);
            stride *= d as usize;
        }
        self.axes.clear();
        self.axes.extend(0..dims.len() as u8);
        self.axes.sort_by_key(|&k| (dims[k as usize], tokens[strides[k as usize]]));
        if let Some(map) = self.maps.get(&(dims.to_vec(), self.axes.clone())) {
            return Arc::clone(map);
        }
        let sorted: Dims = self.axes.iter().map(|&k| dims[k as usize]).collect();
        let map: Map = canonical_cells(&sorted)
            .iter()
            .map(|cell| {
                cell.iter().zip(&self.axes).map(|(&x, &k)| x as usize * strides[k as usize]).sum::<usize>()
                    as u32
            })
            .collect();
        if map.len() <= CACHED_CELLS {
            self.cells += map.len();
            if self.cells > ALL_CELLS {
                self.maps.clear();
                self.cells = map.len();
            }
            self.maps.insert((dims.to_vec(), self.axes.clone()), Arc::clone(&map));
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_listed_by_shell_and_then_lexicographically() {
        let cells = canonical_cells(&[2, 3]);
        assert_eq!(cells, [[0, 0], [0, 1], [1, 0], [0, 2], [1, 1], [1, 2]]);
    }

    #[test]
    fn axes_are_ordered_by_length_and_then_by_unit_token() {
        let mut out = Ortho::default();
        // Grown 3x2: first axis 10, 7, 8; above it 5, 6, 9.
        Canonicalizer::default().canonicalize(&[3, 2], &[10, 7, 8, 5, 6, 9], &mut out);
        assert_eq!((&out.dims, &out.tokens), (&vec![2, 3], &vec![10, 7, 5, 8, 6, 9]));
        // The axis whose unit token is 4 comes first, so its unit cell is (1,0), the second of shell 1.
        Canonicalizer::default().canonicalize(&[2, 2], &[1, 9, 4, 3], &mut out);
        assert_eq!((out.dims, out.tokens), (vec![2, 2], vec![1, 9, 4, 3]));
    }
}
