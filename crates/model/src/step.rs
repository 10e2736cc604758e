//! Which step a call of `log` writes to, and when a row is complete.

/// The step counter of a run: the number that the next automatic row will use, and whether a row is open there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepCounter {
    next: i64,
    open: bool,
}

/// What one call of `log` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepPlan {
    /// Where the data goes.
    pub step: i64,
    /// Whether an open row at an earlier step is completed first.
    pub commits_open: bool,
    /// Whether the row that gets the data is complete afterwards.
    pub commits: bool,
}

impl StepCounter {
    /// A counter that begins at a step.
    pub fn new(first: i64) -> Self {
        Self { next: first, open: false }
    }

    /// The number that the next automatic row will use.
    pub fn next(&self) -> i64 {
        self.next
    }

    /// Whether a row is open at that step.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Decides one call of `log(data, step, commit)` and moves the counter.
    ///
    /// Without a step the data joins the row at the counter, complete unless told otherwise. With a step at or above
    /// the counter the counter moves there and the row stays open unless told otherwise. A step below the counter is a
    /// late row: complete at once, and the counter stays.
    pub fn plan(&mut self, step: Option<i64>, commit: Option<bool>) -> StepPlan {
        let target = step.unwrap_or(self.next);
        if target < self.next {
            return StepPlan { step: target, commits_open: false, commits: true };
        }
        let commits_open = self.open && target > self.next;
        let commits = commit.unwrap_or(step.is_none());
        // The last representable step can be written any number of times, but there is none after it.
        self.next = if commits { target.saturating_add(1) } else { target };
        self.open = !commits;
        StepPlan { step: target, commits_open, commits }
    }

    /// Completes the open row, as `finish` does; answers whether there was one.
    pub fn commit_open(&mut self) -> bool {
        let was_open = self.open;
        if was_open {
            self.next = self.next.saturating_add(1);
            self.open = false;
        }
        was_open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(step: i64, commits_open: bool, commits: bool) -> StepPlan {
        StepPlan { step, commits_open, commits }
    }

    #[test]
    fn automatic_rows_count_up() {
        let mut counter = StepCounter::new(0);
        assert_eq!(counter.plan(None, None), plan(0, false, true));
        assert_eq!(counter.plan(None, None), plan(1, false, true));
        assert_eq!(counter.next(), 2);
    }

    #[test]
    fn an_explicit_step_stays_open_until_the_next() {
        let mut counter = StepCounter::new(0);
        assert_eq!(counter.plan(Some(10), None), plan(10, false, false));
        assert_eq!(counter.plan(Some(10), None), plan(10, false, false));
        assert_eq!((counter.next(), counter.is_open()), (10, true));
        assert_eq!(counter.plan(None, None), plan(10, false, true));
        assert_eq!(counter.next(), 11);
    }

    #[test]
    fn a_higher_step_completes_the_open_row() {
        let mut counter = StepCounter::new(0);
        assert_eq!(counter.plan(None, Some(false)), plan(0, false, false));
        assert_eq!(counter.plan(Some(4), None), plan(4, true, false));
        assert!(counter.commit_open());
        assert_eq!(counter.next(), 5);
        assert!(!counter.commit_open());
    }

    #[test]
    fn a_late_row_is_kept_and_moves_nothing() {
        let mut counter = StepCounter::new(0);
        counter.plan(Some(20), Some(true));
        assert_eq!(counter.next(), 21);
        assert_eq!(counter.plan(Some(20), None), plan(20, false, true));
        assert_eq!(counter.plan(Some(-3), Some(false)), plan(-3, false, true));
        assert_eq!(counter.next(), 21);
    }

    #[test]
    fn the_last_step_does_not_overflow() {
        let mut counter = StepCounter::new(i64::MAX);
        assert_eq!(counter.plan(None, None).step, i64::MAX);
        assert_eq!(counter.plan(None, None).step, i64::MAX);
    }
}
