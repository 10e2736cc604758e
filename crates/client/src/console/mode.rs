//! How what a process prints is caught.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How what a process prints is caught, while it is printed as ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleMode {
    /// As [`Self::Wrap`].
    #[default]
    Auto,
    /// Where the program prints: in Python the `write` methods of `sys.stdout` and `sys.stderr`; in Rust what is given to
    /// [`crate::Run::write_console`].
    Wrap,
    /// What is written to the file descriptors 1 and 2, by libraries in other languages and child processes too. On systems
    /// without them as [`Self::Wrap`].
    Redirect,
    /// Nothing is recorded.
    Off,
}

impl ConsoleMode {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Wrap => "wrap",
            Self::Redirect => "redirect",
            Self::Off => "off",
        }
    }
}

impl FromStr for ConsoleMode {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "auto" => Ok(Self::Auto),
            // Whether a terminal is followed was once a choice.
            "wrap" | "wrap_raw" | "wrap_emu" => Ok(Self::Wrap),
            "redirect" => Ok(Self::Redirect),
            "off" => Ok(Self::Off),
            _ => Err(Error::invalid(format_args!(
                "console {word:?} is none of \"auto\", \"wrap\", \"redirect\", \"off\""
            ))),
        }
    }
}
