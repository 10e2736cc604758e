//! Catching the file descriptors 1 and 2. A program of its own: there is one of each in a process.
#![cfg(unix)]

use std::io::Write as _;
use std::process::Command;

use steplog::{ConsoleMode, ConsoleOutput, Mode, Run};

#[test]
fn a_redirected_program_records_what_it_and_its_children_write() {
    let folder = tempfile::tempdir().unwrap();
    let begin = |mode: ConsoleMode| {
        let builder = Run::builder("p").root(folder.path()).mode(Mode::Offline).verbosity(steplog::Verbosity::Silent);
        builder.console(mode).init().unwrap()
    };
    let log_of = |run: &Run| std::fs::read_to_string(run.dir().unwrap().join("output.log")).unwrap_or_default();
    let print = |text: &str| {
        // Past the test's own capture of `println!`.
        std::io::stdout().write_all(text.as_bytes()).unwrap();
        std::io::stdout().flush().unwrap();
    };

    let run = begin(ConsoleMode::Redirect);
    assert_eq!(run.console_mode(), ConsoleMode::Redirect);
    print("from Rust\n");
    let second = begin(ConsoleMode::Redirect);
    assert!(Command::new("sh").args(["-c", "echo from a child"]).status().unwrap().success());
    run.finish();
    print("only for the second\n");
    second.write_console(ConsoleOutput::Stdout, b"by hand\n");
    second.finish();
    print("for nobody\n");
    assert_eq!(log_of(&run), "from Rust\nfrom a child\n");
    let mut lines: Vec<_> = log_of(&second).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["by hand", "from a child", "only for the second"]);

    let off = begin(ConsoleMode::Off);
    off.write_console(ConsoleOutput::Stdout, b"not recorded\n");
    off.finish();
    assert_eq!(log_of(&off), "");
}
