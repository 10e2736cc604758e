//! The native half of the steplog Python package: thin classes over the client crate.

mod api;
mod api_artifact;
mod array;
mod artifact;
mod config_file;
mod console;
mod error;
mod histogram;
mod keys;
mod kind;
mod run;
mod save;
mod text;
mod to_python;
mod to_value;
mod waiting;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<run::NativeRun>()?;
    module.add_class::<console::NativeWriter>()?;
    module.add_class::<artifact::NativeArtifact>()?;
    module.add_class::<artifact::NativeNewFile>()?;
    module.add_class::<api_artifact::NativeArtifacts>()?;
    module.add_class::<api_artifact::NativeCollection>()?;
    module.add_class::<api_artifact::NativeCollections>()?;
    module.add_function(wrap_pyfunction!(config_file::read_config_file, module)?)?;
    module.add_function(wrap_pyfunction!(histogram::count_histogram, module)?)?;
    module.add_function(wrap_pyfunction!(histogram::histogram_edges, module)?)?;
    module.add_class::<api::NativeApi>()?;
    module.add_class::<api::NativeRuns>()?;
    module.add_class::<api::NativeApiRun>()?;
    module.add_class::<api::NativeRows>()?;
    module.add_class::<api::NativeDownload>()?;
    module.add_class::<api::NativeConsole>()?;
    module.add_class::<api::NativeFiles>()?;
    module.add_class::<api::NativeApiFile>()?;
    module.add_function(wrap_pyfunction!(run::send_run, module)?)?;
    Ok(())
}
