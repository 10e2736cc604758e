//! Versions on this disk: `.artifacts` in the folder of all runs.
//!
//! ```text
//! blobs/ab/<sha256>                    bytes, until a server has them, or for good where there is none
//! manifests/<sha256>                   manifests as JSON lines
//! originals/<manifest's sha256>        files that were not copied: where they are
//! collections/<project>/<name>.json    versions and aliases
//! staging/<random>/                    copies that drafts made
//! ```

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use steplog_journal::RunFolder;
use steplog_model::{CollectionName, ContentHash, Manifest, Project, path_segment};

use super::collection::Collection;
use crate::error::{Error, ErrorKind};
use crate::files::Fingerprint;
use crate::init::default_home;

/// The folder, below that of all runs.
const FOLDER: &str = ".artifacts";

/// The folder of all runs of the newest run of this process. Never freed: it is small, and a forked child may be reading.
static HOME: AtomicPtr<PathBuf> = AtomicPtr::new(std::ptr::null_mut());

/// Where versions on this disk are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalStore {
    root: PathBuf,
}

/// A file that was not copied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Original {
    pub(crate) sha256: ContentHash,
    /// Absolute.
    pub(crate) path: PathBuf,
    /// As it was when it was hashed.
    #[serde(flatten)]
    pub(crate) print: Fingerprint,
}

/// The bytes of one version on this disk.
#[derive(Debug)]
pub(crate) struct LocalBlobs {
    store: LocalStore,
    originals: HashMap<ContentHash, Original>,
}

impl LocalStore {
    /// That of a folder of all runs.
    pub(crate) fn below(home: &Path) -> Self {
        Self { root: home.join(FOLDER) }
    }

    /// That of the folder that a run is in.
    pub(crate) fn of_run(folder: &RunFolder) -> Self {
        Self::below(folder.path().ancestors().nth(2).unwrap_or(folder.path()))
    }

    /// That of the newest run of this process, else the one where a run would be.
    ///
    /// # Errors
    /// There is no working directory.
    pub(crate) fn current() -> Result<Self, Error> {
        // SAFETY: What was stored came from `Box::leak`.
        match unsafe { HOME.load(Ordering::Acquire).as_ref() } {
            Some(home) => Ok(Self::below(home)),
            None => default_home().map(|home| Self::below(&home)),
        }
    }

    /// Says that a run began in a folder.
    pub(crate) fn note_run(folder: &RunFolder) {
        let Some(home) = folder.path().ancestors().nth(2) else { return };
        // SAFETY: As in `current`.
        let known = unsafe { HOME.load(Ordering::Acquire).as_ref() };
        if known.is_none_or(|known| known != home) {
            HOME.store(Box::leak(Box::new(home.to_owned())), Ordering::Release);
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of copies that drafts made.
    pub(crate) fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// Where bytes are, when they are here.
    pub(crate) fn blob(&self, hash: ContentHash) -> PathBuf {
        let name = hash.to_string();
        self.root.join("blobs").join(&name[..2]).join(name)
    }

    pub(crate) fn manifest(&self, hash: ContentHash) -> PathBuf {
        self.root.join("manifests").join(hash.to_string())
    }

    fn originals(&self, manifest: ContentHash) -> PathBuf {
        self.root.join("originals").join(manifest.to_string())
    }

    /// While it is held, nothing that no version needs yet is removed.
    pub(crate) fn lock_shared(&self) -> Result<FileLock, Error> {
        let path = self.root.join("lock");
        FileLock::take(&path, true).map_err(|error| Error::io(error, path.display()))
    }

    fn collection_path(&self, project: &Project, name: &CollectionName) -> PathBuf {
        let (project, name) = (path_segment(project.as_str()), path_segment(name.as_str()));
        self.root.join("collections").join(project).join(format!("{name}.json"))
    }

    /// A collection; `None` when there is none of that name.
    ///
    /// # Errors
    /// Its file is damaged, or cannot be read.
    pub(crate) fn collection(&self, project: &Project, name: &CollectionName) -> Result<Option<Collection>, Error> {
        read_collection(&self.collection_path(project, name))
    }

    /// Changes a collection, one process after the other: the file is the old or the new one at any time.
    ///
    /// # Errors
    /// `change` refuses, the file is damaged or the disk refuses; nothing was changed then.
    pub(crate) fn change_collection<T>(
        &self,
        project: &Project,
        name: &CollectionName,
        change: impl FnOnce(Option<Collection>) -> Result<(Collection, T), Error>,
    ) -> Result<T, Error> {
        let path = self.collection_path(project, name);
        let failed = |error| Error::io(error, path.display());
        let _lock = FileLock::take(&path.with_extension("lock"), false).map_err(failed)?;
        let before = read_collection(&path)?;
        let (after, answer) = change(before.clone())?;
        if before.as_ref() != Some(&after) {
            let write = |file: &mut BufWriter<File>| Ok(serde_json::to_writer_pretty(file, &after)?);
            write_whole(&path, write).map_err(failed)?;
        }
        Ok(answer)
    }

    /// All collections, or those of a project, by project and name. What cannot be read is left out.
    pub(crate) fn collections(&self, project: Option<&Project>) -> Vec<Collection> {
        let all = self.root.join("collections");
        let projects = match project {
            Some(project) => vec![all.join(path_segment(project.as_str()))],
            None => paths_in(&all),
        };
        let paths = projects.iter().flat_map(|folder| paths_in(folder));
        let files = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
        files.filter_map(|path| read_collection(&path).ok().flatten()).collect()
    }

    /// Removes bytes and manifests that no version needs any more.
    pub(crate) fn remove_unneeded(&self) -> Result<(), Error> {
        let path = self.root.join("lock");
        let failed = |error| Error::io(error, path.display());
        let _lock = FileLock::take(&path, false).map_err(failed)?;
        // One collection that cannot be read could need anything.
        let folders = paths_in(&self.root.join("collections"));
        let files = folders.iter().flat_map(|folder| paths_in(folder));
        let (mut manifests, mut blobs) = (HashSet::new(), HashSet::new());
        for path in files.filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
            for version in read_collection(&path)?.into_iter().flat_map(|collection| collection.versions) {
                manifests.extend(version.logged.iter().map(|logged| logged.manifest));
                manifests.insert(version.manifest);
            }
        }
        for manifest in &manifests {
            blobs.extend(self.load_manifest(*manifest)?.entries().filter_map(|(_, entry)| entry.sha256()));
        }
        let is_unneeded = |path: &Path, needed: &HashSet<ContentHash>| {
            let hash = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            hash.is_some_and(|hash| !needed.contains(&hash))
        };
        let shelves = paths_in(&self.root.join("blobs"));
        let stored = shelves.iter().flat_map(|shelf| paths_in(shelf)).map(|path| (path, &blobs));
        let lists = [self.root.join("manifests"), self.root.join("originals")];
        let lists = lists.iter().flat_map(|folder| paths_in(folder)).map(|path| (path, &manifests));
        for (path, needed) in stored.chain(lists) {
            if is_unneeded(&path, needed) {
                fs::remove_file(&path).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Takes in a file whose bytes have the hash: it is here or there afterwards, whatever happens meanwhile.
    pub(crate) fn take_in(&self, from: &Path, hash: ContentHash, may_move: bool) -> io::Result<()> {
        let to = self.blob(hash);
        if to.is_file() {
            return if may_move { fs::remove_file(from) } else { Ok(()) };
        }
        let place = || match fs::rename(from, &to) {
            // It may be on another disk.
            Err(_) => copy_to(from, &to),
            renamed => renamed,
        };
        let place = || if may_move { place() } else { copy_to(from, &to) };
        let folder = to.parent().expect("a blob lies in a folder");
        place().or_else(|error| match folder.is_dir() {
            true => Err(error),
            false => fs::create_dir_all(folder).and_then(|()| place()),
        })
    }

    /// Writes a manifest, and where the files are that were not copied; answers what the manifest is found by.
    pub(crate) fn save_manifest(&self, manifest: &Manifest, originals: &[Original]) -> io::Result<ContentHash> {
        let lines = manifest.to_json_lines();
        let hash = ContentHash::from_bytes(Sha256::digest(&lines).into());
        if !originals.is_empty() {
            write_whole(&self.originals(hash), |file| {
                originals.iter().try_for_each(|original| {
                    serde_json::to_writer(&mut *file, original)?;
                    file.write_all(b"\n")
                })
            })?;
        }
        let path = self.manifest(hash);
        if !path.is_file() {
            write_whole(&path, |file| file.write_all(&lines))?;
        }
        Ok(hash)
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// It is not there, or damaged.
    pub(crate) fn load_manifest(&self, hash: ContentHash) -> Result<Manifest, Error> {
        let path = self.manifest(hash);
        let lines = fs::read(&path).map_err(|error| Error::io(error, path.display()))?;
        if ContentHash::from_bytes(Sha256::digest(&lines).into()) != hash {
            return Err(Error::new(ErrorKind::Io, format!("{} is damaged: it has another hash", path.display())));
        }
        Ok(Manifest::from_json_lines(&lines)?)
    }

    /// The bytes of the version with a manifest.
    ///
    /// # Errors
    /// What says where they are cannot be read.
    pub(crate) fn blobs(&self, manifest: ContentHash) -> Result<LocalBlobs, Error> {
        let path = self.originals(manifest);
        let mut originals = HashMap::new();
        match File::open(&path) {
            Ok(file) => {
                for line in BufReader::new(file).lines() {
                    let line = line.map_err(|error| Error::io(error, path.display()))?;
                    let original: Original =
                        serde_json::from_str(&line).map_err(|error| Error::io(error.into(), path.display()))?;
                    originals.insert(original.sha256, original);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(error, path.display())),
        }
        Ok(LocalBlobs { store: self.clone(), originals })
    }
}

/// A lock of a file, which the operating system lets go of however its process ends.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
}

impl FileLock {
    /// Waits for the lock. Where locks do not work it is taken for granted: what they protect is written whole in any case.
    fn take(path: &Path, shared: bool) -> io::Result<Self> {
        fs::create_dir_all(path.parent().expect("a file lies in a folder"))?;
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        let _ = if shared { file.lock_shared() } else { file.lock() };
        Ok(Self { file })
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // A child that was forked meanwhile has the file open, too, and would keep the lock.
        let _ = self.file.unlock();
    }
}

impl LocalBlobs {
    /// A file with these bytes: a copy, or the original, unless it was changed since. `None` when there is none here.
    pub(crate) fn find(&self, hash: ContentHash) -> Option<PathBuf> {
        if let Some(copy) = self.copy(hash) {
            return Some(copy);
        }
        let original = self.originals.get(&hash)?;
        let found = fs::metadata(&original.path).ok()?;
        (Fingerprint::of(&found) == original.print).then(|| original.path.clone())
    }

    pub(crate) fn originals(&self) -> impl Iterator<Item = &Original> {
        self.originals.values()
    }

    /// A file of ours with these bytes.
    pub(crate) fn copy(&self, hash: ContentHash) -> Option<PathBuf> {
        Some(self.store.blob(hash)).filter(|path| path.is_file())
    }

    /// The original that was hashed and not copied, changed or not.
    pub(crate) fn original(&self, hash: ContentHash) -> Option<&Original> {
        self.originals.get(&hash)
    }
}

fn read_collection(path: &Path) -> Result<Option<Collection>, Error> {
    match fs::read(path) {
        Ok(bytes) => Collection::from_json(&bytes)
            .map(Some)
            .map_err(|reason| Error::new(ErrorKind::Io, format!("{} cannot be read: {reason}", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(error, path.display())),
    }
}

/// What is in a folder, by name; nothing where there is none.
fn paths_in(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Copies to a name of its own first.
fn copy_to(from: &Path, to: &Path) -> io::Result<()> {
    let temporary = temporary_beside(to);
    fs::copy(from, &temporary)
        .and_then(|_| fs::rename(&temporary, to))
        .inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// Writes a file under a name of its own, and then gives it its name: whoever looks sees all of it or what was there before.
pub(crate) fn write_whole(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder)?;
    let temporary = temporary_beside(path);
    let written = (|| {
        let mut file = BufWriter::new(File::create(&temporary)?);
        write(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        // Its name must not be there before its bytes.
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    written.inspect_err(|_| drop(fs::remove_file(&temporary)))
}

fn temporary_beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{}-{count}.part", std::process::id()))
}
