//! The values of a column in order of arrival, typed as narrowly as they allow.

use steplog_model::Value;

/// Integers beyond this are not all representable as doubles.
const EXACT_INT: u64 = 1 << 53;

/// Which kinds of values a column holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(crate) const FLOAT: Self = Self(1);
    pub(crate) const INT: Self = Self(2);
    pub(crate) const BOOL: Self = Self(4);
    pub(crate) const TEXT: Self = Self(8);
    /// Lists and maps.
    pub(crate) const NESTED: Self = Self(16);
    /// Integers beyond 64 bits.
    pub(crate) const BIG_INT: Self = Self(32);
    /// Integers that a double would round.
    pub(crate) const WIDE_INT: Self = Self(64);

    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self(0),
            Value::Bool(_) => Self::BOOL,
            Value::Float(_) => Self::FLOAT,
            Value::Int(number) if number.unsigned_abs() > EXACT_INT => Self::INT.and(Self::WIDE_INT),
            Value::Int(_) => Self::INT,
            Value::BigInt(_) => Self::BIG_INT,
            Value::Text(_) => Self::TEXT,
            Value::List(_) | Value::Map(_) => Self::NESTED,
        }
    }

    pub(crate) fn from_bits(bits: i64) -> Self {
        Self(bits as u8)
    }

    pub(crate) fn bits(self) -> i64 {
        self.0.into()
    }

    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is nothing in `self` that is not in `other`.
    pub(crate) fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(crate) fn has_numbers(self) -> bool {
        !self.within(Self::TEXT.and(Self::NESTED))
    }

    pub(crate) fn has_others(self) -> bool {
        self.0 == 0 || self.0 & (Self::TEXT.0 | Self::NESTED.0) != 0
    }
}

/// Values of one column. `null` is no value and never stands here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Float(Vec<f64>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
    /// More than one type, or one without a narrower form.
    Mixed(Vec<Value>),
}

impl Default for Values {
    fn default() -> Self {
        Self::Float(Vec::new())
    }
}

impl Values {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Mixed(values) => values.len(),
        }
    }

    pub(crate) fn push(&mut self, value: Value) {
        match (&mut *self, value) {
            (Self::Float(values), Value::Float(number)) => values.push(number),
            (Self::Int(values), Value::Int(number)) => values.push(number),
            (Self::Bool(values), Value::Bool(truth)) => values.push(truth),
            (Self::Mixed(values), value) => values.push(value),
            (_, value) => self.push_other(value),
        }
    }

    #[cold]
    fn push_other(&mut self, value: Value) {
        *self = match (self.len(), value) {
            (0, Value::Float(number)) => Self::Float(vec![number]),
            (0, Value::Int(number)) => Self::Int(vec![number]),
            (0, Value::Bool(truth)) => Self::Bool(vec![truth]),
            (length, value) => {
                let mut values: Vec<Value> = (0..length).map(|index| self.get(index)).collect();
                values.push(value);
                Self::Mixed(values)
            }
        };
    }

    pub(crate) fn get(&self, index: usize) -> Value {
        match self {
            Self::Float(values) => Value::Float(values[index]),
            Self::Int(values) => Value::Int(values[index]),
            Self::Bool(values) => Value::Bool(values[index]),
            Self::Mixed(values) => values[index].clone(),
        }
    }

    /// The value as a point of a chart, if it is one.
    pub(crate) fn number(&self, index: usize) -> Option<f64> {
        match self {
            Self::Float(values) => Some(values[index]),
            Self::Int(values) => Some(values[index] as f64),
            Self::Bool(values) => Some(f64::from(u8::from(values[index]))),
            Self::Mixed(values) => values[index].as_f64(),
        }
    }

    pub(crate) fn kinds(&self) -> Kinds {
        match self {
            _ if self.len() == 0 => Kinds::default(),
            Self::Float(_) => Kinds::FLOAT,
            Self::Bool(_) => Kinds::BOOL,
            Self::Int(values) if values.iter().any(|number| number.unsigned_abs() > EXACT_INT) => {
                Kinds::INT.and(Kinds::WIDE_INT)
            }
            Self::Int(_) => Kinds::INT,
            Self::Mixed(values) => values.iter().map(Kinds::of).fold(Kinds::default(), Kinds::and),
        }
    }

    pub(crate) fn slice(&self, from: usize, to: usize) -> Self {
        match self {
            Self::Float(values) => Self::Float(values[from..to].to_vec()),
            Self::Int(values) => Self::Int(values[from..to].to_vec()),
            Self::Bool(values) => Self::Bool(values[from..to].to_vec()),
            Self::Mixed(values) => Self::Mixed(values[from..to].to_vec()),
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Float(values), Self::Float(other)) => values.extend(other),
            (Self::Int(values), Self::Int(other)) => values.extend(other),
            (Self::Bool(values), Self::Bool(other)) => values.extend(other),
            (_, other) => (0..other.len()).for_each(|index| self.push(other.get(index))),
        }
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Float(values) => 8 * values.len(),
            Self::Int(values) => 8 * values.len(),
            Self::Bool(values) => values.len(),
            Self::Mixed(values) => values.iter().map(value_bytes).sum(),
        }
    }
}

/// About how much memory a value takes.
pub(crate) fn value_bytes(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::BigInt(text) | Value::Text(text) => text.len(),
            Value::List(items) => items.iter().map(value_bytes).sum(),
            Value::Map(entries) => entries.iter().map(|(name, value)| 16 + name.len() + value_bytes(value)).sum(),
            _ => 0,
        }
}

/// What the values of some rows have in common: where and when they were logged, and the order of their arrival.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) steps: Vec<i64>,
    pub(crate) times: Vec<f64>,
    /// Strictly increasing; counts the rows of the run.
    pub(crate) sequences: Vec<u64>,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(crate) fn push(&mut self, step: i64, time: f64, sequence: u64) {
        self.steps.push(step);
        self.times.push(time);
        self.sequences.push(sequence);
    }

    pub(crate) fn slice(&self, from: usize, to: usize) -> Self {
        Self {
            steps: self.steps[from..to].to_vec(),
            times: self.times[from..to].to_vec(),
            sequences: self.sequences[from..to].to_vec(),
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.times.extend(other.times);
        self.sequences.extend(other.sequences);
    }

    pub(crate) fn bytes(&self) -> usize {
        24 * self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_narrow_as_its_values_allow() {
        let mut values = Values::default();
        values.push(Value::Int(1));
        assert_eq!(values, Values::Int(vec![1]));
        values.push(Value::Float(-0.0));
        assert_eq!(values, Values::Mixed(vec![Value::Int(1), Value::Float(-0.0)]));
        assert_eq!(values.kinds(), Kinds::INT.and(Kinds::FLOAT));
        assert!(!values.kinds().has_others());
        values.push("x".into());
        assert!(values.kinds().has_others() && values.kinds().has_numbers());
        assert_eq!(Kinds::of(&Value::Int(i64::MIN)), Kinds::INT.and(Kinds::WIDE_INT));
    }
}
