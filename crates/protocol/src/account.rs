//! Sessions, users and API keys.

use serde::{Deserialize, Serialize};

/// `GET /session`: who the caller is, and what kind of server this is. Always answered, logged in or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Version of the server, `major.minor.patch`.
    pub version: String,
    /// Where the runs come from.
    pub source: ServerSource,
    /// The folder that is served when `source` is `folder`.
    pub folder: Option<String>,
    /// Whether requests need an account.
    pub login_required: bool,
    /// The account behind this request, if any.
    pub user: Option<User>,
    /// The entity that a run without one belongs to, for this caller.
    pub default_entity: String,
}

/// Where a server's runs come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServerSource {
    /// A data directory that clients send to (`steplog serve`).
    Store,
    /// A folder of local runs (`steplog ui`).
    Folder,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// Login name, and the name of the entity that the account's runs belong to.
    pub name: String,
    /// Whether the account may manage users.
    pub admin: bool,
    /// When it was made, Unix seconds.
    pub created_at: f64,
}

/// `POST /session`: logs a browser in; the answer is a [`Session`] and sets the session cookie.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginRequest {
    /// Login name.
    pub name: String,
    /// Password in clear; compared with an argon2 hash.
    pub password: String,
}

/// `POST /users` (admins only): makes an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateUserRequest {
    /// Login name: 1 to 64 of `[a-z0-9_-]`.
    pub name: String,
    /// At least 8 characters.
    pub password: String,
    /// Whether the account may manage users.
    #[serde(default)]
    pub admin: bool,
}

/// `GET /users` (admins only).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserList {
    /// By name.
    pub users: Vec<User>,
}

/// An API key as it can be shown: the key itself is stored only as a hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// Names the key for deletion; the first 8 characters after the prefix.
    pub id: String,
    /// What the owner called it.
    pub label: String,
    /// When it was made, Unix seconds.
    pub created_at: f64,
    /// When it last authenticated a request, Unix seconds.
    pub last_used_at: Option<f64>,
}

/// `GET /api-keys`: the caller's keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyList {
    /// Newest first.
    pub api_keys: Vec<ApiKey>,
}

/// `POST /api-keys`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateApiKeyRequest {
    /// What to call it: at most 64 characters.
    #[serde(default)]
    pub label: String,
}

/// The answer of `POST /api-keys`: the only time that the key is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedApiKey {
    /// The key as it can be shown later.
    pub api_key: ApiKey,
    /// `steplog-` and 40 hex characters. Sent as `Authorization: Bearer KEY`, or as HTTP Basic with user `api`.
    pub secret: String,
}
