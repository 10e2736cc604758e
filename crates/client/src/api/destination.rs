//! Where a file of a server is written: never outside its folder, and under its name only when it is whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use steplog_model::FilePath;

use crate::error::{Error, ErrorKind};

/// What becomes of a file that stands where another one is downloaded to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExistingFile {
    /// It stays, and the download is an error.
    #[default]
    Refuse,
    /// It stays, and is taken for what was asked for.
    Keep,
    /// The download takes its place, in one step.
    Replace,
}

/// A file that may come to stand in a folder, with that folder made.
#[derive(Debug)]
pub(super) struct Destination {
    target: PathBuf,
    folder: PathBuf,
}

/// A file under another name until it is whole; gone when it never is.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    path: PathBuf,
    is_kept: bool,
}

impl Destination {
    /// The place of a file below `root`. Folders that are missing are made.
    ///
    /// # Errors
    /// A link below `root` leads out of it, a folder has the name of the file, or a folder cannot be made.
    pub(super) fn below(root: &Path, path: &FilePath) -> Result<Self, Error> {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let cannot_make = |folder: &Path, error| Error::io(error, format_args!("cannot make {}", folder.display()));
        fs::create_dir_all(root).map_err(|error| cannot_make(root, error))?;
        let real_root = root.canonicalize().map_err(|error| cannot_make(root, error))?;
        let target = path.below(root);
        // One folder after the other, so that none is made behind a link that leads elsewhere.
        let mut folder = root.to_owned();
        for part in path.parts().take(path.parts().count() - 1) {
            folder.push(part);
            if let Err(error) = fs::create_dir(&folder)
                && error.kind() != io::ErrorKind::AlreadyExists
            {
                return Err(cannot_make(&folder, error));
            }
            let real = folder.canonicalize().map_err(|error| cannot_make(&folder, error))?;
            if !real.starts_with(&real_root) {
                let message = "leads out of the folder that was named: name the folder where the link leads to";
                return Err(Error::invalid(format_args!("{} {message}", folder.display())));
            }
        }
        if fs::symlink_metadata(&target).is_ok_and(|found| found.is_dir()) {
            let message = format!("{} is a folder, and the file would stand there", target.display());
            return Err(Error::new(ErrorKind::IsADirectory, message));
        }
        Ok(Self { target, folder })
    }

    /// Whether something stands there; a link too, wherever it leads.
    pub(super) fn is_taken(&self) -> bool {
        fs::symlink_metadata(&self.target).is_ok()
    }

    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    pub(super) fn into_target(self) -> PathBuf {
        self.target
    }

    /// An empty file beside the target.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn begin(&self) -> Result<Part, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            // Not made from the name of the target, which may be as long as a name can be.
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = self.folder.join(format!(".steplog-{}-{count}.part", std::process::id()));
            match File::create_new(&path) {
                Ok(file) => return Ok(Part { file, path, is_kept: false }),
                // Of a process that was killed and had the same id.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io(error, format_args!("cannot write {}", self.target.display()))),
            }
        }
    }
}

impl Part {
    pub(super) fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)
    }

    /// Gives it the name of the target, in place of a file that has it.
    ///
    /// # Errors
    /// The operating system refuses; then the target is as it was.
    pub(super) fn finish(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_kept {
            // Nobody can be told, and nobody takes it for the file.
            drop(fs::remove_file(&self.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_stands_below_its_folder_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("new/root");
        let destination = Destination::below(&root, &"a/b/ü #?.bin".parse().unwrap()).unwrap();
        assert_eq!(destination.target(), root.join("a/b/ü #?.bin"));
        assert!(!destination.is_taken());

        let mut part = destination.begin().unwrap();
        part.write(b"half").unwrap();
        assert_eq!(names(&root.join("a/b")).len(), 1);
        drop(part);
        assert_eq!(names(&root.join("a/b")), [""; 0]);

        for content in ["first", "second"] {
            let mut part = destination.begin().unwrap();
            part.write(content.as_bytes()).unwrap();
            part.finish(destination.target()).unwrap();
            assert_eq!(names(&root.join("a/b")), ["ü #?.bin"]);
            assert_eq!(fs::read_to_string(destination.target()).unwrap(), content);
        }
        assert!(destination.is_taken());
    }

    #[test]
    fn the_longest_name_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let name = "n".repeat(255);
        let destination = Destination::below(folder.path(), &name.parse().unwrap()).unwrap();
        destination.begin().unwrap().finish(destination.target()).unwrap();
        assert_eq!(names(folder.path()), [name]);
    }

    #[test]
    fn no_link_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
        fs::create_dir_all(root.join("inside")).unwrap();
        fs::create_dir(&outside).unwrap();
        symlink(&outside, root.join("out")).unwrap();
        symlink("inside", root.join("in")).unwrap();
        fs::write(outside.join("victim"), "as it was").unwrap();
        symlink(outside.join("victim"), root.join("file")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();

        for path in ["out/x", "out/deep/er/x"] {
            let error = Destination::below(&root, &path.parse().unwrap()).unwrap_err();
            let expected = format!(
                "{} leads out of the folder that was named: name the folder where the link leads to",
                root.join("out").display()
            );
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Invalid, expected));
        }
        assert_eq!(Destination::below(&root, &"in/x".parse().unwrap()).unwrap().target(), root.join("in/x"));
        assert!(Destination::below(&root, &"dangling".parse().unwrap()).unwrap().is_taken());
        assert_eq!(Destination::below(&root, &"dangling/x".parse().unwrap()).unwrap_err().kind(), ErrorKind::Io);
        // The link is replaced, not what it leads to.
        let destination = Destination::below(&root, &"file".parse().unwrap()).unwrap();
        assert!(destination.is_taken());
        destination.begin().unwrap().finish(destination.target()).unwrap();
        assert_eq!(fs::read_to_string(root.join("file")).unwrap(), "");
        assert_eq!(names(&outside), ["victim"]);
        assert_eq!(fs::read_to_string(outside.join("victim")).unwrap(), "as it was");
    }

    #[test]
    fn a_folder_or_a_file_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("taken")).unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = Destination::below(folder.path(), &"taken".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IsADirectory);
        let destination = Destination::below(folder.path(), &"file/x".parse().unwrap()).unwrap();
        let error = destination.begin().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        let expected = format!("cannot write {}: ", folder.path().join("file/x").display());
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}
