//! The thread that sends the artifacts of a live run, one after the other. It begins with the first: most runs have none.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use steplog_journal::{RunFolder, artifact_records};
use steplog_model::{ArtifactId, ArtifactRecord};

use super::early::EarlyThread;
use super::post::{Post, PostError, Posted};
use super::ship::ShipPulse;
use crate::children::Children;
use crate::fork;
use crate::local::{Uploaded, UploadedTo};
use crate::message::Verbosity;
use crate::run::{Identity, lock};
use crate::settings::Resolved;
use crate::transport::{Http, TransportError};
use crate::uploader::progress_bar;

/// Waiting after the server did not answer, doubled with each further time.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
const LONGEST_FINAL_BACKOFF: Duration = Duration::from_millis(500);

/// `finish` gives up so long after the server stopped answering.
const FAILING_PATIENCE: Duration = Duration::from_secs(5);

/// The artifacts of a live run, for the process that began it.
#[derive(Clone)]
pub(crate) struct ArtifactUploader {
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
    pulse: ShipPulse,
    children: Mutex<Children>,
    /// Threads that send what is not logged yet.
    early: Mutex<Vec<EarlyThread>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Status {
    waiting: VecDeque<ArtifactRecord>,
    /// Calls that were taken in, so that a journal that is read twice makes no two.
    known: HashSet<ArtifactId>,
    is_started: bool,
    draining: bool,
    abandoned: bool,
    /// Whether the server ever answered.
    reached: bool,
    /// Since when it does not.
    failing_since: Option<Instant>,
    /// Why it does not let us, when it was last asked.
    unauthorized: Option<String>,
    /// Bytes of what waits behind the one that is being sent.
    waiting_bytes: u64,
}

/// What a server is still missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ArtifactsLeft {
    pub(crate) artifacts: usize,
    pub(crate) bytes: u64,
}

/// Whether there is a server, as far as the thread found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Nothing was tried yet, or it answers, or it did before.
    Likely,
    /// It never answered, for so long.
    Absent(Duration),
    /// It does not let us, and why.
    Closed(String),
}

impl std::fmt::Debug for ArtifactUploader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArtifactUploader").finish_non_exhaustive()
    }
}

impl ArtifactUploader {
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
            pulse: ShipPulse::default(),
            children: Mutex::default(),
            early: Mutex::default(),
            thread: Mutex::default(),
        };
        Self { inner: Arc::new(inner), generation: fork::generation() }
    }

    /// Whether this is the process that sends: in a forked child nothing here may be touched.
    pub(crate) fn is_own(&self) -> bool {
        self.generation == fork::generation()
    }

    /// Keeps the thread that sends the files of a draft: what it has on its way when the draft is logged is waited for.
    pub(crate) fn keep_early(&self, thread: EarlyThread) {
        lock(&self.inner.early).push(thread);
    }

    /// Takes in what was just recorded.
    pub(crate) fn add(&self, record: ArtifactRecord) {
        if self.is_own() {
            self.inner.add([record]);
        }
    }

    /// Takes in what forked children recorded: they have no thread of their own. Cheap when called often.
    pub(crate) fn look_at_children(&self) {
        if self.is_own() && fork::count() > 0 {
            self.inner.look_at_children(false);
        }
    }

    /// Whether the server has everything, as far as it can be had.
    pub(crate) fn is_settled(&self) -> bool {
        !self.is_own() || lock(&self.inner.status).waiting.is_empty()
    }

    /// How many bytes were sent so far, and how many are known to be left.
    pub(crate) fn progress(&self) -> (u64, u64) {
        if !self.is_own() {
            return (0, 0);
        }
        let pulse = &self.inner.pulse;
        let waiting = lock(&self.inner.status).waiting_bytes;
        (pulse.sent_bytes.load(Ordering::Relaxed), pulse.left_bytes.load(Ordering::Relaxed) + waiting)
    }

    /// Whether there is a server.
    pub(crate) fn presence(&self) -> Presence {
        match &*lock(&self.inner.status) {
            Status { unauthorized: Some(reason), .. } => Presence::Closed(reason.clone()),
            Status { reached: false, failing_since: Some(since), .. } => Presence::Absent(since.elapsed()),
            _ => Presence::Likely,
        }
    }

    /// Waits a moment, or until something has changed.
    pub(crate) fn wait_a_moment(&self, moment: Duration) {
        let status = lock(&self.inner.status);
        drop(self.inner.changed.wait_timeout(status, moment));
    }

    /// Ends the thread without sending what is left.
    pub(crate) fn stop(&self) {
        if self.is_own() {
            lock(&self.inner.status).abandoned = true;
            self.inner.pulse.stop.store(true, Ordering::Relaxed);
            self.inner.changed.notify_all();
        }
    }

    /// Waits until everything is sent: until `timeout`, or until the server has not answered for a while. The thread goes
    /// on afterwards as long as the process lives. Answers what is still missing.
    ///
    /// `interrupted` is asked every 50 ms whether to stop waiting.
    pub(crate) fn drain(
        &self,
        timeout: Duration,
        verbosity: Verbosity,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> ArtifactsLeft {
        if !self.is_own() {
            return ArtifactsLeft::default();
        }
        self.inner.look_at_children(true);
        let begun = Instant::now();
        let pulse = &self.inner.pulse;
        let first = pulse.sent_bytes.load(Ordering::Relaxed);
        let mut bar = None;
        let mut status = lock(&self.inner.status);
        status.draining = true;
        self.inner.changed.notify_all();
        while !status.waiting.is_empty() && begun.elapsed() < timeout {
            let patience = FAILING_PATIENCE.min(timeout);
            if status.failing_since.is_some_and(|since| since.elapsed().min(begun.elapsed()) >= patience) {
                break;
            }
            if begun.elapsed() > Duration::from_millis(300) && verbosity.shows_progress() {
                let bar = bar.get_or_insert_with(progress_bar);
                let sent = pulse.sent_bytes.load(Ordering::Relaxed) - first;
                bar.set_length(sent + pulse.left_bytes.load(Ordering::Relaxed) + status.waiting_bytes);
                bar.set_position(sent);
                bar.set_message("sending artifacts");
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
        let bytes = pulse.left_bytes.load(Ordering::Relaxed) + status.waiting_bytes;
        match status.waiting.len() {
            0 => ArtifactsLeft::default(),
            artifacts => ArtifactsLeft { artifacts, bytes },
        }
    }
}

impl Inner {
    fn add(self: &Arc<Self>, records: impl IntoIterator<Item = ArtifactRecord>) {
        let mut status = lock(&self.status);
        for record in records {
            let is_new = match &record {
                ArtifactRecord::Logged(logged) => status.known.insert(logged.id),
                ArtifactRecord::Linked(_) => true,
                // The journal says it, and that is all there is to say.
                ArtifactRecord::Used(_) => false,
            };
            if is_new {
                status.waiting_bytes += size(&record);
                status.waiting.push_back(record);
            }
        }
        if !status.waiting.is_empty() && !std::mem::replace(&mut status.is_started, true) {
            let worker = Worker::new(self.clone());
            // Without a thread `steplog sync` sends them.
            *lock(&self.thread) =
                std::thread::Builder::new().name("steplog-artifacts".into()).spawn(move || worker.run()).ok();
        }
        self.changed.notify_all();
    }

    fn look_at_children(self: &Arc<Self>, now: bool) {
        let records = lock(&self.children).look(now, &self.folder, self.identity.stream, artifact_records);
        if !records.is_empty() {
            self.add(records);
        }
    }

    /// Notes that the journals of this process and its children have no artifacts left to send.
    fn note_done(&self) {
        let streams = lock(&self.children).streams().into_iter().chain([self.identity.stream]);
        let journals = streams.map(|stream| self.folder.journal(stream));
        Uploaded::change(journals, &self.base_url, |to| UploadedTo { artifacts_pending: false, ..to });
    }
}

fn size(record: &ArtifactRecord) -> u64 {
    match record {
        ArtifactRecord::Logged(logged) => logged.size_bytes,
        ArtifactRecord::Used(_) | ArtifactRecord::Linked(_) => 0,
    }
}

struct Worker {
    inner: Arc<Inner>,
    post: Post,
    transport: Http,
    failures: u32,
}

impl Worker {
    fn new(inner: Arc<Inner>) -> Self {
        let post = Post::new(&inner.folder, inner.identity.path(), &inner.base_url);
        let transport = Http::new(&inner.base_url, inner.api_key.as_deref());
        Self { inner, post, transport, failures: 0 }
    }

    fn run(mut self) {
        while let Some(record) = self.next() {
            let ending: Vec<EarlyThread> = lock(&self.inner.early).extract_if(.., |early| early.is_ending()).collect();
            ending.into_iter().for_each(EarlyThread::join);
            match self.post.send(&record, &self.transport, &self.inner.pulse) {
                Ok(posted) => {
                    self.answered();
                    if let Posted::Refused(reason) = posted {
                        self.inner.verbosity.warn(&reason);
                    }
                    self.end_first();
                }
                Err(PostError::Stopped) => return,
                Err(PostError::Unwritable(reason)) => {
                    // It is there, and a later sync finds out once more.
                    self.inner.verbosity.warn(&reason);
                    self.end_first();
                }
                // The journal's uploader tells of it.
                Err(PostError::Transport(TransportError::Unavailable(_))) => self.failed(),
                Err(PostError::Transport(error)) => {
                    self.answered();
                    lock(&self.inner.status).unauthorized = Some(error.to_string());
                    self.failed();
                }
            }
        }
    }

    /// What is to be sent next; it stays the first until it is. `None` when the thread is to end.
    fn next(&self) -> Option<ArtifactRecord> {
        let mut status = lock(&self.inner.status);
        loop {
            if status.abandoned {
                return None;
            }
            if let Some(record) = status.waiting.front() {
                let record = record.clone();
                status.waiting_bytes = status.waiting_bytes.saturating_sub(size(&record));
                return Some(record);
            }
            status = self.inner.changed.wait(status).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn answered(&mut self) {
        self.failures = 0;
        let mut status = lock(&self.inner.status);
        (status.reached, status.failing_since, status.unauthorized) = (true, None, None);
    }

    fn end_first(&self) {
        let mut status = lock(&self.inner.status);
        status.waiting.pop_front();
        if status.waiting.is_empty() && status.draining {
            drop(status);
            self.inner.note_done();
        }
        self.inner.changed.notify_all();
    }

    fn failed(&mut self) {
        self.failures += 1;
        let mut status = lock(&self.inner.status);
        if let Some(record) = status.waiting.front() {
            status.waiting_bytes += size(record);
        }
        status.failing_since = status.failing_since.or_else(|| Some(Instant::now()));
        self.inner.changed.notify_all();
        let longest = if status.draining { LONGEST_FINAL_BACKOFF } else { LONGEST_BACKOFF };
        let backoff = FIRST_BACKOFF.saturating_mul(1 << (self.failures - 1).min(10)).min(longest);
        let until = Instant::now() + backoff;
        let draining = status.draining;
        // Others may be woken by what we are not.
        while let Some(left) = until.checked_duration_since(Instant::now())
            && !status.abandoned
            && status.draining == draining
        {
            status = wait(&self.inner.changed, status, left);
        }
    }
}

fn wait<'a>(changed: &Condvar, status: MutexGuard<'a, Status>, timeout: Duration) -> MutexGuard<'a, Status> {
    changed.wait_timeout(status, timeout).unwrap_or_else(PoisonError::into_inner).0
}
