//! Accounts: their rules, and making and removing them. Used by the routes and by the command line on a data directory.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use steplog_protocol::{CreateUserRequest, ErrorDetail, ErrorKind, User};
use steplog_store::Store;

/// Shortest password, in characters.
pub const MIN_PASSWORD_CHARACTERS: usize = 8;

/// Longest password, in bytes: more would only keep the server busy.
const MAX_PASSWORD_BYTES: usize = 1024;

const MAX_NAME_BYTES: usize = 64;

/// Makes an account. The first one must be an admin, since nobody else could make another.
///
/// # Errors
/// The name or password breaks a rule, the name is taken, or the store failed.
pub fn create_user(store: &Store, request: &CreateUserRequest) -> Result<User, ErrorDetail> {
    check_name(&request.name)?;
    check_password(&request.password)?;
    if !request.admin && store.users().map_err(from_store)?.is_empty() {
        return Err(detail(ErrorKind::Invalid, "the first account must be an admin"));
    }
    store.create_user(&request.name, &hash_password(&request.password), request.admin).map_err(from_store)
}

/// Removes an account with its keys and sessions; its runs stay.
///
/// # Errors
/// There is no such account, it is the last admin while there are other accounts, or the store failed.
pub fn delete_user(store: &Store, name: &str) -> Result<(), ErrorDetail> {
    let users = store.users().map_err(from_store)?;
    let is_last_admin = users.iter().all(|user| !user.admin || user.name == name);
    if is_last_admin && users.len() > 1 && users.iter().any(|user| user.name == name) {
        let message = format!("{name} is the last admin: the other accounts could not be managed any more");
        return Err(detail(ErrorKind::Conflict, message));
    }
    store.delete_user(name).map_err(from_store)
}

/// Whether a password is the account's. Takes as long for an unknown account, so that names cannot be found out.
pub(crate) fn password_matches(password_hash: Option<&str>, password: &str) -> bool {
    // The hash of a password that nobody has; made with the same parameters as all others.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c3RlcGxvZy1ub2JvZHk$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
    let Ok(hash) = PasswordHash::new(password_hash.unwrap_or(NOBODY)) else {
        return false;
    };
    let matches = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    matches && password_hash.is_some()
}

fn hash_password(password: &str) -> String {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.expect("the length was checked and random bytes are to be had").to_string()
}

fn check_name(name: &str) -> Result<(), ErrorDetail> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let name: String = name.chars().take(80).collect();
    Err(detail(
        ErrorKind::Invalid,
        format!("the account name {name:?} must be 1 to {MAX_NAME_BYTES} of a-z, 0-9, _ and -"),
    ))
}

fn check_password(password: &str) -> Result<(), ErrorDetail> {
    if password.chars().count() < MIN_PASSWORD_CHARACTERS {
        let message = format!("the password must have at least {MIN_PASSWORD_CHARACTERS} characters");
        return Err(detail(ErrorKind::Invalid, message));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(detail(ErrorKind::Invalid, format!("the password is longer than {MAX_PASSWORD_BYTES} bytes")));
    }
    Ok(())
}

fn detail(kind: ErrorKind, message: impl Into<String>) -> ErrorDetail {
    ErrorDetail { kind, message: message.into(), hint: None }
}

pub(crate) fn from_store(error: steplog_store::Error) -> ErrorDetail {
    ErrorDetail { kind: error.kind(), message: error.to_string(), hint: error.hint().map(Into::into) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_have_rules() {
        let refused = |result: Result<(), ErrorDetail>| result.map_err(|error| error.message);
        assert_eq!(refused(check_name("ada-l_1")), Ok(()));
        for name in ["", "Ada", "a/b", "ä", "a b", &"a".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert_eq!(refused(check_password("pässword")), Ok(()));
        assert_eq!(refused(check_password("short")), Err("the password must have at least 8 characters".to_owned()));
        assert_eq!(
            refused(check_password(&"x".repeat(1025))),
            Err("the password is longer than 1024 bytes".to_owned())
        );
    }

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let hash = hash_password("correct horse");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(password_matches(Some(&hash), "correct horse"));
        assert!(!password_matches(Some(&hash), "wrong horse"));
        assert!(!password_matches(None, "correct horse"));
        assert!(!password_matches(Some("not a hash"), "correct horse"));
    }
}
