//! Requests of the HTTP API, their answers, and what it means when there is none.

use std::io::{self, Read};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use steplog_model::ContentHash;
use steplog_protocol::{ErrorBody, ErrorKind as RefusalKind, Session};
use ureq::http::Response;
use ureq::http::StatusCode;
use ureq::http::header::{ETAG, IF_RANGE, RANGE};
use ureq::{Agent, Body, BodyReader, RequestBuilder};

use super::ApiSettings;
use crate::error::{Error, ErrorKind};
use crate::settings::Resolved;
use crate::source::Sources;
use crate::{fork, transport};

/// Longest JSON answer that is read, in bytes.
const MAX_JSON_BYTES: u64 = 256 << 20;

/// How long to wait before each further try, when a server is busy.
pub(crate) const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// How to reach a server, and the names that paths may leave out.
#[derive(Debug)]
pub(crate) struct Connection {
    /// With the generation of the process: a forked child must not speak on its parent's connections.
    agent: Mutex<(u32, Agent)>,
    base_url: String,
    authorization: Option<String>,
    timeout: Duration,
    pub(crate) entity: OnceLock<String>,
    pub(crate) project: Option<String>,
}

/// What a server sends, as it comes.
pub struct Download {
    body: BodyReader<'static>,
    base_url: String,
    size_bytes: Option<u64>,
    sha256: Option<ContentHash>,
    tag: Option<String>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) fn new(resolved: Resolved, settings: ApiSettings, sources: &Sources) -> Self {
        fork::watch();
        let entity = settings.entity.or_else(|| sources.get("ENTITY")).or(resolved.default_entity);
        let timeout = settings.timeout.unwrap_or(Duration::from_secs(60));
        Self {
            agent: Mutex::new((fork::generation(), agent(timeout))),
            base_url: resolved.base_url,
            authorization: resolved.api_key.map(|key| format!("Bearer {key}")),
            timeout,
            entity: entity.map(OnceLock::from).unwrap_or_default(),
            project: settings.project.or_else(|| sources.get("PROJECT")),
        }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn default_entity(&self) -> Result<String, Error> {
        if let Some(entity) = self.entity.get() {
            return Ok(entity.clone());
        }
        let session: Session = self.get("/session")?;
        Ok(self.entity.get_or_init(|| session.default_entity).clone())
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.json(|agent| self.prepare_short(agent.get(self.address(path))).call())
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        self.json(|agent| self.prepare_short(agent.post(self.address(path))).send_json(body))
    }

    pub(crate) fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        self.json(|agent| self.prepare_short(agent.patch(self.address(path))).send_json(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Result<(), Error> {
        self.call(|agent| self.prepare_short(agent.delete(self.address(path))).call()).map(drop)
    }

    /// A body as it comes, however long that takes.
    pub(crate) fn download(&self, path: &str) -> Result<Download, Error> {
        let response = self.call(|agent| self.prepare(agent.get(self.address(path))).call())?;
        Ok(self.to_download(response))
    }

    /// A body from byte `offset` on; from its beginning where `tag` is none. It breaks off when it takes longer than the
    /// timeout: whoever goes on behind what came finds out in this way that nothing comes any more. `None` when what has that
    /// tag is not there any more.
    pub(crate) fn download_from(&self, path: &str, offset: u64, tag: Option<&str>) -> Result<Option<Download>, Error> {
        let response = self.call(|agent| {
            let mut request = self.prepare_short(agent.get(self.address(path)));
            if let Some(tag) = tag {
                request = request.header(RANGE, format!("bytes={offset}-")).header(IF_RANGE, tag);
            }
            request.call()
        })?;
        let is_as_asked = tag.is_none() || response.status() == StatusCode::PARTIAL_CONTENT;
        Ok(is_as_asked.then(|| self.to_download(response)))
    }

    /// `count_bytes` of a body from byte `offset` on. It breaks off when nothing comes for the timeout.
    ///
    /// # Errors
    /// The server refuses, does not answer, or answers something else.
    pub(crate) fn download_range(&self, path: &str, offset: u64, count_bytes: u64) -> Result<Download, Error> {
        let range = format!("bytes={offset}-{}", offset + count_bytes.max(1) - 1);
        let response = self.call(|agent| {
            let request = self.prepare(agent.get(self.address(path))).header(RANGE, &range);
            request.config().timeout_per_read(Some(self.timeout)).build().call()
        })?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => Ok(self.to_download(response)),
            _ => Err(self.foreign()),
        }
    }

    /// A body as it comes. It breaks off when nothing comes for the timeout.
    ///
    /// # Errors
    /// The server refuses, or does not answer.
    pub(crate) fn download_watched(&self, path: &str) -> Result<Download, Error> {
        let response = self.call(|agent| {
            let request = self.prepare(agent.get(self.address(path)));
            request.config().timeout_per_read(Some(self.timeout)).build().call()
        })?;
        Ok(self.to_download(response))
    }

    fn to_download(&self, response: Response<Body>) -> Download {
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        // Tags of other forms say only whether the content is another one.
        let sha256 = tag.as_deref().and_then(|tag| tag.trim_matches('"').parse().ok());
        let size_bytes = response.body().content_length();
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        Download { body, base_url: self.base_url.clone(), size_bytes, sha256, tag }
    }

    fn agent(&self) -> Agent {
        let mut held = self.agent.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = fork::generation();
        if held.0 != generation {
            *held = (generation, agent(self.timeout));
        }
        held.1.clone()
    }

    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.base_url)
    }

    fn prepare<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }

    /// For an answer that comes whole within the timeout.
    fn prepare_short<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        self.prepare(request).config().timeout_recv_body(Some(self.timeout)).build()
    }

    fn json<T: DeserializeOwned>(
        &self,
        send: impl Fn(&Agent) -> Result<Response<Body>, ureq::Error>,
    ) -> Result<T, Error> {
        let mut body = self.call(send)?.into_body();
        let bytes = body.with_config().limit(MAX_JSON_BYTES).read_to_vec().map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&bytes).map_err(|_| self.foreign())
    }

    /// Sends a request, again when the server is too busy for it.
    fn call(&self, send: impl Fn(&Agent) -> Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Error> {
        let mut pauses = PAUSES.iter();
        loop {
            let mut response = send(&self.agent()).map_err(|error| self.unreachable(&error))?;
            if response.status().is_success() {
                return Ok(response);
            }
            let is_busy = matches!(response.status().as_u16(), 429 | 503);
            if let Some(pause) = pauses.next().filter(|_| is_busy) {
                std::thread::sleep(*pause);
                continue;
            }
            let bytes = response.body_mut().with_config().limit(1 << 20).read_to_vec().unwrap_or_default();
            return Err(match serde_json::from_slice::<ErrorBody>(&bytes) {
                Ok(body) => refusal(body),
                Err(_) => self.foreign(),
            });
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Error {
        let hint = "hint: start a server with `steplog serve`, or name one with STEPLOG_BASE_URL";
        Error::unreachable(format!("no server answers at {}: {error}\n{hint}", self.base_url))
    }

    fn foreign(&self) -> Error {
        Error::new(ErrorKind::Server, format!("what answers at {} is not a steplog server", self.base_url))
    }
}

fn agent(timeout: Duration) -> Agent {
    transport::agent_config().timeout_recv_response(Some(timeout)).build().into()
}

fn refusal(body: ErrorBody) -> Error {
    let kind = match body.error.kind {
        RefusalKind::Invalid => ErrorKind::Invalid,
        RefusalKind::NotFound => ErrorKind::NotFound,
        RefusalKind::Data => ErrorKind::Data,
        _ => ErrorKind::Server,
    };
    let hint = body.error.hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    Error::new(kind, body.error.message + &hint)
}

impl Download {
    /// How many bytes there are in all; `None` where the server does not know that before the end.
    pub fn size_bytes(&self) -> Option<u64> {
        self.size_bytes
    }

    /// Hash of all the bytes, where the server says it.
    pub(crate) fn sha256(&self) -> Option<ContentHash> {
        self.sha256
    }

    /// What a request for the rest says, so that it is of the same content; `None` where the server does not tell contents
    /// apart.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref().filter(|tag| tag.starts_with('"'))
    }

    /// All that is left.
    ///
    /// # Errors
    /// The connection broke off.
    pub fn read_all(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).map_err(|error| Error::new(ErrorKind::Server, error.to_string()))?;
        Ok(bytes)
    }
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer).map_err(|error| {
            io::Error::new(error.kind(), format!("a download from {} broke off: {error}", self.base_url))
        })
    }
}
