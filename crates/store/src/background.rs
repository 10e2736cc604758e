//! The background thread: seals, writes summaries, notices runs that went silent.

use std::sync::{Arc, PoisonError};

use rusqlite::OptionalExtension as _;
use steplog_model::RunPath;
use steplog_protocol::{RunChange, RunState};

use crate::database::Sql as _;
use crate::hot::LiveRun;
use crate::store::{Shared, Wake};
use crate::{Error, artifacts, blobs, database, state};

/// How often the store notes that it is alive while runs are, in seconds.
const NOTE_ALIVE: f64 = 15.0;

/// How often unused space of the database is given back to the disk, in seconds.
const GIVE_BACK: f64 = 600.0;

/// How often files that nothing points at are looked for, in seconds.
const REMOVE_FILES: f64 = 60.0;

/// Works until the store is closed.
pub(crate) fn run(shared: &Arc<Shared>) {
    let mut noted_at = f64::NEG_INFINITY;
    let mut looked_at = f64::NEG_INFINITY;
    let mut gave_back_at = shared.options.clock.now();
    let mut removed_files_at = f64::NEG_INFINITY;
    loop {
        let wake = wait(shared);
        if wake.stop {
            return;
        }
        let now = shared.options.clock.now();
        report("sealing", seal_what_is_due(shared, now));
        if wake.seal && now - looked_at < shared.options.seal_interval.as_secs_f64() {
            continue;
        }
        looked_at = now;
        report("writing summaries", shared.write_summaries());
        report("looking for silent runs", notice_silence(shared, now));
        if now - gave_back_at >= GIVE_BACK {
            gave_back_at = now;
            report("giving back space", shared.write(|database| database::give_back(database, 0.1), |_| {}));
        }
        if (now - removed_files_at).abs() >= REMOVE_FILES {
            removed_files_at = now;
            report("removing expired artifacts", artifacts::remove_expired(shared));
            report("removing unused manifests", artifacts::remove_unused(shared));
            report("removing unused files", blobs::remove_unused(shared));
        }
        let is_running = shared.states().values().any(|state| *state == RunState::Running);
        if is_running && (now - noted_at).abs() >= NOTE_ALIVE {
            noted_at = now;
            report("noting life", shared.write(move |database| state::note_alive(database, now), |_| {}));
        }
    }
}

fn wait(shared: &Shared) -> Wake {
    let state = shared.signal.state.lock().unwrap_or_else(PoisonError::into_inner);
    let idle = |wake: &mut Wake| !wake.seal && !wake.stop;
    let (mut state, _) = shared
        .signal
        .changed
        .wait_timeout_while(state, shared.options.seal_interval, idle)
        .unwrap_or_else(PoisonError::into_inner);
    let wake = *state;
    state.seal = false;
    wake
}

fn report(what: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!("{what} failed and will be tried again: {error}");
    }
}

fn seal_what_is_due(shared: &Arc<Shared>, now: f64) -> Result<(), Error> {
    let options = &shared.options;
    let (mut due, mut over, mut bytes) = (Vec::new(), Vec::new(), 0);
    for live in shared.live_runs() {
        let hot = live.hot();
        bytes += hot.bytes + hot.frozen.as_ref().map_or(0, |frozen| frozen.bytes);
        let waits = hot.next_sequence > hot.sealed_sequence || hot.pieces > 0;
        let idle = now - hot.arrived_at.max(hot.frozen_at) >= options.seal_idle.as_secs_f64();
        if hot.longest >= options.seal_points || hot.frozen.is_some() || waits && (idle || hot.ended) {
            due.push(live.clone());
        }
        if hot.ended {
            over.push(live.clone());
        }
    }
    shared.recount_hot(bytes);
    shared.seal(&due)?;
    // Charts are right without them, so that nothing else may fail for them.
    report("keeping chart statistics", shared.keep_pyramids(&due));
    evict(shared, over)?;
    while shared.hot_bytes() > options.hot_bytes {
        let largest = shared.live_runs().into_iter().max_by_key(|live| live.hot().bytes);
        match largest {
            Some(live) if live.hot().bytes > 0 => shared.seal(&[live])?,
            _ => break,
        }
    }
    Ok(())
}

/// Takes runs out of memory of which nothing is only there.
fn evict(shared: &Arc<Shared>, over: Vec<Arc<LiveRun>>) -> Result<(), Error> {
    let is_spare = |live: &Arc<LiveRun>| {
        let hot = live.hot();
        hot.is_empty() && !hot.has_unwritten_summary()
    };
    let spare: Vec<Arc<LiveRun>> = over.into_iter().filter(is_spare).collect();
    if spare.is_empty() {
        return Ok(());
    }
    // On the writer thread, between two transactions, nothing can come in while this looks again.
    let writer = shared.clone();
    shared.write_alone(
        |_| Ok(()),
        move |_| spare.iter().filter(|live| is_spare(live)).for_each(|live| writer.evict(&live.path)),
    )
}

/// Tells watchers of runs that crashed.
fn notice_silence(shared: &Shared, now: f64) -> Result<(), Error> {
    let since = shared.alive_since(now);
    let running: Vec<i64> =
        shared.states().iter().filter_map(|(run, state)| (*state == RunState::Running).then_some(*run)).collect();
    let reader = shared.database.reader()?;
    let mut changes = Vec::new();
    for run in running {
        let found = reader
            .sql(
                "SELECT p.entity, p.name, r.run_id, r.alive_at, r.exit_code, r.last_step, r.updated_at
                 FROM runs r JOIN projects p ON p.id = r.project WHERE r.id = $1",
            )?
            .query_row([run], |row| {
                let names: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                let state = state::run_state(row.get(3)?, row.get(4)?, since);
                Ok((names.join("/"), state, row.get(5)?, row.get(6)?))
            })
            .optional()?;
        let Some((path, state, last_step, updated_at)) = found else {
            shared.states().remove(&run);
            continue;
        };
        if state == RunState::Running || !shared.note_state(run, state) {
            continue;
        }
        if let Some(live) = path.parse::<RunPath>().ok().and_then(|path| shared.live(&path)) {
            live.hot().ended = true;
        }
        changes.push(RunChange {
            path,
            state,
            last_step,
            updated_at,
            rows: false,
            keys: false,
            alerts: false,
            files: false,
            console: false,
            system: false,
            details: true,
            deleted: false,
        });
    }
    shared.notify(&changes);
    Ok(())
}
