//! Reading a column: its chunks and its live part as one, by arrival.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use rusqlite::Connection;

use crate::database::Sql as _;
use crate::hot::{HotColumn, Rewind};
use crate::points::Arrivals;
use crate::pyramid::Pyramid;
use crate::seal::{read_rows, read_values};
use crate::store::Shared;
use crate::values::{Rows, Values};
use crate::{Error, catalog, kept};

/// What the catalog says of a chunk and its block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkInfo {
    block: i64,
    pub(crate) row_count: usize,
    first_sequence: u64,
    last_sequence: u64,
    pub(crate) first_step: i64,
    pub(crate) last_step: i64,
}

/// A column as it was at one moment.
///
/// The live part is copied before the transaction on the database begins: whatever is sealed in between is in both, and
/// the sequence numbers tell which copy to take.
pub(crate) struct Source<'a> {
    shared: &'a Shared,
    database: &'a Connection,
    run: i64,
    key: i64,
    sealed: u64,
    /// By sequence: those of one column do not overlap.
    pub(crate) chunks: Arc<Vec<ChunkInfo>>,
    hot: HotColumn,
}

/// The chunks of a column, and the sequence number up to which they reach.
pub(crate) type ChunkList = (u64, Arc<Vec<ChunkInfo>>);

impl<'a> Source<'a> {
    /// `hot` is the live part, copied before the transaction of `database` began; `None` when the run is not live.
    /// `known` saves reading the list of chunks when it is not older than the database.
    pub(crate) fn open(
        shared: &'a Shared,
        database: &'a Connection,
        (run, key): (i64, i64),
        hot: Option<HotColumn>,
        known: Option<&ChunkList>,
    ) -> Result<Self, Error> {
        let sealed: i64 =
            database.sql("SELECT sealed_sequence FROM runs WHERE id = $1")?.query_row([run], |row| row.get(0))?;
        let sealed = sealed as u64;
        let chunks = match known {
            Some((at, chunks)) if *at == sealed => chunks.clone(),
            _ => Arc::new(list_chunks(database, run, key)?),
        };
        let hot = match hot {
            Some(hot) => hot,
            None => HotColumn {
                sealed_sequence: sealed,
                next_sequence: sealed,
                parts: Vec::new(),
                rewinds: catalog::sealed_rewinds(database, run)?,
            },
        };
        Ok(Self { shared, database, run, key, sealed, chunks, hot })
    }

    /// The kept pyramid and the sequence number up to which rows are in it, unless that is beyond this view.
    pub(crate) fn kept_pyramid(&self) -> Result<Option<(u64, Pyramid)>, Error> {
        let kept = kept::read(self.database, (self.run, self.key))?;
        let rewound = self.rewinds().last().map_or(0, |rewind| rewind.sequence + 1);
        Ok(kept.filter(|(next_sequence, _)| (rewound..=self.next_sequence()).contains(next_sequence)))
    }

    /// The list of chunks, for the next time. It may reach further than the live part says.
    pub(crate) fn chunk_list(&self) -> ChunkList {
        (self.sealed, self.chunks.clone())
    }

    /// The sequence number behind the last row that is in this view of the column.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.hot.next_sequence
    }

    /// What takes rows back.
    pub(crate) fn rewinds(&self) -> &[Rewind] {
        &self.hot.rewinds
    }

    /// About how many rows there are from sequence number `from` on, never fewer than there are.
    pub(crate) fn count_from(&self, from: u64) -> usize {
        let first = self.chunks.partition_point(|chunk| chunk.last_sequence < from);
        let sealed: usize = self.chunks[first..].iter().map(|chunk| chunk.row_count).sum();
        let live: usize = self.hot.parts.iter().map(|(rows, _)| rows.len()).sum();
        sealed + live
    }

    /// Lowest and highest step.
    pub(crate) fn step_range(&self) -> Option<(i64, i64)> {
        let sealed = self.chunks.iter().map(|chunk| (chunk.first_step, chunk.last_step));
        let live = self.hot.parts.iter().flat_map(|(rows, _)| rows.steps.iter().map(|step| (*step, *step)));
        sealed.chain(live).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Lowest and highest step and number of rows of each part.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (i64, i64, usize)> {
        let sealed = self.chunks.iter().map(|chunk| (chunk.first_step, chunk.last_step, chunk.row_count));
        let live = self.hot.parts.iter().filter_map(|(rows, _)| {
            let (first, last) = (rows.steps.iter().min()?, rows.steps.iter().max()?);
            Some((*first, *last, rows.len()))
        });
        sealed.chain(live)
    }

    /// Hands out rows from sequence number `from` on, by arrival: all with steps in `steps`, and maybe others; none that a
    /// rewind took back.
    pub(crate) fn scan(
        &self,
        from: u64,
        steps: &RangeInclusive<i64>,
        mut each: impl FnMut(&Rows, &Values, Range<usize>),
    ) -> Result<(), Error> {
        let limit = self.hot.sealed_sequence;
        let first = self.chunks.partition_point(|chunk| chunk.last_sequence < from);
        for chunk in &self.chunks[first..] {
            if chunk.first_sequence >= limit {
                break;
            }
            if chunk.first_step > *steps.end() || chunk.last_step < *steps.start() {
                continue;
            }
            let (rows, values) = self.chunk(chunk.block, !is_all(steps))?;
            let begin = rows.sequences.partition_point(|sequence| *sequence < from);
            let end = rows.sequences.partition_point(|sequence| *sequence < limit);
            self.counting(&rows, begin..end, |range| each(&rows, &values, range));
        }
        for (rows, values) in &self.hot.parts {
            let begin = rows.sequences.partition_point(|sequence| *sequence < from.max(limit));
            self.counting(rows, begin..rows.len(), |range| each(rows, values, range));
        }
        Ok(())
    }

    /// Cuts a range of rows into those that no rewind took back.
    fn counting(&self, rows: &Rows, range: Range<usize>, mut each: impl FnMut(Range<usize>)) {
        let last = self.rewinds().last().map_or(0, |rewind| rewind.sequence);
        if range.is_empty() || rows.sequences[range.start] >= last {
            return each(range);
        }
        let counts = |index: &usize| {
            let (sequence, step) = (rows.sequences[*index], rows.steps[*index]);
            !self.rewinds().iter().any(|rewind| rewind.hides(sequence, step))
        };
        let mut begin = range.start;
        while let Some(start) = (begin..range.end).find(counts) {
            let end = (start..range.end).find(|index| !counts(index)).unwrap_or(range.end);
            each(start..end);
            begin = end;
        }
    }

    /// The points from sequence number `from` on with steps in `steps`, by arrival.
    pub(crate) fn arrivals(&self, from: u64, steps: &RangeInclusive<i64>) -> Result<Arrivals, Error> {
        let mut arrivals = Arrivals::default();
        self.scan(from, steps, |rows, values, range| {
            let in_steps = is_all(steps);
            for index in range {
                if in_steps || steps.contains(&rows.steps[index]) {
                    arrivals.push(rows.steps[index], rows.times[index], values.number(index));
                }
            }
        })?;
        Ok(arrivals)
    }

    /// The values of a column that is read as a whole are not kept: what is made of them is, and other columns' would
    /// have to go for them. Its rows are those of other columns too.
    fn chunk(&self, block: i64, keep_values: bool) -> Result<(Arc<Rows>, Arc<Values>), Error> {
        let caches = &self.shared.caches;
        let rows = match caches.rows.get(&(self.run, block)) {
            Some(rows) => rows,
            None => {
                let rows = Arc::new(read_rows(self.database, self.run, block)?);
                caches.rows.put((self.run, block), rows.clone(), rows.bytes());
                rows
            }
        };
        let place = (self.run, self.key, block);
        let values = match caches.values.get(&place) {
            Some(values) => values,
            None => {
                let values = Arc::new(read_values(self.database, self.run, self.key, block)?);
                if keep_values {
                    caches.values.put(place, values.clone(), values.bytes());
                }
                values
            }
        };
        if rows.len() != values.len() {
            return Err(Error::data("a chunk has not as many values as its block has rows"));
        }
        Ok((rows, values))
    }
}

fn is_all(steps: &RangeInclusive<i64>) -> bool {
    *steps == (i64::MIN..=i64::MAX)
}

fn list_chunks(database: &Connection, run: i64, key: i64) -> Result<Vec<ChunkInfo>, Error> {
    let mut statement = database.sql(
        "SELECT c.block, b.row_count, b.first_sequence, b.last_sequence, b.first_step, b.last_step
         FROM chunks c JOIN blocks b ON b.run = c.run AND b.block = c.block
         WHERE c.run = $1 AND c.key = $2 ORDER BY b.first_sequence",
    )?;
    let chunks = statement.query_map((run, key), |row| {
        Ok(ChunkInfo {
            block: row.get(0)?,
            row_count: row.get::<_, i64>(1)? as usize,
            first_sequence: row.get::<_, i64>(2)? as u64,
            last_sequence: row.get::<_, i64>(3)? as u64,
            first_step: row.get(4)?,
            last_step: row.get(5)?,
        })
    })?;
    Ok(chunks.collect::<Result<_, _>>()?)
}
