//! What an artifact consists of before it is logged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use steplog_model::{ContentHash, FilePath, MAX_MANIFEST_ENTRIES, Manifest, ManifestEntry};

use super::committed::Committed;
use super::early::EarlySender;
use super::local::{LocalStore, Original};
use super::staging::Staging;
use crate::error::{Error, ErrorKind};

#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) manifest: Arc<Manifest>,
    /// Copies of what was added; made with the first.
    staging: Option<Arc<Staging>>,
    /// What was added without being copied.
    pub(crate) originals: BTreeMap<ContentHash, Original>,
    /// Sends what is added while more is added.
    pub(crate) early: Option<Arc<EarlySender>>,
    /// The version that it was made from, whose bytes are not here.
    pub(crate) base: Option<Box<Committed>>,
    /// Files that are being written.
    being_written: BTreeSet<FilePath>,
    pub(crate) is_finalized: bool,
}

impl Draft {
    /// A draft with all that a version has.
    pub(crate) fn from_version(base: Committed, manifest: Arc<Manifest>) -> Self {
        Self { manifest, base: Some(Box::new(base)), ..Self::default() }
    }

    pub(crate) fn check_open(&self, what: &str) -> Result<(), Error> {
        if self.is_finalized {
            return Err(Error::new(
                ErrorKind::ArtifactFinalized,
                format!(
                    "{what}: the artifact is finalized and cannot be changed; make a new one, or new_draft() of it"
                ),
            ));
        }
        Ok(())
    }

    /// The folder for copies.
    pub(crate) fn staging(&mut self) -> Result<Arc<Staging>, Error> {
        if let Some(staging) = &self.staging {
            return Ok(staging.clone());
        }
        let store = LocalStore::current()?;
        let staging = Staging::create(&store)
            .map_err(|error| Error::io(error, format_args!("cannot keep copies in {}", store.staging().display())))?;
        Ok(self.staging.insert(Arc::new(staging)).clone())
    }

    pub(crate) fn staging_if_any(&self) -> Option<&Arc<Staging>> {
        self.staging.as_ref()
    }

    /// Puts an entry to a path. The same content once more is no change.
    ///
    /// # Errors
    /// There is other content (unless `overwrites`), or a file stands where a folder is needed.
    pub(crate) fn insert(&mut self, path: FilePath, entry: ManifestEntry, overwrites: bool) -> Result<(), Error> {
        entry.check()?;
        if let Some(there) = self.manifest.get(&path) {
            if *there == entry {
                return Ok(());
            }
            if !overwrites {
                return Err(Error::invalid(format_args!(
                    "{path:?} is in the artifact already, with other content; remove() it first, or add it with overwrite"
                )));
            }
        } else if self.manifest.len() >= MAX_MANIFEST_ENTRIES {
            return Err(Error::invalid(format_args!(
                "the artifact has {MAX_MANIFEST_ENTRIES} entries, which is all it can"
            )));
        }
        if let Some(other) = self.manifest.in_the_way(&path) {
            return Err(Error::invalid(format_args!(
                "{path:?} cannot be added, for {other:?} is in the artifact: a path is a file or a folder"
            )));
        }
        Arc::make_mut(&mut self.manifest).insert(path, entry);
        Ok(())
    }

    /// Takes out an entry, or all below a folder.
    ///
    /// # Errors
    /// There is nothing.
    pub(crate) fn remove(&mut self, path: &FilePath) -> Result<(), Error> {
        let manifest = Arc::make_mut(&mut self.manifest);
        if manifest.remove(path).is_some() {
            return Ok(());
        }
        let below: Vec<FilePath> = manifest.below(path).map(|(path, _)| path.clone()).collect();
        if below.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, format!("the artifact has no {path:?}")));
        }
        below.iter().for_each(|path| drop(manifest.remove(path)));
        Ok(())
    }

    /// Reserves a path for a file that is being written.
    ///
    /// # Errors
    /// There is something, or somebody else writes it.
    pub(crate) fn begin_file(&mut self, path: &FilePath) -> Result<(), Error> {
        let refused = |reason: &str| Err(Error::invalid(format_args!("{path:?} {reason}")));
        if self.manifest.get(path).is_some() {
            return refused("is in the artifact already; remove() it first");
        }
        if !self.being_written.insert(path.clone()) {
            return refused("is being written already");
        }
        Ok(())
    }

    pub(crate) fn end_file(&mut self, path: &FilePath) {
        self.being_written.remove(path);
    }
}

#[cfg(test)]
mod tests {
    use steplog_model::Md5;

    use super::*;

    fn entry(byte: u8) -> ManifestEntry {
        ManifestEntry::stored(1, Md5::from_bytes([byte; 16]), ContentHash::from_bytes([byte; 32]))
    }

    fn path(text: &str) -> FilePath {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_has_one_content() {
        let mut draft = Draft::default();
        draft.insert(path("a/b"), entry(1), false).unwrap();
        draft.insert(path("a/b"), entry(1), false).unwrap();
        assert_eq!(
            draft.insert(path("a/b"), entry(2), false).unwrap_err().to_string(),
            r#""a/b" is in the artifact already, with other content; remove() it first, or add it with overwrite"#
        );
        draft.insert(path("a/b"), entry(2), true).unwrap();
        assert_eq!(
            draft.insert(path("a/b/c"), entry(1), true).unwrap_err().to_string(),
            r#""a/b/c" cannot be added, for "a/b" is in the artifact: a path is a file or a folder"#
        );
        assert!(draft.insert(path("a"), entry(1), true).is_err());
        assert_eq!(draft.manifest.entries().collect::<Vec<_>>(), [(&path("a/b"), &entry(2))]);
    }

    #[test]
    fn files_and_folders_are_removed() {
        let mut draft = Draft::default();
        for text in ["a/b", "a/c/d", "ab"] {
            draft.insert(path(text), entry(1), false).unwrap();
        }
        draft.remove(&path("a/b")).unwrap();
        assert_eq!(draft.remove(&path("a/b")).unwrap_err().kind(), ErrorKind::NotFound);
        draft.remove(&path("a")).unwrap();
        assert_eq!(draft.manifest.entries().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["ab"]);
    }

    #[test]
    fn a_file_is_written_once() {
        let mut draft = Draft::default();
        draft.begin_file(&path("a")).unwrap();
        assert!(draft.begin_file(&path("a")).is_err());
        draft.end_file(&path("a"));
        draft.begin_file(&path("a")).unwrap();
        draft.insert(path("b"), entry(1), false).unwrap();
        assert!(draft.begin_file(&path("b")).is_err());
    }
}
