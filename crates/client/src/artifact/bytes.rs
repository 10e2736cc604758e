//! Sending blobs: small ones together, large ones in parts, several requests at a time.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use steplog_model::{ContentHash, Entity};
use steplog_protocol::MAX_PART_BYTES;

use super::cache;
use super::local::{LocalBlobs, Original};
use super::ship::{ShipError, ShipPulse};
use crate::files::{Fingerprint, open_to_read};
use crate::run::lock;
use crate::transport::{ArtifactTransport, TransportError};

/// How many requests are on their way at a time; each holds a buffer of a part.
const REQUESTS: usize = 4;

/// A larger blob goes in parts of its own.
const SMALL_BYTES: u64 = 4 << 20;

/// What a blob in a pack takes beside its bytes: hash and size.
const PACK_HEADER_BYTES: u64 = 36;

/// How often a part may get nowhere before this is given up for a time.
const MAX_STALLS: u32 = 40;

/// How long is waited before a part that came too early is sent again.
const STALL_PAUSE: Duration = Duration::from_millis(50);

/// Bytes that a server lacks.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) hash: ContentHash,
    pub(crate) size_bytes: u64,
    /// How many of them it has.
    pub(crate) received_bytes: u64,
    pub(crate) place: Place,
}

/// Where bytes are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A file of ours, which nobody changes.
    File(PathBuf),
    /// A file of somebody else, which must be as it was.
    Original(Original),
    Memory(Arc<Vec<u8>>),
    /// Nowhere on this disk.
    Nowhere,
}

impl Place {
    pub(crate) fn of(hash: ContentHash, blobs: &LocalBlobs) -> Self {
        if let Some(path) = blobs.copy(hash) {
            return Self::File(path);
        }
        match blobs.original(hash) {
            Some(original) => Self::Original(original.clone()),
            None => cache::find(hash).map_or(Self::Nowhere, Self::File),
        }
    }
}

/// One request.
#[derive(Debug, PartialEq)]
enum Unit {
    /// Some blobs, by their place in the list, that go together.
    Pack(Vec<usize>),
    /// A part of a blob.
    Part { blob: usize, begin: u64, end: u64 },
}

/// Sends blobs; when this returns the server has all of them, unless something came between.
pub(crate) fn send_blobs(
    blobs: &[Blob],
    entity: &Entity,
    transport: &dyn ArtifactTransport,
    pulse: &ShipPulse,
) -> Result<(), ShipError> {
    let units = units(blobs);
    let left = blobs.iter().map(|blob| blob.size_bytes - blob.received_bytes.min(blob.size_bytes)).sum();
    pulse.left_bytes.store(left, Ordering::Relaxed);
    let (next, failed, error) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(None));
    let work = || {
        let mut buffer = Vec::new();
        while !failed.load(Ordering::Relaxed)
            && let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let sending = Sending { blobs, entity, transport, pulse, failed: &failed };
            if let Err(reason) = sending.send(unit, &mut buffer) {
                failed.store(true, Ordering::Relaxed);
                lock(&error).get_or_insert(reason);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..REQUESTS.min(units.len()) {
            // With fewer threads it takes longer.
            let _ = thread::Builder::new().name("steplog-artifact".into()).spawn_scoped(scope, work);
        }
        work();
    });
    pulse.left_bytes.store(0, Ordering::Relaxed);
    match error.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Sends those blobs that the server lacks, each once; at most [`steplog_protocol::MAX_BLOBS_AT_ONCE`].
pub(crate) fn send_missing(
    mut blobs: Vec<Blob>,
    entity: &Entity,
    transport: &dyn ArtifactTransport,
    pulse: &ShipPulse,
) -> Result<(), ShipError> {
    blobs.sort_unstable_by_key(|blob| blob.hash);
    blobs.dedup_by_key(|blob| blob.hash);
    let hashes: Vec<_> = blobs.iter().map(|blob| blob.hash).collect();
    let missing = transport.missing_blobs(entity, &hashes)?;
    // Both are in the order of the hashes.
    let mut missing = missing.into_iter().peekable();
    blobs.retain_mut(|blob| match missing.next_if(|(hash, _)| *hash == blob.hash) {
        Some((_, received_bytes)) => {
            blob.received_bytes = received_bytes;
            true
        }
        None => false,
    });
    send_blobs(&blobs, entity, transport, pulse)
}

/// Packs of small blobs, as full as may be, and then the parts of large ones, each blob's in order.
fn units(blobs: &[Blob]) -> Vec<Unit> {
    let max = MAX_PART_BYTES as u64;
    let (mut packs, mut parts, mut pack, mut room) = (Vec::new(), Vec::new(), Vec::new(), max);
    for (index, blob) in blobs.iter().enumerate() {
        if blob.size_bytes <= SMALL_BYTES && blob.received_bytes == 0 {
            let needed = blob.size_bytes + PACK_HEADER_BYTES;
            if needed > room {
                packs.push(Unit::Pack(std::mem::take(&mut pack)));
                room = max;
            }
            pack.push(index);
            room -= needed;
            continue;
        }
        let mut begin = blob.received_bytes.min(blob.size_bytes);
        // What is there in full and counts as missing all the same wants its end.
        loop {
            let end = blob.size_bytes.min(begin + max);
            parts.push(Unit::Part { blob: index, begin, end });
            begin = end;
            if begin == blob.size_bytes {
                break;
            }
        }
    }
    if !pack.is_empty() {
        packs.push(Unit::Pack(pack));
    }
    packs.extend(parts);
    packs
}

struct Sending<'a> {
    blobs: &'a [Blob],
    entity: &'a Entity,
    transport: &'a dyn ArtifactTransport,
    pulse: &'a ShipPulse,
    failed: &'a AtomicBool,
}

impl Sending<'_> {
    fn send(&self, unit: &Unit, buffer: &mut Vec<u8>) -> Result<(), ShipError> {
        if self.pulse.stop.load(Ordering::Relaxed) {
            return Err(ShipError::Stopped);
        }
        match unit {
            Unit::Pack(pack) => self.send_pack(pack, buffer),
            Unit::Part { blob, begin, end } => self.send_part(&self.blobs[*blob], *begin, *end, buffer),
        }
    }

    fn send_pack(&self, pack: &[usize], buffer: &mut Vec<u8>) -> Result<(), ShipError> {
        buffer.clear();
        let mut bytes = 0;
        for index in pack {
            let blob = &self.blobs[*index];
            let size = u32::try_from(blob.size_bytes).expect("a small blob");
            buffer.extend_from_slice(blob.hash.as_bytes());
            buffer.extend_from_slice(&size.to_le_bytes());
            read(blob, 0, blob.size_bytes, buffer)?;
            bytes += blob.size_bytes;
        }
        self.transport.send_pack(self.entity, buffer)?;
        self.note(bytes);
        Ok(())
    }

    /// Parts of a blob come in any order; one that is ahead waits at the server for those before it, though not for ever.
    fn send_part(&self, blob: &Blob, begin: u64, end: u64, buffer: &mut Vec<u8>) -> Result<(), ShipError> {
        buffer.clear();
        read(blob, begin, end, buffer)?;
        let (mut from, mut stalls) = (begin, 0);
        loop {
            let part = &buffer[usize::try_from(from - begin).expect("a part is small")..];
            let status = self.transport.send_part(self.entity, blob.hash, blob.size_bytes, from, part)?;
            if status.complete || status.received_bytes >= end {
                self.note(end - begin);
                return Ok(());
            }
            if status.received_bytes > from {
                (from, stalls) = (status.received_bytes, 0);
                continue;
            }
            stalls += 1;
            // Others may have failed with what comes before.
            if stalls > MAX_STALLS || self.failed.load(Ordering::Relaxed) {
                let message = format!("the server does not get on with {}", blob.hash);
                return Err(ShipError::Transport(TransportError::Unavailable(message)));
            }
            if self.pulse.stop.load(Ordering::Relaxed) {
                return Err(ShipError::Stopped);
            }
            thread::sleep(STALL_PAUSE);
        }
    }

    fn note(&self, bytes: u64) {
        self.pulse.sent_bytes.fetch_add(bytes, Ordering::Relaxed);
        // Two requests may end in one moment, and none may go below zero.
        let left = |left: u64| Some(left.saturating_sub(bytes));
        let _ = self.pulse.left_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
    }
}

/// Reads a part of a blob behind what is in the buffer.
fn read(blob: &Blob, begin: u64, end: u64, buffer: &mut Vec<u8>) -> Result<(), ShipError> {
    let count = end - begin;
    let place = match &blob.place {
        Place::File(path) => path,
        Place::Original(original) => &original.path,
        Place::Memory(bytes) => {
            let range = |at: u64| usize::try_from(at).expect("it is in memory");
            buffer.extend_from_slice(&bytes[range(begin)..range(end)]);
            return Ok(());
        }
        Place::Nowhere => {
            let hash = blob.hash;
            return Err(ShipError::Local(format!(
                "bytes that the server lacks are not on this disk any more ({hash})"
            )));
        }
    };
    let unreadable = |error: io::Error| ShipError::Local(format!("{} cannot be read: {error}", place.display()));
    let mut file = open_to_read(place).map_err(unreadable)?;
    let before = buffer.len();
    read_part(&mut file, begin, count, buffer).map_err(unreadable)?;
    // Asked after the bytes were read, so that they are what was hashed.
    let is_as_it_was = match &blob.place {
        Place::Original(original) => {
            let found = file.metadata().map_err(unreadable)?;
            Fingerprint::of(&found) == original.print
        }
        _ => true,
    };
    if (buffer.len() - before) as u64 != count || !is_as_it_was {
        return Err(ShipError::Local(format!(
            "{} was changed after it was added; log it again, without the policy \"immutable\" if it is to change",
            place.display()
        )));
    }
    Ok(())
}

fn read_part(file: &mut File, begin: u64, count: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.reserve(usize::try_from(count).unwrap_or(MAX_PART_BYTES));
    if begin > 0 {
        file.seek(SeekFrom::Start(begin))?;
    }
    file.take(count).read_to_end(buffer).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(size_bytes: u64, received_bytes: u64) -> Blob {
        Blob { hash: ContentHash::from_bytes([0; 32]), size_bytes, received_bytes, place: Place::Nowhere }
    }

    #[test]
    fn small_blobs_go_together_and_large_ones_in_parts() {
        let max = MAX_PART_BYTES as u64;
        let half = max / 2 - PACK_HEADER_BYTES;
        let blobs =
            [blob(half, 0), blob(half, 0), blob(0, 0), blob(2 * max + 1, 0), blob(10, 4), blob(max, max), blob(1, 0)];
        assert_eq!(
            units(&blobs),
            [
                Unit::Pack(vec![0, 1]),
                Unit::Pack(vec![2, 6]),
                Unit::Part { blob: 3, begin: 0, end: max },
                Unit::Part { blob: 3, begin: max, end: 2 * max },
                Unit::Part { blob: 3, begin: 2 * max, end: 2 * max + 1 },
                Unit::Part { blob: 4, begin: 4, end: 10 },
                Unit::Part { blob: 5, begin: max, end: max },
            ]
        );
        assert_eq!(units(&[]), []);
    }
}
