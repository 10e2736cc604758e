//! Which runs a filter or a search finds.

use std::collections::HashSet;

use crate::Error;
use crate::column::{Cell, Column};
use crate::field::Field;
use crate::filter::{Filter, Literal, Operator};
use crate::ingest::tag_json;
use crate::table::Table;

/// Fields that a search looks into.
pub(crate) const SEARCHED: [&str; 5] = ["name", "id", "group", "notes", "tags"];

/// One comparison, which holds for a run or does not: a missing value equals nothing, and differs from nothing.
enum Test {
    Never,
    Null,
    NotNull,
    Number(Operator, f64),
    Text(Operator, String),
    /// In lower case.
    Contains(String),
    /// A tag as it stands in the list, and whether it must not be there.
    Tag(String, bool),
}

/// The names of the fields in a filter.
pub(crate) fn fields(filter: &Filter) -> Vec<&str> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().flat_map(fields).collect(),
        Filter::Not(inner) => fields(inner),
        Filter::Compare { field, .. } | Filter::In { field, .. } => vec![field],
    }
}

/// Which runs of a table a filter finds, by place. The table must hold the filter's [`fields`].
pub(crate) fn filter(table: &Table, filter: &Filter) -> Result<Vec<bool>, Error> {
    Ok(match filter {
        Filter::And(parts) => all(table, parts, |found, other| found && other)?,
        Filter::Or(parts) => all(table, parts, |found, other| found || other)?,
        Filter::Not(inner) => self::filter(table, inner)?.into_iter().map(|found| !found).collect(),
        Filter::Compare { field, operator, value } => {
            let (meaning, column) = table.field(field);
            Test::new(field, meaning, *operator, value)?.find(column)
        }
        Filter::In { field, values } => {
            let (meaning, column) = table.field(field);
            let test = |value| Test::new(field, meaning, Operator::Equal, value);
            is_one_of(column, values.iter().map(test).collect::<Result<_, _>>()?)
        }
    })
}

fn all(table: &Table, parts: &[Filter], join: impl Fn(bool, bool) -> bool) -> Result<Vec<bool>, Error> {
    let mut parts = parts.iter().map(|part| filter(table, part));
    let mut found = parts.next().unwrap_or_else(|| Ok(vec![true; table.runs.len()]))?;
    for other in parts {
        found.iter_mut().zip(other?).for_each(|(found, other)| *found = join(*found, other));
    }
    Ok(found)
}

/// Which runs of a table have a text in one of the [`SEARCHED`] fields.
pub(crate) fn search(table: &Table, text: &str) -> Vec<bool> {
    let mut found = vec![false; table.runs.len()];
    for name in SEARCHED {
        let pattern = if name == "tags" { tag_pattern(text) } else { text.to_lowercase() };
        let (_, column) = table.field(name);
        found.iter_mut().zip(column.contains(&pattern)).for_each(|(found, here)| *found |= here);
    }
    found
}

/// A part of a tag as it stands in the list, in lower case.
fn tag_pattern(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json[1..json.len() - 1].to_lowercase()
}

/// Many equalities at the cost of one.
fn is_one_of(column: &Column, tests: Vec<Test>) -> Vec<bool> {
    let (mut numbers, mut texts, mut others) = (HashSet::new(), HashSet::new(), Vec::new());
    for test in tests {
        match test {
            Test::Number(Operator::Equal, number) => drop(numbers.insert(number.to_bits())),
            Test::Text(Operator::Equal, text) => drop(texts.insert(text)),
            other => others.push(other),
        }
    }
    let test = |cell| match cell {
        Cell::Number(number) if numbers.contains(&number.to_bits()) => true,
        Cell::Text(text) if texts.contains(text) => true,
        cell => others.iter().any(|test| test.holds(cell)),
    };
    column.iter().map(test).collect()
}

impl Test {
    fn new(name: &str, field: &Field, operator: Operator, value: &Literal) -> Result<Self, Error> {
        if *value == Literal::Null {
            return match operator {
                Operator::Equal => Ok(Self::Null),
                Operator::NotEqual => Ok(Self::NotNull),
                _ => Err(Error::invalid(format!("{name} can be compared with null only by = and !="))),
            };
        }
        match field {
            Field::Value { .. } => Ok(Self::of_value(operator, value)),
            Field::Tags => Self::of_tags(operator, value),
            Field::Text(_) | Field::State => match value {
                Literal::Text(text) => Ok(Self::of_text(operator, text)),
                _ => Err(Error::invalid(format!("{name} is a text: put the value in quotes"))),
            },
            Field::Number(_) => match value {
                Literal::Number(_) if operator == Operator::Contains => {
                    Err(Error::invalid(format!("{name} is a number: ~ looks into texts only")))
                }
                Literal::Number(number) => Ok(Self::Number(operator, number + 0.0)),
                _ => Err(Error::invalid(format!("{name} is a number and can be compared only with one"))),
            },
        }
    }

    fn of_value(operator: Operator, value: &Literal) -> Self {
        match value {
            Literal::Text(text) => Self::of_text(operator, text),
            // A text is not equal to any number, but it contains none either.
            _ if operator == Operator::Contains => Self::Never,
            Literal::Number(number) => Self::Number(operator, number + 0.0),
            Literal::Bool(truth) => Self::Number(operator, f64::from(u8::from(*truth))),
            Literal::Null => Self::Never,
        }
    }

    fn of_text(operator: Operator, text: &str) -> Self {
        match operator {
            Operator::Contains => Self::Contains(text.to_lowercase()),
            _ => Self::Text(operator, text.to_owned()),
        }
    }

    fn of_tags(operator: Operator, value: &Literal) -> Result<Self, Error> {
        let Literal::Text(text) = value else {
            return Err(Error::invalid("tags are texts: put the value in quotes"));
        };
        match operator {
            Operator::Contains => Ok(Self::Contains(tag_pattern(text))),
            Operator::Equal => Ok(Self::Tag(tag_json(text), false)),
            Operator::NotEqual => Ok(Self::Tag(tag_json(text), true)),
            _ => Err(Error::invalid("tags can be compared only by =, !=, ~ and in")),
        }
    }

    fn find(&self, column: &Column) -> Vec<bool> {
        match self {
            Self::Contains(pattern) => column.contains(pattern),
            test => column.iter().map(|cell| test.holds(cell)).collect(),
        }
    }

    fn holds(&self, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Null, cell) => cell == Cell::Missing,
            (Self::NotNull, cell) => cell != Cell::Missing,
            (Self::Never, _) | (_, Cell::Missing) => false,
            (Self::Number(operator, wanted), Cell::Number(number)) => compares(*operator, &number, wanted),
            (Self::Text(operator, wanted), Cell::Text(text)) => compares(*operator, text, wanted.as_str()),
            (Self::Number(operator, _) | Self::Text(operator, _), _) => *operator == Operator::NotEqual,
            (Self::Contains(pattern), Cell::Text(text)) => text.to_lowercase().contains(pattern),
            (Self::Tag(tag, negated), Cell::Text(tags)) => tags.contains(tag) != *negated,
            (Self::Contains(_) | Self::Tag(..), _) => false,
        }
    }
}

fn compares<T: PartialOrd + ?Sized>(operator: Operator, value: &T, wanted: &T) -> bool {
    match operator {
        Operator::Equal => value == wanted,
        Operator::NotEqual => value != wanted,
        Operator::Less => value < wanted,
        Operator::LessOrEqual => value <= wanted,
        Operator::Greater => value > wanted,
        Operator::GreaterOrEqual => value >= wanted,
        Operator::Contains => false,
    }
}
