//! Which of two orthos is the optimal one (SPEC section 2).

use std::cmp::Ordering;

use super::Ortho;

/// `Greater` if `a` is the better: greater (volume, fullness); of equals the one whose shape, then whose token list,
/// comes first. Total, so the optimum is unique.
#[must_use]
pub fn compare_optimal(a: &Ortho, b: &Ortho) -> Ordering {
    (a.volume(), a.fullness())
        .cmp(&(b.volume(), b.fullness()))
        .then_with(|| b.dims.cmp(&a.dims))
        .then_with(|| b.tokens.cmp(&a.tokens))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_then_fullness_then_shape_then_tokens() {
        let ortho = |dims: &[u32], first: u32| Ortho {
            dims: dims.to_vec(),
            tokens: (first..first + dims.iter().product::<u32>()).collect(),
        };
        let worse_to_better = [
            ortho(&[2, 2], 5),
            ortho(&[2, 2], 1),
            ortho(&[2, 2, 2], 7),
            ortho(&[2, 3], 0),
            ortho(&[3, 3], 0),
            ortho(&[2, 5], 0),
            ortho(&[2, 3, 3], 9),
            ortho(&[2, 2, 5], 9),
        ];
        for (i, a) in worse_to_better.iter().enumerate() {
            for (j, b) in worse_to_better.iter().enumerate() {
                assert_eq!(compare_optimal(a, b), i.cmp(&j), "{i} {j}");
            }
        }
    }
}
