//! The steplog server: the HTTP API over a store, accounts, live push, the OpenAPI document, the embedded UI, and the
//! reader that shows a folder of local runs.
//!
//! [`serve()`] takes a listener and a [`ServerState`] over an open store, so that tests own both.

mod access;
mod account;
mod caller;
mod connection;
mod content;
mod delivery;
mod error;
mod extract;
mod folder;
mod headers;
mod in_flight;
mod live;
mod login_limit;
mod origin;
mod router;
mod routes;
mod secret;
mod serve;
mod state;
mod turns;
mod ui;

pub use account::{MIN_PASSWORD_CHARACTERS, create_user, delete_user};
pub use connection::ConnectionLimits;
pub use delivery::{DeliveryOptions, MailServer, PrivateHosts, RetryPolicy};
pub use folder::{FolderCache, FolderReader, RunFolders, find_run_folders};
pub use routes::openapi_json;
pub use serve::{DEFAULT_PORT, ServeError, check_address, serve, serve_with_limits};
pub use state::{ServerState, Source};
