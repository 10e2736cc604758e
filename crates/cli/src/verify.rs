//! `steplog verify`: are the journals and the store whole?

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use steplog::RunFolder;
use steplog_journal::{JournalReader, ReadError, StreamDecoder, StreamError, Tail, list_segments};
use steplog_model::{Record, StreamId};
use steplog_store::{Store, StoreOptions};

use crate::failure::{Outcome, refused};
use crate::sync::run_folders;
use crate::table;

/// What a data directory is known by.
const DATABASE: &str = "steplog.sqlite";

/// How much of a journal is read at a time.
const READ_BYTES: usize = 4 << 20;

const EXAMPLES: &str = "\
Examples:
  steplog verify                         all journals below this folder
  steplog verify /srv/steplog            the data directory of a server that is stopped
  steplog verify ~/work /mnt/backup/steplog-data

Reads every byte and checks every checksum; of a data directory also that statistics equal the points. Says what is
damaged, where, and what is lost by it. The exit code is 1 when anything is damaged. Nothing is changed.";

/// Check journals and data directories for damage
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// Folders with runs at any depth, runs, or data directories
    #[arg(value_name = "DIR", default_value = ".")]
    folders: Vec<PathBuf>,
}

/// What was found.
#[derive(Debug, Default)]
struct Findings {
    journals: u64,
    rows: u64,
    bytes: u64,
    damages: u64,
}

impl Verify {
    pub(crate) fn run(self) -> Result<Outcome> {
        let (stores, folders): (Vec<_>, Vec<_>) =
            self.folders.into_iter().partition(|path| path.join(DATABASE).is_file());
        let mut damages = 0;
        for directory in &stores {
            damages += verify_store(directory)?;
        }
        if !folders.is_empty() {
            damages += verify_runs(&run_folders(&folders)?)?;
        }
        Ok(if damages == 0 { Outcome::Good } else { Outcome::Incomplete })
    }
}

fn verify_store(directory: &Path) -> Result<u64> {
    let store = Store::open(directory, StoreOptions::default()).map_err(refused)?;
    let progress = progress_bar("{bar:30} {percent}%  checking the store");
    let findings = store.verify(&mut |done, total| {
        progress.set_length(total);
        progress.set_position(done);
    });
    progress.finish_and_clear();
    let closed = store.close().map_err(refused);
    let findings = findings.map_err(refused)?;
    closed?;
    for finding in &findings {
        println!("damaged: {}: {}: {}", directory.display(), finding.place, finding.message);
    }
    match findings.len() {
        0 => println!("{}: good", directory.display()),
        count => println!("{}: {}", directory.display(), table::count(count as u64, "damage")),
    }
    Ok(findings.len() as u64)
}

fn verify_runs(runs: &[RunFolder]) -> Result<u64> {
    let progress = progress_bar("{bar:30} {pos}/{len} runs  {wide_msg}");
    progress.set_length(runs.len() as u64);
    let mut findings = Findings::default();
    for run in runs {
        progress.set_message(run.path().display().to_string());
        let streams = run.streams().with_context(|| format!("cannot read {}", run.path().display()))?;
        for stream in streams {
            let messages = findings.verify_journal(&run.journal(stream), stream)?;
            progress.suspend(|| messages.iter().for_each(|message| println!("{message}")));
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let Findings { journals, rows, bytes, damages } = findings;
    let (runs, journals) = (table::count(runs.len() as u64, "run"), table::count(journals, "journal"));
    let (rows, bytes) = (table::count(rows, "row"), table::bytes(bytes));
    let verdict = if damages == 0 { "good".to_owned() } else { table::count(damages, "damage") };
    println!("{runs}, {journals}, {rows}, {bytes}: {verdict}");
    Ok(damages)
}

impl Findings {
    /// Reads a journal to its end, also past damage, and answers what there is to say.
    fn verify_journal(&mut self, folder: &Path, stream: StreamId) -> Result<Vec<String>> {
        self.journals += 1;
        let shown = folder.display();
        let reader = JournalReader::new(folder);
        let mut decoder = StreamDecoder::new(stream);
        let mut messages = Vec::new();
        loop {
            let offset = decoder.offset();
            let problem = match reader.read(offset, READ_BYTES) {
                Ok(chunk) if chunk.bytes.is_empty() => {
                    if let Tail::Torn(bytes) = reader.tail(offset)? {
                        messages.push(format!(
                            "note: {shown}: a record of {bytes} bytes was never completed; its `log` never returned"
                        ));
                    }
                    return Ok(messages);
                }
                Ok(chunk) if chunk.offset > offset => {
                    messages.push(format!(
                        "note: {shown}: bytes {offset} to {} are not on this disk: it was full, and a server has them",
                        chunk.offset
                    ));
                    decoder = StreamDecoder::resume(stream, chunk.offset, Vec::new());
                    continue;
                }
                Ok(chunk) => match self.decode(&mut decoder, &chunk.bytes, &shown, &mut messages) {
                    Ok(()) => continue,
                    Err(error) => (decoder.offset(), error.to_string()),
                },
                Err(ReadError::Damaged { offset, reason, .. }) => (offset, format!("at byte {offset}: {reason}")),
                Err(error @ ReadError::Io(_)) => return Err(error).with_context(|| format!("cannot read {shown}")),
            };
            self.damages += 1;
            let (next, lost) = behind(folder, problem.0)?;
            messages.push(format!("damaged: {shown}: {}; {lost}", problem.1));
            match next {
                Some(base) => decoder = StreamDecoder::resume(stream, base, Vec::new()),
                None => return Ok(messages),
            }
        }
    }

    fn decode(
        &mut self,
        decoder: &mut StreamDecoder,
        bytes: &[u8],
        shown: &dyn std::fmt::Display,
        messages: &mut Vec<String>,
    ) -> Result<(), StreamError> {
        let start = decoder.offset();
        let decoded = decoder.decode(bytes, |record| match record {
            Record::Row(_) => self.rows += 1,
            Record::Loss { rows, .. } => {
                let rows = table::count(rows, "row");
                messages
                    .push(format!("note: {shown}: {rows} could be kept neither on disk nor in memory when written"));
            }
            _ => {}
        });
        self.bytes += decoder.offset() - start;
        decoded.map(drop)
    }
}

/// Where reading can go on behind a damage, and what lies between.
fn behind(folder: &Path, offset: u64) -> Result<(Option<u64>, String)> {
    let segments = list_segments(folder)?;
    if let Some(next) = segments.iter().map(|segment| segment.base).find(|base| *base > offset) {
        return Ok((Some(next), format!("{} are lost, up to the next segment", table::bytes(next - offset))));
    }
    let last = segments.last().map(|segment| Ok::<_, io::Error>(segment.base + fs::metadata(&segment.path)?.len()));
    let end = last.transpose()?.unwrap_or(offset);
    Ok((None, format!("at most {} are lost, up to its end", table::bytes(end.saturating_sub(offset)))))
}

fn progress_bar(template: &str) -> ProgressBar {
    let progress = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    progress.set_style(ProgressStyle::with_template(template).expect("a good template"));
    progress.enable_steady_tick(Duration::from_millis(100));
    progress
}
