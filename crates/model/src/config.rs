//! The config of a run: what it was set up with.

use crate::{Change, Value};

/// Named values in the order in which they were first set. A nested map is one value: setting it replaces it whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    entries: Vec<(String, Value)>,
}

/// Keys that already hold another value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "config key {key:?} already has the value {old:?}, and the new one is {new:?}\n\
     hint: pass allow_val_change=True to update() if the change is meant"
)]
pub struct ConfigConflict {
    /// The first such key.
    pub key: String,
    /// What it holds.
    pub old: Value,
    /// What was to be set.
    pub new: Value,
}

impl Config {
    /// The value of a top-level key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// All entries, in the order in which their keys were first set.
    pub fn entries(&self) -> &[(String, Value)] {
        &self.entries
    }

    /// Sets keys, all or none.
    ///
    /// A key may be set again to an equal value (2 and 2.0 are equal); to another value only when `allow_val_change`.
    /// Answers the changes that were made, which is what a journal records.
    ///
    /// # Errors
    /// The first key that holds another value; then nothing was changed.
    pub fn update(
        &mut self,
        entries: Vec<(String, Value)>,
        allow_val_change: bool,
    ) -> Result<Vec<Change>, Box<ConfigConflict>> {
        let differs = |key: &str, new: &Value| self.get(key).filter(|old| !same(old, new));
        if !allow_val_change {
            for (key, new) in &entries {
                if let Some(old) = differs(key, new) {
                    return Err(Box::new(ConfigConflict { key: key.clone(), old: old.clone(), new: new.clone() }));
                }
            }
        }
        let mut changes = Vec::new();
        for (key, value) in entries {
            match self.get(&key) {
                Some(old) if same(old, &value) => {}
                _ => changes.push(Change { key, value: Some(value) }),
            }
        }
        changes.iter().cloned().for_each(|change| self.apply(change));
        Ok(changes)
    }

    /// Sets the keys that are not there yet. Answers the changes that were made.
    pub fn set_defaults(&mut self, entries: Vec<(String, Value)>) -> Vec<Change> {
        let mut changes = Vec::new();
        for (key, value) in entries {
            if self.get(&key).is_none() {
                let change = Change { key, value: Some(value) };
                self.apply(change.clone());
                changes.push(change);
            }
        }
        changes
    }

    /// Applies a recorded change.
    pub fn apply(&mut self, change: Change) {
        let at = self.entries.iter().position(|(name, _)| *name == change.key);
        match (at, change.value) {
            (Some(at), Some(value)) => self.entries[at].1 = value,
            (None, Some(value)) => self.entries.push((change.key, value)),
            (Some(at), None) => drop(self.entries.remove(at)),
            (None, None) => {}
        }
    }
}

/// Whether two values are equal as a script sees them: numbers by value, true as 1, everything else as it is.
fn same(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => value.as_f64(),
        _ => None,
    };
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, value)| b.iter().any(|(other, b)| other == name && same(value, b)))
        }
        _ => a == b || number(a).is_some_and(|a| number(b) == Some(a)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, value: impl Into<Value>) -> (String, Value) {
        (key.into(), value.into())
    }

    #[test]
    fn another_value_is_refused_and_changes_nothing() {
        let mut config = Config::default();
        config.update(vec![entry("lr", 0.1)], false).unwrap();
        let before = config.clone();
        let conflict = config.update(vec![entry("new", 1), entry("lr", 0.2)], false).unwrap_err();
        assert_eq!(
            conflict.to_string().lines().next(),
            Some("config key \"lr\" already has the value 0.1, and the new one is 0.2")
        );
        assert_eq!(config, before);
        let changes = config.update(vec![entry("lr", 0.2)], true).unwrap();
        assert_eq!(changes, vec![Change { key: "lr".into(), value: Some(Value::Float(0.2)) }]);
    }

    #[test]
    fn an_equal_value_is_no_change() {
        let mut config = Config::default();
        config.update(vec![entry("epochs", 2), entry("cuda", true), entry("sizes", vec![1, 0])], false).unwrap();
        let equal = vec![entry("epochs", 2.0), entry("cuda", 1), entry("sizes", vec![true, false])];
        assert_eq!(config.update(equal, false).unwrap(), vec![]);
        assert!(config.update(vec![entry("cuda", "true")], false).is_err());
    }

    #[test]
    fn defaults_fill_what_is_missing() {
        let mut config = Config::default();
        config.update(vec![entry("lr", 0.1), entry("none", Value::Null)], false).unwrap();
        let changes = config.set_defaults(vec![entry("lr", 9), entry("none", 9), entry("new", 1), entry("new", 2)]);
        assert_eq!(changes, vec![Change { key: "new".into(), value: Some(Value::Int(1)) }]);
        assert_eq!(config.entries(), [entry("lr", 0.1), entry("none", Value::Null), entry("new", 1)]);
    }

    #[test]
    fn nested_maps_are_replaced_whole() {
        let mut config = Config::default();
        let map = |name: &str| Value::Map(vec![(name.into(), Value::Int(1))]);
        config.update(vec![entry("model", map("depth"))], false).unwrap();
        config.update(vec![entry("model", map("width"))], true).unwrap();
        assert_eq!(config.get("model"), Some(&map("width")));
    }
}
