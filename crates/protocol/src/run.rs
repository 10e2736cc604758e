//! Runs: the list with filter, sort, group and paging, and one run in full.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whether a run is going on, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Data or heartbeats are coming.
    Running,
    /// Ended with exit code 0.
    Finished,
    /// Ended with another exit code.
    Failed,
    /// Went silent without an exit record; goes back to `running` when data comes.
    Crashed,
}

/// A run as the list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Run {
    /// User or team.
    pub entity: String,
    /// Project.
    pub project: String,
    /// Unique within the project.
    pub id: String,
    /// Shown to people; the server makes one up for a run that has none.
    pub name: String,
    /// State.
    pub state: RunState,
    /// In the order given.
    pub tags: Vec<String>,
    /// Free text, markdown.
    pub notes: Option<String>,
    /// Runs that belong together.
    pub group: Option<String>,
    /// What kind of work the run is, such as `train` or `eval`.
    pub job_type: Option<String>,
    /// When it began, Unix seconds.
    pub created_at: f64,
    /// When data or a heartbeat last came, Unix seconds.
    pub updated_at: f64,
    /// When it ended, Unix seconds.
    pub finished_at: Option<f64>,
    /// From start to end, or to the last sign of life, in seconds.
    pub duration: f64,
    /// Exit code of the process, once it ended.
    pub exit_code: Option<i32>,
    /// Highest step with a row.
    pub last_step: Option<i64>,
    /// How many history rows were logged.
    pub row_count: u64,
    /// How many metrics it has.
    pub key_count: u64,
    /// Whether the process said that it is about to be taken off its machine, and nobody went on since.
    pub preempting: bool,
    /// The sweep that the run belongs to.
    pub sweep_id: Option<String>,
    /// Where it begins, when it begins with the history of another run.
    pub fork_from: Option<ForkPoint>,
    /// The values of the columns that the request asked for (`config.lr`, `summary.loss`), where the run has them.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
}

/// `POST /runs/query`: some runs of a project.
///
/// `filter` is an expression such as `config.lr >= 0.001 and state = "running" and not tags = "old"`. Operators are
/// `= != < <= > >=`, `~` (contains, without case), `in (…)`, joined by `and`, `or`, `not` and parentheses. Fields are
/// `id name state group job_type tags notes created_at updated_at duration last_step row_count`, `config.PATH` and
/// `summary.PATH`; a field with other characters than letters, digits, `_ . / -` stands in backticks. A missing value
/// matches only `= null`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RunsRequest {
    /// `entity/project`.
    pub project: String,
    /// An expression; `null` for all runs.
    pub filter: Option<String>,
    /// Text that name, id, group, a tag or the notes must contain, without case.
    pub search: Option<String>,
    /// First key first; runs that are equal come newest first. Default: newest first.
    pub sort: Vec<Sort>,
    /// A field: answer the groups of runs with the same value instead of the runs.
    pub group_by: Option<String>,
    /// Fields to answer in [`Run::values`], such as `config.lr` and `summary.loss`; `config.*` and `summary.*` for all.
    pub columns: Vec<String>,
    /// How many runs (or groups) at most: 1 to 5,000. Default 100.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// One sort key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sort {
    /// A field as in a filter.
    pub field: String,
    /// Whether the largest value comes first. Runs without a value come last in either order.
    #[serde(default)]
    pub descending: bool,
}

/// The answer of `POST /runs/query`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunList {
    /// One page of runs; empty when `group_by` was given.
    pub runs: Vec<Run>,
    /// One page of groups, largest first; empty unless `group_by` was given.
    pub groups: Vec<RunGroup>,
    /// How many runs (or groups) match in all.
    pub total: u64,
    /// Present when there are more.
    pub next_cursor: Option<String>,
}

/// The runs that share a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunGroup {
    /// The shared value; `null` for the runs that have none.
    pub value: Value,
    /// How many runs.
    pub run_count: u64,
    /// How many of them are running.
    pub running_count: u64,
}

/// `GET /runs/{entity}/{project}/{id}`: one run in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunDetail {
    /// As in the list.
    pub run: Run,
    /// The config as a nested object.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub config: Map<String, Value>,
    /// The summary as a nested object.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub summary: Map<String, Value>,
    /// Command, host, versions: whatever the client said of its surroundings.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub environment: Map<String, Value>,
    /// The journals that feed the run, oldest first.
    pub streams: Vec<Stream>,
    /// What the script said about its metrics.
    pub metrics: Vec<Metric>,
    /// How many alerts it gave, repetitions apart.
    pub alert_count: u64,
    /// How many lines its processes printed: the highest line number of each and one, but no more than came.
    pub console_line_count: u64,
    /// The ids of runs that begin with its history; at most 10.
    pub forks: Vec<String>,
}

/// A place in the history of a run of the same project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForkPoint {
    /// Run id.
    pub run: String,
    /// Last step that counts.
    pub step: i64,
}

/// What a script said about a metric, or about all whose name begins alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Metric {
    /// The metric; with a `*` at its end all that begin so. The parts of a nested key are joined by `.`.
    pub name: String,
    /// The metric that is its natural x-axis.
    pub step_metric: Option<String>,
    /// Whether rows that lack the step metric were given its last value.
    pub step_sync: bool,
    /// Whether charts of it are hidden unless asked for.
    pub hidden: bool,
    /// What the summary shows of it, of `min max mean first last none copy`; `null`: the value of the highest step.
    pub summary: Option<Vec<String>>,
}

/// The health of one journal: one writing process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stream {
    /// 32 hex characters.
    pub id: String,
    /// Every byte below this is durable here.
    pub durable_offset: u64,
    /// Every byte below this is in compressed columns; the rest is still held as it came.
    pub sealed_offset: u64,
    /// How many records came.
    pub record_count: u64,
    /// When the process began with it, Unix seconds.
    pub started_at: f64,
    /// When bytes last came, Unix seconds.
    pub updated_at: f64,
    /// Whether the process said that it ended.
    pub finished: bool,
    /// Host name and process id of the writer.
    pub host: Option<String>,
    /// Process id of the writer.
    pub process_id: Option<u32>,
    /// What the script calls this process, when several write one run.
    pub label: Option<String>,
    /// The stream of the process that this one was forked from.
    pub parent: Option<String>,
    /// What is wrong with it, if anything.
    pub damage: Option<String>,
}

/// `PATCH /runs/{entity}/{project}/{id}`: what people may change. Absent members stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct UpdateRunRequest {
    /// New name.
    pub name: Option<String>,
    /// New notes, markdown; an empty text removes them.
    pub notes: Option<String>,
    /// New tags, in place of all the old ones.
    pub tags: Option<Vec<String>>,
    /// New group; an empty text removes it.
    pub group: Option<String>,
    /// Ask the training process to stop.
    pub stop: Option<bool>,
    /// Config entries to set, by top-level key. They win over what the run says, before and afterwards.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub set_config: Map<String, Value>,
    /// Config keys to remove; the run cannot bring them back.
    pub remove_config: Vec<String>,
    /// Summary values to set, by key as metrics are written. An object is set leaf by leaf, in place of all that stands
    /// at and below its key; `null` removes. They win over what the run says, before and afterwards.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub set_summary: Map<String, Value>,
    /// Summary keys to remove, with all below; the run cannot bring them back.
    pub remove_summary: Vec<String>,
}
