//! Sending the files that a journal names, from a folder.

use std::collections::BTreeMap;

use steplog_journal::{JournalReader, ReadError, RunFolder, saved_files};
use steplog_model::{FilePath, FilePolicy, RunPath, SavedFile};

use crate::files::send::{Fingerprint, SendError, Sending, Step};
use crate::files::sent::SentFiles;
use crate::files::tree::{Leaf, leads_as_saved, leaves};
use crate::transport::{Transport, TransportError};

/// How often a file that changes while it is read is begun anew.
const TRIES: usize = 3;

/// What became of the files of a journal.
#[derive(Debug, Default)]
pub(crate) struct FilesReport {
    /// Whether nothing is left that another try could send.
    pub(crate) is_settled: bool,
    /// Files that could not be sent, each with the reason.
    pub(crate) problems: Vec<String>,
}

/// Sends what a journal's run saved and the server lacks. While the journal grows (`ended` is false) what is for the end
/// is left, and so is what changes.
///
/// # Errors
/// The server cannot be reached or does not let us.
pub(crate) fn sync_files(
    folder: &RunFolder,
    journal: &JournalReader,
    run: &RunPath,
    server: &str,
    transport: &dyn Transport,
    ended: bool,
    each: &mut dyn FnMut(u64),
) -> Result<FilesReport, TransportError> {
    let saved = match read_saved(journal) {
        Ok(saved) => saved,
        // Damage is reported where the journal itself is sent.
        Err(_) => return Ok(FilesReport { is_settled: true, ..FilesReport::default() }),
    };
    let mut sent = SentFiles::load(folder.path(), server);
    let mut report = FilesReport { is_settled: ended, ..FilesReport::default() };
    for file in saved.values().filter(|file| ended || file.policy != FilePolicy::End) {
        if !leads_as_saved(&folder.files(), &file.path, &saved) {
            let place = file.path.below(&folder.files());
            report.problems.push(format!("{}: it leads elsewhere than save() put it", place.display()));
            continue;
        }
        let found = match leaves(&folder.files(), &file.path) {
            Ok(found) => found,
            Err(error) if ended => {
                report.problems.push(format!("{}: {error}", file.path.below(&folder.files()).display()));
                continue;
            }
            Err(_) => continue,
        };
        for leaf in found {
            if sent.get(&leaf.path) == Some(Fingerprint::of(&leaf.found)) {
                continue;
            }
            let place = leaf.place.display().to_string();
            match send(&leaf, file.policy, run, transport, each) {
                Ok(print) => sent.insert(&leaf.path, print),
                Err(SendError::Transport(TransportError::Refused(reason))) => {
                    report.problems.push(format!("{place}: {reason}"));
                }
                Err(SendError::Transport(error)) => {
                    sent.store();
                    return Err(error);
                }
                Err(_) if !ended => {}
                Err(SendError::Changed) => {
                    report.is_settled = false;
                    report.problems.push(format!("{place}: it changes while it is read"));
                }
                Err(SendError::Unreadable(error)) => report.problems.push(format!("{place}: {error}")),
            }
        }
    }
    sent.store();
    Ok(report)
}

/// The files that a journal names and the server is not known to have as they are now, with their sizes in bytes.
pub(crate) fn unsent_files(folder: &RunFolder, journal: &JournalReader, server: &str) -> BTreeMap<FilePath, u64> {
    // Of a damaged journal what can be read of it, which is nothing.
    let saved = read_saved(journal).unwrap_or_default();
    let sent = SentFiles::load(folder.path(), server);
    let here = saved.keys().filter(|path| leads_as_saved(&folder.files(), path, &saved));
    let leaves = here.flat_map(|path| leaves(&folder.files(), path).unwrap_or_default());
    let unsent = leaves.filter(|leaf| sent.get(&leaf.path) != Some(Fingerprint::of(&leaf.found)));
    unsent.map(|leaf| (leaf.path, leaf.found.len())).collect()
}

fn read_saved(journal: &JournalReader) -> Result<BTreeMap<FilePath, SavedFile>, ReadError> {
    let saved = saved_files(journal, &mut 0)?;
    Ok(saved.into_iter().map(|file| (file.path.clone(), file)).collect())
}

fn send(
    leaf: &Leaf,
    policy: FilePolicy,
    run: &RunPath,
    transport: &dyn Transport,
    each: &mut dyn FnMut(u64),
) -> Result<Fingerprint, SendError> {
    let mut last = SendError::Changed;
    for _ in 0..TRIES {
        let mut sending = Sending::begin(&leaf.place, &leaf.path, policy, false)?;
        let mut count = |bytes| {
            each(bytes);
            true
        };
        match sending.step(run, transport, None, &mut count) {
            Ok(Step::Done(print)) => return Ok(print),
            Ok(Step::Going) => unreachable!("nothing told it to stop"),
            Err(error @ SendError::Changed) => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}
