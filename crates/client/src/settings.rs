//! Settings of a run: arguments before environment before stored credentials before defaults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::message::Verbosity;

/// Where a server is looked for when none is configured.
pub const DEFAULT_URL: &str = "http://127.0.0.1:7837";

/// Where the data of a run goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// To the journal, and from there to a server as soon as one answers.
    #[default]
    Online,
    /// To the journal only, until `steplog sync`.
    Offline,
    /// Nowhere.
    Disabled,
}

impl Mode {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Disabled => "disabled",
        }
    }
}

impl std::str::FromStr for Mode {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "online" | "run" => Ok(Self::Online),
            "offline" | "dryrun" => Ok(Self::Offline),
            "disabled" => Ok(Self::Disabled),
            _ => Err(Error::invalid(format_args!("mode {word:?} is none of \"online\", \"offline\", \"disabled\""))),
        }
    }
}

/// What can be set about the client itself; `None` means: look further.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// URL of the server.
    pub base_url: Option<String>,
    /// API key for it.
    pub api_key: Option<String>,
    /// How long `finish` waits for the server at most. Default: 60 s.
    pub finish_timeout: Option<Duration>,
    /// How much steplog says.
    pub verbosity: Option<Verbosity>,
    /// Whether a summary value set by hand stays when its key is logged afterwards. Default: yes.
    pub sticky_summary: Option<bool>,
}

/// Settings with every question answered.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) base_url: String,
    /// Whether somebody named the server, so that its absence is worth a warning.
    pub(crate) server_configured: bool,
    pub(crate) api_key: Option<String>,
    /// Entity of the stored credentials.
    pub(crate) default_entity: Option<String>,
    pub(crate) finish_timeout: Duration,
    pub(crate) verbosity: Verbosity,
    pub(crate) sticky_summary: bool,
}

impl Settings {
    pub(crate) fn resolve(&self) -> Result<Resolved, Error> {
        let credentials = Credentials::load(&credentials_path());
        let named = self.base_url.clone().or_else(|| environment("BASE_URL")).or_else(|| credentials.default.clone());
        let server_configured = named.is_some();
        let base_url = normal_url(named.as_deref().unwrap_or(DEFAULT_URL))?;
        let stored = credentials.servers.get(&base_url);
        let api_key = self
            .api_key
            .clone()
            .or_else(|| environment("API_KEY"))
            .or_else(|| stored.map(|stored| stored.api_key.clone()));
        let finish_timeout = match (self.finish_timeout, environment("FINISH_TIMEOUT")) {
            (Some(timeout), _) => timeout,
            (None, Some(seconds)) => {
                seconds.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or_else(|| {
                    Error::invalid(format_args!("STEPLOG_FINISH_TIMEOUT {seconds:?} is not a number of seconds"))
                })?
            }
            (None, None) => Duration::from_secs(60),
        };
        let is_on = |name| environment(name).map(|value| matches!(&*value.to_lowercase(), "1" | "true" | "yes" | "on"));
        let verbosity = self.verbosity.unwrap_or_else(|| match () {
            () if is_on("SILENT") == Some(true) => Verbosity::Silent,
            () if is_on("QUIET") == Some(true) => Verbosity::Quiet,
            () => Verbosity::Normal,
        });
        Ok(Resolved {
            base_url,
            server_configured,
            api_key,
            default_entity: stored.and_then(|stored| stored.entity.clone()),
            finish_timeout,
            verbosity,
            sticky_summary: self.sticky_summary.unwrap_or_else(|| is_on("STICKY_SUMMARY").unwrap_or(true)),
        })
    }
}

/// A variable as `STEPLOG_name`, else as `WANDB_name`, so that job scripts need no change. Empty counts as unset, and the
/// other product's own servers are not ours.
pub(crate) fn environment(name: &str) -> Option<String> {
    ["STEPLOG_", "WANDB_"].iter().find_map(|prefix| {
        let value = std::env::var(format!("{prefix}{name}")).ok().filter(|value| !value.is_empty())?;
        let foreign = *prefix == "WANDB_" && name == "BASE_URL" && value.contains("wandb.ai");
        (!foreign).then_some(value)
    })
}

fn normal_url(url: &str) -> Result<String, Error> {
    let url = url.trim().trim_end_matches('/');
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(Error::invalid(format_args!(
            "server URL {url:?} does not begin with http:// or https:// and a host"
        )));
    }
    Ok(url.to_owned())
}

/// API keys by server, as `steplog login` stores them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// By URL.
    #[serde(default)]
    pub servers: BTreeMap<String, ServerCredentials>,
    /// URL of the server to use when none is named.
    #[serde(default)]
    pub default: Option<String>,
}

/// The key for one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerCredentials {
    /// API key.
    pub api_key: String,
    /// The entity that runs belong to when none is named.
    #[serde(default)]
    pub entity: Option<String>,
}

impl Credentials {
    /// Reads the file; a missing or unreadable one holds nothing.
    pub fn load(path: &Path) -> Self {
        std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }
}

/// `$XDG_CONFIG_HOME/steplog/credentials.json`, or below `~/.config`.
pub fn credentials_path() -> PathBuf {
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from);
    config
        .or_else(|| home().map(|home| home.join(".config")))
        .unwrap_or_default()
        .join("steplog")
        .join("credentials.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_and_cut() {
        assert_eq!(normal_url("http://host:1/").unwrap(), "http://host:1");
        for url in ["", "host:1", "ftp://host", "http://", "http://a b"] {
            assert!(normal_url(url).is_err(), "{url:?}");
        }
    }

    #[test]
    fn modes_have_their_old_names_too() {
        assert_eq!("dryrun".parse::<Mode>().unwrap(), Mode::Offline);
        assert_eq!(
            "live".parse::<Mode>().unwrap_err().to_string(),
            r#"mode "live" is none of "online", "offline", "disabled""#
        );
    }
}
