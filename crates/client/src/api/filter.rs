//! Which runs are listed: an expression of the server, or a filter in the form that scripts for other servers write,
//! `{"config.lr": {"$gt": 0.1}, "state": "finished"}`, as such an expression.

use steplog_model::Value;

use super::{field, time};
use crate::Error;

/// A filter of runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Option<String>);

/// True for every run, and for none: every run has an id.
const ALL: &str = "id != null";
const NONE: &str = "id = null";

/// The operators that compare, and what they are in an expression.
const COMPARISONS: [(&str, &str); 4] = [("$gt", ">"), ("$gte", ">="), ("$lt", "<"), ("$lte", "<=")];

impl Filter {
    /// An expression such as `config.lr >= 0.001 and state = "running" and not tags = "old"`, as
    /// [`steplog_protocol::RunsRequest`] describes it.
    pub fn expression(text: impl Into<String>) -> Self {
        Self(Some(text.into()).filter(|text| !text.trim().is_empty()))
    }

    /// The expression that a map of fields means. Operators are `$and $or $nor $not $eq $ne $gt $gte $lt $lte $in $nin
    /// $exists`; several members must all hold. Fields are those of an expression, with their other names
    /// (`summary_metrics.loss`, `config.lr.value`, `display_name`, `jobType`, `created_at`, …); `name` is the id or the
    /// name. Times may be ISO 8601 texts. As in a database of documents, `$ne`, `$nin` and `$not` hold for runs that lack
    /// the field.
    ///
    /// # Errors
    /// It names a field or an operator that there is not.
    pub fn from_value(value: &Value) -> Result<Self, Error> {
        match value {
            Value::Null => Ok(Self(None)),
            Value::Text(text) => Ok(Self::expression(&**text)),
            Value::Map(members) => Ok(Self(Some(all_of(members)?).filter(|text| text != ALL))),
            other => Err(Error::invalid(format_args!("a filter is a map of fields or an expression, not {other:?}"))),
        }
    }

    /// As [`Self::from_value`], from JSON.
    ///
    /// # Errors
    /// As there.
    pub fn from_json(json: serde_json::Value) -> Result<Self, Error> {
        Self::from_value(&Value::from_json(json))
    }

    /// As the server takes it; `None` for all runs.
    pub fn as_expression(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl From<&str> for Filter {
    fn from(expression: &str) -> Self {
        Self::expression(expression)
    }
}

/// All members of a filter hold.
fn all_of(members: &[(Box<str>, Value)]) -> Result<String, Error> {
    let parts = members.iter().map(|(name, value)| member(name, value)).collect::<Result<Vec<_>, _>>()?;
    Ok(join(parts, " and ", ALL))
}

fn member(name: &str, value: &Value) -> Result<String, Error> {
    match name {
        "$and" => Ok(join(filters(name, value)?, " and ", ALL)),
        "$or" => Ok(join(filters(name, value)?, " or ", NONE)),
        "$nor" => Ok(negated(&join(filters(name, value)?, " or ", NONE))),
        "$not" => match value {
            Value::Map(members) => Ok(negated(&all_of(members)?)),
            _ => Err(Error::invalid("$not takes a map")),
        },
        _ if name.starts_with('$') => Err(unknown_operator(name)),
        _ => conditions(&field::alternatives(name)?, value),
    }
}

fn filters(operator: &str, value: &Value) -> Result<Vec<String>, Error> {
    let wrong = || Error::invalid(format_args!("{operator} takes a list of filters"));
    let Value::List(items) = value else { return Err(wrong()) };
    let filter = |item: &Value| match item {
        Value::Map(members) => all_of(members),
        _ => Err(wrong()),
    };
    items.iter().map(filter).collect()
}

/// What is asked of one field: a value, or a map of operators which must all hold.
fn conditions(fields: &[String], value: &Value) -> Result<String, Error> {
    let Value::Map(operators) = value else { return compare(fields, "=", value) };
    if operators.is_empty() || !operators.iter().all(|(name, _)| name.starts_with('$')) {
        let message = "is compared with a map: name its leaves, such as config.model.depth";
        return Err(Error::invalid(format_args!("{} {message}", fields[0])));
    }
    let parts = operators.iter().map(|(name, value)| condition(fields, name, value)).collect::<Result<Vec<_>, _>>()?;
    Ok(join(parts, " and ", ALL))
}

fn condition(fields: &[String], operator: &str, value: &Value) -> Result<String, Error> {
    if let Some((_, symbol)) = COMPARISONS.iter().find(|(name, _)| *name == operator) {
        return compare(fields, symbol, value);
    }
    match operator {
        "$eq" => compare(fields, "=", value),
        "$ne" => Ok(negated(&compare(fields, "=", value)?)),
        "$in" => any_of(fields, operator, value),
        "$nin" => Ok(negated(&any_of(fields, operator, value)?)),
        "$not" => Ok(negated(&conditions(fields, value)?)),
        "$exists" => match value {
            Value::Bool(false) | Value::Int(0) => compare(fields, "=", &Value::Null),
            Value::Bool(true) | Value::Int(1) => Ok(negated(&compare(fields, "=", &Value::Null)?)),
            other => Err(Error::invalid(format_args!("$exists takes true or false, not {other:?}"))),
        },
        _ => Err(unknown_operator(operator)),
    }
}

fn unknown_operator(operator: &str) -> Error {
    let hint = match operator {
        "$regex" => {
            "hint: write an expression with ~, which looks for a part of a text without case: name ~ \"resnet\""
        }
        _ => "hint: operators are $and $or $nor $not $eq $ne $gt $gte $lt $lte $in $nin $exists",
    };
    Error::invalid(format_args!("there is no operator {operator}\n{hint}"))
}

fn any_of(fields: &[String], operator: &str, value: &Value) -> Result<String, Error> {
    let Value::List(items) = value else {
        return Err(Error::invalid(format_args!("{operator} takes a list")));
    };
    let parts = items.iter().map(|item| compare(fields, "=", item)).collect::<Result<Vec<_>, _>>()?;
    Ok(join(parts, " or ", NONE))
}

/// Compares the one of the fields that a run has. It has none when all are missing.
fn compare(fields: &[String], symbol: &str, value: &Value) -> Result<String, Error> {
    let parts = fields.iter().map(|field| Ok(format!("{} {symbol} {}", quoted_field(field)?, literal(field, value)?)));
    let parts = parts.collect::<Result<Vec<_>, Error>>()?;
    Ok(join(parts, if *value == Value::Null { " and " } else { " or " }, NONE))
}

fn quoted_field(field: &str) -> Result<String, Error> {
    if field.contains('`') {
        return Err(Error::invalid(format_args!("the field {field:?} cannot be filtered by: it has a backtick")));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    Ok(if field.chars().all(is_plain) { field.to_owned() } else { format!("`{field}`") })
}

fn literal(field: &str, value: &Value) -> Result<String, Error> {
    Ok(match value {
        Value::Null => "null".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::BigInt(digits) => digits.to_string(),
        // The server keeps NaN, which compares with nothing, as a text.
        Value::Float(number) if number.is_nan() => "\"NaN\"".into(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) if matches!(field, "created_at" | "updated_at") => {
            let wrong = || Error::invalid(format_args!("{field} is compared with {text:?}, which is no ISO 8601 time"));
            format!("{:?}", time::from_iso(text).ok_or_else(wrong)?)
        }
        Value::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Value::List(_) | Value::Map(_) => {
            return Err(Error::invalid(format_args!(
                "{field} can be compared with one value only, not with {value:?}"
            )));
        }
    })
}

fn negated(filter: &str) -> String {
    format!("not ({filter})")
}

fn join(mut parts: Vec<String>, word: &str, of_none: &str) -> String {
    match parts.len() {
        0 => of_none.into(),
        1 => parts.remove(0),
        _ => parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(word),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn maps_become_expressions() {
        for (filter, expression) in [
            (json!({"state": "finished"}), "state = \"finished\""),
            (json!({"config.lr": {"$gt": 0.1}, "state": "finished"}), "(config.lr > 0.1) and (state = \"finished\")"),
            (json!({"config.lr": {"$gte": 1e-9, "$lt": 1}}), "(config.lr >= 1e-9) and (config.lr < 1)"),
            (json!({"summary_metrics.train/loss": {"$lte": -2}}), "`summary.train/loss` <= -2"),
            (json!({"config.lr.value": 3}), "(config.lr = 3) or (config.lr.value = 3)"),
            (json!({"config.lr.value": null}), "(config.lr = null) and (config.lr.value = null)"),
            (json!({"name": "x"}), "(id = \"x\") or (name = \"x\")"),
            (json!({"display_name": "say \"a\\b\""}), r#"name = "say \"a\\b\"""#),
            (json!({"tags": {"$in": ["a", "b"]}}), "(tags = \"a\") or (tags = \"b\")"),
            (json!({"tags": {"$nin": ["a"]}}), "not (tags = \"a\")"),
            (json!({"tags": {"$in": []}}), "id = null"),
            (json!({"group": {"$ne": "g"}}), "not (group = \"g\")"),
            (json!({"group": {"$exists": true}}), "not (group = null)"),
            (json!({"group": {"$exists": false}}), "group = null"),
            (json!({"config.lr": {"$not": {"$gt": 5}}}), "not (config.lr > 5)"),
            (json!({"$not": {"jobType": "eval"}}), "not (job_type = \"eval\")"),
            (
                json!({"$or": [{"state": "failed"}, {"state": "crashed", "config.deep": true}]}),
                "(state = \"failed\") or ((state = \"crashed\") and (config.deep = true))",
            ),
            (json!({"$and": [{"state": "failed"}]}), "state = \"failed\""),
            (json!({"$nor": [{"state": "failed"}]}), "not (state = \"failed\")"),
            (json!({"$or": []}), "id = null"),
            (json!({"created_at": {"$gt": "2026-11-25T18:42:37Z"}}), "created_at > 1795632157.0"),
            (json!({"updated_at": {"$lt": 5}}), "updated_at < 5"),
            (json!("config.lr > 1"), "config.lr > 1"),
        ] {
            assert_eq!(Filter::from_json(filter.clone()).unwrap().as_expression(), Some(expression), "{filter}");
        }
        for all in [json!({}), json!(null), json!("  "), json!({"$and": []})] {
            assert_eq!(Filter::from_json(all).unwrap().as_expression(), None);
        }
        let special = |number: f64| Value::Map(vec![("config.x".into(), Value::Float(number))]);
        assert_eq!(Filter::from_value(&special(f64::NAN)).unwrap().as_expression(), Some("config.x = \"NaN\""));
        assert_eq!(Filter::from_value(&special(f64::NEG_INFINITY)).unwrap().as_expression(), Some("config.x = -inf"));
    }

    #[test]
    fn what_there_is_not_is_named() {
        for (filter, message) in [
            (json!({"lr": 1}), "there is no field \"lr\""),
            (json!({"config.lr": {"$near": 1}}), "there is no operator $near"),
            (json!({"display_name": {"$regex": "^a"}}), "there is no operator $regex"),
            (json!({"$where": "x"}), "there is no operator $where"),
            (json!({"$or": {"state": "failed"}}), "$or takes a list of filters"),
            (json!({"$and": ["x"]}), "$and takes a list of filters"),
            (json!({"tags": {"$in": "a"}}), "$in takes a list"),
            (json!({"tags": ["a"]}), "tags can be compared with one value only, not with [\"a\"]"),
            (
                json!({"config.model": {"depth": 3}}),
                "config.model is compared with a map: name its leaves, such as config.model.depth",
            ),
            (json!({"group": {"$exists": "yes"}}), "$exists takes true or false, not \"yes\""),
            (
                json!({"created_at": {"$gt": "monday"}}),
                "created_at is compared with \"monday\", which is no ISO 8601 time",
            ),
            (json!({"config.a`b": 1}), "the field \"config.a`b\" cannot be filtered by: it has a backtick"),
            (json!(["state"]), "a filter is a map of fields or an expression, not [\"state\"]"),
        ] {
            let error = Filter::from_json(filter.clone()).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Invalid);
            assert_eq!(error.to_string().lines().next(), Some(message), "{filter}");
        }
    }
}
