//! Extractors whose refusals are answers of our shape.

use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use steplog_model::{
    ArtifactPath, CollectionPath, ContentHash, Entity, FilePath, ManifestDigest, Project, RunPath, StreamId,
};

use crate::error::ApiError;

/// Largest JSON body: a series request of 20,000 long keys fits.
const MAX_JSON_BYTES: usize = 8 << 20;

/// Most that is read of a body which is refused.
const MAX_DRAINED_BYTES: usize = 64 << 20;

/// Longest time that is spent on it.
const MAX_DRAIN_TIME: Duration = Duration::from_secs(10);

/// Reads and drops a body before it is refused: most clients look for an answer only after they sent everything, and
/// would see a broken connection.
pub(crate) async fn drain(body: Body) {
    let mut pieces = body.into_data_stream();
    let mut left = MAX_DRAINED_BYTES;
    let drained = async {
        while let Some(Ok(piece)) = pieces.next().await {
            match left.checked_sub(piece.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Whoever is slower than that does without an answer.
    let _ = tokio::time::timeout(MAX_DRAIN_TIME, drained).await;
}

/// A JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts) {
            drain(body).await;
            return Err(ApiError::invalid("the body must be JSON, sent with `Content-Type: application/json`")
                .status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = read_json(body).await?;
        let axum::Json(body) = axum::Json::<T>::from_bytes(&bytes).map_err(|rejection| refuse_json(&rejection))?;
        Ok(Self(body))
    }
}

fn is_json(parts: &Parts) -> bool {
    let media_type = parts.headers.get(CONTENT_TYPE).and_then(|media_type| media_type.to_str().ok());
    let essence = media_type.and_then(|media_type| media_type.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

async fn read_json(body: Body) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| ApiError::invalid(format!("the request body broke off: {error}")))?;
        if bytes.len() + piece.len() > MAX_JSON_BYTES {
            drain(Body::from_stream(pieces)).await;
            return Err(ApiError::invalid("the request body is too large").status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn refuse_json(rejection: &JsonRejection) -> ApiError {
    ApiError::invalid(format!("the request body is not understood: {}", reason(rejection))).status(rejection.status())
}

/// The innermost error: it names the member that is wrong, the outer ones only say that something is.
fn reason(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// The parameters behind the `?`.
pub(crate) struct QueryParameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let refuse = |rejection: QueryRejection| {
            ApiError::invalid(format!("the query is not understood: {}", reason(&rejection)))
        };
        let Query(parameters) = Query::<T>::from_request_parts(parts, state).await.map_err(refuse)?;
        Ok(Self(parameters))
    }
}

async fn path<T: DeserializeOwned + Send, S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<T, ApiError> {
    let refuse =
        |rejection: PathRejection| ApiError::invalid(format!("the path is not understood: {}", rejection.body_text()));
    let Path(parameters) = Path::<T>::from_request_parts(parts, state).await.map_err(refuse)?;
    Ok(parameters)
}

/// The run that a path with `{entity}/{project}/{run}` names.
pub(crate) struct RunInPath(pub(crate) RunPath);

impl<S: Send + Sync> FromRequestParts<S> for RunInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (entity, project, run): (String, String, String) = path(parts, state).await?;
        Ok(Self(run_path(entity, project, run)?))
    }
}

/// The stream that a path with `{entity}/{project}/{run}/{stream}` names.
pub(crate) struct StreamInPath(pub(crate) RunPath, pub(crate) StreamId);

impl<S: Send + Sync> FromRequestParts<S> for StreamInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (entity, project, run, stream): (String, String, String, String) = path(parts, state).await?;
        Ok(Self(run_path(entity, project, run)?, stream.parse()?))
    }
}

/// The file that a path with `{entity}/{project}/{run}` and `{*path}` names.
pub(crate) struct FileInPath(pub(crate) RunPath, pub(crate) FilePath);

impl<S: Send + Sync> FromRequestParts<S> for FileInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (entity, project, run, file): (String, String, String, String) = path(parts, state).await?;
        Ok(Self(run_path(entity, project, run)?, file.try_into()?))
    }
}

/// The one entity that a path with `{entity}` names.
pub(crate) struct EntityInPath(pub(crate) Entity);

impl<S: Send + Sync> FromRequestParts<S> for EntityInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(path::<String, S>(parts, state).await?.try_into()?))
    }
}

/// The project that a path with `{entity}/{project}` names.
pub(crate) struct ProjectInPath(pub(crate) Entity, pub(crate) Project);

impl<S: Send + Sync> FromRequestParts<S> for ProjectInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (entity, project): (String, String) = path(parts, state).await?;
        Ok(Self(entity.try_into()?, project.try_into()?))
    }
}

/// The collection that a path with `{entity}/{project}/{collection}` names.
pub(crate) struct CollectionInPath(pub(crate) CollectionPath);

impl<S: Send + Sync> FromRequestParts<S> for CollectionInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (entity, project, collection): (String, String, String) = path(parts, state).await?;
        Ok(Self(collection_path(entity, project, &collection)?))
    }
}

/// The version that a path with `{entity}/{project}/{collection}` and `{version}` names.
pub(crate) struct ArtifactInPath(pub(crate) ArtifactPath);

impl<S: Send + Sync> FromRequestParts<S> for ArtifactInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (entity, project, collection, version): (String, String, String, String) = path(parts, state).await?;
        Ok(Self(collection_path(entity, project, &collection)?.artifact(version.parse()?)))
    }
}

/// The file that a path with `{entity}/{project}/{collection}`, `{version}` and `{*path}` names.
pub(crate) struct ArtifactFileInPath(pub(crate) ArtifactPath, pub(crate) FilePath);

impl<S: Send + Sync> FromRequestParts<S> for ArtifactFileInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (entity, project, collection, version, file): (String, String, String, String, String) =
            path(parts, state).await?;
        Ok(Self(collection_path(entity, project, &collection)?.artifact(version.parse()?), file.try_into()?))
    }
}

/// The digest that a path with `{entity}/{project}/{digest}` names.
pub(crate) struct DigestInPath(pub(crate) Entity, pub(crate) Project, pub(crate) ManifestDigest);

impl<S: Send + Sync> FromRequestParts<S> for DigestInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (entity, project, digest): (String, String, String) = path(parts, state).await?;
        Ok(Self(entity.try_into()?, project.try_into()?, digest.parse()?))
    }
}

/// The bytes that a path with `{entity}/{sha256}` names.
pub(crate) struct BlobInPath(pub(crate) Entity, pub(crate) ContentHash);

impl<S: Send + Sync> FromRequestParts<S> for BlobInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (entity, hash): (String, String) = path(parts, state).await?;
        Ok(Self(entity.try_into()?, hash.parse()?))
    }
}

/// The entity and the number that a path with `{entity}/{id}` names.
pub(crate) struct IdInPath(pub(crate) Entity, pub(crate) i64);

impl<S: Send + Sync> FromRequestParts<S> for IdInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (entity, id): (String, i64) = path(parts, state).await?;
        Ok(Self(entity.try_into()?, id))
    }
}

/// The one name in a path such as `/users/{name}`.
pub(crate) struct NameInPath(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for NameInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(path(parts, state).await?))
    }
}

fn run_path(entity: String, project: String, run: String) -> Result<RunPath, ApiError> {
    Ok(RunPath { entity: entity.try_into()?, project: project.try_into()?, run: run.try_into()? })
}

fn collection_path(entity: String, project: String, collection: &str) -> Result<CollectionPath, ApiError> {
    Ok(CollectionPath { entity: entity.try_into()?, project: project.try_into()?, collection: collection.parse()? })
}
