//! `steplog ui`: a folder of local runs in the browser.

use std::io::{self, IsTerminal as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use steplog_server::{FolderCache, FolderReader, ServerState, Source};
use tokio::net::TcpListener;

use crate::failure::{Outcome, Refusal, refused};
use crate::runtime;

/// Another port than a server's: a script that looks for a server must not find this one.
const DEFAULT_PORT: u16 = 7838;

/// The page is shown after so long at the latest, and what is still to be read comes in by and by.
const FIRST_READING: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  steplog ui                  all runs below this folder
  steplog ui ~/work/digits    those of another one
  steplog ui steplog/digits/a1b2c3d4
                              one run

Runs may be finished or still growing: the page is live. Nothing is written into the folder, and nobody but this
machine can connect. What was read is cached below $XDG_CACHE_HOME/steplog, so the next start is quick.";

/// Look at a folder of local runs in the browser, live, with no server
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Ui {
    /// Where the runs are: any folder above them, a project, or one run
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Port to listen on; default: 7838, or any that is free
    #[arg(long)]
    port: Option<u16>,
    /// Do not open the browser
    #[arg(long)]
    no_open: bool,
}

impl Ui {
    pub(crate) fn run(self) -> Result<Outcome> {
        runtime::start_log("warn");
        runtime::limit_heaps();
        let unreadable = || format!("the folder cannot be read: {}", self.folder.display());
        let folder = self.folder.canonicalize().with_context(unreadable)?;
        if !folder.is_dir() {
            return Err(Refusal::new(format!("not a folder: {}", folder.display())).into());
        }
        let cache = FolderCache::open(&folder).map_err(refused)?;
        let reader = FolderReader::start(&folder, &cache).with_context(unreadable)?;
        // The first page of a folder that is read in no time has everything on it.
        reader.is_caught_up_within(FIRST_READING);
        let served = runtime::block_on(self.serve(&cache, &reader));
        drop(reader);
        served.map(|()| Outcome::Good)
    }

    async fn serve(&self, cache: &FolderCache, reader: &FolderReader) -> Result<()> {
        let folders = reader.run_folders();
        let shown = folders.root().display().to_string();
        let state = ServerState::new(cache.store().clone(), Source::Folder(folders)).map_err(refused)?;
        let signals = runtime::Signals::watch();
        let listener = self.bind().await?;
        let url = format!("http://{}", listener.local_addr()?);
        println!("steplog shows {shown} at {url}");
        if !self.no_open && io::stdout().is_terminal() {
            open_browser(&url);
        }
        runtime::serve_until_told(listener, state, signals).await
    }

    async fn bind(&self) -> Result<TcpListener> {
        let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match self.port {
            Some(port) => runtime::bind(address(port)).await,
            None => match runtime::bind(address(DEFAULT_PORT)).await {
                Ok(listener) => Ok(listener),
                Err(_) => runtime::bind(address(0)).await,
            },
        }
    }
}

/// Opens a page in the browser where there is one to be seen. Failure is of no consequence: the URL was printed.
fn open_browser(url: &str) {
    let has_display = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        Command::new("explorer")
    } else if has_display("DISPLAY") || has_display("WAYLAND_DISPLAY") {
        Command::new("xdg-open")
    } else {
        return;
    };
    if let Err(error) = command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        tracing::debug!("no browser could be opened: {error}");
    }
}
