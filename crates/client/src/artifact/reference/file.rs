//! References to files of this machine, or of a disk that several machines have: `file://`.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5 as Hasher};
use percent_encoding::percent_decode_str;
use serde_json::Map;
use steplog_model::{FilePath, ManifestEntry, Md5};

use super::parallel::in_parallel;
use super::{Known, ReferenceOptions, Take, changed, entry, folder, missing, too_many};
use crate::artifact::tree;
use crate::error::Error;
use crate::files::Fingerprint;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 256 << 10;

pub(super) fn resolve(
    uri: &str,
    rest: &str,
    options: &ReferenceOptions,
) -> Result<Vec<(FilePath, ManifestEntry)>, Error> {
    let path = local_path(rest)?;
    let name = options.name.as_deref();
    let base = || path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // The folder that the script works in says nothing to who downloads.
    let whole = if rest.starts_with('/') { uri.to_owned() } else { to_uri(&path)? };
    if !options.checksum {
        let found = entry(whole, uri.to_owned(), None, Map::new())?;
        return Ok(vec![(name.unwrap_or(base()).parse()?, found)]);
    }
    let found = fs::metadata(&path).map_err(|error| unreadable(uri, error))?;
    if !found.is_dir() {
        return Ok(vec![(name.unwrap_or(base()).parse()?, look(&path, whole)?)]);
    }
    let files = tree::leaves(&path, folder(name)?.as_ref())?;
    if files.len() > options.max_objects {
        return Err(too_many(uri, options.max_objects));
    }
    in_parallel(&files, |file| Ok((file.path.clone(), look(&file.place, to_uri(&file.place)?)?)))
}

pub(super) fn fetch(uri: &str, rest: &str, known: &Known, take: Take<'_>) -> Result<(), Error> {
    let path = local_path(rest)?;
    let mut file = open(&path).map_err(|error| unreadable(uri, error))?;
    let size = file.metadata().map_err(|error| unreadable(uri, error))?.len();
    if let Some(expected) = known.size_bytes.filter(|expected| *expected != size) {
        return Err(changed(uri, format_args!("it has {size} bytes, not {expected}")));
    }
    let expected = known.digest.parse::<Md5>().ok();
    let mut hasher = Hasher::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                if expected.is_some() {
                    hasher.update(&piece[..count]);
                }
                take(&piece[..count])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => take(&[])?,
            Err(error) => return Err(unreadable(uri, error)),
        }
    }
    match expected {
        Some(expected) if Md5::from_bytes(hasher.finalize().into()) != expected => {
            Err(changed(uri, format_args!("its MD5 is not {expected}")))
        }
        _ => Ok(()),
    }
}

/// The path that a URI names: as it is written, as scripts do, or else with `%20` and the like resolved, as URIs are.
fn local_path(rest: &str) -> Result<PathBuf, Error> {
    let rest = rest.strip_prefix("localhost/").map_or(rest, |_| &rest["localhost".len()..]);
    if rest.is_empty() {
        return Err(Error::invalid("the reference \"file://\" names no file"));
    }
    #[cfg(windows)]
    let rest = rest.strip_prefix('/').filter(|rest| rest.get(1..2) == Some(":")).unwrap_or(rest);
    let written = std::path::absolute(rest).map_err(|error| Error::io(error, rest))?;
    let decoded = percent_decode_str(rest).decode_utf8().unwrap_or_default();
    if decoded == rest || written.symlink_metadata().is_ok() {
        return Ok(written);
    }
    let decoded = std::path::absolute(&*decoded).map_err(|error| Error::io(error, rest))?;
    Ok(if decoded.symlink_metadata().is_ok() { decoded } else { written })
}

fn to_uri(path: &Path) -> Result<String, Error> {
    let text = path.to_str().ok_or_else(|| Error::invalid(format_args!("file path {path:?} is not UTF-8")))?;
    Ok(if text.starts_with('/') { format!("file://{text}") } else { format!("file:///{text}") })
}

/// The entry of a plain file.
fn look(path: &Path, uri: String) -> Result<ManifestEntry, Error> {
    let (md5, size_bytes) = digest(path).map_err(|error| unreadable(&uri, error))?;
    Known { digest: md5.to_string(), size_bytes: Some(size_bytes), extra: Map::new() }.into_entry(uri)
}

fn digest(path: &Path) -> io::Result<(Md5, u64)> {
    let mut file = open(path)?;
    let before = Fingerprint::of(&file.metadata()?);
    let mut hasher = Hasher::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => hasher.update(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if Fingerprint::of(&file.metadata()?) != before {
        return Err(io::Error::other("it is written while it is read: reference it when it is done"));
    }
    Ok((Md5::from_bytes(hasher.finalize().into()), before.size_bytes))
}

/// Opens a plain file to read it; a pipe without a writer is not waited for.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.read(true).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a plain file")) }
}

fn unreadable(uri: &str, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => missing(uri, error),
        _ => Error::io(error, format_args!("{uri} cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::artifact::reference::{References, shown};
    use crate::error::ErrorKind;

    /// Paths, sizes and digests.
    fn resolve(uri: &str, options: &ReferenceOptions) -> Result<Vec<(String, ManifestEntry)>, Error> {
        let found = References::new().resolve(uri, options)?;
        Ok(found.into_iter().map(|(path, entry)| (path.to_string(), entry)).collect())
    }

    fn fetch(entry: &ManifestEntry) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        References::new().fetch(entry, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    fn expected(path: &Path, content: &[u8]) -> ManifestEntry {
        let uri = format!("file://{}", path.display());
        ManifestEntry::reference(uri, Md5::of(content).to_string(), Some(content.len() as u64), Map::new())
    }

    #[test]
    fn a_file_is_known_by_its_content_and_a_change_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a%20b ü.txt");
        fs::write(&path, "first").unwrap();
        let uri = format!("file://{}", path.display());
        let entry = expected(&path, b"first");
        assert_eq!(resolve(&uri, &ReferenceOptions::default()).unwrap(), [("a%20b ü.txt".into(), entry.clone())]);
        assert_eq!(fetch(&entry).unwrap(), b"first");

        fs::write(&path, "other").unwrap();
        let error = fetch(&entry).unwrap_err();
        let message = format!(
            "{uri} has changed since it was referenced: its MD5 is not {}\nhint: log a new version that references what is \
             there now, or restore the object",
            Md5::of(b"first")
        );
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Data, message));
        fs::write(&path, "longer").unwrap();
        assert!(fetch(&entry).unwrap_err().to_string().contains(": it has 6 bytes, not 5\n"));
        fs::remove_file(&path).unwrap();
        assert_eq!(fetch(&entry).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(resolve(&uri, &ReferenceOptions::default()).unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn a_uri_may_be_encoded_as_uris_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b.txt");
        fs::write(&path, "x").unwrap();
        let uri = format!("file://localhost{}/a%20b.txt", folder.path().display());
        let found = resolve(&uri, &ReferenceOptions::default()).unwrap();
        assert_eq!((&*found[0].0, fetch(&found[0].1).unwrap()), ("a b.txt", b"x".to_vec()));
    }

    #[test]
    fn a_folder_stands_for_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("data");
        fs::create_dir_all(root.join("b/c")).unwrap();
        for name in ["a.txt", "b/c/d.txt", "b/e.txt"] {
            fs::write(root.join(name), name).unwrap();
        }
        let uri = format!("file://{}/", root.display());
        let entry = |name: &str| expected(&root.join(name), name.as_bytes());
        let plain = resolve(&uri, &ReferenceOptions::default()).unwrap();
        let names = ["a.txt", "b/c/d.txt", "b/e.txt"];
        assert_eq!(plain, names.map(|name| (name.to_owned(), entry(name))));
        let below = ReferenceOptions { name: Some("x/y".into()), ..ReferenceOptions::default() };
        assert_eq!(resolve(&uri, &below).unwrap(), names.map(|name| (format!("x/y/{name}"), entry(name))));

        let few = ReferenceOptions { max_objects: 2, ..ReferenceOptions::default() };
        let message = format!("there are more than 2 objects at {uri}: name fewer, or allow more with max_objects");
        assert_eq!(resolve(&uri, &few).unwrap_err().to_string(), message);
        symlink("..", root.join("b/loop")).unwrap();
        let error = resolve(&uri, &ReferenceOptions::default()).unwrap_err();
        assert!(error.to_string().contains("b/loop"), "{error}");
    }

    #[test]
    fn what_is_not_looked_at_need_not_be_there() {
        let options = ReferenceOptions { checksum: false, ..ReferenceOptions::default() };
        let uri = "file:///nowhere/x.bin";
        let unchecked = ManifestEntry::reference(uri.into(), uri.into(), None, Map::new());
        assert_eq!(resolve(uri, &options).unwrap(), [("x.bin".into(), unchecked.clone())]);
        assert_eq!(fetch(&unchecked).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(resolve("file://", &options).is_err());
    }

    #[test]
    fn only_plain_files_are_read() {
        for uri in ["file:///dev/null", "file:///dev/zero"] {
            let error = resolve(uri, &ReferenceOptions::default()).unwrap_err();
            assert_eq!(error.to_string(), format!("{} cannot be read: it is not a plain file", shown(uri)));
        }
    }
}
