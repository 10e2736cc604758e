//! `/artifacts/…/versions`: the versions of a collection.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use steplog_protocol::{
    Artifact, ArtifactList, CommitArtifactRequest, CommitArtifactResponse, ErrorBody, UpdateArtifactRequest,
};

use crate::error::ApiError;
use crate::extract::{ArtifactInPath, CollectionInPath, DigestInPath, JsonBody, QueryParameters};
use crate::state::ServerState;

#[derive(Deserialize)]
pub(super) struct PageParameters {
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
pub(super) struct DeleteParameters {
    #[serde(default)]
    delete_aliases: bool,
}

/// The versions of a collection, newest first.
#[utoipa::path(
    get, path = "/artifacts/{entity}/{project}/{collection}/versions", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 1,000. Default 100."),
    ),
    responses((status = 200, body = ArtifactList))
)]
pub(super) async fn list_artifacts(
    State(state): State<ServerState>,
    CollectionInPath(path): CollectionInPath,
    QueryParameters(PageParameters { cursor, limit }): QueryParameters<PageParameters>,
) -> Result<Response, ApiError> {
    // A thousand versions may have a gigabyte of metadata: not to be written on the threads that serve everybody.
    state.query(move |store| Ok(Json(store.artifacts(&path, cursor.as_deref(), limit)?).into_response())).await
}

/// Commits a version whose bytes were sent; makes the collection if need be. Repeating a request is harmless.
#[utoipa::path(
    post, path = "/artifacts/{entity}/{project}/{collection}/versions", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
    ),
    request_body = CommitArtifactRequest,
    responses(
        (status = 200, body = CommitArtifactResponse),
        (status = 409, description = "Blobs are missing: send them to `/blobs`, then commit again. When the newest version is not the one that was expected, or a name is taken by something else, the answer is an error.", body = CommitArtifactResponse),
    )
)]
pub(super) async fn commit_artifact(
    State(state): State<ServerState>,
    CollectionInPath(path): CollectionInPath,
    JsonBody(request): JsonBody<CommitArtifactRequest>,
) -> Result<(StatusCode, Json<CommitArtifactResponse>), ApiError> {
    let response = state.query(move |store| store.commit_artifact(&path, &request)).await?;
    let code = if response.artifact.is_some() { StatusCode::OK } else { StatusCode::CONFLICT };
    Ok((code, Json(response)))
}

/// One version, by its number or an alias.
#[utoipa::path(
    get, path = "/artifacts/{entity}/{project}/{collection}/versions/{version}", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("version" = String, Path, description = "Version, such as `v3`, or an alias."),
    ),
    responses((status = 200, body = Artifact))
)]
pub(super) async fn read_artifact(
    State(state): State<ServerState>,
    ArtifactInPath(path): ArtifactInPath,
) -> Result<Json<Artifact>, ApiError> {
    Ok(Json(state.query(move |store| store.artifact(&path)).await?))
}

/// Changes what people may change of a version. Of a link these are its aliases.
#[utoipa::path(
    patch, path = "/artifacts/{entity}/{project}/{collection}/versions/{version}", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("version" = String, Path, description = "Version, such as `v3`, or an alias."),
    ),
    request_body = UpdateArtifactRequest,
    responses((status = 200, body = Artifact))
)]
pub(super) async fn update_artifact(
    State(state): State<ServerState>,
    ArtifactInPath(path): ArtifactInPath,
    JsonBody(update): JsonBody<UpdateArtifactRequest>,
) -> Result<Json<Artifact>, ApiError> {
    Ok(Json(state.query(move |store| store.update_artifact(&path, &update)).await?))
}

/// Removes a version and all links to it, or, of a registry, one link.
#[utoipa::path(
    delete, path = "/artifacts/{entity}/{project}/{collection}/versions/{version}", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("version" = String, Path, description = "Version, such as `v3`, or an alias."),
        ("delete_aliases" = Option<bool>, Query, description = "Whether it may go though aliases point at it."),
    ),
    responses(
        (status = 204),
        (status = 409, description = "An alias points at it.", body = ErrorBody),
    )
)]
pub(super) async fn delete_artifact(
    State(state): State<ServerState>,
    ArtifactInPath(path): ArtifactInPath,
    QueryParameters(DeleteParameters { delete_aliases }): QueryParameters<DeleteParameters>,
) -> Result<StatusCode, ApiError> {
    let removed = path.clone();
    state.query(move |store| store.delete_artifact(&removed, delete_aliases)).await?;
    tracing::info!(artifact = %path, "removed the artifact {path}");
    Ok(StatusCode::NO_CONTENT)
}

/// The newest version of a project with a digest.
#[utoipa::path(
    get, path = "/artifact-digests/{entity}/{project}/{digest}", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("digest" = String, Path, description = "Digest of the manifest: MD5, 32 hex digits."),
    ),
    responses((status = 200, body = Artifact))
)]
pub(super) async fn read_artifact_by_digest(
    State(state): State<ServerState>,
    DigestInPath(entity, project, digest): DigestInPath,
) -> Result<Json<Artifact>, ApiError> {
    Ok(Json(state.query(move |store| store.artifact_by_digest(&entity, &project, digest)).await?))
}
