//! Sealing: the live rows of a run become compressed chunks, and their journal bytes go.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::database::Sql as _;
use crate::hot::{Frozen, Group, LiveRun, Tail};
use crate::store::Shared;
use crate::summary::write_summary;
use crate::values::{Kinds, Rows, Values};
use crate::{Error, catalog, chunk};

/// The newest chunks of a group are written anew with more rows behind them while they hold no more values than this,
/// or few compared with what is new.
const CHEAP_VALUES: usize = 1 << 20;

/// Runs that are written in one transaction.
const BATCH_RUNS: usize = 256;

/// Decoded size of what is written in one transaction.
const BATCH_BYTES: usize = 32 << 20;

/// A block that is to be written.
struct NewBlock {
    block: i64,
    rows: Rows,
    column_count: usize,
    data: Vec<u8>,
}

/// A chunk that is to be written.
struct NewChunk {
    key: i64,
    block: i64,
    kinds: Kinds,
    statistics: [u8; 96],
    data: Vec<u8>,
}

/// The newest block of columns, by index of the column.
type Tails = Vec<(u32, Tail)>;

/// What a seal writes.
#[derive(Default)]
struct Seal {
    next_block: i64,
    blocks: Vec<NewBlock>,
    chunks: Vec<NewChunk>,
    /// Blocks whose rows are in new ones.
    replaced: Vec<i64>,
    /// By key: points that were not in chunks before, and their kinds.
    columns: HashMap<i64, (usize, Kinds)>,
    /// By index of the column.
    tails: Tails,
}

/// A run that is ready to be written.
struct Prepared {
    live: Arc<LiveRun>,
    frozen: Arc<Frozen>,
    seal: Seal,
}

impl Shared {
    /// Seals what live runs hold. Queries see every row once, before, while and after.
    pub(crate) fn seal(self: &Arc<Self>, runs: &[Arc<LiveRun>]) -> Result<(), Error> {
        // One at a time: a second one would write the same blocks.
        let _sealing = self.sealing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Vec::new();
        let mut bytes = 0;
        for live in runs {
            let Some(prepared) = self.prepare(live)? else { continue };
            bytes += prepared.frozen.bytes;
            batch.push(prepared);
            if batch.len() >= BATCH_RUNS || bytes >= BATCH_BYTES {
                self.write_seals(std::mem::take(&mut batch))?;
                bytes = 0;
            }
        }
        self.write_seals(batch)
    }

    /// Takes out what a run holds and compresses it.
    fn prepare(&self, live: &Arc<LiveRun>) -> Result<Option<Prepared>, Error> {
        let (frozen, column_ids, tails) = {
            let mut hot = live.hot();
            if hot.is_empty() {
                return Ok(None);
            }
            let before = hot.bytes;
            let is_new = hot.frozen.is_none();
            let frozen = hot.freeze(self.options.clock.now());
            if is_new {
                self.note_hot(before, frozen.bytes, 0);
            }
            let ids: Vec<i64> = hot.columns.iter().map(|column| column.id).collect();
            let tails: Vec<Option<Tail>> = hot.columns.iter().map(|column| column.tail).collect();
            (frozen, ids, tails)
        };
        let reader = self.database.reader()?;
        let next: Option<i64> = reader
            .sql("SELECT next_block FROM runs WHERE id = $1")?
            .query_row([live.id], |row| row.get(0))
            .optional()?;
        let Some(next_block) = next else { return Ok(None) };
        let mut seal = Seal { next_block, ..Seal::default() };
        for group in frozen.groups.iter().filter(|group| group.rows.len() > 0) {
            seal.add_group(&reader, live.id, group, &column_ids, &tails, self.options.seal_points);
        }
        Ok(Some(Prepared { live: live.clone(), frozen, seal }))
    }

    fn write_seals(self: &Arc<Self>, mut batch: Vec<Prepared>) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let bytes: usize = batch.iter().map(|prepared| prepared.frozen.bytes).sum();
        let mut done: Vec<(Arc<LiveRun>, Tails)> = Vec::with_capacity(batch.len());
        for prepared in &mut batch {
            done.push((prepared.live.clone(), std::mem::take(&mut prepared.seal.tails)));
        }
        let shared = self.clone();
        self.write(
            move |database| {
                let write = |Prepared { live, frozen, seal }: &Prepared| {
                    seal.write(database, live.id, frozen)?;
                    write_summary(database, live)
                };
                batch.iter().map(write).collect::<Result<Vec<_>, _>>()
            },
            move |result| {
                let Ok(summaries) = result else { return };
                for ((live, tails), summary) in done.into_iter().zip(summaries) {
                    shared.forget(&live, summary);
                    let mut hot = live.hot();
                    hot.thaw();
                    for (column, tail) in tails {
                        hot.columns[column as usize].tail = Some(tail);
                    }
                }
            },
        )?;
        self.note_hot(bytes, 0, 0);
        Ok(())
    }
}

impl Seal {
    fn add_group(
        &mut self,
        database: &Connection,
        run: i64,
        group: &Group,
        column_ids: &[i64],
        tails: &[Option<Tail>],
        chunk_rows: usize,
    ) {
        let keys: Vec<i64> = group.columns.iter().map(|column| column_ids[*column as usize]).collect();
        for (key, values) in keys.iter().zip(&group.values) {
            let column = self.columns.entry(*key).or_default();
            *column = (column.0 + values.len(), column.1.and(values.kinds()));
        }
        let merged = mergeable(group, tails, chunk_rows).and_then(|tail| {
            // A damaged block is left as it is, for `verify` to find: what is new must not suffer for it.
            let merged = merge(database, run, tail, group, &keys);
            merged.map(|merged| (tail.block, merged)).map_err(|error| tracing::error!("{error}")).ok()
        });
        match merged {
            Some((block, merged)) => {
                self.replaced.push(block);
                self.cut(&merged, &keys, chunk_rows);
            }
            None => self.cut(group, &keys, chunk_rows),
        }
    }

    fn cut(&mut self, group: &Group, keys: &[i64], chunk_rows: usize) {
        let mut from = 0;
        while from < group.rows.len() {
            let to = group.rows.len().min(from + chunk_rows.max(1));
            let rows = group.rows.slice(from, to);
            let block = self.next_block;
            self.next_block += 1;
            for ((key, column), values) in keys.iter().zip(&group.columns).zip(&group.values) {
                let values = values.slice(from, to);
                self.chunks.push(NewChunk {
                    key: *key,
                    block,
                    kinds: values.kinds(),
                    statistics: chunk::statistics(&rows, &values).encode(),
                    data: chunk::encode_values(&narrow(values)),
                });
                if to == group.rows.len() {
                    let tail = Tail { block, row_count: rows.len(), column_count: keys.len() };
                    self.tails.push((*column, tail));
                }
            }
            let data = chunk::encode_rows(&rows);
            self.blocks.push(NewBlock { block, rows, column_count: keys.len(), data });
            from = to;
        }
    }

    fn write(&self, database: &Connection, run: i64, frozen: &Frozen) -> Result<(), Error> {
        let found = database
            .sql("UPDATE runs SET sealed_sequence = $2, next_block = $3 WHERE id = $1")?
            .execute(params![run, frozen.until as i64, self.next_block])?;
        if found == 0 {
            // It was deleted in the meantime.
            return Ok(());
        }
        for block in &self.replaced {
            database.sql("DELETE FROM blocks WHERE run = $1 AND block = $2")?.execute((run, block))?;
            database.sql("DELETE FROM chunks WHERE run = $1 AND block = $2")?.execute((run, block))?;
        }
        for new in &self.blocks {
            let (first, last) = (new.rows.sequences.first(), new.rows.sequences.last());
            database
                .sql(
                    "INSERT INTO blocks (run, block, row_count, column_count, first_sequence, last_sequence, first_step,
                         last_step, checksum, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                )?
                .execute(params![
                    run,
                    new.block,
                    new.rows.len() as i64,
                    new.column_count as i64,
                    first.map(|sequence| *sequence as i64),
                    last.map(|sequence| *sequence as i64),
                    new.rows.steps.iter().min(),
                    new.rows.steps.iter().max(),
                    chunk::checksum(&new.data),
                    new.data
                ])?;
        }
        for new in &self.chunks {
            database
                .sql(
                    "INSERT INTO chunks (run, key, block, kinds, statistics, checksum, data)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                )?
                .execute(params![
                    run,
                    new.key,
                    new.block,
                    new.kinds.bits(),
                    new.statistics,
                    chunk::checksum(&new.data),
                    new.data
                ])?;
        }
        for (key, (points, kinds)) in &self.columns {
            database
                .sql(
                    "UPDATE columns SET point_count = point_count + $3, kinds = kinds | $4 WHERE run = $1 AND key = $2",
                )?
                .execute(params![run, key, *points as i64, kinds.bits()])?;
        }
        database.sql("UPDATE runs SET sealed_means = $2, sealed_rewinds = $3 WHERE id = $1")?.execute(params![
            run,
            (!frozen.means.is_empty()).then(|| catalog::encode_means(&frozen.means)),
            catalog::encode_rewinds(&frozen.rewinds)
        ])?;
        for stream in &frozen.streams {
            let state = catalog::encode_stream_state(&stream.keys, stream.open.as_ref());
            database
                .sql("UPDATE streams SET sealed_offset = $2, sealed_state = $3 WHERE id = $1")?
                .execute(params![stream.id, stream.offset as i64, state])?;
            database
                .sql("DELETE FROM journal_bytes WHERE run = $1 AND stream = $2 AND end_offset <= $3")?
                .execute(params![run, stream.id, stream.offset as i64])?;
        }
        Ok(())
    }
}

/// The block that holds the newest rows of exactly these columns, when it should be written anew with the new rows.
fn mergeable(group: &Group, tails: &[Option<Tail>], chunk_rows: usize) -> Option<Tail> {
    let tail = tails[*group.columns.first()? as usize]?;
    let same = group.columns.iter().all(|column| tails[*column as usize] == Some(tail));
    let cheap = tail.row_count * tail.column_count <= CHEAP_VALUES || tail.row_count <= 2 * group.rows.len();
    (same && cheap && tail.column_count == group.columns.len() && tail.row_count < chunk_rows).then_some(tail)
}

/// The rows of a block with those of a group behind them.
fn merge(database: &Connection, run: i64, tail: Tail, group: &Group, keys: &[i64]) -> Result<Group, Error> {
    let mut merged = Group {
        columns: group.columns.clone(),
        rows: read_rows(database, run, tail.block)?,
        values: Vec::with_capacity(keys.len()),
    };
    for (key, values) in keys.iter().zip(&group.values) {
        let mut old = read_values(database, run, *key, tail.block)?;
        if old.len() != merged.rows.len() {
            return Err(Error::data(format!("a chunk of block {} has a wrong number of values", tail.block)));
        }
        old.append(values.clone());
        merged.values.push(old);
    }
    merged.rows.append(group.rows.clone());
    Ok(merged)
}

/// A piece of a mixed column may be of one type.
fn narrow(values: Values) -> Values {
    match values {
        Values::Mixed(mixed) => {
            let mut narrow = Values::default();
            mixed.into_iter().for_each(|value| narrow.push(value));
            narrow
        }
        typed => typed,
    }
}

/// The rows of a block.
pub(crate) fn read_rows(database: &Connection, run: i64, block: i64) -> Result<Rows, Error> {
    let mut statement = database.sql("SELECT checksum, data FROM blocks WHERE run = $1 AND block = $2")?;
    let mut rows = statement.query((run, block))?;
    let row = rows.next()?.ok_or_else(|| Error::data(format!("block {block} of a run is missing")))?;
    let data = row.get_ref(1)?.as_blob().unwrap_or_default();
    chunk::check(data, row.get(0)?).and_then(|()| chunk::decode_rows(data))
}

/// The values of a chunk.
pub(crate) fn read_values(database: &Connection, run: i64, key: i64, block: i64) -> Result<Values, Error> {
    let mut statement = database.sql("SELECT checksum, data FROM chunks WHERE run = $1 AND key = $2 AND block = $3")?;
    let mut rows = statement.query((run, key, block))?;
    let row = rows.next()?.ok_or_else(|| Error::data(format!("a chunk of block {block} of a run is missing")))?;
    let data = row.get_ref(1)?.as_blob().unwrap_or_default();
    chunk::check(data, row.get(0)?).and_then(|()| chunk::decode_values(data))
}
