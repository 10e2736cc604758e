//! What a run has to do with artifacts: those that it logs, and those that it uses.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use steplog_journal::RunFolder;
use steplog_model::{
    Alias, ArtifactDetails, ArtifactId, ArtifactLink, ArtifactName, ArtifactRecord, ArtifactType, ArtifactUse,
    CollectionName, ContentHash, Entity, FilePath, LoggedArtifact, Manifest, Project, Selector, Version, path_segment,
};
use steplog_protocol::{CollectionKind, RunArtifacts as RunArtifactList};

use super::ArtifactInfo;
use super::cache;
use super::collection::{Collection, LocalPlace, LoggedAs, NewVersion};
use super::committed::{Committed, Origin};
use super::draft::Draft;
use super::early::EarlySender;
use super::handle::Artifact;
use super::hash::hash_own;
use super::local::{LocalStore, Original};
use super::receipt::{Answer, Receipts};
use super::ship::merged;
use super::uploader::{ArtifactUploader, Presence};
use crate::api::{ApiSettings, Connection};
use crate::error::{Error, ErrorKind};
use crate::files::open_to_read;
use crate::run::{Identity, lock, now};
use crate::settings::{Mode, Resolved};
use crate::source::Sources;
use crate::transport::Http;

/// A server that never answered is waited for so long when a version is wanted, where somebody named it.
const ABSENCE_PATIENCE: Duration = Duration::from_secs(5);

/// How often is looked whether a version is there.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// How often a forked child, which has no thread that sends, finds out whether there is a server.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);

/// The artifacts of a run. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct RunArtifacts {
    inner: Arc<Inner>,
}

struct Inner {
    identity: Identity,
    settings: Resolved,
    store: LocalStore,
    /// Made with the first question.
    connection: OnceLock<Arc<Connection>>,
    /// `None` unless the run is online.
    uploader: Option<ArtifactUploader>,
    logged: Mutex<Vec<Ticket>>,
    used: Mutex<Vec<Committed>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunArtifacts").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// A logged artifact, by which its version is found.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    session: RunArtifacts,
    collection: CollectionName,
    id: ArtifactId,
}

/// What a server knows of a run.
pub(crate) struct OnServer {
    pub(crate) logged: Vec<Artifact>,
    pub(crate) used: Vec<Artifact>,
}

/// What a server says to a question.
enum Told<T> {
    Found(T),
    Missing,
    /// There is no server, or none is to be asked.
    Nobody,
}

/// A draft as it is about to be logged.
pub(crate) struct Parts<'a> {
    pub(crate) draft: &'a mut Draft,
    pub(crate) collection: &'a CollectionName,
    pub(crate) r#type: &'a ArtifactType,
    pub(crate) details: ArtifactDetails,
    pub(crate) incremental: bool,
    /// Whether the run only takes it as an input.
    pub(crate) as_input: bool,
}

impl RunArtifacts {
    pub(crate) fn new(identity: &Identity, settings: &Resolved, uploader: Option<ArtifactUploader>) -> Self {
        let store = match &identity.folder {
            Some(folder) => LocalStore::of_run(folder),
            // A disabled run has none; what is here can be used all the same.
            None => LocalStore::current().unwrap_or_else(|_| LocalStore::below("steplog".as_ref())),
        };
        let inner = Inner {
            identity: identity.clone(),
            settings: settings.clone(),
            store,
            connection: OnceLock::new(),
            uploader,
            logged: Mutex::default(),
            used: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn uploader(&self) -> Option<&ArtifactUploader> {
        self.inner.uploader.as_ref()
    }

    /// A thread that sends bytes before they are logged; `None` when the run sends nothing.
    pub(crate) fn early_sender(&self) -> Option<EarlySender> {
        let Inner { identity, settings, .. } = &*self.inner;
        let uploader = self.uploader().filter(|uploader| uploader.is_own())?;
        let transport = Http::new(&settings.base_url, settings.api_key.as_deref());
        let (sender, thread) = EarlySender::start(identity.entity.clone(), transport)?;
        uploader.keep_early(thread);
        Some(sender)
    }

    fn folder(&self) -> Option<&RunFolder> {
        self.inner.identity.folder.as_ref()
    }

    fn is_online(&self) -> bool {
        self.inner.identity.mode.is_online()
    }

    /// The server of the run; nothing is sent yet.
    fn connection(&self) -> &Arc<Connection> {
        self.inner.connection.get_or_init(|| {
            let settings = ApiSettings {
                entity: Some(self.inner.identity.entity.to_string()),
                project: Some(self.inner.identity.project.to_string()),
                ..ApiSettings::default()
            };
            Arc::new(Connection::new(self.inner.settings.clone(), settings, &Sources::default()))
        })
    }

    /// Makes a draft a version on this disk; answers what the journal is to say of it.
    pub(crate) fn commit(&self, parts: Parts<'_>, step: i64) -> Result<(LoggedArtifact, Ticket), Error> {
        let Parts { draft, collection, r#type, details, incremental, as_input } = parts;
        details.check()?;
        let Inner { identity, store, .. } = &*self.inner;
        // What it has on its way is waited for before anything more is sent.
        draft.early = None;
        let _lock = store.lock_shared()?;
        self.take_in(draft, collection)?;
        let failed = |error| Error::io(error, format_args!("cannot log the artifact {collection}"));
        let own = draft.manifest.clone();
        let originals: Vec<Original> = draft.originals.values().cloned().collect();
        let own_manifest = store.save_manifest(&own, &originals).map_err(failed)?;
        let mut logged = LoggedArtifact {
            time: now(),
            id: ArtifactId::generate(),
            collection: collection.clone(),
            r#type: r#type.clone(),
            digest: own.digest(),
            manifest: own_manifest,
            file_count: own.len() as u64,
            size_bytes: own.size_bytes(),
            local_version: Version::new(0),
            details,
            step: Some(step),
            incremental,
            as_input,
        };
        logged.local_version = store.change_collection(&identity.project, collection, |found| {
            let mut all = self.open_collection(found, collection, r#type)?;
            let (manifest, hash) = match all.newest().filter(|_| incremental) {
                Some(newest) => self.add_to(newest.manifest, &own, &originals)?,
                None => (own.clone(), own_manifest),
            };
            let new = NewVersion {
                logged: LoggedAs { id: logged.id, manifest: own_manifest },
                digest: manifest.digest(),
                content_hash: manifest.content_hash(),
                manifest: hash,
                file_count: manifest.len() as u64,
                size_bytes: manifest.size_bytes(),
                details: logged.details.clone(),
                entity: identity.entity.clone(),
                run_id: (!as_input).then(|| identity.id.clone()),
                step: (!as_input).then_some(step),
                time: logged.time,
                source: None,
            };
            let version = all.commit(new);
            Ok((all, version))
        })?;
        let ticket = Ticket { session: self.clone(), collection: collection.clone(), id: logged.id };
        Ok((logged, ticket))
    }

    /// A disabled run keeps nothing, and answers as if it did.
    pub(crate) fn pretend(&self, parts: Parts<'_>) -> Committed {
        let Parts { draft, collection, r#type, details, .. } = parts;
        let identity = &self.inner.identity;
        let mut all =
            Collection::new(identity.project.clone(), collection.clone(), r#type.clone(), CollectionKind::Source);
        let nothing = ContentHash::from_bytes([0; 32]);
        let version = all.commit(NewVersion {
            logged: LoggedAs { id: ArtifactId::generate(), manifest: nothing },
            digest: draft.manifest.digest(),
            content_hash: nothing,
            manifest: nothing,
            file_count: draft.manifest.len() as u64,
            size_bytes: draft.manifest.size_bytes(),
            details,
            entity: identity.entity.clone(),
            run_id: Some(identity.id.clone()),
            step: None,
            time: now(),
            source: None,
        });
        Committed { info: all.info(all.get(version).expect("it was just made")), origin: Origin::Nowhere }
    }

    /// Brings the copies of a draft to where versions have theirs.
    fn take_in(&self, draft: &mut Draft, collection: &CollectionName) -> Result<(), Error> {
        let store = &self.inner.store;
        let manifest = draft.manifest.clone();
        let mut seen = HashSet::new();
        for (path, entry) in manifest.entries() {
            let Some(hash) = entry.sha256().filter(|hash| seen.insert(*hash)) else { continue };
            if let Some(staging) = draft.staging_if_any() {
                let copy = staging.blob(hash);
                match store.take_in(&copy, hash, staging.is_own()) {
                    Ok(()) => continue,
                    Err(error) if copy.exists() => {
                        return Err(Error::io(error, format_args!("cannot keep {}", copy.display())));
                    }
                    // It was added without a copy, or is that of an earlier version.
                    Err(_) => {}
                }
            }
            if draft.originals.contains_key(&hash) || store.blob(hash).is_file() {
                continue;
            }
            match draft.base.clone() {
                Some(base) if self.has(&base) => {}
                Some(base) => self.bring(draft, &base, path, hash)?,
                None => {
                    return Err(Error::new(
                        ErrorKind::Io,
                        format!("the copy of {path:?} in {collection} is gone; add it again"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether the bytes of a version are where the run's go.
    fn has(&self, version: &Committed) -> bool {
        let Inner { identity, settings, .. } = &*self.inner;
        match &version.origin {
            Origin::Server(connection) => {
                let is_same =
                    connection.base_url() == settings.base_url && version.info.entity == identity.entity.as_str();
                is_same && self.is_online()
            }
            Origin::Local(store, _) => *store == self.inner.store,
            Origin::Nowhere => true,
        }
    }

    /// Fetches a file of the version that a draft was made from: the run's server would not know its bytes.
    fn bring(&self, draft: &mut Draft, base: &Committed, path: &FilePath, hash: ContentHash) -> Result<(), Error> {
        let failed = |error| Error::io(error, format_args!("cannot fetch {path:?} of {}", base.name()));
        let store = &self.inner.store;
        if let Some(kept) = cache::find(hash) {
            return store.take_in(&kept, hash, false).map_err(failed);
        }
        let staging = draft.staging()?;
        let mut copy = staging.begin().map_err(failed)?;
        match &base.origin {
            Origin::Server(connection) => {
                let file: Vec<String> = path.parts().map(path_segment).collect();
                let mut body = connection.download(&format!("{}/files/{}", base.address(), file.join("/")))?;
                io::copy(&mut body, &mut copy.file).map_err(failed)?;
            }
            Origin::Local(other, manifest) => {
                let gone = || io::Error::new(io::ErrorKind::NotFound, "it is not on this disk any more");
                let place = other.blobs(*manifest)?.find(hash).ok_or_else(gone).map_err(failed)?;
                io::copy(&mut open_to_read(&place).map_err(failed)?, &mut copy.file).map_err(failed)?;
            }
            Origin::Nowhere => unreachable!("nobody's files are everybody's"),
        }
        let hashed = hash_own(copy.path());
        if !hashed.is_ok_and(|hashed| hashed.sha256 == hash) {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "it came with another hash")));
        }
        copy.keep(&staging, hash).map_err(failed)?;
        store.take_in(&staging.blob(hash), hash, staging.is_own()).map_err(failed)
    }

    fn open_collection(
        &self,
        found: Option<Collection>,
        name: &CollectionName,
        r#type: &ArtifactType,
    ) -> Result<Collection, Error> {
        match found {
            Some(found) => found.check(r#type, CollectionKind::Source).map(|()| found),
            None => {
                let project = self.inner.identity.project.clone();
                Ok(Collection::new(project, name.clone(), r#type.clone(), CollectionKind::Source))
            }
        }
    }

    /// Puts entries above those of a version on this disk.
    fn add_to(
        &self,
        newest: ContentHash,
        own: &Manifest,
        originals: &[Original],
    ) -> Result<(Arc<Manifest>, ContentHash), Error> {
        let store = &self.inner.store;
        let manifest = merged(&store.load_manifest(newest)?, own);
        let mut all: Vec<Original> = store.blobs(newest)?.originals().cloned().collect();
        all.extend(originals.iter().cloned());
        let hash = store.save_manifest(&manifest, &all).map_err(|error| Error::io(error, store.root().display()))?;
        Ok((Arc::new(manifest), hash))
    }

    /// Remembers what was logged and recorded, and lets it be sent.
    pub(crate) fn send(&self, ticket: &Ticket, logged: LoggedArtifact) {
        lock(&self.inner.logged).push(ticket.clone());
        if let Some(uploader) = &self.inner.uploader {
            uploader.add(ArtifactRecord::Logged(Box::new(logged)));
        }
    }

    /// What this process logged, in that order, as far as it has versions by now.
    pub(crate) fn logged(&self) -> Vec<Artifact> {
        let tickets = lock(&self.inner.logged).clone();
        let committed = tickets.iter().filter_map(|ticket| ticket.look()?.ok());
        let mut artifacts: Vec<Committed> = Vec::new();
        for committed in committed {
            let place = |committed: &Committed| (committed.info.collection.clone(), committed.info.version.clone());
            if !artifacts.iter().any(|other| place(other) == place(&committed)) {
                artifacts.push(committed);
            }
        }
        artifacts.into_iter().filter_map(|committed| Artifact::from_committed(committed).ok()).collect()
    }

    /// What this process used, in that order.
    pub(crate) fn used(&self) -> Vec<Artifact> {
        let used = lock(&self.inner.used).clone();
        used.into_iter().filter_map(|committed| Artifact::from_committed(committed).ok()).collect()
    }

    /// What all processes of the run logged and used, as the server has it; `None` where there is none.
    pub(crate) fn on_server(&self) -> Result<Option<OnServer>, Error> {
        let identity = &self.inner.identity;
        let names = [identity.entity.as_str(), identity.project.as_str(), identity.id.as_str()];
        let path = format!("/runs/{}/artifacts", names.map(path_segment).join("/"));
        let Told::Found(list) = self.ask::<RunArtifactList>(&path)? else { return Ok(None) };
        let artifacts = |infos: Vec<ArtifactInfo>| -> Result<Vec<Artifact>, Error> {
            infos.into_iter().map(|info| Artifact::from_committed(self.of_server(info))).collect()
        };
        Ok(Some(OnServer { logged: artifacts(list.logged)?, used: artifacts(list.used)? }))
    }

    fn of_server(&self, info: ArtifactInfo) -> Committed {
        Committed { info, origin: Origin::Server(self.connection().clone()) }
    }

    /// Asks the server.
    fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<Told<T>, Error> {
        if !self.is_online() && self.inner.identity.mode != Mode::Disabled {
            return Ok(Told::Nobody);
        }
        match self.connection().get(path) {
            Ok(answer) => Ok(Told::Found(answer)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Told::Missing),
            Err(error) if error.is_unreachable() => Ok(Told::Nobody),
            Err(error) => Err(error),
        }
    }

    /// Finds the version that a name means: on the server if there is one, else on this disk.
    pub(crate) fn find(&self, name: &ArtifactName) -> Result<Committed, Error> {
        let identity = &self.inner.identity;
        let entity = name.entity.as_ref().unwrap_or(&identity.entity);
        let project = name.project.as_ref().unwrap_or(&identity.project);
        let selector = name.selector.clone().unwrap_or_else(Selector::latest);
        self.wait_for_own(entity, project, name)?;
        let part = path_segment;
        let base = format!("{}/{}", part(entity.as_str()), part(project.as_str()));
        let version = part(&selector.to_string());
        let path = format!("/artifacts/{base}/{}/versions/{version}", part(name.collection.as_str()));
        let mut told = self.ask::<ArtifactInfo>(&path)?;
        if let (Told::Missing, Some(digest)) = (&told, name.digest()) {
            told = self.ask(&format!("/artifact-digests/{base}/{digest}"))?;
        }
        let answers = match told {
            Told::Found(info) => return Ok(self.of_server(info)),
            Told::Missing => true,
            Told::Nobody => false,
        };
        if *entity == identity.entity
            && let Some(found) = self.inner.store.find(project, name, &selector)?
            // What the server has had, and under this name has no more, is not what is meant.
            && !(answers && self.was_sent(&found)?)
        {
            return Ok(found);
        }
        let place = match self.is_online() || identity.mode == Mode::Disabled {
            true => format!("neither on {} nor in {}", self.inner.settings.base_url, self.inner.store.root().display()),
            false => format!("not in {}, and a server is not asked in mode offline", self.inner.store.root().display()),
        };
        Err(Error::new(ErrorKind::NotFound, format!("there is no artifact {entity}/{project}/{name}: it is {place}")))
    }

    /// What this process has just logged is to be found, too.
    fn wait_for_own(&self, entity: &Entity, project: &Project, name: &ArtifactName) -> Result<(), Error> {
        let identity = &self.inner.identity;
        if *entity != identity.entity || *project != identity.project {
            return Ok(());
        }
        let is_meant = |ticket: &&Ticket| ticket.collection == name.collection || name.digest().is_some();
        let tickets: Vec<Ticket> = lock(&self.inner.logged).iter().filter(is_meant).cloned().collect();
        for ticket in tickets {
            match ticket.wait(Some(self.inner.settings.finish_timeout), &mut || false) {
                // What was deleted or refused will not be found.
                Err(error) if error.kind() == ErrorKind::Timeout => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Whether the server has had a version of this disk.
    fn was_sent(&self, version: &Committed) -> Result<bool, Error> {
        let ArtifactInfo { project, collection, version, .. } = &version.info;
        let found = self.inner.store.collection(&project.parse()?, &collection.parse()?)?;
        let version = version.parse()?;
        let local = found.as_ref().and_then(|found| found.get(version));
        Ok(local.is_some_and(|local| local.servers.contains_key(&self.inner.settings.base_url)))
    }

    /// What the journal is to say of a version that is used.
    pub(crate) fn note_used(&self, committed: &Committed) -> Result<ArtifactUse, Error> {
        let used = self.name_of(committed)?;
        lock(&self.inner.used).push(committed.clone());
        Ok(used)
    }

    /// How the journal names a version.
    fn name_of(&self, committed: &Committed) -> Result<ArtifactUse, Error> {
        let info = &committed.info;
        let is_of_server = matches!(committed.origin, Origin::Server(_));
        Ok(ArtifactUse {
            entity: is_of_server.then(|| info.entity.parse()).transpose()?,
            project: Some(info.project.parse()?)
                .filter(|project| is_of_server || *project != self.inner.identity.project),
            collection: info.collection.parse()?,
            version: info.version.parse()?,
            digest: info.digest.parse()?,
            id: info.id.parse().ok(),
        })
    }

    /// What the journal is to say of a link. On this disk it is made at once.
    pub(crate) fn link(
        &self,
        artifact: &Artifact,
        target: ArtifactName,
        aliases: &[Alias],
    ) -> Result<ArtifactLink, Error> {
        let identity = &self.inner.identity;
        // Where it is to be sent first, what stands on this disk says which one is meant.
        let committed = match artifact.ticket() {
            Some(ticket) => ticket.local()?,
            None => artifact.committed()?,
        };
        let link = ArtifactLink {
            artifact: self.name_of(&committed)?,
            target_entity: target.entity.clone().filter(|entity| *entity != identity.entity),
            target_project: target.project.clone().filter(|project| *project != identity.project),
            target_collection: target.collection.clone(),
            aliases: aliases.to_vec(),
        };
        if let Origin::Local(store, manifest) = &committed.origin {
            let project = target.project.unwrap_or_else(|| identity.project.clone());
            link_locally(store, &committed.info, *manifest, &project, &target.collection, aliases)?;
        }
        Ok(link)
    }

    /// Lets a link be sent.
    pub(crate) fn send_link(&self, link: ArtifactLink) {
        if let Some(uploader) = &self.inner.uploader {
            uploader.add(ArtifactRecord::Linked(link));
        }
    }
}

/// Links a version on this disk into a collection of a registry.
pub(crate) fn link_locally(
    store: &LocalStore,
    info: &ArtifactInfo,
    manifest: ContentHash,
    project: &Project,
    collection: &CollectionName,
    aliases: &[Alias],
) -> Result<ArtifactInfo, Error> {
    let r#type: ArtifactType = info.r#type.parse()?;
    let source = LocalPlace {
        project: info.source.project.parse()?,
        collection: info.source.collection.parse()?,
        version: info.source.version.parse()?,
    };
    let content_hash = store.load_manifest(manifest)?.content_hash();
    let _lock = store.lock_shared()?;
    store.change_collection(project, collection, |found| {
        let mut all = match found {
            Some(found) => found.check(&r#type, CollectionKind::Registry).map(|()| found)?,
            None => Collection::new(project.clone(), collection.clone(), r#type.clone(), CollectionKind::Registry),
        };
        let there = all.versions.iter().find(|local| local.source.as_ref() == Some(&source)).map(|local| local.version);
        if let Some(version) = there {
            all.aliases.extend(aliases.iter().map(|alias| (alias.clone(), version)));
            let info = all.info(all.get(version).expect("it is there"));
            return Ok((all, info));
        }
        let id = info.id.parse().unwrap_or_else(|_| ArtifactId::generate());
        let version = all.commit(NewVersion {
            logged: LoggedAs { id, manifest },
            digest: info.digest.parse()?,
            content_hash,
            manifest,
            file_count: info.file_count,
            size_bytes: info.size_bytes,
            details: ArtifactDetails {
                aliases: aliases.to_vec(),
                tags: info.tags.clone(),
                description: info.description.clone(),
                metadata: info.metadata.clone(),
                ttl_seconds: None,
            },
            entity: info.entity.parse()?,
            run_id: info.logged_by.as_ref().and_then(|run| run.run_id.parse().ok()),
            step: info.step,
            time: now(),
            source: Some(source),
        });
        let info = all.info(all.get(version).expect("it was just made"));
        Ok((all, info))
    })
}

impl Ticket {
    /// The version, if it is committed by now; an error when it never will be.
    pub(crate) fn look(&self) -> Option<Result<Committed, Error>> {
        if !self.session.is_online() {
            return Some(self.local());
        }
        let server = &self.session.inner.settings.base_url;
        match Receipts::of(self.session.folder()?).artifact(self.id, server)? {
            Answer::Committed(info) => Some(Ok(self.session.of_server(*info))),
            Answer::Refused(reason) => {
                let message = format!("the artifact {} was not sent: {reason}", self.collection);
                Some(Err(Error::new(ErrorKind::Server, message)))
            }
            Answer::Deleted => Some(self.local()),
        }
    }

    /// Waits until it is committed: by the server, or, where none is there, on this disk. `interrupted` is asked now and then
    /// whether to stop waiting.
    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Committed, Error> {
        let begun = Instant::now();
        let mut probe = Probe::default();
        let uploader = self.session.uploader().filter(|uploader| uploader.is_own());
        loop {
            if let Some(settled) = self.look() {
                return settled;
            }
            let presence = match uploader {
                Some(uploader) => uploader.presence(),
                None => probe.presence(self.session.connection()),
            };
            let is_named = self.session.inner.settings.server_configured;
            match presence {
                Presence::Closed(reason) => return Err(Error::new(ErrorKind::Unauthorized, reason)),
                Presence::Absent(duration) if !is_named || duration >= ABSENCE_PATIENCE => return self.local(),
                Presence::Absent(_) | Presence::Likely => {}
            }
            if timeout.is_some_and(|timeout| begun.elapsed() >= timeout) || interrupted() {
                let message = format!("the artifact {} is not committed yet; it is being sent", self.collection);
                return Err(Error::new(ErrorKind::Timeout, message));
            }
            match uploader {
                Some(uploader) => uploader.wait_a_moment(LOOK_INTERVAL),
                None => std::thread::sleep(LOOK_INTERVAL),
            }
        }
    }

    /// The version on this disk.
    pub(crate) fn local(&self) -> Result<Committed, Error> {
        let Inner { store, identity, .. } = &*self.session.inner;
        let collection = store.collection(&identity.project, &self.collection)?;
        let found = collection.as_ref().and_then(|collection| Some((collection, collection.logged_as(self.id)?)));
        let (collection, local) = found.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the version of {} that was logged was deleted", self.collection))
        })?;
        Ok(Committed { info: collection.info(local), origin: Origin::Local(store.clone(), local.manifest) })
    }
}

/// How a process without a thread that sends finds out whether there is a server.
#[derive(Default)]
struct Probe {
    last: Option<Instant>,
    absent_since: Option<Instant>,
}

impl Probe {
    fn presence(&mut self, connection: &Connection) -> Presence {
        if self.last.is_none_or(|last| last.elapsed() >= PROBE_INTERVAL) {
            let answer = connection.get::<serde_json::Value>("/session");
            self.last = Some(Instant::now());
            self.absent_since = match answer {
                Err(error) if error.is_unreachable() => self.absent_since.or(self.last),
                // Whether it lets us is found out by the process that sends.
                _ => None,
            };
        }
        self.absent_since.map_or(Presence::Likely, |since| Presence::Absent(since.elapsed()))
    }
}
