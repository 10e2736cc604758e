//! A version as it stands where it was committed.

use std::sync::Arc;

use steplog_model::{ContentHash, Manifest};

use super::ArtifactInfo;
use super::local::LocalStore;
use crate::api::Connection;
use crate::error::Error;

/// A version, and who knows it.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    pub(crate) info: ArtifactInfo,
    pub(crate) origin: Origin,
}

/// Who knows a version.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    Server(Arc<Connection>),
    /// With the manifest's SHA-256.
    Local(LocalStore, ContentHash),
    /// Nobody: a disabled run keeps nothing.
    Nowhere,
}

impl Committed {
    /// `name:v0`.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.info.collection, self.info.version)
    }

    /// Where the server tells about it, below `/api/v1`.
    pub(crate) fn address(&self) -> String {
        let part = steplog_model::path_segment;
        let ArtifactInfo { entity, project, collection, version, .. } = &self.info;
        format!("/artifacts/{}/{}/{}/versions/{}", part(entity), part(project), part(collection), part(version))
    }

    /// What it consists of.
    ///
    /// # Errors
    /// The server does not answer, or what is there is damaged.
    pub(crate) fn manifest(&self) -> Result<Manifest, Error> {
        let manifest = match &self.origin {
            Origin::Server(connection) => {
                let lines = connection.download(&format!("{}/manifest", self.address()))?.read_all()?;
                Manifest::from_json_lines(&lines)?
            }
            Origin::Local(store, manifest) => store.load_manifest(*manifest)?,
            Origin::Nowhere => Manifest::default(),
        };
        if manifest.digest().to_string() != self.info.digest {
            return Err(Error::invalid(format_args!("the manifest of {} is not the one that was logged", self.name())));
        }
        Ok(manifest)
    }
}
