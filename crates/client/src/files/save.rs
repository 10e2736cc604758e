//! Which files a pattern names, and where they stand in the run's folder.
//!
//! A path is cut at its base and stands below `files/` with what is left of it, as a link to where it is. Where links are
//! not to be had it is a second name of the same file, or a copy.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use glob::{MatchOptions, Pattern, glob_with};
use steplog_model::{FilePath, FilePolicy, SavedFile};

use crate::error::{Error, ErrorKind};
use crate::message::Verbosity;
use crate::run::now;
use crate::surroundings;

/// Schemes of places that are no files of this machine.
const ELSEWHERE: [&str; 2] = ["s3://", "gs://"];

/// How the shell's patterns are read: `*` never matches a hidden name, nor the `/` between two.
const MATCH: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// How [`crate::Run::save`] saves.
#[derive(Clone, Debug)]
pub struct SaveOptions {
    /// Folders below this one are kept: `data/a/x.txt` with the base `data` is `a/x.txt` in the run. Default: the working
    /// directory; for an absolute pattern, the folder above the one that the files are in.
    pub base_path: Option<PathBuf>,
    /// When the files are uploaded.
    pub policy: FilePolicy,
    /// Whether `*`, `?`, `[…]` and `**` (any number of folders) mean other characters than themselves.
    pub glob: bool,
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self { base_path: None, policy: FilePolicy::Live, glob: true }
    }
}

/// How a file gets into the run's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A symbolic link: it follows whatever becomes of the file.
    Link,
    /// A hard link: it follows what is written to the file.
    SecondName,
    /// A copy, of this moment.
    Copy,
}

impl Way {
    /// The first that is possible is taken.
    pub(crate) const ALL: [Self; 3] = [Self::Link, Self::SecondName, Self::Copy];
}

/// What a call put into the run's folder.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    /// Absolute paths in the run's folder, sorted.
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) files: Vec<SavedFile>,
}

/// Puts what a pattern names into `files`, the run's folder for it.
pub(crate) fn place(
    files: &Path,
    pattern: &str,
    options: &SaveOptions,
    ways: &[Way],
    verbosity: Verbosity,
) -> Result<Placed, Error> {
    if ELSEWHERE.iter().any(|scheme| pattern.starts_with(scheme)) {
        verbosity.info(&format!("{pattern} is not on this machine, so it is not saved; log it as a reference instead"));
        return Ok(Placed::default());
    }
    let search = Search::new(files, pattern, options)?;
    if search.flattens {
        static WARNED: AtomicBool = AtomicBool::new(false);
        if !WARNED.swap(true, Ordering::Relaxed) {
            verbosity.warn(&format!(
                "of the folders above {pattern} only the last is kept; give a base_path to save() to keep more or fewer"
            ));
        }
    }
    let mut placed = Placed::default();
    for (source, path) in search.sources(files, verbosity) {
        let target = path.below(files);
        let (policy, source) = put(&source, &target, files, options.policy, ways)?;
        let source = source.map(|source| source.display().to_string());
        placed.files.push(SavedFile { time: now(), path, policy, source });
        placed.paths.push(target);
    }
    for (target, path) in search.already_there(files) {
        if !placed.paths.contains(&target) {
            let source = fs::read_link(&target).ok().map(|source| source.display().to_string());
            placed.files.push(SavedFile { time: now(), path, policy: options.policy, source });
            placed.paths.push(target);
        }
    }
    placed.paths.sort();
    Ok(placed)
}

/// A pattern, cut at its base.
struct Search {
    /// Parts of the absolute pattern, as patterns.
    parts: Vec<String>,
    /// How many of them are the base.
    base: usize,
    root: PathBuf,
    /// Whether the pattern lies in the run's own folder for files.
    is_in_run: bool,
    /// Whether any part behind the base may stand for several names.
    is_wild: bool,
    /// Whether the base was chosen for an absolute pattern, so that folders get lost.
    flattens: bool,
}

impl Search {
    fn new(files: &Path, pattern: &str, options: &SaveOptions) -> Result<Self, Error> {
        if pattern.is_empty() {
            return Err(Error::invalid("save() got an empty path"));
        }
        let here =
            std::env::current_dir().map_err(|error| Error::io(error, "save() cannot tell the working directory"))?;
        let escape = |part: &str| Pattern::escape(part);
        let own = |part: &str| if options.glob { as_pattern(part) } else { Pattern::escape(part) };
        let (root, parts) = absolute(Path::new(pattern), &here, &own, &escape)?;
        let in_run = options.base_path.is_none().then(|| below(&parts, files)).flatten();
        let (base, flattens) = match &options.base_path {
            Some(base) => {
                let (_, base_parts) = absolute(base, &here, &own, &escape)?;
                let (_, plain) = absolute(base, &here, &escape, &escape)?;
                let is_above = base_parts.len() < parts.len()
                    && base_parts
                        .iter()
                        .zip(&plain)
                        .zip(&parts)
                        .all(|((base, plain), part)| base == part || plain == part);
                if !is_above {
                    let message = format!("base_path {:?} is not above {pattern:?}", base.display().to_string());
                    return Err(Error::invalid(message));
                }
                (base_parts.len(), false)
            }
            // What is in the run's folder already stays where it is.
            None if in_run.is_some() => (in_run.unwrap_or_default(), false),
            None if Path::new(pattern).is_absolute() => (parts.len().saturating_sub(2), true),
            None => {
                let (_, here_parts) = absolute(&here, &here, &escape, &escape)?;
                if here_parts.len() >= parts.len() || !parts.starts_with(&here_parts) {
                    return Err(Error::invalid(format!(
                        "{pattern:?} is above base_path, the working directory; give a base_path to save() that is above it"
                    )));
                }
                (here_parts.len(), false)
            }
        };
        let is_wild = parts[base..].iter().any(|part| literal(part).is_none());
        Ok(Self { parts, base, root, is_in_run: in_run.is_some(), is_wild, flattens })
    }

    /// What the pattern names, each with its path in the run.
    fn sources(&self, files: &Path, verbosity: Verbosity) -> Vec<(PathBuf, FilePath)> {
        let mut found = Vec::new();
        let pattern = format!("{}{}", Pattern::escape(&self.root.display().to_string()), self.parts.join("/"));
        let home = files.ancestors().nth(3);
        // A folder that a wildcard happens to match is not meant; nor is the run itself.
        for source in matches(&pattern) {
            if source.is_dir() && (self.is_wild || files.starts_with(&source)) {
                continue;
            }
            // Nor are journals, of this run or its neighbours.
            let is_of_a_run = home.is_some_and(|home| source.starts_with(home));
            if self.is_wild && is_of_a_run && !self.is_in_run {
                continue;
            }
            let Ok(names) = source.strip_prefix(&self.root) else { continue };
            let base: PathBuf = self.root.join(names.iter().take(self.base).collect::<PathBuf>());
            match FilePath::relative(&source, &base) {
                Ok(path) => found.push((source, path)),
                Err(error) => verbosity.warn(&format!("{error}, so it is not saved")),
            }
        }
        found
    }

    /// What stands in the run's folder already under such a path, put there by the script itself or by an earlier call.
    fn already_there(&self, files: &Path) -> Vec<(PathBuf, FilePath)> {
        let folder = Pattern::escape(&files.display().to_string());
        let pattern = format!("{folder}/{}", self.parts[self.base..].join("/"));
        // What steplog itself keeps there is not what the script means.
        let paths = matches(&pattern).into_iter().filter(|path| path.is_file() && !surroundings::is_kept(path));
        paths.filter_map(|path| FilePath::relative(&path, files).ok().map(|relative| (path, relative))).collect()
    }
}

fn matches(pattern: &str) -> Vec<PathBuf> {
    // Folders that cannot be read have no files for us.
    glob_with(pattern, MATCH).into_iter().flatten().flatten().collect()
}

/// The parts of a path from the root on; those of the path itself by `own`, those of the working directory by `escape`.
fn absolute(
    path: &Path,
    here: &Path,
    own: &dyn Fn(&str) -> String,
    escape: &dyn Fn(&str) -> String,
) -> Result<(PathBuf, Vec<String>), Error> {
    let mut root = PathBuf::new();
    let mut parts = Vec::new();
    let mut add = |path: &Path, write: &dyn Fn(&str) -> String| -> Result<(), Error> {
        for component in path.components() {
            match component {
                Component::Prefix(_) | Component::RootDir => {
                    parts.clear();
                    root.push(component.as_os_str());
                }
                Component::CurDir => {}
                Component::ParentDir => drop(parts.pop()),
                Component::Normal(name) => {
                    let name = name.to_str().ok_or_else(|| {
                        Error::invalid(format_args!("path {:?} is not UTF-8", path.display().to_string()))
                    })?;
                    parts.push(write(name));
                }
            }
        }
        Ok(())
    };
    if path.is_relative() {
        add(here, escape)?;
    }
    add(path, own)?;
    Ok((root, parts))
}

/// One part of a path as a pattern: `**` alone stands for any number of folders, and what is no pattern for itself.
fn as_pattern(part: &str) -> String {
    let mut pattern = part.to_owned();
    if part != "**" {
        while pattern.contains("**") {
            pattern = pattern.replace("**", "*");
        }
    }
    if Pattern::new(&pattern).is_ok() { pattern } else { Pattern::escape(part) }
}

/// The one name that a part of a pattern stands for.
fn literal(part: &str) -> Option<String> {
    let plain = part.replace("[?]", "?").replace("[*]", "*").replace("[]]", "]").replace("[[]", "[");
    (Pattern::escape(&plain) == part).then_some(plain)
}

/// How many parts `files` has, when the pattern lies in it.
fn below(parts: &[String], files: &Path) -> Option<usize> {
    let folder: Vec<String> = files
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(Pattern::escape(name.to_str()?)),
            _ => None,
        })
        .collect();
    (folder.len() < parts.len() && parts.starts_with(&folder)).then_some(folder.len())
}

/// Puts `source` to `target`; answers the policy that can be kept, and where the link leads, if it is one.
fn put(
    source: &Path,
    target: &Path,
    files: &Path,
    policy: FilePolicy,
    ways: &[Way],
) -> Result<(FilePolicy, Option<PathBuf>), Error> {
    let failed = |error: io::Error| Error::io(error, format_args!("cannot save {} to the run", source.display()));
    let there = |path: &Path| path.canonicalize().ok();
    if there(target).is_some_and(|target| Some(target) == there(source)) {
        return Ok((policy, fs::read_link(target).ok()));
    }
    let folder = target.parent().expect("a target stands in the run's folder");
    fs::create_dir_all(folder).map_err(failed)?;
    if !there(folder).zip(there(files)).is_some_and(|(folder, files)| folder.starts_with(files)) {
        let message = format!("{} lies in a folder that was saved as a whole from elsewhere", target.display());
        return Err(Error::invalid(message));
    }
    match fs::symlink_metadata(target) {
        Ok(found) if found.is_dir() => {
            let message = format!("{} is a folder in the run already, which a link cannot replace", target.display());
            return Err(Error::new(ErrorKind::IsADirectory, message));
        }
        _ => {}
    }
    let temporary = temporary_name(folder);
    let mut placed = Err(io::Error::other("there is no way to"));
    for way in ways {
        placed = match way {
            Way::Link => symlink(source, &temporary).map(|()| (policy, Some(source.to_owned()))),
            _ if source.is_dir() => {
                let message = format!("{} is a folder, which cannot be linked here; save {0}/*", source.display());
                return Err(Error::new(ErrorKind::IsADirectory, message));
            }
            Way::SecondName => {
                source.canonicalize().and_then(|source| fs::hard_link(source, &temporary)).map(|()| (policy, None))
            }
            // It does not follow what it was made of.
            Way::Copy => {
                let policy = if policy == FilePolicy::Live { FilePolicy::Now } else { policy };
                fs::copy(source, &temporary).map(|_| (policy, None))
            }
        };
        if placed.is_ok() {
            break;
        }
    }
    let placed = placed.and_then(|placed| fs::rename(&temporary, target).map(|()| placed));
    placed.inspect_err(|_| drop(fs::remove_file(&temporary))).map_err(failed)
}

/// A name that nobody else uses, beside the target.
fn temporary_name(folder: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    folder.join(format!(".steplog-{}-{count}", std::process::id()))
}

#[cfg(unix)]
fn symlink(source: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(source, target)
}

#[cfg(windows)]
fn symlink(source: &Path, target: &Path) -> io::Result<()> {
    if source.is_dir() {
        std::os::windows::fs::symlink_dir(source, target)
    } else {
        std::os::windows::fs::symlink_file(source, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pattern_stands_for_itself() {
        for (part, pattern) in [
            ("a*b", "a*b"),
            ("**", "**"),
            ("a**", "a*"),
            ("***", "*"),
            ("[ab]", "[ab]"),
            ("[", "[[]"),
            ("a[b", "a[[]b"),
        ] {
            assert_eq!(as_pattern(part), pattern, "{part}");
        }
        assert_eq!(literal(&Pattern::escape("a[1]?*")), Some("a[1]?*".into()));
        assert_eq!(literal("plain"), Some("plain".into()));
        for wild in ["*", "a?", "[ab]", "**"] {
            assert_eq!(literal(wild), None, "{wild}");
        }
    }

    #[test]
    fn where_links_are_not_to_be_had_a_file_is_named_twice_or_copied() {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("files");
        fs::create_dir(&files).unwrap();
        let (source, target) = (folder.path().join("a"), files.join("b/a"));
        fs::write(&source, "one").unwrap();
        let put = |ways: &[Way]| put(&source, &target, &files, FilePolicy::Live, ways).unwrap();
        assert_eq!(put(&Way::ALL), (FilePolicy::Live, Some(source.clone())));
        assert_eq!(put(&[Way::Copy]), (FilePolicy::Live, Some(source.clone())), "it is there already");
        fs::remove_file(&target).unwrap();
        assert_eq!(put(&[Way::SecondName, Way::Copy]), (FilePolicy::Live, None));
        fs::write(&source, "two").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "two");
        fs::remove_file(&target).unwrap();
        assert_eq!(put(&[Way::Copy]), (FilePolicy::Now, None));
        fs::write(&source, "three").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "two");
        assert_eq!(put(&Way::ALL), (FilePolicy::Live, Some(source.clone())));
        assert_eq!(fs::read_to_string(&target).unwrap(), "three");
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1, "nothing else is left there");
    }

    #[test]
    fn a_folder_that_is_a_link_is_never_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let (files, data) = (folder.path().join("files"), folder.path().join("data"));
        for folder in [&files, &data] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(data.join("x"), "of data").unwrap();
        fs::write(folder.path().join("other"), "other").unwrap();
        put(&data, &files.join("data"), &files, FilePolicy::Live, &Way::ALL).unwrap();
        let refused =
            put(&folder.path().join("other"), &files.join("data/x"), &files, FilePolicy::Live, &Way::ALL).unwrap_err();
        assert!(refused.to_string().ends_with("lies in a folder that was saved as a whole from elsewhere"));
        assert_eq!(fs::read_to_string(data.join("x")).unwrap(), "of data");
    }

    #[test]
    fn a_pattern_is_cut_at_its_base() {
        let here = std::env::current_dir().unwrap();
        let parts_here = here.components().count() - 1;
        let cut = |pattern: &str, base: Option<&str>| {
            let options = SaveOptions { base_path: base.map(PathBuf::from), ..SaveOptions::default() };
            let search = Search::new(Path::new("/runs/p/r/files"), pattern, &options)?;
            Ok::<_, Error>((search.parts[search.base..].join("/"), search.base))
        };
        assert_eq!(cut("d/*/*.txt", None).unwrap(), ("d/*/*.txt".into(), parts_here));
        assert_eq!(cut("./d/../x", None).unwrap(), ("x".into(), parts_here));
        assert_eq!(cut("d/*/*.txt", Some("d")).unwrap(), ("*/*.txt".into(), parts_here + 1));
        assert_eq!(cut("d/*/*.txt", Some("d/*")).unwrap(), ("*.txt".into(), parts_here + 2));
        assert_eq!(cut("d/x", here.to_str()).unwrap(), ("d/x".into(), parts_here));
        assert_eq!(cut("/data/a/x.txt", None).unwrap(), ("a/x.txt".into(), 1));
        assert_eq!(cut("/x.txt", None).unwrap(), ("x.txt".into(), 0));
        assert_eq!(cut("/data/a/x.txt", Some("/")).unwrap(), ("data/a/x.txt".into(), 0));
        assert_eq!(cut("/runs/p/r/files/a/x.txt", None).unwrap(), ("a/x.txt".into(), 4));
        for (pattern, base, message) in [
            (
                "../x",
                None,
                "\"../x\" is above base_path, the working directory; give a base_path to save() that is above it",
            ),
            ("d/x", Some("e"), "base_path \"e\" is not above \"d/x\""),
            ("d", Some("d"), "base_path \"d\" is not above \"d\""),
            ("/data/x", Some("/dat"), "base_path \"/dat\" is not above \"/data/x\""),
            ("", None, "save() got an empty path"),
        ] {
            assert_eq!(cut(pattern, base).unwrap_err().to_string(), message);
        }
    }
}
