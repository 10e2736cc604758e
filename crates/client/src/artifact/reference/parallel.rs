//! Many things that each take a while.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::error::Error;

/// The answers for many things, in their order, from as many threads as there are processors.
pub(super) fn in_parallel<T: Sync, R: Send>(
    things: &[T],
    work: impl Fn(&T) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    in_threads(thread::available_parallelism().map_or(1, usize::from), things, work)
}

/// The answers for many things, in their order, from so many threads. The first error ends it.
pub(super) fn in_threads<T: Sync, R: Send>(
    threads: usize,
    things: &[T],
    work: impl Fn(&T) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::with_capacity(things.len()));
    let failed = Mutex::new(None);
    let run = || {
        while lock(&failed).is_none() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(index) else { return };
            match work(thing) {
                Ok(answer) => lock(&answers).push((index, answer)),
                Err(error) => *lock(&failed) = Some(error),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(things.len()) {
            scope.spawn(run);
        }
        run();
    });
    if let Some(error) = lock(&failed).take() {
        return Err(error);
    }
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(index, _)| *index);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
