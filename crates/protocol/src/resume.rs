//! What a process needs to know of a run that it goes on with.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `GET /runs/{entity}/{project}/{id}/resume`: where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResumePoint {
    /// Highest step with a row.
    pub last_step: Option<i64>,
    /// Newest time in its records, Unix seconds.
    pub last_time: f64,
    /// Name, if somebody gave it one.
    pub name: Option<String>,
    /// Notes, markdown.
    pub notes: Option<String>,
    /// In the order given.
    pub tags: Vec<String>,
    /// Group.
    pub group: Option<String>,
    /// Job type.
    pub job_type: Option<String>,
    /// The sweep that the run belongs to.
    pub sweep_id: Option<String>,
    /// The config as a nested object.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub config: Map<String, Value>,
    /// The leaves of the summary.
    pub summary: Vec<SummaryLeaf>,
    /// What the script said about its metrics, as it stands in a journal.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub metrics: Vec<Map<String, Value>>,
}

/// One value of a summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SummaryLeaf {
    /// The key as logged, with an aggregate such as `.mean` behind it.
    pub key: String,
    /// The value.
    pub value: Value,
    /// The step of the row that it comes from; `null` when it was set by hand.
    pub step: Option<i64>,
    /// How many numbers a mean is of; 0 for everything else.
    pub count: u64,
}
