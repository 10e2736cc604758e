//! `steplog user`: accounts, in a data directory or on a running server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use steplog_protocol::{CreateUserRequest, User as Account, UserList};
use steplog_server::{create_user, delete_user};
use steplog_store::{Store, StoreOptions};

use crate::api::Api;
use crate::failure::{Outcome, Refusal, refused};
use crate::password;
use crate::server::ServerArgument;
use crate::table::{self, Cell};

const EXAMPLES: &str = "\
Examples:
  steplog user add ada --data /srv/steplog        while the server is stopped; the first account is an admin
  steplog user add bob --server http://tracker:7837
                                                  on a running server, as an admin who is logged in
  echo \"$PASSWORD\" | steplog user add ci --data /srv/steplog
  steplog user list
  steplog user remove bob

Without --data and --server the data directory of this folder (steplog-data) is meant where there is one, else the
server of `steplog login`.";

/// Manage accounts: add, list, remove
#[derive(clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum User {
    /// Make an account; asks for its password, or reads it from standard input
    Add {
        /// Login name: 1 to 64 of a-z, 0-9, _ and -
        name: String,
        /// May manage accounts and write to everybody's runs
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        place: Place,
    },
    /// List the accounts
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Remove an account with its keys and sessions; its runs stay
    Remove {
        /// Login name
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Where the accounts are.
#[derive(clap::Args)]
pub(crate) struct Place {
    /// Data directory of a server that is stopped
    #[arg(long, value_name = "DIR", env = "STEPLOG_DATA", conflicts_with = "server")]
    data: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgument,
}

enum Accounts {
    Store(Arc<Store>),
    Server(Api),
}

impl User {
    pub(crate) fn run(self) -> Result<Outcome> {
        match self {
            Self::Add { name, admin, place } => add(name, admin, &place.open()?),
            Self::List { place } => list(&place.open()?),
            Self::Remove { name, place } => remove(&name, &place.open()?),
        }?;
        Ok(Outcome::Good)
    }
}

impl Place {
    fn open(&self) -> Result<Accounts> {
        let here = Path::new("steplog-data");
        match &self.data {
            Some(data) => open_store(data),
            None if !self.server.is_given() && here.is_dir() => open_store(here),
            None => Ok(Accounts::Server(Api::new(&self.server.resolve()?))),
        }
    }
}

fn open_store(directory: &Path) -> Result<Accounts> {
    Ok(Accounts::Store(Store::open(directory, StoreOptions::default()).map_err(refused)?))
}

fn add(name: String, admin: bool, accounts: &Accounts) -> Result<()> {
    let is_first = matches!(accounts, Accounts::Store(store) if store.users().map_err(refused)?.is_empty());
    let password = password::ask_new(&name)?;
    let request = CreateUserRequest { name, password, admin: admin || is_first };
    let user: Account = match accounts {
        Accounts::Store(store) => create_user(store, &request).map_err(refused)?,
        Accounts::Server(api) => api.post("/users", &request)?,
    };
    let first = if is_first && !admin { " (the first account is one)" } else { "" };
    println!("made the {} {}{first}", if user.admin { "admin" } else { "account" }, user.name);
    Ok(())
}

fn list(accounts: &Accounts) -> Result<()> {
    let users = match accounts {
        Accounts::Store(store) => store.users().map_err(refused)?,
        Accounts::Server(api) => api.get::<UserList>("/users")?.users,
    };
    let row = |user: &Account| {
        let role = if user.admin { "admin" } else { "" };
        vec![Cell::new(&user.name), Cell::new(role), Cell::new(table::ago(user.created_at))]
    };
    print!("{}", table::render(&["NAME", "ROLE", "MADE"], &users.iter().map(row).collect::<Vec<_>>()));
    Ok(())
}

fn remove(name: &str, accounts: &Accounts) -> Result<()> {
    match accounts {
        Accounts::Store(store) => delete_user(store, name).map_err(refused)?,
        // A name goes into the path as it is: what is not a name is no account.
        Accounts::Server(_) if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) => {
            return Err(Refusal::new(format!("there is no account {name:?}")).into());
        }
        Accounts::Server(api) => api.delete(&format!("/users/{name}"))?,
    }
    println!("removed the account {name}");
    Ok(())
}
