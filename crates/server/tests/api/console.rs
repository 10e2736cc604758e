//! What processes print, from a journal to a page, a search and a file.

use std::io::{BufRead as _, BufReader};

use serde_json::{Value as Json, json};
use steplog_journal::{JournalReader, JournalWriter, WriterOptions};
use steplog_model::{ConsoleLines, ConsoleOutput, Record, StreamId};
use steplog_server::{FolderCache, FolderReader};

use crate::support::{Journal, TestServer, error, path, start};

const RUN: &str = "local/digits/r1";

fn write(folder: &std::path::Path, stream: StreamId) {
    let mut writer = JournalWriter::create(folder, stream, WriterOptions::default()).expect("a journal");
    writer.append_record(&Record::RunStart(Box::new(start("digits", "r1")))).expect("written");
    for (time, output, first_line, lines) in [
        (1.0, ConsoleOutput::Stdout, 0, vec!["epoch 1", "\x1b[32mloss 0.5\x1b[0m"]),
        (2.0, ConsoleOutput::Stderr, 2, vec!["  0%|          |"]),
        (3.0, ConsoleOutput::Stderr, 2, vec!["100%|##########|"]),
        (3.0, ConsoleOutput::Stdout, 3, vec!["<b>done</b>"]),
    ] {
        let lines = lines.into_iter().map(Into::into).collect();
        let record = Record::Console(ConsoleLines { time, output, first_line, lines });
        writer.append_record(&record).expect("written");
    }
    writer.close().expect("closed");
}

fn server_with_lines() -> (TestServer, StreamId) {
    let folder = tempfile::tempdir().expect("a folder");
    let stream = StreamId::generate();
    write(&folder.path().join("j"), stream);
    let bytes = JournalReader::new(folder.path().join("j")).read(0, 1 << 30).expect("a good journal").bytes;
    let server = TestServer::start();
    let mut events = BufReader::new(server.client().stream("/events"));
    let journal = Journal { stream, bytes };
    assert_eq!(server.client().ingest(RUN, &journal, 0, &journal.bytes).status, 200);
    let data = loop {
        let mut line = String::new();
        events.read_line(&mut line).expect("an event");
        if let Some(data) = line.strip_prefix("data: ") {
            break serde_json::from_str::<Json>(data).expect("JSON");
        }
    };
    assert_eq!((&data["runs"][0]["console"], &data["runs"][0]["system"]), (&json!(true), &json!(false)));
    (server, stream)
}

#[test]
fn lines_are_paged_and_searched() {
    let (server, stream) = server_with_lines();
    let client = server.client();
    let list = client.post("/console/query", &json!({ "run": RUN, "from": -3, "limit": 2 })).json();
    let process = json!({ "stream": stream.to_string(), "label": null, "host": "host", "process_id": 7, "is_fork": false, "line_count": 4 });
    let expected = json!({
        "lines": [
            { "index": 1, "number": 1, "process": 0, "output": "stdout", "time": 1.0, "text": "\u{1b}[32mloss 0.5\u{1b}[0m" },
            { "index": 2, "number": 2, "process": 0, "output": "stderr", "time": 2.0, "text": "100%|##########|" },
        ],
        "from": 1, "total": 4, "line_count": 4, "processes": [process],
    });
    assert_eq!(list, expected);
    let search = |search: &str, regex: bool| {
        let request = json!({ "run": RUN, "output": "stdout", "search": search, "regex": regex });
        let list = client.post("/console/query", &request).json();
        let lines =
            list["lines"].as_array().expect("lines").iter().map(|line| line["index"].as_u64().expect("an index"));
        (
            list["total"].as_u64().expect("a total"),
            list["line_count"].as_u64().expect("a count"),
            lines.collect::<Vec<_>>(),
        )
    };
    assert_eq!(search("LOSS 0", false), (1, 3, vec![1]));
    assert_eq!(search("^(epoch|<b>)", true), (2, 3, vec![0, 2]));
    assert_eq!(client.get(&format!("/runs/{RUN}")).json()["console_line_count"], 4);
    let refused = client.post("/console/query", &json!({ "run": RUN, "limit": 5001 }));
    assert_eq!(refused.error(), error(400, "invalid", "limit must be 1 to 5000, not 5001"));
    let unknown = client.post("/console/query", &json!({ "run": "local/digits/none" }));
    assert_eq!(unknown.error(), error(404, "not_found", "there is no run local/digits/none"));
}

#[test]
fn the_console_is_a_file_too() {
    let (server, stream) = server_with_lines();
    let get = |query: &str| server.client().get(&format!("/runs/{RUN}/console{query}"));
    let text = get("");
    assert_eq!(text.text(), "epoch 1\nloss 0.5\n100%|##########|\n<b>done</b>\n");
    assert_eq!(
        (text.header("content-type"), text.header("content-disposition"), text.header("x-content-type-options")),
        ("text/plain; charset=utf-8", "attachment; filename=\"digits-r1.output.log\"", "nosniff")
    );
    assert_eq!(get("?format=ansi&output=stdout").text(), "epoch 1\n\x1b[32mloss 0.5\x1b[0m\x1b[0m\n<b>done</b>\n");
    let line = format!(r#"{{"time":2.0,"stream":"{stream}","number":2,"output":"stderr","text":"100%|##########|"}}"#);
    assert_eq!(get(&format!("?format=jsonl&output=stderr&stream={stream}")).text(), line + "\n");
    assert_eq!(server.client().get("/runs/local/digits/none/console").error().0, 404);
    assert_eq!(get("?format=html").error().0, 400);
    assert_eq!(get(&format!("?stream={}", "0".repeat(32))).error().0, 404);
}

#[test]
fn a_folder_shows_the_same_lines() {
    let root = tempfile::tempdir().expect("a folder");
    let stream = StreamId::generate();
    write(&root.path().join("steplog/digits/r1/journal").join(stream.to_string()), stream);
    let cache = FolderCache::open_temporary().expect("a cache");
    let reader = FolderReader::start(root.path(), &cache).expect("readable");
    assert_eq!(reader.wait_until_caught_up(), 1);
    let mut text = Vec::new();
    cache
        .store()
        .export_console(&path(RUN), steplog_store::ConsoleFormat::Text, None, None, &mut text)
        .expect("the console");
    assert_eq!(String::from_utf8_lossy(&text), "epoch 1\nloss 0.5\n100%|##########|\n<b>done</b>\n");
}
