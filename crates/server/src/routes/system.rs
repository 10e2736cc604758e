//! `/runs/…/system`: what the machines of a run were busy with, as a file.

use std::io::Write;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::Deserialize;
use steplog_store::Store;

use crate::error::ApiError;
use crate::extract::{QueryParameters, RunInPath};
use crate::routes::document;
use crate::routes::download::{TableFormat, file_name, stream_file};
use crate::state::ServerState;

#[derive(Deserialize)]
pub(super) struct Parameters {
    format: TableFormat,
}

/// The system samples of a run, as a file: a row for each sample, a column for each system metric.
#[utoipa::path(
    get, path = "/runs/{entity}/{project}/{run}/system", tag = "runs",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
        ("format" = String, Query, description = "`parquet`, `csv`, `jsonl` or `arrow`."),
    ),
    responses((status = 200, description = "The file.", body = document::Bytes, content_type = "application/octet-stream"))
)]
pub(super) async fn read_system(
    State(state): State<ServerState>,
    RunInPath(path): RunInPath,
    QueryParameters(parameters): QueryParameters<Parameters>,
) -> Result<impl IntoResponse, ApiError> {
    let (format, media_type, extension) = parameters.format.parts();
    let disposition = format!("attachment; filename=\"{}\"", file_name(&path, &format!("system.{extension}")));
    let write = move |store: &Store, out: &mut dyn Write| store.export_system(&path, format, out);
    let body = stream_file(&state, write).await?;
    Ok(([(CONTENT_TYPE, media_type.to_owned()), (CONTENT_DISPOSITION, disposition)], body))
}
