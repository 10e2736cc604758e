//! The Python packages that a script can import, told by the names of folders: nothing is opened, which on a cluster's file
//! system would take seconds, and no interpreter is asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// More are not kept.
const MOST_PACKAGES: usize = 10_000;
const LONGEST_NAME: usize = 200;

/// Versions by name, written as package indexes compare them: `typing-extensions`. Of several of one name the one counts
/// that is imported, that is the first.
pub(crate) fn installed(folders: &[PathBuf]) -> BTreeMap<String, String> {
    let mut packages = BTreeMap::new();
    for folder in folders {
        let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let Some((name, version)) = name.to_str().and_then(|name| package(folder, name)) else { continue };
            let is_short = name.len() <= LONGEST_NAME && version.len() <= LONGEST_NAME;
            if is_short && packages.len() < MOST_PACKAGES {
                packages.entry(name).or_insert(version);
            }
        }
    }
    packages
}

/// As `pip install -r` reads them.
pub(crate) fn requirements(packages: &BTreeMap<String, String>) -> String {
    packages.iter().fold(String::new(), |mut text, (name, version)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}=={version}");
        text
    })
}

/// Name and version of the package that `entry` tells of: `name-version.dist-info`, `name-version[-pyX.Y].egg-info`, or
/// `name.egg-info` of one that is being worked on, which has its version inside.
fn package(folder: &Path, entry: &str) -> Option<(String, String)> {
    if let Some(stem) = entry.strip_suffix(".dist-info") {
        let (name, version) = stem.rsplit_once('-')?;
        return Some((canonical(name), clean(version)?));
    }
    let stem = entry.strip_suffix(".egg-info")?;
    let stem = stem.rsplit_once("-py").map_or(stem, |(stem, _)| stem);
    if let Some((name, version)) = stem.rsplit_once('-') {
        return Some((canonical(name), clean(version)?));
    }
    let about = std::fs::read(folder.join(entry).join("PKG-INFO")).ok()?;
    let about = String::from_utf8_lossy(&about);
    let version = about.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix("Version:"))?;
    Some((canonical(stem), clean(version.trim())?))
}

/// A version, if it can be one.
fn clean(version: &str) -> Option<String> {
    let is_version =
        !version.is_empty() && version.chars().all(|each| each.is_ascii_alphanumeric() || ".+!_~".contains(each));
    is_version.then(|| version.to_owned())
}

/// Small letters, and one `-` for each run of `-`, `_` and `.`.
fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if canonical.ends_with('-') => {}
            '-' | '_' | '.' => canonical.push('-'),
            _ => canonical.extend(character.to_lowercase()),
        }
    }
    canonical
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_with_a_package_counts() {
        let home = tempfile::tempdir().unwrap();
        let (first, second) = (home.path().join("a"), home.path().join("b"));
        for name in [
            "a/torch-2.9.0+cpu.dist-info",
            "a/Flask_SQL..Alchemy-3.0.dist-info",
            "a/torch",
            "a/broken.dist-info",
            "a/evil-1.0\n--index-url x.dist-info",
            "a/mine.egg-info",
            "b/torch-1.0.dist-info",
            "b/old-0.1-py3.11.egg-info",
            "b/older-0.2.egg-info",
        ] {
            std::fs::create_dir_all(home.path().join(name)).unwrap();
        }
        std::fs::write(first.join("mine.egg-info/PKG-INFO"), "Name: mine\nVersion: 7.1\n\nVersion: 8\n").unwrap();
        let packages = installed(&[first, home.path().join("nowhere"), second]);
        let lines = "flask-sql-alchemy==3.0\nmine==7.1\nold==0.1\nolder==0.2\ntorch==2.9.0+cpu\n";
        assert_eq!(requirements(&packages), lines);
    }
}
