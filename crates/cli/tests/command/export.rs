//! Exporting a run.

use serde_json::{Value as Json, json};

use crate::support::Place;

#[test]
fn a_local_run_and_one_on_a_server_export_the_same() {
    let place = Place::new();
    place.write_run("digits", "r1", 100);
    let server = place.start(&["serve"]);
    place.call(&["sync", "--server", &server.url]);
    for format in ["csv", "jsonl", "parquet", "arrow"] {
        let local = place.call(&["export", "steplog/digits/r1", "--format", format, "-o", "local"]);
        assert_eq!((local.code, &*local.stdout), (0, ""), "{local:?}");
        assert!(local.stderr.starts_with("wrote local ("), "{local:?}");
        for run in ["local/digits/r1", "digits/r1"] {
            let remote = place.call(&["export", run, "--format", format, "--server", &server.url, "-o", "remote"]);
            assert_eq!(remote.code, 0, "{remote:?}");
            let read = |name: &str| std::fs::read(place.work().join(name)).expect("the file");
            assert!(read("local") == read("remote"), "{format}");
        }
    }
    let rows = place.call(&[
        "export",
        "steplog/digits/r1",
        "--format",
        "jsonl",
        "-o",
        "-",
        "--key",
        "loss",
        "--from-step",
        "98",
    ]);
    let rows: Vec<Json> = rows.stdout.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let rows: Vec<_> = rows.iter().map(|row| (&row["_step"], &row["loss"])).collect();
    assert_eq!(rows, [(&json!(98), &json!(1.0 / 99.0)), (&json!(99), &json!(0.01))]);
    let named = place.call(&["export", "steplog/digits/r1", "--format", "csv"]);
    assert!(named.stderr.starts_with("wrote digits-r1.csv ("), "{named:?}");
}

#[test]
fn a_failed_export_leaves_no_file() {
    let place = Place::new();
    place.write_run("digits", "r1", 1);
    place.write_run("digits", "r2", 1);
    let several = place.call(&["export", "steplog", "--format", "csv", "-o", "out"]);
    assert_eq!(several.stderr.lines().next(), Some("error: there are several runs in steplog"));
    let server = place.start(&["serve"]);
    let missing =
        place.call(&["export", "local/digits/nothing", "--format", "csv", "-o", "out", "--server", &server.url]);
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.starts_with("error: "), "{missing:?}");
    let left: Vec<_> =
        std::fs::read_dir(place.work()).expect("readable").map(|entry| entry.expect("readable").file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("out")), "{left:?}");
}
