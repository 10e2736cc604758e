//! Connections: how many there may be, and how long a client may take.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service as _;

/// Files that a server opens for other things than connections: the database, its readers, requests on their way.
const OTHER_FILES: u64 = 256;

/// As many connections are possible however few files the system allows, and no more however many.
const CONNECTIONS: std::ops::RangeInclusive<u64> = 64..=16_384;

/// What clients may take up by merely being connected.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// How many connections may be open; more wait until one is closed.
    pub connections: usize,
    /// How long the head of a request may take, and how long a connection may stay open between two requests.
    pub head_timeout: Duration,
}

impl Default for ConnectionLimits {
    /// As many connections as the process may open files, less some for other files; 75 seconds, as long as
    /// common servers keep idle connections: a client whose connection was closed just as it sends cannot tell why.
    fn default() -> Self {
        let connections = open_files().map_or(*CONNECTIONS.end(), |files| files.saturating_sub(OTHER_FILES));
        let connections = connections.clamp(*CONNECTIONS.start(), *CONNECTIONS.end()) as usize;
        Self { connections, head_timeout: Duration::from_secs(75) }
    }
}

/// How many files the process may open; `None` for no limit.
#[cfg(unix)]
fn open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn open_files() -> Option<u64> {
    None
}

/// All connections of a server.
pub(crate) struct Connections {
    router: Router,
    limits: ConnectionLimits,
    free: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    pub(crate) fn new(router: Router, limits: ConnectionLimits) -> Self {
        let free = Arc::new(Semaphore::new(limits.connections));
        Self { router, limits, free, graceful: GracefulShutdown::new() }
    }

    /// Accepts connections and answers on them, each in a task; never ends.
    pub(crate) async fn accept(&self, listener: &TcpListener) {
        loop {
            let free = self.free.clone().acquire_owned().await.expect("the semaphore is never closed");
            match listener.accept().await {
                Ok((stream, peer)) => self.answer(stream, peer, free),
                // The client has gone already.
                Err(error) if is_of_one_connection(error.kind()) => {}
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    // Other connections have to end first: without a pause this would turn without end.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Lets running requests end, and closes what is idle.
    pub(crate) async fn finish(self) {
        self.graceful.shutdown().await;
    }

    fn answer(&self, stream: TcpStream, peer: SocketAddr, free: OwnedSemaphorePermit) {
        // Answers are written whole: waiting for more to send would only delay their ends.
        let _ = stream.set_nodelay(true);
        let router = self.router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let mut router = router.clone();
            async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {})) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("the connection of {peer} broke: {error}");
            }
            drop(free);
        });
    }
}

fn is_of_one_connection(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
