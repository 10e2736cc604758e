//! Names that point at versions of a collection, and move.

use rusqlite::{Connection, OptionalExtension as _};
use steplog_model::Alias;

use super::find::{self, CollectionRow};
use crate::Error;
use crate::database::Sql as _;

/// An alias that points at a version from some collection.
pub(super) struct Pointer {
    pub(super) collection: i64,
    pub(super) alias: String,
    /// Whether its collection has it on the list of those that stay.
    pub(super) is_protected: bool,
}

/// Lets aliases point at a version, wherever they pointed before.
///
/// # Errors
/// A protected one would have to move.
pub(super) fn point(
    database: &Connection,
    collection: &CollectionRow,
    version: i64,
    aliases: &[Alias],
) -> Result<(), Error> {
    for alias in aliases {
        let before: Option<i64> = database
            .sql("SELECT version FROM artifact_aliases WHERE collection = $1 AND alias = $2")?
            .query_row((collection.id, alias.as_str()), |row| row.get(0))
            .optional()?;
        match before {
            Some(before) if before == version => continue,
            Some(before) if is_protected(collection, alias.as_str()) => {
                return Err(refused(alias.as_str(), &format!("so that it stays at v{before}")));
            }
            _ => {}
        }
        database
            .sql(
                "INSERT INTO artifact_aliases (collection, alias, version) VALUES ($1, $2, $3)
                 ON CONFLICT (collection, alias) DO UPDATE SET version = excluded.version",
            )?
            .execute((collection.id, alias.as_str(), version))?;
    }
    Ok(())
}

/// Takes aliases off a version; those that do not point at it stay where they are.
///
/// # Errors
/// One is protected.
pub(super) fn remove(
    database: &Connection,
    collection: &CollectionRow,
    version: i64,
    aliases: &[Alias],
) -> Result<(), Error> {
    for alias in aliases {
        let removed = database
            .sql("DELETE FROM artifact_aliases WHERE collection = $1 AND alias = $2 AND version = $3")?
            .execute((collection.id, alias.as_str(), version))?;
        if removed > 0 && is_protected(collection, alias.as_str()) {
            return Err(refused(alias.as_str(), "so that it cannot be removed"));
        }
    }
    Ok(())
}

/// The aliases of one number of a collection, by name.
pub(super) fn of_version(database: &Connection, collection: i64, version: i64) -> Result<Vec<String>, Error> {
    let mut statement =
        database.sql("SELECT alias FROM artifact_aliases WHERE collection = $1 AND version = $2 ORDER BY alias")?;
    let aliases = statement.query_map((collection, version), |row| row.get(0))?;
    Ok(aliases.collect::<Result<_, _>>()?)
}

/// The aliases that point at an artifact, in its own collection and in those that link it.
pub(super) fn of_artifact(database: &Connection, artifact: i64) -> Result<Vec<Pointer>, Error> {
    let mut statement = database.sql(
        "SELECT x.collection, x.alias, c.protected_aliases
         FROM artifact_versions v JOIN artifact_aliases x ON x.collection = v.collection AND x.version = v.version
         JOIN artifact_collections c ON c.id = v.collection WHERE v.artifact = $1 ORDER BY x.collection, x.alias",
    )?;
    let pointers = statement.query_map([artifact], |row| {
        let alias: String = row.get(1)?;
        let is_protected = find::texts(row.get_ref(2)?.as_str().unwrap_or_default()).contains(&alias);
        Ok(Pointer { collection: row.get(0)?, alias, is_protected })
    })?;
    Ok(pointers.collect::<Result<_, _>>()?)
}

/// Refuses a removal that would take aliases along.
///
/// # Errors
/// One is protected, or there is one and `delete_aliases` was not said.
pub(super) fn check_removal(what: &str, pointers: &[Pointer], delete_aliases: bool) -> Result<(), Error> {
    if let Some(pointer) = pointers.iter().find(|pointer| pointer.is_protected) {
        let hint = "take the alias off the protected ones of its collection first";
        let message = format!("{what} cannot be deleted: the protected alias {:?} points at it", pointer.alias);
        return Err(Error::conflict(message).with_hint(hint));
    }
    match pointers.first() {
        Some(pointer) if !delete_aliases => {
            let message = format!("{what} cannot be deleted: the alias {:?} points at it", pointer.alias);
            Err(Error::conflict(message).with_hint("delete it with delete_aliases, or move its aliases first"))
        }
        _ => Ok(()),
    }
}

/// Lets `latest` point at the newest version after the one that had it went.
pub(super) fn renew_latest(database: &Connection, collection: i64) -> Result<(), Error> {
    if let Some((version, _)) = find::newest(database, collection)? {
        database
            .sql(
                "INSERT INTO artifact_aliases (collection, alias, version) VALUES ($1, $2, $3)
                 ON CONFLICT (collection, alias) DO NOTHING",
            )?
            .execute((collection, Alias::latest().as_str(), version))?;
    }
    Ok(())
}

fn is_protected(collection: &CollectionRow, alias: &str) -> bool {
    collection.protected_aliases.iter().any(|protected| protected == alias)
}

fn refused(alias: &str, consequence: &str) -> Error {
    Error::conflict(format!("the alias {alias:?} is protected, {consequence}"))
        .with_hint("take it off the protected aliases of its collection first")
}
