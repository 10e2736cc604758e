//! `/artifacts/…/versions/{version}`: what a version consists of.

use std::io::Write;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use steplog_model::path_segment;
use steplog_protocol::{ArtifactEntryList, ErrorBody, ErrorKind, MANIFEST_MEDIA_TYPE};
use steplog_store::{EntryQuery, Store};

use crate::content::{Content, ContentParameters, Expected};
use crate::error::ApiError;
use crate::extract::{ArtifactFileInPath, ArtifactInPath, QueryParameters};
use crate::folder::find_bytes;
use crate::routes::document;
use crate::routes::download::stream_file;
use crate::state::ServerState;

#[derive(Deserialize)]
pub(super) struct EntryParameters {
    #[serde(default)]
    folder: String,
    #[serde(default)]
    recursive: bool,
    search: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// The manifest of a version: JSON lines, as they were committed.
#[utoipa::path(
    get, path = "/artifacts/{entity}/{project}/{collection}/versions/{version}/manifest", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("version" = String, Path, description = "Version, such as `v3`, or an alias."),
    ),
    responses((status = 200, body = document::Bytes, content_type = "application/jsonl"))
)]
pub(super) async fn read_manifest(
    State(state): State<ServerState>,
    ArtifactInPath(path): ArtifactInPath,
) -> Result<Response, ApiError> {
    let name = path_segment(&format!("{}-{}", path.collection.collection, path.selector));
    let write = move |store: &Store, out: &mut dyn Write| -> Result<(), ApiError> {
        for lines in store.artifact_manifest(&path)? {
            // Should the reader be gone, nobody sees this; one that is only slow must not take what it has for the whole.
            out.write_all(&lines?).map_err(|error| ApiError::unavailable(error.to_string()))?;
        }
        Ok(())
    };
    let body = stream_file(&state, write).await?;
    let disposition = format!("attachment; filename=\"{name}.manifest.jsonl\"");
    Ok(([(CONTENT_TYPE, MANIFEST_MEDIA_TYPE.to_owned()), (CONTENT_DISPOSITION, disposition)], body).into_response())
}

/// The files and folders in a folder of a version, or all files below it.
#[utoipa::path(
    get, path = "/artifacts/{entity}/{project}/{collection}/versions/{version}/entries", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("version" = String, Path, description = "Version, such as `v3`, or an alias."),
        ("folder" = Option<String>, Query, description = "Path of the folder; the topmost when absent."),
        ("recursive" = Option<bool>, Query, description = "Whether all files below it are meant."),
        ("search" = Option<String>, Query, description = "Only files with this in their path below the folder, in any case; at any depth."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 10,000. Default 1,000."),
    ),
    responses((status = 200, body = ArtifactEntryList))
)]
pub(super) async fn list_entries(
    State(state): State<ServerState>,
    ArtifactInPath(path): ArtifactInPath,
    QueryParameters(parameters): QueryParameters<EntryParameters>,
) -> Result<Response, ApiError> {
    let EntryParameters { folder, recursive, search, cursor, limit } = parameters;
    let query = EntryQuery { folder, recursive, search, cursor, limit };
    state.query(move |store| Ok(Json(store.artifact_entries(&path, &query)?).into_response())).await
}

/// The content of a file of a version; whole, or a range of it.
#[utoipa::path(
    get, path = "/artifacts/{entity}/{project}/{collection}/versions/{version}/files/{*path}", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
        ("version" = String, Path, description = "Version, such as `v3`, or an alias."),
        ("path" = String, Path, description = "Path of the file."),
        ("download" = Option<bool>, Query, description = "Whether a browser is to keep it rather than show it."),
        ("Range" = Option<String>, Header, description = "One range of bytes."),
    ),
    responses(
        (status = 200, description = "The content.", body = document::Bytes, content_type = "application/octet-stream"),
        (status = 206, description = "A range of it.", body = document::Bytes, content_type = "application/octet-stream"),
        (status = 304, description = "It is what `If-None-Match` names."),
        (status = 409, description = "It is a reference: the message says where the bytes are.", body = ErrorBody),
        (status = 410, description = "The bytes were damaged on the disk and are not to be had until somebody sends them again. Of a file that is longer than 256 KiB the answer breaks off before its end when that is found.", body = ErrorBody),
    )
)]
pub(super) async fn read_artifact_file(
    State(state): State<ServerState>,
    ArtifactFileInPath(path, file): ArtifactFileInPath,
    QueryParameters(ContentParameters { download }): QueryParameters<ContentParameters>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let name = file.name().to_owned();
    let folders = state.run_folders().map(|folders| folders.artifacts().all());
    let find = move |store: &Store| match folders {
        None => store.artifact_file(&path, &file).map(|(entry, place)| (entry, place.map(Ok))),
        Some(folders) => {
            let (entry, hash) = store.artifact_entry(&path, &file)?;
            let size_bytes = entry.size_bytes.unwrap_or_default();
            let place = hash.map(|hash| find_bytes(&folders, &path, &entry.path, hash, size_bytes));
            Ok((entry, place))
        }
    };
    let (entry, place) = state.query(find).await?;
    let Some(place) = place.transpose()? else {
        let leads_to = entry.reference.unwrap_or_default();
        let message = format!("{} is a reference to {leads_to}: its bytes are not here", entry.path);
        return Err(ApiError::new(ErrorKind::Conflict, message).hint(format!("get them from {leads_to}")));
    };
    let (size_bytes, tag) = (entry.size_bytes.unwrap_or_default(), entry.sha256.unwrap_or_default());
    // The bytes in a folder are not ours to set aside.
    let own = state.run_folders().is_none().then_some(state);
    let expected = tag.parse().ok().map(|hash| Expected { hash, state: own });
    Content { name: &name, place: &place, size_bytes, tag: &tag, expected, download }.answer(&headers).await
}
