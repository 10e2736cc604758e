//! What a journal says about artifacts.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{
    Alias, ArtifactName, ArtifactType, CollectionName, ContentHash, Entity, ManifestDigest, Project, StreamId, Version,
};

/// So many keys the metadata of an artifact may have.
pub const MAX_METADATA_KEYS: usize = 100;

/// Longest metadata as JSON, in bytes.
const MAX_METADATA_BYTES: usize = 1 << 20;

/// Longest description, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 64 << 10;

/// So many aliases, and so many tags, a version may be given.
const MAX_NAMES: usize = 100;

/// Longest tag, in characters.
const MAX_TAG_CHARACTERS: usize = 64;

/// What one call of `log_artifact()` is known by, 128 random bits: sent again after a crash, it is still the one version.
pub type ArtifactId = StreamId;

/// What was refused of an artifact, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidArtifact(String);

impl InvalidArtifact {
    fn new(message: impl fmt::Display) -> Self {
        Self(message.to_string())
    }
}

/// Something that a run did with artifacts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ArtifactRecord {
    /// It made a version.
    Logged(Box<LoggedArtifact>),
    /// It took a version as its input.
    Used(ArtifactUse),
    /// It put a version into a registry.
    Linked(ArtifactLink),
}

/// A version that a run made. Its manifest stands beside the run, under its hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedArtifact {
    /// When, Unix seconds.
    pub time: f64,
    /// What this call is known by.
    pub id: ArtifactId,
    /// Collection, in the run's project.
    pub collection: CollectionName,
    /// Type of the collection.
    pub r#type: ArtifactType,
    /// Digest of the manifest.
    pub digest: ManifestDigest,
    /// SHA-256 of the manifest as JSON lines.
    pub manifest: ContentHash,
    /// How many entries.
    pub file_count: u64,
    /// The sizes that are known, added up.
    pub size_bytes: u64,
    /// The number that it has where no server gives one.
    pub local_version: Version,
    /// What is said about it.
    #[serde(flatten)]
    pub details: ArtifactDetails,
    /// Step of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<i64>,
    /// Whether it adds to the newest version of its collection in place of standing for itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incremental: bool,
    /// Whether the run only takes it as an input: somebody else made it, and nobody knows who.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_input: bool,
}

/// What is said about a version beside its content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArtifactDetails {
    /// Names that come to point at it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What it is, markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the script says about it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Json>,
    /// For how many seconds it is kept; for ever where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
}

impl ArtifactDetails {
    /// Checks what its type does not.
    ///
    /// # Errors
    /// There are too many aliases, tags or metadata keys, or something is too long.
    pub fn check(&self) -> Result<(), InvalidArtifact> {
        if self.aliases.len() > MAX_NAMES {
            return Err(InvalidArtifact::new(format_args!("{} aliases are more than {MAX_NAMES}", self.aliases.len())));
        }
        self.check_tags()?;
        match self.description.as_deref().map_or(0, str::len) {
            bytes if bytes > MAX_DESCRIPTION_BYTES => Err(InvalidArtifact::new(format_args!(
                "a description of {bytes} bytes is longer than {MAX_DESCRIPTION_BYTES}"
            ))),
            _ => self.check_metadata(),
        }
    }

    fn check_tags(&self) -> Result<(), InvalidArtifact> {
        if self.tags.len() > MAX_NAMES {
            return Err(InvalidArtifact::new(format_args!("{} tags are more than {MAX_NAMES}", self.tags.len())));
        }
        for tag in &self.tags {
            let count = tag.chars().count();
            if count == 0 || count > MAX_TAG_CHARACTERS || tag.chars().any(char::is_control) {
                let shown: String = tag.chars().take(80).collect();
                return Err(InvalidArtifact::new(format_args!(
                    "tag {shown:?} is empty, has more than {MAX_TAG_CHARACTERS} characters or control characters"
                )));
            }
        }
        Ok(())
    }

    fn check_metadata(&self) -> Result<(), InvalidArtifact> {
        let count = self.metadata.len();
        if count > MAX_METADATA_KEYS {
            return Err(InvalidArtifact::new(format_args!(
                "metadata with {count} keys has more than {MAX_METADATA_KEYS}"
            )));
        }
        match serde_json::to_vec(&self.metadata).map_or(usize::MAX, |json| json.len()) {
            bytes if bytes > MAX_METADATA_BYTES => {
                Err(InvalidArtifact::new(format_args!("metadata of {bytes} bytes is longer than {MAX_METADATA_BYTES}")))
            }
            _ => Ok(()),
        }
    }
}

/// A version that a run took as its input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactUse {
    /// User or team; of the run where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// Project; of the run where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Project>,
    /// Collection.
    pub collection: CollectionName,
    /// Version, as the run knew it. Where a server gave it another number, the digest tells which one is meant.
    pub version: Version,
    /// Digest of its manifest.
    pub digest: ManifestDigest,
    /// The call that logged it, where the run knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ArtifactId>,
}

/// A version that a run put into a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactLink {
    /// The version.
    pub artifact: ArtifactUse,
    /// User or team of the registry; of the run where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_entity: Option<Entity>,
    /// The registry, which is a project; of the run where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_project: Option<Project>,
    /// Collection of the registry.
    pub target_collection: CollectionName,
    /// Aliases that it gets there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
}

impl ArtifactRecord {
    /// Checks what its type does not.
    ///
    /// # Errors
    /// A time is not finite, or something is too long or too much.
    pub fn check(&self) -> Result<(), InvalidArtifact> {
        match self {
            Self::Logged(logged) => logged.check(),
            Self::Used(_) => Ok(()),
            Self::Linked(link) => {
                ArtifactDetails { aliases: link.aliases.clone(), ..ArtifactDetails::default() }.check()
            }
        }
    }
}

impl LoggedArtifact {
    fn check(&self) -> Result<(), InvalidArtifact> {
        if !self.time.is_finite() {
            return Err(InvalidArtifact::new("an artifact has a time that is not finite"));
        }
        self.details.check()
    }
}

impl ArtifactUse {
    /// How people name it.
    pub fn name(&self) -> ArtifactName {
        ArtifactName {
            entity: self.entity.clone(),
            project: self.project.clone(),
            collection: self.collection.clone(),
            selector: Some(crate::Selector::Version(self.version)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged() -> LoggedArtifact {
        LoggedArtifact {
            time: 1.5,
            id: StreamId::from_bytes([7; 16]),
            collection: "data".parse().unwrap(),
            r#type: "dataset".parse().unwrap(),
            digest: "64e7c61456b10382e2f3b571ac24b659".parse().unwrap(),
            manifest: ContentHash::from_bytes([1; 32]),
            file_count: 0,
            size_bytes: 0,
            local_version: Version::new(2),
            details: ArtifactDetails { aliases: vec![Alias::latest()], ..ArtifactDetails::default() },
            step: None,
            incremental: false,
            as_input: false,
        }
    }

    #[test]
    fn records_read_back() {
        let record = ArtifactRecord::Logged(Box::new(logged()));
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"event":"logged","time":1.5,"id":"07070707070707070707070707070707","collection":"data","#,
                r#""type":"dataset","digest":"64e7c61456b10382e2f3b571ac24b659","#,
                r#""manifest":"0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""file_count":0,"size_bytes":0,"local_version":"v2","aliases":["latest"]}"#
            )
        );
        assert_eq!(serde_json::from_str::<ArtifactRecord>(&json).unwrap(), record);
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert_eq!(logged().check(), Ok(()));
        let says = |details: ArtifactDetails| LoggedArtifact { details, ..logged() };
        let nothing = ArtifactDetails::default;
        let wrong = [
            LoggedArtifact { time: f64::NAN, ..logged() },
            says(ArtifactDetails { aliases: vec![Alias::latest(); 101], ..nothing() }),
            says(ArtifactDetails { tags: vec!["".into()], ..nothing() }),
            says(ArtifactDetails { tags: vec!["a".repeat(65)], ..nothing() }),
            says(ArtifactDetails { description: Some("a".repeat(65537)), ..nothing() }),
            says(ArtifactDetails { metadata: (0..101).map(|n| (n.to_string(), Json::Null)).collect(), ..nothing() }),
        ];
        for wrong in wrong {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
