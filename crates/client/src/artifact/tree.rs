//! The files in a folder, links followed.

use std::fs;
use std::path::{Path, PathBuf};

use steplog_model::{FilePath, MAX_MANIFEST_ENTRIES};

use crate::error::Error;

/// A file of a folder: where it is, and what it is called in the artifact.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) place: PathBuf,
    pub(crate) path: FilePath,
    pub(crate) size_bytes: u64,
}

/// All files at and below a folder, hidden ones too, by their place. Links are followed.
///
/// # Errors
/// A link leads back to a folder that it is in or to nothing, something is neither file nor folder, cannot be read or has a
/// name that no file of an artifact may have.
pub(crate) fn leaves(folder: &Path, below: Option<&FilePath>) -> Result<Vec<Leaf>, Error> {
    let mut walk = Walk { leaves: Vec::new(), above: Vec::new() };
    walk.folder(folder, below.map(FilePath::as_str).unwrap_or_default())?;
    Ok(walk.leaves)
}

struct Walk {
    leaves: Vec<Leaf>,
    /// The folders that are being walked through, as they can be recognised, and where they are.
    above: Vec<(Identity, PathBuf)>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), Error> {
        let failed = |error| Error::io(error, format_args!("cannot read the folder {}", folder.display()));
        let identity = identity(folder).map_err(failed)?;
        if let Some((_, above)) = self.above.iter().find(|(other, _)| *other == identity) {
            return Err(Error::invalid(format_args!(
                "{} leads back to {}, which it is in; remove that link, or add the folders below one by one",
                folder.display(),
                above.display()
            )));
        }
        self.above.push((identity, folder.to_owned()));
        let mut places = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            places.push(entry.map_err(failed)?.path());
        }
        places.sort();
        for place in places {
            self.entry(place, prefix)?;
        }
        self.above.pop();
        Ok(())
    }

    fn entry(&mut self, place: PathBuf, prefix: &str) -> Result<(), Error> {
        let name = place.file_name().unwrap_or_default();
        let name = name.to_str().ok_or_else(|| {
            Error::invalid(format_args!("the name of {} is not UTF-8; rename it, or leave it out", place.display()))
        })?;
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let found = fs::metadata(&place).map_err(|error| match fs::read_link(&place) {
            Ok(target) if error.kind() == std::io::ErrorKind::NotFound => Error::invalid(format_args!(
                "{} is a link to {}, which is not there; remove it, or leave it out",
                place.display(),
                target.display()
            )),
            _ => Error::io(error, format_args!("cannot read {}", place.display())),
        })?;
        if found.is_dir() {
            return self.folder(&place, &path);
        }
        if !found.is_file() {
            return Err(Error::invalid(format_args!(
                "{} is neither a file nor a folder; remove it, or leave it out",
                place.display()
            )));
        }
        if self.leaves.len() >= MAX_MANIFEST_ENTRIES {
            return Err(Error::invalid(format_args!("there are more than {MAX_MANIFEST_ENTRIES} files")));
        }
        let path = path
            .try_into()
            .map_err(|error| Error::invalid(format_args!("cannot add {}: {error}; rename it", place.display())))?;
        self.leaves.push(Leaf { place, path, size_bytes: found.len() });
        Ok(())
    }
}

#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(folder: &Path) -> std::io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;

    fs::metadata(folder).map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
type Identity = PathBuf;

#[cfg(not(unix))]
fn identity(folder: &Path) -> std::io::Result<Identity> {
    fs::canonicalize(folder)
}
