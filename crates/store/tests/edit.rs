//! What people change of a config and a summary stays, whatever the journals say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Map, Value as Json, json};
use steplog_model::Value;
use steplog_protocol::{ErrorKind, RunsRequest, UpdateRunRequest};
use steplog_store::Store;
use support::{Journal, open};
use tempfile::TempDir;

const RUN: &str = "local/digits/a";

fn object(json: Json) -> Map<String, Json> {
    json.as_object().unwrap().clone()
}

fn detail(store: &Store) -> (Json, Json) {
    let run = store.run(&RUN.parse().unwrap()).unwrap();
    (run.config.into(), run.summary.into())
}

/// Config and summary as the list has them, by their leaves.
fn listed(store: &Store) -> Json {
    let columns = vec!["config.*".into(), "summary.*".into()];
    let request = RunsRequest { project: "local/digits".into(), columns, ..RunsRequest::default() };
    json!(store.runs(&request).unwrap().runs[0].values)
}

fn edit(store: &Store, update: UpdateRunRequest) {
    store.update_run(&RUN.parse().unwrap(), &update).unwrap();
}

fn some_run(store: &Store) -> Journal {
    let mut journal = Journal::new(RUN);
    let map = Value::Map(vec![("depth".into(), 3.into()), ("width".into(), 8.into())]);
    journal.config("lr", 0.1).config("model", map).config("seed", 1);
    journal.row(0, &[("loss", 0.5.into()), ("q.a", 1.into()), ("q.b", 2.into())]);
    journal.summary("best", Some(0.9.into()));
    journal.send(store);
    journal
}

fn some_edits() -> UpdateRunRequest {
    UpdateRunRequest {
        set_config: object(json!({"lr": 0.2, "model": {"depth": 4}, "note": null, "limit": "Infinity"})),
        remove_config: vec!["seed".into()],
        set_summary: object(json!({"best": "Infinity", "q": {"c": 3}, r"a\.b": [1, "x"]})),
        remove_summary: vec!["loss".into()],
        ..UpdateRunRequest::default()
    }
}

#[test]
fn changes_win_over_what_came_before_and_what_comes_later() {
    let folder = TempDir::new().unwrap();
    let mut store = open(folder.path());
    let mut journal = some_run(&store);
    edit(&store, some_edits());
    let config = json!({"lr": 0.2, "model": {"depth": 4}, "note": null, "limit": "Infinity"});
    let summary = json!({"a.b": [1, "x"], "best": "Infinity", "q": {"c": 3}});
    let leaves = json!({
        "config.lr": 0.2, "config.model.depth": 4, "config.note": null, "config.limit": "Infinity",
        r"summary.a\.b": [1, "x"], "summary.best": "Infinity", "summary.q.c": 3,
    });
    assert_eq!((detail(&store), listed(&store)), ((config.clone(), summary), leaves));
    // The run goes on and says the same keys anew, and one more.
    journal.config("lr", 0.3).config("seed", 2).config("model", 5).config("more", true);
    journal.row(1, &[("loss", 0.4.into()), ("q.a", 3.into()), ("accuracy", 0.8.into())]);
    journal.summary("best", Some(0.95.into())).send(&store);
    let mut config = object(config);
    config.insert("more".into(), true.into());
    let summary = json!({"a.b": [1, "x"], "accuracy": 0.8, "best": "Infinity", "q": {"c": 3}});
    let leaves = json!({
        "config.lr": 0.2, "config.model.depth": 4, "config.note": null, "config.limit": "Infinity", "config.more": true,
        r"summary.a\.b": [1, "x"], "summary.accuracy": 0.8, "summary.best": "Infinity", "summary.q.c": 3,
    });
    let expected = ((Json::from(config), summary), leaves);
    assert_eq!((detail(&store), listed(&store)), expected);
    // After a kill, after a seal, and after an orderly end.
    for _ in 0..2 {
        store.abandon();
        drop(store);
        store = open(folder.path());
        assert_eq!((detail(&store), listed(&store)), expected);
        store.seal_all().unwrap();
        assert_eq!((detail(&store), listed(&store)), expected);
    }
    store.close().unwrap();
    drop(store);
    store = open(folder.path());
    assert_eq!((detail(&store), listed(&store)), expected);
}

#[test]
fn a_later_change_replaces_earlier_ones_at_and_below_its_key() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    some_run(&store);
    let set = |json: Json| edit(&store, UpdateRunRequest { set_summary: object(json), ..UpdateRunRequest::default() });
    set(json!({"q.a": 7}));
    assert_eq!(detail(&store).1, json!({"best": 0.9, "loss": 0.5, "q": {"a": 7, "b": 2}}));
    set(json!({"q": {"z": 1}}));
    assert_eq!(detail(&store).1, json!({"best": 0.9, "loss": 0.5, "q": {"z": 1}}));
    set(json!({"q.z": null, "loss": 1}));
    assert_eq!(detail(&store).1, json!({"best": 0.9, "loss": 1}));
    let filter = Some("summary.loss = 1 and `summary.q.z` = null and summary.q.a = null".into());
    let request = RunsRequest { project: "local/digits".into(), filter, ..RunsRequest::default() };
    assert_eq!(store.runs(&request).unwrap().total, 1);
}

#[test]
fn what_cannot_be_kept_is_refused_whole() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    some_run(&store);
    let before = detail(&store);
    let deep = (0..70).fold(json!(1), |inner, _| json!([inner]));
    let many: Map<String, Json> = (0..10_001).map(|key| (format!("k{key}"), key.into())).collect();
    for (set_config, message) in [
        (object(json!({"": 1})), "a config key must have 1 to 4096 bytes, not 0".to_owned()),
        (object(json!({"deep": deep})), "the value of config.deep nests more than 64 levels deep".to_owned()),
        (
            object(json!({"text": "x".repeat((1 << 20) + 1)})),
            "the value of config.text has a text of 1048577 bytes, more than 1048576".to_owned(),
        ),
        (many, "more than 10000 keys of the run would be changed by hand".to_owned()),
    ] {
        let update = UpdateRunRequest { set_config, name: Some("new".into()), ..UpdateRunRequest::default() };
        let error = store.update_run(&RUN.parse().unwrap(), &update).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Invalid, message));
    }
    assert_eq!(detail(&store), before);
    assert_ne!(store.run(&RUN.parse().unwrap()).unwrap().run.name, "new");
}
