//! `/console/query` and `/runs/…/console`: what the processes of a run printed.

use std::io::Write;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;
use steplog_protocol::{ConsoleLineList, ConsoleOutput, ConsoleRequest};
use steplog_store::{ConsoleFormat, Store};

use crate::error::ApiError;
use crate::extract::{JsonBody, QueryParameters, RunInPath};
use crate::routes::document;
use crate::routes::download::{file_name, stream_file};
use crate::state::ServerState;

/// A page of the lines that the processes of a run printed: a part, the end, or those that contain a text.
#[utoipa::path(post, path = "/console/query", tag = "console", request_body = ConsoleRequest, responses((status = 200, body = ConsoleLineList)))]
pub(super) async fn query_console(
    State(state): State<ServerState>,
    JsonBody(request): JsonBody<ConsoleRequest>,
) -> Result<Response, ApiError> {
    // A page of megabytes is not written on the threads that serve everybody.
    state.query(move |store| Ok(Json(store.console(&request)?).into_response())).await
}

#[derive(Deserialize)]
pub(super) struct Parameters {
    #[serde(default)]
    format: Format,
    stream: Option<String>,
    output: Option<ConsoleOutput>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Text,
    Ansi,
    Jsonl,
}

/// What the processes of a run printed, as a file.
#[utoipa::path(
    get, path = "/runs/{entity}/{project}/{run}/console", tag = "console",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
        ("format" = Option<String>, Query, description = "`text` (default), `ansi` (with colours) or `jsonl` (with times, processes, numbers and outputs)."),
        ("stream" = Option<String>, Query, description = "Only the lines of this process: the id of its journal, 32 hex characters."),
        ("output" = Option<String>, Query, description = "Only lines of `stdout` or `stderr`."),
    ),
    responses((status = 200, description = "The file.", body = document::Bytes, content_type = "application/octet-stream"))
)]
pub(super) async fn read_console(
    State(state): State<ServerState>,
    RunInPath(path): RunInPath,
    QueryParameters(parameters): QueryParameters<Parameters>,
) -> Result<impl IntoResponse, ApiError> {
    let (format, media_type, extension) = match parameters.format {
        Format::Text => (ConsoleFormat::Text, "text/plain; charset=utf-8", "output.log"),
        Format::Ansi => (ConsoleFormat::Ansi, "text/plain; charset=utf-8", "output.log"),
        Format::Jsonl => (ConsoleFormat::Jsonl, "application/jsonl; charset=utf-8", "output.jsonl"),
    };
    let disposition = format!("attachment; filename=\"{}\"", file_name(&path, extension));
    let write = move |store: &Store, out: &mut dyn Write| {
        store.export_console(&path, format, parameters.stream.as_deref(), parameters.output, out)
    };
    let body = stream_file(&state, write).await?;
    Ok(([(CONTENT_TYPE, media_type.to_owned()), (CONTENT_DISPOSITION, disposition)], body))
}
