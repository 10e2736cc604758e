//! Looking things up in the catalog, and the few statements that several modules need.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use steplog_model::{RunPath, StreamId, Value};

use crate::Error;
use crate::database::Sql as _;
use crate::hot::{OpenRow, Rewind};

/// The id of a project, if it exists.
pub(crate) fn project_id(database: &Connection, entity: &str, name: &str) -> Result<Option<i64>, Error> {
    let mut statement = database.sql("SELECT id FROM projects WHERE entity = $1 AND name = $2")?;
    Ok(statement.query_row((entity, name), |row| row.get(0)).optional()?)
}

/// The id of a project given as `entity/project`.
pub(crate) fn project_by_path(database: &Connection, path: &str) -> Result<i64, Error> {
    let (entity, name) = path
        .split_once('/')
        .ok_or_else(|| Error::invalid(format!("{path:?} is not a project: it must have the form entity/project")))?;
    project_id(database, entity, name)?.ok_or_else(|| Error::not_found(format!("there is no project {path:?}")))
}

/// The id of a run and of its project, if it exists.
pub(crate) fn find_run(database: &Connection, path: &RunPath) -> Result<Option<(i64, i64)>, Error> {
    let mut statement = database.sql(
        "SELECT r.id, r.project FROM runs r JOIN projects p ON p.id = r.project
         WHERE p.entity = $1 AND p.name = $2 AND r.run_id = $3",
    )?;
    let names = (path.entity.as_str(), path.project.as_str(), path.run.as_str());
    Ok(statement.query_row(names, |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// The id of a run and of its project.
pub(crate) fn run_id(database: &Connection, path: &RunPath) -> Result<(i64, i64), Error> {
    find_run(database, path)?.ok_or_else(|| Error::not_found(format!("there is no run {path}")))
}

/// The id of a metric key of a project, made if need be.
pub(crate) fn make_key(database: &Connection, project: i64, name: &str) -> Result<i64, Error> {
    make_name(database, "keys", project, name)
}

/// The id of a field (`config.lr`) of a project, made if need be.
pub(crate) fn make_field(database: &Connection, project: i64, name: &str) -> Result<i64, Error> {
    make_name(database, "fields", project, name)
}

fn make_name(database: &Connection, table: &str, project: i64, name: &str) -> Result<i64, Error> {
    if let Some(id) = find_name(database, table, project, name)? {
        return Ok(id);
    }
    let mut insert = database.sql(&format!("INSERT INTO {table} (project, name) VALUES ($1, $2) RETURNING id"))?;
    Ok(insert.query_row((project, name), |row| row.get(0))?)
}

/// The id of a name in `keys` or `fields`.
pub(crate) fn find_name(database: &Connection, table: &str, project: i64, name: &str) -> Result<Option<i64>, Error> {
    let mut find = database.sql(&format!("SELECT id FROM {table} WHERE project = $1 AND name = $2"))?;
    Ok(find.query_row((project, name), |row| row.get(0)).optional()?)
}

/// Writes one value of a run's config or summary. A number is stored for filters and sorts, a text for the others.
pub(crate) fn put_value(
    database: &Connection,
    field: i64,
    run: i64,
    value: &Value,
    step: Option<i64>,
) -> Result<(), Error> {
    let (number, text) = searchable(value);
    let mut statement = database.sql(
        "INSERT INTO run_values (field, run, number, text, value, step) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (field, run) DO UPDATE SET number = excluded.number, text = excluded.text,
         value = excluded.value, step = excluded.step",
    )?;
    statement.execute(params![field, run, number, text, encode(value), step])?;
    Ok(())
}

/// How a value is found: by number, or by text. NaN compares with nothing, so it is a text.
pub(crate) fn searchable(value: &Value) -> (Option<f64>, Option<String>) {
    /// A search looks no further into a text.
    const TEXT: usize = 1000;
    match value.as_f64() {
        Some(number) if number.is_nan() => (None, Some("NaN".into())),
        Some(number) => (Some(number), None),
        None => {
            let text = match value {
                Value::Text(text) => text.chars().take(TEXT).collect(),
                Value::Null => return (None, None),
                other => other.to_json().to_string().chars().take(TEXT).collect(),
            };
            (None, Some(text))
        }
    }
}

/// A value as it stands in a blob.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    steplog_journal::encode_value(&mut out, value);
    out
}

/// The inverse of [`encode`].
pub(crate) fn decode(mut bytes: &[u8]) -> Result<Value, Error> {
    steplog_journal::decode_value(&mut bytes)
        .map_err(|error| Error::data(format!("a stored value is damaged: {error}")))
}

/// The key table and the open row of a stream at its sealed offset, as they stand in a blob.
pub(crate) fn encode_stream_state(keys: &[Arc<str>], open: Option<&OpenRow>) -> Vec<u8> {
    let keys = Value::List(keys.iter().map(|key| Value::Text((&**key).into())).collect());
    let open = open.map_or(Value::Null, |open| {
        let entries = open.entries.iter().map(|(key, value)| ((&**key).into(), value.clone()));
        Value::List(vec![Value::Int(open.step), Value::Map(entries.collect())])
    });
    crate::chunk::compress(&encode(&Value::List(vec![keys, open])), 1)
}

/// The inverse of [`encode_stream_state`]; an empty blob is the beginning of a stream.
pub(crate) fn decode_stream_state(bytes: &[u8]) -> Result<(Vec<Arc<str>>, Option<OpenRow>), Error> {
    let damaged = || Error::data("the state of a stream is damaged");
    if bytes.is_empty() {
        return Ok((Vec::new(), None));
    }
    let Value::List(parts) = decode(&crate::chunk::decompress(bytes, 1 << 30)?)? else {
        return Err(damaged());
    };
    let [Value::List(keys), open] = &parts[..] else {
        return Err(damaged());
    };
    let text = |key: &Value| match key {
        Value::Text(text) => Ok((&**text).into()),
        _ => Err(damaged()),
    };
    let keys = keys.iter().map(text).collect::<Result<_, _>>()?;
    let open = match open {
        Value::Null => None,
        Value::List(open) => match &open[..] {
            [Value::Int(step), Value::Map(entries)] => Some(OpenRow {
                step: *step,
                entries: entries.iter().map(|(key, value)| ((&**key).into(), value.clone())).collect(),
            }),
            _ => return Err(damaged()),
        },
        _ => return Err(damaged()),
    };
    Ok((keys, open))
}

/// The means of a summary, with how many numbers they are of, as they stand in a blob.
pub(crate) fn encode_means(means: &[(Arc<str>, f64, u64)]) -> Vec<u8> {
    let entry = |(key, mean, count): &(Arc<str>, f64, u64)| {
        ((&**key).into(), Value::List(vec![Value::Float(*mean), Value::Int(*count as i64)]))
    };
    encode(&Value::Map(means.iter().map(entry).collect()))
}

/// The inverse of [`encode_means`]; an empty blob has none.
pub(crate) fn decode_means(bytes: &[u8]) -> Result<Vec<(Arc<str>, f64, u64)>, Error> {
    let damaged = || Error::data("the stored means of a run are damaged");
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let Value::Map(entries) = decode(bytes)? else { return Err(damaged()) };
    let mean = |(key, value): (Box<str>, Value)| match value {
        Value::List(parts) => match parts[..] {
            [Value::Float(mean), Value::Int(count)] => Ok((key.into(), mean, count as u64)),
            _ => Err(damaged()),
        },
        _ => Err(damaged()),
    };
    entries.into_iter().map(mean).collect()
}

/// Rewinds as they stand in a text column.
pub(crate) fn encode_rewinds(rewinds: &[Rewind]) -> String {
    serde_json::to_string(rewinds).expect("plain data has a JSON form")
}

/// The rewinds of a run as of its sealed sequence number.
pub(crate) fn sealed_rewinds(database: &Connection, run: i64) -> Result<Vec<Rewind>, Error> {
    let list: String =
        database.sql("SELECT sealed_rewinds FROM runs WHERE id = $1")?.query_row([run], |row| row.get(0))?;
    serde_json::from_str(&list)
        .map_err(|error| Error::data(format!("the stored rewinds of a run are damaged: {error}")))
}

/// The id of a stream in a blob column.
pub(crate) fn stream_id(bytes: &[u8]) -> Result<StreamId, Error> {
    let bytes = bytes.try_into().map_err(|_| Error::data("a stream's id is damaged"))?;
    Ok(StreamId::from_bytes(bytes))
}

/// Whether a stream belongs to a run that was deleted.
pub(crate) fn is_deleted(database: &Connection, stream: StreamId) -> Result<bool, Error> {
    let mut statement = database.sql("SELECT 1 FROM deleted_streams WHERE stream = $1")?;
    Ok(statement.exists([&stream.as_bytes()[..]])?)
}
