//! Checking that stored samples are as they were written.

use rusqlite::Connection;

use super::chunk::SystemChunk;
use crate::Error;
use crate::database::Sql as _;

/// Tells of every chunk of a run that is not as it was written: its place, and what is wrong.
pub(crate) fn verify(database: &Connection, run: i64, found: &mut dyn FnMut(&str, Error)) -> Result<(), Error> {
    let mut statement = database
        .sql("SELECT id, weight, sample_count, checksum, data FROM system_chunks WHERE run = $1 ORDER BY id")?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        if let Err(error) = check(row) {
            found(&format!("system chunk {}", row.get::<_, i64>(0)?), error);
        }
    }
    Ok(())
}

fn check(row: &rusqlite::Row<'_>) -> Result<(), Error> {
    let samples = SystemChunk::decode(row.get_ref(4)?.as_blob().unwrap_or_default(), row.get(3)?)?.samples()?;
    match (samples.weight as i64, samples.len() as i64) == (row.get(1)?, row.get(2)?) {
        true => Ok(()),
        false => Err(Error::data("it has other samples than the catalog says")),
    }
}
