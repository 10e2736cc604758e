//! Sending what lies in a folder: the runs of killed, cut-off or offline processes.

use std::path::PathBuf;

use steplog_journal::{JournalReader, RunFolder, remove_spare};
use steplog_model::{Entity, RunPath, RunStart, StreamId};

use crate::artifact::sync_artifacts;
use crate::error::{Error, ErrorKind};
use crate::files::sync_files;
use crate::local::{JournalLock, Uploaded, UploadedTo};
use crate::transport::{ArtifactTransport, Transport, TransportError};
use crate::upload::{Sent, Upload, UploadError};

/// What is known while a journal is being sent.
#[derive(Clone, Copy, Debug)]
pub struct SyncProgress {
    /// How many bytes this call has sent so far.
    pub sent_bytes: u64,
}

/// What a call sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// How many bytes the server had not.
    pub sent_bytes: u64,
    /// Journals that could not be sent to their end, each with the reason; everything before it was sent.
    pub problems: Vec<String>,
    /// Journals that another process is still writing; what was there was sent.
    pub growing: usize,
}

/// Sends all journals of a run folder to a server, from where the server has them.
///
/// # Errors
/// The server cannot be reached or does not let us. What is wrong with single journals is in the report.
pub fn sync_run(
    folder: &RunFolder,
    server: &str,
    transport: &dyn ArtifactTransport,
    default_entity: &Entity,
    progress: impl FnMut(SyncProgress),
) -> Result<SyncReport, Error> {
    sync_streams(folder, |_| true, server, transport, default_entity, progress)
}

/// As [`sync_run`], of the streams alone that `wanted` says.
pub(crate) fn sync_streams(
    folder: &RunFolder,
    wanted: impl Fn(StreamId) -> bool,
    server: &str,
    transport: &dyn ArtifactTransport,
    default_entity: &Entity,
    mut progress: impl FnMut(SyncProgress),
) -> Result<SyncReport, Error> {
    let mut report = SyncReport::default();
    let streams = folder.streams().map_err(|error| Error::io(error, folder.path().display()))?;
    for stream in streams.into_iter().filter(|stream| wanted(*stream)) {
        let journal = folder.journal(stream);
        if Uploaded::load(&journal).is_complete(server) {
            continue;
        }
        let problem = |what: &dyn std::fmt::Display| format!("{}: {what}", journal.display());
        let start = match folder.run_start(stream) {
            Ok(Some(start)) => start,
            // Killed before its first record: there is nothing in it.
            Ok(None) => continue,
            Err(error) => {
                report.problems.push(problem(&error));
                continue;
            }
        };
        // Nobody writes on in a journal that was left, so the lock need not be kept: whoever looks would see a writer.
        let ended = JournalLock::try_take(&journal).is_ok_and(|lock| lock.is_some());
        report.growing += usize::from(!ended);
        if ended {
            remove_spare(&journal);
        }
        let sent_before = report.sent_bytes;
        let mut each = |sent_bytes| {
            report.sent_bytes = sent_before + sent_bytes;
            progress(SyncProgress { sent_bytes: report.sent_bytes });
        };
        match sync_stream(&start, stream, journal.clone(), transport, default_entity, &mut each) {
            Ok(offset) => {
                let sent_before = report.sent_bytes;
                let mut sent_bytes = 0;
                let mut each = |bytes| {
                    sent_bytes += bytes;
                    progress(SyncProgress { sent_bytes: sent_before + sent_bytes });
                };
                let (run, reader) = (run_path(&start, default_entity), JournalReader::new(&journal));
                let files = sync_files(folder, &reader, &run, server, transport, ended, &mut each)
                    .map_err(|error| Error::new(ErrorKind::Server, error.to_string()))?;
                let problems = sync_artifacts(folder, &reader, &run, server, transport, &mut each)
                    .map_err(|error| Error::new(ErrorKind::Server, error.to_string()))?;
                report.sent_bytes += sent_bytes;
                report.problems.extend(files.problems);
                report.problems.extend(problems.into_iter().map(|reason| problem(&reason)));
                let files_pending = !files.is_settled;
                let to = UploadedTo { offset, complete: ended, files_pending, artifacts_pending: false };
                Uploaded::note(&journal, server, to);
            }
            Err(UploadError::Transport(TransportError::Refused(message))) => report.problems.push(problem(&message)),
            Err(UploadError::Transport(error)) => return Err(Error::new(ErrorKind::Server, error.to_string())),
            Err(UploadError::Source(error)) => report.problems.push(problem(&error)),
        }
    }
    Ok(report)
}

fn sync_stream(
    start: &RunStart,
    stream: StreamId,
    journal: PathBuf,
    transport: &dyn Transport,
    default_entity: &Entity,
    each: &mut dyn FnMut(u64),
) -> Result<u64, UploadError> {
    let mut upload = Upload::resume(run_path(start, default_entity), stream);
    let reader = JournalReader::new(journal);
    let mut total = 0;
    loop {
        match upload.send_next(&reader, transport)? {
            Sent::Nothing => return Ok(upload.offset()),
            Sent::Until { sent_bytes, .. } => {
                total += sent_bytes;
                each(total);
            }
        }
    }
}

/// Where a journal's run belongs; an entity that it does not name is the caller's own.
pub(crate) fn run_path(start: &RunStart, default_entity: &Entity) -> RunPath {
    let entity = start.entity.as_deref().and_then(|entity| entity.parse().ok());
    RunPath {
        entity: entity.unwrap_or_else(|| default_entity.clone()),
        project: start.project.clone(),
        run: start.run_id.clone(),
    }
}
