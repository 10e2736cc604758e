//! References to objects of Amazon S3 and what speaks as it does: `s3://bucket/key`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rusty_s3::actions::{ListObjectsV2, ListObjectsV2Response};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde_json::{Map, Value as Json};
use steplog_model::{FilePath, ManifestEntry};
use ureq::Body;
use ureq::http::{Response, StatusCode};
use url::Url;

use super::bucket::{Buckets, Location};
use super::parallel::in_threads;
use super::receive::{Rest, receive};
use super::web::{Call, Web, header, text};
use super::{Known, ReferenceOptions, Take, Variables, changed, ini, missing, too_many};
use crate::error::{Error, ErrorKind};

/// How long a signature is good for: a request is sent at once, clocks differ.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

/// Region of buckets when nobody names one.
const DEFAULT_REGION: &str = "us-east-1";

/// So many objects are asked for at a time.
const THREADS: usize = 16;

pub(super) struct S3 {
    web: Arc<Web>,
    variables: Variables,
    account: OnceLock<Result<Account, String>>,
    /// Of buckets that said they are elsewhere.
    regions: Mutex<HashMap<String, String>>,
}

/// Who we are, and whom we talk to.
#[derive(Debug)]
struct Account {
    /// None: anybody.
    credentials: Option<Credentials>,
    /// None: Amazon's, by region.
    endpoint: Option<Url>,
    region: String,
}

impl S3 {
    pub(super) fn new(web: Arc<Web>, variables: Variables) -> Self {
        Self { web, variables, account: OnceLock::new(), regions: Mutex::default() }
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
        check_key(uri, &location)?;
        let version = known.text("versionID").or_else(|| location.version.map(str::to_owned));
        let mut tag = (known.digest != uri).then(|| known.digest.clone());
        receive(
            uri,
            known.size_bytes,
            |offset| {
                let answer = self.ask(uri, location.bucket, |bucket, credentials| {
                    let mut action = bucket.get_object(credentials, location.key);
                    if let Some(version) = &version {
                        action.query_mut().insert("versionId", version.as_str());
                    }
                    Call::get(action.sign(SIGNED_FOR), uri).beginning_at(offset)
                })?;
                let found = header(answer.headers(), "etag").map(|tag| tag.trim_matches('"').to_owned());
                if let Some(tag) = &tag
                    && found.as_ref() != Some(tag)
                {
                    let found = found.as_deref().unwrap_or("none");
                    return Err(changed(uri, format_args!("its entity tag is {found}, not {tag}")));
                }
                tag = found.or(tag.take());
                Ok(Rest::of(answer))
            },
            take,
        )
    }

    /// Objects as the list has them; where the bucket keeps versions, as each says of itself.
    fn with_versions(&self, bucket: &str, objects: Vec<(String, Known)>) -> Result<Vec<(String, Known)>, Error> {
        let look = |key: &str| self.look(&format!("s3://{bucket}/{key}"), &Location { bucket, key, version: None });
        match objects.first() {
            Some((first, _)) if look(first)?.extra.contains_key("versionID") => {
                in_threads(THREADS, &objects, |(key, _)| Ok((key.clone(), look(key)?)))
            }
            _ => Ok(objects),
        }
    }

    /// The answer to a request that `make` signs; from the region where the bucket is, which Amazon tells.
    fn ask<'a>(
        &self,
        uri: &str,
        bucket: &str,
        make: impl Fn(&Bucket, Option<&Credentials>) -> Call<'a>,
    ) -> Result<Response<Body>, Error> {
        let account = self.account()?;
        let mut region = self.region(bucket, account);
        for _ in 0..2 {
            let place = account.bucket(bucket, &region)?;
            let mut answer = self.web.send(&make(&place, account.credentials.as_ref()))?;
            if matches!(answer.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
                return Ok(answer);
            }
            match header(answer.headers(), "x-amz-bucket-region").filter(|found| *found != region) {
                Some(found) if account.endpoint.is_none() && is_region(found) => {
                    region = found.to_owned();
                    self.regions.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.into(), region.clone());
                }
                _ => return Err(refusal(uri, &mut answer, account.credentials.is_some())),
            }
        }
        Err(Error::new(ErrorKind::Server, format!("{uri} is said to be in one region, then in another")))
    }

    fn region(&self, bucket: &str, account: &Account) -> String {
        let regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        regions.get(bucket).unwrap_or(&account.region).clone()
    }

    fn account(&self) -> Result<&Account, Error> {
        let account = self.account.get_or_init(|| Account::find(&*self.variables));
        account.as_ref().map_err(Error::invalid)
    }
}

impl Account {
    /// By variables, else by the files of Amazon's tools.
    fn find(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let profile = Profile::find(variable)?;
        let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_S3_ENDPOINT_URL"];
        let endpoint = endpoint.into_iter().find_map(variable).or_else(|| profile.get("endpoint_url"));
        let endpoint = endpoint
            .map(|text| {
                let url =
                    Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
                url.ok_or("the endpoint of S3 (AWS_ENDPOINT_URL_S3) is not an http:// or https:// URL".to_owned())
            })
            .transpose()?;
        let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(variable);
        let region = region.or_else(|| profile.get("region")).unwrap_or_else(|| DEFAULT_REGION.into());
        if !is_region(&region) {
            return Err(format!("the region {region:?} of S3 (AWS_REGION) is none"));
        }
        Ok(Self { credentials: credentials(variable, &profile)?, endpoint, region })
    }

    fn bucket(&self, name: &str, region: &str) -> Result<Bucket, Error> {
        // A certificate is good for one name before the endpoint's, and names of hosts have no capitals.
        let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let (endpoint, style) = match &self.endpoint {
            Some(endpoint) => (endpoint.clone(), UrlStyle::Path),
            None => {
                let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                let url = Url::parse(&format!("https://s3.{region}.{domain}")).expect("a region makes a host");
                (url, if name.chars().all(is_label) { UrlStyle::VirtualHost } else { UrlStyle::Path })
            }
        };
        Bucket::new(endpoint, style, name.to_owned(), region.to_owned())
            .map_err(|_| Error::invalid(format_args!("{name:?} cannot be the name of a bucket of S3")))
    }
}

fn credentials(variable: &dyn Fn(&str) -> Option<String>, profile: &Profile) -> Result<Option<Credentials>, String> {
    let make = |key: String, secret: String, token: Option<String>| match token {
        Some(token) => Credentials::new_with_token(key, secret, token),
        None => Credentials::new(key, secret),
    };
    // A profile that somebody asked for comes before what happens to be set.
    if !profile.is_named
        && let (Some(key), Some(secret)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"))
    {
        return Ok(Some(make(key, secret, variable("AWS_SESSION_TOKEN"))));
    }
    match (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
        (Some(key), Some(secret)) => Ok(Some(make(key, secret, profile.get("aws_session_token")))),
        _ if profile.is_named || profile.has_other_means() => Err(format!(
            "profile {:?} of AWS has no keys in its files, and other ways to get some are not taken here\n\
             hint: set keys for this process with `eval \"$(aws configure export-credentials --profile {0} --format env)\"`, \
             and unset AWS_PROFILE",
            profile.name
        )),
        _ => Ok(None),
    }
}

/// The settings of a profile, from both files; credentials count first.
#[derive(Debug)]
struct Profile {
    name: String,
    is_named: bool,
    settings: [std::collections::BTreeMap<String, String>; 2],
}

impl Profile {
    fn find(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let named = variable("AWS_PROFILE").or_else(|| variable("AWS_DEFAULT_PROFILE"));
        let name = named.clone().unwrap_or_else(|| "default".into());
        let home = variable("HOME").or_else(|| variable("USERPROFILE"));
        let file = |override_name: &str, file: &str| {
            let path = variable(override_name).map(PathBuf::from);
            let path = path.or_else(|| Some(PathBuf::from(home.as_deref()?).join(".aws").join(file)));
            ini::parse(&path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default())
        };
        let mut credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let mut config = file("AWS_CONFIG_FILE", "config");
        let found = [
            credentials.remove(&name),
            config
                .remove(&format!("profile {name}"))
                .or_else(|| (name == "default").then(|| config.remove("default"))?),
        ];
        if named.is_some() && found.iter().all(Option::is_none) {
            return Err(format!("profile {name:?} of AWS (AWS_PROFILE) is in none of its files"));
        }
        Ok(Self { name, is_named: named.is_some(), settings: found.map(Option::unwrap_or_default) })
    }

    fn get(&self, setting: &str) -> Option<String> {
        self.settings.iter().find_map(|settings| settings.get(setting)).filter(|value| !value.is_empty()).cloned()
    }

    fn has_other_means(&self) -> bool {
        ["role_arn", "sso_start_url", "sso_session", "credential_process"].iter().any(|name| self.get(name).is_some())
    }
}

impl Buckets for S3 {
    const SCHEME: &str = "s3";

    fn look(&self, uri: &str, location: &Location<'_>) -> Result<Known, Error> {
        check_key(uri, location)?;
        let answer = self.ask(uri, location.bucket, |bucket, credentials| {
            let mut action = bucket.head_object(credentials, location.key);
            if let Some(version) = location.version {
                action.query_mut().insert("versionId", version);
            }
            Call::head(action.sign(SIGNED_FOR), uri)
        })?;
        let headers = answer.headers();
        let size = header(headers, "content-length").and_then(|length| length.parse().ok());
        // "null" is the version of objects of a bucket that keeps none.
        let version = header(headers, "x-amz-version-id").filter(|version| *version != "null");
        known(uri, header(headers, "etag"), size, version.or(location.version))
    }

    fn list(&self, uri: &str, bucket: &str, folder: &str, max_objects: usize) -> Result<Vec<(String, Known)>, Error> {
        let mut objects = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut answer = self.ask(uri, bucket, |bucket, credentials| {
                let mut action = bucket.list_objects_v2(credentials);
                action.with_prefix(folder);
                if let Some(token) = &next {
                    action.with_continuation_token(token.as_str());
                }
                Call::get(action.sign(SIGNED_FOR), uri)
            })?;
            let page = parse_list(uri, &text(&mut answer, uri)?)?;
            for object in page.contents {
                // What marks a folder is no file.
                if !object.key.ends_with('/') && object.key.starts_with(folder) {
                    let known = known(uri, object.etag.as_deref(), object.size, None)?;
                    objects.push((object.key, known));
                }
            }
            if objects.len() > max_objects {
                return Err(too_many(uri, max_objects));
            }
            match page.next_continuation_token {
                Some(token) if Some(&token) != next.as_ref() => next = Some(token),
                _ => return self.with_versions(bucket, objects),
            }
        }
    }
}

/// The parts of a URI without its scheme.
fn locate<'a>(uri: &str, rest: &'a str) -> Result<Location<'a>, Error> {
    // Keys may have a "?" too.
    match rest.rsplit_once("?versionId=") {
        Some((path, version)) if !version.is_empty() => Location::new(uri, path, Some(version)),
        _ => Location::new(uri, rest, None),
    }
}

/// Such keys become addresses of other objects.
fn check_key(uri: &str, location: &Location<'_>) -> Result<(), Error> {
    if location.key.is_empty() || location.key.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(Error::invalid(format_args!("{uri} has a key that cannot be asked for")));
    }
    Ok(())
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn known(uri: &str, tag: Option<&str>, size_bytes: Option<u64>, version: Option<&str>) -> Result<Known, Error> {
    let tag = tag.map(|tag| tag.trim_matches('"')).filter(|tag| !tag.is_empty());
    let tag = tag.ok_or_else(|| Error::new(ErrorKind::Server, format!("nothing is said of the content of {uri}")))?;
    let mut extra = Map::from_iter([("etag".to_owned(), Json::from(tag))]);
    extra.extend(version.map(|version| ("versionID".to_owned(), Json::from(version))));
    Ok(Known { digest: tag.to_owned(), size_bytes, extra })
}

fn parse_list(uri: &str, xml: &str) -> Result<ListObjectsV2Response, Error> {
    // Some servers leave the name space out, which is then the only difference.
    let xml = if xml.contains("xmlns=") {
        Cow::Borrowed(xml)
    } else {
        let named = r#"<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">"#;
        Cow::Owned(xml.replacen("<ListBucketResult>", named, 1))
    };
    ListObjectsV2::parse_response(&xml).map_err(|error| {
        Error::new(ErrorKind::Server, format!("the list of objects of {uri} is not understood: {error}"))
    })
}

fn refusal(uri: &str, answer: &mut Response<Body>, is_signed: bool) -> Error {
    let status = answer.status();
    let body = text(answer, uri).unwrap_or_default();
    let element = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0.chars().filter(|c| !c.is_control()).take(200).collect::<String>())
    };
    let reason = match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => format!("{status}, {code}: {message}"),
        (Some(code), None) => format!("{status}, {code}"),
        _ => status.to_string(),
    };
    match status {
        StatusCode::NOT_FOUND => missing(uri, format_args!("S3 says {reason}")),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
            let hint = if is_signed {
                "look at what these keys may do, and at AWS_PROFILE and AWS_REGION"
            } else {
                "no keys were found, so it was asked for as anybody may: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
                 or AWS_PROFILE"
            };
            Error::new(ErrorKind::Unauthorized, format!("S3 refuses {uri}: {reason}\nhint: {hint}"))
        }
        _ => Error::new(ErrorKind::Server, format!("S3 does not give {uri}: {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::References;
    use super::*;
    use crate::artifact::test_server::{Answer, Asked, Server};

    fn references(variables: &[(&str, &str)]) -> References {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        References::with_variables(Arc::new(move |name| variables.get(name).cloned()))
    }

    fn at(server: &Server) -> References {
        references(&[("AWS_ENDPOINT_URL_S3", &server.url)])
    }

    fn resolve(
        references: &References,
        uri: &str,
        options: &ReferenceOptions,
    ) -> Result<Vec<(String, ManifestEntry)>, Error> {
        let found = references.resolve(uri, options)?;
        Ok(found.into_iter().map(|(path, entry)| (path.to_string(), entry)).collect())
    }

    fn entry(uri: &str, tag: &str, size: u64, version: Option<&str>) -> ManifestEntry {
        known(uri, Some(tag), Some(size), version).unwrap().into_entry(uri.into()).unwrap()
    }

    fn fetch(references: &References, entry: &ManifestEntry) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        references.fetch(entry, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// A bucket "b" with "data/a 1.txt", "data/sub/b.txt" and what marks a folder, in pages of one; and "one".
    fn bucket(versioned: bool) -> Server {
        Server::start(move |asked: &Asked| {
            let object = |tag: &str, version: &str| {
                let answer = Answer::new(200, tag).header("etag", format!("\"{tag}\""));
                if versioned {
                    answer.header("x-amz-version-id", version)
                } else {
                    answer.header("x-amz-version-id", "null")
                }
            };
            let page = |contents: &str, next: Option<&str>| {
                let next = next.map_or("<IsTruncated>false</IsTruncated>".into(), |next| {
                    format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>")
                });
                Answer::new(
                    200,
                    format!(
                        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                     <Name>b</Name>{next}{contents}<EncodingType>url</EncodingType></ListBucketResult>"
                    ),
                )
            };
            let listed = |key: &str, tag: &str, size: u32| {
                format!("<Contents><Key>{key}</Key><ETag>&quot;{tag}&quot;</ETag><Size>{size}</Size></Contents>")
            };
            let next = asked.query.get("continuation-token").map(String::as_str);
            match (&*asked.path, next) {
                ("/b/one", _) if asked.query.get("versionId").is_some_and(|version| version == "old") => {
                    object("tag-old", "old")
                }
                ("/b/one", _) => object("tag-one", "v1"),
                ("/b/data/a%201.txt", _) => object("tag-a", "va"),
                ("/b/data/sub/b.txt", _) => object("tag-b", "vb"),
                ("/b/", None) if asked.query["prefix"] == "data/" => {
                    page(&(listed("data/", "0", 0) + &listed("data/a+1.txt", "tag-a", 5)), Some("2"))
                }
                ("/b/", Some("2")) => page(&listed("data/sub/b.txt", "tag-b", 5), None),
                ("/b/", _) => page("", None),
                _ => Answer::new(404, "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"),
            }
        })
    }

    #[test]
    fn an_object_is_known_by_its_tag_and_version() {
        let server = bucket(true);
        let references = at(&server);
        let uri = "s3://b/one";
        let one = entry(uri, "tag-one", 7, Some("v1"));
        assert_eq!(resolve(&references, uri, &ReferenceOptions::default()).unwrap(), [("one".into(), one.clone())]);
        assert_eq!(fetch(&references, &one).unwrap(), b"tag-one");
        assert_eq!(server.asked()[1].query["versionId"], "v1");
        let old = entry("s3://b/one?versionId=old", "tag-old", 7, Some("old"));
        let named = ReferenceOptions { name: Some("x".into()), ..ReferenceOptions::default() };
        let found = resolve(&references, "s3://b/one?versionId=old", &named).unwrap();
        assert_eq!(found, [("x".into(), old.clone())]);
        assert_eq!(fetch(&references, &old).unwrap(), b"tag-old");

        let error = fetch(&references, &entry(uri, "other", 7, None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(
            error
                .to_string()
                .starts_with("s3://b/one has changed since it was referenced: its entity tag is tag-one, not other\n")
        );
        let error = fetch(&references, &entry("s3://b/gone", "x", 1, None)).unwrap_err();
        let message = "there is nothing at s3://b/gone: S3 says 404 Not Found, NoSuchKey: none";
        assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::NotFound, message));
    }

    #[test]
    fn a_prefix_stands_for_its_objects_page_by_page() {
        for versioned in [false, true] {
            let references = at(&bucket(versioned));
            let version = |version| Some(version).filter(|_| versioned);
            let expected = [
                ("a 1.txt".to_owned(), entry("s3://b/data/a 1.txt", "tag-a", 5, version("va"))),
                ("sub/b.txt".to_owned(), entry("s3://b/data/sub/b.txt", "tag-b", 5, version("vb"))),
            ];
            for uri in ["s3://b/data", "s3://b/data/"] {
                assert_eq!(resolve(&references, uri, &ReferenceOptions::default()).unwrap(), expected);
            }
            let named = ReferenceOptions { name: Some("x/".into()), ..ReferenceOptions::default() };
            let names: Vec<String> =
                resolve(&references, "s3://b/data", &named).unwrap().into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["x/a 1.txt", "x/sub/b.txt"]);
            assert_eq!(fetch(&references, &expected[0].1).unwrap(), b"tag-a");
            let few = ReferenceOptions { max_objects: 1, ..ReferenceOptions::default() };
            assert!(resolve(&references, "s3://b/data", &few).unwrap_err().to_string().contains("more than 1 objects"));
            let error = resolve(&references, "s3://b/nothing", &ReferenceOptions::default()).unwrap_err();
            assert_eq!(
                error.to_string(),
                "there is nothing at s3://b/nothing: neither an object nor a folder has this name"
            );
        }
    }

    #[test]
    fn what_is_not_looked_at_is_not_asked_for() {
        let references = references(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]);
        let options = ReferenceOptions { checksum: false, ..ReferenceOptions::default() };
        for (uri, name) in [("s3://b/some/key", "some/key"), ("s3://b", "b"), ("s3://b/f/", "f")] {
            let found = resolve(&references, uri, &options).unwrap();
            assert_eq!(found, [(name.into(), ManifestEntry::reference(uri.into(), uri.into(), None, Map::new()))]);
        }
        for uri in ["s3://", "s3:///key"] {
            assert!(resolve(&references, uri, &options).unwrap_err().to_string().contains("names no bucket"), "{uri}");
        }
        for uri in ["s3://b/../other/key", "s3://b/a/./c"] {
            let error = resolve(&references, uri, &ReferenceOptions::default()).unwrap_err();
            assert_eq!(error.to_string(), format!("{uri} has a key that cannot be asked for"));
        }
    }

    #[test]
    fn requests_are_signed_with_what_the_environment_or_a_profile_says() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        let files = [
            (
                "credentials",
                "[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key = s\n[two]\naws_access_key_id=AKTWO\naws_secret_access_key=s\naws_session_token=tok\n",
            ),
            ("config", "[profile two]\nregion = eu-west-3\n[profile role]\nrole_arn = arn:x\n"),
        ];
        for (name, text) in files {
            std::fs::write(home.path().join(".aws").join(name), text).unwrap();
        }
        let server = bucket(false);
        let home = home.path().to_str().unwrap();
        let base = [("HOME", home), ("AWS_ENDPOINT_URL_S3", &*server.url)];
        let signed = |more: &[(&str, &str)]| {
            let references = references(&[&base, more].concat());
            resolve(&references, "s3://b/one", &ReferenceOptions::default()).map(|_| {
                let query = server.asked().pop().unwrap().query;
                let credential = query.get("X-Amz-Credential").map(|text| {
                    let parts: Vec<&str> = text.split('/').collect();
                    format!("{} {}", parts[0], parts[2])
                });
                (credential.unwrap_or_default(), query.get("X-Amz-Security-Token").cloned())
            })
        };
        let keys = [("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
        assert_eq!(signed(&[]).unwrap(), ("AKDEFAULT us-east-1".into(), None));
        assert_eq!(signed(&[("AWS_REGION", "eu-west-1")]).unwrap(), ("AKDEFAULT eu-west-1".into(), None));
        assert_eq!(signed(&[("AWS_PROFILE", "two")]).unwrap(), ("AKTWO eu-west-3".into(), Some("tok".into())));
        let with_token = [keys[0], keys[1], ("AWS_SESSION_TOKEN", "t2")];
        assert_eq!(signed(&with_token).unwrap(), ("AKENV us-east-1".into(), Some("t2".into())));
        let anonymous = [("HOME", "/nowhere")];
        assert_eq!(signed(&anonymous).unwrap(), (String::new(), None));
        let error = signed(&[("AWS_PROFILE", "role")]).unwrap_err().to_string();
        assert!(error.starts_with("profile \"role\" of AWS has no keys in its files"), "{error}");
        let error = signed(&[("AWS_PROFILE", "three")]).unwrap_err().to_string();
        assert_eq!(error, "profile \"three\" of AWS (AWS_PROFILE) is in none of its files");
    }

    #[test]
    fn refusals_say_what_to_do_and_show_no_key() {
        let server = Server::start(|_| {
            Answer::new(403, "<Error><Code>InvalidAccessKeyId</Code><Message>unknown</Message></Error>")
        });
        let variables = [
            ("AWS_ENDPOINT_URL_S3", &*server.url),
            ("AWS_ACCESS_KEY_ID", "AKENV"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ];
        let error = fetch(&references(&variables), &entry("s3://b/one", "t", 1, None)).unwrap_err();
        let expected = "S3 refuses s3://b/one: 403 Forbidden, InvalidAccessKeyId: unknown\n\
                        hint: look at what these keys may do, and at AWS_PROFILE and AWS_REGION";
        assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::Unauthorized, expected));
        let error = fetch(&references(&variables[..1]), &entry("s3://b/one", "t", 1, None)).unwrap_err();
        assert!(error.to_string().contains("\nhint: no keys were found"), "{error}");
        let unreachable = [("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), variables[1], variables[2]];
        let error = fetch(&references(&unreachable), &entry("s3://b/one", "t", 1, None)).unwrap_err();
        assert!(error.to_string().starts_with("s3://b/one cannot be reached: "), "{error}");
        assert!(!error.to_string().contains("AKENV"), "{error}");
    }

    #[test]
    fn amazon_is_asked_where_the_bucket_is() {
        let account = |variables: &[(&str, &str)]| {
            let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
            Account::find(&|name| variables.get(name).map(|value| (*value).to_owned()))
        };
        let amazon = account(&[]).unwrap();
        let url = |bucket: &str, region: &str| amazon.bucket(bucket, region).unwrap().object_url("k").to_string();
        assert_eq!(url("data-1", "eu-west-1"), "https://data-1.s3.eu-west-1.amazonaws.com/k");
        assert_eq!(url("my.data", "us-east-1"), "https://s3.us-east-1.amazonaws.com/my.data/k");
        assert_eq!(url("data", "cn-north-1"), "https://data.s3.cn-north-1.amazonaws.com.cn/k");
        let own = account(&[("AWS_S3_ENDPOINT_URL", "http://minio:9000/s3/")]).unwrap();
        assert_eq!(own.bucket("data", "x").unwrap().object_url("k").as_str(), "http://minio:9000/s3/data/k");
        assert!(account(&[("AWS_ENDPOINT_URL", "minio:9000")]).is_err());
        assert!(account(&[("AWS_REGION", "evil.example/")]).is_err());
    }
}
