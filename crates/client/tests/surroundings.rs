//! What is recorded unasked: where a run runs, what was run, and what the machine is busy with.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};
use steplog::{Mode, Run, RunBuilder, Verbosity, find_runs};
use steplog_journal::{JournalReader, StreamDecoder};
use steplog_model::{FilePolicy, Record, RunStart, SystemSample};
use tempfile::TempDir;

fn offline(root: &Path) -> RunBuilder {
    let builder = Run::builder("digits").root(root).mode(Mode::Offline).verbosity(Verbosity::Silent);
    builder.environment(environment(root))
}

fn environment(here: &Path) -> Map<String, Json> {
    let members = json!({"command": ["train", "--api-key", "abc"], "program": "train", "working_directory": here});
    members.as_object().unwrap().clone()
}

fn records(root: &Path) -> Vec<Record> {
    let mut records = Vec::new();
    for run in find_runs(root).unwrap() {
        for stream in run.streams().unwrap() {
            let reader = JournalReader::new(run.journal(stream));
            let mut decoder = StreamDecoder::new(stream);
            let bytes = reader.read(0, 1 << 20).unwrap().bytes;
            decoder.decode(&bytes, |record| records.push(record)).unwrap();
        }
    }
    records
}

fn start(root: &Path) -> RunStart {
    let starts = records(root).into_iter().filter_map(|record| match record {
        Record::RunStart(start) => Some(*start),
        _ => None,
    });
    starts.last().unwrap()
}

/// Members of all records of the surroundings, later ones over earlier.
fn surroundings(root: &Path) -> Map<String, Json> {
    let found = records(root).into_iter().filter_map(|record| match record {
        Record::Environment(members) => Some(members),
        _ => None,
    });
    found.flatten().collect()
}

fn samples(root: &Path) -> Vec<SystemSample> {
    let found = records(root).into_iter().filter_map(|record| match record {
        Record::System(sample) => Some(sample),
        _ => None,
    });
    found.collect()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgSign=false"];
    let status = Command::new("git").arg("-C").arg(folder).args(identity).args(arguments).status();
    assert!(status.unwrap().success(), "{arguments:?}");
}

/// A folder with a repository in which a file was changed, and one with a package.
fn project() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("train"), text).unwrap();
    write("one\n");
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "train"]);
    git(folder.path(), &["commit", "-q", "-m", "First"]);
    write("two\n");
    let packages = folder.path().join("packages");
    std::fs::create_dir_all(packages.join("NumPy-2.4.0.dist-info")).unwrap();
    (folder, packages)
}

#[test]
fn a_run_tells_what_was_run() {
    let (folder, packages) = project();
    let root = folder.path();
    let run = offline(root).package_folders(vec![packages]).system_metrics(false).init().unwrap();
    assert_eq!(start(root).environment["command"], json!(["train", "--api-key", "[redacted]"]));
    wait_until("git", || surroundings(root).contains_key("git"));
    run.finish();
    let found = surroundings(root);
    assert_eq!(found["packages"], json!({"numpy": "2.4.0"}));
    assert!(found["cpu_count"].as_u64().unwrap() > 0);
    let git = found["git"].as_object().unwrap();
    assert_eq!((&git["branch"], &git["dirty"], &git["message"]), (&json!("main"), &json!(true), &json!("First")));
    let files = records(root).into_iter().filter_map(|record| match record {
        Record::File(file) => Some((file.path.to_string(), file.policy, file.source)),
        _ => None,
    });
    let kept = |name: &str| (name.to_owned(), FilePolicy::Now, None);
    assert_eq!(files.collect::<Vec<_>>(), [kept("requirements.txt"), kept("diff.patch")]);
    let text = |name: &str| std::fs::read_to_string(run.dir().unwrap().join(name)).unwrap();
    let sign = "# written by steplog; secrets are replaced by [redacted]\n";
    assert_eq!(text("requirements.txt"), format!("{sign}numpy==2.4.0\n"));
    let patch = text("diff.patch");
    let begin = format!("{sign}# git diff {}\ndiff --git a/train b/train\n", git["commit"].as_str().unwrap());
    assert!(patch.starts_with(&begin) && patch.ends_with("-one\n+two\n"), "{patch}");
    assert_eq!(samples(root), []);
}

#[test]
fn git_and_code_can_be_left_out() {
    let (folder, _) = project();
    let root = folder.path();
    let run = offline(root).disable_code(true).system_metrics(false).init().unwrap();
    assert!(!run.keeps_code());
    wait_until("git", || surroundings(root).contains_key("git"));
    run.finish();
    assert_eq!(std::fs::read_dir(run.dir().unwrap()).unwrap().count(), 0, "no patch");
    let other = tempfile::tempdir().unwrap();
    let away = offline(root)
        .root(other.path())
        .disable_git(true)
        .save_requirements(false)
        .package_folders(vec![root.join("packages")]);
    let run = away.init().unwrap();
    wait_until("packages", || surroundings(other.path()).contains_key("packages"));
    run.finish();
    assert_eq!(std::fs::read_dir(run.dir().unwrap()).unwrap().count(), 0, "no requirements");
    assert!(!surroundings(other.path()).contains_key("git"));
}

#[test]
fn samples_come_one_after_the_other_and_none_after_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let run = offline(root).system_interval(Duration::from_millis(100)).init().unwrap();
    wait_until("three samples", || samples(root).len() >= 3);
    run.finish();
    assert!(matches!(records(root).last(), Some(Record::Exit { .. })));
    let samples = samples(root);
    assert!(samples.windows(2).all(|pair| pair[0].time < pair[1].time), "{samples:?}");
    for sample in samples {
        let value = |name: &str| sample.values.iter().find(|(key, _)| &**key == name).map(|(_, value)| *value);
        for name in ["cpu.process.percent", "memory.percent", "memory.process.bytes", "disk.percent", "disk.bytes"] {
            assert!(value(name).is_some_and(|value| value >= 0.0), "{name} in {sample:?}");
        }
    }
}

#[test]
fn a_part_of_a_run_says_nothing_of_where_it_runs() {
    let (folder, packages) = project();
    let root = folder.path();
    let interval = Duration::from_millis(100);
    let rank = offline(root).package_folders(vec![packages.clone()]).primary(false).system_interval(interval);
    let rank = rank.init().unwrap();
    wait_until("samples", || samples(root).len() >= 2);
    rank.finish();
    assert_eq!((start(root).environment, surroundings(root)), (Map::new(), Map::new()));

    let other = tempfile::tempdir().unwrap();
    let main = offline(other.path()).system_metrics(false).init().unwrap();
    let worker = offline(root).root(root.join("worker")).system_interval(interval).package_folders(vec![packages]);
    let worker = worker.attach(&main.stream(), 0).unwrap().init().unwrap();
    worker.log([("x", 1)]).unwrap();
    worker.finish();
    let found = records(&root.join("worker"));
    assert!(
        matches!(&found[..], [Record::RunStart(start), Record::Row(_), Record::Exit { .. }] if start.environment.is_empty()),
        "{found:?}"
    );
}

#[test]
fn what_the_script_put_there_stays() {
    let (folder, packages) = project();
    let root = folder.path();
    let begun = offline(root).id("a").system_metrics(false).disable_git(true).init().unwrap();
    let own = begun.dir().unwrap().join("requirements.txt");
    std::fs::write(&own, "of the script").unwrap();
    begun.finish();
    let run = offline(root).id("a").package_folders(vec![packages]).system_metrics(false).init().unwrap();
    wait_until("git", || surroundings(root).contains_key("git"));
    run.finish();
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "of the script");
}
