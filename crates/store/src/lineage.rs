//! Runs that begin with the history of another: whose rows count as a run's, and up to which step.

use rusqlite::{Connection, OptionalExtension as _};
use steplog_model::{RunId, RunPath};

use crate::database::Sql as _;
use crate::view::ColumnName;
use crate::{Error, catalog};

/// How many forks are followed back: more is a circle.
const MAX_FORKS: usize = 1000;

/// A run whose rows count.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) run: i64,
    pub(crate) path: RunPath,
    pub(crate) created_at: f64,
    /// How far the run was in chunks a moment ago.
    pub(crate) sealed_sequence: u64,
    /// Rows with higher steps do not count.
    pub(crate) until: i64,
}

impl Member {
    /// One of its columns.
    pub(crate) fn column<'a>(&'a self, key: i64, key_name: &'a str) -> ColumnName<'a> {
        ColumnName { run: self.run, path: &self.path, key, key_name, sealed_sequence: self.sealed_sequence }
    }
}

/// The runs whose rows count as a run's: the first ancestor first, the run itself last. An ancestor that is not here
/// (yet) ends the line.
pub(crate) fn lineage(database: &Connection, run: i64, path: &RunPath) -> Result<Vec<Member>, Error> {
    let mut members = Vec::new();
    let mut next = Some((run, path.clone(), i64::MAX));
    while let Some((run, path, until)) = next.take().filter(|_| members.len() < MAX_FORKS) {
        let (created_at, sealed, parent, step): (f64, i64, Option<String>, Option<i64>) = database
            .sql("SELECT created_at, sealed_sequence, fork_run_id, fork_step FROM runs WHERE id = $1")?
            .query_row([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        if let Some((parent, step)) = parent.zip(step) {
            let parent = RunPath { run: parent.parse::<RunId>()?, ..path.clone() };
            if let Some((run, _)) = catalog::find_run(database, &parent)? {
                next = Some((run, parent, until.min(step)));
            }
        }
        members.push(Member { run, path, created_at, sealed_sequence: sealed as u64, until });
    }
    members.reverse();
    Ok(members)
}

/// The ids of the runs that begin with the history of a run.
pub(crate) fn forks(database: &Connection, project: i64, run_id: &str) -> Result<Vec<String>, Error> {
    let mut statement =
        database.sql("SELECT run_id FROM runs WHERE project = $1 AND fork_run_id = $2 ORDER BY created_at LIMIT 10")?;
    let forks = statement.query_map((project, run_id), |row| row.get(0))?;
    Ok(forks.collect::<Result<_, _>>()?)
}

/// When the first ancestor began: where the clock of a run starts.
pub(crate) fn began_at(members: &[Member]) -> f64 {
    members.iter().map(|member| member.created_at).fold(f64::INFINITY, f64::min)
}

/// The ids and names of the keys that a run has itself.
pub(crate) fn keys(database: &Connection, run: i64) -> Result<Vec<(i64, String)>, Error> {
    let mut statement =
        database.sql("SELECT k.id, k.name FROM columns c JOIN keys k ON k.id = c.key WHERE c.run = $1")?;
    let keys = statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Whether a run has a key itself.
pub(crate) fn has_key(database: &Connection, run: i64, key: i64) -> Result<bool, Error> {
    let mut statement = database.sql("SELECT 1 FROM columns WHERE run = $1 AND key = $2")?;
    Ok(statement.query_row([run, key], |_| Ok(())).optional()?.is_some())
}
