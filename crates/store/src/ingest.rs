//! Journal bytes into the store: checked, written in the writer's transaction, then brought into memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value as Json};
use steplog_journal::{MAX_FRAME_BYTES, StreamDecoder, StreamError};
use steplog_model::{
    Alert, ArtifactRecord, Change, Config, MetricDefinition, MetricDefinitions, Record, RunPath, RunStart, RunUpdate,
    SavedFile, StreamId, Value,
};
use steplog_protocol::{ArtifactChange, Control, IngestResponse, RunChange, RunState};

use crate::database::Sql as _;
use crate::edit::{Edits, Noun};
use crate::hot::{HotStream, LiveRun};
use crate::state::{run_life, run_state};
use crate::store::{Ingest, Shared};
use crate::writer::stream_of;
use crate::{Error, alerts, artifacts, catalog, chunk, console, environment, files, load, name, system};

/// What a sender is told.
pub(crate) type Answer = Result<IngestResponse, Error>;

/// So many bytes of a request are decoded at a time; the rest waits for the next transaction.
const PIECE_BYTES: usize = 4 << 20;

/// Puts requests into a transaction.
pub(crate) struct Staging<'a> {
    shared: &'a Shared,
    database: &'a Connection,
    /// Runs that came into memory for this transaction; they stay there when it is committed.
    loaded: &'a mut HashMap<RunPath, Arc<LiveRun>>,
    now: f64,
}

/// A piece of a request that is in the transaction, and what memory needs of it after the commit.
pub(crate) struct Staged {
    live: Arc<LiveRun>,
    stream: StreamId,
    stream_row: i64,
    decoder: StreamDecoder,
    records: Vec<Record>,
    new_keys: Vec<(Arc<str>, i64)>,
    answer: Answer,
    change: Option<RunChange>,
    /// Collections that the run used a version of.
    artifact_changes: Vec<ArtifactChange>,
    /// Whether the request has more whole frames.
    more: bool,
    now: f64,
}

/// What the records of a piece say, beside the rows themselves.
#[derive(Default)]
struct Digest {
    start: Option<Box<RunStart>>,
    update: RunUpdate,
    config: Vec<Change>,
    metrics: Vec<MetricDefinition>,
    alerts: Vec<Alert>,
    files: Vec<SavedFile>,
    artifacts: Vec<ArtifactRecord>,
    preempting: bool,
    /// Highest step with a row.
    last_step: Option<i64>,
    row_count: u64,
    has_rows: bool,
    has_summary: bool,
    has_console: bool,
    has_system: bool,
    environment: Map<String, Json>,
    /// Newest time in the records.
    last_time: Option<f64>,
    /// When and how the process ended.
    exit: Option<(f64, i32)>,
    lost_rows: u64,
}

/// What a run's row in the catalog holds that records may change.
struct RunRow {
    name: String,
    name_is_ours: bool,
    notes: Option<String>,
    tags: String,
    group: Option<String>,
    job_type: Option<String>,
    created_at: f64,
    last_time: f64,
    by_record_time: bool,
    last_step: Option<i64>,
}

impl<'a> Staging<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        database: &'a Connection,
        loaded: &'a mut HashMap<RunPath, Arc<LiveRun>>,
    ) -> Self {
        let now = shared.options.clock.now();
        Self { shared, database, loaded, now }
    }

    /// Puts a piece of a request into the transaction. The inner error is the answer to a request that changes nothing;
    /// the outer one spoils the transaction.
    pub(crate) fn stage(&mut self, request: &Ingest) -> Result<Result<Staged, Answer>, Error> {
        let live = self.live_run(&request.path)?;
        let known = live.as_ref().and_then(|live| {
            let hot = live.hot();
            let stream = hot.streams.get(&request.stream)?;
            Some((stream.id, stream.decoder.clone(), stream.open.as_ref().map(|open| open.step)))
        });
        if known.is_none()
            && let Some(refusal) = self.refuse_unknown(request, live.as_deref())?
        {
            return Ok(Err(Err(refusal)));
        }
        let (stream_row, mut decoder, open_step) = match known {
            Some((id, decoder, open)) => (Some(id), decoder, open),
            None => (None, StreamDecoder::new(request.stream), None),
        };
        let durable = decoder.offset();
        if request.offset > durable {
            if !request.gap_allowed {
                let message = format!(
                    "{} is known up to byte {durable}, and the request begins at byte {}",
                    stream_of(&request.path, request.stream),
                    request.offset
                );
                let response = self.response(live.as_deref(), durable)?;
                return Ok(Err(Err(Error::conflict(message).with_response(response))));
            }
            // The bytes between are nowhere any more. A segment begins here, with an empty key table.
            decoder = StreamDecoder::resume(request.stream, request.offset, Vec::new());
        }
        let bytes = usize::try_from(durable.saturating_sub(request.offset))
            .ok()
            .and_then(|skip| request.bytes.get(skip..))
            .unwrap_or_default();
        let begin = decoder.offset();
        let mut records = Vec::new();
        let outcome = decode_piece(&mut decoder, bytes, &mut records);
        let consumed = (decoder.offset() - begin) as usize;
        let damage = outcome.err().map(|error| {
            Error::invalid(format!("{}: {error}", stream_of(&request.path, request.stream)))
                .with_hint("run `steplog verify` on the folder of the journal to see what is damaged")
        });
        let mut digest = digest(&records, open_step);
        let live = match (live, stream_row) {
            (Some(live), Some(_)) => live,
            (live, _) => match self.admit(request, live, &records, damage.as_ref(), &mut digest)? {
                Ok(live) => live,
                Err(answer) => return Ok(Err(answer)),
            },
        };
        let piece = Piece {
            request,
            begin,
            bytes: &bytes[..consumed],
            end: decoder.offset(),
            record_count: records.len() as u64,
            damage: damage.as_ref().map(ToString::to_string),
        };
        let stream_row = self.write_stream(&live, stream_row, &piece, &digest)?;
        let new_keys = self.write_keys(&live, &records)?;
        let artifact_changes = artifacts::write_records(self.database, live.id, &live.path, &digest.artifacts)?;
        let change = match consumed {
            0 => None,
            _ => {
                digest.has_console = console::write(self.database, live.id, stream_row, &records)?;
                digest.has_system = system::write(self.database, live.id, live.project, stream_row, &records)?;
                Some(self.write_run(&live, stream_row, &piece, &digest, new_keys.len())?)
            }
        };
        let response = self.response(Some(&live), decoder.offset())?;
        Ok(Ok(Staged {
            stream: request.stream,
            stream_row,
            more: damage.is_none() && consumed > 0 && consumed < bytes.len(),
            decoder,
            records,
            new_keys,
            answer: match damage {
                Some(damage) => Err(damage.with_response(response)),
                None => Ok(response),
            },
            change,
            artifact_changes,
            live,
            now: self.now,
        }))
    }

    /// The run in memory, brought there if the catalog has it.
    fn live_run(&mut self, path: &RunPath) -> Result<Option<Arc<LiveRun>>, Error> {
        if let Some(live) = self.loaded.get(path).cloned().or_else(|| self.shared.live(path)) {
            return Ok(Some(live));
        }
        let Some((run, project)) = catalog::find_run(self.database, path)? else {
            return Ok(None);
        };
        let live = Arc::new(load::live_run(self.database, run, project, path.clone(), self.now)?);
        self.shared.refresh_summary(self.database, &live)?;
        self.loaded.insert(path.clone(), live.clone());
        Ok(Some(live))
    }

    fn refuse_unknown(&self, request: &Ingest, live: Option<&LiveRun>) -> Result<Option<Error>, Error> {
        if catalog::is_deleted(self.database, request.stream)? {
            return Ok(Some(
                Error::not_found(format!("run {} was deleted", request.path))
                    .with_hint("start a new run to log to it again"),
            ));
        }
        let Some(live) = live else { return Ok(None) };
        let mut statement = self.database.sql("SELECT 1 FROM streams WHERE run = $1 AND stream = $2")?;
        Ok(statement.exists(params![live.id, request.stream.as_bytes()])?.then(|| {
            let stream = stream_of(&request.path, request.stream);
            Error::data(format!("the stored bytes of {stream} are damaged, so that no more can be added"))
                .with_hint("run `steplog verify` on the server")
        }))
    }

    /// Decides whether an unknown stream may feed the run, and makes the run if need be.
    fn admit(
        &mut self,
        request: &Ingest,
        live: Option<Arc<LiveRun>>,
        records: &[Record],
        damage: Option<&Error>,
        digest: &mut Digest,
    ) -> Result<Result<Arc<LiveRun>, Answer>, Error> {
        let stream = stream_of(&request.path, request.stream);
        let is_start = matches!(records.first(), Some(Record::RunStart(_)));
        if records.is_empty() || !(is_start || request.gap_allowed && request.offset > 0) {
            let response = self.response(live.as_deref(), 0)?;
            return Ok(Err(match damage {
                Some(damage) => Err(damage.clone().with_response(response)),
                // Nothing to keep yet: the caller sends the same bytes again, with more behind them.
                None if records.is_empty() => Ok(response),
                None => {
                    Err(Error::invalid(format!("{stream} does not begin with a run start")).with_response(response))
                }
            }));
        }
        let start = digest.start.get_or_insert_with(|| {
            let started_at = digest.last_time.unwrap_or(self.now);
            Box::new(RunStart::new(request.path.run.clone(), request.path.project.clone(), started_at))
        });
        if start.run_id != request.path.run || start.project != request.path.project {
            let said = format!("{}/{}", start.project, start.run_id);
            return Ok(Err(Err(Error::invalid(format!("{stream} belongs to another run: it says {said}")))));
        }
        if start.entity.as_deref().is_some_and(|entity| entity != request.path.entity.as_str()) {
            let said = start.entity.clone().unwrap_or_default();
            return Ok(Err(Err(Error::invalid(format!("{stream} belongs to another entity: it says {said:?}")))));
        }
        match live {
            Some(live) => Ok(Ok(live)),
            None => self.make_run(request, start).map(Ok),
        }
    }

    fn make_run(&mut self, request: &Ingest, start: &RunStart) -> Result<Arc<LiveRun>, Error> {
        let path = &request.path;
        let (project, number): (i64, i64) = self
            .database
            .sql(
                "INSERT INTO projects (entity, name, runs_ever) VALUES ($1, $2, 1)
                 ON CONFLICT (entity, name) DO UPDATE SET runs_ever = runs_ever + 1 RETURNING id, runs_ever",
            )?
            .query_row((path.entity.as_str(), path.project.as_str()), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let run = self
            .database
            .sql(
                "INSERT INTO runs (project, run_id, name, name_is_ours, tags, created_at, updated_at, last_time,
                     by_record_time, config, environment)
                 VALUES ($1, $2, $3, TRUE, '[]', $4, $5, $4, $6, $7, '{}') RETURNING id",
            )?
            .query_row(
                params![
                    project,
                    path.run.as_str(),
                    name::made_up(number as u64),
                    start.started_at,
                    self.now,
                    request.gap_allowed,
                    catalog::encode(&Value::Map(Vec::new()))
                ],
                |row| row.get(0),
            )?;
        if let Some(point) = &start.fork_from {
            self.database
                .sql("UPDATE runs SET fork_run_id = $2, fork_step = $3, last_step = $3 WHERE id = $1")?
                .execute((run, point.run_id.as_str(), point.step))?;
        }
        let live = Arc::new(load::live_run(self.database, run, project, path.clone(), self.now)?);
        live.hot().is_summary_stale = start.fork_from.is_some();
        self.shared.refresh_summary(self.database, &live)?;
        self.loaded.insert(path.clone(), live.clone());
        Ok(live)
    }

    fn write_stream(
        &self,
        live: &LiveRun,
        known: Option<i64>,
        piece: &Piece<'_>,
        digest: &Digest,
    ) -> Result<i64, Error> {
        let stream = match (known, &digest.start) {
            (Some(id), _) => id,
            (None, start) => {
                let start = start.as_ref().expect("an admitted stream has a start");
                self.database
                    .sql(
                        "INSERT INTO streams (run, stream, durable_offset, sealed_offset, started_at, last_time,
                             received_at, parent, host, process_id, sealed_state, label)
                         VALUES ($1, $2, $3, $3, $4, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
                    )?
                    .query_row(
                        params![
                            live.id,
                            piece.request.stream.as_bytes(),
                            piece.begin as i64,
                            start.started_at,
                            self.now,
                            start.parent_stream.map(|parent| *parent.as_bytes()),
                            start.host,
                            start.process_id,
                            Vec::<u8>::new(),
                            start.label
                        ],
                        |row| row.get(0),
                    )?
            }
        };
        let lost = (digest.lost_rows > 0).then(|| {
            format!("{} rows were lost: the disk and the memory of the training machine were full", digest.lost_rows)
        });
        if piece.bytes.is_empty() {
            self.database
                .sql("UPDATE streams SET damage = coalesce($2, damage) WHERE id = $1")?
                .execute(params![stream, piece.damage])?;
            return Ok(stream);
        }
        let bytes = chunk::compress(piece.bytes, 1);
        self.database
            .sql(
                "INSERT INTO journal_bytes (run, stream, start_offset, end_offset, checksum, bytes)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )?
            .execute(params![live.id, stream, piece.begin as i64, piece.end as i64, chunk::checksum(&bytes), bytes])?;
        self.database
            .sql(
                "UPDATE streams SET durable_offset = $2, record_count = record_count + $3, received_at = $4,
                     last_time = max(last_time, coalesce($5, last_time)), damage = coalesce($6, damage) WHERE id = $1",
            )?
            .execute(params![
                stream,
                piece.end as i64,
                piece.record_count as i64,
                self.now,
                digest.last_time,
                piece.damage.clone().or(lost)
            ])?;
        if let Some((time, code)) = digest.exit {
            self.database
                .sql("UPDATE streams SET exited_at = $2, exit_code = $3 WHERE id = $1")?
                .execute(params![stream, time, code])?;
        }
        Ok(stream)
    }

    /// Makes the columns of keys that the run did not have; answers them with their ids.
    fn write_keys(&self, live: &LiveRun, records: &[Record]) -> Result<Vec<(Arc<str>, i64)>, Error> {
        let mut new = Vec::new();
        let mut seen: HashSet<*const u8, foldhash::fast::RandomState> = HashSet::default();
        let mut made: HashSet<Arc<str>> = HashSet::new();
        let hot = live.hot();
        let mut last: &[(Arc<str>, Value)] = &[];
        for record in records {
            let Record::Row(row) = record else { continue };
            for (index, (key, _)) in row.entries.iter().enumerate() {
                // Rows mostly have the keys of the row before, at the same addresses.
                let same = last.get(index).is_some_and(|(before, _)| Arc::ptr_eq(before, key));
                if same || !seen.insert(key.as_ptr()) || hot.has_key(key) || !made.insert(key.clone()) {
                    continue;
                }
                let id = catalog::make_key(self.database, live.project, key)?;
                self.database
                    .sql("INSERT INTO columns (run, key) VALUES ($1, $2) ON CONFLICT DO NOTHING")?
                    .execute((live.id, id))?;
                new.push((key.clone(), id));
            }
            last = &row.entries;
        }
        Ok(new)
    }

    fn write_run(
        &self,
        live: &LiveRun,
        stream: i64,
        piece: &Piece<'_>,
        digest: &Digest,
        new_keys: usize,
    ) -> Result<RunChange, Error> {
        let mut run = self.read_run(live.id)?;
        if let Some(start) = &digest.start {
            self.write_start(live, start, &mut run)?;
        }
        let update = &digest.update;
        if let Some(name) = &update.name {
            run.name = name.clone();
            run.name_is_ours = false;
        }
        if let Some(notes) = &update.notes {
            run.notes = Some(notes.clone()).filter(|notes| !notes.is_empty());
        }
        if let Some(tags) = &update.tags {
            run.tags = tags_json(tags);
        }
        if !digest.config.is_empty() {
            self.write_config(live, &digest.config)?;
        }
        if !digest.metrics.is_empty() {
            self.write_metrics(live, &digest.metrics)?;
        }
        environment::extend(self.database, live.id, stream, &digest.environment)?;
        for alert in &digest.alerts {
            alerts::write(self.database, live, alert, self.now)?;
        }
        if let Some(step) = digest.start.as_ref().and_then(|start| start.rewind_to) {
            run.last_step = run.last_step.map(|last| last.min(step));
        }
        files::write_saved(self.database, live.id, &digest.files)?;
        run.last_step = run.last_step.max(digest.last_step);
        run.last_time = run.last_time.max(digest.last_time.unwrap_or(f64::NEG_INFINITY));
        // A run that a server feeds once stays one of a server.
        run.by_record_time &= piece.request.gap_allowed;
        let updated_at = if run.by_record_time { run.last_time } else { self.now };
        let life = run_life(self.database, live.id, run.by_record_time)?;
        self.database
            .sql(
                "UPDATE runs SET name = $2, name_is_ours = $3, notes = $4, tags = $5, run_group = $6, job_type = $7,
                     created_at = $8, updated_at = $9, last_time = $10, finished_at = $11, exit_code = $12, alive_at = $13,
                     by_record_time = $14, last_step = $15, row_count = row_count + $16,
                     preempting = $18 OR (preempting AND NOT $19),
                     key_count = CASE WHEN $17 > 0 THEN (SELECT count(*) FROM columns WHERE run = $1) ELSE key_count END
                 WHERE id = $1",
            )?
            .execute(params![
                live.id,
                run.name,
                run.name_is_ours,
                run.notes,
                run.tags,
                run.group,
                run.job_type,
                run.created_at,
                updated_at,
                run.last_time,
                life.exit.map(|(time, _)| time),
                life.exit.map(|(_, code)| code),
                life.alive_at,
                run.by_record_time,
                run.last_step,
                digest.row_count as i64,
                new_keys as i64,
                digest.preempting,
                // Whoever goes on with the run is on a machine again.
                digest.start.is_some()
            ])?;
        let state = run_state(life.alive_at, life.exit.map(|(_, code)| code), self.shared.alive_since(self.now));
        Ok(RunChange {
            path: live.path.to_string(),
            state,
            last_step: run.last_step,
            updated_at,
            rows: digest.has_rows,
            keys: new_keys > 0,
            alerts: !digest.alerts.is_empty(),
            files: !digest.files.is_empty(),
            console: digest.has_console,
            system: digest.has_system,
            details: digest.start.is_some()
                || !digest.environment.is_empty()
                || digest.exit.is_some()
                || !digest.config.is_empty()
                || !digest.metrics.is_empty()
                || digest.preempting
                || !digest.artifacts.is_empty()
                || digest.has_summary
                || *update != RunUpdate::default(),
            deleted: false,
        })
    }

    fn read_run(&self, run: i64) -> Result<RunRow, Error> {
        Ok(self
            .database
            .sql(
                "SELECT name, name_is_ours, notes, tags, run_group, job_type, created_at, last_time, by_record_time,
                     last_step FROM runs WHERE id = $1",
            )?
            .query_row([run], |row| {
                Ok(RunRow {
                    name: row.get(0)?,
                    name_is_ours: row.get(1)?,
                    notes: row.get(2)?,
                    tags: row.get(3)?,
                    group: row.get(4)?,
                    job_type: row.get(5)?,
                    created_at: row.get(6)?,
                    last_time: row.get(7)?,
                    by_record_time: row.get(8)?,
                    last_step: row.get(9)?,
                })
            })?)
    }

    fn write_start(&self, live: &LiveRun, start: &RunStart, run: &mut RunRow) -> Result<(), Error> {
        if let Some(name) = &start.name {
            run.name = name.clone();
            run.name_is_ours = false;
        }
        if let Some(tags) = &start.tags {
            run.tags = tags_json(tags);
        }
        run.notes = start.notes.clone().or(run.notes.take());
        run.group = start.group.clone().or(run.group.take());
        run.job_type = start.job_type.clone().or(run.job_type.take());
        if let Some(sweep) = &start.sweep_id {
            self.database.sql("UPDATE runs SET sweep_id = $2 WHERE id = $1")?.execute((live.id, sweep))?;
        }
        run.created_at = run.created_at.min(start.started_at);
        run.last_time = run.last_time.max(start.started_at);
        if start.parent_stream.is_none() {
            environment::replace(self.database, live.id, &start.environment)?;
        }
        Ok(())
    }

    fn write_config(&self, live: &LiveRun, changes: &[Change]) -> Result<(), Error> {
        let mut config = load::config(self.database, live.id)?;
        changes.iter().cloned().for_each(|change| config.apply(change));
        write_config(self.database, live.id, live.project, &config)
    }

    fn write_metrics(&self, live: &LiveRun, new: &[MetricDefinition]) -> Result<(), Error> {
        let mut definitions = MetricDefinitions::default();
        let known = load::metrics(self.database, live.id)?;
        known.into_iter().chain(new.iter().cloned()).for_each(|definition| definitions.define(definition));
        let list = serde_json::to_string(&definitions.iter().collect::<Vec<_>>())
            .map_err(|error| Error::internal(format!("a metric definition has no JSON form: {error}")))?;
        self.database.sql("UPDATE runs SET metrics = $2 WHERE id = $1")?.execute((live.id, list))?;
        Ok(())
    }

    fn response(&self, live: Option<&LiveRun>, durable_offset: u64) -> Result<IngestResponse, Error> {
        let stop = match live {
            Some(live) => self
                .database
                .sql("SELECT stop FROM runs WHERE id = $1")?
                .query_row([live.id], |row| row.get(0))
                .optional()?
                .unwrap_or(false),
            None => false,
        };
        Ok(IngestResponse { durable_offset, control: Control { stop } })
    }
}

impl Staged {
    /// Brings the piece into memory. Answers what to tell the sender and the watchers, and whether there is more.
    pub(crate) fn apply(mut self, shared: &Shared) -> (Answer, Option<RunChange>, bool) {
        shared.note_changed_run(self.live.project, self.live.id);
        shared.notify_artifacts(&self.artifact_changes);
        let mut hot = self.live.hot();
        let before = hot.bytes;
        for (key, id) in self.new_keys {
            hot.add_column(key, id, None);
        }
        let stream = hot
            .streams
            .entry(self.stream)
            .or_insert_with(|| HotStream::new(self.stream_row, StreamDecoder::new(self.stream), None));
        stream.decoder = self.decoder;
        hot.apply(self.stream, self.records, self.now);
        if hot.is_summary_stale {
            drop(hot);
            let refreshed = shared.database.reader().and_then(|reader| shared.refresh_summary(&reader, &self.live));
            if let Err(error) = refreshed {
                tracing::error!("the summary of {} could not be made anew: {error}", self.live.path);
            }
            hot = self.live.hot();
        }
        if let Some(change) = &mut self.change {
            // Watchers know another state: it healed, say.
            change.details |= shared.note_state(self.live.id, change.state);
            hot.ended = change.state != RunState::Running;
        }
        shared.note_hot(before, hot.bytes, hot.longest);
        if hot.has_unwritten_summary() {
            shared.unwritten().insert(self.live.id, self.live.clone());
        }
        (self.answer, self.change, self.more)
    }
}

/// The part of a request that goes into a transaction.
struct Piece<'a> {
    request: &'a Ingest,
    begin: u64,
    bytes: &'a [u8],
    end: u64,
    record_count: u64,
    damage: Option<String>,
}

/// Decodes about [`PIECE_BYTES`] of whole frames.
fn decode_piece(decoder: &mut StreamDecoder, bytes: &[u8], records: &mut Vec<Record>) -> Result<(), StreamError> {
    let piece = &bytes[..bytes.len().min(PIECE_BYTES)];
    let consumed = decoder.decode(piece, |record| records.push(record))?;
    if consumed == 0 && bytes.len() > piece.len() {
        // One frame that is larger than a piece.
        let piece = &bytes[..bytes.len().min(MAX_FRAME_BYTES + 8)];
        decoder.decode(piece, |record| records.push(record))?;
    }
    Ok(())
}

fn digest(records: &[Record], mut open_step: Option<i64>) -> Digest {
    let mut digest = Digest::default();
    let saw =
        |digest: &mut Digest, time: f64| digest.last_time = Some(digest.last_time.map_or(time, |last| last.max(time)));
    for (index, record) in records.iter().enumerate() {
        match record {
            Record::RunStart(start) if index == 0 => {
                saw(&mut digest, start.started_at);
                digest.start = Some(start.clone());
            }
            Record::Row(row) => {
                saw(&mut digest, row.time);
                digest.has_rows = true;
                digest.last_step = digest.last_step.max(Some(row.step));
                digest.row_count += u64::from(open_step != Some(row.step));
                let late = open_step.is_some_and(|open| row.step < open);
                if !late {
                    open_step = (!row.committed).then_some(row.step);
                }
            }
            Record::Config(changes) => digest.config.extend(changes.iter().cloned()),
            Record::Summary(_) => digest.has_summary = true,
            Record::Metric(definition) => digest.metrics.push(definition.clone()),
            Record::Alert(alert) => {
                saw(&mut digest, alert.time);
                digest.alerts.push(alert.clone());
            }
            Record::File(file) => {
                saw(&mut digest, file.time);
                digest.files.push(file.clone());
            }
            Record::Artifact(record) => {
                if let ArtifactRecord::Logged(logged) = record {
                    saw(&mut digest, logged.time);
                }
                digest.artifacts.push(record.clone());
            }
            Record::Preempting { time } => {
                saw(&mut digest, *time);
                digest.preempting = true;
            }
            Record::Console(lines) => saw(&mut digest, lines.time),
            Record::System(sample) => saw(&mut digest, sample.time),
            Record::Environment(members) => digest.environment.extend(members.clone()),
            Record::RunUpdate(update) => merge_update(&mut digest.update, update),
            Record::Heartbeat { time } => saw(&mut digest, *time),
            Record::Exit { time, code } => {
                saw(&mut digest, *time);
                open_step = None;
                digest.exit = Some((*time, *code));
            }
            Record::Loss { rows, time } => {
                saw(&mut digest, *time);
                digest.lost_rows += rows;
            }
            _ => {}
        }
    }
    digest
}

fn merge_update(into: &mut RunUpdate, update: &RunUpdate) {
    let update = update.clone();
    into.name = update.name.or(into.name.take());
    into.notes = update.notes.or(into.notes.take());
    into.tags = update.tags.or(into.tags.take());
}

/// Tags as a JSON list. Every tag stands between line breaks, which JSON never has inside a text: so a tag can be found
/// as a part of the list.
pub(crate) fn tags_json(tags: &[String]) -> String {
    let tags: Vec<String> = tags.iter().map(|tag| tag_json(tag)).collect();
    format!("[{}]", tags.join(","))
}

/// A tag as it stands in the list.
pub(crate) fn tag_json(tag: &str) -> String {
    format!("\n{}\n", serde_json::Value::from(tag))
}

/// Writes a run's config as its journals say it, and its leaves as people changed them, for filters and sorts.
pub(crate) fn write_config(database: &Connection, run: i64, project: i64, config: &Config) -> Result<(), Error> {
    let entries = config.entries().iter().map(|(key, value)| ((&**key).into(), value.clone()));
    database
        .sql("UPDATE runs SET config = $2 WHERE id = $1")?
        .execute((run, catalog::encode(&Value::Map(entries.collect()))))?;
    database
        .sql(
            "DELETE FROM run_values WHERE run = $1 AND field IN
             (SELECT id FROM fields WHERE project = $2 AND name >= 'config.' AND name < 'config/')",
        )?
        .execute((run, project))?;
    let mut shown = config.clone();
    Edits::load(database, run, Noun::Config)?.apply_to_config(&mut shown);
    for (key, value) in shown.entries() {
        write_leaves(database, run, project, &format!("config.{}", steplog_model::join_key([&**key])), value)?;
    }
    Ok(())
}

fn write_leaves(database: &Connection, run: i64, project: i64, name: &str, value: &Value) -> Result<(), Error> {
    match value {
        Value::Map(entries) if !entries.is_empty() => entries.iter().try_for_each(|(key, value)| {
            let name = format!("{name}.{}", steplog_model::join_key([&**key]));
            write_leaves(database, run, project, &name, value)
        }),
        value => {
            let field = catalog::make_field(database, project, name)?;
            catalog::put_value(database, field, run, value, None)
        }
    }
}
