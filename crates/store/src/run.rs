//! One run: in full, changed by people, removed.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Map, Value as Json};
use steplog_model::{MetricDefinition, RunPath, StreamId, split_key};
use steplog_protocol::{ForkPoint, Metric, Run, RunChange, RunDetail, RunState, Stream, UpdateRunRequest};

use crate::database::Sql as _;
use crate::edit::{Edits, Noun};
use crate::ingest::tags_json;
use crate::state::{STATE_SQL, state_from_text};
use crate::{Error, Store, artifacts, catalog, console, edit, files, lineage, load};

/// Longest name, in characters; notes, tags and groups are bounded by the size of a request.
const MAX_NAME: usize = 512;

/// The columns of a run in a list, for [`read_run`]; `$1` is the time since when a sign of life counts.
pub(crate) fn run_columns() -> String {
    format!(
        "p.entity, p.name, r.run_id, r.name, {STATE_SQL}, r.tags, r.notes, r.run_group, r.job_type, r.created_at,
         r.updated_at, r.finished_at, max(0.0, coalesce(r.finished_at, r.last_time) - r.created_at), r.exit_code,
         r.last_step, r.row_count, r.key_count, r.preempting, r.sweep_id, r.fork_run_id,
         r.fork_step, r.id"
    )
}

/// Reads the columns that [`run_columns`] names.
pub(crate) fn read_run(row: &Row<'_>) -> rusqlite::Result<Run> {
    let state = state_from_text(row.get_ref(4)?.as_str().unwrap_or_default());
    Ok(Run {
        entity: row.get(0)?,
        project: row.get(1)?,
        id: row.get(2)?,
        name: row.get(3)?,
        state,
        tags: serde_json::from_str(row.get_ref(5)?.as_str().unwrap_or_default()).unwrap_or_default(),
        notes: row.get(6)?,
        group: row.get(7)?,
        job_type: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
        finished_at: row.get::<_, Option<f64>>(11)?.filter(|_| state != RunState::Running),
        duration: row.get(12)?,
        exit_code: row.get(13)?,
        last_step: row.get(14)?,
        row_count: row.get::<_, i64>(15)? as u64,
        key_count: row.get::<_, i64>(16)? as u64,
        preempting: row.get(17)?,
        sweep_id: row.get(18)?,
        fork_from: row.get::<_, Option<_>>(19)?.zip(row.get(20)?).map(|(run, step)| ForkPoint { run, step }),
        values: Default::default(),
    })
}

impl Store {
    /// One run in full.
    ///
    /// # Errors
    /// There is no such run.
    pub fn run(&self, path: &RunPath) -> Result<RunDetail, Error> {
        let since = self.shared.alive_since(self.shared.options.clock.now());
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let (run_id, project) = catalog::run_id(&reader, path)?;
        let sql = format!(
            "SELECT {}, r.environment FROM runs r JOIN projects p ON p.id = r.project WHERE r.id = $2",
            run_columns()
        );
        let (run, environment): (Run, String) =
            reader.sql(&sql)?.query_row(params![since, run_id], |row| Ok((read_run(row)?, row.get(22)?)))?;
        let mut config = load::config(&reader, run_id)?;
        Edits::load(&reader, run_id, Noun::Config)?.apply_to_config(&mut config);
        let config = config.entries().iter().map(|(key, value)| (key.clone(), value.to_json())).collect();
        Ok(RunDetail {
            run,
            config,
            summary: self.summary(&reader, run_id, path)?,
            environment: serde_json::from_str(&environment).unwrap_or_default(),
            streams: streams(&reader, run_id)?,
            metrics: load::metrics(&reader, run_id)?.into_iter().map(metric).collect(),
            alert_count: count_alerts(&reader, run_id)?,
            console_line_count: console::count_lines(&reader, run_id)?,
            forks: lineage::forks(&reader, project, path.run.as_str())?,
        })
    }

    /// The summary as a nested object: from memory when the run is live, for that is ahead of the catalog.
    fn summary(&self, database: &Connection, run: i64, path: &RunPath) -> Result<Map<String, Json>, Error> {
        let summary = match self.shared.live(path).filter(|live| live.id == run) {
            Some(live) => {
                let mut hot = live.hot();
                hot.update_summary();
                hot.summary.clone()
            }
            None => load::summary(database, run)?,
        };
        let mut leaves: Vec<_> = summary.iter().map(|(key, value)| (key.clone(), value.to_json())).collect();
        leaves.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut object = Map::new();
        for (key, value) in leaves {
            insert_leaf(&mut object, &split_key(&key), value);
        }
        Ok(object)
    }

    /// Changes what people may change, and tells the watchers.
    ///
    /// # Errors
    /// There is no such run; the name is empty or too long; a config or summary entry is too large, or there are too many.
    pub fn update_run(&self, path: &RunPath, update: &UpdateRunRequest) -> Result<RunDetail, Error> {
        if let Some(name) = &update.name
            && (name.trim().is_empty() || name.chars().count() > MAX_NAME)
        {
            return Err(Error::invalid(format!("a run's name must have 1 to {MAX_NAME} characters")));
        }
        let (config, summary) = (edit::changes(update, Noun::Config)?, edit::changes(update, Noun::Summary)?);
        let (path_there, changes, shared) = (path.clone(), update.clone(), self.shared.clone());
        let (path_live, edits) = (path.clone(), summary.clone());
        self.shared.write(
            move |database| {
                let (run, project) = catalog::run_id(database, &path_there)?;
                edit::write(database, (run, project), Noun::Config, &config)?;
                edit::write(database, (run, project), Noun::Summary, &summary)?;
                let text = |text: Option<String>| text.filter(|text| !text.is_empty());
                database
                    .sql(
                        "UPDATE runs SET name = coalesce($2, name), name_is_ours = name_is_ours AND $2 IS NULL,
                         notes = CASE WHEN $3 THEN $4 ELSE notes END, tags = coalesce($5, tags),
                         run_group = CASE WHEN $6 THEN $7 ELSE run_group END, stop = coalesce($8, stop) WHERE id = $1",
                    )?
                    .execute(params![
                        run,
                        changes.name,
                        changes.notes.is_some(),
                        text(changes.notes),
                        changes.tags.as_deref().map(tags_json),
                        changes.group.is_some(),
                        text(changes.group),
                        changes.stop
                    ])?;
                Ok((run, project))
            },
            move |result| {
                if let Ok((run, project)) = result {
                    if let Some(live) = shared.live(&path_live) {
                        let mut hot = live.hot();
                        edits.into_iter().for_each(|edit| hot.summary.edit(edit));
                    }
                    shared.note_changed_run(*project, *run);
                }
            },
        )?;
        let detail = self.run(path)?;
        self.shared.notify(&[change(path, &detail.run, false)]);
        Ok(detail)
    }

    /// Removes a run with all its data. What its streams still send is refused.
    ///
    /// # Errors
    /// There is no such run.
    pub fn delete_run(&self, path: &RunPath) -> Result<(), Error> {
        let last = self.run(path)?.run;
        let (path_there, now) = (path.clone(), self.shared.options.clock.now());
        let (shared, evicted) = (self.shared.clone(), path.clone());
        self.shared.write_alone(
            move |database| {
                let (run, project) = catalog::run_id(database, &path_there)?;
                let forks = lineage::forks(database, project, path_there.run.as_str())?;
                if let Some(fork) = forks.first() {
                    let message = format!("the run {path_there} cannot be removed: {fork} begins with its history");
                    return Err(Error::conflict(message).with_hint("remove the runs that were forked from it first"));
                }
                delete(database, run, project, now)?;
                Ok((run, project))
            },
            move |result| {
                if let Ok((run, project)) = result {
                    shared.note_changed_run(*project, *run);
                    shared.evict(&evicted);
                    shared.states().remove(run);
                }
            },
        )?;
        self.shared.notify(&[change(path, &last, true)]);
        Ok(())
    }
}

fn change(path: &RunPath, run: &Run, deleted: bool) -> RunChange {
    RunChange {
        path: path.to_string(),
        state: run.state,
        last_step: run.last_step,
        updated_at: run.updated_at,
        rows: false,
        keys: false,
        alerts: false,
        files: false,
        console: false,
        system: false,
        details: true,
        deleted,
    }
}

fn delete(database: &Connection, run: i64, project: i64, now: f64) -> Result<(), Error> {
    database
        .sql(
            "INSERT INTO deleted_streams (stream, deleted_at) SELECT stream, $2 FROM streams WHERE run = $1
         ON CONFLICT DO NOTHING",
        )?
        .execute(params![run, now])?;
    files::delete_names(database, run, now)?;
    artifacts::forget_run(database, run)?;
    for table in [
        "journal_bytes",
        "chunks",
        "blocks",
        "columns",
        "pyramids",
        "run_values",
        "edits",
        "alerts",
        "console_chunks",
        "system_chunks",
        "system_series",
        "alert_deliveries",
        "streams",
    ] {
        database.sql(&format!("DELETE FROM {table} WHERE run = $1"))?.execute([run])?;
    }
    database.sql("DELETE FROM runs WHERE id = $1")?.execute([run])?;
    let is_empty = database
        .sql("SELECT 1 FROM runs WHERE project = $1 LIMIT 1")?
        .query_row([project], |_| Ok(()))
        .optional()?
        .is_none();
    if is_empty {
        // The project itself stays, so that the numbers in made-up names go on.
        for table in ["keys", "fields"] {
            database.sql(&format!("DELETE FROM {table} WHERE project = $1"))?.execute([project])?;
        }
    }
    Ok(())
}

fn count_alerts(database: &Connection, run: i64) -> Result<u64, Error> {
    let count: i64 = database
        .sql("SELECT count(*) FROM alerts WHERE run = $1 AND NOT repeated")?
        .query_row([run], |row| row.get(0))?;
    Ok(count as u64)
}

fn metric(definition: MetricDefinition) -> Metric {
    Metric {
        step_sync: definition.syncs_step(),
        summary: definition.summary.map(|all| all.iter().map(|aggregate| aggregate.as_str().into()).collect()),
        name: definition.name,
        step_metric: definition.step_metric,
        hidden: definition.hidden.unwrap_or(false),
    }
}

fn streams(database: &Connection, run: i64) -> Result<Vec<Stream>, Error> {
    let mut statement = database.sql(
        "SELECT stream, durable_offset, sealed_offset, record_count, received_at, exited_at IS NOT NULL, host,
             process_id, damage, label, started_at, parent FROM streams WHERE run = $1 ORDER BY started_at, id",
    )?;
    let streams = statement.query_map([run], |row| {
        let id: [u8; 16] = row.get(0)?;
        Ok(Stream {
            id: StreamId::from_bytes(id).to_string(),
            durable_offset: row.get::<_, i64>(1)? as u64,
            sealed_offset: row.get::<_, i64>(2)? as u64,
            record_count: row.get::<_, i64>(3)? as u64,
            updated_at: row.get(4)?,
            finished: row.get(5)?,
            host: row.get(6)?,
            process_id: row.get(7)?,
            damage: row.get(8)?,
            label: row.get(9)?,
            started_at: row.get(10)?,
            parent: row.get::<_, Option<[u8; 16]>>(11)?.map(|id| StreamId::from_bytes(id).to_string()),
        })
    })?;
    Ok(streams.collect::<Result<_, _>>()?)
}

/// Puts a leaf at its path. Where a leaf stands in the way of a map, the rest of the path becomes one name.
fn insert_leaf(object: &mut Map<String, Json>, parts: &[String], value: Json) {
    let [first, rest @ ..] = parts else { return };
    if rest.is_empty() {
        object.insert(first.clone(), value);
        return;
    }
    let inner = object.entry(first.clone()).or_insert_with(|| Json::Object(Map::new()));
    match inner {
        Json::Object(inner) => insert_leaf(inner, rest, value),
        _ => drop(object.insert(parts.join("."), value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_leaf_in_the_way_of_a_map_hides_nothing() {
        let mut object = Map::new();
        for (key, value) in [("a", json!(1)), ("a.b", json!(2)), ("c.d", json!(3)), ("c.e", json!(4))] {
            insert_leaf(&mut object, &split_key(key), value);
        }
        assert_eq!(Json::Object(object), json!({"a": 1, "a.b": 2, "c": {"d": 3, "e": 4}}));
    }
}
