//! HTTP to other people's servers: patient with those that are busy, and silent about keys.

use std::thread;
use std::time::Duration;

use ureq::http::header::{HeaderMap, LOCATION};
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body};
use url::Url;

use super::shown;
use crate::error::{Error, ErrorKind};
use crate::transport;

/// How long to wait before each further try, when a server is busy.
pub(super) const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// So many times a server that cannot be reached is tried again: a wrong name shall not take long.
const TRIES_TO_REACH: usize = 2;

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// How often a request may be sent elsewhere.
const MAX_REDIRECTS: usize = 10;

/// Longest answer that is read whole, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

pub(super) struct Web {
    agent: Agent,
}

/// A request. `uri` is what people called the thing, and what messages show of it; `url` may hold keys.
#[derive(Clone)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) uri: &'a str,
}

impl<'a> Call<'a> {
    pub(super) fn get(url: Url, uri: &'a str) -> Self {
        Self { method: Method::GET, url, headers: Vec::new(), uri }
    }

    pub(super) fn head(url: Url, uri: &'a str) -> Self {
        Self { method: Method::HEAD, ..Self::get(url, uri) }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Asks only for what begins at a byte.
    pub(super) fn beginning_at(self, offset: u64) -> Self {
        if offset == 0 { self } else { self.header("range", format!("bytes={offset}-")) }
    }
}

impl Web {
    pub(super) fn new() -> Self {
        let config = transport::agent_config()
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .max_idle_connections_per_host(16)
            .build();
        Self { agent: config.into() }
    }

    /// The answer, whatever its status; asked for again while the server is busy.
    pub(super) fn send(&self, call: &Call<'_>) -> Result<Response<Body>, Error> {
        self.send_with(call, |request| self.agent.run(request))
    }

    /// The answer to a form.
    pub(super) fn send_form(&self, call: &Call<'_>, form: &[(&str, &str)]) -> Result<Response<Body>, Error> {
        let body = form.iter().fold(url::form_urlencoded::Serializer::new(String::new()), |mut body, (name, value)| {
            body.append_pair(name, value);
            body
        });
        let body = { body }.finish();
        let call = call.clone().header("content-type", "application/x-www-form-urlencoded");
        self.send_with(&call, |request| self.agent.run(request.map(|()| body.clone())))
    }

    fn send_with(
        &self,
        call: &Call<'_>,
        send: impl Fn(Request<()>) -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>, Error> {
        let mut tries = 0;
        loop {
            let answer = send(call.request()?);
            let limit = match &answer {
                Ok(answer) if matches!(answer.status().as_u16(), 429 | 500 | 502 | 503 | 504) => PAUSES.len(),
                Ok(_) => 0,
                Err(_) => TRIES_TO_REACH,
            };
            if tries >= limit {
                return answer.map_err(|error| unreachable(call.uri, &error));
            }
            thread::sleep(PAUSES[tries]);
            tries += 1;
        }
    }

    /// The answer, from wherever the server sends us. Nothing that names us goes along, and what was asked for over an
    /// encrypted connection is not taken from another one.
    pub(super) fn follow(&self, call: &Call<'_>) -> Result<Response<Body>, Error> {
        let mut call = call.clone();
        for _ in 0..MAX_REDIRECTS {
            let answer = self.send(&call)?;
            if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            let next = location.and_then(|location| call.url.join(location).ok());
            let refused = |what: &str| Error::new(ErrorKind::Server, format!("{} {what}", shown(call.uri)));
            let next = next.ok_or_else(|| refused("is said to be elsewhere, and not where"))?;
            match (call.url.scheme(), next.scheme()) {
                ("https", "http") => return Err(refused("leads from an encrypted connection to one that is not")),
                (_, "http" | "https") => call.url = next,
                _ => return Err(refused("leads to what is neither http nor https")),
            }
            let _ = call.url.set_username("");
            let _ = call.url.set_password(None);
        }
        Err(Error::new(ErrorKind::Server, format!("{} leads from one address to the next", shown(call.uri))))
    }
}

impl Call<'_> {
    fn request(&self) -> Result<Request<()>, Error> {
        let mut request = Request::builder().method(self.method.clone()).uri(self.url.as_str());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(()).map_err(|_| Error::invalid(format_args!("{} cannot be asked for", shown(self.uri))))
    }
}

/// What an answer says under a name.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|value| !value.is_empty())
}

/// An answer as text.
pub(super) fn text(answer: &mut Response<Body>, uri: &str) -> Result<String, Error> {
    let bytes = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
    let bytes = bytes.map_err(|error| unreachable(uri, &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn unreachable(uri: &str, error: &ureq::Error) -> Error {
    // Some errors quote the whole URL, and that may hold keys.
    let reason = match error {
        ureq::Error::BadUri(_) | ureq::Error::RequireHttpsOnly(_) => "its address is not understood".to_owned(),
        error => error.to_string(),
    };
    Error::new(ErrorKind::Server, format!("{} cannot be reached: {reason}", shown(uri)))
}
