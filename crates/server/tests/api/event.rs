//! Server-sent events: what a watching browser sees.

use std::io::{BufRead as _, BufReader, Read};
use std::time::Instant;

use serde_json::{Value as Json, json};

use crate::support::{Journal, TestServer, error};

const RUN: &str = "local/digits/r1";

/// The next event: its name and data. `None` when the stream ends.
pub(crate) fn next_event(lines: &mut BufReader<impl Read>) -> Option<(String, Json)> {
    let (mut name, mut data) = (String::new(), Json::Null);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("event", value)) => name = value.to_owned(),
            Some(("data", value)) => data = serde_json::from_str(value).expect("JSON"),
            _ if !name.is_empty() => return Some((name, data)),
            _ => {}
        }
    }
}

#[test]
fn a_new_run_and_its_rows_are_pushed() {
    let server = TestServer::start();
    let mut events = BufReader::new(server.client().stream("/events?project=local/digits"));
    let mut others = BufReader::new(server.client().stream("/events?project=local/other"));
    let journal = Journal::of("r1", 10);
    assert_eq!(server.client().ingest(RUN, &journal, 0, &journal.bytes).status, 200);
    let (name, data) = next_event(&mut events).expect("an event");
    assert_eq!(name, "runs");
    let run = &data["runs"][0];
    assert_eq!(
        json!([run["path"], run["last_step"], run["rows"], run["keys"], run["details"], run["deleted"]]),
        json!([RUN, 9, true, true, true, false])
    );
    server.stop();
    assert_eq!(next_event(&mut others), None, "nothing came of another project, and the stream ends with the server");
}

#[test]
fn a_burst_is_merged_into_few_events() {
    let server = TestServer::start();
    let mut events = BufReader::new(server.client().stream("/events"));
    let journal = Journal::of("r1", 3000);
    let start = Instant::now();
    let client = server.client();
    let mut sent = 0;
    for end in (0..=journal.bytes.len()).step_by(journal.bytes.len() / 100) {
        client.ingest(RUN, &journal, 0, &journal.bytes[..end]);
        sent += 1;
    }
    client.ingest(RUN, &journal, 0, &journal.bytes);
    let mut received = 0;
    loop {
        let (_, data) = next_event(&mut events).expect("an event");
        received += 1;
        assert_eq!(data["runs"].as_array().expect("a list").len(), 1, "each run once");
        if data["runs"][0]["last_step"] == 2999 {
            break;
        }
    }
    let most = 2 + start.elapsed().as_millis() / 100;
    assert!(received <= most && sent > 100, "{received} events, at most {most} in this time, for {sent} commits");
}

#[test]
fn the_project_must_be_one() {
    let server = TestServer::start();
    let get = |query: &str| server.client().get(&format!("/events?project={query}")).error();
    assert_eq!(get("digits"), error(400, "invalid", "`project` must be of the form entity/project"));
    assert_eq!(get("local/..").0, 400);
}

#[test]
fn hundreds_may_watch() {
    let server = TestServer::start();
    let client = server.client();
    let mut watchers: Vec<_> =
        (0..300).map(|_| BufReader::new(client.stream("/events?project=local/digits"))).collect();
    let journal = Journal::of("r1", 10);
    assert_eq!(server.client().ingest(RUN, &journal, 0, &journal.bytes).status, 200);
    for watcher in &mut watchers {
        assert_eq!(next_event(watcher).expect("an event").1["runs"][0]["path"], RUN);
    }
}
