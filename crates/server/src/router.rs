//! All of the server's answers in one router: the API behind its check, the UI, and what surrounds both.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::access::{authorise, method_not_allowed};
use crate::error::ApiError;
use crate::state::ServerState;
use crate::{headers, origin, routes, ui};

/// Longest pause in a request body: who sends less holds a connection, and room for the body, for nothing.
const BODY_PAUSE: Duration = Duration::from_secs(60);

pub(crate) fn router(state: ServerState) -> Router {
    let (api, _) = routes::api().split_for_parts();
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(DefaultPredicate::new().and(NotForContentType::const_new("application/vnd.apache.parquet")));
    api.route_layer(from_fn_with_state(state.clone(), authorise))
        .method_not_allowed_fallback(refuse_method)
        .route("/healthz", get(|| async { ([(CONTENT_TYPE, "text/plain")], "ok") }))
        .fallback(fallback)
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(CatchPanicLayer::custom(headers::panicked))
        .layer(compression)
        .layer(from_fn(spare_this_machine))
        .layer(from_fn_with_state(state.clone(), guard_host))
        .layer(from_fn(headers::add_headers))
        .layer(from_fn(headers::log))
        .with_state(state)
}

/// A server without accounts answers only to names of this machine, whatever the path.
async fn guard_host(State(state): State<ServerState>, request: Request, next: Next) -> Response {
    if !state.has_accounts()
        && let Err(error) = origin::refuse_foreign_host(request.headers())
    {
        return error.into_response();
    }
    next.run(request).await
}

/// On the same machine compression costs more than it saves, unless it is a proxy that asks.
async fn spare_this_machine(ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request, next: Next) -> Response {
    if peer.ip().is_loopback() && !request.headers().contains_key("x-forwarded-for") {
        request.headers_mut().remove(ACCEPT_ENCODING);
    }
    next.run(request).await
}

async fn refuse_method(method: Method) -> ApiError {
    method_not_allowed(&method)
}

async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if uri.path() == "/api" || uri.path().starts_with("/api/") {
        return ApiError::not_found(format!("there is no {method} {} in this API", uri.path())).into_response();
    }
    ui::ui(method, uri, headers).await
}
