//! `/alerts/query`: what runs told people.

use axum::Json;
use axum::extract::State;
use steplog_protocol::{AlertList, AlertsRequest};

use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::state::ServerState;

/// The alerts of a project or of one run, newest first.
#[utoipa::path(post, path = "/alerts/query", tag = "alerts", request_body = AlertsRequest, responses((status = 200, body = AlertList)))]
pub(super) async fn query_alerts(
    State(state): State<ServerState>,
    JsonBody(request): JsonBody<AlertsRequest>,
) -> Result<Json<AlertList>, ApiError> {
    Ok(Json(state.query(move |store| store.alerts(&request)).await?))
}
