//! How a server sends.

use std::time::Duration;

use super::{MailServer, PrivateHosts};

/// How a server sends alerts.
#[derive(Clone, Debug)]
pub struct DeliveryOptions {
    /// Where people reach the server, for links in messages: a URL with no slash at its end.
    pub public_url: String,
    /// The mail server; without one no mail is sent.
    pub mail: Option<MailServer>,
    /// Which hosts webhooks may be sent to although they are in the server's own network.
    pub private_hosts: PrivateHosts,
    /// When to try again.
    pub retry: RetryPolicy,
    /// How long one try may take.
    pub attempt_timeout: Duration,
}

impl Default for DeliveryOptions {
    /// No mail, nothing private, half a minute for each try.
    fn default() -> Self {
        Self {
            public_url: format!("http://127.0.0.1:{}", crate::DEFAULT_PORT),
            mail: None,
            private_hosts: PrivateHosts::default(),
            retry: RetryPolicy::default(),
            attempt_timeout: Duration::from_secs(30),
        }
    }
}

/// When to try again what was not taken.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// How often a message is tried in all.
    pub attempts: u32,
    /// How long to wait after the first try; after each further one two and a half times as long.
    pub first_wait: Duration,
}

impl Default for RetryPolicy {
    /// Ten tries within 21 hours.
    fn default() -> Self {
        Self { attempts: 10, first_wait: Duration::from_secs(30) }
    }
}

impl RetryPolicy {
    const FACTOR: f64 = 2.5;

    /// How long to wait after so many tries, in seconds: the usual time, a fifth more or less by `chance` (0 to 1), so that
    /// what failed together is not tried together. `None` after the last.
    pub(super) fn wait_seconds(&self, tries: u32, chance: f64) -> Option<f64> {
        let usual = self.first_wait.as_secs_f64() * Self::FACTOR.powi(tries.saturating_sub(1) as i32);
        (tries < self.attempts).then_some(usual * (0.8 + 0.4 * chance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tries_take_a_day() {
        let policy = RetryPolicy::default();
        let waits: Vec<f64> = (1..).map_while(|tries| policy.wait_seconds(tries, 0.5)).collect();
        assert_eq!(waits[..4], [30.0, 75.0, 187.5, 468.75]);
        assert_eq!(waits.len(), 9);
        assert_eq!((waits.iter().sum::<f64>() / 3600.0).round(), 21.0);
        assert_eq!((policy.wait_seconds(1, 0.0), policy.wait_seconds(1, 0.75)), (Some(24.0), Some(33.0)));
    }
}
