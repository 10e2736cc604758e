//! Files that steplog itself puts among those of a run.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use steplog_model::{FilePath, FilePolicy, Record, SavedFile};

use crate::files::FileUploader;
use crate::run::{Active, lock, now};

/// How a file of ours begins: what stands there otherwise is the script's, and is left alone.
const SIGN: &str = "# written by steplog; secrets are replaced by [redacted]\n";

/// What such files are called.
pub(crate) const REQUIREMENTS: &str = "requirements.txt";
pub(crate) const PATCH: &str = "diff.patch";
const NAMES: [&str; 2] = [REQUIREMENTS, PATCH];

/// Puts files to a run, as long as it goes on.
pub(crate) struct Keeper {
    /// The run's folder for files.
    folder: PathBuf,
    active: Arc<Active>,
    /// `None` unless the run is online.
    uploader: Option<FileUploader>,
}

impl Keeper {
    pub(crate) fn new(folder: PathBuf, active: Arc<Active>, uploader: Option<FileUploader>) -> Self {
        Self { folder, active, uploader }
    }

    /// Keeps a text under a name. Trouble with it is no trouble of the run: the text is then not kept.
    pub(crate) fn keep(&self, name: &str, text: &str) {
        let target = self.folder.join(name);
        let Ok(path) = FilePath::try_from(name.to_owned()) else { return };
        if lock(&self.active.state).finished || place(&target, text).is_err() {
            return;
        }
        let file = SavedFile { time: now(), path, policy: FilePolicy::Now, source: None };
        let mut state = lock(&self.active.state);
        let is_kept = !state.finished && state.append(&Record::File(file.clone())).is_ok();
        drop(state);
        match &self.uploader {
            _ if !is_kept => drop(fs::remove_file(&target)),
            Some(uploader) => uploader.add(&[file]),
            None => {}
        }
    }
}

/// Writes a file as a whole, where none stands or one of ours.
fn place(target: &Path, text: &str) -> std::io::Result<()> {
    let temporary = target.with_file_name(format!(".steplog-{}-own", std::process::id()));
    let placed = fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(SIGN.as_bytes())?;
        file.write_all(text.as_bytes())?;
        drop(file);
        if is_kept(target) { fs::rename(&temporary, target) } else { fs::hard_link(&temporary, target) }
    });
    // After the renaming there is none.
    let _ = fs::remove_file(&temporary);
    placed
}

/// Whether a file is one that steplog itself put to a run.
pub(crate) fn is_kept(path: &Path) -> bool {
    let has_name = path.file_name().is_some_and(|name| NAMES.iter().any(|own| name == *own));
    let is_file = has_name && fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let mut begin = [0; SIGN.len()];
    is_file && fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok() && begin == SIGN.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_of_ours_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (target, other) = (folder.path().join("requirements.txt"), folder.path().join("other"));
        place(&target, "a==1\n").unwrap();
        place(&target, "a==2\n").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), format!("{SIGN}a==2\n"));
        fs::write(&target, "of the script").unwrap();
        assert!(place(&target, "a==3\n").is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "of the script");
        #[cfg(unix)]
        {
            fs::write(&other, SIGN).unwrap();
            fs::remove_file(&target).unwrap();
            std::os::unix::fs::symlink(&other, &target).unwrap();
            assert!(place(&target, "a==4\n").is_err());
            assert_eq!(fs::read_to_string(&other).unwrap(), SIGN);
        }
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name == "requirements.txt" || name == "other"), "{left:?}");
    }
}
