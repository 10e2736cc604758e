//! What artifacts, their versions and aliases may be called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::checked_text;
use crate::{Entity, Project};

/// Longest name of a collection, type or alias, in characters.
const MAX_CHARACTERS: usize = 128;

/// A name that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidArtifactName(String);

impl InvalidArtifactName {
    fn new(noun: &str, name: &str, reason: impl fmt::Display) -> Self {
        let shown: String = name.chars().take(80).collect();
        Self(format!("{noun} {shown:?} {reason}"))
    }
}

fn check_length(noun: &str, name: &str) -> Result<(), InvalidArtifactName> {
    match name.chars().count() {
        0 => Err(InvalidArtifactName::new(noun, name, "is empty")),
        count if count > MAX_CHARACTERS => {
            let reason = format!("has {count} characters, more than {MAX_CHARACTERS}");
            Err(InvalidArtifactName::new(noun, name, reason))
        }
        _ => Ok(()),
    }
}

fn check_collection(name: &str) -> Result<(), InvalidArtifactName> {
    let noun = "artifact name";
    check_length(noun, name)?;
    if name == "." || name == ".." {
        return Err(InvalidArtifactName::new(noun, name, "is a folder's name"));
    }
    match name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))) {
        None => Ok(()),
        Some(wrong) => {
            let reason = format!("has the character {wrong:?}; letters, digits, \"_\", \".\" and \"-\" are allowed");
            Err(InvalidArtifactName::new(noun, name, reason))
        }
    }
}

fn check_type(name: &str) -> Result<(), InvalidArtifactName> {
    let noun = "artifact type";
    check_length(noun, name)?;
    if name == "job" || name.starts_with("wandb-") {
        return Err(InvalidArtifactName::new(noun, name, "is reserved"));
    }
    if name.trim() != name {
        return Err(InvalidArtifactName::new(noun, name, "begins or ends with white space"));
    }
    match name.chars().find(|c| "/\\#?%:".contains(*c) || c.is_control()) {
        Some(wrong) => Err(InvalidArtifactName::new(noun, name, format!("has the forbidden character {wrong:?}"))),
        None => Ok(()),
    }
}

fn check_alias(name: &str) -> Result<(), InvalidArtifactName> {
    let noun = "alias";
    check_length(noun, name)?;
    if name.parse::<Version>().is_ok() {
        return Err(InvalidArtifactName::new(noun, name, "is how a version is called"));
    }
    if name.trim() != name {
        return Err(InvalidArtifactName::new(noun, name, "begins or ends with white space"));
    }
    match name.chars().find(|c| matches!(c, '/' | ':') || c.is_control()) {
        Some(wrong) => Err(InvalidArtifactName::new(noun, name, format!("has the forbidden character {wrong:?}"))),
        None => Ok(()),
    }
}

checked_text! {
    /// The name of a collection of versions, unique in its project: 1 to 128 of `A-Za-z0-9_.-`.
    CollectionName, InvalidArtifactName, check_collection
}
checked_text! {
    /// What the versions of a collection are, such as `dataset` or `model`: 1 to 128 characters, none of `/\#?%:`. `job`
    /// and what begins with `wandb-` are reserved.
    ArtifactType, InvalidArtifactName, check_type
}
checked_text! {
    /// A name that points at one version of a collection, such as `latest`: 1 to 128 characters, neither `/` nor `:`, and
    /// not like a version's.
    Alias, InvalidArtifactName, check_alias
}

impl Alias {
    /// The alias that every new version of a collection gets.
    pub fn latest() -> Self {
        Self("latest".into())
    }
}

/// The number of a version in its collection; written `v0`, `v1`, ….
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(u32);

impl Version {
    /// The version with a number.
    pub fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl FromStr for Version {
    type Err = InvalidArtifactName;

    fn from_str(text: &str) -> Result<Self, InvalidArtifactName> {
        let refused = || InvalidArtifactName::new("version", text, "is not \"v\" and a number");
        let digits = text.strip_prefix('v').ok_or_else(refused)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        // Version 3 has one name.
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(refused());
        }
        digits.parse().map(Self).map_err(|_| refused())
    }
}

impl TryFrom<String> for Version {
    type Error = InvalidArtifactName;

    fn try_from(text: String) -> Result<Self, InvalidArtifactName> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which version of a collection is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// The one with a number.
    Version(Version),
    /// The one that an alias points at.
    Alias(Alias),
}

impl Selector {
    /// The newest.
    pub fn latest() -> Self {
        Self::Alias(Alias::latest())
    }
}

impl FromStr for Selector {
    type Err = InvalidArtifactName;

    fn from_str(text: &str) -> Result<Self, InvalidArtifactName> {
        match text.parse() {
            Ok(version) => Ok(Self::Version(version)),
            Err(_) => text.parse().map(Self::Alias),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Alias(alias) => alias.fmt(f),
        }
    }
}

/// Where a collection is found: `entity/project/collection`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CollectionPath {
    /// User or team.
    pub entity: Entity,
    /// Project.
    pub project: Project,
    /// Collection.
    pub collection: CollectionName,
}

impl CollectionPath {
    /// The path of a version of it.
    pub fn artifact(self, selector: Selector) -> ArtifactPath {
        ArtifactPath { collection: self, selector }
    }
}

impl fmt::Display for CollectionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.entity, self.project, self.collection)
    }
}

/// Where a version is found: `entity/project/collection:version`, or `…:alias`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArtifactPath {
    /// Its collection.
    pub collection: CollectionPath,
    /// Which of the versions.
    pub selector: Selector,
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.collection, self.selector)
    }
}

/// How a script names an artifact: `[[entity/]project/]collection[:version]`, `…[:alias]`, or `[[entity/]project/]digest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactName {
    /// User or team; of the run where absent.
    pub entity: Option<Entity>,
    /// Project; of the run where absent.
    pub project: Option<Project>,
    /// Collection. Where [`Self::digest`] answers something, it may also be a digest.
    pub collection: CollectionName,
    /// Which version; the one with the alias `latest` where absent.
    pub selector: Option<Selector>,
}

impl ArtifactName {
    /// The digest that the name may stand for: 32 lowercase hex digits with no version behind them. A collection of that
    /// name comes first.
    pub fn digest(&self) -> Option<&str> {
        let name = self.collection.as_str();
        let is_digest = name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (is_digest && self.selector.is_none()).then_some(name)
    }
}

impl FromStr for ArtifactName {
    type Err = InvalidArtifactName;

    fn from_str(text: &str) -> Result<Self, InvalidArtifactName> {
        let refused = |reason: &dyn fmt::Display| InvalidArtifactName::new("artifact", text, reason);
        let parts: Vec<&str> = text.split('/').collect();
        let (entity, project, last) = match parts[..] {
            [last] => (None, None, last),
            [project, last] => (None, Some(project), last),
            [entity, project, last] => (Some(entity), Some(project), last),
            _ => return Err(refused(&"is not entity/project/name:version")),
        };
        let (collection, selector) = match last.split_once(':') {
            Some((collection, selector)) => (collection, Some(selector.parse()?)),
            None => (last, None),
        };
        Ok(Self {
            entity: entity.map(str::parse).transpose().map_err(|error| refused(&error))?,
            project: project.map(str::parse).transpose().map_err(|error| refused(&error))?,
            collection: collection.parse()?,
            selector,
        })
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entity) = &self.entity {
            write!(f, "{entity}/")?;
        }
        if let Some(project) = &self.project {
            write!(f, "{project}/")?;
        }
        write!(f, "{}", self.collection)?;
        match &self.selector {
            Some(selector) => write!(f, ":{selector}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_rules() {
        let longest = "a".repeat(128);
        for name in ["a", "run-abc-data.csv", "A_b.C-9", "...", &longest] {
            assert_eq!(name.parse::<CollectionName>().unwrap().as_str(), name);
        }
        let long = "a".repeat(129);
        for name in ["", ".", "..", "a/b", "a:b", "a b", "ä", "a\0", &long] {
            assert!(name.parse::<CollectionName>().is_err(), "{name:?}");
        }
        for name in ["", "job", "wandb-history", "a/b", " a", "a:b", "a\n"] {
            assert!(name.parse::<ArtifactType>().is_err(), "{name:?}");
        }
        for name in ["", "v0", "v17", "a/b", "a:b", "a ", "a\n"] {
            assert!(name.parse::<Alias>().is_err(), "{name:?}");
        }
        for name in ["latest", "v", "v01", "v1.2", "best model", "1"] {
            assert_eq!(name.parse::<Alias>().unwrap().as_str(), name);
        }
        assert_eq!(
            "a b".parse::<CollectionName>().unwrap_err().to_string(),
            r#"artifact name "a b" has the character ' '; letters, digits, "_", "." and "-" are allowed"#
        );
    }

    #[test]
    fn a_version_has_one_spelling() {
        assert_eq!("v12".parse(), Ok(Version::new(12)));
        for text in ["", "v", "12", "v-1", "v+1", "v01", "V1", "v4294967296", "v1 "] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_artifact_is_named_with_as_much_as_is_needed() {
        for text in ["a", "a:latest", "a:v3", "p/a:best", "e/p/a:v0", "e/p/a"] {
            assert_eq!(text.parse::<ArtifactName>().unwrap().to_string(), text);
        }
        let name: ArtifactName = "e/p/a:v3".parse().unwrap();
        assert_eq!((name.entity, name.project), (Some("e".parse().unwrap()), Some("p".parse().unwrap())));
        assert_eq!(name.selector, Some(Selector::Version(Version::new(3))));
        for text in ["", "/a", "a:", "a:b:c", "x/e/p/a", "a:b/c", "e//a"] {
            assert!(text.parse::<ArtifactName>().is_err(), "{text:?}");
        }
        let digest = "b5bb294db471aca958bc8035648c5a99";
        assert_eq!(format!("p/{digest}").parse::<ArtifactName>().unwrap().digest(), Some(digest));
        assert_eq!(format!("{digest}:v0").parse::<ArtifactName>().unwrap().digest(), None);
        assert_eq!("a".parse::<ArtifactName>().unwrap().digest(), None);
    }
}
