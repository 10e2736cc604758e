//! What a process prints: what a terminal makes of it, and how it gets into the journal.
//!
//! [`Console`] is the part of a run that belongs to one process. Text goes through it in the call that prints it, so that the
//! lines that are complete are in the journal before the process can be killed: emulating a terminal costs less than the
//! system call of the print itself. What is not complete, and lines that are drawn again and again, wait for the uploader's
//! thread.
//!
//! Locks are taken in the order console, state. Nothing is printed and no Python code runs while one of them is held.

mod line;
mod mode;
mod output_log;
mod recorder;
#[cfg(unix)]
pub(crate) mod redirect;
mod screen;
mod style;
mod terminal;
#[cfg(test)]
mod tests;

use steplog_model::{ConsoleLines, ConsoleOutput};

pub use mode::ConsoleMode;
pub(crate) use output_log::{OutputLog, Unwritten};
#[cfg(unix)]
pub(crate) use redirect::original_stderr;

use recorder::Recorder;
use terminal::Terminal;

/// So many bytes are worked off before what came of them is recorded, which bounds memory.
const PIECE_BYTES: usize = 64 << 10;

/// What one process prints, for one run.
pub(crate) struct Console {
    stdout: Terminal,
    stderr: Terminal,
    recorder: Recorder,
    log: Option<OutputLog>,
    /// Whether a thread calls [`Self::tick`]. Without one, changes are recorded as they come, as often as they may be.
    has_thread: bool,
    has_ended: bool,
}

impl Console {
    /// A console that nothing was printed to. A forked child has no `log` and no thread.
    pub(crate) fn new(log: Option<OutputLog>, has_thread: bool) -> Self {
        let (stdout, stderr) = (Terminal::new(), Terminal::new());
        Self { stdout, stderr, recorder: Recorder::new(), log, has_thread, has_ended: false }
    }

    /// Takes in what was printed at a time (Unix seconds), and gives `append` what is to be recorded at once.
    pub(crate) fn write(
        &mut self,
        output: ConsoleOutput,
        bytes: &[u8],
        time: f64,
        mut append: impl FnMut(ConsoleLines),
    ) {
        if self.has_ended {
            return;
        }
        self.recorder.output = output;
        self.recorder.time = time;
        for piece in bytes.chunks(PIECE_BYTES) {
            let terminal = match output {
                ConsoleOutput::Stdout => &mut self.stdout,
                ConsoleOutput::Stderr => &mut self.stderr,
            };
            terminal.write(piece, &mut self.recorder);
            if !self.has_thread {
                terminal.screen().record_changes(&mut self.recorder);
            }
            self.hand_on(&mut append);
        }
    }

    /// Records what has waited for long enough.
    pub(crate) fn tick(&mut self, time: f64, mut append: impl FnMut(ConsoleLines)) {
        self.recorder.time = time;
        self.recorder.output = ConsoleOutput::Stdout;
        self.stdout.screen().record_changes(&mut self.recorder);
        self.recorder.output = ConsoleOutput::Stderr;
        self.stderr.screen().record_changes(&mut self.recorder);
        self.hand_on(&mut append);
        let next_number = self.recorder.next_number;
        let first = |terminal: &mut Terminal| terminal.screen().first_changeable().unwrap_or(next_number);
        let first_changeable = first(&mut self.stdout).min(first(&mut self.stderr));
        if let Some(log) = &mut self.log {
            log.settle(first_changeable);
        }
    }

    /// Records everything as it is; what is printed later is not recorded.
    pub(crate) fn end(&mut self, time: f64, mut append: impl FnMut(ConsoleLines)) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        self.recorder.time = time;
        self.recorder.output = ConsoleOutput::Stdout;
        self.stdout.end(&mut self.recorder);
        self.recorder.output = ConsoleOutput::Stderr;
        self.stderr.end(&mut self.recorder);
        self.hand_on(&mut append);
        if let Some(log) = &mut self.log {
            log.end();
        }
    }

    /// What `output.log` is to get next.
    pub(crate) fn take_unwritten(&mut self) -> Option<Unwritten> {
        self.log.as_mut().and_then(OutputLog::take)
    }

    #[cfg(test)]
    fn weight(&self) -> usize {
        self.stdout.weight() + self.stderr.weight()
    }

    fn hand_on(&mut self, append: &mut impl FnMut(ConsoleLines)) {
        for lines in self.recorder.take() {
            if let Some(log) = &mut self.log {
                log.add(&lines);
                log.settle(0);
            }
            append(lines);
        }
    }
}
