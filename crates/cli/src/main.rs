//! The `steplog` command: one binary for server, local viewer, sync, queries and accounts.
#![expect(clippy::doc_markdown, reason = "doc comments of arguments are help texts, where backticks would show")]

mod alerts;
mod api;
mod artifact;
mod cache;
mod delivery;
mod export;
mod failure;
mod login;
mod logs;
mod password;
mod runs;
mod runtime;
mod serve;
mod server;
mod status;
mod sync;
mod table;
mod ui;
mod user;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Outcome;

const ABOUT: &str = "Track machine-learning experiments: log from a script, watch in the browser, keep everything";

const EXAMPLES: &str = "\
Examples:
  steplog ui                          watch the runs below this folder, finished or live
  steplog serve                       keep runs for good, at http://127.0.0.1:7837
  steplog sync                        send the runs below this folder to the server
  steplog runs digits --sort -summary.accuracy
  steplog export local/digits/a1b2c3d4 --format parquet

In a script:
  import steplog
  run = steplog.init(project=\"digits\", config={\"lr\": 0.1})
  run.log({\"loss\": 0.3})
  run.finish()

`steplog COMMAND --help` tells more, with examples.";

#[derive(Parser)]
#[command(name = "steplog", version, about = ABOUT, after_help = EXAMPLES, arg_required_else_help = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Ui(ui::Ui),
    Sync(sync::Sync),
    Status(status::Status),
    Runs(runs::Runs),
    Logs(logs::Logs),
    Export(export::Export),
    #[command(subcommand)]
    Artifact(artifact::Artifact),
    Cache(cache::Cache),
    Verify(verify::Verify),
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    #[command(subcommand)]
    User(user::User),
    Login(login::Login),
    Logout(login::Logout),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(command) => command.run(),
        Command::Ui(command) => command.run(),
        Command::Sync(command) => command.run(),
        Command::Status(command) => command.run(),
        Command::Runs(command) => command.run(),
        Command::Logs(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Artifact(command) => command.run(),
        Command::Cache(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Alerts(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Login(command) => command.run(),
        Command::Logout(command) => command.run(),
    };
    match result {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::FAILURE,
        Err(error) => failure::print(&error),
    }
}
