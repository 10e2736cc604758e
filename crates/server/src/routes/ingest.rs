//! `/ingest`: journals come in.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt as _;
use serde::Deserialize;
use steplog_protocol::{IngestResponse, MAX_INGEST_BODY_BYTES};
use steplog_store::Ingest;
use tokio::sync::oneshot;

use crate::error::ApiError;
use crate::extract::{QueryParameters, StreamInPath, drain};
use crate::in_flight::{Reservation, decode_zstd};
use crate::routes::document;
use crate::state::ServerState;

/// Longest silence in the middle of a body. What was sent before is lost then, and comes again.
const BODY_SILENCE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
pub(super) struct Parameters {
    offset: u64,
}

/// How far a journal is durable here; 0 when it is unknown.
#[utoipa::path(
    get, path = "/ingest/{entity}/{project}/{run}/{stream}", tag = "ingest",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
        ("stream" = String, Path, description = "Stream id, 32 hex characters."),
    ),
    responses((status = 200, body = IngestResponse))
)]
pub(super) async fn read_offset(
    State(state): State<ServerState>,
    StreamInPath(path, stream): StreamInPath,
) -> Result<Json<IngestResponse>, ApiError> {
    Ok(Json(state.query(move |store| store.durable_offset(&path, stream)).await?))
}

/// Takes in journal bytes. The answer comes when they are durable; repeating a request is harmless.
#[utoipa::path(
    post, path = "/ingest/{entity}/{project}/{run}/{stream}", tag = "ingest",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
        ("stream" = String, Path, description = "Stream id, 32 hex characters."),
        ("offset" = u64, Query, description = "Stream offset of the first byte."),
        ("Content-Encoding" = Option<String>, Header, description = "`zstd`, or absent."),
    ),
    request_body(content = document::Bytes, content_type = "application/vnd.steplog.journal"),
    responses(
        (status = 200, body = IngestResponse),
        (status = 409, description = "The offset is ahead of what is durable: go on from there.", body = IngestResponse),
    )
)]
pub(super) async fn ingest(
    State(state): State<ServerState>,
    StreamInPath(path, stream): StreamInPath,
    QueryParameters(Parameters { offset }): QueryParameters<Parameters>,
    request: Request,
) -> Result<Json<IngestResponse>, ApiError> {
    let (is_packed, declared, mut reservation) = match begin(&state, request.headers()) {
        Ok(begun) => begun,
        Err(error) => {
            drain(request.into_body()).await;
            return Err(error);
        }
    };
    let body = read_body(request.into_body(), declared).await?;
    let (done, answer) = oneshot::channel();
    let store = state.store().clone();
    let work = move || -> Result<Reservation, ApiError> {
        let bytes = if is_packed { decode_zstd(&body, &mut reservation)? } else { body };
        let request = Ingest { path, stream, offset, bytes, gap_allowed: false };
        // The receiver is gone when the client is: nobody to tell then.
        store.ingest(request, Box::new(move |result| drop(done.send(result))));
        Ok(reservation)
    };
    let defect = || ApiError::internal("the server met a defect; its log says more");
    // The room stays taken until the store is done with the bytes.
    let _reservation = tokio::task::spawn_blocking(work).await.map_err(|_| defect())??;
    Ok(Json(answer.await.map_err(|_| defect())??))
}

/// What can be said before the body is read: whether it is packed, how long it is at most, and room for it.
fn begin(state: &ServerState, headers: &HeaderMap) -> Result<(bool, usize, Reservation), ApiError> {
    let is_packed = is_zstd(headers)?;
    let declared = declared_length(headers, MAX_INGEST_BODY_BYTES)?;
    Ok((is_packed, declared, state.in_flight().reserve(declared)?))
}

fn is_zstd(headers: &HeaderMap) -> Result<bool, ApiError> {
    match headers.get(CONTENT_ENCODING).map(|encoding| encoding.to_str().unwrap_or("?")) {
        None | Some("identity" | "") => Ok(false),
        Some("zstd") => Ok(true),
        Some(other) => {
            Err(ApiError::invalid(format!("the content encoding {other:?} is not taken; send zstd or none"))
                .status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }
    }
}

/// The body's length as announced; the limit when it comes in chunks of unknown number.
pub(super) fn declared_length(headers: &HeaderMap, limit: usize) -> Result<usize, ApiError> {
    let Some(length) = headers.get(CONTENT_LENGTH) else {
        return Ok(limit);
    };
    let length = length.to_str().ok().and_then(|length| length.parse().ok());
    let length = length.ok_or_else(|| ApiError::invalid("the header Content-Length is not a number"))?;
    if length > limit { Err(too_large(limit)) } else { Ok(length) }
}

/// Reads a body of at most so many bytes.
pub(super) async fn read_body(body: Body, declared: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::with_capacity(declared);
    let mut pieces = body.into_data_stream();
    loop {
        let piece = tokio::time::timeout(BODY_SILENCE, pieces.next()).await.map_err(|_| {
            ApiError::unavailable("the request body stopped coming").status(StatusCode::REQUEST_TIMEOUT)
        })?;
        let Some(piece) = piece else { return Ok(bytes) };
        let piece = piece.map_err(|error| ApiError::unavailable(format!("the request body broke off: {error}")))?;
        if bytes.len() + piece.len() > declared {
            return Err(too_large(declared));
        }
        bytes.extend_from_slice(&piece);
    }
}

fn too_large(limit: usize) -> ApiError {
    ApiError::invalid(format!("the request body is larger than {} MiB", limit >> 20))
        .hint("send it in smaller pieces")
        .status(StatusCode::PAYLOAD_TOO_LARGE)
}
