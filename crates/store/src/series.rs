//! Charts: buckets of many runs × keys, answered as Arrow.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, UInt32Array};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};
use steplog_model::RunPath;
use steplog_protocol::{MAX_BUCKETS, MAX_SERIES, SeriesInfo, SeriesMetadata, SeriesRequest, XAxis};

use crate::grid::Buckets;
use crate::lineage::{self, Member};
use crate::points::Points;
use crate::pyramid::{Node, Pyramid};
use crate::source::Source;
use crate::statistics::Statistics;
use crate::view::Look;
use crate::{Error, Store, catalog, system};

const DEFAULT_BUCKETS: u32 = 1000;

/// A run of the request.
struct RunRef {
    path: RunPath,
    project: i64,
    /// When it, or the first run that it was forked from, began.
    began_at: f64,
    /// Whose rows count as its own, itself last.
    members: Vec<Member>,
}

/// A series of one key, before its buckets are known.
struct Outline {
    run: usize,
    key: i64,
    point_count: u64,
    first_x: f64,
    last_x: f64,
    first_step: i64,
    last_step: i64,
    /// Points that come from more than one column: on the axis of another metric, with their x as the time, and those of a
    /// fork. Those of system metrics, too.
    points: Option<Arc<Points>>,
}

impl Outline {
    /// `None` when there are no points.
    fn new(
        (index, run): (usize, &RunRef),
        key: i64,
        total: &Statistics,
        x: &XAxis,
        points: Option<Arc<Points>>,
    ) -> Option<Self> {
        let origin = origin(x, run.began_at);
        let (first_x, last_x) = match x {
            XAxis::Step => (total.first_step as f64, total.last_step as f64),
            _ => (total.first_time - origin, total.last_time - origin),
        };
        (total.count > 0).then_some(Self {
            run: index,
            key,
            point_count: total.count.into(),
            first_x,
            last_x,
            first_step: total.first_step,
            last_step: total.last_step,
            points,
        })
    }
}

/// The rows of the answer.
#[derive(Default)]
struct Answer {
    series: Vec<u32>,
    bucket: Vec<u32>,
    x: Vec<f64>,
    min: Vec<f64>,
    max: Vec<f64>,
    mean: Vec<f64>,
    last: Vec<f64>,
    count: Vec<u32>,
    nan_count: Vec<u32>,
    positive_infinity_count: Vec<u32>,
    negative_infinity_count: Vec<u32>,
}

impl Store {
    /// The points of many runs × keys in buckets, as an Arrow IPC stream. Runs and keys that do not exist have no series.
    ///
    /// # Errors
    /// The request asks for too much, or for a range or a path that is none.
    pub fn series(&self, request: &SeriesRequest) -> Result<Vec<u8>, Error> {
        let limit = request.buckets.unwrap_or(DEFAULT_BUCKETS);
        if limit == 0 || limit > MAX_BUCKETS {
            return Err(Error::invalid(format!("buckets must be 1 to {MAX_BUCKETS}, not {limit}")));
        }
        if request.runs.len().saturating_mul(request.keys.len()) > MAX_SERIES {
            return Err(Error::invalid(format!(
                "{} runs × {} keys are more than {MAX_SERIES} series",
                request.runs.len(),
                request.keys.len()
            ))
            .with_hint("ask for fewer runs or keys at a time"));
        }
        if let Some([from, to]) = request.range
            && (from.is_nan() || to.is_nan() || from > to)
        {
            return Err(Error::invalid(format!("the range from {from} to {to} is none")));
        }
        let runs = self.find_runs(&request.runs)?;
        let mut answer = Answer::default();
        let mut metadata = SeriesMetadata { grids: Vec::with_capacity(request.keys.len()), series: Vec::new() };
        for (grid, key) in request.keys.iter().enumerate() {
            let outlines = self.outlines(&runs, key, &request.x)?;
            let buckets = buckets(&outlines, &request.x, request.range, limit);
            for outline in &outlines {
                let run = &runs[outline.run];
                let series = metadata.series.len() as u32;
                let filled = self.fill(run, key, outline, &request.x, &buckets)?;
                answer.push(series, &filled, &request.x, run.began_at);
                metadata.series.push(SeriesInfo {
                    run: run.path.to_string(),
                    grid: grid as u32,
                    point_count: outline.point_count,
                    first_x: outline.first_x,
                    last_x: outline.last_x,
                });
            }
            metadata.grids.push(buckets.grid(key));
        }
        answer.write(&metadata)
    }

    fn find_runs(&self, paths: &[String]) -> Result<Vec<RunRef>, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let mut runs = Vec::with_capacity(paths.len());
        for path in paths {
            let path: RunPath = path.parse()?;
            let Some((id, project)) = catalog::find_run(&reader, &path)? else { continue };
            let members = lineage::lineage(&reader, id, &path)?;
            runs.push(RunRef { project, began_at: lineage::began_at(&members), members, path });
        }
        Ok(runs)
    }

    /// The ids of a key in the projects of some runs, for those runs that have it, themselves or from whom they were forked.
    fn columns_of(&self, runs: &[RunRef], key: &str) -> Result<Vec<Option<i64>>, Error> {
        let reader = self.shared.database.reader()?;
        let mut ids: HashMap<i64, Option<i64>> = HashMap::new();
        let mut columns = Vec::with_capacity(runs.len());
        for run in runs {
            let id = match ids.get(&run.project) {
                Some(id) => *id,
                None => {
                    let id = catalog::find_name(&reader, "keys", run.project, key)?;
                    ids.insert(run.project, id);
                    id
                }
            };
            columns.push(match id {
                Some(id) => {
                    let mut has = false;
                    for member in &run.members {
                        has = has || lineage::has_key(&reader, member.run, id)?;
                    }
                    has.then_some(id)
                }
                None => None,
            });
        }
        Ok(columns)
    }

    fn outlines(&self, runs: &[RunRef], key_name: &str, x: &XAxis) -> Result<Vec<Outline>, Error> {
        if let Some(name) = key_name.strip_prefix(system::PREFIX) {
            return self.system_outlines(runs, name, x);
        }
        let columns = self.columns_of(runs, key_name)?;
        let x_columns = match x {
            XAxis::Metric { key } => self.columns_of(runs, key)?,
            _ => Vec::new(),
        };
        let mut outlines = Vec::new();
        for (index, (run, key)) in runs.iter().zip(columns).enumerate() {
            let Some(key) = key else { continue };
            let points = match x {
                XAxis::Metric { key: x_name } => {
                    let Some(x_key) = x_columns[index] else { continue };
                    let x = self.shared.line_points(&run.members, x_key, x_name)?;
                    let points = self.shared.line_points(&run.members, key, key_name)?;
                    Some(Arc::new(join(&points, &x)))
                }
                _ if run.members.len() > 1 => Some(self.shared.line_points(&run.members, key, key_name)?),
                _ => None,
            };
            let total = match &points {
                Some(points) => points_total(points),
                None => self.shared.view(&run.members[0].column(key, key_name), |look| {
                    Ok(match look {
                        Look::Points(points) => points_total(points),
                        Look::Pyramid(pyramid, _) => pyramid.total(),
                    })
                })?,
            };
            outlines.extend(Outline::new((index, run), key, &total, x, points));
        }
        Ok(outlines)
    }

    /// What the machines of runs were busy with. Samples stand at the highest step that their run had; they have no rows,
    /// and so no value of another metric.
    fn system_outlines(&self, runs: &[RunRef], name: &str, x: &XAxis) -> Result<Vec<Outline>, Error> {
        let mut outlines = Vec::new();
        if matches!(x, XAxis::Metric { .. }) {
            return Ok(outlines);
        }
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let key = format!("{}{name}", system::PREFIX);
        for (index, run) in runs.iter().enumerate() {
            let Some(own) = run.members.last() else { continue };
            if !system::has_series(&reader, own.run, run.project, &key)? {
                continue;
            }
            let points = Arc::new(system::points(&reader, &self.shared.caches.system, own.run, name)?);
            outlines.extend(Outline::new((index, run), 0, &points_total(&points), x, Some(points)));
        }
        Ok(outlines)
    }

    fn fill(
        &self,
        run: &RunRef,
        key_name: &str,
        outline: &Outline,
        x: &XAxis,
        buckets: &Buckets,
    ) -> Result<Vec<Statistics>, Error> {
        let mut filled = vec![Statistics::default(); buckets.count()];
        let origin = origin(x, run.began_at);
        if let Some(points) = &outline.points {
            match buckets {
                Buckets::Steps { from, to, .. } => add_by_step(&mut filled, points.between(*from, *to), buckets),
                _ => add_by_time(&mut filled, points.iter(), buckets, origin),
            }
            return Ok(filled);
        }
        self.shared.view(&run.members[0].column(outline.key, key_name), |look| match (look, buckets) {
            (_, Buckets::None) => Ok(()),
            (Look::Points(points), Buckets::Steps { from, to, .. }) => {
                add_by_step(&mut filled, points.between(*from, *to), buckets);
                Ok(())
            }
            (Look::Points(points), Buckets::Numbers { .. }) => {
                add_by_time(&mut filled, points.iter(), buckets, origin);
                Ok(())
            }
            (Look::Pyramid(pyramid, source), Buckets::Steps { .. }) => {
                fill_steps(&mut filled, pyramid, source, buckets)
            }
            (Look::Pyramid(pyramid, source), Buckets::Numbers { .. }) => {
                fill_times(&mut filled, pyramid, source, buckets, origin)
            }
        })?;
        Ok(filled)
    }
}

/// What is taken from a time to get an x.
fn origin(x: &XAxis, began_at: f64) -> f64 {
    if *x == XAxis::RelativeTime { began_at } else { 0.0 }
}

/// The points of a metric with the value of another at the same step in place of the time.
fn join(points: &Points, x: &Points) -> Points {
    let mut at = 0;
    let mut joined = Points::default();
    for (step, _, value) in points.iter() {
        while x.steps.get(at).is_some_and(|other| *other < step) {
            at += 1;
        }
        // A point without a finite x has no place.
        if x.steps.get(at) == Some(&step) && x.values[at].is_finite() {
            joined.steps.push(step);
            joined.times.push(x.values[at]);
            joined.values.push(value);
        }
    }
    joined
}

/// How many points there are and where they begin and end; the values are not looked at.
fn points_total(points: &Points) -> Statistics {
    let times = points.times.iter().copied();
    Statistics {
        count: points.len() as u32,
        first_step: points.steps.first().copied().unwrap_or(i64::MAX),
        last_step: points.steps.last().copied().unwrap_or(i64::MIN),
        first_time: times.clone().fold(f64::INFINITY, f64::min),
        last_time: times.fold(f64::NEG_INFINITY, f64::max),
        ..Statistics::default()
    }
}

fn buckets(outlines: &[Outline], x: &XAxis, range: Option<[f64; 2]>, limit: u32) -> Buckets {
    let [lowest, highest] = range.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
    if *x == XAxis::Step {
        let first = outlines.iter().map(|outline| outline.first_step).min();
        let last = outlines.iter().map(|outline| outline.last_step).max();
        let (Some(first), Some(last)) = (first, last) else { return Buckets::None };
        // Casts of floats to integers stop at the ends.
        let (from, to) = (first.max(lowest.ceil() as i64), last.min(highest.floor() as i64));
        if from > to || lowest > i64::MAX as f64 || highest < i64::MIN as f64 {
            return Buckets::None;
        }
        return Buckets::over_steps(from, to, limit);
    }
    let first = outlines.iter().map(|outline| outline.first_x).fold(f64::INFINITY, f64::min);
    let last = outlines.iter().map(|outline| outline.last_x).fold(f64::NEG_INFINITY, f64::max);
    let (from, to) = (first.max(lowest), last.min(highest));
    match from <= to {
        true => Buckets::over_numbers(from, to, limit),
        false => Buckets::None,
    }
}

fn add_by_step(filled: &mut [Statistics], points: impl Iterator<Item = (i64, f64, f64)>, buckets: &Buckets) {
    for (step, time, value) in points {
        if let Some(bucket) = buckets.of_step(step).and_then(|bucket| filled.get_mut(bucket)) {
            bucket.add(step, time, value);
        }
    }
}

fn add_by_time(
    filled: &mut [Statistics],
    points: impl Iterator<Item = (i64, f64, f64)>,
    buckets: &Buckets,
    origin: f64,
) {
    for (step, time, value) in points {
        if let Some(bucket) = buckets.of_number(time - origin).and_then(|bucket| filled.get_mut(bucket)) {
            bucket.add(step, time, value);
        }
    }
}

fn fill_steps(
    filled: &mut [Statistics],
    pyramid: &Pyramid,
    source: &Source<'_>,
    buckets: &Buckets,
) -> Result<(), Error> {
    let Buckets::Steps { level, from, to, .. } = *buckets else { return Ok(()) };
    let mut read = |from: i64, to: i64| -> Result<(), Error> {
        let points = Points::from(&source.arrivals(0, &(from..=to))?);
        add_by_step(filled, points.iter(), buckets);
        Ok(())
    };
    let Some((node_level, nodes)) = pyramid.nodes_within(level) else {
        return read(from, to);
    };
    let (first, last) = (from >> node_level, to >> node_level);
    let begin = nodes.partition_point(|node| node.index < first);
    let end = nodes.partition_point(|node| node.index <= last).max(begin);
    let nodes = &nodes[begin..end];
    let is_cut = |node: &Node| node.statistics.first_step < from || node.statistics.last_step > to;
    // Only the nodes at the ends can reach beyond the range.
    for node in nodes.iter().take(1).chain(nodes.iter().skip(1).last()).filter(|node| is_cut(node)) {
        let steps = pyramid.steps(node_level, node.index, node.index);
        read(from.max(*steps.start()), to.min(*steps.end()))?;
    }
    for node in nodes.iter().filter(|node| !is_cut(node)) {
        if let Some(bucket) = buckets.of_step(node.statistics.last_step).and_then(|bucket| filled.get_mut(bucket)) {
            bucket.merge(&node.statistics);
        }
    }
    Ok(())
}

fn fill_times(
    filled: &mut [Statistics],
    pyramid: &Pyramid,
    source: &Source<'_>,
    buckets: &Buckets,
    origin: f64,
) -> Result<(), Error> {
    let Buckets::Numbers { from, to, .. } = *buckets else { return Ok(()) };
    let (level, nodes) = pyramid.base();
    let mut split: Option<(i64, i64)> = None;
    let read = |filled: &mut [Statistics], range: &mut Option<(i64, i64)>| -> Result<(), Error> {
        if let Some((first, last)) = range.take() {
            let points = Points::from(&source.arrivals(0, &pyramid.steps(level, first, last))?);
            add_by_time(filled, points.iter(), buckets, origin);
        }
        Ok(())
    };
    for node in nodes {
        let (first, last) = (node.statistics.first_time - origin, node.statistics.last_time - origin);
        let bucket = buckets.of_number(first);
        if bucket.is_some() && bucket == buckets.of_number(last) {
            // In the order of steps, so that of equal times the higher step is last.
            read(filled, &mut split)?;
            if let Some(bucket) = bucket.and_then(|bucket| filled.get_mut(bucket)) {
                bucket.merge(&node.statistics);
            }
        } else if last >= from && first <= to {
            split = match split {
                Some((begin, end)) if end + 1 == node.index => Some((begin, node.index)),
                _ => {
                    read(filled, &mut split)?;
                    Some((node.index, node.index))
                }
            };
        }
    }
    read(filled, &mut split)
}

impl Answer {
    fn push(&mut self, series: u32, filled: &[Statistics], x: &XAxis, created_at: f64) {
        let origin = origin(x, created_at);
        for (bucket, statistics) in filled.iter().enumerate().filter(|(_, statistics)| statistics.count > 0) {
            let (x, last) = match x {
                XAxis::Step => (statistics.last_step as f64, statistics.last),
                _ => (statistics.last_time - origin, statistics.last_in_time),
            };
            self.series.push(series);
            self.bucket.push(bucket as u32);
            self.x.push(x);
            self.min.push(statistics.finite_min());
            self.max.push(statistics.finite_max());
            self.mean.push(statistics.mean());
            self.last.push(last);
            self.count.push(statistics.count);
            self.nan_count.push(statistics.nan_count);
            self.positive_infinity_count.push(statistics.positive_infinity_count);
            self.negative_infinity_count.push(statistics.negative_infinity_count);
        }
    }

    fn write(self, metadata: &SeriesMetadata) -> Result<Vec<u8>, Error> {
        let json = serde_json::to_string(metadata)
            .map_err(|error| Error::internal(format!("the answer's metadata has no JSON form: {error}")))?;
        let metadata_bytes = json.len();
        let floats = |values: Vec<f64>| Arc::new(Float64Array::from(values)) as ArrayRef;
        let counts = |values: Vec<u32>| Arc::new(UInt32Array::from(values)) as ArrayRef;
        let columns = [
            ("series", counts(self.series)),
            ("bucket", counts(self.bucket)),
            ("x", floats(self.x)),
            ("min", floats(self.min)),
            ("max", floats(self.max)),
            ("mean", floats(self.mean)),
            ("last", floats(self.last)),
            ("count", counts(self.count)),
            ("nan_count", counts(self.nan_count)),
            ("positive_infinity_count", counts(self.positive_infinity_count)),
            ("negative_infinity_count", counts(self.negative_infinity_count)),
        ];
        let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), false);
        let fields: Vec<Field> = columns.iter().map(field).collect();
        debug_assert!(fields.iter().all(|field| matches!(field.data_type(), DataType::Float64 | DataType::UInt32)));
        let schema = Schema::new(fields).with_metadata(HashMap::from([("steplog".to_owned(), json)]));
        let schema = Arc::new(schema);
        let wrong = |error: arrow_schema::ArrowError| Error::internal(format!("the answer has no Arrow form: {error}"));
        let batch = RecordBatch::try_new(schema.clone(), columns.into_iter().map(|(_, array)| array).collect())
            .map_err(wrong)?;
        // Room for all at once: growing would copy what is there again and again.
        let room = Vec::with_capacity((batch.num_rows() + 64) * 80 + 4 * metadata_bytes);
        let mut writer = StreamWriter::try_new(room, &schema).map_err(wrong)?;
        writer.write(&batch).map_err(wrong)?;
        writer.into_inner().map_err(wrong)
    }
}
