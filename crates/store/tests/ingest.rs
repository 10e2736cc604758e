//! What was acknowledged is there once, in order, whatever is sent.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use steplog_model::{Record, Value};
use steplog_protocol::{ErrorKind, KeysRequest, RunState, SeriesRequest, ValueKind, XAxis};
use steplog_store::Store;
use support::{Chart, Journal, open, quiet_options};
use tempfile::TempDir;

fn points(store: &Store, path: &str, key: &str) -> Vec<(f64, f64)> {
    let request = SeriesRequest {
        runs: vec![path.into()],
        keys: vec![key.into()],
        x: XAxis::Step,
        range: None,
        buckets: Some(10_000),
    };
    let chart = Chart::decode(&store.series(&request).unwrap());
    assert!(chart.metadata.grids[0].exact || chart.rows.is_empty());
    chart.rows.iter().map(|row| (row.x, row.last)).collect()
}

#[test]
fn rows_are_there_before_and_after_a_seal_and_a_restart() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    for step in 0..10 {
        journal.row(step, &[("loss", (step as f64).into()), ("note", "x".into())]);
    }
    journal.send(&store);
    let expected: Vec<(f64, f64)> = (0..10).map(|step| (f64::from(step), f64::from(step))).collect();
    assert_eq!(points(&store, "local/digits/a", "loss"), expected);
    store.seal_all().unwrap();
    assert_eq!(points(&store, "local/digits/a", "loss"), expected);
    journal.row(3, &[("loss", 33.0.into())]).row(12, &[("loss", 12.0.into())]).send(&store);
    let mut expected = expected;
    expected[3].1 = 33.0;
    expected.push((12.0, 12.0));
    assert_eq!(points(&store, "local/digits/a", "loss"), expected);
    store.abandon();
    drop(store);
    let store = open(folder.path());
    assert_eq!(points(&store, "local/digits/a", "loss"), expected);
    store.close().unwrap();
    drop(store);
    let store = open(folder.path());
    assert_eq!(points(&store, "local/digits/a", "loss"), expected);
    assert_eq!(points(&store, "local/digits/a", "note"), vec![]);
    let keys = store.keys(&KeysRequest { project: "local/digits".into(), runs: None }).unwrap().keys;
    let keys: Vec<_> = keys.iter().map(|key| (&*key.key, key.kind, key.run_count, key.point_count)).collect();
    assert_eq!(keys, vec![("loss", ValueKind::Number, 1, 12), ("note", ValueKind::Other, 1, 10)]);
}

#[test]
fn a_repeated_request_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    journal.row(0, &[("loss", 1.0.into())]);
    let first = journal.bytes(0);
    journal.row(1, &[("loss", 2.0.into())]);
    let all = journal.bytes(0);
    for bytes in [&first, &first, &all, &first, &all] {
        store.ingest_blocking(journal.ingest(0, bytes.clone())).unwrap();
    }
    let end = all.len() as u64;
    assert_eq!(store.durable_offset(&journal.path, journal.stream).unwrap().durable_offset, end);
    assert_eq!(points(&store, "local/digits/a", "loss"), vec![(0.0, 1.0), (1.0, 2.0)]);
    let run = store.run(&journal.path).unwrap();
    assert_eq!((run.run.row_count, run.run.last_step, run.run.key_count), (2, Some(1), 1));
    assert_eq!(run.streams[0].record_count, 3);
}

#[test]
fn every_cut_of_a_journal_is_taken_up_to_its_last_whole_frame() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    for step in 0..5 {
        journal.row(step, &[("loss", (step as f64).into())]);
    }
    let all = journal.bytes(0);
    let mut durable = 0;
    for cut in 0..=all.len() {
        let bytes = all[durable as usize..cut].to_vec();
        durable = store.ingest_blocking(journal.ingest(durable, bytes)).unwrap().durable_offset;
        assert!(durable <= cut as u64);
    }
    assert_eq!(durable, all.len() as u64);
    let expected: Vec<(f64, f64)> = (0..5).map(|step| (f64::from(step), f64::from(step))).collect();
    assert_eq!(points(&store, "local/digits/a", "loss"), expected);
}

#[test]
fn an_offset_from_the_future_is_refused_with_the_durable_one() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    journal.row(0, &[("loss", 1.0.into())]).send(&store);
    let sent = journal.sent;
    let error = store.ingest_blocking(journal.ingest(sent + 1, vec![1])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.ingest_response().unwrap().durable_offset, sent);
    assert!(error.to_string().contains(&journal.stream.to_string()), "{error}");
}

#[test]
fn damage_is_named_and_what_stands_before_it_is_kept() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    journal.row(0, &[("loss", 1.0.into())]);
    let good = journal.bytes(0).len();
    journal.row(1, &[("loss", 2.0.into())]);
    let mut bytes = journal.bytes(0);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let error = store.ingest_blocking(journal.ingest(0, bytes)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.ingest_response().unwrap().durable_offset, good as u64);
    assert!(error.to_string().contains(&format!("at byte {good}: the frame's checksum is wrong")), "{error}");
    assert_eq!(points(&store, "local/digits/a", "loss"), vec![(0.0, 1.0)]);
    let damage = store.run(&journal.path).unwrap().streams[0].damage.clone().unwrap();
    assert!(damage.contains("checksum is wrong"), "{damage}");
    let whole = journal.bytes(good as u64);
    store.ingest_blocking(journal.ingest(good as u64, whole)).unwrap();
    assert_eq!(points(&store, "local/digits/a", "loss"), vec![(0.0, 1.0), (1.0, 2.0)]);
}

#[test]
fn foreign_bytes_are_refused_and_make_no_run() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let journal = Journal::new("local/digits/a");
    let other = Journal::new("local/other/b");
    let bytes = |journal: &Journal| journal.bytes(0);
    let no_start = {
        let mut journal = Journal::without_start("local/digits/a");
        journal.record(Record::Heartbeat { time: 1.0 });
        (journal.ingest(0, bytes(&journal)), "does not begin with a run start")
    };
    let entity = Journal::with_start("local/digits/a", |start| start.entity = Some("ann".into()));
    for (request, message) in [
        (journal.ingest(0, b"GET / HTTP/1.1".to_vec()), "does not begin with a segment header"),
        (journal.ingest(0, bytes(&other)), "the segment belongs to the stream"),
        (
            {
                let mut request = other.ingest(0, bytes(&other));
                request.path = journal.path.clone();
                request
            },
            "belongs to another run: it says other/b",
        ),
        (entity.ingest(0, bytes(&entity)), "belongs to another entity: it says \"ann\""),
        no_start,
    ] {
        let error = store.ingest_blocking(request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(message), "{error}");
    }
    assert_eq!(store.projects().unwrap().projects, vec![]);
}

#[test]
fn folder_mode_goes_on_behind_a_gap() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::with_segments("local/digits/a", 200);
    let start = support::start(&journal.path);
    journal.record(Record::RunStart(Box::new(start)));
    for step in 0..20 {
        journal.row(step, &[("loss", (step as f64).into())]);
    }
    let all = journal.bytes(0);
    let headers: Vec<usize> = (1..all.len()).filter(|at| all[*at..].starts_with(b"STEPLOG\0")).collect();
    let (first, third) = (headers[0], headers[1]);
    let mut request = journal.ingest(0, all[..first].to_vec());
    request.gap_allowed = true;
    store.ingest_blocking(request).unwrap();
    let mut request = journal.ingest(third as u64, all[third..].to_vec());
    assert_eq!(store.ingest_blocking(request.clone()).unwrap_err().kind(), ErrorKind::Conflict);
    request.gap_allowed = true;
    assert_eq!(store.ingest_blocking(request).unwrap().durable_offset, all.len() as u64);
    let seen = points(&store, "local/digits/a", "loss");
    assert!(seen.len() < 20 && seen.last() == Some(&(19.0, 19.0)), "{seen:?}");
    store.abandon();
    drop(store);
    assert_eq!(points(&open(folder.path()), "local/digits/a", "loss"), seen);
}

#[test]
fn a_run_has_what_its_records_say() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::with_start("local/digits/a", |start| {
        start.name = Some("first".into());
        start.tags = Some(vec!["demo".into()]);
        start.group = Some("g".into());
        start.host = Some("box".into());
        start.process_id = Some(7);
        start.environment = serde_json::from_str(r#"{"python": "3.13"}"#).unwrap();
    });
    journal
        .config("lr", 0.1)
        .config("model", Value::Map(vec![("depth".into(), 3.into())]))
        .row_at(0, 1000.0, false, &[("loss", 1.0.into()), ("val.acc", f64::NAN.into())])
        .send(&store);
    let detail = store.run(&journal.path).unwrap();
    assert_eq!(json!(detail.summary), json!({}));
    journal.row(1, &[("loss", 0.5.into())]).summary("best", Some(0.9.into())).send(&store);
    let check = |store: &Store| {
        let detail = store.run(&journal.path).unwrap();
        assert_eq!(json!(detail.summary), json!({"best": 0.9, "loss": 0.5, "val": {"acc": "NaN"}}));
        assert_eq!(json!(detail.config), json!({"lr": 0.1, "model": {"depth": 3}}));
        assert_eq!(json!(detail.environment), json!({"python": "3.13"}));
        let run = detail.run;
        assert_eq!((&*run.name, run.state, run.row_count), ("first", RunState::Running, 2));
        assert_eq!((run.tags, run.group.as_deref()), (vec!["demo".to_owned()], Some("g")));
        assert_eq!((detail.streams[0].host.as_deref(), detail.streams[0].process_id), (Some("box"), Some(7)));
    };
    check(&store);
    store.abandon();
    drop(store);
    let store = open(folder.path());
    check(&store);
    store.seal_all().unwrap();
    check(&store);
    store.abandon();
    drop(store);
    check(&open(folder.path()));
}

#[test]
fn twenty_thousand_keys_are_no_trouble() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/wide");
    for key in 0..20_000 {
        journal.row(key / 100, &[(&format!("k{key}"), (key as f64).into())]);
    }
    let names: Vec<String> = (0..20_000).map(|key| format!("k{key}")).collect();
    let row: Vec<(&str, Value)> = names.iter().map(|name| (&**name, Value::Float(1.5))).collect();
    journal.row(500, &row).send(&store);
    store.seal_all().unwrap();
    journal.row(501, &row).send(&store);
    assert_eq!(points(&store, "local/digits/wide", "k777"), vec![(7.0, 777.0), (500.0, 1.5), (501.0, 1.5)]);
    assert_eq!(store.run(&journal.path).unwrap().run.key_count, 20_000);
    store.abandon();
    drop(store);
    let store = open(folder.path());
    assert_eq!(points(&store, "local/digits/wide", "k777"), vec![(7.0, 777.0), (500.0, 1.5), (501.0, 1.5)]);
}

#[test]
fn a_second_process_is_refused() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let error = Store::open(folder.path(), quiet_options()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("another steplog process uses the data directory"), "{error}");
    drop(store);
    open(folder.path());
}

#[test]
fn a_stream_tells_when_its_process_began_and_of_whom_it_was_forked() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut first = Journal::new("local/digits/a");
    first.row(0, &[("loss", 1.0.into())]).send(&store);
    let mut child = Journal::with_start("local/digits/a", |start| {
        start.parent_stream = Some(first.stream);
        start.started_at = 1500.0;
    });
    child.row(1, &[("loss", 1.0.into())]).send(&store);
    let streams = store.run(&first.path).unwrap().streams;
    let told: Vec<_> = streams.into_iter().map(|stream| (stream.id, stream.started_at, stream.parent)).collect();
    let id = first.stream.to_string();
    assert_eq!(told, [(id.clone(), 1000.0, None), (child.stream.to_string(), 1500.0, Some(id))]);
}
