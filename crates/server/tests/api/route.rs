//! What the routes answer, from the first byte of a run to its end.

use serde_json::json;

use crate::support::{Journal, TestServer, path, start, unix_time, write_journal};

const RUN: &str = "local/digits/r1";

fn server_with_run() -> TestServer {
    let server = TestServer::start();
    let journal = Journal::of("r1", 1000);
    let packed = server.client().with("content-encoding", "zstd".into());
    let body = zstd::encode_all(&*journal.bytes, 1).expect("packing into memory");
    assert_eq!(packed.ingest(RUN, &journal, 0, &body).status, 200);
    server
}

#[test]
fn a_run_is_listed_read_changed_and_removed() {
    let server = server_with_run();
    let client = server.client();
    let projects = client.get("/projects").json();
    assert_eq!(
        (&projects["projects"][0]["entity"], &projects["projects"][0]["name"], &projects["projects"][0]["run_count"]),
        (&json!("local"), &json!("digits"), &json!(1))
    );
    let run = client.get(&format!("/runs/{RUN}")).json();
    assert_eq!(
        (&run["run"]["name"], &run["run"]["state"], &run["run"]["row_count"], &run["run"]["tags"]),
        (&json!("the run r1"), &json!("finished"), &json!(1000), &json!(["test"]))
    );
    assert_eq!(run["summary"], json!({ "loss": 0.001 }));

    let listed = client.post("/runs/query", &json!({ "project": "local/digits", "columns": ["summary.loss"] })).json();
    assert_eq!((&listed["total"], &listed["runs"][0]["values"]), (&json!(1), &json!({ "summary.loss": 0.001 })));
    let none = client.post("/runs/query", &json!({ "project": "local/digits", "filter": "summary.loss > 1" })).json();
    assert_eq!(none["total"], 0);

    let update = json!({ "name": "best", "notes": "# good", "tags": ["a", "b"], "stop": true });
    let changed = client.patch(&format!("/runs/{RUN}"), &update).json();
    assert_eq!(
        (&changed["run"]["name"], &changed["run"]["notes"], &changed["run"]["tags"]),
        (&json!("best"), &json!("# good"), &json!(["a", "b"]))
    );
    assert_eq!(client.delete(&format!("/runs/{RUN}")).status, 204);
    assert_eq!(client.get(&format!("/runs/{RUN}")).error().0, 404);
    assert_eq!(client.delete(&format!("/runs/{RUN}")).error().0, 404);
}

#[test]
fn a_removed_run_is_gone_for_its_client_too() {
    let server = TestServer::start();
    let journal = Journal::of("r1", 10);
    let client = server.client();
    assert_eq!(client.ingest(RUN, &journal, 0, &journal.bytes[..journal.bytes.len() / 2]).status, 200);
    assert_eq!(client.delete(&format!("/runs/{RUN}")).status, 204);
    let (status, ..) = client.ingest(RUN, &journal, 0, &journal.bytes).error();
    assert!(
        matches!(status, 404 | 410),
        "{status}: a client must not take it for an offset, and must not try for ever"
    );
}

#[test]
fn metrics_and_series_are_answered() {
    let server = server_with_run();
    let client = server.client();
    let keys = client.post("/keys/query", &json!({ "project": "local/digits", "runs": null })).json();
    assert_eq!(
        keys,
        json!({ "keys": [{
            "key": "loss", "kind": "number", "run_count": 1, "point_count": 1000, "hidden": false, "step_metric": null
        }] })
    );
    let series = client.post("/series", &json!({ "runs": [RUN], "keys": ["loss"], "buckets": 100 }));
    assert_eq!((series.status, series.header("content-type")), (200, "application/vnd.apache.arrow.stream"));
    assert_eq!(series.body[..4], [0xff; 4], "an Arrow stream");
    let many = json!({ "runs": [RUN], "keys": ["loss"], "buckets": 10_001 });
    assert_eq!(client.post("/series", &many).error().0, 400);
}

#[test]
fn history_comes_in_every_format_with_a_safe_name() {
    let server = server_with_run();
    let client = server.client();
    let get = |query: &str| client.get(&format!("/runs/{RUN}/history?{query}"));
    let jsonl = get("format=jsonl&keys=loss&from_step=10&to_step=11");
    assert_eq!(jsonl.header("content-disposition"), "attachment; filename=\"digits-r1.jsonl\"");
    assert_eq!(jsonl.header("content-type"), "application/jsonl; charset=utf-8");
    let rows: Vec<serde_json::Value> =
        jsonl.text().lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let rows: Vec<_> = rows.iter().map(|row| (row["_step"].clone(), row["loss"].clone())).collect();
    assert_eq!(rows, [(json!(10), json!(1.0 / 11.0)), (json!(11), json!(1.0 / 12.0))]);
    let csv = get("format=csv");
    assert_eq!((csv.text().lines().count(), csv.header("content-type")), (1001, "text/csv; charset=utf-8"));
    let parquet = get("format=parquet");
    assert_eq!((&parquet.body[..4], parquet.header("content-type")), (&b"PAR1"[..], "application/vnd.apache.parquet"));
    assert_eq!(get("format=arrow").body[..4], [0xff; 4]);

    assert_eq!(get("format=xls").error().0, 400);
    assert_eq!(get("").error().0, 400);
    assert_eq!(get("format=csv&from_step=x").error().0, 400);
    assert_eq!(client.get("/runs/local/digits/nothing/history?format=csv").error().0, 404);
}

#[test]
fn answers_carry_security_headers_and_are_not_cached() {
    let server = TestServer::start();
    let client = server.client();
    for path in ["/session", "/projects", "/nothing", "//", "//healthz"] {
        let answer = client.get(path);
        assert_eq!(
            [
                answer.header("content-security-policy"),
                answer.header("x-content-type-options"),
                answer.header("referrer-policy")
            ],
            [
                "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; frame-ancestors 'none'",
                "nosniff",
                "same-origin"
            ],
            "{path}"
        );
    }
    assert_eq!(client.get("/projects").header("cache-control"), "no-store");
    assert_eq!((client.get("//healthz").status, client.get("//healthz").text()), (200, "ok".into()));
    assert_eq!(client.get("/openapi.json").text(), steplog_server::openapi_json());
}

#[test]
fn only_the_page_that_changes_nothing_may_be_framed() {
    let server = TestServer::start();
    let client = server.client();
    let ancestors = |path: &str| {
        let policy = client.get(path).header("content-security-policy").to_owned();
        policy.split_once("frame-ancestors ").expect("a rule about frames").1.to_owned()
    };
    assert_eq!(ancestors("//embed/local/digits/runs/r1"), "* vscode-webview:");
    for path in ["//", "//embed", "//local/digits/runs/r1", "//local/embed/digits", "/embed/local", "//login"] {
        assert_eq!(ancestors(path), "'none'", "{path}");
    }
}

#[test]
fn compression_is_for_the_network() {
    let server = server_with_run();
    let asking = server.client().with("accept-encoding", "gzip".into());
    let body = json!({ "runs": [RUN], "keys": ["loss"] });
    assert_eq!(asking.post("/series", &body).header("content-encoding"), "");
    let proxied = asking.with("x-forwarded-for", "10.1.2.3".into());
    assert_eq!(proxied.post("/series", &body).header("content-encoding"), "gzip");
    let parquet = proxied.get(&format!("/runs/{RUN}/history?format=parquet"));
    assert_eq!(parquet.header("content-encoding"), "");
}

#[test]
fn an_unreachable_address_is_refused_without_accounts() {
    let directory = tempfile::tempdir().expect("a folder");
    let store = steplog_store::Store::open(directory.path(), Default::default()).expect("a store");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let _guard = runtime.enter();
    let state = steplog_server::ServerState::new(store.clone(), Default::default()).expect("a state");
    let check = |address: &str| steplog_server::check_address(&state, address.parse().expect("an address"));
    assert!(check("127.0.0.1").is_ok() && check("::1").is_ok());
    let refused = check("0.0.0.0").expect_err("no accounts");
    assert_eq!(refused.message, "a server without accounts listens only on this machine, not on 0.0.0.0");
    assert!(refused.hint.expect("a remedy").contains("steplog user add"));
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.expect("a free port");
        steplog_server::serve(listener, state.clone(), std::future::ready(())).await
    });
    assert!(served.is_err(), "also who binds first is refused");
    store.close().expect("closed");
}

#[test]
fn many_journals_at_once_are_all_kept() {
    let server = TestServer::start();
    std::thread::scope(|scope| {
        for run in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let client = server.client();
                let journal = Journal::of(&format!("r{run}"), 5000);
                let mut offset = 0;
                while offset < journal.bytes.len() {
                    let end = journal.bytes.len().min(offset + 20_000);
                    let answer =
                        client.ingest(&format!("local/digits/r{run}"), &journal, offset, &journal.bytes[offset..end]);
                    offset = answer.json()["durable_offset"].as_u64().expect("a number") as usize;
                }
            });
        }
    });
    for run in 0..8 {
        let detail = server.store.run(&path(&format!("local/digits/r{run}"))).expect("the run");
        assert_eq!(detail.run.row_count, 5000);
    }
}

#[test]
fn a_client_learns_that_it_should_stop() {
    let server = TestServer::start();
    let folder = tempfile::tempdir().expect("a folder");
    let stream = steplog_model::StreamId::generate();
    let mut started = start("digits", "r1");
    started.started_at = unix_time();
    write_journal(&folder.path().join("j"), stream, &started, 5, false);
    let bytes = steplog_journal::JournalReader::new(folder.path().join("j")).read(0, 1 << 20).expect("readable").bytes;
    let journal = Journal { stream, bytes };
    let client = server.client();
    client.ingest(RUN, &journal, 0, &journal.bytes);
    assert_eq!(client.patch(&format!("/runs/{RUN}"), &json!({ "stop": true })).status, 200);
    let answer = client.ingest(RUN, &journal, 0, &journal.bytes).json();
    assert_eq!(answer, json!({ "durable_offset": journal.bytes.len(), "control": { "stop": true } }));
}
