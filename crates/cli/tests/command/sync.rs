//! Sending local runs to a server.

use crate::support::{Done, Place};

#[test]
fn what_the_server_lacks_is_sent_once() {
    let place = Place::new();
    place.write_run("digits", "r1", 100);
    place.write_run("digits", "r2", 100);
    let server = place.start(&["serve"]);
    let sync = |arguments: &[&str]| place.call(&[&["sync", "--server", &server.url], arguments].concat());

    let first = sync(&["steplog/digits/r1"]);
    assert_eq!((first.code, &*first.stderr), (0, ""));
    assert!(first.stdout.starts_with("sent ") && first.stdout.contains(" of 1 run, of 1 run, to http"), "{first:?}");
    let second = sync(&[]);
    assert!(second.stdout.contains(" of 1 run, of 2 runs, to http"), "{second:?}");
    let third = sync(&[".", "steplog"]);
    let expected = format!("{} has everything of 2 runs\n", server.url);
    assert_eq!(third, Done { code: 0, stdout: expected, stderr: String::new() });

    let listed = place.call(&["runs", "digits", "--server", &server.url, "--json"]);
    let runs: Vec<serde_json::Value> = serde_json::from_str(&listed.stdout).expect("JSON");
    assert_eq!(runs.iter().map(|run| run["row_count"].as_u64()).collect::<Vec<_>>(), [Some(100), Some(100)]);
}

#[test]
fn what_cannot_be_sent_is_told_and_stops_nothing() {
    let place = Place::new();
    let damaged = place.write_run("digits", "a-damaged", 1000);
    place.write_run("digits", "b-good", 10);
    let journal = std::fs::read_dir(damaged.join("journal")).expect("readable").next().expect("one").expect("readable");
    let segment = journal.path().join("00000000000000000000.segment");
    let mut bytes = std::fs::read(&segment).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).expect("written");
    let server = place.start(&["serve"]);
    let done = place.call(&["sync", "--server", &server.url]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stderr.starts_with("warning: ") && done.stderr.contains("damaged"), "{done:?}");
    assert!(
        done.stdout.contains("of 2 runs") && done.stdout.ends_with("; 1 journal could not be sent whole\n"),
        "{done:?}"
    );
}

#[test]
fn a_server_must_be_there_and_take_runs() {
    let place = Place::new();
    assert_eq!(place.call(&["sync"]).stdout, "there are no runs in .\n");
    place.write_run("digits", "r1", 1);
    let done = place.call(&["sync", "--server", "http://127.0.0.1:1"]);
    assert_eq!(done.code, 1);
    assert!(done.stderr.starts_with("error: no server answers: "), "{done:?}");
    assert!(
        done.stderr.ends_with("hint: start one with `steplog serve`, or name one with `--server URL`\n"),
        "{done:?}"
    );
    let folder = place.start(&["ui", "--no-open"]);
    let done = place.call(&["sync", "--server", &folder.url]);
    assert!(done.stderr.contains("shows a folder and takes no runs"), "{done:?}");
}
