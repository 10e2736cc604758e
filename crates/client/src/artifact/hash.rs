//! Hashing files, and copying them in the same pass.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use md5::{Digest as _, Md5 as Md5Hasher};
use sha2::Sha256;
use steplog_journal::disk;
use steplog_model::{ContentHash, ManifestEntry, Md5};

use super::md5_lanes::digest_each;
use super::staging::Staging;
use crate::files::{Fingerprint, open_to_read};

/// How much is read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// A smaller file is read whole, some of them together.
pub(crate) const SMALL_BYTES: u64 = PIECE_BYTES as u64;

/// A larger file is hashed by two threads: MD5 takes three times as long as all the rest, and cannot be split.
const TWO_THREADS_BYTES: u64 = 8 << 20;

/// So many pieces may the first thread be ahead of the one for MD5. What lies between them is read twice, so it should still
/// be in memory.
const PIECES_AHEAD: usize = 64;

/// As [`PIECES_AHEAD`], where somebody waits for the SHA-256.
const PIECES_AHEAD_IF_AWAITED: usize = 4096;

/// So much of a copy may be on its way to the disk.
const WRITING_BYTES: usize = 64 << 20;

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
    /// How many bytes were hashed.
    pub(crate) bytes: AtomicU64,
    /// Whether to give up.
    pub(crate) stop: AtomicBool,
}

/// Told which of some files has which SHA-256 as soon as its bytes can be had under it: its MD5 may still be being computed
/// then.
pub(crate) type Ready<'a> = &'a (dyn Fn(usize, ContentHash, Fingerprint) + Sync);

/// As [`Ready`], of one file.
type Tell<'a> = &'a dyn Fn(ContentHash, Fingerprint);

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

/// What was taken of a file.
enum Taken {
    Whole(Hashed),
    /// It is in the buffer, whose MD5 is still to be computed.
    InBuffer(ContentHash),
}

/// Hashes files, and copies them to the staging folder if there is one. Small ones are held in the buffers, one each, until
/// all are there: their MD5s are computed together. An error comes with the place of its file in the list.
pub(crate) fn take(
    paths: &[&Path],
    staging: Option<&Staging>,
    buffers: &mut Vec<Vec<u8>>,
    pulse: &Pulse,
    ready: Option<Ready<'_>>,
) -> Result<Vec<(Hashed, Fingerprint)>, (usize, TakeError)> {
    buffers.resize_with(buffers.len().max(paths.len()), Vec::new);
    let mut taken = Vec::with_capacity(paths.len());
    for (index, (path, buffer)) in paths.iter().zip(&mut *buffers).enumerate() {
        let tell = ready.map(|ready| move |sha256, print| ready(index, sha256, print));
        let tell = tell.as_ref().map(|tell| tell as Tell<'_>);
        taken.push(take_one(path, staging, buffer, pulse, tell).map_err(|error| (index, error))?);
    }
    let in_buffers = taken.iter().zip(&*buffers).filter(|((taken, _), _)| matches!(taken, Taken::InBuffer(_)));
    let contents: Vec<&[u8]> = in_buffers.map(|(_, buffer)| buffer.as_slice()).collect();
    let mut digests = digest_each(&contents).into_iter();
    let hashed = |(taken, print): (Taken, Fingerprint)| {
        let hashed = match taken {
            Taken::Whole(hashed) => hashed,
            Taken::InBuffer(sha256) => {
                let md5 = digests.next().expect("one for each buffer");
                pulse.bytes.fetch_add(print.size_bytes, Ordering::Relaxed);
                Hashed { size_bytes: print.size_bytes, md5, sha256 }
            }
        };
        (hashed, print)
    };
    Ok(taken.into_iter().map(hashed).collect())
}

fn take_one(
    path: &Path,
    staging: Option<&Staging>,
    buffer: &mut Vec<u8>,
    pulse: &Pulse,
    ready: Option<Tell<'_>>,
) -> Result<(Taken, Fingerprint), TakeError> {
    for _ in 0..TRIES {
        let original = Original::open(path)?;
        let count = Count::new(pulse);
        let taken = if original.print.size_bytes < SMALL_BYTES {
            original.take_small(staging, buffer, &count, ready)?.map(Taken::InBuffer)
        } else if let Some(staging) = staging {
            original.take_copy(staging, buffer, &count, ready)?.map(Taken::Whole)
        } else {
            original.take_in_place(buffer, &count, ready)?.map(Taken::Whole)
        };
        match taken {
            Some(taken) => return Ok((taken, original.print)),
            None => count.take_back(),
        }
    }
    Err(TakeError::Changes)
}

/// Hashes a file of ours, which nobody writes to any more.
pub(crate) fn hash_own(path: &Path) -> Result<Hashed, TakeError> {
    let open = || File::open(path).map_err(TakeError::Unreadable);
    let file = open()?;
    let size_bytes = file.metadata().map_err(TakeError::Unreadable)?.len();
    let pulse = Pulse::default();
    let hashed =
        Reading::new(file, &Count::new(&pulse), false).hash(size_bytes, open, &mut Vec::new(), |_, _| Ok(true));
    hashed?.ok_or(TakeError::Changes)
}

/// A file of somebody else, who may write to it at any time.
struct Original<'a> {
    path: &'a Path,
    file: File,
    /// How it was when it was opened.
    print: Fingerprint,
    is_sparse: bool,
}

impl<'a> Original<'a> {
    fn open(path: &'a Path) -> Result<Self, TakeError> {
        let file = open_to_read(path).map_err(TakeError::Unreadable)?;
        let found = file.metadata().map_err(TakeError::Unreadable)?;
        if !found.is_file() {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file");
            return Err(TakeError::Unreadable(error));
        }
        Ok(Self { path, file, print: Fingerprint::of(&found), is_sparse: is_sparse(&found) })
    }

    /// Whether it is as it was when it was opened, and still stands at its place.
    fn is_as_before(&self) -> Result<bool, TakeError> {
        let opened = self.file.metadata().map_err(TakeError::Unreadable)?;
        // What stands there now, if anything, is what will be looked at the next time.
        let there = fs::metadata(self.path).map_err(TakeError::Unreadable)?;
        Ok(Fingerprint::of(&opened) == self.print && Fingerprint::of(&there) == self.print)
    }

    /// Reads a small file: it is in memory before anything is written, so that its copy gets its name at once. `None` when it
    /// was changed meanwhile.
    fn take_small(
        &self,
        staging: Option<&Staging>,
        buffer: &mut Vec<u8>,
        count: &Count<'_>,
        ready: Option<Tell<'_>>,
    ) -> Result<Option<ContentHash>, TakeError> {
        if count.is_stopped() {
            return Err(TakeError::Stopped);
        }
        buffer.clear();
        // A byte more than there should be shows that it grew.
        (&self.file).take(self.print.size_bytes + 1).read_to_end(buffer).map_err(TakeError::Unreadable)?;
        if buffer.len() as u64 != self.print.size_bytes || !self.is_as_before()? {
            return Ok(None);
        }
        let sha256 = ContentHash::from_bytes(Sha256::digest(&buffer[..]).into());
        if let Some(staging) = staging {
            staging.write(sha256, buffer).map_err(TakeError::Unwritable)?;
        }
        ready.inspect(|ready| ready(sha256, self.print));
        Ok(Some(sha256))
    }

    /// Copies a file piece by piece. `None` when it was changed meanwhile.
    fn take_copy(
        &self,
        staging: &Staging,
        buffer: &mut Vec<u8>,
        count: &Count<'_>,
        ready: Option<Tell<'_>>,
    ) -> Result<Option<Hashed>, TakeError> {
        let copy = staging.begin().map_err(TakeError::Unwritable)?;
        let is_clone = clone_file(&self.file, &copy.file);
        let (mut file, sink) = if is_clone {
            // A clone stays as it is, whatever becomes of the file meanwhile.
            if !self.is_as_before()? {
                return Ok(None);
            }
            (copy.file.try_clone().map_err(TakeError::Unreadable)?, None)
        } else {
            if self.is_sparse {
                // Whoever reads the copy meanwhile finds the zeros that are left out.
                copy.file.set_len(self.print.size_bytes).map_err(TakeError::Unwritable)?;
            }
            let file = self.file.try_clone().map_err(TakeError::Unreadable)?;
            (file, Some(copy.file.try_clone().map_err(TakeError::Unwritable)?))
        };
        file.seek(SeekFrom::Start(0)).map_err(TakeError::Unreadable)?;
        let leaves_zeros_out = self.is_sparse && !is_clone;
        let place = copy.path().to_owned();
        // MD5 is computed from the copy, so it is of the same bytes.
        let again = || File::open(&place).map_err(TakeError::Unreadable);
        let reading = Reading { sink, leaves_zeros_out, ..Reading::new(file, count, ready.is_some()) };
        reading.hash(self.print.size_bytes, again, buffer, |sha256, size_bytes| {
            if !is_clone && (size_bytes != self.print.size_bytes || !self.is_as_before()?) {
                return Ok(false);
            }
            copy.keep(staging, sha256).map_err(TakeError::Unwritable)?;
            ready.inspect(|ready| ready(sha256, self.print));
            Ok(true)
        })
    }

    /// Hashes a file piece by piece where it is. `None` when it was changed meanwhile.
    fn take_in_place(
        &self,
        buffer: &mut Vec<u8>,
        count: &Count<'_>,
        ready: Option<Tell<'_>>,
    ) -> Result<Option<Hashed>, TakeError> {
        let file = self.file.try_clone().map_err(TakeError::Unreadable)?;
        let again = || open_to_read(self.path).map_err(TakeError::Unreadable);
        let hashed = Reading::new(file, count, ready.is_some()).hash(
            self.print.size_bytes,
            again,
            buffer,
            |sha256, size_bytes| {
                let is_whole = size_bytes == self.print.size_bytes && self.is_as_before()?;
                ready.filter(|_| is_whole).inspect(|ready| ready(sha256, self.print));
                Ok(is_whole)
            },
        )?;
        // MD5 may have been computed from what came later.
        Ok(hashed.filter(|_| self.is_as_before().unwrap_or(false)))
    }
}

/// How many bytes of a file were hashed.
struct Count<'a> {
    pulse: &'a Pulse,
    bytes: AtomicU64,
}

impl<'a> Count<'a> {
    fn new(pulse: &'a Pulse) -> Self {
        Self { pulse, bytes: AtomicU64::new(0) }
    }

    fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.pulse.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts for nothing: the file is read once more.
    fn take_back(self) {
        self.pulse.bytes.fetch_sub(self.bytes.into_inner(), Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.pulse.stop.load(Ordering::Relaxed)
    }
}

/// One pass over a file, from where it is to its end.
struct Reading<'a> {
    file: File,
    /// What is read is written here.
    sink: Option<File>,
    /// Whether pieces of zeros are not written, so that the copy has holes.
    leaves_zeros_out: bool,
    size_bytes: u64,
    /// So many pieces may it be ahead of the second thread.
    pieces_ahead: usize,
    count: &'a Count<'a>,
}

impl<'a> Reading<'a> {
    fn new(file: File, count: &'a Count<'a>, is_awaited: bool) -> Self {
        let pieces_ahead = if is_awaited { PIECES_AHEAD_IF_AWAITED } else { PIECES_AHEAD };
        Self { file, sink: None, leaves_zeros_out: false, size_bytes: 0, pieces_ahead, count }
    }

    /// Hashes a file of about `size_bytes`; `again` opens it for a second thread. As soon as its SHA-256 is known, `settle` is
    /// told it and how long the file is, and says whether that counts: else the answer is `None`, as it is when the second
    /// thread finds less in the file.
    fn hash(
        mut self,
        size_bytes: u64,
        again: impl FnOnce() -> Result<File, TakeError>,
        buffer: &mut Vec<u8>,
        settle: impl FnOnce(ContentHash, u64) -> Result<bool, TakeError>,
    ) -> Result<Option<Hashed>, TakeError> {
        let count = self.count;
        if size_bytes <= TWO_THREADS_BYTES {
            let mut md5 = Md5Hasher::new();
            let sha256 = self.read_all(size_bytes, buffer, |piece| {
                md5.update(piece);
                count.add(piece.len());
            })?;
            let hashed = Hashed { size_bytes: self.size_bytes, md5: Md5::from_bytes(md5.finalize().into()), sha256 };
            return Ok(settle(sha256, self.size_bytes)?.then_some(hashed));
        }
        let given_up = AtomicBool::new(false);
        thread::scope(|scope| {
            let file = again()?;
            let (told, pieces) = sync_channel(self.pieces_ahead);
            let second = thread::Builder::new()
                .name("steplog-md5".into())
                .spawn_scoped(scope, || follow(file, pieces, &given_up, count))
                .map_err(TakeError::Unreadable)?;
            let first = self.read_all(size_bytes, buffer, |piece| {
                // Should it have ended early, it says why when it is asked for its result.
                let _ = told.send(piece.len());
            });
            drop(told);
            let settled = first.and_then(|sha256| Ok(settle(sha256, self.size_bytes)?.then_some(sha256)));
            given_up.store(!matches!(settled, Ok(Some(_))), Ordering::Relaxed);
            let md5 = second.join().expect("hashing does not panic");
            match (settled?, md5) {
                (Some(sha256), Ok(md5)) => Ok(Some(Hashed { size_bytes: self.size_bytes, md5, sha256 })),
                (None, _) => Ok(None),
                (_, Err(TakeError::Unreadable(error))) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                (_, Err(error)) => Err(error),
            }
        })
    }

    /// Reads to the end, shows each piece, and answers the SHA-256 of all.
    fn read_all(
        &mut self,
        size_bytes: u64,
        buffer: &mut Vec<u8>,
        mut show: impl FnMut(&[u8]),
    ) -> Result<ContentHash, TakeError> {
        // One byte more than there should be, so that the end is seen without another look.
        buffer.resize(PIECE_BYTES.min(usize::try_from(size_bytes).unwrap_or(PIECE_BYTES) + 1), 0);
        let mut sha256 = Sha256::new();
        loop {
            let count = self.next(buffer)?;
            if count == 0 {
                break;
            }
            show(&buffer[..count]);
            sha256.update(&buffer[..count]);
        }
        if let Some(sink) = self.sink.as_mut().filter(|_| self.leaves_zeros_out) {
            sink.set_len(self.size_bytes).map_err(TakeError::Unwritable)?;
        }
        Ok(ContentHash::from_bytes(sha256.finalize().into()))
    }

    /// Reads the next piece, and copies it; 0 at the end.
    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, TakeError> {
        if self.count.is_stopped() {
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
            // The copy is sent or read much later, if ever: only what the second thread still wants stays in memory.
            disk::start_writing_back(sink, self.size_bytes, count as u64);
            let wanted = (self.pieces_ahead + 2) * PIECE_BYTES + WRITING_BYTES;
            if let Some(offset) = self.size_bytes.checked_sub(wanted as u64) {
                disk::forget(sink, offset, PIECE_BYTES as u64);
            }
        }
        self.size_bytes += count as u64;
        Ok(count)
    }
}

/// Computes the MD5 of a file while another thread is ahead, and says how much it has done.
fn follow(mut file: File, pieces: Receiver<usize>, given_up: &AtomicBool, count: &Count<'_>) -> Result<Md5, TakeError> {
    let (mut md5, mut buffer) = (Md5Hasher::new(), vec![0; PIECE_BYTES]);
    for size in pieces {
        if given_up.load(Ordering::Relaxed) || count.is_stopped() {
            return Err(TakeError::Stopped);
        }
        let piece = &mut buffer[..size];
        file.read_exact(piece).map_err(TakeError::Unreadable)?;
        md5.update(&*piece);
        count.add(size);
    }
    Ok(Md5::from_bytes(md5.finalize().into()))
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
    use std::sync::Mutex;

    use super::*;
    use crate::artifact::LocalStore;

    fn expected(bytes: &[u8]) -> Hashed {
        let sha256 = ContentHash::from_bytes(Sha256::digest(bytes).into());
        Hashed { size_bytes: bytes.len() as u64, md5: Md5::of(bytes), sha256 }
    }

    fn take_alone(
        path: &Path,
        staging: Option<&Staging>,
        pulse: &Pulse,
        ready: Option<&(dyn Fn(ContentHash, Fingerprint) + Sync)>,
    ) -> Result<(Hashed, Fingerprint), TakeError> {
        let told = ready.map(|ready| {
            move |index: usize, sha256, print| {
                assert_eq!(index, 0);
                ready(sha256, print);
            }
        });
        let told = told.as_ref().map(|told| told as Ready<'_>);
        let taken = take(&[path], staging, &mut Vec::new(), pulse, told);
        taken.map(|mut taken| taken.remove(0)).map_err(|(_, error)| error)
    }

    #[test]
    fn files_that_are_taken_together_have_their_own_hashes() {
        let folder = tempfile::tempdir().unwrap();
        let contents: Vec<Vec<u8>> =
            [10, 0, PIECE_BYTES + 5, 3000, 700].iter().map(|size| vec![*size as u8; *size]).collect();
        let places: Vec<_> = (0..contents.len()).map(|number| folder.path().join(number.to_string())).collect();
        places.iter().zip(&contents).for_each(|(place, content)| fs::write(place, content).unwrap());
        let paths: Vec<&Path> = places.iter().map(|place| place.as_path()).collect();
        let (pulse, told, mut buffers) = (Pulse::default(), Mutex::new(Vec::new()), Vec::new());
        let ready = |index, sha256, _| told.lock().unwrap().push((index, sha256));
        let taken = take(&paths, None, &mut buffers, &pulse, Some(&ready)).unwrap();
        let expected: Vec<Hashed> = contents.iter().map(|content| expected(content)).collect();
        assert_eq!(taken.iter().map(|(hashed, _)| *hashed).collect::<Vec<_>>(), expected);
        assert_eq!(
            told.into_inner().unwrap(),
            expected.iter().map(|hashed| hashed.sha256).enumerate().collect::<Vec<_>>()
        );
        assert_eq!(pulse.bytes.into_inner(), contents.iter().map(Vec::len).sum::<usize>() as u64);
        // The buffers are used again; the file that is missing is named by its place.
        fs::remove_file(&places[3]).unwrap();
        let refused = take(&paths, None, &mut buffers, &Pulse::default(), None);
        assert!(matches!(refused, Err((3, TakeError::Unreadable(_)))), "{refused:?}");
    }

    #[test]
    fn small_and_large_files_are_hashed_and_copied_in_one_pass() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::create(&LocalStore::below(folder.path())).unwrap();
        let path = folder.path().join("file");
        for size in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, TWO_THREADS_BYTES as usize + 77] {
            let bytes: Vec<u8> = (0..size).map(|index| (index / 7 % 251) as u8).collect();
            fs::write(&path, &bytes).unwrap();
            let (pulse, told) = (Pulse::default(), Mutex::new(Vec::new()));
            // What is told can be read already.
            let ready = |sha256, print| told.lock().unwrap().push((fs::read(staging.blob(sha256)).unwrap(), print));
            let (hashed, print) = take_alone(&path, Some(&staging), &pulse, Some(&ready)).unwrap();
            assert!(told.into_inner().unwrap() == [(bytes.clone(), print)]);
            assert_eq!((hashed, print.size_bytes), (expected(&bytes), size as u64));
            assert_eq!(pulse.bytes.into_inner(), size as u64);
            assert!(fs::read(staging.blob(hashed.sha256)).unwrap() == bytes, "the copy of {size} bytes differs");
            let (hashed, _) = take_alone(&path, None, &Pulse::default(), None).unwrap();
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
        let (hashed, _) = take_alone(&path, Some(&staging), &Pulse::default(), None).unwrap();
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
            let refused = take_alone(&path, Some(&staging), &Pulse::default(), None);
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
        assert!(matches!(take_alone(&path, None, &pulse, None), Err(TakeError::Stopped)));
    }
}
