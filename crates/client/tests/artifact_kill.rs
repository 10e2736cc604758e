//! A process that logs artifacts is killed at any moment: what it leaves are whole versions.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use steplog::artifact::{Artifact, Source};
use steplog::{ErrorKind, Mode, Run, RunBuilder, Verbosity, find_runs};
use steplog_journal::{JournalReader, artifact_records};
use steplog_model::ArtifactRecord;
use tempfile::TempDir;

const ROOT: &str = "STEPLOG_TEST_KILL_ROOT";
const ROUND: &str = "STEPLOG_TEST_KILL_ROUND";
const ROUNDS: u64 = 100;

fn offline(root: &Path) -> RunBuilder {
    let builder = Run::builder("digits").root(root).mode(Mode::Offline).verbosity(Verbosity::Silent);
    builder.system_metrics(false).disable_git(true)
}

fn draft(files: &[(&str, String)]) -> Artifact {
    let artifact = Artifact::new("data", "dataset").unwrap();
    for (path, content) in files {
        let mut file = artifact.new_file(path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file.finish().unwrap();
    }
    artifact
}

/// Not a test by itself: the process that is killed.
#[test]
fn victim() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let round = std::env::var(ROUND).unwrap();
    let run = offline(root.as_ref()).init().unwrap();
    println!("begun");
    for number in 0.. {
        let own = (0..5).map(|file| (format!("own/{file}"), format!("{round} {number} {file}").repeat(1000)));
        let files: Vec<(String, String)> = own.chain([("shared".to_owned(), "shared".to_owned())]).collect();
        let files: Vec<(&str, String)> = files.iter().map(|(path, content)| (&**path, content.clone())).collect();
        let artifact = draft(&files);
        artifact.set_incremental(number % 3 == 2).unwrap();
        run.log_artifact(&artifact, &["best"]).unwrap();
        if number % 4 == 3 {
            let before = run.use_artifact(&format!("data:v{}", version(&artifact) - 1), None).unwrap();
            before.delete(true).unwrap();
        }
    }
}

fn version(artifact: &Artifact) -> u32 {
    artifact.version().unwrap()[1..].parse().unwrap()
}

#[test]
fn what_a_killed_process_leaves_are_whole_versions() {
    let root = TempDir::new().unwrap();
    for round in 0..ROUNDS {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--nocapture"])
            .env(ROOT, root.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().contains("begun") {}
        // Any moment will do, as long as it is another one each time.
        let moment = Duration::from_micros(round * 7919 % 100_000);
        let begun = Instant::now();
        while begun.elapsed() < moment {
            std::hint::spin_loop();
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        check(root.path(), round);
    }
    let run = offline(root.path()).init().unwrap();
    assert!(version(&run.use_artifact("data", None).unwrap()) > 50);
    let artifact = draft(&[("a", "last".to_owned())]);
    run.log_artifact(&artifact, &[] as &[&str]).unwrap();
    drop(artifact);
    let staging = root.path().join("steplog/.artifacts/staging");
    // Folders that were only just begun have nothing in them, and go an hour later.
    let names = fs::read_dir(staging).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = names.filter(|name| !name.starts_with("new-")).collect();
    assert_eq!(left, [] as [String; 0]);
}

/// Every version that can be found is whole, and every one that the journals speak of was there.
fn check(root: &Path, round: u64) {
    let run = offline(root).id("checker").init().unwrap();
    let newest = match run.use_artifact("data", None) {
        Ok(newest) => newest,
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => panic!("round {round}: {error}"),
    };
    // The newest dozen: what is older was looked at before.
    for number in version(&newest).saturating_sub(12)..=version(&newest) {
        let found = match run.use_artifact(&format!("data:v{number}"), None) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => panic!("round {round}: {error}"),
        };
        let manifest = found.manifest().unwrap();
        assert_eq!(manifest.digest().to_string(), found.digest());
        for (path, entry) in manifest.entries() {
            let Source::Stored { sha256, .. } = &entry.source else { panic!("{path:?} is a reference") };
            let name = sha256.to_string();
            let blob = root.join("steplog/.artifacts/blobs").join(&name[..2]).join(&name);
            let bytes = fs::read(&blob).unwrap_or_else(|error| panic!("round {round}: v{number} {path:?}: {error}"));
            let hex: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, name);
        }
    }
    let mut logged = HashSet::new();
    for folder in find_runs(root).unwrap() {
        for stream in folder.streams().unwrap() {
            for record in artifact_records(&JournalReader::new(folder.journal(stream)), &mut 0).unwrap() {
                if let ArtifactRecord::Logged(record) = record {
                    assert!(record.local_version.number() <= version(&newest), "round {round}");
                    assert!(logged.insert(record.id));
                }
            }
        }
    }
    run.finish();
    fs::remove_dir_all(root.join("steplog/digits")).unwrap();
}
