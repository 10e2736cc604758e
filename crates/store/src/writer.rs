//! The one thread that writes: it takes everything that waits and commits it as a group.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use rusqlite::Connection;
use steplog_model::{RunPath, StreamId};
use steplog_protocol::RunChange;

use crate::ingest::{Answer, Staged, Staging};
use crate::store::{Ingest, Shared};
use crate::{Error, database};

/// Journal bytes in one transaction; more waits for the next.
const GROUP_BYTES: usize = 8 << 20;

/// Called with what became of a request.
pub(crate) type Done = Box<dyn FnOnce(Answer) + Send>;

/// Something to write.
pub(crate) enum Work {
    Ingest(Ingest, Done),
    Job(Job),
}

/// A change of the database, made within a transaction.
type Change = Box<dyn FnOnce(&Connection) -> Result<(), Error> + Send>;

/// Any other change of the database, in a savepoint of its own.
pub(crate) struct Job {
    /// Whether nothing else may be in its transaction: it takes away what other work builds on.
    alone: bool,
    run: Change,
    /// Called on the writer thread after the commit, or with the reason why there is none.
    done: Box<dyn FnOnce(Result<(), Error>) + Send>,
}

/// What waits for the writer.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    work: VecDeque<Work>,
    bytes: usize,
    closed: bool,
    /// So many more jobs are taken; `None` for no limit.
    jobs_left: Option<u64>,
}

impl Queue {
    /// Puts a request at the end, unless too much waits already.
    pub(crate) fn push_ingest(&self, request: Ingest, done: Done, limit: usize) {
        let mut waiting = self.waiting();
        let refusal = if waiting.closed {
            Some(closed())
        } else if waiting.bytes > 0 && waiting.bytes + request.bytes.len() > limit {
            Some(Error::unavailable("too many journal bytes wait to be written").with_hint("try again in a moment"))
        } else {
            None
        };
        match refusal {
            Some(error) => {
                drop(waiting);
                done(Err(error));
            }
            None => {
                waiting.bytes += request.bytes.len();
                waiting.work.push_back(Work::Ingest(request, done));
                self.changed.notify_one();
            }
        }
    }

    fn push_job(&self, job: Job) {
        let mut waiting = self.waiting();
        if waiting.jobs_left == Some(0) {
            waiting.closed = true;
        }
        waiting.jobs_left = waiting.jobs_left.map(|jobs| jobs.saturating_sub(1));
        if waiting.closed {
            drop(waiting);
            (job.done)(Err(closed()));
        } else {
            waiting.work.push_back(Work::Job(job));
            self.changed.notify_one();
        }
    }

    /// Refuses everything from now on; what waits is still written.
    pub(crate) fn close(&self) {
        self.waiting().closed = true;
        self.changed.notify_all();
    }

    /// Closes by itself after so many more jobs: for tests of what a kill leaves.
    pub(crate) fn close_after(&self, jobs: u64) {
        self.waiting().jobs_left = Some(jobs);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for work and takes a group of it: at most one request of each stream, in order. With `jobs_only` the
    /// requests stay. `None` when the queue is closed and empty.
    fn take_group(&self, jobs_only: impl Fn() -> bool) -> Option<Vec<Work>> {
        let mut waiting = self.waiting();
        loop {
            // A closing store writes what waits, memory or not.
            let jobs_only = jobs_only() && !waiting.closed;
            let (mut group, mut rest) = (Vec::new(), VecDeque::new());
            let (mut bytes, mut streams, mut barrier) = (0, HashSet::new(), false);
            for work in std::mem::take(&mut waiting.work) {
                match &work {
                    _ if barrier => rest.push_back(work),
                    Work::Job(job) if job.alone => {
                        barrier = true;
                        if group.is_empty() && rest.is_empty() {
                            group.push(work);
                        } else {
                            rest.push_back(work);
                        }
                    }
                    Work::Job(_) => group.push(work),
                    Work::Ingest(request, _) => {
                        let first = streams.insert((request.path.clone(), request.stream));
                        if first && !jobs_only && bytes < GROUP_BYTES {
                            bytes += request.bytes.len();
                            waiting.bytes -= request.bytes.len();
                            group.push(work);
                        } else {
                            rest.push_back(work);
                        }
                    }
                }
            }
            waiting.work = rest;
            if !group.is_empty() {
                return Some(group);
            }
            if waiting.closed && waiting.work.is_empty() {
                return None;
            }
            let timeout = Duration::from_millis(if waiting.work.is_empty() { 10_000 } else { 5 });
            let waited = self.changed.wait_timeout(waiting, timeout);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Puts the rest of a request back to the front.
    fn put_back(&self, request: Ingest, done: Done) {
        let mut waiting = self.waiting();
        waiting.bytes += request.bytes.len();
        waiting.work.push_front(Work::Ingest(request, done));
    }
}

fn closed() -> Error {
    Error::unavailable("the store is closed")
}

impl Shared {
    /// Runs `run` in the writer's next transaction and waits until it is durable. `then` is called on the writer thread
    /// right after the commit, before anything else is written, or with the reason why nothing was.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
        then: impl FnOnce(Result<&T, &Error>) + Send + 'static,
    ) -> Result<T, Error> {
        self.write_job(false, run, then)
    }

    /// As [`Self::write`], with nothing else in the transaction.
    pub(crate) fn write_alone<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
        then: impl FnOnce(Result<&T, &Error>) + Send + 'static,
    ) -> Result<T, Error> {
        self.write_job(true, run, then)
    }

    fn write_job<T: Send + 'static>(
        &self,
        alone: bool,
        run: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
        then: impl FnOnce(Result<&T, &Error>) + Send + 'static,
    ) -> Result<T, Error> {
        let (result, answer) = mpsc::sync_channel(1);
        let (put, take) = mpsc::sync_channel(1);
        self.queue.push_job(Job {
            alone,
            run: Box::new(move |database| {
                let value = run(database)?;
                put.send(value).map_err(|_| Error::internal("nobody waits for a change"))
            }),
            done: Box::new(move |done| {
                let outcome =
                    done.and_then(|()| take.try_recv().map_err(|_| Error::internal("a change gave no answer")));
                then(outcome.as_ref());
                // The caller may have gone.
                let _ = result.send(outcome);
            }),
        });
        answer.recv().unwrap_or_else(|_| Err(Error::internal("the writer thread has ended")))
    }
}

/// Work of a group that was done in the transaction and waits for the commit.
enum Pending {
    Ingest(Box<Staged>, Ingest, Done),
    Answered(Answer, Done),
    Job(Result<(), Error>, Box<dyn FnOnce(Result<(), Error>) + Send>),
}

/// Writes until the queue is closed and empty.
pub(crate) fn run(shared: &Shared, mut connection: Connection) {
    // However this thread ends, nobody may wait for it any longer.
    let _close = CloseOnDrop(&shared.queue);
    while let Some(group) = shared.queue.take_group(|| shared.is_memory_short()) {
        write_group(shared, &mut connection, group);
    }
    if let Err(error) = database::give_back(&connection, 0.0).and_then(|()| database::checkpoint(&connection)) {
        tracing::warn!("the database's log was not folded in: {error}");
    }
}

struct CloseOnDrop<'a>(&'a Queue);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
        self.0.waiting().work.clear();
    }
}

fn write_group(shared: &Shared, connection: &mut Connection, group: Vec<Work>) {
    let mut pending = Vec::with_capacity(group.len());
    let mut group = VecDeque::from(group);
    match write_in_transaction(shared, connection, &mut group, &mut pending) {
        Ok(loaded) => {
            shared.install(loaded);
            // Jobs were made from what memory held before this group's rows.
            pending.sort_by_key(|work| !matches!(work, Pending::Job(..)));
            let changes: Vec<RunChange> = pending.into_iter().filter_map(|work| finish(shared, work)).collect();
            shared.notify(&changes);
        }
        Err(error) => {
            // Nothing was changed in memory yet, so there is nothing to take back.
            for work in pending {
                match work {
                    Pending::Ingest(_, _, done) | Pending::Answered(_, done) => done(Err(error.clone())),
                    Pending::Job(_, done) => done(Err(error.clone())),
                }
            }
            for work in group {
                match work {
                    Work::Ingest(_, done) => done(Err(error.clone())),
                    Work::Job(job) => (job.done)(Err(error.clone())),
                }
            }
        }
    }
}

type Loaded = HashMap<RunPath, std::sync::Arc<crate::hot::LiveRun>>;

fn write_in_transaction(
    shared: &Shared,
    connection: &mut Connection,
    group: &mut VecDeque<Work>,
    pending: &mut Vec<Pending>,
) -> Result<Loaded, Error> {
    let mut transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut loaded = Loaded::new();
    while let Some(work) = group.pop_front() {
        match work {
            Work::Ingest(request, done) => {
                let staged = Staging::new(shared, &transaction, &mut loaded).stage(&request);
                match staged {
                    Ok(Ok(staged)) => pending.push(Pending::Ingest(Box::new(staged), request, done)),
                    Ok(Err(answer)) => pending.push(Pending::Answered(answer, done)),
                    Err(error) => {
                        pending.push(Pending::Answered(Err(error.clone()), done));
                        return Err(error);
                    }
                }
            }
            Work::Job(job) => {
                let savepoint = transaction.savepoint()?;
                let result = (job.run)(&savepoint);
                if result.is_ok() {
                    savepoint.commit()?;
                } else {
                    drop(savepoint);
                }
                pending.push(Pending::Job(result, job.done));
            }
        }
    }
    transaction.commit()?;
    Ok(loaded)
}

/// Brings what is durable now into memory, and answers.
fn finish(shared: &Shared, work: Pending) -> Option<RunChange> {
    match work {
        Pending::Ingest(staged, request, done) => {
            let (answer, change, more) = staged.apply(shared);
            match more && answer.is_ok() {
                true => shared.queue.put_back(request, done),
                false => done(answer),
            }
            change
        }
        Pending::Answered(answer, done) => {
            done(answer);
            None
        }
        Pending::Job(result, done) => {
            done(result);
            None
        }
    }
}

/// Names a stream of a run in a message.
pub(crate) fn stream_of(path: &RunPath, stream: StreamId) -> String {
    format!("stream {stream} of run {path}")
}
