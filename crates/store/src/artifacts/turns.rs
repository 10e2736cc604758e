//! Commits of the same lines, one after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use steplog_model::{ContentHash, Entity};

type Key = (Entity, ContentHash);

/// Whose turn it is. A client that gives up waiting for the answer sends its commit again: without turns both would write
/// the rows of the manifest, which may be millions.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<Key, Arc<Mutex<()>>>>);

impl Turns {
    /// Runs `work` when no other work with this key is running.
    pub(super) fn take<T>(&self, entity: &Entity, manifest: ContentHash, work: impl FnOnce() -> T) -> T {
        let key = (entity.clone(), manifest);
        let turn = self.all().entry(key.clone()).or_default().clone();
        let result = {
            let _mine = turn.lock().unwrap_or_else(PoisonError::into_inner);
            work()
        };
        let mut all = self.all();
        drop(turn);
        if all.get(&key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            all.remove(&key);
        }
        result
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Arc<Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn the_same_waits_and_another_does_not() {
        let (turns, running, barrier) = (Turns::default(), AtomicUsize::new(0), Barrier::new(2));
        let (turns, running, barrier) = (&turns, &running, &barrier);
        let entity: Entity = "local".parse().unwrap();
        let [one, two] = [1, 2].map(|byte| ContentHash::from_bytes([byte; 32]));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    turns.take(&entity, one, || {
                        assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                        thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                    });
                });
            }
        });
        // They meet, each in its turn.
        thread::scope(|scope| {
            scope.spawn(|| turns.take(&entity, one, || barrier.wait()));
            scope.spawn(|| turns.take(&entity, two, || barrier.wait()));
        });
        assert!(turns.all().is_empty());
    }
}
