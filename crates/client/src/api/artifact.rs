//! Artifacts of a server: finding versions, listing them, and which runs have to do with them.

use std::collections::VecDeque;
use std::sync::Arc;

use steplog_model::{ArtifactName, ArtifactType, Entity, Project, Selector, path_segment};
use steplog_protocol::{Artifact as ArtifactInfo, ArtifactList, RunArtifacts};

use super::Api;
use super::connection::Connection;
use super::run::{Run, address};
use crate::artifact::Artifact;
use crate::artifact::committed::{Committed, Origin};
use crate::error::{Error, ErrorKind};

/// Versions of a page, unless another number is named.
const PAGE_VERSIONS: u32 = 100;

impl Api {
    /// A version of an artifact: `name`, `name:v3` or `name:alias`, each with `entity/project/` or `project/` before it, or
    /// the digest of a version; without a version `latest` is meant.
    ///
    /// # Errors
    /// There is no such version ([`ErrorKind::NotFound`]), it has another type than `type`, the name is none, an entity or
    /// project is needed and nobody named one, or no server answers.
    pub fn artifact(&self, name: &str, r#type: Option<&str>) -> Result<Artifact, Error> {
        let parsed: ArtifactName = name.parse()?;
        let wanted: Option<ArtifactType> = r#type.map(str::parse).transpose()?;
        let (entity, project) = self.place_of(&parsed)?;
        let info = self.find(&parsed, &entity, &project)?;
        if let Some(wanted) = wanted.filter(|wanted| wanted.as_str() != info.r#type) {
            return Err(Error::invalid(format_args!(
                "{}:{} has the type {:?}, not {wanted:?}",
                info.collection, info.version, info.r#type
            )));
        }
        from_info(&self.connection, info)
    }

    /// Whether there is such a version, of that type if one is named.
    ///
    /// # Errors
    /// As [`Self::artifact`], except that it is not there.
    pub fn artifact_exists(&self, name: &str, r#type: Option<&str>) -> Result<bool, Error> {
        let parsed: ArtifactName = name.parse()?;
        let (entity, project) = self.place_of(&parsed)?;
        match self.find(&parsed, &entity, &project) {
            Ok(info) => Ok(r#type.is_none_or(|wanted| wanted == info.r#type)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The versions of a collection, `name`, `project/name` or `entity/project/name`, newest first. Nothing is sent yet.
    ///
    /// # Errors
    /// The name is none, or an entity or project is needed and nobody named one.
    pub fn artifact_versions(&self, collection: &str) -> Result<ArtifactVersions, Error> {
        let address = self.collection_address(collection)?;
        Ok(ArtifactVersions::new(self.connection.clone(), address))
    }

    /// Where the server tells about a collection, below `/api/v1`.
    pub(super) fn collection_address(&self, collection: &str) -> Result<String, Error> {
        let name: ArtifactName = collection.parse()?;
        if name.selector.is_some() {
            return Err(Error::invalid(format_args!(
                "{collection:?} names a version, not a collection: leave out what is behind the colon"
            )));
        }
        let (entity, project) = self.place_of(&name)?;
        Ok(collection_address(&entity, &project, name.collection.as_str()))
    }

    fn place_of(&self, name: &ArtifactName) -> Result<(Entity, Project), Error> {
        let project = match &name.project {
            Some(project) => project.clone(),
            None => self.connection.default_project(&name.to_string())?,
        };
        let entity = match &name.entity {
            Some(entity) => entity.clone(),
            None => self.connection.default_entity()?.parse()?,
        };
        Ok((entity, project))
    }

    fn find(&self, name: &ArtifactName, entity: &Entity, project: &Project) -> Result<ArtifactInfo, Error> {
        let selector = name.selector.clone().unwrap_or_else(Selector::latest);
        let collection = collection_address(entity, project, name.collection.as_str());
        let found = self.connection.get(&format!("{collection}/versions/{}", path_segment(&selector.to_string())));
        match (found, name.digest()) {
            (Err(error), Some(digest)) if error.kind() == ErrorKind::NotFound => {
                let place = [entity.as_str(), project.as_str()].map(path_segment).join("/");
                self.connection.get(&format!("/artifact-digests/{place}/{digest}"))
            }
            (found, _) => found,
        }
    }
}

impl Run {
    /// The versions that the run made, newest first; at most 1,000.
    ///
    /// # Errors
    /// The run is gone, or no server answers.
    pub fn logged_artifacts(&self) -> Result<Vec<Artifact>, Error> {
        self.artifacts(|found| found.logged)
    }

    /// The versions that the run used, newest first; at most 1,000.
    ///
    /// # Errors
    /// The run is gone, or no server answers.
    pub fn used_artifacts(&self) -> Result<Vec<Artifact>, Error> {
        self.artifacts(|found| found.used)
    }

    fn artifacts(&self, which: impl FnOnce(RunArtifacts) -> Vec<ArtifactInfo>) -> Result<Vec<Artifact>, Error> {
        let found = self.connection().get(&format!("{}/artifacts", address(self.path())))?;
        which(found).into_iter().map(|info| from_info(self.connection(), info)).collect()
    }
}

/// Versions of a collection, newest first, read page by page as they are asked for.
///
/// As an iterator it ends after the last version, or after the first error.
#[derive(Clone, Debug)]
pub struct ArtifactVersions {
    connection: Arc<Connection>,
    collection: String,
    page_versions: u32,
    cursor: Option<String>,
    /// Read, and not handed out.
    waiting: VecDeque<Artifact>,
    is_at_end: bool,
}

impl ArtifactVersions {
    pub(super) fn new(connection: Arc<Connection>, collection: String) -> Self {
        let waiting = VecDeque::new();
        Self { connection, collection, page_versions: PAGE_VERSIONS, cursor: None, waiting, is_at_end: false }
    }

    /// So many versions in each request: 1 to 1,000. Default: 100.
    #[must_use]
    pub fn per_page(mut self, versions: u32) -> Self {
        self.page_versions = versions;
        self
    }

    /// The next page; empty after the last.
    ///
    /// # Errors
    /// The collection is gone, the size of a page is not allowed, or no server answers.
    pub fn next_page(&mut self) -> Result<Vec<Artifact>, Error> {
        while self.waiting.is_empty() && !self.is_at_end {
            self.read_page()?;
        }
        Ok(self.waiting.drain(..).collect())
    }

    fn read_page(&mut self) -> Result<(), Error> {
        let cursor = self.cursor.as_deref().map(|cursor| format!("&cursor={}", path_segment(cursor)));
        let address =
            format!("{}/versions?limit={}{}", self.collection, self.page_versions, cursor.unwrap_or_default());
        let page: ArtifactList = self.connection.get(&address)?;
        self.cursor = page.next_cursor;
        self.is_at_end = self.cursor.is_none();
        for info in page.artifacts {
            self.waiting.push_back(from_info(&self.connection, info)?);
        }
        Ok(())
    }
}

impl Iterator for ArtifactVersions {
    type Item = Result<Artifact, Error>;

    fn next(&mut self) -> Option<Result<Artifact, Error>> {
        while self.waiting.is_empty() && !self.is_at_end {
            if let Err(error) = self.read_page() {
                self.is_at_end = true;
                return Some(Err(error));
            }
        }
        self.waiting.pop_front().map(Ok)
    }
}

pub(super) fn collection_address(entity: &Entity, project: &Project, collection: &str) -> String {
    format!("/artifacts/{}", [entity.as_str(), project.as_str(), collection].map(path_segment).join("/"))
}

fn from_info(connection: &Arc<Connection>, info: ArtifactInfo) -> Result<Artifact, Error> {
    Artifact::from_committed(Committed { info, origin: Origin::Server(connection.clone()) })
}
