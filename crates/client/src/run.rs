//! A live run.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use steplog_journal::{Backlog, Event, JournalWriter, KeyId, Keys, Prepared, RunFolder, Upkeep, WriterOptions};
use steplog_model::{
    Change, Config, Entity, MAX_TEXT_BYTES, MAX_VALUE_DEPTH, Project, Record, RunId, RunPath, RunStart, RunUpdate,
    StepCounter, StepPlan, StreamId, Summary, Value, path_segment,
};

use crate::error::{Error, ErrorKind};
use crate::fork;
use crate::init::{RunBuilder, check_tags, host_name};
use crate::local::JournalLock;
use crate::row::IntoRow;
use crate::settings::{Mode, Resolved};
use crate::uploader::{Outcome, Uploader};

/// Keys that every row has by itself, interned first so that they are recognised by number.
const OWN_KEYS: [&str; 3] = ["_timestamp", "_step", "_runtime"];

/// How many rows with other keys than the one before wait for the summary.
const MOST_UNFOLDED_ROWS: usize = 16;

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
    pub(crate) started_at: f64,
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

struct Shared {
    identity: Identity,
    settings: Resolved,
    /// What this process has of the run: made by `init`, or on first use in a forked child. Never null.
    active: AtomicPtr<Active>,
    uploader: Option<Uploader>,
    report: Mutex<Option<FinishReport>>,
}

/// The part of a run that belongs to one process.
pub(crate) struct Active {
    generation: u32,
    pub(crate) state: Mutex<State>,
}

pub(crate) struct State {
    journal: Journal,
    keys: Keys,
    steps: StepCounter,
    config: Config,
    summary: Summary,
    /// The newest complete rows that `summary` has not taken in yet, each with other keys than the one before: a row with
    /// the same keys takes the place of the last one. Hashing every key of every row is what `log` has no time for.
    latest: Vec<(i64, Vec<(KeyId, Value)>)>,
    /// The open row's entries, which count for the summary once it is complete.
    pending: Vec<(KeyId, Value)>,
    name: Option<String>,
    notes: Option<String>,
    tags: Vec<String>,
    /// Whether summary values set by hand stay when their keys are logged afterwards.
    sticky_summary: bool,
    rows: u64,
    /// Step and time of the complete row with the highest step.
    last_row: Option<(i64, f64)>,
    pub(crate) written_at: f64,
    finished: bool,
    /// Told by the journal as it closed.
    last_events: Vec<Event>,
}

enum Journal {
    Open {
        writer: Box<JournalWriter>,
        lock: Option<JournalLock>,
    },
    /// A forked child that has not written yet.
    Later(Box<Identity>),
    /// Nothing is kept.
    Disabled,
    Closed,
}

/// How [`Run::finish`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishReport {
    /// The server has everything.
    Synced,
    /// The journal is complete on disk; a server was not reached, or has not all of it yet. `steplog sync` sends the rest.
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

    pub(crate) fn disabled(
        identity: Identity,
        settings: Resolved,
        name: Option<String>,
        notes: Option<String>,
        tags: Option<Vec<String>>,
        config: Config,
    ) -> Self {
        let name = name.or_else(|| Some(format!("dummy-{}", identity.id)));
        let state = State::new(Journal::Disabled, name, notes, tags, config, StepCounter::new(0));
        Self::with_active(identity, settings, Active { generation: fork::generation(), state: Mutex::new(state) }, None)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the one caller has each of them in hand, and a struct would say no more"
    )]
    pub(crate) fn begin(
        identity: Identity,
        settings: Resolved,
        name: Option<String>,
        notes: Option<String>,
        tags: Option<Vec<String>>,
        config: Config,
        steps: StepCounter,
        writer: JournalWriter,
        lock: Option<JournalLock>,
    ) -> Self {
        let backlog = writer.backlog();
        let state = State::new(Journal::Open { writer: Box::new(writer), lock }, name, notes, tags, config, steps);
        let active = Active { generation: fork::generation(), state: Mutex::new(state) };
        let run = Self::with_active(identity, settings, active, Some(backlog));
        if let Some(url) = run.url() {
            run.shared.settings.verbosity.info(&format!("{} → {url}", run.label()));
        } else if let Some(dir) = run.shared.identity.folder.as_ref() {
            run.shared.settings.verbosity.info(&format!("{} → {}", run.label(), dir.path().display()));
        }
        run
    }

    fn with_active(identity: Identity, settings: Resolved, mut active: Active, backlog: Option<Arc<Backlog>>) -> Self {
        active.state.get_mut().unwrap_or_else(PoisonError::into_inner).sticky_summary = settings.sticky_summary;
        let active = Arc::new(active);
        let uploader = backlog.map(|backlog| Uploader::start(&identity, &settings, backlog, active.clone()));
        let active = AtomicPtr::new(Arc::into_raw(active).cast_mut());
        Self { shared: Arc::new(Shared { identity, settings, active, uploader, report: Mutex::new(None) }) }
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

    /// A copy of the summary.
    pub fn summary(&self) -> Summary {
        let mut state = self.state();
        state.fold_latest();
        state.summary.clone()
    }

    /// The number that the next automatic row will use.
    pub fn step(&self) -> i64 {
        self.state().steps.next()
    }

    /// Step and time of the complete row with the highest step.
    pub fn last_row(&self) -> Option<(i64, f64)> {
        self.state().last_row
    }

    /// Id.
    pub fn id(&self) -> &str {
        self.shared.identity.id.as_str()
    }

    /// Name, if one was given.
    pub fn name(&self) -> Option<String> {
        self.state().name.clone()
    }

    /// Renames the run.
    ///
    /// # Errors
    /// The run is finished.
    pub fn set_name(&self, name: &str) -> Result<(), Error> {
        self.update("name", RunUpdate { name: Some(name.into()), ..RunUpdate::default() })
    }

    /// Notes.
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

    /// Tags, in the order given.
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

    /// Project.
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

    /// Group.
    pub fn group(&self) -> Option<&str> {
        self.shared.identity.group.as_deref()
    }

    /// Job type.
    pub fn job_type(&self) -> Option<&str> {
        self.shared.identity.job_type.as_deref()
    }

    /// Where the data goes.
    pub fn mode(&self) -> Mode {
        self.shared.identity.mode
    }

    /// When it began, Unix seconds.
    pub fn start_time(&self) -> f64 {
        self.shared.identity.started_at
    }

    /// The folder for the run's files; `None` for a disabled run.
    pub fn dir(&self) -> Option<PathBuf> {
        self.shared.identity.folder.as_ref().map(RunFolder::files)
    }

    /// Its page on the server; `None` unless the run is online.
    pub fn url(&self) -> Option<String> {
        let identity = &self.shared.identity;
        (identity.mode == Mode::Online)
            .then(|| format!("{}/runs/{}", self.project_url_of(identity), path_segment(identity.id.as_str())))
    }

    /// Its project's page on the server; `None` unless the run is online.
    pub fn project_url(&self) -> Option<String> {
        let identity = &self.shared.identity;
        (identity.mode == Mode::Online).then(|| self.project_url_of(identity))
    }

    fn project_url_of(&self, identity: &Identity) -> String {
        let (entity, project) = (path_segment(identity.entity.as_str()), path_segment(identity.project.as_str()));
        format!("{}/{entity}/{project}", self.shared.settings.base_url)
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
        let rows = {
            let mut state = self.state();
            state.finish(exit_code);
            state.rows
        };
        let answer = match (&self.shared.uploader, fork::generation()) {
            (Some(uploader), generation) if generation == uploader.generation() => {
                let outcome =
                    uploader.drain(self.shared.settings.finish_timeout, self.shared.settings.verbosity, interrupted);
                self.tell_end(rows, &outcome);
                match outcome {
                    Outcome::Synced => FinishReport::Synced,
                    Outcome::NoServer => FinishReport::Local { missing_bytes: 0 },
                    Outcome::Missing { bytes, .. } => FinishReport::Local { missing_bytes: bytes },
                }
            }
            _ => FinishReport::Nothing,
        };
        *report = Some(answer.clone());
        answer
    }

    fn tell_end(&self, rows: u64, outcome: &Outcome) {
        let Some(folder) = &self.shared.identity.folder else {
            return;
        };
        let root = folder.path().ancestors().nth(3).unwrap_or(folder.path()).display();
        let mut line = format!("{} ended after {rows} rows", self.label());
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

    fn label(&self) -> String {
        match self.name() {
            Some(name) => format!("run {name} ({})", self.id()),
            None => format!("run {}", self.id()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.active().state)
    }

    fn active(&self) -> &Active {
        // SAFETY: The pointer comes from `Arc::into_raw`, is never null, and is freed only when `Shared` is dropped.
        let active = unsafe { &*self.shared.active.load(Ordering::Acquire) };
        if active.generation == fork::generation() { active } else { self.adopt(active) }
    }

    /// Makes the part of the run that belongs to this forked child. The parent's part is left alone, and never freed:
    /// threads that did not come along may hold its lock.
    #[cold]
    fn adopt(&self, parent: &Active) -> &Active {
        let identity = &self.shared.identity;
        let mut state = match parent.state.try_lock() {
            Ok(mut parent) => {
                parent.fold_latest();
                parent.forked(identity)
            }
            // Another thread of the parent was just logging: its half-made state is out of reach.
            Err(_) => State::new(
                Journal::Later(Box::new(identity.clone())),
                None,
                None,
                None,
                Config::default(),
                StepCounter::new(0),
            ),
        };
        state.sticky_summary = self.shared.settings.sticky_summary;
        let own =
            Arc::into_raw(Arc::new(Active { generation: fork::generation(), state: Mutex::new(state) })).cast_mut();
        let from = std::ptr::from_ref(parent).cast_mut();
        match self.shared.active.compare_exchange(from, own, Ordering::AcqRel, Ordering::Acquire) {
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
            return;
        }
        lock(&active.state).finish(if std::thread::panicking() { 1 } else { 0 });
        // `finish` has already waited for as long as it may; `drain` again would wait as long once more.
        let waited = lock(&self.report).is_some();
        let own = |uploader: &Uploader| !waited && uploader.generation() == fork::generation();
        if let Some(uploader) = self.uploader.take().filter(own) {
            uploader.drain(self.settings.finish_timeout, self.settings.verbosity, &mut || false);
        }
    }
}

impl State {
    fn new(
        journal: Journal,
        name: Option<String>,
        notes: Option<String>,
        tags: Option<Vec<String>>,
        config: Config,
        steps: StepCounter,
    ) -> Self {
        let mut keys = Keys::default();
        for key in OWN_KEYS {
            keys.intern(key).expect("the key is short");
        }
        Self {
            journal,
            keys,
            steps,
            config,
            summary: Summary::default(),
            latest: Vec::new(),
            pending: Vec::new(),
            name,
            notes,
            tags: tags.unwrap_or_default(),
            sticky_summary: true,
            rows: 0,
            last_row: None,
            written_at: now(),
            finished: false,
            last_events: Vec::new(),
        }
    }

    fn forked(&self, identity: &Identity) -> Self {
        let journal = match self.journal {
            Journal::Disabled => Journal::Disabled,
            Journal::Closed => Journal::Closed,
            Journal::Open { .. } | Journal::Later(_) => Journal::Later(Box::new(identity.clone())),
        };
        Self {
            summary: self.summary.clone(),
            finished: self.finished,
            ..Self::new(
                journal,
                self.name.clone(),
                self.notes.clone(),
                Some(self.tags.clone()),
                self.config.clone(),
                StepCounter::new(self.steps.next()),
            )
        }
    }

    fn intern(&mut self, key: &str) -> Result<KeyId, Error> {
        Ok(self.keys.intern(key)?)
    }

    fn log(&mut self, entries: &mut Vec<(KeyId, Value)>, step: Option<i64>, commit: Option<bool>) -> Result<(), Error> {
        self.check_open("log")?;
        let written_at = now();
        let mut time = written_at;
        let mut own_keys = false;
        for (key, value) in &*entries {
            own_keys |= key.index() < OWN_KEYS.len();
            if !matches!(value, Value::Float(_) | Value::Int(_) | Value::Bool(_) | Value::Null) {
                check_value(self.keys.text(*key), value)?;
            }
        }
        if own_keys {
            // A time given by the caller wins; step and run time are not the caller's to set.
            let given = entries.iter().find(|(key, _)| key.index() == 0).and_then(|(_, value)| value.as_f64());
            time = given.filter(|time| time.is_finite()).unwrap_or(time);
            entries.retain(|(key, _)| key.index() >= OWN_KEYS.len());
        }
        let mut steps = self.steps;
        let plan = if matches!(self.journal, Journal::Disabled) {
            // A disabled run only has a summary, and its step stays 0.
            steps.plan(None, Some(false));
            steps = StepCounter::new(0);
            let plan = StepPlan { step: 0, commits_open: false, commits: true };
            self.let_go_of_hand_set(&plan, entries)?;
            plan
        } else {
            let plan = steps.plan(step, commit);
            self.open_journal()?;
            self.let_go_of_hand_set(&plan, entries)?;
            if let Journal::Open { writer, .. } = &mut self.journal {
                writer.append_row(plan.step, time, plan.commits, entries, &self.keys)?;
            }
            plan
        };
        self.written_at = written_at;
        if plan.commits_open {
            let step = self.steps.next();
            self.complete_pending(step);
            self.complete_row(step, time);
        }
        let late = plan.step < self.steps.next();
        self.steps = steps;
        if plan.commits {
            if !late {
                self.complete_pending(plan.step);
            }
            self.complete_row(plan.step, time);
            self.keep_latest(plan.step, entries);
        } else {
            self.pending.append(entries);
        }
        Ok(())
    }

    /// Where a value set by hand does not stay: lets go of those that the rows completed by `plan` have values for. Goes
    /// into the journal before the end of the row, so that every reader takes the row's value.
    fn let_go_of_hand_set(&mut self, plan: &StepPlan, entries: &[(KeyId, Value)]) -> Result<(), Error> {
        if self.sticky_summary || !self.summary.has_by_hand() {
            return Ok(());
        }
        let completes_open = plan.commits_open || (plan.commits && plan.step >= self.steps.next());
        let pending = if completes_open { &*self.pending } else { &[] };
        let entries = if plan.commits { entries } else { &[] };
        let keys = pending.iter().chain(entries).map(|(key, _)| self.keys.text(*key));
        let by_hand: BTreeSet<Arc<str>> = keys.flat_map(|key| self.summary.by_hand_around(key)).collect();
        if by_hand.is_empty() {
            return Ok(());
        }
        let changes: Vec<_> = by_hand.iter().map(|key| Change { key: key.to_string(), value: None }).collect();
        self.append(&Record::Summary(changes.clone()))?;
        self.fold_latest();
        changes.iter().for_each(|change| self.summary.apply_change(change));
        Ok(())
    }

    fn complete_row(&mut self, step: i64, time: f64) {
        self.rows += 1;
        if self.last_row.is_none_or(|(highest, _)| step >= highest) {
            self.last_row = Some((step, time));
        }
    }

    fn complete_pending(&mut self, step: i64) {
        let mut pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.keep_latest(step, &mut pending);
        }
    }

    /// Keeps a complete row for the summary, and leaves an empty buffer for the next.
    fn keep_latest(&mut self, step: i64, entries: &mut Vec<(KeyId, Value)>) {
        if let Some((last_step, last)) = self.latest.last_mut() {
            let covers = step >= *last_step
                && last.len() == entries.len()
                && last.iter().zip(&*entries).all(|((a, _), (b, value))| a == b && !matches!(value, Value::Null));
            if covers {
                *last_step = step;
                std::mem::swap(last, entries);
                entries.clear();
                return;
            }
        }
        if self.latest.len() >= MOST_UNFOLDED_ROWS {
            self.fold_latest();
        }
        self.latest.push((step, std::mem::take(entries)));
    }

    /// Brings the summary up to date.
    fn fold_latest(&mut self) {
        for (step, entries) in self.latest.drain(..) {
            for (key, value) in entries {
                self.summary.apply_value(self.keys.text(key), step, &value);
            }
        }
    }

    fn check_open(&self, what: &str) -> Result<(), Error> {
        // A disabled run takes everything, always: its script must not behave differently from one that records.
        if self.finished && !matches!(self.journal, Journal::Disabled) {
            return Err(Error::new(
                ErrorKind::Finished,
                format!("{what}: the run is finished; begin another with init()"),
            ));
        }
        Ok(())
    }

    fn append(&mut self, record: &Record) -> Result<(), Error> {
        self.open_journal()?;
        if let Journal::Open { writer, .. } = &mut self.journal {
            writer.append_record(record)?;
            self.written_at = now();
        }
        Ok(())
    }

    /// Begins the journal of a forked child, before its first record.
    fn open_journal(&mut self) -> Result<(), Error> {
        let Journal::Later(identity) = &self.journal else {
            return Ok(());
        };
        let Some(folder) = &identity.folder else { return Ok(()) };
        let stream = StreamId::generate();
        let journal = folder.journal(stream);
        let mut writer = JournalWriter::create(&journal, stream, WriterOptions::default())
            .map_err(|error| Error::io(error, "cannot begin the journal of a forked process"))?;
        let start =
            RunStart { first_step: self.steps.next(), parent_stream: Some(identity.stream), ..identity.start(now()) };
        writer.append_record(&Record::RunStart(Box::new(start)))?;
        let lock = JournalLock::try_take(&journal).ok().flatten();
        self.journal = Journal::Open { writer: Box::new(writer), lock };
        Ok(())
    }

    /// Completes the open row, records the exit code and closes the journal; once.
    fn finish(&mut self, code: i32) {
        if std::mem::replace(&mut self.finished, true) || matches!(self.journal, Journal::Disabled) {
            return;
        }
        let step = self.steps.next();
        let plan = StepPlan { step, commits_open: true, commits: false };
        self.let_go_of_hand_set(&plan, &[]).expect("the journal is open, and removals are small");
        if self.steps.commit_open() {
            self.complete_pending(step);
            self.complete_row(step, self.written_at);
        }
        if let Journal::Open { mut writer, lock } = std::mem::replace(&mut self.journal, Journal::Closed) {
            writer.append_record(&Record::Exit { time: now(), code }).expect("the record is small");
            self.last_events = writer.take_events();
            // The end of a journal that could not be cut is found all the same.
            let _ = writer.close();
            drop(lock);
        }
    }

    /// Slow file work for a background thread, to be done without the state.
    pub(crate) fn take_upkeep(&mut self) -> Option<Upkeep> {
        match &mut self.journal {
            Journal::Open { writer, .. } => writer.take_upkeep(),
            _ => None,
        }
    }

    pub(crate) fn give_prepared(&mut self, prepared: Prepared) {
        match &mut self.journal {
            Journal::Open { writer, .. } => writer.give_prepared(prepared),
            _ => prepared.discard(),
        }
    }

    /// What a background thread does now and then: signs of life, and the disk's return. Answers what a person should
    /// hear about.
    pub(crate) fn tend(&mut self, heartbeat_after: f64) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.last_events);
        if let Journal::Open { writer, .. } = &mut self.journal {
            writer.retry_disk();
            events.extend(writer.take_events());
            let time = now();
            if time - self.written_at >= heartbeat_after {
                self.written_at = time;
                writer.append_record(&Record::Heartbeat { time }).expect("the record is small");
            }
        }
        events
    }
}

/// Refuses what does not belong into a row.
fn check_value(key: &str, value: &Value) -> Result<(), Error> {
    fn check(value: &Value, depth: usize) -> Result<(), String> {
        if depth > MAX_VALUE_DEPTH {
            return Err(format!("nests more than {MAX_VALUE_DEPTH} levels deep"));
        }
        match value {
            Value::Text(text) | Value::BigInt(text) if text.len() > MAX_TEXT_BYTES => Err(format!(
                "holds a text of {} bytes, more than {MAX_TEXT_BYTES}; keep large data in a file",
                text.len()
            )),
            Value::List(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
            Value::Map(entries) => entries.iter().try_for_each(|(_, item)| check(item, depth + 1)),
            _ => Ok(()),
        }
    }
    check(value, 0).map_err(|what| Error::invalid(format_args!("the value of {key:?} {what}")))
}

/// The time now, Unix seconds.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // State is consistent between any two statements of ours, and a tracker's panic must not end training.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
