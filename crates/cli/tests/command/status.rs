//! What local runs are at.

use serde_json::{Value, json};

use crate::support::Place;

#[test]
fn what_a_server_lacks_is_shown_until_it_is_sent() {
    let place = Place::new();
    place.write_run("digits", "r1", 100);
    let before = place.call(&["status", "--server", "http://127.0.0.1:1"]);
    let lines: Vec<&str> = before.stdout.lines().collect();
    assert_eq!((before.code, lines.len()), (1, 2), "{before:?}");
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["RUN", "NAME", "STATE", "SIZE", "UNSENT", "BEGAN"]);
    assert!(lines[1].starts_with("digits/r1  run r1  ended, not sent  "), "{before:?}");

    let server = place.start(&["serve"]);
    assert_eq!(place.call(&["sync", "--patient", "--server", &server.url]).code, 0);
    let after = place.call(&["status", "--json", "--server", &server.url]);
    let mut runs: Value = serde_json::from_str(&after.stdout).expect("JSON");
    let run = runs[0].as_object_mut().expect("a run");
    assert!(run.remove("started_at").is_some_and(|time| time.as_f64() > Some(1e9)));
    assert!(run.remove("journal_bytes").is_some_and(|bytes| bytes.as_u64() > Some(1000)));
    let expected = json!({
        "project": "digits", "run_id": "r1", "name": "run r1", "offline": false, "writers": 0, "sender": null,
        "unsent_bytes": 0, "unsent_files": 0, "unsent_file_bytes": 0, "unsent_artifacts": 0, "unsent_artifact_bytes": 0
    });
    assert_eq!((after.code, runs), (0, json!([expected])));

    let unsent = place.call(&["status", "--unsent", "--server", &server.url]);
    assert_eq!((unsent.code, &*unsent.stdout), (0, "the server has everything\n"));
    // Another server has nothing of it.
    assert_eq!(place.call(&["status", "--server", "http://127.0.0.1:1"]).code, 1);
}

#[test]
fn an_empty_folder_has_no_runs() {
    let done = Place::new().call(&["status"]);
    assert_eq!((done.code, &*done.stdout), (0, "there are no runs here\n"));
}
