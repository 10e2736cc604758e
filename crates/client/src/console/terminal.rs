//! Bytes that are printed become changes of a screen.

use vte::{Params, Parser, Perform};

use super::recorder::Recorder;
use super::screen::Screen;

const ESCAPE: u8 = 0x1b;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;

/// What a terminal does with what one output prints. How it is cut into pieces makes no difference.
pub(super) struct Terminal {
    screen: Screen,
    /// Follows escape sequences only; everything else is quicker without it. Without its feature `std` it keeps no more
    /// than a kilobyte of a sequence.
    parser: Parser,
    sequence: Sequence,
    /// The beginning of a character of several bytes, without its end.
    partial: Vec<u8>,
}

/// Where in an escape sequence the output stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sequence {
    None,
    /// Behind `ESC`.
    Escape,
    /// Behind `ESC [`: the next letter ends it.
    Control,
    /// In any other, whose end the parser tells.
    Other,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self { screen: Screen::new(), parser: Parser::new(), sequence: Sequence::None, partial: Vec::new() }
    }

    pub(super) fn screen(&mut self) -> &mut Screen {
        &mut self.screen
    }

    #[cfg(test)]
    pub(super) fn weight(&self) -> usize {
        self.screen.weight() + self.partial.capacity()
    }

    pub(super) fn write(&mut self, mut bytes: &[u8], recorder: &mut Recorder) {
        while let Some(&first) = bytes.first() {
            let taken = match first {
                _ if self.sequence != Sequence::None => {
                    self.follow(first, recorder);
                    1
                }
                0x80.. => {
                    let length = length_of(bytes, |byte| byte >= 0x80);
                    self.print_characters(&bytes[..length], recorder);
                    length
                }
                _ => {
                    self.end_partial(recorder);
                    self.take_ascii(bytes, recorder)
                }
            };
            bytes = &bytes[taken..];
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self, recorder: &mut Recorder) {
        self.end_partial(recorder);
        self.screen.record_all(recorder);
    }

    /// Takes visible characters up to the next other one, or one control character; answers how many bytes that is.
    fn take_ascii(&mut self, bytes: &[u8], recorder: &mut Recorder) -> usize {
        let visible = length_of(bytes, |byte| (0x20..0x7f).contains(&byte));
        if visible > 0 {
            let text = std::str::from_utf8(&bytes[..visible]).expect("ASCII is UTF-8");
            self.screen.print_ascii(text, recorder);
            return visible;
        }
        if bytes[0] == ESCAPE {
            self.follow(ESCAPE, recorder);
        } else {
            control(bytes[0], &mut self.screen, recorder);
        }
        1
    }

    /// Goes on in an escape sequence, or begins one.
    fn follow(&mut self, byte: u8, recorder: &mut Recorder) {
        if byte >= 0x80 {
            // Part of a text that is not shown, such as a window's title.
            return;
        }
        let is_text = self.sequence == Sequence::Other;
        if is_text && byte == b'\n' {
            // No sequence goes on in the next line: somebody printed a part of one, and what follows is to be seen.
            self.sequence = Sequence::None;
            self.feed(CANCEL, recorder);
            return self.screen.line_feed(recorder);
        }
        let has_ended = self.feed(byte, recorder);
        self.sequence = match (self.sequence, byte) {
            (_, ESCAPE) => Sequence::Escape,
            (_, CANCEL | SUBSTITUTE) => Sequence::None,
            (Sequence::Control, 0x40..=0x7e) => Sequence::None,
            (Sequence::Escape, b'[') => Sequence::Control,
            _ if has_ended => Sequence::None,
            (Sequence::Escape, 0x20..) => Sequence::Other,
            (sequence, _) => sequence,
        };
    }

    /// Gives the parser a byte; whether that was the last of a sequence.
    fn feed(&mut self, byte: u8, recorder: &mut Recorder) -> bool {
        let mut performer = Performer { screen: &mut self.screen, recorder, has_ended: false };
        self.parser.advance(&mut performer, &[byte]);
        performer.has_ended
    }

    /// Prints characters of several bytes each. What is none becomes U+FFFD; one that is cut off may go on in the next
    /// piece.
    fn print_characters(&mut self, bytes: &[u8], recorder: &mut Recorder) {
        let joined;
        let mut bytes = match self.partial.is_empty() {
            true => bytes,
            false => {
                self.partial.extend_from_slice(bytes);
                joined = std::mem::take(&mut self.partial);
                &joined[..]
            }
        };
        loop {
            let (valid, skipped) = match std::str::from_utf8(bytes) {
                Ok(text) => (text, None),
                Err(error) => {
                    let valid = &bytes[..error.valid_up_to()];
                    let text = std::str::from_utf8(valid).expect("it was just found to be valid");
                    (text, Some(error.error_len()))
                }
            };
            // Control characters of two bytes do nothing in a terminal that shows UTF-8, but for the line feed.
            for character in valid.chars() {
                match character {
                    '\u{85}' => self.screen.line_feed(recorder),
                    '\u{80}'..='\u{9f}' => {}
                    _ => self.screen.print(character, recorder),
                }
            }
            let behind = valid.len();
            match skipped {
                None => return,
                Some(None) => return self.partial.extend_from_slice(&bytes[behind..]),
                Some(Some(length)) => {
                    self.screen.print(char::REPLACEMENT_CHARACTER, recorder);
                    bytes = &bytes[behind + length..];
                }
            }
        }
    }

    /// A character whose end never came.
    fn end_partial(&mut self, recorder: &mut Recorder) {
        if !self.partial.is_empty() {
            self.partial.clear();
            self.screen.print(char::REPLACEMENT_CHARACTER, recorder);
        }
    }
}

fn length_of(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !belongs(*byte)).unwrap_or(bytes.len())
}

fn control(byte: u8, screen: &mut Screen, recorder: &mut Recorder) {
    match byte {
        b'\n' | 0x0b | 0x0c => screen.line_feed(recorder),
        b'\r' => screen.carriage_return(),
        b'\t' => screen.tab(),
        0x08 => screen.backspace(),
        _ => {}
    }
}

struct Performer<'a> {
    screen: &'a mut Screen,
    recorder: &'a mut Recorder,
    has_ended: bool,
}

impl Perform for Performer<'_> {
    fn print(&mut self, character: char) {
        // The parser had given a sequence up.
        self.has_ended = true;
        self.screen.print(character, self.recorder);
    }

    fn execute(&mut self, byte: u8) {
        control(byte, self.screen, self.recorder);
    }

    fn osc_dispatch(&mut self, _: &[&[u8]], bell_terminated: bool) {
        // Otherwise `ESC \` follows, of which the parser has the first half.
        self.has_ended = bell_terminated;
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        self.has_ended = true;
        if !intermediates.is_empty() {
            return;
        }
        match byte {
            b'7' => self.screen.save_cursor(),
            b'8' => self.screen.restore_cursor(),
            b'D' => self.screen.down(1),
            b'E' => self.screen.line_feed(self.recorder),
            b'M' => self.screen.up(1),
            b'c' => self.screen.reset(self.recorder),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, parameters: &Params, intermediates: &[u8], _: bool, action: char) {
        self.has_ended = true;
        let mut numbers = parameters.iter().map(|parameter| parameter[0]);
        let first = numbers.next().unwrap_or(0);
        let second = numbers.next().unwrap_or(0);
        let count = usize::from(first.max(1));
        let Self { screen, recorder, .. } = self;
        match (intermediates, action) {
            ([], 'm') => screen.style().apply(parameters),
            ([], 'A') => screen.up(count),
            ([], 'B') => screen.down(count),
            ([], 'C' | 'a') => screen.right(count),
            ([], 'D') => screen.left(count),
            ([], 'E') => {
                screen.down(count);
                screen.carriage_return();
            }
            ([], 'F') => {
                screen.up(count);
                screen.carriage_return();
            }
            ([], 'G' | '`') => screen.go_to_column(count - 1),
            ([], 'H' | 'f') => {
                screen.go_to_row(count - 1, recorder);
                screen.go_to_column(usize::from(second.max(1)) - 1);
            }
            ([], 'd') => screen.go_to_row(count - 1, recorder),
            ([], 'J') => screen.erase_display(first, recorder),
            ([], 'K') => screen.erase_line(first),
            ([], '@') => screen.insert_blanks(count),
            ([], 'P') => screen.delete(count),
            ([], 'X') => screen.erase(count),
            ([], 's') => screen.save_cursor(),
            ([], 'u') => screen.restore_cursor(),
            ([b'?'], 'h' | 'l') if matches!(first, 47 | 1047 | 1049) => screen.set_alternate(action == 'h'),
            _ => {}
        }
    }
}
