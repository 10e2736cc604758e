//! The file of a collection, as clients write it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use steplog_model::{
    Alias, ArtifactDetails, ArtifactId, ArtifactType, CollectionName, CollectionPath, ContentHash, Entity,
    ManifestDigest, Project, RunId, Selector, Version, path_segment,
};
use steplog_protocol::{ArtifactPlace, CollectionKind};
use steplog_store::{CollectionMirror, VersionMirror, VersionMirrors};

const FORMAT: &str = "steplog-collection";

/// The newest way of writing it that is understood.
const FORMAT_VERSION: u32 = 1;

/// Larger files are none of ours: ten thousand versions with a lot to say fit.
const MAX_BYTES: u64 = 256 << 20;

/// A collection as its file has it; what is not shown is left out.
#[derive(Debug, Deserialize)]
pub(super) struct CollectionFile {
    format: String,
    version: u32,
    project: Project,
    name: CollectionName,
    r#type: ArtifactType,
    kind: CollectionKind,
    versions: Vec<VersionInFile>,
    #[serde(default)]
    aliases: BTreeMap<Alias, Version>,
}

/// A version as the file of its collection has it.
#[derive(Debug, Deserialize)]
pub(super) struct VersionInFile {
    version: Version,
    logged: Vec<LoggedAs>,
    digest: ManifestDigest,
    pub(super) manifest: ContentHash,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    metadata: Map<String, Json>,
    #[serde(default)]
    ttl_seconds: Option<u64>,
    entity: Entity,
    #[serde(default)]
    run_id: Option<RunId>,
    #[serde(default)]
    step: Option<i64>,
    created_at: f64,
    updated_at: f64,
    #[serde(default)]
    pub(super) source: Option<LocalPlace>,
    /// By URL.
    #[serde(default)]
    pub(super) servers: BTreeMap<String, ArtifactPlace>,
}

#[derive(Debug, Deserialize)]
struct LoggedAs {
    id: ArtifactId,
}

/// Where a linked version stands in the same `.artifacts`.
#[derive(Debug, Deserialize)]
pub(super) struct LocalPlace {
    pub(super) project: Project,
    pub(super) collection: CollectionName,
    pub(super) version: Version,
}

impl CollectionFile {
    /// Where the file of a collection stands.
    pub(super) fn path(artifacts: &Path, project: &Project, name: &CollectionName) -> PathBuf {
        let name = format!("{}.json", path_segment(name.as_str()));
        artifacts.join("collections").join(path_segment(project.as_str())).join(name)
    }

    /// Reads the file at `path`, which stands in `artifacts`.
    ///
    /// # Errors
    /// It cannot be read, is none of ours, or stands where another belongs.
    pub(super) fn read(artifacts: &Path, path: &Path) -> io::Result<Self> {
        let refused = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(refused("it is no file".into()));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(refused(format!("it has more than {MAX_BYTES} bytes")));
        }
        let file: Self = serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))?;
        if file.format != FORMAT {
            return Err(refused("it is no collection of artifacts".into()));
        }
        if file.version != FORMAT_VERSION {
            return Err(refused(format!("it is of version {}, which this steplog cannot read", file.version)));
        }
        if Self::path(artifacts, &file.project, &file.name) != path {
            return Err(refused(format!("{} of {} does not belong there", file.name, file.project)));
        }
        for version in &file.versions {
            version.details().check().map_err(|error| refused(format!("{}: {error}", version.version)))?;
        }
        Ok(file)
    }

    /// The version that is meant.
    pub(super) fn find(&self, selector: &Selector) -> Option<&VersionInFile> {
        let number = match selector {
            Selector::Version(version) => *version,
            Selector::Alias(alias) => *self.aliases.get(alias)?,
        };
        self.versions.iter().find(|version| version.version == number)
    }

    /// What is to be shown: a collection for each entity that has versions in it.
    pub(super) fn mirrors(self, artifacts: &Path) -> Vec<(CollectionPath, CollectionMirror)> {
        let Self { project, name, r#type, kind, aliases, .. } = self;
        let mut of_entities = BTreeMap::<Entity, Vec<VersionInFile>>::new();
        for version in self.versions {
            of_entities.entry(version.entity.clone()).or_default().push(version);
        }
        let mirror = |(entity, versions): (Entity, Vec<VersionInFile>)| {
            let versions = match kind {
                CollectionKind::Source => VersionMirrors::Source(
                    versions.into_iter().map(|version| (version.version, version.mirror(artifacts))).collect(),
                ),
                CollectionKind::Registry => {
                    VersionMirrors::Registry(versions.into_iter().filter_map(VersionInFile::link).collect())
                }
            };
            let path = CollectionPath { entity, project: project.clone(), collection: name.clone() };
            (path, CollectionMirror { r#type: r#type.clone(), versions, aliases: aliases.clone() })
        };
        of_entities.into_iter().map(mirror).collect()
    }
}

impl VersionInFile {
    fn details(&self) -> ArtifactDetails {
        ArtifactDetails {
            aliases: Vec::new(),
            tags: self.tags.clone(),
            description: self.description.clone(),
            metadata: self.metadata.clone(),
            ttl_seconds: self.ttl_seconds,
        }
    }

    fn mirror(self, artifacts: &Path) -> VersionMirror {
        VersionMirror {
            details: self.details(),
            logged: self.logged.into_iter().map(|logged| logged.id).collect(),
            digest: self.digest,
            lines: artifacts.join("manifests").join(self.manifest.to_string()),
            manifest: self.manifest,
            run: self.run_id,
            step: self.step,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    fn link(self) -> Option<(Version, steplog_model::ArtifactPath)> {
        let LocalPlace { project, collection, version } = self.source?;
        let source = CollectionPath { entity: self.entity, project, collection };
        Some((self.version, source.artifact(Selector::Version(version))))
    }
}
