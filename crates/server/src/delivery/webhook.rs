//! One HTTP request to a webhook, and what its answer means. No redirect is followed, no proxy used, no body read.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderMap, Request, StatusCode};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::PrivateHosts;
use super::attempt::{Attempt, Trouble};
use super::connect::connect;
use super::signature::sign;
use super::target::Target;

/// Longest wait that a receiver can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Largest head of an answer.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// A request.
pub(super) struct Post<'a> {
    pub(super) target: &'a Target,
    /// The message's id.
    pub(super) id: &'a str,
    pub(super) body: Vec<u8>,
    pub(super) secret: Option<&'a str>,
}

/// Sends it.
pub(super) async fn post(post: Post<'_>, allowed: &PrivateHosts, attempt: &Attempt) -> Result<(), Trouble> {
    let connection = connect(post.target, allowed).await?;
    let (written, length) = (connection.written(), post.body.len());
    let handshake = http1::Builder::new().max_buf_size(MAX_HEAD_BYTES).handshake(TokioIo::new(connection)).await;
    let (mut sender, connection) = handshake.map_err(|error| Trouble::passing(format!("{error}")))?;
    let request = request(post)?;
    attempt.begin().await?;
    let exchange = async {
        let answer = sender.send_request(request);
        // Polled together in this future: when it is dropped, the connection is closed.
        let mut answer = std::pin::pin!(answer);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            _ = &mut connection => answer.await,
        }
    };
    let watched = WholeAbove { written: &written, length, attempt };
    match watched.run(exchange).await {
        Ok(answer) => read_answer(answer.status(), answer.headers()),
        Err(error) => Err(broken(&error, attempt)),
    }
}

/// Notes that a request may be whole as soon as more than its body was written: its head comes first.
struct WholeAbove<'a> {
    written: &'a AtomicUsize,
    length: usize,
    attempt: &'a Attempt,
}

impl WholeAbove<'_> {
    async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|context| {
            let result = future.as_mut().poll(context);
            if self.written.load(Ordering::Acquire) > self.length {
                self.attempt.is_whole();
            }
            result
        })
        .await
    }
}

fn request(post: Post<'_>) -> Result<Request<Body>, Trouble> {
    let timestamp = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let mut request = Request::post(post.target.path())
        .header(HOST, post.target.authority())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("steplog/", env!("CARGO_PKG_VERSION")))
        .header("connection", "close")
        .header("idempotency-key", post.id)
        .header("webhook-id", post.id)
        .header("webhook-timestamp", timestamp);
    if let Some(secret) = post.secret {
        request = request.header("webhook-signature", sign(secret, post.id, timestamp, &post.body));
    }
    request.body(Body::from(post.body)).map_err(|_| Trouble::lasting("the webhook's URL cannot be requested"))
}

/// What an answer says: with an error the receiver says that it did not take the message, but for one that a proxy gives when
/// it does not know.
fn read_answer(status: StatusCode, headers: &HeaderMap) -> Result<(), Trouble> {
    if status.is_success() {
        return Ok(());
    }
    // The reason is the usual one, not the receiver's words.
    let said = match status.canonical_reason() {
        Some(reason) => format!("the receiver answered {} {reason}", status.as_u16()),
        None => format!("the receiver answered {}", status.as_u16()),
    };
    Err(match status {
        StatusCode::GATEWAY_TIMEOUT => {
            Trouble::Lost { error: format!("{said}: it may have arrived behind the gateway") }
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Trouble::NotTaken { error: said, again: true, wait: retry_after(headers) }
        }
        status if status.is_server_error() => {
            Trouble::NotTaken { error: said, again: true, wait: retry_after(headers) }
        }
        status if status.is_redirection() => Trouble::lasting(format!("{said}; redirects are not followed")),
        _ => Trouble::lasting(said),
    })
}

/// How long the receiver asks to be left alone: seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok()?,
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

fn broken(error: &hyper::Error, attempt: &Attempt) -> Trouble {
    if error.is_parse() || error.is_parse_too_large() {
        return Trouble::Lost { error: "the receiver's answer is not HTTP".into() };
    }
    attempt.cut_off("the connection broke")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: &str) -> Result<(), Trouble> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, retry_after.parse().expect("a value"))]);
        read_answer(StatusCode::from_u16(status).expect("a status"), &headers)
    }

    #[test]
    fn only_what_was_refused_for_now_is_tried_again() {
        let again = |status: u16| match answer(status, "") {
            Ok(()) => "taken",
            Err(Trouble::NotTaken { again: true, .. }) => "again",
            Err(Trouble::NotTaken { again: false, .. }) => "never",
            Err(_) => "unknown",
        };
        let all = [200, 202, 204, 301, 307, 400, 401, 404, 408, 410, 425, 429, 500, 502, 503, 504];
        assert_eq!(
            all.map(again),
            [
                "taken", "taken", "taken", "never", "never", "never", "never", "never", "again", "never", "again",
                "again", "again", "again", "again", "unknown"
            ]
        );
        assert_eq!(answer(404, ""), Err(Trouble::lasting("the receiver answered 404 Not Found")));
    }

    #[test]
    fn a_receiver_says_when_to_come_back() {
        let wait = |value: &str| match answer(429, value) {
            Err(Trouble::NotTaken { wait, .. }) => wait,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("999999999"), Some(MAX_RETRY_AFTER));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("Fri, 01 Jan 2100 00:00:00 GMT"), Some(MAX_RETRY_AFTER));
        assert_eq!(wait("Thu, 01 Jan 1970 00:00:00 GMT"), None);
    }
}
