//! Which metrics some runs have.

use std::collections::{BTreeMap, HashMap, HashSet};

use steplog_model::RunPath;
use steplog_protocol::{KeyList, KeysRequest, MetricKey, ValueKind};

use crate::database::Sql as _;
use crate::values::Kinds;
use crate::{Error, Store, catalog, lineage};

#[derive(Default)]
struct Tally {
    runs: u64,
    points: u64,
    kinds: Kinds,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.points += other.points;
        self.kinds = self.kinds.and(other.kinds);
    }
}

impl Store {
    /// The metrics that any of the runs has. Points that were overwritten count too.
    ///
    /// # Errors
    /// There is no such project; runs that do not exist have no metrics.
    pub fn keys(&self, request: &KeysRequest) -> Result<KeyList, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let project = catalog::project_by_path(&reader, &request.project)?;
        let mut tallies: HashMap<i64, Tally> = HashMap::new();
        let runs = match &request.runs {
            None => {
                let mut statement = reader.sql(
                    "SELECT c.key, count(*), sum(c.point_count), c.kinds FROM keys k JOIN columns c ON c.key = k.id
                     WHERE k.project = $1 GROUP BY c.key, c.kinds",
                )?;
                let mut rows = statement.query([project])?;
                while let Some(row) = rows.next()? {
                    tallies.entry(row.get(0)?).or_default().add(&Tally {
                        runs: row.get::<_, i64>(1)? as u64,
                        points: row.get::<_, i64>(2)? as u64,
                        kinds: Kinds::from_bits(row.get(3)?),
                    });
                }
                None
            }
            Some(names) => {
                let mut runs = HashSet::new();
                let mut statement = reader.sql("SELECT key, point_count, kinds FROM columns WHERE run = $1")?;
                for name in names {
                    let Ok(path) = format!("{}/{name}", request.project).parse::<RunPath>() else { continue };
                    let Some((run, _)) = catalog::find_run(&reader, &path)?.filter(|(run, _)| runs.insert(*run)) else {
                        continue;
                    };
                    // A fork has the keys of the runs that it begins with, too.
                    let mut own: HashMap<i64, Tally> = HashMap::new();
                    for member in lineage::lineage(&reader, run, &path)? {
                        let mut rows = statement.query([member.run])?;
                        while let Some(row) = rows.next()? {
                            let tally = own.entry(row.get(0)?).or_insert_with(|| Tally { runs: 1, ..Tally::default() });
                            tally.points += row.get::<_, i64>(1)? as u64;
                            tally.kinds = tally.kinds.and(Kinds::from_bits(row.get(2)?));
                        }
                    }
                    own.into_iter().for_each(|(key, tally)| tallies.entry(key).or_default().add(&tally));
                }
                Some(runs)
            }
        };
        for live in self.shared.live_runs() {
            if live.project != project || runs.as_ref().is_some_and(|runs| !runs.contains(&live.id)) {
                continue;
            }
            for (column, points) in live.hot().point_counts() {
                // A key that is newer than the snapshot is counted the next time.
                if let Some(tally) = tallies.get_mut(&column.id) {
                    tally.points += points;
                    tally.kinds = tally.kinds.and(column.kinds);
                }
            }
        }
        let mut names = reader.sql("SELECT name FROM keys WHERE id = $1")?;
        let mut keys = BTreeMap::new();
        for (key, tally) in tallies {
            let name: String = names.query_row([key], |row| row.get(0))?;
            keys.insert(name, tally);
        }
        let keys = keys.into_iter().map(|(key, tally)| MetricKey {
            key,
            kind: match (tally.kinds.has_numbers(), tally.kinds.has_others()) {
                (true, false) => ValueKind::Number,
                (true, true) => ValueKind::Mixed,
                (false, _) => ValueKind::Other,
            },
            run_count: tally.runs,
            point_count: tally.points,
        });
        Ok(KeyList { keys: keys.collect() })
    }
}
