//! Samples into the ingest transaction: what comes one by one is joined.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, params};
use steplog_model::Record;

use super::chunk::{CHUNK_WEIGHT, Samples, SystemChunk};
use super::{PREFIX, label_prefix};
use crate::database::Sql as _;
use crate::{Error, catalog, chunk};

/// Most system metrics of a run; values of others are left out.
const MAX_SERIES: i64 = 10_000;

/// Writes the samples among some records of a stream; answers whether there are any. They stand at the highest step that
/// the run had when they came.
pub(crate) fn write(
    database: &Connection,
    run: i64,
    project: i64,
    stream: i64,
    records: &[Record],
) -> Result<bool, Error> {
    if !records.iter().any(|record| matches!(record, Record::System(_))) {
        return Ok(false);
    }
    let (label, mut last_step): (Option<String>, Option<i64>) = database
        .sql("SELECT s.label, r.last_step FROM streams s JOIN runs r ON r.id = s.run WHERE s.id = $1")?
        .query_row([stream], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let refused = count_points(database, run, project, &label_prefix(label.as_deref()), records)?;
    let mut parts = vec![Samples::default()];
    for record in records {
        match record {
            Record::Row(row) => last_step = last_step.max(Some(row.step)),
            Record::RunStart(start) => {
                last_step = last_step.map(|last| start.rewind_to.map_or(last, |to| last.min(to)))
            }
            Record::System(sample) => {
                if parts.last().is_none_or(|part| part.weight >= CHUNK_WEIGHT) {
                    parts.push(Samples::default());
                }
                let values = sample.values.iter().filter(|(key, _)| !refused.contains(key)).cloned();
                if let Some(part) = parts.last_mut() {
                    part.push(last_step.unwrap_or(0), sample.time, values);
                }
            }
            _ => {}
        }
    }
    parts[0] = join(database, run, stream, std::mem::take(&mut parts[0]))?;
    for samples in parts {
        let data = samples.encode();
        database
            .sql(
                "INSERT INTO system_chunks (run, stream, weight, sample_count, checksum, data)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )?
            .execute(params![run, stream, samples.weight as i64, samples.len() as i64, chunk::checksum(&data), data])?;
    }
    Ok(true)
}

/// Takes the small chunks at the end out of the database and puts them before new samples: by binary counting, as the
/// console's.
fn join(database: &Connection, run: i64, stream: i64, mut samples: Samples) -> Result<Samples, Error> {
    let mut joined = Vec::new();
    let mut find = database
        .sql("SELECT id, weight, checksum, data FROM system_chunks WHERE run = $1 AND stream = $2 ORDER BY id DESC")?;
    let mut rows = find.query((run, stream))?;
    while let Some(row) = rows.next()? {
        let weight = row.get::<_, i64>(1)? as usize;
        if weight > samples.weight || weight >= CHUNK_WEIGHT / 2 {
            break;
        }
        let stored = SystemChunk::decode(row.get_ref(3)?.as_blob().unwrap_or_default(), row.get(2)?);
        // A damaged chunk stays as it is, to be found by a check.
        let Ok(mut earlier) = stored.and_then(|chunk| chunk.samples()) else { break };
        earlier.append(samples);
        samples = earlier;
        joined.push(row.get::<_, i64>(0)?);
    }
    drop(rows);
    for id in joined {
        database.sql("DELETE FROM system_chunks WHERE id = $1")?.execute([id])?;
    }
    Ok(samples)
}

/// Counts the points of each metric; answers the keys for which the run has no room.
fn count_points(
    database: &Connection,
    run: i64,
    project: i64,
    prefix: &str,
    records: &[Record],
) -> Result<HashSet<Arc<str>>, Error> {
    let mut counts: HashMap<&Arc<str>, i64> = HashMap::new();
    for record in records {
        let Record::System(sample) = record else { continue };
        // A key that comes twice in a sample is one point.
        let keys: HashSet<&Arc<str>> = sample.values.iter().map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| *counts.entry(key).or_default() += 1);
    }
    let mut refused = HashSet::new();
    let mut update =
        database.sql("UPDATE system_series SET point_count = point_count + $3 WHERE run = $1 AND key = $2")?;
    let mut insert = database.sql(
        "INSERT INTO system_series (run, key, point_count)
         SELECT $1, $2, $3 WHERE (SELECT count(*) FROM system_series WHERE run = $1) < $4",
    )?;
    for (name, count) in counts {
        let key = catalog::make_key(database, project, &format!("{PREFIX}{prefix}{name}"))?;
        if update.execute((run, key, count))? == 0 && insert.execute((run, key, count, MAX_SERIES))? == 0 {
            refused.insert(name.clone());
        }
    }
    if !refused.is_empty() {
        tracing::warn!("{} system metrics are left out: a run may have {MAX_SERIES}", refused.len());
    }
    Ok(refused)
}
