//! The screen that one output of a process is shown on: lines, and a cursor that can go back to the last of them.
//!
//! It has no width and no height: a line ends where the process ends it, so that what is recorded does not depend on the
//! window that somebody happened to look through. The last [`WINDOW_LINES`] can be changed; what scrolled out of them is
//! final.

use std::collections::VecDeque;

use unicode_width::UnicodeWidthChar as _;

use super::line::{Line, MAX_COLUMNS};
use super::recorder::Recorder;
use super::style::Style;

/// How many lines can be changed: more than any terminal shows at once, so that no movement is cut short that would not be
/// cut short there.
const WINDOW_LINES: usize = 256;

/// Long lines make the window shorter, so that it takes no more memory than so many bytes.
const WINDOW_BYTES: usize = 1 << 20;

/// Where the cursor can be sent at most, unless there is text further on: no terminal is much larger, and a few bytes are
/// not to become a line of thousands.
const REACH_COLUMNS: usize = 512;
const REACH_ROWS: usize = 128;

/// A line that was recorded is recorded again, when it changes, after so many seconds: a progress bar that is drawn a
/// hundred times a second is not to fill the journal.
const RECORD_AGAIN_SECONDS: f64 = 1.0;

const TAB: usize = 8;

#[derive(Default)]
struct Row {
    line: Line,
    /// `None` as long as nothing was printed to it.
    number: Option<u64>,
    /// Whether the journal has it as it is now, and when it got it.
    is_recorded: bool,
    recorded_at: Option<f64>,
    /// What it counts in [`Screen::weight`].
    weight: usize,
}

pub(super) struct Screen {
    /// Never empty. All but the last have a number.
    rows: VecDeque<Row>,
    /// How many rows have scrolled out: rows are remembered by their distance from the first of all.
    scrolled: u64,
    row: usize,
    column: usize,
    style: Style,
    saved: (u64, usize),
    /// The row that absolute positions count from: the first that the process printed since it cleared the screen, or since
    /// it first used one.
    home: Option<u64>,
    /// A full-screen program is running; when it ends, a terminal shows what was there before.
    is_alternate: bool,
    weight: usize,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            rows: VecDeque::from([Row::default()]),
            scrolled: 0,
            row: 0,
            column: 0,
            style: Style::DEFAULT,
            saved: (0, 0),
            home: None,
            is_alternate: false,
            weight: 0,
        }
    }

    /// Prints visible ASCII.
    pub(super) fn print_ascii(&mut self, mut text: &str, recorder: &mut Recorder) {
        if self.is_alternate {
            return;
        }
        while !text.is_empty() {
            if self.column >= MAX_COLUMNS {
                self.line_feed(recorder);
            }
            let (now, later) = text.split_at(text.len().min(MAX_COLUMNS - self.column));
            let (column, style) = (self.column, self.style);
            self.touch(recorder).print_ascii(column, now, style);
            self.column += now.len();
            text = later;
        }
    }

    /// Prints any character that is no control character.
    pub(super) fn print(&mut self, character: char, recorder: &mut Recorder) {
        if self.is_alternate {
            return;
        }
        let width = character.width().unwrap_or(0);
        if width > 0 && self.column + width > MAX_COLUMNS {
            self.line_feed(recorder);
        }
        let (column, style) = (self.column, self.style);
        match width {
            0 if self.rows[self.row].number.is_some() => self.touch(recorder).mark(column, character),
            // Nothing that it could belong to.
            0 => {}
            _ => self.touch(recorder).print(column, character, width, style),
        }
        self.column += width;
    }

    /// Goes to the beginning of the next line. A last line that is left so is complete: it is recorded at once.
    pub(super) fn line_feed(&mut self, recorder: &mut Recorder) {
        if self.is_alternate {
            return;
        }
        self.column = 0;
        self.row += 1;
        if self.row < self.rows.len() {
            return;
        }
        let row = self.rows.back_mut().expect("there is always a row");
        row.record(recorder);
        row.weight = row.line.weight();
        self.weight += row.weight;
        self.rows.push_back(Row::default());
        while self.rows.len() > WINDOW_LINES || (self.weight > WINDOW_BYTES && self.rows.len() > 1) {
            let mut final_row = self.rows.pop_front().expect("there is more than one");
            final_row.record(recorder);
            self.weight -= final_row.weight;
            self.scrolled += 1;
            self.row -= 1;
        }
    }

    pub(super) fn carriage_return(&mut self) {
        self.column = 0;
    }

    pub(super) fn backspace(&mut self) {
        self.column = self.column.min(MAX_COLUMNS - 1).saturating_sub(1);
    }

    pub(super) fn tab(&mut self) {
        self.column = ((self.column / TAB + 1) * TAB).min(MAX_COLUMNS - 1);
    }

    pub(super) fn style(&mut self) -> &mut Style {
        &mut self.style
    }

    pub(super) fn up(&mut self, rows: usize) {
        self.row = self.row.saturating_sub(rows);
    }

    /// A terminal has blank lines below only when little was printed yet: the last line is the lowest.
    pub(super) fn down(&mut self, rows: usize) {
        self.row = self.row.saturating_add(rows).min(self.rows.len() - 1);
    }

    pub(super) fn left(&mut self, columns: usize) {
        self.column = self.column.saturating_sub(columns);
    }

    pub(super) fn right(&mut self, columns: usize) {
        self.go_to_column(self.column.saturating_add(columns));
    }

    /// Columns count from 0.
    pub(super) fn go_to_column(&mut self, column: usize) {
        let furthest = self.rows[self.row].line.columns().clamp(REACH_COLUMNS, MAX_COLUMNS) - 1;
        self.column = column.min(furthest);
    }

    /// Goes to a row of the screen, counted from 0, that is made if it is not there.
    pub(super) fn go_to_row(&mut self, row: usize, recorder: &mut Recorder) {
        if self.is_alternate {
            return;
        }
        if self.home.is_none() {
            self.begin_page(recorder);
        }
        let home = self.home.unwrap_or(self.scrolled);
        let wanted = home.max(self.scrolled) + row.min(REACH_ROWS - 1) as u64;
        let column = self.column;
        while self.scrolled + (self.rows.len() as u64) <= wanted {
            self.row = self.rows.len() - 1;
            self.line_feed(recorder);
        }
        self.row = usize::try_from(wanted.saturating_sub(self.scrolled)).map_or(0, |row| row.min(self.rows.len() - 1));
        self.column = column;
    }

    pub(super) fn save_cursor(&mut self) {
        self.saved = (self.scrolled + self.row as u64, self.column);
    }

    pub(super) fn restore_cursor(&mut self) {
        let (row, column) = self.saved;
        self.row = (row.saturating_sub(self.scrolled) as usize).min(self.rows.len() - 1);
        self.column = column;
    }

    /// Erases from the cursor to the end of the line (0), from its beginning to the cursor (1), or all of it (2).
    pub(super) fn erase_line(&mut self, what: u16) {
        let (from, to) = match what {
            0 => (self.column, usize::MAX),
            1 => (0, self.column + 1),
            2 => (0, usize::MAX),
            _ => return,
        };
        self.change(self.row, |line| line.erase(from, to));
    }

    /// Erases from the cursor to the end of the screen (0) or from its beginning to the cursor (1). Clearing all of it (2,
    /// 3) begins a page, and takes nothing from the record: how much of it a terminal would have shown is not known.
    pub(super) fn erase_display(&mut self, what: u16, recorder: &mut Recorder) {
        match what {
            0 => {
                self.erase_line(0);
                (self.row + 1..self.rows.len()).for_each(|row| self.change(row, |line| line.erase(0, usize::MAX)));
            }
            1 => {
                let first = self.home.map_or(self.row, |home| home.saturating_sub(self.scrolled) as usize);
                (first..self.row).for_each(|row| self.change(row, |line| line.erase(0, usize::MAX)));
                self.erase_line(1);
            }
            2 | 3 => self.begin_page(recorder),
            _ => {}
        }
    }

    pub(super) fn insert_blanks(&mut self, count: usize) {
        let column = self.column;
        self.change(self.row, |line| line.insert_blanks(column, count));
    }

    pub(super) fn delete(&mut self, count: usize) {
        let column = self.column;
        self.change(self.row, |line| line.delete(column, count));
    }

    pub(super) fn erase(&mut self, count: usize) {
        let column = self.column;
        self.change(self.row, |line| line.erase(column, column.saturating_add(count)));
    }

    pub(super) fn set_alternate(&mut self, is_alternate: bool) {
        self.is_alternate = is_alternate;
    }

    pub(super) fn reset(&mut self, recorder: &mut Recorder) {
        self.is_alternate = false;
        self.style = Style::DEFAULT;
        self.begin_page(recorder);
        self.column = 0;
    }

    /// Goes to a line that nothing was printed to yet; absolute positions count from there.
    fn begin_page(&mut self, recorder: &mut Recorder) {
        if self.is_alternate {
            return;
        }
        let column = self.column;
        self.row = self.rows.len() - 1;
        if self.rows[self.row].number.is_some() {
            self.line_feed(recorder);
        }
        self.column = column;
        self.home = Some(self.scrolled + self.row as u64);
    }

    /// Records what the journal does not have, of lines that it got before only those that have waited for a while.
    pub(super) fn record_changes(&mut self, recorder: &mut Recorder) {
        for row in self.rows.iter_mut().filter(|row| row.number.is_some() && !row.is_recorded) {
            // A clock that was set back is no reason to wait for it.
            let waited = |at: f64| (recorder.time - at).abs() >= RECORD_AGAIN_SECONDS;
            if row.recorded_at.is_none_or(waited) {
                row.record(recorder);
            }
        }
    }

    /// Records the lines as they are at the end.
    pub(super) fn record_all(&mut self, recorder: &mut Recorder) {
        self.rows.iter_mut().filter(|row| row.number.is_some()).for_each(|row| row.record(recorder));
    }

    /// The lowest number of a line that can still be changed.
    pub(super) fn first_changeable(&self) -> Option<u64> {
        self.rows[0].number
    }

    #[cfg(test)]
    pub(super) fn weight(&self) -> usize {
        self.rows.iter().map(|row| row.line.weight()).sum()
    }

    /// The line with the cursor, to be changed.
    fn touch(&mut self, recorder: &mut Recorder) -> &mut Line {
        let row = &mut self.rows[self.row];
        row.number.get_or_insert_with(|| recorder.number());
        row.is_recorded = false;
        &mut row.line
    }

    fn change(&mut self, row: usize, change: impl FnOnce(&mut Line) -> bool) {
        if self.is_alternate {
            return;
        }
        let row = &mut self.rows[row];
        if change(&mut row.line) {
            row.is_recorded = false;
        }
    }
}

impl Row {
    fn record(&mut self, recorder: &mut Recorder) {
        if self.is_recorded {
            return;
        }
        let number = *self.number.get_or_insert_with(|| recorder.number());
        recorder.record(number, self.line.text());
        self.is_recorded = true;
        self.recorded_at = Some(recorder.time);
    }
}
