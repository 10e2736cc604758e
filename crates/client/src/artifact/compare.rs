//! What is different between two versions.

use steplog_model::{FilePath, Manifest, ManifestEntry};

use super::handle::Artifact;
use crate::error::Error;

/// How two versions differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Paths that are not the same, by path.
    pub changes: Vec<Change>,
    /// How many are the same.
    pub unchanged_count: usize,
}

/// A path that is not the same in two versions: only one has it, or both with different content.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Path.
    pub path: FilePath,
    /// The entry of the old version.
    pub before: Option<ManifestEntry>,
    /// The entry of the new version.
    pub after: Option<ManifestEntry>,
}

impl Artifact {
    /// How this differs from an older version.
    ///
    /// # Errors
    /// A manifest cannot be had.
    pub fn compare(&self, before: &Self) -> Result<Comparison, Error> {
        Ok(compare(&*before.manifest()?, &*self.manifest()?))
    }
}

/// Both manifests are by path.
fn compare(before: &Manifest, after: &Manifest) -> Comparison {
    let mut comparison = Comparison::default();
    let (mut old, mut new) = (before.entries().peekable(), after.entries().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some((old, _)), Some((new, _))) => old.cmp(new),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return comparison,
        };
        let before = old.next_if(|_| order.is_le());
        let after = new.next_if(|_| order.is_ge());
        let is_same =
            matches!((before, after), (Some((_, before)), Some((_, after))) if has_same_content(before, after));
        if is_same {
            comparison.unchanged_count += 1;
        } else if let Some((path, _)) = before.or(after) {
            let entry = |found: Option<(&FilePath, &ManifestEntry)>| found.map(|(_, entry)| entry.clone());
            comparison.changes.push(Change { path: path.clone(), before: entry(before), after: entry(after) });
        }
    }
}

/// Two contents with one MD5 are not the same.
fn has_same_content(before: &ManifestEntry, after: &ManifestEntry) -> bool {
    match (before.sha256(), after.sha256()) {
        (Some(before), Some(after)) => before == after,
        (None, None) => before.digest() == after.digest(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn paths_that_are_not_the_same_are_named() {
        let entry = |digest: &str| ManifestEntry::reference("x:y".into(), digest.into(), None, Map::new());
        let manifest = |entries: &[(&str, &str)]| -> Manifest {
            entries.iter().map(|(path, digest)| (path.parse().unwrap(), entry(digest))).collect()
        };
        let before = manifest(&[("a", "1"), ("b", "1"), ("c/x", "1"), ("d", "1")]);
        let after = manifest(&[("0", "1"), ("b", "1"), ("c/x", "2"), ("e", "1")]);
        let change = |path: &str, before: Option<&str>, after: Option<&str>| Change {
            path: path.parse().unwrap(),
            before: before.map(entry),
            after: after.map(entry),
        };
        let changes = vec![
            change("0", None, Some("1")),
            change("a", Some("1"), None),
            change("c/x", Some("1"), Some("2")),
            change("d", Some("1"), None),
            change("e", None, Some("1")),
        ];
        assert_eq!(compare(&before, &after), Comparison { changes, unchanged_count: 1 });
        assert_eq!(compare(&before, &before), Comparison { changes: Vec::new(), unchanged_count: 4 });
    }
}
