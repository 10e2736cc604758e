//! Writing summaries: in memory they follow every row, in the catalog they lag behind.

use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::Connection;

use crate::database::Sql as _;
use crate::hot::LiveRun;
use crate::store::Shared;
use crate::{Error, catalog};

impl Shared {
    /// Writes what changed in the summaries of live runs.
    pub(crate) fn write_summaries(self: &Arc<Self>) -> Result<(), Error> {
        let unwritten: Vec<Arc<LiveRun>> = self.unwritten().values().cloned().collect();
        if unwritten.is_empty() {
            return Ok(());
        }
        let shared = self.clone();
        self.write(
            move |database| {
                let write = |live: &Arc<LiveRun>| write_summary(database, live).map(|keys| (live.clone(), keys));
                unwritten.iter().map(write).collect::<Result<Vec<_>, _>>()
            },
            move |result| {
                for (live, keys) in result.into_iter().flatten() {
                    shared.forget(live, keys);
                    // Rows of the same transaction may have come in since it was written.
                    if !live.hot().has_unwritten_summary() {
                        shared.unwritten().remove(&live.id);
                    }
                }
            },
        )?;
        Ok(())
    }

    /// Forgets that these leaves changed: they are durable. Called on the writer thread right after the commit, so that
    /// no row came in between.
    pub(crate) fn forget(&self, live: &LiveRun, keys: &HashSet<Arc<str>>) {
        self.note_changed_run(live.project, live.id);
        live.hot().dirty.retain(|key| !keys.contains(key));
    }
}

/// Writes the leaves of a run's summary that changed, and answers them; [`Shared::forget`] them after the commit.
pub(crate) fn write_summary(database: &Connection, live: &LiveRun) -> Result<HashSet<Arc<str>>, Error> {
    let mut hot = live.hot();
    hot.update_summary();
    if !database.sql("SELECT 1 FROM runs WHERE id = $1")?.exists([live.id])? {
        // It was deleted in the meantime.
        return Ok(hot.dirty.clone());
    }
    for key in &hot.dirty {
        let field = catalog::make_field(database, live.project, &format!("summary.{key}"))?;
        match hot.summary.get(key) {
            Some(value) => catalog::put_value(database, field, live.id, value, hot.summary.step_of(key))?,
            None => {
                database.sql("DELETE FROM run_values WHERE field = $1 AND run = $2")?.execute((field, live.id))?;
            }
        }
    }
    Ok(hot.dirty.clone())
}
