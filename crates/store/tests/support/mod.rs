//! Building journals and stores for tests.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code)]

pub(crate) mod artifacts;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow_array::{Array, Float64Array, RecordBatch, UInt32Array};
use arrow_ipc::reader::StreamReader;
use steplog_journal::{Backlog, JournalWriter, Keys, WriterOptions};
use steplog_model::{Change, ConsoleLines, ConsoleOutput, Record, RunPath, RunStart, StreamId, SystemSample, Value};
use steplog_protocol::{IngestResponse, SeriesMetadata};
use steplog_store::{Clock, Error, Ingest, Store, StoreOptions};
use tempfile::TempDir;

/// A clock that tests move.
#[derive(Clone)]
pub(crate) struct HandClock(Arc<AtomicU64>);

impl HandClock {
    pub(crate) fn new(now: f64) -> Self {
        Self(Arc::new(AtomicU64::new(now.to_bits())))
    }

    pub(crate) fn set(&self, now: f64) {
        self.0.store(now.to_bits(), Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let time = self.0.clone();
        Clock::new(move || f64::from_bits(time.load(Ordering::SeqCst)))
    }
}

/// Options under which nothing happens by itself: tests seal by hand.
pub(crate) fn quiet_options() -> StoreOptions {
    StoreOptions { seal_points: 1 << 30, seal_interval: Duration::from_secs(3600), ..StoreOptions::default() }
}

pub(crate) fn open(folder: &Path) -> Arc<Store> {
    Store::open(folder, quiet_options()).unwrap()
}

/// The journal of one process, in a folder of its own.
pub(crate) struct Journal {
    pub(crate) path: RunPath,
    pub(crate) stream: StreamId,
    writer: JournalWriter,
    keys: Keys,
    backlog: Arc<Backlog>,
    /// What was sent.
    pub(crate) sent: u64,
    _folder: TempDir,
}

pub(crate) fn start(path: &RunPath) -> RunStart {
    let text = format!(r#"{{"run_id":"{}","project":"{}","started_at":1000.0}}"#, path.run, path.project);
    serde_json::from_str(&text).unwrap()
}

impl Journal {
    pub(crate) fn new(path: &str) -> Self {
        Self::with_start(path, |_| {})
    }

    pub(crate) fn with_start(path: &str, change: impl FnOnce(&mut RunStart)) -> Self {
        let mut journal = Self::without_start(path);
        let mut start = start(&journal.path);
        change(&mut start);
        journal.record(Record::RunStart(Box::new(start)));
        journal
    }

    pub(crate) fn without_start(path: &str) -> Self {
        Self::with_segments(path, 4 << 20)
    }

    pub(crate) fn with_segments(path: &str, segment_bytes: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let stream = StreamId::generate();
        let options = WriterOptions { segment_bytes, ..WriterOptions::default() };
        let writer = JournalWriter::create(folder.path(), stream, options).unwrap();
        Self {
            path: path.parse().unwrap(),
            stream,
            backlog: writer.backlog(),
            writer,
            keys: Keys::default(),
            sent: 0,
            _folder: folder,
        }
    }

    pub(crate) fn record(&mut self, record: Record) -> &mut Self {
        self.writer.append_record(&record).unwrap();
        self
    }

    pub(crate) fn row(&mut self, step: i64, entries: &[(&str, Value)]) -> &mut Self {
        self.row_at(step, 1000.0 + step as f64, true, entries)
    }

    pub(crate) fn row_at(&mut self, step: i64, time: f64, committed: bool, entries: &[(&str, Value)]) -> &mut Self {
        let intern = |(key, value): &(&str, Value)| (self.keys.intern(key).unwrap(), value.clone());
        let entries: Vec<_> = entries.iter().map(intern).collect();
        self.writer.append_row(step, time, committed, &entries, &self.keys).unwrap();
        self
    }

    pub(crate) fn print(&mut self, time: f64, output: ConsoleOutput, first_line: u64, lines: &[&str]) -> &mut Self {
        let lines = lines.iter().map(|line| (*line).into()).collect();
        self.record(Record::Console(ConsoleLines { time, output, first_line, lines }))
    }

    pub(crate) fn sample(&mut self, time: f64, values: &[(&str, f64)]) -> &mut Self {
        let values = values.iter().map(|(key, value)| ((*key).into(), *value)).collect();
        self.record(Record::System(SystemSample { time, values }))
    }

    pub(crate) fn config(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.record(Record::Config(vec![change(key, Some(value.into()))]))
    }

    pub(crate) fn summary(&mut self, key: &str, value: Option<Value>) -> &mut Self {
        self.record(Record::Summary(vec![change(key, value)]))
    }

    pub(crate) fn exit(&mut self, code: i32) -> &mut Self {
        self.record(Record::Exit { time: 2000.0, code })
    }

    /// The bytes from an offset on.
    pub(crate) fn bytes(&self, from: u64) -> Vec<u8> {
        let (mut bytes, mut offset) = (Vec::new(), from);
        loop {
            let more = self.backlog.read(offset, 1 << 20).unwrap();
            if more.is_empty() {
                return bytes;
            }
            offset += more.len() as u64;
            bytes.extend(more);
        }
    }

    pub(crate) fn ingest(&self, offset: u64, bytes: Vec<u8>) -> Ingest {
        Ingest { path: self.path.clone(), stream: self.stream, offset, bytes, gap_allowed: false }
    }

    /// Sends what was not sent yet.
    pub(crate) fn try_send(&mut self, store: &Store) -> Result<IngestResponse, Error> {
        let response = store.ingest_blocking(self.ingest(self.sent, self.bytes(self.sent)))?;
        self.sent = response.durable_offset;
        Ok(response)
    }

    pub(crate) fn send(&mut self, store: &Store) -> &mut Self {
        self.try_send(store).unwrap();
        assert_eq!(self.sent, self.backlog.end());
        self
    }
}

pub(crate) fn change(key: &str, value: Option<Value>) -> Change {
    Change { key: key.into(), value }
}

/// A series answer, decoded.
pub(crate) struct Chart {
    pub(crate) metadata: SeriesMetadata,
    pub(crate) rows: Vec<Bucket>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) series: u32,
    pub(crate) bucket: u32,
    pub(crate) x: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) mean: f64,
    pub(crate) last: f64,
    /// All, NaN, +Inf, -Inf.
    pub(crate) counts: [u32; 4],
}

impl Chart {
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let reader = StreamReader::try_new(bytes, None).unwrap();
        let metadata = serde_json::from_str(&reader.schema().metadata()["steplog"]).unwrap();
        let mut rows = Vec::new();
        for batch in reader {
            let batch: RecordBatch = batch.unwrap();
            let float = |name: &str, row: usize| {
                let column = batch.column_by_name(name).unwrap();
                column.as_any().downcast_ref::<Float64Array>().unwrap().value(row)
            };
            let count = |name: &str, row: usize| {
                let column = batch.column_by_name(name).unwrap();
                column.as_any().downcast_ref::<UInt32Array>().unwrap().value(row)
            };
            for row in 0..batch.num_rows() {
                rows.push(Bucket {
                    series: count("series", row),
                    bucket: count("bucket", row),
                    x: float("x", row),
                    min: float("min", row),
                    max: float("max", row),
                    mean: float("mean", row),
                    last: float("last", row),
                    counts: [
                        count("count", row),
                        count("nan_count", row),
                        count("positive_infinity_count", row),
                        count("negative_infinity_count", row),
                    ],
                });
            }
        }
        Self { metadata, rows }
    }
}
