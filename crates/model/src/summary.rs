//! The summary of a run: one value for each metric, the latest unless somebody set it by hand.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::metric::SummaryRules;
use crate::{Aggregate, Change, MetricDefinition, MetricDefinitions, Row, SummaryRule, Value};

/// The latest value of every metric, by key as [`crate::join_key`] writes it, or what its definition asks for instead.
///
/// The row with the highest step wins, whenever it was written; of two writes at one step the later wins. That holds for
/// a leaf and the leaves of a map in its place too. A key set by hand stays until it is set or removed by hand. After a
/// `null` there is no value. Aggregates such as `loss.min` take in every value of a complete row.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// At no time a leaf and leaves below it. `null` stands for no value since that step, and is shown to nobody.
    entries: HashMap<Arc<str>, Entry>,
    /// Every key that has, or once had, leaves below it.
    folders: HashSet<Box<str>>,
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
        if self.by_hand > 0 && self.is_below_hand(key) {
            return;
        }
        if self.definitions.is_empty() {
            return self.put_latest(key, step, value, changed);
        }
        match &*self.rules.get(&self.definitions, key) {
            SummaryRule::Latest => self.put_latest(key, step, value, changed),
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
                if matches!(value, Value::Null) {
                    return;
                }
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
        self.insert(key, Entry { value, origin: step.map_or(Origin::Hand, Origin::Row), count: 0 });
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
            if !self.entries.contains_key(&key) {
                self.insert(key, entry);
            }
        }
    }

    fn put_latest(&mut self, key: &Arc<str>, step: i64, value: &Value, mut changed: impl FnMut(&Arc<str>)) {
        let new = || Entry { value: value.clone(), origin: Origin::Row(step), count: 0 };
        match self.entries.get_mut(key).map(|entry| (entry.origin, entry)) {
            Some((Origin::Hand, _)) => return,
            Some((Origin::Row(highest), _)) if step < highest => return,
            Some((_, entry)) => *entry = new(),
            None => {
                if !self.make_room(key, step, &mut changed) {
                    return;
                }
                self.insert(key.clone(), new());
            }
        }
        changed(key);
    }

    /// Removes what a new leaf takes the place of: a leaf above it, or the leaves below it. `false`, and nothing is
    /// removed, when one of them is of a higher step or set by hand.
    fn make_room(&mut self, key: &str, step: i64, changed: &mut impl FnMut(&Arc<str>)) -> bool {
        let above = keys_above(key).filter_map(|above| self.entries.get_key_value(above));
        let mut in_the_way: Vec<Arc<str>> = above.map(|(name, _)| name.clone()).collect();
        if self.folders.contains(key) {
            let below = format!("{key}.");
            in_the_way.extend(self.entries.keys().filter(|name| name.starts_with(&below)).cloned());
        }
        let gives_way = |name: &Arc<str>| match &self.entries[name] {
            Entry { origin: Origin::Row(highest), .. } => *highest <= step,
            Entry { origin: Origin::Hand, value, .. } => is_empty_map(value),
        };
        if !in_the_way.iter().all(gives_way) {
            return false;
        }
        for name in in_the_way {
            self.remove(&name);
            changed(&name);
        }
        true
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
        match self.entries.get_mut(leaf) {
            Some(entry) => *entry = new,
            None => self.insert(leaf.clone(), new),
        }
    }

    /// Takes in a change made by hand. A map is set leaf by leaf, in place of whatever stood at and below its key; maps
    /// inside that are empty are left out. `null` and NaN are no values: they remove.
    pub fn apply_change(&mut self, change: &Change) {
        self.remove_tree(&change.key);
        let value = change.value.as_ref().filter(|value| !is_no_value(value));
        for above in keys_above(&change.key) {
            self.open(above, value.is_some());
        }
        if let Some(value) = value {
            self.insert_by_hand(&change.key, value);
        }
    }

    /// The value of a leaf.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key).map(|entry| &entry.value).filter(|value| !matches!(value, Value::Null))
    }

    /// Whether anything was set by hand.
    pub fn has_by_hand(&self) -> bool {
        self.by_hand > 0
    }

    /// The leaves set by hand at a key, above it and below it: those that keep a row's value of that key out.
    pub fn by_hand_around(&self, key: &str) -> Vec<Arc<str>> {
        if self.by_hand == 0 {
            return Vec::new();
        }
        let here_and_above = keys_above(key).chain([key]).filter(|name| self.is_by_hand(name));
        let mut around: Vec<Arc<str>> = here_and_above.map(Arc::from).collect();
        if self.folders.contains(key) {
            let below = format!("{key}.");
            let names = self.entries.keys().filter(|name| name.starts_with(&below) && self.is_by_hand(name));
            around.extend(names.cloned());
        }
        around
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
        let entries = self.entries.iter().map(|(key, entry)| (key, &entry.value));
        entries.filter(|(_, value)| !matches!(value, Value::Null))
    }

    /// Every way into the entries that may add a key.
    fn insert(&mut self, key: Arc<str>, entry: Entry) {
        for above in keys_above(&key) {
            if !self.folders.contains(above) {
                self.folders.insert(above.into());
            }
        }
        self.by_hand += usize::from(entry.origin == Origin::Hand);
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &str) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.by_hand -= usize::from(entry.origin == Origin::Hand);
        Some(entry)
    }

    fn insert_by_hand(&mut self, key: &str, value: &Value) {
        match value {
            Value::Map(entries) if !entries.is_empty() && !value.is_typed() => {
                for (name, value) in entries.iter().filter(|(_, value)| !is_empty_map(value)) {
                    self.insert_by_hand(&format!("{key}.{}", crate::join_key([&**name])), value);
                }
            }
            value if is_no_value(value) => {}
            value => self.insert(key.into(), Entry { value: value.clone(), origin: Origin::Hand, count: 0 }),
        }
    }

    /// Makes way for a change below a leaf: a map becomes its entries, anything else goes if `removes`.
    fn open(&mut self, key: &str, removes: bool) {
        let is_map = matches!(self.entries.get(key), Some(Entry { value: Value::Map(_), .. }));
        if !is_map && !removes {
            return;
        }
        if let Some(Entry { value: Value::Map(entries), origin, count }) = self.remove(key) {
            for (name, value) in entries {
                self.insert(format!("{key}.{}", crate::join_key([&*name])).into(), Entry { value, origin, count });
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
        keys_above(key).any(|above| self.is_by_hand(above) && !is_empty_map(&self.entries[above].value))
    }
}

/// The keys of the maps that a key is in. A `\.` inside a part gives a text that is no key, and finds nothing.
fn keys_above(key: &str) -> impl Iterator<Item = &str> {
    key.match_indices('.').map(|(at, _)| &key[..at])
}

fn is_empty_map(value: &Value) -> bool {
    matches!(value, Value::Map(entries) if entries.is_empty())
}

/// What a hand cannot set.
fn is_no_value(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Float(number) => number.is_nan(),
        _ => false,
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
    fn after_a_null_there_is_no_value() {
        let mut summary = Summary::default();
        log(&mut summary, 0, "loss", 0.5);
        log(&mut summary, 2, "loss", Value::Null);
        log(&mut summary, 1, "loss", 0.4);
        assert_eq!((summary.get("loss"), leaves(&summary)), (None, vec![]));
        log(&mut summary, 3, "loss", 0.3);
        assert_eq!(leaves(&summary), vec![("loss".to_owned(), Value::Float(0.3))]);
    }

    fn noted(summary: &mut Summary, step: i64, key: &str, value: impl Into<Value>) -> Vec<String> {
        let mut changed = Vec::new();
        summary.apply_value_noting(&key.into(), step, &value.into(), |leaf| changed.push(leaf.to_string()));
        changed
    }

    #[test]
    fn a_leaf_and_a_map_take_each_others_place_by_their_steps() {
        let mut summary = Summary::default();
        assert_eq!(noted(&mut summary, 0, "v", 1), ["v"]);
        assert_eq!(noted(&mut summary, 1, "v.a.b", 2), ["v", "v.a.b"]);
        assert_eq!(noted(&mut summary, 0, "v", 9), [""; 0]);
        assert_eq!(leaves(&summary), vec![("v.a.b".to_owned(), Value::Int(2))]);
        assert_eq!(noted(&mut summary, 2, "v", 3), ["v.a.b", "v"]);
        assert_eq!(noted(&mut summary, 1, "v.a.b", 4), [""; 0]);
        assert_eq!(leaves(&summary), vec![("v".to_owned(), Value::Int(3))]);
        // A dot inside a part is no map.
        assert_eq!(noted(&mut summary, 2, r"v\.a", 5), [r"v\.a"]);
        assert_eq!(leaves(&summary), vec![("v".to_owned(), Value::Int(3)), (r"v\.a".to_owned(), Value::Int(5))]);
    }

    #[test]
    fn a_row_does_not_replace_what_a_hand_set_above_or_below() {
        let mut summary = Summary::default();
        set(&mut summary, "q", Value::Map(vec![("x".into(), 1.into())]));
        set(&mut summary, "s", 1);
        log(&mut summary, 5, "q", 9);
        log(&mut summary, 5, "q.y", 2);
        log(&mut summary, 5, "s.a", 2);
        let expected = [("q.x", 1), ("q.y", 2), ("s", 1)];
        assert_eq!(leaves(&summary), expected.map(|(key, value)| (key.to_owned(), Value::Int(value))));
        let around = |key: &str| {
            let mut keys: Vec<_> = summary.by_hand_around(key).iter().map(|key| key.to_string()).collect();
            keys.sort();
            keys
        };
        assert_eq!(
            (around("q"), around("q.x"), around("q.y"), around("s.a")),
            (vec!["q.x".to_owned()], vec!["q.x".to_owned()], vec![], vec!["s".to_owned()])
        );
    }

    #[test]
    fn a_hand_sets_a_leaf_where_another_leaf_or_a_typed_map_stood() {
        let mut summary = Summary::default();
        let typed = Value::Map(vec![("_type".into(), "t".into()), ("a".into(), 1.into())]);
        log(&mut summary, 0, "v", 1);
        log(&mut summary, 0, "typed", typed);
        set(&mut summary, "v.a", 2);
        set(&mut summary, "typed.b", 3);
        summary.apply_change(&Change { key: "v.a.none".into(), value: None });
        let expected = [("typed._type", "t".into()), ("typed.a", 1.into()), ("typed.b", 3.into()), ("v.a", 2.into())];
        assert_eq!(leaves(&summary), expected.map(|(key, value): (_, Value)| (key.to_owned(), value)));
    }

    #[test]
    fn null_nan_and_empty_maps_inside_are_not_set_by_hand() {
        let mut summary = Summary::default();
        log(&mut summary, 0, "a", 1);
        set(&mut summary, "a", f64::NAN);
        set(&mut summary, "b", Value::Null);
        let empty = || Value::Map(vec![]);
        set(&mut summary, "c", Value::Map(vec![("x".into(), empty()), ("y".into(), f64::INFINITY.into())]));
        assert_eq!(leaves(&summary), vec![("c.y".to_owned(), Value::Float(f64::INFINITY))]);
        assert!(summary.has_by_hand());
        // An empty map by itself is a map that waits for entries, by hand or from rows.
        set(&mut summary, "c", empty());
        assert_eq!(leaves(&summary), vec![("c".to_owned(), empty())]);
        log(&mut summary, 1, "c.z", 2);
        assert_eq!((leaves(&summary), summary.has_by_hand()), (vec![("c.z".to_owned(), Value::Int(2))], false));
    }
}
