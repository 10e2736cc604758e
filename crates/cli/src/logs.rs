//! `steplog logs`: what the processes of a run printed.

use std::collections::HashMap;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use steplog_model::{RunPath, clean_console_text, path_segment, without_colours};
use steplog_protocol::{
    ConsoleLine, ConsoleLineList, ConsoleOutput, ConsoleRequest, MAX_CONSOLE_LINES, RunDetail, RunState,
};
use steplog_server::{FolderCache, FolderReader};

use crate::api::Api;
use crate::export::{only_run, path_on_server};
use crate::failure::{Outcome, refused};
use crate::server::ServerArgument;
use crate::table::is_harmless;

/// How often a run that is followed is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

const EXAMPLES: &str = "\
Examples:
  steplog logs ada/digits/a1b2c3d4                 from the server
  steplog logs digits/a1b2c3d4 --follow            and what comes, until the run ends
  steplog logs steplog/digits/a1b2c3d4 --stderr    a local run, by its folder
  steplog logs digits/a1b2c3d4 --search 'loss: nan' --tail 20

Lines that were drawn again and again, as progress bars are, come once, as they were last. Colours are kept on a
terminal, unless NO_COLOR is set.";

/// Print what the processes of a run printed
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Logs {
    /// `entity/project/id` on the server (or `project/id`), or the folder of a local run
    run: String,
    /// Go on with what comes until the run ends
    #[arg(long, short)]
    follow: bool,
    /// Only standard output
    #[arg(long, conflicts_with = "stderr")]
    stdout: bool,
    /// Only standard error
    #[arg(long)]
    stderr: bool,
    /// Only lines that contain this, whatever their colours and case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Take the text to search for as a regular expression
    #[arg(long, requires = "search")]
    regex: bool,
    /// Only the last N lines
    #[arg(long, short, value_name = "N")]
    tail: Option<u32>,
    #[command(flatten)]
    server: ServerArgument,
}

/// Where a run is read.
enum Origin {
    Server(Api),
    /// The reader goes on reading as long as it is there.
    Folder(FolderCache, FolderReader),
}

/// What was printed already.
struct Printer<'a, W> {
    out: &'a mut W,
    with_colours: bool,
    /// How many of the lines that match, by process.
    printed: HashMap<String, u64>,
}

impl Logs {
    pub(crate) fn run(self) -> Result<Outcome> {
        let (origin, path) = self.origin()?;
        let with_colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let mut out = BufWriter::new(io::stdout().lock());
        let mut printer = Printer { out: &mut out, with_colours, printed: HashMap::new() };
        // Asked before the lines: what an ended run printed is all there.
        let mut is_running = self.follow && origin.is_running(&path)?;
        self.print_all(&origin, &path, &mut printer)?;
        printer.out.flush()?;
        while is_running {
            thread::sleep(LOOK_EVERY);
            is_running = origin.is_running(&path)?;
            self.print_new(&origin, &path, &mut printer)?;
            printer.out.flush()?;
        }
        Ok(Outcome::Good)
    }

    fn origin(&self) -> Result<(Origin, RunPath)> {
        let folder = Path::new(&self.run);
        if folder.is_dir() && !self.server.is_given() {
            let cache = FolderCache::open_temporary().map_err(refused)?;
            let unreadable = || format!("the folder cannot be read: {}", folder.display());
            let reader = FolderReader::start(folder, &cache).with_context(unreadable)?;
            reader.wait_until_caught_up();
            let path = only_run(&cache, folder)?;
            return Ok((Origin::Folder(cache, reader), path));
        }
        let api = Api::new(&self.server.resolve()?);
        let path = path_on_server(&api, &self.run)?;
        Ok((Origin::Server(api), path))
    }

    fn request(&self, path: &RunPath) -> ConsoleRequest {
        let output = match (self.stdout, self.stderr) {
            (true, _) => Some(ConsoleOutput::Stdout),
            (_, true) => Some(ConsoleOutput::Stderr),
            _ => None,
        };
        ConsoleRequest {
            run: path.to_string(),
            output,
            search: self.search.clone(),
            regex: self.regex,
            limit: Some(MAX_CONSOLE_LINES),
            ..ConsoleRequest::default()
        }
    }

    /// Prints the lines of all processes in one order.
    fn print_all(&self, origin: &Origin, path: &RunPath, printer: &mut Printer<'_, impl Write>) -> Result<()> {
        let mut request = self.request(path);
        if let Some(tail) = self.tail {
            if self.follow {
                self.skip(origin, path, printer)?;
            }
            request.from = Some(-i64::from(tail));
            if tail == 0 {
                return Ok(());
            }
        }
        loop {
            let list = origin.console(&request)?;
            for line in &list.lines {
                printer.print(&list, line)?;
                if self.tail.is_none() {
                    printer.count(&list, line);
                }
            }
            let reached = list.from + list.lines.len() as u64;
            if list.lines.is_empty() || reached >= list.total {
                return Ok(());
            }
            request.from = Some(reached as i64);
        }
    }

    /// Counts the lines that are there now, so that those which come later can be told.
    fn skip(&self, origin: &Origin, path: &RunPath, printer: &mut Printer<'_, impl Write>) -> Result<()> {
        let request = ConsoleRequest { limit: Some(1), ..self.request(path) };
        for process in origin.console(&request)?.processes {
            let list = origin.console(&ConsoleRequest { stream: Some(process.stream.clone()), ..request.clone() })?;
            printer.printed.insert(process.stream, list.total);
        }
        Ok(())
    }

    /// Prints what came of each process. In the order of all, a line that comes late would move those behind it.
    fn print_new(&self, origin: &Origin, path: &RunPath, printer: &mut Printer<'_, impl Write>) -> Result<()> {
        let request = self.request(path);
        let one = ConsoleRequest { limit: Some(1), search: None, ..request.clone() };
        for process in origin.console(&one)?.processes {
            loop {
                let printed = printer.printed.get(&process.stream).copied().unwrap_or(0);
                let stream = Some(process.stream.clone());
                let list = origin.console(&ConsoleRequest { stream, from: Some(printed as i64), ..request.clone() })?;
                for line in &list.lines {
                    printer.print(&list, line)?;
                    printer.count(&list, line);
                }
                if list.lines.is_empty() || list.from + list.lines.len() as u64 >= list.total {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl<W: Write> Printer<'_, W> {
    fn print(&mut self, list: &ConsoleLineList, line: &ConsoleLine) -> io::Result<()> {
        let label = list.processes.get(line.process as usize).and_then(|process| process.label.as_deref());
        if let Some(label) = label {
            write!(self.out, "[{}] ", printable(&without_colours(label), false))?;
        }
        writeln!(self.out, "{}", printable(&line.text, self.with_colours))
    }

    fn count(&mut self, list: &ConsoleLineList, line: &ConsoleLine) {
        if let Some(process) = list.processes.get(line.process as usize) {
            *self.printed.entry(process.stream.clone()).or_default() += 1;
        }
    }
}

impl Origin {
    fn console(&self, request: &ConsoleRequest) -> Result<ConsoleLineList> {
        match self {
            Self::Server(api) => api.post("/console/query", request),
            Self::Folder(cache, _) => cache.store().console(request).map_err(refused),
        }
    }

    fn is_running(&self, path: &RunPath) -> Result<bool> {
        let detail: RunDetail = match self {
            Self::Server(api) => {
                let [entity, project, run] =
                    [path.entity.as_str(), path.project.as_str(), path.run.as_str()].map(path_segment);
                api.get(&format!("/runs/{entity}/{project}/{run}"))?
            }
            Self::Folder(cache, reader) => {
                reader.wait_until_caught_up();
                cache.store().run(path).map_err(refused)?
            }
        };
        Ok(detail.run.state == RunState::Running)
    }
}

/// A text from anybody for a terminal, or for a file: nothing in it drives the terminal, and no colour goes on behind it.
fn printable(text: &str, with_colours: bool) -> String {
    let clean = clean_console_text(text);
    let shown = if with_colours { clean } else { without_colours(&clean).into_owned().into() };
    let mut printable: String = shown
        .chars()
        .map(|character| match character {
            '\t' | '\x1b' => character,
            _ if is_harmless(character) => character,
            _ => '\u{fffd}',
        })
        .collect();
    if printable.contains('\x1b') {
        printable.push_str("\x1b[0m");
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_colours_and_nothing_that_drives_it() {
        let text = "\x1b[31mred\x1b[2J\x07\ttab \u{202e}back";
        assert_eq!(printable(text, true), "\x1b[31mred[2J\ttab \u{fffd}back\x1b[0m");
        assert_eq!(printable(text, false), "red[2J\ttab \u{fffd}back");
    }
}
