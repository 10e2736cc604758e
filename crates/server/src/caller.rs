//! Who sent a request: an API key or a session cookie.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use steplog_model::Entity;
use steplog_protocol::{ErrorKind, User};

use crate::error::ApiError;
use crate::secret;
use crate::state::{ServerState, unix_time};

/// How long a browser stays logged in, in seconds.
pub(crate) const SESSION_SECONDS: u32 = 30 * 24 * 3600;

const COOKIE_NAME: &str = "steplog_session";

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    user: Option<User>,
    session_token: Option<String>,
}

impl Caller {
    /// Looks at the credentials. A server without accounts does not: whatever a client sends is welcome.
    ///
    /// # Errors
    /// There is an API key, and it is not one of ours. (A session that ended is no error: the browser shall log in.)
    pub(crate) async fn identify(state: &ServerState, headers: &HeaderMap) -> Result<Self, ApiError> {
        let session_token = session_token(headers);
        if !state.has_accounts() {
            return Ok(Self { user: None, session_token });
        }
        if headers.contains_key(AUTHORIZATION) {
            let hash = secret::hash(&api_key(headers).ok_or_else(unknown_key)?);
            let user = state.query(move |store| store.user_by_api_key_hash(&hash)).await?;
            return Ok(Self { user: Some(user.ok_or_else(unknown_key)?), session_token: None });
        }
        let user = match &session_token {
            Some(token) => {
                let hash = secret::hash(token);
                state.query(move |store| store.user_by_session(&hash, unix_time())).await?
            }
            None => None,
        };
        Ok(Self { user, session_token })
    }

    /// The account.
    pub(crate) fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// The account, where there must be one.
    pub(crate) fn account(&self) -> Result<&User, ApiError> {
        let message = "this server has no accounts, so there are no keys and nobody logs in";
        self.user()
            .ok_or_else(|| ApiError::new(ErrorKind::Conflict, message).hint("make an account with `steplog user add`"))
    }

    /// Whether the caller may see what belongs to an entity: whoever has an account reads everything.
    pub(crate) fn may_see(&self, _entity: &Entity) -> bool {
        true
    }

    /// Refuses changes of what belongs to an entity, unless it is the caller's own.
    pub(crate) fn check_may_write(&self, state: &ServerState, entity: Option<&str>) -> Result<(), ApiError> {
        if !state.has_accounts() {
            return Ok(());
        }
        let user = self.user().ok_or_else(ApiError::unauthenticated)?;
        if user.admin || entity == Some(user.name.as_str()) {
            return Ok(());
        }
        Err(ApiError::forbidden(format!("{} may not write to the runs of {}", user.name, entity.unwrap_or("?"))))
    }

    /// Whether a browser's session cookie came along, and no API key.
    pub(crate) fn has_cookie(&self) -> bool {
        self.session_token.is_some()
    }

    /// The session cookie's token.
    pub(crate) fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| ApiError::internal("the route stands outside the authorisation check"))
    }
}

fn unknown_key() -> ApiError {
    ApiError::new(ErrorKind::Unauthenticated, "the API key is unknown here")
        .hint("it may be revoked, or of another server; `steplog login` gets a new one")
}

/// `Authorization: Bearer KEY`, or HTTP Basic with the user `api`.
fn api_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    Some(decoded.strip_prefix("api:")?.to_owned())
}

fn session_token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, token)| token.to_owned())
}

/// The header that logs a browser in, or out when there is no token.
pub(crate) fn session_cookie(headers: &HeaderMap, token: Option<&str>) -> [(HeaderName, String); 1] {
    let secure = match headers.get("x-forwarded-proto") {
        Some(scheme) if scheme == "https" => "; Secure",
        _ => "",
    };
    let (token, seconds) = token.map_or(("", 0), |token| (token, SESSION_SECONDS));
    let cookie = format!("{COOKIE_NAME}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    [(SET_COOKIE, cookie)]
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn keys_come_as_bearer_or_basic() {
        let key = |value: &'static str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            api_key(&headers)
        };
        assert_eq!(key("Bearer steplog-1"), Some("steplog-1".into()));
        assert_eq!(key("bearer  steplog-1"), Some("steplog-1".into()));
        assert_eq!(key("Basic YXBpOnN0ZXBsb2ctMQ=="), Some("steplog-1".into()));
        assert_eq!(key("Basic cm9vdDpzdGVwbG9nLTE="), None);
        assert_eq!(key("Digest x"), None);
        assert_eq!(key("Basic ???"), None);
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let value = HeaderValue::from_static("theme=dark; steplog_session=abc; x=y");
        assert_eq!(session_token(&HeaderMap::from_iter([(COOKIE, value)])), Some("abc".into()));
        assert_eq!(session_token(&HeaderMap::new()), None);
    }

    #[test]
    fn the_cookie_is_secure_behind_https() {
        let [(_, plain)] = session_cookie(&HeaderMap::new(), Some("t"));
        assert_eq!(plain, "steplog_session=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000");
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        let [(_, secure)] = session_cookie(&headers, None);
        assert_eq!(secure, "steplog_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Secure");
    }
}
