//! The history of a run as a table: a row for each step, a column for each key, read window by window so that memory
//! stays bounded whatever the run's length.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use rusqlite::OptionalExtension as _;
use steplog_model::{RunPath, Value};

use crate::database::Sql as _;
use crate::hot::HotColumn;
use crate::lineage::{self, Member};
use crate::source::Source;
use crate::store::Shared;
use crate::values::Kinds;
use crate::{Error, catalog};

/// About so many cells are in memory at a time.
const WINDOW_CELLS: usize = 1 << 20;

/// A key of the table.
pub(crate) struct HistoryColumn {
    pub(crate) key: String,
    pub(crate) kinds: Kinds,
    id: i64,
    /// The runs that have it, by place in [`History::members`], each with the live part.
    parts: Vec<(usize, Option<HotColumn>)>,
}

/// A row: one step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HistoryRow {
    pub(crate) step: i64,
    /// Of the latest write to the step.
    pub(crate) time: f64,
    /// In the order of the columns; what was not logged is absent.
    pub(crate) values: Vec<Option<Value>>,
}

/// The whole history as it was at one moment.
pub(crate) struct History {
    /// The runs whose rows count, the run itself last.
    members: Vec<Member>,
    pub(crate) created_at: f64,
    pub(crate) columns: Vec<HistoryColumn>,
}

/// A column of one of the runs.
struct Part<'a> {
    source: Source<'a>,
    /// Higher steps do not count.
    until: i64,
    /// Later runs win.
    rank: u64,
}

impl History {
    /// Looks up the columns; `keys` picks some of them, and a key that the run does not have is an error.
    ///
    /// The live part is copied here, before any transaction on the chunks begins: see [`Source`].
    pub(crate) fn open(shared: &Shared, path: &RunPath, keys: Option<&[String]>) -> Result<Self, Error> {
        let reader = shared.database.reader()?;
        let (run, _) = catalog::run_id(&reader, path)?;
        let members = lineage::lineage(&reader, run, path)?;
        let mut found: BTreeMap<String, HistoryColumn> = BTreeMap::new();
        for (place, member) in members.iter().enumerate() {
            let live = shared.live(&member.path).filter(|live| live.id == member.run);
            let live = live.as_ref().map(|live| live.hot());
            let mut live_kinds = HashMap::new();
            if let Some(live) = &live {
                live_kinds.extend(live.columns.iter().map(|column| (column.id, column.kinds)));
            }
            let mut statement = reader
                .sql("SELECT k.name, k.id, c.kinds FROM columns c JOIN keys k ON k.id = c.key WHERE c.run = $1")?;
            let mut rows = statement.query([member.run])?;
            while let Some(row) = rows.next()? {
                let (key, id): (String, i64) = (row.get(0)?, row.get(1)?);
                if keys.is_some_and(|keys| !keys.contains(&key)) {
                    continue;
                }
                let kinds = Kinds::from_bits(row.get(2)?).and(live_kinds.get(&id).copied().unwrap_or_default());
                let hot = live.as_ref().and_then(|live| live.column(&key, 0));
                let new = || HistoryColumn { key: key.clone(), kinds: Kinds::default(), id, parts: Vec::new() };
                let column = found.entry(key.clone()).or_insert_with(new);
                column.kinds = column.kinds.and(kinds);
                column.parts.push((place, hot));
            }
        }
        let columns = match keys {
            None => found.into_values().collect(),
            Some(keys) => keys
                .iter()
                .map(|key| {
                    let missing = || Error::not_found(format!("run {path} has no key {key:?}"));
                    found.remove(key).ok_or_else(missing)
                })
                .collect::<Result<_, _>>()?,
        };
        Ok(Self { created_at: lineage::began_at(&members), members, columns })
    }

    /// Hands out the rows with steps in `steps`, by step, some at a time.
    pub(crate) fn read(
        mut self,
        shared: &Shared,
        steps: RangeInclusive<i64>,
        mut each: impl FnMut(&[HistoryRow]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let reader = shared.database.reader()?;
        let snapshot = reader.snapshot()?;
        let run = self.members.last().map_or(0, |member| member.run);
        let exists = snapshot.sql("SELECT 1 FROM runs WHERE id = $1")?.query_row([run], |_| Ok(())).optional()?;
        if exists.is_none() {
            return Err(Error::not_found("the run was deleted"));
        }
        let mut columns: Vec<Vec<Part<'_>>> = Vec::with_capacity(self.columns.len());
        for column in &mut self.columns {
            let mut parts = Vec::with_capacity(column.parts.len());
            for (place, hot) in column.parts.drain(..) {
                let member = &self.members[place];
                let source = Source::open(shared, &snapshot, (member.run, column.id), hot, None)?;
                parts.push(Part { source, until: member.until, rank: place as u64 });
            }
            columns.push(parts);
        }
        for window in windows(&columns, &steps) {
            let rows = read_window(&columns, &window)?;
            if !rows.is_empty() {
                each(&rows)?;
            }
        }
        Ok(())
    }
}

/// Cuts the steps into ranges that hold about [`WINDOW_CELLS`] each, told from the steps of the chunks.
fn windows(columns: &[Vec<Part<'_>>], steps: &RangeInclusive<i64>) -> Vec<RangeInclusive<i64>> {
    // Each chunk is taken to be spread evenly: its cells end, in shares, at steps up to its last.
    const SHARES: i128 = 8;
    let mut ends: BTreeMap<i64, usize> = BTreeMap::new();
    for part in columns.iter().flatten() {
        for (first, last, count) in part.source.spans() {
            let (first, last) = (first.max(*steps.start()), last.min(*steps.end()).min(part.until));
            if first > last {
                continue;
            }
            let span = i128::from(last) - i128::from(first);
            for share in 1..=SHARES {
                *ends.entry((i128::from(first) + span * share / SHARES) as i64).or_default() +=
                    count / SHARES as usize + 1;
            }
        }
    }
    let mut windows = Vec::new();
    let (mut begin, mut cells) = (*steps.start(), 0);
    let last = ends.keys().next_back().copied();
    for (end, count) in ends {
        cells += count;
        if cells >= WINDOW_CELLS || Some(end) == last {
            windows.push(begin..=end);
            cells = 0;
            begin = end.saturating_add(1);
        }
    }
    windows
}

fn read_window(columns: &[Vec<Part<'_>>], window: &RangeInclusive<i64>) -> Result<Vec<HistoryRow>, Error> {
    let mut latest: Vec<Write> = Vec::new();
    let mut cells: Vec<Vec<(i64, Value)>> = Vec::with_capacity(columns.len());
    for parts in columns {
        let mut column: Vec<(Write, Value)> = Vec::new();
        for Part { source, until, rank } in parts {
            source.scan(0, window, |rows, values, range| {
                for index in range {
                    let step = rows.steps[index];
                    if window.contains(&step) && step <= *until {
                        let order = (*rank, rows.sequences[index]);
                        column.push((Write { step, order, time: rows.times[index] }, values.get(index)));
                    }
                }
            })?;
        }
        if !column.is_sorted_by(|(a, _), (b, _)| a.step < b.step) {
            // Stable: of equal steps the later write stays last, and first when turned round.
            column.sort_by_key(|(write, _)| write.step);
            column.reverse();
            column.dedup_by_key(|(write, _)| write.step);
            column.reverse();
        }
        latest = merge(latest, column.iter().map(|(write, _)| *write));
        cells.push(column.into_iter().map(|(write, value)| (write.step, value)).collect());
    }
    let mut rows: Vec<HistoryRow> = latest
        .into_iter()
        .map(|write| HistoryRow { step: write.step, time: write.time, values: vec![None; columns.len()] })
        .collect();
    for (index, column) in cells.into_iter().enumerate() {
        let mut at = 0;
        for (step, value) in column {
            while rows[at].step < step {
                at += 1;
            }
            rows[at].values[index] = Some(value);
        }
    }
    Ok(rows)
}

/// When a step was written.
#[derive(Clone, Copy)]
struct Write {
    step: i64,
    /// Which run it is of, and its sequence number there.
    order: (u64, u64),
    time: f64,
}

/// Merges writes that are sorted by step; of two to one step the later stays.
fn merge(a: Vec<Write>, b: impl Iterator<Item = Write>) -> Vec<Write> {
    let mut merged: Vec<Write> = Vec::with_capacity(a.len());
    let mut a = a.into_iter().peekable();
    for write in b {
        while let Some(before) = a.next_if(|other| other.step < write.step) {
            merged.push(before);
        }
        let same = a.next_if(|other| other.step == write.step);
        merged.push(same.filter(|other| other.order > write.order).unwrap_or(write));
    }
    merged.extend(a);
    merged
}
