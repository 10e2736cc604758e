//! What goes from the screens to the journal.

use steplog_model::{ConsoleLines, ConsoleOutput};

/// A record has about so many bytes at most.
const RECORD_BYTES: usize = 256 << 10;

/// Numbers lines, and gathers what is to be recorded: lines that follow one another come into one record.
pub(super) struct Recorder {
    /// The number of the next line that begins.
    pub(super) next_number: u64,
    /// What is being written to, and when, Unix seconds.
    pub(super) output: ConsoleOutput,
    pub(super) time: f64,
    records: Vec<ConsoleLines>,
    /// Bytes of the last record.
    bytes: usize,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self { next_number: 0, output: ConsoleOutput::Stdout, time: 0.0, records: Vec::new(), bytes: 0 }
    }

    /// A number for a line that begins.
    pub(super) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    pub(super) fn record(&mut self, number: u64, text: Box<str>) {
        self.bytes += text.len();
        match self.records.last_mut() {
            Some(last)
                if last.output == self.output
                    && last.first_line + last.lines.len() as u64 == number
                    && self.bytes <= RECORD_BYTES =>
            {
                last.lines.push(text);
            }
            _ => {
                self.bytes = text.len();
                let (time, output) = (self.time, self.output);
                self.records.push(ConsoleLines { time, output, first_line: number, lines: vec![text] });
            }
        }
    }

    /// The records so far.
    pub(super) fn take(&mut self) -> std::vec::Drain<'_, ConsoleLines> {
        self.records.drain(..)
    }
}
