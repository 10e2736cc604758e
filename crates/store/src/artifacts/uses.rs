//! What runs say of artifacts: which they used, and which they made.
//!
//! A journal names what it used as its process knew it: by a number that may be of its own disk, the digest, and the id of
//! the call that logged it where that is known. It is looked up when it comes, and again when a version is committed.

use rusqlite::{Connection, OptionalExtension as _, params};
use steplog_model::{
    ArtifactId, ArtifactPath, ArtifactRecord, ArtifactUse, CollectionPath, Entity, ManifestDigest, RunPath,
};
use steplog_protocol::{Artifact, ArtifactChange, ArtifactRun, ArtifactRuns, RunArtifacts};

use super::{find, page_limit, version};
use crate::database::Sql as _;
use crate::order::wrong_cursor;
use crate::{Error, Store, catalog};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

/// So many versions of each kind are told of a run.
const MAX_OF_RUN: i64 = 1000;

/// So many uses, and so many logged versions, of a run are kept: a lineage with more helps nobody.
const MAX_RECORDS: i64 = 10_000;

impl Store {
    /// The versions that a run made and used, newest first, as far as `may_see` allows to see their entities.
    ///
    /// # Errors
    /// There is no such run.
    pub fn run_artifacts(&self, path: &RunPath, may_see: &dyn Fn(&Entity) -> bool) -> Result<RunArtifacts, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let (run, project) = catalog::run_id(&reader, path)?;
        let logged: Vec<i64> = reader
            .sql(
                "SELECT DISTINCT artifact FROM artifact_commits
                 WHERE project = $1 AND run_id = $2 AND artifact IS NOT NULL ORDER BY artifact DESC LIMIT $3",
            )?
            .query_map(params![project, path.run.as_str(), MAX_OF_RUN], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let used: Vec<i64> = reader
            .sql(
                "SELECT artifact FROM artifact_uses WHERE run = $1 AND artifact IS NOT NULL
                 GROUP BY artifact ORDER BY max(id) DESC LIMIT $2",
            )?
            .query_map((run, MAX_OF_RUN), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let read = |artifacts: Vec<i64>| -> Result<Vec<Artifact>, Error> {
            let mut found = Vec::new();
            for artifact in artifacts {
                let artifact = version::read_source(&reader, artifact)?;
                found.extend(artifact.filter(|artifact| is_visible(&artifact.entity, may_see)));
            }
            Ok(found)
        };
        Ok(RunArtifacts { logged: read(logged)?, used: read(used)? })
    }

    /// The runs that used a version, the one that said so last first, as far as `may_see` allows to see their entities.
    ///
    /// # Errors
    /// There is no such version, the limit is out of range, or the cursor is none.
    pub fn artifact_runs(
        &self,
        path: &ArtifactPath,
        cursor: Option<&str>,
        limit: Option<u32>,
        may_see: &dyn Fn(&Entity) -> bool,
    ) -> Result<ArtifactRuns, Error> {
        let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT)?;
        let before = cursor.map_or(Ok(i64::MAX), str::parse).map_err(|_| wrong_cursor())?;
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let found = find::version(&reader, path)?;
        let mut statement = reader.sql(
            "SELECT u.last, p.entity, p.name, r.run_id, r.name FROM
                 (SELECT run, max(id) AS last FROM artifact_uses WHERE artifact = $1 GROUP BY run) u
             JOIN runs r ON r.id = u.run JOIN projects p ON p.id = r.project WHERE u.last < $2 ORDER BY u.last DESC",
        )?;
        let mut rows = statement.query((found.artifact, before))?;
        let (mut runs, mut last) = (Vec::new(), before);
        while let Some(row) = rows.next()? {
            let run = ArtifactRun { entity: row.get(1)?, project: row.get(2)?, run_id: row.get(3)?, name: row.get(4)? };
            if !is_visible(&run.entity, may_see) {
                continue;
            }
            if runs.len() == limit {
                return Ok(ArtifactRuns { runs, next_cursor: Some(last.to_string()) });
            }
            runs.push(run);
            last = row.get(0)?;
        }
        Ok(ArtifactRuns { runs, next_cursor: None })
    }
}

/// Whether somebody may see what an entity has.
pub(super) fn is_visible(entity: &str, may_see: &dyn Fn(&Entity) -> bool) -> bool {
    entity.parse().is_ok_and(|entity| may_see(&entity))
}

/// Writes what a journal says of artifacts. Answers the collections whose versions have one more run that used them.
pub(crate) fn write_records(
    database: &Connection,
    run: i64,
    path: &RunPath,
    records: &[ArtifactRecord],
) -> Result<Vec<ArtifactChange>, Error> {
    let mut changes = Vec::new();
    for record in records {
        match record {
            ArtifactRecord::Used(used) => {
                for change in write_use(database, run, path, used)? {
                    if !changes.contains(&change) {
                        changes.push(change);
                    }
                }
            }
            ArtifactRecord::Logged(logged) if !logged.as_input && has_room(database, "logged_artifacts", run)? => {
                database
                    .sql(
                        "INSERT INTO logged_artifacts (run, logged_id, collection, digest, time, step)
                         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![
                        run,
                        logged.id.as_bytes(),
                        logged.collection.as_str(),
                        logged.digest.as_bytes(),
                        logged.time,
                        logged.step
                    ])?;
                // Where the version came first, and nobody said which run made it.
                database
                    .sql(
                        "UPDATE artifact_commits SET run_id = $3
                         WHERE project = (SELECT project FROM runs WHERE id = $1) AND logged_id = $2 AND run_id IS NULL",
                    )?
                    .execute(params![run, logged.id.as_bytes(), path.run.as_str()])?;
            }
            // What a run only takes as an input it says as a use, too. The client asks the server for links by itself.
            ArtifactRecord::Logged(_) | ArtifactRecord::Linked(_) => {}
        }
    }
    Ok(changes)
}

fn write_use(
    database: &Connection,
    run: i64,
    path: &RunPath,
    used: &ArtifactUse,
) -> Result<Vec<ArtifactChange>, Error> {
    if !has_room(database, "artifact_uses", run)? {
        return Ok(Vec::new());
    }
    let named = CollectionPath {
        entity: used.entity.clone().unwrap_or_else(|| path.entity.clone()),
        project: used.project.clone().unwrap_or_else(|| path.project.clone()),
        collection: used.collection.clone(),
    };
    let artifact = resolve(database, &named, used)?;
    database
        .sql(
            "INSERT INTO artifact_uses (run, entity, project, collection, version, digest, logged_id, artifact)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            run,
            named.entity.as_str(),
            named.project.as_str(),
            named.collection.as_str(),
            used.version.number(),
            used.digest.as_bytes(),
            used.id.as_ref().map_or(&[][..], |id| &id.as_bytes()[..]),
            artifact
        ])?;
    artifact.map_or(Ok(Vec::new()), |artifact| version::changes_of(database, artifact))
}

/// Whether a table takes one more row of a run.
fn has_room(database: &Connection, table: &str, run: i64) -> Result<bool, Error> {
    let sql = format!("SELECT 1 FROM {table} WHERE run = $1 LIMIT 1 OFFSET $2");
    Ok(!database.sql(&sql)?.exists((run, MAX_RECORDS - 1))?)
}

/// The artifact that a journal means: the one that the call it names has logged, else the one with its digest, that with its
/// number before others.
fn resolve(database: &Connection, path: &CollectionPath, used: &ArtifactUse) -> Result<Option<i64>, Error> {
    if let Some(id) = &used.id {
        let known: Option<Option<i64>> = database
            .sql(
                "SELECT k.artifact FROM artifact_commits k JOIN projects p ON p.id = k.project
                 WHERE p.entity = $1 AND p.name = $2 AND k.logged_id = $3",
            )?
            .query_row(params![path.entity.as_str(), path.project.as_str(), id.as_bytes()], |row| row.get(0))
            .optional()?;
        if let Some(known) = known.flatten() {
            return Ok(Some(known));
        }
    }
    let Some(collection) = find::find_collection(database, path)? else { return Ok(None) };
    Ok(database
        .sql(
            "SELECT v.artifact FROM manifests m JOIN artifacts a ON a.manifest = m.id
             JOIN artifact_versions v ON v.artifact = a.id
             WHERE m.digest = $1 AND v.collection = $2 ORDER BY v.version = $3 DESC, v.version DESC LIMIT 1",
        )?
        .query_row(params![used.digest.as_bytes(), collection.id, used.version.number()], |row| row.get(0))
        .optional()?)
}

/// The run of a project whose journal says that it made a version.
pub(super) fn run_of(database: &Connection, project: i64, id: ArtifactId) -> Result<Option<String>, Error> {
    Ok(database
        .sql(
            "SELECT r.run_id FROM logged_artifacts l JOIN runs r ON r.id = l.run
             WHERE l.logged_id = $1 AND r.project = $2 ORDER BY l.time LIMIT 1",
        )?
        .query_row(params![id.as_bytes(), project], |row| row.get(0))
        .optional()?)
}

/// Finds the uses that wait for an artifact which has come just now, by the call that logged it or by name and digest.
pub(super) fn resolve_waiting(
    database: &Connection,
    path: &CollectionPath,
    artifact: i64,
    digest: ManifestDigest,
    id: Option<ArtifactId>,
) -> Result<(), Error> {
    let (entity, project) = (path.entity.as_str(), path.project.as_str());
    database
        .sql(
            "UPDATE artifact_uses SET artifact = $1
             WHERE artifact IS NULL AND digest = $2 AND entity = $3 AND project = $4 AND collection = $5",
        )?
        .execute(params![artifact, digest.as_bytes(), entity, project, path.collection.as_str()])?;
    if let Some(id) = id {
        database
            .sql(
                "UPDATE artifact_uses SET artifact = $1
                 WHERE logged_id = $2 AND logged_id <> x'' AND entity = $3 AND project = $4",
            )?
            .execute(params![artifact, id.as_bytes(), entity, project])?;
    }
    Ok(())
}

/// Forgets what the journals of a run say, which is removed.
pub(crate) fn forget_run(database: &Connection, run: i64) -> Result<(), Error> {
    for table in ["artifact_uses", "logged_artifacts"] {
        database.sql(&format!("DELETE FROM {table} WHERE run = $1"))?.execute([run])?;
    }
    Ok(())
}
