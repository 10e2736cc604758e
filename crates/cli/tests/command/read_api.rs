//! The Rust face of the read API, `steplog::Api`, against a real server.

use serde_json::json;
use steplog::api::{Filter, HistoryFormat, HistoryQuery, HistoryRow, RunChanges, RunState};
use steplog::{Api, ApiSettings, ErrorKind, Value};

use crate::support::{Place, Server};

/// A server with the runs r0 to r4 of 10, 20, … rows of `loss = 1 / (step + 1)`.
fn server_with_runs(place: &Place) -> (Server, Api) {
    for index in 0..5 {
        place.write_run("digits", &format!("r{index}"), 10 * (index + 1));
    }
    let server = place.start(&["serve", "--data", "data"]);
    assert_eq!(place.call(&["sync", "--server", &server.url]).code, 0);
    let settings =
        ApiSettings { base_url: Some(server.url.clone()), entity: Some("local".into()), ..ApiSettings::default() };
    (server, Api::with_settings(settings).expect("an API"))
}

fn ids(runs: steplog::api::Runs) -> String {
    runs.map(|run| run.expect("a run").path().run.as_str().trim_start_matches('r').to_owned()).collect()
}

fn steps(rows: impl IntoIterator<Item = HistoryRow>) -> Vec<i64> {
    rows.into_iter().map(|row| row.step).collect()
}

#[test]
fn runs_are_listed_filtered_and_ordered_in_pages() {
    let place = Place::new();
    let (server, api) = server_with_runs(&place);
    assert_eq!((api.base_url(), api.default_entity().expect("an entity")), (&*server.url, "local".into()));
    let projects = api.projects(None).expect("projects");
    assert_eq!((projects.len(), &*projects[0].name, projects[0].run_count), (1, "digits", 5));
    assert!(api.projects(Some("nobody")).expect("projects").is_empty());
    let runs = || api.runs("digits").expect("runs").per_page(2);
    assert_eq!((ids(runs()), runs().total().expect("a total")), ("01234".into(), 5));
    assert_eq!(ids(runs().order("-summary_metrics.loss,id").expect("an order")), "01234");
    assert_eq!(ids(runs().order("-last_step").expect("an order")), "43210");
    assert_eq!(ids(runs().filter("last_step > 25 and config.lr = 0.5")), "234");
    let filter = Filter::from_json(json!({"summary_metrics._step": {"$lt": 29}, "name": {"$ne": "r0"}}));
    assert_eq!(ids(runs().filter(filter.expect("a filter"))), "1");
    let mut first = runs().next().expect("one").expect("a run");
    assert_eq!((first.config().get("lr"), first.summary().get("loss")), (Some(&0.5.into()), Some(&0.1.into())));
    assert_eq!((first.info().state, first.streams().expect("read").len()), (RunState::Finished, 1));
    let mut none = api.runs("none").expect("a path");
    let error = none.next().expect("an error").expect_err("no project");
    assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::NotFound, "there is no project \"local/none\""));
    assert!(none.next().is_none());
}

#[test]
fn a_history_comes_whole_in_pages_in_samples_and_as_a_file() {
    let place = Place::new();
    let (_server, api) = server_with_runs(&place);
    let run = api.run("local/digits/r4").expect("a run");
    let all = run.history(&HistoryQuery::default()).expect("rows");
    assert_eq!(steps(all.clone()), (0..50).collect::<Vec<_>>());
    assert_eq!(all[3].values, [("loss".to_owned(), Value::Float(0.25))]);
    assert!((all[3].runtime - 0.003).abs() < 1e-6 && all[3].time > 1.7e9);
    let paged: Result<Vec<_>, _> = run.scan_history(HistoryQuery::default(), 7).collect();
    assert_eq!(paged.expect("rows"), all);
    let some = HistoryQuery { from_step: Some(5), to_step: Some(20), limit: Some(9), ..HistoryQuery::default() };
    assert_eq!(steps(run.scan_history(some, 4).map(|row| row.expect("a row"))), (5..14).collect::<Vec<_>>());
    assert!(run.history(&HistoryQuery::complete(["loss", "nope"])).expect("rows").is_empty());
    let unknown = HistoryQuery { keys: Some(vec!["nope".into()]), ..HistoryQuery::default() };
    assert_eq!(run.history(&unknown).expect_err("no key").kind(), ErrorKind::NotFound);
    let sampled = HistoryQuery { samples: Some(10), ..HistoryQuery::complete(["loss"]) };
    let sampled = steps(run.history(&sampled).expect("rows"));
    assert!(sampled.len() <= 10 && sampled.first() == Some(&0) && sampled.last() == Some(&49), "{sampled:?}");
    for (format, magic) in
        [(HistoryFormat::Arrow, &[0xff; 4][..]), (HistoryFormat::Parquet, b"PAR1"), (HistoryFormat::Csv, b"_step,")]
    {
        let bytes = run.download_history(format, &HistoryQuery::default()).and_then(|file| file.read_all());
        assert!(bytes.expect("a file").starts_with(magic), "{format:?}");
    }
}

#[test]
fn runs_are_changed_and_removed() {
    let place = Place::new();
    let (_server, api) = server_with_runs(&place);
    let mut run = api.run("digits/r0").expect("a run");
    run.set_name("better").expect("changed");
    run.set_tags(["a", "b"]).expect("changed");
    run.set_notes("# n").expect("changed");
    run.set_config("lr", f64::INFINITY).expect("changed");
    run.set_summary("best", Value::Map(vec![("loss".into(), f64::INFINITY.into())])).expect("changed");
    run.update(&RunChanges { remove_summary: vec!["loss".into()], ..RunChanges::default() }).expect("changed");
    for run in [run, api.run("digits/r0").expect("a run")] {
        assert_eq!((&*run.info().name, run.info().notes.as_deref()), ("better", Some("# n")));
        assert_eq!(run.info().tags, ["a", "b"]);
        assert_eq!(run.config().get("lr"), Some(&f64::INFINITY.into()));
        let best = Value::Map(vec![("loss".into(), f64::INFINITY.into())]);
        assert_eq!(run.summary().iter().collect::<Vec<_>>(), [("best", &best)]);
    }
    let mut stale = api.run("digits/r1").expect("a run");
    api.run("digits/r1").expect("a run").delete().expect("removed");
    let error = stale.reload().expect_err("it is gone");
    assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::NotFound, "there is no run local/digits/r1"));
    assert_eq!(ids(api.runs("digits").expect("runs")), "0234");
}

#[test]
fn where_nobody_answers_it_is_said_and_what_to_do() {
    let settings = ApiSettings { base_url: Some("http://127.0.0.1:9".into()), ..ApiSettings::default() };
    let error = Api::with_settings(settings).expect("an API").run("a/b/c").expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::Server);
    let text = error.to_string();
    assert!(text.starts_with("no server answers at http://127.0.0.1:9: "), "{text}");
    assert!(text.ends_with("\nhint: start a server with `steplog serve`, or name one with STEPLOG_BASE_URL"), "{text}");
}
