//! A server in memory that takes artifacts, and fails where a test says so.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256};
use steplog_model::{
    CollectionName, ContentHash, Entity, FilePath, Manifest, ManifestEntry, Project, RunPath, StreamId,
};
use steplog_protocol::{
    Artifact, ArtifactPlace, BlobStatus, CommitArtifactRequest, IngestResponse, LinkArtifactRequest, MAX_PART_BYTES,
    PutFileRequest,
};

use crate::run::lock;
use crate::transport::{ArtifactTransport, Commit, Transport, TransportError};

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// It does not arrive.
    RequestLost,
    /// It arrives, and the answer does not.
    AnswerLost,
}

#[derive(Default)]
pub(super) struct FakeServer {
    pub(super) state: Mutex<State>,
    /// The requests that go wrong, by their number.
    pub(super) faults: HashMap<usize, Fault>,
    pub(super) requests: AtomicUsize,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) blobs: HashMap<ContentHash, Vec<u8>>,
    /// Parts from the beginning on.
    partial: HashMap<ContentHash, Vec<u8>>,
    /// By collection; the last is the newest.
    pub(super) versions: BTreeMap<String, Vec<(CommitArtifactRequest, Manifest)>>,
    pub(super) links: Vec<(String, LinkArtifactRequest)>,
    /// Bytes that came though they were there.
    pub(super) wasted_bytes: usize,
    pub(super) pack_sizes: Vec<usize>,
    /// A version that somebody else commits right before the next commit, with this manifest.
    pub(super) rival: Option<Manifest>,
    /// A blob that is lost right before the next commit.
    pub(super) loses: Option<ContentHash>,
}

fn hash(bytes: &[u8]) -> ContentHash {
    ContentHash::from_bytes(Sha256::digest(bytes).into())
}

impl FakeServer {
    pub(super) fn failing(faults: impl IntoIterator<Item = (usize, Fault)>) -> Self {
        Self { faults: faults.into_iter().collect(), ..Self::default() }
    }

    fn request<T>(&self, answer: impl FnOnce(&mut State) -> Result<T, TransportError>) -> Result<T, TransportError> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        let lost = || TransportError::Unavailable(format!("request {number} was cut"));
        match self.faults.get(&number) {
            Some(Fault::RequestLost) => Err(lost()),
            Some(Fault::AnswerLost) => answer(&mut lock(&self.state)).and(Err(lost())),
            None => answer(&mut lock(&self.state)),
        }
    }
}

impl State {
    fn take(&mut self, claimed: ContentHash, bytes: &[u8]) -> Result<(), TransportError> {
        if hash(bytes) != claimed {
            return Err(TransportError::Refused(format!("bytes of {claimed} have another hash")));
        }
        if self.blobs.insert(claimed, bytes.to_vec()).is_some() {
            self.wasted_bytes += bytes.len();
        }
        Ok(())
    }

    fn version(&self, collection: &str, number: usize) -> Artifact {
        let (request, manifest) = &self.versions[collection][number];
        let place = ArtifactPlace {
            entity: "ada".into(),
            project: "digits".into(),
            collection: collection.into(),
            version: format!("v{}", number + 10),
        };
        Artifact {
            id: request.id.clone(),
            entity: place.entity.clone(),
            project: place.project.clone(),
            collection: place.collection.clone(),
            version: place.version.clone(),
            source: place,
            r#type: request.r#type.clone(),
            digest: request.digest.clone(),
            aliases: request.aliases.clone(),
            tags: request.tags.clone(),
            description: request.description.clone(),
            metadata: request.metadata.clone(),
            ttl_seconds: request.ttl_seconds,
            file_count: manifest.len() as u64,
            size_bytes: manifest.size_bytes(),
            logged_by: None,
            step: request.step,
            use_count: 0,
            created_at: 1.0,
            updated_at: 1.0,
        }
    }
}

impl Transport for FakeServer {
    fn durable_offset(&self, _: &RunPath, _: StreamId) -> Result<IngestResponse, TransportError> {
        unreachable!("an artifact is no journal")
    }

    fn send(&self, _: &RunPath, _: StreamId, _: u64, _: &[u8]) -> Result<IngestResponse, TransportError> {
        unreachable!("an artifact is no journal")
    }

    fn put_file(&self, _: &RunPath, _: &FilePath, _: &PutFileRequest) -> Result<BlobStatus, TransportError> {
        unreachable!("an artifact is no file of a run")
    }

    fn send_part(
        &self,
        _: &Entity,
        claimed: ContentHash,
        size_bytes: u64,
        offset: u64,
        bytes: &[u8],
    ) -> Result<BlobStatus, TransportError> {
        assert!(bytes.len() <= MAX_PART_BYTES);
        self.request(|state| {
            let partial = state.partial.entry(claimed).or_default();
            let there = partial.len() as u64;
            // One that is ahead does not wait here: it is sent again.
            if offset == there {
                partial.extend_from_slice(bytes);
            } else if offset < there {
                state.wasted_bytes += bytes.len();
            }
            let received_bytes = partial.len() as u64;
            let complete = received_bytes == size_bytes;
            if complete {
                let whole = state.partial.remove(&claimed).unwrap();
                state.take(claimed, &whole)?;
            }
            Ok(BlobStatus { received_bytes, complete })
        })
    }
}

impl ArtifactTransport for FakeServer {
    fn missing_blobs(&self, _: &Entity, hashes: &[ContentHash]) -> Result<Vec<(ContentHash, u64)>, TransportError> {
        self.request(|state| {
            let missing = hashes.iter().filter(|hash| !state.blobs.contains_key(hash));
            Ok(missing.map(|hash| (*hash, state.partial.get(hash).map_or(0, |bytes| bytes.len() as u64))).collect())
        })
    }

    fn send_pack(&self, _: &Entity, pack: &[u8]) -> Result<(), TransportError> {
        assert!(pack.len() <= MAX_PART_BYTES);
        self.request(|state| {
            state.pack_sizes.push(pack.len());
            let mut rest = pack;
            while let Some((header, behind)) = rest.split_at_checked(36) {
                let claimed = ContentHash::from_bytes(header[..32].try_into().unwrap());
                let size = u32::from_le_bytes(header[32..].try_into().unwrap());
                let (bytes, behind) = behind.split_at(size as usize);
                state.take(claimed, bytes)?;
                rest = behind;
            }
            assert_eq!(rest, b"");
            Ok(())
        })
    }

    fn commit_artifact(
        &self,
        _: &Entity,
        _: &Project,
        collection: &CollectionName,
        request: &CommitArtifactRequest,
    ) -> Result<Commit, TransportError> {
        self.request(|state| {
            if let Some(lost) = state.loses.take() {
                state.blobs.remove(&lost);
            }
            if let Some(rival) = state.rival.take() {
                let request = CommitArtifactRequest { id: "rival".into(), ..request.clone() };
                state.versions.entry(collection.to_string()).or_default().push((request, rival));
            }
            let manifest_hash: ContentHash = request.manifest.parse().unwrap();
            let Some(lines) = state.blobs.get(&manifest_hash) else { return Ok(Commit::Missing) };
            let manifest = Manifest::from_json_lines(lines).unwrap();
            assert_eq!(manifest.digest().to_string(), request.digest);
            let lacks = |entry: &ManifestEntry| entry.sha256().is_some_and(|hash| !state.blobs.contains_key(&hash));
            if manifest.entries().any(|(_, entry)| lacks(entry)) {
                return Ok(Commit::Missing);
            }
            let versions = state.versions.entry(collection.to_string()).or_default();
            if let Some(number) = versions.iter().position(|(known, _)| known.id == request.id) {
                return Ok(Commit::Done(Box::new(state.version(collection.as_str(), number))));
            }
            let newest = versions.len().checked_sub(1).map_or("none".to_owned(), |last| format!("v{}", last + 10));
            if request.if_latest.as_ref().is_some_and(|expected| *expected != newest) {
                return Ok(Commit::Conflict(format!("the newest version is {newest}")));
            }
            versions.push((request.clone(), manifest));
            let number = versions.len() - 1;
            Ok(Commit::Done(Box::new(state.version(collection.as_str(), number))))
        })
    }

    fn newest_version(
        &self,
        _: &Entity,
        _: &Project,
        collection: &CollectionName,
    ) -> Result<Option<Artifact>, TransportError> {
        self.request(|state| {
            let count = state.versions.get(collection.as_str()).map_or(0, Vec::len);
            Ok(count.checked_sub(1).map(|last| state.version(collection.as_str(), last)))
        })
    }

    fn manifest(&self, version: &Artifact) -> Result<Manifest, TransportError> {
        self.request(|state| {
            let number: usize = version.version[1..].parse().unwrap();
            Ok(state.versions[&version.collection][number - 10].1.clone())
        })
    }

    fn link_artifact(
        &self,
        _: &Entity,
        project: &Project,
        collection: &CollectionName,
        request: &LinkArtifactRequest,
    ) -> Result<Artifact, TransportError> {
        self.request(|state| {
            state.links.push((format!("{project}/{collection}"), request.clone()));
            let number: usize = request.source.version[1..].parse().unwrap();
            Ok(state.version(&request.source.collection, number - 10))
        })
    }
}
