//! Starting and stopping servers.

use serde_json::Value as Json;
use steplog::artifact::{AddOptions, Artifact};
use steplog::{Mode, Run};

use crate::support::Place;

fn get(url: &str) -> Json {
    ureq::get(url).call().expect("an answer").into_body().read_json().expect("JSON")
}

#[test]
fn a_server_starts_keeps_its_data_and_stops() {
    let place = Place::new();
    place.write_run("digits", "r1", 10);
    let server = place.start(&["serve"]);
    assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    let session = get(&format!("{}/api/v1/session", server.url));
    assert_eq!((&session["source"], &session["login_required"]), (&"store".into(), &false.into()));
    assert_eq!(place.call(&["sync", "--server", &server.url]).code, 0);
    let second = place.call(&["serve", "--port", "0"]);
    assert_eq!(second.code, 1, "one process at a time: {second:?}");
    assert_eq!(server.terminate(), Some(0));

    let server = place.start(&["serve"]);
    let run = get(&format!("{}/api/v1/runs/local/digits/r1", server.url));
    assert_eq!((&run["run"]["row_count"], &run["run"]["state"]), (&10.into(), &"finished".into()));
}

#[test]
fn the_network_needs_an_account_first() {
    let place = Place::new();
    let refused = place.call(&["serve", "--address", "0.0.0.0", "--port", "0"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.ends_with(
            "error: a server without accounts listens only on this machine, not on 0.0.0.0\n\
             hint: make an account with `steplog user add NAME`, or start with `--admin NAME` and the password in \
             STEPLOG_ADMIN_PASSWORD\n"
        ),
        "{}",
        refused.stderr
    );
    let admin = &["serve", "--address", "0.0.0.0", "--admin", "ada"];
    let silent = place.call(admin);
    assert!(silent.stderr.contains("hint: set STEPLOG_ADMIN_PASSWORD"), "{}", silent.stderr);
    let server = place.start_with(admin, &[("STEPLOG_ADMIN_PASSWORD", "correct horse")]);
    let url = server.url.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(get(&format!("{url}/api/v1/session"))["login_required"], true);
    drop(server);
    let again = place.start(admin);
    assert!(again.url.starts_with("http://0.0.0.0:"), "the account is there, no password is needed");
}

#[test]
fn a_folder_is_shown() {
    let place = Place::new();
    place.write_run("digits", "r1", 10);
    let server = place.start(&["ui", "--no-open"]);
    let url = format!("{}/api/v1/runs/local/digits/r1", server.url);
    let is_shown = (0..6000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        ureq::get(&url)
            .call()
            .is_ok_and(|answer| answer.into_body().read_json::<Json>().expect("JSON")["run"]["row_count"] == 10)
    });
    assert!(is_shown, "all rows of the run");
    let session = get(&format!("{}/api/v1/session", server.url));
    let folder = place.work().canonicalize().expect("the folder");
    assert_eq!((&session["source"], &session["folder"]), (&"folder".into(), &folder.to_string_lossy().into()));
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(
        place.call(&["ui", "nowhere"]).stderr.lines().next(),
        Some("error: the folder cannot be read: nowhere: No such file or directory (os error 2)")
    );
}

/// What the Rust SDK writes where there is no server is what a folder is shown with.
#[test]
fn a_folder_shows_the_artifacts_that_scripts_keep_in_it() {
    let place = Place::new();
    let file = place.path("numbers.txt");
    std::fs::write(&file, "1 2 3").expect("written");
    let run = |id: &str| Run::builder("digits").id(id).root(place.work()).mode(Mode::Offline).init().expect("a run");
    let maker = run("maker");
    let dataset = Artifact::new("numbers", "dataset").expect("an artifact");
    dataset.add_file(&file, Some("a/numbers.txt"), &AddOptions::default()).expect("added");
    maker.log_artifact(&dataset, &["best"]).expect("logged");
    maker.finish();
    let user = run("user");
    user.use_artifact("numbers:best", None).expect("used");
    user.finish();

    let server = place.start(&["ui", "--no-open"]);
    let version = format!("{}/api/v1/artifacts/local/digits/numbers/versions/best", server.url);
    let found = (0..6000).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        Some(ureq::get(&version).call().ok()?.into_body().read_json::<Json>().expect("JSON"))
    });
    let found = found.expect("the version is shown");
    assert_eq!((&found["version"], &found["logged_by"]["run_id"]), (&"v0".into(), &"maker".into()));
    let content = ureq::get(format!("{version}/files/a/numbers.txt")).call().expect("an answer");
    assert_eq!(content.into_body().read_to_string().expect("text"), "1 2 3");
    let lineage = get(&format!("{version}/lineage"));
    let mut runs: Vec<_> = lineage["runs"].as_array().expect("runs").iter().map(|run| &run["run_id"]).collect();
    runs.sort_by_key(|run| run.to_string());
    assert_eq!(runs, ["maker", "user"]);
}

#[test]
fn a_port_in_use_is_named() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let done = place.call(&["serve", "--port", &address.port().to_string()]);
    let expected = format!(
        "error: another program listens on {address}\n\
         hint: it may be a steplog server already; or choose another port with `--port`\n"
    );
    assert_eq!((done.code, done.stderr), (1, expected));
}
