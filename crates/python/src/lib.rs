//! The native half of the steplog Python package: thin classes over the client crate.

mod error;
mod keys;
mod run;
mod save;
mod to_python;
mod to_value;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<run::NativeRun>()?;
    module.add_function(wrap_pyfunction!(run::send_run, module)?)?;
    Ok(())
}
