//! A file that is written as its bytes come.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest as _, Sha256};
use steplog_journal::disk;
use steplog_model::ContentHash;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// Why reading ended early.
pub(super) enum Stop {
    Stopped,
    Io(io::Error),
}

/// A file on its way, hashed as it is written. Zeros are left out, so that a file with holes stays one.
pub(super) struct Writing<'a> {
    file: &'a mut File,
    offset: u64,
    hasher: Sha256,
}

impl<'a> Writing<'a> {
    /// Begins at the beginning of the file.
    pub(super) fn new(file: &'a mut File) -> Self {
        Self { file, offset: 0, hasher: Sha256::new() }
    }

    /// Hashes what is there already.
    pub(super) fn skip(&mut self, until: u64, stop: &AtomicBool) -> Result<(), Stop> {
        self.file.seek(SeekFrom::Start(0)).map_err(Stop::Io)?;
        let mut piece = vec![0; PIECE_BYTES];
        while self.offset < until {
            if stop.load(Ordering::Relaxed) {
                return Err(Stop::Stopped);
            }
            let count = PIECE_BYTES.min(usize::try_from(until - self.offset).unwrap_or(PIECE_BYTES));
            self.file.read_exact(&mut piece[..count]).map_err(Stop::Io)?;
            self.hasher.update(&piece[..count]);
            self.offset += count as u64;
        }
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        disk::append_leaving_holes(self.file, self.offset, bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<ContentHash> {
        self.file.set_len(self.offset)?;
        Ok(ContentHash::from_bytes(self.hasher.finalize().into()))
    }
}
