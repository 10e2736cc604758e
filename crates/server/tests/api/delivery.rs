//! Alerts on their way: to a real HTTP receiver and a real mail server, good and bad ones.

use std::time::Duration;

use serde_json::{Value as Json, json};
use steplog_server::{DeliveryOptions, MailServer, PrivateHosts, RetryPolicy};
use steplog_store::{Store, StoreOptions};

use crate::receiver::{Answer, MailSink, Receiver};
use crate::support::{Journal, TestServer, error, wait_until};

/// A server that may send to this machine, and does not wait long.
fn quick() -> DeliveryOptions {
    DeliveryOptions {
        public_url: "https://log.example".into(),
        private_hosts: PrivateHosts::all(),
        retry: RetryPolicy { attempts: 4, first_wait: Duration::from_millis(20) },
        attempt_timeout: Duration::from_secs(60),
        ..DeliveryOptions::default()
    }
}

fn channel(server: &TestServer, kind: &str, target: &str) -> i64 {
    let body = json!({ "kind": kind, "name": "team", "target": target });
    let made = server.client().post("/alert-channels/local", &body);
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()["id"].as_i64().expect("an id")
}

/// Sends a run with an alert of each title.
fn tell(server: &TestServer, run: &str, titles: &[&str]) {
    let journal = Journal::of_alerts(run, titles);
    let answer = server.client().ingest(&format!("local/digits/{run}"), &journal, 0, &journal.bytes);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn deliveries(server: &TestServer) -> Vec<Json> {
    let alerts = server.client().post("/alerts/query", &json!({ "project": "local/digits" })).json();
    let alerts = alerts["alerts"].as_array().expect("a list").clone();
    alerts.iter().flat_map(|alert| alert["deliveries"].as_array().expect("a list").clone()).collect()
}

/// Waits until nothing is on its way; answers state, tries and error of the one delivery.
fn outcome(server: &TestServer) -> (String, i64, Json) {
    wait_until("the delivery is over", || {
        let all = deliveries(server);
        let [delivery] = &all[..] else { panic!("one delivery: {all:?}") };
        let state = delivery["state"].as_str().expect("a state").to_owned();
        let is_over = !matches!(&*state, "waiting" | "sending");
        is_over.then(|| (state, delivery["attempts"].as_i64().expect("a number"), delivery["error"].clone()))
    })
}

fn over(state: &str, attempts: i64, error: &str) -> (String, i64, Json) {
    (state.to_owned(), attempts, if error.is_empty() { Json::Null } else { error.into() })
}

#[test]
fn a_webhook_is_told_once() {
    let (receiver, server) = (Receiver::start(&[]), TestServer::sending(quick()));
    let body = json!({ "kind": "webhook", "name": "bot", "target": receiver.url(), "secret": "sixteen letters!" });
    assert_eq!(server.client().post("/alert-channels/local", &body).status, 200);
    tell(&server, "r1", &["loss is NaN"]);
    assert_eq!(outcome(&server), over("sent", 1, ""));
    let [request] = &receiver.requests()[..] else { panic!("one request") };
    let body = request.json();
    let id = body["id"].as_str().expect("an id").to_owned();
    assert_eq!(request.line, "POST /hooks/secret-path-abcd HTTP/1.1");
    assert_eq!(request.header("host"), receiver.address.to_string());
    assert_eq!((request.header("idempotency-key"), request.header("webhook-id")), (&*id, &*id));
    assert!(request.header("webhook-signature").starts_with("v1,"), "{request:?}");
    assert_eq!(
        body,
        json!({
            "type": "alert", "id": id, "level": "INFO", "title": "loss is NaN", "text": "<b>loss is NaN</b>",
            "time": body["time"], "entity": "local", "project": "digits",
            "run": { "id": "r1", "name": "the run r1", "url": "https://log.example/local/digits/runs/r1" },
        })
    );
    // The same journal again is no new alert.
    let sent = &deliveries(&server)[0];
    assert_eq!((&sent["kind"], &sent["channel_name"]), (&json!("webhook"), &json!("bot")));
    assert!(sent["delivered_at"].as_f64() >= sent["last_attempt_at"].as_f64());
}

#[test]
fn what_was_refused_is_tried_again_as_the_same_message() {
    let script = [Answer::Status(500), Answer::Status(503), Answer::With(429, "retry-after: 0")];
    let (receiver, server) = (Receiver::start(&script), TestServer::sending(quick()));
    channel(&server, "slack", &receiver.url());
    tell(&server, "r1", &["slow"]);
    assert_eq!(outcome(&server), over("sent", 4, ""));
    let requests = receiver.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.header("webhook-id") == requests[0].header("webhook-id")));
    assert!(requests.iter().all(|request| request.body == requests[0].body));
}

#[test]
fn who_refuses_for_good_or_always_is_left_alone() {
    for (answer, expected) in [
        (Answer::Status(404), over("failed", 1, "the receiver answered 404 Not Found")),
        (Answer::Status(500), over("failed", 4, "the receiver answered 500 Internal Server Error")),
        (
            Answer::Status(504),
            over("unknown", 1, "the receiver answered 504 Gateway Timeout: it may have arrived behind the gateway"),
        ),
        (Answer::Vanish, over("unknown", 1, "the connection broke before the receiver answered")),
        (Answer::Babble, over("unknown", 1, "the receiver's answer is not HTTP")),
    ] {
        let (receiver, server) = (Receiver::start(&[answer; 4]), TestServer::sending(quick()));
        channel(&server, "webhook", &receiver.url());
        tell(&server, "r1", &["slow"]);
        let came = outcome(&server);
        assert_eq!((receiver.requests().len() as i64, &came), (expected.1, &expected), "{answer:?}");
    }
}

#[test]
fn a_receiver_that_is_down_gets_it_later() {
    let retry = RetryPolicy { attempts: 3, first_wait: Duration::from_millis(20) };
    let server = TestServer::sending(DeliveryOptions { retry, ..quick() });
    // Nobody listens there, and no test gets this port for a server of its own.
    channel(&server, "webhook", "http://127.0.0.1:9/");
    tell(&server, "r1", &["slow"]);
    assert_eq!(outcome(&server), over("failed", 3, "cannot connect to 127.0.0.1: it refuses connections"));

    let receiver = Receiver::start(&[]);
    let id = deliveries(&server)[0]["channel"].clone();
    let update = server.client().patch(&format!("/alert-channels/local/{id}"), &json!({ "target": receiver.url() }));
    assert_eq!(update.status, 200, "{}", update.text());
    let delivery = deliveries(&server)[0]["id"].clone();
    let again = server.client().post(&format!("/alert-deliveries/local/{delivery}/send"), &json!({}));
    assert_eq!((again.status, &again.json()["state"]), (200, &json!("waiting")));
    assert_eq!(outcome(&server), over("sent", 1, ""));
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn a_redirect_is_not_followed() {
    let inside = Receiver::start(&[]);
    let location: &'static str = format!("location: {}", inside.url()).leak();
    let outside = Receiver::start(&[Answer::With(307, location)]);
    let server = TestServer::sending(quick());
    channel(&server, "webhook", &outside.url());
    tell(&server, "r1", &["slow"]);
    let error = "the receiver answered 307 Temporary Redirect; redirects are not followed";
    assert_eq!(outcome(&server), over("failed", 1, error));
    assert_eq!((outside.requests().len(), inside.requests().len()), (1, 0));
}

#[test]
fn who_never_answers_holds_up_neither_others_nor_the_end() {
    let (silent, quick_one) = (Receiver::start(&[Answer::Hang; 100]), Receiver::start(&[]));
    let options = DeliveryOptions { attempt_timeout: Duration::from_secs(600), ..quick() };
    let folder = tempfile::tempdir().expect("a folder");
    let server = TestServer::sending_from(folder.path(), options);
    let held = channel(&server, "webhook", &silent.url());
    channel(&server, "webhook", &quick_one.url());
    let titles: Vec<String> = (0..20).map(|index| format!("alert {index}")).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    tell(&server, "r1", &titles);
    assert_eq!(quick_one.wait_for(20).len(), 20);
    tell(&server, "r2", &["another"]);
    quick_one.wait_for(21);
    assert_eq!(silent.wait_for(1).len(), 1, "one at a time");
    server.stop();
    let store = Store::open(folder.path(), StoreOptions::default()).expect("a store");
    // The server ended; what was on its way is in doubt, and what waits is still to be sent.
    let request = steplog_protocol::AlertsRequest { project: "local/digits".into(), ..Default::default() };
    let alerts = store.alerts(&request).expect("the store is open").alerts;
    let states: Vec<String> = alerts
        .iter()
        .flat_map(|alert| alert.deliveries.iter().filter(|delivery| delivery.channel == held))
        .map(|delivery| format!("{:?} {}", delivery.state, delivery.error.as_deref().unwrap_or_default()))
        .collect();
    let count = |text: &str| states.iter().filter(|state| *state == text).count();
    let counts = (count("Unknown the server stopped before the receiver answered"), count("Waiting "));
    assert_eq!(counts, (1, 20), "{states:?}");
}

#[test]
fn a_receiver_that_takes_too_long_may_have_it() {
    let receiver = Receiver::start(&[Answer::Hang]);
    let options = DeliveryOptions { attempt_timeout: Duration::from_secs(2), ..quick() };
    let server = TestServer::sending(options);
    channel(&server, "webhook", &receiver.url());
    tell(&server, "r1", &["slow"]);
    assert_eq!(outcome(&server), over("unknown", 1, "time was over before the receiver answered"));
    assert_eq!(receiver.wait_for(1).len(), 1);
}

fn with_mail(sink: &MailSink) -> DeliveryOptions {
    let mail = MailServer::new(&sink.url(), Some("steplog <alerts@log.example>")).expect("a mail server");
    DeliveryOptions { mail: Some(mail), ..quick() }
}

#[test]
fn a_mail_arrives_once() {
    let sink = MailSink::start(&[]);
    let server = TestServer::sending(with_mail(&sink));
    channel(&server, "email", "team@example.org");
    tell(&server, "r1", &["loss is NaN"]);
    assert_eq!(outcome(&server), over("sent", 1, ""));
    let [mail] = &sink.mails()[..] else { panic!("one mail: {:?}", sink.mails()) };
    assert!(mail.starts_with("MAIL FROM:<alerts@log.example>\r\nRCPT TO:<team@example.org>\r\n"), "{mail}");
    for part in [
        "From: steplog <alerts@log.example>\r\n",
        "To: team@example.org\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "https://log.example/local/digits/runs/r1",
        "&lt;b&gt;loss is NaN&lt;/b&gt;",
    ] {
        assert!(mail.replace("=\r\n", "").contains(part), "{part} in {mail}");
    }
}

#[test]
fn a_mail_server_can_say_no() {
    for (script, expected) in [
        (&[("RCPT", "550 nobody here")] as &[_], over("failed", 1, "550 nobody here")),
        (&[("RCPT", "451 greylisted")], over("sent", 2, "")),
        (&[("DATA", "452 full")], over("sent", 2, "")),
        (&[(".", "451 later"), (".", "452 later still")], over("sent", 3, "")),
        (&[(".", "554 spam")], over("failed", 1, "554 spam")),
        (&[(".", "")], over("unknown", 1, "the connection to the mail server broke before the receiver answered")),
    ] {
        let sink = MailSink::start(script);
        let server = TestServer::sending(with_mail(&sink));
        channel(&server, "email", "team@example.org");
        tell(&server, "r1", &["slow"]);
        let (state, attempts, error) = outcome(&server);
        let said = error.as_str().unwrap_or_default();
        let words = expected.2.as_str().unwrap_or_default();
        assert_eq!((&state, attempts), (&expected.0, expected.1), "{script:?}: {said}");
        assert!(words.split(' ').all(|word| said.contains(word)), "{script:?}: {said}");
        assert_eq!(sink.mails().len(), usize::from(state != "failed"), "{script:?}");
    }
}

#[test]
fn channels_are_made_shown_changed_and_removed_with_their_secrets_kept() {
    let receiver = Receiver::start(&[]);
    let server = TestServer::sending(quick());
    let client = server.client();
    let body = json!({
        "kind": "webhook", "name": "bot", "target": receiver.url(), "secret": "sixteen letters!", "project": "digits",
        "level": "WARN",
    });
    let made = client.post("/alert-channels/local", &body);
    let expected = json!({
        "id": 1, "entity": "local", "project": "digits", "kind": "webhook", "name": "bot",
        "target": format!("http://{}/…abcd", receiver.address), "signed": true, "level": "WARN", "enabled": true,
        "created_at": made.json()["created_at"], "created_by": null,
    });
    assert_eq!(made.json(), expected);
    assert_eq!(client.get("/alert-channels/local").json(), json!({ "channels": [expected], "mail_from": null }));
    let off = client.patch("/alert-channels/local/1", &json!({ "enabled": false, "name": "the bot" }));
    assert_eq!((&off.json()["enabled"], &off.json()["name"]), (&json!(false), &json!("the bot")));
    for text in [made.text(), off.text(), client.get("/alert-channels/local").text()] {
        assert!(!text.contains("secret-path") && !text.contains("sixteen"), "{text}");
    }
    assert_eq!(
        client.patch("/alert-channels/local/2", &json!({})).error(),
        error(404, "not_found", "local has no alert channel 2")
    );
    assert_eq!(client.delete("/alert-channels/other/1").status, 404);
    assert_eq!(client.delete("/alert-channels/local/1").status, 204);
    assert_eq!(client.get("/alert-channels/local").json()["channels"], json!([]));
}

#[test]
fn a_test_message_says_what_became_of_it() {
    let receiver = Receiver::start(&[Answer::Status(200), Answer::Status(403), Answer::Vanish]);
    let server = TestServer::sending(quick());
    let id = channel(&server, "webhook", &receiver.url());
    let test = || server.client().post(&format!("/alert-channels/local/{id}/test"), &json!({})).json();
    assert_eq!(test(), json!({ "state": "sent", "error": null }));
    assert_eq!(test(), json!({ "state": "failed", "error": "the receiver answered 403 Forbidden" }));
    assert_eq!(test(), json!({ "state": "unknown", "error": "the connection broke before the receiver answered" }));
    let requests = receiver.requests();
    assert_eq!((&requests[0].json()["type"], &requests[0].json()["run"]), (&json!("test"), &Json::Null));
    assert_ne!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
}

#[test]
fn what_cannot_be_sent_to_is_refused_when_it_is_configured() {
    let server = TestServer::start();
    let refused = |kind: &str, target: &str, more: Json| {
        let mut body = json!({ "kind": kind, "name": "x", "target": target });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        server.client().post("/alert-channels/local", &body).error()
    };
    let invalid = |message: &str| error(400, "invalid", message);
    for host in
        ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "169.254.169.254", "0.0.0.0"]
    {
        let (status, kind, message) = refused("slack", &format!("http://{host}/x"), json!({}));
        assert_eq!((status, &*kind), (400, "invalid"), "{host}");
        assert!(
            message.ends_with(" is in this server's own network, where webhooks are not sent"),
            "{host}: {message}"
        );
    }
    assert_eq!(
        refused("webhook", "ftp://example.org", json!({})),
        invalid("a webhook's URL begins with https:// or http://")
    );
    assert_eq!(
        refused("webhook", "http://no-such-host.invalid/", json!({})),
        invalid("there is no host no-such-host.invalid")
    );
    assert_eq!(refused("email", "team@example.org", json!({})), invalid("this server has no mail server to send with"));
    let short = json!({ "secret": "short" });
    assert_eq!(
        refused("webhook", "http://127.0.0.1/", short),
        invalid("a webhook's secret must have 16 to 256 characters, not 5")
    );
    let signed_chat = json!({ "secret": "sixteen letters!" });
    assert_eq!(
        refused("slack", "http://127.0.0.1/", signed_chat),
        invalid("only messages of the kind `webhook` are signed")
    );
    assert_eq!(server.client().get("/alert-channels/local").json()["channels"], json!([]));
}

#[test]
fn the_address_is_checked_again_at_every_attempt() {
    // Configured while it was allowed; then the server was started without.
    let receiver = Receiver::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let allowed = TestServer::sending_from(folder.path(), quick());
    channel(&allowed, "webhook", &receiver.url().replace("127.0.0.1", "localhost"));
    allowed.stop();
    let strict = TestServer::sending_from(folder.path(), DeliveryOptions::default());
    tell(&strict, "r1", &["slow"]);
    let error = "localhost is in this server's own network, where webhooks are not sent";
    assert_eq!(outcome(&strict), over("failed", 1, error));
    assert_eq!(receiver.requests().len(), 0);
}
