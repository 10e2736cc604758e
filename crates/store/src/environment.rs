//! What clients said of the surroundings of a run.

use rusqlite::Connection;
use serde_json::{Map, Value as Json};

use crate::Error;
use crate::database::Sql as _;

/// Largest environment, as JSON: it comes with every look at a run.
const MAX_BYTES: usize = 1 << 20;

/// Puts what a process says as it begins in the place of what was known, unless it says nothing.
pub(crate) fn replace(database: &Connection, run: i64, members: &Map<String, Json>) -> Result<(), Error> {
    if members.is_empty() {
        return Ok(());
    }
    let mut environment = Map::new();
    add(&mut environment, members);
    write(database, run, &environment)
}

/// Takes in members that became known later. A process that was forked from another one does not speak for the run.
pub(crate) fn extend(database: &Connection, run: i64, stream: i64, members: &Map<String, Json>) -> Result<(), Error> {
    let mut is_child = database.sql("SELECT 1 FROM streams WHERE id = $1 AND parent IS NOT NULL")?;
    if members.is_empty() || is_child.exists([stream])? {
        return Ok(());
    }
    let text: String =
        database.sql("SELECT environment FROM runs WHERE id = $1")?.query_row([run], |row| row.get(0))?;
    let mut environment = serde_json::from_str(&text).unwrap_or_default();
    add(&mut environment, members);
    write(database, run, &environment)
}

fn write(database: &Connection, run: i64, environment: &Map<String, Json>) -> Result<(), Error> {
    database.sql("UPDATE runs SET environment = $2 WHERE id = $1")?.execute((run, text(environment)))?;
    Ok(())
}

/// Puts members in the place of those of the same name, as long as there is room.
fn add(environment: &mut Map<String, Json>, members: &Map<String, Json>) {
    let size = |name: &str, value: &Json| name.len() + value.to_string().len() + 8;
    let mut bytes: usize = environment.iter().map(|(name, value)| size(name, value)).sum();
    for (name, value) in members {
        let before = environment.get(name).map_or(0, |before| size(name, before));
        let after = bytes - before + size(name, value);
        if after > MAX_BYTES {
            tracing::warn!("a member of an environment is left out: the environment may have {MAX_BYTES} bytes");
            continue;
        }
        bytes = after;
        environment.insert(name.clone(), value.clone());
    }
}

fn text(environment: &Map<String, Json>) -> String {
    serde_json::to_string(environment).expect("plain JSON has a text")
}
