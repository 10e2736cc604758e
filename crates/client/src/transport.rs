//! Sending journal bytes to a server.

use std::time::Duration;

use steplog_model::{RunPath, StreamId, path_segment};
use steplog_protocol::{ErrorBody, IngestResponse, JOURNAL_MEDIA_TYPE, ResumePoint, Session};

use crate::error::{Error, ErrorKind};

/// Why a request did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// Nobody answered, or only with trouble of their own: try again later.
    Unavailable(String),
    /// The server does not know us or does not let us: somebody must log in.
    Unauthorized(String),
    /// The server refuses these bytes and will again.
    Refused(String),
}

impl std::fmt::Display for TransportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Unavailable(message) | Self::Unauthorized(message) | Self::Refused(message)) = self;
        f.write_str(message)
    }
}

impl std::error::Error for TransportError {}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        let kind = match error {
            TransportError::Unauthorized(_) => ErrorKind::Unauthorized,
            TransportError::Unavailable(_) | TransportError::Refused(_) => ErrorKind::Server,
        };
        Self::new(kind, error.to_string())
    }
}

/// What an uploader needs of a server. A call may take long, but not for ever.
pub trait Transport: Send + Sync {
    /// How far a stream is durable on the server; 0 when it does not know it.
    ///
    /// # Errors
    /// See [`TransportError`].
    fn durable_offset(&self, run: &RunPath, stream: StreamId) -> Result<IngestResponse, TransportError>;

    /// Sends bytes of a stream. The answer says how far the stream is durable, which may be less than was sent, more, or
    /// before `offset` when the server misses something.
    ///
    /// # Errors
    /// See [`TransportError`]. Whether the bytes arrived is then unknown; sending them again is harmless.
    fn send(
        &self,
        run: &RunPath,
        stream: StreamId,
        offset: u64,
        bytes: &[u8],
    ) -> Result<IngestResponse, TransportError>;
}

/// A server behind HTTP.
#[derive(Clone, Debug)]
pub struct Http {
    agent: ureq::Agent,
    base_url: String,
    authorization: Option<String>,
}

impl Http {
    /// A server by URL; nothing is sent yet. A request takes at most 2 minutes.
    pub fn new(base_url: &str, api_key: Option<&str>) -> Self {
        Self::with_timeout(base_url, api_key, Duration::from_secs(120))
    }

    /// A server by URL, for requests that take at most so long.
    pub fn with_timeout(base_url: &str, api_key: Option<&str>, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10).min(timeout)))
            .timeout_global(Some(timeout))
            .user_agent(concat!("steplog/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            authorization: api_key.map(|key| format!("Bearer {key}")),
        }
    }

    /// Who the server takes us for.
    ///
    /// # Errors
    /// See [`TransportError`].
    pub fn session(&self) -> Result<Session, TransportError> {
        self.answer(self.prepare(self.agent.get(format!("{}/api/v1/session", self.base_url))).call())
    }

    /// Where a run stands; `None` when the server does not know it.
    ///
    /// # Errors
    /// See [`TransportError`].
    pub(crate) fn resume_point(&self, run: &RunPath) -> Result<Option<ResumePoint>, TransportError> {
        let url = format!("{}/api/v1/runs/{}/resume", self.base_url, url_path(run));
        let response = self.prepare(self.agent.get(url)).call();
        match &response {
            Ok(answer) if answer.status() == 404 => Ok(None),
            _ => self.answer(response).map(Some),
        }
    }

    fn url(&self, run: &RunPath, stream: StreamId) -> String {
        format!("{}/api/v1/ingest/{}/{stream}", self.base_url, url_path(run))
    }

    fn prepare<Body>(&self, request: ureq::RequestBuilder<Body>) -> ureq::RequestBuilder<Body> {
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }

    fn answer<T: serde::de::DeserializeOwned>(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<T, TransportError> {
        let unavailable =
            |error: &dyn std::fmt::Display| TransportError::Unavailable(format!("{error}: {}", self.base_url));
        let mut response = response.map_err(|error| unavailable(&error))?;
        let status = response.status().as_u16();
        let body =
            response.body_mut().with_config().limit(1 << 20).read_to_vec().map_err(|error| unavailable(&error))?;
        // A conflict answers with the offset that the server has.
        if matches!(status, 200..=299 | 409) {
            let parsed = serde_json::from_slice(&body);
            return parsed.map_err(|_| unavailable(&format_args!("the answer (status {status}) is not steplog's")));
        }
        let message = match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(ErrorBody { error }) => match error.hint {
                Some(hint) => format!("{}\nhint: {hint}", error.message),
                None => error.message,
            },
            Err(_) => format!("status {status} from {}", self.base_url),
        };
        Err(match status {
            401 | 403 => TransportError::Unauthorized(message),
            400..=499 if !matches!(status, 408 | 425 | 429) => TransportError::Refused(message),
            _ => TransportError::Unavailable(message),
        })
    }
}

/// A run's path as it stands in a URL.
fn url_path(run: &RunPath) -> String {
    let names = [run.entity.as_str(), run.project.as_str(), run.run.as_str()];
    names.map(path_segment).join("/")
}

impl Transport for Http {
    fn durable_offset(&self, run: &RunPath, stream: StreamId) -> Result<IngestResponse, TransportError> {
        self.answer(self.prepare(self.agent.get(self.url(run, stream))).call())
    }

    fn send(
        &self,
        run: &RunPath,
        stream: StreamId,
        offset: u64,
        bytes: &[u8],
    ) -> Result<IngestResponse, TransportError> {
        let compressed = zstd::bulk::compress(bytes, 1)
            .map_err(|error| TransportError::Unavailable(format!("compression failed: {error}")))?;
        let request = self.agent.post(format!("{}?offset={offset}", self.url(run, stream)));
        let request = request.header("content-type", JOURNAL_MEDIA_TYPE).header("content-encoding", "zstd");
        self.answer(self.prepare(request).send(&compressed[..]))
    }
}
