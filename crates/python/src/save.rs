//! `Run.save` as Python calls it.

use std::path::PathBuf;

use pyo3::prelude::*;
use steplog::{FilePolicy, Run, SaveOptions};

use crate::error::to_exception;

/// Saves files; answers where they stand in the run's folder.
pub(crate) fn save(
    py: Python<'_>,
    run: &Run,
    pattern: &str,
    base_path: Option<PathBuf>,
    policy: &str,
    glob: bool,
) -> PyResult<Vec<String>> {
    let policy: FilePolicy = policy.parse().map_err(|error| to_exception(py, &steplog::Error::from(error)))?;
    let options = SaveOptions { base_path, policy, glob };
    // Looking for files may take long, and so may a copy.
    let paths = py.detach(|| run.save(pattern, &options)).map_err(|error| to_exception(py, &error))?;
    Ok(paths.iter().map(|path| path.display().to_string()).collect())
}
