//! Where alerts are sent, and what became of them there.

use serde::{Deserialize, Serialize};

use crate::AlertLevel;

/// How an alert is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertChannelKind {
    /// A mail to one address, through the mail server that `steplog serve` was given.
    Email,
    /// A message that Slack, Mattermost and Discord (at `/slack` of its webhooks) take.
    Slack,
    /// A JSON object for any program, signed when the channel has a secret.
    Webhook,
}

impl AlertChannelKind {
    /// The word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Slack => "slack",
            Self::Webhook => "webhook",
        }
    }
}

/// A place that alerts of an entity, or of one of its projects, are sent to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertChannel {
    /// Unique on this server.
    pub id: i64,
    /// Whose alerts it takes.
    pub entity: String,
    /// The project whose alerts it takes; `null` for all of the entity.
    pub project: Option<String>,
    /// How they are sent.
    pub kind: AlertChannelKind,
    /// What people call it.
    pub name: String,
    /// The address of a mail, in full; of a webhook only its host and its last characters, for whoever knows the rest may
    /// post there.
    pub target: String,
    /// Whether messages are signed with a secret.
    pub signed: bool,
    /// Alerts below this level are not sent.
    pub level: AlertLevel,
    /// Whether alerts are sent.
    pub enabled: bool,
    /// When it was made, Unix seconds.
    pub created_at: f64,
    /// The account that made it; `null` on a server without accounts.
    pub created_by: Option<String>,
}

/// `GET /alert-channels/{entity}`: where an entity's alerts are sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertChannelList {
    /// Those of the whole entity first, then by project; oldest first.
    pub channels: Vec<AlertChannel>,
    /// The sender of mails; `null` when this server has no mail server.
    pub mail_from: Option<String>,
}

/// `POST /alert-channels/{entity}`: makes a channel; the answer is an [`AlertChannel`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateAlertChannelRequest {
    /// Only alerts of this project; `null` for all of the entity. The project need not have runs yet.
    #[serde(default)]
    pub project: Option<String>,
    /// How to send.
    pub kind: AlertChannelKind,
    /// What to call it: 1 to 64 characters.
    pub name: String,
    /// A mail address, or the http or https URL of a webhook.
    pub target: String,
    /// What to sign messages of a `webhook` with: 16 to 256 characters, or `whsec_` and base64. It is never answered.
    #[serde(default)]
    pub secret: Option<String>,
    /// Alerts below this level are not sent. Default `INFO`: all are.
    #[serde(default)]
    pub level: Option<AlertLevel>,
}

/// `PATCH /alert-channels/{entity}/{id}`: changes what is given; the answer is an [`AlertChannel`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct UpdateAlertChannelRequest {
    /// Another name.
    pub name: Option<String>,
    /// Another address or URL.
    pub target: Option<String>,
    /// Another secret; an empty text takes it away.
    pub secret: Option<String>,
    /// Another lowest level.
    pub level: Option<AlertLevel>,
    /// Whether alerts are sent. What waits when a channel is switched off is skipped.
    pub enabled: Option<bool>,
}

/// What became of an alert at one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertDelivery {
    /// Unique on this server.
    pub id: i64,
    /// The channel's id.
    pub channel: i64,
    /// The channel's name.
    pub channel_name: String,
    /// How it is sent.
    pub kind: AlertChannelKind,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, Unix seconds; there while `state` is `waiting`.
    pub next_attempt_at: Option<f64>,
    /// When it was last tried, Unix seconds.
    pub last_attempt_at: Option<f64>,
    /// When the receiver took it, Unix seconds.
    pub delivered_at: Option<f64>,
    /// Why the last try failed, or why it was skipped.
    pub error: Option<String>,
}

/// Where the delivery of an alert to a channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be tried at `next_attempt_at`.
    Waiting,
    /// On its way.
    Sending,
    /// The receiver took it.
    Sent,
    /// The receiver refused it for good, or it was tried often enough. Sent again only when a person asks.
    Failed,
    /// It went out and the answer was lost: it may have arrived. Sent again only when a person asks.
    Unknown,
    /// It was not to be sent; `error` says why.
    Skipped,
}

impl DeliveryState {
    /// The word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }
}

/// The answer of `POST /alert-channels/{entity}/{id}/test`: what became of a test message, which is tried once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertChannelTest {
    /// `sent`, `failed`, or `unknown` when it may have arrived.
    pub state: DeliveryState,
    /// Why not.
    pub error: Option<String>,
}
