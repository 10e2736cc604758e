//! How numbers spread: counts in bins of equal width.

use crate::Value;

/// Counts of numbers between edges.
///
/// The bins are those of `numpy.histogram`: of equal width from the lowest to the highest number, each without its upper
/// edge, the last with it; where all numbers are equal, from half below to half above.
///
/// ```
/// use steplog_model::{Histogram, Value};
///
/// let histogram = Histogram::new(&[0.1, 0.2, 0.9], 2).expect("there are finite numbers");
/// assert_eq!(histogram.counts(), [2, 1]);
/// assert_eq!(histogram.edges(), [0.1, 0.5, 0.9]);
/// let loggable: Value = histogram.into();
/// # assert!(loggable.is_typed());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    counts: Vec<u64>,
    /// One more than counts; ascending.
    edges: Vec<f64>,
}

impl Histogram {
    /// Counts numbers in `bins` bins, at least 1. NaN and infinities are left out; `None` when nothing else is there.
    pub fn new(numbers: &[f64], bins: usize) -> Option<Self> {
        let bins = bins.max(1);
        let finite = || numbers.iter().copied().filter(|number| number.is_finite());
        let lowest = finite().reduce(f64::min)?;
        let highest = finite().reduce(f64::max)?;
        let edges = edges(lowest, highest, bins);
        let mut counts = vec![0; bins];
        for number in finite() {
            counts[bin_of(number, &edges)] += 1;
        }
        Some(Self { counts, edges })
    }

    /// How many numbers are in each bin.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The edges of the bins: one more than there are bins.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }
}

/// As it is logged: `{"_type": "histogram", "values": counts, "bins": edges}`.
impl From<Histogram> for Value {
    fn from(histogram: Histogram) -> Self {
        Self::Map(vec![
            ("_type".into(), "histogram".into()),
            ("values".into(), histogram.counts.into()),
            ("bins".into(), histogram.edges.into()),
        ])
    }
}

fn edges(lowest: f64, highest: f64, bins: usize) -> Vec<f64> {
    let (mut first, mut last) = if lowest == highest { (lowest - 0.5, highest + 0.5) } else { (lowest, highest) };
    // Numbers so close together, or so large, that there are too few doubles between them.
    let mut margin = (first.abs().max(last.abs()) * f64::EPSILON * bins as f64).max(f64::MIN_POSITIVE);
    loop {
        let edges = split(first, last, bins);
        if edges.is_sorted_by(|a, b| a < b) || !margin.is_finite() {
            return edges;
        }
        (first, last) = ((lowest - margin).max(f64::MIN), (highest + margin).min(f64::MAX));
        margin *= 2.0;
    }
}

fn split(first: f64, last: f64, bins: usize) -> Vec<f64> {
    let edge = |index: usize| match (last - first) / bins as f64 {
        // Wider than the largest number.
        step if step.is_infinite() => {
            let share = index as f64 / bins as f64;
            first * (1.0 - share) + last * share
        }
        step => index as f64 * step + first,
    };
    (0..bins).map(edge).chain([last]).collect()
}

/// The bin of a number between the first edge and the last.
fn bin_of(number: f64, edges: &[f64]) -> usize {
    let inner = &edges[1..edges.len() - 1];
    inner.partition_point(|edge| *edge <= number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_those_of_numpy() {
        // numpy.histogram([1, 2, 1, 0.5, 4, 3.999], bins=4)
        let histogram = Histogram::new(&[1.0, 2.0, 1.0, 0.5, 4.0, 3.999], 4).unwrap();
        assert_eq!(histogram.counts(), [3, 1, 0, 2]);
        assert_eq!(histogram.edges(), [0.5, 1.375, 2.25, 3.125, 4.0]);
        // numpy.histogram([7, 7, 7], bins=2)
        let equal = Histogram::new(&[7.0; 3], 2).unwrap();
        assert_eq!((equal.counts(), equal.edges()), (&[0, 3][..], &[6.5, 7.0, 7.5][..]));
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        assert_eq!(Histogram::new(&[f64::NAN, f64::INFINITY], 2), None);
        assert_eq!(Histogram::new(&[], 2), None);
        let histogram = Histogram::new(&[f64::NAN, 1.0, f64::NEG_INFINITY, 2.0], 2).unwrap();
        assert_eq!((histogram.counts(), histogram.edges()), (&[1, 1][..], &[1.0, 1.5, 2.0][..]));
    }

    #[test]
    fn any_range_can_be_split() {
        for (lowest, highest) in
            [(1e300, 1e300), (-f64::MAX, f64::MAX), (1.0, 1.0 + f64::EPSILON), (0.0, 5e-324), (f64::MAX, f64::MAX)]
        {
            let histogram = Histogram::new(&[lowest, highest], 32).unwrap();
            assert!(histogram.edges().is_sorted_by(|a, b| a < b), "{lowest:e} {highest:e}");
            assert!(histogram.edges()[0] <= lowest && highest <= histogram.edges()[32]);
            assert_eq!(histogram.counts().iter().sum::<u64>(), 2);
        }
    }

    #[test]
    fn as_a_value_it_is_typed() {
        let value = Value::from(Histogram::new(&[0.0, 1.0], 1).unwrap());
        let expected = serde_json::json!({"_type": "histogram", "values": [2], "bins": [0.0, 1.0]});
        assert_eq!((value.is_typed(), value.to_json()), (true, expected));
    }
}
