//! Records as bytes.

use std::sync::Arc;

use serde::Serialize;
use steplog_model::{
    Alert, ArtifactRecord, Change, ConsoleLines, ConsoleOutput, MAX_CONSOLE_LINE_BYTES, MAX_KEY_BYTES,
    MAX_SYSTEM_VALUES, MAX_VALUE_DEPTH, MetricDefinition, Record, Row, RunStart, RunUpdate, SavedFile, SystemSample,
    Value,
};

use crate::varint::{put_signed, put_unsigned, take_signed, take_unsigned};

pub(crate) mod kind {
    pub(crate) const RUN_START: u8 = 1;
    pub(crate) const ROW: u8 = 2;
    pub(crate) const CONFIG: u8 = 3;
    pub(crate) const SUMMARY: u8 = 4;
    pub(crate) const RUN_UPDATE: u8 = 5;
    pub(crate) const HEARTBEAT: u8 = 6;
    pub(crate) const EXIT: u8 = 7;
    pub(crate) const METRIC: u8 = 8;
    pub(crate) const CONSOLE: u8 = 9;
    pub(crate) const SYSTEM: u8 = 10;
    pub(crate) const FILE: u8 = 11;
    pub(crate) const ARTIFACT: u8 = 12;
    pub(crate) const ALERT: u8 = 13;
    pub(crate) const LOSS: u8 = 14;
    pub(crate) const PREEMPTING: u8 = 15;
    pub(crate) const ENVIRONMENT: u8 = 16;
}

mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const FLOAT: u8 = 3;
    pub(super) const INT: u8 = 4;
    pub(super) const BIG_INT: u8 = 5;
    pub(super) const TEXT: u8 = 6;
    pub(super) const LIST: u8 = 7;
    pub(super) const MAP: u8 = 8;
}

/// Bit 0 of a row's flags.
pub(crate) const COMMITTED: u8 = 1;

/// A payload that passed its checksum but is not what its type says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It ends too early.
    #[error("the record is cut short")]
    Short,
    /// It goes on after its end.
    #[error("the record has {0} bytes too many")]
    Long(usize),
    /// It holds something that cannot be.
    #[error("the record is malformed: {0}")]
    Malformed(String),
}

fn malformed(what: impl Into<String>) -> DecodeError {
    DecodeError::Malformed(what.into())
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_unsigned(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a value.
#[inline]
pub fn encode_value(out: &mut Vec<u8>, value: &Value) {
    // Most values by far are floats; what may recurse is kept apart, since a compiler does not inline it.
    match value {
        Value::Float(number) => put_float(out, *number),
        other => encode_other(out, other),
    }
}

#[inline]
fn put_float(out: &mut Vec<u8>, number: f64) {
    let mut bytes = [tag::FLOAT; 9];
    bytes[1..].copy_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&bytes);
}

fn encode_other(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(tag::NULL),
        Value::Bool(false) => out.push(tag::FALSE),
        Value::Bool(true) => out.push(tag::TRUE),
        Value::Float(number) => put_float(out, *number),
        Value::Int(number) => {
            out.push(tag::INT);
            put_signed(out, *number);
        }
        Value::BigInt(digits) => {
            out.push(tag::BIG_INT);
            put_text(out, digits);
        }
        Value::Text(text) => {
            out.push(tag::TEXT);
            put_text(out, text);
        }
        Value::List(items) => {
            out.push(tag::LIST);
            put_unsigned(out, items.len() as u64);
            items.iter().for_each(|item| encode_value(out, item));
        }
        Value::Map(entries) => {
            out.push(tag::MAP);
            put_unsigned(out, entries.len() as u64);
            for (name, value) in entries {
                put_text(out, name);
                encode_value(out, value);
            }
        }
    }
}

/// Takes a value off the front of `bytes`.
///
/// # Errors
/// The bytes are not a value, or it nests too deep.
pub fn decode_value(bytes: &mut &[u8]) -> Result<Value, DecodeError> {
    take_value(bytes, 0)
}

fn take_value(bytes: &mut &[u8], depth: usize) -> Result<Value, DecodeError> {
    if depth > MAX_VALUE_DEPTH {
        return Err(malformed("a value nests too deep"));
    }
    Ok(match take(bytes, 1)?[0] {
        tag::NULL => Value::Null,
        tag::FALSE => Value::Bool(false),
        tag::TRUE => Value::Bool(true),
        tag::FLOAT => Value::Float(take_f64(bytes)?),
        tag::INT => Value::Int(take_signed(bytes).ok_or(DecodeError::Short)?),
        tag::BIG_INT => {
            let digits = take_text(bytes)?;
            if digits.trim_start_matches('-').is_empty()
                || !digits.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit())
            {
                return Err(malformed("a large integer is not a number"));
            }
            Value::BigInt(digits.into())
        }
        tag::TEXT => Value::Text(take_text(bytes)?.into()),
        tag::LIST => {
            let count = take_count(bytes)?;
            Value::List((0..count).map(|_| take_value(bytes, depth + 1)).collect::<Result<_, _>>()?)
        }
        tag::MAP => {
            let count = take_count(bytes)?;
            let mut entries = Vec::with_capacity(count.min(1024));
            for _ in 0..count {
                let name = take_text(bytes)?.into();
                entries.push((name, take_value(bytes, depth + 1)?));
            }
            Value::Map(entries)
        }
        other => return Err(malformed(format!("unknown value tag {other}"))),
    })
}

/// The payload of any record but a row, which needs the writer's key table.
pub(crate) fn encode_record(out: &mut Vec<u8>, record: &Record) -> u8 {
    match record {
        Record::RunStart(start) => put_json(out, kind::RUN_START, start),
        Record::RunUpdate(update) => put_json(out, kind::RUN_UPDATE, update),
        Record::Metric(definition) => put_json(out, kind::METRIC, definition),
        Record::Alert(alert) => put_json(out, kind::ALERT, alert),
        Record::File(file) => put_json(out, kind::FILE, file),
        Record::Artifact(artifact) => put_json(out, kind::ARTIFACT, artifact),
        Record::Environment(members) => put_json(out, kind::ENVIRONMENT, members),
        Record::Console(lines) => put_console(out, lines),
        Record::System(sample) => put_system(out, sample),
        Record::Config(changes) => put_changes(out, kind::CONFIG, changes),
        Record::Summary(changes) => put_changes(out, kind::SUMMARY, changes),
        Record::Heartbeat { time } => {
            out.extend_from_slice(&time.to_le_bytes());
            kind::HEARTBEAT
        }
        Record::Preempting { time } => {
            out.extend_from_slice(&time.to_le_bytes());
            kind::PREEMPTING
        }
        Record::Exit { time, code } => {
            out.extend_from_slice(&time.to_le_bytes());
            put_signed(out, i64::from(*code));
            kind::EXIT
        }
        Record::Loss { rows, time } => {
            put_unsigned(out, *rows);
            out.extend_from_slice(&time.to_le_bytes());
            kind::LOSS
        }
        Record::Row(_) | Record::Unknown { .. } => unreachable!("rows have their own encoder, unknown records none"),
    }
}

fn put_json(out: &mut Vec<u8>, kind: u8, value: &impl Serialize) -> u8 {
    serde_json::to_writer(&mut *out, value).expect("plain data has a JSON form, and a Vec takes any write");
    kind
}

fn put_console(out: &mut Vec<u8>, console: &ConsoleLines) -> u8 {
    out.extend_from_slice(&console.time.to_le_bytes());
    out.push(console.output as u8);
    put_unsigned(out, console.first_line);
    put_unsigned(out, console.lines.len() as u64);
    console.lines.iter().for_each(|line| put_text(out, line));
    kind::CONSOLE
}

fn put_system(out: &mut Vec<u8>, sample: &SystemSample) -> u8 {
    out.extend_from_slice(&sample.time.to_le_bytes());
    put_unsigned(out, sample.values.len() as u64);
    for (key, value) in &sample.values {
        put_text(out, key);
        out.extend_from_slice(&value.to_le_bytes());
    }
    kind::SYSTEM
}

fn put_changes(out: &mut Vec<u8>, kind: u8, changes: &[Change]) -> u8 {
    put_unsigned(out, changes.len() as u64);
    for Change { key, value } in changes {
        put_text(out, key);
        match value {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                encode_value(out, value);
            }
        }
    }
    kind
}

/// Reads a payload. `keys` is the segment's key table; new keys are appended to it.
pub(crate) fn decode_record(kind: u8, payload: &[u8], keys: &mut Vec<Arc<str>>) -> Result<Record, DecodeError> {
    let mut bytes = payload;
    let record = match kind {
        kind::RUN_START => Record::RunStart(Box::new(take_json::<RunStart>(&mut bytes)?)),
        kind::RUN_UPDATE => Record::RunUpdate(take_json::<RunUpdate>(&mut bytes)?),
        kind::ROW => Record::Row(take_row(&mut bytes, keys)?),
        kind::CONFIG => Record::Config(take_changes(&mut bytes)?),
        kind::SUMMARY => Record::Summary(take_changes(&mut bytes)?),
        kind::HEARTBEAT => Record::Heartbeat { time: take_time(&mut bytes)? },
        kind::PREEMPTING => Record::Preempting { time: take_time(&mut bytes)? },
        kind::METRIC => Record::Metric(take_metric(&mut bytes)?),
        kind::ALERT => Record::Alert(take_alert(&mut bytes)?),
        kind::CONSOLE => Record::Console(take_console(&mut bytes)?),
        kind::SYSTEM => Record::System(take_system(&mut bytes)?),
        kind::ENVIRONMENT => Record::Environment(take_json(&mut bytes)?),
        kind::FILE => Record::File(take_file(&mut bytes)?),
        kind::ARTIFACT => Record::Artifact(take_artifact(&mut bytes)?),
        kind::EXIT => {
            let time = take_time(&mut bytes)?;
            let code = take_signed(&mut bytes).ok_or(DecodeError::Short)?;
            Record::Exit { time, code: i32::try_from(code).map_err(|_| malformed("an exit code beyond 32 bits"))? }
        }
        kind::LOSS => {
            let rows = take_unsigned(&mut bytes).ok_or(DecodeError::Short)?;
            Record::Loss { rows, time: take_time(&mut bytes)? }
        }
        kind => return Ok(Record::Unknown { kind }),
    };
    if bytes.is_empty() { Ok(record) } else { Err(DecodeError::Long(bytes.len())) }
}

fn take_row(bytes: &mut &[u8], keys: &mut Vec<Arc<str>>) -> Result<Row, DecodeError> {
    let flags = take(bytes, 1)?[0];
    let step = take_signed(bytes).ok_or(DecodeError::Short)?;
    let time = take_time(bytes)?;
    let count = take_count(bytes)?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let key = match take_unsigned(bytes).ok_or(DecodeError::Short)? {
            0 => {
                let text = take_text(bytes)?;
                if text.len() > MAX_KEY_BYTES {
                    return Err(malformed(format!("a key of {} bytes", text.len())));
                }
                let key: Arc<str> = text.into();
                keys.push(key.clone());
                key
            }
            number => {
                let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
                keys.get(index).ok_or_else(|| malformed(format!("key number {number} is not in the table")))?.clone()
            }
        };
        entries.push((key, take_value(bytes, 0)?));
    }
    Ok(Row { step, time, committed: flags & COMMITTED != 0, entries })
}

fn take_changes(bytes: &mut &[u8]) -> Result<Vec<Change>, DecodeError> {
    let count = take_count(bytes)?;
    let mut changes = Vec::with_capacity(count.min(1024));
    for _ in 0..count {
        let key = take_text(bytes)?.to_owned();
        let value = match take(bytes, 1)?[0] {
            0 => None,
            1 => Some(take_value(bytes, 0)?),
            other => return Err(malformed(format!("unknown change {other}"))),
        };
        changes.push(Change { key, value });
    }
    Ok(changes)
}

fn take_json<T: serde::de::DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(std::mem::take(bytes)).map_err(|error| malformed(error.to_string()))
}

fn take_metric(bytes: &mut &[u8]) -> Result<MetricDefinition, DecodeError> {
    let definition: MetricDefinition = take_json(bytes)?;
    definition.check().map_err(|error| malformed(error.to_string()))?;
    Ok(definition)
}

fn take_alert(bytes: &mut &[u8]) -> Result<Alert, DecodeError> {
    let alert: Alert = take_json(bytes)?;
    alert.check().map_err(|error| malformed(error.to_string()))?;
    Ok(alert)
}

fn take_file(bytes: &mut &[u8]) -> Result<SavedFile, DecodeError> {
    let file: SavedFile = take_json(bytes)?;
    file.check().map_err(|error| malformed(error.to_string()))?;
    Ok(file)
}

fn take_artifact(bytes: &mut &[u8]) -> Result<ArtifactRecord, DecodeError> {
    let artifact: ArtifactRecord = take_json(bytes)?;
    artifact.check().map_err(|error| malformed(error.to_string()))?;
    Ok(artifact)
}

fn take_console(bytes: &mut &[u8]) -> Result<ConsoleLines, DecodeError> {
    let time = take_time(bytes)?;
    let output = match take(bytes, 1)?[0] {
        0 => ConsoleOutput::Stdout,
        1 => ConsoleOutput::Stderr,
        other => return Err(malformed(format!("unknown console output {other}"))),
    };
    let first_line = take_unsigned(bytes).ok_or(DecodeError::Short)?;
    let count = take_count(bytes)?;
    if first_line.checked_add(count as u64).is_none_or(|end| end > i64::MAX as u64) {
        return Err(malformed("a line number beyond 63 bits"));
    }
    let line = |bytes: &mut &[u8]| {
        let text = take_text(bytes)?;
        if text.len() > MAX_CONSOLE_LINE_BYTES || text.contains('\n') {
            return Err(malformed(format!("a line of {} bytes, or more than one line", text.len())));
        }
        Ok(text.into())
    };
    let lines = (0..count).map(|_| line(bytes)).collect::<Result<_, _>>()?;
    Ok(ConsoleLines { time, output, first_line, lines })
}

fn take_system(bytes: &mut &[u8]) -> Result<SystemSample, DecodeError> {
    let time = take_time(bytes)?;
    let count = take_count(bytes)?;
    if count > MAX_SYSTEM_VALUES {
        return Err(malformed(format!("a system sample of {count} values")));
    }
    let value = |bytes: &mut &[u8]| {
        let key = take_text(bytes)?;
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Err(malformed(format!("a key of {} bytes", key.len())));
        }
        Ok((key.into(), take_f64(bytes)?))
    };
    let values = (0..count).map(|_| value(bytes)).collect::<Result<_, _>>()?;
    Ok(SystemSample { time, values })
}

fn take_time(bytes: &mut &[u8]) -> Result<f64, DecodeError> {
    let time = take_f64(bytes)?;
    if time.is_finite() { Ok(time) } else { Err(malformed("a time that is not finite")) }
}

fn take_f64(bytes: &mut &[u8]) -> Result<f64, DecodeError> {
    Ok(f64::from_le_bytes(take(bytes, 8)?.try_into().expect("8 bytes")))
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, DecodeError> {
    let length = take_count(bytes)?;
    std::str::from_utf8(take(bytes, length)?).map_err(|_| malformed("a text is not UTF-8"))
}

/// A count of things that take at least a byte each, so never more than there are bytes left.
fn take_count(bytes: &mut &[u8]) -> Result<usize, DecodeError> {
    let count = take_unsigned(bytes).ok_or(DecodeError::Short)?;
    if count > bytes.len() as u64 { Err(DecodeError::Short) } else { Ok(count as usize) }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], DecodeError> {
    let (front, rest) = bytes.split_at_checked(count).ok_or(DecodeError::Short)?;
    *bytes = rest;
    Ok(front)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
            any::<i64>().prop_map(Value::Int),
            Just(Value::BigInt("-123456789012345678901234567890".into())),
            ".*".prop_map(|text| Value::Text(text.into())),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                prop::collection::vec((".*".prop_map(Into::into), inner), 0..6).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_read_back_bit_for_bit(value in any_value()) {
            let mut bytes = Vec::new();
            encode_value(&mut bytes, &value);
            let mut rest = &bytes[..];
            prop_assert_eq!(decode_value(&mut rest).unwrap(), value);
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn hostile_payloads_are_refused_without_panic(kind in 0u8..20, payload: Vec<u8>) {
            let _ = decode_record(kind, &payload, &mut Vec::new());
        }
    }

    #[test]
    fn records_read_back() {
        let change = |key: &str, value| Change { key: key.into(), value };
        let start = r#"{"run_id":"abc","project":"digits","started_at":1.5,"tags":["demo"]}"#;
        for record in [
            Record::RunStart(Box::new(serde_json::from_str(start).unwrap())),
            Record::RunUpdate(RunUpdate { name: Some("n".into()), ..RunUpdate::default() }),
            Record::Config(vec![change("lr", Some(Value::Float(0.1))), change("old", None)]),
            Record::Summary(vec![change("best", Some(Value::Float(f64::NAN)))]),
            Record::Heartbeat { time: 2.5 },
            Record::Preempting { time: 2.75 },
            Record::Metric(
                serde_json::from_str(r#"{"name":"train/*","step_metric":"epoch","summary":["min"]}"#).unwrap(),
            ),
            Record::Alert(
                serde_json::from_str(r#"{"time":1.5,"title":"t","text":"","level":"WARN","wait_millis":60000}"#)
                    .unwrap(),
            ),
            Record::File(
                serde_json::from_str(r#"{"time":1.5,"path":"a/b.pt","policy":"end","source":"/tmp/a/b.pt"}"#).unwrap(),
            ),
            Record::Artifact(
                serde_json::from_str(
                    r#"{"event":"used","collection":"c","version":"v0","digest":"64e7c61456b10382e2f3b571ac24b659"}"#,
                )
                .unwrap(),
            ),
            Record::Console(ConsoleLines {
                time: 1.5,
                output: ConsoleOutput::Stderr,
                first_line: 7,
                lines: vec!["\u{1b}[31mred\u{1b}[0m".into(), "".into()],
            }),
            Record::System(SystemSample {
                time: 1.5,
                values: vec![("cpu".into(), 12.5), ("memory".into(), f64::INFINITY)],
            }),
            Record::Environment(serde_json::from_str(r#"{"git":{"commit":"abc"}}"#).unwrap()),
            Record::Exit { time: 3.5, code: -1 },
            Record::Loss { rows: 7, time: 4.5 },
        ] {
            let mut payload = Vec::new();
            let kind = encode_record(&mut payload, &record);
            assert_eq!(decode_record(kind, &payload, &mut Vec::new()), Ok(record));
        }
    }

    #[test]
    fn a_list_that_nests_too_deep_is_refused() {
        let mut bytes = [tag::LIST, 1].repeat(MAX_VALUE_DEPTH + 1);
        bytes.push(tag::NULL);
        assert_eq!(decode_value(&mut &bytes[..]), Err(malformed("a value nests too deep")));
        assert_eq!(decode_value(&mut &bytes[2..]).map(|_| ()), Ok(()));
    }

    #[test]
    fn a_length_beyond_the_payload_allocates_nothing() {
        let mut bytes = vec![tag::LIST];
        put_unsigned(&mut bytes, u64::MAX);
        assert_eq!(decode_value(&mut &bytes[..]), Err(DecodeError::Short));
    }
}
