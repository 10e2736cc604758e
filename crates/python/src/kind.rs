//! What an object of a library is, by the names of its type and of those that it derives from. Nothing is imported: what
//! nobody imported, nobody has an object of.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

/// Kinds by the address of a type, which is kept alive so that its address stays its own.
type Known = HashMap<usize, (Py<PyType>, Option<Kind>)>;

/// A script logs objects of the same few types again and again.
static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// More types than this are made anew again and again; remembering them is of no use.
const MOST_KNOWN: usize = 1024;

/// Kinds of objects beyond Python's plain data that have a meaning of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An array of NumPy.
    NumpyArray,
    /// A number, text or time of NumPy.
    NumpyScalar,
    /// A tensor of PyTorch.
    TorchTensor,
    /// A tensor or variable of TensorFlow.
    TensorflowTensor,
    /// An array of JAX.
    JaxArray,
    /// A table of pandas.
    DataFrame,
    /// A column or index of pandas.
    Series,
    /// A `datetime` or `time`.
    Moment,
    /// A `date`.
    Date,
    /// A `timedelta`.
    Duration,
    /// A `Decimal`, `Fraction`, `UUID` or path: its text says all.
    Textual,
    /// A member of an `Enum`.
    Enum,
    /// A `steplog.Histogram`.
    Histogram,
    /// A media object of steplog, such as an image or a table.
    Media,
    /// A `steplog.Artifact`.
    Artifact,
}

impl Kind {
    /// The kind of an object, if it is of any.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let class = object.get_type();
        let address = class.as_ptr() as usize;
        // Never waited for: in a forked child, a thread that is not there may have it.
        let known = KNOWN.try_lock().ok().and_then(|known| known.get(&address).map(|(_, kind)| *kind));
        if let Some(kind) = known {
            return Ok(kind);
        }
        let kind = Self::of_class(&class)?;
        let mut forgotten = Known::new();
        if let Ok(mut known) = KNOWN.try_lock() {
            if known.len() >= MOST_KNOWN {
                std::mem::swap(&mut *known, &mut forgotten);
            }
            known.insert(address, (class.unbind(), kind));
        }
        // Letting go of a type may run Python code, and so must not happen under the lock.
        drop(forgotten);
        Ok(kind)
    }

    fn of_class(class: &Bound<'_, PyType>) -> PyResult<Option<Self>> {
        for class in class.mro().iter() {
            let (Ok(module), Ok(name)) = (text(&class, "__module__"), text(&class, "__qualname__")) else { continue };
            if let Some(kind) = Self::named(module.split('.').next().unwrap_or_default(), &name) {
                return Ok(Some(kind));
            }
        }
        Ok(None)
    }

    fn named(library: &str, class: &str) -> Option<Self> {
        Some(match (library, class) {
            ("builtins", _) => return None,
            ("numpy", "ndarray") => Self::NumpyArray,
            ("numpy", "generic") => Self::NumpyScalar,
            ("torch", name) if name.ends_with("Tensor") || name == "Variable" => Self::TorchTensor,
            ("tensorflow", name) if name.ends_with("Tensor") || name.ends_with("Variable") => Self::TensorflowTensor,
            ("jax" | "jaxlib", name) if name.contains("Array") || name.ends_with("Tracer") => Self::JaxArray,
            ("pandas", "DataFrame") => Self::DataFrame,
            ("pandas", "Series" | "Index") => Self::Series,
            ("datetime", "datetime" | "time") => Self::Moment,
            ("datetime", "date") => Self::Date,
            ("datetime", "timedelta") => Self::Duration,
            ("decimal", "Decimal") | ("fractions", "Fraction") | ("uuid", "UUID") | ("pathlib", "PurePath") => {
                Self::Textual
            }
            ("enum", "Enum") => Self::Enum,
            ("steplog", "Histogram") => Self::Histogram,
            ("steplog", "Media") => Self::Media,
            ("steplog", "Artifact") => Self::Artifact,
            _ => return None,
        })
    }
}

fn text(class: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    Ok(class.getattr(name)?.cast_into::<PyString>()?.to_string_lossy().into_owned())
}
