//! A run as a Rust program uses it: what it leaves on disk, and what it answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use steplog::{ErrorKind, FinishReport, Mode, Run, RunBuilder, Value, Verbosity, find_runs};
use steplog_journal::{JournalReader, StreamDecoder};
use steplog_model::{Change, Record};
use tempfile::TempDir;

fn offline(root: &Path) -> RunBuilder {
    Run::builder("digits").root(root).mode(Mode::Offline).verbosity(Verbosity::Silent)
}

/// All records below a folder but the start, with times as 0.
fn records(root: &Path) -> Vec<Record> {
    let mut records = Vec::new();
    for run in find_runs(root).unwrap() {
        for stream in run.streams().unwrap() {
            let reader = JournalReader::new(run.journal(stream));
            let mut decoder = StreamDecoder::new(stream);
            loop {
                let chunk = reader.read(decoder.offset(), 1 << 20).unwrap();
                if chunk.bytes.is_empty() {
                    break;
                }
                decoder.decode(&chunk.bytes, |record| records.push(record)).unwrap();
            }
        }
    }
    records.retain(|record| !matches!(record, Record::RunStart(_) | Record::Heartbeat { .. }));
    for record in &mut records {
        match record {
            Record::Row(row) => row.time = 0.0,
            Record::Exit { time, .. } => *time = 0.0,
            _ => {}
        }
    }
    records
}

fn row(step: i64, committed: bool, entries: &[(&str, f64)]) -> Record {
    let entries = entries.iter().map(|(key, value)| ((*key).into(), Value::Float(*value))).collect();
    Record::Row(steplog_model::Row { step, time: 0.0, committed, entries })
}

#[test]
fn rows_are_on_disk_as_soon_as_log_returns_open_ones_too() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).config("lr", 0.1).init().unwrap();
    run.log([("loss", 1.0)]).unwrap();
    run.log_at(5, [("loss", 0.5)]).unwrap();
    run.log_at(2, [("late", 2.0)]).unwrap();
    let config = Record::Config(vec![Change { key: "lr".into(), value: Some(Value::Float(0.1)) }]);
    let expected =
        vec![config, row(0, true, &[("loss", 1.0)]), row(5, false, &[("loss", 0.5)]), row(2, true, &[("late", 2.0)])];
    assert_eq!(records(root.path()), expected);
    assert_eq!(run.step(), 5);
    assert_eq!(run.summary().get("loss"), Some(&Value::Float(1.0)), "an open row does not count yet");
    assert_eq!(run.finish_with(3), FinishReport::Local { missing_bytes: 0 });
    assert_eq!(run.summary().get("loss"), Some(&Value::Float(0.5)));
    assert_eq!(records(root.path()).last(), Some(&Record::Exit { time: 0.0, code: 3 }));
    assert_eq!(run.log([("loss", 0.1)]).unwrap_err().kind(), ErrorKind::Finished);
}

#[test]
fn a_check_refuses_what_init_would_and_begins_nothing() {
    let root = TempDir::new().unwrap();
    assert_eq!(offline(root.path()).check().map_err(|error| error.to_string()), Ok(()));
    for refused in [offline(root.path()).id("a:b"), offline(root.path()).tags([""]), offline(root.path()).base_url("x")]
    {
        let message = refused.check().unwrap_err().to_string();
        assert_eq!(refused.init().err().map(|error| error.to_string()), Some(message));
    }
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn the_summary_follows_rows_of_any_keys_and_keeps_what_was_set_by_hand() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    for step in 0..100 {
        run.log([("train/loss", 1.0 / f64::from(step + 1)), ("best", 0.0)]).unwrap();
        if step % 10 == 0 {
            run.log_at(i64::from(step) + 1, [("val/loss", f64::from(step))]).unwrap();
            run.log([("epoch", f64::from(step) / 10.0)]).unwrap();
        }
        if step == 50 {
            run.set_summary("best", 0.93).unwrap();
        }
    }
    let summary = run.summary();
    let mut leaves: Vec<_> = summary.iter().map(|(key, value)| (key.to_string(), value.as_f64().unwrap())).collect();
    leaves.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [("best", 0.93), ("epoch", 9.0), ("train/loss", 0.01), ("val/loss", 90.0)];
    assert_eq!(leaves, expected.map(|(key, value)| (key.to_owned(), value)));
}

#[test]
fn a_refused_call_alone_has_no_effect() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    let text = "x".repeat((1 << 20) + 1);
    let refused = run.log([("ok", Value::from(1.0)), ("text", Value::from(text))]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the value of \"text\" holds a text of 1048577 bytes, more than 1048576; keep large data in a file"
    );
    let mut deep = Value::List(vec![]);
    for _ in 0..70 {
        deep = Value::List(vec![deep]);
    }
    assert_eq!(run.log([("deep", deep)]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(run.log([("k".repeat(5000), 1.0)]).unwrap_err().kind(), ErrorKind::Invalid);
    run.log([("ok", 2.0)]).unwrap();
    assert_eq!(records(root.path()), vec![row(0, true, &[("ok", 2.0)])]);
}

#[test]
fn config_changes_are_refused_unless_meant() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).config("lr", 0.1).init().unwrap();
    let change = |value: f64, allow| run.update_config(vec![("lr".into(), value.into())], allow);
    assert_eq!(change(0.2, false).unwrap_err().kind(), ErrorKind::ConfigConflict);
    change(0.2, true).unwrap();
    assert_eq!(run.config().get("lr"), Some(&Value::Float(0.2)));
}

#[test]
fn threads_share_the_step_counter() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let run = run.clone();
            scope.spawn(move || {
                for index in 0..100 {
                    run.log([(format!("thread{thread}"), f64::from(index))]).unwrap();
                }
            });
        }
    });
    let rows = records(root.path());
    let steps: Vec<i64> = rows.iter().map(|record| if let Record::Row(row) = record { row.step } else { -1 }).collect();
    assert_eq!(steps, (0..400).collect::<Vec<_>>());
    for thread in 0..4 {
        let key = format!("thread{thread}");
        let values = rows.iter().filter_map(|record| match record {
            Record::Row(row) => {
                row.entries.iter().find(|(name, _)| **name == *key).and_then(|(_, value)| value.as_f64())
            }
            _ => None,
        });
        assert_eq!(values.collect::<Vec<_>>(), (0..100).map(f64::from).collect::<Vec<_>>());
    }
}

#[test]
fn a_disabled_run_leaves_nothing() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).mode(Mode::Disabled).init().unwrap();
    run.log([("loss", 1.0)]).unwrap();
    assert_eq!((run.step(), run.summary().get("loss")), (0, Some(&Value::Float(1.0))));
    assert_eq!(run.finish(), FinishReport::Nothing);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn names_that_could_leave_the_folder_are_refused() {
    let root = TempDir::new().unwrap();
    for id in ["../x", "a/b", "", "..", "a:b"] {
        let refused = offline(root.path()).id(id).init().err().expect(id);
        assert_eq!(refused.kind(), ErrorKind::Invalid, "{id}");
    }
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    let tags = offline(root.path()).tags(["x".repeat(65)]).init().err().unwrap();
    assert!(tags.to_string().ends_with("is not 1 to 64 characters long"), "{tags}");
}

fn summary_change(key: &str, value: Option<Value>) -> Record {
    Record::Summary(vec![Change { key: key.into(), value }])
}

#[test]
fn where_hand_set_values_do_not_stay_the_journal_lets_go_of_them_before_the_row_is_complete() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).sticky_summary(false).init().unwrap();
    run.set_summary("best", 9.0).unwrap();
    run.set_summary("other", 1.0).unwrap();
    run.log_at(3, [("best", 0.5)]).unwrap();
    assert_eq!(run.summary().get("best"), Some(&Value::Float(9.0)), "the row is still open");
    run.log([("loss", 0.1)]).unwrap();
    assert_eq!(run.summary().get("best"), Some(&Value::Float(0.5)));
    assert_eq!(run.summary().get("other"), Some(&Value::Float(1.0)));
    run.set_summary("best", 8.0).unwrap();
    run.log_at(9, [("best", 0.4)]).unwrap();
    run.finish();
    assert_eq!(run.summary().get("best"), Some(&Value::Float(0.4)));
    let expected = vec![
        summary_change("best", Some(Value::Float(9.0))),
        summary_change("other", Some(Value::Float(1.0))),
        row(3, false, &[("best", 0.5)]),
        summary_change("best", None),
        row(3, true, &[("loss", 0.1)]),
        summary_change("best", Some(Value::Float(8.0))),
        row(9, false, &[("best", 0.4)]),
        summary_change("best", None),
        Record::Exit { time: 0.0, code: 0 },
    ];
    assert_eq!(records(root.path()), expected);
}

#[test]
fn config_comes_from_files_too_and_what_is_set_later_wins() {
    let root = TempDir::new().unwrap();
    let file = root.path().join("c.yaml");
    std::fs::write(&file, "lr: {desc: rate, value: 0.1}\nepochs: 3\n").unwrap();
    let run = offline(root.path()).config("seed", 1).config_file(&file).unwrap().config("epochs", 5).init().unwrap();
    run.set_config_defaults(vec![("lr".into(), 9.into()), ("batch".into(), 32.into())]).unwrap();
    let entry = |key: &str, value: Value| (key.to_owned(), value);
    let expected =
        [entry("seed", 1.into()), entry("lr", 0.1.into()), entry("epochs", 5.into()), entry("batch", 32.into())];
    assert_eq!(run.config().entries(), expected);
    run.finish();
    assert_eq!(run.set_config_defaults(vec![]).unwrap_err().kind(), ErrorKind::Finished);
    let missing = offline(root.path()).config_file(root.path().join("none.yaml")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::ConfigFile);
    assert!(missing.to_string().ends_with("none.yaml: there is no such file"), "{missing}");
}
