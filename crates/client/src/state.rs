//! What one process has of a run: its journal, and what follows from what was written to it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use steplog_journal::{Backlog, Event, JournalWriter, KeyId, Keys, Prepared, Upkeep, WriterOptions};
use steplog_model::{
    Change, Config, ConsoleLines, MAX_TEXT_BYTES, MAX_VALUE_DEPTH, MetricDefinition, Record, RunStart, StepCounter,
    StepPlan, StreamId, Summary, Value,
};

use crate::error::{Error, ErrorKind};
use crate::fork;
use crate::local::JournalLock;
use crate::metrics::Metrics;
use crate::run::{Identity, now};
use crate::shared_step::SharedStep;

/// Keys that every row has by itself, interned first so that they are recognised by number.
const OWN_KEYS: [&str; 3] = ["_timestamp", "_step", "_runtime"];

/// How many rows with other keys than the one before wait for the summary.
const MOST_UNFOLDED_ROWS: usize = 16;

/// What a run has as it begins.
#[derive(Default)]
pub(crate) struct Begin {
    pub(crate) name: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) config: Config,
    pub(crate) summary: Summary,
    /// Step and time of the row with the highest step, of a run that is gone on with.
    pub(crate) last_row: Option<(i64, f64)>,
    pub(crate) steps: StepCounter,
}

pub(crate) struct State {
    journal: Journal,
    pub(crate) keys: Keys,
    steps: StepCounter,
    /// What forked children count with too; `None` for a disabled run.
    shared_step: Option<Arc<SharedStep>>,
    pub(crate) config: Config,
    pub(crate) summary: Summary,
    /// The newest complete rows that `summary` has not taken in yet, each with other keys than the one before: a row with
    /// the same keys takes the place of the last one. Hashing every key of every row is what `log` has no time for.
    latest: Vec<(i64, Vec<(KeyId, Value)>)>,
    /// The open row's entries, which count for the summary once it is complete.
    pending: Vec<(KeyId, Value)>,
    metrics: Metrics,
    /// Whether summary values set by hand stay when their keys are logged afterwards.
    pub(crate) sticky_summary: bool,
    pub(crate) name: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) rows: u64,
    /// Step and time of the complete row with the highest step.
    pub(crate) last_row: Option<(i64, f64)>,
    written_at: f64,
    pub(crate) finished: bool,
    /// Told by the journal as it closed.
    last_events: Vec<Event>,
}

pub(crate) enum Journal {
    Open {
        writer: Box<JournalWriter>,
        lock: Option<JournalLock>,
    },
    /// A forked child that has not written yet.
    Later(Box<Identity>),
    /// Nothing is kept.
    Disabled,
    Closed {
        /// What it was.
        backlog: Option<(StreamId, Arc<Backlog>)>,
    },
}

impl State {
    pub(crate) fn new(journal: Journal, begin: Begin) -> Self {
        let mut keys = Keys::default();
        for key in OWN_KEYS {
            keys.intern(key).expect("the key is short");
        }
        let Begin { name, notes, tags, config, summary, last_row, steps } = begin;
        let shared_step = if matches!(journal, Journal::Disabled) { None } else { SharedStep::new(steps.next()) };
        let mut state = Self {
            journal,
            keys,
            shared_step: shared_step.map(Arc::new),
            steps,
            config,
            summary,
            latest: Vec::new(),
            pending: Vec::new(),
            metrics: Metrics::default(),
            sticky_summary: true,
            name,
            notes,
            tags,
            rows: 0,
            last_row,
            written_at: now(),
            finished: false,
            last_events: Vec::new(),
        };
        state.metrics.follow(state.summary.definitions());
        state
    }

    pub(crate) fn forked(&self, identity: &Identity) -> Self {
        let journal = match self.journal {
            Journal::Disabled => Journal::Disabled,
            Journal::Closed { .. } => Journal::Closed { backlog: None },
            Journal::Open { .. } | Journal::Later(_) => Journal::Later(Box::new(identity.clone())),
        };
        let begin = Begin {
            name: self.name.clone(),
            notes: self.notes.clone(),
            tags: self.tags.clone(),
            config: self.config.clone(),
            summary: self.summary.clone(),
            last_row: self.last_row,
            steps: StepCounter::new(self.steps.next()),
        };
        Self { finished: self.finished, shared_step: self.shared_step.clone(), ..Self::new(journal, begin) }
    }

    pub(crate) fn intern(&mut self, key: &str) -> Result<KeyId, Error> {
        Ok(self.keys.intern(key)?)
    }

    pub(crate) fn log(
        &mut self,
        entries: &mut Vec<(KeyId, Value)>,
        step: Option<i64>,
        commit: Option<bool>,
    ) -> Result<(), Error> {
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
        if !self.metrics.is_empty() {
            let joins_open = self.steps.is_open() && step.is_none_or(|step| step == self.steps.next());
            let open = if joins_open { &self.pending[..] } else { &[] };
            self.metrics.sync_steps(entries, open, &self.keys);
        }
        let mut steps = self.steps;
        let mut late = false;
        let mut taken = None;
        let plan = if matches!(self.journal, Journal::Disabled) {
            // A disabled run only has a summary, and its step stays 0.
            steps.plan(None, Some(false));
            steps = StepCounter::new(0);
            let plan = StepPlan { step: 0, commits_open: false, commits: true };
            self.let_go_of_hand_set(&plan, late, entries)?;
            plan
        } else {
            if let Some(shared) = self.shared_step.as_ref().filter(|_| fork::count() > 0 && !steps.is_open()) {
                // Another process of the run may be further.
                let takes = step.is_none() && commit != Some(false);
                taken = takes.then(|| shared.take(steps.next()));
                steps = StepCounter::new(taken.unwrap_or_else(|| shared.next(steps.next())));
            }
            late = step.is_some_and(|step| step < steps.next());
            let plan = steps.plan(step, commit);
            let written = self.write_row(&plan, late, entries, time);
            if let (Err(_), Some(step), Some(shared)) = (&written, taken, &self.shared_step) {
                shared.give_back(step);
            }
            written?;
            if let Some(shared) = &self.shared_step {
                if fork::count() > 0 { shared.raise(steps.next()) } else { shared.store(steps.next()) }
            }
            plan
        };
        self.written_at = written_at;
        if plan.commits_open {
            let step = self.steps.next();
            self.complete_pending(step);
            self.complete_row(step, time);
        }
        self.steps = steps;
        if !plan.commits {
            self.pending.append(entries);
            return Ok(());
        }
        self.complete_row(plan.step, time);
        if !late && !self.pending.is_empty() {
            self.pending.append(entries);
            self.complete_pending(plan.step);
        } else {
            self.keep_latest(plan.step, entries);
        }
        Ok(())
    }

    #[inline]
    fn write_row(&mut self, plan: &StepPlan, late: bool, entries: &[(KeyId, Value)], time: f64) -> Result<(), Error> {
        self.open_journal(plan.step)?;
        self.let_go_of_hand_set(plan, late, entries)?;
        if let Journal::Open { writer, .. } = &mut self.journal {
            writer.append_row(plan.step, time, plan.commits, entries, &self.keys)?;
        }
        Ok(())
    }

    /// Where a value set by hand does not stay: lets go of those that the rows completed by `plan` have values for. Goes
    /// into the journal before the end of the row, so that every reader takes the row's value.
    fn let_go_of_hand_set(&mut self, plan: &StepPlan, late: bool, entries: &[(KeyId, Value)]) -> Result<(), Error> {
        if self.sticky_summary || !self.summary.has_by_hand() {
            return Ok(());
        }
        let pending = if plan.commits_open || (plan.commits && !late) { &*self.pending } else { &[] };
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
        if pending.is_empty() {
            return;
        }
        if self.metrics.every_value {
            // Of two values of a key in one row the later counts alone.
            let mut seen = HashSet::new();
            pending.reverse();
            pending.retain(|(key, _)| seen.insert(*key));
        }
        self.keep_latest(step, &mut pending);
    }

    /// Keeps a complete row for the summary, and leaves an empty buffer for the next.
    fn keep_latest(&mut self, step: i64, entries: &mut Vec<(KeyId, Value)>) {
        if self.metrics.every_value {
            self.latest.push((step, std::mem::take(entries)));
            return self.fold_latest();
        }
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
    pub(crate) fn fold_latest(&mut self) {
        for (step, entries) in self.latest.drain(..) {
            for (key, value) in entries {
                self.summary.apply_value(self.keys.text(key), step, &value);
            }
        }
    }

    /// Takes in what the script says about a metric.
    pub(crate) fn define_metric(&mut self, definition: MetricDefinition) -> Result<(), Error> {
        self.check_open("define_metric")?;
        definition.check()?;
        self.append(&Record::Metric(definition.clone()))?;
        self.fold_latest();
        self.summary.define(definition);
        self.metrics.follow(self.summary.definitions());
        Ok(())
    }

    /// The number that the next automatic row will use.
    pub(crate) fn step(&self) -> i64 {
        let own = self.steps.next();
        let shared = self.shared_step.as_ref().filter(|_| fork::count() > 0 && !self.steps.is_open());
        shared.map_or(own, |shared| shared.next(own))
    }

    pub(crate) fn check_open(&self, what: &str) -> Result<(), Error> {
        // A disabled run takes everything, always: its script must not behave differently from one that records.
        if self.finished && !matches!(self.journal, Journal::Disabled) {
            return Err(Error::new(
                ErrorKind::Finished,
                format!("{what}: the run is finished; begin another with init()"),
            ));
        }
        Ok(())
    }

    pub(crate) fn append(&mut self, record: &Record) -> Result<(), Error> {
        self.open_journal(self.step())?;
        if let Journal::Open { writer, .. } = &mut self.journal {
            writer.append_record(record)?;
            self.written_at = now();
        }
        Ok(())
    }

    /// Records what the process printed. That is no reason to fail, nor to hold back a sign of life.
    pub(crate) fn append_console(&mut self, lines: ConsoleLines) {
        if !self.finished
            && self.open_journal(self.step()).is_ok()
            && let Journal::Open { writer, .. } = &mut self.journal
        {
            // Records are made so that they fit.
            let _ = writer.append_record(&Record::Console(lines));
        }
    }

    /// Begins the journal of a forked child, before its first record.
    fn open_journal(&mut self, first_step: i64) -> Result<(), Error> {
        let Journal::Later(identity) = &self.journal else {
            return Ok(());
        };
        let Some(folder) = &identity.folder else { return Ok(()) };
        let stream = StreamId::generate();
        let journal = folder.journal(stream);
        let mut writer = JournalWriter::create(&journal, stream, WriterOptions::default())
            .map_err(|error| Error::io(error, "cannot begin the journal of a forked process"))?;
        let start = RunStart { first_step, parent_stream: Some(identity.stream), ..identity.start(now()) };
        writer.append_record(&Record::RunStart(Box::new(start)))?;
        let lock = JournalLock::try_take(&journal).ok().flatten();
        self.journal = Journal::Open { writer: Box::new(writer), lock };
        Ok(())
    }

    /// Completes the open row, records the exit code and closes the journal; `false` when it was closed before.
    pub(crate) fn finish(&mut self, code: i32) -> bool {
        if std::mem::replace(&mut self.finished, true) || matches!(self.journal, Journal::Disabled) {
            return false;
        }
        let step = self.steps.next();
        let plan = StepPlan { step, commits_open: true, commits: false };
        self.let_go_of_hand_set(&plan, false, &[]).expect("the journal is open, and removals are small");
        if self.steps.commit_open() {
            self.complete_pending(step);
            self.complete_row(step, self.written_at);
        }
        let closed = Journal::Closed { backlog: self.backlog() };
        if let Journal::Open { mut writer, lock } = std::mem::replace(&mut self.journal, closed) {
            writer.append_record(&Record::Exit { time: now(), code }).expect("the record is small");
            self.last_events = writer.take_events();
            // The end of a journal that could not be cut is found all the same.
            let _ = writer.close();
            drop(lock);
        }
        true
    }

    /// What can be read of the journal while this process writes it.
    pub(crate) fn backlog(&self) -> Option<(StreamId, Arc<Backlog>)> {
        match &self.journal {
            Journal::Open { writer, .. } => Some((writer.stream(), writer.backlog())),
            Journal::Closed { backlog } => backlog.clone(),
            Journal::Later(_) | Journal::Disabled => None,
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
pub(crate) fn check_value(key: &str, value: &Value) -> Result<(), Error> {
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
