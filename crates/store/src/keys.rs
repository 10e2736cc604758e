//! Which metrics some runs have.

use std::collections::{BTreeMap, HashMap, HashSet};

use steplog_model::{MetricDefinition, MetricDefinitions, RunPath, split_key};
use steplog_protocol::{KeyList, KeysRequest, MetricKey, ValueKind};

use crate::database::Sql as _;
use crate::system::PREFIX;
use crate::values::Kinds;
use crate::{Error, Store, catalog, lineage, load};

/// How many different sets of definitions are looked at: runs of a project mostly have the same ones.
const MAX_DEFINITIONS: usize = 100;

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

/// What scripts said about metrics, each thing once, with the time of the newest run that said it.
#[derive(Default)]
struct Said(HashMap<String, f64>);

impl Said {
    fn add(&mut self, definitions: String, created_at: f64) {
        if definitions != "[]" {
            let newest = self.0.entry(definitions).or_insert(created_at);
            *newest = newest.max(created_at);
        }
    }

    /// The newest first.
    fn read(self) -> Result<Vec<MetricDefinitions>, Error> {
        let mut said: Vec<_> = self.0.into_iter().collect();
        said.sort_by(|(a, a_time), (b, b_time)| b_time.total_cmp(a_time).then_with(|| a.cmp(b)));
        said.truncate(MAX_DEFINITIONS);
        said.iter()
            .map(|(text, _)| {
                let mut definitions = MetricDefinitions::default();
                load::read_metrics(text)?.into_iter().for_each(|definition| definitions.define(definition));
                Ok(definitions)
            })
            .collect()
    }
}

/// The key that a definition calls its step metric. In a definition a dot is a dot: both in a nested key and in a part of
/// one.
fn step_metric(definition: &MetricDefinition, plain: &HashMap<String, &String>) -> Option<String> {
    plain.get(definition.step_metric.as_ref()?).map(|key| (*key).clone())
}

impl Store {
    /// The metrics that any of the runs has, system metrics too. Points that were overwritten count too.
    ///
    /// # Errors
    /// There is no such project; runs that do not exist have no metrics.
    pub fn keys(&self, request: &KeysRequest) -> Result<KeyList, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let project = catalog::project_by_path(&reader, &request.project)?;
        let mut tallies: HashMap<i64, Tally> = HashMap::new();
        let mut system_tallies: HashMap<i64, Tally> = HashMap::new();
        let of_system =
            |runs: i64, points: i64| Tally { runs: runs as u64, points: points as u64, kinds: Kinds::FLOAT };
        let mut said = Said::default();
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
                let mut statement = reader.sql(
                    "SELECT s.key, count(*), sum(s.point_count) FROM keys k JOIN system_series s ON s.key = k.id
                     WHERE k.project = $1 GROUP BY s.key",
                )?;
                let mut rows = statement.query([project])?;
                while let Some(row) = rows.next()? {
                    system_tallies.insert(row.get(0)?, of_system(row.get(1)?, row.get(2)?));
                }
                let mut statement =
                    reader.sql("SELECT metrics, max(created_at) FROM runs WHERE project = $1 GROUP BY metrics")?;
                let mut rows = statement.query([project])?;
                while let Some(row) = rows.next()? {
                    said.add(row.get(0)?, row.get(1)?);
                }
                None
            }
            Some(names) => {
                let mut runs = HashSet::new();
                let mut statement = reader.sql("SELECT key, point_count, kinds FROM columns WHERE run = $1")?;
                let mut system = reader.sql("SELECT key, point_count FROM system_series WHERE run = $1")?;
                let mut definitions = reader.sql("SELECT metrics FROM runs WHERE id = $1")?;
                for name in names {
                    let Ok(path) = format!("{}/{name}", request.project).parse::<RunPath>() else { continue };
                    let Some((run, _)) = catalog::find_run(&reader, &path)?.filter(|(run, _)| runs.insert(*run)) else {
                        continue;
                    };
                    // A fork has the keys of the runs that it begins with, too.
                    let mut own: HashMap<i64, Tally> = HashMap::new();
                    for member in lineage::lineage(&reader, run, &path)? {
                        said.add(definitions.query_row([member.run], |row| row.get(0))?, member.created_at);
                        let mut rows = statement.query([member.run])?;
                        while let Some(row) = rows.next()? {
                            let tally = own.entry(row.get(0)?).or_insert_with(|| Tally { runs: 1, ..Tally::default() });
                            tally.points += row.get::<_, i64>(1)? as u64;
                            tally.kinds = tally.kinds.and(Kinds::from_bits(row.get(2)?));
                        }
                    }
                    let mut rows = system.query([run])?;
                    while let Some(row) = rows.next()? {
                        system_tallies.entry(row.get(0)?).or_default().add(&of_system(1, row.get(1)?));
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
            // What a script logs under the name of a system metric is in the history only.
            if !name.starts_with(PREFIX) {
                keys.insert(name, tally);
            }
        }
        for (key, tally) in system_tallies {
            keys.insert(names.query_row([key], |row| row.get(0))?, tally);
        }
        let said = said.read()?;
        let plain = keys.keys().map(|key| (split_key(key).join("."), key)).collect();
        let definition = |key: &str| said.iter().find_map(|definitions| definitions.find(key));
        let keys = keys.iter().map(|(key, tally)| MetricKey {
            key: key.clone(),
            hidden: definition(key).is_some_and(|definition| definition.hidden == Some(true)),
            step_metric: definition(key)
                .and_then(|definition| step_metric(definition, &plain))
                .filter(|step_metric| step_metric != key),
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
