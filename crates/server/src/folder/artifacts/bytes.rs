//! Where the bytes of a version are: in the folder, in this user's cache, or elsewhere.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use steplog_model::{ArtifactPath, ContentHash, Selector};
use steplog_protocol::ErrorKind;

use super::collection::{CollectionFile, VersionInFile};
use crate::error::ApiError;

/// So many bytes of a list of originals are looked at.
const MAX_ORIGINALS_BYTES: u64 = 256 << 20;

/// A line of `originals/…`.
#[derive(Deserialize)]
struct Original {
    sha256: ContentHash,
    path: PathBuf,
}

/// The file with some bytes of a version.
///
/// # Errors
/// They are elsewhere, or nowhere: the error says which.
pub(crate) fn find_bytes(
    folders: &[PathBuf],
    path: &ArtifactPath,
    name: &str,
    hash: ContentHash,
    size_bytes: u64,
) -> Result<PathBuf, ApiError> {
    let shelf = |root: &Path| {
        let file = hash.to_string();
        root.join("blobs").join(&file[..2]).join(file)
    };
    let inside = folders.iter().filter(|folder| has_no_links(folder, hash)).map(|folder| shelf(folder));
    let cached = cache_folder().map(|cache| shelf(&cache.join("artifacts")));
    let is_whole =
        |place: &PathBuf| fs::symlink_metadata(place).is_ok_and(|found| found.is_file() && found.len() == size_bytes);
    if let Some(place) = inside.chain(cached).find(is_whole) {
        return Ok(place);
    }
    match folders.iter().find_map(|folder| elsewhere(folder, path, hash)) {
        Some(place) => {
            Err(ApiError::new(ErrorKind::Conflict, format!("the bytes of {name} are not in this folder: {place}")))
        }
        None => Err(ApiError::lost(format!("the bytes of {name} are neither in this folder nor in the cache"))),
    }
}

/// Whether the folders down to some bytes are folders of their own.
fn has_no_links(artifacts: &Path, hash: ContentHash) -> bool {
    let blobs = artifacts.join("blobs");
    let shelf = blobs.join(&hash.to_string()[..2]);
    let is_folder = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    is_folder(artifacts) && is_folder(&blobs) && is_folder(&shelf)
}

/// Where clients keep bytes that a server has.
fn cache_folder() -> Option<PathBuf> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let usual = || variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    variable("STEPLOG_CACHE_DIR").or_else(|| Some(usual()?.join("steplog")))
}

/// What the files of a collection say about bytes that are not there. It is told and not gone to: whoever made the folder may
/// have written anything there.
fn elsewhere(folder: &Path, path: &ArtifactPath, hash: ContentHash) -> Option<String> {
    let read = |project, name| CollectionFile::read(folder, &CollectionFile::path(folder, project, name)).ok();
    let file = read(&path.collection.project, &path.collection.collection)?;
    let version = file.find(&path.selector)?;
    let linked = version.source.as_ref().and_then(|source| read(&source.project, &source.collection));
    let selector = version.source.as_ref().map(|source| Selector::Version(source.version));
    let linked = linked.as_ref().zip(selector).and_then(|(file, selector)| file.find(&selector));
    let version: &VersionInFile = linked.unwrap_or(version);
    if let Some(original) = original(folder, version.manifest, hash) {
        return Some(format!("they were never copied from {}", original.display()));
    }
    let (server, place) = version.servers.first_key_value()?;
    Some(format!("they are at {server}, as {}/{}/{}:{}", place.entity, place.project, place.collection, place.version))
}

fn original(folder: &Path, manifest: ContentHash, hash: ContentHash) -> Option<PathBuf> {
    let path = folder.join("originals").join(manifest.to_string());
    fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
    let lines = BufReader::new(File::open(path).ok()?.take(MAX_ORIGINALS_BYTES)).lines().map_while(Result::ok);
    let mut originals = lines.filter_map(|line| serde_json::from_str::<Original>(&line).ok());
    originals.find(|original| original.sha256 == hash).map(|original| original.path)
}
