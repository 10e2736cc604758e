//! A place to call the command in, runs to call it on, and servers that it starts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use steplog_journal::{JournalWriter, Keys, RunFolder, WriterOptions};
use steplog_model::{Change, Record, RunStart, StreamId, Value};
use tempfile::TempDir;

/// A folder to work in, with a home of its own: nothing of the person who runs the tests is read or changed.
pub(crate) struct Place {
    directory: TempDir,
}

/// What a call did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().expect("a folder") };
        std::fs::create_dir(place.path("work")).expect("a folder");
        place
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// The folder that commands are called in.
    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_steplog"));
        command.args(arguments).current_dir(self.work()).env_clear();
        command.env("HOME", self.path("home")).env("XDG_CONFIG_HOME", self.path("config"));
        command.env("XDG_CACHE_HOME", self.path("cache")).env("TMPDIR", std::env::temp_dir());
        command
    }

    pub(crate) fn call(&self, arguments: &[&str]) -> Done {
        self.call_with(arguments, "")
    }

    /// Calls the command with some text as its standard input.
    pub(crate) fn call_with(&self, arguments: &[&str], input: &str) -> Done {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        // A command that reads nothing closes its end.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        self.done(&child.wait_with_output().expect("the command ends"))
    }

    /// What a call wrote, with the folder's name left out.
    fn done(&self, output: &Output) -> Done {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let real = self.directory.path().canonicalize().expect("the folder is there");
            text.replace(&*real.to_string_lossy(), "…").replace(&*self.directory.path().to_string_lossy(), "…")
        };
        Done { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Starts `steplog serve` or `steplog ui` on a free port and waits until it says where.
    pub(crate) fn start(&self, arguments: &[&str]) -> Server {
        self.start_with(arguments, &[])
    }

    pub(crate) fn start_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Server {
        let mut command = self.command(arguments);
        command.args(["--port", "0"]).envs(environment.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("the command starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let Some((_, url)) = line.trim_end().split_once(" at ") else {
            panic!("the server did not start: {line:?} {:?}", child.wait());
        };
        Server { url: url.to_owned(), child }
    }

    /// Writes a run with `rows` rows of `loss = 1 / (step + 1)`, below `work/steplog`.
    pub(crate) fn write_run(&self, project: &str, run: &str, rows: i64) -> PathBuf {
        write_run(&self.work().join("steplog"), project, run, rows)
    }
}

/// A server that a command runs; killed when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    child: Child,
}

impl Server {
    /// Sends SIGTERM and answers the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill is there");
        assert!(status.success());
        self.child.wait().expect("the command ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_run(root: &Path, project: &str, run: &str, rows: i64) -> PathBuf {
    let project = project.parse().expect("a project");
    let run_id = run.parse().expect("a run id");
    let folder = RunFolder::below(root, &project, &run_id);
    let stream = StreamId::generate();
    let mut writer =
        JournalWriter::create(&folder.journal(stream), stream, WriterOptions::default()).expect("a journal");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64();
    let start = RunStart { name: Some(format!("run {run}")), ..RunStart::new(run_id, project, now) };
    writer.append_record(&Record::RunStart(Box::new(start))).expect("written");
    let rate = Change { key: "lr".into(), value: Some(Value::Float(0.5)) };
    writer.append_record(&Record::Config(vec![rate])).expect("written");
    let mut keys = Keys::default();
    let loss = keys.intern("loss").expect("a key");
    for step in 0..rows {
        let value = Value::Float(1.0 / (step + 1) as f64);
        writer.append_row(step, now + 0.001 * step as f64, true, &[(loss, value)], &keys).expect("written");
    }
    writer.append_record(&Record::Exit { time: now + 2.0, code: 0 }).expect("written");
    writer.close().expect("closed");
    folder.path().to_owned()
}
