//! The list of a project's runs: filtered, searched, sorted, grouped, in pages.

use rusqlite::params_from_iter;
use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::Value as Json;
use steplog_protocol::{Run, RunGroup, RunList, RunsRequest, Sort};

use crate::database::Sql as _;
use crate::filter;
use crate::query::{Field, Query};
use crate::run::{read_run, run_columns};
use crate::state::STATE_SQL;
use crate::{Error, Store, catalog};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 5000;
const MAX_SORTS: usize = 8;

/// One expression of an ordering. None is ever null.
struct Key {
    sql: String,
    descending: bool,
}

/// What a statement is made of.
struct Parts {
    joins: String,
    condition: String,
    keys: Vec<Key>,
}

impl Store {
    /// Some runs of a project, or groups of them.
    ///
    /// # Errors
    /// There is no such project, or the filter, a field or the cursor is none.
    pub fn runs(&self, request: &RunsRequest) -> Result<RunList, Error> {
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
        if limit == 0 || limit > MAX_LIMIT {
            return Err(Error::invalid(format!("limit must be 1 to {MAX_LIMIT}, not {limit}")));
        }
        if request.sort.len() > MAX_SORTS {
            return Err(Error::invalid(format!("at most {MAX_SORTS} sort keys are possible")));
        }
        let reader = self.shared.database.reader()?;
        let project = catalog::project_by_path(&reader, &request.project)?;
        // Filters and sorts see summaries in the catalog. When they cannot be written, older ones are better than none.
        if let Err(error) = self.shared.write_summaries(Some(project)) {
            tracing::warn!("summaries were not written before a query: {error}");
        }
        let snapshot = reader.snapshot()?;
        let since = self.shared.alive_since(self.shared.options.clock.now());
        let mut query = Query::new(&snapshot, project, since);
        let mut parts = Parts::new(&mut query, request)?;
        match &request.group_by {
            Some(field) => groups(&mut query, &parts, field, limit, request.cursor.as_deref()),
            None => {
                parts.order_by(&mut query, &request.sort)?;
                page(&mut query, &parts, request, limit)
            }
        }
    }
}

impl Parts {
    fn new(query: &mut Query<'_>, request: &RunsRequest) -> Result<Self, Error> {
        let project = query.parameter(query.project);
        let mut conditions = vec![format!("r.project = {project}")];
        if let Some(filter) = request.filter.as_deref().filter(|filter| !filter.trim().is_empty()) {
            conditions.push(query.condition(&filter::parse(filter)?)?);
        }
        if let Some(search) = request.search.as_deref().filter(|search| !search.is_empty()) {
            let tags = Json::from(search).to_string();
            let mut places = vec![query.contains("r.tags", tags.trim_matches('"'))];
            for column in ["r.name", "r.run_id", "r.run_group", "r.notes"] {
                places.push(format!("coalesce({}, FALSE)", query.contains(column, search)));
            }
            conditions.push(format!("({})", places.join(" OR ")));
        }
        Ok(Self { joins: String::new(), condition: conditions.join(" AND "), keys: Vec::new() })
    }

    fn order_by(&mut self, query: &mut Query<'_>, sorts: &[Sort]) -> Result<(), Error> {
        let add = |keys: &mut Vec<Key>, sql: String, descending| keys.push(Key { sql, descending });
        for (index, sort) in sorts.iter().enumerate() {
            let keys = &mut self.keys;
            match Field::find(query.database, query.project, &sort.field)? {
                Field::Text(sql) => {
                    add(keys, format!("({sql} IS NULL)"), false);
                    add(keys, format!("coalesce({sql}, '')"), sort.descending);
                }
                Field::Number(sql) => {
                    add(keys, format!("({sql} IS NULL)"), false);
                    add(keys, format!("coalesce({sql}, 0)"), sort.descending);
                }
                Field::Tags => {
                    add(keys, "(r.tags = '[]')".into(), false);
                    add(keys, "r.tags".into(), sort.descending);
                }
                // Nobody has it: it orders nothing.
                Field::Value(None) => {}
                Field::Value(Some(field)) => {
                    let field = query.parameter(field);
                    let v = format!("v{index}");
                    self.joins += &format!(" LEFT JOIN run_values {v} ON {v}.field = {field} AND {v}.run = r.id");
                    // Numbers, then texts, then nothing; whichever way it goes.
                    add(
                        keys,
                        format!("CASE WHEN {v}.number IS NOT NULL THEN 0 WHEN {v}.text IS NOT NULL THEN 1 ELSE 2 END"),
                        false,
                    );
                    add(keys, format!("coalesce({v}.number, 0)"), sort.descending);
                    add(keys, format!("coalesce({v}.text, '')"), sort.descending);
                }
            }
        }
        add(&mut self.keys, "r.created_at".into(), true);
        add(&mut self.keys, "r.id".into(), true);
        Ok(())
    }

    /// The condition of standing behind the run whose keys had these values.
    fn behind(&self, query: &mut Query<'_>, cursor: Vec<Sql>) -> String {
        let places: Vec<String> = cursor.into_iter().map(|value| query.parameter(value)).collect();
        let mut alternatives = Vec::new();
        for (index, key) in self.keys.iter().enumerate() {
            let mut all: Vec<String> =
                self.keys[..index].iter().zip(&places).map(|(key, place)| format!("{} = {place}", key.sql)).collect();
            all.push(format!("{} {} {}", key.sql, if key.descending { "<" } else { ">" }, places[index]));
            alternatives.push(format!("({})", all.join(" AND ")));
        }
        format!("({})", alternatives.join(" OR "))
    }
}

fn page(query: &mut Query<'_>, parts: &Parts, request: &RunsRequest, limit: u32) -> Result<RunList, Error> {
    let database = query.database;
    let total: i64 = database
        .sql(&format!("SELECT count(*) FROM runs r WHERE {}", with_all(&parts.condition, query.parameters.len())))?
        .query_row(params_from_iter(&query.parameters), |row| row.get(0))?;
    let mut condition = parts.condition.clone();
    if let Some(cursor) = &request.cursor {
        let cursor = decode_cursor(cursor, parts.keys.len())?;
        condition = format!("{condition} AND {}", parts.behind(query, cursor));
    }
    let keys: Vec<&str> = parts.keys.iter().map(|key| &*key.sql).collect();
    // By place in the selection, so that no expression is computed twice.
    let order: Vec<String> = parts
        .keys
        .iter()
        .enumerate()
        .map(|(index, key)| format!("{} {}", index + 1, if key.descending { "DESC" } else { "ASC" }))
        .collect();
    let count = query.parameter(i64::from(limit) + 1);
    let sql = format!(
        "SELECT {} FROM runs r{} WHERE {} ORDER BY {} LIMIT {count}",
        keys.join(", "),
        parts.joins,
        with_all(&condition, query.parameters.len()),
        order.join(", ")
    );
    let mut statement = database.sql(&sql)?;
    let mut rows = statement.query(params_from_iter(&query.parameters))?;
    let mut found: Vec<Vec<Sql>> = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((0..keys.len()).map(|index| row.get(index)).collect::<Result<_, _>>()?);
    }
    let has_more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found.last().filter(|_| has_more).map(|last| encode_cursor(last));
    let mut runs = Vec::with_capacity(found.len());
    for id in found.iter().filter_map(|keys| keys.last()) {
        let Sql::Integer(id) = *id else { continue };
        runs.push(read_page_run(query, id, &request.columns)?);
    }
    Ok(RunList { runs, groups: Vec::new(), total: total as u64, next_cursor })
}

/// Makes a condition name all parameters: a statement must use the last one, and the counting one lacks those of the joins.
fn with_all(condition: &str, parameters: usize) -> String {
    format!("{condition} AND (TRUE OR ${parameters} IS NULL)")
}

fn read_page_run(query: &Query<'_>, id: i64, columns: &[String]) -> Result<Run, Error> {
    let sql = format!("SELECT {} FROM runs r JOIN projects p ON p.id = r.project WHERE r.id = $2", run_columns());
    let mut run = query.database.sql(&sql)?.query_row((&query.parameters[0], id), read_run)?;
    for column in columns {
        match column.strip_suffix('*') {
            Some(prefix @ ("config." | "summary.")) => {
                // The dot's successor: all names that begin with the prefix, by the order of names.
                let end = format!("{}/", prefix.trim_end_matches('.'));
                let mut statement = query.database.sql(
                    "SELECT f.name, v.value FROM run_values v JOIN fields f ON f.id = v.field
                     WHERE v.run = $1 AND f.name >= $2 AND f.name < $3",
                )?;
                let mut rows = statement.query((id, prefix, &end))?;
                while let Some(row) = rows.next()? {
                    run.values.insert(row.get(0)?, json(row.get_ref(1)?)?);
                }
            }
            _ => {
                let Field::Value(Some(field)) = Field::find(query.database, query.project, column)? else { continue };
                let mut statement = query.database.sql("SELECT value FROM run_values WHERE field = $1 AND run = $2")?;
                let mut rows = statement.query((field, id))?;
                if let Some(row) = rows.next()? {
                    run.values.insert(column.clone(), json(row.get_ref(0)?)?);
                }
            }
        }
    }
    Ok(run)
}

fn json(value: ValueRef<'_>) -> Result<Json, Error> {
    Ok(catalog::decode(value.as_blob().unwrap_or_default())?.to_json())
}

fn groups(
    query: &mut Query<'_>,
    parts: &Parts,
    field: &str,
    limit: u32,
    cursor: Option<&str>,
) -> Result<RunList, Error> {
    let (join, value, by) = match Field::find(query.database, query.project, field)? {
        Field::Text(sql) | Field::Number(sql) => (String::new(), format!("max({sql})"), sql.to_owned()),
        Field::Tags => (String::new(), "max(r.tags)".into(), "r.tags".into()),
        Field::Value(None) => (String::new(), "NULL".into(), "1 + 0".into()),
        Field::Value(Some(field)) => {
            let field = query.parameter(field);
            let join = format!(" LEFT JOIN run_values v ON v.field = {field} AND v.run = r.id");
            (join, "max(v.value)".into(), "v.number, v.text".into())
        }
    };
    let skip = match cursor {
        None => 0,
        Some(cursor) => match decode_cursor(cursor, 1)?[..] {
            [Sql::Integer(skip)] => skip,
            _ => return Err(wrong_cursor()),
        },
    };
    let (count, offset) = (query.parameter(i64::from(limit)), query.parameter(skip));
    let sql = format!(
        "SELECT {value}, count(*) AS runs, count(CASE WHEN {STATE_SQL} = 'running' THEN 1 END), count(*) OVER ()
         FROM runs r{join} WHERE {} GROUP BY {by} ORDER BY runs DESC, 1 LIMIT {count} OFFSET {offset}",
        parts.condition
    );
    let mut statement = query.database.sql(&sql)?;
    let mut rows = statement.query(params_from_iter(&query.parameters))?;
    let (mut groups, mut total) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let value = match row.get_ref(0)? {
            ValueRef::Null => Json::Null,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(_) if field == "tags" => serde_json::from_str(row.get_ref(0)?.as_str().unwrap_or("[]"))
                .map_err(|_| Error::data("stored tags are damaged"))?,
            ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
            blob @ ValueRef::Blob(_) => json(blob)?,
        };
        let value = if value.as_array().is_some_and(Vec::is_empty) { Json::Null } else { value };
        groups.push(RunGroup {
            value,
            run_count: row.get::<_, i64>(1)? as u64,
            running_count: row.get::<_, i64>(2)? as u64,
        });
        total = row.get::<_, i64>(3)?;
    }
    if groups.is_empty() && skip > 0 {
        total = skip;
    }
    let seen = skip + groups.len() as i64;
    let next_cursor = (seen < total).then(|| encode_cursor(&[Sql::Integer(seen)]));
    Ok(RunList { runs: Vec::new(), groups, total: total as u64, next_cursor })
}

/// Where a page ended: the values of its last row's keys.
fn encode_cursor(keys: &[Sql]) -> String {
    let json: Vec<Json> = keys
        .iter()
        .map(|key| match key {
            Sql::Integer(number) => (*number).into(),
            // As bits: a number must come back exactly, infinities too.
            Sql::Real(number) => Json::Array(vec![number.to_bits().into()]),
            Sql::Text(text) => text.clone().into(),
            Sql::Null | Sql::Blob(_) => Json::Null,
        })
        .collect();
    Json::from(json).to_string().bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn decode_cursor(cursor: &str, keys: usize) -> Result<Vec<Sql>, Error> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = cursor.as_bytes().chunks(2).map(byte).collect();
    let json: Vec<Json> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(wrong_cursor)?;
    let value = |json: &Json| match json {
        Json::Number(number) => number.as_i64().map(Sql::Integer),
        Json::String(text) => Some(Sql::Text(text.clone())),
        Json::Array(bits) => bits.first()?.as_u64().map(|bits| Sql::Real(f64::from_bits(bits))),
        _ => None,
    };
    let values: Option<Vec<Sql>> = json.iter().map(value).collect();
    values.filter(|values| values.len() == keys).ok_or_else(wrong_cursor)
}

fn wrong_cursor() -> Error {
    Error::invalid("the cursor is none of this query's").with_hint("begin again without a cursor")
}
