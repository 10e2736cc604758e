//! One file of a run.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use steplog_model::{ContentHash, FilePath, RunPath, path_segment};
use steplog_protocol::RunFile;

use super::connection::{Connection, Download, PAUSES};
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

    /// Hands the content to `take`, piece by piece; an error at the end when they were not the whole. A connection that
    /// breaks off, or from which nothing comes any more, is followed by another one for the rest.
    fn receive(&self, mut take: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let address = self.address();
        let mut download = self.connection.download_from(&address, 0, None)?.expect("any content is as asked");
        let (whole_bytes, whole_hash) = (download.size_bytes(), download.sha256());
        let tag = download.tag().map(str::to_owned);
        let mut piece = vec![0; PIECE_BYTES];
        let (mut received_bytes, mut hasher) = (0, Sha256::new());
        let mut pauses = PAUSES.iter();
        let mut resumed_at = 0;
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
                Err(error) => {
                    let mut broke_off = Error::new(ErrorKind::Server, error.to_string());
                    let Some(tag) = &tag else { return Err(broke_off) };
                    if received_bytes > resumed_at {
                        (pauses, resumed_at) = (PAUSES.iter(), received_bytes);
                    }
                    download = loop {
                        let Some(pause) = pauses.next() else { return Err(broke_off) };
                        wait(*pause, &mut take)?;
                        match self.connection.download_from(&address, received_bytes, Some(tag)) {
                            Ok(Some(rest)) => break rest,
                            Ok(None) => return Err(self.not_whole()),
                            Err(error) if error.kind() == ErrorKind::Server => broke_off = error,
                            Err(error) => return Err(error),
                        }
                    };
                }
            }
        }
        let has_size = whole_bytes.is_none_or(|bytes| bytes == received_bytes);
        let has_hash = whole_hash.is_none_or(|hash| hash == ContentHash::from_bytes(hasher.finalize().into()));
        if !has_size || !has_hash {
            return Err(self.not_whole());
        }
        Ok(())
    }

    fn not_whole(&self) -> Error {
        let (path, from) = (&self.path, self.connection.base_url());
        Error::new(ErrorKind::Server, format!("file {path} did not come whole from {from}: download it again"))
    }
}

/// Waits, and asks again and again whether to go on.
fn wait(pause: Duration, take: &mut impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
    let until = Instant::now() + pause;
    loop {
        take(&[])?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(Duration::from_millis(50)));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;
    use crate::api::{Api, ApiSettings};

    /// A server that gives these answers, one on each connection, and then what it was asked.
    fn server(answers: Vec<String>) -> (Api, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = Some(format!("http://{}", listener.local_addr().unwrap()));
        let asked = thread::spawn(move || {
            let answer = |answer: String| {
                let mut connection = BufReader::new(listener.accept().unwrap().0);
                let head: Vec<String> =
                    connection.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
                connection.get_mut().write_all(answer.as_bytes()).unwrap();
                let ranges = head.iter().filter(|line| line.starts_with("range:") || line.starts_with("if-range:"));
                ranges.fold(head[0].clone(), |asked, line| format!("{asked}, {line}"))
            };
            answers.into_iter().map(answer).collect()
        });
        (Api::with_settings(ApiSettings { base_url, ..ApiSettings::default() }).unwrap(), asked)
    }

    fn answer(headers: &str, body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
    }

    fn page(paths: &[&str], next_cursor: &str) -> String {
        let file = |path: &&str| {
            format!(
                r#"{{"path":"{path}","size_bytes":4,"sha256":null,"media_type":"text/plain","policy":"live",
                "modified_at":null,"updated_at":0.5}}"#
            )
        };
        let files: Vec<String> = paths.iter().map(file).collect();
        answer("", &format!(r#"{{"files":[{}],"next_cursor":{next_cursor}}}"#, files.join(",")))
    }

    fn run(api: &Api) -> crate::api::Run {
        let values = serde_json::json!({
            "entity": "ada", "project": "p", "id": "a", "name": "n", "state": "finished", "tags": [], "notes": null,
            "group": null, "job_type": null, "created_at": 0.5, "updated_at": 1.0, "finished_at": null,
            "duration": 2.0, "exit_code": 0, "last_step": null, "row_count": 0, "key_count": 0, "preempting": false,
            "sweep_id": null
        });
        crate::api::Run::from_list(api.connection.clone(), serde_json::from_value(values).unwrap()).unwrap()
    }

    #[test]
    fn pages_follow_each_other_and_one_may_be_empty() {
        let answers = vec![page(&["d/a b"], "\"c 1\""), page(&[], "\"c2\""), page(&["d/c"], "null")];
        let (api, asked) = server(answers);
        let files: Vec<File> = run(&api).files(Some("d/")).per_page(1).collect::<Result<_, _>>().unwrap();
        assert_eq!(files.iter().map(File::path).collect::<Vec<_>>(), ["d/a b", "d/c"]);
        assert_eq!(files[0].url(), format!("{}/api/v1/runs/ada/p/a/files/d/a%20b", api.base_url()));
        assert_eq!(
            asked.join().unwrap(),
            [
                "GET /api/v1/runs/ada/p/a/files?limit=1&prefix=d%2F HTTP/1.1",
                "GET /api/v1/runs/ada/p/a/files?limit=1&prefix=d%2F&cursor=c%201 HTTP/1.1",
                "GET /api/v1/runs/ada/p/a/files?limit=1&prefix=d%2F&cursor=c2 HTTP/1.1",
            ]
        );
    }

    #[test]
    fn no_more_is_read_than_allowed() {
        let (api, asked) = server(vec![page(&["x"], "null"), answer("", "four"), answer("", "four"), answer("", "")]);
        let file = run(&api).file("x").unwrap();
        assert_eq!(file.read(4).unwrap(), b"four");
        let error = file.read(3).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.to_string(), "file x has more than 3 bytes: download it");
        assert_eq!(file.read(0).unwrap(), b"");
        asked.join().unwrap();
    }

    #[test]
    fn a_download_that_breaks_off_goes_on_where_it_stood() {
        let hash = ContentHash::from_bytes(Sha256::digest(b"0123456789").into());
        let cut = |status: &str, length: usize, body: &str| {
            format!(
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\netag: \"{hash}\"\r\n\r\n{body}"
            )
        };
        let answers = vec![
            page(&["x"], "null"),
            cut("200 OK", 10, "012"),
            cut("206 Partial Content", 7, "3456"),
            "nonsense\r\n\r\n".into(),
            cut("206 Partial Content", 3, "789"),
            cut("200 OK", 10, "01"),
            cut("200 OK", 10, "changed   "),
        ];
        let (api, asked) = server(answers);
        let file = run(&api).file("x").unwrap();
        assert_eq!(file.read(10).unwrap(), b"0123456789");
        let expected = format!("file x did not come whole from {}: download it again", api.base_url());
        assert_eq!(file.read(10).unwrap_err().to_string(), expected);
        let asked: Vec<String> = asked.join().unwrap().into_iter().skip(1).collect();
        let whole = "GET /api/v1/runs/ada/p/a/files/x HTTP/1.1".to_owned();
        let rest = |from: usize| format!("{whole}, range: bytes={from}-, if-range: \"{hash}\"");
        assert_eq!(asked, [whole.clone(), rest(3), rest(7), rest(7), whole.clone(), rest(2)]);
    }

    #[test]
    fn content_with_another_hash_is_refused_and_progress_may_end_a_download() {
        let hash = ContentHash::from_bytes(Sha256::digest(b"four").into());
        let tag = format!("etag: \"{hash}\"\r\n");
        let answers = vec![page(&["x"], "null"), answer(&tag, "evil"), answer(&tag, "four"), answer(&tag, "four")];
        let (api, asked) = server(answers);
        let file = run(&api).file("x").unwrap();
        let error = file.read(4).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        let expected = format!("file x did not come whole from {}: download it again", api.base_url());
        assert_eq!(error.to_string(), expected);

        let folder = tempfile::tempdir().unwrap();
        let mut told = Vec::new();
        let refused = file.download_with_progress(folder.path(), ExistingFile::Refuse, |bytes| {
            told.push(bytes);
            Err(Error::usage("enough"))
        });
        assert_eq!((refused.unwrap_err().to_string(), told), ("enough".into(), vec![4]));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

        let target = file.download_to(folder.path(), ExistingFile::Refuse).unwrap();
        assert_eq!((target.clone(), std::fs::read(target).unwrap()), (folder.path().join("x"), b"four".to_vec()));
        asked.join().unwrap();
    }
}
