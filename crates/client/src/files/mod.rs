//! Files of a run: what `save()` puts into the run's folder, and how that reaches a server.

mod save;
mod send;
mod sent;
mod sync;
mod tree;
mod uploader;

pub use save::SaveOptions;
pub(crate) use save::{Way, place};
pub(crate) use send::{Fingerprint, open_to_read};
pub(crate) use sync::{sync_files, unsent_files};
pub(crate) use uploader::FileUploader;
