//! `/runs/…/history`: the rows of a run as a file, streamed.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use steplog_model::{RunPath, path_segment};
use steplog_store::{ExportFormat, ExportSelection};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::error::ApiError;
use crate::extract::{QueryParameters, RunInPath};
use crate::routes::document;
use crate::routes::series::ARROW_MEDIA_TYPE;
use crate::state::ServerState;

/// How much is written before it is handed on.
const PIECE_BYTES: usize = 256 << 10;

/// How many pieces wait for the reader.
const QUEUE_PIECES: usize = 4;

/// A reader that takes nothing for so long is given up: it holds a thread.
const READER_SILENCE: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
pub(super) struct Parameters {
    format: Format,
    keys: Option<String>,
    required: Option<String>,
    from_step: Option<i64>,
    to_step: Option<i64>,
    limit: Option<u32>,
    samples: Option<u32>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    Parquet,
    Csv,
    Jsonl,
    Arrow,
}

/// The rows of a run by step, as a file.
#[utoipa::path(
    get, path = "/runs/{entity}/{project}/{run}/history", tag = "runs",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
        ("format" = String, Query, description = "`parquet`, `csv`, `jsonl` or `arrow`."),
        ("keys" = Option<String>, Query, description = "Keys, joined by commas; or a JSON list, for keys with commas. All when absent."),
        ("required" = Option<String>, Query, description = "Keys as in `keys`: only rows that have a value of each of them. A key that the run does not have leaves no row."),
        ("from_step" = Option<i64>, Query, description = "Lowest step."),
        ("to_step" = Option<i64>, Query, description = "Highest step."),
        ("limit" = Option<u32>, Query, description = "Only so many rows, from the lowest step: 1 to 1,000,000."),
        ("samples" = Option<u32>, Query, description = "At most so many rows all over the steps, 1 to 1,000,000, chosen so that every key's extremes show. More only when many keys need them. Not together with `limit`."),
    ),
    responses((status = 200, description = "The file.", body = document::Bytes, content_type = "application/octet-stream"))
)]
pub(super) async fn read_history(
    State(state): State<ServerState>,
    RunInPath(path): RunInPath,
    QueryParameters(parameters): QueryParameters<Parameters>,
) -> Result<impl IntoResponse, ApiError> {
    let (format, media_type, extension) = match parameters.format {
        Format::Parquet => (ExportFormat::Parquet, "application/vnd.apache.parquet", "parquet"),
        Format::Csv => (ExportFormat::Csv, "text/csv; charset=utf-8", "csv"),
        Format::Jsonl => (ExportFormat::Jsonl, "application/jsonl; charset=utf-8", "jsonl"),
        Format::Arrow => (ExportFormat::Arrow, ARROW_MEDIA_TYPE, "arrows"),
    };
    let selection = ExportSelection {
        keys: parameters.keys.as_deref().map(|keys| split_keys("keys", keys)).transpose()?,
        required: parameters.required.as_deref().map_or(Ok(Vec::new()), |keys| split_keys("required", keys))?,
        from_step: parameters.from_step,
        to_step: parameters.to_step,
        limit: parameters.limit,
        samples: parameters.samples,
    };
    let disposition = format!("attachment; filename=\"{}\"", file_name(&path, extension));
    let body = stream_export(&state, path, format, selection).await?;
    Ok(([(CONTENT_TYPE, media_type.to_owned()), (CONTENT_DISPOSITION, disposition)], body))
}

/// Starts an export and waits for its first piece, so that a run that is not there is a 404.
async fn stream_export(
    state: &ServerState,
    path: RunPath,
    format: ExportFormat,
    selection: ExportSelection,
) -> Result<Body, ApiError> {
    let busy = || ApiError::unavailable("too many exports are running at once").retry_after(5);
    let permit = Arc::clone(state.exports()).try_acquire_owned().map_err(|_| busy())?;
    let store = state.store().clone();
    let (sender, mut receiver) = mpsc::channel(QUEUE_PIECES);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut writer = PieceWriter { buffer: Vec::with_capacity(PIECE_BYTES), sender, runtime };
        let result = store.export(&path, format, &selection, &mut writer);
        if let Err(error) = result {
            // The reader may be gone, and that may be the error.
            let _ = writer.sender.blocking_send(Err(error.into()));
        } else if let Err(error) = writer.flush() {
            tracing::debug!(run = %path, "the reader of an export of {path} went away: {error}");
        }
        drop(permit);
    });
    let Some(first) = receiver.recv().await.transpose()? else {
        return Ok(Body::empty());
    };
    let rest = stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    let rest = rest.map(|piece: Result<Bytes, ApiError>| {
        // Too late for a status: the body is cut off, which every client notices.
        piece.map_err(|error| io::Error::other(format!("the export failed: {error:?}")))
    });
    Ok(Body::from_stream(stream::once(async { Ok(first) }).chain(rest)))
}

/// Hands what is written on in pieces, as fast as the reader takes them.
struct PieceWriter {
    buffer: Vec<u8>,
    sender: mpsc::Sender<Result<Bytes, ApiError>>,
    runtime: Handle,
}

impl Write for PieceWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE_BYTES));
        let send = tokio::time::timeout(READER_SILENCE, self.sender.send(Ok(piece.into())));
        match self.runtime.block_on(send) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the reader went away")),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the reader takes nothing")),
        }
    }
}

fn split_keys(name: &str, keys: &str) -> Result<Vec<String>, ApiError> {
    if keys.starts_with('[') {
        return serde_json::from_str(keys)
            .map_err(|error| ApiError::invalid(format!("`{name}` is not a JSON list of texts: {error}")));
    }
    Ok(keys.split(',').map(str::to_owned).collect())
}

/// A name that is safe in a header and in any file system.
fn file_name(path: &RunPath, extension: &str) -> String {
    format!("{}-{}.{extension}", path_segment(path.project.as_str()), path_segment(path.run.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe() {
        let path: RunPath = "e/my \"proj\"\u{202e}/.run%".parse().expect("a path");
        assert_eq!(file_name(&path, "csv"), "my%20%22proj%22%E2%80%AE-%2Erun%25.csv");
    }

    #[test]
    fn keys_with_commas_come_as_a_list() {
        assert_eq!(split_keys("keys", "a,b/c").expect("keys"), ["a", "b/c"]);
        assert_eq!(split_keys("keys", r#"["a,b", "c"]"#).expect("keys"), ["a,b", "c"]);
        assert!(split_keys("keys", "[1]").is_err());
    }
}
