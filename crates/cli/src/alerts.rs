//! `steplog alerts`: where alerts are sent.

use std::io::{self, IsTerminal as _};

use anyhow::Result;
use steplog_protocol::{
    AlertChannel, AlertChannelKind, AlertChannelList, AlertChannelTest, AlertLevel, CreateAlertChannelRequest,
    DeliveryState,
};

use crate::api::Api;
use crate::failure::{Outcome, Refusal};
use crate::password;
use crate::server::ServerArgument;
use crate::table::{self, Cell};

const EXAMPLES: &str = "\
Examples:
  steplog alerts add email team@example.org                   all alerts of all my projects
  steplog alerts add slack https://hooks.slack.com/services/… --project digits --level warn
  echo \"$URL\" | steplog alerts add webhook -                  the URL from standard input: it is a secret
  steplog alerts list
  steplog alerts test 3
  steplog alerts remove 3";

/// Choose where alerts are sent: add, list, test, remove
#[derive(clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Alerts {
    /// Send alerts to a mail address, a chat or a program from now on
    Add(Add),
    /// List where alerts are sent
    List {
        /// Write a JSON list instead of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        owner: Owner,
    },
    /// Send a test message and say what became of it
    Test {
        /// Number of the channel, as `steplog alerts list` shows it
        id: i64,
        #[command(flatten)]
        owner: Owner,
    },
    /// Send no more alerts there
    Remove {
        /// Number of the channel, as `steplog alerts list` shows it
        id: i64,
        #[command(flatten)]
        owner: Owner,
    },
}

#[derive(clap::Args)]
pub(crate) struct Add {
    /// How to send: email; slack, also for Mattermost and Discord; webhook, JSON for any program
    #[arg(value_parser = kind)]
    kind: AlertChannelKind,
    /// Mail address, or URL of the webhook; `-` reads it from standard input
    target: String,
    /// What to call it; default: the address or the host
    #[arg(long)]
    name: Option<String>,
    /// Only alerts of this project
    #[arg(long)]
    project: Option<String>,
    /// Only alerts of this level and above: info, warn or error
    #[arg(long, default_value = "info", value_parser = level)]
    level: AlertLevel,
    /// Sign the messages of a webhook with the secret in STEPLOG_WEBHOOK_SECRET, or ask for one
    #[arg(long)]
    sign: bool,
    #[command(flatten)]
    owner: Owner,
}

/// Whose alerts.
#[derive(clap::Args)]
pub(crate) struct Owner {
    /// User or team whose alerts are meant; default: the account that is logged in
    #[arg(long)]
    entity: Option<String>,
    #[command(flatten)]
    server: ServerArgument,
}

impl Owner {
    /// The server, and the path of the entity's channels.
    fn open(&self) -> Result<(Api, String)> {
        let api = Api::new(&self.server.resolve()?);
        let entity = match &self.entity {
            Some(entity) => entity.clone(),
            None => api.session()?.default_entity,
        };
        // A name goes into the path as it is.
        if entity.is_empty() || !entity.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) {
            return Err(Refusal::new(format!("there is no entity {entity:?}")).into());
        }
        Ok((api, format!("/alert-channels/{entity}")))
    }
}

impl Alerts {
    pub(crate) fn run(self) -> Result<Outcome> {
        match self {
            Self::Add(add) => add.run(),
            Self::List { json, owner } => list(json, &owner),
            Self::Test { id, owner } => {
                let (api, path) = owner.open()?;
                test(&api, &format!("{path}/{id}/test"))
            }
            Self::Remove { id, owner } => {
                let (api, path) = owner.open()?;
                api.delete(&format!("{path}/{id}"))?;
                println!("no more alerts are sent to channel {id}");
                Ok(Outcome::Good)
            }
        }
    }
}

impl Add {
    fn run(self) -> Result<Outcome> {
        let (api, path) = self.owner.open()?;
        let target = match &*self.target {
            "-" => io::read_to_string(io::stdin())?.trim().to_owned(),
            target => target.to_owned(),
        };
        let secret = match (self.sign, std::env::var("STEPLOG_WEBHOOK_SECRET")) {
            (false, _) => None,
            (true, Ok(secret)) => Some(secret),
            (true, Err(_)) if io::stdin().is_terminal() => Some(password::ask_text("secret")?),
            (true, Err(_)) => {
                return Err(Refusal::new("there is no secret to sign with").hint("set STEPLOG_WEBHOOK_SECRET").into());
            }
        };
        let request = CreateAlertChannelRequest {
            project: self.project,
            kind: self.kind,
            name: self.name.unwrap_or_else(|| usual_name(self.kind, &target)),
            target,
            secret,
            level: Some(self.level),
        };
        let channel: AlertChannel = api.post(&path, &request)?;
        println!("made channel {}: {}", channel.id, channel.target);
        println!("try it with `steplog alerts test {}`", channel.id);
        Ok(Outcome::Good)
    }
}

/// An address, or the host of a URL: the rest is nobody's business.
fn usual_name(kind: AlertChannelKind, target: &str) -> String {
    let name = match kind {
        AlertChannelKind::Email => target,
        _ => {
            let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            authority.rsplit('@').next().unwrap_or_default()
        }
    };
    name.chars().take(64).collect()
}

fn list(json: bool, owner: &Owner) -> Result<Outcome> {
    let (api, path) = owner.open()?;
    let AlertChannelList { channels, .. } = api.get(&path)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&channels)?);
        return Ok(Outcome::Good);
    }
    if channels.is_empty() {
        println!("alerts are not sent anywhere; `steplog alerts add --help` shows how");
        return Ok(Outcome::Good);
    }
    let row = |channel: &AlertChannel| {
        vec![
            Cell::new(channel.id.to_string()),
            Cell::new(channel.kind.as_str()),
            Cell::new(&channel.name),
            Cell::new(&channel.target),
            Cell::new(channel.project.as_deref().unwrap_or("all")),
            Cell::new(channel.level.as_str().to_lowercase()),
            if channel.enabled { Cell::new("on").colour(32) } else { Cell::new("off").colour(33) },
        ]
    };
    let rows: Vec<_> = channels.iter().map(row).collect();
    print!("{}", table::render(&["ID", "KIND", "NAME", "TO", "PROJECT", "FROM LEVEL", "STATE"], &rows));
    Ok(Outcome::Good)
}

fn test(api: &Api, path: &str) -> Result<Outcome> {
    let AlertChannelTest { state, error } = api.post(path, &serde_json::json!({}))?;
    let error = error.unwrap_or_default();
    match state {
        DeliveryState::Sent => {
            println!("the receiver took the test message");
            Ok(Outcome::Good)
        }
        DeliveryState::Unknown => {
            println!("the test message may have arrived: {error}");
            Ok(Outcome::Incomplete)
        }
        _ => Err(Refusal::new(format!("the test message was not sent: {error}")).into()),
    }
}

fn kind(text: &str) -> Result<AlertChannelKind, String> {
    let kinds = [AlertChannelKind::Email, AlertChannelKind::Slack, AlertChannelKind::Webhook];
    kinds.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| "it must be email, slack or webhook".into())
}

fn level(text: &str) -> Result<AlertLevel, String> {
    let levels = [AlertLevel::Info, AlertLevel::Warn, AlertLevel::Error];
    let found = levels.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| "it must be info, warn or error".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_name_tells_no_secret() {
        let url = "https://hooks.slack.com/services/T0/B0/secret";
        assert_eq!(usual_name(AlertChannelKind::Slack, url), "hooks.slack.com");
        assert_eq!(usual_name(AlertChannelKind::Webhook, "https://u:p@x.example:8443?t=secret"), "x.example:8443");
        assert_eq!(usual_name(AlertChannelKind::Email, "team@example.org"), "team@example.org");
    }
}
