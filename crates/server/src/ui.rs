//! The web UI, embedded in the program.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::access::method_not_allowed;
use crate::headers::{POLICY_OF_EMBEDDED_PAGES, may_be_framed};

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Assets;

/// What stands in for the UI in a program that was built without it.
const NOT_BUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>steplog</title>\
    <h1>steplog</h1><p>The server works, but this program was built without the web UI. \
    Build it with <code>npm ci &amp;&amp; npm run build</code> in <code>ui/</code>, then build the program again.</p>\
    <p>The API is described at <a href=/api/v1/openapi.json>/api/v1/openapi.json</a>.</p></html>";

/// Answers an asset, or the page itself for every other path: its router knows what the path means.
pub(crate) async fn ui(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !method.is_safe() {
        return method_not_allowed(&method).into_response();
    }
    let path = uri.path().trim_start_matches('/');
    match Assets::get(path).filter(|_| path != "index.html") {
        Some(file) if path.starts_with("assets/") => {
            // Names under assets/ hold a hash of the content: they never change.
            answer(path, file, "public, max-age=31536000, immutable", &headers)
        }
        Some(file) => answer(path, file, "no-cache", &headers),
        // An asset that is gone must not answer a page: a browser would take it for a script.
        None if path.starts_with("assets/") => StatusCode::NOT_FOUND.into_response(),
        None => match Assets::get("index.html") {
            Some(page) => {
                let mut response = answer("index.html", page, "no-cache", &headers);
                if may_be_framed(path) {
                    let policy = HeaderValue::from_static(POLICY_OF_EMBEDDED_PAGES);
                    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
                }
                response
            }
            None => Html(NOT_BUILT).into_response(),
        },
    }
}

fn answer(path: &str, file: EmbeddedFile, caching: &'static str, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let tag: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    // Weak, since the bytes differ when they are compressed on the way.
    let tag = HeaderValue::try_from(format!("W/\"{tag}\"")).expect("hex is fit for a header");
    let caching = [(ETAG, tag.clone()), (CACHE_CONTROL, HeaderValue::from_static(caching))];
    if headers.get_all(IF_NONE_MATCH).iter().any(|known| known == tag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, media_type(path))], file.data.into_owned()).into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
