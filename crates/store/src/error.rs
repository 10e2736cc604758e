//! What can go wrong, named by what the caller does next.

use std::fmt;

use steplog_model::ContentHash;
use steplog_protocol::{ErrorKind, IngestResponse};

/// An error of the store.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    response: Option<IngestResponse>,
    lost: bool,
}

impl Error {
    /// What the caller can do next.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// A remedy, when one is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// How far the stream is durable: there when an ingest was refused because its offset was too high
    /// ([`ErrorKind::Conflict`]) or because its bytes are damaged ([`ErrorKind::Invalid`]).
    pub fn ingest_response(&self) -> Option<&IngestResponse> {
        self.response.as_ref()
    }

    /// Whether the bytes that were asked for were damaged and cannot be had, while the rest of the store is well.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, response: None, lost: false }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message)
    }

    pub(crate) fn lost(message: impl Into<String>) -> Self {
        Self { lost: true, ..Self::data(message) }
    }

    /// Says that the bytes of something are not to be had, and what helps.
    pub fn damaged(name: &str, hash: ContentHash) -> Self {
        Self::lost(format!("the bytes of {name} were damaged on the server's disk and are not to be had"))
            .with_hint(format!("whoever has the file sends it again, then it is whole: its SHA-256 is {hash}"))
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_response(mut self, response: IngestResponse) -> Self {
        self.response = Some(response);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<steplog_model::InvalidName> for Error {
    fn from(error: steplog_model::InvalidName) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<steplog_model::InvalidArtifactName> for Error {
    fn from(error: steplog_model::InvalidArtifactName) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<steplog_model::InvalidArtifact> for Error {
    fn from(error: steplog_model::InvalidArtifact) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<steplog_model::InvalidManifest> for Error {
    fn from(error: steplog_model::InvalidManifest) -> Self {
        Self::invalid(error.to_string())
    }
}
