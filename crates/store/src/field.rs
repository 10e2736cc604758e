//! What the name of a field of runs means.

use rusqlite::Connection;

use crate::{Error, catalog};

/// A field of runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Told from a run's signs of life and the time.
    State,
    /// A text of the run itself: its expression in SQL where `r` is the run.
    Text(&'static str),
    /// A number of the run itself, likewise.
    Number(&'static str),
    /// A list of texts, as JSON.
    Tags,
    /// A value of the config or the summary.
    Value {
        /// Its id in the catalog; `None` when the catalog has it of no run.
        id: Option<i64>,
        /// The key in the summary, if it is one of the summary.
        summary_key: Option<String>,
    },
}

impl Field {
    /// Finds out what a field's name means in a project.
    pub(crate) fn find(database: &Connection, project: i64, name: &str) -> Result<Self, Error> {
        Ok(match name {
            "id" => Self::Text("r.run_id"),
            "name" => Self::Text("r.name"),
            "state" => Self::State,
            "group" => Self::Text("r.run_group"),
            "job_type" => Self::Text("r.job_type"),
            "notes" => Self::Text("r.notes"),
            "tags" => Self::Tags,
            "created_at" => Self::Number("r.created_at"),
            "updated_at" => Self::Number("r.updated_at"),
            "duration" => Self::Number("max(0.0, coalesce(r.finished_at, r.last_time) - r.created_at)"),
            "last_step" => Self::Number("r.last_step"),
            "row_count" => Self::Number("r.row_count"),
            name if name.starts_with("config.") || name.starts_with("summary.") => Self::Value {
                id: catalog::find_name(database, "fields", project, name)?,
                summary_key: name.strip_prefix("summary.").map(str::to_owned),
            },
            name => {
                return Err(Error::invalid(format!("there is no field {name:?}")).with_hint(
                    "fields are id, name, state, group, job_type, tags, notes, created_at, updated_at, duration, last_step, \
                     row_count, config.PATH and summary.PATH",
                ));
            }
        })
    }

    /// Its expression in SQL, where it is one of the run itself.
    pub(crate) fn own_sql(&self) -> Option<&'static str> {
        match self {
            Self::Text(sql) | Self::Number(sql) => Some(sql),
            // A run without tags has no value.
            Self::Tags => Some("nullif(r.tags, '[]')"),
            Self::State | Self::Value { .. } => None,
        }
    }
}
