//! Beginning a run: arguments, environment and defaults become a journal on disk. No network.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use steplog_journal::{JournalWriter, RunFolder, WriterOptions};
use steplog_model::{Change, Config, Entity, Project, Record, RunId, RunStart, StepCounter, StreamId, Value};

use crate::config_file;
use crate::error::Error;
use crate::fork;
use crate::local::JournalLock;
use crate::message::Verbosity;
use crate::run::{Identity, Run};
use crate::settings::{Mode, Settings, environment};

/// The project of a run that names none.
const DEFAULT_PROJECT: &str = "uncategorized";

/// What a run is to be; see [`Run::builder`]. What is not set is taken from the environment (`STEPLOG_PROJECT`,
/// `STEPLOG_ENTITY`, `STEPLOG_NAME`, `STEPLOG_RUN_ID`, `STEPLOG_TAGS`, `STEPLOG_NOTES`, `STEPLOG_RUN_GROUP`,
/// `STEPLOG_JOB_TYPE`, `STEPLOG_DIR`, `STEPLOG_MODE`, each also with the prefix `WANDB_`).
#[derive(Clone, Debug, Default)]
pub struct RunBuilder {
    project: Option<String>,
    entity: Option<String>,
    name: Option<String>,
    id: Option<String>,
    notes: Option<String>,
    tags: Option<Vec<String>>,
    group: Option<String>,
    job_type: Option<String>,
    root: Option<PathBuf>,
    mode: Option<Mode>,
    config: Vec<(String, Value)>,
    environment: Map<String, Json>,
    settings: Settings,
}

impl RunBuilder {
    /// Project; at most 128 bytes, none of `/\#?%:`. Default: `uncategorized`.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// User or team. Default: the one that `steplog login` stored for the server, else `local`.
    #[must_use]
    pub fn entity(mut self, entity: impl Into<String>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    /// Name shown to people; need not be unique. Default: the server makes one up.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Id, unique within the project; at most 128 bytes, none of `:;,#?/'\`. Default: 8 random characters. With the id of
    /// an earlier run, this process adds to that run.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Notes, markdown.
    #[must_use]
    pub fn notes(mut self, notes: impl Into<String>) -> Self {
        self.notes = Some(notes.into());
        self
    }

    /// Tags: 1 to 64 characters each.
    #[must_use]
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = Some(tags.into_iter().map(Into::into).collect());
        self
    }

    /// Runs that belong together.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// What kind of work the run is, such as `train` or `eval`.
    #[must_use]
    pub fn job_type(mut self, job_type: impl Into<String>) -> Self {
        self.job_type = Some(job_type.into());
        self
    }

    /// The folder below which `steplog/<project>/<run id>/` is made. Default: the working directory.
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// Where the data goes. Default: online.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// A config value. Stronger than one of the file `config-defaults.yaml` in the working directory.
    #[must_use]
    pub fn config(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.config.push((key.into(), value.into()));
        self
    }

    /// Config values of a YAML file, see [`crate::read_config_file`]; as [`Self::config`], what is set later wins.
    ///
    /// # Errors
    /// The file cannot be read or understood.
    pub fn config_file(mut self, path: impl AsRef<Path>) -> Result<Self, Error> {
        self.config.extend(config_file::read_config_file(path.as_ref())?);
        Ok(self)
    }

    /// What to tell about the surroundings of the run: command, versions.
    #[must_use]
    pub fn environment(mut self, environment: Map<String, Json>) -> Self {
        self.environment = environment;
        self
    }

    /// URL of the server. Default: `STEPLOG_BASE_URL`, else the one that `steplog login` stored, else
    /// `http://127.0.0.1:7837` if a server is there.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.settings.base_url = Some(url.into());
        self
    }

    /// API key. Default: `STEPLOG_API_KEY`, else the one that `steplog login` stored.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.settings.api_key = Some(key.into());
        self
    }

    /// How long [`Run::finish`] waits for the server at most. Default: 60 s.
    #[must_use]
    pub fn finish_timeout(mut self, timeout: Duration) -> Self {
        self.settings.finish_timeout = Some(timeout);
        self
    }

    /// How much is said on stderr.
    #[must_use]
    pub fn verbosity(mut self, verbosity: Verbosity) -> Self {
        self.settings.verbosity = Some(verbosity);
        self
    }

    /// Whether a summary value set by hand stays when its key is logged afterwards. Default: yes.
    #[must_use]
    pub fn sticky_summary(mut self, sticky: bool) -> Self {
        self.settings.sticky_summary = Some(sticky);
        self
    }

    /// Begins the run: makes its folder and journal, and starts the thread that sends it. No network round trip.
    ///
    /// # Errors
    /// A name or setting is not allowed, or neither the folder nor a temporary one can be written.
    pub fn init(self) -> Result<Run, Error> {
        fork::watch();
        let settings = self.settings.resolve()?;
        let mode = match (self.mode, environment("MODE")) {
            (Some(mode), _) => mode,
            (None, Some(word)) => word.parse()?,
            (None, None) => Mode::default(),
        };
        let project: Project =
            self.project.or_else(|| environment("PROJECT")).unwrap_or_else(|| DEFAULT_PROJECT.into()).parse()?;
        let id: RunId = match self.id.or_else(|| environment("RUN_ID")) {
            Some(id) => id.parse()?,
            None => RunId::generate(),
        };
        let named_entity = self.entity.or_else(|| environment("ENTITY"));
        let default_entity = settings.default_entity.clone().unwrap_or_else(|| "local".into());
        let entity: Entity = match (&named_entity, mode) {
            (Some(entity), _) => entity.parse()?,
            (None, _) => default_entity.parse()?,
        };
        let tags = self.tags.or_else(|| {
            environment("TAGS")
                .map(|tags| tags.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect())
        });
        check_tags(tags.as_deref().unwrap_or_default())?;
        let mut config = Config::default();
        // Weakest first. The values of a sweep are to come last, and to lock their keys.
        for entries in [config_file::read_defaults()?, self.config] {
            config.update(entries, true).expect("changes are allowed");
        }
        let changes =
            config.entries().iter().map(|(key, value)| Change { key: key.clone(), value: Some(value.clone()) });
        let config_changes: Vec<_> = changes.collect();
        let started_at = crate::run::now();
        let mut identity = Identity {
            entity,
            entity_named: named_entity.is_some() || settings.default_entity.is_some(),
            project,
            id,
            mode,
            group: self.group.or_else(|| environment("RUN_GROUP")),
            job_type: self.job_type.or_else(|| environment("JOB_TYPE")),
            started_at,
            folder: None,
            stream: StreamId::generate(),
        };
        let name = self.name.or_else(|| environment("NAME"));
        let notes = self.notes.or_else(|| environment("NOTES"));
        if mode == Mode::Disabled {
            return Ok(Run::disabled(identity, settings, name, notes, tags, config));
        }

        let root = self.root.or_else(|| environment("DIR").map(PathBuf::from)).unwrap_or_default();
        let (folder, mut writer, lock) = open_journal(&root, &identity, settings.verbosity)?;
        let start = RunStart {
            name: name.clone(),
            notes: notes.clone(),
            tags: tags.clone(),
            group: identity.group.clone(),
            job_type: identity.job_type.clone(),
            environment: with_client(self.environment),
            ..identity.start(started_at)
        };
        identity.folder = Some(folder);
        writer.append_record(&Record::RunStart(Box::new(start)))?;
        if !config_changes.is_empty() {
            writer.append_record(&Record::Config(config_changes))?;
        }
        Ok(Run::begin(identity, settings, name, notes, tags, config, StepCounter::new(0), writer, lock))
    }
}

/// Makes the run's folder and journal below `root`, or below a temporary folder when that cannot be written.
fn open_journal(
    root: &Path,
    identity: &Identity,
    verbosity: Verbosity,
) -> Result<(RunFolder, JournalWriter, Option<JournalLock>), Error> {
    let open = |root: &Path| -> std::io::Result<_> {
        // Later changes of the working directory must not move the run.
        let root = std::path::absolute(if root.as_os_str().is_empty() { Path::new(".") } else { root })?;
        let hidden = root.join(".steplog");
        let home = if hidden.is_dir() { hidden } else { root.join("steplog") };
        let folder = RunFolder::below(&home, &identity.project, &identity.id);
        let journal = folder.journal(identity.stream);
        let writer = JournalWriter::create(&journal, identity.stream, WriterOptions::default())?;
        // A full disk is the writer's to deal with: the run goes on in memory.
        let _ = std::fs::create_dir_all(folder.files());
        let lock = JournalLock::try_take(&journal).ok().flatten();
        Ok((folder, writer, lock))
    };
    open(root).or_else(|error| {
        let temporary = std::env::temp_dir();
        let opened = open(&temporary).map_err(|error| Error::io(error, "cannot write the run's folder"))?;
        verbosity.warn(&format!("{error}; the run is kept in {} instead", opened.0.path().display()));
        Ok(opened)
    })
}

pub(crate) fn check_tags(tags: &[String]) -> Result<(), Error> {
    match tags.iter().find(|tag| !(1..=64).contains(&tag.chars().count())) {
        Some(tag) => Err(Error::invalid(format_args!("tag {tag:?} is not 1 to 64 characters long"))),
        None => Ok(()),
    }
}

fn with_client(mut environment: Map<String, Json>) -> Map<String, Json> {
    environment.entry("steplog_version").or_insert_with(|| json!(env!("CARGO_PKG_VERSION")));
    environment.entry("os").or_insert_with(|| json!(std::env::consts::OS));
    environment
}

pub(crate) fn host_name() -> Option<String> {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_str().ok().map(str::to_owned);
    #[cfg(not(unix))]
    return std::env::var("COMPUTERNAME").ok();
}
