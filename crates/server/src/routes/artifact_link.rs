//! `/artifacts/…/links`: versions come into registries.

use axum::Json;
use axum::extract::State;
use steplog_protocol::{Artifact, LinkArtifactRequest};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{CollectionInPath, JsonBody};
use crate::state::ServerState;

/// Links a version into a registry collection, which is made if need be. A link keeps a version from expiring, and with a
/// protected alias from being removed: so it needs the right to write on both sides.
#[utoipa::path(
    post, path = "/artifacts/{entity}/{project}/{collection}/links", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team of the registry."),
        ("project" = String, Path, description = "The registry, which is a project."),
        ("collection" = String, Path, description = "Collection of the registry."),
    ),
    request_body = LinkArtifactRequest,
    responses((status = 200, description = "The version as the registry has it.", body = Artifact))
)]
pub(super) async fn link_artifact(
    State(state): State<ServerState>,
    caller: Caller,
    CollectionInPath(path): CollectionInPath,
    JsonBody(request): JsonBody<LinkArtifactRequest>,
) -> Result<Json<Artifact>, ApiError> {
    caller.check_may_write(&state, Some(&request.source.entity))?;
    Ok(Json(state.query(move |store| store.link_artifact(&path, &request)).await?))
}
