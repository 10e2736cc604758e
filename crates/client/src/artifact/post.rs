//! Sending what a journal says about artifacts, once: whoever does it notes the answer, and whoever comes later finds it.

use steplog_journal::RunFolder;
use steplog_model::{ArtifactLink, ArtifactRecord, LoggedArtifact, RunPath};
use steplog_protocol::ArtifactPlace;

use super::ArtifactInfo;
use super::cache::{self, Cache};
use super::local::LocalStore;
use super::receipt::{Answer, Receipts};
use super::ship::{ShipError, ShipPulse, link_request, ship};
use crate::transport::{ArtifactTransport, TransportError};

/// A run whose artifacts go to a server.
pub(crate) struct Post {
    pub(crate) run: RunPath,
    /// URL.
    pub(crate) server: String,
    pub(crate) store: LocalStore,
    pub(crate) receipts: Receipts,
    /// Where bytes go that the server has; nowhere, if there is none.
    pub(crate) cache: Option<Cache>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Posted {
    /// The server has it.
    Done,
    /// It will not have it, and why.
    Refused(String),
}

/// Why nothing became of it yet.
#[derive(Debug)]
pub(crate) enum PostError {
    /// The server does not answer, or does not let us.
    Transport(TransportError),
    /// The server has it, which cannot be noted.
    Unwritable(String),
    /// Somebody said stop.
    Stopped,
}

impl Post {
    /// For the run in a folder.
    pub(crate) fn new(folder: &RunFolder, run: RunPath, server: &str) -> Self {
        Self {
            run,
            server: server.to_owned(),
            store: LocalStore::of_run(folder),
            receipts: Receipts::of(folder),
            cache: Cache::open().ok(),
        }
    }

    /// Whether nothing is left to do for a record.
    pub(crate) fn is_done(&self, record: &ArtifactRecord) -> bool {
        match record {
            ArtifactRecord::Logged(logged) => self.receipts.is_settled(logged.id, &self.server),
            ArtifactRecord::Linked(link) => {
                matches!(self.receipts.link(link, &self.server), Some(Answer::Committed(_)))
            }
            ArtifactRecord::Used(_) => true,
        }
    }

    /// Sends an artifact or a link, unless that was done before.
    pub(crate) fn send(
        &self,
        record: &ArtifactRecord,
        transport: &dyn ArtifactTransport,
        pulse: &ShipPulse,
    ) -> Result<Posted, PostError> {
        if self.is_done(record) {
            return Ok(Posted::Done);
        }
        match record {
            ArtifactRecord::Logged(logged) => self.send_artifact(logged, transport, pulse),
            ArtifactRecord::Linked(link) => self.send_link(link, transport),
            ArtifactRecord::Used(_) => Ok(Posted::Done),
        }
    }

    fn send_artifact(
        &self,
        logged: &LoggedArtifact,
        transport: &dyn ArtifactTransport,
        pulse: &ShipPulse,
    ) -> Result<Posted, PostError> {
        let answer = match ship(logged, &self.run, &self.store, transport, pulse) {
            Ok(info) => Answer::Committed(Box::new(info)),
            Err(ShipError::Deleted) => Answer::Deleted,
            Err(ShipError::Local(reason)) => Answer::Refused(reason),
            Err(ShipError::Transport(TransportError::Refused(reason))) => {
                Answer::Refused(format!("the server refuses it: {reason}"))
            }
            Err(ShipError::Transport(error)) => return Err(PostError::Transport(error)),
            Err(ShipError::Stopped) => return Err(PostError::Stopped),
        };
        self.receipts.note_artifact(logged.id, &self.server, answer.clone()).map_err(|error| {
            PostError::Unwritable(format!("that the artifact {} was sent cannot be noted: {error}", logged.collection))
        })?;
        match answer {
            Answer::Committed(info) => {
                self.note_version(logged, &info);
                self.keep_bytes(logged);
                Ok(Posted::Done)
            }
            Answer::Refused(reason) => {
                Ok(Posted::Refused(format!("the artifact {} was not sent: {reason}", logged.collection)))
            }
            Answer::Deleted => Ok(Posted::Done),
        }
    }

    /// Says in the collection on this disk what the version is on the server.
    fn note_version(&self, logged: &LoggedArtifact, info: &ArtifactInfo) {
        let ArtifactInfo { entity, project, collection, version, .. } = info.clone();
        let place = ArtifactPlace { entity, project, collection, version };
        // It is of use to people, and nothing hangs on it.
        let _ = self.store.change_collection(&self.run.project, &logged.collection, |found| {
            let mut found = found.ok_or_else(|| crate::Error::invalid("there is no such collection"))?;
            if let Some(version) = found.logged_as(logged.id).map(|local| local.version)
                && let Some(local) = found.get_mut(version)
            {
                local.servers.insert(self.server.clone(), place);
            }
            Ok((found, ()))
        });
    }

    /// The server has the bytes: here they are no more than a copy that saves fetching them.
    fn keep_bytes(&self, logged: &LoggedArtifact) {
        let Ok(manifest) = self.store.load_manifest(logged.manifest) else { return };
        let hashes = manifest.entries().filter_map(|(_, entry)| entry.sha256());
        cache::adopt_all(
            self.cache.as_ref(),
            hashes.map(|hash| (hash, self.store.blob(hash))).filter(|(_, path)| path.is_file()),
        );
    }

    fn send_link(&self, link: &ArtifactLink, transport: &dyn ArtifactTransport) -> Result<Posted, PostError> {
        let used = &link.artifact;
        let receipt = used.id.and_then(|id| self.receipts.artifact(id, &self.server));
        let source = match receipt {
            Some(Answer::Committed(info)) => info.source,
            Some(Answer::Refused(_) | Answer::Deleted) => {
                let message = format!("{} was not linked, for it is not on the server", used.name());
                return Ok(Posted::Refused(message));
            }
            // Logged by another process of the run, which has not sent it yet.
            None if used.entity.is_none() => {
                let message = format!("{} is not linked yet, for it is not on the server", used.name());
                return Ok(Posted::Refused(message));
            }
            None => ArtifactPlace {
                entity: used.entity.as_ref().unwrap_or(&self.run.entity).to_string(),
                project: used.project.as_ref().unwrap_or(&self.run.project).to_string(),
                collection: used.collection.to_string(),
                version: used.version.to_string(),
            },
        };
        let entity = link.target_entity.as_ref().unwrap_or(&self.run.entity);
        let project = link.target_project.as_ref().unwrap_or(&self.run.project);
        let request = link_request(source, &link.aliases);
        let answer = match transport.link_artifact(entity, project, &link.target_collection, &request) {
            Ok(info) => Answer::Committed(Box::new(info)),
            Err(TransportError::Refused(reason)) => Answer::Refused(reason),
            Err(error) => return Err(PostError::Transport(error)),
        };
        self.receipts.note_link(link, &self.server, answer.clone()).map_err(|error| {
            PostError::Unwritable(format!("that {} was linked cannot be noted: {error}", used.name()))
        })?;
        match answer {
            Answer::Refused(reason) => Ok(Posted::Refused(format!("{} was not linked: {reason}", used.name()))),
            Answer::Committed(_) | Answer::Deleted => Ok(Posted::Done),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::path::Path;
    use std::sync::atomic::Ordering;

    use steplog_journal::{JournalReader, artifact_records};
    use steplog_model::{Manifest, ManifestEntry, Md5};
    use steplog_protocol::MAX_PART_BYTES;
    use tempfile::TempDir;

    use super::*;
    use crate::artifact::fake_server::{FakeServer, Fault};
    use crate::artifact::{AddOptions, AddPolicy, Artifact};
    use crate::message::Verbosity;
    use crate::run::{Run, lock};
    use crate::settings::Mode;

    const NONE: &[&str] = &[];
    const SERVER: &str = "http://server";

    struct Place {
        root: TempDir,
        run: Run,
    }

    impl Place {
        fn new() -> Self {
            let root = TempDir::new().unwrap();
            let builder = Run::builder("digits").entity("ada").id("maker").root(root.path()).mode(Mode::Offline);
            let builder = builder.verbosity(Verbosity::Silent).system_metrics(false).disable_git(true);
            Self { run: builder.init().unwrap(), root }
        }

        fn write(&self, name: &str, content: impl AsRef<[u8]>) {
            let path = self.root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        /// Logs a folder.
        fn log(&self, folder: &str, policy: AddPolicy, aliases: &[&str]) -> Artifact {
            let artifact = Artifact::new("data", "dataset").unwrap();
            let options = AddOptions { policy, ..AddOptions::default() };
            artifact.add_dir(self.root.path().join(folder), None, &options).unwrap();
            self.run.log_artifact(&artifact, aliases).unwrap();
            artifact
        }

        fn folder(&self) -> RunFolder {
            RunFolder::at(self.run.dir().unwrap().parent().unwrap())
        }

        fn post(&self) -> Post {
            let post = Post::new(&self.folder(), "ada/digits/maker".parse().unwrap(), SERVER);
            // That of the person who runs the tests is none of theirs.
            Post { cache: None, ..post }
        }

        fn records(&self) -> Vec<ArtifactRecord> {
            let stream = self.run.stream().parse().unwrap();
            artifact_records(&JournalReader::new(self.folder().journal(stream)), &mut 0).unwrap()
        }

        /// Sends all that the journal says.
        fn send(&self, server: &FakeServer) -> Result<Vec<Posted>, PostError> {
            let (post, pulse) = (self.post(), ShipPulse::default());
            self.records().iter().map(|record| post.send(record, server, &pulse)).collect()
        }

        fn blob_count(&self) -> usize {
            fn count(folder: &Path) -> usize {
                let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
                entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
            }
            count(&self.root.path().join("steplog/.artifacts/blobs"))
        }
    }

    /// Small files, equal ones, an empty one, and one of several parts.
    fn fill(place: &Place) {
        for number in 0..100 {
            place.write(&format!("data/{number}"), vec![number / 2; 200_000]);
        }
        place.write("data/empty", "");
        let large: Vec<u8> = (0..MAX_PART_BYTES * 2 + 5).map(|index| (index / 3 % 253) as u8).collect();
        place.write("data/large", large);
    }

    fn paths(manifest: &Manifest) -> Vec<String> {
        manifest.entries().map(|(path, _)| path.to_string()).collect()
    }

    #[test]
    fn everything_is_sent_once_and_named_in_one_step() {
        let place = Place::new();
        fill(&place);
        let artifact = place.log("data", AddPolicy::Mutable, &["best"]);
        let server = FakeServer::default();
        assert_eq!(place.send(&server).unwrap(), [Posted::Done]);

        let state = lock(&server.state);
        let (request, manifest) = &state.versions["data"][0];
        assert_eq!(
            (request.aliases.clone(), request.run_id.as_deref()),
            (vec!["best".to_owned(), "latest".into()], Some("maker"))
        );
        assert_eq!((request.step, request.if_latest.clone(), manifest.len()), (Some(0), None, 102));
        assert_eq!(request.digest, artifact.digest());
        // 50 contents of 200 kB, the empty file; the manifest goes alone, behind them.
        assert_eq!((state.pack_sizes.len(), state.wasted_bytes), (3, 0));
        assert_eq!(state.pack_sizes.iter().take(2).sum::<usize>(), 50 * 200_000 + 51 * 36);
        assert_eq!(state.blobs.len(), 53);
        drop(state);

        // Bytes that the server has are kept as long as the cache likes, and not here.
        assert_eq!(place.blob_count(), 0);
        let before = server.requests.load(Ordering::SeqCst);
        assert_eq!(place.send(&server).unwrap(), [Posted::Done]);
        assert_eq!(server.requests.load(Ordering::SeqCst), before);
        let collection = place.post().store.collection(&"digits".parse().unwrap(), &"data".parse().unwrap());
        let local = collection.unwrap().unwrap().versions.remove(0);
        assert_eq!(local.servers[SERVER].version, "v10");
    }

    #[test]
    fn what_is_cut_goes_on_where_it_was() {
        let mut request = 0;
        loop {
            let place = Place::new();
            fill(&place);
            place.log("data", AddPolicy::Mutable, NONE);
            let fault = if request % 2 == 0 { Fault::RequestLost } else { Fault::AnswerLost };
            let server = FakeServer::failing([(request, fault)]);
            let was_cut = place.send(&server).is_err();
            if was_cut {
                assert_eq!(place.send(&server).unwrap(), [Posted::Done], "request {request}");
            }
            let state = lock(&server.state);
            assert_eq!((state.versions["data"].len(), state.wasted_bytes), (1, 0), "request {request}");
            if !was_cut {
                break;
            }
            request += 1;
        }
        assert!(request >= 8, "{request}");
    }

    #[test]
    fn an_original_that_was_changed_is_refused_and_others_are_read_where_they_are() {
        let place = Place::new();
        place.write("data/a", "first");
        place.write("data/b", "second");
        place.log("data", AddPolicy::Immutable, NONE);
        assert_eq!(place.blob_count(), 0);
        let server = FakeServer::default();
        assert_eq!(place.send(&server).unwrap(), [Posted::Done]);
        assert_eq!(lock(&server.state).versions["data"].len(), 1);

        place.write("data/a", "third");
        place.log("data", AddPolicy::Immutable, NONE);
        place.write("data/a", "fourth");
        let changed = place.root.path().join("data/a");
        let expected = format!(
            "the artifact data was not sent: {} was changed after it was added; log it again, without the policy \
             \"immutable\" if it is to change",
            changed.display()
        );
        assert_eq!(place.send(&server).unwrap(), [Posted::Done, Posted::Refused(expected)]);
        assert_eq!(lock(&server.state).versions["data"].len(), 1);
        // Put back as it was it has another time, and counts as changed.
        place.write("data/a", "third");
        assert!(matches!(place.send(&server).unwrap()[1], Posted::Refused(_)));
    }

    #[test]
    fn an_incremental_artifact_goes_above_whatever_is_newest_there() {
        let place = Place::new();
        let entry = |text: &str| {
            let mut bytes = [0; 32];
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            ManifestEntry::reference(format!("s3://b/{text}"), text.into(), None, serde_json::Map::new())
        };
        let rival: Manifest = [("a", "1"), ("b", "1"), ("c/d", "1")]
            .map(|(path, text)| (path.parse().unwrap(), entry(text)))
            .into_iter()
            .collect();
        let server = FakeServer::default();
        lock(&server.state).rival = Some(rival);
        let artifact = Artifact::new("data", "dataset").unwrap();
        artifact.set_incremental(true).unwrap();
        for path in ["b", "c"] {
            let mut file = artifact.new_file(path).unwrap();
            file.write_all(b"x").unwrap();
            file.finish().unwrap();
        }
        place.run.log_artifact(&artifact, NONE).unwrap();
        assert_eq!(place.send(&server).unwrap(), [Posted::Done]);
        let state = lock(&server.state);
        let (request, manifest) = &state.versions["data"][1];
        assert_eq!(
            (request.if_latest.as_deref(), paths(manifest)),
            (Some("v10"), ["a", "b", "c"].map(str::to_owned).to_vec())
        );
        assert_eq!(manifest.get(&"a".parse().unwrap()), Some(&entry("1")));
        let own =
            ManifestEntry::stored(1, Md5::of(b"x"), manifest.get(&"b".parse().unwrap()).unwrap().sha256().unwrap());
        assert_eq!(manifest.get(&"b".parse().unwrap()), Some(&own));
    }

    #[test]
    fn what_the_server_has_lost_meanwhile_is_sent_again() {
        let place = Place::new();
        place.write("data/a", "first");
        let artifact = place.log("data", AddPolicy::Mutable, NONE);
        let server = FakeServer::default();
        lock(&server.state).loses = artifact.entry(&"a".parse().unwrap()).unwrap().unwrap().sha256();
        assert_eq!(place.send(&server).unwrap(), [Posted::Done]);
        assert_eq!(lock(&server.state).versions["data"].len(), 1);
    }

    #[test]
    fn what_was_changed_or_deleted_here_goes_as_it_is_now() {
        let place = Place::new();
        for content in ["first", "second", "third"] {
            place.write("data/a", content);
            place.log("data", AddPolicy::Mutable, &["best"]);
        }
        let first = place.run.use_artifact("data:v0", None).unwrap();
        first.set_description("the first").unwrap();
        first.set_aliases(["best"]).unwrap();
        first.save().unwrap();
        place.run.use_artifact("data:v1", None).unwrap().delete(true).unwrap();
        let server = FakeServer::default();
        assert_eq!(place.send(&server).unwrap(), vec![Posted::Done; 5]);
        let state = lock(&server.state);
        let requests = state.versions["data"].iter().map(|(request, _)| request);
        let sent: Vec<_> =
            requests.map(|request| (request.description.as_deref(), request.aliases.join(" "))).collect();
        assert_eq!(sent, [(Some("the first"), "best".to_owned()), (None, "latest".to_owned())]);
    }

    #[test]
    fn links_follow_what_they_link() {
        let place = Place::new();
        place.write("data/a", "first");
        let artifact = place.log("data", AddPolicy::Mutable, NONE);
        place.run.link_artifact(&artifact, "registry/sets", &["production"]).unwrap();
        let server = FakeServer::default();
        assert_eq!(place.send(&server).unwrap(), [Posted::Done, Posted::Done]);
        assert_eq!(place.send(&server).unwrap(), [Posted::Done, Posted::Done]);
        let state = lock(&server.state);
        let [(target, request)] = &state.links[..] else { panic!("{:?}", state.links) };
        assert_eq!(
            (&**target, &*request.source.version, request.aliases.clone()),
            ("registry/sets", "v10", vec!["production".to_owned()])
        );
    }
}
