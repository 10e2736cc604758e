//! What every answer carries, and a line in the log for every request.

use std::any::Any;
use std::time::Instant;

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::error::ApiError;

macro_rules! policy {
    ($ancestors:literal) => {
        concat!(
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; frame-ancestors ",
            $ancestors
        )
    };
}

/// Notebooks run at any address, and in editors. What they may show changes nothing, so a page that hides it behind its
/// own gains nothing from clicks.
pub(crate) const POLICY_OF_EMBEDDED_PAGES: &str = policy!("* vscode-webview:");

const SECURITY: [(HeaderName, &str); 3] = [
    (CONTENT_SECURITY_POLICY, policy!("'none'")),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
];

/// Adds the security headers; answers that say nothing of caching are not cached.
pub(crate) async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        // Files of runs come with a stricter policy of their own.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether a page of the UI, by its path without the first slash, may be shown inside somebody else's.
pub(crate) fn may_be_framed(path: &str) -> bool {
    path.starts_with("embed/")
}

/// Logs requests: defects loudly, the rest only when asked. Queries and headers may hold secrets and are left out.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let (method, path, start) = (request.method().clone(), request.uri().path().to_owned(), Instant::now());
    let response = next.run(request).await;
    let (status, millis) = (response.status().as_u16(), start.elapsed().as_millis() as u64);
    if response.status().is_server_error() {
        tracing::warn!(%method, path, status, millis, "{method} {path} was answered with {status}");
    } else {
        tracing::debug!(%method, path, status, millis, "{method} {path} was answered with {status} in {millis} ms");
    }
    response
}

/// The answer when a handler panicked; the panic itself was printed where it happened.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::internal("the server met a defect; its log says more").into_response()
}
