//! One stream on its way to a server: what to send next, and what an answer means.

use std::io;

use steplog_journal::{Backlog, JournalReader, ReadError};
use steplog_model::{RunPath, StreamId};
use steplog_protocol::Control;

use crate::transport::{Transport, TransportError};

/// How many bytes go into one request, before compression. A larger frame goes alone.
const REQUEST_BYTES: usize = 4 << 20;

/// Where the bytes of a stream come from.
pub(crate) trait Source {
    /// Whole frames from `offset` on, and the offset of the first; empty at the end.
    fn read(&self, offset: u64, max_bytes: usize) -> io::Result<(u64, Vec<u8>)>;
}

impl Source for Backlog {
    fn read(&self, offset: u64, max_bytes: usize) -> io::Result<(u64, Vec<u8>)> {
        Backlog::read(self, offset, max_bytes).map(|bytes| (offset, bytes))
    }
}

impl Source for JournalReader {
    fn read(&self, offset: u64, max_bytes: usize) -> io::Result<(u64, Vec<u8>)> {
        match JournalReader::read(self, offset, max_bytes) {
            Ok(chunk) => Ok((chunk.offset, chunk.bytes)),
            Err(ReadError::Io(error)) => Err(error),
            Err(error @ ReadError::Damaged { .. }) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
            }
        }
    }
}

/// A stream and how far the server has it.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    run: RunPath,
    stream: StreamId,
    offset: Option<u64>,
}

/// What one request did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The server has everything there is.
    Nothing,
    /// The stream is durable up to there, and there may be more.
    Until { offset: u64, sent_bytes: u64, control: Control },
}

#[derive(Debug)]
pub(crate) enum UploadError {
    Transport(TransportError),
    /// The journal cannot be read on.
    Source(io::Error),
}

impl Upload {
    /// A stream that the server cannot know yet.
    pub(crate) fn new(run: RunPath, stream: StreamId) -> Self {
        Self { run, stream, offset: Some(0) }
    }

    /// A stream that the server may know: it is asked first.
    pub(crate) fn resume(run: RunPath, stream: StreamId) -> Self {
        Self { run, stream, offset: None }
    }

    /// How far the server is known to have it.
    pub(crate) fn offset(&self) -> u64 {
        self.offset.unwrap_or(0)
    }

    /// Sends the next piece, if there is one.
    pub(crate) fn send_next(&mut self, source: &dyn Source, transport: &dyn Transport) -> Result<Sent, UploadError> {
        let offset = match self.offset {
            Some(offset) => offset,
            None => {
                let known = transport.durable_offset(&self.run, self.stream).map_err(UploadError::Transport)?;
                *self.offset.insert(known.durable_offset)
            }
        };
        let (start, bytes) = source.read(offset, REQUEST_BYTES).map_err(UploadError::Source)?;
        if bytes.is_empty() {
            return Ok(Sent::Nothing);
        }
        let answer = transport.send(&self.run, self.stream, start, &bytes).map_err(UploadError::Transport)?;
        if answer.durable_offset <= offset && start > offset {
            let gap =
                format!("bytes {offset} to {start} of the journal went to another server and never reached this disk");
            return Err(UploadError::Source(io::Error::new(io::ErrorKind::InvalidData, gap)));
        }
        if answer.durable_offset == offset {
            let stuck = format!("the server took none of {} bytes at byte {offset}", bytes.len());
            return Err(UploadError::Transport(TransportError::Unavailable(stuck)));
        }
        // An answer below what was known means that the server was set back to an older backup: send it all again.
        self.offset = Some(answer.durable_offset);
        let sent_bytes = answer.durable_offset.saturating_sub(offset);
        Ok(Sent::Until { offset: answer.durable_offset, sent_bytes, control: answer.control })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use steplog_model::{ContentHash, Entity, FilePath};
    use steplog_protocol::{BlobStatus, IngestResponse, PutFileRequest};

    use super::*;

    /// A server that keeps bytes, and fails as the script says.
    struct Scripted {
        stored: Mutex<Vec<u8>>,
        script: Mutex<Vec<Fault>>,
    }

    #[derive(Clone, Copy, Debug)]
    enum Fault {
        /// The answer is lost after the bytes were stored.
        AnswerLost,
        /// The request is lost.
        RequestLost,
        /// Only the first bytes are stored.
        Takes(usize),
        /// The server forgot everything behind.
        SetBack(usize),
    }

    impl Transport for Scripted {
        fn durable_offset(&self, _: &RunPath, _: StreamId) -> Result<IngestResponse, TransportError> {
            Ok(self.answer())
        }

        fn send(&self, _: &RunPath, _: StreamId, offset: u64, bytes: &[u8]) -> Result<IngestResponse, TransportError> {
            let fault = self.script.lock().unwrap().pop();
            if let Some(Fault::RequestLost) = fault {
                return Err(TransportError::Unavailable("reset".into()));
            }
            let mut stored = self.stored.lock().unwrap();
            if let Some(Fault::SetBack(length)) = fault {
                stored.truncate(length);
            }
            if let Some(new) = stored.len().checked_sub(offset as usize).and_then(|known| bytes.get(known..)) {
                let take = if let Some(Fault::Takes(count)) = fault { count.min(new.len()) } else { new.len() };
                stored.extend_from_slice(&new[..take]);
            }
            drop(stored);
            match fault {
                Some(Fault::AnswerLost) => Err(TransportError::Unavailable("reset".into())),
                _ => Ok(self.answer()),
            }
        }

        fn put_file(&self, _: &RunPath, _: &FilePath, _: &PutFileRequest) -> Result<BlobStatus, TransportError> {
            unreachable!("a journal is no file")
        }

        fn send_part(
            &self,
            _: &Entity,
            _: ContentHash,
            _: u64,
            _: u64,
            _: &[u8],
        ) -> Result<BlobStatus, TransportError> {
            unreachable!("a journal is no file")
        }
    }

    impl Scripted {
        fn answer(&self) -> IngestResponse {
            IngestResponse { durable_offset: self.stored.lock().unwrap().len() as u64, control: Control::default() }
        }
    }

    struct Bytes(Vec<u8>);

    impl Source for Bytes {
        fn read(&self, offset: u64, _: usize) -> io::Result<(u64, Vec<u8>)> {
            let rest = &self.0[offset as usize..];
            Ok((offset, rest[..rest.len().min(10)].to_vec()))
        }
    }

    #[test]
    fn whatever_goes_wrong_every_byte_arrives_once_and_in_order() {
        let faults = [
            Fault::AnswerLost,
            Fault::RequestLost,
            Fault::Takes(3),
            Fault::Takes(0),
            Fault::SetBack(0),
            Fault::SetBack(7),
        ];
        for first in faults {
            for second in faults {
                for third in faults {
                    let server = Scripted { stored: Mutex::default(), script: Mutex::new(vec![first, second, third]) };
                    let source = Bytes((0..100).collect());
                    let path: RunPath = "local/digits/abc".parse().unwrap();
                    let mut upload = Upload::resume(path, StreamId::from_bytes([0; 16]));
                    loop {
                        match upload.send_next(&source, &server) {
                            Ok(Sent::Nothing) => break,
                            Ok(Sent::Until { .. }) | Err(UploadError::Transport(TransportError::Unavailable(_))) => {}
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                    assert_eq!(*server.stored.lock().unwrap(), source.0, "{first:?} {second:?} {third:?}");
                }
            }
        }
    }
}
