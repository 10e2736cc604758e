//! Artifacts and what interrupts them: kills at every step, the garbage collector beside commits, any order of calls.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use proptest::prelude::*;
use proptest::test_runner::Config;
use rusqlite::Connection;
use steplog_model::{Manifest, StreamId};
use steplog_protocol::{ArtifactPlace, CommitArtifactRequest, ErrorKind, LinkArtifactRequest};
use steplog_store::{Store, StoreOptions};
use support::artifacts::{at, collection, commit, hash, log, manifest, read_manifest, request, send, stored, upload};
use support::{HandClock, open, quiet_options};
use tempfile::TempDir;

const DATA: &str = "local/digits/data";
const DAY: f64 = 24.0 * 3600.0;

/// A manifest that is written in several transactions, of contents that `seed` tells apart.
fn large(seed: &str) -> (Manifest, Vec<String>) {
    let texts: Vec<String> = (0..10).map(|index| format!("{seed} {index}")).collect();
    let entry =
        |index: usize| (format!("d{}/{index}", index % 3).parse().unwrap(), stored(texts[index % 10].as_bytes()));
    ((0..5000).map(entry).collect(), texts)
}

fn send_large(store: &Store, seed: &str) -> Manifest {
    let (manifest, texts) = large(seed);
    texts.iter().for_each(|text| send(store, "local", text.as_bytes()));
    send(store, "local", &manifest.to_json_lines());
    manifest
}

fn versions(store: &Store) -> Vec<String> {
    let list = store.artifacts(&collection(DATA), None, None).unwrap();
    list.artifacts.into_iter().map(|artifact| artifact.version).collect()
}

/// The names of the blobs on the disk.
fn on_disk(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in fs::read_dir(folder.join("blobs")).into_iter().flatten().flatten() {
        for blob in fs::read_dir(folder.path()).unwrap() {
            found.insert(blob.unwrap().file_name().into_string().unwrap());
        }
    }
    found
}

fn names<'a>(texts: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    texts.into_iter().map(|text| hash(text.as_bytes()).to_string()).collect()
}

fn count(folder: &Path, table: &str) -> i64 {
    let database = Connection::open(folder.join("steplog.sqlite")).unwrap();
    database.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap()
}

fn collect(store: &Store) {
    store.remove_expired_artifacts().unwrap();
    store.remove_unused_artifacts().unwrap();
    store.remove_unused_files().unwrap();
}

fn at_time(folder: &Path, now: f64) -> Arc<Store> {
    Store::open(folder, StoreOptions { clock: HandClock::new(now).clock(), ..quiet_options() }).unwrap()
}

#[test]
fn a_commit_that_is_killed_anywhere_is_whole_or_absent_and_can_be_repeated() {
    for jobs in 0.. {
        let folder = TempDir::new().unwrap();
        let store = at_time(folder.path(), 0.0);
        let first = send_large(&store, "first");
        store.commit_artifact(&collection(DATA), &request(&first)).unwrap();
        let second = send_large(&store, "second");
        let wanted = request(&second);
        store.fail_after(jobs);
        let result = store.commit_artifact(&collection(DATA), &wanted);
        store.abandon();
        drop(store);
        let store = at_time(folder.path(), 1.0);
        assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![], "{jobs}");
        match &result {
            Ok(answer) => assert!(answer.created, "{jobs}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{jobs}"),
        }
        let there = versions(&store);
        assert!(there == ["v0"] && result.is_err() || there == ["v1", "v0"], "{jobs}: {there:?}");
        if jobs % 2 == 0 {
            collect(&store);
        }
        // Nothing is asked for again, and it is the one version.
        let answer = store.commit_artifact(&collection(DATA), &wanted).unwrap();
        assert_eq!((answer.created, &*answer.artifact.unwrap().version), (true, "v1"), "{jobs}");
        assert_eq!(versions(&store), ["v1", "v0"], "{jobs}");
        for (version, manifest) in [("v0", &first), ("v1", &second)] {
            assert_eq!(read_manifest(&store, &format!("{DATA}:{version}")), manifest.to_json_lines(), "{jobs}");
        }
        drop(store);
        let store = at_time(folder.path(), 2.0 * DAY);
        collect(&store);
        assert_eq!(on_disk(folder.path()), names(large("first").1.iter().chain(&large("second").1)), "{jobs}");
        assert_eq!(
            (count(folder.path(), "manifests"), count(folder.path(), "manifest_entries")),
            (2, 10_000),
            "{jobs}"
        );
        if result.is_ok() {
            assert!(jobs >= 5, "the rows come in several transactions");
            break;
        }
    }
}

#[test]
fn a_removal_that_is_killed_anywhere_takes_nothing_that_lives_and_comes_to_its_end() {
    for jobs in 0.. {
        let folder = TempDir::new().unwrap();
        let store = at_time(folder.path(), 0.0);
        let gone = send_large(&store, "gone");
        store.commit_artifact(&collection(DATA), &request(&gone)).unwrap();
        // Shares some of its contents.
        let kept = commit(&store, DATA, &[("a", "gone 1"), ("b", "kept")], |_| {}).artifact.unwrap();
        drop(store);
        let store = at_time(folder.path(), 2.0 * DAY);
        store.delete_artifact(&at(&format!("{DATA}:v0")), true).unwrap();
        store.fail_after(jobs);
        let result = store.remove_unused_artifacts().and_then(|()| store.remove_unused_files());
        store.abandon();
        drop(store);
        let store = at_time(folder.path(), 2.0 * DAY);
        assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![], "{jobs}");
        assert_eq!(store.artifact(&at(&format!("{DATA}:latest"))).unwrap(), kept, "{jobs}");
        let live = names(&["gone 1".to_owned(), "kept".into()]);
        assert!(on_disk(folder.path()).is_superset(&live), "{jobs}");
        if jobs % 2 == 0 {
            // The content comes back while its removal is under way.
            let again = store.commit_artifact(&collection(DATA), &request(&gone)).unwrap();
            if !again.missing.is_empty() {
                send_large(&store, "gone");
                let again = store.commit_artifact(&collection(DATA), &request(&gone)).unwrap();
                assert!(again.created, "{jobs}");
            }
            assert_eq!(read_manifest(&store, &format!("{DATA}:v2")), gone.to_json_lines(), "{jobs}");
            collect(&store);
            assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![], "{jobs}");
            store.delete_artifact(&at(&format!("{DATA}:v2")), true).unwrap();
        }
        drop(store);
        let store = at_time(folder.path(), 4.0 * DAY);
        collect(&store);
        assert_eq!(on_disk(folder.path()), live, "{jobs}");
        assert_eq!((count(folder.path(), "manifests"), count(folder.path(), "manifest_blobs")), (1, 2), "{jobs}");
        assert_eq!((count(folder.path(), "manifest_folders"), count(folder.path(), "blobs")), (0, 2), "{jobs}");
        if result.is_ok() {
            assert!(jobs >= 5, "the rows go in several transactions");
            break;
        }
    }
}

/// Sends what is missing until the commit goes through, as a client does.
fn log_stubbornly(store: &Store, path: &str, files: &[(&str, &str)]) -> String {
    let wanted = request(&manifest(files));
    loop {
        match store.commit_artifact(&collection(path), &wanted) {
            Ok(answer) => match answer.artifact {
                Some(artifact) => return artifact.version,
                None => drop(upload(store, "local", files)),
            },
            // The version went before it could be shown.
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
        }
    }
}

#[test]
fn the_garbage_collector_beside_commits_takes_nothing_that_is_committed() {
    let (folder, is_over) = (TempDir::new().unwrap(), AtomicBool::new(false));
    let store = open(folder.path());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                collect(&store);
            }
        });
        let workers: Vec<_> = ["one", "two"]
            .into_iter()
            .map(|name| {
                let store = &store;
                scope.spawn(move || {
                    // Both have the same contents, which come and go all the time.
                    let path = format!("local/digits/{name}");
                    for round in 0..60 {
                        let text = format!("{}", round % 3);
                        let files = [("a", &*text), ("b", "always"), ("c", &*text)];
                        let version = log_stubbornly(store, &path, &files);
                        let place = at(&format!("{path}:{version}"));
                        for (file, text) in files {
                            let (_, found) = store.artifact_file(&place, &file.parse().unwrap()).unwrap();
                            assert_eq!(fs::read(found.unwrap()).unwrap(), text.as_bytes());
                        }
                        store.delete_artifact(&place, true).unwrap();
                    }
                    log_stubbornly(store, &path, &[("last", "last"), ("b", "always")])
                })
            })
            .collect();
        let last: Vec<String> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
        is_over.store(true, Ordering::SeqCst);
        assert_eq!(last, ["v60", "v60"]);
    });
    collect(&store);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
    drop(store);
    let store = at_time(folder.path(), 1e12);
    collect(&store);
    assert_eq!(on_disk(folder.path()), names(&["last".to_owned(), "always".into()]));
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn a_commit_that_will_be_refused_writes_no_rows() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    log(&store, DATA, &[("a", "1")]);
    let content = send_large(&store, "large");
    let changes: [fn(&mut CommitArtifactRequest); 2] =
        [|request| request.r#type = "model".into(), |request| request.if_latest = Some("none".into())];
    for change in changes {
        let mut wanted = request(&content);
        change(&mut wanted);
        assert_eq!(store.commit_artifact(&collection(DATA), &wanted).unwrap_err().kind(), ErrorKind::Conflict);
    }
    assert_eq!((count(folder.path(), "manifests"), count(folder.path(), "manifest_entries")), (1, 1));
}

#[test]
fn two_clients_commit_the_same_at_once() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let content = send_large(&store, "same");
    let results: Vec<_> = thread::scope(|scope| {
        let commit = |name: &str| {
            let (store, path, wanted) = (&store, collection(&format!("local/digits/{name}")), request(&content));
            scope.spawn(move || store.commit_artifact(&path, &wanted).unwrap())
        };
        ["a", "a", "b"].map(commit).map(|client| client.join().unwrap()).into()
    });
    let mut created: Vec<_> = results.iter().map(|answer| answer.created).collect();
    created[..2].sort_unstable();
    assert_eq!(created, [false, true, true]);
    collect(&store);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
    assert_eq!((count(folder.path(), "manifests"), count(folder.path(), "manifest_entries")), (1, 5000));
}

/// Something that somebody does.
#[derive(Clone, Debug)]
enum Call {
    /// Logs a set of contents into a collection, with an alias.
    Log {
        collection: usize,
        contents: BTreeSet<u8>,
        alias: u8,
    },
    /// Sends the last request to a collection again.
    Repeat {
        collection: usize,
    },
    /// Links a version into the registry.
    Link {
        collection: usize,
        version: u32,
        alias: u8,
    },
    Delete {
        collection: usize,
        version: u32,
        aliases: bool,
    },
    DeleteCollection {
        collection: usize,
    },
    /// Removes garbage, after so many hours.
    Collect {
        hours: u8,
    },
    /// Is killed, and comes back.
    Kill,
}

const COLLECTIONS: [&str; 3] = ["local/p/a", "local/p/b", "local/registry/r"];

fn calls() -> impl Strategy<Value = Call> {
    let contents = prop::collection::btree_set(0u8..5, 0..4);
    prop_oneof![
        6 => (0..2usize, contents, 0u8..3).prop_map(|(collection, contents, alias)| Call::Log { collection, contents, alias }),
        1 => (0..2usize).prop_map(|collection| Call::Repeat { collection }),
        2 => (0..2usize, 0u32..6, 0u8..3).prop_map(|(collection, version, alias)| Call::Link { collection, version, alias }),
        4 => (0..3usize, 0u32..6, any::<bool>())
            .prop_map(|(collection, version, aliases)| Call::Delete { collection, version, aliases }),
        1 => (0..3usize).prop_map(|collection| Call::DeleteCollection { collection }),
        2 => (0u8..30).prop_map(|hours| Call::Collect { hours }),
        1 => Just(Call::Kill),
    ]
}

/// A collection as it should be.
#[derive(Default)]
struct Collection {
    next: u32,
    /// What each version is: an artifact's number.
    versions: BTreeMap<u32, usize>,
    aliases: BTreeMap<String, u32>,
    last: Option<(CommitArtifactRequest, usize, bool)>,
}

/// Everything as it should be.
#[derive(Default)]
struct Model {
    collections: [Collection; 3],
    /// Contents of all that was ever logged, and whether it is still there.
    artifacts: Vec<(BTreeSet<u8>, bool)>,
}

fn text(content: u8) -> String {
    format!("content {content}")
}

fn files(contents: &BTreeSet<u8>) -> Vec<(String, String)> {
    contents.iter().map(|content| (format!("d/{content}"), text(*content))).collect()
}

impl Model {
    fn point(&mut self, collection: usize, alias: &str, version: u32) {
        self.collections[collection].aliases.insert(alias.into(), version);
    }

    fn drop_number(&mut self, collection: usize, version: u32) {
        let collection = &mut self.collections[collection];
        collection.versions.remove(&version);
        let had_latest = collection.aliases.get("latest") == Some(&version);
        collection.aliases.retain(|_, at| *at != version);
        if let Some(newest) = collection.versions.keys().next_back().copied().filter(|_| had_latest) {
            collection.aliases.insert("latest".into(), newest);
        }
    }

    fn drop_artifact(&mut self, artifact: usize) {
        self.artifacts[artifact].1 = false;
        for index in 0..3 {
            let numbers: Vec<u32> = self.collections[index]
                .versions
                .iter()
                .filter_map(|(version, at)| (*at == artifact).then_some(*version))
                .collect();
            numbers.into_iter().for_each(|version| self.drop_number(index, version));
        }
    }

    /// Whether any alias points at an artifact, or at one number of a registry.
    fn is_named(&self, collection: usize, version: u32) -> bool {
        let artifact = self.collections[collection].versions[&version];
        let is_named = |collection: &Collection, only: Option<u32>| {
            collection
                .aliases
                .values()
                .any(|at| only.map_or_else(|| collection.versions.get(at) == Some(&artifact), |only| *at == only))
        };
        match collection {
            2 => is_named(&self.collections[2], Some(version)),
            _ => self.collections.iter().any(|collection| is_named(collection, None)),
        }
    }

    fn live(&self) -> BTreeSet<String> {
        let contents = self.artifacts.iter().filter(|(_, lives)| *lives).flat_map(|(contents, _)| contents);
        contents.map(|content| hash(text(*content).as_bytes()).to_string()).collect()
    }

    fn check(&self, store: &Store) {
        for (path, expected) in COLLECTIONS.iter().zip(&self.collections) {
            let Ok(found) = store.artifacts(&collection(path), None, None) else {
                assert_eq!(expected.versions, BTreeMap::new(), "{path}");
                continue;
            };
            let mut aliases = BTreeMap::new();
            let mut versions = Vec::new();
            for artifact in found.artifacts {
                let version: u32 = artifact.version[1..].parse().unwrap();
                aliases.extend(artifact.aliases.into_iter().map(|alias| (alias, version)));
                versions.insert(0, version);
            }
            assert_eq!(versions, expected.versions.keys().copied().collect::<Vec<_>>(), "{path}");
            assert_eq!(aliases, expected.aliases, "{path}");
            for (version, artifact) in &expected.versions {
                let files = files(&self.artifacts[*artifact].0);
                let files: Vec<_> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
                assert_eq!(read_manifest(store, &format!("{path}:v{version}")), manifest(&files).to_json_lines());
            }
        }
    }
}

fn id(number: usize) -> String {
    StreamId::from_bytes((number as u128 + 1).to_be_bytes()).to_string()
}

fn run_calls(calls: Vec<Call>) {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(0.0));
    let options = || StoreOptions { clock: clock.clock(), ..quiet_options() };
    let mut store = Store::open(folder.path(), options()).unwrap();
    let (mut model, mut now, mut ids) = (Model::default(), 0.0, 0);
    for call in calls {
        match call {
            Call::Log { collection: index, contents, alias } => {
                let files = files(&contents);
                let files: Vec<_> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
                let mut wanted = request(&manifest(&files));
                wanted.id = id(ids);
                ids += 1;
                let alias = format!("alias {alias}");
                wanted.aliases = vec![alias.clone()];
                let path = collection(COLLECTIONS[index]);
                let answer = match store.commit_artifact(&path, &wanted).unwrap() {
                    answer if answer.artifact.is_some() => answer,
                    _ => {
                        upload(&store, "local", &files);
                        store.commit_artifact(&path, &wanted).unwrap()
                    }
                };
                let newest = model.collections[index].versions.last_key_value().map(|(version, at)| (*version, *at));
                let same = newest.filter(|(_, artifact)| model.artifacts[*artifact].0 == contents);
                let (version, artifact) = same.unwrap_or_else(|| {
                    model.artifacts.push((contents, true));
                    let collection = &mut model.collections[index];
                    let new = (collection.next, model.artifacts.len() - 1);
                    collection.versions.insert(new.0, new.1);
                    collection.next += 1;
                    new
                });
                model.point(index, "latest", version);
                model.point(index, &alias, version);
                model.collections[index].last = Some((wanted, artifact, same.is_none()));
                assert_eq!((answer.created, answer.artifact.unwrap().version), (same.is_none(), format!("v{version}")));
            }
            Call::Repeat { collection: index } => {
                let Some((wanted, artifact, created)) = &model.collections[index].last else { continue };
                let answer = store.commit_artifact(&collection(COLLECTIONS[index]), wanted);
                match answer {
                    Ok(answer) => assert_eq!((answer.created, model.artifacts[*artifact].1), (*created, true)),
                    Err(error) => {
                        assert_eq!((error.kind(), model.artifacts[*artifact].1), (ErrorKind::NotFound, false))
                    }
                }
            }
            Call::Link { collection: index, version, alias } => {
                let alias = format!("alias {alias}");
                let (project, name) = COLLECTIONS[index].split_once('/').unwrap().1.split_once('/').unwrap();
                let source = ArtifactPlace {
                    entity: "local".into(),
                    project: project.into(),
                    collection: name.into(),
                    version: format!("v{version}"),
                };
                let wanted = LinkArtifactRequest { source, aliases: vec![alias.clone()] };
                let result = store.link_artifact(&collection(COLLECTIONS[2]), &wanted);
                let Some(artifact) = model.collections[index].versions.get(&version).copied() else {
                    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
                    continue;
                };
                let registry = &mut model.collections[2];
                let known = registry.versions.iter().find(|(_, at)| **at == artifact).map(|(version, _)| *version);
                let number = known.unwrap_or(registry.next);
                if known.is_none() {
                    registry.versions.insert(number, artifact);
                    registry.next += 1;
                    model.point(2, "latest", number);
                }
                model.point(2, &alias, number);
                assert_eq!(result.unwrap().version, format!("v{number}"));
            }
            Call::Delete { collection: index, version, aliases } => {
                let result = store.delete_artifact(&at(&format!("{}:v{version}", COLLECTIONS[index])), aliases);
                let Some(artifact) = model.collections[index].versions.get(&version).copied() else {
                    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
                    continue;
                };
                if !aliases && model.is_named(index, version) {
                    assert_eq!(result.unwrap_err().kind(), ErrorKind::Conflict);
                    continue;
                }
                result.unwrap();
                if index == 2 { model.drop_number(2, version) } else { model.drop_artifact(artifact) }
            }
            Call::DeleteCollection { collection: index } => {
                if store.delete_collection(&collection(COLLECTIONS[index])).is_err() {
                    assert_eq!(model.collections[index].versions, BTreeMap::new());
                }
                let all: Vec<_> = model.collections[index].versions.clone().into_iter().collect();
                for (version, artifact) in all {
                    if index == 2 { model.drop_number(2, version) } else { model.drop_artifact(artifact) }
                }
            }
            Call::Collect { hours } => {
                now += f64::from(hours) * 3600.0;
                clock.set(now);
                collect(&store);
                assert!(on_disk(folder.path()).is_superset(&model.live()), "a live blob was removed");
            }
            Call::Kill => {
                store.abandon();
                drop(store);
                store = Store::open(folder.path(), options()).unwrap();
            }
        }
        model.check(&store);
    }
    clock.set(now + 2.0 * DAY);
    collect(&store);
    assert_eq!(on_disk(folder.path()), model.live(), "what is on the disk is what lives");
    let live: BTreeSet<_> = model.artifacts.iter().filter(|(_, lives)| *lives).map(|(contents, _)| contents).collect();
    assert_eq!(count(folder.path(), "manifests"), live.len() as i64, "equal manifests are kept once");
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

proptest! {
    #![proptest_config(Config { cases: 48, max_shrink_iters: 200, ..Config::default() })]

    #[test]
    fn any_order_of_calls_does_what_it_should(calls in prop::collection::vec(calls(), 1..40)) {
        run_calls(calls);
    }
}

#[test]
fn what_is_committed_survives_a_kill() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let artifact = log(&store, DATA, &[("a", "1")]);
    store.abandon();
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.artifact(&at(&format!("{DATA}:latest"))).unwrap(), artifact);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}
