//! `/blobs`: bytes of files come in, in parts.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use steplog_protocol::{BlobStatus, MAX_PART_BYTES};
use steplog_store::Part;

use crate::error::ApiError;
use crate::extract::{BlobInPath, QueryParameters, drain};
use crate::routes::document;
use crate::routes::ingest::{declared_length, read_body};
use crate::state::ServerState;

#[derive(Deserialize)]
pub(super) struct Parameters {
    offset: u64,
    size_bytes: u64,
}

/// How far the bytes with a hash are here.
#[utoipa::path(
    get, path = "/blobs/{entity}/{sha256}", tag = "files",
    params(
        ("entity" = String, Path, description = "Whose upload it is."),
        ("sha256" = String, Path, description = "SHA-256 of the bytes, 64 lowercase hex digits."),
    ),
    responses((status = 200, body = BlobStatus))
)]
pub(super) async fn read_blob_status(
    State(state): State<ServerState>,
    BlobInPath(entity, hash): BlobInPath,
) -> Result<Json<BlobStatus>, ApiError> {
    Ok(Json(state.query(move |store| store.blob_status(&entity, hash)).await?))
}

/// Takes in a part of some bytes. The last one is answered when the whole has the hash and is durable; repeating a
/// request is harmless.
#[utoipa::path(
    put, path = "/blobs/{entity}/{sha256}", tag = "files",
    params(
        ("entity" = String, Path, description = "Whose upload it is."),
        ("sha256" = String, Path, description = "SHA-256 of the bytes, 64 lowercase hex digits."),
        ("offset" = u64, Query, description = "Where the part begins."),
        ("size_bytes" = u64, Query, description = "How many bytes there are in all."),
    ),
    request_body(content = document::Bytes, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = BlobStatus),
        (status = 409, description = "The offset is ahead of what is here: go on from there.", body = BlobStatus),
    )
)]
pub(super) async fn put_part(
    State(state): State<ServerState>,
    BlobInPath(entity, hash): BlobInPath,
    QueryParameters(Parameters { offset, size_bytes }): QueryParameters<Parameters>,
    request: Request,
) -> Result<(StatusCode, Json<BlobStatus>), ApiError> {
    let declared = match declared_length(request.headers(), MAX_PART_BYTES) {
        Ok(declared) => declared,
        Err(error) => {
            drain(request.into_body()).await;
            return Err(error);
        }
    };
    // Whoever waits here is not read from, so that many large files take no more memory than a few.
    let _permit = state.parts().acquire().await.expect("the semaphore is never closed");
    let bytes = read_body(request.into_body(), declared).await?;
    let part = Part { entity, hash, size_bytes, offset, bytes };
    let status = state.query(move |store| store.receive_part(&part)).await?;
    let is_ahead = !status.complete && status.received_bytes < offset;
    let code = if is_ahead { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((code, Json(status)))
}
