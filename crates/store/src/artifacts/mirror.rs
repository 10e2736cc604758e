//! Collections that stand elsewhere, in a folder that is shown, and are only mirrored here: their numbers are given there,
//! and their bytes stay there.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use rusqlite::{Connection, params};
use serde_json::Value as Json;
use steplog_model::{
    Alias, ArtifactDetails, ArtifactId, ArtifactPath, ArtifactType, CollectionPath, ContentHash, ManifestDigest, RunId,
    Version,
};
use steplog_protocol::{Artifact, ArtifactChange, CollectionKind};

use super::find::{self, CollectionRow, kind_word, texts_json};
use super::manifest::PreparedManifest;
use super::{uses, version};
use crate::database::Sql as _;
use crate::{Error, Store};

/// A collection as it stands elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionMirror {
    /// Type of all its versions.
    pub r#type: ArtifactType,
    /// What it holds.
    pub versions: VersionMirrors,
    /// Aliases; those of versions that are not there are left out.
    pub aliases: BTreeMap<Alias, Version>,
}

/// The versions of a collection that stands elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum VersionMirrors {
    /// Those that were logged into it.
    Source(BTreeMap<Version, VersionMirror>),
    /// Links to versions of others; those that are not here are left out.
    Registry(BTreeMap<Version, ArtifactPath>),
}

/// A version as it stands elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionMirror {
    /// The calls that logged it, the one that made it first.
    pub logged: Vec<ArtifactId>,
    /// Digest of its manifest.
    pub digest: ManifestDigest,
    /// SHA-256 of the manifest as JSON lines.
    pub manifest: ContentHash,
    /// The file with those lines.
    pub lines: PathBuf,
    /// What is said about it; its aliases are not looked at.
    pub details: ArtifactDetails,
    /// The run that made it.
    pub run: Option<RunId>,
    /// Step of that run.
    pub step: Option<i64>,
    /// When it was made, Unix seconds.
    pub created_at: f64,
    /// When it was last changed, Unix seconds.
    pub updated_at: f64,
}

impl Store {
    /// Brings a collection to what it is elsewhere, whatever it was here; watchers hear of it when something is another.
    /// Answers what could not be shown: versions whose manifest is damaged or not there.
    ///
    /// Nothing of it expires here, and no bytes are held for it: where these are is for the caller to know.
    ///
    /// # Errors
    /// The database refuses.
    pub fn mirror_collection(&self, path: &CollectionPath, mirror: CollectionMirror) -> Result<Vec<Error>, Error> {
        let (mut manifests, mut problems) = (HashMap::new(), Vec::new());
        if let VersionMirrors::Source(versions) = &mirror.versions {
            for (number, version) in versions {
                match self.shared.mirror_manifest(&path.entity, version.manifest, version.digest, &version.lines) {
                    Ok(manifest) => drop(manifests.insert(*number, manifest)),
                    Err(error) => {
                        problems.push(Error::new(error.kind(), format!("{path}:{number} is not shown: {error}")))
                    }
                }
            }
        }
        let ids: Vec<i64> = manifests.values().map(|manifest| manifest.id).collect();
        let (at, now) = (path.clone(), self.shared.options.clock.now());
        let written =
            self.shared.write(move |database| Writing { database, path: &at, now }.write(&mirror, &manifests), |_| {});
        match written {
            Ok(changes) => self.shared.notify_artifacts(&changes),
            Err(error) => {
                ids.into_iter().for_each(|manifest| self.shared.give_up_manifest(manifest));
                return Err(error);
            }
        }
        Ok(problems)
    }

    /// All collections, of whatever entity.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn collection_paths(&self) -> Result<Vec<CollectionPath>, Error> {
        let reader = self.shared.database.reader()?;
        let mut statement = reader.sql(
            "SELECT p.entity, p.name, c.name FROM artifact_collections c JOIN projects p ON p.id = c.project
             WHERE NOT c.removed ORDER BY c.id",
        )?;
        let mut rows = statement.query(())?;
        let mut paths = Vec::new();
        while let Some(row) = rows.next()? {
            let text = |index: usize| row.get::<_, String>(index);
            paths.push(CollectionPath {
                entity: text(0)?.try_into()?,
                project: text(1)?.try_into()?,
                collection: text(2)?.parse()?,
            });
        }
        Ok(paths)
    }
}

struct Writing<'a> {
    database: &'a Connection,
    path: &'a CollectionPath,
    now: f64,
}

impl Writing<'_> {
    fn write(
        &self,
        mirror: &CollectionMirror,
        manifests: &HashMap<Version, PreparedManifest>,
    ) -> Result<Vec<ArtifactChange>, Error> {
        let kind = match &mirror.versions {
            VersionMirrors::Source(_) => CollectionKind::Source,
            VersionMirrors::Registry(_) => CollectionKind::Registry,
        };
        let (is_new, collection) = self.collection(kind, mirror.r#type.as_str())?;
        let before = self.shown(collection.id)?;
        match &mirror.versions {
            VersionMirrors::Source(versions) => self.write_versions(&collection, versions, manifests)?,
            VersionMirrors::Registry(links) => self.write_links(&collection, links)?,
        }
        self.write_aliases(&collection, &mirror.aliases)?;
        let after = self.shown(collection.id)?;
        if before == after && !is_new {
            return Ok(Vec::new());
        }
        let changed_at = after.iter().map(|artifact| artifact.updated_at).fold(0.0, f64::max);
        find::touch(self.database, collection.id, changed_at)?;
        Ok(vec![find::change(self.database, collection.id, false)?])
    }

    /// The collection, with kind and type as they are elsewhere, and whether it was not here.
    fn collection(&self, kind: CollectionKind, r#type: &str) -> Result<(bool, CollectionRow), Error> {
        let found = find::find_collection(self.database, self.path)?;
        if let Some(other) = found.as_ref().filter(|found| found.kind != kind || found.r#type != r#type) {
            self.remove_versions(other, |_, _| Ok(false))?;
            self.database.sql("UPDATE artifact_collections SET kind = $2, type = $3 WHERE id = $1")?.execute((
                other.id,
                kind_word(kind),
                r#type,
            ))?;
        }
        Ok((found.is_none(), find::make_collection(self.database, self.path, kind, r#type, self.now)?))
    }

    fn shown(&self, collection: i64) -> Result<Vec<Artifact>, Error> {
        version::select(self.database, "v.collection = $1 ORDER BY v.version", params![collection])
    }

    /// Removes what does not stay, by number and artifact.
    fn remove_versions(
        &self,
        collection: &CollectionRow,
        stays: impl Fn(i64, i64) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let numbers: Vec<(i64, i64)> = self
            .database
            .sql("SELECT version, artifact FROM artifact_versions WHERE collection = $1")?
            .query_map([collection.id], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (number, artifact) in numbers {
            if stays(number, artifact)? {
                continue;
            }
            match collection.kind {
                CollectionKind::Source => drop(version::delete(self.database, artifact, self.now)?),
                CollectionKind::Registry => version::delete_number(self.database, collection.id, number, self.now)?,
            }
        }
        Ok(())
    }

    fn write_versions(
        &self,
        collection: &CollectionRow,
        versions: &BTreeMap<Version, VersionMirror>,
        manifests: &HashMap<Version, PreparedManifest>,
    ) -> Result<(), Error> {
        let mut taken = BTreeMap::new();
        for (number, version) in versions {
            if let (Some(manifest), Some(made_by)) = (manifests.get(number), version.logged.first()) {
                let gone = || Error::unavailable("a manifest was removed while it was mirrored");
                let manifest = manifest.take(self.database, self.now)?.ok_or_else(gone)?;
                taken.insert(i64::from(number.number()), (version, *made_by, manifest));
            }
        }
        self.remove_versions(collection, |number, artifact| {
            let Some((_, made_by, manifest)) = taken.get(&number) else { return Ok(false) };
            let same = "SELECT 1 FROM artifacts WHERE id = $1 AND logged_id = $2 AND manifest = $3";
            Ok(self.database.sql(same)?.exists(params![artifact, made_by.as_bytes(), manifest])?)
        })?;
        for (number, (version, made_by, manifest)) in taken {
            self.write_version(collection, number, version, made_by, manifest)?;
        }
        Ok(())
    }

    fn write_version(
        &self,
        collection: &CollectionRow,
        number: i64,
        version: &VersionMirror,
        made_by: ArtifactId,
        manifest: i64,
    ) -> Result<(), Error> {
        let details = &version.details;
        let run = version.run.as_ref().map(RunId::as_str);
        let artifact: i64 = self
            .database
            .sql(
                "INSERT INTO artifacts (collection, version, logged_id, manifest, description, metadata, tags, ttl_seconds,
                     run_id, step, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                 ON CONFLICT (collection, version) DO UPDATE SET description = excluded.description,
                     metadata = excluded.metadata, tags = excluded.tags, ttl_seconds = excluded.ttl_seconds,
                     run_id = excluded.run_id, step = excluded.step, created_at = excluded.created_at,
                     updated_at = excluded.updated_at RETURNING id",
            )?
            .query_row(
                params![
                    collection.id,
                    number,
                    made_by.as_bytes(),
                    manifest,
                    details.description,
                    Json::from(details.metadata.clone()).to_string(),
                    texts_json(&version::sorted(details.tags.iter().cloned())),
                    details.ttl_seconds.map(version::clamp),
                    run,
                    version.step,
                    version.created_at,
                    version.updated_at
                ],
                |row| row.get(0),
            )?;
        self.write_number(collection, number, artifact)?;
        for (index, id) in version.logged.iter().enumerate() {
            let run =
                if index == 0 { run.map(Into::into) } else { uses::run_of(self.database, collection.project, *id)? };
            self.database
                .sql(
                    "INSERT INTO artifact_commits (project, logged_id, artifact, created, run_id, time)
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project, logged_id) DO UPDATE SET
                     artifact = excluded.artifact, run_id = coalesce(excluded.run_id, run_id)",
                )?
                .execute(params![collection.project, id.as_bytes(), artifact, index == 0, run, version.created_at])?;
            uses::resolve_waiting(self.database, self.path, artifact, version.digest, Some(*id))?;
        }
        Ok(())
    }

    fn write_links(&self, collection: &CollectionRow, links: &BTreeMap<Version, ArtifactPath>) -> Result<(), Error> {
        let mut found = BTreeMap::new();
        for (number, path) in links {
            let source = find::find_collection(self.database, &path.collection)?;
            let source = source.filter(|source| source.kind == CollectionKind::Source);
            let version =
                source.map(|source| find::version_of(self.database, source, &path.selector)).transpose()?.flatten();
            if let Some(version) = version {
                found.insert(i64::from(number.number()), version.artifact);
            }
        }
        self.remove_versions(collection, |number, artifact| Ok(found.get(&number) == Some(&artifact)))?;
        found.into_iter().try_for_each(|(number, artifact)| self.write_number(collection, number, artifact))
    }

    fn write_number(&self, collection: &CollectionRow, number: i64, artifact: i64) -> Result<(), Error> {
        self.database
            .sql("INSERT INTO artifact_versions (collection, version, artifact) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")?
            .execute((collection.id, number, artifact))?;
        Ok(())
    }

    fn write_aliases(&self, collection: &CollectionRow, aliases: &BTreeMap<Alias, Version>) -> Result<(), Error> {
        self.database.sql("DELETE FROM artifact_aliases WHERE collection = $1")?.execute([collection.id])?;
        for (alias, number) in aliases {
            self.database
                .sql(
                    "INSERT INTO artifact_aliases (collection, alias, version)
                     SELECT collection, $3, version FROM artifact_versions WHERE collection = $1 AND version = $2",
                )?
                .execute((collection.id, number.number(), alias.as_str()))?;
        }
        Ok(())
    }
}
