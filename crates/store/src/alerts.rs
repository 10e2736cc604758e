//! What runs told people.

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use steplog_model::Alert;
use steplog_protocol::{AlertLevel, AlertList, AlertsRequest, RunAlert};

use crate::database::Sql as _;
use crate::hot::LiveRun;
use crate::{Error, Store, catalog, deliveries};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

/// Writes an alert of a run. One that comes within the waiting time of another with the same title is a repetition: it is
/// kept, but nobody is told again. What is no repetition goes into the queues of the channels that take it.
pub(crate) fn write(database: &Connection, live: &LiveRun, alert: &Alert, now: f64) -> Result<(), Error> {
    let last: Option<f64> = database
        .sql(
            "SELECT time FROM alerts WHERE run = $1 AND title = $2 AND NOT repeated AND time <= $3
             ORDER BY time DESC LIMIT 1",
        )?
        .query_row(params![live.id, alert.title, alert.time], |row| row.get(0))
        .optional()?;
    let repeated = last.is_some_and(|last| alert.time - last < alert.wait_millis as f64 / 1000.0);
    let id: i64 = database
        .sql(
            "INSERT INTO alerts (project, run, time, level, title, text, wait_millis, repeated)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        )?
        .query_row(
            params![
                live.project,
                live.id,
                alert.time,
                alert.level.as_str(),
                alert.title,
                alert.text,
                alert.wait_millis as i64,
                repeated
            ],
            |row| row.get(0),
        )?;
    match repeated {
        true => Ok(()),
        false => deliveries::queue(database, live, id, alert, now),
    }
}

/// The level that a word stands for.
pub(crate) fn level(word: &str) -> AlertLevel {
    match word {
        "ERROR" => AlertLevel::Error,
        "WARN" => AlertLevel::Warn,
        _ => AlertLevel::Info,
    }
}

impl Store {
    /// The alerts of a project or of one run, newest first.
    ///
    /// # Errors
    /// There is no such project, the limit is out of range, or the cursor is none.
    pub fn alerts(&self, request: &AlertsRequest) -> Result<AlertList, Error> {
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
        if limit == 0 || limit > MAX_LIMIT {
            return Err(Error::invalid(format!("limit must be 1 to {MAX_LIMIT}, not {limit}")));
        }
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let project = catalog::project_by_path(&reader, &request.project)?;
        let mut parameters: Vec<Sql> = vec![project.into(), (i64::from(limit) + 1).into()];
        let mut condition = String::from("a.project = $1");
        if let Some(run) = &request.run {
            parameters.push(run.clone().into());
            condition += &format!(" AND r.run_id = ${}", parameters.len());
        }
        if !request.repeated {
            condition += " AND NOT a.repeated";
        }
        if let Some(cursor) = &request.cursor {
            let (time, id) = read_cursor(cursor)?;
            parameters.extend([Sql::Real(time), Sql::Integer(id)]);
            let (time, id) = (parameters.len() - 1, parameters.len());
            condition += &format!(" AND (a.time < ${time} OR a.time = ${time} AND a.id < ${id})");
        }
        let sql = format!(
            "SELECT a.id, a.time, a.level, a.title, a.text, a.repeated, r.run_id, r.name
             FROM alerts a JOIN runs r ON r.id = a.run WHERE {condition} ORDER BY a.time DESC, a.id DESC LIMIT $2"
        );
        let mut statement = reader.sql(&sql)?;
        let rows = statement.query_map(params_from_iter(parameters), |row| {
            Ok(RunAlert {
                id: row.get(0)?,
                time: row.get(1)?,
                level: level(row.get_ref(2)?.as_str().unwrap_or_default()),
                title: row.get(3)?,
                text: row.get(4)?,
                repeated: row.get(5)?,
                run: row.get(6)?,
                run_name: row.get(7)?,
                deliveries: Vec::new(),
            })
        })?;
        let mut alerts = rows.collect::<Result<Vec<_>, _>>()?;
        let has_more = alerts.len() > limit as usize;
        alerts.truncate(limit as usize);
        for alert in &mut alerts {
            alert.deliveries = deliveries::of_alert(&reader, alert.id)?;
        }
        let next_cursor =
            alerts.last().filter(|_| has_more).map(|last| format!("{:x}-{:x}", last.time.to_bits(), last.id));
        Ok(AlertList { alerts, next_cursor })
    }
}

fn read_cursor(cursor: &str) -> Result<(f64, i64), Error> {
    let parts = cursor.split_once('-').and_then(|(time, id)| {
        Some((f64::from_bits(u64::from_str_radix(time, 16).ok()?), i64::from_str_radix(id, 16).ok()?))
    });
    parts.ok_or_else(|| Error::invalid(format!("{cursor:?} is not the cursor of a page of alerts")))
}
