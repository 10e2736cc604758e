//! `steplog artifact put`.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value as Json};
use steplog::artifact::{AddOptions, AddPolicy, Artifact, ArtifactName, ReferenceOptions, Selector};
use steplog::{ConsoleMode, Mode, Run, Verbosity};

use super::origin::{Origin, OriginArguments, project};
use super::progress::Progress;
use crate::failure::{Outcome, Refusal};
use crate::table;

const EXAMPLES: &str = "\
Examples:
  steplog artifact put digits/train ./data
  steplog artifact put digits/net model.pt config.json --type model --alias best --metadata accuracy=0.93
  steplog artifact put digits/images s3://bucket/images --type dataset
  steplog artifact put digits/train ./data --description \"$(cat README.md)\" --metadata '{\"rows\": 60000}'

The content of a folder comes to the top of the version, a file under its name. What is named by a URI (file, http, https,
s3, gs) is not copied: its place, size and digest are noted, so that a change is noticed. Content that the newest version
has already makes no new one. The version is logged by a run of its own, of the job type \"artifact-put\".";

/// Log files, folders or URIs as the next version of an artifact
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Put {
    /// Name: [[ENTITY/]PROJECT/]NAME, or with :ALIAS
    name: String,
    /// Files, folders and URIs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Type, when it is the first version: all versions of an artifact have one
    #[arg(long, default_value = "dataset")]
    r#type: String,
    /// Alias beside `latest`; may be given several times
    #[arg(long)]
    alias: Vec<String>,
    /// Tag; may be given several times
    #[arg(long)]
    tag: Vec<String>,
    /// What it is, markdown
    #[arg(long)]
    description: Option<String>,
    /// KEY=VALUE, or a JSON object; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = metadata)]
    metadata: Vec<Map<String, Json>>,
    /// Delete the version after so many seconds, unless an alias other than `latest` points at it
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
    /// Send the files from where they are, instead of copies: they must not change until then
    #[arg(long)]
    no_copy: bool,
    /// Note only the URIs, and do not look at what is there
    #[arg(long)]
    no_checksum: bool,
    /// Write the version as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    origin: OriginArguments,
}

impl Put {
    pub(crate) fn run(self) -> Result<Outcome> {
        let mut name: ArtifactName = self.name.parse().map_err(steplog::Error::from)?;
        let mut aliases = self.alias.clone();
        match name.selector.take() {
            Some(Selector::Alias(alias)) => aliases.push(alias.to_string()),
            Some(Selector::Version(version)) => {
                let message = format!("a new version gets its number by itself, so {version} cannot be asked for");
                return Err(Refusal::new(message).hint(format!("name it {name}, or with an alias")).into());
            }
            None => {}
        }
        let artifact = self.draft(&name)?;
        let origin = self.origin.open()?;
        let run = self.begin_run(&name, &origin)?;
        artifact.send_early(&run)?;
        let progress = Progress::new("reading");
        self.add(&artifact, &progress)?;
        run.log_artifact(&artifact, &aliases)?;
        progress.say("sending");
        let sent = artifact.wait_unless(None, &mut || {
            let (sent_bytes, left_bytes) = run.artifact_progress();
            progress.set(sent_bytes, sent_bytes + left_bytes);
            false
        });
        drop(progress);
        run.finish_with(i32::from(sent.is_err()));
        sent.with_context(|| {
            format!("{} is on this disk, and was not sent: `steplog sync` does that", artifact.name())
        })?;
        let info = artifact.info()?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&info)?);
            return Ok(Outcome::Good);
        }
        let (files, bytes) = (table::count(info.file_count, "file"), table::bytes(info.size_bytes));
        println!("{}/{}/{}: {files}, {bytes}", info.entity, info.project, artifact.name());
        Ok(Outcome::Good)
    }

    fn draft(&self, name: &ArtifactName) -> Result<Artifact> {
        let artifact = Artifact::new(name.collection.as_str(), &self.r#type)?;
        if let Some(description) = &self.description {
            artifact.set_description(description)?;
        }
        artifact.set_tags(&self.tag)?;
        artifact
            .set_metadata(self.metadata.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect())?;
        artifact.set_ttl(self.ttl.map(std::time::Duration::from_secs))?;
        Ok(artifact)
    }

    fn begin_run(&self, name: &ArtifactName, origin: &Origin) -> Result<Run> {
        let project = name.project.as_ref().map(ToString::to_string).or_else(project).ok_or_else(|| {
            Refusal::new(format!("{name} names no project, and neither does STEPLOG_PROJECT"))
                .hint(format!("write PROJECT/{}", name.collection))
        })?;
        let builder = Run::builder(project)
            .name(format!("put {}", name.collection))
            .job_type("artifact-put")
            .verbosity(Verbosity::Silent)
            .console(ConsoleMode::Off)
            .system_metrics(false)
            .save_requirements(false)
            .disable_git(true)
            .disable_code(true);
        let builder = match &name.entity {
            Some(entity) => builder.entity(entity.to_string()),
            None => builder,
        };
        let builder = match origin {
            Origin::Server { server, .. } => {
                let builder = builder.mode(Mode::Online).base_url(&server.url);
                server.api_key.iter().fold(builder, |builder, key| builder.api_key(key))
            }
            Origin::Folder { root, .. } => builder.mode(Mode::Offline).root(root),
        };
        Ok(builder.init()?)
    }

    fn add(&self, artifact: &Artifact, progress: &Progress) -> Result<()> {
        let policy = if self.no_copy { AddPolicy::Immutable } else { AddPolicy::Mutable };
        let options = AddOptions { policy, ..AddOptions::default() };
        let mut watch = |added: steplog::artifact::AddProgress| {
            progress.set(added.done_bytes, added.total_bytes);
            true
        };
        for path in &self.paths {
            if path.contains("://") {
                let options = ReferenceOptions { checksum: !self.no_checksum, ..ReferenceOptions::default() };
                artifact.add_reference(path, &options)?;
            } else if Path::new(path).is_dir() {
                artifact.add_dir_watched(path, None, &options, &mut watch)?;
            } else {
                artifact.add_file_watched(path, None, &options, &mut watch)?;
            }
        }
        Ok(())
    }
}

/// `{"key": value}`, or `key=value` with a value that is JSON or else text.
fn metadata(text: &str) -> Result<Map<String, Json>, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    let (key, value) = text.split_once('=').ok_or("it is neither KEY=VALUE nor a JSON object")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Json::from(value));
    Ok(Map::from_iter([(key.to_owned(), value)]))
}
