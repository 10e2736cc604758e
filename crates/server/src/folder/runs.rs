//! Where the runs of a folder stand.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use steplog_model::RunPath;

use super::artifacts::ArtifactFolders;

/// The folder that is shown, and in it the folders of each run: one, unless a run was made in several places. And those of
/// artifacts. The reader fills it.
#[derive(Clone, Debug)]
pub struct RunFolders {
    root: PathBuf,
    runs: Arc<RwLock<HashMap<RunPath, BTreeSet<PathBuf>>>>,
    artifacts: ArtifactFolders,
}

impl RunFolders {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, runs: Arc::default(), artifacts: ArtifactFolders::default() }
    }

    /// The folder that is shown.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where artifacts are kept.
    pub(crate) fn artifacts(&self) -> &ArtifactFolders {
        &self.artifacts
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
