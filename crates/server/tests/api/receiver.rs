//! Receivers of alerts: an HTTP server and a mail server that do as they are told and remember what came.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value as Json;

use crate::support::wait_until;

/// What an HTTP receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Answers with a status.
    Status(u16),
    /// Answers with a status and a header line.
    With(u16, &'static str),
    /// Takes the request and closes the connection with no answer.
    Vanish,
    /// Takes the request and never answers.
    Hang,
    /// Answers with what is no HTTP.
    Babble,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }
}

/// An HTTP server that follows a script, then answers 200.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    pub(crate) fn start(script: &[Answer]) -> Self {
        let script = script.to_vec();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let seen = requests.clone();
        thread::spawn(move || {
            let mut script = script.into_iter();
            let mut hanging = Vec::new();
            for stream in listener.incoming().flatten() {
                let answer = script.next().unwrap_or(Answer::Status(200));
                let Some(request) = read_request(&stream) else { continue };
                seen.lock().expect("no panic").push(request);
                match answer {
                    Answer::Hang => hanging.push(stream),
                    answer => reply(stream, answer),
                }
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks/secret-path-abcd", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic").clone()
    }

    /// Waits until so many requests came.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Request> {
        wait_until(&format!("{count} requests came"), || Some(self.requests()).filter(|all| all.len() >= count))
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line: first, headers, body: String::from_utf8(body).ok()? })
}

fn reply(mut stream: TcpStream, answer: Answer) {
    let text = match answer {
        Answer::Status(status) => format!("HTTP/1.1 {status} Secret Words\r\ncontent-length: 6\r\n\r\nsecret"),
        Answer::With(status, header) => format!("HTTP/1.1 {status} X\r\n{header}\r\ncontent-length: 0\r\n\r\n"),
        Answer::Babble => "220 mail.example ESMTP\r\n\r\n".into(),
        _ => String::new(),
    };
    // The sender may have gone.
    let _ = stream.write_all(text.as_bytes());
}

/// At which word a mail server answers what.
pub(crate) type MailScript = &'static [(&'static str, &'static str)];

/// A mail server without encryption. To the words of its script, once each, it answers as told; an empty answer closes the
/// connection. `.` stands for the end of a mail.
pub(crate) struct MailSink {
    pub(crate) address: SocketAddr,
    mails: Arc<Mutex<Vec<String>>>,
}

impl MailSink {
    pub(crate) fn start(script: MailScript) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mails = Arc::<Mutex<Vec<String>>>::default();
        let (seen, mut script) = (mails.clone(), script.to_vec());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away ends its conversation, no more.
                let _ = converse(&stream, &seen, &mut script);
            }
        });
        Self { address, mails }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// What was taken, or would have been had the answer come: from the first recipient to the end.
    pub(crate) fn mails(&self) -> Vec<String> {
        self.mails.lock().expect("no panic").clone()
    }
}

fn converse(
    mut stream: &TcpStream,
    mails: &Mutex<Vec<String>>,
    script: &mut Vec<(&'static str, &'static str)>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut envelope = String::new();
    stream.write_all(b"220 sink ESMTP\r\n")?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut word = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let mut usual = match &*word {
            "EHLO" => "250-sink\r\n250 8BITMIME",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        let told = |script: &mut Vec<(&str, &'static str)>, word: &str| {
            let at = script.iter().position(|(at, _)| *at == word)?;
            Some(script.remove(at).1)
        };
        if let Some(answer) = told(script, &word) {
            usual = answer;
        }
        if line.starts_with("MAIL") || line.starts_with("RCPT") {
            envelope += &line;
        }
        write!(stream, "{usual}\r\n")?;
        if word == "DATA" && usual.starts_with("354") {
            let mut mail = std::mem::take(&mut envelope);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                if line == ".\r\n" {
                    break;
                }
                mail += &line;
            }
            word = ".".into();
            let answer = told(script, &word).unwrap_or("250 taken");
            if !answer.starts_with(['4', '5']) {
                mails.lock().expect("no panic").push(mail);
            }
            if answer.is_empty() {
                return Ok(());
            }
            write!(stream, "{answer}\r\n")?;
        }
    }
}
