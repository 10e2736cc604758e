//! The summary of a run: one value for each metric, the latest unless somebody set it by hand.

use std::collections::HashMap;
use std::sync::Arc;

use crate::metric::SummaryRules;
use crate::{Aggregate, Change, MetricDefinition, MetricDefinitions, Row, SummaryRule, Value};

/// The latest value of every metric, by key as [`crate::join_key`] writes it, or what its definition asks for instead.
///
/// The row with the highest step wins, whenever it was written; of two writes at one step the later wins. A key set by
/// hand stays until it is set or removed by hand. `null` is no value: it neither shows nor hides an older one. Aggregates
/// such as `loss.min` take in every value of a complete row.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    entries: HashMap<Arc<str>, Entry>,
    definitions: MetricDefinitions,
    rules: SummaryRules,
    /// Entries set by hand; while there are none, rows need not look for a map or leaf set by hand above or below them.
    by_hand: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Value,
    origin: Origin,
    /// How many numbers a mean is of; 0 for everything else.
    count: u64,
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
        self.apply_value_noting(key, step, value, |_| {});
    }

    /// As [`Self::apply_value`]; tells which leaves may have changed.
    pub fn apply_value_noting(&mut self, key: &Arc<str>, step: i64, value: &Value, mut changed: impl FnMut(&Arc<str>)) {
        if matches!(value, Value::Null) || (self.by_hand > 0 && self.is_below_hand(key)) {
            return;
        }
        if self.definitions.is_empty() {
            self.put_latest(key, step, value);
            return changed(key);
        }
        match &*self.rules.get(&self.definitions, key) {
            SummaryRule::Latest => {
                self.put_latest(key, step, value);
                changed(key);
            }
            rule => {
                match self.entries.get(key) {
                    Some(Entry { origin: Origin::Hand, .. }) => return,
                    // From before the definition.
                    Some(_) => {
                        self.entries.remove(key);
                        changed(key);
                    }
                    None => {}
                }
                let SummaryRule::Aggregates(aggregates) = rule else { return };
                for (aggregate, leaf) in aggregates {
                    self.put_aggregate(*aggregate, leaf, step, value);
                    changed(leaf);
                }
            }
        }
    }

    /// Takes in what a script says about a metric. It holds for values that come later.
    pub fn define(&mut self, definition: MetricDefinition) {
        self.definitions.define(definition);
        self.rules.forget();
    }

    /// What the script said about its metrics.
    pub fn definitions(&self) -> &MetricDefinitions {
        &self.definitions
    }

    /// Whether every value of a metric counts, not only the one of the highest step.
    pub fn needs_every_value(&mut self, key: &Arc<str>) -> bool {
        !self.definitions.is_empty() && matches!(&*self.rules.get(&self.definitions, key), SummaryRule::Aggregates(_))
    }

    /// The same with only what was set by hand.
    #[must_use]
    pub fn without_rows(&self) -> Self {
        let mut summary = self.clone();
        summary.entries.retain(|_, entry| entry.origin == Origin::Hand);
        summary
    }

    /// Puts a leaf back as it was stored; `step` is that of [`Self::step_of`].
    pub fn restore(&mut self, key: Arc<str>, value: Value, step: Option<i64>) {
        let origin = step.map_or(Origin::Hand, Origin::Row);
        self.by_hand += usize::from(origin == Origin::Hand);
        self.entries.insert(key, Entry { value, origin, count: 0 });
    }

    /// The means, each with how many numbers it is of.
    pub fn means(&self) -> impl Iterator<Item = (Arc<str>, f64, u64)> {
        let means = self.entries.iter().filter(|(_, entry)| entry.count > 0);
        means.filter_map(|(key, entry)| Some((key.clone(), entry.value.as_f64()?, entry.count)))
    }

    /// Sets the means back to what they were, before the values that are to be applied anew: all that have an entry in
    /// `means` to that, the others to nothing.
    pub fn restore_means(&mut self, means: impl IntoIterator<Item = (Arc<str>, f64, u64)>) {
        let is_mean = |key: &str| {
            let base = key.strip_suffix(".mean");
            let rule = base.map(|base| self.definitions.summary_rule(base));
            matches!(rule, Some(SummaryRule::Aggregates(all)) if all.iter().any(|(_, leaf)| **leaf == *key))
        };
        let derived = |key: &Arc<str>, entry: &Entry| entry.origin != Origin::Hand && is_mean(key);
        let stale: Vec<_> =
            self.entries.iter().filter(|(key, entry)| derived(key, entry)).map(|(key, _)| key.clone()).collect();
        for key in stale {
            self.entries.remove(&key);
        }
        for (key, mean, count) in means {
            let entry = Entry { value: Value::Float(mean), origin: Origin::Row(i64::MIN), count };
            self.entries.entry(key).or_insert(entry);
        }
    }

    fn put_latest(&mut self, key: &Arc<str>, step: i64, value: &Value) {
        match self.entries.get_mut(key) {
            Some(Entry { origin: Origin::Hand, .. }) => {}
            Some(Entry { origin: Origin::Row(highest), .. }) if step < *highest => {}
            Some(entry) => *entry = Entry { value: value.clone(), origin: Origin::Row(step), count: 0 },
            None => {
                let entry = Entry { value: value.clone(), origin: Origin::Row(step), count: 0 };
                self.entries.insert(key.clone(), entry);
            }
        }
    }

    fn put_aggregate(&mut self, aggregate: Aggregate, leaf: &Arc<str>, step: i64, value: &Value) {
        let number = value.as_f64();
        if number.is_none() && matches!(aggregate, Aggregate::Min | Aggregate::Max | Aggregate::Mean) {
            return;
        }
        let old = self.entries.get(leaf);
        if old.is_some_and(|old| old.origin == Origin::Hand) {
            return;
        }
        let entry = |value: Value| Entry { value, origin: Origin::Row(step), count: 0 };
        let new = match (aggregate, old) {
            (Aggregate::Mean, old) => {
                let (mean, count, highest) = match old {
                    Some(Entry { value, origin: Origin::Row(highest), count }) => {
                        (value.as_f64().unwrap_or(0.0), *count, *highest)
                    }
                    _ => (0.0, 0, i64::MIN),
                };
                let count = count + 1;
                let mean = mean + (number.unwrap_or(0.0) - mean) / count as f64;
                Entry { value: Value::Float(mean), origin: Origin::Row(highest.max(step)), count }
            }
            (_, None) => entry(value.clone()),
            (Aggregate::Min | Aggregate::Max, Some(old)) => {
                let (old, new) = (old.value.as_f64().unwrap_or(f64::NAN), number.unwrap_or(f64::NAN));
                let beats = if aggregate == Aggregate::Min { new < old } else { new > old };
                if !(beats || new.is_nan() && !old.is_nan()) {
                    return;
                }
                entry(value.clone())
            }
            (Aggregate::First, Some(Entry { origin: Origin::Row(lowest), .. })) if step >= *lowest => return,
            (Aggregate::Last, Some(Entry { origin: Origin::Row(highest), .. })) if step < *highest => return,
            (_, Some(_)) => entry(value.clone()),
        };
        self.entries.insert(leaf.clone(), new);
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
                self.entries.insert(key.into(), Entry { value: value.clone(), origin: Origin::Hand, count: 0 });
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

    fn define(summary: &mut Summary, name: &str, aggregates: &str) {
        let aggregates = Some(Aggregate::parse_list(aggregates).unwrap());
        summary.define(MetricDefinition { name: name.into(), summary: aggregates, ..MetricDefinition::default() });
    }

    fn leaves(summary: &Summary) -> Vec<(String, Value)> {
        let mut leaves: Vec<_> = summary.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
        leaves.sort_by(|a, b| a.0.cmp(&b.0));
        leaves
    }

    #[test]
    fn aggregates_take_in_every_value_in_any_order() {
        let mut summary = Summary::default();
        define(&mut summary, "loss", "min,max,mean,first,last");
        for (step, value) in [(1, 3.0), (0, 1.0), (3, 2.0), (2, 6.0)] {
            log(&mut summary, step, "loss", value);
        }
        log(&mut summary, 4, "loss", "text");
        let expected = [
            ("loss.first", Value::Float(1.0)),
            ("loss.last", "text".into()),
            ("loss.max", Value::Float(6.0)),
            ("loss.mean", Value::Float(3.0)),
            ("loss.min", Value::Float(1.0)),
        ];
        assert_eq!(leaves(&summary), expected.map(|(key, value)| (key.to_owned(), value)));
        assert_eq!(summary.means().collect::<Vec<_>>(), vec![("loss.mean".into(), 3.0, 4)]);
        assert_eq!(summary.step_of("loss.max"), Some(2));
    }

    #[test]
    fn nan_sticks_to_extremes() {
        let mut summary = Summary::default();
        define(&mut summary, "loss", "max");
        for (step, value) in [(0, 1.0), (1, f64::NAN), (2, 5.0)] {
            log(&mut summary, step, "loss", value);
        }
        assert_eq!(leaves(&summary), vec![("loss.max".to_owned(), Value::Float(f64::NAN))]);
    }

    #[test]
    fn a_definition_takes_the_place_of_the_plain_value_and_may_hide_it() {
        let mut summary = Summary::default();
        log(&mut summary, 0, "loss", 4.0);
        log(&mut summary, 0, "quiet", 4.0);
        define(&mut summary, "loss", "min");
        define(&mut summary, "quiet", "none");
        log(&mut summary, 1, "loss", 5.0);
        log(&mut summary, 1, "quiet", 5.0);
        assert_eq!(leaves(&summary), vec![("loss.min".to_owned(), Value::Float(5.0))]);
    }

    #[test]
    fn a_restored_summary_goes_on() {
        let mut summary = Summary::default();
        define(&mut summary, "loss", "mean");
        // Stored with the values of a row that will be applied again.
        summary.restore("loss.mean".into(), Value::Float(3.0), Some(4));
        summary.restore("best".into(), Value::Float(9.0), None);
        summary.restore_means([("loss.mean".into(), 2.0, 2)]);
        log(&mut summary, 4, "loss", 5.0);
        log(&mut summary, 4, "best", 1.0);
        let expected = [("best", 9.0), ("loss.mean", 3.0)];
        assert_eq!(leaves(&summary), expected.map(|(key, value)| (key.to_owned(), Value::Float(value))));
    }

    #[test]
    fn null_is_no_value() {
        let mut summary = Summary::default();
        log(&mut summary, 0, "loss", 0.5);
        log(&mut summary, 1, "loss", Value::Null);
        assert_eq!(summary.get("loss"), Some(&Value::Float(0.5)));
    }
}
