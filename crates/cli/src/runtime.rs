//! What the two serving commands share: the runtime, the log, the end.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use steplog_server::{ServerState, serve};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::failure::Refusal;

/// Writes the log to standard error: warnings and what people do; more with `STEPLOG_LOG=debug`.
pub(crate) fn start_log(default: &str) {
    let filter = EnvFilter::try_from_env("STEPLOG_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let is_terminal = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(is_terminal);
    log.with_target(false).compact().init();
}

pub(crate) fn start() -> Result<tokio::runtime::Runtime> {
    raise_file_limit();
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")
}

/// Every watching browser and every training process holds a connection; the usual 1,024 are soon used up.
#[cfg(unix)]
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!("the limit of open files stays as it is: {error}");
    }
}

#[cfg(not(unix))]
fn raise_file_limit() {}

pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Refusal::new(format!("another program listens on {address}"))
            .hint("it may be a steplog server already; or choose another port with `--port`")
            .into(),
        _ => Refusal::new(format!("cannot listen on {address}: {error}")).into(),
    })
}

/// Serves until Ctrl-C or SIGTERM; a second one ends the program at once.
pub(crate) async fn serve_until_told(listener: TcpListener, state: ServerState) -> Result<()> {
    let stop = async {
        told_to_stop().await;
        tracing::info!("stopping");
        tokio::spawn(async {
            told_to_stop().await;
            std::process::exit(130);
        });
    };
    Ok(serve(listener, state, stop).await?)
}

async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).expect("the runtime takes signals");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
