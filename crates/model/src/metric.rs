//! What a script says about its metrics: how they are summarised, and which of them is the step axis of others.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{MAX_KEY_BYTES, split_key};

/// How the values of a metric become one or more values of the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// The lowest number; NaN once there was one.
    Min,
    /// The highest number; NaN once there was one.
    Max,
    /// The mean of all numbers.
    Mean,
    /// The value of the lowest step.
    First,
    /// The value of the highest step.
    Last,
    /// No value at all, whatever else is asked for.
    None,
    /// The value of the highest step in the metric's own place, as without any definition.
    Copy,
}

impl Aggregate {
    /// The word for it, which is also its key in the summary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::First => "first",
            Self::Last => "last",
            Self::None => "none",
            Self::Copy => "copy",
        }
    }

    /// Reads a list such as `min, max`; upper and lower case are the same.
    ///
    /// # Errors
    /// A word is none of the aggregates.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, InvalidMetric> {
        const ALL: [Aggregate; 7] = [
            Aggregate::Min,
            Aggregate::Max,
            Aggregate::Mean,
            Aggregate::First,
            Aggregate::Last,
            Aggregate::None,
            Aggregate::Copy,
        ];
        let mut aggregates = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let known = ALL.into_iter().find(|aggregate| aggregate.as_str() == word.to_lowercase());
            let aggregate = known.ok_or_else(|| {
                InvalidMetric(format!("summary {word:?} is none of min, max, mean, first, last, none, copy"))
            })?;
            if !aggregates.contains(&aggregate) {
                aggregates.push(aggregate);
            }
        }
        Ok(aggregates)
    }
}

/// A definition that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidMetric(String);

/// What is said about a metric, or about all whose name begins alike. Absent members say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricDefinition {
    /// The metric; with a `*` at its end all that begin so. The parts of a nested key are joined by `.`.
    pub name: String,
    /// The metric that is the natural x-axis of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_metric: Option<String>,
    /// Whether rows that lack the step metric get its last value. Default: yes, when there is a step metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_sync: Option<bool>,
    /// Whether charts of it are hidden unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
    /// What the summary shows of it; `None`: the value of the highest step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Vec<Aggregate>>,
    /// Whether an earlier definition of the same name is replaced as a whole, not only where this one says something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
}

impl MetricDefinition {
    /// Checks the names.
    ///
    /// # Errors
    /// The name is empty, longer than [`MAX_KEY_BYTES`], or has a `*` before its end; or so has the step metric.
    pub fn check(&self) -> Result<(), InvalidMetric> {
        let name = &self.name;
        if name.is_empty() {
            return Err(InvalidMetric("the metric's name is empty".into()));
        }
        if name.strip_suffix('*').unwrap_or(name).contains('*') {
            return Err(InvalidMetric(format!("metric {name:?}: a * is possible only at the end")));
        }
        if self.step_metric.as_ref().is_some_and(|step| step.is_empty() || step.contains('*')) {
            return Err(InvalidMetric(format!("metric {name:?}: the step metric must be the name of one metric")));
        }
        let longest = self.step_metric.as_ref().map_or(0, String::len).max(name.len());
        if longest > MAX_KEY_BYTES {
            return Err(InvalidMetric(format!("a metric's name of {longest} bytes is longer than {MAX_KEY_BYTES}")));
        }
        Ok(())
    }

    /// Whether rows that have this metric get the last value of its step metric.
    pub fn syncs_step(&self) -> bool {
        self.step_metric.is_some() && self.step_sync.unwrap_or(true)
    }

    /// Takes in a later definition of the same name.
    fn merge(&mut self, later: Self) {
        if later.overwrite {
            *self = later;
            return;
        }
        self.step_metric = later.step_metric.or(self.step_metric.take());
        self.step_sync = later.step_sync.or(self.step_sync);
        self.hidden = later.hidden.or(self.hidden);
        self.summary = later.summary.or(self.summary.take());
    }
}

/// All definitions of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricDefinitions {
    definitions: Vec<MetricDefinition>,
}

/// What the summary shows of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum SummaryRule {
    /// The value of the highest step.
    Latest,
    /// Nothing.
    Absent,
    /// A map with these entries; each with the key of its leaf.
    Aggregates(Vec<(Aggregate, Arc<str>)>),
}

impl MetricDefinitions {
    /// Takes in a definition.
    pub fn define(&mut self, definition: MetricDefinition) {
        match self.definitions.iter_mut().find(|known| known.name == definition.name) {
            Some(known) => known.merge(definition),
            None => self.definitions.push(definition),
        }
    }

    /// All of them, in the order in which their names were first defined.
    pub fn iter(&self) -> impl Iterator<Item = &MetricDefinition> {
        self.definitions.iter()
    }

    /// Whether nothing was defined.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// The definition of a metric, given by its key as [`crate::join_key`] writes it: its own, else the one with the
    /// longest beginning that fits.
    pub fn find(&self, key: &str) -> Option<&MetricDefinition> {
        if self.definitions.is_empty() {
            return None;
        }
        // In a definition, a dot is a dot: both in a nested key and in a part of one.
        let plain = if key.contains('\\') { split_key(key).join(".") } else { key.to_owned() };
        let is_own = |definition: &&MetricDefinition| definition.name == plain || definition.name == key;
        let prefix = |definition: &MetricDefinition| {
            definition.name.strip_suffix('*').filter(|prefix| plain.starts_with(prefix)).map(str::len)
        };
        self.definitions.iter().find(is_own).or_else(|| {
            let fitting = self.definitions.iter().filter_map(|definition| Some((prefix(definition)?, definition)));
            fitting.max_by_key(|(length, _)| *length).map(|(_, definition)| definition)
        })
    }

    /// What the summary shows of a metric.
    pub fn summary_rule(&self, key: &str) -> SummaryRule {
        let Some(aggregates) = self.find(key).and_then(|definition| definition.summary.as_ref()) else {
            return SummaryRule::Latest;
        };
        if aggregates.contains(&Aggregate::None) {
            return SummaryRule::Absent;
        }
        if aggregates.is_empty() || aggregates.contains(&Aggregate::Copy) {
            return SummaryRule::Latest;
        }
        let leaf = |aggregate: &Aggregate| (*aggregate, format!("{key}.{}", aggregate.as_str()).into());
        SummaryRule::Aggregates(aggregates.iter().map(leaf).collect())
    }
}

/// Summary rules by key, looked up once for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct SummaryRules {
    by_key: HashMap<Arc<str>, Arc<SummaryRule>>,
}

impl SummaryRules {
    pub(crate) fn get(&mut self, definitions: &MetricDefinitions, key: &Arc<str>) -> Arc<SummaryRule> {
        if let Some(rule) = self.by_key.get(key) {
            return rule.clone();
        }
        let rule = Arc::new(definitions.summary_rule(key));
        self.by_key.insert(key.clone(), rule.clone());
        rule
    }

    pub(crate) fn forget(&mut self) {
        self.by_key.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str, summary: &str) -> MetricDefinition {
        let summary = Some(Aggregate::parse_list(summary).unwrap());
        MetricDefinition { name: name.into(), summary, ..MetricDefinition::default() }
    }

    #[test]
    fn a_definition_of_its_own_beats_a_longer_prefix_beats_a_shorter_one() {
        let mut definitions = MetricDefinitions::default();
        for (name, summary) in [("*", "last"), ("train/*", "min"), ("train/loss", "max"), ("n.a", "mean")] {
            definitions.define(definition(name, summary));
        }
        let found = |key: &str| definitions.find(key).map(|definition| definition.name.as_str());
        assert_eq!(found("train/loss"), Some("train/loss"));
        assert_eq!(found("train/accuracy"), Some("train/*"));
        assert_eq!(found("loss"), Some("*"));
        assert_eq!(found("n.a"), Some("n.a"));
        assert_eq!(found(r"n\.a"), Some("n.a"));
    }

    #[test]
    fn a_later_definition_adds_unless_it_overwrites() {
        let mut definitions = MetricDefinitions::default();
        let step = MetricDefinition { step_metric: Some("epoch".into()), ..definition("loss", "min") };
        definitions.define(step);
        definitions.define(MetricDefinition { summary: None, hidden: Some(true), ..definition("loss", "") });
        let merged = definitions.find("loss").unwrap().clone();
        assert_eq!((merged.step_metric.as_deref(), merged.hidden), (Some("epoch"), Some(true)));
        assert_eq!(merged.summary, Some(vec![Aggregate::Min]));
        definitions.define(MetricDefinition { overwrite: true, ..definition("loss", "max") });
        let replaced = definitions.find("loss").unwrap();
        assert_eq!((replaced.step_metric.as_deref(), replaced.hidden), (None, None));
    }

    #[test]
    fn names_and_aggregates_are_checked() {
        assert_eq!(Aggregate::parse_list("MIN, mean,min").unwrap(), vec![Aggregate::Min, Aggregate::Mean]);
        assert_eq!(
            Aggregate::parse_list("best").unwrap_err().to_string(),
            "summary \"best\" is none of min, max, mean, first, last, none, copy"
        );
        assert!(definition("a*b", "min").check().is_err());
        assert!(definition("", "min").check().is_err());
        assert!(definition("a/*", "min").check().is_ok());
    }

    #[test]
    fn the_rule_names_the_leaves() {
        let mut definitions = MetricDefinitions::default();
        definitions.define(definition("loss", "min,max"));
        definitions.define(definition("quiet", "max,none"));
        definitions.define(definition("plain", "copy"));
        let leaves = vec![(Aggregate::Min, "loss.min".into()), (Aggregate::Max, "loss.max".into())];
        assert_eq!(definitions.summary_rule("loss"), SummaryRule::Aggregates(leaves));
        assert_eq!(definitions.summary_rule("quiet"), SummaryRule::Absent);
        assert_eq!(definitions.summary_rule("plain"), SummaryRule::Latest);
        assert_eq!(definitions.summary_rule("other"), SummaryRule::Latest);
    }
}
