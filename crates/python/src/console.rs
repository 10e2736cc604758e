//! Catching what Python prints.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};
use steplog::{ConsoleOutput, Run};

use crate::run::NativeRun;

/// Stands in the place of the `write` of a stream. It is native so that nothing of it shows: neither in tracebacks, should
/// the stream raise, nor in debuggers and profiles.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeWriter {
    /// The `write` of the stream.
    #[pyo3(get)]
    before: Py<PyAny>,
    /// Whether that was an attribute of the stream itself, not of its class.
    #[pyo3(get)]
    is_own: bool,
    output: ConsoleOutput,
    /// Held only while no Python code can run.
    runs: Mutex<Vec<Run>>,
}

#[pymethods]
impl NativeWriter {
    #[new]
    fn new(before: Py<PyAny>, is_own: bool, is_error: bool) -> Self {
        let output = if is_error { ConsoleOutput::Stderr } else { ConsoleOutput::Stdout };
        Self { before, is_own, output, runs: Mutex::default() }
    }

    /// Records for a run too.
    fn add(&self, run: &NativeRun) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if !runs.iter().any(|other| other.is_same(run.run())) {
            runs.push(run.run().clone());
        }
    }

    /// Records for a run no more; whether there is another one.
    fn remove(&self, run: &NativeRun) -> bool {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|other| !other.is_same(run.run()));
        !runs.is_empty()
    }

    /// Writes as the stream does, and records what it took.
    #[pyo3(signature = (*arguments, **named))]
    fn __call__<'py>(
        &self,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let written = self.before.bind(arguments.py()).call(arguments, named)?;
        if let Ok(what) = arguments.get_borrowed_item(0) {
            if let Ok(text) = what.cast::<PyString>() {
                match text.to_str() {
                    Ok(text) => self.record(text.as_bytes()),
                    Err(_) => self.record(text.to_string_lossy().as_bytes()),
                }
            } else if let Ok(bytes) = what.cast::<PyBytes>() {
                self.record(bytes.as_bytes());
            }
        }
        Ok(written)
    }

    /// Everything else is as with the stream's own.
    fn __getattr__<'py>(&self, py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.before.bind(py).getattr(name)
    }
}

impl NativeWriter {
    fn record(&self, bytes: &[u8]) {
        for run in &*self.runs.lock().unwrap_or_else(PoisonError::into_inner) {
            run.write_console(self.output, bytes);
        }
    }
}
