//! Artifacts of a folder: what its `.artifacts` hold is mirrored into the store that is shown, and the bytes stay where they
//! are.
//!
//! ```text
//! .artifacts/collections/<project>/<name>.json    versions and aliases, each written whole
//! .artifacts/manifests/<sha256>                   manifests as JSON lines
//! .artifacts/blobs/ab/<sha256>                    bytes, until a server has them
//! .artifacts/originals/<manifest's sha256>        where files are that were never copied
//! ```
//!
//! A thread of its own polls the files of the collections: a manifest of a hundred thousand files takes seconds to read, for
//! which no journal shall wait. Nothing of a file is trusted: names become paths only after their check and by
//! [`steplog_model::path_segment`], and no link is followed.

mod bytes;
mod collection;
mod mirror;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use steplog_store::Store;

pub(crate) use bytes::find_bytes;
use mirror::Mirror;

use super::CaughtUp;

/// The folder's name, in a folder of all runs.
pub(super) const FOLDER: &str = ".artifacts";

/// How often it is asked whether the folder was read once.
const START_INTERVAL: Duration = Duration::from_millis(50);

/// The `.artifacts` that were found below the folder that is shown. The reader of the tree fills it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ArtifactFolders(Arc<RwLock<BTreeSet<PathBuf>>>);

impl ArtifactFolders {
    pub(super) fn add(&self, path: PathBuf) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(path);
    }

    /// By path.
    pub(crate) fn all(&self) -> Vec<PathBuf> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// The thread that reads artifacts; it ends when this is dropped.
pub(super) struct ArtifactReader {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ArtifactReader {
    /// Begins once everything that was there at the start has been found.
    ///
    /// # Errors
    /// No thread could be started.
    pub(super) fn start(
        root: PathBuf,
        folders: ArtifactFolders,
        store: Arc<Store>,
        caught_up: Arc<CaughtUp>,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let mut mirror = Mirror::new(root, folders, store);
        let run = move || {
            let mut wait = START_INTERVAL;
            while stopped.recv_timeout(wait) == Err(mpsc::RecvTimeoutError::Timeout) {
                if caught_up.is_set() {
                    wait = mirror.look();
                }
            }
        };
        let thread = std::thread::Builder::new().name("folder-artifacts".into()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for ArtifactReader {
    fn drop(&mut self) {
        drop(self.stop.take());
        // One that panicked has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
