//! The queue of alerts that are to be sent, and its states over restarts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use steplog_model::{Alert, AlertLevel as Level, Record};
use steplog_protocol::{
    AlertChannel, AlertChannelKind, AlertDelivery, AlertLevel, AlertsRequest, CreateAlertChannelRequest, DeliveryState,
    UpdateAlertChannelRequest,
};
use steplog_store::{Delivery, DeliveryOutcome, Store, StoreOptions};
use support::{HandClock, Journal, quiet_options};
use tempfile::TempDir;

const RUN: &str = "local/digits/a";
const NOW: f64 = 1_000_000.0;
const DAY: f64 = 86_400.0;

fn open_at(folder: &Path, clock: &HandClock) -> Arc<Store> {
    Store::open(folder, StoreOptions { clock: clock.clock(), ..quiet_options() }).unwrap()
}

fn request(target: &str, project: Option<&str>, level: Option<AlertLevel>) -> CreateAlertChannelRequest {
    CreateAlertChannelRequest {
        project: project.map(str::to_owned),
        kind: AlertChannelKind::Webhook,
        name: "team".into(),
        target: target.into(),
        secret: Some("sixteen letters!".into()),
        level,
    }
}

fn channel(store: &Store) -> i64 {
    store.create_alert_channel("local", request("https://example.org/hook", None, None), None).unwrap().id
}

fn alert(journal: &mut Journal, title: &str, level: Level, time: f64, wait_millis: u64) {
    journal.record(Record::Alert(Alert { time, title: title.into(), text: "why".into(), level, wait_millis }));
}

fn one_alert(store: &Store, title: &str) -> Journal {
    let mut journal = Journal::new(RUN);
    alert(&mut journal, title, Level::Warn, NOW, 0);
    journal.send(store);
    journal
}

fn due(store: &Store, now: f64) -> Vec<Delivery> {
    store.due_deliveries(now, &[], 10).unwrap().deliveries
}

/// What became of the alerts of the project, newest first.
fn deliveries(store: &Store) -> Vec<Vec<AlertDelivery>> {
    let request = AlertsRequest { project: "local/digits".into(), repeated: true, ..AlertsRequest::default() };
    store.alerts(&request).unwrap().alerts.into_iter().map(|alert| alert.deliveries).collect()
}

fn states(store: &Store) -> Vec<(DeliveryState, u32, Option<String>)> {
    deliveries(store).into_iter().flatten().map(|it| (it.state, it.attempts, it.error)).collect()
}

fn retry(at: f64, holds_channel: bool) -> DeliveryOutcome {
    DeliveryOutcome::Retry { error: "it is down".into(), at, holds_channel }
}

#[test]
fn an_alert_waits_for_every_channel_that_takes_it() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let store = open_at(folder.path(), &clock);
    let make = |entity: &str, project, level| {
        store
            .create_alert_channel(entity, request("https://example.org/hook", project, level), Some("ada".into()))
            .unwrap()
            .id
    };
    let all = make("local", None, None);
    let digits = make("local", Some("digits"), Some(AlertLevel::Error));
    make("local", Some("other"), None);
    make("other", None, None);
    let off = make("local", None, None);
    let update = UpdateAlertChannelRequest { enabled: Some(false), ..UpdateAlertChannelRequest::default() };
    assert!(!store.update_alert_channel("local", off, update).unwrap().enabled);

    let mut journal = Journal::new(RUN);
    alert(&mut journal, "info", Level::Info, NOW, 0);
    alert(&mut journal, "error", Level::Error, NOW + 1.0, 60_000);
    // A repetition is told to nobody.
    alert(&mut journal, "error", Level::Error, NOW + 2.0, 60_000);
    journal.send(&store);
    let channels = |of: &[AlertDelivery]| of.iter().map(|it| (it.channel, it.state)).collect::<Vec<_>>();
    let [repeated, error, info] = &deliveries(&store)[..] else { panic!("three alerts") };
    assert_eq!(channels(repeated), []);
    assert_eq!(channels(error), [(all, DeliveryState::Waiting), (digits, DeliveryState::Waiting)]);
    assert_eq!(channels(info), [(all, DeliveryState::Waiting)]);

    // The longest due first, one for each channel.
    let due = due(&store, NOW);
    let due: Vec<_> = due.iter().map(|it| (it.receiver.channel, &*it.message.title)).collect();
    assert_eq!(due, [(all, "info"), (digits, "error")]);
    assert_eq!(store.due_deliveries(NOW, &[digits], 10).unwrap().deliveries.len(), 1);
    assert_eq!(store.due_deliveries(NOW, &[all, digits], 10).unwrap(), Default::default());
    assert_eq!(store.due_deliveries(NOW - 1.0, &[], 10).unwrap().next_at, Some(NOW));
}

#[test]
fn what_goes_out_is_the_alert_with_its_run() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let store = open_at(folder.path(), &clock);
    channel(&store);
    one_alert(&store, "slow");
    let [delivery] = &due(&store, NOW)[..] else { panic!("one delivery") };
    let message = &delivery.message;
    assert_eq!((&*message.title, &*message.text, message.level, message.time), ("slow", "why", AlertLevel::Warn, NOW));
    assert_eq!((&*message.entity, message.project.as_deref()), ("local", Some("digits")));
    assert_eq!(message.run.as_ref().map(|(id, name)| (&**id, name.is_empty())), Some(("a", false)));
    assert_eq!(message.id.len(), 32);
    assert_eq!(delivery.receiver.target, "https://example.org/hook");
    assert_eq!(delivery.receiver.secret.as_deref(), Some("sixteen letters!"));
    // Logs show no secret, even if somebody prints everything.
    assert_eq!(format!("{:?}", delivery.receiver), "AlertReceiver { channel: 1, kind: Webhook, .. }");
}

#[test]
fn a_delivery_goes_through_its_states() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let store = open_at(folder.path(), &clock);
    channel(&store);
    let told = Arc::<AtomicUsize>::default();
    let count = told.clone();
    store.subscribe(Box::new(move |change| {
        assert_eq!((&*change.path, change.alerts), (RUN, true));
        count.fetch_add(1, Ordering::SeqCst);
    }));
    one_alert(&store, "slow");
    let [delivery] = &due(&store, NOW)[..] else { panic!("one delivery") };
    let id = delivery.id;

    // It was not even begun: nobody answered.
    store.finish_delivery(id, retry(NOW + 30.0, false)).unwrap();
    assert_eq!(states(&store), [(DeliveryState::Waiting, 1, Some("it is down".into()))]);
    assert_eq!((due(&store, NOW + 29.0), due(&store, NOW + 30.0).len()), (vec![], 1));

    // It went out and was refused.
    assert!(store.begin_delivery(id).unwrap());
    assert!(!store.begin_delivery(id).unwrap(), "nobody sends it twice");
    assert_eq!((states(&store)[0].0, due(&store, f64::MAX)), (DeliveryState::Sending, vec![]));
    store.finish_delivery(id, retry(NOW + 60.0, false)).unwrap();
    assert_eq!(states(&store), [(DeliveryState::Waiting, 2, Some("it is down".into()))]);
    assert_eq!(due(&store, NOW + 60.0)[0].message.id, delivery.message.id, "the receiver can tell that it is the same");

    clock.set(NOW + 61.0);
    assert!(store.begin_delivery(id).unwrap());
    store.finish_delivery(id, DeliveryOutcome::Sent).unwrap();
    let sent = &deliveries(&store)[0][0];
    assert_eq!(
        (sent.state, sent.attempts, sent.delivered_at, &sent.error),
        (DeliveryState::Sent, 3, Some(NOW + 61.0), &None)
    );
    assert_eq!((sent.next_attempt_at, sent.last_attempt_at), (None, Some(NOW + 61.0)));
    // What comes late changes nothing.
    store.finish_delivery(id, DeliveryOutcome::Failed { error: "late".into() }).unwrap();
    assert_eq!((states(&store), due(&store, f64::MAX)), (vec![(DeliveryState::Sent, 3, None)], vec![]));
    let refusal = store.send_again("local", id).unwrap_err();
    assert_eq!(refusal.to_string(), "the alert is sent already and is not sent again");
    assert_eq!(told.load(Ordering::SeqCst), 6, "watchers are told of the alert and of every change");
}

#[test]
fn after_a_kill_only_what_was_on_its_way_is_in_doubt() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let outcomes = [
        None,
        Some(retry(NOW + 5.0, false)),
        Some(DeliveryOutcome::Sent),
        Some(DeliveryOutcome::Failed { error: "no".into() }),
        Some(DeliveryOutcome::Unknown { error: "lost".into() }),
    ];
    let store = open_at(folder.path(), &clock);
    for _ in 0..7 {
        channel(&store);
    }
    one_alert(&store, "slow");
    // The first waits and was never tried, the second is on its way, the others are as above.
    let all = due(&store, NOW);
    for (delivery, outcome) in all[1..].iter().zip([None].into_iter().chain(outcomes.clone())) {
        assert!(store.begin_delivery(delivery.id).unwrap());
        if let Some(outcome) = outcome {
            store.finish_delivery(delivery.id, outcome).unwrap();
        }
    }
    let before = states(&store);
    store.abandon();
    drop(store);

    let store = open_at(folder.path(), &clock);
    let after = states(&store);
    let cut_off =
        || (DeliveryState::Unknown, 1, Some("the server stopped while the message was on its way".to_owned()));
    let expected = [
        (DeliveryState::Waiting, 0, None),
        cut_off(),
        cut_off(),
        (DeliveryState::Waiting, 1, Some("it is down".into())),
        (DeliveryState::Sent, 1, None),
        (DeliveryState::Failed, 1, Some("no".into())),
        (DeliveryState::Unknown, 1, Some("lost".into())),
    ];
    assert_eq!(after, expected);
    assert_eq!((before[1].0, before[2].0, &before[3..]), (DeliveryState::Sending, DeliveryState::Sending, &after[3..]));
    let again: Vec<i64> = due(&store, NOW + 60.0).iter().map(|delivery| delivery.id).collect();
    assert_eq!(again, [all[0].id, all[3].id]);
}

#[test]
fn a_person_can_have_it_sent_again() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let store = open_at(folder.path(), &clock);
    let channel = channel(&store);
    one_alert(&store, "slow");
    let id = due(&store, NOW)[0].id;
    let waits = store.send_again("local", id).unwrap_err();
    assert_eq!(waits.to_string(), "the alert is waiting already and is not sent again");
    for outcome in [DeliveryOutcome::Unknown { error: "lost".into() }, DeliveryOutcome::Failed { error: "no".into() }] {
        assert!(store.begin_delivery(id).unwrap());
        store.finish_delivery(id, outcome).unwrap();
        assert_eq!(due(&store, f64::MAX), []);
        assert_eq!(store.send_again("other", id).unwrap_err().to_string(), "other has no delivery 1 of an alert");
        let again = store.send_again("local", id).unwrap();
        assert_eq!((again.state, again.attempts, again.next_attempt_at), (DeliveryState::Waiting, 0, Some(NOW)));
        assert_eq!(due(&store, NOW).len(), 1);
    }
    store.delete_alert_channel("local", channel).unwrap();
    let refusal = store.send_again("local", id).unwrap_err();
    assert_eq!(refusal.to_string(), "the channel is removed or switched off");
}

#[test]
fn old_alerts_and_those_of_a_flood_are_not_sent() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let store = open_at(folder.path(), &clock);
    channel(&store);
    let mut journal = Journal::new(RUN);
    alert(&mut journal, "old", Level::Error, NOW - DAY - 1.0, 0);
    alert(&mut journal, "of today", Level::Error, NOW - DAY + 1.0, 0);
    for index in 0..1000 {
        alert(&mut journal, &format!("flood {index}"), Level::Info, NOW, 0);
    }
    journal.send(&store);
    let states = states(&store);
    let skipped = |why: &str| (DeliveryState::Skipped, 0, Some(why.to_owned()));
    // The newest is the one too many, for one of an earlier time waits too.
    assert_eq!(states[0], skipped("1000 alerts wait for this channel already"));
    assert_eq!(states[1..], vec![(DeliveryState::Waiting, 0, None); 99]);
    let request = AlertsRequest { project: "local/digits".into(), limit: Some(1000), ..AlertsRequest::default() };
    let page = store.alerts(&request).unwrap();
    let rest = AlertsRequest { cursor: page.next_cursor, ..request };
    let last = store.alerts(&rest).unwrap().alerts;
    let last: Vec<_> = last.iter().map(|it| (&*it.title, it.deliveries[0].state)).collect();
    assert_eq!(last, [("of today", DeliveryState::Waiting), ("old", DeliveryState::Skipped)]);
}

#[test]
fn a_receiver_that_asks_for_time_gets_it_for_everything() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let store = open_at(folder.path(), &clock);
    let (busy, _other) = (channel(&store), channel(&store));
    let mut journal = one_alert(&store, "first");
    alert(&mut journal, "second", Level::Warn, NOW, 0);
    journal.send(&store);
    let first = due(&store, NOW);
    store.finish_delivery(first[0].id, retry(NOW + 100.0, true)).unwrap();
    let due_at = |now: f64| due(&store, now).iter().map(|it| it.receiver.channel).collect::<Vec<_>>();
    assert_eq!((first[0].receiver.channel, due_at(NOW + 99.0)), (busy, vec![2]));
    assert_eq!(due_at(NOW + 100.0).len(), 2);
}

#[test]
fn what_waits_for_a_channel_that_is_switched_off_or_removed_is_skipped() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let store = open_at(folder.path(), &clock);
    let (off, removed, sending) = (channel(&store), channel(&store), channel(&store));
    one_alert(&store, "slow");
    let on_its_way = due(&store, NOW)[2].id;
    assert!(store.begin_delivery(on_its_way).unwrap());
    let switch_off = || UpdateAlertChannelRequest { enabled: Some(false), ..UpdateAlertChannelRequest::default() };
    store.update_alert_channel("local", off, switch_off()).unwrap();
    store.update_alert_channel("local", sending, switch_off()).unwrap();
    store.delete_alert_channel("local", removed).unwrap();
    store.finish_delivery(on_its_way, retry(NOW, false)).unwrap();
    let skipped = |attempts, why: &str| (DeliveryState::Skipped, attempts, Some(why.to_owned()));
    assert_eq!(
        states(&store),
        [
            skipped(0, "the channel was switched off"),
            skipped(0, "the channel was removed"),
            skipped(1, "the channel was switched off")
        ]
    );
    assert_eq!(due(&store, f64::MAX), []);
    assert!(!store.begin_delivery(on_its_way).unwrap());
}

#[test]
fn a_removed_channel_is_forgotten_but_for_its_name() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let store = open_at(folder.path(), &clock);
    let secret = "https://hooks.example.org/services/T0/B0/verysecret1234";
    let made = store.create_alert_channel("local", request(secret, Some("digits"), None), Some("ada".into())).unwrap();
    let expected = AlertChannel {
        id: 1,
        entity: "local".into(),
        project: Some("digits".into()),
        kind: AlertChannelKind::Webhook,
        name: "team".into(),
        target: "https://hooks.example.org/…1234".into(),
        signed: true,
        level: AlertLevel::Info,
        enabled: true,
        created_at: NOW,
        created_by: Some("ada".into()),
    };
    assert_eq!(made, expected);
    assert_eq!(store.alert_channels("local").unwrap(), std::slice::from_ref(&expected));
    assert_eq!(store.alert_channels("other").unwrap(), []);
    let change = UpdateAlertChannelRequest {
        name: Some("the team".into()),
        secret: Some(String::new()),
        level: Some(AlertLevel::Error),
        ..UpdateAlertChannelRequest::default()
    };
    let changed = AlertChannel { name: "the team".into(), signed: false, level: AlertLevel::Error, ..expected };
    assert_eq!(store.update_alert_channel("local", 1, change).unwrap(), changed);
    assert_eq!(store.alert_receiver("local", 1).unwrap().target, secret);
    assert_eq!(store.alert_receiver("other", 1).unwrap_err().to_string(), "other has no alert channel 1");
    let for_all = UpdateAlertChannelRequest { level: Some(AlertLevel::Info), ..UpdateAlertChannelRequest::default() };
    store.update_alert_channel("local", 1, for_all).unwrap();
    one_alert(&store, "slow");

    store.delete_alert_channel("local", 1).unwrap();
    assert_eq!(store.alert_channels("local").unwrap(), []);
    assert_eq!(store.delete_alert_channel("local", 1).unwrap_err().to_string(), "local has no alert channel 1");
    assert_eq!(deliveries(&store)[0][0].channel_name, "the team");
    assert!(store.alert_receiver("local", 1).is_err());
}

#[test]
fn names_and_targets_have_limits() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let store = open_at(folder.path(), &clock);
    let refused = |name: &str, target: String| {
        let request = CreateAlertChannelRequest { name: name.into(), ..request(&target, None, None) };
        store.create_alert_channel("local", request, None).unwrap_err().to_string()
    };
    let target = || "https://example.org/".to_owned();
    for name in [String::new(), " ".into(), "x".repeat(65), "a\nb".into()] {
        assert_eq!(refused(&name, target()), "a channel's name must have 1 to 64 characters");
    }
    assert_eq!(refused("a", "x".repeat(2049)), "a channel's target must have 1 to 2048 bytes");
    for _ in 0..50 {
        channel(&store);
    }
    assert_eq!(refused("a", target()), "local has 50 alert channels already, the most there may be");
}

#[test]
fn deliveries_go_with_their_run() {
    let (folder, clock) = (TempDir::new().unwrap(), HandClock::new(NOW));
    let store = open_at(folder.path(), &clock);
    channel(&store);
    one_alert(&store, "slow");
    let id = due(&store, NOW)[0].id;
    assert!(store.begin_delivery(id).unwrap());
    store.delete_run(&RUN.parse().unwrap()).unwrap();
    store.finish_delivery(id, retry(NOW, false)).unwrap();
    assert_eq!(due(&store, f64::MAX), []);
}
