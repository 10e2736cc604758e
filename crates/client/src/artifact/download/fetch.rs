//! The bytes of files that a server has, over as many connections as that takes.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::api::{Connection, PAUSES};
use crate::error::{Error, ErrorKind};

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// A file of this size or more comes over several connections at once.
pub(crate) const LARGE_BYTES: u64 = 32 << 20;

/// How much of a large file is asked for at a time, and held in memory.
const RANGE_BYTES: u64 = 8 << 20;

/// Over so many connections.
const CONNECTIONS: usize = 4;

/// So many ranges may be there before it is their turn.
const RANGES_AHEAD: u64 = 8;

/// How often it is looked whether to stop.
const TICK: Duration = Duration::from_millis(50);

/// Hands out a file from byte `offset` to its end, `size_bytes`; again from where it broke off. Nobody checks here whether
/// the bytes are the right ones.
///
/// # Errors
/// The server refuses or does not answer, somebody said stop, or those of `take`.
pub(crate) fn fetch(
    connection: &Connection,
    path: &str,
    offset: u64,
    size_bytes: u64,
    stop: &AtomicBool,
    mut take: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    if size_bytes - offset.min(size_bytes) >= LARGE_BYTES {
        return Ranges { connection, path, offset, size_bytes, stop }.fetch(&mut take);
    }
    fetch_range(connection, path, offset, size_bytes, stop, &mut take)
}

fn fetch_range(
    connection: &Connection,
    path: &str,
    mut offset: u64,
    end: u64,
    stop: &AtomicBool,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut piece = vec![0; PIECE_BYTES.min(usize::try_from(end - offset).unwrap_or(PIECE_BYTES)).max(1)];
    let mut pauses = PAUSES.iter();
    while offset < end {
        let begun_at = offset;
        // A file that comes whole needs no range, and any server can answer that.
        let opened = if offset == 0 && end < LARGE_BYTES {
            connection.download_watched(path)
        } else {
            connection.download_range(path, offset, end - offset)
        };
        let reason = match opened {
            Ok(mut download) => loop {
                if stop.load(Ordering::Relaxed) {
                    return Err(stopped());
                }
                match download.read(&mut piece) {
                    Ok(0) => break broke_off(connection, "it ended early"),
                    Ok(count) => {
                        let count = count.min(usize::try_from(end - offset).unwrap_or(count));
                        take(&piece[..count])?;
                        offset += count as u64;
                        if offset == end {
                            // To its end, so that the connection serves again.
                            let _ = download.read(&mut piece[..1]);
                            return Ok(());
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => break Error::new(ErrorKind::Server, error.to_string()),
                }
            },
            Err(error) if error.kind() == ErrorKind::Server => error,
            Err(error) => return Err(error),
        };
        if offset > begun_at {
            pauses = PAUSES.iter();
        }
        let Some(pause) = pauses.next() else { return Err(reason) };
        wait(*pause, stop)?;
    }
    Ok(())
}

/// The rest of a large file, in ranges that come at once and are handed out in their order.
struct Ranges<'a> {
    connection: &'a Connection,
    path: &'a str,
    offset: u64,
    size_bytes: u64,
    stop: &'a AtomicBool,
}

/// What the threads of a large file tell each other.
#[derive(Default)]
struct Shared {
    next: u64,
    handed_out: u64,
    ready: BTreeMap<u64, Vec<u8>>,
    /// Buffers that were handed out.
    spare: Vec<Vec<u8>>,
    failed: Option<Error>,
    has_ended: bool,
}

impl Ranges<'_> {
    fn fetch(&self, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let (shared, news) = (Mutex::<Shared>::default(), Condvar::new());
        let count = (self.size_bytes - self.offset).div_ceil(RANGE_BYTES);
        thread::scope(|scope| {
            let mut threads = 0;
            for _ in 0..CONNECTIONS {
                let spawn = thread::Builder::new().name("steplog-fetch".into());
                threads += usize::from(spawn.spawn_scoped(scope, || self.work(count, &shared, &news)).is_ok());
            }
            let done = match threads {
                0 => fetch_range(self.connection, self.path, self.offset, self.size_bytes, self.stop, take),
                _ => self.hand_out(count, &shared, &news, take),
            };
            lock(&shared).has_ended = true;
            news.notify_all();
            done
        })
    }

    /// Fetches one range after the other, as far ahead as is allowed.
    fn work(&self, count: u64, shared: &Mutex<Shared>, news: &Condvar) {
        loop {
            let mut state = lock(shared);
            while !state.has_ended && state.next < count && state.next >= state.handed_out + RANGES_AHEAD {
                state = news.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.has_ended || state.failed.is_some() || state.next >= count {
                return;
            }
            let index = state.next;
            state.next += 1;
            let mut bytes = state.spare.pop().unwrap_or_default();
            drop(state);
            bytes.clear();
            let begin = self.offset + index * RANGE_BYTES;
            let end = (begin + RANGE_BYTES).min(self.size_bytes);
            let fetched = fetch_range(self.connection, self.path, begin, end, self.stop, &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            });
            let mut state = lock(shared);
            match fetched {
                Ok(()) => drop(state.ready.insert(index, bytes)),
                Err(error) => state.failed = Some(error),
            }
            news.notify_all();
        }
    }

    fn hand_out(
        &self,
        count: u64,
        shared: &Mutex<Shared>,
        news: &Condvar,
        take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for index in 0..count {
            let mut state = lock(shared);
            let bytes = loop {
                if let Some(bytes) = state.ready.remove(&index) {
                    break bytes;
                }
                if let Some(error) = state.failed.take() {
                    return Err(error);
                }
                if self.stop.load(Ordering::Relaxed) {
                    return Err(stopped());
                }
                state = news.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
            };
            drop(state);
            take(&bytes)?;
            let mut state = lock(shared);
            state.handed_out += 1;
            state.spare.push(bytes);
            news.notify_all();
        }
        Ok(())
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn broke_off(connection: &Connection, reason: &str) -> Error {
    Error::new(ErrorKind::Server, format!("a download from {} broke off: {reason}", connection.base_url()))
}

pub(crate) fn stopped() -> Error {
    Error::usage("the download was stopped: what came is kept, and it goes on from there the next time")
}

/// Waits, and looks again and again whether to stop.
pub(crate) fn wait(pause: Duration, stop: &AtomicBool) -> Result<(), Error> {
    let until = Instant::now() + pause;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        if stop.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        thread::sleep(left.min(TICK));
    }
    Ok(())
}
