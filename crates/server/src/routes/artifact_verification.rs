//! `/artifacts/…/verify`: the stored bytes of a version, read whole.

use axum::Json;
use axum::extract::State;
use steplog_protocol::ArtifactVerification;

use crate::error::ApiError;
use crate::extract::ArtifactInPath;
use crate::state::ServerState;

/// Reads the stored bytes of a version whole; the answer comes when that is done. Damaged ones are set aside: they count as
/// missing from then on, and whoever has them can send them again.
#[utoipa::path(
    post, path = "/artifacts/{entity}/{project}/{collection}/versions/{version}/verify", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("version" = String, Path, description = "Version, such as `v3`, or an alias."),
    ),
    responses((status = 200, body = ArtifactVerification))
)]
pub(super) async fn verify_artifact(
    State(state): State<ServerState>,
    ArtifactInPath(path): ArtifactInPath,
) -> Result<Json<ArtifactVerification>, ApiError> {
    Ok(Json(state.verification(move |store| store.verify_artifact(&path)).await?))
}
