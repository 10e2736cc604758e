//! What runs told people.

use serde::{Deserialize, Serialize};

use crate::AlertDelivery;

/// `POST /alerts/query`: the alerts of a project or of one run, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AlertsRequest {
    /// `entity/project`.
    pub project: String,
    /// A run id; `null` for all runs of the project.
    pub run: Option<String>,
    /// Whether to answer also those that came within the waiting time of another of their run with the same title.
    pub repeated: bool,
    /// How many at most: 1 to 1,000. Default 100.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// The answer of `POST /alerts/query`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertList {
    /// One page, newest first.
    pub alerts: Vec<RunAlert>,
    /// Present when there are more.
    pub next_cursor: Option<String>,
}

/// How grave an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum AlertLevel {
    /// Good to know.
    Info,
    /// Worth a look.
    Warn,
    /// Something is wrong.
    Error,
}

impl AlertLevel {
    /// The word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// An alert of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunAlert {
    /// Unique on this server; a later alert has a higher one.
    pub id: i64,
    /// When the script gave it, Unix seconds.
    pub time: f64,
    /// Level.
    pub level: AlertLevel,
    /// Below 64 characters.
    pub title: String,
    /// Free text, verbatim.
    pub text: String,
    /// Whether it came within the waiting time of another of its run with the same title.
    pub repeated: bool,
    /// Run id.
    pub run: String,
    /// Name of the run.
    pub run_name: String,
    /// Where it was sent, or is to be: one entry for each channel, in the order in which the channels were made.
    pub deliveries: Vec<AlertDelivery>,
}
