//! Looking collections and versions up by name.

use rusqlite::{Connection, OptionalExtension as _, Row};
use steplog_model::{ArtifactPath, CollectionPath, Selector, Version};
use steplog_protocol::{ArtifactChange, CollectionKind};

use crate::Error;
use crate::database::Sql as _;

/// A collection in the catalog.
#[derive(Clone, Debug)]
pub(super) struct CollectionRow {
    pub(super) id: i64,
    pub(super) project: i64,
    pub(super) kind: CollectionKind,
    pub(super) r#type: String,
    pub(super) protected_aliases: Vec<String>,
}

impl CollectionRow {
    /// Refuses what cannot come into the collection.
    pub(super) fn check(&self, path: &CollectionPath, kind: CollectionKind, r#type: &str) -> Result<(), Error> {
        if self.kind != kind {
            return Err(match self.kind {
                CollectionKind::Registry => {
                    Error::conflict(format!("{path} is a registry collection: versions are linked into it, not logged"))
                        .with_hint("log the artifact under another name, and link it")
                }
                CollectionKind::Source => {
                    Error::conflict(format!("versions are logged into {path}, so that none can be linked into it"))
                        .with_hint("link into another collection")
                }
            });
        }
        if self.r#type != r#type {
            let message = format!("artifact {path} has the type {:?}, not {:?}", self.r#type, r#type);
            return Err(Error::conflict(message).with_hint("give the new version that type, or another name"));
        }
        Ok(())
    }
}

/// A version in the catalog, as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct VersionRow {
    pub(super) collection: CollectionRow,
    /// Its number in that collection.
    pub(super) version: i64,
    pub(super) artifact: i64,
    pub(super) manifest: i64,
}

impl VersionRow {
    /// Whether it was logged elsewhere.
    pub(super) fn is_link(&self) -> bool {
        self.collection.kind == CollectionKind::Registry
    }
}

/// The word of a kind in the catalog.
pub(super) fn kind_word(kind: CollectionKind) -> &'static str {
    match kind {
        CollectionKind::Source => "source",
        CollectionKind::Registry => "registry",
    }
}

/// The inverse of [`kind_word`].
pub(super) fn kind_from_word(word: &str) -> CollectionKind {
    if word == "registry" { CollectionKind::Registry } else { CollectionKind::Source }
}

/// A list of texts that stands in a column as JSON.
pub(super) fn texts(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}

/// The inverse of [`texts`].
pub(super) fn texts_json(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

/// A collection, if it is there.
pub(super) fn find_collection(database: &Connection, path: &CollectionPath) -> Result<Option<CollectionRow>, Error> {
    let names = (path.entity.as_str(), path.project.as_str(), path.collection.as_str());
    let read = |row: &Row<'_>| {
        Ok(CollectionRow {
            id: row.get(0)?,
            project: row.get(1)?,
            kind: kind_from_word(row.get_ref(2)?.as_str().unwrap_or_default()),
            r#type: row.get(3)?,
            protected_aliases: texts(row.get_ref(4)?.as_str().unwrap_or_default()),
        })
    };
    Ok(database
        .sql(
            "SELECT c.id, c.project, c.kind, c.type, c.protected_aliases
             FROM artifact_collections c JOIN projects p ON p.id = c.project
             WHERE p.entity = $1 AND p.name = $2 AND c.name = $3 AND NOT c.removed",
        )?
        .query_row(names, read)
        .optional()?)
}

/// A collection.
pub(super) fn collection(database: &Connection, path: &CollectionPath) -> Result<CollectionRow, Error> {
    find_collection(database, path)?.ok_or_else(|| Error::not_found(format!("there is no artifact {path}")))
}

/// A version.
pub(super) fn version(database: &Connection, path: &ArtifactPath) -> Result<VersionRow, Error> {
    let collection = collection(database, &path.collection)?;
    version_of(database, collection, &path.selector)?
        .ok_or_else(|| Error::not_found(format!("artifact {} has no version {}", path.collection, path.selector)))
}

/// A version of a collection, if it is there.
pub(super) fn version_of(
    database: &Connection,
    collection: CollectionRow,
    selector: &Selector,
) -> Result<Option<VersionRow>, Error> {
    let number: Option<i64> = match selector {
        Selector::Version(version) => Some(i64::from(version.number())),
        Selector::Alias(alias) => database
            .sql("SELECT version FROM artifact_aliases WHERE collection = $1 AND alias = $2")?
            .query_row((collection.id, alias.as_str()), |row| row.get(0))
            .optional()?,
    };
    let Some(version) = number else { return Ok(None) };
    let found = database
        .sql(
            "SELECT v.artifact, a.manifest FROM artifact_versions v JOIN artifacts a ON a.id = v.artifact
             WHERE v.collection = $1 AND v.version = $2",
        )?
        .query_row((collection.id, version), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.map(|(artifact, manifest)| VersionRow { collection, version, artifact, manifest }))
}

/// The newest version of a collection.
pub(super) fn newest(database: &Connection, collection: i64) -> Result<Option<(i64, i64)>, Error> {
    Ok(database
        .sql("SELECT version, artifact FROM artifact_versions WHERE collection = $1 ORDER BY version DESC LIMIT 1")?
        .query_row([collection], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// The id of a project, made if need be.
pub(super) fn make_project(database: &Connection, path: &CollectionPath) -> Result<i64, Error> {
    let names = (path.entity.as_str(), path.project.as_str());
    database
        .sql("INSERT INTO projects (entity, name) VALUES ($1, $2) ON CONFLICT (entity, name) DO NOTHING")?
        .execute(names)?;
    Ok(database.sql("SELECT id FROM projects WHERE entity = $1 AND name = $2")?.query_row(names, |row| row.get(0))?)
}

/// The collection with this kind and type, made if need be.
pub(super) fn make_collection(
    database: &Connection,
    path: &CollectionPath,
    kind: CollectionKind,
    r#type: &str,
    now: f64,
) -> Result<CollectionRow, Error> {
    if let Some(found) = find_collection(database, path)? {
        found.check(path, kind, r#type)?;
        return Ok(found);
    }
    let project = make_project(database, path)?;
    // One that was removed left the number that comes next.
    database
        .sql(
            "INSERT INTO artifact_collections (project, name, kind, type, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (project, name) DO UPDATE SET kind = excluded.kind,
             type = excluded.type, created_at = excluded.created_at, updated_at = excluded.updated_at, removed = FALSE",
        )?
        .execute((project, path.collection.as_str(), kind_word(kind), r#type, now))?;
    collection(database, path)
}

/// The next number of a collection, which nobody else gets any more.
pub(super) fn take_number(database: &Connection, collection: i64) -> Result<Version, Error> {
    let number: i64 = database
        .sql(
            "UPDATE artifact_collections SET next_version = next_version + 1 WHERE id = $1 RETURNING next_version - 1",
        )?
        .query_row([collection], |row| row.get(0))?;
    u32::try_from(number).map(Version::new).map_err(|_| Error::invalid("the artifact has too many versions"))
}

/// Notes that something about a collection changed.
pub(super) fn touch(database: &Connection, collection: i64, now: f64) -> Result<(), Error> {
    database
        .sql("UPDATE artifact_collections SET updated_at = max(updated_at, $2) WHERE id = $1")?
        .execute((collection, now))?;
    Ok(())
}

/// What watchers are told of a collection.
pub(super) fn change(database: &Connection, collection: i64, deleted: bool) -> Result<ArtifactChange, Error> {
    Ok(database
        .sql(
            "SELECT p.entity, p.name, c.name FROM artifact_collections c JOIN projects p ON p.id = c.project
             WHERE c.id = $1",
        )?
        .query_row([collection], |row| {
            Ok(ArtifactChange { entity: row.get(0)?, project: row.get(1)?, collection: row.get(2)?, deleted })
        })?)
}
