//! Points of a column: by arrival, and by step with the later write winning.

/// Points in order of arrival. A value that cannot be charted stands here too, for it may overwrite a point.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals {
    steps: Vec<i64>,
    times: Vec<f64>,
    values: Vec<Option<f64>>,
}

impl Arrivals {
    pub(crate) fn push(&mut self, step: i64, time: f64, value: Option<f64>) {
        self.steps.push(step);
        self.times.push(time);
        self.values.push(value);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, f64, Option<f64>)> {
        let rest = self.times.iter().zip(&self.values);
        self.steps.iter().zip(rest).map(|(step, (time, value))| (*step, *time, *value))
    }
}

/// Points by step, each step once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Points {
    pub(crate) steps: Vec<i64>,
    pub(crate) times: Vec<f64>,
    pub(crate) values: Vec<f64>,
}

impl Points {
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Memory that they take, with what is taken in advance.
    pub(crate) fn bytes(&self) -> usize {
        8 * (self.steps.capacity() + self.times.capacity() + self.values.capacity())
    }

    /// Takes in later points: they win over those that are here.
    pub(crate) fn extend(&mut self, arrivals: &Arrivals) {
        let mut last = self.steps.last().copied();
        let in_order = arrivals.iter().all(|(step, _, value)| {
            let later = last.is_none_or(|last| step > last) && value.is_some();
            last = Some(step);
            later
        });
        if in_order {
            self.steps.extend(&arrivals.steps);
            self.times.extend(&arrivals.times);
            self.values.extend(arrivals.values.iter().flatten());
            return;
        }
        let old = std::mem::take(self);
        let mut all: Vec<(i64, f64, Option<f64>)> =
            old.iter().map(|(step, time, value)| (step, time, Some(value))).collect();
        all.extend(arrivals.iter());
        // Stable: of equal steps the later write stays last.
        all.sort_by_key(|(step, ..)| *step);
        for (index, (step, time, value)) in all.iter().enumerate() {
            let is_overwritten = all.get(index + 1).is_some_and(|(next, ..)| next == step);
            if let (Some(value), false) = (value, is_overwritten) {
                self.steps.push(*step);
                self.times.push(*time);
                self.values.push(*value);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, f64, f64)> {
        let rest = self.times.iter().zip(&self.values);
        self.steps.iter().zip(rest).map(|(step, (time, value))| (*step, *time, *value))
    }

    /// Those with steps from `from` to `to`, both included.
    pub(crate) fn between(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, f64, f64)> {
        let begin = self.steps.partition_point(|step| *step < from);
        let end = self.steps.partition_point(|step| *step <= to).max(begin);
        (begin..end).map(|index| (self.steps[index], self.times[index], self.values[index]))
    }
}

impl From<&Arrivals> for Points {
    fn from(arrivals: &Arrivals) -> Self {
        let mut points = Self::default();
        points.extend(arrivals);
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_write_wins_and_text_takes_a_point_away() {
        let mut points = Points::default();
        let mut arrivals = Arrivals::default();
        for (step, value) in [(3, Some(0.3)), (1, Some(0.1)), (3, Some(0.33)), (2, None), (1, None)] {
            arrivals.push(step, step as f64, value);
        }
        points.extend(&arrivals);
        assert_eq!((&points.steps[..], &points.values[..]), (&[3][..], &[0.33][..]));
        let mut late = Arrivals::default();
        late.push(1, 9.0, Some(0.11));
        late.push(4, 4.0, Some(0.4));
        points.extend(&late);
        assert_eq!(points.iter().collect::<Vec<_>>(), vec![(1, 9.0, 0.11), (3, 3.0, 0.33), (4, 4.0, 0.4)]);
        assert_eq!(points.between(2, 3).collect::<Vec<_>>(), vec![(3, 3.0, 0.33)]);
    }
}
