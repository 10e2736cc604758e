//! What was run, and where: gathered once, by a thread, when a run has begun.
//!
//! What costs nothing is in the first record of the run already ([`at_start`]). The rest comes in records of its own, each
//! as soon as it is known, so that a run that ends at once lacks as little as can be. Everything goes through a
//! [`Redactor`], and of the environment only variables that are named here are kept.

mod git;
mod host;
mod keep;
mod packages;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value as Json, json};
use steplog_model::Record;

use crate::files::FileUploader;
use crate::fork;
use crate::redact::Redactor;
use crate::run::{Active, lock};
use crate::system::{self, Gpu};

use keep::Keeper;
pub(crate) use keep::is_kept;

/// A command has at most so many arguments, of so many bytes each; the rest is left out.
const MOST_ARGUMENTS: usize = 1000;
const LONGEST_ARGUMENT: usize = 4096;

/// Environment variables as they were at the beginning: a thread must not read them while the script changes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(Vec<(OsString, OsString)>);

impl Variables {
    pub(crate) fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// A variable that is set and not empty.
    fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| &**value).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str()
    }

    /// What may not be kept of them.
    pub(crate) fn redactor(&self) -> Redactor {
        let texts = self.0.iter().filter_map(|(name, value)| Some((name.to_str()?.into(), value.to_str()?.into())));
        Redactor::of_variables(texts)
    }
}

/// What is to be found out.
pub(crate) struct Task {
    pub(crate) variables: Variables,
    pub(crate) redactor: Redactor,
    /// What the first record says already.
    pub(crate) known: Map<String, Json>,
    /// Where installed packages stand, as the interpreter looks for them.
    pub(crate) package_folders: Vec<PathBuf>,
    pub(crate) keeps_requirements: bool,
    pub(crate) looks_at_git: bool,
    /// Whether changes that were not committed are kept.
    pub(crate) keeps_patch: bool,
}

/// The thread.
pub(crate) struct Surroundings {
    is_stopped: Arc<AtomicBool>,
    generation: u32,
}

impl Surroundings {
    /// Begins to find out. Costs the start of a thread.
    pub(crate) fn start(task: Task, files: PathBuf, active: Arc<Active>, uploader: Option<FileUploader>) -> Self {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let own = is_stopped.clone();
        let gathering = move || task.run(&own, &active, &Keeper::new(files, active.clone(), uploader));
        // Without a thread the run lacks what would have been found.
        let _ = std::thread::Builder::new().name("steplog-surroundings".into()).spawn(gathering);
        Self { is_stopped, generation: fork::generation() }
    }

    /// Ends the thread as soon as it can; it is not waited for, and writes nothing to a run that has ended.
    pub(crate) fn stop(&self) {
        if self.generation == fork::generation() {
            self.is_stopped.store(true, Ordering::Relaxed);
        }
    }
}

impl Task {
    fn run(self, is_stopped: &AtomicBool, active: &Active, keeper: &Keeper) {
        let tell = |members: Map<String, Json>| {
            let mut state = lock(&active.state);
            if state.finished || members.is_empty() {
                return !state.finished;
            }
            // The disk's trouble is told by whoever tends the journal.
            state.append(&Record::Environment(members)).is_ok()
        };
        let goes_on = || !is_stopped.load(Ordering::Relaxed);
        let mut host = host::members(&self.variables, &self.redactor);
        host.retain(|name, _| !self.known.contains_key(name));
        if !(tell(host) && goes_on()) {
            return;
        }
        let packages = packages::installed(&self.package_folders);
        if !packages.is_empty() {
            if self.keeps_requirements {
                keeper.keep(keep::REQUIREMENTS, &packages::requirements(&packages));
            }
            if !(tell(one("packages", json!(packages))) && goes_on()) {
                return;
            }
        }
        if self.looks_at_git {
            let folders = self.folders();
            let look = git::Look { variables: &self.variables, redactor: &self.redactor, is_stopped };
            if let Some(found) = folders.iter().find_map(|folder| look.at(folder, self.keeps_patch)) {
                if let Some(patch) = &found.patch {
                    keeper.keep(keep::PATCH, patch);
                }
                tell(one("git", Json::Object(found.members)));
            }
        }
        if goes_on() {
            let gpus: Vec<Json> = system::gpus().iter().map(Gpu::to_json).collect();
            if !gpus.is_empty() {
                tell(one("gpus", Json::Array(gpus)));
            }
        }
    }

    /// Where a repository may be: around the program, unless that was installed; around the working directory.
    fn folders(&self) -> Vec<PathBuf> {
        let text = |name: &str| self.known.get(name).and_then(Json::as_str);
        let here = text("working_directory").map(PathBuf::from);
        let executable = text("executable").map(PathBuf::from);
        let program = text("program").map(Path::new).filter(|program| program.extension().is_some());
        let of_program = here.as_ref().zip(program).and_then(|(here, program)| {
            let folder = here.join(program).parent()?.to_owned();
            let is_installed = folder
                .components()
                .any(|part| ["site-packages", "dist-packages"].iter().any(|name| part.as_os_str() == *name));
            let is_beside = executable.as_ref().and_then(|executable| executable.parent()) == Some(&folder);
            (folder.is_dir() && !is_installed && !is_beside).then_some(folder)
        });
        let mut folders: Vec<PathBuf> = of_program.into_iter().chain(here).collect();
        folders.dedup();
        folders
    }
}

/// What is known at once: the members that a caller gives, and for those that it does not what any program can say.
pub(crate) fn at_start(mut given: Map<String, Json>, redactor: &Redactor) -> Map<String, Json> {
    let command = match given.remove("command") {
        Some(Json::Array(words)) => words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect(),
        _ => std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
    };
    let mut members = Map::from_iter([("command".to_owned(), json!(redactor.command(&bounded(command))))]);
    let path = |path: std::io::Result<PathBuf>| path.ok().map(|path| json!(path.display().to_string()));
    for (name, value) in [
        ("program", (!given.contains_key("program")).then(|| path(std::env::current_exe())).flatten()),
        (
            "working_directory",
            (!given.contains_key("working_directory")).then(|| path(std::env::current_dir())).flatten(),
        ),
        ("platform", platform().map(Json::from)),
        ("os", Some(json!(std::env::consts::OS))),
        ("steplog_version", Some(json!(env!("CARGO_PKG_VERSION")))),
    ] {
        if let Some(value) = value.filter(|_| !given.contains_key(name)) {
            given.insert(name.into(), value);
        }
    }
    members.extend(given.into_iter().map(|(name, value)| (name, redactor.json(value))));
    members
}

/// A command of bounded size.
fn bounded(mut command: Vec<String>) -> Vec<String> {
    let left_out = command.len().saturating_sub(MOST_ARGUMENTS);
    if left_out > 0 {
        command.truncate(MOST_ARGUMENTS);
        command.push(format!("… {left_out} more arguments"));
    }
    for argument in &mut command {
        if argument.len() > LONGEST_ARGUMENT {
            let end = (0..=LONGEST_ARGUMENT).rev().find(|end| argument.is_char_boundary(*end)).unwrap_or_default();
            argument.truncate(end);
            argument.push('…');
        }
    }
    command
}

#[cfg(unix)]
fn platform() -> Option<String> {
    let system = rustix::system::uname();
    let release = system.release().to_str().ok()?;
    Some(format!("{} {release}", std::env::consts::OS))
}

#[cfg(not(unix))]
fn platform() -> Option<String> {
    None
}

fn one(name: &str, value: Json) -> Map<String, Json> {
    Map::from_iter([(name.to_owned(), value)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_gives_stays_and_loses_its_secrets() {
        let given = json!({
            "command": ["python", "train.py", "--token", "abc", "--lr", "0.1"],
            "program": "train.py",
            "working_directory": "/work",
            "platform": "linux 6",
            "os": "an os",
            "steplog_version": "1",
            "note": "see https://me:pw@host/x",
        });
        let Json::Object(given) = given else { unreachable!() };
        let expected = json!({
            "command": ["python", "train.py", "--token", "[redacted]", "--lr", "0.1"],
            "program": "train.py",
            "working_directory": "/work",
            "platform": "linux 6",
            "os": "an os",
            "steplog_version": "1",
            "note": "see https://[redacted]@host/x",
        });
        assert_eq!(Json::Object(at_start(given, &Redactor::default())), expected);
    }

    #[test]
    fn any_program_can_say_what_it_is() {
        let members = at_start(Map::new(), &Redactor::default());
        let names: Vec<_> = members.keys().map(String::as_str).collect();
        assert_eq!(names, ["command", "program", "working_directory", "platform", "os", "steplog_version"]);
        assert_eq!(members["program"], json!(std::env::current_exe().unwrap().display().to_string()));
    }

    #[test]
    fn a_command_is_bounded() {
        let mut command = vec!["x".to_owned(); MOST_ARGUMENTS + 2];
        command[0] = "é".repeat(LONGEST_ARGUMENT);
        let command = bounded(command);
        assert_eq!(command[0], "é".repeat(LONGEST_ARGUMENT / 2) + "…");
        assert_eq!(command.len(), MOST_ARGUMENTS + 1);
        assert_eq!(command[MOST_ARGUMENTS], "… 2 more arguments");
    }

    #[test]
    fn a_repository_is_looked_for_around_the_program_unless_that_was_installed() {
        let home = tempfile::tempdir().unwrap();
        let (here, package) = (home.path().join("here"), home.path().join("lib/site-packages/package"));
        for folder in [&here.join("scripts"), &package, &home.path().join("bin")] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let folders = |program: &str| {
            let known = json!({
                "program": program,
                "working_directory": here.display().to_string(),
                "executable": home.path().join("bin/python").display().to_string(),
            });
            let Json::Object(known) = known else { unreachable!() };
            let task = Task {
                variables: Variables::default(),
                redactor: Redactor::default(),
                known,
                package_folders: Vec::new(),
                keeps_requirements: true,
                looks_at_git: true,
                keeps_patch: true,
            };
            task.folders()
        };
        assert_eq!(folders("scripts/train.py"), [here.join("scripts"), here.clone()]);
        assert_eq!(folders("train.py"), vec![here.clone()]);
        assert_eq!(folders(&package.join("__main__.py").display().to_string()), vec![here.clone()]);
        assert_eq!(folders(&home.path().join("bin/train.exe").display().to_string()), vec![here.clone()]);
        assert_eq!(folders("<interactive>"), vec![here.clone()]);
    }
}
