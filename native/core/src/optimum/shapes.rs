//! Which shapes have to be looked at: arithmetic, no text.
//!
//! A *core* is a shape without its axes of length 2, which do not count for the volume. Cores of two and more axes
//! are lists of lengths >= 3, ascending. The core `[k]` stands for 2xk, the empty core for cubes.

use crate::ortho::Dims;

/// The cores of two and more axes with at least this volume of which no lesser core has that: an ortho of at least
/// this volume has one of them inside, or a 2xk of that volume. Those with the longest axes first.
#[must_use]
pub fn least_cores(volume: u64) -> Vec<Dims> {
    let mut found = vec![];
    for first in (2..volume).rev() {
        add_factor(&mut vec![first], first, volume, &mut found);
    }
    found
}

/// Factors in descending order; all but the last are such that the volume is not reached without it.
fn add_factor(factors: &mut Vec<u64>, product: u64, volume: u64, found: &mut Vec<Dims>) {
    let most = factors.last().copied().unwrap_or(2);
    let enough = volume.div_ceil(product);
    // A last factor is the least that is enough; a factor that is not the last is less.
    for factor in 2..=most.min(enough.max(2)) {
        let product = product.saturating_mul(factor);
        factors.push(factor);
        if product >= volume {
            if factors.iter().all(|f| product / f * (f - 1) < volume) {
                found.push(factors.iter().rev().map(|&f| f as u32 + 1).collect());
            }
        } else {
            add_factor(factors, product, volume, found);
        }
        factors.pop();
    }
}

/// The cores of exactly this volume, that of one axis (or none, for volume 1) among them; those with the longest axes
/// first.
pub(super) fn cores_of(volume: u64) -> Vec<Dims> {
    fn divide(factors: &mut Vec<u64>, left: u64, most: u64, found: &mut Vec<Dims>) {
        if left == 1 {
            found.push(factors.iter().rev().map(|&f| f as u32 + 1).collect());
        }
        for factor in (2..=left.min(most)).rev().filter(|&factor| left.is_multiple_of(factor)) {
            factors.push(factor);
            divide(factors, left / factor, factor, found);
            factors.pop();
        }
    }
    let mut found = vec![];
    divide(&mut vec![], volume, volume, &mut found);
    found
}

/// Whether every ortho of shape `outer` has one of shape `inner` inside; both ascending.
#[must_use]
pub fn contains(outer: &[u32], inner: &[u32]) -> bool {
    // The longest axes are matched with each other; what has no partner among the outer must not be there.
    inner.len() <= outer.len()
        && inner.iter().rev().zip(outer.iter().rev()).all(|(inner, outer)| inner <= outer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ortho::volume as core_volume;

    /// All cores of some axes up to a length, by trying all.
    fn all_cores(most: u32, axes: usize) -> Vec<Dims> {
        let mut all: Vec<Dims> = vec![vec![]];
        let mut last = all.clone();
        for _ in 0..axes {
            last = last
                .iter()
                .flat_map(|core| {
                    let least = core.last().copied().unwrap_or(3);
                    (least..=most).map(move |d| [&core[..], &[d]].concat())
                })
                .collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    #[test]
    fn least_cores_are_inside_everything_that_is_large_enough() {
        for least in 2..30 {
            let cores = least_cores(least);
            for core in &cores {
                assert!(core.len() >= 2 && core.is_sorted() && core_volume(core) >= least, "{core:?}");
                for other in cores.iter().filter(|other| *other != core) {
                    assert!(!contains(core, other), "{core:?} has {other:?} inside");
                }
            }
            for core in all_cores(9, 5) {
                let long = core.iter().any(|&d| u64::from(d) > least);
                let inside = cores.iter().any(|inner| contains(&core, inner));
                assert_eq!(core_volume(&core) >= least, long || inside, "{core:?} for {least}");
            }
        }
    }

    #[test]
    fn cores_of_a_volume_are_its_factorisations() {
        assert_eq!(cores_of(1), [Vec::<u32>::new()]);
        assert_eq!(cores_of(7), [[8]]);
        assert_eq!(cores_of(12), [vec![13], vec![3, 7], vec![4, 5], vec![3, 3, 4]]);
        for volume in 1..40 {
            let mut expected: Vec<Dims> =
                all_cores(41, 3).into_iter().filter(|core| core_volume(core) == volume).collect();
            let mut found: Vec<Dims> = cores_of(volume).into_iter().filter(|core| core.len() <= 3).collect();
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{volume}");
        }
    }
}
