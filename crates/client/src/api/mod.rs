//! Reading what a server holds: projects, runs, their histories and files; and changing what people may change.
//!
//! ```no_run
//! use steplog::api::{ExistingFile, HistoryQuery};
//!
//! let api = steplog::Api::new()?;
//! let runs = api.runs("ada/digits")?.filter("config.lr > 0.01 and state = 'finished'").order("-summary.accuracy")?;
//! for run in runs.take(3) {
//!     let mut run = run?;
//!     println!("{} {:?}", run.info().name, run.summary().get("accuracy"));
//!     for row in run.history(&HistoryQuery { samples: Some(100), ..HistoryQuery::complete(["loss"]) })? {
//!         println!("{} {:?}", row.step, row.get("loss"));
//!     }
//!     for file in run.files(Some("plots/")) {
//!         file?.download_to("downloads", ExistingFile::Replace)?;
//!     }
//!     run.set_tags(["best"])?;
//! }
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! Every call blocks until the server has answered. A handle may be used from many threads, and in forked children.

mod artifact;
mod artifact_collection;
mod connection;
mod console;
mod destination;
mod field;
mod file;
mod files;
mod filter;
mod history;
mod order;
mod path;
mod run;
mod runs;
mod time;
mod tree;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use artifact::ArtifactVersions;
pub use artifact_collection::{ArtifactCollection, ArtifactCollections, CollectionQuery};
pub use connection::Download;
pub use console::{ConsoleFormat, ConsoleLine, ConsoleLines, ConsoleQuery};
pub use destination::ExistingFile;
pub use file::File;
pub use files::Files;
pub use filter::Filter;
pub use history::{HistoryFormat, HistoryQuery, HistoryRow, HistoryRows};
pub use run::Run;
pub use runs::Runs;
pub use steplog_protocol::{
    Artifact as ArtifactInfo, ArtifactRun, Collection as CollectionInfo, CollectionAlias, CollectionKind,
    ConsoleOutput, ConsoleProcess, Project, Run as RunInfo, RunDetail, RunFile as FileInfo, RunState, Session,
    TypeCount, UpdateCollectionRequest as CollectionChanges, UpdateRunRequest as RunChanges,
};
pub use time::to_iso;
pub use tree::Entries;

pub(crate) use connection::{Connection, PAUSES};
use steplog_protocol::ProjectList;

use crate::Error;
use crate::settings::Settings;
use crate::source::{Sources, environment};

/// A server, to read from.
#[derive(Clone, Debug)]
pub struct Api {
    connection: Arc<Connection>,
}

/// Where an [`Api`] finds what it is not told; `None` means: look further. What stands in the environment may also stand
/// in a settings file, as for a run.
#[derive(Clone, Debug, Default)]
pub struct ApiSettings {
    /// URL of the server. Default: `STEPLOG_BASE_URL`, else the one of `steplog login`, else [`crate::DEFAULT_URL`].
    pub base_url: Option<String>,
    /// API key. Default: `STEPLOG_API_KEY`, else the one of `steplog login`.
    pub api_key: Option<String>,
    /// The entity of paths that name none. Default: `STEPLOG_ENTITY`, else the one of `steplog login`, else what the
    /// server says.
    pub entity: Option<String>,
    /// The project of paths that name none. Default: `STEPLOG_PROJECT`.
    pub project: Option<String>,
    /// How long a server may take to begin its answer, and to send one that is no file. Default: 60 s.
    pub timeout: Option<Duration>,
}

impl Api {
    /// The server that the environment, the settings files and `steplog login` name, as for a run. Nothing is sent yet.
    ///
    /// # Errors
    /// The URL is none.
    pub fn new() -> Result<Self, Error> {
        Self::with_settings(ApiSettings::default())
    }

    /// As [`Self::new`], with some things said.
    ///
    /// # Errors
    /// The URL is none.
    pub fn with_settings(settings: ApiSettings) -> Result<Self, Error> {
        let client =
            Settings { base_url: settings.base_url.clone(), api_key: settings.api_key.clone(), ..Settings::default() };
        let root = environment("DIR").map(PathBuf::from).unwrap_or_default();
        let sources = Sources::load(&root.join("steplog"));
        Ok(Self { connection: Arc::new(Connection::new(client.resolve(&sources)?, settings, &sources)) })
    }

    /// The server at the other end of a connection.
    pub(crate) fn of(connection: Arc<Connection>) -> Self {
        Self { connection }
    }

    /// URL of the server, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.connection.base_url()
    }

    /// Who the server takes us for, and what kind of server it is.
    ///
    /// # Errors
    /// No server answers.
    pub fn session(&self) -> Result<Session, Error> {
        self.connection.get("/session")
    }

    /// The entity of paths that name none.
    ///
    /// # Errors
    /// Nobody named one here, and no server answers.
    pub fn default_entity(&self) -> Result<String, Error> {
        self.connection.default_entity()
    }

    /// The projects of an entity, or all; the one with the newest activity first.
    ///
    /// # Errors
    /// No server answers, or it does not let us.
    pub fn projects(&self, entity: Option<&str>) -> Result<Vec<Project>, Error> {
        let mut list: ProjectList = self.connection.get("/projects")?;
        list.projects.retain(|project| entity.is_none_or(|entity| project.entity == entity));
        Ok(list.projects)
    }

    /// The runs of a project, given as `entity/project` or `project`; empty for the default project. Oldest first, unless
    /// [`Runs::order`] says otherwise. Nothing is sent yet.
    ///
    /// # Errors
    /// The path names no project, or an entity is needed and cannot be found out.
    pub fn runs(&self, project: &str) -> Result<Runs, Error> {
        let (entity, project) = self.connection.project_path(project)?;
        Ok(Runs::new(self.connection.clone(), format!("{entity}/{project}")))
    }

    /// One run, given as `entity/project/id`, `project/id`, `id`, or by the address of its page.
    ///
    /// # Errors
    /// There is no such run ([`crate::ErrorKind::NotFound`]), the path is none, or no server answers.
    pub fn run(&self, path: &str) -> Result<Run, Error> {
        Run::read(self.connection.clone(), self.connection.run_path(path)?)
    }
}
