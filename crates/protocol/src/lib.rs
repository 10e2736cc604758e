//! Request and response types of the steplog HTTP API: shapes only, no behaviour.
//!
//! Every path below stands under `/api/v1`. Times are Unix seconds as `f64`; absent values are `null`;
//! non-finite numbers in JSON are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`. A run is named by its path
//! `entity/project/id`. `docs/protocol.md` tells how the calls fit together.

mod account;
mod alert;
mod alert_channel;
mod artifact;
mod console;
mod error;
mod event;
mod file;
mod ingest;
mod key;
mod project;
mod resume;
mod run;
mod series;

pub use account::*;
pub use alert::*;
pub use alert_channel::*;
pub use artifact::*;
pub use console::*;
pub use error::*;
pub use event::*;
pub use file::*;
pub use ingest::*;
pub use key::*;
pub use project::*;
pub use resume::*;
pub use run::*;
pub use series::*;
