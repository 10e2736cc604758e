//! Versions of data and models, with a server and without.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use steplog::api::CollectionQuery;
use steplog::artifact::{DownloadOptions, ReferenceOptions};
use steplog::{Api, ApiSettings, Artifact, ErrorKind};

use crate::support::{Done, Place, Server};

fn write(place: &Place, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = place.work().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }
}

/// Files below a folder of the place, by path.
fn read(place: &Place, folder: &str) -> BTreeMap<String, String> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                walk(&entry, root, found);
            } else {
                let path = entry.strip_prefix(root).expect("below").to_str().expect("text").to_owned();
                found.insert(path, fs::read_to_string(&entry).expect("text"));
            }
        }
    }
    let (root, mut found) = (place.work().join(folder), BTreeMap::new());
    walk(&root, &root, &mut found);
    found
}

fn said(code: i32, stdout: &str) -> Done {
    Done { code, stdout: stdout.into(), stderr: String::new() }
}

fn columns(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect()
}

/// Everything that the commands do, with a server or with a folder.
fn a_version_lives(place: &Place, origin: &[&str]) {
    let call = |arguments: &[&str]| place.call(&[&["artifact"], arguments, origin].concat());
    write(place, &[("data/a.txt", "first"), ("data/b/c.txt", "second")]);
    let first = ["put", "digits/train", "data", "--alias", "clean", "--metadata", "rows=2", "--description", "# d"];
    assert_eq!(call(&first), said(0, "local/digits/train:v0: 2 files, 11 bytes\n"));
    // The same content is the same version.
    assert_eq!(call(&["put", "digits/train:again", "data"]), said(0, "local/digits/train:v0: 2 files, 11 bytes\n"));
    write(place, &[("data/a.txt", "FIRST"), ("data/d.txt", "new")]);
    fs::remove_file(place.work().join("data/b/c.txt")).expect("removed");
    assert_eq!(call(&["put", "digits/train", "data"]), said(0, "local/digits/train:v1: 2 files, 8 bytes\n"));
    let other_type = call(&["put", "digits/train", "data", "--type", "model"]);
    assert_eq!((other_type.code, &*other_type.stdout), (1, ""), "{other_type:?}");

    let table = call(&["ls"]).stdout;
    let aliases = "again=v0 clean=v0 latest=v1";
    let size = columns(&table)[1][5];
    assert_eq!(
        columns(&table),
        [
            vec!["TYPE", "NAME", "VERSIONS", "NEWEST", "ALIASES", "SIZE", "CHANGED"],
            vec!["dataset", "local/digits/train", "2", "v1", aliases, size, "just now"],
        ]
    );
    assert_eq!(call(&["ls", "--project", "digits", "--type", "model"]), said(0, "no artifacts\n"));
    let versions: Vec<Json> = serde_json::from_str(&call(&["ls", "digits/train", "--json"]).stdout).expect("JSON");
    let numbers: Vec<&Json> = versions.iter().map(|version| &version["version"]).collect();
    assert_eq!(
        (numbers, &versions[1]["metadata"], &versions[1]["description"]),
        (vec![&json!("v1"), &json!("v0")], &json!({"rows": 2}), &json!("# d"))
    );
    let files = call(&["ls", "digits/train:clean"]).stdout;
    assert_eq!(
        columns(&files),
        [vec!["SIZE", "PATH", "REFERENCE"], vec!["5 bytes", "a.txt"], vec!["6 bytes", "b/c.txt"]]
    );

    let diff = "~ a.txt (5 bytes)\n- b/c.txt (6 bytes)\n+ d.txt (3 bytes)\n1 added, 1 removed, 1 changed, 0 the same\n";
    assert_eq!(call(&["diff", "digits/train:v0", ":v1"]), said(1, diff));
    assert_eq!(
        call(&["diff", "digits/train:v0", "digits/train:clean"]),
        said(0, "0 added, 0 removed, 0 changed, 2 the same\n")
    );

    let got = call(&["get", "digits/train:v0"]);
    assert_eq!((got.code, &*got.stderr), (0, ""));
    assert!(got.stdout.starts_with("train:v0: 2 files in artifacts/train:v0 (0 kept, "), "{got:?}");
    let expected = [("a.txt", "first"), ("b/c.txt", "second")].map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(read(place, "artifacts/train:v0"), BTreeMap::from(expected.clone()));
    assert_eq!(
        call(&["get", "digits/train:v0"]),
        said(0, "train:v0: 2 files in artifacts/train:v0 (2 kept, 0 bytes fetched)\n")
    );
    write(place, &[("mine/a.txt", "mine"), ("mine/extra", "x")]);
    let found = call(&["verify", "digits/train:v0", "mine"]);
    let text = "missing: b/c.txt\nchanged: a.txt\nextra: extra\n\
                train:v0: 0 files as logged, 1 missing, 1 changed, 1 extra, 0 references not looked at\n";
    assert_eq!(found, said(1, text));
    assert_eq!(call(&["get", "digits/train:v0", "--to", "mine", "--exactly"]).code, 0);
    assert_eq!(read(place, "mine"), BTreeMap::from(expected));
    assert_eq!(call(&["verify", "digits/train:v0", "mine"]).code, 0);
    assert_eq!(
        call(&["verify", "digits/train:v0"]),
        said(0, "train:v0: 2 files as logged, 0 damaged, 0 references not looked at\n")
    );

    assert_eq!(call(&["rm", "digits/train:v0"]).code, 1);
    assert_eq!(call(&["rm", "digits/train:v0", "--delete-aliases"]), said(0, "removed train:v0\n"));
    let gone = call(&["get", "digits/train:v0"]);
    assert_eq!((gone.code, &*gone.stdout), (1, ""));
    assert_eq!(call(&["rm", "digits/train"]).code, 1);
    assert_eq!(
        call(&["rm", "digits/train", "--all-versions"]),
        said(0, "removed digits/train with all its versions\n")
    );
}

#[test]
fn a_version_lives_on_a_server() {
    let place = Place::new();
    let server = place.start(&["serve", "--data", "store"]);
    a_version_lives(&place, &["--server", &server.url]);
}

#[test]
fn a_version_lives_in_a_folder() {
    let place = Place::new();
    a_version_lives(&place, &["--dir", "."]);
}

#[test]
fn references_stay_where_they_are() {
    let place = Place::new();
    write(&place, &[("there/x.bin", "there")]);
    let uri = format!("file://{}", place.work().join("there/x.bin").display());
    let call = |arguments: &[&str]| place.call(&[&["artifact"], arguments, &["--dir", "."]].concat());
    assert_eq!(call(&["put", "digits/refs", &uri]), said(0, "local/digits/refs:v0: 1 file, 5 bytes\n"));
    assert_eq!(
        call(&["get", "digits/refs"]),
        said(0, "refs:v0: 1 file in artifacts/refs:v0 (0 kept, 5 bytes fetched)\n")
    );
    write(&place, &[("there/x.bin", "other")]);
    let changed = call(&["get", "digits/refs"]);
    assert_eq!(changed.code, 1);
    assert!(changed.stderr.contains(" has changed since it was referenced: its MD5 is not "), "{changed:?}");
    fs::remove_file(place.work().join("there/x.bin")).expect("removed");
    assert_eq!(call(&["get", "digits/refs", "--to", "new"]).code, 1);
    let without = call(&["get", "digits/refs", "--to", "new", "--allow-missing-references"]);
    let text = "warning: x.bin was left out: what it refers to is not there any more\n";
    assert_eq!((without.code, &*without.stderr), (0, text));
}

#[test]
fn the_cache_is_shown_cleaned_and_verified() {
    let place = Place::new();
    let server = place.start(&["serve", "--data", "store"]);
    write(&place, &[("data/a.txt", "first"), ("data/b.txt", "second")]);
    let folder = "…/cache/steplog\n";
    assert_eq!(place.call(&["cache"]), said(0, &format!("{folder}0 files, 0 bytes of at most 50.0 GB\n")));
    let origin = ["--server", &*server.url];
    place.call(&[&["artifact", "put", "digits/train", "data"][..], &origin].concat());
    place.call(&[&["artifact", "get", "digits/train"][..], &origin].concat());
    assert_eq!(place.call(&["cache"]), said(0, &format!("{folder}2 files, 11 bytes of at most 50.0 GB\n")));
    assert_eq!(place.call(&["cache", "verify"]), said(0, "2 files good, 0 damaged and removed\n"));
    let summary: Json = serde_json::from_str(&place.call(&["cache", "--json"]).stdout).expect("JSON");
    assert_eq!((&summary["size_bytes"], &summary["file_count"]), (&json!(11), &json!(2)));
    let cleaned = place.call(&["cache", "clean", "--to", "6"]);
    assert!(cleaned.stdout.starts_with("removed 1 file, "), "{cleaned:?}");
    assert_eq!(place.call(&["cache", "clean"]).code, 0);
    assert_eq!(read(&place, "artifacts/train:v0").len(), 2);
    assert_eq!(place.call(&["cache", "clean", "--to", "much"]).code, 2);
}

#[test]
fn what_is_wrong_is_said() {
    let place = Place::new();
    let call = |arguments: &[&str]| place.call(&[&["artifact"], arguments, &["--dir", "."]].concat());
    let failed = |stderr: &str| Done { code: 1, stdout: String::new(), stderr: stderr.into() };
    assert_eq!(
        call(&["get", "digits/none"]),
        failed("error: there is no artifact digits/none of project digits in …/work/steplog/.artifacts\n")
    );
    assert_eq!(call(&["get", "none"]), failed("error: none names no project: write project/none\n"));
    assert_eq!(
        call(&["put", "digits/a:v3", "."]),
        failed(
            "error: a new version gets its number by itself, so v3 cannot be asked for\nhint: name it digits/a, or with an alias\n"
        )
    );
    assert_eq!(
        call(&["rm", "digits/a"]),
        failed("error: digits/a names no version\nhint: write digits/a:v0, or add --all-versions\n")
    );
    assert_eq!(call(&["put", "digits/a", "nowhere"]).code, 1);
    assert_eq!(call(&["put", "digits/a", ".", "--metadata", "x"]).code, 2);
}

fn api(server: &Server) -> Api {
    let settings =
        ApiSettings { base_url: Some(server.url.clone()), project: Some("digits".into()), ..ApiSettings::default() };
    Api::with_settings(settings).expect("an API")
}

#[test]
fn the_api_finds_lists_changes_and_removes() {
    let place = Place::new();
    let server = place.start(&["serve", "--data", "store"]);
    write(&place, &[("data/a.txt", "first")]);
    for content in ["first", "second", "third"] {
        write(&place, &[("data/a.txt", content)]);
        let put = place.call(&["artifact", "put", "digits/train", "data", "--server", &server.url]);
        assert_eq!(put.code, 0, "{put:?}");
    }
    let api = api(&server);
    let artifact = api.artifact("train:v1", Some("dataset")).expect("a version");
    let digest = artifact.digest();
    assert_eq!(api.artifact(&digest, None).expect("by digest").name(), "train:v1");
    assert_eq!(api.artifact("local/digits/train", None).expect("the newest").name(), "train:v2");
    assert_eq!(api.artifact("train", Some("model")).expect_err("another type").kind(), ErrorKind::Invalid);
    assert_eq!(api.artifact("train:v9", None).expect_err("none").kind(), ErrorKind::NotFound);
    let exists = |name: &str, r#type| api.artifact_exists(name, r#type).expect("an answer");
    assert_eq!(
        [exists("train:v1", None), exists("train:v1", Some("model")), exists("none", None)],
        [true, false, false]
    );

    let names: Vec<String> = api
        .artifact_versions("train")
        .expect("a name")
        .per_page(2)
        .map(|version| version.expect("a version").name())
        .collect();
    assert_eq!(names, ["train:v2", "train:v1", "train:v0"]);
    let types = api.artifact_types("digits").expect("types");
    assert_eq!(types.iter().map(|found| (&*found.r#type, found.count)).collect::<Vec<_>>(), [("dataset", 1)]);
    let collections = api.artifact_collections("digits", CollectionQuery::default()).expect("a project");
    let collections: Vec<String> = collections.map(|found| found.expect("a collection").qualified_name()).collect();
    assert_eq!(collections, ["local/digits/train"]);

    artifact.set_aliases(["best"]).expect("set");
    artifact.set_description("better").expect("set");
    artifact.save().expect("saved");
    let again = api.artifact("train:best", None).expect("a version");
    assert_eq!((again.name(), again.description().as_deref()), ("train:v1".into(), Some("better")));
    let made_by = again.logged_by().expect("a version").expect("a run");
    let run = api.run(&format!("digits/{}", made_by.run_id)).expect("a run");
    let logged: Vec<String> = run.logged_artifacts().expect("versions").iter().map(Artifact::name).collect();
    assert_eq!((logged, run.used_artifacts().expect("versions").len()), (vec!["train:v1".to_owned()], 0));
    assert!(again.used_by().expect("runs").is_empty());

    let root = place.work().join("here");
    let options = DownloadOptions { root: Some(root.clone()), skip_cache: true, ..DownloadOptions::default() };
    again.download(&options).expect("downloaded");
    assert_eq!(fs::read_to_string(root.join("a.txt")).expect("text"), "second");
    let mut collection = api.artifact_collection("train").expect("a collection");
    let changes = steplog::api::CollectionChanges { description: Some("all".into()), ..Default::default() };
    collection.update(&changes).expect("changed");
    assert_eq!(collection.info().description.as_deref(), Some("all"));
    collection.delete().expect("removed");
    assert!(!api.artifact_collection_exists("train", None).expect("an answer"));
    let draft = Artifact::new("x", "y").expect("a draft");
    draft.add_reference("xx:y", &ReferenceOptions { name: Some("n".into()), ..Default::default() }).expect("added");
    assert_eq!(draft.download(&options).expect_err("a draft").kind(), ErrorKind::ArtifactNotLogged);
}
