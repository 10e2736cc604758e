//! Writing below a folder without ever leaving it.
//!
//! Folders are held open and everything in them is named by its last part alone, so that a link that somebody puts there,
//! even meanwhile, leads nowhere.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
pub(super) use system::Folder;

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// A link, or something that is neither file nor folder.
    Other,
}

/// A file below a folder that has not got its name yet. Removed when dropped.
pub(crate) struct Temporary<'a> {
    pub(crate) file: File,
    folder: &'a Folder,
    name: OsString,
    is_kept: bool,
}

impl Temporary<'_> {
    /// Gives it a name, in place of what has it.
    pub(crate) fn keep(mut self, name: &OsStr) -> io::Result<()> {
        self.folder.rename(&self.name, name)?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            // Nobody can be told, and nobody takes it for the file.
            let _ = self.folder.remove(&self.name);
        }
    }
}

/// A name that nobody else uses now. It is not made from another one, which may be as long as a name can be.
fn temporary_name() -> OsString {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(".steplog-{}-{count}.part", std::process::id()).into()
}

impl Folder {
    /// An empty file that is to become the one with a name. What a killed process left of it is taken over, so that nothing
    /// stays behind for ever.
    pub(crate) fn begin(&self, name: &OsStr) -> io::Result<Temporary<'_>> {
        let hash = Sha256::digest(name.as_encoded_bytes());
        let hash = hash.iter().take(8).fold(0, |hash: u64, byte| hash << 8 | u64::from(*byte));
        let own = OsString::from(format!(".steplog-{hash:016x}.part"));
        let file = self.open_to_write(&own)?;
        // Somebody else may be writing the same file, or may just have given it its name.
        if file.try_lock().is_err() || !self.is_at(&file, &own) {
            return self.temporary();
        }
        file.set_len(0)?;
        Ok(Temporary { file, folder: self, name: own, is_kept: false })
    }

    /// An empty file to write.
    fn temporary(&self) -> io::Result<Temporary<'_>> {
        loop {
            let name = temporary_name();
            match self.create_new(&name) {
                Ok(file) => return Ok(Temporary { file, folder: self, name, is_kept: false }),
                // Of a process that was killed and had the same id.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the file at a path a second name here, in place of what has it.
    pub(crate) fn link(&self, from: &Path, name: &OsStr) -> io::Result<()> {
        match self.link_new(from, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done,
        }
        let other = loop {
            let other = temporary_name();
            match self.link_new(from, &other) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                done => break done.map(|()| other)?,
            }
        };
        let renamed = self.rename(&other, name);
        // It is still there after a failure, and where both names were of one file already.
        let _ = self.remove(&other);
        renamed
    }

    /// The folder of a path below, made where it is missing, and the last part of the path.
    pub(crate) fn folder_of(&self, parts: &[&str]) -> io::Result<Option<Self>> {
        let mut found: Option<Self> = None;
        for part in parts {
            found = Some(found.as_ref().unwrap_or(self).make_child(OsStr::new(part))?);
        }
        Ok(found)
    }

    /// Whether names that differ in upper and lower case only are one name here.
    pub(crate) fn folds_case(&self) -> io::Result<bool> {
        // Under a name that the next look takes over, should this process be killed now.
        let probe = self.begin(OsStr::new("probe"))?;
        let upper = probe.name.to_string_lossy().to_uppercase();
        Ok(self.kind(OsStr::new(&upper))?.is_some())
    }

    /// Removes what has a name, with all below it; links are not followed.
    pub(crate) fn remove_all(&self, name: &OsStr) -> io::Result<()> {
        if self.kind(name)? == Some(Kind::Folder)
            && let Some(child) = self.child(name)?
        {
            for name in child.names()? {
                child.remove_all(&name)?;
            }
            return self.remove_folder(name);
        }
        self.remove(name)
    }

    /// Where something in it is, for messages.
    pub(crate) fn place(&self, name: &OsStr) -> PathBuf {
        self.path().join(name)
    }
}

#[cfg(unix)]
mod system {
    use std::ffi::{OsStr, OsString};
    use std::fs::{self, File};
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};

    use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};

    use super::Kind;

    /// A folder that is held open.
    #[derive(Debug)]
    pub(crate) struct Folder {
        handle: OwnedFd,
        path: PathBuf,
    }

    const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::CLOEXEC);
    const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

    impl Folder {
        /// Opens a folder that somebody named, links in its path followed; makes it where it is missing.
        pub(crate) fn make(path: &Path) -> io::Result<Self> {
            fs::create_dir_all(path)?;
            Self::open(path)
        }

        /// Opens a folder that somebody named.
        pub(crate) fn open(path: &Path) -> io::Result<Self> {
            Ok(Self { handle: rustix::fs::open(path, FOLDER, Mode::empty())?, path: path.to_owned() })
        }

        pub(crate) fn path(&self) -> &Path {
            &self.path
        }

        /// The folder with a name, which is no link; `None` where there is nothing.
        pub(crate) fn child(&self, name: &OsStr) -> io::Result<Option<Self>> {
            match rustix::fs::openat(&self.handle, name, FOLDER.union(OFlags::NOFOLLOW), Mode::empty()) {
                Ok(handle) => Ok(Some(Self { handle, path: self.path.join(name) })),
                Err(rustix::io::Errno::NOENT) => Ok(None),
                // Systems do not agree on what a link is here.
                Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR | rustix::io::Errno::MLINK) => {
                    Err(io::Error::new(io::ErrorKind::NotADirectory, "it is a link or a file, not a folder"))
                }
                Err(error) => Err(error.into()),
            }
        }

        pub(crate) fn make_child(&self, name: &OsStr) -> io::Result<Self> {
            loop {
                if let Some(child) = self.child(name)? {
                    return Ok(child);
                }
                match rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }

        /// What stands under a name; links are not followed.
        pub(crate) fn kind(&self, name: &OsStr) -> io::Result<Option<Kind>> {
            match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => Ok(Some(match FileType::from_raw_mode(found.st_mode) {
                    FileType::RegularFile => Kind::File,
                    FileType::Directory => Kind::Folder,
                    _ => Kind::Other,
                })),
                Err(rustix::io::Errno::NOENT) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }

        /// Opens a plain file to read it; no link is followed.
        pub(crate) fn open_file(&self, name: &OsStr) -> io::Result<File> {
            let file = File::from(rustix::fs::openat(&self.handle, name, FILE.union(OFlags::RDONLY), Mode::empty())?);
            if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a plain file")) }
        }

        /// Opens a plain file to go on writing it, made where it is missing; no link is followed, and one that has another
        /// name somewhere is left alone and replaced.
        pub(crate) fn open_to_write(&self, name: &OsStr) -> io::Result<File> {
            let flags = FILE.union(OFlags::RDWR).union(OFlags::CREATE);
            let file = File::from(rustix::fs::openat(&self.handle, name, flags, Mode::from_raw_mode(0o666))?);
            match file.metadata()? {
                found if !found.is_file() => Err(io::Error::other("it is not a plain file")),
                found if found.nlink() > 1 => {
                    self.remove(name)?;
                    self.create_new(name)
                }
                _ => Ok(file),
            }
        }

        /// Whether an open file is what has a name now.
        pub(crate) fn is_at(&self, file: &File, name: &OsStr) -> bool {
            let there = rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW);
            let (Ok(there), Ok(held)) = (there, rustix::fs::fstat(file)) else { return false };
            (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)
        }

        pub(crate) fn create_new(&self, name: &OsStr) -> io::Result<File> {
            let flags = FILE.union(OFlags::RDWR).union(OFlags::CREATE).union(OFlags::EXCL);
            Ok(rustix::fs::openat(&self.handle, name, flags, Mode::from_raw_mode(0o666))?.into())
        }

        pub(super) fn link_new(&self, from: &Path, name: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::linkat(CWD, from, &self.handle, name, AtFlags::empty())?)
        }

        pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::renameat(&self.handle, from, &self.handle, to)?)
        }

        pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())?)
        }

        pub(crate) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::REMOVEDIR)?)
        }

        /// The names in it, in order.
        pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
            let mut names = Vec::new();
            for entry in Dir::read_from(&self.handle)? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if !matches!(name, b"." | b"..") {
                    names.push(OsStr::from_bytes(name).to_owned());
                }
            }
            names.sort();
            Ok(names)
        }
    }
}

/// Where folders cannot be named by their handles, links are looked for right before they would be followed.
#[cfg(not(unix))]
mod system {
    use std::ffi::{OsStr, OsString};
    use std::fs::{self, File};
    use std::io;
    use std::path::{Path, PathBuf};

    use super::Kind;

    /// A folder.
    #[derive(Debug)]
    pub(crate) struct Folder {
        path: PathBuf,
    }

    impl Folder {
        /// Opens a folder that somebody named, links in its path followed; makes it where it is missing.
        pub(crate) fn make(path: &Path) -> io::Result<Self> {
            fs::create_dir_all(path)?;
            Self::open(path)
        }

        /// Opens a folder that somebody named.
        pub(crate) fn open(path: &Path) -> io::Result<Self> {
            let path = path.canonicalize()?;
            if path.is_dir() { Ok(Self { path }) } else { Err(io::ErrorKind::NotADirectory.into()) }
        }

        pub(crate) fn path(&self) -> &Path {
            &self.path
        }

        /// A name that is one part, and no drive, stream or device.
        fn at(&self, name: &OsStr) -> io::Result<PathBuf> {
            let text = name.to_string_lossy();
            let stem = text.split('.').next().unwrap_or_default().to_uppercase();
            let is_device = matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL")
                || (stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")));
            if text.contains([':', '/', '\\', '<', '>', '"', '|', '?', '*']) || text.ends_with(['.', ' ']) || is_device
            {
                return Err(io::Error::new(io::ErrorKind::InvalidFilename, "this system allows no such name"));
            }
            Ok(self.path.join(name))
        }

        /// The folder with a name, which is no link; `None` where there is nothing.
        pub(crate) fn child(&self, name: &OsStr) -> io::Result<Option<Self>> {
            match self.kind(name)? {
                None => Ok(None),
                Some(Kind::Folder) => Ok(Some(Self { path: self.at(name)? })),
                Some(_) => Err(io::Error::new(io::ErrorKind::NotADirectory, "it is a link or a file, not a folder")),
            }
        }

        pub(crate) fn make_child(&self, name: &OsStr) -> io::Result<Self> {
            loop {
                if let Some(child) = self.child(name)? {
                    return Ok(child);
                }
                match fs::create_dir(self.at(name)?) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    _ => {}
                }
            }
        }

        /// What stands under a name; links are not followed.
        pub(crate) fn kind(&self, name: &OsStr) -> io::Result<Option<Kind>> {
            match fs::symlink_metadata(self.at(name)?) {
                Ok(found) if found.is_file() => Ok(Some(Kind::File)),
                Ok(found) if found.is_dir() => Ok(Some(Kind::Folder)),
                Ok(_) => Ok(Some(Kind::Other)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        }

        /// Opens a plain file to read it; no link is followed.
        pub(crate) fn open_file(&self, name: &OsStr) -> io::Result<File> {
            match self.kind(name)? {
                None => Err(io::ErrorKind::NotFound.into()),
                Some(Kind::File) => File::open(self.at(name)?),
                Some(_) => Err(io::Error::other("it is not a plain file")),
            }
        }

        /// Opens a plain file to go on writing it, made where it is missing; no link is followed.
        pub(crate) fn open_to_write(&self, name: &OsStr) -> io::Result<File> {
            match self.kind(name)? {
                None | Some(Kind::File) => {
                    File::options().read(true).write(true).create(true).truncate(false).open(self.at(name)?)
                }
                Some(_) => Err(io::Error::other("it is not a plain file")),
            }
        }

        /// Whether an open file is what has a name now: a file that is open here is neither renamed nor removed.
        pub(crate) fn is_at(&self, _: &File, name: &OsStr) -> bool {
            matches!(self.kind(name), Ok(Some(Kind::File)))
        }

        pub(crate) fn create_new(&self, name: &OsStr) -> io::Result<File> {
            File::options().read(true).write(true).create_new(true).open(self.at(name)?)
        }

        pub(super) fn link_new(&self, from: &Path, name: &OsStr) -> io::Result<()> {
            fs::hard_link(from, self.at(name)?)
        }

        pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            fs::rename(self.at(from)?, self.at(to)?)
        }

        pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
            fs::remove_file(self.path.join(name))
        }

        pub(crate) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
            fs::remove_dir(self.path.join(name))
        }

        /// The names in it, in order.
        pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
            let mut names =
                fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
            names.sort();
            Ok(names)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn name(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    #[test]
    fn no_link_is_followed() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("victim"), "as it was").unwrap();
        let inside = tempfile::tempdir().unwrap();
        symlink(outside.path(), inside.path().join("folder")).unwrap();
        symlink(outside.path().join("victim"), inside.path().join("file")).unwrap();
        let folder = Folder::make(inside.path()).unwrap();
        for refused in [folder.make_child(name("folder")).map(drop), folder.child(name("folder")).map(drop)] {
            assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::NotADirectory);
        }
        assert!(folder.open_file(name("file")).is_err() && folder.open_to_write(name("file")).is_err());
        assert_eq!(folder.kind(name("file")).unwrap(), Some(Kind::Other));
        folder.begin(name("file")).unwrap().keep(name("file")).unwrap();
        folder.remove_all(name("folder")).unwrap();
        assert_eq!(folder.names().unwrap(), ["file"]);
        assert_eq!(fs::read_to_string(outside.path().join("victim")).unwrap(), "as it was");
    }

    #[test]
    fn what_a_killed_process_left_is_taken_over_and_nobody_elses_file_is_written_to() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::make(place.path()).unwrap();
        let mut left = folder.begin(name("a")).unwrap();
        io::Write::write_all(&mut left.file, b"half").unwrap();
        let second = folder.begin(name("a")).unwrap();
        assert_eq!(folder.names().unwrap().len(), 2);
        drop(second);
        let own = left.name.clone();
        // As if it had been killed.
        left.is_kept = true;
        drop(left);
        let victim = place.path().join("victim");
        fs::write(&victim, "as it was").unwrap();
        let begun = folder.begin(name("a")).unwrap();
        assert_eq!((&begun.name, begun.file.metadata().unwrap().len()), (&own, 0));
        begun.keep(name("a")).unwrap();
        fs::hard_link(&victim, place.path().join(&own)).unwrap();
        folder.begin(name("a")).unwrap().keep(name("a")).unwrap();
        assert_eq!(folder.names().unwrap(), ["a", "victim"]);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "as it was");
    }

    #[test]
    fn a_link_takes_the_place_of_what_is_there() {
        let place = tempfile::tempdir().unwrap();
        let source = place.path().join("source");
        fs::write(&source, "x").unwrap();
        let folder = Folder::make(&place.path().join("in")).unwrap();
        for _ in 0..2 {
            folder.link(&source, name("a")).unwrap();
        }
        fs::write(place.path().join("in/b"), "old").unwrap();
        folder.link(&source, name("b")).unwrap();
        assert_eq!(folder.names().unwrap(), ["a", "b"]);
        assert_eq!(fs::read_to_string(place.path().join("in/b")).unwrap(), "x");
        assert!(!folder.folds_case().unwrap());
        assert_eq!(folder.names().unwrap(), ["a", "b"]);
    }
}
