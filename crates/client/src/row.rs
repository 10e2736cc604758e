//! What can be logged from Rust.

use steplog_model::{Value, join_key};

/// A row of history: pairs of key and value, such as an array, a `HashMap` or a JSON object. Maps inside are flattened:
/// each leaf is a metric of its own. A map that is one thing, such as a [`crate::Histogram`], stays whole.
///
/// ```no_run
/// # let run = steplog::Run::builder("digits").init()?;
/// use std::collections::BTreeMap;
/// use std::time::SystemTime;
///
/// use steplog::{Histogram, Value};
///
/// run.log([("loss", 0.3), ("accuracy", 0.9)])?;
/// run.log(BTreeMap::from([("epoch", 3)]))?;
/// run.log([
///     ("at", Value::from(SystemTime::now())),
///     ("per_class", vec![0.9, 0.8].into()),
///     ("weights", Histogram::new(&[0.1, 0.5, 0.2], 64).into()),
///     ("validation", BTreeMap::from([("loss", 0.4)]).into()),
/// ])?;
/// # Ok::<(), steplog::Error>(())
/// ```
pub trait IntoRow {
    /// The leaves, by key as [`join_key`] writes it.
    fn into_row(self) -> Vec<(String, Value)>;
}

impl<K: AsRef<str>, V: Into<Value>, I: IntoIterator<Item = (K, V)>> IntoRow for I {
    fn into_row(self) -> Vec<(String, Value)> {
        let mut leaves = Vec::new();
        for (key, value) in self {
            flatten(&mut leaves, join_key([key.as_ref()]), value.into());
        }
        leaves
    }
}

/// Appends the leaves of a value. An empty map has none.
pub(crate) fn flatten(leaves: &mut Vec<(String, Value)>, key: String, value: Value) {
    let is_typed = value.is_typed();
    match value {
        Value::Map(entries) if !is_typed => {
            for (name, value) in entries {
                flatten(leaves, format!("{key}.{}", join_key([&*name])), value);
            }
        }
        value => leaves.push((key, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_flattened() {
        let inner = Value::Map(vec![("b.c".into(), 1.into()), ("d".into(), Value::Map(vec![]))]);
        assert_eq!([("a", inner)].into_row(), vec![(r"a.b\.c".to_owned(), Value::Int(1))]);
        let typed = Value::Map(vec![("_type".into(), "histogram".into())]);
        assert_eq!([("h", typed.clone())].into_row(), vec![("h".to_owned(), typed)]);
        assert_eq!([("x.y", 2.0)].into_row(), vec![(r"x\.y".to_owned(), Value::Float(2.0))]);
    }
}
