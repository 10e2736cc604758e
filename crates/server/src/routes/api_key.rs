//! `/api-keys`: the caller's own keys.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use steplog_protocol::{ApiKeyList, CreateApiKeyRequest, CreatedApiKey};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{JsonBody, NameInPath};
use crate::secret;
use crate::state::ServerState;

/// Longest label, in characters.
const MAX_LABEL_CHARACTERS: usize = 64;

/// The caller's keys, newest first.
#[utoipa::path(get, path = "/api-keys", tag = "api-keys", responses((status = 200, body = ApiKeyList)))]
pub(super) async fn list_api_keys(
    State(state): State<ServerState>,
    caller: Caller,
) -> Result<Json<ApiKeyList>, ApiError> {
    let user = caller.account()?.name.clone();
    let api_keys = state.query(move |store| store.api_keys(&user)).await?;
    Ok(Json(ApiKeyList { api_keys }))
}

/// Makes a key for the caller; only this answer shows it.
#[utoipa::path(
    post, path = "/api-keys", tag = "api-keys",
    request_body = CreateApiKeyRequest,
    responses((status = 200, body = CreatedApiKey))
)]
pub(super) async fn create_api_key(
    State(state): State<ServerState>,
    caller: Caller,
    JsonBody(CreateApiKeyRequest { label }): JsonBody<CreateApiKeyRequest>,
) -> Result<Json<CreatedApiKey>, ApiError> {
    if label.chars().count() > MAX_LABEL_CHARACTERS {
        return Err(ApiError::invalid(format!("the label is longer than {MAX_LABEL_CHARACTERS} characters")));
    }
    let user = caller.account()?.name.clone();
    let secret = secret::generate_api_key();
    let (id, hash) = (secret::api_key_id(&secret), secret::hash(&secret));
    let api_key = state.query(move |store| store.create_api_key(&user, &id, &label, hash)).await?;
    Ok(Json(CreatedApiKey { api_key, secret }))
}

/// Revokes one of the caller's keys, at once.
#[utoipa::path(
    delete, path = "/api-keys/{id}", tag = "api-keys",
    params(("id" = String, Path, description = "The key's first 8 characters after the prefix.")),
    responses((status = 204))
)]
pub(super) async fn delete_api_key(
    State(state): State<ServerState>,
    caller: Caller,
    NameInPath(id): NameInPath,
) -> Result<StatusCode, ApiError> {
    let user = caller.account()?.name.clone();
    state.query(move |store| store.delete_api_key(&user, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
