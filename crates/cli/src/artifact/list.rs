//! `steplog artifact ls`.

use std::io::{self, Write as _};

use anyhow::Result;
use serde_json::{Value as Json, json};
use steplog::api::{CollectionInfo, CollectionQuery};
use steplog::artifact::{Artifact, ArtifactInfo, ArtifactName, FilePath, ManifestEntry};

use super::origin::{Origin, OriginArguments};
use crate::failure::{Outcome, Refusal};
use crate::table::{self, Cell};

const EXAMPLES: &str = "\
Examples:
  steplog artifact ls                              all artifacts
  steplog artifact ls --project digits --type model
  steplog artifact ls digits/train                 the versions of one
  steplog artifact ls digits/train:latest          the files of a version
  steplog artifact ls digits/train --json | jq '.[].version'";

/// List artifacts, the versions of one, or the files of a version
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct List {
    /// [[ENTITY/]PROJECT/]NAME for its versions, with :VERSION or :ALIAS for the files of one
    name: Option<String>,
    /// Only artifacts of this project, or ENTITY/PROJECT
    #[arg(long, conflicts_with = "name")]
    project: Option<String>,
    /// Only artifacts of this type
    #[arg(long, conflicts_with = "name")]
    r#type: Option<String>,
    /// Write a JSON list instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    origin: OriginArguments,
}

impl List {
    pub(crate) fn run(self) -> Result<Outcome> {
        let origin = self.origin.open()?;
        let text = match &self.name {
            None => self.collections(&origin)?,
            Some(name) => {
                let parsed: ArtifactName = name.parse().map_err(steplog::Error::from)?;
                match parsed.selector {
                    Some(_) => self.files(&origin.artifact(name, None)?)?,
                    None => self.versions(&origin.versions(name)?)?,
                }
            }
        };
        io::stdout().write_all(text.as_bytes())?;
        Ok(Outcome::Good)
    }

    fn collections(&self, origin: &Origin) -> Result<String> {
        let mut found = self.all_collections(origin)?;
        found.retain(|collection| self.r#type.as_ref().is_none_or(|r#type| *r#type == collection.r#type));
        if self.json {
            return Ok(serde_json::to_string_pretty(&found)? + "\n");
        }
        if found.is_empty() {
            return Ok("no artifacts\n".into());
        }
        let row = |collection: &CollectionInfo| {
            let aliases = collection.aliases.iter().map(|alias| format!("{}={}", alias.alias, alias.version));
            vec![
                Cell::new(&collection.r#type),
                Cell::new(format!("{}/{}/{}", collection.entity, collection.project, collection.name)),
                Cell::new(collection.version_count.to_string()),
                Cell::new(collection.latest_version.as_deref().unwrap_or_default()),
                Cell::new(aliases.collect::<Vec<_>>().join(" ")),
                Cell::new(table::bytes(collection.size_bytes)),
                Cell::new(table::ago(collection.updated_at)),
            ]
        };
        let header = ["TYPE", "NAME", "VERSIONS", "NEWEST", "ALIASES", "SIZE", "CHANGED"];
        Ok(table::render(&header, &found.iter().map(row).collect::<Vec<_>>()))
    }

    fn all_collections(&self, origin: &Origin) -> Result<Vec<CollectionInfo>> {
        let (entity, project) = match self.project.as_deref().map(|project| project.split_once('/')) {
            Some(Some((entity, project))) => (Some(entity), Some(project)),
            Some(None) => (None, self.project.as_deref()),
            None => (None, None),
        };
        match origin {
            Origin::Folder { artifacts, .. } if entity.is_none() => Ok(artifacts.collections(project)?),
            Origin::Folder { .. } => Err(Refusal::new("a folder has projects and no entities").into()),
            Origin::Server { api, .. } => {
                let query = CollectionQuery { r#type: self.r#type.clone(), ..CollectionQuery::default() };
                let found = match &self.project {
                    Some(project) => api.artifact_collections(project, query)?,
                    None => api.all_artifact_collections(None, query)?,
                };
                found.per_page(1000).map(|found| Ok(found?.info().clone())).collect()
            }
        }
    }

    fn versions(&self, versions: &[Artifact]) -> Result<String> {
        let infos = versions.iter().map(Artifact::info).collect::<Result<Vec<_>, _>>()?;
        if self.json {
            return Ok(serde_json::to_string_pretty(&infos)? + "\n");
        }
        if infos.is_empty() {
            return Ok("no versions\n".into());
        }
        let row = |info: &ArtifactInfo| {
            vec![
                Cell::new(&info.version),
                Cell::new(info.aliases.join(" ")),
                Cell::new(info.file_count.to_string()),
                Cell::new(table::bytes(info.size_bytes)),
                Cell::new(table::ago(info.created_at)),
                Cell::new(info.logged_by.as_ref().map_or("", |run| run.name.as_deref().unwrap_or(&run.run_id))),
            ]
        };
        let header = ["VERSION", "ALIASES", "FILES", "SIZE", "LOGGED", "BY"];
        Ok(table::render(&header, &infos.iter().map(row).collect::<Vec<_>>()))
    }

    fn files(&self, artifact: &Artifact) -> Result<String> {
        let manifest = artifact.manifest()?;
        if self.json {
            let entries: Vec<Json> = manifest.entries().map(|(path, entry)| entry_as_json(path, entry)).collect();
            return Ok(serde_json::to_string_pretty(&entries)? + "\n");
        }
        if manifest.is_empty() {
            return Ok("no files\n".into());
        }
        let row = |(path, entry): (&FilePath, &ManifestEntry)| {
            let size = entry.size_bytes.map(table::bytes).unwrap_or_default();
            vec![Cell::new(size), Cell::whole(path.as_str()), Cell::whole(entry.uri().unwrap_or_default())]
        };
        Ok(table::render(&["SIZE", "PATH", "REFERENCE"], &manifest.entries().map(row).collect::<Vec<_>>()))
    }
}

/// An entry in the words of the API.
pub(super) fn entry_as_json(path: &FilePath, entry: &ManifestEntry) -> Json {
    json!({
        "path": path.as_str(),
        "size_bytes": entry.size_bytes,
        "digest": entry.digest(),
        "sha256": entry.sha256().map(|hash| hash.to_string()),
        "reference": entry.uri(),
    })
}
