//! The URL of a webhook, checked.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use steplog_protocol::{ErrorDetail, ErrorKind};
use tokio::time::timeout;
use url::{Host, Url};

use super::PrivateHosts;

/// How long the name service may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a webhook leads.
#[derive(Clone, Debug)]
pub(super) struct Target {
    url: Url,
    /// As the name service and certificates know it, without brackets.
    pub(super) host: String,
}

/// Why there is no address to send to.
#[derive(Debug)]
pub(super) enum Unreachable {
    /// It is in the server's own network.
    Private(String),
    /// The name service does not know it, or does not answer.
    Unresolved(String),
}

impl Target {
    /// Reads a URL, as browsers do: `http://0x7f.1` is 127.0.0.1.
    pub(super) fn parse(text: &str) -> Result<Self, ErrorDetail> {
        let mut url = Url::parse(text.trim())
            .map_err(|error| invalid(format!("the webhook's URL is not understood: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("a webhook's URL begins with https:// or http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("a webhook's URL must have no user name and no password in it"));
        }
        url.set_fragment(None);
        let host = match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(invalid("the webhook's URL names no host")),
        };
        if host.starts_with("discord") && host.ends_with(".com") && !url.path().ends_with("/slack") {
            return Err(invalid("Discord takes messages of this form at the webhook's URL with /slack at its end"));
        }
        Ok(Self { url, host })
    }

    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Path and query, as a request names them.
    pub(super) fn path(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// The value of the `Host` header.
    pub(super) fn authority(&self) -> String {
        self.url.authority().to_owned()
    }

    /// The addresses to connect to. When any of them is not allowed none is: a name that leads here and there is a trick.
    pub(super) async fn addresses(&self, allowed: &PrivateHosts) -> Result<Vec<SocketAddr>, Unreachable> {
        let port = self.url.port_or_known_default().unwrap_or(443);
        let host = &self.host;
        let addresses: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(address) => vec![(address, port).into()],
            Err(_) => match timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host((host.as_str(), port))).await {
                Ok(Ok(addresses)) => addresses.collect(),
                Ok(Err(_)) => return Err(Unreachable::Unresolved(format!("there is no host {host}"))),
                Err(_) => return Err(Unreachable::Unresolved(format!("the name service did not answer for {host}"))),
            },
        };
        if addresses.is_empty() {
            return Err(Unreachable::Unresolved(format!("the host {host} has no address")));
        }
        if addresses.iter().any(|address| !allowed.allow(host, address.ip())) {
            return Err(Unreachable::Private(private(host)));
        }
        Ok(addresses)
    }
}

/// What is said of a host in the server's own network: not which address it has.
pub(super) fn private(host: &str) -> String {
    format!("{host} is in this server's own network, where webhooks are not sent")
}

pub(super) fn invalid(message: impl Into<String>) -> ErrorDetail {
    ErrorDetail { kind: ErrorKind::Invalid, message: message.into(), hint: None }
}

impl From<Unreachable> for ErrorDetail {
    fn from(unreachable: Unreachable) -> Self {
        match unreachable {
            Unreachable::Private(message) => Self {
                hint: Some("who runs the server can allow it: `steplog serve --allow-private-webhooks=HOST`".into()),
                ..invalid(message)
            },
            Unreachable::Unresolved(message) => invalid(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_urls_are_targets() {
        let refused = |url: &str| Target::parse(url).map(|target| target.host).map_err(|error| error.message);
        for (url, message) in [
            ("file:///etc/passwd", "a webhook's URL begins with https:// or http://"),
            ("gopher://example.org", "a webhook's URL begins with https:// or http://"),
            ("example.org/hook", "the webhook's URL is not understood: relative URL without a base"),
            ("https://", "the webhook's URL is not understood: empty host"),
            ("https://me:secret@example.org/", "a webhook's URL must have no user name and no password in it"),
            (
                "https://discord.com/api/webhooks/1/x",
                "Discord takes messages of this form at the webhook's URL with /slack at its end",
            ),
        ] {
            assert_eq!(refused(url), Err(message.to_owned()), "{url}");
        }
        let target = Target::parse(" https://EXAMPLE.org:8443/a b?c=d#e ").expect("a target");
        assert_eq!(
            (target.url(), &*target.path(), &*target.authority(), &*target.host),
            ("https://example.org:8443/a%20b?c=d", "/a%20b?c=d", "example.org:8443", "example.org")
        );
    }

    #[tokio::test]
    async fn every_spelling_of_a_private_address_is_refused() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://localhost/",
            "http://localhost./",
            "http://LOCALHOST/",
            "http://169.254.169.254/latest/meta-data",
            "http://0/",
            "http://0.0.0.0:7837/",
            "http://[::]/",
            "http://①②⑦.0.0.1/",
            "http://10.0.0.1/",
            "http://[fd00::1]/",
            "http://[64:ff9b::7f00:1]/",
        ] {
            let target = Target::parse(url).expect("a URL");
            let refusal = target.addresses(&PrivateHosts::default()).await.expect_err(url);
            assert!(
                matches!(&refusal, Unreachable::Private(message) if *message == private(&target.host)),
                "{url}: {refusal:?}"
            );
            assert!(target.addresses(&PrivateHosts::all()).await.is_ok(), "{url}");
        }
    }
}
