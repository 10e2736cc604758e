//! The order of a list of runs, and the cursor that says where a page of it ended.

use std::cmp::Ordering;

use serde_json::Value as Json;
use steplog_protocol::Sort;

use crate::Error;
use crate::column::{Cell, Column};
use crate::table::{Runs, Table};

/// By some columns; runs that are equal come newest first.
pub(crate) struct Order<'a> {
    runs: &'a Runs,
    /// With whether the largest comes first.
    keys: Vec<(&'a Column, bool)>,
}

/// The place of a run in an order, whether the run is still there or not.
pub(crate) struct Cursor {
    keys: Vec<Key>,
    created_at: f64,
    run: i64,
}

enum Key {
    Nothing,
    Number(f64),
    Text(String),
}

impl Key {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Nothing => Cell::Missing,
            Self::Number(number) => Cell::Number(*number),
            Self::Text(text) => Cell::Text(text),
        }
    }
}

impl<'a> Order<'a> {
    /// The table must hold the fields that `sorts` name.
    pub(crate) fn new(table: &'a Table, sorts: &[Sort]) -> Self {
        let key = |sort: &Sort| (table.field(&sort.field).1, sort.descending);
        Self { runs: &table.runs, keys: sorts.iter().map(key).collect() }
    }

    /// Never equal for two places.
    fn compare(&self, a: u32, b: u32) -> Ordering {
        let (a, b) = (a as usize, b as usize);
        let by_key = |(column, descending): &(&Column, bool)| column.get(a).compare(column.get(b), *descending);
        let by_age =
            || newest_first((self.runs.created_at(a), self.runs.id(a)), (self.runs.created_at(b), self.runs.id(b)));
        self.keys.iter().map(by_key).find(|order| order.is_ne()).unwrap_or_else(by_age)
    }

    /// Whether a run stands behind a cursor.
    fn is_behind(&self, place: u32, cursor: &Cursor) -> bool {
        let place = place as usize;
        let by_key =
            |((column, descending), key): (&(&Column, bool), &Key)| column.get(place).compare(key.cell(), *descending);
        let by_age =
            || newest_first((self.runs.created_at(place), self.runs.id(place)), (cursor.created_at, cursor.run));
        let order = self.keys.iter().zip(&cursor.keys).map(by_key).find(|order| order.is_ne());
        order.unwrap_or_else(by_age).is_gt()
    }

    /// The first places of those in `places` that stand behind a cursor, in order, and the cursor to what follows them.
    pub(crate) fn page(
        &self,
        mut places: Vec<u32>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<(Vec<u32>, Option<String>), Error> {
        if let Some(cursor) = cursor {
            let cursor = Cursor::decode(cursor, self.keys.len())?;
            places.retain(|place| self.is_behind(*place, &cursor));
        }
        let has_more = places.len() > limit;
        if has_more {
            places.select_nth_unstable_by(limit, |a, b| self.compare(*a, *b));
            places.truncate(limit);
        }
        places.sort_unstable_by(|a, b| self.compare(*a, *b));
        let next = places.last().filter(|_| has_more).map(|last| self.cursor(*last).encode());
        Ok((places, next))
    }

    fn cursor(&self, place: u32) -> Cursor {
        let place = place as usize;
        let key = |(column, _): &(&Column, bool)| match column.get(place) {
            Cell::Missing | Cell::Null => Key::Nothing,
            Cell::Number(number) => Key::Number(number),
            Cell::Text(text) => Key::Text(text.to_owned()),
        };
        Cursor {
            keys: self.keys.iter().map(key).collect(),
            created_at: self.runs.created_at(place),
            run: self.runs.id(place),
        }
    }
}

fn newest_first(a: (f64, i64), b: (f64, i64)) -> Ordering {
    b.0.total_cmp(&a.0).then(b.1.cmp(&a.1))
}

impl Cursor {
    fn encode(&self) -> String {
        // Numbers as bits: they must come back exactly, infinities too.
        let key = |key: &Key| match key {
            Key::Nothing => Json::Null,
            Key::Number(number) => number.to_bits().into(),
            Key::Text(text) => text.clone().into(),
        };
        let mut json: Vec<Json> = self.keys.iter().map(key).collect();
        json.extend([self.created_at.to_bits().into(), self.run.into()]);
        encode_hex(&json)
    }

    fn decode(cursor: &str, keys: usize) -> Result<Self, Error> {
        let mut json = decode_hex(cursor)?;
        let (run, created_at) = (json.pop(), json.pop());
        let number = |json: &Json| json.as_u64().map(f64::from_bits).filter(|number| !number.is_nan());
        let key = |json: &Json| match json {
            Json::Null => Some(Key::Nothing),
            Json::String(text) => Some(Key::Text(text.clone())),
            json => number(json).map(Key::Number),
        };
        let keys_there: Option<Vec<Key>> = json.iter().map(key).collect();
        match (keys_there, created_at.as_ref().and_then(number), run.and_then(|run| run.as_i64())) {
            (Some(there), Some(created_at), Some(run)) if there.len() == keys => {
                Ok(Self { keys: there, created_at, run })
            }
            _ => Err(wrong_cursor()),
        }
    }
}

/// How cursors look from outside.
pub(crate) fn encode_hex(json: &[Json]) -> String {
    Json::from(json).to_string().bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The inverse of [`encode_hex`].
pub(crate) fn decode_hex(cursor: &str) -> Result<Vec<Json>, Error> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = cursor.as_bytes().chunks(2).map(byte).collect();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(wrong_cursor)
}

pub(crate) fn wrong_cursor() -> Error {
    Error::invalid("the cursor is none of this query's").with_hint("begin again without a cursor")
}
