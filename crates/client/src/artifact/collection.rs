//! A collection on this disk: versions and aliases, and how they change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use steplog_model::{
    Alias, ArtifactDetails, ArtifactId, ArtifactType, CollectionName, ContentHash, Entity, ManifestDigest, Project,
    RunId, Selector, Version,
};
use steplog_protocol::{ArtifactPlace, ArtifactRun, CollectionKind, UpdateArtifactRequest};

use super::ArtifactInfo;
use crate::error::{Error, ErrorKind};

/// What the file of a collection begins with.
const FORMAT: &str = "steplog-collection";

/// The newest way of writing it that is understood.
const FORMAT_VERSION: u32 = 1;

/// A collection as its file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Collection {
    format: String,
    version: u32,
    pub(crate) project: Project,
    pub(crate) name: CollectionName,
    pub(crate) r#type: ArtifactType,
    pub(crate) kind: CollectionKind,
    /// Numbers are never used again.
    next_version: u32,
    /// By number.
    pub(crate) versions: Vec<LocalVersion>,
    pub(crate) aliases: BTreeMap<Alias, Version>,
}

/// A version as the file of its collection has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LocalVersion {
    pub(crate) version: Version,
    /// The calls that logged it: content that the newest version has already makes no other one.
    pub(crate) logged: Vec<LoggedAs>,
    pub(crate) digest: ManifestDigest,
    pub(crate) content_hash: ContentHash,
    /// SHA-256 of the manifest as JSON lines.
    pub(crate) manifest: ContentHash,
    pub(crate) file_count: u64,
    pub(crate) size_bytes: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: Map<String, Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ttl_seconds: Option<u64>,
    pub(crate) entity: Entity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run_id: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<i64>,
    /// Unix seconds.
    pub(crate) created_at: f64,
    /// Unix seconds.
    pub(crate) updated_at: f64,
    /// The version that is linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<LocalPlace>,
    /// The version that it is on servers, by URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) servers: BTreeMap<String, ArtifactPlace>,
}

/// One call that logged a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoggedAs {
    pub(crate) id: ArtifactId,
    /// The manifest of what was logged: less than the version's where it was incremental.
    pub(crate) manifest: ContentHash,
}

/// Where a version stands on this disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocalPlace {
    pub(crate) project: Project,
    pub(crate) collection: CollectionName,
    pub(crate) version: Version,
}

/// What is to become a version.
#[derive(Clone, Debug)]
pub(crate) struct NewVersion {
    pub(crate) logged: LoggedAs,
    pub(crate) digest: ManifestDigest,
    pub(crate) content_hash: ContentHash,
    pub(crate) manifest: ContentHash,
    pub(crate) file_count: u64,
    pub(crate) size_bytes: u64,
    pub(crate) details: ArtifactDetails,
    pub(crate) entity: Entity,
    pub(crate) run_id: Option<RunId>,
    pub(crate) step: Option<i64>,
    pub(crate) time: f64,
    pub(crate) source: Option<LocalPlace>,
}

impl Collection {
    pub(crate) fn new(project: Project, name: CollectionName, r#type: ArtifactType, kind: CollectionKind) -> Self {
        Self {
            format: FORMAT.into(),
            version: FORMAT_VERSION,
            project,
            name,
            r#type,
            kind,
            next_version: 0,
            versions: Vec::new(),
            aliases: BTreeMap::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is no collection, or one of a newer version of steplog.
    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let collection: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match (&*collection.format, collection.version) {
            (FORMAT, FORMAT_VERSION) => Ok(collection),
            (FORMAT, version) => Err(format!("it is of version {version}, which this version of steplog cannot read")),
            _ => Err("it is no collection of artifacts".into()),
        }
    }

    pub(crate) fn newest(&self) -> Option<&LocalVersion> {
        self.versions.last()
    }

    pub(crate) fn get(&self, version: Version) -> Option<&LocalVersion> {
        self.versions.iter().rev().find(|local| local.version == version)
    }

    pub(crate) fn get_mut(&mut self, version: Version) -> Option<&mut LocalVersion> {
        self.versions.iter_mut().rev().find(|local| local.version == version)
    }

    /// The version that a call logged.
    pub(crate) fn logged_as(&self, id: ArtifactId) -> Option<&LocalVersion> {
        self.versions.iter().rev().find(|local| local.logged.iter().any(|logged| logged.id == id))
    }

    /// The version that is meant.
    pub(crate) fn find(&self, selector: &Selector) -> Option<&LocalVersion> {
        match selector {
            Selector::Version(version) => self.get(*version),
            Selector::Alias(alias) => self.aliases.get(alias).and_then(|version| self.get(*version)),
        }
    }

    /// Aliases that point at a version, by name.
    pub(crate) fn aliases_of(&self, version: Version) -> Vec<Alias> {
        self.aliases.iter().filter(|(_, at)| **at == version).map(|(alias, _)| alias.clone()).collect()
    }

    pub(crate) fn check(&self, r#type: &ArtifactType, kind: CollectionKind) -> Result<(), Error> {
        if self.r#type != *r#type {
            return Err(Error::invalid(format_args!(
                "the artifact {} has the type {:?}, not {:?}; use another name, or that type",
                self.name, self.r#type, r#type
            )));
        }
        if self.kind != kind {
            let (is, is_not) = match self.kind {
                CollectionKind::Registry => ("holds links", "logged into"),
                CollectionKind::Source => ("holds versions that were logged", "linked into"),
            };
            return Err(Error::invalid(format_args!(
                "the artifact {} {is}, and nothing can be {is_not} it",
                self.name
            )));
        }
        Ok(())
    }

    /// Adds a version, unless the newest one has this content already: that one then gets aliases and id.
    pub(crate) fn commit(&mut self, new: NewVersion) -> Version {
        let NewVersion { details, .. } = new;
        let ArtifactDetails { aliases, tags, description, metadata, ttl_seconds } = details;
        let same = self.versions.last_mut().filter(|newest| newest.content_hash == new.content_hash);
        let version = if let Some(newest) = same {
            newest.logged.push(new.logged);
            newest.updated_at = new.time;
            newest.version
        } else {
            let version = Version::new(self.next_version);
            self.next_version += 1;
            self.versions.push(LocalVersion {
                version,
                logged: vec![new.logged],
                digest: new.digest,
                content_hash: new.content_hash,
                manifest: new.manifest,
                file_count: new.file_count,
                size_bytes: new.size_bytes,
                tags,
                description,
                metadata,
                ttl_seconds,
                entity: new.entity,
                run_id: new.run_id,
                step: new.step,
                created_at: new.time,
                updated_at: new.time,
                source: new.source,
                servers: BTreeMap::new(),
            });
            version
        };
        for alias in aliases.into_iter().chain([Alias::latest()]) {
            self.aliases.insert(alias, version);
        }
        version
    }

    /// Sets what is said about a version.
    ///
    /// # Errors
    /// There is no such version.
    pub(crate) fn edit(&mut self, version: Version, changes: &UpdateArtifactRequest, time: f64) -> Result<(), Error> {
        let missing = self.missing(version);
        let local = self.get_mut(version).ok_or(missing)?;
        let UpdateArtifactRequest { description, metadata, ttl_seconds, .. } = changes.clone();
        if let Some(description) = description {
            local.description = Some(description).filter(|text| !text.is_empty());
        }
        if let Some(metadata) = metadata {
            local.metadata = metadata;
        }
        if let Some(seconds) = ttl_seconds {
            local.ttl_seconds = Some(seconds).filter(|seconds| *seconds > 0);
        }
        for tag in &changes.add_tags {
            if !local.tags.contains(tag) {
                local.tags.push(tag.clone());
            }
        }
        local.tags.retain(|tag| !changes.remove_tags.contains(tag));
        local.updated_at = time;
        for alias in &changes.remove_aliases {
            // Where it has moved on to another version meanwhile, it is not ours to remove.
            self.aliases.retain(|name, at| name.as_str() != alias || *at != version);
        }
        for alias in &changes.add_aliases {
            self.aliases.insert(alias.parse()?, version);
        }
        Ok(())
    }

    /// Takes a version out.
    ///
    /// # Errors
    /// There is no such version, or it has aliases and those are not to go with it.
    pub(crate) fn delete(&mut self, version: Version, delete_aliases: bool) -> Result<(), Error> {
        if self.get(version).is_none() {
            return Err(self.missing(version));
        }
        let own = self.aliases_of(version);
        if !own.is_empty() && !delete_aliases {
            let aliases: Vec<&str> = own.iter().map(Alias::as_str).collect();
            return Err(Error::invalid(format_args!(
                "{}:{version} has the aliases {}; delete it with delete_aliases, or move them first",
                self.name,
                aliases.join(", ")
            )));
        }
        self.versions.retain(|local| local.version != version);
        self.aliases.retain(|_, at| *at != version);
        // `latest` is the newest that there is.
        if let Some(newest) = self.newest().map(|newest| newest.version) {
            self.aliases.entry(Alias::latest()).or_insert(newest);
        }
        Ok(())
    }

    fn missing(&self, version: Version) -> Error {
        Error::new(ErrorKind::NotFound, format!("there is no version {version} of {}", self.name))
    }

    /// A version in the words of the API.
    pub(crate) fn info(&self, local: &LocalVersion) -> ArtifactInfo {
        let entity = local.entity.to_string();
        let place = |project: &Project, collection: &CollectionName, version: Version| ArtifactPlace {
            entity: entity.clone(),
            project: project.to_string(),
            collection: collection.to_string(),
            version: version.to_string(),
        };
        let source = match &local.source {
            Some(LocalPlace { project, collection, version }) => place(project, collection, *version),
            None => place(&self.project, &self.name, local.version),
        };
        let run = |run_id: &RunId| ArtifactRun {
            entity: source.entity.clone(),
            project: source.project.clone(),
            run_id: run_id.to_string(),
            name: None,
        };
        ArtifactInfo {
            id: local.logged.first().map(|logged| logged.id.to_string()).unwrap_or_default(),
            entity: entity.clone(),
            project: self.project.to_string(),
            collection: self.name.to_string(),
            version: local.version.to_string(),
            logged_by: local.run_id.as_ref().map(run),
            source,
            r#type: self.r#type.to_string(),
            digest: local.digest.to_string(),
            aliases: self.aliases_of(local.version).iter().map(Alias::to_string).collect(),
            tags: local.tags.clone(),
            description: local.description.clone(),
            metadata: local.metadata.clone(),
            ttl_seconds: local.ttl_seconds,
            file_count: local.file_count,
            size_bytes: local.size_bytes,
            step: local.step,
            use_count: 0,
            created_at: local.created_at,
            updated_at: local.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(content: u8, aliases: &[&str]) -> NewVersion {
        let aliases = aliases.iter().map(|alias| alias.parse().unwrap()).collect();
        NewVersion {
            logged: LoggedAs {
                id: ArtifactId::from_bytes([content; 16]),
                manifest: ContentHash::from_bytes([content; 32]),
            },
            digest: ManifestDigest::from_bytes([content; 16]),
            content_hash: ContentHash::from_bytes([content; 32]),
            manifest: ContentHash::from_bytes([content; 32]),
            file_count: 1,
            size_bytes: 1,
            details: ArtifactDetails { aliases, ..ArtifactDetails::default() },
            entity: "local".parse().unwrap(),
            run_id: None,
            step: None,
            time: 1.0,
            source: None,
        }
    }

    fn collection() -> Collection {
        let (project, name) = ("digits".parse().unwrap(), "data".parse().unwrap());
        Collection::new(project, name, "dataset".parse().unwrap(), CollectionKind::Source)
    }

    fn aliases(collection: &Collection) -> Vec<(&str, u32)> {
        collection.aliases.iter().map(|(alias, version)| (alias.as_str(), version.number())).collect()
    }

    #[test]
    fn versions_count_up_and_aliases_move() {
        let mut data = collection();
        assert_eq!(data.commit(new(1, &["best"])), Version::new(0));
        assert_eq!(data.commit(new(2, &[])), Version::new(1));
        assert_eq!(aliases(&data), [("best", 0), ("latest", 1)]);
        assert_eq!(data.commit(new(1, &["best"])), Version::new(2));
        assert_eq!(aliases(&data), [("best", 2), ("latest", 2)]);
    }

    #[test]
    fn the_content_of_the_newest_version_makes_no_other_one() {
        let mut data = collection();
        data.commit(new(1, &["a"]));
        let again = NewVersion {
            logged: LoggedAs { id: ArtifactId::from_bytes([9; 16]), ..new(1, &[]).logged },
            ..new(1, &["b"])
        };
        assert_eq!(data.commit(again), Version::new(0));
        assert_eq!(aliases(&data), [("a", 0), ("b", 0), ("latest", 0)]);
        assert_eq!(data.logged_as(ArtifactId::from_bytes([9; 16])).unwrap().version, Version::new(0));
        assert_eq!(data.versions.len(), 1);
    }

    #[test]
    fn a_number_is_not_used_again() {
        let mut data = collection();
        data.commit(new(1, &["best"]));
        data.commit(new(2, &["best"]));
        assert_eq!(
            data.delete(Version::new(1), false).unwrap_err().to_string(),
            "data:v1 has the aliases best, latest; delete it with delete_aliases, or move them first"
        );
        data.delete(Version::new(1), true).unwrap();
        assert_eq!(aliases(&data), [("latest", 0)]);
        assert_eq!(data.commit(new(3, &[])), Version::new(2));
        assert_eq!(data.delete(Version::new(1), true).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn what_is_said_can_be_changed() {
        let mut data = collection();
        data.commit(new(1, &["best"]));
        data.commit(new(2, &[]));
        let changes = UpdateArtifactRequest {
            // One of them points elsewhere by now.
            remove_aliases: vec!["best".into(), "latest".into()],
            add_aliases: vec!["worst".into()],
            add_tags: vec!["odd".into(), "odd".into()],
            description: Some("first".into()),
            ttl_seconds: Some(60),
            ..UpdateArtifactRequest::default()
        };
        data.edit(Version::new(0), &changes, 5.0).unwrap();
        let info = data.info(data.get(Version::new(0)).unwrap());
        assert_eq!(aliases(&data), [("latest", 1), ("worst", 0)]);
        assert_eq!((info.aliases, info.tags), (vec!["worst".to_owned()], vec!["odd".to_owned()]));
        assert_eq!((info.description.as_deref(), info.ttl_seconds, info.updated_at), (Some("first"), Some(60), 5.0));
    }

    #[test]
    fn files_read_back_and_others_are_refused() {
        let mut data = collection();
        data.commit(new(1, &["best"]));
        let json = serde_json::to_vec(&data).unwrap();
        assert_eq!(Collection::from_json(&json).unwrap(), data);
        let newer = Collection { version: 2, ..data };
        let json = serde_json::to_vec(&newer).unwrap();
        assert_eq!(
            Collection::from_json(&json).unwrap_err(),
            "it is of version 2, which this version of steplog cannot read"
        );
        assert!(Collection::from_json(b"{}").is_err());
    }

    #[test]
    fn a_collection_has_one_type_and_kind() {
        let data = collection();
        assert!(data.check(&"dataset".parse().unwrap(), CollectionKind::Source).is_ok());
        assert_eq!(
            data.check(&"model".parse().unwrap(), CollectionKind::Source).unwrap_err().to_string(),
            r#"the artifact data has the type "dataset", not "model"; use another name, or that type"#
        );
        assert!(data.check(&"dataset".parse().unwrap(), CollectionKind::Registry).is_err());
    }
}
