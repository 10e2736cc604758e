//! The list of a project's runs: filtered, searched, sorted, grouped, in pages.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value as Json;
use steplog_protocol::{Run, RunGroup, RunList, RunState, RunsRequest};

use crate::column::Cell;
use crate::database::Sql as _;
use crate::field::Field;
use crate::filter::{self, Filter};
use crate::order::{Order, decode_hex, encode_hex, wrong_cursor};
use crate::run::{read_run, run_columns};
use crate::table::Table;
use crate::{Error, Store, catalog, condition};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 5000;
const MAX_SORTS: usize = 8;

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
        let filter = request.filter.as_deref().filter(|filter| !filter.trim().is_empty());
        let filter = filter.map(filter::parse).transpose()?;
        let reader = self.shared.database.reader()?;
        let project = catalog::project_by_path(&reader, &request.project)?;
        let (table, snapshot) = self.shared.table(&reader, project, &fields(request, filter.as_ref()))?;
        let places = places(&table, request, filter.as_ref())?;
        let database = Database { connection: &snapshot, project, table: &table };
        match &request.group_by {
            Some(field) => database.groups(&places, field, limit as usize, request.cursor.as_deref()),
            None => database.page(places, request, limit as usize),
        }
    }
}

/// The fields that must be known of every run.
fn fields<'a>(request: &'a RunsRequest, filter: Option<&'a Filter>) -> Vec<&'a str> {
    let mut fields = filter.map(condition::fields).unwrap_or_default();
    if request.search.is_some() {
        fields.extend(condition::SEARCHED);
    }
    match &request.group_by {
        Some(field) => fields.push(field),
        None => fields.extend(request.sort.iter().map(|sort| &*sort.field)),
    }
    fields
}

/// The places of the runs that a request finds.
fn places(table: &Table, request: &RunsRequest, filter: Option<&Filter>) -> Result<Vec<u32>, Error> {
    let filtered = filter.map(|filter| condition::filter(table, filter)).transpose()?;
    let search = request.search.as_deref().filter(|search| !search.is_empty());
    let searched = search.map(|search| condition::search(table, search));
    let is_in = |found: &Option<Vec<bool>>, place: u32| found.as_ref().is_none_or(|found| found[place as usize]);
    let all = 0..table.runs.len() as u32;
    Ok(all.filter(|place| is_in(&filtered, *place) && is_in(&searched, *place)).collect())
}

/// Reads in full what a page shows.
struct Database<'a> {
    connection: &'a Connection,
    project: i64,
    table: &'a Table,
}

/// A column that a request asks for.
enum Shown<'a> {
    /// All of the config or the summary: the prefix of their names.
    All(&'a str),
    /// One value.
    One { name: &'a str, id: Option<i64>, summary_key: Option<String> },
}

impl Database<'_> {
    fn page(&self, places: Vec<u32>, request: &RunsRequest, limit: usize) -> Result<RunList, Error> {
        let total = places.len() as u64;
        let order = Order::new(self.table, &request.sort);
        let (places, next_cursor) = order.page(places, limit, request.cursor.as_deref())?;
        let mut shown = Vec::new();
        for column in &request.columns {
            shown.extend(self.shown(column)?);
        }
        let runs = places.into_iter().filter_map(|place| self.run(place, &shown).transpose());
        Ok(RunList { runs: runs.collect::<Result<_, _>>()?, groups: Vec::new(), total, next_cursor })
    }

    /// What a column's name means; members of a run itself are shown anyway.
    fn shown<'a>(&self, column: &'a str) -> Result<Option<Shown<'a>>, Error> {
        if let Some(prefix @ ("config." | "summary.")) = column.strip_suffix('*') {
            return Ok(Some(Shown::All(prefix)));
        }
        Ok(match Field::find(self.connection, self.project, column)? {
            Field::Value { id, summary_key } => Some(Shown::One { name: column, id, summary_key }),
            _ => None,
        })
    }

    /// A run with the values that are shown; `None` when it was removed a moment ago.
    fn run(&self, place: u32, shown: &[Shown<'_>]) -> Result<Option<Run>, Error> {
        let id = self.table.runs.id(place as usize);
        let sql = format!("SELECT {} FROM runs r JOIN projects p ON p.id = r.project WHERE r.id = $2", run_columns());
        let mut statement = self.connection.sql(&sql)?;
        let Some(mut run) = statement.query_row((self.table.alive_since(), id), read_run).optional()? else {
            return Ok(None);
        };
        for shown in shown {
            match shown {
                Shown::All(prefix) => self.add_all(&mut run, id, prefix)?,
                Shown::One { name, id: field, summary_key } => {
                    if let Some(value) = self.value(id, *field, summary_key.as_deref())? {
                        run.values.insert((*name).to_owned(), value);
                    }
                }
            }
        }
        Ok(Some(run))
    }

    fn add_all(&self, run: &mut Run, id: i64, prefix: &str) -> Result<(), Error> {
        if let (Some(live), "summary.") = (self.table.live.get(&id), prefix) {
            let mut hot = live.hot();
            hot.update_summary();
            run.values.extend(hot.summary.iter().map(|(key, value)| (format!("{prefix}{key}"), value.to_json())));
            return Ok(());
        }
        // The dot's successor: all names that begin with the prefix, by the order of names.
        let end = format!("{}/", prefix.trim_end_matches('.'));
        let mut statement = self.connection.sql(
            "SELECT f.name, v.value FROM run_values v JOIN fields f ON f.id = v.field
             WHERE v.run = $1 AND f.name >= $2 AND f.name < $3",
        )?;
        let mut rows = statement.query((id, prefix, &end))?;
        while let Some(row) = rows.next()? {
            run.values.insert(row.get(0)?, json(row.get_ref(1)?)?);
        }
        Ok(())
    }

    /// A value of a run's config or summary.
    fn value(&self, run: i64, field: Option<i64>, summary_key: Option<&str>) -> Result<Option<Json>, Error> {
        if let (Some(live), Some(key)) = (self.table.live.get(&run), summary_key) {
            let mut hot = live.hot();
            hot.update_summary();
            return Ok(hot.summary.get(key).map(|value| value.to_json()));
        }
        let mut statement = self.connection.sql("SELECT value FROM run_values WHERE field = $1 AND run = $2")?;
        let mut rows = statement.query((field, run))?;
        rows.next()?.map(|row| json(row.get_ref(0)?)).transpose()
    }

    fn groups(&self, places: &[u32], name: &str, limit: usize, cursor: Option<&str>) -> Result<RunList, Error> {
        let skip = match cursor.map(decode_hex).transpose()?.as_deref() {
            None => 0,
            Some([skip]) => skip.as_u64().and_then(|skip| usize::try_from(skip).ok()).ok_or_else(wrong_cursor)?,
            Some(_) => return Err(wrong_cursor()),
        };
        let (field, column) = self.table.field(name);
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut known: HashMap<GroupKey<'_>, usize, foldhash::fast::RandomState> = HashMap::default();
        for place in places {
            let cell = column.get(*place as usize);
            let index = *known.entry(GroupKey::from(cell)).or_insert_with(|| {
                groups.push(Group { cell, run_count: 0, running_count: 0, newest: *place });
                groups.len() - 1
            });
            let group = &mut groups[index];
            group.run_count += 1;
            group.running_count += u64::from(self.table.state(*place as usize) == RunState::Running);
            group.newest = *place;
        }
        groups.sort_unstable_by(|a, b| b.run_count.cmp(&a.run_count).then_with(|| compare_values(a.cell, b.cell)));
        let total = groups.len();
        let page = groups.iter().skip(skip).take(limit);
        let read = |group: &Group<'_>| {
            let value = self.group_value(field, group)?;
            Ok(RunGroup { value, run_count: group.run_count, running_count: group.running_count })
        };
        let groups = page.map(read).collect::<Result<Vec<_>, Error>>()?;
        let seen = skip.saturating_add(groups.len());
        let next_cursor = (seen < total).then(|| encode_hex(&[seen.into()]));
        Ok(RunList { runs: Vec::new(), groups, total: total as u64, next_cursor })
    }

    /// The value that the runs of a group share, as the newest of them has it: a number in memory has lost its type.
    fn group_value(&self, field: &Field, group: &Group<'_>) -> Result<Json, Error> {
        if group.cell.is_empty() {
            return Ok(Json::Null);
        }
        let run = self.table.runs.id(group.newest as usize);
        let sql = match (field, field.own_sql(), group.cell) {
            (Field::Value { id, summary_key }, ..) => {
                return Ok(self.value(run, *id, summary_key.as_deref())?.unwrap_or_default());
            }
            (_, Some(sql), _) => sql,
            (.., Cell::Text(state)) => return Ok(state.into()),
            _ => return Ok(Json::Null),
        };
        let mut statement = self.connection.sql(&format!("SELECT {sql} FROM runs r WHERE r.id = $1"))?;
        let mut rows = statement.query([run])?;
        let Some(row) = rows.next()? else { return Ok(Json::Null) };
        Ok(match row.get_ref(0)? {
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(tags) if *field == Field::Tags => {
                serde_json::from_slice(tags).map_err(|_| Error::data("stored tags are damaged"))?
            }
            ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
            ValueRef::Null | ValueRef::Blob(_) => Json::Null,
        })
    }
}

/// Runs with one value.
struct Group<'a> {
    cell: Cell<'a>,
    run_count: u64,
    running_count: u64,
    /// The run that came last.
    newest: u32,
}

/// What makes a group: nothing and null are one.
#[derive(PartialEq, Eq, Hash)]
enum GroupKey<'a> {
    Nothing,
    Number(u64),
    Text(&'a str),
}

impl<'a> From<Cell<'a>> for GroupKey<'a> {
    fn from(cell: Cell<'a>) -> Self {
        match cell {
            Cell::Missing | Cell::Null => Self::Nothing,
            Cell::Number(number) => Self::Number(number.to_bits()),
            Cell::Text(text) => Self::Text(text),
        }
    }
}

/// Of groups of one size, that of the runs without a value comes first.
fn compare_values(a: Cell<'_>, b: Cell<'_>) -> std::cmp::Ordering {
    b.is_empty().cmp(&a.is_empty()).then_with(|| a.compare(b, false))
}

fn json(value: ValueRef<'_>) -> Result<Json, Error> {
    Ok(catalog::decode(value.as_blob().unwrap_or_default())?.to_json())
}
