//! A manifest as JSON lines: a header, then an entry a line, by path. Equal manifests have equal bytes.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::manifest::DigestBuilder;
use super::{InvalidManifest, MAX_MANIFEST_ENTRIES, Manifest, ManifestDigest, ManifestEntry, Source};
use crate::{ContentHash, FilePath};

/// Longest line of a manifest, in bytes: more than the longest path, URI, digest and extra take, however they are escaped.
pub const MAX_MANIFEST_LINE_BYTES: usize = 128 << 10;

/// The first line.
const HEADER: &str = r#"{"format":"steplog-manifest","version":1}"#;

/// What is known of a manifest as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManifestTotals {
    /// What the field knows the content by.
    pub digest: ManifestDigest,
    /// What the content is known by where it matters.
    pub content_hash: ContentHash,
    /// How many entries.
    pub file_count: u64,
    /// The sizes that are known, added up.
    pub size_bytes: u64,
}

/// Writes the first line, with its end.
pub fn write_manifest_header(lines: &mut Vec<u8>) {
    lines.extend_from_slice(HEADER.as_bytes());
    lines.push(b'\n');
}

/// Writes the line of an entry, with its end.
pub fn write_manifest_line(lines: &mut Vec<u8>, path: &FilePath, entry: &ManifestEntry) {
    serde_json::to_writer(&mut *lines, &Line::of(path, entry)).expect("plain data has a JSON form");
    lines.push(b'\n');
}

/// Reads the lines of a manifest one after the other, and keeps none of them: memory does not grow with the manifest.
pub struct ManifestLines {
    has_header: bool,
    last: Option<FilePath>,
    /// Files that paths still to come could be below: each begins with the one before.
    above: Vec<FilePath>,
    digests: DigestBuilder,
    file_count: u64,
    size_bytes: u64,
}

impl Default for ManifestLines {
    fn default() -> Self {
        Self {
            has_header: false,
            last: None,
            above: Vec::new(),
            digests: DigestBuilder::new(),
            file_count: 0,
            size_bytes: 0,
        }
    }
}

impl ManifestLines {
    /// Takes one line, without its end; `None` for the header.
    ///
    /// # Errors
    /// It is not an entry, its path does not come behind that of the line before, or it stands below a file.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<(FilePath, ManifestEntry)>, InvalidManifest> {
        if !self.has_header {
            if line != HEADER.as_bytes() {
                return Err(InvalidManifest::new("it does not begin as a manifest of version 1"));
            }
            self.has_header = true;
            return Ok(None);
        }
        let number = self.file_count + 2;
        let refused = |reason: &dyn fmt::Display| InvalidManifest::new(format_args!("line {number}: {reason}"));
        if self.file_count >= MAX_MANIFEST_ENTRIES as u64 {
            return Err(refused(&format_args!("there are more than {MAX_MANIFEST_ENTRIES} entries")));
        }
        if line.len() > MAX_MANIFEST_LINE_BYTES {
            return Err(refused(&format_args!("it is longer than {MAX_MANIFEST_LINE_BYTES} bytes")));
        }
        let line: Line = serde_json::from_slice(line).map_err(|error| refused(&error))?;
        let (path, entry) = line.into_entry().map_err(|error| refused(&error))?;
        if let Some(last) = self.last.as_ref().filter(|last| **last >= path) {
            return Err(refused(&format_args!("{path:?} does not come behind {last:?}")));
        }
        let text = path.as_str();
        // By the order of bytes, all that begin with a text follow one another.
        while self.above.last().is_some_and(|file| !text.starts_with(file.as_str())) {
            self.above.pop();
        }
        let file_at = |(end, _)| self.above.binary_search_by_key(&end, |file: &FilePath| file.as_str().len()).ok();
        if let Some(file) = text.match_indices('/').find_map(file_at).map(|index| &self.above[index]) {
            return Err(refused(&format_args!("{path:?} is below {file:?}, which is a file")));
        }
        self.above.push(path.clone());
        self.last = Some(path.clone());
        self.digests.add(&path, &entry);
        self.file_count += 1;
        self.size_bytes = self.size_bytes.saturating_add(entry.size_bytes.unwrap_or(0));
        Ok(Some((path, entry)))
    }

    /// What the lines were in all.
    ///
    /// # Errors
    /// There was not even a header.
    pub fn finish(self) -> Result<ManifestTotals, InvalidManifest> {
        if !self.has_header {
            return Err(InvalidManifest::new("it is empty"));
        }
        let (digest, content_hash) = self.digests.finish();
        Ok(ManifestTotals { digest, content_hash, file_count: self.file_count, size_bytes: self.size_bytes })
    }
}

/// Makes a [`Manifest`] of lines that come from elsewhere.
#[derive(Default)]
pub struct ManifestBuilder {
    manifest: Manifest,
    lines: ManifestLines,
}

impl ManifestBuilder {
    /// Takes one line, without its end.
    ///
    /// # Errors
    /// As [`ManifestLines::line`].
    pub fn line(&mut self, line: &[u8]) -> Result<(), InvalidManifest> {
        if let Some((path, entry)) = self.lines.line(line)? {
            self.manifest.insert(path, entry);
        }
        Ok(())
    }

    /// The manifest.
    ///
    /// # Errors
    /// There was not even a header.
    pub fn finish(self) -> Result<Manifest, InvalidManifest> {
        self.lines.finish().map(|_| self.manifest)
    }
}

/// An entry as a line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    path: FilePath,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    extra: Map<String, Json>,
}

impl Line {
    fn of(path: &FilePath, entry: &ManifestEntry) -> Self {
        let (reference, extra) = match &entry.source {
            Source::Stored { .. } => (None, Map::new()),
            Source::Reference { uri, extra, .. } => (Some(uri.clone()), extra.clone()),
        };
        let sha256 = entry.sha256().map(|hash| hash.to_string());
        Self { path: path.clone(), size_bytes: entry.size_bytes, digest: entry.digest(), sha256, reference, extra }
    }

    fn into_entry(self) -> Result<(FilePath, ManifestEntry), InvalidManifest> {
        let entry = match (self.sha256, self.reference, self.size_bytes) {
            (Some(sha256), None, Some(size_bytes)) => {
                ManifestEntry::stored(size_bytes, self.digest.parse()?, sha256.parse().map_err(InvalidManifest::new)?)
            }
            (None, Some(uri), size_bytes) => ManifestEntry::reference(uri, self.digest, size_bytes, self.extra),
            _ => return Err(InvalidManifest::new("an entry has either a size and a SHA-256, or a reference")),
        };
        entry.check()?;
        Ok((self.path, entry))
    }
}
