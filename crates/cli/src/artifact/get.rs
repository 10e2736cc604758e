//! `steplog artifact get`.

use std::path::PathBuf;

use anyhow::Result;
use steplog::artifact::DownloadOptions;

use super::origin::OriginArguments;
use super::progress::Progress;
use crate::failure::Outcome;
use crate::table;

const EXAMPLES: &str = "\
Examples:
  steplog artifact get digits/train                     the newest version, into artifacts/train:v3
  steplog artifact get ada/digits/train:clean --to data
  steplog artifact get digits/train:v3 --prefix images/ --skip-cache
  steplog artifact get digits/train:v3 --to data --exactly

Files that are there already with the right content are kept, and a download that was cut off goes on from there. Every
file is compared with its hash before it gets its name. Where the disk cannot share blocks, files share their bytes with
the cache and cannot be written to; --skip-cache makes files of their own.";

/// Download a version: a dataset, a model
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Get {
    /// Name: [[ENTITY/]PROJECT/]NAME[:VERSION or :ALIAS]
    name: String,
    /// Folder; default: artifacts/NAME:VERSION
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Refuse it when it has another type
    #[arg(long)]
    r#type: Option<String>,
    /// Only files whose path begins so
    #[arg(long, value_name = "PATH")]
    prefix: Option<String>,
    /// Write files of their own, past the cache
    #[arg(long)]
    skip_cache: bool,
    /// Leave out references to what is not there any more
    #[arg(long)]
    allow_missing_references: bool,
    /// Remove everything else from the folder
    #[arg(long, requires = "to", conflicts_with_all = ["prefix", "skip_cache", "allow_missing_references"])]
    exactly: bool,
    #[command(flatten)]
    origin: OriginArguments,
}

impl Get {
    pub(crate) fn run(self) -> Result<Outcome> {
        let artifact = self.origin.open()?.artifact(&self.name, self.r#type.as_deref())?;
        let name = artifact.name();
        let progress = Progress::new(&name);
        let mut watch = |done: steplog::artifact::DownloadProgress| {
            progress.set(done.done_bytes, done.total_bytes);
            true
        };
        let report = match (&self.to, self.exactly) {
            (Some(folder), true) => artifact.checkout_watched(folder, &mut watch)?,
            _ => {
                let options = DownloadOptions {
                    root: self.to.clone(),
                    path_prefix: self.prefix.clone(),
                    skip_cache: self.skip_cache,
                    allow_missing_references: self.allow_missing_references,
                };
                artifact.download_watched(&options, &mut watch)?
            }
        };
        drop(progress);
        for path in &report.missing_references {
            eprintln!("warning: {path} was left out: what it refers to is not there any more");
        }
        let (files, fetched) = (table::count(report.file_count, "file"), table::bytes(report.fetched_bytes));
        println!("{name}: {files} in {} ({} kept, {fetched} fetched)", report.root.display(), report.kept_count);
        Ok(Outcome::Good)
    }
}
