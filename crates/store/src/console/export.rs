//! The console of a run as a file.

use std::io::Write;
use std::str::FromStr;

use serde_json::json;
use steplog_model::{RunPath, without_colours};
use steplog_protocol::{ConsoleLine, ConsoleOutput};

use super::read::Console;
use crate::{Error, Store, catalog};

/// Lines that are read at a time. Between the parts nothing of the database is held.
const PART_LINES: usize = 5000;

/// Texts of a part, about.
const PART_BYTES: usize = 1 << 20;

/// What the console is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleFormat {
    /// The texts without colours.
    Text,
    /// The texts with the escape sequences for colours.
    Ansi,
    /// A JSON object for each line: `time`, `stream`, `number`, `output` and `text`, with colours.
    Jsonl,
}

impl FromStr for ConsoleFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "text" => Ok(Self::Text),
            "ansi" => Ok(Self::Ansi),
            "jsonl" => Ok(Self::Jsonl),
            _ => Err(Error::invalid(format!("there is no console format {name:?}"))
                .with_hint("formats are text, ansi and jsonl")),
        }
    }
}

impl Store {
    /// Writes the lines that the processes of a run printed, in order, a part at a time. Lines that come meanwhile are left
    /// out.
    ///
    /// # Errors
    /// There is no such run or process, or `out` refused.
    pub fn export_console(
        &self,
        path: &RunPath,
        format: ConsoleFormat,
        stream: Option<&str>,
        output: Option<ConsoleOutput>,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let mut end = None;
        let mut from = 0;
        while end.is_none_or(|end| from < end) {
            let mut part = Vec::new();
            let reader = self.shared.database.reader()?;
            {
                let snapshot = reader.snapshot()?;
                let (run, _) = catalog::run_id(&snapshot, path)?;
                let console = Console::open(&snapshot, &self.shared.caches.console, run)?;
                let selection = console.select(&snapshot, stream, output)?;
                let end = *end.get_or_insert(selection.total());
                let limit = PART_LINES.min((end - from) as usize);
                let selected = selection.lines(from, limit, &mut |chunk| console.head(chunk))?;
                let lines = console.lines(&selected, PART_BYTES)?;
                if lines.is_empty() {
                    break;
                }
                from += lines.len() as u64;
                for line in &lines {
                    push(&mut part, format, line, &console.processes[line.process as usize].stream);
                }
            }
            out.write_all(&part)
                .map_err(|error| Error::unavailable(format!("the console could not be written: {error}")))?;
        }
        Ok(())
    }
}

fn push(part: &mut Vec<u8>, format: ConsoleFormat, line: &ConsoleLine, stream: &str) {
    match format {
        ConsoleFormat::Text => part.extend(without_colours(&line.text).as_bytes()),
        ConsoleFormat::Ansi => {
            part.extend(line.text.as_bytes());
            if line.text.contains('\x1b') {
                // A line that leaves a colour on does not colour the next.
                part.extend(b"\x1b[0m");
            }
        }
        ConsoleFormat::Jsonl => {
            let object = json!({
                "time": line.time, "stream": stream, "number": line.number, "output": line.output, "text": line.text
            });
            part.extend(object.to_string().into_bytes());
        }
    }
    part.push(b'\n');
}
