//! Artifacts: collections, their versions, and what these consist of.
//!
//! A version points at a *manifest*: the rows of the JSON lines that an entity committed. Equal lines are kept once for each
//! entity. A manifest is written row by row before any version points at it, and removed row by row after the last one has
//! gone: so neither keeps the writer from journals for long. Whatever is cut short is garbage that nothing points at, and
//! goes with [`remove_unused`]. The bytes of its files are held by the rows, as those of runs are by the names of files.

mod alias;
mod collection;
mod commit;
mod diff;
mod entries;
mod expiry;
mod find;
mod lineage;
mod link;
mod manifest;
mod mirror;
mod read;
mod turns;
mod uses;
mod verify;
mod version;

pub use collection::CollectionQuery;
pub use entries::EntryQuery;
pub use mirror::{CollectionMirror, VersionMirror, VersionMirrors};
pub use read::ManifestPages;

pub(crate) use expiry::remove_expired;
pub(crate) use manifest::{recover, remove_unused};
pub(crate) use turns::Turns;
pub(crate) use uses::{forget_run, write_records};
pub(crate) use verify::check_manifests;

use crate::Error;

/// How many entries of a manifest are written or removed in one transaction, so that journals wait some milliseconds.
const ENTRIES_AT_ONCE: usize = 2048;

/// How many rows a page has.
fn page_limit(limit: Option<u32>, default: u32, max: u32) -> Result<usize, Error> {
    let limit = limit.unwrap_or(default);
    if limit == 0 || limit > max {
        return Err(Error::invalid(format!("limit must be 1 to {max}, not {limit}")));
    }
    Ok(limit as usize)
}
