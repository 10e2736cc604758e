//! Which runs have to do with a version, and whether its bytes are as they were logged.

use std::fs::File;
use std::io::{self, Read as _};

use sha2::{Digest as _, Sha256};
use steplog_journal::{JournalReader, artifact_records, find_runs};
use steplog_model::{ArtifactRecord, ContentHash, path_segment};
use steplog_protocol::{ArtifactRun, ArtifactRuns, ArtifactVerification};

use super::committed::{Committed, Origin};
use super::handle::Artifact;
use super::local::LocalStore;
use super::pool;
use crate::error::Error;

/// So many damaged files are named.
const MAX_DAMAGED: usize = 1000;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 20;

impl Artifact {
    /// The run that made the version; `None` when none did, or it is not known any more.
    ///
    /// # Errors
    /// It is no version yet.
    pub fn logged_by(&self) -> Result<Option<ArtifactRun>, Error> {
        Ok(self.committed()?.info.logged_by)
    }

    /// The runs that used the version: on a server newest first, on this disk those below the same folder.
    ///
    /// # Errors
    /// It is no version yet, it is gone, or no server answers.
    pub fn used_by(&self) -> Result<Vec<ArtifactRun>, Error> {
        let committed = self.committed()?;
        match &committed.origin {
            Origin::Server(connection) => {
                let (mut runs, mut next) = (Vec::new(), String::new());
                loop {
                    let page: ArtifactRuns =
                        connection.get(&format!("{}/runs?limit=1000{next}", committed.address()))?;
                    runs.extend(page.runs);
                    match page.next_cursor {
                        Some(cursor) => next = format!("&cursor={}", path_segment(&cursor)),
                        None => return Ok(runs),
                    }
                }
            }
            Origin::Local(store, _) => used_locally(store, &committed),
            Origin::Nowhere => Ok(Vec::new()),
        }
    }

    /// Reads the stored bytes of the version whole, where they are: on the server or on this disk. Damaged bytes are never
    /// handed out; logging the same files once more heals them.
    ///
    /// # Errors
    /// It is no version yet, it is gone, or no server answers.
    pub fn verify_stored(&self) -> Result<ArtifactVerification, Error> {
        let committed = self.committed()?;
        match &committed.origin {
            Origin::Server(connection) => {
                connection.post(&format!("{}/verify", committed.address()), &serde_json::Map::new())
            }
            Origin::Local(store, manifest) => verify_locally(self, store, *manifest),
            Origin::Nowhere => Ok(ArtifactVerification { good_count: 0, damaged: Vec::new(), reference_count: 0 }),
        }
    }
}

/// What the journals beside a store say.
fn used_locally(store: &LocalStore, committed: &Committed) -> Result<Vec<ArtifactRun>, Error> {
    let info = &committed.info;
    let home = store.root().parent().unwrap_or(store.root());
    let folders = find_runs(home).map_err(|error| Error::io(error, home.display()))?;
    let mut runs = Vec::new();
    for folder in folders {
        for stream in folder.streams().unwrap_or_default() {
            let Ok(Some(start)) = folder.run_start(stream) else { continue };
            let is_meant = |record: &ArtifactRecord| match record {
                ArtifactRecord::Used(used) => {
                    // What a server numbered is another version.
                    used.entity.is_none()
                        && used.project.as_ref().unwrap_or(&start.project).as_str() == info.project
                        && used.collection.as_str() == info.collection
                        && used.version.to_string() == info.version
                }
                _ => false,
            };
            // A damaged journal has its say as far as it goes; `steplog verify` tells of the damage.
            let records = artifact_records(&JournalReader::new(folder.journal(stream)), &mut 0).unwrap_or_default();
            if records.iter().any(is_meant) {
                runs.push(ArtifactRun {
                    entity: info.entity.clone(),
                    project: start.project.to_string(),
                    run_id: start.run_id.to_string(),
                    name: start.name,
                });
                break;
            }
        }
    }
    Ok(runs)
}

fn verify_locally(
    artifact: &Artifact,
    store: &LocalStore,
    manifest: ContentHash,
) -> Result<ArtifactVerification, Error> {
    let (blobs, entries) = (store.blobs(manifest)?, artifact.manifest()?);
    let stored: Vec<_> = entries.entries().filter_map(|(path, entry)| Some((path, entry.sha256()?))).collect();
    let mut good = vec![false; stored.len()];
    pool::for_each(
        &stored,
        || (),
        |(), (_, hash)| {
            let path = blobs.find(*hash).or_else(|| super::cache::find(*hash));
            Ok::<_, Error>(path.is_some_and(|path| File::open(path).and_then(sha256).is_ok_and(|found| found == *hash)))
        },
        || (),
        |index, is_good| {
            good[index] = is_good;
            Ok(())
        },
        || Ok(()),
    )?;
    let damaged = stored.iter().zip(&good).filter(|(_, is_good)| !**is_good);
    Ok(ArtifactVerification {
        good_count: good.iter().filter(|is_good| **is_good).count() as u64,
        damaged: damaged.map(|((path, _), _)| path.to_string()).take(MAX_DAMAGED).collect(),
        reference_count: (entries.len() - stored.len()) as u64,
    })
}

fn sha256(mut file: File) -> io::Result<ContentHash> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(ContentHash::from_bytes(hasher.finalize().into())),
            Ok(count) => hasher.update(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
