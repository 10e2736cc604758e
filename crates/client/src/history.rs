//! The rows that a process logged, read back from its own journal.

use std::sync::Arc;

use steplog_journal::{Backlog, StreamDecoder};
use steplog_model::{Record, Row, StreamId, Value};

use crate::error::{Error, ErrorKind};

const PIECE_BYTES: usize = 4 << 20;

/// A complete row.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRow {
    /// Step.
    pub step: i64,
    /// When its last part was logged, Unix seconds.
    pub time: f64,
    /// Values by key as [`crate::join_key`] writes it; each key once.
    pub entries: Vec<(Arc<str>, Value)>,
}

/// Reads all complete rows of a stream. The open row at its end is left out, unless the process has ended.
pub(crate) fn read(stream: StreamId, backlog: &Backlog) -> Result<Vec<HistoryRow>, Error> {
    let mut decoder = StreamDecoder::new(stream);
    let mut rows = Rows::default();
    loop {
        let bytes = backlog.read(decoder.offset(), PIECE_BYTES).map_err(|error| Error::io(error, "history"))?;
        if bytes.is_empty() {
            return Ok(rows.complete);
        }
        decoder
            .decode(&bytes, |record| rows.take(record))
            .map_err(|error| Error::new(ErrorKind::Io, format!("history: {error}")))?;
    }
}

#[derive(Default)]
struct Rows {
    complete: Vec<HistoryRow>,
    open: Option<HistoryRow>,
}

impl Rows {
    fn take(&mut self, record: Record) {
        match record {
            Record::Row(row) => self.take_row(row),
            Record::Exit { .. } => self.complete.extend(self.open.take()),
            _ => {}
        }
    }

    fn take_row(&mut self, row: Row) {
        let Row { step, time, committed, entries } = row;
        if self.open.as_ref().is_some_and(|open| step < open.step) {
            self.complete.push(HistoryRow { step, time, entries });
            return;
        }
        let mut whole = match self.open.take() {
            Some(open) if open.step == step => open,
            before => {
                self.complete.extend(before);
                HistoryRow { step, time, entries: Vec::new() }
            }
        };
        whole.time = time;
        for (key, value) in entries {
            match whole.entries.iter_mut().find(|(known, _)| *known == key) {
                Some(entry) => entry.1 = value,
                None => whole.entries.push((key, value)),
            }
        }
        match committed {
            true => self.complete.push(whole),
            false => self.open = Some(whole),
        }
    }
}
