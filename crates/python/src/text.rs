//! Times, durations and other things that a row keeps as text.

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// A `datetime` or `time` as ISO 8601; UTC as `Z`.
pub(crate) fn moment(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = plain(&object.call_method0("isoformat")?)?;
    Ok(match text.strip_suffix("+00:00") {
        Some(local) => format!("{local}Z"),
        None => text,
    })
}

/// A `timedelta` as an ISO 8601 duration, such as `P1DT2H3M4.5S`.
pub(crate) fn duration(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let part = |name: &str| object.getattr(name)?.extract::<i128>();
    let micros = (part("days")? * 86_400 + part("seconds")?) * 1_000_000 + part("microseconds")?;
    Ok(iso_duration(micros))
}

fn iso_duration(micros: i128) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (seconds, fraction) = (micros.abs() / 1_000_000, micros.abs() % 1_000_000);
    let (days, hours, minutes, seconds) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let part = |number: i128, unit: char| if number == 0 { String::new() } else { format!("{number}{unit}") };
    let seconds = match fraction {
        0 => part(seconds, 'S'),
        _ => format!("{seconds}.{}S", format!("{fraction:06}").trim_end_matches('0')),
    };
    let time = format!("{}{}{seconds}", part(hours, 'H'), part(minutes, 'M'));
    match (days, &*time) {
        (0, "") => "PT0S".into(),
        (days, "") => format!("{sign}P{days}D"),
        (days, time) => format!("{sign}P{}T{time}", part(days, 'D')),
    }
}

/// `str()` of an object.
pub(crate) fn plain(object: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(object.str()?.to_string_lossy().into_owned())
}

/// `module.qualname` of a function or class; `None` for other objects.
pub(crate) fn qualified_name(object: &Bound<'_, PyAny>) -> Option<String> {
    let name = |attribute: &str| object.getattr(attribute).ok()?.extract::<String>().ok();
    if object.is_callable() { Some(format!("{}.{}", name("__module__")?, name("__qualname__")?)) } else { None }
}

/// The fields of a dataclass instance by name.
pub(crate) fn dataclass_fields<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    if !object.get_type().hasattr("__dataclass_fields__")? {
        return Ok(None);
    }
    let dict = PyDict::new(object.py());
    for field in object.py().import("dataclasses")?.call_method1("fields", (object,))?.try_iter()? {
        let name = field?.getattr("name")?;
        dict.set_item(&name, object.getattr(name.cast()?)?)?;
    }
    Ok(Some(dict))
}
