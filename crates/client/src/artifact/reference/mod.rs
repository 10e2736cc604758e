//! References: entries of an artifact whose bytes stay where they are.
//!
//! A reference is resolved once, when it is added: what is at its URI is looked at, and what tells its content apart is
//! noted. When it is fetched, the content must still be that.

mod bucket;
mod file;
mod gs;
mod http;
mod ini;
mod parallel;
mod receive;
mod s3;
mod web;

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use steplog_model::{FilePath, ManifestEntry, Source};

use crate::error::{Error, ErrorKind};
use web::Web;

/// How many objects one reference may stand for, unless another number is named.
pub const DEFAULT_MAX_OBJECTS: usize = 10_000;

/// How [`crate::Artifact::add_reference`] looks at what a URI names.
#[derive(Clone, Debug)]
pub struct ReferenceOptions {
    /// Path in the artifact: of the object, or of the folder that objects are put below. Default: the last part of the URI
    /// for an object, the artifact's root for a folder.
    pub name: Option<String>,
    /// Whether the objects are looked at, so that a change is noticed. Without, the URI stands for the content. Default: yes.
    pub checksum: bool,
    /// How many objects the URI may stand for at most. Default: [`DEFAULT_MAX_OBJECTS`].
    pub max_objects: usize,
}

impl Default for ReferenceOptions {
    fn default() -> Self {
        Self { name: None, checksum: true, max_objects: DEFAULT_MAX_OBJECTS }
    }
}

/// Takes the bytes of an object, piece by piece. An empty piece asks whether to go on.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Error>;

/// What is known of an object: which bytes it has, and of which version they are.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    digest: String,
    size_bytes: Option<u64>,
    extra: Map<String, Json>,
}

impl Known {
    fn into_entry(self, uri: String) -> Result<ManifestEntry, Error> {
        entry(uri, self.digest, self.size_bytes, self.extra)
    }

    /// A member of `extra`, as text.
    fn text(&self, name: &str) -> Option<String> {
        match self.extra.get(name)? {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// Variables of the environment, by name; empty ones count as unset.
type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Who resolves and fetches references. Accounts of clouds are looked for when they are first needed, and connections are
/// kept: one of these serves many references, from many threads.
pub(crate) struct References {
    web: Arc<Web>,
    s3: s3::S3,
    gs: gs::Gs,
}

impl References {
    /// With what the environment says of accounts.
    pub(crate) fn new() -> Self {
        Self::with_variables(Arc::new(|name| std::env::var(name).ok().filter(|value| !value.is_empty())))
    }

    fn with_variables(variables: Variables) -> Self {
        let web = Arc::new(Web::new());
        Self { s3: s3::S3::new(web.clone(), variables.clone()), gs: gs::Gs::new(web.clone(), variables), web }
    }

    /// The entries that a URI stands for: one for an object, one for each object of a folder.
    ///
    /// # Errors
    /// The URI or the name is none, there is nothing or too much at it, or its place does not answer.
    pub(crate) fn resolve(
        &self,
        uri: &str,
        options: &ReferenceOptions,
    ) -> Result<Vec<(FilePath, ManifestEntry)>, Error> {
        let Some((scheme, rest)) = split_scheme(uri) else {
            let message = "has no scheme: write file://, http://, https://, s3://, gs:// or another one before it";
            return Err(Error::invalid(format_args!("reference {:?} {message}", shown(uri))));
        };
        let name = options.name.as_deref();
        let resolved = match &*scheme {
            "file" => file::resolve(uri, rest, options),
            "http" | "https" => http::resolve(&self.web, uri, options).map(|found| vec![found]),
            "s3" => self.s3.resolve(uri, rest, options),
            "gs" => self.gs.resolve(uri, rest, options),
            _ => match name {
                Some(name) => unchecked(uri, name).map(|found| vec![found]),
                None => Err(Error::invalid(format_args!(
                    "references of scheme {scheme:?} are not looked at, so give {:?} a name in the artifact",
                    shown(uri)
                ))),
            },
        };
        // Whoever adds something that is not there has named the wrong thing.
        resolved.map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::invalid(error),
            _ => error,
        })
    }

    /// Hands out the bytes of an entry that is a reference. They are what was referenced when this ends without an error,
    /// and not before.
    ///
    /// # Errors
    /// The object is not there ([`ErrorKind::NotFound`]), is not what was referenced ([`ErrorKind::Data`]), cannot be
    /// fetched because nobody knows how, or its place does not answer; and those of `take`.
    pub(crate) fn fetch(&self, entry: &ManifestEntry, take: Take<'_>) -> Result<(), Error> {
        let Source::Reference { uri, digest, extra } = &entry.source else {
            return Err(Error::usage("an entry with bytes of its own is no reference"));
        };
        let known = Known { digest: digest.clone(), size_bytes: entry.size_bytes, extra: extra.clone() };
        match split_scheme(uri) {
            Some((scheme, rest)) if scheme == "file" => file::fetch(uri, rest, &known, take),
            Some((scheme, _)) if scheme == "http" || scheme == "https" => http::fetch(&self.web, uri, &known, take),
            Some((scheme, rest)) if scheme == "s3" => self.s3.fetch(uri, rest, &known, take),
            Some((scheme, rest)) if scheme == "gs" => self.gs.fetch(uri, rest, &known, take),
            _ => Err(Error::usage(format_args!(
                "nobody here knows how to fetch {:?}: leave it out with path_prefix, or fetch it yourself",
                shown(uri)
            ))),
        }
    }
}

/// The entries that a URI stands for, each with its path in the artifact. Accounts come from the environment.
///
/// # Errors
/// As [`References::resolve`].
pub(crate) fn resolve(uri: &str, options: &ReferenceOptions) -> Result<Vec<(FilePath, ManifestEntry)>, Error> {
    References::new().resolve(uri, options)
}

fn entry(
    uri: String,
    digest: String,
    size_bytes: Option<u64>,
    extra: Map<String, Json>,
) -> Result<ManifestEntry, Error> {
    let entry = ManifestEntry::reference(uri, digest, size_bytes, extra);
    entry.check().map_err(Error::invalid)?;
    Ok(entry)
}

/// An entry for what is not looked at.
fn unchecked(uri: &str, name: &str) -> Result<(FilePath, ManifestEntry), Error> {
    Ok((name.parse()?, entry(uri.to_owned(), uri.to_owned(), None, Map::new())?))
}

/// The folder of the artifact that a name stands for; none for its root.
fn folder(name: Option<&str>) -> Result<Option<FilePath>, Error> {
    match name.map(|name| name.trim_end_matches('/')) {
        None | Some("" | ".") => Ok(None),
        Some(name) => Ok(Some(name.parse()?)),
    }
}

/// The path of an object that stands below a folder of the artifact.
fn below(folder: Option<&FilePath>, path: &str) -> Result<FilePath, Error> {
    match folder {
        Some(folder) => Ok(format!("{folder}/{path}").parse()?),
        None => Ok(path.parse()?),
    }
}

/// The scheme, lowercase, and what comes behind `:` and `//`. A single letter is a drive.
fn split_scheme(uri: &str) -> Option<(String, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_scheme.then(|| (scheme.to_lowercase(), rest.strip_prefix("//").unwrap_or(rest)))
}

/// A URI as messages may show it: neither accounts nor queries, which may be keys.
fn shown(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://").filter(|(scheme, _)| !scheme.eq_ignore_ascii_case("file")) else {
        return uri.to_owned();
    };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let path = match path.find(['?', '#']) {
        Some(end) => format!("{}?…", &path[..end]),
        None => path.to_owned(),
    };
    format!("{scheme}://{host}{path}")
}

/// The error for an object that is another one now.
fn changed(uri: &str, what: impl std::fmt::Display) -> Error {
    let hint = "log a new version that references what is there now, or restore the object";
    Error::new(ErrorKind::Data, format!("{} has changed since it was referenced: {what}\nhint: {hint}", shown(uri)))
}

fn missing(uri: &str, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is nothing at {}: {what}", shown(uri)))
}

fn too_many(uri: &str, max_objects: usize) -> Error {
    Error::invalid(format_args!(
        "there are more than {max_objects} objects at {}: name fewer, or allow more with max_objects",
        shown(uri)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references() -> References {
        References::with_variables(Arc::new(|_| None))
    }

    #[test]
    fn any_scheme_with_a_name_is_kept_as_it_is() {
        let options = ReferenceOptions { name: Some("a/b".into()), ..ReferenceOptions::default() };
        for uri in ["hdfs://name:9000/x?y", "scheme:thing", "WEIRD+1://x"] {
            let expected = ManifestEntry::reference(uri.into(), uri.into(), None, Map::new());
            assert_eq!(references().resolve(uri, &options).unwrap(), [("a/b".parse().unwrap(), expected.clone())]);
            let error = references().fetch(&expected, &mut |_| Ok(())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
        for (uri, message) in [
            (
                "hdfs://user:secret@host/x?key=secret",
                "references of scheme \"hdfs\" are not looked at, so give \"hdfs://host/x?…\" a name in the artifact",
            ),
            (
                "/some/path",
                "reference \"/some/path\" has no scheme: write file://, http://, https://, s3://, gs:// or another one before it",
            ),
            (
                "C:\\x",
                "reference \"C:\\\\x\" has no scheme: write file://, http://, https://, s3://, gs:// or another one before it",
            ),
        ] {
            let error = references().resolve(uri, &ReferenceOptions::default()).unwrap_err();
            assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::Invalid, message));
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../a", "/a", "a//b", "a\\b", ""] {
            let options = ReferenceOptions { name: Some(name.into()), ..ReferenceOptions::default() };
            assert_eq!(references().resolve("x://y", &options).unwrap_err().kind(), ErrorKind::Invalid, "{name:?}");
        }
    }

    #[test]
    fn neither_accounts_nor_queries_are_shown() {
        for (uri, expected) in [
            ("https://ada:pw@host:1/a/b?X-Amz-Signature=1#f", "https://host:1/a/b?…"),
            ("https://host?key", "https://host?…"),
            ("s3://bucket/a@b", "s3://bucket/a@b"),
            ("file:///a?b", "file:///a?b"),
        ] {
            assert_eq!(shown(uri), expected);
        }
    }
}
