//! The files that a saved path stands for: itself, or everything in a folder.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use steplog_model::{FilePath, SavedFile};

/// So many files of one saved folder are taken.
const MAX_FILES: usize = 100_000;

/// A file and where it stands.
pub(crate) struct Leaf {
    pub(crate) path: FilePath,
    pub(crate) place: PathBuf,
    pub(crate) found: Metadata,
}

/// What stands at `path` below `files`: the file, or the files in a folder. Links in a folder are not followed.
///
/// # Errors
/// Nothing is there, or it cannot be read.
pub(crate) fn leaves(files: &Path, path: &FilePath) -> io::Result<Vec<Leaf>> {
    let place = path.below(files);
    let found = fs::metadata(&place)?;
    if !found.is_dir() {
        return Ok(vec![Leaf { path: path.clone(), place, found }]);
    }
    let mut leaves = Vec::new();
    let mut todo = vec![place];
    while let Some(folder) = todo.pop() {
        // A folder that cannot be read now may be at the next look.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                todo.push(entry.path());
            } else if found.is_file()
                && let Ok(path) = FilePath::relative(&entry.path(), files)
            {
                leaves.push(Leaf { path, place: entry.path(), found });
            }
        }
        if leaves.len() >= MAX_FILES {
            break;
        }
    }
    leaves.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(leaves)
}

/// Whether every link on the way to `path` below `files` leads where `save()` put it: a folder that came from elsewhere
/// must not make us read what it pleases.
pub(crate) fn leads_as_saved(files: &Path, path: &FilePath, saved: &BTreeMap<FilePath, SavedFile>) -> bool {
    let mut place = files.to_owned();
    let mut so_far = String::new();
    path.parts().all(|part| {
        place.push(part);
        so_far = if so_far.is_empty() { part.to_owned() } else { format!("{so_far}/{part}") };
        let Ok(leads_to) = fs::read_link(&place) else { return true };
        let known = so_far.parse().ok().and_then(|path: FilePath| saved.get(&path)?.source.as_deref());
        known.is_some_and(|source| Path::new(source) == leads_to)
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use steplog_model::FilePolicy;

    use super::*;

    #[test]
    fn a_link_is_followed_only_to_where_save_put_it() {
        let folder = tempfile::tempdir().unwrap();
        let (files, outside) = (folder.path().join("files"), folder.path().join("outside"));
        fs::create_dir_all(files.join("plain")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("x"), "x").unwrap();
        symlink(outside.join("x"), files.join("good")).unwrap();
        symlink(outside.join("x"), files.join("stray")).unwrap();
        symlink(outside.join("x"), files.join("moved")).unwrap();
        symlink(&outside, files.join("data")).unwrap();
        symlink(&outside, files.join("other")).unwrap();
        fs::write(files.join("plain/y"), "y").unwrap();
        let save = |path: &str, source: &Path| {
            let path: FilePath = path.parse().unwrap();
            let source = Some(source.display().to_string());
            (path.clone(), SavedFile { time: 1.0, path, policy: FilePolicy::Live, source })
        };
        let saved = BTreeMap::from([
            save("good", &outside.join("x")),
            save("moved", &outside.join("y")),
            save("data", &outside),
            save("other/x", &outside.join("x")),
        ]);
        let leads = |path: &str| leads_as_saved(&files, &path.parse().unwrap(), &saved);
        for path in ["good", "data", "data/x", "plain/y", "missing"] {
            assert!(leads(path), "{path}");
        }
        for path in ["stray", "moved", "other/x"] {
            assert!(!leads(path), "{path}");
        }
    }
}
