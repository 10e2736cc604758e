//! Reading an object to its end, over as many connections as that takes.

use std::io::{self, Read};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::Response;
use ureq::http::header::CONTENT_RANGE;
use ureq::{Body, BodyReader};

use super::web::{PAUSES, header};
use super::{Take, changed, shown};
use crate::error::{Error, ErrorKind};

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// What is left of an object.
pub(super) struct Rest {
    body: BodyReader<'static>,
    /// Where in the object it begins.
    offset: u64,
    /// How many bytes the object has.
    whole_bytes: Option<u64>,
}

impl Rest {
    /// An answer with status 200 or 206.
    pub(super) fn of(answer: Response<Body>) -> Self {
        let length = header(answer.headers(), "content-length").and_then(|length| length.parse::<u64>().ok());
        // bytes 10-19/20
        let range = header(answer.headers(), CONTENT_RANGE.as_str()).and_then(|range| range.strip_prefix("bytes "));
        let offset = range.and_then(|range| range.split_once('-')?.0.parse::<u64>().ok());
        // A server that knows no ranges begins at the beginning.
        let offset = if answer.status() == 206 { offset.unwrap_or(0) } else { 0 };
        let whole_bytes = length.and_then(|length| length.checked_add(offset));
        Self { body: answer.into_body().into_with_config().limit(u64::MAX).reader(), offset, whole_bytes }
    }
}

/// Hands out an object. `open` answers what is left from a byte on, and checks that it is of the same content as before.
pub(super) fn receive(
    uri: &str,
    size_bytes: Option<u64>,
    mut open: impl FnMut(u64) -> Result<Rest, Error>,
    take: Take<'_>,
) -> Result<(), Error> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut rest = open(0)?;
    let (mut received, mut resumed_at, mut tries) = (0, 0, 0);
    loop {
        let reason = match read_on(&mut rest, &mut piece, &mut received, size_bytes, uri, take)? {
            None => return check_end(uri, received, size_bytes),
            Some(reason) => reason,
        };
        if received > resumed_at {
            (resumed_at, tries) = (received, 0);
        }
        let mut broke_off = Error::new(ErrorKind::Server, format!("{} broke off: {reason}", shown(uri)));
        rest = loop {
            let Some(pause) = PAUSES.get(tries) else { return Err(broke_off) };
            tries += 1;
            wait(*pause, take)?;
            match open(received) {
                Ok(rest) => break rest,
                Err(error) if error.kind() == ErrorKind::Server => broke_off = error,
                Err(error) => return Err(error),
            }
        };
    }
}

/// Reads to the end, or until the connection breaks off; then for what reason.
fn read_on(
    rest: &mut Rest,
    piece: &mut [u8],
    received: &mut u64,
    size_bytes: Option<u64>,
    uri: &str,
    take: Take<'_>,
) -> Result<Option<String>, Error> {
    let mut position = rest.offset;
    loop {
        match rest.body.read(piece) {
            Ok(0) => break,
            Ok(count) => {
                // What is there already comes again from a server without ranges.
                let known = usize::try_from(received.saturating_sub(position)).unwrap_or(usize::MAX).min(count);
                position += count as u64;
                if position <= *received {
                    continue;
                }
                if size_bytes.is_some_and(|size| position > size) {
                    return Err(changed(uri, format_args!("it has more than {} bytes", size_bytes.unwrap_or(0))));
                }
                *received = position;
                take(&piece[known..count])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => take(&[])?,
            Err(error) => return Ok(Some(error.to_string())),
        }
    }
    match rest.whole_bytes {
        Some(whole) if position < whole => Ok(Some(format!("{position} of {whole} bytes came"))),
        _ => Ok(None),
    }
}

fn check_end(uri: &str, received: u64, size_bytes: Option<u64>) -> Result<(), Error> {
    match size_bytes {
        Some(size) if size != received => Err(changed(uri, format_args!("it has {received} bytes, not {size}"))),
        _ => Ok(()),
    }
}

/// Waits, and asks again and again whether to go on.
fn wait(pause: Duration, take: Take<'_>) -> Result<(), Error> {
    let until = Instant::now() + pause;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        take(&[])?;
        thread::sleep(left.min(Duration::from_millis(100)));
    }
    Ok(())
}
