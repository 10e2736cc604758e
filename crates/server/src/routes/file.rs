//! `/runs/…/files`: the files of a run.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use steplog_protocol::{BlobStatus, ErrorBody, FileList, PutFileRequest};

use crate::content::{Content, ContentParameters, Expected};
use crate::error::ApiError;
use crate::extract::{FileInPath, JsonBody, QueryParameters, RunInPath};
use crate::folder::FolderFiles;
use crate::routes::document;
use crate::state::ServerState;

#[derive(Deserialize)]
pub(super) struct ListParameters {
    #[serde(default)]
    prefix: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// The files of a run, by path.
#[utoipa::path(
    get, path = "/runs/{entity}/{project}/{run}/files", tag = "files",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
        ("prefix" = Option<String>, Query, description = "Only those whose path begins so."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 10,000. Default 1,000."),
    ),
    responses((status = 200, body = FileList))
)]
pub(super) async fn list_files(
    State(state): State<ServerState>,
    RunInPath(path): RunInPath,
    QueryParameters(parameters): QueryParameters<ListParameters>,
) -> Result<Json<FileList>, ApiError> {
    let folders = state.run_folders().map(|folders| folders.files(&path));
    let list = move |store: &steplog_store::Store| {
        let ListParameters { prefix, cursor, limit } = parameters;
        match folders {
            None => store.files(&path, &prefix, cursor.as_deref(), limit),
            Some(folders) => {
                let files = FolderFiles::new(folders, store.saved_files(&path)?).list();
                steplog_store::page_of_files(files, &prefix, cursor.as_deref(), limit)
            }
        }
    };
    Ok(Json(state.query(list).await?))
}

/// The content of a file; whole, or a range of it.
#[utoipa::path(
    get, path = "/runs/{entity}/{project}/{run}/files/{*path}", tag = "files",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
        ("path" = String, Path, description = "Path of the file."),
        ("download" = Option<bool>, Query, description = "Whether a browser is to keep it rather than show it."),
        ("Range" = Option<String>, Header, description = "One range of bytes."),
    ),
    responses(
        (status = 200, description = "The content.", body = document::Bytes, content_type = "application/octet-stream"),
        (status = 206, description = "A range of it.", body = document::Bytes, content_type = "application/octet-stream"),
        (status = 304, description = "It is what `If-None-Match` names."),
        (status = 410, description = "The bytes were damaged on the disk and are not to be had until somebody sends them again. Of a file that is longer than 256 KiB the answer breaks off before its end when that is found.", body = ErrorBody),
    )
)]
pub(super) async fn read_file(
    State(state): State<ServerState>,
    FileInPath(path, file): FileInPath,
    QueryParameters(ContentParameters { download }): QueryParameters<ContentParameters>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let folders = state.run_folders().map(|folders| folders.files(&path));
    let name = file.name().to_owned();
    let find = move |store: &steplog_store::Store| match folders {
        None => {
            let (found, place) = store.file(&path, &file)?;
            Ok(Some((found.size_bytes, place, found.sha256.unwrap_or_default())))
        }
        Some(folders) => {
            let found = FolderFiles::new(folders, store.saved_files(&path)?).find(&file);
            Ok(found.map(|found| (found.file.size_bytes, found.place, found.tag)))
        }
    };
    let found = state.query(find).await?;
    let missing = || ApiError::not_found(format!("the run has no file {name}"));
    let (size_bytes, place, tag) = found.ok_or_else(missing)?;
    // The tag of a file in a folder is no hash: it may be changed at any time.
    let hash = tag.parse().ok().filter(|_| state.run_folders().is_none());
    let expected = hash.map(|hash| Expected { hash, state: Some(state) });
    Content { name: &name, place: &place, size_bytes, tag: &tag, expected, download }.answer(&headers).await
}

/// Gives bytes a name in a run, in place of what had it.
#[utoipa::path(
    put, path = "/runs/{entity}/{project}/{run}/files/{*path}", tag = "files",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
        ("path" = String, Path, description = "Path of the file."),
    ),
    request_body = PutFileRequest,
    responses(
        (status = 200, body = BlobStatus),
        (status = 409, description = "Bytes are missing: send them to `/blobs`, then put the file again.", body = BlobStatus),
    )
)]
pub(super) async fn put_file(
    State(state): State<ServerState>,
    FileInPath(path, file): FileInPath,
    JsonBody(request): JsonBody<PutFileRequest>,
) -> Result<(StatusCode, Json<BlobStatus>), ApiError> {
    let status = state.query(move |store| store.put_file(&path, &file, &request)).await?;
    let code = if status.complete { StatusCode::OK } else { StatusCode::CONFLICT };
    Ok((code, Json(status)))
}

/// Removes a file of a run.
#[utoipa::path(
    delete, path = "/runs/{entity}/{project}/{run}/files/{*path}", tag = "files",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("run" = String, Path, description = "Run id."),
        ("path" = String, Path, description = "Path of the file."),
    ),
    responses((status = 204))
)]
pub(super) async fn delete_file(
    State(state): State<ServerState>,
    FileInPath(path, file): FileInPath,
) -> Result<StatusCode, ApiError> {
    state.query(move |store| store.delete_file(&path, &file)).await?;
    Ok(StatusCode::NO_CONTENT)
}
