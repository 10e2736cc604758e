//! What changed, to everybody who watches: merged by project, sent at most every 100 ms.
//!
//! The store tells of every commit on its writer thread, which only merges the change into a map. One task turns the
//! map into one event for each project, written as JSON once, however many watch. A watcher who does not keep up has
//! events taken away and is told to read everything again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use steplog_protocol::{ArtifactChange, ArtifactsEvent, RunChange, RunsEvent};
use tokio::sync::{Notify, broadcast};

/// Least time between two events of a project.
const INTERVAL: Duration = Duration::from_millis(100);

/// How many events wait for a watcher that does not read.
const QUEUE_EVENTS: usize = 64;

/// Above so many changed runs, or collections of artifacts, of a project in one interval, reading everything again is cheaper.
const MAX_CHANGES: usize = 5_000;

/// What a watcher receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A [`RunsEvent`] as JSON.
    Runs(Arc<str>),
    /// An [`ArtifactsEvent`] as JSON.
    Artifacts(Arc<str>),
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

/// What changed in a project.
#[derive(Default)]
struct Changes {
    /// By path.
    runs: BTreeMap<String, RunChange>,
    /// By name.
    collections: BTreeMap<String, ArtifactChange>,
}

#[derive(Default)]
struct Hub {
    /// Changes that were not sent yet, by project (`entity/project`); `None` when there were too many.
    pending: Mutex<HashMap<String, Option<Changes>>>,
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
    /// Notes a change of a run; never blocks for long.
    pub(crate) fn publish(&self, change: &RunChange) {
        if let Some((project, _)) = change.path.rsplit_once('/') {
            self.merge(project, |changes| changes.merge_run(change));
        }
    }

    /// Notes a change of a collection of artifacts; never blocks for long.
    pub(crate) fn publish_artifacts(&self, change: &ArtifactChange) {
        let project = format!("{}/{}", change.entity, change.project);
        self.merge(&project, |changes| drop(changes.collections.insert(change.collection.clone(), change.clone())));
    }

    fn merge(&self, project: &str, merge: impl FnOnce(&mut Changes)) {
        let is_watched = {
            let channels = lock(&self.0.channels);
            !channels.is_empty() && (channels.contains_key(&None) || channels.contains_key(&Some(project.to_owned())))
        };
        if !is_watched {
            return;
        }
        let mut pending = lock(&self.0.pending);
        let changes = pending.entry(project.to_owned()).or_insert_with(|| Some(Changes::default()));
        if let Some(known) = changes {
            merge(known);
            if known.runs.len() > MAX_CHANGES || known.collections.len() > MAX_CHANGES {
                *changes = None;
            }
        }
        drop(pending);
        self.0.changed.notify_one();
    }
}

impl Changes {
    fn merge_run(&mut self, change: &RunChange) {
        if let Some(earlier) = self.runs.get_mut(&change.path) {
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
        } else {
            self.runs.insert(change.path.clone(), change.clone());
        }
    }

    fn into_events(self) -> Vec<Event> {
        let mut events = Vec::new();
        if !self.runs.is_empty() {
            events.push(Event::Runs(json(&RunsEvent { runs: self.runs.into_values().collect() })));
        }
        if !self.collections.is_empty() {
            let event = ArtifactsEvent { collections: self.collections.into_values().collect() };
            events.push(Event::Artifacts(json(&event)));
        }
        events
    }
}

fn json(event: &impl Serialize) -> Arc<str> {
    serde_json::to_string(event).expect("plain data becomes JSON").into()
}

impl Hub {
    fn send(&self) {
        let pending = std::mem::take(&mut *lock(&self.pending));
        let mut channels = lock(&self.channels);
        channels.retain(|_, channel| channel.receiver_count() > 0);
        for (project, changes) in pending {
            let events = changes.map_or_else(|| vec![Event::Resync], Changes::into_events);
            for audience in [Some(project), None] {
                if let Some(channel) = channels.get(&audience) {
                    // Nobody listens any more: then there is nobody to miss it.
                    events.iter().for_each(|event| drop(channel.send(event.clone())));
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
    async fn changes_of_artifacts_are_events_of_their_own() {
        let live = Live::start();
        let (mut one, mut all) = (live.watch(Some("e/p".into())), live.watch(None));
        let artifact = |collection: &str, deleted| ArtifactChange {
            entity: "e".into(),
            project: "p".into(),
            collection: collection.into(),
            deleted,
        };
        let publisher = live.publisher();
        for (collection, deleted) in [("b", false), ("a", false), ("b", true)] {
            publisher.publish_artifacts(&artifact(collection, deleted));
        }
        publisher.publish(&change("e/p/a", 0));
        for watcher in [&mut one, &mut all] {
            assert_eq!(runs(watcher.next().await), [change("e/p/a", 0)]);
            let Some(Event::Artifacts(json)) = watcher.next().await else { panic!("artifacts changed") };
            let event: ArtifactsEvent = serde_json::from_str(&json).expect("our own JSON");
            assert_eq!(event.collections, [artifact("a", false), artifact("b", true)]);
        }
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
        for run in 0..=MAX_CHANGES {
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
