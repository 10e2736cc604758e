//! The files that a saved path stands for: itself, or everything in a folder.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use steplog_model::FilePath;

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
