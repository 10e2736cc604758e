//! What a process prints.

use std::borrow::Cow;

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

/// The text with tabs as its only control characters, and escape sequences for colours and styles: what is shown on a
/// terminal or a page drives neither. Other escape sequences lose their `ESC`, other control characters go.
pub fn clean_console_text(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| is_suspect(byte) && byte != b'\t') {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(char::is_control) {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        let kept = if rest.starts_with('\t') { 1 } else { colour_length(rest.as_bytes()) };
        clean.push_str(&rest[..kept]);
        let skipped = if kept == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { kept };
        rest = &rest[skipped..];
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// The text without its escape sequences for colours and styles.
pub fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.as_bytes().contains(&ESCAPE) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = colour_length(rest.as_bytes());
        if length == 0 {
            plain.push('\u{1b}');
        }
        rest = &rest[length.max(1)..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

const ESCAPE: u8 = 0x1b;

/// No terminal needs longer ones.
const MAX_COLOUR_BYTES: usize = 64;

/// Whether a byte may be of a control character: U+0080 to U+009F begin with 0xC2.
fn is_suspect(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f || byte == 0xc2
}

/// How many bytes of the beginning are a sequence for colours and styles.
fn colour_length(bytes: &[u8]) -> usize {
    let Some(parameters) = bytes.strip_prefix(b"\x1b[") else { return 0 };
    let count = parameters
        .iter()
        .take(MAX_COLOUR_BYTES)
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':'))
        .count();
    if parameters.get(count) == Some(&b'm') { count + 3 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_tabs_stay_and_what_drives_a_terminal_goes() {
        for (text, clean, plain) in [
            ("plain\ttext, ü and \u{a0}", "plain\ttext, ü and \u{a0}", "plain\ttext, ü and \u{a0}"),
            ("\x1b[1;31mred\x1b[m \x1b[38:2:1:2:3mx", "\x1b[1;31mred\x1b[m \x1b[38:2:1:2:3mx", "red x"),
            ("a\x1b[2Jb\x1b]0;title\x07c", "a[2Jb]0;titlec", "a[2Jb]0;titlec"),
            ("\x1b", "", ""),
            ("\x1b[1", "[1", "[1"),
            ("a\rb\x08\x7f\u{9b}31mc\0", "ab31mc", "ab31mc"),
        ] {
            assert_eq!(clean_console_text(text), clean);
            assert_eq!(without_colours(&clean_console_text(text)), plain);
        }
        let long = format!("\x1b[{}m", "1;".repeat(MAX_COLOUR_BYTES));
        assert_eq!(clean_console_text(&long), long[1..]);
    }

    #[test]
    fn what_a_cut_leaves_behind_is_clean_too() {
        // What is taken out must not bring the two sides of an escape sequence together.
        let clean = clean_console_text("\x1b\u{1}[2J\x1b\x1b[31m");
        assert_eq!(clean, "[2J\x1b[31m");
        assert_eq!(clean_console_text(&clean), clean);
    }
}
