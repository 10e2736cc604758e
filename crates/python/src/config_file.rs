//! Config from YAML files.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::to_exception;
use crate::to_python::to_python;

/// The config entries of a YAML file as a new dict.
#[pyfunction]
pub(crate) fn read_config_file(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let entries = steplog::read_config_file(&path).map_err(|error| to_exception(py, &error))?;
    let dict = PyDict::new(py);
    for (key, value) in entries {
        dict.set_item(key, to_python(py, &value)?)?;
    }
    Ok(dict)
}
