//! What the processes of a run printed, in pages.

use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::Arc;

use steplog_model::RunPath;
use steplog_protocol::{ConsoleLineList, ConsoleOutput, ConsoleProcess, ConsoleRequest};

use super::connection::Connection;
use super::run::address;
use crate::Error;

/// Lines of a page, unless another number is named.
const PAGE_LINES: u32 = 1000;

/// Which lines of a console are read; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsoleQuery {
    /// Only lines of this output.
    pub output: Option<ConsoleOutput>,
    /// Only lines of this process: the id of its journal, 32 hex characters.
    pub stream: Option<String>,
    /// Only lines that contain this, at most 1,000 bytes; colours are looked through.
    pub search: Option<String>,
    /// Whether `search` is a regular expression.
    pub regex: bool,
    /// Whether upper and lower case differ in `search`.
    pub case_sensitive: bool,
    /// Place of the first line among all that match; negative from the end on.
    pub from: i64,
}

/// A line that a process printed.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsoleLine {
    /// As a terminal shows it now: without control characters but tabs and the escape sequences for colours.
    pub text: String,
    /// Where it was printed to.
    pub output: ConsoleOutput,
    /// When it first appeared, Unix seconds.
    pub time: f64,
    /// Its number among the lines of its process.
    pub number: u64,
    /// Which process.
    pub process: Arc<ConsoleProcess>,
}

/// What a console is downloaded as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleFormat {
    /// Texts without colours.
    Text,
    /// Texts with escape sequences for colours.
    Ansi,
    /// JSON, a line a line.
    Jsonl,
}

impl ConsoleFormat {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Ansi => "ansi",
            Self::Jsonl => "jsonl",
        }
    }

    pub(super) fn address(self, path: &RunPath, output: Option<ConsoleOutput>) -> String {
        let output = output.map_or("", |output| match output {
            ConsoleOutput::Stdout => "&output=stdout",
            ConsoleOutput::Stderr => "&output=stderr",
        });
        format!("{}/console?format={}{output}", address(path), self.name())
    }
}

impl FromStr for ConsoleFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let all = [Self::Text, Self::Ansi, Self::Jsonl];
        all.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            Error::invalid(format_args!("there is no console format {name:?}\nhint: formats are text, ansi and jsonl"))
        })
    }
}

/// Lines of a run in order, read page by page as they are asked for. Lines that come meanwhile are among them.
///
/// As an iterator it ends after the last line, or after the first error.
#[derive(Clone, Debug)]
pub struct ConsoleLines {
    connection: Arc<Connection>,
    /// What is left to be read.
    request: ConsoleRequest,
    /// Read, and not handed out.
    waiting: VecDeque<ConsoleLine>,
    is_at_end: bool,
}

impl ConsoleLines {
    pub(super) fn new(connection: Arc<Connection>, run: &RunPath, query: ConsoleQuery) -> Self {
        let request = ConsoleRequest {
            run: run.to_string(),
            stream: query.stream,
            output: query.output,
            search: query.search,
            regex: query.regex,
            case_sensitive: query.case_sensitive,
            from: Some(query.from),
            limit: Some(PAGE_LINES),
        };
        Self { connection, request, waiting: VecDeque::new(), is_at_end: false }
    }

    /// So many lines in each request: 1 to 5,000. Default: 1,000.
    #[must_use]
    pub fn per_page(mut self, lines: u32) -> Self {
        self.request.limit = Some(lines);
        self
    }

    /// The next page; empty after the last.
    ///
    /// # Errors
    /// The run is gone, the search or the size of a page is not allowed, or no server answers.
    pub fn next_page(&mut self) -> Result<Vec<ConsoleLine>, Error> {
        if self.waiting.is_empty() && !self.is_at_end {
            self.read_page()?;
        }
        Ok(self.waiting.drain(..).collect())
    }

    fn read_page(&mut self) -> Result<(), Error> {
        let list: ConsoleLineList = self.connection.post("/console/query", &self.request)?;
        let reached = list.from + list.lines.len() as u64;
        self.request.from = Some(i64::try_from(reached).unwrap_or(i64::MAX));
        self.is_at_end = list.lines.is_empty() || reached >= list.total;
        let processes: Vec<_> = list.processes.into_iter().map(Arc::new).collect();
        for line in list.lines {
            let process = processes.get(line.process as usize).cloned();
            let process = process.ok_or_else(|| {
                Error::new(crate::ErrorKind::Server, format!("a line of {} is of no process", self.request.run))
            })?;
            let (text, output, time, number) = (line.text, line.output, line.time, line.number);
            self.waiting.push_back(ConsoleLine { text, output, time, number, process });
        }
        Ok(())
    }
}

impl Iterator for ConsoleLines {
    type Item = Result<ConsoleLine, Error>;

    fn next(&mut self) -> Option<Result<ConsoleLine, Error>> {
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
