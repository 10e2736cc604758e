//! Files of a run: what they may be called, and what `save()` says about them.

use std::borrow::Borrow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest path of a file below its run, in bytes.
pub const MAX_FILE_PATH_BYTES: usize = 1024;

/// Longest part of such a path: no file system takes more.
const MAX_PART_BYTES: usize = 255;

/// Longest path that a link may lead to, in bytes: the operating systems take no more.
const MAX_SOURCE_BYTES: usize = 4096;

/// A path or policy that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidFile(String);

impl InvalidFile {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self(message.to_string())
    }
}

/// The path of a file below its run: folders and a name, joined by `/`. It never leads out of the folder that it is
/// joined to.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(String);

impl FilePath {
    /// The path as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Folders and name.
    pub fn parts(&self) -> std::str::Split<'_, char> {
        self.0.split('/')
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.parts().next_back().unwrap_or_default()
    }

    /// The path below a folder.
    pub fn below(&self, folder: &Path) -> PathBuf {
        let mut path = folder.to_owned();
        path.extend(self.parts());
        path
    }

    /// The path of `file` in relation to `folder`, above which it must not stand.
    ///
    /// # Errors
    /// It is not below that folder, not UTF-8, or has a name that a file of a run cannot have.
    pub fn relative(file: &Path, folder: &Path) -> Result<Self, InvalidFile> {
        let shown = || file.display().to_string();
        let below = file
            .strip_prefix(folder)
            .map_err(|_| InvalidFile(format!("file {:?} is not in {}", shown(), folder.display())))?;
        let mut parts = Vec::new();
        for part in below {
            parts.push(part.to_str().ok_or_else(|| InvalidFile(format!("file path {:?} is not UTF-8", shown())))?);
        }
        parts.join("/").try_into()
    }
}

impl Borrow<str> for FilePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FilePath {
    type Error = InvalidFile;

    fn try_from(path: String) -> Result<Self, InvalidFile> {
        let refuse = |reason: &str| {
            let shown: String = path.chars().take(80).collect();
            Err(InvalidFile(format!("file path {shown:?} {reason}")))
        };
        if path.len() > MAX_FILE_PATH_BYTES {
            return refuse(&format!("is {} bytes long, more than {MAX_FILE_PATH_BYTES}", path.len()));
        }
        if let Some(character) = path.chars().find(|character| *character == '\\' || character.is_control()) {
            return refuse(&format!("has the forbidden character {character:?}"));
        }
        for part in path.split('/') {
            match part {
                "" => return refuse("is empty, or has an empty part"),
                "." | ".." => return refuse("leads elsewhere"),
                part if part.len() > MAX_PART_BYTES => return refuse("has a part of more than 255 bytes"),
                _ => {}
            }
        }
        Ok(Self(path))
    }
}

impl FromStr for FilePath {
    type Err = InvalidFile;

    fn from_str(path: &str) -> Result<Self, InvalidFile> {
        path.to_owned().try_into()
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> String {
        path.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// When a saved file is uploaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilePolicy {
    /// Whenever it has changed.
    #[default]
    Live,
    /// Once, as soon as may be.
    Now,
    /// When the run ends.
    End,
}

impl FilePolicy {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Now => "now",
            Self::End => "end",
        }
    }
}

impl FromStr for FilePolicy {
    type Err = InvalidFile;

    fn from_str(word: &str) -> Result<Self, InvalidFile> {
        match word {
            "live" => Ok(Self::Live),
            "now" => Ok(Self::Now),
            "end" => Ok(Self::End),
            _ => Err(InvalidFile(format!("policy {word:?} is none of \"live\", \"now\", \"end\""))),
        }
    }
}

/// A file, or a folder with files, that `save()` put into the run's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedFile {
    /// When, Unix seconds.
    pub time: f64,
    /// Where it stands in the run.
    pub path: FilePath,
    /// When it is uploaded.
    pub policy: FilePolicy,
    /// Where the link at `path` leads, an absolute path; absent where the file itself stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl SavedFile {
    /// Checks what its type does not.
    ///
    /// # Errors
    /// The source is too long, or the time is not finite.
    pub fn check(&self) -> Result<(), InvalidFile> {
        match &self.source {
            Some(source) if source.len() > MAX_SOURCE_BYTES => Err(InvalidFile(format!(
                "the source of {:?} is {} bytes long, more than {MAX_SOURCE_BYTES}",
                self.path,
                source.len()
            ))),
            _ if !self.time.is_finite() => Err(InvalidFile("a saved file has a time that is not finite".into())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_never_lead_out_of_their_folder() {
        let longest = format!("{}/{}", "a".repeat(255), "b".repeat(255));
        for path in ["a", "a/b.txt", "a b/ü", "..a", "a..", "...", ".hidden/x", "C:", "CON", &longest] {
            let parsed: FilePath = path.parse().unwrap();
            assert_eq!(parsed.as_str(), path);
            assert!(parsed.below(Path::new("/files")).starts_with("/files"));
        }
        let long_part = "a".repeat(256);
        let long = vec!["a".repeat(200); 6].join("/");
        for path in [
            "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "a\\b", "\\\\x", "a\0", "a\nb",
            &long_part, &long,
        ] {
            assert!(path.parse::<FilePath>().is_err(), "{path:?}");
        }
        let refused = "a/../b".parse::<FilePath>().unwrap_err();
        assert_eq!(refused.to_string(), "file path \"a/../b\" leads elsewhere");
    }

    #[test]
    fn a_path_is_relative_to_a_folder_above_it() {
        let relative = |file: &str, folder: &str| FilePath::relative(Path::new(file), Path::new(folder));
        assert_eq!(relative("/run/files/a/b", "/run/files"), "a/b".parse());
        assert_eq!(relative("/run/a", "/run/files").unwrap_err().to_string(), "file \"/run/a\" is not in /run/files");
        assert!(relative("/run/files", "/run/files").is_err());
        assert!(relative("/run/files/../a", "/run/files").is_err());
    }

    #[test]
    fn policies_have_one_spelling() {
        for policy in [FilePolicy::Live, FilePolicy::Now, FilePolicy::End] {
            assert_eq!(policy.as_str().parse(), Ok(policy));
        }
        assert_eq!(
            "Live".parse::<FilePolicy>().unwrap_err().to_string(),
            r#"policy "Live" is none of "live", "now", "end""#
        );
    }
}
