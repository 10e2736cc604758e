//! `steplog sync`: send what lies in folders to a server.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use steplog::{Http, RunFolder, Settings, SyncProgress, TransportError, find_runs, sync_run};
use steplog_model::Entity;
use steplog_protocol::ServerSource;
use steplog_server::find_run_folders;

use crate::failure::{Outcome, Refusal};
use crate::server::{Server, ServerArgument};
use crate::table;

/// How many runs are sent at once: the server commits what comes together in one go.
const THREADS: usize = 8;

/// For how long `--patient` waits for a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

const EXAMPLES: &str = "\
Examples:
  steplog sync                               all runs below this folder
  steplog sync ~/work steplog/digits/a1b2c3d4
  steplog sync --server http://tracker:7837
  steplog sync --patient &                   in the background, however long the server is away

Sends what the server lacks, however often it is called: runs made offline, cut off or killed. Files are only read.
The exit code is 0 when the server has everything, 1 when something is left.";

/// Send local runs to a server: what it does not have yet
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sync {
    /// Folders with runs at any depth, or runs
    #[arg(value_name = "DIR", default_value = ".")]
    folders: Vec<PathBuf>,
    /// Wait for a server that does not answer, for up to a day
    #[arg(long)]
    patient: bool,
    #[command(flatten)]
    server: ServerArgument,
}

/// What was sent and what not.
#[derive(Default)]
struct Total {
    runs: u64,
    sent_runs: u64,
    sent_bytes: u64,
    growing: u64,
    problems: u64,
}

impl Sync {
    pub(crate) fn run(self) -> Result<Outcome> {
        let runs = run_folders(&self.folders)?;
        if runs.is_empty() {
            let folders: Vec<_> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
            println!("there are no runs in {}", folders.join(", "));
            return Ok(Outcome::Good);
        }
        let server = self.server.resolve()?;
        if self.patient {
            return send_patiently(&runs, &server);
        }
        let transport = Http::new(&server.url, server.api_key.as_deref());
        let entity = default_entity(&server, &transport)?;
        let progress = progress_bar(runs.len() as u64);
        let total = Mutex::new(Total { runs: runs.len() as u64, ..Total::default() });
        let queue = Mutex::new(runs.iter());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            while let Some(run) = next() {
                if let Err(error) = send(run, &server, &transport, &entity, &progress, &total) {
                    // The server is gone or refuses us: the others need not try.
                    while next().is_some() {}
                    return Err(error);
                }
                progress.inc(1);
            }
            Ok(())
        };
        let sent: Result<()> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("sending does not panic"))
        });
        progress.finish_and_clear();
        sent?;
        let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
        println!("{}", total.describe(&server.url));
        Ok(if total.problems == 0 { Outcome::Good } else { Outcome::Incomplete })
    }
}

/// Sends run by run; somebody else who is sending one already is left alone.
fn send_patiently(runs: &[RunFolder], server: &Server) -> Result<Outcome> {
    let settings =
        Settings { base_url: Some(server.url.clone()), api_key: server.api_key.clone(), ..Settings::default() };
    let mut total = Total { runs: runs.len() as u64, ..Total::default() };
    for run in runs {
        let report = steplog::send_patiently(run, &settings, PATIENCE)
            .with_context(|| format!("{} was not sent to its end", run.path().display()))?;
        total.sent_runs += u64::from(report.sent_bytes > 0);
        total.sent_bytes += report.sent_bytes;
        total.growing += report.growing as u64;
        total.problems += report.problems.len() as u64;
        report.problems.iter().for_each(|problem| eprintln!("warning: {problem}"));
    }
    println!("{}", total.describe(&server.url));
    Ok(if total.problems == 0 { Outcome::Good } else { Outcome::Incomplete })
}

fn send(
    run: &RunFolder,
    server: &Server,
    transport: &Http,
    entity: &Entity,
    progress: &ProgressBar,
    total: &Mutex<Total>,
) -> Result<()> {
    let lock = || total.lock().unwrap_or_else(PoisonError::into_inner);
    let mut told = 0;
    let each = |now: SyncProgress| {
        let mut total = lock();
        total.sent_bytes += now.sent_bytes - told;
        told = now.sent_bytes;
        progress.set_message(format!("{}  {}", table::bytes(total.sent_bytes), run.path().display()));
    };
    let report = sync_run(run, &server.url, transport, entity, each)
        .with_context(|| format!("{} was not sent to its end", run.path().display()))?;
    let mut total = lock();
    total.sent_runs += u64::from(report.sent_bytes > 0);
    total.growing += report.growing as u64;
    total.problems += report.problems.len() as u64;
    progress.suspend(|| report.problems.iter().for_each(|problem| eprintln!("warning: {problem}")));
    Ok(())
}

impl Total {
    fn describe(&self, url: &str) -> String {
        let runs = table::count(self.runs, "run");
        let mut text = match self.sent_bytes {
            0 if self.problems == 0 => format!("{url} has everything of {runs}"),
            bytes => {
                format!("sent {} of {}, of {runs}, to {url}", table::bytes(bytes), table::count(self.sent_runs, "run"))
            }
        };
        if self.growing > 0 {
            text += &format!("; {} still being written", table::count(self.growing, "journal"));
        }
        if self.problems > 0 {
            text += &format!("; {} could not be sent whole", table::count(self.problems, "journal"));
        }
        text
    }
}

/// The runs below some folders, each once.
pub(crate) fn run_folders(folders: &[PathBuf]) -> Result<Vec<RunFolder>> {
    let (mut runs, mut known) = (Vec::new(), HashSet::new());
    for folder in folders {
        let unreadable = || format!("the folder cannot be read: {}", folder.display());
        for path in find_run_folders(folder).with_context(unreadable)? {
            let path = match path.strip_prefix(".") {
                Ok(rest) if !rest.as_os_str().is_empty() => rest,
                _ => &path,
            };
            if known.insert(path.canonicalize().with_context(unreadable)?) {
                runs.extend(find_runs(path)?);
            }
        }
    }
    Ok(runs)
}

/// Checks that the server takes runs, and asks whose they are when they do not say.
fn default_entity(server: &Server, transport: &Http) -> Result<Entity> {
    let session = transport.session().map_err(|error| match error {
        TransportError::Unavailable(message) => Refusal::new(format!("no server answers: {message}"))
            .hint("start one with `steplog serve`, or name one with `--server URL`"),
        TransportError::Unauthorized(message) | TransportError::Refused(message) => Refusal::new(message),
    })?;
    if session.source == ServerSource::Folder {
        let message = format!("{} shows a folder and takes no runs", server.url);
        return Err(Refusal::new(message).hint("start a server with `steplog serve`").into());
    }
    if session.login_required && session.user.is_none() {
        let message = format!("{} asks for an account", server.url);
        return Err(Refusal::new(message).hint(format!("log in with `steplog login {}`", server.url)).into());
    }
    Ok(session.default_entity.parse()?)
}

fn progress_bar(runs: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let progress = ProgressBar::new(runs);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs  {wide_msg}");
    progress.set_style(style.expect("a good template"));
    progress.enable_steady_tick(Duration::from_millis(100));
    progress
}
