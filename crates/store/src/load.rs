//! Bringing a run from the database into memory.

use std::collections::HashMap;
use std::sync::Mutex;

use rusqlite::Connection;
use steplog_journal::StreamDecoder;
use steplog_model::{Change, Config, MetricDefinition, Record, RunPath, StreamId, Summary, Value};

use crate::database::Sql as _;
use crate::hot::{HotRun, HotStream, LiveRun, Tail};
use crate::{Error, catalog, chunk};

/// Largest decoded size of one row of `journal_bytes`: a piece, or one frame.
const MAX_BYTES: usize = 32 << 20;

/// The run with the rows that are not in chunks, rebuilt from the bytes. A stream whose bytes are damaged is left out:
/// its good rows are there, and nothing can be added to it.
pub(crate) fn live_run(
    database: &Connection,
    run: i64,
    project: i64,
    path: RunPath,
    now: f64,
) -> Result<LiveRun, Error> {
    let (sealed, means): (i64, Option<Vec<u8>>) = database
        .sql("SELECT sealed_sequence, sealed_means FROM runs WHERE id = $1")?
        .query_row([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut summary = summary(database, run)?;
    // The stored summary may have taken in rows that are replayed below, which does no harm except to a mean.
    summary.restore_means(catalog::decode_means(means.as_deref().unwrap_or_default())?);
    let mut hot = HotRun::new(sealed as u64, summary, now);
    hot.rewinds = catalog::sealed_rewinds(database, run)?;
    let mut tails = tails(database, run)?;
    let mut columns = database
        .sql("SELECT k.id, k.name FROM columns c JOIN keys k ON k.id = c.key WHERE c.run = $1 ORDER BY k.id")?;
    let mut rows = columns.query([run])?;
    while let Some(row) = rows.next()? {
        let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
        hot.add_column(name.into(), id, tails.remove(&id));
    }
    let mut durable = HashMap::new();
    let mut streams =
        database.sql("SELECT id, stream, durable_offset, sealed_offset, sealed_state FROM streams WHERE run = $1")?;
    let mut rows = streams.query([run])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let stream = catalog::stream_id(row.get_ref(1)?.as_blob().unwrap_or_default())?;
        let (keys, open) = catalog::decode_stream_state(row.get_ref(4)?.as_blob().unwrap_or_default())?;
        let decoder = StreamDecoder::resume(stream, row.get::<_, i64>(3)? as u64, keys);
        durable.insert(id, (stream, row.get::<_, i64>(2)? as u64));
        hot.streams.insert(stream, HotStream::new(id, decoder, open));
    }
    replay(database, run, &durable, &mut hot, now)?;
    for (stream, offset) in durable.into_values() {
        if hot.streams.get(&stream).is_some_and(|stream| stream.decoder.offset() != offset) {
            tracing::error!("the stored bytes of stream {stream} of run {path} do not reach byte {offset}");
            hot.streams.remove(&stream);
        }
    }
    Ok(LiveRun { id: run, project, path, hot: Mutex::new(hot) })
}

fn replay(
    database: &Connection,
    run: i64,
    streams: &HashMap<i64, (StreamId, u64)>,
    hot: &mut HotRun,
    now: f64,
) -> Result<(), Error> {
    let mut statement =
        database.sql("SELECT stream, start_offset, checksum, bytes FROM journal_bytes WHERE run = $1 ORDER BY id")?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        let Some((stream, _)) = streams.get(&row.get(0)?) else { continue };
        let Some(state) = hot.streams.get(stream) else { continue };
        let start = row.get::<_, i64>(1)? as u64;
        let mut decoder = match state.decoder.offset() {
            offset if offset > start => continue,
            // Bytes between were never sent; a segment begins here.
            offset if offset < start => StreamDecoder::resume(*stream, start, Vec::new()),
            _ => state.decoder.clone(),
        };
        let mut records = Vec::new();
        let result = read_bytes(row.get_ref(3)?.as_blob().unwrap_or_default(), row.get(2)?).and_then(|bytes| {
            decoder.decode(&bytes, |record| records.push(record)).map_err(|error| Error::data(error.to_string()))
        });
        let entries = records.iter().flat_map(|record| match record {
            Record::Row(row) => &row.entries[..],
            _ => &[],
        });
        if let Some((key, _)) = entries.into_iter().find(|(key, _)| !hot.has_key(key)) {
            tracing::error!("key {key:?} of stream {stream} is missing in the catalog");
            return Err(Error::data(format!("key {key:?} is missing in the catalog")));
        }
        hot.apply(*stream, records, now);
        match result {
            Ok(_) => hot.streams.get_mut(stream).expect("it was there").decoder = decoder,
            Err(error) => {
                tracing::error!("the stored bytes of stream {stream} are damaged: {error}");
                hot.streams.remove(stream);
            }
        }
    }
    Ok(())
}

/// Bytes of a stream as `journal_bytes` holds them.
pub(crate) fn read_bytes(stored: &[u8], checksum: i64) -> Result<Vec<u8>, Error> {
    chunk::check(stored, checksum)?;
    chunk::decompress(stored, MAX_BYTES)
}

/// The newest block of every column, by key.
fn tails(database: &Connection, run: i64) -> Result<HashMap<i64, Tail>, Error> {
    let mut statement = database.sql(
        "SELECT c.key, b.block, b.row_count, b.column_count
         FROM (SELECT key, max(block) AS block FROM chunks WHERE run = $1 GROUP BY key) c
         JOIN blocks b ON b.run = $1 AND b.block = c.block",
    )?;
    let tails = statement.query_map([run], |row| {
        let tail = Tail {
            block: row.get(1)?,
            row_count: row.get::<_, i64>(2)? as usize,
            column_count: row.get::<_, i64>(3)? as usize,
        };
        Ok((row.get(0)?, tail))
    })?;
    Ok(tails.collect::<Result<_, _>>()?)
}

/// The config of a run.
pub(crate) fn config(database: &Connection, run: i64) -> Result<Config, Error> {
    let blob: Vec<u8> = database.sql("SELECT config FROM runs WHERE id = $1")?.query_row([run], |row| row.get(0))?;
    let mut config = Config::default();
    if let Value::Map(entries) = catalog::decode(&blob)? {
        for (key, value) in entries {
            config.apply(Change { key: key.into(), value: Some(value) });
        }
    }
    Ok(config)
}

/// What a run's script said about its metrics.
pub(crate) fn metrics(database: &Connection, run: i64) -> Result<Vec<MetricDefinition>, Error> {
    let list: String = database.sql("SELECT metrics FROM runs WHERE id = $1")?.query_row([run], |row| row.get(0))?;
    serde_json::from_str(&list)
        .map_err(|error| Error::data(format!("the metric definitions of a run are damaged: {error}")))
}

/// The summary of a run, as far as it was written.
pub(crate) fn summary(database: &Connection, run: i64) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    for definition in metrics(database, run)? {
        summary.define(definition);
    }
    let mut statement = database.sql(
        "SELECT f.name, v.value, v.step FROM run_values v JOIN fields f ON f.id = v.field
         WHERE v.run = $1 AND f.name >= 'summary.' AND f.name < 'summary/'",
    )?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let key = name["summary.".len()..].to_owned();
        let value = catalog::decode(row.get_ref(1)?.as_blob().unwrap_or_default())?;
        summary.restore(key.into(), value, row.get(2)?);
    }
    Ok(summary)
}
