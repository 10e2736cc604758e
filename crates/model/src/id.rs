//! Names of things, checked where they enter: entity, project, run, stream.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest project name, in bytes.
pub const MAX_PROJECT_BYTES: usize = 128;

/// Longest run id, in bytes.
pub const MAX_RUN_ID_BYTES: usize = 128;

const MAX_ENTITY_BYTES: usize = 64;

/// A name that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{noun} {name:?} {reason}")]
pub struct InvalidName {
    noun: &'static str,
    name: String,
    reason: String,
}

fn check(noun: &'static str, name: &str, max_bytes: usize, forbidden: &str) -> Result<(), InvalidName> {
    let refuse = |reason: String| {
        let name = name.chars().take(80).collect();
        Err(InvalidName { noun, name, reason })
    };
    if name.is_empty() {
        return refuse("is empty".into());
    }
    if name.len() > max_bytes {
        return refuse(format!("is {} bytes long, more than {max_bytes}", name.len()));
    }
    if name.trim() != name {
        return refuse("begins or ends with white space".into());
    }
    if name == "." || name == ".." {
        return refuse("is a folder's name".into());
    }
    match name.chars().find(|c| forbidden.contains(*c) || c.is_control()) {
        Some(c) => refuse(format!("has the forbidden character {c:?}")),
        None => Ok(()),
    }
}

/// A text that is checked where it enters: `$check` takes it as `&str` and answers `Result<(), $error>`.
macro_rules! checked_text {
    ($(#[$doc:meta])* $type:ident, $error:ty, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(name: String) -> Result<Self, $error> {
                ($check)(&name)?;
                Ok(Self(name))
            }
        }

        impl FromStr for $type {
            type Err = $error;

            fn from_str(name: &str) -> Result<Self, $error> {
                name.to_owned().try_into()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}
pub(crate) use checked_text;

checked_text! {
    /// A user or team that owns projects: at most 64 bytes, none of `/\#?%:`.
    Entity, InvalidName, |name: &str| check("entity", name, MAX_ENTITY_BYTES, "/\\#?%:")
}
checked_text! {
    /// A project's name: at most 128 bytes, none of `/\#?%:`.
    Project, InvalidName, |name: &str| check("project", name, MAX_PROJECT_BYTES, "/\\#?%:")
}
checked_text! {
    /// A run's id, unique within its project: at most 128 bytes, none of `:;,#?/'` and `\`.
    RunId, InvalidName, |name: &str| check("run id", name, MAX_RUN_ID_BYTES, ":;,#?/'\\")
}

impl RunId {
    /// A fresh id: 8 characters of `a-z0-9`.
    pub fn generate() -> Self {
        // A byte above 251 would make the first letters more likely than the last.
        let mut id = String::with_capacity(8);
        while id.len() < 8 {
            let byte = random_bytes::<1>()[0];
            if byte < 252 {
                id.push(char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[usize::from(byte % 36)]));
            }
        }
        Self(id)
    }
}

/// Where a run is found: `entity/project/id`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunPath {
    /// User or team.
    pub entity: Entity,
    /// Project.
    pub project: Project,
    /// Run.
    pub run: RunId,
}

impl fmt::Display for RunPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.entity, self.project, self.run)
    }
}

impl FromStr for RunPath {
    type Err = InvalidName;

    fn from_str(path: &str) -> Result<Self, InvalidName> {
        match path.split('/').collect::<Vec<_>>()[..] {
            [entity, project, run] => {
                Ok(Self { entity: entity.parse()?, project: project.parse()?, run: run.parse()? })
            }
            _ => Err(InvalidName {
                noun: "run path",
                name: path.chars().take(80).collect(),
                reason: "is not of the form entity/project/id".into(),
            }),
        }
    }
}

/// Names one journal: what one process wrote of one run. Random, 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamId([u8; 16]);

impl StreamId {
    /// A fresh id.
    pub fn generate() -> Self {
        Self(random_bytes())
    }

    /// The id with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes as they stand in a segment header.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for StreamId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let refuse = || InvalidName {
            noun: "stream id",
            name: text.chars().take(80).collect(),
            reason: "is not 32 hex digits".into(),
        };
        if text.len() != 32 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(refuse());
        }
        let mut bytes = [0; 16];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| refuse())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| refuse())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for StreamId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<StreamId> for String {
    fn from(id: StreamId) -> String {
        id.to_string()
    }
}

/// A name as one component of a file path, and as one segment of a URL: everything but `A-Za-z0-9_-.` is
/// percent-encoded, and so is a leading dot. Different names give different segments.
pub fn path_segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => segment.push(char::from(byte)),
            b'.' if index > 0 => segment.push('.'),
            _ => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system hands out random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_paths_or_urls_are_refused() {
        for name in ["", ".", "..", "a/b", "a\\b", "a#", "a?", "50%", "a:b", " a", "a ", "a\0b", "a\nb"] {
            assert!(name.parse::<Project>().is_err(), "{name:?}");
        }
        assert!("a".repeat(129).parse::<Project>().is_err());
        assert_eq!("digits v1.0".parse::<Project>().unwrap().as_str(), "digits v1.0");
        assert_eq!("a;b".parse::<RunId>().unwrap_err().to_string(), "run id \"a;b\" has the forbidden character ';'");
    }

    #[test]
    fn path_segments_stay_in_their_folder_and_apart() {
        assert_eq!(path_segment("lr-0.1_a"), "lr-0.1_a");
        assert_eq!(path_segment("..x"), "%2E.x");
        assert_eq!(path_segment("a b/ü%"), "a%20b%2F%C3%BC%25");
    }

    #[test]
    fn stream_ids_read_back() {
        let id = StreamId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("0G".repeat(16).parse::<StreamId>().is_err());
    }

    #[test]
    fn run_paths_have_three_parts() {
        let path: RunPath = "local/digits/abc".parse().unwrap();
        assert_eq!(path.to_string(), "local/digits/abc");
        assert!("local/digits".parse::<RunPath>().is_err());
        assert!("a/b/c/d".parse::<RunPath>().is_err());
    }

    #[test]
    fn generated_run_ids_are_valid() {
        let id = RunId::generate();
        assert_eq!(id.as_str().len(), 8);
        assert!(id.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    }
}
