//! What versions consist of: folders, search, differences, verification.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use rusqlite::Connection;
use steplog_model::{FilePath, Manifest, ManifestEntry};
use steplog_protocol::{ArtifactEntryList, ArtifactFolder, ArtifactVerification, DiffChange, ErrorKind};
use steplog_store::{EntryQuery, Store};
use support::artifacts::{at, collection, commit, hash, log, read_manifest, request, send, stored, upload};
use support::open;
use tempfile::TempDir;

const V0: &str = "local/digits/data:v0";

fn names(list: &ArtifactEntryList) -> Vec<&str> {
    let folders = list.folders.iter().map(|folder| &*folder.path);
    folders.chain(list.entries.iter().map(|entry| &*entry.path)).collect()
}

fn list(store: &Store, query: EntryQuery) -> ArtifactEntryList {
    store.artifact_entries(&at(V0), &query).unwrap()
}

/// All pages, one after the other.
fn pages(store: &Store, query: &EntryQuery) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let page = list(store, EntryQuery { cursor, ..query.clone() });
        pages.push(names(&page).into_iter().map(str::to_owned).collect());
        cursor = page.next_cursor;
        if cursor.is_none() {
            return pages;
        }
    }
}

fn in_folder(folder: &str) -> EntryQuery {
    EntryQuery { folder: folder.into(), ..EntryQuery::default() }
}

#[test]
fn a_folder_lists_its_folders_then_its_files() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let last = format!("{}z", char::MAX);
    log(
        &store,
        "local/digits/data",
        &[
            ("Z", "1"),
            ("a b/%_", "22"),
            ("a.b", "1"),
            ("a/b/1", "1"),
            ("a/b/2", "22"),
            ("a/b.c", "4444"),
            ("a/c/d/ü", "333"),
            ("b", "1"),
            (&last, "1"),
        ],
    );
    let top = list(&store, EntryQuery::default());
    assert_eq!(names(&top), ["a", "a b", "Z", "a.b", "b", &last]);
    let totals = |path: &str, file_count, size_bytes| ArtifactFolder { path: path.into(), file_count, size_bytes };
    assert_eq!((&top.folders[0], &top.folders[1]), (&totals("a", 4, 10), &totals("a b", 1, 2)));
    let a = list(&store, in_folder("a"));
    assert_eq!((a.folders, a.entries.len()), (vec![totals("a/b", 2, 3), totals("a/c", 1, 3)], 1));
    assert_eq!(names(&list(&store, in_folder("a/c/d"))), ["a/c/d/ü"]);
    for wrong in ["a/b/1", "c", "a/", "/", "..", "a/b/1/x"] {
        let error = store.artifact_entries(&at(V0), &in_folder(wrong)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{wrong}");
    }
    let all = EntryQuery { recursive: true, ..in_folder("a") };
    assert_eq!(names(&list(&store, all.clone())), ["a/b.c", "a/b/1", "a/b/2", "a/c/d/ü"]);
    let search = |folder: &str, text: &str| {
        let found = list(&store, EntryQuery { search: Some(text.into()), ..in_folder(folder) });
        names(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(search("", "B/"), ["a b/%_", "a/b/1", "a/b/2"]);
    assert_eq!(search("a", "a"), Vec::<String>::new());
    assert_eq!(search("", "%"), ["a b/%_"]);
    for limit in 1..8 {
        let query = EntryQuery { limit: Some(limit), ..EntryQuery::default() };
        assert_eq!(pages(&store, &query).concat(), ["a", "a b", "Z", "a.b", "b", &last], "{limit}");
        assert_eq!(pages(&store, &query).len(), 6usize.div_ceil(limit as usize), "{limit}");
        let query = EntryQuery { limit: Some(limit), ..all.clone() };
        assert_eq!(pages(&store, &query).concat(), ["a/b.c", "a/b/1", "a/b/2", "a/c/d/ü"], "{limit}");
    }
    for wrong in [
        EntryQuery { limit: Some(0), ..EntryQuery::default() },
        EntryQuery { limit: Some(10_001), ..EntryQuery::default() },
        EntryQuery { cursor: Some("zz".into()), ..EntryQuery::default() },
        EntryQuery { cursor: Some("5b5d".into()), ..EntryQuery::default() },
    ] {
        assert_eq!(store.artifact_entries(&at(V0), &wrong).unwrap_err().kind(), ErrorKind::Invalid, "{wrong:?}");
    }
}

#[test]
fn a_hundred_thousand_files_are_committed_listed_and_removed() {
    const COUNT: usize = 100_000;
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    send(&store, "local", b"same");
    let path = |index: usize| format!("part {:03}/file {index:06}", index % 100).parse::<FilePath>().unwrap();
    let manifest: Manifest = (0..COUNT).map(|index| (path(index), stored(b"same"))).collect();
    send(&store, "local", &manifest.to_json_lines());
    let artifact =
        store.commit_artifact(&collection("local/digits/data"), &request(&manifest)).unwrap().artifact.unwrap();
    assert_eq!((artifact.file_count, artifact.size_bytes), (COUNT as u64, 4 * COUNT as u64));
    assert_eq!(read_manifest(&store, V0), manifest.to_json_lines());
    let top = list(&store, EntryQuery::default());
    assert_eq!((top.folders.len(), top.entries.len(), top.folders[7].file_count), (100, 0, 1000));
    let part = list(&store, in_folder("part 007"));
    assert_eq!((part.entries.len(), &*part.entries[1].path, part.next_cursor), (1000, "part 007/file 000107", None));
    store.delete_artifact(&at(V0), true).unwrap();
    store.remove_unused_artifacts().unwrap();
    let database = Connection::open(folder.path().join("steplog.sqlite")).unwrap();
    for table in ["manifests", "manifest_entries", "manifest_blobs", "manifest_folders"] {
        let count: i64 = database.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{table}");
    }
}

#[test]
fn a_difference_is_told_path_by_path() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let reference =
        |uri: &str, digest: &str| ManifestEntry::reference(uri.into(), digest.into(), None, Default::default());
    let commit_entries = |entries: Vec<(&str, ManifestEntry)>| {
        let manifest: Manifest = entries.into_iter().map(|(path, entry)| (path.parse().unwrap(), entry)).collect();
        send(&store, "local", &manifest.to_json_lines());
        store.commit_artifact(&collection("local/digits/data"), &request(&manifest)).unwrap().artifact.unwrap()
    };
    for text in ["1", "2"] {
        send(&store, "local", text.as_bytes());
    }
    commit_entries(vec![
        ("a", stored(b"1")),
        ("b", stored(b"1")),
        ("c", reference("s3://x/c", "1")),
        ("d", reference("s3://x/d", "1")),
        ("f", stored(b"1")),
        ("g", stored(b"1")),
    ]);
    commit_entries(vec![
        ("0", stored(b"1")),
        ("a", stored(b"1")),
        ("b", stored(b"2")),
        // Moved, and the same.
        ("c", reference("s3://y/c", "1")),
        ("d", reference("s3://x/d", "2")),
        ("e", stored(b"1")),
        ("g", reference("s3://x/g", "1")),
    ]);
    let v1 = at("local/digits/data:v1");
    let from = |text: &str| text.parse().unwrap();
    let whole = store.artifact_diff(&v1, &from("v0"), None, None).unwrap();
    let (added, removed, changed) = (DiffChange::Added, DiffChange::Removed, DiffChange::Changed);
    let expected = [("0", added), ("b", changed), ("d", changed), ("e", added), ("f", removed), ("g", changed)];
    let told: Vec<_> = whole.entries.iter().map(|entry| (&*entry.path, entry.change)).collect();
    assert_eq!(told, expected);
    let counts = |diff: &steplog_protocol::ArtifactDiff| {
        [diff.added_count, diff.removed_count, diff.changed_count, diff.unchanged_count]
    };
    assert_eq!(counts(&whole), [2, 1, 3, 2]);
    assert_eq!((&*whole.before.version, &*whole.after.version), ("v0", "v1"));
    let b = &whole.entries[1];
    let sha256 = |entry: &Option<steplog_protocol::ArtifactEntry>| entry.as_ref().unwrap().sha256.clone().unwrap();
    assert_eq!((sha256(&b.before), sha256(&b.after)), (hash(b"1").to_string(), hash(b"2").to_string()));
    for limit in 1..7 {
        let (mut cursor, mut paths) = (None::<String>, Vec::new());
        loop {
            let page = store.artifact_diff(&v1, &from("v0"), cursor.as_deref(), Some(limit)).unwrap();
            assert_eq!(counts(&page), [2, 1, 3, 2]);
            paths.extend(page.entries.into_iter().map(|entry| entry.path));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(paths, ["0", "b", "d", "e", "f", "g"], "{limit}");
    }
    let same = store.artifact_diff(&v1, &from("latest"), None, None).unwrap();
    assert_eq!((counts(&same), same.entries.len()), ([0, 0, 0, 7], 0));
    assert_eq!(store.artifact_diff(&v1, &from("v7"), None, None).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.artifact_diff(&v1, &from("v0"), Some("5b5d"), None).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn damaged_bytes_are_found_not_served_and_healed_by_an_upload() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let files = [("a", "one"), ("b", "two"), ("c/again", "two")];
    let manifest = upload(&store, "local", &files);
    let wanted = request(&manifest);
    store.commit_artifact(&collection("local/digits/data"), &wanted).unwrap();
    let verify = || store.verify_artifact(&at(V0)).unwrap();
    assert_eq!(verify(), ArtifactVerification { good_count: 3, damaged: vec![], reference_count: 0 });
    let place = store.artifact_file(&at(V0), &"b".parse().unwrap()).unwrap().1.unwrap();
    fs::write(place, b"twx").unwrap();
    let damaged = vec!["b".to_owned(), "c/again".into()];
    assert_eq!(verify(), ArtifactVerification { good_count: 1, damaged: damaged.clone(), reference_count: 0 });
    assert_eq!(verify(), ArtifactVerification { good_count: 1, damaged, reference_count: 0 });
    let error = store.artifact_file(&at(V0), &"b".parse().unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.is_lost()), (ErrorKind::Data, true));
    let findings: Vec<_> = store.verify(&mut |_, _| {}).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "artifact local/digits/data:v0, file \"b\": its bytes were damaged or lost; send the file again",
            "artifact local/digits/data:v0, file \"c/again\": its bytes were damaged or lost; send the file again",
        ]
    );
    // Whoever logs the same content again is asked for the bytes, and heals the version.
    let again = request(&manifest);
    let missing = store.commit_artifact(&collection("local/digits/data"), &again).unwrap().missing;
    assert_eq!(missing.iter().map(|blob| &blob.sha256).collect::<Vec<_>>(), [&hash(b"two").to_string()]);
    send(&store, "local", b"two");
    assert!(!store.commit_artifact(&collection("local/digits/data"), &again).unwrap().created);
    assert_eq!(verify(), ArtifactVerification { good_count: 3, damaged: vec![], reference_count: 0 });
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn damaged_rows_are_found() {
    type Damage = (&'static str, &'static str);
    let cases: [Damage; 5] = [
        (
            "DELETE FROM manifest_entries WHERE path = 'b'",
            "artifact local/digits/data:v0: 2 files of 6 bytes were committed, and 1 of 3 are there",
        ),
        (
            "UPDATE manifest_entries SET path = 'c' WHERE path = 'b'",
            "artifact local/digits/data:v0: its files are not those that were committed",
        ),
        (
            "UPDATE manifest_entries SET path = '../b' WHERE path = 'b'",
            "artifact local/digits/data:v0: its manifest is damaged: an entry of a manifest is damaged",
        ),
        (
            "DELETE FROM manifest_blobs WHERE sha256 = (SELECT sha256 FROM manifest_entries WHERE path = 'b')",
            "artifact local/digits/data:v0, file \"b\": its bytes are not held, and may be removed",
        ),
        (
            "UPDATE blob_holders SET removable_at = 1 WHERE sha256 = (SELECT sha256 FROM manifest_entries WHERE path = 'a')",
            "artifact local/digits/data:v0, file \"a\": its bytes are not held, and may be removed",
        ),
    ];
    for (sql, finding) in cases {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path());
        commit(&store, "local/digits/data", &[("a", "one"), ("b", "two")], |_| {});
        let database = Connection::open(folder.path().join("steplog.sqlite")).unwrap();
        assert!(database.execute(sql, ()).unwrap() > 0);
        let findings: Vec<_> = store.verify(&mut |_, _| {}).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(findings, [finding]);
    }
}
