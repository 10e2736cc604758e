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

    /// What this disk and a server know of one run, together: the disk may lack what other machines wrote, the server what
    /// was not sent yet. The one that goes further counts where they differ, the server where they go equally far.
    pub(crate) fn united(local: Option<Self>, told: Option<Self>) -> Option<Self> {
        match (local, told) {
            (Some(local), Some(told)) => {
                let step = |earlier: &Self| earlier.last_row.map(|(step, _)| step);
                Some(if step(&local) > step(&told) { told.followed_by(local) } else { local.followed_by(told) })
            }
            (local, told) => local.or(told),
        }
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
    use steplog_model::Aggregate;

    use super::*;

    fn part(last_step: i64, config: &[(&str, i64)], rows: &[(&str, i64)], by_hand: &[(&str, i64)]) -> Earlier {
        let mut earlier = Earlier { last_row: Some((last_step, 0.0)), ..Earlier::default() };
        for (key, value) in config {
            earlier.config.apply(Change { key: (*key).into(), value: Some(Value::Int(*value)) });
        }
        for (key, value) in rows {
            earlier.summary.apply_value(&(*key).into(), last_step, &Value::Int(*value));
        }
        for (key, value) in by_hand {
            earlier.summary.apply_change(&Change { key: (*key).into(), value: Some(Value::Int(*value)) });
        }
        earlier
    }

    fn summary(earlier: &Earlier) -> Vec<(String, Value)> {
        let mut leaves: Vec<_> =
            earlier.summary.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
        leaves.sort_by(|(a, _), (b, _)| a.cmp(b));
        leaves
    }

    #[test]
    fn what_disk_and_server_know_is_one_run() {
        // The server has what another machine wrote, the disk the rows that were not sent yet.
        let told = part(4, &[("lr", 1), ("depth", 3)], &[("loss", 9), ("accuracy", 5)], &[("best", 7)]);
        let local = part(6, &[("lr", 2), ("width", 8)], &[("loss", 2), ("best", 1)], &[]);
        let united = Earlier::united(Some(local.clone()), Some(told.clone())).unwrap();
        assert_eq!(united.next_step(), 7);
        let config: Vec<_> = united.config.entries().iter().map(|(key, value)| (&**key, value.clone())).collect();
        assert_eq!(config, [("lr", Value::Int(2)), ("depth", Value::Int(3)), ("width", Value::Int(8))]);
        let leaf = |key: &str, value| (key.to_owned(), Value::Int(value));
        assert_eq!(summary(&united), [leaf("accuracy", 5), leaf("best", 7), leaf("loss", 2)]);
        assert!(united.summary.is_by_hand("best"));
        // Where they go equally far the server knows what people changed there.
        let united = Earlier::united(Some(Earlier { last_row: Some((4, 0.0)), ..local }), Some(told)).unwrap();
        assert_eq!((united.next_step(), united.config.get("lr")), (5, Some(&Value::Int(1))));
        assert_eq!(united.summary.get("loss"), Some(&Value::Int(9)));
    }

    #[test]
    fn the_further_mean_goes_on() {
        let means = |last_step, values: &[f64]| {
            let mut earlier = part(last_step, &[], &[], &[]);
            let mean = Some(vec![Aggregate::Mean]);
            earlier.summary.define(MetricDefinition { name: "loss".into(), summary: mean, ..Default::default() });
            for value in values {
                earlier.summary.apply_value(&"loss".into(), last_step, &Value::Float(*value));
            }
            earlier
        };
        let mut united = Earlier::united(Some(means(3, &[1.0, 3.0, 5.0])), Some(means(1, &[1.0]))).unwrap();
        united.summary.apply_value(&"loss".into(), 4, &Value::Float(7.0));
        assert_eq!(summary(&united), [("loss.mean".to_owned(), Value::Float(4.0))]);
    }
}
