//! `/alerts/query`: what runs told people, and `/alert-deliveries`: what was sent of it.

use axum::Json;
use axum::extract::State;
use steplog_protocol::{AlertDelivery, AlertList, AlertsRequest};

use crate::error::ApiError;
use crate::extract::{IdInPath, JsonBody};
use crate::state::ServerState;

/// The alerts of a project or of one run, newest first.
#[utoipa::path(post, path = "/alerts/query", tag = "alerts", request_body = AlertsRequest, responses((status = 200, body = AlertList)))]
pub(super) async fn query_alerts(
    State(state): State<ServerState>,
    JsonBody(request): JsonBody<AlertsRequest>,
) -> Result<Json<AlertList>, ApiError> {
    Ok(Json(state.query(move |store| store.alerts(&request)).await?))
}

/// Sends an alert to a channel again: what failed, what may have arrived, or what was skipped.
#[utoipa::path(
    post, path = "/alert-deliveries/{entity}/{id}/send", tag = "alerts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("id" = i64, Path, description = "The delivery's id."),
    ),
    responses((status = 200, body = AlertDelivery))
)]
pub(super) async fn send_again(
    State(state): State<ServerState>,
    IdInPath(entity, id): IdInPath,
) -> Result<Json<AlertDelivery>, ApiError> {
    Ok(Json(state.query(move |store| store.send_again(entity.as_str(), id)).await?))
}
