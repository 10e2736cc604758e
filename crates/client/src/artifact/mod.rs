//! Artifacts: named, versioned sets of files that runs make and use.
//!
//! ```
//! # use steplog::{Mode, Run};
//! use steplog::artifact::{AddOptions, Artifact};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let run = Run::builder("digits").root(folder.path()).mode(Mode::Offline).init()?;
//! # let images = folder.path().join("images");
//! # std::fs::create_dir(&images).unwrap();
//! # std::fs::write(images.join("0.png"), "0").unwrap();
//! let dataset = Artifact::new("digits", "dataset")?;
//! dataset.set_description("28 x 28 pixels")?;
//! dataset.add_dir(&images, Some("train"), &AddOptions::default())?;
//! run.log_artifact(&dataset, &["clean"])?;
//!
//! let used = run.use_artifact("digits:clean", None)?;
//! assert_eq!((used.name(), used.file_count()), ("digits:v0".to_owned(), 1));
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! A draft takes copies of files, so that what becomes of them later does not matter, and their hashes. Logging it makes a
//! version: first in the folder of all runs, where it is at once and needs no server, then, in the background, on the
//! server. [`Artifact::wait`] waits for that.

mod add;
mod bytes;
mod cache;
mod collection;
pub(crate) mod committed;
mod compare;
mod download;
mod draft;
mod early;
mod edit;
#[cfg(test)]
mod fake_server;
mod handle;
mod hash;
mod local;
mod local_artifacts;
mod md5_lanes;
mod origin;
mod pool;
mod post;
mod receipt;
pub(crate) mod reference;
mod relation;
mod run;
mod session;
mod ship;
mod staging;
mod sync;
#[cfg(test)]
mod test_server;
mod tree;
mod uploader;

pub use add::{AddOptions, AddPolicy, AddProgress, AddWatch, NewFile};
pub use cache::{Cache, CacheCleaning, CacheSummary, CacheVerification, parse_size};
pub use compare::{Change, Comparison};
pub use download::{DownloadOptions, DownloadProgress, DownloadReport, DownloadWatch, FolderVerification};
pub use handle::{Artifact, ArtifactState};
pub use local_artifacts::LocalArtifacts;
pub use reference::{DEFAULT_MAX_OBJECTS, ReferenceOptions};
pub use steplog_model::{
    Alias, ArtifactName, ArtifactType, CollectionName, FilePath, Manifest, ManifestDigest, ManifestEntry, Md5,
    Selector, Source, Version,
};
pub use steplog_protocol::{Artifact as ArtifactInfo, ArtifactRun, ArtifactVerification};

pub(crate) use local::LocalStore;
pub(crate) use session::RunArtifacts;
pub(crate) use sync::{sync_artifacts, unsent_artifacts};
pub(crate) use uploader::ArtifactUploader;
