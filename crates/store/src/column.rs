//! One field of all runs of a project, in memory: what filters test and sorts compare.

use std::cmp::Ordering;

use rusqlite::types::ValueRef;
use steplog_model::Value;

use crate::catalog;

/// Longest text that is kept, in bytes; what stands behind is not searched.
const MAX_TEXT: usize = 64 << 10;

/// What one run has of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Missing,
    /// A value that is null: there, but equal to nothing.
    Null,
    /// Never NaN.
    Number(f64),
    Text(&'a str),
}

impl<'a> Cell<'a> {
    /// A number of a run; a number that compares with nothing is none.
    pub(crate) fn number(number: f64) -> Self {
        // The two zeros are one value.
        if number.is_nan() { Self::Missing } else { Self::Number(number + 0.0) }
    }

    /// A field of a run as the database gives it.
    pub(crate) fn from_sql(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null | ValueRef::Blob(_) => Self::Missing,
            ValueRef::Integer(number) => Self::Number(number as f64),
            ValueRef::Real(number) => Self::number(number),
            // The catalog holds nothing but UTF-8.
            ValueRef::Text(text) => std::str::from_utf8(text).map_or(Self::Missing, Self::Text),
        }
    }

    /// A value of a config or a summary as the database gives it: by number, or by text.
    pub(crate) fn from_value_sql(number: ValueRef<'a>, text: ValueRef<'a>) -> Self {
        match (Self::from_sql(number), Self::from_sql(text)) {
            (Self::Missing, Self::Missing) => Self::Null,
            (Self::Missing, text) => text,
            (number, _) => number,
        }
    }

    /// Whether there is nothing to compare.
    pub(crate) fn is_empty(self) -> bool {
        matches!(self, Self::Missing | Self::Null)
    }

    /// The order of a sort: numbers, then texts, then nothing, whichever way the values go.
    pub(crate) fn compare(self, other: Self, descending: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(&b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (a, b) => return a.rank().cmp(&b.rank()),
        };
        if descending { order.reverse() } else { order }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Null | Self::Missing => 2,
        }
    }
}

/// A cell for each run of a table, by the run's place there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    cells: Vec<Stored>,
    /// All texts, one behind the other.
    texts: String,
    /// Bytes of `texts` that no cell names any more.
    unused: usize,
}

#[derive(Clone, Copy, Debug)]
enum Stored {
    Missing,
    Null,
    Number(f64),
    Text { length: u32, start: usize },
}

impl Column {
    /// A column in which no run has anything.
    pub(crate) fn missing(runs: usize) -> Self {
        Self { cells: vec![Stored::Missing; runs], ..Self::default() }
    }

    /// A column in which every run has one of a few texts, by index.
    pub(crate) fn of_choices(choices: &[&str], runs: impl Iterator<Item = usize>) -> Self {
        let mut end = 0;
        let texts: Vec<Stored> = choices
            .iter()
            .map(|text| {
                end += text.len();
                Stored::Text { length: text.len() as u32, start: end - text.len() }
            })
            .collect();
        Self { cells: runs.map(|choice| texts[choice]).collect(), texts: choices.concat(), unused: 0 }
    }

    pub(crate) fn get(&self, place: usize) -> Cell<'_> {
        match self.cells[place] {
            Stored::Missing => Cell::Missing,
            Stored::Null => Cell::Null,
            Stored::Number(number) => Cell::Number(number),
            Stored::Text { length, start } => Cell::Text(&self.texts[start..start + length as usize]),
        }
    }

    /// All cells, by place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Cell<'_>> {
        (0..self.cells.len()).map(|place| self.get(place))
    }

    /// Which runs have a text that contains `pattern`, which is in lower case, whatever the case of the text.
    pub(crate) fn contains(&self, pattern: &str) -> Vec<bool> {
        if self.texts.is_ascii() {
            // Lowering such texts moves none of them.
            let lower = self.texts.to_ascii_lowercase();
            let text = |start: usize, length: u32| &lower[start..start + length as usize];
            let test = |cell: &Stored| match cell {
                Stored::Text { length, start } => text(*start, *length).contains(pattern),
                _ => false,
            };
            return self.cells.iter().map(test).collect();
        }
        let test = |cell| matches!(cell, Cell::Text(text) if text.to_lowercase().contains(pattern));
        self.iter().map(test).collect()
    }

    /// Adds runs that have nothing.
    pub(crate) fn grow(&mut self, runs: usize) {
        self.cells.resize(runs, Stored::Missing);
    }

    pub(crate) fn set(&mut self, place: usize, cell: Cell<'_>) {
        if self.get(place) == cell {
            return;
        }
        if let Stored::Text { length, .. } = self.cells[place] {
            self.unused += length as usize;
        }
        self.cells[place] = match cell {
            Cell::Missing => Stored::Missing,
            Cell::Null => Stored::Null,
            Cell::Number(number) => Stored::Number(number),
            Cell::Text(text) => {
                let text = &text[..text.floor_char_boundary(MAX_TEXT)];
                let start = self.texts.len();
                self.texts.push_str(text);
                Stored::Text { length: text.len() as u32, start }
            }
        };
        if self.unused > 4096 && self.unused > self.texts.len() / 2 {
            self.compact();
        }
    }

    /// Sets a cell to a value of a config or a summary.
    pub(crate) fn set_value(&mut self, place: usize, value: Option<&Value>) {
        let Some(value) = value else { return self.set(place, Cell::Missing) };
        match catalog::searchable(value) {
            (Some(number), _) => self.set(place, Cell::number(number)),
            (None, Some(text)) => self.set(place, Cell::Text(&text)),
            (None, None) => self.set(place, Cell::Null),
        }
    }

    /// Drops the runs for which `keep` is false.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let mut keep = keep.iter();
        self.cells.retain(|cell| {
            let keep = keep.next().copied().unwrap_or(true);
            if let (false, Stored::Text { length, .. }) = (keep, cell) {
                self.unused += *length as usize;
            }
            keep
        });
    }

    /// Memory that it holds.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.cells.capacity() * size_of::<Stored>() + self.texts.capacity()
    }

    /// Gives back memory that was taken in advance.
    pub(crate) fn shrink(&mut self) {
        self.cells.shrink_to_fit();
        self.texts.shrink_to_fit();
    }

    fn compact(&mut self) {
        let mut texts = String::with_capacity(self.texts.len() - self.unused);
        for cell in &mut self.cells {
            if let Stored::Text { length, start } = cell {
                let text = &self.texts[*start..*start + *length as usize];
                *start = texts.len();
                texts.push_str(text);
            }
        }
        self.texts = texts;
        self.unused = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_change_and_go_while_the_others_stay() {
        let mut column = Column::missing(3);
        for round in 0..2000 {
            column.set(0, Cell::Text(&format!("text {round}")));
            column.set(1, Cell::Number(f64::from(round)));
        }
        column.set(2, Cell::Null);
        column.grow(4);
        assert!(column.texts.len() < 16 << 10, "texts that were replaced are let go: {}", column.texts.len());
        let cells: Vec<Cell<'_>> = column.iter().collect();
        assert_eq!(cells, [Cell::Text("text 1999"), Cell::Number(1999.0), Cell::Null, Cell::Missing]);
        column.retain(&[true, false, true, true]);
        let cells: Vec<Cell<'_>> = column.iter().collect();
        assert_eq!(cells, [Cell::Text("text 1999"), Cell::Null, Cell::Missing]);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut column = Column::missing(1);
        column.set(0, Cell::Text(&format!("a{}", "é".repeat(MAX_TEXT))));
        assert_eq!(column.get(0), Cell::Text(&format!("a{}", "é".repeat(MAX_TEXT / 2 - 1))));
    }

    #[test]
    fn numbers_then_texts_then_nothing_in_either_direction() {
        let cells = [Cell::Number(f64::NEG_INFINITY), Cell::Number(2.0), Cell::Text("a"), Cell::Text("b"), Cell::Null];
        let sorted = |descending| {
            let mut sorted = cells;
            sorted.sort_by(|a, b| a.compare(*b, descending));
            sorted
        };
        assert_eq!(sorted(false), cells);
        assert_eq!(sorted(true), [1, 0, 3, 2, 4].map(|place: usize| cells[place]));
        assert_eq!(Cell::number(-0.0).compare(Cell::number(0.0), false), Ordering::Equal);
    }
}
