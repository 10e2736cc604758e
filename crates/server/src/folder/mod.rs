//! A folder of local runs, finished or still growing, fed into a store through the same ingest that clients use.
//!
//! A thread polls: directories by their modification times, journals at their known ends. Nothing is written into the
//! folder. Polling is what works for mapped files and on network file systems; how often depends on how long ago
//! something last moved, so that a live run is read four times a second and ten thousand old ones cost next to nothing.

mod artifacts;
mod cache;
mod files;
mod journal;
mod poller;
mod runs;
mod tree;

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

pub(crate) use artifacts::find_bytes;
pub use cache::FolderCache;
pub(crate) use files::FolderFiles;
pub use runs::RunFolders;
pub use tree::find_run_folders;

use artifacts::ArtifactReader;
use poller::{Message, Poller};

/// The threads that read a folder; they end when this is dropped.
pub struct FolderReader {
    messages: mpsc::Sender<Message>,
    caught_up: Arc<CaughtUp>,
    runs: RunFolders,
    thread: Option<JoinHandle<()>>,
    _artifacts: ArtifactReader,
}

/// Whether everything that was there at the start has been read; how many journals that were.
#[derive(Default)]
struct CaughtUp {
    journals: Mutex<Option<usize>>,
    changed: Condvar,
}

impl FolderReader {
    /// Begins to read the runs below `folder`: `<any>/steplog/<project>/<run id>`, or a part of such a tree.
    ///
    /// # Errors
    /// The folder cannot be read, or no thread could be started.
    pub fn start(folder: &Path, cache: &FolderCache) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        std::fs::read_dir(&folder)?;
        let caught_up = Arc::<CaughtUp>::default();
        let (messages, inbox) = mpsc::channel();
        let runs = RunFolders::new(folder.clone());
        let (found, store) = (runs.artifacts().clone(), cache.store().clone());
        let artifacts = ArtifactReader::start(folder.clone(), found, store, caught_up.clone())?;
        let poller = Poller::new(folder, cache, messages.clone(), caught_up.clone(), runs.clone());
        let thread = std::thread::Builder::new().name("folder".into()).spawn(move || poller.run(&inbox))?;
        Ok(Self { messages, caught_up, runs, thread: Some(thread), _artifacts: artifacts })
    }

    /// Where the runs stand, as far as they were found; it goes on being filled.
    pub fn run_folders(&self) -> RunFolders {
        self.runs.clone()
    }

    /// Waits until everything that was there at the start has been read, and answers how many journals there were.
    pub fn wait_until_caught_up(&self) -> usize {
        let journals = self.caught_up.journals.lock().unwrap_or_else(PoisonError::into_inner);
        let journals = self.caught_up.changed.wait_while(journals, |journals| journals.is_none());
        journals.unwrap_or_else(PoisonError::into_inner).unwrap_or(0)
    }

    /// As [`Self::wait_until_caught_up`], but for no longer than `patience`; whether everything has been read.
    pub fn is_caught_up_within(&self, patience: Duration) -> bool {
        let journals = self.caught_up.journals.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.caught_up.changed.wait_timeout_while(journals, patience, |journals| journals.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }
}

impl CaughtUp {
    fn is_set(&self) -> bool {
        self.journals.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn set(&self, count: usize) {
        self.journals.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(count);
        self.changed.notify_all();
    }
}

impl Drop for FolderReader {
    fn drop(&mut self) {
        // A thread that is gone needs no message; one that panicked has said so.
        let _ = self.messages.send(Message::Stop);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
