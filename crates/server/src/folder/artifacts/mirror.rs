//! Keeps the store as the files of collections are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use steplog_model::CollectionPath;
use steplog_protocol::ErrorKind;
use steplog_store::{CollectionMirror, Error, Store, VersionMirrors};

use super::ArtifactFolders;
use super::collection::CollectionFile;

/// So many files of collections are looked at.
const MAX_FILES: usize = 100_000;

/// How often collections are looked at, at most.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long to wait after something failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// What was read of the files so far.
pub(super) struct Mirror {
    root: PathBuf,
    folders: ArtifactFolders,
    store: Arc<Store>,
    files: BTreeMap<PathBuf, Known>,
    /// Whether what the store has of earlier looks was compared with the files.
    is_compared: bool,
}

/// A file as it was when it was read.
struct Known {
    print: Fingerprint,
    /// What came of it; nothing when it could not be read.
    mirrors: Vec<(CollectionPath, CollectionMirror)>,
}

/// What changes when a file does. A collection is written under another name and renamed, so it is another file then.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fingerprint {
    modified: Option<SystemTime>,
    size_bytes: u64,
    inode: u64,
}

impl Mirror {
    pub(super) fn new(root: PathBuf, folders: ArtifactFolders, store: Arc<Store>) -> Self {
        Self { root, folders, store, files: BTreeMap::new(), is_compared: false }
    }

    /// Brings everything that changed to the store; answers how long to wait before the next look. What fails is tried again
    /// then.
    pub(super) fn look(&mut self) -> Duration {
        // An unmounted disk is no wish to delete.
        if !self.root.exists() {
            return RETRY_INTERVAL;
        }
        let mut changed = Vec::new();
        let mut gone: BTreeSet<PathBuf> = self.files.keys().cloned().collect();
        for folder in self.folders.all() {
            for path in collection_files(&folder) {
                gone.remove(&path);
                let Ok(print) = fs::symlink_metadata(&path).map(|found| Fingerprint::of(&found)) else { continue };
                if self.files.get(&path).is_none_or(|known| known.print != print) {
                    changed.push((folder.clone(), path, print));
                }
            }
        }
        if !changed.is_empty() || !gone.is_empty() || !self.is_compared {
            self.bring(changed, gone);
        }
        if self.is_compared { INTERVAL.max(Duration::from_millis(self.files.len() as u64)) } else { RETRY_INTERVAL }
    }

    fn bring(&mut self, changed: Vec<(PathBuf, PathBuf, Fingerprint)>, gone: BTreeSet<PathBuf>) {
        gone.iter().for_each(|path| drop(self.files.remove(path)));
        let mut fresh = BTreeSet::new();
        for (folder, path, print) in changed {
            let mirrors = match CollectionFile::read(&folder, &path) {
                Ok(file) => file.mirrors(&folder),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    tracing::warn!("a collection of artifacts cannot be shown: {error}: {}", path.display());
                    Vec::new()
                }
            };
            self.files.insert(path.clone(), Known { print, mirrors });
            fresh.insert(path);
        }
        let mut shown = HashMap::<&CollectionPath, &Path>::new();
        let (mut sources, mut registries) = (Vec::new(), Vec::new());
        for (file, known) in &self.files {
            for (path, mirror) in &known.mirrors {
                if let Some(first) = shown.get(path) {
                    if fresh.contains(file) {
                        let shown = file.display();
                        tracing::warn!("{path} is shown as it is in {}, and not as in {shown}", first.display());
                    }
                    continue;
                }
                shown.insert(path, file);
                match &mirror.versions {
                    VersionMirrors::Source(_) => sources.push((file, path, mirror)),
                    VersionMirrors::Registry(_) => registries.push((file, path, mirror)),
                }
            }
        }
        // What one file let go of may stand in another, which was passed over so far: those are few, so all is brought.
        let is_all = !gone.is_empty() || !self.is_compared;
        sources.retain(|(file, ..)| is_all || fresh.contains(*file));
        // Versions that came or went take links along.
        registries.retain(|(file, ..)| is_all || !sources.is_empty() || fresh.contains(*file));
        let mut failed = Vec::new();
        for (file, path, mirror) in sources.into_iter().chain(registries) {
            if let Err(error) = self.show(path, mirror) {
                tracing::warn!("{path} cannot be shown now: {error}");
                failed.push(file.clone());
            }
        }
        self.is_compared = match forget_what_left(&self.store, &shown) {
            Ok(()) => failed.is_empty(),
            Err(error) => {
                tracing::warn!("collections that left the folder cannot be removed now: {error}");
                false
            }
        };
        failed.iter().for_each(|file| drop(self.files.remove(file)));
    }

    fn show(&self, path: &CollectionPath, mirror: &CollectionMirror) -> Result<(), Error> {
        for problem in self.store.mirror_collection(path, mirror.clone())? {
            tracing::warn!("{problem}");
        }
        Ok(())
    }
}

/// Removes the collections from the store that the folder does not have.
fn forget_what_left(store: &Store, shown: &HashMap<&CollectionPath, &Path>) -> Result<(), Error> {
    for path in store.collection_paths()?.iter().filter(|path| !shown.contains_key(path)) {
        match store.delete_collection(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => tracing::info!("{path} left the folder"),
        }
    }
    Ok(())
}

/// The files of collections in an `.artifacts`, without a look behind links.
fn collection_files(artifacts: &Path) -> Vec<PathBuf> {
    let is = |path: &Path, kind: fn(&Metadata) -> bool| fs::symlink_metadata(path).is_ok_and(|found| kind(&found));
    let collections = artifacts.join("collections");
    if !is(artifacts, Metadata::is_dir) || !is(&collections, Metadata::is_dir) {
        return Vec::new();
    }
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let projects = entries(&collections).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let files = projects.flat_map(|project| entries(&project.path()));
    let files = files.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())).map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "json")).take(MAX_FILES).collect()
}

impl Fingerprint {
    fn of(found: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(found);
        #[cfg(not(unix))]
        let inode = 0;
        Self { modified: found.modified().ok(), size_bytes: found.len(), inode }
    }
}
