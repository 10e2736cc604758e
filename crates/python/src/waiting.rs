//! What goes on while Python waits for something that may take long: a bar where a person looks, and Ctrl-C.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use pyo3::prelude::*;

use crate::error::to_exception;

/// How often it is looked whether somebody pressed Ctrl-C.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

/// What is shorter needs no bar.
const BAR_AFTER: Duration = Duration::from_millis(300);

/// Told how far it is while the interpreter is detached.
pub(crate) struct Waiting {
    /// What is being done; empty where nobody wants to see it.
    message: &'static str,
    begun: Instant,
    looked_at: Instant,
    bar: Option<ProgressBar>,
    raised: Option<PyErr>,
}

impl Waiting {
    /// Begins to wait; `shows` is whether a bar may be drawn at all.
    pub(crate) fn new(message: &'static str, shows: bool) -> Self {
        let message = if shows && std::io::stderr().is_terminal() { message } else { "" };
        let now = Instant::now();
        Self { message, begun: now, looked_at: now, bar: None, raised: None }
    }

    /// Begins to wait for something of which nobody knows how far it is.
    pub(crate) fn silent() -> Self {
        Self::new("", false)
    }

    /// Takes how many bytes of how many are done; answers whether to go on.
    pub(crate) fn goes_on(&mut self, done_bytes: u64, total_bytes: u64) -> bool {
        if self.raised.is_some() {
            return false;
        }
        if !self.message.is_empty() && self.begun.elapsed() > BAR_AFTER {
            let message = self.message;
            let bar = self.bar.get_or_insert_with(|| progress_bar(message));
            bar.set_length(total_bytes);
            bar.set_position(done_bytes);
        }
        if self.looked_at.elapsed() < SIGNALS_EVERY {
            return true;
        }
        self.looked_at = Instant::now();
        self.raised = Python::attach(|py| py.check_signals()).err();
        self.raised.is_none()
    }

    /// Ends it: what a signal raised comes before what came of being stopped.
    pub(crate) fn end<T>(self, py: Python<'_>, result: Result<T, steplog::Error>) -> PyResult<T> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        match self.raised {
            Some(raised) => Err(raised),
            None => result.map_err(|error| to_exception(py, &error)),
        }
    }
}

fn progress_bar(message: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("steplog: {msg} {bar:30} {bytes}/{total_bytes} {eta}");
    ProgressBar::no_length().with_style(style.expect("the template is right")).with_message(message)
}
