//! One try to send a message: how far it got, and how it ended.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::state::ServerState;

/// Why a message was not sent, for certain or not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trouble {
    /// Nobody took it.
    NotTaken {
        /// Why.
        error: String,
        /// Whether it makes sense to try again.
        again: bool,
        /// How long the receiver asked to be left alone.
        wait: Option<Duration>,
    },
    /// It went out whole, and nobody knows whether it was taken.
    Lost {
        /// What happened.
        error: String,
    },
    /// It is not to be sent any more.
    Withdrawn,
}

impl Trouble {
    /// Nobody took it; the next try may go better.
    pub(super) fn passing(error: impl Into<String>) -> Self {
        Self::NotTaken { error: error.into(), again: true, wait: None }
    }

    /// Nobody took it, and nobody will.
    pub(super) fn lasting(error: impl Into<String>) -> Self {
        Self::NotTaken { error: error.into(), again: false, wait: None }
    }
}

/// How far a try has got; looked at when it is cut off.
pub(super) struct Attempt {
    /// The delivery that is noted as on its way before its message goes out; `None` for a test.
    delivery: Option<(ServerState, i64)>,
    stage: AtomicU8,
}

const PREPARING: u8 = 0;
const SENDING: u8 = 1;
const WHOLE: u8 = 2;

impl Attempt {
    pub(super) fn of(state: ServerState, delivery: i64) -> Self {
        Self { delivery: Some((state, delivery)), stage: PREPARING.into() }
    }

    pub(super) fn test() -> Self {
        Self { delivery: None, stage: PREPARING.into() }
    }

    /// To be called right before the first byte of the message goes out: from here on a kill leaves it in doubt.
    pub(super) async fn begin(&self) -> Result<(), Trouble> {
        if let Some((state, id)) = &self.delivery {
            let id = *id;
            match state.query(move |store| store.begin_delivery(id)).await {
                Ok(true) => {}
                Ok(false) => return Err(Trouble::Withdrawn),
                Err(_) => return Err(Trouble::passing("the server could not note that the message goes out")),
            }
        }
        self.stage.store(SENDING, Ordering::Release);
        Ok(())
    }

    /// To be called when the receiver may have the whole message.
    pub(super) fn is_whole(&self) {
        self.stage.store(WHOLE, Ordering::Release);
    }

    /// What a try comes to that ends here, for this reason.
    pub(super) fn cut_off(&self, why: &str) -> Trouble {
        match self.stage.load(Ordering::Acquire) {
            PREPARING => Trouble::passing(format!("{why} before the message went out")),
            SENDING => Trouble::passing(format!("{why} before the message was out")),
            _ => Trouble::Lost { error: format!("{why} before the receiver answered") },
        }
    }
}
