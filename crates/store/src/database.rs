//! The one module that knows which database this is: opening, migrating, pooling, and what its errors mean.

use std::fs::{self, File, TryLockError};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};
use steplog_protocol::ErrorKind;

use crate::Error;

const FILE: &str = "steplog.sqlite";
const LOCK: &str = "steplog.lock";

/// A step for each version of the schema, oldest first; none is ever changed once released.
const MIGRATIONS: [&str; 4] = [
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
];

/// Readers kept open between queries.
const IDLE_READERS: usize = 8;

/// The database of a directory, held against other processes as long as this lives.
pub(crate) struct Database {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    _lock: File,
}

impl Database {
    /// Opens or makes the database in `directory` and answers the one connection that writes.
    pub(crate) fn open(directory: &Path, max_pages: Option<u32>) -> Result<(Self, Connection), Error> {
        fs::create_dir_all(directory).map_err(|error| unusable(directory, &error.to_string()))?;
        let lock = lock(directory)?;
        let path = directory.join(FILE);
        let mut writer = Connection::open(&path).map_err(|error| unusable(&path, &error.to_string()))?;
        // FULL: a commit returns after its pages are on the disk, so that what was acknowledged survives a power cut.
        writer.execute_batch(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;",
        )?;
        writer.set_prepared_statement_cache_capacity(128);
        migrate(&mut writer, &path)?;
        if let Some(pages) = max_pages {
            writer.execute_batch(&format!("PRAGMA max_page_count = {pages}"))?;
        }
        let database = Self { path, idle: Mutex::default(), _lock: lock };
        Ok((database, writer))
    }

    /// A connection that reads; it goes back to the pool when dropped.
    pub(crate) fn reader(&self) -> Result<Reader<'_>, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open_reader()?,
        };
        Ok(Reader { database: self, connection: Some(connection) })
    }

    fn open_reader(&self) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        // What is worth keeping is kept decoded; pages of the file are the system's to keep, once for all readers. Mapping
        // the file would count its pages as this process's own, for each reader again.
        connection.execute_batch("PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY;")?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(connection)
    }

    /// Closes the idle readers.
    pub(crate) fn close_readers(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A borrowed connection that reads.
pub(crate) struct Reader<'a> {
    database: &'a Database,
    connection: Option<Connection>,
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("the connection is there until the drop")
    }
}

impl Reader<'_> {
    /// Begins a transaction: everything read until the answer is dropped is of one moment.
    pub(crate) fn snapshot(&self) -> Result<rusqlite::Transaction<'_>, Error> {
        Ok(self.unchecked_transaction()?)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut idle = self.database.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.extend(self.connection.take());
        }
    }
}

/// Statements as this crate writes them.
pub(crate) trait Sql {
    /// The statement `sql`, prepared once for each connection. Parameters are `$1`, `$2` … as in Postgres and by number,
    /// where this database would take them for names.
    fn sql(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>>;
}

impl Sql for Connection {
    fn sql(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.prepare_cached(&sql.replace('$', "?"))
    }
}

/// Gives pages that nothing uses back to the disk; `keep` is the share of all pages that may stay for what comes next.
pub(crate) fn give_back(writer: &Connection, keep: f64) -> Result<(), Error> {
    let count = |pragma: &str| writer.query_row(&format!("PRAGMA {pragma}"), (), |row| row.get::<_, i64>(0));
    let (free, all) = (count("freelist_count")?, count("page_count")?);
    let spare = free - (all as f64 * keep) as i64;
    if spare > 16 {
        let mut statement = writer.prepare(&format!("PRAGMA incremental_vacuum({spare})"))?;
        let mut rows = statement.query(())?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}

/// Moves the write-ahead log into the database file.
pub(crate) fn checkpoint(writer: &Connection) -> Result<(), Error> {
    Ok(writer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
}

/// What the database itself finds wrong with its file.
pub(crate) fn check_integrity(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines: Vec<String> = statement.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

fn lock(directory: &Path) -> Result<File, Error> {
    let path = directory.join(LOCK);
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| unusable(&path, &error.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::conflict(format!("another steplog process uses the data directory {}", directory.display()))
                .with_hint("stop the other server, or give this one another directory"))
        }
        Err(TryLockError::Error(error)) => Err(unusable(&path, &error.to_string())),
    }
}

fn migrate(writer: &mut Connection, path: &Path) -> Result<(), Error> {
    let version: usize = writer.query_row("PRAGMA user_version", (), |row| row.get::<_, i64>(0))?.max(0) as usize;
    if version > MIGRATIONS.len() {
        return Err(Error::invalid(format!(
            "{} was written by a newer steplog (its version is {version}, this program knows {})",
            path.display(),
            MIGRATIONS.len()
        ))
        .with_hint("upgrade steplog"));
    }
    for (index, step) in MIGRATIONS.iter().enumerate().skip(version) {
        let transaction = writer.transaction()?;
        transaction.execute_batch(step)?;
        transaction.execute_batch(&format!("PRAGMA user_version = {}", index + 1))?;
        transaction.commit()?;
    }
    Ok(())
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot use {}: {why}", path.display()))
        .with_hint("check that the directory can be written by this user")
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error_code() else {
            return Self::internal(format!("the database refused a statement: {error}"));
        };
        match code {
            ErrorCode::DiskFull => Self::unavailable("the server's disk is full")
                .with_hint("make room on the server; clients go on by themselves"),
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => {
                Self::unavailable(format!("the server cannot read or write its database: {error}"))
                    .with_hint("check the server's disk; clients go on by themselves")
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OutOfMemory => {
                Self::unavailable(format!("the database is busy: {error}"))
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                Self::data(format!("the database is damaged: {error}")).with_hint("run `steplog verify` on the server")
            }
            _ => Self::internal(format!("the database refused a statement: {error}")),
        }
    }
}
