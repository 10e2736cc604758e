//! Blocks and chunks as bytes: rows of a run and the values of one key in them, compressed.

use steplog_journal::{decode_value, encode_value};
use steplog_model::Value;

use crate::Error;
use crate::statistics::Statistics;
use crate::values::{Kinds, Rows, Values};

/// How the values of a chunk are encoded; the first byte of its data.
mod form {
    pub(super) const FLOAT: u8 = 0;
    pub(super) const INT: u8 = 1;
    /// A bit for each value.
    pub(super) const BOOL: u8 = 2;
    /// Floats and integers that are exact as floats, with a bit for each value that says which are integers.
    pub(super) const NUMBER: u8 = 3;
    /// As in a journal.
    pub(super) const VALUE: u8 = 4;
}

/// Largest decoded size of the values of a chunk: what a journal can hold of one key in so many rows has no real limit,
/// but memory has.
const MAX_VALUE_BYTES: usize = 1 << 30;

/// The rows as the data of a block.
pub(crate) fn encode_rows(rows: &Rows) -> Vec<u8> {
    let mut out = Vec::new();
    put_numbers(&mut out, &rows.steps);
    put_numbers(&mut out, &rows.times);
    put_numbers(&mut out, &rows.sequences);
    out
}

pub(crate) fn decode_rows(mut data: &[u8]) -> Result<Rows, Error> {
    let rows =
        Rows { steps: take_numbers(&mut data)?, times: take_numbers(&mut data)?, sequences: take_numbers(&mut data)? };
    if rows.times.len() != rows.len() || rows.sequences.len() != rows.len() || !data.is_empty() {
        return Err(malformed());
    }
    Ok(rows)
}

/// The values as the data of a chunk.
pub(crate) fn encode_values(values: &Values) -> Vec<u8> {
    let mut out = Vec::new();
    match values {
        Values::Float(numbers) => {
            out.push(form::FLOAT);
            put_numbers(&mut out, numbers);
        }
        Values::Int(numbers) => {
            out.push(form::INT);
            put_numbers(&mut out, numbers);
        }
        Values::Bool(truths) => {
            out.push(form::BOOL);
            out.extend((truths.len() as u32).to_le_bytes());
            put_bits(&mut out, truths.iter().copied());
        }
        Values::Mixed(values) if values_are_exact_numbers(values) => {
            out.push(form::NUMBER);
            let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
            put_numbers(&mut out, &numbers);
            put_bits(&mut out, values.iter().map(|value| matches!(value, Value::Int(_))));
        }
        Values::Mixed(values) => {
            out.push(form::VALUE);
            out.extend((values.len() as u32).to_le_bytes());
            let mut plain = Vec::new();
            values.iter().for_each(|value| encode_value(&mut plain, value));
            out.extend(compress(&plain, 3));
        }
    }
    out
}

pub(crate) fn decode_values(data: &[u8]) -> Result<Values, Error> {
    let (form, mut data) = data.split_first().ok_or_else(malformed)?;
    Ok(match *form {
        form::FLOAT => Values::Float(take_numbers(&mut data)?),
        form::INT => Values::Int(take_numbers(&mut data)?),
        form::BOOL => {
            let count = take_count(&mut data)?;
            Values::Bool(take_bits(data, count)?)
        }
        form::NUMBER => {
            let numbers: Vec<f64> = take_numbers(&mut data)?;
            let ints = take_bits(data, numbers.len())?;
            let value = |(number, is_int): (f64, bool)| match is_int {
                true => Value::Int(number as i64),
                false => Value::Float(number),
            };
            Values::Mixed(numbers.into_iter().zip(ints).map(value).collect())
        }
        form::VALUE => {
            let count = take_count(&mut data)?;
            let plain = decompress(data, MAX_VALUE_BYTES)?;
            let mut rest = &plain[..];
            let values =
                (0..count).map(|_| decode_value(&mut rest).map_err(|_| malformed())).collect::<Result<_, _>>()?;
            if !rest.is_empty() {
                return Err(malformed());
            }
            Values::Mixed(values)
        }
        _ => return Err(malformed()),
    })
}

/// The statistics of all points of a chunk that can be charted, overwritten ones too.
pub(crate) fn statistics(rows: &Rows, values: &Values) -> Statistics {
    let mut statistics = Statistics::default();
    for index in 0..rows.len() {
        if let Some(value) = values.number(index) {
            statistics.add(rows.steps[index], rows.times[index], value);
        }
    }
    statistics
}

/// Bytes, compressed.
pub(crate) fn compress(bytes: &[u8], level: i32) -> Vec<u8> {
    zstd::bulk::compress(bytes, level).expect("compressing in memory does not fail")
}

/// The inverse of [`compress`], for at most `limit` bytes.
pub(crate) fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let size = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten().ok_or_else(malformed)?;
    if size > limit as u64 {
        return Err(malformed());
    }
    zstd::bulk::decompress(bytes, size as usize).map_err(|_| malformed())
}

/// Checks what a chunk, a block or raw bytes were stored with.
pub(crate) fn check(data: &[u8], checksum: i64) -> Result<(), Error> {
    if checksum == self::checksum(data) { Ok(()) } else { Err(Error::data("the checksum is wrong")) }
}

/// CRC32C, as databases store it.
pub(crate) fn checksum(data: &[u8]) -> i64 {
    crc32c::crc32c(data).into()
}

/// Whether floats and a bit for each value keep them all.
fn values_are_exact_numbers(values: &[Value]) -> bool {
    let numbers = Kinds::FLOAT.and(Kinds::INT);
    values.iter().all(|value| Kinds::of(value).within(numbers))
}

/// Appends numbers: compressed, or as they are when they are few, which is smaller then and much faster.
pub(crate) fn put_numbers<T: Number>(out: &mut Vec<u8>, numbers: &[T]) {
    if numbers.len() < FEW {
        out.extend((PLAIN | numbers.len() as u32).to_le_bytes());
        numbers.iter().for_each(|number| out.extend(number.to_word().to_le_bytes()));
        return;
    }
    let data = pco::standalone::simple_compress(numbers, &pco::ChunkConfig::default())
        .expect("the default configuration is valid, and memory takes any write");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
}

pub(crate) fn take_numbers<T: Number>(data: &mut &[u8]) -> Result<Vec<T>, Error> {
    let length = take_count(data)?;
    let is_plain = length & PLAIN as usize != 0;
    let length = if is_plain { (length & !(PLAIN as usize)) * 8 } else { length };
    let (front, rest) = data.split_at_checked(length).ok_or_else(malformed)?;
    *data = rest;
    if is_plain {
        let word = |bytes: &[u8]| T::from_word(u64::from_le_bytes(bytes.try_into().expect("8 bytes")));
        return Ok(front.chunks_exact(8).map(word).collect());
    }
    pco::standalone::simple_decompress(front).map_err(|_| malformed())
}

/// Fewer numbers are not compressed.
const FEW: usize = 24;

/// Set in the length of numbers that are not compressed, which then counts numbers.
const PLAIN: u32 = 1 << 31;

/// A number of 64 bits.
pub(crate) trait Number: pco::data_types::Number {
    fn to_word(self) -> u64;
    fn from_word(word: u64) -> Self;
}

impl Number for f64 {
    fn to_word(self) -> u64 {
        self.to_bits()
    }

    fn from_word(word: u64) -> Self {
        Self::from_bits(word)
    }
}

impl Number for i64 {
    fn to_word(self) -> u64 {
        self as u64
    }

    fn from_word(word: u64) -> Self {
        word as Self
    }
}

impl Number for u64 {
    fn to_word(self) -> u64 {
        self
    }

    fn from_word(word: u64) -> Self {
        word
    }
}

pub(crate) fn take_count(data: &mut &[u8]) -> Result<usize, Error> {
    let (front, rest) = data.split_first_chunk::<4>().ok_or_else(malformed)?;
    *data = rest;
    Ok(u32::from_le_bytes(*front) as usize)
}

fn put_bits(out: &mut Vec<u8>, bits: impl ExactSizeIterator<Item = bool>) {
    let mut packed = vec![0u8; bits.len().div_ceil(8)];
    for (index, bit) in bits.enumerate() {
        packed[index / 8] |= u8::from(bit) << (index % 8);
    }
    out.extend(compress(&packed, 1));
}

fn take_bits(data: &[u8], count: usize) -> Result<Vec<bool>, Error> {
    let packed = decompress(data, count.div_ceil(8))?;
    if packed.len() != count.div_ceil(8) {
        return Err(malformed());
    }
    Ok((0..count).map(|index| packed[index / 8] >> (index % 8) & 1 == 1).collect())
}

pub(crate) fn malformed() -> Error {
    Error::data("the data is malformed")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
            (-3..3i64).prop_map(Value::Int),
            any::<i64>().prop_map(Value::Int),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::BigInt("18446744073709551616".into())),
            ".{0,9}".prop_map(|text| Value::Text(text.into())),
            Just(Value::List(vec![Value::Null, Value::Map(vec![("a".into(), 1.into())])])),
        ]
    }

    fn of(values: Vec<Value>) -> Values {
        let mut column = Values::default();
        values.into_iter().for_each(|value| column.push(value));
        column
    }

    proptest! {
        #[test]
        fn floats_keep_their_bits(bits in prop::collection::vec(any::<u64>(), 0..600), repeat in 1..9usize) {
            let numbers: Vec<f64> = bits.repeat(repeat).into_iter().map(f64::from_bits).collect();
            let Values::Float(read) = decode_values(&encode_values(&Values::Float(numbers.clone()))).unwrap() else {
                panic!("floats are floats");
            };
            let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&read), bits(&numbers));
        }

        #[test]
        fn values_of_any_kind_read_back(values in prop::collection::vec(any_value(), 1..50)) {
            let column = of(values);
            let read = decode_values(&encode_values(&column)).unwrap();
            prop_assert_eq!(read.len(), column.len());
            for index in 0..column.len() {
                prop_assert_eq!(read.get(index), column.get(index));
            }
        }

        #[test]
        fn rows_read_back(steps in prop::collection::vec(any::<i64>(), 0..200)) {
            let rows = Rows {
                times: steps.iter().map(|step| 1.7e9 + *step as f64 * 1e-9).collect(),
                sequences: (0..steps.len() as u64).map(|row| 3 * row).collect(),
                steps,
            };
            prop_assert_eq!(decode_rows(&encode_rows(&rows)).unwrap(), rows);
        }

        #[test]
        fn hostile_data_is_refused_without_panic(data: Vec<u8>) {
            let _ = decode_values(&data);
            let _ = decode_rows(&data);
        }
    }

    #[test]
    fn special_floats_among_ordinary_ones_keep_their_bits() {
        let special = [
            f64::NAN,
            f64::from_bits(0x7ff0_0000_0000_0001),
            f64::from_bits(0xfff8_dead_beef_0001),
            -0.0,
            5e-324,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
        ];
        // Decimal-like, quantised and constant series choose other modes of the codec.
        for make in [|i: usize| i as f64 * 0.1, |i| f64::from((i as f32).sin()), |_| 7.0] {
            let numbers: Vec<f64> =
                (0..5000).map(|i| if i % 97 == 0 { special[i / 97 % special.len()] } else { make(i) }).collect();
            let Values::Float(read) = decode_values(&encode_values(&Values::Float(numbers.clone()))).unwrap() else {
                panic!("floats are floats");
            };
            assert!(read.iter().zip(&numbers).all(|(a, b)| a.to_bits() == b.to_bits()));
            assert_eq!(read.len(), numbers.len());
        }
    }

    #[test]
    fn numbers_that_are_mixed_cost_no_more_than_floats() {
        let mixed = of((0..4096).map(|i| if i % 2 == 0 { Value::Int(i) } else { Value::Float(i as f64) }).collect());
        let floats = Values::Float((0..4096).map(f64::from).collect());
        assert!(encode_values(&mixed).len() < encode_values(&floats).len() + 100);
    }
}
