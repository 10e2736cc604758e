//! Artifacts for tests.

use steplog_model::{
    ArtifactId, ArtifactPath, CollectionPath, ContentHash, Entity, Manifest, ManifestEntry, Md5, Selector, StreamId,
};
use steplog_protocol::{Artifact, CommitArtifactRequest, CommitArtifactResponse};
use steplog_store::{Part, Store};

use sha2::{Digest as _, Sha256};

pub(crate) fn hash(bytes: &[u8]) -> ContentHash {
    ContentHash::from_bytes(Sha256::digest(bytes).into())
}

pub(crate) fn collection(path: &str) -> CollectionPath {
    let [entity, project, collection] = path.split('/').collect::<Vec<_>>()[..] else { panic!("{path}") };
    CollectionPath {
        entity: entity.parse().unwrap(),
        project: project.parse().unwrap(),
        collection: collection.parse().unwrap(),
    }
}

/// `entity/project/collection:version`.
pub(crate) fn at(path: &str) -> ArtifactPath {
    let (path, selector) = path.split_once(':').unwrap();
    collection(path).artifact(selector.parse::<Selector>().unwrap())
}

pub(crate) fn stored(bytes: &[u8]) -> ManifestEntry {
    ManifestEntry::stored(bytes.len() as u64, Md5::of(bytes), hash(bytes))
}

/// A manifest of files with short contents.
pub(crate) fn manifest(files: &[(&str, &str)]) -> Manifest {
    files.iter().map(|(path, text)| (path.parse().unwrap(), stored(text.as_bytes()))).collect()
}

/// A request for a manifest, as a new call of `log_artifact()` makes it.
pub(crate) fn request(manifest: &Manifest) -> CommitArtifactRequest {
    CommitArtifactRequest {
        id: new_id().to_string(),
        r#type: "dataset".into(),
        digest: manifest.digest().to_string(),
        manifest: hash(&manifest.to_json_lines()).to_string(),
        aliases: Vec::new(),
        tags: Vec::new(),
        description: None,
        metadata: Default::default(),
        ttl_seconds: None,
        run_id: None,
        step: None,
        if_latest: None,
    }
}

pub(crate) fn new_id() -> ArtifactId {
    StreamId::generate()
}

pub(crate) fn send(store: &Store, entity: &str, bytes: &[u8]) {
    let entity: Entity = entity.parse().unwrap();
    let part = Part { entity, hash: hash(bytes), size_bytes: bytes.len() as u64, offset: 0, bytes: bytes.to_vec() };
    assert!(store.receive_part(&part).unwrap().complete);
}

/// Sends the contents and the manifest of an artifact.
pub(crate) fn upload(store: &Store, entity: &str, files: &[(&str, &str)]) -> Manifest {
    let manifest = manifest(files);
    files.iter().for_each(|(_, text)| send(store, entity, text.as_bytes()));
    send(store, entity, &manifest.to_json_lines());
    manifest
}

/// Uploads and commits as a client does.
pub(crate) fn commit(
    store: &Store,
    path: &str,
    files: &[(&str, &str)],
    change: impl FnOnce(&mut CommitArtifactRequest),
) -> CommitArtifactResponse {
    let path = collection(path);
    let manifest = upload(store, path.entity.as_str(), files);
    let mut request = request(&manifest);
    change(&mut request);
    store.commit_artifact(&path, &request).unwrap()
}

/// Commits, and answers the version.
pub(crate) fn log(store: &Store, path: &str, files: &[(&str, &str)]) -> Artifact {
    commit(store, path, files, |_| {}).artifact.unwrap()
}

/// The whole manifest of a version.
pub(crate) fn read_manifest(store: &Store, path: &str) -> Vec<u8> {
    store.artifact_manifest(&at(path)).unwrap().map(Result::unwrap).collect::<Vec<_>>().concat()
}
