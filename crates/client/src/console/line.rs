//! A line of a terminal without right margin.

use steplog_model::MAX_CONSOLE_LINE_BYTES;

use super::style::Style;

/// A line has at most so many columns; what is printed beyond goes on in the next line. Characters of four bytes without
/// colours take half of what a text of the journal may have.
pub(super) const MAX_COLUMNS: usize = 8192;

/// Marks over and under characters that a line has at most.
const MAX_MARKS: usize = 1024;

/// Stands behind a character that takes two columns.
const WIDE_TAIL: char = '\0';

/// Room for the longest sequence that [`Style::write_after`] writes, for marks, and for the sequence at the end of a line.
const RESERVED_BYTES: usize = 64 + 4 * MAX_MARKS + 8;

/// What a line holds.
#[derive(Debug)]
pub(super) enum Line {
    /// Nothing but ASCII in the default style: each byte is a column.
    Plain(String),
    /// Anything else.
    Styled(Styled),
}

#[derive(Debug)]
pub(super) struct Styled {
    cells: Vec<Cell>,
    /// Characters without a width, each behind the one in its column.
    marks: Vec<(usize, char)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    character: char,
    style: Style,
}

const BLANK: Cell = Cell { character: ' ', style: Style::DEFAULT };

impl Default for Line {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

impl Line {
    /// How far it goes, blanks at its end included.
    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Plain(text) => text.len(),
            Self::Styled(styled) => styled.cells.len(),
        }
    }

    /// Bytes that it takes in memory, more or less.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Plain(text) => text.len(),
            Self::Styled(Styled { cells, marks }) => cells.len() * size_of::<Cell>() + marks.len() * 16,
        }
    }

    /// Prints visible ASCII at a column; the caller has seen to it that it fits.
    pub(super) fn print_ascii(&mut self, column: usize, ascii: &str, style: Style) {
        match self {
            Self::Plain(text) if style == Style::DEFAULT => {
                if column > text.len() {
                    text.extend(std::iter::repeat_n(' ', column - text.len()));
                }
                if column == text.len() {
                    text.push_str(ascii);
                } else {
                    let end = text.len().min(column + ascii.len());
                    text.replace_range(column..end, ascii);
                }
            }
            _ => {
                let styled = self.styled();
                for (index, character) in ascii.chars().enumerate() {
                    styled.put(column + index, character, 1, style);
                }
            }
        }
    }

    /// Prints a character that takes one or two columns.
    pub(super) fn print(&mut self, column: usize, character: char, width: usize, style: Style) {
        self.styled().put(column, character, width, style);
    }

    /// Adds a character without a width to the one before a column.
    pub(super) fn mark(&mut self, column: usize, mark: char) {
        let styled = self.styled();
        let mut at = column.saturating_sub(1).min(styled.cells.len().saturating_sub(1));
        if styled.cells.get(at).is_some_and(|cell| cell.character == WIDE_TAIL) {
            at -= 1;
        }
        if styled.marks.len() < MAX_MARKS && at < styled.cells.len() {
            styled.marks.push((at, mark));
        }
    }

    /// Makes a range of columns blank; whether that changes anything.
    pub(super) fn erase(&mut self, from: usize, to: usize) -> bool {
        let to = to.min(self.columns());
        if from >= to {
            return false;
        }
        match self {
            Self::Plain(text) if to == text.len() => text.truncate(from),
            Self::Plain(text) => text.replace_range(from..to, &" ".repeat(to - from)),
            Self::Styled(styled) => {
                styled.split_wide(from);
                styled.split_wide(to);
                styled.marks.retain(|(column, _)| !(from..to).contains(column));
                if to == styled.cells.len() { styled.cells.truncate(from) } else { styled.cells[from..to].fill(BLANK) }
            }
        }
        true
    }

    /// Moves what stands at a column and behind to the right.
    pub(super) fn insert_blanks(&mut self, column: usize, count: usize) -> bool {
        let columns = self.columns();
        if column >= columns {
            return false;
        }
        let styled = self.styled();
        styled.split_wide(column);
        let count = count.min(MAX_COLUMNS - column);
        styled.cells.splice(column..column, std::iter::repeat_n(BLANK, count));
        styled.split_wide(MAX_COLUMNS);
        styled.cells.truncate(MAX_COLUMNS);
        let moved = |(at, mark)| (if at >= column { at + count } else { at }, mark);
        styled.marks = styled.marks.drain(..).map(moved).filter(|(at, _)| *at < MAX_COLUMNS).collect();
        true
    }

    /// Removes columns; what stands behind moves to the left.
    pub(super) fn delete(&mut self, column: usize, count: usize) -> bool {
        let columns = self.columns();
        if column >= columns || count == 0 {
            return false;
        }
        let styled = self.styled();
        let end = columns.min(column.saturating_add(count));
        styled.split_wide(column);
        styled.split_wide(end);
        styled.cells.drain(column..end);
        styled.marks.retain(|(at, _)| !(column..end).contains(at));
        for (at, _) in styled.marks.iter_mut().filter(|(at, _)| *at >= end) {
            *at -= end - column;
        }
        true
    }

    /// The text with the sequences for its colours, and without the blanks at its end. It begins and ends in the default
    /// style.
    pub(super) fn text(&self) -> Box<str> {
        match self {
            Self::Plain(text) => text.trim_end_matches(' ').into(),
            Self::Styled(styled) => styled.text().into(),
        }
    }

    fn styled(&mut self) -> &mut Styled {
        if let Self::Plain(text) = self {
            let cells = text.chars().map(|character| Cell { character, ..BLANK }).collect();
            *self = Self::Styled(Styled { cells, marks: Vec::new() });
        }
        match self {
            Self::Styled(styled) => styled,
            Self::Plain(_) => unreachable!("it was just made"),
        }
    }
}

impl Styled {
    fn put(&mut self, column: usize, character: char, width: usize, style: Style) {
        let end = column + width;
        if self.cells.len() < end {
            self.cells.resize(end, BLANK);
        } else {
            self.split_wide(end);
        }
        self.split_wide(column);
        if !self.marks.is_empty() {
            self.marks.retain(|(at, _)| !(column..end).contains(at));
        }
        self.cells[column] = Cell { character, style };
        if width == 2 {
            self.cells[column + 1] = Cell { character: WIDE_TAIL, style };
        }
    }

    /// Of a character that stands on both sides of a column neither half is left.
    fn split_wide(&mut self, column: usize) {
        if column > 0 && self.cells.get(column).is_some_and(|cell| cell.character == WIDE_TAIL) {
            self.cells[column - 1] = BLANK;
            self.cells[column] = BLANK;
            self.marks.retain(|(at, _)| *at != column - 1);
        }
    }

    fn text(&self) -> String {
        let end = self.cells.iter().rposition(|cell| *cell != BLANK).map_or(0, |last| last + 1);
        let cells = &self.cells[..end];
        let mut out = String::with_capacity(end + 16);
        let mut style = Style::DEFAULT;
        let mut marks = self.marks.clone();
        marks.sort_by_key(|(at, _)| *at);
        let mut marks = marks.into_iter().peekable();
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| cell.character != WIDE_TAIL) {
            if out.len() + RESERVED_BYTES > MAX_CONSOLE_LINE_BYTES {
                // So many colours are no text any more: the text alone always fits.
                return cells.iter().map(|cell| cell.character).filter(|character| *character != WIDE_TAIL).collect();
            }
            cell.style.write_after(&style, &mut out);
            style = cell.style;
            out.push(cell.character);
            while let Some((_, mark)) = marks.next_if(|(at, _)| *at <= column) {
                out.push(mark);
            }
        }
        Style::DEFAULT.write_after(&style, &mut out);
        out
    }
}
