//! GPUs of all makers: what there is, and what one is busy with.

use serde_json::{Map, Value as Json, json};

use super::Values;

/// What a GPU is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gpu {
    pub(crate) name: String,
    pub(crate) memory_bytes: Option<f64>,
}

impl Gpu {
    /// `{name, memory_bytes}`.
    pub(crate) fn to_json(&self) -> Json {
        let mut members = Map::from_iter([("name".to_owned(), json!(self.name))]);
        if let Some(bytes) = self.memory_bytes {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "sizes are whole and not negative"
            )]
            members.insert("memory_bytes".into(), json!(bytes as u64));
        }
        Json::Object(members)
    }
}

/// What a GPU is busy with, as far as its driver tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct GpuLoad {
    /// Share of time in which something ran, in percent.
    pub(crate) percent: Option<f64>,
    pub(crate) memory_used_bytes: Option<f64>,
    pub(crate) memory_bytes: Option<f64>,
    /// Memory of the process that records and its children.
    pub(crate) process_memory_bytes: Option<f64>,
    pub(crate) celsius: Option<f64>,
    pub(crate) watts: Option<f64>,
    pub(crate) megahertz: Option<f64>,
}

impl GpuLoad {
    /// Adds what is known as `gpu.N.…`.
    pub(crate) fn add_to(&self, values: &mut Values, number: usize) {
        let share = |used: f64, all: f64| 100.0 * used / all;
        let mut add = |name: &str, value| values.add(&format!("gpu.{number}.{name}"), value);
        add("percent", self.percent);
        add("memory.percent", self.memory_used_bytes.zip(self.memory_bytes).map(|(used, all)| share(used, all)));
        add("memory.bytes", self.memory_used_bytes);
        add("memory.process.bytes", self.process_memory_bytes);
        add("temperature.celsius", self.celsius);
        add("power.watts", self.watts);
        add("clock.megahertz", self.megahertz);
    }
}

/// The GPUs of this machine, in the order of their numbers.
pub(crate) fn gpus() -> Vec<Gpu> {
    let mut gpus = super::nvidia::Nvidia::open().map(|nvidia| nvidia.gpus()).unwrap_or_default();
    #[cfg(target_os = "linux")]
    gpus.extend(super::linux::amd_gpus());
    gpus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_added() {
        let mut values = Values::default();
        let load = GpuLoad { memory_used_bytes: Some(1.0), memory_bytes: Some(4.0), ..GpuLoad::default() };
        load.add_to(&mut values, 3);
        GpuLoad { percent: Some(50.0), memory_used_bytes: Some(0.0), memory_bytes: Some(0.0), ..GpuLoad::default() }
            .add_to(&mut values, 0);
        let found: Vec<_> = values.0.iter().map(|(key, value)| (&**key, *value)).collect();
        let expected = [
            ("gpu.3.memory.percent", 25.0),
            ("gpu.3.memory.bytes", 1.0),
            ("gpu.0.percent", 50.0),
            ("gpu.0.memory.bytes", 0.0),
        ];
        assert_eq!(found, expected);
    }
}
