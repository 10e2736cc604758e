//! What the command says of itself, and how it says what is wrong.

use crate::support::{Done, Place};

#[test]
fn every_command_teaches_by_examples() {
    let place = Place::new();
    let all = place.call(&["--help"]);
    assert_eq!(all.code, 0);
    for command in [
        "serve", "ui", "sync", "status", "runs", "logs", "export", "artifact", "cache", "verify", "user", "login",
        "logout",
    ] {
        assert!(all.stdout.contains(&format!("\n  {command} ")), "{command} is listed");
        let help = place.call(&[command, "--help"]);
        assert_eq!((help.code, &*help.stderr), (0, ""), "{command}");
        assert!(help.stdout.contains(&format!("steplog {command}")), "{command}: {}", help.stdout);
        assert!(help.stdout.contains("Examples:") || command == "logout", "{command}: {}", help.stdout);
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 120), "{command}: {}", help.stdout);
    }
    assert_eq!(place.call(&["--version"]).stdout, concat!("steplog ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn the_first_page_fits_a_screen() {
    let expected = "\
Track machine-learning experiments: log from a script, watch in the browser, keep everything

Usage: steplog <COMMAND>

Commands:
  serve     Keep runs for good: the server, its API and its web UI
  ui        Look at a folder of local runs in the browser, live, with no server
  sync      Send local runs to a server: what it does not have yet
  status    Show local runs: who writes or sends them, and what a server does not have yet
  runs      List runs: filter, sort, choose columns
  logs      Print what the processes of a run printed
  export    Write a run's history to a file
  artifact  Work with versions of data and models: put, get, ls, diff, verify, rm
  cache     Look at the cache of artifacts, clean it, verify it
  verify    Check journals and data directories for damage
  alerts    Choose where alerts are sent: add, list, test, remove
  user      Manage accounts: add, list, remove
  login     Log in to a server: scripts and commands use it from then on
  logout    Forget a server's API key, and revoke it there
  help      Print this message or the help of the given subcommand(s)

Options:
  -h, --help     Print help
  -V, --version  Print version

Examples:
  steplog ui                          watch the runs below this folder, finished or live
  steplog serve                       keep runs for good, at http://127.0.0.1:7837
  steplog sync                        send the runs below this folder to the server
  steplog runs digits --sort -summary.accuracy
  steplog export local/digits/a1b2c3d4 --format parquet

In a script:
  import steplog
  run = steplog.init(project=\"digits\", config={\"lr\": 0.1})
  run.log({\"loss\": 0.3})
  run.finish()

`steplog COMMAND --help` tells more, with examples.
";
    assert_eq!(Place::new().call(&["--help"]).stdout, expected);
}

#[test]
fn errors_say_what_to_do() {
    let place = Place::new();
    let call = |arguments: &[&str]| place.call(arguments);
    let failed = |stderr: &str| Done { code: 1, stdout: String::new(), stderr: stderr.into() };
    assert_eq!(
        call(&["sync", "nowhere"]),
        failed("error: the folder cannot be read: nowhere: No such file or directory (os error 2)\n")
    );
    assert_eq!(
        call(&["runs", "--server", "tracker:7837"]),
        failed("error: the server URL \"tracker:7837\" does not begin with http:// or https:// and a host\n")
    );
    assert_eq!(
        call(&["export", "a/b/c/d", "--format", "csv"]),
        failed(
            "error: run path \"a/b/c/d\" is not of the form entity/project/id\n\
             hint: name a run as entity/project/id or project/id, or give the folder of a local run\n"
        )
    );
    let unreachable = call(&["runs", "--server", "http://127.0.0.1:1"]);
    assert_eq!(unreachable.code, 1);
    assert!(unreachable.stderr.starts_with("error: no server answers at http://127.0.0.1:1: "), "{unreachable:?}");
    assert_eq!(call(&["export"]).code, 2);
    assert_eq!(call(&["nonsense"]).code, 2);
}
