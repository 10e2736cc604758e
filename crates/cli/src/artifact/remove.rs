//! `steplog artifact rm`.

use anyhow::Result;
use steplog::artifact::{Artifact, ArtifactName};

use super::origin::{Origin, OriginArguments};
use crate::failure::{Outcome, Refusal};

const EXAMPLES: &str = "\
Examples:
  steplog artifact rm digits/train:v0
  steplog artifact rm digits/train:v0 digits/train:v1 --delete-aliases
  steplog artifact rm digits/train --all-versions               the artifact and all its versions

Numbers of versions are not used again. Bytes that no other version needs go, too. Of a link in a registry only the link
goes.";

/// Delete versions
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Remove {
    /// Names: [[ENTITY/]PROJECT/]NAME:VERSION
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Delete a version though aliases beside `latest` point at it
    #[arg(long)]
    delete_aliases: bool,
    /// Delete all versions of artifacts that are named without one
    #[arg(long)]
    all_versions: bool,
    #[command(flatten)]
    origin: OriginArguments,
}

impl Remove {
    pub(crate) fn run(self) -> Result<Outcome> {
        // What was meant is made out before anything goes.
        for name in &self.names {
            let parsed: ArtifactName = name.parse().map_err(steplog::Error::from)?;
            match (parsed.selector.is_some(), self.all_versions) {
                (false, false) => {
                    let message = format!("{name} names no version");
                    return Err(Refusal::new(message).hint(format!("write {name}:v0, or add --all-versions")).into());
                }
                (true, true) => {
                    let message = format!("{name} names a version, and --all-versions means all of them");
                    return Err(Refusal::new(message).hint("leave out one of both").into());
                }
                _ => {}
            }
        }
        let origin = self.origin.open()?;
        for name in &self.names {
            if self.all_versions {
                remove_all(&origin, name)?;
                println!("removed {name} with all its versions");
            } else {
                let artifact = origin.artifact(name, None)?;
                artifact.delete(self.delete_aliases)?;
                println!("removed {}", artifact.name());
            }
        }
        Ok(Outcome::Good)
    }
}

fn remove_all(origin: &Origin, name: &str) -> Result<()> {
    match origin {
        Origin::Server { api, .. } => api.artifact_collection(name)?.delete()?,
        Origin::Folder { .. } => {
            let versions: Vec<Artifact> = origin.versions(name)?;
            versions.iter().try_for_each(|version| version.delete(true))?;
        }
    }
    Ok(())
}
