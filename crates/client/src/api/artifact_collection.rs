//! Collections of artifacts of a server.

use std::collections::VecDeque;
use std::sync::Arc;

use steplog_model::path_segment;
use steplog_protocol::{Collection, CollectionKind, CollectionList, TypeCount, UpdateCollectionRequest};

use super::Api;
use super::artifact::{ArtifactVersions, collection_address};
use super::connection::Connection;
use crate::error::{Error, ErrorKind};

/// Collections of a page, unless another number is named.
const PAGE_COLLECTIONS: u32 = 100;

/// Which collections are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectionQuery {
    /// Only those that hold versions, or links.
    pub kind: Option<CollectionKind>,
    /// Only those of this type.
    pub r#type: Option<String>,
    /// Only those with this in their name, in any case.
    pub search: Option<String>,
}

impl Api {
    /// The collections of a project, given as `entity/project` or `project`, by type and name. Nothing is sent yet.
    ///
    /// # Errors
    /// The path names no project, or an entity is needed and cannot be found out.
    pub fn artifact_collections(&self, project: &str, query: CollectionQuery) -> Result<ArtifactCollections, Error> {
        let (entity, project) = self.connection.project_path(project)?;
        let address = format!("/artifacts/{}", [entity.as_str(), project.as_str()].map(path_segment).join("/"));
        Ok(ArtifactCollections::new(self.connection.clone(), address, query))
    }

    /// The collections of all projects of an entity, by default of one's own. Nothing is sent yet.
    ///
    /// # Errors
    /// An entity is needed and cannot be found out.
    pub fn all_artifact_collections(
        &self,
        entity: Option<&str>,
        query: CollectionQuery,
    ) -> Result<ArtifactCollections, Error> {
        let entity = match entity {
            Some(entity) => entity.to_owned(),
            None => self.connection.default_entity()?,
        };
        let address = format!("/artifacts/{}", path_segment(&entity));
        Ok(ArtifactCollections::new(self.connection.clone(), address, query))
    }

    /// A collection: `name`, `project/name` or `entity/project/name`.
    ///
    /// # Errors
    /// There is no such collection ([`ErrorKind::NotFound`]), the name is none, or no server answers.
    pub fn artifact_collection(&self, name: &str) -> Result<ArtifactCollection, Error> {
        let info = self.connection.get(&self.collection_address(name)?)?;
        Ok(ArtifactCollection { connection: self.connection.clone(), info })
    }

    /// Whether there is such a collection, of that type if one is named.
    ///
    /// # Errors
    /// The name is none, or no server answers.
    pub fn artifact_collection_exists(&self, name: &str, r#type: Option<&str>) -> Result<bool, Error> {
        match self.artifact_collection(name) {
            Ok(found) => Ok(r#type.is_none_or(|wanted| wanted == found.info.r#type)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The types of a project's collections, and how many have each.
    ///
    /// # Errors
    /// There is no such project, or no server answers.
    pub fn artifact_types(&self, project: &str) -> Result<Vec<TypeCount>, Error> {
        let mut collections = self.artifact_collections(project, CollectionQuery::default())?.per_page(1);
        collections.next_page()?;
        Ok(collections.types)
    }
}

/// A collection as it was when it was read.
#[derive(Clone, Debug)]
pub struct ArtifactCollection {
    connection: Arc<Connection>,
    info: Collection,
}

impl ArtifactCollection {
    /// Everything that is known of it.
    pub fn info(&self) -> &Collection {
        &self.info
    }

    /// `entity/project/name`.
    pub fn qualified_name(&self) -> String {
        format!("{}/{}/{}", self.info.entity, self.info.project, self.info.name)
    }

    /// Its versions, newest first. Nothing is sent yet.
    ///
    /// # Errors
    /// The server named it by what is no name.
    pub fn versions(&self) -> Result<ArtifactVersions, Error> {
        Ok(ArtifactVersions::new(self.connection.clone(), self.address()?))
    }

    /// Changes name, description or protected aliases; the collection here is then as the server has it.
    ///
    /// # Errors
    /// It is gone, the name is taken or none, or the server does not let us; then nothing was changed.
    pub fn update(&mut self, changes: &UpdateCollectionRequest) -> Result<(), Error> {
        self.info = self.connection.patch(&self.address()?, changes)?;
        Ok(())
    }

    /// Removes it with all its versions.
    ///
    /// # Errors
    /// It is gone already, an alias of it is protected, or the server does not let us.
    pub fn delete(self) -> Result<(), Error> {
        self.connection.delete(&self.address()?)
    }

    fn address(&self) -> Result<String, Error> {
        Ok(collection_address(&self.info.entity.parse()?, &self.info.project.parse()?, &self.info.name))
    }
}

/// Collections by type and name, read page by page as they are asked for.
///
/// As an iterator it ends after the last collection, or after the first error.
#[derive(Clone, Debug)]
pub struct ArtifactCollections {
    connection: Arc<Connection>,
    address: String,
    query: CollectionQuery,
    page_collections: u32,
    cursor: Option<String>,
    types: Vec<TypeCount>,
    /// Read, and not handed out.
    waiting: VecDeque<ArtifactCollection>,
    is_at_end: bool,
}

impl ArtifactCollections {
    fn new(connection: Arc<Connection>, address: String, query: CollectionQuery) -> Self {
        Self {
            connection,
            address,
            query,
            page_collections: PAGE_COLLECTIONS,
            cursor: None,
            types: Vec::new(),
            waiting: VecDeque::new(),
            is_at_end: false,
        }
    }

    /// So many collections in each request: 1 to 1,000. Default: 100.
    #[must_use]
    pub fn per_page(mut self, collections: u32) -> Self {
        self.page_collections = collections;
        self
    }

    /// The next page; empty after the last.
    ///
    /// # Errors
    /// There is no such project, the size of a page is not allowed, or no server answers.
    pub fn next_page(&mut self) -> Result<Vec<ArtifactCollection>, Error> {
        while self.waiting.is_empty() && !self.is_at_end {
            self.read_page()?;
        }
        Ok(self.waiting.drain(..).collect())
    }

    fn read_page(&mut self) -> Result<(), Error> {
        let kind = self.query.kind.map(|kind| match kind {
            CollectionKind::Source => "source",
            CollectionKind::Registry => "registry",
        });
        let mut address = format!("{}?limit={}", self.address, self.page_collections);
        for (name, value) in [
            ("kind", kind),
            ("type", self.query.r#type.as_deref()),
            ("search", self.query.search.as_deref()),
            ("cursor", self.cursor.as_deref()),
        ] {
            if let Some(value) = value {
                address.push_str(&format!("&{name}={}", path_segment(value)));
            }
        }
        let page: CollectionList = self.connection.get(&address)?;
        self.cursor = page.next_cursor;
        self.is_at_end = self.cursor.is_none();
        self.types = page.types;
        let collection = |info| ArtifactCollection { connection: self.connection.clone(), info };
        self.waiting.extend(page.collections.into_iter().map(collection));
        Ok(())
    }
}

impl Iterator for ArtifactCollections {
    type Item = Result<ArtifactCollection, Error>;

    fn next(&mut self) -> Option<Result<ArtifactCollection, Error>> {
        while self.waiting.is_empty() && !self.is_at_end {
            if let Err(error) = self.read_page() {
                self.is_at_end = true;
                return Some(Err(error));
            }
        }
        self.waiting.pop_front().map(Ok)
    }
}
