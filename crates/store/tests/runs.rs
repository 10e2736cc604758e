//! The list of runs: filters, sorts, groups, pages; and the life of a run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use steplog_model::{Record, RunPath, Value};
use steplog_protocol::{ErrorKind, RunChange, RunState, RunsRequest, Sort, UpdateRunRequest};
use steplog_store::{Store, StoreOptions};
use support::{HandClock, Journal, open, quiet_options};
use tempfile::TempDir;

fn request() -> RunsRequest {
    RunsRequest { project: "local/digits".into(), ..RunsRequest::default() }
}

fn ids(store: &Store, request: &RunsRequest) -> Vec<String> {
    store.runs(request).unwrap().runs.into_iter().map(|run| run.id).collect()
}

fn filtered(store: &Store, filter: &str) -> String {
    let mut ids = ids(store, &RunsRequest { filter: Some(filter.into()), ..request() });
    ids.sort();
    ids.concat()
}

/// Five runs: a to e, of which e has nothing.
fn five_runs(store: &Store) {
    for (index, id) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        let mut journal = Journal::with_start(&format!("local/digits/{id}"), |start| {
            start.started_at = 1000.0 + index as f64;
            start.name = Some(format!("Run {id}"));
            if id != "e" {
                start.tags = Some(vec![format!("t{}", index % 2), ",".into(), "50%_x".into()]);
                start.group = Some(if index < 3 { "first" } else { "second" }.into());
            }
        });
        if id != "e" {
            journal.config("lr", [0.1, 0.01, 0.1, 0.001][index]);
            journal.config("model", Value::Map(vec![("name".into(), ["cnn", "MLP", "cnn", "mlp"][index].into())]));
            journal.config("deep", index % 2 == 0);
        }
        match id {
            "a" => drop(journal.row(5, &[("loss", 0.5.into())]).exit(0)),
            "b" => drop(journal.row(6, &[("loss", f64::NAN.into())]).exit(1)),
            "c" => drop(journal.row(7, &[("loss", f64::NEG_INFINITY.into()), ("odd key", 1.into())])),
            "d" => drop(journal.row(8, &[("loss", "text".into())])),
            _ => {}
        }
        journal.send(store);
    }
}

#[test]
fn filters_find_runs() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    five_runs(&store);
    for (filter, expected) in [
        ("config.lr = 0.1", "ac"),
        ("config.lr != 0.1", "bd"),
        ("not config.lr = 0.1", "bde"),
        ("config.lr >= 0.01 and config.lr < 0.1", "b"),
        ("config.lr = null", "e"),
        ("config.lr != null", "abcd"),
        ("config.none = null", "abcde"),
        ("config.none = 1 or id = 'e'", "e"),
        ("config.lr in (0.001, 0.01)", "bd"),
        ("config.model.name ~ 'ML'", "bd"),
        ("config.model.name = 'mlp'", "d"),
        ("config.deep = true", "ac"),
        ("config.deep = false", "bd"),
        ("summary.loss < 1", "ac"),
        ("summary.loss = 'NaN'", "b"),
        ("summary.loss ~ 'EX'", "d"),
        ("`summary.odd key` = 1", "c"),
        ("state = 'running'", "cde"),
        ("state in ('finished', 'failed')", "ab"),
        ("state != 'running' and group = 'first'", "ab"),
        ("group = null", "e"),
        ("tags = 't1'", "bd"),
        ("tags = ','", "abcd"),
        ("tags != 't1'", "ac"),
        ("tags ~ '50%_'", "abcd"),
        ("tags ~ '50__x'", ""),
        ("tags = null", "e"),
        ("name ~ 'run A'", "a"),
        ("last_step > 5 and last_step <= 7", "bc"),
        ("row_count = 0", "e"),
        ("created_at > 1002.5", "de"),
        ("duration > 900", "ab"),
        ("  ", "abcde"),
    ] {
        assert_eq!(filtered(&store, filter), expected, "{filter}");
    }
    for (filter, message) in [
        ("lr = 1", "there is no field \"lr\""),
        ("name = 1", "name is a text: put the value in quotes"),
        ("last_step ~ 'x'", "last_step is a number and can be compared only with one"),
        ("name > null", "name can be compared with null only by = and !="),
        ("tags < 'x'", "tags can be compared only by =, !=, ~ and in"),
    ] {
        let error = store.runs(&RunsRequest { filter: Some(filter.into()), ..request() }).unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::Invalid, message));
    }
    for (search, expected) in [("RUN B", 1), ("first", 3), ("t1", 2), ("50%", 4), ("nothing", 0), ("'; --", 0)] {
        let list = store.runs(&RunsRequest { search: Some(search.into()), ..request() }).unwrap();
        assert_eq!((list.runs.len(), list.total), (expected, expected as u64), "{search}");
    }
}

#[test]
fn sorts_put_runs_without_a_value_last() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    five_runs(&store);
    let sorted = |field: &str, descending| {
        let sort = vec![Sort { field: field.into(), descending }];
        ids(&store, &RunsRequest { sort, ..request() }).concat()
    };
    assert_eq!(ids(&store, &request()).concat(), "edcba");
    // Numbers, then texts, then nothing.
    assert_eq!((sorted("summary.loss", false), sorted("summary.loss", true)), ("cabde".into(), "acdbe".into()));
    assert_eq!((sorted("config.lr", false), sorted("config.lr", true)), ("dbcae".into(), "cabde".into()));
    assert_eq!((sorted("group", false), sorted("group", true)), ("cbade".into(), "dcbae".into()));
    assert_eq!((sorted("state", false), sorted("last_step", true)), ("baedc".into(), "dcbae".into()));
    assert_eq!(sorted("config.none", false), "edcba");
}

#[test]
fn pages_neither_repeat_nor_skip() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    five_runs(&store);
    for sort in ["summary.loss", "config.lr", "group", "created_at", "tags", "state"] {
        for descending in [false, true] {
            let sort = vec![Sort { field: sort.into(), descending }];
            let whole = ids(&store, &RunsRequest { sort: sort.clone(), ..request() });
            let mut paged = Vec::new();
            let mut cursor = None;
            loop {
                let list = store
                    .runs(&RunsRequest { sort: sort.clone(), limit: Some(2), cursor: cursor.take(), ..request() })
                    .unwrap();
                assert_eq!(list.total, 5);
                paged.extend(list.runs.into_iter().map(|run| run.id));
                match list.next_cursor {
                    Some(next) => cursor = Some(next),
                    None => break,
                }
            }
            assert_eq!(paged, whole, "{sort:?}");
        }
    }
    for cursor in ["", "zz", "5b5d", "é"] {
        let error = store.runs(&RunsRequest { cursor: Some(cursor.into()), ..request() }).unwrap_err();
        assert_eq!(error.to_string(), "the cursor is none of this query's");
    }
}

#[test]
fn lists_follow_every_change() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    five_runs(&store);
    let list = |store: &Store| {
        let by = |field: &str| vec![Sort { field: field.into(), descending: false }];
        let whole = |sort: &str| {
            let columns = ["config.*", "summary.*", "summary.new"].map(str::to_owned).to_vec();
            let list = store.runs(&RunsRequest { sort: by(sort), columns, ..request() }).unwrap();
            json!(list.runs.iter().map(|run| (&run.id, &run.name, &run.values)).collect::<Vec<_>>())
        };
        let groups = |field: &str| {
            let list = store.runs(&RunsRequest { group_by: Some(field.into()), ..request() }).unwrap();
            json!(list.groups.iter().map(|group| (&group.value, group.run_count)).collect::<Vec<_>>())
        };
        let found = ["summary.new > 1", "config.lr = 0.5", "name = 'new'", "state = 'finished'", "tags = 'new'"];
        let wholes = ["summary.loss", "summary.new", "config.lr", "name", "last_step"].map(whole);
        let groups = ["summary.new", "config.lr", "group", "state"].map(groups);
        json!([wholes, groups, found.map(|filter| filtered(store, filter))])
    };
    // What was asked before must not show: a store that begins anew says what is right.
    let mut last = list(&store);
    let mut check = |what: &str| {
        let now = list(&store);
        assert_ne!(now, last, "{what} shows");
        store.forget_caches();
        assert_eq!(now, list(&store), "{what}");
        last = now;
    };
    let mut journal = Journal::with_start("local/digits/f", |start| start.started_at = 999.0);
    journal.config("lr", 0.5).send(&store);
    check("a new run");
    journal.row(3, &[("loss", 0.25.into()), ("new", 2.into())]).send(&store);
    check("a row of a live run");
    store.seal_all().unwrap();
    journal.row(4, &[("loss", 0.75.into())]).send(&store);
    check("a row of a run that was sealed");
    journal.summary("new", None).send(&store);
    check("a summary value that is gone");
    journal.config("lr", Value::Null).send(&store);
    check("a config value that is null");
    let update = UpdateRunRequest {
        name: Some("new".into()),
        tags: Some(vec!["new".into()]),
        group: Some("new".into()),
        ..Default::default()
    };
    store.update_run(&journal.path, &update).unwrap();
    check("what people change");
    store.delete_run(&"local/digits/b".parse().unwrap()).unwrap();
    check("a run that was removed");
    journal.exit(0).send(&store);
    check("the end of a run");
}

#[test]
fn groups_count_the_runs_with_a_value() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    five_runs(&store);
    let groups = |field: &str| {
        let list = store.runs(&RunsRequest { group_by: Some(field.into()), ..request() }).unwrap();
        assert_eq!(list.total as usize, list.groups.len());
        json!(list.groups.iter().map(|group| (&group.value, group.run_count, group.running_count)).collect::<Vec<_>>())
    };
    assert_eq!(groups("group"), json!([["first", 3, 1], [null, 1, 1], ["second", 1, 1]]));
    assert_eq!(groups("config.deep"), json!([[false, 2, 1], [true, 2, 1], [null, 1, 1]]));
    assert_eq!(groups("config.lr")[0], json!([0.1, 2, 1]));
    assert_eq!(groups("state"), json!([["running", 3, 3], ["failed", 1, 0], ["finished", 1, 0]]));
    assert_eq!(groups("config.none"), json!([[null, 5, 3]]));
    assert_eq!(groups("tags")[0], json!([["t0", ",", "50%_x"], 2, 1]));
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let request = RunsRequest { group_by: Some("id".into()), limit: Some(2), cursor: cursor.take(), ..request() };
        let list = store.runs(&request).unwrap();
        seen.extend(list.groups.into_iter().map(|group| group.value));
        match list.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(json!(seen), json!(["a", "b", "c", "d", "e"]));
}

#[test]
fn columns_are_answered_with_the_runs() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    five_runs(&store);
    let columns = |columns: &[&str], id: &str| {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        let filter = Some(format!("id = '{id}'"));
        json!(store.runs(&RunsRequest { columns, filter, ..request() }).unwrap().runs[0].values)
    };
    assert_eq!(
        columns(&["config.lr", "summary.loss", "config.none"], "b"),
        json!({"config.lr": 0.01, "summary.loss": "NaN"})
    );
    assert_eq!(
        columns(&["config.*", "summary.*"], "a"),
        json!({"config.deep": true, "config.lr": 0.1, "config.model.name": "cnn", "summary.loss": 0.5})
    );
    assert_eq!(columns(&["config.*"], "e"), json!({}));
}

#[test]
fn runs_without_a_name_get_one() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    for id in ["a", "b"] {
        Journal::new(&format!("local/digits/{id}")).send(&store);
    }
    let names: Vec<String> = store.runs(&request()).unwrap().runs.into_iter().map(|run| run.name).collect();
    assert_eq!(names, ["curious-pebble-2", "kind-forest-1"]);
    let projects = store.projects().unwrap().projects;
    assert_eq!((&*projects[0].name, projects[0].run_count, projects[0].running_count), ("digits", 2, 2));
}

struct Watched {
    store: Arc<Store>,
    clock: HandClock,
    changes: Arc<Mutex<Vec<RunChange>>>,
    folder: TempDir,
}

impl Watched {
    fn options(clock: &HandClock) -> StoreOptions {
        StoreOptions { clock: clock.clock(), seal_interval: Duration::from_millis(5), ..StoreOptions::default() }
    }

    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let clock = HandClock::new(5000.0);
        let store = Store::open(folder.path(), Self::options(&clock)).unwrap();
        let changes = Arc::new(Mutex::new(Vec::new()));
        let heard = changes.clone();
        store.subscribe(Box::new(move |change| heard.lock().unwrap().push(change.clone())));
        Self { store, clock, changes, folder }
    }

    fn state(&self, path: &RunPath) -> RunState {
        self.store.run(path).unwrap().run.state
    }

    /// Waits until watchers heard of a state.
    fn hear(&self, state: RunState) {
        let give_up = Instant::now() + Duration::from_secs(60);
        while !self.changes.lock().unwrap().iter().any(|change| change.state == state) {
            assert!(Instant::now() < give_up, "nobody was told of {state:?}");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_silent_run_crashes_and_heals_when_data_comes() {
    let watched = Watched::new();
    let mut journal = Journal::new("local/digits/a");
    journal.row(0, &[("loss", 1.0.into())]).send(&watched.store);
    assert_eq!(watched.state(&journal.path), RunState::Running);
    watched.clock.set(5061.0);
    assert_eq!(watched.state(&journal.path), RunState::Crashed);
    watched.hear(RunState::Crashed);
    watched.changes.lock().unwrap().clear();
    journal.record(Record::Heartbeat { time: 1.0 }).send(&watched.store);
    assert_eq!(watched.state(&journal.path), RunState::Running);
    watched.hear(RunState::Running);
    let change = watched.changes.lock().unwrap().remove(0);
    assert_eq!((change.state, change.details, change.rows), (RunState::Running, true, false));
    journal.exit(3).send(&watched.store);
    let run = watched.store.run(&journal.path).unwrap().run;
    assert_eq!(
        (run.state, run.exit_code, run.finished_at, run.duration),
        (RunState::Failed, Some(3), Some(2000.0), 1000.0)
    );
    let mut resumed = Journal::with_start("local/digits/a", |start| start.started_at = 2001.0);
    resumed.row(1, &[("loss", 1.0.into())]).send(&watched.store);
    assert_eq!(watched.state(&journal.path), RunState::Running);
    resumed.record(Record::Exit { time: 2002.0, code: 0 }).send(&watched.store);
    assert_eq!(watched.state(&journal.path), RunState::Finished);
}

#[test]
fn a_restarted_server_gives_running_runs_time() {
    let watched = Watched::new();
    let mut journal = Journal::new("local/digits/a");
    journal.row(0, &[("loss", 1.0.into())]).send(&watched.store);
    let give_up = Instant::now() + Duration::from_secs(60);
    // The background notes that the store is alive.
    while watched.store.projects().is_ok() && Instant::now() < give_up {
        let noted = rusqlite_number(watched.folder.path());
        if noted == Some(5000.0) {
            break;
        }
    }
    watched.store.abandon();
    let Watched { store, clock, folder, .. } = watched;
    drop(store);
    clock.set(9000.0);
    let store = Store::open(folder.path(), Watched::options(&clock)).unwrap();
    assert_eq!(store.run(&journal.path).unwrap().run.state, RunState::Running);
    clock.set(9061.0);
    assert_eq!(store.run(&journal.path).unwrap().run.state, RunState::Crashed);
}

fn rusqlite_number(folder: &std::path::Path) -> Option<f64> {
    let database = rusqlite::Connection::open(folder.join("steplog.sqlite")).unwrap();
    database.query_row("SELECT number FROM facts WHERE name = 'alive_at'", (), |row| row.get(0)).ok()
}

#[test]
fn an_old_folder_shows_what_crashed() {
    let watched = Watched::new();
    let mut journal = Journal::new("local/digits/a");
    journal.row(0, &[("loss", 1.0.into())]);
    let mut request = journal.ingest(0, journal.bytes(0));
    request.gap_allowed = true;
    watched.store.ingest_blocking(request).unwrap();
    let run = watched.store.run(&journal.path).unwrap().run;
    assert_eq!((run.state, run.updated_at), (RunState::Crashed, 1000.0));
}

#[test]
fn people_change_runs_and_streams_hear_of_a_stop() {
    let watched = Watched::new();
    let mut journal = Journal::new("local/digits/a");
    journal.send(&watched.store);
    let update = UpdateRunRequest {
        name: Some("better".into()),
        notes: Some("n".into()),
        tags: Some(vec!["x".into()]),
        group: Some("g".into()),
        stop: Some(true),
        ..UpdateRunRequest::default()
    };
    let run = watched.store.update_run(&journal.path, &update).unwrap().run;
    assert_eq!((&*run.name, run.notes.as_deref(), run.group.as_deref()), ("better", Some("n"), Some("g")));
    assert!(journal.row(0, &[]).try_send(&watched.store).unwrap().control.stop);
    let update = UpdateRunRequest { notes: Some(String::new()), group: Some(String::new()), ..Default::default() };
    let run = watched.store.update_run(&journal.path, &update).unwrap().run;
    assert_eq!((&*run.name, run.tags, run.notes, run.group), ("better", vec!["x".to_owned()], None, None));
    let update = UpdateRunRequest { name: Some(" ".into()), ..Default::default() };
    assert_eq!(watched.store.update_run(&journal.path, &update).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_deleted_run_is_gone_and_stays_gone() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    journal.row(0, &[("loss", 1.0.into())]).config("lr", 1).send(&store);
    store.seal_all().unwrap();
    journal.row(1, &[("loss", 1.0.into())]).send(&store);
    store.delete_run(&journal.path).unwrap();
    assert_eq!(store.run(&journal.path).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(journal.row(2, &[]).try_send(&store).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.durable_offset(&journal.path, journal.stream).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.projects().unwrap().projects, vec![]);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
    let mut again = Journal::new("local/digits/a");
    again.row(0, &[("loss", 2.0.into())]).send(&store);
    assert_eq!(json!(store.run(&again.path).unwrap().summary), json!({"loss": 2.0}));
}

#[test]
fn the_background_seals_what_has_ended_and_lets_it_go() {
    let watched = Watched::new();
    let mut journal = Journal::new("local/digits/a");
    for step in 0..100 {
        journal.row(step, &[("loss", (step as f64).into())]);
    }
    journal.exit(0).send(&watched.store);
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        let stream = watched.store.run(&journal.path).unwrap().streams.remove(0);
        if stream.sealed_offset == stream.durable_offset {
            break;
        }
        assert!(Instant::now() < give_up, "nothing was sealed");
    }
    assert_eq!(json!(watched.store.run(&journal.path).unwrap().summary), json!({"loss": 99.0}));
    assert_eq!(quiet_options().seal_points, 1 << 30);
}
