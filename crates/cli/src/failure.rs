//! How commands end, and how errors look: `error: …`, and `hint: …` when a remedy is known.

use std::fmt;
use std::process::ExitCode;

use steplog_protocol::ErrorDetail;

/// How a command ended that met no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything is done or good.
    Good,
    /// Something is left to do, or damaged; the command has said what.
    Incomplete,
}

/// An error with a remedy.
#[derive(Debug)]
pub(crate) struct Refusal {
    message: String,
    hint: Option<String>,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

impl From<ErrorDetail> for Refusal {
    fn from(error: ErrorDetail) -> Self {
        Self { message: error.message, hint: error.hint }
    }
}

impl From<steplog_store::Error> for Refusal {
    fn from(error: steplog_store::Error) -> Self {
        Self { message: error.to_string(), hint: error.hint().map(Into::into) }
    }
}

/// Turns what another crate refused into an error of the command.
pub(crate) fn refused(error: impl Into<Refusal>) -> anyhow::Error {
    error.into().into()
}

pub(crate) fn print(error: &anyhow::Error) -> ExitCode {
    // A reader that closed its pipe, such as `head`, has seen enough: that is no error.
    let is_closed_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(is_closed_pipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {error:#}");
    let hints = error.chain().filter_map(|cause| cause.downcast_ref::<Refusal>()?.hint.as_ref());
    for hint in hints {
        eprintln!("hint: {hint}");
    }
    ExitCode::FAILURE
}
