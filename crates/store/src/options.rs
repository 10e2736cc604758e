//! How a store behaves.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Settings of a store; the defaults suit a laptop as well as a small server.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// A run without an exit record counts as crashed when nothing came for so long.
    pub crashed_after: Duration,
    /// Live columns are sealed when one of a run has so many unsealed points; also the largest chunk.
    pub seal_points: usize,
    /// Live columns of all runs may take about so much memory before they are sealed early.
    pub hot_bytes: usize,
    /// How often the background looks for runs to seal, summaries to write, and runs that went silent.
    pub seal_interval: Duration,
    /// A run to which nothing came for so long is sealed whatever its size.
    pub seal_idle: Duration,
    /// Memory for what queries keep: decoded chunks, chart statistics, columns of the lists of runs.
    pub cache_bytes: usize,
    /// A column with more points than this is charted from statistics of ranges of steps, which are kept in their place.
    pub chart_points: usize,
    /// Of a column with so many points or more, and more than `chart_points`, those statistics are kept in the database.
    pub kept_points: usize,
    /// Bytes of requests that may wait to be written; more are refused as unavailable.
    pub queue_bytes: usize,
    /// Most pages that the database may have; `None` for no limit.
    pub max_pages: Option<u32>,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            crashed_after: Duration::from_secs(60),
            seal_points: 8192,
            hot_bytes: 256 << 20,
            seal_interval: Duration::from_secs(1),
            seal_idle: Duration::from_secs(120),
            cache_bytes: 128 << 20,
            chart_points: 1 << 15,
            kept_points: 1 << 21,
            queue_bytes: 256 << 20,
            max_pages: None,
            clock: Clock::default(),
        }
    }
}

/// A source of the time, in Unix seconds.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Clock {
    /// A clock that answers what `now` answers.
    pub fn new(now: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time, Unix seconds.
    pub fn now(&self) -> f64 {
        (self.0)()
    }
}

impl Default for Clock {
    /// The clock of the machine.
    fn default() -> Self {
        Self::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64()))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
