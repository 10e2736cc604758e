//! Filters, sorts and groups as SQL over the catalog. Whatever comes from a request is a parameter.

use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use crate::filter::{Filter, Literal, Operator};
use crate::ingest::tag_json;
use crate::state::STATE_SQL;
use crate::{Error, catalog};

/// What a field of a run is, in SQL where `r` is the run.
pub(crate) enum Field {
    /// A text of the run itself, or null.
    Text(&'static str),
    /// A number of the run itself, or null.
    Number(&'static str),
    Tags,
    /// A value of the config or the summary; `None` when no run of the project has it.
    Value(Option<i64>),
}

impl Field {
    /// Finds out what a field's name means in a project.
    pub(crate) fn find(database: &Connection, project: i64, name: &str) -> Result<Self, Error> {
        Ok(match name {
            "id" => Self::Text("r.run_id"),
            "name" => Self::Text("r.name"),
            "state" => Self::Text(STATE_SQL),
            "group" => Self::Text("r.run_group"),
            "job_type" => Self::Text("r.job_type"),
            "notes" => Self::Text("r.notes"),
            "tags" => Self::Tags,
            "created_at" => Self::Number("r.created_at"),
            "updated_at" => Self::Number("r.updated_at"),
            "duration" => Self::Number("max(0.0, coalesce(r.finished_at, r.last_time) - r.created_at)"),
            "last_step" => Self::Number("r.last_step"),
            "row_count" => Self::Number("r.row_count"),
            name if name.starts_with("config.") || name.starts_with("summary.") => {
                Self::Value(catalog::find_name(database, "fields", project, name)?)
            }
            name => {
                return Err(Error::invalid(format!("there is no field {name:?}")).with_hint(
                    "fields are id, name, state, group, job_type, tags, notes, created_at, updated_at, duration, last_step, \
                     row_count, config.PATH and summary.PATH",
                ));
            }
        })
    }
}

/// A statement in the making: its parameters, of which `$1` is the time since when a sign of life counts.
pub(crate) struct Query<'a> {
    pub(crate) database: &'a Connection,
    pub(crate) project: i64,
    pub(crate) parameters: Vec<Sql>,
}

impl<'a> Query<'a> {
    pub(crate) fn new(database: &'a Connection, project: i64, alive_since: f64) -> Self {
        Self { database, project, parameters: vec![Sql::Real(alive_since)] }
    }

    /// Adds a parameter and answers its place.
    pub(crate) fn parameter(&mut self, value: impl Into<Sql>) -> String {
        self.parameters.push(value.into());
        format!("${}", self.parameters.len())
    }

    /// A condition that is true or false for every run, never null.
    pub(crate) fn condition(&mut self, filter: &Filter) -> Result<String, Error> {
        Ok(match filter {
            Filter::And(parts) => self.join(parts, " AND ")?,
            Filter::Or(parts) => self.join(parts, " OR ")?,
            Filter::Not(inner) => format!("NOT {}", self.condition(inner)?),
            Filter::In { field, values } => {
                let equal = |value: &Literal| Filter::Compare {
                    field: field.clone(),
                    operator: Operator::Equal,
                    value: value.clone(),
                };
                let parts: Vec<Filter> = values.iter().map(equal).collect();
                self.join(&parts, " OR ")?
            }
            Filter::Compare { field, operator, value } => {
                let found = Field::find(self.database, self.project, field)?;
                self.comparison(field, &found, *operator, value)?
            }
        })
    }

    fn join(&mut self, parts: &[Filter], with: &str) -> Result<String, Error> {
        let parts = parts.iter().map(|part| self.condition(part)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("({})", parts.join(with)))
    }

    fn comparison(&mut self, name: &str, field: &Field, operator: Operator, value: &Literal) -> Result<String, Error> {
        if *value == Literal::Null {
            let is_null = match field {
                Field::Text(sql) | Field::Number(sql) => format!("({sql} IS NULL)"),
                Field::Tags => "(r.tags = '[]')".into(),
                Field::Value(None) => "TRUE".into(),
                Field::Value(Some(field)) => {
                    let field = self.parameter(*field);
                    format!("(r.id NOT IN (SELECT run FROM run_values WHERE field = {field}))")
                }
            };
            return match operator {
                Operator::Equal => Ok(is_null),
                Operator::NotEqual => Ok(format!("(NOT {is_null})")),
                _ => Err(Error::invalid(format!("{name} can be compared with null only by = and !="))),
            };
        }
        Ok(match field {
            Field::Value(None) => "FALSE".into(),
            Field::Value(Some(field)) => {
                let field = self.parameter(*field);
                let test = self.test_value(operator, value);
                format!("(r.id IN (SELECT run FROM run_values WHERE field = {field} AND {test}))")
            }
            Field::Tags => self.test_tags(operator, value)?,
            Field::Text(sql) => {
                let Literal::Text(text) = value else {
                    return Err(Error::invalid(format!("{name} is a text: put the value in quotes")));
                };
                let test = self.test_text(sql, operator, text);
                format!("({sql} IS NOT NULL AND {test})")
            }
            Field::Number(sql) => {
                let Literal::Number(number) = value else {
                    return Err(Error::invalid(format!("{name} is a number and can be compared only with one")));
                };
                if operator == Operator::Contains {
                    return Err(Error::invalid(format!("{name} is a number: ~ looks into texts only")));
                }
                let number = self.parameter(*number);
                format!("({sql} IS NOT NULL AND {sql} {} {number})", symbol(operator))
            }
        })
    }

    fn test_value(&mut self, operator: Operator, value: &Literal) -> String {
        let number = match value {
            Literal::Number(number) => Some(*number),
            Literal::Bool(truth) => Some(f64::from(u8::from(*truth))),
            _ => None,
        };
        match (number, value, operator) {
            // A text is not equal to any number, but it contains none either.
            (Some(_), _, Operator::Contains) => "FALSE".into(),
            (Some(number), _, Operator::NotEqual) => {
                let number = self.parameter(number);
                format!("(number IS NULL OR number <> {number})")
            }
            (Some(number), ..) => {
                let number = self.parameter(number);
                format!("number {} {number}", symbol(operator))
            }
            (None, Literal::Text(text), Operator::NotEqual) => {
                let text = self.parameter(text.clone());
                format!("(text IS NULL OR text <> {text})")
            }
            (None, Literal::Text(text), _) => self.test_text("text", operator, text),
            (None, ..) => "FALSE".into(),
        }
    }

    fn test_text(&mut self, sql: &str, operator: Operator, text: &str) -> String {
        if operator == Operator::Contains {
            return self.contains(sql, text);
        }
        let text = self.parameter(text.to_owned());
        format!("{sql} {} {text}", symbol(operator))
    }

    fn test_tags(&mut self, operator: Operator, value: &Literal) -> Result<String, Error> {
        let Literal::Text(text) = value else {
            return Err(Error::invalid("tags are texts: put the value in quotes"));
        };
        let json = tag_json(text);
        Ok(match operator {
            Operator::Contains => self.contains("r.tags", json.trim_matches('\n').trim_matches('"')),
            Operator::Equal => {
                let tag = self.parameter(json);
                format!("(instr(r.tags, {tag}) > 0)")
            }
            Operator::NotEqual => {
                let tag = self.parameter(json);
                format!("(r.tags <> '[]' AND instr(r.tags, {tag}) = 0)")
            }
            _ => return Err(Error::invalid("tags can be compared only by =, !=, ~ and in")),
        })
    }

    /// Whether a text contains another, without case.
    pub(crate) fn contains(&mut self, sql: &str, text: &str) -> String {
        let mut pattern = String::from("%");
        for character in text.to_lowercase().chars() {
            if matches!(character, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push('%');
        let pattern = self.parameter(pattern);
        format!("(lower({sql}) LIKE {pattern} ESCAPE '\\')")
    }
}

fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "=",
        Operator::NotEqual => "<>",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Contains => "LIKE",
    }
}
