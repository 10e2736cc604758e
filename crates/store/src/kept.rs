//! Pyramids of long columns in the database, so that the first chart after a start need not read all points.
//!
//! Rows never change once they are in, so a pyramid stays good: what came later is added when it is read.

use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::database::Sql as _;
use crate::hot::LiveRun;
use crate::pyramid::Pyramid;
use crate::store::Shared;
use crate::values::Kinds;
use crate::view::{ColumnName, Look};
use crate::{Error, chunk};

/// Most nodes that are kept of a pyramid, and fewest points for each. Finer ones are made from points, of which a range
/// that needs them has few: 250,000 of 10 M.
const KEPT_NODES: usize = 32_768;
const POINTS_PER_NODE: usize = 256;

/// Largest decoded size.
const MAX_BYTES: usize = 1 << 30;

/// A column whose pyramid is to be kept.
struct Due {
    key: i64,
    name: String,
    point_count: i64,
}

/// The kept pyramid of a column and the sequence number up to which rows are in it. A damaged one is as good as none.
pub(crate) fn read(database: &Connection, (run, key): (i64, i64)) -> Result<Option<(u64, Pyramid)>, Error> {
    let mut statement =
        database.sql("SELECT next_sequence, checksum, data FROM pyramids WHERE run = $1 AND key = $2")?;
    let mut rows = statement.query((run, key))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (next_sequence, data): (i64, _) = (row.get(0)?, row.get_ref(2)?.as_blob().unwrap_or_default());
    if data.is_empty() {
        return Ok(None);
    }
    let decoded = chunk::check(data, row.get(1)?)
        .and_then(|()| chunk::decompress(data, MAX_BYTES))
        .and_then(|bytes| Pyramid::decode(&bytes));
    match decoded {
        Ok(pyramid) => Ok(Some((next_sequence as u64, pyramid))),
        Err(error) => {
            tracing::warn!("the kept statistics of a column are made again: {error}");
            Ok(None)
        }
    }
}

impl Shared {
    /// Keeps the pyramids of long columns of runs that were just sealed: when a run has ended, and before that each time
    /// a column is twice as long as when it was kept, so that a column is read in vain only so often.
    pub(crate) fn keep_pyramids(&self, runs: &[Arc<LiveRun>]) -> Result<(), Error> {
        for live in runs {
            let (sealed, next, ended) = {
                let hot = live.hot();
                (hot.sealed_sequence, hot.next_sequence, hot.ended)
            };
            // Only what is in chunks has numbers that stay; and no column has more points than its run has rows.
            if next > sealed || sealed < self.least_kept() as u64 {
                continue;
            }
            for column in self.due(live, sealed, ended)? {
                self.keep_pyramid(live, &column, sealed)?;
            }
        }
        Ok(())
    }

    /// Fewest points of a column that is kept.
    fn least_kept(&self) -> usize {
        self.options.kept_points.max(self.options.chart_points + 1)
    }

    fn due(&self, live: &LiveRun, sealed: u64, ended: bool) -> Result<Vec<Due>, Error> {
        let reader = self.database.reader()?;
        let mut statement = reader.sql(
            "SELECT c.key, k.name, c.point_count, c.kinds FROM columns c JOIN keys k ON k.id = c.key
             LEFT JOIN pyramids p ON p.run = c.run AND p.key = c.key
             WHERE c.run = $1 AND c.point_count >= $2 AND
             (p.run IS NULL OR c.point_count >= 2 * p.point_count OR $3 AND p.next_sequence < $4)",
        )?;
        let mut rows = statement.query(params![live.id, self.least_kept() as i64, ended, sealed as i64])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            if Kinds::from_bits(row.get(3)?).has_numbers() {
                due.push(Due { key: row.get(0)?, name: row.get(1)?, point_count: row.get(2)? });
            }
        }
        Ok(due)
    }

    fn keep_pyramid(&self, live: &LiveRun, column: &Due, sealed: u64) -> Result<(), Error> {
        let name = ColumnName {
            run: live.id,
            path: &live.path,
            key: column.key,
            key_name: &column.name,
            sealed_sequence: sealed,
        };
        let (data, next_sequence) = self.view(&name, |look| {
            Ok(match look {
                Look::Pyramid(pyramid, source) => {
                    let most = KEPT_NODES.min(column.point_count as usize / POINTS_PER_NODE).max(1);
                    (chunk::compress(&pyramid.encode(most), 3), source.next_sequence())
                }
                // Few steps that were written again and again: nothing worth keeping, which is noted too.
                Look::Points(_) => (Vec::new(), sealed),
            })
        })?;
        if next_sequence > sealed {
            return Ok(());
        }
        let (run, key, point_count) = (live.id, column.key, column.point_count);
        self.write(
            move |database| {
                // A run that was removed in the meantime leaves nothing behind.
                database
                    .sql(
                        "INSERT INTO pyramids (run, key, next_sequence, point_count, checksum, data)
                         SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (SELECT 1 FROM runs WHERE id = $1)
                         ON CONFLICT (run, key) DO UPDATE SET next_sequence = excluded.next_sequence,
                         point_count = excluded.point_count, checksum = excluded.checksum, data = excluded.data",
                    )?
                    .execute(params![run, key, next_sequence as i64, point_count, chunk::checksum(&data), data])?;
                Ok(())
            },
            |_| {},
        )
    }
}
