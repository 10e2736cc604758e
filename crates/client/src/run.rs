//! A live run.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use steplog_journal::{Backlog, JournalWriter, KeyId, RunFolder};
use steplog_model::{
    Alert, AlertLevel, Change, Config, ConsoleLines, ConsoleOutput, Entity, MetricDefinition, Project, Record, RunId,
    RunPath, RunStart, RunUpdate, StreamId, Summary, Value, path_segment,
};

use crate::artifact::{ArtifactUploader, LocalStore, RunArtifacts};
use crate::console::{Console, ConsoleMode, OutputLog};
use crate::error::{Error, ErrorKind};
use crate::files::{FileUploader, SaveOptions, Way, place};
use crate::fork;
use crate::history::{self, HistoryRow};
use crate::init::{RunBuilder, check_tags, host_name};
use crate::local::JournalLock;
use crate::resume::Unfinished;
use crate::row::IntoRow;
use crate::sender;
use crate::settings::{Mode, Resolved};
use crate::state::{Begin, Journal, State, check_value};
use crate::surroundings::{Surroundings, Task};
use crate::system::Sampler;
use crate::terminate;
use crate::uploader::{Outcome, Uploader};

/// An alert with the same title is not passed on for so long, unless the script says otherwise.
const DEFAULT_ALERT_WAIT: Duration = Duration::from_secs(60);

/// What a run is, fixed at its beginning.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) entity: Entity,
    /// Whether the entity was named, by argument, environment or login; else the server may choose.
    pub(crate) entity_named: bool,
    pub(crate) project: Project,
    pub(crate) id: RunId,
    pub(crate) mode: Mode,
    pub(crate) group: Option<String>,
    pub(crate) job_type: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) sweep_id: Option<String>,
    pub(crate) started_at: f64,
    /// The first step of this process, and whether it goes on with a run that was there.
    pub(crate) starting_step: i64,
    pub(crate) resumed: bool,
    /// Whether the next process may find the run by itself, as long as this one has not ended well.
    pub(crate) auto_resumed: bool,
    /// `None` for a disabled run.
    pub(crate) folder: Option<RunFolder>,
    /// The stream of the process that called `init`.
    pub(crate) stream: StreamId,
}

impl Identity {
    /// What every stream of this run says first about the run and the process; the rest is the first stream's to say.
    pub(crate) fn start(&self, started_at: f64) -> RunStart {
        RunStart {
            entity: self.entity_named.then(|| self.entity.to_string()),
            mode: Some(self.mode.as_str().into()),
            host: host_name(),
            process_id: Some(std::process::id()),
            label: self.label.clone(),
            ..RunStart::new(self.id.clone(), self.project.clone(), started_at)
        }
    }

    pub(crate) fn path(&self) -> RunPath {
        RunPath { entity: self.entity.clone(), project: self.project.clone(), run: self.id.clone() }
    }
}

/// A run that is being recorded. Clones are the same run; threads and forked children may use it.
///
/// When the last clone goes without [`Run::finish`], the run is finished with exit code 0, or 1 while panicking.
#[derive(Clone)]
pub struct Run {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    identity: Identity,
    settings: Resolved,
    /// What this process has of the run: made by `init`, or on first use in a forked child. Never null.
    active: AtomicPtr<Active>,
    uploader: Option<Uploader>,
    /// `None` unless the run is online.
    files: Option<FileUploader>,
    artifacts: RunArtifacts,
    /// `None` unless this process samples.
    sampler: Option<Sampler>,
    /// `None` unless this process speaks for the run.
    surroundings: Option<Surroundings>,
    report: Mutex<Option<FinishReport>>,
    /// Whether the descriptors 1 and 2 were caught for it.
    is_redirected: AtomicBool,
}

/// What is looked at beside the script, by threads of their own.
#[derive(Default)]
pub(crate) struct Watched {
    /// Time between two looks at what the machine is busy with; `None`: never.
    pub(crate) interval: Option<Duration>,
    /// What is found out once.
    pub(crate) task: Option<Task>,
}

/// The part of a run that belongs to one process.
///
/// Locks are taken in the order of the fields; `state` is free to be taken alone.
pub(crate) struct Active {
    generation: u32,
    /// Held while `output.log` is written to.
    output_log: Mutex<()>,
    console: Mutex<Console>,
    pub(crate) state: Mutex<State>,
}

impl Active {
    fn new(state: State, console: Console) -> Self {
        let (output_log, console, state) = (Mutex::new(()), Mutex::new(console), Mutex::new(state));
        Self { generation: fork::generation(), output_log, console, state }
    }

    /// Takes in what the process printed.
    pub(crate) fn write_console(&self, output: ConsoleOutput, bytes: &[u8]) {
        lock(&self.console).write(output, bytes, now(), |lines| self.append_console(lines));
    }

    /// Records what of the printed lines may wait for a moment; a background thread calls it now and then.
    pub(crate) fn tend_console(&self) {
        lock(&self.console).tick(now(), |lines| self.append_console(lines));
        self.write_output_log();
    }

    /// Records the lines as they are, and takes in no more.
    fn close_console(&self) {
        #[cfg(unix)]
        crate::console::redirect::end(self);
        lock(&self.console).end(now(), |lines| self.append_console(lines));
        self.write_output_log();
    }

    fn append_console(&self, lines: ConsoleLines) {
        fork::shielded(|| lock(&self.state).append_console(lines));
    }

    fn write_output_log(&self) {
        let _order = lock(&self.output_log);
        let unwritten = lock(&self.console).take_unwritten();
        if let Some(unwritten) = unwritten {
            unwritten.write();
        }
    }
}

/// How far the server has what a process wrote of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunStatus {
    /// Size of the journal, in bytes; while rows come, that of a moment ago.
    pub journal_bytes: u64,
    /// How much of it the server has made durable.
    pub synced_bytes: u64,
    /// Whether the server answered so far.
    pub connected: bool,
    /// When the server last took something, Unix seconds.
    pub synced_at: Option<f64>,
}

/// How [`Run::finish`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishReport {
    /// The server has everything.
    Synced,
    /// A process in the background sends what the server has not yet.
    Detached,
    /// The journal is complete on disk; the run is offline, or a server was not reached or has not all of it yet. `steplog
    /// sync` sends the rest.
    Local {
        /// How many bytes a reached server is still missing.
        missing_bytes: u64,
    },
    /// The run was disabled, or belongs to a parent process.
    Nothing,
}

impl Run {
    /// Begins to describe a run of a project.
    pub fn builder(project: impl Into<String>) -> RunBuilder {
        RunBuilder::default().project(project)
    }

    pub(crate) fn disabled(identity: Identity, settings: Resolved, mut begin: Begin) -> Self {
        begin.name = begin.name.or_else(|| Some(format!("dummy-{}", identity.id)));
        let state = State::new(Journal::Disabled, begin);
        let active = Active::new(state, Console::new(None, false));
        Self::with_active(identity, settings, active, None, Watched::default())
    }

    pub(crate) fn begin(
        identity: Identity,
        settings: Resolved,
        begin: Begin,
        writer: JournalWriter,
        lock: Option<JournalLock>,
        watched: Watched,
    ) -> Self {
        let backlog = writer.backlog();
        let state = State::new(Journal::Open { writer: Box::new(writer), lock }, begin);
        let log = identity.folder.as_ref().map(|folder| OutputLog::new(folder.files().join("output.log")));
        let active = Active::new(state, Console::new(log, true));
        let run = Self::with_active(identity, settings, active, Some(backlog), watched);
        if let Some(url) = run.url() {
            run.shared.settings.verbosity.info(&format!("{} → {url}", run.title()));
        } else if let Some(dir) = run.shared.identity.folder.as_ref() {
            run.shared.settings.verbosity.info(&format!("{} → {}", run.title(), dir.path().display()));
        }
        #[cfg(unix)]
        if run.shared.settings.console == ConsoleMode::Redirect {
            run.begin_redirect();
        }
        run
    }

    /// Catches what is written to the descriptors 1 and 2.
    #[cfg(unix)]
    fn begin_redirect(&self) {
        let active = self.shared.active.load(Ordering::Acquire).cast_const();
        // SAFETY: The pointer comes from `Arc::into_raw`, and `Shared` keeps the value alive; this is one more owner.
        let active = unsafe {
            Arc::increment_strong_count(active);
            Arc::from_raw(active)
        };
        match crate::console::redirect::begin(&active) {
            Ok(()) => self.shared.is_redirected.store(true, Ordering::Release),
            Err(error) => {
                self.shared.settings.verbosity.warn(&format!("the console cannot be redirected: {error}"));
            }
        }
    }

    fn with_active(
        identity: Identity,
        settings: Resolved,
        mut active: Active,
        backlog: Option<Arc<Backlog>>,
        watched: Watched,
    ) -> Self {
        active.state.get_mut().unwrap_or_else(PoisonError::into_inner).sticky_summary = settings.sticky_summary;
        let active = Arc::new(active);
        let folder = identity.folder.as_ref().filter(|_| identity.mode.is_online());
        let files = folder.map(|folder| FileUploader::new(&identity, folder, &settings));
        let artifact_uploader = folder.map(|folder| ArtifactUploader::new(&identity, folder, &settings));
        if let Some(folder) = &identity.folder {
            LocalStore::note_run(folder);
        }
        let artifacts = RunArtifacts::new(&identity, &settings, artifact_uploader.clone());
        let uploader = backlog.map(|backlog| {
            let files = files.as_ref().map(FileUploader::share);
            Uploader::start(&identity, &settings, backlog, active.clone(), files, artifact_uploader)
        });
        let folder = || identity.folder.as_ref().map(RunFolder::files);
        let sampler = watched.interval.zip(folder());
        let sampler = sampler.map(|(interval, folder)| Sampler::start(interval, folder, active.clone()));
        let surroundings = watched.task.zip(folder()).map(|(task, folder)| {
            let files = files.as_ref().map(FileUploader::share);
            Surroundings::start(task, folder, active.clone(), files)
        });
        let active = AtomicPtr::new(Arc::into_raw(active).cast_mut());
        let (report, is_redirected) = (Mutex::new(None), AtomicBool::new(false));
        let shared = Arc::new(Shared {
            identity,
            settings,
            active,
            uploader,
            files,
            artifacts,
            sampler,
            surroundings,
            report,
            is_redirected,
        });
        if shared.uploader.is_some() {
            terminate::watch(Arc::downgrade(&shared));
        }
        Self { shared }
    }

    /// Logs a row: maps are flattened, and each leaf is a metric. The row gets the next step and is complete.
    ///
    /// # Errors
    /// A value or key is too large, or the run is finished; nothing was logged then.
    pub fn log(&self, row: impl IntoRow) -> Result<(), Error> {
        self.log_leaves(row.into_row(), None, None)
    }

    /// Logs a row at a step. At or above the run's step the row stays open, so that more can join it, and the run's step
    /// moves there; below, it is a late row and the run's step stays.
    ///
    /// # Errors
    /// As [`Self::log`].
    pub fn log_at(&self, step: i64, row: impl IntoRow) -> Result<(), Error> {
        self.log_leaves(row.into_row(), Some(step), None)
    }

    /// Logs leaves by key as [`crate::join_key`] writes them. `commit` says whether the row is complete afterwards; by default
    /// it is unless a step is given.
    ///
    /// # Errors
    /// As [`Self::log`].
    pub fn log_leaves(
        &self,
        leaves: Vec<(String, Value)>,
        step: Option<i64>,
        commit: Option<bool>,
    ) -> Result<(), Error> {
        let mut state = self.state();
        let mut entries = Vec::with_capacity(leaves.len());
        for (key, value) in leaves {
            entries.push((state.intern(&key)?, value));
        }
        state.log(&mut entries, step, commit)
    }

    /// The number of a key, for [`Self::log_entries`]. It holds in one process: see [`Self::process_generation`].
    ///
    /// # Errors
    /// The key is longer than 4,096 bytes.
    pub fn intern(&self, key: &str) -> Result<KeyId, Error> {
        self.state().intern(key)
    }

    /// A number that is another one in a forked child, where numbers of keys from the parent do not hold.
    pub fn process_generation(&self) -> u32 {
        fork::generation()
    }

    /// Logs a row of interned keys, the fastest way; empties `entries` on success.
    ///
    /// # Errors
    /// As [`Self::log`].
    pub fn log_entries(
        &self,
        entries: &mut Vec<(KeyId, Value)>,
        step: Option<i64>,
        commit: Option<bool>,
    ) -> Result<(), Error> {
        self.state().log(entries, step, commit)
    }

    /// Sets config keys, all or none; a key that holds another value only when `allow_val_change`.
    ///
    /// # Errors
    /// A key holds another value, a value is too large, or the run is finished; nothing was changed then.
    pub fn update_config(&self, entries: Vec<(String, Value)>, allow_val_change: bool) -> Result<(), Error> {
        let mut state = self.state();
        state.check_open("config")?;
        for (key, value) in &entries {
            check_value(key, value)?;
        }
        let before = state.config.clone();
        let changes = state
            .config
            .update(entries, allow_val_change)
            .map_err(|conflict| Error::new(ErrorKind::ConfigConflict, conflict.to_string()))?;
        if !changes.is_empty() {
            state.append(&Record::Config(changes)).inspect_err(|_| state.config = before)?;
        }
        Ok(())
    }

    /// Sets the config keys that are not there yet.
    ///
    /// # Errors
    /// A value is too large, or the run is finished; nothing was changed then.
    pub fn set_config_defaults(&self, entries: Vec<(String, Value)>) -> Result<(), Error> {
        let mut state = self.state();
        state.check_open("config")?;
        for (key, value) in &entries {
            check_value(key, value)?;
        }
        let before = state.config.clone();
        let changes = state.config.set_defaults(entries);
        if !changes.is_empty() {
            state.append(&Record::Config(changes)).inspect_err(|_| state.config = before)?;
        }
        Ok(())
    }

    /// A copy of the config.
    pub fn config(&self) -> Config {
        self.state().config.clone()
    }

    /// Sets a summary value by hand: it stays, whatever is logged, until it is set or removed by hand, unless
    /// [`crate::RunBuilder::sticky_summary`] says otherwise. Null and NaN are no values: they remove. `key` is a path as
    /// [`crate::join_key`] writes it.
    ///
    /// # Errors
    /// The value is too large, or the run is finished.
    pub fn set_summary(&self, key: &str, value: impl Into<Value>) -> Result<(), Error> {
        self.change_summary(vec![(key.to_owned(), Some(value.into()))])
    }

    /// Sets and removes summary values by hand.
    ///
    /// # Errors
    /// As [`Self::set_summary`]; nothing was changed then.
    pub fn change_summary(&self, changes: Vec<(String, Option<Value>)>) -> Result<(), Error> {
        let mut state = self.state();
        state.check_open("summary")?;
        for (key, value) in &changes {
            value.iter().try_for_each(|value| check_value(key, value))?;
        }
        let changes: Vec<_> = changes.into_iter().map(|(key, value)| Change { key, value }).collect();
        state.append(&Record::Summary(changes.clone()))?;
        state.fold_latest();
        changes.iter().for_each(|change| state.summary.apply_change(change));
        Ok(())
    }

    /// The complete rows that this process logged so far, read back from its journal: step, time and entries by key, in the
    /// order in which they were completed. What was logged at one step later is a row of its own.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn history(&self) -> Result<Vec<HistoryRow>, Error> {
        let backlog = self.state().backlog();
        backlog.map_or(Ok(Vec::new()), |(stream, backlog)| history::read(stream, &backlog))
    }

    /// A copy of the summary.
    pub fn summary(&self) -> Summary {
        let mut state = self.state();
        state.fold_latest();
        state.summary.clone()
    }

    /// Says something about a metric: what the summary shows of it, which metric is its x-axis, whether charts of it are
    /// hidden. It holds for what is logged from now on.
    ///
    /// ```no_run
    /// # let run = steplog::Run::builder("digits").init()?;
    /// run.define_metric(steplog::MetricDefinition {
    ///     name: "val/*".into(),
    ///     step_metric: Some("epoch".into()),
    ///     summary: Some(vec![steplog::Aggregate::Min, steplog::Aggregate::Last]),
    ///     ..Default::default()
    /// })?;
    /// # Ok::<(), steplog::Error>(())
    /// ```
    ///
    /// # Errors
    /// The name is empty or has a `*` before its end, or the run is finished.
    pub fn define_metric(&self, definition: MetricDefinition) -> Result<(), Error> {
        self.state().define_metric(definition)
    }

    /// Tells people something. `wait` is for how long further alerts with the same title are kept but not passed on;
    /// `None`, or nothing: a minute.
    ///
    /// # Errors
    /// The title has 64 characters or more, or the run is finished.
    pub fn alert(&self, title: &str, text: &str, level: AlertLevel, wait: Option<Duration>) -> Result<(), Error> {
        let wait = wait.filter(|wait| !wait.is_zero()).unwrap_or(DEFAULT_ALERT_WAIT);
        let wait_millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let alert = Alert { time: now(), title: title.into(), text: text.into(), level, wait_millis };
        alert.check()?;
        let mut state = self.state();
        state.check_open("alert")?;
        check_value("text", &text.into())?;
        state.append(&Record::Alert(alert))
    }

    /// Saves files with the run: what `pattern` names is put into [`Self::dir`] as links, and goes to the server as
    /// `options.policy` says, now and then while the run goes on, so that this never waits for it. A forked child may save too.
    ///
    /// The pattern is a path or one with the shell's `*`, `?`, `[…]` and `**`; a folder that is named without them stands for
    /// everything in it. Files that are in [`Self::dir`] already, under the same path, belong to what is named. Answers the
    /// paths in [`Self::dir`], sorted; none when nothing was found, or when the run is disabled.
    ///
    /// ```no_run
    /// # let run = steplog::Run::builder("digits").init()?;
    /// run.save("checkpoints/*.pt", &steplog::SaveOptions::default())?;
    /// # Ok::<(), steplog::Error>(())
    /// ```
    ///
    /// # Errors
    /// The pattern is above its base or does not begin with it, a folder of the run is in the way, the disk refuses, or the
    /// run is finished.
    pub fn save(&self, pattern: &str, options: &SaveOptions) -> Result<Vec<PathBuf>, Error> {
        self.state().check_open("save")?;
        let Some(folder) = self.dir() else { return Ok(Vec::new()) };
        let Resolved { verbosity, symlink, .. } = self.shared.settings;
        let ways = if symlink { &Way::ALL[..] } else { &[Way::Copy] };
        let placed = place(&folder, pattern, options, ways, verbosity)?;
        let mut state = self.state();
        state.check_open("save")?;
        placed.files.iter().try_for_each(|file| state.append(&Record::File(file.clone())))?;
        drop(state);
        if let Some(files) = &self.shared.files {
            files.add(&placed.files);
        }
        Ok(placed.paths)
    }

    /// Records what the program prints, or printed: text in UTF-8, in any pieces, with the escape sequences for a terminal.
    /// It shows nothing. Lines that are complete are in the journal when this returns; a line without its end, and lines that
    /// are drawn again with carriage returns and cursor movements, are within moments, and their last state when the
    /// run is finished.
    ///
    /// Anything that cannot be shown is left out or becomes U+FFFD, and nothing is an error: with [`ConsoleMode::Off`], when
    /// the run is disabled or finished, the call does nothing.
    pub fn write_console(&self, output: ConsoleOutput, bytes: &[u8]) {
        if self.shared.settings.console != ConsoleMode::Off && self.mode() != Mode::Disabled {
            self.shared.active().write_console(output, bytes);
        }
    }

    /// Whether both are one run of one call of `init`.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// How what the process prints is caught: [`ConsoleMode::Off`] for a disabled run, and [`ConsoleMode::Wrap`] where
    /// nothing could be redirected.
    pub fn console_mode(&self) -> ConsoleMode {
        match self.shared.settings.console {
            _ if self.mode() == Mode::Disabled => ConsoleMode::Off,
            ConsoleMode::Redirect if !self.shared.is_redirected.load(Ordering::Acquire) => ConsoleMode::Wrap,
            mode => mode,
        }
    }

    /// Says that this process is about to be taken off its machine, and that the run will be resumed. It then shows as
    /// preempted, not as crashed, until a process goes on with it.
    ///
    /// # Errors
    /// The run is finished.
    pub fn mark_preempting(&self) -> Result<(), Error> {
        let mut state = self.state();
        state.check_open("mark_preempting")?;
        state.append(&Record::Preempting { time: now() })
    }

    /// How far the server has what this process wrote; asks nobody, and can be called at any time.
    pub fn status(&self) -> RunStatus {
        match self.shared.own_uploader() {
            Some(uploader) => uploader.status(),
            None => RunStatus::default(),
        }
    }

    /// The number that the next automatic row will use.
    pub fn step(&self) -> i64 {
        self.state().step()
    }

    /// The first step of this process: 0, or the one after the last of the run that it goes on with.
    pub fn starting_step(&self) -> i64 {
        self.shared.identity.starting_step
    }

    /// Whether it goes on with a run that was there before.
    pub fn resumed(&self) -> bool {
        self.shared.identity.resumed
    }

    /// The sweep that the run belongs to.
    pub fn sweep_id(&self) -> Option<&str> {
        self.shared.identity.sweep_id.as_deref()
    }

    /// What this process is called, where several write one run.
    pub fn label(&self) -> Option<&str> {
        self.shared.identity.label.as_deref()
    }

    /// The journal of the process that began the run, for [`RunBuilder::attach`]: 32 hex digits.
    pub fn stream(&self) -> String {
        self.shared.identity.stream.to_string()
    }

    /// Step and time of the complete row with the highest step.
    pub fn last_row(&self) -> Option<(i64, f64)> {
        self.state().last_row
    }

    /// Id, unique in the project: the one given, else 8 random characters `a-z0-9`.
    pub fn id(&self) -> &str {
        self.shared.identity.id.as_str()
    }

    /// Name shown to people, if one was given; a server makes one up for a run without.
    pub fn name(&self) -> Option<String> {
        self.state().name.clone()
    }

    /// Renames the run; people see it at once.
    ///
    /// # Errors
    /// The run is finished.
    pub fn set_name(&self, name: &str) -> Result<(), Error> {
        self.update("name", RunUpdate { name: Some(name.into()), ..RunUpdate::default() })
    }

    /// Notes, markdown, verbatim; `None` when there are none.
    pub fn notes(&self) -> Option<String> {
        self.state().notes.clone()
    }

    /// Replaces the notes.
    ///
    /// # Errors
    /// The run is finished.
    pub fn set_notes(&self, notes: &str) -> Result<(), Error> {
        self.update("notes", RunUpdate { notes: Some(notes.into()), ..RunUpdate::default() })
    }

    /// Tags, in the order given, 1 to 64 characters each.
    pub fn tags(&self) -> Vec<String> {
        self.state().tags.clone()
    }

    /// Replaces the tags.
    ///
    /// # Errors
    /// A tag is not 1 to 64 characters long, or the run is finished.
    pub fn set_tags(&self, tags: Vec<String>) -> Result<(), Error> {
        check_tags(&tags)?;
        self.update("tags", RunUpdate { tags: Some(tags), ..RunUpdate::default() })
    }

    fn update(&self, what: &str, update: RunUpdate) -> Result<(), Error> {
        let mut state = self.state();
        state.check_open(what)?;
        state.append(&Record::RunUpdate(update.clone()))?;
        let RunUpdate { name, notes, tags } = update;
        state.name = name.or(state.name.take());
        state.notes = notes.or(state.notes.take());
        if let Some(tags) = tags {
            state.tags = tags;
        }
        Ok(())
    }

    /// Project; `uncategorized` when none was named.
    pub fn project(&self) -> &str {
        self.shared.identity.project.as_str()
    }

    /// User or team; `local` when none was named.
    pub fn entity(&self) -> &str {
        self.shared.identity.entity.as_str()
    }

    /// `entity/project/id`.
    pub fn path(&self) -> String {
        self.shared.identity.path().to_string()
    }

    /// What runs that belong together have in common.
    pub fn group(&self) -> Option<&str> {
        self.shared.identity.group.as_deref()
    }

    /// What kind of work the run is, such as `train` or `eval`.
    pub fn job_type(&self) -> Option<&str> {
        self.shared.identity.job_type.as_deref()
    }

    /// Where the data goes.
    pub fn mode(&self) -> Mode {
        self.shared.identity.mode
    }

    /// When this process began to record, Unix seconds.
    pub fn start_time(&self) -> f64 {
        self.shared.identity.started_at
    }

    /// The folder for the run's files, absolute; `None` for a disabled run.
    pub fn dir(&self) -> Option<PathBuf> {
        self.shared.identity.folder.as_ref().map(RunFolder::files)
    }

    /// Its page on the server; `None` unless the run is online. It is known without asking the server.
    pub fn url(&self) -> Option<String> {
        let identity = &self.shared.identity;
        identity
            .mode
            .is_online()
            .then(|| format!("{}/runs/{}", self.project_url_of(identity), path_segment(identity.id.as_str())))
    }

    /// Its project's page on the server; `None` unless the run is online.
    pub fn project_url(&self) -> Option<String> {
        let identity = &self.shared.identity;
        identity.mode.is_online().then(|| self.project_url_of(identity))
    }

    /// Its sweep's page on the server; `None` unless the run is online and belongs to a sweep.
    pub fn sweep_url(&self) -> Option<String> {
        let identity = &self.shared.identity;
        let sweep = identity.sweep_id.as_ref().filter(|_| identity.mode.is_online())?;
        Some(format!("{}/sweeps/{}", self.project_url_of(identity), path_segment(sweep)))
    }

    fn project_url_of(&self, identity: &Identity) -> String {
        let (entity, project) = (path_segment(identity.entity.as_str()), path_segment(identity.project.as_str()));
        format!("{}/{entity}/{project}", self.shared.settings.base_url)
    }

    /// Whether code may be kept with the run: see [`RunBuilder::disable_code`].
    pub fn keeps_code(&self) -> bool {
        self.shared.settings.keeps_code
    }

    /// Whether [`Self::finish`] was called.
    pub fn is_finished(&self) -> bool {
        self.state().finished
    }

    /// Ends the run with exit code 0; see [`Self::finish_with`].
    pub fn finish(&self) -> FinishReport {
        self.finish_with(0)
    }

    /// Ends the run: completes the open row, records the exit code, and waits for the server, with a progress bar, up to
    /// the `finish_timeout`. The journal is complete on disk in any case. A second call answers as the first.
    pub fn finish_with(&self, exit_code: i32) -> FinishReport {
        self.finish_unless(exit_code, &mut || false)
    }

    /// As [`Self::finish_with`], but stops waiting for the server as soon as `interrupted` says so; it is asked every 50
    /// ms.
    pub fn finish_unless(&self, exit_code: i32, interrupted: &mut dyn FnMut() -> bool) -> FinishReport {
        let mut report = lock(&self.shared.report);
        if let Some(report) = &*report {
            return report.clone();
        }
        let rows = self.shared.close_journal(exit_code);
        terminate::give_way();
        let Shared { settings, identity, .. } = &*self.shared;
        let answer = match (self.shared.own_uploader(), &identity.folder) {
            (Some(uploader), Some(folder)) if settings.finish_detached && identity.mode.is_online() => {
                self.finish_behind(uploader, folder, rows, interrupted)
            }
            (Some(uploader), _) => self.finish_here(uploader, rows, interrupted),
            (None, _) => FinishReport::Nothing,
        };
        *report = Some(answer.clone());
        answer
    }

    /// Leaves the sending to a process of its own.
    fn finish_behind(
        &self,
        uploader: &Uploader,
        folder: &RunFolder,
        rows: u64,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> FinishReport {
        let settings = &self.shared.settings;
        match sender::spawn(&settings.sender_command, folder, settings) {
            Ok(()) => {
                uploader.stop();
                self.shared.files.iter().for_each(FileUploader::stop);
                self.shared.artifacts.uploader().into_iter().for_each(ArtifactUploader::stop);
                let line = format!("{}; a process in the background sends them", self.ended_after(rows));
                settings.verbosity.info(&line);
                FinishReport::Detached
            }
            Err(error) => {
                settings.verbosity.warn(&format!("{error}; so the run is sent from here"));
                self.finish_here(uploader, rows, interrupted)
            }
        }
    }

    /// Waits until everything is sent, as long as that may take.
    fn finish_here(&self, uploader: &Uploader, rows: u64, interrupted: &mut dyn FnMut() -> bool) -> FinishReport {
        let settings = &self.shared.settings;
        let outcome = self.shared.drain_all(uploader, settings.finish_timeout, interrupted);
        self.tell_end(rows, &outcome);
        match outcome {
            Outcome::Synced if self.shared.identity.mode.is_online() => FinishReport::Synced,
            Outcome::Synced | Outcome::NoServer => FinishReport::Local { missing_bytes: 0 },
            Outcome::Missing { bytes, .. } => FinishReport::Local { missing_bytes: bytes },
        }
    }

    fn tell_end(&self, rows: u64, outcome: &Outcome) {
        let Some(folder) = &self.shared.identity.folder else {
            return;
        };
        let root = folder.path().ancestors().nth(3).unwrap_or(folder.path()).display();
        let mut line = self.ended_after(rows);
        let verbosity = self.shared.settings.verbosity;
        // Writing to a String cannot fail.
        let _ = match (outcome, self.url()) {
            (Outcome::Synced, Some(url)) => write!(line, " → {url}"),
            (Outcome::Missing { bytes, .. }, _) => {
                write!(line, "; {bytes} bytes are still to be sent: steplog sync {}", folder.path().display())
            }
            (Outcome::NoServer | Outcome::Synced, _) => {
                write!(line, ", kept in {}\n  look at it: steplog ui {root}", folder.path().display())
            }
        };
        match outcome {
            Outcome::Missing { reason: Some(reason), .. } => verbosity.warn(&format!("{line}\n  {reason}")),
            Outcome::Missing { reason: None, .. } => verbosity.warn(&line),
            _ => verbosity.info(&line),
        }
    }

    fn ended_after(&self, rows: u64) -> String {
        format!("{} ended after {rows} {}", self.title(), if rows == 1 { "row" } else { "rows" })
    }

    fn title(&self) -> String {
        match self.name() {
            Some(name) => format!("run {name} ({})", self.id()),
            None => format!("run {}", self.id()),
        }
    }

    /// What the run has to do with artifacts.
    pub(crate) fn artifacts(&self) -> &RunArtifacts {
        &self.shared.artifacts
    }

    pub(crate) fn check_open(&self, what: &str) -> Result<(), Error> {
        self.state().check_open(what)
    }

    pub(crate) fn append(&self, record: &Record) -> Result<(), Error> {
        self.state().append(record)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Shared {
    /// Completes the journal; answers how many rows it has.
    pub(crate) fn close_journal(&self, exit_code: i32) -> u64 {
        self.stop_watching();
        self.active().close_console();
        let mut state = self.state();
        if state.finish(terminate::exit_code(exit_code)) && self.own_uploader().is_some() {
            terminate::run_ended();
        }
        let rows = state.rows;
        drop(state);
        let home = self.identity.folder.as_ref().and_then(|folder| folder.path().ancestors().nth(2));
        if let Some(home) = home.filter(|_| exit_code == 0 && self.identity.auto_resumed) {
            Unfinished::forget(home);
        }
        rows
    }

    /// Waits at most so long until everything is sent.
    pub(crate) fn drain(&self, timeout: Duration) {
        if let Some(uploader) = self.own_uploader() {
            self.drain_all(uploader, timeout, &mut || false);
        }
    }

    /// Waits for the journal and then, when the server has it, for files and artifacts; at most so long in all.
    fn drain_all(&self, uploader: &Uploader, timeout: Duration, interrupted: &mut dyn FnMut() -> bool) -> Outcome {
        let begun = Instant::now();
        let mut was_interrupted = false;
        let mut interrupted = || {
            was_interrupted = was_interrupted || interrupted();
            was_interrupted
        };
        let verbosity = self.settings.verbosity;
        let outcome = uploader.drain(timeout, verbosity, &mut interrupted);
        if outcome != Outcome::Synced {
            return outcome;
        }
        let time_left = || timeout.saturating_sub(begun.elapsed());
        let files = self.files.as_ref().map(|files| files.drain(time_left(), verbosity, &mut interrupted));
        let artifacts = self.artifacts.uploader();
        let artifacts = artifacts.map(|artifacts| artifacts.drain(time_left(), verbosity, &mut interrupted));
        let (files, artifacts) = (files.unwrap_or_default(), artifacts.unwrap_or_default());
        let mut missing = Vec::new();
        if files.files > 0 {
            missing.push(format!("{} of its files", files.files));
        }
        if artifacts.artifacts > 0 {
            missing.push(format!("{} of its artifacts", artifacts.artifacts));
        }
        if missing.is_empty() {
            return Outcome::Synced;
        }
        let reason = Some(format!("{} are not on the server yet", missing.join(" and ")));
        Outcome::Missing { bytes: files.bytes + artifacts.bytes, reason }
    }

    /// Ends what looks at the machine; what it writes must be in the journal before that is closed.
    fn stop_watching(&self) {
        self.surroundings.iter().for_each(Surroundings::stop);
        self.sampler.iter().for_each(Sampler::stop);
    }

    /// The uploader, in the process that has its thread.
    fn own_uploader(&self) -> Option<&Uploader> {
        self.uploader.as_ref().filter(|uploader| uploader.generation() == fork::generation())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.active().state)
    }

    fn active(&self) -> &Active {
        // SAFETY: The pointer comes from `Arc::into_raw`, is never null, and is freed only when `Shared` is dropped.
        let active = unsafe { &*self.active.load(Ordering::Acquire) };
        if active.generation == fork::generation() { active } else { self.adopt(active) }
    }

    /// Makes the part of the run that belongs to this forked child. The parent's part is left alone, and never freed:
    /// threads that did not come along may hold its lock.
    #[cold]
    fn adopt(&self, parent: &Active) -> &Active {
        let identity = &self.identity;
        let mut state = match parent.state.try_lock() {
            Ok(mut parent) => {
                parent.fold_latest();
                parent.forked(identity)
            }
            // Another thread of the parent was just logging: its half-made state is out of reach.
            Err(_) => State::new(Journal::Later(Box::new(identity.clone())), Begin::default()),
        };
        state.sticky_summary = self.settings.sticky_summary;
        let own = Arc::into_raw(Arc::new(Active::new(state, Console::new(None, false)))).cast_mut();
        let from = std::ptr::from_ref(parent).cast_mut();
        match self.active.compare_exchange(from, own, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: As in `active`.
            Ok(_) => unsafe { &*own },
            Err(winner) => {
                // SAFETY: `own` came from `Arc::into_raw` above and was not published; `winner` is as in `active`.
                unsafe {
                    drop(Arc::from_raw(own));
                    &*winner
                }
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let active = *self.active.get_mut();
        // SAFETY: The pointer comes from `Arc::into_raw`, and nobody else can load it any more.
        let active = unsafe { Arc::from_raw(active) };
        if active.generation != fork::generation() {
            // The parent's: its locks may be held for ever.
            std::mem::forget(active);
            std::mem::forget(self.uploader.take());
            std::mem::forget(self.files.take());
            // One more owner, who never goes.
            std::mem::forget(self.artifacts.clone());
            return;
        }
        self.stop_watching();
        active.close_console();
        if lock(&active.state).finish(if std::thread::panicking() { 1 } else { 0 }) && self.own_uploader().is_some() {
            terminate::run_ended();
        }
        // `finish` has already waited for as long as it may; `drain` again would wait as long once more.
        let waited = lock(&self.report).is_some();
        let own = |uploader: &Uploader| !waited && uploader.generation() == fork::generation();
        if let Some(uploader) = self.uploader.take().filter(own) {
            self.drain_all(&uploader, self.settings.finish_timeout, &mut || false);
        }
    }
}

/// The time now, Unix seconds.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // State is consistent between any two statements of ours, and a tracker's panic must not end training.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
