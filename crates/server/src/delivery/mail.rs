//! One mail through the server's mail server.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message as Letter};
use steplog_protocol::ErrorDetail;
use steplog_store::Message;
use url::Url;

use super::attempt::{Attempt, Trouble};
use super::payload;
use super::target::invalid;

/// How long the server may take to answer a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest answer of the mail server that is shown, in characters.
const MAX_ANSWER_CHARACTERS: usize = 200;

/// The mail server that alerts go out through, and who they are from.
#[derive(Clone)]
pub struct MailServer {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    from: Mailbox,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    /// From the first byte.
    Whole,
    /// After `STARTTLS`, which must be offered.
    Required,
    /// After `STARTTLS` where it is offered.
    Offered,
    None,
}

impl MailServer {
    /// A mail server by its URL: `smtps://user:password@host:465` is encrypted from the first byte, `smtp://host:587` after
    /// `STARTTLS`: always when there is a password or `?tls=required`, else where it is offered; with `?tls=none` never.
    /// `from` is the sender, `alerts@example.org` or `steplog <alerts@example.org>`; by default the user, where that is an
    /// address.
    ///
    /// # Errors
    /// The URL or the sender is not understood. The message does not tell the password.
    pub fn new(url: &str, from: Option<&str>) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("the URL of the mail server is not understood: {error}"))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("the URL of the mail server names no host")?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let credentials = match (decoded(url.username())?, url.password()) {
            (user, Some(password)) => Some(Credentials::new(user, decoded(password)?)),
            (user, None) if user.is_empty() => None,
            _ => return Err("the URL of the mail server has a user and no password".into()),
        };
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let (encryption, usual_port) = match (url.scheme(), tls.as_deref()) {
            ("smtps", None) => (Encryption::Whole, 465),
            ("smtp", Some("required")) => (Encryption::Required, 587),
            ("smtp", Some("none")) => (Encryption::None, 25),
            ("smtp", None) if credentials.is_some() => (Encryption::Required, 587),
            ("smtp", None) => (Encryption::Offered, 25),
            _ => {
                return Err(
                    "the URL of the mail server must be smtps://…, smtp://…, or smtp://… with ?tls=required or \
                            ?tls=none"
                        .into(),
                );
            }
        };
        let user = decoded(url.username())?;
        let from = match from {
            Some(from) => Mailbox::from_str(from).map_err(|_| format!("the sender {from:?} is not a mail address"))?,
            None => user
                .parse::<Address>()
                .map(|address| Mailbox::new(Some("steplog".into()), address))
                .map_err(|_| "mails need a sender: give one with --smtp-from or STEPLOG_SMTP_FROM")?,
        };
        Ok(Self { host, port: url.port().unwrap_or(usual_port), encryption, credentials, from })
    }

    /// The sender's address.
    pub fn from(&self) -> String {
        self.from.email.to_string()
    }

    pub(super) async fn send(
        &self,
        to: &str,
        message: &Message,
        public_url: &str,
        attempt: &Attempt,
    ) -> Result<(), Trouble> {
        let to: Address = to.parse().map_err(|_| Trouble::lasting("the address of the channel is not one"))?;
        let letter =
            self.letter(to.clone(), message, public_url).map_err(|error| Trouble::lasting(error.to_string()))?;
        let mut connection = self.connect().await?;
        let sent = self.hand_over(&mut connection, to, &letter, attempt).await;
        // The mail is taken or not; what the server says to the farewell changes nothing.
        let _ = tokio::time::timeout(Duration::from_secs(1), connection.abort()).await;
        sent
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        to: Address,
        letter: &Letter,
        attempt: &Attempt,
    ) -> Result<(), Trouble> {
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(|error| self.refusal(&error))?;
        }
        let refused = |error| self.refusal(&error);
        connection.command(Mail::new(Some(self.from.email.clone()), vec![])).await.map_err(refused)?;
        connection.command(Rcpt::new(to, vec![])).await.map_err(refused)?;
        connection.command(Data).await.map_err(refused)?;
        attempt.begin().await?;
        attempt.is_whole();
        match connection.message(&letter.formatted()).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_transient() || error.is_permanent() => Err(self.refusal(&error)),
            Err(_) => Err(attempt.cut_off("the connection to the mail server broke")),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let hello = ClientId::Domain(host_name());
        let tls = match self.encryption {
            Encryption::Whole => Some(self.tls()?),
            _ => None,
        };
        let address = (self.host.as_str(), self.port);
        let connect = AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT_TIMEOUT), &hello, tls, None);
        let mut connection = connect.await.map_err(|error| self.refusal(&error))?;
        let starts = match self.encryption {
            Encryption::Required if !connection.can_starttls() => {
                let message = format!("the mail server {} offers no encryption, which is required", self.host);
                return Err(Trouble::passing(message));
            }
            Encryption::Required => true,
            Encryption::Offered => connection.can_starttls(),
            Encryption::Whole | Encryption::None => false,
        };
        if starts {
            connection.starttls(self.tls()?, &hello).await.map_err(|error| self.refusal(&error))?;
        }
        Ok(connection)
    }

    fn tls(&self) -> Result<TlsParameters, Trouble> {
        let build = |store| TlsParameters::builder(self.host.clone()).certificate_store(store).build_rustls();
        build(CertificateStore::Default).map_err(|error| Trouble::passing(format!("no secure connection: {error}")))
    }

    /// What it means that the server refused before it had the mail: 5xx is for good.
    fn refusal(&self, error: &lettre::transport::smtp::Error) -> Trouble {
        let said = match error.status() {
            Some(_) => format!("the mail server {} answered: {}", self.host, printable(&error.to_string())),
            None => format!("the mail server {} cannot be reached: {}", self.host, printable(&error.to_string())),
        };
        if error.is_permanent() { Trouble::lasting(said) } else { Trouble::passing(said) }
    }

    fn letter(&self, to: Address, message: &Message, public_url: &str) -> Result<Letter, lettre::error::Error> {
        let builder = Letter::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(payload::subject(message))
            .message_id(Some(format!("<{}@{}>", message.id, self.from.email.domain())))
            // Nobody's holiday note answers a machine.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()));
        builder.multipart(MultiPart::alternative_plain_html(
            payload::plain_mail(public_url, message),
            payload::html_mail(public_url, message),
        ))
    }
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailServer({}:{})", self.host, self.port)
    }
}

/// Checks the address of a channel: one address, with no name.
///
/// # Errors
/// It is none.
pub(super) fn check_address(address: &str) -> Result<String, ErrorDetail> {
    match address.trim().parse::<Address>() {
        Ok(address) if address.to_string().is_ascii() => Ok(address.to_string()),
        _ => Err(invalid("a mail channel needs one address, such as team@example.org")),
    }
}

fn decoded(part: &str) -> Result<String, String> {
    let decoded = percent_encoding::percent_decode_str(part).decode_utf8();
    decoded.map(Into::into).map_err(|_| "the user or password in the mail server's URL is not UTF-8".into())
}

fn printable(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(MAX_ANSWER_CHARACTERS).collect::<String>().trim().to_owned()
}

/// The name of this machine, as mail servers are greeted with.
fn host_name() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    if !name.is_empty() && is_name(&name) { name } else { "localhost".into() }
}

#[cfg(test)]
mod tests {
    use steplog_protocol::AlertLevel;

    use super::*;

    #[test]
    fn a_mail_server_is_a_url() {
        let server = |url: &str, from| MailServer::new(url, from).map(|it| (it.host.clone(), it.port, it.encryption));
        let from = Some("steplog <a@b.example>");
        for (url, port, encryption) in [
            ("smtps://me%40b.example:p%2Fw@mail.example", 465, Encryption::Whole),
            ("smtp://me:pw@mail.example", 587, Encryption::Required),
            ("smtp://mail.example", 25, Encryption::Offered),
            ("smtp://mail.example:2525?tls=none", 2525, Encryption::None),
            ("smtp://mail.example?tls=required", 587, Encryption::Required),
        ] {
            assert_eq!(server(url, from), Ok(("mail.example".into(), port, encryption)), "{url}");
        }
        let sender = MailServer::new("smtps://me%40b.example:pw@mail.example", None).expect("a server");
        assert_eq!(
            (sender.from(), format!("{sender:?}")),
            ("me@b.example".into(), "MailServer(mail.example:465)".into())
        );
        for (url, from, message) in [
            ("smtp://mail.example", None, "mails need a sender: give one with --smtp-from or STEPLOG_SMTP_FROM"),
            ("smtp://me:hunter2@mail.example", Some("nobody"), "the sender \"nobody\" is not a mail address"),
            ("smtp://me@mail.example", from, "the URL of the mail server has a user and no password"),
            (
                "https://mail.example",
                from,
                "the URL of the mail server must be smtps://…, smtp://…, or smtp://… with ?tls=required or ?tls=none",
            ),
        ] {
            assert_eq!(server(url, from), Err(message.to_owned()), "{url}");
        }
    }

    #[test]
    fn no_header_can_be_put_into_a_mail() {
        let server = MailServer::new("smtp://mail.example", Some("a@b.example")).expect("a server");
        let message = Message {
            id: "0123".into(),
            alert: Some(1),
            time: 0.0,
            level: AlertLevel::Warn,
            title: "x\r\nBcc: eve@example.org".into(),
            text: "first\r\n.\r\nRCPT TO:<eve@example.org>".into(),
            entity: "ada".into(),
            project: Some("digits".into()),
            run: Some(("r".into(), "ü\nSubject: other".into())),
        };
        let to = "team@b.example".parse().expect("an address");
        let letter = server.letter(to, &message, "https://log.example").expect("a letter");
        let text = String::from_utf8(letter.formatted()).expect("ASCII");
        let head = text.split("\r\n\r\n").next().expect("a head").replace("\r\n ", " ");
        let names: Vec<&str> = head.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Date", "Content-Type"]
        );
        assert!(text.is_ascii(), "{text}");
    }

    #[test]
    fn a_channel_has_one_plain_address() {
        assert_eq!(check_address(" team@example.org ").ok(), Some("team@example.org".into()));
        for address in ["", "team", "a@b.example, c@d.example", "Team <a@b.example>", "a@b.example\r\nBcc: c@d.example"]
        {
            assert!(check_address(address).is_err(), "{address}");
        }
    }
}
