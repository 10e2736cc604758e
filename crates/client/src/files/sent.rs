//! A note in the run's folder of what servers have of its files, so that nobody hashes them again. A hint: it may be
//! deleted, and of two processes that write it at once one loses.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use steplog_model::FilePath;

use crate::files::send::Fingerprint;

const NAME: &str = "uploaded-files.json";

/// What one server has.
pub(crate) struct SentFiles {
    path: PathBuf,
    server: String,
    files: BTreeMap<String, Fingerprint>,
    is_changed: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct Note {
    /// By server URL and path.
    servers: BTreeMap<String, BTreeMap<String, Fingerprint>>,
}

impl SentFiles {
    /// The note in a run's folder; empty when there is none that can be read.
    pub(crate) fn load(run: &Path, server: &str) -> Self {
        let path = run.join(NAME);
        let files = read(&path).servers.remove(server).unwrap_or_default();
        Self { path, server: server.into(), files, is_changed: false }
    }

    pub(crate) fn get(&self, path: &FilePath) -> Option<Fingerprint> {
        self.files.get(path.as_str()).copied()
    }

    pub(crate) fn insert(&mut self, path: &FilePath, print: Fingerprint) {
        self.is_changed |= self.files.insert(path.to_string(), print) != Some(print);
    }

    /// Writes what changed. Failure is of no consequence: the server is asked then.
    pub(crate) fn store(&mut self) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        let mut note = read(&self.path);
        note.servers.entry(self.server.clone()).or_default().extend(self.files.clone());
        let temporary = self.path.with_extension(format!("json.{}", std::process::id()));
        let bytes = serde_json::to_vec(&note).expect("a plain map has a JSON form");
        if fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &self.path)).is_err() {
            let _ = fs::remove_file(&temporary);
        }
    }
}

fn read(path: &Path) -> Note {
    fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}
