//! The store against its budgets: `cargo bench -p steplog-store [NAME]`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use steplog_journal::{JournalWriter, Keys, WriterOptions};
use steplog_model::{Change, ConsoleLines, ConsoleOutput, Record, RunPath, StreamId, SystemSample, Value};
use steplog_protocol::{ConsoleRequest, KeysRequest, RunsRequest, SeriesRequest, Sort, XAxis};
use steplog_store::{ExportFormat, ExportSelection, Ingest, Store, StoreOptions};
use tempfile::TempDir;

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let benches: [(&str, fn()); 6] = [
        ("ingest", ingest),
        ("long_run", long_run),
        ("many_runs", many_runs),
        ("run_list", run_list),
        ("console", console),
        ("system", system),
    ];
    for (name, bench) in benches {
        if name.contains(&wanted) {
            println!("\n{name}");
            bench();
        }
    }
}

fn report(what: &str, value: f64, unit: &str, budget: f64) {
    let verdict = if budget == 0.0 { String::new() } else { format!("   budget {budget} {unit}") };
    println!("  {what:<58} {value:>12.2} {unit}{verdict}");
}

/// Noise that repeats.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A journal's bytes in pieces as an uploader would send them.
fn journal(path: &str, rows: usize, keys: usize, config: &[(&str, Value)]) -> (RunPath, StreamId, Vec<(u64, Vec<u8>)>) {
    let folder = TempDir::new().unwrap();
    let path: RunPath = path.parse().unwrap();
    let stream = StreamId::generate();
    let segment_bytes = if rows == 0 { 4096 } else { 4 << 20 };
    let options = WriterOptions { segment_bytes, ..WriterOptions::default() };
    let mut writer = JournalWriter::create(folder.path(), stream, options).unwrap();
    let start = format!(r#"{{"run_id":"{}","project":"{}","started_at":1700000000.0}}"#, path.run, path.project);
    writer.append_record(&Record::RunStart(Box::new(serde_json::from_str(&start).unwrap()))).unwrap();
    if !config.is_empty() {
        let change = |(key, value): &(&str, Value)| Change { key: (*key).into(), value: Some(value.clone()) };
        writer.append_record(&Record::Config(config.iter().map(change).collect())).unwrap();
    }
    let mut table = Keys::default();
    let ids: Vec<_> = (0..keys).map(|key| table.intern(&format!("metric-{key}")).unwrap()).collect();
    let mut noise = Noise(rows as u64 + keys as u64);
    let mut time = 1.7e9;
    for step in 0..rows {
        time += 0.01 + noise.next() * 1e-4;
        let decay = 1.0 / (1.0 + step as f64 * 1e-3);
        let entries: Vec<_> = ids.iter().map(|id| (*id, Value::Float(decay + noise.next() * 0.1))).collect();
        writer.append_row(step as i64, time, true, &entries, &table).unwrap();
    }
    if rows == 0 {
        let change = Change { key: "metric-0".into(), value: Some(Value::Float(6.5)) };
        writer.append_record(&Record::Summary(vec![change])).unwrap();
        writer.append_record(&Record::Exit { time, code: 0 }).unwrap();
    }
    let backlog = writer.backlog();
    let (mut pieces, mut offset) = (Vec::new(), 0);
    loop {
        let bytes = backlog.read(offset, 1 << 20).unwrap();
        if bytes.is_empty() {
            return (path, stream, pieces);
        }
        let length = bytes.len() as u64;
        pieces.push((offset, bytes));
        offset += length;
    }
}

fn send(store: &Store, (path, stream, pieces): (RunPath, StreamId, Vec<(u64, Vec<u8>)>)) {
    for (offset, bytes) in pieces {
        store.ingest_blocking(Ingest { path: path.clone(), stream, offset, bytes, gap_allowed: false }).unwrap();
    }
}

fn open(folder: &Path) -> Arc<Store> {
    Store::open(folder, StoreOptions::default()).unwrap()
}

fn size(folder: &Path) -> u64 {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

/// The median of some tries, in milliseconds.
fn median(tries: usize, mut run: impl FnMut()) -> f64 {
    let mut times: Vec<Duration> = (0..tries)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed()
        })
        .collect();
    times.sort();
    times[tries / 2].as_secs_f64() * 1e3
}

fn ingest() {
    for (rows, keys) in [(400_000, 1), (100_000, 10), (20_000, 100)] {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path());
        let journals: Vec<_> = (0..4).map(|run| journal(&format!("local/bench/r{run}"), rows, keys, &[])).collect();
        let scalars = (4 * rows * keys) as f64;
        let begin = Instant::now();
        std::thread::scope(|scope| {
            for journal in journals {
                scope.spawn(|| send(&store, journal));
            }
        });
        let durable = begin.elapsed().as_secs_f64();
        store.seal_all().unwrap();
        let sealed = begin.elapsed().as_secs_f64();
        report(&format!("scalars durable, rows of {keys}, 4 runs"), scalars / durable, "/s", 1e6);
        report(&format!("scalars durable and sealed, rows of {keys}, 4 runs"), scalars / sealed, "/s", 0.0);
        store.close().unwrap();
        drop(store);
        report(&format!("bytes on disk per scalar, rows of {keys}"), size(folder.path()) as f64 / scalars, "B", 8.0);
    }
}

fn chart(store: &Store, runs: Vec<String>, x: XAxis, range: Option<[f64; 2]>) {
    let request = SeriesRequest { runs, keys: vec!["metric-0".into()], x, range, buckets: Some(1000) };
    std::hint::black_box(store.series(&request).unwrap());
}

fn long_run() {
    const ROWS: usize = 10_000_000;
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let begin = Instant::now();
    send(&store, journal("local/bench/long", ROWS, 1, &[]));
    store.seal_all().unwrap();
    report("10 M rows made, sent, sealed, their statistics kept", begin.elapsed().as_secs_f64(), "s", 0.0);
    let runs = || vec!["local/bench/long".to_owned()];
    report("chart of 10 M points, warm", median(21, || chart(&store, runs(), XAxis::Step, None)), "ms", 20.0);
    for part in [10.0, 1000.0, 100_000.0] {
        let range = Some([ROWS as f64 / 3.0, ROWS as f64 / 3.0 + ROWS as f64 / part]);
        let what = format!("  1/{part} of it");
        report(&what, median(21, || chart(&store, runs(), XAxis::Step, range)), "ms", 20.0);
    }
    report("  by relative time", median(5, || chart(&store, runs(), XAxis::RelativeTime, None)), "ms", 0.0);
    let export = |format| {
        let path = "local/bench/long".parse().unwrap();
        store.export(&path, format, &ExportSelection::default(), &mut std::io::sink()).unwrap();
    };
    report("export to Parquet", median(1, || export(ExportFormat::Parquet)), "ms", 0.0);
    store.close().unwrap();
    drop(store);
    report("bytes on disk per row", size(folder.path()) as f64 / ROWS as f64, "B", 8.0);
    report("open again", median(1, || drop(open(folder.path()))), "ms", 0.0);
    let store = open(folder.path());
    report("chart of 10 M points, cold", median(1, || chart(&store, runs(), XAxis::Step, None)), "ms", 0.0);
    for part in [10.0, 100.0] {
        let range = Some([ROWS as f64 / 3.0, ROWS as f64 / 3.0 + ROWS as f64 / part]);
        report(&format!("  1/{part} of it, first"), median(1, || chart(&store, runs(), XAxis::Step, range)), "ms", 0.0);
        report(&format!("  1/{part} of it"), median(11, || chart(&store, runs(), XAxis::Step, range)), "ms", 20.0);
    }
}

fn many_runs() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    for run in 0..200 {
        send(&store, journal(&format!("local/bench/r{run}"), 1000, 10, &[]));
    }
    let runs = || (0..200).map(|run| format!("local/bench/r{run}")).collect::<Vec<_>>();
    report("200 runs × 1000 points, live, cold", median(1, || chart(&store, runs(), XAxis::Step, None)), "ms", 0.0);
    report("200 runs × 1000 points, live, warm", median(21, || chart(&store, runs(), XAxis::Step, None)), "ms", 50.0);
    store.close().unwrap();
    drop(store);
    let store = open(folder.path());
    report("200 runs × 1000 points, sealed, cold", median(1, || chart(&store, runs(), XAxis::Step, None)), "ms", 0.0);
    report("200 runs × 1000 points, sealed, warm", median(21, || chart(&store, runs(), XAxis::Step, None)), "ms", 50.0);
    report("  by relative time", median(21, || chart(&store, runs(), XAxis::RelativeTime, None)), "ms", 0.0);
    let keys = KeysRequest { project: "local/bench".into(), runs: None };
    report("keys of 200 runs", median(21, || drop(store.keys(&keys).unwrap())), "ms", 0.0);
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
}

/// Makes the bytes those of another stream, with checksums that are right again.
fn stamp(bytes: &mut [u8], stream: StreamId) {
    bytes[16..32].copy_from_slice(stream.as_bytes());
    let crc = crc32c::crc32c(&bytes[..44]);
    bytes[44..48].copy_from_slice(&crc.to_le_bytes());
    let mut at = 48;
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let crc = crc32c::crc32c(&bytes[at + 8..at + 8 + length]);
        bytes[at + 4..at + 8].copy_from_slice(&crc.to_le_bytes());
        at += 8 + length;
    }
}

fn run_list() {
    const RUNS: usize = 100_000;
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut noise = Noise(1);
    let begin = Instant::now();
    let (done, finished) = std::sync::mpsc::channel();
    // A journal for each run would take longer to make than the bench: one is made, and stamped anew for each.
    let marks = [1.25, 2.5, 3.75, 6.5].map(|mark: f64| mark.to_le_bytes());
    let config = [
        ("lr", Value::Float(1.25)),
        ("width", Value::Float(2.5)),
        ("epochs", Value::Float(3.75)),
        ("model", "cnn".into()),
    ];
    let (_, _, pieces) = journal("local/bench/r000000", 0, 0, &config);
    for run in 0..RUNS {
        let name = format!("r{run:06}");
        let values = [(noise.next() * 1e4).round() * 1e-5, (run % 7) as f64, (run % 50) as f64, noise.next()]
            .map(f64::to_le_bytes);
        let model: &[u8] = [b"cnn", b"mlp", b"vit"][run % 3];
        let mut bytes = pieces[0].1.clone();
        replace(&mut bytes, b"r000000", name.as_bytes());
        replace(&mut bytes, b"cnn", model);
        for (mark, value) in marks.iter().zip(&values) {
            replace(&mut bytes, mark, value);
        }
        let stream = StreamId::generate();
        stamp(&mut bytes, stream);
        let (done, path) = (done.clone(), format!("local/bench/{name}").parse().unwrap());
        let request = Ingest { path, stream, offset: 0, bytes, gap_allowed: false };
        store.ingest(request, Box::new(move |answer| done.send(answer.map(|_| ())).unwrap()));
    }
    drop(done);
    finished.iter().for_each(|answer| answer.unwrap());
    report("100,000 runs made and sent", begin.elapsed().as_secs_f64(), "s", 0.0);
    let begin = Instant::now();
    store.seal_all().unwrap();
    report("sealed", begin.elapsed().as_secs_f64(), "s", 0.0);
    store.close().unwrap();
    drop(store);
    let begin = Instant::now();
    let store = open(folder.path());
    report("opened again", begin.elapsed().as_secs_f64(), "s", 0.0);
    let list = |filter: Option<&str>, sort: Option<&str>, columns: &[&str]| {
        let request = RunsRequest {
            project: "local/bench".into(),
            filter: filter.map(str::to_owned),
            sort: sort.map(|field| Sort { field: field.into(), descending: true }).into_iter().collect(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            ..RunsRequest::default()
        };
        assert!(store.runs(&request).unwrap().total > 0);
    };
    list(None, None, &[]);
    report("first page, newest first", median(11, || list(None, None, &[])), "ms", 50.0);
    report("  with all columns", median(11, || list(None, None, &["config.*", "summary.*"])), "ms", 50.0);
    report("filter by config", median(11, || list(Some("config.lr >= 0.05"), None, &[])), "ms", 50.0);
    report("sort by summary", median(11, || list(None, Some("summary.metric-0"), &[])), "ms", 50.0);
    let both = || list(Some("config.lr >= 0.05 and state = 'finished'"), Some("summary.metric-0"), &[]);
    report("filter + sort + first page", median(11, both), "ms", 50.0);
    store.forget_caches();
    report("  cold: what it needs is read from the database", median(1, both), "ms", 0.0);
    let mut live = 0;
    let changed = || {
        let mut begun = journal(&format!("local/bench/live-{live}"), 10, 1, &config);
        begun.2.truncate(1);
        send(&store, begun);
        live += 1;
        both();
    };
    report("  after a run began: with its 10 rows made and sent", median(11, changed), "ms", 0.0);
    let mut cursor = None;
    let mut next = || {
        let request = RunsRequest {
            project: "local/bench".into(),
            sort: vec![Sort { field: "summary.metric-0".into(), descending: true }],
            cursor: cursor.take(),
            ..RunsRequest::default()
        };
        cursor = store.runs(&request).unwrap().next_cursor;
    };
    report("sort by summary, pages one after the other", median(11, &mut next), "ms", 50.0);
    let narrow = || list(Some("config.lr < 0.001 and config.model = 'cnn'"), Some("summary.metric-0"), &[]);
    report("narrow filter + sort + first page", median(11, narrow), "ms", 50.0);
    let search = RunsRequest { project: "local/bench".into(), search: Some("999".into()), ..RunsRequest::default() };
    report("search", median(11, || drop(store.runs(&search).unwrap())), "ms", 0.0);
    let groups =
        RunsRequest { project: "local/bench".into(), group_by: Some("config.model".into()), ..RunsRequest::default() };
    report("group by config", median(11, || drop(store.runs(&groups).unwrap())), "ms", 0.0);
    report("projects", median(11, || drop(store.projects().unwrap())), "ms", 0.0);
}

/// The journal of a process that prints `lines` lines of about 80 bytes, `batch` in a record.
fn printed(path: &str, lines: u64, batch: u64) -> (RunPath, StreamId, Vec<(u64, Vec<u8>)>) {
    journal_of(path, |writer| {
        let mut noise = Noise(lines);
        for (record, first) in (0..lines).step_by(batch as usize).enumerate() {
            let line = |number: u64| {
                let (loss, rate) = (noise.next(), noise.next() * 100.0);
                format!("\x1b[32mepoch {}\x1b[0m step {number} loss {loss:.6} {rate:.1} examples/s", number / 1000)
                    .into()
            };
            let time = 1.7e9 + record as f64;
            let lines = (first..first + batch).map(line).collect();
            let text = ConsoleLines { time, output: ConsoleOutput::Stdout, first_line: first, lines };
            writer.append_record(&Record::Console(text)).unwrap();
        }
    })
}

/// A journal's bytes in pieces, with a run start and what `write` puts behind it.
fn journal_of(path: &str, write: impl FnOnce(&mut JournalWriter)) -> (RunPath, StreamId, Vec<(u64, Vec<u8>)>) {
    let folder = TempDir::new().unwrap();
    let path: RunPath = path.parse().unwrap();
    let stream = StreamId::generate();
    let mut writer = JournalWriter::create(folder.path(), stream, WriterOptions::default()).unwrap();
    let start = format!(r#"{{"run_id":"{}","project":"{}","started_at":1700000000.0}}"#, path.run, path.project);
    writer.append_record(&Record::RunStart(Box::new(serde_json::from_str(&start).unwrap()))).unwrap();
    write(&mut writer);
    let backlog = writer.backlog();
    let (mut pieces, mut offset) = (Vec::new(), 0);
    loop {
        let bytes = backlog.read(offset, 1 << 20).unwrap();
        if bytes.is_empty() {
            return (path, stream, pieces);
        }
        let length = bytes.len() as u64;
        pieces.push((offset, bytes));
        offset += length;
    }
}

fn console() {
    for (lines, processes) in [(1_000_000, 1), (10_000_000, 1), (1_000_000, 8)] {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path());
        let journals: Vec<_> =
            (0..processes).map(|_| printed("local/bench/console", lines / processes, 1000)).collect();
        let bytes: usize = journals.iter().flat_map(|(.., pieces)| pieces).map(|(_, bytes)| bytes.len()).sum();
        let begin = Instant::now();
        journals.into_iter().for_each(|journal| send(&store, journal));
        let what = format!("{} M lines of {processes} processes durable", lines / 1_000_000);
        report(&what, lines as f64 / begin.elapsed().as_secs_f64(), "/s", 0.0);
        let page = |from: i64, search: Option<&str>, regex: bool| {
            let request = ConsoleRequest {
                run: "local/bench/console".into(),
                from: Some(from),
                search: search.map(str::to_owned),
                regex,
                ..ConsoleRequest::default()
            };
            std::hint::black_box(store.console(&request).unwrap())
        };
        let middle = lines as i64 / 2;
        report("  1,000 lines from the middle, cold", median(1, || drop(page(middle, None, false))), "ms", 0.0);
        report("  1,000 lines from the middle, warm", median(21, || drop(page(middle, None, false))), "ms", 20.0);
        let mut at = 0;
        let mut elsewhere = || {
            at = (at + 7_654_321) % lines as i64;
            page(at, None, false);
        };
        report("  1,000 lines from anywhere", median(21, &mut elsewhere), "ms", 20.0);
        report("  the last 1,000", median(21, || drop(page(-1000, None, false))), "ms", 20.0);
        report("  search for a text, first", median(1, || drop(page(0, Some("STEP 77777"), false))), "ms", 0.0);
        report("  search for a text, next page", median(21, || drop(page(100, Some("STEP 77777"), false))), "ms", 20.0);
        report(
            "  search for an expression, first",
            median(1, || drop(page(0, Some(r"loss 0\.9999\d"), true))),
            "ms",
            0.0,
        );
        report("  what is in most lines, first", median(1, || drop(page(0, Some("examples"), false))), "ms", 0.0);
        store.close().unwrap();
        drop(store);
        report("  bytes on disk per byte sent", size(folder.path()) as f64 / bytes as f64, "", 0.0);
    }
    // A process that prints a line ten times a second, for hours.
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let (path, stream, pieces) = printed("local/bench/slow", 20_000, 1);
    let bytes: Vec<u8> = pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
    let begin = Instant::now();
    let (mut at, mut requests) = (0, 0);
    while at < bytes.len() {
        // Three lines and a part of one.
        let part = bytes[at..bytes.len().min(at + 400)].to_vec();
        let request = Ingest { path: path.clone(), stream, offset: at as u64, bytes: part, gap_allowed: false };
        at = store.ingest_blocking(request).unwrap().durable_offset as usize;
        requests += 1;
    }
    let each = begin.elapsed().as_secs_f64() * 1e3 / f64::from(requests);
    report("a request with three lines, durable", each, "ms", 0.0);
}

fn system() {
    const SAMPLES: usize = 8640 * 7;
    const METRICS: usize = 40;
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let names: Vec<Arc<str>> = (0..METRICS).map(|metric| format!("gpu.{metric}.memory").into()).collect();
    let journal = journal_of("local/bench/system", |writer| {
        let mut noise = Noise(7);
        for sample in 0..SAMPLES {
            let values = names.iter().map(|name| (name.clone(), (noise.next() * 1000.0).round() / 10.0)).collect();
            let time = 1.7e9 + 10.0 * sample as f64;
            writer.append_record(&Record::System(SystemSample { time, values })).unwrap();
        }
    });
    let begin = Instant::now();
    send(&store, journal);
    let values = (SAMPLES * METRICS) as f64;
    report("a week of samples of 40 metrics, values durable", values / begin.elapsed().as_secs_f64(), "/s", 0.0);
    let chart = |metrics: usize| {
        let keys = names[..metrics].iter().map(|name| format!("_system/{name}")).collect();
        let runs = vec!["local/bench/system".to_owned()];
        let request = SeriesRequest { runs, keys, x: XAxis::RelativeTime, range: None, buckets: Some(1000) };
        std::hint::black_box(store.series(&request).unwrap());
    };
    report("  chart of one, cold", median(1, || chart(1)), "ms", 0.0);
    report("  chart of one, warm", median(11, || chart(1)), "ms", 20.0);
    report("  charts of ten, warm", median(11, || chart(10)), "ms", 0.0);
    store.close().unwrap();
    drop(store);
    report("  bytes on disk per value", size(folder.path()) as f64 / values, "B", 0.0);
}
