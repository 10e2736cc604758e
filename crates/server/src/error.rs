//! The one error of every handler, and how it becomes an answer.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use steplog_protocol::{ErrorBody, ErrorDetail, ErrorKind, IngestResponse};

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    body: Body,
    retry_after_seconds: Option<u64>,
}

#[derive(Debug)]
enum Body {
    Error(ErrorDetail),
    /// A journal that goes on elsewhere than the client thought.
    Offset(IngestResponse),
}

impl ApiError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let status = match kind {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Data | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let retry_after_seconds = (kind == ErrorKind::Unavailable).then_some(1);
        let body = Body::Error(ErrorDetail { kind, message: message.into(), hint: None });
        Self { status, body, retry_after_seconds }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// Bytes were damaged or are gone, and nothing that helps to try again.
    pub(crate) fn lost(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message).status(StatusCode::GONE)
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(ErrorKind::Unauthenticated, "this needs an account")
            .hint("log in, or send an API key as `Authorization: Bearer KEY`; `steplog login` gets one")
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Body::Error(detail) = &mut self.body {
            detail.hint = Some(hint.into());
        }
        self
    }

    /// Another status than the kind's usual one.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    pub(crate) fn offset(response: IngestResponse) -> Self {
        Self { status: StatusCode::CONFLICT, body: Body::Offset(response), retry_after_seconds: None }
    }
}

impl From<steplog_model::InvalidName> for ApiError {
    fn from(error: steplog_model::InvalidName) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<steplog_model::InvalidArtifactName> for ApiError {
    fn from(error: steplog_model::InvalidArtifactName) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<steplog_model::InvalidManifest> for ApiError {
    fn from(error: steplog_model::InvalidManifest) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<steplog_model::InvalidFile> for ApiError {
    fn from(error: steplog_model::InvalidFile) -> Self {
        Self::invalid(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Body::Error(error) => {
                if self.status.is_server_error() && error.kind != ErrorKind::Unavailable {
                    tracing::error!(kind = ?error.kind, "a request failed: {}", error.message);
                }
                (self.status, axum::Json(ErrorBody { error })).into_response()
            }
            Body::Offset(response) => (self.status, axum::Json(response)).into_response(),
        };
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
