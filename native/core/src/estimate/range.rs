//! From the counts of independent rounds to a range.

use serde::Serialize;

/// A number that is not known exactly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// Below this with a chance of one in twenty.
    pub low: f64,
    /// The best guess.
    pub likely: f64,
    /// Above this with a chance of one in twenty.
    pub high: f64,
}

impl Range {
    /// How many times the low end the high end is; 1 if the number is known.
    #[must_use]
    pub fn factor(&self) -> f64 {
        if self.high <= 0.0 { 1.0 } else { self.high / self.low.max(1.0) }
    }
}

/// The 95th percentile of Student's t for 1, 2, 3, ... degrees of freedom; past the end that for infinitely many is near.
const STUDENT: [f64; 20] = [
    6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753,
    1.746, 1.740, 1.734, 1.729, 1.725,
];

/// What rounds miss is the rare that counts much: their spread is less than their error. Measured on texts whose counts
/// are known.
const WIDER: f64 = 1.5;

/// The range of the mean of what the rounds counted. Errors are taken to be factors, as a count cannot be less than 0.
pub(super) fn range_of(counts: &[f64]) -> Range {
    let rounds = counts.len() as f64;
    let likely = counts.iter().sum::<f64>() / rounds;
    if counts.len() < 2 || likely <= 0.0 {
        return Range { low: likely, likely, high: likely };
    }
    let variance = counts.iter().map(|count| (count - likely).powi(2)).sum::<f64>() / (rounds - 1.0);
    let relative = (variance / rounds).sqrt() / likely;
    let student = STUDENT.get(counts.len() - 2).copied().unwrap_or(1.70);
    // The deviation of the logarithm of a number with this relative deviation.
    let spread = (1.0 + relative * relative).ln().sqrt() * student * WIDER;
    Range { low: likely * (-spread).exp(), likely, high: likely * spread.exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rounds_leave_no_doubt() {
        assert_eq!(range_of(&[7.0]), Range { low: 7.0, likely: 7.0, high: 7.0 });
        assert_eq!(range_of(&[7.0, 7.0, 7.0]).factor(), 1.0);
        assert_eq!(range_of(&[0.0, 0.0]).factor(), 1.0);
    }

    #[test]
    fn more_rounds_make_it_narrower() {
        let few = range_of(&[90.0, 110.0, 90.0, 110.0]);
        let many = range_of(&[90.0, 110.0].repeat(10));
        assert!(few.low < many.low && many.low < 100.0 && 100.0 < many.high && many.high < few.high);
        assert_eq!(few.likely, 100.0);
    }
}
