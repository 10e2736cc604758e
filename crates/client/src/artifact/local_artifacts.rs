//! The versions on this disk, where there is no run and no server to ask.

use std::path::Path;

use steplog_model::{ArtifactName, ArtifactType, ManifestDigest, Project, Selector};
use steplog_protocol::{Collection as CollectionInfo, CollectionAlias};

use super::collection::{Collection, LocalVersion};
use super::committed::{Committed, Origin};
use super::handle::Artifact;
use super::local::LocalStore;
use crate::error::{Error, ErrorKind};
use crate::init::home_below;

/// The artifacts that runs below a folder logged.
#[derive(Clone, Debug)]
pub struct LocalArtifacts {
    store: LocalStore,
}

impl LocalArtifacts {
    /// Those below a folder, where runs that were begun in it keep theirs.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, Error> {
        let root = root.as_ref();
        let home = home_below(root).map_err(|error| Error::io(error, root.display()))?;
        Ok(Self { store: LocalStore::below(&home) })
    }

    pub(crate) fn of(store: LocalStore) -> Self {
        Self { store }
    }

    /// Where they are kept.
    pub fn folder(&self) -> &Path {
        self.store.root()
    }

    /// The collections of a project, or all, by project and name. What cannot be read is left out.
    pub fn collections(&self, project: Option<&str>) -> Result<Vec<CollectionInfo>, Error> {
        let project: Option<Project> = project.map(str::parse).transpose()?;
        Ok(self.store.collections(project.as_ref()).iter().map(Collection::summary).collect())
    }

    /// A version: `name`, `name:v3` or `name:alias`, with `project/` before it or in `project`, or the digest of a version;
    /// without a version `latest` is meant.
    ///
    /// # Errors
    /// There is no such version ([`ErrorKind::NotFound`]), it has another type than `type`, or the name is none.
    pub fn artifact(&self, name: &str, project: Option<&str>, r#type: Option<&str>) -> Result<Artifact, Error> {
        let (name, wanted) = (name.parse::<ArtifactName>()?, r#type.map(str::parse::<ArtifactType>).transpose()?);
        let project = project_of(&name, project)?;
        let selector = name.selector.clone().unwrap_or_else(Selector::latest);
        let found = self.store.find(&project, &name, &selector)?.ok_or_else(|| {
            let folder = self.store.root().display();
            Error::new(ErrorKind::NotFound, format!("there is no artifact {name} of project {project} in {folder}"))
        })?;
        if let Some(wanted) = wanted.filter(|wanted| wanted.as_str() != found.info.r#type) {
            let (name, r#type) = (found.name(), &found.info.r#type);
            return Err(Error::invalid(format_args!("{name} has the type {type:?}, not {wanted:?}")));
        }
        Artifact::from_committed(found)
    }

    /// The versions of a collection, newest first.
    ///
    /// # Errors
    /// There is no such collection ([`ErrorKind::NotFound`]), or the name is none.
    pub fn versions(&self, collection: &str, project: Option<&str>) -> Result<Vec<Artifact>, Error> {
        let name: ArtifactName = collection.parse()?;
        let project = project_of(&name, project)?;
        let found = self.store.collection(&project, &name.collection)?.ok_or_else(|| {
            let (name, folder) = (&name.collection, self.store.root().display());
            Error::new(ErrorKind::NotFound, format!("there is no artifact {name} of project {project} in {folder}"))
        })?;
        found.versions.iter().rev().map(|local| Artifact::from_committed(self.store.committed(&found, local))).collect()
    }
}

impl LocalStore {
    /// The version that a name means; `None` when there is none.
    ///
    /// # Errors
    /// The file of the collection is damaged.
    pub(crate) fn find(
        &self,
        project: &Project,
        name: &ArtifactName,
        selector: &Selector,
    ) -> Result<Option<Committed>, Error> {
        if let Some(collection) = self.collection(project, &name.collection)? {
            return Ok(collection.find(selector).map(|local| self.committed(&collection, local)));
        }
        let Some(digest) = name.digest().and_then(|digest| digest.parse::<ManifestDigest>().ok()) else {
            return Ok(None);
        };
        Ok(self.collections(Some(project)).iter().find_map(|collection| {
            let newest = collection.versions.iter().rev().find(|local| local.digest == digest)?;
            Some(self.committed(collection, newest))
        }))
    }

    fn committed(&self, collection: &Collection, local: &LocalVersion) -> Committed {
        Committed { info: collection.info(local), origin: Origin::Local(self.clone(), local.manifest) }
    }
}

impl Collection {
    /// The collection in the words of the API.
    fn summary(&self) -> CollectionInfo {
        let times = |time: fn(&LocalVersion) -> f64| self.versions.iter().map(time);
        let alias = |(alias, version): (&steplog_model::Alias, &steplog_model::Version)| CollectionAlias {
            alias: alias.to_string(),
            version: version.to_string(),
        };
        CollectionInfo {
            entity: self.newest().map(|newest| newest.entity.to_string()).unwrap_or_default(),
            project: self.project.to_string(),
            name: self.name.to_string(),
            kind: self.kind,
            r#type: self.r#type.to_string(),
            description: None,
            version_count: self.versions.len() as u64,
            latest_version: self.newest().map(|newest| newest.version.to_string()),
            aliases: self.aliases.iter().map(alias).collect(),
            protected_aliases: Vec::new(),
            size_bytes: self.versions.iter().map(|local| local.size_bytes).sum(),
            created_at: times(|local| local.created_at).reduce(f64::min).unwrap_or(0.0),
            updated_at: times(|local| local.updated_at).reduce(f64::max).unwrap_or(0.0),
        }
    }
}

fn project_of(name: &ArtifactName, default: Option<&str>) -> Result<Project, Error> {
    match (&name.project, default) {
        (Some(project), _) => Ok(project.clone()),
        (None, Some(project)) => Ok(project.parse()?),
        (None, None) => Err(Error::invalid(format_args!("{name} names no project: write project/{name}"))),
    }
}
