//! The runs of a project as filters and sorts see them: columns in memory, brought up to date before each query.
//!
//! The database answers plain scans only, and those once: what is written later is read again run by run. Live runs'
//! summaries, which the catalog lags behind, are laid over the copy that a query works on.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Row};
use steplog_protocol::RunState;

use crate::Error;
use crate::column::{Cell, Column};
use crate::database::{Reader, Sql as _};
use crate::field::Field;
use crate::hot::LiveRun;
use crate::state::{STATE_TEXTS, run_state, state_index};
use crate::store::Shared;

/// When more than this part of a table changed, reading everything again is cheaper.
const MAX_CHANGED_PART: usize = 16;

/// What is kept of a project between queries. `changed` is taken by the writer thread and only for a moment.
pub(crate) struct ProjectTable {
    changed: Mutex<Changed>,
    content: Mutex<Content>,
}

/// What `content` does not know yet.
enum Changed {
    Everything,
    Runs(HashSet<i64>),
}

#[derive(Default)]
struct Content {
    runs: Arc<Runs>,
    columns: HashMap<Source, Loaded>,
    /// How many queries there were.
    uses: u64,
}

/// Where a column comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    /// An expression over a run `r`.
    Own(&'static str),
    /// A field of configs or summaries.
    Value(i64),
}

struct Loaded {
    column: Arc<Column>,
    /// The last query that needed it.
    used: u64,
}

/// What every query needs of the runs, by place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    /// Ascending.
    ids: Vec<i64>,
    created_at: Vec<f64>,
    lives: Vec<Life>,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    alive_at: Option<f64>,
    exit_code: Option<i32>,
}

/// What one query sees.
pub(crate) struct Table {
    pub(crate) runs: Arc<Runs>,
    fields: HashMap<String, (Field, Arc<Column>)>,
    /// Runs whose summary in memory is ahead of the catalog, by id.
    pub(crate) live: HashMap<i64, Arc<LiveRun>>,
    alive_since: f64,
}

impl Default for ProjectTable {
    fn default() -> Self {
        Self { changed: Mutex::new(Changed::Everything), content: Mutex::default() }
    }
}

impl ProjectTable {
    fn note(&self, run: i64) {
        if let Changed::Runs(runs) = &mut *lock(&self.changed) {
            runs.insert(run);
        }
    }
}

impl Shared {
    /// Notes that a commit changed a run's row or values, or removed it. Called on the writer thread after the commit and
    /// before anybody is told of it.
    pub(crate) fn note_changed_run(&self, project: i64, run: i64) {
        if let Some(table) = self.caches.tables.peek(&project) {
            table.note(run);
        }
    }

    /// The table of a project with the fields of these names, and the moment of the database that it is of.
    pub(crate) fn table<'a>(
        &self,
        reader: &'a Reader<'_>,
        project: i64,
        names: &[&str],
    ) -> Result<(Table, rusqlite::Transaction<'a>), Error> {
        // Before the snapshot: a summary that is written in between is in both.
        let mut live = self.unwritten().clone();
        live.retain(|_, live| live.project == project);
        // In the cache before the snapshot, so that no change after it goes unnoticed.
        let kept = self.caches.tables.get_or_put(project, Arc::default, size_of::<ProjectTable>());
        let mut content = lock(&kept.content);
        let changed = std::mem::replace(&mut *lock(&kept.changed), Changed::Runs(HashSet::new()));
        let read = || {
            let snapshot = reader.snapshot()?;
            let mut fields = HashMap::new();
            for name in names {
                if !fields.contains_key(*name) {
                    fields.insert((*name).to_owned(), Field::find(&snapshot, project, name)?);
                }
            }
            Ok((snapshot, fields))
        };
        let result = read().and_then(|(snapshot, fields)| {
            let sources: Vec<Source> = fields.values().filter_map(Source::of).collect();
            content.update(&snapshot, project, changed_runs(&changed), &sources)?;
            Ok((snapshot, fields))
        });
        let (snapshot, fields) = match result {
            Ok(read) => read,
            Err(error) => {
                put_back(&kept, changed, &mut content, &error);
                return Err(error);
            }
        };
        content.trim(self.caches.tables.limit());
        let alive_since = self.alive_since(self.options.clock.now());
        let mut table = Table { runs: content.runs.clone(), fields: HashMap::new(), live, alive_since };
        for (name, field) in fields {
            let column = match (&field, Source::of(&field)) {
                (Field::State, _) => Arc::new(table.state_column()),
                (_, Some(source)) => content.columns[&source].column.clone(),
                (_, None) => Arc::new(Column::missing(table.runs.len())),
            };
            table.fields.insert(name, (field, column));
        }
        let bytes = content.bytes();
        drop(content);
        self.caches.tables.resize(&project, bytes);
        table.lay_over();
        Ok((table, snapshot))
    }
}

fn changed_runs(changed: &Changed) -> Option<&HashSet<i64>> {
    match changed {
        Changed::Everything => None,
        Changed::Runs(runs) => Some(runs),
    }
}

/// Remembers what could not be read. Of an error in the request nothing was read yet.
fn put_back(kept: &ProjectTable, changed: Changed, content: &mut Content, error: &Error) {
    let mut now = lock(&kept.changed);
    match (&mut *now, changed) {
        (Changed::Runs(now), Changed::Runs(before)) if error.kind() == steplog_protocol::ErrorKind::Invalid => {
            now.extend(before);
        }
        (now, _) => {
            *now = Changed::Everything;
            *content = Content::default();
        }
    }
}

impl Source {
    fn of(field: &Field) -> Option<Self> {
        match field {
            Field::Value { id, .. } => id.map(Self::Value),
            field => field.own_sql().map(Self::Own),
        }
    }
}

impl Content {
    /// Brings what is here up to the database, and reads the columns that are missing.
    fn update(
        &mut self,
        database: &Connection,
        project: i64,
        changed: Option<&HashSet<i64>>,
        wanted: &[Source],
    ) -> Result<(), Error> {
        self.uses += 1;
        let few = changed.filter(|changed| changed.len() <= 64 + self.runs.len() / MAX_CHANGED_PART);
        let is_current = match few {
            Some(changed) => self.read_again(database, project, changed)?,
            None => false,
        };
        if !is_current {
            self.columns.clear();
            self.runs = Arc::new(Runs::read(database, project)?);
        }
        let missing = wanted.iter().filter(|source| !self.columns.contains_key(*source)).copied();
        let mut own = Vec::new();
        for source in missing.collect::<HashSet<_>>() {
            match source {
                Source::Own(sql) => own.push(sql),
                Source::Value(field) => {
                    let column = self.runs.read_values(database, field)?;
                    self.columns.insert(source, Loaded { column: Arc::new(column), used: 0 });
                }
            }
        }
        own.sort_unstable();
        for (sql, column) in own.iter().zip(self.runs.read_own(database, project, &own)?) {
            self.columns.insert(Source::Own(sql), Loaded { column: Arc::new(column), used: 0 });
        }
        for source in wanted {
            if let Some(loaded) = self.columns.get_mut(source) {
                loaded.used = self.uses;
            }
        }
        Ok(())
    }

    /// Reads some runs again; answers whether that was enough.
    fn read_again(&mut self, database: &Connection, project: i64, changed: &HashSet<i64>) -> Result<bool, Error> {
        if changed.is_empty() {
            return Ok(true);
        }
        let mut changed: Vec<i64> = changed.iter().copied().collect();
        changed.sort_unstable();
        let mut own: Vec<&'static str> = Vec::new();
        let mut values: Vec<i64> = Vec::new();
        for source in self.columns.keys() {
            match source {
                Source::Own(sql) => own.push(sql),
                Source::Value(field) => values.push(*field),
            }
        }
        own.sort_unstable();
        let sql = format!("SELECT {BASE}{} FROM runs r WHERE r.id = $1 AND r.project = $2", listed(&own));
        let mut statement = database.sql(&sql)?;
        let mut value_statement = database.sql("SELECT number, text FROM run_values WHERE field = $1 AND run = $2")?;
        let runs = Arc::make_mut(&mut self.runs);
        let mut gone = Vec::new();
        for run in changed {
            let mut rows = statement.query((run, project))?;
            let (row, place) = match (rows.next()?, runs.place(run)) {
                (None, None) => continue,
                (None, Some(place)) => {
                    gone.push(place);
                    continue;
                }
                (Some(row), Some(place)) => {
                    (_, runs.created_at[place], runs.lives[place]) = read_base(row)?;
                    (row, place)
                }
                // Ids only grow: a new run stands behind all others.
                (Some(_), None) if runs.ids.last().is_some_and(|last| *last > run) => return Ok(false),
                (Some(row), None) => {
                    runs.push(read_base(row)?);
                    for loaded in self.columns.values_mut() {
                        Arc::make_mut(&mut loaded.column).grow(runs.len());
                    }
                    (row, runs.len() - 1)
                }
            };
            for (index, sql) in own.iter().enumerate() {
                let cell = Cell::from_sql(row.get_ref(BASE_COLUMNS + index)?);
                set(&mut self.columns, Source::Own(sql), place, cell);
            }
            for field in &values {
                let mut rows = value_statement.query((field, run))?;
                let cell = match rows.next()? {
                    Some(row) => Cell::from_value_sql(row.get_ref(0)?, row.get_ref(1)?),
                    None => Cell::Missing,
                };
                set(&mut self.columns, Source::Value(*field), place, cell);
            }
        }
        if !gone.is_empty() {
            let mut keep = vec![true; runs.len()];
            gone.into_iter().for_each(|place| keep[place] = false);
            runs.retain(&keep);
            self.columns.values_mut().for_each(|loaded| Arc::make_mut(&mut loaded.column).retain(&keep));
        }
        Ok(true)
    }

    /// Drops columns that were not needed for longest, but none that this query needs.
    fn trim(&mut self, limit: usize) {
        while self.bytes() > limit {
            let oldest = self.columns.iter().min_by_key(|(_, loaded)| loaded.used);
            match oldest.map(|(source, loaded)| (*source, loaded.used)) {
                Some((source, used)) if used < self.uses => drop(self.columns.remove(&source)),
                _ => return,
            }
        }
    }

    fn bytes(&self) -> usize {
        let columns: usize = self.columns.values().map(|loaded| loaded.column.bytes()).sum();
        size_of::<ProjectTable>() + self.runs.bytes() + columns
    }
}

/// Sets a cell, and copies the column only when something changes while another query reads it.
fn set(columns: &mut HashMap<Source, Loaded>, source: Source, place: usize, cell: Cell<'_>) {
    if let Some(loaded) = columns.get_mut(&source)
        && loaded.column.get(place) != cell
    {
        Arc::make_mut(&mut loaded.column).set(place, cell);
    }
}

/// The columns that [`read_base`] reads.
const BASE: &str = "r.id, r.created_at, r.alive_at, r.exit_code";
const BASE_COLUMNS: usize = 4;

fn read_base(row: &Row<'_>) -> rusqlite::Result<(i64, f64, Life)> {
    Ok((row.get(0)?, row.get(1)?, Life { alive_at: row.get(2)?, exit_code: row.get(3)? }))
}

fn listed(expressions: &[&str]) -> String {
    expressions.iter().map(|sql| format!(", {sql}")).collect()
}

impl Runs {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn id(&self, place: usize) -> i64 {
        self.ids[place]
    }

    pub(crate) fn created_at(&self, place: usize) -> f64 {
        self.created_at[place]
    }

    fn place(&self, run: i64) -> Option<usize> {
        self.ids.binary_search(&run).ok()
    }

    fn push(&mut self, (id, created_at, life): (i64, f64, Life)) {
        self.ids.push(id);
        self.created_at.push(created_at);
        self.lives.push(life);
    }

    fn retain(&mut self, keep: &[bool]) {
        fn each<T>(items: &mut Vec<T>, keep: &[bool]) {
            let mut keep = keep.iter().copied();
            items.retain(|_| keep.next().unwrap_or(true));
        }
        each(&mut self.ids, keep);
        each(&mut self.created_at, keep);
        each(&mut self.lives, keep);
    }

    fn bytes(&self) -> usize {
        self.ids.capacity() * (size_of::<i64>() + size_of::<f64>() + size_of::<Life>())
    }

    fn read(database: &Connection, project: i64) -> Result<Self, Error> {
        let mut statement = database.sql(&format!("SELECT {BASE} FROM runs r WHERE r.project = $1"))?;
        let mut read: Vec<_> = statement.query_map([project], read_base)?.collect::<Result<_, _>>()?;
        read.sort_unstable_by_key(|(id, ..)| *id);
        let mut runs = Self {
            ids: Vec::with_capacity(read.len()),
            created_at: Vec::with_capacity(read.len()),
            lives: Vec::with_capacity(read.len()),
        };
        read.into_iter().for_each(|run| runs.push(run));
        Ok(runs)
    }

    /// The columns of expressions over the runs themselves.
    fn read_own(&self, database: &Connection, project: i64, expressions: &[&str]) -> Result<Vec<Column>, Error> {
        if expressions.is_empty() {
            return Ok(Vec::new());
        }
        let mut columns = vec![Column::missing(self.len()); expressions.len()];
        let sql = format!("SELECT r.id{} FROM runs r WHERE r.project = $1", listed(expressions));
        let mut statement = database.sql(&sql)?;
        let mut rows = statement.query([project])?;
        let mut places = Places { ids: &self.ids, last: 0 };
        while let Some(row) = rows.next()? {
            let Some(place) = places.find(row.get(0)?) else { continue };
            for (index, column) in columns.iter_mut().enumerate() {
                column.set(place, Cell::from_sql(row.get_ref(index + 1)?));
            }
        }
        columns.iter_mut().for_each(Column::shrink);
        Ok(columns)
    }

    /// The column of a field of configs or summaries.
    fn read_values(&self, database: &Connection, field: i64) -> Result<Column, Error> {
        let mut column = Column::missing(self.len());
        let mut statement = database.sql("SELECT run, number, text FROM run_values WHERE field = $1 ORDER BY run")?;
        let mut rows = statement.query([field])?;
        let mut places = Places { ids: &self.ids, last: 0 };
        while let Some(row) = rows.next()? {
            let Some(place) = places.find(row.get(0)?) else { continue };
            column.set(place, Cell::from_value_sql(row.get_ref(1)?, row.get_ref(2)?));
        }
        column.shrink();
        Ok(column)
    }
}

/// Finds the places of runs that come in their order, or in reverse, faster than by halves.
struct Places<'a> {
    ids: &'a [i64],
    last: usize,
}

impl Places<'_> {
    fn find(&mut self, run: i64) -> Option<usize> {
        let near =
            [self.last + 1, self.last.wrapping_sub(1)].into_iter().find(|place| self.ids.get(*place) == Some(&run));
        let place = near.or_else(|| self.ids.binary_search(&run).ok())?;
        self.last = place;
        Some(place)
    }
}

impl Table {
    /// A field that the table was asked for.
    pub(crate) fn field(&self, name: &str) -> (&Field, &Column) {
        let (field, column) = self.fields.get(name).expect("a query names its fields before it asks for the table");
        (field, column)
    }

    pub(crate) fn state(&self, place: usize) -> RunState {
        let life = self.runs.lives[place];
        run_state(life.alive_at, life.exit_code.map(i64::from), self.alive_since)
    }

    /// The time since when a sign of life counts.
    pub(crate) fn alive_since(&self) -> f64 {
        self.alive_since
    }

    fn state_column(&self) -> Column {
        Column::of_choices(&STATE_TEXTS, (0..self.runs.len()).map(|place| state_index(self.state(place))))
    }

    /// Puts in the summaries that the catalog does not have yet.
    fn lay_over(&mut self) {
        for (run, live) in &self.live {
            let Some(place) = self.runs.place(*run) else { continue };
            let mut summary_columns = self.fields.values_mut().filter_map(|(field, column)| match field {
                Field::Value { summary_key: Some(key), .. } => Some((key, column)),
                _ => None,
            });
            let Some(first) = summary_columns.next() else { return };
            let mut hot = live.hot();
            hot.update_summary();
            for (key, column) in std::iter::once(first).chain(summary_columns) {
                Arc::make_mut(column).set_value(place, hot.summary.get(key));
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
