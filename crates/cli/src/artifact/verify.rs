//! `steplog artifact verify`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use steplog::artifact::Artifact;

use super::origin::OriginArguments;
use super::progress::Progress;
use crate::failure::Outcome;
use crate::table;

const EXAMPLES: &str = "\
Examples:
  steplog artifact verify digits/train:v3                    the bytes where they are stored
  steplog artifact verify digits/train:v3 ./data             the files in a folder

Reads every byte. What is not as it was logged is named, and the exit code is then 1. References are not looked at. Files
that the version does not have are named and do no harm.";

/// Compare stored bytes, or the files in a folder, with what was logged
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// Name: [[ENTITY/]PROJECT/]NAME[:VERSION or :ALIAS]
    name: String,
    /// Folder with the files of the version; without, the stored bytes are read
    folder: Option<PathBuf>,
    #[command(flatten)]
    origin: OriginArguments,
}

impl Verify {
    pub(crate) fn run(self) -> Result<Outcome> {
        let artifact = self.origin.open()?.artifact(&self.name, None)?;
        match &self.folder {
            Some(folder) => verify_folder(&artifact, folder),
            None => verify_stored(&artifact),
        }
    }
}

fn verify_stored(artifact: &Artifact) -> Result<Outcome> {
    let found = artifact.verify_stored()?;
    for path in &found.damaged {
        println!("damaged: {path}");
    }
    let (good, references) = (table::count(found.good_count, "file"), table::count(found.reference_count, "reference"));
    println!("{}: {good} as logged, {} damaged, {references} not looked at", artifact.name(), found.damaged.len());
    if found.damaged.is_empty() {
        return Ok(Outcome::Good);
    }
    eprintln!("hint: log the same files once more, which heals them; until then they are not handed out");
    Ok(Outcome::Incomplete)
}

fn verify_folder(artifact: &Artifact, folder: &Path) -> Result<Outcome> {
    let progress = Progress::new(&artifact.name());
    let found = artifact.verify_watched(folder, &mut |done| {
        progress.set(done.done_bytes, done.total_bytes);
        true
    })?;
    drop(progress);
    for (word, paths) in [("missing", &found.missing), ("changed", &found.changed)] {
        paths.iter().for_each(|path| println!("{word}: {path}"));
    }
    for path in &found.unexpected {
        println!("extra: {}", table::clean(path));
    }
    println!(
        "{}: {} as logged, {} missing, {} changed, {} extra, {} not looked at",
        artifact.name(),
        table::count(found.good_count, "file"),
        found.missing.len(),
        found.changed.len(),
        found.unexpected.len(),
        table::count(found.reference_count, "reference"),
    );
    Ok(if found.is_good() { Outcome::Good } else { Outcome::Incomplete })
}
