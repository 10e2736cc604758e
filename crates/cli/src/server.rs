//! Which server a command talks to, and with which key.

use anyhow::Result;
use steplog::{Credentials, DEFAULT_URL, credentials_path};

use crate::failure::Refusal;

/// `--server`, shared by the commands that talk to one.
#[derive(Default, clap::Args)]
pub(crate) struct ServerArgument {
    /// URL of the server; default: the one of `steplog login`, else http://127.0.0.1:7837
    #[arg(long, value_name = "URL", env = "STEPLOG_BASE_URL")]
    server: Option<String>,
}

/// A server and what it knows us by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) api_key: Option<String>,
    /// Whether somebody named it; else it is only the usual address.
    pub(crate) is_configured: bool,
}

impl ServerArgument {
    pub(crate) fn is_given(&self) -> bool {
        self.server.is_some()
    }

    /// The argument, else the server of `steplog login`, else the usual address on this machine.
    pub(crate) fn resolve(&self) -> Result<Server> {
        let credentials = Credentials::load(&credentials_path());
        let named = self.server.clone().or_else(|| credentials.default.clone());
        let is_configured = named.is_some();
        let url = normal_url(named.as_deref().unwrap_or(DEFAULT_URL))?;
        let environment = std::env::var("STEPLOG_API_KEY").ok().filter(|key| !key.is_empty());
        let api_key = environment.or_else(|| credentials.servers.get(&url).map(|stored| stored.api_key.clone()));
        Ok(Server { url, api_key, is_configured })
    }
}

/// A URL without a slash at its end, as credentials are stored by.
pub(crate) fn normal_url(url: &str) -> Result<String> {
    let url = url.trim().trim_end_matches('/');
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    if host.is_empty() || host.starts_with('/') || host.contains(char::is_whitespace) {
        let message = format!("the server URL {url:?} does not begin with http:// or https:// and a host");
        return Err(Refusal::new(message).into());
    }
    Ok(url.to_owned())
}
