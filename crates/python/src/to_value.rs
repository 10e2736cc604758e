//! Python objects as values.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyComplex, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PySlice,
    PyString, PyTuple,
};
use steplog::{Value, join_key};

use crate::array::{array_to_value, scalar_to_value};
use crate::error::invalid;
use crate::histogram::histogram_to_value;
use crate::kind::Kind;
use crate::text;

/// Deepest nesting of containers; a container inside itself ends here too.
const MAX_DEPTH: usize = 64;

/// Where a value goes, which decides what a large array becomes and what happens to objects that are no plain data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A large array becomes a histogram; other objects are refused.
    Row,
    /// A large array becomes statistics; other objects are refused.
    Summary,
    /// Everything else than plain data becomes its `str()`, NaN becomes null, and an enum member its name.
    Config,
}

/// Appends the leaves of a value to a row; maps inside become leaves of their own, empty ones none. A map with a `_type`
/// is one thing, such as a histogram, and one leaf.
pub(crate) fn flatten(
    leaves: &mut Vec<(String, Value)>,
    key: String,
    object: &Bound<'_, PyAny>,
    depth: usize,
) -> PyResult<()> {
    if let Some(value) = plain(object, &key, Place::Row)? {
        leaves.push((key, value));
        return Ok(());
    }
    let may_be_map = !is_sequence(object) && Kind::of(object)?.is_none();
    let dict = if may_be_map { as_entries(object)? } else { None };
    let dict = match dict {
        Some(dict) if !is_typed(&dict)? => dict,
        _ => {
            let value = to_value(object, &key, Place::Row, depth)?;
            leaves.push((key, value));
            return Ok(());
        }
    };
    check_depth(object.py(), &key, depth)?;
    for (name, value) in dict {
        let name = inner_key(&name)?;
        flatten(leaves, format!("{key}.{}", join_key([&*name])), &value, depth + 1)?;
    }
    Ok(())
}

/// A Python object as a value. `key` names it in errors.
pub(crate) fn to_value(object: &Bound<'_, PyAny>, key: &str, place: Place, depth: usize) -> PyResult<Value> {
    // Of an enum of numbers or text, too, the config keeps the name.
    if place == Place::Config && Kind::of(object)? == Some(Kind::Enum) {
        return Ok(Value::Text(text::plain(&object.getattr("name")?)?.into()));
    }
    if let Some(value) = plain(object, key, place)? {
        return Ok(value);
    }
    if is_sequence(object) {
        check_depth(object.py(), key, depth)?;
        let items = object.try_iter()?.map(|item| to_value(&item?, key, place, depth + 1));
        return Ok(Value::List(items.collect::<PyResult<_>>()?));
    }
    let kind = Kind::of(object)?;
    let dict = if kind.is_none() { as_entries(object)? } else { None };
    if let Some(dict) = dict {
        check_depth(object.py(), key, depth)?;
        return Ok(Value::Map(map_entries(&dict, key, place, depth)?));
    }
    if object.is_instance_of::<PyBytes>() || object.is_instance_of::<PyByteArray>() {
        return Ok(Value::Text(text::plain(&object.call_method1("decode", ("utf-8",))?)?.into()));
    }
    if object.is_instance_of::<PyComplex>() {
        return Ok(Value::Text(text::plain(object)?.trim_matches(['(', ')']).into()));
    }
    let text = match kind {
        Some(Kind::NumpyScalar) => {
            check_depth(object.py(), key, depth)?;
            return scalar_to_value(object, key, place, depth);
        }
        Some(kind @ (Kind::NumpyArray | Kind::TorchTensor | Kind::TensorflowTensor | Kind::JaxArray)) => {
            check_depth(object.py(), key, depth)?;
            return array_to_value(object, kind, key, place, depth);
        }
        Some(Kind::Histogram) if place != Place::Config => return histogram_to_value(object),
        Some(Kind::Histogram) => return Err(not_for_config(object, key)?),
        // Its name and version.
        Some(Kind::Artifact) if place == Place::Config => {
            check_depth(object.py(), key, depth)?;
            return to_value(&object.call_method0("json_encode")?, key, place, depth + 1);
        }
        Some(Kind::Artifact | Kind::Media) => return Err(refusal(object, key)?),
        Some(Kind::Enum) => {
            check_depth(object.py(), key, depth)?;
            return to_value(&object.getattr("value")?, key, place, depth + 1);
        }
        Some(Kind::Moment) => Some(text::moment(object)?),
        Some(Kind::Date) => Some(text::plain(&object.call_method0("isoformat")?)?),
        Some(Kind::Duration) => Some(text::duration(object)?),
        Some(Kind::Textual) => Some(text::plain(object)?),
        Some(Kind::DataFrame | Kind::Series) => None,
        None => text::qualified_name(object),
    };
    match (text, place) {
        (Some(text), _) => Ok(Value::Text(text.into())),
        (None, Place::Config) => described(object, key, depth),
        (None, _) => Err(refusal(object, key)?),
    }
}

/// Python's own plain data.
fn plain(object: &Bound<'_, PyAny>, key: &str, place: Place) -> PyResult<Option<Value>> {
    if object.is_none() {
        return Ok(Some(Value::Null));
    }
    if let Ok(truth) = object.cast::<PyBool>() {
        return Ok(Some(Value::Bool(truth.is_true())));
    }
    if let Ok(number) = object.cast::<PyFloat>() {
        let number = number.value();
        return Ok(Some(if place == Place::Config && number.is_nan() { Value::Null } else { Value::Float(number) }));
    }
    if let Ok(number) = object.cast::<PyInt>() {
        return integer(number, key).map(Some);
    }
    Ok(object.cast::<PyString>().ok().map(|text| Value::Text(text.to_string_lossy().into())))
}

fn is_sequence(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyList>()
        || object.is_instance_of::<PyTuple>()
        || object.is_instance_of::<PySet>()
        || object.is_instance_of::<PyFrozenSet>()
}

/// What a config keeps of an object that is no data.
fn described(object: &Bound<'_, PyAny>, key: &str, depth: usize) -> PyResult<Value> {
    if object.is_instance_of::<PySlice>() {
        let mut entries: Vec<(Box<str>, Value)> = Vec::with_capacity(3);
        for part in ["start", "step", "stop"] {
            let value = to_value(&object.getattr(part)?, key, Place::Config, depth + 1)?;
            entries.push((format!("slice_{part}").into(), value));
        }
        return Ok(Value::Map(entries));
    }
    Ok(Value::Text(text::plain(object)?.into()))
}

fn refusal(object: &Bound<'_, PyAny>, key: &str) -> PyResult<PyErr> {
    let kind = Kind::of(object)?;
    let what_to_do = match kind {
        Some(Kind::DataFrame) => "log single numbers of it, or its columns as lists: frame.to_dict(\"list\")",
        Some(Kind::Series) => "log a statistic of it, such as series.mean(), or a list: series.tolist()",
        Some(Kind::Artifact) => "log_artifact() makes it a version, and the config keeps which one was used",
        Some(Kind::Media) => "an artifact can hold it: artifact.add(…, \"name\")",
        _ => "log numbers, text, booleans, None, lists or dicts",
    };
    let class = match kind {
        // Where it is defined is nobody's business.
        Some(Kind::Artifact | Kind::Media) => format!("steplog.{}", object.get_type().qualname()?),
        _ => object.get_type().fully_qualified_name()?.to_string(),
    };
    let message = format!("the value of {:?} is a {class}, which cannot be logged; {what_to_do}", shortened(key));
    Ok(invalid(object.py(), message))
}

fn not_for_config(object: &Bound<'_, PyAny>, key: &str) -> PyResult<PyErr> {
    let class = object.get_type().qualname()?;
    let message =
        format!("the config key {:?} is a {class}, which is for rows and the summary: log it", shortened(key));
    Ok(invalid(object.py(), message))
}

/// The entries of a map. Of names that become the same text the last counts, as in a JSON text.
fn map_entries(dict: &Bound<'_, PyDict>, key: &str, place: Place, depth: usize) -> PyResult<Vec<(Box<str>, Value)>> {
    let mut entries: Vec<(Box<str>, Value)> = Vec::with_capacity(dict.len());
    let mut positions: HashMap<Box<str>, usize> = HashMap::with_capacity(dict.len());
    for (name, value) in dict {
        let value = to_value(&value, key, place, depth + 1)?;
        let name: Box<str> = inner_key(&name)?.into();
        match positions.get(&name) {
            Some(at) => entries[*at].1 = value,
            None => {
                positions.insert(name.clone(), entries.len());
                entries.push((name, value));
            }
        }
    }
    Ok(entries)
}

/// Whether a dict is one thing and no folder: its `_type` says what it is.
fn is_typed(dict: &Bound<'_, PyDict>) -> PyResult<bool> {
    Ok(dict.get_item("_type")?.is_some_and(|kind| kind.is_instance_of::<PyString>()))
}

/// A mapping or the fields of a dataclass as a dict.
fn as_entries<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    match as_dict(object)? {
        Some(dict) => Ok(Some(dict)),
        None => text::dataclass_fields(object),
    }
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
pub(crate) fn shortened(key: &str) -> String {
    if key.chars().count() <= 80 { key.to_owned() } else { key.chars().take(80).chain(['…']).collect() }
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
