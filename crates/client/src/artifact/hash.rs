//! Hashing files, and copying them in the same pass.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use md5::{Digest as _, Md5 as Md5Hasher};
use sha2::Sha256;
use steplog_model::{ContentHash, ManifestEntry, Md5};

use super::staging::Staging;
use crate::files::{Fingerprint, open_to_read};

/// How much is read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// A larger file is hashed by two threads: MD5 takes twice as long as all the rest, and cannot be split.
const TWO_THREADS_BYTES: u64 = 8 << 20;

/// So many pieces may wait for the second thread.
const PIECES_AHEAD: usize = 4;

/// A file that is written while it is read is read so often.
const TRIES: usize = 3;

/// What was found out about the content of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hashed {
    pub(crate) size_bytes: u64,
    pub(crate) md5: Md5,
    pub(crate) sha256: ContentHash,
}

impl Hashed {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let sha256 = ContentHash::from_bytes(Sha256::digest(bytes).into());
        Self { size_bytes: bytes.len() as u64, md5: Md5::of(bytes), sha256 }
    }

    pub(crate) fn entry(&self) -> ManifestEntry {
        ManifestEntry::stored(self.size_bytes, self.md5, self.sha256)
    }
}

/// What a thread that hashes and whoever waits for it tell each other.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// How many bytes were read.
    pub(crate) bytes: AtomicU64,
    /// Whether to give up.
    pub(crate) stop: AtomicBool,
}

/// Why a file was not taken.
#[derive(Debug)]
pub(crate) enum TakeError {
    /// It was written at every try while it was read.
    Changes,
    /// It cannot be read, or is no plain file.
    Unreadable(io::Error),
    /// The copy cannot be written.
    Unwritable(io::Error),
    /// Somebody said stop.
    Stopped,
}

/// Hashes a file, and copies it to the staging folder if there is one.
pub(crate) fn take(
    path: &Path,
    staging: Option<&Staging>,
    buffer: &mut Vec<u8>,
    pulse: &Pulse,
) -> Result<(Hashed, Fingerprint), TakeError> {
    for _ in 0..TRIES {
        let mut file = open_to_read(path).map_err(TakeError::Unreadable)?;
        let found = file.metadata().map_err(TakeError::Unreadable)?;
        if !found.is_file() {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file");
            return Err(TakeError::Unreadable(error));
        }
        let print = Fingerprint::of(&found);
        if print.size_bytes < PIECE_BYTES as u64 {
            match take_small(path, &mut file, print, staging, buffer, pulse)? {
                Some(hashed) => return Ok((hashed, print)),
                None => continue,
            }
        }
        let mut copy = staging.map(Staging::begin).transpose().map_err(TakeError::Unwritable)?;
        let is_clone = copy.as_mut().is_some_and(|copy| clone_file(&file, &copy.file));
        let hashed = match &mut copy {
            // A clone stays as it is, whatever becomes of the file meanwhile.
            Some(copy) if is_clone => {
                if !is_as_before(path, &file, print)? {
                    continue;
                }
                copy.file.seek(SeekFrom::Start(0)).map_err(TakeError::Unwritable)?;
                pass(&mut copy.file, print.size_bytes, None, false, buffer, pulse)?
            }
            copy => {
                let sink = copy.as_mut().map(|copy| &mut copy.file);
                let hashed = pass(&mut file, print.size_bytes, sink, is_sparse(&found), buffer, pulse)?;
                if !is_as_before(path, &file, print)? || hashed.size_bytes != print.size_bytes {
                    pulse.bytes.fetch_sub(hashed.size_bytes, Ordering::Relaxed);
                    continue;
                }
                hashed
            }
        };
        if let (Some(copy), Some(staging)) = (copy, staging) {
            copy.keep(staging, hashed.sha256).map_err(TakeError::Unwritable)?;
        }
        return Ok((hashed, print));
    }
    Err(TakeError::Changes)
}

/// Whether a file is as it was when it was opened, and still stands at its place.
fn is_as_before(path: &Path, file: &File, print: Fingerprint) -> Result<bool, TakeError> {
    let opened = file.metadata().map_err(TakeError::Unreadable)?;
    // What stands there now, if anything, is what will be looked at the next time.
    let there = fs::metadata(path).map_err(TakeError::Unreadable)?;
    Ok(Fingerprint::of(&opened) == print && Fingerprint::of(&there) == print)
}

/// As [`take`], of a file that is smaller than a piece: it is in memory before anything is written, so that its copy gets its
/// name at once. `None` when it was changed meanwhile.
fn take_small(
    path: &Path,
    file: &mut File,
    print: Fingerprint,
    staging: Option<&Staging>,
    buffer: &mut Vec<u8>,
    pulse: &Pulse,
) -> Result<Option<Hashed>, TakeError> {
    if pulse.stop.load(Ordering::Relaxed) {
        return Err(TakeError::Stopped);
    }
    buffer.clear();
    // A byte more than there should be shows that it grew.
    file.take(print.size_bytes + 1).read_to_end(buffer).map_err(TakeError::Unreadable)?;
    if buffer.len() as u64 != print.size_bytes || !is_as_before(path, file, print)? {
        return Ok(None);
    }
    let sha256 = ContentHash::from_bytes(Sha256::digest(&buffer[..]).into());
    if let Some(staging) = staging {
        staging.write(sha256, buffer).map_err(TakeError::Unwritable)?;
    }
    pulse.bytes.fetch_add(print.size_bytes, Ordering::Relaxed);
    Ok(Some(Hashed { size_bytes: print.size_bytes, md5: Md5::of(buffer), sha256 }))
}

/// Hashes what is in an open file, from its beginning.
pub(crate) fn hash_open(file: &mut File, buffer: &mut Vec<u8>, pulse: &Pulse) -> Result<Hashed, TakeError> {
    file.seek(SeekFrom::Start(0)).map_err(TakeError::Unreadable)?;
    let size_bytes = file.metadata().map_err(TakeError::Unreadable)?.len();
    pass(file, size_bytes, None, false, buffer, pulse)
}

/// Reads a file to its end once; what it has of `size_bytes` decides how. Where zeros are left out, the copy has holes.
fn pass(
    file: &mut File,
    size_bytes: u64,
    sink: Option<&mut File>,
    leaves_zeros_out: bool,
    buffer: &mut Vec<u8>,
    pulse: &Pulse,
) -> Result<Hashed, TakeError> {
    let mut reading = Reading { file, sink, leaves_zeros_out, size_bytes: 0, pulse };
    if size_bytes > TWO_THREADS_BYTES {
        return reading.by_two_threads();
    }
    let (mut md5, mut sha256) = (Md5Hasher::new(), Sha256::new());
    // One byte more than there should be, so that the end is seen without another look.
    buffer.resize(PIECE_BYTES.min(usize::try_from(size_bytes).unwrap_or(PIECE_BYTES) + 1), 0);
    loop {
        let count = reading.next(buffer)?;
        if count == 0 {
            break;
        }
        md5.update(&buffer[..count]);
        sha256.update(&buffer[..count]);
    }
    reading.end(md5, sha256)
}

struct Reading<'a> {
    file: &'a mut File,
    sink: Option<&'a mut File>,
    leaves_zeros_out: bool,
    size_bytes: u64,
    pulse: &'a Pulse,
}

impl Reading<'_> {
    fn by_two_threads(mut self) -> Result<Hashed, TakeError> {
        thread::scope(|scope| {
            let (pieces, waiting) = sync_channel::<Arc<Vec<u8>>>(PIECES_AHEAD);
            let (empty, reusable) = sync_channel::<Arc<Vec<u8>>>(PIECES_AHEAD + 2);
            let second = thread::Builder::new().name("steplog-md5".into()).spawn_scoped(scope, move || {
                let mut md5 = Md5Hasher::new();
                for piece in waiting {
                    md5.update(&piece[..]);
                    // There is always room, and nobody minds when nobody wants it.
                    let _ = empty.try_send(piece);
                }
                md5
            });
            let second = second.map_err(TakeError::Unreadable)?;
            let mut sha256 = Sha256::new();
            loop {
                let mut piece = reusable.try_recv().ok().and_then(Arc::into_inner).unwrap_or_default();
                piece.resize(PIECE_BYTES, 0);
                let count = self.next(&mut piece)?;
                if count == 0 {
                    break;
                }
                piece.truncate(count);
                let piece = Arc::new(piece);
                // It takes pieces until we hang up.
                let _ = pieces.send(piece.clone());
                sha256.update(&piece[..]);
            }
            drop(pieces);
            let md5 = second.join().expect("hashing does not panic");
            self.end(md5, sha256)
        })
    }

    /// Reads the next piece, and copies it; 0 at the end.
    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, TakeError> {
        if self.pulse.stop.load(Ordering::Relaxed) {
            return Err(TakeError::Stopped);
        }
        let count = loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(TakeError::Unreadable)?,
            }
        };
        let piece = &buffer[..count];
        if let Some(sink) = &mut self.sink {
            let written = if self.leaves_zeros_out && is_zero(piece) {
                sink.seek(SeekFrom::Current(count as i64)).map(drop)
            } else {
                sink.write_all(piece)
            };
            written.map_err(TakeError::Unwritable)?;
        }
        self.size_bytes += count as u64;
        self.pulse.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn end(self, md5: Md5Hasher, sha256: Sha256) -> Result<Hashed, TakeError> {
        if let Some(sink) = self.sink.filter(|_| self.leaves_zeros_out) {
            sink.set_len(self.size_bytes).map_err(TakeError::Unwritable)?;
        }
        Ok(Hashed {
            size_bytes: self.size_bytes,
            md5: Md5::from_bytes(md5.finalize().into()),
            sha256: ContentHash::from_bytes(sha256.finalize().into()),
        })
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    // Compared with itself one byte further: as fast as memory is.
    bytes.first() == Some(&0) && bytes[1..] == bytes[..bytes.len() - 1]
}

/// Whether a file takes less room than it is long.
#[cfg(unix)]
fn is_sparse(found: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::blocks(found).saturating_mul(512) < found.len()
}

#[cfg(not(unix))]
fn is_sparse(_: &fs::Metadata) -> bool {
    false
}

/// Lets the file system make a copy that shares its blocks; `false` where it cannot.
#[cfg(target_os = "linux")]
pub(crate) fn clone_file(from: &File, to: &File) -> bool {
    rustix::fs::ioctl_ficlone(to, from).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn clone_file(_: &File, _: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::artifact::LocalStore;

    fn expected(bytes: &[u8]) -> Hashed {
        let sha256 = ContentHash::from_bytes(Sha256::digest(bytes).into());
        Hashed { size_bytes: bytes.len() as u64, md5: Md5::of(bytes), sha256 }
    }

    #[test]
    fn small_and_large_files_are_hashed_and_copied_in_one_pass() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::create(&LocalStore::below(folder.path())).unwrap();
        let path = folder.path().join("file");
        for size in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, TWO_THREADS_BYTES as usize + 77] {
            let bytes: Vec<u8> = (0..size).map(|index| (index / 7 % 251) as u8).collect();
            fs::write(&path, &bytes).unwrap();
            let pulse = Pulse::default();
            let (hashed, print) = take(&path, Some(&staging), &mut Vec::new(), &pulse).unwrap();
            assert_eq!((hashed, print.size_bytes), (expected(&bytes), size as u64));
            assert_eq!(pulse.bytes.into_inner(), size as u64);
            assert!(fs::read(staging.blob(hashed.sha256)).unwrap() == bytes, "the copy of {size} bytes differs");
            let (hashed, _) = take(&path, None, &mut Vec::new(), &Pulse::default()).unwrap();
            assert_eq!(hashed, expected(&bytes));
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_copy_of_a_file_with_holes_has_holes() {
        use std::os::unix::fs::MetadataExt as _;

        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::create(&LocalStore::below(folder.path())).unwrap();
        let path = folder.path().join("file");
        let mut file = File::create(&path).unwrap();
        file.set_len(40 << 20).unwrap();
        file.seek(SeekFrom::Start(20 << 20)).unwrap();
        file.write_all(b"in the middle").unwrap();
        drop(file);
        let (hashed, _) = take(&path, Some(&staging), &mut Vec::new(), &Pulse::default()).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(hashed, expected(&bytes));
        let copy = staging.blob(hashed.sha256);
        assert!(fs::read(&copy).unwrap() == bytes);
        assert!(fs::metadata(&copy).unwrap().blocks() * 512 <= 4 << 20);
    }

    #[test]
    fn a_file_that_keeps_changing_is_refused_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::create(&LocalStore::below(folder.path())).unwrap();
        let path = folder.path().join("file");
        fs::write(&path, vec![1; 32 << 20]).unwrap();
        let stop = AtomicBool::new(false);
        let refused = thread::scope(|scope| {
            scope.spawn(|| {
                let mut file = File::options().append(true).open(&path).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    file.write_all(b"more").unwrap();
                }
            });
            // The writer is at it before the file is opened.
            while fs::metadata(&path).unwrap().len() == 32 << 20 {
                thread::yield_now();
            }
            let refused = take(&path, Some(&staging), &mut Vec::new(), &Pulse::default());
            stop.store(true, Ordering::Relaxed);
            refused
        });
        assert!(matches!(refused, Err(TakeError::Changes)), "{refused:?}");
        assert_eq!(staging.file_count(), 0);
    }

    #[test]
    fn whoever_waits_can_stop_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, b"x").unwrap();
        let pulse = Pulse { stop: true.into(), ..Pulse::default() };
        assert!(matches!(take(&path, None, &mut Vec::new(), &pulse), Err(TakeError::Stopped)));
    }
}
