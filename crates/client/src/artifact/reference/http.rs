//! References to what web servers have: `http://` and `https://`.

use serde_json::{Map, Value as Json};
use steplog_model::{FilePath, ManifestEntry};
use ureq::Body;
use ureq::http::header::HeaderMap;
use ureq::http::{Response, StatusCode};
use url::Url;

use super::receive::{Rest, receive};
use super::web::{Call, Web, header};
use super::{Known, ReferenceOptions, Take, changed, missing, shown, unchecked};
use crate::error::{Error, ErrorKind};

pub(super) fn resolve(web: &Web, uri: &str, options: &ReferenceOptions) -> Result<(FilePath, ManifestEntry), Error> {
    let url = parse(uri)?;
    let last = url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty())).unwrap_or_default();
    let last = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
    let name = match options.name.as_deref() {
        Some(name) => name,
        None if last.is_empty() => {
            let message = "ends with no name of a file: give it a name in the artifact";
            return Err(Error::invalid(format_args!("{} {message}", shown(uri))));
        }
        None => &last,
    };
    if !options.checksum {
        return unchecked(uri, name);
    }
    Ok((name.parse()?, look(web, url, uri)?.into_entry(uri.to_owned())?))
}

pub(super) fn fetch(web: &Web, uri: &str, known: &Known, take: Take<'_>) -> Result<(), Error> {
    let url = parse(uri)?;
    // Where nothing was known of the content, the first answer says what the others must be of.
    let mut tag = known.text("etag");
    receive(
        uri,
        known.size_bytes,
        |offset| {
            let answer = web.follow(&Call::get(url.clone(), uri).beginning_at(offset))?;
            let answer = if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
                web.follow(&Call::get(url.clone(), uri))?
            } else {
                answer
            };
            let answer = check(uri, answer)?;
            let found = header(answer.headers(), "etag").map(str::to_owned);
            if let Some(tag) = &tag
                && found.as_ref() != Some(tag)
            {
                return Err(changed(
                    uri,
                    format_args!("its entity tag is {}, not {tag}", found.as_deref().unwrap_or("none")),
                ));
            }
            tag = found.or(tag.take());
            Ok(Rest::of(answer))
        },
        take,
    )
}

/// What a server says of an object. Servers that know no HEAD, and addresses that are signed for GET, are asked for the
/// object itself, which is then not read.
fn look(web: &Web, url: Url, uri: &str) -> Result<Known, Error> {
    let answer = web.follow(&Call::head(url.clone(), uri))?;
    let answer = if answer.status().is_success() { answer } else { web.follow(&Call::get(url, uri))? };
    Ok(known(uri, check(uri, answer)?.headers()))
}

fn known(uri: &str, headers: &HeaderMap) -> Known {
    let size_bytes = header(headers, "content-length").and_then(|length| length.parse().ok());
    match header(headers, "etag") {
        Some(tag) => Known {
            digest: tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag).to_owned(),
            size_bytes,
            extra: Map::from_iter([("etag".to_owned(), Json::from(tag))]),
        },
        None => Known { digest: uri.to_owned(), size_bytes, extra: Map::new() },
    }
}

fn parse(uri: &str) -> Result<Url, Error> {
    let url = Url::parse(uri).ok().filter(Url::has_host);
    let url = url.ok_or_else(|| Error::invalid(format_args!("{:?} is not the address of a web server", shown(uri))))?;
    if !url.username().is_empty() || url.password().is_some() {
        let message = "names an account, which everybody who sees the artifact would see: leave it out";
        return Err(Error::invalid(format_args!("a reference to {} {message}", shown(uri))));
    }
    Ok(url)
}

fn check(uri: &str, answer: Response<Body>) -> Result<Response<Body>, Error> {
    match answer.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(answer),
        status @ (StatusCode::NOT_FOUND | StatusCode::GONE) => {
            Err(missing(uri, format_args!("its server says {status}")))
        }
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            let message = format!("the server of {} does not let us: it says {status}", shown(uri));
            Err(Error::new(ErrorKind::Unauthorized, message))
        }
        status => Err(Error::new(ErrorKind::Server, format!("the server of {} says {status}", shown(uri)))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::References;
    use super::*;
    use crate::artifact::test_server::{Answer, Asked, Server};

    fn references() -> References {
        References::with_variables(Arc::new(|_| None))
    }

    fn resolve(uri: &str) -> Result<ManifestEntry, Error> {
        let mut found = references().resolve(uri, &ReferenceOptions::default())?;
        assert_eq!((found.len(), found[0].0.as_str()), (1, "data.bin"));
        Ok(found.remove(0).1)
    }

    fn fetch(entry: &ManifestEntry) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        references().fetch(entry, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    #[test]
    fn an_object_is_known_by_its_entity_tag() {
        let tag = Arc::new(AtomicUsize::new(1));
        let now = tag.clone();
        let server = Server::start(move |_| {
            Answer::new(200, "bytes").header("etag", format!("\"v{}\"", now.load(Ordering::Relaxed)))
        });
        let uri = format!("{}/a/data.bin?x=1", server.url);
        let entry = resolve(&uri).unwrap();
        let extra = Map::from_iter([("etag".to_owned(), Json::from("\"v1\""))]);
        assert_eq!(entry, ManifestEntry::reference(uri.clone(), "v1".into(), Some(5), extra));
        assert_eq!(fetch(&entry).unwrap(), b"bytes");
        tag.store(2, Ordering::Relaxed);
        let error = fetch(&entry).unwrap_err();
        let text = format!(
            "{}/a/data.bin?… has changed since it was referenced: its entity tag is \"v2\", not \"v1\"",
            server.url
        );
        assert_eq!((error.kind(), error.to_string().lines().next()), (ErrorKind::Data, Some(&*text)));
    }

    #[test]
    fn without_an_entity_tag_the_address_and_the_size_must_do() {
        let size = Arc::new(AtomicUsize::new(5));
        let now = size.clone();
        let server = Server::start(move |asked: &Asked| match &*asked.method {
            "HEAD" => Answer::new(405, ""),
            _ => Answer::new(200, vec![b'x'; now.load(Ordering::Relaxed)]),
        });
        let uri = format!("{}/data.bin", server.url);
        let entry = resolve(&uri).unwrap();
        assert_eq!(entry, ManifestEntry::reference(uri.clone(), uri.clone(), Some(5), Map::new()));
        assert_eq!(server.lines(), ["HEAD /data.bin", "GET /data.bin"]);
        assert_eq!(fetch(&entry).unwrap(), b"xxxxx");
        for (bytes, says) in [(6, "it has more than 5 bytes"), (4, "it has 4 bytes, not 5")] {
            size.store(bytes, Ordering::Relaxed);
            let error = fetch(&entry).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Data);
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn a_connection_that_breaks_is_followed_by_another_for_the_rest() {
        for has_ranges in [true, false] {
            let whole: Vec<u8> = (0..700_000_u32).map(|index| (index >> 3) as u8).collect();
            let content = whole.clone();
            let count = AtomicUsize::new(0);
            let server = Server::start(move |asked| {
                let answer = Answer::new(200, content.clone()).header("etag", "\"t\"");
                let answer = if has_ranges { answer.ranged(asked) } else { answer };
                match asked.method == "GET" && count.fetch_add(1, Ordering::Relaxed) < 2 {
                    true => answer.cut_after(300_000),
                    false => answer,
                }
            });
            let entry = resolve(&format!("{}/data.bin", server.url)).unwrap();
            assert_eq!(fetch(&entry).unwrap(), whole);
            let ranges: Vec<_> =
                server.asked().iter().skip(1).map(|asked| asked.headers.get("range").cloned()).collect();
            assert_eq!((ranges.len(), ranges[0].as_deref()), (3, None));
            assert!(ranges[1..].iter().all(Option::is_some), "{ranges:?}");
        }
    }

    #[test]
    fn a_redirection_is_followed_within_bounds() {
        let server = Server::start(|asked| match &*asked.path {
            "/data.bin" => Answer::new(302, "").header("location", "/there?key=secret"),
            "/there" => Answer::new(200, "x"),
            "/file/data.bin" => Answer::new(302, "").header("location", "file:///etc/passwd"),
            _ => Answer::new(307, "").header("location", "/loop/data.bin"),
        });
        let entry = resolve(&format!("{}/data.bin", server.url)).unwrap();
        assert_eq!(fetch(&entry).unwrap(), b"x");
        for (path, says) in
            [("loop", "leads from one address to the next"), ("file", "leads to what is neither http nor https")]
        {
            let uri = format!("{}/{path}/data.bin", server.url);
            let error = resolve(&uri).unwrap_err();
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Server, format!("{uri} {says}")));
        }
        assert!(server.lines().len() < 20);
    }

    #[test]
    fn a_busy_server_is_asked_again_and_others_are_told_of() {
        let count = AtomicUsize::new(0);
        let server = Server::start(move |asked| match &*asked.path {
            "/busy/data.bin" if count.fetch_add(1, Ordering::Relaxed) == 0 => Answer::new(503, ""),
            "/busy/data.bin" => Answer::new(200, "x"),
            "/closed/data.bin" => Answer::new(403, ""),
            _ => Answer::new(404, ""),
        });
        let uri = |path: &str| format!("{}/{path}/data.bin", server.url);
        assert_eq!(resolve(&uri("busy")).unwrap().size_bytes, Some(1));
        let error = resolve(&uri("closed")).unwrap_err();
        let message = format!("the server of {} does not let us: it says 403 Forbidden", uri("closed"));
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Unauthorized, message));
        let error = resolve(&uri("none")).unwrap_err();
        let message = format!("there is nothing at {}: its server says 404 Not Found", uri("none"));
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Invalid, message));
        let error = resolve("http://ada:secret@127.0.0.1/data.bin").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(resolve(&server.url).unwrap_err().to_string().contains("give it a name"));
    }
}
