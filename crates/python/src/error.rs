//! Errors of the client as the exceptions of `steplog.errors`.

use pyo3::exceptions::PyIsADirectoryError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use steplog::ErrorKind;

fn class<'py>(py: Python<'py>, name: &str, cell: &'static PyOnceLock<Py<PyType>>) -> PyResult<&'py Bound<'py, PyType>> {
    let class = cell.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("steplog.errors")?.getattr(name)?.cast_into::<PyType>()?.unbind())
    })?;
    Ok(class.bind(py))
}

fn raise(py: Python<'_>, name: &str, cell: &'static PyOnceLock<Py<PyType>>, message: String) -> PyErr {
    match class(py, name, cell) {
        Ok(class) => PyErr::from_type(class.clone(), message),
        Err(error) => error,
    }
}

/// The exception for data or arguments that are refused.
pub(crate) fn invalid(py: Python<'_>, message: impl Into<String>) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    raise(py, "InvalidDataError", &CLASS, message.into())
}

/// The exception for an error of the client.
pub(crate) fn to_exception(py: Python<'_>, error: &steplog::Error) -> PyErr {
    static CONFIG: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static USAGE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static COMM: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static AUTHENTICATION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static NOT_FOUND: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static FINALIZED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static NOT_LOGGED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static TIMEOUT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static INTEGRITY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static OTHER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let message = error.to_string();
    match error.kind() {
        ErrorKind::Invalid => invalid(py, message),
        ErrorKind::Data => raise(py, "IntegrityError", &INTEGRITY, message),
        ErrorKind::ArtifactFinalized => raise(py, "ArtifactFinalizedError", &FINALIZED, message),
        ErrorKind::ArtifactNotLogged => raise(py, "ArtifactNotLoggedError", &NOT_LOGGED, message),
        ErrorKind::Timeout => raise(py, "WaitTimeoutError", &TIMEOUT, message),
        ErrorKind::ConfigConflict | ErrorKind::ConfigFile => raise(py, "ConfigError", &CONFIG, message),
        ErrorKind::Usage | ErrorKind::Finished => raise(py, "UsageError", &USAGE, message),
        ErrorKind::NotFound => raise(py, "NotFoundError", &NOT_FOUND, message),
        ErrorKind::Server => raise(py, "CommError", &COMM, message),
        ErrorKind::Unauthorized => raise(py, "AuthenticationError", &AUTHENTICATION, message),
        ErrorKind::IsADirectory => PyIsADirectoryError::new_err(message),
        ErrorKind::Io => raise(py, "Error", &OTHER, message),
    }
}
