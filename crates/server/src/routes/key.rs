//! `/keys/query`: which metrics there are.

use axum::Json;
use axum::extract::State;
use steplog_protocol::{KeyList, KeysRequest};

use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::state::ServerState;

/// The metrics of some runs of a project.
#[utoipa::path(post, path = "/keys/query", tag = "series", request_body = KeysRequest, responses((status = 200, body = KeyList)))]
pub(super) async fn query_keys(
    State(state): State<ServerState>,
    JsonBody(request): JsonBody<KeysRequest>,
) -> Result<Json<KeyList>, ApiError> {
    Ok(Json(state.query(move |store| store.keys(&request)).await?))
}
