//! Manifests as rows: written before a version points at them, removed after the last one has gone.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::mem;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use steplog_model::{
    ContentHash, Entity, FilePath, MAX_MANIFEST_LINE_BYTES, ManifestDigest, ManifestEntry, ManifestLines,
    ManifestTotals, Source,
};
use steplog_protocol::{MAX_BLOBS_AT_ONCE, MissingBlob};

use super::ENTRIES_AT_ONCE;
use crate::blobs::{NAMELESS_SECONDS, hash_file, hold, release};
use crate::database::Sql as _;
use crate::store::Shared;
use crate::{Error, Store};

/// A manifest that a commit wants to point at.
pub(super) enum Prepared {
    /// All rows are there.
    Rows(PreparedManifest),
    /// Bytes must be sent first.
    Missing(Vec<MissingBlob>),
}

/// Where the bytes of a manifest are.
#[derive(Clone, Copy)]
enum Bytes {
    /// They must be here, and held by the entity.
    Here,
    /// They are none of ours.
    Elsewhere,
}

/// A manifest with all rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct PreparedManifest {
    pub(super) id: i64,
    /// Whether it was written just now, so that nobody else knows of it.
    is_new: bool,
}

impl PreparedManifest {
    /// Lets versions point at it from now on; answers the manifest to point at, or `None` when it has gone in between.
    pub(super) fn take(self, database: &Connection, now: f64) -> Result<Option<i64>, Error> {
        let ready: Option<i64> = database
            .sql(
                "SELECT o.id FROM manifests m JOIN manifests o ON o.entity = m.entity AND o.sha256 = m.sha256 AND o.ready
                 WHERE m.id = $1",
            )?
            .query_row([self.id], |row| row.get(0))
            .optional()?;
        // Somebody else may have committed the same lines in between.
        let Some(id) = ready.or(self.is_new.then_some(self.id)) else { return Ok(None) };
        if id != self.id {
            let_go(database, self.id, now)?;
        }
        let taken =
            database.sql("UPDATE manifests SET ready = TRUE, removable_at = NULL WHERE id = $1")?.execute([id])?;
        Ok((taken > 0).then_some(id))
    }
}

impl Shared {
    /// Brings the rows of a manifest into the database, unless they are there. They are garbage until
    /// [`PreparedManifest::take`]; whoever does not come to call that calls [`Self::give_up_manifest`].
    pub(super) fn prepare_manifest(
        &self,
        entity: &Entity,
        sha256: ContentHash,
        digest: ManifestDigest,
    ) -> Result<Prepared, Error> {
        let known = {
            let reader = self.database.reader()?;
            reader
                .sql("SELECT id, digest FROM manifests WHERE entity = $1 AND sha256 = $2 AND ready")?
                .query_row((entity.as_str(), sha256.as_bytes()), |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?
        };
        if let Some((id, known)) = known {
            check_digest(ManifestDigest::from_bytes(known), digest)?;
            let missing = self.missing_of_rows(entity, id)?;
            return Ok(match missing.is_empty() {
                true => Prepared::Rows(PreparedManifest { id, is_new: false }),
                false => Prepared::Missing(missing),
            });
        }
        let missing_manifest = || Prepared::Missing(vec![self.missing_blob(entity, sha256)]);
        let Some(lines) = self.open_lines(entity, sha256)? else { return Ok(missing_manifest()) };
        let totals = match self.check_lines(entity, lines)? {
            Ok(totals) => totals,
            Err(missing) => return Ok(Prepared::Missing(missing)),
        };
        check_digest(totals.digest, digest)?;
        let Some(lines) = self.open_lines(entity, sha256)? else { return Ok(missing_manifest()) };
        let id = self.begin_rows(entity, sha256, totals)?;
        match self.write_lines(entity, id, lines, Bytes::Here) {
            Ok(missing) if missing.is_empty() => Ok(Prepared::Rows(PreparedManifest { id, is_new: true })),
            other => {
                self.give_up_manifest(id);
                other.map(Prepared::Missing)
            }
        }
    }

    /// As [`Self::prepare_manifest`], of lines in a file elsewhere, whose bytes are there, too.
    pub(super) fn mirror_manifest(
        &self,
        entity: &Entity,
        sha256: ContentHash,
        digest: ManifestDigest,
        path: &Path,
    ) -> Result<PreparedManifest, Error> {
        let known: Option<i64> = {
            let reader = self.database.reader()?;
            reader
                .sql("SELECT id FROM manifests WHERE entity = $1 AND sha256 = $2 AND digest = $3 AND ready")?
                .query_row(params![entity.as_str(), sha256.as_bytes(), digest.as_bytes()], |row| row.get(0))
                .optional()?
        };
        if let Some(id) = known {
            return Ok(PreparedManifest { id, is_new: false });
        }
        let unreadable = |error| Error::unavailable(format!("{} cannot be read: {error}", path.display()));
        let mut file = File::open(path).map_err(unreadable)?;
        if hash_file(&mut file).map_err(unreadable)? != sha256 {
            return Err(Error::data(format!("{} is damaged: it has another hash", path.display())));
        }
        let open = || File::open(path).map(LineReader::new).map_err(unreadable);
        let mut lines = open()?;
        while lines.next()?.is_some() {}
        let totals = lines.lines.finish()?;
        check_digest(totals.digest, digest)?;
        let id = self.begin_rows(entity, sha256, totals)?;
        match self.write_lines(entity, id, open()?, Bytes::Elsewhere) {
            Ok(_) => Ok(PreparedManifest { id, is_new: true }),
            Err(error) => {
                self.give_up_manifest(id);
                Err(error)
            }
        }
    }

    /// Lets go of a manifest that was not committed. When that fails it goes after the next start.
    pub(super) fn give_up_manifest(&self, manifest: i64) {
        let removable_at = self.options.clock.now() + NAMELESS_SECONDS;
        if let Err(error) = self.write(move |database| let_go(database, manifest, removable_at), |_| {}) {
            tracing::warn!("the rows of a manifest stay until the next start: {error}");
        }
    }

    /// The lines of a manifest that the entity has sent.
    fn open_lines(&self, entity: &Entity, sha256: ContentHash) -> Result<Option<LineReader>, Error> {
        let reader = self.database.reader()?;
        let is_held = self.held_size(&reader, entity, sha256)?.is_some();
        let file = is_held.then(|| File::open(self.blobs.path(sha256)).ok()).flatten();
        Ok(file.map(LineReader::new))
    }

    fn missing_blob(&self, entity: &Entity, hash: ContentHash) -> MissingBlob {
        MissingBlob { sha256: hash.to_string(), received_bytes: self.blobs.received(entity, hash) }
    }

    /// Reads lines whole and looks for their bytes. The inner error is what is missing; when that is much, the rest is told
    /// the next time.
    fn check_lines(
        &self,
        entity: &Entity,
        mut lines: LineReader,
    ) -> Result<Result<ManifestTotals, Vec<MissingBlob>>, Error> {
        let reader = self.database.reader()?;
        let mut missing = Missing::default();
        while let Some((path, entry)) = lines.next()? {
            if missing.is_full() {
                break;
            }
            if let Some(hash) = entry.sha256() {
                let found = self.held_size(&reader, entity, hash)?;
                check_size(&path, entry.size_bytes, found)?;
                missing.note(hash, found.is_some());
            }
        }
        if missing.is_empty() { Ok(Ok(lines.lines.finish()?)) } else { Ok(Err(missing.blobs(self, entity))) }
    }

    /// What is missing of a manifest whose rows are there: bytes that were damaged since.
    fn missing_of_rows(&self, entity: &Entity, manifest: i64) -> Result<Vec<MissingBlob>, Error> {
        let reader = self.database.reader()?;
        let mut statement = reader
            .sql("SELECT sha256 FROM manifest_entries WHERE manifest = $1 AND sha256 IS NOT NULL ORDER BY path")?;
        let mut rows = statement.query([manifest])?;
        let mut missing = Missing::default();
        while let Some(row) = rows.next()?
            && !missing.is_full()
        {
            let hash = ContentHash::from_bytes(row.get(0)?);
            missing.note(hash, self.held_size(&reader, entity, hash)?.is_some());
        }
        Ok(missing.blobs(self, entity))
    }

    /// Makes the row that entries belong to.
    fn begin_rows(&self, entity: &Entity, sha256: ContentHash, totals: ManifestTotals) -> Result<i64, Error> {
        let entity = entity.clone();
        self.write(
            move |database| {
                Ok(database
                    .sql(
                        "INSERT INTO manifests (entity, sha256, content_hash, digest, file_count, size_bytes, ready)
                         VALUES ($1, $2, $3, $4, $5, $6, FALSE) RETURNING id",
                    )?
                    .query_row(
                        params![
                            entity.as_str(),
                            sha256.as_bytes(),
                            totals.content_hash.as_bytes(),
                            totals.digest.as_bytes(),
                            totals.file_count as i64,
                            totals.size_bytes.min(i64::MAX as u64) as i64
                        ],
                        |row| row.get(0),
                    )?)
            },
            |_| {},
        )
    }

    /// Writes the rows of lines, some at a time. Answers what went missing since they were checked.
    fn write_lines(
        &self,
        entity: &Entity,
        manifest: i64,
        mut lines: LineReader,
        bytes: Bytes,
    ) -> Result<Vec<MissingBlob>, Error> {
        let mut folders = Folders::default();
        loop {
            let mut rows = Rows::default();
            while rows.entries.len() < ENTRIES_AT_ONCE
                && let Some((path, entry)) = lines.next()?
            {
                folders.enter(&path, entry.size_bytes.unwrap_or(0), &mut rows.folders);
                rows.entries.push((path, entry));
            }
            let is_last = rows.entries.len() < ENTRIES_AT_ONCE;
            if is_last {
                folders.leave_all(&mut rows.folders);
            }
            let missing = self.write_rows(entity, manifest, rows, bytes)?;
            if is_last || !missing.is_empty() {
                return Ok(missing);
            }
        }
    }

    fn write_rows(&self, entity: &Entity, manifest: i64, rows: Rows, bytes: Bytes) -> Result<Vec<MissingBlob>, Error> {
        let owner = entity.clone();
        let missing = self.write(move |database| rows.write(database, owner.as_str(), manifest), |_| {})?;
        Ok(match bytes {
            Bytes::Here => missing.blobs(self, entity),
            Bytes::Elsewhere => Vec::new(),
        })
    }
}

/// Hashes of bytes that are missing, each once.
#[derive(Default)]
struct Missing {
    hashes: Vec<ContentHash>,
    known: HashSet<ContentHash>,
}

impl Missing {
    fn note(&mut self, hash: ContentHash, is_here: bool) {
        if !is_here && self.known.insert(hash) {
            self.hashes.push(hash);
        }
    }

    fn is_full(&self) -> bool {
        self.hashes.len() >= MAX_BLOBS_AT_ONCE
    }

    fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn blobs(self, shared: &Shared, entity: &Entity) -> Vec<MissingBlob> {
        self.hashes.into_iter().map(|hash| shared.missing_blob(entity, hash)).collect()
    }
}

/// Lines of a manifest out of a file.
struct LineReader {
    file: BufReader<File>,
    lines: ManifestLines,
}

impl LineReader {
    fn new(file: File) -> Self {
        Self { file: BufReader::with_capacity(1 << 16, file), lines: ManifestLines::default() }
    }

    fn next(&mut self) -> Result<Option<(FilePath, ManifestEntry)>, Error> {
        loop {
            let mut line = Vec::with_capacity(256);
            // One byte more than a line may have, and its end: then it is refused as too long.
            let most = MAX_MANIFEST_LINE_BYTES as u64 + 2;
            let count = self.file.by_ref().take(most).read_until(b'\n', &mut line);
            if count.map_err(|error| Error::unavailable(format!("a manifest cannot be read: {error}")))? == 0 {
                return Ok(None);
            }
            let entry = self.lines.line(line.strip_suffix(b"\n").unwrap_or(&line));
            if let Some(entry) = entry.map_err(|error| Error::invalid(format!("the manifest is none: {error}")))? {
                return Ok(Some(entry));
            }
        }
    }
}

/// Rows that are written in one transaction.
#[derive(Default)]
struct Rows {
    entries: Vec<(FilePath, ManifestEntry)>,
    folders: Vec<Folder>,
}

impl Rows {
    /// Answers which bytes have gone since the lines were checked. The others stay from here on.
    fn write(&self, database: &Connection, entity: &str, manifest: i64) -> Result<Missing, Error> {
        let mut entries = database.sql(
            "INSERT INTO manifest_entries (manifest, path, size_bytes, md5, sha256, digest, reference, extra)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )?;
        for (path, entry) in &self.entries {
            let (path, size) = (path.as_str(), entry.size_bytes.map(|size| size.min(i64::MAX as u64) as i64));
            match &entry.source {
                Source::Stored { md5, sha256 } => entries.execute(params![
                    manifest,
                    path,
                    size,
                    md5.as_bytes(),
                    sha256.as_bytes(),
                    None::<&str>,
                    None::<&str>,
                    None::<&str>
                ])?,
                Source::Reference { uri, digest, extra } => {
                    let extra = (!extra.is_empty()).then(|| serde_json::Value::from(extra.clone()).to_string());
                    let none = None::<&[u8]>;
                    entries.execute(params![manifest, path, size, none, none, digest, uri, extra])?
                }
            };
        }
        let missing = self.write_blobs(database, entity, manifest)?;
        let mut folders = database.sql(
            "INSERT INTO manifest_folders (manifest, parent, name, file_count, size_bytes) VALUES ($1, $2, $3, $4, $5)",
        )?;
        for folder in &self.folders {
            let (parent, name) = folder.path.rsplit_once('/').unwrap_or(("", &folder.path));
            let size = folder.size_bytes.min(i64::MAX as u64) as i64;
            folders.execute(params![manifest, parent, name, folder.file_count as i64, size])?;
        }
        Ok(missing)
    }

    fn write_blobs(&self, database: &Connection, entity: &str, manifest: i64) -> Result<Missing, Error> {
        let mut hashes: Vec<ContentHash> = self.entries.iter().filter_map(|(_, entry)| entry.sha256()).collect();
        // By hash, so that the pages of the table are touched in their order.
        hashes.sort_unstable();
        hashes.dedup();
        let mut blobs =
            database.sql("INSERT INTO manifest_blobs (sha256, manifest) VALUES ($1, $2) ON CONFLICT DO NOTHING")?;
        let mut missing = Missing::default();
        for hash in hashes {
            blobs.execute((hash.as_bytes(), manifest))?;
            missing.note(hash, hold(database, entity, hash)?);
        }
        Ok(missing)
    }
}

/// A folder, with what is below it.
struct Folder {
    path: String,
    file_count: u64,
    size_bytes: u64,
}

/// The folders of the entry that came last, the topmost first. By the order of bytes, all that is in a folder comes in one
/// piece.
#[derive(Default)]
struct Folders(Vec<Folder>);

impl Folders {
    /// Takes an entry in; folders that it is not in are over.
    fn enter(&mut self, path: &FilePath, size_bytes: u64, over: &mut Vec<Folder>) {
        let text = path.as_str();
        let is_in =
            |folder: &Folder| text.starts_with(&folder.path) && text.as_bytes().get(folder.path.len()) == Some(&b'/');
        while self.0.last().is_some_and(|folder| !is_in(folder)) {
            over.extend(self.0.pop());
        }
        let known = self.0.len();
        let new = text.match_indices('/').skip(known);
        self.0.extend(new.map(|(end, _)| Folder { path: text[..end].into(), file_count: 0, size_bytes: 0 }));
        for folder in &mut self.0 {
            folder.file_count += 1;
            folder.size_bytes = folder.size_bytes.saturating_add(size_bytes);
        }
    }

    fn leave_all(&mut self, over: &mut Vec<Folder>) {
        over.extend(mem::take(&mut self.0));
    }
}

fn check_digest(found: ManifestDigest, said: ManifestDigest) -> Result<(), Error> {
    if found == said {
        return Ok(());
    }
    Err(Error::invalid(format!("the manifest has the digest {found}, not {said}")))
}

/// Refuses an entry whose size is not that of its bytes.
fn check_size(path: &FilePath, said: Option<u64>, found: Option<u64>) -> Result<(), Error> {
    match found {
        Some(found) if said != Some(found) => {
            Err(Error::invalid(format!("the manifest gives {path} {} bytes, and it has {found}", said.unwrap_or(0))))
        }
        _ => Ok(()),
    }
}

/// Lets go of a manifest: when no version points at it, it may be removed from some time on.
pub(super) fn let_go(database: &Connection, manifest: i64, removable_at: f64) -> Result<(), Error> {
    database
        .sql(
            "UPDATE manifests SET removable_at = $2 WHERE id = $1 AND removable_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.manifest = manifests.id)",
        )?
        .execute(params![manifest, removable_at])?;
    Ok(())
}

/// Lets go of manifests that a process before this one did not come to the end of. Their bytes stay for as long as those
/// without a name do, so that a commit that is tried again finds them.
pub(crate) fn recover(database: &Connection, now: f64) -> Result<(), Error> {
    database
        .sql("UPDATE manifests SET removable_at = $1 WHERE NOT ready AND removable_at IS NULL")?
        .execute([now + NAMELESS_SECONDS])?;
    Ok(())
}

impl Store {
    /// Removes what no version is made of any more, as the background does now and then: the rows of manifests, not yet the
    /// bytes, which [`Store::remove_unused_files`] takes.
    ///
    /// # Errors
    /// The database refuses; what is left goes the next time.
    pub fn remove_unused_artifacts(&self) -> Result<(), Error> {
        remove_unused(&self.shared)
    }
}

/// Removes the rows of manifests that no version points at, and lets go of their bytes. It may be killed at any point.
pub(crate) fn remove_unused(shared: &Arc<Shared>) -> Result<(), Error> {
    let now = shared.options.clock.now();
    loop {
        let unused: Option<i64> = {
            let reader = shared.database.reader()?;
            reader
                .sql("SELECT id FROM manifests WHERE removable_at <= $1 ORDER BY removable_at, id LIMIT 1")?
                .query_row([now], |row| row.get(0))
                .optional()?
        };
        let Some(manifest) = unused else { return Ok(()) };
        while shared.write(move |database| remove_some(database, manifest, now), |_| {})? {}
    }
}

/// Removes some of the rows of a manifest; answers whether there are more.
fn remove_some(database: &Connection, manifest: i64, now: f64) -> Result<bool, Error> {
    // A commit may have come in between. After this none can point at it any more.
    let entity: Option<String> = database
        .sql("UPDATE manifests SET ready = FALSE WHERE id = $1 AND removable_at IS NOT NULL RETURNING entity")?
        .query_row([manifest], |row| row.get(0))
        .optional()?;
    let Some(entity) = entity else { return Ok(false) };
    let last: Option<String> = database
        .sql(
            "SELECT max(path) FROM (SELECT path FROM manifest_entries WHERE manifest = $1 ORDER BY path LIMIT $2) first",
        )?
        .query_row((manifest, ENTRIES_AT_ONCE as i64), |row| row.get(0))?;
    if let Some(last) = last {
        let hashes: HashSet<[u8; 32]> = database
            .sql("DELETE FROM manifest_entries WHERE manifest = $1 AND path <= $2 RETURNING sha256")?
            .query_map((manifest, last), |row| row.get::<_, Option<[u8; 32]>>(0))?
            .filter_map(Result::transpose)
            .collect::<Result<_, _>>()?;
        for hash in hashes {
            database
                .sql("DELETE FROM manifest_blobs WHERE sha256 = $1 AND manifest = $2")?
                .execute((hash, manifest))?;
            release(database, &entity, ContentHash::from_bytes(hash), now)?;
        }
        return Ok(true);
    }
    let folders = database
        .sql(
            "DELETE FROM manifest_folders WHERE manifest = $1 AND (parent, name) IN
             (SELECT parent, name FROM manifest_folders WHERE manifest = $1 LIMIT $2)",
        )?
        .execute((manifest, ENTRIES_AT_ONCE as i64))?;
    if folders > 0 {
        return Ok(true);
    }
    database.sql("DELETE FROM manifests WHERE id = $1")?.execute([manifest])?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_counted_as_paths_go_by() {
        let (mut folders, mut over) = (Folders::default(), Vec::new());
        for (path, size) in [("a.b/4", 16), ("a/b.c", 4), ("a/b/1", 1), ("a/b/2", 2), ("a/c/d/3", 8), ("b", 32)] {
            folders.enter(&path.parse().unwrap(), size, &mut over);
        }
        folders.leave_all(&mut over);
        let mut seen: Vec<_> =
            over.iter().map(|folder| (&*folder.path, folder.file_count, folder.size_bytes)).collect();
        seen.sort_unstable();
        assert_eq!(seen, [("a", 4, 15), ("a.b", 1, 16), ("a/b", 2, 3), ("a/c", 1, 8), ("a/c/d", 1, 8)]);
    }
}
