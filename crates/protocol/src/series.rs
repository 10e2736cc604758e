//! Charts: many runs × many keys in one request, bucketed with exact statistics, answered as Arrow.
//!
//! `POST /series` answers an Arrow IPC stream (`application/vnd.apache.arrow.stream`) with these columns, a row for each
//! bucket that has a point, ordered by series and bucket:
//!
//! | column | type | meaning |
//! | --- | --- | --- |
//! | `series` | u32 | index into [`SeriesMetadata::series`] |
//! | `bucket` | u32 | index into the grid of the series' key |
//! | `x` | f64 | x of the last point of the bucket |
//! | `min`, `max`, `mean` | f64 | over the finite points of the bucket; NaN when there are none |
//! | `last` | f64 | the point with the highest x, whatever it is |
//! | `count` | u32 | how many points, non-finite ones too |
//! | `nan_count`, `positive_infinity_count`, `negative_infinity_count` | u32 | how many points of each kind |
//!
//! The schema's metadata holds under `steplog` the JSON of [`SeriesMetadata`].

use serde::{Deserialize, Serialize};

/// Most buckets that a request may ask for.
pub const MAX_BUCKETS: u32 = 10_000;

/// Most series (runs × keys) that a request may ask for.
pub const MAX_SERIES: usize = 20_000;

/// `POST /series`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesRequest {
    /// Run paths, `entity/project/id`.
    pub runs: Vec<String>,
    /// Metric keys. Those that begin with `_system/` are of system metrics: what a machine was busy with. On the axis of
    /// steps a sample stands at the highest step that its run had, on that of another metric nowhere.
    pub keys: Vec<String>,
    /// What the points are placed by. Default: step.
    #[serde(default)]
    pub x: XAxis,
    /// Only points with `from <= x <= to`; all points when absent.
    #[serde(default)]
    pub range: Option<[f64; 2]>,
    /// At most so many buckets over the range. Default 1,000.
    #[serde(default)]
    pub buckets: Option<u32>,
}

/// What the points of a chart are placed by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum XAxis {
    /// The step.
    #[default]
    Step,
    /// Seconds since the run began.
    RelativeTime,
    /// Unix seconds.
    WallTime,
    /// The value of another metric at the same step.
    Metric {
        /// That metric's key.
        key: String,
    },
}

/// What the rows of a series answer mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesMetadata {
    /// One for each key of the request, in its order: all runs of a key share a grid.
    pub grids: Vec<Grid>,
    /// The series that have any point at all, by key and then run, in the request's order.
    pub series: Vec<SeriesInfo>,
}

/// The buckets of one key: bucket `i` holds `from + i * width <= x < from + (i + 1) * width`.
///
/// On the step axis the width is a power of two and `from` a multiple of it, so that buckets stay where they are while a
/// run grows; at width 1 every step is a bucket of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Grid {
    /// The key.
    pub key: String,
    /// Left edge of bucket 0.
    pub from: f64,
    /// Width of a bucket; 0 when there are no points.
    pub width: f64,
    /// How many buckets.
    pub buckets: u32,
    /// Whether each bucket is exactly one step.
    pub exact: bool,
}

/// One key of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesInfo {
    /// `entity/project/id`.
    pub run: String,
    /// Index into [`SeriesMetadata::grids`].
    pub grid: u32,
    /// How many points the whole series has, in and out of the range.
    pub point_count: u64,
    /// Lowest x of the whole series.
    pub first_x: f64,
    /// Highest x of the whole series.
    pub last_x: f64,
}
