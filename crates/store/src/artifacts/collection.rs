//! Collections: listed, described, renamed, removed.

use rusqlite::{Connection, Row, params};
use serde_json::Value as Json;
use steplog_model::{Alias, CollectionName, CollectionPath, Entity, Project, Version};
use steplog_protocol::{
    ArtifactChange, Collection, CollectionAlias, CollectionKind, CollectionList, TypeCount, UpdateCollectionRequest,
};

use super::find::{self, kind_from_word, kind_word, texts, texts_json};
use super::{alias, page_limit, version};
use crate::database::Sql as _;
use crate::order::{decode_hex, encode_hex, wrong_cursor};
use crate::{Error, Store};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

/// So many aliases of a collection may be protected.
const MAX_PROTECTED: usize = 100;

/// Which collections are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CollectionQuery {
    /// Only those of this kind.
    pub kind: Option<CollectionKind>,
    /// Only those of this type.
    pub r#type: Option<String>,
    /// Only those with this in their name, in any case.
    pub search: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// How many; 100 where absent, at most 1,000.
    pub limit: Option<u32>,
}

impl Store {
    /// The collections of a project, or of all projects of an entity, by type and name. A project that is not there has
    /// none.
    ///
    /// # Errors
    /// The limit is out of range, or the cursor is none.
    pub fn collections(
        &self,
        entity: &Entity,
        project: Option<&Project>,
        query: &CollectionQuery,
    ) -> Result<CollectionList, Error> {
        let limit = page_limit(query.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
        let after = query.cursor.as_deref().map_or_else(|| Ok(Default::default()), decode_cursor)?;
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let (entity, project) = (entity.as_str(), project.map(Project::as_str));
        let (kind, search) = (query.kind.map(kind_word), query.search.as_deref().unwrap_or_default());
        let found = "FROM artifact_collections c JOIN projects p ON p.id = c.project
             WHERE p.entity = $1 AND ($2 IS NULL OR p.name = $2) AND NOT c.removed AND ($3 IS NULL OR c.kind = $3)
             AND ($4 = '' OR instr(lower(c.name), lower($4)) > 0)";
        let types = reader
            .sql(&format!("SELECT c.type, count(*) {found} GROUP BY c.type ORDER BY c.type"))?
            .query_map((entity, project, kind, search), |row| {
                Ok(TypeCount { r#type: row.get(0)?, count: row.get::<_, i64>(1)? as u64 })
            })?
            .collect::<Result<_, _>>()?;
        let sql = format!(
            "SELECT {COLUMNS} {found} AND ($5 IS NULL OR c.type = $5) AND (c.type, c.name, p.name) > ($6, $7, $8)
             ORDER BY c.type, c.name, p.name LIMIT $9"
        );
        let mut collections: Vec<Collection> = reader
            .sql(&sql)?
            .query_map(
                params![entity, project, kind, search, query.r#type, after.0, after.1, after.2, limit as i64 + 1],
                read,
            )?
            .collect::<Result<_, _>>()?;
        let has_more = collections.len() > limit;
        collections.truncate(limit);
        let next_cursor = collections.last().filter(|_| has_more).map(encode_cursor);
        Ok(CollectionList { collections, types, next_cursor })
    }

    /// A collection.
    ///
    /// # Errors
    /// There is none.
    pub fn collection(&self, path: &CollectionPath) -> Result<Collection, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let row = find::collection(&reader, path)?;
        let sql =
            format!("SELECT {COLUMNS} FROM artifact_collections c JOIN projects p ON p.id = c.project WHERE c.id = $1");
        Ok(reader.sql(&sql)?.query_row([row.id], read)?)
    }

    /// Changes what people may change of a collection, and tells the watchers.
    ///
    /// # Errors
    /// There is none, a name or the description is not allowed, or another collection has the new name.
    pub fn update_collection(
        &self,
        path: &CollectionPath,
        update: &UpdateCollectionRequest,
    ) -> Result<Collection, Error> {
        let name = update.name.as_deref().map(str::parse::<CollectionName>).transpose()?;
        let description = update.description.clone();
        if let Some(description) = &description {
            version::check_description(description)?;
        }
        let protected = update.protected_aliases.as_deref().map(check_protected).transpose()?;
        let new_path = CollectionPath { collection: name.unwrap_or_else(|| path.collection.clone()), ..path.clone() };
        let (from, to, now) = (path.clone(), new_path.clone(), self.shared.options.clock.now());
        let changes = self.shared.write(
            move |database| {
                let row = find::collection(database, &from)?;
                let mut changes = Vec::new();
                if from != to {
                    changes.push(find::change(database, row.id, true)?);
                    rename(database, row.id, row.project, &from, &to, now)?;
                }
                database
                    .sql(
                        "UPDATE artifact_collections SET description = CASE WHEN $2 IS NULL THEN description
                         ELSE nullif($2, '') END, protected_aliases = coalesce($3, protected_aliases), updated_at = $4
                         WHERE id = $1",
                    )?
                    .execute(params![row.id, description, protected, now])?;
                changes.push(find::change(database, row.id, false)?);
                Ok(changes)
            },
            |_| {},
        )?;
        self.shared.notify_artifacts(&changes);
        self.collection(&new_path)
    }

    /// Removes a collection: with all its versions, or, of a registry, with all its links.
    ///
    /// # Errors
    /// There is none, or a protected alias points at one of its versions.
    pub fn delete_collection(&self, path: &CollectionPath) -> Result<(), Error> {
        let (at, now) = (path.clone(), self.shared.options.clock.now());
        let changes = self.shared.write(
            move |database| {
                let row = find::collection(database, &at)?;
                let mut changes = match row.kind {
                    CollectionKind::Source => delete_versions(database, row.id, &at, now)?,
                    CollectionKind::Registry => {
                        check_own_aliases(database, &row, &at)?;
                        Vec::new()
                    }
                };
                changes.retain(|change| {
                    change.collection != at.collection.as_str() || change.project != at.project.as_str()
                });
                changes.push(find::change(database, row.id, true)?);
                for table in ["artifact_aliases", "artifact_versions"] {
                    database.sql(&format!("DELETE FROM {table} WHERE collection = $1"))?.execute([row.id])?;
                }
                database
                    .sql(
                        "UPDATE artifact_collections SET removed = TRUE, description = NULL, protected_aliases = '[]',
                         updated_at = $2 WHERE id = $1",
                    )?
                    .execute((row.id, now))?;
                Ok(changes)
            },
            |_| {},
        )?;
        self.shared.notify_artifacts(&changes);
        Ok(())
    }
}

const COLUMNS: &str = "p.entity, p.name, c.name, c.kind, c.type, c.description,
    (SELECT count(*) FROM artifact_versions v WHERE v.collection = c.id),
    (SELECT max(v.version) FROM artifact_versions v WHERE v.collection = c.id),
    (SELECT json_group_array(json_array(x.alias, x.version)) FROM
        (SELECT alias, version FROM artifact_aliases WHERE collection = c.id ORDER BY alias) x),
    c.protected_aliases,
    (SELECT coalesce(sum(m.size_bytes), 0) FROM artifact_versions v JOIN artifacts a ON a.id = v.artifact
        JOIN manifests m ON m.id = a.manifest WHERE v.collection = c.id),
    c.created_at, c.updated_at";

fn read(row: &Row<'_>) -> rusqlite::Result<Collection> {
    let aliases: Vec<(String, u32)> =
        serde_json::from_str(row.get_ref(8)?.as_str().unwrap_or_default()).unwrap_or_default();
    let alias = |(alias, version)| CollectionAlias { alias, version: Version::new(version).to_string() };
    Ok(Collection {
        entity: row.get(0)?,
        project: row.get(1)?,
        name: row.get(2)?,
        kind: kind_from_word(row.get_ref(3)?.as_str().unwrap_or_default()),
        r#type: row.get(4)?,
        description: row.get(5)?,
        version_count: row.get::<_, i64>(6)? as u64,
        latest_version: row.get::<_, Option<u32>>(7)?.map(|version| Version::new(version).to_string()),
        aliases: aliases.into_iter().map(alias).collect(),
        protected_aliases: texts(row.get_ref(9)?.as_str().unwrap_or_default()),
        size_bytes: row.get::<_, i64>(10)? as u64,
        created_at: row.get(11)?,
        updated_at: row.get(12)?,
    })
}

/// Gives a collection another name. The old name remembers the number that comes next.
fn rename(
    database: &Connection,
    collection: i64,
    project: i64,
    from: &CollectionPath,
    to: &CollectionPath,
    now: f64,
) -> Result<(), Error> {
    if find::find_collection(database, to)?.is_some() {
        return Err(Error::conflict(format!("there is an artifact {to} already")).with_hint("choose another name"));
    }
    let taken: Option<i64> = database
        .sql("DELETE FROM artifact_collections WHERE project = $1 AND name = $2 RETURNING next_version")?
        .query_map((project, to.collection.as_str()), |row| row.get(0))?
        .next()
        .transpose()?;
    database
        .sql("UPDATE artifact_collections SET name = $2, next_version = max(next_version, $3) WHERE id = $1")?
        .execute((collection, to.collection.as_str(), taken.unwrap_or(0)))?;
    database
        .sql(
            "INSERT INTO artifact_collections (project, name, kind, type, next_version, created_at, updated_at, removed)
             SELECT project, $2, kind, type, next_version, $3, $3, TRUE FROM artifact_collections WHERE id = $1",
        )?
        .execute((collection, from.collection.as_str(), now))?;
    Ok(())
}

fn delete_versions(
    database: &Connection,
    collection: i64,
    path: &CollectionPath,
    now: f64,
) -> Result<Vec<ArtifactChange>, Error> {
    let artifacts: Vec<i64> = {
        let mut statement = database.sql("SELECT id FROM artifacts WHERE collection = $1")?;
        statement.query_map([collection], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    let mut changes = Vec::new();
    for artifact in artifacts {
        alias::check_removal(&format!("artifact {path}"), &alias::of_artifact(database, artifact)?, true)?;
        for change in version::delete(database, artifact, now)? {
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
    }
    Ok(changes)
}

/// Refuses the removal of a registry collection with protected aliases.
fn check_own_aliases(database: &Connection, row: &find::CollectionRow, path: &CollectionPath) -> Result<(), Error> {
    for protected in &row.protected_aliases {
        let is_used = database
            .sql("SELECT 1 FROM artifact_aliases WHERE collection = $1 AND alias = $2")?
            .exists((row.id, protected))?;
        if is_used {
            let message = format!("{path} cannot be deleted: it has the protected alias {protected:?}");
            return Err(Error::conflict(message).with_hint("take the alias off the protected ones first"));
        }
    }
    Ok(())
}

/// Checks a list of protected aliases; answers it as it stands in the catalog.
fn check_protected(aliases: &[String]) -> Result<String, Error> {
    if aliases.len() > MAX_PROTECTED {
        return Err(Error::invalid(format!("{} protected aliases are more than {MAX_PROTECTED}", aliases.len())));
    }
    let mut checked: Vec<String> = Vec::new();
    for alias in aliases {
        let alias: Alias = alias.parse()?;
        if alias == Alias::latest() {
            return Err(Error::invalid("the alias \"latest\" cannot be protected: it moves to every new version"));
        }
        checked.push(alias.into());
    }
    checked.sort();
    checked.dedup();
    Ok(texts_json(&checked))
}

fn encode_cursor(last: &Collection) -> String {
    encode_hex(&[last.r#type.as_str().into(), last.name.as_str().into(), last.project.as_str().into()])
}

fn decode_cursor(cursor: &str) -> Result<(String, String, String), Error> {
    match &decode_hex(cursor)?[..] {
        [Json::String(r#type), Json::String(name), Json::String(project)] => {
            Ok((r#type.clone(), name.clone(), project.clone()))
        }
        _ => Err(wrong_cursor()),
    }
}
