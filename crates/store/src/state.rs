//! Whether a run is going on: told from the life of its streams.

use rusqlite::{Connection, params};
use steplog_protocol::RunState;

use crate::Error;
use crate::database::Sql as _;

/// The life of one stream, as the catalog has it.
struct Life {
    started_at: f64,
    last_time: f64,
    received_at: f64,
    exit: Option<(f64, i64)>,
    is_child: bool,
    /// What the script calls the process, when several write one run.
    label: Option<String>,
}

/// What the lives of its streams say of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RunLife {
    /// Last sign of life of a stream that should still be living; `None` when the run has ended.
    pub(crate) alive_at: Option<f64>,
    /// When and how it ended.
    pub(crate) exit: Option<(f64, i64)>,
}

/// Reads the life of a run. Streams of forked processes do not count, nor does one that was followed by another which
/// began after its last record: that is a process that died, or was ended, and was resumed. Processes with other labels do
/// not follow each other, they are side by side.
pub(crate) fn run_life(database: &Connection, run: i64, by_record_time: bool) -> Result<RunLife, Error> {
    let mut statement = database.sql(
        "SELECT started_at, last_time, received_at, exited_at, exit_code, parent IS NOT NULL, label
         FROM streams WHERE run = $1",
    )?;
    let lives: Vec<Life> = statement
        .query_map([run], |row| {
            Ok(Life {
                started_at: row.get(0)?,
                last_time: row.get(1)?,
                received_at: row.get(2)?,
                exit: row.get::<_, Option<f64>>(3)?.zip(row.get(4)?),
                is_child: row.get(5)?,
                label: row.get(6)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(judge(&lives, by_record_time))
}

fn judge(lives: &[Life], by_record_time: bool) -> RunLife {
    let only_children = lives.iter().all(|life| life.is_child);
    let counts = |life: &&Life| only_children || !life.is_child;
    let followed = |life: &Life| {
        let newer = |other: &Life| {
            other.label == life.label && other.started_at > life.started_at && other.started_at >= life.last_time
        };
        lives.iter().filter(counts).any(newer)
    };
    let mut result = RunLife::default();
    for life in lives.iter().filter(counts).filter(|life| !followed(life)) {
        match life.exit {
            None => {
                let sign = if by_record_time { life.last_time } else { life.received_at };
                result.alive_at = Some(result.alive_at.map_or(sign, |alive| alive.max(sign)));
            }
            // The run ended with its last process; one failure makes it a failed run.
            Some((time, code)) => {
                let (end, worst) = result.exit.unwrap_or((time, 0));
                result.exit = Some((end.max(time), if worst != 0 { worst } else { code }));
            }
        }
    }
    if result.alive_at.is_some() {
        result.exit = None;
    }
    result
}

/// The state that a run's columns in the catalog mean at a moment: `alive_since` is now less the longest silence.
pub(crate) fn run_state(alive_at: Option<f64>, exit_code: Option<i64>, alive_since: f64) -> RunState {
    match (alive_at, exit_code) {
        (Some(alive_at), _) if alive_at >= alive_since => RunState::Running,
        (Some(_), _) | (None, None) => RunState::Crashed,
        (None, Some(0)) => RunState::Finished,
        (None, Some(_)) => RunState::Failed,
    }
}

/// [`run_state`] in SQL; `$1` is `alive_since`.
pub(crate) const STATE_SQL: &str = "(CASE WHEN r.alive_at >= $1 THEN 'running' WHEN r.alive_at IS NOT NULL THEN 'crashed' \
     WHEN r.exit_code = 0 THEN 'finished' WHEN r.exit_code IS NULL THEN 'crashed' ELSE 'failed' END)";

/// The states as filters and sorts name them, by [`state_index`].
pub(crate) const STATE_TEXTS: [&str; 4] = ["running", "finished", "failed", "crashed"];

/// Where a state stands in [`STATE_TEXTS`].
pub(crate) fn state_index(state: RunState) -> usize {
    match state {
        RunState::Running => 0,
        RunState::Finished => 1,
        RunState::Failed => 2,
        RunState::Crashed => 3,
    }
}

/// The state that [`STATE_SQL`] names.
pub(crate) fn state_from_text(text: &str) -> RunState {
    match text {
        "running" => RunState::Running,
        "finished" => RunState::Finished,
        "failed" => RunState::Failed,
        _ => RunState::Crashed,
    }
}

/// Gives the runs that were alive when the store last was a new start: nobody could reach it in between.
pub(crate) fn grant_grace(database: &Connection, now: f64, crashed_after: f64) -> Result<(), Error> {
    database
        .sql(
            "UPDATE runs SET alive_at = $1 WHERE by_record_time = FALSE AND alive_at >=
         (SELECT number FROM facts WHERE name = 'alive_at') - $2 AND alive_at < $1",
        )?
        .execute(params![now, crashed_after])?;
    note_alive(database, now)
}

/// Notes that the store is alive, for [`grant_grace`].
pub(crate) fn note_alive(database: &Connection, now: f64) -> Result<(), Error> {
    database.sql("INSERT INTO facts (name, number) VALUES ('alive_at', $1) ON CONFLICT (name) DO UPDATE SET number = excluded.number")?.execute([now],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(started_at: f64, last_time: f64, exit: Option<i64>) -> Life {
        Life {
            started_at,
            last_time,
            received_at: last_time + 0.5,
            exit: exit.map(|code| (last_time, code)),
            is_child: false,
            label: None,
        }
    }

    fn verdict(lives: &[Life]) -> (Option<f64>, Option<(f64, i64)>) {
        let life = judge(lives, false);
        (life.alive_at, life.exit)
    }

    #[test]
    fn a_run_goes_on_until_its_last_stream_has_ended() {
        assert_eq!(verdict(&[life(0.0, 9.0, None)]), (Some(9.5), None));
        assert_eq!(verdict(&[life(0.0, 9.0, Some(0))]), (None, Some((9.0, 0))));
        assert_eq!(verdict(&[life(0.0, 9.0, Some(0)), life(1.0, 8.0, None)]), (Some(8.5), None));
        assert_eq!(verdict(&[life(0.0, 9.0, Some(3)), life(1.0, 8.0, Some(0))]), (None, Some((9.0, 3))));
    }

    #[test]
    fn a_resumed_run_is_judged_by_its_resumption() {
        assert_eq!(verdict(&[life(0.0, 9.0, None), life(10.0, 20.0, Some(0))]), (None, Some((20.0, 0))));
        assert_eq!(verdict(&[life(0.0, 9.0, Some(1)), life(10.0, 20.0, Some(0))]), (None, Some((20.0, 0))));
        assert_eq!(verdict(&[life(0.0, 9.0, Some(1)), life(10.0, 20.0, None)]), (Some(20.5), None));
    }

    #[test]
    fn processes_with_labels_live_side_by_side() {
        let labelled = |label: &str, life: Life| Life { label: Some(label.into()), ..life };
        let early = || labelled("rank 0", life(0.0, 1.0, None));
        let late = || labelled("rank 1", life(5.0, 9.0, Some(0)));
        assert_eq!(verdict(&[early(), late()]), (Some(1.5), None));
        let resumed = labelled("rank 0", life(10.0, 12.0, Some(0)));
        assert_eq!(verdict(&[early(), late(), resumed]), (None, Some((12.0, 0))));
    }

    #[test]
    fn forked_children_do_not_count_beside_their_parent() {
        let mut child = life(2.0, 30.0, None);
        child.is_child = true;
        assert_eq!(verdict(&[child, life(0.0, 9.0, Some(0))]), (None, Some((9.0, 0))));
        let mut alone = life(2.0, 30.0, None);
        alone.is_child = true;
        assert_eq!(verdict(&[alone]), (Some(30.5), None));
    }
}
