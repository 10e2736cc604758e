//! Who is let through: every route, every kind of caller.

use serde_json::{Value as Json, json};

use crate::support::{Answer, Client, Journal, TestServer, error, send_raw};

/// Every route as the document registers it: method, path with names filled in, declared access.
fn routes() -> Vec<(String, String, String)> {
    let document: Json = serde_json::from_str(&steplog_server::openapi_json()).expect("JSON");
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let access = operation["x-access"].as_str().expect("an access level").to_owned();
            let path = path.strip_prefix("/api/v1").expect("the prefix");
            let path = path.replace("{entity}", "carol").replace("{project}", "p").replace("{run}", "r");
            let path =
                path.replace("{collection}", "c").replace("{version}", "v0").replace("{digest}", &"0".repeat(32));
            let path = path.replace("{sha256}", &"0".repeat(64)).replace("{path}", "a/b.txt");
            let path = path.replace("{stream}", &"0".repeat(32)).replace("{name}", "carol").replace("{id}", "12345678");
            routes.push((method.to_uppercase(), path, access));
        }
    }
    routes
}

fn call(client: &Client, method: &str, path: &str) -> Answer {
    client.send(method, path, if method == "GET" { "" } else { "application/json" }, Vec::new())
}

#[test]
fn every_route_has_a_level() {
    let mut routes = routes();
    routes.sort();
    let listed: Vec<String> = routes.iter().map(|(method, path, access)| format!("{access} {method} {path}")).collect();
    let (stream, hash) = ("0".repeat(32), "0".repeat(64));
    assert_eq!(
        listed,
        [
            "write DELETE /alert-channels/carol/12345678",
            "account DELETE /api-keys/12345678",
            "write DELETE /artifacts/carol/p/c",
            "write DELETE /artifacts/carol/p/c/versions/v0",
            "write DELETE /runs/carol/p/r",
            "write DELETE /runs/carol/p/r/files/a/b.txt",
            "public DELETE /session",
            "admin DELETE /users/carol",
            "write GET /alert-channels/carol",
            "account GET /api-keys",
            &format!("read GET /artifact-digests/carol/p/{stream}"),
            "read GET /artifacts/carol",
            "read GET /artifacts/carol/p",
            "read GET /artifacts/carol/p/c",
            "read GET /artifacts/carol/p/c/versions",
            "read GET /artifacts/carol/p/c/versions/v0",
            "read GET /artifacts/carol/p/c/versions/v0/diff",
            "read GET /artifacts/carol/p/c/versions/v0/entries",
            "read GET /artifacts/carol/p/c/versions/v0/files/a/b.txt",
            "read GET /artifacts/carol/p/c/versions/v0/lineage",
            "read GET /artifacts/carol/p/c/versions/v0/manifest",
            "read GET /artifacts/carol/p/c/versions/v0/runs",
            &format!("write GET /blobs/carol/{hash}"),
            "read GET /events",
            &format!("write GET /ingest/carol/p/r/{stream}"),
            "public GET /openapi.json",
            "read GET /projects",
            "read GET /runs/carol/p/r",
            "read GET /runs/carol/p/r/artifacts",
            "read GET /runs/carol/p/r/console",
            "read GET /runs/carol/p/r/files",
            "read GET /runs/carol/p/r/files/a/b.txt",
            "read GET /runs/carol/p/r/history",
            "read GET /runs/carol/p/r/resume",
            "read GET /runs/carol/p/r/system",
            "public GET /session",
            "admin GET /users",
            "write PATCH /alert-channels/carol/12345678",
            "write PATCH /artifacts/carol/p/c",
            "write PATCH /artifacts/carol/p/c/versions/v0",
            "write PATCH /runs/carol/p/r",
            "write POST /alert-channels/carol",
            "write POST /alert-channels/carol/12345678/test",
            "write POST /alert-deliveries/carol/12345678/send",
            "read POST /alerts/query",
            "account POST /api-keys",
            "write POST /artifacts/carol/p/c/links",
            "write POST /artifacts/carol/p/c/versions",
            "write POST /artifacts/carol/p/c/versions/v0/verify",
            "write POST /blobs/carol",
            "write POST /blobs/carol/missing",
            "read POST /console/query",
            &format!("write POST /ingest/carol/p/r/{stream}"),
            "read POST /keys/query",
            "read POST /runs/query",
            "read POST /series",
            "public POST /session",
            "admin POST /users",
            &format!("write PUT /blobs/carol/{hash}"),
            "write PUT /runs/carol/p/r/files/a/b.txt",
        ]
    );
}

#[test]
fn strangers_are_refused_everywhere_unless_declared_public() {
    let server = TestServer::with_accounts();
    let wrong_key = server.client().with("authorization", format!("Bearer steplog-{}", "0".repeat(40)));
    let wrong_cookie =
        server.client().with("cookie", "steplog_session=0123".into()).with("sec-fetch-site", "same-origin".into());
    for (method, path, access) in routes() {
        let anonymous = call(&server.client(), &method, &path);
        let is_refused = anonymous.status == 401;
        assert_eq!(is_refused, access != "public", "{method} {path}: {}", anonymous.text());
        if is_refused {
            assert_eq!(anonymous.error(), error(401, "unauthenticated", "this needs an account"), "{method} {path}");
            assert_eq!(anonymous.header("www-authenticate"), "Bearer");
            assert_eq!(call(&wrong_cookie, &method, &path).status, 401, "{method} {path}");
        }
        let answer = call(&wrong_key, &method, &path);
        assert_eq!(answer.error(), error(401, "unauthenticated", "the API key is unknown here"), "{method} {path}");
    }
}

#[test]
fn users_read_everything_and_write_their_own_only() {
    let server = TestServer::with_accounts();
    let (ada, bob) = (server.client_of("ada"), server.client_of("bob"));
    for (method, path, access) in routes() {
        let answer = call(&bob, &method, &path);
        let is_refused = answer.status == 403;
        assert_eq!(is_refused, matches!(&*access, "write" | "admin"), "{method} {path}: {}", answer.text());
        if access == "write" {
            let message = "bob may not write to the runs of carol";
            assert_eq!(answer.error(), error(403, "forbidden", message), "{method} {path}");
            let own = call(&bob, &method, &path.replace("/carol", "/bob"));
            assert!(!matches!(own.status, 401 | 403), "{method} {path}: {}", own.text());
        }
        assert!(!matches!(call(&ada, &method, &path).status, 401 | 403), "{method} {path}");
    }
    let journal = Journal::of("r1", 3);
    assert_eq!(bob.ingest("bob/digits/r1", &journal, 0, &journal.bytes).status, 200);
    assert_eq!(ada.get("/runs/bob/digits/r1").status, 200);
    assert_eq!(ada.patch("/runs/bob/digits/r1", &json!({ "notes": "seen" })).status, 200);
}

#[test]
fn a_cookie_writes_only_from_our_own_page() {
    let server = TestServer::with_accounts();
    let cookie = {
        let login = server.client().post("/session", &json!({ "name": "ada", "password": crate::support::PASSWORD }));
        login.header("set-cookie").split(';').next().expect("a cookie").to_owned()
    };
    let browser = server.client().with("cookie", cookie);
    let host = server.address.to_string();
    let attempts = [
        (None, 403),
        (Some(("origin", format!("http://{host}"))), 200),
        (Some(("origin", "http://evil.example".to_owned())), 403),
        (Some(("origin", "null".to_owned())), 403),
        (Some(("sec-fetch-site", "same-origin".to_owned())), 200),
        (Some(("sec-fetch-site", "cross-site".to_owned())), 403),
        (Some(("sec-fetch-site", "same-site".to_owned())), 403),
    ];
    for (header, status) in attempts {
        let client = header.clone().map_or(browser.clone(), |(name, value)| browser.clone().with(name, value));
        assert_eq!(client.post("/api-keys", &json!({})).status, status, "{header:?}");
        assert_eq!(client.get("/projects").status, 200, "{header:?}");
    }
}

#[test]
fn without_accounts_everybody_on_this_machine_may_do_everything_but_other_sites() {
    let server = TestServer::start();
    let stale_key = server.client().with("authorization", "Bearer steplog-of-another-server".into());
    for (method, path, access) in routes() {
        let (answer, local) = (call(&server.client(), &method, &path), call(&stale_key, &method, &path));
        assert!(!matches!(answer.status, 401 | 403), "{method} {path}: {}", answer.text());
        assert!(!matches!(local.status, 401 | 403), "{method} {path}: {}", local.text());
        if access == "account" {
            let message = "this server has no accounts, so there are no keys and nobody logs in";
            let body_comes_first = method == "POST";
            assert!(body_comes_first || answer.error() == error(409, "conflict", message), "{method} {path}");
        }
        if method != "GET" {
            let foreign = server.client().with("origin", "http://evil.example".into());
            let message = "the request comes from a page of another site";
            assert_eq!(call(&foreign, &method, &path).error(), error(403, "forbidden", message), "{method} {path}");
        }
    }
}

#[test]
fn without_accounts_foreign_host_names_are_refused_on_every_path() {
    let server = TestServer::start();
    let status = |path: &str, host: &str| {
        let request = format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        let answer = send_raw(server.address, request.as_bytes());
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let port = server.address.port();
    for path in ["/", "/api/v1/session", "/api/v1/projects", "/healthz", "/assets/x.js"] {
        assert_eq!(status(path, "Host: evil.example\r\n"), "403", "{path}");
        assert_eq!(status(path, &format!("Host: evil.example:{port}\r\n")), "403", "{path}");
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            assert_ne!(status(path, &format!("Host: {host}:{port}\r\n")), "403", "{path} {host}");
        }
    }
    assert_eq!(status("/api/v1/session", ""), "403");

    let secured = TestServer::with_accounts();
    let request = "GET /api/v1/session HTTP/1.1\r\nHost: tracker.example\r\nConnection: close\r\n\r\n";
    assert!(send_raw(secured.address, request.as_bytes()).starts_with("HTTP/1.1 200"));
}
