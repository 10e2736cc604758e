//! Bytes of files on disk: whole ones under their hash, and uploads on their way there.
//!
//! ```text
//! <data directory>/blobs/ab/ab12…         whole, checked and durable; never changed
//! <data directory>/uploads/<entity>/ab12… the beginning of one that is being sent
//! <data directory>/uploads/*.trash        on its way out
//! ```
//!
//! An upload is a file that only grows. How much of it is good is told by its length, so it goes on where it was after a
//! restart; what a power cut may have done to it shows when the hash of the whole is checked.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use steplog_model::{ContentHash, Entity, path_segment};
use steplog_protocol::ErrorKind;

use crate::Error;

/// An upload's bytes are written to the disk at least so often, so that the last part need not wait for all of them.
const SYNC_BYTES: u64 = 64 << 20;

/// So many uploads are kept open; others are read again when they go on.
const OPEN_UPLOADS: usize = 64;

/// So many uploads of one entity may be unfinished.
const MAX_UNFINISHED: usize = 1000;

/// An upload that nothing was added to for so long is given up.
const ABANDONED_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);

const TRASH: &str = "trash";

/// The folders of a store with bytes of files; made when they are needed.
pub(crate) struct Blobs {
    directory: PathBuf,
    whole: PathBuf,
    uploads: PathBuf,
    /// Free space of the disk that files must leave to everything else, in bytes.
    reserve_bytes: u64,
    /// Taken while an upload is held, never the other way round.
    open: Mutex<HashMap<PathBuf, Arc<Mutex<Upload>>>>,
    trash_count: AtomicU64,
}

/// The beginning of some bytes. Held locked by whoever adds to it.
pub(crate) struct Upload {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    received: u64,
    synced: u64,
    /// Its file is not there any more: it became a blob, or was given up.
    pub(crate) is_over: bool,
}

impl Blobs {
    pub(crate) fn new(directory: &Path, reserve_bytes: u64) -> Self {
        let blobs = Self {
            directory: directory.into(),
            whole: directory.join("blobs"),
            uploads: directory.join("uploads"),
            reserve_bytes,
            open: Mutex::default(),
            trash_count: AtomicU64::new(0),
        };
        blobs.empty_trash();
        blobs
    }

    /// Where the bytes with a hash stand once they are whole.
    pub(crate) fn path(&self, hash: ContentHash) -> PathBuf {
        let name = hash.to_string();
        self.whole.join(&name[..2]).join(name)
    }

    /// Whether the bytes are here, all of them.
    pub(crate) fn has(&self, hash: ContentHash, size_bytes: u64) -> bool {
        fs::metadata(self.path(hash)).is_ok_and(|found| found.is_file() && found.len() == size_bytes)
    }

    /// How many bytes of an upload are here.
    pub(crate) fn received(&self, entity: &Entity, hash: ContentHash) -> u64 {
        fs::metadata(self.upload_path(entity, hash)).map_or(0, |found| found.len())
    }

    /// The upload of some bytes, begun if need be.
    pub(crate) fn upload(&self, entity: &Entity, hash: ContentHash) -> Result<Arc<Mutex<Upload>>, Error> {
        let path = self.upload_path(entity, hash);
        let mut open = self.open();
        if let Some(upload) = open.get(&path) {
            return Ok(upload.clone());
        }
        let folder = path.parent().expect("an upload stands in a folder");
        let named = |error: io::Error| refused(&error, &path);
        fs::create_dir_all(folder).map_err(named)?;
        if !path.exists() && fs::read_dir(folder).map_err(named)?.count() >= MAX_UNFINISHED {
            let message = format!("{entity} has {MAX_UNFINISHED} uploads that were not finished");
            return Err(Error::unavailable(message).with_hint("finish them; those not continued go after a week"));
        }
        let file = File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(named)?;
        let upload = Upload { path: path.clone(), file, hasher: Sha256::new(), received: 0, synced: 0, is_over: false };
        let upload = Arc::new(Mutex::new(upload));
        if open.len() >= OPEN_UPLOADS {
            open.retain(|_, upload| Arc::strong_count(upload) > 1);
        }
        open.insert(path, upload.clone());
        // Nobody else has it yet. Reading what is there may take a while: others wait for this upload only.
        let mut reading = lock(&upload);
        drop(open);
        reading.read_back().map_err(|error| refused(&error, &reading.path))?;
        drop(reading);
        Ok(upload)
    }

    /// Refuses more bytes when the disk is nearly full: rows are worth more than files.
    pub(crate) fn check_room(&self, more: u64) -> Result<(), Error> {
        if free_bytes(&self.directory).is_some_and(|free| free < self.reserve_bytes.saturating_add(more)) {
            return Err(Error::unavailable("the server's disk is nearly full, so it takes no files")
                .with_hint("make room on the server; clients go on by themselves"));
        }
        Ok(())
    }

    /// Puts a whole upload, which must be durable, to its place.
    pub(crate) fn adopt(&self, upload: &mut Upload, hash: ContentHash) -> Result<(), Error> {
        let path = self.path(hash);
        let folder = path.parent().expect("a blob stands in a folder");
        let named = |error: io::Error| refused(&error, &path);
        if !folder.exists() {
            fs::create_dir_all(folder).map_err(named)?;
            sync_folder(&self.whole).map_err(named)?;
            sync_folder(&self.directory).map_err(named)?;
        }
        fs::rename(&upload.path, &path).map_err(named)?;
        self.end(upload);
        sync_folder(folder).map_err(named)
    }

    /// Gives an upload up: its bytes are not what they were said to be.
    pub(crate) fn give_up(&self, upload: &mut Upload) {
        // What cannot be removed now is overwritten by the next try, or goes after a week.
        let _ = upload.file.set_len(0).and_then(|()| fs::remove_file(&upload.path));
        self.end(upload);
    }

    fn end(&self, upload: &mut Upload) {
        upload.is_over = true;
        self.open().remove(&upload.path);
    }

    /// Takes a blob away; its space comes back with [`Self::empty_trash`]. To be called by the writer thread, which must
    /// not wait for the removal of many gigabytes.
    pub(crate) fn discard(&self, hash: ContentHash) -> Result<(), Error> {
        let path = self.path(hash);
        let number = self.trash_count.fetch_add(1, Ordering::Relaxed);
        fs::create_dir_all(&self.uploads).map_err(|error| refused(&error, &self.uploads))?;
        match fs::rename(&path, self.uploads.join(format!("{hash}-{number}.{TRASH}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused(&error, &path)),
            _ => Ok(()),
        }
    }

    /// Removes what was discarded.
    pub(crate) fn empty_trash(&self) {
        for path in entries(&self.uploads).filter(|path| path.extension().is_some_and(|ending| ending == TRASH)) {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!("{} could not be removed: {error}", path.display());
            }
        }
    }

    /// Removes uploads that nobody goes on with.
    pub(crate) fn remove_abandoned(&self) {
        self.open().retain(|_, upload| Arc::strong_count(upload) > 1);
        for path in entries(&self.uploads).filter(|path| path.is_dir()).flat_map(|folder| entries(&folder)) {
            let modified = fs::metadata(&path).and_then(|found| found.modified());
            let is_old = modified
                .is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > ABANDONED_AFTER));
            if is_old && !self.open().contains_key(&path) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    fn upload_path(&self, entity: &Entity, hash: ContentHash) -> PathBuf {
        self.uploads.join(path_segment(entity.as_str())).join(hash.to_string())
    }

    fn open(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<Mutex<Upload>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    /// How many bytes are here.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Adds bytes at the end.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(bytes);
        if let Err(error) = written {
            // A part of them may be there: the length must not say more than the hash knows.
            let _ = self.file.set_len(self.received).and_then(|()| self.file.seek(SeekFrom::Start(self.received)));
            return Err(refused(&error, &self.path));
        }
        self.hasher.update(bytes);
        self.received += bytes.len() as u64;
        if self.received - self.synced >= SYNC_BYTES {
            self.sync()?;
        }
        Ok(())
    }

    /// Returns when all bytes are on the disk.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        self.file.sync_all().map_err(|error| refused(&error, &self.path))?;
        self.synced = self.received;
        Ok(())
    }

    /// The hash of what is here.
    pub(crate) fn hash(&self) -> ContentHash {
        ContentHash::from_bytes(self.hasher.clone().finalize().into())
    }

    fn read_back(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 20];
        loop {
            match self.file.read(&mut buffer)? {
                0 => return Ok(()),
                count => {
                    self.hasher.update(&buffer[..count]);
                    self.received += count as u64;
                }
            }
        }
    }
}

/// The hash of a file's content, read in small pieces.
pub(crate) fn hash_file(path: &Path) -> io::Result<ContentHash> {
    let (mut file, mut hasher, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(ContentHash::from_bytes(hasher.finalize().into())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

pub(crate) fn lock(upload: &Mutex<Upload>) -> MutexGuard<'_, Upload> {
    upload.lock().unwrap_or_else(PoisonError::into_inner)
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn refused(error: &io::Error, path: &Path) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let hint = if full { "make room on the server; clients go on by themselves" } else { "check the server's disk" };
    Error::new(ErrorKind::Unavailable, format!("cannot write {}: {error}", path.display())).with_hint(hint)
}

/// Makes a new name in a folder survive a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(windows) {
        // Its file systems keep names in a journal of their own, and folders cannot be opened.
        return Ok(());
    }
    File::open(folder)?.sync_all()
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
