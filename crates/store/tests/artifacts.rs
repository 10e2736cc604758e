//! Artifacts: commits, versions, aliases, links, and what of them is told.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::sync::{Arc, Mutex};

use serde_json::json;
use steplog_model::{FilePath, Manifest, ManifestEntry, Md5};
use steplog_protocol::{
    ArtifactChange, ArtifactPlace, CollectionKind, CommitArtifactRequest, ErrorKind, LinkArtifactRequest, MissingBlob,
    UpdateArtifactRequest, UpdateCollectionRequest,
};
use steplog_store::{CollectionQuery, Error, Store, StoreOptions};
use support::artifacts::{at, collection, commit, hash, log, manifest, read_manifest, request, send, stored, upload};
use support::{HandClock, open, quiet_options};
use tempfile::TempDir;

const DATA: &str = "local/digits/data";

fn versions(store: &Store, path: &str) -> Vec<(String, Vec<String>)> {
    let list = store.artifacts(&collection(path), None, None).unwrap();
    list.artifacts.into_iter().map(|artifact| (artifact.version, artifact.aliases)).collect()
}

fn version(version: &str, aliases: &[&str]) -> (String, Vec<String>) {
    (version.into(), aliases.iter().map(|alias| (*alias).into()).collect())
}

fn refusal(error: &Error) -> (ErrorKind, String) {
    (error.kind(), error.to_string())
}

fn missing(bytes: &[u8]) -> MissingBlob {
    MissingBlob { sha256: hash(bytes).to_string(), received_bytes: 0 }
}

#[test]
fn a_version_is_committed_when_all_its_bytes_are_here() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(5000.0));
    let store = Store::open(folder.path(), StoreOptions { clock: clock.clock(), ..quiet_options() }).unwrap();
    let changes = Arc::new(Mutex::new(Vec::<ArtifactChange>::new()));
    let seen = changes.clone();
    store.subscribe_artifacts(Box::new(move |change| seen.lock().unwrap().push(change.clone())));
    let content = manifest(&[("a.csv", "one"), ("b/c.csv", "three")]);
    let mut wanted = request(&content);
    wanted.aliases = vec!["best".into()];
    wanted.tags = vec!["small".into(), "new".into(), "small".into()];
    wanted.metadata = [("rows".to_owned(), json!(3))].into_iter().collect();
    wanted.description = Some("what it is".into());
    wanted.ttl_seconds = Some(60);
    (wanted.run_id, wanted.step) = (Some("a".into()), Some(7));
    let try_commit = || store.commit_artifact(&collection(DATA), &wanted).unwrap();
    assert_eq!(try_commit().missing, [missing(&content.to_json_lines())]);
    send(&store, "local", &content.to_json_lines());
    // What others have sent does not count.
    send(&store, "other", b"one");
    assert_eq!(try_commit().missing, [missing(b"one"), missing(b"three")]);
    send(&store, "local", b"one");
    let answer = try_commit();
    assert_eq!((answer.artifact, answer.created, answer.missing), (None, false, vec![missing(b"three")]));
    assert_eq!(
        store.collections(&"local".parse().unwrap(), None, &CollectionQuery::default()).unwrap().collections,
        []
    );
    assert_eq!(changes.lock().unwrap().len(), 0);
    send(&store, "local", b"three");
    let answer = try_commit();
    assert!(answer.created);
    let artifact = answer.artifact.unwrap();
    let place = |version: &str| ArtifactPlace {
        entity: "local".into(),
        project: "digits".into(),
        collection: "data".into(),
        version: version.into(),
    };
    assert_eq!(
        serde_json::to_value(&artifact).unwrap(),
        json!({
            "id": wanted.id, "entity": "local", "project": "digits", "collection": "data", "version": "v0",
            "source": place("v0"), "type": "dataset", "digest": content.digest().to_string(),
            "aliases": ["best", "latest"], "tags": ["new", "small"], "description": "what it is",
            "metadata": {"rows": 3}, "ttl_seconds": 60, "file_count": 2, "size_bytes": 8,
            "logged_by": {"entity": "local", "project": "digits", "run_id": "a", "name": null}, "step": 7,
            "use_count": 0, "created_at": 5000.0, "updated_at": 5000.0,
        })
    );
    assert_eq!(store.artifact(&at("local/digits/data:best")).unwrap(), artifact);
    let by_digest = |digest: &str| {
        store.artifact_by_digest(&"local".parse().unwrap(), &"digits".parse().unwrap(), digest.parse().unwrap())
    };
    assert_eq!(by_digest(&artifact.digest).unwrap(), artifact);
    assert_eq!(by_digest("64e7c61456b10382e2f3b571ac24b659").unwrap_err().kind(), ErrorKind::NotFound);
    let change =
        ArtifactChange { entity: "local".into(), project: "digits".into(), collection: "data".into(), deleted: false };
    assert_eq!(*changes.lock().unwrap(), [change]);
    // The same request again, from a client that did not hear the answer.
    let again = try_commit();
    assert_eq!((again.artifact, again.created), (Some(artifact), true));
    assert_eq!(versions(&store, DATA), [version("v0", &["best", "latest"])]);
    // The project has no runs, and no list of runs tells of it.
    assert_eq!(store.projects().unwrap().projects, []);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn the_content_of_the_newest_version_makes_no_new_one() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    log(&store, DATA, &[("a", "1")]);
    let again = commit(&store, DATA, &[("a", "1")], |request| {
        request.aliases = vec!["again".into()];
        request.tags = vec!["seen twice".into()];
    });
    let artifact = again.artifact.unwrap();
    assert_eq!((again.created, &*artifact.version, artifact.tags), (false, "v0", vec!["seen twice".to_owned()]));
    log(&store, DATA, &[("a", "2")]);
    // Older content is a new version.
    assert_eq!(log(&store, DATA, &[("a", "1")]).version, "v2");
    assert_eq!(versions(&store, DATA), [version("v2", &["latest"]), version("v1", &[]), version("v0", &["again"])]);
    // A repeated request means what it meant, though another version came in between.
    let content = upload(&store, "local", &[("a", "1")]);
    let repeated = request(&content);
    let first = store.commit_artifact(&collection(DATA), &repeated).unwrap();
    log(&store, DATA, &[("a", "3")]);
    let second = store.commit_artifact(&collection(DATA), &repeated).unwrap();
    let version_of = |artifact: Option<steplog_protocol::Artifact>| artifact.unwrap().version;
    assert_eq!((version_of(first.artifact), first.created), ("v2".into(), false));
    assert_eq!((version_of(second.artifact), second.created), ("v2".into(), false));
    assert_eq!(store.artifact(&at("local/digits/data:latest")).unwrap().version, "v3");
}

#[test]
fn contents_that_share_an_md5_are_two_versions() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let shared = Md5::of(b"one");
    let with = |bytes: &[u8]| {
        let entry = ManifestEntry::stored(bytes.len() as u64, shared, hash(bytes));
        Manifest::from_iter([("f".parse::<FilePath>().unwrap(), entry)])
    };
    let numbers: Vec<_> = [&b"one"[..], b"two"]
        .map(|bytes| {
            let content = with(bytes);
            send(&store, "local", bytes);
            send(&store, "local", &content.to_json_lines());
            store.commit_artifact(&collection(DATA), &request(&content)).unwrap().artifact.unwrap()
        })
        .into();
    assert_eq!(numbers[0].digest, numbers[1].digest);
    assert_eq!((&*numbers[0].version, &*numbers[1].version), ("v0", "v1"));
    let read = |version: &str| {
        let (_, place) = store.artifact_file(&at(&format!("{DATA}:{version}")), &"f".parse().unwrap()).unwrap();
        fs::read(place.unwrap()).unwrap()
    };
    assert_eq!((read("v0"), read("v1")), (b"one".to_vec(), b"two".to_vec()));
}

#[test]
fn what_cannot_be_committed_is_refused_and_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let content = upload(&store, "local", &[("a", "1")]);
    let good = request(&content);
    let refused = |request: &_| refusal(&store.commit_artifact(&collection(DATA), request).unwrap_err());
    let mut wrong = good.clone();
    wrong.digest = "64e7c61456b10382e2f3b571ac24b659".into();
    let message = format!("the manifest has the digest {}, not 64e7c61456b10382e2f3b571ac24b659", content.digest());
    assert_eq!(refused(&wrong), (ErrorKind::Invalid, message));
    let changes: [fn(&mut CommitArtifactRequest); 9] = [
        |request| request.id = "abc".into(),
        |request| request.r#type = "job".into(),
        |request| request.aliases = vec!["v3".into()],
        |request| request.aliases = vec!["a/b".into()],
        |request| request.tags = vec!["".into()],
        |request| request.manifest = "abc".into(),
        |request| request.if_latest = Some("newest".into()),
        |request| request.run_id = Some("a/b".into()),
        |request| request.metadata = (0..101).map(|key| (key.to_string(), json!(1))).collect(),
    ];
    for change in changes {
        let mut wrong = good.clone();
        change(&mut wrong);
        assert_eq!(refused(&wrong).0, ErrorKind::Invalid);
    }
    // Lines that lie.
    let header = r#"{"format":"steplog-manifest","version":1}"#;
    let one = hash(b"1");
    let entry = |path: &str, size: u64| {
        format!(r#"{{"path":"{path}","size_bytes":{size},"digest":"{}","sha256":"{one}"}}"#, Md5::of(b"1"))
    };
    for (lines, message) in [
        (vec![entry("a", 1)], "the manifest is none: it does not begin as a manifest of version 1".to_owned()),
        (vec![header.into(), entry("a", 2)], "the manifest gives a 2 bytes, and it has 1".into()),
        (vec![header.into(), entry("../a", 1)], "leads elsewhere".into()),
        (vec![header.into(), entry("b", 1), entry("a", 1)], "does not come behind".into()),
        (vec![header.into(), entry("a", 1), entry("a.b", 1), entry("a/b", 1)], "which is a file".into()),
        (vec![header.into(), "x".repeat(200_000)], "is longer than 131072 bytes".into()),
        (vec![header.into(), "\u{0}".into()], "line 2".into()),
    ] {
        let lines = lines.join("\n").into_bytes();
        send(&store, "local", &lines);
        let (kind, found) = refused(&{
            let mut request = good.clone();
            request.manifest = hash(&lines).to_string();
            request
        });
        assert!(kind == ErrorKind::Invalid && found.contains(&message), "{found}");
    }
    assert_eq!(store.artifacts(&collection(DATA), None, None).unwrap_err().kind(), ErrorKind::NotFound);
    // Of another type, and built upon another version than it thought.
    assert!(store.commit_artifact(&collection(DATA), &good).unwrap().created);
    let next = upload(&store, "local", &[("a", "2")]);
    let mut wrong = request(&next);
    wrong.r#type = "model".into();
    let message = r#"artifact local/digits/data has the type "dataset", not "model""#.to_owned();
    assert_eq!(refused(&wrong), (ErrorKind::Conflict, message));
    let mut wrong = request(&next);
    wrong.if_latest = Some("none".into());
    let message = "the newest version of local/digits/data is v0 now".to_owned();
    assert_eq!(refused(&wrong), (ErrorKind::Conflict, message));
    wrong.if_latest = Some("v0".into());
    assert!(store.commit_artifact(&collection(DATA), &wrong).unwrap().created);
    assert_eq!(versions(&store, DATA), [version("v1", &["latest"]), version("v0", &[])]);
    store.remove_unused_artifacts().unwrap();
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn a_manifest_reads_back_as_it_was_committed() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let extra = [("version_id".to_owned(), json!("1"))].into_iter().collect();
    let reference = ManifestEntry::reference("s3://b/a".into(), "tag".into(), Some(3), extra);
    let unknown = ManifestEntry::reference("scheme:thing".into(), "scheme:thing".into(), None, Default::default());
    let content = Manifest::from_iter([
        ("a".parse().unwrap(), stored(b"1")),
        ("b/r.png".parse().unwrap(), reference),
        ("c".parse().unwrap(), unknown),
    ]);
    send(&store, "local", b"1");
    send(&store, "local", &content.to_json_lines());
    let artifact = store.commit_artifact(&collection(DATA), &request(&content)).unwrap().artifact.unwrap();
    assert_eq!((artifact.file_count, artifact.size_bytes), (3, 4));
    assert_eq!(read_manifest(&store, "local/digits/data:v0"), content.to_json_lines());
    let (entry, place) = store.artifact_file(&at("local/digits/data:v0"), &"b/r.png".parse().unwrap()).unwrap();
    assert_eq!(place, None);
    assert_eq!(
        serde_json::to_value(entry).unwrap(),
        json!({
            "path": "b/r.png", "size_bytes": 3, "digest": "tag", "sha256": null, "reference": "s3://b/a",
            "extra": {"version_id": "1"}, "media_type": "image/png",
        })
    );
    let none = store.artifact_file(&at("local/digits/data:v0"), &"b".parse().unwrap()).unwrap_err();
    assert_eq!(refusal(&none), (ErrorKind::NotFound, "local/digits/data:v0 has no file b".into()));
    // Of nothing at all.
    let nothing = Manifest::default();
    send(&store, "local", &nothing.to_json_lines());
    let artifact = store.commit_artifact(&collection(DATA), &request(&nothing)).unwrap().artifact.unwrap();
    assert_eq!((&*artifact.digest, artifact.file_count), ("64e7c61456b10382e2f3b571ac24b659", 0));
    assert_eq!(read_manifest(&store, "local/digits/data:v1"), nothing.to_json_lines());
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn aliases_point_at_one_version_and_protected_ones_stay() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    for text in ["1", "2", "3"] {
        log(&store, DATA, &[("a", text)]);
    }
    let update = |version: &str, add: &[&str], remove: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let request = UpdateArtifactRequest {
            add_aliases: names(add),
            remove_aliases: names(remove),
            ..UpdateArtifactRequest::default()
        };
        store.update_artifact(&at(&format!("{DATA}:{version}")), &request)
    };
    assert_eq!(update("v0", &["best", "first"], &[]).unwrap().aliases, ["best", "first"]);
    assert_eq!(update("v1", &["best"], &["first"]).unwrap().aliases, ["best"]);
    let all = [version("v2", &["latest"]), version("v1", &["best"]), version("v0", &["first"])];
    assert_eq!(versions(&store, DATA), all);
    let protect = |aliases: &[&str]| UpdateCollectionRequest {
        protected_aliases: Some(aliases.iter().map(|alias| (*alias).into()).collect()),
        ..UpdateCollectionRequest::default()
    };
    let changed = store.update_collection(&collection(DATA), &protect(&["best", "soon"])).unwrap();
    assert_eq!(changed.protected_aliases, ["best", "soon"]);
    let moving = r#"the alias "best" is protected, so that it stays at v1"#.to_owned();
    assert_eq!(refusal(&update("v2", &["fast", "best"], &[]).unwrap_err()), (ErrorKind::Conflict, moving.clone()));
    let removing = r#"the alias "best" is protected, so that it cannot be removed"#.to_owned();
    assert_eq!(refusal(&update("v1", &[], &["best"]).unwrap_err()), (ErrorKind::Conflict, removing));
    let content = upload(&store, "local", &[("a", "4")]);
    let mut wanted = request(&content);
    wanted.aliases = vec!["best".into()];
    let error = store.commit_artifact(&collection(DATA), &wanted).unwrap_err();
    assert_eq!(refusal(&error), (ErrorKind::Conflict, moving));
    assert_eq!(error.hint(), Some("take it off the protected aliases of its collection first"));
    // A protected alias that points nowhere comes to point somewhere, once.
    assert_eq!(update("v2", &["soon"], &[]).unwrap().aliases, ["latest", "soon"]);
    assert!(update("v1", &["soon"], &[]).is_err());
    let delete = store.delete_artifact(&at(&format!("{DATA}:best")), true).unwrap_err();
    let message = r#"artifact local/digits/data:v1 cannot be deleted: the protected alias "best" points at it"#;
    assert_eq!(refusal(&delete), (ErrorKind::Conflict, message.into()));
    assert_eq!(refusal(&store.delete_collection(&collection(DATA)).unwrap_err()).0, ErrorKind::Conflict);
    assert_eq!(
        refusal(&store.update_collection(&collection(DATA), &protect(&["latest"])).unwrap_err()),
        (ErrorKind::Invalid, r#"the alias "latest" cannot be protected: it moves to every new version"#.into())
    );
    store.update_collection(&collection(DATA), &protect(&[])).unwrap();
    assert_eq!(update("v2", &["best"], &[]).unwrap().aliases, ["best", "latest", "soon"]);
}

#[test]
fn what_is_said_of_a_version_can_be_changed() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(1000.0));
    let store = Store::open(folder.path(), StoreOptions { clock: clock.clock(), ..quiet_options() }).unwrap();
    commit(&store, DATA, &[("a", "1")], |request| {
        request.tags = vec!["old".into()];
        request.description = Some("old".into());
        request.ttl_seconds = Some(10);
    });
    clock.set(1005.0);
    let update = UpdateArtifactRequest {
        description: Some("new".into()),
        metadata: Some([("k".to_owned(), json!([1]))].into_iter().collect()),
        add_tags: vec!["new".into()],
        remove_tags: vec!["old".into()],
        ttl_seconds: Some(0),
        ..UpdateArtifactRequest::default()
    };
    let artifact = store.update_artifact(&at("local/digits/data:v0"), &update).unwrap();
    assert_eq!((artifact.description.as_deref(), artifact.ttl_seconds), (Some("new"), None));
    assert_eq!((artifact.tags, artifact.metadata), (vec!["new".to_owned()], update.metadata.clone().unwrap()));
    assert_eq!((artifact.created_at, artifact.updated_at), (1000.0, 1005.0));
    let update = UpdateArtifactRequest { description: Some("".into()), ..UpdateArtifactRequest::default() };
    let artifact = store.update_artifact(&at("local/digits/data:v0"), &update).unwrap();
    assert_eq!((artifact.description, artifact.tags), (None, vec!["new".to_owned()]));
    let long = UpdateArtifactRequest { description: Some("a".repeat(70_000)), ..UpdateArtifactRequest::default() };
    assert_eq!(store.update_artifact(&at("local/digits/data:v0"), &long).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn deleted_numbers_do_not_come_back() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    for text in ["1", "2", "3"] {
        commit(&store, DATA, &[("a", text)], |request| request.aliases = vec![format!("is-{text}")]);
    }
    let delete =
        |version: &str, delete_aliases| store.delete_artifact(&at(&format!("{DATA}:{version}")), delete_aliases);
    let message = r#"artifact local/digits/data:v2 cannot be deleted: the alias "is-3" points at it"#;
    assert_eq!(refusal(&delete("latest", false).unwrap_err()), (ErrorKind::Conflict, message.into()));
    delete("latest", true).unwrap();
    assert_eq!(versions(&store, DATA), [version("v1", &["is-2", "latest"]), version("v0", &["is-1"])]);
    assert_eq!(log(&store, DATA, &[("a", "3")]).version, "v3");
    store.delete_collection(&collection(DATA)).unwrap();
    assert_eq!(refusal(&delete("v3", true).unwrap_err()).0, ErrorKind::NotFound);
    assert_eq!(
        store.collections(&"local".parse().unwrap(), None, &CollectionQuery::default()).unwrap().collections,
        []
    );
    assert_eq!(log(&store, DATA, &[("a", "4")]).version, "v4");
    // Nor under another name, nor to one that takes the old name.
    let rename = UpdateCollectionRequest { name: Some("renamed".into()), ..UpdateCollectionRequest::default() };
    assert_eq!(store.update_collection(&collection(DATA), &rename).unwrap().name, "renamed");
    assert_eq!(log(&store, "local/digits/renamed", &[("a", "5")]).version, "v5");
    assert_eq!(log(&store, DATA, &[("a", "6")]).version, "v5");
    let taken = store.update_collection(&collection(DATA), &rename).unwrap_err();
    assert_eq!(refusal(&taken), (ErrorKind::Conflict, "there is an artifact local/digits/renamed already".into()));
    store.delete_collection(&collection("local/digits/renamed")).unwrap();
    store.update_collection(&collection(DATA), &rename).unwrap();
    assert_eq!(log(&store, "local/digits/renamed", &[("a", "7")]).version, "v6");
    // A repeated commit of what was deleted does not bring it back.
    let content = upload(&store, "local", &[("b", "1")]);
    let wanted = request(&content);
    store.commit_artifact(&collection(DATA), &wanted).unwrap();
    store.delete_artifact(&at(&format!("{DATA}:latest")), true).unwrap();
    let message = "this version of local/digits/data was committed before, and deleted since";
    let error = store.commit_artifact(&collection(DATA), &wanted).unwrap_err();
    assert_eq!(refusal(&error), (ErrorKind::NotFound, message.into()));
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn registries_number_and_name_what_is_linked_into_them() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    log(&store, DATA, &[("a", "1")]);
    log(&store, DATA, &[("a", "2")]);
    let best = "local/registry/best";
    let place = |path: &str, version: &str| {
        let path = collection(path);
        ArtifactPlace {
            entity: path.entity.into(),
            project: path.project.into(),
            collection: path.collection.into(),
            version: version.into(),
        }
    };
    let link = |target: &str, source: ArtifactPlace, aliases: &[&str]| {
        let aliases = aliases.iter().map(|alias| (*alias).into()).collect();
        store.link_artifact(&collection(target), &LinkArtifactRequest { source, aliases })
    };
    let linked = link(best, place(DATA, "v1"), &["production"]).unwrap();
    assert_eq!((&*linked.version, &linked.aliases), ("v0", &vec!["latest".to_owned(), "production".into()]));
    assert_eq!((&*linked.project, linked.source), ("registry", place(DATA, "v1")));
    assert_eq!(link(best, place(DATA, "v0"), &["staging"]).unwrap().version, "v1");
    // Again, and by the name in the registry: the same number.
    let again = link(best, place(best, "production"), &["fast"]).unwrap();
    assert_eq!((&*again.version, again.aliases), ("v0", vec!["fast".to_owned(), "production".into()]));
    assert_eq!(versions(&store, best), [version("v1", &["latest", "staging"]), version("v0", &["fast", "production"])]);
    assert_eq!(read_manifest(&store, "local/registry/best:production"), read_manifest(&store, "local/digits/data:v1"));
    // Aliases here are none of there.
    assert_eq!(versions(&store, DATA), [version("v1", &["latest"]), version("v0", &[])]);
    let found = store.collection(&collection(best)).unwrap();
    assert_eq!((found.kind, found.version_count), (CollectionKind::Registry, 2));
    assert_eq!(
        refusal(&store.commit_artifact(&collection(best), &request(&upload(&store, "local", &[]))).unwrap_err()).0,
        ErrorKind::Conflict
    );
    assert_eq!(refusal(&link(DATA, place(DATA, "v0"), &[]).unwrap_err()).0, ErrorKind::Conflict);
    let tag = UpdateArtifactRequest { add_tags: vec!["x".into()], ..UpdateArtifactRequest::default() };
    let error = store.update_artifact(&at("local/registry/best:v0"), &tag).unwrap_err();
    assert_eq!(error.hint(), Some("change local/digits/data:v1"));
    // What is in production is not deleted by accident, nor a link that has aliases.
    let deleted = store.delete_artifact(&at("local/digits/data:v0"), false).unwrap_err();
    let message = r#"artifact local/digits/data:v0 cannot be deleted: the alias "latest" points at it"#;
    assert_eq!(refusal(&deleted), (ErrorKind::Conflict, message.into()));
    assert!(store.delete_artifact(&at("local/registry/best:v0"), false).is_err());
    store.delete_artifact(&at("local/registry/best:v0"), true).unwrap();
    assert_eq!(versions(&store, best), [version("v1", &["latest", "staging"])]);
    assert_eq!(versions(&store, DATA).len(), 2);
    // With the version go its links.
    store.delete_artifact(&at("local/digits/data:v0"), true).unwrap();
    assert_eq!(versions(&store, best), []);
    assert_eq!(link(best, place(DATA, "v1"), &[]).unwrap().version, "v2");
    store.delete_collection(&collection(best)).unwrap();
    assert_eq!(versions(&store, DATA), [version("v1", &["latest"])]);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}
