//! The files of a run, in pages.

use std::collections::VecDeque;
use std::sync::Arc;

use steplog_model::{RunPath, path_segment};
use steplog_protocol::FileList;

use super::connection::Connection;
use super::file::File;
use super::run::address;
use crate::Error;

/// Files of a page, unless another number is named.
const PAGE_FILES: u32 = 1000;

/// Files of a run by path, read page by page as they are asked for.
///
/// As an iterator it ends after the last file, or after the first error.
#[derive(Clone, Debug)]
pub struct Files {
    connection: Arc<Connection>,
    run: RunPath,
    prefix: String,
    page_files: u32,
    cursor: Option<String>,
    /// Read, and not handed out.
    waiting: VecDeque<File>,
    is_at_end: bool,
}

impl Files {
    pub(super) fn new(connection: Arc<Connection>, run: RunPath, prefix: &str) -> Self {
        let (prefix, waiting) = (prefix.to_owned(), VecDeque::new());
        Self { connection, run, prefix, page_files: PAGE_FILES, cursor: None, waiting, is_at_end: false }
    }

    /// So many files in each request: 1 to 10,000. Default: 1,000.
    #[must_use]
    pub fn per_page(mut self, files: u32) -> Self {
        self.page_files = files;
        self
    }

    /// The next page; empty after the last.
    ///
    /// # Errors
    /// The run is gone, the size of a page is not allowed, or no server answers.
    pub fn next_page(&mut self) -> Result<Vec<File>, Error> {
        while self.waiting.is_empty() && !self.is_at_end {
            self.read_page()?;
        }
        Ok(self.waiting.drain(..).collect())
    }

    fn read_page(&mut self) -> Result<(), Error> {
        let page: FileList = self.connection.get(&self.address())?;
        self.cursor = page.next_cursor;
        self.is_at_end = self.cursor.is_none();
        for file in page.files {
            self.waiting.push_back(File::from_list(self.connection.clone(), self.run.clone(), file)?);
        }
        Ok(())
    }

    fn address(&self) -> String {
        let mut address = format!("{}/files?limit={}", address(&self.run), self.page_files);
        for (name, value) in [("prefix", Some(&self.prefix)), ("cursor", self.cursor.as_ref())] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                address.push_str(&format!("&{name}={}", path_segment(value)));
            }
        }
        address
    }
}

impl Iterator for Files {
    type Item = Result<File, Error>;

    fn next(&mut self) -> Option<Result<File, Error>> {
        while self.waiting.is_empty() && !self.is_at_end {
            if let Err(error) = self.read_page() {
                self.is_at_end = true;
                return Some(Err(error));
            }
        }
        self.waiting.pop_front().map(Ok)
    }
}
