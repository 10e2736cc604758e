//! What a journal is made of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{
    Alert, ArtifactRecord, ConsoleLines, MetricDefinition, Project, RunId, SavedFile, StreamId, SystemSample, Value,
};

/// One entry of a journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// What the run is and who writes; the first record of every stream.
    RunStart(Box<RunStart>),
    /// A row of history, or a part of one.
    Row(Row),
    /// Top-level config keys that were set or removed.
    Config(Vec<Change>),
    /// Summary keys that were set or removed by hand.
    Summary(Vec<Change>),
    /// Name, notes or tags that were changed.
    RunUpdate(RunUpdate),
    /// The process lives.
    Heartbeat {
        /// Unix seconds.
        time: f64,
    },
    /// The process ended on purpose.
    Exit {
        /// Unix seconds.
        time: f64,
        /// Exit code.
        code: i32,
    },
    /// What the script says about a metric.
    Metric(MetricDefinition),
    /// Something to tell people.
    Alert(Alert),
    /// A file that belongs to the run.
    File(SavedFile),
    /// Something that the run did with artifacts.
    Artifact(ArtifactRecord),
    /// What the process printed.
    Console(ConsoleLines),
    /// What the machine was busy with.
    System(SystemSample),
    /// What is known of the surroundings only some time after the start: its members take the place of those of the same
    /// name in [`RunStart::environment`].
    Environment(Map<String, Json>),
    /// The process is about to be taken off its machine, and will be resumed.
    Preempting {
        /// Unix seconds.
        time: f64,
    },
    /// Rows that could be kept neither on disk nor in memory.
    Loss {
        /// How many.
        rows: u64,
        /// Unix seconds.
        time: f64,
    },
    /// A record of a newer version, kept as it came.
    Unknown {
        /// Frame type.
        kind: u8,
    },
}

/// What the run is, as far as the writing process knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// Run id.
    pub run_id: RunId,
    /// Project.
    pub project: Project,
    /// When the process called `init`, Unix seconds.
    pub started_at: f64,
    /// User or team; absent when the server is to choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Name; absent when the server is to make one up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Notes, markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Tags; absent when none were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Job type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// `online`, `offline` or `shared`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The step at which this process begins.
    #[serde(default)]
    pub first_step: i64,
    /// Host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Process id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_id: Option<u32>,
    /// The stream of the process that this one was forked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_stream: Option<StreamId>,
    /// Whether this process goes on with a run that was there before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resumed: bool,
    /// The run that this one begins as a copy of, without copying anything: its rows up to a step count as this one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork_from: Option<ForkPoint>,
    /// Rows of earlier streams of this run with higher steps do not count any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewind_to: Option<i64>,
    /// What the script calls this process, when several write one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The sweep that the run belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep_id: Option<String>,
    /// Program, command, versions; more may come in a [`Record::Environment`].
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub environment: Map<String, Json>,
}

impl RunStart {
    /// A start that says no more than what the run is.
    pub fn new(run_id: RunId, project: Project, started_at: f64) -> Self {
        Self {
            run_id,
            project,
            started_at,
            entity: None,
            name: None,
            notes: None,
            tags: None,
            group: None,
            job_type: None,
            mode: None,
            first_step: 0,
            host: None,
            process_id: None,
            parent_stream: None,
            resumed: false,
            fork_from: None,
            rewind_to: None,
            label: None,
            sweep_id: None,
            environment: Map::new(),
        }
    }
}

/// A place in the history of a run of the same project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkPoint {
    /// Run.
    pub run_id: RunId,
    /// Last step that counts.
    pub step: i64,
}

/// A row of history, or a part of one: rows with the same step are one row, and the later write of a key wins.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Step; any order, negative ones too.
    pub step: i64,
    /// Unix seconds.
    pub time: f64,
    /// Whether the row is complete: an open row does not count for the summary yet.
    pub committed: bool,
    /// Metric keys and values.
    pub entries: Vec<(Arc<str>, Value)>,
}

/// A key that was set (`Some`) or removed (`None`).
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Config: a top-level key, verbatim. Summary: the path of a leaf or a map, as [`crate::join_key`] writes it.
    pub key: String,
    /// The new value.
    pub value: Option<Value>,
}

/// What was changed about a run after its start; absent members stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunUpdate {
    /// New name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// New tags, in place of all the old ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}
