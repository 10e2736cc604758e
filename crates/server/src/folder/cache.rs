//! Where the columns of a folder's runs are kept between two looks at it.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use steplog_protocol::{ErrorDetail, ErrorKind};
use steplog_store::{Store, StoreOptions};
use tempfile::TempDir;

use crate::account::from_store;

/// Says that the cache holds more than the folder: the next start begins anew.
const STALE: &str = "stale";

/// The store of a folder. It can always be made again from the journals.
pub struct FolderCache {
    store: Arc<Store>,
    directory: PathBuf,
    /// Removed when dropped, after the store was closed.
    temporary: Option<TempDir>,
}

impl FolderCache {
    /// Opens the cache of `folder` below `$XDG_CACHE_HOME` (`~/.cache`); a temporary one where the usual one is in use,
    /// damaged, or cannot be made.
    ///
    /// # Errors
    /// Not even a temporary one can be made.
    pub fn open(folder: &Path) -> Result<Self, ErrorDetail> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        match absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache"))) {
            Some(base) => Self::open_below(&base, folder),
            None => Self::open_temporary(),
        }
    }

    /// Opens the cache of `folder` as `steplog/ui/<hash of the folder>` below `base`; else as [`FolderCache::open`].
    ///
    /// # Errors
    /// Not even a temporary one can be made.
    pub fn open_below(base: &Path, folder: &Path) -> Result<Self, ErrorDetail> {
        let directory = directory_of(folder, base);
        match open_usual(&directory) {
            Ok(store) => Ok(Self { store, directory, temporary: None }),
            Err(error) => {
                let shown = directory.display();
                tracing::warn!("the cache {shown} is not used, and the folder is read anew: {}", error.message);
                Self::open_temporary()
            }
        }
    }

    /// Opens a cache that is removed when it is dropped.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open_temporary() -> Result<Self, ErrorDetail> {
        let temporary = TempDir::with_prefix("steplog-").map_err(|error| unwritable(&env::temp_dir(), &error))?;
        let store = open(temporary.path())?;
        Ok(Self { store, directory: temporary.path().into(), temporary: Some(temporary) })
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether it is gone when this is dropped.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

impl Drop for FolderCache {
    fn drop(&mut self) {
        if let Err(error) = self.store.close() {
            tracing::warn!("the cache {} was not closed well: {error}", self.directory.display());
        }
    }
}

/// Notes that a run left the folder. The store remembers it as deleted and would refuse it if it came back.
pub(super) fn mark_stale(directory: &Path) {
    if let Err(error) = fs::write(directory.join(STALE), "") {
        tracing::debug!("the cache {} could not be marked: {error}", directory.display());
    }
}

fn open_usual(directory: &Path) -> Result<Arc<Store>, ErrorDetail> {
    fs::create_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
    let store = open(directory)?;
    if !directory.join(STALE).exists() {
        return Ok(store);
    }
    store.close().map_err(from_store)?;
    drop(store);
    fs::remove_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
    open(directory)
}

fn open(directory: &Path) -> Result<Arc<Store>, ErrorDetail> {
    Store::open(directory, StoreOptions::default()).map_err(from_store)
}

fn unwritable(path: &Path, error: &io::Error) -> ErrorDetail {
    let message = format!("cannot write: {error}: {}", path.display());
    ErrorDetail { kind: ErrorKind::Unavailable, message, hint: None }
}

fn directory_of(folder: &Path, base: &Path) -> PathBuf {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.into());
    let hash = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    let name: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    base.join("steplog").join("ui").join(name)
}
