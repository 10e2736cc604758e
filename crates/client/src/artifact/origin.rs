//! Whoever knows a version, to be asked more.

use steplog_model::path_segment;

use super::committed::Origin;
use super::handle::Artifact;
use super::local_artifacts::LocalArtifacts;
use crate::api::{Api, CollectionInfo};
use crate::error::{Error, ErrorKind};

impl Artifact {
    /// The server that has the version; `None` for what is on this disk alone.
    ///
    /// # Errors
    /// It is no version yet.
    pub fn api(&self) -> Result<Option<Api>, Error> {
        Ok(match self.committed()?.origin {
            Origin::Server(connection) => Some(Api::of(connection)),
            Origin::Local(..) | Origin::Nowhere => None,
        })
    }

    /// The page of the version; `None` for what is on this disk alone.
    ///
    /// # Errors
    /// It is no version yet.
    pub fn url(&self) -> Result<Option<String>, Error> {
        let Some(api) = self.api()? else { return Ok(None) };
        let info = self.info()?;
        let [entity, project, collection, version] =
            [&info.entity, &info.project, &info.collection, &info.version].map(|part| path_segment(part));
        Ok(Some(format!("{}/{entity}/{project}/artifacts/{collection}/{version}", api.base_url())))
    }

    /// The collection that it is a version of, as it stands on this disk.
    ///
    /// # Errors
    /// It is no version yet, it is not on this disk, or the collection cannot be read.
    pub fn local_collection(&self) -> Result<CollectionInfo, Error> {
        let info = self.info()?;
        let all = self.local_artifacts()?.collections(Some(&info.project))?;
        all.into_iter()
            .find(|found| found.name == info.collection)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the collection {} is gone", info.collection)))
    }

    /// All versions of its collection on this disk, newest first.
    ///
    /// # Errors
    /// As [`Self::local_collection`].
    pub fn local_versions(&self) -> Result<Vec<Artifact>, Error> {
        let info = self.info()?;
        self.local_artifacts()?.versions(&info.collection, Some(&info.project))
    }

    fn local_artifacts(&self) -> Result<LocalArtifacts, Error> {
        match self.committed()?.origin {
            Origin::Local(store, _) => Ok(LocalArtifacts::of(store)),
            Origin::Server(_) | Origin::Nowhere => {
                Err(Error::usage(format_args!("{} is not on this disk alone", self.name())))
            }
        }
    }
}
