//! `steplog serve`: a server over a data directory.

use std::io::{self, IsTerminal as _};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use anyhow::Result;
use steplog_protocol::CreateUserRequest;
use steplog_server::{DEFAULT_PORT, ServerState, Source, check_address, create_user};
use steplog_store::{Store, StoreOptions};

use crate::delivery::Delivery;
use crate::failure::{Outcome, Refusal, refused};
use crate::password;
use crate::runtime;

const EXAMPLES: &str = "\
Examples:
  steplog serve                                   this machine only, no accounts
  steplog serve --data /srv/steplog --address 0.0.0.0 --admin ada
                                                  the network; asks for ada's password at the first start
  STEPLOG_ADMIN_PASSWORD=… steplog serve --address 0.0.0.0 --admin ada
                                                  the same where nobody can be asked
  STEPLOG_SMTP_URL=smtps://alerts%40example.org:PASSWORD@mail.example.org steplog serve --public-url https://log.example.org
                                                  alerts can be sent by mail too, with links that lead here

Without accounts the server answers everybody on this machine, and refuses every address but this machine's.
The data directory holds everything; copy it while the server is stopped, and it is a backup.
STEPLOG_LOG=debug logs every request.";

/// Keep runs for good: the server, its API and its web UI
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Where everything is kept
    #[arg(long, value_name = "DIR", env = "STEPLOG_DATA", default_value = "steplog-data")]
    data: PathBuf,
    /// IP address to listen on; 0.0.0.0 for all
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    address: IpAddr,
    /// Port to listen on; 0 for any that is free
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Make this account, an admin, if it is not there yet; its password comes from STEPLOG_ADMIN_PASSWORD, or is asked for
    #[arg(long, value_name = "NAME")]
    admin: Option<String>,
    #[command(flatten)]
    delivery: Delivery,
}

impl Serve {
    pub(crate) fn run(self) -> Result<Outcome> {
        runtime::start_log("info");
        runtime::limit_heaps();
        let store = Store::open(&self.data, StoreOptions::default()).map_err(refused)?;
        let served = self.make_admin(&store).and_then(|()| runtime::block_on(self.serve(&store)));
        // What was acknowledged is durable already; closing seals the rest, and must be tried even after an error.
        let closed = store.close().map_err(refused);
        served.and(closed)?;
        Ok(Outcome::Good)
    }

    async fn serve(&self, store: &std::sync::Arc<Store>) -> Result<()> {
        let signals = runtime::Signals::watch();
        let listener = runtime::bind(SocketAddr::new(self.address, self.port)).await?;
        let address = listener.local_addr()?;
        let delivery = self.delivery.options(address)?;
        let state = ServerState::with_delivery(store.clone(), Source::Clients, delivery).map_err(refused)?;
        check_address(&state, self.address).map_err(refused)?;
        println!("steplog {} serves {} at http://{address}", env!("CARGO_PKG_VERSION"), self.data.display());
        runtime::serve_until_told(listener, state, signals).await
    }

    /// Makes the account of `--admin`, or the first one where a terminal is there to ask.
    fn make_admin(&self, store: &Store) -> Result<()> {
        let users = store.users().map_err(refused)?;
        let name = match &self.admin {
            Some(name) if users.iter().any(|user| user.name == *name) => return Ok(()),
            Some(name) => name.clone(),
            None if self.address.is_loopback() || !users.is_empty() || !io::stdin().is_terminal() => return Ok(()),
            None => {
                eprintln!("Others will reach this server at {}, so it needs an account first: an admin.", self.address);
                password::ask_text("name (a-z, 0-9, _ and -)")?
            }
        };
        let password = match std::env::var("STEPLOG_ADMIN_PASSWORD") {
            Ok(password) => password,
            Err(_) if io::stdin().is_terminal() => password::ask_new(&name)?,
            Err(_) => {
                return Err(Refusal::new(format!("there is no password for the new admin {name}"))
                    .hint("set STEPLOG_ADMIN_PASSWORD, or start in a terminal once")
                    .into());
            }
        };
        create_user(store, &CreateUserRequest { name: name.clone(), password, admin: true }).map_err(refused)?;
        tracing::info!(user = name, "made the admin {name}");
        Ok(())
    }
}
