//! Artifacts over HTTP: committed, shown, changed, linked, fetched, and found damaged.

use std::fs;
use std::io::{BufReader, Read as _};

use serde_json::{Map, Value as Json, json};
use steplog_journal::JournalReader;
use steplog_model::{
    ArtifactRecord, ArtifactUse, ContentHash, Manifest, ManifestEntry, Md5, Record, StreamId, Version,
};
use steplog_server::Source;
use steplog_store::{Store, StoreOptions};

use crate::blob::{hash, pack, post_pack};
use crate::event::next_event;
use crate::support::{Answer, Client, Journal, TestServer, error, start, wait_until, write_journal};

const DATA: &str = "/artifacts/local/digits/data";

fn stored(bytes: &[u8]) -> ManifestEntry {
    let sha256: ContentHash = hash(bytes).parse().expect("a hash");
    ManifestEntry::stored(bytes.len() as u64, Md5::of(bytes), sha256)
}

pub(crate) fn manifest(files: &[(&str, &[u8])]) -> Manifest {
    files.iter().map(|(path, bytes)| (path.parse().expect("a path"), stored(bytes))).collect()
}

/// A commit that was never sent before.
fn request(manifest: &Manifest) -> Json {
    json!({
        "id": StreamId::generate().to_string(), "type": "dataset", "digest": manifest.digest().to_string(),
        "manifest": hash(&manifest.to_json_lines()),
    })
}

/// Sends everything, and commits it.
fn log(client: &Client, collection: &str, files: &[(&str, &[u8])]) -> Json {
    let manifest = manifest(files);
    log_manifest(client, collection, &manifest, files, request(&manifest))
}

fn log_manifest(
    client: &Client,
    collection: &str,
    manifest: &Manifest,
    files: &[(&str, &[u8])],
    request: Json,
) -> Json {
    let entity = collection.split('/').nth(2).expect("an entity");
    let lines = manifest.to_json_lines();
    let mut blobs: Vec<&[u8]> = files.iter().map(|(_, bytes)| *bytes).collect();
    blobs.push(&lines);
    assert_eq!(post_pack(client, entity, pack(&blobs)).status, 200);
    let answer = client.post(&format!("{collection}/versions"), &request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["artifact"].take()
}

/// A run that says what it used.
fn journal_of_use(run: &str, used: &Json) -> Journal {
    let folder = tempfile::tempdir().expect("a folder");
    let stream = StreamId::generate();
    let mut writer = write_journal(&folder.path().join("j"), stream, &start("digits", run), 1, false);
    let text = |name: &str| used[name].as_str().expect("text").to_owned();
    let used = ArtifactUse {
        entity: Some(text("entity").try_into().expect("a name")),
        project: Some(text("project").try_into().expect("a name")),
        collection: text("collection").parse().expect("a name"),
        version: text("version").parse::<Version>().expect("a version"),
        digest: text("digest").parse().expect("a digest"),
        id: Some(text("id").parse().expect("an id")),
    };
    writer.append_record(&Record::Artifact(ArtifactRecord::Used(used))).expect("written");
    let bytes = JournalReader::new(folder.path().join("j")).read(0, 1 << 30).expect("a good journal").bytes;
    Journal { stream, bytes }
}

pub(crate) fn names(list: &Json, of: &str, member: &str) -> Vec<String> {
    let items = list[of].as_array().unwrap_or_else(|| panic!("no {of}: {list}"));
    items.iter().map(|item| item[member].as_str().expect("text").to_owned()).collect()
}

pub(crate) fn read(client: &Client, path: &str) -> Json {
    let answer = client.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

#[test]
fn a_version_is_committed_when_its_bytes_are_here() {
    let server = TestServer::start();
    let client = server.client();
    let mut events = BufReader::new(client.stream("/events?project=local/digits"));
    let files: [(&str, &[u8]); 2] = [("a.csv", b"one"), ("b/c.csv", b"three")];
    let manifest = manifest(&files);
    let lines = manifest.to_json_lines();
    let mut request = request(&manifest);
    request["aliases"] = json!(["best"]);
    request["metadata"] = json!({ "rows": 3 });
    let commit = || client.post(&format!("{DATA}/versions"), &request);
    let missing = |answer: &Answer| (answer.status, names(&answer.json(), "missing", "sha256"));
    assert_eq!(missing(&commit()), (409, vec![hash(&lines)]));
    assert_eq!(post_pack(&client, "local", pack(&[&lines])).status, 200);
    let answer = commit();
    assert_eq!(missing(&answer), (409, vec![hash(b"one"), hash(b"three")]));
    assert_eq!((&answer.json()["artifact"], &answer.json()["created"]), (&Json::Null, &json!(false)));
    assert_eq!(read(&client, "/artifacts/local"), json!({ "collections": [], "types": [], "next_cursor": null }));
    assert_eq!(post_pack(&client, "local", pack(&[b"one", b"three"])).status, 200);
    let answer = commit();
    let artifact = answer.json()["artifact"].take();
    assert_eq!((answer.status, &answer.json()["created"], &artifact["version"]), (200, &json!(true), &json!("v0")));
    assert_eq!(commit().json()["artifact"], artifact, "a repeated request is answered as the first one was");
    let change = json!({ "entity": "local", "project": "digits", "collection": "data", "deleted": false });
    let event = next_event(&mut events).expect("an event");
    assert_eq!(event, ("artifacts".into(), json!({ "collections": [change] })));

    for path in ["versions/v0", "versions/best", "versions/latest"] {
        assert_eq!(read(&client, &format!("{DATA}/{path}")), artifact);
    }
    let digest = artifact["digest"].as_str().expect("a digest");
    assert_eq!(read(&client, &format!("/artifact-digests/local/digits/{digest}")), artifact);
    assert_eq!(read(&client, &format!("{DATA}/versions"))["artifacts"], json!([artifact]));
    for list in ["/artifacts/local", "/artifacts/local/digits", "/artifacts/local?type=dataset&search=DAT&kind=source"]
    {
        let list = read(&client, list);
        assert_eq!(
            (names(&list, "collections", "name"), &list["types"]),
            (vec!["data".into()], &json!([{ "type": "dataset", "count": 1 }]))
        );
    }
    let text = client.get(&format!("{DATA}/versions/v0/manifest"));
    assert_eq!((text.header("content-type"), text.body == lines), ("application/jsonl", true));
    assert_eq!(text.header("content-disposition"), "attachment; filename=\"data-v0.manifest.jsonl\"");
    let entries = read(&client, &format!("{DATA}/versions/v0/entries"));
    assert_eq!(
        (&entries["folders"], names(&entries, "entries", "path")),
        (&json!([{ "path": "b", "file_count": 1, "size_bytes": 5 }]), vec!["a.csv".into()])
    );
    let all = read(&client, &format!("{DATA}/versions/v0/entries?recursive=true&search=C.CSV"));
    assert_eq!(names(&all, "entries", "path"), ["b/c.csv"]);
}

#[test]
fn conflicts_are_errors_and_change_nothing() {
    let server = TestServer::start();
    let client = server.client();
    let first = log(&client, DATA, &[("a", b"1")]);
    let manifest = manifest(&[("a", b"2")]);
    let commit = |change: &dyn Fn(&mut Json)| {
        let mut request = request(&manifest);
        change(&mut request);
        client.post(&format!("{DATA}/versions"), &request).error()
    };
    assert_eq!(post_pack(&client, "local", pack(&[b"2", &manifest.to_json_lines()])).status, 200);
    let stale = commit(&|request| request["if_latest"] = json!("none"));
    assert_eq!(stale, error(409, "conflict", "the newest version of local/digits/data is v0 now"));
    assert_eq!(commit(&|request| request["type"] = json!("model")).0, 409);
    assert_eq!(commit(&|request| request["digest"] = first["digest"].clone()).0, 400);
    assert_eq!(commit(&|request| request["id"] = json!("x")).0, 400);
    let unknown = client.post(&format!("{DATA}/versions"), &json!({ "unknown": 1 }));
    assert_eq!(unknown.error().0, 422);
    assert_eq!(names(&read(&client, &format!("{DATA}/versions")), "artifacts", "version"), ["v0"]);
    let not_found = client.get(&format!("{DATA}/versions/v9"));
    assert_eq!((not_found.status, not_found.error().1), (404, "not_found".into()));
    for path in [
        "/artifacts/local/digits/a%2Fb",
        "/artifacts/local/digits/..",
        "/artifacts/local/digits/data/versions/a:b",
        "/artifacts/local/digits/data/versions/v0/files/../a",
        "/artifacts/local/digits/data/versions/v0/files/%2Fetc%2Fpasswd",
        "/artifacts/local/digits/data/versions/v0/diff?from=a:b",
        "/artifact-digests/local/digits/xyz",
    ] {
        let answer = client.get(path);
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.text());
    }
}

#[test]
fn versions_are_changed_and_removed() {
    let server = TestServer::start();
    let client = server.client();
    log(&client, DATA, &[("a", b"1"), ("b", b"1")]);
    log(&client, DATA, &[("a", b"2"), ("c", b"1")]);
    let update = json!({ "add_aliases": ["best"], "add_tags": ["t"], "metadata": { "n": 1 }, "description": "d" });
    let changed = client.patch(&format!("{DATA}/versions/v0"), &update).json();
    assert_eq!(
        json!([changed["aliases"], changed["tags"], changed["metadata"], changed["description"]]),
        json!([["best"], ["t"], { "n": 1 }, "d"])
    );
    let diff = read(&client, &format!("{DATA}/versions/latest/diff?from=best"));
    let counts = ["added_count", "removed_count", "changed_count", "unchanged_count"].map(|name| diff[name].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(1), Some(0)]);
    assert_eq!(names(&diff, "entries", "change"), ["changed", "removed", "added"]);
    let protect = client.patch(DATA, &json!({ "protected_aliases": ["best"], "description": "all of it" }));
    assert_eq!((protect.status, protect.json()["description"].clone()), (200, json!("all of it")));
    assert_eq!(client.delete(&format!("{DATA}/versions/v0")).status, 409);
    assert_eq!(client.delete(&format!("{DATA}/versions/v0?delete_aliases=true")).status, 409);
    assert_eq!(client.delete(DATA).status, 409);
    assert_eq!(client.patch(DATA, &json!({ "protected_aliases": [], "name": "numbers" })).status, 200);
    let renamed = "/artifacts/local/digits/numbers";
    assert_eq!(client.delete(&format!("{renamed}/versions/v0")).status, 409);
    assert_eq!(client.delete(&format!("{renamed}/versions/v0?delete_aliases=true")).status, 204);
    assert_eq!(names(&read(&client, &format!("{renamed}/versions")), "artifacts", "version"), ["v1"]);
    assert_eq!(client.delete(renamed).status, 204);
    assert_eq!(client.get(renamed).status, 404);
}

#[test]
fn a_file_comes_whole_or_in_ranges_and_never_as_a_page_of_ours() {
    let server = TestServer::start();
    let client = server.client();
    let files: [(&str, &[u8]); 2] = [("a.txt", b"0123456789"), ("page/evil.html", b"<script>alert(1)</script>")];
    let mut manifest = manifest(&files);
    let uri = "s3://bucket/key".to_owned();
    manifest.insert(
        "remote.bin".parse().expect("a path"),
        ManifestEntry::reference(uri, "etag".into(), Some(7), Map::new()),
    );
    log_manifest(&client, DATA, &manifest, &files, request(&manifest));
    let file = |path: &str| format!("{DATA}/versions/latest/files/{path}");
    let whole = client.get(&file("a.txt"));
    assert_eq!((whole.status, whole.text()), (200, "0123456789".into()));
    assert_eq!((whole.header("etag"), whole.header("accept-ranges")), (&*format!("\"{}\"", hash(files[0].1)), "bytes"));
    let range = client.clone().with("range", "bytes=2-5".into()).get(&file("a.txt"));
    assert_eq!((range.status, range.text(), range.header("content-range")), (206, "2345".into(), "bytes 2-5/10"));
    let beyond = client.clone().with("range", "bytes=10-".into()).get(&file("a.txt"));
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */10"));
    let known = client.clone().with("if-none-match", whole.header("etag").to_owned()).get(&file("a.txt"));
    assert_eq!(known.status, 304);
    let page = client.get(&file("page/evil.html"));
    assert_eq!(page.header("content-disposition"), "attachment; filename=\"evil.html\"; filename*=UTF-8''evil.html");
    let policy = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";
    assert_eq!((page.header("content-security-policy"), page.header("x-content-type-options")), (policy, "nosniff"));
    let kept = client.get(&format!("{}?download=true", file("a.txt")));
    assert_eq!(kept.header("content-disposition"), "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt");
    let reference = client.get(&file("remote.bin"));
    let message = "remote.bin is a reference to s3://bucket/key: its bytes are not here";
    assert_eq!(reference.error(), error(409, "conflict", message));
    assert_eq!(client.get(&file("none")).status, 404);
}

#[test]
fn a_damaged_file_is_found_and_not_served_until_it_comes_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), StoreOptions::default()).expect("a store");
    let server = TestServer::over(store, Source::Clients);
    let client = server.client();
    log(&client, DATA, &[("a/x.bin", b"good bytes"), ("y", b"others")]);
    let verify = || client.post(&format!("{DATA}/versions/v0/verify"), &Json::Null).json();
    assert_eq!(verify(), json!({ "good_count": 2, "damaged": [], "reference_count": 0 }));
    let name = hash(b"good bytes");
    fs::write(folder.path().join("blobs").join(&name[..2]).join(&name), b"gooD bytes").expect("damaged");
    let found = json!({ "good_count": 1, "damaged": ["a/x.bin"], "reference_count": 0 });
    assert_eq!((verify(), verify()), (found.clone(), found));
    let answer = client.get(&format!("{DATA}/versions/v0/files/a/x.bin"));
    let message = "the bytes of a/x.bin were damaged on the server's disk and are not to be had";
    assert_eq!(answer.error(), error(410, "data", message));
    // Whoever commits the same content again is asked for them.
    let files: [(&str, &[u8]); 2] = [("a/x.bin", b"good bytes"), ("y", b"others")];
    let again = client.post(&format!("{DATA}/versions"), &request(&manifest(&files)));
    assert_eq!((again.status, names(&again.json(), "missing", "sha256")), (409, vec![name]));
    assert_eq!(log(&client, DATA, &files)["version"], "v0");
    assert_eq!(client.get(&format!("{DATA}/versions/v0/files/a/x.bin")).text(), "good bytes");
    assert_eq!(verify(), json!({ "good_count": 2, "damaged": [], "reference_count": 0 }));
}

#[test]
fn damage_that_nobody_knew_of_is_not_taken_for_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), StoreOptions::default()).expect("a store");
    let server = TestServer::over(store, Source::Clients);
    let client = server.client();
    let long: Vec<u8> = (0..1_000_000u32).map(|index| (index % 251) as u8).collect();
    log(&client, DATA, &[("short", b"good bytes"), ("long", &long)]);
    let place = |bytes: &[u8]| {
        let name = hash(bytes);
        folder.path().join("blobs").join(&name[..2]).join(&name)
    };
    let file = |name: &str| format!("{DATA}/versions/v0/files/{name}");
    assert_eq!(client.get(&file("long")).body, long);

    fs::write(place(b"good bytes"), b"gooD bytes").expect("damaged");
    let damaged: Vec<u8> = [1].into_iter().chain(long[1..].iter().copied()).collect();
    fs::write(place(&long), &damaged).expect("damaged");
    let message = "the bytes of short were damaged on the server's disk and are not to be had";
    assert_eq!(client.get(&file("short")).error(), error(410, "data", message));
    let mut come = Vec::new();
    client.stream(&file("long")).read_to_end(&mut come).expect_err("the end is kept back");
    assert!(come.len() < long.len() && damaged.starts_with(&come));
    // Both were set aside, and are known to be lost.
    wait_until("they are set aside", || (!place(b"good bytes").exists() && !place(&long).exists()).then_some(()));
    assert_eq!(client.get(&file("long")).status, 410);
    assert_eq!(client.get(&file("short")).status, 410);
}

#[test]
fn runs_and_versions_lead_to_each_other() {
    let server = TestServer::start();
    let client = server.client();
    let (maker, files) = (Journal::of("maker", 1), [("a", &b"1"[..])]);
    assert_eq!(client.ingest("local/digits/maker", &maker, 0, &maker.bytes).status, 200);
    let manifest = manifest(&files);
    let mut request = request(&manifest);
    (request["run_id"], request["step"]) = (json!("maker"), json!(0));
    let artifact = log_manifest(&client, DATA, &manifest, &files, request);
    let user = journal_of_use("user", &artifact);
    assert_eq!(client.ingest("local/digits/user", &user, 0, &user.bytes).status, 200);
    let lineage = read(&client, &format!("{DATA}/versions/v0/lineage"));
    assert_eq!(names(&lineage, "artifacts", "version"), ["v0"]);
    let mut edges: Vec<String> = lineage["edges"]
        .as_array()
        .expect("edges")
        .iter()
        .map(|edge| {
            let run = &lineage["runs"][edge["run"].as_u64().expect("a number") as usize]["run_id"];
            format!("{} {}", run.as_str().expect("text"), edge["relation"].as_str().expect("text"))
        })
        .collect();
    edges.sort();
    assert_eq!(edges, ["maker logged", "user used"]);
    assert_eq!(names(&read(&client, &format!("{DATA}/versions/v0/runs")), "runs", "run_id"), ["user"]);
    let of = |run: &str| {
        let artifacts = read(&client, &format!("/runs/local/digits/{run}/artifacts"));
        (names(&artifacts, "logged", "version"), names(&artifacts, "used", "version"))
    };
    assert_eq!((of("maker"), of("user")), ((vec!["v0".into()], vec![]), (vec![], vec!["v0".into()])));
    assert_eq!(client.get(&format!("{DATA}/versions/v0/lineage?depth=101")).status, 400);
    assert_eq!(client.get("/runs/local/digits/nobody/artifacts").status, 404);
}

#[test]
fn a_link_needs_the_right_to_write_on_both_sides() {
    let server = TestServer::with_accounts();
    let (ada, bob) = (server.client_of("ada"), server.client_of("bob"));
    let of_bob = log(&bob, "/artifacts/bob/digits/net", &[("a", b"1")]);
    let of_ada = log(&ada, "/artifacts/ada/digits/net", &[("a", b"1")]);
    let link = |client: &Client, entity: &str, artifact: &Json| {
        let request = json!({ "source": artifact["source"], "aliases": ["production"] });
        client.post(&format!("/artifacts/{entity}/registry/net/links"), &request)
    };
    let forbidden = |entity: &str| error(403, "forbidden", &format!("bob may not write to the runs of {entity}"));
    assert_eq!(link(&bob, "ada", &of_bob).error(), forbidden("ada"));
    assert_eq!(link(&bob, "bob", &of_ada).error(), forbidden("ada"));
    let linked = link(&bob, "bob", &of_bob);
    assert_eq!(linked.status, 200, "{}", linked.text());
    let linked = linked.json();
    assert_eq!(
        json!([linked["project"], linked["version"], linked["aliases"], linked["source"]]),
        json!(["registry", "v0", ["latest", "production"], of_bob["source"]])
    );
    // An admin may on all sides, and everybody sees it.
    assert_eq!(link(&ada, "bob", &of_ada).json()["version"], "v1");
    let content = ada.get("/artifacts/bob/registry/net/versions/production/files/a");
    assert_eq!((content.status, content.text()), (200, "1".into()));
    let list = read(&ada, "/artifacts/bob?kind=registry");
    assert_eq!(names(&list, "collections", "project"), ["registry"]);
    let nothing = json!({ "source": { "entity": "bob", "project": "digits", "collection": "net", "version": "v7" } });
    assert_eq!(bob.post("/artifacts/bob/registry/net/links", &nothing).status, 404);
}

#[test]
fn the_same_content_of_another_account_is_a_secret() {
    let server = TestServer::with_accounts();
    let (ada, bob) = (server.client_of("ada"), server.client_of("bob"));
    let files: [(&str, &[u8]); 1] = [("weights", b"secret")];
    log(&ada, "/artifacts/ada/digits/net", &files);
    // Bob knows all hashes, and not one byte.
    let manifest = manifest(&files);
    let request = request(&manifest);
    let commit = || bob.post("/artifacts/bob/digits/net/versions", &request);
    assert_eq!(names(&commit().json(), "missing", "sha256"), [hash(&manifest.to_json_lines())]);
    assert_eq!(post_pack(&bob, "bob", pack(&[&manifest.to_json_lines()])).status, 200);
    let missing = commit();
    assert_eq!((missing.status, names(&missing.json(), "missing", "sha256")), (409, vec![hash(b"secret")]));
    assert_eq!(bob.get("/artifacts/bob/digits/net/versions/v0/files/weights").status, 404);
}
