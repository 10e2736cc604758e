//! The files of a run as they lie in its folder.
//!
//! Nothing outside the folder is ever shown, but for what `save()` put there as a link: a link is followed only when a
//! journal of the run names its path, and the very place where it leads. Links inside such places are not followed.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use steplog_model::{FilePath, SavedFile, media_type};
use steplog_protocol::{FilePolicy, RunFile};

/// So many files are listed, and folders looked into.
const MAX_ENTRIES: usize = 100_000;

/// The folders of a run's files, and what its journals say about them.
pub(crate) struct FolderFiles {
    folders: Vec<PathBuf>,
    saved: HashMap<String, SavedFile>,
}

/// A file, where it lies, and what changes when it changes.
pub(crate) struct Found {
    pub(crate) file: RunFile,
    pub(crate) place: PathBuf,
    pub(crate) tag: String,
}

impl FolderFiles {
    pub(crate) fn new(folders: Vec<PathBuf>, saved: Vec<SavedFile>) -> Self {
        Self { folders, saved: saved.into_iter().map(|file| (file.path.as_str().to_owned(), file)).collect() }
    }

    /// All files, by path.
    pub(crate) fn list(&self) -> Vec<RunFile> {
        let mut files: Vec<RunFile> = Vec::new();
        for folder in &self.folders {
            let mut todo = vec![(folder.clone(), String::new())];
            let mut looked_into = 0;
            while let Some((place, prefix)) = todo.pop() {
                looked_into += 1;
                for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
                    if files.len() >= MAX_ENTRIES || looked_into > MAX_ENTRIES {
                        break;
                    }
                    let Some(path) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else { continue };
                    let Ok(path) = path.parse::<FilePath>() else { continue };
                    match self.look(&entry.path(), &path) {
                        Ok(found) if found.is_dir() => todo.push((entry.path(), format!("{path}/"))),
                        Ok(found) if found.is_file() => files.push(self.file(&path, &found)),
                        _ => {}
                    }
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|later, first| later.path == first.path);
        files
    }

    /// One file.
    pub(crate) fn find(&self, path: &FilePath) -> Option<Found> {
        self.folders.iter().find_map(|folder| {
            let (mut place, mut so_far, mut found) = (folder.clone(), String::new(), None);
            for part in path.parts() {
                place.push(part);
                so_far = if so_far.is_empty() { part.to_owned() } else { format!("{so_far}/{part}") };
                found = Some(self.look(&place, &so_far.parse().ok()?).ok()?);
            }
            let found = found.filter(Metadata::is_file)?;
            let tag = format!("{}-{}", found.len(), modified_nanos(&found));
            Some(Found { file: self.file(path, &found), place, tag })
        })
    }

    /// What stands at a place: behind a link only if `save()` made it.
    fn look(&self, place: &Path, path: &FilePath) -> io::Result<Metadata> {
        let found = fs::symlink_metadata(place)?;
        if !found.is_symlink() {
            return Ok(found);
        }
        let leads_to = fs::read_link(place)?;
        let source = self.saved.get(path.as_str()).and_then(|saved| saved.source.as_deref());
        if source.is_some_and(|source| Path::new(source) == leads_to) {
            return fs::metadata(place);
        }
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "a link that save() did not make"))
    }

    fn file(&self, path: &FilePath, found: &Metadata) -> RunFile {
        let modified_at = modified_nanos(found) as f64 / 1e9;
        // A folder that was saved speaks for the files in it.
        let ancestors = std::iter::successors(Some(path.as_str()), |path| Some(path.rsplit_once('/')?.0));
        let policy = ancestors.filter_map(|path| self.saved.get(path)).map(|saved| policy(saved.policy)).next();
        RunFile {
            path: path.to_string(),
            size_bytes: found.len(),
            sha256: None,
            media_type: media_type(path.as_str()).into(),
            policy,
            modified_at: Some(modified_at),
            updated_at: modified_at,
        }
    }
}

fn policy(policy: steplog_model::FilePolicy) -> FilePolicy {
    match policy {
        steplog_model::FilePolicy::Live => FilePolicy::Live,
        steplog_model::FilePolicy::Now => FilePolicy::Now,
        steplog_model::FilePolicy::End => FilePolicy::End,
    }
}

fn modified_nanos(found: &Metadata) -> u128 {
    found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_nanos())
}
