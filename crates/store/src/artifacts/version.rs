//! Versions: shown, changed, removed.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use steplog_model::{
    Alias, ArtifactDetails, ArtifactPath, CollectionPath, Entity, ManifestDigest, Project, StreamId, Version,
};
use steplog_protocol::{Artifact, ArtifactChange, ArtifactList, ArtifactPlace, ArtifactRun, UpdateArtifactRequest};

use super::find::{self, texts, texts_json};
use super::{alias, page_limit};
use crate::database::Sql as _;
use crate::order::wrong_cursor;
use crate::{Error, Store};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

impl Store {
    /// The versions of a collection, newest first.
    ///
    /// # Errors
    /// There is no such collection, the limit is out of range, or the cursor is none.
    pub fn artifacts(
        &self,
        path: &CollectionPath,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<ArtifactList, Error> {
        let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT)?;
        let before = match cursor {
            Some(cursor) => i64::from(cursor.parse::<Version>().map_err(|_| wrong_cursor())?.number()),
            None => i64::MAX,
        };
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let collection = find::collection(&reader, path)?;
        let condition = "v.collection = $1 AND v.version < $2 ORDER BY v.version DESC LIMIT $3";
        let mut artifacts = select(&reader, condition, params![collection.id, before, limit as i64 + 1])?;
        let has_more = artifacts.len() > limit;
        artifacts.truncate(limit);
        let next_cursor = artifacts.last().filter(|_| has_more).map(|last| last.version.clone());
        Ok(ArtifactList { artifacts, next_cursor })
    }

    /// A version.
    ///
    /// # Errors
    /// There is none.
    pub fn artifact(&self, path: &ArtifactPath) -> Result<Artifact, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let found = find::version(&reader, path)?;
        read(&reader, found.collection.id, found.version)
    }

    /// The newest version of a project with a digest, logged there or linked.
    ///
    /// # Errors
    /// There is none.
    pub fn artifact_by_digest(
        &self,
        entity: &Entity,
        project: &Project,
        digest: ManifestDigest,
    ) -> Result<Artifact, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let condition = "m.digest = $1 AND p.entity = $2 AND p.name = $3 ORDER BY a.id DESC, v.version DESC LIMIT 1";
        let mut found = select(&reader, condition, params![&digest.as_bytes()[..], entity.as_str(), project.as_str()])?;
        found.pop().ok_or_else(|| {
            Error::not_found(format!("project {entity}/{project} has no artifact with the digest {digest}"))
        })
    }

    /// Changes what people may change of a version, and tells the watchers. Of a link these are its aliases.
    ///
    /// # Errors
    /// There is none, something is too long or too much, a protected alias would move or go, or more than aliases of a link
    /// would change.
    pub fn update_artifact(&self, path: &ArtifactPath, update: &UpdateArtifactRequest) -> Result<Artifact, Error> {
        let change = CheckedUpdate::new(update)?;
        let (at, now) = (path.clone(), self.shared.options.clock.now());
        let (collection, version, changes) = self.shared.write(
            move |database| {
                let found = find::version(database, &at)?;
                if found.is_link() && change.has_details() {
                    let source = read(database, found.collection.id, found.version)?.source;
                    let ArtifactPlace { entity, project, collection, version } = source;
                    return Err(Error::conflict(format!("{at} is a link: only its aliases can be changed here"))
                        .with_hint(format!("change {entity}/{project}/{collection}:{version}")));
                }
                change.write(database, &found, now)?;
                Ok((found.collection.id, found.version, changes_of(database, found.artifact)?))
            },
            |_| {},
        )?;
        self.shared.notify_artifacts(&changes);
        let reader = self.shared.database.reader()?;
        read(&reader, collection, version)
    }

    /// Removes a version and the links to it, or, of a registry, one link. Aliases that point at what goes must be allowed to
    /// go, too. Runs that used it stay, and so do their records of it.
    ///
    /// # Errors
    /// There is none, an alias points at it and `delete_aliases` is false, or a protected one does.
    pub fn delete_artifact(&self, path: &ArtifactPath, delete_aliases: bool) -> Result<(), Error> {
        let (at, now) = (path.clone(), self.shared.options.clock.now());
        let changes = self.shared.write(
            move |database| {
                let found = find::version(database, &at)?;
                let mut pointers = alias::of_artifact(database, found.artifact)?;
                if found.is_link() {
                    let own = alias::of_version(database, found.collection.id, found.version)?;
                    let is_own = |pointer: &alias::Pointer| {
                        pointer.collection == found.collection.id && own.contains(&pointer.alias)
                    };
                    pointers.retain(is_own);
                }
                let name = format!("{}:{}", at.collection, Version::new(found.version as u32));
                alias::check_removal(&format!("artifact {name}"), &pointers, delete_aliases)?;
                if found.is_link() {
                    delete_number(database, found.collection.id, found.version, now)?;
                    Ok(vec![find::change(database, found.collection.id, false)?])
                } else {
                    delete(database, found.artifact, now)
                }
            },
            |_| {},
        )?;
        self.shared.notify_artifacts(&changes);
        Ok(())
    }
}

/// A change of a version whose parts are checked.
struct CheckedUpdate {
    update: UpdateArtifactRequest,
    add_aliases: Vec<Alias>,
    remove_aliases: Vec<Alias>,
}

impl CheckedUpdate {
    fn new(update: &UpdateArtifactRequest) -> Result<Self, Error> {
        let aliases = |names: &[String]| names.iter().map(|name| name.parse()).collect::<Result<Vec<Alias>, _>>();
        let (add_aliases, remove_aliases) = (aliases(&update.add_aliases)?, aliases(&update.remove_aliases)?);
        let details = ArtifactDetails {
            aliases: add_aliases.clone(),
            tags: update.add_tags.clone(),
            description: update.description.clone(),
            metadata: update.metadata.clone().unwrap_or_default(),
            ttl_seconds: None,
        };
        details.check()?;
        Ok(Self { update: update.clone(), add_aliases, remove_aliases })
    }

    /// Whether it is about more than aliases.
    fn has_details(&self) -> bool {
        let UpdateArtifactRequest { description, metadata, add_tags, remove_tags, ttl_seconds, .. } = &self.update;
        description.is_some()
            || metadata.is_some()
            || ttl_seconds.is_some()
            || !add_tags.is_empty()
            || !remove_tags.is_empty()
    }

    fn write(&self, database: &Connection, found: &find::VersionRow, now: f64) -> Result<(), Error> {
        let update = &self.update;
        alias::remove(database, &found.collection, found.version, &self.remove_aliases)?;
        alias::point(database, &found.collection, found.version, &self.add_aliases)?;
        if !update.add_tags.is_empty() || !update.remove_tags.is_empty() {
            change_tags(database, found.artifact, &update.add_tags, &update.remove_tags)?;
        }
        let metadata = update.metadata.as_ref().map(|metadata| serde_json::Value::from(metadata.clone()).to_string());
        database
            .sql(
                "UPDATE artifacts SET description = CASE WHEN $2 IS NULL THEN description ELSE nullif($2, '') END,
                 metadata = coalesce($3, metadata),
                 ttl_seconds = CASE WHEN $4 IS NULL THEN ttl_seconds ELSE nullif($4, 0) END,
                 expires_at = CASE WHEN $4 IS NULL THEN expires_at ELSE created_at + nullif($4, 0) END,
                 updated_at = $5 WHERE id = $1",
            )?
            .execute(params![found.artifact, update.description, metadata, update.ttl_seconds.map(clamp), now])?;
        find::touch(database, found.collection.id, now)
    }
}

/// Adds and removes tags of a version.
pub(super) fn change_tags(
    database: &Connection,
    artifact: i64,
    add: &[String],
    remove: &[String],
) -> Result<(), Error> {
    let before: String =
        database.sql("SELECT tags FROM artifacts WHERE id = $1")?.query_row([artifact], |row| row.get(0))?;
    let tags = sorted(texts(&before).into_iter().filter(|tag| !remove.contains(tag)).chain(add.iter().cloned()));
    ArtifactDetails { tags: tags.clone(), ..ArtifactDetails::default() }.check()?;
    database.sql("UPDATE artifacts SET tags = $2 WHERE id = $1")?.execute((artifact, texts_json(&tags)))?;
    Ok(())
}

/// Names in order, each once.
pub(super) fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort();
    names.dedup();
    names
}

/// Seconds as they stand in the catalog: more than it can hold is for ever in any case.
pub(super) fn clamp(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// Refuses a description that is too long.
pub(super) fn check_description(description: &str) -> Result<(), Error> {
    Ok(ArtifactDetails { description: Some(description.into()), ..ArtifactDetails::default() }.check()?)
}

/// A version by its number.
pub(super) fn read(database: &Connection, collection: i64, version: i64) -> Result<Artifact, Error> {
    let mut found = select(database, "v.collection = $1 AND v.version = $2", params![collection, version])?;
    found.pop().ok_or_else(|| Error::not_found("the version was deleted in this moment"))
}

/// A version where it was logged.
pub(super) fn read_source(database: &Connection, artifact: i64) -> Result<Option<Artifact>, Error> {
    let condition = "a.id = $1 AND v.collection = a.collection AND v.version = a.version";
    Ok(select(database, condition, params![artifact])?.pop())
}

/// The versions that a condition finds.
pub(super) fn select(
    database: &Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Artifact>, Error> {
    let sql = format!(
        "SELECT p.entity, p.name, c.name, v.version, c.type, sp.entity, sp.name, sc.name, a.version, a.logged_id, m.digest,
             m.file_count, m.size_bytes, a.description, a.metadata, a.tags, a.ttl_seconds, a.created_at, a.updated_at,
             a.run_id, a.step, r.name, (SELECT count(DISTINCT u.run) FROM artifact_uses u WHERE u.artifact = a.id), c.id
         FROM artifact_versions v JOIN artifact_collections c ON c.id = v.collection JOIN projects p ON p.id = c.project
         JOIN artifacts a ON a.id = v.artifact JOIN artifact_collections sc ON sc.id = a.collection
         JOIN projects sp ON sp.id = sc.project JOIN manifests m ON m.id = a.manifest
         LEFT JOIN runs r ON r.project = sc.project AND r.run_id = a.run_id WHERE {condition}"
    );
    let mut statement = database.sql(&sql)?;
    let mut rows = statement.query(parameters)?;
    let mut artifacts = Vec::new();
    while let Some(row) = rows.next()? {
        let mut artifact = read_row(row)?;
        artifact.aliases = alias::of_version(database, row.get(23)?, row.get(3)?)?;
        artifacts.push(artifact);
    }
    Ok(artifacts)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<Artifact> {
    let number = |index: usize| Ok::<_, rusqlite::Error>(Version::new(row.get(index)?).to_string());
    let source =
        ArtifactPlace { entity: row.get(5)?, project: row.get(6)?, collection: row.get(7)?, version: number(8)? };
    let run = |run_id: String| -> rusqlite::Result<ArtifactRun> {
        let (entity, project) = (source.entity.clone(), source.project.clone());
        Ok(ArtifactRun { entity, project, run_id, name: row.get(21)? })
    };
    Ok(Artifact {
        id: StreamId::from_bytes(row.get(9)?).to_string(),
        entity: row.get(0)?,
        project: row.get(1)?,
        collection: row.get(2)?,
        version: number(3)?,
        r#type: row.get(4)?,
        digest: ManifestDigest::from_bytes(row.get(10)?).to_string(),
        aliases: Vec::new(),
        tags: texts(row.get_ref(15)?.as_str().unwrap_or_default()),
        description: row.get(13)?,
        metadata: serde_json::from_str(row.get_ref(14)?.as_str().unwrap_or_default()).unwrap_or_default(),
        ttl_seconds: row.get::<_, Option<i64>>(16)?.map(|seconds| seconds as u64),
        file_count: row.get::<_, i64>(11)? as u64,
        size_bytes: row.get::<_, i64>(12)? as u64,
        logged_by: row.get::<_, Option<String>>(19)?.map(run).transpose()?,
        step: row.get(20)?,
        use_count: row.get::<_, i64>(22)? as u64,
        created_at: row.get(17)?,
        updated_at: row.get(18)?,
        source,
    })
}

/// Removes a version with all numbers and aliases that lead to it, and lets go of its manifest.
pub(super) fn delete(database: &Connection, artifact: i64, now: f64) -> Result<Vec<ArtifactChange>, Error> {
    let changes = changes_of(database, artifact)?;
    let numbers: Vec<(i64, i64)> = {
        let mut statement = database.sql("SELECT collection, version FROM artifact_versions WHERE artifact = $1")?;
        statement.query_map([artifact], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?
    };
    for (collection, version) in numbers {
        delete_number(database, collection, version, now)?;
    }
    database.sql("UPDATE artifact_commits SET artifact = NULL WHERE artifact = $1")?.execute([artifact])?;
    database.sql("UPDATE artifact_uses SET artifact = NULL WHERE artifact = $1")?.execute([artifact])?;
    let manifest: Option<i64> = database
        .sql("DELETE FROM artifacts WHERE id = $1 RETURNING manifest")?
        .query_row([artifact], |row| row.get(0))
        .optional()?;
    if let Some(manifest) = manifest {
        super::manifest::let_go(database, manifest, now)?;
    }
    Ok(changes)
}

/// Takes a number out of a collection, with its aliases. `latest` goes to the newest one that is left.
pub(super) fn delete_number(database: &Connection, collection: i64, version: i64, now: f64) -> Result<(), Error> {
    database
        .sql("DELETE FROM artifact_versions WHERE collection = $1 AND version = $2")?
        .execute((collection, version))?;
    let aliases = alias::of_version(database, collection, version)?;
    database
        .sql("DELETE FROM artifact_aliases WHERE collection = $1 AND version = $2")?
        .execute((collection, version))?;
    if aliases.iter().any(|alias| alias == Alias::latest().as_str()) {
        alias::renew_latest(database, collection)?;
    }
    find::touch(database, collection, now)
}

/// What watchers are told when something about an artifact changed: every collection that shows it.
pub(super) fn changes_of(database: &Connection, artifact: i64) -> Result<Vec<ArtifactChange>, Error> {
    let collections: Vec<i64> = {
        let mut statement = database
            .sql("SELECT DISTINCT collection FROM artifact_versions WHERE artifact = $1 ORDER BY collection")?;
        statement.query_map([artifact], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    collections.into_iter().map(|collection| find::change(database, collection, false)).collect()
}
