//! Files of runs: naming, sharing of bytes, removal, and what every kind of crash leaves.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};
use steplog_model::{ContentHash, FilePath, RunPath};
use steplog_protocol::{BlobStatus, ErrorKind, FilePolicy, PutFileRequest, RunChange};
use steplog_store::{Part, Store, StoreOptions};
use support::{HandClock, Journal, open, quiet_options};
use tempfile::TempDir;

const DAY: f64 = 24.0 * 3600.0;

fn hash(bytes: &[u8]) -> ContentHash {
    ContentHash::from_bytes(Sha256::digest(bytes).into())
}

/// Bytes that are different for each seed.
fn bytes(seed: u8, count: usize) -> Vec<u8> {
    (0..count).map(|index| (index * 31 % 251) as u8 ^ seed).collect()
}

fn part(whole: &[u8], offset: usize, end: usize) -> Part {
    Part {
        entity: "local".parse().unwrap(),
        hash: hash(whole),
        size_bytes: whole.len() as u64,
        offset: offset as u64,
        bytes: whole[offset..end].to_vec(),
    }
}

fn request(whole: &[u8]) -> PutFileRequest {
    PutFileRequest {
        sha256: hash(whole).to_string(),
        size_bytes: whole.len() as u64,
        modified_at: Some(1.5),
        policy: Some(FilePolicy::Live),
    }
}

fn status(received_bytes: usize, complete: bool) -> BlobStatus {
    BlobStatus { received_bytes: received_bytes as u64, complete }
}

fn put(store: &Store, run: &RunPath, path: &str, whole: &[u8]) -> BlobStatus {
    store.put_file(run, &path.parse().unwrap(), &request(whole)).unwrap()
}

/// Puts a file as a client does.
fn upload(store: &Store, run: &RunPath, path: &str, whole: &[u8]) {
    if !put(store, run, path, whole).complete {
        assert_eq!(store.receive_part(&part(whole, 0, whole.len())).unwrap(), status(whole.len(), true));
        assert_eq!(put(store, run, path, whole), status(whole.len(), true));
    }
}

fn read(store: &Store, run: &RunPath, path: &str) -> Vec<u8> {
    fs::read(store.file(run, &path.parse().unwrap()).unwrap().1).unwrap()
}

fn paths(store: &Store, run: &RunPath) -> Vec<String> {
    store.files(run, "", None, None).unwrap().files.into_iter().map(|file| file.path).collect()
}

/// Every file below a folder of the store.
fn on_disk(folder: &TempDir, name: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().unwrap().is_dir() { walk(&entry.path(), found) } else { found.push(entry.path()) }
        }
    }
    let mut found = Vec::new();
    walk(&folder.path().join(name), &mut found);
    found.sort();
    found
}

fn run(store: &Store, path: &str) -> RunPath {
    let mut journal = Journal::new(path);
    journal.row(0, &[("loss", 1.0.into())]);
    journal.send(store);
    journal.path.clone()
}

#[test]
fn a_file_comes_in_parts_and_is_there_when_it_is_whole() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let a = run(&store, "local/digits/a");
    let changes = Arc::new(Mutex::new(Vec::<RunChange>::new()));
    let seen = changes.clone();
    store.subscribe(Box::new(move |change| seen.lock().unwrap().push(change.clone())));
    let whole = bytes(0, 1000);
    assert_eq!(put(&store, &a, "out/model.pt", &whole), status(0, false));
    assert_eq!(paths(&store, &a), Vec::<String>::new());
    assert_eq!(store.receive_part(&part(&whole, 0, 400)).unwrap(), status(400, false));
    // Again, further ahead, and with an overlap: only what is missing is taken.
    assert_eq!(store.receive_part(&part(&whole, 0, 400)).unwrap(), status(400, false));
    assert_eq!(store.receive_part(&part(&whole, 700, 1000)).unwrap(), status(400, false));
    assert_eq!(store.receive_part(&part(&whole, 300, 700)).unwrap(), status(700, false));
    assert_eq!(put(&store, &a, "out/model.pt", &whole), status(700, false));
    assert_eq!(changes.lock().unwrap().len(), 0);
    assert_eq!(store.receive_part(&part(&whole, 700, 1000)).unwrap(), status(1000, true));
    assert_eq!(store.receive_part(&part(&whole, 0, 1000)).unwrap(), status(1000, true));
    assert_eq!(paths(&store, &a), Vec::<String>::new());
    assert_eq!(put(&store, &a, "out/model.pt", &whole), status(1000, true));
    assert_eq!(read(&store, &a, "out/model.pt"), whole);
    let told: Vec<_> = changes.lock().unwrap().iter().map(|change| (change.path.clone(), change.files)).collect();
    assert_eq!(told, [("local/digits/a".to_owned(), true)]);
    let file = store.files(&a, "", None, None).unwrap().files.remove(0);
    assert_eq!(
        (&*file.path, file.size_bytes, file.sha256, &*file.media_type, file.policy, file.modified_at),
        (
            "out/model.pt",
            1000,
            Some(hash(&whole).to_string()),
            "application/octet-stream",
            Some(FilePolicy::Live),
            Some(1.5)
        )
    );
    // The empty file too.
    upload(&store, &a, "empty", b"");
    assert_eq!(read(&store, &a, "empty"), b"");
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn bytes_are_kept_once_and_go_with_their_last_name() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(1000.0));
    let store = Store::open(folder.path(), StoreOptions { clock: clock.clock(), ..quiet_options() }).unwrap();
    let (a, b) = (run(&store, "local/digits/a"), run(&store, "local/other/b"));
    let (one, two) = (bytes(1, 500), bytes(2, 500));
    upload(&store, &a, "model.pt", &one);
    // The second name needs no bytes.
    assert_eq!(put(&store, &b, "copy.pt", &one), status(500, true));
    assert_eq!(put(&store, &a, "again.pt", &one), status(500, true));
    assert_eq!(on_disk(&folder, "blobs").len(), 1);
    upload(&store, &a, "model.pt", &two);
    store.delete_file(&a, &"again.pt".parse().unwrap()).unwrap();
    store.remove_unused_files().unwrap();
    assert_eq!((read(&store, &a, "model.pt"), read(&store, &b, "copy.pt")), (two.clone(), one.clone()));
    assert_eq!(on_disk(&folder, "blobs").len(), 2);
    store.delete_run(&b).unwrap();
    store.remove_unused_files().unwrap();
    assert_eq!(on_disk(&folder, "blobs").len(), 1);
    assert_eq!(put(&store, &a, "back.pt", &one), status(0, false));
    assert_eq!(
        store.delete_file(&a, &"again.pt".parse().unwrap()).unwrap_err().to_string(),
        "run local/digits/a has no file again.pt"
    );
    // Bytes that never got a name have a day to get one.
    store.receive_part(&part(&one, 0, 500)).unwrap();
    clock.set(1000.0 + DAY - 1.0);
    store.remove_unused_files().unwrap();
    assert_eq!(on_disk(&folder, "blobs").len(), 2);
    clock.set(1000.0 + DAY);
    store.remove_unused_files().unwrap();
    assert_eq!(on_disk(&folder, "blobs").len(), 1);
    assert_eq!(on_disk(&folder, "uploads"), Vec::<PathBuf>::new());
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn bytes_with_another_hash_are_given_up_and_can_be_sent_again() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let a = run(&store, "local/digits/a");
    let whole = bytes(0, 1000);
    let mut changed = part(&whole, 0, 1000);
    changed.bytes[500] ^= 1;
    let error = store.receive_part(&changed).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::Invalid, format!("the bytes that were sent do not have the hash {}", hash(&whole)))
    );
    assert_eq!(put(&store, &a, "x", &whole), status(0, false));
    upload(&store, &a, "x", &whole);
    assert_eq!(read(&store, &a, "x"), whole);
}

#[test]
fn sizes_and_counts_have_limits() {
    let folder = TempDir::new().unwrap();
    let options = StoreOptions { max_file_bytes: 100, max_files: 2, ..quiet_options() };
    let store = Store::open(folder.path(), options).unwrap();
    let a = run(&store, "local/digits/a");
    let (large, small) = (bytes(0, 101), bytes(0, 100));
    let message = "a file of 101 bytes is larger than this server takes, which is 100 bytes";
    assert_eq!(store.receive_part(&part(&large, 0, 1)).unwrap_err().to_string(), message);
    assert_eq!(
        store.put_file(&a, &"large".parse().unwrap(), &request(&large)).unwrap_err().to_string(),
        "large has 101 bytes, more than this server takes, which is 100 bytes"
    );
    let beyond = Part { size_bytes: 50, ..part(&small, 0, 100) };
    assert_eq!(store.receive_part(&beyond).unwrap_err().to_string(), "a part that ends at byte 100 is not of 50 bytes");
    for path in ["1", "2", "2"] {
        upload(&store, &a, path, &small);
    }
    assert_eq!(
        store.put_file(&a, &"3".parse().unwrap(), &request(&small)).unwrap_err().to_string(),
        "the run has 2 files already, as many as this server takes"
    );
    let other_size = PutFileRequest { size_bytes: 99, ..request(&small) };
    assert_eq!(
        store.put_file(&a, &"1".parse().unwrap(), &other_size).unwrap_err().to_string(),
        "the bytes of 1 are 100, not 99"
    );
    let nobody: RunPath = "local/digits/nobody".parse().unwrap();
    assert_eq!(
        store.put_file(&nobody, &"1".parse().unwrap(), &request(&small)).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let full = StoreOptions { reserve_bytes: u64::MAX, ..quiet_options() };
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path(), full).unwrap();
    let error = store.receive_part(&part(&small, 0, 100)).unwrap_err();
    assert_eq!(
        (error.kind(), &*error.to_string()),
        (ErrorKind::Unavailable, "the server's disk is nearly full, so it takes no files")
    );
}

#[test]
fn a_list_is_paged_by_path() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let a = run(&store, "local/digits/a");
    let whole = bytes(0, 10);
    for path in ["b/2", "a", "b/1", "b/3", "c%_", "ü"] {
        upload(&store, &a, path, &whole);
    }
    let page = |prefix: &str, cursor: Option<&str>, limit| {
        let list = store.files(&a, prefix, cursor, Some(limit)).unwrap();
        (list.files.into_iter().map(|file| file.path).collect::<Vec<_>>(), list.next_cursor)
    };
    let page_of = |files: &[&str], next: Option<&str>| {
        (files.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>(), next.map(str::to_owned))
    };
    assert_eq!(page("", None, 4), page_of(&["a", "b/1", "b/2", "b/3"], Some("b/3")));
    assert_eq!(page("", Some("b/3"), 4), page_of(&["c%_", "ü"], None));
    assert_eq!(page("b/", None, 2), page_of(&["b/1", "b/2"], Some("b/2")));
    assert_eq!(page("b/", Some("b/2"), 2), page_of(&["b/3"], None));
    assert_eq!(page("c%", None, 2), page_of(&["c%_"], None));
    assert_eq!(page("%", None, 2), page_of(&[], None));
    assert!(store.files(&a, "", None, Some(0)).is_err());
}

/// Where a kill of the server can hit, and what is then on its disk.
#[test]
fn whatever_a_kill_leaves_a_file_is_whole_or_absent_and_the_upload_goes_on() {
    let whole = bytes(3, 3000);
    type Damage = fn(&TempDir);
    let cases: [(&str, usize, Damage, BlobStatus); 5] = [
        ("after a part", 1000, |_| {}, status(1000, false)),
        // A part was written to some byte of it when the process was killed.
        (
            "within a part",
            1000,
            |folder| {
                let upload = &on_disk(folder, "uploads")[0];
                fs::File::options().write(true).open(upload).unwrap().set_len(777).unwrap();
            },
            status(777, false),
        ),
        ("before the bytes have their place", 3000, unplace, status(3000, false)),
        ("before they have a name", 3000, |_| {}, status(3000, true)),
        // A power cut took what was not on the disk yet.
        (
            "with zeros",
            2000,
            |folder| {
                let upload = &on_disk(folder, "uploads")[0];
                let file = fs::File::options().write(true).open(upload).unwrap();
                file.set_len(500).unwrap();
                file.set_len(2000).unwrap();
            },
            status(2000, false),
        ),
    ];
    for (case, sent, damage, expected) in cases {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path());
        let a = run(&store, "local/digits/a");
        upload(&store, &a, "x", b"as it was");
        store.receive_part(&part(&whole, 0, sent)).unwrap();
        store.abandon();
        drop(store);
        damage(&folder);
        let store = open(folder.path());
        assert_eq!(read(&store, &a, "x"), b"as it was", "{case}");
        assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![], "{case}");
        let local = "local".parse().unwrap();
        assert_eq!(store.blob_status(&local, hash(&whole)).unwrap(), expected, "{case}");
        // The client goes on from where it is told.
        let from = expected.received_bytes as usize;
        let finished = store.receive_part(&part(&whole, from, 3000));
        if case == "with zeros" {
            assert!(finished.unwrap_err().to_string().starts_with("the bytes that were sent do not have the hash"));
            upload(&store, &a, "x", &whole);
        } else {
            assert_eq!(finished.unwrap(), status(3000, true), "{case}");
        }
        assert_eq!(put(&store, &a, "x", &whole), status(3000, true), "{case}");
        assert_eq!(read(&store, &a, "x"), whole, "{case}");
        store.remove_unused_files().unwrap();
        assert_eq!(on_disk(&folder, "blobs").len(), 1, "{case}");
        assert_eq!(on_disk(&folder, "uploads"), Vec::<PathBuf>::new(), "{case}");
    }
}

/// As a kill between the commit of the row and the move of the bytes.
fn unplace(folder: &TempDir) {
    let name = hash(&bytes(3, 3000)).to_string();
    let uploads = folder.path().join("uploads/local");
    fs::rename(folder.path().join("blobs").join(&name[..2]).join(&name), uploads.join(name)).unwrap();
}

#[test]
fn a_kill_while_bytes_are_removed_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let a = run(&store, "local/digits/a");
    upload(&store, &a, "x", b"one");
    upload(&store, &a, "x", b"two");
    store.abandon();
    drop(store);
    // The bytes were moved away, the row was not removed yet.
    let name = hash(b"one").to_string();
    let blob = folder.path().join("blobs").join(&name[..2]).join(&name);
    fs::rename(&blob, folder.path().join("uploads").join(format!("{name}-0.trash"))).unwrap();
    let store = open(folder.path());
    assert_eq!(on_disk(&folder, "uploads"), Vec::<PathBuf>::new());
    assert_eq!(put(&store, &a, "y", b"one"), status(0, false));
    store.remove_unused_files().unwrap();
    assert_eq!((paths(&store, &a), read(&store, &a, "x")), (vec!["x".to_owned()], b"two".to_vec()));
    upload(&store, &a, "y", b"one");
    assert_eq!(read(&store, &a, "y"), b"one");
    assert_eq!(on_disk(&folder, "blobs").len(), 2);
}

#[test]
fn damaged_bytes_are_found() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let a = run(&store, "local/digits/a");
    upload(&store, &a, "x", b"good");
    let place = store.file(&a, &"x".parse::<FilePath>().unwrap()).unwrap().1;
    fs::write(&place, b"baad").unwrap();
    let findings: Vec<_> = store.verify(&mut |_, _| {}).unwrap().iter().map(ToString::to_string).collect();
    let (good, bad) = (hash(b"good"), hash(b"baad"));
    assert_eq!(findings, [format!("run local/digits/a, file \"x\": its hash should be {good}, and is {bad}")]);
}
