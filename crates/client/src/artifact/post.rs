//! Sending what a journal says about artifacts, once: whoever does it notes the answer, and whoever comes later finds it.

use steplog_model::{ArtifactLink, ArtifactRecord, LoggedArtifact, RunPath};
use steplog_protocol::ArtifactPlace;

use super::ArtifactInfo;
use super::cache;
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
}

/// What became of a record.
#[derive(Debug, PartialEq)]
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
        cache::adopt_all(hashes.map(|hash| (hash, self.store.blob(hash))).filter(|(_, path)| path.is_file()));
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
