//! What the two serving commands share: the runtime, the log, the end.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::time::Duration;

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

/// Gives the process as many heaps as it has cores, and two at least. To be called before the first thread starts: the C
/// library would make eight for each core as threads come, and each keeps what a large answer once needed.
pub(crate) fn limit_heaps() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let cores = std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 64));
        // SAFETY: `mallopt` takes two numbers and touches nothing but settings of the allocator, under its own lock.
        let limited = unsafe { libc::mallopt(libc::M_ARENA_MAX, cores as libc::c_int) };
        if limited == 0 {
            tracing::debug!("the number of heaps stays as it is");
        }
    }
}

/// How long work that cannot be broken off, such as asking the name service, may hold up the end.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a server on threads of its own.
pub(crate) fn block_on(server: impl Future<Output = Result<()>>) -> Result<()> {
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let served = runtime.block_on(server);
    runtime.shutdown_timeout(STOP_TIMEOUT);
    served
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
pub(crate) async fn serve_until_told(listener: TcpListener, state: ServerState, mut signals: Signals) -> Result<()> {
    let stop = async move {
        signals.wait().await;
        tracing::info!("stopping");
        tokio::spawn(async move {
            signals.wait().await;
            std::process::exit(130);
        });
    };
    Ok(serve(listener, state, stop).await?)
}

/// Ctrl-C and SIGTERM, caught from the moment this is made: to be made before anybody is told that the server is there.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn watch() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let watch = |kind| signal(kind).expect("the runtime takes signals");
        Self { interrupt: watch(SignalKind::interrupt()), terminate: watch(SignalKind::terminate()) }
    }

    #[cfg(unix)]
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn watch() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    async fn wait(&mut self) {
        // Without a console there is nothing to wait for; the process is ended from outside.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
