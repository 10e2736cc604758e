//! A flipped byte anywhere in what is stored is found, and named.

mod support;

use std::path::Path;

use rusqlite::Connection;
use steplog_store::Finding;
use support::{Journal, open};
use tempfile::TempDir;

/// A store with a run whose first rows are in chunks and whose last rows are journal bytes.
fn stored() -> (TempDir, Journal) {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    for step in 0..100 {
        journal.row(step, &[("loss", (step as f64).sin().into()), ("note", "text".into())]);
    }
    journal.send(&store);
    store.seal_all().unwrap();
    journal.row(100, &[("loss", f64::NAN.into())]).send(&store);
    assert_eq!(findings(&store), vec![]);
    store.abandon();
    (folder, journal)
}

fn findings(store: &steplog_store::Store) -> Vec<Finding> {
    store.verify(&mut |_, _| {}).unwrap()
}

fn change(folder: &Path, sql: &str) {
    let database = Connection::open(folder.join("steplog.sqlite")).unwrap();
    assert_eq!(database.execute(sql, []).unwrap(), 1, "{sql}");
}

fn places_after(sql: &str) -> Vec<(String, String)> {
    let (folder, journal) = stored();
    change(folder.path(), sql);
    let store = open(folder.path());
    let stream = journal.stream.to_string();
    findings(&store).into_iter().map(|found| (found.place.replace(&stream, "S"), found.message)).collect()
}

fn found(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    entries.iter().map(|(place, message)| ((*place).to_owned(), (*message).to_owned())).collect()
}

/// SQL that flips the last bit of a blob.
fn flip(table: &str, blob: &str, condition: &str) -> String {
    format!(
        "UPDATE {table} SET {blob} = CAST(substr({blob}, 1, length({blob}) - 1) ||
             CASE substr({blob}, -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB) WHERE {condition}"
    )
}

#[test]
fn flipped_values_are_found() {
    assert_eq!(
        places_after(&flip("chunks", "data", "key = (SELECT id FROM keys WHERE name = 'loss')")),
        found(&[(r#"run local/digits/a, key "loss", block 0"#, "the checksum is wrong")])
    );
}

#[test]
fn flipped_statistics_are_found() {
    assert_eq!(
        places_after(&flip("chunks", "statistics", "key = (SELECT id FROM keys WHERE name = 'loss')")),
        found(&[(r#"run local/digits/a, key "loss", block 0"#, "the statistics are not those of the points")])
    );
}

#[test]
fn flipped_steps_are_found() {
    assert_eq!(
        places_after(&flip("blocks", "data", "block = 0")),
        found(&[("run local/digits/a, block 0", "the checksum is wrong")])
    );
}

#[test]
fn flipped_journal_bytes_are_found() {
    let found = places_after(&flip("journal_bytes", "bytes", "id = (SELECT max(id) FROM journal_bytes)"));
    let [(place, message)] = &found[..] else { panic!("{found:?}") };
    assert!(place.starts_with("run local/digits/a, stream S, journal bytes from "), "{place}");
    assert_eq!(message, "the checksum is wrong");
}

#[test]
fn lost_journal_bytes_are_found() {
    let found = places_after("DELETE FROM journal_bytes WHERE id = (SELECT max(id) FROM journal_bytes)");
    let [(place, message)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(place, "run local/digits/a, stream S");
    assert!(message.contains("bytes were acknowledged, and "), "{message}");
}
