//! What servers answered to a run's artifacts: `artifacts/<id>.json` in the folder of the run. As long as there is none, the
//! artifact is still to be sent.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use steplog_journal::RunFolder;
use steplog_model::{ArtifactId, ArtifactLink, ContentHash};

use super::ArtifactInfo;
use super::local::write_whole;

/// By server URL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Receipt {
    servers: BTreeMap<String, Answer>,
}

/// What became of an artifact, or of a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// It is this version.
    Committed(Box<ArtifactInfo>),
    /// It will not be one.
    Refused(String),
    /// It was deleted here before it was sent.
    Deleted,
}

/// The receipts of one run.
#[derive(Clone, Debug)]
pub(crate) struct Receipts {
    folder: PathBuf,
}

impl Receipts {
    pub(crate) fn of(run: &RunFolder) -> Self {
        Self { folder: run.path().join("artifacts") }
    }

    /// What a server answered to an artifact.
    pub(crate) fn artifact(&self, id: ArtifactId, server: &str) -> Option<Answer> {
        self.answer(&id.to_string(), server)
    }

    /// Whether nothing is left to do for an artifact.
    pub(crate) fn is_settled(&self, id: ArtifactId, server: &str) -> bool {
        matches!(self.artifact(id, server), Some(Answer::Committed(_) | Answer::Deleted))
    }

    pub(crate) fn note_artifact(&self, id: ArtifactId, server: &str, answer: Answer) -> io::Result<()> {
        self.note(&id.to_string(), server, answer)
    }

    /// What a server answered to a link.
    pub(crate) fn link(&self, link: &ArtifactLink, server: &str) -> Option<Answer> {
        self.answer(&link_name(link), server)
    }

    pub(crate) fn note_link(&self, link: &ArtifactLink, server: &str, answer: Answer) -> io::Result<()> {
        self.note(&link_name(link), server, answer)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    fn load(&self, name: &str) -> Option<Receipt> {
        serde_json::from_slice(&fs::read(self.path(name)).ok()?).ok()
    }

    fn answer(&self, name: &str, server: &str) -> Option<Answer> {
        self.load(name)?.servers.remove(server)
    }

    fn note(&self, name: &str, server: &str, answer: Answer) -> io::Result<()> {
        let mut receipt = self.load(name).unwrap_or_default();
        receipt.servers.insert(server.to_owned(), answer);
        write_whole(&self.path(name), |file| Ok(serde_json::to_writer(file, &receipt)?))
    }
}

/// A link has no id: it is known by what it says.
fn link_name(link: &ArtifactLink) -> String {
    let json = serde_json::to_vec(link).expect("plain data has a JSON form");
    let hash = ContentHash::from_bytes(Sha256::digest(json).into()).to_string();
    format!("link-{}", &hash[..32])
}
