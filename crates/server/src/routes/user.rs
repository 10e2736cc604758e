//! `/users`: the accounts, for admins.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use steplog_protocol::{CreateUserRequest, ErrorKind, User, UserList};

use crate::account;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{JsonBody, NameInPath};
use crate::state::ServerState;

/// All accounts, by name.
#[utoipa::path(get, path = "/users", tag = "users", responses((status = 200, body = UserList)))]
pub(super) async fn list_users(State(state): State<ServerState>) -> Result<Json<UserList>, ApiError> {
    let users = state.query(|store| store.users()).await?;
    Ok(Json(UserList { users }))
}

/// Makes an account. From the first one on, the server asks everybody to log in; the first must be an admin.
#[utoipa::path(post, path = "/users", tag = "users", request_body = CreateUserRequest, responses((status = 200, body = User)))]
pub(super) async fn create_user(
    State(state): State<ServerState>,
    JsonBody(request): JsonBody<CreateUserRequest>,
) -> Result<Json<User>, ApiError> {
    let user = state.create_user(request).await?;
    tracing::info!(user = user.name, admin = user.admin, "made the account {}", user.name);
    Ok(Json(user))
}

/// Removes an account with its keys and sessions. Its runs stay.
#[utoipa::path(
    delete, path = "/users/{name}", tag = "users",
    params(("name" = String, Path, description = "Login name.")),
    responses((status = 204))
)]
pub(super) async fn delete_user(
    State(state): State<ServerState>,
    caller: Caller,
    NameInPath(name): NameInPath,
) -> Result<StatusCode, ApiError> {
    if caller.user().is_some_and(|user| user.name == name) {
        let message = format!("{name} is the account of this request; another admin can remove it");
        return Err(ApiError::new(ErrorKind::Conflict, message));
    }
    let removed = name.clone();
    state.account_work(move |store| Ok(account::delete_user(store, &removed)?)).await?;
    tracing::info!(user = name, "removed the account {name}");
    Ok(StatusCode::NO_CONTENT)
}
