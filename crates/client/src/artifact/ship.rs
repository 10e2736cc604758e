//! One artifact on its way to a server: the bytes that it lacks, the manifest, and the commit that names them all.
//!
//! Every step may be repeated: whoever begins anew, after whatever cut, asks what is missing and sends that alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use sha2::{Digest as _, Sha256};
use steplog_model::{Alias, ArtifactDetails, ContentHash, Entity, LoggedArtifact, Manifest, RunPath};
use steplog_protocol::{ArtifactPlace, CommitArtifactRequest, LinkArtifactRequest, MAX_BLOBS_AT_ONCE};

use super::ArtifactInfo;
use super::bytes::{self, Blob, Place, send_blobs};
use super::local::{LocalBlobs, LocalStore};
use crate::transport::{ArtifactTransport, Commit, TransportError};

/// How often a commit is tried again that lacks bytes, or whose newest version has moved.
const MAX_COMMITS: usize = 20;

/// Why an artifact was not sent.
#[derive(Debug)]
pub(crate) enum ShipError {
    /// The server is not there, or refuses it.
    Transport(TransportError),
    /// What is on this disk cannot be sent, now or later.
    Local(String),
    /// It was deleted here.
    Deleted,
    /// Somebody said stop.
    Stopped,
}

impl From<TransportError> for ShipError {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

/// How far it is, and whether to go on.
#[derive(Debug, Default)]
pub(crate) struct ShipPulse {
    pub(crate) sent_bytes: AtomicU64,
    /// Of what is known to be missing.
    pub(crate) left_bytes: AtomicU64,
    pub(crate) stop: AtomicBool,
}

/// Sends an artifact; answers the version that it became.
pub(crate) fn ship(
    logged: &LoggedArtifact,
    run: &RunPath,
    store: &LocalStore,
    transport: &dyn ArtifactTransport,
    pulse: &ShipPulse,
) -> Result<ArtifactInfo, ShipError> {
    let local = |error: crate::Error| ShipError::Local(error.to_string());
    let Some(details) = current_details(logged, run, store).map_err(local)? else { return Err(ShipError::Deleted) };
    let own = Arc::new(store.load_manifest(logged.manifest).map_err(local)?);
    let blobs = store.blobs(logged.manifest).map_err(local)?;
    let places = places(&own, &blobs);
    let mut tries = 0;
    loop {
        tries += 1;
        let (manifest, if_latest) = match logged.incremental {
            true => above_newest(logged, run, &own, transport)?,
            false => (own.clone(), None),
        };
        send_missing(&manifest, &places, &run.entity, transport, pulse)?;
        let lines = Arc::new(manifest.to_json_lines());
        let hash = send_manifest(lines, &run.entity, transport, pulse)?;
        let request = CommitArtifactRequest {
            id: logged.id.to_string(),
            r#type: logged.r#type.to_string(),
            digest: manifest.digest().to_string(),
            manifest: hash.to_string(),
            aliases: details.aliases.iter().map(ToString::to_string).collect(),
            tags: details.tags.clone(),
            description: details.description.clone(),
            metadata: details.metadata.clone(),
            ttl_seconds: details.ttl_seconds,
            run_id: (!logged.as_input).then(|| run.run.to_string()),
            step: logged.step.filter(|_| !logged.as_input),
            if_latest,
        };
        match transport.commit_artifact(&run.entity, &run.project, &logged.collection, &request)? {
            Commit::Done(info) => return Ok(*info),
            Commit::Missing if tries < MAX_COMMITS => {}
            // Somebody else was faster: what is added to is another version now.
            Commit::Conflict(_) if logged.incremental && tries < MAX_COMMITS => {}
            Commit::Missing => {
                let message = format!("the server does not get on with {}", logged.collection);
                return Err(ShipError::Transport(TransportError::Unavailable(message)));
            }
            Commit::Conflict(reason) => return Err(ShipError::Transport(TransportError::Refused(reason))),
        }
    }
}

/// What is said about it by now: it may have been changed on this disk since it was logged. `None` when it was deleted.
fn current_details(
    logged: &LoggedArtifact,
    run: &RunPath,
    store: &LocalStore,
) -> Result<Option<ArtifactDetails>, crate::Error> {
    let Some(collection) = store.collection(&run.project, &logged.collection)? else {
        // The folder was copied without its versions; the journal says enough.
        return Ok(Some(logged.details.clone()));
    };
    let Some(local) = collection.logged_as(logged.id) else { return Ok(None) };
    // Of several calls that logged it, the first said what it is.
    let is_first = local.logged.first().is_some_and(|first| first.id == logged.id);
    let said = if is_first {
        ArtifactDetails {
            aliases: Vec::new(),
            tags: local.tags.clone(),
            description: local.description.clone(),
            metadata: local.metadata.clone(),
            ttl_seconds: local.ttl_seconds,
        }
    } else {
        logged.details.clone()
    };
    Ok(Some(ArtifactDetails { aliases: collection.aliases_of(local.version), ..said }))
}

/// Where the bytes of each entry are.
fn places(manifest: &Manifest, blobs: &LocalBlobs) -> HashMap<ContentHash, (u64, Place)> {
    let entries = manifest.entries().filter_map(|(_, entry)| Some((entry.sha256()?, entry.size_bytes?)));
    entries.map(|(hash, size_bytes)| (hash, (size_bytes, Place::of(hash, blobs)))).collect()
}

/// What an incremental artifact is as a version: what the newest one has, and its own above that.
fn above_newest(
    logged: &LoggedArtifact,
    run: &RunPath,
    own: &Arc<Manifest>,
    transport: &dyn ArtifactTransport,
) -> Result<(Arc<Manifest>, Option<String>), ShipError> {
    match transport.newest_version(&run.entity, &run.project, &logged.collection)? {
        // It was committed, and only the answer got lost: the server knows the id.
        Some(newest) if newest.id == logged.id.to_string() => Ok((own.clone(), None)),
        Some(newest) => {
            let base = transport.manifest(&newest)?;
            Ok((Arc::new(merged(&base, own)), Some(newest.version)))
        }
        None => Ok((own.clone(), Some("none".into()))),
    }
}

/// Two manifests as one; where both say something, the second counts.
pub(crate) fn merged(base: &Manifest, own: &Manifest) -> Manifest {
    let mut merged = base.clone();
    for (path, entry) in own.entries() {
        while let Some(other) = merged.in_the_way(path).cloned() {
            merged.remove(&other);
        }
        merged.insert(path.clone(), entry.clone());
    }
    merged
}

fn send_missing(
    manifest: &Manifest,
    places: &HashMap<ContentHash, (u64, Place)>,
    entity: &Entity,
    transport: &dyn ArtifactTransport,
    pulse: &ShipPulse,
) -> Result<(), ShipError> {
    let mut hashes: Vec<ContentHash> = manifest.entries().filter_map(|(_, entry)| entry.sha256()).collect();
    hashes.sort_unstable();
    hashes.dedup();
    for page in hashes.chunks(MAX_BLOBS_AT_ONCE) {
        let missing = transport.missing_blobs(entity, page)?;
        let mut blobs = Vec::with_capacity(missing.len());
        for (hash, received_bytes) in missing {
            let Some((size_bytes, place)) = places.get(&hash) else {
                let (path, _) =
                    manifest.entries().find(|(_, entry)| entry.sha256() == Some(hash)).expect("it was asked for");
                return Err(ShipError::Local(format!(
                    "the server has lost the bytes of {path}, which are not on this disk"
                )));
            };
            blobs.push(Blob { hash, size_bytes: *size_bytes, received_bytes, place: place.clone() });
        }
        send_blobs(&blobs, entity, transport, pulse)?;
    }
    Ok(())
}

fn send_manifest(
    lines: Arc<Vec<u8>>,
    entity: &Entity,
    transport: &dyn ArtifactTransport,
    pulse: &ShipPulse,
) -> Result<ContentHash, ShipError> {
    let hash = ContentHash::from_bytes(Sha256::digest(&lines[..]).into());
    let size_bytes = lines.len() as u64;
    let blob = Blob { hash, size_bytes, received_bytes: 0, place: Place::Memory(lines) };
    bytes::send_missing(vec![blob], entity, transport, pulse)?;
    Ok(hash)
}

/// What a link asks a server for.
pub(crate) fn link_request(source: ArtifactPlace, aliases: &[Alias]) -> LinkArtifactRequest {
    LinkArtifactRequest { source, aliases: aliases.iter().map(ToString::to_string).collect() }
}
