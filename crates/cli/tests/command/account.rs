//! Accounts, and logging in and out.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value as Json, json};

use crate::support::{Done, Place};

fn good(stdout: &str) -> Done {
    Done { code: 0, stdout: stdout.into(), stderr: String::new() }
}

#[test]
fn accounts_are_made_listed_and_removed_in_a_data_directory() {
    let place = Place::new();
    let data = ["--data", "data"];
    let call = |arguments: &[&str], input: &str| place.call_with(&[&["user"], arguments, &data].concat(), input);
    assert_eq!(call(&["add", "ada"], "correct horse\n"), good("made the admin ada (the first account is one)\n"));
    assert_eq!(call(&["add", "bob"], "correct horse\n"), good("made the account bob\n"));
    assert_eq!(
        call(&["add", "Eve"], "correct horse\n").stderr,
        "error: the account name \"Eve\" must be 1 to 64 of a-z, 0-9, _ and -\n"
    );
    assert_eq!(call(&["add", "eve"], "short\n").stderr, "error: the password must have at least 8 characters\n");
    assert_eq!(call(&["add", "bob"], "correct horse\n").code, 1);
    assert_eq!(call(&["list"], ""), good("NAME  ROLE   MADE\nada   admin  just now\nbob          just now\n"));
    assert_eq!(
        call(&["remove", "ada"], "").stderr,
        "error: ada is the last admin: the other accounts could not be managed any more\n"
    );
    assert_eq!(call(&["remove", "bob"], ""), good("removed the account bob\n"));
    assert_eq!(call(&["remove", "bob"], "").code, 1);
}

#[test]
fn login_keeps_a_key_that_scripts_use_and_logout_revokes_it() {
    let place = Place::new();
    place.write_run("digits", "r1", 5);
    place.call_with(&["user", "add", "ada", "--data", "data"], "correct horse\n");
    let server = place.start(&["serve", "--data", "data"]);
    let url = &*server.url;

    let stranger = place.call(&["sync", "--server", url]);
    assert_eq!(stranger.stderr, format!("error: {url} asks for an account\nhint: log in with `steplog login {url}`\n"));
    let wrong = place.call_with(&["login", url], "ada\nwrong horse\n");
    assert_eq!((wrong.code, &*wrong.stderr), (1, "error: the name or the password is wrong\n"));
    assert_eq!(place.call_with(&["login", url], "ada\ncorrect horse\n"), good(&format!("logged in to {url} as ada\n")));

    let file = place.path("config/steplog/credentials.json");
    assert_eq!(std::fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    let credentials: Json = serde_json::from_slice(&std::fs::read(&file).expect("read")).expect("JSON");
    let key = credentials["servers"][url]["api_key"].as_str().expect("a key").to_owned();
    assert_eq!(credentials, json!({ "servers": { url: { "api_key": key, "entity": "ada" } }, "default": url }));

    assert_eq!(place.call(&["sync"]).code, 0);
    let runs = place.call(&["runs", "digits"]);
    assert!(runs.stdout.contains("  ada/digits/r1  "), "{runs:?}");
    assert_eq!(place.call_with(&["user", "add", "bob"], "correct horse\n"), good("made the account bob\n"));
    assert_eq!(place.call(&["user", "list"]).stdout.lines().count(), 3);

    assert_eq!(place.call(&["logout"]), good(&format!("logged out of {url}\n")));
    assert_eq!(
        serde_json::from_slice::<Json>(&std::fs::read(&file).expect("read")).expect("JSON"),
        json!({ "servers": {}, "default": null })
    );
    let revoked = place.call_with(&["login", url, "--key", "-"], &format!("{key}\n"));
    assert_eq!(revoked.stderr.lines().next(), Some("error: the API key is unknown here"));
    assert_eq!(place.call(&["logout", url]).stderr, format!("error: nobody is logged in to {url}\n"));
}

#[test]
fn a_server_without_accounts_needs_no_login() {
    let place = Place::new();
    place.write_run("digits", "r1", 5);
    let server = place.start(&["serve"]);
    let said = format!("{} needs no login; commands and scripts use it from now on\n", server.url);
    assert_eq!(place.call(&["login", &server.url]), good(&said));
    assert_eq!(place.call(&["sync"]).code, 0);
    assert!(place.call(&["runs", "digits"]).stdout.contains("local/digits/r1"));
}
