//! Work on many things at once, by a bounded number of threads, while the caller watches.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often the caller is told how far it is.
const TICK: Duration = Duration::from_millis(50);

/// More threads than this wait for each other at the disk.
const MAX_THREADS: usize = 8;

/// How many threads work on so many things.
pub(crate) fn thread_count(things: usize) -> usize {
    // Two even on one core: one reads while the other hashes.
    thread::available_parallelism().map_or(2, usize::from).clamp(2, MAX_THREADS).min(things.max(1))
}

/// Does `work` with each thing, with a value of its own for each thread, and hands the results to `take` in the order in
/// which they come. `watch` is called at least every 50 ms. The first error of any of them ends it, after what is being
/// worked on; `stop` is then called to cut that short.
pub(crate) fn for_each<T, S, R, E>(
    things: &[T],
    own: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> Result<R, E> + Sync,
    stop: impl Fn(),
    take: impl FnMut(usize, R) -> Result<(), E>,
    watch: impl FnMut() -> Result<(), E>,
) -> Result<(), E>
where
    T: Sync,
    R: Send,
    E: Send,
{
    for_each_in(thread_count(things.len()), things, own, work, stop, take, watch)
}

/// As [`for_each`], by so many threads: for work that waits for others.
pub(crate) fn for_each_in<T, S, R, E>(
    threads: usize,
    things: &[T],
    own: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> Result<R, E> + Sync,
    stop: impl Fn(),
    mut take: impl FnMut(usize, R) -> Result<(), E>,
    mut watch: impl FnMut() -> Result<(), E>,
) -> Result<(), E>
where
    T: Sync,
    R: Send,
    E: Send,
{
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (results, come) = sync_channel(threads * 64);
        for _ in 0..threads {
            let (results, next, own, work) = (results.clone(), &next, &own, &work);
            let spawned = thread::Builder::new().name("steplog-worker".into()).spawn_scoped(scope, move || {
                let mut own = own();
                while let Some((index, thing)) = claim(things, next) {
                    let result = work(&mut own, thing);
                    let is_error = result.is_err();
                    if results.send((index, result)).is_err() || is_error {
                        return;
                    }
                }
            });
            // With fewer threads it takes longer, and with none the caller does it all, below.
            if spawned.is_err() {
                break;
            }
        }
        drop(results);
        let (mut outcome, mut watched) = (Ok(()), Instant::now());
        while outcome.is_ok() {
            outcome = match come.recv_timeout(TICK) {
                Ok((index, Ok(result))) => take(index, result),
                Ok((_, Err(error))) => Err(error),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if outcome.is_ok() && watched.elapsed() >= TICK {
                outcome = watch();
                watched = Instant::now();
            }
        }
        let mut state = own();
        while outcome.is_ok()
            && let Some((index, thing)) = claim(things, &next)
        {
            outcome = work(&mut state, thing).and_then(|result| take(index, result)).and_then(|()| watch());
        }
        if outcome.is_err() {
            next.store(things.len(), Ordering::Relaxed);
            stop();
        }
        outcome
    })
}

fn claim<'a, T>(things: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    things.get(index).map(|thing| (index, thing))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_thing_is_worked_on_once() {
        let things: Vec<usize> = (0..1000).collect();
        let mut results = BTreeMap::new();
        let done: Result<(), ()> = for_each(
            &things,
            || (),
            |(), thing| Ok(thing * 2),
            || (),
            |index, result| {
                assert_eq!(results.insert(index, result), None);
                Ok(())
            },
            || Ok(()),
        );
        assert_eq!(done, Ok(()));
        assert_eq!(results, things.iter().map(|thing| (*thing, thing * 2)).collect());
    }

    #[test]
    fn the_first_error_ends_it() {
        let things: Vec<usize> = (0..100_000).collect();
        let (worked, stopped) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let done = for_each(
            &things,
            || (),
            |(), thing| {
                worked.fetch_add(1, Ordering::Relaxed);
                if *thing == 3 { Err("third") } else { Ok(()) }
            },
            || {
                stopped.fetch_add(1, Ordering::Relaxed);
            },
            |_, ()| Ok(()),
            || Ok(()),
        );
        assert_eq!((done, stopped.into_inner()), (Err("third"), 1));
        assert!(worked.into_inner() < things.len());
    }
}
