//! Files of runs: names that point at bytes.
//!
//! A row in `blobs` is committed before its bytes get their place, and removed after they are gone: every file in
//! `blobs/` has a row, so what nothing points at is found without a look at the disk. Names are given and bytes removed
//! by the writer thread alone, so a name never comes to point at bytes that are on their way out.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use steplog_model::{ContentHash, Entity, FilePath, RunPath, SavedFile, media_type};
use steplog_protocol::{BlobStatus, FileList, FilePolicy, PutFileRequest, RunChange, RunFile};

use crate::blobs::lock;
use crate::database::Sql as _;
use crate::state::{STATE_SQL, state_from_text};
use crate::store::Shared;
use crate::{Error, Store, catalog};

const DEFAULT_LIMIT: u32 = 1000;
const MAX_LIMIT: u32 = 10_000;

/// Bytes that were sent and got no name are kept for so long, in seconds: the name comes right after them.
const NAMELESS_SECONDS: f64 = 24.0 * 3600.0;

/// How many blobs are removed in one transaction.
const REMOVE_AT_ONCE: usize = 256;

/// A part of some bytes.
#[derive(Clone, Debug)]
pub struct Part {
    /// Whose upload it is.
    pub entity: Entity,
    /// The hash of the whole.
    pub hash: ContentHash,
    /// The size of the whole.
    pub size_bytes: u64,
    /// Where the part begins.
    pub offset: u64,
    /// The part.
    pub bytes: Vec<u8>,
}

impl Store {
    /// How far some bytes are here.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn blob_status(&self, entity: &Entity, hash: ContentHash) -> Result<BlobStatus, Error> {
        let reader = self.shared.database.reader()?;
        Ok(match self.shared.whole_size(&reader, hash)? {
            Some(size) => BlobStatus { received_bytes: size, complete: true },
            None => BlobStatus { received_bytes: self.shared.blobs.received(entity, hash), complete: false },
        })
    }

    /// Takes a part of some bytes; what is here already is passed over. The last part is answered when the hash of the
    /// whole is right and the bytes are durable.
    ///
    /// # Errors
    /// They are more than was said or is allowed, or have another hash (what was sent is given up then); or the disk
    /// refuses. A part that begins behind what is here changes nothing: the answer says where to go on.
    pub fn receive_part(&self, part: &Part) -> Result<BlobStatus, Error> {
        let Part { entity, hash, size_bytes, offset, bytes } = part;
        let end = offset.saturating_add(bytes.len() as u64);
        if *size_bytes > self.shared.options.max_file_bytes {
            return Err(Error::invalid(format!(
                "a file of {size_bytes} bytes is larger than this server takes, which is {} bytes",
                self.shared.options.max_file_bytes
            )));
        }
        if end > *size_bytes {
            return Err(Error::invalid(format!("a part that ends at byte {end} is not of {size_bytes} bytes")));
        }
        loop {
            let status = self.blob_status(entity, *hash)?;
            if status.complete {
                return Ok(status);
            }
            self.shared.blobs.check_room(bytes.len() as u64)?;
            let upload = self.shared.blobs.upload(entity, *hash)?;
            let mut upload = lock(&upload);
            if upload.is_over {
                // Somebody else just sent the last part.
                continue;
            }
            let received = upload.received();
            if let Some(new) = received.checked_sub(*offset).and_then(|known| bytes.get(usize::try_from(known).ok()?..))
            {
                upload.append(new)?;
            }
            if upload.received() < *size_bytes {
                return Ok(BlobStatus { received_bytes: upload.received(), complete: false });
            }
            if upload.received() != *size_bytes || upload.hash() != *hash {
                self.shared.blobs.give_up(&mut upload);
                return Err(Error::invalid(format!("the bytes that were sent do not have the hash {hash}"))
                    .with_hint("the file changed while it was read: send it again"));
            }
            upload.sync()?;
            self.shared.note_blob(*hash, *size_bytes)?;
            self.shared.blobs.adopt(&mut upload, *hash)?;
            return Ok(BlobStatus { received_bytes: *size_bytes, complete: true });
        }
    }

    /// Gives bytes a name in a run, in place of what had it. When the bytes are not all here nothing changes, and the
    /// answer says how many are.
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
                match shared.whole_size(database, hash)? {
                    None => Ok(false),
                    Some(size) if size != wanted.size_bytes => {
                        Err(Error::invalid(format!("the bytes of {name} are {size}, not {}", wanted.size_bytes)))
                    }
                    Some(_) => shared.write_name(database, run, &name, hash, &wanted).map(|()| true),
                }
            },
            |_| {},
        )?;
        if named {
            self.notify_files(path);
            return Ok(BlobStatus { received_bytes: request.size_bytes, complete: true });
        }
        let received_bytes = self.shared.blobs.received(&path.entity, hash);
        Ok(BlobStatus { received_bytes, complete: false })
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
    /// There is no such run or file.
    pub fn file(&self, path: &RunPath, file: &FilePath) -> Result<(RunFile, PathBuf), Error> {
        let reader = self.shared.database.reader()?;
        let (run, _) = catalog::run_id(&reader, path)?;
        let found = reader
            .sql(&format!("SELECT {FILE_COLUMNS} FROM files WHERE run = $1 AND path = $2"))?
            .query_row((run, file.as_str()), |row| Ok((read_file(row)?, row.get::<_, [u8; 32]>(5)?)))
            .optional()?;
        let (found, hash) = found.ok_or_else(|| no_file(path, file))?;
        Ok((found, self.shared.blobs.path(ContentHash::from_bytes(hash))))
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
                release(database, ContentHash::from_bytes(hash), now)
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

    /// Removes bytes that nothing points at and uploads that nobody goes on with, as the background does now and then.
    ///
    /// # Errors
    /// The database or the disk refuses; what is left goes the next time.
    pub fn remove_unused_files(&self) -> Result<(), Error> {
        remove_unused(&self.shared)
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
    /// The size of bytes that are here whole.
    fn whole_size(&self, database: &Connection, hash: ContentHash) -> Result<Option<u64>, Error> {
        let size: Option<i64> = database
            .sql("SELECT size_bytes FROM blobs WHERE sha256 = $1")?
            .query_row([&hash.as_bytes()[..]], |row| row.get(0))
            .optional()?;
        // A server that was killed may have noted bytes that have not come to their place.
        Ok(size.map(|size| size as u64).filter(|size| self.blobs.has(hash, *size)))
    }

    /// Notes bytes that are about to get their place.
    fn note_blob(&self, hash: ContentHash, size_bytes: u64) -> Result<(), Error> {
        let removable_at = self.options.clock.now() + NAMELESS_SECONDS;
        self.write(
            move |database| {
                database
                    .sql(
                        "INSERT INTO blobs (sha256, size_bytes, removable_at) VALUES ($1, $2, $3) ON CONFLICT (sha256)
                         DO UPDATE SET removable_at = CASE WHEN removable_at IS NULL THEN NULL ELSE $3 END",
                    )?
                    .execute(params![hash.as_bytes(), size_bytes as i64, removable_at])?;
                Ok(())
            },
            |_| {},
        )
    }

    fn write_name(
        &self,
        database: &Connection,
        run: i64,
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
        database.sql("UPDATE blobs SET removable_at = NULL WHERE sha256 = $1")?.execute([&hash.as_bytes()[..]])?;
        match before.map(ContentHash::from_bytes).filter(|before| *before != hash) {
            Some(before) => release(database, before, now),
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
    for hash in hashes {
        release(database, ContentHash::from_bytes(hash), now)?;
    }
    database.sql("DELETE FROM saved_files WHERE run = $1")?.execute([run])?;
    Ok(())
}

/// Lets go of bytes that lost a name: without another they may be removed from now on.
fn release(database: &Connection, hash: ContentHash, now: f64) -> Result<(), Error> {
    database
        .sql(
            "UPDATE blobs SET removable_at = $2
             WHERE sha256 = $1 AND NOT EXISTS (SELECT 1 FROM files f WHERE f.sha256 = blobs.sha256)",
        )?
        .execute(params![hash.as_bytes(), now])?;
    Ok(())
}

/// Removes bytes that nothing points at, and uploads that nobody goes on with.
pub(crate) fn remove_unused(shared: &Arc<Shared>) -> Result<(), Error> {
    let now = shared.options.clock.now();
    loop {
        let unused = {
            let reader = shared.database.reader()?;
            reader.sql("SELECT 1 FROM blobs WHERE removable_at <= $1")?.exists([now])?
        };
        if !unused {
            break;
        }
        // Nothing else is in the transaction: what took the last name away is durable, and nobody gives a new one. The
        // bytes go before their row, so that a kill in between leaves nothing that no row knows.
        let remover = shared.clone();
        let removed = shared.write_alone(
            move |database| {
                let hashes: Vec<[u8; 32]> = database
                    .sql("SELECT sha256 FROM blobs WHERE removable_at <= $1 LIMIT $2")?
                    .query_map(params![now, REMOVE_AT_ONCE as i64], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                for hash in &hashes {
                    remover.blobs.discard(ContentHash::from_bytes(*hash))?;
                    database.sql("DELETE FROM blobs WHERE sha256 = $1")?.execute([&hash[..]])?;
                }
                Ok(hashes.len())
            },
            |_| {},
        )?;
        shared.blobs.empty_trash();
        tracing::debug!("the bytes of {removed} files without a name were removed");
    }
    shared.blobs.remove_abandoned();
    Ok(())
}
