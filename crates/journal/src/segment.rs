//! Segments: the files that a stream is cut into.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use steplog_model::StreamId;

use crate::frame::read_u32;

/// First bytes of every segment.
pub(crate) const MAGIC: [u8; 8] = *b"STEPLOG\0";

/// Size of the header that every segment begins with.
pub const SEGMENT_HEADER_BYTES: usize = 48;

const VERSION: u16 = 1;
const EXTENSION: &str = "segment";

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The stream that it is a part of.
    pub stream: StreamId,
    /// Stream offset of the header.
    pub base: u64,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[10..12].copy_from_slice(&(SEGMENT_HEADER_BYTES as u16).to_le_bytes());
        bytes[16..32].copy_from_slice(self.stream.as_bytes());
        bytes[32..40].copy_from_slice(&self.base.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..44]);
        bytes[44..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header; the error says what is wrong with it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes[..8] != MAGIC {
            return Err("not a steplog journal");
        }
        if read_u32(bytes, 44) != Some(crc32c::crc32c(&bytes[..44])) {
            return Err("the segment header's checksum is wrong");
        }
        if bytes[8..10] != VERSION.to_le_bytes() || bytes[10..12] != (SEGMENT_HEADER_BYTES as u16).to_le_bytes() {
            return Err("the journal is of a newer format version; upgrade steplog to read it");
        }
        let stream = StreamId::from_bytes(bytes[16..32].try_into().expect("16 bytes"));
        let base = u64::from_le_bytes(bytes[32..40].try_into().expect("8 bytes"));
        Ok(Self { stream, base })
    }
}

/// A segment file in a journal's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// Stream offset of its first byte, from its name.
    pub base: u64,
    /// The file.
    pub path: PathBuf,
}

/// The segment files of a journal by base; other files are passed over.
///
/// # Errors
/// The folder could not be read.
pub fn list_segments(folder: &Path) -> io::Result<Vec<SegmentFile>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        if let Some(base) = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok()) {
            segments.push(SegmentFile { base, path });
        }
    }
    segments.sort_by_key(|segment| segment.base);
    Ok(segments)
}

pub(crate) fn segment_path(folder: &Path, base: u64) -> PathBuf {
    folder.join(format!("{base:020}.{EXTENSION}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_back_and_damage_is_named() {
        let header = SegmentHeader { stream: StreamId::generate(), base: 4_194_291 };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes), Ok(header));
        let mut damaged = bytes;
        damaged[20] ^= 1;
        assert_eq!(SegmentHeader::decode(&damaged), Err("the segment header's checksum is wrong"));
        assert_eq!(SegmentHeader::decode(&[7; 48]), Err("not a steplog journal"));
    }
}
