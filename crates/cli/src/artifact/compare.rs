//! `steplog artifact diff`.

use std::io::{self, Write as _};

use anyhow::Result;
use serde_json::{Value as Json, json};
use steplog::artifact::{Change, ManifestEntry};

use super::list::entry_as_json;
use super::origin::{OriginArguments, collection_of};
use crate::failure::Outcome;
use crate::table;

const EXAMPLES: &str = "\
Examples:
  steplog artifact diff digits/train:v3 digits/train:v4
  steplog artifact diff digits/train:v3 :latest              of the same artifact
  steplog artifact diff digits/train:v3 :v4 --json | jq '.[] | select(.change == \"removed\").path'

The exit code is 0 when both have the same files, 1 when they have not.";

/// Tell which files differ between two versions
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Diff {
    /// The old version: [[ENTITY/]PROJECT/]NAME:VERSION
    before: String,
    /// The new version; :VERSION or :ALIAS is of the same artifact
    after: String,
    /// Write a JSON list instead of lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    origin: OriginArguments,
}

impl Diff {
    pub(crate) fn run(self) -> Result<Outcome> {
        let origin = self.origin.open()?;
        let after = match self.after.strip_prefix(':') {
            Some(selector) => format!("{}:{selector}", collection_of(&self.before)?),
            None => self.after.clone(),
        };
        let (before, after) = (origin.artifact(&self.before, None)?, origin.artifact(&after, None)?);
        let comparison = after.compare(&before)?;
        let changes = &comparison.changes;
        let text = if self.json {
            serde_json::to_string_pretty(&changes.iter().map(as_json).collect::<Vec<_>>())? + "\n"
        } else {
            let count = |sign: char| changes.iter().filter(|change| self::sign(change) == sign).count();
            let lines: String = changes.iter().map(line).collect();
            let [added, removed, changed] = ['+', '-', '~'].map(count);
            let unchanged = comparison.unchanged_count;
            format!("{lines}{added} added, {removed} removed, {changed} changed, {unchanged} the same\n")
        };
        io::stdout().write_all(text.as_bytes())?;
        Ok(if changes.is_empty() { Outcome::Good } else { Outcome::Incomplete })
    }
}

fn sign(change: &Change) -> char {
    match (&change.before, &change.after) {
        (None, _) => '+',
        (_, None) => '-',
        _ => '~',
    }
}

fn line(change: &Change) -> String {
    let size =
        |entry: &Option<ManifestEntry>| entry.as_ref().map(|entry| entry.size_bytes.map_or("?".into(), table::bytes));
    let sizes = match (size(&change.before), size(&change.after)) {
        (Some(before), Some(after)) if before == after => before,
        (Some(before), Some(after)) => format!("{before} → {after}"),
        (before, after) => before.or(after).unwrap_or_default(),
    };
    format!("{} {} ({sizes})\n", sign(change), table::clean(change.path.as_str()))
}

fn as_json(change: &Change) -> Json {
    let word = match sign(change) {
        '+' => "added",
        '-' => "removed",
        _ => "changed",
    };
    let entry = |entry: &Option<ManifestEntry>| entry.as_ref().map(|entry| entry_as_json(&change.path, entry));
    json!({ "path": change.path, "change": word, "before": entry(&change.before), "after": entry(&change.after) })
}
