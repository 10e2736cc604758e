//! Beginning a run: arguments, environment and defaults become a journal on disk. No network.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value as Json};
use steplog_journal::{JournalWriter, RunFolder, WriterOptions};
use steplog_model::{
    Change, Config, Entity, ForkPoint, Project, Record, RunId, RunPath, RunStart, StepCounter, StreamId, Value,
};
use steplog_protocol::ResumePoint;

use crate::config_file;
use crate::console::ConsoleMode;
use crate::earlier::Earlier;
use crate::error::Error;
use crate::fork;
use crate::local::JournalLock;
use crate::message::Verbosity;
use crate::resume::{Resume, Unfinished};
use crate::run::{Identity, Run, Watched};
use crate::settings::{Mode, Resolved, Settings};
use crate::source::{Sources, environment};
use crate::state::Begin;
use crate::surroundings::{self, Task, Variables};
use crate::transport::{Http, TransportError};

/// The project of a run that names none.
const DEFAULT_PROJECT: &str = "uncategorized";

/// What a run is to be; see [`Run::builder`]. What is not set is taken from the environment (`STEPLOG_PROJECT`,
/// `STEPLOG_ENTITY`, `STEPLOG_NAME`, `STEPLOG_RUN_ID`, `STEPLOG_TAGS`, `STEPLOG_NOTES`, `STEPLOG_RUN_GROUP`,
/// `STEPLOG_JOB_TYPE`, `STEPLOG_DIR`, `STEPLOG_MODE`, `STEPLOG_CONSOLE`, `STEPLOG_RESUME`, `STEPLOG_SWEEP_ID`,
/// `STEPLOG_LABEL`, each also with the prefix `WANDB_`), then from the file `settings` in the folder of all runs, then from
/// `~/.config/steplog/settings`; both have lines such as `project = digits`.
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
    allow_val_change: bool,
    resume: Option<Resume>,
    fork_from: Option<ForkPoint>,
    resume_from: Option<ForkPoint>,
    label: Option<String>,
    secondary: bool,
    sweep_id: Option<String>,
    attach: Option<Attach>,
    /// Whether nobody gave the id.
    made_up_id: bool,
    environment: Map<String, Json>,
    package_folders: Vec<PathBuf>,
    settings: Settings,
}

/// A run of another process that this one writes to.
#[derive(Clone, Debug)]
struct Attach {
    parent: StreamId,
    first_step: i64,
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

    /// Where the data goes. Default: [`Mode::Online`].
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

    /// Whether, when a run is resumed, config values given here take the place of earlier ones; by default the earlier
    /// ones stay.
    #[must_use]
    pub fn allow_val_change(mut self, allow: bool) -> Self {
        self.allow_val_change = allow;
        self
    }

    /// What to do when a run with the id is there already, on the server or below the same folder, and when not. Default:
    /// nobody is asked; with the id of an earlier run this process adds to that run, from step 0 on.
    #[must_use]
    pub fn resume(mut self, resume: Resume) -> Self {
        self.resume = Some(resume);
        self
    }

    /// Begins with the history of another run of the project up to a step: its rows count as this one's, without being
    /// copied, and this one goes on at the next step. Its config is inherited; values given here win. See [`crate::parse_fork_point`].
    #[must_use]
    pub fn fork_from(mut self, point: ForkPoint) -> Self {
        self.fork_from = Some(point);
        self
    }

    /// Goes back to a step of a run and on from there: rows with higher steps do not count any more.
    #[must_use]
    pub fn resume_from(mut self, point: ForkPoint) -> Self {
        self.resume_from = Some(point);
        self
    }

    /// What this process is called, where several write one run ([`Mode::Shared`]).
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Whether this process speaks for the run: what it says of its surroundings is shown as the run's. Default: yes. Of
    /// several processes that write one run, one should.
    #[must_use]
    pub fn primary(mut self, primary: bool) -> Self {
        self.secondary = !primary;
        self
    }

    /// The sweep that the run belongs to.
    #[must_use]
    pub fn sweep_id(mut self, sweep: impl Into<String>) -> Self {
        self.sweep_id = Some(sweep.into());
        self
    }

    /// Writes to a run of another process as a part of it: the run does not end with this process. `stream` and `step` are
    /// [`Run::stream`] and [`Run::step`] there.
    ///
    /// # Errors
    /// The stream is none.
    pub fn attach(mut self, stream: &str, step: i64) -> Result<Self, Error> {
        self.attach = Some(Attach { parent: stream.parse()?, first_step: step });
        Ok(self)
    }

    /// What to tell about the surroundings of the run: `command` (a list of arguments), `program`, `executable`,
    /// `working_directory`, `platform`, versions. What looks like a secret is taken out. Default: what any program can say of
    /// itself. What can be found out about machine, packages and git is added while the run goes on.
    #[must_use]
    pub fn environment(mut self, environment: Map<String, Json>) -> Self {
        self.environment = environment;
        self
    }

    /// Name and version of the program, as `env!("CARGO_PKG_NAME")` and `env!("CARGO_PKG_VERSION")` give them; they become
    /// the member `package` of the environment.
    #[must_use]
    pub fn package(mut self, name: &str, version: &str) -> Self {
        self.environment.insert("package".into(), serde_json::json!({"name": name, "version": version}));
        self
    }

    /// Folders with the Python packages that the program can import, in the order of the search; the packages that are
    /// installed there become the member `packages` of the environment, and the file `requirements.txt`. Default: none.
    #[must_use]
    pub fn package_folders(mut self, folders: Vec<PathBuf>) -> Self {
        self.package_folders = folders;
        self
    }

    /// Whether what the machine is busy with is sampled, by a thread of its own: CPU, memory, disk, network, GPUs, and what
    /// this process and its children use of them. Default: `STEPLOG_SYSTEM_METRICS`, else yes.
    #[must_use]
    pub fn system_metrics(mut self, wanted: bool) -> Self {
        self.settings.system_metrics = Some(wanted);
        self
    }

    /// Time between two samples, above zero; at least a tenth of a second is waited. Default: `STEPLOG_SYSTEM_INTERVAL` in
    /// seconds, else 10 s.
    #[must_use]
    pub fn system_interval(mut self, interval: Duration) -> Self {
        self.settings.system_interval = Some(interval);
        self
    }

    /// Whether `requirements.txt` is kept among the run's files, where [`Self::package_folders`] are told. Default:
    /// `STEPLOG_SAVE_REQUIREMENTS`, else yes.
    #[must_use]
    pub fn save_requirements(mut self, wanted: bool) -> Self {
        self.settings.save_requirements = Some(wanted);
        self
    }

    /// Whether git is not asked for the commit that is run, and no `diff.patch` is kept. Default: `STEPLOG_DISABLE_GIT`, else
    /// no.
    #[must_use]
    pub fn disable_git(mut self, disabled: bool) -> Self {
        self.settings.disable_git = Some(disabled);
        self
    }

    /// Whether no code is kept: no `diff.patch` with what was changed since the commit. Default: `STEPLOG_DISABLE_CODE`, else
    /// no.
    #[must_use]
    pub fn disable_code(mut self, disabled: bool) -> Self {
        self.settings.disable_code = Some(disabled);
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

    /// How long [`Run::finish`] waits for the server at most. Default: `STEPLOG_FINISH_TIMEOUT` in seconds, else 60 s.
    #[must_use]
    pub fn finish_timeout(mut self, timeout: Duration) -> Self {
        self.settings.finish_timeout = Some(timeout);
        self
    }

    /// How long `init` waits for the server when it must ask it something, which is so only when a run is resumed or
    /// forked. Default: `STEPLOG_INIT_TIMEOUT` in seconds, else 10 s.
    #[must_use]
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.settings.init_timeout = Some(timeout);
        self
    }

    /// Whether [`Run::finish`] returns at once and leaves the sending to a process in the background. Default:
    /// `STEPLOG_FINISH_DETACHED`, else no.
    #[must_use]
    pub fn finish_detached(mut self, detached: bool) -> Self {
        self.settings.finish_detached = Some(detached);
        self
    }

    /// Whether [`Run::save`] puts links into the run's folder, where possible, and not copies. Default: yes.
    #[must_use]
    pub fn symlink(mut self, symlink: bool) -> Self {
        self.settings.symlink = Some(symlink);
        self
    }

    /// The command of that process; it gets the run's folder as one more argument. Default: `steplog sync --patient`.
    #[must_use]
    pub fn sender_command(mut self, command: Vec<OsString>) -> Self {
        self.settings.sender_command = Some(command);
        self
    }

    /// How much is said on stderr. Default: nothing when `STEPLOG_SILENT` is set, warnings only when `STEPLOG_QUIET` is,
    /// else [`Verbosity::Normal`].
    #[must_use]
    pub fn verbosity(mut self, verbosity: Verbosity) -> Self {
        self.settings.verbosity = Some(verbosity);
        self
    }

    /// Whether a summary value set by hand stays when its key is logged afterwards. Default: `STEPLOG_STICKY_SUMMARY`, else
    /// yes.
    #[must_use]
    pub fn sticky_summary(mut self, sticky: bool) -> Self {
        self.settings.sticky_summary = Some(sticky);
        self
    }

    /// How what the process prints is caught. Default: `STEPLOG_CONSOLE`, else [`ConsoleMode::Auto`], which in Rust records
    /// what is given to [`Run::write_console`].
    #[must_use]
    pub fn console(mut self, mode: ConsoleMode) -> Self {
        self.settings.console = Some(mode);
        self
    }

    /// Begins the run: makes its folder and journal, and starts the thread that sends it. There is no network round trip,
    /// unless a run is resumed or forked.
    ///
    /// # Errors
    /// A name or setting is not allowed, arguments exclude each other, the run to go on with is not there (or is, when it
    /// must not), or neither the folder nor a temporary one can be written.
    pub fn init(mut self) -> Result<Run, Error> {
        fork::watch();
        let (home, sources, settings) = self.surroundings()?;
        let mut identity = self.identify(&home, &sources, &settings)?;
        let tags = self.tags.take().or_else(|| sources.get("TAGS").map(|tags| split_tags(&tags)));
        check_tags(tags.as_deref().unwrap_or_default())?;
        let (name, notes) =
            (self.name.take().or_else(|| sources.get("NAME")), self.notes.take().or_else(|| sources.get("NOTES")));
        let earlier = match identity.mode {
            Mode::Disabled => None,
            _ => self.find_earlier(&home, &mut identity, &settings)?,
        };
        identity.resumed = earlier.is_some() && self.fork_from.is_none();
        let first_step = match (&self.attach, self.resume_from.as_ref().or(self.fork_from.as_ref())) {
            (Some(attach), _) => attach.first_step,
            (None, Some(point)) => point.step.saturating_add(1),
            (None, None) => earlier.as_ref().map_or(0, Earlier::next_step),
        };
        identity.starting_step = first_step;
        let mut earlier = earlier.unwrap_or_default();
        if self.fork_from.is_some() {
            // A fork has the history and the config of its parent, and is a run of its own beside it.
            earlier = Earlier {
                last_row: earlier.last_row,
                config: earlier.config,
                summary: earlier.summary,
                ..Earlier::default()
            };
        }
        identity.group = identity.group.or(earlier.group.take());
        identity.job_type = identity.job_type.or(earlier.job_type.take());
        identity.sweep_id = identity.sweep_id.or(earlier.sweep_id.take());
        // What a fork inherits is its own to record; what a resumed run has is recorded already.
        let inherited = if self.fork_from.is_some() { earlier.config.entries().to_vec() } else { Vec::new() };
        let mut config = earlier.config;
        let new = self.config_given(&config)?;
        let changes = config.update(new, true).expect("changes are allowed");
        let inherited = inherited.into_iter().map(|(key, value)| Change { key, value: Some(value) });
        let changes: Vec<Change> = inherited.chain(changes).collect();

        let begin = Begin {
            name: name.clone().or(earlier.name),
            notes: notes.clone().or(earlier.notes),
            tags: tags.clone().or(earlier.tags).unwrap_or_default(),
            config,
            summary: earlier.summary,
            last_row: earlier.last_row,
            steps: StepCounter::new(first_step),
        };
        if identity.mode == Mode::Disabled {
            return Ok(Run::disabled(identity, settings, begin));
        }
        let (folder, mut writer, lock) = open_journal(&home, &identity, settings.verbosity)?;
        // A part of another process's run, and one that does not speak for it, say nothing of where they run.
        let (environment, task) = if self.secondary || self.attach.is_some() {
            (Map::new(), None)
        } else {
            let variables = Variables::of_process();
            let redactor = variables.redactor().with(settings.api_key.clone());
            let environment = surroundings::at_start(self.environment, &redactor);
            let (known, package_folders) = (environment.clone(), self.package_folders);
            let task = Task {
                variables,
                redactor,
                known,
                package_folders,
                keeps_requirements: settings.keeps_requirements,
                looks_at_git: settings.looks_at_git,
                keeps_patch: settings.keeps_code,
            };
            (environment, Some(task))
        };
        let start = RunStart {
            name,
            notes,
            tags,
            group: identity.group.clone(),
            job_type: identity.job_type.clone(),
            sweep_id: identity.sweep_id.clone(),
            first_step,
            resumed: identity.resumed,
            fork_from: self.fork_from,
            rewind_to: self.resume_from.map(|point| point.step),
            parent_stream: self.attach.as_ref().map(|attach| attach.parent),
            environment,
            ..identity.start(identity.started_at)
        };
        writer.append_record(&Record::RunStart(Box::new(start)))?;
        if !changes.is_empty() {
            writer.append_record(&Record::Config(changes))?;
        }
        let home = folder.path().ancestors().nth(2).unwrap_or(folder.path());
        match self.resume {
            Some(Resume::Auto) => {
                Unfinished { project: identity.project.clone(), run_id: identity.id.clone() }.note(home);
            }
            None if self.attach.is_none() => Unfinished::forget(home),
            _ => {}
        }
        identity.folder = Some(folder);
        let interval = settings.system_interval.filter(|_| self.attach.is_none());
        Ok(Run::begin(identity, settings, begin, writer, lock, Watched { interval, task }))
    }

    /// Checks what [`Self::init`] can refuse without looking at other runs; begins nothing.
    ///
    /// # Errors
    /// A name, tag, setting or `config-defaults.yaml` is not allowed, or arguments exclude each other.
    pub fn check(&self) -> Result<(), Error> {
        let mut copy = self.clone();
        let (home, sources, settings) = copy.surroundings()?;
        copy.identify(&home, &sources, &settings)?;
        check_tags(copy.tags.as_deref().unwrap_or_default())?;
        copy.config_given(&Config::default()).map(drop)
    }

    /// The folder of all runs, and what its settings, the user's and the environment say.
    fn surroundings(&mut self) -> Result<(PathBuf, Sources, Resolved), Error> {
        let root = self.root.take().or_else(|| environment("DIR").map(PathBuf::from)).unwrap_or_default();
        let home = home_below(&root).map_err(|error| Error::io(error, "there is no working directory"))?;
        let sources = Sources::load(&home);
        let settings = self.settings.resolve(&sources)?;
        Ok((home, sources, settings))
    }

    /// The config entries that this process brings to what the run has already.
    fn config_given(&mut self, earlier: &Config) -> Result<Vec<(String, Value)>, Error> {
        // A part of another process's run was set up there.
        let defaults = if self.attach.is_some() { Vec::new() } else { config_file::read_defaults()? };
        let is_new = |(key, _): &(String, Value)| earlier.get(key).is_none();
        // Who forks a run means to try something else.
        let is_fork = self.fork_from.is_some();
        let given = std::mem::take(&mut self.config);
        let given = given.into_iter().filter(|entry| is_fork || self.allow_val_change || is_new(entry));
        // Weakest first. The values of a sweep are to come last, and to lock their keys.
        let mut config = Config::default();
        config.update(defaults.into_iter().filter(is_new).chain(given).collect(), true).expect("changes are allowed");
        Ok(config.entries().to_vec())
    }

    /// Who the run is, as far as arguments, environment and files say.
    fn identify(&mut self, home: &Path, sources: &Sources, settings: &Resolved) -> Result<Identity, Error> {
        let mode = match (self.mode, sources.get("MODE")) {
            (Some(mode), _) => mode,
            (None, Some(word)) => word.parse()?,
            (None, None) => Mode::default(),
        };
        let or_source = |given: &mut Option<String>, name: &str| given.take().or_else(|| sources.get(name));
        let project = or_source(&mut self.project, "PROJECT");
        let project: Project = match project {
            Some(project) => project.parse()?,
            None if mode == Mode::Disabled => "dummy".parse()?,
            None => DEFAULT_PROJECT.parse()?,
        };
        if self.resume.is_none() {
            self.resume = environment("RESUME").map(|word| word.parse()).transpose()?;
        }
        let id = or_source(&mut self.id, "RUN_ID").map(|id| id.parse::<RunId>()).transpose()?;
        let (id, made_up) = self.choose_id(id, home, &project)?;
        self.made_up_id = made_up;
        let named_entity = or_source(&mut self.entity, "ENTITY");
        let default_entity = settings.default_entity.clone();
        let entity: Entity = match (&named_entity, &default_entity) {
            (Some(entity), _) | (None, Some(entity)) => entity.parse()?,
            (None, None) if mode == Mode::Disabled => "dummy".parse()?,
            (None, None) => "local".parse()?,
        };
        Ok(Identity {
            entity,
            entity_named: named_entity.is_some() || default_entity.is_some(),
            project,
            id,
            mode,
            group: or_source(&mut self.group, "RUN_GROUP"),
            job_type: or_source(&mut self.job_type, "JOB_TYPE"),
            label: or_source(&mut self.label, "LABEL"),
            sweep_id: or_source(&mut self.sweep_id, "SWEEP_ID"),
            started_at: crate::run::now(),
            starting_step: 0,
            resumed: false,
            auto_resumed: self.resume == Some(Resume::Auto),
            folder: None,
            stream: StreamId::generate(),
        })
    }

    /// Which run it is, and whether its id was made up here; and that the arguments about it go together.
    fn choose_id(&self, given: Option<RunId>, home: &Path, project: &Project) -> Result<(RunId, bool), Error> {
        let ways = [self.resume.is_some(), self.fork_from.is_some(), self.resume_from.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err(Error::usage("resume, fork_from and resume_from exclude each other"));
        }
        if let Some(point) = &self.resume_from {
            if given.as_ref().is_some_and(|id| *id != point.run_id) {
                return Err(Error::usage(format_args!(
                    "resume_from names the run {}, and the id is another one: {}",
                    point.run_id,
                    given.as_ref().map_or("", RunId::as_str)
                )));
            }
            return Ok((point.run_id.clone(), false));
        }
        if self.fork_from.as_ref().is_some_and(|point| given.as_ref() == Some(&point.run_id)) {
            return Err(Error::usage("a fork needs an id of its own; to go back in the same run use resume_from"));
        }
        let noted = || match self.resume {
            Some(Resume::Auto) => Unfinished::load(home, project).map(|noted| noted.run_id),
            _ => None,
        };
        Ok(given.or_else(noted).map_or_else(|| (RunId::generate(), true), |id| (id, false)))
    }

    /// What there is already of the run, or of the one that it forks from. Only who asks for it waits for a server.
    fn find_earlier(
        &self,
        home: &Path,
        identity: &mut Identity,
        settings: &Resolved,
    ) -> Result<Option<Earlier>, Error> {
        let point = self.resume_from.as_ref().or(self.fork_from.as_ref());
        if self.resume.is_none() && point.is_none() {
            return Ok(None);
        }
        // Nobody has a run under an id that was made up a moment ago.
        if self.made_up_id && point.is_none() && self.resume != Some(Resume::Must) {
            return Ok(None);
        }
        let mut path = identity.path();
        if let Some(point) = point {
            path.run = point.run_id.clone();
        }
        let until = point.map(|point| point.step);
        let here = RunFolder::below(home, &path.project, &path.run);
        let told = match identity.mode.is_online() {
            true => ask_server(&path, settings),
            false => Ok(None),
        };
        let earlier = match told {
            Ok(Some(point)) => {
                let unsent = Earlier::read_unsent(&here, &settings.base_url, until);
                Some(Earlier::of_both(point, unsent, until))
            }
            Ok(None) => Earlier::read(&here, until),
            Err(error) => match Earlier::read(&here, until) {
                Some(local) => {
                    let begin = "the server could not be asked where the run stands";
                    settings.verbosity.warn(&format!("{begin}, so it goes on from what is on this disk: {error}"));
                    Some(local)
                }
                None => {
                    let message = format!("the server could not be asked for the run {path}: {error}");
                    return Err(Error::new(Error::from(error).kind(), message));
                }
            },
        };
        let there = earlier.is_some();
        match (self.resume, point) {
            (Some(Resume::Must), _) if !there => Err(Error::usage(format_args!(
                "resume=\"must\": there is no run {path}\nhint: resume=\"allow\" begins it when it is not there"
            ))),
            (Some(Resume::Never), _) if there => Err(Error::usage(format_args!(
                "resume=\"never\": there is a run {path} already\nhint: leave the id away to get a new one"
            ))),
            (None, Some(_)) if !there => Err(Error::usage(format_args!("there is no run {path} to go on from"))),
            _ => Ok(earlier),
        }
    }
}

/// Where a run stands on the server; `None` when it is not there.
fn ask_server(path: &RunPath, settings: &Resolved) -> Result<Option<ResumePoint>, TransportError> {
    let http = Http::with_timeout(&settings.base_url, settings.api_key.as_deref(), settings.init_timeout);
    match http.resume_point(path) {
        // Nobody named a server, and none is there: the run is one of this disk.
        Err(TransportError::Unavailable(_)) if !settings.server_configured => Ok(None),
        answer => answer,
    }
}

/// The folder of all runs below `root`, absolute: later changes of the working directory must not move it.
pub(crate) fn home_below(root: &Path) -> std::io::Result<PathBuf> {
    let root = std::path::absolute(if root.as_os_str().is_empty() { Path::new(".") } else { root })?;
    let hidden = root.join(".steplog");
    Ok(if hidden.is_dir() { hidden } else { root.join("steplog") })
}

/// The folder of all runs, where nobody names one.
pub(crate) fn default_home() -> Result<PathBuf, Error> {
    let root = environment("DIR").map(PathBuf::from).unwrap_or_default();
    home_below(&root).map_err(|error| Error::io(error, "there is no working directory"))
}

fn split_tags(tags: &str) -> Vec<String> {
    tags.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect()
}

/// Makes the run's folder and journal below `home`, or below a temporary folder when that cannot be written.
fn open_journal(
    home: &Path,
    identity: &Identity,
    verbosity: Verbosity,
) -> Result<(RunFolder, JournalWriter, Option<JournalLock>), Error> {
    let open = |home: &Path| -> std::io::Result<_> {
        let folder = RunFolder::below(home, &identity.project, &identity.id);
        let journal = folder.journal(identity.stream);
        let writer = JournalWriter::create(&journal, identity.stream, WriterOptions::default())?;
        // A full disk is the writer's to deal with: the run goes on in memory.
        let _ = std::fs::create_dir_all(folder.files());
        let lock = JournalLock::try_take(&journal).ok().flatten();
        Ok((folder, writer, lock))
    };
    open(home).or_else(|error| {
        let temporary = std::env::temp_dir().join("steplog");
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

pub(crate) fn host_name() -> Option<String> {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_str().ok().map(str::to_owned);
    #[cfg(not(unix))]
    return std::env::var("COMPUTERNAME").ok();
}
