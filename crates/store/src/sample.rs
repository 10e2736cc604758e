//! A long history in few rows that hide no extreme.
//!
//! Rows are taken in buckets of equally many rows. Of each bucket stay its last row and, for every key, the rows with the
//! lowest and the highest value and the first with a NaN. Buckets are joined in pairs, and so get twice as wide, until
//! few enough rows stay: what stays of two buckets is enough to tell what stays of both together.

use std::collections::BTreeSet;

use steplog_model::Value;

use crate::history::HistoryRow;

/// Most extremes held at a time, in buckets × keys.
const MAX_CELLS: usize = 1 << 19;

/// Chooses the steps to keep, from rows in the order of their steps.
pub(crate) struct Sampler {
    samples: usize,
    most_buckets: usize,
    keys: usize,
    /// How many rows a full bucket has.
    width: u64,
    full: Vec<Bucket>,
    /// How many rows of the full buckets stay.
    kept: usize,
    open: Option<(Bucket, u64)>,
    first: Option<i64>,
}

/// What stays of some rows that follow each other.
struct Bucket {
    last: i64,
    /// By key.
    extremes: Vec<Extremes>,
}

/// Values with their steps; of equal ones the first.
#[derive(Clone, Copy, Default)]
struct Extremes {
    low: Option<(f64, i64)>,
    high: Option<(f64, i64)>,
    nan: Option<i64>,
}

impl Sampler {
    /// At most `samples` rows stay, or one bucket's if those are more: up to three for each key, and two.
    pub(crate) fn new(samples: usize, keys: usize) -> Self {
        let most_buckets = (MAX_CELLS / keys.max(1)).clamp(1, samples.max(1));
        Self { samples, most_buckets, keys, width: 1, full: Vec::new(), kept: 0, open: None, first: None }
    }

    pub(crate) fn push(&mut self, row: &HistoryRow) {
        self.first.get_or_insert(row.step);
        let keys = self.keys;
        let empty = || (Bucket { last: row.step, extremes: vec![Extremes::default(); keys] }, 0);
        let (bucket, rows) = self.open.get_or_insert_with(empty);
        bucket.take(row);
        *rows += 1;
        if *rows == self.width {
            self.close();
            while self.is_too_much() {
                let width = self.width;
                if let Some(mut rest) = self.join_pairs() {
                    // Behind it stands what was left over before.
                    let rows = self.open.take().map_or(0, |(bucket, rows)| {
                        rest.join(&bucket);
                        rows
                    });
                    self.open = Some((rest, width + rows));
                }
            }
        }
    }

    /// The steps that stay.
    pub(crate) fn finish(mut self) -> BTreeSet<i64> {
        self.close();
        let first = self.first;
        let adds_first = |full: &[Bucket]| {
            let steps = full.first().map(Bucket::steps).unwrap_or_default();
            usize::from(first.is_some_and(|first| !steps.contains(&first)))
        };
        while self.full.len() > 1 && (self.is_too_much() || self.kept + adds_first(&self.full) > self.samples) {
            if let Some(rest) = self.join_pairs() {
                self.kept += rest.steps().len();
                self.full.push(rest);
            }
        }
        self.full.iter().flat_map(Bucket::steps).chain(first).collect()
    }

    fn close(&mut self) {
        if let Some((bucket, _)) = self.open.take() {
            self.kept += bucket.steps().len();
            self.full.push(bucket);
        }
    }

    fn is_too_much(&self) -> bool {
        self.full.len() > 1 && (self.kept > self.samples || self.full.len() > self.most_buckets)
    }

    /// Makes all buckets twice as wide; answers the one that had no partner.
    fn join_pairs(&mut self) -> Option<Bucket> {
        self.width *= 2;
        let mut buckets = std::mem::take(&mut self.full).into_iter();
        let mut rest = None;
        while let Some(mut bucket) = buckets.next() {
            match buckets.next() {
                Some(next) => {
                    bucket.join(&next);
                    self.full.push(bucket);
                }
                None => rest = Some(bucket),
            }
        }
        self.kept = self.full.iter().map(|bucket| bucket.steps().len()).sum();
        rest
    }
}

impl Bucket {
    fn take(&mut self, row: &HistoryRow) {
        self.last = row.step;
        for (extremes, value) in self.extremes.iter_mut().zip(&row.values) {
            if let Some(number) = value.as_ref().and_then(Value::as_f64) {
                extremes.take(number, row.step);
            }
        }
    }

    fn join(&mut self, next: &Self) {
        self.last = next.last;
        for (extremes, next) in self.extremes.iter_mut().zip(&next.extremes) {
            for (number, step) in next.low.into_iter().chain(next.high) {
                extremes.take(number, step);
            }
            extremes.nan = extremes.nan.or(next.nan);
        }
    }

    fn steps(&self) -> BTreeSet<i64> {
        let extremes = self.extremes.iter().flat_map(|extremes| {
            let steps = [extremes.low.map(|(_, step)| step), extremes.high.map(|(_, step)| step), extremes.nan];
            steps.into_iter().flatten()
        });
        extremes.chain([self.last]).collect()
    }
}

impl Extremes {
    fn take(&mut self, number: f64, step: i64) {
        if number.is_nan() {
            self.nan.get_or_insert(step);
            return;
        }
        if self.low.is_none_or(|(low, _)| number < low) {
            self.low = Some((number, step));
        }
        if self.high.is_none_or(|(high, _)| number > high) {
            self.high = Some((number, step));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(samples: usize, columns: &[Vec<f64>]) -> Vec<i64> {
        let mut sampler = Sampler::new(samples, columns.len());
        for step in 0..columns[0].len() {
            let values = columns.iter().map(|column| Some(Value::Float(column[step]))).collect();
            sampler.push(&HistoryRow { step: step as i64, time: 0.0, values });
        }
        sampler.finish().into_iter().collect()
    }

    #[test]
    fn few_rows_all_stay() {
        assert_eq!(kept(5, &[vec![1.0; 5]]), [0, 1, 2, 3, 4]);
        assert_eq!(kept(1, &[vec![1.0]]), [0]);
        assert!(Sampler::new(5, 1).finish().is_empty());
    }

    #[test]
    fn a_spike_stays_whatever_stands_around_it() {
        let mut column = vec![0.5; 10_000];
        column[1234] = 9.0;
        column[1240] = -9.0;
        column[7777] = f64::NAN;
        column[8888] = f64::INFINITY;
        let steps = kept(50, &[column]);
        assert!([0, 1234, 1240, 7777, 8888, 9999].iter().all(|step| steps.contains(step)), "{steps:?}");
        assert!((25..=50).contains(&steps.len()), "{steps:?}");
    }

    #[test]
    fn many_keys_keep_their_extremes_even_in_one_bucket() {
        let columns: Vec<Vec<f64>> =
            (0..100).map(|key| (0..1000).map(|step| f64::from((step * (key + 7)) % 1009)).collect()).collect();
        let steps = kept(10, &columns);
        assert!(steps.len() <= 202, "{}", steps.len());
        for column in &columns {
            let (low, high) = extremes(column, 0..column.len());
            assert!(steps.iter().any(|step| column[*step as usize] == low));
            assert!(steps.iter().any(|step| column[*step as usize] == high));
        }
    }

    fn extremes(column: &[f64], rows: std::ops::Range<usize>) -> (f64, f64) {
        let rows = &column[rows];
        (rows.iter().copied().fold(f64::INFINITY, f64::min), rows.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    }

    proptest! {
        #[test]
        fn every_stretch_keeps_its_extremes(column in prop::collection::vec(-9i8..9, 1..400), samples in 4usize..60) {
            let column: Vec<f64> = column.into_iter().map(f64::from).collect();
            let steps = kept(samples, std::slice::from_ref(&column));
            prop_assert!(steps.len() <= samples);
            prop_assert_eq!((steps[0], *steps.last().unwrap()), (0, column.len() as i64 - 1));
            // No bucket is wider than this: at most three rows of each stay, and the first.
            let mut width = 1;
            while column.len().div_ceil(width) * 3 + 1 > samples {
                width *= 2;
            }
            for begin in (0..column.len()).step_by(width) {
                let range = begin..(begin + width).min(column.len());
                let (low, high) = extremes(&column, range.clone());
                let has = |value: f64| {
                    steps.iter().any(|step| range.contains(&(*step as usize)) && column[*step as usize] == value)
                };
                prop_assert!(has(low) && has(high), "{:?} of {:?} in {:?}", range, column, steps);
            }
        }
    }
}
