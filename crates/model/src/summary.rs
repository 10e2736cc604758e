//! The summary of a run: one value for each metric, the latest unless somebody set it by hand.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Change, Row, Value};

/// The latest value of every metric, by key as [`crate::join_key`] writes it.
///
/// The row with the highest step wins, whenever it was written; of two writes at one step the later wins. A key set by
/// hand stays until it is set or removed by hand. `null` is no value: it neither shows nor hides an older one.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    entries: HashMap<Arc<str>, Entry>,
    /// Entries set by hand; while there are none, rows need not look for a map or leaf set by hand above or below them.
    by_hand: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Value,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Row(i64),
    Hand,
}

impl Summary {
    /// Takes in a complete row.
    pub fn apply_row(&mut self, row: &Row) {
        for (key, value) in &row.entries {
            self.apply_value(key, row.step, value);
        }
    }

    /// Takes in one value of a complete row.
    pub fn apply_value(&mut self, key: &Arc<str>, step: i64, value: &Value) {
        if matches!(value, Value::Null) || (self.by_hand > 0 && self.is_below_hand(key)) {
            return;
        }
        match self.entries.get_mut(key) {
            Some(Entry { origin: Origin::Hand, .. }) => {}
            Some(Entry { origin: Origin::Row(highest), .. }) if step < *highest => {}
            Some(entry) => *entry = Entry { value: value.clone(), origin: Origin::Row(step) },
            None => {
                self.entries.insert(key.clone(), Entry { value: value.clone(), origin: Origin::Row(step) });
            }
        }
    }

    /// Takes in a change made by hand. A map is set leaf by leaf, in place of whatever stood at and below its key.
    pub fn apply_change(&mut self, change: &Change) {
        self.remove_tree(&change.key);
        if let Some(value) = &change.value {
            self.insert_by_hand(&change.key, value);
        }
    }

    /// The value of a leaf.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Whether a leaf was set by hand.
    pub fn is_by_hand(&self, key: &str) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.origin == Origin::Hand)
    }

    /// The step of the row that a leaf comes from; `None` when it was set by hand or is not there.
    pub fn step_of(&self, key: &str) -> Option<i64> {
        match self.entries.get(key)?.origin {
            Origin::Row(step) => Some(step),
            Origin::Hand => None,
        }
    }

    /// All leaves, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.entries.iter().map(|(key, entry)| (key, &entry.value))
    }

    fn insert_by_hand(&mut self, key: &str, value: &Value) {
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                for (name, value) in entries {
                    self.insert_by_hand(&format!("{key}.{}", crate::join_key([&**name])), value);
                }
            }
            Value::Null => {}
            _ => {
                self.entries.insert(key.into(), Entry { value: value.clone(), origin: Origin::Hand });
                self.by_hand += 1;
            }
        }
    }

    fn remove_tree(&mut self, key: &str) {
        let below = format!("{key}.");
        self.entries.retain(|name, _| **name != *key && !name.starts_with(&below));
        self.by_hand = self.entries.values().filter(|entry| entry.origin == Origin::Hand).count();
    }

    /// Whether a leaf set by hand stands where `key` needs a map.
    fn is_below_hand(&self, key: &str) -> bool {
        key.match_indices('.').any(|(at, _)| self.is_by_hand(&key[..at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(summary: &mut Summary, step: i64, key: &str, value: impl Into<Value>) {
        summary.apply_row(&Row { step, time: 0.0, committed: true, entries: vec![(key.into(), value.into())] });
    }

    fn set(summary: &mut Summary, key: &str, value: impl Into<Value>) {
        summary.apply_change(&Change { key: key.into(), value: Some(value.into()) });
    }

    #[test]
    fn the_highest_step_wins_and_then_the_later_write() {
        let mut summary = Summary::default();
        log(&mut summary, 5, "loss", 0.5);
        log(&mut summary, 3, "loss", 0.3);
        assert_eq!(summary.get("loss"), Some(&Value::Float(0.5)));
        log(&mut summary, 5, "loss", 0.6);
        assert_eq!(summary.get("loss"), Some(&Value::Float(0.6)));
    }

    #[test]
    fn a_value_set_by_hand_stays_until_removed() {
        let mut summary = Summary::default();
        set(&mut summary, "best", 0.9);
        log(&mut summary, 7, "best", 0.1);
        assert_eq!(summary.get("best"), Some(&Value::Float(0.9)));
        summary.apply_change(&Change { key: "best".into(), value: None });
        assert_eq!(summary.get("best"), None);
        log(&mut summary, 8, "best", 0.2);
        assert_eq!(summary.get("best"), Some(&Value::Float(0.2)));
    }

    #[test]
    fn a_map_set_by_hand_replaces_what_stood_below() {
        let mut summary = Summary::default();
        log(&mut summary, 0, "q.z", 1);
        set(&mut summary, "q", Value::Map(vec![("x".into(), 1.into()), ("a.b".into(), 2.into())]));
        assert_eq!(summary.get("q.z"), None);
        assert_eq!(summary.get("q.x"), Some(&Value::Int(1)));
        assert_eq!(summary.get(r"q.a\.b"), Some(&Value::Int(2)));
        set(&mut summary, "q.x", 5);
        assert_eq!(summary.get("q.x"), Some(&Value::Int(5)));
        assert_eq!(summary.get(r"q.a\.b"), Some(&Value::Int(2)));
    }

    #[test]
    fn null_is_no_value() {
        let mut summary = Summary::default();
        log(&mut summary, 0, "loss", 0.5);
        log(&mut summary, 1, "loss", Value::Null);
        assert_eq!(summary.get("loss"), Some(&Value::Float(0.5)));
    }
}
