//! What bytes of files need of the file system beyond `std`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use steplog_model::ContentHash;
use steplog_protocol::ErrorKind;

use crate::Error;

/// The hash of a file's content, read in small pieces.
pub(crate) fn hash_file(file: &mut File) -> io::Result<ContentHash> {
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(ContentHash::from_bytes(hasher.finalize().into())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// The hash of bytes.
pub(super) fn hash_bytes(bytes: &[u8]) -> ContentHash {
    ContentHash::from_bytes(Sha256::digest(bytes).into())
}

/// The files and folders in a folder; none when it is not there.
pub(super) fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// What a client is told when the disk refuses.
pub(super) fn refused(error: &io::Error, path: &Path) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let hint = if full { "make room on the server; clients go on by themselves" } else { "check the server's disk" };
    Error::new(ErrorKind::Unavailable, format!("cannot write {}: {error}", path.display())).with_hint(hint)
}

/// Makes new names in a folder survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Error> {
    if cfg!(windows) {
        // Its file systems keep names in a journal of their own, and folders cannot be opened.
        return Ok(());
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| refused(&error, folder))
}

/// A file system, all of which can be made durable at once: what many small files need, each of which would be waited for
/// by itself. Opened before something is written, so that it hears of what fails since.
pub(super) struct FileSystem(#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux can"))] File);

impl FileSystem {
    /// The file system of a folder; `None` where only files can be made durable.
    pub(super) fn of(folder: &Path) -> Option<Self> {
        if cfg!(target_os = "linux") { File::open(folder).ok().map(Self) } else { None }
    }

    /// Returns when all that was written to it is on the disk.
    #[cfg(target_os = "linux")]
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.0)?)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(unix)]
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
pub(super) fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// Whether an open file is the one that stands at a path.
#[cfg(unix)]
pub(super) fn stands_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
    file.metadata().is_ok_and(|open| std::fs::metadata(path).is_ok_and(|found| identity(found) == identity(open)))
}

#[cfg(not(unix))]
pub(super) fn stands_at(_: &File, path: &Path) -> bool {
    path.exists()
}
