//! Bringing the files of a version to this disk.

mod delivery;
mod fetch;
mod folder;
mod names;
#[cfg(test)]
mod tests;
mod verify;
mod writing;

use std::path::PathBuf;

use steplog_model::{FilePath, Version};

use super::cache::Cache;
use super::handle::Artifact;
use crate::error::{Error, ErrorKind};
use crate::source::environment;
use delivery::{Delivery, Job};
use folder::Folder;
pub use verify::FolderVerification;

/// How a version is brought to this disk.
#[derive(Clone, Debug, Default)]
pub struct DownloadOptions {
    /// The folder; default: [`Artifact::default_root`].
    pub root: Option<PathBuf>,
    /// Only files whose path begins so.
    pub path_prefix: Option<String>,
    /// Whether files come past the cache: they are nobody else's and may be written to. Otherwise those that the cache takes
    /// share their bytes with it, and cannot be written to where the disk does not copy on write. Default: no.
    pub skip_cache: bool,
    /// Whether references to what is not there any more are left out. Default: no.
    pub allow_missing_references: bool,
}

/// How far a download is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DownloadProgress {
    /// How many files are there.
    pub done_files: u64,
    /// How many there will be.
    pub total_files: u64,
    /// How many bytes are there.
    pub done_bytes: u64,
    /// How many there will be, as far as known.
    pub total_bytes: u64,
}

/// Told at least every 50 ms how far it is; whether to go on.
pub type DownloadWatch<'a> = &'a mut dyn FnMut(DownloadProgress) -> bool;

/// What a download did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadReport {
    /// The folder.
    pub root: PathBuf,
    /// How many files of the version are in it now.
    pub file_count: u64,
    /// How many of them were there already.
    pub kept_count: u64,
    /// How many bytes came from elsewhere: neither kept nor from the cache or the local store.
    pub fetched_bytes: u64,
    /// References to what is not there any more, which were left out.
    pub missing_references: Vec<FilePath>,
}

impl Artifact {
    /// Where [`Self::download`] puts the files when nobody says otherwise: `artifacts/name:v0` in the working directory, or
    /// in the folder that `STEPLOG_ARTIFACT_DIR` names.
    ///
    /// # Errors
    /// It is no version yet.
    pub fn default_root(&self) -> Result<PathBuf, Error> {
        // What a server calls a version becomes a path: it must be one.
        let version: Version = self.version()?.parse()?;
        let name = format!("{}:{version}", self.collection());
        let folder = environment("ARTIFACT_DIR").map_or_else(|| PathBuf::from("artifacts"), PathBuf::from);
        Ok(folder.join(if cfg!(windows) { name.replace(':', "-") } else { name }))
    }

    /// Puts the files of the version into a folder. Files that are there already with the right bytes are kept; others are
    /// replaced when the new ones are whole and have their hashes. What else is in the folder stays.
    ///
    /// Nothing is written outside of the folder: links in it are not followed. When it is cut off or killed, the next one
    /// goes on from there.
    ///
    /// # Errors
    /// It is no version yet, a file or folder is in the way, the disk refuses, bytes are damaged or gone ([`ErrorKind::Data`],
    /// [`ErrorKind::NotFound`]), a reference leads to what is not there or has changed, or no server answers. Files that were
    /// done by then are there.
    pub fn download(&self, options: &DownloadOptions) -> Result<DownloadReport, Error> {
        self.download_watched(options, &mut |_| true)
    }

    /// As [`Self::download`], told about progress.
    ///
    /// # Errors
    /// As [`Self::download`], or `watch` said stop.
    pub fn download_watched(
        &self,
        options: &DownloadOptions,
        watch: DownloadWatch<'_>,
    ) -> Result<DownloadReport, Error> {
        let prefix = options.path_prefix.as_deref().unwrap_or_default();
        self.download_some(options, cache(options)?, &|path| path.as_str().starts_with(prefix), watch)
    }

    /// Puts one file of the version to its place in a folder, by default [`Self::default_root`]; answers where that is.
    ///
    /// # Errors
    /// There is no such file ([`ErrorKind::NotFound`]), or as [`Self::download`].
    pub fn download_file(&self, path: &FilePath, options: &DownloadOptions) -> Result<PathBuf, Error> {
        self.download_file_watched(path, options, &mut |_| true)
    }

    /// As [`Self::download_file`], told about progress.
    ///
    /// # Errors
    /// As [`Self::download_file`], or `watch` said stop.
    pub fn download_file_watched(
        &self,
        path: &FilePath,
        options: &DownloadOptions,
        watch: DownloadWatch<'_>,
    ) -> Result<PathBuf, Error> {
        if self.manifest()?.get(path).is_none() {
            let name = self.committed()?.name();
            return Err(Error::new(ErrorKind::NotFound, format!("artifact {name} has no file {path:?}")));
        }
        let report = self.download_some(options, cache(options)?, &|other| other == path, watch)?;
        Ok(path.below(&report.root))
    }

    fn download_some(
        &self,
        options: &DownloadOptions,
        cache: Option<Cache>,
        is_wanted: &dyn Fn(&FilePath) -> bool,
        watch: DownloadWatch<'_>,
    ) -> Result<DownloadReport, Error> {
        let (committed, manifest) = (self.committed()?, self.manifest()?);
        let root = match &options.root {
            Some(root) => root.clone(),
            None => self.default_root()?,
        };
        let folder =
            Folder::make(&root).map_err(|error| Error::io(error, format_args!("cannot write {}", root.display())))?;
        let jobs: Vec<Job<'_>> = manifest.entries().filter(|(path, _)| is_wanted(path)).collect();
        names::check(&folder, &manifest)?;
        let delivery = Delivery::new(&committed, &folder, options, cache)?;
        let done = delivery.run(&jobs, watch);
        delivery.settle();
        done?;
        Ok(delivery.into_report(root, jobs.len()))
    }
}

/// The user's cache, unless files go past it.
fn cache(options: &DownloadOptions) -> Result<Option<Cache>, Error> {
    if options.skip_cache { Ok(None) } else { Cache::open().map(Some) }
}
