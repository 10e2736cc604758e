//! What is kept beside a journal: a lock as long as its process lives, and a note of what servers have.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

const LOCK: &str = "lock";
const UPLOADED: &str = "uploaded.json";
const SENDER: &str = "sender";

/// Held by the process that writes a journal; the operating system lets go of it however that process ends.
#[derive(Debug)]
pub(crate) struct JournalLock {
    _file: File,
}

impl JournalLock {
    /// Takes the lock; `None` while another process has it, or where locks do not work.
    pub(crate) fn try_take(journal: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).truncate(false).write(true).open(journal.join(LOCK))?;
        Ok(file.try_lock().is_ok().then_some(Self { _file: file }))
    }
}

/// Held by the process that sends a run in the background; the file says which that is.
#[derive(Debug)]
pub(crate) struct SenderLock {
    _file: File,
}

impl SenderLock {
    /// Takes the lock of a run's folder; `None` while another process has it.
    pub(crate) fn try_take(run: &Path) -> io::Result<Option<Self>> {
        let mut file = File::options().create(true).truncate(false).write(true).open(run.join(SENDER))?;
        if file.try_lock().is_err() {
            return Ok(None);
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(Some(Self { _file: file }))
    }

    /// The process that has the lock.
    pub(crate) fn holder(run: &Path) -> Option<u32> {
        let path = run.join(SENDER);
        let is_free = File::options().write(true).open(&path).ok()?.try_lock().is_ok();
        if is_free { None } else { fs::read_to_string(path).ok()?.trim().parse().ok() }
    }
}

/// How far servers have a journal. A hint that saves asking; the servers know better.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Uploaded {
    /// By server URL.
    #[serde(default)]
    pub(crate) servers: BTreeMap<String, UploadedTo>,
}

/// How far one server has a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UploadedTo {
    /// Every byte below is durable there.
    pub(crate) offset: u64,
    /// Whether the journal has ended and the server has all of it.
    pub(crate) complete: bool,
    /// Whether files that the journal names are still to be sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) files_pending: bool,
    /// Whether artifacts that the journal names are still to be sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) artifacts_pending: bool,
}

impl Uploaded {
    /// The note beside a journal; empty when there is none that can be read.
    pub(crate) fn load(journal: &Path) -> Self {
        fs::read(journal.join(UPLOADED)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Notes how far a server has the journal. Failure is of no consequence: the server is asked then.
    pub(crate) fn note(journal: &Path, server: &str, to: UploadedTo) {
        let mut uploaded = Self::load(journal);
        if uploaded.servers.insert(server.to_owned(), to) == Some(to) {
            return;
        }
        let temporary = journal.join(format!("{UPLOADED}.{}", std::process::id()));
        let bytes = serde_json::to_vec(&uploaded).expect("a plain map has a JSON form");
        if fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, journal.join(UPLOADED))).is_err() {
            let _ = fs::remove_file(&temporary);
        }
    }

    /// Changes what is noted of a server beside some journals, where anything is.
    pub(crate) fn change(
        journals: impl IntoIterator<Item = PathBuf>,
        server: &str,
        change: impl Fn(UploadedTo) -> UploadedTo,
    ) {
        for journal in journals {
            if let Some(to) = Self::load(&journal).servers.get(server) {
                Self::note(&journal, server, change(*to));
            }
        }
    }

    pub(crate) fn is_complete(&self, server: &str) -> bool {
        self.servers.get(server).is_some_and(|to| to.complete && !to.files_pending && !to.artifacts_pending)
    }
}
