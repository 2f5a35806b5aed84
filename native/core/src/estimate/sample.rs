//! Random choice, the same everywhere: a generator, and systematic sampling in proportion to size.

/// A stream of random numbers (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// The stream of a round.
    pub(super) fn new(seed: u64, round: u64) -> Self {
        let mut chance = Self(seed ^ round.wrapping_mul(0xd1b5_4a32_d192_ed03));
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least 0, less than 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Chooses at most `most` places in proportion to their sizes. Gives each with the inverse of its probability; that of
/// places so large that they are certain is 1. Places of size 0 are never chosen.
///
/// Neighbours are chosen evenly, so places that are alike should be neighbours.
pub(super) fn sample(sizes: &[f64], most: usize, chance: &mut Chance) -> Vec<(usize, f64)> {
    let wanted: Vec<usize> = (0..sizes.len()).filter(|&at| sizes[at] > 0.0).collect();
    if wanted.len() <= most {
        return wanted.into_iter().map(|at| (at, 1.0)).collect();
    }
    // What is larger than a step is certain; without these the step is less, and others may be larger than that.
    let mut by_size = wanted.clone();
    by_size.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(a.cmp(&b)));
    let mut left: f64 = by_size.iter().map(|&at| sizes[at]).sum();
    let mut certain = 0;
    while certain < most && sizes[by_size[certain]] * (most - certain) as f64 >= left {
        left -= sizes[by_size[certain]];
        certain += 1;
    }
    let mut chosen: Vec<(usize, f64)> = by_size[..certain].iter().map(|&at| (at, 1.0)).collect();
    if certain < most && left > 0.0 {
        let mut rest: Vec<usize> = by_size[certain..].to_vec();
        rest.sort_unstable();
        let step = left / (most - certain) as f64;
        let mut next = chance.unit() * step;
        let mut sum = 0.0;
        for at in rest {
            sum += sizes[at];
            // A place less than a step is passed once at most, but for rounding.
            if sum > next {
                chosen.push((at, step / sizes[at]));
                next += step;
            }
        }
    }
    chosen.sort_unstable_by_key(|&(at, _)| at);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_places_are_all_chosen() {
        assert_eq!(sample(&[1.0, 0.0, 3.0], 2, &mut Chance::new(1, 0)), [(0, 1.0), (2, 1.0)]);
    }

    #[test]
    fn the_expected_sum_is_the_sum() {
        let mut chance = Chance::new(7, 0);
        let sizes: Vec<f64> = (0..200).map(|_| (chance.unit() * 6.0).exp()).collect();
        // What is counted need not go with the sizes.
        let values: Vec<f64> = (0..200).map(|_| chance.unit()).collect();
        let rounds = 4000;
        let mut mean = 0.0;
        for round in 0..rounds {
            let chosen = sample(&sizes, 40, &mut Chance::new(3, round));
            assert!(chosen.len() <= 41 && chosen.len() >= 39, "{}", chosen.len());
            mean += chosen.iter().map(|&(at, raised)| values[at] * raised).sum::<f64>() / rounds as f64;
        }
        let sum: f64 = values.iter().sum();
        assert!((mean / sum - 1.0).abs() < 0.05, "{mean} for {sum}");
    }
}
