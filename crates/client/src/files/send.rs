//! One file on its way to a server: hashed, named, and sent as far as the server lacks it.
//!
//! Whether the file stayed as it was is asked at every turn, and the server checks the hash of the whole: half a write is
//! never taken for the file.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Instant, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use steplog_model::{ContentHash, FilePath, FilePolicy, RunPath};
use steplog_protocol::PutFileRequest;

use crate::transport::{Transport, TransportError};

/// How much goes into one request.
const PART_BYTES: u64 = 4 << 20;

/// How often the server may take nothing before this is given up for a time.
const MAX_STALLS: u8 = 3;

/// What is another one when a file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) size_bytes: u64,
    pub(crate) modified_nanos: u64,
    /// Which file of the disk it is; 0 where that is not told.
    inode: u64,
}

impl Fingerprint {
    pub(crate) fn of(found: &Metadata) -> Self {
        let age = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(found);
        #[cfg(not(unix))]
        let inode = 0;
        Self {
            size_bytes: found.len(),
            modified_nanos: age.map_or(0, |age| u64::try_from(age.as_nanos()).unwrap_or(u64::MAX)),
            inode,
        }
    }
}

/// Why a file was not sent.
#[derive(Debug)]
pub(crate) enum SendError {
    /// It was written while it was read.
    Changed,
    /// It is gone, or cannot be read.
    Unreadable(io::Error),
    Transport(TransportError),
}

/// How far it is.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// There is more to do.
    Going,
    /// The server has it, as it was with this fingerprint.
    Done(Fingerprint),
}

pub(crate) struct Sending {
    place: PathBuf,
    path: FilePath,
    policy: FilePolicy,
    /// Whether more bytes may come at its end meanwhile: those are for the next time.
    may_grow: bool,
    file: File,
    print: Fingerprint,
    phase: Phase,
    stalls: u8,
}

enum Phase {
    Hashing { hasher: Sha256, offset: u64 },
    Sending { hash: ContentHash, offset: u64 },
}

impl Sending {
    pub(crate) fn begin(place: &Path, path: &FilePath, policy: FilePolicy, may_grow: bool) -> Result<Self, SendError> {
        let file = open_to_read(place).map_err(SendError::Unreadable)?;
        let found = file.metadata().map_err(SendError::Unreadable)?;
        if !found.is_file() {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file");
            return Err(SendError::Unreadable(error));
        }
        Ok(Self {
            place: place.into(),
            path: path.clone(),
            policy,
            may_grow,
            file,
            print: Fingerprint::of(&found),
            phase: Phase::Hashing { hasher: Sha256::new(), offset: 0 },
            stalls: 0,
        })
    }

    /// Goes on until it is done, `until` is over, or `each` says no; `each` is told how many bytes were just sent.
    pub(crate) fn step(
        &mut self,
        run: &RunPath,
        transport: &dyn Transport,
        until: Option<Instant>,
        each: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Step, SendError> {
        let mut buffer = Vec::new();
        loop {
            let sent = match &mut self.phase {
                Phase::Hashing { hasher, offset } => {
                    let count = PART_BYTES.min(self.print.size_bytes - *offset);
                    read_part(&mut self.file, *offset, count, &mut buffer)?;
                    hasher.update(&buffer);
                    *offset += count;
                    if *offset == self.print.size_bytes {
                        let hash = ContentHash::from_bytes(hasher.clone().finalize().into());
                        if let Some(done) = self.put_name(run, transport, hash)? {
                            return Ok(done);
                        }
                    }
                    0
                }
                Phase::Sending { hash, offset } => {
                    let (hash, begin) = (*hash, *offset);
                    let count = PART_BYTES.min(self.print.size_bytes - begin.min(self.print.size_bytes));
                    read_part(&mut self.file, begin, count, &mut buffer)?;
                    self.check_unchanged()?;
                    let size = self.print.size_bytes;
                    let status =
                        transport.send_part(&run.entity, hash, size, begin, &buffer).map_err(SendError::Transport)?;
                    if status.complete {
                        if let Some(done) = self.put_name(run, transport, hash)? {
                            each(count);
                            return Ok(done);
                        }
                    } else {
                        self.note_progress(status.received_bytes > begin)?;
                        self.phase = Phase::Sending { hash, offset: status.received_bytes };
                    }
                    status.received_bytes.saturating_sub(begin)
                }
            };
            if !each(sent) || until.is_some_and(|until| Instant::now() >= until) {
                return Ok(Step::Going);
            }
        }
    }

    /// Gives the bytes their name, or finds out from where on they must be sent.
    fn put_name(
        &mut self,
        run: &RunPath,
        transport: &dyn Transport,
        hash: ContentHash,
    ) -> Result<Option<Step>, SendError> {
        self.check_unchanged()?;
        let request = PutFileRequest {
            sha256: hash.to_string(),
            size_bytes: self.print.size_bytes,
            modified_at: Some(self.print.modified_nanos as f64 / 1e9),
            policy: Some(match self.policy {
                FilePolicy::Live => steplog_protocol::FilePolicy::Live,
                FilePolicy::Now => steplog_protocol::FilePolicy::Now,
                FilePolicy::End => steplog_protocol::FilePolicy::End,
            }),
        };
        let status = transport.put_file(run, &self.path, &request).map_err(SendError::Transport)?;
        if status.complete {
            return Ok(Some(Step::Done(self.print)));
        }
        self.note_progress(matches!(self.phase, Phase::Hashing { .. }))?;
        self.phase = Phase::Sending { hash, offset: status.received_bytes };
        Ok(None)
    }

    fn note_progress(&mut self, progress: bool) -> Result<(), SendError> {
        self.stalls = if progress { 0 } else { self.stalls + 1 };
        if self.stalls > MAX_STALLS {
            let message = format!("the server does not get on with {}", self.path);
            return Err(SendError::Transport(TransportError::Unavailable(message)));
        }
        Ok(())
    }

    /// Both the open file and what now stands at its place must be what was begun with.
    fn check_unchanged(&self) -> Result<(), SendError> {
        let opened = self.file.metadata().map_err(SendError::Unreadable)?;
        let there = fs::metadata(&self.place).map_err(SendError::Unreadable)?;
        let is_same = |found: &Metadata| {
            let found = Fingerprint::of(found);
            // One that was written without growing was written over.
            let grew = self.may_grow && found.inode == self.print.inode && found.size_bytes > self.print.size_bytes;
            grew || found == self.print
        };
        if is_same(&opened) && is_same(&there) { Ok(()) } else { Err(SendError::Changed) }
    }
}

/// Opens a file to read it; a pipe without a writer is not waited for.
pub(crate) fn open_to_read(place: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    options.read(true).open(place)
}

fn read_part(file: &mut File, offset: u64, count: u64, buffer: &mut Vec<u8>) -> Result<(), SendError> {
    buffer.clear();
    file.seek(SeekFrom::Start(offset)).map_err(SendError::Unreadable)?;
    file.take(count).read_to_end(buffer).map_err(SendError::Unreadable)?;
    // It became shorter.
    if buffer.len() as u64 == count { Ok(()) } else { Err(SendError::Changed) }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use steplog_model::{Entity, StreamId};
    use steplog_protocol::{BlobStatus, IngestResponse};

    use super::*;

    /// What happens right before the server answers the call with this number.
    type Accident<'a> = (usize, &'a (dyn Fn(&mut Vec<u8>) + Sync));

    /// A server with room for one file.
    struct OneFile<'a> {
        calls: Mutex<usize>,
        bytes: Mutex<Vec<u8>>,
        named: Mutex<Option<Vec<u8>>>,
        accident: Option<Accident<'a>>,
    }

    impl<'a> OneFile<'a> {
        fn new(accident: Option<Accident<'a>>) -> Self {
            Self { calls: Mutex::new(0), bytes: Mutex::default(), named: Mutex::default(), accident }
        }

        fn answer(&self, hash: &str, size: u64) -> BlobStatus {
            let bytes = self.bytes.lock().unwrap();
            let found = ContentHash::from_bytes(Sha256::digest(&*bytes).into()).to_string();
            BlobStatus { received_bytes: bytes.len() as u64, complete: bytes.len() as u64 == size && found == hash }
        }

        fn meet_accident(&self) {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            if let Some((_, accident)) = self.accident.filter(|(call, _)| *call == *calls) {
                accident(&mut self.bytes.lock().unwrap());
            }
        }

        fn named(&self) -> Option<Vec<u8>> {
            self.named.lock().unwrap().clone()
        }
    }

    impl Transport for OneFile<'_> {
        fn durable_offset(&self, _: &RunPath, _: StreamId) -> Result<IngestResponse, TransportError> {
            unreachable!("a file is no journal")
        }

        fn send(&self, _: &RunPath, _: StreamId, _: u64, _: &[u8]) -> Result<IngestResponse, TransportError> {
            unreachable!("a file is no journal")
        }

        fn put_file(&self, _: &RunPath, _: &FilePath, put: &PutFileRequest) -> Result<BlobStatus, TransportError> {
            self.meet_accident();
            let status = self.answer(&put.sha256, put.size_bytes);
            if status.complete {
                *self.named.lock().unwrap() = Some(self.bytes.lock().unwrap().clone());
            }
            Ok(status)
        }

        fn send_part(
            &self,
            _: &Entity,
            hash: ContentHash,
            size_bytes: u64,
            offset: u64,
            part: &[u8],
        ) -> Result<BlobStatus, TransportError> {
            self.meet_accident();
            let mut bytes = self.bytes.lock().unwrap();
            if let Some(new) = bytes.len().checked_sub(offset as usize).and_then(|known| part.get(known..)) {
                bytes.extend_from_slice(new);
            }
            drop(bytes);
            Ok(self.answer(&hash.to_string(), size_bytes))
        }
    }

    /// A file of three parts.
    fn three_parts(folder: &Path) -> (PathBuf, Vec<u8>) {
        let whole: Vec<u8> = (0..PART_BYTES * 5 / 2).map(|index| ((index * 31) >> 7) as u8).collect();
        let place = folder.join("file");
        fs::write(&place, &whole).unwrap();
        (place, whole)
    }

    fn send(place: &Path, may_grow: bool, server: &OneFile<'_>) -> Result<Step, SendError> {
        let mut sending = Sending::begin(place, &"file".parse().unwrap(), FilePolicy::Live, may_grow)?;
        sending.step(&"local/digits/abc".parse().unwrap(), server, None, &mut |_| true)
    }

    #[test]
    fn a_file_goes_in_parts_and_the_same_bytes_never_again() {
        let folder = tempfile::tempdir().unwrap();
        let (place, whole) = three_parts(folder.path());
        let server = OneFile::new(None);
        assert!(matches!(send(&place, false, &server), Ok(Step::Done(_))));
        assert_eq!((server.named(), *server.calls.lock().unwrap()), (Some(whole.clone()), 5));
        // One call: the server has them.
        assert!(matches!(send(&place, false, &server), Ok(Step::Done(_))));
        assert_eq!(*server.calls.lock().unwrap(), 6);
        // From where it was cut off.
        let server = OneFile::new(None);
        *server.bytes.lock().unwrap() = whole[..whole.len() - 10].to_vec();
        assert!(matches!(send(&place, false, &server), Ok(Step::Done(_))));
        assert_eq!((server.named(), *server.calls.lock().unwrap()), (Some(whole), 3));
        fs::write(&place, "").unwrap();
        let empty = OneFile::new(None);
        assert!(matches!(send(&place, false, &empty), Ok(Step::Done(_))));
        assert_eq!(empty.named(), Some(Vec::new()));
    }

    #[test]
    fn a_server_that_forgets_or_takes_nothing_is_asked_again_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let (place, whole) = three_parts(folder.path());
        let server = OneFile::new(Some((3, &|bytes| bytes.truncate(7))));
        assert!(matches!(send(&place, false, &server), Ok(Step::Done(_))));
        assert_eq!(server.named(), Some(whole));
        // Other bytes of the same size, which no hash will ever fit.
        let server = OneFile::new(Some((1, &|bytes| *bytes = vec![0; PART_BYTES as usize * 5 / 2])));
        assert!(matches!(send(&place, false, &server), Err(SendError::Transport(TransportError::Unavailable(_)))));
        assert_eq!(server.named(), None);
    }

    #[test]
    fn whatever_happens_to_the_file_half_a_write_gets_no_name() {
        let replace = |place: &Path| {
            fs::write(place.with_extension("new"), "new").unwrap();
            fs::rename(place.with_extension("new"), place).unwrap();
        };
        let overwrite = |place: &Path| {
            let mut file = File::options().write(true).open(place).unwrap();
            io::Write::write_all(&mut file, b"changed").unwrap();
            // As a clock of a coarse file system would show it.
            file.set_modified(UNIX_EPOCH).unwrap();
        };
        let append = |place: &Path| {
            io::Write::write_all(&mut File::options().append(true).open(place).unwrap(), b"more").unwrap();
        };
        let shorten = |place: &Path| File::options().write(true).open(place).unwrap().set_len(10).unwrap();
        let remove = |place: &Path| fs::remove_file(place).unwrap();
        type Change<'a> = &'a (dyn Fn(&Path) + Sync);
        let changes: [(&str, Change<'_>); 5] = [
            ("replaced", &replace),
            ("overwritten", &overwrite),
            ("appended to", &append),
            ("shortened", &shorten),
            ("removed", &remove),
        ];
        for (name, change) in changes {
            // The first call asks, the next three carry the parts: before the last answer of these it is still open.
            for call in 1..=4 {
                for may_grow in [false, true] {
                    let folder = tempfile::tempdir().unwrap();
                    let (place, whole) = three_parts(folder.path());
                    let accident = |_: &mut Vec<u8>| change(&place);
                    let server = OneFile::new(Some((call, &accident)));
                    let sent = send(&place, may_grow, &server);
                    let grows = name == "appended to" && may_grow;
                    assert_eq!(sent.is_ok(), grows, "{name}, call {call}, {may_grow}");
                    assert_eq!(server.named(), grows.then_some(whole), "{name}, call {call}, {may_grow}");
                }
            }
        }
    }
}
