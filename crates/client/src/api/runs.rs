//! The runs of a project, in pages.

use std::collections::VecDeque;
use std::sync::Arc;

use steplog_protocol::{RunList, RunsRequest, Sort};

use super::connection::Connection;
use super::filter::Filter;
use super::order;
use super::run::Run;
use crate::Error;

/// Runs of a page, unless another number is named.
const PAGE_RUNS: u32 = 50;

/// Runs of a project, read page by page as they are asked for. Each has its whole config and summary.
///
/// As an iterator it ends after the last run, or after the first error.
#[derive(Clone, Debug)]
pub struct Runs {
    connection: Arc<Connection>,
    request: RunsRequest,
    /// Read, and not handed out.
    waiting: VecDeque<Run>,
    total: Option<u64>,
    is_at_end: bool,
}

impl Runs {
    pub(super) fn new(connection: Arc<Connection>, project: String) -> Self {
        let request = RunsRequest {
            project,
            sort: vec![Sort { field: "created_at".into(), descending: false }],
            columns: vec!["config.*".into(), "summary.*".into()],
            limit: Some(PAGE_RUNS),
            ..RunsRequest::default()
        };
        Self { connection, request, waiting: VecDeque::new(), total: None, is_at_end: false }
    }

    /// Only runs that match.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<Filter>) -> Self {
        self.request.filter = filter.into().as_expression().map(str::to_owned);
        self
    }

    /// In this order: fields separated by commas, the largest first where a `-` stands before one. Runs without a value
    /// come last in either direction. Default: `+created_at`.
    ///
    /// # Errors
    /// There is no such field.
    pub fn order(mut self, order: &str) -> Result<Self, Error> {
        self.request.sort = order::parse(order)?;
        Ok(self)
    }

    /// So many runs in each request: 1 to 5,000. Default: 50.
    #[must_use]
    pub fn per_page(mut self, runs: u32) -> Self {
        self.request.limit = Some(runs);
        self
    }

    /// `entity/project`.
    pub fn project(&self) -> &str {
        &self.request.project
    }

    /// How many runs match, as of the newest page.
    ///
    /// # Errors
    /// There is no such project, the filter is wrong, or no server answers.
    pub fn total(&mut self) -> Result<u64, Error> {
        if self.total.is_none() {
            self.read_page()?;
        }
        Ok(self.total.unwrap_or(0))
    }

    /// The next page; empty after the last.
    ///
    /// # Errors
    /// There is no such project, the filter is wrong, or no server answers.
    pub fn next_page(&mut self) -> Result<Vec<Run>, Error> {
        if self.waiting.is_empty() && !self.is_at_end {
            self.read_page()?;
        }
        Ok(self.waiting.drain(..).collect())
    }

    fn read_page(&mut self) -> Result<(), Error> {
        let page: RunList = self.connection.post("/runs/query", &self.request)?;
        self.total = Some(page.total);
        self.request.cursor = page.next_cursor;
        self.is_at_end = self.request.cursor.is_none();
        for run in page.runs {
            self.waiting.push_back(Run::from_list(self.connection.clone(), run)?);
        }
        Ok(())
    }
}

impl Iterator for Runs {
    type Item = Result<Run, Error>;

    fn next(&mut self) -> Option<Result<Run, Error>> {
        while self.waiting.is_empty() && !self.is_at_end {
            if let Err(error) = self.read_page() {
                self.is_at_end = true;
                return Some(Err(error));
            }
        }
        self.waiting.pop_front().map(Ok)
    }
}
