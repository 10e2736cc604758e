//! Charts and exports agree with a plain model of what was sent, whatever the order, with seals and restarts in between.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use steplog_model::Value;
use steplog_protocol::{SeriesRequest, XAxis};
use steplog_store::{ExportFormat, ExportSelection, Store, StoreOptions};
use support::{Bucket, Chart, Journal, quiet_options};
use tempfile::TempDir;

const PATH: &str = "local/digits/a";
const KEYS: [&str; 3] = ["a", "b", "c.d"];

#[derive(Clone, Debug)]
enum Action {
    /// Stream, step, time, values of some keys.
    Row(usize, i64, f64, [Option<Value>; 3]),
    Send(usize),
    Seal,
    /// Without sealing, as after a kill.
    Restart,
    /// Charts are read in between, so that views take in what comes later.
    Chart,
}

fn value() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        4 => (-100.0..100.0f64).prop_map(|number| Some(Value::Float(number))),
        2 => Just(None),
        1 => (-5..5i64).prop_map(|number| Some(Value::Int(number))),
        1 => prop::sample::select(vec![
            Value::Float(f64::NAN), Value::Float(f64::INFINITY), Value::Float(f64::NEG_INFINITY), Value::Float(-0.0),
            Value::Float(5e-324), Value::Bool(true), Value::Null, "text".into(), Value::List(vec![1.into()]),
        ]).prop_map(Some),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    // Mostly growing steps, many late and repeated ones.
    let row = (0..3usize, 0..60i64, 0..40u32, [value(), value(), value()]);
    prop_oneof![
        20 => row.prop_map(|(stream, step, time, values)| {
            Action::Row(stream, step * step - 200, 1000.0 + f64::from(time) / 4.0, values)
        }),
        3 => (0..3usize).prop_map(Action::Send),
        1 => Just(Action::Seal),
        1 => Just(Action::Restart),
        1 => Just(Action::Chart),
    ]
}

/// Time of the latest write, and by key the time and value of the latest write of that key.
type ModelRow = (f64, BTreeMap<&'static str, (f64, Value)>);

/// Step, time and a value for each key.
type Write = (i64, f64, [Option<Value>; 3]);

#[derive(Default)]
struct Model {
    /// By step.
    rows: BTreeMap<i64, ModelRow>,
}

impl Model {
    fn write(&mut self, step: i64, time: f64, values: &[Option<Value>; 3]) {
        for (key, value) in KEYS.into_iter().zip(values) {
            let Some(value) = value.as_ref().filter(|value| **value != Value::Null) else { continue };
            let row = self.rows.entry(step).or_default();
            row.0 = time;
            row.1.insert(key, (time, value.clone()));
        }
    }

    /// (step, x, value) by step.
    fn points(&self, key: &str, x: &XAxis) -> Vec<(i64, f64, f64)> {
        let point = |(step, (_, row)): (&i64, &ModelRow)| {
            let (time, value) = row.get(key)?;
            let x = match x {
                XAxis::Step => *step as f64,
                XAxis::WallTime => *time,
                XAxis::RelativeTime => *time - 1000.0,
                XAxis::Metric { key } => row.get(&**key)?.1.as_f64().filter(|x| x.is_finite())?,
            };
            Some((*step, x, value.as_f64()?))
        };
        self.rows.iter().filter_map(point).collect()
    }
}

struct World {
    folder: TempDir,
    options: StoreOptions,
    store: Option<Arc<Store>>,
    journals: Vec<Journal>,
    waiting: Vec<Vec<Write>>,
    model: Model,
}

impl World {
    fn new(chart_points: usize, seal_points: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let options = StoreOptions { chart_points, kept_points: 0, seal_points, ..quiet_options() };
        let store = Some(Store::open(folder.path(), options.clone()).unwrap());
        let journals = (0..3).map(|_| Journal::new(PATH)).collect();
        Self { folder, options, store, journals, waiting: vec![Vec::new(); 3], model: Model::default() }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Row(stream, step, time, values) => {
                let entries: Vec<(&str, Value)> =
                    KEYS.into_iter().zip(&values).filter_map(|(key, value)| Some((key, value.clone()?))).collect();
                self.journals[stream].row_at(step, time, true, &entries);
                self.waiting[stream].push((step, time, values));
            }
            Action::Send(stream) => {
                let store = self.store.clone().unwrap();
                self.journals[stream].send(&store);
                for (step, time, values) in self.waiting[stream].drain(..) {
                    self.model.write(step, time, &values);
                }
            }
            Action::Seal => self.store().seal_all().unwrap(),
            Action::Restart => {
                let store = self.store.take().unwrap();
                store.abandon();
                drop(store);
                self.store = Some(Store::open(self.folder.path(), self.options.clone()).unwrap());
            }
            Action::Chart => {
                for x in axes() {
                    self.check_chart(x, None, 7);
                }
            }
        }
    }

    fn check_chart(&self, x: XAxis, range: Option<[f64; 2]>, buckets: u32) {
        let request = SeriesRequest {
            runs: vec![PATH.into()],
            keys: KEYS.map(str::to_owned).to_vec(),
            x: x.clone(),
            range,
            buckets: Some(buckets),
        };
        let chart = Chart::decode(&self.store().series(&request).unwrap());
        assert_eq!(chart.metadata.grids.len(), 3);
        let mut expected = Vec::new();
        let mut series = 0;
        for (grid, key) in chart.metadata.grids.iter().zip(KEYS) {
            assert_eq!(grid.key, key);
            let points = self.model.points(key, &x);
            if points.is_empty() {
                assert_eq!((grid.width, grid.buckets), (0.0, 0));
                continue;
            }
            let info = &chart.metadata.series[series];
            let xs = || points.iter().map(|point| point.1);
            assert_eq!(
                (info.point_count, info.first_x, info.last_x),
                (points.len() as u64, xs().fold(f64::INFINITY, f64::min), xs().fold(f64::NEG_INFINITY, f64::max)),
                "{x:?} {key}"
            );
            assert!(grid.buckets <= buckets.max(2));
            let [from, to] = range.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
            let mut filled: BTreeMap<u32, Vec<(i64, f64, f64)>> = BTreeMap::new();
            for point in points.iter().filter(|point| from <= point.1 && point.1 <= to) {
                let bucket = ((point.1 - grid.from) / grid.width).floor();
                assert!(bucket >= 0.0 && bucket < f64::from(grid.buckets), "{point:?} {grid:?}");
                filled.entry(bucket as u32).or_default().push(*point);
            }
            for (bucket, mut points) in filled {
                // Zeros of both signs are one place.
                points.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap().then(a.0.cmp(&b.0)));
                expected.push(naive(series as u32, bucket, &points));
            }
            series += 1;
        }
        assert_eq!(chart.metadata.series.len(), series);
        assert_eq!(chart.rows.len(), expected.len(), "{x:?} {range:?} {buckets}");
        for (found, expected) in chart.rows.iter().zip(&expected) {
            assert!(alike(found, expected), "{x:?} {range:?} {buckets}\nfound    {found:?}\nexpected {expected:?}");
        }
    }

    fn check_export(&self) {
        let path = PATH.parse().unwrap();
        let mut out = Vec::new();
        self.store().export(&path, ExportFormat::Jsonl, &ExportSelection::default(), &mut out).unwrap();
        let lines: Vec<serde_json::Value> = out
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        let expected: Vec<serde_json::Value> = self
            .model
            .rows
            .iter()
            .map(|(step, (time, row))| {
                let mut line = serde_json::json!({"_step": step, "_timestamp": time, "_runtime": time - 1000.0});
                for (key, (_, value)) in row {
                    line[key] = value.to_json();
                }
                line
            })
            .collect();
        assert_eq!(lines, expected);
    }
}

fn axes() -> Vec<XAxis> {
    vec![XAxis::Step, XAxis::WallTime, XAxis::RelativeTime, XAxis::Metric { key: "b".into() }]
}

fn naive(series: u32, bucket: u32, points: &[(i64, f64, f64)]) -> Bucket {
    let finite: Vec<f64> = points.iter().map(|point| point.2).filter(|value| value.is_finite()).collect();
    let count = |of: fn(f64) -> bool| points.iter().filter(|point| of(point.2)).count() as u32;
    let or_nan = |value: f64| if finite.is_empty() { f64::NAN } else { value };
    let last = points.last().unwrap();
    Bucket {
        series,
        bucket,
        x: last.1,
        min: or_nan(finite.iter().copied().fold(f64::INFINITY, f64::min)),
        max: or_nan(finite.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        mean: or_nan(finite.iter().sum::<f64>() / finite.len() as f64),
        last: last.2,
        counts: [
            points.len() as u32,
            count(f64::is_nan),
            count(|value| value == f64::INFINITY),
            count(|value| value == f64::NEG_INFINITY),
        ],
    }
}

fn alike(a: &Bucket, b: &Bucket) -> bool {
    let same = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan();
    (a.series, a.bucket, a.counts) == (b.series, b.bucket, b.counts)
        && same(a.x, b.x)
        && same(a.min, b.min)
        && same(a.max, b.max)
        && same(a.last, b.last)
        && (same(a.mean, b.mean) || (a.mean - b.mean).abs() < 1e-9)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn charts_and_exports_show_what_was_sent(
        actions in prop::collection::vec(action(), 0..250),
        few in any::<bool>(),
        seal_points in prop::sample::select(vec![3usize, 50]),
        ranges in prop::collection::vec((0.0..1.0f64, 0.0..1.0f64, 1..400u32), 4),
    ) {
        let mut world = World::new(if few { 1 << 20 } else { 20 }, seal_points);
        let streams = (0..3).map(Action::Send);
        for action in actions.into_iter().chain(streams).chain([Action::Chart, Action::Seal]) {
            world.act(action);
        }
        for x in axes() {
            for buckets in [1, 2, 13, 10_000] {
                world.check_chart(x.clone(), None, buckets);
            }
            for (a, b, buckets) in &ranges {
                let (low, high) = match x {
                    XAxis::Step => (-210.0, 3400.0),
                    XAxis::WallTime => (999.0, 1011.0),
                    XAxis::RelativeTime => (-1.0, 11.0),
                    XAxis::Metric { .. } => (-101.0, 101.0),
                };
                let at = |part: f64| low + (high - low) * part;
                world.check_chart(x.clone(), Some([at(a.min(*b)), at(a.max(*b))]), *buckets);
            }
        }
        world.check_export();
        world.act(Action::Restart);
        world.check_chart(XAxis::Step, None, 13);
        world.check_export();
        prop_assert_eq!(world.store().verify(&mut |_, _| {}).unwrap(), vec![]);
    }
}

#[test]
fn the_first_chart_after_a_start_reads_what_was_kept() {
    // Whole numbers: their sums, and so the means, are the same however they are grouped.
    let folder = TempDir::new().unwrap();
    let options = StoreOptions { chart_points: 1000, kept_points: 5000, seal_points: 1000, ..quiet_options() };
    let chart = || {
        let store = Store::open(folder.path(), options.clone()).unwrap();
        let request = SeriesRequest {
            runs: vec![PATH.into()],
            keys: vec!["loss".into()],
            x: XAxis::Step,
            range: None,
            buckets: Some(10),
        };
        store.series(&request)
    };
    let change = |sql: &str| {
        let database = rusqlite::Connection::open(folder.path().join("steplog.sqlite")).unwrap();
        database.execute(sql, ()).unwrap()
    };
    let store = Store::open(folder.path(), options.clone()).unwrap();
    let mut journal = Journal::new(PATH);
    for step in 0..10_000 {
        journal.row(step, &[("loss", ((step * 7919 % 1000) as f64).into()), ("step", Value::Int(step))]);
    }
    journal.exit(0).send(&store);
    store.seal_all().unwrap();
    drop(store);
    let expected = chart().unwrap();
    assert_eq!(change("DELETE FROM pyramids WHERE key NOT IN (SELECT id FROM keys WHERE name = 'loss')"), 1);
    assert!(change("UPDATE chunks SET checksum = checksum + 1") >= 20);
    assert_eq!(chart().unwrap(), expected, "no chunk is read");
    assert_eq!(change("UPDATE pyramids SET checksum = checksum + 1"), 1);
    assert_eq!(chart().unwrap_err().to_string(), "the checksum is wrong", "the chunks are read instead");
    change("UPDATE chunks SET checksum = checksum - 1");
    assert_eq!(chart().unwrap(), expected, "and say the same");
}

#[test]
fn a_long_column_keeps_its_spike_at_every_zoom_while_it_grows() {
    let folder = TempDir::new().unwrap();
    let options = StoreOptions { seal_points: 1000, chart_points: 5000, ..quiet_options() };
    let store = Store::open(folder.path(), options).unwrap();
    let mut journal = Journal::new(PATH);
    let (mut points, mut step) = (BTreeMap::new(), 0i64);
    for part in 0..20 {
        for index in 0..10_000i64 {
            // Steps get sparser and sparser; some are written twice, some late.
            step += 1 + part * part;
            let value = if index == 777 { 1e6 } else { (step % 1000) as f64 };
            journal.row(step, &[("loss", value.into())]);
            points.insert(step, value);
            if index % 1000 == 999 {
                journal.row(step / 2, &[("loss", Value::Float(-5.0))]);
                points.insert(step / 2, -5.0);
            }
        }
        journal.send(&store);
        if part % 3 == 0 {
            store.seal_all().unwrap();
        }
        for (from, to, buckets) in
            [(0, i64::MAX, 1000), (step / 3, step / 2, 100), (step - 200, step, 1000), (0, step, 3)]
        {
            let request = SeriesRequest {
                runs: vec![PATH.into()],
                keys: vec!["loss".into()],
                x: XAxis::Step,
                range: Some([from as f64, to as f64]),
                buckets: Some(buckets),
            };
            let chart = Chart::decode(&store.series(&request).unwrap());
            let grid = &chart.metadata.grids[0];
            assert_eq!(chart.metadata.series[0].point_count, points.len() as u64);
            let mut filled: BTreeMap<u32, Vec<(i64, f64, f64)>> = BTreeMap::new();
            for (step, value) in points.range(from..=to) {
                let bucket = ((*step as f64 - grid.from) / grid.width) as u32;
                filled.entry(bucket).or_default().push((*step, *step as f64, *value));
            }
            let expected: Vec<Bucket> = filled.into_iter().map(|(bucket, points)| naive(0, bucket, &points)).collect();
            assert_eq!(chart.rows.len(), expected.len());
            for (found, expected) in chart.rows.iter().zip(&expected) {
                assert!(alike(found, expected), "{part} {from} {to}\nfound    {found:?}\nexpected {expected:?}");
            }
        }
    }
}

#[test]
fn runs_of_several_projects_share_the_grid_of_a_key() {
    let folder = TempDir::new().unwrap();
    let store = support::open(folder.path());
    for (path, first) in [("local/a/x", 0), ("local/b/x", 100)] {
        let mut journal = Journal::new(path);
        for step in first..first + 100 {
            journal.row(step, &[("loss", Value::Int(step)), ("name", "text".into())]);
        }
        journal.send(&store);
    }
    let request = SeriesRequest {
        runs: ["local/a/x", "local/b/x", "local/b/none"].map(str::to_owned).to_vec(),
        keys: ["none", "loss", "name"].map(str::to_owned).to_vec(),
        x: XAxis::Step,
        range: None,
        buckets: Some(4),
    };
    let chart = Chart::decode(&store.series(&request).unwrap());
    let grids: Vec<_> = chart.metadata.grids.iter().map(|grid| (grid.from, grid.width, grid.buckets)).collect();
    assert_eq!(grids, vec![(0.0, 0.0, 0), (0.0, 64.0, 4), (0.0, 0.0, 0)]);
    let series: Vec<_> =
        chart.metadata.series.iter().map(|series| (&*series.run, series.grid, series.last_x)).collect();
    assert_eq!(series, vec![("local/a/x", 1, 99.0), ("local/b/x", 1, 199.0)]);
    let rows: Vec<_> = chart.rows.iter().map(|row| (row.series, row.bucket, row.counts[0], row.max)).collect();
    assert_eq!(rows, vec![(0, 0, 64, 63.0), (0, 1, 36, 99.0), (1, 1, 28, 127.0), (1, 2, 64, 191.0), (1, 3, 8, 199.0)]);
}

#[test]
fn requests_for_too_much_are_refused() {
    let folder = TempDir::new().unwrap();
    let store = support::open(folder.path());
    let request = SeriesRequest { runs: vec![], keys: vec![], x: XAxis::Step, range: None, buckets: None };
    for (change, message) in [
        (SeriesRequest { buckets: Some(0), ..request.clone() }, "buckets must be 1 to 10000, not 0"),
        (SeriesRequest { buckets: Some(10_001), ..request.clone() }, "buckets must be 1 to 10000, not 10001"),
        (SeriesRequest { range: Some([2.0, 1.0]), ..request.clone() }, "the range from 2 to 1 is none"),
        (SeriesRequest { range: Some([f64::NAN, 1.0]), ..request.clone() }, "the range from NaN to 1 is none"),
        (
            SeriesRequest { runs: vec!["a/b/c".into(); 201], keys: vec!["k".into(); 100], ..request.clone() },
            "201 runs × 100 keys are more than 20000 series",
        ),
        (
            SeriesRequest { runs: vec!["a/b".into()], ..request.clone() },
            "run path \"a/b\" is not of the form entity/project/id",
        ),
    ] {
        assert_eq!(store.series(&change).unwrap_err().to_string(), message);
    }
}
