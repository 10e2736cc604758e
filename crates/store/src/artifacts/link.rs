//! Links: versions of other collections in a registry, numbered anew.

use rusqlite::{Connection, OptionalExtension as _, params};
use steplog_model::{Alias, ArtifactDetails, ArtifactPath, CollectionPath, ManifestDigest};
use steplog_protocol::{Artifact, ArtifactPlace, CollectionKind, LinkArtifactRequest};

use super::{alias, find, uses, version};
use crate::database::Sql as _;
use crate::{Error, Store};

impl Store {
    /// Links a version into a registry collection, which is made if need be; it gets a number, aliases and `latest` there. One
    /// that is there already keeps its number, and gets the aliases.
    ///
    /// # Errors
    /// There is no such version; the collection has another type, or versions of its own; a protected alias would move.
    pub fn link_artifact(&self, path: &CollectionPath, request: &LinkArtifactRequest) -> Result<Artifact, Error> {
        let source = source_path(&request.source)?;
        let aliases: Vec<Alias> = request.aliases.iter().map(|alias| alias.parse()).collect::<Result<_, _>>()?;
        ArtifactDetails { aliases: aliases.clone(), ..ArtifactDetails::default() }.check()?;
        let (target, now) = (path.clone(), self.shared.options.clock.now());
        let (collection, number, changes) = self.shared.write(
            move |database| {
                let found = find::version(database, &source)?;
                let kind = CollectionKind::Registry;
                let collection = find::make_collection(database, &target, kind, &found.collection.r#type, now)?;
                let known: Option<i64> = database
                    .sql(
                        "SELECT version FROM artifact_versions WHERE collection = $1 AND artifact = $2
                         ORDER BY version DESC LIMIT 1",
                    )?
                    .query_row((collection.id, found.artifact), |row| row.get(0))
                    .optional()?;
                let number = match known {
                    Some(number) => number,
                    None => insert(database, &collection, &target, found.artifact)?,
                };
                alias::point(database, &collection, number, &aliases)?;
                find::touch(database, collection.id, now)?;
                Ok((collection.id, number, version::changes_of(database, found.artifact)?))
            },
            |_| {},
        )?;
        self.shared.notify_artifacts(&changes);
        let reader = self.shared.database.reader()?;
        version::read(&reader, collection, number)
    }
}

fn insert(
    database: &Connection,
    collection: &find::CollectionRow,
    path: &CollectionPath,
    artifact: i64,
) -> Result<i64, Error> {
    let number = i64::from(find::take_number(database, collection.id)?.number());
    database
        .sql("INSERT INTO artifact_versions (collection, version, artifact) VALUES ($1, $2, $3)")?
        .execute(params![collection.id, number, artifact])?;
    alias::point(database, collection, number, &[Alias::latest()])?;
    let digest: [u8; 16] = database
        .sql("SELECT m.digest FROM artifacts a JOIN manifests m ON m.id = a.manifest WHERE a.id = $1")?
        .query_row([artifact], |row| row.get(0))?;
    uses::resolve_waiting(database, path, artifact, ManifestDigest::from_bytes(digest), None)?;
    Ok(number)
}

/// Where a place in a request leads.
fn source_path(place: &ArtifactPlace) -> Result<ArtifactPath, Error> {
    let collection = CollectionPath {
        entity: place.entity.parse()?,
        project: place.project.parse()?,
        collection: place.collection.parse()?,
    };
    Ok(collection.artifact(place.version.parse()?))
}
