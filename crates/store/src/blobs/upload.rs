//! The beginning of some bytes that are sent in parts.
//!
//! An upload is a file that only grows. How much of it is good is told by its length, so it goes on where it was after a
//! restart; what a power cut may have done to it shows when the hash of the whole is checked.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use steplog_journal::disk;
use steplog_model::ContentHash;

use super::disk::refused;
use crate::Error;

/// So much of a large upload may be in the system's memory; the rest goes to the disk, and nobody's pages have to make way for
/// it. Memory that was just let go of is also much cheaper to write to than that which nobody has touched for long.
const IN_MEMORY_BYTES: u64 = 64 << 20;

/// The beginning of some bytes. Held locked by whoever adds to it.
pub(crate) struct Upload {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    received: u64,
    /// Its file is not there any more: it became a blob, or was given up.
    pub(crate) is_over: bool,
}

impl Upload {
    /// Opens or makes the file of an upload, without a look at what is in it: see [`Self::read_back`].
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        Ok(Self { path, file, hasher: Sha256::new(), received: 0, is_over: false })
    }

    /// Takes in what an earlier process left.
    pub(super) fn read_back(&mut self) -> Result<(), Error> {
        let mut buffer = vec![0; 1 << 20];
        loop {
            match self.file.read(&mut buffer).map_err(|error| refused(&error, &self.path))? {
                0 => return Ok(()),
                count => {
                    self.hasher.update(&buffer[..count]);
                    self.received += count as u64;
                }
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes are here.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Adds bytes at the end.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = disk::append_leaving_holes(&mut self.file, self.received, bytes);
        if let Err(error) = written {
            // A part of them may be there: the length must not say more than the hash knows.
            let _ = self.file.set_len(self.received).and_then(|()| self.file.seek(SeekFrom::Start(self.received)));
            return Err(refused(&error, &self.path));
        }
        // While the hash is computed, and the next part is on its way, the disk is busy with this one.
        let count = bytes.len() as u64;
        disk::start_writing_back(&self.file, self.received, count);
        self.hasher.update(bytes);
        if let Some(behind) = self.received.checked_sub(IN_MEMORY_BYTES) {
            disk::write_back(&self.file, behind, count);
            disk::forget(&self.file, behind, count);
        }
        self.received += count;
        Ok(())
    }

    /// Returns when all bytes are on the disk.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        self.file.sync_all().map_err(|error| refused(&error, &self.path))
    }

    /// The hash of what is here.
    pub(crate) fn hash(&self) -> ContentHash {
        ContentHash::from_bytes(self.hasher.clone().finalize().into())
    }

    /// Removes the file.
    pub(super) fn remove(&mut self) {
        // What cannot be removed now is overwritten by the next try, or goes after a week.
        let _ = self.file.set_len(0).and_then(|()| fs::remove_file(&self.path));
    }
}

pub(crate) fn lock(upload: &Mutex<Upload>) -> MutexGuard<'_, Upload> {
    upload.lock().unwrap_or_else(PoisonError::into_inner)
}
