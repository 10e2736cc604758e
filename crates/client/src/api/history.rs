//! The rows of a run: some of them, all of them in pages, or as a file.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::str::FromStr;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use steplog_model::{RunPath, Value, path_segment};

use super::connection::Connection;
use super::run;
use crate::error::{Error, ErrorKind};

/// Which part of a history is read; the default is all of it. A row is a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only these keys, in this order; `None` for all.
    pub keys: Option<Vec<String>>,
    /// Only rows that have a value of each of these keys, which must be among `keys`. A key that the run does not have
    /// leaves no row, where among `keys` alone it is an error.
    pub required: Vec<String>,
    /// Lowest step.
    pub from_step: Option<i64>,
    /// Highest step.
    pub to_step: Option<i64>,
    /// Only so many rows, from the lowest step.
    pub limit: Option<u32>,
    /// At most so many rows from all over the steps, chosen by the server so that they hide no extreme: the rows are
    /// taken in buckets of equally many, and of each come its last row and, for every key, the rows with the lowest
    /// value, the highest, and the first NaN. More come only when many keys need them. The first row comes too.
    pub samples: Option<u32>,
}

/// What a history is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryFormat {
    /// An Arrow IPC stream.
    Arrow,
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values.
    Csv,
    /// JSON, a row a line.
    Jsonl,
}

/// A row as JSON tells it: non-finite numbers are there, but the payload of a NaN is not; integers beyond 64 bits are
/// texts; and the texts `NaN`, `Infinity` and `-Infinity` are taken for the numbers. [`HistoryFormat::Arrow`] keeps all.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRow {
    /// The step.
    pub step: i64,
    /// When it was written last, Unix seconds.
    pub time: f64,
    /// The same in seconds since the run began.
    pub runtime: f64,
    /// What was logged, by key as metrics are written.
    pub values: Vec<(String, Value)>,
}

impl HistoryQuery {
    /// The rows that have all of these keys, with nothing else. `_step`, `_timestamp` and `_runtime` are in every row and
    /// may be among the keys.
    pub fn complete<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        let mut query = Self::default();
        let keys: Vec<String> = keys.into_iter().map(Into::into).collect();
        let named: Vec<String> = keys.iter().filter(|key| !is_in_every_row(key)).cloned().collect();
        // Of a row without any metric there would be nothing.
        if !named.is_empty() {
            query.required = named.clone();
            query.keys = Some(named);
        }
        query
    }

    pub(super) fn address(&self, path: &RunPath, format: HistoryFormat) -> Result<String, Error> {
        let list = |keys: &[String]| serde_json::to_string(keys).map_err(Error::invalid);
        let mut address = format!("{}/history?format={}", run::address(path), format.name());
        if let Some(keys) = &self.keys {
            address += &format!("&keys={}", path_segment(&list(keys)?));
        }
        if !self.required.is_empty() {
            address += &format!("&required={}", path_segment(&list(&self.required)?));
        }
        let numbers = [
            ("from_step", self.from_step),
            ("to_step", self.to_step),
            ("limit", self.limit.map(i64::from)),
            ("samples", self.samples.map(i64::from)),
        ];
        for (name, number) in numbers {
            address += &number.map_or(String::new(), |number| format!("&{name}={number}"));
        }
        Ok(address)
    }
}

/// Whether a name is one of the columns that every row has.
pub(crate) fn is_in_every_row(key: &str) -> bool {
    matches!(key, "_step" | "_timestamp" | "_runtime")
}

impl HistoryFormat {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

impl FromStr for HistoryFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let all = [Self::Arrow, Self::Parquet, Self::Csv, Self::Jsonl];
        all.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            Error::invalid(format_args!("there is no format {name:?}\nhint: formats are arrow, parquet, csv and jsonl"))
        })
    }
}

impl HistoryRow {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let mut row: Map<String, Json> = serde_json::from_slice(line).ok()?;
        let step = row.shift_remove("_step")?.as_i64()?;
        let time = row.shift_remove("_timestamp")?.as_f64()?;
        let runtime = row.shift_remove("_runtime")?.as_f64()?;
        let values = row.into_iter().map(|(key, value)| (key, Value::from_api_json(value))).collect();
        Some(Self { step, time, runtime, values })
    }
}

/// Rows of a run, read page by page as they are asked for.
///
/// As an iterator it ends after the last row, or after the first error.
#[derive(Clone, Debug)]
pub struct HistoryRows {
    connection: Arc<Connection>,
    path: RunPath,
    /// What is left to be read.
    query: HistoryQuery,
    page_size: u32,
    waiting: VecDeque<HistoryRow>,
    is_at_end: bool,
}

impl HistoryRows {
    pub(super) fn new(connection: Arc<Connection>, path: RunPath, query: HistoryQuery, page_size: u32) -> Self {
        Self { connection, path, query, page_size, waiting: VecDeque::new(), is_at_end: false }
    }

    pub(super) fn read(
        connection: &Connection,
        path: &RunPath,
        query: &HistoryQuery,
    ) -> Result<Vec<HistoryRow>, Error> {
        Self::read_from(connection, path, &query.address(path, HistoryFormat::Jsonl)?)
    }

    /// The rows that stand at an address as JSON, all at once.
    pub(super) fn read_from(connection: &Connection, path: &RunPath, address: &str) -> Result<Vec<HistoryRow>, Error> {
        let body = connection.download(address)?;
        let mut rows = Vec::new();
        for line in BufReader::with_capacity(64 << 10, body).split(b'\n') {
            let line = line.map_err(|error| Error::new(ErrorKind::Server, error.to_string()))?;
            let row = HistoryRow::parse(&line).ok_or_else(|| {
                Error::new(
                    ErrorKind::Server,
                    format!("a row of {path} from {} is not understood", connection.base_url()),
                )
            })?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// The next page; empty after the last.
    ///
    /// # Errors
    /// The run is gone, a key is not there, or no server answers.
    pub fn next_page(&mut self) -> Result<Vec<HistoryRow>, Error> {
        if self.waiting.is_empty() && !self.is_at_end {
            self.read_page()?;
        }
        Ok(self.waiting.drain(..).collect())
    }

    fn read_page(&mut self) -> Result<(), Error> {
        if self.query.samples.is_some() {
            // They are chosen from all the steps at once.
            self.waiting = Self::read(&self.connection, &self.path, &self.query)?.into();
            self.is_at_end = true;
            return Ok(());
        }
        let limit = self.query.limit.unwrap_or(u32::MAX).min(self.page_size);
        let page = HistoryQuery { limit: Some(limit), ..self.query.clone() };
        let rows = Self::read(&self.connection, &self.path, &page)?;
        let left = self.query.limit.as_mut().map(|left| {
            *left = left.saturating_sub(rows.len() as u32);
            *left
        });
        self.query.from_step = rows.last().and_then(|row| row.step.checked_add(1));
        self.is_at_end = rows.len() < limit as usize || self.query.from_step.is_none() || left == Some(0);
        self.waiting = rows.into();
        Ok(())
    }
}

impl Iterator for HistoryRows {
    type Item = Result<HistoryRow, Error>;

    fn next(&mut self) -> Option<Result<HistoryRow, Error>> {
        if self.waiting.is_empty()
            && !self.is_at_end
            && let Err(error) = self.read_page()
        {
            self.is_at_end = true;
            return Some(Err(error));
        }
        self.waiting.pop_front().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_become_addresses() {
        let path: RunPath = "ada/my digits/a1".parse().unwrap();
        let address = |query: &HistoryQuery| query.address(&path, HistoryFormat::Jsonl).unwrap();
        assert_eq!(address(&HistoryQuery::default()), "/runs/ada/my%20digits/a1/history?format=jsonl");
        let query = HistoryQuery {
            from_step: Some(-5),
            to_step: Some(9),
            limit: Some(3),
            ..HistoryQuery::complete(["a,b", "_step"])
        };
        assert_eq!(
            address(&query),
            "/runs/ada/my%20digits/a1/history?format=jsonl&keys=%5B%22a%2Cb%22%5D&required=%5B%22a%2Cb%22%5D\
             &from_step=-5&to_step=9&limit=3"
        );
        assert_eq!(HistoryQuery::complete(["_step"]), HistoryQuery::default());
    }

    #[test]
    fn rows_are_read() {
        let row = HistoryRow::parse(br#"{"_step":-1,"_timestamp":2.5,"_runtime":0.5,"b":"NaN","a":[1,"x"]}"#).unwrap();
        let list = Value::List(vec![Value::Int(1), "x".into()]);
        let values = vec![("b".into(), Value::Float(f64::NAN)), ("a".into(), list)];
        assert_eq!(row, HistoryRow { step: -1, time: 2.5, runtime: 0.5, values });
        assert_eq!((row.get("b"), row.get("c")), (Some(&Value::Float(f64::NAN)), None));
        assert_eq!(HistoryRow::parse(b"{}"), None);
    }
}
