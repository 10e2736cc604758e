use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Map, json};
use sha2::{Digest as _, Sha256};
use steplog_model::{ContentHash, Manifest, ManifestEntry, Md5};
use tempfile::TempDir;

use super::*;
use crate::api::{ApiSettings, Connection};
use crate::artifact::committed::{Committed, Origin};
use crate::artifact::test_server::{Answer, Asked, Server};
use crate::artifact::{ArtifactInfo, LocalStore};
use crate::settings::Settings;
use crate::source::Sources;

const VERSION: &str = "/api/v1/artifacts/ada/digits/data/versions/v3";

fn hash(bytes: &[u8]) -> ContentHash {
    ContentHash::from_bytes(Sha256::digest(bytes).into())
}

fn stored(bytes: &[u8]) -> ManifestEntry {
    ManifestEntry::stored(bytes.len() as u64, Md5::of(bytes), hash(bytes))
}

type Files = BTreeMap<String, Vec<u8>>;

fn files(pairs: &[(&str, &[u8])]) -> Files {
    pairs.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect()
}

fn manifest(files: &Files) -> Manifest {
    files.iter().map(|(path, bytes)| (path.parse().unwrap(), stored(bytes))).collect()
}

fn info(manifest: &Manifest) -> ArtifactInfo {
    let place = json!({ "entity": "ada", "project": "digits", "collection": "data", "version": "v3" });
    let mut info = json!({
        "id": "00000000000000000000000000000000", "source": place, "type": "dataset",
        "digest": manifest.digest().to_string(), "aliases": [], "tags": [], "description": null, "metadata": {},
        "ttl_seconds": null, "file_count": manifest.len(), "size_bytes": manifest.size_bytes(), "logged_by": null,
        "step": null, "use_count": 0, "created_at": 0.0, "updated_at": 0.0,
    });
    info.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
    serde_json::from_value(info).unwrap()
}

/// A version on a server, a cache, and a folder for its files.
struct Place {
    folder: TempDir,
    server: Server,
    artifact: Artifact,
}

impl Place {
    fn new(files: Files) -> Self {
        Self::with(files, |_, answer| answer)
    }

    /// With a server that does something to its answers.
    fn with(files: Files, change: impl Fn(&Asked, Answer) -> Answer + Send + Sync + 'static) -> Self {
        let manifest = manifest(&files);
        Self::with_manifest(manifest, files, change)
    }

    fn with_manifest(
        manifest: Manifest,
        files: Files,
        change: impl Fn(&Asked, Answer) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let lines = manifest.to_json_lines();
        let server = Server::start(move |asked| {
            let path = percent_encoding::percent_decode_str(&asked.path).decode_utf8().unwrap();
            let answer = match path.strip_prefix(VERSION) {
                Some("/manifest") => Answer::new(200, lines.clone()),
                Some(path) => match path.strip_prefix("/files/").and_then(|path| files.get(path)) {
                    Some(bytes) => {
                        let tag = format!("\"{}\"", hash(bytes));
                        Answer::new(200, bytes.clone()).header("etag", tag).ranged(asked)
                    }
                    None => Answer::new(404, r#"{"error":{"kind":"not_found","message":"no file"}}"#),
                },
                None => panic!("nobody asks for {path}"),
            };
            change(asked, answer)
        });
        let settings = ApiSettings { base_url: Some(server.url.clone()), ..ApiSettings::default() };
        let client = Settings { base_url: settings.base_url.clone(), ..Settings::default() };
        let sources = Sources::default();
        let connection = Connection::new(client.resolve(&sources).unwrap(), settings, &sources);
        let committed = Committed { info: info(&manifest), origin: Origin::Server(Arc::new(connection)) };
        let artifact = Artifact::from_committed(committed).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), server, artifact }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn cache(&self) -> Cache {
        Cache::at(&self.folder.path().join("cache"), 1 << 30)
    }

    fn download(&self, options: &DownloadOptions) -> Result<DownloadReport, Error> {
        let options = DownloadOptions { root: Some(self.root()), ..options.clone() };
        let prefix = options.path_prefix.as_deref().unwrap_or_default();
        let cache = Some(self.cache()).filter(|_| !options.skip_cache);
        self.artifact.download_some(&options, cache, &|path| path.as_str().starts_with(prefix), &mut |_| true)
    }

    fn download_all(&self) -> DownloadReport {
        self.download(&DownloadOptions::default()).unwrap()
    }

    fn asked_files(&self) -> usize {
        self.server.lines().iter().filter(|line| line.contains("/files/")).count()
    }
}

/// All files below a folder.
fn read(root: &Path) -> Files {
    fn walk(folder: &Path, root: &Path, found: &mut Files) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => walk(&entry.path(), root, found),
                _ => {
                    let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    found.insert(path, fs::read(entry.path()).unwrap());
                }
            }
        }
    }
    let mut found = Files::new();
    walk(root, root, &mut found);
    found
}

fn noise(bytes: usize) -> Vec<u8> {
    (0..bytes as u64).map(|index| (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

fn three() -> Files {
    files(&[("a.txt", b"first"), ("b/c d/ü.bin", b"second"), ("empty", b"")])
}

fn report(place: &Place, kept: u64, fetched: u64) -> DownloadReport {
    DownloadReport {
        root: place.root(),
        file_count: 3,
        kept_count: kept,
        fetched_bytes: fetched,
        missing_references: Vec::new(),
    }
}

#[test]
fn files_come_once_and_then_from_the_cache() {
    let place = Place::new(three());
    assert_eq!(place.download_all(), report(&place, 0, 11));
    assert_eq!(read(&place.root()), three());
    assert_eq!(place.download_all(), report(&place, 3, 0));
    fs::remove_dir_all(place.root()).unwrap();
    assert_eq!(place.download_all(), report(&place, 0, 0));
    assert_eq!((read(&place.root()), place.asked_files()), (three(), 2));
    let found = fs::metadata(place.root().join("a.txt")).unwrap();
    // Shared with the cache, or a clone.
    assert!(found.nlink() == 1 || found.permissions().mode() & 0o222 == 0);
    // Nothing half.
    assert_eq!(place.cache().summary().partial_count, 0);
}

#[test]
fn past_the_cache_files_are_ones_own() {
    let place = Place::new(three());
    place.download_all();
    let options = DownloadOptions { skip_cache: true, ..DownloadOptions::default() };
    place.download(&options).unwrap();
    for path in ["a.txt", "b/c d/ü.bin"] {
        let found = fs::metadata(place.root().join(path)).unwrap();
        assert_eq!((found.nlink(), found.permissions().mode() & 0o200), (1, 0o200));
    }
    fs::write(place.root().join("a.txt"), "mine").unwrap();
    fs::remove_dir_all(place.root()).unwrap();
    place.download_all();
    assert_eq!(read(&place.root()), three());
}

#[test]
fn what_is_wrong_is_replaced_and_what_is_extra_stays() {
    let place = Place::new(three());
    fs::create_dir_all(place.root().join("b")).unwrap();
    fs::write(place.root().join("a.txt"), "FIRST").unwrap();
    fs::write(place.root().join("b/extra"), "extra").unwrap();
    assert_eq!(place.download_all(), report(&place, 0, 11));
    let mut expected = three();
    expected.insert("b/extra".into(), b"extra".to_vec());
    assert_eq!(read(&place.root()), expected);
}

#[test]
fn a_prefix_names_some_of_them() {
    let place = Place::new(three());
    let options = DownloadOptions { path_prefix: Some("b/".into()), ..DownloadOptions::default() };
    assert_eq!(place.download(&options).unwrap().file_count, 1);
    assert_eq!(read(&place.root()).into_keys().collect::<Vec<_>>(), ["b/c d/ü.bin"]);
    let error = place.artifact.download_file(&"none".parse().unwrap(), &options).unwrap_err();
    let message = "artifact data:v3 has no file \"none\"";
    assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::NotFound, message));
}

#[test]
fn a_large_file_comes_in_ranges_and_cut_connections_do_not_matter() {
    let whole = noise(70_000_001);
    let count = AtomicUsize::new(0);
    let place = Place::with(files(&[("large", &whole)]), move |asked, answer| {
        match asked.path.ends_with("/large") && count.fetch_add(1, Ordering::Relaxed) % 3 == 0 {
            true => answer.cut_after(1_000_000),
            false => answer,
        }
    });
    place.download_all();
    assert!(read(&place.root())["large"] == whole);
    let ranges: Vec<_> =
        place.server.asked().into_iter().filter_map(|asked| asked.headers.get("range").cloned()).collect();
    // Nine ranges, and what went on where a third of the answers broke off.
    assert!(ranges.len() >= 9 + 3, "{ranges:?}");
}

#[test]
fn what_came_before_a_cut_is_not_asked_for_again() {
    let whole = noise(1_000_000);
    for skip_cache in [false, true] {
        let gone = Arc::new(AtomicUsize::new(1));
        let is_gone = gone.clone();
        let place = Place::with(files(&[("file", &whole)]), move |asked, answer| match asked.path.ends_with("/file") {
            true if is_gone.load(Ordering::Relaxed) == 0 => answer,
            true if asked.headers.contains_key("range") => {
                Answer::new(404, r#"{"error":{"kind":"not_found","message":"gone"}}"#)
            }
            true => answer.cut_after(600_000),
            false => answer,
        });
        let options = DownloadOptions { skip_cache, ..DownloadOptions::default() };
        assert_eq!(place.download(&options).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(!place.root().join("file").exists());
        gone.store(0, Ordering::Relaxed);
        let report = place.download(&options).unwrap();
        assert_eq!((report.fetched_bytes, read(&place.root())), (400_000, files(&[("file", &whole)])));
    }
}

#[test]
fn wrong_bytes_get_no_name() {
    for skip_cache in [false, true] {
        let place = Place::with(three(), |asked, answer| match asked.path.ends_with("/a.txt") {
            true => Answer::new(200, "wrong"),
            false => answer,
        });
        let options = DownloadOptions { skip_cache, path_prefix: Some("a".into()), ..DownloadOptions::default() };
        let error = place.download(&options).unwrap_err();
        let message = format!("file \"a.txt\" did not come as it was logged from {}", place.server.url);
        assert_eq!((error.kind(), error.to_string().lines().next()), (ErrorKind::Data, Some(&*message)));
        assert!(!place.root().join("a.txt").exists());
    }
}

#[test]
fn what_was_left_by_others_is_begun_anew() {
    let whole = noise(5000);
    let place = Place::new(files(&[("file", &whole)]));
    let partial = place.folder.path().join("cache/artifacts/partial");
    fs::create_dir_all(&partial).unwrap();
    fs::write(partial.join(hash(&whole).to_string()), "something else").unwrap();
    place.download_all();
    assert_eq!(read(&place.root()), files(&[("file", &whole)]));
}

#[test]
fn a_planted_link_leads_nowhere() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("victim"), "as it was").unwrap();
    let place = Place::new(three());
    fs::create_dir_all(place.root()).unwrap();
    symlink(outside.path(), place.root().join("b")).unwrap();
    symlink(outside.path().join("victim"), place.root().join("a.txt")).unwrap();
    let error = place.download(&DownloadOptions::default()).unwrap_err();
    let message =
        format!("cannot write into {}: it is a link or a file, not a folder", place.root().join("b/c d").display());
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Io, message));
    fs::remove_file(place.root().join("b")).unwrap();
    place.download_all();
    assert_eq!(read(&place.root()), three());
    assert!(fs::symlink_metadata(place.root().join("a.txt")).unwrap().is_file());
    assert_eq!(read(outside.path()), files(&[("victim", b"as it was")]));
}

#[test]
fn a_folder_in_the_way_is_named() {
    let place = Place::new(three());
    fs::create_dir_all(place.root().join("a.txt")).unwrap();
    let error = place.download(&DownloadOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IsADirectory);
    assert!(error.to_string().starts_with(&*place.root().join("a.txt").to_string_lossy()), "{error}");
}

#[test]
fn references_are_fetched_and_looked_at() {
    let place = tempfile::tempdir().unwrap();
    let source = place.path().join("source");
    fs::write(&source, "there").unwrap();
    let uri = format!("file://{}", source.display());
    let reference =
        |uri: &str| ManifestEntry::reference(uri.into(), Md5::of(b"there").to_string(), Some(5), Map::new());
    let manifest = Manifest::from_iter([
        ("good".parse().unwrap(), reference(&uri)),
        ("gone".parse().unwrap(), reference("file:///nowhere/at/all")),
    ]);
    let place = Place::with_manifest(manifest, Files::new(), |_, answer| answer);
    assert_eq!(place.download(&DownloadOptions::default()).unwrap_err().kind(), ErrorKind::NotFound);
    let options = DownloadOptions { allow_missing_references: true, ..DownloadOptions::default() };
    let report = place.download(&options).unwrap();
    assert_eq!((report.file_count, report.missing_references), (1, vec!["gone".parse().unwrap()]));
    assert_eq!(read(&place.root()), files(&[("good", b"there")]));
    fs::write(&source, "other").unwrap();
    let error = place.download(&options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert_eq!(read(&place.root()), files(&[("good", b"there")]));
}

#[test]
fn whoever_watches_may_stop_it() {
    let place = Place::with(three(), |asked, answer| match asked.path.ends_with("/a.txt") {
        true => answer.cut_after(1),
        false => answer,
    });
    let options = DownloadOptions { root: Some(place.root()), ..DownloadOptions::default() };
    let error = place.artifact.download_some(&options, Some(place.cache()), &|_| true, &mut |progress| {
        assert_eq!((progress.total_files, progress.total_bytes), (3, 11));
        false
    });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn a_version_of_this_disk_needs_no_server() {
    let home = tempfile::tempdir().unwrap();
    let store = LocalStore::below(home.path());
    let manifest = manifest(&three());
    for bytes in three().values() {
        let blob = store.blob(hash(bytes));
        fs::create_dir_all(blob.parent().unwrap()).unwrap();
        fs::write(blob, bytes).unwrap();
    }
    let saved = store.save_manifest(&manifest, &[]).unwrap();
    let committed = Committed { info: info(&manifest), origin: Origin::Local(store.clone(), saved) };
    let artifact = Artifact::from_committed(committed).unwrap();
    let cache = || Some(Cache::at(&home.path().join("cache"), 1000));
    let download = |root: &str, skip_cache| {
        let options = DownloadOptions { root: Some(home.path().join(root)), skip_cache, ..DownloadOptions::default() };
        artifact.download_some(&options, cache().filter(|_| !skip_cache), &|_| true, &mut |_| true)
    };
    assert_eq!(download("first", false).unwrap().fetched_bytes, 0);
    download("second", true).unwrap();
    for root in ["first", "second"] {
        assert_eq!(read(&home.path().join(root)), three());
    }
    fs::write(home.path().join("second/a.txt"), "mine").unwrap();
    assert_eq!(fs::read(store.blob(hash(b"first"))).unwrap(), b"first");
    fs::remove_file(store.blob(hash(b"first"))).unwrap();
    let error = download("third", false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().starts_with("the bytes of \"a.txt\" of artifact data:v3 are not on this disk any more\n")
    );
}

#[test]
fn a_folder_is_compared_and_made_the_version() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("victim"), "as it was").unwrap();
    let place = Place::new(three());
    place.download_all();
    let root = place.root();
    let verify = || place.artifact.verify(&root).unwrap();
    assert_eq!(verify(), FolderVerification { good_count: 3, ..FolderVerification::default() });
    fs::remove_file(root.join("a.txt")).unwrap();
    symlink(outside.path().join("victim"), root.join("a.txt")).unwrap();
    fs::remove_file(root.join("b/c d/ü.bin")).unwrap();
    symlink(outside.path(), root.join("link")).unwrap();
    fs::create_dir(root.join("b/new")).unwrap();
    fs::write(root.join("b/new/x"), "x").unwrap();
    let expected = FolderVerification {
        good_count: 1,
        missing: vec!["b/c d/ü.bin".parse().unwrap()],
        changed: vec!["a.txt".parse().unwrap()],
        unexpected: vec!["b/new/x".into(), "link".into()],
        reference_count: 0,
    };
    assert_eq!((verify(), verify().is_good()), (expected, false));
    fs::remove_file(root.join("empty")).unwrap();
    fs::create_dir_all(root.join("empty/deep")).unwrap();
    place.artifact.checkout_in(&root, Some(place.cache()), &mut |_| true).unwrap();
    assert_eq!((read(&root), verify().is_good()), (three(), true));
    assert!(verify().unexpected.is_empty() && !root.join("b/new").exists());
    assert_eq!(read(outside.path()), files(&[("victim", b"as it was")]));
}

#[test]
fn two_at_once_fetch_each_file_once() {
    let all: Files = (0..50).map(|index| (format!("f{index}"), noise(1000 + index))).collect();
    let place = Place::new(all.clone());
    let reports = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for root in ["one", "two"] {
            let (place, reports) = (&place, &reports);
            scope.spawn(move || {
                let root = Some(place.folder.path().join(root));
                let options = DownloadOptions { root, ..DownloadOptions::default() };
                let done = place.artifact.download_some(&options, Some(place.cache()), &|_| true, &mut |_| true);
                reports.lock().unwrap().push(done.unwrap().fetched_bytes);
            });
        }
    });
    assert_eq!(place.asked_files(), 50);
    assert_eq!(
        reports.into_inner().unwrap().iter().sum::<u64>(),
        all.values().map(|bytes| bytes.len() as u64).sum::<u64>()
    );
    for root in ["one", "two"] {
        assert_eq!(read(&place.folder.path().join(root)), all);
    }
}

#[test]
fn files_that_share_bytes_come_once() {
    let place = Place::new((0..20).map(|index| (format!("{index}"), b"same".to_vec())).collect());
    place.download_all();
    assert_eq!(place.asked_files(), 1);
    assert_eq!(read(&place.root()).len(), 20);
    fs::set_permissions(place.root().join("3"), Permissions::from_mode(0o644)).unwrap();
}
