//! `steplog login` and `steplog logout`: keys for servers, kept in a file that only its owner reads.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use steplog::{Credentials, ServerCredentials, credentials_path};
use steplog_protocol::{CreateApiKeyRequest, CreatedApiKey};

use crate::api::Api;
use crate::failure::{Outcome, Refusal};
use crate::password;
use crate::server::{Server, ServerArgument, normal_url};

const EXAMPLES: &str = "\
Examples:
  steplog login http://tracker:7837               asks for name and password, makes an API key and keeps it
  echo \"$KEY\" | steplog login http://tracker:7837 --key -
                                                  keeps a key that was made in the browser (Settings)

The key goes to $XDG_CONFIG_HOME/steplog/credentials.json, readable by you alone; scripts find it there. The server
becomes the one that commands and scripts use unless told otherwise. STEPLOG_API_KEY goes before the file.";

/// Log in to a server: scripts and commands use it from then on
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Login {
    /// URL of the server; default: the one of the last login, else http://127.0.0.1:7837
    url: Option<String>,
    /// Account; asked for when absent
    #[arg(long)]
    name: Option<String>,
    /// Keep this API key instead of making one; `-` reads it from standard input
    #[arg(long, value_name = "KEY", conflicts_with = "name")]
    key: Option<String>,
}

/// Forget a server's API key, and revoke it there
#[derive(clap::Args)]
pub(crate) struct Logout {
    /// URL of the server; default: the one of the last login
    url: Option<String>,
}

impl Login {
    pub(crate) fn run(self) -> Result<Outcome> {
        let url = url_or_default(self.url.as_deref())?;
        let session = Api::new(&Server { url: url.clone(), api_key: None, is_configured: true }).session()?;
        if !session.login_required {
            keep(&url, None)?;
            println!("{url} needs no login; commands and scripts use it from now on");
            return Ok(Outcome::Good);
        }
        warn_of_plain_http(&url);
        let api_key = match &self.key {
            Some(key) if key == "-" => password::read_line()?.trim().to_owned(),
            Some(key) => key.clone(),
            None => make_key(&url, self.name)?,
        };
        let server = Server { url: url.clone(), api_key: Some(api_key.clone()), is_configured: true };
        let user = Api::new(&server).session()?.user;
        let user = user.ok_or_else(|| Refusal::new(format!("{url} does not know the key")))?;
        keep(&url, Some(ServerCredentials { api_key, entity: Some(user.name.clone()) }))?;
        println!("logged in to {url} as {}", user.name);
        Ok(Outcome::Good)
    }
}

impl Logout {
    pub(crate) fn run(self) -> Result<Outcome> {
        let url = url_or_default(self.url.as_deref())?;
        let mut credentials = Credentials::load(&credentials_path());
        let stored = credentials.servers.remove(&url);
        if credentials.default.as_deref() == Some(&url) {
            credentials.default = None;
        } else if stored.is_none() {
            return Err(Refusal::new(format!("nobody is logged in to {url}")).into());
        }
        save(&credentials, &credentials_path())?;
        println!("logged out of {url}");
        if let Some(ServerCredentials { api_key, .. }) = stored {
            let id: String = api_key.trim_start_matches("steplog-").chars().take(8).collect();
            let server = Server { url, api_key: Some(api_key), is_configured: true };
            if let Err(error) = Api::new(&server).delete(&format!("/api-keys/{id}")) {
                eprintln!("warning: the key {id}… could not be revoked there: {error:#}");
            }
        }
        Ok(Outcome::Good)
    }
}

/// Logs in with a password, makes a key, and logs out again.
fn make_key(url: &str, name: Option<String>) -> Result<String> {
    let name = match name {
        Some(name) => name,
        None => password::ask_text("name")?,
    };
    let api = Api::log_in(url, &name, &password::ask(&name)?)?;
    let label = format!("steplog login{}", host_name().map_or(String::new(), |host| format!(" on {host}")));
    let label = label.chars().take(64).collect();
    let created: CreatedApiKey = api.post("/api-keys", &CreateApiKeyRequest { label })?;
    // The session ends by itself too.
    let _ = api.delete("/session");
    Ok(created.secret)
}

fn url_or_default(url: Option<&str>) -> Result<String> {
    match url {
        Some(url) => normal_url(url),
        None => Ok(ServerArgument::default().resolve()?.url),
    }
}

/// A password or key that crosses the network unencrypted is worth a word.
fn warn_of_plain_http(url: &str) {
    let host = url.strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or_default());
    let is_local = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
        name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    if host.is_some_and(|host| !is_local(host)) {
        eprintln!("warning: {url} is not encrypted: others on the network can read the password");
    }
}

fn host_name() -> Option<String> {
    let name = fs::read_to_string("/etc/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok())?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn keep(url: &str, credentials: Option<ServerCredentials>) -> Result<()> {
    let path = credentials_path();
    let mut all = Credentials::load(&path);
    all.default = Some(url.to_owned());
    match credentials {
        Some(credentials) => all.servers.insert(url.to_owned(), credentials),
        None => all.servers.remove(url),
    };
    save(&all, &path)
}

/// Writes a new file and renames it, so that no moment shows half a file or one that others can read.
fn save(credentials: &Credentials, path: &Path) -> Result<()> {
    let unwritable = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(unwritable)?;
    }
    let part = path.with_extension(format!("{}.part", std::process::id()));
    // A file left by a killed process might be readable by others.
    let _ = fs::remove_file(&part);
    let text = serde_json::to_string_pretty(credentials)? + "\n";
    let written = create_private(&part).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, path)
    });
    written.with_context(unwritable)
}

fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(path)
}
