//! Chunks of lines from the database, and what is kept of them in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::bits::Bits;
use super::chunk::{Head, decode_head, decode_texts};
use super::order::ConsoleOrder;
use super::search::{Matcher, Pattern};
use crate::cache::Cache;
use crate::database::Sql as _;
use crate::{Error, catalog};

/// What is kept between queries. Chunks never change, and no id is used again.
pub(crate) struct ConsoleCaches {
    /// By chunk.
    heads: Cache<i64, Arc<Head>>,
    /// By chunk.
    texts: Cache<i64, Arc<str>>,
    /// By run.
    orders: Cache<i64, Arc<Mutex<Arc<ConsoleOrder>>>>,
    /// By run and pattern: which entries of a chunk match.
    matches: Cache<(i64, Pattern), Arc<Mutex<HashMap<i64, Arc<Bits>>>>>,
}

impl ConsoleCaches {
    /// Caches of so many bytes together.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            heads: Cache::new(bytes / 8),
            texts: Cache::new(bytes / 4),
            orders: Cache::new(bytes / 2),
            matches: Cache::new(bytes / 8),
        }
    }

    pub(crate) fn clear(&self) {
        self.heads.clear();
        self.texts.clear();
        self.orders.clear();
        self.matches.clear();
    }
}

/// A process that printed something.
pub(super) struct Process {
    pub(super) stream: String,
    pub(super) label: Option<String>,
    pub(super) host: Option<String>,
    pub(super) process_id: Option<u32>,
    pub(super) is_fork: bool,
}

/// The console of a run, as of one moment.
pub(super) struct Console<'a> {
    database: &'a Connection,
    caches: &'a ConsoleCaches,
    run: i64,
    pub(super) processes: Vec<Process>,
    pub(super) order: Arc<ConsoleOrder>,
}

impl<'a> Console<'a> {
    /// Reads what is new; `database` must be a snapshot.
    pub(super) fn open(database: &'a Connection, caches: &'a ConsoleCaches, run: i64) -> Result<Self, Error> {
        let mut processes = Vec::new();
        let mut now = Vec::new();
        let mut statement = database.sql(
            "SELECT id, stream, label, host, process_id, parent IS NOT NULL FROM streams
             WHERE run = $1 ORDER BY started_at, id",
        )?;
        let mut chunks = database.sql("SELECT id FROM console_chunks WHERE run = $1 AND stream = $2 ORDER BY id")?;
        let mut rows = statement.query([run])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let ids: Vec<i64> = chunks.query_map((run, id), |row| row.get(0))?.collect::<Result<_, _>>()?;
            if ids.is_empty() {
                continue;
            }
            processes.push(Process {
                stream: catalog::stream_id(row.get_ref(1)?.as_blob().unwrap_or_default())?.to_string(),
                label: row.get(2)?,
                host: row.get(3)?,
                process_id: row.get(4)?,
                is_fork: row.get(5)?,
            });
            now.push((id, ids));
        }
        let shared = caches.orders.get(&run).unwrap_or_default();
        let order = {
            let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
            // What an earlier look remembers is left to it; where nobody looks any more nothing is copied.
            let taken = Arc::make_mut(&mut kept).take_in(&now, &mut |id| read_head(database, caches, id));
            if let Err(error) = taken {
                *kept = Arc::default();
                return Err(error);
            }
            kept.clone()
        };
        caches.orders.put(run, shared, order.bytes());
        Ok(Self { database, caches, run, processes, order })
    }

    /// The run's row in the catalog.
    pub(super) fn run(&self) -> i64 {
        self.run
    }

    pub(super) fn head(&self, chunk: i64) -> Result<Arc<Head>, Error> {
        read_head(self.database, self.caches, chunk)
    }

    pub(super) fn texts(&self, chunk: i64) -> Result<Arc<str>, Error> {
        if let Some(texts) = self.caches.texts.get(&chunk) {
            return Ok(texts);
        }
        let texts: Arc<str> = read_texts(self.database, chunk, &*self.head(chunk)?)?.into();
        self.caches.texts.put(chunk, texts.clone(), texts.len());
        Ok(texts)
    }

    /// Which entries of the chunks of some processes match.
    pub(super) fn matches(
        &self,
        pattern: &Pattern,
        streams: std::ops::Range<usize>,
    ) -> Result<HashMap<i64, Arc<Bits>>, Error> {
        let matcher = Matcher::new(pattern)?;
        let key = (self.run, pattern.clone());
        let shared = self.caches.matches.get(&key).unwrap_or_default();
        let mut found = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all: HashSet<i64> = self.order.streams().iter().flat_map(|(_, stream)| stream.chunk_ids()).collect();
        found.retain(|id, _| all.contains(id));
        for (_, stream) in &self.order.streams()[streams] {
            for id in stream.chunk_ids() {
                if !found.contains_key(&id) {
                    let head = self.head(id)?;
                    // A search reads every text once; those that are shown stay in the cache.
                    let bits = match self.caches.texts.peek(&id) {
                        Some(texts) => matcher.find(&head, &texts),
                        None => matcher.find(&head, &read_texts(self.database, id, &head)?),
                    };
                    found.insert(id, Arc::new(bits));
                }
            }
        }
        let bytes = found.values().map(|bits| 48 + bits.bytes()).sum();
        *shared.lock().unwrap_or_else(PoisonError::into_inner) = found.clone();
        self.caches.matches.put(key, shared, bytes);
        Ok(found)
    }
}

fn read_head(database: &Connection, caches: &ConsoleCaches, id: i64) -> Result<Arc<Head>, Error> {
    if let Some(head) = caches.heads.get(&id) {
        return Ok(head);
    }
    let mut statement = database.sql("SELECT head_checksum, head FROM console_chunks WHERE id = $1")?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or_else(gone)?;
    let head =
        decode_head(row.get_ref(1)?.as_blob().unwrap_or_default(), row.get(0)?).map_err(|error| damaged(&error))?;
    let head = Arc::new(head);
    caches.heads.put(id, head.clone(), head.bytes());
    Ok(head)
}

fn read_texts(database: &Connection, id: i64, head: &Head) -> Result<String, Error> {
    let mut statement = database.sql("SELECT checksum, data FROM console_chunks WHERE id = $1")?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or_else(gone)?;
    let stored = row.get_ref(1)?.as_blob().unwrap_or_default();
    decode_texts(stored, row.get(0)?, head).map_err(|error| damaged(&error))
}

fn gone() -> Error {
    Error::internal("a chunk of console lines is gone")
}

fn damaged(error: &Error) -> Error {
    Error::data(format!("the stored console lines of the run are damaged: {error}"))
        .with_hint("run `steplog verify` on the server")
}

/// How many lines the processes of a run printed, as the catalog tells without a look at them: no more than came, and of a
/// process no more than its highest number says.
pub(crate) fn count_lines(database: &Connection, run: i64) -> Result<u64, Error> {
    let mut statement =
        database.sql("SELECT max(last_line), sum(line_count) FROM console_chunks WHERE run = $1 GROUP BY stream")?;
    let mut rows = statement.query([run])?;
    let mut sum = 0;
    while let Some(row) = rows.next()? {
        sum += row.get::<_, i64>(0)?.saturating_add(1).min(row.get(1)?).max(0) as u64;
    }
    Ok(sum)
}
