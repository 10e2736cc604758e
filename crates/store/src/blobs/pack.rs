//! Many small blobs in one request.
//!
//! Each becomes a file of its own. What would cost most is waiting for the disk, so that is done for all of them together:
//! of many, the whole file system is synced once when they are written and once when they have their names. Of few, the disk
//! is asked to begin with all, then each is waited for, and each folder. One transaction notes them.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use steplog_journal::disk;
use steplog_model::{ContentHash, Entity};
use steplog_protocol::{BlobPackResponse, MAX_BLOBS_AT_ONCE};

use super::disk::{FileSystem, hash_bytes, refused, sync_folder};
use super::{Blobs, remove};
use crate::{Error, Store};

/// SHA-256, then the size in four bytes.
const HEAD_BYTES: usize = 36;

/// From so many blobs on it costs less to sync all of the file system, with what others have written to it.
const SYNC_TOGETHER: usize = 16;

/// So many files are open at once.
const OPEN_AT_ONCE: usize = 256;

impl Store {
    /// Takes in a pack of blobs ([`steplog_protocol::BLOB_PACK_MEDIA_TYPE`]) and answers when all of them are durable.
    ///
    /// # Errors
    /// The pack is cut off, or one of the blobs does not have its hash: then none is taken. Or the disk refuses.
    pub fn receive_pack(&self, entity: &Entity, pack: &[u8]) -> Result<BlobPackResponse, Error> {
        let packed = unpack(pack)?;
        let blobs = &self.shared.blobs;
        blobs.check_room(pack.len() as u64)?;
        let all = FileSystem::of(&blobs.directory).filter(|_| packed.len() >= SYNC_TOGETHER);
        let sync_all = |all: &FileSystem| all.sync().map_err(|error| refused(&error, &blobs.directory));
        // Gone at the next start, should this not come to its end.
        let mut written = Written(Vec::with_capacity(packed.len()));
        for some in packed.chunks(OPEN_AT_ONCE) {
            let files = blobs.write_together(some, &mut written, all.is_none())?;
            if all.is_none() {
                files.iter().try_for_each(|(file, path)| file.sync_all().map_err(|error| refused(&error, path)))?;
            }
        }
        all.iter().try_for_each(sync_all)?;
        self.shared.note_blobs(entity, packed.iter().map(|(hash, bytes)| (*hash, bytes.len() as u64)).collect())?;
        let mut folders = BTreeSet::new();
        for (hash, path) in written.0.drain(..) {
            // The rename finds out what is wrong with one that cannot be opened.
            let _ = File::open(&path).map(|file| disk::forget(&file, 0, 0));
            blobs.put_in_place(&path, hash)?;
            folders.insert(hash.as_bytes()[0]);
        }
        match &all {
            Some(all) => sync_all(all)?,
            None => {
                folders.iter().try_for_each(|first| sync_folder(&blobs.whole.join(format!("{first:02x}"))))?;
            }
        }
        Ok(BlobPackResponse { count: packed.len() as u64 })
    }
}

/// Files that were written and have not got their place.
struct Written(Vec<(ContentHash, PathBuf)>);

impl Drop for Written {
    fn drop(&mut self) {
        self.0.iter().for_each(|(_, path)| remove(path));
    }
}

impl Blobs {
    /// Writes files. Those that are waited for one by one are on their way to the disk then; with all of them at once the file
    /// system is quicker.
    fn write_together(
        &self,
        packed: &[(ContentHash, &[u8])],
        written: &mut Written,
        each_is_synced: bool,
    ) -> Result<Vec<(File, PathBuf)>, Error> {
        let mut files = Vec::with_capacity(packed.len());
        for (hash, bytes) in packed {
            let path = self.path_in_pack(*hash);
            let mut file = create(&path).map_err(|error| refused(&error, &path))?;
            written.0.push((*hash, path.clone()));
            file.write_all(bytes).map_err(|error| refused(&error, &path))?;
            if each_is_synced {
                disk::start_writing_back(&file, 0, bytes.len() as u64);
            }
            files.push((file, path));
        }
        Ok(files)
    }
}

fn create(path: &std::path::Path) -> io::Result<File> {
    let create = || File::create_new(path);
    create().or_else(|error| match path.parent() {
        Some(folder) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            create()
        }
        _ => Err(error),
    })
}

/// The blobs in a pack, each once, after a look that they have their hashes.
fn unpack(pack: &[u8]) -> Result<Vec<(ContentHash, &[u8])>, Error> {
    let (mut rest, mut seen, mut packed) = (pack, HashSet::new(), Vec::new());
    while !rest.is_empty() {
        let (hash, bytes, behind) = split(rest).ok_or_else(|| {
            let at = pack.len() - rest.len();
            Error::invalid(format!("the pack is cut off in the blob that begins at byte {at}"))
        })?;
        if hash_bytes(bytes) != hash {
            return Err(Error::invalid(format!("the bytes that were sent do not have the hash {hash}"))
                .with_hint("the file changed while it was read: send it again"));
        }
        if seen.insert(hash) {
            packed.push((hash, bytes));
        }
        if packed.len() > MAX_BLOBS_AT_ONCE {
            return Err(Error::invalid(format!("the pack has more than {MAX_BLOBS_AT_ONCE} blobs")));
        }
        rest = behind;
    }
    Ok(packed)
}

/// The first blob of a pack, and what is behind it.
fn split(pack: &[u8]) -> Option<(ContentHash, &[u8], &[u8])> {
    let (head, rest) = pack.split_at_checked(HEAD_BYTES)?;
    let (hash, size) = head.split_at(32);
    let size = u32::from_le_bytes(size.try_into().ok()?) as usize;
    let (bytes, rest) = rest.split_at_checked(size)?;
    Some((ContentHash::from_bytes(hash.try_into().ok()?), bytes, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(blobs: &[&[u8]]) -> Vec<u8> {
        let mut pack = Vec::new();
        for bytes in blobs {
            pack.extend(hash_bytes(bytes).as_bytes());
            pack.extend((bytes.len() as u32).to_le_bytes());
            pack.extend(*bytes);
        }
        pack
    }

    #[test]
    fn a_pack_reads_back_and_no_part_of_one_does() {
        let pack = packed(&[b"one", b"", b"two", b"one"]);
        let blobs = unpack(&pack).expect("a pack");
        assert_eq!(blobs.iter().map(|(_, bytes)| *bytes).collect::<Vec<_>>(), [&b"one"[..], b"", b"two"]);
        assert!(blobs.iter().all(|(hash, bytes)| hash_bytes(bytes) == *hash));
        assert_eq!(unpack(b"").expect("a pack").len(), 0);
        let ends = [39, 75, 114, 153];
        for end in 1..pack.len() {
            let begins = ends.iter().rev().find(|blob| **blob <= end).copied().unwrap_or(0);
            match unpack(&pack[..end]) {
                Ok(_) => assert!(ends.contains(&end), "{end}"),
                Err(error) => assert_eq!(
                    error.to_string(),
                    format!("the pack is cut off in the blob that begins at byte {begins}")
                ),
            }
        }
    }

    #[test]
    fn lies_are_found() {
        let mut pack = packed(&[b"one", b"two"]);
        *pack.last_mut().expect("bytes") ^= 1;
        let error = unpack(&pack).expect_err("a lie");
        let hash = hash_bytes(b"two");
        assert_eq!(error.to_string(), format!("the bytes that were sent do not have the hash {hash}"));
        // The size of the first reaches beyond the end, the largest there is.
        let mut pack = packed(&[b"one"]);
        pack[32..36].fill(0xff);
        assert!(unpack(&pack).is_err());
    }
}
