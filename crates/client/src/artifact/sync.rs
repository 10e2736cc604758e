//! Sending the artifacts that a journal names, from a folder.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use steplog_journal::{JournalReader, RunFolder, artifact_records};
use steplog_model::{ArtifactId, ArtifactRecord, RunPath};

use super::post::{Post, PostError, Posted};
use super::receipt::Receipts;
use super::ship::ShipPulse;
use crate::transport::{ArtifactTransport, TransportError};

/// How often it is told how far a large artifact is.
const TICK: Duration = Duration::from_millis(100);

/// Sends what a journal's run logged and linked and the server lacks. Answers what could not be sent, each with the reason:
/// another try could not either.
///
/// # Errors
/// The server cannot be reached or does not let us.
pub(crate) fn sync_artifacts(
    folder: &RunFolder,
    journal: &JournalReader,
    run: &RunPath,
    server: &str,
    transport: &dyn ArtifactTransport,
    each: &mut dyn FnMut(u64),
) -> Result<Vec<String>, TransportError> {
    let post = Post::new(folder, run.clone(), server);
    let mut problems = Vec::new();
    // Damage is reported where the journal itself is sent.
    for record in artifact_records(journal, &mut 0).unwrap_or_default() {
        if post.is_done(&record) {
            continue;
        }
        match watched(each, |pulse| post.send(&record, transport, pulse)) {
            Ok(Posted::Done) => {}
            Ok(Posted::Refused(reason)) | Err(PostError::Unwritable(reason)) => problems.push(reason),
            Err(PostError::Transport(error)) => return Err(error),
            Err(PostError::Stopped) => unreachable!("nobody stops it"),
        }
    }
    Ok(problems)
}

/// Does something in another thread, and tells how many bytes were sent meanwhile.
fn watched<T: Send>(each: &mut dyn FnMut(u64), work: impl FnOnce(&ShipPulse) -> T + Send) -> T {
    let pulse = ShipPulse::default();
    thread::scope(|scope| {
        let (done, is_done) = mpsc::sync_channel(1);
        let pulse = &pulse;
        let worker = scope.spawn(move || {
            let result = work(pulse);
            drop(done);
            result
        });
        let mut told = 0;
        loop {
            let has_ended = is_done.recv_timeout(TICK) == Err::<(), _>(RecvTimeoutError::Disconnected);
            let sent = pulse.sent_bytes.load(Ordering::Relaxed);
            if sent > told {
                each(sent - told);
                told = sent;
            }
            if has_ended {
                break;
            }
        }
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The artifacts that a journal names and the server is not known to have, with their sizes in bytes.
pub(crate) fn unsent_artifacts(folder: &RunFolder, journal: &JournalReader, server: &str) -> BTreeMap<ArtifactId, u64> {
    let receipts = Receipts::of(folder);
    let records = artifact_records(journal, &mut 0).unwrap_or_default().into_iter();
    let unsent = records.filter_map(|record| match record {
        ArtifactRecord::Logged(logged) if !receipts.is_settled(logged.id, server) => {
            Some((logged.id, logged.size_bytes))
        }
        _ => None,
    });
    unsent.collect()
}
