//! Artifacts of a live run.

use std::path::Path;
use std::time::Duration;

use steplog_model::{Alias, ArtifactName, ArtifactRecord, Record};

use super::add::AddOptions;
use super::handle::{Artifact, parse_aliases};
use super::reference::ReferenceOptions;
use crate::error::Error;
use crate::run::Run;
use crate::settings::Mode;

/// Type of what is logged without one.
const DEFAULT_TYPE: &str = "unspecified";

/// Type of what [`Run::log_model`] logs.
const MODEL_TYPE: &str = "model";

/// The project that [`Run::link_model`] links into.
const MODEL_REGISTRY: &str = "model-registry";

impl Run {
    /// Logs an artifact: it becomes the next version of its collection, unless the newest one has the same content; `latest`
    /// and `aliases` come to point at it. When this returns the version is on this disk, and nothing that happens to the
    /// process can take it away; a thread sends it to the server, which may give it another number. [`Artifact::wait`] waits
    /// for that. The artifact is finalized.
    ///
    /// A version that is logged once more gets the aliases.
    ///
    /// # Errors
    /// An alias is none, the collection has another type, a copy is gone, the disk refuses, or the run is finished.
    pub fn log_artifact(&self, artifact: &Artifact, aliases: &[impl AsRef<str>]) -> Result<(), Error> {
        self.check_open("log_artifact")?;
        self.make_version(artifact, parse_aliases(aliases)?, false)
    }

    /// Logs an artifact that the run did not make, but takes as its input: nobody counts as its maker. [`Self::use_logged`]
    /// does this, waits, and notes the use.
    ///
    /// # Errors
    /// As [`Self::log_artifact`].
    pub fn log_input(&self, artifact: &Artifact, aliases: &[impl AsRef<str>]) -> Result<(), Error> {
        self.check_open("use_artifact")?;
        self.make_version(artifact, parse_aliases(aliases)?, true)
    }

    fn make_version(&self, artifact: &Artifact, aliases: Vec<Alias>, as_input: bool) -> Result<(), Error> {
        if self.mode() == Mode::Disabled {
            return artifact.log_nowhere(self.artifacts(), aliases);
        }
        let step = self.step();
        let Some((logged, ticket)) = artifact.log(self.artifacts(), aliases, step, as_input)? else { return Ok(()) };
        self.append(&Record::Artifact(ArtifactRecord::Logged(Box::new(logged.clone()))))?;
        self.artifacts().send(&ticket, logged);
        Ok(())
    }

    /// Logs a file, a folder or what a URI names as an artifact of its own. Default name: `run-<id>-` and the last part of the
    /// path; default type: `unspecified`.
    ///
    /// # Errors
    /// There is nothing at the path, a name is not allowed, or as [`Self::log_artifact`].
    pub fn log_path(
        &self,
        path: &str,
        name: Option<&str>,
        r#type: Option<&str>,
        aliases: &[impl AsRef<str>],
    ) -> Result<Artifact, Error> {
        let artifact = self.artifact_of(path, name, r#type.unwrap_or(DEFAULT_TYPE))?;
        self.log_artifact(&artifact, aliases)?;
        Ok(artifact)
    }

    fn artifact_of(&self, path: &str, name: Option<&str>, r#type: &str) -> Result<Artifact, Error> {
        let is_uri = path.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        });
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = match name {
            Some(name) => name.to_owned(),
            None if is_uri => format!("run-{}-{last}", self.id()),
            None => {
                let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
                format!("run-{}-{name}", self.id())
            }
        };
        let artifact = Artifact::new(&name, r#type)?;
        artifact.send_early(self)?;
        if is_uri {
            artifact.add_reference(path, &ReferenceOptions::default())?;
        } else if Path::new(path).is_dir() {
            artifact.add_dir(path, None, &AddOptions::default())?;
        } else {
            artifact.add_file(path, None, &AddOptions::default())?;
        }
        Ok(artifact)
    }

    /// Takes a version as an input of the run: `name`, `name:v3` or `name:alias`, each with `entity/project/` or `project/`
    /// before it, or the digest of a version; without a version `name:latest` is meant. Looks on the server if there is one,
    /// else at what is in the folder of all runs; what this process has just logged is waited for.
    ///
    /// # Errors
    /// There is no such version ([`crate::ErrorKind::NotFound`]), it has another type than `type`, the name is none, the server does
    /// not let us, or the run is finished.
    pub fn use_artifact(&self, name: &str, r#type: Option<&str>) -> Result<Artifact, Error> {
        let name: ArtifactName = name.parse()?;
        self.check_open("use_artifact")?;
        let artifact = Artifact::from_committed(self.artifacts().find(&name)?)?;
        self.note_use(&artifact, r#type)?;
        Ok(artifact)
    }

    /// Takes an artifact that the script has as an input of the run. One that was not logged is logged, though not as made by
    /// this run, and waited for.
    ///
    /// # Errors
    /// As [`Self::log_artifact`], [`Artifact::wait`] and [`Self::use_artifact`].
    pub fn use_logged(
        &self,
        artifact: &Artifact,
        r#type: Option<&str>,
        aliases: &[impl AsRef<str>],
    ) -> Result<(), Error> {
        self.check_open("use_artifact")?;
        check_type(artifact, r#type)?;
        if artifact.is_draft() {
            self.log_input(artifact, aliases)?;
        } else if !aliases.is_empty() {
            self.log_artifact(artifact, aliases)?;
        }
        artifact.wait(None)?;
        self.note_use(artifact, r#type)
    }

    fn note_use(&self, artifact: &Artifact, r#type: Option<&str>) -> Result<(), Error> {
        check_type(artifact, r#type)?;
        let used = self.artifacts().note_used(&artifact.committed()?)?;
        self.append(&Record::Artifact(ArtifactRecord::Used(used)))
    }

    /// Links a version into a collection of a registry, which is a project: `registry/collection` or
    /// `entity/registry/collection`. There it gets a number of its own, `latest` and `aliases`. One that was not logged is
    /// logged; what is still to be sent is linked when that is done.
    ///
    /// # Errors
    /// The target or an alias is none, or as [`Self::log_artifact`].
    pub fn link_artifact(&self, artifact: &Artifact, target: &str, aliases: &[impl AsRef<str>]) -> Result<(), Error> {
        let aliases: Vec<Alias> = parse_aliases(aliases)?;
        let target: ArtifactName = target.parse()?;
        if target.selector.is_some() {
            return Err(Error::invalid(format_args!(
                "{target} names a version, but a link gets one of its own; leave out what is behind the colon"
            )));
        }
        self.check_open("link_artifact")?;
        if artifact.is_draft() {
            self.log_artifact(artifact, &[] as &[&str])?;
        }
        if self.mode() == Mode::Disabled {
            return Ok(());
        }
        let link = self.artifacts().link(artifact, target, &aliases)?;
        self.append(&Record::Artifact(ArtifactRecord::Linked(link.clone())))?;
        self.artifacts().send_link(link);
        Ok(())
    }

    /// Logs a file or folder as an artifact of the type `model`; see [`Self::log_path`].
    ///
    /// # Errors
    /// As [`Self::log_path`].
    pub fn log_model(&self, path: &str, name: Option<&str>, aliases: &[impl AsRef<str>]) -> Result<Artifact, Error> {
        self.log_path(path, name, Some(MODEL_TYPE), aliases)
    }

    /// Takes a model as an input of the run; see [`Self::use_artifact`]. Its type must have `model` in its name.
    ///
    /// # Errors
    /// As [`Self::use_artifact`], or it is no model.
    pub fn use_model(&self, name: &str) -> Result<Artifact, Error> {
        let name: ArtifactName = name.parse()?;
        self.check_open("use_model")?;
        let artifact = Artifact::from_committed(self.artifacts().find(&name)?)?;
        let r#type = artifact.artifact_type().as_str();
        if !r#type.to_lowercase().contains(MODEL_TYPE) {
            return Err(Error::invalid(format_args!("{} has the type {type:?}, which is no model's", artifact.name())));
        }
        self.note_use(&artifact, None)?;
        Ok(artifact)
    }

    /// Logs a file or folder as a model, and links it into the collection `registered_name` of the project `model-registry`.
    ///
    /// # Errors
    /// `registered_name` is no name of a collection, or as [`Self::log_model`].
    pub fn link_model(
        &self,
        path: &str,
        registered_name: &str,
        name: Option<&str>,
        aliases: &[impl AsRef<str>],
    ) -> Result<Artifact, Error> {
        if registered_name.contains('/') {
            return Err(Error::invalid(format_args!(
                "{registered_name:?} is to be the name of a registered model alone; link_artifact takes paths"
            )));
        }
        let artifact = self.log_model(path, name, &[] as &[&str])?;
        self.link_artifact(&artifact, &format!("{MODEL_REGISTRY}/{registered_name}"), aliases)?;
        Ok(artifact)
    }

    /// How many bytes of artifacts were sent so far, and how many are known to be left; nothing of a run that is not online.
    pub fn artifact_progress(&self) -> (u64, u64) {
        self.artifacts().uploader().map_or((0, 0), |uploader| uploader.progress())
    }

    /// The versions that the run made: all that the server knows, and what this process logged.
    ///
    /// # Errors
    /// The server does not let us.
    pub fn logged_artifacts(&self) -> Result<Vec<Artifact>, Error> {
        let own = self.artifacts().logged();
        Ok(match self.artifacts().on_server()? {
            Some(there) => united(there.logged, own),
            None => united(own, Vec::new()),
        })
    }

    /// The versions that the run used: all that the server knows, and what this process used.
    ///
    /// # Errors
    /// The server does not let us.
    pub fn used_artifacts(&self) -> Result<Vec<Artifact>, Error> {
        let own = self.artifacts().used();
        Ok(match self.artifacts().on_server()? {
            Some(there) => united(there.used, own),
            None => united(own, Vec::new()),
        })
    }
}

/// # Errors
/// It has another type than is wanted.
fn check_type(artifact: &Artifact, r#type: Option<&str>) -> Result<(), Error> {
    let is = artifact.artifact_type().as_str();
    match r#type.filter(|wanted| *wanted != is) {
        Some(wanted) => Err(Error::invalid(format_args!("{} has the type {is:?}, not {wanted:?}", artifact.name()))),
        None => Ok(()),
    }
}

/// Two lists as one, each version once.
fn united(first: Vec<Artifact>, second: Vec<Artifact>) -> Vec<Artifact> {
    let place = |artifact: &Artifact| {
        artifact.info().ok().map(|info| (info.entity, info.project, info.collection, info.version))
    };
    let mut seen = std::collections::HashSet::new();
    // What has no version yet is nothing that another list has.
    first.into_iter().chain(second).filter(|artifact| place(artifact).is_none_or(|place| seen.insert(place))).collect()
}

impl Artifact {
    /// Waits until it is a version: of the server, or, where none is there, on this disk. From then on it answers with what
    /// it became. `None`: for as long as it takes.
    ///
    /// # Errors
    /// It was not logged, the server refuses it or does not let us, or it did not become one in time ([`crate::ErrorKind::Timeout`]).
    pub fn wait(&self, timeout: Option<Duration>) -> Result<(), Error> {
        self.wait_unless(timeout, &mut || false)
    }

    /// As [`Self::wait`], but stops waiting as soon as `interrupted` says so; it is asked at least every 50 ms.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn wait_unless(&self, timeout: Option<Duration>, interrupted: &mut dyn FnMut() -> bool) -> Result<(), Error> {
        match self.ticket() {
            Some(ticket) => {
                let committed = ticket.wait(timeout, interrupted)?;
                self.settle(committed);
                Ok(())
            }
            None => self.committed().map(drop),
        }
    }
}
