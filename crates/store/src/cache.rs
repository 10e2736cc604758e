//! A cache bounded in bytes that forgets what was not used for longest.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A cache of clones, usually of `Arc`s.
pub(crate) struct Cache<K, V> {
    limit: usize,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    entries: HashMap<K, Entry<V>, foldhash::fast::RandomState>,
    /// By last use.
    order: BTreeMap<u64, K>,
    bytes: usize,
    uses: u64,
}

struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn new(limit: usize) -> Self {
        let state = State { entries: HashMap::default(), order: BTreeMap::new(), bytes: 0, uses: 0 };
        Self { limit, state: Mutex::new(state) }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let state = &mut *self.state();
        state.uses += 1;
        let entry = state.entries.get_mut(key)?;
        state.order.remove(&entry.used);
        entry.used = state.uses;
        state.order.insert(entry.used, key.clone());
        Some(entry.value.clone())
    }

    /// Puts a value in, or tells that the one there has grown, and forgets others for it.
    pub(crate) fn put(&self, key: K, value: V, bytes: usize) {
        let state = &mut *self.state();
        state.uses += 1;
        let used = state.uses;
        state.order.insert(used, key.clone());
        state.bytes += bytes;
        if let Some(old) = state.entries.insert(key, Entry { value, bytes, used }) {
            state.order.remove(&old.used);
            state.bytes -= old.bytes;
        }
        while state.bytes > self.limit {
            let Some((_, oldest)) = state.order.pop_first() else { break };
            if let Some(entry) = state.entries.remove(&oldest) {
                state.bytes -= entry.bytes;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let cache = Cache::new(30);
        for key in 0..3 {
            cache.put(key, key * 10, 10);
        }
        assert_eq!(cache.get(&0), Some(0));
        cache.put(3, 30, 10);
        assert_eq!([0, 1, 2, 3].map(|key| cache.get(&key)), [Some(0), None, Some(20), Some(30)]);
        cache.put(3, 31, 30);
        assert_eq!([0, 2, 3].map(|key| cache.get(&key)), [None, None, Some(31)]);
    }
}
