//! What changed, to everybody who watches: merged by project, sent at most every 100 ms.
//!
//! The store tells of every commit on its writer thread, which only merges the change into a map. One task turns the
//! map into one event for each project, written as JSON once, however many watch. A watcher who does not keep up has
//! events taken away and is told to read everything again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use steplog_protocol::{RunChange, RunsEvent};
use tokio::sync::{Notify, broadcast};

/// Least time between two events of a project.
const INTERVAL: Duration = Duration::from_millis(100);

/// How many events wait for a watcher that does not read.
const QUEUE_EVENTS: usize = 64;

/// Above so many changed runs of a project in one interval, reading everything again is cheaper.
const MAX_RUNS: usize = 5_000;

/// What a watcher receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A [`RunsEvent`] as JSON.
    Runs(Arc<str>),
    /// Events were lost.
    Resync,
}

/// Hands changes out to watchers.
pub(crate) struct Live {
    hub: Arc<Hub>,
    sender: tokio::task::JoinHandle<()>,
}

/// Takes changes in, from any thread.
pub(crate) struct Publisher(Arc<Hub>);

#[derive(Default)]
struct Hub {
    /// Changes that were not sent yet, by project (`entity/project`) and run path; `None` when there were too many.
    pending: Mutex<HashMap<String, Option<BTreeMap<String, RunChange>>>>,
    /// By project; `None` is for all projects. A channel that nobody listens to is dropped at the next event.
    channels: Mutex<HashMap<Option<String>, broadcast::Sender<Event>>>,
    changed: Notify,
}

impl Live {
    /// Starts the sending task on the current runtime; it ends when this is dropped.
    pub(crate) fn start() -> Self {
        let hub = Arc::<Hub>::default();
        let sender = tokio::spawn({
            let hub = hub.clone();
            async move {
                loop {
                    hub.changed.notified().await;
                    hub.send();
                    tokio::time::sleep(INTERVAL).await;
                }
            }
        });
        Self { hub, sender }
    }

    pub(crate) fn publisher(&self) -> Publisher {
        Publisher(self.hub.clone())
    }

    /// Events of one project from now on, or of all.
    pub(crate) fn watch(&self, project: Option<String>) -> Watcher {
        let mut channels = lock(&self.hub.channels);
        Watcher(channels.entry(project).or_insert_with(|| broadcast::Sender::new(QUEUE_EVENTS)).subscribe())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.sender.abort();
    }
}

impl Publisher {
    /// Notes a change; never blocks for long.
    pub(crate) fn publish(&self, change: &RunChange) {
        let Some((project, _)) = change.path.rsplit_once('/') else {
            return;
        };
        let is_watched = {
            let channels = lock(&self.0.channels);
            !channels.is_empty() && (channels.contains_key(&None) || channels.contains_key(&Some(project.to_owned())))
        };
        if is_watched {
            self.0.merge(project, change);
            self.0.changed.notify_one();
        }
    }
}

impl Hub {
    fn merge(&self, project: &str, change: &RunChange) {
        let mut pending = lock(&self.pending);
        let runs = pending.entry(project.to_owned()).or_insert_with(|| Some(BTreeMap::new()));
        let Some(changes) = runs else { return };
        if let Some(earlier) = changes.get_mut(&change.path) {
            *earlier = RunChange {
                rows: earlier.rows | change.rows,
                keys: earlier.keys | change.keys,
                alerts: earlier.alerts | change.alerts,
                files: earlier.files | change.files,
                console: earlier.console | change.console,
                system: earlier.system | change.system,
                details: earlier.details | change.details,
                ..change.clone()
            };
        } else if changes.len() < MAX_RUNS {
            changes.insert(change.path.clone(), change.clone());
        } else {
            *runs = None;
        }
    }

    fn send(&self) {
        let pending = std::mem::take(&mut *lock(&self.pending));
        let mut channels = lock(&self.channels);
        channels.retain(|_, channel| channel.receiver_count() > 0);
        for (project, runs) in pending {
            let event = runs.map_or(Event::Resync, |runs| {
                let event = RunsEvent { runs: runs.into_values().collect() };
                Event::Runs(serde_json::to_string(&event).expect("plain data becomes JSON").into())
            });
            for audience in [Some(project), None] {
                if let Some(channel) = channels.get(&audience) {
                    // Nobody listens any more: then there is nobody to miss it.
                    let _ = channel.send(event.clone());
                }
            }
        }
    }
}

/// One watcher's queue.
pub(crate) struct Watcher(broadcast::Receiver<Event>);

impl Watcher {
    /// The next event, `None` when the server stops.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(_)) => {
                // What is left in the queue is older than the reading that the watcher does now.
                self.0 = self.0.resubscribe();
                Some(Event::Resync)
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use steplog_protocol::RunState;

    use super::*;

    fn change(path: &str, last_step: i64) -> RunChange {
        RunChange {
            path: path.into(),
            state: RunState::Running,
            last_step: Some(last_step),
            updated_at: last_step as f64,
            rows: true,
            keys: last_step == 0,
            alerts: false,
            files: false,
            console: false,
            system: false,
            details: false,
            deleted: false,
        }
    }

    fn runs(event: Option<Event>) -> Vec<RunChange> {
        match event {
            Some(Event::Runs(json)) => serde_json::from_str::<RunsEvent>(&json).expect("our own JSON").runs,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn changes_are_merged_by_run_and_project() {
        let live = Live::start();
        let (mut one, mut all) = (live.watch(Some("e/p".into())), live.watch(None));
        let publisher = live.publisher();
        for step in 0..1000 {
            publisher.publish(&change("e/p/a", step));
        }
        publisher.publish(&change("e/p/b", 0));
        let merged = RunChange { keys: true, ..change("e/p/a", 999) };
        assert_eq!(runs(one.next().await), [merged.clone(), change("e/p/b", 0)]);
        assert_eq!(runs(all.next().await), [merged, change("e/p/b", 0)]);

        let sent = std::time::Instant::now();
        publisher.publish(&change("e/other/c", 1));
        publisher.publish(&change("e/p/a", 1000));
        assert_eq!(runs(one.next().await), [change("e/p/a", 1000)]);
        assert!(sent.elapsed() >= INTERVAL / 2, "at most one event every 100 ms");
    }

    #[tokio::test]
    async fn a_watcher_who_does_not_read_is_told_to_start_over() {
        let live = Live::start();
        let mut watcher = live.watch(None);
        for step in 0..=QUEUE_EVENTS as i64 {
            live.publisher().publish(&change("e/p/a", step));
            live.hub.send();
        }
        assert_eq!(watcher.next().await, Some(Event::Resync));
        live.publisher().publish(&change("e/p/a", -1));
        assert_eq!(runs(watcher.next().await), [change("e/p/a", -1)]);
    }

    #[tokio::test]
    async fn too_many_changes_become_a_resync() {
        let live = Live::start();
        let mut watcher = live.watch(None);
        for run in 0..=MAX_RUNS {
            live.publisher().publish(&change(&format!("e/p/{run}"), 0));
        }
        assert_eq!(watcher.next().await, Some(Event::Resync));
    }

    #[test]
    fn nothing_is_kept_while_nobody_watches() {
        let hub = Arc::<Hub>::default();
        Publisher(hub.clone()).publish(&change("e/p/a", 0));
        assert!(lock(&hub.pending).is_empty());
    }
}
