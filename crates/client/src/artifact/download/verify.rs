//! Comparing a folder with a version, and making it one.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use steplog_model::{ContentHash, FilePath, Manifest, Source};

use super::folder::{Folder, Kind};
use super::{DownloadOptions, DownloadProgress, DownloadReport, DownloadWatch};
use crate::artifact::cache::Cache;
use crate::artifact::handle::Artifact;
use crate::artifact::pool;
use crate::error::Error;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// How a folder differs from a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FolderVerification {
    /// How many files are as they were logged.
    pub good_count: u64,
    /// Files that are not there.
    pub missing: Vec<FilePath>,
    /// Files with other bytes, or links or folders in their place.
    pub changed: Vec<FilePath>,
    /// Files that the version does not have. A name that is no UTF-8 is shown as near to it as can be.
    pub unexpected: Vec<String>,
    /// How many files are references, which are not compared.
    pub reference_count: u64,
}

impl FolderVerification {
    /// Whether every file of the version is there as it was logged, whatever else is.
    pub fn is_good(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty()
    }
}

enum Found {
    Good,
    Missing,
    Changed,
}

impl Artifact {
    /// Reads the files of the version in a folder, and tells which are not as they were logged. References are not
    /// compared.
    ///
    /// # Errors
    /// It is no version yet, or the folder cannot be read.
    pub fn verify(&self, root: impl AsRef<Path>) -> Result<FolderVerification, Error> {
        self.verify_watched(root, &mut |_| true)
    }

    /// As [`Self::verify`], told about progress.
    ///
    /// # Errors
    /// As [`Self::verify`], or `watch` said stop.
    pub fn verify_watched(
        &self,
        root: impl AsRef<Path>,
        watch: DownloadWatch<'_>,
    ) -> Result<FolderVerification, Error> {
        let root = root.as_ref();
        self.committed()?;
        let manifest = self.manifest()?;
        let failed = |error| Error::io(error, format_args!("cannot read the folder {}", root.display()));
        let folder = Folder::open(root).map_err(failed)?;
        let stored: Vec<(&FilePath, ContentHash, u64)> =
            manifest.entries().filter_map(|(path, entry)| Some((path, entry.sha256()?, entry.size_bytes?))).collect();
        let mut verification = FolderVerification {
            reference_count: manifest.entries().filter(|(_, entry)| is_reference(&entry.source)).count() as u64,
            unexpected: unexpected(&folder, &manifest).map_err(failed)?,
            ..FolderVerification::default()
        };
        let total_bytes = stored.iter().map(|(_, _, size)| size).sum();
        let (stop, done_bytes, done_files) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        let (mut missing, mut changed) = (BTreeSet::new(), BTreeSet::new());
        pool::for_each(
            &stored,
            || (),
            |(), (path, hash, size)| look(&folder, path, *hash, *size, &stop, &done_bytes),
            || stop.store(true, Ordering::Relaxed),
            |index, found| {
                done_files.fetch_add(1, Ordering::Relaxed);
                match found {
                    Found::Good => verification.good_count += 1,
                    Found::Missing => drop(missing.insert(stored[index].0.clone())),
                    Found::Changed => drop(changed.insert(stored[index].0.clone())),
                }
                Ok(())
            },
            || {
                let progress = DownloadProgress {
                    done_files: done_files.load(Ordering::Relaxed),
                    total_files: stored.len() as u64,
                    done_bytes: done_bytes.load(Ordering::Relaxed),
                    total_bytes,
                };
                if watch(progress) { Ok(()) } else { Err(Error::usage("comparing the folder was stopped")) }
            },
        )?;
        verification.missing = missing.into_iter().collect();
        verification.changed = changed.into_iter().collect();
        Ok(verification)
    }

    /// Makes a folder exactly what the version is: as [`Self::download`], and **everything else in it is removed**.
    ///
    /// # Errors
    /// As [`Self::download`].
    pub fn checkout(&self, root: impl AsRef<Path>) -> Result<DownloadReport, Error> {
        self.checkout_watched(root, &mut |_| true)
    }

    /// As [`Self::checkout`], told about progress.
    ///
    /// # Errors
    /// As [`Self::download`], or `watch` said stop.
    pub fn checkout_watched(&self, root: impl AsRef<Path>, watch: DownloadWatch<'_>) -> Result<DownloadReport, Error> {
        self.checkout_in(root.as_ref(), Some(Cache::open()?), watch)
    }

    pub(super) fn checkout_in(
        &self,
        root: &Path,
        cache: Option<Cache>,
        watch: DownloadWatch<'_>,
    ) -> Result<DownloadReport, Error> {
        self.committed()?;
        let manifest = self.manifest()?;
        let failed = |error| Error::io(error, format_args!("cannot clear the folder {}", root.display()));
        let folder = Folder::make(root).map_err(failed)?;
        remove_others(&folder, "", &manifest).map_err(failed)?;
        let options = DownloadOptions { root: Some(root.to_owned()), ..DownloadOptions::default() };
        self.download_some(&options, cache, &|_| true, watch)
    }
}

fn is_reference(source: &Source) -> bool {
    matches!(source, Source::Reference { .. })
}

/// Compares one file.
fn look(
    root: &Folder,
    path: &FilePath,
    hash: ContentHash,
    size_bytes: u64,
    stop: &AtomicBool,
    done_bytes: &AtomicU64,
) -> Result<Found, Error> {
    let failed = |error| Error::io(error, format_args!("cannot read {}", path.below(root.path()).display()));
    let found = match open(root, path) {
        Ok(Some(file)) => read(file, hash, size_bytes, stop, done_bytes).map_err(failed)?,
        Ok(None) => Found::Missing,
        // A link, or something that is no file.
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => Found::Changed,
        Err(error) => return Err(failed(error)),
    };
    Ok(found)
}

/// The file at a path; `None` where there is nothing.
fn open(root: &Folder, path: &FilePath) -> io::Result<Option<File>> {
    let mut folder: Option<Folder> = None;
    let mut parts = path.parts().map(OsStr::new).peekable();
    while let Some(part) = parts.next() {
        let above = folder.as_ref().unwrap_or(root);
        if parts.peek().is_none() {
            return match above.kind(part)? {
                None => Ok(None),
                Some(_) => above.open_file(part).map(Some),
            };
        }
        folder = match above.child(part)? {
            None => return Ok(None),
            found => found,
        };
    }
    Ok(None)
}

fn read(
    mut file: File,
    hash: ContentHash,
    size_bytes: u64,
    stop: &AtomicBool,
    done_bytes: &AtomicU64,
) -> io::Result<Found> {
    if file.metadata()?.len() != size_bytes {
        return Ok(Found::Changed);
    }
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES.min(usize::try_from(size_bytes).unwrap_or(PIECE_BYTES)).max(1)];
    while !stop.load(Ordering::Relaxed) {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&piece[..count]);
                done_bytes.fetch_add(count as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let is_good = ContentHash::from_bytes(hasher.finalize().into()) == hash;
    Ok(if is_good { Found::Good } else { Found::Changed })
}

/// Files and links below a folder that a manifest does not have, by path.
fn unexpected(root: &Folder, manifest: &Manifest) -> io::Result<Vec<String>> {
    fn walk(folder: &Folder, prefix: &str, manifest: &Manifest, found: &mut Vec<String>) -> io::Result<()> {
        for name in folder.names()? {
            let path = format!("{prefix}{}", name.to_string_lossy());
            let is_known =
                name.to_str().is_some() && path.parse::<FilePath>().is_ok_and(|path| manifest.get(&path).is_some());
            match folder.kind(&name)? {
                Some(Kind::Folder) => {
                    if let Some(child) = folder.child(&name)? {
                        walk(&child, &format!("{path}/"), manifest, found)?;
                    }
                }
                Some(_) if !is_known => found.push(path),
                _ => {}
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(root, "", manifest, &mut found)?;
    Ok(found)
}

/// Removes what a manifest does not have, and what stands where it has something else.
fn remove_others(folder: &Folder, prefix: &str, manifest: &Manifest) -> io::Result<()> {
    for name in folder.names()? {
        let path = name.to_str().and_then(|name| format!("{prefix}{name}").parse::<FilePath>().ok());
        let is_folder = folder.kind(&name)? == Some(Kind::Folder);
        match path {
            Some(path) if is_folder && manifest.below(&path).next().is_some() => {
                if let Some(child) = folder.child(&name)? {
                    remove_others(&child, &format!("{path}/"), manifest)?;
                }
            }
            Some(path) if !is_folder && manifest.get(&path).is_some() => {}
            _ => folder.remove_all(&name)?,
        }
    }
    Ok(())
}
