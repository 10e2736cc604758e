//! What is different between two versions.

use std::cmp::Ordering;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::{Connection, Row};
use serde_json::Value as Json;
use steplog_model::{ArtifactPath, Selector};
use steplog_protocol::{ArtifactDiff, DiffChange, DiffEntry};

use super::read::{ENTRY_COLUMNS, read_api_entry};
use super::{find, page_limit, version};
use crate::database::Sql as _;
use crate::order::{decode_hex, encode_hex, wrong_cursor};
use crate::{Error, Store};

const DEFAULT_LIMIT: u32 = 1000;
const MAX_LIMIT: u32 = 10_000;

/// How many paths are added, removed, changed and the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts([u64; 4]);

/// Where a page ended. The counts are of the whole: later pages need not read all of both manifests again.
struct Cursor {
    path: String,
    counts: Counts,
}

impl Store {
    /// The paths that are not the same in a version and in another one, `from`, of its collection.
    ///
    /// # Errors
    /// There is no such version, the limit is out of range, or the cursor is none.
    pub fn artifact_diff(
        &self,
        path: &ArtifactPath,
        from: &Selector,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<ArtifactDiff, Error> {
        let limit = page_limit(limit, DEFAULT_LIMIT, MAX_LIMIT)?;
        let cursor = cursor.map(Cursor::decode).transpose()?;
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let after = find::version(&reader, path)?;
        let before = find::version(&reader, &path.collection.clone().artifact(from.clone()))?;
        let behind = cursor.as_ref().map_or("", |cursor| &cursor.path);
        let known = cursor.as_ref().map(|cursor| cursor.counts);
        let mut merge =
            Merge { counts: Counts::default(), entries: Vec::new(), most: limit + 1, whole: known.is_none() };
        merge.run(&reader, (before.manifest, after.manifest), behind)?;
        let counts = known.unwrap_or(merge.counts);
        let mut entries = merge.entries;
        let has_more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| has_more);
        let next_cursor = last.map(|last| Cursor { path: last.path.clone(), counts }.encode());
        let Counts([added_count, removed_count, changed_count, unchanged_count]) = counts;
        Ok(ArtifactDiff {
            before: version::read(&reader, before.collection.id, before.version)?,
            after: version::read(&reader, after.collection.id, after.version)?,
            added_count,
            removed_count,
            changed_count,
            unchanged_count,
            entries,
            next_cursor,
        })
    }
}

/// Goes through two manifests side by side.
struct Merge {
    counts: Counts,
    entries: Vec<DiffEntry>,
    /// So many entries are collected.
    most: usize,
    /// Whether to go on to the end, for the counts.
    whole: bool,
}

impl Merge {
    fn run(&mut self, database: &Connection, manifests: (i64, i64), behind: &str) -> Result<(), Error> {
        if manifests.0 == manifests.1 {
            let count: i64 = database
                .sql("SELECT file_count FROM manifests WHERE id = $1")?
                .query_row([manifests.0], |row| row.get(0))?;
            self.counts.0[3] = count as u64;
            return Ok(());
        }
        let sql =
            format!("SELECT {ENTRY_COLUMNS} FROM manifest_entries WHERE manifest = $1 AND path > $2 ORDER BY path");
        // The cache has one statement of a text: the other one is prepared anew.
        let (mut old, mut new) = (database.sql(&sql)?, database.sql(&sql)?);
        let (mut old, mut new) = (old.query((manifests.0, behind))?, new.query((manifests.1, behind))?);
        old.advance()?;
        new.advance()?;
        while self.whole || self.entries.len() < self.most {
            let order = match (old.get(), new.get()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => path(old)?.cmp(path(new)?),
            };
            let (has_old, has_new) = (order != Ordering::Greater, order != Ordering::Less);
            self.note(old.get().filter(|_| has_old), new.get().filter(|_| has_new))?;
            if has_old {
                old.advance()?;
            }
            if has_new {
                new.advance()?;
            }
        }
        Ok(())
    }

    /// Takes in what stands at one path.
    fn note(&mut self, before: Option<&Row<'_>>, after: Option<&Row<'_>>) -> Result<(), Error> {
        let (change, index) = match (before, after) {
            (None, _) => (DiffChange::Added, 0),
            (_, None) => (DiffChange::Removed, 1),
            (Some(before), Some(after)) if !is_same(before, after)? => (DiffChange::Changed, 2),
            _ => {
                self.counts.0[3] += 1;
                return Ok(());
            }
        };
        self.counts.0[index] += 1;
        if self.entries.len() < self.most {
            let before = before.map(read_api_entry).transpose()?;
            let after = after.map(read_api_entry).transpose()?;
            let path = before.as_ref().or(after.as_ref()).map(|entry| entry.path.clone()).unwrap_or_default();
            self.entries.push(DiffEntry { path, change, before, after });
        }
        Ok(())
    }
}

fn path<'a>(row: &'a Row<'_>) -> Result<&'a [u8], Error> {
    Ok(row.get_ref(0)?.as_bytes().unwrap_or_default())
}

/// Whether two entries have one content: by the hash of their bytes, or the digest of their references.
fn is_same(before: &Row<'_>, after: &Row<'_>) -> Result<bool, Error> {
    for index in [3, 4] {
        if before.get_ref(index)? != after.get_ref(index)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Cursor {
    fn encode(&self) -> String {
        let mut json: Vec<Json> = self.counts.0.iter().map(|count| Json::from(*count)).collect();
        json.push(self.path.as_str().into());
        encode_hex(&json)
    }

    fn decode(cursor: &str) -> Result<Self, Error> {
        let json = decode_hex(cursor)?;
        let [counts @ .., Json::String(path)] = &json[..] else { return Err(wrong_cursor()) };
        let counts: Option<Vec<u64>> = counts.iter().map(Json::as_u64).collect();
        let counts = counts.and_then(|counts| counts.try_into().ok()).ok_or_else(wrong_cursor)?;
        Ok(Self { path: path.clone(), counts: Counts(counts) })
    }
}
