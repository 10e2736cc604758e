//! The loop that looks at directories and journals when they are due, and feeds the store.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use steplog_journal::Chunk;
use steplog_model::RunPath;
use steplog_protocol::{ErrorKind, IngestResponse, RunsRequest};
use steplog_store::{Error, Ingest, Store};

use super::journal::{Journal, Piece};
use super::tree::{Directory, Found};
use super::{CaughtUp, FolderCache, RunFolders, cache};

/// Bytes that wait in the store at most.
const MAX_WAITING_BYTES: usize = 64 << 20;

/// How long to wait after the store or the file system refused for a time.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// What the thread is told.
pub(super) enum Message {
    /// The store is done with a piece of a journal.
    Done {
        journal: usize,
        bytes: usize,
        /// Whether the piece was sent only so that the store records what is wrong with it.
        was_damaged: bool,
        result: Result<IngestResponse, Error>,
    },
    /// The reader is dropped.
    Stop,
}

/// An index into the poller's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Directory(usize),
    Journal(usize),
}

pub(super) struct Poller {
    root: PathBuf,
    store: Arc<Store>,
    cache_directory: PathBuf,
    messages: mpsc::Sender<Message>,
    caught_up: Arc<CaughtUp>,
    runs: RunFolders,
    /// `None` where one is gone.
    directories: Vec<Option<Directory>>,
    journals: Vec<Option<Journal>>,
    due: BinaryHeap<Reverse<(Instant, Item)>>,
    waiting_bytes: usize,
    is_caught_up: bool,
}

impl Poller {
    pub(super) fn new(
        root: PathBuf,
        cache: &FolderCache,
        messages: mpsc::Sender<Message>,
        caught_up: Arc<CaughtUp>,
        runs: RunFolders,
    ) -> Self {
        let first = Directory::new(root.clone(), 0);
        Self {
            root,
            store: cache.store().clone(),
            cache_directory: cache.directory().into(),
            messages,
            caught_up,
            runs,
            directories: vec![Some(first)],
            journals: Vec::new(),
            due: BinaryHeap::from([Reverse((Instant::now(), Item::Directory(0)))]),
            waiting_bytes: 0,
            is_caught_up: false,
        }
    }

    pub(super) fn run(mut self, inbox: &mpsc::Receiver<Message>) {
        loop {
            let message = match self.wait_time() {
                Duration::ZERO => inbox.try_recv().ok(),
                wait => inbox.recv_timeout(wait).ok(),
            };
            match message {
                Some(Message::Stop) => return,
                Some(Message::Done { journal, bytes, was_damaged, result }) => {
                    self.waiting_bytes -= bytes;
                    if !was_damaged {
                        self.done(journal, result);
                    }
                }
                None => self.look_at_next(),
            }
        }
    }

    /// How long until something is due; here the first pass is seen to be over.
    fn wait_time(&mut self) -> Duration {
        if self.waiting_bytes >= MAX_WAITING_BYTES {
            return RETRY_INTERVAL;
        }
        let wait = match self.due.peek() {
            Some(Reverse((due, _))) => due.saturating_duration_since(Instant::now()),
            None => RETRY_INTERVAL,
        };
        if !self.is_caught_up && !wait.is_zero() && self.waiting_bytes == 0 {
            self.is_caught_up = true;
            if let Err(error) = self.forget_what_left() {
                tracing::warn!("the cache of {} could not be compared with it: {error}", self.root.display());
            }
            self.caught_up.set(self.journals.iter().flatten().count());
        }
        wait
    }

    fn look_at_next(&mut self) {
        let now = Instant::now();
        if self.waiting_bytes >= MAX_WAITING_BYTES || self.due.peek().is_none_or(|Reverse((due, _))| *due > now) {
            return;
        }
        match self.due.pop() {
            Some(Reverse((_, Item::Directory(index)))) => self.look_at_directory(index),
            Some(Reverse((_, Item::Journal(index)))) => self.look_at_journal(index),
            None => {}
        }
    }

    fn look_again(&mut self, item: Item, wait: Duration) {
        self.due.push(Reverse((Instant::now() + wait, item)));
    }

    fn look_at_directory(&mut self, index: usize) {
        let count = self.directories.len();
        let Some(directory) = &mut self.directories[index] else { return };
        let found = match directory.look() {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound && index != 0 => {
                self.directories[index] = None;
                return;
            }
            Err(error) => {
                tracing::debug!("{} cannot be read: {error}", directory.path().display());
                Found::default()
            }
        };
        let (depth, interval) = (directory.depth(), directory.interval(count));
        for path in found.directories {
            self.directories.push(Some(Directory::new(path, depth + 1)));
            self.look_again(Item::Directory(self.directories.len() - 1), Duration::ZERO);
        }
        if let Some(path) = found.artifacts {
            self.runs.artifacts().add(path);
        }
        for (path, stream) in found.journals {
            self.journals.push(Some(Journal::new(path, stream)));
            self.look_again(Item::Journal(self.journals.len() - 1), Duration::ZERO);
        }
        self.look_again(Item::Directory(index), interval);
    }

    fn look_at_journal(&mut self, index: usize) {
        let Some(journal) = &mut self.journals[index] else {
            return;
        };
        let path = match journal.run().cloned() {
            Some(path) => path,
            None => match begin(journal, &self.store) {
                Ok(Some(path)) => {
                    self.runs.add(&path, journal.folder());
                    path
                }
                Ok(None) => {
                    let interval = journal.interval();
                    return self.look_again(Item::Journal(index), interval);
                }
                Err(reason) => {
                    tracing::warn!("a journal cannot be shown: {reason}: {}", journal.folder().display());
                    self.journals[index] = None;
                    return;
                }
            },
        };
        let (folder, stream, interval) = (journal.folder().to_owned(), journal.stream(), journal.interval());
        match journal.read() {
            Ok(Piece::End) => self.look_again(Item::Journal(index), interval),
            Ok(Piece::Frames(Chunk { offset, bytes })) => {
                self.ingest(index, false, Ingest { path, stream, offset, bytes, gap_allowed: true });
            }
            Ok(Piece::Damaged(Chunk { offset, bytes })) => {
                tracing::warn!(run = %path, %stream, "{path} is damaged at byte {offset}: {}", folder.display());
                // The next segment stands by itself. Without one the place is looked at again: nothing stands behind it.
                let wait = if journal.pass_damage(offset) { Duration::ZERO } else { interval };
                self.look_again(Item::Journal(index), wait);
                self.ingest(index, true, Ingest { path, stream, offset, bytes, gap_allowed: true });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.exists() => self.remove(index, &path),
            Err(error) => {
                tracing::debug!("{} cannot be read: {error}", folder.display());
                self.look_again(Item::Journal(index), RETRY_INTERVAL);
            }
        }
    }

    fn ingest(&mut self, journal: usize, was_damaged: bool, request: Ingest) {
        let (messages, bytes) = (self.messages.clone(), request.bytes.len());
        self.waiting_bytes += bytes;
        self.store.ingest(
            request,
            Box::new(move |result| {
                // The poller is gone when the reader is: nobody to tell then.
                let _ = messages.send(Message::Done { journal, bytes, was_damaged, result });
            }),
        );
    }

    fn done(&mut self, index: usize, result: Result<IngestResponse, Error>) {
        let Some(journal) = &mut self.journals[index] else {
            return;
        };
        let wait = match result {
            Ok(response) if journal.advance(response.durable_offset) => Duration::ZERO,
            Ok(_) => RETRY_INTERVAL,
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                tracing::warn!("reading {} waits: {error}", journal.folder().display());
                RETRY_INTERVAL
            }
            Err(error) => {
                tracing::warn!("a journal cannot be shown whole: {error}: {}", journal.folder().display());
                match error.ingest_response().map(|response| journal.pass_damage(response.durable_offset)) {
                    Some(true) => Duration::ZERO,
                    _ => {
                        // It may be a run that left the folder and came back, which the store refuses.
                        cache::mark_stale(&self.cache_directory);
                        self.journals[index] = None;
                        return;
                    }
                }
            }
        };
        self.look_again(Item::Journal(index), wait);
    }

    /// A journal's folder is gone: so is its run, unless another journal feeds it or everything is gone (an unmounted
    /// disk is no wish to delete).
    fn remove(&mut self, index: usize, path: &RunPath) {
        self.journals[index] = None;
        if self.root.exists() && !self.journals.iter().flatten().any(|journal| journal.run() == Some(path)) {
            self.forget(path);
        }
    }

    /// Removes the runs from the store that the folder no longer has.
    fn forget_what_left(&self) -> Result<(), Error> {
        let present: HashSet<&RunPath> = self.journals.iter().flatten().filter_map(Journal::run).collect();
        for project in self.store.projects()?.projects {
            let mut request = RunsRequest {
                project: format!("{}/{}", project.entity, project.name),
                limit: Some(5_000),
                ..RunsRequest::default()
            };
            loop {
                let page = self.store.runs(&request)?;
                let paths = page.runs.iter().map(|run| format!("{}/{}", request.project, run.id).parse());
                let gone = paths.filter_map(Result::ok).filter(|path: &RunPath| !present.contains(path));
                gone.for_each(|path| self.forget(&path));
                request.cursor = page.next_cursor;
                if request.cursor.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn forget(&self, path: &RunPath) {
        self.runs.remove(path);
        cache::mark_stale(&self.cache_directory);
        match self.store.delete_run(path) {
            Ok(()) => tracing::info!(run = %path, "{path} left the folder"),
            Err(error) => tracing::warn!(run = %path, "{path} left the folder, but not the cache: {error}"),
        }
    }
}

/// Finds out which run a journal is of, and goes on where the store left off.
fn begin(journal: &mut Journal, store: &Store) -> Result<Option<RunPath>, String> {
    let stream = journal.stream();
    let Some(path) = journal.identify()?.cloned() else {
        return Ok(None);
    };
    let response = store.durable_offset(&path, stream).map_err(|error| error.to_string())?;
    journal.advance(response.durable_offset);
    Ok(Some(path))
}
