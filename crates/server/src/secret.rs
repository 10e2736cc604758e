//! API keys and session tokens: random, and stored only as SHA-256.

use sha2::{Digest as _, Sha256};

/// What every API key begins with. The 40 characters behind it are what other trackers' clients ask a key to have.
const API_KEY_PREFIX: &str = "steplog-";

/// A fresh API key: the prefix and 160 random bits in hex.
pub(crate) fn generate_api_key() -> String {
    format!("{API_KEY_PREFIX}{}", random_hex::<20>())
}

/// What a key is called where it may not be shown: its first 8 random characters.
pub(crate) fn api_key_id(key: &str) -> String {
    key.trim_start_matches(API_KEY_PREFIX).chars().take(8).collect()
}

/// A fresh session token: 256 random bits in hex.
pub(crate) fn generate_session_token() -> String {
    random_hex::<32>()
}

/// What a receiver knows a test message by: 128 random bits in hex, as the store gives alerts.
pub(crate) fn generate_message_id() -> String {
    random_hex::<16>()
}

/// What is stored of a secret. No salt and no slow hash: secrets are random and cannot be guessed.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn random_hex<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("the operating system hands out random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_length_that_clients_check() {
        let key = generate_api_key();
        let digits = key.strip_prefix("steplog-").expect("the prefix");
        assert_eq!(digits.len(), 40);
        assert!(digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        assert_eq!(api_key_id(&key), digits[..8]);
        assert_ne!(key, generate_api_key());
    }
}
