//! Configs and summaries as an API answers them: named values, nested as they were logged.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use steplog_model::{Value, split_key};

/// Named values in order; a nested map is a [`Value::Map`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entries(Vec<(Box<str>, Value)>);

impl Entries {
    /// The value of a top-level key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| **name == *key).map(|(_, value)| value)
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// How many top-level keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn from_object(object: Map<String, Json>) -> Self {
        Self(object.into_iter().map(|(name, value)| (name.into(), Value::from_api_json(value))).collect())
    }

    /// The values of a list of runs whose names begin with `prefix`, by their paths.
    pub(super) fn from_leaves(leaves: &BTreeMap<String, Json>, prefix: &str) -> Self {
        let mut root = Vec::new();
        for (name, value) in leaves {
            if let Some(path) = name.strip_prefix(prefix) {
                insert(&mut root, &split_key(path), Value::from_api_json(value.clone()));
            }
        }
        Self(root)
    }
}

/// Puts a leaf at its path. Where a leaf stands in the way of a map, the rest of the path becomes one name, as in
/// the answer for one run.
fn insert(map: &mut Vec<(Box<str>, Value)>, path: &[String], value: Value) {
    let [first, rest @ ..] = path else { return };
    let place = map.iter().position(|(name, _)| **name == **first);
    if rest.is_empty() {
        match place {
            Some(place) => map[place].1 = value,
            None => map.push((first.as_str().into(), value)),
        }
        return;
    }
    let place = place.unwrap_or_else(|| {
        map.push((first.as_str().into(), Value::Map(Vec::new())));
        map.len() - 1
    });
    match &mut map[place].1 {
        Value::Map(inner) => insert(inner, rest, value),
        _ => map.push((path.join(".").into(), value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn leaves_become_maps_again() {
        let leaves = json!({
            "config.a": 1, "config.a.b": 2, "config.c.d": "NaN", "config.c.e": [], r"config.x\.y": true, "summary.z": 1,
        });
        let leaves: BTreeMap<String, Json> = serde_json::from_value(leaves).unwrap();
        let entries = Entries::from_leaves(&leaves, "config.");
        let names: Vec<&str> = entries.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "a.b", "c", "x.y"]);
        let inner = vec![("d".into(), Value::Float(f64::NAN)), ("e".into(), Value::List(Vec::new()))];
        assert_eq!(entries.get("c"), Some(&Value::Map(inner)));
        assert_eq!((entries.get("a"), entries.get("a.b")), (Some(&Value::Int(1)), Some(&Value::Int(2))));
        assert_eq!((entries.len(), entries.get("z")), (4, None));
    }
}
