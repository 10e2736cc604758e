//! Which directories there are below a folder, and where the journals are among them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use steplog_model::StreamId;

use super::artifacts;

/// Deeper directories are not looked at.
const MAX_DEPTH: usize = 16;

/// A change so shortly after the last look may leave the modification time as it was.
const TIME_GRAIN: Duration = Duration::from_secs(2);

/// Directories that hold a great deal, and never runs.
const PASSED_OVER: [&str; 4] = ["node_modules", "site-packages", "__pycache__", "target"];

/// A directory that is watched.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    depth: usize,
    /// Modification time at the last look; `None` when it must be read at the next one whatever its time.
    seen: Option<SystemTime>,
    /// Names already known, sorted.
    known: Vec<String>,
    /// Modification time at the last look.
    modified: SystemTime,
    place: Place,
}

/// How far a directory is from runs, which decides how often it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Somewhere above, or nowhere near.
    Outside,
    /// A `steplog` folder or a project: runs begin here.
    Home,
    /// A run, or its `journal` folder: processes join here.
    Run,
}

/// What a look at a directory brought.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) directories: Vec<PathBuf>,
    pub(super) journals: Vec<(PathBuf, StreamId)>,
    /// Where artifacts are kept.
    pub(super) artifacts: Option<PathBuf>,
}

impl Directory {
    pub(super) fn new(path: PathBuf, depth: usize) -> Self {
        let is_home = |path: &Path| path.file_name().is_some_and(|name| name == "steplog" || name == ".steplog");
        let place = match path.ancestors().take(4).position(is_home) {
            Some(0 | 1) => Place::Home,
            Some(_) => Place::Run,
            None => Place::Outside,
        };
        Self { path, depth, seen: None, known: Vec::new(), modified: SystemTime::UNIX_EPOCH, place }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// How long to wait before the next look, when there are `count` directories in all: thousands of old runs cost no
    /// more than a few, and a run that just began shows at once.
    pub(super) fn interval(&self, count: usize) -> Duration {
        let slow = Duration::from_secs(1).max(Duration::from_millis(count as u64));
        let age = self.modified.elapsed().unwrap_or_default();
        match self.place {
            Place::Outside => slow,
            Place::Home => Duration::from_millis(500),
            Place::Run if age < Duration::from_secs(10) => Duration::from_millis(100),
            Place::Run if age < Duration::from_secs(600) => Duration::from_secs(1).max(slow / 4),
            Place::Run => slow,
        }
    }

    /// What is new since the last look. Nothing is read while the modification time stays.
    ///
    /// # Errors
    /// It is gone, or cannot be read.
    pub(super) fn look(&mut self) -> io::Result<Found> {
        let modified = fs::metadata(&self.path)?.modified()?;
        self.modified = modified;
        if self.seen == Some(modified) {
            return Ok(Found::default());
        }
        let names = child_directories(&self.path)?;
        let is_settled = SystemTime::now().duration_since(modified).is_ok_and(|age| age > TIME_GRAIN);
        self.seen = is_settled.then_some(modified);
        let mut found = Found::default();
        let is_journals = self.path.file_name().is_some_and(|name| name == "journal");
        // Beside `journal` stand a run's own files, however many.
        let is_run = names.iter().any(|name| name == "journal");
        for name in &names {
            if self.known.binary_search(name).is_ok() {
                continue;
            }
            match name.parse() {
                Ok(stream) if is_journals => found.journals.push((self.path.join(name), stream)),
                _ if is_run && name == "files" => {}
                _ if name == artifacts::FOLDER => found.artifacts = Some(self.path.join(name)),
                _ if self.depth < MAX_DEPTH && !self.passes_over(name) => found.directories.push(self.path.join(name)),
                _ => {}
            }
        }
        self.known = names;
        Ok(found)
    }

    /// Projects and runs have any name but a hidden one; people who want none in sight keep them in `.steplog`.
    fn passes_over(&self, name: &str) -> bool {
        (name.starts_with('.') && name != ".steplog") || (self.place == Place::Outside && PASSED_OVER.contains(&name))
    }
}

/// The run folders at and below a folder, sorted.
///
/// # Errors
/// The folder itself cannot be read; those below that cannot be are passed over.
pub fn find_run_folders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut first = Directory::new(root.into(), 0);
    let mut looks = vec![(first.depth, first.look()?)];
    let mut folders = BTreeSet::new();
    while let Some((depth, found)) = looks.pop() {
        folders.extend(found.journals.iter().filter_map(|(path, _)| path.parent()?.parent()).map(|run| match run {
            // What lies above a relative path that ends here.
            nothing if nothing.as_os_str().is_empty() => PathBuf::from("."),
            run => run.to_owned(),
        }));
        let below = found.directories.into_iter().map(|path| Directory::new(path, depth + 1));
        looks.extend(below.filter_map(|mut directory| Some((directory.depth, directory.look().ok()?))));
    }
    Ok(folders.into_iter().collect())
}

/// Names of the directories in a directory, sorted. Links are not followed: they may lead in circles. Names that are not
/// UTF-8 are none of ours.
fn child_directories(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir())
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "0123456789abcdef0123456789abcdef";

    fn make(root: &Path, path: &str) {
        fs::create_dir_all(root.join(path)).expect("a folder");
    }

    /// All journals below a folder, as the poller walks.
    fn journals(root: &Path) -> Vec<String> {
        let (mut todo, mut journals) = (vec![Directory::new(root.into(), 0)], Vec::new());
        while let Some(mut directory) = todo.pop() {
            let found = directory.look().expect("a readable folder");
            todo.extend(found.directories.into_iter().map(|path| Directory::new(path, directory.depth + 1)));
            journals.extend(found.journals.into_iter().map(|(path, _)| path));
        }
        let shown = |path: &PathBuf| path.strip_prefix(root).expect("below").display().to_string();
        let mut journals: Vec<_> = journals.iter().map(shown).collect();
        journals.sort();
        journals
    }

    #[test]
    fn journals_are_found_from_every_level() {
        let root = tempfile::tempdir().expect("a folder");
        make(root.path(), &format!("work/steplog/p/run1/journal/{STREAM}"));
        make(root.path(), &format!("work/steplog/p/run1/files/steplog/p/x/journal/{STREAM}"));
        make(root.path(), &format!("work/steplog/q/journal/journal/{STREAM}"));
        make(root.path(), &format!("work/steplog/q/target/journal/{STREAM}"));
        make(root.path(), &format!(".hidden/steplog/p/run/journal/{STREAM}"));
        make(root.path(), &format!("work/node_modules/steplog/p/run/journal/{STREAM}"));
        make(root.path(), "work/steplog/p/run2/journal/not-a-stream");
        make(root.path(), &format!("work/{STREAM}"));
        let run1 = format!("run1/journal/{STREAM}");
        let odd = format!("q/journal/journal/{STREAM}");
        let target = format!("q/target/journal/{STREAM}");
        let below = |path: &String| format!("work/steplog/{path}");
        assert_eq!(journals(root.path()), [below(&format!("p/{run1}")), below(&odd), below(&target)]);
        assert_eq!(journals(&root.path().join("work/steplog")), [format!("p/{run1}"), odd, target]);
        assert_eq!(journals(&root.path().join("work/steplog/p")), [run1]);
        assert_eq!(journals(&root.path().join("work/steplog/p/run1")), [format!("journal/{STREAM}")]);
        assert_eq!(journals(&root.path().join("work/steplog/p/run1/journal")), [STREAM]);
    }

    #[test]
    fn artifacts_are_found_beside_projects_and_not_looked_into() {
        let root = tempfile::tempdir().expect("a folder");
        make(root.path(), &format!("steplog/.artifacts/collections/p/journal/{STREAM}"));
        let home = root.path().join("steplog");
        let found = Directory::new(home.clone(), 1).look().expect("readable");
        assert_eq!(found, Found { artifacts: Some(home.join(".artifacts")), ..Found::default() });
    }

    #[test]
    fn a_look_brings_only_what_is_new() {
        let root = tempfile::tempdir().expect("a folder");
        make(root.path(), "a");
        let mut directory = Directory::new(root.path().into(), 0);
        let found = |paths: &[&str]| Found {
            directories: paths.iter().map(|path| root.path().join(path)).collect(),
            ..Found::default()
        };
        assert_eq!(directory.look().expect("readable"), found(&["a"]));
        assert_eq!(directory.look().expect("readable"), found(&[]));
        make(root.path(), "b");
        assert_eq!(directory.look().expect("readable"), found(&["b"]));
        fs::remove_dir(root.path().join("a")).expect("removed");
        assert_eq!(directory.look().expect("readable"), found(&[]));
        make(root.path(), "a");
        assert_eq!(directory.look().expect("readable"), found(&["a"]));
    }
}
