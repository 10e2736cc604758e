//! Checking journals and data directories.

use std::fs;
use std::path::PathBuf;

use crate::support::{Done, Place};

fn segment(run: PathBuf) -> PathBuf {
    let journal = fs::read_dir(run.join("journal")).expect("readable").next().expect("one").expect("readable");
    journal.path().join("00000000000000000000.segment")
}

#[test]
fn good_journals_are_good() {
    let place = Place::new();
    place.write_run("digits", "r1", 1000);
    place.write_run("digits", "r2", 10);
    let done = place.call(&["verify"]);
    assert_eq!((done.code, &*done.stderr), (0, ""));
    assert!(
        done.stdout.starts_with("2 runs, 2 journals, 1010 rows, ") && done.stdout.ends_with(" kB: good\n"),
        "{done:?}"
    );
    let nothing = place.call(&["verify", "/dev"]);
    assert_eq!(
        nothing,
        Done { code: 0, stdout: "0 runs, 0 journals, 0 rows, 0 bytes: good\n".into(), stderr: String::new() }
    );
}

#[test]
fn damage_is_told_with_its_place_and_what_is_lost() {
    let place = Place::new();
    let segment = segment(place.write_run("digits", "r1", 1000));
    let mut bytes = fs::read(&segment).expect("read");
    let length = bytes.len();
    bytes[length / 2] ^= 1;
    fs::write(&segment, bytes).expect("written");
    let done = place.call(&["verify", "steplog"]);
    assert_eq!(done.code, 1);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{done:?}");
    assert!(lines[0].starts_with("damaged: steplog/digits/r1/journal/"), "{done:?}");
    assert!(
        lines[0].contains("the frame's checksum is wrong; at most") && lines[0].ends_with("are lost, up to its end"),
        "{done:?}"
    );
    assert!(lines[1].ends_with(": 1 damage"), "{done:?}");
}

#[test]
fn a_torn_tail_is_no_damage() {
    let place = Place::new();
    let segment = segment(place.write_run("digits", "r1", 10));
    let bytes = fs::read(&segment).expect("read");
    fs::write(&segment, &bytes[..bytes.len() - 3]).expect("written");
    let done = place.call(&["verify"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("was never completed; its `log` never returned\n"), "{done:?}");
    assert!(done.stdout.contains("1 run, 1 journal, 10 rows, "), "{done:?}");
}

#[test]
fn a_data_directory_is_checked_too() {
    let place = Place::new();
    place.write_run("digits", "r1", 1000);
    let server = place.start(&["serve"]);
    place.call(&["sync", "--server", &server.url]);
    assert_eq!(place.call(&["verify", "steplog-data"]).code, 1, "the server has it open");
    assert_eq!(server.terminate(), Some(0));
    let done = place.call(&["verify", "steplog-data"]);
    assert_eq!(done, Done { code: 0, stdout: "steplog-data: good\n".into(), stderr: String::new() });
}
