//! The content of a file as an answer: ranges, tags, and headers under which it cannot run a script.
//!
//! Bytes with a known hash are hashed as they are answered whole, and the last of them are kept back until it is the right
//! one: nobody takes damaged bytes for a file. Of a range that cannot be told; whoever puts ranges together has the hash in
//! the tag.

use std::io::{self, SeekFrom};
use std::path::Path;

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use steplog_model::{ContentHash, media_type};
use steplog_store::Error;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::error::ApiError;
use crate::state::ServerState;

/// How much is read at a time.
const PIECE_BYTES: u64 = 256 << 10;

/// Whatever a file is, nothing in it runs, is loaded or is framed.
const SANDBOX: &str = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";

/// What a request for a file says in its query.
#[derive(Deserialize)]
pub(crate) struct ContentParameters {
    #[serde(default)]
    pub(crate) download: bool,
}

/// A file to answer with.
pub(crate) struct Content<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Where its bytes are.
    pub(crate) place: &'a Path,
    /// How many bytes to answer: those of the moment when it was looked up.
    pub(crate) size_bytes: u64,
    /// Changes with the content.
    pub(crate) tag: &'a str,
    /// What the bytes should hash to, if anybody knows.
    pub(crate) expected: Option<Expected>,
    /// Whether it is to be kept as a file even if it could be shown.
    pub(crate) download: bool,
}

/// The hash that bytes should have.
#[derive(Clone)]
pub(crate) struct Expected {
    pub(crate) hash: ContentHash,
    /// Where they are set aside if they have another; `None` when they are not the server's own.
    pub(crate) state: Option<ServerState>,
}

impl Content<'_> {
    /// The answer to a request with these headers.
    ///
    /// # Errors
    /// The file is gone, or a range is not in it.
    pub(crate) async fn answer(self, request: &HeaderMap) -> Result<Response, ApiError> {
        let tag = HeaderValue::try_from(format!("\"{}\"", self.tag)).expect("hex and digits are fit for a header");
        if request.get_all(IF_NONE_MATCH).iter().any(|known| matches(known, &tag)) {
            return Ok((StatusCode::NOT_MODIFIED, self.headers(&tag)).into_response());
        }
        let applies = request.get(IF_RANGE).is_none_or(|known| known == tag);
        let range = request.get(RANGE).filter(|_| applies).and_then(|range| range.to_str().ok());
        let (status, start, end) = match range.map_or(Range::Whole, |range| parse_range(range, self.size_bytes)) {
            Range::Whole => (StatusCode::OK, 0, self.size_bytes),
            Range::Part { start, end } => (StatusCode::PARTIAL_CONTENT, start, end),
            Range::Outside => {
                let range = HeaderValue::try_from(format!("bytes */{}", self.size_bytes)).expect("digits");
                let error = ApiError::invalid(format!("the file has {} bytes", self.size_bytes));
                let mut response = error.status(StatusCode::RANGE_NOT_SATISFIABLE).into_response();
                response.headers_mut().insert(CONTENT_RANGE, range);
                return Ok(response);
            }
        };
        let mut file = File::open(self.place).await.map_err(|error| unreadable(self.name, &error))?;
        file.seek(SeekFrom::Start(start)).await.map_err(|error| unreadable(self.name, &error))?;
        let expected = self.expected.clone().filter(|_| end - start == self.size_bytes);
        let body = match expected {
            None => Body::from_stream(stream::try_unfold(Pieces { file, left: end - start }, Pieces::next)),
            Some(expected) => self.checked(Pieces { file, left: end - start }, expected).await?,
        };
        let mut response = (status, self.headers(&tag), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, (end - start).into());
        if status == StatusCode::PARTIAL_CONTENT {
            let range = format!("bytes {start}-{}/{}", end - 1, self.size_bytes);
            headers.insert(CONTENT_RANGE, HeaderValue::try_from(range).expect("digits"));
        }
        Ok(response)
    }

    /// A body that comes to its end only if it is what it should be. What fits into one piece is looked at first, so that the
    /// status tells.
    async fn checked(&self, pieces: Pieces, expected: Expected) -> Result<Body, ApiError> {
        let is_short = pieces.left <= PIECE_BYTES;
        let mut checked = Checked { pieces, hasher: Sha256::new(), size_bytes: self.size_bytes, expected };
        if !is_short {
            return Ok(Body::from_stream(stream::try_unfold(checked, Checked::next)));
        }
        let bytes = checked.read().await.map_err(|error| unreadable(self.name, &error))?;
        if checked.is_damaged() {
            return Err(Error::damaged(self.name, checked.expected.hash).into());
        }
        Ok(Body::from(bytes.unwrap_or_default()))
    }

    fn headers(&self, tag: &HeaderValue) -> [(HeaderName, HeaderValue); 7] {
        let (media_type, inline) = shown_as(self.name);
        let kind = if inline && !self.download { "inline" } else { "attachment" };
        let disposition = format!("{kind}; {}", file_name(self.name));
        [
            (CONTENT_TYPE, HeaderValue::from_static(media_type)),
            (CONTENT_DISPOSITION, HeaderValue::try_from(disposition).expect("an encoded name is fit for a header")),
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX)),
            (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
            (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
            (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
            (ETAG, tag.clone()),
        ]
    }
}

/// The type that a file is answered with, and whether a browser may show it: pictures, sound and plain text, none of which
/// can hold a script.
fn shown_as(name: &str) -> (&'static str, bool) {
    match media_type(name) {
        "text/plain" => ("text/plain; charset=utf-8", true),
        "text/csv" => ("text/csv; charset=utf-8", false),
        "text/markdown" => ("text/markdown; charset=utf-8", false),
        media_type @ ("image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/avif" | "image/bmp"
        | "application/json") => (media_type, true),
        media_type if media_type.starts_with("audio/") || media_type.starts_with("video/") => (media_type, true),
        media_type => (media_type, false),
    }
}

/// The name as parameters of Content-Disposition: a plain one for old programs, and the whole one.
fn file_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' | ' ' => character,
            _ => '_',
        })
        .collect();
    let whole: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

fn matches(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else { return false };
    known.split(',').map(|known| known.trim().trim_start_matches("W/")).any(|known| known == "*" || known == tag)
}

#[derive(Debug, PartialEq)]
enum Range {
    Whole,
    /// From `start` to before `end`, at least one byte.
    Part {
        start: u64,
        end: u64,
    },
    Outside,
}

/// What a Range header asks for. One that is not understood, or asks for several parts, counts as none.
fn parse_range(header: &str, size: u64) -> Range {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-')) else {
        return Range::Whole;
    };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let (start, end) = match (first, number(first), last, number(last)) {
        ("", _, _, Some(count)) => (size.saturating_sub(count), if count == 0 { 0 } else { size }),
        (_, Some(start), "", _) => (start, size),
        (_, Some(start), _, Some(last)) if start <= last => (start, last.saturating_add(1).min(size)),
        _ => return Range::Whole,
    };
    if start < end { Range::Part { start, end } } else { Range::Outside }
}

/// A part of a file, read as fast as it is taken.
struct Pieces {
    file: File,
    left: u64,
}

impl Pieces {
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        Ok(self.read().await?.map(|piece| (piece, self)))
    }

    async fn read(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let count = self.left.min(PIECE_BYTES);
        let mut piece = Vec::with_capacity(count as usize);
        let read = (&mut self.file).take(count).read_to_end(&mut piece).await?;
        if read == 0 {
            // Too late for a status: the answer is cut off, which every client notices.
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
        }
        self.left -= read as u64;
        Ok(Some(Bytes::from(piece)))
    }
}

/// A whole file, whose last piece comes when all of it has the hash that it should have.
struct Checked {
    pieces: Pieces,
    hasher: Sha256,
    size_bytes: u64,
    expected: Expected,
}

impl Checked {
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let piece = self.read().await?;
        if self.is_damaged() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file was damaged"));
        }
        Ok(piece.map(|piece| (piece, self)))
    }

    async fn read(&mut self) -> io::Result<Option<Bytes>> {
        let piece = self.pieces.read().await?;
        piece.iter().for_each(|piece| self.hasher.update(piece));
        Ok(piece)
    }

    /// Whether all of it was read, and has another hash. It is set aside then.
    fn is_damaged(&self) -> bool {
        let Expected { hash, state } = &self.expected;
        if self.pieces.left > 0 || self.hasher.clone().finalize()[..] == hash.as_bytes()[..] {
            return false;
        }
        if let Some(state) = state.clone() {
            let (hash, size_bytes) = (*hash, self.size_bytes);
            // Nobody waits for it; the store says in the log what it did.
            tokio::spawn(async move { state.query(move |store| store.check_bytes(hash, size_bytes)).await });
        }
        true
    }
}

fn unreadable(name: &str, error: &io::Error) -> ApiError {
    if error.kind() == io::ErrorKind::NotFound {
        return ApiError::not_found(format!("the bytes of {name} are gone"));
    }
    ApiError::internal(format!("{name} cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_file() {
        let part = |start, end| Range::Part { start, end };
        for (header, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=2-5", part(2, 6)),
            ("bytes=5-", part(5, 10)),
            ("bytes=5-99", part(5, 10)),
            ("bytes=-3", part(7, 10)),
            ("bytes=-99", part(0, 10)),
            ("bytes=10-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=5-4", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("bytes=-", Range::Whole),
            ("bytes=+1-2", Range::Whole),
            ("rows=1-2", Range::Whole),
            ("bytes=99999999999999999999-", Range::Whole),
        ] {
            assert_eq!(parse_range(header, 10), expected, "{header}");
        }
        assert_eq!(parse_range("bytes=0-", 0), Range::Outside);
    }

    #[test]
    fn names_are_fit_for_a_header() {
        assert_eq!(
            file_name("a \"b\"\r\n;ü.txt"),
            "filename=\"a _b_____.txt\"; filename*=UTF-8''a%20%22b%22%0D%0A%3B%C3%BC.txt"
        );
    }

    #[test]
    fn only_what_cannot_run_a_script_is_shown() {
        for name in ["a.html", "a.svg", "a.xml", "a.js", "a.pdf", "a.htm", "a", "a.md", "a.SVG"] {
            assert!(!shown_as(name).1, "{name}");
        }
        for name in ["a.png", "a.txt", "a.log", "a.json", "a.mp4", "a.wav", "a.py"] {
            assert!(shown_as(name).1, "{name}");
        }
    }
}
