//! What a process prints.

/// A line is at most so long, colours included; what a process prints without a line break goes on in the next line.
pub const MAX_CONSOLE_LINE_BYTES: usize = 64 << 10;

/// Where a process prints to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConsoleOutput {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl ConsoleOutput {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Lines that follow one another, as a terminal shows them after carriage returns and cursor movements.
///
/// The lines of a process are numbered from 0 on, in the order in which they began, whichever output they are of. A line
/// that is written again, as progress bars are, comes again with its number: the later text takes the place of the earlier.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsoleLines {
    /// When they were written, Unix seconds.
    pub time: f64,
    /// Where to.
    pub output: ConsoleOutput,
    /// Number of the first one.
    pub first_line: u64,
    /// Texts without line breaks, at most [`MAX_CONSOLE_LINE_BYTES`] each. Colours are ANSI escape sequences `ESC [ … m`.
    pub lines: Vec<Box<str>>,
}
