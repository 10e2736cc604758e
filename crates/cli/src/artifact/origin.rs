//! Where artifacts are looked for.

use std::path::{Path, PathBuf};

use anyhow::Result;
use steplog::artifact::{Artifact, ArtifactName, LocalArtifacts};
use steplog::{Api, ApiSettings};

use crate::api::{Api as Probe, Unreachable};
use crate::failure::Refusal;
use crate::server::{Server, ServerArgument};

/// `--dir` and `--server`.
#[derive(clap::Args)]
pub(super) struct OriginArguments {
    /// The artifacts of runs below this folder, instead of those of a server
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgument,
}

/// A server, or a folder.
pub(super) enum Origin {
    Server { api: Api, server: Server },
    Folder { artifacts: LocalArtifacts, root: PathBuf },
}

impl OriginArguments {
    /// The folder of `--dir`, else the server; where none is named and none answers, this folder.
    pub(super) fn open(&self) -> Result<Origin> {
        if let Some(folder) = &self.dir {
            return Origin::folder(folder);
        }
        let server = self.server.resolve()?;
        match Probe::new(&server).session() {
            Ok(_) => {}
            Err(error) if error.is::<Unreachable>() && !server.is_configured => {
                eprintln!("no server answers at {}: these are the artifacts below this folder", server.url);
                return Origin::folder(Path::new("."));
            }
            Err(error) => return Err(error),
        }
        let settings = ApiSettings {
            base_url: Some(server.url.clone()),
            api_key: server.api_key.clone(),
            ..ApiSettings::default()
        };
        Ok(Origin::Server { api: Api::with_settings(settings)?, server })
    }
}

impl Origin {
    fn folder(root: &Path) -> Result<Self> {
        if !root.is_dir() {
            return Err(Refusal::new(format!("there is no folder {}", root.display())).into());
        }
        Ok(Self::Folder { artifacts: LocalArtifacts::open(root)?, root: root.to_owned() })
    }

    /// The version with a name.
    pub(super) fn artifact(&self, name: &str, r#type: Option<&str>) -> Result<Artifact> {
        Ok(match self {
            Self::Server { api, .. } => api.artifact(name, r#type)?,
            Self::Folder { artifacts, .. } => artifacts.artifact(name, project().as_deref(), r#type)?,
        })
    }

    /// The versions of a collection, newest first.
    pub(super) fn versions(&self, collection: &str) -> Result<Vec<Artifact>> {
        Ok(match self {
            Self::Server { api, .. } => api.artifact_versions(collection)?.per_page(1000).collect::<Result<_, _>>()?,
            Self::Folder { artifacts, .. } => artifacts.versions(collection, project().as_deref())?,
        })
    }
}

/// The project of names that have none.
pub(super) fn project() -> Option<String> {
    std::env::var("STEPLOG_PROJECT").ok().filter(|project| !project.is_empty())
}

/// A name without a version.
pub(super) fn collection_of(name: &str) -> Result<String> {
    let mut parsed: ArtifactName = name.parse().map_err(steplog::Error::from)?;
    parsed.selector = None;
    Ok(parsed.to_string())
}
