//! Versions come: the rows of the manifest first, then one short transaction that names them.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value as Json;
use steplog_model::{
    Alias, ArtifactDetails, ArtifactId, ArtifactType, CollectionPath, ContentHash, ManifestDigest, RunId, Version,
};
use steplog_protocol::{ArtifactChange, CollectionKind, CommitArtifactRequest, CommitArtifactResponse};

use super::find::{self, CollectionRow, texts_json};
use super::manifest::{Prepared, PreparedManifest};
use super::{alias, uses, version};
use crate::database::Sql as _;
use crate::{Error, Store};

/// So often a commit begins again when its manifest is removed under it.
const MAX_TRIES: usize = 5;

/// A request whose parts are checked.
#[derive(Clone)]
struct Commit {
    path: CollectionPath,
    id: ArtifactId,
    r#type: ArtifactType,
    digest: ManifestDigest,
    manifest: ContentHash,
    details: ArtifactDetails,
    run: Option<RunId>,
    step: Option<i64>,
    if_latest: Option<IfLatest>,
}

/// What the newest version must be.
#[derive(Clone, Copy)]
enum IfLatest {
    Nothing,
    Version(Version),
}

/// What became of a commit.
struct Committed {
    collection: i64,
    version: i64,
    created: bool,
    changes: Vec<ArtifactChange>,
}

impl Store {
    /// Commits a version whose bytes were sent. When some are missing nothing changes, and the answer names them. A repeated
    /// request, by its id, is answered as the first one was. The content of the newest version makes no new one.
    ///
    /// # Errors
    /// A name or the manifest is not allowed; the collection has another type or is a registry; the newest version is not
    /// the one that was expected; a protected alias would move; or the version was deleted since.
    pub fn commit_artifact(
        &self,
        path: &CollectionPath,
        request: &CommitArtifactRequest,
    ) -> Result<CommitArtifactResponse, Error> {
        let commit = Commit::new(path, request)?;
        self.shared.commits.take(&path.entity, commit.manifest, || self.commit(&commit))
    }

    fn commit(&self, commit: &Commit) -> Result<CommitArtifactResponse, Error> {
        let shared = &self.shared;
        {
            let reader = shared.database.reader()?;
            if let Some(known) = commit.known(&reader)? {
                return self.answer(known);
            }
            commit.check(&reader)?;
        }
        for _ in 0..MAX_TRIES {
            let manifest = match shared.prepare_manifest(&commit.path.entity, commit.manifest, commit.digest)? {
                Prepared::Rows(manifest) => manifest,
                Prepared::Missing(missing) => {
                    return Ok(CommitArtifactResponse { artifact: None, created: false, missing });
                }
            };
            let (commit, now) = (commit.clone(), shared.options.clock.now());
            match shared.write(move |database| commit.write(database, manifest, now), |_| {}) {
                Ok(Some(committed)) => return self.answer(committed),
                Ok(None) => {}
                Err(error) => {
                    shared.give_up_manifest(manifest.id);
                    return Err(error);
                }
            }
        }
        Err(Error::unavailable("the manifest was removed while it was committed").with_hint("try again in a moment"))
    }

    fn answer(&self, committed: Committed) -> Result<CommitArtifactResponse, Error> {
        self.shared.notify_artifacts(&committed.changes);
        let reader = self.shared.database.reader()?;
        let artifact = version::read(&reader, committed.collection, committed.version)?;
        Ok(CommitArtifactResponse { artifact: Some(artifact), created: committed.created, missing: Vec::new() })
    }
}

impl Commit {
    fn new(path: &CollectionPath, request: &CommitArtifactRequest) -> Result<Self, Error> {
        let details = ArtifactDetails {
            aliases: request.aliases.iter().map(|alias| alias.parse()).collect::<Result<_, _>>()?,
            tags: version::sorted(request.tags.iter().cloned()),
            description: request.description.clone().filter(|description| !description.is_empty()),
            metadata: request.metadata.clone(),
            ttl_seconds: request.ttl_seconds.filter(|seconds| *seconds > 0),
        };
        details.check()?;
        let if_latest = match request.if_latest.as_deref() {
            None => None,
            Some("none") => Some(IfLatest::Nothing),
            Some(version) => Some(IfLatest::Version(version.parse()?)),
        };
        Ok(Self {
            path: path.clone(),
            id: request.id.parse().map_err(|_| {
                let shown: String = request.id.chars().take(80).collect();
                Error::invalid(format!("the id {shown:?} of an artifact is not 32 hex digits"))
            })?,
            r#type: request.r#type.parse()?,
            digest: request.digest.parse()?,
            manifest: request.manifest.parse().map_err(|error: steplog_model::InvalidFile| {
                Error::invalid(format!("the manifest is named by no {error}"))
            })?,
            details,
            run: request.run_id.as_deref().map(str::parse).transpose()?,
            step: request.step,
            if_latest,
        })
    }

    /// What an earlier request with this id came to.
    fn known(&self, database: &Connection) -> Result<Option<Committed>, Error> {
        let found: Option<(Option<i64>, bool)> = database
            .sql(
                "SELECT k.artifact, k.created FROM artifact_commits k JOIN projects p ON p.id = k.project
                 WHERE p.entity = $1 AND p.name = $2 AND k.logged_id = $3",
            )?
            .query_row(params![self.path.entity.as_str(), self.path.project.as_str(), self.id.as_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((artifact, created)) = found else { return Ok(None) };
        let artifact = artifact.ok_or_else(|| {
            Error::not_found(format!("this version of {} was committed before, and deleted since", self.path))
                .with_hint("log the artifact again to have it back")
        })?;
        let (collection, version) = database
            .sql("SELECT collection, version FROM artifacts WHERE id = $1")?
            .query_row([artifact], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Some(Committed { collection, version, created, changes: Vec::new() }))
    }

    /// Refuses what would be refused in the end, before the rows of a manifest are written for nothing.
    fn check(&self, database: &Connection) -> Result<(), Error> {
        let Some(collection) = find::find_collection(database, &self.path)? else { return self.check_newest(None) };
        collection.check(&self.path, CollectionKind::Source, self.r#type.as_str())?;
        self.check_newest(find::newest(database, collection.id)?.map(|(version, _)| version))
    }

    /// Names the manifest; `None` when it was removed in between.
    fn write(&self, database: &Connection, manifest: PreparedManifest, now: f64) -> Result<Option<Committed>, Error> {
        if let Some(known) = self.known(database)? {
            super::manifest::let_go(database, manifest.id, now)?;
            return Ok(Some(known));
        }
        let kind = CollectionKind::Source;
        let collection = find::make_collection(database, &self.path, kind, self.r#type.as_str(), now)?;
        let newest = find::newest(database, collection.id)?;
        self.check_newest(newest.map(|(version, _)| version))?;
        let Some(manifest) = manifest.take(database, now)? else { return Ok(None) };
        let same = match newest {
            Some((version, artifact)) if has_content(database, artifact, manifest)? => Some((version, artifact)),
            _ => None,
        };
        let (version, artifact) = match same {
            Some((version, artifact)) => {
                version::change_tags(database, artifact, &self.details.tags, &[])?;
                database.sql("UPDATE artifacts SET updated_at = $2 WHERE id = $1")?.execute((artifact, now))?;
                super::manifest::let_go(database, manifest, now)?;
                (version, artifact)
            }
            None => self.insert(database, &collection, manifest, now)?,
        };
        let mut aliases = vec![Alias::latest()];
        aliases.extend(self.details.aliases.iter().cloned());
        alias::point(database, &collection, version, &aliases)?;
        let run = self.run_id(database, collection.project)?;
        database
            .sql(
                "INSERT INTO artifact_commits (project, logged_id, artifact, created, run_id, time)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )?
            .execute(params![collection.project, self.id.as_bytes(), artifact, same.is_none(), run, now])?;
        uses::resolve_waiting(database, &self.path, artifact, self.digest, Some(self.id))?;
        find::touch(database, collection.id, now)?;
        let changes = version::changes_of(database, artifact)?;
        Ok(Some(Committed { collection: collection.id, version, created: same.is_none(), changes }))
    }

    fn check_newest(&self, newest: Option<i64>) -> Result<(), Error> {
        let expected = match self.if_latest {
            None => return Ok(()),
            Some(IfLatest::Nothing) => None,
            Some(IfLatest::Version(version)) => Some(version),
        };
        if newest == expected.map(|version| i64::from(version.number())) {
            return Ok(());
        }
        let shown = newest.map_or_else(|| "none".into(), |newest| format!("v{newest}"));
        Err(Error::conflict(format!("the newest version of {} is {shown} now", self.path))
            .with_hint("build upon that one, and commit again"))
    }

    fn insert(
        &self,
        database: &Connection,
        collection: &CollectionRow,
        manifest: i64,
        now: f64,
    ) -> Result<(i64, i64), Error> {
        let version = i64::from(find::take_number(database, collection.id)?.number());
        let ttl = self.details.ttl_seconds.map(version::clamp);
        let artifact: i64 = database
            .sql(
                "INSERT INTO artifacts (collection, version, logged_id, manifest, description, metadata, tags, ttl_seconds,
                     run_id, step, created_at, updated_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11 + $8) RETURNING id",
            )?
            .query_row(
                params![
                    collection.id,
                    version,
                    self.id.as_bytes(),
                    manifest,
                    self.details.description,
                    Json::from(self.details.metadata.clone()).to_string(),
                    texts_json(&self.details.tags),
                    ttl,
                    self.run_id(database, collection.project)?,
                    self.step,
                    now
                ],
                |row| row.get(0),
            )?;
        database
            .sql("INSERT INTO artifact_versions (collection, version, artifact) VALUES ($1, $2, $3)")?
            .execute((collection.id, version, artifact))?;
        Ok((version, artifact))
    }

    /// The run that made it: as the request says, or a journal.
    fn run_id(&self, database: &Connection, project: i64) -> Result<Option<String>, Error> {
        if let Some(run) = &self.run {
            return Ok(Some(run.as_str().into()));
        }
        uses::run_of(database, project, self.id)
    }
}

/// Whether an artifact has the very content of a manifest.
fn has_content(database: &Connection, artifact: i64, manifest: i64) -> Result<bool, Error> {
    Ok(database
        .sql(
            "SELECT 1 FROM artifacts a JOIN manifests m ON m.id = a.manifest JOIN manifests o ON o.id = $2
             WHERE a.id = $1 AND m.content_hash = o.content_hash",
        )?
        .exists((artifact, manifest))?)
}
