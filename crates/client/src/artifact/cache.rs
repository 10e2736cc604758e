//! Bytes that were sent or fetched once, kept for the next time.
//!
//! ```text
//! <cache>/artifacts/blobs/ab/<sha256>    bytes; files that nobody writes to, often with second names in folders of versions
//! <cache>/artifacts/partial/<sha256>     what is being fetched; locked by who does, gone on with after a cut
//! <cache>/artifacts/usage.json           about how much there is, so that not every download counts all files
//! ```
//!
//! Several processes may use it at once, and any of them may be killed at any time. The time of last access says what goes
//! first when there is too much.

use std::fs::{self, File, FileTimes, Metadata, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use steplog_model::ContentHash;

use super::pool;
use crate::error::Error;
use crate::source::Sources;

/// How much is kept when nobody says otherwise, in bytes.
const DEFAULT_LIMIT_BYTES: u64 = 50_000_000_000;

/// How long an estimate of the size is trusted.
const USAGE_GOOD_FOR: Duration = Duration::from_secs(24 * 3600);

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// The cache of this user.
#[derive(Debug)]
pub struct Cache {
    /// `…/artifacts`.
    root: PathBuf,
    limit_bytes: u64,
    /// Added, and not counted yet.
    added_bytes: AtomicU64,
}

/// What a cache holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CacheSummary {
    /// Where it is.
    pub folder: PathBuf,
    /// How much is kept at most, in bytes; 0: nothing.
    pub limit_bytes: u64,
    /// How much there is, in bytes, with what is only begun.
    pub size_bytes: u64,
    /// How many files are whole.
    pub file_count: u64,
    /// How many are only begun.
    pub partial_count: u64,
}

/// What was removed from a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CacheCleaning {
    /// How many files.
    pub removed_count: u64,
    /// Their sizes, added up.
    pub removed_bytes: u64,
    /// How much is left, in bytes.
    pub size_bytes: u64,
    /// How many files would have gone, but are in use.
    pub busy_count: u64,
}

/// What reading all of a cache showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CacheVerification {
    /// How many files have the bytes that their names say.
    pub good_count: u64,
    /// How many had not, and were removed.
    pub damaged_count: u64,
}

/// Bytes of the cache, which stay as long as this is held.
#[derive(Debug)]
pub(crate) struct CachedBlob {
    /// Locked.
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

/// Bytes that are being fetched. Nobody else fetches them into the cache as long as this is held.
#[derive(Debug)]
pub(crate) struct CachePartial {
    /// Locked; what is there already stands at its beginning.
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    hash: ContentHash,
}

/// Somebody who wants to fetch bytes.
#[derive(Debug)]
pub(crate) enum Begun {
    Partial(CachePartial),
    /// Somebody else is at it.
    Busy,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Usage {
    size_bytes: u64,
    /// When all was counted, Unix seconds.
    counted_at: u64,
}

impl Cache {
    /// The cache that the environment names: the folder of `STEPLOG_CACHE_DIR`, else `$XDG_CACHE_HOME/steplog`, else
    /// `~/.cache/steplog`; at most as large as `STEPLOG_CACHE_LIMIT` says, such as `50GB`, with `0` for no cache. Default:
    /// 50 GB. The user's settings file may say both, that of a workspace neither.
    ///
    /// # Errors
    /// The limit is none, or there is no home folder.
    pub fn open() -> Result<Self, Error> {
        let sources = Sources::user();
        let limit_bytes = match sources.get("CACHE_LIMIT") {
            Some(text) => parse_size(&text).ok_or_else(|| {
                Error::invalid(format_args!("STEPLOG_CACHE_LIMIT {text:?} is no size: write 50GB, 500MiB or bytes"))
            })?,
            None => DEFAULT_LIMIT_BYTES,
        };
        let folder = sources.get("CACHE_DIR").map(PathBuf::from).or_else(default_folder).ok_or_else(|| {
            Error::invalid("there is no home folder to keep a cache in: name one with STEPLOG_CACHE_DIR")
        })?;
        let folder = std::path::absolute(&folder).map_err(|error| Error::io(error, folder.display()))?;
        Ok(Self::at(&folder, limit_bytes))
    }

    /// The cache in a folder.
    pub fn at(folder: &Path, limit_bytes: u64) -> Self {
        Self { root: folder.join("artifacts"), limit_bytes, added_bytes: AtomicU64::new(0) }
    }

    /// How much is kept at most, in bytes; 0: nothing.
    pub fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Whether something of this size is kept.
    pub(crate) fn takes(&self, size_bytes: u64) -> bool {
        self.limit_bytes > 0 && size_bytes <= self.limit_bytes
    }

    fn blob(&self, hash: ContentHash) -> PathBuf {
        let name = hash.to_string();
        self.root.join("blobs").join(&name[..2]).join(name)
    }

    /// Bytes that are here. A file that was changed since it came is read anew; a damaged one is dropped.
    pub(crate) fn get(&self, hash: ContentHash, size_bytes: u64) -> Option<CachedBlob> {
        self.look_up(hash, Some(size_bytes))
    }

    fn look_up(&self, hash: ContentHash, size_bytes: Option<u64>) -> Option<CachedBlob> {
        let path = self.blob(hash);
        let mut file = open(&path).ok()?;
        let found = file.metadata().ok()?;
        if !is_own(&found) || matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let is_whole = size_bytes.is_none_or(|size| size == found.len());
        if is_whole && is_good(&found, hash) {
            // The next one to go is the one that was not asked for the longest.
            let _ = file.set_times(FileTimes::new().set_accessed(SystemTime::now()));
        } else if is_whole && sha256(&mut file).is_ok_and(|found| found == hash) {
            stamp(&file, hash);
        } else {
            let _ = fs::remove_file(&path);
            return None;
        }
        file.rewind().ok()?;
        Some(CachedBlob { file, path })
    }

    /// Begins to fetch bytes that are not here, or goes on where somebody else was cut off.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn begin(&self, hash: ContentHash) -> io::Result<Begun> {
        let folder = self.root.join("partial");
        let path = folder.join(hash.to_string());
        for _ in 0..2 {
            let file = match open_to_write(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir_all(&folder)?;
                    open_to_write(&path)?
                }
                opened => opened?,
            };
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(Begun::Busy),
                // Who was at it before may just have given it its name.
                Ok(()) if is_at(&file, &path) => return Ok(Begun::Partial(CachePartial { file, path, hash })),
                Ok(()) => {}
                // Without locks everybody fetches for himself.
                Err(TryLockError::Error(_)) => break,
            }
        }
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{hash}.{}-{count}", std::process::id()));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
        Ok(Begun::Partial(CachePartial { file, path, hash }))
    }

    /// Keeps bytes that were fetched whole and have their hash. They are still held.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn keep(&self, partial: CachePartial) -> io::Result<CachedBlob> {
        let size = partial.file.metadata()?.len();
        seal(&partial.file, partial.hash)?;
        // From now on others may read it. Where locks do not work there is none to change.
        let _ = partial.file.lock_shared();
        self.rename(&partial.path, partial.hash)?;
        self.note(size);
        Ok(CachedBlob { file: partial.file, path: self.blob(partial.hash) })
    }

    /// Gives up fetching bytes, because they are here.
    pub(crate) fn discard(&self, partial: CachePartial) {
        // What is left of it goes some day.
        let _ = fs::remove_file(&partial.path);
    }

    /// Takes a file that is not needed where it is any more, and whose bytes have the hash.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn adopt(&self, hash: ContentHash, path: &Path) -> io::Result<()> {
        let mut file = open(path)?;
        let size = file.metadata()?.len();
        if !self.takes(size) || self.get(hash, size).is_some() {
            return fs::remove_file(path);
        }
        match seal(&file, hash).and_then(|()| self.rename(path, hash)) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
            done => return done.map(|()| self.note(size)),
        }
        if let Begun::Partial(mut partial) = self.begin(hash)? {
            partial.file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            io::copy(&mut file, &mut partial.file)?;
            drop(self.keep(partial)?);
        }
        fs::remove_file(path)
    }

    fn rename(&self, from: &Path, hash: ContentHash) -> io::Result<()> {
        let to = self.blob(hash);
        match fs::rename(from, &to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(to.parent().expect("a blob lies in a folder"))?;
                fs::rename(from, &to)
            }
            done => done,
        }
    }

    fn note(&self, size_bytes: u64) {
        let added = self.added_bytes.fetch_add(size_bytes, Ordering::Relaxed) + size_bytes;
        if added > self.limit_bytes / 16 {
            self.settle();
        }
    }

    /// Counts what was added, and removes what is too much. Called when a download ends; trouble is none of its business.
    pub(crate) fn settle(&self) {
        let added = self.added_bytes.swap(0, Ordering::Relaxed);
        if added == 0 {
            return;
        }
        let is_too_much = self.with_usage(|usage| {
            usage.size_bytes = usage.size_bytes.saturating_add(added);
            usage.size_bytes > self.limit_bytes || usage.is_old()
        });
        if is_too_much.unwrap_or(false) && self.summary().size_bytes > self.limit_bytes {
            // Some more than must be, so that the next file is not the next reason.
            let _ = self.clean(self.limit_bytes - self.limit_bytes / 10);
        }
    }

    /// What there is.
    pub fn summary(&self) -> CacheSummary {
        let found = self.files();
        let size_bytes = found.iter().map(|file| file.size_bytes).sum();
        self.with_usage(|usage| *usage = Usage { size_bytes, counted_at: now() });
        let partial_count = found.iter().filter(|file| file.hash.is_none()).count() as u64;
        let folder = self.root.parent().unwrap_or(&self.root).to_owned();
        let file_count = found.len() as u64 - partial_count;
        CacheSummary { folder, limit_bytes: self.limit_bytes, size_bytes, file_count, partial_count }
    }

    /// Removes what was not asked for the longest, until no more than `target_bytes` are left. What is in use stays.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn clean(&self, target_bytes: u64) -> Result<CacheCleaning, Error> {
        if !self.root.is_dir() {
            return Ok(CacheCleaning::default());
        }
        let lock = self.root.join("cleaning");
        let lock = File::create(&lock).map_err(|error| Error::io(error, lock.display()))?;
        // Two at once would each remove what is too much. Where locks do not work they may.
        let _ = lock.lock();
        let mut files = self.files();
        files.sort_by_key(|file| (file.hash.is_some(), file.used_at));
        let mut cleaning =
            CacheCleaning { size_bytes: files.iter().map(|file| file.size_bytes).sum(), ..CacheCleaning::default() };
        for file in files {
            // What is only begun goes when all goes, or when nobody went on with it for a day.
            let is_old = file.used_at.elapsed().is_ok_and(|age| age > USAGE_GOOD_FOR);
            let is_left = file.hash.is_none() && (is_old || target_bytes == 0);
            if !is_left && (cleaning.size_bytes <= target_bytes || file.hash.is_none()) {
                continue;
            }
            match remove_unused(&file.path) {
                Ok(true) => {
                    cleaning.removed_count += 1;
                    cleaning.removed_bytes += file.size_bytes;
                    cleaning.size_bytes -= file.size_bytes;
                }
                Ok(false) => cleaning.busy_count += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => cleaning.size_bytes -= file.size_bytes,
                Err(error) => return Err(Error::io(error, format_args!("cannot remove {}", file.path.display()))),
            }
        }
        let size_bytes = cleaning.size_bytes;
        self.with_usage(|usage| *usage = Usage { size_bytes, counted_at: now() });
        Ok(cleaning)
    }

    /// Reads everything, and removes what is damaged. `watch` is told how many of how many bytes were read, and says whether
    /// to go on.
    ///
    /// # Errors
    /// `watch` said stop.
    pub fn verify(&self, mut watch: impl FnMut(u64, u64) -> bool) -> Result<CacheVerification, Error> {
        let files: Vec<CacheFile> = self.files().into_iter().filter(|file| file.hash.is_some()).collect();
        let total_bytes = files.iter().map(|file| file.size_bytes).sum();
        let (read_bytes, mut verification) = (AtomicU64::new(0), CacheVerification::default());
        pool::for_each(
            &files,
            || (),
            |(), file| {
                let hash = file.hash.expect("only those with one are left");
                let is_good = open(&file.path).map(|mut opened| {
                    let is_good = sha256(&mut opened).is_ok_and(|found| found == hash);
                    if is_good {
                        stamp(&opened, hash);
                    }
                    is_good
                });
                read_bytes.fetch_add(file.size_bytes, Ordering::Relaxed);
                if let Ok(false) = is_good {
                    let _ = fs::remove_file(&file.path);
                }
                // One that is gone was neither.
                Ok(is_good.ok())
            },
            || (),
            |_, is_good| {
                match is_good {
                    Some(true) => verification.good_count += 1,
                    Some(false) => verification.damaged_count += 1,
                    None => {}
                }
                Ok(())
            },
            || match watch(read_bytes.load(Ordering::Relaxed), total_bytes) {
                true => Ok(()),
                false => Err(Error::usage("reading the cache was stopped")),
            },
        )?;
        Ok(verification)
    }

    fn files(&self) -> Vec<CacheFile> {
        let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
        let file = |entry: fs::DirEntry| {
            let found = entry.metadata().ok().filter(Metadata::is_file)?;
            let used_at = found.accessed().ok().max(found.modified().ok())?;
            Some(CacheFile { path: entry.path(), hash: None, size_bytes: found.len(), used_at })
        };
        let blobs = entries(self.root.join("blobs")).flat_map(|folder| entries(folder.path()));
        let blobs = blobs.filter_map(|entry| {
            let hash = entry.file_name().to_str()?.parse().ok()?;
            Some(CacheFile { hash: Some(hash), ..file(entry)? })
        });
        blobs.chain(entries(self.root.join("partial")).filter_map(file)).collect()
    }

    /// Changes the estimate of the size; `None` where that cannot be written.
    fn with_usage<T>(&self, change: impl FnOnce(&mut Usage) -> T) -> Option<T> {
        let mut file = open_to_write(&self.root.join("usage.json")).ok()?;
        let _ = file.lock();
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        // One that cannot be read is old.
        let mut usage = serde_json::from_str(&text).unwrap_or_default();
        let answer = change(&mut usage);
        let text = serde_json::to_string(&usage).expect("plain data has a JSON form");
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.set_len(0))
            .and_then(|()| file.write_all(text.as_bytes()))
            .ok()?;
        Some(answer)
    }
}

impl Usage {
    fn is_old(self) -> bool {
        now().saturating_sub(self.counted_at) > USAGE_GOOD_FOR.as_secs()
    }
}

struct CacheFile {
    path: PathBuf,
    /// None: it is only begun.
    hash: Option<ContentHash>,
    size_bytes: u64,
    used_at: SystemTime,
}

/// Takes files into the user's cache that are not needed where they are any more, and whose bytes have the hashes.
pub(crate) fn adopt_all(cache: Option<&Cache>, files: impl Iterator<Item = (ContentHash, PathBuf)>) {
    for (hash, path) in files {
        let is_kept = cache.is_some_and(|cache| cache.adopt(hash, &path).is_ok());
        if !is_kept {
            // What cannot be removed is of no consequence: it is found by its hash again.
            let _ = fs::remove_file(&path);
        }
    }
    if let Some(cache) = cache {
        cache.settle();
    }
}

/// The file of the user's cache with these bytes, if they are there.
pub(crate) fn find(hash: ContentHash) -> Option<PathBuf> {
    Cache::open().ok()?.look_up(hash, None).map(|blob| blob.path)
}

/// A number of bytes: `50GB`, `1.5 TiB`, `1000`.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor: u64 = match &*unit.trim().to_lowercase() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "ki" | "kib" => 1 << 10,
        "mi" | "mib" => 1 << 20,
        "gi" | "gib" => 1 << 30,
        "ti" | "tib" => 1 << 40,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    (bytes.is_finite() && bytes < u64::MAX as f64).then_some(bytes as u64)
}

fn default_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || variable("HOME").or_else(|| variable("USERPROFILE")).map(|home| home.join(".cache"));
    Some(variable("XDG_CACHE_HOME").or_else(home)?.join("steplog"))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs())
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.read(true).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a plain file")) }
}

fn open_to_write(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.read(true).write(true).create(true).truncate(false).open(path)
}

/// Removes a file that nobody holds; answers whether that was so.
fn remove_unused(path: &Path) -> io::Result<bool> {
    let file = open(path)?;
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Ok(false);
    }
    fs::remove_file(path).map(|()| true)
}

/// Whether an open file is what has a name now.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (Ok(held), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
        (held.dev(), held.ino()) == (there.dev(), there.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// Whoever else can write here could leave wrong bytes under a name.
fn is_own(found: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::uid(found) == rustix::process::geteuid().as_raw();
    #[cfg(not(unix))]
    return found.is_file();
}

fn sha256(file: &mut File) -> io::Result<ContentHash> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(ContentHash::from_bytes(hasher.finalize().into())),
            Ok(count) => hasher.update(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The part of a second, in steps of 100 ns, that the time of last change of a good file has. It follows from the hash, so
/// that nothing has to be noted beside the file; whoever writes to it, through whichever of its names, changes it.
fn sub_second(hash: ContentHash) -> u32 {
    let [a, b, c, d, ..] = *hash.as_bytes();
    u32::from_le_bytes([a, b, c, d]) % 10_000_000 * 100
}

fn is_stamped(found: &Metadata, hash: ContentHash) -> bool {
    let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    modified.is_some_and(|modified| modified.subsec_nanos() == sub_second(hash))
}

/// Whether a file is one that had the hash when it came into the cache, under whatever name, and was not written to since.
pub(crate) fn is_good(found: &Metadata, hash: ContentHash) -> bool {
    is_own(found) && is_stamped(found, hash)
}

/// Says of a file that its bytes have the hash. Where the disk cannot keep it, files are read anew each time.
fn stamp(file: &File, hash: ContentHash) {
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let modified = UNIX_EPOCH + Duration::new(since.as_secs(), sub_second(hash));
    let _ = file.set_times(FileTimes::new().set_accessed(now).set_modified(modified));
}

/// Makes a file one that nobody writes to.
fn seal(file: &File, hash: ContentHash) -> io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o444))?;
    stamp(file, hash);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn hash(bytes: &[u8]) -> ContentHash {
        ContentHash::from_bytes(Sha256::digest(bytes).into())
    }

    fn put(cache: &Cache, bytes: &[u8]) {
        let Ok(Begun::Partial(mut partial)) = cache.begin(hash(bytes)) else { panic!("it is free") };
        partial.file.write_all(bytes).unwrap();
        drop(cache.keep(partial).unwrap());
    }

    fn read(cache: &Cache, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        cache.get(hash(bytes), bytes.len() as u64)?.file.read_to_end(&mut found).unwrap();
        Some(found)
    }

    /// As if it had been asked for so many seconds ago.
    fn age(cache: &Cache, bytes: &[u8], seconds: u64) {
        let then = SystemTime::now() - Duration::from_secs(seconds);
        let modified = UNIX_EPOCH + Duration::new(1000, sub_second(hash(bytes)));
        let file = File::open(cache.blob(hash(bytes))).unwrap();
        file.set_times(FileTimes::new().set_accessed(then).set_modified(modified)).unwrap();
    }

    #[test]
    fn what_was_kept_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path(), 1000);
        assert_eq!(read(&cache, b"first"), None);
        put(&cache, b"first");
        put(&cache, b"first");
        assert_eq!(read(&cache, b"first").as_deref(), Some(&b"first"[..]));
        assert_eq!(cache.get(hash(b"first"), 4).map(drop), None);
        let own = folder.path().join("own");
        for _ in 0..2 {
            fs::write(&own, "adopted").unwrap();
            cache.adopt(hash(b"adopted"), &own).unwrap();
            assert!(!own.exists());
        }
        assert_eq!(read(&cache, b"adopted").as_deref(), Some(&b"adopted"[..]));
        let mode = fs::metadata(cache.blob(hash(b"adopted"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o444);
        fs::write(&own, vec![0; 1001]).unwrap();
        cache.adopt(hash(&[0; 1001]), &own).unwrap();
        assert!(!own.exists());
        let expected = CacheSummary {
            folder: folder.path().into(),
            limit_bytes: 1000,
            size_bytes: 7,
            file_count: 1,
            partial_count: 0,
        };
        // A wrong size is damage.
        assert_eq!(cache.summary(), expected);
    }

    #[test]
    fn a_change_through_any_name_is_noticed_and_damage_never_handed_out() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path(), 1000);
        put(&cache, b"good");
        let second = folder.path().join("second name");
        fs::hard_link(cache.blob(hash(b"good")), &second).unwrap();
        fs::set_permissions(&second, fs::Permissions::from_mode(0o644)).unwrap();
        // Written anew, to the same: read once more, and then trusted again.
        fs::write(&second, "good").unwrap();
        assert!(!is_stamped(&fs::metadata(&second).unwrap(), hash(b"good")));
        assert_eq!(read(&cache, b"good").as_deref(), Some(&b"good"[..]));
        assert!(is_stamped(&fs::metadata(&second).unwrap(), hash(b"good")));
        fs::write(&second, "evil").unwrap();
        assert_eq!(read(&cache, b"good"), None);
        assert!(!cache.blob(hash(b"good")).exists());

        put(&cache, b"good");
        let blob = cache.blob(hash(b"good"));
        fs::set_permissions(&blob, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&blob, "evil").unwrap();
        // Damage of the disk changes no time.
        stamp(&File::open(&blob).unwrap(), hash(b"good"));
        put(&cache, b"other");
        assert_eq!(cache.verify(|_, _| true).unwrap(), CacheVerification { good_count: 1, damaged_count: 1 });
        assert!(!blob.exists());
        std::os::unix::fs::symlink(cache.blob(hash(b"other")), &blob).unwrap();
        assert_eq!(read(&cache, b"good"), None);
    }

    #[test]
    fn what_was_not_asked_for_the_longest_goes_first_and_what_is_in_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path(), 1000);
        let contents = [b"aaaa", b"bbbb", b"cccc", b"dddd"];
        for (index, bytes) in contents.iter().enumerate() {
            put(&cache, *bytes);
            age(&cache, *bytes, 100 - index as u64);
        }
        read(&cache, b"aaaa").unwrap();
        let Ok(Begun::Partial(partial)) = cache.begin(hash(b"being fetched")) else { panic!("it is free") };
        let held = cache.get(hash(b"bbbb"), 4).unwrap();
        age(&cache, b"bbbb", 99);
        let expected = CacheCleaning { removed_count: 2, removed_bytes: 8, size_bytes: 8, busy_count: 1 };
        assert_eq!(cache.clean(8).unwrap(), expected);
        let left: Vec<bool> = contents.iter().map(|bytes| cache.blob(hash(*bytes)).exists()).collect();
        assert_eq!(left, [true, true, false, false]);
        drop(held);
        let expected = CacheCleaning { removed_count: 2, removed_bytes: 8, size_bytes: 0, busy_count: 1 };
        assert_eq!(cache.clean(0).unwrap(), expected);
        drop(partial);
        assert_eq!(cache.clean(0).unwrap().removed_count, 1);
        assert_eq!(Cache::at(&folder.path().join("none"), 1).clean(0).unwrap(), CacheCleaning::default());
    }

    #[test]
    fn the_bound_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path(), 1000);
        for index in 0..30_u8 {
            put(&cache, &[index; 100]);
            age(&cache, &[index; 100], 1000 - u64::from(index));
            cache.settle();
            assert!(cache.files().iter().map(|file| file.size_bytes).sum::<u64>() <= 1000);
        }
        assert!(read(&cache, &[29; 100]).is_some());
        assert!(read(&cache, &[0; 100]).is_none());
    }

    #[test]
    fn one_fetches_and_who_was_cut_off_is_gone_on_from() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path(), 1000);
        let Ok(Begun::Partial(mut partial)) = cache.begin(hash(b"whole")) else { panic!("it is free") };
        partial.file.write_all(b"wh").unwrap();
        assert!(matches!(Cache::at(folder.path(), 1000).begin(hash(b"whole")), Ok(Begun::Busy)));
        drop(partial);
        let Ok(Begun::Partial(mut partial)) = cache.begin(hash(b"whole")) else { panic!("it is free again") };
        let mut found = String::new();
        partial.file.read_to_string(&mut found).unwrap();
        assert_eq!(found, "wh");
        partial.file.write_all(b"ole").unwrap();
        drop(cache.keep(partial).unwrap());
        assert_eq!(read(&cache, b"whole").as_deref(), Some(&b"whole"[..]));
    }

    #[test]
    fn sizes_are_read() {
        let cases = [("0", 0), ("50GB", 50_000_000_000), ("1.5 MiB", 1_572_864), ("10k", 10_000), ("7 b", 7)];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in ["", "GB", "-1", "1 XB", "1e30", "nan", "99999999999TB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
