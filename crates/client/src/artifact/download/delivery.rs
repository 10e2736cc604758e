//! The files of a version on their way to a folder: from the cache, this disk, a server, or where references lead.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use steplog_model::{ContentHash, FilePath, ManifestEntry, Source, path_segment};

use super::fetch::{self, stopped};
use super::folder::{Folder, Kind};
use super::writing::{Stop, Writing};
use super::{DownloadOptions, DownloadProgress, DownloadReport, DownloadWatch};
use crate::artifact::cache::{Begun, Cache, CachedBlob, is_good};
use crate::artifact::committed::{Committed, Origin};
use crate::artifact::hash::clone_file;
use crate::artifact::local::LocalBlobs;
use crate::artifact::pool;
use crate::artifact::reference::References;
use crate::error::{Error, ErrorKind};

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// So many files are fetched from a server at once: what takes long is the way to it.
const CONNECTIONS: usize = 8;

/// How often it is looked whether somebody else has fetched a file.
const TICK: Duration = Duration::from_millis(50);

pub(super) type Job<'a> = (&'a FilePath, &'a ManifestEntry);

/// On its way.
pub(super) struct Delivery<'a> {
    committed: &'a Committed,
    folder: &'a Folder,
    options: &'a DownloadOptions,
    /// None: past it.
    cache: Option<Cache>,
    /// Where the version is of this disk.
    local: Option<LocalBlobs>,
    references: References,
    /// Whether this disk shares blocks between files, as far as was tried.
    clones: AtomicBool,
    stop: AtomicBool,
    done_bytes: AtomicU64,
    kept_count: AtomicU64,
    fetched_bytes: AtomicU64,
    missing: Mutex<Vec<FilePath>>,
}

/// A folder of the version that a thread has open. Files come by path, so the next one is mostly in the same.
#[derive(Default)]
struct Opened<'a> {
    path: &'a str,
    /// None: it is the root.
    folder: Option<Folder>,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(
        committed: &'a Committed,
        folder: &'a Folder,
        options: &'a DownloadOptions,
        cache: Option<Cache>,
    ) -> Result<Self, Error> {
        let local = match &committed.origin {
            Origin::Local(store, manifest) => Some(store.blobs(*manifest)?),
            Origin::Server(_) | Origin::Nowhere => None,
        };
        Ok(Self {
            committed,
            folder,
            options,
            cache,
            local,
            references: References::new(),
            clones: AtomicBool::new(true),
            stop: AtomicBool::new(false),
            done_bytes: AtomicU64::new(0),
            kept_count: AtomicU64::new(0),
            fetched_bytes: AtomicU64::new(0),
            missing: Mutex::default(),
        })
    }

    /// Brings all of them, or as many as can be.
    pub(super) fn run(&self, jobs: &[Job<'_>], watch: DownloadWatch<'_>) -> Result<(), Error> {
        let total_bytes = jobs.iter().filter_map(|(_, entry)| entry.size_bytes).fold(0, u64::saturating_add);
        let mut progress =
            DownloadProgress { total_files: jobs.len() as u64, total_bytes, ..DownloadProgress::default() };
        // A large file keeps several connections busy by itself.
        let is_large = |(_, entry): &Job<'_>| {
            entry.sha256().is_some() && entry.size_bytes.is_some_and(|size| size >= fetch::LARGE_BYTES)
        };
        let (large, small): (Vec<Job<'_>>, Vec<Job<'_>>) = jobs.iter().partition(|job| is_large(job));
        let threads = match &self.committed.origin {
            Origin::Server(_) => CONNECTIONS.min(small.len()),
            _ => pool::thread_count(small.len()),
        };
        for (threads, jobs) in [(threads, small), (1, large)] {
            let done_before = progress.done_files;
            let done_files = AtomicU64::new(done_before);
            pool::for_each_in(
                threads,
                &jobs,
                Opened::default,
                |opened, job| self.get(opened, *job),
                || self.stop.store(true, Ordering::Relaxed),
                |_, ()| {
                    done_files.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                },
                || {
                    progress.done_files = done_files.load(Ordering::Relaxed);
                    progress.done_bytes = self.done_bytes.load(Ordering::Relaxed);
                    if watch(progress) { Ok(()) } else { Err(stopped()) }
                },
            )?;
            progress.done_files = done_before + jobs.len() as u64;
        }
        progress.done_bytes = self.done_bytes.load(Ordering::Relaxed);
        watch(progress);
        Ok(())
    }

    /// Lets the cache count what it got.
    pub(super) fn settle(&self) {
        if let Some(cache) = &self.cache {
            cache.settle();
        }
    }

    pub(super) fn into_report(self, root: PathBuf, wanted: usize) -> DownloadReport {
        let mut missing_references = self.missing.into_inner().unwrap_or_else(PoisonError::into_inner);
        missing_references.sort();
        DownloadReport {
            root,
            file_count: (wanted - missing_references.len()) as u64,
            kept_count: self.kept_count.into_inner(),
            fetched_bytes: self.fetched_bytes.into_inner(),
            missing_references,
        }
    }

    /// Sees to it that a file is there.
    fn get<'b>(&self, opened: &mut Opened<'b>, (path, entry): Job<'b>) -> Result<(), Error> {
        let (folder_path, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        if opened.path != folder_path {
            let parts: Vec<&str> = folder_path.split('/').filter(|part| !part.is_empty()).collect();
            let folder = self.folder.folder_of(&parts);
            let place = || self.folder.path().join(folder_path);
            let folder =
                folder.map_err(|error| Error::io(error, format_args!("cannot write into {}", place().display())))?;
            *opened = Opened { path: folder_path, folder };
        }
        let target = Target { folder: opened.folder.as_ref().unwrap_or(self.folder), name: OsStr::new(name), path };
        match &entry.source {
            Source::Stored { sha256, .. } => self.get_stored(&target, *sha256, entry.size_bytes.unwrap_or(0)),
            Source::Reference { .. } => self.get_reference(&target, entry),
        }
    }

    fn get_stored(&self, target: &Target<'_>, hash: ContentHash, size_bytes: u64) -> Result<(), Error> {
        if self.is_there(target, hash, size_bytes)? {
            self.kept_count.fetch_add(1, Ordering::Relaxed);
            self.done_bytes.fetch_add(size_bytes, Ordering::Relaxed);
            return Ok(());
        }
        if size_bytes == 0 {
            return target.write(|_| Ok(()));
        }
        if let Some(cache) = self.cache.as_ref().filter(|cache| cache.takes(size_bytes)) {
            if let Some(blob) = cache.get(hash, size_bytes) {
                self.done_bytes.fetch_add(size_bytes, Ordering::Relaxed);
                return self.place(target, blob);
            }
            if matches!(self.committed.origin, Origin::Server(_)) {
                let blob = self.fetch_into_cache(cache, target, hash, size_bytes)?;
                return self.place(target, blob);
            }
        }
        match self.local_file(hash) {
            Some((path, is_ours)) => self.take_local(target, &path, is_ours, hash, size_bytes),
            None if matches!(self.committed.origin, Origin::Server(_)) => self.fetch_beside(target, hash, size_bytes),
            None => Err(self.gone(target)),
        }
    }

    /// Whether the target has the right bytes already.
    fn is_there(&self, target: &Target<'_>, hash: ContentHash, size_bytes: u64) -> Result<bool, Error> {
        match target.folder.kind(target.name).map_err(|error| target.failed(error))? {
            None | Some(Kind::Other) => return Ok(false),
            Some(Kind::Folder) => {
                let message = "is a folder, and a file of the version has this name: remove it, or name another folder";
                return Err(Error::new(ErrorKind::IsADirectory, format!("{} {message}", target.place().display())));
            }
            Some(Kind::File) => {}
        }
        let Ok(mut file) = target.folder.open_file(target.name) else { return Ok(false) };
        let found = file.metadata().map_err(|error| target.failed(error))?;
        // One that shares its bytes with the cache must not be written to.
        if found.len() != size_bytes || (self.options.skip_cache && is_shared(&found)) {
            return Ok(false);
        }
        if is_good(&found, hash) {
            return Ok(true);
        }
        let mut hasher = Sha256::new();
        self.read_all(&mut file, size_bytes, |piece| hasher.update(piece)).map_err(|error| match error {
            Stop::Stopped => stopped(),
            Stop::Io(error) => target.failed(error),
        })?;
        Ok(ContentHash::from_bytes(hasher.finalize().into()) == hash)
    }

    fn read_all(&self, file: &mut impl io::Read, size_bytes: u64, mut take: impl FnMut(&[u8])) -> Result<(), Stop> {
        let mut piece = vec![0; PIECE_BYTES.min(usize::try_from(size_bytes).unwrap_or(PIECE_BYTES)).max(1)];
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Stop::Stopped);
            }
            match file.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => take(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stop::Io(error)),
            }
        }
    }

    /// A file of this disk with these bytes, and whether it is the store's, or else somebody's own.
    fn local_file(&self, hash: ContentHash) -> Option<(PathBuf, bool)> {
        let Origin::Local(store, _) = &self.committed.origin else { return None };
        let path = self.local.as_ref()?.find(hash)?;
        let is_ours = path.starts_with(store.root());
        Some((path, is_ours))
    }

    /// From a file of this disk. Only the store's own shares its bytes: a file of somebody else's may be written to.
    fn take_local(
        &self,
        target: &Target<'_>,
        path: &Path,
        is_ours: bool,
        hash: ContentHash,
        size_bytes: u64,
    ) -> Result<(), Error> {
        let unreadable = |error| Error::io(error, format_args!("cannot read {}", path.display()));
        let file = File::open(path).map_err(unreadable)?;
        if is_ours {
            self.check(target, &file, hash, size_bytes)?;
            self.done_bytes.fetch_add(size_bytes, Ordering::Relaxed);
            return self.place(target, CachedBlob { file, path: path.to_owned() });
        }
        let mut hasher = Sha256::new();
        target.write(|to| {
            let mut file = &file;
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                if self.stop.load(Ordering::Relaxed) {
                    return Err(stopped());
                }
                let count = file.read(&mut piece).map_err(unreadable)?;
                if count == 0 {
                    break;
                }
                hasher.update(&piece[..count]);
                to.write_all(&piece[..count]).map_err(|error| target.failed(error))?;
                self.done_bytes.fetch_add(count as u64, Ordering::Relaxed);
            }
            if ContentHash::from_bytes(hasher.clone().finalize().into()) != hash {
                let message = "was logged without a copy, and has changed since";
                return Err(Error::new(ErrorKind::Data, format!("{} {message}", path.display())));
            }
            Ok(())
        })
    }

    /// Refuses bytes of the store that are not what was logged any more.
    fn check(&self, target: &Target<'_>, file: &File, hash: ContentHash, size_bytes: u64) -> Result<(), Error> {
        let (mut hasher, mut file) = (Sha256::new(), file);
        let read = self.read_all(&mut file, size_bytes, |piece| hasher.update(piece));
        match read {
            Err(Stop::Stopped) => Err(stopped()),
            Err(Stop::Io(error)) => Err(target.failed(error)),
            Ok(()) if ContentHash::from_bytes(hasher.finalize().into()) == hash => Ok(()),
            Ok(()) => {
                let message = format!("the bytes of {} were damaged on this disk: log the file again", target.path);
                Err(Error::new(ErrorKind::Data, message))
            }
        }
    }

    /// Gives the target bytes that are here and right: as a copy that shares blocks, else as a second name of the same file,
    /// else as a copy.
    fn place(&self, target: &Target<'_>, mut blob: CachedBlob) -> Result<(), Error> {
        if self.clones.load(Ordering::Relaxed) {
            let clone = target.folder.begin(target.name).map_err(|error| target.failed(error))?;
            if clone_file(&blob.file, &clone.file) {
                return clone.keep(target.name).map_err(|error| target.failed(error));
            }
            self.clones.store(false, Ordering::Relaxed);
        }
        if !self.options.skip_cache
            && seal(&blob.file).and_then(|()| target.folder.link(&blob.path, target.name)).is_ok()
        {
            return Ok(());
        }
        // Another disk, or a file with as many names as it may have.
        target.write(|to| {
            blob.file.seek(SeekFrom::Start(0)).map_err(|error| target.failed(error))?;
            io::copy(&mut blob.file, to).map(drop).map_err(|error| target.failed(error))
        })
    }

    /// From the server, into the cache.
    fn fetch_into_cache(
        &self,
        cache: &Cache,
        target: &Target<'_>,
        hash: ContentHash,
        size_bytes: u64,
    ) -> Result<CachedBlob, Error> {
        let failed = |error: io::Error| {
            let hint = "name another folder with STEPLOG_CACHE_DIR, or do without with STEPLOG_CACHE_LIMIT=0";
            let message = format!("cannot write the cache {}: {error}\nhint: {hint}", cache.summary().folder.display());
            Error::new(ErrorKind::Io, message)
        };
        loop {
            let begun = cache.begin(hash).map_err(failed)?;
            // Who was at it before may be done.
            if let Some(blob) = cache.get(hash, size_bytes) {
                if let Begun::Partial(partial) = begun {
                    cache.discard(partial);
                }
                self.done_bytes.fetch_add(size_bytes, Ordering::Relaxed);
                return Ok(blob);
            }
            match begun {
                Begun::Partial(mut partial) => {
                    self.fetch(target, &mut partial.file, hash, size_bytes, &failed)?;
                    return cache.keep(partial).map_err(failed);
                }
                Begun::Busy => fetch::wait(TICK, &self.stop)?,
            }
        }
    }

    /// From the server, right into the folder.
    fn fetch_beside(&self, target: &Target<'_>, hash: ContentHash, size_bytes: u64) -> Result<(), Error> {
        let failed = |error| target.failed(error);
        let name = format!(".steplog-{hash}.part");
        let name = OsStr::new(&name);
        let mut file = loop {
            let file = target.folder.open_to_write(name).map_err(failed)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => fetch::wait(TICK, &self.stop)?,
                // Who was at it may just have given it its name.
                Ok(()) if !target.folder.is_at(&file, name) => {}
                _ => break file,
            }
        };
        self.fetch(target, &mut file, hash, size_bytes, &failed)?;
        target.folder.rename(name, target.name).map_err(failed)
    }

    /// Makes a file whole of which some may be there already.
    fn fetch(
        &self,
        target: &Target<'_>,
        file: &mut File,
        hash: ContentHash,
        size_bytes: u64,
        failed: &dyn Fn(io::Error) -> Error,
    ) -> Result<(), Error> {
        let Origin::Server(connection) = &self.committed.origin else { return Err(self.gone(target)) };
        let parts: Vec<String> = target.path.parts().map(path_segment).collect();
        let address = format!("{}/files/{}", self.committed.address(), parts.join("/"));
        let mut offset = file.metadata().map_err(failed)?.len();
        loop {
            if offset > size_bytes {
                offset = 0;
                file.set_len(0).map_err(failed)?;
            }
            let mut writing = Writing::new(file);
            writing.skip(offset, &self.stop).map_err(|stop| match stop {
                Stop::Stopped => stopped(),
                Stop::Io(error) => failed(error),
            })?;
            self.done_bytes.fetch_add(offset, Ordering::Relaxed);
            fetch::fetch(connection, &address, offset, size_bytes, &self.stop, |piece| {
                writing.write(piece).map_err(failed)?;
                self.done_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
                self.fetched_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
                Ok(())
            })?;
            if writing.finish().map_err(failed)? == hash {
                return Ok(());
            }
            file.set_len(0).map_err(failed)?;
            self.done_bytes.fetch_sub(size_bytes, Ordering::Relaxed);
            if offset == 0 {
                let (path, from) = (target.path, connection.base_url());
                let hint = "hint: `steplog artifact verify` tells whether what the server has is damaged";
                let message = format!("file {path:?} did not come as it was logged from {from}\n{hint}");
                return Err(Error::new(ErrorKind::Data, message));
            }
            // What was there may have been something else.
            offset = 0;
        }
    }

    fn gone(&self, target: &Target<'_>) -> Error {
        let name = self.committed.name();
        let message = format!("the bytes of {:?} of artifact {name} are not on this disk any more", target.path);
        Error::new(ErrorKind::NotFound, format!("{message}\nhint: where a server has them, download them from there"))
    }

    fn get_reference(&self, target: &Target<'_>, entry: &ManifestEntry) -> Result<(), Error> {
        if target.folder.kind(target.name).map_err(|error| target.failed(error))? == Some(Kind::Folder) {
            let message = "is a folder, and a file of the version has this name: remove it, or name another folder";
            return Err(Error::new(ErrorKind::IsADirectory, format!("{} {message}", target.place().display())));
        }
        let fetched = target.write(|to| {
            self.references.fetch(entry, &mut |piece| {
                if self.stop.load(Ordering::Relaxed) {
                    return Err(stopped());
                }
                to.write_all(piece).map_err(|error| target.failed(error))?;
                self.done_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
                self.fetched_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
                Ok(())
            })
        });
        match fetched {
            Err(error) if error.kind() == ErrorKind::NotFound && self.options.allow_missing_references => {
                self.missing.lock().unwrap_or_else(PoisonError::into_inner).push(target.path.clone());
                Ok(())
            }
            done => done,
        }
    }
}

/// Where a file comes to.
struct Target<'a> {
    folder: &'a Folder,
    name: &'a OsStr,
    path: &'a FilePath,
}

impl Target<'_> {
    fn place(&self) -> PathBuf {
        self.folder.place(self.name)
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io(error, format_args!("cannot write {}", self.place().display()))
    }

    /// Writes it under a name of its own, and gives it its name when that is done.
    fn write(&self, write: impl FnOnce(&mut File) -> Result<(), Error>) -> Result<(), Error> {
        let mut temporary = self.folder.begin(self.name).map_err(|error| self.failed(error))?;
        write(&mut temporary.file)?;
        temporary.keep(self.name).map_err(|error| self.failed(error))
    }
}

/// Makes a file one that nobody writes to, before it gets a second name.
fn seal(file: &File) -> io::Result<()> {
    let permissions = file.metadata()?.permissions();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if permissions.mode() & 0o222 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(permissions.mode() & 0o555))?;
        }
    }
    #[cfg(not(unix))]
    let _ = permissions;
    Ok(())
}

fn is_shared(found: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(found) > 1;
    #[cfg(not(unix))]
    return found.permissions().readonly();
}
