//! Lines into the ingest transaction: what comes in small pieces is joined.

use std::borrow::Cow;

use rusqlite::{Connection, params};
use steplog_model::{Record, clean_console_text};

use super::chunk::{CHUNK_WEIGHT, Entry, decode_head, decode_texts, encode};
use crate::database::Sql as _;
use crate::{Error, chunk};

/// Writes the lines among some records of a stream; answers whether there are any.
pub(crate) fn write(database: &Connection, run: i64, stream: i64, records: &[Record]) -> Result<bool, Error> {
    let mut entries = Vec::new();
    for record in records {
        let Record::Console(lines) = record else { continue };
        entries.extend(lines.lines.iter().zip(lines.first_line..).map(|(text, number)| Entry {
            number,
            time: lines.time,
            output: lines.output,
            text: clean_console_text(text),
        }));
    }
    if entries.is_empty() {
        return Ok(false);
    }
    // Binary counting: a chunk is joined with one that is no smaller, so that a byte is written a dozen times at most
    // however small the pieces are, and a process has a dozen small chunks at most.
    let mut entries = by_number(entries);
    let mut weight: usize = entries.iter().map(Entry::weight).sum();
    let mut joined = Vec::new();
    let mut find =
        database.sql("SELECT id, weight FROM console_chunks WHERE run = $1 AND stream = $2 ORDER BY id DESC")?;
    let mut rows = find.query((run, stream))?;
    while let Some(row) = rows.next()? {
        let (id, before): (i64, i64) = (row.get(0)?, row.get(1)?);
        let before = before as usize;
        if before > weight || before >= CHUNK_WEIGHT / 2 {
            break;
        }
        // A damaged chunk stays as it is, to be found by a check.
        let Ok(earlier) = read(database, id) else { break };
        entries = by_number(earlier.into_iter().chain(entries).collect());
        weight = entries.iter().map(Entry::weight).sum();
        joined.push(id);
    }
    drop(rows);
    for id in joined {
        database.sql("DELETE FROM console_chunks WHERE id = $1")?.execute([id])?;
    }
    let mut rest = &entries[..];
    while !rest.is_empty() {
        let mut weight = 0;
        let count = rest.iter().take_while(|entry| {
            let fits = weight == 0 || weight + entry.weight() <= CHUNK_WEIGHT;
            weight += entry.weight();
            fits
        });
        let (front, back) = rest.split_at(count.count());
        insert(database, run, stream, front)?;
        rest = back;
    }
    Ok(true)
}

fn insert(database: &Connection, run: i64, stream: i64, entries: &[Entry<'_>]) -> Result<(), Error> {
    let (head, data) = encode(entries);
    database
        .sql(
            "INSERT INTO console_chunks (run, stream, weight, last_line, line_count, head_checksum, head, checksum, data)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )?
        .execute(params![
            run,
            stream,
            entries.iter().map(Entry::weight).sum::<usize>() as i64,
            entries.last().map_or(0, |last| last.number) as i64,
            entries.len() as i64,
            chunk::checksum(&head),
            head,
            chunk::checksum(&data),
            data
        ])?;
    Ok(())
}

fn read(database: &Connection, id: i64) -> Result<Vec<Entry<'static>>, Error> {
    let mut statement = database.sql("SELECT head_checksum, head, checksum, data FROM console_chunks WHERE id = $1")?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or_else(|| Error::internal("a chunk of console lines is gone"))?;
    let blob = |index| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_blob().unwrap_or_default());
    let head = decode_head(blob(1)?, row.get(0)?)?;
    let texts = decode_texts(blob(3)?, row.get(2)?, &head)?;
    let entries = head.entries(&texts).into_iter();
    Ok(entries.map(|entry| Entry { text: Cow::Owned(entry.text.into_owned()), ..entry }).collect())
}

/// By number, each once: with the text of the last, and the time and output of the first.
fn by_number<'a>(mut entries: Vec<Entry<'a>>) -> Vec<Entry<'a>> {
    entries.sort_by_key(|entry| entry.number);
    entries.dedup_by(|later, kept| {
        let is_same = later.number == kept.number;
        if is_same {
            kept.text = std::mem::take(&mut later.text);
        }
        is_same
    });
    entries
}
