//! What machines were busy with: samples in chunks, read as series beside the metrics.
//!
//! Samples are no rows of the run: they are in no history and no summary. Their keys begin with [`PREFIX`], which a metric
//! of a script cannot take from them.

mod chunk;
mod export;
mod read;
mod verify;
mod write;

pub(crate) use read::{SystemCache, has_series, label_prefix, points};
pub(crate) use verify::verify;
pub(crate) use write::write;

/// How the keys of system metrics begin.
pub(crate) const PREFIX: &str = "_system/";
