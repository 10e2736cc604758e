//! Artifacts: collections, their versions, and what these consist of.
//!
//! A version is committed in three steps, each of which may be repeated. The client sends the bytes that the server lacks:
//! `POST /blobs/{entity}/missing` tells which, `POST /blobs/{entity}` takes many small ones at once, `PUT
//! /blobs/{entity}/{sha256}` parts of a large one. The manifest goes the same way, as JSON lines. Then `POST
//! /artifacts/{entity}/{project}/{collection}/versions` names them all in one step; when some are missing it is answered
//! with 409 and which, and nothing has changed.
//!
//! A registry is a project with collections that have no versions of their own: versions of others are linked into them,
//! and are numbered anew there.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// So many blobs may be asked for, and are told, at once.
pub const MAX_BLOBS_AT_ONCE: usize = 10_000;

/// Media type of the body of `POST /blobs/{entity}`: for each blob its SHA-256 (32 bytes), its size (4 bytes,
/// little-endian) and its bytes. At most [`crate::MAX_PART_BYTES`] in all.
pub const BLOB_PACK_MEDIA_TYPE: &str = "application/vnd.steplog.blobs";

/// Media type of a manifest as JSON lines.
pub const MANIFEST_MEDIA_TYPE: &str = "application/jsonl";

/// What a collection holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CollectionKind {
    /// Versions that were logged into it.
    Source,
    /// Links to versions of other collections.
    Registry,
}

/// The answer of `GET /artifacts/{entity}` and `GET /artifacts/{entity}/{project}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CollectionList {
    /// One page, by type and name.
    pub collections: Vec<Collection>,
    /// How many there are of each type, whatever page and type are asked for.
    pub types: Vec<TypeCount>,
    /// Present when there are more.
    pub next_cursor: Option<String>,
}

/// How many collections have a type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TypeCount {
    /// Type, such as `dataset` or `model`.
    pub r#type: String,
    /// How many collections.
    pub count: u64,
}

/// A collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Collection {
    /// User or team.
    pub entity: String,
    /// Project.
    pub project: String,
    /// Unique within the project.
    pub name: String,
    /// What it holds.
    pub kind: CollectionKind,
    /// Type of all its versions, such as `dataset` or `model`.
    pub r#type: String,
    /// Free text, markdown.
    pub description: Option<String>,
    /// How many versions it has.
    pub version_count: u64,
    /// The newest version; `null` when all were deleted.
    pub latest_version: Option<String>,
    /// Aliases, by name.
    pub aliases: Vec<CollectionAlias>,
    /// Aliases that are not moved or removed before they are taken off this list.
    pub protected_aliases: Vec<String>,
    /// Sizes of its versions, added up; what several of them share counts in each.
    pub size_bytes: u64,
    /// When it was made, Unix seconds.
    pub created_at: f64,
    /// When a version or alias last came or went, Unix seconds.
    pub updated_at: f64,
}

/// An alias and what it points at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CollectionAlias {
    /// Alias.
    pub alias: String,
    /// Version, such as `v3`.
    pub version: String,
}

/// `PATCH /artifacts/{entity}/{project}/{collection}`: absent members stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateCollectionRequest {
    /// New name; versions keep their numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New description; an empty one removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// New list of protected aliases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_aliases: Option<Vec<String>>,
}

/// The answer of `GET /artifacts/{entity}/{project}/{collection}/versions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactList {
    /// One page, newest first.
    pub artifacts: Vec<Artifact>,
    /// Present when there are more.
    pub next_cursor: Option<String>,
}

/// Where a version stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactPlace {
    /// User or team.
    pub entity: String,
    /// Project.
    pub project: String,
    /// Collection.
    pub collection: String,
    /// Version, such as `v3`.
    pub version: String,
}

/// A run, as artifacts name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactRun {
    /// User or team.
    pub entity: String,
    /// Project.
    pub project: String,
    /// Run id.
    pub run_id: String,
    /// Name; `null` when the run is not here (yet, or any more).
    pub name: Option<String>,
}

/// A version of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Artifact {
    /// What the call that logged it is known by, 32 hex digits; of a linked version, that of its source.
    pub id: String,
    /// User or team.
    pub entity: String,
    /// Project.
    pub project: String,
    /// Collection.
    pub collection: String,
    /// Version, such as `v3`.
    pub version: String,
    /// Where it was logged.
    pub source: ArtifactPlace,
    /// Type of the collection.
    pub r#type: String,
    /// Digest of the manifest: MD5, 32 hex digits.
    pub digest: String,
    /// Aliases that point at it, by name.
    pub aliases: Vec<String>,
    /// Tags, by name.
    pub tags: Vec<String>,
    /// Free text, markdown.
    pub description: Option<String>,
    /// What was said about it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Map<String, Value>,
    /// For how many seconds it is kept from its making on, unless an alias other than `latest` points at it; `null`: for
    /// ever.
    pub ttl_seconds: Option<u64>,
    /// How many files and references it has.
    pub file_count: u64,
    /// Their sizes, as far as known, added up.
    pub size_bytes: u64,
    /// The run that made it.
    pub logged_by: Option<ArtifactRun>,
    /// Step of that run.
    pub step: Option<i64>,
    /// How many runs used it.
    pub use_count: u64,
    /// When it was committed here, Unix seconds.
    pub created_at: f64,
    /// When something about it last changed, Unix seconds.
    pub updated_at: f64,
}

/// `POST /artifacts/{entity}/{project}/{collection}/versions`: commits a version. Makes project and collection when they
/// are not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CommitArtifactRequest {
    /// What the call that logged it is known by, 32 hex digits: a repeated request makes no second version.
    pub id: String,
    /// Type; must be that of the collection.
    pub r#type: String,
    /// Digest of the manifest: MD5, 32 hex digits.
    pub digest: String,
    /// SHA-256 of the manifest as JSON lines, which was sent as a blob.
    pub manifest: String,
    /// Aliases that come to point at it, and `latest`.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Free text, markdown.
    #[serde(default)]
    pub description: Option<String>,
    /// At most 100 keys.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Map<String, Value>,
    /// For how many seconds it is kept.
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
    /// The run of the same project that made it.
    #[serde(default)]
    pub run_id: Option<String>,
    /// Step of that run.
    #[serde(default)]
    pub step: Option<i64>,
    /// The newest version must be this one (`"none"`: there must be none), else nothing is changed and the answer is 409
    /// with kind `conflict`.
    #[serde(default)]
    pub if_latest: Option<String>,
}

/// The answer of a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommitArtifactResponse {
    /// The version; `null` when blobs are missing, or some had to be asked for again.
    pub artifact: Option<Artifact>,
    /// Whether it is new; else the newest version has this content already, and got the aliases.
    pub created: bool,
    /// Blobs that must be sent first; at most 10,000 of them.
    pub missing: Vec<MissingBlob>,
}

/// Bytes that the server lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingBlob {
    /// SHA-256, 64 lowercase hex digits.
    pub sha256: String,
    /// How many bytes of them are here: an upload goes on from there.
    pub received_bytes: u64,
}

/// `POST /blobs/{entity}/missing`: which of some blobs must be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingBlobsRequest {
    /// SHA-256 of each, 64 lowercase hex digits; at most 10,000.
    pub sha256: Vec<String>,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingBlobsResponse {
    /// Those that must be sent, in the order asked for. What only others have sent counts as missing.
    pub missing: Vec<MissingBlob>,
}

/// The answer of `POST /blobs/{entity}`: all of them are there, have their hashes and are durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlobPackResponse {
    /// How many there were.
    pub count: u64,
}

/// `PATCH /artifacts/{entity}/{project}/{collection}/versions/{version}`: absent members stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateArtifactRequest {
    /// New description; an empty one removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// New metadata, in place of the old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Option<Map<String, Value>>,
    /// Aliases that come to point at it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_aliases: Vec<String>,
    /// Aliases that point at it no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_aliases: Vec<String>,
    /// Tags that it gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_tags: Vec<String>,
    /// Tags that it loses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_tags: Vec<String>,
    /// For how many seconds it is kept from its making on; 0: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
}

/// `POST /artifacts/{entity}/{project}/{collection}/links`: links a version into a registry collection. Makes project and
/// collection when they are not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkArtifactRequest {
    /// The version.
    pub source: ArtifactPlace,
    /// Aliases that it gets there, beside `latest`.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// An entry of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactEntry {
    /// Folders and name, joined by `/`.
    pub path: String,
    /// Size; `null` where a reference's is not known.
    pub size_bytes: Option<u64>,
    /// MD5 of the content in base64; of a reference its entity tag, MD5 or URI.
    pub digest: String,
    /// SHA-256 of the content, hex; `null` for references.
    pub sha256: Option<String>,
    /// Where the bytes are, such as `s3://bucket/key`; `null` when they are with the artifact.
    pub reference: Option<String>,
    /// What else is known of a reference, such as the object's version.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub extra: Map<String, Value>,
    /// What it is, by the ending of its name.
    pub media_type: String,
}

/// A folder of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactFolder {
    /// Its path, without a `/` at the end.
    pub path: String,
    /// How many files are below it.
    pub file_count: u64,
    /// Their sizes, added up.
    pub size_bytes: u64,
}

/// The answer of `GET …/versions/{version}/entries`: a folder, or all that is below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactEntryList {
    /// One page of its folders, by name: they come before the files, and are on the first page unless there are very many;
    /// none when all below is asked for.
    pub folders: Vec<ArtifactFolder>,
    /// One page of files, by path.
    pub entries: Vec<ArtifactEntry>,
    /// Present when there are more.
    pub next_cursor: Option<String>,
}

/// What became of a path between two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DiffChange {
    /// Only the new version has it.
    Added,
    /// Only the old version has it.
    Removed,
    /// Both have it, with different content.
    Changed,
}

/// A path that is not the same in two versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiffEntry {
    /// Path.
    pub path: String,
    /// What became of it.
    pub change: DiffChange,
    /// The entry of the old version.
    pub before: Option<ArtifactEntry>,
    /// The entry of the new version.
    pub after: Option<ArtifactEntry>,
}

/// The answer of `GET …/versions/{version}/diff?from={version}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactDiff {
    /// The old version.
    pub before: Artifact,
    /// The new version.
    pub after: Artifact,
    /// How many paths were added.
    pub added_count: u64,
    /// How many were removed.
    pub removed_count: u64,
    /// How many have other content.
    pub changed_count: u64,
    /// How many are the same.
    pub unchanged_count: u64,
    /// One page, by path.
    pub entries: Vec<DiffEntry>,
    /// Present when there are more.
    pub next_cursor: Option<String>,
}

/// The answer of `GET …/versions/{version}/lineage`: what led to a version and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lineage {
    /// Versions, the one that was asked for first.
    pub artifacts: Vec<LineageArtifact>,
    /// Runs.
    pub runs: Vec<LineageRun>,
    /// Who made and who used what.
    pub edges: Vec<LineageEdge>,
    /// Whether there is more than was asked for.
    pub truncated: bool,
}

/// A version in a lineage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineageArtifact {
    /// Where it stands.
    #[serde(flatten)]
    pub place: ArtifactPlace,
    /// Type of the collection.
    pub r#type: String,
    /// Aliases that point at it, by name.
    pub aliases: Vec<String>,
    /// Digest of the manifest.
    pub digest: String,
    /// How many files and references it has.
    pub file_count: u64,
    /// Their sizes, as far as known, added up.
    pub size_bytes: u64,
    /// When it was committed, Unix seconds.
    pub created_at: f64,
}

/// A run in a lineage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineageRun {
    /// User or team.
    pub entity: String,
    /// Project.
    pub project: String,
    /// Run id.
    pub run_id: String,
    /// Name; `null` when the run is not here.
    pub name: Option<String>,
    /// State; `null` when the run is not here.
    pub state: Option<crate::RunState>,
    /// What kind of work it was.
    pub job_type: Option<String>,
    /// When it began, Unix seconds; `null` when the run is not here.
    pub created_at: Option<f64>,
}

/// How a run has to do with a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineageRelation {
    /// The run made it.
    Logged,
    /// The run used it.
    Used,
}

/// A run that made or used a version; both by their place in the lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineageEdge {
    /// Which of `runs`.
    pub run: u32,
    /// Which of `artifacts`.
    pub artifact: u32,
    /// How.
    pub relation: LineageRelation,
}

/// The answer of `GET /runs/{entity}/{project}/{run}/artifacts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunArtifacts {
    /// Versions that the run made, newest first; at most 1,000.
    pub logged: Vec<Artifact>,
    /// Versions that it used, newest first; at most 1,000.
    pub used: Vec<Artifact>,
}

/// The answer of `GET …/versions/{version}/runs`: the runs that used a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactRuns {
    /// One page, newest first.
    pub runs: Vec<ArtifactRun>,
    /// Present when there are more.
    pub next_cursor: Option<String>,
}

/// The answer of `POST …/versions/{version}/verify`: the stored bytes of a version, read whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactVerification {
    /// How many files are as they were committed.
    pub good_count: u64,
    /// Paths whose bytes are damaged or gone; at most 1,000.
    pub damaged: Vec<String>,
    /// How many references there are, which nobody looked at.
    pub reference_count: u64,
}
