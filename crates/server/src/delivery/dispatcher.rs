//! The task that sends what is due.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use steplog_store::{Delivery, DeliveryOutcome};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::RetryPolicy;
use super::attempt::{Attempt, Trouble};
use crate::state::{ServerState, unix_time};

/// How many messages are sent at once, each to another channel.
const MAX_SENDING: usize = 32;

/// How long the queue is left alone when nothing is said to be due, and after it could not be read.
const IDLE: Duration = Duration::from_secs(60);

/// How long what is being sent may go on when the server stops.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// How long the end is waited for: the grace, and time to write down what became of everything.
const STOP_TIMEOUT: Duration = Duration::from_secs(8);

/// Between two tries to write down what became of a message.
const WRITE_PAUSE: Duration = Duration::from_secs(5);

/// The running task.
pub(crate) struct Dispatcher(JoinHandle<()>);

impl Dispatcher {
    /// Starts to send what waits in the store of a server, until the server stops.
    pub(crate) fn start(state: ServerState) -> Self {
        Self(tokio::spawn(run(state)))
    }

    /// Waits for the end, after the server was told to stop.
    pub(crate) async fn finish(self) {
        if timeout(STOP_TIMEOUT, self.0).await.is_err() {
            tracing::warn!("alerts that were being sent were left alone; it is not known whether they arrived");
        }
    }
}

async fn run(state: ServerState) {
    let mut stopping = state.stopping();
    let wake: Arc<Notify> = state.deliveries_changed().clone();
    let mut sending = JoinSet::new();
    let mut busy = Busy::new();
    while !*stopping.borrow_and_update() {
        let wait = start_what_is_due(&state, &mut sending, &mut busy).await;
        tokio::select! {
            _ = stopping.changed() => {}
            () = wake.notified() => {}
            () = sleep(wait) => {}
            Some(ended) = sending.join_next_with_id() => {
                if let Err(error) = &ended {
                    tracing::error!("the sending of an alert met a defect: {error}");
                }
                busy.remove(&ended.map_or_else(|error| error.id(), |(task, ())| task));
            }
        }
    }
    while sending.join_next().await.is_some() {}
}

/// Which channel each task sends to.
type Busy = HashMap<tokio::task::Id, i64>;

/// Gives each due delivery a task; answers how long there is nothing to do.
async fn start_what_is_due(state: &ServerState, sending: &mut JoinSet<()>, busy: &mut Busy) -> Duration {
    let room = MAX_SENDING.saturating_sub(sending.len());
    if room == 0 {
        return IDLE;
    }
    let (now, leave_out) = (unix_time(), busy.values().copied().collect::<Vec<_>>());
    match state.query(move |store| store.due_deliveries(now, &leave_out, room)).await {
        Ok(due) => {
            for delivery in due.deliveries {
                let channel = delivery.receiver.channel;
                busy.insert(sending.spawn(deliver(state.clone(), delivery)).id(), channel);
            }
            due.next_at.map_or(IDLE, |at| Duration::from_secs_f64((at - now).clamp(0.001, IDLE.as_secs_f64())))
        }
        Err(error) => {
            tracing::warn!("the queue of alerts could not be read: {error:?}");
            IDLE
        }
    }
}

/// Sends one message and writes down what became of it.
async fn deliver(state: ServerState, delivery: Delivery) {
    let Delivery { id, attempts, receiver, message } = delivery;
    let attempt = Attempt::of(state.clone(), id);
    let result = tokio::select! {
        result = state.sender().send(&receiver, &message, &attempt) => result,
        () = grace_is_over(state.stopping()) => Err(attempt.cut_off("the server stopped")),
    };
    let alert = message.alert.unwrap_or_default();
    let Some(outcome) = outcome(result, attempts + 1, &state.sender().options.retry) else {
        return;
    };
    if outcome == DeliveryOutcome::Sent {
        tracing::info!(alert, channel = receiver.channel, "sent an alert by {}", receiver.kind.as_str());
    }
    if let DeliveryOutcome::Retry { error, .. }
    | DeliveryOutcome::Failed { error }
    | DeliveryOutcome::Unknown { error } = &outcome
    {
        tracing::warn!(alert, channel = receiver.channel, "an alert was not sent: {error}");
    }
    // A full disk must not make it go out again: until this is written it counts as on its way.
    loop {
        let outcome = outcome.clone();
        match state.query(move |store| store.finish_delivery(id, outcome)).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(alert, "what became of an alert could not be written: {error:?}"),
        }
        sleep(WRITE_PAUSE).await;
    }
}

/// What a try comes to after so many; `None` when it was withdrawn.
fn outcome(result: Result<(), Trouble>, tries: u32, retry: &RetryPolicy) -> Option<DeliveryOutcome> {
    Some(match result {
        Ok(()) => DeliveryOutcome::Sent,
        Err(Trouble::Withdrawn) => return None,
        Err(Trouble::Lost { error }) => DeliveryOutcome::Unknown { error },
        Err(Trouble::NotTaken { error, again: false, .. }) => DeliveryOutcome::Failed { error },
        Err(Trouble::NotTaken { error, wait, .. }) => match retry.wait_seconds(tries, chance()) {
            Some(usual) => {
                let asked = wait.map_or(0.0, |wait| wait.as_secs_f64());
                DeliveryOutcome::Retry { error, at: unix_time() + usual.max(asked), holds_channel: wait.is_some() }
            }
            None => DeliveryOutcome::Failed { error },
        },
    })
}

/// A number from 0 to 1.
fn chance() -> f64 {
    let mut byte = [0; 1];
    // Without random bytes everybody waits equally long.
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 255.0
}

async fn grace_is_over(mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
    sleep(STOP_GRACE).await;
}
