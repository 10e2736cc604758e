//! What the fields of runs are called: by us, and by scripts that were written for other servers.

use steplog_model::{join_key, split_key};

use crate::Error;

/// The fields that a name in a filter may mean; a run has at most one of those that are several.
///
/// `name` is the id for some servers and the name for others. `config.x.value` is how some write `config.x`, and how we
/// write the entry `value` of a map.
pub(super) fn alternatives(name: &str) -> Result<Vec<String>, Error> {
    if name == "name" {
        return Ok(vec!["id".into(), "name".into()]);
    }
    let field = field(name)?;
    if let Some(path) = name.strip_prefix("config.") {
        let plain = format!("config.{path}");
        if plain != field {
            return Ok(vec![field, plain]);
        }
    }
    Ok(vec![field])
}

/// The field that a name means in an ordering.
pub(super) fn field(name: &str) -> Result<String, Error> {
    let plain = match name {
        "id" | "name" | "state" | "tags" | "group" | "notes" | "job_type" | "created_at" | "updated_at"
        | "duration" | "last_step" | "row_count" => name,
        "run_id" => "id",
        "display_name" | "displayName" => "name",
        "description" => "notes",
        "jobType" => "job_type",
        "createdAt" => "created_at",
        "updatedAt" | "heartbeat_at" | "heartbeatAt" => "updated_at",
        "lastHistoryStep" => "last_step",
        "historyLineCount" => "row_count",
        _ => return nested(name).ok_or_else(|| unknown(name)),
    };
    Ok(plain.into())
}

fn nested(name: &str) -> Option<String> {
    let (noun, path) = name.split_once('.').filter(|(_, path)| !path.is_empty())?;
    match noun {
        "config" => {
            let mut parts = split_key(path);
            if parts.get(1).is_some_and(|part| part == "value") {
                parts.remove(1);
            }
            Some(format!("config.{}", join_key(parts.iter().map(String::as_str))))
        }
        "summary" | "summary_metrics" | "summaryMetrics" => Some(match path {
            "_step" => "last_step".into(),
            "_runtime" => "duration".into(),
            "_timestamp" => "updated_at".into(),
            _ => format!("summary.{path}"),
        }),
        _ => None,
    }
}

fn unknown(name: &str) -> Error {
    Error::invalid(format_args!(
        "there is no field {name:?}\nhint: fields are id, name, display_name, state, tags, group, job_type, notes, \
         created_at, updated_at, duration, last_step, row_count, config.PATH and summary_metrics.PATH"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_are_known() {
        for (name, fields) in [
            ("state", vec!["state"]),
            ("name", vec!["id", "name"]),
            ("display_name", vec!["name"]),
            ("jobType", vec!["job_type"]),
            ("heartbeatAt", vec!["updated_at"]),
            ("config.lr", vec!["config.lr"]),
            ("config.lr.value", vec!["config.lr", "config.lr.value"]),
            ("config.model.value.depth", vec!["config.model.depth", "config.model.value.depth"]),
            ("config.value", vec!["config.value"]),
            (r"config.a\.b", vec![r"config.a\.b"]),
            ("summary_metrics.train/loss", vec!["summary.train/loss"]),
            ("summary.loss", vec!["summary.loss"]),
            ("summary_metrics._step", vec!["last_step"]),
            ("summary_metrics._runtime", vec!["duration"]),
        ] {
            assert_eq!(alternatives(name).unwrap(), fields, "{name}");
        }
        for name in ["lr", "config.", "user.username", ""] {
            let error = alternatives(name).unwrap_err().to_string();
            assert!(error.starts_with(&format!("there is no field {name:?}\n")), "{error}");
        }
    }
}
