//! `/blobs`: bytes of files come in, large ones in parts, small ones in packs.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use steplog_model::{ContentHash, Entity};
use steplog_protocol::{BlobPackResponse, BlobStatus, MAX_PART_BYTES, MissingBlobsRequest, MissingBlobsResponse};
use steplog_store::{Part, Store};

use crate::error::ApiError;
use crate::extract::{BlobInPath, EntityInPath, JsonBody, QueryParameters, drain};
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
    Ok(Json(blob_status(&state, &entity, hash).await?))
}

/// Takes in a part of some bytes. Several may be sent at once: one that is ahead of what is here waits some seconds for its
/// turn. The last one is answered when the whole has the hash and is durable; repeating a request is harmless.
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
    let mut turn = state.turns().queue(&entity, hash);
    let status = blob_status(&state, &entity, hash).await?;
    let is_ahead = |status: &BlobStatus| !status.complete && status.received_bytes < offset;
    let body = request.into_body();
    let (bytes, _permit) = match is_ahead(&status).then(|| state.turns().room(offset, status.received_bytes)) {
        Some(Some(room)) => {
            let bytes = read_body(body, declared).await?;
            turn.wait(offset).await;
            (bytes, room)
        }
        Some(None) if !turn.wait(offset).await => {
            drain(body).await;
            return Ok((StatusCode::CONFLICT, Json(blob_status(&state, &entity, hash).await?)));
        }
        _ => {
            // Whoever waits here is not read from, so that many large files take no more memory than a few.
            let permit = state.parts().acquire().await.expect("the semaphore is never closed");
            (read_body(body, declared).await?, permit)
        }
    };
    let part = Part { entity, hash, size_bytes, offset, bytes };
    let told = state.clone();
    let receive = move |store: &Store| {
        let result = store.receive_part(&part);
        told.turns().advance(&part.entity, hash, result.as_ref().ok());
        result
    };
    let status = state.query(receive).await?;
    let code = if is_ahead(&status) { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((code, Json(status)))
}

async fn blob_status(state: &ServerState, entity: &Entity, hash: ContentHash) -> Result<BlobStatus, ApiError> {
    let entity = entity.clone();
    state.query(move |store| store.blob_status(&entity, hash)).await
}

/// Which of some blobs the entity must send. What only others have sent is among them.
#[utoipa::path(
    post, path = "/blobs/{entity}/missing", tag = "files",
    params(("entity" = String, Path, description = "Whose blobs they are.")),
    request_body = MissingBlobsRequest,
    responses((status = 200, body = MissingBlobsResponse))
)]
pub(super) async fn query_missing_blobs(
    State(state): State<ServerState>,
    EntityInPath(entity): EntityInPath,
    JsonBody(request): JsonBody<MissingBlobsRequest>,
) -> Result<Json<MissingBlobsResponse>, ApiError> {
    let hashes = request.sha256.iter().map(|hash| hash.parse()).collect::<Result<Vec<ContentHash>, _>>()?;
    let missing = state.query(move |store| store.missing_blobs(&entity, &hashes)).await?;
    Ok(Json(MissingBlobsResponse { missing }))
}

/// Takes in many small blobs at once. The answer comes when all of them are durable; when one does not have its hash, none
/// is taken.
#[utoipa::path(
    post, path = "/blobs/{entity}", tag = "files",
    params(("entity" = String, Path, description = "Whose blobs they are.")),
    request_body(
        content = document::Bytes, content_type = "application/vnd.steplog.blobs",
        description = "For each blob its SHA-256 (32 bytes), its size (4 bytes, little-endian) and its bytes; at most 8 MiB in all.",
    ),
    responses((status = 200, body = BlobPackResponse))
)]
pub(super) async fn post_pack(
    State(state): State<ServerState>,
    EntityInPath(entity): EntityInPath,
    request: Request,
) -> Result<Json<BlobPackResponse>, ApiError> {
    let declared = match declared_length(request.headers(), MAX_PART_BYTES) {
        Ok(declared) => declared,
        Err(error) => {
            drain(request.into_body()).await;
            return Err(error);
        }
    };
    let _permit = state.parts().acquire().await.expect("the semaphore is never closed");
    let pack = read_body(request.into_body(), declared).await?;
    Ok(Json(state.query(move |store| store.receive_pack(&entity, &pack)).await?))
}
