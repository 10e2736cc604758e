//! What charts read of a column: all its points when they are few, statistics of ranges when they are many. A view is
//! kept between queries and takes in only what is new.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use steplog_model::RunPath;

use crate::Error;
use crate::cache::Cache;
use crate::console::ConsoleCaches;
use crate::lineage::Member;
use crate::points::{Arrivals, Points};
use crate::pyramid::Pyramid;
use crate::source::{ChunkInfo, ChunkList, Source};
use crate::store::Shared;
use crate::table::ProjectTable;
use crate::values::{Rows, Values};

/// Decoded data, kept between queries.
pub(crate) struct Caches {
    /// By run and block.
    pub(crate) rows: Cache<(i64, i64), Arc<Rows>>,
    /// By run, key and block.
    pub(crate) values: Cache<(i64, i64, i64), Arc<Values>>,
    /// By run and key.
    views: Cache<(i64, i64), Arc<Mutex<View>>>,
    /// By run and key, of forks.
    lines: Cache<(i64, i64), Arc<Line>>,
    /// By project.
    pub(crate) tables: Cache<i64, Arc<ProjectTable>>,
    pub(crate) console: ConsoleCaches,
}

/// The points of a key over several runs.
struct Line {
    /// How far each of the runs was.
    reached: Vec<u64>,
    points: Arc<Points>,
}

impl Caches {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            rows: Cache::new(bytes / 8),
            values: Cache::new(bytes / 8),
            views: Cache::new(bytes * 9 / 32),
            lines: Cache::new(bytes / 16),
            tables: Cache::new(bytes / 4),
            console: ConsoleCaches::new(bytes / 8),
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.rows.clear();
        self.values.clear();
        self.views.clear();
        self.lines.clear();
        self.tables.clear();
        self.console.clear();
    }
}

/// A column that a query reads.
#[derive(Clone, Debug)]
pub(crate) struct ColumnName<'a> {
    pub(crate) run: i64,
    pub(crate) path: &'a RunPath,
    pub(crate) key: i64,
    pub(crate) key_name: &'a str,
    /// How far the run was in chunks a moment ago.
    pub(crate) sealed_sequence: u64,
}

/// The state of a view.
#[derive(Debug, Default)]
struct View {
    /// Rows below are in.
    next_sequence: u64,
    chunks: Option<ChunkList>,
    /// How many rewinds it knows of: with another one, rows are gone that are in it.
    rewinds: usize,
    content: Content,
}

/// What a query sees of a column.
pub(crate) enum Look<'a> {
    Points(&'a Points),
    Pyramid(&'a Pyramid, &'a Source<'a>),
}

#[derive(Debug)]
enum Content {
    Points(Points),
    Pyramid(Pyramid),
}

impl Default for Content {
    fn default() -> Self {
        Self::Points(Points::default())
    }
}

impl View {
    fn bytes(&self) -> usize {
        let chunks = self.chunks.as_ref().map_or(0, |(_, chunks)| size_of::<ChunkInfo>() * chunks.capacity());
        size_of::<Mutex<Self>>()
            + chunks
            + match &self.content {
                Content::Points(points) => points.bytes(),
                Content::Pyramid(pyramid) => pyramid.bytes(),
            }
    }

    fn take_in(&mut self, source: &Source<'_>, few: usize) -> Result<(), Error> {
        if self.rewinds != source.rewinds().len() {
            *self = Self { rewinds: source.rewinds().len(), ..Self::default() };
        }
        let all = i64::MIN..=i64::MAX;
        let new_points = source.count_from(self.next_sequence);
        if let Content::Points(points) = &mut self.content
            && points.len() + new_points > few
        {
            let (next_sequence, pyramid) = source.kept_pyramid()?.unwrap_or_else(|| {
                let (first, last) = source.step_range().unwrap_or((0, 0));
                (0, Pyramid::new(source.count_from(0), first, last))
            });
            self.content = Content::Pyramid(pyramid);
            self.next_sequence = next_sequence;
        }
        match &mut self.content {
            Content::Points(points) => {
                if new_points > 0 {
                    points.extend(&source.arrivals(self.next_sequence, &all)?);
                }
            }
            Content::Pyramid(pyramid) => {
                source.scan(self.next_sequence, &all, |rows, values, range| {
                    for index in range {
                        pyramid.push(rows.steps[index], rows.times[index], values.number(index));
                    }
                })?;
                self.next_sequence = source.next_sequence();
                pyramid.settle(source)?;
            }
        }
        self.next_sequence = source.next_sequence();
        self.chunks = Some(source.chunk_list());
        Ok(())
    }
}

impl Shared {
    /// Looks at a column as it is now. With statistics of ranges comes the means to read single points.
    pub(crate) fn view<T>(
        &self,
        column: &ColumnName<'_>,
        look: impl FnOnce(Look<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (id, few) = ((column.run, column.key), self.options.chart_points);
        let shared_view = self.caches.views.get(&id).unwrap_or_default();
        let result = {
            let mut view = lock(&shared_view);
            let live = self.live(column.path).filter(|live| live.id == column.run);
            let (reached, rewinds) = match &live {
                Some(live) => {
                    let hot = live.hot();
                    (hot.next_sequence, hot.rewinds.len())
                }
                None => (column.sealed_sequence, view.rewinds),
            };
            if let Content::Points(points) = &view.content
                && reached == view.next_sequence
            {
                // Nothing is new: the database need not be asked.
                return look(Look::Points(points));
            }
            let from = match view.content {
                Content::Points(_) if view.rewinds == rewinds => view.next_sequence,
                _ => 0,
            };
            let mut hot = live.as_ref().and_then(|live| live.hot().column(column.key_name, from));
            let reader = self.database.reader()?;
            let mut snapshot = reader.snapshot()?;
            let mut source = Source::open(self, &snapshot, id, hot, view.chunks.as_ref())?;
            if from > 0 && source.count_from(from) + from_points(&view.content) > few {
                // Many points come: the whole column is needed, and so a new look from its beginning.
                drop(source);
                drop(snapshot);
                hot = live.as_ref().and_then(|live| live.hot().column(column.key_name, 0));
                snapshot = reader.snapshot()?;
                source = Source::open(self, &snapshot, id, hot, view.chunks.as_ref())?;
            }
            // A view that another query brought further holds nothing that is not there; the older look is enough.
            if source.next_sequence() > view.next_sequence
                && let Err(error) = view.take_in(&source, few)
            {
                *view = View::default();
                return Err(error);
            }
            look(match &view.content {
                Content::Points(points) => Look::Points(points),
                Content::Pyramid(pyramid) => Look::Pyramid(pyramid, &source),
            })
        };
        let bytes = lock(&shared_view).bytes();
        self.caches.views.put(id, shared_view, bytes);
        result
    }

    /// All points of a key over the runs whose rows count as one run's, each step once. They are kept as long as nothing is
    /// new in any of the runs.
    pub(crate) fn line_points(&self, members: &[Member], key: i64, key_name: &str) -> Result<Arc<Points>, Error> {
        let reached = |member: &Member| match self.live(&member.path).filter(|live| live.id == member.run) {
            Some(live) => live.hot().next_sequence,
            None => member.sealed_sequence,
        };
        let reached: Vec<u64> = members.iter().map(reached).collect();
        let own = members.last().map_or(0, |member| member.run);
        if let Some(line) = self.caches.lines.get(&(own, key)).filter(|line| line.reached == reached) {
            return Ok(line.points.clone());
        }
        let mut arrivals = Arrivals::default();
        for member in members {
            let points = self.all_points(&member.column(key, key_name))?;
            for (step, time, value) in points.between(i64::MIN, member.until) {
                arrivals.push(step, time, Some(value));
            }
        }
        let points = Arc::new(Points::from(&arrivals));
        let line = Arc::new(Line { reached, points: points.clone() });
        self.caches.lines.put((own, key), line, points.bytes() + 8 * members.len());
        Ok(points)
    }

    /// All points of a column, each step once.
    pub(crate) fn all_points(&self, column: &ColumnName<'_>) -> Result<Points, Error> {
        self.view(column, |look| match look {
            Look::Points(points) => Ok(points.clone()),
            Look::Pyramid(_, source) => {
                let arrivals: Arrivals = source.arrivals(0, &(i64::MIN..=i64::MAX))?;
                Ok(Points::from(&arrivals))
            }
        })
    }
}

fn from_points(content: &Content) -> usize {
    match content {
        Content::Points(points) => points.len(),
        Content::Pyramid(_) => 0,
    }
}

fn lock(view: &Mutex<View>) -> MutexGuard<'_, View> {
    view.lock().unwrap_or_else(PoisonError::into_inner)
}
