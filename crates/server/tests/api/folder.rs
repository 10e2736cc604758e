//! A folder of local runs, finished, growing and damaged, shown through a store.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use steplog_journal::WriterOptions;
use steplog_model::{Record, StreamId};
use steplog_protocol::{RunDetail, RunState};
use steplog_server::{FolderCache, FolderReader, Source, find_run_folders};

use crate::support::{TestServer, append_rows, error, path, start, wait_until, write_journal};

fn journal_folder(root: &Path, run: &str, stream: StreamId) -> PathBuf {
    root.join("steplog/digits").join(run).join("journal").join(stream.to_string())
}

/// Writes a finished run.
fn write_run(root: &Path, run: &str, rows: i64) -> PathBuf {
    let stream = StreamId::generate();
    let folder = journal_folder(root, run, stream);
    write_journal(&folder, stream, &start("digits", run), rows, true).close().expect("closed");
    folder
}

fn run_of(cache: &FolderCache, run: &str) -> Option<RunDetail> {
    cache.store().run(&path(&format!("local/digits/{run}"))).ok()
}

#[test]
fn finished_runs_are_there_at_once_and_growing_ones_grow() {
    let root = tempfile::tempdir().expect("a folder");
    write_run(root.path(), "done", 100);
    let stream = StreamId::generate();
    let folder = journal_folder(root.path(), "live", stream);
    let mut writer = write_journal(&folder, stream, &start("digits", "live"), 10, false);
    let cache = FolderCache::open_temporary().expect("a cache");
    let reader = FolderReader::start(root.path(), &cache).expect("readable");
    assert_eq!(reader.wait_until_caught_up(), 2);
    assert!(reader.is_caught_up_within(Duration::ZERO));
    let done = run_of(&cache, "done").expect("the run");
    assert_eq!((done.run.state, done.run.row_count), (RunState::Finished, 100));
    let live = run_of(&cache, "live").expect("the run");
    assert_eq!((live.run.state, live.run.row_count), (RunState::Running, 10));

    append_rows(&mut writer, 10..500);
    wait_until("rows come", || run_of(&cache, "live").filter(|live| live.run.row_count == 500));
    writer.append_record(&Record::Exit { time: crate::support::unix_time(), code: 3 }).expect("written");
    let failed = wait_until("the end comes", || run_of(&cache, "live").filter(|run| run.run.state == RunState::Failed));
    assert_eq!(failed.run.exit_code, Some(3));

    write_run(root.path(), "new", 7);
    wait_until("a new run comes", || run_of(&cache, "new").filter(|run| run.run.row_count == 7));
    fs::remove_dir_all(root.path().join("steplog/digits/done")).expect("removed");
    wait_until("a removed run goes", || run_of(&cache, "done").is_none().then_some(()));
}

#[test]
fn a_damaged_journal_says_so_and_the_next_segment_is_read() {
    let root = tempfile::tempdir().expect("a folder");
    let stream = StreamId::generate();
    let folder = journal_folder(root.path(), "r", stream);
    let options = WriterOptions { segment_bytes: 4096, ..WriterOptions::default() };
    let mut writer = steplog_journal::JournalWriter::create(&folder, stream, options).expect("a journal");
    writer.append_record(&Record::RunStart(Box::new(start("digits", "r")))).expect("written");
    append_rows(&mut writer, 0..1000);
    writer.close().expect("closed");
    let segments = steplog_journal::list_segments(&folder).expect("listed");
    assert!(segments.len() > 4);
    let mut bytes = fs::read(&segments[1].path).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segments[1].path, bytes).expect("written");

    let cache = FolderCache::open_temporary().expect("a cache");
    let reader = FolderReader::start(root.path(), &cache).expect("readable");
    reader.wait_until_caught_up();
    let detail =
        wait_until("the run is read to its end", || run_of(&cache, "r").filter(|run| run.run.last_step == Some(999)));
    assert!(detail.run.row_count > 900 && detail.run.row_count < 1000, "{}", detail.run.row_count);
    let damage = detail.streams[0].damage.as_deref().expect("damage");
    assert!(damage.contains("checksum is wrong"), "{damage}");
}

#[test]
fn one_bad_journal_hides_no_other() {
    let root = tempfile::tempdir().expect("a folder");
    write_run(root.path(), "good", 5);
    for (run, bytes) in
        [("foreign", &b"not a journal at all, but long enough for a header, and more"[..]), ("empty", b"")]
    {
        let folder = journal_folder(root.path(), run, StreamId::generate());
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("00000000000000000000.segment"), bytes).expect("written");
    }
    let moved = journal_folder(root.path(), "moved", StreamId::generate());
    fs::create_dir_all(&moved).expect("a folder");
    let good = find_run_folders(root.path()).expect("runs")[2].clone();
    assert!(good.ends_with("good"), "{}", good.display());
    let segment = fs::read_dir(good.join("journal")).expect("journals").next().expect("one").expect("readable").path();
    fs::copy(segment.join("00000000000000000000.segment"), moved.join("00000000000000000000.segment")).expect("copied");
    let cache = FolderCache::open_temporary().expect("a cache");
    let reader = FolderReader::start(root.path(), &cache).expect("readable");
    reader.wait_until_caught_up();
    assert_eq!(run_of(&cache, "good").expect("the run").run.row_count, 5);
    assert_eq!(cache.store().projects().expect("projects").projects[0].run_count, 1);
}

#[test]
fn a_second_look_goes_on_where_the_first_stopped() {
    let root = tempfile::tempdir().expect("a folder");
    let home = tempfile::tempdir().expect("a folder");
    let open = || FolderCache::open_below(home.path(), root.path()).expect("a cache");
    write_run(root.path(), "a", 100);
    write_run(root.path(), "b", 100);
    let directory = {
        let cache = open();
        assert!(!cache.is_temporary() && cache.directory().starts_with(home.path()));
        FolderReader::start(root.path(), &cache).expect("readable").wait_until_caught_up();
        let second = open();
        assert!(second.is_temporary(), "the usual one is in use");
        cache.directory().to_owned()
    };
    fs::remove_dir_all(root.path().join("steplog/digits/b")).expect("removed");
    {
        let cache = open();
        assert_eq!(cache.directory(), directory);
        assert_eq!(run_of(&cache, "a").expect("kept").run.row_count, 100);
        FolderReader::start(root.path(), &cache).expect("readable").wait_until_caught_up();
        assert!(run_of(&cache, "b").is_none(), "it left the folder between the two looks");
    }
    write_run(root.path(), "b", 3);
    let cache = open();
    FolderReader::start(root.path(), &cache).expect("readable").wait_until_caught_up();
    assert_eq!(run_of(&cache, "b").expect("it came back").run.row_count, 3);
}

#[test]
fn a_folder_is_shown_and_not_changed() {
    let root = tempfile::tempdir().expect("a folder");
    write_run(root.path(), "r1", 10);
    let cache = FolderCache::open_temporary().expect("a cache");
    let reader = FolderReader::start(root.path(), &cache).expect("readable");
    reader.wait_until_caught_up();
    let server = TestServer::over(cache.store().clone(), Source::Folder(reader.run_folders()));
    let client = server.client();
    let session = client.get("/session").json();
    assert_eq!((&session["source"], &session["folder"]), (&json!("folder"), &json!(root.path())));
    assert_eq!(client.get("/runs/local/digits/r1").json()["run"]["row_count"], 10);
    let message = "a folder of local runs is shown as it is and takes no changes";
    assert_eq!(
        client.patch("/runs/local/digits/r1", &json!({ "name": "x" })).error(),
        error(403, "forbidden", message)
    );
    assert_eq!(client.delete("/runs/local/digits/r1").error(), error(403, "forbidden", message));
    let journal = crate::support::Journal::of("r2", 1);
    assert_eq!(client.ingest("local/digits/r2", &journal, 0, &journal.bytes).error(), error(403, "forbidden", message));
    server.stop();
}

#[test]
fn thousands_of_runs_are_read_and_then_left_alone() {
    let root = tempfile::tempdir().expect("a folder");
    for run in 0..500 {
        write_run(root.path(), &format!("run-{run}"), 20);
    }
    let start = std::time::Instant::now();
    let cache = FolderCache::open_temporary().expect("a cache");
    let reader = FolderReader::start(root.path(), &cache).expect("readable");
    assert_eq!(reader.wait_until_caught_up(), 500);
    println!("500 runs were read in {:?}", start.elapsed());
    assert_eq!(cache.store().projects().expect("projects").projects[0].run_count, 500);
}
