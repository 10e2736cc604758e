//! Runs that go on from a step of another, or of themselves: what counts as their history.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value as Json, json};
use steplog_model::{ForkPoint, Record};
use steplog_protocol::{KeysRequest, SeriesRequest, XAxis};
use steplog_store::{ExportFormat, ExportSelection, Store};
use support::{Chart, Journal, open};
use tempfile::TempDir;

const PARENT: &str = "local/digits/a";
const FORK: &str = "local/digits/b";

fn points_by(store: &Store, path: &str, key: &str, x: XAxis) -> Vec<(f64, f64)> {
    let request =
        SeriesRequest { runs: vec![path.into()], keys: vec![key.into()], x, range: None, buckets: Some(10_000) };
    let chart = Chart::decode(&store.series(&request).unwrap());
    chart.rows.iter().map(|row| (row.x, row.last)).collect()
}

fn points(store: &Store, path: &str) -> Vec<(f64, f64)> {
    points_by(store, path, "loss", XAxis::Step)
}

fn summary(store: &Store, path: &str) -> Json {
    Json::Object(store.run(&path.parse().unwrap()).unwrap().summary)
}

fn export(store: &Store, path: &str) -> String {
    let mut out = Vec::new();
    store.export(&path.parse().unwrap(), ExportFormat::Jsonl, &ExportSelection::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn parent() -> Journal {
    let mut journal = Journal::new(PARENT);
    for step in 0..6 {
        journal.row(step, &[("loss", (step as f64).into()), ("epoch", (step as f64 * 10.0).into())]);
    }
    journal.summary("best", Some(9.into()));
    journal
}

fn fork() -> Journal {
    let point = ForkPoint { run_id: "a".parse().unwrap(), step: 2 };
    let mut journal = Journal::with_start(FORK, |start| {
        start.fork_from = Some(point);
        start.started_at = 1500.0;
    });
    journal.row_at(3, 1600.0, true, &[("loss", 33.0.into()), ("new", true.into())]);
    journal
}

#[test]
fn a_fork_has_the_rows_of_its_parent_up_to_the_step_and_its_own() {
    let folder = TempDir::new().unwrap();
    let mut store = open(folder.path());
    parent().exit(0).send(&store);
    fork().send(&store);
    let expected = vec![(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 33.0)];
    for round in 0..3 {
        assert_eq!(points(&store, FORK), expected, "round {round}");
        assert_eq!(points(&store, PARENT).len(), 6);
        // What began with the parent goes on from its clock.
        let times = points_by(&store, FORK, "loss", XAxis::RelativeTime);
        assert_eq!(times.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 33.0]);
        let epochs = points_by(&store, FORK, "loss", XAxis::Metric { key: "epoch".into() });
        assert_eq!(epochs.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
        assert_eq!(summary(&store, FORK), json!({"loss": 33.0, "epoch": 20.0, "new": true}));
        let rows: Vec<Json> = export(&store, FORK).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let cells: Vec<_> =
            rows.iter().map(|row| (row["_step"].as_i64().unwrap(), row["loss"].as_f64().unwrap())).collect();
        assert_eq!(cells, [(0, 0.0), (1, 1.0), (2, 2.0), (3, 33.0)]);
        let keys = store.keys(&KeysRequest { project: "local/digits".into(), runs: Some(vec!["b".into()]) }).unwrap();
        let keys: Vec<_> = keys.keys.iter().map(|key| (&*key.key, key.run_count)).collect();
        assert_eq!(keys, [("epoch", 1), ("loss", 1), ("new", 1)]);
        let detail = store.run(&FORK.parse().unwrap()).unwrap();
        assert_eq!(detail.fork_from.map(|point| (point.run, point.step)), Some(("a".into(), 2)));
        assert_eq!(store.run(&PARENT.parse().unwrap()).unwrap().forks, ["b"]);
        match round {
            0 => store.seal_all().unwrap(),
            _ => {
                drop(store);
                store = open(folder.path());
            }
        }
    }
}

#[test]
fn a_fork_shows_late_rows_of_its_parent_and_lets_its_own_win() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut parent = parent();
    parent.send(&store);
    let mut fork = fork();
    fork.send(&store);
    parent.row(1, &[("loss", 11.0.into())]).row(9, &[("loss", 99.0.into())]).send(&store);
    assert_eq!(points(&store, FORK), [(0.0, 0.0), (1.0, 11.0), (2.0, 2.0), (3.0, 33.0)]);
    fork.row(1, &[("loss", 111.0.into())]).send(&store);
    assert_eq!(points(&store, FORK), [(0.0, 0.0), (1.0, 111.0), (2.0, 2.0), (3.0, 33.0)]);
    assert_eq!(points(&store, PARENT)[1], (1.0, 11.0));
}

#[test]
fn a_fork_whose_parent_is_not_here_has_its_own_rows() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    fork().send(&store);
    assert_eq!(points(&store, FORK), [(3.0, 33.0)]);
    parent().send(&store);
    assert_eq!(points(&store, FORK).len(), 4);
}

#[test]
fn a_fork_of_itself_does_not_go_round_for_ever() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let point = ForkPoint { run_id: "b".parse().unwrap(), step: 2 };
    let mut journal = Journal::with_start(FORK, |start| start.fork_from = Some(point));
    journal.row(1, &[("loss", 1.0.into())]).row(7, &[("loss", 7.0.into())]).send(&store);
    assert_eq!(points(&store, FORK), [(1.0, 1.0), (7.0, 7.0)]);
}

#[test]
fn a_run_with_forks_cannot_be_removed_before_them() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    parent().exit(0).send(&store);
    fork().exit(0).send(&store);
    let refused = store.delete_run(&PARENT.parse().unwrap()).unwrap_err();
    assert_eq!(refused.to_string(), "the run local/digits/a cannot be removed: b begins with its history");
    store.delete_run(&FORK.parse().unwrap()).unwrap();
    store.delete_run(&PARENT.parse().unwrap()).unwrap();
}

#[test]
fn a_rewound_run_forgets_higher_steps_of_before_and_keeps_what_comes() {
    for sealed_before in [false, true] {
        let folder = TempDir::new().unwrap();
        let mut store = open(folder.path());
        let mut first = parent();
        first.record(Record::Metric(serde_json::from_value(json!({"name": "epoch", "summary": ["mean"]})).unwrap()));
        first.row(6, &[("epoch", 60.0.into()), ("gone", 1.into())]).exit(1).send(&store);
        if sealed_before {
            store.seal_all().unwrap();
        }
        // Seen before, so that something is kept of it.
        assert_eq!(points(&store, PARENT).len(), 6);
        let mut second = Journal::with_start(PARENT, |start| {
            start.rewind_to = Some(2);
            start.resumed = true;
            start.started_at = 3000.0;
        });
        second.send(&store);
        assert_eq!(points(&store, PARENT), [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]);
        let expected = json!({"loss": 2.0, "epoch": {"mean": 10.0}, "best": 9});
        assert_eq!(summary(&store, PARENT), expected);
        assert_eq!(store.run(&PARENT.parse().unwrap()).unwrap().run.last_step, Some(2));
        second.row(3, &[("loss", 0.3.into())]).row(4, &[("loss", 0.4.into())]).send(&store);
        let expected = vec![(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 0.3), (4.0, 0.4)];
        for round in 0..3 {
            assert_eq!(points(&store, PARENT), expected, "round {round}");
            assert_eq!(export(&store, PARENT).lines().count(), 5);
            assert_eq!(summary(&store, PARENT)["loss"], json!(0.4));
            assert_eq!(store.run(&PARENT.parse().unwrap()).unwrap().run.last_step, Some(4));
            match round {
                0 => store.seal_all().unwrap(),
                _ => {
                    drop(store);
                    store = open(folder.path());
                }
            }
        }
    }
}
