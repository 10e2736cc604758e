//! Where runs lie in a folder: `<root>/steplog/<project>/<run id>/journal/<stream id>/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use steplog_model::{Project, Record, RunId, RunStart, StreamId, path_segment};

use crate::reader::{JournalReader, ReadError};
use crate::stream::StreamDecoder;

/// Name of the folder below a run's that holds its journals.
const JOURNAL: &str = "journal";

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Where the run of a project lies below `root`, the folder named `steplog`.
    pub fn below(root: &Path, project: &Project, run: &RunId) -> Self {
        Self { path: root.join(path_segment(project.as_str())).join(path_segment(run.as_str())) }
    }

    /// The run whose folder this is.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of another run of the same project.
    pub fn sibling(&self, run: &RunId) -> Self {
        Self { path: self.path.with_file_name(path_segment(run.as_str())) }
    }

    /// The folder that the run calls `dir`.
    pub fn files(&self) -> PathBuf {
        self.path.join("files")
    }

    /// The folder of one of its journals.
    pub fn journal(&self, stream: StreamId) -> PathBuf {
        self.path.join(JOURNAL).join(stream.to_string())
    }

    /// Its journals; other files are passed over.
    ///
    /// # Errors
    /// The folder could not be read.
    pub fn streams(&self) -> io::Result<Vec<StreamId>> {
        let mut streams = Vec::new();
        for entry in fs::read_dir(self.path.join(JOURNAL))? {
            if let Some(stream) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
                streams.push(stream);
            }
        }
        streams.sort();
        Ok(streams)
    }

    /// What a journal says about its run; `None` while its first record is not there yet.
    ///
    /// # Errors
    /// The journal is damaged at its very beginning, or cannot be read.
    pub fn run_start(&self, stream: StreamId) -> Result<Option<RunStart>, ReadError> {
        let folder = self.journal(stream);
        let (reader, mut decoder) = (JournalReader::new(&folder), StreamDecoder::new(stream));
        // A read answers at least one frame, and the header counts as one: a long first record comes with the second.
        for _ in 0..2 {
            let chunk = reader.read(decoder.offset(), 4096)?;
            let mut first = None;
            let decoded = decoder.decode(&chunk.bytes, |record| {
                first.get_or_insert(record);
            });
            match (first, decoded) {
                (Some(Record::RunStart(start)), _) => return Ok(Some(*start)),
                (Some(_), _) => break,
                (None, Err(error)) => return Err(io::Error::other(format!("{error}: {}", folder.display())).into()),
                (None, Ok(_)) => {}
            }
        }
        Ok(None)
    }
}

/// The runs at and below a folder, which may be a run's, a project's, the one named `steplog`, or the one above it.
///
/// # Errors
/// The folder itself could not be read; folders below that cannot be read are passed over.
pub fn find_runs(folder: &Path) -> io::Result<Vec<RunFolder>> {
    fs::read_dir(folder)?;
    let mut runs = Vec::new();
    if is_run(folder) {
        runs.push(RunFolder { path: folder.to_owned() });
        return Ok(runs);
    }
    let roots = [folder.to_owned(), folder.join("steplog"), folder.join(".steplog")];
    for root in roots {
        for child in folders(&root) {
            if is_run(&child) {
                runs.push(RunFolder { path: child });
            } else {
                runs.extend(folders(&child).into_iter().filter(|path| is_run(path)).map(|path| RunFolder { path }));
            }
        }
    }
    runs.sort();
    runs.dedup();
    Ok(runs)
}

fn is_run(folder: &Path) -> bool {
    folder.join(JOURNAL).is_dir()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_from_every_level() {
        let root = tempfile::tempdir().unwrap();
        let project: Project = "digits v1".parse().unwrap();
        let run = RunFolder::below(&root.path().join("steplog"), &project, &"abc".parse().unwrap());
        fs::create_dir_all(run.journal(StreamId::from_bytes([7; 16]))).unwrap();
        fs::create_dir_all(run.files()).unwrap();
        for level in [
            root.path().to_owned(),
            root.path().join("steplog"),
            root.path().join("steplog/digits%20v1"),
            root.path().join("steplog/digits%20v1/abc"),
        ] {
            assert_eq!(find_runs(&level).unwrap(), vec![run.clone()], "{}", level.display());
        }
        assert_eq!(run.streams().unwrap(), vec![StreamId::from_bytes([7; 16])]);
        assert!(find_runs(&root.path().join("nowhere")).is_err());
    }
}
