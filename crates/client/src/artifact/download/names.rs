//! Names of a version that a disk cannot tell apart.

use std::collections::HashMap;

use steplog_model::{FilePath, Manifest};

use super::folder::Folder;
use crate::error::Error;

/// Refuses a version that cannot stand in the folder, before anything is written.
pub(super) fn check(folder: &Folder, manifest: &Manifest) -> Result<(), Error> {
    let is_folding = folder
        .folds_case()
        .map_err(|error| Error::io(error, format_args!("cannot write into {}", folder.path().display())))?;
    match if is_folding { case_twins(manifest) } else { None } {
        Some((first, second)) => Err(Error::invalid(format_args!(
            "{first:?} and {second:?} of the version are one name in {}: name a folder on a disk that tells upper and lower \
             case apart, or download one of them with path_prefix",
            folder.path().display()
        ))),
        None => Ok(()),
    }
}

/// Two paths, or a path and the folder of another, that differ in upper and lower case only.
fn case_twins(manifest: &Manifest) -> Option<(FilePath, FilePath)> {
    let mut seen = HashMap::<String, (&FilePath, bool)>::new();
    for (path, _) in manifest.entries() {
        let text = path.as_str();
        let ends = text.match_indices('/').map(|(end, _)| (end, false)).chain([(text.len(), true)]);
        for (end, is_file) in ends {
            let part = &text[..end];
            match seen.get(&part.to_lowercase()) {
                // Folders are told apart by nobody, and what is in them still is: one may stand for both.
                Some((other, was_file)) if is_file || *was_file => return Some(((*other).clone(), path.clone())),
                Some(_) => {}
                None => drop(seen.insert(part.to_lowercase(), (path, is_file))),
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::Map;
    use steplog_model::ManifestEntry;

    use super::*;

    #[test]
    fn names_that_differ_in_case_only_are_found() {
        let twins = |paths: &[&str]| {
            let entry = || ManifestEntry::reference("x:y".into(), "d".into(), None, Map::new());
            let manifest = paths.iter().map(|path| (path.parse().unwrap(), entry())).collect();
            case_twins(&manifest).map(|(first, second)| (first.to_string(), second.to_string()))
        };
        let pair = |first: &str, second: &str| Some((first.to_owned(), second.to_owned()));
        assert_eq!(twins(&["a.txt", "A.TXT"]), pair("A.TXT", "a.txt"));
        assert_eq!(twins(&["b/Ä", "B/ä"]), pair("B/ä", "b/Ä"));
        assert_eq!(twins(&["data/x", "Data"]), pair("Data", "data/x"));
        assert_eq!(twins(&["A/x", "a/y", "a/z", "b"]), None);
    }
}
