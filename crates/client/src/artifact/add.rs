//! Adding files to a draft.

use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use steplog_model::{ContentHash, FilePath, ManifestEntry};

use super::bytes::{Blob, Place};
use super::handle::Artifact;
use super::hash::{self, Hashed, Pulse, Ready, SMALL_BYTES, TakeError};
use super::local::Original;
use super::md5_lanes::LANES;
use super::pool;
use super::reference::{self, ReferenceOptions};
use super::staging::{Copy, Staging};
use super::tree::{self, Leaf};
use crate::error::{Error, ErrorKind};
use crate::files::Fingerprint;
use crate::run::Run;

/// What is done with a file that is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddPolicy {
    /// It is copied: what becomes of it afterwards does not matter. Where the disk can, the copy shares its blocks.
    #[default]
    Mutable,
    /// It is read where it is when it is sent, and must not be changed until then: a changed file is refused.
    Immutable,
}

/// How files are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddOptions {
    /// What is done with the files.
    pub policy: AddPolicy,
    /// Whether a file may take the place of one with other content. Default: no.
    pub overwrite: bool,
}

/// How far adding files is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddProgress {
    /// How many files were read.
    pub done_files: usize,
    /// How many there are.
    pub total_files: usize,
    /// How many bytes were read.
    pub done_bytes: u64,
    /// How many there are.
    pub total_bytes: u64,
}

/// Told at least every 50 ms how far it is; whether to go on.
pub type AddWatch<'a> = &'a mut dyn FnMut(AddProgress) -> bool;

impl Artifact {
    /// Adds a file; `name` is its path in the artifact, by default the last part of its own. Answers its entry.
    ///
    /// The same content under the same path once more is no change.
    ///
    /// # Errors
    /// There is no such file, the name is none ([`FilePath`]), there is other content under it, the file is written while it
    /// is read, or the artifact is finalized. Nothing was added then.
    pub fn add_file(
        &self,
        path: impl AsRef<Path>,
        name: Option<&str>,
        options: &AddOptions,
    ) -> Result<ManifestEntry, Error> {
        self.add_file_watched(path, name, options, &mut |_| true)
    }

    /// As [`Self::add_file`], told about progress.
    ///
    /// # Errors
    /// As [`Self::add_file`], or `watch` said stop.
    pub fn add_file_watched(
        &self,
        path: impl AsRef<Path>,
        name: Option<&str>,
        options: &AddOptions,
        watch: AddWatch<'_>,
    ) -> Result<ManifestEntry, Error> {
        let path = path.as_ref();
        self.check_open("add_file")?;
        let found = fs::metadata(path).map_err(|error| not_there(path, "file", error))?;
        if !found.is_file() {
            return Err(Error::invalid(format_args!("{} is not a file; folders go with add_dir", path.display())));
        }
        let name = match name {
            Some(name) => name.parse()?,
            None => file_name(path)?,
        };
        let leaf = Leaf { place: path.to_owned(), path: name.clone(), size_bytes: found.len() };
        self.add_leaves(&[leaf], options, watch)?;
        let entry = self.entry(&name)?;
        Ok(entry.expect("it was just added"))
    }

    /// Adds all files at and below a folder, hidden ones too, and follows links; `name` is the folder of the artifact that
    /// they come into, by default its top. Empty folders leave no trace. Answers how many files there were.
    ///
    /// Files are read by a few threads at once.
    ///
    /// # Errors
    /// There is no such folder, a link in it leads back to a folder above or to nothing, something is neither file nor
    /// folder, or as [`Self::add_file`] for one of the files. Nothing was added then.
    pub fn add_dir(&self, path: impl AsRef<Path>, name: Option<&str>, options: &AddOptions) -> Result<usize, Error> {
        self.add_dir_watched(path, name, options, &mut |_| true)
    }

    /// As [`Self::add_dir`], told about progress.
    ///
    /// # Errors
    /// As [`Self::add_dir`], or `watch` said stop.
    pub fn add_dir_watched(
        &self,
        path: impl AsRef<Path>,
        name: Option<&str>,
        options: &AddOptions,
        watch: AddWatch<'_>,
    ) -> Result<usize, Error> {
        let path = path.as_ref();
        self.check_open("add_dir")?;
        let found = fs::metadata(path).map_err(|error| not_there(path, "folder", error))?;
        if !found.is_dir() {
            return Err(Error::invalid(format_args!("{} is not a folder; files go with add_file", path.display())));
        }
        let below: Option<FilePath> = match name.map(|name| name.trim_end_matches('/')) {
            None | Some("" | ".") => None,
            Some(name) => Some(name.parse()?),
        };
        let leaves = tree::leaves(path, below.as_ref())?;
        self.add_leaves(&leaves, options, watch)?;
        Ok(leaves.len())
    }

    /// Says which run will log it: what is added from now on is sent to the run's server at once, while more is read, so that
    /// less is left to be sent once it is logged. Changes nothing else; without a server nothing at all. What is never logged
    /// the server removes after some days.
    ///
    /// # Errors
    /// The artifact is finalized.
    pub fn send_early(&self, run: &Run) -> Result<(), Error> {
        self.with_draft("send_early", |draft| {
            draft.early = run.artifacts().early_sender().map(Arc::new);
            Ok(())
        })
    }

    /// Adds a file with this content. The same content under the same path once more is no change.
    ///
    /// # Errors
    /// As [`Self::add_file`], or the disk refuses.
    pub fn add_bytes(&self, name: &str, bytes: &[u8], overwrite: bool) -> Result<ManifestEntry, Error> {
        let path: FilePath = name.parse()?;
        let staging = self.with_draft("add", |draft| draft.staging())?;
        let hashed = Hashed::of(bytes);
        let written = staging.begin().and_then(|mut copy| {
            copy.file.write_all(bytes)?;
            copy.keep(&staging, hashed.sha256)
        });
        written.map_err(|error| Error::io(error, format_args!("cannot keep {path:?}")))?;
        self.insert_all(vec![(path, hashed.entry())], overwrite)?;
        Ok(hashed.entry())
    }

    /// Begins a file that is written right into the artifact.
    ///
    /// ```
    /// use std::io::Write as _;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let run = steplog::Run::builder("digits").root(folder.path()).mode(steplog::Mode::Offline).init()?;
    /// let artifact = steplog::Artifact::new("notes", "text")?;
    /// let mut file = artifact.new_file("day/1.txt")?;
    /// write!(file, "sunny").unwrap();
    /// file.finish()?;
    /// assert_eq!(artifact.file_count(), 1);
    /// # Ok::<(), steplog::Error>(())
    /// ```
    ///
    /// # Errors
    /// The name is none, is taken, or the artifact is finalized.
    pub fn new_file(&self, name: &str) -> Result<NewFile, Error> {
        let path: FilePath = name.parse()?;
        let staging = self.with_draft("new_file", |draft| {
            let staging = draft.staging()?;
            draft.begin_file(&path)?;
            Ok(staging)
        })?;
        let copy = staging.begin().map_err(|error| {
            self.forget_new_file(&path);
            Error::io(error, format_args!("cannot begin {path:?}"))
        })?;
        Ok(NewFile { artifact: self.clone(), path, staging, copy: Some(copy) })
    }

    /// Adds what a URI names, and leaves the bytes where they are: `file:///path`, `https://host/path`, `s3://bucket/key`,
    /// `gs://bucket/key`; of other schemes nothing is known but the URI itself, and a name must be given. Answers the entries.
    ///
    /// # Errors
    /// The URI has no scheme, what it names is not there or has too many objects, or as [`Self::add_file`].
    pub fn add_reference(
        &self,
        uri: &str,
        options: &ReferenceOptions,
    ) -> Result<Vec<(FilePath, ManifestEntry)>, Error> {
        self.check_open("add_reference")?;
        let entries = reference::resolve(uri, options)?;
        self.insert_all(entries.clone(), false)?;
        Ok(entries)
    }

    /// Reads files, and adds all of them or none.
    fn add_leaves(&self, leaves: &[Leaf], options: &AddOptions, watch: AddWatch<'_>) -> Result<(), Error> {
        let staging = match options.policy {
            AddPolicy::Mutable => Some(self.with_draft("add", |draft| draft.staging())?),
            AddPolicy::Immutable => None,
        };
        let total_bytes = leaves.iter().map(|leaf| leaf.size_bytes).sum();
        let mut progress = AddProgress { total_files: leaves.len(), total_bytes, ..AddProgress::default() };
        let pulse = Pulse::default();
        let early = self.with_draft("add", |draft| Ok(draft.early.clone()))?;
        let mut taken: Vec<Option<(Hashed, Fingerprint)>> = vec![None; leaves.len()];
        let done_count = std::cell::Cell::new(0);
        pool::for_each(
            &groups(leaves),
            Vec::new,
            |buffers, group| {
                let leaves = &leaves[group.clone()];
                let paths: Vec<&Path> = leaves.iter().map(|leaf| leaf.place.as_path()).collect();
                let offer = early.as_ref().map(|early| {
                    |index: usize, sha256, print| early.offer(blob(&leaves[index], staging.as_deref(), sha256, print))
                });
                let offer = offer.as_ref().map(|offer| offer as Ready<'_>);
                let hashed = hash::take(&paths, staging.as_deref(), buffers, &pulse, offer)
                    .map_err(|(index, error)| refusal(&leaves[index], error))?;
                Ok((group.start, hashed))
            },
            || pulse.stop.store(true, Ordering::Relaxed),
            |_, (first, hashed)| {
                done_count.set(done_count.get() + hashed.len());
                taken[first..].iter_mut().zip(hashed).for_each(|(taken, hashed)| *taken = Some(hashed));
                Ok(())
            },
            || {
                progress.done_files = done_count.get();
                progress.done_bytes = pulse.bytes.load(Ordering::Relaxed);
                if watch(progress) { Ok(()) } else { Err(stopped()) }
            },
        )?;
        progress.done_files = leaves.len();
        progress.done_bytes = pulse.bytes.load(Ordering::Relaxed);
        watch(progress);
        let taken = taken.into_iter().map(|taken| taken.expect("every file was taken"));
        let mut originals = Vec::new();
        if options.policy == AddPolicy::Immutable {
            for (leaf, (hashed, print)) in leaves.iter().zip(taken.clone()) {
                originals.push(Original { sha256: hashed.sha256, path: absolute(&leaf.place)?, print });
            }
        }
        let entries = leaves.iter().zip(taken).map(|(leaf, (hashed, _))| (leaf.path.clone(), hashed.entry()));
        self.insert_all(entries.collect(), options.overwrite)?;
        self.with_draft("add", |draft| {
            draft.originals.extend(originals.into_iter().map(|original| (original.sha256, original)));
            Ok(())
        })
    }
}

/// Files that are read together: small ones beside each other, of which all fit into memory.
fn groups(leaves: &[Leaf]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut group_bytes = 0;
    for (index, leaf) in leaves.iter().enumerate() {
        group_bytes += leaf.size_bytes;
        match groups.last_mut() {
            Some(group) if group.len() < LANES && group_bytes <= SMALL_BYTES => group.end = index + 1,
            _ => {
                groups.push(index..index + 1);
                group_bytes = leaf.size_bytes;
            }
        }
    }
    groups
}

/// The bytes of a file that was just read, to be sent.
fn blob(leaf: &Leaf, staging: Option<&Staging>, sha256: ContentHash, print: Fingerprint) -> Blob {
    let place = match staging {
        Some(staging) => Place::File(staging.blob(sha256)),
        None => Place::Original(Original { sha256, path: leaf.place.clone(), print }),
    };
    Blob { hash: sha256, size_bytes: print.size_bytes, received_bytes: 0, place }
}

fn stopped() -> Error {
    Error::usage("adding files was stopped")
}

fn refusal(leaf: &Leaf, error: TakeError) -> Error {
    let place = leaf.place.display();
    match error {
        TakeError::Changes => Error::new(
            ErrorKind::Io,
            format!("{place} changes while it is read; add it when nobody writes to it, or add a copy"),
        ),
        TakeError::Unreadable(error) => Error::io(error, format_args!("cannot read {place}")),
        TakeError::Unwritable(error) => Error::io(error, format_args!("cannot keep a copy of {place}")),
        TakeError::Stopped => stopped(),
    }
}

fn not_there(path: &Path, noun: &str, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::invalid(format_args!("there is no {noun} {}", path.display())),
        _ => Error::io(error, format_args!("cannot read {}", path.display())),
    }
}

fn file_name(path: &Path) -> Result<FilePath, Error> {
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        Error::invalid(format_args!("the last part of {} is no name that is UTF-8; give a name", path.display()))
    })?;
    Ok(name.parse()?)
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|error| Error::io(error, path.display()))
}

/// A file of a draft that is being written. Dropped without [`Self::finish`], it leaves no trace.
pub struct NewFile {
    artifact: Artifact,
    path: FilePath,
    staging: Arc<Staging>,
    copy: Option<Copy>,
}

impl NewFile {
    /// Where it is being written, for those who open it themselves; it is there already, and empty.
    pub fn place(&self) -> &Path {
        self.copy.as_ref().expect("it is not finished").path()
    }

    /// Its path in the artifact.
    pub fn path(&self) -> &FilePath {
        &self.path
    }

    /// Adds what was written.
    ///
    /// # Errors
    /// The disk refuses, or the artifact was finalized meanwhile.
    pub fn finish(mut self) -> Result<ManifestEntry, Error> {
        let failed = |error| Error::io(error, format_args!("cannot add {:?}", self.path));
        let copy = self.copy.take().expect("it is not finished");
        let hashed = hash::hash_own(copy.path()).map_err(|error| match error {
            TakeError::Unreadable(error) | TakeError::Unwritable(error) => failed(error),
            TakeError::Changes | TakeError::Stopped => unreachable!("nobody stops it, and it is read once"),
        })?;
        copy.keep(&self.staging, hashed.sha256).map_err(failed)?;
        let entry = hashed.entry();
        self.artifact.insert_all(vec![(self.path.clone(), entry.clone())], false)?;
        Ok(entry)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.copy.as_mut().expect("it is not finished").file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        self.artifact.forget_new_file(&self.path);
    }
}
