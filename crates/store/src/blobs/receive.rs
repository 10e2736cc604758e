//! Bytes come in: large ones in parts, small ones in packs.

use steplog_model::{ContentHash, Entity};
use steplog_protocol::{BlobStatus, MAX_BLOBS_AT_ONCE, MissingBlob};

use super::upload::lock;
use crate::{Error, Store};

/// A part of some bytes.
#[derive(Clone, Debug)]
pub struct Part {
    /// Whose upload it is.
    pub entity: Entity,
    /// The hash of the whole.
    pub hash: ContentHash,
    /// The size of the whole.
    pub size_bytes: u64,
    /// Where the part begins.
    pub offset: u64,
    /// The part.
    pub bytes: Vec<u8>,
}

impl Store {
    /// How far some bytes are here. What only others have sent is not.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn blob_status(&self, entity: &Entity, hash: ContentHash) -> Result<BlobStatus, Error> {
        let reader = self.shared.database.reader()?;
        Ok(match self.shared.held_size(&reader, entity, hash)? {
            Some(size) => BlobStatus { received_bytes: size, complete: true },
            None => BlobStatus { received_bytes: self.shared.blobs.received(entity, hash), complete: false },
        })
    }

    /// Which of some bytes an entity must send, in the order asked for. What only others have sent is among them.
    ///
    /// # Errors
    /// There are more than [`MAX_BLOBS_AT_ONCE`], or the database cannot be read.
    pub fn missing_blobs(&self, entity: &Entity, hashes: &[ContentHash]) -> Result<Vec<MissingBlob>, Error> {
        if hashes.len() > MAX_BLOBS_AT_ONCE {
            let count = hashes.len();
            return Err(Error::invalid(format!("{count} hashes are more than {MAX_BLOBS_AT_ONCE} at once")));
        }
        let reader = self.shared.database.reader()?;
        let reader = reader.snapshot()?;
        let mut missing = Vec::new();
        for hash in hashes {
            if self.shared.held_size(&reader, entity, *hash)?.is_none() {
                let received_bytes = self.shared.blobs.received(entity, *hash);
                missing.push(MissingBlob { sha256: hash.to_string(), received_bytes });
            }
        }
        Ok(missing)
    }

    /// Takes a part of some bytes; what is here already is passed over. The last part is answered when the hash of the
    /// whole is right and the bytes are durable.
    ///
    /// # Errors
    /// They are more than was said or is allowed, or have another hash (what was sent is given up then); or the disk
    /// refuses. A part that begins behind what is here changes nothing: the answer says where to go on.
    pub fn receive_part(&self, part: &Part) -> Result<BlobStatus, Error> {
        let Part { entity, hash, size_bytes, offset, bytes } = part;
        let end = offset.saturating_add(bytes.len() as u64);
        if *size_bytes > self.shared.options.max_file_bytes {
            return Err(Error::invalid(format!(
                "a file of {size_bytes} bytes is larger than this server takes, which is {} bytes",
                self.shared.options.max_file_bytes
            )));
        }
        if end > *size_bytes {
            return Err(Error::invalid(format!("a part that ends at byte {end} is not of {size_bytes} bytes")));
        }
        loop {
            let status = self.blob_status(entity, *hash)?;
            if status.complete {
                return Ok(status);
            }
            self.shared.blobs.check_room(bytes.len() as u64)?;
            let upload = self.shared.blobs.upload(entity, *hash)?;
            let mut upload = lock(&upload);
            if upload.is_over {
                // Somebody else just sent the last part.
                continue;
            }
            let received = upload.received();
            if let Some(new) = received.checked_sub(*offset).and_then(|known| bytes.get(usize::try_from(known).ok()?..))
            {
                upload.append(new)?;
            }
            if upload.received() < *size_bytes {
                return Ok(BlobStatus { received_bytes: upload.received(), complete: false });
            }
            if upload.received() != *size_bytes || upload.hash() != *hash {
                self.shared.blobs.give_up(&mut upload);
                return Err(Error::invalid(format!("the bytes that were sent do not have the hash {hash}"))
                    .with_hint("the file changed while it was read: send it again"));
            }
            upload.sync()?;
            self.shared.note_blobs(entity, vec![(*hash, *size_bytes)])?;
            self.shared.blobs.adopt(&mut upload, *hash)?;
            return Ok(BlobStatus { received_bytes: *size_bytes, complete: true });
        }
    }
}
