//! Serving, and on which addresses.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use steplog_protocol::{ErrorDetail, ErrorKind};
use tokio::net::TcpListener;

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
/// The listener's address needs accounts and there are none, or the listener broke.
pub async fn serve(
    listener: TcpListener,
    state: ServerState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    check_address(&state, listener.local_addr()?.ip()).map_err(ServeError::Address)?;
    let service = router(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let (stop, mut stopping) = (state.clone(), state.stopping());
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        shutdown.await;
        stop.stop();
    });
    let patience = async move {
        // The sender lives in the state, which outlives this.
        let _ = stopping.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(STOP_TIMEOUT).await;
    };
    tokio::select! {
        result = serving.into_future() => result?,
        () = patience => tracing::warn!("some requests did not end in time and were cut off"),
    }
    Ok(())
}
