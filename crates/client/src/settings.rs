//! Settings of a run: arguments before environment before stored credentials before defaults.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::console::ConsoleMode;
use crate::error::Error;
use crate::message::Verbosity;
use crate::source::{Sources, config_folder};

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
    /// As online, where several processes write one run, each with a label of its own.
    Shared,
    /// Nowhere.
    Disabled,
}

impl Mode {
    /// Whether the data goes to a server when there is one.
    pub fn is_online(self) -> bool {
        matches!(self, Self::Online | Self::Shared)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Shared => "shared",
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
            "shared" => Ok(Self::Shared),
            "disabled" => Ok(Self::Disabled),
            _ => Err(Error::invalid(format_args!(
                "mode {word:?} is none of \"online\", \"offline\", \"shared\", \"disabled\""
            ))),
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
    /// How long `init` waits for the server when it has to ask it something. Default: 10 s.
    pub init_timeout: Option<Duration>,
    /// Whether `finish` leaves the sending to a process in the background. Default: no.
    pub finish_detached: Option<bool>,
    /// Whether saved files are links in the run's folder, where that is possible, and not copies. Default: yes.
    pub symlink: Option<bool>,
    /// The command of that process; it gets the run's folder as one more argument. Default: `steplog sync --patient`.
    pub sender_command: Option<Vec<OsString>>,
    /// How much steplog says.
    pub verbosity: Option<Verbosity>,
    /// Whether a summary value set by hand stays when its key is logged afterwards. Default: yes.
    pub sticky_summary: Option<bool>,
    /// Whether what the machine is busy with is sampled. Default: yes.
    pub system_metrics: Option<bool>,
    /// Time between two samples, above zero; at least a tenth of a second is waited. Default: 10 s.
    pub system_interval: Option<Duration>,
    /// Whether `requirements.txt` is kept among the run's files. Default: yes.
    pub save_requirements: Option<bool>,
    /// Whether git is not asked for the commit that is run. Default: no.
    pub disable_git: Option<bool>,
    /// Whether no code is kept: neither changes since the commit nor the main script. Default: no.
    pub disable_code: Option<bool>,
    /// How what the process prints is caught.
    pub console: Option<ConsoleMode>,
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
    pub(crate) init_timeout: Duration,
    pub(crate) finish_detached: bool,
    pub(crate) symlink: bool,
    pub(crate) sender_command: Vec<OsString>,
    pub(crate) verbosity: Verbosity,
    pub(crate) sticky_summary: bool,
    /// `None`: nothing is sampled.
    pub(crate) system_interval: Option<Duration>,
    pub(crate) keeps_requirements: bool,
    pub(crate) looks_at_git: bool,
    pub(crate) keeps_code: bool,
    pub(crate) console: ConsoleMode,
}

/// Samples come no faster.
const SHORTEST_SYSTEM_INTERVAL: Duration = Duration::from_millis(100);

impl Settings {
    pub(crate) fn resolve(&self, sources: &Sources) -> Result<Resolved, Error> {
        let credentials = Credentials::load(&credentials_path());
        let named = self.base_url.clone().or_else(|| sources.get("BASE_URL")).or_else(|| credentials.default.clone());
        let server_configured = named.is_some();
        let base_url = normal_url(named.as_deref().unwrap_or(DEFAULT_URL))?;
        let stored = credentials.servers.get(&base_url);
        let api_key = self
            .api_key
            .clone()
            .or_else(|| sources.get("API_KEY"))
            .or_else(|| stored.map(|stored| stored.api_key.clone()));
        let seconds = |given: Option<Duration>, name: &str, default: u64| match (given, sources.get(name)) {
            (Some(timeout), _) => Ok(timeout),
            (None, Some(text)) => {
                let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                seconds
                    .ok_or_else(|| Error::invalid(format_args!("STEPLOG_{name} {text:?} is not a number of seconds")))
            }
            (None, None) => Ok(Duration::from_secs(default)),
        };
        let finish_timeout = seconds(self.finish_timeout, "FINISH_TIMEOUT", 60)?;
        let init_timeout = seconds(self.init_timeout, "INIT_TIMEOUT", 10)?;
        // As scripts of the field say it, too.
        let interval_name = ["X_STATS_SAMPLING_INTERVAL", "_STATS_SAMPLING_INTERVAL"]
            .into_iter()
            .find(|name| sources.get("SYSTEM_INTERVAL").is_none() && sources.get(name).is_some());
        let system_interval = seconds(self.system_interval, interval_name.unwrap_or("SYSTEM_INTERVAL"), 10)?;
        if system_interval.is_zero() {
            return Err(Error::invalid(
                "system_interval is 0, not a time between two samples; system_metrics turns them off",
            ));
        }
        let is_sampled = self.system_metrics.unwrap_or_else(|| {
            !sources.is_off("SYSTEM_METRICS")
                && !["X_DISABLE_STATS", "_DISABLE_STATS"].iter().any(|name| sources.is_set(name))
        });
        let disables_git = || sources.is_set("DISABLE_GIT") || sources.is_off("SAVE_GIT");
        let finish_detached = self.finish_detached.unwrap_or_else(|| sources.is_set("FINISH_DETACHED"));
        let verbosity = self.verbosity.unwrap_or_else(|| match () {
            () if sources.is_set("SILENT") => Verbosity::Silent,
            () if sources.is_set("QUIET") => Verbosity::Quiet,
            () => Verbosity::Normal,
        });
        let console = match (self.console, sources.get("CONSOLE")) {
            (Some(mode), _) => mode,
            (None, Some(word)) => word.parse()?,
            (None, None) => ConsoleMode::default(),
        };
        Ok(Resolved {
            base_url,
            server_configured,
            api_key,
            default_entity: stored.and_then(|stored| stored.entity.clone()),
            finish_timeout,
            init_timeout,
            finish_detached,
            symlink: self.symlink.unwrap_or_else(|| !sources.is_off("SYMLINK")),
            sender_command: self
                .sender_command
                .clone()
                .unwrap_or_else(|| ["steplog", "sync", "--patient"].map(OsString::from).to_vec()),
            verbosity,
            sticky_summary: self
                .sticky_summary
                .unwrap_or_else(|| sources.get("STICKY_SUMMARY").is_none() || sources.is_set("STICKY_SUMMARY")),
            system_interval: is_sampled.then(|| system_interval.max(SHORTEST_SYSTEM_INTERVAL)),
            keeps_requirements: self
                .save_requirements
                .unwrap_or_else(|| !sources.is_off("SAVE_REQUIREMENTS") && !sources.is_off("X_SAVE_REQUIREMENTS")),
            looks_at_git: !self.disable_git.unwrap_or_else(disables_git),
            keeps_code: !self.disable_code.unwrap_or_else(|| sources.is_set("DISABLE_CODE")),
            console,
        })
    }
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
    config_folder().join("credentials.json")
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
    fn what_is_recorded_without_being_asked_can_be_turned_off() {
        let resolve = |settings: &Settings| settings.resolve(&Sources::default());
        let found = resolve(&Settings::default()).unwrap();
        let expected = (Some(Duration::from_secs(10)), true, true);
        assert_eq!((found.system_interval, found.looks_at_git, found.keeps_code), expected);
        let off = Settings {
            system_metrics: Some(false),
            disable_git: Some(true),
            disable_code: Some(true),
            ..Settings::default()
        };
        let found = resolve(&off).unwrap();
        assert_eq!((found.system_interval, found.looks_at_git, found.keeps_code), (None, false, false));
        let interval = |time: Duration| resolve(&Settings { system_interval: Some(time), ..Settings::default() });
        assert_eq!(interval(Duration::from_millis(1)).unwrap().system_interval, Some(SHORTEST_SYSTEM_INTERVAL));
        let refused = interval(Duration::ZERO).unwrap_err().to_string();
        assert_eq!(refused, "system_interval is 0, not a time between two samples; system_metrics turns them off");
    }

    #[test]
    fn modes_have_their_old_names_too() {
        assert_eq!("dryrun".parse::<Mode>().unwrap(), Mode::Offline);
        assert_eq!(
            "live".parse::<Mode>().unwrap_err().to_string(),
            r#"mode "live" is none of "online", "offline", "shared", "disabled""#
        );
    }
}
