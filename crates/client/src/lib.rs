//! steplog records machine-learning experiments. This crate is the run of a training program.
//!
//! ```no_run
//! let run = steplog::Run::builder("digits").name("lr-0.1").config("lr", 0.1).init()?;
//! for step in 0..100 {
//!     run.log([("loss", 1.0 / f64::from(step + 1)), ("accuracy", 0.9)])?;
//! }
//! run.set_summary("best", 0.93)?;
//! run.finish();
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! [`Run::log`] copies the row into a memory-mapped journal file and returns: no network, no waiting. Whatever it
//! returned from survives `kill -9`. A background thread sends the journal to a server, for as long as it takes;
//! [`Run::finish`] waits for that a bounded time, and `steplog sync` sends what was left. Trouble with disk or network is
//! one warning, never an error of training.

mod config_file;
mod earlier;
mod error;
mod fork;
mod history;
mod init;
mod local;
mod message;
mod metrics;
mod resume;
mod row;
mod run;
mod sender;
mod settings;
mod shared_step;
mod source;
mod state;
mod sync;
mod terminate;
mod transport;
mod upload;
mod uploader;

pub use config_file::read_config_file;
pub use error::{Error, ErrorKind};
pub use history::HistoryRow;
pub use init::RunBuilder;
pub use message::Verbosity;
pub use resume::{Resume, parse_fork_point};
pub use row::IntoRow;
pub use run::{FinishReport, Run, RunStatus};
pub use sender::{LocalRun, local_run, send_patiently};
pub use settings::{Credentials, DEFAULT_URL, Mode, ServerCredentials, Settings, credentials_path};
pub use steplog_journal::{KeyId, RunFolder, find_runs};
pub use steplog_model::{
    Aggregate, AlertLevel, Config, Entity, ForkPoint, Histogram, MetricDefinition, Project, RunId, Value, join_key,
    split_key,
};
pub use sync::{SyncProgress, SyncReport, sync_run};
pub use transport::{Http, Transport, TransportError};
