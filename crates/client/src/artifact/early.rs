//! Sending the files of a draft while others are still read, when it is known which run will log it.
//!
//! This only makes it faster: what did not arrive, for whatever reason, is sent once the artifact is logged, like everything
//! else. What is never logged the server removes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use steplog_model::Entity;
use steplog_protocol::MAX_BLOBS_AT_ONCE;

use super::bytes::{Blob, send_missing};
use super::ship::{ShipError, ShipPulse};
use crate::fork;
use crate::transport::ArtifactTransport;

/// What a thread is given that sends it, until this is dropped.
#[derive(Debug)]
pub(crate) struct EarlySender {
    blobs: Sender<Blob>,
    pulse: Arc<ShipPulse>,
    generation: u32,
}

/// The thread of an [`EarlySender`].
pub(crate) struct EarlyThread {
    handle: JoinHandle<()>,
    pulse: Arc<ShipPulse>,
}

impl EarlyThread {
    /// Whether its sender is gone: it ends with the requests that are on their way.
    pub(crate) fn is_ending(&self) -> bool {
        self.pulse.stop.load(Ordering::Relaxed)
    }

    /// Waits for its end.
    pub(crate) fn join(self) {
        // One that panicked has said so, and what it did not send is sent by others.
        let _ = self.handle.join();
    }
}

impl EarlySender {
    /// Begins a thread; `None` if there can be none.
    pub(crate) fn start(
        entity: Entity,
        transport: impl ArtifactTransport + Send + 'static,
    ) -> Option<(Self, EarlyThread)> {
        let (blobs, offered) = channel();
        let pulse = Arc::<ShipPulse>::default();
        let told = pulse.clone();
        let run = move || send_offered(&offered, &entity, &transport, &told);
        let handle = thread::Builder::new().name("steplog-early".into()).spawn(run).ok()?;
        let thread = EarlyThread { handle, pulse: pulse.clone() };
        Some((Self { blobs, pulse, generation: fork::generation() }, thread))
    }

    /// Lets bytes be sent.
    pub(crate) fn offer(&self, blob: Blob) {
        // A forked child has no such thread, and one that has met an error has ended.
        if self.generation == fork::generation() {
            let _ = self.blobs.send(blob);
        }
    }
}

impl Drop for EarlySender {
    fn drop(&mut self) {
        self.pulse.stop.store(true, Ordering::Relaxed);
    }
}

fn send_offered(offered: &Receiver<Blob>, entity: &Entity, transport: &dyn ArtifactTransport, pulse: &ShipPulse) {
    while let Ok(first) = offered.recv() {
        // As many as have come while others were sent.
        let mut blobs = vec![first];
        blobs.extend(offered.try_iter().take(MAX_BLOBS_AT_ONCE - 1));
        match send_missing(blobs, entity, transport, pulse) {
            // A file that was changed is found out by whoever logs it.
            Ok(()) | Err(ShipError::Local(_)) => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::bytes::Place;
    use crate::artifact::fake_server::{FakeServer, Fault};
    use crate::artifact::hash::Hashed;
    use crate::run::lock;

    fn blob(bytes: &[u8]) -> Blob {
        let Hashed { sha256, size_bytes, .. } = Hashed::of(bytes);
        Blob { hash: sha256, size_bytes, received_bytes: 0, place: Place::Memory(Arc::new(bytes.to_vec())) }
    }

    fn send_all(server: &FakeServer, blobs: impl IntoIterator<Item = Blob>) {
        let (sender, offered) = channel();
        blobs.into_iter().for_each(|blob| sender.send(blob).unwrap());
        drop(sender);
        send_offered(&offered, &"ada".parse().unwrap(), server, &ShipPulse::default());
    }

    #[test]
    fn what_is_offered_comes_once_and_what_cannot_be_read_is_left_out() {
        let server = FakeServer::default();
        let contents: Vec<Vec<u8>> = (0..50u8).map(|number| vec![number; 100]).collect();
        let nowhere = Blob { place: Place::Nowhere, ..blob(b"gone") };
        send_all(&server, [blob(&contents[0]), blob(&contents[1])]);
        send_all(&server, [nowhere]);
        send_all(&server, contents.iter().chain(&contents).map(|content| blob(content)));
        let state = lock(&server.state);
        let mut there: Vec<Vec<u8>> = state.blobs.values().cloned().collect();
        there.sort();
        assert_eq!((there, state.wasted_bytes), (contents, 0));
    }

    #[test]
    fn it_ends_with_the_first_request_that_is_lost() {
        let server = FakeServer::failing([(0, Fault::RequestLost)]);
        send_all(&server, [blob(b"one")]);
        assert_eq!((lock(&server.state).blobs.len(), server.requests.load(Ordering::Relaxed)), (0, 1));
    }
}
