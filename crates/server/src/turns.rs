//! Parts of large blobs that come before it is their turn.
//!
//! An upload only grows at its end, and a client sends several parts at once so that nobody waits for the other. A part
//! that is ahead of what is here waits for its turn without a thread. It is read meanwhile if it is one of the next, and
//! there is room for it: that room is apart from that of the parts whose turn it is, so that these never wait for those
//! that wait for them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use steplog_model::{ContentHash, Entity};
use steplog_protocol::{BlobStatus, MAX_PART_BYTES};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, timeout_at};

/// So many parts are held in memory until it is their turn, of all uploads together.
const MAX_AHEAD: usize = 8;

/// A part that begins further ahead is not read before its turn.
const WINDOW_BYTES: u64 = 4 * MAX_PART_BYTES as u64;

/// How long a part waits while nothing comes in before it.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a part waits in all.
const MAX_WAIT: Duration = Duration::from_secs(30);

type Key = (Entity, ContentHash);

/// Everything that waits.
pub(crate) struct Turns {
    /// How far the uploads are that somebody waits for.
    waiting: Mutex<HashMap<Key, watch::Sender<u64>>>,
    room: Semaphore,
    patience: Duration,
    max_wait: Duration,
}

impl Default for Turns {
    fn default() -> Self {
        let (waiting, room) = (Mutex::default(), Semaphore::new(MAX_AHEAD));
        Self { waiting, room, patience: PATIENCE, max_wait: MAX_WAIT }
    }
}

/// The place in a queue of a part.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    key: Key,
    /// Emptied when this is dropped.
    progress: Option<watch::Receiver<u64>>,
}

impl Turns {
    /// Stands in the queue of an upload. To be called before it is asked how far the upload is, so that nothing is missed.
    pub(crate) fn queue(&self, entity: &Entity, hash: ContentHash) -> Turn<'_> {
        let key = (entity.clone(), hash);
        let mut waiting = self.waiting();
        let progress = waiting.entry(key.clone()).or_insert_with(|| watch::Sender::new(0)).subscribe();
        drop(waiting);
        Turn { turns: self, key, progress: Some(progress) }
    }

    /// Tells those who wait how far an upload is now; `None` when it came to an end that was not meant.
    pub(crate) fn advance(&self, entity: &Entity, hash: ContentHash, status: Option<&BlobStatus>) {
        if let Some(progress) = self.waiting().get(&(entity.clone(), hash)) {
            // At the end everybody may ask what has become of it.
            let received = status.filter(|status| !status.complete).map_or(u64::MAX, |status| status.received_bytes);
            progress.send_replace(received);
        }
    }

    /// Room to read a part in before its turn, when it is one of the next.
    pub(crate) fn room(&self, offset: u64, received: u64) -> Option<SemaphorePermit<'_>> {
        let is_near = offset.saturating_sub(received) <= WINDOW_BYTES;
        is_near.then(|| self.room.try_acquire().ok()).flatten()
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Key, watch::Sender<u64>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Waits until the upload has come to `offset`, or has ended; `false` when that takes too long.
    pub(crate) async fn wait(&mut self, offset: u64) -> bool {
        let Some(progress) = &mut self.progress else { return false };
        let give_up = Instant::now() + self.turns.max_wait;
        loop {
            let deadline = give_up.min(Instant::now() + self.turns.patience);
            match timeout_at(deadline, progress.changed()).await {
                Ok(Ok(())) if *progress.borrow_and_update() >= offset => return true,
                Ok(Ok(())) if Instant::now() < give_up => {}
                _ => return false,
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut waiting = self.turns.waiting();
        self.progress = None;
        if waiting.get(&self.key).is_some_and(|progress| progress.receiver_count() == 0) {
            waiting.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Key {
        ("ada".parse().expect("a name"), ContentHash::from_bytes([1; 32]))
    }

    fn received(received_bytes: u64) -> BlobStatus {
        BlobStatus { received_bytes, complete: false }
    }

    #[tokio::test]
    async fn a_part_waits_for_its_turn_and_no_longer_than_something_comes() {
        let short = Duration::from_millis(20);
        let turns = Turns { patience: short, max_wait: 2 * short, ..Turns::default() };
        let (ada, hash) = names();
        let mut turn = turns.queue(&ada, hash);
        // What came between the queueing and the waiting counts.
        turns.advance(&ada, hash, Some(&received(8)));
        assert!(turn.wait(8).await);
        assert!(!turn.wait(16).await);
        let busy = async {
            loop {
                turns.advance(&ada, hash, Some(&received(9)));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = busy => unreachable!(),
            came = turn.wait(16) => assert!(!came, "the wait has an end"),
        }
        turns.advance(&ada, hash, None);
        assert!(turn.wait(16).await, "an upload that ended is nothing to wait for");
        drop(turn);
        assert!(turns.waiting().is_empty());
    }

    #[test]
    fn room_is_for_the_next_parts_only() {
        let turns = Turns::default();
        assert!(turns.room(WINDOW_BYTES + 1, 0).is_none());
        let taken: Vec<_> = (0..=MAX_AHEAD).map(|_| turns.room(WINDOW_BYTES + 5, 5)).collect();
        assert_eq!(taken.iter().flatten().count(), MAX_AHEAD);
        drop(taken);
        assert!(turns.room(1, 0).is_some());
    }
}
