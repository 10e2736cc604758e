//! References to objects of Google Cloud Storage: `gs://bucket/object`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use md5::{Digest as _, Md5 as Hasher};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use steplog_model::{FilePath, ManifestEntry, Md5, path_segment};
use ureq::Body;
use ureq::http::{Response, StatusCode};
use url::Url;

use super::bucket::{Buckets, Location};
use super::receive::{Rest, receive};
use super::web::{Call, Web, header, text};
use super::{Known, ReferenceOptions, Take, Variables, changed, missing, too_many};
use crate::error::{Error, ErrorKind};

const API: &str = "https://storage.googleapis.com";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_only";

/// What is asked for of objects.
const FIELDS: &str = "name,generation,size,md5Hash,etag";

pub(super) struct Gs {
    web: Arc<Web>,
    variables: Variables,
    account: OnceLock<Result<Option<Account>, String>>,
    /// A token and when to get the next one.
    token: Mutex<Option<(String, Instant)>>,
}

/// A file of Google's tools.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Account {
    #[serde(rename = "service_account")]
    Service { client_email: String, private_key: String, private_key_id: Option<String>, token_uri: Option<String> },
    #[serde(rename = "authorized_user")]
    User { client_id: String, client_secret: String, refresh_token: String, token_uri: Option<String> },
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct Object {
    name: String,
    generation: String,
    size: Option<String>,
    #[serde(rename = "md5Hash")]
    md5: Option<String>,
    etag: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectList {
    #[serde(default)]
    items: Vec<Object>,
    next_page_token: Option<String>,
}

impl Gs {
    pub(super) fn new(web: Arc<Web>, variables: Variables) -> Self {
        Self { web, variables, account: OnceLock::new(), token: Mutex::default() }
    }

    pub(super) fn resolve(
        &self,
        uri: &str,
        rest: &str,
        options: &ReferenceOptions,
    ) -> Result<Vec<(FilePath, ManifestEntry)>, Error> {
        self.resolve_at(uri, &locate(uri, rest)?, options)
    }

    pub(super) fn fetch(&self, uri: &str, rest: &str, known: &Known, take: Take<'_>) -> Result<(), Error> {
        let location = locate(uri, rest)?;
        let mut generation = known.text("versionID").or_else(|| location.version.map(str::to_owned));
        let expected = known.digest.parse::<Md5>().ok();
        let mut hasher = Hasher::new();
        receive(
            uri,
            known.size_bytes,
            |offset| {
                let mut url = self.object_url(&location)?;
                url.query_pairs_mut().append_pair("alt", "media");
                if let Some(generation) = &generation {
                    url.query_pairs_mut().append_pair("generation", generation);
                }
                // As it is stored: Google unpacks objects for those who do not say that they can.
                let answer = self.ask(Call::get(url, uri).header("accept-encoding", "gzip").beginning_at(offset))?;
                // The rest must be of the same content.
                generation =
                    generation.take().or_else(|| header(answer.headers(), "x-goog-generation").map(str::to_owned));
                Ok(Rest::of(answer))
            },
            &mut |piece| {
                if expected.is_some() {
                    hasher.update(piece);
                }
                take(piece)
            },
        )?;
        match expected {
            Some(expected) if Md5::from_bytes(hasher.finalize().into()) != expected => {
                Err(changed(uri, format_args!("its MD5 is not {expected}")))
            }
            _ => Ok(()),
        }
    }

    fn json<T: serde::de::DeserializeOwned>(&self, uri: &str, url: Url) -> Result<T, Error> {
        let mut answer = self.ask(Call::get(url, uri))?;
        serde_json::from_str(&text(&mut answer, uri)?)
            .map_err(|error| Error::new(ErrorKind::Server, format!("what is said of {uri} is not understood: {error}")))
    }

    fn ask(&self, call: Call<'_>) -> Result<Response<Body>, Error> {
        let token = self.token(call.uri)?;
        let is_known = token.is_some();
        let uri = call.uri;
        let call = match token {
            Some(token) => call.header("authorization", format!("Bearer {token}")),
            None => call,
        };
        let mut answer = self.web.send(&call)?;
        match answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(answer),
            _ => Err(refusal(uri, &mut answer, is_known)),
        }
    }

    fn object_url(&self, location: &Location<'_>) -> Result<Url, Error> {
        self.url(&format!("/storage/v1/b/{}/o/{}", path_segment(location.bucket), path_segment(location.key)))
    }

    fn url(&self, path: &str) -> Result<Url, Error> {
        let base = match self.emulator() {
            Some(host) if host.contains("://") => host,
            Some(host) => format!("http://{host}"),
            None => API.into(),
        };
        Url::parse(&format!("{}{path}", base.trim_end_matches('/')))
            .map_err(|_| Error::invalid("STORAGE_EMULATOR_HOST is not the address of a server"))
    }

    fn emulator(&self) -> Option<String> {
        (self.variables)("STORAGE_EMULATOR_HOST")
    }

    /// What stands for the account; none where nobody named one, or where there is only an emulator.
    fn token(&self, uri: &str) -> Result<Option<String>, Error> {
        if self.emulator().is_some() {
            return Ok(None);
        }
        let account = self.account.get_or_init(|| find_account(&*self.variables));
        let Some(account) = account.as_ref().map_err(Error::invalid)? else { return Ok(None) };
        let mut held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, until)) = &*held
            && Instant::now() < *until
        {
            return Ok(Some(token.clone()));
        }
        let (token, lifetime) = self.new_token(uri, account)?;
        *held = Some((token.clone(), Instant::now() + lifetime.saturating_sub(Duration::from_secs(60))));
        Ok(Some(token))
    }

    fn new_token(&self, uri: &str, account: &Account) -> Result<(String, Duration), Error> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
            expires_in: u64,
        }
        let refused = |reason: &dyn std::fmt::Display| {
            let hint = "hint: log in anew with `gcloud auth application-default login`, or look at GOOGLE_APPLICATION_CREDENTIALS";
            Error::new(ErrorKind::Unauthorized, format!("Google gives no access for {uri}: {reason}\n{hint}"))
        };
        let (token_uri, form) = match account {
            Account::Service { token_uri, .. } => {
                let token_uri = token_uri.as_deref().unwrap_or(TOKEN_URI);
                let assertion = account.assertion(token_uri).map_err(|reason| refused(&reason))?;
                let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned();
                (token_uri, vec![("grant_type", grant), ("assertion", assertion)])
            }
            Account::User { client_id, client_secret, refresh_token, token_uri } => {
                let form = vec![
                    ("grant_type", "refresh_token".to_owned()),
                    ("client_id", client_id.clone()),
                    ("client_secret", client_secret.clone()),
                    ("refresh_token", refresh_token.clone()),
                ];
                (token_uri.as_deref().unwrap_or(TOKEN_URI), form)
            }
            Account::Unknown => return Err(refused(&"accounts of this kind are not known here")),
        };
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = Url::parse(token_uri).map_err(|_| refused(&"its token_uri is not a URL"))?;
        let mut answer =
            self.web.send_form(&Call { method: ureq::http::Method::POST, ..Call::get(url, uri) }, &form)?;
        let status = answer.status();
        let body = text(&mut answer, uri)?;
        if !status.is_success() {
            let error = serde_json::from_str::<Json>(&body).ok();
            let reason =
                error.as_ref().and_then(|error| error["error_description"].as_str().or(error["error"].as_str()));
            return Err(refused(&format_args!("{status} {}", reason.unwrap_or_default())));
        }
        let token: Token = serde_json::from_str(&body).map_err(|_| refused(&"its answer is not understood"))?;
        Ok((token.access_token, Duration::from_secs(token.expires_in)))
    }
}

impl Account {
    /// What a service account signs to prove itself.
    fn assertion(&self, token_uri: &str) -> Result<String, String> {
        let Self::Service { client_email, private_key, private_key_id, .. } = self else {
            return Err("it is no service account".into());
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": private_key_id });
        let claims = json!({ "iss": client_email, "scope": SCOPE, "aud": token_uri, "iat": now, "exp": now + 3600 });
        let encode = |part: &Json| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let text: String = private_key.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let unusable = || "the private key of the service account cannot be used".to_owned();
        let key = STANDARD.decode(text).ok().and_then(|der| RsaKeyPair::from_pkcs8(&der).ok()).ok_or_else(unusable)?;
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).map_err(|_| unusable())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The file that is named, else the one of `gcloud auth application-default login`.
fn find_account(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Account>, String> {
    let named = variable("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from);
    let is_named = named.is_some();
    let folder = variable("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(|| match variable("APPDATA") {
        Some(folder) if cfg!(windows) => Some(PathBuf::from(folder).join("gcloud")),
        _ => variable("HOME").map(|home| PathBuf::from(home).join(".config/gcloud")),
    });
    let usual = || folder.map(|folder| folder.join("application_default_credentials.json"));
    let Some(path) = named.or_else(usual) else { return Ok(None) };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(_) if !is_named => return Ok(None),
        Err(error) => {
            return Err(format!("GOOGLE_APPLICATION_CREDENTIALS cannot be read: {}: {error}", path.display()));
        }
    };
    match serde_json::from_str(&text) {
        Ok(Account::Unknown) | Err(_) => Err(format!(
            "{} holds neither a service account nor what `gcloud auth application-default login` writes",
            path.display()
        )),
        Ok(account) => Ok(Some(account)),
    }
}

impl Buckets for Gs {
    const SCHEME: &str = "gs";

    fn look(&self, uri: &str, location: &Location<'_>) -> Result<Known, Error> {
        let mut url = self.object_url(location)?;
        url.query_pairs_mut().append_pair("fields", FIELDS);
        if let Some(generation) = location.version {
            url.query_pairs_mut().append_pair("generation", generation);
        }
        let object: Object = self.json(uri, url)?;
        Ok(object.known())
    }

    fn list(&self, uri: &str, bucket: &str, folder: &str, max_objects: usize) -> Result<Vec<(String, Known)>, Error> {
        let mut objects = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut url = self.url(&format!("/storage/v1/b/{}/o", path_segment(bucket)))?;
            let fields = format!("nextPageToken,items({FIELDS})");
            url.query_pairs_mut().append_pair("prefix", folder).append_pair("fields", &fields);
            if let Some(token) = &next {
                url.query_pairs_mut().append_pair("pageToken", token);
            }
            let page: ObjectList = self.json(uri, url)?;
            let is_file = |object: &Object| !object.name.ends_with('/') && object.name.starts_with(folder);
            let files = page.items.into_iter().filter(is_file);
            objects.extend(files.map(|object| (object.name.clone(), object.known())));
            if objects.len() > max_objects {
                return Err(too_many(uri, max_objects));
            }
            match page.next_page_token {
                Some(token) if Some(&token) != next.as_ref() => next = Some(token),
                _ => return Ok(objects),
            }
        }
    }
}

/// The parts of a URI without its scheme; a version is a generation.
fn locate<'a>(uri: &str, rest: &'a str) -> Result<Location<'a>, Error> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match rest.rsplit_once('#').filter(|(path, number)| path.contains('/') && is_number(number)) {
        Some((path, generation)) => Location::new(uri, path, Some(generation)),
        None => Location::new(uri, rest, None),
    }
}

impl Object {
    fn known(self) -> Known {
        let mut extra = Map::new();
        extra.extend(self.etag.map(|tag| ("etag".to_owned(), Json::from(tag))));
        extra.insert("versionID".into(), Json::from(self.generation.clone()));
        // Objects that were put together of others have no MD5; a generation is never used twice.
        let digest = self.md5.unwrap_or(self.generation);
        Known { digest, size_bytes: self.size.and_then(|size| size.parse().ok()), extra }
    }
}

fn refusal(uri: &str, answer: &mut Response<Body>, is_known: bool) -> Error {
    let status = answer.status();
    let body: Json = serde_json::from_str(&text(answer, uri).unwrap_or_default()).unwrap_or_default();
    let message: String = body["error"]["message"].as_str().unwrap_or_default().chars().take(200).collect();
    let reason = if message.is_empty() { status.to_string() } else { format!("{status}: {message}") };
    match status {
        StatusCode::NOT_FOUND => missing(uri, format_args!("Google says {reason}")),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let hint = if is_known {
                "look at what this account may read"
            } else {
                "no account was found, so it was asked for as anybody may: run `gcloud auth application-default login`, or \
                 set GOOGLE_APPLICATION_CREDENTIALS"
            };
            Error::new(ErrorKind::Unauthorized, format!("Google refuses {uri}: {reason}\nhint: {hint}"))
        }
        _ => Error::new(ErrorKind::Server, format!("Google does not give {uri}: {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::super::References;
    use super::*;
    use crate::artifact::test_server::{Answer, Asked, Server};

    /// A key that nobody uses; made for this test.
    const KEY: &str = include_str!("../../../testdata/service-account-key.pem");

    fn references(variables: &[(&str, &str)]) -> References {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        References::with_variables(Arc::new(move |name| variables.get(name).cloned()))
    }

    fn object(name: &str, generation: u32, content: &str) -> Json {
        let md5 = Md5::of(content.as_bytes()).to_string();
        let size = content.len().to_string();
        json!({ "name": name, "generation": generation.to_string(), "size": size, "md5Hash": md5, "etag": "CJ=" })
    }

    /// A bucket "b" with "one" and "data/a b", "data/c" in pages of one.
    fn bucket() -> Server {
        Server::start(|asked: &Asked| {
            let json = |json: Json| Answer::new(200, json.to_string());
            let is_media = asked.query.get("alt").is_some_and(|alt| alt == "media");
            match (&*asked.path, asked.query.get("pageToken").map(String::as_str)) {
                ("/storage/v1/b/b/o/one", _) if is_media => {
                    Answer::new(200, "first").header("x-goog-generation", "7").ranged(asked)
                }
                ("/storage/v1/b/b/o/one", _) => json(object("one", 7, "first")),
                ("/storage/v1/b/b/o/data%2Fa%20b", _) if is_media => Answer::new(200, "a b"),
                ("/storage/v1/b/b/o", None) if asked.query["prefix"] == "data/" => json(
                    json!({ "items": [object("data/", 1, ""), object("data/a b", 2, "a b")], "nextPageToken": "2" }),
                ),
                ("/storage/v1/b/b/o", Some("2")) => json(json!({ "items": [object("data/c", 3, "c")] })),
                ("/storage/v1/b/b/o", _) => json(json!({})),
                _ => Answer::new(404, json!({ "error": { "message": "No such object" } }).to_string()),
            }
        })
    }

    fn entry(uri: &str, content: &str, generation: u32) -> ManifestEntry {
        let extra = Map::from_iter([
            ("etag".to_owned(), Json::from("CJ=")),
            ("versionID".to_owned(), Json::from(generation.to_string())),
        ]);
        let digest = Md5::of(content.as_bytes()).to_string();
        ManifestEntry::reference(uri.into(), digest, Some(content.len() as u64), extra)
    }

    fn resolve(references: &References, uri: &str) -> Result<Vec<(String, ManifestEntry)>, Error> {
        let found = references.resolve(uri, &ReferenceOptions::default())?;
        Ok(found.into_iter().map(|(path, entry)| (path.to_string(), entry)).collect())
    }

    fn fetch(references: &References, entry: &ManifestEntry) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        references.fetch(entry, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    #[test]
    fn objects_are_known_by_their_md5_and_generation() {
        let server = bucket();
        let references = references(&[("STORAGE_EMULATOR_HOST", &server.url)]);
        let one = entry("gs://b/one", "first", 7);
        assert_eq!(resolve(&references, "gs://b/one").unwrap(), [("one".into(), one.clone())]);
        assert_eq!(fetch(&references, &one).unwrap(), b"first");
        let asked = server.asked().pop().unwrap();
        assert_eq!((&*asked.query["generation"], asked.headers.get("authorization")), ("7", None));
        let error = fetch(&references, &entry("gs://b/one", "other", 7)).unwrap_err();
        let message = format!("gs://b/one has changed since it was referenced: its MD5 is not {}", Md5::of(b"other"));
        assert_eq!((error.kind(), error.to_string().lines().next()), (ErrorKind::Data, Some(&*message)));

        let expected =
            [("a b".into(), entry("gs://b/data/a b", "a b", 2)), ("c".into(), entry("gs://b/data/c", "c", 3))];
        assert_eq!(resolve(&references, "gs://b/data").unwrap(), expected);
        assert_eq!(fetch(&references, &expected[0].1).unwrap(), b"a b");
        let error = fetch(&references, &expected[1].1).unwrap_err();
        let message = "there is nothing at gs://b/data/c: Google says 404 Not Found: No such object";
        assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::NotFound, message));
        assert!(resolve(&references, "gs://b/none").is_err());
        assert!(resolve(&references, "gs://").is_err());
    }

    #[test]
    fn accounts_prove_themselves_once() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Server::start(|_| Answer::new(200, r#"{"access_token":"ya29.t","expires_in":3599}"#));
        let token_uri = format!("{}/token", tokens.url);
        let service = json!({
            "type": "service_account", "client_email": "x@y.iam", "private_key": KEY, "private_key_id": "k1",
            "token_uri": token_uri,
        });
        let user = json!({
            "type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r", "token_uri": token_uri,
        });
        for (account, uses_key) in [(service, true), (user, false)] {
            let path = folder.path().join("account.json");
            std::fs::write(&path, account.to_string()).unwrap();
            let gs = Gs::new(
                Arc::new(Web::new()),
                Arc::new({
                    let path = path.to_str().unwrap().to_owned();
                    move |name| (name == "GOOGLE_APPLICATION_CREDENTIALS").then(|| path.clone())
                }),
            );
            let before = tokens.lines().len();
            assert_eq!(gs.token("gs://b/o").unwrap().as_deref(), Some("ya29.t"));
            assert_eq!(gs.token("gs://b/o").unwrap().as_deref(), Some("ya29.t"));
            let asked = tokens.asked().split_off(before);
            assert_eq!(asked.len(), 1);
            let form: BTreeMap<String, String> =
                url::form_urlencoded::parse(asked[0].body.as_bytes()).into_owned().collect();
            if uses_key {
                check_assertion(&form["assertion"], &token_uri);
            } else {
                assert_eq!((&*form["grant_type"], &*form["refresh_token"]), ("refresh_token", "r"));
            }
        }
    }

    fn check_assertion(assertion: &str, audience: &str) {
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let der = KEY.lines().filter(|line| !line.starts_with('-')).collect::<String>();
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
        public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap();
        let claims: Json = serde_json::from_slice(&claims).unwrap();
        assert_eq!(
            (&claims["iss"], &claims["aud"], &claims["scope"]),
            (&"x@y.iam".into(), &audience.into(), &SCOPE.into())
        );
    }

    #[test]
    fn an_account_that_cannot_be_used_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("account.json");
        let token = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let path = path.to_str().unwrap().to_owned();
            let variables: Variables =
                Arc::new(move |name| (name == "GOOGLE_APPLICATION_CREDENTIALS").then(|| path.clone()));
            Gs::new(Arc::new(Web::new()), variables).token("gs://b/o").unwrap_err().to_string()
        };
        for text in ["{", r#"{"type":"external_account"}"#] {
            assert!(token(text).contains("holds neither a service account nor what"), "{text}");
        }
        let wrong = json!({ "type": "service_account", "client_email": "x", "private_key": "secret" }).to_string();
        let error = token(&wrong);
        assert!(
            error.starts_with("Google gives no access for gs://b/o: the private key of the service account"),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
        let tokens = Server::start(|_| Answer::new(400, r#"{"error":"invalid_grant","error_description":"revoked"}"#));
        let user = json!({ "type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r", "token_uri": tokens.url });
        assert!(token(&user.to_string()).contains(": 400 Bad Request revoked\nhint: log in anew"));
    }
}
