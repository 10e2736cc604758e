//! Collections of artifacts as Python reads them.

use std::sync::Mutex;

use pyo3::prelude::*;
use steplog::api::{
    ArtifactCollection, ArtifactCollections, ArtifactVersions, CollectionChanges, CollectionInfo, CollectionKind,
    CollectionQuery,
};
use steplog::{Api, Artifact};

use crate::api::{ask, lock, with_iso_times};
use crate::artifact::NativeArtifact;
use crate::to_python::json_to_python;

/// Versions of a collection, page by page.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeArtifacts {
    versions: Mutex<Versions>,
}

enum Versions {
    OfServer(ArtifactVersions),
    /// Those of this disk are one page, which is handed out once.
    Local(Vec<Artifact>),
}

/// A collection, as it was when it was last read or changed.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeCollection {
    collection: Mutex<Collection>,
}

enum Collection {
    OfServer(ArtifactCollection),
    Local(Box<CollectionInfo>, Artifact),
}

/// Collections of a project, page by page.
#[pyclass(frozen, module = "steplog._native")]
pub(crate) struct NativeCollections {
    collections: Mutex<ArtifactCollections>,
}

impl NativeArtifacts {
    pub(crate) fn of_server(versions: ArtifactVersions, per_page: u32) -> Self {
        Self { versions: Mutex::new(Versions::OfServer(versions.per_page(per_page))) }
    }
}

impl NativeCollections {
    pub(crate) fn new(
        py: Python<'_>,
        api: &Api,
        project: &str,
        r#type: Option<String>,
        kind: Option<&str>,
        search: Option<String>,
        per_page: u32,
    ) -> PyResult<Self> {
        let kind = kind.map(|word| if word == "registry" { CollectionKind::Registry } else { CollectionKind::Source });
        let query = CollectionQuery { kind, r#type, search };
        let collections = ask(py, || api.artifact_collections(project, query))?;
        Ok(Self { collections: Mutex::new(collections.per_page(per_page)) })
    }
}

impl NativeCollection {
    pub(crate) fn of_server(collection: ArtifactCollection) -> Self {
        Self { collection: Mutex::new(Collection::OfServer(collection)) }
    }

    /// That of a version.
    pub(crate) fn of_version(py: Python<'_>, artifact: &Artifact) -> PyResult<Self> {
        let collection = ask(py, || match artifact.api()? {
            Some(api) => {
                let info = artifact.info()?;
                let name = format!("{}/{}/{}", info.entity, info.project, info.collection);
                Ok(Collection::OfServer(api.artifact_collection(&name)?))
            }
            None => Ok(Collection::Local(Box::new(artifact.local_collection()?), artifact.clone())),
        })?;
        Ok(Self { collection: Mutex::new(collection) })
    }
}

#[pymethods]
impl NativeArtifacts {
    fn next_page(&self, py: Python<'_>) -> PyResult<Vec<NativeArtifact>> {
        let page = ask(py, || match &mut *lock(&self.versions) {
            Versions::OfServer(versions) => versions.next_page(),
            Versions::Local(versions) => Ok(std::mem::take(versions)),
        })?;
        Ok(page.into_iter().map(|artifact| NativeArtifact { artifact }).collect())
    }
}

#[pymethods]
impl NativeCollections {
    fn next_page(&self, py: Python<'_>) -> PyResult<Vec<NativeCollection>> {
        let page = ask(py, || lock(&self.collections).next_page())?;
        Ok(page.into_iter().map(NativeCollection::of_server).collect())
    }
}

#[pymethods]
impl NativeCollection {
    /// Name, type, aliases, sizes and times.
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        // Whoever holds the lock may wait for a server.
        let info = py.detach(|| match &*lock(&self.collection) {
            Collection::OfServer(collection) => collection.info().clone(),
            Collection::Local(info, _) => (**info).clone(),
        });
        with_iso_times(json_to_python(py, &info)?)
    }

    fn versions(&self, py: Python<'_>, per_page: u32) -> PyResult<NativeArtifacts> {
        let versions = ask(py, || match &*lock(&self.collection) {
            Collection::OfServer(collection) => Ok(Versions::OfServer(collection.versions()?.per_page(per_page))),
            Collection::Local(_, artifact) => Ok(Versions::Local(artifact.local_versions()?)),
        })?;
        Ok(NativeArtifacts { versions: Mutex::new(versions) })
    }

    #[pyo3(signature = (*, name=None, description=None, protected_aliases=None))]
    fn update(
        &self,
        py: Python<'_>,
        name: Option<String>,
        description: Option<String>,
        protected_aliases: Option<Vec<String>>,
    ) -> PyResult<()> {
        let changes = CollectionChanges { name, description, protected_aliases };
        ask(py, || match &mut *lock(&self.collection) {
            Collection::OfServer(collection) => collection.update(&changes),
            Collection::Local(info, _) => Err(only_here(info)),
        })
    }

    fn delete(&self, py: Python<'_>) -> PyResult<()> {
        ask(py, || match &*lock(&self.collection) {
            Collection::OfServer(collection) => collection.clone().delete(),
            Collection::Local(info, _) => Err(only_here(info)),
        })
    }
}

fn only_here(info: &CollectionInfo) -> steplog::Error {
    let message = format!("the collection {} is on this disk alone, where only its versions can be changed", info.name);
    steplog::Error::new(steplog::ErrorKind::Usage, message)
}
