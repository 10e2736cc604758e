//! The append-only run journal: frame codec, writer, tailing reader, recovery. Synchronous, `std::fs` only.
//!
//! The format is specified in `docs/journal-format.md`. A [`JournalWriter`] appends records to preallocated segment
//! files; a [`JournalReader`] finds whole frames in them, also while they grow; a [`StreamDecoder`] turns the bytes of a
//! stream, from a file or from the network, back into records.

pub mod disk;
mod files;
mod frame;
mod layout;
mod reader;
mod record;
mod segment;
mod sink;
mod stream;
mod upkeep;
mod varint;
mod writer;

pub use files::{artifact_records, saved_files};
pub use frame::{FRAME_OVERHEAD_BYTES, MAX_FRAME_BYTES, Scan, scan, whole_frames};
pub use layout::{RunFolder, find_runs};
pub use reader::{Chunk, JournalReader, ReadError, Tail};
pub use record::{DecodeError, decode_value, encode_value};
pub use segment::{SEGMENT_HEADER_BYTES, SegmentFile, SegmentHeader, list_segments};
pub use stream::{StreamDecoder, StreamError};
pub use upkeep::{Prepared, Upkeep, remove_spare};
pub use writer::{AppendError, Backlog, Event, JournalWriter, KeyId, Keys, WriterOptions};
