//! `/series`: the points of charts.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use steplog_protocol::SeriesRequest;

use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::routes::document;
use crate::state::ServerState;

pub(super) const ARROW_MEDIA_TYPE: &str = "application/vnd.apache.arrow.stream";

/// Points of many runs × keys, in buckets with exact statistics, as an Arrow IPC stream.
#[utoipa::path(
    post, path = "/series", tag = "series",
    request_body = SeriesRequest,
    responses((status = 200, description = "An Arrow IPC stream.", body = document::Bytes, content_type = "application/vnd.apache.arrow.stream"))
)]
pub(super) async fn query_series(
    State(state): State<ServerState>,
    JsonBody(request): JsonBody<SeriesRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let arrow = state.query(move |store| store.series(&request)).await?;
    Ok(([(CONTENT_TYPE, ARROW_MEDIA_TYPE)], arrow))
}
