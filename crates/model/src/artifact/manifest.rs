//! What a version consists of, and the digests that name it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5 as Md5Hasher};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use sha2::Sha256;

use super::lines::{ManifestBuilder, write_manifest_header, write_manifest_line};
use crate::{ContentHash, FilePath};

/// So many entries a manifest may have.
pub const MAX_MANIFEST_ENTRIES: usize = 10_000_000;

/// Longest URI of a reference, and longest digest of one, in bytes.
const MAX_URI_BYTES: usize = 4096;

/// Longest `extra` of a reference as JSON, in bytes.
const MAX_EXTRA_BYTES: usize = 4096;

/// What every manifest's digest begins with, so that a change of its making changes all digests. The field's clients have
/// this line, and equal content has equal digests everywhere.
const DIGEST_HEADER: &str = "wandb-artifact-manifest-v1\n";

/// A manifest that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidManifest(String);

impl InvalidManifest {
    pub(super) fn new(message: impl fmt::Display) -> Self {
        Self(message.to_string())
    }
}

/// MD5 of the content of a file; written in base64, as the field does. It names content among people who mean well: where
/// it matters, [`ContentHash`] does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Md5([u8; 16]);

impl Md5 {
    /// The digest with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Md5Hasher::digest(bytes).into())
    }
}

impl FromStr for Md5 {
    type Err = InvalidManifest;

    fn from_str(text: &str) -> Result<Self, InvalidManifest> {
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| InvalidManifest::new(format_args!("{text:?} is not an MD5 digest in base64")))
    }
}

impl TryFrom<String> for Md5 {
    type Error = InvalidManifest;

    fn try_from(text: String) -> Result<Self, InvalidManifest> {
        text.parse()
    }
}

impl From<Md5> for String {
    fn from(digest: Md5) -> String {
        digest.to_string()
    }
}

impl fmt::Display for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The digest of a whole manifest, MD5 in 32 lowercase hex digits: equal for equal paths and digests, whatever the
/// artifact's name, type and metadata.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ManifestDigest([u8; 16]);

impl ManifestDigest {
    /// The digest with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for ManifestDigest {
    type Err = InvalidManifest;

    fn from_str(text: &str) -> Result<Self, InvalidManifest> {
        let refused = || InvalidManifest::new(format_args!("digest {text:?} is not 32 lowercase hex digits"));
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(refused());
        }
        u128::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| refused())
    }
}

impl TryFrom<String> for ManifestDigest {
    type Error = InvalidManifest;

    fn try_from(text: String) -> Result<Self, InvalidManifest> {
        text.parse()
    }
}

impl From<ManifestDigest> for String {
    fn from(digest: ManifestDigest) -> String {
        digest.to_string()
    }
}

impl fmt::Display for ManifestDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for ManifestDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One path of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestEntry {
    /// Size; absent where nobody knows it, as of an object that was not looked at.
    pub size_bytes: Option<u64>,
    /// Where its bytes are.
    pub source: Source,
}

/// Where the bytes of an entry are.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// With the artifact.
    Stored {
        /// What the manifest's digest is made of.
        md5: Md5,
        /// What the bytes are found by.
        sha256: ContentHash,
    },
    /// Elsewhere.
    Reference {
        /// Where: `s3://bucket/key`, `file:///path`, ….
        uri: String,
        /// What changes with the content: an entity tag, an MD5, or the URI itself where nothing is known.
        digest: String,
        /// What else is known, such as the object's version.
        extra: Map<String, Json>,
    },
}

impl ManifestEntry {
    /// An entry with bytes of its own.
    pub fn stored(size_bytes: u64, md5: Md5, sha256: ContentHash) -> Self {
        Self { size_bytes: Some(size_bytes), source: Source::Stored { md5, sha256 } }
    }

    /// An entry with bytes elsewhere.
    pub fn reference(uri: String, digest: String, size_bytes: Option<u64>, extra: Map<String, Json>) -> Self {
        Self { size_bytes, source: Source::Reference { uri, digest, extra } }
    }

    /// What the manifest's digest is made of: the MD5 in base64, or the digest of the reference.
    pub fn digest(&self) -> String {
        match &self.source {
            Source::Stored { md5, .. } => md5.to_string(),
            Source::Reference { digest, .. } => digest.clone(),
        }
    }

    /// The hash of bytes that are with the artifact.
    pub fn sha256(&self) -> Option<ContentHash> {
        match &self.source {
            Source::Stored { sha256, .. } => Some(*sha256),
            Source::Reference { .. } => None,
        }
    }

    /// The URI of bytes that are elsewhere.
    pub fn uri(&self) -> Option<&str> {
        match &self.source {
            Source::Stored { .. } => None,
            Source::Reference { uri, .. } => Some(uri),
        }
    }

    /// Checks what its type does not.
    ///
    /// # Errors
    /// A part is too long, or could be taken for the end of an entry.
    pub fn check(&self) -> Result<(), InvalidManifest> {
        let Source::Reference { uri, digest, extra } = &self.source else { return Ok(()) };
        for (noun, text) in [("URI", uri), ("digest", digest)] {
            if text.is_empty() || text.len() > MAX_URI_BYTES || text.chars().any(char::is_control) {
                let shown: String = text.chars().take(80).collect();
                return Err(InvalidManifest::new(format_args!(
                    "the {noun} {shown:?} of a reference is empty, longer than {MAX_URI_BYTES} bytes or has control characters"
                )));
            }
        }
        let extra_bytes = serde_json::to_vec(extra).map_or(usize::MAX, |json| json.len());
        if extra_bytes > MAX_EXTRA_BYTES {
            return Err(InvalidManifest::new(format_args!("more than {MAX_EXTRA_BYTES} bytes are said of {uri:?}")));
        }
        Ok(())
    }
}

/// A manifest: entries by path. Paths are in the order of their bytes, and none is a folder of another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    entries: BTreeMap<FilePath, ManifestEntry>,
}

impl Manifest {
    /// The entries, by path.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&FilePath, &ManifestEntry)> {
        self.entries.iter()
    }

    /// The entry at a path.
    pub fn get(&self, path: &FilePath) -> Option<&ManifestEntry> {
        self.entries.get(path)
    }

    /// Sets the entry at a path; answers what was there.
    pub fn insert(&mut self, path: FilePath, entry: ManifestEntry) -> Option<ManifestEntry> {
        self.entries.insert(path, entry)
    }

    /// Takes the entry at a path out.
    pub fn remove(&mut self, path: &FilePath) -> Option<ManifestEntry> {
        self.entries.remove(path)
    }

    /// The entries below a folder, by path.
    pub fn below(&self, folder: &FilePath) -> impl Iterator<Item = (&FilePath, &ManifestEntry)> {
        let prefix = format!("{folder}/");
        let from = (Bound::Included(&*prefix), Bound::Unbounded);
        self.entries.range::<str, _>(from).take_while(move |(path, _)| path.as_str().starts_with(&prefix))
    }

    /// An entry that stands in the way of one at `path`: a file where it needs a folder, or below it. One at the path itself
    /// does not.
    pub fn in_the_way(&self, path: &FilePath) -> Option<&FilePath> {
        let text = path.as_str();
        let above = text.match_indices('/').find_map(|(end, _)| self.entries.get_key_value(&text[..end]));
        above.map(|(file, _)| file).or_else(|| self.below(path).next().map(|(file, _)| file))
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The sizes that are known, added up.
    pub fn size_bytes(&self) -> u64 {
        self.entries.values().filter_map(|entry| entry.size_bytes).fold(0, u64::saturating_add)
    }

    /// The digest that the field knows the content by: MD5 of a header line and `path:digest` lines by path.
    pub fn digest(&self) -> ManifestDigest {
        let mut builder = DigestBuilder::new();
        self.entries.iter().for_each(|(path, entry)| builder.add(path, entry));
        builder.finish().0
    }

    /// What the content is known by where it matters: as [`Self::digest`], with SHA-256 in place of MD5 in all places. Two
    /// contents with one digest but different bytes differ here.
    pub fn content_hash(&self) -> ContentHash {
        let mut builder = DigestBuilder::new();
        self.entries.iter().for_each(|(path, entry)| builder.add(path, entry));
        builder.finish().1
    }

    /// As JSON lines: a header, then an entry a line, by path. Equal manifests have equal bytes.
    pub fn to_json_lines(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        write_manifest_header(&mut lines);
        for (path, entry) in &self.entries {
            write_manifest_line(&mut lines, path, entry);
        }
        lines
    }

    /// Reads JSON lines whole.
    ///
    /// # Errors
    /// As [`ManifestBuilder::line`] and [`ManifestBuilder::finish`].
    pub fn from_json_lines(bytes: &[u8]) -> Result<Self, InvalidManifest> {
        let mut builder = ManifestBuilder::default();
        let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        lines.split(|byte| *byte == b'\n').try_for_each(|line| builder.line(line))?;
        builder.finish()
    }
}

impl FromIterator<(FilePath, ManifestEntry)> for Manifest {
    fn from_iter<T: IntoIterator<Item = (FilePath, ManifestEntry)>>(entries: T) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

/// Makes both digests, entry by entry.
pub(super) struct DigestBuilder {
    md5: Md5Hasher,
    sha256: Sha256,
}

impl DigestBuilder {
    pub(super) fn new() -> Self {
        Self { md5: Md5Hasher::new_with_prefix(DIGEST_HEADER), sha256: Sha256::new_with_prefix(DIGEST_HEADER) }
    }

    pub(super) fn add(&mut self, path: &FilePath, entry: &ManifestEntry) {
        let digest = entry.digest();
        self.md5.update(format!("{path}:{digest}\n"));
        match entry.sha256() {
            Some(sha256) => self.sha256.update(format!("{path}:{sha256}\n")),
            None => self.sha256.update(format!("{path}:{digest}\n")),
        }
    }

    pub(super) fn finish(self) -> (ManifestDigest, ContentHash) {
        (ManifestDigest(self.md5.finalize().into()), ContentHash::from_bytes(self.sha256.finalize().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE_HEADER: &str = r#"{"format":"steplog-manifest","version":1}"#;

    fn path(text: &str) -> FilePath {
        text.parse().unwrap()
    }

    fn stored(bytes: &[u8]) -> ManifestEntry {
        let sha256 = ContentHash::from_bytes(Sha256::digest(bytes).into());
        ManifestEntry::stored(bytes.len() as u64, Md5::of(bytes), sha256)
    }

    fn reference(uri: &str, digest: &str) -> ManifestEntry {
        ManifestEntry::reference(uri.into(), digest.into(), None, Map::new())
    }

    #[test]
    fn digests_are_those_of_the_field() {
        assert_eq!(Manifest::default().digest().to_string(), "64e7c61456b10382e2f3b571ac24b659");
        let one: Manifest = [(path("f.txt"), stored(b"x"))].into_iter().collect();
        assert_eq!(one.digest().to_string(), "b5bb294db471aca958bc8035648c5a99");
        assert_eq!(stored(b"x").digest(), "ndTkYSaMgDT1yFZOFVxnpg==");
    }

    #[test]
    fn contents_with_one_md5_are_told_apart() {
        let (x, mut other) = (stored(b"x"), stored(b"y"));
        let Source::Stored { md5, .. } = &mut other.source else { unreachable!() };
        *md5 = Md5::of(b"x");
        let manifest = |entry: ManifestEntry| Manifest::from_iter([(path("f.txt"), entry)]);
        assert_eq!(manifest(x.clone()).digest(), manifest(other.clone()).digest());
        assert_ne!(manifest(x).content_hash(), manifest(other).content_hash());
    }

    #[test]
    fn a_path_is_a_file_or_a_folder() {
        let manifest = Manifest::from_iter(["a/b/c", "a/b.txt", "a/bc", "d"].map(|text| (path(text), stored(b"x"))));
        let in_the_way = |text: &str| manifest.in_the_way(&path(text)).map(FilePath::as_str);
        assert_eq!(in_the_way("a"), Some("a/b.txt"));
        assert_eq!(in_the_way("a/b"), Some("a/b/c"));
        assert_eq!(in_the_way("d/e/f"), Some("d"));
        for free in ["a/b/c", "a/b/d", "a/b.txt", "e", "a/c/d"] {
            assert_eq!(in_the_way(free), None, "{free}");
        }
        let below: Vec<_> = manifest.below(&path("a/b")).map(|(path, _)| path.as_str()).collect();
        assert_eq!(below, ["a/b/c"]);
    }

    #[test]
    fn where_a_reference_leads_is_not_a_part_of_the_content() {
        let manifest = |uri: &str| Manifest::from_iter([(path("a"), reference(uri, "tag"))]);
        assert_eq!(manifest("s3://a/a").content_hash(), manifest("s3://b/a").content_hash());
    }

    #[test]
    fn lines_read_back() {
        let extra = Map::from_iter([("version_id".to_owned(), Json::from("1"))]);
        let manifest: Manifest = [
            (path("b/x y.txt"), stored(b"x")),
            (path("a"), ManifestEntry::reference("s3://b/a".into(), "tag".into(), Some(3), extra)),
            (path("b.c"), reference("scheme:thing", "scheme:thing")),
        ]
        .into_iter()
        .collect();
        let lines = manifest.to_json_lines();
        assert_eq!(
            String::from_utf8(lines.clone()).unwrap(),
            concat!(
                r#"{"format":"steplog-manifest","version":1}"#,
                "\n",
                r#"{"path":"a","size_bytes":3,"digest":"tag","reference":"s3://b/a","extra":{"version_id":"1"}}"#,
                "\n",
                r#"{"path":"b.c","digest":"scheme:thing","reference":"scheme:thing"}"#,
                "\n",
                r#"{"path":"b/x y.txt","size_bytes":1,"digest":"ndTkYSaMgDT1yFZOFVxnpg==","sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}"#,
                "\n",
            )
        );
        assert_eq!(Manifest::from_json_lines(&lines), Ok(manifest));
        let empty = Manifest::default();
        assert_eq!(Manifest::from_json_lines(&empty.to_json_lines()), Ok(empty));
    }

    #[test]
    fn lines_that_lie_are_refused() {
        let entry = |path: &str| format!(r#"{{"path":"{path}","digest":"d","reference":"s3://b/a"}}"#);
        let sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        for (lines, reason) in [
            (vec![entry("b"), entry("a")], r#"line 3: "a" does not come behind "b""#),
            (vec![entry("a"), entry("a")], r#"line 3: "a" does not come behind "a""#),
            (vec![entry("a"), entry("a.b"), entry("a/b/c")], r#"line 4: "a/b/c" is below "a", which is a file"#),
            (
                vec![r#"{"path":"a","digest":"d"}"#.into()],
                "line 2: an entry has either a size and a SHA-256, or a reference",
            ),
            (
                vec![format!(r#"{{"path":"a","digest":"d","size_bytes":1,"sha256":"{sha256}"}}"#)],
                r#"line 2: "d" is not an MD5 digest in base64"#,
            ),
        ] {
            let text = format!("{FILE_HEADER}\n{}\n", lines.join("\n"));
            assert_eq!(Manifest::from_json_lines(text.as_bytes()).unwrap_err().to_string(), reason);
        }
        for wrong in [entry("../a"), entry("/a"), entry("a\\u0000"), entry(&"a/".repeat(2000)), "{}".into(), "".into()]
        {
            let text = format!("{FILE_HEADER}\n{wrong}\n");
            assert!(Manifest::from_json_lines(text.as_bytes()).is_err(), "{wrong}");
        }
        assert!(Manifest::from_json_lines(b"").is_err());
        assert!(Manifest::from_json_lines(br#"{"version":1,"contents":{}}"#).is_err());
    }
}
