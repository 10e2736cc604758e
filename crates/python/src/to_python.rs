//! Values as Python objects.

use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList};
use steplog::{Value, split_key};

/// A value as a plain Python object.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(truth) => truth.into_bound_py_any(py),
        Value::Float(number) => number.into_bound_py_any(py),
        Value::Int(number) => number.into_bound_py_any(py),
        Value::BigInt(digits) => py.get_type::<PyInt>().call1((&**digits,)),
        Value::Text(text) => text.into_bound_py_any(py),
        Value::List(items) => {
            let list = PyList::empty(py);
            items.iter().try_for_each(|item| list.append(to_python(py, item)?))?;
            Ok(list.into_any())
        }
        Value::Map(entries) => {
            let dict = PyDict::new(py);
            entries.iter().try_for_each(|(name, value)| dict.set_item(&**name, to_python(py, value)?))?;
            Ok(dict.into_any())
        }
    }
}

/// An answer of the HTTP API as plain Python objects.
pub(crate) fn json_to_python<'py>(py: Python<'py>, answer: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    let json = serde_json::to_value(answer).map_err(|error| PyValueError::new_err(error.to_string()))?;
    to_python(py, &Value::from_json(json))
}

/// Leaves by key as nested dicts. Where a leaf and a map would stand in one place, the map wins.
pub(crate) fn nest<'py>(py: Python<'py>, leaves: &[(&str, &Value)]) -> PyResult<Bound<'py, PyDict>> {
    let root = PyDict::new(py);
    for (key, value) in leaves {
        let path = split_key(key);
        let (last, folders) = path.split_last().expect("a path has at least one part");
        let mut dict = root.clone();
        for folder in folders {
            let next = match dict.get_item(folder)? {
                Some(next) if next.is_instance_of::<PyDict>() => next.cast_into::<PyDict>()?,
                _ => {
                    let next = PyDict::new(py);
                    dict.set_item(folder, &next)?;
                    next
                }
            };
            dict = next;
        }
        if !dict.get_item(last)?.is_some_and(|there| there.is_instance_of::<PyDict>()) {
            dict.set_item(last, to_python(py, value)?)?;
        }
    }
    Ok(root)
}
