//! What a run tells people: an alert.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A title must be shorter, in characters.
pub const MAX_ALERT_TITLE: usize = 64;

/// How grave an alert is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AlertLevel {
    /// Good to know.
    #[default]
    Info,
    /// Worth a look.
    Warn,
    /// Something is wrong.
    Error,
}

impl AlertLevel {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for AlertLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An alert that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAlert(String);

impl FromStr for AlertLevel {
    type Err = InvalidAlert;

    fn from_str(word: &str) -> Result<Self, InvalidAlert> {
        match word {
            "INFO" => Ok(Self::Info),
            "WARN" => Ok(Self::Warn),
            "ERROR" => Ok(Self::Error),
            _ => Err(InvalidAlert(format!("level {word:?} is none of INFO, WARN, ERROR"))),
        }
    }
}

/// An alert, as a script gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// When it was given, Unix seconds.
    pub time: f64,
    /// Shorter than [`MAX_ALERT_TITLE`] characters.
    pub title: String,
    /// Any text, verbatim.
    pub text: String,
    /// How grave it is.
    #[serde(default)]
    pub level: AlertLevel,
    /// Another alert with the same title is not passed on for so long, in milliseconds.
    pub wait_millis: u64,
}

impl Alert {
    /// Checks the title.
    ///
    /// # Errors
    /// It is too long.
    pub fn check(&self) -> Result<(), InvalidAlert> {
        let length = self.title.chars().count();
        if length < MAX_ALERT_TITLE {
            return Ok(());
        }
        Err(InvalidAlert(format!(
            "an alert's title must be shorter than {MAX_ALERT_TITLE} characters; it has {length}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_one_spelling() {
        assert_eq!("WARN".parse(), Ok(AlertLevel::Warn));
        assert_eq!(
            "warn".parse::<AlertLevel>().unwrap_err().to_string(),
            "level \"warn\" is none of INFO, WARN, ERROR"
        );
    }

    #[test]
    fn a_title_of_64_characters_is_too_long() {
        let alert = |length| Alert {
            time: 0.0,
            title: "ü".repeat(length),
            text: String::new(),
            level: AlertLevel::Info,
            wait_millis: 60_000,
        };
        assert_eq!(alert(63).check(), Ok(()));
        assert!(alert(64).check().is_err());
    }
}
