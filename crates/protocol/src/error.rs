//! The one shape of every error answer.

use serde::{Deserialize, Serialize};

/// The body of every answer whose status is 4xx or 5xx.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong, to what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorDetail {
    /// What the caller can do next.
    pub kind: ErrorKind,
    /// One sentence, lowercase, naming the thing; fit to show to a person.
    pub message: String,
    /// A remedy, when one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Named by what the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request is wrong and will be refused again (400, 413, 422).
    Invalid,
    /// Nobody is logged in, or the key is unknown (401).
    Unauthenticated,
    /// The account may not do this (403).
    Forbidden,
    /// The thing does not exist (404).
    NotFound,
    /// The request met another state than it expected (409).
    Conflict,
    /// Nothing is wrong with the request; try it again later (429, 503, 507).
    Unavailable,
    /// What is stored is damaged (500).
    Data,
    /// A defect of the server (500).
    Internal,
}
