//! Accounts, sessions and keys over HTTP.

use serde_json::json;

use crate::support::{PASSWORD, TestServer, error};

#[test]
fn the_first_account_closes_the_server() {
    let server = TestServer::start();
    let anonymous = server.client();
    let session = anonymous.get("/session").json();
    assert_eq!(
        session,
        json!({
            "version": env!("CARGO_PKG_VERSION"), "source": "store", "folder": null, "login_required": false,
            "user": null, "default_entity": "local",
        })
    );
    let user = |name: &str, admin: bool| json!({ "name": name, "password": PASSWORD, "admin": admin });
    let first = anonymous.post("/users", &user("bob", false));
    assert_eq!(first.error(), error(400, "invalid", "the first account must be an admin"));
    assert_eq!(anonymous.post("/users", &user("ada", true)).status, 200);
    assert_eq!(anonymous.get("/projects").status, 401);
    assert_eq!(anonymous.post("/users", &user("eve", true)).status, 401);

    let ada = server.browser_of("ada").get("/session").json();
    assert_eq!((&ada["login_required"], &ada["default_entity"]), (&json!(true), &json!("ada")));
    assert_eq!((&ada["user"]["name"], &ada["user"]["admin"]), (&json!("ada"), &json!(true)));
}

#[test]
fn admins_manage_accounts_but_never_lock_themselves_out() {
    let server = TestServer::with_accounts();
    let ada = server.client_of("ada");
    let names = || -> Vec<String> {
        let users = ada.get("/users").json();
        users["users"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|user| user["name"].as_str().expect("a name").into())
            .collect()
    };
    assert_eq!(names(), ["ada", "bob"]);
    let post = |name: &str, password: &str| ada.post("/users", &json!({ "name": name, "password": password }));
    assert_eq!(
        post("Eve", PASSWORD).error(),
        error(400, "invalid", "the account name \"Eve\" must be 1 to 64 of a-z, 0-9, _ and -")
    );
    assert_eq!(post("eve", "short").error(), error(400, "invalid", "the password must have at least 8 characters"));
    assert_eq!(post("bob", PASSWORD).status, 409);
    assert_eq!(ada.delete("/users/ada").error().0, 409);
    assert_eq!(ada.delete("/users/nobody").error().0, 404);

    let bob = server.client_of("bob");
    assert_eq!(bob.get("/projects").status, 200);
    assert_eq!(ada.delete("/users/bob").status, 204);
    assert_eq!(bob.get("/projects").status, 401, "keys go with the account");
    assert_eq!(names(), ["ada"]);
}

#[test]
fn logging_in_and_out() {
    let server = TestServer::with_accounts();
    let anonymous = server.client();
    for (name, password) in [("ada", "wrong horse"), ("nobody", PASSWORD), ("", "")] {
        let answer = anonymous.post("/session", &json!({ "name": name, "password": password }));
        assert_eq!(answer.error(), error(401, "unauthenticated", "the name or the password is wrong"));
        assert_eq!(answer.header("set-cookie"), "");
    }
    let login = anonymous.post("/session", &json!({ "name": "ada", "password": PASSWORD }));
    let cookie = login.header("set-cookie").to_owned();
    assert!(cookie.starts_with("steplog_session="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000"), "{cookie}");
    assert_eq!(login.json()["user"]["name"], "ada");

    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let browser = server.client().with("cookie", cookie).with("sec-fetch-site", "same-origin".into());
    assert_eq!(browser.get("/projects").status, 200);
    let logout = browser.delete("/session");
    assert_eq!(logout.status, 204);
    assert_eq!(logout.header("set-cookie"), "steplog_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    assert_eq!(browser.get("/projects").status, 401, "the session is gone on the server too");
    assert_eq!(browser.get("/session").json()["user"], json!(null));
}

#[test]
fn guessing_passwords_is_slowed_down() {
    let server = TestServer::with_accounts();
    let attempt =
        |name: &str, password: &str| server.client().post("/session", &json!({ "name": name, "password": password }));
    for _ in 0..6 {
        assert_eq!(attempt("ada", "wrong horse").status, 401);
    }
    let refused = attempt("ada", PASSWORD);
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["error"]["kind"], "unavailable");
    let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=3).contains(&seconds), "{seconds}");
    assert_eq!(attempt("bob", PASSWORD).status, 200, "others log in as before");
}

#[test]
fn keys_are_shown_once_and_work_until_revoked() {
    let server = TestServer::with_accounts();
    let (ada, bob) = (server.browser_of("ada"), server.browser_of("bob"));
    let created = ada.post("/api-keys", &json!({ "label": "laptop" })).json();
    let secret = created["secret"].as_str().expect("a key");
    let id = created["api_key"]["id"].as_str().expect("an id");
    assert_eq!((secret.len(), &secret[8..16]), (48, id));

    let bearer = server.client().with("authorization", format!("Bearer {secret}"));
    assert_eq!(bearer.get("/session").json()["user"]["name"], "ada");
    use base64::Engine as _;
    let basic = base64::prelude::BASE64_STANDARD.encode(format!("api:{secret}"));
    assert_eq!(server.client().with("authorization", format!("Basic {basic}")).get("/projects").status, 200);

    let listed = ada.get("/api-keys");
    assert!(!listed.text().contains(secret));
    assert_eq!(listed.json()["api_keys"][0]["label"], "laptop");
    assert!(listed.json()["api_keys"][0]["last_used_at"].is_number());
    assert_eq!(bob.get("/api-keys").json(), json!({ "api_keys": [] }));
    assert_eq!(bob.delete(&format!("/api-keys/{id}")).status, 404, "a key is its owner's");
    assert_eq!(ada.delete(&format!("/api-keys/{id}")).status, 204);
    assert_eq!(bearer.get("/projects").status, 401);
    let long = ada.post("/api-keys", &json!({ "label": "x".repeat(65) }));
    assert_eq!(long.error(), error(400, "invalid", "the label is longer than 64 characters"));
}
