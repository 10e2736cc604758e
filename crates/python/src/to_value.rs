//! Python objects as values. Libraries are recognised by the name of an object's type, never imported.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};
use steplog::{Value, join_key};

use crate::error::invalid;

/// Deepest nesting of containers; a container inside itself ends here too.
const MAX_DEPTH: usize = 64;

/// An array of up to so many numbers is kept as a list.
const MAX_ARRAY: usize = 32;

/// What to do with objects that are no plain data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// Refuse them: rows and summary.
    Refuse,
    /// Keep their `str()`, and no NaN: config.
    Describe,
}

/// Appends the leaves of a value to a row; maps inside become leaves of their own, empty ones none.
pub(crate) fn flatten(
    leaves: &mut Vec<(String, Value)>,
    key: String,
    object: &Bound<'_, PyAny>,
    depth: usize,
) -> PyResult<()> {
    let Some(dict) = as_dict(object)? else {
        leaves.push((key.clone(), to_value(object, &key, Strictness::Refuse, depth)?));
        return Ok(());
    };
    check_depth(object.py(), &key, depth)?;
    for (name, value) in dict {
        let name = inner_key(&name)?;
        flatten(leaves, format!("{key}.{}", join_key([&*name])), &value, depth + 1)?;
    }
    Ok(())
}

/// A Python object as a value. `key` names it in errors.
pub(crate) fn to_value(object: &Bound<'_, PyAny>, key: &str, strictness: Strictness, depth: usize) -> PyResult<Value> {
    if object.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(truth) = object.cast::<PyBool>() {
        return Ok(Value::Bool(truth.is_true()));
    }
    if let Ok(number) = object.cast::<PyFloat>() {
        return Ok(float(number.value(), strictness));
    }
    if let Ok(number) = object.cast::<PyInt>() {
        return integer(number, key);
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Value::Text(text.to_string_lossy().into()));
    }
    if let Some(dict) = as_dict(object)? {
        check_depth(object.py(), key, depth)?;
        let mut entries: Vec<(Box<str>, Value)> = Vec::with_capacity(dict.len());
        for (name, value) in dict {
            let value = to_value(&value, key, strictness, depth + 1)?;
            entries.push((inner_key(&name)?.into(), value));
        }
        return Ok(Value::Map(entries));
    }
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        check_depth(object.py(), key, depth)?;
        let items = object.try_iter()?.map(|item| to_value(&item?, key, strictness, depth + 1));
        return Ok(Value::List(items.collect::<PyResult<_>>()?));
    }
    if let Some(plain) = array_as_plain(object, key)? {
        return to_value(&plain, key, strictness, depth + 1);
    }
    if strictness == Strictness::Describe {
        return Ok(Value::Text(object.str()?.to_string_lossy().into()));
    }
    let class = object.get_type().fully_qualified_name()?;
    let message = format!(
        "the value of {key:?} is a {class}, which cannot be logged; log numbers, text, booleans, None, lists or dicts"
    );
    Err(invalid(object.py(), message))
}

/// The key of an inner map: any object as text, as JSON writers do it.
fn inner_key(name: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(name.str()?.to_string_lossy().into_owned())
}

/// A dict, or any other mapping as a dict.
pub(crate) fn as_dict<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    if let Ok(dict) = object.cast_exact::<PyDict>() {
        return Ok(Some(dict.clone()));
    }
    let Ok(mapping) = object.cast::<PyMapping>() else {
        return Ok(None);
    };
    let dict = PyDict::new(object.py());
    for pair in mapping.items()?.iter() {
        let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = pair.extract()?;
        dict.set_item(key, value)?;
    }
    Ok(Some(dict))
}

fn check_depth(py: Python<'_>, key: &str, depth: usize) -> PyResult<()> {
    if depth < MAX_DEPTH {
        return Ok(());
    }
    Err(invalid(
        py,
        format!("the value of {:?} nests more than {MAX_DEPTH} levels deep, or contains itself", shortened(key)),
    ))
}

/// A key for an error message: that of a cyclic dict is long.
fn shortened(key: &str) -> String {
    if key.chars().count() <= 80 { key.to_owned() } else { key.chars().take(80).chain(['…']).collect() }
}

fn float(number: f64, strictness: Strictness) -> Value {
    if strictness == Strictness::Describe && number.is_nan() { Value::Null } else { Value::Float(number) }
}

fn integer(number: &Bound<'_, PyInt>, key: &str) -> PyResult<Value> {
    if let Ok(small) = number.extract::<i64>() {
        return Ok(Value::Int(small));
    }
    // An int subclass may print itself as it likes; a plain int prints digits.
    let plain = number.call_method0("__index__")?;
    match plain.str() {
        Ok(digits) => Ok(Value::BigInt(digits.to_string_lossy().into())),
        Err(error) => {
            Err(invalid(number.py(), format!("the value of {key:?} is an integer that Python does not print: {error}")))
        }
    }
}

/// A number or small array of NumPy, PyTorch, JAX or TensorFlow as plain Python numbers.
fn array_as_plain<'py>(object: &Bound<'py, PyAny>, key: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let module = object.get_type().module()?;
    let library = module.to_string_lossy();
    let library = library.split('.').next().unwrap_or_default();
    if !matches!(library, "numpy" | "torch" | "jax" | "jaxlib" | "tensorflow") || !object.hasattr("shape")? {
        return Ok(None);
    }
    let size = match object.getattr("size") {
        // A PyTorch tensor has `size` as a method, and its number of elements as another.
        Ok(size) if size.is_callable() => object.call_method0("numel")?.extract::<usize>()?,
        Ok(size) => size.extract::<usize>()?,
        Err(_) => object.call_method0("numpy")?.getattr("size")?.extract::<usize>()?,
    };
    if size > MAX_ARRAY {
        let message = format!(
            "the value of {key:?} is an array of {size} numbers; log up to {MAX_ARRAY}, or a statistic of them"
        );
        return Err(invalid(object.py(), message));
    }
    // A TensorFlow tensor has neither `item` nor `tolist`, but its NumPy twin has.
    let object = if object.hasattr("tolist")? { object.clone() } else { object.call_method0("numpy")? };
    if size == 1 { object.call_method0("item").map(Some) } else { object.call_method0("tolist").map(Some) }
}
