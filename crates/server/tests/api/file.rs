//! Files of runs over HTTP: up in parts, down in ranges, and never as a page of ours.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use steplog_journal::{JournalWriter, WriterOptions};
use steplog_model::{Record, RunStart, SavedFile, StreamId};
use steplog_server::{FolderCache, FolderReader, Source};

use crate::support::{Answer, Client, Journal, TestServer, error};

const RUN: &str = "local/digits/r1";

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn server() -> (TestServer, Client) {
    let server = TestServer::start();
    let client = server.client();
    let journal = Journal::of("r1", 3);
    assert_eq!(client.ingest(RUN, &journal, 0, &journal.bytes).status, 200);
    (server, client)
}

fn put(client: &Client, path: &str, bytes: &[u8]) -> Answer {
    let request = json!({ "sha256": hash(bytes), "size_bytes": bytes.len(), "policy": "now" });
    client.send("PUT", &format!("/runs/{RUN}/files/{path}"), "application/json", request.to_string().into_bytes())
}

fn send_part(client: &Client, whole: &[u8], offset: usize, end: usize) -> Answer {
    let path = format!("/blobs/local/{}?offset={offset}&size_bytes={}", hash(whole), whole.len());
    client.send("PUT", &path, "application/octet-stream", whole[offset..end].to_vec())
}

fn upload(client: &Client, path: &str, bytes: &[u8]) {
    if put(client, path, bytes).status == 409 {
        assert_eq!(send_part(client, bytes, 0, bytes.len()).status, 200);
        assert_eq!(put(client, path, bytes).status, 200);
    }
}

fn read(client: &Client, path: &str) -> Answer {
    client.get(&format!("/runs/{RUN}/files/{path}"))
}

#[test]
fn a_file_goes_up_in_parts_and_comes_down_whole() {
    let (_server, client) = server();
    let whole: Vec<u8> = (0..100_000u32).map(|number| (number.wrapping_mul(number) >> 5) as u8).collect();
    let missing = put(&client, "out/model%20%C3%BC.pt", &whole);
    assert_eq!((missing.status, missing.json()), (409, json!({ "received_bytes": 0, "complete": false })));
    let part = send_part(&client, &whole, 0, 60_000);
    assert_eq!((part.status, part.json()), (200, json!({ "received_bytes": 60_000, "complete": false })));
    let ahead = send_part(&client, &whole, 70_000, 100_000);
    assert_eq!((ahead.status, ahead.json()), (409, json!({ "received_bytes": 60_000, "complete": false })));
    let status = client.get(&format!("/blobs/local/{}", hash(&whole)));
    assert_eq!(status.json(), json!({ "received_bytes": 60_000, "complete": false }));
    let last = send_part(&client, &whole, 60_000, 100_000);
    assert_eq!((last.status, last.json()), (200, json!({ "received_bytes": 100_000, "complete": true })));
    assert_eq!(read(&client, "out/model%20%C3%BC.pt").status, 404);
    assert_eq!(put(&client, "out/model%20%C3%BC.pt", &whole).status, 200);
    let answer = read(&client, "out/model%20%C3%BC.pt");
    assert_eq!((answer.status, answer.body == whole), (200, true));
    assert_eq!(answer.header("etag"), format!("\"{}\"", hash(&whole)));
    assert_eq!(answer.header("content-length"), "100000");
    let list = client.get(&format!("/runs/{RUN}/files")).json();
    let mut file = list["files"][0].clone();
    let updated_at = file["updated_at"].take();
    assert!(updated_at.as_f64().is_some_and(|time| time > 1.6e9), "{updated_at}");
    assert_eq!(
        (file, &list["next_cursor"]),
        (
            json!({
                "path": "out/model ü.pt", "size_bytes": 100_000, "sha256": hash(&whole),
                "media_type": "application/octet-stream", "policy": "now", "modified_at": null, "updated_at": null,
            }),
            &Json::Null
        )
    );
    assert_eq!(client.delete(&format!("/runs/{RUN}/files/out/model%20%C3%BC.pt")).status, 204);
    assert_eq!(client.get(&format!("/runs/{RUN}/files")).json(), json!({ "files": [], "next_cursor": null }));
}

#[test]
fn ranges_and_tags_spare_what_is_known() {
    let (_server, client) = server();
    upload(&client, "a.txt", b"0123456789");
    let with = |headers: &[(&str, &str)]| {
        let client = headers.iter().fold(client.clone(), |client, (name, value)| client.with(name, (*value).into()));
        let answer = read(&client, "a.txt");
        let text = if answer.status < 400 { answer.text() } else { answer.error().2 };
        (answer.status, text, answer.header("content-range").to_owned())
    };
    let expect = |status: u16, text: &str, range: &str| (status, text.to_owned(), range.to_owned());
    let tag = format!("\"{}\"", hash(b"0123456789"));
    assert_eq!(with(&[("range", "bytes=2-4")]), expect(206, "234", "bytes 2-4/10"));
    assert_eq!(with(&[("range", "bytes=-3")]), expect(206, "789", "bytes 7-9/10"));
    assert_eq!(with(&[("range", "bytes=8-99"), ("if-range", &tag)]), expect(206, "89", "bytes 8-9/10"));
    assert_eq!(with(&[("range", "bytes=8-99"), ("if-range", "\"other\"")]), expect(200, "0123456789", ""));
    assert_eq!(with(&[("range", "bytes=10-")]), expect(416, "the file has 10 bytes", "bytes */10"));
    assert_eq!(with(&[("range", "lines=1-")]), expect(200, "0123456789", ""));
    assert_eq!(with(&[("if-none-match", &tag)]), expect(304, "", ""));
    assert_eq!(with(&[("if-none-match", "\"x\", W/\"y\"")]), expect(200, "0123456789", ""));
    // Packing on the way would change the bytes that ranges count.
    assert_eq!(
        with(&[("range", "bytes=0-1"), ("accept-encoding", "gzip"), ("x-forwarded-for", "10.0.0.1")]),
        expect(206, "01", "bytes 0-1/10")
    );
    let head = client.send("HEAD", &format!("/runs/{RUN}/files/a.txt"), "", Vec::new());
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "10", 0));
    assert_eq!(head.header("accept-ranges"), "bytes");
}

#[test]
fn a_file_never_runs_as_a_page_of_ours() {
    let (_server, client) = server();
    for (name, media_type, kind) in [
        ("a.html", "text/html", "attachment"),
        ("a.svg", "image/svg+xml", "attachment"),
        ("a.xml", "application/xml", "attachment"),
        ("a.js", "text/javascript", "attachment"),
        ("a", "application/octet-stream", "attachment"),
        ("a.txt", "text/plain; charset=utf-8", "inline"),
        ("a.png", "image/png", "inline"),
        ("a.json", "application/json", "inline"),
    ] {
        upload(&client, name, b"<html><script>alert(1)</script></html>");
        let answer = read(&client, name);
        assert_eq!(answer.header("content-type"), media_type, "{name}");
        let disposition = format!("{kind}; filename=\"{name}\"; filename*=UTF-8''{name}");
        assert_eq!(answer.header("content-disposition"), disposition, "{name}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{name}");
        assert_eq!(answer.header("cache-control"), "private, no-cache", "{name}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';") && policy.ends_with("; sandbox"), "{name}: {policy}");
    }
    let kept = read(&client, "a.png?download=true");
    assert!(kept.header("content-disposition").starts_with("attachment; "));
}

#[test]
fn hostile_names_and_bodies_are_refused() {
    let (_server, client) = server();
    let long = format!("{}/x", "a/".repeat(512));
    for path in
        ["..%2Fx", "a/..%2F..%2Fx", "%2Fetc%2Fpasswd", "a%5Cb", "a%00", "a%0Ab", "a//b", "a/", ".", "%2E%2E", &long]
    {
        for method in ["GET", "PUT", "DELETE"] {
            let body = json!({ "sha256": hash(b"x"), "size_bytes": 1 }).to_string().into_bytes();
            let (media_type, body) = if method == "PUT" { ("application/json", body) } else { ("", Vec::new()) };
            let answer = client.send(method, &format!("/runs/{RUN}/files/{path}"), media_type, body);
            assert!(matches!(answer.status, 400 | 404 | 405), "{method} {path}: {} {}", answer.status, answer.text());
        }
    }
    let wrong_hash = client.get("/blobs/local/ABC").error();
    assert_eq!(wrong_hash, error(400, "invalid", "hash \"ABC\" is not 64 lowercase hex digits"));
    let large = vec![0; (8 << 20) + 1];
    assert_eq!(
        send_part(&client, &large, 0, large.len()).error(),
        error(413, "invalid", "the request body is larger than 8 MiB")
    );
    let path = format!("/blobs/local/{}?offset=0&size_bytes=3", hash(b"abc"));
    let message = format!("the bytes that were sent do not have the hash {}", hash(b"abc"));
    let answer = client.send("PUT", &path, "application/octet-stream", b"abX".to_vec());
    assert_eq!(answer.error(), error(400, "invalid", &message));
    let nobody = client.get("/runs/local/digits/nobody/files");
    assert_eq!(nobody.error(), error(404, "not_found", "there is no run local/digits/nobody"));
}

/// A run folder with one journal, which names the saved files.
fn write_run(root: &Path, saved: &[(&str, Option<&Path>)]) -> std::path::PathBuf {
    let folder = root.join("steplog/digits/r1");
    let stream = StreamId::from_bytes([7; 16]);
    let journal = folder.join("journal").join(stream.to_string());
    let mut writer = JournalWriter::create(&journal, stream, WriterOptions::default()).expect("a journal");
    let start = RunStart::new("r1".parse().expect("an id"), "digits".parse().expect("a name"), 1000.0);
    writer.append_record(&Record::RunStart(Box::new(start))).expect("appended");
    for (path, source) in saved {
        let source = source.map(|source| source.display().to_string());
        let file = SavedFile {
            time: 1001.0,
            path: path.parse().expect("a path"),
            policy: steplog_model::FilePolicy::End,
            source,
        };
        writer.append_record(&Record::File(file)).expect("appended");
    }
    writer.close().expect("closed");
    fs::create_dir_all(folder.join("files/out")).expect("a folder");
    folder.join("files")
}

#[test]
#[cfg(unix)]
fn a_folder_shows_its_files_and_nothing_outside_but_what_save_put_there() {
    use std::os::unix::fs::symlink;

    let root = tempfile::tempdir().expect("a folder");
    let outside = tempfile::tempdir().expect("a folder");
    let secret = outside.path().join("secret.txt");
    fs::write(&secret, "secret").expect("written");
    fs::create_dir(outside.path().join("data")).expect("a folder");
    fs::write(outside.path().join("data/x.txt"), "in data").expect("written");
    symlink(&secret, outside.path().join("data/link.txt")).expect("a link");
    let saved = outside.path().join("saved.txt");
    fs::write(&saved, "saved").expect("written");
    let data = outside.path().join("data");
    let files =
        write_run(root.path(), &[("saved.txt", Some(&saved)), ("data", Some(&data)), ("moved.txt", Some(&saved))]);
    fs::write(files.join("out/own.json"), "{}").expect("written");
    symlink(&saved, files.join("saved.txt")).expect("a link");
    symlink(&data, files.join("data")).expect("a link");
    // Links that no journal names, or that lead elsewhere than it says, or out of the folder by a loop.
    symlink(&secret, files.join("stray.txt")).expect("a link");
    symlink(&secret, files.join("moved.txt")).expect("a link");
    symlink(outside.path(), files.join("stray")).expect("a link");
    symlink("..", files.join("loop")).expect("a link");

    let cache = FolderCache::open_temporary().expect("a cache");
    let reader = FolderReader::start(root.path(), &cache).expect("readable");
    reader.wait_until_caught_up();
    let server = TestServer::over(cache.store().clone(), Source::Folder(reader.run_folders()));
    let client = server.client();
    let list = client.get(&format!("/runs/{RUN}/files")).json();
    let listed: Vec<_> = list["files"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| (file["path"].as_str().expect("a path"), &file["size_bytes"], &file["sha256"], &file["policy"]))
        .collect();
    let (end, null) = (json!("end"), Json::Null);
    assert_eq!(
        listed,
        [
            ("data/x.txt", &json!(7), &null, &end),
            ("out/own.json", &json!(2), &null, &null),
            ("saved.txt", &json!(5), &null, &end),
        ]
    );
    for (path, text) in [("saved.txt", "saved"), ("data/x.txt", "in data"), ("out/own.json", "{}")] {
        assert_eq!((read(&client, path).status, read(&client, path).text()), (200, text.to_owned()));
    }
    let part = read(&client.clone().with("range", "bytes=1-2".into()), "saved.txt");
    assert_eq!((part.status, part.text()), (206, "av".to_owned()));
    for path in ["stray.txt", "moved.txt", "stray/secret.txt", "data/link.txt", "loop/journal", "out", "missing"] {
        let answer = read(&client, path);
        let name = path.rsplit('/').next().expect("a name");
        assert_eq!(answer.error(), error(404, "not_found", &format!("the run has no file {name}")), "{path}");
    }
    assert_eq!(put(&client, "x", b"x").status, 403);
    // What changes is another content under another tag.
    let before = read(&client, "saved.txt").header("etag").to_owned();
    fs::write(&saved, "saved again").expect("written");
    let again = read(&client.clone().with("if-none-match", before), "saved.txt");
    assert_eq!((again.status, again.text()), (200, "saved again".to_owned()));
    server.stop();
}
