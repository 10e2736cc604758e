//! A logged artifact that nobody has committed yet.

use std::sync::Arc;

use steplog_model::Manifest;

use super::committed::Committed;
use crate::error::Error;

#[derive(Debug)]
pub(crate) struct Pending {
    /// What was logged.
    pub(crate) manifest: Arc<Manifest>,
    /// Whether that is all of the version: an incremental one has more.
    pub(crate) is_whole: bool,
    /// The version on this disk.
    pub(crate) local: Committed,
}

impl Pending {
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The version, if it is there by now.
    pub(crate) fn look(&self) -> Option<Result<Committed, Error>> {
        None
    }
}
