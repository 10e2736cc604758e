//! Whether artifacts are as they were committed.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _};
use steplog_model::{ArtifactPath, ContentHash, ManifestLines, Version, write_manifest_header, write_manifest_line};
use steplog_protocol::ArtifactVerification;

use super::find;
use super::read::{ENTRY_COLUMNS, read_entry};
use crate::blobs::{Blobs, Condition};
use crate::database::Sql as _;
use crate::{Error, Finding, Store};

/// So many damaged paths are told.
const MAX_DAMAGED: usize = 1000;

/// So many hashes of bytes that were read are remembered, so that the same need not be read again.
const MAX_KNOWN: usize = 1 << 20;

/// How many entries are read before their bytes are: a database that is read for hours cannot fold in its log.
const ENTRIES_AT_ONCE: i64 = 1024;

impl Store {
    /// Reads the bytes of a version whole. Damaged ones are set aside: they count as missing from then on, and whoever has
    /// them can send them again.
    ///
    /// # Errors
    /// There is no such version, or the disk cannot be read.
    pub fn verify_artifact(&self, path: &ArtifactPath) -> Result<ArtifactVerification, Error> {
        let manifest = find::version(&*self.shared.database.reader()?, path)?.manifest;
        let mut verification = ArtifactVerification { good_count: 0, damaged: Vec::new(), reference_count: 0 };
        let mut known = Known::default();
        let mut last = String::new();
        loop {
            let some = self.some_entries(manifest, &last)?;
            let Some((path, ..)) = some.last() else { return Ok(verification) };
            last.clone_from(path);
            for (path, size, hash) in some {
                match hash {
                    None => verification.reference_count += 1,
                    Some(hash) if known.is_good(&self.shared.blobs, hash, size)? => verification.good_count += 1,
                    Some(_) if verification.damaged.len() < MAX_DAMAGED => verification.damaged.push(path),
                    Some(_) => {}
                }
            }
        }
    }

    fn some_entries(&self, manifest: i64, after: &str) -> Result<Vec<(String, u64, Option<ContentHash>)>, Error> {
        let reader = self.shared.database.reader()?;
        let mut statement = reader.sql(
            "SELECT path, size_bytes, sha256 FROM manifest_entries WHERE manifest = $1 AND path > $2 ORDER BY path LIMIT $3",
        )?;
        let entries = statement.query_map((manifest, after, ENTRIES_AT_ONCE), |row| {
            let size = row.get::<_, Option<i64>>(1)?.unwrap_or(0) as u64;
            Ok((row.get(0)?, size, row.get::<_, Option<[u8; 32]>>(2)?.map(ContentHash::from_bytes)))
        })?;
        Ok(entries.collect::<Result<_, _>>()?)
    }
}

/// What is known of bytes that were read.
#[derive(Default)]
struct Known {
    good: HashSet<ContentHash>,
    damaged: HashSet<ContentHash>,
}

impl Known {
    fn is_good(&mut self, blobs: &Blobs, hash: ContentHash, size_bytes: u64) -> Result<bool, Error> {
        if self.good.contains(&hash) {
            return Ok(true);
        }
        if self.damaged.contains(&hash) {
            return Ok(false);
        }
        let is_good = matches!(blobs.check(hash, size_bytes)?, Condition::Good);
        let known = if is_good { &mut self.good } else { &mut self.damaged };
        if known.len() < MAX_KNOWN {
            known.insert(hash);
        }
        Ok(is_good)
    }
}

/// Checks all manifests: that the rows make the digests, counts and sizes that were committed, that they hold their bytes,
/// and that these have their hashes. `sound` are bytes already seen to.
pub(crate) fn check_manifests(
    database: &Connection,
    blobs: &Blobs,
    sound: &mut HashSet<ContentHash>,
    found: &mut dyn FnMut(Finding),
) -> Result<(), Error> {
    let manifests: Vec<i64> = {
        let mut statement = database.sql("SELECT id FROM manifests WHERE ready ORDER BY id")?;
        statement.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    for manifest in manifests {
        // It may have gone in the meantime.
        let Some(place) = place_of(database, manifest)? else { continue };
        let mut findings = Vec::new();
        let mut tell =
            |what: &str, message: String| findings.push(Finding { place: format!("{place}{what}"), message });
        check_rows(database, manifest, &mut tell)?;
        check_bytes(database, manifest, blobs, sound, &mut tell)?;
        if !findings.is_empty() && place_of(database, manifest)?.is_some() {
            findings.into_iter().for_each(&mut *found);
        }
    }
    Ok(())
}

/// The first version that points at a manifest.
fn place_of(database: &Connection, manifest: i64) -> Result<Option<String>, Error> {
    Ok(database
        .sql(
            "SELECT p.entity, p.name, c.name, a.version FROM artifacts a JOIN artifact_collections c ON c.id = a.collection
             JOIN projects p ON p.id = c.project WHERE a.manifest = $1 ORDER BY a.id LIMIT 1",
        )?
        .query_row([manifest], |row| {
            let names: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
            Ok(format!("artifact {}:{}", names.join("/"), Version::new(row.get(3)?)))
        })
        .optional()?)
}

/// That the rows are those that were committed.
fn check_rows(database: &Connection, manifest: i64, tell: &mut dyn FnMut(&str, String)) -> Result<(), Error> {
    let sql = format!("SELECT {ENTRY_COLUMNS} FROM manifest_entries WHERE manifest = $1 ORDER BY path");
    let mut statement = database.sql(&sql)?;
    let mut rows = statement.query([manifest])?;
    let (mut lines, mut line) = (ManifestLines::default(), Vec::new());
    write_manifest_header(&mut line);
    let damaged = |error: &dyn std::fmt::Display| format!("its manifest is damaged: {error}");
    loop {
        if let Err(error) = lines.line(line.strip_suffix(b"\n").unwrap_or(&line)) {
            tell("", damaged(&error));
            return Ok(());
        }
        let Some(row) = rows.next()? else { break };
        line.clear();
        match read_entry(row) {
            Ok((path, entry)) => write_manifest_line(&mut line, &path, &entry),
            Err(error) => {
                tell("", damaged(&error));
                return Ok(());
            }
        }
    }
    let totals = lines.finish().map_err(|error| Error::internal(error.to_string()))?;
    let (content_hash, digest, file_count, size_bytes): ([u8; 32], [u8; 16], i64, i64) = database
        .sql("SELECT content_hash, digest, file_count, size_bytes FROM manifests WHERE id = $1")?
        .query_row([manifest], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    if (file_count as u64, size_bytes as u64) != (totals.file_count, totals.size_bytes) {
        let (count, bytes) = (totals.file_count, totals.size_bytes);
        tell("", format!("{file_count} files of {size_bytes} bytes were committed, and {count} of {bytes} are there"));
    } else if content_hash != *totals.content_hash.as_bytes() || digest != *totals.digest.as_bytes() {
        tell("", "its files are not those that were committed".into());
    }
    Ok(())
}

/// That the manifest holds its bytes, and that they have their hashes.
fn check_bytes(
    database: &Connection,
    manifest: i64,
    blobs: &Blobs,
    sound: &mut HashSet<ContentHash>,
    tell: &mut dyn FnMut(&str, String),
) -> Result<(), Error> {
    let mut statement = database.sql(
        "SELECT e.path, e.size_bytes, e.sha256, EXISTS (
             SELECT 1 FROM manifest_blobs b JOIN manifests m ON m.id = b.manifest
             JOIN blob_holders h ON h.sha256 = b.sha256 AND h.entity = m.entity AND h.removable_at IS NULL
             WHERE b.sha256 = e.sha256 AND b.manifest = e.manifest)
         FROM manifest_entries e WHERE e.manifest = $1 AND e.sha256 IS NOT NULL ORDER BY e.path",
    )?;
    let mut rows = statement.query([manifest])?;
    while let Some(row) = rows.next()? {
        let (path, size, hash, is_held): (String, i64, [u8; 32], bool) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let (hash, place) = (ContentHash::from_bytes(hash), format!(", file {path:?}"));
        if !is_held {
            tell(&place, "its bytes are not held, and may be removed".into());
        }
        if sound.contains(&hash) {
            continue;
        }
        match blobs.check(hash, size as u64) {
            Ok(Condition::Good) => drop(sound.insert(hash)),
            Ok(Condition::Damaged(found)) => {
                tell(&place, format!("its hash should be {hash}, and is {found}: it was set aside"));
            }
            Ok(Condition::Gone) => tell(&place, "its bytes were damaged or lost; send the file again".into()),
            Err(error) => tell(&place, error.to_string()),
        }
    }
    Ok(())
}
