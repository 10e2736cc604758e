//! Exact statistics of some points: what a bucket of a chart shows, and what stands beside every chunk.

use crate::Error;

/// Sums are also kept scaled down by 2^-64, so that finite points whose sum overflows still have a mean.
const SCALE: f64 = 5.421_010_862_427_522e-20;

/// Statistics of points. Points are added, and statistics merged, in the order of their steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Statistics {
    pub(crate) count: u32,
    pub(crate) nan_count: u32,
    pub(crate) positive_infinity_count: u32,
    pub(crate) negative_infinity_count: u32,
    /// Of the finite points; +Inf when there are none.
    pub(crate) min: f64,
    /// Of the finite points; -Inf when there are none.
    pub(crate) max: f64,
    pub(crate) sum: f64,
    pub(crate) scaled_sum: f64,
    pub(crate) first_step: i64,
    pub(crate) last_step: i64,
    /// The value at the highest step.
    pub(crate) last: f64,
    pub(crate) first_time: f64,
    pub(crate) last_time: f64,
    /// The value at the highest time; of two at one time, that with the higher step.
    pub(crate) last_in_time: f64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            count: 0,
            nan_count: 0,
            positive_infinity_count: 0,
            negative_infinity_count: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: 0.0,
            scaled_sum: 0.0,
            first_step: i64::MAX,
            last_step: i64::MIN,
            last: f64::NAN,
            first_time: f64::INFINITY,
            last_time: f64::NEG_INFINITY,
            last_in_time: f64::NAN,
        }
    }
}

impl Statistics {
    pub(crate) fn add(&mut self, step: i64, time: f64, value: f64) {
        self.count += 1;
        if value.is_finite() {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            self.sum += value;
            self.scaled_sum += value * SCALE;
        } else if value.is_nan() {
            self.nan_count += 1;
        } else if value > 0.0 {
            self.positive_infinity_count += 1;
        } else {
            self.negative_infinity_count += 1;
        }
        self.first_step = self.first_step.min(step);
        if step >= self.last_step {
            self.last_step = step;
            self.last = value;
        }
        self.first_time = self.first_time.min(time);
        if time >= self.last_time {
            self.last_time = time;
            self.last_in_time = value;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.nan_count += other.nan_count;
        self.positive_infinity_count += other.positive_infinity_count;
        self.negative_infinity_count += other.negative_infinity_count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        self.scaled_sum += other.scaled_sum;
        self.first_step = self.first_step.min(other.first_step);
        if other.last_step >= self.last_step {
            self.last_step = other.last_step;
            self.last = other.last;
        }
        self.first_time = self.first_time.min(other.first_time);
        if other.last_time >= self.last_time {
            self.last_time = other.last_time;
            self.last_in_time = other.last_in_time;
        }
    }

    fn finite_count(&self) -> u32 {
        self.count - self.nan_count - self.positive_infinity_count - self.negative_infinity_count
    }

    /// Mean of the finite points; NaN when there are none.
    pub(crate) fn mean(&self) -> f64 {
        let count = f64::from(self.finite_count());
        if count == 0.0 {
            f64::NAN
        } else if self.sum.is_finite() {
            self.sum / count
        } else {
            self.scaled_sum / count / SCALE
        }
    }

    /// Minimum of the finite points; NaN when there are none.
    pub(crate) fn finite_min(&self) -> f64 {
        if self.finite_count() == 0 { f64::NAN } else { self.min }
    }

    /// Maximum of the finite points; NaN when there are none.
    pub(crate) fn finite_max(&self) -> f64 {
        if self.finite_count() == 0 { f64::NAN } else { self.max }
    }

    pub(crate) fn encode(&self) -> [u8; 96] {
        let mut bytes = [0; 96];
        let counts = [self.count, self.nan_count, self.positive_infinity_count, self.negative_infinity_count];
        for (place, count) in bytes[..16].chunks_exact_mut(4).zip(counts) {
            place.copy_from_slice(&count.to_le_bytes());
        }
        let words = [
            self.min.to_bits(),
            self.max.to_bits(),
            self.sum.to_bits(),
            self.scaled_sum.to_bits(),
            self.first_step as u64,
            self.last_step as u64,
            self.last.to_bits(),
            self.first_time.to_bits(),
            self.last_time.to_bits(),
            self.last_in_time.to_bits(),
        ];
        for (place, word) in bytes[16..].chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() != 96 {
            return Err(Error::data("the statistics of a chunk have a wrong size"));
        }
        let count = |index: usize| u32::from_le_bytes(bytes[4 * index..][..4].try_into().expect("4 bytes"));
        let word = |index: usize| u64::from_le_bytes(bytes[16 + 8 * index..][..8].try_into().expect("8 bytes"));
        let float = |index| f64::from_bits(word(index));
        Ok(Self {
            count: count(0),
            nan_count: count(1),
            positive_infinity_count: count(2),
            negative_infinity_count: count(3),
            min: float(0),
            max: float(1),
            sum: float(2),
            scaled_sum: float(3),
            first_step: word(4) as i64,
            last_step: word(5) as i64,
            last: float(6),
            first_time: float(7),
            last_time: float(8),
            last_in_time: float(9),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Statistics {
        let mut statistics = Statistics::default();
        for (step, value) in values.iter().enumerate() {
            statistics.add(step as i64, step as f64, *value);
        }
        statistics
    }

    #[test]
    fn points_that_are_not_finite_are_counted_apart() {
        let statistics = of(&[1.0, f64::NAN, 3.0, f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!((statistics.min, statistics.max, statistics.mean()), (1.0, 3.0, 2.0));
        assert_eq!((statistics.count, statistics.last), (5, f64::NEG_INFINITY));
        let none = of(&[f64::NAN]);
        assert!(none.mean().is_nan() && none.finite_min().is_nan() && none.finite_max().is_nan());
    }

    #[test]
    fn a_sum_that_overflows_has_a_mean() {
        let mean = of(&[f64::MAX, f64::MAX, f64::MAX]).mean();
        assert!((mean / f64::MAX - 1.0).abs() < 1e-15, "{mean}");
        assert_eq!(of(&[f64::MIN_POSITIVE, f64::MIN_POSITIVE]).mean(), f64::MIN_POSITIVE);
    }

    #[test]
    fn statistics_read_back() {
        let statistics = of(&[1.0, 5e-324, -0.0]);
        assert_eq!(Statistics::decode(&statistics.encode()).unwrap(), statistics);
        assert!(Statistics::decode(&[0; 95]).is_err());
    }
}
