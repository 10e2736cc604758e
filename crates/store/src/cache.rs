//! A cache bounded in bytes that forgets what was not used for longest.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What an entry takes beside its value: in the map, in the order, and the parts of an `Arc`.
const ENTRY_BYTES: usize = 160;

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
        self.state().get(key)
    }

    /// Puts a value in, or tells that the one there has grown, and forgets others for it.
    pub(crate) fn put(&self, key: K, value: V, bytes: usize) {
        self.state().put(key, value, bytes, self.limit);
    }

    /// The bytes that the cache may hold.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The value, which is not used by that.
    pub(crate) fn peek(&self, key: &K) -> Option<V> {
        self.state().entries.get(key).map(|entry| entry.value.clone())
    }

    /// The value that is there, or a new one of so many bytes.
    pub(crate) fn get_or_put(&self, key: K, make: impl FnOnce() -> V, bytes: usize) -> V {
        let state = &mut *self.state();
        if let Some(value) = state.get(&key) {
            return value;
        }
        let value = make();
        state.put(key, value.clone(), bytes, self.limit);
        value
    }

    /// Tells how large a value has become, if it is still there, and forgets others for it, or the value itself.
    pub(crate) fn resize(&self, key: &K, bytes: usize) {
        let state = &mut *self.state();
        if let Some(value) = state.get(key) {
            state.put(key.clone(), value, bytes, self.limit);
        }
    }

    pub(crate) fn clear(&self) {
        let state = &mut *self.state();
        state.entries.clear();
        state.order.clear();
        state.bytes = 0;
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, V: Clone> State<K, V> {
    fn get(&mut self, key: &K) -> Option<V> {
        self.uses += 1;
        let entry = self.entries.get_mut(key)?;
        self.order.remove(&entry.used);
        entry.used = self.uses;
        self.order.insert(entry.used, key.clone());
        Some(entry.value.clone())
    }

    fn put(&mut self, key: K, value: V, bytes: usize, limit: usize) {
        let bytes = bytes + ENTRY_BYTES;
        self.uses += 1;
        let used = self.uses;
        self.order.insert(used, key.clone());
        self.bytes += bytes;
        if let Some(old) = self.entries.insert(key, Entry { value, bytes, used }) {
            self.order.remove(&old.used);
            self.bytes -= old.bytes;
        }
        while self.bytes > limit {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            if let Some(entry) = self.entries.remove(&oldest) {
                self.bytes -= entry.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let cache = Cache::new(3 * (10 + ENTRY_BYTES));
        for key in 0..3 {
            cache.put(key, key * 10, 10);
        }
        assert_eq!(cache.get(&0), Some(0));
        cache.put(3, 30, 10);
        assert_eq!([0, 1, 2, 3].map(|key| cache.get(&key)), [Some(0), None, Some(20), Some(30)]);
        cache.put(3, 31, 2 * ENTRY_BYTES + 30);
        assert_eq!([0, 2, 3].map(|key| cache.get(&key)), [None, None, Some(31)]);
    }
}
