//! Versions on this disk: `.artifacts` in the folder of all runs.
//!
//! ```text
//! blobs/ab/<sha256>                    bytes, until a server has them, or for good where there is none
//! manifests/<sha256>                   manifests as JSON lines
//! originals/<manifest's sha256>        files that were not copied: where they are
//! collections/<project>/<name>.json    versions and aliases
//! staging/<random>/                    copies that drafts made
//! ```

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use steplog_journal::RunFolder;
use steplog_model::{ContentHash, Manifest};

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

    /// Says that a run began below `home`.
    pub(crate) fn note_home(home: &Path) {
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

impl LocalBlobs {
    /// A file with these bytes: a copy, or the original, unless it was changed since. `None` when there is none here.
    pub(crate) fn find(&self, hash: ContentHash) -> Option<PathBuf> {
        let blob = self.store.blob(hash);
        if blob.is_file() {
            return Some(blob);
        }
        let original = self.originals.get(&hash)?;
        let found = fs::metadata(&original.path).ok()?;
        (Fingerprint::of(&found) == original.print).then(|| original.path.clone())
    }

    /// The original that was hashed and not copied, changed or not.
    pub(crate) fn original(&self, hash: ContentHash) -> Option<&Original> {
        self.originals.get(&hash)
    }
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
