//! The background thread of a run: it sends the journal, gives signs of life, and tells about trouble once.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use steplog_journal::{Backlog, Event, JournalReader, RunFolder, find_runs};
use steplog_model::{Entity, RunStart, StreamId};

use crate::artifact::ArtifactUploader;
use crate::files::FileUploader;
use crate::fork;
use crate::local::{JournalLock, Uploaded, UploadedTo};
use crate::message::Verbosity;
use crate::run::{Active, Identity, RunStatus, lock, now};
use crate::settings::{Mode, Resolved};
use crate::sync::sync_streams;
use crate::transport::{Http, TransportError};
use crate::upload::{Sent, Source, Upload, UploadError};

/// How often the journal is looked at. With request and drawing this keeps `log()` to pixel well below a second.
const TICK: Duration = Duration::from_millis(100);

/// A sign of life is recorded after so many seconds without a record.
const HEARTBEAT_SECONDS: f64 = 15.0;

/// Waiting after the first failure, doubled with each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// `finish` gives up so long after the server stopped answering.
const FAILING_PATIENCE: Duration = Duration::from_secs(5);

/// `finish` waits at most so long for the runs of earlier, killed processes.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(5);

/// The thread, and what it and `finish` tell each other.
pub(crate) struct Uploader {
    control: Arc<Control>,
    generation: u32,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Control {
    status: Mutex<Status>,
    changed: Condvar,
}

#[derive(Clone, Debug, Default)]
struct Status {
    /// `finish` was called: everything is in the journal.
    draining: bool,
    /// How far the journal goes, and how far the server has it.
    end: u64,
    acknowledged: u64,
    /// Whether the server ever answered as one of ours.
    reached: bool,
    /// When it last took something, Unix seconds.
    synced_at: Option<f64>,
    /// Somebody else sends the rest: the thread is to end as soon as it can.
    abandoned: bool,
    /// Requests fail.
    failing: Option<Failing>,
    /// The thread will send no more.
    done: bool,
    /// Runs of earlier processes are being sent.
    recovering: bool,
}

#[derive(Clone, Debug)]
struct Failing {
    since: Instant,
    /// What to tell a person; `None` when nobody expects a server there.
    reason: Option<String>,
}

/// How a drain ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server has everything, or the run is offline by wish.
    Synced,
    /// No server was configured and none was found.
    NoServer,
    /// The server is missing something.
    Missing { bytes: u64, reason: Option<String> },
}

impl Uploader {
    pub(crate) fn start(
        identity: &Identity,
        settings: &Resolved,
        backlog: Arc<Backlog>,
        active: Arc<Active>,
        files: Option<FileUploader>,
        artifacts: Option<ArtifactUploader>,
    ) -> Self {
        let control = Arc::new(Control { status: Mutex::default(), changed: Condvar::new() });
        let worker = Worker {
            control: control.clone(),
            active,
            upload: Upload::new(identity.path(), identity.stream),
            transport: Arc::new(Http::new(&settings.base_url, settings.api_key.as_deref())),
            identity: identity.clone(),
            settings: settings.clone(),
            backlog,
            files,
            artifacts,
            children: BTreeMap::new(),
            failures: 0,
            retry_at: Instant::now(),
            refused: false,
            warned: false,
            stopped: false,
            noted_at: Instant::now(),
            recovery_started: false,
        };
        // Without a thread the run is recorded all the same, and `steplog sync` sends it.
        let thread = std::thread::Builder::new().name("steplog-uploader".into()).spawn(move || worker.run()).ok();
        if thread.is_none() {
            lock(&control.status).done = true;
        }
        Self { control, generation: fork::generation(), thread: Mutex::new(thread) }
    }

    /// The process that the thread lives in.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// How far the server is.
    pub(crate) fn status(&self) -> RunStatus {
        let status = lock(&self.control.status);
        RunStatus {
            journal_bytes: status.end,
            synced_bytes: status.acknowledged,
            connected: status.reached,
            synced_at: status.synced_at,
        }
    }

    /// Ends the thread without sending what is left. It may be in a request, and is not waited for.
    pub(crate) fn stop(&self) {
        lock(&self.control.status).abandoned = true;
        self.control.changed.notify_all();
    }

    /// Lets the thread send what is left, and waits for that: until `timeout`, or until the server has not answered for a
    /// while. The thread goes on afterwards as long as the process lives.
    ///
    /// `interrupted` is asked every 50 ms whether to stop waiting.
    pub(crate) fn drain(
        &self,
        timeout: Duration,
        verbosity: Verbosity,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Outcome {
        let begun = Instant::now();
        let mut bar = None;
        let mut status = lock(&self.control.status);
        status.draining = true;
        let first = status.acknowledged;
        self.control.changed.notify_all();
        while !status.done && !gives_up(&status, begun, timeout) {
            if begun.elapsed() > Duration::from_millis(300) && verbosity.shows_progress() {
                let bar = bar.get_or_insert_with(progress_bar);
                bar.set_length(status.end.saturating_sub(first));
                bar.set_position(status.acknowledged.saturating_sub(first));
                bar.set_message(if status.recovering { "sending earlier runs" } else { "sending" });
            }
            let waited = self.control.changed.wait_timeout(status, Duration::from_millis(50));
            drop(waited.unwrap_or_else(std::sync::PoisonError::into_inner).0);
            // Asked without the lock: it may take long.
            let stop_waiting = interrupted();
            status = lock(&self.control.status);
            if stop_waiting {
                break;
            }
        }
        let outcome = match &*status {
            Status { done: true, failing: None, .. } => Outcome::Synced,
            Status { failing: Some(Failing { reason: None, .. }), .. } => Outcome::NoServer,
            Status { end, acknowledged, failing, .. } => Outcome::Missing {
                bytes: end.saturating_sub(*acknowledged),
                reason: failing.as_ref().and_then(|failing| failing.reason.clone()),
            },
        };
        let done = status.done;
        drop(status);
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        if let Some(thread) = lock(&self.thread).take().filter(|_| done) {
            // The thread's last act was to say so.
            let _ = thread.join();
        }
        outcome
    }
}

fn gives_up(status: &Status, begun: Instant, timeout: Duration) -> bool {
    if begun.elapsed() >= timeout {
        return true;
    }
    match &status.failing {
        Some(Failing { reason: None, .. }) => true,
        Some(Failing { since, .. }) => since.elapsed().min(begun.elapsed()) >= FAILING_PATIENCE.min(timeout),
        None => status.recovering && status.acknowledged >= status.end && begun.elapsed() >= RECOVERY_PATIENCE,
    }
}

pub(crate) fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("steplog: {msg} {bar:30} {bytes}/{total_bytes} {eta}");
    ProgressBar::no_length().with_style(style.expect("the template is right"))
}

struct Worker {
    control: Arc<Control>,
    active: Arc<Active>,
    backlog: Arc<Backlog>,
    files: Option<FileUploader>,
    artifacts: Option<ArtifactUploader>,
    identity: Identity,
    settings: Resolved,
    transport: Arc<Http>,
    upload: Upload,
    /// Journals of children: forked ones have no thread of their own.
    children: BTreeMap<StreamId, Child>,
    failures: u32,
    retry_at: Instant,
    /// The server will not take this run: nothing more is sent.
    refused: bool,
    warned: bool,
    /// The signal to stop was given.
    stopped: bool,
    noted_at: Instant,
    recovery_started: bool,
}

struct Child {
    upload: Upload,
    reader: JournalReader,
    given_up: bool,
}

impl Worker {
    fn run(mut self) {
        loop {
            let Status { draining, abandoned, .. } = *lock(&self.control.status);
            if abandoned {
                return;
            }
            self.tend();
            let complete = !self.identity.mode.is_online() || self.refused || self.send(draining);
            if self.identity.mode.is_online() {
                self.note(draining && complete);
            }
            let mut status = lock(&self.control.status);
            status.end = self.backlog.end();
            status.acknowledged = self.upload.offset();
            if draining && complete && !status.recovering {
                status.done = true;
                self.control.changed.notify_all();
                return;
            }
            self.control.changed.notify_all();
            let recovering = status.recovering;
            let pause = match self.retry_at.checked_duration_since(Instant::now()) {
                // `finish` was just called: try once more at once.
                _ if status.draining != draining => continue,
                Some(backoff) if draining => backoff.min(Duration::from_millis(500)),
                _ => TICK,
            };
            // `finish` waits for earlier runs too: their end is as good a reason to look again as its call.
            drop(self.control.changed.wait_timeout_while(status, pause, |status| {
                status.draining == draining && status.recovering == recovering && !status.abandoned
            }));
        }
    }

    /// Keeps the journal healthy, and tells a person about trouble.
    fn tend(&self) {
        self.active.tend_console();
        let upkeep = fork::shielded(|| lock(&self.active.state).take_upkeep());
        if let Some(upkeep) = upkeep {
            let prepared = upkeep.run();
            fork::shielded(|| lock(&self.active.state).give_prepared(prepared));
        }
        let events = fork::shielded(|| lock(&self.active.state).tend(HEARTBEAT_SECONDS));
        for event in events {
            let message = match event {
                Event::DiskFull { error } => {
                    format!(
                        "the disk takes no more data ({error}); rows are held in memory until it does, and are sent on"
                    )
                }
                Event::Losing => {
                    "memory for rows is full too: rows are being lost until the disk takes data again".into()
                }
                Event::DiskBack { lost_rows: 0 } => "the disk takes data again; nothing was lost".into(),
                Event::DiskBack { lost_rows } => format!("the disk takes data again; {lost_rows} rows were lost"),
            };
            self.settings.verbosity.warn(&message);
        }
    }

    /// Sends what there is; whether the server then has everything.
    fn send(&mut self, draining: bool) -> bool {
        if Instant::now() < self.retry_at && !draining {
            return false;
        }
        match self.try_send(draining) {
            Ok(()) => {
                self.succeeded();
                true
            }
            Err(error) => {
                self.failed(error);
                self.refused
            }
        }
    }

    fn try_send(&mut self, draining: bool) -> Result<(), UploadError> {
        while let Sent::Until { offset, control, .. } = self.upload.send_next(&*self.backlog, &*self.transport)? {
            self.backlog.acknowledge(offset);
            self.obey(control.stop);
            self.succeeded();
            let mut status = lock(&self.control.status);
            (status.end, status.acknowledged) = (self.backlog.end(), offset);
            status.synced_at = Some(now());
            if status.abandoned {
                return Ok(());
            }
            self.control.changed.notify_all();
        }
        self.send_children(draining)
    }

    /// Sends the journals of forked children; at the end also those of processes that were started otherwise and wrote a
    /// part of the run, which may have been ended before they had sent everything.
    fn send_children(&mut self, draining: bool) -> Result<(), UploadError> {
        let Some(folder) = self.identity.folder.as_ref().filter(|_| draining || fork::count() > 0) else {
            return Ok(());
        };
        if let Some(files) = &self.files {
            files.look_at_children();
        }
        if let Some(artifacts) = &self.artifacts {
            artifacts.look_at_children();
        }
        // Children come and go; a folder that cannot be read now can be read at the next tick.
        for stream in folder.streams().unwrap_or_default() {
            if stream != self.identity.stream && !self.children.contains_key(&stream) {
                let start = folder.run_start(stream).ok().flatten();
                let own_child = start.is_some_and(|start| start.parent_stream == Some(self.identity.stream));
                if own_child {
                    let upload = Upload::resume(self.identity.path(), stream);
                    let reader = JournalReader::new(folder.journal(stream));
                    self.children.insert(stream, Child { upload, reader, given_up: false });
                }
            }
        }
        for child in self.children.values_mut().filter(|child| !child.given_up) {
            loop {
                match child.upload.send_next(&child.reader as &dyn Source, &*self.transport) {
                    Ok(Sent::Nothing) => break,
                    Ok(Sent::Until { .. }) => {}
                    Err(UploadError::Transport(
                        error @ (TransportError::Unavailable(_) | TransportError::Unauthorized(_)),
                    )) => {
                        return Err(UploadError::Transport(error));
                    }
                    Err(UploadError::Transport(TransportError::Refused(reason))) => {
                        child.given_up = true;
                        self.settings.verbosity.warn(&format!("{}: {reason}", child.reader.folder().display()));
                        break;
                    }
                    Err(UploadError::Source(error)) => {
                        child.given_up = true;
                        self.settings.verbosity.warn(&format!("{}: {error}", child.reader.folder().display()));
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn succeeded(&mut self) {
        self.failures = 0;
        if self.warned {
            self.warned = false;
            self.settings.verbosity.info(&format!("{} answers again", self.settings.base_url));
        }
        let mut status = lock(&self.control.status);
        status.failing = None;
        status.reached |= self.upload.offset() > 0;
        let reached = status.reached;
        drop(status);
        if reached && !std::mem::replace(&mut self.recovery_started, true) {
            self.recover_earlier_runs();
        }
    }

    fn failed(&mut self, error: UploadError) {
        let reached = lock(&self.control.status).reached;
        let expected = reached || self.settings.server_configured;
        let base_url = &self.settings.base_url;
        let reason = match &error {
            // No server was named and none is at the default place: the run is simply local.
            UploadError::Transport(TransportError::Unavailable(_)) if !expected => None,
            UploadError::Transport(TransportError::Unavailable(reason)) => {
                Some(format!("{reason}; the run goes on, its data is safe on disk and is sent when the server answers"))
            }
            UploadError::Transport(TransportError::Unauthorized(reason)) => {
                // A second line would be the server's own hint, which is for other programs.
                let reason = reason.lines().next().unwrap_or_default();
                Some(format!(
                    "{reason}; the run goes on and its data is safe on disk\n  log in with: steplog login {base_url}"
                ))
            }
            UploadError::Transport(TransportError::Refused(reason)) => {
                self.refused = true;
                Some(format!("the server refuses this run: {reason}; its data stays on disk"))
            }
            UploadError::Source(error) => {
                self.refused = true;
                Some(format!("the journal cannot be read back: {error}"))
            }
        };
        if let Some(reason) = reason.as_ref().filter(|_| !self.warned) {
            self.warned = true;
            self.settings.verbosity.warn(reason);
        }
        self.failures += 1;
        let longest = if expected { LONGEST_BACKOFF } else { Duration::from_secs(3) };
        let backoff = FIRST_BACKOFF.saturating_mul(1 << (self.failures - 1).min(10)).min(longest);
        // A cluster's clients must not all come back in the same moment.
        let share = f64::from(self.identity.stream.as_bytes()[0]) / 255.0;
        self.retry_at = Instant::now() + backoff.mul_f64(0.75 + share / 2.0);
        let mut status = lock(&self.control.status);
        let since = status.failing.as_ref().map_or_else(Instant::now, |failing| failing.since);
        status.failing = Some(Failing { since, reason });
    }

    /// Somebody asked in the UI that the run be stopped: once, as if Ctrl-C had been pressed.
    fn obey(&mut self, stop: bool) {
        if !stop || std::mem::replace(&mut self.stopped, true) {
            return;
        }
        self.settings.verbosity.warn("stopped from the web page");
        #[cfg(unix)]
        // SAFETY: Sending a signal to the own process touches no memory.
        unsafe {
            libc::kill(libc::getpid(), libc::SIGINT);
        }
    }

    /// Notes now and then how far the server has the journals, so that a later sync need not ask.
    fn note(&mut self, complete: bool) {
        if !complete && self.noted_at.elapsed() < Duration::from_secs(10) {
            return;
        }
        self.noted_at = Instant::now();
        let Some(folder) = &self.identity.folder else { return };
        let server = &self.settings.base_url;
        let files_pending = self.files.as_ref().is_some_and(|files| !files.is_settled());
        let artifacts_pending = self.artifacts.as_ref().is_some_and(|artifacts| !artifacts.is_settled());
        if self.upload.offset() > 0 {
            let complete = complete && !self.refused;
            let to = UploadedTo { offset: self.upload.offset(), complete, files_pending, artifacts_pending };
            Uploaded::note(&folder.journal(self.identity.stream), server, to);
        }
        for (stream, child) in &self.children {
            let journal = folder.journal(*stream);
            let ended = complete && !child.given_up && JournalLock::try_take(&journal).is_ok_and(|lock| lock.is_some());
            let to = UploadedTo { offset: child.upload.offset(), complete: ended, files_pending, artifacts_pending };
            Uploaded::note(&journal, server, to);
        }
    }

    /// Sends what killed or cut-off processes left below the same folder, in a thread of its own.
    fn recover_earlier_runs(&self) {
        let Some(folder) = &self.identity.folder else { return };
        let Some(home) = folder.path().ancestors().nth(2).map(PathBuf::from) else {
            return;
        };
        let recovery = Recovery {
            control: self.control.clone(),
            home,
            own: folder.clone(),
            stream: self.identity.stream,
            server: self.settings.base_url.clone(),
            transport: self.transport.clone(),
            entity: self.identity.entity.clone(),
            verbosity: self.settings.verbosity,
        };
        lock(&self.control.status).recovering = true;
        let spawned = std::thread::Builder::new().name("steplog-recovery".into()).spawn(move || recovery.run());
        if spawned.is_err() {
            lock(&self.control.status).recovering = false;
        }
    }
}

struct Recovery {
    control: Arc<Control>,
    home: PathBuf,
    own: RunFolder,
    /// What this process writes, and so sends itself.
    stream: StreamId,
    server: String,
    transport: Arc<Http>,
    entity: Entity,
    verbosity: Verbosity,
}

impl Recovery {
    fn run(self) {
        let mut sent = 0;
        // What earlier processes left of this very run comes first: somebody may look at it right now.
        let others = find_runs(&self.home).unwrap_or_default().into_iter().filter(|run| *run != self.own);
        for run in std::iter::once(self.own.clone()).chain(others) {
            let streams = run.streams().unwrap_or_default();
            let left: HashSet<_> = streams.into_iter().filter(|stream| self.is_left_over(&run, *stream)).collect();
            if left.is_empty() {
                continue;
            }
            let wanted = |stream| left.contains(&stream);
            match sync_streams(&run, wanted, &self.server, &*self.transport, &self.entity, |_| {}) {
                Ok(report) => sent += u64::from(report.sent_bytes > 0),
                // The server is gone: what is left waits for the next run.
                Err(_) => break,
            }
        }
        if sent > 0 {
            self.verbosity.info(&format!("sent what {sent} earlier {} left", if sent == 1 { "run" } else { "runs" }));
        }
        lock(&self.control.status).recovering = false;
        self.control.changed.notify_all();
    }

    /// Whether this server may lack something of a journal that nobody is writing, and that was not kept offline on
    /// purpose. The journals of this process and its children are none of these, also when they have ended.
    fn is_left_over(&self, run: &RunFolder, stream: StreamId) -> bool {
        let journal = run.journal(stream);
        let is_offline = |start: &RunStart| start.mode.as_deref() == Some(Mode::Offline.as_str());
        let is_own = |start: &RunStart| stream == self.stream || start.parent_stream == Some(self.stream);
        !Uploaded::load(&journal).is_complete(&self.server)
            && run.run_start(stream).ok().flatten().is_some_and(|start| !is_offline(&start) && !is_own(&start))
            && JournalLock::try_take(&journal).is_ok_and(|lock| lock.is_some())
    }
}
