//! Sends a message to a receiver, once.

use steplog_protocol::{AlertChannelKind, ErrorDetail};
use steplog_store::{Message, Receiver};
use tokio::time::timeout;

use super::attempt::{Attempt, Trouble};
use super::signature::check_secret;
use super::target::{Target, invalid};
use super::webhook::{Post, post};
use super::{DeliveryOptions, mail, payload};

/// Sends messages as the server's options say.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    pub(super) options: DeliveryOptions,
}

impl Sender {
    pub(crate) fn new(options: DeliveryOptions) -> Self {
        Self { options }
    }

    /// The sender of mails.
    pub(crate) fn mail_from(&self) -> Option<String> {
        self.options.mail.as_ref().map(|server| server.from())
    }

    /// Checks what a channel is to send to, and answers it as it is to be kept.
    ///
    /// # Errors
    /// Nothing could be sent there; the message says why.
    pub(crate) async fn check_target(&self, kind: AlertChannelKind, target: &str) -> Result<String, ErrorDetail> {
        match kind {
            AlertChannelKind::Email if self.options.mail.is_none() => Err(ErrorDetail {
                hint: Some("who runs the server can give it one: `steplog serve --smtp-url URL`".into()),
                ..invalid("this server has no mail server to send with")
            }),
            AlertChannelKind::Email => mail::check_address(target),
            AlertChannelKind::Slack | AlertChannelKind::Webhook => {
                let target = Target::parse(target)?;
                target.addresses(&self.options.private_hosts).await?;
                Ok(target.url().to_owned())
            }
        }
    }

    /// Checks what a channel is to sign with.
    ///
    /// # Errors
    /// It is no good secret, or the kind is not signed.
    pub(crate) fn check_secret(&self, kind: AlertChannelKind, secret: &str) -> Result<(), ErrorDetail> {
        match kind {
            AlertChannelKind::Webhook => check_secret(secret),
            _ => Err(invalid("only messages of the kind `webhook` are signed")),
        }
    }

    /// Sends a test message, which is tried once.
    pub(crate) async fn test(&self, receiver: &Receiver, message: &Message) -> Result<(), Trouble> {
        self.send(receiver, message, &Attempt::test()).await
    }

    /// Sends a message, within the time that a try may take.
    pub(super) async fn send(&self, receiver: &Receiver, message: &Message, attempt: &Attempt) -> Result<(), Trouble> {
        match timeout(self.options.attempt_timeout, self.send_at_leisure(receiver, message, attempt)).await {
            Ok(result) => result,
            Err(_) => Err(attempt.cut_off("time was over")),
        }
    }

    async fn send_at_leisure(&self, receiver: &Receiver, message: &Message, attempt: &Attempt) -> Result<(), Trouble> {
        let url = &self.options.public_url;
        let body = match (receiver.kind, &self.options.mail) {
            (AlertChannelKind::Email, Some(server)) => {
                return server.send(&receiver.target, message, url, attempt).await;
            }
            (AlertChannelKind::Email, None) => {
                return Err(Trouble::passing("this server has no mail server to send with"));
            }
            (AlertChannelKind::Slack, _) => payload::slack(url, message),
            (AlertChannelKind::Webhook, _) => payload::webhook(url, message),
        };
        let target = Target::parse(&receiver.target).map_err(|error| Trouble::lasting(error.message))?;
        let (body, secret) = (body.to_string().into_bytes(), receiver.secret.as_deref());
        post(Post { target: &target, id: &message.id, body, secret }, &self.options.private_hosts, attempt).await
    }
}
