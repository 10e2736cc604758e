//! Which files a journal says belong to its run, without decoding its rows.

use steplog_model::{Record, SavedFile};

use crate::frame::{Scan, scan};
use crate::reader::{JournalReader, ReadError};
use crate::record::{decode_record, kind};
use crate::segment::SEGMENT_HEADER_BYTES;

/// How much is read at a time.
const READ_BYTES: usize = 1 << 20;

/// The files that a journal names from `offset`, a frame boundary, on, in the order written; `offset` is moved to its
/// end. A record that cannot be understood is passed over.
///
/// # Errors
/// The journal cannot be read, or is damaged; `offset` then stands before that place.
pub fn saved_files(reader: &JournalReader, offset: &mut u64) -> Result<Vec<SavedFile>, ReadError> {
    let mut files = Vec::new();
    loop {
        let chunk = reader.read(*offset, READ_BYTES)?;
        if chunk.bytes.is_empty() {
            return Ok(files);
        }
        let mut rest = &chunk.bytes[..];
        loop {
            let size = match scan(rest) {
                Scan::Header(_) => SEGMENT_HEADER_BYTES,
                Scan::Frame { kind: kind::FILE, payload, size } => {
                    if let Ok(Record::File(file)) = decode_record(kind::FILE, payload, &mut Vec::new()) {
                        files.push(file);
                    }
                    size
                }
                Scan::Frame { size, .. } => size,
                Scan::End | Scan::Damaged(_) => break,
            };
            rest = &rest[size..];
        }
        *offset = chunk.offset + chunk.bytes.len() as u64;
    }
}
