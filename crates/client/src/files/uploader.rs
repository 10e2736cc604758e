//! The thread that keeps a server's files those of a live run. It begins with the first file: most runs have none.
//!
//! Files are looked at now and then, large ones less often. A live file is sent when it was the same at two looks; one
//! that never rests, such as a log, is sent up to where it was. A large file is sent in turns, so that it holds up nothing
//! else, and journals have a thread of their own.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use steplog_journal::{RunFolder, saved_files};
use steplog_model::{FilePath, FilePolicy, RunPath, SavedFile};

use crate::children::Children;
use crate::files::send::{Fingerprint, SendError, Sending, Step};
use crate::files::sent::SentFiles;
use crate::files::tree::{Leaf, leaves};
use crate::fork;
use crate::local::{Uploaded, UploadedTo};
use crate::message::Verbosity;
use crate::run::{Identity, lock};
use crate::settings::Resolved;
use crate::transport::{Http, TransportError};
use crate::uploader::progress_bar;

/// How often what is due is looked for.
const TICK: Duration = Duration::from_millis(250);

/// A small file is looked at so often …
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// … and a large one a second less often for so many bytes.
const BYTES_PER_SECOND: u64 = 64 << 20;
const LONGEST_LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// A file whose last change is not older may be in the middle of another, which its time would not show.
const SETTLED_AFTER: Duration = Duration::from_millis(100);

/// A live file that changed at every look for so long is sent up to where it is.
const RESTLESS_AFTER: Duration = Duration::from_secs(10);

/// The share of time that sending one and the same file may take: one in so many.
const REST_FACTOR: u32 = 4;

/// A larger file is sent in turns of so long.
const LARGE_BYTES: u64 = 32 << 20;
const TURN: Duration = Duration::from_secs(1);

/// Waiting after the server did not answer, doubled with each further time.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
const LONGEST_FINAL_BACKOFF: Duration = Duration::from_millis(500);

/// A file that the server refused, or that changed while it was read, is tried so often when the run ends.
const LAST_TRIES: u32 = 4;

/// `finish` gives up so long after the server stopped answering.
const FAILING_PATIENCE: Duration = Duration::from_secs(5);

/// The files of a live run, for the process that began it.
pub(crate) struct FileUploader {
    inner: Arc<Inner>,
    generation: u32,
}

struct Inner {
    identity: Identity,
    folder: RunFolder,
    base_url: String,
    api_key: Option<String>,
    verbosity: Verbosity,
    status: Mutex<Status>,
    changed: Condvar,
    children: Mutex<Children>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Status {
    /// Saved, and not taken in by the thread yet.
    added: Vec<(FilePath, FilePolicy)>,
    is_started: bool,
    draining: bool,
    abandoned: bool,
    /// Everything that was saved was sent, or given up.
    is_done: bool,
    /// Since when the server does not answer.
    failing_since: Option<Instant>,
    /// While draining: what is still to be sent, as far as known.
    left: FilesLeft,
    sent_bytes: u64,
}

/// What a server is still missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilesLeft {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

impl FileUploader {
    /// For an online run.
    pub(crate) fn new(identity: &Identity, folder: &RunFolder, settings: &Resolved) -> Self {
        let inner = Inner {
            identity: identity.clone(),
            folder: folder.clone(),
            base_url: settings.base_url.clone(),
            api_key: settings.api_key.clone(),
            verbosity: settings.verbosity,
            status: Mutex::default(),
            changed: Condvar::new(),
            children: Mutex::default(),
            thread: Mutex::default(),
        };
        Self { inner: Arc::new(inner), generation: fork::generation() }
    }

    /// Another handle, for the uploader's thread.
    pub(crate) fn share(&self) -> Self {
        Self { inner: self.inner.clone(), generation: self.generation }
    }

    /// Whether this is the process that sends: in a forked child nothing here may be touched.
    fn is_own(&self) -> bool {
        self.generation == fork::generation()
    }

    /// Takes in what was just saved.
    pub(crate) fn add(&self, files: &[SavedFile]) {
        if self.is_own() && !files.is_empty() {
            self.inner.add(files.iter().map(|file| (file.path.clone(), file.policy)).collect());
        }
    }

    /// Takes in what forked children saved: they have no thread of their own. Cheap when called often.
    pub(crate) fn look_at_children(&self) {
        if self.is_own() && fork::count() > 0 {
            self.inner.look_at_children(false);
        }
    }

    /// Whether the server has everything that was saved, as far as it can be had.
    pub(crate) fn is_settled(&self) -> bool {
        if !self.is_own() {
            return true;
        }
        let status = lock(&self.inner.status);
        !status.is_started || status.is_done
    }

    /// Ends the thread without sending what is left.
    pub(crate) fn stop(&self) {
        if self.is_own() {
            lock(&self.inner.status).abandoned = true;
            self.inner.changed.notify_all();
        }
    }

    /// Lets the thread send what is left, and waits for that: until `timeout`, or until the server has not answered for a
    /// while. The thread goes on afterwards as long as the process lives. Answers what is still missing.
    ///
    /// `interrupted` is asked every 50 ms whether to stop waiting.
    pub(crate) fn drain(
        &self,
        timeout: Duration,
        verbosity: Verbosity,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> FilesLeft {
        if !self.is_own() {
            return FilesLeft::default();
        }
        if fork::count() > 0 {
            self.inner.look_at_children(true);
        }
        let begun = Instant::now();
        let mut bar = None;
        let mut status = lock(&self.inner.status);
        if !status.is_started {
            return FilesLeft::default();
        }
        status.draining = true;
        let first = status.sent_bytes;
        self.inner.changed.notify_all();
        while !status.is_done && begun.elapsed() < timeout {
            let patience = FAILING_PATIENCE.min(timeout);
            if status.failing_since.is_some_and(|since| since.elapsed().min(begun.elapsed()) >= patience) {
                break;
            }
            if begun.elapsed() > Duration::from_millis(300) && verbosity.shows_progress() {
                let bar = bar.get_or_insert_with(progress_bar);
                let sent = status.sent_bytes - first;
                bar.set_length(sent + status.left.bytes);
                bar.set_position(sent);
                bar.set_message("sending files");
            }
            let waited = self.inner.changed.wait_timeout(status, Duration::from_millis(50));
            drop(waited.unwrap_or_else(PoisonError::into_inner).0);
            // Asked without the lock: it may take long.
            let stop_waiting = interrupted();
            status = lock(&self.inner.status);
            if stop_waiting {
                break;
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        if !status.is_done {
            return FilesLeft { files: status.left.files.max(1), ..status.left };
        }
        drop(status);
        if let Some(thread) = lock(&self.inner.thread).take() {
            // The thread's last act was to say that it is done.
            let _ = thread.join();
        }
        FilesLeft::default()
    }
}

impl Inner {
    fn add(self: &Arc<Self>, files: Vec<(FilePath, FilePolicy)>) {
        let mut status = lock(&self.status);
        status.added.extend(files);
        status.is_done = false;
        if !std::mem::replace(&mut status.is_started, true) {
            let worker = Worker::new(self.clone());
            // Without a thread `steplog sync` sends the files.
            *lock(&self.thread) =
                std::thread::Builder::new().name("steplog-files".into()).spawn(move || worker.run()).ok();
        }
        self.changed.notify_all();
    }

    fn look_at_children(self: &Arc<Self>, now: bool) {
        let files = lock(&self.children).look(now, &self.folder, self.identity.stream, saved_files);
        if !files.is_empty() {
            self.add(files.into_iter().map(|file| (file.path, file.policy)).collect());
        }
    }

    /// Notes that the journals of this process and its children have no files left to send.
    fn note_done(&self) {
        let streams = lock(&self.children).streams().into_iter().chain([self.identity.stream]);
        let journals = streams.map(|stream| self.folder.journal(stream));
        Uploaded::change(journals, &self.base_url, |to| UploadedTo { files_pending: false, ..to });
    }
}

/// What was saved: a file, or a folder with files.
struct Saved {
    policy: FilePolicy,
    files: BTreeMap<FilePath, Watched>,
    /// When it is looked for again, while nothing is there.
    look_at: Instant,
    /// Nothing is there, and the run ends.
    is_gone: bool,
}

/// A file of what was saved.
struct Watched {
    /// As it was at the last look.
    seen: Option<Fingerprint>,
    /// Since when it was another one at every look.
    restless_since: Option<Instant>,
    /// As the server has it.
    sent: Option<Fingerprint>,
    look_at: Instant,
    tries: u32,
    /// Nothing more is to be done, whatever becomes of it.
    is_over: bool,
}

impl Watched {
    fn new(sent: Option<Fingerprint>) -> Self {
        Self { seen: None, restless_since: None, sent, look_at: Instant::now(), tries: 0, is_over: false }
    }

    /// Whether a file that was found so is to be sent now; if so, whether only up to where it is.
    fn is_due(&mut self, print: Fingerprint, policy: FilePolicy, draining: bool) -> Option<bool> {
        let before = self.seen.replace(print);
        if self.sent == Some(print) {
            self.restless_since = None;
            return None;
        }
        match policy {
            FilePolicy::End if !draining => None,
            FilePolicy::Live if !draining => {
                if before == Some(print) && is_settled(print) {
                    self.restless_since = None;
                    return Some(false);
                }
                let since = *self.restless_since.get_or_insert_with(Instant::now);
                (since.elapsed() >= RESTLESS_AFTER).then_some(true)
            }
            // What another process goes on writing at the very end is sent up to where it is.
            _ => Some(draining && self.tries + 1 >= LAST_TRIES),
        }
    }
}

fn is_settled(print: Fingerprint) -> bool {
    let modified = SystemTime::UNIX_EPOCH + Duration::from_nanos(print.modified_nanos);
    // A time to come is that of another clock, and tells nothing.
    SystemTime::now().duration_since(modified).map_or(true, |age| age >= SETTLED_AFTER)
}

fn look_interval(size_bytes: u64) -> Duration {
    (LOOK_INTERVAL + Duration::from_secs(size_bytes / BYTES_PER_SECOND)).min(LONGEST_LOOK_INTERVAL)
}

/// A file that is to be sent.
struct Due {
    /// What it was saved as.
    saved: FilePath,
    leaf: Leaf,
    policy: FilePolicy,
    may_grow: bool,
}

/// A large file that is being sent in turns.
struct Large {
    saved: FilePath,
    path: FilePath,
    sending: Sending,
    begun: Instant,
}

struct Worker {
    inner: Arc<Inner>,
    run: RunPath,
    transport: Http,
    saved: BTreeMap<FilePath, Saved>,
    sent: SentFiles,
    large: Option<Large>,
    draining: bool,
    failures: u32,
    retry_at: Option<Instant>,
}

impl Worker {
    fn new(inner: Arc<Inner>) -> Self {
        Self {
            run: inner.identity.path(),
            transport: Http::new(&inner.base_url, inner.api_key.as_deref()),
            saved: BTreeMap::new(),
            sent: SentFiles::load(inner.folder.path(), &inner.base_url),
            large: None,
            draining: false,
            failures: 0,
            retry_at: None,
            inner,
        }
    }

    fn run(mut self) {
        while self.take_in() {
            let due = self.look();
            if self.retry_at.is_none_or(|retry| Instant::now() >= retry) {
                self.send(due);
            }
            self.sent.store();
            let left = self.left();
            let mut status = lock(&self.inner.status);
            status.left = left;
            status.failing_since = match self.failures {
                0 => None,
                _ => status.failing_since.or_else(|| Some(Instant::now())),
            };
            if self.draining && left.files == 0 && status.added.is_empty() {
                drop(status);
                self.inner.note_done();
                status = lock(&self.inner.status);
                status.is_done = status.added.is_empty();
                if status.is_done {
                    self.inner.changed.notify_all();
                    return;
                }
            }
            self.inner.changed.notify_all();
            if self.large.is_none() || self.failures > 0 {
                self.wait(status);
            }
        }
    }

    /// Learns what was asked for meanwhile; `false` when the thread is to end.
    fn take_in(&mut self) -> bool {
        let mut status = lock(&self.inner.status);
        for (path, policy) in std::mem::take(&mut status.added) {
            if self.large.as_ref().is_some_and(|large| large.saved == path) {
                self.large = None;
            }
            let saved = Saved { policy, files: BTreeMap::new(), look_at: Instant::now(), is_gone: false };
            self.saved.insert(path, saved);
        }
        if status.draining && !self.draining {
            self.draining = true;
            self.retry_at = None;
            for watched in self.saved.values_mut().flat_map(|saved| saved.files.values_mut()) {
                watched.tries = 0;
            }
        }
        !status.abandoned
    }

    fn wait(&self, status: MutexGuard<'_, Status>) {
        let pause = if self.draining && self.failures == 0 { Duration::from_millis(20) } else { TICK };
        let idle =
            |status: &mut Status| status.draining == self.draining && !status.abandoned && status.added.is_empty();
        drop(self.inner.changed.wait_timeout_while(status, pause, idle));
    }

    /// Looks at what is due to be looked at; answers what is to be sent, the smallest first.
    fn look(&mut self) -> Vec<Due> {
        let (now, draining, folder) = (Instant::now(), self.draining, self.inner.folder.files());
        let mut due = Vec::new();
        for (path, saved) in &mut self.saved {
            let mut files = saved.files.values();
            let wants_look = match saved.files.is_empty() {
                true => saved.look_at <= now,
                false => files.any(|watched| !watched.is_over && watched.look_at <= now),
            };
            if !draining && !wants_look || saved.is_gone {
                continue;
            }
            let Ok(leaves) = leaves(&folder, path) else {
                // It is gone, or not there yet. Should it come it is seen.
                saved.look_at = now + LOOK_INTERVAL;
                saved.files.values_mut().for_each(|watched| watched.look_at = now + LOOK_INTERVAL);
                if draining {
                    saved.is_gone = true;
                    if saved.files.values().all(|watched| watched.sent.is_none()) {
                        self.inner.verbosity.warn(&format!("the file {path} is gone, and was not sent"));
                    }
                }
                continue;
            };
            saved.look_at = now + look_interval(0);
            for leaf in leaves {
                let sent = || self.sent.get(&leaf.path);
                let watched = saved.files.entry(leaf.path.clone()).or_insert_with(|| Watched::new(sent()));
                if watched.is_over || !draining && watched.look_at > now {
                    continue;
                }
                let print = Fingerprint::of(&leaf.found);
                watched.look_at = now + look_interval(print.size_bytes);
                if self.large.as_ref().is_some_and(|large| large.path == leaf.path) {
                    continue;
                }
                match watched.is_due(print, saved.policy, draining) {
                    Some(may_grow) => due.push(Due { saved: path.clone(), leaf, policy: saved.policy, may_grow }),
                    // It is as the server has it, and nobody will ask again.
                    None => watched.is_over = draining || saved.policy == FilePolicy::Now,
                }
            }
        }
        due.sort_by_key(|due| due.leaf.found.len());
        due
    }

    fn send(&mut self, due: Vec<Due>) {
        for Due { saved, leaf, policy, may_grow } in due {
            let is_large = leaf.found.len() > LARGE_BYTES;
            if is_large && self.large.is_some() {
                continue;
            }
            let begun = Instant::now();
            let sending = Sending::begin(&leaf.place, &leaf.path, policy, may_grow);
            let step = match sending {
                Ok(sending) if is_large => {
                    self.large = Some(Large { saved, path: leaf.path, sending, begun });
                    continue;
                }
                sending => sending.and_then(|mut sending| self.step(&mut sending, None)),
            };
            if !self.judge(&saved, &leaf.path, step, begun) {
                return;
            }
        }
        if let Some(mut large) = self.large.take() {
            match self.step(&mut large.sending, Some(Instant::now() + TURN)) {
                Ok(Step::Going) => {
                    self.succeeded();
                    self.large = Some(large);
                }
                // It goes on where it is, once the server answers.
                Err(SendError::Transport(error)) if !matches!(error, TransportError::Refused(_)) => {
                    self.failed();
                    self.large = Some(large);
                }
                step => drop(self.judge(&large.saved, &large.path, step, large.begun)),
            }
        }
    }

    fn step(&self, sending: &mut Sending, until: Option<Instant>) -> Result<Step, SendError> {
        let mut each = |bytes| {
            let mut status = lock(&self.inner.status);
            status.sent_bytes += bytes;
            status.left.bytes = status.left.bytes.saturating_sub(bytes);
            !status.abandoned
        };
        sending.step(&self.run, &self.transport, until, &mut each)
    }

    /// Notes how a file fared; whether to go on with others.
    fn judge(&mut self, saved: &FilePath, path: &FilePath, step: Result<Step, SendError>, begun: Instant) -> bool {
        let Some(entry) = self.saved.get_mut(saved) else { return true };
        let policy = entry.policy;
        let Some(watched) = entry.files.get_mut(path) else { return true };
        watched.tries += 1;
        let is_last = self.draining && watched.tries >= LAST_TRIES;
        let trouble = match step {
            Ok(Step::Done(print)) => {
                watched.tries = 0;
                watched.sent = Some(print);
                watched.is_over = policy == FilePolicy::Now;
                watched.look_at = watched.look_at.max(Instant::now() + begun.elapsed() * REST_FACTOR);
                self.sent.insert(path, print);
                self.succeeded();
                return true;
            }
            // Everything is to end: nothing was decided.
            Ok(Step::Going) => return false,
            Err(SendError::Transport(TransportError::Refused(reason))) => {
                watched.look_at = Instant::now() + FIRST_BACKOFF * (1 << watched.tries.min(10));
                format!("the server refuses it: {reason}")
            }
            Err(SendError::Transport(_)) => {
                // The journal's uploader says so.
                watched.tries -= 1;
                self.failed();
                return false;
            }
            Err(SendError::Unreadable(error)) => error.to_string(),
            Err(SendError::Changed) if !is_last => return true,
            Err(SendError::Changed) => "it changes while it is read".into(),
        };
        watched.is_over = is_last;
        if is_last || watched.tries == LAST_TRIES {
            self.inner.verbosity.warn(&format!("the file {path} was not sent: {trouble}"));
        }
        true
    }

    fn succeeded(&mut self) {
        self.failures = 0;
        self.retry_at = None;
    }

    fn failed(&mut self) {
        self.failures += 1;
        let longest = if self.draining { LONGEST_FINAL_BACKOFF } else { LONGEST_BACKOFF };
        let backoff = FIRST_BACKOFF.saturating_mul(1 << (self.failures - 1).min(10)).min(longest);
        self.retry_at = Some(Instant::now() + backoff);
    }

    /// What is still to be sent before the run can end.
    fn left(&self) -> FilesLeft {
        let mut left = FilesLeft::default();
        for saved in self.saved.values().filter(|saved| self.draining && !saved.is_gone) {
            left.files += usize::from(saved.files.is_empty());
            for watched in saved.files.values().filter(|watched| !watched.is_over) {
                left.files += 1;
                left.bytes += watched.seen.map_or(0, |seen| seen.size_bytes);
            }
        }
        left
    }
}
