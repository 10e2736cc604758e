//! One journal of a folder: where it stands, and what to read next.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use steplog_journal::{Chunk, JournalReader, MAX_FRAME_BYTES, ReadError, StreamDecoder, list_segments};
use steplog_model::{Entity, Record, RunPath, RunStart, StreamId};

/// How much is read at first, and when a journal that was read to its end grows.
const SMALL_READ_BYTES: usize = 32 << 10;

/// How much is read of one that has more.
const LARGE_READ_BYTES: usize = 2 << 20;

/// The entity of runs that name none.
const LOCAL_ENTITY: &str = "local";

/// A journal and how far it was read.
pub(super) struct Journal {
    reader: JournalReader,
    stream: StreamId,
    /// Known once the first frame is there.
    run: Option<RunPath>,
    offset: u64,
    /// Whether the last read brought as much as was asked for.
    has_more: bool,
    /// Where damage was found and passed; nothing is read below it again.
    passed_damage: Option<u64>,
    last_growth: SystemTime,
}

/// What a journal has to be told to the store.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    /// Whole frames.
    Frames(Chunk),
    /// Bytes that no writer wrote, as they stand there: the store records what is wrong.
    Damaged(Chunk),
    /// Nothing new.
    End,
}

impl Journal {
    pub(super) fn new(folder: PathBuf, stream: StreamId) -> Self {
        let last_growth = last_modified(&folder).unwrap_or(SystemTime::UNIX_EPOCH);
        let reader = JournalReader::new(folder);
        Self { reader, stream, run: None, offset: 0, has_more: true, passed_damage: None, last_growth }
    }

    pub(super) fn folder(&self) -> &Path {
        self.reader.folder()
    }

    pub(super) fn stream(&self) -> StreamId {
        self.stream
    }

    pub(super) fn run(&self) -> Option<&RunPath> {
        self.run.as_ref()
    }

    /// Reads which run this is; `None` as long as its first frame is not there.
    ///
    /// # Errors
    /// The journal does not begin as one does.
    pub(super) fn identify(&mut self) -> Result<Option<&RunPath>, String> {
        let mut decoder = StreamDecoder::new(self.stream);
        // A read answers at least one frame, and the header counts as one: a long first record comes with the second.
        for _ in 0..2 {
            let chunk = self.reader.read(decoder.offset(), SMALL_READ_BYTES).map_err(|error| error.to_string())?;
            if chunk.offset > decoder.offset() {
                return Err("its beginning went to a server and never reached this disk".into());
            }
            let mut first = None;
            let decoded = decoder.decode(&chunk.bytes, |record| {
                first.get_or_insert(record);
            });
            match (first, decoded) {
                (Some(Record::RunStart(start)), _) => return Ok(Some(self.run.insert(run_path(*start)))),
                (Some(_), _) => return Err("it does not begin with the start of a run".into()),
                (None, Err(error)) => return Err(error.to_string()),
                (None, Ok(_)) => {}
            }
        }
        Ok(None)
    }

    /// Goes on behind what is durable; `false` when that was so already.
    pub(super) fn advance(&mut self, durable_offset: u64) -> bool {
        let advances = durable_offset > self.offset;
        self.offset = self.offset.max(durable_offset);
        advances
    }

    /// What stands at the place where reading goes on.
    ///
    /// # Errors
    /// The files cannot be read.
    pub(super) fn read(&mut self) -> io::Result<Piece> {
        let max_bytes = if self.has_more { LARGE_READ_BYTES } else { SMALL_READ_BYTES };
        match self.reader.read(self.offset, max_bytes) {
            Ok(chunk) if chunk.bytes.is_empty() => {
                self.has_more = false;
                Ok(Piece::End)
            }
            Ok(chunk) => {
                if !self.has_more {
                    self.last_growth = SystemTime::now();
                }
                self.has_more = true;
                Ok(Piece::Frames(chunk))
            }
            Err(ReadError::Io(error)) => Err(error),
            Err(ReadError::Damaged { offset, .. }) if self.passed_damage.is_some_and(|passed| offset <= passed) => {
                Ok(Piece::End)
            }
            Err(ReadError::Damaged { offset, path, .. }) => {
                let base = list_segments(self.folder())?.into_iter().find(|segment| segment.path == path);
                let start = offset - base.map_or(0, |segment| segment.base);
                Ok(Piece::Damaged(Chunk { offset, bytes: read_frame(&path, start)? }))
            }
        }
    }

    /// Goes on at the next segment, which can be read by itself; `false` when there is none.
    pub(super) fn pass_damage(&mut self, offset: u64) -> bool {
        self.passed_damage = Some(offset);
        let next = list_segments(self.folder())
            .ok()
            .and_then(|segments| segments.into_iter().map(|segment| segment.base).find(|base| *base > offset));
        self.offset = next.unwrap_or(self.offset);
        next.is_some()
    }

    /// How long to wait before looking again: a journal that grew lately is live, and may be shown within a second.
    pub(super) fn interval(&self) -> Duration {
        let idle = self.last_growth.elapsed().unwrap_or_default();
        if idle < Duration::from_secs(90) {
            return Duration::from_millis(250);
        }
        (idle / 60).clamp(Duration::from_millis(1500), Duration::from_secs(60))
    }
}

fn run_path(start: RunStart) -> RunPath {
    let local = || LOCAL_ENTITY.parse().expect("a good name");
    let entity = start.entity.and_then(|entity| entity.parse::<Entity>().ok());
    RunPath { entity: entity.unwrap_or_else(local), project: start.project, run: start.run_id }
}

/// The bytes of what claims to be a frame at `start`.
fn read_frame(path: &Path, start: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    (&mut file).take(64).read_to_end(&mut bytes)?;
    let length = bytes.get(..4).map_or(0, |length| u32::from_le_bytes(length.try_into().expect("4 bytes"))) as usize;
    if length <= MAX_FRAME_BYTES {
        file.take((length + 8).saturating_sub(bytes.len()) as u64).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn last_modified(folder: &Path) -> Option<SystemTime> {
    let last = list_segments(folder).ok()?.pop()?;
    fs::metadata(last.path).ok()?.modified().ok()
}
