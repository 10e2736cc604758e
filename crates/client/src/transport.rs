//! Sending journal bytes to a server.

use std::time::Duration;

use steplog_model::{
    CollectionName, ContentHash, Entity, FilePath, Manifest, Project, RunPath, StreamId, path_segment,
};
use steplog_protocol::{
    Artifact, BLOB_PACK_MEDIA_TYPE, BlobPackResponse, BlobStatus, CommitArtifactRequest, CommitArtifactResponse,
    ErrorBody, IngestResponse, JOURNAL_MEDIA_TYPE, LinkArtifactRequest, MissingBlob, MissingBlobsRequest,
    MissingBlobsResponse, PutFileRequest, ResumePoint, Session,
};
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use crate::error::{Error, ErrorKind};

/// Longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// Longest manifest that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 2 << 30;

/// So many connections are kept for the next request: as many as there are requests at a time.
const IDLE_CONNECTIONS: usize = 8;

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

    /// Gives bytes a name in a run. When the server has not all of them the answer says how many it has, and nothing was
    /// changed.
    ///
    /// # Errors
    /// See [`TransportError`].
    fn put_file(&self, run: &RunPath, file: &FilePath, request: &PutFileRequest) -> Result<BlobStatus, TransportError>;

    /// Sends a part of the bytes of a file. The answer says where to go on, and whether the whole has the hash and is
    /// durable.
    ///
    /// # Errors
    /// See [`TransportError`]; refused is also what turns out to have another hash.
    fn send_part(
        &self,
        entity: &Entity,
        hash: ContentHash,
        size_bytes: u64,
        offset: u64,
        bytes: &[u8],
    ) -> Result<BlobStatus, TransportError>;
}

/// What sending artifacts needs of a server.
pub trait ArtifactTransport: Transport {
    /// Which of at most [`steplog_protocol::MAX_BLOBS_AT_ONCE`] blobs must be sent, and how many bytes of each are there.
    ///
    /// # Errors
    /// See [`TransportError`].
    fn missing_blobs(&self, entity: &Entity, hashes: &[ContentHash])
    -> Result<Vec<(ContentHash, u64)>, TransportError>;

    /// Sends many small blobs at once; for each its hash (32 bytes), its size (4 bytes, little-endian) and its bytes. When
    /// this returns they are durable.
    ///
    /// # Errors
    /// See [`TransportError`]; refused is also what has another hash than it says.
    fn send_pack(&self, entity: &Entity, pack: &[u8]) -> Result<(), TransportError>;

    /// Makes a version. Repeated with the same id it makes no other one.
    ///
    /// # Errors
    /// See [`TransportError`].
    fn commit_artifact(
        &self,
        entity: &Entity,
        project: &Project,
        collection: &CollectionName,
        request: &CommitArtifactRequest,
    ) -> Result<Commit, TransportError>;

    /// The newest version of a collection; `None` when there is none.
    ///
    /// # Errors
    /// See [`TransportError`].
    fn newest_version(
        &self,
        entity: &Entity,
        project: &Project,
        collection: &CollectionName,
    ) -> Result<Option<Artifact>, TransportError>;

    /// What a version consists of.
    ///
    /// # Errors
    /// See [`TransportError`].
    fn manifest(&self, version: &Artifact) -> Result<Manifest, TransportError>;

    /// Links a version into a registry; answers what it is there. Once more it changes nothing.
    ///
    /// # Errors
    /// See [`TransportError`].
    fn link_artifact(
        &self,
        entity: &Entity,
        project: &Project,
        collection: &CollectionName,
        request: &LinkArtifactRequest,
    ) -> Result<Artifact, TransportError>;
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq)]
pub enum Commit {
    /// It is this version.
    Done(Box<Artifact>),
    /// Bytes are missing, and nothing was changed.
    Missing,
    /// Another state was met than the request expected, and nothing was changed.
    Conflict(String),
}

/// How we speak HTTP: any status is an answer, and a redirection is not followed, for it would take the key along.
pub(crate) fn agent_config() -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections_per_host(IDLE_CONNECTIONS)
        .timeout_connect(Some(Duration::from_secs(10)))
        .user_agent(concat!("steplog/", env!("CARGO_PKG_VERSION")))
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
        let connect = Duration::from_secs(10).min(timeout);
        let config = agent_config().timeout_connect(Some(connect)).timeout_global(Some(timeout)).build();
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

    fn unavailable(&self, reason: &dyn std::fmt::Display) -> TransportError {
        TransportError::Unavailable(format!("{reason}: {}", self.base_url))
    }

    /// Status and body of an answer of at most so many bytes.
    fn receive(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        max_bytes: u64,
    ) -> Result<(u16, Vec<u8>), TransportError> {
        let mut response = response.map_err(|error| self.unavailable(&error))?;
        let body = response.body_mut().with_config().limit(max_bytes).read_to_vec();
        Ok((response.status().as_u16(), body.map_err(|error| self.unavailable(&error))?))
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, status: u16, body: &[u8]) -> Result<T, TransportError> {
        let foreign = |_| self.unavailable(&format_args!("the answer (status {status}) is not steplog's"));
        serde_json::from_slice(body).map_err(foreign)
    }

    fn answer<T: serde::de::DeserializeOwned>(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<T, TransportError> {
        let (status, body) = self.receive(response, MAX_ANSWER_BYTES)?;
        // A conflict answers with the offset that the server has.
        if matches!(status, 200..=299 | 409) { self.parse(status, &body) } else { Err(self.refusal(status, &body)) }
    }

    /// As [`Self::answer`], where a conflict is a refusal.
    fn answer_or_refusal<T: serde::de::DeserializeOwned>(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<T, TransportError> {
        let (status, body) = self.receive(response, MAX_ANSWER_BYTES)?;
        if matches!(status, 200..=299) { self.parse(status, &body) } else { Err(self.refusal(status, &body)) }
    }

    fn refusal(&self, status: u16, body: &[u8]) -> TransportError {
        let message = match serde_json::from_slice::<ErrorBody>(body) {
            Ok(ErrorBody { error }) => match error.hint {
                Some(hint) => format!("{}\nhint: {hint}", error.message),
                None => error.message,
            },
            Err(_) => format!("status {status} from {}", self.base_url),
        };
        match status {
            401 | 403 => TransportError::Unauthorized(message),
            400..=499 if !matches!(status, 408 | 425 | 429) => TransportError::Refused(message),
            _ => TransportError::Unavailable(message),
        }
    }

    fn collection_url(&self, entity: &Entity, project: &Project, collection: &CollectionName) -> String {
        let path = [entity.as_str(), project.as_str(), collection.as_str()].map(path_segment).join("/");
        format!("{}/api/v1/artifacts/{path}", self.base_url)
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

    fn put_file(&self, run: &RunPath, file: &FilePath, request: &PutFileRequest) -> Result<BlobStatus, TransportError> {
        let file: Vec<String> = file.parts().map(path_segment).collect();
        let url = format!("{}/api/v1/runs/{}/files/{}", self.base_url, url_path(run), file.join("/"));
        self.answer(self.prepare(self.agent.put(url)).send_json(request))
    }

    fn send_part(
        &self,
        entity: &Entity,
        hash: ContentHash,
        size_bytes: u64,
        offset: u64,
        bytes: &[u8],
    ) -> Result<BlobStatus, TransportError> {
        let entity = path_segment(entity.as_str());
        let url = format!("{}/api/v1/blobs/{entity}/{hash}?offset={offset}&size_bytes={size_bytes}", self.base_url);
        let request = self.agent.put(url).header("content-type", "application/octet-stream");
        self.answer(self.prepare(request).send(bytes))
    }
}

impl ArtifactTransport for Http {
    fn missing_blobs(
        &self,
        entity: &Entity,
        hashes: &[ContentHash],
    ) -> Result<Vec<(ContentHash, u64)>, TransportError> {
        let url = format!("{}/api/v1/blobs/{}/missing", self.base_url, path_segment(entity.as_str()));
        let request = MissingBlobsRequest { sha256: hashes.iter().map(ToString::to_string).collect() };
        let answer: MissingBlobsResponse =
            self.answer_or_refusal(self.prepare(self.agent.post(url)).send_json(request))?;
        let blob = |blob: MissingBlob| {
            let hash = blob.sha256.parse().map_err(|error| self.unavailable(&error))?;
            Ok((hash, blob.received_bytes))
        };
        answer.missing.into_iter().map(blob).collect()
    }

    fn send_pack(&self, entity: &Entity, pack: &[u8]) -> Result<(), TransportError> {
        let url = format!("{}/api/v1/blobs/{}", self.base_url, path_segment(entity.as_str()));
        let request = self.agent.post(url).header("content-type", BLOB_PACK_MEDIA_TYPE);
        self.answer_or_refusal::<BlobPackResponse>(self.prepare(request).send(pack)).map(drop)
    }

    fn commit_artifact(
        &self,
        entity: &Entity,
        project: &Project,
        collection: &CollectionName,
        request: &CommitArtifactRequest,
    ) -> Result<Commit, TransportError> {
        let url = format!("{}/versions", self.collection_url(entity, project, collection));
        let response = self.prepare(self.agent.post(url)).send_json(request);
        let (status, body) = self.receive(response, MAX_ANSWER_BYTES)?;
        match status {
            200..=299 => {
                let answer: CommitArtifactResponse = self.parse(status, &body)?;
                Ok(answer.artifact.map_or(Commit::Missing, |artifact| Commit::Done(Box::new(artifact))))
            }
            409 if serde_json::from_slice::<CommitArtifactResponse>(&body).is_ok() => Ok(Commit::Missing),
            409 => Ok(Commit::Conflict(self.refusal(status, &body).to_string())),
            _ => Err(self.refusal(status, &body)),
        }
    }

    fn newest_version(
        &self,
        entity: &Entity,
        project: &Project,
        collection: &CollectionName,
    ) -> Result<Option<Artifact>, TransportError> {
        let url = format!("{}/versions/latest", self.collection_url(entity, project, collection));
        let (status, body) = self.receive(self.prepare(self.agent.get(url)).call(), MAX_ANSWER_BYTES)?;
        match status {
            200..=299 => self.parse(status, &body).map(Some),
            404 => Ok(None),
            _ => Err(self.refusal(status, &body)),
        }
    }

    fn manifest(&self, version: &Artifact) -> Result<Manifest, TransportError> {
        let Artifact { entity, project, collection, version, .. } = version;
        let path = [entity, project, collection].map(|part| path_segment(part)).join("/");
        let url = format!("{}/api/v1/artifacts/{path}/versions/{}/manifest", self.base_url, path_segment(version));
        let (status, body) = self.receive(self.prepare(self.agent.get(url)).call(), MAX_MANIFEST_BYTES)?;
        match status {
            200..=299 => Manifest::from_json_lines(&body).map_err(|error| self.unavailable(&error)),
            _ => Err(self.refusal(status, &body)),
        }
    }

    fn link_artifact(
        &self,
        entity: &Entity,
        project: &Project,
        collection: &CollectionName,
        request: &LinkArtifactRequest,
    ) -> Result<Artifact, TransportError> {
        let url = format!("{}/links", self.collection_url(entity, project, collection));
        self.answer_or_refusal(self.prepare(self.agent.post(url)).send_json(request))
    }
}
