//! How fast a counter grows.

use std::time::Instant;

/// What a counter was before.
#[derive(Debug, Default)]
pub(crate) struct Rate(Option<(Instant, f64)>);

impl Rate {
    /// Growth a second since the counter was last given; `None` at first, and when it was set back.
    pub(crate) fn follow(&mut self, at: Instant, count: Option<f64>) -> Option<f64> {
        let before = std::mem::replace(&mut self.0, count.map(|count| (at, count)));
        let (before_at, before) = before?;
        let (grown, seconds) = (count? - before, at.duration_since(before_at).as_secs_f64());
        (grown >= 0.0 && seconds > 0.0).then(|| grown / seconds)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_is_growth_by_time() {
        let begin = Instant::now();
        let mut rate = Rate::default();
        let counts = [Some(100.0), Some(120.0), Some(110.0), None, Some(0.0), Some(5.0)];
        let rates: Vec<_> = (0..)
            .zip(counts)
            .map(|(index, count)| rate.follow(begin + Duration::from_secs(2 * index), count))
            .collect();
        assert_eq!(rates, [None, Some(10.0), None, None, None, Some(2.5)]);
        assert_eq!(rate.follow(begin + Duration::from_secs(10), Some(6.0)), None, "no time has passed");
    }
}
