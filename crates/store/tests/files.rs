//! Files of runs: naming, sharing of bytes, removal, and what every kind of crash leaves.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};
use steplog_model::{ContentHash, Entity, FilePath, RunPath};
use steplog_protocol::{BlobStatus, ErrorKind, FilePolicy, MissingBlob, PutFileRequest, RunChange};
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

#[cfg(unix)]
#[test]
fn a_large_file_goes_to_the_disk_part_by_part_and_keeps_its_holes() {
    use std::os::unix::fs::MetadataExt as _;

    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let a = run(&store, "local/digits/a");
    let mut whole = vec![0; 80 << 20];
    for begin in [0, 30 << 20, (80 << 20) - 1000] {
        whole[begin..begin + 1000].copy_from_slice(&bytes(1, 1000));
    }
    assert_eq!(put(&store, &a, "model.pt", &whole), status(0, false));
    // The parts begin and end within holes.
    let ends: Vec<usize> = (0..whole.len()).step_by(7 << 20).chain([whole.len()]).collect();
    for ends in ends.windows(2) {
        let is_last = ends[1] == whole.len();
        assert_eq!(store.receive_part(&part(&whole, ends[0], ends[1])).unwrap(), status(ends[1], is_last));
    }
    assert_eq!(put(&store, &a, "model.pt", &whole), status(whole.len(), true));
    let (_, place) = store.file(&a, &"model.pt".parse().unwrap()).unwrap();
    assert!(fs::read(&place).unwrap() == whole);
    assert!(fs::metadata(&place).unwrap().blocks() * 512 <= 4 << 20);
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
fn bytes_are_there_only_for_those_who_sent_all_of_them() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(1000.0));
    let store = Store::open(folder.path(), StoreOptions { clock: clock.clock(), ..quiet_options() }).unwrap();
    let (a, b) = (run(&store, "ada/digits/a"), run(&store, "eve/digits/b"));
    let (ada, eve) = (a.entity.clone(), b.entity.clone());
    let (secret, other) = (bytes(1, 500), bytes(2, 10));
    let missing = |entity, received_bytes| {
        let missing = vec![MissingBlob { sha256: hash(&secret).to_string(), received_bytes }];
        assert_eq!(store.missing_blobs(entity, &[hash(&secret)]).unwrap(), missing);
    };
    missing(&ada, 0);
    store.receive_part(&Part { entity: a.entity.clone(), ..part(&secret, 0, 500) }).unwrap();
    assert_eq!(put(&store, &a, "x", &secret), status(500, true));
    // Who knows the hash gets nothing for it, and all looks as if nobody had ever sent the bytes.
    assert_eq!(store.blob_status(&eve, hash(&secret)).unwrap(), status(0, false));
    missing(&eve, 0);
    assert_eq!(put(&store, &b, "y", &secret), status(0, false));
    let of_eve = |whole: &[u8], offset, end| Part { entity: "eve".parse().unwrap(), ..part(whole, offset, end) };
    assert_eq!(store.receive_part(&of_eve(&secret, 0, 499)).unwrap(), status(499, false));
    assert_eq!(put(&store, &b, "y", &secret), status(499, false));
    missing(&eve, 499);
    let mut guess = of_eve(&secret, 499, 500);
    guess.bytes[0] ^= 1;
    assert_eq!(store.receive_part(&guess).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(put(&store, &b, "y", &secret), status(0, false));
    // Who sends them has them, and they are kept once.
    assert_eq!(store.receive_part(&of_eve(&secret, 0, 500)).unwrap(), status(500, true));
    assert_eq!(put(&store, &b, "y", &secret), status(500, true));
    assert_eq!((on_disk(&folder, "blobs").len(), on_disk(&folder, "uploads").len()), (1, 0));
    assert_eq!(store.missing_blobs(&eve, &[hash(&secret), hash(&other)]).unwrap().len(), 1);
    // Whose last name goes has them no more; who has another keeps them.
    store.delete_file(&a, &"x".parse().unwrap()).unwrap();
    store.remove_unused_files().unwrap();
    assert_eq!(put(&store, &a, "x", &secret), status(0, false));
    assert_eq!(read(&store, &b, "y"), secret);
    store.delete_run(&b).unwrap();
    store.remove_unused_files().unwrap();
    assert_eq!(on_disk(&folder, "blobs"), Vec::<PathBuf>::new());
    // Bytes without a name are there for a day, counted anew whenever they come.
    store.receive_pack(&eve, &pack(&[&other])).unwrap();
    clock.set(1000.0 + DAY - 1.0);
    store.receive_pack(&eve, &pack(&[&other])).unwrap();
    clock.set(1000.0 + DAY);
    store.remove_unused_files().unwrap();
    assert_eq!(store.missing_blobs(&eve, &[hash(&other)]).unwrap(), vec![]);
    clock.set(1000.0 + 2.0 * DAY);
    store.remove_unused_files().unwrap();
    assert_eq!(on_disk(&folder, "blobs"), Vec::<PathBuf>::new());
}

/// Blobs as they travel in one request.
fn pack(blobs: &[&[u8]]) -> Vec<u8> {
    let mut pack = Vec::new();
    for bytes in blobs {
        pack.extend(hash(bytes).as_bytes());
        pack.extend((bytes.len() as u32).to_le_bytes());
        pack.extend(*bytes);
    }
    pack
}

#[test]
fn a_pack_comes_in_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let a = run(&store, "local/digits/a");
    let local = "local".parse().unwrap();
    let many: Vec<Vec<u8>> = (0..600u32).map(|number| number.to_le_bytes().repeat(number as usize % 50)).collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    let mut lie = pack(&many);
    *lie.last_mut().unwrap() ^= 1;
    let last = hash(many[599]);
    assert_eq!(
        store.receive_pack(&local, &lie).unwrap_err().to_string(),
        format!("the bytes that were sent do not have the hash {last}")
    );
    assert_eq!(
        store.receive_pack(&local, &lie[..50]).unwrap_err().to_string(),
        "the pack is cut off in the blob that begins at byte 36"
    );
    assert_eq!((on_disk(&folder, "blobs"), on_disk(&folder, "packs")), (vec![], vec![]));
    // Twelve of them are empty: the same.
    assert_eq!(store.receive_pack(&local, &pack(&many)).unwrap().count, 589);
    assert_eq!((on_disk(&folder, "blobs").len(), on_disk(&folder, "packs").len()), (589, 0));
    assert_eq!(store.missing_blobs(&local, &many.iter().map(|bytes| hash(bytes)).collect::<Vec<_>>()).unwrap(), vec![]);
    for number in [0, 1, 599] {
        let path = format!("files/{number}");
        assert_eq!(put(&store, &a, &path, many[number]), status(many[number].len(), true));
        assert_eq!(read(&store, &a, &path), many[number]);
    }
    assert_eq!(store.receive_pack(&local, &pack(&[])).unwrap().count, 0);
    let too_many = vec![hash(b""); 10_001];
    assert_eq!(
        store.missing_blobs(&local, &too_many).unwrap_err().to_string(),
        "10001 hashes are more than 10000 at once"
    );
    let full = StoreOptions { reserve_bytes: u64::MAX, ..quiet_options() };
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path(), full).unwrap();
    assert_eq!(store.receive_pack(&local, &pack(&[b"x"])).unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn whatever_a_kill_leaves_of_a_pack_each_blob_is_whole_or_missing() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let a = run(&store, "local/digits/a");
    let local: Entity = "local".parse().unwrap();
    let place = |hash: ContentHash| folder.path().join("blobs").join(&hash.to_string()[..2]).join(hash.to_string());
    store.receive_pack(&local, &pack(&[b"one", b"two"])).unwrap();
    store.abandon();
    drop(store);
    // Both were noted, and only one had come to its place; others were being written.
    let on_its_way = folder.path().join("packs").join(&hash(b"two").to_string()[..2]);
    fs::rename(place(hash(b"two")), on_its_way.join("0")).unwrap();
    fs::write(on_its_way.join("7"), b"half of").unwrap();
    let store = open(folder.path());
    assert_eq!(on_disk(&folder, "packs"), Vec::<PathBuf>::new());
    let missing: Vec<_> = store
        .missing_blobs(&local, &[hash(b"one"), hash(b"two"), hash(b"half of it")])
        .unwrap()
        .into_iter()
        .map(|blob| blob.sha256)
        .collect();
    assert_eq!(missing, [hash(b"two").to_string(), hash(b"half of it").to_string()]);
    assert_eq!(put(&store, &a, "x", b"two"), status(0, false));
    store.receive_pack(&local, &pack(&[b"two", b"half of it"])).unwrap();
    for (path, bytes) in [("1", &b"one"[..]), ("2", b"two"), ("3", b"half of it")] {
        assert_eq!(put(&store, &a, path, bytes), status(bytes.len(), true));
        assert_eq!(read(&store, &a, path), bytes);
    }
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

/// Many threads send and name the same bytes while others remove what has no name.
#[test]
fn bytes_that_are_named_are_never_removed() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let runs = ["ada/digits/a", "eve/digits/b"].map(|path| run(&store, path));
    std::thread::scope(|scope| {
        for a in &runs {
            let store = &store;
            scope.spawn(move || {
                for round in 0..60 {
                    let whole = [b'x', round % 3];
                    let path: FilePath = "x".parse().unwrap();
                    // The answer that they are missing comes whenever the last name was just removed.
                    while !store.put_file(a, &path, &request(&whole)).unwrap().complete {
                        match round % 2 {
                            0 => drop(store.receive_pack(&a.entity, &pack(&[&whole])).unwrap()),
                            _ => drop(
                                store.receive_part(&Part { entity: a.entity.clone(), ..part(&whole, 0, 2) }).unwrap(),
                            ),
                        }
                    }
                    assert_eq!(fs::read(store.file(a, &path).unwrap().1).unwrap(), whole);
                    if round % 4 == 0 {
                        store.delete_file(a, &path).unwrap();
                    }
                }
            });
        }
        scope.spawn(|| (0..200).for_each(|_| store.remove_unused_files().unwrap()));
    });
    store.remove_unused_files().unwrap();
    assert_eq!(on_disk(&folder, "blobs").len(), 1);
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
fn damaged_bytes_are_found_set_aside_and_come_back() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let (a, b) = (run(&store, "local/digits/a"), run(&store, "ada/digits/b"));
    upload(&store, &a, "x", b"good");
    store.receive_part(&Part { entity: "ada".parse().unwrap(), ..part(b"good", 0, 4) }).unwrap();
    assert_eq!(put(&store, &b, "y", b"good"), status(4, true));
    let place = store.file(&a, &"x".parse::<FilePath>().unwrap()).unwrap().1;
    fs::write(&place, b"baad").unwrap();
    let findings = || store.verify(&mut |_, _| {}).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
    let (good, bad) = (hash(b"good"), hash(b"baad"));
    let lost = "its bytes were damaged or lost; send the file again";
    let first = format!("run local/digits/a, file \"x\": its hash should be {good}, and is {bad}: it was set aside");
    assert_eq!(findings(), [first, format!("run ada/digits/b, file \"y\": {lost}")]);
    assert_eq!(
        findings(),
        [format!("run local/digits/a, file \"x\": {lost}"), format!("run ada/digits/b, file \"y\": {lost}")]
    );
    assert_eq!(on_disk(&folder, "damaged"), [folder.path().join("damaged").join(good.to_string())]);
    // Nobody gets them, and for everybody they are missing.
    let error = store.file(&a, &"x".parse().unwrap()).unwrap_err();
    assert_eq!(
        (error.kind(), error.is_lost(), error.to_string()),
        (ErrorKind::Data, true, "the bytes of x were damaged on the server's disk and are not to be had".into())
    );
    for entity in ["local", "ada"] {
        let missing = store.missing_blobs(&entity.parse().unwrap(), &[good]).unwrap();
        assert_eq!(missing, [MissingBlob { sha256: good.to_string(), received_bytes: 0 }]);
    }
    assert_eq!(put(&store, &a, "x", b"good"), status(0, false));
    // One of those who have them sends them again, and all have them back.
    upload(&store, &b, "y", b"good");
    assert_eq!((read(&store, &a, "x"), read(&store, &b, "y")), (b"good".to_vec(), b"good".to_vec()));
    assert_eq!((findings(), on_disk(&folder, "damaged")), (vec![], vec![]));
    // Damage that nobody needs healed goes with the names.
    fs::write(&place, b"baad").unwrap();
    assert_eq!(findings().len(), 2);
    store.delete_run(&a).unwrap();
    store.delete_run(&b).unwrap();
    store.remove_unused_files().unwrap();
    assert_eq!((on_disk(&folder, "damaged"), on_disk(&folder, "blobs")), (vec![], vec![]));
}
