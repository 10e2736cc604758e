//! How journals reach the server.
//!
//! `POST /ingest/{entity}/{project}/{run}/{stream}?offset=N` carries the stream's bytes from offset `N` on, as they
//! stand in the journal, optionally with `Content-Encoding: zstd`. The answer says how far the stream is durable. Bytes
//! below the durable offset are skipped, so repeating a request is harmless; an offset above it is refused with 409 and
//! the same body, and the client goes on from there. An incomplete last frame is ignored. `GET` on the same path
//! answers the durable offset without sending anything (0 for an unknown stream).

use serde::{Deserialize, Serialize};

/// Media type of journal bytes.
pub const JOURNAL_MEDIA_TYPE: &str = "application/vnd.steplog.journal";

/// Largest request body as sent, in bytes.
pub const MAX_INGEST_BODY_BYTES: usize = 16 << 20;

/// Largest request body after decompression, in bytes.
pub const MAX_INGEST_DECODED_BYTES: usize = 64 << 20;

/// The answer of both ingest calls, and the body of a 409.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IngestResponse {
    /// Every byte of the stream below this survives `kill -9` of the server and a power cut.
    pub durable_offset: u64,
    /// What the server wants of the client.
    pub control: Control,
}

/// What the server wants of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Control {
    /// Somebody asked in the UI that this run be stopped.
    pub stop: bool,
}
