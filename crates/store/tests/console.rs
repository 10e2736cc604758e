//! What processes print: stored, merged, searched, exported.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use rusqlite::Connection;
use steplog_model::ConsoleOutput::{self, Stderr, Stdout};
use steplog_protocol::{ConsoleLineList, ConsoleOutput as Output, ConsoleProcess, ConsoleRequest, ErrorKind};
use steplog_store::{ConsoleFormat, Store};
use support::{Journal, open};
use tempfile::TempDir;

const RUN: &str = "local/digits/a";

fn request() -> ConsoleRequest {
    ConsoleRequest { run: RUN.into(), ..ConsoleRequest::default() }
}

fn search(text: &str) -> ConsoleRequest {
    ConsoleRequest { search: Some(text.into()), ..request() }
}

fn texts(list: &ConsoleLineList) -> Vec<&str> {
    list.lines.iter().map(|line| &*line.text).collect()
}

/// The lines with their indices.
fn indexed(list: &ConsoleLineList) -> Vec<(u64, &str)> {
    list.lines.iter().map(|line| (line.index, &*line.text)).collect()
}

fn export(store: &Store, format: ConsoleFormat) -> String {
    let mut out = Vec::new();
    store.export_console(&RUN.parse().unwrap(), format, None, None, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn chunk_count(folder: &TempDir) -> i64 {
    let database = Connection::open(folder.path().join("steplog.sqlite")).unwrap();
    database.query_row("SELECT count(*) FROM console_chunks", (), |row| row.get(0)).unwrap()
}

#[test]
fn lines_come_back_with_their_numbers_times_and_outputs() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::with_start(RUN, |start| {
        start.host = Some("box".into());
        start.process_id = Some(7);
    });
    journal.print(1.0, Stdout, 0, &["a", "\x1b[31mred\x1b[0m"]).print(2.0, Stderr, 2, &["warning"]).send(&store);
    let list = store.console(&request()).unwrap();
    let line = |index: usize| {
        let line = &list.lines[index];
        (line.index, line.number, line.process, line.output, line.time, &*line.text)
    };
    assert_eq!(line(0), (0, 0, 0, Output::Stdout, 1.0, "a"));
    assert_eq!(line(1), (1, 1, 0, Output::Stdout, 1.0, "\x1b[31mred\x1b[0m"));
    assert_eq!(line(2), (2, 2, 0, Output::Stderr, 2.0, "warning"));
    assert_eq!((list.lines.len(), list.from, list.total, list.line_count), (3, 0, 3, 3));
    let process = ConsoleProcess {
        stream: journal.stream.to_string(),
        label: None,
        host: Some("box".into()),
        process_id: Some(7),
        is_fork: false,
        line_count: 3,
    };
    assert_eq!(list.processes, [process]);
    assert_eq!(store.run(&journal.path).unwrap().console_line_count, 3);
    assert_eq!(export(&store, ConsoleFormat::Text), "a\nred\nwarning\n");
    assert_eq!(export(&store, ConsoleFormat::Ansi), "a\n\x1b[31mred\x1b[0m\x1b[0m\nwarning\n");
    let stream = journal.stream;
    let last = format!(r#"{{"time":2.0,"stream":"{stream}","number":2,"output":"stderr","text":"warning"}}"#);
    assert_eq!(export(&store, ConsoleFormat::Jsonl).lines().last(), Some(&*last));
}

#[test]
fn a_line_that_is_written_again_keeps_its_place_and_time() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    // In one piece, over pieces that are joined, and over chunks that are full.
    journal.print(1.0, Stderr, 0, &["0 %", "x"]).print(2.0, Stderr, 0, &["10 %"]).send(&store);
    assert_eq!(texts(&store.console(&request()).unwrap()), ["10 %", "x"]);
    journal.print(3.0, Stderr, 0, &["20 %"]).send(&store);
    assert_eq!(texts(&store.console(&request()).unwrap()), ["20 %", "x"]);
    let long = "y".repeat(50_000);
    journal.print(4.0, Stdout, 2, &[&*long; 20]).send(&store);
    journal.print(5.0, Stderr, 0, &["100 %"]).print(5.0, Stdout, 22, &["end"]).send(&store);
    let list = store.console(&request()).unwrap();
    let first = &list.lines[0];
    assert_eq!((&*first.text, first.time, first.output, first.number), ("100 %", 1.0, Output::Stderr, 0));
    assert_eq!((list.line_count, texts(&list)[22]), (23, "end"));
    // What is found is the text as it is now.
    assert_eq!(store.console(&search("20 %")).unwrap().total, 0);
    assert_eq!(indexed(&store.console(&search("100 %")).unwrap()), [(0, "100 %")]);
    let exported = export(&store, ConsoleFormat::Text);
    assert_eq!(exported.lines().map(str::len).collect::<Vec<_>>()[..3], [5, 1, 50_000]);
}

#[test]
fn small_pieces_become_few_chunks() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    for number in 0..600 {
        journal.print(number as f64, Stdout, number, &[&format!("line {number}")]).send(&store);
    }
    // A progress bar that is drawn again and again takes no more room.
    for percent in 0..300 {
        journal.print(1000.0 + f64::from(percent), Stderr, 600, &[&format!("{percent}")]).send(&store);
    }
    let list = store.console(&ConsoleRequest { from: Some(598), ..request() }).unwrap();
    assert_eq!(indexed(&list), [(598, "line 598"), (599, "line 599"), (600, "299")]);
    assert_eq!(list.lines[2].time, 1000.0);
    assert!(chunk_count(&folder) <= 12, "{}", chunk_count(&folder));
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn pages_are_taken_from_both_ends() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    journal.print(1.0, Stdout, 0, &["a", "b", "c", "d", "e"]).send(&store);
    for (from, limit, begin, expected) in [
        (None, None, 0, &["a", "b", "c", "d", "e"][..]),
        (Some(1), Some(2), 1, &["b", "c"]),
        (Some(-2), None, 3, &["d", "e"]),
        (Some(-99), Some(1), 0, &["a"]),
        (Some(i64::MIN), Some(1), 0, &["a"]),
        (Some(5), None, 5, &[]),
        (Some(i64::MAX), None, 5, &[]),
    ] {
        let list = store.console(&ConsoleRequest { from, limit, ..request() }).unwrap();
        assert_eq!((list.from, texts(&list)), (begin, expected.to_vec()), "{from:?} {limit:?}");
    }
}

#[test]
fn processes_are_merged_by_time_and_can_be_told_apart() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut one = Journal::with_start(RUN, |start| start.label = Some("rank 0".into()));
    let mut two = Journal::with_start(RUN, |start| {
        start.started_at = 1001.0;
        start.parent_stream = Some(one.stream);
    });
    one.print(1.0, Stdout, 0, &["a0"]).print(3.0, Stderr, 1, &["a1"]).print(5.0, Stdout, 2, &["a2"]).send(&store);
    two.print(2.0, Stdout, 0, &["b0"]).print(3.0, Stdout, 1, &["b1"]).send(&store);
    let list = store.console(&request()).unwrap();
    assert_eq!(texts(&list), ["a0", "b0", "a1", "b1", "a2"]);
    assert_eq!(list.lines.iter().map(|line| line.process).collect::<Vec<_>>(), [0, 1, 0, 1, 0]);
    let processes: Vec<_> =
        list.processes.iter().map(|process| (&*process.stream, process.label.as_deref(), process.is_fork)).collect();
    let (first, second) = (one.stream.to_string(), two.stream.to_string());
    assert_eq!(processes, [(&*first, Some("rank 0"), false), (&*second, None, true)]);

    let of_two = ConsoleRequest { stream: Some(second), ..request() };
    assert_eq!(indexed(&store.console(&of_two).unwrap()), [(0, "b0"), (1, "b1")]);
    let stderr = ConsoleRequest { output: Some(Output::Stderr), ..request() };
    assert_eq!(indexed(&store.console(&stderr).unwrap()), [(0, "a1")]);
    let stdout = ConsoleRequest { output: Some(Output::Stdout), search: Some("b1".into()), ..request() };
    let found = store.console(&stdout).unwrap();
    assert_eq!((indexed(&found), found.total, found.line_count), (vec![(2, "b1")], 1, 4));

    // What comes late goes to its place.
    two.print(4.0, Stdout, 2, &["b2"]).send(&store);
    one.print(4.5, Stdout, 3, &["a3"]).send(&store);
    assert_eq!(texts(&store.console(&request()).unwrap()), ["a0", "b0", "a1", "b1", "b2", "a2", "a3"]);
}

#[test]
fn a_resumed_run_goes_on_behind_what_was_printed() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    Journal::new(RUN).print(1001.0, Stdout, 0, &["first"]).exit(1).send(&store);
    Journal::with_start(RUN, |start| start.started_at = 3000.0)
        .print(3001.0, Stdout, 0, &["second", "third"])
        .send(&store);
    let list = store.console(&request()).unwrap();
    assert_eq!(texts(&list), ["first", "second", "third"]);
    assert_eq!(list.processes.iter().map(|process| process.line_count).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn what_was_acknowledged_is_there_once_after_a_crash() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    journal.print(1.0, Stdout, 0, &["a", "b"]).row(0, &[("loss", 1.0.into())]).send(&store);
    // The answer was lost, and the request comes again.
    store.ingest_blocking(journal.ingest(0, journal.bytes(0))).unwrap();
    store.abandon();
    drop(store);
    let store = open(folder.path());
    assert_eq!(texts(&store.console(&request()).unwrap()), ["a", "b"]);
    journal.print(2.0, Stdout, 1, &["B", "c"]).send(&store);
    store.seal_all().unwrap();
    store.close().unwrap();
    drop(store);
    let store = open(folder.path());
    assert_eq!(texts(&store.console(&request()).unwrap()), ["a", "B", "c"]);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn a_removed_run_leaves_no_lines() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    journal.print(1.0, Stdout, 0, &["a"]).send(&store);
    store.console(&request()).unwrap();
    store.delete_run(&journal.path).unwrap();
    assert_eq!(chunk_count(&folder), 0);
    assert_eq!(store.console(&request()).unwrap_err().kind(), ErrorKind::NotFound);
    Journal::new(RUN).print(1.0, Stdout, 0, &["anew"]).send(&store);
    assert_eq!(texts(&store.console(&request()).unwrap()), ["anew"]);
}

#[test]
fn hostile_numbers_and_texts_do_no_harm() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new(RUN);
    journal.print(1.0, Stdout, 1 << 62, &["far"]).print(2.0, Stdout, 7, &["near\x1b[2J\x07\u{9b}31m\r"]).send(&store);
    let list = store.console(&request()).unwrap();
    let lines: Vec<_> = list.lines.iter().map(|line| (line.number, &*line.text)).collect();
    assert_eq!(lines, [(7, "near[2J31m"), (1 << 62, "far")]);
    assert_eq!(store.run(&journal.path).unwrap().console_line_count, 2);
    // A great many lines in few bytes, backwards.
    for first in (0..40).rev() {
        journal.print(3.0, Stdout, first * 10_000, &[""; 10_000]).send(&store);
    }
    let list = store.console(&ConsoleRequest { from: Some(399_999), ..request() }).unwrap();
    assert_eq!(list.line_count, 400_001);
    assert_eq!(list.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [399_999, 1 << 62]);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
}

#[test]
fn a_page_of_long_lines_ends_early() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let long = "z".repeat(60_000);
    let mut journal = Journal::new(RUN);
    journal.print(1.0, Stdout, 0, &[&*long; 100]).send(&store);
    let list = store.console(&request()).unwrap();
    assert_eq!((list.lines.len(), list.total), (69, 100));
    let rest = store.console(&ConsoleRequest { from: Some(69), ..request() }).unwrap();
    assert_eq!(rest.lines.len(), 31);
    assert_eq!(export(&store, ConsoleFormat::Text).len(), 100 * 60_001);
}

#[test]
fn a_million_lines_are_read_from_anywhere() {
    const LINES: u64 = 1_000_000;
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journals = [Journal::new(RUN), Journal::new(RUN)];
    for first in (0..LINES / 2).step_by(10_000) {
        for (process, journal) in journals.iter_mut().enumerate() {
            let lines: Vec<String> =
                (first..first + 10_000).map(|number| format!("process {process} line {number}")).collect();
            let lines: Vec<&str> = lines.iter().map(|line| &**line).collect();
            journal.print(1e6 + first as f64, if process == 0 { Stdout } else { Stderr }, first, &lines);
            journal.send(&store);
        }
    }
    // In blocks of 10,000 lines, of one process and the other.
    let expected = |index: u64| {
        let number = index / 20_000 * 10_000 + index % 10_000;
        (index, format!("process {} line {number}", index / 10_000 % 2))
    };
    for from in [0, 9_999, 123_456, 500_000, 777_777, LINES - 5] {
        let list = store.console(&ConsoleRequest { from: Some(from as i64), limit: Some(5), ..request() }).unwrap();
        let found: Vec<_> = list.lines.iter().map(|line| (line.index, line.text.clone())).collect();
        assert_eq!(found, (from..from + 5).map(expected).collect::<Vec<_>>());
        assert_eq!((list.total, list.line_count), (LINES, LINES));
    }
    let found = store.console(&ConsoleRequest { from: Some(-1), ..search("line 49999") }).unwrap();
    assert_eq!((found.total, indexed(&found)), (22, vec![(999_999, "process 1 line 499999")]));
    let stderr = ConsoleRequest { output: Some(Output::Stderr), from: Some(250_000), limit: Some(1), ..request() };
    assert_eq!(indexed(&store.console(&stderr).unwrap()), [(250_000, "process 1 line 250000")]);
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    Journal::new(RUN).send(&store);
    let refuse = |request: ConsoleRequest| store.console(&request).unwrap_err().to_string();
    assert_eq!(refuse(ConsoleRequest { limit: Some(0), ..request() }), "limit must be 1 to 5000, not 0");
    assert_eq!(refuse(ConsoleRequest { run: "local/digits/b".into(), ..request() }), "there is no run local/digits/b");
    let stream = |stream: &str| ConsoleRequest { stream: Some(stream.into()), ..request() };
    assert_eq!(refuse(stream("x")), "\"x\" is not the id of a process");
    assert_eq!(refuse(stream(&"0".repeat(32))), format!("the run has no process {}", "0".repeat(32)));
    assert!(refuse(ConsoleRequest { regex: true, ..search("[") }).starts_with("search is not a regular expression"));
    assert_eq!(texts(&store.console(&request()).unwrap()), [""; 0]);
}

/// A line as the store should answer it.
type Line = (f64, ConsoleOutput, String);

/// Merges as told: the lines of each process in order, the earlier one first.
fn merge(processes: &[BTreeMap<u64, Line>]) -> Vec<(usize, u64, Line)> {
    let mut rests: Vec<_> = processes.iter().map(|lines| lines.iter().peekable()).collect();
    let mut merged = Vec::new();
    loop {
        let heads = rests.iter_mut().enumerate().filter_map(|(process, rest)| Some((rest.peek()?.1.0, process)));
        let Some((_, process)) = heads.min_by(|a, b| a.partial_cmp(b).unwrap()) else { return merged };
        let (number, line) = rests[process].next().unwrap();
        merged.push((process, *number, line.clone()));
    }
}

#[derive(Clone, Debug)]
enum Act {
    /// Process, time, whether standard error, first number, lines, how long each.
    Print(usize, u8, bool, u64, usize, usize),
    Look,
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    let length = prop_oneof![4 => 0..20usize, 1 => 2000..3000usize];
    let print = (0..3usize, any::<u8>(), any::<bool>(), 0..3000u64, 1..200usize, length)
        .prop_map(|(process, time, err, first, count, length)| Act::Print(process, time, err, first, count, length));
    prop_oneof![8 => print, 3 => Just(Act::Look), 1 => Just(Act::Reopen)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_comes_in_whatever_order_the_lines_are_those_that_were_printed(acts in prop::collection::vec(act(), 1..60)) {
        let folder = TempDir::new().unwrap();
        let mut store = open(folder.path());
        let mut journals: Vec<_> = (0..3).map(|index| {
            Journal::with_start(RUN, |start| start.started_at = f64::from(index))
        }).collect();
        for journal in &mut journals {
            journal.send(&store);
        }
        let mut processes = vec![BTreeMap::<u64, Line>::new(); 3];
        let mut serial = 0;
        for act in acts.into_iter().chain([Act::Look]) {
            match act {
                Act::Print(process, time, is_stderr, first, count, length) => {
                    let output = if is_stderr { Stderr } else { Stdout };
                    let lines: Vec<String> = (0..count).map(|_| {
                        serial += 1;
                        format!("{serial:x}{}", ".".repeat(length))
                    }).collect();
                    for (number, text) in (first..).zip(&lines) {
                        let line = processes[process].entry(number).or_insert((time.into(), output, String::new()));
                        line.2.clone_from(text);
                    }
                    let lines: Vec<&str> = lines.iter().map(|line| &**line).collect();
                    journals[process].print(time.into(), output, first, &lines).send(&store);
                }
                Act::Reopen => {
                    store.abandon();
                    drop(store);
                    store = open(folder.path());
                }
                Act::Look => {
                    let merged = merge(&processes);
                    let all = store.console(&ConsoleRequest { limit: Some(5000), ..request() }).unwrap();
                    prop_assert_eq!(all.total as usize, merged.len());
                    let answered: Vec<_> = all.processes.iter().map(|process| {
                        journals.iter().position(|journal| journal.stream.to_string() == process.stream).unwrap()
                    }).collect();
                    for (index, line) in all.lines.iter().enumerate() {
                        let (process, number, (time, output, text)) = &merged[index];
                        let output = if *output == Stdout { Output::Stdout } else { Output::Stderr };
                        prop_assert_eq!(
                            (line.index, answered[line.process as usize], line.number, line.time, line.output, &line.text),
                            (index as u64, *process, *number, *time, output, text)
                        );
                    }
                    // Found, of an output, from the middle on: as those that are filtered out of all.
                    let of_stderr: Vec<_> = merged.iter().filter(|(_, _, (_, output, _))| *output == Stderr).collect();
                    let hits: Vec<(u64, &str)> = of_stderr.iter().enumerate()
                        .filter(|(_, (_, _, (_, _, text)))| text.contains("a."))
                        .map(|(index, (_, _, (_, _, text)))| (index as u64, &**text)).collect();
                    let from = hits.len() / 3;
                    let request = ConsoleRequest {
                        output: Some(Output::Stderr), from: Some(from as i64), limit: Some(50), ..search("a.")
                    };
                    let found = store.console(&request).unwrap();
                    prop_assert_eq!((found.total as usize, found.line_count as usize), (hits.len(), of_stderr.len()));
                    prop_assert_eq!(indexed(&found), hits.into_iter().skip(from).take(50).collect::<Vec<_>>());
                }
            }
        }
        prop_assert_eq!(store.verify(&mut |_, _| {}).unwrap(), vec![]);
    }
}
