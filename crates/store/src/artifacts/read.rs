//! Entries as they are told, and manifests read whole.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Row};
use serde_json::{Map, Value as Json};
use steplog_model::{
    ArtifactPath, ContentHash, FilePath, ManifestEntry, Md5, media_type, write_manifest_header, write_manifest_line,
};
use steplog_protocol::ArtifactEntry;

use super::find;
use crate::database::Sql as _;
use crate::store::Shared;
use crate::{Error, Store};

/// How many entries a page of a manifest has.
const PAGE_ENTRIES: usize = 4096;

/// The columns of an entry, for [`read_entry`] and [`read_api_entry`].
pub(super) const ENTRY_COLUMNS: &str = "path, size_bytes, md5, sha256, digest, reference, extra";

/// A manifest as JSON lines, some thousand of them at a time: as it was committed, byte by byte, when its lines were in the
/// form that this crate writes.
pub struct ManifestPages {
    shared: Arc<Shared>,
    manifest: i64,
    file_count: u64,
    /// The path that came last; `None` before the header.
    last: Option<String>,
    done: u64,
    is_over: bool,
}

impl Store {
    /// Reads the manifest of a version, in memory that does not grow with it.
    ///
    /// # Errors
    /// There is no such version. A page is an error when the version is deleted while it is read.
    pub fn artifact_manifest(&self, path: &ArtifactPath) -> Result<ManifestPages, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let found = find::version(&reader, path)?;
        let file_count: i64 = reader
            .sql("SELECT file_count FROM manifests WHERE id = $1")?
            .query_row([found.manifest], |row| row.get(0))?;
        Ok(ManifestPages {
            shared: self.shared.clone(),
            manifest: found.manifest,
            file_count: file_count as u64,
            last: None,
            done: 0,
            is_over: false,
        })
    }
}

impl ManifestPages {
    fn page(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let mut lines = Vec::new();
        if self.last.is_none() {
            write_manifest_header(&mut lines);
        }
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM manifest_entries WHERE manifest = $1 AND path > $2 ORDER BY path LIMIT $3"
        );
        let mut statement = reader.sql(&sql)?;
        let after = self.last.take().unwrap_or_default();
        let mut rows = statement.query((self.manifest, &after, PAGE_ENTRIES as i64))?;
        let (mut count, mut last) = (0, after);
        while let Some(row) = rows.next()? {
            let (path, entry) = read_entry(row)?;
            write_manifest_line(&mut lines, &path, &entry);
            last = path.into();
            count += 1;
        }
        self.last = Some(last);
        self.done += count as u64;
        if count == PAGE_ENTRIES {
            return Ok(Some(lines));
        }
        self.is_over = true;
        let is_ready = reader
            .sql("SELECT ready FROM manifests WHERE id = $1")?
            .query_row([self.manifest], |row| row.get::<_, bool>(0))
            .optional()?;
        if is_ready != Some(true) {
            return Err(Error::not_found("the version was deleted while its manifest was read"));
        }
        if self.done != self.file_count {
            let message = format!("the manifest has {} entries, and should have {}", self.done, self.file_count);
            return Err(Error::data(message).with_hint("run `steplog verify` on the server"));
        }
        Ok((!lines.is_empty()).then_some(lines))
    }
}

impl Iterator for ManifestPages {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let page = self.page();
        self.is_over |= page.is_err();
        page.transpose()
    }
}

/// Reads [`ENTRY_COLUMNS`] as a part of a manifest.
pub(super) fn read_entry(row: &Row<'_>) -> Result<(FilePath, ManifestEntry), Error> {
    let damaged = |_| Error::data("an entry of a manifest is damaged").with_hint("run `steplog verify` on the server");
    let path = row.get::<_, String>(0)?.parse().map_err(damaged)?;
    let size = row.get::<_, Option<i64>>(1)?.map(|size| size as u64);
    let entry = match row.get::<_, Option<[u8; 32]>>(3)? {
        Some(sha256) => {
            let md5 = Md5::from_bytes(row.get(2)?);
            ManifestEntry::stored(size.unwrap_or(0), md5, ContentHash::from_bytes(sha256))
        }
        None => ManifestEntry::reference(row.get(5)?, row.get(4)?, size, read_extra(row)?),
    };
    Ok((path, entry))
}

/// Reads [`ENTRY_COLUMNS`] as people see an entry.
pub(super) fn read_api_entry(row: &Row<'_>) -> rusqlite::Result<ArtifactEntry> {
    let path: String = row.get(0)?;
    let md5 = row.get::<_, Option<[u8; 16]>>(2)?.map(|md5| Md5::from_bytes(md5).to_string());
    Ok(ArtifactEntry {
        media_type: media_type(&path).into(),
        path,
        size_bytes: row.get::<_, Option<i64>>(1)?.map(|size| size as u64),
        digest: md5.map_or_else(|| row.get(4), Ok)?,
        sha256: row.get::<_, Option<[u8; 32]>>(3)?.map(|hash| ContentHash::from_bytes(hash).to_string()),
        reference: row.get(5)?,
        extra: read_extra(row)?,
    })
}

fn read_extra(row: &Row<'_>) -> rusqlite::Result<Map<String, Json>> {
    let extra = row.get_ref(6)?.as_str_or_null().ok().flatten();
    Ok(extra.and_then(|extra| serde_json::from_str(extra).ok()).unwrap_or_default())
}
