//! Checking that everything stored is as it was written.

use std::collections::{HashMap, HashSet};
use std::fmt;

use rusqlite::Connection;
use steplog_journal::StreamDecoder;
use steplog_model::{ContentHash, StreamId};

use crate::blobs::{Blobs, Condition};
use crate::database::{Sql as _, check_integrity};
use crate::statistics::Statistics;
use crate::values::Rows;
use crate::{Error, Store, artifacts, catalog, chunk, console, load, system};

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: `the database`, or a run and what of it.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// A run that is checked.
struct Check<'a> {
    database: &'a Connection,
    run: i64,
    path: String,
    findings: &'a mut Vec<Finding>,
}

impl Store {
    /// Checks the database's own structure, and of every run that journal bytes and chunks have their checksums, decode,
    /// and agree with what the catalog says of them; then all manifests of artifacts, and the bytes that they hold. `progress` is told runs done and runs in all.
    ///
    /// # Errors
    /// The database cannot be read at all; damage that was found is an answer, not an error.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Finding>, Error> {
        let reader = self.shared.database.reader()?;
        let mut findings: Vec<Finding> = check_integrity(&reader)?
            .into_iter()
            .map(|message| Finding { place: "the database".into(), message })
            .collect();
        let runs: Vec<(i64, String)> = {
            let mut statement = reader.sql(
                "SELECT r.id, p.entity, p.name, r.run_id FROM runs r JOIN projects p ON p.id = r.project ORDER BY r.id",
            )?;
            let names = |row: &rusqlite::Row<'_>| {
                let names: [String; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
                Ok((row.get(0)?, names.join("/")))
            };
            statement.query_map((), names)?.collect::<Result<_, _>>()?
        };
        let mut sound = HashSet::new();
        let total = runs.len() as u64;
        progress(0, total);
        for (done, (run, path)) in runs.into_iter().enumerate() {
            // Of one moment, for a seal may come in between.
            let snapshot = reader.snapshot()?;
            let mut check = Check { database: &snapshot, run, path, findings: &mut findings };
            check.catalog();
            check.streams()?;
            check.columns()?;
            check.surroundings()?;
            check.files(&self.shared.blobs, &mut sound)?;
            progress(done as u64 + 1, total);
        }
        artifacts::check_manifests(&reader, &self.shared.blobs, &mut sound, &mut |finding| findings.push(finding))?;
        Ok(findings)
    }
}

impl Check<'_> {
    fn found(&mut self, what: &str, message: impl fmt::Display) {
        self.findings.push(Finding { place: format!("run {}, {what}", self.path), message: message.to_string() });
    }

    /// Config and summary.
    fn catalog(&mut self) {
        if let Err(error) = load::config(self.database, self.run) {
            self.found("config", error);
        }
        if let Err(error) = load::summary(self.database, self.run) {
            self.found("summary", error);
        }
    }

    /// That the journal bytes reach, frame by frame, from what is in chunks to what was acknowledged.
    fn streams(&mut self) -> Result<(), Error> {
        let mut streams: HashMap<i64, (StreamId, u64, Option<StreamDecoder>)> = HashMap::new();
        let mut statement = self
            .database
            .sql("SELECT id, stream, durable_offset, sealed_offset, sealed_state FROM streams WHERE run = $1")?;
        let mut rows = statement.query([self.run])?;
        while let Some(row) = rows.next()? {
            let stream = catalog::stream_id(row.get_ref(1)?.as_blob().unwrap_or_default())?;
            let (durable, sealed) = (row.get::<_, i64>(2)? as u64, row.get::<_, i64>(3)? as u64);
            match catalog::decode_stream_state(row.get_ref(4)?.as_blob().unwrap_or_default()) {
                Ok((keys, _)) => {
                    let decoder = StreamDecoder::resume(stream, sealed, keys);
                    streams.insert(row.get(0)?, (stream, durable, Some(decoder)));
                }
                Err(error) => self.found(&format!("stream {stream}"), error),
            }
        }
        let mut statement = self
            .database
            .sql("SELECT stream, start_offset, checksum, bytes FROM journal_bytes WHERE run = $1 ORDER BY id")?;
        let mut rows = statement.query([self.run])?;
        while let Some(row) = rows.next()? {
            let Some((stream, _, state)) = streams.get_mut(&row.get(0)?) else { continue };
            let Some(decoder) = state else { continue };
            let start = row.get::<_, i64>(1)? as u64;
            if start > decoder.offset() {
                *decoder = StreamDecoder::resume(*stream, start, Vec::new());
            }
            let result = load::read_bytes(row.get_ref(3)?.as_blob().unwrap_or_default(), row.get(2)?)
                .and_then(|bytes| decoder.decode(&bytes, |_| {}).map_err(|error| Error::data(error.to_string())));
            if let Err(error) = result {
                let place = format!("stream {stream}, journal bytes from {start}");
                *state = None;
                self.found(&place, error);
            }
        }
        for (stream, durable, decoder) in streams.into_values() {
            if let Some(reached) = decoder.map(|decoder| decoder.offset()).filter(|reached| *reached != durable) {
                let message = format!("{durable} bytes were acknowledged, and {reached} are there");
                self.found(&format!("stream {stream}"), message);
            }
        }
        Ok(())
    }

    /// That the bytes of files have their hash; `sound` are those already seen to. Those that do not are set aside.
    fn files(&mut self, blobs: &Blobs, sound: &mut HashSet<ContentHash>) -> Result<(), Error> {
        let mut statement =
            self.database.sql("SELECT path, sha256, size_bytes FROM files WHERE run = $1 ORDER BY path")?;
        let mut rows = statement.query([self.run])?;
        while let Some(row) = rows.next()? {
            let (path, hash, size): (String, [u8; 32], i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let hash = ContentHash::from_bytes(hash);
            if sound.contains(&hash) {
                continue;
            }
            let place = format!("file {path:?}");
            match blobs.check(hash, size as u64) {
                Ok(Condition::Good) => drop(sound.insert(hash)),
                Ok(Condition::Damaged(found)) => {
                    let message = format!("its hash should be {hash}, and is {found}: it was set aside");
                    self.found(&place, message);
                }
                Ok(Condition::Gone) => self.found(&place, "its bytes were damaged or lost; send the file again"),
                Err(error) => self.found(&place, error),
            }
        }
        Ok(())
    }

    /// That what was printed can be read, and what the machines were busy with.
    fn surroundings(&mut self) -> Result<(), Error> {
        let (database, run) = (self.database, self.run);
        console::verify(database, run, &mut |place, error| self.found(place, error))?;
        system::verify(database, run, &mut |place, error| self.found(place, error))
    }

    /// That blocks and chunks decode, and that statistics and counts are those of the points.
    fn columns(&mut self) -> Result<(), Error> {
        let mut statement =
            self.database.sql("SELECT block, row_count, checksum, data FROM blocks WHERE run = $1 ORDER BY block")?;
        let mut rows = statement.query([self.run])?;
        // Chunks come by block, so that one block is in memory at a time.
        let mut chunks = self.database.sql(
            "SELECT c.key, k.name, c.checksum, c.statistics, c.data FROM chunks c JOIN keys k ON k.id = c.key
             WHERE c.run = $1 AND c.block = $2",
        )?;
        let mut counts: HashMap<i64, i64> = HashMap::new();
        while let Some(row) = rows.next()? {
            let block: i64 = row.get(0)?;
            let data = row.get_ref(3)?.as_blob().unwrap_or_default();
            let decoded = chunk::check(data, row.get(2)?).and_then(|()| chunk::decode_rows(data));
            let decoded = match decoded {
                Ok(decoded) if decoded.len() as i64 == row.get::<_, i64>(1)? => Some(decoded),
                Ok(_) => {
                    self.found(&format!("block {block}"), "it has another number of rows than the catalog says");
                    None
                }
                Err(error) => {
                    self.found(&format!("block {block}"), error);
                    None
                }
            };
            let mut chunks = chunks.query((self.run, block))?;
            while let Some(row) = chunks.next()? {
                let (key, name): (i64, String) = (row.get(0)?, row.get(1)?);
                match check_chunk(row, decoded.as_ref()) {
                    Ok(count) => *counts.entry(key).or_default() += count as i64,
                    Err(error) => self.found(&format!("key {name:?}, block {block}"), error),
                }
            }
        }
        let mut statement = self.database.sql(
            "SELECT k.id, k.name, c.point_count FROM columns c JOIN keys k ON k.id = c.key WHERE c.run = $1 ORDER BY k.name",
        )?;
        let mut rows = statement.query([self.run])?;
        let is_sound = !self.findings.iter().any(|finding| finding.place.starts_with(&format!("run {}, ", self.path)));
        while let Some(row) = rows.next()? {
            let (expected, found): (i64, i64) = (row.get(2)?, counts.get(&row.get(0)?).copied().unwrap_or(0));
            // After other damage the count is wrong for that reason.
            if is_sound && expected != found {
                let name: String = row.get(1)?;
                self.found(&format!("key {name:?}"), format!("{expected} points were sealed, and {found} are there"));
            }
        }
        Ok(())
    }
}

/// Checks a chunk and answers how many values it has.
fn check_chunk(row: &rusqlite::Row<'_>, rows: Option<&Rows>) -> Result<usize, Error> {
    let data = row.get_ref(4)?.as_blob().unwrap_or_default();
    chunk::check(data, row.get(2)?)?;
    let values = chunk::decode_values(data)?;
    let Some(rows) = rows else { return Ok(values.len()) };
    if rows.len() != values.len() {
        return Err(Error::data("the chunk has not as many values as its block has rows"));
    }
    let stored = row.get_ref(3)?.as_blob().unwrap_or_default();
    Statistics::decode(stored)?;
    if stored != chunk::statistics(rows, &values).encode() {
        return Err(Error::data("the statistics are not those of the points"));
    }
    Ok(values.len())
}
