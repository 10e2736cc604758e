//! A live run in memory: the columns of rows that are not in chunks yet.
//!
//! Rows live in groups. A **group** is a set of keys that so far have always come together, so that its steps, times
//! and sequence numbers are kept once for all of them. The keys that are new in a row form a group; a row that has only
//! some keys of a group splits it, for good. So a run has at most as many groups as keys, whatever its rows look like.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use steplog_journal::StreamDecoder;
use steplog_model::{Change, MetricDefinition, Record, Row, RunPath, StreamId, Summary, Value};

use crate::values::{Kinds, Rows, Values, value_bytes};

/// Row shapes that a stream remembers: a training loop alternates between a few.
const PLANS: usize = 8;

/// Rows whose keys have always come together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    /// Indices into [`HotRun::columns`]; `values` has the same order.
    pub(crate) columns: Vec<u32>,
    pub(crate) rows: Rows,
    pub(crate) values: Vec<Values>,
}

impl Group {
    fn bytes(&self) -> usize {
        self.rows.bytes() + self.values.iter().map(Values::bytes).sum::<usize>()
    }
}

/// One key of the run.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) key: Arc<str>,
    /// The key's id in the catalog.
    pub(crate) id: i64,
    /// What kinds of values the live rows hold.
    pub(crate) kinds: Kinds,
    /// The group, and the place in it.
    place: Option<(u32, u32)>,
    /// The same among the frozen groups.
    frozen_place: Option<(u32, u32)>,
    /// The block that holds the newest chunk.
    pub(crate) tail: Option<Tail>,
    /// What the summary has not seen yet: the step and the value.
    latest: Option<(i64, Value)>,
    /// Whether the summary wants every value, not only the latest.
    every_value: bool,
}

impl Column {
    /// Keeps a value for the summary; answers whether it is the first since the summary was brought up to date.
    fn keep_latest(&mut self, step: i64, value: &Value) -> bool {
        match &self.latest {
            Some((highest, _)) if step < *highest => false,
            latest => {
                let is_first = latest.is_none();
                self.latest = Some((step, value.clone()));
                is_first
            }
        }
    }
}

/// The newest block of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) block: i64,
    pub(crate) row_count: usize,
    pub(crate) column_count: usize,
}

/// A stream that feeds the run.
#[derive(Debug)]
pub(crate) struct HotStream {
    /// Its id in the catalog.
    pub(crate) id: i64,
    pub(crate) decoder: StreamDecoder,
    pub(crate) open: Option<OpenRow>,
    plans: Vec<Plan>,
}

/// A row that its stream has not completed: it is in the columns, but not in the summary.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OpenRow {
    pub(crate) step: i64,
    pub(crate) entries: Vec<(Arc<str>, Value)>,
}

impl HotStream {
    pub(crate) fn new(id: i64, decoder: StreamDecoder, open: Option<OpenRow>) -> Self {
        Self { id, decoder, open, plans: Vec::new() }
    }
}

/// Where the values of rows with certain keys go. Holding the keys keeps their addresses from being used again.
#[derive(Clone, Debug)]
struct Plan {
    /// With whether the value is null.
    keys: Vec<(Arc<str>, bool)>,
    /// For each entry: group and place; `None` for a null, and when the same key comes again later in the row.
    targets: Vec<Option<(u32, u32)>>,
    columns: Vec<u32>,
    groups: Vec<u32>,
    /// The plan holds as long as no group was split since.
    splits: u64,
}

/// What a seal takes out of the live columns; queries read it until the chunks are committed.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) groups: Vec<Group>,
    /// All rows below are in chunks or frozen.
    pub(crate) until: u64,
    /// Where each stream stood.
    pub(crate) streams: Vec<FrozenStream>,
    /// The means in the summary, with how many numbers they are of.
    pub(crate) means: Vec<(Arc<str>, f64, u64)>,
    pub(crate) rewinds: Vec<Rewind>,
    pub(crate) bytes: usize,
}

/// Where a stream stood when its run was frozen.
#[derive(Debug)]
pub(crate) struct FrozenStream {
    pub(crate) id: i64,
    pub(crate) offset: u64,
    pub(crate) keys: Vec<Arc<str>>,
    pub(crate) open: Option<OpenRow>,
}

/// The live part of a run.
#[derive(Debug)]
pub(crate) struct HotRun {
    pub(crate) columns: Vec<Column>,
    by_key: HashMap<Arc<str>, u32, foldhash::fast::RandomState>,
    pub(crate) streams: HashMap<StreamId, HotStream>,
    groups: Vec<Group>,
    pub(crate) frozen: Option<Arc<Frozen>>,
    /// Rows below are in chunks.
    pub(crate) sealed_sequence: u64,
    pub(crate) next_sequence: u64,
    splits: u64,
    /// About how much memory the groups take, the frozen ones not counted.
    pub(crate) bytes: usize,
    /// Points of the largest group.
    pub(crate) longest: usize,
    /// When rows last came, by the store's clock.
    pub(crate) arrived_at: f64,
    /// When the last seal began.
    pub(crate) frozen_at: f64,
    /// Pieces of journal bytes that no seal has covered.
    pub(crate) pieces: usize,
    /// Whether the run is over, or silent.
    pub(crate) ended: bool,
    pub(crate) summary: Summary,
    pub(crate) rewinds: Vec<Rewind>,
    /// Whether the summary is still to be made anew, after a rewind or for a fork.
    pub(crate) is_summary_stale: bool,
    /// Columns whose `latest` is set.
    pending: Vec<u32>,
    /// Summary leaves that changed since they were last written.
    pub(crate) dirty: HashSet<Arc<str>>,
}

/// The part of a column that is not in chunks, by arrival.
#[derive(Debug, Default)]
pub(crate) struct HotColumn {
    pub(crate) sealed_sequence: u64,
    pub(crate) next_sequence: u64,
    pub(crate) parts: Vec<(Rows, Values)>,
    pub(crate) rewinds: Vec<Rewind>,
}

/// A step that a process went back to: rows that came before, with higher steps, do not count any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rewind {
    /// Rows with lower sequence numbers came before.
    pub(crate) sequence: u64,
    pub(crate) step: i64,
}

impl Rewind {
    /// Whether it takes a row back.
    pub(crate) fn hides(&self, sequence: u64, step: i64) -> bool {
        sequence < self.sequence && step > self.step
    }
}

/// A run that is held in memory. Only the writer thread changes it, after the commit.
#[derive(Debug)]
pub(crate) struct LiveRun {
    pub(crate) id: i64,
    pub(crate) project: i64,
    pub(crate) path: RunPath,
    pub(crate) hot: std::sync::Mutex<HotRun>,
}

impl LiveRun {
    pub(crate) fn hot(&self) -> std::sync::MutexGuard<'_, HotRun> {
        // What a panic left half done is rebuilt from the bytes at the next start.
        self.hot.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl HotRun {
    pub(crate) fn new(sealed_sequence: u64, summary: Summary, now: f64) -> Self {
        Self {
            columns: Vec::new(),
            by_key: HashMap::default(),
            streams: HashMap::new(),
            groups: Vec::new(),
            frozen: None,
            sealed_sequence,
            next_sequence: sealed_sequence,
            splits: 0,
            bytes: 0,
            longest: 0,
            arrived_at: now,
            frozen_at: now,
            pieces: 0,
            ended: false,
            summary,
            rewinds: Vec::new(),
            is_summary_stale: false,
            pending: Vec::new(),
            dirty: HashSet::new(),
        }
    }

    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    pub(crate) fn add_column(&mut self, key: Arc<str>, id: i64, tail: Option<Tail>) {
        if self.has_key(&key) {
            return;
        }
        self.by_key.insert(key.clone(), self.columns.len() as u32);
        self.columns.push(Column {
            every_value: self.summary.needs_every_value(&key),
            key,
            id,
            kinds: Kinds::default(),
            place: None,
            frozen_place: None,
            tail,
            latest: None,
        });
    }

    /// Takes in records of a stream; every key in them has a column.
    pub(crate) fn apply(&mut self, stream: StreamId, records: Vec<Record>, now: f64) {
        self.pieces += 1;
        for record in records {
            match record {
                Record::Row(row) => {
                    self.arrived_at = now;
                    self.apply_row(stream, row);
                }
                Record::Summary(changes) => self.apply_summary(&changes),
                Record::Metric(definition) => self.define(definition),
                Record::Exit { .. } => self.commit_open(stream),
                Record::RunStart(start) => start.rewind_to.into_iter().for_each(|step| self.rewind(step)),
                _ => {}
            }
        }
    }

    fn rewind(&mut self, step: i64) {
        self.rewinds.push(Rewind { sequence: self.next_sequence, step });
        // A number that no row has: whoever kept something of a column sees that it is behind.
        self.next_sequence += 1;
        self.is_summary_stale = true;
    }

    fn apply_row(&mut self, stream: StreamId, row: Row) {
        let open = self.streams.get(&stream).and_then(|stream| Some(stream.open.as_ref()?.step));
        if open.is_some_and(|open| row.step > open) {
            self.commit_open(stream);
        }
        let joins_open = open == Some(row.step);
        // A row below the open one came late: it is complete at once.
        let complete = row.committed || open.is_some_and(|open| row.step < open);
        let joins = !complete || joins_open;
        if joins {
            let state = self.streams.get_mut(&stream).expect("records come from a known stream");
            let open = state.open.get_or_insert_with(|| OpenRow { step: row.step, entries: Vec::new() });
            open.entries.extend(row.entries.iter().cloned());
        }
        self.push_row(stream, row, !joins);
        if joins_open && complete {
            self.commit_open(stream);
        }
    }

    fn define(&mut self, definition: MetricDefinition) {
        self.update_summary();
        self.summary.define(definition);
        for column in &mut self.columns {
            column.every_value = self.summary.needs_every_value(&column.key);
        }
    }

    fn push_row(&mut self, stream: StreamId, row: Row, complete: bool) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let plan = self.plan(stream, &row);
        for group in &plan.groups {
            let rows = &mut self.groups[*group as usize].rows;
            rows.push(row.step, row.time, sequence);
            self.longest = self.longest.max(rows.len());
            self.bytes += 24;
        }
        for ((target, index), (_, value)) in plan.targets.iter().zip(&plan.columns).zip(row.entries) {
            let column = &mut self.columns[*index as usize];
            let Some((group, place)) = *target else {
                // A null is no point of the column, but the summary has no value after it.
                if complete
                    && !column.every_value
                    && matches!(value, Value::Null)
                    && column.keep_latest(row.step, &value)
                {
                    self.pending.push(*index);
                }
                continue;
            };
            self.bytes += match &value {
                Value::Float(_) | Value::Int(_) => 8,
                value => value_bytes(value),
            };
            column.kinds = column.kinds.and(Kinds::of(&value));
            if complete && column.every_value {
                let dirty = &mut self.dirty;
                self.summary.apply_value_noting(&column.key, row.step, &value, |leaf| {
                    dirty.insert(leaf.clone());
                });
            } else if complete && column.keep_latest(row.step, &value) {
                self.pending.push(*index);
            }
            self.groups[group as usize].values[place as usize].push(value);
        }
        let state = self.streams.get_mut(&stream).expect("records come from a known stream");
        state.plans.push(plan);
    }

    /// Takes the plan for this row out of the stream's, or makes one.
    fn plan(&mut self, stream: StreamId, row: &Row) -> Plan {
        let plans = &mut self.streams.get_mut(&stream).expect("records come from a known stream").plans;
        let fits = |plan: &Plan| {
            plan.splits == self.splits
                && plan.keys.len() == row.entries.len()
                && plan.keys.iter().zip(&row.entries).all(|((known, is_null), (key, value))| {
                    Arc::ptr_eq(known, key) && *is_null == matches!(value, Value::Null)
                })
        };
        if let Some(at) = plans.iter().rposition(fits) {
            return plans.remove(at);
        }
        if plans.len() >= PLANS {
            plans.remove(0);
        }
        self.make_plan(row)
    }

    fn make_plan(&mut self, row: &Row) -> Plan {
        let mut columns = vec![u32::MAX; row.entries.len()];
        let mut last_entry: HashMap<u32, usize, foldhash::fast::RandomState> = HashMap::default();
        for (entry, (key, value)) in row.entries.iter().enumerate() {
            columns[entry] = self.by_key[key];
            if !matches!(value, Value::Null) {
                last_entry.insert(columns[entry], entry);
            }
        }
        // Every group that the row touches, with the columns it has of it.
        let mut touched: HashMap<u32, HashSet<u32>> = HashMap::new();
        let mut new = Vec::new();
        for (entry, column) in columns.iter().enumerate() {
            if last_entry.get(column) != Some(&entry) {
                continue;
            }
            match self.columns[*column as usize].place {
                Some((group, _)) => drop(touched.entry(group).or_default().insert(*column)),
                None => new.push(*column),
            }
        }
        for (group, present) in &touched {
            if present.len() < self.groups[*group as usize].columns.len() {
                self.split(*group, present);
            }
        }
        let mut groups: Vec<u32> = touched.into_keys().collect();
        if !new.is_empty() {
            groups.push(self.groups.len() as u32);
            let values = vec![Values::default(); new.len()];
            self.put_group(Group { columns: new, rows: Rows::default(), values });
        }
        let target = |(entry, column): (usize, &u32)| {
            let place = self.columns[*column as usize].place;
            place.filter(|_| last_entry.get(column) == Some(&entry))
        };
        Plan {
            targets: columns.iter().enumerate().map(target).collect(),
            keys: row.entries.iter().map(|(key, value)| (key.clone(), matches!(value, Value::Null))).collect(),
            columns,
            groups,
            splits: self.splits,
        }
    }

    /// Leaves the `present` columns in the group and moves the others to a new one.
    fn split(&mut self, group: u32, present: &HashSet<u32>) {
        let old = std::mem::take(&mut self.groups[group as usize]);
        let mut stay = Group { rows: old.rows.clone(), ..Group::default() };
        let mut leave = Group { rows: old.rows, ..Group::default() };
        for (column, values) in old.columns.into_iter().zip(old.values) {
            let side = if present.contains(&column) { &mut stay } else { &mut leave };
            side.columns.push(column);
            side.values.push(values);
        }
        self.bytes += leave.rows.bytes();
        self.splits += 1;
        for (place, column) in stay.columns.iter().enumerate() {
            self.columns[*column as usize].place = Some((group, place as u32));
        }
        self.groups[group as usize] = stay;
        self.put_group(leave);
    }

    fn put_group(&mut self, group: Group) {
        let index = self.groups.len() as u32;
        for (place, column) in group.columns.iter().enumerate() {
            self.columns[*column as usize].place = Some((index, place as u32));
        }
        self.groups.push(group);
    }

    fn commit_open(&mut self, stream: StreamId) {
        let Some(open) = self.streams.get_mut(&stream).and_then(|stream| stream.open.take()) else {
            return;
        };
        self.update_summary();
        // Of two values of a key in one row the later counts alone.
        let last: HashMap<&Arc<str>, &Value> = open.entries.iter().map(|(key, value)| (key, value)).collect();
        for (key, value) in last {
            let dirty = &mut self.dirty;
            self.summary.apply_value_noting(key, open.step, value, |leaf| {
                dirty.insert(leaf.clone());
            });
        }
    }

    fn apply_summary(&mut self, changes: &[Change]) {
        self.update_summary();
        for change in changes {
            // A change touches its leaf, those below it, and a leaf above it whose place it takes.
            let is_within = |key: &str, map: &str| key.strip_prefix(map).is_some_and(|rest| rest.starts_with('.'));
            let touches = |key: &str| key == change.key || is_within(key, &change.key) || is_within(&change.key, key);
            let mark = |summary: &Summary, dirty: &mut HashSet<Arc<str>>| {
                let keys = summary.iter().map(|(key, _)| key);
                dirty.extend(keys.filter(|key| touches(key)).cloned());
            };
            mark(&self.summary, &mut self.dirty);
            self.summary.apply_change(change);
            mark(&self.summary, &mut self.dirty);
        }
    }

    /// Brings the summary up to the rows. Between two changes by hand only the last value of each key matters.
    pub(crate) fn update_summary(&mut self) {
        for index in std::mem::take(&mut self.pending) {
            let column = &mut self.columns[index as usize];
            if let Some((step, value)) = column.latest.take() {
                let dirty = &mut self.dirty;
                self.summary.apply_value_noting(&column.key, step, &value, |leaf| {
                    dirty.insert(leaf.clone());
                });
            }
        }
    }

    pub(crate) fn has_unwritten_summary(&self) -> bool {
        !self.pending.is_empty() || !self.dirty.is_empty()
    }

    /// What a column has from row `from` on that is not in chunks; `None` for a key that the run does not have.
    pub(crate) fn column(&self, key: &str, from: u64) -> Option<HotColumn> {
        let column = &self.columns[*self.by_key.get(key)? as usize];
        let mut parts = Vec::new();
        let frozen = self.frozen.as_ref().zip(column.frozen_place);
        let frozen = frozen.map(|(frozen, (group, place))| (&frozen.groups[group as usize], place));
        let live = column.place.map(|(group, place)| (&self.groups[group as usize], place));
        for (group, place) in frozen.into_iter().chain(live) {
            let start = group.rows.sequences.partition_point(|sequence| *sequence < from);
            let end = group.rows.len();
            if start < end {
                parts.push((group.rows.slice(start, end), group.values[place as usize].slice(start, end)));
            }
        }
        Some(HotColumn {
            sealed_sequence: self.sealed_sequence,
            next_sequence: self.next_sequence,
            parts,
            rewinds: self.rewinds.clone(),
        })
    }

    /// How many points of each column are not in chunks, with their kinds.
    pub(crate) fn point_counts(&self) -> impl Iterator<Item = (&Column, u64)> {
        self.columns.iter().map(|column| {
            let frozen = self.frozen.as_ref().zip(column.frozen_place);
            let frozen = frozen.map_or(0, |(frozen, (group, _))| frozen.groups[group as usize].rows.len());
            let live = column.place.map_or(0, |(group, _)| self.groups[group as usize].rows.len());
            (column, (frozen + live) as u64)
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frozen.is_none() && self.next_sequence == self.sealed_sequence && self.pieces == 0
    }

    /// Takes the live rows out for a seal; the same ones again as long as that seal has not been committed.
    pub(crate) fn freeze(&mut self, now: f64) -> Arc<Frozen> {
        if let Some(frozen) = &self.frozen {
            return frozen.clone();
        }
        for column in &mut self.columns {
            column.frozen_place = column.place;
        }
        let take = |group: &mut Group| {
            let empty = Group {
                columns: group.columns.clone(),
                rows: Rows::default(),
                values: vec![Values::default(); group.columns.len()],
            };
            std::mem::replace(group, empty)
        };
        self.update_summary();
        let groups: Vec<Group> = self.groups.iter_mut().map(take).collect();
        let bytes = groups.iter().map(Group::bytes).sum();
        let frozen = Arc::new(Frozen {
            groups,
            until: self.next_sequence,
            streams: self.streams.values().map(freeze_stream).collect(),
            means: self.summary.means().collect(),
            rewinds: self.rewinds.clone(),
            bytes,
        });
        self.frozen = Some(frozen.clone());
        self.frozen_at = now;
        self.pieces = 0;
        self.bytes = 0;
        self.longest = 0;
        frozen
    }

    /// Lets go of what is in chunks now.
    pub(crate) fn thaw(&mut self) {
        if let Some(frozen) = self.frozen.take() {
            self.sealed_sequence = frozen.until;
        }
        for column in &mut self.columns {
            column.frozen_place = None;
        }
    }
}

fn freeze_stream(stream: &HotStream) -> FrozenStream {
    FrozenStream {
        id: stream.id,
        offset: stream.decoder.offset(),
        keys: stream.decoder.keys().to_vec(),
        open: stream.open.clone(),
    }
}
