//! Pages of lines.

use rusqlite::Connection;
use steplog_model::RunPath;
use steplog_protocol::{
    ConsoleLine, ConsoleLineList, ConsoleOutput, ConsoleProcess, ConsoleRequest, MAX_CONSOLE_LINES,
};

use super::order::{Selected, Selection};
use super::read::Console;
use super::search::Pattern;
use crate::database::Sql as _;
use crate::{Error, Store, catalog};

const DEFAULT_LINES: u32 = 1000;

/// A page ends early when its texts are longer together.
const MAX_TEXT_BYTES: usize = 4 << 20;

impl Store {
    /// A page of the lines that the processes of a run printed.
    ///
    /// # Errors
    /// There is no such run or process, the limit is out of range, or the search is none.
    pub fn console(&self, request: &ConsoleRequest) -> Result<ConsoleLineList, Error> {
        let limit = request.limit.unwrap_or(DEFAULT_LINES);
        if limit == 0 || limit > MAX_CONSOLE_LINES {
            return Err(Error::invalid(format!("limit must be 1 to {MAX_CONSOLE_LINES}, not {limit}")));
        }
        let path: RunPath = request.run.parse()?;
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let (run, _) = catalog::run_id(&reader, &path)?;
        let console = Console::open(&reader, &self.shared.caches.console, run)?;
        let mut selection = console.select(&reader, request.stream.as_deref(), request.output)?;
        if let Some(text) = request.search.as_ref().filter(|text| !text.is_empty()) {
            let pattern =
                Pattern { text: text.clone(), is_regex: request.regex, is_case_sensitive: request.case_sensitive };
            let matches = console.matches(&pattern, selection.streams())?;
            selection.retain(&|chunk| &matches[&chunk]);
        }
        let total = selection.total();
        let from = request.from.unwrap_or(0);
        let from = if from < 0 { total.saturating_sub(from.unsigned_abs()) } else { total.min(from as u64) };
        let selected = selection.lines(from, limit as usize, &mut |chunk| console.head(chunk))?;
        let processes =
            console.processes.iter().zip(console.order.streams()).map(|(process, (_, lines))| ConsoleProcess {
                stream: process.stream.clone(),
                label: process.label.clone(),
                host: process.host.clone(),
                process_id: process.process_id,
                is_fork: process.is_fork,
                line_count: lines.line_count(),
            });
        Ok(ConsoleLineList {
            lines: console.lines(&selected, MAX_TEXT_BYTES)?,
            from,
            total,
            line_count: selection.line_count(),
            processes: processes.collect(),
        })
    }
}

impl Console<'_> {
    /// The lines of a process, or of all, and of an output, or of both.
    pub(super) fn select(
        &self,
        database: &Connection,
        stream: Option<&str>,
        output: Option<ConsoleOutput>,
    ) -> Result<Selection<'_>, Error> {
        let is_stderr = output.map(|output| output == ConsoleOutput::Stderr);
        let Some(stream) = stream else { return Ok(self.order.select(None, is_stderr)) };
        if let Some(index) = self.processes.iter().position(|process| process.stream == stream) {
            return Ok(self.order.select(Some(index), is_stderr));
        }
        let id: steplog_model::StreamId =
            stream.parse().map_err(|_| Error::invalid(format!("{stream:?} is not the id of a process")))?;
        let is_known = database
            .sql("SELECT 1 FROM streams WHERE run = $1 AND stream = $2")?
            .exists((self.run(), &id.as_bytes()[..]))?;
        match is_known {
            true => Ok(self.order.select_nothing()),
            false => Err(Error::not_found(format!("the run has no process {stream}"))),
        }
    }

    /// Lines with their texts: the first at least, and more as long as the texts together are no longer than a limit.
    pub(super) fn lines(&self, selected: &[Selected], max_text_bytes: usize) -> Result<Vec<ConsoleLine>, Error> {
        let mut lines = Vec::with_capacity(selected.len());
        let mut text_bytes = 0;
        // Lines mostly come from the chunk of the line before.
        let (mut first, mut last) = (None, None);
        for selected in selected {
            let (_, order) = &self.order.streams()[selected.stream];
            let line = order.line(selected.at);
            let head = self.again(&mut first, order.chunk_id(line.first), |id| self.head(id))?;
            let entry = line.first.entry as usize;
            let (time, is_stderr) = (head.times[entry], head.stderr.get(entry));
            let (head, texts) =
                self.again(&mut last, order.chunk_id(line.text), |id| Ok((self.head(id)?, self.texts(id)?)))?;
            let text = head.text(line.text.entry as usize, &texts);
            text_bytes += text.len();
            if text_bytes > max_text_bytes && !lines.is_empty() {
                break;
            }
            lines.push(ConsoleLine {
                index: selected.index,
                number: line.number,
                process: selected.stream as u32,
                output: if is_stderr { ConsoleOutput::Stderr } else { ConsoleOutput::Stdout },
                time,
                text: text.to_owned(),
            });
        }
        Ok(lines)
    }

    fn again<T: Clone>(
        &self,
        kept: &mut Option<(i64, T)>,
        chunk: i64,
        read: impl FnOnce(i64) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match kept {
            Some((id, value)) if *id == chunk => Ok(value.clone()),
            _ => Ok(kept.insert((chunk, read(chunk)?)).1.clone()),
        }
    }
}
