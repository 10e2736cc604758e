//! Tables and values for people to read.

use std::io::{self, IsTerminal as _};
use std::time::{SystemTime, UNIX_EPOCH};

use unicode_width::UnicodeWidthStr as _;

/// Longest cell, in columns of the terminal.
const MAX_WIDTH: usize = 40;

/// A cell: what it says, and in which colour of the terminal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    colour: Option<u8>,
}

impl Cell {
    /// Text from anybody: control characters, which could drive the terminal, are replaced.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self { text: shorten(clean(text.as_ref())), colour: None }
    }

    /// As [`Self::new`], however long it is: for what somebody may want to copy.
    pub(crate) fn whole(text: &str) -> Self {
        Self { text: clean(text), colour: None }
    }

    pub(crate) fn colour(mut self, colour: u8) -> Self {
        self.colour = Some(colour);
        self
    }
}

/// Text without characters that could drive the terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if is_harmless(c) { c } else { '\u{fffd}' }).collect()
}

/// Neither a control character nor one that reorders what stands around it.
pub(crate) fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn shorten(mut text: String) -> String {
    while text.width() > MAX_WIDTH {
        while text.width() >= MAX_WIDTH {
            text.pop();
        }
        text.push('…');
    }
    text
}

/// Rows under a header, in columns as wide as they must be; coloured on a terminal.
pub(crate) fn render(header: &[&str], rows: &[Vec<Cell>]) -> String {
    let coloured = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].text.width());
        cells.chain([header[column].width()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let header = header.iter().map(|name| Cell { text: (*name).to_owned(), colour: Some(2) }).collect();
    let mut table = String::new();
    for row in std::iter::once(&header).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let padding = " ".repeat(width - cell.text.width() + 2);
            match cell.colour.filter(|_| coloured) {
                Some(colour) => line += &format!("\x1b[{colour}m{}\x1b[0m{padding}", cell.text),
                None => line += &format!("{}{padding}", cell.text),
            }
        }
        table += line.trim_end();
        table.push('\n');
    }
    table
}

/// How long ago a time (Unix seconds) was: `3 min ago`.
pub(crate) fn ago(time: f64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
    match (now - time).max(0.0) {
        seconds if seconds < 60.0 => "just now".into(),
        seconds if seconds < 3600.0 => format!("{:.0} min ago", (seconds / 60.0).floor()),
        seconds if seconds < 86400.0 => format!("{:.0} h ago", (seconds / 3600.0).floor()),
        seconds => format!("{:.0} d ago", (seconds / 86400.0).floor()),
    }
}

/// A time span in seconds: `1 h 02 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A number of bytes: `3.2 MB`.
pub(crate) fn bytes(count: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} bytes") } else { format!("{value:.1} {}", units[unit]) }
}

/// A number with a noun: `1 run`, `2 runs`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [vec![Cell::new("漢字"), Cell::new("1")], vec![Cell::new("a\x1b[2Jb"), Cell::new("x".repeat(50))]];
        let expected = format!("NAME    N\n漢字    1\na\u{fffd}[2Jb  {}…\n", "x".repeat(39));
        assert_eq!(render(&["NAME", "N"], &rows), expected);
    }

    #[test]
    fn spans_and_sizes_are_readable() {
        assert_eq!([duration(0.25), duration(75.0), duration(3720.5)], ["0.2 s", "1 min 15 s", "1 h 02 min"]);
        assert_eq!([bytes(999), bytes(1000), bytes(3_210_000)], ["999 bytes", "1.0 kB", "3.2 MB"]);
        assert_eq!([count(1, "run"), count(0, "run")], ["1 run", "0 runs"]);
    }
}
