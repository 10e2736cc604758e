//! What the processes of a run printed.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use steplog::api::{ConsoleFormat, ConsoleOutput, ConsoleQuery, HistoryFormat};
use steplog::{Api, ApiSettings, ErrorKind};
use steplog_journal::{JournalWriter, RunFolder, WriterOptions};
use steplog_model::{ConsoleLines, ConsoleOutput as Output, Record, RunStart, StreamId, SystemSample};

use crate::support::Place;

/// The journal of a run `digits/r1` below `work/steplog`.
fn begin(place: &Place) -> (JournalWriter, f64) {
    let project = "digits".parse().expect("a project");
    let run = "r1".parse().expect("a run id");
    let folder = RunFolder::below(&place.work().join("steplog"), &project, &run);
    let stream = StreamId::generate();
    let mut writer =
        JournalWriter::create(&folder.journal(stream), stream, WriterOptions::default()).expect("a journal");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    writer.append_record(&Record::RunStart(Box::new(RunStart::new(run, project, now)))).expect("written");
    (writer, now)
}

fn print(writer: &mut JournalWriter, time: f64, output: Output, first_line: u64, lines: &[&str]) {
    let lines = lines.iter().map(|line| (*line).into()).collect();
    writer.append_record(&Record::Console(ConsoleLines { time, output, first_line, lines })).expect("written");
}

#[test]
fn a_folder_and_a_server_print_the_same() {
    let place = Place::new();
    let (mut writer, now) = begin(&place);
    print(&mut writer, now, Output::Stdout, 0, &["epoch 1", "\x1b[32mloss 0.5\x1b[0m", "\x1b[2J\x07evil\u{202e}"]);
    print(&mut writer, now, Output::Stderr, 3, &[" 10%"]);
    print(&mut writer, now, Output::Stderr, 3, &["100%"]);
    writer.append_record(&Record::Exit { time: now, code: 0 }).expect("written");
    writer.close().expect("closed");
    let server = place.start(&["serve", "--data", "data"]);
    assert_eq!(place.call(&["sync", "--server", &server.url]).code, 0);
    let all = "epoch 1\nloss 0.5\n[2Jevil\u{fffd}\n100%\n";
    for origin in [&["steplog/digits/r1"][..], &["local/digits/r1", "--server", &server.url]] {
        let call = |arguments: &[&str]| {
            let done = place.call(&[&["logs"], origin, arguments].concat());
            assert_eq!((done.code, &*done.stderr), (0, ""), "{arguments:?}");
            done.stdout
        };
        assert_eq!(call(&[]), all);
        assert_eq!(call(&["--follow"]), all);
        assert_eq!(call(&["--stderr"]), "100%\n");
        assert_eq!(call(&["--stdout", "--tail", "1"]), "[2Jevil\u{fffd}\n");
        assert_eq!(call(&["--search", "LOSS"]), "loss 0.5\n");
        assert_eq!(call(&["--search", "^(epoch|1..%)", "--regex", "--tail", "1"]), "100%\n");
        assert_eq!(call(&["--tail", "0"]), "");
    }
    let done = place.call(&["logs", "local/digits/none", "--server", &server.url]);
    assert_eq!((done.code, &*done.stderr), (1, "error: there is no run local/digits/none\n"));
}

#[test]
fn a_live_run_is_followed_to_its_end() {
    let place = Place::new();
    let (mut writer, now) = begin(&place);
    print(&mut writer, now, Output::Stdout, 0, &["one", "two"]);
    let mut command = place.command(&["logs", "steplog/digits/r1", "--follow", "--tail", "1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the command starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map(|line| line.expect("a line"));
    assert_eq!(lines.next().as_deref(), Some("two"));
    print(&mut writer, now + 1.0, Output::Stderr, 2, &["three"]);
    assert_eq!(lines.next().as_deref(), Some("three"));
    print(&mut writer, now + 2.0, Output::Stdout, 3, &["four"]);
    writer.append_record(&Record::Exit { time: now + 2.0, code: 0 }).expect("written");
    writer.close().expect("closed");
    assert_eq!(lines.collect::<Vec<_>>(), ["four"]);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn the_read_api_has_lines_and_samples() {
    let place = Place::new();
    let (mut writer, now) = begin(&place);
    let texts: Vec<String> = (0..25).map(|number| format!("line {number}")).collect();
    print(&mut writer, now, Output::Stdout, 0, &texts.iter().map(|text| &**text).collect::<Vec<_>>());
    print(&mut writer, now + 1.0, Output::Stderr, 25, &["\x1b[31mred\x1b[0m"]);
    for (time, values) in [(now + 1.0, vec![("cpu".into(), 0.5)]), (now + 2.0, vec![("memory".into(), 7.0)])] {
        writer.append_record(&Record::System(SystemSample { time, values })).expect("written");
    }
    writer.append_record(&Record::Exit { time: now, code: 0 }).expect("written");
    writer.close().expect("closed");
    let server = place.start(&["serve", "--data", "data"]);
    assert_eq!(place.call(&["sync", "--server", &server.url]).code, 0);
    let settings = ApiSettings { base_url: Some(server.url.clone()), ..ApiSettings::default() };
    let run = Api::with_settings(settings).expect("an API").run("local/digits/r1").expect("a run");
    let lines = |query: ConsoleQuery| -> Vec<String> {
        run.console_lines(query).per_page(10).map(|line| line.expect("a line").text).collect()
    };
    assert_eq!(lines(ConsoleQuery::default())[..25], texts);
    assert_eq!(lines(ConsoleQuery { from: -2, ..ConsoleQuery::default() }), ["line 24", "\x1b[31mred\x1b[0m"]);
    assert_eq!(lines(ConsoleQuery { search: Some("LINE 2".into()), ..ConsoleQuery::default() }).len(), 6);
    let stderr = ConsoleQuery { output: Some(ConsoleOutput::Stderr), ..ConsoleQuery::default() };
    let line = run.console_lines(stderr).next().expect("a line").expect("read");
    assert_eq!((line.number, line.output, line.process.line_count), (25, ConsoleOutput::Stderr, 26));
    let wrong = ConsoleQuery { search: Some("(".into()), regex: true, ..ConsoleQuery::default() };
    assert_eq!(
        run.console_lines(wrong).next().expect("an error").expect_err("no expression").kind(),
        ErrorKind::Invalid
    );
    let red = run.download_console(ConsoleFormat::Ansi, Some(ConsoleOutput::Stderr)).and_then(|file| file.read_all());
    assert_eq!(red.expect("a file"), b"\x1b[31mred\x1b[0m\x1b[0m\n");

    let samples = run.system_history().expect("samples");
    assert_eq!(
        samples.iter().map(|row| row.values.clone()).collect::<Vec<_>>(),
        [vec![("cpu".to_owned(), 0.5.into())], vec![("memory".to_owned(), 7.0.into())],]
    );
    let csv = run.download_system_history(HistoryFormat::Csv).and_then(|file| file.read_all()).expect("a file");
    assert!(csv.starts_with(b"_step,_timestamp,_runtime,cpu,memory\r\n"));
}
