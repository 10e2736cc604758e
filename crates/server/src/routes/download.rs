//! Files that are made as they are read.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use steplog_model::{RunPath, path_segment};
use steplog_store::{ExportFormat, Store};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::error::ApiError;
use crate::routes::series::ARROW_MEDIA_TYPE;
use crate::state::ServerState;

/// How much is written before it is handed on.
const PIECE_BYTES: usize = 256 << 10;

/// How many pieces wait for the reader.
const QUEUE_PIECES: usize = 4;

/// A reader that takes nothing for so long is given up: it holds a thread.
const READER_SILENCE: Duration = Duration::from_secs(60);

/// What a table is written as.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TableFormat {
    Parquet,
    Csv,
    Jsonl,
    Arrow,
}

impl TableFormat {
    /// The format, its media type, and how the name of the file ends.
    pub(super) fn parts(self) -> (ExportFormat, &'static str, &'static str) {
        match self {
            Self::Parquet => (ExportFormat::Parquet, "application/vnd.apache.parquet", "parquet"),
            Self::Csv => (ExportFormat::Csv, "text/csv; charset=utf-8", "csv"),
            Self::Jsonl => (ExportFormat::Jsonl, "application/jsonl; charset=utf-8", "jsonl"),
            Self::Arrow => (ExportFormat::Arrow, ARROW_MEDIA_TYPE, "arrows"),
        }
    }
}

/// Starts a download and waits for its first piece, so that what is not there is a 404.
pub(super) async fn stream_file<E: Into<ApiError>>(
    state: &ServerState,
    write: impl FnOnce(&Store, &mut dyn Write) -> Result<(), E> + Send + 'static,
) -> Result<Body, ApiError> {
    let busy = || ApiError::unavailable("too many exports are running at once").retry_after(5);
    let permit = Arc::clone(state.exports()).try_acquire_owned().map_err(|_| busy())?;
    let store = state.store().clone();
    let (sender, mut receiver) = mpsc::channel(QUEUE_PIECES);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut writer = PieceWriter { buffer: Vec::with_capacity(PIECE_BYTES), sender, runtime };
        let result = write(&store, &mut writer);
        if let Err(error) = result {
            // The reader may be gone, and that may be the error.
            let _ = writer.sender.blocking_send(Err(error.into()));
        } else if let Err(error) = writer.flush() {
            tracing::debug!("the reader of an export went away: {error}");
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

/// A name that is safe in a header and in any file system.
pub(super) fn file_name(path: &RunPath, extension: &str) -> String {
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
}
