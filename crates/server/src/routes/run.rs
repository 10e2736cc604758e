//! `/runs`: the runs of a project, and one run.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use steplog_protocol::{ResumePoint, RunDetail, RunList, RunsRequest, UpdateRunRequest};

use crate::error::ApiError;
use crate::extract::{JsonBody, RunInPath};
use crate::state::ServerState;

/// Runs of a project: filter, search, sort, group, page.
#[utoipa::path(post, path = "/runs/query", tag = "runs", request_body = RunsRequest, responses((status = 200, body = RunList)))]
pub(super) async fn query_runs(
    State(state): State<ServerState>,
    JsonBody(request): JsonBody<RunsRequest>,
) -> Result<Response, ApiError> {
    // Thousands of runs with all their columns take a while to write: not on the threads that serve everybody.
    state.query(move |store| Ok(Json(store.runs(&request)?).into_response())).await
}

/// One run in full.
#[utoipa::path(
    get, path = "/runs/{entity}/{project}/{run}", tag = "runs",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
    ),
    responses((status = 200, body = RunDetail))
)]
pub(super) async fn read_run(
    State(state): State<ServerState>,
    RunInPath(path): RunInPath,
) -> Result<Json<RunDetail>, ApiError> {
    Ok(Json(state.query(move |store| store.run(&path)).await?))
}

/// Where a run stands: what a process needs that goes on with it.
#[utoipa::path(
    get, path = "/runs/{entity}/{project}/{run}/resume", tag = "ingest",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
    ),
    responses((status = 200, body = ResumePoint))
)]
pub(super) async fn read_resume_point(
    State(state): State<ServerState>,
    RunInPath(path): RunInPath,
) -> Result<Json<ResumePoint>, ApiError> {
    Ok(Json(state.query(move |store| store.resume_point(&path)).await?))
}

/// Changes name, notes, tags or group of a run, or asks it to stop.
#[utoipa::path(
    patch, path = "/runs/{entity}/{project}/{run}", tag = "runs",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
    ),
    request_body = UpdateRunRequest,
    responses((status = 200, body = RunDetail))
)]
pub(super) async fn update_run(
    State(state): State<ServerState>,
    RunInPath(path): RunInPath,
    JsonBody(update): JsonBody<UpdateRunRequest>,
) -> Result<Json<RunDetail>, ApiError> {
    Ok(Json(state.query(move |store| store.update_run(&path, &update)).await?))
}

/// Removes a run and all its data.
#[utoipa::path(
    delete, path = "/runs/{entity}/{project}/{run}", tag = "runs",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
    ),
    responses((status = 204))
)]
pub(super) async fn delete_run(
    State(state): State<ServerState>,
    RunInPath(path): RunInPath,
) -> Result<StatusCode, ApiError> {
    let removed = path.clone();
    state.query(move |store| store.delete_run(&removed)).await?;
    tracing::info!(run = %path, "removed the run {path}");
    Ok(StatusCode::NO_CONTENT)
}
