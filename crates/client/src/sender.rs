//! Sending a run from a process of its own, after the one that wrote it has ended.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use steplog_journal::{JournalReader, RunFolder};
use steplog_model::{Entity, RunStart};

use crate::error::{Error, ErrorKind};
use crate::local::{JournalLock, SenderLock, Uploaded};
use crate::settings::{Resolved, Settings};
use crate::source::Sources;
use crate::sync::{SyncReport, sync_run};
use crate::transport::Http;
use crate::{artifact, files};

/// Between two tries when the server does not answer.
const RETRY: Duration = Duration::from_secs(2);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// How often the lock of a run is tried, and how long between two tries.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Starts `command` with the run's folder as one more argument, in the background and apart from the terminal.
pub(crate) fn spawn(command: &[OsString], folder: &RunFolder, settings: &Resolved) -> Result<(), Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::invalid("the command that sends a run is empty"));
    };
    let mut sender = Command::new(program);
    sender
        .args(arguments)
        .arg(folder.path())
        .env("STEPLOG_BASE_URL", &settings.base_url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(key) = &settings.api_key {
        // Not as an argument: those can be seen by everybody.
        sender.env("STEPLOG_API_KEY", key);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut sender, 0);
    let child =
        sender.spawn().map_err(|error| Error::io(error, format_args!("cannot start {}", program.to_string_lossy())))?;
    // It outlives this process; nobody waits for it.
    drop(child);
    Ok(())
}

/// Sends a run until the server has all of it, for as long as `patience` while the server does not answer. Somebody who
/// is at it already is left alone: the report is empty then.
///
/// # Errors
/// A setting is not allowed, the server refuses us, or it did not answer for too long.
pub fn send_patiently(folder: &RunFolder, settings: &Settings, patience: Duration) -> Result<SyncReport, Error> {
    let settings = settings.resolve(&Sources::default())?;
    let Some(_lock) = take_lock(folder).map_err(|error| Error::io(error, folder.path().display()))? else {
        return Ok(SyncReport::default());
    };
    let http = Http::new(&settings.base_url, settings.api_key.as_deref());
    let entity: Entity = settings.default_entity.as_deref().unwrap_or("local").parse()?;
    let (mut silent_since, mut pause) = (Instant::now(), RETRY);
    loop {
        let mut progress = false;
        match sync_run(folder, &settings.base_url, &http, &entity, |_| progress = true) {
            Ok(report) => return Ok(report),
            Err(error) => {
                if progress {
                    (silent_since, pause) = (Instant::now(), RETRY);
                }
                if silent_since.elapsed() >= patience {
                    return Err(error);
                }
            }
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_RETRY);
    }
}

/// The right to send a run, unless another process has it. One that only looks whether somebody has it holds the lock for
/// a moment itself, so a second look is taken.
fn take_lock(folder: &RunFolder) -> std::io::Result<Option<SenderLock>> {
    for _ in 0..LOOKS {
        if let Some(lock) = SenderLock::try_take(folder.path())? {
            return Ok(Some(lock));
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    Ok(None)
}

/// A run in a folder: whether somebody writes or sends it, and what a server is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocalRun {
    /// Project.
    pub project: String,
    /// Run id.
    pub run_id: String,
    /// Name, if the script gave one.
    pub name: Option<String>,
    /// When it began, Unix seconds.
    pub started_at: f64,
    /// Whether it was kept on this disk on purpose.
    pub offline: bool,
    /// How many processes are writing it.
    pub writers: usize,
    /// The process that is sending it in the background.
    pub sender: Option<u32>,
    /// Size of its journals, in bytes.
    pub journal_bytes: u64,
    /// How much of them the server is not known to have.
    pub unsent_bytes: u64,
    /// How many saved files the server is not known to have as they are now.
    pub unsent_files: usize,
    /// Their size, in bytes.
    pub unsent_file_bytes: u64,
    /// How many logged artifacts the server is not known to have.
    pub unsent_artifacts: usize,
    /// Their size, in bytes; the server may have some of these bytes already.
    pub unsent_artifact_bytes: u64,
}

impl LocalRun {
    /// Whether the server is not known to have everything.
    pub fn is_unsent(&self) -> bool {
        self.unsent_bytes > 0 || self.unsent_files > 0 || self.unsent_artifacts > 0
    }
}

/// Looks at a run in a folder; `server` is the URL of the server that should have it. `None` when no journal says what run
/// it is.
///
/// # Errors
/// The folder cannot be read.
pub fn local_run(folder: &RunFolder, server: &str) -> Result<Option<LocalRun>, Error> {
    let failed = |error: std::io::Error| Error::io(error, folder.path().display());
    let mut first: Option<RunStart> = None;
    let (mut writers, mut journal_bytes, mut unsent_bytes) = (0, 0, 0);
    let (mut unsent_files, mut unsent_artifacts) = (BTreeMap::new(), BTreeMap::new());
    for stream in folder.streams().map_err(failed)? {
        let Ok(Some(start)) = folder.run_start(stream) else { continue };
        let journal = folder.journal(stream);
        let reader = JournalReader::new(&journal);
        let end = reader.end().map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?;
        let uploaded = Uploaded::load(&journal);
        writers += usize::from(JournalLock::try_take(&journal).is_ok_and(|lock| lock.is_none()));
        journal_bytes += end;
        if !uploaded.is_complete(server) {
            unsent_bytes += end.saturating_sub(uploaded.servers.get(server).map_or(0, |to| to.offset));
            unsent_files.extend(files::unsent_files(folder, &reader, server));
            unsent_artifacts.extend(artifact::unsent_artifacts(folder, &reader, server));
        }
        if first.as_ref().is_none_or(|first| start.started_at < first.started_at) {
            first = Some(start);
        }
    }
    Ok(first.map(|start| LocalRun {
        project: start.project.to_string(),
        run_id: start.run_id.to_string(),
        name: start.name,
        started_at: start.started_at,
        offline: start.mode.as_deref() == Some("offline"),
        writers,
        sender: SenderLock::holder(folder.path()),
        journal_bytes,
        unsent_bytes,
        unsent_files: unsent_files.len(),
        unsent_file_bytes: unsent_files.values().sum(),
        unsent_artifacts: unsent_artifacts.len(),
        unsent_artifact_bytes: unsent_artifacts.values().sum(),
    }))
}
