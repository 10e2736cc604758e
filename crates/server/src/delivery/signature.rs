//! Signing of webhooks, as standardwebhooks.com has it: HMAC-SHA256 over id, time and body.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use steplog_protocol::ErrorDetail;

use super::target::invalid;

const MIN_SECRET_CHARACTERS: usize = 16;

const MAX_SECRET_CHARACTERS: usize = 256;

/// What a secret with a key in base64 begins with.
const PREFIX: &str = "whsec_";

/// Checks a secret.
///
/// # Errors
/// It is too short or too long, or has the prefix and is not base64.
pub(super) fn check_secret(secret: &str) -> Result<(), ErrorDetail> {
    let characters = secret.chars().count();
    if !(MIN_SECRET_CHARACTERS..=MAX_SECRET_CHARACTERS).contains(&characters) {
        return Err(invalid(format!(
            "a webhook's secret must have {MIN_SECRET_CHARACTERS} to {MAX_SECRET_CHARACTERS} characters, not {characters}"
        )));
    }
    match secret.strip_prefix(PREFIX).map(|key| BASE64_STANDARD.decode(key)) {
        Some(Err(_)) => Err(invalid(format!("what follows {PREFIX} in the webhook's secret is not base64"))),
        _ => Ok(()),
    }
}

/// The value of the header `webhook-signature`.
pub(super) fn sign(secret: &str, id: &str, timestamp: u64, body: &[u8]) -> String {
    let key = secret.strip_prefix(PREFIX).and_then(|key| BASE64_STANDARD.decode(key).ok());
    let key = key.unwrap_or_else(|| secret.as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length will do");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // The example of the standard's own libraries.
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        // From Python: base64.b64encode(hmac.new(b"sixteen letters!", b"a.1.{}", "sha256").digest()).
        assert_eq!(sign("sixteen letters!", "a", 1, b"{}"), "v1,SiLHo9dahMDPEAklW6zWmiH202G1cTlxytMpOftniQY=");
    }

    #[test]
    fn secrets_have_rules() {
        let refused = |secret: &str| check_secret(secret).map_err(|error| error.message);
        assert_eq!(refused("sixteen letters!"), Ok(()));
        assert_eq!(refused("short"), Err("a webhook's secret must have 16 to 256 characters, not 5".into()));
        assert_eq!(
            refused("whsec_this is not base64"),
            Err("what follows whsec_ in the webhook's secret is not base64".into())
        );
    }
}
