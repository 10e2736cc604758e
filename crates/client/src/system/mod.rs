//! What the machine is busy with while a run goes on: a thread that looks at it now and then.
//!
//! It is the thread of the process that called `init`. Forked children and processes that a run was handed to are counted
//! with the process that they belong to.

mod gpu;
#[cfg(target_os = "linux")]
mod linux;
mod nvidia;
#[cfg(not(target_os = "linux"))]
mod other;
mod rate;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use steplog_model::{Record, SystemSample};

pub(crate) use gpu::{Gpu, gpus};
#[cfg(all(test, target_os = "linux"))]
pub(crate) use linux::fixture;
#[cfg(target_os = "linux")]
pub(crate) use linux::{Machine, Tree, cpu_model, memory_bytes};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::Machine;

use crate::fork;
use crate::run::{Active, lock, now};

/// The first sample comes so long after the start, unless the interval is shorter.
const FIRST_AFTER: Duration = Duration::from_secs(1);

/// `finish` waits for a last sample when the one before took no longer than this …
const CHEAP: Duration = Duration::from_millis(3);

/// … and was taken this long ago: over less, rates mean nothing …
const WORTHWHILE: Duration = Duration::from_millis(100);

/// … and no longer than this.
const LAST_PATIENCE: Duration = Duration::from_millis(10);

/// Values of one sample.
#[derive(Debug, Default)]
pub(crate) struct Values(Vec<(Arc<str>, f64)>);

impl Values {
    /// Adds a value; what could not be found out, or is no number, is left out.
    pub(crate) fn add(&mut self, key: &str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.0.push((key.into(), value));
        }
    }
}

/// The thread, and what it and `finish` tell each other.
pub(crate) struct Sampler {
    control: Arc<Control>,
    generation: u32,
}

#[derive(Default)]
struct Control {
    status: Mutex<Status>,
    changed: Condvar,
}

#[derive(Default)]
struct Status {
    /// The run ends.
    is_stopping: bool,
    /// A last sample is waited for.
    wants_last: bool,
    /// When the newest sample was taken, and how long it took.
    newest: Option<(Instant, Duration)>,
    /// The thread writes nothing more.
    is_done: bool,
}

impl Sampler {
    /// Begins to sample every `interval`, for a run whose files lie in `folder`. Costs the start of a thread.
    pub(crate) fn start(interval: Duration, folder: PathBuf, active: Arc<Active>) -> Self {
        let control = Arc::new(Control::default());
        let own = control.clone();
        let sampling = move || sample_until_stopped(&own, interval, folder, &active);
        // Without a thread there are no samples, and all else is as it was.
        let thread = std::thread::Builder::new().name("steplog-system".into()).spawn(sampling);
        lock(&control.status).is_done = thread.is_err();
        Self { control, generation: fork::generation() }
    }

    /// Ends the thread. A last sample is waited for, a few milliseconds at most, when samples were quick so far. In a
    /// forked child, where the thread is not, nothing is done.
    pub(crate) fn stop(&self) {
        if self.generation != fork::generation() {
            return;
        }
        let mut status = lock(&self.control.status);
        status.is_stopping = true;
        status.wants_last = status.newest.is_some_and(|(at, cost)| cost <= CHEAP && at.elapsed() >= WORTHWHILE);
        self.control.changed.notify_all();
        if status.wants_last {
            let waits = |status: &mut Status| !status.is_done;
            drop(self.control.changed.wait_timeout_while(status, LAST_PATIENCE, waits));
        }
    }
}

fn sample_until_stopped(control: &Control, interval: Duration, folder: PathBuf, active: &Active) {
    let begun = Instant::now();
    let mut machine = Machine::new(folder);
    // What is a rate or a share of time needs a look before.
    let first = Instant::now();
    let _ = machine.sample(first);
    lock(&control.status).newest = Some((first, first.elapsed()));
    let mut due = begun + interval.min(FIRST_AFTER);
    loop {
        let mut status = lock(&control.status);
        let waits = |status: &mut Status| !status.is_stopping;
        let pause = due.saturating_duration_since(Instant::now());
        status = control.changed.wait_timeout_while(status, pause, waits).unwrap_or_else(PoisonError::into_inner).0;
        let is_last = status.is_stopping;
        if is_last && !status.wants_last {
            return;
        }
        drop(status);
        let (time, at) = (now(), Instant::now());
        let values = machine.sample(at).0;
        let cost = at.elapsed();
        let mut state = lock(&active.state);
        let is_open = !state.finished;
        if is_open && !values.is_empty() {
            // The disk's trouble is told by whoever tends the journal.
            let _ = state.append(&Record::System(SystemSample { time, values }));
        }
        drop(state);
        if is_last || !is_open {
            return control.end();
        }
        lock(&control.status).newest = Some((at, cost));
        due += interval;
        // Of a process that was stopped, or a machine that slept, nothing is made up for.
        due = due.max(Instant::now());
    }
}

impl Control {
    fn end(&self) {
        lock(&self.status).is_done = true;
        self.changed.notify_all();
    }
}
