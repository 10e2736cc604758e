//! `/artifacts/…/lineage`, `/artifacts/…/runs`, `/runs/…/artifacts`: who made and who used what.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use steplog_protocol::{ArtifactRuns, Lineage, RunArtifacts};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{ArtifactInPath, QueryParameters, RunInPath};
use crate::state::ServerState;

#[derive(Deserialize)]
pub(super) struct LineageParameters {
    depth: Option<u32>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
pub(super) struct RunParameters {
    cursor: Option<String>,
    limit: Option<u32>,
}

/// What led to a version and what came of it.
#[utoipa::path(
    get, path = "/artifacts/{entity}/{project}/{collection}/versions/{version}/lineage", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("version" = String, Path, description = "Version, such as `v3`, or an alias."),
        ("depth" = Option<u32>, Query, description = "How many steps away, from versions to runs or from runs to versions: 0 to 100. Default 6."),
        ("limit" = Option<u32>, Query, description = "How many versions and runs at most: 1 to 5,000. Default 200."),
    ),
    responses((status = 200, body = Lineage))
)]
pub(super) async fn read_lineage(
    State(state): State<ServerState>,
    caller: Caller,
    ArtifactInPath(path): ArtifactInPath,
    QueryParameters(LineageParameters { depth, limit }): QueryParameters<LineageParameters>,
) -> Result<Response, ApiError> {
    let read = move |store: &steplog_store::Store| {
        Ok(Json::<Lineage>(store.lineage(&path, depth, limit, &|entity| caller.may_see(entity))?).into_response())
    };
    state.query(read).await
}

/// The runs that used a version, newest first.
#[utoipa::path(
    get, path = "/artifacts/{entity}/{project}/{collection}/versions/{version}/runs", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("version" = String, Path, description = "Version, such as `v3`, or an alias."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 1,000. Default 100."),
    ),
    responses((status = 200, body = ArtifactRuns))
)]
pub(super) async fn list_runs_of_artifact(
    State(state): State<ServerState>,
    caller: Caller,
    ArtifactInPath(path): ArtifactInPath,
    QueryParameters(RunParameters { cursor, limit }): QueryParameters<RunParameters>,
) -> Result<Json<ArtifactRuns>, ApiError> {
    let read = move |store: &steplog_store::Store| {
        store.artifact_runs(&path, cursor.as_deref(), limit, &|entity| caller.may_see(entity))
    };
    Ok(Json(state.query(read).await?))
}

/// The versions that a run made, and those that it used.
#[utoipa::path(
    get, path = "/runs/{entity}/{project}/{run}/artifacts", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
    ),
    responses((status = 200, body = RunArtifacts))
)]
pub(super) async fn read_run_artifacts(
    State(state): State<ServerState>,
    caller: Caller,
    RunInPath(path): RunInPath,
) -> Result<Response, ApiError> {
    let read = move |store: &steplog_store::Store| {
        Ok(Json::<RunArtifacts>(store.run_artifacts(&path, &|entity| caller.may_see(entity))?).into_response())
    };
    state.query(read).await
}
