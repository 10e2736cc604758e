//! `steplog runs`: a table of runs, from a server or a folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use steplog_protocol::{ProjectList, Run, RunList, RunState, RunsRequest, Sort};
use steplog_server::{FolderCache, FolderReader};

use crate::api::{Api, Unreachable};
use crate::failure::{Outcome, Refusal, refused};
use crate::server::ServerArgument;
use crate::table::{self, Cell};

/// Most runs that one request may ask for.
const PAGE_RUNS: usize = 5_000;

const EXAMPLES: &str = "\
Examples:
  steplog runs                                     the newest runs of all projects
  steplog runs digits --sort -summary.accuracy     the best first
  steplog runs ada/digits --filter 'config.lr >= 0.01 and state = \"finished\"' --column config.lr
  steplog runs --dir ~/work digits --json | jq '.[].values'
                                                   local runs, for other programs

Filters compare with = != < <= > >= ~ (contains) and in (…), joined by and, or, not and parentheses. Fields are
id name state group job_type tags notes created_at updated_at duration last_step row_count, config.KEY and
summary.KEY; a field with other characters stands in backticks.";

/// List runs: filter, sort, choose columns
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Runs {
    /// `project`, or `entity/project`; all projects when absent
    project: Option<String>,
    /// Only runs for which this holds
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
    /// Field to sort by, largest first with a `-` before it; the first given counts first. Default: newest first
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    sort: Vec<String>,
    /// Field to show besides, such as config.lr or summary.loss
    #[arg(long, value_name = "FIELD")]
    column: Vec<String>,
    /// How many runs at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Write a JSON list instead of a table
    #[arg(long)]
    json: bool,
    /// Read the runs below this folder instead of asking a server
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgument,
}

/// Where runs are asked for.
enum Origin {
    Server { api: Api, default_entity: String },
    Folder(FolderCache),
}

impl Runs {
    pub(crate) fn run(self) -> Result<Outcome> {
        let origin = self.origin()?;
        let mut runs = Vec::new();
        let projects = self.projects(&origin)?;
        let are_many = projects.len() > 1;
        if are_many && !self.sort.is_empty() {
            let message = "runs are sorted within one project, and there are several";
            return Err(Refusal::new(message).hint(format!("name one, such as {}", projects[0])).into());
        }
        let mut total = 0;
        for project in projects {
            total += self.collect(&origin, project, &mut runs)?;
        }
        if are_many {
            runs.sort_by(|a, b| b.created_at.total_cmp(&a.created_at));
            runs.truncate(self.limit);
        }
        let text = if self.json { serde_json::to_string_pretty(&runs)? + "\n" } else { self.table(&runs) };
        std::io::stdout().write_all(text.as_bytes())?;
        if total > runs.len() as u64 {
            eprintln!("{} of {total} runs; --limit N shows more", runs.len());
        }
        Ok(Outcome::Good)
    }

    /// The folder of `--dir`, else the server; where none is named and none answers, this folder.
    fn origin(&self) -> Result<Origin> {
        if let Some(folder) = &self.dir {
            return Origin::folder(folder);
        }
        let server = self.server.resolve()?;
        let api = Api::new(&server);
        match api.session() {
            Ok(session) => Ok(Origin::Server { api, default_entity: session.default_entity }),
            Err(error) if error.is::<Unreachable>() && !server.is_configured => {
                eprintln!("no server answers at {}: these are the runs below this folder", server.url);
                Origin::folder(Path::new("."))
            }
            Err(error) => Err(error),
        }
    }

    /// The project asked for, or all of them, as `entity/project`.
    fn projects(&self, origin: &Origin) -> Result<Vec<String>> {
        let projects = || -> Result<Vec<String>> {
            let projects = origin.projects()?.projects;
            Ok(projects.iter().map(|project| format!("{}/{}", project.entity, project.name)).collect())
        };
        match (&self.project, origin) {
            (None, _) => projects(),
            (Some(project), _) if project.contains('/') => Ok(vec![project.clone()]),
            (Some(project), Origin::Server { default_entity, .. }) => Ok(vec![format!("{default_entity}/{project}")]),
            (Some(project), Origin::Folder(_)) => {
                let found = projects()?
                    .into_iter()
                    .filter(|path| path.split_once('/').is_some_and(|(_, name)| name == project));
                let found: Vec<_> = found.collect();
                if found.is_empty() {
                    return Err(Refusal::new(format!("there is no project {project} in this folder")).into());
                }
                Ok(found)
            }
        }
    }

    /// Adds the runs of a project, page by page, up to the limit; answers how many there are.
    fn collect(&self, origin: &Origin, project: String, runs: &mut Vec<Run>) -> Result<u64> {
        let sort = self.sort.iter().map(|field| match field.strip_prefix('-') {
            Some(field) => Sort { field: field.into(), descending: true },
            None => Sort { field: field.clone(), descending: false },
        });
        let mut columns = self.column.clone();
        if self.json {
            columns.extend(["config.*".to_owned(), "summary.*".to_owned()]);
        }
        let sort = sort.collect();
        let mut request = RunsRequest { project, filter: self.filter.clone(), sort, columns, ..RunsRequest::default() };
        let (mut left, mut total) = (self.limit, 0);
        while left > 0 {
            request.limit = Some(left.min(PAGE_RUNS) as u32);
            let page = origin.runs(&request)?;
            left = left.saturating_sub(page.runs.len().max(1));
            runs.extend(page.runs);
            total = page.total;
            request.cursor = page.next_cursor;
            if request.cursor.is_none() {
                break;
            }
        }
        Ok(total)
    }

    fn table(&self, runs: &[Run]) -> String {
        if runs.is_empty() {
            return "no runs\n".into();
        }
        let fixed = ["STATE", "NAME", "PATH", "STARTED", "DURATION", "LAST STEP"];
        let header: Vec<&str> = fixed.into_iter().chain(self.column.iter().map(String::as_str)).collect();
        let row = |run: &Run| {
            let step = run.last_step.map_or(String::new(), |step| step.to_string());
            let path = format!("{}/{}/{}", run.entity, run.project, run.id);
            let mut row = vec![
                state(run.state),
                Cell::new(&run.name),
                Cell::new(path),
                Cell::new(table::ago(run.created_at)),
                Cell::new(table::duration(run.duration)),
                Cell::new(step),
            ];
            row.extend(self.column.iter().map(|column| match run.values.get(column) {
                None | Some(serde_json::Value::Null) => Cell::default(),
                Some(serde_json::Value::String(text)) => Cell::new(text),
                Some(value) => Cell::new(value.to_string()),
            }));
            row
        };
        table::render(&header, &runs.iter().map(row).collect::<Vec<_>>())
    }
}

impl Origin {
    fn folder(folder: &Path) -> Result<Self> {
        let unreadable = || format!("the folder cannot be read: {}", folder.display());
        let cache = FolderCache::open(folder).map_err(refused)?;
        FolderReader::start(folder, &cache).with_context(unreadable)?.wait_until_caught_up();
        Ok(Self::Folder(cache))
    }

    fn projects(&self) -> Result<ProjectList> {
        match self {
            Self::Server { api, .. } => api.get("/projects"),
            Self::Folder(cache) => cache.store().projects().map_err(refused),
        }
    }

    fn runs(&self, request: &RunsRequest) -> Result<RunList> {
        match self {
            Self::Server { api, .. } => api.post("/runs/query", request),
            Self::Folder(cache) => cache.store().runs(request).map_err(refused),
        }
    }
}

/// The state in a colour of the terminal: cyan, green, red, yellow.
fn state(state: RunState) -> Cell {
    match state {
        RunState::Running => Cell::new("running").colour(36),
        RunState::Finished => Cell::new("finished").colour(32),
        RunState::Failed => Cell::new("failed").colour(31),
        RunState::Crashed => Cell::new("crashed").colour(33),
    }
}
