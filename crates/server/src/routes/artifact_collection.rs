//! `/artifacts/{entity}`: collections of artifacts, and registries.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use steplog_protocol::{Collection, CollectionKind, CollectionList, UpdateCollectionRequest};
use steplog_store::CollectionQuery;

use crate::error::ApiError;
use crate::extract::{CollectionInPath, EntityInPath, JsonBody, ProjectInPath, QueryParameters};
use crate::state::ServerState;

#[derive(Deserialize)]
pub(super) struct Parameters {
    kind: Option<CollectionKind>,
    r#type: Option<String>,
    search: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

impl From<Parameters> for CollectionQuery {
    fn from(parameters: Parameters) -> Self {
        let Parameters { kind, r#type, search, cursor, limit } = parameters;
        Self { kind, r#type, search, cursor, limit }
    }
}

/// The collections of all projects of an entity, by type and name.
#[utoipa::path(
    get, path = "/artifacts/{entity}", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("kind" = Option<CollectionKind>, Query, description = "Only those that hold versions, or links."),
        ("type" = Option<String>, Query, description = "Only those of this type, such as `dataset`."),
        ("search" = Option<String>, Query, description = "Only those with this in their name, in any case."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 1,000. Default 100."),
    ),
    responses((status = 200, body = CollectionList))
)]
pub(super) async fn list_collections_of_entity(
    State(state): State<ServerState>,
    EntityInPath(entity): EntityInPath,
    QueryParameters(parameters): QueryParameters<Parameters>,
) -> Result<Json<CollectionList>, ApiError> {
    Ok(Json(state.query(move |store| store.collections(&entity, None, &parameters.into())).await?))
}

/// The collections of a project, by type and name.
#[utoipa::path(
    get, path = "/artifacts/{entity}/{project}", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("kind" = Option<CollectionKind>, Query, description = "Only those that hold versions, or links."),
        ("type" = Option<String>, Query, description = "Only those of this type, such as `dataset`."),
        ("search" = Option<String>, Query, description = "Only those with this in their name, in any case."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 1,000. Default 100."),
    ),
    responses((status = 200, body = CollectionList))
)]
pub(super) async fn list_collections(
    State(state): State<ServerState>,
    ProjectInPath(entity, project): ProjectInPath,
    QueryParameters(parameters): QueryParameters<Parameters>,
) -> Result<Json<CollectionList>, ApiError> {
    Ok(Json(state.query(move |store| store.collections(&entity, Some(&project), &parameters.into())).await?))
}

/// One collection.
#[utoipa::path(
    get, path = "/artifacts/{entity}/{project}/{collection}", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
    ),
    responses((status = 200, body = Collection))
)]
pub(super) async fn read_collection(
    State(state): State<ServerState>,
    CollectionInPath(path): CollectionInPath,
) -> Result<Json<Collection>, ApiError> {
    Ok(Json(state.query(move |store| store.collection(&path)).await?))
}

/// Changes name, description or protected aliases of a collection.
#[utoipa::path(
    patch, path = "/artifacts/{entity}/{project}/{collection}", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
    ),
    request_body = UpdateCollectionRequest,
    responses((status = 200, body = Collection))
)]
pub(super) async fn update_collection(
    State(state): State<ServerState>,
    CollectionInPath(path): CollectionInPath,
    JsonBody(update): JsonBody<UpdateCollectionRequest>,
) -> Result<Json<Collection>, ApiError> {
    Ok(Json(state.query(move |store| store.update_collection(&path, &update)).await?))
}

/// Removes a collection and all its versions, or, of a registry, all its links.
#[utoipa::path(
    delete, path = "/artifacts/{entity}/{project}/{collection}", tag = "artifacts",
    params(
        ("entity" = String, Path, description = "User or team."),
        ("project" = String, Path, description = "Project."),
        ("collection" = String, Path, description = "Collection."),
    ),
    responses(
        (status = 204),
        (status = 409, description = "A protected alias points at one of its versions.", body = steplog_protocol::ErrorBody),
    )
)]
pub(super) async fn delete_collection(
    State(state): State<ServerState>,
    CollectionInPath(path): CollectionInPath,
) -> Result<StatusCode, ApiError> {
    let removed = path.clone();
    state.query(move |store| store.delete_collection(&removed)).await?;
    tracing::info!(collection = %path, "removed the collection {path}");
    Ok(StatusCode::NO_CONTENT)
}
