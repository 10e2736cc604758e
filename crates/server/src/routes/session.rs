//! `/session`: who the caller is, and logging a browser in and out.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use steplog_protocol::{ErrorKind, LoginRequest, Session, User};

use crate::account::password_matches;
use crate::caller::{Caller, SESSION_SECONDS, session_cookie};
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::secret;
use crate::state::{ServerState, unix_time};

/// The entity of runs that belong to nobody in particular.
const LOCAL_ENTITY: &str = "local";

/// Who am I, and what kind of server is this?
#[utoipa::path(get, path = "/session", tag = "session", responses((status = 200, body = Session)))]
pub(super) async fn read_session(State(state): State<ServerState>, caller: Caller) -> Json<Session> {
    Json(session(&state, caller.user().cloned()))
}

/// Logs a browser in: sets the session cookie.
#[utoipa::path(post, path = "/session", tag = "session", request_body = LoginRequest, responses((status = 200, body = Session)))]
pub(super) async fn log_in(
    State(state): State<ServerState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    JsonBody(LoginRequest { name, password }): JsonBody<LoginRequest>,
) -> Result<impl IntoResponse, ApiError> {
    if !state.has_accounts() {
        let message = "this server has no accounts: it answers everybody on this machine";
        return Err(ApiError::new(ErrorKind::Conflict, message));
    }
    let address = client_address(peer, &headers);
    state.login_limit().begin(&name, address, Instant::now()).map_err(|wait| {
        let seconds = wait.as_secs() + 1;
        ApiError::unavailable(format!("too many attempts to log in; try again in {seconds} s"))
            .status(StatusCode::TOO_MANY_REQUESTS)
            .retry_after(seconds)
    })?;
    let token = secret::generate_session_token();
    let hash = secret::hash(&token);
    let user = state
        .account_work({
            let name = name.clone();
            move |store| {
                let account = store.user(&name)?;
                let known = account.as_ref().map(|account| account.password_hash.as_str());
                if !password_matches(known, &password) {
                    return Ok(None);
                }
                store.create_session(&name, hash, unix_time() + f64::from(SESSION_SECONDS))?;
                Ok(account.map(|account| account.user))
            }
        })
        .await?;
    let Some(user) = user else {
        tracing::warn!(%address, "a login failed");
        return Err(ApiError::new(ErrorKind::Unauthenticated, "the name or the password is wrong"));
    };
    state.login_limit().succeeded(&name, address);
    Ok((session_cookie(&headers, Some(&token)), Json(session(&state, Some(user)))))
}

/// Logs the browser out.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 204)))]
pub(super) async fn log_out(
    State(state): State<ServerState>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    if let Some(token) = caller.session_token() {
        let hash = secret::hash(token);
        state.query(move |store| store.delete_session(&hash)).await?;
    }
    Ok((StatusCode::NO_CONTENT, session_cookie(&headers, None)))
}

fn session(state: &ServerState, user: Option<User>) -> Session {
    Session {
        version: env!("CARGO_PKG_VERSION").into(),
        source: state.source(),
        folder: state.folder(),
        login_required: state.has_accounts(),
        default_entity: user.as_ref().map_or(LOCAL_ENTITY, |user| &user.name).into(),
        user,
    }
}

/// The address to count attempts by. A proxy on this machine is believed when it names its client.
fn client_address(peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    let forwarded =
        headers.get("x-forwarded-for").and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    match forwarded {
        Some(client) if peer.ip().is_loopback() => client,
        _ => peer.ip(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_proxy_on_this_machine_names_its_client() {
        let headers = HeaderMap::from_iter([(
            axum::http::HeaderName::from_static("x-forwarded-for"),
            HeaderValue::from_static("1.2.3.4, 5.6.7.8"),
        )]);
        let address = |peer: &str| client_address(peer.parse().expect("an address"), &headers).to_string();
        assert_eq!(address("127.0.0.1:1"), "5.6.7.8");
        assert_eq!(address("9.9.9.9:1"), "9.9.9.9");
    }
}
