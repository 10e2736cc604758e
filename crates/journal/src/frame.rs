//! Frames: the unit that is either wholly there or not there.

use crate::segment::{MAGIC, SEGMENT_HEADER_BYTES, SegmentHeader};

/// Largest length of a frame's type and payload.
pub const MAX_FRAME_BYTES: usize = 16 << 20;

/// What a frame needs beside its payload: length, CRC, type.
pub const FRAME_OVERHEAD_BYTES: usize = 9;

/// What stands at a frame boundary.
#[derive(Debug, PartialEq, Eq)]
pub enum Scan<'a> {
    /// A segment begins.
    Header(SegmentHeader),
    /// A whole frame.
    Frame {
        /// Frame type.
        kind: u8,
        /// Payload.
        payload: &'a [u8],
        /// Size of the whole frame.
        size: usize,
    },
    /// Nothing yet, or only a part of what is to come.
    End,
    /// Something that no writer wrote.
    Damaged(&'static str),
}

/// Looks at the front of `bytes`, which must be a frame boundary.
pub fn scan(bytes: &[u8]) -> Scan<'_> {
    let Some(length) = read_u32(bytes, 0) else {
        return Scan::End;
    };
    if bytes[..4] == MAGIC[..4] {
        return match bytes.get(..SEGMENT_HEADER_BYTES) {
            Some(header) => SegmentHeader::decode(header).map_or_else(Scan::Damaged, Scan::Header),
            None => Scan::End,
        };
    }
    let length = length as usize;
    if length == 0 {
        return Scan::End;
    }
    if length > MAX_FRAME_BYTES {
        return Scan::Damaged("the frame's length is above the limit");
    }
    let (Some(crc), Some(body)) = (read_u32(bytes, 4), bytes.get(8..8 + length)) else {
        return Scan::End;
    };
    if crc32c::crc32c(body) != crc {
        return Scan::Damaged("the frame's checksum is wrong");
    }
    Scan::Frame { kind: body[0], payload: &body[1..], size: 8 + length }
}

/// How many bytes at the front of `bytes`, which begins at a frame boundary, are whole frames and headers by their
/// lengths alone; checksums are not looked at.
pub fn whole_frames(bytes: &[u8]) -> usize {
    let mut end = 0;
    while let Some(length) = read_u32(bytes, end) {
        let size = match length as usize {
            0 => break,
            _ if bytes[end..end + 4] == MAGIC[..4] => SEGMENT_HEADER_BYTES,
            length => 8 + length,
        };
        match end.checked_add(size) {
            Some(next) if next <= bytes.len() => end = next,
            _ => break,
        }
    }
    end
}

/// Begins a frame in `out`, which must be empty; the payload is to be pushed behind.
pub(crate) fn begin(out: &mut Vec<u8>, kind: u8) {
    debug_assert!(out.is_empty());
    out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, kind]);
}

/// Fills in length and CRC of the one frame in `out`.
pub(crate) fn end(out: &mut [u8]) {
    let length = (out.len() - 8) as u32;
    let crc = crc32c::crc32c(&out[8..]);
    out[..4].copy_from_slice(&length.to_le_bytes());
    out[4..8].copy_from_slice(&crc.to_le_bytes());
}

pub(crate) fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        begin(&mut out, kind);
        out.extend_from_slice(payload);
        end(&mut out);
        out
    }

    #[test]
    fn a_frame_is_whole_or_not_there() {
        let bytes = frame(2, b"row");
        assert_eq!(scan(&bytes), Scan::Frame { kind: 2, payload: b"row", size: 12 });
        for cut in 0..bytes.len() {
            assert_eq!(scan(&bytes[..cut]), Scan::End, "cut at {cut}");
            assert_eq!(whole_frames(&bytes[..cut]), 0);
        }
        assert_eq!(scan(&[0; 64]), Scan::End);
    }

    #[test]
    fn a_changed_bit_is_seen() {
        let bytes = frame(2, b"row");
        for bit in 32..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(scan(&bytes), Scan::Damaged("the frame's checksum is wrong"), "bit {bit}");
        }
        assert_eq!(scan(&[0xff; 16]), Scan::Damaged("the frame's length is above the limit"));
    }
}
