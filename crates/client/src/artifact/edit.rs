//! Changing what is said about a version, where its aliases point, and deleting it.

use steplog_model::{Alias, ArtifactDetails, ArtifactName, Project, path_segment};
use steplog_protocol::{LinkArtifactRequest, UpdateArtifactRequest};

use super::ArtifactInfo;
use super::committed::{Committed, Origin};
use super::handle::{Artifact, parse_aliases};
use super::session::link_locally;
use crate::error::Error;
use crate::run::now;

impl Artifact {
    /// Makes what was set since it was logged or found so: description, metadata, tags, aliases, time to live. Only what
    /// differs is changed, so that others' changes stay.
    ///
    /// # Errors
    /// It is no version yet, an alias is protected, or the server or the disk refuses; nothing was changed then.
    pub fn save(&self) -> Result<(), Error> {
        let Committed { info, origin } = self.committed()?;
        let changes = changes(&info, &self.details());
        if changes == UpdateArtifactRequest::default() {
            return Ok(());
        }
        let info = match &origin {
            Origin::Server(connection) => {
                let address = Committed { info: info.clone(), origin: origin.clone() }.address();
                connection.patch(&address, &changes)?
            }
            Origin::Local(store, _) => {
                let (project, name, version) =
                    (info.project.parse::<Project>()?, info.collection.parse()?, info.version.parse()?);
                store.change_collection(&project, &name, |found| {
                    let mut all = found.ok_or_else(|| gone(&info))?;
                    all.edit(version, &changes, now())?;
                    let info = all.get(version).map(|local| all.info(local)).ok_or_else(|| gone(&info))?;
                    Ok((all, info))
                })?
            }
            Origin::Nowhere => return Ok(()),
        };
        self.set_committed(Committed { info, origin });
        Ok(())
    }

    /// Deletes the version; its number is not used again. Bytes that no other version needs go, too.
    ///
    /// # Errors
    /// It is no version yet, it has aliases (`latest` is one) and `delete_aliases` is not set, one of them is protected, or the
    /// server or the disk refuses.
    pub fn delete(&self, delete_aliases: bool) -> Result<(), Error> {
        let committed = self.committed()?;
        match &committed.origin {
            Origin::Server(connection) => {
                let query = if delete_aliases { "?delete_aliases=true" } else { "" };
                connection.delete(&format!("{}{query}", committed.address()))
            }
            Origin::Local(store, _) => {
                let info = &committed.info;
                let (project, name, version) =
                    (info.project.parse::<Project>()?, info.collection.parse()?, info.version.parse()?);
                store.change_collection(&project, &name, |found| {
                    let mut all = found.ok_or_else(|| gone(info))?;
                    all.delete(version, delete_aliases)?;
                    Ok((all, ()))
                })?;
                store.remove_unneeded()
            }
            Origin::Nowhere => Ok(()),
        }
    }

    /// Links the version into a collection of a registry, which is a project: `registry/collection`, or with `entity/` before
    /// it. It gets a number of its own there, `latest` and `aliases`. Answers it as it stands there.
    ///
    /// # Errors
    /// It is no version yet, the target or an alias is none, or the server or the disk refuses.
    pub fn link(&self, target: &str, aliases: &[impl AsRef<str>]) -> Result<Artifact, Error> {
        let target: ArtifactName = target.parse()?;
        if target.selector.is_some() {
            return Err(Error::invalid(format_args!(
                "{target} names a version, but a link gets one of its own; leave out what is behind the colon"
            )));
        }
        let aliases = parse_aliases(aliases)?;
        let committed = self.committed()?;
        let info = &committed.info;
        let entity = target.entity.as_ref().map_or(&*info.entity, |entity| entity.as_str());
        let project: Project = target.project.map_or_else(|| info.project.parse(), Ok)?;
        let collection = &target.collection;
        let linked = match &committed.origin {
            Origin::Server(connection) => {
                let path = [entity, project.as_str(), collection.as_str()].map(path_segment).join("/");
                let request = LinkArtifactRequest {
                    source: info.source.clone(),
                    aliases: aliases.iter().map(ToString::to_string).collect(),
                };
                Committed {
                    info: connection.post(&format!("/artifacts/{path}/links"), &request)?,
                    origin: committed.origin.clone(),
                }
            }
            Origin::Local(store, manifest) => Committed {
                info: link_locally(store, info, *manifest, &project, collection, &aliases)?,
                origin: committed.origin.clone(),
            },
            Origin::Nowhere => committed.clone(),
        };
        Artifact::from_committed(linked)
    }

    /// Takes the version out of the registry that it was linked into; what it links to stays.
    ///
    /// # Errors
    /// It is no link, or as [`Self::delete`].
    pub fn unlink(&self) -> Result<(), Error> {
        if !self.is_link()? {
            return Err(Error::usage(format_args!(
                "{} is no link but the version itself; delete() removes it",
                self.name()
            )));
        }
        self.delete(true)
    }

    /// Whether it is a link in a registry, and not where it was logged.
    ///
    /// # Errors
    /// It is no version yet.
    pub fn is_link(&self) -> Result<bool, Error> {
        let ArtifactInfo { entity, project, collection, version, source, .. } = self.info()?;
        Ok((entity, project, collection, version) != (source.entity, source.project, source.collection, source.version))
    }
}

fn gone(info: &ArtifactInfo) -> Error {
    Error::new(crate::ErrorKind::NotFound, format!("{}:{} is gone", info.collection, info.version))
}

/// What must be changed so that what is said is what is wanted.
fn changes(info: &ArtifactInfo, wanted: &ArtifactDetails) -> UpdateArtifactRequest {
    let aliases: Vec<String> = wanted.aliases.iter().map(Alias::to_string).collect();
    let new = |wanted: &[String], there: &[String]| -> Vec<String> {
        wanted.iter().filter(|name| !there.contains(name)).cloned().collect()
    };
    UpdateArtifactRequest {
        description: (wanted.description != info.description).then(|| wanted.description.clone().unwrap_or_default()),
        metadata: (wanted.metadata != info.metadata).then(|| wanted.metadata.clone()),
        add_aliases: new(&aliases, &info.aliases),
        remove_aliases: new(&info.aliases, &aliases),
        add_tags: new(&wanted.tags, &info.tags),
        remove_tags: new(&info.tags, &wanted.tags),
        ttl_seconds: (wanted.ttl_seconds != info.ttl_seconds).then(|| wanted.ttl_seconds.unwrap_or(0)),
    }
}
