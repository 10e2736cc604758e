//! What stores of objects in buckets have in common: how a URI becomes entries.

use steplog_model::{FilePath, ManifestEntry};

use super::{Known, ReferenceOptions, below, missing, unchecked};
use crate::error::{Error, ErrorKind};

/// A URI in parts. The version is one that was asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Location<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) version: Option<&'a str>,
}

impl<'a> Location<'a> {
    /// # Errors
    /// There is no bucket.
    pub(super) fn new(uri: &str, path: &'a str, version: Option<&'a str>) -> Result<Self, Error> {
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        if bucket.is_empty() {
            return Err(Error::invalid(format_args!("reference {uri:?} names no bucket")));
        }
        Ok(Self { bucket, key, version })
    }
}

/// A store of objects.
pub(super) trait Buckets {
    /// Scheme of its URIs.
    const SCHEME: &str;

    /// What is known of an object.
    fn look(&self, uri: &str, location: &Location<'_>) -> Result<Known, Error>;

    /// The objects whose keys begin with `folder`, by key; those that only mark a folder are none.
    ///
    /// # Errors
    /// There are more than `max_objects`, or the store refuses.
    fn list(&self, uri: &str, bucket: &str, folder: &str, max_objects: usize) -> Result<Vec<(String, Known)>, Error>;

    /// The entries that a URI stands for: one for an object, else one for each object below a folder.
    fn resolve_at(
        &self,
        uri: &str,
        location: &Location<'_>,
        options: &ReferenceOptions,
    ) -> Result<Vec<(FilePath, ManifestEntry)>, Error> {
        let Location { bucket, key, version } = *location;
        let name = options.name.as_deref();
        let path = key.trim_end_matches('/');
        if !options.checksum {
            return Ok(vec![unchecked(uri, name.unwrap_or(if path.is_empty() { bucket } else { path }))?]);
        }
        if !key.is_empty() && !key.ends_with('/') {
            match self.look(uri, location) {
                Ok(known) => {
                    let last = path.rsplit('/').next().unwrap_or_default();
                    return Ok(vec![(name.unwrap_or(last).parse()?, known.into_entry(uri.to_owned())?)]);
                }
                // No object, but there may be some below it.
                Err(error) if error.kind() == ErrorKind::NotFound && version.is_none() => {}
                Err(error) => return Err(error),
            }
        }
        let folder = if path.is_empty() { String::new() } else { format!("{path}/") };
        let objects = self.list(uri, bucket, &folder, options.max_objects)?;
        if objects.is_empty() {
            return Err(missing(uri, "neither an object nor a folder has this name"));
        }
        let target = super::folder(name)?;
        let entry = |(key, known): (String, Known)| {
            let name = below(target.as_ref(), key.strip_prefix(&folder).unwrap_or(&key))?;
            Ok((name, known.into_entry(format!("{}://{bucket}/{key}", Self::SCHEME))?))
        };
        objects.into_iter().map(entry).collect()
    }
}
