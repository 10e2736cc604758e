//! Where a request comes from, as far as a browser tells: other sites must not act in a visitor's name.

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue};

use crate::error::ApiError;

/// Refuses a writing request that a page of another site sent.
///
/// Browsers say so in `Sec-Fetch-Site`, or (over plain HTTP to another machine) only in `Origin`; programs send neither.
/// With a cookie one of them must be there: a request with a cookie is a browser's.
pub(crate) fn refuse_cross_site(headers: &HeaderMap, has_cookie: bool) -> Result<(), ApiError> {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let same_site = match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => matches!(text(site).as_str(), "same-origin" | "none"),
        (None, Some(origin)) => {
            // A proxy may rewrite Host; a page of another site can set neither header.
            let host = headers.get("x-forwarded-host").or_else(|| headers.get(HOST)).map(text);
            text(origin).split_once("://").is_some_and(|(_, authority)| host.as_deref() == Some(authority))
        }
        (None, None) => !has_cookie,
    };
    if same_site { Ok(()) } else { Err(ApiError::forbidden("the request comes from a page of another site")) }
}

/// Refuses a host name other than this machine's: the guard of a server without accounts against a page elsewhere whose
/// name was made to point here (DNS rebinding).
pub(crate) fn refuse_foreign_host(headers: &HeaderMap) -> Result<(), ApiError> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(is_this_machine) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!("a server without accounts does not answer to the host {:?}", host.unwrap_or("")))
        .hint("use http://127.0.0.1 or http://localhost, or make an account with `steplog user add`"))
}

fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    name.eq_ignore_ascii_case("localhost")
        || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(entries: &[(&'static str, &'static str)]) -> HeaderMap {
        let entry = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn pages_of_other_sites_may_not_write() {
        let allowed = |entries: &[_], has_cookie| refuse_cross_site(&headers(entries), has_cookie).is_ok();
        assert!(allowed(&[], false));
        assert!(!allowed(&[], true));
        assert!(allowed(&[("sec-fetch-site", "same-origin")], true));
        assert!(!allowed(&[("sec-fetch-site", "cross-site")], false));
        assert!(!allowed(&[("sec-fetch-site", "same-site")], true));
        assert!(allowed(&[("origin", "http://tracker:7837"), ("host", "tracker:7837")], true));
        assert!(!allowed(&[("origin", "http://tracker:80"), ("host", "tracker:7837")], true));
        assert!(!allowed(&[("origin", "null"), ("host", "tracker:7837")], false));
        assert!(allowed(
            &[("origin", "https://tracker.org"), ("host", "10.0.0.1:7837"), ("x-forwarded-host", "tracker.org")],
            true
        ));
    }

    #[test]
    fn only_names_of_this_machine_pass_without_accounts() {
        for host in ["localhost", "LOCALHOST:7837", "127.0.0.1", "127.0.0.1:80", "127.9.9.9", "[::1]", "[::1]:7837"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", "a b"]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
