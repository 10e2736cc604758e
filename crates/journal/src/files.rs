//! Which files and artifacts a journal says belong to its run, without decoding its rows.

use steplog_model::{ArtifactRecord, Record, SavedFile};

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
    each_record(reader, offset, kind::FILE, |record| {
        if let Record::File(file) = record {
            files.push(file);
        }
    })?;
    Ok(files)
}

/// What a journal says about artifacts, as [`saved_files`] reads it.
///
/// # Errors
/// As [`saved_files`].
pub fn artifact_records(reader: &JournalReader, offset: &mut u64) -> Result<Vec<ArtifactRecord>, ReadError> {
    let mut records = Vec::new();
    each_record(reader, offset, kind::ARTIFACT, |record| {
        if let Record::Artifact(record) = record {
            records.push(record);
        }
    })?;
    Ok(records)
}

fn each_record(
    reader: &JournalReader,
    offset: &mut u64,
    wanted: u8,
    mut take: impl FnMut(Record),
) -> Result<(), ReadError> {
    loop {
        let chunk = reader.read(*offset, READ_BYTES)?;
        if chunk.bytes.is_empty() {
            return Ok(());
        }
        let mut rest = &chunk.bytes[..];
        loop {
            let size = match scan(rest) {
                Scan::Header(_) => SEGMENT_HEADER_BYTES,
                Scan::Frame { kind, payload, size } if kind == wanted => {
                    if let Ok(record) = decode_record(wanted, payload, &mut Vec::new()) {
                        take(record);
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
