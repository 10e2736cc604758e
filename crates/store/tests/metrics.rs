//! What scripts say about metrics, and what they tell people.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value as Json, json};
use steplog_model::{Alert, Record};
use steplog_protocol::{AlertsRequest, KeysRequest, UpdateRunRequest};
use steplog_store::Store;
use support::{Journal, open};
use tempfile::TempDir;

const RUN: &str = "local/digits/a";

fn metric(json: Json) -> Record {
    Record::Metric(serde_json::from_value(json).unwrap())
}

fn summary(store: &Store) -> Json {
    Json::Object(store.run(&RUN.parse().unwrap()).unwrap().summary)
}

#[test]
fn a_mean_counts_every_row_once_whatever_is_sealed_and_restarted() {
    let folder = TempDir::new().unwrap();
    let mut journal = Journal::new(RUN);
    journal.record(metric(json!({"name": "loss", "summary": ["min", "mean", "last"]})));
    let mut total = 0.0;
    for round in 0..8 {
        let store = open(folder.path());
        for step in round * 10..round * 10 + 10 {
            journal.row(step, &[("loss", (step as f64).into())]);
            total += step as f64;
        }
        journal.send(&store);
        let expected =
            json!({"loss": {"min": 0.0, "mean": total / (round + 1) as f64 / 10.0, "last": (round * 10 + 9) as f64}});
        assert_eq!(summary(&store), expected, "round {round}");
        // Sometimes rows are in chunks at the restart, sometimes only the summary was written.
        match round % 3 {
            0 => store.seal_all().unwrap(),
            1 => drop(
                store.runs(&steplog_protocol::RunsRequest { project: "local/digits".into(), ..Default::default() }),
            ),
            _ => {}
        }
    }
}

#[test]
fn of_two_values_in_one_open_row_the_later_counts_alone() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    journal.record(metric(json!({"name": "loss", "summary": ["mean", "max"]})));
    journal.row_at(0, 1000.0, false, &[("loss", 100.0.into())]);
    journal.row_at(0, 1001.0, true, &[("loss", 1.0.into())]);
    journal.row(1, &[("loss", 3.0.into())]).send(&store);
    assert_eq!(summary(&store), json!({"loss": {"mean": 2.0, "max": 3.0}}));
}

#[test]
fn definitions_are_told_with_the_run() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    journal.record(metric(json!({"name": "val/*", "step_metric": "epoch"})));
    journal.record(metric(json!({"name": "val/*", "hidden": true}))).send(&store);
    let detail = store.run(&RUN.parse().unwrap()).unwrap();
    let told = serde_json::to_value(&detail.metrics).unwrap();
    let expected = json!([{
        "name": "val/*", "step_metric": "epoch", "step_sync": true, "hidden": true, "summary": null
    }]);
    assert_eq!(told, expected);
}

#[test]
fn keys_tell_what_the_newest_run_that_says_something_says_of_them() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let said = |runs: Option<&[&str]>| {
        let runs = runs.map(|runs| runs.iter().map(|run| (*run).to_owned()).collect());
        let list = store.keys(&KeysRequest { project: "local/digits".into(), runs }).unwrap();
        let said = list.keys.into_iter().map(|key| (key.key, key.hidden, key.step_metric));
        said.collect::<Vec<_>>()
    };
    let told = |hidden: &[(&str, bool, Option<&str>)]| {
        let told = hidden.iter().map(|(key, hidden, step)| ((*key).to_owned(), *hidden, step.map(str::to_owned)));
        told.collect::<Vec<_>>()
    };
    let run = |id: &str, created_at: f64, definitions: &[Json]| {
        let mut journal = Journal::with_start(&format!("local/digits/{id}"), |start| start.started_at = created_at);
        for definition in definitions {
            journal.record(metric(definition.clone()));
        }
        let row = [("n.epoch", 1.into()), ("val/loss", 1.into()), ("val/other", 1.into()), ("loss", 1.into())];
        journal.row(0, &row).send(&store);
    };
    let hidden = json!({"name": "val/*", "hidden": true, "step_metric": "n.epoch"});
    run("b", 2000.0, &[hidden, json!({"name": "n.epoch", "step_metric": "n.epoch"})]);
    // Older, though it comes later; and what was never logged is no axis.
    run("a", 1000.0, &[json!({"name": "val/loss", "hidden": false}), json!({"name": "loss", "step_metric": "never"})]);
    // The newest, which says nothing.
    run("c", 3000.0, &[]);
    let of_b = told(&[
        ("loss", false, None),
        ("n.epoch", false, None),
        ("val/loss", true, Some("n.epoch")),
        ("val/other", true, Some("n.epoch")),
    ]);
    assert_eq!(said(None), of_b);
    assert_eq!(said(Some(&["a", "b", "c"])), of_b);
    let nothing =
        told(&[("loss", false, None), ("n.epoch", false, None), ("val/loss", false, None), ("val/other", false, None)]);
    assert_eq!(said(Some(&["a"])), nothing);
    assert_eq!(said(Some(&["c"])), nothing);
}

fn alert(time: f64, title: &str, wait_millis: u64) -> Record {
    Record::Alert(Alert {
        time,
        title: title.into(),
        text: format!("at {time}"),
        level: Default::default(),
        wait_millis,
    })
}

#[test]
fn a_repeated_alert_is_kept_and_not_told_again() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    for (time, title) in [(10.0, "slow"), (12.0, "slow"), (13.0, "other"), (15.0, "slow"), (15.5, "slow")] {
        journal.record(alert(time, title, 5000));
    }
    journal.send(&store);
    let request = AlertsRequest { project: "local/digits".into(), limit: Some(2), ..AlertsRequest::default() };
    let times = |request: &AlertsRequest| {
        let page = store.alerts(request).unwrap();
        (page.alerts.iter().map(|alert| (alert.time, alert.repeated)).collect::<Vec<_>>(), page.next_cursor)
    };
    let (first, cursor) = times(&request);
    assert_eq!(first, vec![(15.0, false), (13.0, false)]);
    assert_eq!(times(&AlertsRequest { cursor, ..request.clone() }), (vec![(10.0, false)], None));
    let all = AlertsRequest { repeated: true, limit: None, run: Some("a".into()), ..request.clone() };
    assert_eq!(times(&all).0, vec![(15.5, true), (15.0, false), (13.0, false), (12.0, true), (10.0, false)]);
    assert_eq!(times(&AlertsRequest { run: Some("b".into()), ..all }).0, vec![]);
    assert_eq!(store.run(&RUN.parse().unwrap()).unwrap().alert_count, 3);
    let bad = AlertsRequest { cursor: Some("x".into()), ..request };
    assert_eq!(store.alerts(&bad).unwrap_err().to_string(), "\"x\" is not the cursor of a page of alerts");
}

#[test]
fn a_run_is_preempting_until_somebody_goes_on() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    journal.record(Record::Preempting { time: 1500.0 }).exit(143).send(&store);
    let path = RUN.parse().unwrap();
    assert!(store.run(&path).unwrap().run.preempting);
    store.update_run(&path, &UpdateRunRequest { name: Some("renamed".into()), ..Default::default() }).unwrap();
    assert!(store.run(&path).unwrap().run.preempting);
    Journal::with_start(RUN, |start| start.started_at = 3000.0).send(&store);
    assert!(!store.run(&path).unwrap().run.preempting);
}
