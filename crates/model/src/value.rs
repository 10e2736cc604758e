//! What a metric, a config entry or a summary entry can hold.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::SystemTime;

/// Longest text in a row, config or summary, in bytes. Larger data belongs in a file.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// Deepest nesting of lists and maps.
pub const MAX_VALUE_DEPTH: usize = 64;

/// A value, with its type and bits kept. Equality is by bits for floats: NaN equals itself, -0.0 differs from 0.0.
#[derive(Clone)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A double; NaN, infinities, signed zero and subnormals are kept bit for bit.
    Float(f64),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer beyond 64 bits, in decimal.
    BigInt(Box<str>),
    /// Text.
    Text(Box<str>),
    /// Values in order.
    List(Vec<Value>),
    /// Named values in order; no name occurs twice.
    Map(Vec<(Box<str>, Value)>),
}

impl Value {
    /// The value as a point of a chart: numbers, and booleans as 0 and 1. Integers beyond 2^53 are rounded.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            Self::Int(number) => Some(*number as f64),
            Self::BigInt(digits) => digits.parse().ok(),
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Self::Null | Self::Text(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Whether it is a map that is one thing, such as a histogram, and no folder of metrics: its `_type` says of which kind.
    pub fn is_typed(&self) -> bool {
        let Self::Map(entries) = self else { return false };
        entries.iter().any(|(name, value)| &**name == "_type" && matches!(value, Self::Text(_)))
    }

    /// The value as JSON. Non-finite floats become the strings `"NaN"`, `"Infinity"`, `"-Infinity"`; a large integer
    /// becomes a string when JSON readers would round it.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Bool(truth) => Json::Bool(*truth),
            Self::Float(number) => match serde_json::Number::from_f64(*number) {
                Some(number) => Json::Number(number),
                None if number.is_nan() => Json::String("NaN".into()),
                None if *number > 0.0 => Json::String("Infinity".into()),
                None => Json::String("-Infinity".into()),
            },
            Self::Int(number) => Json::Number((*number).into()),
            Self::BigInt(digits) => Json::String(digits.to_string()),
            Self::Text(text) => Json::String(text.to_string()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(entries) => {
                Json::Object(entries.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect())
            }
        }
    }

    /// The value that a JSON text means. Numbers without fraction or exponent become integers.
    pub fn from_json(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(truth) => Self::Bool(truth),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => Self::Int(integer),
                (None, Some(integer)) => Self::BigInt(integer.to_string().into()),
                (None, None) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::Text(text.into()),
            Json::Array(items) => Self::List(items.into_iter().map(Self::from_json).collect()),
            Json::Object(entries) => {
                Self::Map(entries.into_iter().map(|(name, value)| (name.into(), Self::from_json(value))).collect())
            }
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::BigInt(a), Self::BigInt(b)) | (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => truth.fmt(f),
            Self::Float(number) => number.fmt(f),
            Self::Int(number) => number.fmt(f),
            Self::BigInt(digits) => write!(f, "{digits}n"),
            Self::Text(text) => text.fmt(f),
            Self::List(items) => items.fmt(f),
            Self::Map(entries) => f.debug_map().entries(entries.iter().map(|(name, value)| (name, value))).finish(),
        }
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr),* $(,)?) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $make
            }
        })*
    };
}

from! {
    bool => |value| Self::Bool(value),
    f64 => |value| Self::Float(value),
    f32 => |value| Self::Float(value.into()),
    i64 => |value| Self::Int(value),
    i32 => |value| Self::Int(value.into()),
    i16 => |value| Self::Int(value.into()),
    i8 => |value| Self::Int(value.into()),
    isize => |value| Self::from(value as i64),
    u32 => |value| Self::Int(value.into()),
    u16 => |value| Self::Int(value.into()),
    u8 => |value| Self::Int(value.into()),
    u64 => |value| i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string().into()), Self::Int),
    usize => |value| Self::from(value as u64),
    i128 => |value| i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string().into()), Self::Int),
    u128 => |value| i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string().into()), Self::Int),
    char => |value| Self::Text(value.to_string().into()),
    &str => |value| Self::Text(value.into()),
    &String => |value| Self::Text(value.as_str().into()),
    String => |value| Self::Text(value.into()),
    Box<str> => |value| Self::Text(value),
    Cow<'_, str> => |value| Self::Text(value.into()),
    // As ISO 8601 in UTC.
    SystemTime => |value| Self::Text(crate::time::iso(value).into()),
    serde_json::Value => |value| Self::from_json(value),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value> + Clone> From<&[T]> for Value {
    fn from(items: &[T]) -> Self {
        Self::List(items.iter().cloned().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<Box<str>>, T: Into<Value>> From<BTreeMap<K, T>> for Value {
    fn from(map: BTreeMap<K, T>) -> Self {
        Self::Map(map.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// In the order of the names.
impl<K: Into<Box<str>>, T: Into<Value>, S> From<HashMap<K, T, S>> for Value {
    fn from(map: HashMap<K, T, S>) -> Self {
        let named = map.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self::from(named.collect::<BTreeMap<Box<str>, Value>>())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn floats_are_compared_by_bits() {
        assert_eq!(Value::Float(f64::NAN), Value::Float(f64::NAN));
        assert_ne!(Value::Float(0.0), Value::Float(-0.0));
        assert_ne!(Value::Float(1.0), Value::Int(1));
    }

    #[test]
    fn json_names_what_it_cannot_say() {
        let value = Value::List(vec![
            Value::Float(f64::NAN),
            Value::Float(f64::NEG_INFINITY),
            Value::from(u64::MAX),
            Value::from(0.5),
            Value::Null,
        ]);
        assert_eq!(value.to_json(), json!(["NaN", "-Infinity", "18446744073709551615", 0.5, null]));
    }

    #[test]
    fn what_rust_programs_have_becomes_a_value() {
        let list = |items: &[i64]| Value::List(items.iter().map(|item| Value::Int(*item)).collect());
        assert_eq!(Value::from([1u8, 2]), list(&[1, 2]));
        assert_eq!(Value::from(vec![1i16, 2]), list(&[1, 2]));
        assert_eq!(Value::from(&[-1isize][..]), list(&[-1]));
        assert_eq!(Value::from(vec![Some(1.5f32), None]), Value::List(vec![Value::Float(1.5), Value::Null]));
        assert_eq!(Value::from(i128::MIN), Value::BigInt(i128::MIN.to_string().into()));
        assert_eq!(Value::from(u128::from(7u8)), Value::Int(7));
        assert_eq!(Value::from(Cow::Borrowed("a")), Value::from('a'));
        let map = Value::Map(vec![("a".into(), Value::Int(1)), ("b".into(), Value::Int(2))]);
        assert_eq!(Value::from(HashMap::from([("b", 2), ("a", 1)])), map);
        assert_eq!(Value::from(BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)])), map);
        assert_eq!(Value::from(json!({"a": 1, "b": 2})), map);
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_709_210_096_500);
        assert_eq!(Value::from(time), Value::from("2024-02-29T12:34:56.5Z"));
    }

    #[test]
    fn a_map_with_a_type_is_one_thing() {
        let map = |kind: Value| Value::Map(vec![("_type".into(), kind)]);
        assert!(map("histogram".into()).is_typed());
        assert!(!map(1.into()).is_typed());
        assert!(!Value::Map(vec![("type".into(), "histogram".into())]).is_typed());
    }
}
