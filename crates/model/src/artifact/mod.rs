//! Artifacts: named, versioned sets of files, and their rules.
//!
//! A *collection* has a name and a type, and versions `v0`, `v1`, …; an *alias* of a collection points at one of them. A
//! version's content is its *manifest*: paths, and for each the digests of its bytes or where they are to be found.

mod lines;
mod manifest;
mod name;
mod record;

pub use lines::{
    MAX_MANIFEST_LINE_BYTES, ManifestBuilder, ManifestLines, ManifestTotals, write_manifest_header, write_manifest_line,
};
pub use manifest::{InvalidManifest, MAX_MANIFEST_ENTRIES, Manifest, ManifestDigest, ManifestEntry, Md5, Source};
pub use name::{
    Alias, ArtifactName, ArtifactPath, ArtifactType, CollectionName, CollectionPath, InvalidArtifactName, Selector,
    Version,
};
pub use record::{
    ArtifactDetails, ArtifactId, ArtifactLink, ArtifactRecord, ArtifactUse, InvalidArtifact, LoggedArtifact,
    MAX_METADATA_KEYS,
};
