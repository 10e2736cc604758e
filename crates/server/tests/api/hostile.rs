//! Requests that mean harm, or nothing: each gets a clear answer, and the server goes on.

use serde_json::json;
use steplog_model::StreamId;

use crate::support::{Journal, TestServer, error, send_raw};

fn pack(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("packing into memory")
}

#[test]
fn bodies_that_are_too_large_or_not_what_they_say() {
    let server = TestServer::start();
    let journal = Journal::of("r1", 100);
    let packed = server.client().with("content-encoding", "zstd".into());
    let ingest = |body: &[u8]| packed.ingest("local/digits/r1", &journal, 0, body);

    let bomb = pack(&vec![0; 200 << 20]);
    assert_eq!(ingest(&bomb).error(), error(413, "invalid", "the body unpacks to more than 64 MiB"));
    let whole = pack(&journal.bytes);
    for cut in [1, whole.len() / 2, whole.len() - 1] {
        let (status, kind, message) = ingest(&whole[..cut]).error();
        assert_eq!((status, &*kind), (400, "invalid"));
        assert!(message.starts_with("the body is not good zstd: "), "{message}");
    }
    assert_eq!(ingest(b"not zstd at all").error().0, 400);

    let gzip = server.client().with("content-encoding", "gzip".into());
    let answer = gzip.ingest("local/digits/r1", &journal, 0, b"x");
    let message = "the content encoding \"gzip\" is not taken; send zstd or none";
    assert_eq!(answer.error(), error(415, "invalid", message));

    let large = server.client().ingest("local/digits/r1", &journal, 0, &vec![0; 17 << 20]);
    assert_eq!(large.error(), error(413, "invalid", "the request body is larger than 16 MiB"));
    let head = format!(
        "POST /api/v1/ingest/local/digits/r1/{}?offset=0 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
        journal.stream
    );
    let chunk = [b"100000\r\n".to_vec(), vec![0; 1 << 20], b"\r\n".to_vec()].concat();
    let chunked = [head.into_bytes(), chunk.repeat(100), b"0\r\n\r\n".to_vec()].concat();
    let answer = send_raw(server.address, &chunked);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");

    assert_eq!(ingest(&whole).json()["durable_offset"], journal.bytes.len(), "a good body is taken as ever");
}

#[test]
fn a_window_larger_than_any_body_is_refused() {
    let server = TestServer::start();
    let journal = Journal::of("r1", 1);
    // A frame header that asks for a window of 2^31 bytes, and an empty last block.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00];
    let packed = server.client().with("content-encoding", "zstd".into());
    let (status, _, message) = packed.ingest("local/digits/r1", &journal, 0, &frame).error();
    assert_eq!(status, 400);
    assert!(message.contains("too much memory"), "{message}");
}

#[test]
fn offsets_and_bytes_that_do_not_fit() {
    let server = TestServer::start();
    let journal = Journal::of("r1", 100);
    let client = server.client();
    let run = "local/digits/r1";
    let end = journal.bytes.len();
    let nothing = json!({ "durable_offset": 0, "control": { "stop": false } });
    let everything = json!({ "durable_offset": end, "control": { "stop": false } });

    let ahead = client.ingest(run, &journal, 1 << 40, &journal.bytes);
    assert_eq!((ahead.status, ahead.json()), (409, nothing.clone()));
    let foreign = Journal { stream: StreamId::generate(), bytes: Vec::new() };
    assert_eq!(client.ingest(run, &foreign, 0, &journal.bytes).error().0, 400);
    assert_eq!(client.ingest(run, &journal, 0, b"GET / HTTP/1.1").error().0, 400);
    assert_eq!(client.ingest("local/other/r1", &journal, 0, &journal.bytes).error().0, 400);
    assert_eq!(client.ingest("local/digits/r2", &journal, 0, &journal.bytes).error().0, 400);

    let first = client.ingest(run, &journal, 0, &journal.bytes[..end / 2]);
    let durable = first.json()["durable_offset"].as_u64().expect("a number") as usize;
    assert!(durable > 0 && durable <= end / 2);
    assert_eq!(client.ingest(run, &journal, 0, &journal.bytes).json(), everything);
    assert_eq!(client.ingest(run, &journal, 0, &journal.bytes).json(), everything, "a repeated request is harmless");
    assert_eq!(client.get(&format!("/ingest/{run}/{}", journal.stream)).json(), everything);
    assert_eq!(client.get(&format!("/ingest/{run}/{}", foreign.stream)).json(), nothing);

    let path = format!("/ingest/{run}/{}", journal.stream);
    for query in ["", "?offset=", "?offset=-1", "?offset=x", "?offset=99999999999999999999"] {
        let answer = client.send("POST", &format!("{path}{query}"), "", Vec::new());
        assert_eq!((answer.status, answer.error().1), (400, "invalid".into()), "{query}");
    }
}

#[test]
fn damage_is_named_and_what_stands_before_it_is_kept() {
    let server = TestServer::start();
    let mut journal = Journal::of("r1", 100);
    let at = journal.bytes.len() - 20;
    journal.bytes[at] ^= 0x40;
    let answer = server.client().ingest("local/digits/r1", &journal, 0, &journal.bytes);
    let (status, kind, message) = answer.error();
    assert_eq!((status, &*kind), (400, "invalid"));
    assert!(message.contains(&journal.stream.to_string()), "{message}");
    let run = server.client().get("/runs/local/digits/r1").json();
    assert!(run["run"]["row_count"].as_u64() > Some(90), "{run}");
    assert!(run["streams"][0]["damage"].is_string(), "{run}");
}

#[test]
fn paths_that_lead_nowhere_good() {
    let server = TestServer::start();
    let client = server.client();
    let stream = "0".repeat(32);
    for path in [
        "/runs/local/p/..%2f..%2fetc".to_owned(),
        "/runs/local/p/%2e%2e".into(),
        "/runs/local/%2e/r".into(),
        "/runs/lo%00cal/p/r".into(),
        "/runs/local/p/%ff%fe".into(),
        format!("/runs/local/{}/r", "x".repeat(200)),
        format!("/ingest/local/p/r/{}", &stream[1..]),
        format!("/ingest/local/p/r/{}", stream.replace('0', "G")),
        "/runs/local/p/a%3Ab".into(),
    ] {
        assert_eq!(client.get(&path).error().0, 400, "{path}");
    }
    for path in ["/runs/local/p", "/runs", "/nothing", "/../healthz", "/"] {
        assert_eq!(client.get(path).error().0, 404, "{path}");
    }
    for path in ["//etc/passwd", "//../../etc/passwd", "//%2e%2e/%2e%2e/etc/passwd"] {
        let answer = client.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
    }
}

#[test]
fn bodies_that_are_not_the_json_we_want() {
    let server = TestServer::start();
    let client = server.client();
    let post = |media_type: &str, body: &[u8]| client.send("POST", "/runs/query", media_type, body.to_vec()).error();
    assert_eq!(post("text/plain", b"{}").0, 415);
    assert_eq!(post("", b"{}").0, 415);
    assert_eq!(post("application/json", b"{").0, 400);
    assert_eq!(post("application/json", b"\xff").0, 400);
    assert_eq!(post("application/json", "[".repeat(1 << 20).as_bytes()).0, 422);
    assert_eq!(post("application/json", &vec![b' '; 9 << 20]), error(413, "invalid", "the request body is too large"));
    let (status, kind, message) = post("application/json", br#"{"project": 5}"#);
    assert_eq!((status, &*kind), (422, "invalid"));
    assert!(message.contains("invalid type: integer `5`, expected a string"), "{message}");
    let journal = Journal::of("r1", 1);
    client.ingest("local/digits/r1", &journal, 0, &journal.bytes);
    let filter = json!({ "project": "local/digits", "filter": "(".repeat(100_000) });
    assert_eq!(client.post("/runs/query", &filter).error().0, 400);
    let answer = client.send("PUT", "/projects", "", Vec::new());
    assert_eq!(answer.error(), error(405, "invalid", "this path does not take PUT"));
}
