//! Writing a journal: the hot path of `log()`.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use steplog_model::{MAX_KEY_BYTES, Record, StreamId, Value};

use crate::frame::{self, MAX_FRAME_BYTES, whole_frames};
use crate::record::{self, encode_record, encode_value};
use crate::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, list_segments, segment_path};
use crate::sink::Sink;
use crate::upkeep::{Prepared, Spare, Upkeep};
use crate::varint::{put_signed, put_unsigned};

/// How often a writer that holds bytes in memory tries the disk again.
const DISK_RETRY: Duration = Duration::from_millis(500);

/// How a journal is written.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// Size of a segment file, in bytes.
    pub segment_bytes: usize,
    /// How many bytes may be held in memory while the disk is full.
    pub memory_bytes: usize,
    /// Whether segments are mapped into memory where that is safe.
    pub mapped: bool,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { segment_bytes: 4 << 20, memory_bytes: 32 << 20, mapped: true }
    }
}

/// A key of a run, interned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(u32);

impl KeyId {
    /// Keys are numbered from 0 in the order in which they were interned.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The keys of a run, each with a number for the life of the process.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    ids: HashMap<Arc<str>, KeyId, foldhash::fast::RandomState>,
    texts: Vec<Arc<str>>,
}

impl Keys {
    /// The number of a key; the same text has the same number.
    ///
    /// # Errors
    /// The key is too long.
    pub fn intern(&mut self, key: &str) -> Result<KeyId, AppendError> {
        if let Some(id) = self.ids.get(key) {
            return Ok(*id);
        }
        if key.len() > MAX_KEY_BYTES {
            return Err(AppendError::KeyTooLong { bytes: key.len() });
        }
        let text: Arc<str> = key.into();
        let id = KeyId(self.texts.len() as u32);
        self.texts.push(text.clone());
        self.ids.insert(text, id);
        Ok(id)
    }

    /// The text of a key.
    pub fn text(&self, key: KeyId) -> &Arc<str> {
        &self.texts[key.index()]
    }

    /// The texts by number.
    pub fn texts(&self) -> &[Arc<str>] {
        &self.texts
    }
}

/// A record that was refused; the journal is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// It does not fit into a frame.
    #[error("the record takes {bytes} bytes, more than {MAX_FRAME_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The key is longer than [`MAX_KEY_BYTES`].
    #[error("a key of {bytes} bytes is longer than {MAX_KEY_BYTES}")]
    KeyTooLong {
        /// Its size.
        bytes: usize,
    },
}

/// Something that a person should hear about; each is told once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The disk takes no more: from now on records are held in memory.
    DiskFull {
        /// The segment that could not be made or extended, and why.
        error: String,
    },
    /// The disk takes data again, and everything held in memory is on it.
    DiskBack {
        /// How many rows were lost in between.
        lost_rows: u64,
    },
    /// Memory is full too: rows are being lost.
    Losing,
}

/// Appends records to a journal. Whatever an append returned from survives `kill -9` of the process, unless
/// [`Event::DiskFull`] was told. Nothing is ever flushed by hand.
pub struct JournalWriter {
    folder: PathBuf,
    stream: StreamId,
    options: WriterOptions,
    numbers: KeyNumbers,
    target: Target,
    /// Bytes used of the current segment.
    used: usize,
    /// Stream offset of the current segment.
    base: u64,
    scratch: Vec<u8>,
    backlog: Arc<Backlog>,
    events: Vec<Event>,
    lost_rows: u64,
    retry_at: Instant,
    /// What the next segment on disk will be, made ahead.
    spare: Option<Spare>,
    /// Full segments that are still to be closed, with their used lengths.
    full: Vec<(Sink, usize)>,
}

enum Target {
    Disk(Sink),
    /// The bytes are at the back of [`Backlog::memory`].
    Memory {
        capacity: usize,
    },
}

impl JournalWriter {
    /// Begins the journal of a stream in `folder`, which is made. A full disk is not an error: the journal then begins
    /// in memory.
    ///
    /// # Errors
    /// The folder cannot be made or written, for any other reason than a full disk.
    pub fn create(folder: &Path, stream: StreamId, options: WriterOptions) -> io::Result<Self> {
        match fs::create_dir_all(folder) {
            Err(error) if !is_full(&error) => return Err(named(error, folder)),
            _ => {}
        }
        let backlog = Arc::new(Backlog {
            folder: folder.to_owned(),
            end: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            memory: Mutex::default(),
        });
        let mut writer = Self {
            folder: folder.to_owned(),
            stream,
            options,
            numbers: KeyNumbers::default(),
            target: Target::Memory { capacity: 0 },
            used: 0,
            base: 0,
            scratch: Vec::with_capacity(4096),
            backlog,
            events: Vec::new(),
            lost_rows: 0,
            retry_at: Instant::now(),
            spare: None,
            full: Vec::new(),
        };
        match writer.open_disk(0) {
            Ok(sink) => writer.begin_segment(Target::Disk(sink)),
            Err(error) if is_full(&error) => writer.enter_memory(&error, 0),
            Err(error) => return Err(error),
        }
        Ok(writer)
    }

    /// The stream.
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// What an uploader reads the journal through, from any thread.
    pub fn backlog(&self) -> Arc<Backlog> {
        self.backlog.clone()
    }

    /// Appends a row of history, or a part of one; its keys are of `keys`, always the same table.
    ///
    /// # Errors
    /// The row is too large.
    pub fn append_row(
        &mut self,
        step: i64,
        time: f64,
        committed: bool,
        entries: &[(KeyId, Value)],
        keys: &Keys,
    ) -> Result<(), AppendError> {
        self.append(true, |writer| {
            let out = &mut writer.scratch;
            frame::begin(out, record::kind::ROW);
            out.push(if committed { record::COMMITTED } else { 0 });
            put_signed(out, step);
            out.extend_from_slice(&time.to_le_bytes());
            put_unsigned(out, entries.len() as u64);
            // Room for a number and its key each; longer values make the buffer grow.
            out.reserve(entries.len() * 14);
            for (key, value) in entries {
                writer.numbers.encode(out, *key, keys);
                encode_value(out, value);
            }
        })
    }

    /// Appends any record but a row.
    ///
    /// # Errors
    /// The record is too large.
    pub fn append_record(&mut self, record: &Record) -> Result<(), AppendError> {
        self.append(false, |writer| {
            frame::begin(&mut writer.scratch, 0);
            writer.scratch[8] = encode_record(&mut writer.scratch, record);
        })
    }

    /// What a person should hear about since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Tries to bring what is held in memory to disk; a background thread calls it now and then.
    pub fn retry_disk(&mut self) {
        if matches!(self.target, Target::Memory { .. }) && Instant::now() >= self.retry_at {
            self.retry_at = Instant::now() + DISK_RETRY;
            self.leave_memory();
        }
    }

    /// Takes slow file work off the writer: [`Upkeep::run`] does it, without the writer, and [`Self::give_prepared`] brings
    /// back what it made. A writer that nobody does this for does the work itself when it must.
    pub fn take_upkeep(&mut self) -> Option<Upkeep> {
        let wants_spare =
            self.spare.is_none() && matches!(self.target, Target::Disk(_)) && self.used > self.capacity() / 4;
        if self.full.is_empty() && !wants_spare {
            return None;
        }
        Some(Upkeep {
            folder: self.folder.clone(),
            full: std::mem::take(&mut self.full),
            spare_bytes: (wants_spare && self.options.mapped).then_some(self.options.segment_bytes),
        })
    }

    /// Takes what [`Upkeep::run`] made.
    pub fn give_prepared(&mut self, prepared: Prepared) {
        self.spare = prepared.0.or(self.spare.take());
    }

    /// Whether bytes are held in memory only.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.target, Target::Memory { .. })
    }

    /// Ends the journal: cuts the last segment to its used length. Bytes still in memory stay readable through the
    /// backlog as long as that lives.
    ///
    /// # Errors
    /// The file could not be cut; readers find its end all the same.
    pub fn close(mut self) -> io::Result<()> {
        if self.is_in_memory() {
            self.leave_memory();
        }
        for (sink, used) in self.full {
            // As with a segment that a killed process leaves: the next one's name says where it ends.
            let _ = sink.close(used);
        }
        if let Some(spare) = self.spare {
            spare.remove();
        }
        match self.target {
            Target::Disk(sink) => sink.close(self.used).map_err(|error| named(error, &self.folder)),
            Target::Memory { .. } => Ok(()),
        }
    }

    /// Appends the frame that `encode` puts into `scratch`. It is called again whenever a new segment begins, since key
    /// numbers start over there.
    fn append(&mut self, is_row: bool, encode: impl Fn(&mut Self)) -> Result<(), AppendError> {
        loop {
            self.scratch.clear();
            encode(self);
            let bytes = self.scratch.len() - 8;
            if bytes > MAX_FRAME_BYTES {
                self.numbers.forget_numbers_of_frame();
                self.scratch = Vec::new();
                return Err(AppendError::TooLarge { bytes });
            }
            let segment = self.numbers.segment;
            if self.used + self.scratch.len() > self.capacity() && !self.rotate(self.scratch.len(), is_row) {
                self.numbers.forget_numbers_of_frame();
                return Ok(());
            }
            if self.numbers.segment == segment && self.write_scratch() {
                break;
            }
        }
        self.numbers.keep_numbers_of_frame();
        if self.scratch.capacity() > 1 << 20 {
            self.scratch = Vec::with_capacity(4096);
        }
        Ok(())
    }

    /// Writes the frame in `scratch`; `false` when the disk refused it and a segment in memory was begun.
    fn write_scratch(&mut self) -> bool {
        frame::end(&mut self.scratch);
        match &mut self.target {
            Target::Disk(sink) => {
                if let Err(error) = sink.write(self.used, &self.scratch) {
                    self.enter_memory(&error, self.scratch.len());
                    return false;
                }
            }
            Target::Memory { .. } => {
                self.backlog.memory().back_mut().expect("a memory target has a segment").bytes.extend(&self.scratch);
            }
        }
        self.advance(self.scratch.len());
        true
    }

    fn advance(&mut self, bytes: usize) {
        self.used += bytes;
        self.backlog.end.store(self.base + self.used as u64, Ordering::Release);
    }

    fn capacity(&self) -> usize {
        match &self.target {
            Target::Disk(sink) => sink.capacity(),
            Target::Memory { capacity } => *capacity,
        }
    }

    /// Begins the next segment, with room for a frame of `bytes`; `false` when memory is full too.
    fn rotate(&mut self, bytes: usize, is_row: bool) -> bool {
        if self.is_in_memory() {
            self.retry_disk();
        }
        if !self.is_in_memory() && self.used + bytes <= self.capacity() {
            return true;
        }
        let end = self.base + self.used as u64;
        if self.is_in_memory() {
            if !self.backlog.make_room(self.options.memory_bytes, bytes) {
                if self.lost_rows == 0 {
                    self.events.push(Event::Losing);
                }
                self.lost_rows += u64::from(is_row);
                return false;
            }
            self.base = end;
            self.begin_memory_segment(bytes);
            return true;
        }
        match self.next_disk(end, bytes) {
            Ok((sink, spared)) => {
                let used = self.used;
                self.base = end;
                if let Target::Disk(full) = std::mem::replace(&mut self.target, Target::Memory { capacity: 0 }) {
                    match spared {
                        true => self.full.push((full, used)),
                        // Nobody does the upkeep, or it is behind: then nothing may pile up here.
                        false => drop(full.close(used)),
                    }
                }
                self.begin_segment(Target::Disk(sink));
            }
            Err(error) => self.enter_memory(&error, bytes),
        }
        true
    }

    fn open_disk(&self, bytes: usize) -> io::Result<Sink> {
        self.open_disk_at(self.base, bytes)
    }

    fn open_disk_at(&self, base: u64, bytes: usize) -> io::Result<Sink> {
        let path = segment_path(&self.folder, base);
        let capacity = self.options.segment_bytes.max(SEGMENT_HEADER_BYTES + bytes);
        Sink::create(&path, capacity, self.options.mapped).map_err(|error| named(error, &path))
    }

    /// The next segment's file, and whether it was prepared.
    fn next_disk(&mut self, base: u64, bytes: usize) -> io::Result<(Sink, bool)> {
        if let Some(spare) = self.spare.take_if(|spare| spare.capacity() >= SEGMENT_HEADER_BYTES + bytes)
            && let Ok(sink) = spare.place(&self.folder, base)
        {
            return Ok((sink, true));
        }
        Ok((self.open_disk_at(base, bytes)?, false))
    }

    fn begin_segment(&mut self, target: Target) {
        self.target = target;
        self.used = 0;
        self.numbers.begin_segment();
        let header = SegmentHeader { stream: self.stream, base: self.base }.encode();
        match &mut self.target {
            Target::Disk(sink) => {
                if let Err(error) = sink.write(0, &header) {
                    let _ = fs::remove_file(segment_path(&self.folder, self.base));
                    self.used = 0;
                    self.enter_memory(&error, 0);
                    return;
                }
            }
            Target::Memory { .. } => {
                self.backlog.memory().push_back(MemorySegment { base: self.base, bytes: header.to_vec() });
            }
        }
        self.advance(SEGMENT_HEADER_BYTES);
    }

    fn begin_memory_segment(&mut self, bytes: usize) {
        // Small segments, so that what a server acknowledged can be let go early.
        let capacity = (256 << 10).max(SEGMENT_HEADER_BYTES + bytes);
        self.begin_segment(Target::Memory { capacity });
    }

    fn enter_memory(&mut self, error: &io::Error, bytes: usize) {
        self.events.push(Event::DiskFull { error: error.to_string() });
        self.retry_at = Instant::now() + DISK_RETRY;
        let end = self.base + self.used as u64;
        if let Target::Disk(full) = std::mem::replace(&mut self.target, Target::Memory { capacity: 0 }) {
            let _ = full.close(self.used);
        }
        self.base = end;
        self.begin_memory_segment(bytes);
    }

    /// Writes the segments in memory to disk, oldest first, and goes on in a new one; stops at the first that fails.
    fn leave_memory(&mut self) {
        if fs::create_dir_all(&self.folder).is_err() {
            return;
        }
        loop {
            let Some(segment) = self.backlog.memory().front().cloned() else {
                break;
            };
            let path = segment_path(&self.folder, segment.base);
            let partial = path.with_extension("partial");
            if fs::write(&partial, &segment.bytes).and_then(|()| fs::rename(&partial, &path)).is_err() {
                let _ = fs::remove_file(&partial);
                return;
            }
            self.backlog.memory().pop_front();
        }
        let end = self.base + self.used as u64;
        match self.open_disk_at(end, 0) {
            Ok(sink) => {
                self.base = end;
                self.begin_segment(Target::Disk(sink));
            }
            Err(_) => {
                self.base = end;
                self.begin_memory_segment(0);
                return;
            }
        }
        self.events.push(Event::DiskBack { lost_rows: self.lost_rows });
        if self.lost_rows > 0 && self.append_loss() {
            self.lost_rows = 0;
        }
    }

    /// Records how many rows were lost; the segment was just begun, so it fits.
    fn append_loss(&mut self) -> bool {
        let time =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
        self.scratch.clear();
        frame::begin(&mut self.scratch, 0);
        self.scratch[8] = encode_record(&mut self.scratch, &Record::Loss { rows: self.lost_rows, time });
        self.write_scratch()
    }
}

/// The written part of a journal, as an uploader in the same process sees it: on disk, and in memory while the disk is
/// full.
#[derive(Debug)]
pub struct Backlog {
    folder: PathBuf,
    end: AtomicU64,
    acknowledged: AtomicU64,
    memory: Mutex<VecDeque<MemorySegment>>,
}

#[derive(Clone, Debug)]
struct MemorySegment {
    base: u64,
    bytes: Vec<u8>,
}

impl Backlog {
    /// Stream offset behind the last record.
    pub fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Tells how far a server has the stream durably; memory below may be let go.
    pub fn acknowledge(&self, offset: u64) {
        self.acknowledged.fetch_max(offset, Ordering::AcqRel);
    }

    /// Reads whole frames from `offset`, a frame boundary: at most `max_bytes`, or one frame if that is larger. Empty at
    /// the end.
    ///
    /// # Errors
    /// A segment file is missing or cannot be read.
    pub fn read(&self, offset: u64, max_bytes: usize) -> io::Result<Vec<u8>> {
        let end = self.end();
        if offset >= end {
            return Ok(Vec::new());
        }
        if let Some(bytes) = self.read_memory(offset, max_bytes) {
            return Ok(bytes);
        }
        let segments = list_segments(&self.folder).map_err(|error| named(error, &self.folder))?;
        let at = segments.partition_point(|segment| segment.base <= offset);
        let Some(segment) = at.checked_sub(1).map(|at| &segments[at]) else {
            return Err(named(io::Error::other(format!("no segment holds byte {offset}")), &self.folder));
        };
        let mut limit = segments.get(at).map_or(end, |next| next.base).min(end);
        if let Some(memory) = self.memory().front() {
            limit = limit.min(memory.base);
        }
        let file = File::open(&segment.path).map_err(|error| named(error, &segment.path))?;
        let read =
            |count: u64| read_at(&file, offset - segment.base, count).map_err(|error| named(error, &segment.path));
        let mut bytes = read((limit - offset).min(max_bytes as u64))?;
        let mut whole = whole_frames(&bytes);
        if whole == 0 {
            bytes = read((limit - offset).min((MAX_FRAME_BYTES + 8) as u64))?;
            whole = first_frame(&bytes);
        }
        if whole == 0 {
            return Err(named(
                io::Error::other(format!("no whole frame at byte {offset} of the stream")),
                &segment.path,
            ));
        }
        bytes.truncate(whole);
        Ok(bytes)
    }

    fn read_memory(&self, offset: u64, max_bytes: usize) -> Option<Vec<u8>> {
        let memory = self.memory();
        let segment = memory.iter().rev().find(|segment| segment.base <= offset)?;
        let bytes = segment.bytes.get((offset - segment.base) as usize..).filter(|bytes| !bytes.is_empty())?;
        let whole = match whole_frames(&bytes[..bytes.len().min(max_bytes)]) {
            0 => first_frame(bytes),
            whole => whole,
        };
        Some(bytes[..whole].to_vec())
    }

    /// Lets go of memory that a server has until `bytes` more fit below `limit`; `false` when they do not.
    fn make_room(&self, limit: usize, bytes: usize) -> bool {
        let mut memory = self.memory();
        let acknowledged = self.acknowledged.load(Ordering::Acquire);
        let mut held: usize = memory.iter().map(|segment| segment.bytes.len()).sum();
        while held + bytes + SEGMENT_HEADER_BYTES > limit {
            match memory.front() {
                Some(front) if front.base + front.bytes.len() as u64 <= acknowledged => {
                    held -= front.bytes.len();
                    memory.pop_front();
                }
                _ => return false,
            }
        }
        true
    }

    fn memory(&self) -> MutexGuard<'_, VecDeque<MemorySegment>> {
        // The queue is consistent between any two statements, so a panic elsewhere leaves nothing half done.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn first_frame(bytes: &[u8]) -> usize {
    match frame::scan(bytes) {
        frame::Scan::Header(_) => SEGMENT_HEADER_BYTES,
        frame::Scan::Frame { size, .. } => size,
        frame::Scan::End | frame::Scan::Damaged(_) => 0,
    }
}

/// The number that each key has in the segment being written.
#[derive(Default)]
struct KeyNumbers {
    /// By id: the segment that the number is of, and the number.
    numbers: Vec<(u32, u32)>,
    segment: u32,
    next_number: u32,
    /// Ids that got their number in the frame being encoded.
    new_in_frame: Vec<KeyId>,
}

impl KeyNumbers {
    #[inline]
    fn encode(&mut self, out: &mut Vec<u8>, key: KeyId, keys: &Keys) {
        match self.numbers.get(key.index()) {
            Some((segment, number)) if *segment == self.segment => put_unsigned(out, u64::from(*number) + 1),
            _ => self.encode_new(out, key, keys),
        }
    }

    /// Writes a key that the segment has not had yet, with its text.
    #[cold]
    fn encode_new(&mut self, out: &mut Vec<u8>, key: KeyId, keys: &Keys) {
        if key.index() >= self.numbers.len() {
            self.numbers.resize(keys.texts.len(), (0, 0));
        }
        put_unsigned(out, 0);
        record::put_text(out, keys.text(key));
        self.numbers[key.index()] = (self.segment, self.next_number);
        self.next_number += 1;
        self.new_in_frame.push(key);
    }

    fn begin_segment(&mut self) {
        self.new_in_frame.clear();
        self.segment += 1;
        self.next_number = 0;
    }

    fn keep_numbers_of_frame(&mut self) {
        self.new_in_frame.clear();
    }

    /// Takes back the numbers that a frame gave which never reaches the journal.
    fn forget_numbers_of_frame(&mut self) {
        for key in self.new_in_frame.drain(..) {
            self.numbers[key.index()] = (0, 0);
            self.next_number -= 1;
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// The error with the path behind it.
pub(crate) fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{error}: {}", path.display()))
}

/// Up to `count` bytes from `at`; fewer at the end of the file.
pub(crate) fn read_at(mut file: &File, at: u64, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}
