//! The background thread: seals, writes summaries, notices runs that went silent.

use std::sync::{Arc, PoisonError};

use rusqlite::OptionalExtension as _;
use steplog_model::RunPath;
use steplog_protocol::{RunChange, RunState};

use crate::database::Sql as _;
use crate::hot::LiveRun;
use crate::store::{Shared, Wake};
use crate::{Error, database, state};

/// How often the store notes that it is alive while runs are, in seconds.
const NOTE_ALIVE: f64 = 15.0;

/// How often unused space of the database is given back to the disk, in seconds.
const GIVE_BACK: f64 = 600.0;

/// Works until the store is closed.
pub(crate) fn run(shared: &Arc<Shared>) {
    let mut noted_at = f64::NEG_INFINITY;
    let mut looked_at = f64::NEG_INFINITY;
    let mut gave_back_at = shared.options.clock.now();
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
        report("writing summaries", shared.write_summaries(None));
        report("looking for silent runs", notice_silence(shared, now));
        if now - gave_back_at >= GIVE_BACK {
            gave_back_at = now;
            report("giving back space", shared.write(|database| database::give_back(database, 0.1), |_| {}));
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
    for live in shared.live_runs() {
        let (due, over) = {
            let hot = live.hot();
            let quiet_since = hot.arrived_at.max(hot.frozen_at);
            let waits = hot.next_sequence > hot.sealed_sequence || hot.pieces > 0 || hot.frozen.is_some();
            let idle = now - quiet_since >= options.seal_idle.as_secs_f64();
            let due = hot.longest >= options.seal_points || hot.frozen.is_some() || waits && (idle || hot.ended);
            (due, hot.ended)
        };
        if due {
            shared.seal(&live)?;
        }
        if over {
            evict(shared, live)?;
        }
    }
    while shared.hot_bytes() > options.hot_bytes {
        let largest = shared.live_runs().into_iter().max_by_key(|live| live.hot().bytes);
        match largest {
            Some(live) if live.hot().bytes > 0 => shared.seal(&live)?,
            _ => break,
        }
    }
    Ok(())
}

/// Takes a run out of memory if nothing of it is only there.
fn evict(shared: &Arc<Shared>, live: Arc<LiveRun>) -> Result<(), Error> {
    let is_spare = |live: &LiveRun| {
        let hot = live.hot();
        hot.is_empty() && !hot.has_unwritten_summary()
    };
    if !is_spare(&live) {
        return Ok(());
    }
    shared.evict_on_writer(live, is_spare)
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
            details: true,
            deleted: false,
        });
    }
    shared.notify(&changes);
    Ok(())
}
