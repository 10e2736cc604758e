//! Artifacts as a Rust program logs and uses them where there is no server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, json};
use steplog::artifact::{AddOptions, AddPolicy, Artifact, ArtifactState};
use steplog::{ErrorKind, Mode, Run, RunBuilder, RunFolder, Verbosity};
use steplog_journal::{JournalReader, artifact_records};
use steplog_model::{ArtifactRecord, ArtifactUse};
use tempfile::TempDir;

const NONE: &[&str] = &[];

/// What is recorded unasked has tests of its own.
fn offline(root: &Path) -> RunBuilder {
    let builder = Run::builder("digits").root(root).mode(Mode::Offline).verbosity(Verbosity::Silent);
    builder.system_metrics(false).disable_git(true)
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A draft with files, which need not be anywhere else.
fn draft(name: &str, files: &[(&str, &str)]) -> Artifact {
    let artifact = Artifact::new(name, "dataset").unwrap();
    for (path, content) in files {
        let mut file = artifact.new_file(path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file.finish().unwrap();
    }
    artifact
}

fn paths(artifact: &Artifact) -> Vec<String> {
    artifact.manifest().unwrap().entries().map(|(path, _)| path.to_string()).collect()
}

fn records(run: &Run) -> Vec<ArtifactRecord> {
    let folder = RunFolder::at(run.dir().unwrap().parent().unwrap());
    let streams = folder.streams().unwrap().into_iter();
    streams.flat_map(|stream| artifact_records(&JournalReader::new(folder.journal(stream)), &mut 0).unwrap()).collect()
}

fn message<T: std::fmt::Debug>(result: Result<T, steplog::Error>) -> String {
    result.unwrap_err().to_string()
}

/// Everything below a folder that is a file, without what locks leave.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.extension().is_none_or(|ending| ending != "lock") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn a_logged_artifact_is_a_version_at_once_and_is_found_by_every_name() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).id("maker").init().unwrap();
    let artifact = draft("data", &[("f.txt", "x")]);
    assert_eq!(artifact.digest(), "b5bb294db471aca958bc8035648c5a99");
    assert_eq!((artifact.state(), artifact.name()), (ArtifactState::Draft, "data".to_owned()));
    artifact.set_description("one letter").unwrap();
    artifact.set_metadata(Map::from_iter([("rows".to_owned(), json!(1))])).unwrap();
    run.log([("loss", 1.0)]).unwrap();
    run.log_artifact(&artifact, &["best"]).unwrap();
    artifact.wait(Some(Duration::ZERO)).unwrap();

    assert_eq!((artifact.state(), artifact.name()), (ArtifactState::Committed, "data:v0".to_owned()));
    assert_eq!(artifact.aliases().unwrap(), ["best", "latest"]);
    let info = artifact.info().unwrap();
    assert_eq!((info.entity.as_str(), info.project.as_str(), info.version.as_str()), ("local", "digits", "v0"));
    assert_eq!((info.file_count, info.size_bytes, info.step), (1, 1, Some(1)));
    assert_eq!(info.logged_by.unwrap().run_id, "maker");

    let user = offline(root.path()).id("user").init().unwrap();
    for name in [
        "data",
        "data:latest",
        "data:best",
        "data:v0",
        "digits/data",
        "local/digits/data:v0",
        "b5bb294db471aca958bc8035648c5a99",
        "digits/b5bb294db471aca958bc8035648c5a99",
    ] {
        let used = user.use_artifact(name, Some("dataset")).unwrap();
        assert_eq!(used.info().unwrap(), artifact.info().unwrap(), "{name}");
    }
    let used = user.use_artifact("data", None).unwrap();
    assert_eq!((used.description().as_deref(), used.metadata()["rows"].clone()), (Some("one letter"), json!(1)));
    assert_eq!(paths(&used), ["f.txt"]);
    let expected = ArtifactUse {
        entity: None,
        project: None,
        collection: "data".parse().unwrap(),
        version: "v0".parse().unwrap(),
        digest: "b5bb294db471aca958bc8035648c5a99".parse().unwrap(),
        id: artifact.info().unwrap().id.parse().ok(),
    };
    assert_eq!(records(&user), vec![ArtifactRecord::Used(expected); 9]);
    assert_eq!(user.used_artifacts().unwrap()[0].name(), "data:v0");
    assert_eq!(run.logged_artifacts().unwrap()[0].name(), "data:v0");
}

#[test]
fn what_is_not_there_or_of_another_type_is_refused() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    run.log_artifact(&draft("data", &[("a", "1")]), NONE).unwrap();
    let there = root.path().join("steplog/.artifacts");
    for (name, shown) in
        [("other", "local/digits/other"), ("data:v1", "local/digits/data:v1"), ("ada/p/data", "ada/p/ada/p/data")]
    {
        let refused = run.use_artifact(name, None).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound);
        let expected = format!(
            "there is no artifact {shown}: it is not in {}, and a server is not asked in mode offline",
            there.display()
        );
        assert_eq!(refused.to_string(), expected);
    }
    let refused = run.use_artifact("data", Some("model")).unwrap_err();
    assert_eq!(
        (refused.kind(), refused.to_string()),
        (ErrorKind::Invalid, r#"data:v0 has the type "dataset", not "model""#.into())
    );
    let model = Artifact::new("data", "model").unwrap();
    assert_eq!(
        message(run.log_artifact(&model, NONE)),
        r#"the artifact data has the type "dataset", not "model"; use another name, or that type"#
    );
    assert_eq!(
        message(run.log_artifact(&draft("data", &[]), &["a/b"])),
        r#"alias "a/b" has the forbidden character '/'"#
    );
    run.finish();
    assert_eq!(run.log_artifact(&draft("data", &[]), NONE).unwrap_err().kind(), ErrorKind::Finished);
}

#[test]
fn the_same_content_is_the_same_version_and_aliases_move() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    let log = |content: &str, aliases: &[&str]| {
        let artifact = draft("data", &[("a", content)]);
        run.log_artifact(&artifact, aliases).unwrap();
        artifact.version().unwrap()
    };
    assert_eq!(
        [log("1", &["best"]), log("1", &["good"]), log("2", &["best"]), log("1", &[])],
        ["v0", "v0", "v1", "v2"]
    );
    let aliases = |name: &str| run.use_artifact(name, None).unwrap().aliases().unwrap();
    assert_eq!(
        (aliases("data:v0"), aliases("data:v1"), aliases("data:v2")),
        (vec!["good".to_owned()], vec!["best".to_owned()], vec!["latest".to_owned()])
    );
}

#[test]
fn a_draft_is_closed_by_finalize_and_by_logging() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    let file = root.path().join("file");
    write(&file, "x");
    let add = |artifact: &Artifact| artifact.add_file(&file, None, &AddOptions::default()).map(drop);
    let artifact = draft("data", &[]);
    for refused in [
        artifact.version().map(drop),
        artifact.aliases().map(drop),
        artifact.wait(None),
        artifact.save(),
        artifact.delete(false),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ArtifactNotLogged);
        assert_eq!(refused.to_string(), "the artifact data was not logged yet; log_artifact() makes it a version");
    }
    add(&artifact).unwrap();
    artifact.finalize();
    assert_eq!(add(&artifact).unwrap_err().kind(), ErrorKind::ArtifactFinalized);
    run.log_artifact(&artifact, NONE).unwrap();
    for refused in [
        add(&artifact),
        artifact.add_dir(root.path(), None, &AddOptions::default()).map(drop),
        artifact.new_file("b").map(drop),
        artifact.remove("file"),
        artifact.set_incremental(true),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ArtifactFinalized);
    }
}

#[test]
fn files_are_added_under_their_names_and_as_they_were() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    let artifact = Artifact::new("data", "dataset").unwrap();
    let (file, options) = (root.path().join("a.txt"), AddOptions::default());
    write(&file, "first");
    let entry = artifact.add_file(&file, None, &options).unwrap();
    assert_eq!((entry.size_bytes, entry.digest()), (Some(5), "iwTV43ddKY54RV78XKQE1Q==".to_owned()));
    artifact.add_file(&file, Some("folder/b.txt"), &options).unwrap();
    artifact.add_file(&file, None, &options).unwrap();
    write(&file, "second");
    assert_eq!(
        message(artifact.add_file(&file, None, &options)),
        r#""a.txt" is in the artifact already, with other content; remove() it first, or add it with overwrite"#
    );
    artifact.add_file(&file, Some("c"), &AddOptions { overwrite: true, ..options }).unwrap();
    for (path, name, expected) in [
        ("gone", None, format!("there is no file {}", root.path().join("gone").display())),
        ("", None, format!("{} is not a file; folders go with add_dir", root.path().join("").display())),
        ("a.txt", Some("../x"), r#"file path "../x" leads elsewhere"#.to_owned()),
        ("a.txt", Some("/x"), r#"file path "/x" is empty, or has an empty part"#.to_owned()),
        ("a.txt", Some("a\0b"), r#"file path "a\0b" has the forbidden character '\0'"#.to_owned()),
        (
            "a.txt",
            Some("c/d"),
            r#""c/d" cannot be added, for "c" is in the artifact: a path is a file or a folder"#.to_owned(),
        ),
    ] {
        assert_eq!(message(artifact.add_file(root.path().join(path), name, &options)), expected);
    }
    assert!(artifact.add_file(&file, Some(&"n".repeat(4000)), &options).is_err());
    run.log_artifact(&artifact, NONE).unwrap();
    assert_eq!(paths(&artifact), ["a.txt", "c", "folder/b.txt"]);

    let blobs: Vec<_> = files_below(&root.path().join("steplog/.artifacts/blobs"));
    let mut contents: Vec<_> = blobs.iter().map(|blob| fs::read_to_string(blob).unwrap()).collect();
    contents.sort();
    assert_eq!(contents, ["first", "second"]);
    assert_eq!(files_below(&root.path().join("steplog/.artifacts/staging")), [] as [PathBuf; 0]);
}

#[cfg(unix)]
#[test]
fn folders_are_added_with_hidden_files_and_through_links() {
    use std::os::unix::fs::symlink;

    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    let folder = root.path().join("data");
    for (path, content) in [("a", "1"), (".hidden/b", "2"), ("deep/er/c", "3")] {
        write(&folder.join(path), content);
    }
    write(&root.path().join("elsewhere/d"), "4");
    symlink(root.path().join("elsewhere"), folder.join("link")).unwrap();
    symlink(folder.join("a"), folder.join("twin")).unwrap();
    fs::create_dir(folder.join("empty")).unwrap();
    let artifact = Artifact::new("data", "dataset").unwrap();
    assert_eq!(artifact.add_dir(&folder, None, &AddOptions::default()).unwrap(), 5);
    assert_eq!(artifact.add_dir(&folder, Some("below/"), &AddOptions::default()).unwrap(), 5);
    artifact.remove("below/deep").unwrap();
    assert_eq!(
        paths(&artifact),
        [".hidden/b", "a", "below/.hidden/b", "below/a", "below/link/d", "below/twin", "deep/er/c", "link/d", "twin"]
    );
    run.log_artifact(&artifact, NONE).unwrap();

    let refused = |name: &str, place: &Path, make: &dyn Fn(&Path)| {
        let folder = root.path().join(name);
        write(&folder.join("a"), "1");
        make(&folder);
        let artifact = Artifact::new("data", "dataset").unwrap();
        let refused = message(artifact.add_dir(&folder, None, &AddOptions::default()));
        assert_eq!(artifact.file_count(), 0);
        refused
            .replace(&folder.join(place).display().to_string(), "PLACE")
            .replace(&folder.display().to_string(), "FOLDER")
    };
    let loops = |folder: &Path| {
        fs::create_dir(folder.join("in")).unwrap();
        symlink(folder, folder.join("in/back")).unwrap();
    };
    assert_eq!(
        refused("loop", Path::new("in/back"), &loops),
        "PLACE leads back to FOLDER, which it is in; remove that link, or add the folders below one by one"
    );
    assert_eq!(
        refused("dangling", Path::new("link"), &|folder| symlink("nowhere", folder.join("link")).unwrap()),
        "PLACE is a link to nowhere, which is not there; remove it, or leave it out"
    );
    assert_eq!(
        refused("name", Path::new("a\\b"), &|folder| write(&folder.join("a\\b"), "")),
        r#"cannot add PLACE: file path "a\\b" has the forbidden character '\\'; rename it"#
    );
    let socket = |folder: &Path| drop(std::os::unix::net::UnixListener::bind(folder.join("s")).unwrap());
    assert_eq!(
        refused("socket", Path::new("s"), &socket),
        "PLACE is neither a file nor a folder; remove it, or leave it out"
    );
}

#[test]
fn an_immutable_file_is_not_copied() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    let file = root.path().join("large");
    write(&file, "content");
    let artifact = Artifact::new("data", "dataset").unwrap();
    let options = AddOptions { policy: AddPolicy::Immutable, ..AddOptions::default() };
    artifact.add_file(&file, None, &options).unwrap();
    run.log_artifact(&artifact, NONE).unwrap();
    assert_eq!(artifact.version().unwrap(), "v0");
    assert_eq!(files_below(&root.path().join("steplog/.artifacts/blobs")), [] as [PathBuf; 0]);
    assert_eq!(files_below(&root.path().join("steplog/.artifacts/originals")).len(), 1);
}

#[test]
fn a_file_that_is_written_into_the_artifact_leaves_no_trace_unless_it_is_finished() {
    let root = TempDir::new().unwrap();
    let _run = offline(root.path()).init().unwrap();
    let artifact = Artifact::new("data", "dataset").unwrap();
    let mut file = artifact.new_file("a").unwrap();
    assert_eq!(message(artifact.new_file("a").map(drop)), r#""a" is being written already"#);
    file.write_all(b"half").unwrap();
    drop(file);
    assert_eq!(artifact.file_count(), 0);
    let file = artifact.new_file("a").unwrap();
    // As somebody does who opens it by its name.
    fs::write(file.place(), "x").unwrap();
    assert_eq!(file.finish().unwrap().digest(), "ndTkYSaMgDT1yFZOFVxnpg==");
    assert_eq!(message(artifact.new_file("a").map(drop)), r#""a" is in the artifact already; remove() it first"#);
}

#[test]
fn an_incremental_artifact_adds_to_the_newest_version() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    run.log_artifact(&draft("data", &[("a", "1"), ("b", "1"), ("c/d", "1")]), NONE).unwrap();
    let more = draft("data", &[("b", "2"), ("c", "2"), ("e", "2")]);
    more.set_incremental(true).unwrap();
    run.log_artifact(&more, NONE).unwrap();
    assert_eq!((more.name(), paths(&more)), ("data:v1".to_owned(), ["a", "b", "c", "e"].map(str::to_owned).to_vec()));
    let first = run.use_artifact("data:v0", None).unwrap();
    let unchanged = |artifact: &Artifact| artifact.entry(&"a".parse().unwrap()).unwrap();
    assert_eq!(unchanged(&more), unchanged(&first));
    assert_ne!(more.entry(&"b".parse().unwrap()).unwrap(), first.entry(&"b".parse().unwrap()).unwrap());
    let logged: Vec<_> = records(&run)
        .into_iter()
        .filter_map(|record| match record {
            ArtifactRecord::Logged(logged) => Some((logged.file_count, logged.incremental)),
            _ => None,
        })
        .collect();
    assert_eq!(logged, [(3, false), (3, true)]);
}

#[test]
fn a_version_is_changed_by_a_draft_of_it() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    let first = draft("data", &[("a", "1"), ("b", "1")]);
    first.set_metadata(Map::from_iter([("rows".to_owned(), json!(2))])).unwrap();
    run.log_artifact(&first, &["best"]).unwrap();
    let next = run.use_artifact("data:best", None).unwrap().new_draft().unwrap();
    assert_eq!(
        (next.state(), next.digest(), next.metadata()),
        (ArtifactState::Draft, first.digest(), first.metadata())
    );
    next.remove("b").unwrap();
    run.log_artifact(&next, NONE).unwrap();
    assert_eq!((next.name(), paths(&next)), ("data:v1".to_owned(), vec!["a".to_owned()]));
    assert_eq!(run.use_artifact("data:best", None).unwrap().name(), "data:v0");
}

#[test]
fn what_is_said_about_a_version_can_be_changed_and_saved() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    run.log_artifact(&draft("data", &[("a", "1")]), &["old"]).unwrap();
    run.log_artifact(&draft("data", &[("a", "2")]), NONE).unwrap();
    let first = run.use_artifact("data:v0", None).unwrap();
    first.set_description("the first").unwrap();
    first.set_tags(["small", "small", "clean"]).unwrap();
    first.set_aliases(["best"]).unwrap();
    first.set_ttl(Some(Duration::from_secs(3600))).unwrap();
    assert_eq!(run.use_artifact("data:v0", None).unwrap().description(), None);
    first.save().unwrap();
    let found = run.use_artifact("data:best", None).unwrap();
    assert_eq!((found.name(), found.description().as_deref()), ("data:v0".to_owned(), Some("the first")));
    assert_eq!(
        (found.tags(), found.ttl()),
        (vec!["small".to_owned(), "clean".into()], Some(Duration::from_secs(3600)))
    );
    assert_eq!(run.use_artifact("data:old", None).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(message(first.set_aliases(["v3"])), r#"alias "v3" is how a version is called"#);
}

#[test]
fn a_deleted_version_takes_along_what_nothing_else_needs() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    run.log_artifact(&draft("data", &[("a", "both"), ("b", "first")]), &["best"]).unwrap();
    run.log_artifact(&draft("data", &[("a", "both"), ("b", "second")]), NONE).unwrap();
    let first = run.use_artifact("data:v0", None).unwrap();
    assert_eq!(
        message(first.delete(false)),
        "data:v0 has the aliases best; delete it with delete_aliases, or move them first"
    );
    first.delete(true).unwrap();
    let store = root.path().join("steplog/.artifacts");
    let mut left: Vec<_> =
        files_below(&store.join("blobs")).iter().map(|blob| fs::read_to_string(blob).unwrap()).collect();
    left.sort();
    assert_eq!(left, ["both", "second"]);
    assert_eq!(files_below(&store.join("manifests")).len(), 1);
    assert_eq!(run.use_artifact("data:v0", None).unwrap_err().kind(), ErrorKind::NotFound);
    run.log_artifact(&draft("data", &[("a", "third")]), NONE).unwrap();
    assert_eq!(run.use_artifact("data", None).unwrap().name(), "data:v2");
}

#[test]
fn versions_are_linked_into_registries() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).init().unwrap();
    let model = run.log_model(&write_model(root.path()), Some("net"), NONE).unwrap();
    run.log_model(&write_model(root.path()), Some("net"), NONE).unwrap();
    run.link_artifact(&model, "registry/nets", &["production"]).unwrap();
    run.link_artifact(&model, "registry/nets", &["staging"]).unwrap();
    let linked = run.use_artifact("registry/nets:production", Some("model")).unwrap();
    assert_eq!((linked.name(), linked.is_link().unwrap()), ("nets:v0".to_owned(), true));
    assert_eq!(linked.aliases().unwrap(), ["latest", "production", "staging"]);
    assert_eq!((linked.info().unwrap().source.collection, linked.digest()), ("net".to_owned(), model.digest()));
    assert_eq!(run.use_model("registry/nets").unwrap().name(), "nets:v0");
    assert!(
        message(run.log_path(&write_model(root.path()), Some("data"), None, NONE).and_then(|_| run.use_model("data")))
            .contains("which is no model's")
    );
    linked.unlink().unwrap();
    assert_eq!(run.use_artifact("registry/nets", None).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(run.use_artifact("net", None).unwrap().unlink().unwrap_err().kind(), ErrorKind::Usage);
    let links = records(&run).into_iter().filter(|record| matches!(record, ArtifactRecord::Linked(_))).count();
    assert_eq!(links, 2);
}

fn write_model(root: &Path) -> String {
    let path = root.join("weights.bin");
    write(&path, [1, 2, 3]);
    path.display().to_string()
}

#[test]
fn paths_are_logged_under_the_name_of_the_run() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).id("abc").init().unwrap();
    let folder = root.path().join("data");
    write(&folder.join("a"), "1");
    let logged = run.log_path(&format!("{}/", folder.display()), None, None, &["first"]).unwrap();
    assert_eq!((logged.name(), logged.artifact_type().as_str()), ("run-abc-data:v0".to_owned(), "unspecified"));
    assert_eq!(logged.aliases().unwrap(), ["first", "latest"]);
    let gone = root.path().join("gone").display().to_string();
    assert_eq!(message(run.log_path(&gone, None, None, NONE)), format!("there is no file {gone}"));
}

#[test]
fn a_disabled_run_takes_everything_and_keeps_nothing() {
    let root = TempDir::new().unwrap();
    let run = offline(root.path()).mode(Mode::Disabled).init().unwrap();
    let file = root.path().join("a");
    write(&file, "1");
    let artifact = Artifact::new("data", "dataset").unwrap();
    let options = AddOptions { policy: AddPolicy::Immutable, ..AddOptions::default() };
    artifact.add_file(&file, None, &options).unwrap();
    run.log_artifact(&artifact, &["best"]).unwrap();
    artifact.wait(None).unwrap();
    assert_eq!((artifact.name(), artifact.file_count()), ("data:v0".to_owned(), 1));
    assert_eq!(paths(&artifact), ["a"]);
    run.link_artifact(&artifact, "registry/data", NONE).unwrap();
    artifact.save().unwrap();
    assert!(!root.path().join("steplog").exists());
}

#[test]
fn many_processes_log_into_one_collection() {
    // The lock is one of files: threads with handles of their own stand for processes.
    let root = TempDir::new().unwrap();
    let versions: Vec<u32> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let root = root.path();
                scope.spawn(move || {
                    let run = offline(root).init().unwrap();
                    (0..10)
                        .map(|number| {
                            let artifact = draft("data", &[("a", &format!("{worker} {number}"))]);
                            run.log_artifact(&artifact, NONE).unwrap();
                            artifact.version().unwrap()[1..].parse().unwrap()
                        })
                        .collect::<Vec<u32>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let mut sorted = versions;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..40).collect::<Vec<u32>>());
}
