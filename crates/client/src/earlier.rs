//! What earlier processes left of a run: read from its journals, or told by a server.

use std::collections::HashSet;

use serde_json::Value as Json;
use steplog_journal::{JournalReader, ReadError, RunFolder, StreamDecoder};
use steplog_model::{Change, Config, MetricDefinition, Record, Row, RunStart, RunUpdate, StreamId, Summary, Value};
use steplog_protocol::ResumePoint;

/// How many bytes of a journal are decoded at a time.
const PIECE_BYTES: usize = 4 << 20;

/// How many forks are followed back: more is a circle.
const MAX_FORKS: usize = 1000;

/// A run as it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Earlier {
    /// Step and time of the row with the highest step.
    pub(crate) last_row: Option<(i64, f64)>,
    pub(crate) name: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) group: Option<String>,
    pub(crate) job_type: Option<String>,
    pub(crate) sweep_id: Option<String>,
    pub(crate) config: Config,
    pub(crate) summary: Summary,
}

impl Earlier {
    /// The first step that no row has.
    pub(crate) fn next_step(&self) -> i64 {
        self.last_row.map_or(0, |(step, _)| step.saturating_add(1))
    }

    /// Reads the journals of a run; `None` when there is none that says what it is. Rows with steps above `until` do not
    /// count, nor do those that a later process took back. A journal that is damaged counts up to the damage.
    pub(crate) fn read(folder: &RunFolder, until: Option<i64>) -> Option<Self> {
        Self::read_forked(folder, until, MAX_FORKS)
    }

    fn read_forked(folder: &RunFolder, until: Option<i64>, forks: usize) -> Option<Self> {
        let mut starts: Vec<(StreamId, RunStart)> = folder
            .streams()
            .ok()?
            .into_iter()
            .filter_map(|stream| Some((stream, folder.run_start(stream).ok()??)))
            .collect();
        starts.sort_by(|(_, a), (_, b)| a.started_at.total_cmp(&b.started_at));
        let (_, first) = starts.first()?;
        let parent = first.fork_from.as_ref().filter(|_| forks > 0).and_then(|point| {
            let step = until.map_or(point.step, |until| until.min(point.step));
            Self::read_forked(&folder.sibling(&point.run_id), Some(step), forks - 1)
        });
        let mut earlier = parent.unwrap_or_default();
        let rewinds: Vec<Option<i64>> = starts.iter().map(|(_, start)| start.rewind_to).collect();
        for (index, (stream, start)) in starts.into_iter().enumerate() {
            let bound = rewinds[index + 1..].iter().flatten().copied().chain(until).min();
            earlier.take_start(start);
            earlier.take_stream(folder, stream, bound);
        }
        Some(earlier)
    }

    fn take_start(&mut self, start: RunStart) {
        self.name = start.name.or(self.name.take());
        self.notes = start.notes.or(self.notes.take());
        self.tags = start.tags.or(self.tags.take());
        self.group = start.group.or(self.group.take());
        self.job_type = start.job_type.or(self.job_type.take());
        self.sweep_id = start.sweep_id.or(self.sweep_id.take());
    }

    fn take_stream(&mut self, folder: &RunFolder, stream: StreamId, bound: Option<i64>) {
        let reader = JournalReader::new(folder.journal(stream));
        let mut decoder = StreamDecoder::new(stream);
        let mut open: Option<Row> = None;
        loop {
            let chunk = match reader.read(decoder.offset(), PIECE_BYTES) {
                Ok(chunk) if !chunk.bytes.is_empty() => chunk,
                Ok(_) | Err(ReadError::Io(_) | ReadError::Damaged { .. }) => break,
            };
            if chunk.offset > decoder.offset() {
                decoder = StreamDecoder::resume(stream, chunk.offset, Vec::new());
            }
            if decoder.decode(&chunk.bytes, |record| self.take_record(record, &mut open, bound)).is_err() {
                break;
            }
        }
        // What a killed process had not completed is there all the same.
        self.complete(open, bound);
    }

    fn take_record(&mut self, record: Record, open: &mut Option<Row>, bound: Option<i64>) {
        match record {
            Record::Row(row) => self.take_row(row, open, bound),
            Record::Config(changes) => changes.into_iter().for_each(|change| self.config.apply(change)),
            Record::Summary(changes) => changes.iter().for_each(|change| self.summary.apply_change(change)),
            Record::RunUpdate(RunUpdate { name, notes, tags }) => {
                self.name = name.or(self.name.take());
                self.notes = notes.or(self.notes.take());
                self.tags = tags.or(self.tags.take());
            }
            Record::Metric(definition) => self.summary.define(definition),
            _ => {}
        }
    }

    fn take_row(&mut self, mut row: Row, open: &mut Option<Row>, bound: Option<i64>) {
        let is_late = open.as_ref().is_some_and(|open| row.step < open.step);
        if is_late {
            return self.complete(Some(row), bound);
        }
        if let Some(mut before) = open.take() {
            if before.step == row.step {
                before.entries.append(&mut row.entries);
                row.entries = before.entries;
            } else {
                self.complete(Some(before), bound);
            }
        }
        match row.committed {
            true => self.complete(Some(row), bound),
            false => *open = Some(row),
        }
    }

    fn complete(&mut self, row: Option<Row>, bound: Option<i64>) {
        let Some(mut row) = row.filter(|row| bound.is_none_or(|bound| row.step <= bound)) else { return };
        if self.last_row.is_none_or(|(step, _)| step <= row.step) {
            self.last_row = Some((row.step, row.time));
        }
        // Of two values of a key in one row the later counts alone.
        let mut seen = HashSet::new();
        row.entries.reverse();
        row.entries.retain(|(key, _)| seen.insert(key.clone()));
        self.summary.apply_row(&row);
    }

    /// What a server says of a run. Values of the summary from rows above `until` do not count.
    pub(crate) fn told(point: ResumePoint, until: Option<i64>) -> Self {
        let mut config = Config::default();
        for (key, value) in point.config {
            config.apply(Change { key, value: Some(from_json(value)) });
        }
        let mut summary = Summary::default();
        for metric in point.metrics {
            // A newer server may say things that this version cannot read.
            if let Ok(definition) = serde_json::from_value::<MetricDefinition>(Json::Object(metric)) {
                summary.define(definition);
            }
        }
        let mut means = Vec::new();
        for leaf in point.summary {
            if until.zip(leaf.step).is_some_and(|(until, step)| step > until) {
                continue;
            }
            let value = from_json(leaf.value);
            match value.as_f64().filter(|_| leaf.count > 0) {
                Some(mean) => means.push((leaf.key.into(), mean, leaf.count)),
                None => summary.restore(leaf.key.into(), value, leaf.step),
            }
        }
        summary.restore_means(means);
        Self {
            last_row: point.last_step.map(|step| (until.map_or(step, |until| until.min(step)), point.last_time)),
            name: point.name,
            notes: point.notes,
            tags: Some(point.tags).filter(|tags| !tags.is_empty()),
            group: point.group,
            job_type: point.job_type,
            sweep_id: point.sweep_id,
            config,
            summary,
        }
    }

    /// Of what this disk and a server know of one run, the one that goes further.
    pub(crate) fn furthest(local: Option<Self>, told: Option<Self>) -> Option<Self> {
        match (local, told) {
            (Some(local), Some(told)) => {
                let step = |earlier: &Self| earlier.last_row.map(|(step, _)| step);
                Some(if step(&local) > step(&told) { local } else { told })
            }
            (local, told) => local.or(told),
        }
    }
}

/// A value of the API, where numbers that JSON cannot say are texts.
fn from_json(json: Json) -> Value {
    match Value::from_json(json) {
        Value::Text(text) => match &*text {
            "NaN" => Value::Float(f64::NAN),
            "Infinity" => Value::Float(f64::INFINITY),
            "-Infinity" => Value::Float(f64::NEG_INFINITY),
            _ => Value::Text(text),
        },
        other => other,
    }
}
