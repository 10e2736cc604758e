//! One run of a server.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use steplog_model::{FilePath, RunPath, Value, path_segment};
use steplog_protocol::{ConsoleOutput, Metric, Run as RunInfo, RunDetail, Stream, UpdateRunRequest};

use super::connection::{Connection, Download};
use super::console::{ConsoleFormat, ConsoleLines, ConsoleQuery};
use super::file::File;
use super::files::Files;
use super::history::{HistoryFormat, HistoryQuery, HistoryRow, HistoryRows};
use super::tree::Entries;
use crate::error::{Error, ErrorKind};

/// A run as it was when it was read; [`Self::reload`] reads it again.
#[derive(Clone, Debug)]
pub struct Run {
    connection: Arc<Connection>,
    path: RunPath,
    info: RunInfo,
    config: Entries,
    summary: Entries,
    rest: Option<Rest>,
}

/// What a list of runs does not tell.
#[derive(Clone, Debug)]
struct Rest {
    environment: Map<String, Json>,
    metrics: Vec<Metric>,
    streams: Vec<Stream>,
}

impl Run {
    pub(super) fn read(connection: Arc<Connection>, path: RunPath) -> Result<Self, Error> {
        let detail = connection.get(&address(&path))?;
        Ok(Self::from_detail(connection, path, detail))
    }

    pub(super) fn from_list(connection: Arc<Connection>, mut info: RunInfo) -> Result<Self, Error> {
        let path = format!("{}/{}/{}", info.entity, info.project, info.id).parse()?;
        let values = std::mem::take(&mut info.values);
        let config = Entries::from_leaves(&values, "config.");
        let summary = Entries::from_leaves(&values, "summary.");
        Ok(Self { connection, path, info, config, summary, rest: None })
    }

    fn from_detail(connection: Arc<Connection>, path: RunPath, detail: RunDetail) -> Self {
        Self {
            connection,
            path,
            info: detail.run,
            config: Entries::from_object(detail.config),
            summary: Entries::from_object(detail.summary),
            rest: Some(Rest { environment: detail.environment, metrics: detail.metrics, streams: detail.streams }),
        }
    }

    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// `entity/project/id`.
    pub fn path(&self) -> &RunPath {
        &self.path
    }

    /// Its page on the server.
    pub fn url(&self) -> String {
        let [entity, project, run] = segments(&self.path);
        format!("{}/{entity}/{project}/runs/{run}", self.connection.base_url())
    }

    /// Name, state, tags, times and the like.
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// What it was set up with, with what people changed of that.
    pub fn config(&self) -> &Entries {
        &self.config
    }

    /// The latest value of every metric or what was set by hand, with what people changed of that.
    pub fn summary(&self) -> &Entries {
        &self.summary
    }

    /// Command, host, versions: whatever the client said of its surroundings.
    ///
    /// # Errors
    /// The run comes from a list and so must be read, and cannot be.
    pub fn environment(&mut self) -> Result<&Map<String, Json>, Error> {
        Ok(&self.rest()?.environment)
    }

    /// What the script said about its metrics.
    ///
    /// # Errors
    /// As for [`Self::environment`].
    pub fn metrics(&mut self) -> Result<&[Metric], Error> {
        Ok(&self.rest()?.metrics)
    }

    /// The journals that feed the run, oldest first.
    ///
    /// # Errors
    /// As for [`Self::environment`].
    pub fn streams(&mut self) -> Result<&[Stream], Error> {
        Ok(&self.rest()?.streams)
    }

    fn rest(&mut self) -> Result<&Rest, Error> {
        if self.rest.is_none() {
            self.reload()?;
        }
        Ok(self.rest.as_ref().expect("a run that was read has the rest"))
    }

    /// Reads the run again.
    ///
    /// # Errors
    /// It was removed, or no server answers.
    pub fn reload(&mut self) -> Result<(), Error> {
        *self = Self::read(self.connection.clone(), self.path.clone())?;
        Ok(())
    }

    /// Changes what people may change; the run here is then as the server has it. Config and summary values that are
    /// changed so win over what the run says, even afterwards.
    ///
    /// # Errors
    /// The run is gone, a value is not allowed, or no server answers; then nothing was changed.
    pub fn update(&mut self, changes: &UpdateRunRequest) -> Result<(), Error> {
        let detail = self.connection.patch(&address(&self.path), changes)?;
        *self = Self::from_detail(self.connection.clone(), self.path.clone(), detail);
        Ok(())
    }

    /// Gives it another name: 1 to 512 characters.
    ///
    /// # Errors
    /// As for [`Self::update`].
    pub fn set_name(&mut self, name: &str) -> Result<(), Error> {
        self.update(&UpdateRunRequest { name: Some(name.into()), ..UpdateRunRequest::default() })
    }

    /// Gives it other notes; none when the text is empty.
    ///
    /// # Errors
    /// As for [`Self::update`].
    pub fn set_notes(&mut self, notes: &str) -> Result<(), Error> {
        self.update(&UpdateRunRequest { notes: Some(notes.into()), ..UpdateRunRequest::default() })
    }

    /// Gives it other tags in place of all it has.
    ///
    /// # Errors
    /// As for [`Self::update`].
    pub fn set_tags<T: Into<String>>(&mut self, tags: impl IntoIterator<Item = T>) -> Result<(), Error> {
        let tags = Some(tags.into_iter().map(Into::into).collect());
        self.update(&UpdateRunRequest { tags, ..UpdateRunRequest::default() })
    }

    /// Sets a config entry, by its top-level key.
    ///
    /// # Errors
    /// As for [`Self::update`].
    pub fn set_config(&mut self, key: &str, value: impl Into<Value>) -> Result<(), Error> {
        let set_config = Map::from_iter([(key.to_owned(), value.into().to_json())]);
        self.update(&UpdateRunRequest { set_config, ..UpdateRunRequest::default() })
    }

    /// Sets a summary value, by the key of a metric: a map leaf by leaf, in place of all that stands at and below it.
    ///
    /// # Errors
    /// As for [`Self::update`].
    pub fn set_summary(&mut self, key: &str, value: impl Into<Value>) -> Result<(), Error> {
        let set_summary = Map::from_iter([(key.to_owned(), value.into().to_json())]);
        self.update(&UpdateRunRequest { set_summary, ..UpdateRunRequest::default() })
    }

    /// Asks the training process to stop; it does so as if somebody had pressed Ctrl-C there.
    ///
    /// # Errors
    /// As for [`Self::update`].
    pub fn stop(&mut self) -> Result<(), Error> {
        self.update(&UpdateRunRequest { stop: Some(true), ..UpdateRunRequest::default() })
    }

    /// Removes the run with all its data; what its process still sends is refused.
    ///
    /// # Errors
    /// It is gone already, or the server does not let us.
    pub fn delete(self) -> Result<(), Error> {
        self.connection.delete(&address(&self.path))
    }

    /// The rows that a query asks for, all at once. See [`HistoryRow`] for what JSON does to the values.
    ///
    /// # Errors
    /// The run is gone, a key is not there, or no server answers.
    pub fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryRow>, Error> {
        HistoryRows::read(&self.connection, &self.path, query)
    }

    /// The rows that a query asks for, `page_size` in each request: 1 to 1,000,000. Rows that come meanwhile behind the
    /// last one read are among them.
    pub fn scan_history(&self, query: HistoryQuery, page_size: u32) -> HistoryRows {
        HistoryRows::new(self.connection.clone(), self.path.clone(), query, page_size)
    }

    /// The rows that a query asks for as a file, as it comes. Arrow and Parquet keep the bits of every number.
    ///
    /// # Errors
    /// The run is gone, a key is not there, or no server answers.
    pub fn download_history(&self, format: HistoryFormat, query: &HistoryQuery) -> Result<Download, Error> {
        self.connection.download(&query.address(&self.path, format)?)
    }

    /// The lines that its processes printed, those that a query asks for. Nothing is sent yet.
    pub fn console_lines(&self, query: ConsoleQuery) -> ConsoleLines {
        ConsoleLines::new(self.connection.clone(), &self.path, query)
    }

    /// What its processes printed as a file, as it comes; of both outputs or of one.
    ///
    /// # Errors
    /// The run is gone, or no server answers.
    pub fn download_console(&self, format: ConsoleFormat, output: Option<ConsoleOutput>) -> Result<Download, Error> {
        self.connection.download(&format.address(&self.path, output))
    }

    /// What its machines were busy with: a row for each sample, process by process as they began. Its step is the highest
    /// that the run had when the sample came.
    ///
    /// # Errors
    /// The run is gone, or no server answers.
    pub fn system_history(&self) -> Result<Vec<HistoryRow>, Error> {
        HistoryRows::read_from(&self.connection, &self.path, &system_address(&self.path, HistoryFormat::Jsonl))
    }

    /// The same as a file, as it comes. Arrow and Parquet keep the bits of every number.
    ///
    /// # Errors
    /// The run is gone, or no server answers.
    pub fn download_system_history(&self, format: HistoryFormat) -> Result<Download, Error> {
        self.connection.download(&system_address(&self.path, format))
    }

    /// Its files by path, those whose path begins with `prefix` or all. Nothing is sent yet.
    pub fn files(&self, prefix: Option<&str>) -> Files {
        Files::new(self.connection.clone(), self.path.clone(), prefix.unwrap_or_default())
    }

    /// One of its files.
    ///
    /// # Errors
    /// There is no such file ([`ErrorKind::NotFound`]), no file can have this path, the run is gone, or no server answers.
    pub fn file(&self, path: &str) -> Result<File, Error> {
        let path: FilePath = path.parse()?;
        // The path itself comes before all that begin with it.
        let first = self.files(Some(path.as_str())).per_page(1).next().transpose()?;
        let found = first.filter(|file| file.path() == path.as_str());
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("run {} has no file {path}", self.path)))
    }
}

fn system_address(path: &RunPath, format: HistoryFormat) -> String {
    format!("{}/system?format={}", address(path), format.name())
}

pub(super) fn segments(path: &RunPath) -> [String; 3] {
    [path.entity.as_str(), path.project.as_str(), path.run.as_str()].map(path_segment)
}

pub(super) fn address(path: &RunPath) -> String {
    format!("/runs/{}", segments(path).join("/"))
}
