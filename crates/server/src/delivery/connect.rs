//! Connections to receivers: to the very address that was checked, encrypted where the URL says so.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::PrivateHosts;
use super::attempt::Trouble;
use super::target::{Target, Unreachable, private};

/// How long one address may take to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to a receiver, plain or encrypted, that counts what was written to it.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    written: Arc<AtomicUsize>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to a target.
pub(super) async fn connect(target: &Target, allowed: &PrivateHosts) -> Result<Connection, Trouble> {
    let addresses = target.addresses(allowed).await.map_err(|unreachable| match unreachable {
        Unreachable::Private(message) => Trouble::lasting(message),
        Unreachable::Unresolved(message) => Trouble::passing(message),
    })?;
    let mut last = String::new();
    for address in addresses {
        let stream = match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                last = reason(&error);
                continue;
            }
            Err(_) => {
                last = "it does not answer".into();
                continue;
            }
        };
        // A public address may be this machine's own.
        let is_here = stream.local_addr().is_ok_and(|here| here.ip() == address.ip());
        if is_here && !allowed.allow(&target.host, std::net::Ipv4Addr::LOCALHOST.into()) {
            return Err(Trouble::lasting(private(&target.host)));
        }
        return encrypt(stream, target).await;
    }
    Err(Trouble::passing(format!("cannot connect to {}: {last}", target.host)))
}

async fn encrypt(stream: TcpStream, target: &Target) -> Result<Connection, Trouble> {
    let host = &target.host;
    let written = Arc::<AtomicUsize>::default();
    if !target.is_https() {
        return Ok(Connection { stream: Box::new(stream), written });
    }
    let name = ServerName::try_from(host.clone())
        .map_err(|_| Trouble::lasting(format!("no certificate can be for the name {host}")))?;
    match TlsConnector::from(tls()).connect(name, stream).await {
        Ok(stream) => Ok(Connection { stream: Box::new(stream), written }),
        Err(error) => Err(Trouble::passing(format!("no secure connection to {host}: {}", reason(&error)))),
    }
}

/// Certificates are checked against the system's roots (and `SSL_CERT_FILE`), or Mozilla's where the system has none. Read at
/// the first need: many servers send nothing.
fn tls() -> Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let make = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("the provider has the usual versions");
        Arc::new(config.with_root_certificates(roots).with_no_client_auth())
    };
    CONFIG.get_or_init(make).clone()
}

/// What went wrong with a connection, in few words.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "it refuses connections".into(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => "it closed the connection".into(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no way to it".into(),
        io::ErrorKind::TimedOut => "it does not answer".into(),
        _ => error.to_string(),
    }
}

impl Connection {
    /// How many bytes were written, before encryption; counts on as long as the connection is used.
    pub(super) fn written(&self) -> Arc<AtomicUsize> {
        self.written.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = result {
            self.written.fetch_add(count, Ordering::AcqRel);
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
