//! Serving, and on which addresses.

use std::net::IpAddr;
use std::time::Duration;

use steplog_protocol::{ErrorDetail, ErrorKind, ServerSource};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::connection::{ConnectionLimits, Connections};
use crate::delivery::Dispatcher;
use crate::router::router;
use crate::state::ServerState;

/// The port unless told otherwise.
pub const DEFAULT_PORT: u16 = 7837;

/// How long requests may go on once the server is told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether this server may be reached at an address: without accounts only from this machine.
///
/// # Errors
/// It may not; the message says what to do.
pub fn check_address(state: &ServerState, address: IpAddr) -> Result<(), ErrorDetail> {
    if address.is_loopback() || state.has_accounts() {
        return Ok(());
    }
    Err(ErrorDetail {
        kind: ErrorKind::Forbidden,
        message: format!("a server without accounts listens only on this machine, not on {address}"),
        hint: Some(
            "make an account with `steplog user add NAME`, or start with `--admin NAME` and the password in \
             STEPLOG_ADMIN_PASSWORD"
                .into(),
        ),
    })
}

/// Why a server ended other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address needs accounts; see [`check_address`].
    #[error("{}", .0.message)]
    Address(ErrorDetail),
    /// The listener broke.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Answers requests until `shutdown` is ready, then lets running requests end for up to ten seconds. The store stays
/// open: closing it is the caller's.
///
/// # Errors
/// The listener's address needs accounts and there are none, or the listener has no address.
pub async fn serve(
    listener: TcpListener,
    state: ServerState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    serve_with_limits(listener, state, ConnectionLimits::default(), shutdown).await
}

/// As [`serve`], with other limits on connections than the usual.
///
/// # Errors
/// As [`serve`].
pub async fn serve_with_limits(
    listener: TcpListener,
    state: ServerState,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    check_address(&state, listener.local_addr()?.ip()).map_err(ServeError::Address)?;
    let connections = Connections::new(router(state.clone()), limits);
    // What a folder shows was told elsewhere.
    let dispatcher = (state.source() == ServerSource::Store).then(|| Dispatcher::start(state.clone()));
    tokio::select! {
        () = connections.accept(&listener) => {}
        () = shutdown => {}
    }
    // Nobody new gets in, and who waits is told at once.
    drop(listener);
    state.stop();
    if timeout(STOP_TIMEOUT, connections.finish()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    if let Some(dispatcher) = dispatcher {
        dispatcher.finish().await;
    }
    Ok(())
}
