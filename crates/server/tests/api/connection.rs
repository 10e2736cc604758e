//! Clients that only hold connections: they cost others nothing.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use steplog_server::ConnectionLimits;

use crate::support::{Journal, TestServer, send_raw};

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Short enough for a test to wait for, and long enough for a request that is sent at once on a busy machine.
fn impatient() -> ConnectionLimits {
    ConnectionLimits { head_timeout: Duration::from_secs(1), ..ConnectionLimits::default() }
}

fn connect(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut connection = TcpStream::connect(address).expect("the server listens");
    connection.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    connection.write_all(bytes).expect("sent");
    connection
}

/// Everything that comes until the server closes.
fn rest(mut connection: TcpStream) -> String {
    let mut answer = String::new();
    match connection.read_to_string(&mut answer) {
        Ok(_) => answer,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => answer,
        Err(error) => panic!("the server does not close: {error}"),
    }
}

#[test]
fn half_a_head_is_not_waited_for() {
    let server = TestServer::limited(impatient());
    let slow: Vec<TcpStream> = [&b""[..], b"GET /heal", &HEALTH[..HEALTH.len() - 2]]
        .iter()
        .map(|head| connect(server.address, head))
        .collect();
    assert_eq!(server.client().get("//healthz").text(), "ok", "a normal request beside them is served");
    for connection in slow {
        assert!(!rest(connection).contains("200 OK"));
    }
    assert_eq!(server.client().get("//healthz").text(), "ok");
}

#[test]
fn a_connection_may_be_idle_for_a_while_only() {
    let server = TestServer::limited(impatient());
    let answer = rest(connect(server.address, HEALTH));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
}

#[test]
fn what_lasts_on_purpose_is_not_cut_off() {
    let server = TestServer::limited(impatient());
    let mut events = server.client().stream("/events");
    let journal = Journal::of("r1", 10);
    let (first, second) = journal.bytes.split_at(journal.bytes.len() / 2);
    let head = format!(
        "POST /api/v1/ingest/local/digits/r1/{}?offset=0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        journal.stream,
        journal.bytes.len()
    );
    let mut upload = connect(server.address, &[head.as_bytes(), first].concat());
    // Longer than a head may take.
    assert_eq!(rest(connect(server.address, b"GET ")), "");
    upload.write_all(second).expect("still open");
    let answer = rest(upload);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let mut event = [0; 12];
    events.read_exact(&mut event).expect("an event");
    assert_eq!(&event, b"event: runs\n");
}

#[test]
fn more_connections_than_may_be_wait_their_turn() {
    let server = TestServer::limited(ConnectionLimits { connections: 2, ..ConnectionLimits::default() });
    let held = [connect(server.address, b"GET "), connect(server.address, b"GET ")];
    let mut waiting = connect(server.address, HEALTH);
    waiting.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    let nothing = waiting.read(&mut [0; 1]).expect_err("no answer yet");
    assert!(matches!(nothing.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{nothing}");
    for connection in held {
        connection.shutdown(Shutdown::Both).expect("closed");
    }
    waiting.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let mut status = [0; 15];
    waiting.read_exact(&mut status).expect("its turn has come");
    assert_eq!(&status, b"HTTP/1.1 200 OK");
    drop(waiting);
    let head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(send_raw(server.address, head).ends_with("\r\n\r\nok"));
}
