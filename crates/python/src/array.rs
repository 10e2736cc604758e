//! Arrays and tensors: one number is that number, a few are a list, and many are how they spread.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use steplog::{Histogram, Value};

use crate::error::invalid;
use crate::histogram::{not_countable, typed};
use crate::kind::Kind;
use crate::to_value::{Place, shortened, to_value};

/// An array of up to so many numbers is kept as a list.
const MAX_LISTED: usize = 32;

/// Bins of a larger one.
const BINS: usize = 32;

/// An array as a value: a scalar, a nested list, or, of more than 32 numbers, in a row a histogram, in the summary
/// statistics, in the config its text.
pub(crate) fn array_to_value(
    object: &Bound<'_, PyAny>,
    kind: Kind,
    key: &str,
    place: Place,
    depth: usize,
) -> PyResult<Value> {
    let array = match kind {
        Kind::TorchTensor => on_cpu(object)?,
        // A TensorFlow tensor has neither `item` nor `tolist`, but its NumPy twin has; a variable is a tensor in a box.
        Kind::TensorflowTensor => object.call_method0("numpy")?,
        _ => object.clone(),
    };
    let size = match (kind, array.getattr("size")) {
        // A PyTorch tensor has `size` as a method, and its number of elements as another.
        (Kind::TorchTensor, _) => array.call_method0("numel")?.extract::<usize>()?,
        (_, Ok(size)) => size.extract::<usize>()?,
        // Text of TensorFlow is bytes.
        (_, Err(_)) => return to_value(&array, key, place, depth + 1),
    };
    match size {
        0 => Ok(Value::List(Vec::new())),
        1 => to_value(&one(&array)?, key, place, depth + 1),
        2..=MAX_LISTED => to_value(&array.call_method0("tolist")?, key, place, depth + 1),
        _ => match place {
            Place::Config => Ok(Value::Text(object.str()?.to_string_lossy().into())),
            Place::Row => histogram(&numbers(&array, kind, key)?, key),
            Place::Summary => statistics(&numbers(&array, kind, key)?),
        },
    }
}

/// The Python twin of a NumPy scalar.
pub(crate) fn scalar_to_value(object: &Bound<'_, PyAny>, key: &str, place: Place, depth: usize) -> PyResult<Value> {
    to_value(&one(object)?, key, place, depth + 1)
}

fn one<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let item = array.call_method0("item")?;
    // The long doubles of NumPy have no Python twin.
    if Kind::of(&item)? == Some(Kind::NumpyScalar) { item.call_method0("__float__") } else { Ok(item) }
}

/// A PyTorch tensor without gradients, in main memory, of a type that NumPy knows.
fn on_cpu<'py>(tensor: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let tensor = tensor.call_method0("detach")?.call_method0("cpu")?;
    let class = tensor.getattr("dtype")?.str()?;
    let class = class.to_string_lossy();
    if class.contains("bfloat16") || class.contains("float8") { tensor.call_method0("float") } else { Ok(tensor) }
}

/// The numbers of a large array as a NumPy array of one dimension.
fn numbers<'py>(array: &Bound<'py, PyAny>, kind: Kind, key: &str) -> PyResult<Bound<'py, PyAny>> {
    let array = match kind {
        Kind::TorchTensor => array.call_method0("numpy")?,
        Kind::JaxArray => array.call_method0("__array__")?,
        _ => array.clone(),
    };
    // What a masked array hides does not count.
    let array = if array.hasattr("compressed")? { array.call_method0("compressed")? } else { array };
    // A matrix keeps its two dimensions whatever it is asked for.
    let array = numpy(array.py())?.call_method1("asarray", (array,))?.call_method1("reshape", (-1,))?;
    let class = array.getattr("dtype")?;
    match class.getattr("kind")?.extract::<char>()? {
        'i' | 'u' | 'f' => Ok(array),
        'b' => array.call_method1("astype", ("uint8",)),
        // The small floats of machine learning are additions to NumPy, without a kind of their own.
        'V' if class.getattr("names")?.is_none() => array.call_method1("astype", ("float32",)),
        _ => {
            let message = format!(
                "the value of {:?} is an array of {}, of which there is no histogram; log {MAX_LISTED} or fewer",
                shortened(key),
                class.str()?.to_string_lossy()
            );
            Err(invalid(array.py(), message))
        }
    }
}

/// NumPy as the owner of an array loaded it.
fn numpy(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import("sys")?.getattr("modules")?.get_item("numpy")
}

fn histogram(numbers: &Bound<'_, PyAny>, key: &str) -> PyResult<Value> {
    let finite = numbers.get_item(are_finite(numbers)?)?;
    if finite.len()? == 0 {
        let message = format!("the value of {:?} is an array without one finite number", shortened(key));
        return Err(invalid(numbers.py(), message));
    }
    let (counts, edges) = count(&finite, BINS)?;
    Ok(typed(counts.into(), edges))
}

/// The numbers of an array in bins of equal width: counts and edges. NaN and infinities are refused.
pub(crate) fn count_array(object: &Bound<'_, PyAny>, kind: Kind, bins: usize) -> PyResult<(Vec<u64>, Vec<f64>)> {
    let array = match kind {
        Kind::TorchTensor => on_cpu(object)?,
        Kind::TensorflowTensor => object.call_method0("numpy")?,
        _ => object.clone(),
    };
    let numbers = numbers(&array, kind, "Histogram")?;
    if numbers.len()? == 0 || !are_finite(&numbers)?.call_method0("all")?.is_truthy()? {
        return Err(not_countable(object.py()));
    }
    count(&numbers, bins)
}

fn are_finite<'py>(numbers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    numpy(numbers.py())?.call_method1("isfinite", (numbers,))
}

/// Counts finite numbers, of which there is at least one.
fn count(numbers: &Bound<'_, PyAny>, bins: usize) -> PyResult<(Vec<u64>, Vec<f64>)> {
    let py = numbers.py();
    let options = PyDict::new(py);
    options.set_item("bins", bins)?;
    let Ok(counted) = numpy(py)?.call_method("histogram", (numbers,), Some(&options)) else {
        // Too narrow a range for bins of the array's own type: as doubles, with some room.
        let numbers: Vec<f64> = numbers.call_method1("astype", ("float64",))?.call_method0("tolist")?.extract()?;
        let histogram = Histogram::new(&numbers, bins).expect("there are finite numbers");
        return Ok((histogram.counts().to_vec(), histogram.edges().to_vec()));
    };
    let list = |index: usize| -> PyResult<Bound<'_, PyAny>> { counted.get_item(index)?.call_method0("tolist") };
    Ok((list(0)?.extract()?, list(1)?.extract()?))
}

fn statistics(numbers: &Bound<'_, PyAny>) -> PyResult<Value> {
    let numpy = numpy(numbers.py())?;
    let number = |value: Bound<'_, PyAny>| to_value(&one(&value)?, "statistic", Place::Row, 0);
    // Sums of small floats overflow in their own type; extremes are of the array's.
    let doubles = numbers.call_method1("astype", ("float64",))?;
    let mut entries: Vec<(Box<str>, Value)> = vec![("_type".into(), "numpy.ndarray".into())];
    for (name, function, of) in
        [("var", "var", &doubles), ("mean", "mean", &doubles), ("min", "amin", numbers), ("max", "amax", numbers)]
    {
        entries.push((name.into(), number(numpy.call_method1(function, (of,))?)?));
    }
    for percent in [10, 25, 75, 90] {
        let value = number(numpy.call_method1("percentile", (&doubles, percent))?)?;
        entries.push((format!("{percent}%").into(), value));
    }
    entries.push(("size".into(), numbers.len()?.into()));
    Ok(Value::Map(entries))
}
