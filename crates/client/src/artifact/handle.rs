//! An artifact as a script holds it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Map, Value as Json};
use steplog_model::{
    Alias, ArtifactDetails, ArtifactType, CollectionName, FilePath, LoggedArtifact, Manifest, ManifestEntry, Version,
};

use super::ArtifactInfo;
use super::committed::Committed;
use super::draft::Draft;
use super::session::{Parts, RunArtifacts, Ticket};
use crate::error::{Error, ErrorKind};
use crate::run::lock;

/// A named, versioned set of files: a draft that is being put together, or a version. Clones are the same artifact.
#[derive(Clone, Debug)]
pub struct Artifact {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    collection: CollectionName,
    r#type: ArtifactType,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// As the script has it, saved or not.
    details: ArtifactDetails,
    incremental: bool,
    phase: Phase,
    /// What was logged, or that of a version once somebody asked for it.
    manifest: Option<Arc<Manifest>>,
}

#[derive(Debug)]
enum Phase {
    Draft(Draft),
    Pending(Ticket),
    Committed(Box<Committed>),
}

/// How far an artifact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArtifactState {
    /// It can be changed, or is finalized and not logged yet.
    Draft,
    /// It was logged, and has no version yet.
    Pending,
    /// It is a version.
    Committed,
}

impl Artifact {
    /// A draft without files.
    ///
    /// # Errors
    /// The name has other characters than letters, digits, `_`, `.` and `-`, or more than 128, or the type is not allowed.
    pub fn new(name: &str, r#type: &str) -> Result<Self, Error> {
        Ok(Self::from_parts(name.parse()?, r#type.parse()?, ArtifactDetails::default(), Phase::Draft(Draft::default())))
    }

    fn from_parts(collection: CollectionName, r#type: ArtifactType, details: ArtifactDetails, phase: Phase) -> Self {
        let state = Mutex::new(State { details, incremental: false, phase, manifest: None });
        Self { inner: Arc::new(Inner { collection, r#type, state }) }
    }

    /// A version that is there already.
    ///
    /// # Errors
    /// What is said about it is not allowed.
    pub(crate) fn from_committed(committed: Committed) -> Result<Self, Error> {
        let ArtifactInfo { collection, r#type, version, .. } = &committed.info;
        let (collection, r#type) = (collection.parse()?, r#type.parse()?);
        // It becomes a part of paths, and is shown.
        version.parse::<Version>()?;
        let details = details_of(&committed.info);
        Ok(Self::from_parts(collection, r#type, details, Phase::Committed(Box::new(committed))))
    }

    /// A draft with the files, type and metadata of this version: to change something, and log it as the next one.
    ///
    /// # Errors
    /// It is no version yet, or its manifest cannot be had.
    pub fn new_draft(&self) -> Result<Self, Error> {
        let committed = self.committed()?;
        let manifest = self.manifest()?;
        let ArtifactDetails { description, metadata, ttl_seconds, .. } = lock(&self.inner.state).details.clone();
        let details = ArtifactDetails { description, metadata, ttl_seconds, ..ArtifactDetails::default() };
        let draft = Phase::Draft(Draft::from_version(committed, manifest));
        Ok(Self::from_parts(self.inner.collection.clone(), self.inner.r#type.clone(), details, draft))
    }

    /// How far it is. Asks nobody, but looks whether a version that was waited for is there.
    pub fn state(&self) -> ArtifactState {
        match &self.settled().phase {
            Phase::Draft(_) => ArtifactState::Draft,
            Phase::Pending(_) => ArtifactState::Pending,
            Phase::Committed(_) => ArtifactState::Committed,
        }
    }

    /// Whether it was not logged yet.
    pub fn is_draft(&self) -> bool {
        matches!(lock(&self.inner.state).phase, Phase::Draft(_))
    }

    /// Whether nothing can be added any more.
    pub fn is_finalized(&self) -> bool {
        match &lock(&self.inner.state).phase {
            Phase::Draft(draft) => draft.is_finalized,
            Phase::Pending(_) | Phase::Committed(_) => true,
        }
    }

    /// Ends adding: from now on what it consists of cannot be changed. Logging does it, too.
    pub fn finalize(&self) {
        if let Phase::Draft(draft) = &mut lock(&self.inner.state).phase {
            draft.is_finalized = true;
        }
    }

    /// Name: `name` of a draft, `name:v0` of a version.
    pub fn name(&self) -> String {
        match &self.settled().phase {
            Phase::Committed(committed) => committed.name(),
            Phase::Draft(_) | Phase::Pending(_) => self.inner.collection.to_string(),
        }
    }

    /// Name of the collection.
    pub fn collection(&self) -> &CollectionName {
        &self.inner.collection
    }

    /// Type of the collection, such as `dataset` or `model`.
    pub fn artifact_type(&self) -> &ArtifactType {
        &self.inner.r#type
    }

    /// What it is, markdown.
    pub fn description(&self) -> Option<String> {
        self.settled().details.description.clone()
    }

    /// Describes it; of a version, [`Self::save`] makes it so.
    ///
    /// # Errors
    /// It is longer than 64 KiB.
    pub fn set_description(&self, description: impl Into<String>) -> Result<(), Error> {
        let description = Some(description.into()).filter(|text| !text.is_empty());
        self.change_details(|details| details.description = description)
    }

    /// What the script says about it.
    pub fn metadata(&self) -> Map<String, Json> {
        self.settled().details.metadata.clone()
    }

    /// Says something about it, in place of what was said; of a version, [`Self::save`] makes it so.
    ///
    /// # Errors
    /// There are more than 100 keys, or more than 1 MiB as JSON.
    pub fn set_metadata(&self, metadata: Map<String, Json>) -> Result<(), Error> {
        self.change_details(|details| details.metadata = metadata)
    }

    /// Tags.
    pub fn tags(&self) -> Vec<String> {
        self.settled().details.tags.clone()
    }

    /// Replaces the tags; of a version, [`Self::save`] makes it so.
    ///
    /// # Errors
    /// A tag is not 1 to 64 characters long, or there are more than 100.
    pub fn set_tags<T: Into<String>>(&self, tags: impl IntoIterator<Item = T>) -> Result<(), Error> {
        let mut tags: Vec<String> = tags.into_iter().map(Into::into).collect();
        let mut seen = std::collections::HashSet::new();
        tags.retain(|tag| seen.insert(tag.clone()));
        self.change_details(|details| details.tags = tags)
    }

    /// For how long it is kept; `None`: for ever.
    pub fn ttl(&self) -> Option<Duration> {
        self.settled().details.ttl_seconds.map(Duration::from_secs)
    }

    /// Says for how long it is kept from its making on, unless an alias other than `latest` points at it; whole seconds, 0
    /// or `None` for ever. Of a version, [`Self::save`] makes it so.
    ///
    /// # Errors
    /// None: the answer is that of the other setters.
    pub fn set_ttl(&self, ttl: Option<Duration>) -> Result<(), Error> {
        let seconds = ttl.map(|ttl| ttl.as_secs()).filter(|seconds| *seconds > 0);
        self.change_details(|details| details.ttl_seconds = seconds)
    }

    /// Aliases that point at the version, by name, with what was changed and not saved.
    ///
    /// # Errors
    /// It is no version yet.
    pub fn aliases(&self) -> Result<Vec<String>, Error> {
        let state = self.settled();
        state.phase.committed(&self.inner.collection)?;
        Ok(state.details.aliases.iter().map(Alias::to_string).collect())
    }

    /// Lets exactly these aliases point at the version; [`Self::save`] makes it so.
    ///
    /// # Errors
    /// It is no version yet, an alias is none, or there are more than 100.
    pub fn set_aliases<T: AsRef<str>>(&self, aliases: impl IntoIterator<Item = T>) -> Result<(), Error> {
        let aliases = parse_aliases(aliases)?;
        self.settled().phase.committed(&self.inner.collection)?;
        self.change_details(|details| details.aliases = aliases)
    }

    /// Whether it adds to the newest version of its collection when it is logged, in place of standing for itself.
    pub fn is_incremental(&self) -> bool {
        lock(&self.inner.state).incremental
    }

    /// Says whether it adds to the newest version of its collection when it is logged: what that has and this has not is
    /// part of the version.
    ///
    /// # Errors
    /// It is finalized.
    pub fn set_incremental(&self, incremental: bool) -> Result<(), Error> {
        self.check_open("set_incremental")?;
        lock(&self.inner.state).incremental = incremental;
        Ok(())
    }

    /// Everything that is known of the version.
    ///
    /// # Errors
    /// It is no version yet.
    pub fn info(&self) -> Result<ArtifactInfo, Error> {
        self.committed().map(|committed| committed.info)
    }

    /// Version, such as `v3`.
    ///
    /// # Errors
    /// It is no version yet.
    pub fn version(&self) -> Result<String, Error> {
        self.info().map(|info| info.version)
    }

    /// What it consists of: of a draft, so far.
    ///
    /// # Errors
    /// It is a version whose manifest cannot be had.
    pub fn manifest(&self) -> Result<Arc<Manifest>, Error> {
        let state = self.settled();
        let committed = match (&state.phase, &state.manifest) {
            (Phase::Draft(draft), _) => return Ok(draft.manifest.clone()),
            (_, Some(manifest)) => return Ok(manifest.clone()),
            (Phase::Committed(committed), None) => committed.as_ref().clone(),
            (Phase::Pending(_), None) => unreachable!("what was logged is known"),
        };
        // Others need not wait for a server.
        drop(state);
        let manifest = Arc::new(committed.manifest()?);
        Ok(lock(&self.inner.state).manifest.get_or_insert(manifest).clone())
    }

    /// The entry at a path, if there is one.
    ///
    /// # Errors
    /// As [`Self::manifest`].
    pub fn entry(&self, path: &FilePath) -> Result<Option<ManifestEntry>, Error> {
        Ok(self.manifest()?.get(path).cloned())
    }

    /// Digest of the manifest: MD5, as the field computes it; equal for equal paths and contents.
    pub fn digest(&self) -> String {
        self.summed_up(|manifest| manifest.digest().to_string(), |info| info.digest.clone())
    }

    /// The sizes of files and references, as far as known, added up.
    pub fn size_bytes(&self) -> u64 {
        self.summed_up(Manifest::size_bytes, |info| info.size_bytes)
    }

    /// How many files and references there are.
    pub fn file_count(&self) -> u64 {
        self.summed_up(|manifest| manifest.len() as u64, |info| info.file_count)
    }

    fn summed_up<T>(&self, of_manifest: impl Fn(&Manifest) -> T, of_info: impl Fn(&ArtifactInfo) -> T) -> T {
        let state = self.settled();
        match (&state.phase, &state.manifest) {
            (Phase::Draft(draft), _) => of_manifest(&draft.manifest),
            (Phase::Committed(committed), _) => of_info(&committed.info),
            (Phase::Pending(_), manifest) => of_manifest(manifest.as_ref().expect("what was logged is known")),
        }
    }

    /// Takes out a file, or all below a folder.
    ///
    /// # Errors
    /// There is nothing at the path ([`ErrorKind::NotFound`]), or the artifact is finalized.
    pub fn remove(&self, path: &str) -> Result<(), Error> {
        let path = path.parse()?;
        self.with_draft("remove", |draft| draft.remove(&path))
    }

    /// The version, and who knows it.
    pub(crate) fn committed(&self) -> Result<Committed, Error> {
        self.settled().phase.committed(&self.inner.collection).cloned()
    }

    /// What people see changed elsewhere, or was just saved.
    pub(crate) fn set_committed(&self, committed: Committed) {
        let mut state = lock(&self.inner.state);
        state.details = details_of(&committed.info);
        state.phase = Phase::Committed(Box::new(committed));
    }

    pub(crate) fn check_open(&self, what: &str) -> Result<(), Error> {
        self.with_draft(what, |_| Ok(()))
    }

    /// Does something with a draft that is not finalized.
    pub(crate) fn with_draft<T>(
        &self,
        what: &str,
        change: impl FnOnce(&mut Draft) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &mut lock(&self.inner.state).phase {
            Phase::Draft(draft) => {
                draft.check_open(what)?;
                change(draft)
            }
            Phase::Pending(_) | Phase::Committed(_) => Err(Error::new(
                ErrorKind::ArtifactFinalized,
                format!(
                    "{what}: the artifact {} was logged and cannot be changed; new_draft() can",
                    self.inner.collection
                ),
            )),
        }
    }

    /// Adds all entries, or none.
    pub(crate) fn insert_all(&self, entries: Vec<(FilePath, ManifestEntry)>, overwrites: bool) -> Result<(), Error> {
        self.with_draft("add", |draft| {
            let before = draft.manifest.clone();
            let mut entries = entries.into_iter();
            let inserted = entries.try_for_each(|(path, entry)| draft.insert(path, entry, overwrites));
            inserted.inspect_err(|_| draft.manifest = before)
        })
    }

    pub(crate) fn forget_new_file(&self, path: &FilePath) {
        if let Phase::Draft(draft) = &mut lock(&self.inner.state).phase {
            draft.end_file(path);
        }
    }

    fn change_details(&self, change: impl FnOnce(&mut ArtifactDetails)) -> Result<(), Error> {
        let mut state = self.settled();
        let mut details = state.details.clone();
        change(&mut details);
        details.check()?;
        state.details = details;
        Ok(())
    }

    /// The state, with what was pending as it stands now.
    fn settled(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.inner.state);
        if let Phase::Pending(ticket) = &state.phase
            && let Some(Ok(committed)) = ticket.look()
        {
            state.settle(committed);
        }
        state
    }

    /// What was waited for is there.
    pub(crate) fn settle(&self, committed: Committed) {
        let mut state = lock(&self.inner.state);
        if matches!(state.phase, Phase::Pending(_)) {
            state.settle(committed);
        }
    }

    /// By what its version will be found, while it is not there.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match &self.settled().phase {
            Phase::Pending(ticket) => Some(ticket.clone()),
            Phase::Draft(_) | Phase::Committed(_) => None,
        }
    }

    /// Makes it a version on this disk; answers what the journal is to say, or nothing when it is a version already, which
    /// then got the aliases. What a run only takes as an input was made by nobody that is known.
    pub(crate) fn log(
        &self,
        session: &RunArtifacts,
        aliases: Vec<Alias>,
        step: i64,
        as_input: bool,
    ) -> Result<Option<(LoggedArtifact, Ticket)>, Error> {
        let mut state = self.settled();
        let State { details, incremental, phase, manifest } = &mut *state;
        let details = ArtifactDetails { aliases: with_latest(aliases.clone()), ..details.clone() };
        let mut again;
        let draft = match phase {
            Phase::Draft(draft) => draft,
            Phase::Pending(ticket) => {
                let logged = manifest.clone().expect("what was logged is known");
                again = Draft::from_version(ticket.local()?, logged);
                &mut again
            }
            Phase::Committed(_) => {
                drop(state);
                return self.add_aliases(aliases).map(|()| None);
            }
        };
        draft.is_finalized = true;
        let own = draft.manifest.clone();
        let (collection, r#type) = (&self.inner.collection, &self.inner.r#type);
        let parts = Parts { draft, collection, r#type, details, incremental: *incremental, as_input };
        let (logged, ticket) = session.commit(parts, step)?;
        *manifest = Some(own);
        *phase = Phase::Pending(ticket.clone());
        Ok(Some((logged, ticket)))
    }

    /// As [`Self::log`], into a run that keeps nothing.
    pub(crate) fn log_nowhere(&self, session: &RunArtifacts, aliases: Vec<Alias>) -> Result<(), Error> {
        let mut state = self.settled();
        let State { details, incremental, phase, manifest } = &mut *state;
        let details = ArtifactDetails { aliases, ..details.clone() };
        details.check()?;
        let Phase::Draft(draft) = phase else { return Ok(()) };
        draft.is_finalized = true;
        let own = draft.manifest.clone();
        let (collection, r#type) = (&self.inner.collection, &self.inner.r#type);
        let incremental = *incremental;
        let committed = session.pretend(Parts { draft, collection, r#type, details, incremental, as_input: false });
        *manifest = Some(own);
        *phase = Phase::Committed(Box::new(committed));
        Ok(())
    }

    fn add_aliases(&self, aliases: Vec<Alias>) -> Result<(), Error> {
        if aliases.is_empty() {
            return Ok(());
        }
        self.change_details(|details| {
            details.aliases.extend(aliases);
            details.aliases.sort_unstable();
            details.aliases.dedup();
        })?;
        self.save()
    }

    /// What is said about it, saved or not.
    pub(crate) fn details(&self) -> ArtifactDetails {
        self.settled().details.clone()
    }
}

impl State {
    fn settle(&mut self, committed: Committed) {
        // An incremental one has more than what was logged.
        if self.incremental {
            self.manifest = None;
        }
        self.details = details_of(&committed.info);
        self.phase = Phase::Committed(Box::new(committed));
    }
}

impl Phase {
    fn committed(&self, collection: &CollectionName) -> Result<&Committed, Error> {
        let reason = match self {
            Self::Committed(committed) => return Ok(committed),
            Self::Pending(_) => "is not committed yet; wait() for it",
            Self::Draft(_) => "was not logged yet; log_artifact() makes it a version",
        };
        Err(Error::new(ErrorKind::ArtifactNotLogged, format!("the artifact {collection} {reason}")))
    }
}

fn details_of(info: &ArtifactInfo) -> ArtifactDetails {
    ArtifactDetails {
        // A newer server may allow what this version does not know.
        aliases: info.aliases.iter().filter_map(|alias| alias.parse().ok()).collect(),
        tags: info.tags.clone(),
        description: info.description.clone(),
        metadata: info.metadata.clone(),
        ttl_seconds: info.ttl_seconds,
    }
}

/// The aliases that a logged version gets.
fn with_latest(mut aliases: Vec<Alias>) -> Vec<Alias> {
    if !aliases.contains(&Alias::latest()) {
        aliases.insert(0, Alias::latest());
    }
    aliases
}

/// Aliases as they were given, each once.
pub(crate) fn parse_aliases<T: AsRef<str>>(aliases: impl IntoIterator<Item = T>) -> Result<Vec<Alias>, Error> {
    let mut parsed: Vec<Alias> = Vec::new();
    for alias in aliases {
        let alias = alias.as_ref().parse()?;
        if !parsed.contains(&alias) {
            parsed.push(alias);
        }
    }
    Ok(parsed)
}
