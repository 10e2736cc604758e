//! Files of runs: names that point at bytes.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use steplog_model::{ContentHash, FilePath, RunPath, SavedFile, media_type};
use steplog_protocol::{BlobStatus, FileList, FilePolicy, PutFileRequest, RunChange, RunFile};

use crate::blobs::{Condition, hold, release};
use crate::database::Sql as _;
use crate::state::{STATE_SQL, state_from_text};
use crate::store::Shared;
use crate::{Error, Store, catalog};

const DEFAULT_LIMIT: u32 = 1000;
const MAX_LIMIT: u32 = 10_000;

impl Store {
    /// Gives bytes a name in a run, in place of what had it. When the bytes are not all here nothing changes, and the
    /// answer says how many are. They must have been sent by the run's entity.
    ///
    /// # Errors
    /// There is no such run, it has too many files, or the size is not that of the bytes.
    pub fn put_file(&self, path: &RunPath, file: &FilePath, request: &PutFileRequest) -> Result<BlobStatus, Error> {
        let hash: ContentHash =
            request.sha256.parse().map_err(|error: steplog_model::InvalidFile| Error::invalid(error.to_string()))?;
        let max_bytes = self.shared.options.max_file_bytes;
        if request.size_bytes > max_bytes {
            let size = request.size_bytes;
            let message = format!("{file} has {size} bytes, more than this server takes, which is {max_bytes} bytes");
            return Err(Error::invalid(message));
        }
        let shared = self.shared.clone();
        let (at, name, wanted) = (path.clone(), file.clone(), request.clone());
        let named = self.shared.write(
            move |database| {
                let (run, _) = catalog::run_id(database, &at)?;
                match shared.held_size(database, &at.entity, hash)? {
                    None => Ok(false),
                    Some(size) if size != wanted.size_bytes => {
                        Err(Error::invalid(format!("the bytes of {name} are {size}, not {}", wanted.size_bytes)))
                    }
                    Some(_) => {
                        shared.write_name(database, (run, at.entity.as_str()), &name, hash, &wanted).map(|()| true)
                    }
                }
            },
            |_| {},
        )?;
        if named {
            self.notify_files(path);
            return Ok(BlobStatus { received_bytes: request.size_bytes, complete: true });
        }
        self.blob_status(&path.entity, hash)
    }

    /// The files of a run, by path, below `prefix`.
    ///
    /// # Errors
    /// There is no such run, or the limit is out of range.
    pub fn files(
        &self,
        path: &RunPath,
        prefix: &str,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<FileList, Error> {
        let limit = page_limit(limit)?;
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let (run, _) = catalog::run_id(&reader, path)?;
        let mut statement = reader.sql(&format!(
            "SELECT {FILE_COLUMNS} FROM files WHERE run = $1 AND path > $2 AND path >= $3
             AND substr(path, 1, length($3)) = $3 ORDER BY path LIMIT $4"
        ))?;
        let rows = statement.query_map(params![run, cursor.unwrap_or_default(), prefix, limit + 1], read_file)?;
        page_of_files(rows.collect::<Result<_, _>>()?, prefix, cursor, Some(limit))
    }

    /// A file of a run, and where its bytes are. They never change: another content has another place.
    ///
    /// # Errors
    /// There is no such run or file, or its bytes were damaged ([`Error::is_lost`]).
    pub fn file(&self, path: &RunPath, file: &FilePath) -> Result<(RunFile, PathBuf), Error> {
        let reader = self.shared.database.reader()?;
        let (run, _) = catalog::run_id(&reader, path)?;
        let found = reader
            .sql(&format!("SELECT {FILE_COLUMNS} FROM files WHERE run = $1 AND path = $2"))?
            .query_row((run, file.as_str()), |row| Ok((read_file(row)?, row.get::<_, [u8; 32]>(5)?)))
            .optional()?;
        let (found, hash) = found.ok_or_else(|| no_file(path, file))?;
        let place = self.shared.blobs.place(ContentHash::from_bytes(hash), found.size_bytes, &found.path)?;
        Ok((found, place))
    }

    /// Reads bytes whole; whether they have their hash. Those that have another are set aside: they count as missing from then
    /// on, and whoever has them can send them again.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn check_bytes(&self, hash: ContentHash, size_bytes: u64) -> Result<bool, Error> {
        Ok(matches!(self.shared.blobs.check(hash, size_bytes)?, Condition::Good))
    }

    /// Removes a file of a run.
    ///
    /// # Errors
    /// There is no such run or file.
    pub fn delete_file(&self, path: &RunPath, file: &FilePath) -> Result<(), Error> {
        let (at, name, now) = (path.clone(), file.clone(), self.shared.options.clock.now());
        self.shared.write(
            move |database| {
                let (run, _) = catalog::run_id(database, &at)?;
                let hash: Option<[u8; 32]> = database
                    .sql("DELETE FROM files WHERE run = $1 AND path = $2 RETURNING sha256")?
                    .query_row((run, name.as_str()), |row| row.get(0))
                    .optional()?;
                let hash = hash.ok_or_else(|| no_file(&at, &name))?;
                release(database, at.entity.as_str(), ContentHash::from_bytes(hash), now)
            },
            |_| {},
        )?;
        self.notify_files(path);
        Ok(())
    }

    /// What the journals of a run say about its files: those that `save()` was called for.
    ///
    /// # Errors
    /// There is no such run.
    pub fn saved_files(&self, path: &RunPath) -> Result<Vec<SavedFile>, Error> {
        let reader = self.shared.database.reader()?;
        let (run, _) = catalog::run_id(&reader, path)?;
        let mut statement =
            reader.sql("SELECT time, path, policy, source FROM saved_files WHERE run = $1 ORDER BY path")?;
        let rows = statement.query_map([run], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get(3)?))
        })?;
        let mut saved = Vec::new();
        for row in rows {
            let (time, path, policy, source) = row?;
            // They were checked when they came in.
            if let (Ok(path), Ok(policy)) = (path.parse(), policy.parse()) {
                saved.push(SavedFile { time, path, policy, source });
            }
        }
        Ok(saved)
    }

    fn notify_files(&self, path: &RunPath) {
        match self.shared.file_change(path) {
            Ok(Some(change)) => self.shared.notify(&[change]),
            Ok(None) => {}
            Err(error) => tracing::warn!("watchers were not told of a file of {path}: {error}"),
        }
    }
}

impl Shared {
    fn write_name(
        &self,
        database: &Connection,
        (run, entity): (i64, &str),
        file: &FilePath,
        hash: ContentHash,
        request: &PutFileRequest,
    ) -> Result<(), Error> {
        let now = self.options.clock.now();
        let before: Option<[u8; 32]> = database
            .sql("SELECT sha256 FROM files WHERE run = $1 AND path = $2")?
            .query_row((run, file.as_str()), |row| row.get(0))
            .optional()?;
        if before.is_none() {
            let count: i64 =
                database.sql("SELECT count(*) FROM files WHERE run = $1")?.query_row([run], |row| row.get(0))?;
            if count as u64 >= self.options.max_files {
                let message = format!("the run has {count} files already, as many as this server takes");
                return Err(Error::invalid(message).with_hint("pack them into fewer, with tar for example"));
            }
        }
        database
            .sql(
                "INSERT INTO files (run, path, sha256, size_bytes, policy, modified_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (run, path) DO UPDATE SET sha256 = excluded.sha256,
                 size_bytes = excluded.size_bytes, policy = excluded.policy, modified_at = excluded.modified_at,
                 updated_at = excluded.updated_at",
            )?
            .execute(params![
                run,
                file.as_str(),
                hash.as_bytes(),
                request.size_bytes as i64,
                request.policy.map(policy_word),
                request.modified_at.filter(|time| time.is_finite()),
                now
            ])?;
        hold(database, entity, hash)?;
        match before.map(ContentHash::from_bytes).filter(|before| *before != hash) {
            Some(before) => release(database, entity, before, now),
            None => Ok(()),
        }
    }

    /// What watchers are told when a file of a run came or went.
    fn file_change(&self, path: &RunPath) -> Result<Option<RunChange>, Error> {
        let since = self.alive_since(self.options.clock.now());
        let reader = self.database.reader()?;
        let Some((run, _)) = catalog::find_run(&reader, path)? else { return Ok(None) };
        let sql = format!("SELECT {STATE_SQL}, r.last_step, r.updated_at FROM runs r WHERE r.id = $2");
        let change = reader.sql(&sql)?.query_row(params![since, run], |row| {
            Ok(RunChange {
                path: path.to_string(),
                state: state_from_text(row.get_ref(0)?.as_str().unwrap_or_default()),
                last_step: row.get(1)?,
                updated_at: row.get(2)?,
                rows: false,
                keys: false,
                alerts: false,
                files: true,
                console: false,
                system: false,
                details: false,
                deleted: false,
            })
        });
        Ok(change.optional()?)
    }
}

const FILE_COLUMNS: &str = "path, size_bytes, policy, modified_at, updated_at, sha256";

fn read_file(row: &Row<'_>) -> rusqlite::Result<RunFile> {
    let path: String = row.get(0)?;
    Ok(RunFile {
        media_type: media_type(&path).into(),
        path,
        size_bytes: row.get::<_, i64>(1)? as u64,
        policy: row.get::<_, Option<String>>(2)?.as_deref().and_then(policy_from_word),
        modified_at: row.get(3)?,
        updated_at: row.get(4)?,
        sha256: Some(ContentHash::from_bytes(row.get(5)?).to_string()),
    })
}

fn policy_word(policy: FilePolicy) -> &'static str {
    match policy {
        FilePolicy::Live => "live",
        FilePolicy::Now => "now",
        FilePolicy::End => "end",
    }
}

fn policy_from_word(word: &str) -> Option<FilePolicy> {
    [FilePolicy::Live, FilePolicy::Now, FilePolicy::End].into_iter().find(|policy| policy_word(*policy) == word)
}

/// A page of files that are sorted by path, as [`Store::files`] answers it.
///
/// # Errors
/// The limit is out of range.
pub fn page_of_files(
    files: Vec<RunFile>,
    prefix: &str,
    cursor: Option<&str>,
    limit: Option<u32>,
) -> Result<FileList, Error> {
    let limit = page_limit(limit)? as usize;
    let is_behind = |file: &RunFile| cursor.is_none_or(|cursor| &*file.path > cursor);
    let mut files: Vec<RunFile> =
        files.into_iter().filter(|file| file.path.starts_with(prefix) && is_behind(file)).take(limit + 1).collect();
    let has_more = files.len() > limit;
    files.truncate(limit);
    let next_cursor = files.last().filter(|_| has_more).map(|last| last.path.clone());
    Ok(FileList { files, next_cursor })
}

/// How many files a page has.
fn page_limit(limit: Option<u32>) -> Result<u32, Error> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if limit == 0 || limit > MAX_LIMIT {
        return Err(Error::invalid(format!("limit must be 1 to {MAX_LIMIT}, not {limit}")));
    }
    Ok(limit)
}

fn no_file(path: &RunPath, file: &FilePath) -> Error {
    Error::not_found(format!("run {path} has no file {file}"))
}

/// Writes what a journal says about files.
pub(crate) fn write_saved(database: &Connection, run: i64, files: &[SavedFile]) -> Result<(), Error> {
    for file in files {
        database
            .sql(
                "INSERT INTO saved_files (run, path, policy, source, time) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (run, path) DO UPDATE SET policy = excluded.policy, source = excluded.source,
                 time = excluded.time WHERE excluded.time >= saved_files.time",
            )?
            .execute(params![run, file.path.as_str(), file.policy.as_str(), file.source, file.time])?;
    }
    Ok(())
}

/// Removes all names of a run's files, and what its journals say about them.
pub(crate) fn delete_names(database: &Connection, run: i64, now: f64) -> Result<(), Error> {
    let hashes: Vec<[u8; 32]> = {
        let mut statement = database.sql("DELETE FROM files WHERE run = $1 RETURNING sha256")?;
        statement.query_map([run], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    let entity: Option<String> = database
        .sql("SELECT p.entity FROM runs r JOIN projects p ON p.id = r.project WHERE r.id = $1")?
        .query_row([run], |row| row.get(0))
        .optional()?;
    for (hash, entity) in hashes.into_iter().zip(entity.iter().cycle()) {
        release(database, entity, ContentHash::from_bytes(hash), now)?;
    }
    database.sql("DELETE FROM saved_files WHERE run = $1")?.execute([run])?;
    Ok(())
}
