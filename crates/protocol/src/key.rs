//! Which metrics there are.

use serde::{Deserialize, Serialize};

/// `POST /keys/query`: the metrics that any of the runs has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeysRequest {
    /// `entity/project`.
    pub project: String,
    /// Run ids within the project; `null` for all of them.
    pub runs: Option<Vec<String>>,
}

/// The answer of `POST /keys/query`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyList {
    /// By key.
    pub keys: Vec<MetricKey>,
}

/// One metric over the runs asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricKey {
    /// The key as logged, or `_system/` and the name of a system metric, after the label of its process and a `/` where it
    /// has one; the parts of a nested key are joined by `.`, and a `.` or `\` inside a part has a `\` before it.
    pub key: String,
    /// What kind of values it holds.
    pub kind: ValueKind,
    /// How many of the runs have it.
    pub run_count: u64,
    /// How many points it has in all these runs.
    pub point_count: u64,
    /// Whether the newest of the runs that says something about it wants its charts hidden unless asked for.
    pub hidden: bool,
    /// The key that is its natural x-axis, as that run says; `null` when it says none, or none of the runs has that key.
    pub step_metric: Option<String>,
}

/// What kind of values a metric holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Numbers only (booleans count as 0 and 1): can be charted.
    Number,
    /// Anything else only: text, lists, objects.
    Other,
    /// Both.
    Mixed,
}
