//! The store: one directory, one writer thread, one background thread, any number of readers.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, mpsc};
use std::thread::{self, JoinHandle};

use steplog_model::{RunPath, StreamId};
use steplog_protocol::{ArtifactChange, Control, IngestResponse, RunChange, RunState};

use crate::background;
use crate::blobs::Blobs;
use crate::database::Database;
use crate::database::Sql as _;
use crate::hot::LiveRun;
use crate::view::Caches;
use crate::writer::{self, Queue, stream_of};
use crate::{Error, StoreOptions, artifacts, catalog, deliveries, load, state};

/// Everything durable on a server. All calls block; all may come from any thread.
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    threads: Mutex<Option<Threads>>,
}

/// Journal bytes of one stream.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// The run.
    pub path: RunPath,
    /// The stream.
    pub stream: StreamId,
    /// Stream offset of the first byte.
    pub offset: u64,
    /// The bytes, not compressed.
    pub bytes: Vec<u8>,
    /// Whether the bytes come from a folder: then bytes between the durable offset and `offset` may be missing for good,
    /// and signs of life are the times in the records.
    pub gap_allowed: bool,
}

struct Threads {
    writer: JoinHandle<()>,
    background: JoinHandle<()>,
}

/// Those who are told of every change of a kind.
type Listeners<T> = RwLock<Vec<Box<dyn Fn(&T) + Send + Sync>>>;

/// What the threads of a store share. Locks are taken in the order of the fields, and none but the first two are held
/// while waiting for the writer.
pub(crate) struct Shared {
    pub(crate) options: StoreOptions,
    /// Held by who seals.
    pub(crate) sealing: Mutex<()>,
    /// Held by who commits a version.
    pub(crate) commits: artifacts::Turns,
    pub(crate) database: Database,
    pub(crate) queue: Queue,
    live: RwLock<HashMap<RunPath, Arc<LiveRun>>>,
    /// Runs whose summary in the catalog is older than in memory.
    unwritten: Mutex<HashMap<i64, Arc<LiveRun>>>,
    /// The state of each run as the watchers know it.
    states: Mutex<HashMap<i64, RunState>>,
    /// Memory of live columns, frozen ones too.
    hot_bytes: AtomicUsize,
    pub(crate) signal: Signal,
    listeners: Listeners<RunChange>,
    artifact_listeners: Listeners<ArtifactChange>,
    pub(crate) caches: Caches,
    /// Uploads are held while waiting for the writer, which takes none.
    pub(crate) blobs: Blobs,
}

/// Wakes the background thread.
#[derive(Default)]
pub(crate) struct Signal {
    pub(crate) state: Mutex<Wake>,
    pub(crate) changed: Condvar,
}

/// Why the background thread should look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wake {
    pub(crate) seal: bool,
    pub(crate) stop: bool,
}

impl Signal {
    fn set(&self, change: impl FnOnce(&mut Wake)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

impl Store {
    /// Opens or makes the store in `directory`, which then belongs to this process alone. What was not sealed is brought
    /// back into memory before this returns.
    ///
    /// # Errors
    /// Another process uses it, it cannot be written, or a newer version wrote it.
    pub fn open(directory: &Path, options: StoreOptions) -> Result<Arc<Self>, Error> {
        let (database, connection) = Database::open(directory, options.max_pages)?;
        let now = options.clock.now();
        state::grant_grace(&connection, now, options.crashed_after.as_secs_f64())?;
        deliveries::recover(&connection)?;
        artifacts::recover(&connection, now)?;
        let shared = Arc::new(Shared {
            caches: Caches::new(options.cache_bytes),
            blobs: Blobs::new(directory, options.reserve_bytes),
            options,
            sealing: Mutex::default(),
            commits: artifacts::Turns::default(),
            database,
            queue: Queue::default(),
            live: RwLock::default(),
            unwritten: Mutex::default(),
            states: Mutex::default(),
            hot_bytes: AtomicUsize::new(0),
            signal: Signal::default(),
            listeners: RwLock::default(),
            artifact_listeners: RwLock::default(),
        });
        shared.load_unsealed(now)?;
        let (for_writer, for_background) = (shared.clone(), shared.clone());
        let writer = spawn("steplog-writer", move || writer::run(&for_writer, connection))?;
        let background = spawn("steplog-background", move || background::run(&for_background))?;
        Ok(Arc::new(Self { shared, threads: Mutex::new(Some(Threads { writer, background })) }))
    }

    /// Seals what is live, stops the threads and folds the database's log into its file. What comes later is refused.
    /// Dropping the store does the same.
    ///
    /// # Errors
    /// Something could not be sealed; what was acknowledged is durable all the same.
    pub fn close(&self) -> Result<(), Error> {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(threads) = threads else { return Ok(()) };
        self.shared.signal.set(|wake| wake.stop = true);
        let ended = threads.background.join();
        let sealed = self.shared.seal(&self.shared.live_runs());
        self.shared.database.close_readers();
        self.shared.queue.close();
        if threads.writer.join().is_err() || ended.is_err() {
            return Err(Error::internal("a thread of the store ended with a panic"));
        }
        sealed
    }

    /// Ends without sealing, as a kill would: for tests of recovery.
    #[doc(hidden)]
    pub fn abandon(&self) {
        if let Some(threads) = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.shared.signal.set(|wake| wake.stop = true);
            let _ = threads.background.join();
            self.shared.queue.close();
            let _ = threads.writer.join();
        }
    }

    /// Forgets everything that is kept in memory only to be faster: for tests.
    #[doc(hidden)]
    pub fn forget_caches(&self) {
        self.shared.caches.clear();
    }

    /// Seals every live run now, without waiting for the background to find it worth while.
    ///
    /// # Errors
    /// Something could not be written.
    pub fn seal_all(&self) -> Result<(), Error> {
        let runs = self.shared.live_runs();
        self.shared.seal(&runs)?;
        self.shared.keep_pyramids(&runs)
    }

    /// Takes journal bytes. `done` is called after they are durable, or with the reason why not; usually from the writer
    /// thread, so it must not block, nor write to the store.
    pub fn ingest(&self, request: Ingest, done: Box<dyn FnOnce(Result<IngestResponse, Error>) + Send>) {
        self.shared.queue.push_ingest(request, done, self.shared.options.queue_bytes);
    }

    /// Takes journal bytes and waits until they are durable.
    ///
    /// # Errors
    /// As [`Error::kind`] says; [`Error::ingest_response`] tells how far the stream is durable.
    pub fn ingest_blocking(&self, request: Ingest) -> Result<IngestResponse, Error> {
        let (put, take) = mpsc::sync_channel(1);
        self.ingest(
            request,
            Box::new(move |answer| {
                // The caller waits; it cannot have gone.
                let _ = put.send(answer);
            }),
        );
        take.recv().unwrap_or_else(|_| Err(Error::internal("the writer thread has ended")))
    }

    /// How far a stream is durable; 0 for an unknown one.
    ///
    /// # Errors
    /// The run was deleted, or the database cannot be read.
    pub fn durable_offset(&self, path: &RunPath, stream: StreamId) -> Result<IngestResponse, Error> {
        let reader = self.shared.database.reader()?;
        if catalog::is_deleted(&reader, stream)? {
            return Err(Error::not_found(format!("{} was deleted", stream_of(path, stream))));
        }
        let mut response = IngestResponse { durable_offset: 0, control: Control::default() };
        if let Some((run, _)) = catalog::find_run(&reader, path)? {
            response.control.stop =
                reader.sql("SELECT stop FROM runs WHERE id = $1")?.query_row([run], |row| row.get(0))?;
            let mut statement = reader.sql("SELECT durable_offset FROM streams WHERE run = $1 AND stream = $2")?;
            let mut rows = statement.query((run, &stream.as_bytes()[..]))?;
            if let Some(row) = rows.next()? {
                response.durable_offset = row.get::<_, i64>(0)? as u64;
            }
        }
        Ok(response)
    }

    /// Calls `listener` after every commit that changed a run, from the threads of the store: it must not block, nor write.
    pub fn subscribe(&self, listener: Box<dyn Fn(&RunChange) + Send + Sync>) {
        self.shared.listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// Calls `listener` after every commit that changed a collection of artifacts, from any thread: it must not block, nor
    /// write.
    pub fn subscribe_artifacts(&self, listener: Box<dyn Fn(&ArtifactChange) + Send + Sync>) {
        self.shared.artifact_listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// Lets so many more transactions begin, and refuses the rest, as if the process had been killed then: for tests.
    #[doc(hidden)]
    pub fn fail_after(&self, jobs: u64) {
        self.shared.queue.close_after(jobs);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!("the store was not closed cleanly: {error}");
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    let thread = thread::Builder::new().name(name.into()).spawn(run);
    thread.map_err(|error| Error::unavailable(format!("cannot start a thread: {error}")))
}

impl Shared {
    /// Brings every run into memory that has journal bytes which are not in chunks.
    fn load_unsealed(&self, now: f64) -> Result<(), Error> {
        let reader = self.database.reader()?;
        let mut statement = reader.sql(
            "SELECT r.id, r.project, p.entity, p.name, r.run_id, r.alive_at FROM runs r JOIN projects p ON p.id = r.project
             WHERE r.id IN (SELECT run FROM journal_bytes) OR r.alive_at >= $1",
        )?;
        let mut rows = statement.query([self.alive_since(now)])?;
        while let Some(row) = rows.next()? {
            let (run, project): (i64, i64) = (row.get(0)?, row.get(1)?);
            let path = RunPath {
                entity: row.get::<_, String>(2)?.try_into()?,
                project: row.get::<_, String>(3)?.try_into()?,
                run: row.get::<_, String>(4)?.try_into()?,
            };
            let is_alive = row.get::<_, Option<f64>>(5)?.is_some_and(|alive| alive >= self.alive_since(now));
            if is_alive {
                self.note_state(run, RunState::Running);
            }
            let live = load::live_run(&reader, run, project, path.clone(), now)?;
            self.refresh_summary(&reader, &live)?;
            let (bytes, longest) = {
                let mut hot = live.hot();
                hot.ended = !is_alive;
                (hot.bytes, hot.longest)
            };
            self.note_hot(0, bytes, longest);
            let live = Arc::new(live);
            self.unwritten().insert(run, live.clone());
            self.install(HashMap::from([(path, live)]));
        }
        Ok(())
    }

    pub(crate) fn live(&self, path: &RunPath) -> Option<Arc<LiveRun>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    pub(crate) fn live_runs(&self) -> Vec<Arc<LiveRun>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn install(&self, loaded: HashMap<RunPath, Arc<LiveRun>>) {
        if !loaded.is_empty() {
            self.live.write().unwrap_or_else(PoisonError::into_inner).extend(loaded);
        }
    }

    /// Takes a run out of memory. Only the writer thread may do that, between two transactions.
    pub(crate) fn evict(&self, path: &RunPath) {
        if let Some(live) = self.live.write().unwrap_or_else(PoisonError::into_inner).remove(path) {
            let hot = live.hot();
            let frozen = hot.frozen.as_ref().map_or(0, |frozen| frozen.bytes);
            self.note_hot(hot.bytes + frozen, 0, 0);
        }
    }

    /// Counts memory of live columns, and wakes the background when there is something to seal.
    pub(crate) fn note_hot(&self, before: usize, after: usize, longest: usize) {
        if after >= before {
            self.hot_bytes.fetch_add(after - before, Ordering::Relaxed);
        } else {
            let less = |bytes: usize| Some(bytes.saturating_sub(before - after));
            let _ = self.hot_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
        if longest >= self.options.seal_points || after > before && self.hot_bytes() > self.options.hot_bytes {
            self.signal.set(|wake| wake.seal = true);
        }
    }

    /// Corrects what [`Self::note_hot`] lost count of, when a run was removed while it was sealed.
    pub(crate) fn recount_hot(&self, bytes: usize) {
        self.hot_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn hot_bytes(&self) -> usize {
        self.hot_bytes.load(Ordering::Relaxed)
    }

    /// Whether rows should wait until more is sealed.
    pub(crate) fn is_memory_short(&self) -> bool {
        self.hot_bytes() > self.options.hot_bytes.saturating_mul(2)
    }

    /// A run whose last sign of life is older counts as crashed.
    pub(crate) fn alive_since(&self, now: f64) -> f64 {
        now - self.options.crashed_after.as_secs_f64()
    }

    /// Remembers the state of a run; answers whether watchers knew another.
    pub(crate) fn note_state(&self, run: i64, state: RunState) -> bool {
        self.states().insert(run, state) != Some(state)
    }

    pub(crate) fn unwritten(&self) -> MutexGuard<'_, HashMap<i64, Arc<LiveRun>>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn states(&self) -> MutexGuard<'_, HashMap<i64, RunState>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn notify(&self, changes: &[RunChange]) {
        let listeners = self.listeners.read().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            listeners.iter().for_each(|listener| listener(change));
        }
    }

    pub(crate) fn notify_artifacts(&self, changes: &[ArtifactChange]) {
        let listeners = self.artifact_listeners.read().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            listeners.iter().for_each(|listener| listener(change));
        }
    }
}
