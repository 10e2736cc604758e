//! Artifacts of a folder, as clients without a server keep them.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value as Json, json};
use steplog_model::{ArtifactRecord, ArtifactUse, Manifest, Record, StreamId};
use steplog_server::{FolderCache, FolderReader, Source};
use tempfile::TempDir;

use crate::artifact::{manifest, names, read};
use crate::blob::hash;
use crate::support::{Client, TestServer, error, start, wait_until, write_journal};

/// A folder with artifacts.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn artifacts(&self) -> PathBuf {
        self.0.path().join("steplog/.artifacts")
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.artifacts().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let temporary = path.with_extension("part");
        fs::write(&temporary, bytes).expect("written");
        fs::rename(temporary, path).expect("renamed");
    }

    fn blob(&self, bytes: &[u8]) -> PathBuf {
        let name = hash(bytes);
        self.artifacts().join("blobs").join(&name[..2]).join(&name)
    }

    fn keep(&self, bytes: &[u8]) {
        let name = hash(bytes);
        self.write(&format!("blobs/{}/{name}", &name[..2]), bytes);
    }

    /// A version with these files, whose bytes are kept.
    fn version(&self, number: u32, files: &[(&str, &[u8])]) -> Json {
        files.iter().for_each(|(_, bytes)| self.keep(bytes));
        let manifest: Manifest = manifest(files);
        let lines = manifest.to_json_lines();
        self.write(&format!("manifests/{}", hash(&lines)), &lines);
        json!({
            "version": format!("v{number}"), "logged": [{ "id": id(number), "manifest": hash(&lines) }],
            "digest": manifest.digest().to_string(), "content_hash": "0".repeat(64), "manifest": hash(&lines),
            "file_count": files.len(), "size_bytes": 0, "entity": "local", "run_id": "maker", "step": number,
            "metadata": { "n": number }, "ttl_seconds": 1, "created_at": 1000.0, "updated_at": 1000.0,
        })
    }

    fn collection(&self, name: &str, kind: &str, versions: &[Json], aliases: Json) {
        let text = collection(name, kind, versions, aliases).to_string();
        self.write(&format!("collections/digits/{name}.json"), text.as_bytes());
    }

    /// A run that says that it made, or used, a version.
    fn run(&self, run: &str, used: Option<&Json>) {
        let stream = StreamId::generate();
        let folder = self.0.path().join("steplog/digits").join(run).join("journal").join(stream.to_string());
        let mut writer = write_journal(&folder, stream, &start("digits", run), 1, false);
        if let Some(version) = used {
            let text = |name: &str| version[name].as_str().expect("text");
            let used = ArtifactUse {
                entity: None,
                project: None,
                collection: "data".parse().expect("a name"),
                version: text("version").parse().expect("a version"),
                digest: text("digest").parse().expect("a digest"),
                id: None,
            };
            writer.append_record(&Record::Artifact(ArtifactRecord::Used(used))).expect("written");
        }
        writer.close().expect("closed");
    }

    fn show(&self) -> Shown {
        let cache = FolderCache::open_temporary().expect("a cache");
        let reader = FolderReader::start(self.0.path(), &cache).expect("readable");
        reader.wait_until_caught_up();
        let server = TestServer::over(cache.store().clone(), Source::Folder(reader.run_folders()));
        Shown { server, _reader: reader, _cache: cache }
    }
}

struct Shown {
    server: TestServer,
    _reader: FolderReader,
    _cache: FolderCache,
}

impl Shown {
    fn client(&self) -> Client {
        self.server.client()
    }

    /// Waits until a version is shown as something.
    fn wait(&self, path: &str, holds: impl Fn(&Json) -> bool) -> Json {
        wait_until(path, || Some(self.client().get(path)).filter(|a| a.status == 200).map(|a| a.json()).filter(&holds))
    }
}

fn id(number: u32) -> String {
    format!("{number:032x}")
}

fn collection(name: &str, kind: &str, versions: &[Json], aliases: Json) -> Json {
    json!({
        "format": "steplog-collection", "version": 1, "project": "digits", "name": name, "type": "dataset",
        "kind": kind, "next_version": versions.len(), "versions": versions, "aliases": aliases,
    })
}

const DATA: &str = "/artifacts/local/digits/data";

#[test]
fn versions_of_a_folder_are_shown_with_files_and_lineage() {
    let folder = Folder::new();
    let first = folder.version(0, &[("a.txt", b"0123456789"), ("b/c.txt", b"c")]);
    let second = folder.version(1, &[("a.txt", b"other")]);
    folder.collection("data", "source", &[first.clone(), second], json!({ "best": "v0", "latest": "v1" }));
    let link = json!({
        "version": "v0", "logged": [{ "id": id(7), "manifest": first["manifest"] }], "digest": first["digest"],
        "content_hash": first["content_hash"], "manifest": first["manifest"], "file_count": 2, "size_bytes": 0,
        "entity": "local", "created_at": 1.0, "updated_at": 1.0,
        "source": { "project": "digits", "collection": "data", "version": "v0" },
    });
    folder.collection("approved", "registry", &[link], json!({ "latest": "v0", "production": "v0" }));
    folder.run("maker", None);
    folder.run("user", Some(&first));
    let shown = folder.show();
    let client = shown.client();
    let linked = shown.wait("/artifacts/local/digits/approved/versions/production", |_| true);
    assert_eq!((&linked["source"]["collection"], &linked["source"]["version"]), (&json!("data"), &json!("v0")));
    let artifact = read(&client, &format!("{DATA}/versions/best"));
    assert_eq!(
        json!([artifact["id"], artifact["version"], artifact["aliases"], artifact["metadata"], artifact["file_count"]]),
        json!([id(0), "v0", ["best"], { "n": 0 }, 2])
    );
    assert_eq!((&artifact["created_at"], &artifact["ttl_seconds"]), (&json!(1000.0), &json!(1)));
    let list = read(&client, "/artifacts/local/digits");
    assert_eq!(names(&list, "collections", "name"), ["approved", "data"]);
    for path in ["data/versions/v0", "approved/versions/v0"] {
        let content = client.clone().with("range", "bytes=2-5".into());
        let content = content.get(&format!("/artifacts/local/digits/{path}/files/a.txt"));
        assert_eq!((content.status, content.text()), (206, "2345".into()));
    }
    let diff = read(&client, &format!("{DATA}/versions/v1/diff?from=v0"));
    assert_eq!(names(&diff, "entries", "path"), ["a.txt", "b/c.txt"]);
    let lineage = read(&client, &format!("{DATA}/versions/v0/lineage"));
    let mut runs = names(&lineage, "runs", "run_id");
    runs.sort();
    assert_eq!(runs, ["maker", "user"]);
    assert_eq!(names(&read(&client, "/runs/local/digits/maker/artifacts"), "logged", "version"), ["v1", "v0"]);
    // What a server would let expire stays, and nothing can be changed.
    shown.server.store.remove_expired_artifacts().expect("nothing to do");
    assert_eq!(names(&read(&client, &format!("{DATA}/versions")), "artifacts", "version"), ["v1", "v0"]);
    let refused = "a folder of local runs is shown as it is and takes no changes";
    let attempts = [
        client.delete(DATA),
        client.patch(DATA, &json!({})),
        client.post(&format!("{DATA}/versions/v0/verify"), &json!({})),
    ];
    attempts.iter().for_each(|answer| assert_eq!(answer.error(), error(403, "forbidden", refused)));
}

#[test]
fn changes_are_noticed_while_the_folder_is_shown() {
    let folder = Folder::new();
    folder.run("maker", None);
    let shown = folder.show();
    let versions = [folder.version(0, &[("a", b"0")]), folder.version(1, &[("a", b"1")])];
    folder.collection("data", "source", &versions[..1], json!({ "latest": "v0" }));
    shown.wait(&format!("{DATA}/versions/latest"), |artifact| artifact["version"] == "v0");
    folder.collection("data", "source", &versions, json!({ "latest": "v1", "best": "v0" }));
    shown.wait(&format!("{DATA}/versions/latest"), |artifact| artifact["version"] == "v1");
    assert_eq!(read(&shown.client(), &format!("{DATA}/versions/best"))["version"], "v0");
    // A number is used anew when the folder says so: here nobody refuses.
    let mut replaced = versions[1].clone();
    replaced["version"] = json!("v0");
    folder.collection("data", "source", &[replaced], json!({ "latest": "v0" }));
    shown.wait(&format!("{DATA}/versions/v0"), |artifact| artifact["id"] == id(1));
    assert_eq!(shown.client().get(&format!("{DATA}/versions/v1")).status, 404);
    fs::remove_file(folder.artifacts().join("collections/digits/data.json")).expect("removed");
    wait_until("the collection goes", || (shown.client().get(DATA).status == 404).then_some(()));
}

#[test]
fn where_bytes_are_that_are_not_in_the_folder_is_told() {
    let folder = Folder::new();
    let files: [(&str, &[u8]); 4] =
        [("sent", b"sent"), ("original", b"original"), ("short", b"short"), ("link", b"secret")];
    let mut version = folder.version(0, &files);
    version["servers"] = json!({
        "http://server:7837": { "entity": "ada", "project": "digits", "collection": "data", "version": "v3" },
    });
    folder.collection("data", "source", std::slice::from_ref(&version), json!({ "latest": "v0" }));
    let lines = format!("{}\n", json!({ "sha256": hash(b"original"), "path": "/data/original.bin", "size_bytes": 8 }));
    folder.write(&format!("originals/{}", version["manifest"].as_str().expect("a hash")), lines.as_bytes());
    for bytes in [b"sent".as_slice(), b"original", b"short", b"secret"] {
        fs::remove_file(folder.blob(bytes)).expect("removed");
    }
    fs::write(folder.blob(b"short"), "shor").expect("written");
    let outside = folder.0.path().join("outside");
    fs::write(&outside, "secret").expect("written");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, folder.blob(b"secret")).expect("a link");
    let shown = folder.show();
    shown.wait(&format!("{DATA}/versions/v0"), |_| true);
    let get = |name: &str| shown.client().get(&format!("{DATA}/versions/v0/files/{name}")).error();
    let elsewhere = |name: &str, place: &str| {
        error(409, "conflict", &format!("the bytes of {name} are not in this folder: {place}"))
    };
    let server = "they are at http://server:7837, as ada/digits/data:v3";
    assert_eq!(get("sent"), elsewhere("sent", server));
    assert_eq!(get("original"), elsewhere("original", "they were never copied from /data/original.bin"));
    assert_eq!((get("short"), get("link")), (elsewhere("short", server), elsewhere("link", server)));
    version["servers"] = json!({});
    folder.collection("data", "source", &[version], json!({ "latest": "v0" }));
    let message = "the bytes of sent are neither in this folder nor in the cache";
    assert_eq!(get("sent"), error(410, "data", message));
    // They come back.
    folder.keep(b"sent");
    assert_eq!(shown.client().get(&format!("{DATA}/versions/v0/files/sent")).text(), "sent");
}

#[test]
fn what_is_none_of_ours_is_passed_over() {
    let folder = Folder::new();
    let version = folder.version(0, &[("a", b"0")]);
    let good = collection("data", "source", std::slice::from_ref(&version), json!({ "latest": "v0" }));
    let file = |name: &str, text: &Json| folder.write(&format!("collections/{name}"), text.to_string().as_bytes());
    let with = |member: &str, value: Json| {
        let mut changed = good.clone();
        changed[member] = value;
        changed
    };
    // A file that stands where another belongs, names that could be paths, what a newer version wrote, and no JSON at all.
    file("digits/other.json", &good);
    file("elsewhere/data.json", &good);
    file("digits/a%2F..%2Fb.json", &with("name", json!("a/../b")));
    file("digits/new.json", &with("version", json!(2)));
    file("digits/text.json", &json!("text"));
    let mut damaged = version.clone();
    damaged["version"] = json!("v1");
    damaged["manifest"] = json!("1".repeat(64));
    let mut lie = version.clone();
    lie["version"] = json!("v2");
    lie["digest"] = json!("1".repeat(32));
    file("digits/data.json", &with("versions", json!([version, damaged, lie])));
    let real = folder.0.path().join("real.json");
    fs::write(&real, with("name", json!("linked")).to_string()).expect("written");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&real, folder.artifacts().join("collections/digits/linked.json")).expect("a link");
    let shown = folder.show();
    shown.wait(&format!("{DATA}/versions/v0"), |_| true);
    assert_eq!(names(&read(&shown.client(), "/artifacts/local"), "collections", "name"), ["data"]);
    assert_eq!(names(&read(&shown.client(), &format!("{DATA}/versions")), "artifacts", "version"), ["v0"]);
}

#[test]
fn a_cache_of_an_earlier_look_forgets_what_has_left() {
    let (folder, base) = (Folder::new(), tempfile::tempdir().expect("a folder"));
    let version = folder.version(0, &[("a", b"0")]);
    folder.collection("data", "source", std::slice::from_ref(&version), json!({ "latest": "v0" }));
    folder.collection("kept", "source", &[version], json!({ "latest": "v0" }));
    let look = |expected: &[&str]| {
        let cache = FolderCache::open_below(base.path(), folder.0.path()).expect("a cache");
        let _reader = FolderReader::start(folder.0.path(), &cache).expect("readable");
        let names = || -> Vec<String> {
            let paths = cache.store().collection_paths().expect("readable");
            paths.iter().map(|path| path.collection.to_string()).collect()
        };
        wait_until("the folder was read", || (names() == expected).then_some(()));
    };
    look(&["data", "kept"]);
    fs::remove_file(folder.artifacts().join("collections/digits/data.json")).expect("removed");
    look(&["kept"]);
}
