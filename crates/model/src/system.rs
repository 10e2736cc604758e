//! What a machine is busy with.

use std::sync::Arc;

/// A sample has at most so many values.
pub const MAX_SYSTEM_VALUES: usize = 4096;

/// What a machine and a process on it were busy with at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemSample {
    /// Unix seconds.
    pub time: f64,
    /// By metric, such as `cpu.percent` or `gpu.0.memory.bytes`, at most [`crate::MAX_KEY_BYTES`] long each.
    pub values: Vec<(Arc<str>, f64)>,
}
