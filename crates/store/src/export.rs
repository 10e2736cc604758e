//! Exports of a run's history.

use std::io::Write;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use steplog_model::{RunPath, Value};

use crate::history::{History, HistoryColumn, HistoryRow, RowSelection};
use crate::values::Kinds;
use crate::{Error, Store};

/// The columns that every export begins with: the step, Unix seconds, seconds since the run began.
const FIRST_COLUMNS: [&str; 3] = ["_step", "_timestamp", "_runtime"];

/// What an export is written as. In all of them a row is a step and a column a key.
///
/// A key that holds integers only is an integer column in Parquet and Arrow, one with numbers only a float column, one
/// with booleans only a boolean column, one with texts only a text column. Any other is a text column of JSON; so is one
/// that mixes floats with integers that a float would round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Apache Parquet; floats keep their bits.
    Parquet,
    /// Comma-separated values as RFC 4180 says, with `NaN`, `Infinity` and `-Infinity`; lists and maps as JSON.
    Csv,
    /// JSON, one row a line; only what was logged, and `"NaN"`, `"Infinity"` and `"-Infinity"`.
    Jsonl,
    /// An Arrow IPC stream; floats keep their bits.
    Arrow,
}

impl FromStr for ExportFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "parquet" => Ok(Self::Parquet),
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            "arrow" => Ok(Self::Arrow),
            _ => Err(Error::invalid(format!("there is no export format {name:?}"))
                .with_hint("formats are parquet, csv, jsonl and arrow")),
        }
    }
}

/// Which part of a history is exported; the default is all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportSelection {
    /// Only these keys, in this order; `None` for all, by name.
    pub keys: Option<Vec<String>>,
    /// Only rows that have a value of each of these keys, which must be among `keys`; a key that the run does not have
    /// leaves no row.
    pub required: Vec<String>,
    /// Lowest step.
    pub from_step: Option<i64>,
    /// Highest step.
    pub to_step: Option<i64>,
    /// Only so many rows, from the lowest step: at most [`MAX_ROWS`].
    pub limit: Option<u32>,
    /// At most so many rows that hide no extreme, all over the steps: up to [`MAX_ROWS`]. The rows are taken in buckets;
    /// of each come its last row and, for every key, the rows with the lowest value, the highest, and the first NaN. When
    /// even one bucket has more such rows, because of many keys, all of them come. The first row comes too.
    pub samples: Option<u32>,
}

/// Most rows that a selection may name.
pub const MAX_ROWS: u32 = 1_000_000;

impl ExportSelection {
    fn rows(&self) -> Result<RowSelection, Error> {
        for (name, rows) in [("limit", self.limit), ("samples", self.samples)] {
            if rows.is_some_and(|rows| rows == 0 || rows > MAX_ROWS) {
                return Err(Error::invalid(format!("{name} must be 1 to {MAX_ROWS}")));
            }
        }
        if self.limit.is_some() && self.samples.is_some() {
            return Err(Error::invalid("limit and samples exclude each other"));
        }
        if let Some(keys) = &self.keys
            && let Some(key) = self.required.iter().find(|key| !keys.contains(key))
        {
            return Err(Error::invalid(format!("the required key {key:?} is not among the keys")));
        }
        Ok(RowSelection {
            steps: self.from_step.unwrap_or(i64::MIN)..=self.to_step.unwrap_or(i64::MAX),
            limit: self.limit.map(|rows| rows as usize),
            samples: self.samples.map(|rows| rows as usize),
        })
    }
}

impl Store {
    /// Writes the history of a run, row by row as the steps go, a part at a time. Rows that come meanwhile are left out.
    ///
    /// # Errors
    /// There is no such run or key, the selection contradicts itself, or `out` refused.
    pub fn export(
        &self,
        path: &RunPath,
        format: ExportFormat,
        selection: &ExportSelection,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let rows = selection.rows()?;
        let history = History::open(&self.shared, path, selection.keys.as_deref(), &selection.required)?;
        let columns = history.columns.iter().map(|HistoryColumn { key, kinds, .. }| Column { key, kinds: *kinds });
        let table = Table::new(history.created_at, columns);
        write_table(&table, format, out, |write| history.read(&self.shared, &rows, write))
    }
}

/// Writes a table whose rows `read` hands over in parts.
pub(crate) fn write_table(
    table: &Table,
    format: ExportFormat,
    out: &mut dyn Write,
    read: impl FnOnce(&mut dyn FnMut(&[HistoryRow]) -> Result<(), Error>) -> Result<(), Error>,
) -> Result<(), Error> {
    match format {
        ExportFormat::Csv => {
            table.write_csv_header(out)?;
            read(&mut |rows| table.write_csv(rows, out))
        }
        ExportFormat::Jsonl => read(&mut |rows| table.write_json(rows, out)),
        ExportFormat::Arrow => {
            let mut writer = StreamWriter::try_new(&mut *out, &table.schema).map_err(refused)?;
            read(&mut |rows| writer.write(&table.batch(rows)?).map_err(refused))?;
            writer.finish().map_err(refused)
        }
        ExportFormat::Parquet => {
            let level = ZstdLevel::try_new(3).map_err(refused)?;
            let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
            let pipe = Pipe::default();
            let mut writer =
                ArrowWriter::try_new(pipe.clone(), table.schema.clone(), Some(properties)).map_err(refused)?;
            read(&mut |rows| {
                writer.write(&table.batch(rows)?).map_err(refused)?;
                // A row group for each part keeps no more than one in memory.
                writer.flush().map_err(refused)?;
                pipe.drain(out)
            })?;
            writer.close().map_err(refused)?;
            pipe.drain(out)
        }
    }
}

fn refused(error: impl std::fmt::Display) -> Error {
    Error::unavailable(format!("the export could not be written: {error}"))
}

/// A column behind the first ones.
pub(crate) struct Column<'a> {
    pub(crate) key: &'a str,
    /// What its values are.
    pub(crate) kinds: Kinds,
}

/// A table as it is written.
pub(crate) struct Table {
    created_at: f64,
    names: Vec<String>,
    schema: SchemaRef,
}

impl Table {
    pub(crate) fn new<'a>(created_at: f64, columns: impl Iterator<Item = Column<'a>>) -> Self {
        let mut names: Vec<String> = FIRST_COLUMNS.map(str::to_owned).to_vec();
        let mut fields = vec![
            Field::new(FIRST_COLUMNS[0], DataType::Int64, false),
            Field::new(FIRST_COLUMNS[1], DataType::Float64, false),
            Field::new(FIRST_COLUMNS[2], DataType::Float64, false),
        ];
        let mut taken: std::collections::HashSet<String> = names.iter().cloned().collect();
        for Column { key, kinds } in columns {
            let mut name = key.to_owned();
            while !taken.insert(name.clone()) {
                name.push('_');
            }
            fields.push(Field::new(&name, data_type(kinds), true));
            names.push(name);
        }
        Self { created_at, names, schema: Arc::new(Schema::new(fields)) }
    }

    fn write_csv_header(&self, out: &mut dyn Write) -> Result<(), Error> {
        let mut line = String::new();
        self.names.iter().for_each(|name| push_cell(&mut line, name));
        end_line(&mut line, out)
    }

    fn write_csv(&self, rows: &[HistoryRow], out: &mut dyn Write) -> Result<(), Error> {
        let mut text = String::new();
        for row in rows {
            for value in [Value::Int(row.step), row.time.into(), (row.time - self.created_at).into()] {
                push_cell(&mut text, &plain(&value));
            }
            for value in &row.values {
                push_cell(&mut text, &value.as_ref().map(plain).unwrap_or_default());
            }
            end_line(&mut text, out)?;
        }
        Ok(())
    }

    fn write_json(&self, rows: &[HistoryRow], out: &mut dyn Write) -> Result<(), Error> {
        for row in rows {
            let first = [Value::Int(row.step), row.time.into(), (row.time - self.created_at).into()];
            let values = first.iter().map(Some).chain(row.values.iter().map(Option::as_ref));
            let object: serde_json::Map<String, serde_json::Value> = self
                .names
                .iter()
                .zip(values)
                .filter_map(|(name, value)| Some((name.clone(), value?.to_json())))
                .collect();
            let mut line = serde_json::Value::Object(object).to_string();
            line.push('\n');
            out.write_all(line.as_bytes()).map_err(refused)?;
        }
        Ok(())
    }

    fn batch(&self, rows: &[HistoryRow]) -> Result<RecordBatch, Error> {
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.step))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.time))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.time - self.created_at))),
        ];
        for (index, field) in self.schema.fields().iter().skip(FIRST_COLUMNS.len()).enumerate() {
            let values = rows.iter().map(|row| row.values[index].as_ref());
            arrays.push(array(field.data_type(), values));
        }
        RecordBatch::try_new(self.schema.clone(), arrays).map_err(refused)
    }
}

fn data_type(kinds: Kinds) -> DataType {
    let is = |allowed: Kinds| kinds.within(allowed);
    if is(Kinds::TEXT) {
        DataType::Utf8
    } else if is(Kinds::BOOL) {
        DataType::Boolean
    } else if is(Kinds::INT.and(Kinds::WIDE_INT)) {
        DataType::Int64
    } else if is(Kinds::INT.and(Kinds::FLOAT)) {
        DataType::Float64
    } else {
        JSON
    }
}

/// Columns of values that have nothing else in common. 64-bit offsets tell them from columns of texts.
const JSON: DataType = DataType::LargeUtf8;

fn array<'a>(data_type: &DataType, values: impl Iterator<Item = Option<&'a Value>>) -> ArrayRef {
    match data_type {
        DataType::Int64 => {
            let mut builder = Int64Builder::new();
            values.for_each(|value| builder.append_option(value.and_then(int)));
            Arc::new(builder.finish())
        }
        DataType::Float64 => {
            let mut builder = Float64Builder::new();
            values.for_each(|value| builder.append_option(value.and_then(Value::as_f64)));
            Arc::new(builder.finish())
        }
        DataType::Boolean => {
            let mut builder = BooleanBuilder::new();
            values.for_each(|value| builder.append_option(value.map(|value| *value == Value::Bool(true))));
            Arc::new(builder.finish())
        }
        DataType::Utf8 => {
            let mut builder = StringBuilder::new();
            values.for_each(|value| builder.append_option(value.map(plain)));
            Arc::new(builder.finish())
        }
        _ => {
            let mut builder = arrow_array::builder::LargeStringBuilder::new();
            values.for_each(|value| builder.append_option(value.map(|value| value.to_json().to_string())));
            Arc::new(builder.finish())
        }
    }
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

/// A value as a text: texts as they are, numbers so that they read back, the rest as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::BigInt(digits) => digits.to_string(),
        Value::Float(number) if number.is_nan() => "NaN".into(),
        Value::Float(number) if number.is_infinite() => if *number > 0.0 { "Infinity" } else { "-Infinity" }.into(),
        other => other.to_json().to_string(),
    }
}

fn push_cell(line: &mut String, cell: &str) {
    if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
        line.push('"');
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(cell);
    }
    line.push(',');
}

fn end_line(line: &mut String, out: &mut dyn Write) -> Result<(), Error> {
    line.pop();
    line.push_str("\r\n");
    let result = out.write_all(line.as_bytes()).map_err(refused);
    line.clear();
    result
}

/// Where the Parquet writer, which wants to own its output and send it about, puts what is then passed on.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Pipe {
    fn drain(&self, out: &mut dyn Write) -> Result<(), Error> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        out.write_all(&bytes).map_err(refused)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
