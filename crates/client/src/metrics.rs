//! What definitions of metrics mean for the rows of this process.

use steplog_journal::{KeyId, Keys};
use steplog_model::{Aggregate, MetricDefinitions, Value, split_key};

/// The definitions of a run, with what is known of each key.
#[derive(Default)]
pub(crate) struct Metrics {
    definitions: MetricDefinitions,
    /// The step metrics, each with the key and the value that it had last.
    steps: Vec<(String, Option<(KeyId, Value)>)>,
    /// By number of the key.
    plans: Vec<Option<Plan>>,
    /// Whether the summary wants every value of some metric, not only the latest.
    pub(crate) every_value: bool,
}

/// What is to be done with a key; numbers are places in [`Metrics::steps`].
#[derive(Clone, Copy)]
struct Plan {
    /// The step metric that a row with the key gets.
    step: Option<usize>,
    /// Which step metric it is itself.
    is_step: Option<usize>,
}

impl Metrics {
    pub(crate) fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// Goes by these definitions from now on.
    pub(crate) fn follow(&mut self, definitions: &MetricDefinitions) {
        self.definitions = definitions.clone();
        self.plans.clear();
        for name in definitions.iter().filter_map(|definition| definition.step_metric.as_ref()) {
            if self.steps.iter().all(|(known, _)| known != name) {
                self.steps.push((name.clone(), None));
            }
        }
        let summarised = definitions.iter().filter_map(|definition| definition.summary.as_ref());
        self.every_value =
            summarised.flatten().any(|aggregate| !matches!(aggregate, Aggregate::None | Aggregate::Copy));
    }

    /// Gives a row the last values of the step metrics that its metrics want and that neither it nor the open row which
    /// it joins has.
    pub(crate) fn sync_steps(&mut self, entries: &mut Vec<(KeyId, Value)>, open: &[(KeyId, Value)], keys: &Keys) {
        let mut wanted = Vec::new();
        let mut present = Vec::new();
        for (key, value) in &*entries {
            let plan = self.plan(*key, keys);
            if let Some(step) = plan.is_step {
                present.push(step);
                self.steps[step].1 = Some((*key, value.clone()));
            }
            wanted.extend(plan.step.filter(|step| !wanted.contains(step)));
        }
        present.extend(open.iter().filter_map(|(key, _)| self.plan(*key, keys).is_step));
        wanted.retain(|step| !present.contains(step));
        entries.extend(wanted.into_iter().filter_map(|step| self.steps[step].1.clone()));
    }

    fn plan(&mut self, key: KeyId, keys: &Keys) -> Plan {
        if self.plans.len() <= key.index() {
            self.plans.resize(keys.texts().len(), None);
        }
        *self.plans[key.index()].get_or_insert_with(|| {
            let text = keys.text(key);
            let plain = split_key(text).join(".");
            let place = |name: &str| self.steps.iter().position(|(known, _)| known == name);
            let definition = self.definitions.find(text).filter(|definition| definition.syncs_step());
            let step = definition.and_then(|definition| place(definition.step_metric.as_deref()?));
            let is_step = place(text).or_else(|| place(&plain));
            Plan { step: step.filter(|step| is_step != Some(*step)), is_step }
        })
    }
}
