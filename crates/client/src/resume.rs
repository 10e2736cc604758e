//! Going on with a run: whether to, from where, and which one.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use steplog_model::{ForkPoint, Project, RunId};

use crate::error::Error;

/// What to do when a run with the id is there already, and when not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Go on with it; begin it when it is not there.
    Allow,
    /// Go on with it; it is an error when it is not there.
    Must,
    /// Begin it; it is an error when it is there.
    Never,
    /// As [`Self::Allow`], with the id of the last run below the same folder that did not end well, if no id is given.
    Auto,
}

impl FromStr for Resume {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "allow" => Ok(Self::Allow),
            "must" => Ok(Self::Must),
            "never" => Ok(Self::Never),
            "auto" => Ok(Self::Auto),
            _ => {
                Err(Error::invalid(format_args!("resume {word:?} is none of \"allow\", \"must\", \"never\", \"auto\"")))
            }
        }
    }
}

/// Reads a place in a run's history: `ID?_step=N`.
///
/// # Errors
/// The text has another form, or the id is none.
pub fn parse_fork_point(text: &str) -> Result<ForkPoint, Error> {
    let parts = text.rsplit_once("?_step=").and_then(|(id, step)| Some((id, step.parse::<i64>().ok()?)));
    let Some((id, step)) = parts.filter(|(_, step)| *step >= 0) else {
        return Err(Error::invalid(format_args!(
            "{text:?} is not of the form \"RUN_ID?_step=N\" with a step from 0 on"
        )));
    };
    Ok(ForkPoint { run_id: id.parse()?, step })
}

/// The note of which run [`Resume::Auto`] goes on with, below the folder that holds all runs.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unfinished {
    pub(crate) project: Project,
    pub(crate) run_id: RunId,
}

impl Unfinished {
    fn path(home: &Path) -> PathBuf {
        home.join("resume.json")
    }

    /// The note, if it is about a run of the project.
    pub(crate) fn load(home: &Path, project: &Project) -> Option<Self> {
        let bytes = std::fs::read(Self::path(home)).ok()?;
        serde_json::from_slice::<Self>(&bytes).ok().filter(|noted| noted.project == *project)
    }

    /// Notes a run as it begins. Failure means that it is not found again, which a person sees from its new id.
    pub(crate) fn note(&self, home: &Path) {
        let bytes = serde_json::to_vec(self).expect("plain data has a JSON form");
        let _ = std::fs::write(Self::path(home), bytes);
    }

    /// Forgets the note: the run ended well, or another one takes its place.
    pub(crate) fn forget(home: &Path) {
        let _ = std::fs::remove_file(Self::path(home));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fork_points_name_a_run_and_a_step() {
        let point = parse_fork_point("abc?_step=20").unwrap();
        assert_eq!((point.run_id.as_str(), point.step), ("abc", 20));
        for text in ["abc", "abc?_step=", "abc?_step=-1", "abc?_step=x", "?_step=1", "a/b?_step=1", "abc?step=1"] {
            assert!(parse_fork_point(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_note_is_of_one_project() {
        let home = tempfile::tempdir().unwrap();
        let noted = Unfinished { project: "digits".parse().unwrap(), run_id: "abc".parse().unwrap() };
        noted.note(home.path());
        assert_eq!(Unfinished::load(home.path(), &"other".parse().unwrap()), None);
        assert_eq!(Unfinished::load(home.path(), &"digits".parse().unwrap()), Some(noted));
        Unfinished::forget(home.path());
        assert_eq!(Unfinished::load(home.path(), &"digits".parse().unwrap()), None);
    }
}
