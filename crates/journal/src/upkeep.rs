//! The slow part of changing segments, done ahead and afterwards by a background thread.
//!
//! Making a segment means reserving its blocks and touching its pages; ending one means unmapping and cutting it. Each
//! may wait for the file system for a long time, which is nothing for `log()` to do. So a writer that is about to need
//! a segment lets one be prepared under another name, and leaves the full one to be closed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::segment::segment_path;
use crate::sink::Sink;

/// Name of the file that will be the next segment; no reader looks at it.
const SPARE: &str = "next.spare";

/// A segment file that has no place in the stream yet.
pub(crate) struct Spare {
    path: PathBuf,
    sink: Sink,
}

impl Spare {
    fn create(folder: &Path, capacity: usize) -> io::Result<Self> {
        let path = folder.join(SPARE);
        // What a killed process left under this name belongs to nobody: a journal has one writer.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let sink = Sink::create(&path, capacity, true)?;
        sink.populate();
        Ok(Self { path, sink })
    }

    pub(crate) fn capacity(&self) -> usize {
        self.sink.capacity()
    }

    /// Gives the file its place in the stream.
    pub(crate) fn place(self, folder: &Path, base: u64) -> io::Result<Sink> {
        match fs::rename(&self.path, segment_path(folder, base)) {
            Ok(()) => Ok(self.sink),
            Err(error) => {
                self.remove();
                Err(error)
            }
        }
    }

    pub(crate) fn remove(self) {
        // An empty file more, at worst; the next spare of this journal takes its place.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes what a process that was killed had made ahead. The caller knows that nobody writes the journal.
pub fn remove_spare(journal: &Path) {
    // There mostly is none, and one that stays takes a little room.
    let _ = fs::remove_file(journal.join(SPARE));
}

/// Slow work that was taken off a writer; see [`crate::JournalWriter::take_upkeep`].
#[must_use = "the work is done by `run`"]
pub struct Upkeep {
    pub(crate) folder: PathBuf,
    /// Full segments, with their used lengths.
    pub(crate) full: Vec<(Sink, usize)>,
    /// Size of the spare to make.
    pub(crate) spare_bytes: Option<usize>,
}

/// What [`Upkeep::run`] made for the writer.
pub struct Prepared(pub(crate) Option<Spare>);

impl Prepared {
    /// Removes what was made, when its writer has ended meanwhile.
    pub fn discard(self) {
        if let Some(spare) = self.0 {
            spare.remove();
        }
    }
}

impl Upkeep {
    /// Does the work. May take long; the writer can be used meanwhile.
    pub fn run(self) -> Prepared {
        for (sink, used) in self.full {
            // A segment that cannot be cut keeps its zeros; the next one's name says where it ends.
            let _ = sink.close(used);
        }
        // No spare, on a full disk say: the writer makes its segment itself, and deals with what is wrong.
        Prepared(self.spare_bytes.and_then(|capacity| Spare::create(&self.folder, capacity).ok()))
    }
}
