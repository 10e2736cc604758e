//! `/artifacts/…/diff`: what is not the same in two versions.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use steplog_model::Selector;
use steplog_protocol::ArtifactDiff;

use crate::error::ApiError;
use crate::extract::{ArtifactInPath, QueryParameters};
use crate::state::ServerState;

#[derive(Deserialize)]
pub(super) struct Parameters {
    from: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// The paths that are not the same in a version and in another one of its collection.
#[utoipa::path(
    get, path = "/artifacts/{entity}/{project}/{collection}/versions/{version}/diff", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("version" = String, Path, description = "The new version, such as `v3`, or an alias."),
        ("from" = String, Query, description = "The old one."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 10,000. Default 1,000."),
    ),
    responses((status = 200, body = ArtifactDiff))
)]
pub(super) async fn read_diff(
    State(state): State<ServerState>,
    ArtifactInPath(path): ArtifactInPath,
    QueryParameters(Parameters { from, cursor, limit }): QueryParameters<Parameters>,
) -> Result<Response, ApiError> {
    let from: Selector = from.parse()?;
    let read = move |store: &steplog_store::Store| {
        Ok(Json::<ArtifactDiff>(store.artifact_diff(&path, &from, cursor.as_deref(), limit)?).into_response())
    };
    state.query(read).await
}
