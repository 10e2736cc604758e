//! Reading a journal from its folder, also while another process writes it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::frame::{MAX_FRAME_BYTES, Scan, scan};
use crate::segment::{MAGIC, SEGMENT_HEADER_BYTES, SegmentFile, list_segments};
use crate::writer::{named, read_at};

/// Whole frames of a stream, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Stream offset of the first byte. It is above the offset asked for when the bytes between never reached this disk.
    pub offset: u64,
    /// The frames; empty at the end.
    pub bytes: Vec<u8>,
}

/// Why a journal could not be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Something that no writer wrote. Everything before `offset` is good.
    #[error("damaged at byte {offset} of the stream: {reason}: {}", path.display())]
    Damaged {
        /// Stream offset.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
        /// The segment file.
        path: PathBuf,
    },
}

/// What follows the last whole frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing, or the zeros of a preallocated segment.
    Clean,
    /// So many bytes of a frame that was never completed.
    Torn(u64),
}

/// A journal in a folder. It holds no file open between calls.
#[derive(Clone, Debug)]
pub struct JournalReader {
    folder: PathBuf,
}

impl JournalReader {
    /// The journal in `folder`; nothing is read yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The whole frames from `offset`, a frame boundary, on: about `max_bytes` of them, at least one, none at the end.
    /// Every checksum is verified.
    ///
    /// # Errors
    /// The files cannot be read, or what stands there is damaged.
    pub fn read(&self, offset: u64, max_bytes: usize) -> Result<Chunk, ReadError> {
        let segments = list_segments(&self.folder).map_err(|error| named(error, &self.folder))?;
        let mut at = segments.partition_point(|segment| segment.base <= offset).saturating_sub(1);
        let mut offset = offset;
        while let Some(segment) = segments.get(at) {
            offset = offset.max(segment.base);
            let next = segments.get(at + 1).map(|next| next.base);
            let bytes = read_frames(segment, next, offset, max_bytes)?;
            if !bytes.is_empty() {
                return Ok(Chunk { offset, bytes });
            }
            at += 1;
        }
        Ok(Chunk { offset, bytes: Vec::new() })
    }

    /// The stream offset behind the last whole frame. Only the last segment is read.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn end(&self) -> Result<u64, ReadError> {
        let segments = list_segments(&self.folder).map_err(|error| named(error, &self.folder))?;
        let mut end = segments.last().map_or(0, |last| last.base);
        loop {
            let chunk = self.read(end, 4 << 20)?;
            if chunk.bytes.is_empty() {
                return Ok(end);
            }
            end = chunk.offset + chunk.bytes.len() as u64;
        }
    }

    /// What follows the end of the stream, given that offset as [`Self::read`] found it.
    ///
    /// # Errors
    /// The files cannot be read.
    pub fn tail(&self, end: u64) -> io::Result<Tail> {
        let segments = list_segments(&self.folder).map_err(|error| named(error, &self.folder))?;
        let Some(last) = segments.last() else {
            return Ok(Tail::Clean);
        };
        let file = File::open(&last.path).map_err(|error| named(error, &last.path))?;
        let rest = read_at(&file, end.saturating_sub(last.base), u64::MAX).map_err(|error| named(error, &last.path))?;
        Ok(match used_length(&rest) {
            0 => Tail::Clean,
            used => Tail::Torn(used as u64),
        })
    }
}

fn read_frames(segment: &SegmentFile, next: Option<u64>, offset: u64, max_bytes: usize) -> Result<Vec<u8>, ReadError> {
    let file = File::open(&segment.path).map_err(|error| named(error, &segment.path))?;
    let start = offset - segment.base;
    let limit = next.map_or(u64::MAX, |next| next - offset);
    let mut want = (max_bytes as u64).max(SEGMENT_HEADER_BYTES as u64).min(limit);
    loop {
        let mut bytes = read_at(&file, start, want).map_err(|error| named(error, &segment.path))?;
        let at_end = (bytes.len() as u64) < want || want == limit;
        let damaged = |whole: usize, reason| {
            Err(ReadError::Damaged { offset: offset + whole as u64, reason, path: segment.path.clone() })
        };
        if start == 0 && !bytes.starts_with(&MAGIC) && !MAGIC.starts_with(&bytes[..used_length(&bytes)]) {
            return damaged(0, "not a steplog journal");
        }
        let (whole, stopped_by) = walk(&bytes, segment, offset);
        if whole == 0 && !at_end {
            // One frame larger than asked for; or the zeros behind the last one, which need no look to the end.
            let frame = bytes.get(..4).map_or(0, |length| u32::from_le_bytes(length.try_into().expect("4 bytes")));
            let size = u64::from(frame) + 8;
            if frame > 0 && frame as usize <= MAX_FRAME_BYTES && size > want {
                want = size.min(limit);
                continue;
            }
        }
        match stopped_by {
            // Good frames first; the damage is found again, at its own place, by the next call.
            Stop::Damaged(_) if whole > 0 => {}
            Stop::Damaged(reason) if next.is_some() || has_more_behind(&file, start, &bytes)? => {
                return damaged(whole, reason);
            }
            Stop::Damaged(_) => {}
            // A segment that has a successor was cut to its length: what follows its frames must be nothing, or zeros
            // when the cutting failed.
            Stop::End if whole == 0 && next.is_some() && at_end && used_length(&bytes) > 0 => {
                return damaged(0, "a frame is cut short in the middle of the stream");
            }
            Stop::End => {}
        }
        bytes.truncate(whole);
        return Ok(bytes);
    }
}

enum Stop {
    End,
    Damaged(&'static str),
}

/// How many bytes at the front are good frames, and what stopped the walk.
fn walk(bytes: &[u8], segment: &SegmentFile, offset: u64) -> (usize, Stop) {
    let mut whole = 0;
    loop {
        let here = offset + whole as u64;
        match scan(&bytes[whole..]) {
            Scan::Header(header) if header.base != here || here != segment.base => {
                return (whole, Stop::Damaged("a segment header stands in the wrong place"));
            }
            Scan::Header(_) => whole += SEGMENT_HEADER_BYTES,
            Scan::Frame { .. } if here == segment.base => return (whole, Stop::Damaged("the segment has no header")),
            Scan::Frame { size, .. } => whole += size,
            Scan::Damaged(reason) => return (whole, Stop::Damaged(reason)),
            Scan::End => return (whole, Stop::End),
        }
    }
}

/// Whether data follows the frame at the front of `bytes`: then a wrong checksum is damage, else a torn tail.
fn has_more_behind(file: &File, start: u64, bytes: &[u8]) -> io::Result<bool> {
    let length = bytes.get(..4).map_or(0, |length| u32::from_le_bytes(length.try_into().expect("4 bytes"))) as usize;
    let size = match length {
        _ if bytes.starts_with(&MAGIC[..4]) => SEGMENT_HEADER_BYTES,
        // A length beyond the limit cannot be a torn frame: lengths are written last, whole.
        length if length > MAX_FRAME_BYTES => return Ok(true),
        length => 8 + length,
    };
    let rest = read_at(file, start + size as u64, u64::MAX)?;
    Ok(used_length(&rest) > 0)
}

fn used_length(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}
