//! Bytes of files on disk, kept once under their hash, and who holds them.
//!
//! ```text
//! <data directory>/blobs/ab/ab12…         whole, checked and durable; never changed
//! <data directory>/uploads/<entity>/ab12… the beginning of one that is being sent
//! <data directory>/uploads/*.trash        on its way out
//! <data directory>/packs/ab/*             small ones on their way in; removed at the next start
//! <data directory>/damaged/ab12…          was found not to have its hash; kept for people until the bytes come again
//! ```
//!
//! A row in `blobs` is committed before its bytes get their place, and removed after they are gone: every file in
//! `blobs/` has a row, so what nothing points at is found without a look at the disk. Names are given and bytes removed
//! by the writer thread alone, so a name never comes to point at bytes that are on their way out.
//!
//! Bytes are kept once, whoever sent them, and exist only for the entities that sent all of them (`holders.rs`): who
//! merely knows a hash gets nothing for it, and is not even told whether somebody else has sent it.

mod disk;
mod holders;
mod pack;
mod receive;
mod unused;
mod upload;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use steplog_model::{ContentHash, Entity, path_segment};

use crate::Error;
pub(crate) use disk::hash_file;
use disk::{entries, free_bytes, refused, stands_at, sync_folder};
pub(crate) use holders::{NAMELESS_SECONDS, hold, release};
pub use receive::Part;
pub(crate) use unused::remove_unused;
use upload::{Upload, lock};

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
    packs: PathBuf,
    damaged: PathBuf,
    /// Free space of the disk that files must leave to everything else, in bytes.
    reserve_bytes: u64,
    /// Taken while an upload is held, never the other way round.
    open: Mutex<HashMap<PathBuf, Arc<Mutex<Upload>>>>,
    /// Whether the folders below `blobs/` are there for sure. Held while they are made.
    has_folders: Mutex<bool>,
    /// Held while bytes are put to their place or set aside.
    placing: Mutex<()>,
    /// Makes names that are used once.
    count: AtomicU64,
}

/// What became of bytes since they were stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// They are as they came.
    Good,
    /// They had this hash in place of their own, and were set aside.
    Damaged(ContentHash),
    /// They are not at their place, or not as many as they were: damage that was found before.
    Gone,
}

impl Blobs {
    pub(crate) fn new(directory: &Path, reserve_bytes: u64) -> Self {
        let blobs = Self {
            directory: directory.into(),
            whole: directory.join("blobs"),
            uploads: directory.join("uploads"),
            packs: directory.join("packs"),
            damaged: directory.join("damaged"),
            reserve_bytes,
            open: Mutex::default(),
            has_folders: Mutex::default(),
            placing: Mutex::default(),
            count: AtomicU64::new(0),
        };
        blobs.empty_trash();
        entries(&blobs.packs).flat_map(|folder| entries(&folder)).for_each(|path| remove(&path));
        blobs
    }

    /// Where the bytes with a hash stand once they are whole.
    pub(crate) fn path(&self, hash: ContentHash) -> PathBuf {
        let name = hash.to_string();
        self.whole.join(&name[..2]).join(name)
    }

    /// Whether the bytes are here, all of them.
    fn has(&self, hash: ContentHash, size_bytes: u64) -> bool {
        fs::metadata(self.path(hash)).is_ok_and(|found| found.is_file() && found.len() == size_bytes)
    }

    /// Where the bytes that `name` points at stand.
    ///
    /// # Errors
    /// They were damaged, and set aside or lost: nothing is ever read from what is left of them.
    pub(crate) fn place(&self, hash: ContentHash, size_bytes: u64, name: &str) -> Result<PathBuf, Error> {
        if self.has(hash, size_bytes) {
            return Ok(self.path(hash));
        }
        Err(Error::damaged(name, hash))
    }

    /// Reads bytes that should have a hash, and sets them aside when they have another: then they count as missing, until
    /// somebody sends them again.
    ///
    /// # Errors
    /// The disk refuses to read, or to move them.
    pub(crate) fn check(&self, hash: ContentHash, size_bytes: u64) -> Result<Condition, Error> {
        let path = self.path(hash);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Condition::Gone),
            Err(error) => return Err(unreadable(&error, &path)),
        };
        let found = hash_file(&mut file).map_err(|error| unreadable(&error, &path))?;
        if found == hash {
            // With another length they would have another hash.
            return Ok(if self.has(hash, size_bytes) { Condition::Good } else { Condition::Gone });
        }
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        // Sound ones may have come in the meantime.
        if stands_at(&file, &path) {
            fs::create_dir_all(&self.damaged).map_err(|error| refused(&error, &self.damaged))?;
            fs::rename(&path, self.damaged.join(hash.to_string())).map_err(|error| refused(&error, &path))?;
            sync_folder(path.parent().expect("a blob stands in a folder"))?;
            sync_folder(&self.damaged)?;
            tracing::error!("{} does not have its hash and was moved to {}", path.display(), self.damaged.display());
        }
        Ok(Condition::Damaged(found))
    }

    /// How many bytes of an upload are here.
    pub(crate) fn received(&self, entity: &Entity, hash: ContentHash) -> u64 {
        fs::metadata(self.upload_path(entity, hash)).map_or(0, |found| found.len())
    }

    /// The upload of some bytes, begun if need be.
    fn upload(&self, entity: &Entity, hash: ContentHash) -> Result<Arc<Mutex<Upload>>, Error> {
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
        let upload = Arc::new(Mutex::new(Upload::open(path.clone()).map_err(named)?));
        if open.len() >= OPEN_UPLOADS {
            open.retain(|_, upload| Arc::strong_count(upload) > 1);
        }
        open.insert(path, upload.clone());
        // Nobody else has it yet. Reading what is there may take a while: others wait for this upload only.
        let mut reading = lock(&upload);
        drop(open);
        reading.read_back()?;
        drop(reading);
        Ok(upload)
    }

    /// Refuses more bytes when the disk is nearly full: rows are worth more than files.
    fn check_room(&self, more: u64) -> Result<(), Error> {
        if free_bytes(&self.directory).is_some_and(|free| free < self.reserve_bytes.saturating_add(more)) {
            return Err(Error::unavailable("the server's disk is nearly full, so it takes no files")
                .with_hint("make room on the server; clients go on by themselves"));
        }
        Ok(())
    }

    /// Puts a whole upload, which must be durable, to its place.
    fn adopt(&self, upload: &mut Upload, hash: ContentHash) -> Result<(), Error> {
        self.put_in_place(upload.path(), hash)?;
        self.end(upload);
        sync_folder(self.path(hash).parent().expect("a blob stands in a folder"))
    }

    /// Moves whole bytes to their place, over what is there: the same, or what is left of it. Durable when the folder is
    /// synced.
    fn put_in_place(&self, from: &Path, hash: ContentHash) -> Result<(), Error> {
        self.make_folders()?;
        let path = self.path(hash);
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        fs::rename(from, &path).map_err(|error| refused(&error, &path))?;
        self.forget_damaged(hash);
        Ok(())
    }

    /// Makes the folders below `blobs/`, all at once so that nobody has to ask again.
    fn make_folders(&self) -> Result<(), Error> {
        let mut has_folders = self.has_folders.lock().unwrap_or_else(PoisonError::into_inner);
        if !*has_folders {
            for number in 0..=u8::MAX {
                let folder = self.whole.join(format!("{number:02x}"));
                fs::create_dir_all(&folder).map_err(|error| refused(&error, &folder))?;
            }
            sync_folder(&self.whole)?;
            sync_folder(&self.directory)?;
            *has_folders = true;
        }
        Ok(())
    }

    /// Gives an upload up: its bytes are not what they were said to be.
    fn give_up(&self, upload: &mut Upload) {
        upload.remove();
        self.end(upload);
    }

    fn end(&self, upload: &mut Upload) {
        upload.is_over = true;
        self.open().remove(upload.path());
    }

    /// A name for a small blob on its way in. File systems lock a folder while a file is made in it, and look for a free
    /// place beside the others of that folder: in many folders, packs do not wait for each other.
    fn path_in_pack(&self, hash: ContentHash) -> PathBuf {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.packs.join(format!("{:02x}", hash.as_bytes()[0])).join(number.to_string())
    }

    /// Takes a blob away, and what was set aside of it; the space comes back with [`Self::empty_trash`]. To be called by the
    /// writer thread, which must not wait for the removal of many gigabytes.
    fn discard(&self, hash: ContentHash) -> Result<(), Error> {
        fs::create_dir_all(&self.uploads).map_err(|error| refused(&error, &self.uploads))?;
        for path in [self.damaged.join(hash.to_string()), self.path(hash)] {
            let number = self.count.fetch_add(1, Ordering::Relaxed);
            match fs::rename(&path, self.uploads.join(format!("{hash}-{number}.{TRASH}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refused(&error, &path)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Nobody needs what is left of bytes that are whole again.
    fn forget_damaged(&self, hash: ContentHash) {
        match fs::remove_file(self.damaged.join(hash.to_string())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("the damaged bytes of {hash} could not be removed: {error}");
            }
            _ => {}
        }
    }

    /// Removes what was discarded.
    fn empty_trash(&self) {
        let is_trash = |path: &PathBuf| path.extension().is_some_and(|ending| ending == TRASH) && path.is_file();
        entries(&self.uploads).filter(is_trash).for_each(|path| remove(&path));
    }

    /// Removes uploads that nobody goes on with.
    fn remove_abandoned(&self) {
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

fn unreadable(error: &io::Error, path: &Path) -> Error {
    Error::unavailable(format!("cannot read {}: {error}", path.display())).with_hint("check the server's disk")
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!("{} could not be removed: {error}", path.display());
    }
}
