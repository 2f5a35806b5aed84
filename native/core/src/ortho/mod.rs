//! What an ortho is (SPEC section 2): its shape, its canonical form, and which of two is the better one.
//!
//! [`Ortho`] is always canonical. What a search fills grows axis by axis in an order of its own; [`Canonicalizer`]
//! turns that *grown* form into the canonical one. Shapes are `u32` lengths, ascending when canonical.

mod canonical;
pub mod check;
mod order;

pub use canonical::{Canonicalizer, canonical_cells};
pub use order::compare_optimal;

use crate::text::Token;

/// The lengths of a grid's axes.
pub type Dims = Vec<u32>;

/// A canonical ortho: `dims` ascending, one token for each cell, cells by shell and then lexicographically.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Ortho {
    /// Axis lengths, ascending; axes of equal length by the token at their unit cell.
    pub dims: Dims,
    /// Tokens in canonical cell order.
    pub tokens: Vec<Token>,
}

impl Ortho {
    /// The product of (length - 1), saturating.
    #[must_use]
    pub fn volume(&self) -> u64 {
        volume(&self.dims)
    }

    /// The number of cells.
    #[must_use]
    pub fn fullness(&self) -> u64 {
        fullness(&self.dims)
    }
}

/// The product of (length - 1), saturating.
#[must_use]
pub fn volume(dims: &[u32]) -> u64 {
    dims.iter().fold(1, |v, &d| v.saturating_mul(u64::from(d.saturating_sub(1))))
}

/// The number of cells, saturating.
#[must_use]
pub fn fullness(dims: &[u32]) -> u64 {
    dims.iter().fold(1, |v, &d| v.saturating_mul(u64::from(d)))
}

/// A shape as people and files write it, such as `2x2x3`.
#[must_use]
pub fn shape_name(dims: &[u32]) -> String {
    let mut name = String::new();
    for d in dims {
        if !name.is_empty() {
            name.push('x');
        }
        name.push_str(&d.to_string());
    }
    name
}

/// The shape of a name such as `2x2x3`; lengths in any order, given back ascending. `None` for anything that is no
/// shape of an ortho (fewer than two axes, a length below 2).
#[must_use]
pub fn parse_shape(name: &str) -> Option<Dims> {
    let mut dims =
        name.split('x').map(|d| d.parse::<u32>().ok().filter(|&d| d >= 2)).collect::<Option<Dims>>()?;
    dims.sort_unstable();
    (dims.len() >= 2).then_some(dims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_shapes_round_trip() {
        assert_eq!(parse_shape("3x2x2"), Some(vec![2, 2, 3]));
        assert_eq!(shape_name(&[2, 2, 3]), "2x2x3");
        for bad in ["", "2", "2x1", "2x", "axb", "2x-3", "2x99999999999"] {
            assert_eq!(parse_shape(bad), None, "{bad}");
        }
    }

    #[test]
    fn volume_ignores_axes_of_length_two() {
        assert_eq!(volume(&[2, 2, 7]), 6);
        assert_eq!(fullness(&[2, 2, 7]), 28);
    }
}
