//! Where alerts are sent: channels of an entity or of one of its projects.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use steplog_protocol::{
    AlertChannel, AlertChannelKind, AlertLevel, CreateAlertChannelRequest, UpdateAlertChannelRequest,
};

use crate::database::Sql as _;
use crate::deliveries::{self, Receiver};
use crate::{Error, Store, alerts};

/// How many channels an entity may have, all projects together.
const MAX_CHANNELS: i64 = 50;

const MAX_NAME_CHARACTERS: usize = 64;

const MAX_TARGET_BYTES: usize = 2048;

const COLUMNS: &str =
    "id, entity, project, kind, name, target, secret IS NOT NULL, level, enabled, created_at, created_by";

impl Store {
    /// The channels of an entity: those of the whole entity first, then by project; oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn alert_channels(&self, entity: &str) -> Result<Vec<AlertChannel>, Error> {
        let reader = self.shared.database.reader()?;
        let mut statement = reader.sql(&format!(
            "SELECT {COLUMNS} FROM alert_channels WHERE entity = $1 AND removed_at IS NULL
             ORDER BY project IS NOT NULL, project, id"
        ))?;
        Ok(statement.query_map([entity], read_channel)?.collect::<Result<_, _>>()?)
    }

    /// Makes a channel. That alerts can be sent to its target is for the caller to check.
    ///
    /// # Errors
    /// The name, the target or the secret is too long or empty, or the entity has too many channels.
    pub fn create_alert_channel(
        &self,
        entity: &str,
        request: CreateAlertChannelRequest,
        created_by: Option<String>,
    ) -> Result<AlertChannel, Error> {
        check(Some(&request.name), Some(&request.target))?;
        let (entity, now) = (entity.to_owned(), self.shared.options.clock.now());
        self.shared.write(
            move |database| {
                let count: i64 = database
                    .sql("SELECT count(*) FROM alert_channels WHERE entity = $1 AND removed_at IS NULL")?
                    .query_row([&entity], |row| row.get(0))?;
                if count >= MAX_CHANNELS {
                    let message = format!("{entity} has {MAX_CHANNELS} alert channels already, the most there may be");
                    return Err(Error::invalid(message));
                }
                let insert = format!(
                    "INSERT INTO alert_channels (entity, project, kind, name, target, secret, level, enabled,
                         created_at, created_by)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, TRUE, $8, $9) RETURNING {COLUMNS}"
                );
                let channel = database.sql(&insert)?.query_row(
                    params![
                        entity,
                        request.project,
                        request.kind.as_str(),
                        request.name.trim(),
                        request.target,
                        request.secret.filter(|secret| !secret.is_empty()),
                        request.level.unwrap_or(AlertLevel::Info).as_str(),
                        now,
                        created_by
                    ],
                    read_channel,
                )?;
                Ok(channel)
            },
            |_| {},
        )
    }

    /// Changes a channel. What waits for one that is switched off is skipped.
    ///
    /// # Errors
    /// The entity has no such channel, or the name or the target is too long or empty.
    pub fn update_alert_channel(
        &self,
        entity: &str,
        id: i64,
        request: UpdateAlertChannelRequest,
    ) -> Result<AlertChannel, Error> {
        check(request.name.as_deref(), request.target.as_deref())?;
        let entity = entity.to_owned();
        let (channel, runs) = self.shared.write(
            move |database| {
                find(database, &entity, id)?;
                let update = format!(
                    "UPDATE alert_channels SET name = coalesce($2, name), target = coalesce($3, target),
                         secret = CASE WHEN $4 THEN $5 ELSE secret END, level = coalesce($6, level),
                         enabled = coalesce($7, enabled) WHERE id = $1 RETURNING {COLUMNS}"
                );
                let channel = database.sql(&update)?.query_row(
                    params![
                        id,
                        request.name.as_deref().map(str::trim),
                        request.target,
                        request.secret.is_some(),
                        request.secret.filter(|secret| !secret.is_empty()),
                        request.level.map(AlertLevel::as_str),
                        request.enabled
                    ],
                    read_channel,
                )?;
                let runs = match channel.enabled {
                    true => Vec::new(),
                    false => deliveries::skip_waiting(database, id, "the channel was switched off")?,
                };
                Ok((channel, runs))
            },
            |_| {},
        )?;
        self.shared.notify_deliveries(&runs);
        Ok(channel)
    }

    /// Removes a channel and forgets its target and secret. What was sent there stays known; what waits is skipped.
    ///
    /// # Errors
    /// The entity has no such channel.
    pub fn delete_alert_channel(&self, entity: &str, id: i64) -> Result<(), Error> {
        let (entity, now) = (entity.to_owned(), self.shared.options.clock.now());
        let runs = self.shared.write(
            move |database| {
                find(database, &entity, id)?;
                database
                    .sql(
                        "UPDATE alert_channels SET removed_at = $2, target = '', secret = NULL, enabled = FALSE
                         WHERE id = $1",
                    )?
                    .execute(params![id, now])?;
                deliveries::skip_waiting(database, id, "the channel was removed")
            },
            |_| {},
        )?;
        self.shared.notify_deliveries(&runs);
        Ok(())
    }

    /// A channel with its target and secret, to send to.
    ///
    /// # Errors
    /// The entity has no such channel.
    pub fn alert_receiver(&self, entity: &str, id: i64) -> Result<Receiver, Error> {
        let reader = self.shared.database.reader()?;
        find(&reader, entity, id)?;
        receiver(&reader, id)
    }
}

/// The channels that take an alert of a project at a level.
pub(crate) fn that_take(
    database: &Connection,
    entity: &str,
    project: &str,
    level: AlertLevel,
) -> Result<Vec<i64>, Error> {
    let mut statement = database.sql(
        "SELECT id, level FROM alert_channels
         WHERE entity = $1 AND (project IS NULL OR project = $2) AND enabled AND removed_at IS NULL ORDER BY id",
    )?;
    let channels = statement.query_map([entity, project], |row| Ok((row.get(0)?, read_level(row, 1)?)))?;
    let channels: Vec<(i64, AlertLevel)> = channels.collect::<Result<_, _>>()?;
    Ok(channels.into_iter().filter(|(_, lowest)| *lowest <= level).map(|(id, _)| id).collect())
}

pub(crate) fn receiver(database: &Connection, id: i64) -> Result<Receiver, Error> {
    let mut statement = database.sql("SELECT kind, target, secret FROM alert_channels WHERE id = $1")?;
    Ok(statement.query_row([id], |row| {
        Ok(Receiver { channel: id, kind: read_kind(row, 0)?, target: row.get(1)?, secret: row.get(2)? })
    })?)
}

fn find(database: &Connection, entity: &str, id: i64) -> Result<(), Error> {
    let mut statement =
        database.sql("SELECT 1 FROM alert_channels WHERE entity = $1 AND id = $2 AND removed_at IS NULL")?;
    let found = statement.query_row(params![entity, id], |_| Ok(())).optional()?;
    found.ok_or_else(|| Error::not_found(format!("{entity} has no alert channel {id}")))
}

fn check(name: Option<&str>, target: Option<&str>) -> Result<(), Error> {
    if let Some(name) = name
        && (name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARACTERS || name.chars().any(char::is_control))
    {
        return Err(Error::invalid(format!("a channel's name must have 1 to {MAX_NAME_CHARACTERS} characters")));
    }
    if target.is_some_and(|target| target.is_empty() || target.len() > MAX_TARGET_BYTES) {
        return Err(Error::invalid(format!("a channel's target must have 1 to {MAX_TARGET_BYTES} bytes")));
    }
    Ok(())
}

fn read_channel(row: &Row<'_>) -> rusqlite::Result<AlertChannel> {
    let kind = read_kind(row, 3)?;
    let target: String = row.get(5)?;
    Ok(AlertChannel {
        id: row.get(0)?,
        entity: row.get(1)?,
        project: row.get(2)?,
        kind,
        name: row.get(4)?,
        target: if kind == AlertChannelKind::Email { target } else { masked(&target) },
        signed: row.get(6)?,
        level: read_level(row, 7)?,
        enabled: row.get(8)?,
        created_at: row.get(9)?,
        created_by: row.get(10)?,
    })
}

pub(crate) fn read_kind(row: &Row<'_>, column: usize) -> rusqlite::Result<AlertChannelKind> {
    Ok(match row.get_ref(column)?.as_str().unwrap_or_default() {
        "email" => AlertChannelKind::Email,
        "slack" => AlertChannelKind::Slack,
        _ => AlertChannelKind::Webhook,
    })
}

fn read_level(row: &Row<'_>, column: usize) -> rusqlite::Result<AlertLevel> {
    Ok(alerts::level(row.get_ref(column)?.as_str().unwrap_or_default()))
}

/// A URL as it may be shown: scheme and host, and of what follows its end where it is long enough to stay a secret.
fn masked(url: &str) -> String {
    const SHOWN: usize = 4;
    const LONG_ENOUGH: usize = 16;
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or_default();
    let characters = path.chars().count();
    let tail = match characters {
        0 | 1 => path.to_owned(),
        2..LONG_ENOUGH => "/…".to_owned(),
        _ => format!("/…{}", path.chars().skip(characters - SHOWN).collect::<String>()),
    };
    format!("{scheme}://{host}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_url_only_host_and_end_are_shown() {
        for (url, shown) in [
            ("https://hooks.slack.com/services/T000/B000/XXXXsecretabcd", "https://hooks.slack.com/…abcd"),
            ("https://user:password@example.org:8443/short", "https://example.org:8443/…"),
            ("https://example.org/?token=0123456789abcdef", "https://example.org/…cdef"),
            ("http://example.org/", "http://example.org/"),
            ("http://example.org", "http://example.org"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }
}
