//! Artifacts between programs that log and use them, and a server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use steplog::artifact::{Artifact, ArtifactState};
use steplog::{ErrorKind, FinishReport, Mode, Run, RunBuilder, Verbosity};

use crate::support::Place;

/// What the program that a test starts is to do.
const ACT: &str = "STEPLOG_TEST_ACT";
const ROUND: &str = "STEPLOG_TEST_ROUND";
const ROUNDS: u64 = 100;

const NONE: &[&str] = &[];

/// This very program once more, to do what `actor` says, in a place of its own.
fn act(place: &Place, act: &str, url: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    command.args(["--exact", "artifact_run::actor", "--nocapture"]).env(ACT, act).env("STEPLOG_BASE_URL", url);
    command.env("STEPLOG_DIR", place.work()).env("STEPLOG_CACHE_DIR", place.path("cache"));
    command.env("XDG_CONFIG_HOME", place.path("config")).stdout(Stdio::piped());
    command
}

/// Does so, and must succeed.
fn play(place: &Place, what: &str, url: &str) {
    let output = act(place, what, url).output().expect("it runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{what}: {said}");
}

/// Not a test by itself: what the programs do that others start.
#[test]
fn actor() {
    let act = std::env::var(ACT).unwrap_or_default();
    match &*act {
        "" => {}
        "log offline" => log_offline(),
        "use what was sent" => use_what_was_sent(),
        "log online" => log_online(),
        "log on another machine" => log_on_another_machine(),
        "log until killed" => log_until_killed(),
        "look at all" => look_at_all(),
        "log in a child" => log_in_a_child(),
        "log without a key" => log_without_a_key(),
        act => panic!("nobody knows how to {act}"),
    }
}

fn builder(id: &str) -> RunBuilder {
    let builder = Run::builder("digits").id(id).verbosity(Verbosity::Silent);
    builder.system_metrics(false).disable_git(true).finish_timeout(Duration::from_secs(50))
}

fn begin(id: &str, mode: Mode) -> Run {
    builder(id).mode(mode).init().expect("a run")
}

fn draft(files: &[(&str, &[u8])]) -> Artifact {
    let artifact = Artifact::new("data", "dataset").expect("a draft");
    for (path, content) in files {
        let mut file = artifact.new_file(path).expect("a file");
        file.write_all(content).expect("written");
        file.finish().expect("finished");
    }
    artifact
}

fn log(run: &Run, files: &[(&str, &[u8])], aliases: &[&str]) -> Artifact {
    let artifact = draft(files);
    run.log_artifact(&artifact, aliases).expect("logged");
    artifact
}

fn paths(artifact: &Artifact) -> Vec<String> {
    artifact.manifest().expect("a manifest").entries().map(|(path, _)| path.to_string()).collect()
}

fn log_offline() {
    let run = begin("offline", Mode::Offline);
    log(&run, &[("a", b"1"), ("large", &vec![7; 20 << 20])], &["first"]);
    let more = draft(&[("b", b"2")]);
    more.set_incremental(true).expect("a draft");
    run.log_artifact(&more, NONE).expect("logged");
    run.link_artifact(&more, "registry/sets", &["production"]).expect("linked");
    run.finish();
}

fn use_what_was_sent() {
    let run = begin("user", Mode::Online);
    let first = run.use_artifact("data:first", Some("dataset")).expect("it is there");
    assert_eq!((first.name(), paths(&first)), ("data:v0".into(), vec!["a".to_owned(), "large".into()]));
    let newest = run.use_artifact("data", None).expect("it is there");
    assert_eq!((newest.name(), paths(&newest)), ("data:v1".into(), vec!["a".to_owned(), "b".into(), "large".into()]));
    let info = newest.info().expect("a version");
    assert_eq!(info.logged_by.map(|run| run.run_id).as_deref(), Some("offline"));
    let linked = run.use_artifact("registry/sets:production", None).expect("it is linked");
    assert_eq!((linked.name(), linked.digest()), ("sets:v0".into(), newest.digest()));
    assert_eq!(run.finish(), FinishReport::Synced);
}

#[test]
fn what_was_logged_without_a_server_is_sent_by_sync() {
    let place = Place::new();
    play(&place, "log offline", "http://127.0.0.1:1");
    let server = place.start(&["serve"]);
    let status = || {
        let done = place.call(&["status", "--json", "--server", &server.url]);
        let runs: Value = serde_json::from_str(&done.stdout).expect("JSON");
        (done.code, runs[0]["unsent_artifacts"].as_u64(), runs[0]["unsent_artifact_bytes"].as_u64())
    };
    assert_eq!(status(), (1, Some(2), Some((20 << 20) + 2)));
    let table = place.call(&["status", "--server", &server.url]).stdout;
    assert!(table.contains(", 2 artifacts  "), "{table}");

    let synced = place.call(&["sync", "--server", &server.url]);
    assert_eq!((synced.code, &*synced.stderr), (0, ""));
    assert!(synced.stdout.starts_with("sent 21.") || synced.stdout.starts_with("sent 20."), "{synced:?}");
    assert_eq!(status(), (0, Some(0), Some(0)));
    play(&place, "use what was sent", &server.url);
    let again = place.call(&["sync", "--server", &server.url]);
    assert_eq!(again.stdout, format!("{} has everything of 2 runs\n", server.url));
}

fn log_online() {
    let run = begin("online", Mode::Online);
    let first = log(&run, &[("a", b"1")], &["best"]);
    assert_eq!(first.state(), ArtifactState::Pending);
    // What was just logged is waited for.
    let used = run.use_artifact("data:best", None).expect("it is there");
    assert_eq!(
        (used.name(), first.name(), first.state()),
        ("data:v0".into(), "data:v0".into(), ArtifactState::Committed)
    );
    used.set_description("the first").expect("short");
    used.set_tags(["small"]).expect("short");
    used.set_aliases(["latest", "good"]).expect("aliases");
    used.save().expect("saved");
    let found = run.use_artifact("data:good", None).expect("it is there");
    assert_eq!((found.description().as_deref(), found.tags()), (Some("the first"), vec!["small".to_owned()]));
    assert!(run.use_artifact("data:best", None).is_err());

    let same = log(&run, &[("a", b"1")], NONE);
    same.wait(Some(Duration::from_secs(50))).expect("committed");
    assert_eq!(same.name(), "data:v0");
    let digest = run.use_artifact(&same.digest(), None).expect("found by its digest");
    assert_eq!(digest.name(), "data:v0");

    let draft = found.new_draft().expect("a draft");
    draft.remove("a").expect("it is there");
    draft.new_file("b").expect("a file").finish().expect("finished");
    run.log_artifact(&draft, NONE).expect("logged");
    draft.wait(None).expect("committed");
    assert_eq!((draft.name(), paths(&draft)), ("data:v1".into(), vec!["b".to_owned()]));
    run.link_artifact(&draft, "registry/sets", &["staging"]).expect("linked");
    let linked = draft.link("registry/sets", &["production"]).expect("linked");
    assert_eq!((linked.name(), linked.is_link().expect("a version")), ("sets:v0".into(), true));
    assert_eq!(run.finish(), FinishReport::Synced);
    let names = |artifacts: Vec<Artifact>| artifacts.iter().map(Artifact::name).collect::<Vec<_>>();
    assert_eq!(names(run.logged_artifacts().expect("an answer")), ["data:v1", "data:v0"]);
    let wrong = Artifact::new("data", "model").expect("a draft");
    let other = begin("wrong", Mode::Online);
    assert!(other.log_artifact(&wrong, NONE).is_err());
}

fn log_on_another_machine() {
    let run = begin("other", Mode::Online);
    let more = draft(&[("c", b"3")]);
    more.set_incremental(true).expect("a draft");
    run.log_artifact(&more, NONE).expect("logged");
    more.wait(None).expect("committed");
    // On this disk there is no other version to add to; on the server there is.
    assert_eq!((more.name(), paths(&more)), ("data:v2".into(), vec!["b".to_owned(), "c".into()]));
    let version = run.use_artifact("data:v2", None).expect("it is there");
    assert!(version.delete(false).is_err());
    version.delete(true).expect("deleted");
    assert!(run.use_artifact("data:v2", None).is_err());
    // Another type than the server's: the machine does not know that yet.
    let model = Artifact::new("sets", "model").expect("a draft");
    run.log_artifact(&model, NONE).expect("logged here");
    let refused = model.wait(None).expect_err("refused there").to_string();
    assert!(refused.starts_with("the artifact sets was not sent: "), "{refused}");
    assert_eq!(run.finish(), FinishReport::Synced);
}

#[test]
fn a_live_run_sends_what_it_logs() {
    let place = Place::new();
    let server = place.start(&["serve"]);
    play(&place, "log online", &server.url);
    let other = Place::new();
    play(&other, "log on another machine", &server.url);
}

fn log_until_killed() {
    let round = std::env::var(ROUND).expect("a round");
    let run = begin(&format!("r{round}"), Mode::Online);
    println!("begun");
    for number in 0.. {
        let large = format!("{round} {number} ").repeat(600_000);
        let shared = format!("shared {}", number % 3);
        log(
            &run,
            &[("large", large.as_bytes()), ("small", round.as_bytes()), ("shared", shared.as_bytes())],
            &["best"],
        );
    }
}

/// All versions are whole, and the last program's are among them.
fn look_at_all() {
    let run = begin("looker", Mode::Online);
    let newest: u32 =
        run.use_artifact("data", None).expect("some").version().expect("a version")[1..].parse().expect("a number");
    let mut seen = std::collections::HashSet::new();
    for number in 0..=newest {
        let artifact = run.use_artifact(&format!("data:v{number}"), None).expect("no version is left out");
        assert!(seen.insert(artifact.info().expect("a version").id));
        assert_eq!(paths(&artifact), ["large", "shared", "small"]);
    }
    println!("{} versions", seen.len());
}

#[test]
fn a_program_that_is_killed_while_it_sends_loses_nothing_and_sends_nothing_twice() {
    let place = Place::new();
    let server = place.start(&["serve"]);
    for round in 0..ROUNDS {
        let mut killed =
            act(&place, "log until killed", &server.url).env(ROUND, round.to_string()).spawn().expect("it runs");
        let mut lines = BufReader::new(killed.stdout.take().expect("piped")).lines();
        while !lines.next().expect("a line").expect("text").contains("begun") {}
        // Any moment will do, as long as it is another one each time.
        let (begun, moment) = (Instant::now(), Duration::from_micros(round * 7919 % 150_000));
        while begun.elapsed() < moment {
            std::hint::spin_loop();
        }
        killed.kill().expect("it runs");
        killed.wait().expect("it ends");
        if round % 5 == 4 {
            let synced = place.call(&["sync", "--server", &server.url]);
            assert_eq!((synced.code, &*synced.stderr), (0, ""), "round {round}");
        }
    }
    let unsent = place.call(&["status", "--unsent", "--server", &server.url]);
    assert_eq!((unsent.code, &*unsent.stdout), (0, "the server has everything\n"));
    play(&place, "look at all", &server.url);
    let count = |path: &str| {
        let body = ureq::get(format!("{}/api/v1/artifacts/local/digits{path}", server.url)).call().expect("an answer");
        serde_json::from_reader::<_, Value>(body.into_body().into_reader()).expect("JSON")
    };
    let versions = count("/data")["version_count"].as_u64().expect("a number");
    assert!(versions >= ROUNDS / 2, "{versions}");
    let verified = ureq::post(format!("{}/api/v1/artifacts/local/digits/data/versions/latest/verify", server.url));
    let verified: Value =
        serde_json::from_reader(verified.send_empty().expect("an answer").into_body().into_reader()).expect("JSON");
    assert_eq!((verified["good_count"].as_u64(), verified["damaged"].as_array().map(Vec::len)), (Some(3), Some(0)));
    let stopped = server.terminate();
    assert_eq!(stopped, Some(0));
    let checked = place.call(&["verify", "steplog-data"]);
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[cfg(unix)]
fn log_in_a_child() {
    let run = begin("parent", Mode::Online);
    // SAFETY: The child calls nothing that another thread of the parent could hold a lock of: none logs.
    match unsafe { libc::fork() } {
        0 => {
            let artifact = log(&run, &[("a", b"from a child")], &["child"]);
            artifact.wait(Some(Duration::from_secs(50))).expect("the parent sends it");
            assert_eq!(artifact.name(), "data:v0");
            // SAFETY: It ends this process and touches nothing.
            unsafe { libc::_exit(0) }
        }
        child => {
            let mut status = 0;
            // SAFETY: The status is a valid place to write to.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            assert_eq!(status, 0);
        }
    }
    assert_eq!(run.use_artifact("data:child", None).expect("it is there").name(), "data:v0");
    assert_eq!(run.finish(), FinishReport::Synced);
}

#[cfg(not(unix))]
fn log_in_a_child() {}

#[test]
fn a_forked_child_logs_and_its_parent_sends() {
    let place = Place::new();
    let server = place.start(&["serve"]);
    play(&place, "log in a child", &server.url);
}

fn log_without_a_key() {
    let run = builder("stranger").mode(Mode::Online).finish_timeout(Duration::ZERO).init().expect("a run");
    let artifact = log(&run, &[("a", b"1")], NONE);
    assert_eq!(artifact.wait(None).expect_err("nobody lets it").kind(), ErrorKind::Unauthorized);
    assert_eq!(artifact.state(), ArtifactState::Pending);
}

#[test]
fn nobody_waits_for_a_server_that_does_not_let_him() {
    let place = Place::new();
    let server = place.start_with(
        &["serve", "--address", "0.0.0.0", "--admin", "ada"],
        &[("STEPLOG_ADMIN_PASSWORD", "correct horse")],
    );
    play(&place, "log without a key", &server.url.replace("0.0.0.0", "127.0.0.1"));
}
