//! What people changed of a run's config and summary. It stands beside what the journals say and wins over it, whenever
//! the journals say it: so it is lost neither to a run that goes on nor to one whose journal comes late.

use rusqlite::{Connection, params};
use serde_json::Value as Json;
use steplog_model::{Change, Config, MAX_KEY_BYTES, MAX_TEXT_BYTES, MAX_VALUE_DEPTH, Summary, Value};
use steplog_protocol::UpdateRunRequest;

use crate::database::Sql as _;
use crate::{Error, catalog, ingest, load};

/// Most changed keys that a run remembers, of config and summary together.
const MAX_EDITS: i64 = 10_000;

/// The changes of one noun, oldest first. None is at or below the key of a later one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits(Vec<Change>);

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noun {
    Config,
    Summary,
}

impl Noun {
    fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Summary => "summary",
        }
    }
}

impl Edits {
    pub(crate) fn load(database: &Connection, run: i64, noun: Noun) -> Result<Self, Error> {
        let mut statement = database.sql("SELECT key, value FROM edits WHERE run = $1 AND noun = $2 ORDER BY id")?;
        let mut rows = statement.query((run, noun.name()))?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            let value = row.get_ref(1)?.as_blob_or_null().ok().flatten();
            changes.push(Change { key: row.get(0)?, value: value.map(catalog::decode).transpose()? });
        }
        Ok(Self(changes))
    }

    pub(crate) fn apply_to_config(&self, config: &mut Config) {
        self.0.iter().cloned().for_each(|change| config.apply(change));
    }

    pub(crate) fn apply_to_summary(self, summary: &mut Summary) {
        self.0.into_iter().for_each(|change| summary.edit(change));
    }
}

/// The changes that a request asks for: removals first, so that a key in both is set.
pub(crate) fn changes(update: &UpdateRunRequest, noun: Noun) -> Result<Vec<Change>, Error> {
    let (set, removed) = match noun {
        Noun::Config => (&update.set_config, &update.remove_config),
        Noun::Summary => (&update.set_summary, &update.remove_summary),
    };
    let mut changes = Vec::with_capacity(set.len() + removed.len());
    for key in removed {
        changes.push(Change { key: checked_key(noun, key)?, value: None });
    }
    for (key, value) in set {
        check_value(noun, key, value, 0)?;
        changes.push(Change { key: checked_key(noun, key)?, value: Some(Value::from_api_json(value.clone())) });
    }
    Ok(changes)
}

fn checked_key(noun: Noun, key: &str) -> Result<String, Error> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        let noun = noun.name();
        return Err(Error::invalid(format!("a {noun} key must have 1 to {MAX_KEY_BYTES} bytes, not {}", key.len())));
    }
    Ok(key.to_owned())
}

fn check_value(noun: Noun, key: &str, value: &Json, depth: usize) -> Result<(), Error> {
    let refuse = |reason: String| Err(Error::invalid(format!("the value of {}.{key} {reason}", noun.name())));
    if depth > MAX_VALUE_DEPTH {
        return refuse(format!("nests more than {MAX_VALUE_DEPTH} levels deep"));
    }
    match value {
        Json::String(text) if text.len() > MAX_TEXT_BYTES => {
            refuse(format!("has a text of {} bytes, more than {MAX_TEXT_BYTES}", text.len()))
        }
        Json::Array(items) => items.iter().try_for_each(|item| check_value(noun, key, item, depth + 1)),
        Json::Object(entries) => entries.values().try_for_each(|value| check_value(noun, key, value, depth + 1)),
        _ => Ok(()),
    }
}

/// Writes changes, and what filters and sorts see of them.
pub(crate) fn write(
    database: &Connection,
    (run, project): (i64, i64),
    noun: Noun,
    changes: &[Change],
) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    for change in changes {
        remember(database, run, noun, change)?;
    }
    let count: i64 = database.sql("SELECT count(*) FROM edits WHERE run = $1")?.query_row([run], |row| row.get(0))?;
    if count > MAX_EDITS {
        return Err(Error::invalid(format!("more than {MAX_EDITS} keys of the run would be changed by hand")));
    }
    match noun {
        Noun::Config => ingest::write_config(database, run, project, &load::config(database, run)?),
        Noun::Summary => changes.iter().try_for_each(|change| write_summary(database, run, project, change)),
    }
}

fn remember(database: &Connection, run: i64, noun: Noun, change: &Change) -> Result<(), Error> {
    database.sql("DELETE FROM edits WHERE run = $1 AND noun = $2 AND key = $3")?.execute((
        run,
        noun.name(),
        &change.key,
    ))?;
    if noun == Noun::Summary {
        let (from, to) = below(&change.key);
        database.sql("DELETE FROM edits WHERE run = $1 AND noun = $2 AND key >= $3 AND key < $4")?.execute((
            run,
            noun.name(),
            from,
            to,
        ))?;
    }
    database.sql("INSERT INTO edits (run, noun, key, value) VALUES ($1, $2, $3, $4)")?.execute(params![
        run,
        noun.name(),
        change.key,
        change.value.as_ref().map(catalog::encode)
    ])?;
    Ok(())
}

/// Puts the leaves of a change in the place of what stood at and below its key.
fn write_summary(database: &Connection, run: i64, project: i64, change: &Change) -> Result<(), Error> {
    let name = format!("summary.{}", change.key);
    let (from, to) = below(&name);
    database
        .sql(
            "DELETE FROM run_values WHERE run = $1 AND field IN
             (SELECT id FROM fields WHERE project = $2 AND (name = $3 OR (name >= $4 AND name < $5)))",
        )?
        .execute((run, project, &name, from, to))?;
    let mut leaves = Summary::default();
    leaves.apply_change(change);
    for (key, value) in leaves.iter() {
        let field = catalog::make_field(database, project, &format!("summary.{key}"))?;
        catalog::put_value(database, field, run, value, None)?;
    }
    Ok(())
}

/// The range of the names below a path, in the order of names: `/` comes right after `.`.
fn below(path: &str) -> (String, String) {
    (format!("{path}."), format!("{path}/"))
}
