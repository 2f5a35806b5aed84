//! Whether what a manifest calls a proof is one: the shapes that it excludes leave no greater volume than it admits, and
//! no ortho that is there contradicts it. That the text has none of the shapes is not searched again.

use crate::archive::Proof;
use crate::optimum::shapes::{contains, least_cores};
use crate::ortho::{Dims, Ortho, shape_name, volume};

/// What is wrong with it, given the best ortho that is there and the shapes of all.
pub(super) fn problems(proof: &Proof, best: Option<&Ortho>, shapes: &[&[u32]]) -> Vec<String> {
    let mut problems = vec![];
    for excluded in &proof.excluded {
        if let Some(held) = shapes.iter().find(|held| contains(held, excluded.shape.dims())) {
            problems.push(format!(
                "{} is excluded and there is an ortho of {}",
                excluded.shape,
                shape_name(held)
            ));
        }
    }
    let next = best.map_or(0, Ortho::volume).saturating_add(1);
    let is_open = |core: &Dims| {
        proof.open.is_none_or(|open| volume(core) < open)
            && !proof.excluded.iter().any(|excluded| contains(core, excluded.shape.dims()))
    };
    let long: Dims = vec![2, u32::try_from(next + 1).unwrap_or(u32::MAX)];
    if let Some(core) = std::iter::once(long).chain(least_cores(next)).find(is_open) {
        let (shape, open) = (shape_name(&core), volume(&core));
        problems.push(format!("nothing that is excluded excludes {shape}, which has the volume {open}"));
    }
    if proof.open.is_some_and(|open| open < next) {
        problems.push(format!("a volume less than {next} is open, and there is an ortho of such a volume"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Excluded;

    fn proof(excluded: &[&str], open: Option<u64>) -> Proof {
        let excluded = excluded.iter().map(|name| {
            let shape: crate::archive::Shape = name.parse().expect("a shape");
            Excluded { volume: volume(shape.dims()), shape }
        });
        Proof { top: 1, excluded: excluded.collect(), open, unranked: None }
    }

    fn wrong(excluded: &[&str], open: Option<u64>) -> usize {
        let best = Ortho { dims: vec![3, 4], tokens: vec![] };
        problems(&proof(excluded, open), Some(&best), &[&[3, 4], &[2, 2, 2]]).len()
    }

    #[test]
    fn every_greater_volume_must_be_excluded() {
        // To have 7: a 2x8, a 3x5, a 4x4 or a 3x3x3.
        assert_eq!(wrong(&["2x8", "3x5", "4x4", "3x3x3"], None), 0);
        assert_eq!(wrong(&["2x5", "4x4", "3x3x3"], None), 0, "more than is needed");
        assert_eq!(wrong(&["2x8", "3x5", "4x4"], None), 1, "3x3x3 is missing");
        assert_eq!(wrong(&["2x8", "3x5", "4x4"], Some(8)), 0, "and is said to be");
        assert_eq!(wrong(&["2x8", "3x5", "4x4"], Some(9)), 1);
        assert_eq!(wrong(&["2x8"], Some(7)), 0);
        assert_eq!(wrong(&["2x8"], Some(6)), 1, "there is one of 6");
        assert_eq!(wrong(&["2x8", "3x4", "4x4", "3x3x3"], None), 1, "there is a 3x4");
        assert_eq!(problems(&proof(&["2x2"], None), None, &[]), [""; 0]);
        assert_eq!(problems(&proof(&["2x3"], None), None, &[]).len(), 1);
    }
}
