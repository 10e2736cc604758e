//! One file of a run.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use steplog_model::{ContentHash, FilePath, RunPath, path_segment};
use steplog_protocol::RunFile;

use super::connection::{Connection, Download};
use super::destination::{Destination, ExistingFile};
use super::run::address;
use crate::error::{Error, ErrorKind};

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// A file of a run, as it was when it was listed. What is read of it is what the server has then.
#[derive(Clone, Debug)]
pub struct File {
    connection: Arc<Connection>,
    run: RunPath,
    path: FilePath,
    info: RunFile,
}

impl File {
    pub(super) fn from_list(connection: Arc<Connection>, run: RunPath, info: RunFile) -> Result<Self, Error> {
        // What the server names becomes a path on this machine.
        let path = info.path.parse().map_err(|error| {
            Error::new(ErrorKind::Server, format!("what {} says of {run} is refused: {error}", connection.base_url()))
        })?;
        Ok(Self { connection, run, path, info })
    }

    /// Folders and name, joined by `/`. Unique in its run.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Size, hash, type and times.
    pub fn info(&self) -> &RunFile {
        &self.info
    }

    /// Where the server has its content; to be asked with the API key, where keys are needed.
    pub fn url(&self) -> String {
        self.connection.address(&self.address())
    }

    /// Its content as it comes. Nothing is checked; [`Self::read`] and [`Self::download_to`] do that.
    ///
    /// # Errors
    /// The file or its run is gone, or no server answers.
    pub fn open(&self) -> Result<Download, Error> {
        self.connection.download(&self.address())
    }

    /// Its content, when that has no more than `max_bytes`.
    ///
    /// # Errors
    /// It has more ([`ErrorKind::Invalid`]), it did not come whole, the file or its run is gone, or no server answers.
    pub fn read(&self, max_bytes: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.receive(|piece| {
            if piece.len() > max_bytes - bytes.len() {
                let path = &self.path;
                return Err(Error::invalid(format_args!("file {path} has more than {max_bytes} bytes: download it")));
            }
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Writes its content into `folder`, under its path, and answers where that is. Folders that are missing are made, and
    /// nothing is ever written outside of `folder`. The file has its name when all of it is there, with the size and the
    /// hash that the server says.
    ///
    /// # Errors
    /// A file stands there and is not to be kept or replaced ([`ErrorKind::Invalid`]), a link in `folder` leads out of it,
    /// the disk refuses, the content did not come whole, the file or its run is gone, or no server answers.
    pub fn download_to(&self, folder: impl AsRef<Path>, existing: ExistingFile) -> Result<PathBuf, Error> {
        self.download_with_progress(folder, existing, |_| Ok(()))
    }

    /// As [`Self::download_to`], and tells again and again how many bytes are there. An error of `progress` ends the
    /// download and is answered.
    ///
    /// # Errors
    /// As for [`Self::download_to`], and those of `progress`.
    pub fn download_with_progress(
        &self,
        folder: impl AsRef<Path>,
        existing: ExistingFile,
        mut progress: impl FnMut(u64) -> Result<(), Error>,
    ) -> Result<PathBuf, Error> {
        let destination = Destination::below(folder.as_ref(), &self.path)?;
        if destination.is_taken() {
            match existing {
                ExistingFile::Replace => {}
                ExistingFile::Keep => return Ok(destination.into_target()),
                ExistingFile::Refuse => {
                    let target = destination.target().display();
                    let message = "is there already: say that it is to be replaced or kept, or name another folder";
                    return Err(Error::invalid(format_args!("the file {target} {message}")));
                }
            }
        }
        let mut part = destination.begin()?;
        let failed = |error| Error::io(error, format_args!("cannot write {}", destination.target().display()));
        let mut written_bytes = 0;
        self.receive(|piece| {
            part.write(piece).map_err(failed)?;
            written_bytes += piece.len() as u64;
            progress(written_bytes)
        })?;
        part.finish(destination.target()).map_err(failed)?;
        Ok(destination.into_target())
    }

    /// Removes it from the server. A run that goes on and has saved it sends it again when it changes.
    ///
    /// # Errors
    /// It is gone already, the server does not let us, or none answers.
    pub fn delete(self) -> Result<(), Error> {
        self.connection.delete(&self.address())
    }

    fn address(&self) -> String {
        let parts: Vec<String> = self.path.parts().map(path_segment).collect();
        format!("{}/files/{}", address(&self.run), parts.join("/"))
    }

    /// Hands the content to `take`, piece by piece; an error at the end when they were not the whole.
    fn receive(&self, mut take: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let mut download = self.open()?;
        let mut piece = vec![0; PIECE_BYTES];
        let (mut received_bytes, mut hasher) = (0, Sha256::new());
        loop {
            match download.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => {
                    hasher.update(&piece[..count]);
                    received_bytes += count as u64;
                    take(&piece[..count])?;
                }
                // A signal came: whoever takes the pieces may have a look.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => take(&[])?,
                Err(error) => return Err(Error::new(ErrorKind::Server, error.to_string())),
            }
        }
        let has_size = download.size_bytes().is_none_or(|bytes| bytes == received_bytes);
        let has_hash = download.sha256().is_none_or(|hash| hash == ContentHash::from_bytes(hasher.finalize().into()));
        if !has_size || !has_hash {
            let (path, from) = (&self.path, self.connection.base_url());
            let message = format!("file {path} did not come whole from {from}: download it again");
            return Err(Error::new(ErrorKind::Server, message));
        }
        Ok(())
    }
}
