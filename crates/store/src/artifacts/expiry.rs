//! Versions that were to be kept for some time only.

use std::sync::Arc;

use rusqlite::Connection;
use steplog_model::Alias;
use steplog_protocol::ArtifactChange;

use super::{alias, version};
use crate::database::Sql as _;
use crate::store::Shared;
use crate::{Error, Store};

/// So many versions are removed in one transaction.
const REMOVE_AT_ONCE: usize = 64;

impl Store {
    /// Removes the versions whose time is over, as the background does now and then. One stays as long as an alias other
    /// than `latest` points at it or a registry links it.
    ///
    /// # Errors
    /// The database refuses; what is left goes the next time.
    pub fn remove_expired_artifacts(&self) -> Result<(), Error> {
        remove_expired(&self.shared)
    }
}

/// See [`Store::remove_expired_artifacts`].
pub(crate) fn remove_expired(shared: &Arc<Shared>) -> Result<(), Error> {
    let now = shared.options.clock.now();
    let over: Vec<i64> = {
        let reader = shared.database.reader()?;
        reader
            .sql("SELECT id FROM artifacts WHERE expires_at <= $1 ORDER BY expires_at, id")?
            .query_map([now], |row| row.get(0))?
            .collect::<Result<_, _>>()?
    };
    for some in over.chunks(REMOVE_AT_ONCE) {
        let some = some.to_vec();
        let changes = shared.write(
            move |database| {
                let mut changes: Vec<ArtifactChange> = Vec::new();
                for artifact in some {
                    if is_over(database, artifact, now)? {
                        changes.extend(version::delete(database, artifact, now)?);
                    }
                }
                changes.dedup();
                Ok(changes)
            },
            |_| {},
        )?;
        shared.notify_artifacts(&changes);
    }
    Ok(())
}

fn is_over(database: &Connection, artifact: i64, now: f64) -> Result<bool, Error> {
    let is_expired =
        database.sql("SELECT 1 FROM artifacts WHERE id = $1 AND expires_at <= $2")?.exists((artifact, now))?;
    let is_linked = database
        .sql(
            "SELECT 1 FROM artifact_versions v JOIN artifacts a ON a.id = v.artifact
             WHERE v.artifact = $1 AND v.collection <> a.collection",
        )?
        .exists([artifact])?;
    let is_named =
        alias::of_artifact(database, artifact)?.iter().any(|pointer| pointer.alias != Alias::latest().as_str());
    Ok(is_expired && !is_linked && !is_named)
}
