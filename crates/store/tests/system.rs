//! What machines are busy with: stored, charted beside the metrics, exported, and kept out of the history.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use rusqlite::Connection;
use serde_json::json;
use steplog_model::Record;
use steplog_protocol::{KeysRequest, MetricKey, SeriesRequest, ValueKind, XAxis};
use steplog_store::{ExportFormat, ExportSelection, Store};
use support::{Chart, Journal, open};
use tempfile::TempDir;

const RUN: &str = "local/digits/a";

fn chart(store: &Store, key: &str, x: XAxis, buckets: u32) -> Chart {
    let request =
        SeriesRequest { runs: vec![RUN.into()], keys: vec![key.into()], x, range: None, buckets: Some(buckets) };
    Chart::decode(&store.series(&request).unwrap())
}

/// The points of a chart with a bucket for each.
fn points(store: &Store, key: &str, x: XAxis) -> Vec<(f64, f64)> {
    chart(store, key, x, 10_000).rows.iter().map(|row| (row.x, row.last)).collect()
}

fn keys(store: &Store, runs: Option<&[&str]>) -> Vec<(String, u64, u64)> {
    let runs = runs.map(|runs| runs.iter().map(|run| (*run).to_owned()).collect());
    let list = store.keys(&KeysRequest { project: "local/digits".into(), runs }).unwrap();
    let key = |key: MetricKey| {
        assert_eq!(key.kind, ValueKind::Number, "{}", key.key);
        (key.key, key.run_count, key.point_count)
    };
    list.keys.into_iter().map(key).collect()
}

fn export(store: &Store, format: ExportFormat) -> String {
    let mut out = Vec::new();
    store.export_system(&RUN.parse().unwrap(), format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn samples_are_series_beside_the_metrics_and_no_rows() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    journal.sample(1000.5, &[("cpu", 10.0), ("memory", 1.0)]);
    journal.row(3, &[("loss", 1.0.into())]).sample(1001.0, &[("cpu", 20.0)]).sample(1002.0, &[("cpu", 40.0)]);
    journal.row(7, &[("loss", 0.5.into())]).send(&store);
    journal.sample(1003.0, &[("cpu", f64::NAN), ("memory", 2.0)]).send(&store);

    let cpu = points(&store, "_system/cpu", XAxis::RelativeTime);
    assert_eq!(cpu[..3], [(0.5, 10.0), (1.0, 20.0), (2.0, 40.0)]);
    assert_eq!((cpu.len(), cpu[3].0, cpu[3].1.is_nan()), (4, 3.0, true));
    assert_eq!(points(&store, "_system/memory", XAxis::WallTime), [(1000.5, 1.0), (1003.0, 2.0)]);
    // At the highest step that the run had.
    let by_step = chart(&store, "_system/cpu", XAxis::Step, 1000);
    let bucket = |index: usize| {
        let row = by_step.rows[index];
        (row.x, row.min, row.max, row.mean, row.last, row.counts)
    };
    assert_eq!(bucket(0), (0.0, 10.0, 10.0, 10.0, 10.0, [1, 0, 0, 0]));
    assert_eq!(bucket(1), (3.0, 20.0, 40.0, 30.0, 40.0, [2, 0, 0, 0]));
    assert_eq!(by_step.rows[2].counts, [1, 1, 0, 0]);
    let info = &by_step.metadata.series[0];
    assert_eq!((info.point_count, info.first_x, info.last_x), (4, 0.0, 7.0));
    // Few buckets have exact statistics, too.
    let coarse = chart(&store, "_system/cpu", XAxis::WallTime, 2);
    assert_eq!(coarse.rows.iter().map(|row| row.counts[0]).sum::<u32>(), 4);
    assert_eq!(coarse.rows.iter().map(|row| row.max).fold(0.0, f64::max), 40.0);
    assert_eq!(points(&store, "_system/cpu", XAxis::Metric { key: "loss".into() }), []);
    assert_eq!(points(&store, "_system/none", XAxis::Step), []);

    let expected = [("_system/cpu".into(), 1, 4), ("_system/memory".into(), 1, 2), ("loss".into(), 1, 2)];
    assert_eq!(keys(&store, None), expected);
    assert_eq!(keys(&store, Some(&["a"])), expected);
    let detail = store.run(&journal.path).unwrap();
    assert_eq!((detail.run.row_count, detail.run.key_count, detail.run.last_step), (2, 1, Some(7)));
    assert_eq!(json!(detail.summary), json!({ "loss": 0.5 }));
    let mut history = Vec::new();
    store.export(&journal.path, ExportFormat::Csv, &ExportSelection::default(), &mut history).unwrap();
    assert_eq!(String::from_utf8(history).unwrap().lines().next(), Some("_step,_timestamp,_runtime,loss"));

    assert_eq!(
        export(&store, ExportFormat::Csv),
        "_step,_timestamp,_runtime,cpu,memory\r\n0,1000.5,0.5,10.0,1.0\r\n3,1001.0,1.0,20.0,\r\n3,1002.0,2.0,40.0,\r\n7,1003.0,3.0,NaN,2.0\r\n"
    );
    let last = r#"{"_step":7,"_timestamp":1003.0,"_runtime":3.0,"cpu":"NaN","memory":2.0}"#;
    assert_eq!(export(&store, ExportFormat::Jsonl).lines().last(), Some(last));
}

#[test]
fn a_resumed_run_goes_on_and_labelled_processes_are_told_apart() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    Journal::new(RUN).sample(1001.0, &[("cpu", 1.0)]).exit(1).send(&store);
    Journal::with_start(RUN, |start| start.started_at = 3000.0).sample(3001.0, &[("cpu", 2.0)]).send(&store);
    let label = |label: &'static str| {
        move |start: &mut steplog_model::RunStart| {
            start.label = Some(label.into());
            start.started_at = 3002.0;
        }
    };
    Journal::with_start(RUN, label("rank 0")).sample(3002.5, &[("cpu", 3.0)]).send(&store);
    Journal::with_start(RUN, label("a/b\n")).sample(3003.5, &[("cpu", 4.0)]).send(&store);
    assert_eq!(points(&store, "_system/cpu", XAxis::WallTime), [(1001.0, 1.0), (3001.0, 2.0)]);
    assert_eq!(points(&store, "_system/rank 0/cpu", XAxis::WallTime), [(3002.5, 3.0)]);
    assert_eq!(points(&store, "_system/a_b_/cpu", XAxis::WallTime), [(3003.5, 4.0)]);
    let names: Vec<_> = keys(&store, None).into_iter().map(|(key, ..)| key).collect();
    assert_eq!(names, ["_system/a_b_/cpu", "_system/cpu", "_system/rank 0/cpu"]);
    assert_eq!(
        export(&store, ExportFormat::Csv).lines().next(),
        Some("_step,_timestamp,_runtime,a_b_/cpu,cpu,rank 0/cpu")
    );
}

#[test]
fn samples_are_joined_survive_a_crash_once_and_go_with_their_run() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    let sample = |journal: &mut Journal, index: u32| {
        let values = [("cpu", f64::from(index)), ("memory", 0.5)];
        journal.sample(1000.0 + f64::from(index), &values[..1 + (index as usize % 3).min(1)]);
    };
    for index in 0..500 {
        sample(&mut journal, index);
        journal.send(&store);
    }
    store.ingest_blocking(journal.ingest(0, journal.bytes(0))).unwrap();
    store.abandon();
    drop(store);
    let store = open(folder.path());
    for index in 500..600 {
        sample(&mut journal, index);
    }
    journal.send(&store);
    let expected: Vec<_> = (0..600).map(|index| (f64::from(index), f64::from(index))).collect();
    assert_eq!(points(&store, "_system/cpu", XAxis::RelativeTime), expected);
    assert_eq!(points(&store, "_system/memory", XAxis::RelativeTime).len(), 400);
    assert_eq!(keys(&store, None)[..], [("_system/cpu".into(), 1, 600), ("_system/memory".into(), 1, 400)]);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
    let count = |table: &str| {
        let database = Connection::open(folder.path().join("steplog.sqlite")).unwrap();
        let count: i64 = database.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap();
        count
    };
    assert!(count("system_chunks") <= 12, "{}", count("system_chunks"));
    store.delete_run(&journal.path).unwrap();
    assert_eq!((count("system_chunks"), count("system_series")), (0, 0));
}

#[test]
fn a_metric_of_a_script_does_not_take_the_place_of_a_system_metric() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    journal.row(0, &[("_system/cpu", 99.0.into()), ("_system/mine", 1.0.into())]).sample(1001.0, &[("cpu", 5.0)]);
    journal.send(&store);
    assert_eq!(points(&store, "_system/cpu", XAxis::RelativeTime), [(1.0, 5.0)]);
    assert_eq!(points(&store, "_system/mine", XAxis::Step), []);
    assert_eq!(keys(&store, None), [("_system/cpu".into(), 1, 1)]);
    let mut history = Vec::new();
    store.export(&journal.path, ExportFormat::Jsonl, &ExportSelection::default(), &mut history).unwrap();
    let row = r#"{"_step":0,"_timestamp":1000.0,"_runtime":0.0,"_system/cpu":99.0,"_system/mine":1.0}"#;
    assert_eq!(String::from_utf8(history).unwrap().trim_end(), row);
}

#[test]
fn a_run_has_room_for_so_many_system_metrics() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    for sample in 0..3 {
        let names: Vec<String> = (0..4000).map(|metric| format!("{}", sample * 4000 + metric)).collect();
        let values: Vec<_> = names.iter().map(|name| (&**name, 1.0)).collect();
        journal.sample(1001.0, &values);
    }
    journal.send(&store);
    assert_eq!(keys(&store, None).len(), 10_000);
    assert_eq!(export(&store, ExportFormat::Csv).lines().count(), 4);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn surroundings_that_are_known_late_join_those_of_the_start() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let object = |value: serde_json::Value| match value {
        serde_json::Value::Object(object) => object,
        other => panic!("{other}"),
    };
    let mut journal = Journal::with_start(RUN, |start| {
        start.environment = object(json!({ "program": "train.py", "git": null }));
    });
    journal.record(Record::Environment(object(json!({ "git": { "commit": "abc" }, "packages": ["numpy"] }))));
    journal.send(&store);
    let environment = |store: &Store| json!(store.run(&RUN.parse().unwrap()).unwrap().environment);
    let known = json!({ "program": "train.py", "git": { "commit": "abc" }, "packages": ["numpy"] });
    assert_eq!(environment(&store), known);
    // A process that was forked does not speak for the run; and what is too large is left out.
    let mut child = Journal::with_start(RUN, |start| start.parent_stream = Some(journal.stream));
    child.record(Record::Environment(object(json!({ "program": "child.py" })))).send(&store);
    let large = "x".repeat(1 << 20);
    journal.record(Record::Environment(object(json!({ "packages": large, "gpu": "none" })))).send(&store);
    let known = json!({ "program": "train.py", "git": { "commit": "abc" }, "packages": ["numpy"], "gpu": "none" });
    assert_eq!(environment(&store), known);
}
