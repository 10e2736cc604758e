//! The buckets of a chart.

use steplog_protocol::Grid;

/// Buckets of one key: `[index * width, (index + 1) * width)`, counted from `first`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Buckets {
    /// No points.
    None,
    /// On the step axis: `2^level` steps wide.
    Steps {
        level: u32,
        first: i64,
        count: u32,
        /// Only steps from here …
        from: i64,
        /// … to here, both included.
        to: i64,
    },
    /// On any other axis: a power of two wide, so that buckets stay where they are while a run grows.
    Numbers { width: f64, first: f64, count: u32, from: f64, to: f64 },
}

impl Buckets {
    /// At most `limit` buckets over the steps from `from` to `to`; two at least, for an edge is always at 0.
    pub(crate) fn over_steps(from: i64, to: i64, limit: u32) -> Self {
        let limit = limit.max(2);
        let count = |level: u32| i128::from(to >> level) - i128::from(from >> level) + 1;
        let level = (0..63).find(|level| count(*level) <= i128::from(limit)).unwrap_or(63);
        Self::Steps { level, first: from >> level, count: count(level) as u32, from, to }
    }

    /// At most `limit` buckets over the numbers from `from` to `to`, which are finite; two at least.
    pub(crate) fn over_numbers(from: f64, to: f64, limit: u32) -> Self {
        let limit = limit.max(2);
        let largest = from.abs().max(to.abs());
        // Finer buckets than the numbers can tell apart would have edges that are not numbers.
        let finest = exponent(largest) - 52;
        let span = to / 2.0 - from / 2.0;
        let start = match span > 0.0 {
            true => (exponent(span) + 1 - limit.ilog2() as i32 - 1).max(finest),
            false => finest.max(-20),
        };
        let mut power = start.clamp(-1022, 1023);
        loop {
            let width = 2f64.powi(power);
            let (first, last) = ((from / width).floor(), (to / width).floor());
            let count = last - first + 1.0;
            if count <= f64::from(limit) || power >= 1023 {
                return Self::Numbers {
                    width,
                    first,
                    count: count.clamp(1.0, 4.0 + f64::from(limit)) as u32,
                    from,
                    to,
                };
            }
            power += 1;
        }
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Steps { count, .. } | Self::Numbers { count, .. } => *count as usize,
        }
    }

    /// The bucket of a step, if it is in the range.
    pub(crate) fn of_step(&self, step: i64) -> Option<usize> {
        match *self {
            Self::Steps { level, first, from, to, .. } if from <= step && step <= to => {
                usize::try_from(i128::from(step >> level) - i128::from(first)).ok()
            }
            _ => None,
        }
    }

    /// The bucket of a number, if it is in the range.
    pub(crate) fn of_number(&self, x: f64) -> Option<usize> {
        match *self {
            Self::Numbers { width, first, count, from, to } if from <= x && x <= to => {
                let index = (x / width).floor() - first;
                (index >= 0.0 && index < f64::from(count)).then_some(index as usize)
            }
            _ => None,
        }
    }

    pub(crate) fn grid(&self, key: &str) -> Grid {
        let (from, width, buckets, exact) = match *self {
            Self::None => (0.0, 0.0, 0, false),
            Self::Steps { level, first, count, .. } => {
                let width = 2f64.powi(level as i32);
                (first as f64 * width, width, count, level == 0)
            }
            Self::Numbers { width, first, count, .. } => (first * width, width, count, false),
        };
        Grid { key: key.into(), from, width, buckets, exact }
    }
}

/// The largest `e` with `2^e <= x`, for a positive number; the lowest there is for 0 and subnormals.
fn exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52 & 0x7ff) as i32 - 1023).max(-1022)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_steps_have_a_bucket_each() {
        let buckets = Buckets::over_steps(3, 9, 10);
        assert_eq!(buckets.grid("loss"), Grid { key: "loss".into(), from: 3.0, width: 1.0, buckets: 7, exact: true });
        assert_eq!([2, 3, 9, 10].map(|step| buckets.of_step(step)), [None, Some(0), Some(6), None]);
    }

    #[test]
    fn many_steps_share_buckets_at_multiples_of_their_width() {
        let buckets = Buckets::over_steps(-5, 1_000_000, 1000);
        let grid = buckets.grid("loss");
        assert_eq!((grid.from, grid.width, grid.buckets, grid.exact), (-1024.0, 1024.0, 978, false));
        assert_eq!((buckets.of_step(-5), buckets.of_step(0)), (Some(0), Some(1)));
        assert_eq!(Buckets::over_steps(i64::MIN, i64::MAX, 1).count(), 2);
    }

    proptest! {
        #[test]
        fn every_number_of_the_range_has_a_bucket(a: f64, b: f64, part in 0.0..1.0f64, limit in 2..2000u32) {
            prop_assume!(a.is_finite() && b.is_finite());
            let (from, to) = if a <= b { (a, b) } else { (b, a) };
            let buckets = Buckets::over_numbers(from, to, limit);
            prop_assert!(buckets.count() <= limit as usize, "{buckets:?}");
            let x = (from * (1.0 - part) + to * part).clamp(from, to);
            for x in [from, x, to] {
                prop_assert!(buckets.of_number(x).is_some(), "{x} {buckets:?}");
            }
            prop_assert_eq!(buckets.of_number(from), Some(0));
        }

        #[test]
        fn buckets_are_no_coarser_than_they_must_be(from in -1e9..1e9f64, span in 1e-3..1e9f64, limit in 4..2000u32) {
            let buckets = Buckets::over_numbers(from, from + span, limit);
            prop_assert!(buckets.count() >= limit as usize / 2 - 1, "{buckets:?}");
        }
    }
}
