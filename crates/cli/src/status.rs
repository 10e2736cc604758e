//! `steplog status`: what local runs are at, and what a server lacks of them.

use std::path::PathBuf;

use anyhow::Result;
use steplog::{LocalRun, local_run};

use crate::failure::Outcome;
use crate::server::ServerArgument;
use crate::sync::run_folders;
use crate::table::{self, Cell};

const EXAMPLES: &str = "\
Examples:
  steplog status                             all runs below this folder
  steplog status ~/work --unsent             only those that a server lacks something of
  steplog status --json

No server is asked: what it has is what it last told this machine. The exit code is 0 when it has everything, 1 when
something is left.";

/// Show local runs: who writes or sends them, and what a server does not have yet
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Status {
    /// Folders with runs at any depth, or runs
    #[arg(value_name = "DIR", default_value = ".")]
    folders: Vec<PathBuf>,
    /// Only runs that the server lacks something of
    #[arg(long)]
    unsent: bool,
    /// A JSON list instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgument,
}

impl Status {
    pub(crate) fn run(self) -> Result<Outcome> {
        let server = self.server.resolve()?;
        let mut runs = Vec::new();
        for folder in run_folders(&self.folders)? {
            match local_run(&folder, &server.url) {
                Ok(Some(run)) => runs.push(run),
                Ok(None) => {}
                Err(error) => eprintln!("warning: {error}"),
            }
        }
        runs.sort_by(|a, b| b.started_at.total_cmp(&a.started_at));
        if self.unsent {
            runs.retain(LocalRun::is_unsent);
        }
        let outcome = if runs.iter().any(LocalRun::is_unsent) { Outcome::Incomplete } else { Outcome::Good };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&runs)?);
        } else if runs.is_empty() {
            println!("{}", if self.unsent { "the server has everything" } else { "there are no runs here" });
        } else {
            let rows: Vec<_> = runs.iter().map(row).collect();
            print!("{}", table::render(&["RUN", "NAME", "STATE", "SIZE", "UNSENT", "BEGAN"], &rows));
        }
        Ok(outcome)
    }
}

fn row(run: &LocalRun) -> Vec<Cell> {
    let unsent = match run.is_unsent() {
        false => Cell::new("–"),
        true => {
            let bytes = table::bytes(run.unsent_bytes + run.unsent_file_bytes + run.unsent_artifact_bytes);
            let things = counted(run.unsent_files, "file").into_iter().chain(counted(run.unsent_artifacts, "artifact"));
            let parts: Vec<String> = std::iter::once(bytes).chain(things).collect();
            Cell::new(parts.join(", ")).colour(33)
        }
    };
    vec![
        Cell::new(format!("{}/{}", run.project, run.run_id)),
        Cell::new(run.name.as_deref().unwrap_or("–")),
        state(run),
        Cell::new(table::bytes(run.journal_bytes)),
        unsent,
        Cell::new(table::ago(run.started_at)),
    ]
}

/// `3 files`; nothing for none.
fn counted(count: usize, noun: &str) -> Option<String> {
    let ending = if count == 1 { "" } else { "s" };
    (count > 0).then(|| format!("{count} {noun}{ending}"))
}

fn state(run: &LocalRun) -> Cell {
    match (run.writers, run.sender) {
        (0, Some(process)) => Cell::new(format!("sending (process {process})")).colour(36),
        (0, None) if !run.is_unsent() => Cell::new("complete").colour(32),
        (0, None) if run.offline => Cell::new("offline"),
        (0, None) => Cell::new("ended, not sent").colour(33),
        (1, _) => Cell::new("running").colour(36),
        (writers, _) => Cell::new(format!("running ({writers} processes)")).colour(36),
    }
}
