//! What the server pushes while somebody watches: `GET /events?project=entity/project` (server-sent events).
//!
//! Without `project` the events of every readable project come. An event named `runs` carries a [`RunsEvent`], one named
//! `artifacts` an [`ArtifactsEvent`]; an event named `resync` says that events were lost and the watcher should read
//! everything again. A comment line comes every 15 s.

use serde::{Deserialize, Serialize};

use crate::RunState;

/// The runs that changed since the last event; at most one event every 100 ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunsEvent {
    /// Each run once.
    pub runs: Vec<RunChange>,
}

/// What a watcher needs to decide what to read again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunChange {
    /// `entity/project/id`.
    pub path: String,
    /// The state now.
    pub state: RunState,
    /// Highest step with a row.
    pub last_step: Option<i64>,
    /// When data or a heartbeat last came, Unix seconds.
    pub updated_at: f64,
    /// Whether history rows came: charts should be read again.
    pub rows: bool,
    /// Whether a key was logged for the first time.
    pub keys: bool,
    /// Whether the run told people something.
    pub alerts: bool,
    /// Whether a file came, changed or went.
    pub files: bool,
    /// Whether a process printed something.
    pub console: bool,
    /// Whether a sample of what a machine is busy with came.
    pub system: bool,
    /// Whether name, notes, tags, config, environment, state or the like changed, or the run is new.
    pub details: bool,
    /// Whether the run is gone.
    pub deleted: bool,
}

/// The collections of artifacts that changed since the last event; at most one event every 100 ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactsEvent {
    /// Each collection once.
    pub collections: Vec<ArtifactChange>,
}

/// A collection of which something changed: versions, aliases, what is said of them, or who uses them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactChange {
    /// User or team.
    pub entity: String,
    /// Project.
    pub project: String,
    /// Collection.
    pub collection: String,
    /// Whether the collection is gone.
    pub deleted: bool,
}
