//! `steplog cache`: bytes of artifacts that were sent or fetched once, kept for the next time.

use anyhow::Result;
use steplog::artifact::{Cache as ArtifactCache, parse_size};

use crate::artifact::Progress;
use crate::failure::Outcome;
use crate::table;

const EXAMPLES: &str = "\
Examples:
  steplog cache                        where it is, and how much there is
  steplog cache clean --to 10GB        remove what was not used the longest
  steplog cache clean                  remove everything
  steplog cache verify                 read everything, and remove what is damaged

The folder is that of STEPLOG_CACHE_DIR, else ~/.cache/steplog; STEPLOG_CACHE_LIMIT says how much is kept (default 50GB,
0: nothing). Files of versions that share their bytes with the cache stay when these are removed from it.";

/// Look at the cache of artifacts, clean it, verify it
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cache {
    /// Write JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Remove what was not used the longest; what a download is using stays
    Clean {
        /// So much may stay, such as 10GB; default: nothing
        #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
        to: u64,
    },
    /// Read everything, and remove what is damaged
    Verify,
}

impl Cache {
    pub(crate) fn run(self) -> Result<Outcome> {
        let cache = ArtifactCache::open()?;
        match self.action {
            None => self.show(&cache),
            Some(Action::Clean { to }) => self.clean(&cache, to),
            Some(Action::Verify) => self.verify(&cache),
        }
    }

    fn show(&self, cache: &ArtifactCache) -> Result<Outcome> {
        let summary = cache.summary();
        if self.json {
            println!("{}", serde_json::to_string_pretty(&summary)?);
            return Ok(Outcome::Good);
        }
        println!("{}", summary.folder.display());
        let begun = match summary.partial_count {
            0 => String::new(),
            count => format!(" and {count} only begun"),
        };
        let (files, bytes) = (table::count(summary.file_count, "file"), table::bytes(summary.size_bytes));
        println!("{files}{begun}, {bytes} of at most {}", table::bytes(summary.limit_bytes));
        Ok(Outcome::Good)
    }

    fn clean(&self, cache: &ArtifactCache, target_bytes: u64) -> Result<Outcome> {
        let cleaning = cache.clean(target_bytes)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&cleaning)?);
            return Ok(Outcome::Good);
        }
        let (removed, left) = (table::bytes(cleaning.removed_bytes), table::bytes(cleaning.size_bytes));
        println!("removed {}, {removed}; {left} are left", table::count(cleaning.removed_count, "file"));
        if cleaning.busy_count > 0 {
            println!("{} in use", table::count(cleaning.busy_count, "file"));
        }
        Ok(Outcome::Good)
    }

    fn verify(&self, cache: &ArtifactCache) -> Result<Outcome> {
        let progress = Progress::new("reading the cache");
        let found = cache.verify(|done, total| {
            progress.set(done, total);
            true
        })?;
        drop(progress);
        if self.json {
            println!("{}", serde_json::to_string_pretty(&found)?);
        } else {
            println!("{} good, {} damaged and removed", table::count(found.good_count, "file"), found.damaged_count);
        }
        Ok(if found.damaged_count == 0 { Outcome::Good } else { Outcome::Incomplete })
    }
}

fn size(text: &str) -> Result<u64, String> {
    parse_size(text).ok_or_else(|| "it is no size: write 50GB, 500MiB or a number of bytes".to_owned())
}
