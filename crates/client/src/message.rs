//! What steplog says on the terminal: a few lines on stderr, each about something that matters.

use std::io::{IsTerminal as _, Write as _};

use serde::{Deserialize, Serialize};

/// How much steplog says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verbosity {
    /// Not one byte.
    Silent,
    /// Warnings only.
    Quiet,
    /// Where to look at the run, and how it ended.
    #[default]
    Normal,
}

impl Verbosity {
    pub(crate) fn info(self, message: &str) {
        if self >= Self::Normal {
            print("steplog:", "\x1b[1;36m", message);
        }
    }

    pub(crate) fn warn(self, message: &str) {
        if self >= Self::Quiet {
            print("steplog: warning:", "\x1b[1;33m", message);
        }
    }

    pub(crate) fn shows_progress(self) -> bool {
        self >= Self::Normal && std::io::stderr().is_terminal()
    }
}

fn print(prefix: &str, colour: &str, message: &str) {
    // It is no output of the script: where that is redirected, this passes it by.
    #[cfg(unix)]
    if let Some(mut original) = crate::console::original_stderr() {
        let line = line(original.is_terminal(), prefix, colour, message);
        // A closed stderr is no reason to fail.
        let _ = original.write_all(line.as_bytes());
        return;
    }
    let mut stderr = std::io::stderr().lock();
    let line = line(stderr.is_terminal(), prefix, colour, message);
    // As above.
    let _ = stderr.write_all(line.as_bytes());
}

fn line(is_terminal: bool, prefix: &str, colour: &str, message: &str) -> String {
    if is_terminal && std::env::var_os("NO_COLOR").is_none() {
        format!("{colour}{prefix}\x1b[0m {message}\n")
    } else {
        format!("{prefix} {message}\n")
    }
}
