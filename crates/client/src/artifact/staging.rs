//! Where a draft keeps copies of its files until it is logged.
//!
//! The folder belongs to its process: when that has ended without logging the draft, however it ended, the next one
//! removes what it left.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use steplog_model::{ContentHash, StreamId};

use super::local::LocalStore;
use crate::fork;

const LOCK: &str = "lock";

/// Copies are spread over so many folders: threads that make files in one wait for each other.
const SHELVES: usize = 16;

/// What the name of a folder begins with while it has no lock.
const BEGINNING: &str = "new-";

/// A folder that was begun so long ago, and has no lock yet, will get none.
const BEGINNING_PATIENCE: Duration = Duration::from_secs(3600);

/// A folder of copies, named by their hashes.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: PathBuf,
    /// Held as long as the folder is in use.
    _lock: File,
    generation: u32,
    count: AtomicUsize,
}

/// A copy that is being written.
pub(crate) struct Copy {
    pub(crate) file: File,
    path: PathBuf,
    is_kept: bool,
}

impl Staging {
    /// A new folder, beside the local versions.
    pub(crate) fn create(store: &LocalStore) -> io::Result<Self> {
        let all = store.staging();
        fs::create_dir_all(&all)?;
        remove_left_over(&all);
        let name = StreamId::generate().to_string();
        // Under a name that is nobody's to remove until the lock is held.
        let beginning = all.join(format!("{BEGINNING}{name}"));
        fs::create_dir(&beginning)?;
        let lock = File::create(beginning.join(LOCK))?;
        // Where locks do not work nothing is ever removed, for nobody can tell what is in use.
        let _ = lock.try_lock();
        let folder = all.join(name);
        fs::rename(&beginning, &folder)?;
        for number in 0..SHELVES {
            fs::create_dir(folder.join(shelf(number)))?;
        }
        Ok(Self { folder, _lock: lock, generation: fork::generation(), count: AtomicUsize::new(0) })
    }

    /// Where the copy with a hash is.
    pub(crate) fn blob(&self, hash: ContentHash) -> PathBuf {
        self.folder.join(shelf(usize::from(hash.as_bytes()[0]))).join(hash.to_string())
    }

    /// Begins a copy.
    pub(crate) fn begin(&self) -> io::Result<Copy> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        // A forked child may write into the same folder.
        let path = self.folder.join(shelf(number)).join(format!("{}-{number}.part", std::process::id()));
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Copy { file, path, is_kept: false })
    }

    /// Keeps bytes with a hash. Where they are there already, perhaps only just being written by another thread of the same
    /// call, nothing is to be done.
    pub(crate) fn write(&self, hash: ContentHash, bytes: &[u8]) -> io::Result<()> {
        let path = self.blob(hash);
        match File::options().write(true).create_new(true).open(&path) {
            Ok(mut file) => file.write_all(bytes).inspect_err(|_| drop(fs::remove_file(&path))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether it belongs to this process, and not to one that this was forked from.
    pub(crate) fn is_own(&self) -> bool {
        self.generation == fork::generation()
    }

    #[cfg(test)]
    pub(crate) fn file_count(&self) -> usize {
        (0..SHELVES).map(|number| fs::read_dir(self.folder.join(shelf(number))).unwrap().count()).sum()
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.is_own() {
            // What cannot be removed now is a left-over for later.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Copy {
    /// Where it is being written.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it the name of its hash.
    pub(crate) fn keep(mut self, staging: &Staging, hash: ContentHash) -> io::Result<()> {
        fs::rename(&self.path, staging.blob(hash))?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.is_kept {
            // The folder goes as a whole in any case.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn shelf(number: usize) -> String {
    format!("{:x}", number % SHELVES)
}

/// Removes the folders of processes that have ended.
fn remove_left_over(all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let folder = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(BEGINNING.as_bytes()) {
            let begun = entry.metadata().and_then(|found| found.modified());
            if begun.is_ok_and(|begun| begun.elapsed().is_ok_and(|elapsed| elapsed > BEGINNING_PATIENCE)) {
                let _ = fs::remove_dir_all(&folder);
            }
            continue;
        }
        let is_free = match File::options().write(true).open(folder.join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            // Whoever removed it was killed in the middle of that.
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if is_free {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_draft_and_left_overs_with_the_next_one() {
        let home = tempfile::tempdir().unwrap();
        let store = LocalStore::below(home.path());
        let folders = || fs::read_dir(store.staging()).unwrap().count();
        let first = Staging::create(&store).unwrap();
        first.begin().unwrap().keep(&first, ContentHash::from_bytes([1; 32])).unwrap();
        assert_eq!((first.file_count(), folders()), (1, 1));

        let left = store.staging().join("left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        let half_removed = store.staging().join("half");
        fs::create_dir_all(half_removed.join("3")).unwrap();
        let second = Staging::create(&store).unwrap();
        assert!(!left.exists() && !half_removed.exists());
        assert_eq!((first.file_count(), second.file_count(), folders()), (1, 0, 2));
        drop(first);
        drop(second);
        assert_eq!(folders(), 0);
    }

    #[test]
    fn drafts_that_begin_at_once_take_nothing_from_each_other() {
        let home = tempfile::tempdir().unwrap();
        let store = LocalStore::below(home.path());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let staging = Staging::create(&store).unwrap();
                        staging.begin().unwrap().keep(&staging, ContentHash::from_bytes([1; 32])).unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(store.staging()).unwrap().count(), 0);
    }
}
