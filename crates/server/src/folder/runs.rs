//! Where the runs of a folder stand.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use steplog_model::RunPath;

/// The folder that is shown, and in it the folders of each run: one, unless a run was made in several places. The reader
/// fills it.
#[derive(Clone, Debug)]
pub struct RunFolders {
    root: PathBuf,
    runs: Arc<RwLock<HashMap<RunPath, BTreeSet<PathBuf>>>>,
}

impl RunFolders {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, runs: Arc::default() }
    }

    /// The folder that is shown.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folders with the files of a run.
    pub(crate) fn files(&self, run: &RunPath) -> Vec<PathBuf> {
        let runs = self.runs.read().unwrap_or_else(PoisonError::into_inner);
        runs.get(run).into_iter().flatten().map(|folder| folder.join("files")).collect()
    }

    /// Notes the run of a journal.
    pub(super) fn add(&self, run: &RunPath, journal: &Path) {
        if let Some(folder) = journal.parent().and_then(Path::parent) {
            let mut runs = self.runs.write().unwrap_or_else(PoisonError::into_inner);
            runs.entry(run.clone()).or_default().insert(folder.to_owned());
        }
    }

    pub(super) fn remove(&self, run: &RunPath) {
        self.runs.write().unwrap_or_else(PoisonError::into_inner).remove(run);
    }
}
