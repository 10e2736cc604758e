//! What earlier processes left of a run: read from its journals, or told by a server.

use std::collections::HashSet;

use serde_json::Value as Json;
use steplog_journal::{JournalReader, ReadError, RunFolder, StreamDecoder};
use steplog_model::{Change, Config, MetricDefinition, Record, Row, RunStart, RunUpdate, StreamId, Summary, Value};
use steplog_protocol::ResumePoint;

use crate::local::Uploaded;

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
    /// The lowest step that one of the processes went back to.
    pub(crate) rewound_to: Option<i64>,
}

impl Earlier {
    /// The first step that no row has.
    pub(crate) fn next_step(&self) -> i64 {
        self.last_row.map_or(0, |(step, _)| step.saturating_add(1))
    }

    /// Reads the journals of a run; `None` when there is none that says what it is. Rows with steps above `until` do not
    /// count, nor do those that a later process took back. A journal that is damaged counts up to the damage.
    pub(crate) fn read(folder: &RunFolder, until: Option<i64>) -> Option<Self> {
        Self::read_forked(folder, until, None, MAX_FORKS)
    }

    /// As [`Self::read`], of those journals alone that a server is not known to have to their end.
    pub(crate) fn read_unsent(folder: &RunFolder, server: &str, until: Option<i64>) -> Option<Self> {
        Self::read_forked(folder, until, Some(server), 0)
    }

    fn read_forked(folder: &RunFolder, until: Option<i64>, lacking: Option<&str>, forks: usize) -> Option<Self> {
        let counts = |stream: &StreamId| {
            lacking.is_none_or(|server| !Uploaded::load(&folder.journal(*stream)).is_complete(server))
        };
        let mut starts: Vec<(StreamId, RunStart)> = folder
            .streams()
            .ok()?
            .into_iter()
            .filter(counts)
            .filter_map(|stream| Some((stream, folder.run_start(stream).ok()??)))
            .collect();
        starts.sort_by(|(_, a), (_, b)| a.started_at.total_cmp(&b.started_at));
        let (_, first) = starts.first()?;
        let parent = first.fork_from.as_ref().filter(|_| forks > 0).and_then(|point| {
            let step = until.map_or(point.step, |until| until.min(point.step));
            Self::read_forked(&folder.sibling(&point.run_id), Some(step), None, forks - 1)
        });
        let mut earlier = parent.unwrap_or_default();
        let rewinds: Vec<Option<i64>> = starts.iter().map(|(_, start)| start.rewind_to).collect();
        earlier.rewound_to = rewinds.iter().flatten().copied().min();
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
    fn told(point: ResumePoint, until: Option<i64>) -> Self {
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
            rewound_to: None,
        }
    }

    /// A run as a server and the journals that it lacks tell it together: the server has what other machines wrote, this
    /// disk what was not sent yet. The one that goes further counts where they differ, the server where they go equally
    /// far.
    pub(crate) fn of_both(point: ResumePoint, unsent: Option<Self>, until: Option<i64>) -> Self {
        let Some(unsent) = unsent else { return Self::told(point, until) };
        let told = Self::told(point, until.into_iter().chain(unsent.rewound_to).min());
        let step = |earlier: &Self| earlier.last_row.map(|(step, _)| step);
        if step(&unsent) > step(&told) { told.followed_by(unsent) } else { unsent.followed_by(told) }
    }

    fn followed_by(mut self, later: Self) -> Self {
        for (key, value) in later.config.entries() {
            self.config.apply(Change { key: key.clone(), value: Some(value.clone()) });
        }
        Self {
            last_row: later.last_row.or(self.last_row),
            name: later.name.or(self.name),
            notes: later.notes.or(self.notes),
            tags: later.tags.or(self.tags),
            group: later.group.or(self.group),
            job_type: later.job_type.or(self.job_type),
            sweep_id: later.sweep_id.or(self.sweep_id),
            config: self.config,
            summary: unite(self.summary, &later.summary),
            rewound_to: None,
        }
    }
}

/// Two summaries of one run: what was set by hand in either stays so, and otherwise the later one counts.
fn unite(mut summary: Summary, later: &Summary) -> Summary {
    for definition in later.definitions().iter() {
        summary.define(definition.clone());
    }
    let means: Vec<_> = {
        let counted: HashSet<_> = later.means().map(|(key, ..)| key).collect();
        summary.means().filter(|(key, ..)| !counted.contains(key)).chain(later.means()).collect()
    };
    for (key, value) in later.iter() {
        match later.step_of(key) {
            None => summary.apply_change(&Change { key: key.to_string(), value: Some(value.clone()) }),
            Some(step) if !summary.is_by_hand(key) => summary.restore(key.clone(), value.clone(), Some(step)),
            Some(_) => {}
        }
    }
    summary.restore_means(means);
    summary
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steplog_model::Aggregate;

    use super::*;

    fn told(last_step: i64, config: Json, summary: Json) -> ResumePoint {
        let leaf = |leaf: &Json| json!({"key": leaf[0], "value": leaf[1], "step": leaf[2], "count": 0});
        let summary: Vec<_> = summary.as_array().unwrap().iter().map(leaf).collect();
        serde_json::from_value(json!({
            "last_step": last_step, "last_time": 0.0, "name": "told", "notes": null, "tags": [], "group": null,
            "job_type": null, "sweep_id": null, "config": config, "summary": summary, "metrics": [],
        }))
        .unwrap()
    }

    fn unsent(last_step: i64, config: &[(&str, i64)], rows: &[(&str, i64)]) -> Earlier {
        let mut earlier = Earlier { last_row: Some((last_step, 0.0)), ..Earlier::default() };
        for (key, value) in config {
            earlier.config.apply(Change { key: (*key).into(), value: Some(Value::Int(*value)) });
        }
        for (key, value) in rows {
            earlier.summary.apply_value(&(*key).into(), last_step, &Value::Int(*value));
        }
        earlier
    }

    fn summary(earlier: &Earlier) -> Vec<(String, Value)> {
        let mut leaves: Vec<_> = earlier.summary.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
        leaves.sort_by(|(a, _), (b, _)| a.cmp(b));
        leaves
    }

    fn leaf(key: &str, value: i64) -> (String, Value) {
        (key.to_owned(), Value::Int(value))
    }

    #[test]
    fn what_disk_and_server_know_is_one_run() {
        let point =
            || told(4, json!({"lr": 1, "depth": 3}), json!([["loss", 9, 4], ["accuracy", 5, 4], ["best", 7, null]]));
        let config = [("lr", 2), ("width", 8)];
        let united = Earlier::of_both(point(), Some(unsent(6, &config, &[("loss", 2), ("best", 1)])), None);
        assert_eq!((united.next_step(), united.name.as_deref()), (7, Some("told")));
        let entries: Vec<_> = united.config.entries().iter().map(|(key, value)| (&**key, value.clone())).collect();
        assert_eq!(entries, [("lr", Value::Int(2)), ("depth", Value::Int(3)), ("width", Value::Int(8))]);
        assert_eq!(summary(&united), [leaf("accuracy", 5), leaf("best", 7), leaf("loss", 2)]);
        assert!(united.summary.is_by_hand("best"));
        // Where they go equally far, the server knows what people changed there.
        let united = Earlier::of_both(point(), Some(unsent(4, &config, &[("loss", 2)])), None);
        assert_eq!((united.next_step(), united.config.get("lr")), (5, Some(&Value::Int(1))));
        assert_eq!(united.summary.get("loss"), Some(&Value::Int(9)));
    }

    #[test]
    fn a_step_back_that_was_not_sent_yet_counts() {
        let point = told(9, json!({}), json!([["loss", 9, 9], ["first", 1, 1]]));
        let rewound = Earlier { rewound_to: Some(1), ..unsent(2, &[], &[("loss", 2)]) };
        let united = Earlier::of_both(point, Some(rewound), None);
        assert_eq!((united.next_step(), summary(&united)), (3, vec![leaf("first", 1), leaf("loss", 2)]));
    }

    #[test]
    fn a_mean_goes_on() {
        let mut both = unsent(3, &[], &[]);
        let definition = MetricDefinition {
            name: "loss".into(),
            summary: Some(vec![Aggregate::Mean]),
            ..MetricDefinition::default()
        };
        both.summary.define(definition);
        for value in [1.0, 3.0, 5.0] {
            both.summary.apply_value(&"loss".into(), 3, &Value::Float(value));
        }
        let mut united = Earlier::of_both(told(1, json!({}), json!([])), Some(both), None);
        united.summary.apply_value(&"loss".into(), 4, &Value::Float(7.0));
        assert_eq!(summary(&united), [("loss.mean".to_owned(), Value::Float(4.0))]);
    }
}
