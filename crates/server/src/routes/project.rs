//! `/projects`.

use axum::Json;
use axum::extract::State;
use steplog_protocol::ProjectList;

use crate::error::ApiError;
use crate::state::ServerState;

/// All projects, the one with the newest activity first.
#[utoipa::path(get, path = "/projects", tag = "projects", responses((status = 200, body = ProjectList)))]
pub(super) async fn list_projects(State(state): State<ServerState>) -> Result<Json<ProjectList>, ApiError> {
    Ok(Json(state.query(|store| store.projects()).await?))
}
