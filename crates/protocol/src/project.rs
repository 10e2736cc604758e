//! Projects.

use serde::{Deserialize, Serialize};

/// `GET /projects`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectList {
    /// The one with the newest activity first.
    pub projects: Vec<Project>,
}

/// A project: the runs of one entity under one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Project {
    /// User or team.
    pub entity: String,
    /// Name, unique within the entity.
    pub name: String,
    /// How many runs it has.
    pub run_count: u64,
    /// How many of them are running.
    pub running_count: u64,
    /// When its first run began, Unix seconds.
    pub created_at: f64,
    /// When data last came, Unix seconds.
    pub updated_at: f64,
}
