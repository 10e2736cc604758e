//! What a journal is made of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{Project, RunId, StreamId, Value};

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
    /// `online` or `offline`.
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
    /// Program, command, versions.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub environment: Map<String, Json>,
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
