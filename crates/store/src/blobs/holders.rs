//! Who holds bytes: the entities that sent all of them.
//!
//! A row in `blob_holders` says that an entity may point at bytes. It stays as long as a name of the entity does, and for
//! some time after the bytes came, so that they can get one. Bytes without any holder are removed.
//!
//! Whether the bytes themselves are well is another question: a holder of damaged ones sends them again, and then all
//! holders have them back.

use rusqlite::{Connection, OptionalExtension as _, params};
use steplog_model::{ContentHash, Entity};

use crate::Error;
use crate::database::Sql as _;
use crate::store::Shared;

/// Bytes that were sent and got no name are kept for so long, in seconds: the name comes right after them.
pub(crate) const NAMELESS_SECONDS: f64 = 24.0 * 3600.0;

/// How many holders that let go are looked at in one transaction.
const FORGET_AT_ONCE: i64 = 4096;

impl Shared {
    /// The size of bytes that an entity holds and that are here whole.
    pub(crate) fn held_size(
        &self,
        database: &Connection,
        entity: &Entity,
        hash: ContentHash,
    ) -> Result<Option<u64>, Error> {
        let size: Option<i64> = database
            .sql(
                "SELECT b.size_bytes FROM blob_holders h JOIN blobs b ON b.sha256 = h.sha256
                 WHERE h.sha256 = $1 AND h.entity = $2",
            )?
            .query_row((hash.as_bytes(), entity.as_str()), |row| row.get(0))
            .optional()?;
        // A server that was killed may have noted bytes that have not come to their place.
        Ok(size.map(|size| size as u64).filter(|size| self.blobs.has(hash, *size)))
    }

    /// Notes bytes that an entity sent and that are about to get their place.
    pub(super) fn note_blobs(&self, entity: &Entity, blobs: Vec<(ContentHash, u64)>) -> Result<(), Error> {
        let removable_at = self.options.clock.now() + NAMELESS_SECONDS;
        let entity = entity.clone();
        self.write(
            move |database| {
                for (hash, size_bytes) in &blobs {
                    database
                        .sql(
                            "INSERT INTO blobs (sha256, size_bytes) VALUES ($1, $2)
                             ON CONFLICT (sha256) DO UPDATE SET removable_at = NULL",
                        )?
                        .execute(params![hash.as_bytes(), *size_bytes as i64])?;
                    database
                        .sql(
                            "INSERT INTO blob_holders (sha256, entity, removable_at) VALUES ($1, $2, $3)
                             ON CONFLICT (sha256, entity) DO UPDATE SET
                             removable_at = CASE WHEN removable_at IS NULL THEN NULL ELSE $3 END",
                        )?
                        .execute(params![hash.as_bytes(), entity.as_str(), removable_at])?;
                }
                Ok(())
            },
            |_| {},
        )
    }

    /// Forgets holders that let go of their bytes; those that nobody else holds may be removed then.
    pub(super) fn forget_holders(&self) -> Result<(), Error> {
        let now = self.options.clock.now();
        loop {
            let has_any = {
                let reader = self.database.reader()?;
                reader.sql("SELECT 1 FROM blob_holders WHERE removable_at <= $1")?.exists([now])?
            };
            if !has_any {
                return Ok(());
            }
            self.write(move |database| forget(database, now), |_| {})?;
        }
    }
}

fn forget(database: &Connection, now: f64) -> Result<(), Error> {
    let over: Vec<([u8; 32], String)> = database
        .sql("SELECT sha256, entity FROM blob_holders WHERE removable_at <= $1 LIMIT $2")?
        .query_map(params![now, FORGET_AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (hash, entity) in over {
        database.sql("DELETE FROM blob_holders WHERE sha256 = $1 AND entity = $2")?.execute((hash, entity))?;
        database
            .sql(
                "UPDATE blobs SET removable_at = $2
                 WHERE sha256 = $1 AND NOT EXISTS (SELECT 1 FROM blob_holders h WHERE h.sha256 = blobs.sha256)",
            )?
            .execute(params![hash, now])?;
    }
    Ok(())
}

/// A name of an entity points at bytes from now on; answers whether the entity holds them, which it must.
pub(crate) fn hold(database: &Connection, entity: &str, hash: ContentHash) -> Result<bool, Error> {
    let held = database
        .sql("UPDATE blob_holders SET removable_at = NULL WHERE sha256 = $1 AND entity = $2")?
        .execute((hash.as_bytes(), entity))?;
    Ok(held > 0)
}

/// A name of an entity points at bytes no more: without another one they may be removed from now on.
pub(crate) fn release(database: &Connection, entity: &str, hash: ContentHash, now: f64) -> Result<(), Error> {
    database
        .sql(
            "UPDATE blob_holders SET removable_at = $3 WHERE sha256 = $1 AND entity = $2 AND NOT EXISTS (
                 SELECT 1 FROM files f JOIN runs r ON r.id = f.run JOIN projects p ON p.id = r.project
                 WHERE f.sha256 = blob_holders.sha256 AND p.entity = blob_holders.entity)
             AND NOT EXISTS (
                 SELECT 1 FROM manifest_blobs b JOIN manifests m ON m.id = b.manifest
                 WHERE b.sha256 = blob_holders.sha256 AND m.entity = blob_holders.entity)",
        )?
        .execute(params![hash.as_bytes(), entity, now])?;
    Ok(())
}
