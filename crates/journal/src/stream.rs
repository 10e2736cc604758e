//! From the bytes of a stream to its records.

use std::sync::Arc;

use steplog_model::{Record, StreamId};

use crate::frame::{Scan, scan};
use crate::record::{DecodeError, decode_record};
use crate::segment::{MAGIC, SEGMENT_HEADER_BYTES};

/// Bytes that are not a part of the stream they were given for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The first byte of a stream must begin a segment.
    #[error("the stream does not begin with a segment header")]
    NoHeader,
    /// A header of another stream.
    #[error("at byte {offset}: the segment belongs to the stream {found}")]
    ForeignStream {
        /// Stream offset.
        offset: u64,
        /// Whose segment it is.
        found: StreamId,
    },
    /// A header of another place in the stream.
    #[error("at byte {offset}: the segment says that it begins at byte {base}")]
    Misplaced {
        /// Stream offset.
        offset: u64,
        /// What the header says.
        base: u64,
    },
    /// Something that no writer wrote.
    #[error("at byte {offset}: {reason}")]
    Damaged {
        /// Stream offset.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A frame whose payload is not what its type says.
    #[error("at byte {offset}: {source}")]
    Record {
        /// Stream offset.
        offset: u64,
        /// What is wrong.
        source: DecodeError,
    },
}

/// Reads a stream from its beginning, in pieces of any size.
///
/// Its state is where it stands and the key table of the current segment, so that reading can go on in another process
/// ([`StreamDecoder::keys`], [`StreamDecoder::resume`]).
#[derive(Clone, Debug)]
pub struct StreamDecoder {
    stream: StreamId,
    offset: u64,
    keys: Vec<Arc<str>>,
}

impl StreamDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new(stream: StreamId) -> Self {
        Self { stream, offset: 0, keys: Vec::new() }
    }

    /// A decoder that goes on at `offset`, a frame boundary, with the key table that holds there.
    pub fn resume(stream: StreamId, offset: u64, keys: Vec<Arc<str>>) -> Self {
        Self { stream, offset, keys }
    }

    /// Stream offset of the next frame.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The keys interned so far in the current segment.
    pub fn keys(&self) -> &[Arc<str>] {
        &self.keys
    }

    /// Reads the whole frames at the front of `bytes`, which begin at [`Self::offset`], and answers how many bytes that
    /// were. What is left is an incomplete frame: give it again with more behind it.
    ///
    /// # Errors
    /// The bytes are damaged or not of this stream. The records before that point were handed out and `offset` stands
    /// there; the decoder can not go on.
    pub fn decode(&mut self, bytes: &[u8], mut each: impl FnMut(Record)) -> Result<usize, StreamError> {
        if self.offset == 0 && bytes.len() >= MAGIC.len() && !bytes.starts_with(&MAGIC) {
            return Err(StreamError::NoHeader);
        }
        let mut consumed = 0;
        loop {
            let offset = self.offset;
            let size = match scan(&bytes[consumed..]) {
                Scan::Header(header) if header.stream != self.stream => {
                    return Err(StreamError::ForeignStream { offset, found: header.stream });
                }
                Scan::Header(header) if header.base != offset => {
                    return Err(StreamError::Misplaced { offset, base: header.base });
                }
                Scan::Header(_) => {
                    self.keys.clear();
                    SEGMENT_HEADER_BYTES
                }
                Scan::Frame { kind, payload, size } => {
                    each(
                        decode_record(kind, payload, &mut self.keys)
                            .map_err(|source| StreamError::Record { offset, source })?,
                    );
                    size
                }
                Scan::End => return Ok(consumed),
                Scan::Damaged(reason) => return Err(StreamError::Damaged { offset, reason }),
            };
            consumed += size;
            self.offset += size as u64;
        }
    }
}
