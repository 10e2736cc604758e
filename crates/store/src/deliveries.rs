//! What becomes of alerts at channels: a queue in the database, and its states.
//!
//! A delivery is made in the transaction that stores its alert, and waits. Whoever sends asks for what is due
//! ([`Store::due_deliveries`]), says so right before the message goes out ([`Store::begin_delivery`], durable when it
//! returns), and what became of it ([`Store::finish_delivery`]). So a delivery that is found on its way when the store is
//! opened was cut off: nobody knows whether it arrived, and it is not sent again by itself.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use steplog_model::Alert;
use steplog_protocol::{AlertChannelKind, AlertDelivery, AlertLevel, DeliveryState, RunChange};

use crate::database::Sql as _;
use crate::hot::LiveRun;
use crate::store::Shared;
use crate::{Error, Store, alerts, channels, state};

/// An alert that is older when it comes is not sent, in seconds: it was given offline, and is no news any more.
const LATE_SECONDS: f64 = 24.0 * 3600.0;

/// How many deliveries may wait for one channel.
const MAX_WAITING: i64 = 1000;

/// Longest text of an alert that is sent, in characters; the page has it in full.
const MAX_TEXT_CHARACTERS: usize = 16_384;

/// Longest error that is kept, in characters.
const MAX_ERROR_CHARACTERS: usize = 300;

/// Where a message goes. What is shown of it leaves out what nobody may read.
#[derive(Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The channel's id.
    pub channel: i64,
    /// How to send.
    pub kind: AlertChannelKind,
    /// A mail address or a URL.
    pub target: String,
    /// What to sign with.
    pub secret: Option<String>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("channel", &self.channel).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// An alert as a receiver is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What the receiver knows the message by: the same at every try.
    pub id: String,
    /// The alert's id; `None` for a test.
    pub alert: Option<i64>,
    /// When it was given, Unix seconds.
    pub time: f64,
    /// Level.
    pub level: AlertLevel,
    /// Below 64 characters.
    pub title: String,
    /// At most 16,384 characters.
    pub text: String,
    /// Entity.
    pub entity: String,
    /// Project; `None` for a test of a channel of all projects.
    pub project: Option<String>,
    /// Id and name of the run; `None` for a test.
    pub run: Option<(String, String)>,
}

/// A delivery that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The delivery's id.
    pub id: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// Where to.
    pub receiver: Receiver,
    /// What.
    pub message: Message,
}

/// What is to be sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DueDeliveries {
    /// Due now, the longest due first, at most one for each channel.
    pub deliveries: Vec<Delivery>,
    /// When the next one of a channel that is not busy is due, Unix seconds.
    pub next_at: Option<f64>,
}

/// What became of a try.
#[derive(Clone, Debug, PartialEq)]
pub enum DeliveryOutcome {
    /// The receiver took it.
    Sent,
    /// It was certainly not taken; try it again.
    Retry {
        /// Why.
        error: String,
        /// Not before, Unix seconds.
        at: f64,
        /// Whether everything else that waits for the channel waits as long.
        holds_channel: bool,
    },
    /// It was certainly not taken, and will not be.
    Failed {
        /// Why.
        error: String,
    },
    /// It may have been taken.
    Unknown {
        /// What happened.
        error: String,
    },
}

impl Store {
    /// What is due at `now`, at most `limit`, leaving out channels that are `busy`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn due_deliveries(&self, now: f64, busy: &[i64], limit: usize) -> Result<DueDeliveries, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let (mut due, mut taken) = (DueDeliveries::default(), busy.to_vec());
        let mut statement = reader.sql(
            "SELECT id, channel, next_attempt_at FROM alert_deliveries WHERE state = 'waiting' ORDER BY next_attempt_at, id",
        )?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            let (id, channel, at): (i64, i64, f64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if taken.contains(&channel) {
                continue;
            }
            if at > now || due.deliveries.len() == limit {
                due.next_at = Some(at);
                break;
            }
            taken.push(channel);
            due.deliveries.push(read_due(&reader, id)?);
        }
        Ok(due)
    }

    /// Notes that a message is about to go out; durable when this returns. Answers whether it shall: not when it does not
    /// wait any more, for its channel was switched off or its run removed.
    ///
    /// # Errors
    /// The database cannot be written. Then it must not be sent.
    pub fn begin_delivery(&self, id: i64) -> Result<bool, Error> {
        let now = self.shared.options.clock.now();
        let run = self.shared.write(
            move |database| {
                let mut begin = database.sql(
                    "UPDATE alert_deliveries SET state = 'sending', attempts = attempts + 1, last_attempt_at = $2,
                         next_attempt_at = NULL WHERE id = $1 AND state = 'waiting' RETURNING run",
                )?;
                Ok(begin.query_row(params![id, now], |row| row.get::<_, i64>(0)).optional()?)
            },
            |_| {},
        )?;
        self.shared.notify_deliveries(run.as_slice());
        Ok(run.is_some())
    }

    /// Notes what became of a delivery, whether or not its message went out; durable when this returns.
    ///
    /// # Errors
    /// The database cannot be written. A delivery that began stays on its way then, and is not sent again.
    pub fn finish_delivery(&self, id: i64, outcome: DeliveryOutcome) -> Result<(), Error> {
        let now = self.shared.options.clock.now();
        let run = self.shared.write(move |database| finish(database, id, &outcome, now), |_| {})?;
        self.shared.notify_deliveries(run.as_slice());
        Ok(())
    }

    /// Sends again what failed, what may have arrived, or what was skipped, as a person asked.
    ///
    /// # Errors
    /// The entity has no such delivery, it is sent or waits already, or its channel is gone or switched off.
    pub fn send_again(&self, entity: &str, id: i64) -> Result<AlertDelivery, Error> {
        let (entity, now) = (entity.to_owned(), self.shared.options.clock.now());
        let (run, delivery) = self.shared.write(
            move |database| {
                let (state, is_open, run) = database
                    .sql(
                        "SELECT d.state, c.enabled AND c.removed_at IS NULL, d.run FROM alert_deliveries d
                         JOIN alert_channels c ON c.id = d.channel WHERE d.id = $1 AND c.entity = $2",
                    )?
                    .query_row(params![id, entity], |row| {
                        Ok((read_state(row, 0)?, row.get::<_, bool>(1)?, row.get(2)?))
                    })
                    .optional()?
                    .ok_or_else(|| Error::not_found(format!("{entity} has no delivery {id} of an alert")))?;
                if matches!(state, DeliveryState::Waiting | DeliveryState::Sending | DeliveryState::Sent) {
                    let message = format!("the alert is {} already and is not sent again", state.as_str());
                    return Err(Error::conflict(message));
                }
                if !is_open {
                    return Err(Error::conflict("the channel is removed or switched off")
                        .with_hint("switch it on first, or make another"));
                }
                database
                    .sql(
                        "UPDATE alert_deliveries SET state = 'waiting', attempts = 0, next_attempt_at = $2, error = NULL
                         WHERE id = $1",
                    )?
                    .execute(params![id, now])?;
                let sql = format!("{SELECT} WHERE d.id = $1");
                let delivery = database.sql(&sql)?.query_row([id], read_delivery)?;
                Ok((run, delivery))
            },
            |_| {},
        )?;
        self.shared.notify_deliveries(&[run]);
        Ok(delivery)
    }
}

impl Shared {
    /// Tells watchers that something happened to deliveries of these runs.
    pub(crate) fn notify_deliveries(&self, runs: &[i64]) {
        let changes: Result<Vec<RunChange>, Error> =
            runs.iter().filter_map(|run| self.change(*run).transpose()).collect();
        match changes {
            Ok(changes) => self.notify(&changes),
            Err(error) => tracing::debug!("watchers were not told of a delivery: {error}"),
        }
    }

    fn change(&self, run: i64) -> Result<Option<RunChange>, Error> {
        let since = self.alive_since(self.options.clock.now());
        let reader = self.database.reader()?;
        let mut statement = reader.sql(
            "SELECT p.entity, p.name, r.run_id, r.alive_at, r.exit_code, r.last_step, r.updated_at
             FROM runs r JOIN projects p ON p.id = r.project WHERE r.id = $1",
        )?;
        let change = statement.query_row([run], |row| {
            let names: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
            Ok(RunChange {
                path: names.join("/"),
                state: state::run_state(row.get(3)?, row.get(4)?, since),
                last_step: row.get(5)?,
                updated_at: row.get(6)?,
                rows: false,
                keys: false,
                alerts: true,
                files: false,
                console: false,
                system: false,
                details: false,
                deleted: false,
            })
        });
        Ok(change.optional()?)
    }
}

/// Puts a new alert into the queue of every channel that takes it.
pub(crate) fn queue(database: &Connection, live: &LiveRun, id: i64, alert: &Alert, now: f64) -> Result<(), Error> {
    let (entity, project) = (live.path.entity.as_str(), live.path.project.as_str());
    for channel in channels::that_take(database, entity, project, alerts::level(alert.level.as_str()))? {
        let waiting: i64 = database
            .sql("SELECT count(*) FROM alert_deliveries WHERE channel = $1 AND state = 'waiting'")?
            .query_row([channel], |row| row.get(0))?;
        let refusal = if now - alert.time > LATE_SECONDS {
            Some("it came more than a day after it was given".to_owned())
        } else if waiting >= MAX_WAITING {
            Some(format!("{MAX_WAITING} alerts wait for this channel already"))
        } else {
            None
        };
        let state = if refusal.is_some() { DeliveryState::Skipped } else { DeliveryState::Waiting };
        database
            .sql(
                "INSERT INTO alert_deliveries (alert, run, channel, message_id, state, next_attempt_at, error)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )?
            .execute(params![
                id,
                live.id,
                channel,
                message_id(),
                state.as_str(),
                refusal.is_none().then_some(now),
                refusal
            ])?;
    }
    Ok(())
}

/// Marks what was on its way when the store was closed or killed.
pub(crate) fn recover(database: &Connection) -> Result<(), Error> {
    let error = "the server stopped while the message was on its way";
    database
        .sql("UPDATE alert_deliveries SET state = 'unknown', error = $1 WHERE state = 'sending'")?
        .execute([error])?;
    Ok(())
}

/// Skips what waits for a channel; answers the runs that it is of.
pub(crate) fn skip_waiting(database: &Connection, channel: i64, why: &str) -> Result<Vec<i64>, Error> {
    let mut skip = database.sql(
        "UPDATE alert_deliveries SET state = 'skipped', next_attempt_at = NULL, error = $2
         WHERE channel = $1 AND state = 'waiting' RETURNING run",
    )?;
    let runs = skip.query_map(params![channel, why], |row| row.get(0))?;
    let mut runs: Vec<i64> = runs.collect::<Result<_, _>>()?;
    runs.sort_unstable();
    runs.dedup();
    Ok(runs)
}

/// What became of an alert, a channel at a time.
pub(crate) fn of_alert(database: &Connection, alert: i64) -> Result<Vec<AlertDelivery>, Error> {
    let mut statement = database.sql(&format!("{SELECT} WHERE d.alert = $1 ORDER BY d.channel"))?;
    Ok(statement.query_map([alert], read_delivery)?.collect::<Result<_, _>>()?)
}

fn finish(database: &Connection, id: i64, outcome: &DeliveryOutcome, now: f64) -> Result<Option<i64>, Error> {
    let (state, error, delivered_at, next_attempt_at) = match outcome {
        DeliveryOutcome::Sent => (DeliveryState::Sent, None, Some(now), None),
        DeliveryOutcome::Retry { error, at, .. } => (DeliveryState::Waiting, Some(error), None, Some(*at)),
        DeliveryOutcome::Failed { error } => (DeliveryState::Failed, Some(error), None, None),
        DeliveryOutcome::Unknown { error } => (DeliveryState::Unknown, Some(error), None, None),
    };
    let error: Option<String> = error.map(|error| error.chars().take(MAX_ERROR_CHARACTERS).collect());
    // A try that failed before its message went out was not counted yet.
    let found = database
        .sql(
            "UPDATE alert_deliveries SET attempts = attempts + (state = 'waiting'), last_attempt_at =
                 CASE WHEN state = 'waiting' THEN $6 ELSE last_attempt_at END, state = $2, error = $3,
                 delivered_at = $4, next_attempt_at = $5
             WHERE id = $1 AND state IN ('waiting', 'sending') RETURNING run, channel",
        )?
        .query_row(params![id, state.as_str(), error, delivered_at, next_attempt_at, now], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let Some((run, channel)) = found else { return Ok(None) };
    let mut is_open = database.sql("SELECT enabled AND removed_at IS NULL FROM alert_channels WHERE id = $1")?;
    if state == DeliveryState::Waiting && !is_open.query_row([channel], |row| row.get(0))? {
        skip_waiting(database, channel, "the channel was switched off")?;
    }
    if let DeliveryOutcome::Retry { at, holds_channel: true, .. } = outcome {
        database
            .sql(
                "UPDATE alert_deliveries SET next_attempt_at = max(next_attempt_at, $2)
                 WHERE channel = $1 AND state = 'waiting'",
            )?
            .execute(params![channel, at])?;
    }
    Ok(Some(run))
}

const SELECT: &str =
    "SELECT d.id, d.channel, c.name, c.kind, d.state, d.attempts, d.next_attempt_at, d.last_attempt_at,
     d.delivered_at, d.error FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel";

fn read_delivery(row: &Row<'_>) -> rusqlite::Result<AlertDelivery> {
    Ok(AlertDelivery {
        id: row.get(0)?,
        channel: row.get(1)?,
        channel_name: row.get(2)?,
        kind: channels::read_kind(row, 3)?,
        state: read_state(row, 4)?,
        attempts: row.get(5)?,
        next_attempt_at: row.get(6)?,
        last_attempt_at: row.get(7)?,
        delivered_at: row.get(8)?,
        error: row.get(9)?,
    })
}

fn read_state(row: &Row<'_>, column: usize) -> rusqlite::Result<DeliveryState> {
    Ok(match row.get_ref(column)?.as_str().unwrap_or_default() {
        "waiting" => DeliveryState::Waiting,
        "sending" => DeliveryState::Sending,
        "sent" => DeliveryState::Sent,
        "failed" => DeliveryState::Failed,
        "skipped" => DeliveryState::Skipped,
        _ => DeliveryState::Unknown,
    })
}

fn read_due(database: &Connection, id: i64) -> Result<Delivery, Error> {
    let mut statement = database.sql(
        "SELECT d.attempts, d.channel, d.message_id, a.id, a.time, a.level, a.title, a.text, p.entity, p.name, r.run_id,
             r.name
         FROM alert_deliveries d JOIN alerts a ON a.id = d.alert JOIN runs r ON r.id = d.run
         JOIN projects p ON p.id = r.project WHERE d.id = $1",
    )?;
    let (attempts, channel, message) = statement.query_row([id], |row| {
        let text = row.get_ref(7)?.as_str().unwrap_or_default();
        let message = Message {
            id: row.get(2)?,
            alert: row.get(3)?,
            time: row.get(4)?,
            level: alerts::level(row.get_ref(5)?.as_str().unwrap_or_default()),
            title: row.get(6)?,
            text: shortened(text),
            entity: row.get(8)?,
            project: row.get(9)?,
            run: Some((row.get(10)?, row.get(11)?)),
        };
        Ok((row.get(0)?, row.get(1)?, message))
    })?;
    Ok(Delivery { id, attempts, receiver: channels::receiver(database, channel)?, message })
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// 128 random bits: no two servers make the same.
fn message_id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system hands out random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
