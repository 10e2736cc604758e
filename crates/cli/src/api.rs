//! Calls of the HTTP API.

use std::io::Read;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;
use steplog_protocol::{ErrorBody, Session};
use ureq::http::Response;
use ureq::{Body, RequestBuilder};

use crate::failure::Refusal;
use crate::server::Server;

/// Longest JSON answer that is read, in bytes.
const MAX_JSON_BYTES: u64 = 256 << 20;

/// A server's API.
pub(crate) struct Api {
    agent: ureq::Agent,
    url: String,
    /// Headers of every request: who we are.
    headers: Vec<(&'static str, String)>,
}

impl Api {
    pub(crate) fn new(server: &Server) -> Self {
        let headers = server.api_key.iter().map(|key| ("authorization", format!("Bearer {key}"))).collect();
        Self::with_headers(&server.url, headers)
    }

    fn with_headers(url: &str, headers: Vec<(&'static str, String)>) -> Self {
        // No limit on a whole call: an export may take long. A server that is silent for a minute is gone.
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .user_agent(concat!("steplog/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), url: url.to_owned(), headers }
    }

    /// Logs in as a browser does; the answer's cookie stands for the account.
    pub(crate) fn log_in(url: &str, name: &str, password: &str) -> Result<Self> {
        let anonymous = Self::with_headers(url, Vec::new());
        let request = anonymous.agent.post(anonymous.address("/session"));
        let body = serde_json::json!({ "name": name, "password": password });
        let response = anonymous.check(request.send_json(body))?;
        let cookie = response.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
        // Who sends a cookie says from where: the server takes it for a browser.
        Ok(Self::with_headers(url, vec![("cookie", cookie), ("sec-fetch-site", "same-origin".into())]))
    }

    pub(crate) fn session(&self) -> Result<Session> {
        self.get("/session")
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.json(self.prepare(self.agent.get(self.address(path))).call())
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.json(self.prepare(self.agent.post(self.address(path))).send_json(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Result<()> {
        self.check(self.prepare(self.agent.delete(self.address(path))).call()).map(drop)
    }

    /// Reads a file as it comes.
    pub(crate) fn download(&self, path: &str) -> Result<impl Read + use<>> {
        let response = self.check(self.prepare(self.agent.get(self.address(path))).call())?;
        Ok(response.into_body().into_with_config().limit(u64::MAX).reader())
    }

    fn address(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.url)
    }

    fn prepare<T>(&self, request: RequestBuilder<T>) -> RequestBuilder<T> {
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    fn json<T: DeserializeOwned>(&self, response: Result<Response<Body>, ureq::Error>) -> Result<T> {
        let mut body = self.check(response)?.into_body();
        let bytes = body.with_config().limit(MAX_JSON_BYTES).read_to_vec().map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&bytes).map_err(|_| self.foreign().into())
    }

    fn check(&self, response: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>> {
        let mut response = response.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let bytes = response.body_mut().with_config().limit(1 << 20).read_to_vec().unwrap_or_default();
        match serde_json::from_slice::<ErrorBody>(&bytes) {
            Ok(body) => Err(Refusal::from(body.error).into()),
            Err(_) => Err(self.foreign().into()),
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> anyhow::Error {
        Unreachable(format!("no server answers at {}: {error}", self.url)).into()
    }

    fn foreign(&self) -> Refusal {
        Refusal::new(format!("what answers at {} is not a steplog server", self.url))
    }
}

/// Nobody answered.
#[derive(Debug)]
pub(crate) struct Unreachable(String);

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreachable {}
