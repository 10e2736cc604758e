//! Removal of bytes that nobody holds. It may be killed at any point.

use std::sync::Arc;

use rusqlite::params;
use steplog_model::ContentHash;

use crate::database::Sql as _;
use crate::store::Shared;
use crate::{Error, Store};

/// How many blobs are removed in one transaction.
const REMOVE_AT_ONCE: usize = 256;

impl Store {
    /// Removes bytes that nothing points at and uploads that nobody goes on with, as the background does now and then.
    ///
    /// # Errors
    /// The database or the disk refuses; what is left goes the next time.
    pub fn remove_unused_files(&self) -> Result<(), Error> {
        remove_unused(&self.shared)
    }
}

/// Removes bytes that nobody holds, and uploads that nobody goes on with.
pub(crate) fn remove_unused(shared: &Arc<Shared>) -> Result<(), Error> {
    shared.forget_holders()?;
    let now = shared.options.clock.now();
    loop {
        let unused = {
            let reader = shared.database.reader()?;
            reader.sql("SELECT 1 FROM blobs WHERE removable_at <= $1")?.exists([now])?
        };
        if !unused {
            break;
        }
        // Nothing else is in the transaction: what took the last name away is durable, and nobody gives a new one. The
        // bytes go before their row, so that a kill in between leaves nothing that no row knows.
        let remover = shared.clone();
        let removed = shared.write_alone(
            move |database| {
                let hashes: Vec<[u8; 32]> = database
                    .sql("SELECT sha256 FROM blobs WHERE removable_at <= $1 LIMIT $2")?
                    .query_map(params![now, REMOVE_AT_ONCE as i64], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                for hash in &hashes {
                    remover.blobs.discard(ContentHash::from_bytes(*hash))?;
                    database.sql("DELETE FROM blobs WHERE sha256 = $1")?.execute([&hash[..]])?;
                }
                Ok(hashes.len())
            },
            |_| {},
        )?;
        shared.blobs.empty_trash();
        tracing::debug!("the bytes of {removed} files without a name were removed");
    }
    shared.blobs.remove_abandoned();
    Ok(())
}
