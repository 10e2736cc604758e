//! A server for tests, a client for it, and journals to send.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use steplog_journal::{JournalReader, JournalWriter, Keys, WriterOptions};
use steplog_model::{Alert, Record, RunPath, RunStart, StreamId, Value};
use steplog_server::{ConnectionLimits, DeliveryOptions, ServerState, Source, serve_with_limits};
use steplog_store::{Store, StoreOptions};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The password of every account that tests make.
pub(crate) const PASSWORD: &str = "correct horse";

/// A running server; it stops, in order, when dropped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<Store>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _directory: Option<TempDir>,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let store = Store::open(directory.path(), StoreOptions::default()).expect("a store");
        let mut server = Self::over(store, Source::Clients);
        server._directory = Some(directory);
        server
    }

    /// With the admin `ada` and the user `bob`.
    pub(crate) fn with_accounts() -> Self {
        let server = Self::start();
        let anonymous = server.client();
        for (name, admin) in [("ada", true), ("bob", false)] {
            let body = json!({ "name": name, "password": PASSWORD, "admin": admin });
            let client = if admin { anonymous.clone() } else { server.client_of("ada") };
            assert_eq!(client.post("/users", &body).status, 200);
        }
        server
    }

    /// With other limits on connections than the usual.
    pub(crate) fn limited(limits: ConnectionLimits) -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let store = Store::open(directory.path(), StoreOptions::default()).expect("a store");
        let mut server = Self::with_limits(store, Source::Clients, limits, DeliveryOptions::default());
        server._directory = Some(directory);
        server
    }

    /// That sends alerts as `delivery` says.
    pub(crate) fn sending(delivery: DeliveryOptions) -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let mut server = Self::sending_from(directory.path(), delivery);
        server._directory = Some(directory);
        server
    }

    /// The same over the store in a folder.
    pub(crate) fn sending_from(folder: &std::path::Path, delivery: DeliveryOptions) -> Self {
        let store = Store::open(folder, StoreOptions::default()).expect("a store");
        Self::with_limits(store, Source::Clients, ConnectionLimits::default(), delivery)
    }

    pub(crate) fn over(store: Arc<Store>, source: Source) -> Self {
        Self::with_limits(store, source, ConnectionLimits::default(), DeliveryOptions::default())
    }

    fn with_limits(store: Arc<Store>, source: Source, limits: ConnectionLimits, delivery: DeliveryOptions) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (started, starting) = std::sync::mpsc::channel();
        let served = store.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("threads").block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                let state = ServerState::with_delivery(served, source, delivery).expect("a readable store");
                started.send(listener.local_addr().expect("an address")).expect("the test waits");
                serve_with_limits(listener, state, limits, async { drop(stopped.await) }).await.expect("a good end");
            });
        });
        let address = starting.recv().expect("the server starts");
        Self { address, store, stop: Some(stop), thread: Some(thread), _directory: None }
    }

    pub(crate) fn client(&self) -> Client {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(30)));
        Client { agent: config.build().into(), address: self.address, headers: Vec::new() }
    }

    /// A client with a fresh API key of an account.
    pub(crate) fn client_of(&self, name: &str) -> Client {
        let browser = self.browser_of(name);
        let created = browser.post("/api-keys", &json!({ "label": "test" }));
        assert_eq!(created.status, 200, "{}", created.text());
        let secret = created.json()["secret"].as_str().expect("a key").to_owned();
        self.client().with("authorization", format!("Bearer {secret}"))
    }

    /// A client with a session cookie of an account, whose requests come from the server's own page.
    pub(crate) fn browser_of(&self, name: &str) -> Client {
        let login = self.client().post("/session", &json!({ "name": name, "password": PASSWORD }));
        assert_eq!(login.status, 200, "{}", login.text());
        let cookie = login.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        self.client().with("cookie", cookie).with("sec-fetch-site", "same-origin".into())
    }

    pub(crate) fn stop(mut self) {
        self.stop_in_order();
    }

    fn stop_in_order(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ends without a panic");
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop_in_order();
            self.store.close().expect("the store closes");
        }
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Status, kind and message of an error.
    pub(crate) fn error(&self) -> (u16, String, String) {
        let json = self.json();
        let member = |name: &str| json["error"][name].as_str().unwrap_or_else(|| panic!("no error: {json}")).to_owned();
        (self.status, member("kind"), member("message"))
    }
}

pub(crate) fn error(status: u16, kind: &str, message: &str) -> (u16, String, String) {
    (status, kind.to_owned(), message.to_owned())
}

impl Client {
    pub(crate) fn with(mut self, name: &str, value: String) -> Self {
        self.headers.push((name.to_owned(), value));
        self
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", Vec::new())
    }

    pub(crate) fn post(&self, path: &str, body: &Json) -> Answer {
        self.send("POST", path, "application/json", body.to_string().into_bytes())
    }

    pub(crate) fn patch(&self, path: &str, body: &Json) -> Answer {
        self.send("PATCH", path, "application/json", body.to_string().into_bytes())
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, "", Vec::new())
    }

    pub(crate) fn ingest(&self, run: &str, journal: &Journal, offset: usize, bytes: &[u8]) -> Answer {
        let path = format!("/ingest/{run}/{}?offset={offset}", journal.stream);
        self.send("POST", &path, "application/vnd.steplog.journal", bytes.to_vec())
    }

    /// Sends anything; a path that begins with `//` does not stand below `/api/v1`.
    pub(crate) fn send(&self, method: &str, path: &str, media_type: &str, body: Vec<u8>) -> Answer {
        let path =
            path.strip_prefix('/').filter(|path| path.starts_with('/')).map_or(format!("/api/v1{path}"), str::to_owned);
        let mut request = ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !media_type.is_empty() {
            request = request.header("content-type", media_type);
        }
        let request = request.body(body).expect("a good request");
        let response = self.agent.run(request).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let (parts, mut body) = response.into_parts();
        // A stream of events has no end.
        let has_end = parts.headers.get("content-type").is_none_or(|media_type| media_type != "text/event-stream");
        let body = body.with_config().limit(1 << 30);
        let body = if has_end { body.read_to_vec().expect("a whole body") } else { Vec::new() };
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// A body that comes line by line.
    pub(crate) fn stream(&self, path: &str) -> impl std::io::Read + use<> {
        let mut request = self.agent.get(format!("http://{}/api/v1{path}", self.address));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.call().expect("an answer").into_body().into_reader()
    }
}

/// Sends bytes as they are, and answers all that comes back until the server closes.
pub(crate) fn send_raw(address: SocketAddr, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(address).expect("the server listens");
    // The server may refuse before it has read everything.
    let _ = connection.write_all(request);
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The bytes of a journal.
pub(crate) struct Journal {
    pub(crate) stream: StreamId,
    pub(crate) bytes: Vec<u8>,
}

impl Journal {
    /// The run `digits/RUN` that tells people these titles, now.
    pub(crate) fn of_alerts(run: &str, titles: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let stream = StreamId::generate();
        let mut writer = write_journal(&folder.path().join("j"), stream, &start("digits", run), 1, false);
        for title in titles {
            let (title, text) = ((*title).to_owned(), format!("<b>{title}</b>"));
            let alert = Alert { time: unix_time(), title, text, level: Default::default(), wait_millis: 0 };
            writer.append_record(&Record::Alert(alert)).expect("written");
        }
        let bytes = JournalReader::new(folder.path().join("j")).read(0, 1 << 30).expect("a good journal").bytes;
        Self { stream, bytes }
    }

    /// The run `digits/RUN` with `rows` rows `{"loss": 1 / (step + 1)}`, and its end.
    pub(crate) fn of(run: &str, rows: i64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let stream = StreamId::generate();
        write_journal(&folder.path().join("j"), stream, &start("digits", run), rows, true);
        let bytes = JournalReader::new(folder.path().join("j")).read(0, 1 << 30).expect("a good journal").bytes;
        Self { stream, bytes }
    }
}

pub(crate) fn start(project: &str, run: &str) -> RunStart {
    RunStart {
        name: Some(format!("the run {run}")),
        tags: Some(vec!["test".into()]),
        host: Some("host".into()),
        process_id: Some(7),
        ..RunStart::new(run.parse().expect("a run id"), project.parse().expect("a project"), unix_time())
    }
}

/// Writes a journal as a client does; it stays unclosed unless `ends`.
pub(crate) fn write_journal(
    folder: &std::path::Path,
    stream: StreamId,
    start: &RunStart,
    rows: i64,
    ends: bool,
) -> JournalWriter {
    let mut writer = JournalWriter::create(folder, stream, WriterOptions::default()).expect("a journal");
    writer.append_record(&Record::RunStart(Box::new(start.clone()))).expect("written");
    append_rows(&mut writer, 0..rows);
    if ends {
        writer.append_record(&Record::Exit { time: unix_time(), code: 0 }).expect("written");
    }
    writer
}

pub(crate) fn append_rows(writer: &mut JournalWriter, steps: std::ops::Range<i64>) {
    let mut keys = Keys::default();
    let loss = keys.intern("loss").expect("a key");
    for step in steps {
        let value = Value::Float(1.0 / (step + 1) as f64);
        writer.append_row(step, unix_time(), true, &[(loss, value)], &keys).expect("written");
    }
}

pub(crate) fn unix_time() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

/// Waits until something holds, for at most a minute.
pub(crate) fn wait_until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = holds() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn path(run: &str) -> RunPath {
    run.parse().expect("a run path")
}
