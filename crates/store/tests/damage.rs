//! Full disks and flipped bytes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use rusqlite::Connection;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use steplog_model::{ConsoleOutput, ContentHash};
use steplog_protocol::{ConsoleRequest, ErrorKind};
use steplog_store::{ExportFormat, Store, StoreOptions};
use support::{Journal, open, quiet_options};
use tempfile::TempDir;

#[test]
fn a_full_disk_refuses_and_loses_nothing_that_was_acknowledged() {
    let folder = TempDir::new().unwrap();
    let pages = |count| StoreOptions { max_pages: Some(count), ..quiet_options() };
    let store = Store::open(folder.path(), pages(200)).unwrap();
    let mut journal = Journal::new("local/digits/a");
    let mut state = 1u64;
    let mut acknowledged = 0;
    let error = loop {
        for _ in 0..1000 {
            // Noise, so that it does not compress away.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            journal.row(acknowledged, &[("loss", f64::from_bits(state >> 12 | 1 << 62).into())]);
            acknowledged += 1;
        }
        if let Err(error) = journal.try_send(&store) {
            break error;
        }
    };
    acknowledged -= 1000;
    assert!(acknowledged > 5000);
    assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::Unavailable, "the server's disk is full"));
    // Reading goes on, and trying again is refused again.
    let rows = |store: &Store| store.run(&journal.path).unwrap().run.row_count;
    assert_eq!(rows(&store), acknowledged as u64);
    let bytes = journal.bytes(journal.sent);
    let again = store.ingest_blocking(journal.ingest(journal.sent, bytes.clone()));
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Unavailable);
    store.abandon();
    drop(store);
    // There is room again.
    let store = Store::open(folder.path(), pages(20_000)).unwrap();
    assert_eq!(rows(&store), acknowledged as u64);
    store.ingest_blocking(journal.ingest(journal.sent, bytes)).unwrap();
    assert_eq!(rows(&store), acknowledged as u64 + 1000);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

fn flip(folder: &TempDir, table: &str, column: &str) {
    let database = Connection::open(folder.path().join("steplog.sqlite")).unwrap();
    let (id, mut data): (i64, Vec<u8>) = database
        .query_row(&format!("SELECT id, {column} FROM {table} ORDER BY id LIMIT 1"), (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let middle = data.len() / 2;
    data[middle] ^= 4;
    database.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE id = ?2"), (data, id)).unwrap();
}

#[test]
fn verify_finds_flipped_bytes() {
    for (table, column, place, message) in [
        ("journal_bytes", "bytes", "journal bytes from ", "the checksum is wrong"),
        ("chunks", "data", "key \"loss\", block 0", "the checksum is wrong"),
        ("blocks", "data", "block 0", "the checksum is wrong"),
        ("chunks", "statistics", "key \"loss\", block 0", "the statistics are not those of the points"),
    ] {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path());
        let mut journal = Journal::new("local/digits/a");
        for step in 0..100 {
            journal.row(step, &[("loss", (step as f64).sqrt().into())]);
        }
        journal.send(&store);
        store.seal_all().unwrap();
        journal.row(100, &[("loss", 10.0.into())]).send(&store);
        let mut told = Vec::new();
        assert_eq!(store.verify(&mut |done, total| told.push((done, total))).unwrap(), vec![]);
        assert_eq!(told, vec![(0, 1), (1, 1)]);
        store.abandon();
        drop(store);
        flip(&folder, table, column);
        // The rest can still be read.
        let store = open(folder.path());
        let findings = store.verify(&mut |_, _| {}).unwrap();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].place.starts_with("run local/digits/a, "), "{findings:?}");
        assert!(findings[0].place.contains(place) && findings[0].message.contains(message), "{findings:?}");
        assert_eq!(json!(store.run(&journal.path).unwrap().run.row_count), json!(101));
    }
}

#[test]
fn verify_finds_flipped_bytes_of_lines_and_samples() {
    for (table, column, place) in [
        ("console_chunks", "head", "console chunk "),
        ("console_chunks", "data", "console chunk "),
        ("system_chunks", "data", "system chunk "),
    ] {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path());
        let mut journal = Journal::new("local/digits/a");
        journal.print(1.0, ConsoleOutput::Stdout, 0, &["a", "b"]).sample(1.0, &[("cpu", 0.5)]).send(&store);
        store.abandon();
        drop(store);
        flip(&folder, table, column);
        let store = open(folder.path());
        let findings = store.verify(&mut |_, _| {}).unwrap();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].place.starts_with(&format!("run local/digits/a, {place}")), "{findings:?}");
        assert_eq!(findings[0].message, "the checksum is wrong");
        // It can be said, and what comes later is kept.
        let request = ConsoleRequest { run: "local/digits/a".into(), ..ConsoleRequest::default() };
        let error = match table {
            "system_chunks" => store.export_system(&journal.path, ExportFormat::Csv, &mut Vec::new()).unwrap_err(),
            _ => store.console(&request).unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Data);
        journal.print(2.0, ConsoleOutput::Stdout, 2, &["c"]).sample(2.0, &[("cpu", 0.75)]).send(&store);
        assert_eq!(store.verify(&mut |_, _| {}).unwrap().len(), 1);
    }
}

/// What version 2 made of a store with a run of two rows and an alert.
fn make_version_2(folder: &TempDir) {
    let database = Connection::open(folder.path().join("steplog.sqlite")).unwrap();
    database.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;").unwrap();
    database.execute_batch(include_str!("../src/schema.sql")).unwrap();
    database.execute_batch(include_str!("../src/schema_2.sql")).unwrap();
    database.execute_batch(include_str!("testdata/version_2.sql")).unwrap();
    database.execute_batch("PRAGMA user_version = 2").unwrap();
}

#[test]
fn a_store_of_version_2_is_taken_over() {
    let folder = TempDir::new().unwrap();
    make_version_2(&folder);
    let store = open(folder.path());
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
    let path = "local/digits/old".parse().unwrap();
    let detail = store.run(&path).unwrap();
    assert_eq!((&*detail.run.name, detail.run.row_count, detail.console_line_count), ("old run", 2, 0));
    assert_eq!((&detail.summary["loss"], detail.alert_count), (&json!(0.25), 1));
    assert_eq!(detail.environment["python"], json!("3.12"));
    // The run goes on, and prints now.
    let mut journal = Journal::with_start("local/digits/old", |start| start.started_at = 3000.0);
    journal.print(3001.0, ConsoleOutput::Stdout, 0, &["hello"]).row(2, &[("loss", 0.125.into())]).send(&store);
    let detail = store.run(&path).unwrap();
    assert_eq!((detail.run.row_count, detail.console_line_count), (3, 1));
    assert_eq!(detail.summary["loss"], json!(0.125));
    drop(store);
    assert_eq!(open(folder.path()).verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn a_newer_store_is_left_alone() {
    let folder = TempDir::new().unwrap();
    drop(open(folder.path()));
    let database = Connection::open(folder.path().join("steplog.sqlite")).unwrap();
    database.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(database);
    let error = Store::open(folder.path(), quiet_options()).err().unwrap();
    assert!(error.to_string().contains("was written by a newer steplog (its version is 99"), "{error}");
}

/// A store whose files came before it was kept who sent them.
#[test]
fn in_a_store_of_version_3_bytes_belong_to_those_whose_files_they_are() {
    let folder = TempDir::new().unwrap();
    let database = Connection::open(folder.path().join("steplog.sqlite")).unwrap();
    database.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;").unwrap();
    for step in [
        include_str!("../src/schema.sql"),
        include_str!("../src/schema_2.sql"),
        include_str!("testdata/version_2.sql"),
        include_str!("../src/schema_3.sql"),
    ] {
        database.execute_batch(step).unwrap();
    }
    // "named" is a file of the run, "nameless" was sent just now and may have come from anybody.
    let blobs: Vec<ContentHash> = ["named", "nameless"]
        .map(|bytes| {
            let hash = ContentHash::from_bytes(Sha256::digest(bytes).into());
            let place = folder.path().join("blobs").join(&hash.to_string()[..2]);
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join(hash.to_string()), bytes).unwrap();
            hash
        })
        .into();
    let named = blobs[0].as_bytes();
    database.execute("INSERT INTO blobs VALUES (?1, 5, NULL)", [&named[..]]).unwrap();
    database.execute("INSERT INTO blobs VALUES (?1, 8, 1e12)", [&blobs[1].as_bytes()[..]]).unwrap();
    database
        .execute(
            "INSERT INTO files SELECT id, 'a.txt', ?1, 5, NULL, NULL, 0 FROM runs WHERE run_id = 'old'",
            [&named[..]],
        )
        .unwrap();
    database.execute_batch("PRAGMA user_version = 3").unwrap();
    drop(database);
    let store = open(folder.path());
    let missing = |entity: &str| -> Vec<String> {
        let missing = store.missing_blobs(&entity.parse().unwrap(), &blobs).unwrap();
        missing.into_iter().map(|blob| blob.sha256).collect()
    };
    assert_eq!(missing("local"), [blobs[1].to_string()]);
    assert_eq!(missing("eve"), [blobs[0].to_string(), blobs[1].to_string()]);
    store.remove_unused_files().unwrap();
    let (run, path) = ("local/digits/old".parse().unwrap(), "a.txt".parse().unwrap());
    assert_eq!(std::fs::read(store.file(&run, &path).unwrap().1).unwrap(), b"named");
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
    store.delete_file(&run, &path).unwrap();
    store.remove_unused_files().unwrap();
    assert_eq!(missing("local"), [blobs[0].to_string(), blobs[1].to_string()]);
}
