//! Where a run stands, for a process that goes on with it.

use rusqlite::Connection;
use steplog_model::{RunPath, Summary};
use steplog_protocol::{ResumePoint, SummaryLeaf};

use crate::database::Sql as _;
use crate::edit::{Edits, Noun};
use crate::{Error, Store, catalog, load};

impl Store {
    /// Where a run stands.
    ///
    /// # Errors
    /// There is no such run.
    pub fn resume_point(&self, path: &RunPath) -> Result<ResumePoint, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let (run, _) = catalog::run_id(&reader, path)?;
        let summary = match self.shared.live(path).filter(|live| live.id == run) {
            Some(live) => {
                let mut hot = live.hot();
                hot.update_summary();
                hot.summary.clone()
            }
            None => sealed_summary(&reader, run)?,
        };
        let metrics = serde_json::to_value(load::metrics(&reader, run)?).and_then(serde_json::from_value);
        let mut config = load::config(&reader, run)?;
        Edits::load(&reader, run, Noun::Config)?.apply_to_config(&mut config);
        let mut statement = reader.sql(
            "SELECT name, name_is_ours, notes, tags, run_group, job_type, sweep_id, last_step, last_time
             FROM runs WHERE id = $1",
        )?;
        let mut point = statement.query_row([run], |row| {
            let name: String = row.get(0)?;
            let name_is_ours: bool = row.get(1)?;
            Ok(ResumePoint {
                name: (!name_is_ours).then_some(name),
                notes: row.get(2)?,
                tags: serde_json::from_str(row.get_ref(3)?.as_str().unwrap_or_default()).unwrap_or_default(),
                group: row.get(4)?,
                job_type: row.get(5)?,
                sweep_id: row.get(6)?,
                last_step: row.get(7)?,
                last_time: row.get(8)?,
                config: config.entries().iter().map(|(key, value)| (key.clone(), value.to_json())).collect(),
                summary: leaves(&summary),
                metrics: Vec::new(),
            })
        })?;
        point.metrics =
            metrics.map_err(|error| Error::internal(format!("a metric definition has no JSON form: {error}")))?;
        Ok(point)
    }
}

/// The summary of a run that is not in memory: all its rows are in chunks, and so in the stored means.
fn sealed_summary(database: &Connection, run: i64) -> Result<Summary, Error> {
    let mut summary = load::summary(database, run)?;
    let means: Option<Vec<u8>> =
        database.sql("SELECT sealed_means FROM runs WHERE id = $1")?.query_row([run], |row| row.get(0))?;
    summary.restore_means(catalog::decode_means(means.as_deref().unwrap_or_default())?);
    Ok(summary)
}

fn leaves(summary: &Summary) -> Vec<SummaryLeaf> {
    let counts: std::collections::HashMap<_, _> = summary.means().map(|(key, _, count)| (key, count)).collect();
    let leaf = |(key, value): (&std::sync::Arc<str>, &steplog_model::Value)| SummaryLeaf {
        key: key.to_string(),
        value: value.to_json(),
        step: summary.step_of(key),
        count: counts.get(key).copied().unwrap_or(0),
    };
    let mut leaves: Vec<_> = summary.iter().map(leaf).collect();
    leaves.sort_by(|a, b| a.key.cmp(&b.key));
    leaves
}
