//! Checking that stored lines are as they were written.

use rusqlite::Connection;

use super::chunk::{Entry, decode_head, decode_texts};
use crate::Error;
use crate::database::Sql as _;

/// Tells of every chunk of a run that is not as it was written: its place, and what is wrong.
pub(crate) fn verify(database: &Connection, run: i64, found: &mut dyn FnMut(&str, Error)) -> Result<(), Error> {
    let mut statement = database.sql(
        "SELECT id, weight, last_line, line_count, head_checksum, head, checksum, data FROM console_chunks
         WHERE run = $1 ORDER BY id",
    )?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        if let Err(error) = check(row) {
            found(&format!("console chunk {}", row.get::<_, i64>(0)?), error);
        }
    }
    Ok(())
}

fn check(row: &rusqlite::Row<'_>) -> Result<(), Error> {
    let head = decode_head(row.get_ref(5)?.as_blob().unwrap_or_default(), row.get(4)?)?;
    let texts = decode_texts(row.get_ref(7)?.as_blob().unwrap_or_default(), row.get(6)?, &head)?;
    let entries = head.entries(&texts);
    let weight: usize = entries.iter().map(Entry::weight).sum();
    let found = (weight as i64, entries.last().map_or(0, |last| last.number) as i64, entries.len() as i64);
    match found == (row.get(1)?, row.get(2)?, row.get(3)?) {
        true => Ok(()),
        false => Err(Error::data("it has other lines than the catalog says")),
    }
}
