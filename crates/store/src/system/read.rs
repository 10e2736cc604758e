//! Samples as points of series.

use std::sync::Arc;

use rusqlite::Connection;

use super::chunk::SystemChunk;
use crate::cache::Cache;
use crate::database::Sql as _;
use crate::points::Points;
use crate::{Error, catalog};

/// Chunks kept between queries, by id: they never change, and no id is used again.
pub(crate) type SystemCache = Cache<i64, Arc<SystemChunk>>;

/// Longest label in a key, in characters.
const MAX_LABEL: usize = 64;

/// What stands in a key for the label of a process, when several write one run; nothing for one without.
pub(crate) fn label_prefix(label: Option<&str>) -> String {
    let Some(label) = label else { return String::new() };
    let harmless = |character: char| if character == '/' || character.is_control() { '_' } else { character };
    let label: String = label.chars().take(MAX_LABEL).map(harmless).collect();
    format!("{label}/")
}

/// A process that took samples.
pub(super) struct Process {
    /// Before its keys.
    pub(super) prefix: String,
    /// Its chunks, by arrival.
    pub(super) chunks: Vec<i64>,
}

/// The processes of a run that took samples, the one that began first first.
pub(super) fn processes(database: &Connection, run: i64) -> Result<Vec<Process>, Error> {
    let mut statement = database.sql("SELECT id, label FROM streams WHERE run = $1 ORDER BY started_at, id")?;
    let mut chunks = database.sql("SELECT id FROM system_chunks WHERE run = $1 AND stream = $2 ORDER BY id")?;
    let mut rows = statement.query([run])?;
    let mut processes = Vec::new();
    while let Some(row) = rows.next()? {
        let stream: i64 = row.get(0)?;
        let chunks: Vec<i64> = chunks.query_map((run, stream), |row| row.get(0))?.collect::<Result<_, _>>()?;
        if !chunks.is_empty() {
            let label: Option<String> = row.get(1)?;
            processes.push(Process { prefix: label_prefix(label.as_deref()), chunks });
        }
    }
    Ok(processes)
}

pub(super) fn read_chunk(database: &Connection, cache: &SystemCache, id: i64) -> Result<Arc<SystemChunk>, Error> {
    if let Some(chunk) = cache.get(&id) {
        return Ok(chunk);
    }
    let mut statement = database.sql("SELECT checksum, data FROM system_chunks WHERE id = $1")?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or_else(|| Error::internal("a chunk of system samples is gone"))?;
    let chunk = SystemChunk::decode(row.get_ref(1)?.as_blob().unwrap_or_default(), row.get(0)?).map_err(|error| {
        Error::data(format!("the stored system samples of the run are damaged: {error}"))
            .with_hint("run `steplog verify` on the server")
    })?;
    let chunk = Arc::new(chunk);
    cache.put(id, chunk.clone(), chunk.bytes());
    Ok(chunk)
}

/// The points of a system metric of a run, `name` without the beginning that all have. They stand by step, and those of
/// one step by time; a step may have many.
pub(crate) fn points(database: &Connection, cache: &SystemCache, run: i64, name: &str) -> Result<Points, Error> {
    let mut all = Vec::new();
    for process in processes(database, run)? {
        let Some(name) = name.strip_prefix(&process.prefix) else { continue };
        for id in process.chunks {
            let chunk = read_chunk(database, cache, id)?;
            let point = |(sample, value): (usize, f64)| (chunk.steps[sample], chunk.times[sample], value);
            all.extend(chunk.column(name)?.into_iter().map(point));
        }
    }
    all.sort_by(|(a, a_time, _), (b, b_time, _)| a.cmp(b).then(a_time.total_cmp(b_time)));
    let mut points = Points::default();
    for (step, time, value) in all {
        points.steps.push(step);
        points.times.push(time);
        points.values.push(value);
    }
    Ok(points)
}

/// The names of the system metrics of a run, in order, without the beginning that all have.
pub(super) fn names(database: &Connection, run: i64) -> Result<Vec<String>, Error> {
    let mut statement = database
        .sql("SELECT k.name FROM system_series s JOIN keys k ON k.id = s.key WHERE s.run = $1 ORDER BY k.name")?;
    let names = statement.query_map([run], |row| {
        let name: String = row.get(0)?;
        Ok(name.strip_prefix(super::PREFIX).unwrap_or(&name).to_owned())
    })?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Whether a run has a system metric.
pub(crate) fn has_series(database: &Connection, run: i64, project: i64, key: &str) -> Result<bool, Error> {
    let Some(key) = catalog::find_name(database, "keys", project, key)? else { return Ok(false) };
    Ok(database.sql("SELECT 1 FROM system_series WHERE run = $1 AND key = $2")?.exists((run, key))?)
}
