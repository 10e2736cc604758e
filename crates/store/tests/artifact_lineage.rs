//! Which run made and used which version, and how long versions are kept.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::{Arc, Mutex};

use steplog_model::{ArtifactId, ArtifactRecord, ArtifactUse, Entity, LoggedArtifact, Record, Version};
use steplog_protocol::{
    Artifact, ArtifactPlace, ErrorKind, Lineage, LineageRelation, LinkArtifactRequest, UpdateArtifactRequest,
};
use steplog_store::{Store, StoreOptions};
use support::artifacts::{at, collection, commit, hash, log, new_id};
use support::{HandClock, Journal, open, quiet_options};
use tempfile::TempDir;

fn everybody(_: &Entity) -> bool {
    true
}

/// A version as a run names it that read it.
fn used(artifact: &Artifact) -> ArtifactUse {
    ArtifactUse {
        entity: Some(artifact.entity.parse().unwrap()),
        project: Some(artifact.project.parse().unwrap()),
        collection: artifact.collection.parse().unwrap(),
        version: artifact.version.parse().unwrap(),
        digest: artifact.digest.parse().unwrap(),
        id: Some(artifact.id.parse().unwrap()),
    }
}

fn record_use(store: &Store, run: &str, used: ArtifactUse) -> Journal {
    let mut journal = Journal::new(run);
    journal.record(Record::Artifact(ArtifactRecord::Used(used))).send(store);
    journal
}

fn log_by(store: &Store, path: &str, text: &str, run: &str) -> Artifact {
    commit(store, path, &[("f", text)], |request| request.run_id = Some(run.into())).artifact.unwrap()
}

/// The graph as sentences.
fn sentences(lineage: &Lineage) -> Vec<String> {
    let edge = |edge: &steplog_protocol::LineageEdge| {
        let (run, place) = (&lineage.runs[edge.run as usize], &lineage.artifacts[edge.artifact as usize].place);
        let verb = if edge.relation == LineageRelation::Logged { "logged" } else { "used" };
        format!("{}/{} {verb} {}:{}", run.project, run.run_id, place.collection, place.version)
    };
    let mut sentences: Vec<String> = lineage.edges.iter().map(edge).collect();
    sentences.sort();
    sentences
}

fn version_names(artifacts: &[Artifact]) -> Vec<String> {
    artifacts.iter().map(|artifact| format!("{}:{}", artifact.collection, artifact.version)).collect()
}

#[test]
fn a_lineage_goes_back_and_forth() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = told.clone();
    store.subscribe_artifacts(Box::new(move |change| seen.lock().unwrap().push(change.collection.clone())));
    // raw → prepare → data → train-1, train-2 → model-1, model-2 → test
    let raw = log(&store, "local/p/raw", &[("f", "0")]);
    let _prepare = record_use(&store, "local/p/prepare", used(&raw));
    let data = log_by(&store, "local/p/data", "1", "prepare");
    let mut trained = Vec::new();
    for number in ["1", "2"] {
        let run = format!("train-{number}");
        record_use(&store, &format!("local/p/{run}"), used(&data));
        trained.push(log_by(&store, &format!("local/p/model-{number}"), &format!("m{number}"), &run));
    }
    record_use(&store, "local/q/test", used(&trained[0]));
    // Nobody knows this run.
    let lonely = log_by(&store, "local/p/lonely", "x", "nobody");
    assert_eq!(told.lock().unwrap()[1], "raw", "a use is told to watchers");
    let lineage = |path: &str, depth, limit| store.lineage(&at(path), depth, limit, &everybody).unwrap();
    let all = lineage("local/p/data:v0", None, None);
    assert_eq!(all.artifacts[0].place.collection, "data");
    assert_eq!((all.artifacts.len(), all.runs.len(), all.truncated), (4, 4, false));
    assert_eq!(
        sentences(&all),
        [
            "p/prepare logged data:v0",
            "p/prepare used raw:v0",
            "p/train-1 logged model-1:v0",
            "p/train-1 used data:v0",
            "p/train-2 logged model-2:v0",
            "p/train-2 used data:v0",
            "q/test used model-1:v0",
        ]
    );
    // Only what led to it and what came of it: not the sister.
    assert_eq!(
        sentences(&lineage("local/p/model-1:latest", None, None)),
        [
            "p/prepare logged data:v0",
            "p/prepare used raw:v0",
            "p/train-1 logged model-1:v0",
            "p/train-1 used data:v0",
            "q/test used model-1:v0",
        ]
    );
    let near = lineage("local/p/data:v0", Some(1), None);
    assert_eq!(sentences(&near), ["p/prepare logged data:v0", "p/train-1 used data:v0", "p/train-2 used data:v0"]);
    assert!(near.truncated);
    let alone = lineage("local/p/data:v0", Some(0), None);
    assert_eq!((alone.artifacts.len(), alone.runs.len(), alone.truncated), (1, 0, true));
    let few = lineage("local/p/data:v0", None, Some(3));
    assert_eq!((few.artifacts.len() + few.runs.len(), few.truncated), (3, true));
    let unknown = lineage("local/p/lonely:v0", None, None).runs.remove(0);
    assert_eq!((&*unknown.run_id, unknown.name, unknown.state, unknown.created_at), ("nobody", None, None, None));
    for (depth, limit) in [(Some(101), None), (None, Some(0)), (None, Some(5001))] {
        let error = store.lineage(&at("local/p/data:v0"), depth, limit, &everybody).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    // The runs of a version, and the versions of a run.
    let runs = |cursor: Option<&str>| {
        let page = store.artifact_runs(&at("local/p/data:v0"), cursor, Some(1), &everybody).unwrap();
        (page.runs.into_iter().map(|run| run.run_id).collect::<Vec<_>>(), page.next_cursor)
    };
    let (first, cursor) = runs(None);
    assert_eq!(first, ["train-2"]);
    assert_eq!(runs(cursor.as_deref()), (vec!["train-1".to_owned()], None));
    assert_eq!(store.artifact(&at("local/p/data:v0")).unwrap().use_count, 2);
    let train = store.run_artifacts(&"local/p/train-1".parse().unwrap(), &everybody).unwrap();
    assert_eq!(version_names(&train.logged), ["model-1:v0"]);
    assert_eq!(version_names(&train.used), ["data:v0"]);
    // A run goes, and what it made stays.
    store.delete_run(&"local/p/train-1".parse().unwrap()).unwrap();
    assert_eq!(
        sentences(&lineage("local/p/model-1:v0", None, None)),
        ["p/train-1 logged model-1:v0", "q/test used model-1:v0"]
    );
    assert_eq!(store.artifact(&at("local/p/data:v0")).unwrap().use_count, 1);
    assert_eq!(store.artifact(&at("local/p/lonely:v0")).unwrap().id, lonely.id);
}

#[test]
fn a_run_may_use_what_it_logs() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let (one, two) = (log_by(&store, "local/p/a", "1", "r"), log_by(&store, "local/p/b", "2", "r"));
    let mut journal = Journal::new("local/p/r");
    for artifact in [&one, &two, &one] {
        journal.record(Record::Artifact(ArtifactRecord::Used(used(artifact))));
    }
    journal.send(&store);
    let lineage = store.lineage(&at("local/p/a:v0"), Some(100), None, &everybody).unwrap();
    assert_eq!((lineage.artifacts.len(), lineage.runs.len(), lineage.truncated), (2, 1, false));
    assert_eq!(sentences(&lineage), ["p/r logged a:v0", "p/r logged b:v0", "p/r used a:v0", "p/r used b:v0"]);
    // Another run that logs the same content made that version, too.
    let again = log_by(&store, "local/p/a", "1", "s");
    assert_eq!((&*again.version, &*again.logged_by.unwrap().run_id), ("v0", "r"));
    let other = Journal::new("local/p/s").send(&store).path.clone();
    assert_eq!(version_names(&store.run_artifacts(&other, &everybody).unwrap().logged), ["a:v0"]);
}

#[test]
fn what_others_may_not_see_is_left_out() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let raw = log(&store, "secret/p/raw", &[("f", "0")]);
    record_use(&store, "local/p/prepare", used(&raw));
    let data = log_by(&store, "local/p/data", "1", "prepare");
    record_use(&store, "secret/p/spy", used(&data));
    log_by(&store, "secret/p/report", "2", "spy");
    let not_secret = |entity: &Entity| entity.as_str() != "secret";
    let lineage = store.lineage(&at("local/p/data:v0"), None, None, &not_secret).unwrap();
    assert_eq!(sentences(&lineage), ["p/prepare logged data:v0"]);
    assert_eq!(store.artifact_runs(&at("local/p/data:v0"), None, None, &not_secret).unwrap().runs, []);
    assert_eq!(store.run_artifacts(&"local/p/prepare".parse().unwrap(), &not_secret).unwrap().used, []);
    let whole = store.lineage(&at("local/p/data:v0"), None, None, &everybody).unwrap();
    assert_eq!(whole.edges.len(), 4);
}

#[test]
fn uses_find_their_version_when_it_comes_later() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let (content, id): (&[(&str, &str)], ArtifactId) = (&[("f", "1")], new_id());
    let digest = support::artifacts::manifest(content).digest();
    let named = |version: u32, id: Option<ArtifactId>| ArtifactUse {
        entity: None,
        project: None,
        collection: "data".parse().unwrap(),
        version: Version::new(version),
        digest,
        id,
    };
    // Known by the call that logged it, by its digest, and by another digest.
    record_use(&store, "local/p/by-id", named(7, Some(id)));
    record_use(&store, "local/p/by-digest", named(7, None));
    record_use(
        &store,
        "local/p/other",
        ArtifactUse { digest: "64e7c61456b10382e2f3b571ac24b659".parse().unwrap(), ..named(0, None) },
    );
    record_use(&store, "local/q/elsewhere", named(7, None));
    let users = || {
        let runs = store.artifact_runs(&at("local/p/data:v0"), None, None, &everybody).unwrap().runs;
        runs.into_iter().map(|run| run.run_id).collect::<Vec<_>>()
    };
    commit(&store, "local/p/data", content, |request| request.id = id.to_string());
    assert_eq!(users(), ["by-digest", "by-id"]);
    // It is deleted, and logged again.
    store.delete_artifact(&at("local/p/data:v0"), true).unwrap();
    log(&store, "local/p/data", content);
    assert_eq!(store.artifact(&at("local/p/data:v1")).unwrap().use_count, 2);
    // Those that come later, too: by the number where two have the digest.
    log(&store, "local/p/data", &[("f", "2")]);
    log(&store, "local/p/data", content);
    record_use(&store, "local/p/late", named(1, None));
    record_use(&store, "local/p/later", named(99, None));
    let count = |version: &str| store.artifact(&at(&format!("local/p/data:{version}"))).unwrap().use_count;
    assert_eq!((count("v1"), count("v2"), count("v3")), (3, 0, 1));
}

#[test]
fn a_journal_tells_which_run_logged_a_version() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let (content, id): (&[(&str, &str)], ArtifactId) = (&[("f", "1")], new_id());
    let manifest = support::artifacts::manifest(content);
    let logged = LoggedArtifact {
        time: 1500.0,
        id,
        collection: "data".parse().unwrap(),
        r#type: "dataset".parse().unwrap(),
        digest: manifest.digest(),
        manifest: hash(&manifest.to_json_lines()),
        file_count: 1,
        size_bytes: 1,
        local_version: Version::new(0),
        details: Default::default(),
        step: None,
        incremental: false,
        as_input: false,
    };
    let mut journal = Journal::new("local/p/r");
    journal.record(Record::Artifact(ArtifactRecord::Logged(Box::new(logged)))).send(&store);
    // The commit does not say it.
    let artifact = commit(&store, "local/p/data", content, |request| request.id = id.to_string()).artifact.unwrap();
    assert_eq!(artifact.logged_by.unwrap().run_id, "r");
    assert_eq!(version_names(&store.run_artifacts(&journal.path, &everybody).unwrap().logged), ["data:v0"]);
}

#[test]
fn a_thousand_nodes_are_one_lineage() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let data = log(&store, "local/p/data", &[("f", "1")]);
    for number in 0..500 {
        record_use(&store, &format!("local/p/run-{number}"), used(&data));
        log_by(&store, &format!("local/p/model-{number}"), "m", &format!("run-{number}"));
    }
    let lineage = store.lineage(&at("local/p/data:v0"), None, Some(5000), &everybody).unwrap();
    assert_eq!((lineage.artifacts.len(), lineage.runs.len(), lineage.edges.len()), (501, 500, 1000));
    assert!(!lineage.truncated);
    // From the far end it is one line.
    let model = store.lineage(&at("local/p/model-77:v0"), None, None, &everybody).unwrap();
    assert_eq!(sentences(&model), ["p/run-77 logged model-77:v0", "p/run-77 used data:v0"]);
}

#[test]
fn versions_go_when_their_time_is_over() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(1000.0));
    let store = Store::open(folder.path(), StoreOptions { clock: clock.clock(), ..quiet_options() }).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log_for = |text: &str, seconds, alias: Option<&str>| {
        commit(&store, "local/p/data", &[("f", text)], |request| {
            request.ttl_seconds = seconds;
            request.aliases = alias.map(str::to_owned).into_iter().collect();
        })
    };
    for (text, seconds, alias) in [
        ("0", Some(10), None),
        ("1", Some(10), Some("best")),
        ("2", Some(10), None),
        ("3", None, None),
        ("4", Some(20), None),
    ] {
        log_for(text, seconds, alias);
    }
    let source =
        ArtifactPlace { entity: "local".into(), project: "p".into(), collection: "data".into(), version: "v2".into() };
    store.link_artifact(&collection("local/registry/data"), &LinkArtifactRequest { source, aliases: vec![] }).unwrap();
    let seen = told.clone();
    store.subscribe_artifacts(Box::new(move |change| seen.lock().unwrap().push(change.collection.clone())));
    let left = |now: f64| {
        clock.set(now);
        store.remove_expired_artifacts().unwrap();
        let list = store.artifacts(&collection("local/p/data"), None, None).unwrap().artifacts;
        list.into_iter().map(|artifact| artifact.version).collect::<Vec<_>>()
    };
    assert_eq!(left(1009.0), ["v4", "v3", "v2", "v1", "v0"]);
    assert_eq!(*told.lock().unwrap(), Vec::<String>::new());
    // The one with an alias of its own stays, and the one that a registry has.
    assert_eq!(left(1010.0), ["v4", "v3", "v2", "v1"]);
    assert_eq!(*told.lock().unwrap(), ["data"]);
    // `latest` holds nothing, and goes to the newest that is left.
    assert_eq!(left(1020.0), ["v3", "v2", "v1"]);
    assert_eq!(store.artifact(&at("local/p/data:latest")).unwrap().version, "v3");
    store.delete_collection(&collection("local/registry/data")).unwrap();
    let update = UpdateArtifactRequest { remove_aliases: vec!["best".into()], ..UpdateArtifactRequest::default() };
    store.update_artifact(&at("local/p/data:v1"), &update).unwrap();
    let update = UpdateArtifactRequest { ttl_seconds: Some(50), ..UpdateArtifactRequest::default() };
    store.update_artifact(&at("local/p/data:v3"), &update).unwrap();
    assert_eq!(left(1030.0), ["v3"]);
    assert_eq!(left(1050.0), Vec::<String>::new());
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}
