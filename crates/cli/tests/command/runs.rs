//! Listing runs.

use serde_json::{Value as Json, json};

use crate::support::Place;

#[test]
fn a_folder_and_a_server_list_the_same() {
    let place = Place::new();
    place.write_run("digits", "r1", 100);
    place.write_run("digits", "r2", 10);
    let server = place.start(&["serve"]);
    place.call(&["sync", "--server", &server.url]);
    for origin in [["--dir", "."], ["--server", &server.url]] {
        let call = |arguments: &[&str]| {
            let done = place.call(&[&["runs"], arguments, &origin].concat());
            assert_eq!((done.code, &*done.stderr), (0, ""), "{origin:?}");
            done.stdout
        };
        let table = call(&["digits", "--sort", "-summary.loss", "--column", "summary.loss", "--column", "config.lr"]);
        let lines: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
            .collect();
        assert_eq!(
            lines,
            [
                vec!["STATE", "NAME", "PATH", "STARTED", "DURATION", "LAST STEP", "summary.loss", "config.lr"],
                vec!["finished", "run r2", "local/digits/r2", "just now", "2.0 s", "9", "0.1", "0.5"],
                vec!["finished", "run r1", "local/digits/r1", "just now", "2.0 s", "99", "0.01", "0.5"],
            ]
        );
        let runs: Vec<Json> =
            serde_json::from_str(&call(&["local/digits", "--filter", "last_step > 10", "--json"])).expect("JSON");
        assert_eq!(runs.len(), 1);
        assert_eq!(
            (&runs[0]["id"], &runs[0]["values"]),
            (&json!("r1"), &json!({ "config.lr": 0.5, "summary.loss": 0.01 }))
        );
        let one = place.call(&[&["runs", "digits", "--limit", "1"][..], &origin].concat());
        assert_eq!((one.stdout.lines().count(), &*one.stderr), (2, "1 of 2 runs; --limit N shows more\n"));
        assert_eq!(call(&["digits", "--filter", "summary.loss = 1 and id = \"x\""]), "no runs\n");
    }
}

#[test]
fn without_a_server_the_folder_is_listed() {
    let place = Place::new();
    place.write_run("digits", "r1", 1);
    place.write_run("letters", "r2", 1);
    let done = place.call(&["runs"]);
    if done.stderr.is_empty() {
        eprintln!("skipped: a server of this machine's owner answers on the usual port");
        return;
    }
    assert_eq!(done.stderr, "no server answers at http://127.0.0.1:7837: these are the runs below this folder\n");
    assert_eq!(done.stdout.lines().count(), 3);
    let sorted = place.call(&["runs", "--sort", "name", "--dir", "."]);
    assert_eq!(sorted.stderr.lines().next(), Some("error: runs are sorted within one project, and there are several"));
    let missing = place.call(&["runs", "faces", "--dir", "."]);
    assert_eq!(missing.stderr, "error: there is no project faces in this folder\n");
}

#[test]
fn a_wrong_filter_is_explained() {
    let place = Place::new();
    place.write_run("digits", "r1", 1);
    let done = place.call(&["runs", "digits", "--dir", ".", "--filter", "config.lr >"]);
    assert_eq!((done.code, &*done.stdout), (1, ""));
    assert!(done.stderr.starts_with("error: "), "{done:?}");
}
