//! The one error of the public API.

use std::fmt;

/// What the caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The argument is wrong; the call changed nothing.
    Invalid,
    /// The call makes no sense now, or with these arguments together; it changed nothing.
    Usage,
    /// A config key already has another value; the call changed nothing.
    ConfigConflict,
    /// A config file is missing or cannot be understood; the call changed nothing.
    ConfigFile,
    /// The run is finished.
    Finished,
    /// The artifact is finalized or logged: nothing more can be added to it.
    ArtifactFinalized,
    /// The artifact has no version yet: it must be logged, and committed, first.
    ArtifactNotLogged,
    /// What was waited for did not happen in time; it may yet.
    Timeout,
    /// The content is not what it was: damaged, or changed since.
    Data,
    /// A folder is in the way.
    IsADirectory,
    /// The operating system refused.
    Io,
    /// The server does not have it.
    NotFound,
    /// The server refused or could not be reached.
    Server,
    /// The server does not know us, or does not let us: somebody must log in.
    Unauthorized,
}

/// Why a call was refused. Trouble with the tracker itself (network, disk) is never an error of a running run.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    /// Nobody answered at all.
    is_unreachable: bool,
}

impl Error {
    /// An error with a message for people: lowercase, naming the thing.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), is_unreachable: false }
    }

    pub(crate) fn invalid(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Invalid, message.to_string())
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Usage, message.to_string())
    }

    pub(crate) fn io(error: std::io::Error, what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Io, format!("{what}: {error}"))
    }

    /// No server answers.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { is_unreachable: true, ..Self::new(ErrorKind::Server, message) }
    }

    /// Whether nobody answered at all: what was asked for may be elsewhere.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.is_unreachable
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
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
        Self::invalid(error)
    }
}

impl From<steplog_model::InvalidMetric> for Error {
    fn from(error: steplog_model::InvalidMetric) -> Self {
        Self::invalid(error)
    }
}

impl From<steplog_model::InvalidAlert> for Error {
    fn from(error: steplog_model::InvalidAlert) -> Self {
        Self::invalid(error)
    }
}

impl From<steplog_journal::AppendError> for Error {
    fn from(error: steplog_journal::AppendError) -> Self {
        Self::invalid(error)
    }
}

impl From<steplog_model::InvalidFile> for Error {
    fn from(error: steplog_model::InvalidFile) -> Self {
        Self::invalid(error)
    }
}

impl From<steplog_model::InvalidArtifactName> for Error {
    fn from(error: steplog_model::InvalidArtifactName) -> Self {
        Self::invalid(error)
    }
}

impl From<steplog_model::InvalidArtifact> for Error {
    fn from(error: steplog_model::InvalidArtifact) -> Self {
        Self::invalid(error)
    }
}

impl From<steplog_model::InvalidManifest> for Error {
    fn from(error: steplog_model::InvalidManifest) -> Self {
        Self::invalid(error)
    }
}
