//! `steplog artifact`: versions of data and models, from a server or a folder.

mod compare;
mod get;
mod list;
mod origin;
mod progress;
mod put;
mod remove;
mod verify;

use anyhow::Result;

pub(crate) use progress::Progress;

use crate::failure::Outcome;

const EXAMPLES: &str = "\
Examples:
  steplog artifact put digits/train ./data --alias clean      the next version of the dataset \"train\"
  steplog artifact ls digits/train                            its versions
  steplog artifact get digits/train:clean --to ./data
  steplog artifact diff digits/train:v3 :v4
  steplog artifact verify digits/train:v4 ./data              are these files as they were logged?
  steplog artifact rm digits/train:v0

Artifacts are named as [[ENTITY/]PROJECT/]NAME[:VERSION or :ALIAS]; without a version the newest is meant. Where no server
is named and none answers, and with --dir, the versions below a folder are meant.";

/// Work with versions of data and models: put, get, ls, diff, verify, rm
#[derive(clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Artifact {
    Put(put::Put),
    Get(get::Get),
    Ls(list::List),
    Diff(compare::Diff),
    Verify(verify::Verify),
    Rm(remove::Remove),
}

impl Artifact {
    pub(crate) fn run(self) -> Result<Outcome> {
        match self {
            Self::Put(command) => command.run(),
            Self::Get(command) => command.run(),
            Self::Ls(command) => command.run(),
            Self::Diff(command) => command.run(),
            Self::Verify(command) => command.run(),
            Self::Rm(command) => command.run(),
        }
    }
}
