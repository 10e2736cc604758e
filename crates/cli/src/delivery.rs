//! The options of `steplog serve` that say how alerts are sent.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use steplog_server::{DeliveryOptions, MailServer, PrivateHosts, RetryPolicy};

use crate::failure::Refusal;
use crate::server::normal_url;

/// How alerts are sent.
#[derive(clap::Args)]
#[command(next_help_heading = "Sending of alerts")]
pub(crate) struct Delivery {
    /// Where people reach this server, for links in messages; default: the address that it listens on
    #[arg(long, value_name = "URL", env = "STEPLOG_PUBLIC_URL")]
    public_url: Option<String>,
    /// Mail server: smtps://USER:PASSWORD@HOST, or smtp:// with STARTTLS (?tls=required or ?tls=none); rather in the
    /// environment, where nobody sees the password
    #[arg(long, value_name = "URL", env = "STEPLOG_SMTP_URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// Sender of mails, such as "steplog <alerts@example.org>"; default: the mail server's user
    #[arg(long, value_name = "ADDRESS", env = "STEPLOG_SMTP_FROM", requires = "smtp_url")]
    smtp_from: Option<String>,
    /// Let webhooks lead into this server's own network: to these hosts, addresses and networks, or anywhere
    #[arg(
        long,
        value_name = "HOST,…",
        env = "STEPLOG_ALLOW_PRIVATE_WEBHOOKS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "*"
    )]
    allow_private_webhooks: Option<PrivateHosts>,
    /// How long after the first failure an alert is tried again; each later wait is 2.5 times as long, ten tries in all
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
    alert_retry_seconds: f64,
}

impl Delivery {
    /// The options for a server that listens on `address`.
    pub(crate) fn options(&self, address: SocketAddr) -> Result<DeliveryOptions> {
        let public_url = match &self.public_url {
            Some(url) => normal_url(url)?,
            None => format!("http://{}", reachable(address)),
        };
        let mail = self.smtp_url.as_deref().map(|url| MailServer::new(url, self.smtp_from.as_deref()));
        Ok(DeliveryOptions {
            public_url,
            mail: mail.transpose().map_err(Refusal::new)?,
            private_hosts: self.allow_private_webhooks.clone().unwrap_or_default(),
            retry: RetryPolicy {
                first_wait: Duration::from_secs_f64(self.alert_retry_seconds),
                ..RetryPolicy::default()
            },
            ..DeliveryOptions::default()
        })
    }
}

/// A server that listens everywhere is reached at its machine's name.
fn reachable(address: SocketAddr) -> String {
    #[cfg(unix)]
    if address.ip().is_unspecified() {
        return format!("{}:{}", rustix::system::uname().nodename().to_string_lossy(), address.port());
    }
    address.to_string()
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("it must be 0.01 to 3600 seconds".into()),
    }
}
