//! `steplog export`: a run's history as a file.

use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use steplog_model::{RunPath, path_segment};
use steplog_protocol::RunsRequest;
use steplog_server::{FolderCache, FolderReader};
use steplog_store::{ExportFormat, ExportSelection};

use crate::api::Api;
use crate::failure::{Outcome, Refusal, refused};
use crate::server::ServerArgument;

const EXAMPLES: &str = "\
Examples:
  steplog export ada/digits/a1b2c3d4 --format parquet      from the server, into digits-a1b2c3d4.parquet
  steplog export steplog/digits/a1b2c3d4 --format csv      a local run, by its folder
  steplog export digits/a1b2c3d4 --format jsonl -o - --key loss --from-step 1000 | head

A row for each step: _step, _timestamp, _runtime, then the keys. Parquet and Arrow keep NaN, infinities and integers
bit for bit; JSON writes what it cannot say as \"NaN\", \"Infinity\" and \"-Infinity\".";

/// Write a run's history to a file
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// `entity/project/id` on the server (or `project/id`), or the folder of a local run
    run: String,
    /// What to write
    #[arg(long, value_enum)]
    format: Format,
    /// File to write, `-` for standard output; default: PROJECT-ID.FORMAT in this folder
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only this key; may be given several times
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// Lowest step
    #[arg(long, value_name = "STEP", allow_negative_numbers = true)]
    from_step: Option<i64>,
    /// Highest step
    #[arg(long, value_name = "STEP", allow_negative_numbers = true)]
    to_step: Option<i64>,
    #[command(flatten)]
    server: ServerArgument,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    Parquet,
    Csv,
    Jsonl,
    Arrow,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Arrow => "arrow",
        }
    }
}

impl Export {
    pub(crate) fn run(self) -> Result<Outcome> {
        let folder = Path::new(&self.run);
        if folder.is_dir() && !self.server.is_given() { self.export_folder(folder) } else { self.export_server() }?;
        Ok(Outcome::Good)
    }

    fn export_folder(&self, folder: &Path) -> Result<()> {
        let cache = FolderCache::open_temporary().map_err(refused)?;
        let unreadable = || format!("the folder cannot be read: {}", folder.display());
        FolderReader::start(folder, &cache).with_context(unreadable)?.wait_until_caught_up();
        let path = only_run(&cache, folder)?;
        let format = match self.format {
            Format::Parquet => ExportFormat::Parquet,
            Format::Csv => ExportFormat::Csv,
            Format::Jsonl => ExportFormat::Jsonl,
            Format::Arrow => ExportFormat::Arrow,
        };
        let keys = (!self.key.is_empty()).then(|| self.key.clone());
        let (from_step, to_step) = (self.from_step, self.to_step);
        let selection = ExportSelection { keys, from_step, to_step, ..ExportSelection::default() };
        self.write(&path, |out| cache.store().export(&path, format, &selection, out).map_err(refused))
    }

    fn export_server(&self) -> Result<()> {
        let api = Api::new(&self.server.resolve()?);
        let path = path_on_server(&api, &self.run)?;
        let segment = |name: &str| path_segment(name);
        let run = [path.entity.as_str(), path.project.as_str(), path.run.as_str()].map(segment).join("/");
        let mut query = format!("format={}", self.format.name());
        if !self.key.is_empty() {
            query += &format!("&keys={}", segment(&serde_json::to_string(&self.key)?));
        }
        for (name, step) in [("from_step", self.from_step), ("to_step", self.to_step)] {
            query += &step.map_or(String::new(), |step| format!("&{name}={step}"));
        }
        let mut file = api.download(&format!("/runs/{run}/history?{query}"))?;
        self.write(&path, |out| {
            io::copy(&mut file, out).context("the export broke off")?;
            Ok(())
        })
    }

    /// Writes beside the file and renames at the end, so that half an export is never taken for a whole one.
    fn write(&self, path: &RunPath, export: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        if self.output.as_deref() == Some(Path::new("-")) {
            let mut out = io::stdout().lock();
            export(&mut out)?;
            return Ok(out.flush()?);
        }
        let default = || {
            let (project, run) = (path_segment(path.project.as_str()), path_segment(path.run.as_str()));
            PathBuf::from(format!("{project}-{run}.{}", self.format.name()))
        };
        let output = self.output.clone().unwrap_or_else(default);
        let mut part = output.clone().into_os_string();
        part.push(".part");
        let unwritable = || format!("cannot write {}", output.display());
        let mut file = Counted::new(File::create(&part).with_context(unwritable)?);
        let written = export(&mut file).and_then(|()| file.inner.sync_all().with_context(unwritable));
        if let Err(error) = written {
            // The export failed, which is what must be told.
            let _ = fs::remove_file(&part);
            return Err(error);
        }
        fs::rename(&part, &output).with_context(unwritable)?;
        file.progress.finish_and_clear();
        eprintln!("wrote {} ({})", output.display(), crate::table::bytes(file.progress.position()));
        Ok(())
    }
}

/// A run on a server, given as `entity/project/id` or `project/id`.
pub(crate) fn path_on_server(api: &Api, run: &str) -> Result<RunPath> {
    let path = match run.matches('/').count() {
        1 => format!("{}/{run}", api.session()?.default_entity),
        _ => run.to_owned(),
    };
    let hint = "name a run as entity/project/id or project/id, or give the folder of a local run";
    path.parse().map_err(|error: steplog_model::InvalidName| Refusal::new(error.to_string()).hint(hint).into())
}

/// The run of a run folder.
pub(crate) fn only_run(cache: &FolderCache, folder: &Path) -> Result<RunPath> {
    let mut paths = Vec::new();
    for project in cache.store().projects().map_err(refused)?.projects {
        let project = format!("{}/{}", project.entity, project.name);
        let request = RunsRequest { project: project.clone(), limit: Some(2), ..RunsRequest::default() };
        let runs = cache.store().runs(&request).map_err(refused)?.runs;
        paths.extend(runs.into_iter().map(|run| format!("{project}/{}", run.id)));
    }
    match &paths[..] {
        [path] => Ok(path.parse()?),
        [] => Err(Refusal::new(format!("there is no run in {}", folder.display())).into()),
        _ => Err(Refusal::new(format!("there are several runs in {}", folder.display()))
            .hint("give the folder of one: …/steplog/PROJECT/RUN-ID")
            .into()),
    }
}

/// A file that shows how much was written.
struct Counted {
    inner: File,
    progress: ProgressBar,
}

impl Counted {
    fn new(inner: File) -> Self {
        let progress = if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {bytes} written, {bytes_per_sec}");
        progress.set_style(style.expect("a good template"));
        progress.enable_steady_tick(Duration::from_millis(100));
        Self { inner, progress }
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.progress.inc(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
