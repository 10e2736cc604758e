//! The summary as the store keeps it: across commits, seals and restarts it is that of all rows and changes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value as Json, json};
use steplog_model::Value;
use steplog_store::Store;
use support::{Journal, open};
use tempfile::TempDir;

const RUN: &str = "local/digits/a";

fn summary(store: &Store) -> Json {
    Json::Object(store.run(&RUN.parse().unwrap()).unwrap().summary)
}

fn map(name: &str, value: i64) -> Value {
    Value::Map(vec![(name.into(), value.into())])
}

#[test]
fn what_was_replaced_or_cleared_is_gone_also_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let mut journal = Journal::new(RUN);
    let mut send = |change: &dyn Fn(&mut Journal)| {
        change(&mut journal);
        let store = open(folder.path());
        journal.send(&store);
        store.seal_all().unwrap();
        let now = summary(&store);
        drop(store);
        assert_eq!(summary(&open(folder.path())), now);
        now
    };
    let first = send(&|journal| {
        journal.row(0, &[("v", 1.into()), ("n.a", 1.into()), ("n.b", 2.into()), ("gone", 3.into())]);
    });
    assert_eq!(first, json!({"v": 1, "n": {"a": 1, "b": 2}, "gone": 3}));
    // A leaf and a map take each other's place, and null clears.
    let replaced = send(&|journal| {
        journal.row(1, &[("v.x.y", 4.into()), ("n", 5.into()), ("gone", Value::Null)]);
    });
    assert_eq!(replaced, json!({"v": {"x": {"y": 4}}, "n": 5}));
    // So do changes by hand, from above and from below.
    let by_hand = send(&|journal| {
        journal.summary("v", Some(6.into())).summary("n.c", Some(7.into()));
    });
    assert_eq!(by_hand, json!({"v": 6, "n": {"c": 7}}));
    let stays = send(&|journal| {
        journal.row(2, &[("v.x.y", 8.into()), ("n", 9.into()), ("n.d", 10.into())]);
    });
    assert_eq!(stays, json!({"v": 6, "n": {"c": 7, "d": 10}}));
}

#[test]
fn a_typed_map_is_one_leaf_until_a_hand_changes_a_part_of_it() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    let typed = Value::Map(vec![("_type".into(), "mine".into()), ("a".into(), map("b", 1))]);
    journal.row(0, &[("t", typed)]).send(&store);
    assert_eq!(summary(&store), json!({"t": {"_type": "mine", "a": {"b": 1}}}));
    journal.summary("t.c", Some(2.into())).send(&store);
    assert_eq!(summary(&store), json!({"t": {"_type": "mine", "a": {"b": 1}, "c": 2}}));
}
