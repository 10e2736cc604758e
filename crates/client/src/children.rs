//! The journals of forked children, whose files and artifacts the process that they come from sends: they have no thread.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use steplog_journal::{JournalReader, ReadError, RunFolder};
use steplog_model::StreamId;

/// How often the journals are looked into.
const INTERVAL: Duration = Duration::from_millis(500);

/// How far they were read.
#[derive(Default)]
pub(crate) struct Children {
    offsets: HashMap<StreamId, u64>,
    looked_at: Option<Instant>,
}

impl Children {
    /// What `read` finds in them behind what was read before. Nothing when that was only just now, unless it has to be `now`.
    pub(crate) fn look<T>(
        &mut self,
        now: bool,
        folder: &RunFolder,
        own: StreamId,
        read: impl Fn(&JournalReader, &mut u64) -> Result<Vec<T>, ReadError>,
    ) -> Vec<T> {
        if !now && self.looked_at.is_some_and(|looked| looked.elapsed() < INTERVAL) {
            return Vec::new();
        }
        self.looked_at = Some(Instant::now());
        let mut found = Vec::new();
        // Children come and go; what cannot be read now can be read at the next look.
        for stream in folder.streams().unwrap_or_default() {
            if stream == own {
                continue;
            }
            if !self.offsets.contains_key(&stream) {
                let start = folder.run_start(stream).ok().flatten();
                if start.is_none_or(|start| start.parent_stream.is_none()) {
                    continue;
                }
            }
            let offset = self.offsets.entry(stream).or_default();
            found.extend(read(&JournalReader::new(folder.journal(stream)), offset).unwrap_or_default());
        }
        found
    }

    /// Those that were seen.
    pub(crate) fn streams(&self) -> Vec<StreamId> {
        self.offsets.keys().copied().collect()
    }
}
