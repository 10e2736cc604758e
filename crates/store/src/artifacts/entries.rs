//! What a version consists of: a folder of it, or all that is below one; and one file.

use std::path::PathBuf;

use rusqlite::{Connection, params};
use serde_json::Value as Json;
use steplog_model::{ArtifactPath, ContentHash, FilePath, MAX_FILE_PATH_BYTES};
use steplog_protocol::{ArtifactEntry, ArtifactEntryList, ArtifactFolder};

use super::read::{ENTRY_COLUMNS, read_api_entry};
use super::{find, page_limit};
use crate::database::Sql as _;
use crate::order::{decode_hex, encode_hex, wrong_cursor};
use crate::{Error, Store};

const DEFAULT_LIMIT: u32 = 1000;
const MAX_LIMIT: u32 = 10_000;

/// Which entries of a version are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryQuery {
    /// The folder, without a `/` at its end; empty for the topmost.
    pub folder: String,
    /// Whether all that is below it is meant, at any depth.
    pub recursive: bool,
    /// Only entries with this in their path below the folder, in any case of ASCII letters. It is looked for at any depth.
    pub search: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// How many folders and entries; 1,000 where absent, at most 10,000.
    pub limit: Option<u32>,
}

/// Where a page ended.
enum Cursor {
    /// With a folder of this name.
    Folder(String),
    /// With an entry at this path, or with the last folder, where it is empty.
    Entry(String),
}

/// The paths below a folder.
struct Range {
    manifest: i64,
    /// What they begin with: the folder and a `/`, or nothing.
    prefix: String,
}

impl Store {
    /// One page of the entries of a version, by path. Of a folder its folders come first, then its files.
    ///
    /// # Errors
    /// There is no such version or folder, the limit is out of range, or the cursor is none.
    pub fn artifact_entries(&self, path: &ArtifactPath, query: &EntryQuery) -> Result<ArtifactEntryList, Error> {
        let limit = page_limit(query.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
        let cursor = query.cursor.as_deref().map(Cursor::decode).transpose()?;
        let search = query.search.as_deref().filter(|search| !search.is_empty());
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let found = find::version(&reader, path)?;
        let range = Range::of_folder(found.manifest, &query.folder);
        if !range.prefix.is_empty() && !range.is_there(&reader)? {
            return Err(Error::not_found(format!("{path} has no folder {:?}", query.folder)));
        }
        if query.recursive || search.is_some() {
            let after = match cursor {
                Some(Cursor::Entry(path)) => path,
                Some(Cursor::Folder(_)) => return Err(wrong_cursor()),
                None => String::new(),
            };
            let entries = range.all(&reader, &after, search.unwrap_or_default(), limit + 1)?;
            return Ok(page(Vec::new(), entries, limit));
        }
        let (folders, after) = match cursor {
            Some(Cursor::Entry(path)) => (Vec::new(), path),
            Some(Cursor::Folder(name)) => (range.folders(&reader, &name, limit + 1)?, String::new()),
            None => (range.folders(&reader, "", limit + 1)?, String::new()),
        };
        let rest = (limit + 1).saturating_sub(folders.len());
        let entries = range.files(&reader, &after, rest)?;
        Ok(page(folders, entries, limit))
    }

    /// An entry of a version, and where its bytes are; `None` for a reference. The bytes never change: another content has
    /// another place.
    ///
    /// # Errors
    /// There is no such version or entry, or its bytes were damaged ([`Error::is_lost`]).
    pub fn artifact_file(
        &self,
        path: &ArtifactPath,
        file: &FilePath,
    ) -> Result<(ArtifactEntry, Option<PathBuf>), Error> {
        let (entry, hash) = self.artifact_entry(path, file)?;
        let place = |hash| self.shared.blobs.place(hash, entry.size_bytes.unwrap_or(0), &entry.path);
        let place = hash.map(place).transpose()?;
        Ok((entry, place))
    }

    /// An entry of a version, and the hash of its bytes; `None` for a reference.
    ///
    /// # Errors
    /// There is no such version or entry.
    pub fn artifact_entry(
        &self,
        path: &ArtifactPath,
        file: &FilePath,
    ) -> Result<(ArtifactEntry, Option<ContentHash>), Error> {
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let found = find::version(&reader, path)?;
        let sql = format!("SELECT {ENTRY_COLUMNS} FROM manifest_entries WHERE manifest = $1 AND path = $2");
        let mut statement = reader.sql(&sql)?;
        let mut rows = statement.query((found.manifest, file.as_str()))?;
        let Some(row) = rows.next()? else { return Err(Error::not_found(format!("{path} has no file {file}"))) };
        Ok((read_api_entry(row)?, row.get::<_, Option<[u8; 32]>>(3)?.map(ContentHash::from_bytes)))
    }
}

impl Range {
    fn of_folder(manifest: i64, folder: &str) -> Self {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Self { manifest, prefix }
    }

    /// The first text behind all that begin with a prefix that ends with a `/`, by the order of bytes.
    fn end_of(prefix: &str) -> String {
        match prefix.strip_suffix('/') {
            Some(folder) => format!("{folder}0"),
            // Longer than any path, of the last character.
            None => char::MAX.to_string().repeat(MAX_FILE_PATH_BYTES),
        }
    }

    fn is_there(&self, database: &Connection) -> Result<bool, Error> {
        Ok(database
            .sql("SELECT 1 FROM manifest_entries WHERE manifest = $1 AND path >= $2 AND path < $3")?
            .exists((self.manifest, &self.prefix, Self::end_of(&self.prefix)))?)
    }

    /// Entries at any depth.
    fn all(&self, database: &Connection, after: &str, search: &str, count: usize) -> Result<Vec<ArtifactEntry>, Error> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM manifest_entries
             WHERE manifest = $1 AND path >= $2 AND path < $3 AND path > $4
             AND ($5 = '' OR instr(lower(substr(path, $6)), lower($5)) > 0) ORDER BY path LIMIT $7"
        );
        let begin = self.prefix.chars().count() as i64 + 1;
        let mut statement = database.sql(&sql)?;
        let entries = statement.query_map(
            params![self.manifest, self.prefix, Self::end_of(&self.prefix), after, search, begin, count as i64],
            read_api_entry,
        )?;
        Ok(entries.collect::<Result<_, _>>()?)
    }

    fn folders(&self, database: &Connection, after: &str, count: usize) -> Result<Vec<ArtifactFolder>, Error> {
        let mut statement = database.sql(
            "SELECT name, file_count, size_bytes FROM manifest_folders
             WHERE manifest = $1 AND parent = $2 AND name > $3 ORDER BY name LIMIT $4",
        )?;
        let parent = self.prefix.strip_suffix('/').unwrap_or_default();
        let folders = statement.query_map(params![self.manifest, parent, after, count as i64], |row| {
            Ok(ArtifactFolder {
                path: format!("{}{}", self.prefix, row.get::<_, String>(0)?),
                file_count: row.get::<_, i64>(1)? as u64,
                size_bytes: row.get::<_, i64>(2)? as u64,
            })
        })?;
        Ok(folders.collect::<Result<_, _>>()?)
    }

    /// Files of the folder itself. What is in its folders is jumped over, one look at the index each.
    fn files(&self, database: &Connection, after: &str, count: usize) -> Result<Vec<ArtifactEntry>, Error> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM manifest_entries WHERE manifest = $1 AND path >= $2 AND path < $3 ORDER BY path"
        );
        let mut statement = database.sql(&sql)?;
        let end = Self::end_of(&self.prefix);
        // The first text behind `after`.
        let mut from = if after.is_empty() { self.prefix.clone() } else { format!("{after}\0") };
        let mut entries = Vec::new();
        'jump: loop {
            let mut rows = statement.query((self.manifest, &from, &end))?;
            while entries.len() < count
                && let Some(row) = rows.next()?
            {
                let path = row.get_ref(0)?.as_str().unwrap_or_default();
                match path[self.prefix.len()..].find('/') {
                    Some(slash) => {
                        from = Self::end_of(&path[..self.prefix.len() + slash + 1]);
                        continue 'jump;
                    }
                    None => entries.push(read_api_entry(row)?),
                }
            }
            return Ok(entries);
        }
    }
}

/// Cuts a page off what was found, of which there is one more when another page follows.
fn page(mut folders: Vec<ArtifactFolder>, mut entries: Vec<ArtifactEntry>, limit: usize) -> ArtifactEntryList {
    let has_more = folders.len() + entries.len() > limit;
    folders.truncate(limit);
    entries.truncate(limit - folders.len());
    let last = match (entries.last(), folders.last()) {
        (Some(entry), _) => Some(Cursor::Entry(entry.path.clone())),
        (None, Some(folder)) => {
            let name = folder.path.rsplit_once('/').map_or(&*folder.path, |(_, name)| name);
            Some(Cursor::Folder(name.into()))
        }
        (None, None) => None,
    };
    let next_cursor = last.filter(|_| has_more).map(|cursor| cursor.encode());
    ArtifactEntryList { folders, entries, next_cursor }
}

impl Cursor {
    fn encode(&self) -> String {
        let (kind, text) = match self {
            Self::Folder(name) => ("folder", name),
            Self::Entry(path) => ("entry", path),
        };
        encode_hex(&[kind.into(), text.as_str().into()])
    }

    fn decode(cursor: &str) -> Result<Self, Error> {
        match &decode_hex(cursor)?[..] {
            [Json::String(kind), Json::String(text)] if kind == "folder" => Ok(Self::Folder(text.clone())),
            [Json::String(kind), Json::String(text)] if kind == "entry" => Ok(Self::Entry(text.clone())),
            _ => Err(wrong_cursor()),
        }
    }
}
