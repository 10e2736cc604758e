//! `steplog.Histogram`: counting what a script gives it, and the value that a row keeps.

use pyo3::prelude::*;
use steplog::{Histogram, Value};

use crate::array::count_array;
use crate::error::invalid;
use crate::kind::Kind;

/// The numbers of a sequence or array in so many bins of equal width: counts and edges.
///
/// Refused are no numbers, and NaN and infinities among them.
#[pyfunction]
pub(crate) fn count_histogram(data: &Bound<'_, PyAny>, bins: usize) -> PyResult<(Vec<u64>, Vec<f64>)> {
    match Kind::of(data)? {
        Some(
            kind @ (Kind::NumpyArray | Kind::TorchTensor | Kind::TensorflowTensor | Kind::JaxArray | Kind::Series),
        ) => count_array(data, kind, bins),
        _ => {
            let Ok(numbers) = data.try_iter()?.map(|number| number?.extract()).collect::<PyResult<Vec<f64>>>() else {
                return Err(not_countable(data.py()));
            };
            match Histogram::new(&numbers, bins) {
                Some(histogram) if numbers.iter().all(|number| number.is_finite()) => {
                    Ok((histogram.counts().to_vec(), histogram.edges().to_vec()))
                }
                _ => Err(not_countable(data.py())),
            }
        }
    }
}

/// The edges of so many bins of equal width between two finite numbers: strictly ascending, whatever the numbers are.
#[pyfunction]
pub(crate) fn histogram_edges(lowest: f64, highest: f64, bins: usize) -> Vec<f64> {
    Histogram::new(&[lowest, highest], bins).map_or_else(Vec::new, |histogram| histogram.edges().to_vec())
}

pub(crate) fn not_countable(py: Python<'_>) -> PyErr {
    invalid(py, "Histogram takes numbers, at least one and all finite".to_owned())
}

/// A `steplog.Histogram` as a row keeps it.
pub(crate) fn histogram_to_value(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    let counts = object.getattr("histogram")?;
    // Counts that were weighted or scaled are no integers.
    let counts = match counts.extract::<Vec<i64>>() {
        Ok(counts) => counts.into(),
        Err(_) => counts.extract::<Vec<f64>>()?.into(),
    };
    Ok(typed(counts, object.getattr("bins")?.extract()?))
}

/// The one form of a histogram: counts, and the edges of the bins, one more.
pub(crate) fn typed(counts: Value, edges: Vec<f64>) -> Value {
    Value::Map(vec![("_type".into(), "histogram".into()), ("values".into(), counts), ("bins".into(), edges.into())])
}
