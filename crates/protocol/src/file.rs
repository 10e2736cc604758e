//! Files of runs, and the bytes they are made of.
//!
//! A file has two parts: its bytes, kept once under their SHA-256 (a blob), and its name in a run, which points at them. A
//! blob exists only for the entities that have sent all of it.
//!
//! `PUT /runs/{entity}/{project}/{run}/files/{path}` gives bytes a name. When the server has them this is all there is
//! to do, and what stood under the name is replaced in one step. Else the answer is 409 with how many bytes it has of
//! them already, and the client sends the rest: `PUT /blobs/{entity}/{sha256}?offset=N&size_bytes=S` carries bytes from
//! offset `N` of a file of `S` bytes. The last part is answered after the server has checked the hash of the whole and
//! the bytes are durable; then the name is put once more. Repeating any of these requests is harmless, and an upload
//! that broke off goes on where it was, from any process. Parts may be on their way together: one that is ahead of what is
//! here waits some seconds for its turn, and is answered with 409 when it does not come.

use serde::{Deserialize, Serialize};

/// Largest part of a file in one request, in bytes.
pub const MAX_PART_BYTES: usize = 8 << 20;

/// When a saved file is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FilePolicy {
    /// Whenever it has changed.
    Live,
    /// Once, as it was when it was saved.
    Now,
    /// When the run ends.
    End,
}

/// `PUT /runs/{entity}/{project}/{run}/files/{path}`: gives bytes a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PutFileRequest {
    /// SHA-256 of the bytes, 64 lowercase hex digits.
    pub sha256: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// When the file was last changed where it was made, Unix seconds.
    #[serde(default)]
    pub modified_at: Option<f64>,
    /// When it is uploaded.
    #[serde(default)]
    pub policy: Option<FilePolicy>,
}

/// How far the server has some bytes: the answer of `GET` and `PUT /blobs/…`, and of a put file; also the body of a 409.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlobStatus {
    /// The upload goes on from here. They may be lost in a power cut until `complete`.
    pub received_bytes: u64,
    /// Whether all bytes are there, have the hash, and are durable.
    pub complete: bool,
}

/// The answer of `GET /runs/{entity}/{project}/{run}/files`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileList {
    /// One page, by path.
    pub files: Vec<RunFile>,
    /// Present when there are more.
    pub next_cursor: Option<String>,
}

/// A file of a run; its content is at `GET /runs/{entity}/{project}/{run}/files/{path}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunFile {
    /// Folders and name, joined by `/`; at most 1,024 bytes.
    pub path: String,
    /// Size.
    pub size_bytes: u64,
    /// SHA-256 of the content, hex; `null` where a folder is shown, whose files nobody hashed.
    pub sha256: Option<String>,
    /// What it is, by the ending of its name.
    pub media_type: String,
    /// When it is uploaded; `null` when nobody said.
    pub policy: Option<FilePolicy>,
    /// When it was last changed where it was made, Unix seconds.
    pub modified_at: Option<f64>,
    /// When this content came here, Unix seconds.
    pub updated_at: f64,
}
