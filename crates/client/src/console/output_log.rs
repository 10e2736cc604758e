//! `output.log` in the run's folder: what the process printed, in one text.

use std::collections::{BTreeMap, VecDeque};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use steplog_model::ConsoleLines;

/// Lines that may still change wait for their final text, up to so many bytes and lines.
const MOST_WAITING_BYTES: usize = 1 << 20;
const MOST_WAITING_LINES: usize = 8192;

/// What waits for the disk, at most.
const MOST_UNWRITTEN_BYTES: usize = 16 << 20;

/// What one process adds to the file. Several may add to one, line by line.
pub(crate) struct OutputLog {
    path: PathBuf,
    /// The lowest number that is not in `out`, and the texts from there on; `None` for one that was not recorded yet.
    next: u64,
    waiting: VecDeque<Option<Box<str>>>,
    waiting_bytes: usize,
    /// Lines that changed after they had waited for too long, as they are now.
    late: BTreeMap<u64, Box<str>>,
    out: Vec<u8>,
    skipped: u64,
}

impl OutputLog {
    pub(crate) fn new(path: PathBuf) -> Self {
        let (waiting, late) = (VecDeque::new(), BTreeMap::new());
        Self { path, next: 0, waiting, waiting_bytes: 0, late, out: Vec::new(), skipped: 0 }
    }

    pub(super) fn add(&mut self, lines: &ConsoleLines) {
        for (number, text) in (lines.first_line..).zip(&lines.lines) {
            let Some(index) = number.checked_sub(self.next) else {
                // No more than the screens can change.
                self.late.insert(number, text.clone());
                continue;
            };
            let index = index as usize;
            if index >= self.waiting.len() {
                self.waiting.resize(index + 1, None);
            }
            let before = self.waiting[index].replace(text.clone());
            self.waiting_bytes += text.len();
            self.waiting_bytes -= before.map_or(0, |before| before.len());
        }
    }

    /// Lines below this number are final.
    pub(super) fn settle(&mut self, first_changeable: u64) {
        while let Some(front) = self.waiting.front() {
            let is_final = self.next < first_changeable;
            let is_crowded = self.waiting_bytes > MOST_WAITING_BYTES || self.waiting.len() > MOST_WAITING_LINES;
            if !is_final && !is_crowded {
                break;
            }
            self.waiting_bytes -= front.as_ref().map_or(0, |text| text.len());
            if let Some(text) = self.waiting.pop_front().flatten() {
                self.put(&text);
            }
            self.next += 1;
        }
    }

    /// All lines are as they are to stay.
    pub(super) fn end(&mut self) {
        self.settle(u64::MAX);
        for text in std::mem::take(&mut self.late).into_values() {
            self.put(&text);
        }
    }

    fn put(&mut self, text: &str) {
        if self.out.len() + text.len() >= MOST_UNWRITTEN_BYTES {
            self.skipped += 1;
            return;
        }
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'\n');
    }

    /// What is to be written next, and where to.
    pub(super) fn take(&mut self) -> Option<Unwritten> {
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            let notice = format!("[{skipped} lines are left out here: they came faster than they could be written]\n");
            self.out.extend_from_slice(notice.as_bytes());
        }
        if self.out.is_empty() {
            return None;
        }
        Some(Unwritten { path: self.path.clone(), bytes: std::mem::take(&mut self.out) })
    }
}

/// A piece of the file.
pub(crate) struct Unwritten {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Unwritten {
    pub(crate) fn write(self) {
        // The journal has the lines: a disk that takes no more is told of there.
        let file = OpenOptions::new().append(true).create(true).open(&self.path);
        let _ = file.and_then(|mut file| file.write_all(&self.bytes));
    }
}
